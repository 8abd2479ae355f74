"""tutela probe through the command: plan, attacks on a model file, evidence about its digest, bounds, bad input."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
EXAMPLE = pathlib.Path(os.environ["TUTELA_SOURCE"]) / "examples" / "credit-scoring"
PROBE = """
probe:
  targets:
    - id: classifier
      asset: model/classifier-onnx
      at: models/classifier.onnx
      members: data/applications-train.csv
      others: data/applications-test.csv
      label: defaulted
"""


class System(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.tmp.name) / "system"
        shutil.copytree(EXAMPLE, self.root)
        yaml = (self.root / "tutela.yaml").read_text()
        self.yaml = yaml.partition("\n# The guard in front of the service")[0] + "\n"  # without the example's own probes
        self.describe(PROBE)
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CONFIG_HOME": self.tmp.name + "/config",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}  # faketime comes first

    def tearDown(self):
        self.tmp.cleanup()

    def describe(self, section):
        (self.root / "tutela.yaml").write_text(self.yaml + section)

    def tutela(self, *args, before=(), cwd=None):
        return subprocess.run([*before, TUTELA, *args], cwd=cwd or self.root, env=self.env, capture_output=True, text=True, timeout=280)

    def document(self, *args):
        run = self.tutela(*args, "--format", "json")
        self.assertTrue(run.stdout, run.stderr)
        return run, json.loads(run.stdout)

    def verdict(self, clause, before=()):
        run = self.tutela("report", "--format", "json", before=before)
        return next(c for c in json.loads(run.stdout)["controls"] if c["id"] == clause)

    def evidence(self, clause, check, before=()):
        return [e for e in self.verdict(clause, before)["evidence"] if e["check"].startswith(check + "/")]


class Results(System):
    def test_the_contract_holds(self):
        run, doc = self.document("probe", "membership")
        self.assertEqual(doc["schema"], "tutela.probe/1")
        self.assertEqual((doc["asset"], doc["bound_by"]), ("model/classifier-onnx", "digest"))
        self.assertEqual(doc["asset_digest"], doc["target"]["digest"])
        self.assertGreater(len(doc["attacks"]), 4)
        for attack in doc["attacks"]:
            for key in ("name", "threat", "metric", "value", "interval", "budget", "baseline", "verdict", "queries", "measures", "curves", "exposed"):
                self.assertIn(key, attack)
            self.assertEqual(attack["threat"], "membership_inference")
            if attack["metric"]:
                self.assertLessEqual(attack["interval"][0], attack["value"])
                self.assertGreaterEqual(attack["interval"][1], attack["value"])
        self.assertEqual(run.returncode, {"pass": 0, "fail": 1, "open": 3, "unmeasured": 3}[doc["summary"]["verdict"]])

    def test_the_same_seed_gives_the_same_result(self):
        def numbers(seed):
            doc = self.document("probe", "membership", "--seed", seed, "--no-record")[1]
            return [(a["name"], a["value"], a["interval"], a["measures"], a["curves"]) for a in doc["attacks"]]
        one, two, other = numbers("7"), numbers("7"), numbers("8")
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    def test_bounds_decide(self):
        for bound, verdict in (("at_least: 0.99", "fail"), ("at_least: -1", "pass")):
            self.describe(PROBE + "  bounds:\n    - probe: evaluation\n      metric: skill\n      %s\n" % bound)
            run, doc = self.document("probe", "evaluation")
            self.assertEqual(doc["summary"]["verdict"], verdict)
            self.assertEqual(run.returncode, {"fail": 1, "pass": 0}[verdict])
        self.describe(PROBE + "  bounds:\n    - probe: evaluation\n      metric: fairness\n      at_least: 0.5\n    - {probe: evaluation, metric: skill, at_least: -1}\n")
        run, doc = self.document("probe", "evaluation")
        self.assertEqual((run.returncode, doc["summary"]["verdict"]), (3, "open"), "what is bounded and not measured is not passed")
        self.assertIn("fairness", doc["summary"]["reason"])

    def test_an_earlier_result_is_a_gate(self):
        base = pathlib.Path(self.tmp.name) / "base.json"
        base.write_text(self.tutela("probe", "evasion", "--attack", "tabular", "--no-record", "--format", "json").stdout)
        run, doc = self.document("probe", "evasion", "--attack", "tabular", "--no-record", "--baseline", str(base))
        self.assertEqual(doc["regression"][0]["verdict"], "held", doc["regression"])
        earlier = json.loads(base.read_text())
        earlier["attacks"][0].update(value=0.99, kept=None)
        base.write_text(json.dumps(earlier))
        run, doc = self.document("probe", "evasion", "--attack", "tabular", "--no-record", "--baseline", str(base))
        self.assertEqual((run.returncode, doc["regression"][0]["verdict"]), (1, "worse"), doc["regression"])

    def test_a_page_has_its_curves(self):
        page = pathlib.Path(self.tmp.name) / "page.html"
        self.tutela("probe", "membership", "--html", str(page))
        text = page.read_text()
        self.assertIn("<polyline", text)
        self.assertNotIn("<script", text)
        self.assertIn("lira-online", text)

    def test_a_budget_of_queries_is_kept(self):
        run, doc = self.document("probe", "evasion", "--attack", "square", "--queries", "500", "--size", "0.1")
        self.assertLessEqual(doc["target"]["queries"], 500)
        self.assertIn(doc["summary"]["verdict"], ("open", "fail", "unmeasured"))


class Evidence(System):
    def test_rows_move_by_evidence_about_these_bytes(self):
        self.describe(PROBE + "  bounds:\n    - {probe: evaluation, metric: skill, at_least: -1}\n")
        self.assertEqual(self.evidence("5.2.3-3", "probe.evaluation"), [])
        run = self.tutela("probe", "evaluation")
        self.assertIn("Recorded as entry", run.stdout, run.stderr)
        self.tutela("assess", ".")
        found = self.evidence("5.2.3-3", "probe.evaluation")
        self.assertEqual([(e["result"], e["use"]) for e in found], [("pass", "counts")])
        plan = self.document("probe", "plan")[1]["items"]
        self.assertEqual([i["state"] for i in plan if i["probe"] == "evaluation" and i["asset"] == "model/classifier-onnx"], ["pass"])
        self.assertEqual(self.verdict("5.2.3-3")["verdict"], "partly", "two of three models have not been evaluated")
        faketime = shutil.which("faketime")
        if faketime:
            old = self.evidence("5.2.3-3", "probe.evaluation", before=[faketime, "-f", "+200d"])
            self.assertEqual([e["use"] for e in old], ["stale"])
        # Another file in its place: nothing is known of that one.
        model = self.root / "models" / "classifier.onnx"
        data = bytearray(model.read_bytes())
        data[data.index(b"defaulted") if b"defaulted" in data else -1] ^= 1
        model.write_bytes(bytes(data))
        self.tutela("assess", ".")
        self.assertNotIn("counts", [e["use"] for e in self.evidence("5.2.3-3", "probe.evaluation")])

    def test_what_was_attacked_must_be_what_is_pinned(self):
        model = self.root / "models" / "classifier.onnx"
        model.write_bytes(model.read_bytes() + b"\x72\x00")  # one more, empty, field of the file
        run = self.tutela("probe", "evaluation")
        self.assertIn("Nothing was recorded", run.stdout + run.stderr)

    def test_an_assessment_is_all_of_its_probes(self):
        self.describe(PROBE.rstrip() + "\n      probes: [evaluation, membership]\n  bounds:\n    - {probe: evaluation, metric: skill, at_least: -1}\n")
        self.tutela("probe", "evaluation")
        self.tutela("assess", ".")
        first = self.evidence("5.2.5-1", "probe.assessment")
        self.assertIn("not_checked", [e["result"] for e in first if e["subject"] == "model/classifier-onnx"] if first and "subject" in first[0] else [e["result"] for e in first])
        self.assertEqual(self.tutela("probe", "membership").returncode, 0)
        self.tutela("assess", ".")
        self.assertIn("pass", [e["result"] for e in self.evidence("5.2.5-1", "probe.assessment")])

    def results(self):
        self.tutela("assess", ".")
        return [(e["result"], e["use"]) for e in self.evidence("5.2.5-4", "probe.membership")]

    def test_a_narrowed_attack_passes_nothing(self):
        run = self.tutela("probe", "membership", "--attack", "loss")
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertNotIn("Recorded", run.stdout)
        self.assertEqual(run.stderr, "Nothing was recorded: narrowed by --attack; run without it for evidence.\n")
        self.assertEqual(self.tutela("probe", "membership", "--attack", "loss", "--quiet").stderr, "")
        self.assertEqual(self.results(), [])

    def test_only_a_failure_takes_the_place_of_a_full_pass(self):
        self.assertIn("probe.membership, pass.", self.tutela("probe", "membership").stdout)
        self.assertEqual(self.results(), [("pass", "counts")])
        for narrowed in (("--attack", "loss"), ("--queries", "3"), ("--rows", "20")):
            self.assertIn("Nothing was recorded: ", self.tutela("probe", "membership", *narrowed).stderr, narrowed)
            self.assertEqual(self.results(), [("pass", "counts")], narrowed)
        self.describe(PROBE.replace("      members: data/applications-train.csv\n", ""))
        run = self.tutela("probe", "membership")
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertIn("Nothing was recorded: nothing was measured (", run.stderr)
        self.assertEqual(self.results(), [("pass", "counts")])
        self.describe(PROBE + "  bounds:\n    - {probe: membership, metric: tpr_at_1, at_most: 0}\n")
        run = self.tutela("probe", "membership", "--attack", "loss")
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("probe.membership, fail.", run.stdout)
        self.assertEqual(self.results()[0], ("fail", "contradicts"))

    def test_an_independent_tester_signs(self):
        run = self.tutela("probe", "evaluation", "--by", "Theo")
        self.assertEqual(run.returncode, 2)
        self.assertIn("Theo", run.stderr)


class Choosing(System):
    """Several targets, and no --target."""
    SERVICE = "    - {id: service, asset: %s, at: \"http://127.0.0.1:1/v2/models/m/infer\", others: data/applications-test.csv, label: defaulted}\n"

    def test_of_two_ways_to_a_model_the_one_that_more_attacks_fit(self):
        self.describe(PROBE + self.SERVICE % "model/classifier-onnx")
        run, doc = self.document("probe", "evasion", "--attack", "tabular", "--no-record")
        self.assertEqual(doc["target"]["kind"], "onnx")
        self.assertEqual(run.stderr, "The target is classifier, which more attacks fit than any other of classifier, service; --target chooses.\n")
        self.assertEqual(self.tutela("probe", "evasion", "--attack", "tabular", "--no-record", "--quiet").stderr, "")

    def test_it_asks_where_that_does_not_decide(self):
        self.describe(PROBE + self.SERVICE % "model/classifier-onnx")
        for kind, asset in (("evaluation", "model/classifier-onnx"), ("evasion", "model/classifier")):
            self.describe(PROBE + self.SERVICE % asset)
            run = self.tutela("probe", kind, "--no-record")
            self.assertEqual((run.returncode, run.stdout), (2, ""), kind)
            self.assertIn("choose with --target one of classifier, service", run.stderr)


class BadInput(System):
    def one_line(self, run, *words):
        self.assertEqual(run.returncode, 2, run.stdout + run.stderr)
        lines = run.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, run.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_each_gets_one_line(self):
        self.one_line(self.tutela("probe", "membership", "--target", "nothing.txt"), "nothing.txt", "no target")
        self.one_line(self.tutela("probe", "membership", "--target", "absent.onnx"), "absent.onnx")
        self.one_line(self.tutela("probe", "membership", "--members", "absent.csv"), "absent.csv")
        self.one_line(self.tutela("probe", "membership", "--label", "colour"), "colour")
        self.one_line(self.tutela("probe", "evasion", "--norm", "l7"), "--norm")
        self.one_line(self.tutela("probe", "evasion", "--size", "much"), "--size")
        self.one_line(self.tutela("probe", "evasion", "--attack", "magic"), "magic")
        self.one_line(self.tutela("probe", "injection"), "target")
        self.one_line(self.tutela("probe", "evaluation", "--target", "http://models.example.org/v2/models/m/infer"), "--i-am-authorised-to-test")
        self.one_line(self.tutela("probe", "evaluation", "--target", "http://127.0.0.1:80@models.example.org/v2/models/m/infer"), "--i-am-authorised-to-test")
        broken = self.root / "broken.onnx"
        broken.write_bytes((self.root / "models" / "classifier.onnx").read_bytes()[:-40])
        self.one_line(self.tutela("probe", "evaluation", "--target", "broken.onnx", "--others", "data/applications-test.csv", "--label", "defaulted"), "broken.onnx")

    def test_a_description_with_a_slip_shows_its_place(self):
        for wrong, word in (("at: ../x.onnx", "at"), ("asset: model/none", "model/none"), ("probes: [member]", "member"), ("guard: x", "guard"), ("sise: 1", "sise"), ("size: much", "size")):
            section = PROBE.replace("label: defaulted", "label: defaulted\n      " + wrong)
            if wrong.startswith(("at:", "asset:")):
                key = wrong.split(":")[0]
                section = "\n".join(("      " + wrong) if line.strip().startswith(key + ":") else line for line in PROBE.splitlines()) + "\n"
            self.describe(section)
            run = self.tutela("probe", "plan")
            self.assertEqual(run.returncode, 2, wrong + run.stdout)
            self.assertIn(word, run.stderr, wrong)
            self.assertIn("tutela.yaml", run.stderr)

    def test_without_a_system_nothing_is_recorded(self):
        place = pathlib.Path(self.tmp.name) / "elsewhere"
        place.mkdir()
        run = self.tutela("probe", "evaluation", "--target", str(self.root / "models/classifier.onnx"), "--others", str(self.root / "data/applications-test.csv"),
                          "--label", "defaulted", cwd=place)
        self.assertIn("Nothing was recorded", run.stderr)
        self.assertFalse((place / ".tutela").exists())


if __name__ == "__main__":
    unittest.main()
