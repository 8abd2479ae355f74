"""tutela threats: what counts against a risk and what does not, acceptances, rules of one's own, bad input."""
import json
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from threats_world import FAKETIME, SOON, SOURCE, World  # noqa: E402

OUTSIDE = "model-from-outside@model/m"
OWN = """schema: tutela.threat-rules/1
rules:
  - id: own-rule
    title: "An own rule"
    threat: oversight
    on: component
    when: %s
    likelihood: possible
    impact: minor
    description: "d"
    advice: "a"
"""


class Proofs(World):
    def test_nothing_is_proved_before_it_was_looked_at(self):
        run = self.tutela("threats", expect=1)
        self.assertIn("was not assessed yet", run.stdout)
        self.assertTrue(all(not m["counted"] for r in self.risks().values() for m in r["mitigations"]))
        self.assess()
        risk = self.risks()[OUTSIDE]
        counted = {m["control"] for m in risk["mitigations"] if m["counted"]}
        self.assertEqual(counted, {"content-scan"})
        self.assertEqual(risk["inherent"]["likelihood"] - 1, risk["residual"]["likelihood"])

    def test_a_lost_body_raises_the_risks_that_counted_it_and_no_other(self):
        self.assess()
        before = self.risks()
        counted = {(m["entry"], r["id"]) for r in before.values() for m in r["mitigations"] if m["counted"]}
        self.assertTrue(counted)
        bodies = {}
        for entry, risk in counted:
            bodies.setdefault(self.body_of(entry), set()).add(risk)
        for digest, expected in bodies.items():
            body = self.root / ".tutela" / "bodies" / digest
            kept = body.read_bytes()
            body.unlink()
            after = self.risks()
            size = lambda r: r["residual"]["likelihood"] * r["residual"]["impact"]
            raised = {i for i, r in after.items() if size(r) > size(before[i])}
            self.assertEqual(raised, expected)
            lost = [m for i in expected for m in after[i]["mitigations"] if not m["counted"] and "missing or altered" in m["why"]]
            self.assertEqual(len(lost), len([1 for e, _ in counted if self.body_of(e) == digest]))
            body.write_bytes(kept + b" ")
            self.assertEqual({i for i, r in self.risks().items() if size(r) > size(before[i])}, expected, "altered")
            body.write_bytes(kept)
        self.assertEqual(self.risks(), before)

    def test_what_ages_or_is_about_other_bytes_counts_no_more(self):
        self.assess()
        if FAKETIME:
            old = next(m for m in self.risks(ago="+31d")[OUTSIDE]["mitigations"] if m["control"] == "content-scan")
            self.assertEqual((old["counted"], old["why"]), (False, "ran out"))
        model = self.root / "classifier.onnx"
        model.write_bytes(model.read_bytes() + b"\x72\x00")
        self.assess()
        risks = self.risks()
        self.assertIn("changed-model@model/m", risks)
        self.tutela("init", "--accept", "model/m", expect=0)
        self.assess()
        self.assertNotIn("changed-model@model/m", self.risks())

    def test_a_claim_is_listed_and_takes_nothing_off(self):
        self.describe(self.text + "  claims:\n    - {control: due-diligence, on: model/m, note: the contract}\n")
        self.assess()
        risk = self.risks()[OUTSIDE]
        claim = next(m for m in risk["mitigations"] if m["control"] == "due-diligence")
        self.assertEqual((claim["state"], claim["counted"]), ("claimed", False))
        self.assertIn("claimed, not counted", self.tutela("threats", "explain", OUTSIDE, expect=0).stdout)
        self.describe(self.text + "  claims:\n    - {control: no-such-control}\n")
        self.assertIn("no rule names a control", self.tutela("threats", expect=2).stderr)
        self.describe(self.text + "  claims:\n    - {control: due-diligence, on: modell/m}\n")
        self.assertIn("no element is called", self.tutela("threats", expect=2).stderr)

    def test_what_a_rule_wants_to_be_measured(self):
        for split in ("train", "test"):
            shutil.copy(SOURCE / "examples" / "credit-scoring" / "data" / ("applications-%s.csv" % split), self.root / (split + ".csv"))
        rule = OWN.replace("on: component", "on: asset") % "kind == model" + ("    mitigations:\n      - {control: measured, title: t, reduces: impact, by: 1, "
                                                                             "proof: probe.extraction, metric: %s, %s}\n")
        (self.root / "own.yaml").write_text(rule % ("fidelity", "at_most: 1"))
        self.describe(self.text + "  rules: [own.yaml]\nprobe:\n  bounds:\n    - {probe: extraction, metric: fidelity, at_most: 1}\n  targets:\n"
                      "    - {id: file, asset: model/m, at: classifier.onnx, members: train.csv, others: test.csv, label: defaulted}\n")
        self.assess()
        self.assertIn(self.tutela("probe", "extraction", "--target", "file").returncode, (0, 1, 3))
        control = lambda: next(m for m in self.risks()["own-rule@model/m"]["mitigations"])
        self.assertTrue(control()["counted"], control()["why"])
        for metric, bound, why in (("fidelity", "at_most: 0.0001", "outside of what"), ("fidelity", "at_least: 0.0001", None), ("nothing", "at_most: 1", "did not measure")):
            (self.root / "own.yaml").write_text(rule % (metric, bound))
            self.assertEqual(control()["counted"], why is None, control()["why"])
            self.assertIn(why or "holds", control()["why"])

    def test_a_control_that_people_prove(self):
        self.assess()
        self.enrol()
        form = self.root.parent / "form.md"
        form.write_text(self.tutela("record", "5.1.2-4", "--asset", "model/m", "--template", expect=0).stdout)
        lines = [("looked at it; it is fine." if line.startswith("TODO") else line) for line in form.read_text().splitlines()]
        form.write_text("\n".join(lines).replace("accepted until: TODO", "accepted until: " + SOON).replace("accepted by: TODO", "accepted by: Dev"))
        run = self.tutela("record", "5.1.2-4", "--asset", "model/m", "--by", "Dev", "--evidence", str(form), "--expires", SOON)
        if run.returncode:
            self.fail(form.read_text() + run.stderr)
        self.assertIn("due-diligence", {m["control"] for m in self.risks()[OUTSIDE]["mitigations"] if m["counted"]})


