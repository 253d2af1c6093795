"""A real Prometheus with the configuration and the rules of dashboards/prometheus, made faster for a test."""

import json
import pathlib
import re
import urllib.parse
import urllib.request

import yaml

from cluster import Process, free_port, wait_until

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(duration):
    return sum(int(number) * UNITS_MS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", str(duration)))


def faster(expression, share):
    """The expression with its ranges and offsets cut to a share."""
    return re.sub(r"(\[|offset )((?:\d+(?:ms|[smhd]))+)(?=[\]\s)]|$)",
                  lambda found: f"{found.group(1)}{max(2000, int(milliseconds(found.group(2)) * share))}ms", expression)


class PrometheusServer:
    def __init__(self, source, folder, coordinator_http):
        self.source, self.folder = pathlib.Path(source), pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "rules").mkdir()
        self.port = free_port()
        self.write_configuration(coordinator_http)
        self.write_rules()
        self.process = Process(["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                                f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-lifecycle", "--log.level=warn"],
                               self.folder.parent / "prometheus.log")
        wait_until("Prometheus is ready", self.ready)

    def write_configuration(self, coordinator_http):
        text = (self.source / "prometheus.yml").read_text().replace("127.0.0.1:9464", coordinator_http)
        config = yaml.safe_load(text)
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        for job in config["scrape_configs"]:
            job["scrape_interval"] = job["scrape_timeout"] = "1s"
            for discovery in job.get("http_sd_configs", []):
                discovery["refresh_interval"] = "1s"
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))

    def write_rules(self, for_share=1 / 15, range_share=1 / 6, replaced=()):
        """The real rules: waits (`for`), ranges and offsets cut to a share, groups evaluated every second."""
        for path in (self.source / "rules").glob("*.yml"):
            rules = yaml.safe_load(path.read_text())
            for group in rules["groups"]:
                group["interval"] = "1s"
                for rule in group["rules"]:
                    rule["expr"] = faster(rule["expr"], range_share)
                    for old, new in replaced:
                        rule["expr"] = rule["expr"].replace(old, new)
                    if "for" in rule:
                        rule["for"] = f"{min(15_000, int(milliseconds(rule['for']) * for_share))}ms"
            (self.folder / "rules" / path.name).write_text(yaml.safe_dump(rules, sort_keys=False))

    def reload(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            if self.process.popen.poll() is not None:
                raise AssertionError(f"Prometheus ended:\n{self.process.log()[-4000:]}")
            return False

    def get(self, path, **parameters):
        data = urllib.parse.urlencode(parameters, doseq=True)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}" + (f"?{data}" if data else "")
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()[:500]}")

    def query(self, expression):
        """[(labels, value)]."""
        data = self.get("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def alerts(self):
        return self.get("alerts")["alerts"]

    def metrics(self):
        return set(self.get("label/__name__/values"))

    def stop(self):
        return self.process.stop()
