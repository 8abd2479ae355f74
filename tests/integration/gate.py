"""tutela gate: what opens a gate, what closes it and how that is said, signatures, overrides, order, and what is refused."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import gate_world  # noqa: E402
import train_world  # noqa: E402
from gate_world import TUTELA, World  # noqa: E402


class Gates(World):
    def ready(self, *people):
        self.people(*people)
        self.assess()

    def sign(self, by="Dev", name="go", expect=0):
        return self.tutela("gate", "sign", name, "--by", by, expect=expect)

    def override(self, by, *args, name="go", expect=0):
        return self.tutela("gate", "override", name, "--by", by, *args, expect=expect)

    def overridden(self, first="Dev", second="App", reason="the release cannot wait", expires="2099-01-01"):
        out = self.override(first, "--reason", reason, "--expires", expires).stdout
        entry = out.split("entry ")[1].split(".")[0]
        self.override(second, "--second", entry)
        return entry

    # --- opening and closing ---

    def test_it_opens_from_evidence_and_a_signature(self):
        before = self.check(expect=3)
        self.assertEqual(before["summary"]["assessed"], False)
        self.ready()
        item = self.item(self.check(expect=3))
        self.assertEqual((item["state"], item["closed_by"], item["signed"]), ("closed", "lack", False))
        self.assertEqual([w["state"] for w in item["wants"]], ["holds"])
        self.sign()
        item = self.item(self.check(expect=0))
        self.assertEqual((item["state"], item["actors"]), ("open", ["Dev"]))
        self.assertTrue(item["since"] and item["due"])
        self.assertGreaterEqual(len(item["evidence"]), 2)
        text = self.tutela("gate", "check", "go", expect=0).stdout
        self.assertIn("Gate go is open, until", text)
        # again: nothing new is written
        self.assertIn("signed already", self.sign().stdout)
        self.assertEqual(self.check()["summary"]["records"], before["summary"]["records"] + self.grown(before))

    def grown(self, before):
        return self.check()["summary"]["records"] - before["summary"]["records"]

    def test_checking_writes_nothing(self):
        self.ready()
        state = self.root / ".tutela"
        def shot():
            return {p: p.stat().st_mtime_ns for p in sorted(state.rglob("*")) if p.name not in ("state.db",) and p.is_file()}
        self.check()
        before = shot()
        self.check()
        self.assertEqual(shot(), before)

    def test_it_can_be_asked_where_nothing_can_be_written(self):
        self.ready()
        self.sign()
        for p in sorted((self.root / ".tutela").rglob("*"), reverse=True):
            p.chmod(0o500 if p.is_dir() else 0o400)
        (self.root / ".tutela").chmod(0o500)
        try:
            self.check(expect=0)
        finally:
            for p in [self.root / ".tutela", *(self.root / ".tutela").rglob("*")]:
                p.chmod(0o700 if p.is_dir() else 0o600)

    def test_what_changed_since_closes_it(self):
        self.ready()
        self.sign()
        self.check(expect=0)
        for path, what in (("data/train.csv", "dataset/train"), ("prompt.txt", "prompt/system"), ("docs/record.md", "docs/record.md"),
                           ("tutela.yaml", "tutela.yaml")):
            with self.subTest(path):
                file = self.root / path
                kept = file.read_bytes()
                file.write_bytes(kept + b"# one more line\n")
                doc = self.check(expect=3)
                self.assertIn(what, [c["what"] for c in doc["changes"]])
                self.assertIn("changed", self.tutela("gate", "check", "go", expect=3).stdout)
                self.assertIn("changed since it was assessed", self.sign("Dev", expect=2).stderr)
                file.write_bytes(kept)  # touched, and the same: the bytes decide
                self.check(expect=0)
        os.unlink(self.root / "prompt.txt")
        self.assertIn("prompt/system", [c["what"] for c in self.check(expect=3)["changes"]])

    def test_a_failure_closes_it_and_says_so(self):
        self.ready()
        self.sign()
        (self.root / "model.pkl").write_bytes(b"\x80\x04cos\nsystem\n(S'id'\ntR.")
        self.assess()
        item = self.item(self.check(expect=1))
        self.assertEqual(item["closed_by"], "failure")
        want = item["wants"][0]
        self.assertEqual(want["state"], "failed")
        self.assertTrue(want["refresh"].startswith("tutela "), want)
        self.assertIn("undeclared", " ".join(want["reasons"]))
        self.assertIn("does not hold", self.sign("Dev", expect=2).stderr)
        # findings alone, at the severity that is asked for
        self.gates = self.gates.replace("inventory.complete", "ledger.documents")
        self.describe()
        self.assess()
        self.assertEqual(self.item(self.check(expect=3))["findings"], 0)
        item = self.item(self.check(expect=1, more=("--fail-on", "high")))
        self.assertGreater(item["findings"], 0)

    def test_signatures_are_about_this_description(self):
        self.ready()
        self.sign()
        self.more = "# another\n"
        self.describe()
        self.assess()
        item = self.item(self.check(expect=3))
        self.assertEqual(item["signatures"][0]["counts"], False)
        self.assertEqual(item["signatures"][0]["why"], "about another version")
        self.sign()
        self.check(expect=0)

    def test_evidence_and_signatures_get_old(self):
        faketime = shutil.which("faketime")
        if not faketime:
            self.skipTest("faketime is not installed")
        self.gates = """gates:
  - name: go
    findings: none
    wants:
      - check: inventory.complete
        max_age_days: 5
    signers: [{role: developer}]
  - name: slow
    findings: none
    signature_days: 3
    wants:
      - check: inventory.complete
    signers: [{role: developer}]
