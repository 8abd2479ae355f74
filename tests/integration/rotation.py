"""Machine keys that change, through the real command: followed by who holds the old one, finished after a crash at any
step, refused where they would not count; and months that are erased."""
import base64
import datetime
import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
HERE = os.path.dirname(os.path.abspath(__file__))


def openssl(*args, **more):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, **more).stdout


class System:
    def __init__(self, root):
        self.root = root
        self.dir = os.path.join(root, "system")
        self.data = os.path.join(root, "data")
        self.state = os.path.join(self.dir, ".tutela")
        self.evidence = os.path.join(self.state, "ledger", "evidence")
        self.env = dict(os.environ, XDG_DATA_HOME=self.data, XDG_CACHE_HOME=os.path.join(root, "cache"))

    def make(self):
        os.mkdir(self.dir)
        with open(os.path.join(self.dir, "data.csv"), "w") as file:
            file.write("age,income\n30,1000\n40,2000\n")
        self.ok("init", ".")
        self.key("ada")
        self.ok("people", "enrol", "Ada", "--root", "--key", self.path("ada.pem"))
        return self

    def path(self, name):
        return os.path.join(self.root, name)

    def key(self, name, *kind):
        openssl("genpkey", *(kind or ["-algorithm", "ed25519"]), "-out", self.path(name + ".key"))
        os.chmod(self.path(name + ".key"), 0o600)
        openssl("pkey", "-in", self.path(name + ".key"), "-pubout", "-out", self.path(name + ".pem"))
        return self.path(name + ".key")

    def run(self, *args, env=None, stdin=None, **more):
        return subprocess.run([TUTELA, *args], cwd=self.dir, env=dict(self.env, **(env or {})), capture_output=True,
                              text=True, timeout=120, input=stdin if stdin is not None else "", **more)

    def ok(self, *args, **more):
        run = self.run(*args, **more)
        if run.returncode != 0:
            raise AssertionError(f"{args}: {run.returncode}\n{run.stdout}{run.stderr}")
        return run.stdout

    def rotate(self, what, *args, by="Ada", key="ada"):
        return self.ok("people", "rotate", what, "--by", by, "--signing-key", self.path(key + ".key"), *args)

    def keys(self, name=""):
        return os.path.join(glob.glob(os.path.join(self.data, "tutela", "*"))[0], name)

    def vkey(self, log="evidence", name="log.vkey"):
        with open(self.keys(name)) as file:
            return next(line.strip() for line in file if f"/{log}+" in line)

    def verify(self, *args):
        run = self.run("ledger", "verify", "--format", "json", *args)
        doc = json.loads(run.stdout)
        checks = {c["name"]: c for c in doc["checks"]}
        assert (run.returncode == 0) == all(c["ok"] for c in checks.values()), run.stdout
        return checks, doc["summary"]

    def holds(self, *args):
        checks, summary = self.verify(*args)
        wrong = [c for c in checks.values() if not c["ok"]]
        if wrong:
            raise AssertionError(wrong)
        return checks, summary

    def note(self, path="checkpoint"):
        with open(os.path.join(self.evidence, path)) as file:
            return file.read()

    def signers(self, note):
        return re.findall("^— \\S+ (\\S+)$", note, re.M)

    def machine(self, name):
        doc = json.loads(self.ok("people", "list", "--format", "json"))
        assert doc["problems"] == [], doc["problems"]
        return next(m for m in doc["machines"] if m["id"] == name)["keys"]

    def public_of_store(self, name):
        return openssl("pkey", "-in", self.keys(name + ".key"), "-pubout").decode()

    def append(self, *words, log="evidence", **more):
        lines = "".join(json.dumps({"word": w}) + "\n" for w in words)
        return self.ok("ledger", "append", "--log", log, stdin=lines, **more)


