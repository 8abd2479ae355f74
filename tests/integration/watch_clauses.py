"""What watching found moves 5.4.2-2, 5.4.2-3 and 5.4.2-4, and falls back when it is old or about another description."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
YAML = """schema: tutela.system/1
system:
  name: watched
  version: "%s"
  purpose: tests
"""
ROWS = {"analysis": "5.4.2-2", "internal": "5.4.2-3", "performance": "5.4.2-4"}


class Clauses(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.tmp.name) / "system"
        self.root.mkdir()
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CONFIG_HOME": self.tmp.name + "/config",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}  # faketime comes first
        (self.root / "tutela.yaml").write_text(YAML % "1")
        self.assess()

    def tearDown(self):
        self.tmp.cleanup()

    def run_tutela(self, *args, text=None, before=()):
        return subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120,
                              input=text)

    def assess(self):
        self.assertIn(self.run_tutela("assess", ".").returncode, (0, 1, 3))

    def verdicts(self, before=()):
        doc = json.loads(self.run_tutela("report", "--format", "json", before=before).stdout)
        return {c["id"]: c["verdict"] for c in doc["controls"] if c["id"] in ROWS.values()}

    def events(self, shift=0.0, count=3000):
        r = random.Random(7)
        return "".join(json.dumps({"stream": "score", "at": "2026-11-01T%02d:%02d:%02dZ" % (i // 3600, i // 60 % 60, i % 60),
                                   "value": r.gauss(shift if i > 2500 else 0, 1)}) + "\n" for i in range(count))

    def test_each_row_moves_by_its_own_kind_of_watching(self):
        self.assertEqual(set(self.verdicts().values()), {"not_checked"})
        moved = set()
        for kind, clause in ROWS.items():
            run = self.run_tutela("watch", "stream", "--record", "--as", kind, text=self.events())
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            moved.add(clause)
            self.assertEqual({c for c, v in self.verdicts().items() if v == "met"}, moved)
        faketime = shutil.which("faketime")
        if not faketime:
            print("faketime is not installed: ageing is left out")
        else:
            self.assertEqual(set(self.verdicts(before=[faketime, "-f", "+20d"]).values()), {"met"})
            self.assertEqual(set(self.verdicts(before=[faketime, "-f", "+40d"]).values()), {"not_checked"})
        (self.root / "tutela.yaml").write_text(YAML % "2")
        self.assess()
        self.assertNotIn("met", self.verdicts().values(), "the evidence is about another description")

    def test_alarms_are_in_the_log_and_watching_still_counts(self):
        run = self.run_tutela("watch", "stream", "--record", text=self.events(shift=3))
        self.assertEqual(run.returncode, 1, run.stdout)
        log = self.run_tutela("ledger", "search", "--text", "score")
        self.assertIn("watch.alarm", log.stdout)

    def test_a_comparison_of_datasets_counts_as_analysis(self):
        r = random.Random(3)
        for name in ("a.csv", "b.csv"):
            (self.root / name).write_text("x,y\n" + "".join("%f,%f\n" % (r.gauss(0, 1), r.gauss(5, 2)) for _ in range(500)))
        run = self.run_tutela("watch", "compare", "--reference", "a.csv", "--current", "b.csv", "--record")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(self.verdicts()["5.4.2-2"], "met")

    def test_nothing_watched_proves_nothing(self):
        self.run_tutela("watch", "stream", "--record", text="")
        self.assertEqual(set(self.verdicts().values()), {"not_checked"})


if __name__ == "__main__":
    unittest.main()
