"""`muster demo --once` as a user runs it: a fault of a simulated GPU is seen by `muster machines` and on the agent's /metrics, and
nothing is left when it has ended."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

BIN = pathlib.Path(os.environ["MUSTER_BIN_DIR"])


def wait_until(what, condition, seconds=90.0):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)  # Between two looks at other processes.


def processes_of(folder):
    """Those whose command line names the folder."""
    found = []
    for cmdline in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in cmdline.read_bytes():
                found.append(int(cmdline.parent.name))
        except OSError:
            pass  # It has ended.
    return found


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-demo-test-"))
        self.data = self.folder / "demo"
        self.output = self.folder / "output"
        self.demo = None

    def tearDown(self):
        if self.demo and self.demo.poll() is None:
            self.demo.kill()
            self.demo.wait(30)
        if self._outcome.result.wasSuccessful():
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            for log in [self.output, *sorted(self.data.glob("*.log"))]:
                print(f"---- {log.name}\n{log.read_text(errors='replace')[-4000:]}")

    def start(self, *options):
        with open(self.output, "wb") as output:
            self.demo = subprocess.Popen([BIN / "muster", "demo", "--dir", self.data, "--machines", "2", "--no-prometheus", *options],
                                         stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def alive(self):
        self.assertIsNone(self.demo.poll(), self.output.read_text())

    def machines(self):
        self.alive()
        ready = self.data / "ready.json"
        if not ready.exists():
            return []
        address = json.loads(ready.read_text())["listen"]
        done = subprocess.run([BIN / "muster", "--insecure-loopback", "--coordinator", address, "machines", "--json"],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout).get("machines", [])

    def conditions(self):
        """(machine, code) of each condition of each device."""
        return {(m["machine"]["name"], c["code"]) for m in self.machines() for d in m.get("health", {}).get("devices", [])
                for c in d.get("conditions", [])}

    def metrics(self, machine):
        address = next(m["machine"]["metricsAddress"] for m in self.machines() if m["machine"]["name"] == machine)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as response:
            return response.read().decode()

    def test_a_fault_shows_everywhere_and_nothing_is_left(self):
        self.start("--once", "engine-hang")
        machine, code = wait_until("the fault shows", lambda: next((c for c in self.conditions() if c[1] == "intel.gpu-hang"), None))
        self.assertEqual(machine, "demo-intel-1")
        simulated = [d.get("simulated", False) for m in self.machines() for d in m["machine"]["devices"]]
        self.assertEqual(simulated, [True] * 4)
        text = self.metrics(machine)
        shown = [line for line in text.splitlines() if line.startswith("muster_gpu_health_condition{") and f'code="{code}"' in line]
        self.assertEqual(len(shown), 1, text[:4000])
        self.assertIn('simulated="true"', shown[0])
        wait_until("it is said", lambda: f" {code} after " in self.output.read_text())
        self.demo.send_signal(signal.SIGINT)
        self.assertEqual(self.demo.wait(60), 0, self.output.read_text())
        self.assertEqual(processes_of(self.data), [])
        self.assertIn("SIMULATED", self.output.read_text())

    def test_it_ends_by_itself_and_by_force(self):
        self.start("--for", "3", "--fault-interval", "0")
        self.assertEqual(self.demo.wait(120), 0)
        self.assertEqual(processes_of(self.data), [])
        shutil.rmtree(self.data)
        self.start()
        wait_until("it runs", lambda: "folder" in self.output.read_text())
        self.demo.kill()
        self.demo.wait(30)
        wait_until("nothing is left", lambda: not processes_of(self.data), 30)


if __name__ == "__main__":
    unittest.main()
