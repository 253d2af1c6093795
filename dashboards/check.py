#!/usr/bin/env python3
"""Holds rules, alerts and dashboards against what they stand on.

    check.py rules        promtool on the configuration, the rules and their tests; every alert has a test, labels, words, a runbook entry
    check.py dashboards   the JSON is what generate.py makes, well-formed, without overlaps, its variables and links exist
    check.py expressions  every expression is PromQL, and names no metric and no label that nobody serves

Exit status: 0 all is well, 1 not, 77 promtool is not there.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

import promql

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RULES = sorted((HERE / "prometheus/rules").glob("*.yml"))
TESTS = sorted((HERE / "prometheus/tests").glob("*.yml"))
DASHBOARDS = sorted((HERE / "grafana").glob("*.json"))
OPERATIONS = ROOT / "docs/operations.md"
DEVICE = "machine gpu uuid pci vendor model simulated".split()
TARGET = {"job", "instance"}  # Prometheus puts these on every series.

problems = []


def problem(where, what):
    problems.append(f"{where}: {what}")


def promtool(*arguments):
    done = subprocess.run([shutil.which("promtool"), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        problem(f"promtool {' '.join(map(str, arguments))}", f"\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def rules_of(kind, paths=None):
    """[(file, rule)] of all rules of a kind: "alert" or "record"."""
    found = []
    for path in paths or RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            found += [(path, rule) for rule in group["rules"] if kind in rule]
    return found


# Rules.


def anchors(markdown):
    """The anchors that the headings of a Markdown text get."""
    headings = re.findall(r"^#+ +(.*?)\s*$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_alert(path, rule, known_anchors):
    where = f"{path.name}: {rule['alert']}"
    if rule.get("labels", {}).get("severity") not in ("critical", "warning", "info"):
        problem(where, "label severity must be critical, warning or info")
    annotations = rule.get("annotations", {})
    for name in ("summary", "description", "runbook_url"):
        if not annotations.get(name):
            problem(where, f"annotation {name} is missing")
    if "$labels.machine" in annotations.get("summary", "") and "[simulated]" not in annotations["summary"]:
        problem(where, "the summary does not mark simulated devices")
    url = annotations.get("runbook_url", "")
    if url != f"docs/operations.md#{rule['alert'].lower()}":
        problem(where, f"runbook_url should be docs/operations.md#{rule['alert'].lower()}, is {url}")
    elif url.partition("#")[2] not in known_anchors:
        problem(where, f"{url} has no such heading")


def check_tests(alerts):
    """Each alert fires in a test, and only where it should: the tests compare all that fires."""
    fires = set()
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for check in test.get("promql_expr_test", []):
                if "ALERTS" in check["expr"] and "alertname" in promql.aggregations(check["expr"]):
                    samples = " ".join(sample["labels"] for sample in check.get("exp_samples", []))
                    fires.update(re.findall(r'alertname="(\w+)"', samples))
    for name in sorted(alerts - fires):
        problem(name, "no test in dashboards/prometheus/tests lets it fire")
    for name in sorted(fires - alerts):
        problem(name, "is tested, but is no alert")


def check_rules():
    promtool("check", "config", HERE / "prometheus/prometheus.yml")
    promtool("check", "rules", *RULES)
    promtool("test", "rules", *TESTS)
    alerts = rules_of("alert")
    known = anchors(OPERATIONS.read_text())
    for path, rule in alerts:
        check_alert(path, rule, known)
    names = [rule["alert"] for _, rule in alerts]
    for name in {name for name in names if names.count(name) > 1}:
        problem(name, "there are two alerts of this name")
    for anchor in sorted(a for a in known if a.startswith("muster") and a not in {n.lower() for n in names} | {"muster"}):
        problem(f"docs/operations.md#{anchor}", "is a runbook entry for an alert that there is not")
    check_tests(set(names))
    print(f"{len(alerts)} alerts, {len(rules_of('record'))} recording rules")


# Expressions.


def known_metrics():
    """name -> labels, of everything that may be named."""
    known = {}
    for line in (HERE / "metrics.txt").read_text().splitlines():
        name, *labels = line.partition("#")[0].split() or [None]
        if name:
            known[name] = {label for word in labels for label in (DEVICE if word == "DEVICE" else [word])} | TARGET
    rows = re.findall(r'"(muster_gpu_\w+)",\s*(?:true|false),\s*\{([^}]*)\}', (ROOT / "base/telemetry_field.cc").read_text())
    for name, labels in rows:
        known[name] = set(DEVICE) | set(re.findall(r'"(\w+)"', labels)) | TARGET
    for _, rule in rules_of("record"):
        known[rule["record"]] = None  # Its labels are what its expression leaves.
    return known


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def rule_expressions():
    """[(where, expression)] of rules and alerts."""
    found = [(f"{path.name}: {rule.get('alert') or rule['record']}", rule["expr"])
             for kind in ("record", "alert") for path, rule in rules_of(kind)]
    for path, rule in rules_of("alert"):  # Queries inside the words of an alert.
        for text in rule["annotations"].values():
            found += [(f"{path.name}: {rule['alert']}", query.replace("%q", '"x"')) for query in re.findall(r'printf "([^"]*\{[^"]*)"', text)]
    return found


def dashboard_expressions():
    """[(where, expression)] of panels, annotations and variables, with Grafana's variables in them."""
    found = []
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        for panel in panels_of(dashboard):
            found += [(f"{path.name}: {panel['title']}", target["expr"]) for target in panel.get("targets", [])]
        for annotation in dashboard["annotations"]["list"]:
            if "expr" in annotation:
                found.append((f"{path.name}: annotation {annotation['name']}", annotation["expr"]))
        for variable in dashboard["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((.*), *\w+\)", str(variable.get("definition", "")))
            if asked:
                found.append((f"{path.name}: variable {variable['name']}", asked.group(1)))
    return found


