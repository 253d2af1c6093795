"""Real processes, real faults: what the agent had on disk arrives once, and each number is where it belongs."""

import os
import subprocess
import unittest
import uuid

from cluster import Cluster, values, wait_until

COUNT = 60
INTERVAL_MS = 50
# One case that reports the measurement `step` with the values 0, 1, 2, … COUNT-1, one each INTERVAL_MS.
STEADY = ["--suite", "selftest", "--case", "steady", "--set", f"count={COUNT}", "--set", f"interval_ms={INTERVAL_MS}"]
ALL = [float(i) for i in range(COUNT)]


class Faults(unittest.TestCase):
    def in_the_middle(self, cluster, run_id):
        """Waits until some of the steps are stored and most are not."""

        def look():
            shown = cluster.show(run_id)
            return shown["jobs"] and len(values(shown, shown["jobs"][0]["id"], 1, "step")) >= 5

        wait_until("the first steps are stored", look)

    def only_job(self, shown):
        self.assertEqual(len(shown["jobs"]), 1)
        return shown["jobs"][0]

    def test_nothing_happens(self):
        with Cluster() as cluster:
            cluster.start_agent("m1")
            shown = cluster.finished(cluster.start_run(*STEADY))
            job = self.only_job(shown)
            self.assertEqual(shown["run"]["colour"], "GREEN")
            self.assertEqual(values(shown, job["id"], 1, "step"), ALL)

    def test_coordinator_is_killed(self):
        with Cluster() as cluster:
            cluster.start_agent("m1")
            run_id = cluster.start_run(*STEADY)
            self.in_the_middle(cluster, run_id)
            cluster.coordinator.kill9()
            cluster.start_coordinator()
            shown = cluster.finished(run_id)
            job = self.only_job(shown)
            self.assertEqual(len(job["attempts"]), 1, "the job goes on while the coordinator is away")
            self.assertEqual(values(shown, job["id"], 1, "step"), ALL)
            self.assertEqual(shown["run"]["colour"], "GREEN")

    def test_agent_is_killed(self):
        with Cluster() as cluster:
            agent = cluster.start_agent("m1")
            run_id = cluster.start_run(*STEADY)
            self.in_the_middle(cluster, run_id)
            agent.kill9()
            cluster.start_agent("m1")
            shown = cluster.finished(run_id)
            job = self.only_job(shown)
            first, second = job["attempts"]
            self.assertEqual(first["fate"], "FATE_AGENT_RESTARTED")
            self.assertTrue(first["superseded"])
            kept = values(cluster.show(run_id, all_attempts=True), job["id"], 1, "step")
            self.assertGreaterEqual(len(kept), 5)
            self.assertEqual(kept, ALL[: len(kept)], "what was stored of the first attempt stays as it was")
            self.assertEqual(second["fate"], "FATE_COMPLETED")
            self.assertEqual(values(shown, job["id"], 2, "step"), ALL)
            self.assertEqual(shown["run"]["verdicts"], [{"verdict": "PASSED", "count": 1}])

    def test_agent_and_coordinator_are_killed_together(self):
        with Cluster() as cluster:
            agent = cluster.start_agent("m1")
            run_id = cluster.start_run(*STEADY)
            self.in_the_middle(cluster, run_id)
            cluster.coordinator.kill9()
            agent.kill9()
            cluster.start_coordinator()
            cluster.start_agent("m1")
            shown = cluster.finished(run_id)
            job = self.only_job(shown)
            self.assertEqual(values(shown, job["id"], 2, "step"), ALL)
            self.assertEqual(shown["run"]["verdicts"], [{"verdict": "PASSED", "count": 1}])


class Network:
    """A network namespace for one machine, with a wire to this one that can be cut."""

    def __init__(self):
        tag = uuid.uuid4().hex[:8]
        self.namespace, self.wire, self.far = f"muster-{tag}", f"mu{tag}", f"mv{tag}"
        octet = int(tag[:2], 16)
        self.here, self.there = f"10.213.{octet}.1", f"10.213.{octet}.2"

    def ip(self, *arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def __enter__(self):
        self.ip("netns", "add", self.namespace)
        self.ip("link", "add", self.wire, "type", "veth", "peer", "name", self.far, "netns", self.namespace)
        self.ip("addr", "add", f"{self.here}/30", "dev", self.wire)
        self.ip("link", "set", self.wire, "up")
        self.ip("-n", self.namespace, "addr", "add", f"{self.there}/30", "dev", self.far)
        self.ip("-n", self.namespace, "link", "set", self.far, "up")
        self.ip("-n", self.namespace, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.namespace], capture_output=True)
        subprocess.run(["ip", "link", "del", self.wire], capture_output=True)

    def cut(self):
        self.ip("link", "set", self.wire, "down")

    def mend(self):
        self.ip("link", "set", self.wire, "up")


def namespaces_missing():
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with Network():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"this machine makes no network namespaces: {getattr(error, 'stderr', b'') or error}"


class CutLink(unittest.TestCase):
    def setUp(self):
        if why := namespaces_missing():
            self.skipTest(why)

    def run_with_cut(self, coordinator_options, until):
        """A run whose agent's link is cut in the middle and mended when `until(cluster, run_id)` holds."""
        with Network() as network, Cluster(network.here, coordinator_options) as cluster:
            cluster.start_agent("m1", prefix=["ip", "netns", "exec", network.namespace])
            run_id = cluster.start_run(*STEADY)
            Faults.in_the_middle(self, cluster, run_id)
            network.cut()
            wait_until("the link has been down long enough", lambda: until(cluster, run_id), 60)
            network.mend()
            return cluster.finished(run_id, 120)

    def test_job_goes_on_while_the_link_is_cut(self):
        looks = iter(range(10**6))
        shown = self.run_with_cut(["--keepalive-ms", "1000"], lambda cluster, run_id: next(looks) > 40)
        job = shown["jobs"][0]
        self.assertEqual(len(job["attempts"]), 1)
        self.assertEqual(values(shown, job["id"], 1, "step"), ALL)

    def test_job_that_outlives_its_lease(self):
        def lease_lost(cluster, run_id):
            return len(cluster.show(run_id)["jobs"][0]["attempts"]) >= 1 and cluster.show(run_id)["jobs"][0]["attempts"][0].get(
                "fate") == "FATE_LEASE_LOST"

        shown = self.run_with_cut(["--keepalive-ms", "1000", "--lease-duration-ms", "2000", "--heartbeat-interval-ms", "500"],
                                  lease_lost)
        # The job went on, and no newer attempt had begun when the link was mended: the late result is the result, once.
        job = shown["jobs"][0]
        self.assertEqual([a["ref"].get("attempt") for a in job["attempts"]], [1])
        self.assertEqual(values(shown, job["id"], 1, "step"), ALL)
        self.assertEqual(shown["run"]["verdicts"], [{"verdict": "PASSED", "count": 1}])


if __name__ == "__main__":
    unittest.main(verbosity=2)
