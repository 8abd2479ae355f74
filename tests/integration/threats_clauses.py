"""What the threat model comes to moves 5.1.3-1, -1.1, -1.2, -1.3, -4 and 5.1.2-6, and falls back when it ages, when what it
rests on is gone, or when the description becomes another one."""
import sys
import pathlib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from threats_world import FAKETIME, World  # noqa: E402


class Clauses(World):
    def setUp(self):
        super().setUp()
        self.assess()
        self.enrol()
        self.assess()

    def review(self):
        self.tutela("threats", "review", "--by", "Dev", expect=0)
        self.assess()

    def test_the_model_is_analysed_and_reviewed(self):
        self.assertEqual(self.uses("5.1.3-1", "threats.model"), {"counts"})
        self.assertEqual(self.verdict("5.1.3-1"), "partly", "nobody reviewed it")
        self.tutela("threats", "review", "--by", "Tess", expect=2)
        self.review()
        self.assertEqual(self.verdict("5.1.3-1"), "met")
        if FAKETIME:
            self.assertEqual(self.uses("5.1.3-1", "threats.model", "+100d"), {"stale"})
            self.assertEqual(self.uses("5.1.3-1", "threats.review", "+400d"), {"stale"})
            self.assertEqual(self.verdict("5.1.3-1", "+400d"), "not_checked")
        entry = next(e["index"] for e in self.control("5.1.3-1")["evidence"] if e["check"].startswith("threats.review/"))
        body = self.root / ".tutela" / "bodies" / self.body_of(entry)
        kept = body.read_bytes()
        body.unlink()
        self.assertNotEqual(self.verdict("5.1.3-1"), "met", "what was reviewed is gone")
        body.write_bytes(kept)
        self.assertEqual(self.verdict("5.1.3-1"), "met")
        self.describe(self.text.replace('version: "1"', 'version: "2"'))
        self.assess()
        self.assertEqual(self.uses("5.1.3-1", "threats.review"), {"other_digest"})
        self.assertEqual(self.verdict("5.1.3-1"), "partly")

    def test_a_model_with_gaps_is_none(self):
        self.describe(self.text.replace("    asset: model/m\n", ""))
        self.assess()
        self.assertEqual(self.uses("5.1.3-1", "threats.model"), {"contradicts"})
        self.assertEqual(self.verdict("5.1.3-1"), "not_met")

    def test_a_changed_configuration_is_modelled_again(self):
        self.assertEqual(self.verdict("5.1.3-1.1"), "not_checked", "running it is no repetition")
        self.review()
        self.assertEqual(self.verdict("5.1.3-1.1"), "met")
        if FAKETIME:
            self.assertEqual(self.verdict("5.1.3-1.1", "+40d"), "not_checked")
        self.describe(self.text + "# a word that changes nothing\n")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1.1"), "met", "the configuration is the one that was reviewed")
        self.describe(self.text.replace("auth: key, ", ""))
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1.1"), "not_met")
        run = self.tutela("threats", "review", expect=3)
        self.assertIn("new     nobody-authenticates@gateway", run.stdout)
        self.review()
        self.assertEqual(self.verdict("5.1.3-1.1"), "met")
        self.describe(self.text.replace("auth: key, ", "").replace("review_days: 60", "review_days: 60\n  catalogue: MITRE ATLAS 5.7.0"))
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1.1"), "not_met", "a new catalogue of threats")

    def test_risks_are_treated(self):
        self.assertEqual(self.verdict("5.1.3-1.3"), "not_met")
        self.accept_all()
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1.3"), "met")
        if FAKETIME:
            self.assertEqual(self.verdict("5.1.3-1.3", "+100d"), "not_checked")
        self.describe(self.text.replace("returns: label", "returns: logits"))
        self.assess()
        self.assertEqual(self.verdict("5.1.3-1.3"), "not_met", "acceptances lapse with what they were about")

    def test_functions_that_nobody_needs(self):
        self.assertEqual(self.uses("5.1.3-1.2", "threats.superfluous"), {"counts"})
        text = self.text.replace("modality_enabled: [table]", "modality_enabled: [table, audio]")
        self.describe(text.replace("review_days: 60", "review_days: 60\n  tolerance: {level: low}"))
        self.assess()
        self.assertEqual(self.uses("5.1.3-1.2", "threats.superfluous"), {"contradicts"})
        self.accept_all()
        self.assess()
        self.assertEqual(self.uses("5.1.3-1.2", "threats.superfluous"), {"counts"})
        if FAKETIME:
            self.assertEqual(self.uses("5.1.3-1.2", "threats.superfluous", "+100d"), {"stale"})
        self.describe(self.text.replace("model: {task: classifier, modality_enabled: [table], modality_used: [table]}", "model: {task: classifier}"))
        self.assess()
        self.assertEqual(self.uses("5.1.3-1.2", "threats.superfluous"), {"not_enough"}, "nothing said, nothing checked")

    def test_reviews_go_on(self):
        self.assertEqual(self.verdict("5.1.3-4"), "not_checked")
        self.review()
        self.assertEqual(self.verdict("5.1.3-4"), "met")
        entry = next(e["index"] for e in self.control("5.1.3-4")["evidence"] if e["check"].startswith("threats.residual/"))
        body = self.root / ".tutela" / "bodies" / self.body_of(entry)
        kept = body.read_bytes()
        body.unlink()
        self.assertNotEqual(self.verdict("5.1.3-4"), "met")
        body.write_bytes(kept)
        if FAKETIME:
            self.assertEqual(self.uses("5.1.3-4", "threats.residual", "+400d"), {"stale"})
            self.assess(ago="+61d")
            self.assertEqual(self.uses("5.1.3-4", "threats.continuous", "+61d"), {"contradicts"}, "the schedule is 60 days")
            self.assertEqual(self.verdict("5.1.3-4", "+61d"), "not_met")

    def test_what_is_granted_is_assessed(self):
        self.tutela("threats", "permissions", expect=3)
        text = self.text.replace("  - {id: sink,", "  - {id: helper, kind: agent, boundary: inside, logged: true, agent: {tools: [look]}}\n  - {id: sink,")
        self.describe(text)
        self.assess()
        self.assertIn("granted-tool-unknown", self.tutela("threats", "--open").stdout)
        run = self.tutela("threats", "permissions", "--by", "Dev", expect=2)
        self.assertIn("open", run.stderr)
        self.accept_all()
        self.tutela("threats", "permissions", "--by", "Tess", expect=2)
        self.tutela("threats", "permissions", "--by", "Dev", expect=0)
        self.assertEqual(self.uses("5.1.2-6", "threats.permissions"), {"counts"})
        if FAKETIME:
            self.assertEqual(self.uses("5.1.2-6", "threats.permissions", "+400d"), {"stale"})
        self.describe(text.replace("tools: [look]", "tools: [look, buy]"))
        self.assess()
        self.assertEqual(self.uses("5.1.2-6", "threats.permissions"), {"other_digest"})


if __name__ == "__main__":
    unittest.main()
