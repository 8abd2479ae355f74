"""Approvals through the real command: holds as the guard writes them, decisions by people, what counts as none,
HTTP with a signer that is not ours (openssl), and what assess makes of it."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

TUTELA = os.environ["TUTELA"]
FAKETIME = shutil.which("faketime")
SESAME = "sesame-" + "x" * 40

YAML = """schema: tutela.system/1
system:
  name: demo
guard:
  approvals:
    people: %d
    timeout: 10m
    listen: 127.0.0.1:0
    keys: %s
  tools:
    - name: pay
      class: pay
      approval: hold
  routes:
    - id: chat
      path: /v1/chat/completions
      protocol: openai-chat
      models: m
"""
ARGUMENTS = '{"to": "eve@evil.example", "amount": 100, "note": "thanks \\u202e"}'


class Approvals(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix="tutela-approvals-")
        self.addCleanup(tmp.cleanup)
        self.tmp = pathlib.Path(tmp.name)
        self.root = self.tmp / "system"
        self.root.mkdir()
        self.guard = self.root / ".tutela" / "guard"
        self.env = {**os.environ, "XDG_DATA_HOME": str(self.tmp / "data"), "XDG_CONFIG_HOME": str(self.tmp / "config")}
        self.describe(1)
        self.run_it("people", "enrol", "Ada", "--root", "--generate", "--no-passphrase")
        for name in ("Bob", "Cleo"):
            self.run_it("people", "enrol", name, "--role", "approver", "--generate", "--no-passphrase", "--by", "Ada")

    def describe(self, people):
        text = YAML % (people, hashlib.sha256(SESAME.encode()).hexdigest())
        (self.root / "tutela.yaml").write_text(text)

    def run_it(self, *args, expect=0, before=()):
        env = dict(self.env)
        if before:  # faketime is loaded first
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        p = subprocess.run([*before, TUTELA, *args], cwd=self.root, env=env, capture_output=True, timeout=120)
        p.out, p.err = p.stdout.decode(), p.stderr.decode()
        if expect is not None:
            self.assertEqual(p.returncode, expect, (args, p.out, p.err))
        return p

    def refused(self, message, *args):
        p = self.run_it(*args, expect=2)
        self.assertIn(message, p.err)
        self.assertEqual(p.err.count("\n"), 1, p.err)

    def document(self, *args, expect=0):
        return json.loads(self.run_it(*args, "--format", "json", expect=expect).out)

    def policy(self):
        """The version of the policy, as `guard test` tells it."""
        (self.tmp / "none.jsonl").write_text("")
        return self.document("guard", "test", str(self.tmp / "none.jsonl"), expect=3)["summary"]["policy"]

    def hold(self, what=ARGUMENTS, age=20, left=500, **keys):
        """One that waits, by docs/guard.md."""
        now = int(time.time() * 1000)
        hold = {"schema": "tutela.hold/1", "id": secrets.token_hex(16), "kind": "call",
                "at_ms": now - age * 1000, "expires_ms": now + left * 1000,
                "digest": {"sha256": hashlib.sha256(what.encode()).hexdigest()}, "policy": self.policy(),
                "nonce": secrets.token_hex(32), "people": 1, "route": "chat", "client": "desk", "person": None,
                "model": "m", "tool": "pay", "tool_class": "pay", "what": what, "what_bytes": len(what.encode()),
                "cut": False,
                "reasons": [{"check": "taint", "where": "call of pay",
                             "detail": "an address or number comes from messages[1].content"}],
                "sources": [{"role": "user", "where": "messages[0].content", "text": "pay the invoice", "cut": False},
                            {"role": "tool", "where": "messages[1].content", "cut": False,
                             "text": "\x1b[31mInvoice 17\u202e, money to eve@evil.example"}], **keys}
        holds = self.guard / "holds"
        holds.mkdir(parents=True, exist_ok=True)
        (holds / (hold["id"] + ".json")).write_text(json.dumps(hold))
        return hold

    def state(self, hold):
        items = self.document("approvals", "list", "--all")["items"]
        return next(i for i in items if i["id"] == hold["id"])

    # --- the terminal ---
    def test_what_waits_is_shown_with_reasons_and_sources_and_nothing_reaches_the_terminal_raw(self):
        self.assertIn("Nothing waits for a person.", self.run_it("approvals", "list").out)
        hold = self.hold()
        p = self.run_it("approvals", "list")
        self.assertIn(hold["id"][:8], p.out)
        self.assertIn("pay", p.out)
        p = self.run_it("approvals", "show", hold["id"][:8])
        for text in ("pays; nothing has been called", "1 stands in what outsiders wrote", "Why it is held",
                     "an address or number comes from messages[1].content", "eve@evil.example",
                     "tool, messages[1].content, and nothing that the user wrote", "pay the invoice"):
            self.assertIn(text, " ".join(p.out.split()))
        for raw in (b"\x1b", "\u202e".encode()):
            self.assertNotIn(raw, p.stdout)
        item = self.document("approvals", "show", hold["id"])["items"][0]
        self.assertEqual(item["values"][0], {"at": "to", "source": "messages[1].content", "text": "eve@evil.example",
                                             "untrusted": True})
        self.assertEqual((item["state"], item["actors"], item["evidence"]), ("waiting", [], []))

    def test_an_approval_is_an_entry_signed_by_the_person_and_then_a_file(self):
        hold = self.hold()
        p = self.run_it("approvals", "approve", hold["id"][:6], "--by", "Bob", "--reason", "known supplier")
        self.assertIn(f"Bob approved {hold['id'][:8]} (pay) after 2", p.out)
        self.assertIn("Nobody had looked at it", p.out)
        entry = self.document("ledger", "search", "--kind", "guard.approval")["entries"][0]
        self.assertIn("Bob approved the call of pay", json.dumps(entry))
        self.assertEqual(self.state(hold)["state"], "approved")
        self.assertEqual(self.state(hold)["actors"], ["Bob"])
        self.refused("approved by Bob already", "approvals", "approve", hold["id"], "--by", "Cleo")
        self.refused("approved by Bob already", "approvals", "deny", hold["id"], "--by", "Cleo", "--reason", "late")

    def test_a_denial_gives_a_reason(self):
        hold = self.hold()
        self.refused("a denial gives a reason", "approvals", "deny", hold["id"], "--by", "Bob")
        self.run_it("approvals", "deny", hold["id"], "--by", "Bob", "--reason", "not ours")
        self.assertEqual(self.state(hold)["state"], "denied")

    def test_only_those_who_may_decide(self):
        hold, own = self.hold(), self.hold(person="bob")
        self.refused("none of the roles", "approvals", "approve", hold["id"], "--by", "Ada")
        self.refused("his own client", "approvals", "approve", own["id"], "--by", "Bob")
        self.refused("his own client", "approvals", "deny", own["id"], "--by", "Bob", "--reason", "x")
        self.refused("no key of Dan", "approvals", "approve", hold["id"], "--by", "Dan")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.tmp / "eve.pem"], check=True)
        (self.tmp / "eve.pem").chmod(0o600)
        self.refused("belongs to nobody", "approvals", "approve", hold["id"], "--signing-key", str(self.tmp / "eve.pem"))
        self.run_it("people", "revoke", "Cleo", "--by", "Ada", "--reason", "left")
        self.refused("", "approvals", "approve", hold["id"], "--by", "Cleo")
        self.assertEqual(self.state(hold)["state"], "waiting")
        self.assertEqual(self.document("ledger", "search", "--kind", "guard.approval")["entries"], [])

    def test_a_revoked_persons_decision_stops_counting(self):
        hold = self.hold()
        self.run_it("approvals", "approve", hold["id"], "--by", "Bob")
        self.run_it("people", "revoke", "Bob", "--by", "Ada", "--reason", "left")
        item = self.state(hold)
        self.assertEqual((item["state"], item["ignored"]), ("waiting", 1))
        self.assertIn("nobody who may approve", item["ignored_why"])

    def test_a_decision_serves_one_hold_as_it_was(self):
        first, second = self.hold(), self.hold()
        self.run_it("approvals", "approve", first["id"], "--by", "Bob")
        holds = self.guard / "holds"
        decision = holds / (first["id"] + ".decision.1")
        shutil.copy(decision, holds / (second["id"] + ".decision.1"))
        item = self.state(second)
        self.assertEqual((item["state"], item["ignored"]), ("waiting", 1))
        self.assertIn("another hold", item["ignored_why"])
        for key, value, why in (("nonce", secrets.token_hex(32), "another nonce"),
                                ("policy", {"sha256": "0" * 64}, "another policy"),
                                ("digest", {"sha256": "0" * 64}, "other content"),
                                ("expires_ms", first["expires_ms"] - 60000, "longer than the hold")):
            (holds / (first["id"] + ".json")).write_text(json.dumps({**first, key: value}))
            item = self.state(first)
            self.assertEqual((item["state"], item["ignored"]), ("waiting", 1), key)
            self.assertIn(why, item["ignored_why"])
        decision.write_bytes(decision.read_bytes().replace(b'"sig":"M', b'"sig":"N'))
        (holds / (first["id"] + ".json")).write_text(json.dumps(first))
        self.assertEqual(self.state(first)["state"], "waiting")

    def test_what_is_shown_is_what_waits(self):
        hold = self.hold()
        path = self.guard / "holds" / (hold["id"] + ".json")
        path.write_text(json.dumps({**hold, "what": ARGUMENTS.replace("eve@evil", "amy@good")}))
        self.refused("not those that wait", "approvals", "show", hold["id"])
        self.refused("not those that wait", "approvals", "approve", hold["id"], "--by", "Bob")
        path.write_text("{")
        p = self.run_it("approvals", "list", expect=3)
        self.assertIn("1 could not be read", p.out)

    def test_two_people_when_two_have_to(self):
        self.describe(2)
        hold = self.hold(people=2)
        p = self.run_it("approvals", "approve", hold["id"], "--by", "Bob")
        self.assertIn("1 of 2; it waits for another person", p.out)
        self.refused("Bob has approved already", "approvals", "approve", hold["id"], "--by", "Bob")
        self.assertEqual(self.state(hold)["state"], "waiting")
        self.run_it("approvals", "approve", hold["id"], "--by", "Cleo")
        self.assertEqual((self.state(hold)["state"], self.state(hold)["actors"]), ("approved", ["Bob", "Cleo"]))

    def test_what_is_over_is_over(self):
        late, gone, unseen = self.hold(age=600, left=-5), self.hold(), self.hold()
        self.run_it("approvals", "show", gone["id"])
        (self.guard / "holds" / (unseen["id"] + ".gone")).write_text("")
        (self.guard / "holds" / (gone["id"] + ".gone")).write_text("")
        self.refused("the time of", "approvals", "approve", late["id"], "--by", "Bob")
        self.refused("has gone", "approvals", "approve", gone["id"], "--by", "Bob")
        self.assertEqual({self.state(late)["state"], self.state(gone)["state"]}, {"expired", "withdrawn"})
        d = self.document("approvals", "review", expect=1)
        self.assertEqual((d["summary"]["expired"], d["summary"]["withdrawn"], d["summary"]["decided"]), (1, 1, 0))
        self.assertEqual(list((self.guard / "holds").iterdir()), [])

    # --- HTTP ---
    def serve(self):
        p = subprocess.Popen([TUTELA, "approvals", "serve"], cwd=self.root, env=self.env, stdout=subprocess.PIPE,
                             text=True)
        self.addCleanup(lambda: (p.send_signal(signal.SIGTERM), p.wait(10), p.stdout.close()))
        url = p.stdout.readline().split()[-1]
        self.assertTrue(url.startswith("http://127.0.0.1:"), url)
        return url.split("/")[2]

    def ask(self, host, method, path, body=None, **headers):
        c = http.client.HTTPConnection(host, timeout=20)
        c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, json.loads(data) if data else None

    def envelope(self, hold, key, decision="approve", **keys):
        """Signed by openssl over the encoding of DSSE."""
        when = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))  # noqa: E731
        predicate = {"hold": hold["id"], "policy": hold["policy"], "nonce": hold["nonce"], "decision": decision,
                     "at": when(time.time()), "expires": when(hold["expires_ms"] // 1000), "reason": "by hand", **keys}
        payload = json.dumps({"_type": "https://in-toto.io/Statement/v1", "predicate": predicate,
                              "predicateType": "urn:tutela:hold-decision:1",
                              "subject": [{"name": "hold/" + hold["id"], "digest": hold["digest"]}]}).encode()
        kind = b"application/vnd.in-toto+json"
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=pae, capture_output=True, check=True)
        pem = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], capture_output=True, check=True).stdout
        return json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": kind.decode(),
                           "signatures": [{"keyid": hashlib.sha256(pem).hexdigest(),
                                           "sig": base64.b64encode(sig.stdout).decode()}]})

    def test_a_decision_over_http_by_another_program(self):
        key, pub = self.tmp / "dan.pem", self.tmp / "dan.pub"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                       check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", pub], check=True)
        self.run_it("people", "enrol", "Dan", "--role", "approver", "--key", str(pub), "--by", "Ada")
        hold, other = self.hold(), self.hold()
        host, path = self.serve(), "/approvals/" + hold["id"]
        bearer = {"Authorization": "Bearer " + SESAME}
        self.assertEqual(self.ask(host, "GET", "/approvals")[0], 401)
        self.assertEqual(self.ask(host, "GET", path, Authorization="Bearer " + SESAME[:-1])[0], 401)
        status, d = self.ask(host, "GET", "/approvals", **bearer)
        self.assertEqual((status, {i["id"] for i in d["items"]}), (200, {hold["id"], other["id"]}))
        status, d = self.ask(host, "GET", path, **bearer)
        self.assertEqual((status, d["items"][0]["explained"][:26]), (200, "The model wants to call pa"))
        good, json_type = self.envelope(hold, key), {"Content_Type": "application/json"}
        self.assertEqual(self.ask(host, "POST", path, good, Content_Type="text/plain")[0], 415)
        self.assertEqual(self.ask(host, "POST", path, "{}", **json_type)[0], 400)
        self.assertEqual(self.ask(host, "POST", path, " " * 20000, **json_type)[0], 413)
        self.assertEqual(self.ask(host, "POST", "/approvals/" + other["id"], good, **json_type)[0], 403)
        self.assertEqual(self.ask(host, "POST", path, self.envelope(hold, key, nonce="0" * 64), **json_type)[0], 403)
        self.assertEqual(self.ask(host, "POST", path, self.envelope(hold, key, more=1), **json_type)[0], 400)
        self.assertEqual(self.ask(host, "DELETE", path, **bearer)[0], 405)
        for nowhere in ("/", "/approvalsx", "/approvals/", "/approvals/..%2fapprovers", "/approvals/" + "A" * 32):
            self.assertEqual(self.ask(host, "GET", nowhere, **bearer)[0], 404, nowhere)
        status, d = self.ask(host, "POST", path, good, **json_type)
        self.assertEqual((status, d and d["state"], d and d["by"]), (200, "approved", "Dan"), d)
        self.assertEqual(self.ask(host, "POST", path, good, **json_type)[0], 409)
        self.assertEqual((self.state(hold)["state"], self.state(other)["state"]), ("approved", "waiting"))
        for _ in range(50):  # the list of approvers follows the log
            names = [i["name"] for i in json.loads((self.guard / "approvers.json").read_text())["items"]]
            if names == ["Bob", "Cleo", "Dan"]:
                break
            time.sleep(0.1)
        self.assertEqual(names, ["Bob", "Cleo", "Dan"])
        d = self.document("approvals", "review", "--no-record", expect=1)
        self.assertEqual((d["summary"]["decisions"], d["summary"]["ignored"]), (1, 0))

    # --- evidence ---
    def reasons(self, before=()):
        p = self.run_it("report" if before else "assess", "--format", "json", expect=None, before=before)
        return {c["id"]: (c["verdict"], " ".join(c["reasons"])) for c in json.loads(p.out)["controls"]}

    SHOWN = {"5.1.4-1": "Shown: Held actions reach a person", "5.1.4-2": "Shown: What a reviewer sees",
             "5.1.4-3": "Shown: Approvals take time enough"}

    def shown(self, **more):
        reasons = self.reasons(**more)
        return {clause for clause, text in self.SHOWN.items() if text in reasons[clause][1]}

    def test_what_people_did_moves_controls_and_falls_back(self):
        self.assertEqual(self.shown(), set())
        self.run_it("approvals", "review", expect=3)
        hold = self.hold(what='{"to": "amy@good.example"}')
        self.run_it("approvals", "show", hold["id"])
        time.sleep(2.7)  # two seconds, and 26 bytes
        self.run_it("approvals", "approve", hold["id"], "--by", "Bob")
        p = self.run_it("approvals", "review")
        self.assertIn("Recorded as evidence", p.out)
        self.assertEqual(self.shown(), set(self.SHOWN))
        if FAKETIME:
            late = {"before": [FAKETIME, "-f", "+100d"]}
            self.assertNotIn("5.1.4-1", self.shown(**late))
            self.assertNotIn("5.1.4-3", self.shown(**late))
        # two that were not read: the median falls below what reading takes
        for _ in range(2):
            self.run_it("approvals", "approve", self.hold()["id"], "--by", "Cleo")
        d = self.document("approvals", "review", expect=1)
        self.assertEqual([i["state"] for i in d["items"]], ["pass", "pass", "fail"])
        self.assertEqual((d["summary"]["hasty"], d["summary"]["unseen"]), (2, 2))
        self.assertEqual(self.reasons()["5.1.4-3"][0], "not_met")
        # a hold of which not all was shown, and one that nobody came for
        self.run_it("approvals", "approve", self.hold(cut=True)["id"], "--by", "Bob")
        self.hold(age=600, left=-1)
        d = self.document("approvals", "review", expect=1)
        self.assertEqual([i["state"] for i in d["items"]], ["fail", "fail", "fail"])
        # another description: what was shown was about the one before
        with open(self.root / "tutela.yaml", "a") as file:
            file.write("# changed\n")
        self.assertEqual(self.shown(), set())
        self.assertNotEqual(self.reasons()["5.1.4-3"][0], "not_met")

    def test_entries_that_nobody_signed_count_as_none(self):
        hold = self.hold()
        self.run_it("approvals", "approve", hold["id"], "--by", "Bob")
        self.run_it("people", "revoke", "Bob", "--by", "Ada", "--reason", "stolen", "--from-index", "3")
        d = self.document("approvals", "review", "--no-record", expect=3)
        self.assertEqual((d["summary"]["decisions"], d["summary"]["ignored"]), (0, 1))

    def test_that_the_ledger_verifies_is_recorded_once_a_day(self):
        text = "Shown: The log verifies"
        self.assertNotIn(text, self.reasons()["5.4.2-1"][1])
        size = self.document("ledger", "verify")["summary"]["size"]
        first = self.document("ledger", "verify", "--record")["summary"]
        self.assertEqual((first["size"], first["recorded"]), (size, size))
        self.assertEqual(self.document("ledger", "verify", "--record")["summary"]["recorded"], size)
        self.assertIn(text, self.reasons()["5.4.2-1"][1])


if __name__ == "__main__":
    unittest.main()
