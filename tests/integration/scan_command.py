"""tutela scan as scripts use it: keys of the contract, exit statuses, standard input, formats."""
import gzip
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
GOOD = pickle.dumps({"weights": [1.0, 2.0], "name": "x"}, 4)
EVIL = b"\x80\x02cposix\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
REVIEW = b"\x80\x02ctransformers.models.bert\nBertConfig\n)\x81."
TORN = GOOD[:-8]


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


class Scan(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def put(self, name, data):
        path = os.path.join(self.dir.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        return name

    def scan(self, *args, **more):
        return subprocess.run([TUTELA, "scan", *args], cwd=self.dir.name, capture_output=True,
                              timeout=100, **more)

    def json(self, *args, status, **more):
        run = self.scan("--format", "json", *args, **more)
        self.assertEqual(run.returncode, status, run.stderr)
        return json.loads(run.stdout)

    # --- the contract's document ---
    def test_document_has_the_contracts_keys(self):
        self.put("a.pkl", EVIL)
        doc = self.json("a.pkl", status=1)
        self.assertEqual(doc["schema"], "tutela.scan/1")
        self.assertRegex(doc["tutela"], r"^\d+\.\d+")
        self.assertRegex(doc["generated"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        (f,) = doc["files"]
        self.assertEqual((f["path"], f["format"], f["size"]), ("a.pkl", "pickle", len(EVIL)))
        self.assertEqual(f["digest"], {"sha256": hashlib.sha256(EVIL).hexdigest()})
        self.assertEqual((f["depth"], f["status"], f["verdict"]), ("content", "complete", "malicious"))
        (finding,) = f["findings"]
        for key in ("rule", "severity", "confidence", "title", "message", "location", "offset",
                    "threats", "clauses", "fix"):
            self.assertIn(key, finding)
        self.assertEqual(finding["rule"], "pickle.call-on-load")
        self.assertEqual(finding["confidence"], "executes-on-load")
        self.assertEqual(finding["title"], "Runs a shell command when the file is loaded")
        self.assertEqual(finding["message"], "posix.system('echo canary'), through REDUCE")
        self.assertEqual(EVIL[finding["offset"]:finding["offset"] + 1], b"R")
        self.assertIn("AML.T0011.000", finding["threats"])
        self.assertIn("5.2.3-1", finding["clauses"])

    def test_same_input_gives_the_same_bytes(self):
        for i in range(40):
            self.put(f"m/{i}.pkl", EVIL if i % 3 else GOOD)
        env = dict(os.environ, SOURCE_DATE_EPOCH="1000000000")
        first = self.scan("--format", "json", "m", env=env).stdout
        self.assertEqual(first, self.scan("--format", "json", "m", env=env).stdout)
        paths = [f["path"] for f in json.loads(first)["files"]]
        self.assertEqual(paths, sorted(paths, key=os.fsencode))
        self.assertEqual(len(paths), 40)

    def test_structure_has_no_digest(self):
        self.put("a.pkl", GOOD)
        (f,) = self.json("--depth", "structure", "a.pkl", status=0)["files"]
        self.assertIsNone(f["digest"])
        self.assertEqual(f["depth"], "structure")

    def test_jsonl_is_one_file_a_line(self):
        self.put("a.pkl", GOOD)
        self.put("b.pkl", EVIL)
        run = self.scan("--format", "jsonl", "a.pkl", "b.pkl")
        self.assertEqual(run.returncode, 1)
        self.assertEqual([json.loads(line)["verdict"] for line in run.stdout.splitlines()],
                         ["clean", "malicious"])

    def test_place_is_a_chain_of_members(self):
        inner = zip_of({"x/data.pkl": EVIL, "x/version": b"3\n"})
        self.put("deep.zip", zip_of({"sub/inner.pt": inner}))
        doc = self.json("deep.zip", status=1)
        places = {x["location"] for f in doc["files"] for x in f["findings"]
                  if x["rule"] == "pickle.call-on-load"}
        self.assertEqual(places, {"deep.zip!/sub/inner.pt!/x/data.pkl"})

    # --- exit statuses: 1 beats 2 beats 3 beats 0 ---
    def test_exit_statuses(self):
        self.put("good.pkl", GOOD)
        self.put("evil.pkl", EVIL)
        self.put("torn.pkl", TORN)
        self.put("review.pkl", REVIEW)
        self.put("noise.gguf", b"\xc3\x01\xfe\x92nothing known")
        cases = [
            (["good.pkl"], 0),
            (["evil.pkl"], 1),
            (["review.pkl"], 0),
            (["--fail-on", "review", "review.pkl"], 1),
            (["--fail-on", "medium", "review.pkl"], 1),
            (["--fail-on", "malicious", "review.pkl"], 0),
            (["--fail-on", "critical", "evil.pkl"], 1),
            (["absent.pkl"], 2),
            (["good.pkl", "absent.pkl"], 2),
            (["evil.pkl", "absent.pkl"], 1),
            (["noise.gguf"], 3),
            (["noise.gguf", "good.pkl"], 3),
            (["noise.gguf", "absent.pkl"], 2),
            (["--fail-on", "bogus", "good.pkl"], 2),
            ([], 2),
        ]
        for args, status in cases:
            self.assertEqual(self.scan(*args).returncode, status, args)

    def test_cut_off_is_doubt_and_at_least_review(self):
        self.put("torn.pkl", TORN)
        doc = self.json("--fail-on", "critical", "torn.pkl", status=3)
        (f,) = doc["files"]
        self.assertEqual(f["status"], "incomplete")
        self.assertNotEqual(f["verdict"], "clean")

    def test_encrypted_is_doubt(self):
        data = bytearray(zip_of({"x/data.pkl": GOOD}))
        for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(signature) + at] |= 1
        start = data.index(GOOD)
        for i in range(start, start + len(GOOD)):
            data[i] ^= 0x5a  # bytes that no longer fit their checksum: encrypted indeed
        self.put("locked.pt", bytes(data))
        (f,) = self.json("--fail-on", "critical", "locked.pt", status=3)["files"]
        self.assertNotEqual(f["status"], "complete")
        self.assertNotEqual(f["verdict"], "clean")

    # --- directories ---
    def test_files_that_are_no_model_are_passed_over_in_directories(self):
        self.put("d/good.pkl", GOOD)
        self.put("d/README.md", b"# Notes\n")
        self.put("d/archive.zip", zip_of({"notes.txt": b"hello"}))
        doc = self.json("d", status=0)
        self.assertEqual([f["path"] for f in doc["files"]], ["d/good.pkl"])
        self.assertEqual(doc["summary"]["passed_over"], 2)

    def test_a_model_inside_a_plain_archive_is_found(self):
        self.put("d/archive.zip", zip_of({"a/b/model": EVIL}))
        self.put("d/more.bin.gz", gzip.compress(EVIL))
        doc = self.json("d", status=1)
        self.assertEqual([f["verdict"] for f in doc["files"]], ["malicious", "malicious"])

    def test_named_and_not_recognised_is_unsupported(self):
        self.put("notes.txt", b"just words\n")
        (f,) = self.json("notes.txt", status=3)["files"]
        self.assertEqual(f["status"], "unsupported")

    def test_a_hook_may_name_files_that_are_no_models(self):
        self.put("notes.txt", b"just words\n")
        self.put("evil.pkl", EVIL)
        self.assertEqual(self.scan("--skip-others", "notes.txt").returncode, 0)
        doc = self.json("--skip-others", "notes.txt", "evil.pkl", status=1)
        self.assertEqual([f["path"] for f in doc["files"]], ["evil.pkl"])
        self.put("weights.bin", bytes(range(256)) * 4)  # named as a model: not passed over
        self.assertEqual(self.scan("--skip-others", "weights.bin").returncode, 3)
        self.assertEqual(self.scan("--skip-others", "absent").returncode, 2)

    def test_named_and_not_recognised_is_never_clean(self):
        self.put("notes.txt", b"just words\n")
        self.put("archive.zip", zip_of({"notes.txt": b"hello"}))
        self.put("weights.bin", bytes(range(256)) * 4)
        for name in ("notes.txt", "archive.zip", "weights.bin"):
            (f,) = self.json(name, status=3)["files"]
            self.assertEqual((f["status"], f["verdict"]), ("unsupported", "review"), name)
            self.assertEqual([x["severity"] for x in f["findings"]], ["medium"], name)

    def test_models_of_other_kinds_are_not_passed_over(self):
        self.put("d/model.nemo", zip_of({"notes.txt": b"{}"}))
        self.put("d/model.rar", b"Rar!\x1a\x07\x01\0" + bytes(50))
        self.put("d/README.md", b"# Notes\n")
        doc = self.json("d", status=3)
        self.assertEqual({f["path"]: (f["status"], f["verdict"]) for f in doc["files"]},
                         {"d/model.nemo": ("unsupported", "review"),
                          "d/model.rar": ("incomplete", "review")})

    def test_pickles_in_archives_that_are_not_read_are_found(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            info = tarfile.TarInfo("data.pkl")
            info.size = len(EVIL)
            tar.addfile(info, io.BytesIO(EVIL))
        self.put("d/model.tar", packed.getvalue())
        self.put("d/model.tar.gz", gzip.compress(packed.getvalue()))
        self.put("d/model.pt", packed.getvalue())
        doc = self.json("d", status=1)
        self.assertEqual([f["verdict"] for f in doc["files"]], ["malicious"] * 3)

    def test_empty_directory_is_not_green(self):
        os.mkdir(os.path.join(self.dir.name, "empty"))
        run = self.scan("empty")
        self.assertEqual(run.returncode, 3)
        self.assertIn(b"nothing was checked", run.stdout)
        self.assertEqual(self.json("empty", status=3)["files"], [])

    def test_all_reports_other_kinds_too(self):
        self.put("d/good.pkl", GOOD)
        self.put("d/rows.csv", b"a,b\n1,2\n3,4\n5,6\n")
        kinds = {f["path"] for f in self.json("--all", "d", status=0)["files"]}
        self.assertIn("d/good.pkl", kinds)
        self.assertIn("d/rows.csv", kinds)

    def test_the_same_file_twice_is_one_report(self):
        self.put("d/good.pkl", GOOD)
        self.assertEqual(len(self.json("d", "d/good.pkl", "d", status=0)["files"]), 1)

    # --- standard input ---
    def test_standard_input(self):
        for data, status in ((EVIL, 1), (GOOD, 0), (b"", 3), (zip_of({"m.pkl": EVIL}), 1)):
            self.assertEqual(self.scan("-", input=data).returncode, status)
        (f,) = self.json("-", input=EVIL, status=1)["files"]
        self.assertEqual((f["path"], f["findings"][0]["location"]), ("-", "-"))

    def test_standard_input_from_a_file_and_from_the_middle_of_one(self):
        self.put("a.bin", b"prefix" + EVIL)
        with open(os.path.join(self.dir.name, "a.bin"), "rb", buffering=0) as f:
            f.seek(6)
            (found,) = self.json("-", stdin=f, status=1)["files"]
        self.assertEqual(found["size"], len(EVIL))

    # --- people ---
    def test_table_says_what_where_and_what_now(self):
        self.put("models/reranker.pt", zip_of({"reranker/data.pkl": EVIL, "reranker/version": b"3\n"}))
        self.put("models/good.pkl", GOOD)
        run = self.scan("models", env=dict(os.environ, LC_ALL="C.UTF-8"))
        out = run.stdout.decode()
        self.assertEqual(run.returncode, 1)
        self.assertRegex(out, r"models/good.pkl +pickle +complete +✓ clean\n")
        self.assertRegex(out, r"models/reranker.pt +torch zip +complete +× malicious +1 critical\n")
        self.assertIn("critical  Runs a shell command when the file is loaded\n", out)
        self.assertIn("models/reranker.pt!/reranker/data.pkl +0x", out)
        self.assertIn("posix.system('echo canary'), through REDUCE", out)
        self.assertRegex(out, r"2 files, .* 1 clean, 1 malicious\. All read to the end\.\n")
        self.assertLessEqual(max(len(line) for line in out.splitlines()), 80)
        self.assertEqual(run.stderr, b"")

    def test_table_in_ascii(self):
        self.put("a.pkl", EVIL)
        out = self.scan("a.pkl", env=dict(os.environ, LC_ALL="C")).stdout
        out.decode("ascii")
        self.assertIn(b"x malicious", out)

    # --- SARIF ---
    def test_sarif_is_valid_and_complete(self):
        self.put("bad name#1.pkl", EVIL)
        self.put("torn.pkl", TORN)
        self.put("deep.zip", zip_of({"m/model.pkl": EVIL}))
        run = self.scan("--format", "sarif", "bad name#1.pkl", "torn.pkl", "deep.zip", "absent.pkl")
        doc = json.loads(run.stdout)
        (sarif,) = doc["runs"]
        rules = [r["id"] for r in sarif["tool"]["driver"]["rules"]]
        self.assertEqual(rules, sorted(set(rules)))
        for result in sarif["results"]:
            self.assertEqual(rules[result["ruleIndex"]], result["ruleId"])
            self.assertIn("tutela/v1", result["partialFingerprints"])
        uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                for r in sarif["results"]}
        self.assertIn("bad%20name%231.pkl", uris)
        logical = [r["locations"][0].get("logicalLocations") for r in sarif["results"]]
        self.assertIn([{"fullyQualifiedName": "deep.zip!/m/model.pkl", "kind": "member"}], logical)
        notes = sarif["invocations"][0]["toolExecutionNotifications"]
        self.assertEqual(len(notes), 2)
        self.assertFalse(sarif["invocations"][0]["executionSuccessful"])
        again = json.loads(self.scan("--format", "sarif", "deep.zip").stdout)["runs"][0]["results"]
        marks = [r["partialFingerprints"] for r in sarif["results"]]
        self.assertIn(again[0]["partialFingerprints"], marks)
        self.validate(run.stdout)

    def validate(self, document):
        schema = os.path.join(SOURCE, "..", "shared", "data", "schemas", "sarif",
                              "sarif-schema-2.1.0.json")
        tool = os.path.join(SOURCE, "tests", "node", "validate.mjs")
        modules = os.path.join(SOURCE, "tests", "node", "node_modules")
        if not (os.path.exists(schema) and os.path.isdir(modules)):
            print("the schema or its validator is absent: SARIF was not validated", file=sys.stderr)
            return
        path = self.put("out.sarif", document)
        run = subprocess.run(["node", tool, schema, os.path.join(self.dir.name, path)],
                             capture_output=True, timeout=100)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
