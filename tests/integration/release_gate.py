"""The example opens its release gate by documented commands; each single piece of evidence that the gate rests on closes it again when
it is taken away or grown old, and the gate names that piece and no other."""
import datetime
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
SERVICE = pathlib.Path(os.environ["TUTELA_BUILD"]) / "examples" / "assistant" / "tutela-example-assistant"
FAKETIME = shutil.which("faketime")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="tutela-release-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        env = {**os.environ, "PATH": os.path.dirname(TUTELA) + ":" + os.environ["PATH"], "PORT": free_port(), "MODEL_PORT": free_port()}
        done = subprocess.run(["sh", SOURCE / "examples" / "release" / "release.sh", SERVICE, cls.dir], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=800, stdin=subprocess.DEVNULL)
        cls.said, cls.status = done.stdout, done.returncode
        assert done.returncode == 0, done.stdout[-9000:]
        cls.root = cls.dir / "support-assistant"
        cls.env = {**os.environ, "XDG_DATA_HOME": str(cls.dir / "home"), "XDG_CONFIG_HOME": str(cls.dir / "home"),
                   "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def run_it(self, *args, before=()):
        return subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120)

    def check(self, at=None):
        before = [FAKETIME, "-f", "@" + at.strftime("%Y-%m-%d %H:%M:%S")] if at else []
        p = self.run_it("gate", "check", "release", "--format", "json", before=before)
        self.assertIn(p.returncode, (0, 1, 3), p.stderr)
        return p.returncode, json.loads(p.stdout)

    @staticmethod
    def wants(doc):
        return {(i["id"], w["clause"], w["check"]): w for i in doc["items"] for w in i["wants"]}

    def lacking(self, doc):
        return {name for name, w in self.wants(doc).items() if w["state"] not in ("holds", "not_applicable")}

    def body_of(self, index):
        shown = json.loads(self.run_it("ledger", "show", str(index), "--format", "json").stdout)
        found = re.search(r'"body": ?\{"sha256": ?"([0-9a-f]{64})"', json.dumps(shown))
        return found and found.group(1)

    def test_it_opens(self):
        status, doc = self.check()
        self.assertEqual((status, self.lacking(doc)), (0, set()))
        release = doc["items"][-1]
        self.assertEqual((release["state"], sorted(release["actors"])), ("open", ["App", "Dev"]))
        self.assertGreaterEqual(len(release["wants"]), 20)
        self.assertIn("Dev cannot sign this: the training role-developer lapsed on", self.said)  # before he took it
        self.assertRegex(self.said, r"planted-instructions: answered by tutela-example-assistant")

    def test_each_piece_taken_away_closes_it_and_is_named(self):
        _, doc = self.check()
        wants = self.wants(doc)
        users = {}
        for name, w in wants.items():
            self.assertTrue(w["evidence"] or w["state"] == "not_applicable" or "Nothing to show" in " ".join(w["reasons"]), (name, w))
            for index in [e["index"] for e in w["evidence"] if e["use"] == "counts"]:
                body = self.body_of(index)
                if body:
                    users.setdefault(body, set()).add(name)
                else:  # all that it says is in the entry, which nobody can take out: age alone ends it
                    self.assertEqual(name[2], "gate.sensitivity")
        self.assertGreater(len(users), 20)
        aside = self.dir / "aside"
        for body, names in sorted(users.items()):
            with self.subTest(wants=sorted(names)):
                path = next(p for p in (self.root / ".tutela" / "bodies").rglob("*" + body[2:] + "*") if p.is_file())
                shutil.move(path, aside)
                try:
                    status, doc = self.check()
                    self.assertEqual((status, self.lacking(doc)), (3, names))
                    text = self.run_it("gate", "check", "release").stdout
                    self.assertIn("closed, as something is missing", text)
                    for _, clause, check in names:
                        self.assertIn("%s %s" % (clause, check), text)
                finally:
                    shutil.move(aside, path)
        self.assertEqual(self.check()[0], 0)

    def test_each_piece_grown_old_closes_it_and_is_named(self):
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        _, doc = self.check()
        due = {name: datetime.datetime.strptime(w["due"], "%Y-%m-%dT%H:%M:%SZ") for name, w in self.wants(doc).items() if w["due"]}
        self.assertGreater(len(set(due.values())), 5)
        offset = datetime.datetime.now() - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)  # faketime reads local time
        minute = datetime.timedelta(minutes=1)
        for day in sorted(set(due.values())):
            status, doc = self.check(day + minute + offset)
            self.assertNotEqual(status, 0)
            self.assertEqual(self.lacking(doc), {name for name, at in due.items() if at <= day + minute})
        first = min(due.values())
        self.assertEqual(self.lacking(self.check(first - minute + offset)[1]), set())

    def test_a_changed_file_closes_it(self):
        for name in ("models/planner.onnx", "docs/record.md", "tutela.yaml"):
            with self.subTest(name):
                path = self.root / name
                kept = path.read_bytes()
                path.write_bytes(kept + b"\n")
                try:
                    status, doc = self.check()
                    self.assertEqual(status, 3)
                    self.assertTrue(doc["changes"])
                finally:
                    path.write_bytes(kept)
        self.assertEqual(self.check()[0], 0)


if __name__ == "__main__":
    unittest.main()
