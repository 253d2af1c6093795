#!/usr/bin/env python3
"""A simulated fleet, a coordinator and a real Prometheus with the rules and dashboards of dashboards/.

Prometheus finds the agents through the coordinator alone. While nothing is wrong every panel has its data and no alert fires. Then every
fault of the scenario each_fault begins at once, each on a device of its own, and a few of machines beside them; each is seen in the
device's health, as an event, in a metric, and by its alert, and no device has an alert that is not its own. No expression of a rule,
an alert or a panel names a metric that nobody serves. It runs for a minute or two; 77 when there is no prometheus.
"""

import dataclasses
import os
import pathlib
import shutil
import signal
import sys
import time

import check
import promql
from cluster import Cluster, wait_until
from faults import ALERT_OF_STATE, FAULTS
from prometheus_server import PrometheusServer
import simulated_machine

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCENARIOS = ROOT / "tests/hardware_sim/scenarios"
# The machines of the faults, and some on which nothing is wrong; the last one will fall silent.
MACHINES = sorted({fault.machine for fault in FAULTS}) + ["sim-flex", "sim-mixed", "sim-arc"]

# What has no data while nothing is wrong; all but the last two have it once the faults are there.
NOTHING_WRONG = {
    "muster_gpu_health_condition": "no condition stands",
    "gpu_code:muster_health_condition:max": "no condition stands",
    "gpu_code:muster_gpu_events:increase5m": "nothing happened",
    "ALERTS": "no alert fires",
    "muster_case_last_verdict{verdict!~": "every case passed",
}
# Of the simulated models none has them.
NEVER = {
    "muster_gpu_retired_pages_total": "pages are retired by older GPUs only",
    "muster_gpu_retired_pages_pending": "pages are retired by older GPUs only",
}


def say(text):
    print(f"{time.monotonic() - BEGIN:5.1f} s  {text}", flush=True)


BEGIN = time.monotonic()


class Fleet:
    """Simulated machines, each with its agent."""

    def __init__(self, cluster):
        self.cluster, self.trees, self.machines = cluster, {}, []
        self.scenario = simulated_machine.Scenario([SCENARIOS / "each_fault.textproto", SCENARIOS / "healthy_fleet.textproto"],
                                                   cluster.folder / "scenario.textproto", int(time.time() * 1000))

    def start(self, machines, **how):
        for machine in machines:
            self.trees[machine] = simulated_machine.start_tree(self.cluster.folder, self.scenario, machine)
        for machine in machines:
            served, root = self.trees[machine]
            wait_until(f"the tree of {machine} is there", lambda: "ready" in served.log())
            simulated_machine.start_agent(self.cluster, self.scenario, machine, root, **how)
            self.machines.append(machine)

    def devices(self):
        return sum(self.scenario.devices_of(machine) for machine in self.machines)

    def stop(self):
        for served, _ in self.trees.values():
            served.stop()


# The healthy fleet.


def missing_data(prometheus, expressions, known_empty):
    """[(where, expression)] that return nothing, but for those that may."""
    found = []
    for where, expression in expressions:
        if any(part in expression for part in known_empty):
            continue
        if not prometheus.query(check.substitute(expression, interval="10s")):
            found.append((where, expression))
    return found


def see_healthy_fleet(cluster, fleet, prometheus):
    agents = len(fleet.machines)
    wait_until("Prometheus scrapes every agent", lambda: prometheus.query(f'count(up{{job="muster-agent"}} == 1) == {agents}'))
    say(f"Prometheus found {agents} agents through the coordinator")
    wrong = [labels for labels, _ in prometheus.query('muster_gpu_info unless on (machine) up{job="muster-agent", simulated="true"}')]
    assert not wrong, f"their machines are not marked as simulated, or have another name: {wrong}"
    healthy = f'count(gpu_state:muster_health:max{{state="HEALTHY"}} == 1) == {fleet.devices()}'
    wait_until(f"all {fleet.devices()} GPUs are healthy", lambda: prometheus.query(healthy), 60)
    cluster.muster("run", "nightly", "--on", "name=nvidia-xid", check=0)
    empty = {**NOTHING_WRONG, **NEVER}
    panels = check.dashboard_expressions()
    deadline = time.monotonic() + 30
    while missing := missing_data(prometheus, panels, empty):
        if time.monotonic() > deadline:
            raise AssertionError("no data for:\n" + "\n".join(f"  {where}: {expression}" for where, expression in missing))
        time.sleep(0.2)  # Until the next scrape.
    say(f"{len(panels)} expressions of panels and variables have data, or nothing to show")
    alerts = [(alert["labels"], alert["state"]) for alert in prometheus.alerts()]
    assert not alerts, f"alerts on a healthy fleet: {alerts}"
    # The coordinator is missed until its first scrape, with waits cut to a fifteenth.
    fired = prometheus.query('count by (alertname, machine, gpu) '
                             '(last_over_time(ALERTS{alertstate="firing", alertname!="MusterCoordinatorDown"}[10m]))')
    assert not fired, f"alerts fired before the fleet was up: {fired}"
    say("no alert is pending or firing")


