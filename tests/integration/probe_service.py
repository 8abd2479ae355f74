"""credit-scoring as it would be served: the example's service, the example's guard in front of it, and `tutela probe` through
both. What comes out is that of the model file, as far as the guard lets it; a break and a dead service lose nothing."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
BUILD = pathlib.Path(os.environ["TUTELA_BUILD"])
SERVICE = BUILD / "examples" / "scoring" / "tutela-example-scoring"
UNTIL = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 90 * 86400))
TESTER = """    - id: tester
      routes: score
      quota:
        requests: 10000000/hour
        concurrent: 64
      keys:
        - sha256: %s
          expires: %s
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class System:
    """A copy of the example, with its service; with its guard where `guard` is given."""

    def __init__(self, guard=False):
        self.tmp = tempfile.TemporaryDirectory(prefix="tutela-scoring-")
        self.root = pathlib.Path(self.tmp.name) / "credit-scoring"
        shutil.copytree(SOURCE / "examples" / "credit-scoring", self.root, ignore=shutil.ignore_patterns(".tutela"))
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CONFIG_HOME": self.tmp.name + "/config"}
        self.port, self.guard_port, self.key, self.service = free_port(), free_port(), None, None
        yaml = (self.root / "tutela.yaml").read_text()
        yaml = yaml.replace("127.0.0.1:8090", "127.0.0.1:%d" % self.port).replace("127.0.0.1:8444", "127.0.0.1:%d" % self.guard_port)
        if guard:
            self.key = self.run("guard", "key", "tester", "--quiet").stdout.strip()
            desk = self.run("guard", "key", "desk", "--quiet").stdout.strip()
            (self.root / "tester.key").write_text(self.key + "\n")
            os.chmod(self.root / "tester.key", 0o600)
            yaml = yaml.replace("    - id: desk\n      routes: score\n", "    - id: desk\n      routes: score\n      keys:\n        - sha256: %s\n          expires: %s\n"
                                % (digest(desk), UNTIL) + TESTER % (digest(self.key), UNTIL))
            yaml = re.sub(r"^(      guard: http.*)$", r"\1\n      guard_key_file: tester.key", yaml, flags=re.M)
        else:
            yaml = re.sub(r"^      guard: http.*\n", "", yaml, flags=re.M)
        (self.root / "tutela.yaml").write_text(yaml)
        self.start()
        if guard:
            done = self.run("guard", "up")
            if done.returncode:
                raise AssertionError(done.stderr)

    def start(self):
        self.service = subprocess.Popen([SERVICE, "--listen", "127.0.0.1:%d" % self.port, self.root / "models" / "classifier.onnx"],
                                        stdout=subprocess.PIPE, text=True)
        self.service.stdout.readline()

    def end(self):
        if self.key:
            self.run("guard", "down")
        self.stop()
        self.tmp.cleanup()

    def stop(self, how=signal.SIGTERM):
        if self.service.poll() is None:
            self.service.send_signal(how)
        self.service.wait(20)
        self.service.stdout.close()

    def run(self, *args):
        return subprocess.run([TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=280)

    def begin(self, *args):
        return subprocess.Popen([TUTELA, *args, "--format", "json"], cwd=self.root, env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def probe(self, *args):
        done = self.run("probe", *args, "--format", "json")
        if not done.stdout:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def asked(self):
        """Queries whose answers are kept."""
        return sum(len(p.read_bytes().splitlines()) - 1 for p in self.root.glob(".tutela/probe/*straight.journal"))

    def infer(self, row, guarded=False, shape=None):
        body = {"inputs": [{"name": "applications", "datatype": "FP32", "shape": shape or [1, 5], "data": row}]}
        headers = {"Content-Type": "application/json"}
        if guarded:
            headers["Authorization"] = "Bearer " + self.key
        url = "http://127.0.0.1:%d/v2/models/classifier/infer" % (self.guard_port if guarded else self.port)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=20) as answer:
                return answer.status, json.load(answer)["outputs"][0]["data"]
        except urllib.error.HTTPError as e:
            with e:
                return e.code, json.load(e)["error"]


def digest(key):
    return subprocess.run(["sha256sum"], input=key, capture_output=True, text=True, check=True).stdout.split()[0]


def measured(way):
    return (way["metric"], way["value"], way["interval"], way["baseline"], way["measures"], way["curves"], way["exposed"])


@unittest.skipUnless(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "nginx is not installed")
class Guarded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = System(guard=True)

    @classmethod
    def tearDownClass(cls):
        cls.system.end()

    def both(self, *args):
        doc = self.system.probe(*args)
        self.assertEqual((doc["asset"], doc["bound_by"]), ("model/classifier-onnx", "declaration"))
        self.assertGreater(doc["target"]["queries"], 0)
        self.assertGreater(doc["guarded"]["queries"], 0)
        self.assertEqual((doc["target"]["failed"], doc["guarded"]["failed"]), (0, 0), doc)
        return doc

    def local(self, *args):
        return self.system.probe(*args, "--target", "classifier", "--no-record")["attacks"][0]

    def test_membership_straight_is_that_of_the_file_and_the_guard_hides_nothing_of_a_model_that_memorises_nothing(self):
        doc = self.both("membership", "--target", "service", "--attack", "loss", "--no-record")
        attack, local = doc["attacks"][0], self.local("membership", "--attack", "loss")
        self.assertEqual(measured(attack["unguarded"]), measured(local))
        names = [m["name"] for m in local["measures"]]
        self.assertIn("auc", names)
        auc = next(m for m in attack["measures"] if m["name"] == "auc")
        straight = next(m for m in local["measures"] if m["name"] == "auc")
        self.assertLessEqual(straight["interval"][0], auc["value"])
        self.assertGreaterEqual(straight["interval"][1], auc["value"])
        self.assertNotEqual(attack["curves"], local["curves"], "rounded answers draw another curve")
        self.assertEqual(doc["guarded"]["refused"], 2, "the rows of the test data that the baseline of the training data refuses")

    def test_extraction_is_that_of_the_file_and_the_guard_does_not_stop_it(self):
        doc = self.both("extraction", "--target", "service", "--attack", "random", "--no-record")
        attack, local = doc["attacks"][0], self.local("extraction", "--attack", "random")
        self.assertEqual((attack["unguarded"]["value"], attack["unguarded"]["curves"]), (local["value"], local["curves"]))
        self.assertGreater(attack["value"], 0.9)
        self.assertEqual(doc["summary"]["verdict"], "open")

    def test_evasion_is_that_of_the_file_and_corruption_that_the_guard_refuses_is_no_wrong_answer(self):
        doc = self.both("evasion", "--target", "service", "--attack", "tabular", "--no-record")
        attack, local = doc["attacks"][0], self.local("evasion", "--attack", "tabular")
        self.assertEqual(attack["unguarded"]["value"], local["value"])
        self.assertGreaterEqual(attack["value"], local["interval"][0])
        doc = self.both("evasion", "--target", "service", "--attack", "corruption", "--no-record")
        attack = doc["attacks"][0]
        refused = next(m["value"] for m in attack["measures"] if m["name"] == "refused")
        self.assertTrue(0.2 < refused < 1, refused)
        self.assertGreater(attack["value"], attack["unguarded"]["value"] - 0.05)

    def test_the_guard_rounds_and_refuses_what_no_application_had(self):
        row = [27675, 4599, 0, 2, 21]
        status, straight = self.system.infer(row)
        self.assertEqual(status, 200)
        status, guarded = self.system.infer(row, guarded=True)
        self.assertEqual(status, 200, guarded)
        for exact, told in zip(straight, guarded):
            if told:  # what abuse has coarsened leaves out the smaller
                self.assertEqual(told, round(told, 2))
                self.assertAlmostEqual(told, exact, delta=0.051)
        self.assertNotEqual(straight, guarded)
        for bad, shape in (([1e7, 1, 1, 1, 30], None), ([27675, 4599, 0, 4, 21], None), ([27675.5, 4599, 0, 2, 21], None),
                           (row * 2, [2, 5]), (row[:4], [1, 4])):
            status, error = self.system.infer(bad, guarded=True, shape=shape)
            self.assertEqual((status, error["code"]), (400, "blocked"), bad)

    def test_evidence_is_about_the_declared_model(self):
        self.system.run("assess", ".")
        before = self.records()
        doc = self.system.probe("membership", "--target", "service")
        self.assertEqual(doc["summary"]["verdict"], "pass")
        self.system.run("assess", ".")
        found = [e for e in self.records() if e not in before]
        self.assertEqual([(e["result"], e["use"]) for e in found], [("pass", "counts")], found)
        self.assertEqual(doc["asset_digest"], {"sha256": next(re.findall(r"[0-9a-f]{64}", part)[0]
                                                              for part in (self.system.root / "tutela.yaml").read_text().split("  - id: ")
                                                              if part.startswith("model/classifier-onnx"))})

    def records(self):
        report = json.loads(self.system.run("report", "--format", "json").stdout)
        row = next(c for c in report["controls"] if c["id"] == "5.2.5-4")
        return [e for e in row["evidence"] if e["check"].startswith("probe.membership/")]

    def test_the_readme_shows_these_figures(self):
        text = (SOURCE / "README.md").read_text()
        section = re.search(r"^## Attack it ourselves$.*?(?=^## )", text, re.M | re.S).group()
        shown = re.findall(r"^\$ tutela (probe [^\n]* --target service [^\n]*)\n(.*?)(?=^\$ tutela |^```)", section, re.M | re.S)
        self.assertEqual(len(shown), 3)
        for command, output in shown:
            doc = self.system.probe(*command.split()[1:], "--no-record")
            attack = doc["attacks"][0]
            row = next(line.split() for line in output.splitlines() if line.startswith(attack["name"] + " "))
            self.assertEqual(row[1], attack["metric"])
            self.assertEqual(row[6], "%.4g" % attack["unguarded"]["value"], command)
            self.assertTrue(attack["interval"][0] <= float(row[2]) <= attack["interval"][1], command)
            self.assertEqual(row[-1], attack["verdict"])
        for picture in re.findall(r"\((docs/img/[^)]*)\)", section):
            self.assertIn("class=\"line dash\"", (SOURCE / picture).read_text(), picture)


class Broken(unittest.TestCase):
    """The same queries, with a break in between: none is asked twice, and the result is the same."""
    PROBE = ("probe", "extraction", "--target", "service", "--attack", "random")

    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.end)

    def whole(self):
        other = System()
        try:
            return other.probe(*self.PROBE[1:])
        finally:
            other.end()

    def until_some_is_kept(self, run):
        end = time.monotonic() + 60
        while self.system.asked() < 200 and time.monotonic() < end and run.poll() is None:
            time.sleep(0.02)
        self.assertGreaterEqual(self.system.asked(), 200)
        self.assertIsNone(run.poll(), "it ended before it could be broken off")

    def go_on(self):
        kept = self.system.asked()
        doc, whole = self.system.probe(*self.PROBE[1:]), self.whole()
        self.assertGreaterEqual(doc["target"]["from_journal"], 200)
        self.assertLessEqual(doc["target"]["from_journal"], kept)
        self.assertEqual(doc["target"]["queries"], whole["target"]["queries"], "those of the journal count")
        self.assertEqual(measured(doc["attacks"][0]), measured(whole["attacks"][0]))
        self.assertFalse(doc["summary"]["cut"])

    def test_after_an_interrupt_it_goes_on_to_the_same_result(self):
        run = self.system.begin(*self.PROBE, "--per-second", "400")
        self.until_some_is_kept(run)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        self.assertNotEqual(run.returncode, 0)
        if out:
            self.assertTrue(json.loads(out)["summary"]["cut"], out)
            self.assertNotEqual(json.loads(out)["summary"]["verdict"], "pass")
            self.assertIn("Nothing was recorded: interrupted; ", err)
        self.go_on()

    def test_a_killed_service_is_told_and_what_was_measured_is_kept(self):
        run = self.system.begin(*self.PROBE, "--per-second", "400")
        self.until_some_is_kept(run)
        self.system.stop(signal.SIGKILL)
        out, err = run.communicate(timeout=120)
        self.assertIn(run.returncode, (2, 3))
        self.assertRegex(out + err, "no longer answers|cannot be asked|Could not connect|refused")
        if out:
            doc = json.loads(out)
            self.assertNotEqual(doc["summary"]["verdict"], "pass")
        self.system.start()
        self.go_on()


if __name__ == "__main__":
    unittest.main()
