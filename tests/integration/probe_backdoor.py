"""tutela probe backdoor where it cannot tell: each attack says in plain words what it lacks, and nothing passes."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
EXAMPLE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd())) / "examples/credit-scoring"
ATTACKS = ["margin", "stamps", "trigger", "weights"]


class Backdoor(unittest.TestCase):
    def probe(self, target, *args):
        r = subprocess.run([TUTELA, "probe", "backdoor", "--target", str(target), "--no-record", "--others",
                            str(EXAMPLE / "data/applications-test.csv"), "--label", "defaulted", "--format", "json", *args],
                           capture_output=True, text=True, timeout=120)
        self.assertEqual(r.returncode, 3, r.stderr)
        got = json.loads(r.stdout)
        self.assertEqual({a["verdict"] for a in got["attacks"]}, {"unmeasured"})
        return {a["name"]: a for a in got["attacks"]}, got

    def test_two_classes_cannot_be_compared(self):
        attacks, got = self.probe(EXAMPLE / "models/classifier.onnx")
        self.assertEqual(list(attacks), ATTACKS)
        for a in attacks.values():
            self.assertIn("classes are compared with each other: it needs 4", a["reason"])
        self.assertEqual(got["target"]["queries"], 0)
        self.assertEqual([m for m in attacks["weights"]["measures"] if m["name"] == "scan_findings"],
                         [{"interval": None, "name": "scan_findings", "value": 0}])

    def test_recorded_answers_have_no_weights(self):
        with tempfile.TemporaryDirectory() as work:
            table = pathlib.Path(work) / "answers.csv"
            table.write_text("0.5,0.5\n" * 150)
            attacks, _ = self.probe(table)
        for name in ("margin", "trigger", "weights"):
            self.assertEqual(attacks[name]["reason"], "needs the model itself (an ONNX file)")
        self.assertEqual(attacks["stamps"]["reason"], "needs a model that can be asked, not recorded answers")


unittest.main()
