"""Every verdict, end to end: a suite that misbehaves on purpose, an agent, a coordinator, the command line's exit status."""

import json
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree

from cluster import Cluster

# Case of the suite `selftest` to the verdict that the whole chain must give.
VERDICTS = {
    "pass": "PASSED",
    "fail": "FAILED",
    "skip": "SKIPPED",
    "error": "ERROR",
    "hang": "TIMED_OUT",
    "crash": "CRASHED",
    "abort": "CRASHED",
    "lies": "FAILED",
    "vacuous": "VACUOUS",
    "missed": "MISSED",
}


class Verdicts(unittest.TestCase):
    def test_each_verdict_and_the_exit_status_that_follows(self):
        with Cluster() as cluster:
            cluster.start_agent("m1")
            for case, verdict in VERDICTS.items():
                with self.subTest(case=case):
                    green = verdict in ("PASSED", "SKIPPED")
                    with tempfile.TemporaryDirectory() as folder:
                        junit, ocptv = pathlib.Path(folder, "j.xml"), pathlib.Path(folder, "o.jsonl")
                        cluster.muster("run", "--suite", "selftest", "--case", case, "--junit", junit, "--ocptv", ocptv,
                                       check=0 if green else 1)
                        self.check_reports(case, verdict, junit, ocptv)
                    shown = cluster.show("last")
                    results = [r for job in shown["jobs"] for a in job["attempts"] for r in a.get("results", [])]
                    self.assertEqual([(r["caseName"], r["verdict"]) for r in results], [(case, verdict)])
                    self.assertEqual(shown["run"]["colour"], "GREEN" if green else "RED")
                    if verdict != "PASSED":
                        self.assertTrue(results[0].get("reason"), "a verdict that is not PASSED says why")

    def check_reports(self, case, verdict, junit, ocptv):
        suites = xml.etree.ElementTree.parse(junit).getroot()
        cases = [c for c in suites.iter("testcase") if c.get("name") == case]
        self.assertEqual(len(cases), 1)
        kinds = {child.tag for child in cases[0]} & {"failure", "error", "skipped"}
        if verdict == "PASSED":
            self.assertEqual(kinds, set())
        elif verdict == "SKIPPED":
            self.assertEqual(kinds, {"skipped"})
        else:
            self.assertEqual(len(kinds & {"failure", "error"}), 1)
        lines = [json.loads(line) for line in ocptv.read_text().splitlines()]
        self.assertEqual([line["sequenceNumber"] for line in lines], list(range(lines[0]["sequenceNumber"], lines[0]["sequenceNumber"] + len(lines))))
        ends = [line["testRunArtifact"]["testRunEnd"] for line in lines if "testRunEnd" in line.get("testRunArtifact", {})]
        self.assertEqual(len(ends), 1)
        self.assertEqual(ends[0]["result"] == "PASS", verdict == "PASSED")


if __name__ == "__main__":
    unittest.main(verbosity=2)
