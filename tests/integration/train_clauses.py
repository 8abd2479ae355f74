"""Training moves 5.1.1-1, 5.1.1-1.1 and 5.1.1-2.2 to met, and they fall back when it is old, gone or about something else."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from train_world import FAKETIME, World, day  # noqa: E402

THREATS = {"poisoning": "AML.T0020", "inversion": "AML.T0024.001", "membership": "AML.T0024.000", "indirect": "AML.T0051.001",
           "obfuscation": "AML.T0018.002", "adversarial": "AML.T0015"}
ROLES = ("role-developer-x", "role-operator-x", "role-custodian-x", "role-end-user-x", "role-affected-entity-x")
CURRICULUM = """# Curriculum

Accepted until: %s

## Scope
Everybody who is enrolled.

## Topics
The six threats and the five roles.

## Refresh
Each year, and when the catalogue of threats changes.

## Responsible
Ada.
"""


@unittest.skipUnless(FAKETIME, "faketime is not installed")
class Clauses(World):
    TRAINING = ("  modules: own\n  secure_coding: coding\n  curriculum: curriculum.md\n  assign:\n    everyone: []\n"
                "    developer: [coding, 'x-*', role-developer-x, role-operator-x, role-custodian-x, role-end-user-x,\n      role-affected-entity-x]\n    operator: [running]\n    custodian: []\n    approver: []\n    trainer: []\n"
                "    tester: []\n    auditor: []\n    root: []\n  authors: {ada@example.org: Ada}\n")

    def setUp(self):
        super().setUp()
        for name, atlas in THREATS.items():
            self.put("x-" + name, about="threat", atlas=atlas)
        for name in ROLES:
            self.put(name, about="role")
        (self.root / "curriculum.md").write_text(CURRICULUM % day(300))
        self.enrol("Ada", "developer", root=True)
        self.enrol("Bob", "operator")
        self.tutela("assess", ".", ago="-3d")

    def assess(self):
        self.assertIn(self.tutela("assess", ".").returncode, (0, 1, 3))

    def examine(self):
        self.tutela("train", "review", "--by", "Ada", code=3)
        self.tutela("train", "review", "--by", "Bob", code=0)
        self.assess()

    def test_a_curriculum_that_two_people_examined(self):
        self.assess()
        self.assertEqual(self.uses("5.1.1-1", "train.refresh"), {"not_enough"})
        doc = self.json("train", "review", code=3)
        self.assertEqual(doc["items"][0]["state"], "not_checked")
        self.assertEqual(set(doc["items"][0]["curriculum"]["threats"]["data poisoning"]), {"x-poisoning"})
        self.examine()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "met")
        # old
        self.assertEqual(self.control("5.1.1-1", "+100d")["verdict"], "partly", "what was looked at is older than 90 days")
        self.assertEqual(self.control("5.1.1-1", "+320d")["verdict"], "not_checked", "the document was accepted for 300 days")
        # about another curriculum
        self.put("x-poisoning", version=2, about="threat", atlas="AML.T0020", text="More.")
        self.assess()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "partly", "nobody has examined this version")
        self.examine()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "met")
        # a new catalogue of threats
        self.describe(self.TRAINING + "  threat_catalogue: 5.7.0\n")
        self.assess()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "not_met")
        self.assertIn("reviewed against ATLAS 5.6.0", str(self.control("5.1.1-1")))
        self.assertIn("5.7.0", self.tutela("train", "review", code=1).stdout)

    def test_bodies_that_are_gone(self):
        self.examine()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "met")
        bodies = [p for p in (self.root / ".tutela" / "bodies").iterdir() if "tutela.curriculum/1" in p.read_text("utf-8", "replace")]
        self.assertTrue(bodies)
        for body in bodies:
            body.unlink()
        self.assertNotEqual(self.control("5.1.1-1")["verdict"], "met")

    def test_what_lacks_in_a_curriculum_is_named(self):
        (self.root / "own" / "x-inversion.md").unlink()
        self.put("role-end-user-x", about="role", reviewed="2025-01-01")
        (self.root / "curriculum.md").write_text(CURRICULUM.replace("## Refresh", "## Else") % day(300))
        out = " ".join(self.tutela("train", "review", "--by", "Ada", code=1).stdout.split())
        for what in ("teaches model inversion (AML.T0024.001)", "role-end-user-x was due for review on 1 Jan 2026", "\"Refresh\"",
                     "Something lacks, so it does not count"):
            self.assertIn(what, out)
        self.tutela("train", "review", "--by", "Bob", code=1)
        self.assess()
        self.assertEqual(self.control("5.1.1-1")["verdict"], "not_met")

    def test_an_auditor_examines_no_curriculum(self):
        self.enrol("Otto", "auditor")
        self.assertIn("signed by developers", self.tutela("train", "review", "--by", "Otto", code=2).stderr)

    def train(self):
        for ident in ["coding", *("x-" + t for t in THREATS), *ROLES]:
            self.completed(ident, "Ada")
        self.completed("running", "Bob")

    def test_everybody_is_trained(self):
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "not_checked", "there is time yet")
        self.train()
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "met")
        self.assertEqual(self.control("5.1.1-1.1", "+100d")["verdict"], "not_checked", "nobody has looked for 100 days")
        # somebody new, whose time runs out
        self.enrol("Carl", "operator", ago="-1d")
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "not_checked")
        self.tutela("assess", ".", ago="+31d")
        self.assertEqual(self.control("5.1.1-1.1", "+32d")["verdict"], "not_met")
        self.assertIn("Carl: running (never taken)", str(self.control("5.1.1-1.1", "+32d")))

    def test_completions_end_and_are_lost(self):
        self.train()
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "met")
        # another content under another version: what was completed is of another digest
        self.put("running", roles="[operator]", version=2, text="New.")
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "not_checked")
        self.tutela("assess", ".", ago="+31d")
        self.assertEqual(self.control("5.1.1-1.1", "+31d")["verdict"], "not_met")
        self.assertIn("of an older version", str(self.control("5.1.1-1.1", "+31d")))

    def test_an_exam_that_is_gone_is_no_completion(self):
        self.train()
        self.assess()
        for body in (self.root / ".tutela" / "bodies").iterdir():
            if '"tutela.exam/1"' in body.read_text("utf-8", "replace"):
                body.unlink()
        self.assess()
        self.assertNotEqual(self.control("5.1.1-1.1")["verdict"], "met")

    def test_somebody_without_a_module(self):
        self.train()
        self.enrol("Theo", "tester")
        self.assess()
        self.assertEqual(self.control("5.1.1-1.1")["verdict"], "not_met")
        self.assertIn("No module of training is assigned to Theo", str(self.control("5.1.1-1.1")))

    def git(self, *args, when=None):
        env = {"PATH": os.environ["PATH"], "HOME": self.tmp.name, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A",
               "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_EMAIL": "ada@example.org"}
        subprocess.run(["git", *args], cwd=self.root, env=env, check=True, capture_output=True)

    def test_developers_and_their_commits(self):
        self.git("init", "-q")
        self.git("commit", "-q", "--allow-empty", "-m", "1")
        self.git("tag", "start")
        self.assess()
        self.assertEqual(self.control("5.1.1-2.2")["verdict"], "not_checked")
        self.completed("coding", "Ada")
        self.git("commit", "-q", "--allow-empty", "-m", "2")
        self.tutela("train", "check-author", "--since", "start", code=0)
        self.assertEqual(self.control("5.1.1-2.2")["verdict"], "partly", "nobody has looked at the developers since")
        self.assess()
        self.assertEqual(self.control("5.1.1-2.2")["verdict"], "met")
        self.assertEqual(self.control("5.1.1-2.2", "+40d")["verdict"], "partly", "the commits of the last month were not looked at")
        self.assertEqual(self.control("5.1.1-2.2", "+370d")["verdict"], "not_checked")
        self.tutela("assess", ".", ago="+370d")
        self.assertEqual(self.control("5.1.1-2.2", "+370d")["verdict"], "not_met")

    def test_a_commit_by_a_stranger(self):
        self.completed("coding", "Ada")
        self.assess()
        self.git("init", "-q")
        self.git("commit", "-q", "--allow-empty", "-m", "1")
        self.git("tag", "start")
        self.git("commit", "-q", "--allow-empty", "-m", "2", "--author", "Mallory <m@example.org>")
        self.tutela("train", "check-author", "--since", "start", code=1)
        self.assertEqual(self.control("5.1.1-2.2")["verdict"], "not_met")

    def test_without_a_section_nothing_is_looked_at(self):
        self.describe("  null\n".replace("  null", "  # nothing"), more="")
        self.assess()
        self.assertNotIn("counts", self.uses("5.1.1-1.1", "train.coverage"))


if __name__ == "__main__":
    unittest.main()
