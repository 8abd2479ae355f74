"""The OSCAL documents: valid by NIST's schemas, of one piece, derived, and with every verdict in them."""
import copy
import hashlib
import json
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
SCHEMAS = SOURCE / ".." / "shared" / "data" / "schemas" / "oscal"
NODE = SOURCE / "tests" / "node"
NS = "urn:tutela:oscal:1"
MODELS = ("catalog", "component-definition", "assessment-results", "mapping-collection")
REFERENCES = ("component-uuid", "observation-uuid", "risk-uuid", "subject-uuid", "actor-uuid")
OWN_NAMES = {"label", "sort-id", "version", "asset-id", "state"}  # of OSCAL itself, without a namespace


class Bomb:
    def __reduce__(self):
        return (os.system, ("true",))


def walk(value, key=None):
    """Every (key, value) of a document, at any depth."""
    yield key, value
    if isinstance(value, dict):
        for k, v in value.items():
            yield from walk(v, k)
    if isinstance(value, list):
        for v in value:
            yield from walk(v, key)


def seams(document):
    """What a schema cannot see: identifiers that are not unique or derived, and references that lead nowhere."""
    wrong = []
    seen = [v for k, v in walk(document) if k == "uuid"]
    ids = [v for k, v in walk(document) if k == "id" and re.fullmatch(r"en304223-[\w.-]+|secure-[\w-]+", v)]
    for name, items in (("uuid", seen), ("id", ids)):
        wrong += [f"{name} twice: {x}" for x in {x for x in items if items.count(x) > 1}]
    wrong += [f"not of version 5: {x}" for x in seen if uuid.UUID(x).version != 5]
    known = set(seen) | set(ids)
    for k, v in walk(document):
        if k in REFERENCES and v not in known:
            wrong.append(f"{k} leads nowhere: {v}")
        if k in ("href", "source") and isinstance(v, str) and v.startswith("#") and v[1:] not in known:
            wrong.append(f"{k} leads nowhere: {v}")
        if k == "props":
            wrong += [f"prop without a namespace: {p}" for p in (v if isinstance(v, list) else [])
                      if "ns" not in p and p["name"] not in OWN_NAMES]
    return wrong


def props(item):
    return {p["name"]: p["value"] for p in item.get("props", [])}