class Rotation(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.s = System(self.root).make()

    def refused(self, *args, says, code=2):
        run = self.s.run(*args)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)
        self.assertIn(says, run.stderr)
        leftover = glob.glob(self.s.keys("*next*"))
        self.assertEqual(leftover, [])

    def rotation_refused(self, what, *args, says):
        self.refused("people", "rotate", what, *args, says=says)

    # --- the log ---

    def test_who_holds_the_old_key_follows(self):
        s = self.s
        s.append("before")
        old = s.vkey()
        with open(os.path.join(s.root, "saved"), "w") as file:
            file.write(s.note())
        s.ok("ledger", "prove", "3", "--out", s.path("3.proof"))
        with open(s.path("3.entry"), "w") as file:
            file.write(s.ok("ledger", "show", "3", "--format", "raw"))
        out = s.rotate("log", "--reason", "once a year")
        index = int(re.fullmatch(r"New key for log, key [0-9a-f]{12}: entry (\d+)\.\n", out).group(1))
        new = s.vkey()
        self.assertNotEqual(old, new)
        self.assertEqual(s.vkey(name="log.vkey.1"), old)
        # the checkpoint that covers it first carries both signatures, later ones the new one alone
        both = s.signers(s.note())
        self.assertEqual(len(both), 2)
        self.assertEqual(s.note().splitlines()[1], str(index + 1))
        s.append("after")
        self.assertEqual(len(s.signers(s.note())), 1)
        for given in ([], ["--key", old], ["--key", new], ["--checkpoint", s.path("saved")],
                      ["--key", old, "--checkpoint", s.path("saved")]):
            checks, _ = s.holds(*given)
        self.assertIn(f"by the checkpoint of {index + 1} entries", s.holds("--key", old)[0]["keys"]["detail"])
        # another user, who has no keys, follows from the genesis
        stranger = {"XDG_DATA_HOME": s.path("nobody")}
        run = s.run("ledger", "verify", env=stranger)
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)  # all holds, and nobody else says so
        self.assertIn("vouches for itself", run.stdout)
        self.assertEqual(s.run("ledger", "show", "last", env=stranger).returncode, 0)
        # what was proved before is proved still
        self.assertIn("number 3 of", s.ok("ledger", "verify", "--proof", s.path("3.proof"), "--entry", s.path("3.entry"),
                                          "--key", old))
        # the file of the rotation is a proof like any other, with its entry inside
        text = s.note(f"rotations/{index + 1}")
        entry = base64.b64decode(re.search("^extra (.*)$", text, re.M).group(1))
        with open(s.path("r.entry"), "wb") as file:
            file.write(entry)
        self.assertEqual(json.loads(entry)["kind"], "log.rotated")
        for vkey in (old, new):
            s.ok("ledger", "verify", "--proof", os.path.join(s.evidence, "rotations", str(index + 1)), "--entry",
                 s.path("r.entry"), "--key", vkey)
        # and it can change again
        s.rotate("log")
        s.append("later")
        for vkey in (old, new, s.vkey()):
            s.holds("--key", vkey)
        self.assertEqual([k["until"] is None for k in s.machine("log")], [False, False, True])
        self.assertEqual(s.machine("log")[-1]["pem"], s.public_of_store("log"))
        self.assertEqual(len(glob.glob(s.keys("log.key.*"))), 2)

    def test_a_rotation_that_is_gone_or_altered_is_found(self):
        s = self.s
        old = s.vkey()
        s.rotate("log")
        s.append("after")
        path = glob.glob(os.path.join(s.evidence, "rotations", "*"))[0]
        with open(path) as file:
            text = file.read()
        os.unlink(path)
        checks, _ = s.verify()
        self.assertFalse(checks["keys"]["ok"])
        self.assertIn("is missing or altered", checks["keys"]["detail"])
        self.assertFalse(s.verify("--key", old)[0]["checkpoint"]["ok"])
        lines = text.splitlines(True)
        lines[-1] = lines[-1].replace(lines[-1][-8:-4], "AAAA")
        with open(path, "w") as file:
            file.write("".join(lines))
        self.assertFalse(s.verify()[0]["keys"]["ok"])
        with open(path, "w") as file:
            file.write(text)
        s.holds("--key", old)
        # files of others are nobody's
        for name in ("99", "notes", "007"):
            with open(os.path.join(s.evidence, "rotations", name), "w") as file:
                file.write("c2sp.org/tlog-proof@v1\nindex 98\n\nx\n\n")
        s.holds("--key", old)

    def test_the_old_key_signs_nothing_any_more(self):
        """Whoever has the old key, and the disk, goes on from before the rotation: refused without an anchor too."""
        s = self.s
        old_keys = s.path("old-keys")
        old_state = s.path("old-state")
        shutil.copytree(s.data, old_keys)
        shutil.copytree(s.state, old_state)
        s.rotate("log")
        shutil.rmtree(s.state)
        shutil.copytree(old_state, s.state)
        s.append("a forgery", env={"XDG_DATA_HOME": old_keys})
        s.append("another", env={"XDG_DATA_HOME": old_keys})
        os.unlink(s.keys("anchor-evidence"))
        checks, _ = s.verify()
        self.assertFalse(checks["checkpoint"]["ok"])
        self.assertIn("sealed again", checks["checkpoint"]["detail"])
        self.assertEqual(s.run("ledger", "show", "last").returncode, 2)
        self.assertEqual(s.run("ledger", "append", stdin='{"a":1}\n').returncode, 2)

    def test_the_traffic_log_goes_along(self):
        s = self.s
        s.append("one", "two", log="traffic")
        s.rotate("log")
        with open(os.path.join(s.state, "ledger", "traffic", "checkpoint")) as file:
            self.assertEqual(len(s.signers(file.read())), 2)
        s.holds()
        s.append("three", log="traffic")
        s.holds()
        s.rotate("log")
        s.rotate("tool")
        s.append("four", log="traffic")
        checks, _ = s.holds("--key", s.vkey(name="log.vkey.1"))
        self.assertIn(": 4", checks["traffic"]["detail"])
        with open(os.path.join(s.state, "ledger", "traffic", "checkpoint")) as file:
            self.assertEqual(len(s.signers(file.read())), 1)

    def test_a_service_has_to_stop_first(self):
        s = self.s
        service = subprocess.Popen([TUTELA, "ledger", "serve"], cwd=s.dir, env=s.env, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("Listening", service.stderr.readline())
            before = s.vkey()
            self.rotation_refused("log", "--by", "Ada", "--signing-key", s.path("ada.key"),
                                  says="stop it, rotate, and start it again")
            self.assertEqual(s.vkey(), before)
            s.append("the service goes on")
            # the tool's key is not the service's
            tool = s.public_of_store("tool")
            s.rotate("tool")
            self.assertNotEqual(s.public_of_store("tool"), tool)
            service.send_signal(signal.SIGTERM)
            self.assertEqual(service.wait(60), 0, service.stderr.read())
        finally:
            service.kill()
            service.wait()
            service.stderr.close()
        s.rotate("log")
        service = subprocess.Popen([TUTELA, "ledger", "serve"], cwd=s.dir, env=s.env, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("Listening", service.stderr.readline())
            s.append("by the new key")
            service.send_signal(signal.SIGTERM)
            self.assertEqual(service.wait(60), 0)
        finally:
            service.kill()
            service.wait()
            service.stderr.close()
        s.holds("--key", s.vkey(name="log.vkey.1"))

    def test_others_who_write_meanwhile_go_on_with_the_new_key(self):
        s = self.s
        failed = []
        written = []
        over = threading.Event()

        def write(number):
            while not over.is_set():
                run = s.run("ledger", "append", stdin='{"writer":%d}\n' % number)
                if run.returncode != 0 and "try again" not in run.stderr:
                    failed.append(run.stderr)
                if run.returncode == 0:
                    written.append(int(run.stdout))

        writers = [threading.Thread(target=write, args=(n,)) for n in range(2)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(3):
                s.rotate("log")
                s.rotate("tool")
        finally:
            over.set()
            for writer in writers:
                writer.join()
        self.assertEqual(failed, [])
        self.assertGreater(len(written), 5)
        self.assertEqual(len(set(written)), len(written))
        checks, summary = s.holds("--key", s.vkey(name="log.vkey.1"))
        self.assertGreater(summary["size"], max(written))
        self.assertEqual(len(s.machine("log")), 4)
        self.assertEqual(s.machine("log")[-1]["pem"], s.public_of_store("log"))

    def test_what_would_not_count_changes_nothing(self):
        s = self.s
        bob = s.key("bob")
        s.ok("people", "enrol", "Bob", "--role", "developer", "--key", s.path("bob.pem"), "--signing-key",
             s.path("ada.key"))
        size = s.verify()[1]["size"]
        before = sorted(os.listdir(s.keys()))
        ada = s.path("ada.key")
        for what in ("log", "tool"):
            self.rotation_refused(what, "--by", "Bob", "--signing-key", bob, says="Bob, who signed it, is no root")
            self.rotation_refused(what, "--signing-key", ada, says="--by NAME")
            self.rotation_refused(what, "--by", "Bob", "--signing-key", ada, says="Ada")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--from-index", "9999", says="later than itself")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--generate", says="are of persons")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--new-key", "/nonexistent", says="/nonexistent")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--new-key", "ssh-agent:", says="not in the agent")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--new-key", ada, says="was named before, for Ada")
            self.rotation_refused(what, "--by", "Ada", "--signing-key", ada, "--new-key", s.keys(what + ".key"),
                                  says="is the one that it has already")
        # nor is a key taken back, even while the checkpoint still carries its signature
        s.rotate("log")
        size += 1
        self.rotation_refused("log", "--by", "Ada", "--signing-key", ada, "--new-key", s.keys("log.key.1"),
                              says="is a machine's")
        before = sorted(os.listdir(s.keys()))
        p256 = s.key("p256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.rotation_refused("log", "--by", "Ada", "--signing-key", ada, "--new-key", p256, says="Ed25519")
        self.rotation_refused("Bob", "--new-key", p256, "--signing-key", ada, says="are of tool and log")
        self.assertEqual(s.verify()[1]["size"], size)
        self.assertEqual(sorted(os.listdir(s.keys())), before)
        # nobody changes it by an entry of his own
        run = s.run("ledger", "append", "--kind", "log.rotated", stdin="{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("people rotate log", run.stderr)
        s.holds()

    def test_keys_from_elsewhere_and_under_a_passphrase(self):
        s = self.s
        mine = s.key("mine")
        s.rotate("log", "--new-key", mine)
        with open(s.path("mine.pem")) as file:
            self.assertEqual(s.public_of_store("log"), file.read())
        self.assertEqual(os.stat(s.keys("log.key")).st_mode & 0o777, 0o600)
        s.rotate("tool", "--new-key", s.key("p256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
        s.run("assess", ".")
        s.holds()
        with open(s.path("word"), "w") as file:
            file.write("correct horse\n")
        os.chmod(s.path("word"), 0o600)
        s.rotate("log", "--new-passphrase-file", s.path("word"))
        with open(s.keys("log.key")) as file:
            self.assertIn("ENCRYPTED", file.read())
        run = s.run("ledger", "append", stdin='{"a":1}\n')
        self.assertEqual(run.returncode, 2, "without the passphrase")
        s.ok("ledger", "append", "--passphrase-file", s.path("word"), stdin='{"a":1}\n')
        s.holds()
        s.rotate("log", "--old-passphrase-file", s.path("word"))
        s.append("in clear again")
        s.holds("--key", s.vkey(name="log.vkey.1"))

    def token(self, kind):
        """The URI of a fresh key in a fresh token, with its PIN in a file; None where softhsm2 cannot."""
        s = self.s
        module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so",
                                   "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                   "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(m)), None)
        if not module or not shutil.which("softhsm2-util"):
            return None
        os.makedirs(s.path("tokens"), exist_ok=True)
        with open(s.path("softhsm2.conf"), "w") as file:
            file.write(f"directories.tokendir = {s.path('tokens')}\n")
        s.env["SOFTHSM2_CONF"] = s.path("softhsm2.conf")
        util = ["softhsm2-util", "--pin", "1234", "--so-pin", "5678"]
        subprocess.run([*util, "--init-token", "--free", "--label", kind], check=True, capture_output=True, env=s.env)
        private = s.key("token-" + kind, *([] if kind == "ed25519" else ["-algorithm", "EC", "-pkeyopt",
                                                                         "ec_paramgen_curve:P-256"]))
        made = subprocess.run([*util, "--import", private, "--token", kind, "--label", "machine", "--id", "01"],
                              capture_output=True, env=s.env)
        if made.returncode != 0:
            return None
        with open(s.path("pin"), "w") as file:
            file.write("1234\n")
        os.chmod(s.path("pin"), 0o600)
        return f"pkcs11:token={kind};object=machine?module-path={module}&pin-source=file:{s.path('pin')}"

    def test_keys_in_tokens(self):
        s = self.s
        old = s.vkey()
        tool, log = self.token("p256"), self.token("ed25519")
        if not tool:
            self.skipTest("there is no softhsm2")
        s.rotate("tool", "--new-key", tool)
        self.assertTrue(os.path.exists(s.keys("tool.uri")))
        self.assertFalse(os.path.exists(s.keys("tool.key")))
        s.run("assess", ".")
        self.assertNotIn("no key was in force", s.holds()[0]["signatures"]["detail"])
        if log:
            s.rotate("log", "--new-key", log)
            s.append("signed by a token")
            s.holds("--key", old)
            s.rotate("log")
            s.append("and by a file again")
            s.holds("--key", old)
            self.assertTrue(os.path.exists(s.keys("log.uri.2")))
            self.assertFalse(os.path.exists(s.keys("log.uri")))

    def test_a_copy_brings_the_rotations_along(self):
        s = self.s
        old = s.vkey()
        s.rotate("log")
        s.append("after")
        mirror = s.path("mirror")
        shutil.copytree(s.evidence, mirror)
        shutil.rmtree(s.evidence)
        s.ok("ledger", "recover", "--from", mirror)
        s.holds("--key", old)

    def test_a_lost_log_key_is_told(self):
        s = self.s
        s.append("before")
        lost = s.verify()[1]["size"]
        s.append("perhaps not ours", "nor this")
        s.rotate("log", "--from-index", str(lost), "--reason", "the disk was stolen")
        checks, _ = s.holds()
        self.assertIn(f"was in other hands from entry {lost} on", checks["keys"]["detail"])
        self.assertEqual(s.machine("log")[0]["until"], lost)
        s.append("after")
        s.holds("--key", s.vkey(name="log.vkey.1"))

    def test_events_under_a_lost_log_key_count_for_nothing(self):
        s = self.s
        lost = s.verify()[1]["size"]
        with open(os.path.join(s.dir, "data.csv"), "a") as file:
            file.write("50,3000\n")
        s.run("assess", ".")
        size = s.verify()[1]["size"]
        events = []
        for index in range(lost, size):
            doc = json.loads(s.ok("ledger", "show", str(index), "--format", "json"))
            entry = doc["entries"][0]
            if not entry.get("signers"):
                events.append(index)
        s.rotate("log", "--from-index", str(lost))
        checks, _ = s.holds()
        self.assertTrue(events)
        self.assertIn(f"{len(events)} events stand where the log's key was in other hands", checks["signatures"]["detail"])

    # --- the tool ---

    def verdicts(self, command="report"):
        run = self.s.run(*([command, "--format", "json"] if command == "report" else [command, "--format", "json", "."]))
        doc = json.loads(run.stdout)
        return {c["id"]: c["verdict"] for c in doc["controls"]}

    def test_what_the_tool_signed_before_still_counts(self):
        s = self.s
        first = self.verdicts("assess")
        self.assertTrue({"met", "partly"} & set(first.values()))
        start = s.verify()[1]["size"]
        s.rotate("tool")
        self.assertEqual(s.machine("tool")[-1]["pem"], s.public_of_store("tool"))
        with open(s.keys("tool.pub")) as file:
            self.assertEqual(file.read(), s.public_of_store("tool"))
        kept = self.verdicts()
        self.assertEqual(kept, first)
        # the new one was stolen at once: what the one before it signed stands
        s.rotate("tool", "--from-index", str(start), "--reason", "it lay in a public bucket")
        self.assertEqual(self.verdicts(), first, "the key of then was another one, and had ended")
        s.holds()

    def test_evidence_after_a_theft_is_in_doubt(self):
        s = self.s
        start = s.verify()[1]["size"]
        first = self.verdicts("assess")
        s.rotate("tool", "--from-index", str(start), "--reason", "it lay in a public bucket")
        fallen = self.verdicts()
        self.assertNotEqual(fallen, first)
        self.assertEqual({fallen[c] for c in first if first[c] == "met"} - {"not_checked", "partly"}, set())
        checks, _ = s.holds()
        self.assertIn("no key was in force", checks["signatures"]["detail"])
        self.assertEqual(self.verdicts("assess"), first)

    # --- a crash at every step ---

    def counter(self, path):
        with open(path, "rb") as file:
            return struct.unpack("II", file.read(8))

    def killed(self, system, library, at, what):
        path = system.path("counter")
        with open(path, "wb") as file:
            file.write(bytes(8))
        env = dict(system.env, LD_PRELOAD=library, KILL_COUNTER=path, KILL_AT=str(at))
        # a sanitizer would rather be the first that is loaded; without one nobody reads this
        env["ASAN_OPTIONS"] = ":".join(filter(None, [env.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        run = subprocess.run([TUTELA, "people", "rotate", what, "--by", "Ada", "--signing-key", system.path("ada.key")],
                             cwd=system.dir, env=env, capture_output=True, text=True, timeout=120,
                             stdin=subprocess.DEVNULL, start_new_session=True)
        return self.counter(path)[1] == 1, run

    def after_the_crash(self, system, what, old, again):
        def fine(label, *args):
            try:
                system.holds(*args)
            except AssertionError as error:
                raise AssertionError(f"{label}: {error}") from None
        system.verify()  # an index that was being written is made anew, and says so once
        fine("a reader")
        fine("who holds the old key", "--key", old)
        if what == "log":
            system.append("whoever writes next")
        else:
            system.run("assess", ".")  # whoever signs next
        fine("a reader after a writer")
        fine("who holds the old key, after a writer", "--key", old)
        keys = system.machine(what)
        public = system.public_of_store(what)
        self.assertEqual(keys[-1]["pem"], public, "the key in force is the one of the store")
        self.assertIsNone(keys[-1]["until"])
        if what == "log":
            self.assertEqual(len(system.signers(system.note())), 1)
        if again:
            system.rotate(what)
            self.assertEqual(glob.glob(system.keys("*next*")), [])
            self.assertEqual(len(system.machine(what)), len(keys) + 1)
            fine("after another rotation", "--key", old)
        return len(keys)

    def kill_everywhere(self, what):
        library = os.path.join(self.root, "kill_at.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "kill_at.c")], check=True)
        self.s.append("one", log="traffic")
        self.s.append("two")
        old = self.s.vkey()
        seen = set()
        at = 0
        while True:
            at += 1
            with tempfile.TemporaryDirectory() as copy:
                shutil.copytree(self.root, copy, dirs_exist_ok=True)
                system = System(copy)
                died, run = self.killed(system, library, at, what)
                if not died:
                    self.assertEqual(run.returncode, 0, run.stderr)
                    break
                try:
                    seen.add(self.after_the_crash(system, what, old, at % 5 == 0))
                except AssertionError as error:
                    raise AssertionError(f"killed at change {at}: {error}") from None
        print(f"{what}: killed at each of {at - 1} changes to the disk", flush=True)
        self.assertGreater(at, 20)
        self.assertEqual(seen, {1, 2}, "it happened or it did not, and both came up")

    def test_a_log_rotation_that_is_cut_short_anywhere(self):
        self.kill_everywhere("log")

    def test_a_tool_rotation_that_is_cut_short_anywhere(self):
        self.kill_everywhere("tool")

    # --- erasure ---

    def with_personal_body(self, period):
        """A record whose body is sealed under the secret of a month: its head is what counts here."""
        s = self.s
        os.makedirs(s.keys("period"), mode=0o700, exist_ok=True)
        secret = s.keys("period/" + period)
        with open(secret, "wb") as file:
            file.write(os.urandom(32))
        os.chmod(secret, 0o600)
        with open(os.path.join(s.dir, "prompt.txt"), "w") as file:
            file.write("My name is Ada.\n" + period)
        s.ok("record", "5.1.1-2.1", "--statement", "channels", "--by", "Ada", "--signing-key", s.path("ada.key"),
             "--evidence", "prompt.txt", "--expires", "2999-01-01")
        index = s.verify()[1]["size"] - 1
        digest = subprocess.run(["sha256sum", "prompt.txt"], cwd=s.dir, capture_output=True, text=True,
                                check=True).stdout.split()[0]
        path = os.path.join(s.state, "bodies", digest)
        with open(path, "wb") as file:
            file.write(b"TUTBODY\x01" + period.encode() + os.urandom(12 + 5 + 16))
        return index, secret

    def test_a_month_is_erased(self):
        s = self.s
        index, secret = self.with_personal_body("202001")
        self.with_personal_body("202002")
        by = ["--by", "Ada", "--signing-key", s.path("ada.key")]
        bob = s.key("bob")
        s.ok("people", "enrol", "Bob", "--role", "developer", "--key", s.path("bob.pem"), *by)
        size = s.verify()[1]["size"]
        self.refused("ledger", "erase", *by, says="--period YYYYMM")
        self.refused("ledger", "erase", "--period", "202001", "--by", "Bob", "--signing-key", bob, says="only a root")
        self.refused("ledger", "erase", "--period", "202003", *by, says="has no secret here")
        self.refused("ledger", "erase", "--period", "202013", *by, says="no month 13")
        self.refused("ledger", "erase", "--period", "../202001", *by, says="YYYYMM")
        self.assertEqual(s.verify()[1]["size"], size)
        self.assertTrue(os.path.exists(secret))
        body = s.run("ledger", "show", str(index), "--body", s.path("out"))
        self.assertNotIn("was erased: ", body.stderr)
        out = s.ok("ledger", "erase", "--period", "202001", "--reason", "the year is over", *by)
        self.assertRegex(out, r"^Erased 202001: 1 body can no longer be read: entry \d+\.\n$")
        self.assertFalse(os.path.exists(secret))
        self.assertTrue(os.path.exists(s.keys("period/202002")))
        body = s.run("ledger", "show", str(index), "--body", s.path("out"))
        self.assertEqual(body.returncode, 2)
        self.assertIn("was erased: ", body.stderr)
        entry = json.loads(s.ok("ledger", "show", str(size), "--format", "json"))["entries"][0]
        self.assertIn("period.erased", json.dumps(entry))
        raw = json.loads(s.ok("ledger", "show", str(size), "--format", "raw"))
        statement = json.loads(base64.b64decode(raw["dsse"]["payload"]))
        self.assertEqual(statement["predicate"]["erasure"], {"bodies": 1, "period": "202001", "reason": "the year is over"})
        self.refused("ledger", "erase", "--period", "202001", *by, says="or it was erased")
        checks, _ = s.verify()
        self.assertNotIn("202001", checks["bodies"]["detail"])

    def test_the_present_month_only_when_asked(self):
        s = self.s
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m")
        self.with_personal_body(now)
        by = ["--by", "Ada", "--signing-key", s.path("ada.key")]
        self.refused("ledger", "erase", "--period", now, *by, says="with --now")
        doc = json.loads(s.ok("ledger", "erase", "--period", now, "--now", "--format", "json", *by))
        self.assertEqual(doc["schema"], "tutela.ledger/1")
        self.assertEqual(doc["summary"]["bodies"], 1)
        s.holds()

    def test_an_erasure_that_was_cut_short_is_made_again(self):
        """The entry stands, the mark is there, the secret still is: nobody reads with it, and it goes at the next try."""
        s = self.s
        index, secret = self.with_personal_body("202001")
        with open(secret + ".erased", "w"):
            pass
        run = s.run("ledger", "show", str(index), "--body", s.path("out"))
        self.assertIn("was erased", run.stderr)
        s.ok("ledger", "erase", "--period", "202001", "--by", "Ada", "--signing-key", s.path("ada.key"))
        self.assertFalse(os.path.exists(secret))
        s.holds()


if __name__ == "__main__":
    unittest.main()