class Decisions(World):
    def setUp(self):
        super().setUp()
        self.describe(self.text.replace("review_days: 60", "review_days: 60\n  tolerance: {level: low}"))
        self.assess()
        self.enrol()

    def accept(self, *options, expect=0, risk=OUTSIDE, expires=SOON, by="Olga"):
        return self.tutela("threats", "accept", risk, "--reason", "we know", "--expires", expires, "--by", by, *options, expect=expect)

    def test_an_acceptance_counts_until_it_ends(self):
        self.assertEqual(self.risks()[OUTSIDE]["state"], "open")
        self.assertIn("cannot sign", self.accept(by="Dev", expect=2).stderr)
        self.assertIn("has no key here", self.accept(by="Nobody", expect=2).stderr)
        self.assertIn("before it begins", self.accept(expires="2020-01-01", expect=2).stderr)
        self.assertIn("two years", self.accept(expires="2099-01-01", expect=2).stderr)
        self.assertIn("Did you mean", self.accept(risk="model-from-outsid@model/m", expect=2).stderr)
        self.accept()
        risk = self.risks()[OUTSIDE]
        self.assertEqual((risk["state"], risk["acceptance"]["by"], risk["acceptance"]["counts"]), ("accepted", "Olga", True))
        if FAKETIME:
            late = self.risks(ago="+500d")[OUTSIDE]
            self.assertEqual((late["state"], late["acceptance"]["why"]), ("open", "the acceptance ran out"))

    def test_it_lapses_when_the_element_changes(self):
        self.accept()
        text = (self.root / "tutela.yaml").read_text()
        self.describe(text.replace("licence: MIT", "licence: MIT\n    sensitivity: confidential"))
        self.assess()
        risk = self.risks()[OUTSIDE]
        self.assertEqual(risk["state"], "open")
        self.assertIn("lapsed: the element or the rule changed", risk["acceptance"]["why"])
        self.describe(text)
        self.assess()
        self.assertEqual(self.risks()[OUTSIDE]["state"], "accepted", "it is again what was accepted")
        self.describe(text + "# nothing\n")
        self.assess()
        self.assertEqual(self.risks()[OUTSIDE]["state"], "accepted", "another element's matter")

    def test_it_lapses_when_the_risk_grows(self):
        self.accept()
        entry = next(m["entry"] for m in self.risks()[OUTSIDE]["mitigations"] if m["counted"])
        (self.root / ".tutela" / "bodies" / self.body_of(entry)).unlink()
        risk = self.risks()[OUTSIDE]
        self.assertEqual(risk["state"], "open")
        self.assertIn("has grown", risk["acceptance"]["why"])

    def test_nobody_counts_whose_key_does_not(self):
        self.tutela("people", "enrol", "Ria", "--root", "--role", "operator", "--generate", "--no-passphrase", "--by", "Olga", expect=0)
        self.accept()
        entry = str(self.risks()[OUTSIDE]["acceptance"]["entry"])
        self.tutela("people", "revoke", "Olga", "--by", "Ria", "--reason", "stolen", "--from-index", entry, expect=0)
        risk = self.risks()[OUTSIDE]
        self.assertEqual((risk["state"], risk["acceptance"]["counts"]), ("open", False))

    def test_treatments(self):
        base = (self.root / "tutela.yaml").read_text()
        for line, state in (("treatment: mitigate, owner: desk, cost: 2 days", "treated"), ("treatment: mitigate", "open"),
                            ("treatment: transfer", "open"), ("treatment: avoid", "open"), ("treatment: accept", "open")):
            self.describe(base + "  treatments:\n    - {risk: %s, %s}\n" % (OUTSIDE, line))
            self.assess()
            self.assertEqual(self.risks()[OUTSIDE]["state"], state, line)
        for text, error in (("risk: x@y, treatment: avoid", "no rule is called"), ("risk: flood@x, treatment: avoid", "no component is called"),
                            ("risk: flood, treatment: avoid", "RULE@ELEMENT"), ("risk: a@b, treatment: forget", "cannot be")):
            self.describe(base + "  treatments:\n    - {%s}\n" % text)
            self.assertIn(error, self.tutela("threats", expect=2).stderr)


