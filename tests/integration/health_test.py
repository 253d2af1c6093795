"""Health end to end, on simulated GPUs: what the kernel logs and what the samples show reaches the command line, and what a case's
GPU did while it ran stands with its result, whatever its program says."""

import pathlib
import shlex
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

from cluster import BIN, Cluster, Process, wait_until

# An idle GPU, a busy one that logs a page fault every other second, and one that soon has an uncorrectable error.
SCENARIO = """
machines {
  name: "m1"
  devices { model: H100 uuid: "GPU-00000000-0000-0000-0000-000000000001" load { constant: 0 } }
  devices { model: H100 uuid: "GPU-00000000-0000-0000-0000-000000000002" load { constant: 0.8 } %s }
  devices { model: H200 uuid: "GPU-00000000-0000-0000-0000-000000000003" load { constant: 0.8 } faults { at_s: 5 xid { number: 48 } } }
}
""" % " ".join("faults { at_s: %d xid { number: 31 } }" % at for at in range(2, 400, 2))

# Two GPUs, and nothing wrong.
HEALTHY = """
machines {
  name: "m1"
  devices { model: H100 uuid: "GPU-00000000-0000-0000-0000-000000000001" }
  devices { model: H100 uuid: "GPU-00000000-0000-0000-0000-000000000002" }
}
"""

MANIFEST = """
name: "probe"
version: "1"
program: "probe"
format: RESULT_FORMAT_OCPTV
device_scope: DEVICE_SCOPE_ONE
cases { name: "works" level: LEVEL_QUICK needs_gpu_work: true }
cases { name: "fails" level: LEVEL_QUICK needs_gpu_work: true }
cases { name: "alone" level: LEVEL_STRESS }
cases { name: "together" level: LEVEL_STRESS device_scope: DEVICE_SCOPE_ALL }
"""

# Does nothing on the GPU for some samples' time, and says that it worked.
PROGRAM = r"""#!/usr/bin/env python3
import json, os, time
n = -1
def say(**artifact):
    global n
    n += 1
    print(json.dumps({"sequenceNumber": n, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **artifact}), flush=True)
def step(i, **what):
    say(testStepArtifact={"testStepId": str(i), **what})
say(schemaVersion={"major": 2, "minor": 0})
say(testRunArtifact={"testRunStart": {"name": "probe", "version": "1", "commandLine": "probe", "parameters": {}, "dutInfo": {"dutInfoId": "d"}}})
for i, case in enumerate(os.environ["MUSTER_CASES"].split(",")):
    step(i, testStepStart={"name": case})
    if case in ("works", "fails"):
        time.sleep(5)  # The time that the samples must cover.
    step(i, measurement={"name": "work.iterations", "value": 100})
    if case == "fails":
        step(i, diagnosis={"verdict": "wrong-answer", "type": "FAIL", "message": "a wrong answer"})
    step(i, testStepEnd={"status": "COMPLETE"})
say(testRunArtifact={"testRunEnd": {"status": "COMPLETE", "result": "PASS"}})
"""


