"""Rules, their document and the parsers agree: every rule that a parser names has its row."""
import json
import os
import pathlib
import re
import subprocess
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
FAMILIES = ("catboost codec data file gguf lightgbm msgpack numpy onnx openvino pickle pmml r safetensors sentencepiece "
            "torch ubjson xgboost xml zip").split()


class Rules(unittest.TestCase):
    def rules(self):
        run = subprocess.run([TUTELA, "explain", "rules", "--format", "json"], capture_output=True,
                             timeout=60)
        self.assertEqual(run.returncode, 0)
        return {r["id"]: r for r in json.loads(run.stdout)["rules"]}

    def test_every_observation_has_its_rule(self):
        rules = self.rules()
        name = re.compile(r'"((?:%s)\.[a-z0-9-]+)"' % "|".join(FAMILIES))
        missing = []
        for source in sorted((SOURCE / "src").glob("formats/*.c")):
            text = source.read_text()
            for found in re.finditer(r"tut_(?:exam|pm)_observe\s*\([^;]*?;", text, re.S):
                missing += ["%s: %s" % (source.name, rule) for rule in name.findall(found.group(0))
                            if rule not in rules]
        self.assertEqual(missing, [])

    def test_no_rule_is_without_its_observer(self):
        sources = [*(SOURCE / "src/formats").glob("*.[chd]*"), *(SOURCE / "src/scan").glob("*.[ch]"),
                   *(SOURCE / "src/data").glob("*.[ch]"), SOURCE / "src/assess/collect_vet.c"]
        text = "".join(path.read_text() for path in sources)
        # What a reader of tables meets is named there without its family.
        text += "".join(f'"dataset.{name}"' for name in re.findall(r'X\([A-Z]+, "([a-z-]+)"', (SOURCE / "src/data/rows.h").read_text()))
        # The inventory's rows are named by the state of an asset.
        idle = [rule for rule in self.rules()
                if f'"{rule}"' not in text and not rule.startswith("inventory.")]
        self.assertEqual(idle, [])

    def test_every_rule_is_explained(self):
        for rule in self.rules():
            run = subprocess.run([TUTELA, "explain", rule], capture_output=True, timeout=60)
            self.assertEqual(run.returncode, 0, rule)
            self.assertTrue(run.stdout.startswith(rule.encode()))

    def test_a_slip_of_the_hand_gets_a_suggestion(self):
        run = subprocess.run([TUTELA, "explain", "pickle.call-on-lod"], capture_output=True,
                             timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b'Did you mean "pickle.call-on-load"?', run.stderr)

    def test_the_document_is_the_table(self):
        run = subprocess.run([TUTELA, "explain", "rules", "--format", "markdown"],
                             capture_output=True, timeout=60)
        self.assertEqual(run.stdout, (SOURCE / "docs" / "rules.md").read_bytes(),
                         "write it anew: tutela explain rules --format markdown > docs/rules.md")

    def formats(self):
        run = subprocess.run([TUTELA, "explain", "formats", "--format", "json"],
                             capture_output=True, timeout=60)
        self.assertEqual(run.returncode, 0)
        document = json.loads(run.stdout)
        self.assertEqual(document["schema"], "tutela.formats/1")
        self.assertEqual(document["summary"]["formats"], len(document["formats"]))
        return document["formats"]

    def test_the_list_of_formats_is_the_registry(self):
        run = subprocess.run([TUTELA, "explain", "formats", "--format", "markdown"],
                             capture_output=True, timeout=60)
        self.assertEqual(run.stdout, (SOURCE / "docs" / "formats.md").read_bytes(),
                         "write it anew: tutela explain formats --format markdown > docs/formats.md")
        rows = re.findall(r"^ROW", (SOURCE / "src/formats/table.def").read_text(), re.M)
        self.assertEqual(len(self.formats()), len(rows))

    def test_formats_name_families_of_rules_that_there_are(self):
        families = {rule.split(".")[0] for rule in self.rules()}
        for row in self.formats():
            self.assertLessEqual(set(row["rules"]), families, row["name"])
        told = {family for row in self.formats() for family in row["rules"]}
        self.assertEqual(families - told - {"dataset", "file", "inventory", "personal", "secret", "user"}, set())


if __name__ == "__main__":
    unittest.main()