class Documents(World):
    def test_the_model_is_written_and_is_the_same_each_time(self):
        self.assess()
        path = self.root / ".tutela" / "reports" / "latest" / "threat-model.json"
        first = json.loads(path.read_text())
        self.assertEqual(first["schema"], "tutela.threats/1")
        self.assertTrue(first["risks"] and first["elements"] and first["coverage"])
        now = self.threats()
        for key in ("risks", "elements", "coverage", "gaps", "summary"):
            self.assertEqual(now[key], first[key])
        self.assess()
        sizes = [[(r["id"], r["digest"], r["residual"]) for r in doc["risks"]] for doc in (first, json.loads(path.read_text()))]
        self.assertEqual(*sizes)
        env = {"SOURCE_DATE_EPOCH": "1795000000"}
        self.env.update(env)
        self.assertEqual(self.tutela("threats", "--format", "json").stdout, self.tutela("threats", "--format", "json").stdout)
        way = next(r["way"] for r in now["risks"] if r["id"] == "evasion@scorer")
        self.assertEqual(way, "user > gateway > scorer")

    def test_without_a_section_nothing_is_recorded(self):
        self.describe(self.text.split("threats:")[0])
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1"), "not_checked")
        self.assertFalse((self.root / ".tutela" / "reports" / "latest" / "threat-model.json").exists())
        self.assertIn("only --record keeps this", self.tutela("threats").stdout)
        self.tutela("threats", "--record", expect=1)
        self.assertEqual(self.uses("5.1.3-1", "threats.model"), {"counts"})

    def test_rules_of_ones_own(self):
        (self.root / "own.yaml").write_text(OWN % "kind == log")
        self.describe(self.text + "  rules: [own.yaml]\n")
        self.assertIn("own-rule@sink", self.risks())
        self.assertIn("own-rule", self.tutela("threats", "explain", "own-rule", expect=0).stdout)
        for when, error in (("kind == logg", 'did you mean "log"'), ("knid == log", 'did you mean "kind"'), ("kind", "not true or false"),
                            ("kind == log and (untrusted", "not closed")):
            (self.root / "own.yaml").write_text(OWN % when)
            run = self.tutela("threats", expect=2)
            self.assertIn("own.yaml:7:", run.stderr)
            self.assertIn(error, " ".join(run.stderr.split()).replace("^ ", ""))
        for text in ("", "a: [", "schema: tutela.threat-rules/1\nrules: 3\n", "schema: other\nrules: []\n", OWN % "true" + "    proof: x\n"):
            (self.root / "own.yaml").write_text(text)
            self.assertIn("own.yaml", self.tutela("threats", expect=2).stderr)
        self.describe(self.text + "  rules: [../own.yaml]\n")
        self.assertIn("below the folder", self.tutela("threats", expect=2).stderr)
        self.describe(self.text + "  rules: [gone.yaml]\n")
        self.tutela("threats", expect=2)

    def test_names_reach_the_terminal_escaped(self):
        self.describe(self.text.replace("{id: sink,", '{id: "si\\e[31mnk", kind: log, boundary: inside}\n  - {id: sink,').replace(
            "{id: gateway, kind: inference-gateway,", '{id: "ga\\e[31mte", kind: agent, boundary: inside, agent: {tools: [t]}}\n  - {id: gateway, kind: inference-gateway,'))
        for args in ((), ("explain", "agent-tool-updates@ga\x1b[31mte"), ("permissions",)):
            run = self.tutela("threats", *args)
            self.assertIn("ga", run.stdout, run.stderr)
            self.assertNotIn("\x1b", run.stdout + run.stderr)

    def test_a_slip_in_the_section_is_told(self):
        for text, error in (("  tolerence: {level: low}\n", "did you mean"), ("  tolerance: {level: lwo}\n", "did you mean"),
                            ("  tolerance: low\n", "mapping")):
            self.describe(self.text + text)
            self.assertIn(error, " ".join(self.tutela("threats", expect=2).stderr.split()))
            self.assertEqual(self.tutela("assess", ".").returncode, 2)


if __name__ == "__main__":
    unittest.main()
