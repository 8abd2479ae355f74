"""What was probed moves 5.1.2-2, 5.2.5-2, 5.2.5-2.1, 5.2.5-4 and 5.2.5-4.1, and falls back when it is old or about something else.

(5.2.3-3 and 5.2.5-1: probe.py; 5.2.5-3: pack_receipt.py.) The services are those of the examples; the bounds here are wide,
so that what is tested is how evidence counts, not how good a small model is."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE, BUILD = pathlib.Path(os.environ["TUTELA_SOURCE"]), pathlib.Path(os.environ["TUTELA_BUILD"])
SCORING = BUILD / "examples" / "scoring" / "tutela-example-scoring"
ASSISTANT = BUILD / "examples" / "assistant" / "tutela-example-assistant"
FAKETIME = shutil.which("faketime")
WIDE = "".join("    - {probe: %s, metric: %s, %s}\n" % b for b in (
    ("evasion", "robust_accuracy", "at_least: 0"), ("inversion", "lift", "at_most: 1"), ("extraction", "fidelity", "at_most: 1"),
    ("membership", "tpr_at_1", "at_most: 1"), ("load", "served", "at_least: 0"), ("injection", "success", "at_most: 1")))
MODEL = """assets:
  - id: model/m
    path: classifier.onnx
    digest: sha256:%s
    origin: first-party
"""
TARGETS = """probe:
  bounds:
%s  targets:
    - {id: file, asset: model/m, at: classifier.onnx, members: train.csv, others: test.csv, label: defaulted}
    - {id: service, at: "%s", others: test.csv, label: defaulted, probes: [load, odd-input]}
