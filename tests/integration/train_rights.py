"""Whose training lapsed signs nothing that asks for it, wherever people sign; and what he signed by another way does not count."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guard"))
sys.dont_write_bytecode = True
import approvals  # noqa: E402
from live import Guard  # noqa: E402
from train_world import FAKETIME, TUTELA, World  # noqa: E402

WITHOUT = {"everyone": "[]", **{r: "[]" for r in ("developer", "operator", "custodian", "approver", "trainer", "tester", "auditor", "root")}}
GUARD = """guard:
  approvals:
    timeout: 10m
    listen: 127.0.0.1:0
    keys: %s
  tools:
    - {name: pay, class: pay, approval: hold}
  routes:
    - {id: chat, path: /v1/chat/completions, protocol: openai-chat, models: m}
"""


def assign(**more):
    return "{%s}" % ", ".join("%s: %s" % item for item in {**WITHOUT, **more}.items())


class Rights(World):
    """Bob and Cleo approve, Opa operates, Dev develops; `coding` is assigned to all of these. Everything began 40 days ago, and the days
    of grace are over: now each of them is lapsed who did not take it."""
    TRAINING = "  modules: own\n  secure_coding: coding\n  grace_days: 5\n  assign: %s\n" % assign(
        developer="[coding]", operator="[coding]", approver="[coding]")
    MORE = ""

    def setUp(self):
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        super().setUp()
        self.guard = self.root / ".tutela" / "guard"
        self.describe(more=self.MORE)
        digest = approvals.hashlib.sha256((self.root / "system.txt").read_bytes()).hexdigest()
        self.change("origin: first-party", "origin: first-party, digest: \"sha256:%s\"" % digest)
        self.enrol("Ada", root=True, ago="-40d")
        for name, role in (("Bob", "approver"), ("Cleo", "approver"), ("Opa", "operator"), ("Dev", "developer")):
            self.enrol(name, role, ago="-40d")
        self.tutela("assess", ago="-39d")

    def change(self, what, by):
        text = (self.root / "tutela.yaml").read_text()
        self.assertIn(what, text)
        (self.root / "tutela.yaml").write_text(text.replace(what, by))

    def take_it(self, person):
        self.completed("coding", person)

    def refused(self, person, *args, **how):
        p = self.tutela(*args, code=2, **how)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertRegex(p.stderr, r"%s cannot .*: the training coding lapsed on \d+ \w{3} \d{4} \(never taken\); "
                                   r"tutela train take coding --by %s" % (person, person))


class Signing(Rights):
    def test_an_asset(self):
        self.refused("Dev", "sign", "system.txt", "--by", "Dev")
        self.assertFalse((self.root / "system.txt.sig").exists())
        self.tutela("sign", "system.txt", "--by", "Ada", code=0)  # nothing is assigned to a root
        self.take_it("Dev")
        self.tutela("sign", "system.txt", "--by", "Dev", code=0)

    def test_nothing_is_asked_without_a_section(self):
        text = (self.root / "tutela.yaml").read_text()
        (self.root / "tutela.yaml").write_text(text[:text.index("training:")])
        self.tutela("sign", "system.txt", "--by", "Dev", code=0)

    def test_what_cannot_be_read_gives_nobody_the_right(self):
        (self.root / "own" / "coding.md").write_text("---\nid: coding\n---\n")
        p = self.tutela("sign", "system.txt", "--by", "Dev", code=2)
        self.assertIn("own/coding.md", p.stderr)
        self.assertFalse((self.root / "system.txt.sig").exists())


class Releases(Rights):
    MORE = "gates:\n  - name: go\n    findings: none\n    wants: [{check: inventory.complete}]\n    signers: [{role: developer}]\n"

    def gate(self, code):
        return self.json("gate", "check", "go", code=code)["items"][-1]

    def test_a_gate_and_its_override(self):
        self.tutela("assess")
        self.refused("Dev", "gate", "sign", "go", "--by", "Dev")
        self.refused("Opa", "gate", "override", "go", "--by", "Opa", "--reason", "the release cannot wait", "--expires", "2099-01-01")
        self.gate(3)
        self.take_it("Dev")
        self.tutela("gate", "sign", "go", "--by", "Dev", code=0)
        self.assertEqual(self.gate(0)["actors"], ["Dev"])

    def test_a_signature_given_without_the_right_does_not_count(self):
        """With a clock that is set back into the days of grace; the log knows when it came."""
        self.change("grace_days: 5", "grace_days: 36")  # over three days ago
        self.tutela("assess", ago="-5d")
        server = subprocess.Popen([TUTELA, "ledger", "serve"], cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if list((self.root / ".tutela").rglob("*.sock*")):
                    break
                time.sleep(0.05)
            self.tutela("gate", "sign", "go", "--by", "Dev", ago="-4d", code=0)
            item = self.gate(3)
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()
        self.assertEqual([(s["name"], s["counts"], s["why"]) for s in item["signatures"]],
                         [("Dev", False, "training that the role asks for had lapsed when it was signed")])
        self.assertFalse(item["signed"])

    def test_a_lapse_after_the_signature_leaves_it_standing(self):
        self.take_it("Dev")
        self.tutela("assess")
        self.tutela("gate", "sign", "go", "--by", "Dev", code=0)
        self.gate(0)
        item = self.json("gate", "check", "go", ago="+60d")["items"][-1]
        self.assertTrue(item["signatures"][0]["counts"], item)


class Risks(Rights):
    MORE = """components:
  - {id: user, kind: user-client, boundary: outside, untrusted_content: true}
  - {id: bot, kind: agent, boundary: inside, agent: {tools: [pay], side_effects: external}}