class Health(unittest.TestCase):
    def simulated_machine(self, cluster, scenario_text=SCENARIO):
        """Starts the simulation of m1 and its agent."""
        folder = cluster.folder
        suite = folder / "suites" / "probe"
        suite.mkdir(parents=True)
        (suite / "suite.textproto").write_text(MANIFEST)
        (suite / "probe").write_text(PROGRAM)
        (suite / "probe").chmod(0o755)
        scenario, root = folder / "scenario.textproto", folder / "root"
        scenario.write_text(scenario_text)
        start = ["--scenario", scenario, "--machine", "m1", "--start-unix-ms", str(int(time.time() * 1000))]
        simulator = Process([BIN / "muster-sim", "serve", *start, "--root", root], folder / "sim.log")
        self.addCleanup(simulator.stop)
        wait_until("the simulated machine is there", lambda: "ready" in simulator.log())
        said = subprocess.run([str(a) for a in (BIN / "muster-sim", "env", *start)], capture_output=True, text=True, check=True).stdout
        environment = [line.removeprefix("export ") for line in said.splitlines() if line.startswith("export ")]
        cluster.start_agent("m1", prefix=["env", *(shlex.split(line)[0] for line in environment)], suites=folder / "suites",
                            options=["--root", root])

    def devices(self, cluster):
        machine = cluster.machine("m1")
        return {d["deviceId"]: d for d in machine.get("health", {}).get("devices", [])}

    def test_what_gpus_do_stands_with_their_results(self):
        with Cluster() as cluster:
            self.simulated_machine(cluster)
            wait_until("the third GPU is FAILED", lambda: "HEALTH_STATE_FAILED" in {d["state"] for d in self.devices(cluster).values()})
            devices = {d["pciAddress"]: d["id"] for d in cluster.machine("m1")["machine"]["devices"]}
            idle, busy, broken = [devices[address] for address in sorted(devices)]
            health = self.devices(cluster)
            self.assertEqual([health[d]["state"] for d in (idle, busy, broken)],
                             ["HEALTH_STATE_HEALTHY", "HEALTH_STATE_HEALTHY", "HEALTH_STATE_FAILED"])
            codes = {c["code"] for c in health[broken]["conditions"]}
            self.assertLessEqual({"nvidia.xid.48"}, codes)

            with tempfile.TemporaryDirectory() as folder:
                junit = pathlib.Path(folder, "j.xml")
                cluster.muster("run", "--suite", "probe", "--junit", junit, check=1)
                texts = [e.text for e in xml.etree.ElementTree.parse(junit).getroot().iter("failure")]
            shown = cluster.show("last")
            results = {(job["spec"]["deviceIds"][0], r["caseName"]): r
                       for job in shown["jobs"] for a in job["attempts"] for r in a.get("results", [])}
            # The program says the same of both; their counters do not.
            self.assertEqual(results[idle, "works"]["verdict"], "VACUOUS")
            self.assertIn("counters", results[idle, "works"]["reason"])
            self.assertEqual(results[busy, "works"]["verdict"], "PASSED")
            self.assertEqual(results[busy, "works"]["gpuActivity"], "GPU_ACTIVITY_SEEN")
            self.assertNotIn("context", results[busy, "works"])
            self.assertEqual(results[broken, "works"]["verdict"], "MISSED")
            # What the busy one did while its case failed.
            failed = results[busy, "fails"]
            self.assertEqual(failed["verdict"], "FAILED")
            readings = {r["field"] for d in failed["context"]["devices"] for r in d["readings"]}
            self.assertLessEqual({"TEMPERATURE", "POWER", "CLOCK", "UTILIZATION"}, readings)
            self.assertEqual({e["code"] for e in failed["context"]["events"]}, {"nvidia.xid.31"})
            self.assertTrue(any("meanwhile: events: nvidia.xid.31" in text for text in texts), texts)
            self.assertIn("nvidia.xid.31", cluster.muster("show", "last").stdout)

    def test_a_case_over_all_devices_is_a_job_of_its_own(self):
        with Cluster() as cluster:
            self.simulated_machine(cluster, HEALTHY)
            cluster.muster("run", "--suite", "probe", "--case", "alone", "--case", "together")
            jobs = cluster.show("last")["jobs"]
            devices = sorted(d["id"] for d in cluster.machine("m1")["machine"]["devices"])
            self.assertEqual(sorted((job["spec"]["cases"], sorted(job["spec"]["deviceIds"])) for job in jobs),
                             [(["alone"], devices[:1]), (["alone"], devices[1:]), (["together"], devices)])
            self.assertEqual({r["verdict"] for job in jobs for a in job["attempts"] for r in a["results"]}, {"PASSED"})

    def test_health_survives_a_restart_of_the_agent(self):
        with Cluster() as cluster:
            self.simulated_machine(cluster)
            failed = lambda: [d for d in self.devices(cluster).values() if d["state"] == "HEALTH_STATE_FAILED"]
            before = wait_until("the third GPU is FAILED", failed)[0]
            agent = cluster.agents["m1"]
            agent.kill9()
            wait_until("the coordinator knows nothing", lambda: not failed())
            cluster.agents["m1"] = Process(agent.popen.args, cluster.folder / "agent-m1.log")
            after = wait_until("it is FAILED again, from the kernel's log", failed)[0]
            self.assertEqual(after["deviceId"], before["deviceId"])
            since = [{c["code"]: int(c["sinceUnixMs"]) for c in d["conditions"]} for d in (before, after)]
            # The kernel's log says when it began, not the agent's start.
            self.assertLess(abs(since[0]["nvidia.xid.48"] - since[1]["nvidia.xid.48"]), 2000)


if __name__ == "__main__":
    unittest.main()