class Oscal(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="tutela-oscal-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.env = {**{k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"},
                    "XDG_DATA_HOME": str(self.tmp / "keys"),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def run_it(self, *args, cwd=None, env=None, ago=None, expect=None):
        clock = ["faketime", "-f", ago] if ago else []
        p = subprocess.run([*clock, TUTELA, *map(str, args)], cwd=cwd or self.tmp, env={**self.env, **(env or {})},
                           capture_output=True, text=True, timeout=120)
        if expect is not None:
            self.assertEqual(p.returncode, expect, (args, p.stdout[-2000:], p.stderr))
        return p

    def system(self, name="sys", models=("base", "tuned")):
        root = self.tmp / name
        root.mkdir()
        for m in models:
            (root / (m + ".pkl")).write_bytes(pickle.dumps({"name": m}, 4))
        self.run_it("init", root, expect=0)
        return root

    def folder(self, root):
        return (root / ".tutela" / "reports" / "latest").resolve() / "oscal"

    def errors_of(self, *files):
        """What NIST's schemas say, by file."""
        if not (SCHEMAS.is_dir() and (NODE / "node_modules" / "ajv").is_dir()):
            self.skipTest("the schemas of OSCAL or their validator are absent")
        run = subprocess.run(["node", NODE / "oscal.mjs", SCHEMAS, *files], capture_output=True, text=True, timeout=100)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def documents(self, root):
        """The four, each looked through in full."""
        where = self.folder(root)
        files = [where / (m + ".json") for m in MODELS]
        self.assertEqual(sorted(where.iterdir()), sorted(files))
        docs = {}
        for m, f in zip(MODELS, files):
            whole = json.loads(f.read_text())
            self.assertEqual(list(whole), [m])
            docs[m] = whole[m]
            self.assertEqual(seams(docs[m]), [], m)
        self.assertEqual(set(map(tuple, self.errors_of(*files).values())), {()})
        self.look_across(docs)
        self.look_at_evidence(docs["assessment-results"], where)
        return docs

    def look_across(self, docs):
        controls = {v["id"] for k, v in walk(docs["catalog"]) if isinstance(v, dict) and "parts" in v and "title" in v}
        statements = {v["id"] for k, v in walk(docs["catalog"]) if isinstance(v, dict) and v.get("name") == "statement"}
        self.assertEqual((len(controls), len(statements)), (72, 72))
        named = {v for k, v in walk(docs["component-definition"]) if k == "control-id"}
        self.assertEqual(named, controls)
        for mapping in docs["mapping-collection"]["mappings"]:
            mapped = {s["id-ref"] for m in mapping["maps"] for s in m["sources"]}
            gaps = {i for g in mapping.get("source-gap-summary", {}).get("unmapped-controls", []) for i in g["with-ids"]}
            self.assertEqual((mapped | gaps, mapped & gaps), (controls, set()))
        findings = docs["assessment-results"]["results"][0]["findings"]
        self.assertEqual({f["target"]["target-id"] for f in findings}, statements)
        versions = {d["metadata"]["oscal-version"] for d in docs.values()}
        self.assertEqual(versions, {"1.2.1"})

    def look_at_evidence(self, results, where):
        """The digests are those of files that are there."""
        hashed = 0
        for resource in results["back-matter"]["resources"]:
            for link in resource.get("rlinks", []):
                if "://" in link["href"]:
                    continue
                content = (where / link["href"]).read_bytes()
                for h in link.get("hashes", []):
                    self.assertEqual(h, {"algorithm": "SHA-256", "value": hashlib.sha256(content).hexdigest()})
                    hashed += 1
        observations = results["results"][0].get("observations", [])
        self.assertEqual(hashed, len(observations))

    def findings(self, docs):
        result = docs["assessment-results"]["results"][0]
        return {f["target"]["target-id"][len("en304223-"):-len("_smt")]: f for f in result["findings"]}

    def test_both_examples(self):
        for name in ("support-assistant", "credit-scoring"):
            root = self.tmp / name
            shutil.copytree(SOURCE / "examples" / name, root, ignore=shutil.ignore_patterns(".tutela"))
            self.run_it("assess", root)
            docs = self.documents(root)
            report = json.loads((self.folder(root) / ".." / "report.json").read_text())
            by_id = self.findings(docs)
            result = docs["assessment-results"]["results"][0]
            items = {props(i)["asset-id"]: props(i) for i in result["local-definitions"]["inventory-items"]
                     if "asset-kind" in props(i)}
            for a in report["assets"]:
                self.assertEqual((items[a["id"]]["state"], items[a["id"]]["cleared"]),
                                 (a["state"], "yes" if a["cleared"] else "no"))
                self.assertEqual(items[a["id"]].get("sha256"), a["digest"] and a["digest"]["sha256"])
            for c in report["controls"]:
                f = by_id[c["id"]]
                self.assertEqual(props(f)["verdict"], c["verdict"])
                self.assertEqual(f["target"]["status"]["state"] == "satisfied", c["verdict"] == "met")
                self.assertEqual(len(f.get("related-observations", [])), len({e["index"] for e in c["evidence"]}))
            indexes = {props(o)["log-index"] for o in result["observations"]}
            self.assertEqual(indexes, {str(e["index"]) for c in report["controls"] for e in c["evidence"]})
            not_met = {c["id"] for c in report["controls"] if c["verdict"] == "not_met"}
            self.assertEqual({r["title"].split()[0] for r in result.get("risks", [])}, not_met)

    def test_risks_of_the_threat_model(self):
        root = self.system()
        file = root / "tutela.yaml"
        file.write_text(file.read_text() + "threats:\n  claims:\n    - {control: due-diligence, note: the contract}\n")
        self.run_it("assess", root)
        result = self.documents(root)["assessment-results"]["results"][0]
        risks = {props(r)["risk"]: r for r in result["risks"] if "rule" in props(r)}
        model = {r["id"]: r for r in json.loads((self.folder(root).parent / "threat-model.json").read_text())["risks"]}
        self.assertEqual(set(risks), set(model))
        self.assertTrue(risks)
        status = {"open": "open", "treated": "remediating", "accepted": "deviation-approved", "tolerated": "deviation-approved"}
        for name, risk in risks.items():
            m = model[name]
            self.assertEqual((risk["status"], props(risk)["state"]), (status[m["state"]], m["state"]))
            self.assertEqual([t["id"].rsplit("/", 1)[1] for t in risk.get("threat-ids", [])], m["atlas"])
            facets = {(f["name"], props(f)["state"]): f["value"] for f in risk["characterizations"][0]["facets"]}
            self.assertEqual(facets["risk", "adjusted"], m["residual"]["level"])
            self.assertEqual(facets["risk", "initial"], m["inherent"]["level"])
            counted = {c["control"] for c in m["mitigations"] if c["counted"]}
            self.assertEqual({f["description"].split(":")[0] for f in risk.get("mitigating-factors", [])}, counted)

    def test_every_shape_of_a_verdict(self):
        root = self.system()
        yaml = root / "tutela.yaml"
        yaml.write_text(yaml.read_text() + "not_applicable:\n  - clause: 5.2.4-1.2\n    reason: nothing is shared\n"
                                           "    by: Ada\n    expires: 2999-01-01\n")
        self.run_it("assess", root, expect=3)
        (root / "policy.md").write_text("# Cloud contract\n")
        self.run_it("record", "5.2.2-6", "--statement", "The *contract* <b>says</b> so", "--by", "Ada",
                    "--evidence", "policy.md", "--expires", "2999-01-01", cwd=root, expect=0)
        (root / "policy.md").unlink()
        self.run_it("assess", root, expect=3)
        docs = self.documents(root)
        f = self.findings(docs)
        self.assertEqual([props(f[c])["verdict"] for c in ("5.2.1-1", "5.2.3-1", "5.2.4-1.2", "5.1.1-1")],
                         ["met", "partly", "not_applicable", "not_checked"])
        self.assertEqual([f[c]["target"]["status"]["reason"] for c in ("5.2.1-1", "5.2.3-1", "5.2.4-1.2", "5.1.1-1")],
                         ["pass", "other", "other", "other"])
        self.assertEqual([f[c]["target"]["status"]["state"] for c in ("5.2.1-1", "5.2.3-1", "5.2.4-1.2")],
                         ["satisfied", "not-satisfied", "not-satisfied"])
        result = docs["assessment-results"]["results"][0]
        self.assertNotIn("risks", result)
        said = [o for o in result["observations"] if props(o)["check"].startswith("declared.document")]
        self.assertEqual([(o["methods"], props(o)["tier"]) for o in said], [(["EXAMINE"], "D")])
        self.assertIn("\\*contract\\* \\<b\\>says", said[0]["description"])
        actor = said[0]["origins"][0]["actors"]
        party = docs["assessment-results"]["metadata"]["parties"]
        self.assertEqual([(a["type"], a["actor-uuid"]) for a in actor], [("party", party[0]["uuid"])])
        self.assertEqual(party[0]["name"], "Ada")
        self.run_it("people", "enrol", "Eve", "--generate", "--no-passphrase", "--role", "operator", "--root", cwd=root,
                    expect=0)
        (root / "policy.md").write_text("# Cloud contract, signed\n")
        self.run_it("record", "5.2.2-6", "--statement", "So say I", "--by", "Eve", "--evidence", "policy.md", "--expires",
                    "2999-01-01", cwd=root, expect=0)
        (root / "policy.md").unlink()
        (root / "evil.pkl").write_bytes(pickle.dumps(Bomb(), 2))
        self.run_it("init", root, "--update", expect=0)
        self.run_it("assess", root, expect=1)
        docs = self.documents(root)
        f = self.findings(docs)
        self.assertEqual((props(f["5.2.3-1"])["verdict"], f["5.2.3-1"]["target"]["status"]["reason"]), ("not_met", "fail"))
        said = [o for o in docs["assessment-results"]["results"][0]["observations"]
                if props(o)["check"].startswith("declared.document") and "So say I" in o["description"]]
        party = {p["uuid"]: p["name"] for p in docs["assessment-results"]["metadata"]["parties"]}
        signed = said[0]["origins"][0]["actors"][0]
        self.assertEqual((party[signed["actor-uuid"]], props(signed)["tier"], props(signed)["signature"]), ("Eve", "C", "counts"))
        risk = {r["uuid"]: r for r in docs["assessment-results"]["results"][0]["risks"]}
        risk = risk[f["5.2.3-1"]["related-risks"][0]["risk-uuid"]]
        threats = [t["id"].rsplit("/", 1)[1] for t in risk["threat-ids"]]
        self.assertIn("AML.T0020", threats)
        self.assertIn("AML.T0011.000", threats, "what was found in the file")
        against = {o["observation-uuid"] for o in risk["related-observations"]}
        rels = {x["href"][1:] for x in f["5.2.3-1"]["links"] if x["rel"] == "contradicts"}
        self.assertEqual(against, rels)

    def test_stale_evidence_is_said_to_be(self):
        root = self.system()
        self.run_it("assess", root, ago="-31d", expect=3)
        self.run_it("assess", root, "--at", "2999-01-01", expect=2)
        now = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True, check=True).stdout.strip()
        self.run_it("assess", root, "--at", now, expect=3)
        docs = self.documents(root)
        f = self.findings(docs)["5.2.1-1"]
        self.assertEqual((props(f)["verdict"], props(f)["stale"]), ("not_checked", "yes"))
        self.assertEqual({x["rel"] for x in f["links"]}, {"stale"})
        o = docs["assessment-results"]["results"][0]["observations"][0]
        self.assertLess(o["expires"], now)

    def test_before_anything_was_recorded(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        p = self.run_it("report", root, "--at", "2001-01-01", "--format", "oscal", expect=3)
        (self.tmp / "early.json").write_text(p.stdout)
        self.assertEqual(self.errors_of(self.tmp / "early.json"), {str(self.tmp / "early.json"): []})
        result = json.loads(p.stdout)["assessment-results"]
        self.assertEqual(seams(result), [])
        self.assertNotIn("observations", result["results"][0])
        self.assertEqual({props(f)["verdict"] for f in result["results"][0]["findings"]}, {"not_checked"})

    def test_hostile_names(self):
        root = self.system()
        names = [" lead.pkl", "trail.pkl ", "new\nline.pkl", "tab\t.pkl", "<script>alert(1)</script>".replace("/", "") + ".pkl",
                 "[x](javascript:1).pkl", "**b** _i_ `c` $m$.pkl", "bidi\u202etxt.pkl", "ls\u2028ps\u2029.pkl", "nbsp\u00a0",
                 "\u3000wide.pkl", "quote\".pkl", "back\\slash.pkl", "zero\u200b.pkl", "x" * 200 + ".pkl"]
        for n in names:
            (root / n).write_bytes(pickle.dumps(["a", n], 4))
        (pathlib.Path(os.fsdecode(os.fsencode(root) + b"/bad\xff\xfe.pkl"))).write_bytes(pickle.dumps(Bomb(), 2))
        self.run_it("assess", root, expect=1)
        docs = self.documents(root)
        items = docs["assessment-results"]["results"][0]["local-definitions"]["inventory-items"]
        self.assertGreater(len(items), 10)
        for item in items:
            plain = re.sub(r"\\.", "", item["description"])
            self.assertNotRegex(plain, r"[<>*_`\[\]&]", "markup that is not escaped")
        self.run_it("init", root, "--update")
        yaml = root / "tutela.yaml"
        text = re.sub(r"(?m)^  name: .*$", '  name: " <b>[S](x)\\\\n\\\\u2028** "', yaml.read_text(), count=1)
        yaml.write_text(text + "not_applicable:\n  - clause: 5.2.4-1.2\n    reason: \"*no* <i>\\u202e\"\n"
                               "    by: \"<Ada>\"\n    expires: 2099-01-01\n")
        self.run_it("assess", root)
        docs = self.documents(root)
        system = docs["assessment-results"]["results"][0]["local-definitions"]["components"][0]
        self.assertIn("\\<b\\>\\[S\\](x)", system["title"])
        self.assertIn("\\*no\\* \\<i\\>", self.findings(docs)["5.2.4-1.2"]["description"])

    def test_the_same_facts_give_the_same_bytes(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        now = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True, check=True).stdout.strip()
        for model in MODELS:
            texts = [self.run_it("report", root, "--at", now, "--format", "oscal", "--model", model,
                                 env={"SOURCE_DATE_EPOCH": epoch}, expect=3 if model == MODELS[2] else 0).stdout
                     for epoch in ("1700000000", "1700000000", "1700000001")]
            self.assertEqual(texts[0], texts[1])
            self.assertEqual(texts[0].replace("2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z"), texts[2])
            self.assertEqual(texts[0].count("2023-11-14T22:13:20Z"), 1)

    def test_what_is_of_the_build_needs_no_system(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        (self.tmp / "nothing").mkdir()
        same = {"SOURCE_DATE_EPOCH": "1700000000"}
        for model in MODELS:
            args = ("--format", "oscal", "--model", model)
            if model == "assessment-results":
                self.assertIn("no tutela.yaml", self.run_it("report", "nothing", *args, expect=2).stderr)
                continue
            here = self.run_it("report", root, *args, env=same, expect=0)
            nowhere = self.run_it("report", "nothing", *args, env=same, expect=0)
            self.assertEqual((here.stdout, here.stderr), (nowhere.stdout, nowhere.stderr))
        self.assertEqual(list((self.tmp / "nothing").iterdir()), [])

    def test_what_changes_has_another_identifier(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        before = self.documents(root)
        (root / "base.pkl").write_bytes(pickle.dumps({"name": "other"}, 4))
        self.run_it("init", root, "--accept", "model/base", expect=0)
        self.run_it("assess", root, expect=3)
        after = self.documents(root)
        self.assertEqual(before["catalog"]["uuid"], after["catalog"]["uuid"])
        self.assertNotEqual(before["assessment-results"]["uuid"], after["assessment-results"]["uuid"])

        def items(docs):
            return {(props(i)["asset-id"], props(i)["state"]): i["uuid"]
                    for i in docs["assessment-results"]["results"][0]["local-definitions"]["inventory-items"]}
        self.assertNotEqual(items(before)["model/base", "declared"], items(after)["model/base", "declared"])
        self.assertEqual(items(before)["model/tuned", "declared"], items(after)["model/tuned", "declared"])
        x, y = self.findings(before), self.findings(after)
        self.assertNotEqual(x["5.2.1-1"]["uuid"], y["5.2.1-1"]["uuid"])
        self.assertEqual(x["5.1.1-1"]["uuid"], y["5.1.1-1"]["uuid"], "nothing of it changed")

    def test_the_harness_finds_what_is_broken(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        good = {m: json.loads((self.folder(root) / (m + ".json")).read_text()) for m in MODELS}

        def result(d):
            return d["assessment-results"]["results"][0]
        by_schema = {
            "empty array": ("assessment-results", lambda d: result(d).update(risks=[])),
            "unknown key": ("assessment-results", lambda d: result(d).update(grade="A")),
            "unknown state": ("assessment-results",
                              lambda d: result(d)["findings"][0]["target"]["status"].update(state="not-applicable")),
            "control id that is no token": ("catalog", lambda d: d["catalog"]["groups"][0].update(id="5.1.1-1")),
            "blank value": ("catalog", lambda d: d["catalog"]["groups"][0]["groups"][0]["props"][0].update(value=" x")),
            "no source": ("component-definition",
                          lambda d: d["component-definition"]["components"][0]["control-implementations"][0].pop("source")),
            "no time zone": ("catalog", lambda d: d["catalog"]["metadata"].update({"last-modified": "2026-01-01T00:00:00"})),
            "no relationship": ("mapping-collection",
                                lambda d: d["mapping-collection"]["mappings"][0]["maps"][0].pop("relationship")),
            "no provenance": ("mapping-collection", lambda d: d["mapping-collection"].pop("provenance")),
        }
        files = {}
        for name, (model, harm) in by_schema.items():
            bad = copy.deepcopy(good[model])
            harm(bad)
            path = self.tmp / (name + ".json")
            path.write_text(json.dumps(bad))
            files[str(path)] = name
        for path, errors in self.errors_of(*files).items():
            self.assertTrue(errors, files[path])
        by_seams = {
            "dangling": lambda d: result(d)["observations"][0]["relevant-evidence"][0].update(href="#" + str(uuid.uuid4())),
            "twice": lambda d: result(d)["observations"][1].update(uuid=result(d)["observations"][0]["uuid"]),
            "random": lambda d: d["assessment-results"].update(uuid=str(uuid.uuid4())),
            "stranger": lambda d: result(d)["observations"][0]["subjects"][0].update({"subject-uuid": str(uuid.uuid4())}),
            "foreign prop": lambda d: result(d)["findings"][0]["props"][0].pop("ns"),
        }
        for name, harm in by_seams.items():
            bad = copy.deepcopy(good["assessment-results"])
            harm(bad)
            self.assertNotEqual(seams(bad["assessment-results"]), [], name)

    def test_people_see_what_the_mapping_says(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        docs = self.documents(root)
        shown = " ".join(self.run_it("explain", "5.2.4-1.2", cwd=root, expect=0).stdout.split())
        html = (self.folder(root) / ".." / "report.html").read_text()
        page = html[html.index('id="c-5.2.4-1.2"'):]
        page = page[:page.index("</details>")]
        mapped = 0
        for mapping in docs["mapping-collection"]["mappings"]:
            for m in mapping["maps"]:
                if m["sources"][0]["id-ref"] == "en304223-5.2.4-1.2":
                    target = m["targets"][0]["id-ref"]
                    self.assertIn(target.removeprefix("Art. "), shown)
                    self.assertIn(target, page)
                    mapped += 1
        self.assertGreater(mapped, 10)
        for label in ("ISO/IEC 27001", "ISO/IEC 22989", "AI Exchange", "TR 104 128"):
            self.assertIn(label, shown)
            self.assertIn(label, page)
        self.assertNotIn("TR 104 159", shown + page)

    def test_words_that_are_none_are_refused(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        for args, part in ((("--format", "oscal", "--model", "profile"), "mapping-collection"),
                           (("--format", "json", "--model", "catalog"), "--format oscal")):
            p = self.run_it("report", root, *args, expect=2)
            self.assertEqual(p.stdout, "")
            self.assertIn(part, p.stderr)
        p = self.run_it("report", root, "--format", "oscal", env={"SOURCE_DATE_EPOCH": "99999999999"})
        self.assertEqual((p.returncode, p.stdout), (2, ""), "a year that OSCAL cannot say")

    def test_all_of_them_or_none(self):
        root = self.system()
        self.run_it("assess", root, expect=3)
        latest = root / ".tutela" / "reports" / "latest"
        before = os.readlink(latest)
        now = subprocess.run(["date", "-u", "-d", "1 second ago", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True,
                             check=True).stdout.strip()
        taken = root / ".tutela" / "reports" / re.sub("[-:]", "", now)
        if taken.exists():
            shutil.rmtree(taken)
        taken.mkdir()
        (taken / "oscal").write_text("in the way")
        p = self.run_it("assess", root, "--at", now, expect=2)
        self.assertIn("the last report is unchanged", p.stderr)
        self.assertEqual(os.readlink(latest), before)
        self.assertEqual([x.name for x in taken.iterdir()], ["oscal"])


if __name__ == "__main__":
    if not (SCHEMAS.is_dir() and (NODE / "node_modules" / "ajv").is_dir()):
        print("the schemas of OSCAL (../shared) or their validator (tests/node) are absent: what is valid is not tested",
              file=sys.stderr)
    unittest.main()
