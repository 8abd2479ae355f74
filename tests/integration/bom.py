"""tutela bom through the real command: valid where others judge it, whole where only we can, signed, logged, and honest
about what is not known or has changed."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
SCHEMAS = SOURCE / ".." / "shared" / "data" / "schemas"
NODE = SOURCE / "tests" / "node"
SPECS = ("cyclonedx-1.6", "cyclonedx-1.7", "spdx-3.0.1")
NOBODY = "https://spdx.org/rdf/3.0.1/terms/"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Bom(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tutela-bom-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.env = dict(os.environ, XDG_DATA_HOME=str(self.root / "data"), XDG_CONFIG_HOME=str(self.root / "config"))
        self.dir = self.root / "sys"

    def tutela(self, *args, expect=None, **more):
        p = subprocess.run([TUTELA, *map(str, args)], cwd=self.root, env=dict(self.env, **more), capture_output=True,
                           text=True, timeout=120, stdin=subprocess.DEVNULL)
        if expect is not None:
            self.assertEqual(p.returncode, expect, (args, p.stdout[-2000:], p.stderr))
        return p

    def example(self, name):
        shutil.copytree(SOURCE / "examples" / name, self.dir)

    def bill(self, spec, *args, expect=0, **more):
        text = self.tutela("bom", self.dir, "--spec", spec, *args, expect=expect, **more).stdout
        bom = json.loads(text)
        self.check(spec, bom, text)
        return bom

    # --- what others say: all bills of a run are held against the schemas at once, when the tests are done ---

    @classmethod
    def setUpClass(cls):
        cls.judged = pathlib.Path(tempfile.mkdtemp(prefix="tutela-bills-"))
        cls.queue = []

    @classmethod
    def tearDownClass(cls):
        try:
            if not cls.queue or not SCHEMAS.is_dir() or not (NODE / "node_modules" / "@cyclonedx").is_dir():
                return
            (cls.judged / "list").write_text("\n".join(cls.queue) + "\n")
            p = subprocess.run(["node", "bills.mjs", str(SCHEMAS.resolve()), str(cls.judged / "list")], cwd=NODE,
                               capture_output=True, text=True, timeout=200)
            print(p.stdout, end="")
            assert p.returncode == 0, p.stderr[-4000:]
        finally:
            shutil.rmtree(cls.judged)

    def validate(self, spec, text, key=None):
        path = self.judged / f"{len(self.queue)}-{self.id().split('.')[-1]}.json"
        path.write_text(text)
        line = f"{spec} {path}"
        if key:
            shutil.copy(key, path.with_suffix(".pub"))
            line += f" {path.with_suffix('.pub')}"
        self.queue.append(line)

    # --- what only we can say: everything leads somewhere ---

    def check(self, spec, bom, text):
        self.validate(spec, text)
        if spec == "spdx-3.0.1":
            self.check_spdx(bom)
        else:
            self.check_cyclonedx(bom)

    def check_cyclonedx(self, bom):
        refs = ["system"] + [c["bom-ref"] for c in bom["components"]] + [s["bom-ref"] for s in bom["services"]]
        self.assertEqual(bom["metadata"]["component"]["bom-ref"], "system")
        self.assertEqual(len(refs), len(set(refs)), "refs are unique")
        known = set(refs)
        nodes = [d["ref"] for d in bom["dependencies"]]
        self.assertEqual(sorted(nodes), sorted(refs), "every part has its node, leaves too")
        for d in bom["dependencies"]:
            self.assertLessEqual(set(d["dependsOn"]), known, d["ref"])
            self.assertEqual(len(d["dependsOn"]), len(set(d["dependsOn"])))
        for c in bom["compositions"]:
            self.assertLessEqual(set(c.get("assemblies", []) + c.get("dependencies", [])), known)
        for c in bom["components"]:
            for d in c.get("modelCard", {}).get("modelParameters", {}).get("datasets", []):
                self.assertIn(d["ref"], known)
        for value in self.properties(bom, "tutela:g7:").values():
            self.assertRegex(value, "^(not known|known)")
        self.assertEqual(len(self.properties(bom, "tutela:g7:")), 50)
        if "declarations" in bom:
            self.check_declarations(bom)

    def check_declarations(self, bom):
        declarations = bom["declarations"]
        evidence = {e["bom-ref"] for e in declarations["evidence"]}
        claims = {c["bom-ref"]: c for c in declarations["claims"]}
        requirements = {r["bom-ref"] for r in bom["definitions"]["standards"][0]["requirements"]}
        self.assertEqual(len(requirements), 72)
        used = set()
        for entry in declarations["attestations"][0]["map"]:
            self.assertIn(entry["requirement"], requirements)
            both = entry.get("claims", []) + entry.get("counterClaims", [])
            self.assertLessEqual(len(both), 1)
            used.update(both)
            score = entry["conformance"].get("score")
            self.assertEqual(score, 1 if "claims" in entry else 0 if "counterClaims" in entry else
                             0.5 if entry["conformance"]["rationale"].startswith("Partly met") else None)
        self.assertEqual(used, set(claims))
        self.assertNotIn("affirmation", declarations)
        for claim in claims.values():
            self.assertEqual(claim["target"], "system")
            self.assertTrue(claim["reasoning"])
            self.assertLessEqual(set(claim.get("evidence", []) + claim.get("counterEvidence", [])), evidence)

    def check_spdx(self, bom):
        graph = bom["@graph"]
        ids = [e["spdxId"] for e in graph if "spdxId" in e]
        self.assertEqual(len(ids), len(set(ids)), "ids are unique")
        known = set(ids)
        for e in graph:
            self.assertEqual(e.get("creationInfo", "_:creationinfo"), "_:creationinfo")
            targets = []
            if e["type"] == "Relationship":
                targets = [e["from"], *e["to"]]
            for key in ("suppliedBy",):
                targets += [e[key]] if key in e else []
            for key in ("originatedBy", "rootElement", "element", "createdBy", "createdUsing"):
                targets += e.get(key, [])
            for t in targets:
                self.assertTrue(t in known or t.startswith(NOBODY), t)
        document = [e for e in graph if e["type"] == "SpdxDocument"]
        self.assertEqual(len(document), 1)
        self.assertEqual(sorted(document[0]["element"]), sorted(i for i in ids if i != document[0]["spdxId"]))
        entries = document[0]["extension"][0]["extension_cdxProperty"]
        self.assertEqual(sum(p["extension_cdxPropName"].startswith("tutela:g7:") for p in entries), 50)
        for e in graph:
            if e["type"] in ("ai_AIPackage", "dataset_DatasetPackage") and not e["spdxId"].endswith("#system"):
                for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
                    self.assertEqual(sum(r.get("relationshipType") == kind and r["from"] == e["spdxId"]
                                         for r in graph), 1)
        # A profile is claimed only with all that it wants.
        profiles = document[0]["profileConformance"]
        ai = [e for e in graph if e["type"] == "ai_AIPackage"]
        wants = ("releaseTime", "suppliedBy", "software_downloadLocation", "software_packageVersion")
        if "ai" in profiles:
            self.assertTrue(all(k in e for e in ai for k in wants))

    @staticmethod
    def properties(thing, prefix):
        return {p["name"]: p["value"] for p in thing.get("properties", []) if p["name"].startswith(prefix)}

    @staticmethod
    def component(bom, ref):
        return next(c for c in bom["components"] if c["bom-ref"] == ref)

    # --- the tests ---

    def test_both_examples_are_valid_in_every_format(self):
        for name, status in (("credit-scoring", 0), ("support-assistant", None)):
            with self.subTest(name):
                self.example(name)
                self.tutela("assess", self.dir)
                for spec in SPECS:
                    self.bill(spec, expect=status)
                shutil.rmtree(self.dir)

    def test_reports_hold_the_bills_and_report_prints_one(self):
        self.example("credit-scoring")
        self.tutela("assess", self.dir)
        latest = self.dir / ".tutela" / "reports" / "latest"
        text = (latest / "bom.cdx.json").read_text()
        self.check("cyclonedx-1.6", json.loads(text), text)
        spdx = (latest / "bom.spdx.json").read_text()
        self.check("spdx-3.0.1", json.loads(spdx), spdx)
        report = json.loads((latest / "report.json").read_text())
        bom = json.loads(text)
        self.assertEqual(bom["metadata"]["timestamp"], report["evaluated_at"])
        again = self.tutela("assess", self.dir, "--at", report["evaluated_at"], "--format", "json")
        self.assertIn(again.returncode, (0, 1, 3))
        self.assertEqual((latest / "bom.cdx.json").read_text(), text, "a pure function of the records")
        printed = json.loads(self.tutela("report", self.dir, "--format", "cyclonedx").stdout)
        self.assertEqual(printed["serialNumber"], bom["serialNumber"])
        for control in report["controls"]:
            entry = next(e for e in bom["declarations"]["attestations"][0]["map"]
                         if e["requirement"] == "requirement/" + control["id"])
            self.assertEqual("claims" in entry, control["verdict"] == "met", control["id"])
            self.assertEqual("counterClaims" in entry, control["verdict"] == "not_met", control["id"])

    def test_the_same_facts_are_the_same_bytes(self):
        self.example("credit-scoring")
        first = self.tutela("bom", self.dir, "--no-log", SOURCE_DATE_EPOCH="1700000000", expect=0).stdout
        second = self.tutela("bom", self.dir, "--no-log", SOURCE_DATE_EPOCH="1700000000", expect=0).stdout
        self.assertEqual(first, second)
        self.assertEqual(json.loads(first)["metadata"]["timestamp"], "2023-11-14T22:13:20Z")
        self.assertNotIn("signature", json.loads(first))
        self.assertFalse((self.dir / ".tutela").exists(), "--no-log leaves no trace")
        (self.dir / "config.yaml").write_text("threshold: 0.4\n")
        other = self.tutela("bom", self.dir, "--no-log", expect=1).stdout
        self.assertNotEqual(json.loads(other)["serialNumber"], json.loads(first)["serialNumber"])

    def test_measured_and_declared_are_told_apart(self):
        self.example("support-assistant")
        bom = self.bill("cyclonedx-1.6", "--no-log", expect=None)
        model = self.component(bom, "model/assistant-q4")
        self.assertEqual([(l["license"]["id"], l["license"]["acknowledgement"]) for l in model["licenses"]],
                         [("Apache-2.0", "concluded"), ("Apache-2.0", "declared")])
        self.assertEqual(self.properties(model, "tutela:file:gguf.architecture"),
                         {"tutela:file:gguf.architecture": "llama"})
        self.assertEqual(self.properties(model, "tutela:declared:origin"), {"tutela:declared:origin": "public"})
        self.assertEqual(self.properties(model, "tutela:source:hashes"), {"tutela:source:hashes": "file"})
        self.assertEqual(model["hashes"][0]["content"],
                         hashlib.sha256((self.dir / "models" / "assistant-q4.gguf").read_bytes()).hexdigest())
        self.assertIn("tutela:g7:Models-03", self.properties(model, "tutela:g7:"))
        data = self.component(bom, "dataset/tickets-eval")["data"][0]
        self.assertEqual((data["type"], data["classification"]), ("dataset", "internal"))
        self.assertEqual(data["governance"]["custodians"], [{"organization": {"name": "knowledge team"}}])
        guard = next(s for s in bom["services"] if s["bom-ref"] == "part/guard")
        self.assertTrue(guard["authenticated"] and guard["x-trust-boundary"])
        self.assertEqual({d["name"]: d["flow"] for d in guard["data"]},
                         {"question": "inbound", "checked-question": "outbound", "texts": "outbound"})

    def write_card(self):
        (self.dir / "MODEL_CARD.md").write_text(
            "---\nlicense: mit\ndatasets: [applications-train]\nmodel-index:\n- name: c\n  results:\n"
            "  - task: {type: tabular-classification}\n    dataset: {name: applications-test, type: csv}\n"
            "    metrics:\n    - {type: accuracy, value: 0.91}\n    - {value: 0.87, name: F1, type: f1}\n---\n"
            "# Card\n\nScores applicants.\n\nMore.\n\n## Intended use\nSupport.\n\n## Limits\nRare incomes.\n\n"
            "## Training data\n450 rows.\n\n## Risks\n[More Information Needed]\n")

    def test_a_card_speaks_for_its_model(self):
        self.example("credit-scoring")
        self.write_card()
        self.tutela("init", self.dir, "--accept", "document/model-card", expect=0)
        bom = self.bill("cyclonedx-1.7")
        model = self.component(bom, "model/classifier")
        card = model["modelCard"]
        self.assertEqual(model["description"], "Scores applicants.")
        self.assertEqual(card["modelParameters"]["task"], "tabular-classification")
        self.assertEqual(card["considerations"], {"useCases": ["Support."], "technicalLimitations": ["Rare incomes."]})
        self.assertEqual(card["quantitativeAnalysis"]["performanceMetrics"],
                         [{"type": "accuracy", "value": "0.91", "slice": "applications-test"},
                          {"type": "f1", "value": "0.87", "slice": "applications-test"}])
        self.assertEqual([(l["license"]["id"], l["license"]["acknowledgement"]) for l in model["licenses"]],
                         [("Apache-2.0", "concluded"), ("MIT", "declared")])
        onnx = self.component(bom, "model/classifier-onnx")
        self.assertEqual([a["name"] for a in onnx["pedigree"]["ancestors"]], ["model/classifier"])
        graph = self.bill("spdx-3.0.1")["@graph"]
        links = {(r["relationshipType"], r["from"].split("#")[1], r["to"][0].split("#")[1])
                 for r in graph if r.get("relationshipType") in ("trainedOn", "testedOn")}
        self.assertIn(("trainedOn", "asset/model/classifier", "asset/dataset/applications-train"), links)
        self.assertIn(("testedOn", "asset/model/classifier", "asset/dataset/applications-test"), links)

    # --- signed and logged ---

    def keys(self, kind):
        private, public = self.root / f"{kind}.pem", self.root / f"{kind}.pub"
        if kind == "ed25519":
            openssl("genpkey", "-algorithm", "ed25519", "-out", private)
        else:
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind, "-out", private)
        private.chmod(0o600)
        openssl("pkey", "-in", private, "-pubout", "-out", public)
        return private, public

    def test_the_signature_verifies_in_node_for_every_kind_of_key(self):
        self.example("credit-scoring")
        for kind, name in (("ed25519", "Ed25519"), ("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")):
            private, public = self.keys(kind)
            for _ in range(4):  # R and S are of any length
                text = self.tutela("bom", self.dir, "--no-log", "--key", private, expect=0).stdout
                self.assertEqual(json.loads(text)["signature"]["algorithm"], name)
                self.validate("cyclonedx-1.6", text, public)

    def test_a_key_that_cannot_sign_is_refused(self):
        self.example("credit-scoring")
        p = self.tutela("bom", self.dir, "--no-log", "--key", self.root / "none.pem", expect=2)
        self.assertIn("none.pem", p.stderr)
        self.assertEqual(p.stdout, "")

    def test_the_digest_is_on_record_and_the_tool_signed_it(self):
        self.example("credit-scoring")
        output = self.dir / "bom.cdx.json"
        p = self.tutela("bom", self.dir, "--output", output, "--format", "json", expect=0)
        summary = json.loads(p.stdout)["summary"]
        digest = hashlib.sha256(output.read_bytes()).hexdigest()
        self.assertEqual(summary["digest"], {"sha256": digest})
        shown = self.tutela("ledger", "show", summary["record"], "--system", self.dir / "tutela.yaml", "--format", "json",
                            expect=0)
        self.assertIn(digest, shown.stdout)
        body = self.dir / ".tutela" / "bodies" / digest
        self.assertEqual(body.read_bytes(), output.read_bytes())
        tool = next((self.root / "data" / "tutela").glob("*/tool.key"))
        public = self.root / "tool.pub"
        openssl("pkey", "-in", tool, "-pubout", "-out", public)
        self.validate("cyclonedx-1.6", output.read_text(), public)
        # It speaks about assets and is none.
        self.tutela("inventory", self.dir, expect=0)

    # --- the control moves ---

    def want(self, *args, **more):
        report = json.loads(self.tutela("report", self.dir, "--format", "json", *args, **more).stdout)
        control = next(c for c in report["controls"] if c["id"] == "5.2.3-1")
        return control, [r for r in control["reasons"] if "bill of materials" in r or "tutela bom" in r]

    def test_the_control_follows_the_bill(self):
        self.example("credit-scoring")
        self.tutela("assess", self.dir)
        self.assertNotIn("bom.signed/1", [e["check"] for e in self.want()[0]["evidence"]])
        self.tutela("bom", self.dir, "--spec", "spdx-3.0.1", "--output", self.root / "b.spdx.json", expect=0)
        used = {e["check"]: e["use"] for e in self.want()[0]["evidence"]}
        self.assertEqual(used["bom.signed/1"], "counts")
        # Another description: the bill is about something else.
        path = self.dir / "tutela.yaml"
        path.write_text(path.read_text().replace("version: 1.1.0", "version: 1.2.0"))
        self.tutela("assess", self.dir)
        control, reasons = self.want()
        self.assertNotIn("counts", [e["use"] for e in control["evidence"] if e["check"] == "bom.signed/1"])
        self.assertTrue(reasons, control["reasons"])
        self.tutela("bom", self.dir, "--output", self.root / "b.cdx.json", expect=0)
        self.assertIn("counts", [e["use"] for e in self.want()[0]["evidence"] if e["check"] == "bom.signed/1"])

    def test_a_bill_of_a_tree_that_is_not_as_described_contradicts(self):
        self.example("credit-scoring")
        self.tutela("assess", self.dir)
        (self.dir / "extra.csv").write_text("a,b\n1,2\n3,4\n")
        bom = self.bill("cyclonedx-1.6", expect=1)
        self.assertEqual(bom["compositions"][0], {"aggregate": "incomplete", "assemblies": ["system"]})
        used = {e["check"]: e["use"] for e in self.want()[0]["evidence"]}
        self.assertEqual(used["bom.signed/1"], "contradicts")

    def test_what_changed_since_the_evidence_is_said(self):
        self.example("credit-scoring")
        self.tutela("assess", self.dir)
        (self.dir / "config.yaml").write_text("threshold: 0.4\n")
        bom = self.bill("cyclonedx-1.6", expect=1)
        changed = [c["bom-ref"] for c in bom["components"] if self.properties(c, "tutela:inventory:evidence")]
        self.assertEqual(changed, ["config/scoring"])
        self.assertIn("of 1 assets", bom["declarations"]["attestations"][0]["summary"])
        p = self.tutela("bom", self.dir, "--output", self.root / "b.cdx.json", expect=1)
        self.assertIn("no evidence is about these bytes", p.stdout)

    def test_a_log_that_does_not_verify_carries_no_bill(self):
        self.example("credit-scoring")
        self.tutela("assess", self.dir)
        journal = self.dir / ".tutela" / "ledger" / "evidence" / "journal"
        whole = bytearray(journal.read_bytes())
        whole[len(whole) // 2] ^= 1
        journal.write_bytes(whole)
        p = self.tutela("bom", self.dir, expect=2)
        self.assertEqual(p.stdout, "")
        self.assertIn("tutela ledger verify", p.stderr)
        self.assertEqual(journal.read_bytes(), whole)
        self.bill("cyclonedx-1.6", "--no-log")

    def test_a_profile_of_spdx_is_claimed_when_all_that_it_wants_is_known(self):
        self.dir.mkdir()
        (self.dir / "d.csv").write_text("a,b\n1,2\n3,4\n")
        digest = hashlib.sha256((self.dir / "d.csv").read_bytes()).hexdigest()
        whole = f"""schema: tutela.system/1
