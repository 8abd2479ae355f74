"""people through the real command: the first root, enrolment by signature, rotation, revocation, and what is refused."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class People(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.dir = os.path.join(self.root, "system")
        os.mkdir(self.dir)
        self.env = dict(os.environ, XDG_DATA_HOME=os.path.join(self.root, "data"))
        with open(os.path.join(self.dir, "data.csv"), "w") as file:
            file.write("age,income\n30,1000\n40,2000\n")
        self.assertEqual(self.tutela("init", ".").returncode, 0)

    def tutela(self, *args, **more):
        return subprocess.run([TUTELA, *args], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, **more)

    def key(self, name, kind="ed25519"):
        private = os.path.join(self.root, name + ".key")
        public = os.path.join(self.root, name + ".pem")
        options = ["-algorithm", "ed25519"] if kind == "ed25519" else ["-algorithm", "EC", "-pkeyopt",
                                                                       "ec_paramgen_curve:" + kind]
        openssl("genpkey", *options, "-out", private)
        os.chmod(private, 0o600)
        openssl("pkey", "-in", private, "-pubout", "-out", public)
        return private, public

    def people(self, *args):
        run = self.tutela("people", *args)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr, "")
        return run.stdout

    def refused(self, *args, says):
        before = self.entries()
        run = self.tutela("people", *args)
        self.assertEqual(run.returncode, 2, run.stdout)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)
        self.assertIn(says, run.stderr)
        self.assertEqual(self.entries(), before)

    def listed(self):
        doc = json.loads(self.people("list", "--format", "json"))
        self.assertEqual(doc["schema"], "tutela.people/1")
        return doc

    def entries(self):
        return self.listed()["summary"]["entries"]

    def item(self, name):
        return next(i for i in self.listed()["items"] if i["id"] == name)

    def with_root(self):
        private, public = self.key("ada")
        self.people("enrol", "Ada", "--root", "--key", public)
        return private

    def test_an_empty_log_says_how_to_begin(self):
        self.assertIn("tutela people enrol NAME --root", self.people("list"))
        self.assertEqual(self.listed()["items"], [])

    def test_the_first_is_a_root_and_enrols_others(self):
        _, bob = self.key("bob")
        self.refused("enrol", "Bob", "--key", bob, says="no root yet")
        ada = self.with_root()
        out = self.people("enrol", "Bob", "--role", "approver", "--role", "tester", "--key", bob, "--by", "Ada",
                          "--signing-key", ada)
        self.assertRegex(out, r"^Enrolled Bob, key [0-9a-f]{12}: entry \d+\.\n$")
        item = self.item("Bob")
        self.assertEqual(item["state"], "active")
        self.assertEqual(item["roles"], ["approver", "tester"])
        self.assertFalse(item["root"])
        self.assertIsNone(item["due"])
        self.assertEqual(len(item["evidence"]), 1)
        self.assertIsNone(item["keys"][0]["until"])
        with open(bob) as file:
            self.assertEqual(item["keys"][0]["pem"], file.read())
        digest = subprocess.run(["sha256sum", bob], capture_output=True, text=True, check=True).stdout.split()[0]
        self.assertEqual(item["keys"][0]["id"], digest)
        table = self.people("list").splitlines()
        self.assertRegex(table[0], r"^NAME +ROLES +KEY +SINCE +STATE")
        self.assertRegex(table[1], r"^Ada +root +[0-9a-f]{12} +\d+ \w+ \d{4} +active")
        self.assertRegex(table[2], r"^Bob +approver, tester +" + digest[:12])

    def test_only_a_roots_signature_enrols(self):
        ada = self.with_root()
        bob_key, bob = self.key("bob")
        eve_key, eve = self.key("eve")
        self.refused("enrol", "Eve", "--key", eve, says="--signing-key KEY says with what")
        self.refused("enrol", "Eve", "--key", eve, "--signing-key", eve_key, says="belongs to nobody")
        self.people("enrol", "Bob", "--key", bob, "--signing-key", ada)
        self.refused("enrol", "Eve", "--key", eve, "--signing-key", bob_key, says="Bob, who signed it, is no root")
        self.refused("enrol", "Eve", "--key", eve, "--by", "Ada", "--signing-key", bob_key, says="that of Bob, not of Ada")
        self.refused("enrol", "bob", "--key", eve, "--signing-key", ada, says="Bob is enrolled already")
        self.refused("enrol", "Eve", "--key", bob, "--signing-key", ada, says="was named before, for Bob")
        self.refused("enrol", "tool", "--key", eve, "--signing-key", ada, says="keeps for itself")
        self.refused("enrol", "../eve", "--key", eve, "--signing-key", ada, says="without slashes")
        self.refused("enrol", "Eve", "--key", ada, "--signing-key", ada, says=ada)
        self.refused("enrol", "Eve", "--key", "/nonexistent", "--signing-key", ada, says="/nonexistent")
        self.refused("enrol", "Eve", "--role", "king", "--key", eve, "--signing-key", ada, says="--role takes")
        self.refused("enrol", "Eve", "--signing-key", ada, says="--key FILE")

    def test_keys_of_ssh_and_of_nist_curves(self):
        ada = self.with_root()
        for curve in ("P-256", "P-384", "P-521"):
            _, public = self.key(curve, curve)
            self.people("enrol", "Person " + curve, "--key", public, "--signing-key", ada)
            self.assertEqual(self.item("Person " + curve)["keys"][0]["type"], "ECDSA " + curve)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.key("ssh")[1], "-outform", "DER"],
                             capture_output=True, check=True).stdout
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + der[-32:]
        line = os.path.join(self.root, "id_ed25519.pub")
        with open(line, "w") as file:
            file.write("ssh-ed25519 " + base64.b64encode(blob).decode() + " somebody@host\n")
        self.people("enrol", "Ssh", "--key", line, "--signing-key", ada)
        self.assertEqual(self.item("Ssh")["keys"][0]["type"], "Ed25519")

    def test_rotation_by_the_old_key(self):
        ada = self.with_root()
        old, bob = self.key("bob")
        new, bob2 = self.key("bob2")
        self.people("enrol", "Bob", "--key", bob, "--signing-key", ada)
        self.people("rotate", "Bob", "--key", bob2, "--signing-key", old)
        keys = self.item("Bob")["keys"]
        self.assertEqual(keys[0]["until"], keys[1]["from"])
        self.assertIsNone(keys[1]["until"])
        _, bob3 = self.key("bob3")
        self.refused("rotate", "Bob", "--key", bob3, "--signing-key", old, says="no longer in force")
        self.refused("rotate", "Bob", "--key", bob3, "--from-index", "0", "--signing-key", new, says="only a root")
        self.refused("rotate", "Nix", "--key", bob3, "--signing-key", ada, says="nobody called")
        self.people("rotate", "Bob", "--key", bob3, "--signing-key", ada)

    def test_revocation_and_coming_back(self):
        ada = self.with_root()
        bob_key, bob = self.key("bob")
        self.people("enrol", "Bob", "--key", bob, "--signing-key", ada)
        self.refused("revoke", "Bob", "--signing-key", ada, says="needs --reason")
        self.people("revoke", "Bob", "--reason", "left", "--signing-key", ada)
        item = self.item("Bob")
        self.assertEqual((item["state"], item["reason"]), ("revoked", "left"))
        self.assertIn("left", self.people("list"))
        self.refused("revoke", "Bob", "--reason", "again", "--signing-key", ada, says="revoked already")
        self.refused("enrol", "Cid", "--key", self.key("cid")[1], "--signing-key", bob_key, says="no longer in force")
        self.people("enrol", "Bob", "--role", "auditor", "--key", self.key("bob2")[1], "--signing-key", ada)
        self.assertEqual(self.item("Bob")["state"], "active")
        self.refused("revoke", "Ada", "--reason", "x", "--signing-key", ada, says="the last root cannot be revoked")

    def test_a_compromise_reaches_back(self):
        ada = self.with_root()
        bob_key, bob = self.key("bob")
        self.people("enrol", "Bob", "--root", "--key", bob, "--signing-key", ada)
        stolen_from = self.entries()
        self.people("enrol", "Eve", "--root", "--key", self.key("eve")[1], "--signing-key", bob_key)
        self.refused("revoke", "Bob", "--reason", "x", "--from-index", "many", "--signing-key", ada, says="--from-index takes")
        self.refused("revoke", "Bob", "--reason", "x", "--from-index", "999", "--signing-key", ada, says="later than itself")
        self.people("revoke", "Bob", "--reason", "laptop stolen", "--from-index", str(stolen_from), "--signing-key", ada)
        self.assertEqual(self.item("Bob")["keys"][0]["until"], stolen_from)
        eve = self.item("Eve")
        self.assertEqual(eve["state"], "revoked")
        self.assertEqual(eve["keys"][0]["from"], eve["keys"][0]["until"])

    def test_keys_are_made_and_found_again(self):
        secret = os.path.join(self.root, "pass")
        with open(secret, "w") as file:
            file.write("correct horse\n")
        os.chmod(secret, 0o600)
        self.refused("enrol", "Ada", "--root", "--generate", says="--no-passphrase")
        self.people("enrol", "Ada", "--root", "--generate", "--new-passphrase-file", secret)
        self.refused("enrol", "Bob", "--generate", "--no-passphrase", "--by", "Ada", says="passphrase")
        self.people("enrol", "Bob", "--generate", "--no-passphrase", "--by", "Ada", "--passphrase-file", secret)
        self.people("rotate", "Bob", "--generate", "--no-passphrase", "--by", "Bob")
        self.people("rotate", "Bob", "--generate", "--no-passphrase", "--by", "Bob")
        self.assertEqual(len(self.item("Bob")["keys"]), 3)
        made = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(self.root, "data")) for f in files
                if "people" in d and f.endswith(".key")]
        self.assertEqual(len(made), 4)
        for path in made:
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_what_was_written_is_an_envelope_that_openssl_verifies(self):
        ada = self.with_root()
        self.people("enrol", "Bob", "--key", self.key("bob")[1], "--signing-key", ada)
        found = None
        for folder, _, files in os.walk(os.path.join(self.dir, ".tutela", "ledger")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    bundle = file.read()
                at = bundle.find(b'{"at":"')
                while at >= 0 and found is None:
                    try:
                        entry, _ = json.JSONDecoder().raw_decode(bundle[at:].decode("utf-8", "replace"))
                    except ValueError:
                        entry = {}
                    found = entry if entry.get("kind") == "people.enrolled" else None
                    at = bundle.find(b'{"at":"', at + 1)
        self.assertIsNotNone(found)
        envelope = found["dsse"]
        payload = base64.b64decode(envelope["payload"])
        statement = json.loads(payload)
        self.assertEqual(statement["_type"], "https://in-toto.io/Statement/v1")
        self.assertEqual(statement["subject"][0]["name"], "person/Bob")
        self.assertEqual(statement["predicate"]["actor"], "Ada")
        self.assertEqual(statement["predicate"]["person"]["name"], "Bob")
        kind = envelope["payloadType"].encode()
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        paths = [os.path.join(self.root, n) for n in ("pae", "sig")]
        for path, content in zip(paths, (pae, base64.b64decode(envelope["signatures"][0]["sig"]))):
            with open(path, "wb") as file:
                file.write(content)
        openssl("pkeyutl", "-verify", "-pubin", "-inkey", os.path.join(self.root, "ada.pem"), "-rawin", "-in", paths[0],
                "-sigfile", paths[1])

    def test_json_answers(self):
        _, public = self.key("ada")
        doc = json.loads(self.people("enrol", "Ada", "--root", "--key", public, "--format", "json"))
        self.assertEqual(doc["schema"], "tutela.people/1")
        self.assertEqual(doc["summary"]["event"], "people.root")
        self.assertEqual(doc["summary"]["id"], "Ada")
        self.assertEqual(doc["summary"]["index"], self.item("Ada")["evidence"][0])

    def test_outside_a_described_system(self):
        run = subprocess.run([TUTELA, "people", "list"], cwd=self.root, env=self.env, capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertIn("tutela init", run.stderr)


if __name__ == "__main__":
    unittest.main()