"""
        self.describe()
        self.ready()
        self.sign()
        self.sign(name="slow")
        at = lambda days, name: self.check(name, before=[faketime, "-f", "+%dd" % days])
        self.assertEqual(self.item(at(4, "go"))["state"], "open")
        old = self.item(at(6, "go"))
        self.assertEqual((old["state"], old["wants"][0]["state"]), ("closed", "stale"))
        self.assertEqual(self.item(at(2, "slow"), "slow")["state"], "open")
        late = self.item(at(4, "slow"), "slow")
        self.assertEqual((late["state"], late["signatures"][0]["why"]), ("closed", "it ran out"))

    def test_one_piece_that_is_old_closes_it(self):
        faketime = shutil.which("faketime")
        if not faketime:
            self.skipTest("faketime is not installed")
        checks = ("inventory.complete", "vet.dataset", "ledger.documents", "gate.sensitivity", "gate.system-card")
        self.people("Dev")
        for old in (None, *checks):
            self.gates = "gates:\n  - name: go\n    findings: none\n    signers: [{role: developer}]\n    wants:\n" + "".join(
                "      - check: %s\n        kinds: [dataset, prompt]\n        max_age_days: %d\n" % (c, 1 if c == old else 20) for c in checks)
            self.describe()
            self.assess()
            self.sign()
            self.check(expect=0)
            aged = self.item(self.check(before=[faketime, "-f", "+2d"], expect=3 if old else 0))
            stale = {w["check"] for w in aged["wants"] if w["state"] == "stale"}
            self.assertEqual(stale, {old} if old else set())

    def test_a_missing_body_closes_it(self):
        self.gates = self.gates.replace("inventory.complete", "ledger.documents")
        self.describe()
        self.ready()
        self.sign()
        self.check(expect=0)
        bodies = self.root / ".tutela/bodies"
        body = next(p for p in bodies.iterdir() if b'"tutela.documents/1"' in p.read_bytes())
        body.unlink()
        want = self.item(self.check(expect=3))["wants"][0]
        self.assertEqual(want["state"], "not_enough")
        self.assertIn("missing or altered", " ".join(want["reasons"]))

    # --- people ---

    def test_who_may_sign(self):
        self.ready()
        self.assertIn("cannot sign this", self.sign("App", expect=2).stderr)
        self.assertIn("has no key here", self.sign("Nobody", expect=2).stderr)
        self.assertIn("--by", self.tutela("gate", "sign", "go", expect=2).stderr)
        self.assertIn("no gate is called", self.sign("Dev", name="nothing", expect=2).stderr)
        self.check(expect=3)

    def test_whose_training_lapsed_signs_nothing(self):
        faketime = shutil.which("faketime")
        if not faketime:
            self.skipTest("faketime is not installed")
        (self.root / "own").mkdir()
        (self.root / "own/coding.md").write_text(train_world.module("coding"))
        self.more = """training:
  modules: own
  secure_coding: coding
  grace_days: 2
  assign: {everyone: [], developer: [coding], operator: [], custodian: [], approver: [], trainer: [], tester: [], auditor: [], root: []}