# The faults.


def firing(prometheus):
    """(machine, gpu) -> names of what fires."""
    found = {}
    for alert in prometheus.alerts():
        if alert["state"] == "firing":
            labels = alert["labels"]
            found.setdefault((labels.get("machine", ""), labels.get("gpu", "")), set()).add(labels["alertname"])
    return found


@dataclasses.dataclass
class Sight:
    """What was seen of a fault so far. Some of it passes: an alert on an event ends with its window."""

    health: bool = False
    event: bool = False
    metric: bool = False
    alert: bool = False
    device: dict = dataclasses.field(default_factory=dict)  # As it was last.
    alerts: set = dataclasses.field(default_factory=set)  # All that fired.

    def whole(self):
        return self.health and self.event and self.metric and self.alert


def look(cluster, prometheus, sights):
    machines = {machine: simulated_machine.health(cluster, machine) for machine in {fault.machine for fault in FAULTS}}
    firing_now = firing(prometheus)
    for fault, sight in sights.items():
        device = sight.device = machines[fault.machine][fault.gpu]
        sight.alerts |= firing_now.get((fault.machine, str(fault.gpu)), set())
        explained = fault.state == "HEALTHY" or (fault.condition or fault.code) in device["conditions"]
        sight.health |= device["state"] == fault.state and explained
        sight.event |= not fault.code or fault.code in device["events"]
        sight.metric = sight.metric or bool(prometheus.query(fault.expression()))
        sight.alert |= not fault.alert or fault.alert in sight.alerts


def print_table(sights):
    print(f"\n{'device':16} {'fault':41} {'health':12} {'event':22} {'metric':7} alert (and others)")
    for fault, sight in sights.items():
        cells = [(f"{fault.machine}/{fault.gpu}", 16), (fault.what, 41), (fault.state if sight.health else "NOT SEEN", 12),
                 ((fault.code or "-") if sight.event else "NOT SEEN", 22), ("yes" if sight.metric else "NO", 7)]
        alert = (fault.alert or "-") if sight.alert else f"NOT SEEN: {fault.alert}"
        print(" ".join(f"{text:{width}}" for text, width in cells), alert, *(f"({name})" for name in sorted(sight.alerts - {fault.alert})))
        if not sight.whole():
            print(f"{'':16} the device at last: {sight.device}")
    print()


def unexpected_alerts(sights):
    found = []
    for fault, sight in sights.items():
        allowed = {fault.alert, *fault.also} | ALERT_OF_STATE[fault.state] | MEASURED.get((fault.machine, str(fault.gpu)), set())
        if sight.alerts - allowed:
            found.append(f"{fault.machine}/{fault.gpu} ({fault.what}): {sorted(sight.alerts - allowed)}")
    return found


# The device that the last benchmark found slow.
MEASURED = {("nvidia-xid", "0"): {"MusterGpuSlowerThanSiblings"}}


def break_machines(cluster, fleet):
    """Faults of machines, agents and runs; (machine, gpu) -> alerts that must fire."""
    slow = simulated_machine.health(cluster, "nvidia-xid")[0]["pci"]
    cluster.muster("run", "nightly", "--on", "name=nvidia-xid", "--set", f"e2e-rate.slow={slow}", check=0)
    cluster.muster("run", "nightly-red", "--on", "name=nvidia-xid", check=1)
    cluster.muster("quarantine", "intel-memory", "--reason", "e2e", check=0)
    cluster.muster("quarantine", "sim-flex/0", "--reason", "e2e", check=0)
    cluster.agents["sim-arc"].kill9()
    os.kill(simulated_machine.sampler_of(cluster.agents["intel-speed"], "intel"), signal.SIGKILL)
    fleet.start(["sim-b200"], without=["LD_LIBRARY_PATH"])
    fleet.start(["sim-h200"], options=["--metrics-advertise", "127.0.0.1:1"])
    return {
        ("sim-arc", ""): {"MusterAgentSilent"},
        ("sim-h200", ""): {"MusterAgentScrapeDown"},
        ("sim-b200", ""): {"MusterSamplerAbsent"},
        ("intel-speed", ""): {"MusterSamplerCrashing"},
        ("intel-memory", ""): {"MusterQuarantinedLong"},
        ("sim-flex", "0"): {"MusterQuarantinedLong"},
        ("", ""): {"MusterNightlyRed", "MusterNightlyMissing"},
        **MEASURED,
    }