def substitute(expression, interval="5m", value=".*"):
    """With a value for each of Grafana's variables."""
    expression = re.sub(r"\$__(rate_interval|interval|range)\b", interval, expression)
    return re.sub(r"\$\{?(\w+)(:\w+)?\}?", value, expression)


def check_expressions():
    found = rule_expressions() + [(where, substitute(expression)) for where, expression in dashboard_expressions()]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "expressions.yml"
        rules = [{"record": f"e{i}", "expr": expression} for i, (_, expression) in enumerate(found)]
        file.write_text(json.dumps({"groups": [{"name": "expressions", "rules": rules}]}))
        if not promtool("check", "rules", file):
            for i, (where, expression) in enumerate(found):
                if f"e{i}:" in problems[-1] or f'"e{i}"' in problems[-1]:
                    problem(where, f"is not PromQL: {expression}")
    known = known_metrics()
    every_label = set().union(*(labels for labels in known.values() if labels))
    for where, expression in found:
        for metric, labels in promql.selectors(expression):
            if metric not in known:
                problem(where, f"nobody serves {metric}")
            elif known[metric] is not None and labels - known[metric]:
                problem(where, f"{metric} has no label {', '.join(sorted(labels - known[metric]))}")
        for label in promql.aggregations(expression) - every_label:
            problem(where, f"nothing has a label {label}")
    print(f"{len(found)} expressions, {len(known)} metrics and recording rules")


# Dashboards.


def check_layout(path, dashboard):
    taken = {}
    for panel in panels_of(dashboard):
        place, where = panel["gridPos"], f"{path.name}: {panel.get('title', panel['type'])}"
        if place["x"] < 0 or place["x"] + place["w"] > 24 or place["w"] < 1 or place["h"] < 1:
            problem(where, f"lies outside of the 24 columns: {place}")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    problem(where, f"lies over {taken[x, y]}")
                    return
                taken[x, y] = where


def check_panel(path, panel, variables):
    where = f"{path.name}: {panel.get('title', '?')}"
    if panel["type"] == "row":
        return
    for key in ("title", "description", "datasource", "targets", "fieldConfig", "options"):
        if not panel.get(key):
            problem(where, f"has no {key}")
    if panel.get("datasource", {}).get("uid") != "${datasource}":
        problem(where, "does not use the variable datasource")
    refs = [target["refId"] for target in panel["targets"]]
    if len(set(refs)) != len(refs):
        problem(where, "two of its targets have one refId")
    for target in panel["targets"]:
        if target["datasource"]["uid"] != "${datasource}":
            problem(where, "a target does not use the variable datasource")
    if "unit" not in panel["fieldConfig"]["defaults"] and panel["type"] != "table":
        problem(where, "has no unit")
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps([t["expr"] for t in panel["targets"]])))
    for name in sorted(used - variables):
        problem(where, f"uses the variable {name}, which there is not")


def links_in(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "url" and isinstance(inner, str):
                yield inner
            else:
                yield from links_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from links_in(inner)


def check_dashboards():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / "grafana/generate.py", folder], check=True)
        made = {path.name: path.read_bytes() for path in pathlib.Path(folder).glob("*.json")}
    for name in sorted(made.keys() | {path.name for path in DASHBOARDS}):
        path = HERE / "grafana" / name
        if name not in made or not path.exists() or path.read_bytes() != made[name]:
            problem(name, "is not what generate.py makes: run dashboards/grafana/generate.py and commit what it writes")
    dashboards = {path: json.loads(path.read_text()) for path in DASHBOARDS}
    uids = [dashboard["uid"] for dashboard in dashboards.values()]
    if len(set(uids)) != len(uids):
        problem("dashboards", f"two have one uid: {uids}")
    for path, dashboard in dashboards.items():
        ids = [panel["id"] for panel in panels_of(dashboard)]
        if len(set(ids)) != len(ids):
            problem(path.name, "two panels have one id")
        if dashboard.get("id") is not None or dashboard["schemaVersion"] < 41:
            problem(path.name, "id must be null and schemaVersion at least 41")
        variables = {variable["name"] for variable in dashboard["templating"]["list"]}
        check_layout(path, dashboard)
        for panel in panels_of(dashboard):
            check_panel(path, panel, variables)
        for url in links_in([dashboard["panels"], dashboard["links"]]):
            target = re.match(r"/d/([\w-]+)", url)
            if target and target.group(1) not in uids:
                problem(path.name, f"links to {url}, which there is not")
    print(f"{len(dashboards)} dashboards, {sum(len(list(panels_of(d))) for d in dashboards.values())} panels")


def main():
    checks = {"rules": check_rules, "dashboards": check_dashboards, "expressions": check_expressions}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    if not shutil.which("promtool"):
        print("promtool is not there (Debian: package prometheus)")
        return 77
    checks[sys.argv[1]]()
    for found in problems:
        print(f"- {found}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
