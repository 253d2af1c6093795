"""Quarantine with real processes: what is in it gets no jobs, over restarts, until it is released."""

import json
import unittest

from cluster import Cluster, wait_until

PASS = ["--suite", "selftest", "--case", "pass"]


class Quarantine(unittest.TestCase):
    def verdicts(self, shown):
        return {c["caseName"]: c["verdict"] for job in shown["jobs"] for c in job["attempts"][-1]["results"]}

    def run_pass(self, cluster, *arguments):
        return cluster.finished(cluster.start_run(*PASS, *arguments))

    def test_over_restarts(self):
        with Cluster() as cluster:
            cluster.start_agent("m1")
            cluster.muster("quarantine", "m1", "--reason", "moves to another rack", check=0)
            cluster.coordinator.kill9()
            cluster.start_coordinator()
            wait_until("m1 is connected again", lambda: cluster.machine("m1").get("connected"))
            self.assertEqual(cluster.machine("m1")["quarantines"][0]["reason"], "moves to another rack")
            self.assertEqual(cluster.machine("m1")["quarantines"][0]["author"], "admin")
            self.assertIn("QUARANTINED", cluster.muster("machines", check=0).stdout)

            shown = self.run_pass(cluster)
            self.assertEqual(self.verdicts(shown), {"pass": "SKIPPED"})
            attempt = shown["jobs"][0]["attempts"][-1]
            self.assertEqual(attempt["fate"], "FATE_QUARANTINED")
            self.assertIn("moves to another rack", attempt["results"][0]["reason"])
            self.assertEqual(shown["run"]["colour"], "GREEN")
            junit = cluster.muster("report", "last", "--format", "junit", check=0).stdout
            self.assertIn("moves to another rack", junit)

            self.assertEqual(self.verdicts(self.run_pass(cluster, "--on-quarantined")), {"pass": "PASSED"})

            cluster.muster("release", "m1", check=0)
            cluster.coordinator.kill9()
            cluster.start_coordinator()
            wait_until("m1 is connected again", lambda: cluster.machine("m1").get("connected"))
            self.assertEqual(self.verdicts(self.run_pass(cluster)), {"pass": "PASSED"})

    def test_who_may(self):
        with Cluster() as cluster:
            cluster.start_agent("m1")
            home = cluster.folder / "home"
            home.mkdir()
            cluster.muster("enroll", "--token", cluster.token("--role", "viewer", "--name", "vic"), "--name", "vic",
                           home=home, check=0)
            refused = cluster.muster("quarantine", "m1", "--reason", "x", home=home, check=3)
            self.assertIn("operator", refused.stderr)
            self.assertEqual(json.loads(cluster.muster("machine", "m1", "--json", check=0).stdout)["machine"].get(
                "quarantines", []), [])
            unknown = cluster.muster("quarantine", "m2", "--reason", "x", check=2)
            self.assertIn("there is: m1", unknown.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