"""


class System(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.root = pathlib.Path(self.tmp.name) / "system"
        self.root.mkdir()
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CACHE_HOME": self.tmp.name + "/cache",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}  # faketime comes first

    def serve(self, *command):
        service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.wait, 20)
        self.addCleanup(service.terminate)
        return service.stdout.readline().strip()

    def tutela(self, *args, ago=None):
        before = [FAKETIME, "-f", ago] if ago else []
        return subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=280)

    def probe(self, kind, target, *options):
        run = self.tutela("probe", kind, "--target", target, *options)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        self.assertIn("Recorded as entry", run.stdout, run.stdout + run.stderr)

    def control(self, clause, ago=None):
        doc = json.loads(self.tutela("report", "--format", "json", ago=ago).stdout)
        return next(c for c in doc["controls"] if c["id"] == clause)

    def uses(self, clause, check, ago=None):
        return {e["use"] for e in self.control(clause, ago)["evidence"] if e["check"].startswith(check + "/")}


class Rows(System):
    def setUp(self):
        super().setUp()
        example = SOURCE / "examples" / "credit-scoring"
        shutil.copy(example / "models" / "classifier.onnx", self.root)
        for split in ("train", "test"):
            shutil.copy(example / "data" / ("applications-%s.csv" % split), self.root / (split + ".csv"))
        self.url = self.serve(SCORING, "--listen", "127.0.0.1:0", "--name", "m", self.root / "classifier.onnx") + "/v2/models/m/infer"
        self.describe("1")
        self.tutela("assess", ".")

    def describe(self, version):
        digest = subprocess.run(["sha256sum", self.root / "classifier.onnx"], capture_output=True, text=True, check=True).stdout.split()[0]
        (self.root / "tutela.yaml").write_text("schema: tutela.system/1\nsystem:\n  name: s\n  version: \"%s\"\n  purpose: tests\n" % version
                                               + MODEL % digest + TARGETS % (WIDE, self.url))

    def test_what_a_model_gives_away(self):
        self.assertEqual(self.control("5.2.5-4")["verdict"], "not_checked")
        for kind in ("membership", "inversion", "extraction"):
            self.probe(kind, "file")
            self.assertEqual(self.uses("5.2.5-4", "probe." + kind), {"counts"}, kind)
        self.assertEqual(self.control("5.2.5-4")["verdict"], "met")
        if FAKETIME:
            self.assertEqual(self.uses("5.2.5-4", "probe.membership", "+200d"), {"stale"})
            self.assertEqual(self.control("5.2.5-4", "+200d")["verdict"], "not_checked")
        (self.root / "classifier.onnx").write_bytes((self.root / "classifier.onnx").read_bytes() + b"\x72\x00")
        self.describe("1")
        self.tutela("assess", ".")
        self.assertEqual(self.control("5.2.5-4")["verdict"], "not_checked", "nobody attacked these bytes")

    def test_a_bound_that_is_broken_contradicts(self):
        text = (self.root / "tutela.yaml").read_text()
        (self.root / "tutela.yaml").write_text(text.replace("metric: fidelity, at_most: 1", "metric: fidelity, at_most: 0.1"))
        self.tutela("assess", ".")
        self.probe("extraction", "file")
        self.assertEqual(self.uses("5.2.5-4", "probe.extraction"), {"contradicts"})
        self.assertEqual(self.control("5.2.5-4")["verdict"], "not_met")

    def test_attack_odd_input_and_failure(self):
        self.probe("evasion", "file")
        self.probe("odd-input", "service")
        self.probe("load", "service")
        for check in ("probe.evasion", "probe.odd-input", "probe.load"):
            self.assertEqual(self.uses("5.1.2-2", check), {"counts"}, check)
        self.tutela("assess", ".")
        self.assertEqual(self.control("5.2.5-2")["verdict"], "met", "all that is asked of the system passed")
        if FAKETIME:
            self.assertEqual(self.uses("5.1.2-2", "probe.load", "+200d"), {"stale"})
            self.assertEqual(self.control("5.2.5-2", "+200d")["verdict"], "not_checked")
        self.describe("2")
        self.tutela("assess", ".")
        self.assertNotIn("counts", self.uses("5.1.2-2", "probe.load"), "it was about another description")
        self.assertEqual(self.control("5.2.5-2")["verdict"], "not_checked")
        self.assertEqual(self.uses("5.1.2-2", "probe.evasion"), {"counts"}, "the model is the same")

    def test_who_is_independent(self):
        for name in ("ada", "theo", "deb"):
            key, public = self.root.parent / (name + ".key"), self.root.parent / (name + ".pem")
            subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
            subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
            key.chmod(0o600)
        self.assertEqual(self.tutela("people", "enrol", "Ada", "--root", "--role", "developer", "--key", "../ada.pem").returncode, 0)
        for name, roles in (("Theo", ("tester",)), ("Deb", ("tester", "developer"))):
            run = self.tutela("people", "enrol", name, *(w for r in roles for w in ("--role", r)), "--key", "../%s.pem" % name.lower(), "--by", "Ada",
                              "--signing-key", "../ada.key")
            self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.uses("5.2.5-2.1", "probe.independent"), set())
        for name in ("Ada", "Deb"):
            run = self.tutela("probe", "evaluation", "--target", "file", "--by", name, "--signing-key", "../%s.key" % name.lower())
            self.assertEqual(run.returncode, 2, run.stdout)
            self.assertIn("independent tester", run.stderr)
        self.assertEqual(self.uses("5.2.5-2.1", "probe.independent"), set())
        self.probe("evaluation", "file", "--by", "Theo", "--signing-key", "../theo.key")
        self.assertIn("counts", self.uses("5.2.5-2.1", "probe.independent"))
        self.assertEqual(self.control("5.2.5-2.1")["verdict"], "partly", "who tested is not on record yet")
        if FAKETIME:
            self.assertNotIn("counts", self.uses("5.2.5-2.1", "probe.independent", "+400d"))
        run = self.tutela("people", "revoke", "Theo", "--by", "Ada", "--signing-key", "../ada.key", "--reason", "the key was lost", "--compromised-from", "0")
        if run.returncode == 0:
            self.assertNotIn("counts", self.uses("5.2.5-2.1", "probe.independent"))


class Texts(System):
    def test_planted_instructions(self):
        url = self.serve(ASSISTANT, "--listen", "127.0.0.1:0", SOURCE / "examples" / "support-assistant") + "/v1/chat/completions"
        text = ("schema: tutela.system/1\nsystem:\n  name: t\n  version: \"%%s\"\n  purpose: tests\nprobe:\n  bounds:\n%s  targets:\n"
                "    - {id: assistant, at: \"%s\", model: assistant-q4}\n" % (WIDE, url))
        (self.root / "tutela.yaml").write_text(text % "1")
        self.tutela("assess", ".")
        self.assertEqual(self.uses("5.2.5-4.1", "probe.injection"), set())
        self.probe("injection", "assistant")
        self.assertEqual(self.uses("5.2.5-4.1", "probe.injection"), {"counts"})
        if FAKETIME:
            self.assertEqual(self.uses("5.2.5-4.1", "probe.injection", "+200d"), {"stale"})
        (self.root / "tutela.yaml").write_text(text.replace("success, at_most: 1", "success, at_most: 0.01") % "2")
        self.tutela("assess", ".")
        self.assertNotIn("counts", self.uses("5.2.5-4.1", "probe.injection"), "it was about another description")
        self.probe("injection", "assistant")
        self.assertEqual(self.uses("5.2.5-4.1", "probe.injection"), {"contradicts"}, "this assistant obeys what it reads")


if __name__ == "__main__":
    unittest.main()
