"""A simulated machine of a fleet: muster-sim keeps its /sys, /proc and /dev/kmsg, and an agent runs on it."""

import json
import os
import pathlib
import re
import subprocess

from cluster import BIN, Process, wait_until

SIM = pathlib.Path(os.environ["MUSTER_SIM"])


class Scenario:
    """The machines of some scenarios, whose faults begin when they are told to: a copy that is written again."""

    NEVER_S = 1_000_000

    def __init__(self, sources, path, start_unix_ms):
        self.source = "\n".join(pathlib.Path(source).read_text() for source in sources)
        self.path, self.start_unix_ms = pathlib.Path(path), start_unix_ms
        self.begin_faults(self.NEVER_S)

    def devices_of(self, machine):
        block = re.search(rf'^machines \{{\s*name: "{machine}".*?^\}}', self.source, re.MULTILINE | re.DOTALL).group()
        return len(re.findall(r"^  devices \{", block, re.MULTILINE))

    def begin_faults(self, at_s):
        text = re.sub(r"at_s: 60( until_s: 360)?", f"at_s: {at_s:.3f}", self.source)
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.replace(self.path)


def environment(scenario, machine, without=()):
    """As `muster-sim env` prints it."""
    printed = subprocess.run([SIM, "env", "--scenario", scenario.path, "--machine", machine, "--start-unix-ms", str(scenario.start_unix_ms)],
                             check=True, capture_output=True, text=True).stdout
    found = dict(re.findall(r"^export (\w+)='(.*)'$", printed, re.MULTILINE))
    return {name: value for name, value in found.items() if name not in without}


def start_tree(folder, scenario, machine):
    """muster-sim; returns it and the machine's root once that is there."""
    root = folder / f"root-{machine}"
    served = Process([SIM, "serve", "--scenario", scenario.path, "--machine", machine, "--root", root, "--start-unix-ms",
                      scenario.start_unix_ms], folder / f"sim-{machine}.log")
    return served, root


def start_agent(cluster, scenario, machine, root, options=(), without=()):
    variables = [f"{key}={value}" for key, value in environment(scenario, machine, without).items()]
    return cluster.start_agent(machine, prefix=["env", *variables], wait=False,
                               options=["--root", root, *options])


def sampler_of(agent, kind):
    """Process id of the agent's sampler child."""

    def look():
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == agent.popen.pid and f"--sampler={kind}".encode() in argv:
                return int(entry.name)
        return None

    return wait_until(f"a sampler {kind} runs", look)


def health(cluster, machine):
    """state, codes of conditions, codes of events of each GPU by its index, as `muster machine` tells it."""
    shown = json.loads(cluster.muster("machine", machine, "--json", check=0).stdout)
    status = shown.get("machine", shown)
    status = status if "health" in status or "machine" in status else shown
    devices = sorted(status["machine"]["devices"], key=lambda device: device["pciAddress"])
    report = status.get("health", {})
    by_id = {device["deviceId"]: device for device in report.get("devices", [])}
    found = {}
    for index, device in enumerate(devices):
        said = by_id.get(device["id"], {})
        found[index] = {
            "pci": device["pciAddress"],
            "state": said.get("state", "HEALTH_STATE_UNKNOWN").removeprefix("HEALTH_STATE_"),
            "conditions": {condition["code"] for condition in said.get("conditions", [])},
            "events": {event["code"] for event in report.get("events", []) if event.get("deviceId") == device["id"]},
        }
    return found
