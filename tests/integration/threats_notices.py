"""Unresolved threats are told to operators, who sign, and by them to users: 5.1.3-2. Outside owners of risks give assurance:
5.1.3-3."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import message_world as mw  # noqa: E402
from threats_world import FAKETIME, World  # noqa: E402


class Told(World):
    def setUp(self):
        super().setUp()
        self.servers = []
        self.addCleanup(lambda: [s.stop() for s in self.servers])
        self.base = self.text.replace("threats:\n  review_days: 60\n", "")
        path = self.root.parent / "addresses.yaml"
        path.write_text("Olga: op@example.org\nOda: oda@example.org\nCustomers: customers@example.net\n")
        path.chmod(0o600)
        (self.root / "page").mkdir()

    def tell(self, tolerance="low", treatments="", channels=None, more=""):
        channels = channels or "    - {id: board, kind: file, folder: page, reaches: staff}\n    - {id: site, kind: file, folder: page, reaches: users}\n"
        self.describe(self.base + "threats:\n  review_days: 60\n  tolerance: {level: %s}\n%s" % (tolerance, treatments)
                      + "messages:\n  addresses: ../addresses.yaml\n  users: [Customers]\n  channels:\n" + channels + more)
        self.assess()

    def notify(self, *args, by="Dev", expect=0):
        return self.tutela("threats", "notify", *args, "--by", by, expect=expect)

    def notices(self, ago=None):
        return json.loads(self.tutela("threats", "notices", "--format", "json").stdout)

    def unresolved(self):
        return self.notices()["summary"]["unresolved"]

    def received(self, by="Olga", expect=0):
        for item in self.notices()["items"]:
            if item["to"] == "operators":
                self.tutela("threats", "received", item["id"], "--by", by, expect=expect)

    def page(self, to):
        return "".join(p.read_text() for p in (self.root / "page").glob("notice-%s-*" % to))


class Notices(Told):
    def setUp(self):
        super().setUp()
        self.tell()
        self.enrol()
        self.assess()

    def test_unresolved_threats_move_5_1_3_2_and_fall_back(self):
        self.assertGreater(self.unresolved(), 0)
        self.assertEqual(self.verdict("5.1.3-2"), "not_met")
        self.assertIn("not told to operators", json.dumps(self.control("5.1.3-2")))
        self.assertEqual(self.tutela("threats", "notices").returncode, 1)
        self.notify()
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "not_checked")
        self.assertIn("Receipts of operators lack", json.dumps(self.control("5.1.3-2")))
        self.received()
        self.assess()
        self.assertIn("have not told users", json.dumps(self.control("5.1.3-2")))
        self.tutela("threats", "notify", "--users", "--by", "Dev", expect=2)  # a developer is no operator
        self.notify("--users", by="Olga")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met", json.dumps(self.control("5.1.3-2")))
        self.assertEqual(self.tutela("threats", "notices").returncode, 0)
        self.assertIn("Nothing is left to tell", self.notify().stdout)
        for word in ("Possible impact: ", "What to do or watch: ", "Risk: "):
            self.assertEqual(self.page("operators").count(word), self.unresolved(), word)
            self.assertEqual(self.page("users").count(word), self.page("users").count("## "), word)
        risk = json.loads(self.tutela("threats", "--format", "json").stdout)["risks"][0]["id"]
        self.assertIn(risk, self.page("operators"))
        self.assertNotIn(risk, self.page("users"))  # users are told what concerns them, not where it is
        if FAKETIME:
            self.assertEqual(self.verdict("5.1.3-2", "+89d"), "met")
            self.assertEqual(self.verdict("5.1.3-2", "+91d"), "not_checked")
        # the text of what operators were told is gone
        item = next(i for i in self.notices()["items"] if i["to"] == "operators")
        body = self.root / ".tutela" / "bodies" / self.body_of(item["evidence"][0])
        kept = body.read_bytes()
        body.unlink()
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "not_met")
        body.write_bytes(kept)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met")
        # another operator has to know it too
        self.tutela("people", "enrol", "Oda", "--role", "operator", "--by", "Olga", "--generate", "--no-passphrase", expect=0)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "not_checked")
        self.received("Oda")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met")

    def test_a_new_threat_is_told_anew_and_an_old_one_is_not(self):
        self.notify()
        self.received()
        self.notify("--users", by="Olga")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met")
        before = self.unresolved()
        self.base = self.base.replace("api: {auth: key,", "api: {auth: none,").replace("from: user, to: gateway, auth: key", "from: user, to: gateway, auth: none")
        self.tell()
        told = self.notices()["summary"]
        self.assertGreater(told["untold"], 0)
        self.assertEqual(self.verdict("5.1.3-2"), "not_met")
        out = self.notify().stdout
        self.assertIn("of %d risk" % told["untold"], out)
        self.assertLessEqual(told["untold"], told["unresolved"])
        self.received()
        self.notify("--users", by="Olga")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met")
        self.assertGreaterEqual(self.unresolved(), before)

    def test_nothing_unresolved_needs_nothing_told(self):
        self.tell(tolerance="critical")
        self.assertEqual(self.unresolved(), 0)
        self.assertEqual(self.verdict("5.1.3-2"), "met")

    def test_users_are_told_by_mail_in_plain_words(self):
        mail = mw.Mail()
        self.servers.append(mail)
        self.tell(channels="    - {id: mail, kind: smtp, server: 127.0.0.1, port: %d, tls: none, from: t@example.org, reaches: everyone, retry_seconds: 0}\n" % mail.port)
        self.notify()
        self.notify("--users", by="Olga")
        self.assertEqual([to for _, to, *_ in mail.letters], [["op@example.org"], ["customers@example.net"]])
        self.assertIn("tutela threats received operators/", mail.letters[0][2].replace("=\r\n", ""))
        self.assertNotIn("tutela threats received", mail.letters[1][2].replace("=\r\n", ""))
        kept = b"".join(p.read_bytes() for p in (self.root / ".tutela").rglob("*") if p.is_file())
        self.assertNotIn(b"customers@example.net", kept)

    def test_what_was_not_delivered_goes_out_again(self):
        hook = mw.Hook(500)
        self.servers.append(hook)
        self.tell(channels="    - {id: chat, kind: webhook, url: \"http://127.0.0.1:%d/\", reaches: everyone, attempts: 1}\n" % hook.port)
        self.notify(expect=1)
        self.received()
        self.notify("--users", by="Olga", expect=1)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "not_checked")  # nobody took it on for the users
        hook.statuses = [200]
        self.notify("--users", by="Olga")
        self.assess()
        self.assertEqual(self.verdict("5.1.3-2"), "met")
        self.assertEqual(len(self.notices()["items"]), 2)

    def test_bad_input(self):
        self.assertIn("no risk", self.notify("no@such", expect=2).stderr)
        self.tutela("threats", "received", "operators/000000000000", "--by", "Olga", expect=2)
        self.tutela("threats", "notify", "--by", "Tess", expect=2)
        self.describe(self.base + "threats: {review_days: 60, tolerance: {level: low}}\n")
        self.assertIn("not assessed", self.notify(expect=2).stderr)
        self.assess()
        self.assertIn("no channel reaches staff", self.notify(expect=2).stderr)


class Assurance(Told):
    """The owner is a second system here, with its own log; its pack is judged by its key."""

    def setUp(self):
        super().setUp()
        self.tell()
        self.enrol()
        self.assess()
        self.risk, self.other = [r["id"] for r in json.loads(self.tutela("threats", "--format", "json").stdout)["risks"]][:2]
        self.owned = "  treatments:\n    - {risk: \"%s\", treatment: transfer, owner: Host AG, note: insured}\n" % self.risk

    def owner(self, name="host"):
        """Another organisation with its own log and keys: its pack, and the key that it publishes."""
        root = self.root.parent / name
        root.mkdir()
        (root / "prompt.txt").write_text("You are a host.\n")
        here, self.root = self.root, root
        ours, self.env = self.env, {**self.env, "XDG_DATA_HOME": str(root / "keys")}
        try:
            self.tutela("init", ".", expect=0)
            self.tutela("assess", ".")
            self.tutela("pack", "build", "../%s.tar" % name, expect=0)
        finally:
            self.root, self.env = here, ours
        return "../%s.tar" % name, str(next((root / "keys").rglob("log.vkey")))

    def assure(self, pack, key, *more, owner="Host AG", by="Olga", expect=0):
        return self.tutela("pack", "assure", pack, "--trust", key, "--for", owner, "--accept", "their auditor's letter of May says so", *more, "--by", by, expect=expect)

    def document(self):
        (self.root / "assurance.md").write_text("Host AG gives its pack each quarter.\n")
        self.tutela("record", "5.1.3-3", "--statement", "From the host", "--by", "Olga", "--evidence", "assurance.md", "--expires", "2099-01-01")

    def test_assurance_moves_5_1_3_3_and_falls_back(self):
        self.assess()
        self.assertIn("Nobody outside owns a risk", json.dumps(self.control("5.1.3-3")))
        self.tell(treatments=self.owned)
        self.document()
        self.assess()
        self.assertEqual(self.verdict("5.1.3-3"), "not_met")
        self.assertIn("No assurance in force by Host AG", json.dumps(self.control("5.1.3-3")))
        pack, key = self.owner()
        out = self.assure(pack, key).stdout
        self.assertIn(self.risk, out)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-3"), "met", json.dumps(self.control("5.1.3-3")))
        if FAKETIME:
            self.assertNotEqual(self.verdict("5.1.3-3", "+91d"), "met")
        body = self.root / ".tutela" / "bodies" / self.body_of(next(e["index"] for e in self.control("5.1.3-3")["evidence"] if e["check"].startswith("pack.assurance/")))
        kept = body.read_bytes()
        body.unlink()
        self.assess()
        self.assertEqual(self.verdict("5.1.3-3"), "not_met")
        body.write_bytes(kept)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-3"), "met")
        # a second owner has given nothing
        self.tell(treatments=self.owned + "    - {risk: \"%s\", treatment: transfer, owner: Cloud Inc}\n" % self.other)
        self.assertEqual(self.verdict("5.1.3-3"), "not_met")
        self.assertIn("Cloud Inc", json.dumps(self.control("5.1.3-3")))

    def test_what_is_refused(self):
        self.tell(treatments=self.owned)
        pack, key = self.owner()
        other = self.owner("other")[1]
        self.assertIn("owns no risk here", self.assure(pack, key, owner="Nobody", expect=2).stderr)
        self.assertIn("does not transfer", self.assure(pack, key, "--risk", "x@y", expect=2).stderr)
        self.assure(pack, other, expect=1)  # another log's key
        self.assertIn("system operator", self.assure(pack, key, by="Dev", expect=1).stderr)
        self.assertIn("a day to come", self.assure(pack, key, "--expires", "2001-01-01", expect=2).stderr)
        self.assertIn("too little for a grade", self.tutela("pack", "assure", pack, "--trust", key, "--for", "Host AG", "--by", "Olga", expect=1).stderr)
        self.assess()
        self.assertEqual(self.verdict("5.1.3-3"), "not_met")


if __name__ == "__main__":
    unittest.main()
