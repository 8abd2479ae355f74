"""Who signed what, as the three provisions see it: by the commands that the example documents, and every way back."""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
CLAUSES = ("5.1.2-3", "5.2.1-2", "5.2.4-1.2")


class Authenticity(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="tutela-authenticity-")
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(os.path.join(SOURCE, "examples"), os.path.join(self.root, "examples"),
                        ignore=shutil.ignore_patterns(".tutela"))
        self.here = os.path.join(self.root, "examples", "support-assistant")
        self.env = {**os.environ, "XDG_DATA_HOME": os.path.join(self.root, "keys"),
                    "XDG_CACHE_HOME": os.path.join(self.root, "cache"),
                    # faketime is loaded before a sanitizer's runtime
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def shell(self, command, expect=0):
        command = re.sub(r"^tutela ", TUTELA + " ", command)
        run = subprocess.run(command, shell=True, cwd=self.here, env=self.env, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(run.returncode, expect, f"{command}: {run.stdout} {run.stderr}")
        return run.stdout

    def run_it(self, *args, ago=None):
        clock = ["faketime", "-f", ago] if ago else []
        return subprocess.run([*clock, TUTELA, *args], cwd=self.here, env=self.env, capture_output=True, text=True,
                              timeout=120)

    def verdicts(self, command="report", ago=None):
        run = self.run_it(command, "--format", "json", ago=ago)
        doc = json.loads(run.stdout)
        controls = {c["id"]: c for c in doc["controls"]}
        return doc, controls, tuple(controls[c]["verdict"] for c in CLAUSES)

    def documented(self):
        with open(os.path.join(self.here, "README.md")) as file:
            text = file.read()
        faults = re.findall(r"^\| (?!fault|---).* \| .* \| `(.*)` \|$", text, re.M)
        proof = re.search(r"```\n(tutela people.*?)```", text, re.S).group(1).splitlines()
        self.assertEqual((len(faults), len(proof)), (4, 4))
        return faults, proof

    def in_order(self):
        faults, proof = self.documented()
        for command in faults + proof[:2]:
            self.shell(command)
        self.shell(proof[2], expect=3)
        self.shell(proof[3])

    def body_of(self, control, check):
        return next(e["body"]["sha256"] for e in control["evidence"]
                    if e["check"].startswith(check) and e["use"] == "counts")

    def test_the_documented_commands_move_the_three_provisions(self):
        faults, proof = self.documented()
        _, _, before = self.verdicts("assess")
        self.assertEqual(before[1:], ("not_checked", "not_checked"))
        self.in_order()
        doc, controls, after = self.verdicts()
        self.assertEqual(after, ("partly", "partly", "met"), [controls[c]["reasons"] for c in CLAUSES])
        # that nobody assessed what comes from outside is another provision
        self.assertEqual([f for f in doc["findings"] if f["rule"] != "inventory.unassessed" and f["severity"] != "low"], [])
        inventory = json.loads(self.run_it("inventory", "--format", "json").stdout)
        self.assertEqual({a["signature"] for a in inventory["assets"] if a["kind"] == "model"},
                         {f"models/{m}.sig" for m in ("assistant-q4.gguf", "embedder.safetensors", "planner.onnx", "reranker.pt", "retriever.onnx")})
        used = [e for c in CLAUSES for e in controls[c]["evidence"] if e["use"] == "counts"]
        self.assertTrue(used)
        for e in used:
            self.assertEqual([(s["name"], s["counts"]) for s in e["signers"]], [("tool", True)], e)

    def test_a_missing_body_takes_each_of_them_back(self):
        self.in_order()
        for clause, check, fallen in (("5.2.4-1.2", "verify.published", "not_checked"),
                                      ("5.2.1-2", "verify.manifest", "partly"),
                                      ("5.1.2-3", "ledger.lifecycle", "partly")):
            _, controls, _ = self.verdicts()
            body = self.body_of(controls[clause], check)
            where = os.path.join(self.here, ".tutela", "bodies", body)
            os.rename(where, where + ".away")
            doc, controls, _ = self.verdicts()
            self.assertEqual(doc["summary"]["grade"], "F", "what a record names is gone")
            self.assertEqual(controls[clause]["verdict"], fallen)
            self.assertTrue(any("missing or altered" in r for r in controls[clause]["reasons"]),
                            controls[clause]["reasons"])
            os.rename(where + ".away", where)
        _, _, again = self.verdicts()
        self.assertEqual(again, ("partly", "partly", "met"))

    def test_evidence_that_ran_out_takes_them_back(self):
        self.in_order()
        _, controls, aged = self.verdicts(ago="+31d")
        self.assertEqual(aged, ("not_checked", "not_checked", "not_checked"))
        for clause in CLAUSES:
            self.assertTrue(controls[clause]["stale"], clause)
            self.assertIn("tutela", controls[clause]["refresh"])

    def test_a_revoked_key_takes_back_what_rests_on_it(self):
        self.in_order()
        self.shell("tutela people enrol Bob --generate --no-passphrase --role developer --root --by Ada")
        self.shell("tutela people revoke Ada --reason 'the laptop was stolen' --by Bob")
        _, controls, now = self.verdicts()
        self.assertEqual(now, ("partly", "not_checked", "not_checked"))
        self.assertTrue(any("no longer counts" in r for r in controls["5.2.4-1.2"]["reasons"]))
        self.shell("tutela ledger verify")  # what happened is sound, though it proves less now
        self.assertEqual(self.run_it("verify", "--policy").returncode, 1)
        _, controls, looked = self.verdicts("assess")
        self.assertEqual(looked[1:], ("not_met", "not_met"), "signed with a key that does not count")
        faults, proof = self.documented()
        self.shell(proof[1].replace("--by Ada", "--by Bob"))
        _, _, again = self.verdicts("assess")
        self.assertEqual(again, ("partly", "partly", "met"))

    def test_a_clock_that_was_set_back_is_told(self):
        self.in_order()
        for command in ("report", "assess"):
            run = self.run_it(command, ago="-10d")
            self.assertEqual(run.returncode, 3, run.stderr)
            self.assertIn("the log begins later than now", run.stdout)
            self.assertIn("clock", run.stdout)
        self.assertIn("nothing had been recorded by then", self.run_it("report", "--at", "2020-01-01").stdout)
        self.assertEqual(self.verdicts()[2], ("partly", "partly", "met"))

    def test_a_file_that_is_swapped_while_assess_looks_is_never_called_signed(self):
        self.in_order()
        model = os.path.join(self.here, "models", "reranker.pt")
        with open(model, "rb") as file:
            good = file.read()
        evil = good + b"\n"
        stop = threading.Event()

        def swap():
            while not stop.is_set():
                for content in (evil, good):
                    with open(model + ".tmp", "wb") as file:
                        file.write(content)
                    os.rename(model + ".tmp", model)
                    time.sleep(random.random() * 0.02)

        thread = threading.Thread(target=swap)
        thread.start()
        for _ in range(12):
            self.run_it("assess")
        stop.set()
        thread.join()
        found = json.loads(self.run_it("ledger", "search", "--kind", "verify.manifest", "--asset", "model/reranker",
                                       "--limit", "100", "--format", "json").stdout)["entries"]
        self.assertGreaterEqual(len(found), 12)
        for entry in found:
            statement = entry["statement"]
            if statement["predicate"]["result"] == "pass":
                self.assertEqual(statement["subject"][0]["digest"]["sha256"], hashlib.sha256(good).hexdigest())

    def test_another_digest_is_another_asset(self):
        self.in_order()
        with open(os.path.join(self.here, "models", "embedder.safetensors"), "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        _, controls, now = self.verdicts("assess")
        self.assertEqual(now, ("not_met", "not_met", "not_met"))
        self.assertTrue(any("embedder" in r for r in controls["5.2.4-1.2"]["reasons"]))
        self.shell("tutela init . --accept model/embedder")
        _, _, accepted = self.verdicts("assess")
        self.assertEqual(accepted, ("partly", "not_met", "not_met"), "accepted, and signed as it was before")

    def test_the_policy_says_whose_signature_counts(self):
        faults, proof = self.documented()
        for command in faults + proof[:2]:
            self.shell(command)
        with open(os.path.join(self.here, "tutela.yaml"), "a") as file:
            file.write("\npolicy:\n  signatures:\n    dataset: [custodian]\n"
                       if "policy:" not in open(os.path.join(self.here, "tutela.yaml")).read() else "")
        text = open(os.path.join(self.here, "tutela.yaml")).read()
        if "signatures:" not in text:
            text = text.replace("policy:\n", "policy:\n  signatures:\n    dataset: [custodian]\n", 1)
            open(os.path.join(self.here, "tutela.yaml"), "w").write(text)
        run = self.run_it("verify", "--policy", "--format", "json")
        self.assertEqual(run.returncode, 1, run.stderr)
        by_path = {t["path"]: t for t in json.loads(run.stdout)["targets"]}
        self.assertEqual(by_path["models/embedder.safetensors"]["verdict"], "valid")
        self.assertEqual(by_path["data/kb-articles.jsonl"]["verdict"], "invalid")
        self.assertEqual(by_path["data/kb-articles.jsonl"]["person"], "Ada")
        open(os.path.join(self.here, "tutela.yaml"), "w").write(text.replace("[custodian]", "[custodain]"))
        run = self.run_it("verify", "--policy")
        self.assertEqual(run.returncode, 2)
        self.assertIn('did you mean "custodian"', run.stderr)

    def test_a_missing_entry_is_a_tampered_log(self):
        self.in_order()
        evidence = os.path.join(self.here, ".tutela", "ledger", "evidence")
        older = os.path.join(self.root, "older")
        shutil.copytree(evidence, older)
        self.shell("tutela record 5.1.1-2.1 --statement 'channels' --by Ada --evidence README.md --expires 2999-01-01")
        shutil.rmtree(evidence)
        shutil.copytree(older, evidence)
        doc, controls, now = self.verdicts()
        self.assertEqual(doc["summary"]["grade"], "F", doc["summary"])
        self.assertEqual(set(now), {"not_checked"})
        self.assertEqual(self.run_it("assess").returncode, 1)
        self.assertEqual(self.run_it("ledger", "verify").returncode, 1)

    def test_a_signed_document_counts_for_its_signer_and_nobody_else(self):
        faults, proof = self.documented()
        self.shell(proof[0])
        say = "record 5.1.1-2.1 --statement channels --evidence README.md --expires 2999-01-01"
        self.assertIn("Signed", self.shell(f"tutela {say} --by Ada"))
        self.assertIn("Self-declared", self.shell(f"tutela {say} --by Eve"))
        key = os.path.join(self.root, "eve.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
        os.chmod(key, 0o600)
        run = self.run_it(*say.split(), "--by", "Ada", "--signing-key", key)
        self.assertEqual(run.returncode, 2)
        self.assertIn("does not count", run.stderr)
        _, controls, _ = self.verdicts("assess")
        tiers = {e["actor"]: e["tier"] for e in controls["5.1.1-2.1"]["evidence"]}
        self.assertLessEqual(set(tiers.items()), {("Ada", "C"), ("Eve", "D")})


if __name__ == "__main__":
    unittest.main()