system:
  name: n
  version: 1.0
  url: https://example.org/n
  hardware: [2 x H100]
  released_at: 2026-02-01
roles:
  developer: us
assets:
  - id: dataset/d
    path: d.csv
    digest: sha256:{digest}
    url: https://example.org/d
    supplier: them
    version: 3
    collected_at: 2026-01-01
    released_at: 2026-01-02T03:04:05Z
"""
        for text, claimed in ((whole, {"ai", "dataset"}), (whole.replace("    supplier: them\n", ""), {"ai"}),
                              (whole.replace("  url: https://example.org/n\n", ""), {"dataset"})):
            (self.dir / "tutela.yaml").write_text(text)
            graph = self.bill("spdx-3.0.1", "--no-log")["@graph"]
            document = next(e for e in graph if e["type"] == "SpdxDocument")
            self.assertEqual(set(document["profileConformance"]) & {"ai", "dataset"}, claimed)
            self.assertEqual("comment" in document, len(claimed) < 2)
        data = next(e for e in graph if e["type"] == "dataset_DatasetPackage")
        self.assertEqual((data["builtTime"], data["releaseTime"]), ("2026-01-01T00:00:00Z", "2026-01-02T03:04:05Z"))
        d = json.loads(self.tutela("bom", self.dir, "--g7", "--no-log", "--format", "json", expect=0).stdout)
        states = {e["id"]: e["state"] for e in d["elements"]}
        self.assertEqual((states["System-05"], states["Infrastructure-02"]), ("known", "known"))

    # --- odd trees ---

    def test_a_tree_that_nobody_described_has_a_bill_too(self):
        self.dir.mkdir()
        (self.dir / "data.csv").write_text("a,b\n1,2\n3,4\n")
        for spec in SPECS:
            bom = self.bill(spec)
        p = self.tutela("bom", self.dir, "--output", self.root / "x.cdx.json", expect=0)
        self.assertIn("no tutela.yaml describes the system", p.stdout)
        self.assertFalse((self.dir / ".tutela").exists())

    def test_nothing_recognised_is_no_green(self):
        self.dir.mkdir()
        (self.dir / "x.xyz").write_text("x")
        for spec in SPECS:
            self.bill(spec, expect=3)

    def test_hostile_names_and_words(self):
        self.dir.mkdir()
        names = [b'quo"te.csv', b"con\ntrol\x01.csv", b"bytes\xff\xfe.csv", b"bytes\xff\xfd.csv",
                 "bidi\u202eevil\u2066.csv".encode(), b"l" * 240 + b".csv", b"back\\slash.csv", b"sp ace#%41.csv",
                 b"{}[]<>|^`.csv", "\u00e9\U0001f600.csv".encode()]
        for i, name in enumerate(names):
            with open(os.path.join(os.fsencode(self.dir), name), "wb") as f:
                f.write(b"a,b\n%d,2\n3,4\n" % i)
        for spec in SPECS:
            self.bill(spec)
        self.tutela("init", self.dir)
        path = self.dir / "tutela.yaml"
        text = path.read_text()
        self.assertIn("assets:", text)
        for spec in SPECS:
            self.bill(spec, expect=None)

    def test_words_of_the_description_that_fit_no_field(self):
        self.dir.mkdir()
        (self.dir / "d.csv").write_text("a,b\n1,2\n3,4\n")
        digest = hashlib.sha256((self.dir / "d.csv").read_bytes()).hexdigest()
        (self.dir / "tutela.yaml").write_text(f"""schema: tutela.system/1
