"""tutela threats import: a Threagile model becomes sections of tutela.yaml that load, are judged and are drawn; bad ones are refused."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from threats_world import SOURCE, World  # noqa: E402

MODEL = SOURCE / "tests" / "fuzz" / "seeds" / "threagile" / "shop.yaml"
HEAD = """schema: tutela.system/1
system:
  name: shop
  version: "1"
  purpose: tests
  owners: [a]
  contacts: [b]
assets:
  - id: model/m
    path: classifier.onnx
    origin: supplier
    licence: MIT

# who is who
roles:
  developer: d
"""


class Import(World):
    def run_import(self, text, *options, expect=0):
        file = self.root.parent / "threagile.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.tutela("threats", "import", str(file), *options, expect=expect)

    def test_it_prints_sections_and_lists_what_stays_behind(self):
        run = self.tutela("threats", "import", str(MODEL), expect=0)
        for key in ("assets:", "components:", "flows:", "boundaries:", "threats:"):
            self.assertIn("\n" + key + "\n", run.stdout)
        self.assertIn("Not carried over:", run.stderr)
        self.assertIn("technical_assets.*.multi_tenant (Web Server)", run.stderr)
        self.assertIn("5 components, 4 flows, 3 boundaries, 2 data assets, 2 treatments", run.stderr)
        doc = json.loads(self.tutela("threats", "import", str(MODEL), "--format", "json", expect=0).stdout)
        self.assertEqual(doc["schema"], "tutela.threats-import/1")
        self.assertEqual(doc["summary"]["flows"], 4)
        self.assertEqual(doc["yaml"], run.stdout)
        self.assertIn({"place": "technical_assets.*", "field": "no_such_field", "first": "Recommender", "count": 1,
                       "why": "this is no field of Threagile's schema"}, doc["notes"])
        out = self.root.parent / "out.yaml"
        self.tutela("threats", "import", str(MODEL), "--out", str(out), expect=0)
        self.assertEqual(out.read_text(), run.stdout)

    def test_merged_it_is_judged_with_its_treatments(self):
        self.describe(HEAD)
        self.tutela("threats", "import", str(MODEL), "--merge", expect=0)
        text = (self.root / "tutela.yaml").read_text()
        self.assertTrue(text.startswith(HEAD.split("\n# who")[0]))
        self.assertIn("\n\n# who is who\nroles:\n  developer: d\n", text)
        self.assess()
        doc = self.threats()
        kinds = {e["id"]: e["attributes"].get("kind", "model") for e in doc["elements"] if e["on"] == "component"}
        self.assertEqual(kinds, {"client": "user-client", "web": "service", "db": "dataset-store", "ai": "model", "partner": "service"})
        risks = {r["id"]: r for r in doc["risks"]}
        plain = risks["plain-flow@web.shop-traffic"] if "plain-flow@web.shop-traffic" in risks else None
        auth = risks.get("nobody-authenticates@ai")
        for risk, treatment in ((plain, "accept"), (auth, "mitigate")):
            if risk:
                self.assertEqual(risk["treatment"]["treatment"], treatment)
                self.assertNotEqual(risk["state"], "treated", "a status that somebody typed proves nothing")
        self.assertIn("is still to be said", json.dumps(doc["gaps"]), "trust is left to say")
        before = text
        run = self.tutela("threats", "import", str(MODEL), "--merge", expect=2)
        self.assertIn("has a section components already", run.stderr)
        self.assertEqual((self.root / "tutela.yaml").read_text(), before)

    def test_a_merge_that_would_not_load_changes_nothing(self):
        text = HEAD.replace("id: model/m", "id: dataset/orders")
        self.describe(text)
        run = self.tutela("threats", "import", str(MODEL), "--merge", expect=2)
        self.assertIn("dataset/orders", run.stderr)
        self.assertEqual((self.root / "tutela.yaml").read_text(), text)
        (self.root / "tutela.yaml").unlink()
        self.assertIn("no tutela.yaml is here", self.tutela("threats", "import", str(MODEL), "--merge", expect=2).stderr)
        self.assertIn("either --out or --merge", self.tutela("threats", "import", str(MODEL), "--merge", "--out", "x", expect=2).stderr)

    def test_hostile_files_are_refused_with_a_place(self):
        one = "technical_assets:\n  A:\n    id: a\n"
        wide = "x0: &m0 {q: 1}\n" + "".join(
            f"x{i}: &m{i}\n  <<: [{', '.join([f'*m{i - 1}'] * 40)}]\n" for i in range(1, 8)) + "technical_assets:\n  A:\n    <<: *m7\n"
        for text, says in (("", "is a mapping"), ("title: x\n", "no technical_assets"), (one + "    type: cloud\n", "no type of Threagile"),
                           (one + "    owner: !!python/object x\n", "a tag"), (one + "    owner: *x\n", "no anchor"),
                           (wide, "too many"), ("[" * 5000, ""), (b"\xff\xfe\x00", ""), (one + "    id: \"\\0\"\n", "")):
            run = self.run_import(text, expect=2)
            self.assertIn(says, " ".join(run.stderr.split()))
            self.assertNotIn("BUG", run.stderr)
            self.assertEqual(run.stdout, "")
        self.assertEqual(self.tutela("threats", "import", "/nonexistent", expect=2).stderr.count("\n"), 1)

    def test_what_is_named_cannot_break_out_of_its_line(self):
        text = 'title: "x\\n- evil: 1"\ntechnical_assets:\n  "A\\nassets: []":\n    id: a\n    owner: "o\\nroles: {}"\n'
        out = self.run_import(text).stdout
        self.describe(HEAD.split("assets:")[0] + out)
        self.assertEqual({e["id"] for e in self.threats()["elements"] if e["on"] == "component"}, {"a"})
        self.assertNotIn("\nroles:", out)


if __name__ == "__main__":
    unittest.main()