flows:
  - {id: ask, from: user, to: bot}
boundaries:
  - {id: outside, inside: [user]}
  - {id: inside, inside: [bot]}
threats: {}
"""

    def test_an_acceptance_and_a_review(self):
        self.tutela("assess")
        risk = next(r for r in self.json("threats")["risks"] if r["state"] == "open")["id"]
        accept = ("threats", "accept", risk, "--by", "Opa", "--reason", "it is a pilot", "--expires", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 90 * 86400)))
        self.refused("Opa", *accept)
        self.refused("Opa", "threats", "review", "--by", "Opa")
        self.take_it("Opa")
        self.tutela(*accept, code=0)
        self.assertEqual(next(r for r in self.json("threats")["risks"] if r["id"] == risk)["state"], "accepted")


class Approving(Rights):
    MORE = GUARD % approvals.hashlib.sha256(approvals.SESAME.encode()).hexdigest()
    hold, policy, serve, ask, envelope, state = (getattr(approvals.Approvals, n) for n in ("hold", "policy", "serve", "ask", "envelope", "state"))

    def setUp(self):
        super().setUp()
        self.tmp = pathlib.Path(self.tmp.name)

    def run_it(self, *args, expect=0, before=()):
        p = self.tutela(*args, code=expect)
        p.out, p.err = p.stdout, p.stderr
        return p

    document = approvals.Approvals.document

    def test_in_the_terminal(self):
        hold = self.hold()
        self.refused("Bob", "approvals", "approve", hold["id"], "--by", "Bob")
        self.refused("Bob", "approvals", "deny", hold["id"], "--by", "Bob", "--reason", "no")
        self.assertEqual(self.state(hold)["state"], "waiting")
        self.take_it("Bob")
        self.run_it("approvals", "approve", hold["id"], "--by", "Bob")
        self.assertEqual((self.state(hold)["state"], self.state(hold)["actors"]), ("approved", ["Bob"]))

    def test_over_http_and_for_the_guard(self):
        key, pub = self.tmp / "dan.pem", self.tmp / "dan.pub"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", pub], check=True)
        key.chmod(0o600)
        self.tutela("people", "enrol", "Dan", "--role", "approver", "--key", str(pub), "--by", "Ada", ago="-38d", code=0)
        self.take_it("Cleo")
        hold = self.hold()
        host = self.serve()
        status, d = self.ask(host, "POST", "/approvals/" + hold["id"], self.envelope(hold, key), Content_Type="application/json")
        self.assertEqual(status, 403, d)
        for _ in range(200):  # whom the guard itself listens to
            file = self.guard / "approvers.json"
            names = [i["name"] for i in json.loads(file.read_text())["items"]] if file.exists() else None
            if names == ["Cleo"]:
                break
            time.sleep(0.1)
        self.assertEqual(names, ["Cleo"])
        self.assertEqual(self.state(hold)["state"], "waiting")
        # taken again while the listener runs
        head, right = self.sheet()
        sheet = head + "answers " + " ".join(right) + "\n"
        self.tutela("train", "submit", "-", "--by", "Dan", "--signing-key", str(key), given=sheet, code=0)
        status, d = self.ask(host, "POST", "/approvals/" + hold["id"], self.envelope(hold, key), Content_Type="application/json")
        self.assertEqual((status, d and d["by"]), (200, "Dan"), d)

    def sheet(self):
        self.tutela("train", "page", "coding", "--by", "Dan", "--html", "../page.html", ago="-1h", code=0)
        page = (self.root.parent / "page.html").read_text()
        head = re.search(r"(tutela-answers 1\nmodule \S+\nseed [0-9a-f]{16}\n)answers ", page).group(1)
        right = ["%d%s" % (at, "".join(re.findall(r'value="(\w)"><b>\w</b> <span>right', q))) for at, q in enumerate(page.split("<fieldset>")[1:], 1)]
        return head, right

    def test_a_decision_made_without_the_right_is_not_reviewed(self):
        asked = (self.root / "tutela.yaml").read_text()
        self.change("grace_days: 5", "grace_days: 300")
        self.run_it("approvals", "approve", self.hold()["id"], "--by", "Bob")
        d = self.document("approvals", "review", "--no-record", expect=None)
        before = d["summary"]["decisions"]
        (self.root / "tutela.yaml").write_text(asked)
        d = self.document("approvals", "review", "--no-record", expect=3)
        self.assertEqual((before, d["summary"]["decisions"], d["summary"]["ignored"]), (1, 0, 1))


@unittest.skipUnless(FAKETIME, "faketime is not installed")
class Policies(unittest.TestCase):
    """A guard that serves: what puts a policy in force, or lets begin again, asks for training; stopping asks for nothing."""

    def test_who_puts_a_policy_in_force(self):
        from train_world import module
        with Guard(extra=Rights.MORE + "training:\n" + Rights.TRAINING, start=False) as g:
            (g.system / "own").mkdir()
            (g.system / "own" / "coding.md").write_text(module("coding"))
            env = {**g.env, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

            def ago(*args, code=0):
                p = subprocess.run([FAKETIME, "-f", "-40d", TUTELA, *args], cwd=g.system, env=env, capture_output=True, text=True)
                self.assertIn(p.returncode, (code, 0, 1, 3), p.stderr)

            ago("people", "enrol", "Ada", "--root", "--generate", "--no-passphrase")
            ago("people", "enrol", "Opa", "--role", "operator", "--generate", "--no-passphrase", "--by", "Ada")
            ago("assess")

            def refused(*args):
                p = g.run(*args, check=False)
                self.assertEqual(p.returncode, 2, p.stdout + p.stderr)
                self.assertIn("Opa cannot sign this: the training coding lapsed on", p.stderr)
                self.assertIn("tutela train take coding --by Opa", p.stderr)

            refused("guard", "up", "--by", "Opa")
            module_file = g.system / "own" / "coding.md"
            kept = module_file.read_text()
            module_file.write_text("---\nid: coding\n---\n")  # whose training lapsed cannot be read: nobody could approve
            p = g.run("guard", "up", check=False)
            self.assertEqual(p.returncode, 2)
            self.assertIn("own/coding.md", p.stderr)
            module_file.write_text(kept)
            self.assertFalse(g.keeper())
            g.up()
            text = (g.system / "tutela.yaml").read_text()
            (g.system / "tutela.yaml").write_text(text.replace("hazel-lantern-40417", "hazel-lantern-40418"))
            refused("guard", "reload", "--by", "Opa")
            g.run("guard", "reload", "--by", "Ada")
            refused("guard", "stop", "--drill", "--by", "Opa")
            refused("guard", "rollback", "--by", "Opa")
            self.assertEqual(g.chat("hello").status, 200)
            g.run("guard", "stop", "--by", "Opa", "--reason", "odd answers")  # whoever sees it stops it
            self.assertEqual(g.chat("hello").status, 503)
            refused("guard", "resume", "--by", "Opa")
            self.assertEqual(g.chat("hello").status, 503)
            g.run("guard", "resume", "--by", "Ada")
            self.assertEqual(g.chat("hello").status, 200)


if __name__ == "__main__":
    unittest.main()
