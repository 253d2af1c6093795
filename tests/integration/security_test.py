"""Strangers, liars and tampered requests: each is refused, with words that say why."""

import pathlib
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until


class Security(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().__enter__()
        cls.cluster.start_agent("m1")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def refused(self, done, status, *words):
        """`done` ended with `status` and its error has each of the words."""
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        text = (done.stdout + done.stderr).lower()
        for word in words:
            self.assertIn(word.lower(), text)

    def rogue(self, identity, *action):
        return subprocess.run([BIN / "muster-rogue", "--coordinator", self.cluster.address, "--authority", self.cluster.data,
                               "--as", identity, *map(str, action)], capture_output=True, text=True, timeout=60)

    def agent(self, name, token, state):
        """An agent that is expected to give up at enrolment."""
        argv = [BIN / "muster-agent", "--coordinator", self.cluster.address, "--state-dir", state, "--suites-dir", state,
                "--name", name, "--token", token]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)

    def enrol_refused(self, name, token, *words):
        with tempfile.TemporaryDirectory() as state:
            self.refused(self.agent(name, token, state), 3, *words)
            self.assertFalse(list(pathlib.Path(state).rglob("cert.pem")), "nothing is kept of a refused enrolment")

    def test_stranger_without_a_certificate(self):
        self.refused(self.rogue("none/stranger", "start-run"), 0, "16:", "certificate")
        self.refused(self.rogue("none/stranger", "claim", "m1"), 0, "16:", "certificate")
        with tempfile.TemporaryDirectory() as folder:
            self.refused(self.cluster.muster("machines", identity=folder), 3, "muster enroll")

    def test_certificate_of_another_authority(self):
        with Cluster() as other, tempfile.TemporaryDirectory() as folder:
            for name in ("cert.pem", "key.pem"):
                (pathlib.Path(folder) / name).write_bytes((other.data / "admin" / name).read_bytes())
            # Trusts our coordinator, is trusted by another.
            (pathlib.Path(folder) / "ca.pem").write_bytes((self.cluster.data / "ca.pem").read_bytes())
            self.refused(self.cluster.muster("machines", identity=folder), 3, "certificate")
            # Does not trust our coordinator.
            self.refused(self.cluster.muster("machines", identity=other.data / "admin"), 3, "certificate")

    def test_token_is_good_once(self):
        token = self.cluster.token("--role", "agent", "--name", "once")
        self.cluster.start_agent("once", token=token)
        self.enrol_refused("once", token, "token", "used")

    def test_expired_token(self):
        token = self.cluster.token("--role", "agent", "--name", "late", "--lifetime", "1ms")
        self.enrol_refused("late", token, "token", "expired")

    def test_token_of_another_name(self):
        self.enrol_refused("mallory", self.cluster.token("--role", "agent", "--name", "alice"), "token", "alice")

    def test_made_up_token(self):
        token = self.cluster.token("--role", "agent", "--name", "x").split(".")
        token[2] = "0" * len(token[2])
        self.enrol_refused("x", ".".join(token), "token")

    def test_token_with_another_authoritys_fingerprint(self):
        token = self.cluster.token("--role", "agent", "--name", "x").split(".")
        token[3] = "0" * len(token[3])
        self.enrol_refused("x", ".".join(token), "fingerprint")

    def test_agent_that_claims_anothers_name(self):
        done = self.rogue("agent/mallory", "claim", "m1")
        self.refused(done, 0, "NAME_MISMATCH", "mallory", "m1")
        self.assertTrue(self.cluster.machine("m1")["connected"], "the honest session goes on")

    def test_oversized_message(self):
        self.refused(self.rogue("agent/mallory", "oversize"), 0, "larger than max")
        self.assertTrue(self.cluster.machine("m1")["connected"])

    def test_other_protocol_version(self):
        self.refused(self.rogue("agent/mallory", "version", 99), 0, "PROTOCOL_VERSION", "99")

    def test_events_for_another_machines_job(self):
        run_id = self.cluster.start_run("--suite", "selftest", "--case", "steady", "--set", "count=40", "--set", "interval_ms=50",
                                        "--on", "name=m1")
        job = wait_until("the job runs", lambda: next(
            (j for j in self.cluster.show(run_id)["jobs"] if j["state"] == "JOB_STATE_RUNNING"), None))
        epoch = job["attempts"][0]["ref"]["epoch"]
        done = self.rogue("agent/mallory", "foreign-event", "--job", job["id"], "--epoch", epoch)
        self.assertNotIn("acked", done.stdout)
        shown = self.cluster.finished(run_id)
        self.assertEqual(shown["run"]["verdicts"], [{"verdict": "PASSED", "count": 1}])

    def test_agent_may_not_start_runs(self):
        self.refused(self.rogue("agent/m1", "start-run"), 0, "7:", "operator")

    def test_viewer_may_not_start_runs(self):
        self.refused(self.rogue("viewer/eve", "start-run"), 0, "7:", "operator")

    def test_operator_may_not_make_tokens(self):
        with tempfile.TemporaryDirectory() as home:
            token = self.cluster.token("--role", "operator", "--name", "olga")
            folder = pathlib.Path(home) / ".config" / "muster" / "olga"
            self.cluster.muster("enroll", "--token", token, "--name", "olga", home=home, check=0)
            self.cluster.muster("machines", identity=folder, check=0)
            self.refused(self.cluster.muster("token", "create", "--role", "agent", "--name", "x", identity=folder), 3, "admin")

    def test_suite_that_no_manifest_has(self):
        self.refused(self.cluster.muster("run", "--suite", "rm-rf"), 2, "rm-rf")

    def test_parameter_that_the_manifest_does_not_have(self):
        self.refused(self.cluster.muster("run", "--suite", "selftest", "--set", "shell=sh"), 2, "shell", "interval_ms")

    def test_parameter_out_of_its_bounds(self):
        self.refused(self.cluster.muster("run", "--suite", "selftest", "--set", "interval_ms=-1"), 2, "interval_ms")

    def test_case_that_the_manifest_does_not_have(self):
        self.refused(self.cluster.muster("run", "--suite", "selftest", "--case", "nothing-like-it"), 2, "nothing-like-it")

    def test_keys_are_for_their_owner_alone(self):
        for key in self.cluster.folder.rglob("*key*"):
            if key.is_file():
                self.assertEqual(key.stat().st_mode & 0o077, 0, key)


if __name__ == "__main__":
    unittest.main(verbosity=2)