system:
  name: "\\u202Eodd \\"name\\""
  version: "{'9' * 2000}"
  contacts: ["Office: a@b", "x@@y", "not an address", "ops@example.org"]
  owners: ["a@example.org", "A B"]
assets:
  - id: dataset/d
    path: d.csv
    digest: sha256:{digest}
    url: "http://[::bad/ path"
    licence: "Weird licence (v2) \\u202E"
    sensitivity: personal
    version: "{'8' * 2000}"
  - id: service/llm
    url: https://api.example.org/v1?a=b c
    origin: supplier
    licence: MIT OR Apache-2.0
components:
  - id: "odd part"
    kind: agent
    asset: service/llm
flows:
  - id: f
    from: "odd part"
    to: "odd part"
    data: [dataset/d]
""")
        bom = self.bill("cyclonedx-1.6", "--no-log")
        d = self.component(bom, "dataset/d")
        self.assertEqual(d["licenses"][0]["license"]["name"], "Weird licence (v2) \u202e")
        self.assertEqual(d["data"][0]["sensitiveData"], ["personal data"])
        self.assertNotIn("contents", d["data"][0])
        self.assertEqual(self.properties(d, "tutela:declared:url"), {"tutela:declared:url": "http://[::bad/ path"})
        service = next(s for s in bom["services"] if s["bom-ref"] == "service/llm")
        self.assertEqual(service["endpoints"], ["https://api.example.org/v1?a=b%20c"])
        self.assertEqual(service["licenses"], [{"expression": "MIT OR Apache-2.0", "acknowledgement": "concluded"}])
        for spec in SPECS[1:]:
            self.bill(spec, "--no-log")

    def test_an_asset_of_many_files_lists_them(self):
        self.dir.mkdir()
        app = self.dir / "app"
        app.mkdir()
        for i in range(3):
            (app / f"m{i}.py").write_text(f"x = {i}\n")
        bom = self.bill("cyclonedx-1.6")
        parts = self.component(bom, "code/app")
        self.assertEqual([p["name"] for p in parts["components"]], ["app/m0.py", "app/m1.py", "app/m2.py"])
        self.assertIn("tutela:source:hashes:of", self.properties(parts, "tutela:source:"))
        self.bill("spdx-3.0.1")

    def test_packages_of_lock_files_are_libraries_with_their_urls(self):
        self.dir.mkdir()
        digest = hashlib.sha256(b"x").hexdigest()
        (self.dir / "requirements.txt").write_text(f"Torch_Text==2.1 --hash=sha256:{digest}\nnumpy==1.24.2\n")
        (self.dir / "package-lock.json").write_text(json.dumps({
            "name": "app", "lockfileVersion": 3,
            "packages": {"": {"name": "app"}, "node_modules/@scope/part": {
                "version": "1.2.3", "integrity": "sha512-" + "A" * 86 + "=="}}}))
        bom = self.bill("cyclonedx-1.6")
        packages = {c["purl"]: c for c in bom["components"] if c["type"] == "library"}
        self.assertEqual(sorted(packages), ["pkg:npm/%40scope/part@1.2.3", "pkg:pypi/numpy@1.24.2",
                                            "pkg:pypi/torch-text@2.1"])
        self.assertEqual(packages["pkg:pypi/torch-text@2.1"]["hashes"], [{"alg": "SHA-256", "content": digest}])
        self.assertEqual(packages["pkg:npm/%40scope/part@1.2.3"]["hashes"], [{"alg": "SHA-512", "content": "0" * 128}])
        lock = next(d for d in bom["dependencies"] if "pkg:pypi/numpy@1.24.2" in d["dependsOn"])
        self.assertTrue(lock["ref"].startswith("code/"), lock)
        self.assertEqual(self.properties(bom, "tutela:g7:Infrastructure-01"),
                         {"tutela:g7:Infrastructure-01": "known: components[] of type library"})
        for spec in SPECS[1:]:
            self.bill(spec)

    # --- the G7 list ---

    def test_the_coverage_is_printed_for_people_and_machines(self):
        self.example("credit-scoring")
        d = json.loads(self.tutela("bom", self.dir, "--g7", "--format", "json", expect=0).stdout)
        self.assertEqual(d["schema"], "tutela.bom/1")
        self.assertEqual(len(d["elements"]), 50)
        states = [e["state"] for e in d["elements"]]
        self.assertEqual(d["summary"]["g7"], {"known": states.count("known"), "partly": states.count("partly"),
                                              "not_known": states.count("not_known")})
        table = self.tutela("bom", self.dir, "--g7", expect=0).stdout
        for e in d["elements"]:
            self.assertIn(e["id"], table)
        self.assertFalse((self.dir / ".tutela").exists(), "looking leaves no trace")

    def test_usage(self):
        self.dir.mkdir()
        self.assertIn("cyclonedx-1.6", self.tutela("bom", self.dir, "--spec", "spdx-2.3", expect=2).stderr)


if __name__ == "__main__":
    if not SCHEMAS.is_dir():
        print("skipped in part: the schemas are not at ../shared/data/schemas")
    elif not (NODE / "node_modules" / "@cyclonedx").is_dir():
        print("skipped in part: the npm packages of tests/node are not installed (make check installs them)")
    unittest.main()
