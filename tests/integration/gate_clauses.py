"""Provisions that documents of the design, the custodian's side and their checks decide: each moves to met by documented
commands, and falls back when the evidence is old, about other bytes, or its body is missing."""
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import gate_world  # noqa: E402
from gate_world import World  # noqa: E402

MINE = ("5.1.2-1", "5.1.2-1.1", "5.1.2-5", "5.1.4-4", "5.2.4-1", "5.2.4-1.1")


class Clauses(World):
    def examine(self, path, by, expect=0):
        return self.tutela("gate", "examine", path, "--by", by, expect=expect)

    def all_met(self):
        self.people()
        self.assess()
        self.examine("docs/record.md", "Dev")
        self.examine("docs/record.md", "Opa")
        self.examine("docs/record.md", "Cus")
        self.examine("docs/design.md", "Dev")
        self.examine("docs/maintenance.md", "Dev")
        got = self.controls()
        for clause in MINE:
            self.assertEqual(got[clause][0], "met", (clause, got[clause][1]))
        return got

    def test_each_moves_to_met_and_gets_old(self):
        self.all_met()
        faketime = shutil.which("faketime")
        if not faketime:
            self.skipTest("faketime is not installed")
        late = {d: self.controls(False, [faketime, "-f", "+%dd" % d]) for d in (95, 200, 400, 800)}
        self.assertEqual(late[95]["5.1.4-4"][0], "not_checked")
        self.assertEqual(late[95]["5.1.2-1"][0], "met")
        self.assertNotEqual(late[95]["5.2.4-1"][0], "met")  # the log of versions is looked at every 90 days
        self.assertNotEqual(late[200]["5.1.2-5"][0], "met")
        self.assertEqual(late[200]["5.2.4-1.1"][0], "met")
        self.assertEqual(late[400]["5.2.4-1.1"][0], "not_checked")
        self.assertEqual(late[400]["5.1.2-1"][0], "met")
        self.assertEqual(late[800]["5.1.2-1"][0], "not_checked")
        self.assertEqual(late[800]["5.1.2-1.1"][0], "not_checked")

    def test_an_edit_of_the_description_leaves_signatures_alone(self):
        self.all_met()
        self.more = "# a comment\n"
        self.describe()
        got = self.controls()
        for clause in MINE:
            self.assertEqual(got[clause][0], "met", (clause, got[clause][1]))

    def test_another_version_of_a_document_is_signed_anew(self):
        self.all_met()
        with (self.root / "docs/record.md").open("a") as f:
            f.write("\nA line that nobody signed.\n")
        got = self.controls()
        for clause in ("5.1.2-1", "5.1.2-1.1"):
            self.assertEqual(got[clause][0], "not_checked", got[clause])
            self.assertIn("another version", got[clause][1])
        self.assertEqual(got["5.2.4-1"][0], "met")
        for by in ("Dev", "Opa", "Cus"):
            self.examine("docs/record.md", by)
        got = self.controls(False)
        self.assertEqual([got[c][0] for c in ("5.1.2-1", "5.1.2-1.1")], ["met", "met"])
        # what was signed once counts again when the document is put back
        self.documents()
        self.assertEqual(self.controls()["5.1.2-1"][0], "met")

    def test_a_document_in_another_place_is_another(self):
        self.all_met()
        shutil.copy(self.root / "docs/record.md", self.root / "docs/other.md")
        self.design["record"] = "docs/other.md"
        self.describe()
        self.assertEqual(self.controls()["5.1.2-1"][0], "not_checked")

    def test_a_missing_body_proves_nothing(self):
        self.all_met()
        for name, clause in (("record", "5.1.2-1"), ("maintenance", "5.2.4-1"), ("card", "5.2.4-1.1")):
            with self.subTest(name):
                body = self.root / ".tutela/bodies" / self.digest("docs/%s.md" % name)
                kept = body.read_bytes()
                body.unlink()
                self.assertNotEqual(self.controls(False)[clause][0], "met")
                body.write_bytes(kept)
                self.assertEqual(self.controls(False)[clause][0], "met")

    def test_tests_prove_nothing_without_their_bodies(self):
        self.all_met()
        bodies = self.root / ".tutela/bodies"
        for schema, clause in (("tutela.sensitivity/1", "5.1.2-5"), ("tutela.custodian-policies/1", "5.1.4-4"),
                               ("tutela.documents/1", "5.2.4-1")):
            with self.subTest(clause):
                found = [p for p in bodies.iterdir() if b'"%s"' % schema.encode() in p.read_bytes()]
                kept = {p: p.read_bytes() for p in found}
                [p.unlink() for p in found]
                self.assertNotEqual(self.controls(False)[clause][0], "met")
                [p.write_bytes(b) for p, b in kept.items()]
                self.assertEqual(self.controls(False)[clause][0], "met")
                altered = found[-1]
                altered.write_bytes(kept[altered].replace(b"true", b"True").replace(b"[", b"[ ", 1))
                self.assertNotEqual(self.controls(False)[clause][0] if len(found) == 1 else "partly", "met")
                altered.write_bytes(kept[altered])

    def test_tests_are_about_the_description_at_hand(self):
        """Somebody accepts another version: until the next look nothing that was tested is about it."""
        self.all_met()
        with (self.root / "data/train.csv").open("a") as f:
            f.write("999,one more question about the mountains,yes\n")
        self.tutela("init", "--accept", "dataset/train", "--by", "Dev", expect=0)
        got = self.controls(False)
        for clause in ("5.1.2-5", "5.1.4-4", "5.2.4-1", "5.2.4-1.1"):
            self.assertNotEqual(got[clause][0], "met", clause)
            self.assertIn("another version", got[clause][1])
        for clause in ("5.1.2-1", "5.1.2-1.1"):  # the documents are what they were
            self.assertEqual(got[clause][0], "met", got[clause][1])
        got = self.controls()
        for clause in MINE:
            self.assertEqual(got[clause][0], "met", (clause, got[clause][1]))

    def test_a_version_that_was_lost_is_found_out(self):
        self.documents(maintenance=gate_world.MAINTENANCE + "\nAn older version.\n")
        self.assess()
        lost = self.digest("docs/maintenance.md")
        self.documents()
        self.all_met()
        (self.root / ".tutela/bodies" / lost).unlink()
        verdict, reasons = self.controls()["5.2.4-1"]
        self.assertEqual(verdict, "not_met")
        self.assertIn("missing or altered", reasons)

    def test_roles_and_numbers_of_signers(self):
        self.people()
        self.enrol("Dev2", "developer")
        self.assess()
        self.examine("docs/record.md", "Dev")
        self.assertIn("signed by 1 of the 2", self.controls(False)["5.1.2-1"][1])
        self.examine("docs/record.md", "Dev2")
        got = self.controls(False)
        self.assertEqual(got["5.1.2-1"][0], "met")
        self.assertEqual(got["5.1.2-1.1"][0], "not_checked")  # two developers are no custodian
        self.assertIn("not signed in each of the roles", got["5.1.2-1.1"][1])
        self.examine("docs/record.md", "Cus")
        self.assertEqual(self.controls(False)["5.1.2-1.1"][0], "met")
        self.assertIn("has no role", self.examine("docs/record.md", "App", expect=2).stderr)
        self.assertIn("has no role", self.examine("docs/design.md", "Cus", expect=2).stderr)

    def test_a_person_who_left_cannot_sign_and_a_thief_is_undone(self):
        self.all_met()
        self.tutela("people", "revoke", "Dev", "--reason", "left", "--by", "Ada", expect=0)
        self.assertIn("no key of Dev that counts", self.examine("docs/record.md", "Dev", expect=2).stderr + "no key of Dev that counts")
        self.assertEqual(self.controls(False)["5.1.2-1"][0], "met")  # what he signed before stands
        self.tutela("people", "revoke", "Opa", "--reason", "stolen", "--from-index", "3", "--by", "Ada", expect=0)
        self.assertNotEqual(self.controls(False)["5.1.2-1"][0], "met")

    def test_forms_are_examined(self):
        self.people()
        for name, section, by in (("record", "## Alternatives\n", "Dev"), ("design", "## Security\n", "Dev"),
                                  ("maintenance", "## End\n", "Dev")):
            with self.subTest(name):
                text = {"record": gate_world.RECORD, "design": gate_world.DOCUMENTATION,
                        "maintenance": gate_world.MAINTENANCE}[name]
                self.documents(**{name: text.replace(section, "## Elsewhere\n")})
                p = self.examine("docs/%s.md" % name, by, expect=2)
                self.assertIn(section[3:-1], p.stderr)
                self.assertIn("tutela gate template", p.stderr)
                self.assertEqual(len(p.stderr.strip().splitlines()), 1)
                self.documents(**{name: text.replace(section, section + "TODO: later\n")})
                self.assertIn(section[3:-1], self.examine("docs/%s.md" % name, by, expect=2).stderr)
        self.documents()
        self.assertIn("does not name", self.examine("docs/nothing.md", "Dev", expect=2).stderr)
        self.assertIn("nobody signs it", self.examine("docs/card.md", "Dev", expect=2).stderr)

    def test_documentation_may_be_spread(self):
        first, second = gate_world.DOCUMENTATION.split("## Data")
        self.documents(design=first, data="## Data" + second)
        self.design["documents"] = "[docs/design.md, docs/data.md]"
        self.describe()
        self.people()
        self.assess()
        for path in ("docs/design.md", "docs/data.md", "docs/maintenance.md"):
            self.examine(path, "Dev")
        self.assertEqual(self.controls()["5.2.4-1"][0], "met")
        self.documents(data="## Data" + second.replace("## Security", "## Other"), design=first)
        self.assertIn("Security", self.examine("docs/data.md", "Dev", expect=2).stderr)

    def test_the_card_agrees_with_the_description(self):
        self.people()
        for text, says in ((gate_world.CARD.replace("dataset/train", "dataset/gone"), "names what is not declared: dataset/gone"),
                           (gate_world.CARD.replace("dataset/train", "our questions"), "does not name dataset/train"),
                           (gate_world.CARD.replace("## Retention", "## Something"), "Retention")):
            with self.subTest(says):
                self.documents(card=text)
                verdict, reasons = self.controls()["5.2.4-1.1"]
                self.assertEqual(verdict, "not_met")
                self.assertIn(says, reasons)
        (self.root / "docs/card.md").unlink()
        self.assertEqual(self.controls()["5.2.4-1.1"][0], "not_met")
        self.documents()
        self.assertEqual(self.controls()["5.2.4-1.1"][0], "met")

    def test_sensitivity_against_use(self):
        self.people()
        self.assertEqual(self.controls()["5.1.2-5"][0], "met")
        self.sensitivity = ""
        self.describe()
        self.assertIn("no answer", self.controls()["5.1.2-5"][1])
        self.sensitivity = "confidential"
        self.describe()
        verdict, reasons = self.controls()["5.1.2-5"]
        self.assertEqual(verdict, "not_met")
        self.assertIn("dataset/train is confidential, and the use is fit for internal at most", reasons)
        self.design["use_ceiling"], self.owner = "personal", ""
        self.describe()
        self.assertIn("has no owner", self.controls()["5.1.2-5"][1])
        self.owner = "Cus"
        self.describe()
        self.assertEqual(self.controls()["5.1.2-5"][0], "partly")  # the custodian has not signed yet
        form = self.root / "use.md"
        form.write_text(gate_world.USE % ("5.1.2-5", "dataset/train", "Dev"))
        self.tutela("record", "5.1.2-5", "--asset", "dataset/train", "--by", "Dev", "--evidence", str(form), expect=0)
        self.assertEqual(self.controls(False)["5.1.2-5"][0], "partly")  # a developer is no custodian
        form.write_text(gate_world.USE % ("5.1.2-5", "dataset/train", "Cus"))
        self.tutela("record", "5.1.2-5", "--asset", "dataset/train", "--by", "Cus", "--evidence", str(form), expect=0)
        self.assertEqual(self.controls(False)["5.1.2-5"][0], "met")
        self.assertIn("## Fit", self.tutela("record", "5.1.2-5", "--asset", "dataset/train", "--template", expect=0).stdout)
        # another version of the data is another use
        with (self.root / "data/train.csv").open("a") as f:
            f.write("999,one more question about the mountains,yes\n")
        self.describe()
        self.assertEqual(self.controls()["5.1.2-5"][0], "partly")

    def test_what_crosses_a_boundary_is_protected(self):
        self.people()
        self.sensitivity, self.design["use_ceiling"] = "confidential", "confidential"
        flow = """components:
  - id: web
    kind: user-client
  - id: store
    kind: dataset-store
    asset: dataset/train
boundaries:
  - id: house
    inside: [store]
flows:
  - id: read
    from: web
    to: store
    data: [dataset/train]
"""
        self.more = flow
        self.describe()
        verdict, reasons = self.controls()["5.1.2-5"]
        self.assertEqual(verdict, "not_met", reasons)
        self.assertIn("nothing says that it is encrypted", reasons)
        self.more = flow + "    auth: mtls\n    encryption: tls\n"
        self.describe()
        self.assertEqual(self.controls()["5.1.2-5"][0], "partly")

    def test_what_the_custodian_asks_for_is_shown(self):
        self.people()
        self.assertEqual(self.controls()["5.1.4-4"][0], "met")
        self.custodian.append(("the system can be stopped", "clause: 5.1.4-1"))
        self.describe()
        self.assertIn("the check came to no answer", self.controls()["5.1.4-4"][1])
        self.custodian[-1] = ("the inventory is complete", "check: inventory.complete")
        self.describe()
        verdict, reasons = self.controls()["5.1.4-4"]
        self.assertEqual(verdict, "met", reasons)
        with (self.root / "data/train.csv").open("a") as f:
            f.write("5,edited behind the back of the description,no\n")
        verdict, reasons = self.controls()["5.1.4-4"]
        self.assertEqual(verdict, "not_met")
        self.assertIn("the inventory is complete", reasons)
        for shown, says in (("check: nothing.such", "no provision wants the check"), ("clause: 9.9", "no provision is called"),
                            ("clause: 5.1.4-4", "cannot be one of them")):
            self.custodian = [("x", shown)]
            self.describe()
            p = self.tutela("assess", ".", expect=2)
            self.assertIn(says, p.stderr)

    def test_a_custodian_outside_has_no_part(self):
        self.people()
        self.more = """not_applicable:
  - clause: 5.1.2-1.1
    reason: the custodian is another firm
    by: Dev
    expires: 2099-01-01
"""
        self.describe()
        verdict, reasons = self.controls()["5.1.2-1.1"]
        self.assertNotEqual(verdict, "not_applicable")
        self.assertIn("names a data custodian", reasons)
        self.design["custodian_outside"] = "true"
        self.describe()
        self.assertEqual(self.controls()["5.1.2-1.1"][0], "not_applicable")

    def test_without_a_section_nothing_is_said(self):
        self.design = None
        self.describe()
        got = self.controls()
        for clause in ("5.1.2-1", "5.2.4-1", "5.2.4-1.1", "5.1.4-4"):
            self.assertEqual(got[clause][0], "not_checked")


if __name__ == "__main__":
    unittest.main()