"""
        self.gates = self.gates.replace("role: developer", "role: developer\n      - role: approver")
        self.describe()
        self.ready()
        late = [faketime, "-f", "+5d"]
        for args in (("gate", "sign", "go", "--by", "Dev"), ("gate", "examine", "docs/record.md", "--by", "Dev"),
                     ("gate", "override", "go", "--by", "Dev", "--reason", "the release cannot wait", "--expires", "2099-01-01")):
            p = self.tutela(*args, before=late, expect=2)
            self.assertIn("coding lapsed", p.stderr)
            self.assertIn("tutela train take coding --by Dev", p.stderr)
        self.sign("App")  # nothing is assigned to approvers
        self.sign("Dev")  # within the days of grace
        self.check(expect=0)

    def test_one_person_does_not_stand_for_two(self):
        self.gates = self.gates.replace("      - role: developer\n", "      - role: developer\n        count: 2\n      - role: approver\n")
        self.describe()
        self.people("Dev")
        self.enrol("Both", "developer", "approver")
        self.assess()
        self.sign("Dev")
        self.sign("Both")
        self.assertEqual(self.item(self.check(expect=3))["signed"], False)
        self.enrol("App", "approver")
        self.sign("App")
        self.check(expect=0)

    def test_a_person_who_left(self):
        self.ready()
        self.sign()
        self.tutela("people", "revoke", "Dev", "--reason", "left", "--by", "Ada", expect=0)
        self.assertEqual(self.item(self.check(expect=0))["actors"], ["Dev"])  # signed while he was there
        self.more = "# another\n"
        self.describe()
        self.assess()
        self.sign("Dev", expect=2)
        self.check(expect=3)

    def test_a_stolen_key_is_undone(self):
        self.ready()
        self.sign()
        self.tutela("people", "revoke", "Dev", "--reason", "stolen", "--from-index", "3", "--by", "Ada", expect=0)
        item = self.item(self.check(expect=3))
        self.assertFalse(item["signed"])

    def test_a_name_typed_by_hand_is_no_signature(self):
        self.ready()
        doc = self.check()
        about = self.item(doc)["about"]["sha256"]
        forged = self.root / "forged.json"
        forged.write_text(json.dumps({"check": "gate.signature/1", "subject": "gate/go", "digest": about}))
        self.tutela("ledger", "append", "gate.signature", "--asset", "gate/go", "--by", "Dev", "--statement", "signed")
        self.assertFalse(self.item(self.check(expect=3))["signed"])

    def test_two_people_at_once(self):
        self.gates = self.gates.replace("      - role: developer\n", "      - role: developer\n      - role: approver\n      - role: operator\n")
        self.describe()
        self.ready()
        results = {}
        def work(by):
            results[by] = self.tutela("gate", "sign", "go", "--by", by)
        threads = [threading.Thread(target=work, args=(by,)) for by in ("Dev", "App", "Opa")]
        [t.start() for t in threads]
        [t.join() for t in threads]
        for by, p in results.items():
            self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(sorted(self.item(self.check(expect=0))["actors"]), ["App", "Dev", "Opa"])

    def test_killed_in_the_middle(self):
        """Nothing half-done is called done: after a kill at whatever moment the gate is closed or properly signed."""
        self.ready()
        signed = 0
        for step in range(12):
            p = subprocess.Popen([TUTELA, "gate", "sign", "go", "--by", "Dev"], cwd=self.root, env=self.env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            time.sleep(step * 0.004)
            p.send_signal(signal.SIGKILL)
            p.wait()
            item = self.item(self.check())
            self.assertEqual(item["state"] == "open", item["signed"])
            if item["signed"]:
                signed += 1
                self.assertEqual(len([s for s in item["signatures"] if s["counts"]]), 1)
                self.more += "# step %d\n" % step
                self.describe()
                self.assess()
        self.sign()
        self.check(expect=0)
        self.assertEqual(self.tutela("ledger", "verify").returncode, 0)

    # --- overrides ---

    def test_an_override_wants_two_people_in_two_roles(self):
        self.ready()
        out = self.override("Dev", "--reason", "the release cannot wait", "--expires", "2099-01-01").stdout
        entry = out.split("entry ")[1].split(".")[0]
        self.assertIn("waits for a second person", out)
        self.assertEqual(self.item(self.check(expect=3))["state"], "closed")
        self.assertIn("signed it already", self.override("Dev", "--second", entry, expect=2).stderr)
        self.enrol("Dev2", "developer")
        self.override("Dev2", "--second", entry)  # two developers are two people, and one role
        self.check(expect=3)
        self.override("App", "--second", entry)
        item = self.item(self.check(expect=0))
        self.assertEqual(item["state"], "overridden")
        self.assertTrue(item["due"].startswith("2099-01-01"))
        self.assertIn("closed, and overridden", self.tutela("gate", "check", "go", expect=0).stdout)
        self.assertIn("does not wait for anybody", self.override("Opa", "--second", entry, expect=2).stderr)

    def test_what_an_override_lacks(self):
        self.ready()
        for args, says in ((("--reason", "the release cannot wait"), "--expires"), (("--expires", "2099-01-01"), "--reason"),
                           (("--reason", "short", "--expires", "2099-01-01"), "a reason is a sentence"),
                           (("--reason", "a\nline and another", "--expires", "2099-01-01"), "one line"),
                           (("--reason", "the release cannot wait", "--expires", "2020-01-01"), "still to come"),
                           (("--reason", "the release cannot wait", "--expires", "soon"), "a date"),
                           (("--second", "1"), "no override"), (("--second", "x"), "number of an entry"),
                           (("--second", "1", "--reason", "mine is better"), "--second signs")):
            with self.subTest(args):
                self.assertIn(says, self.override("Dev", *args, expect=2).stderr)
        self.assertIn("cannot sign this", self.override("Ada", "--reason", "the release cannot wait", "--expires", "2099-01-01",
                                                        expect=2).stderr)  # a root enrols; that is no role in the work
        self.sign()
        self.assertIn("gate is open", self.override("Dev", "--reason", "the release cannot wait", "--expires", "2099-01-01",
                                                    expect=2).stderr)

    def test_it_stays_in_every_report(self):
        hostile = "<script>alert(1)</script> | `x` [a](javascript:b) \u202e cannot wait"
        self.ready()
        self.override("Dev", "--reason", hostile, "--expires", "2099-01-01", expect=0)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3 * 86400))
        self.overridden(reason="the release cannot wait", expires=soon)
        def reports(before=()):
            doc = json.loads(self.tutela("report", "--format", "json", before=before).stdout)
            return doc["overrides"], self.tutela("report", "--format", "html", before=before).stdout, \
                self.tutela("report", before=before).stdout
        listed, html, text = reports()
        self.assertEqual([o["state"] for o in listed], ["waiting", "in_force"])
        self.assertEqual([p["name"] for p in listed[1]["people"]], ["Dev", "App"])
        self.assertIn("the release cannot wait", html)
        self.assertNotIn("<script>alert(1)", html)
        self.assertIn("Override", text)
        self.assertNotIn("\u202e", text)
        # another description: it lets nothing pass, and stays
        self.more = "# another\n"
        self.describe()
        self.assess()
        self.check(expect=3)
        listed, html, text = reports()
        self.assertEqual([o["state"] for o in listed], ["other_description"] * 2)
        self.assertIn("the release cannot wait", html)
        self.assertIn("another tutela.yaml", text)
        faketime = shutil.which("faketime")
        if faketime:
            listed, html, text = reports([faketime, "-f", "+4d"])
            self.assertEqual([o["state"] for o in listed], ["other_description", "lapsed"])
            self.assertIn("the release cannot wait", html)

    def test_an_override_that_ran_out_closes_the_gate(self):
        faketime = shutil.which("faketime")
        if not faketime:
            self.skipTest("faketime is not installed")
        self.ready()
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3 * 86400))
        self.overridden(expires=soon)
        self.check(expect=0)
        self.assertEqual(self.check(before=[faketime, "-f", "+2d"], expect=0)["items"][0]["state"], "overridden")
        self.check(before=[faketime, "-f", "+4d"], expect=3)

    def test_nobody_lets_pass_what_was_not_looked_at(self):
        self.ready()
        self.overridden()
        self.check(expect=0)
        (self.root / "prompt.txt").write_text("Other orders.\n")
        self.check(expect=3)
        self.assertIn("nobody lets pass", self.override("Dev", "--reason", "the release cannot wait", "--expires", "2099-01-01",
                                                        expect=2).stderr)

    def test_a_stolen_signature_takes_the_override_with_it(self):
        self.ready()
        entry = self.overridden()
        self.tutela("people", "revoke", "App", "--reason", "stolen", "--from-index", entry, "--by", "Ada", expect=0)
        self.check(expect=3)
        doc = json.loads(self.tutela("report", "--format", "json").stdout)
        self.assertEqual(doc["overrides"][0]["state"], "waiting")

    # --- policy ---

    def test_gates_come_after_others(self):
        self.gates += """  - name: later
    after: [go]
    findings: none
    wants: [{check: ledger.documents}]
