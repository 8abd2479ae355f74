"""What users bring to a scan: accepted and refused things in tutela.yaml, YARA rules, and how every report says so."""
import gzip
import hashlib
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import tempfile
import time
import unittest
import zipfile

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
RULES = """
rule canary : demo {
  meta: description = "The canary" severity = "medium"
  strings: $a = "echo canary" $secret = /token=[a-z0-9]+/
  condition: any of them
}
private rule hidden { condition: true }
"""


class Call:
    def __reduce__(self):
        return (os.system, ("echo canary token=s3cr3t",))


class Policy(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tutela-policy-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.here = self.root / "system"
        (self.here / "models").mkdir(parents=True)
        self.model = self.here / "models" / "m.pkl"
        self.model.write_bytes(pickle.dumps(Call(), 4))
        self.digest = hashlib.sha256(self.model.read_bytes()).hexdigest()
        self.env = {**os.environ, "XDG_DATA_HOME": str(self.root / "data"),
                    "XDG_CACHE_HOME": str(self.root / "cache"),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def describe(self, policy):
        (self.here / "tutela.yaml").write_text(
            "schema: tutela.system/1\nsystem:\n  name: s\n  version: 1\n  purpose: p\n  owners: [o]\n  contacts: [c]\n"
            f"assets:\n  - id: model/m\n    path: models/m.pkl\n    digest: sha256:{self.digest}\n"
            "    origin: supplier\n    url: https://models.example.org/m\n" + policy)

    def allow(self, **keys):
        entry = {"rule": "pickle.call-on-load", "path": "models/*.pkl", "reason": "looked at it", "by": "Ada",
                 "expires": "2099-01-31", **keys}
        self.describe("policy:\n  scan:\n    allow:\n      - " +
                      "\n        ".join(f"{k}: {v}" for k, v in entry.items() if v) + "\n")

    def deny(self, **keys):
        entry = {"reason": "not ours", "by": "Ada", **keys}
        self.describe("policy:\n  scan:\n    deny:\n      - " +
                      "\n        ".join(f"{k}: {v}" for k, v in entry.items()) + "\n")

    def run_it(self, *args, cwd=None):
        return subprocess.run([TUTELA, *map(str, args)], cwd=cwd or self.here, env=self.env, capture_output=True,
                              text=True, timeout=60)

    def scan(self, *args, cwd=None):
        run = self.run_it("scan", *args, "--format", "json", cwd=cwd)
        return run.returncode, json.loads(run.stdout)

    def rules(self, doc):
        return sorted(f["rule"] for file in doc["files"] for f in file["findings"])

    # --- accepted ---
    def test_an_accepted_finding_is_set_aside_and_shown_in_every_report(self):
        self.assertEqual(self.scan("models")[0], 1)
        self.allow(digest=f"sha256:{self.digest}")
        status, doc = self.scan("models")
        self.assertEqual((status, doc["summary"]["suppressed"], doc["summary"]["clean"]), (0, 1, 1))
        file = doc["files"][0]
        self.assertEqual((file["verdict"], file["findings"]), ("clean", []))
        self.assertEqual(file["suppressed"][0]["rule"], "pickle.call-on-load")
        self.assertEqual(file["suppressed"][0]["severity"], "critical")
        self.assertEqual(file["suppressed"][0]["accepted"],
                         {"entry": "policy.scan.allow[0]", "reason": "looked at it", "by": "Ada",
                          "expires": "2099-01-31T00:00:00Z"})
        words = "until 31 Jan 2099, by Ada: looked at it"
        self.assertIn(f"suppressed: 1 pickle.call-on-load ({words})",
                      " ".join(self.run_it("scan", "models").stdout.split()))
        line = json.loads(self.run_it("scan", "models", "--format", "jsonl").stdout)
        self.assertEqual(len(line["suppressed"]), 1)
        sarif = json.loads(self.run_it("scan", "models", "--format", "sarif").stdout)
        self.assertEqual(sarif["runs"][0]["results"][0]["suppressions"],
                         [{"kind": "external", "status": "accepted", "justification": words}])

    def test_cyclonedx_lists_files_and_what_was_found(self):
        self.allow()
        (self.here / "models" / "\xfc \"n\".pkl").write_bytes(pickle.dumps(Call(), 2) + b"tail")
        self.allow(path="models/m.pkl")
        run = self.run_it("scan", "models", "--format", "cyclonedx")
        self.assertEqual(run.returncode, 1)
        bom = json.loads(run.stdout)
        self.assertEqual(bom["components"][0]["hashes"], [{"alg": "SHA-256", "content": self.digest}])
        self.assertEqual({c["type"] for c in bom["components"]}, {"machine-learning-model"})
        accepted = [v for v in bom["vulnerabilities"] if "analysis" in v]
        self.assertEqual([(v["id"], v["affects"]) for v in accepted], [("pickle.call-on-load", [{"ref": "file/1"}])])
        self.assertEqual(accepted[0]["analysis"]["detail"], "accepted until 31 Jan 2099, by Ada: looked at it")
        self.assertEqual((accepted[0]["ratings"][0]["severity"], accepted[0]["cwes"]), ("critical", [502]))
        self.assertTrue([v for v in bom["vulnerabilities"] if "analysis" not in v])
        again = json.loads(self.run_it("scan", "models", "--format", "cyclonedx").stdout)
        self.assertEqual(again["serialNumber"], bom["serialNumber"])
        path = self.root / "bom.json"
        path.write_text(run.stdout)
        self.check_schema(path)

    def check_schema(self, path):
        """By the published schema and CycloneDX's own strict validator, where both are."""
        node, schemas = SOURCE / "tests" / "node", SOURCE / ".." / "shared" / "data" / "schemas"
        if not schemas.is_dir() or not (node / "node_modules" / "@cyclonedx").is_dir():
            print("not held against the schema of CycloneDX: it, or the packages of tools/node.sh, are not here")
            return
        (self.root / "list").write_text(f"cyclonedx-1.6 {path}\n")
        run = subprocess.run(["node", "bills.mjs", schemas.resolve(), self.root / "list"], cwd=node,
                             capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_what_does_not_accept(self):
        for keys, told in (({"expires": "2020-01-31"}, "has expired on 31 Jan 2020"),
                           ({"reason": None}, "has no reason"),
                           ({"by": None}, "names nobody"), ({"expires": None}, "has no end"),
                           ({"path": None}, "names no asset, path or digest"),
                           ({"rule": "pickle.call-on-laod"}, "names a rule that does not exist"),
                           ({"rule": "pickle.import-dangerous"}, None), ({"path": "models/n.pkl"}, None),
                           ({"digest": "sha256:" + "0" * 64}, None)):
            self.allow(**keys)
            status, doc = self.scan("models")
            self.assertEqual((status, doc["summary"]["suppressed"]), (1, 0), keys)
            remarks = doc["summary"]["lists_without_effect"]
            self.assertEqual(bool(remarks), bool(told), keys)
            if told:
                self.assertIn(told, remarks[0])

    def test_places_are_those_of_the_description_wherever_one_stands(self):
        self.allow()
        self.assertEqual(self.scan("models/m.pkl")[0], 0)
        self.assertEqual(self.scan(self.model)[0], 0)
        self.assertEqual(self.scan("m.pkl", cwd=self.here / "models")[0], 1, "no description where one stands")
        self.assertEqual(self.scan("m.pkl", "--system", "../tutela.yaml", cwd=self.here / "models")[0], 0)
        other = self.root / "elsewhere"
        shutil.copytree(self.here, other)
        self.assertEqual(self.scan(other / "models")[0], 1, "another place than the description's")
        self.assertEqual(self.scan(other, cwd=self.root)[0], 1, "a scanned directory does not acquit itself")
        self.allow(path=None, asset="model/m")
        self.assertEqual(self.scan("models")[0], 0)

    def test_what_was_not_read_stays_not_read(self):
        self.model.write_bytes(pickle.dumps(list(range(400)), 4)[:-90])
        self.allow(rule="file.truncated", digest=None)
        status, doc = self.scan("models")
        rules = {f["rule"] for key in ("findings", "suppressed") for f in doc["files"][0][key]}
        self.describe("policy:\n  scan:\n    allow:\n" + "".join(
            f"      - {{rule: {r}, path: models, reason: r, by: Ada, expires: 2099-01-31}}\n" for r in rules))
        status, doc = self.scan("models")
        file = doc["files"][0]
        self.assertEqual((status, file["verdict"], file["status"], file["findings"]), (3, "clean", "incomplete", []))

    def test_assess_counts_it_as_accepted_until_it_ends(self):
        soon = subprocess.run(["date", "-d", "+3 days", "+%Y-%m-%d"], capture_output=True, text=True).stdout.strip()
        self.allow(expires=soon)
        doc = json.loads(self.run_it("assess", "--format", "json").stdout)
        self.assertEqual([f["rule"] for f in doc["suppressed"]], ["pickle.call-on-load"])
        self.assertNotIn("pickle.call-on-load", [f["rule"] for f in doc["findings"]])
        scans = [e for c in doc["controls"] if c["id"] == "5.2.3-1" for e in c["evidence"]
                 if e["check"] == "scan.content/1"]
        self.assertEqual([(e["result"], e["use"], e["expires"]) for e in scans],
                         [("pass", "counts", soon + "T00:00:00Z")])
        self.assertIn("1 accepted finding", scans[0]["statement"])
        latest = self.here / ".tutela" / "reports" / "latest"
        self.assertIn("Accepted until", (latest / "report.html").read_text())
        results = json.loads((latest / "results.sarif").read_text())["runs"][0]["results"]
        self.assertEqual([r["ruleId"] for r in results if r["suppressions"]], ["pickle.call-on-load"])
        later = subprocess.run(["faketime", "-f", "+4d", TUTELA, "report", "--format", "json"], cwd=self.here,
                               env=self.env, capture_output=True, text=True, timeout=60)
        doc = json.loads(later.stdout)
        self.assertIn("pickle.call-on-load", [f["rule"] for f in doc["findings"]], "it stands again")
        self.assertEqual(doc["suppressed"], [])
        self.assertIn("policy.scan.allow[0] has expired", doc["lists_without_effect"][0])
        scans = [e["use"] for c in doc["controls"] if c["id"] == "5.2.3-1" for e in c["evidence"]
                 if e["check"] == "scan.content/1"]
        self.assertEqual(scans, ["stale"])

    def test_assess_says_which_entries_do_not_count(self):
        self.allow(rule="pickle.call-on-laod")
        doc = json.loads(self.run_it("assess", "--format", "json").stdout)
        self.assertIn("names a rule that does not exist", doc["lists_without_effect"][0])
        self.allow()
        self.assertEqual(json.loads(self.run_it("assess", "--format", "json").stdout)["lists_without_effect"], [])

    # --- secrets ---
    def test_rules_for_secrets_of_the_description(self):
        rule = """[[rules]]\nid = "acme-key"\nregex = '''acme_([0-9a-z]{12})'''\nkeywords = ["acme"]\n"""
        (self.here / "rules").mkdir()
        (self.here / "rules" / "secrets.toml").write_text(rule)
        (self.here / "settings.json").write_text('{"model_type": "x", "k": "acme_k3j5h8d0s2q9"}')
        self.assertEqual(self.scan("settings.json")[0], 0)
        self.describe("policy:\n  scan:\n    secret_rules: rules/secrets.toml\n")
        status, doc = self.scan("settings.json")
        self.assertEqual((status, self.rules(doc)), (1, ["secret.generic"]))
        self.assertIn("acme-key", doc["files"][0]["findings"][0]["message"])
        doc = json.loads(self.run_it("assess", "--format", "json").stdout)
        self.assertIn("acme-key", json.dumps([f["message"] for f in doc["findings"]]))
        (self.here / "models" / "secrets.toml").write_text(rule)
        self.describe("policy:\n  scan:\n    secret_rules: nothing.toml\n")
        self.assertIn("policy.scan.secret_rules: nothing.toml is not there", self.run_it("scan", "models").stderr)
        self.describe("policy:\n  scan:\n    secret_rules: models/m.pkl\n")
        run = self.run_it("scan", "models")
        self.assertEqual(run.returncode, 2)
        self.assertIn("lies in an asset", run.stderr)
        os.symlink(self.root / "outside.toml", self.here / "link.toml")
        (self.root / "outside.toml").write_text(rule)
        self.describe("policy:\n  scan:\n    secret_rules: link.toml\n")
        self.assertIn("leads out of the directory", self.run_it("scan", "models").stderr)

    # --- refused ---
    def test_what_is_refused_is_malicious_here(self):
        self.model.write_bytes(pickle.dumps({"a": 1}, 4))
        self.digest = hashlib.sha256(self.model.read_bytes()).hexdigest()
        for keys in ({"digest": f"sha256:{self.digest}"}, {"path": "models"}, {"url": "https://models.example.org/"}):
            self.deny(**keys)
            status, doc = self.scan("models")
            self.assertEqual((status, doc["files"][0]["verdict"]), (1, "malicious"), keys)
            self.assertEqual(self.rules(doc), ["user.denied"], keys)
            self.assertIn("refused by Ada: not ours", doc["files"][0]["findings"][0]["message"])
        for keys in ({"digest": "sha256:" + "1" * 64}, {"path": "model"}, {"url": "https://models.example.org/mm"},
                     {"path": "models", "expires": "2020-01-01"}):
            self.deny(**keys)
            self.assertEqual(self.scan("models")[0], 0, keys)

    def test_a_refused_name_of_a_pickle_is_found_however_it_is_nested(self):
        import collections
        data = pickle.dumps(collections.OrderedDict(a=1), 2)
        self.model.write_bytes(data)
        (self.here / "models" / "n.pkl.gz").write_bytes(gzip.compress(data))
        self.assertEqual(self.scan("models")[0], 0)
        for name in ("collections.OrderedDict", "collections.*"):
            self.deny(**{"global": name})
            status, doc = self.scan("models")
            self.assertEqual((status, self.rules(doc)), (1, ["user.denied", "user.denied"]), name)
        for name in ("collections.Ordered", "OrderedDict", "collection.*"):
            self.deny(**{"global": name})
            self.assertEqual(self.scan("models")[0], 0, name)

    def test_a_refusal_is_not_accepted_away(self):
        self.describe("policy:\n  scan:\n    deny:\n      - {path: models, reason: r, by: Ada}\n    allow:\n"
                      "      - {rule: user.denied, path: models, reason: r, by: Ada, expires: 2099-01-01}\n")
        status, doc = self.scan("models")
        self.assertEqual((status, doc["summary"]["suppressed"]), (1, 0))

    def test_slips_in_the_lists_are_told_with_their_place(self):
        for policy, told in (("    allow:\n      - {rule: a, path: ../x}\n", "below the directory"),
                             ("    deny:\n      - {asset: model/m}\n", 'unknown key "asset"'),
                             ("    allow:\n      - {rule: a, asset: model/x}\n", 'no asset "model/x"'),
                             ("    yara: ../rules\n", "below the directory"),
                             ("    secret_rules: ../rules.toml\n", "below the directory")):
            self.describe("policy:\n  scan:\n" + policy)
            run = self.run_it("scan", "models")
            self.assertEqual(run.returncode, 2, policy)
            self.assertIn(told, run.stderr)
            self.assertIn("tutela.yaml:", run.stderr)
        self.describe("policy:\n  sources:\n    - {prefix: models.example.org, reason: r, by: b}\n")
        self.assertIn("https://", self.run_it("scan", "models").stderr)

    # --- YARA ---
    def rule_file(self, text=RULES, name="r.yar"):
        path = self.root / name
        path.write_text(text)
        return path

    def test_rules_match_files_and_members_and_never_show_what_matched(self):
        with zipfile.ZipFile(self.here / "models" / "z.zip", "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("inner.bin", b"x" * 1000 + b"echo canary")
        (self.here / "models" / "g.bin.gz").write_bytes(gzip.compress(b"echo canary"))
        run = self.run_it("scan", "models", "--yara", self.rule_file(), "--format", "json")
        doc = json.loads(run.stdout)
        found = {f["location"]: f for file in doc["files"] for f in file["findings"] if f["rule"] == "user.yara"}
        self.assertEqual(set(found), {"m.pkl", "z.zip!/inner.bin", "g.bin.gz!/g.bin"})
        one = found["z.zip!/inner.bin"]
        self.assertEqual((one["severity"], one["title"], one["offset"]), ("medium", "The canary", 1000))
        self.assertEqual(one["message"], "rule canary [demo]: $a at 0x3e8")
        self.assertNotIn("s3cr3t", json.dumps([f for f in found.values()]))
        self.assertNotIn("hidden", run.stdout)

    def test_the_digest_of_rules_is_that_of_all_in_force(self):
        plain = self.scan("models")[1]["summary"]["rules"]
        one = self.scan("models", "--yara", self.rule_file())[1]["summary"]["rules"]
        two = self.scan("models", "--yara", self.rule_file(RULES + "\n"))[1]["summary"]["rules"]
        self.assertEqual(len({json.dumps(d) for d in (plain, one, two)}), 3)

    def test_large_files_are_seen_in_blocks_that_overlap(self):
        big = self.here / "models" / "big.bin"
        with open(big, "wb") as file:
            file.truncate(70 << 20)
            for at in ((8 << 20) - 5, (16 << 20) - 1, 69 << 20):
                file.seek(at)
                file.write(b"echo canary")
        _, doc = self.scan(big, "--yara", self.rule_file(), "--depth", "structure")
        seen = next(f for f in doc["files"][0]["findings"] if f["rule"] == "user.yara")
        self.assertEqual(seen["message"], "rule canary [demo]: $a at 0x7ffffb, $a at 0xffffff, $a at 0x4500000")

    def test_rules_that_are_none_are_told_with_their_line(self):
        for text, told in (("rule a { condition:\n tru }", ':2: undefined identifier "tru"'),
                           ('include "/etc/passwd"', "includes are disabled"), ("rule a {\n condition: true\n", "r.yar:2: ")):
            run = self.run_it("scan", "models", "--yara", self.rule_file(text))
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(told, run.stderr)
        self.assertEqual(self.run_it("scan", "models", "--yara", self.root / "nothing").returncode, 2)
        (self.root / "empty").mkdir()
        self.assertIn("no *.yar", self.run_it("scan", "models", "--yara", self.root / "empty").stderr)

    def test_rules_that_run_for_ever_are_said_not_to_have_seen_it(self):
        (self.here / "models" / "slow.bin").write_bytes(b"ab" * (1 << 20))
        slow = ("rule slow { strings: $a = \"ab\" condition: "
                "for all i in (1..#a) : (for all j in (1..#a) : (@a[i] != 1)) }")
        run = self.run_it("scan", "models/slow.bin", "--yara", self.rule_file(slow), "--format", "json")
        doc = json.loads(run.stdout)
        self.assertIn("user.yara-incomplete", self.rules(doc))

    def test_a_description_names_rules_of_its_own_but_no_asset_brings_them(self):
        (self.here / "rules").mkdir()
        (self.here / "rules" / "r.yara").write_text(RULES)
        self.describe("policy:\n  scan:\n    yara: rules\n")
        self.assertIn("user.yara", self.rules(self.scan("models")[1]))
        doc = json.loads(self.run_it("assess", "--format", "json").stdout)
        self.assertIn("user.yara", [f["rule"] for f in doc["findings"]])
        (self.here / "models" / "r.yar").write_text(RULES)
        for path, told in (("models/m.pkl", "lies in an asset"), ("link.yar", "leads out"),
                           ("none.yar", "is not there")):
            if path == "link.yar":
                (self.here / path).symlink_to(self.rule_file())
            self.describe(f"policy:\n  scan:\n    yara: [{path}]\n")
            run = self.run_it("scan", "models")
            self.assertEqual(run.returncode, 2, path)
            self.assertIn(told, run.stderr)

    # --- what an earlier scan found ---
    def large(self, name="l.pkl", extra=b""):
        path = self.here / "models" / name
        path.write_bytes(pickle.dumps([Call(), b"x" * 40000], 4) + extra)
        self.settle(path)
        return path

    @staticmethod
    def settle(path):
        """Only what lies further back than the clock of the file system ticks is known by its times."""
        time.sleep(0.1)
        return path.stat()

    def cached(self, *args):
        status, doc = self.scan(*args)
        summary = doc["summary"].pop("cached")
        doc.pop("generated")
        return status, summary, doc

    def entries(self):
        return sorted(p for p in (self.root / "cache" / "tutela" / "scan").rglob("*") if p.is_file())

    def test_what_was_found_is_kept_for_the_same_bytes_and_rules(self):
        path = self.large()
        first = self.cached("models/l.pkl")
        self.assertEqual(first[:2], (1, 0))
        self.assertEqual([(p.stat().st_mode & 0o777, p.parent.stat().st_mode & 0o777) for p in self.entries()],
                         [(0o600, 0o700)])
        self.assertEqual(self.cached("models/l.pkl"), (1, 1, first[2]), "the same answer")
        self.assertEqual(self.cached("models/l.pkl", "--no-cache"), first)
        os.utime(path)
        self.settle(path)
        self.assertEqual(self.cached("models/l.pkl")[1], 1, "by its digest, when the times moved")
        self.assertEqual(self.cached("models/l.pkl", "--depth", "structure")[1], 0, "no digest is computed there")
        self.assertEqual(self.cached("models/l.pkl", "--yara", self.rule_file())[1], 0, "other rules")
        self.deny(**{"global": "posix.system"})
        _, hits, doc = self.cached("models/l.pkl")
        self.assertEqual((hits, "user.denied" in self.rules(doc)), (0, True), "other lists")
        self.allow(path="models")
        self.assertEqual(self.cached("models/l.pkl")[1:][0], 1, "what is accepted is applied behind the cache")
        self.assertEqual(self.cached("models/l.pkl")[2]["summary"]["suppressed"], 1)

    def test_other_bytes_are_read_anew_whatever_their_times_say(self):
        path = self.large()
        self.cached("models/l.pkl")
        was = path.stat()
        data = bytearray(path.read_bytes())
        at = data.index(b"echo canary")
        data[at:at + 11] = b"echo CANARY"
        path.write_bytes(data)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        _, hits, doc = self.cached("models/l.pkl")
        self.assertEqual(hits, 0)
        self.assertIn("CANARY", json.dumps(doc))

    def test_entries_that_are_damaged_or_another_s_are_none(self):
        self.large()
        first = self.cached("models/l.pkl")
        entry = self.entries()[0]
        good = entry.read_bytes()
        for bad in (b"", good[:-1], good[:40], good[:100] + bytes([good[100] ^ 1]) + good[101:], good + b"x"):
            entry.write_bytes(bad)
            self.assertEqual(self.cached("models/l.pkl"), first, len(bad))
            self.assertEqual(entry.read_bytes(), good, "written anew")
        entry.chmod(0o666)
        self.assertEqual(self.cached("models/l.pkl"), first)
        entry.unlink()
        entry.symlink_to(self.root / "elsewhere")
        (self.root / "elsewhere").write_bytes(good)
        self.assertEqual(self.cached("models/l.pkl"), first)

    def test_what_was_not_read_to_its_end_is_not_kept(self):
        path = self.here / "models" / "t.pkl"
        path.write_bytes(pickle.dumps([list(range(30000))], 4)[:-300])
        self.settle(path)
        for _ in range(2):
            self.assertEqual(self.cached("models/t.pkl")[1], 0)
        self.assertEqual(self.entries(), [])

    def test_assess_reads_anew(self):
        path = self.large("m.pkl")
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.describe("")
        self.cached("models/m.pkl")
        entry = self.entries()[0]
        before = entry.stat().st_atime_ns
        run = self.run_it("assess", "--format", "json")
        self.assertIn("pickle.call-on-load", [f["rule"] for f in json.loads(run.stdout)["findings"]])
        self.assertEqual(entry.stat().st_atime_ns, before)


if __name__ == "__main__":
    unittest.main()
