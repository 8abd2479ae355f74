"""5.2.5-3 between two machines: the developer packs findings, the operator signs for them, the developer takes the receipt."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
CLAUSE = "5.2.5-3"
PROBE = """probe:
  targets:
    - id: classifier
      asset: model/classifier-onnx
      at: models/classifier.onnx
      members: data/applications-train.csv
      others: data/applications-test.csv
      label: defaulted
"""


def clock(ago):
    return ["faketime", "-f", ago] if ago else []


class Base(unittest.TestCase):
    """Ada develops, Bob operates elsewhere, Dan only tests. Made once; every test works on a copy."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="tutela-receipt-")
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.place(cls.base)
        shutil.copytree(os.path.join(SOURCE, "examples/credit-scoring"), cls.dev, ignore=shutil.ignore_patterns(".tutela"))
        os.mkdir(cls.elsewhere)
        with open(os.path.join(cls.dev, "tutela.yaml"), "r+") as file:
            text = file.read().partition("\n# The guard in front of the service")[0]  # and the example's own probes
            file.seek(0)
            file.truncate()
            file.write(text + "\n" + PROBE)
        for name in ("ada", "bob", "dan", "eve"):
            cls.new_key(name)
        assert cls.run_at(cls.dev, "assess").returncode == 3
        cls.done("people", "enrol", "Ada", "--root", "--role", "developer", "--key", cls.at("ada.pem"))
        cls.enrol("Bob", "operator")
        cls.enrol("Dan", "tester")

    @classmethod
    def place(cls, root):
        cls.root, cls.dev, cls.elsewhere = root, os.path.join(root, "dev"), os.path.join(root, "elsewhere")

    @classmethod
    def at(cls, name):
        return os.path.join(cls.root, name)

    @classmethod
    def new_key(cls, name):
        private, public = cls.at(name + ".key"), cls.at(name + ".pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        os.chmod(private, 0o600)

    @classmethod
    def enrol(cls, name, role):
        cls.done("people", "enrol", name, "--role", role, "--key", cls.at(name.lower() + ".pem"), "--by", "Ada",
                 "--signing-key", cls.at("ada.key"))

    @classmethod
    def run_at(cls, where, *args, ago=None):
        home = "dev.home" if where == cls.dev else "elsewhere.home"
        env = {**os.environ, "XDG_DATA_HOME": cls.at(home), "XDG_CACHE_HOME": cls.at("cache"),
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        return subprocess.run([*clock(ago), TUTELA, *args], cwd=where, env=env, capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)

    @classmethod
    def done(cls, *args):
        run = cls.run_at(cls.dev, *args)
        assert run.returncode == 0, (args, run.returncode, run.stdout, run.stderr)
        return run.stdout

    def setUp(self):
        copy = tempfile.mkdtemp(prefix="tutela-receipt-")
        self.addCleanup(shutil.rmtree, copy)
        shutil.copytree(self.base, copy, symlinks=True, dirs_exist_ok=True)
        type(self).place(copy)
        with open(os.path.join(self.dev, ".tutela/origin")) as file:
            self.vkey = self.at("dev.home/tutela/" + file.read().strip() + "/log.vkey")

    # --- what the developer does ---

    def probe(self):
        run = self.run_at(self.dev, "probe", "evaluation", "--target", "classifier")
        self.assertIn("Recorded as entry", run.stdout, run.stderr)

    def pack(self, name="p.tar", *args):
        path = self.at(name)
        return path, json.loads(self.done("pack", "build", path, "--format", "json", *args))["summary"]

    def handed(self, receipt, expect=0, ago=None):
        run = self.run_at(self.dev, "pack", "handed", receipt, "--format", "json", ago=ago)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return json.loads(run.stdout) if run.stdout else None

    def refused(self, receipt, says, code=1):
        before = self.entries()
        run = self.run_at(self.dev, "pack", "handed", receipt)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)
        self.assertIn(says, run.stderr)
        self.assertEqual(self.entries(), before)

    def entries(self):
        return json.loads(self.done("people", "list", "--format", "json"))["summary"]["entries"]

    def control(self, command="report", ago=None):
        run = self.run_at(self.dev, command, "--format", "json", ago=ago)
        self.assertTrue(run.stdout, run.stderr)
        return next(c for c in json.loads(run.stdout)["controls"] if c["id"] == CLAUSE)

    def assert_fell(self, why, **how):
        control = self.control(**how)
        self.assertEqual(control["verdict"], "not_checked")
        self.assertIn(why, " ".join(control["reasons"]))

    # --- what the operator does, who has no system there ---

    def receipt(self, pack, by="Bob", key=None, expect=0, name=None, trust=None, ago=None):
        path = self.at(name or f"{by}.json")
        run = self.run_at(self.elsewhere, "pack", "receipt", pack, "--trust", trust or self.vkey, "--by", by,
                          "--signing-key", self.at(key or by.lower() + ".key"), "--output", path, "--format", "json", ago=ago)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return path, json.loads(run.stdout) if run.stdout else run.stderr

    def taken(self):
        self.probe()
        pack, _ = self.pack()
        receipt, _ = self.receipt(pack)
        self.handed(receipt)
        self.assertEqual(self.control()["verdict"], "met")
        return receipt

    # --- a receipt that somebody else writes ---

    def read(self, receipt):
        with open(receipt) as file:
            return json.loads(base64.b64decode(json.load(file)["payload"]))

    def forge(self, statement, key="bob"):
        """Signed by openssl, in the one form."""
        body = self.canonical(statement)
        kind = b"application/vnd.in-toto+json"
        with open(self.at("pae"), "wb") as file:
            file.write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body))
        sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", self.at(key + ".key"), "-rawin", "-in", self.at("pae")],
                             check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.at(key + ".pem"), "-outform", "DER"], check=True,
                             capture_output=True).stdout
        with open(self.at(key + ".pem"), "rb") as file:
            public = file.read()
        name = next(i for p in json.loads(self.done("people", "list", "--format", "json"))["items"]
                    for k in p["keys"] for i in [k["id"]] if k["pem"].encode() == public)
        self.assertTrue(der)
        path = self.at("forged.json")
        with open(path, "wb") as file:
            file.write(self.canonical({"payload": base64.b64encode(body).decode(), "payloadType": kind.decode(),
                                       "signatures": [{"keyid": name, "sig": base64.b64encode(sig).decode()}]}) + b"\n")
        return path

    @staticmethod
    def canonical(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Handing(Base):
    def test_a_receipt_meets_it_and_nothing_else_does(self):
        self.assertEqual(self.control()["verdict"], "not_checked")
        self.probe()
        self.assertEqual(self.control()["verdict"], "not_checked")
        pack, built = self.pack()
        self.assertEqual(self.control()["verdict"], "not_checked")
        receipt, doc = self.receipt(pack)
        self.assertEqual(self.control()["verdict"], "not_checked")
        self.assertEqual(doc["schema"], "tutela.pack-receipt/1")
        self.assertEqual(doc["summary"]["trust"], "trusted-key")
        self.assertEqual(doc["summary"]["manifest"], built["manifest"])
        self.assertEqual([f["check"] for f in doc["findings"]], ["probe.evaluation/1"])
        self.assertEqual(doc["findings"][0]["subject"], "model/classifier-onnx")
        taken = self.handed(receipt)
        self.assertEqual(taken["findings"], doc["findings"])
        self.assertEqual(taken["summary"]["state"], "recorded")
        self.assertEqual(taken["summary"]["built"], built["entry"])
        control = self.control()
        self.assertEqual(control["verdict"], "met", control["reasons"])
        used = [e for e in control["evidence"] if e["use"] == "counts"]
        self.assertEqual([(e["index"], e["check"], e["result"]) for e in used],
                         [(taken["summary"]["index"], "probe.shared/1", "pass")])
        self.assertEqual(self.control("assess")["verdict"], "met", "looking again is no newer finding")

    def test_the_operator_needs_no_system_and_leaves_nothing_there(self):
        self.probe()
        pack, _ = self.pack()
        self.receipt(pack)
        self.assertEqual(os.listdir(self.elsewhere), [])
        self.assertFalse(os.path.exists(self.at("elsewhere.home")))
        run = self.run_at(self.elsewhere, "pack", "receipt", pack, "--trust", self.vkey, "--by", "Bob", "--signing-key",
                          self.at("bob.key"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("the pack holds 1 finding of tests", run.stdout)
        self.handed(pack + ".receipt.json")

    def test_what_it_states_is_what_the_pack_holds(self):
        self.probe()
        pack, built = self.pack()
        receipt, _ = self.receipt(pack)
        says = self.read(receipt)
        verified = json.loads(self.run_at(self.elsewhere, "pack", "verify", pack, "--trust", self.vkey, "--format",
                                          "json").stdout)
        self.assertEqual(says["predicateType"], "urn:tutela:pack-receipt:1")
        self.assertEqual(says["subject"], [{"name": "pack.json", "digest": built["manifest"]}])
        self.assertEqual(says["predicate"]["findings"], verified["findings"])
        self.assertEqual(says["predicate"]["log"], {"origin": verified["summary"]["origin"], "size": built["log_size"]})
        self.assertEqual(says["predicate"]["evaluated_at"], built["evaluated_at"])
        self.assertEqual(says["predicate"]["by"], "Bob")

    def test_twice_is_told_and_not_recorded_twice(self):
        receipt = self.taken()
        before = self.entries()
        again = self.handed(receipt)["summary"]
        self.assertEqual((again["state"], again["recorded"]), ("before", False))
        self.assertEqual(self.entries(), before)

    def test_a_key_that_was_made_here_signs_too(self):
        self.done("people", "enrol", "Cleo", "--role", "operator", "--generate", "--no-passphrase", "--by", "Ada",
                  "--signing-key", self.at("ada.key"))
        self.probe()
        pack, _ = self.pack()
        self.done("pack", "receipt", pack, "--trust", self.vkey, "--by", "Cleo", "--output", self.at("cleo.json"))
        self.handed(self.at("cleo.json"))
        self.assertEqual(self.control()["verdict"], "met")

    def test_an_independent_testers_finding_is_one_too(self):
        run = self.run_at(self.dev, "probe", "evaluation", "--target", "classifier", "--by", "Dan", "--signing-key",
                          self.at("dan.key"))
        self.assertIn("probe.independent", run.stdout, run.stderr)
        pack, _ = self.pack()
        receipt, doc = self.receipt(pack)
        self.assertEqual({f["check"] for f in doc["findings"]}, {"probe.evaluation/1", "probe.independent/1"})
        self.handed(receipt)
        self.assertEqual(self.control()["verdict"], "met")


class Falling(Base):
    @unittest.skipUnless(shutil.which("faketime"), "faketime is not installed")
    def test_when_it_is_old(self):
        self.taken()
        self.assertEqual(self.control(ago="+364d")["verdict"], "met")
        self.assert_fell("ran out", ago="+366d")

    def test_when_the_description_changes(self):
        receipt = self.taken()
        with open(os.path.join(self.dev, "tutela.yaml"), "a") as file:
            file.write("# another one\n")
        self.assert_fell("another version", command="assess")
        self.assertEqual(self.handed(receipt)["summary"]["state"], "recorded", "what was found is still the newest")
        self.assertEqual(self.control()["verdict"], "met")

    def test_when_newer_findings_came(self):
        receipt = self.taken()
        self.probe()
        self.assert_fell("findings that came since")
        self.assert_fell("findings that came since", command="assess")
        before = self.entries()
        passed = self.handed(receipt, expect=3)["summary"]
        self.assertEqual((passed["state"], passed["recorded"], passed["index"]), ("passed", False, None))
        self.assertEqual(self.entries(), before)
        pack, _ = self.pack("q.tar")
        receipt, _ = self.receipt(pack)
        self.assertEqual(self.handed(receipt)["summary"]["state"], "recorded")
        self.assertEqual(self.control()["verdict"], "met")

    def test_when_the_model_is_another(self):
        self.probe()
        pack, _ = self.pack()
        receipt, _ = self.receipt(pack)
        path = os.path.join(self.dev, "tutela.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("c9b385b9", "00000000"))
        passed = self.handed(receipt, expect=3)["summary"]
        self.assertIn("none of the findings", passed["statement"])

    def test_when_the_operators_key_is_revoked(self):
        receipt = self.taken()
        self.done("people", "revoke", "Bob", "--reason", "left", "--by", "Ada", "--signing-key", self.at("ada.key"))
        self.assert_fell("no longer counts")
        self.refused(receipt, "Bob cannot give it as system operator")

    def test_when_the_operator_has_another_key(self):
        self.taken()
        self.new_key("later")
        self.done("people", "rotate", "Bob", "--key", self.at("later.pem"), "--signing-key", self.at("bob.key"))
        self.assert_fell("no longer counts")
        pack, _ = self.pack("q.tar")
        receipt, _ = self.receipt(pack, key="later.key")
        self.handed(receipt)
        self.assertEqual(self.control()["verdict"], "met")


class Refusing(Base):
    def test_who_has_not_the_role(self):
        self.probe()
        pack, _ = self.pack()
        for name in ("Ada", "Dan"):
            receipt, _ = self.receipt(pack, by=name)
            self.refused(receipt, f"{name} cannot give it as system operator")

    def test_who_is_not_known(self):
        self.probe()
        pack, _ = self.pack()
        receipt, _ = self.receipt(pack, by="Bob", key="eve.key")
        self.refused(receipt, "a key of nobody who is enrolled here")
        receipt, _ = self.receipt(pack, by="Dan", key="bob.key")
        self.refused(receipt, "somebody else than Bob")

    def test_who_built_the_pack(self):
        self.probe()
        pack, _ = self.pack("p.tar", "--by", "Bob", "--signing-key", self.at("bob.key"))
        receipt, _ = self.receipt(pack)
        self.refused(receipt, "Bob, who built the pack")
        self.probe()
        pack, _ = self.pack("q.tar", "--by", "Ada", "--signing-key", self.at("ada.key"))
        receipt, _ = self.receipt(pack)
        self.handed(receipt)
        self.assertEqual(self.control()["verdict"], "met")

    def test_what_was_altered(self):
        self.probe()
        pack, _ = self.pack()
        receipt, _ = self.receipt(pack)
        with open(receipt) as file:
            envelope = json.load(file)
        says = self.read(receipt)
        says["predicate"]["received_at"] = "2027-01-01T00:00:00Z"
        envelope["payload"] = base64.b64encode(self.canonical(says)).decode()
        with open(self.at("altered.json"), "wb") as file:
            file.write(self.canonical(envelope) + b"\n")
        self.refused(self.at("altered.json"), "does not carry the signature of Bob")
        with open(self.at("spaced.json"), "w") as file:
            json.dump(envelope, file)
        self.refused(self.at("spaced.json"), "not in its one form", code=2)

    def test_what_is_for_another_pack(self):
        self.probe()
        _, built = self.pack()
        other = os.path.join(self.root, "other")
        shutil.copytree(os.path.join(SOURCE, "examples/credit-scoring"), other, ignore=shutil.ignore_patterns(".tutela"))
        self.run_at(other, "assess")
        foreign = self.at("foreign.tar")
        self.assertEqual(self.run_at(other, "pack", "build", foreign).returncode, 0)
        with open(os.path.join(other, ".tutela/origin")) as file:
            vkey = self.at("elsewhere.home/tutela/" + file.read().strip() + "/log.vkey")
        receipt, _ = self.receipt(foreign, trust=vkey, expect=3)
        self.refused(receipt, "a pack that this log did not build")
        pack, _ = self.pack("q.tar")
        says = self.read(self.receipt(pack)[0])
        says["subject"][0]["digest"]["sha256"] = "0" * 64
        self.refused(self.forge(says), "a pack that this log did not build")

    def test_what_an_operator_makes_up(self):
        self.probe()
        pack, built = self.pack()
        says = self.read(self.receipt(pack)[0])
        for key, value in (("result", "pass"), ("subject", "model/classifier"), ("check", "probe.evasion/1"),
                           ("entry", 1), ("entry", built["log_size"]), ("expires", "2030-01-01T00:00:00Z"),
                           ("digest", {"sha256": "1" * 64})):
            made_up = json.loads(json.dumps(says))
            self.assertNotEqual(made_up["predicate"]["findings"][0][key], value)
            made_up["predicate"]["findings"][0][key] = value
            self.refused(self.forge(made_up), "as something that it is not here")
        for at, why in (("2099-01-01T00:00:00Z", "in the future"), ("2020-01-01T00:00:00Z", "older than the pack")):
            made_up = json.loads(json.dumps(says))
            made_up["predicate"]["received_at"] = at
            self.refused(self.forge(made_up), why)
        self.handed(self.forge(says))
        self.assertEqual(self.control()["verdict"], "met", "what openssl signed is as good")

    def test_what_is_no_receipt(self):
        for name, text, says in (("empty", b"", "no valid JSON"), ("list", b"[]", "no object"), ("text", b"\xff\xfe", "JSON"),
                                 ("deep", b"[" * 100000, ""), ("other", b'{"payload":"e30=","payloadType":"x",'
                                                                       b'"signatures":[{"sig":"AA=="}]}', "no receipt")):
            with open(self.at(name), "wb") as file:
                file.write(text)
            self.refused(self.at(name), says, code=2)
        self.refused(self.at("nowhere.json"), "No such file", code=2)
        self.refused(self.root, "directory", code=2)

    def test_a_pack_without_findings_is_signed_for_and_proves_nothing(self):
        pack, _ = self.pack()
        receipt, doc = self.receipt(pack, expect=3)
        self.assertEqual(doc["findings"], [])
        run = self.run_at(self.elsewhere, "pack", "receipt", pack, "--trust", self.vkey, "--by", "Bob", "--signing-key",
                          self.at("bob.key"))
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertIn("holds no findings of tests", run.stdout)
        self.assertEqual(self.handed(receipt, expect=3)["summary"]["state"], "empty")
        self.assertEqual(self.control()["verdict"], "not_checked")

    def test_a_pack_that_nobody_known_vouches_for_is_not_signed_for(self):
        self.probe()
        pack, _ = self.pack()
        with open(pack, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with open(self.at("bad.tar"), "wb") as file:
            file.write(data)
        here = ("--by", "Bob", "--signing-key", self.at("bob.key"))
        for args, code, says in (((pack, *here), 1, "by nothing but its own keys"),
                                 ((self.at("bad.tar"), "--trust", self.vkey, *here), 1, "does not verify"),
                                 ((pack, "--trust", self.at("eve.pem"), *here), 1, "does not verify"),
                                 ((self.at("bob.key"), "--trust", self.vkey, *here), 2, "bob.key"),
                                 ((pack, "--trust", self.vkey), 2, "needs --by"),
                                 ((pack, "--trust", self.vkey, "--by", "Bob"), 2, "--signing-key KEY says with what"),
                                 ((pack, "--trust", self.vkey, "--by", "../b", *here[2:]), 2, "person's name")):
            run = self.run_at(self.elsewhere, "pack", "receipt", *args)
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)
            self.assertEqual(run.stdout, "")
            self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)
            self.assertIn(says, run.stderr)
        self.assertFalse(os.path.exists(pack + ".receipt.json"))


if __name__ == "__main__":
    unittest.main()