"""
        self.describe()
        self.ready()
        doc = self.check("later", expect=3)
        self.assertEqual([i["id"] for i in doc["items"]], ["go", "later"])
        self.assertEqual(self.item(doc, "later")["waits_for"], "go")
        self.sign()
        self.check("later", expect=0)
        # an overridden gate lets those after it be asked
        self.more = "# another\n"
        self.describe()
        self.assess()
        self.check("later", expect=3)
        self.overridden()
        self.check("later", expect=0)
        self.assertEqual({i["id"]: i["state"] for i in self.check(name="later")["items"]}, {"go": "overridden", "later": "open"})

    def agrees(self, before=()):
        """A gate reads only what it asks for: it must come to what the whole evaluation comes to."""
        report = json.loads(self.tutela("report", "--format", "json", before=before).stdout)
        said = {c["id"]: c["verdict"] for c in report["controls"]}
        wants = {}
        for w in self.item(self.check("everything", before=before), "everything")["wants"]:
            wants.setdefault(w["clause"], []).append(w["state"])
        self.assertEqual(sorted(wants), sorted(said))
        for clause, states in wants.items():
            got = "not_applicable" if set(states) == {"not_applicable"} else "not_met" if "failed" in states else \
                "met" if set(states) == {"holds"} else "partly" if "holds" in states else "open"
            want = said[clause] if said[clause] in ("met", "not_met", "not_applicable") else got if got in ("partly", "open") else "open"
            self.assertEqual(got, want, (clause, states, said[clause]))
        return said

    def test_it_comes_to_what_the_whole_evaluation_comes_to(self):
        clauses = [c["id"] for c in json.loads(self.tutela("assess", ".", "--format", "json").stdout)["controls"]]
        self.gates = "gates:\n  - name: everything\n    findings: none\n    wants:\n" + "".join("      - clause: %s\n" % c for c in clauses)
        self.describe()
        self.ready()
        self.agrees()
        for by in ("Dev", "Opa", "Cus"):
            self.tutela("gate", "examine", "docs/record.md", "--by", by, expect=0)
        for path in ("docs/design.md", "docs/maintenance.md"):
            self.tutela("gate", "examine", path, "--by", "Dev", expect=0)
        self.tutela("snapshot", "--all")
        for _ in range(3):
            self.assess()
        said = self.agrees()
        self.assertEqual(said["5.1.2-1"], "met")
        faketime = shutil.which("faketime")
        for days in (10, 40, 100, 400) if faketime else ():
            self.agrees([faketime, "-f", "+%dd" % days])
        # evidence of a key that fell lets what was there before decide
        entries = self.check("everything")["summary"]["records"]
        self.tutela("gate", "examine", "docs/record.md", "--by", "Opa", expect=0)
        self.tutela("people", "revoke", "Opa", "--reason", "stolen", "--from-index", str(entries), "--by", "Ada", expect=0)
        self.assertEqual(self.agrees()["5.1.2-1"], "met")
        self.tutela("people", "rotate", "tool", "--by", "Ada", "--from-index", str(entries - 5), expect=0)
        self.agrees()
        # another version, accepted and not looked at; then looked at
        with (self.root / "data/train.csv").open("a") as f:
            f.write("999,one more question about the mountains,yes\n")
        self.tutela("init", "--accept", "dataset/train", "--by", "Dev", expect=0)
        self.agrees()
        self.assess()
        self.agrees()
        next((self.root / ".tutela/bodies").glob(self.digest("docs/record.md"))).unlink()
        self.agrees()

    def test_all_gates_at_once(self):
        self.ready()
        p = self.tutela("gate", "check", "--format", "json", expect=3)
        self.assertEqual([i["id"] for i in json.loads(p.stdout)["items"]], ["go"])
        self.gates = ""
        self.describe()
        self.assess()
        doc = json.loads(self.tutela("gate", "check", "--format", "json").stdout)
        self.assertEqual(sorted(i["id"] for i in doc["items"]),
                         ["change", "data", "deployment", "design", "release", "retirement"])

    def test_built_in_gates_need_no_section(self):
        self.gates = ""
        self.describe()
        self.ready()
        doc = self.check("release")
        self.assertEqual([i["id"] for i in doc["items"]], ["design", "data", "release"])
        release = self.item(doc, "release")
        clauses = {w["clause"] for w in release["wants"]}
        self.assertLessEqual({"5.2.5-1", "5.2.5-2", "5.2.5-4", "5.2.5-4.1", "5.1.2-4"}, clauses)
        self.assertEqual([(s["role"], s["count"]) for s in release["signers"]], [("developer", 1), ("approver", 1)])
        self.assertIn("not_in_this_version", {w["state"] for w in release["wants"]})
        # nothing that could be shown: closed, not green
        self.assertEqual(self.item(self.check("retirement", expect=3), "retirement")["state"], "closed")

    def test_bad_policy_is_told_with_its_place(self):
        self.ready()
        for gates, says in (("gates:\n  - name: A\n    wants: [{check: scan.content}]\n", "name of its own"),
                            ("gates:\n  - name: a\n    wants: []\n", "wants nothing"),
                            ("gates:\n  - name: a\n    wants: [{check: no.such}]\n", "no provision wants the check"),
                            ("gates:\n  - name: a\n    wants: [{clause: 5.9.9}]\n", "no provision is called"),
                            ("gates:\n  - name: a\n    wants: [{clause: 5.1.2-1, check: scan.content}]\n", "either a check or a clause"),
                            ("gates:\n  - name: a\n    wants: [{check: scan.content, kinds: [cat]}]\n", "no kind of asset"),
                            ("gates:\n  - name: a\n    after: [b]\n    wants: [{check: scan.content}]\n", "no gate is called so"),
                            ("gates:\n  - name: a\n    after: [a]\n    wants: [{check: scan.content}]\n", "wait for itself"),
                            ("gates:\n  - name: a\n    wants: [{check: scan.content}]\n    signers: [{role: king}]\n", "a role of people"),
                            ("gates:\n  - name: a\n    wnats: []\n", "did you mean"),
                            ("gates: 7\n", "gates")):
            with self.subTest(gates):
                self.gates = gates
                self.describe()
                p = self.tutela("gate", "check", "a", expect=2)
                self.assertIn(says, p.stderr)
                self.assertIn("tutela.yaml:", p.stderr)
        self.gates = "gates:\n" + "".join("  - name: g%d\n    wants: [{check: scan.content}]\n" % i for i in range(40))
        self.describe()
        self.assertIn("at most 32 gates", self.tutela("gate", "check", "g1", expect=2).stderr)

    def test_hostile_documents(self):
        self.people()
        for text in (b"\x00\x01\x02", b"\xff\xfe" * 50, b"# " + b"a" * 2_000_000, b"---\n" * 100_000, b"```\n" + b"## Need\nx\n" * 9,
                     b"<!-- " + gate_world.RECORD.encode(), b""):
            (self.root / "docs/record.md").write_bytes(text)
            p = self.tutela("gate", "examine", "docs/record.md", "--by", "Dev", expect=2)
            self.assertEqual(len(p.stderr.strip().splitlines()), 1, p.stderr)
        (self.root / "docs/record.md").unlink()
        os.symlink("/etc/passwd", self.root / "docs/record.md")
        p = self.tutela("gate", "examine", "docs/record.md", "--by", "Dev", expect=2)
        self.assertNotIn("root:", p.stderr)
        self.design["record"] = "../record.md"
        self.describe()
        self.assertIn("below the folder", self.tutela("gate", "check", "go", expect=2).stderr)

    def test_forms(self):
        for name, title in (("design", "# Design record"), ("documentation", "# Design documentation"),
                            ("maintenance", "# Maintenance plan"), ("card", "# System card"), ("custodian-policies", "design:")):
            out = self.tutela("gate", "template", name, expect=0).stdout
            self.assertIn(title, out)
        self.assertIn("Custodian's part", self.tutela("gate", "template", "design").stdout)
        self.assertIn("dataset/train", self.tutela("gate", "template", "card").stdout)
        self.assertIn("record 5.1.2-5", self.tutela("gate", "template", "intended-use", expect=2).stderr)
        self.assertIn("no form", self.tutela("gate", "template", "nothing", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
