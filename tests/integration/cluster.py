"""A small fleet of real processes on this machine: a coordinator, agents, and the `muster` command.

Everything lives in one temporary folder and ends with the test. Waits are bounded and end as soon as their condition holds.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ["MUSTER_BIN_DIR"])
SUITES = pathlib.Path(os.environ["MUSTER_SUITES_DIR"])
PLANS = pathlib.Path(os.environ["MUSTER_PLANS_DIR"])


def wait_until(what, condition, seconds=30.0):
    """The first true value of `condition()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)  # Between two looks at other processes.


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Process:
    """A daemon with its output in a file."""

    def __init__(self, argv, log_path, **kwargs):
        self.log_path = pathlib.Path(log_path)
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, **kwargs)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def kill9(self):
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(30)

    def stop(self):
        """SIGTERM; returns the exit status, which a test may look at."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            return self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"did not end within 30 s of SIGTERM:\n{self.log()[-4000:]}")


class Cluster:
    """Use as a context manager."""

    def __init__(self, host="127.0.0.1", coordinator_options=()):
        self.host = host
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-test-"))
        self.data = self.folder / "coordinator"
        self.coordinator_options = list(coordinator_options)
        self.port = free_port(host)
        self.coordinator = None
        self.agents = {}

    def __enter__(self):
        subprocess.run([BIN / "muster-coordinator", "init", "--data-dir", self.data, "--host", self.host], check=True,
                       stdout=subprocess.DEVNULL)
        self.start_coordinator()
        return self

    def __exit__(self, kind, value, trace):
        try:
            for agent in list(self.agents.values()):
                agent.stop()
            if self.coordinator:
                self.coordinator.stop()
        finally:
            if kind is None:
                shutil.rmtree(self.folder, ignore_errors=True)
            else:
                for log in sorted(self.folder.glob("*.log")):
                    print(f"---- {log.name}\n{log.read_text(errors='replace')[-6000:]}")
                print(f"kept: {self.folder}")

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def start_coordinator(self):
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.coordinator = Process(
            [BIN / "muster-coordinator", "serve", "--data-dir", self.data, "--listen", self.address, "--http-listen",
             "127.0.0.1:0", "--plans-dir", PLANS, "--ready-file", ready, *self.coordinator_options],
            self.folder / "coordinator.log")
        wait_until("the coordinator serves", lambda: self._ready(ready))
        self.ready = json.loads(ready.read_text())

    def _ready(self, ready):
        if self.coordinator.popen.poll() is not None:
            raise AssertionError(f"the coordinator ended:\n{self.coordinator.log()[-4000:]}")
        return ready.exists() and ready.stat().st_size > 0

    def muster(self, *arguments, identity=None, check=None, timeout=120, home=None):
        """Runs the command line; `check` is the exit status that it must have."""
        identified = [] if home else ["--identity", identity or self.data / "admin"]
        argv = [BIN / "muster", "--coordinator", self.address, *identified, *arguments]
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, **({"HOME": str(home)} if home else {})})
        if check is not None and done.returncode != check:
            raise AssertionError(f"muster {' '.join(map(str, arguments))}: exit {done.returncode}, expected {check}\n"
                                 f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done

    def token(self, *arguments):
        return self.muster("token", "create", *arguments, check=0).stdout.split()[-1]

    def agent_argv(self, name, suites=SUITES, options=()):
        return [BIN / "muster-agent", "--coordinator", self.address, "--state-dir", self.folder / f"agent-{name}",
                "--suites-dir", suites, "--name", name, "--metrics-listen", "127.0.0.1:0", *options]

    def start_agent(self, name, token=None, prefix=(), suites=SUITES, options=(), wait=True):
        argv = [*prefix, *self.agent_argv(name, suites, options)]
        if not (self.folder / f"agent-{name}" / "identity" / "cert.pem").exists():
            argv += ["--token", token or self.token("--role", "agent", "--name", name)]
        self.agents[name] = Process(argv, self.folder / f"agent-{name}.log")
        if wait:
            wait_until(f"agent {name} is connected", lambda: self.machine(name).get("connected"))
        return self.agents[name]

    def machine(self, name):
        machines = json.loads(self.muster("machines", "--json", check=0).stdout).get("machines", [])
        return next((m for m in machines if m["machine"]["name"] == name), {})

    def start_run(self, *arguments):
        """Starts a run and returns its id at once."""
        return json.loads(self.muster("run", *arguments, "--detach", "--json", check=0).stdout)["run"]["id"]

    def show(self, run_id, all_attempts=False):
        more = ["--all-attempts"] if all_attempts else []
        return json.loads(self.muster("show", run_id, "--json", *more, check=0).stdout)

    def finished(self, run_id, seconds=60):
        def look():
            shown = self.show(run_id)
            return shown if shown["run"]["state"] == "RUN_STATE_FINISHED" else None

        return wait_until(f"run {run_id} is finished", look, seconds)


def values(shown, job_id, attempt, name):
    """The numbers of a measurement in one attempt, in the order in which they were stored."""
    for group in shown.get("measurements", []):
        if group["jobId"] == job_id and group.get("attempt", 0) == attempt:
            return [m.get("number") for m in group["measurements"] if m["name"] == name]
    return []