def see_faults(cluster, fleet, prometheus):
    prometheus.write_rules(replaced=[("26 * 3600", "5")])
    prometheus.reload()
    expected = break_machines(cluster, fleet)
    fleet.scenario.begin_faults(time.time() - fleet.scenario.start_unix_ms / 1000 + 1)
    say("the faults begin")

    sights, fired = {fault: Sight() for fault in FAULTS}, {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        look(cluster, prometheus, sights)
        for where, names in firing(prometheus).items():
            fired.setdefault(where, set()).update(names)
        missing = {where: sorted(names - fired.get(where, set())) for where, names in expected.items() if names - fired.get(where, set())}
        if not missing and all(sight.whole() for sight in sights.values()):
            break
        time.sleep(0.5)  # Until the next evaluation.
    print_table(sights)
    for where, names in expected.items():
        print(f"{' '.join(where).strip() or 'fleet':16} {' '.join(sorted(names & fired.get(where, set())))}")
    say("looked at the faults")
    assert all(sight.whole() for sight in sights.values()), "not every fault was seen: NOT SEEN in the table"
    assert not missing, f"these do not fire: {missing}"
    unexpected = unexpected_alerts(sights)
    assert not unexpected, "alerts of a device that are not its own:\n  " + "\n  ".join(unexpected)


def check_words(prometheus):
    """Every alert that fires says which machine it is of, that it is simulated, and where to read more."""
    for alert in prometheus.alerts():
        labels, words = alert["labels"], alert["annotations"]
        text = " ".join(words.values())
        assert "<error" not in text and "<no value>" not in text, (labels, words)
        assert labels.get("machine", "") in words["summary"], (labels, words)
        if "machine" in labels:
            assert labels.get("simulated") == "true" and words["summary"].startswith("[simulated]"), (labels, words)
        if "gpu" in labels:
            assert f"GPU {labels['gpu']}" in words["summary"], (labels, words)


def check_names(prometheus):
    """Every metric that an expression names is one that Prometheus has, with the labels that dashboards/metrics.txt gives it."""
    served = prometheus.metrics()
    named = {}
    for where, expression in check.rule_expressions() + check.dashboard_expressions():
        for metric, _ in promql.selectors(check.substitute(expression, interval="5m")):
            named.setdefault(metric, where)
    absent = {metric: where for metric, where in named.items() if metric not in served and metric not in NEVER}
    assert not absent, f"expressions name metrics that nobody serves: {absent}"
    known = check.known_metrics()
    for metric in sorted(served & {name for name, labels in known.items() if labels is not None} - {"ALERTS"}):
        for series in prometheus.get("series", **{"match[]": f'{{__name__="{metric}"}}'}):
            more = set(series) - known[metric] - {"__name__"}
            assert not more, f"{metric} has labels that dashboards/metrics.txt does not know: {sorted(more)}"
    unknown = {m for m in served if m.startswith("muster_")} - set(known)
    assert not unknown, f"served, and not in dashboards/metrics.txt: {sorted(unknown)}"
    say(f"{len(named)} metrics and rules are named, {len(served)} are there")


def main():
    if not shutil.which("prometheus"):
        print("prometheus is not there (Debian: package prometheus)")
        return 77
    options = ["--heartbeat-interval-ms", "500", "--lease-duration-ms", "5000"]
    with Cluster(coordinator_options=options) as cluster:
        fleet = prometheus = None
        try:
            prometheus = PrometheusServer(ROOT / "dashboards/prometheus", cluster.folder / "prometheus", cluster.ready["http"])
            fleet = Fleet(cluster)
            fleet.start(MACHINES)
            say("the fleet is started")
            see_healthy_fleet(cluster, fleet, prometheus)
            see_faults(cluster, fleet, prometheus)
            check_words(prometheus)
            check_names(prometheus)
            missing = missing_data(prometheus, check.dashboard_expressions(), NEVER)
            assert not missing, f"no data though much is wrong: {missing}"
            cluster.coordinator.kill9()
            wait_until("the coordinator is missed", lambda: "MusterCoordinatorDown" in set().union(*firing(prometheus).values()))
            say("the coordinator is missed")
        finally:
            if fleet:
                fleet.stop()
            if prometheus:
                prometheus.stop()
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
