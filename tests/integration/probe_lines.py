"""Programs that answer lines: which questions they take, and what becomes of them when somebody writes odd ones."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from probe_targets import ANSWERED, SOURCE, Base

TUTELA = os.environ["TUTELA"]

# A program as it should be, unless its first argument says otherwise; the second: what it says that it takes.
ADAPTER = """import json, os, sys, time
mode, takes = sys.argv[1], sys.argv[2]
with open("log", "a") as log:
    log.write("begun\\n")
if takes != "-":
    print(json.dumps({"takes": takes.split("+")}), flush=True)
poisoned = False
for line in sys.stdin.buffer:
    out, number = {}, None
    with open("log", "a") as log:
        log.write(repr(line[:200]) + "\\n")
    try:
        asked = json.loads(line)
        number = asked["id"]
        if not isinstance(number, int):
            raise ValueError("no id")
        if "rows" in asked:
            if takes == "texts":
                raise ValueError("rows are not taken")
            rows = asked["rows"]
            if mode == "hangs" and rows != rows or mode == "hangs" and rows and rows[0] and rows[0][0] != rows[0][0]:
                time.sleep(1000)
            if mode == "silent" and rows == []:
                continue
            if any(len(r) != 6 or not all(isinstance(v, (int, float)) and abs(v) < 1e39 for v in r) for r in rows) or not rows:
                raise ValueError("six numbers a row")
            out["probabilities"] = [[0.5, 0.25, 0.25] for _ in rows]
        else:
            if takes == "rows":
                raise ValueError("texts are not taken")
            out["text"] = "You said: " + asked["messages"][-1]["content"].encode("utf-8", "replace").decode()
    except Exception as why:
        if mode == "dies" and not isinstance(number, int):
            raise
        if mode == "garbage":
            print("Traceback (most recent call last):", flush=True)
        if mode == "poisoned" and number is None:
            poisoned = True
        out = {"error": str(why)[:80]}
    if poisoned:
        out = {"error": "out of order"}
    print(json.dumps({"id": number if isinstance(number, int) else None, **out}), flush=True)
"""


class Lines(Base):
    def setUp(self):
        super().setUp()
        (self.tmp / "adapter.py").write_text(ADAPTER)

    def place(self, mode="good", takes="rows+texts"):
        return f"command:{sys.executable} {self.tmp / 'adapter.py'} {mode} {takes}"

    def odd(self, mode, takes="rows", wait=200, **more):
        return self.tool("attack", "odd-input/lines", self.place(mode, takes), data=self.rows(3), wait=wait, **more)

    def log(self):
        return (self.tmp / "log").read_text().splitlines()

    # --- which questions ---
    def test_one_that_says_what_it_takes_is_asked_nothing_else(self):
        for takes, wrong, right in (("rows", "ask", "predict"), ("texts", "predict", "ask")):
            more = {"predict": {"data": self.rows(30)}, "ask": {"asks": self.asks("a", "b", "c")}}
            (self.tmp / "log").unlink(missing_ok=True)
            d = self.tool(wrong, self.place(takes=takes), **more[wrong])
            self.assertEqual(d["status"], "USAGE")
            self.assertIn("says that it takes " + ("rows of numbers, not texts" if takes == "rows" else "texts, not rows of numbers"), d["error"])
            self.assertLessEqual(len(self.log()), 2, "it was asked once at most")
            d = self.tool(right, self.place(takes=takes), **more[right])
            self.assertEqual(d["status"], "OK")
            self.assertEqual(set(d["answered"] if right == "predict" else [s["answered"] for s in d["said"]]), {ANSWERED})
            self.assertEqual(d["gives"] & 9, 1 if takes == "rows" else 8)

    def test_one_that_says_nothing_is_found_out_by_asking_once(self):
        text = ADAPTER.replace('takes == "rows"', 'mode == "onlyrows"')
        (self.tmp / "adapter.py").write_text(text)
        d = self.tool("ask", self.place("onlyrows", "-"), asks=self.asks(*"abcdefgh"))
        self.assertEqual((d["status"], len(self.log())), ("USAGE", 2), d)
        self.assertIn("does not take texts: the first is answered with the error texts are not taken", d["error"])
        self.assertEqual(d["queries"], 1)
        d = self.tool("predict", self.place("onlyrows", "-"), data=self.rows(30))
        self.assertEqual(d["answered"], [ANSWERED] * 30, "what says nothing may take both, as ever")
        self.assertEqual(d["gives"] & 9, 9)

    def test_one_that_dies_of_the_first_question_is_told_so(self):
        d = self.tool("ask", f"command:{sys.executable} -c 'import sys,json; json.loads(sys.stdin.readline())[\"rows\"]'", asks=self.asks("a"))
        self.assertEqual(d["status"], "IO")
        self.assertIn("it ended with 1, for the second time, at the first text", d["error"])

    def test_the_command_says_why_nothing_was_measured(self):
        done = subprocess.run([TUTELA, "probe", "injection", "--target", self.place(takes="rows"), "--no-record"], capture_output=True, text=True,
                              cwd=self.tmp, timeout=100)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("takes rows of numbers, not texts", " ".join(done.stdout.split()))

    # --- odd lines ---
    def test_a_program_that_bears_them_has_no_failure(self):
        for takes, least in (("rows", 40), ("texts", 40), ("rows+texts", 65)):
            d = self.odd("good", takes)
            m = d["measures"]
            self.assertEqual((d["value"], d["exposed"], d["was_cut"]), (0, [], False), d)
            self.assertEqual(m["answered"] + m["refused"] + m["passed_over"], m["inputs"])
            self.assertGreaterEqual(m["inputs"], least, takes)
            self.assertGreater(m["refused"], 20)
            self.assertEqual(self.log().count("begun"), 1)
            (self.tmp / "log").unlink()

    def test_one_that_says_nothing_is_given_what_it_answers(self):
        (self.tmp / "adapter.py").write_text(ADAPTER.replace('takes == "rows"', 'mode == "onlyrows"'))
        d = self.odd("onlyrows", "-")
        self.assertEqual((d["value"], d["measures"]["inputs"]), (0, self.odd("good", "rows")["measures"]["inputs"]), d)

    def test_one_that_dies_is_a_finding_and_begun_again(self):
        d = self.odd("dies")
        self.assertGreater(d["value"], 10)
        self.assertFalse(d["was_cut"])
        self.assertIn("no JSON: it ended with 1", d["exposed"])
        self.assertEqual(self.log().count("begun"), d["value"] + 1)
        self.assertEqual(d["measures"]["inputs"], self.odd("good")["measures"]["inputs"], "and the rest was tried")

    def test_one_that_hangs_is_a_finding(self):
        d = self.odd("hangs", timeout=6000)
        self.assertIn("a row of NaN, as Python writes it: no answer in time", d["exposed"])
        self.assertFalse(d["was_cut"])
        self.assertEqual(d["value"], 1, d)

    def test_one_that_does_not_answer_what_has_an_id_is_a_finding(self):
        d = self.odd("silent", timeout=6000)
        self.assertEqual(d["exposed"], ["no rows: no answer to it in time, but to the line behind it"])

    def test_what_it_writes_that_is_no_json_is_a_finding(self):
        d = self.odd("garbage")
        self.assertGreater(d["value"], 20)
        self.assertIn("no JSON: it writes a line that is no JSON", d["exposed"])
        self.assertEqual(self.log().count("begun"), 1)

    def test_one_that_is_spoilt_for_good_is_a_finding(self):
        d = self.odd("poisoned")
        self.assertIn("no JSON: afterwards a normal line: out of order", d["exposed"])
        self.assertEqual(self.log().count("begun"), d["value"] + 1)

    def test_what_cannot_be_measured_is_told(self):
        d = self.tool("attack", "odd-input/lines", self.place("good", "rows"), data=self.rows(3, width=4))
        self.assertEqual((d["value"], d["reason"]), (None, "a normal line is not answered: six numbers a row"))
        d = self.odd("good", queries_most=21)
        self.assertTrue(d["was_cut"])
        self.assertIn("budget was spent", d["reason"])
        self.assertLessEqual(d["queries"], 21)
        (self.tmp / "p.csv").write_text("a,b\n0.5,0.5\n")
        self.assertIn("no program that answers lines", self.tool("attack", "odd-input/lines", self.tmp / "p.csv")["reason"])
        d = self.tool("attack", "odd-input/lines", "command:true", data=self.rows(3))
        self.assertRegex(d["reason"], "a normal line is not answered: it (ended with 0|closed its output)")

    def test_the_command_measures_and_shows_it(self):
        rows = self.rows(3)
        done = subprocess.run([TUTELA, "probe", "odd-input", "--target", self.place("dies", "rows"), "--others", rows, "--no-record", "--format", "json"],
                              capture_output=True, text=True, cwd=self.tmp, timeout=200)
        doc = json.loads(done.stdout)
        self.assertEqual(([a["name"] for a in doc["attacks"]], done.returncode), (["lines"], 1))
        self.assertEqual(doc["attacks"][0]["verdict"], "fail")

    def test_it_is_no_evidence_about_the_service(self):
        (self.tmp / "tutela.yaml").write_text("schema: tutela.system/1\nsystem:\n  name: lines\n  version: 1.0.0\n  purpose: tests\nprobe:\n"
                                              "  targets:\n    - id: adapter\n      at: %s\n" % self.place(takes="texts"))
        done = subprocess.run([TUTELA, "probe", "odd-input", "--target", "adapter"], capture_output=True, text=True, cwd=self.tmp, timeout=200,
                              env={**os.environ, "XDG_DATA_HOME": str(self.tmp / "keys")})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("the program that answers lines is not the service that users reach", " ".join(done.stderr.split()))

    def test_the_adapter_of_the_documentation_bears_them(self):
        modules = SOURCE / "tests/node/node_modules"
        if not (modules / "onnxruntime-node").exists() or not shutil.which("node"):
            self.skipTest("onnxruntime-node is not installed")
        text = (SOURCE / "docs/probe-targets.md").read_text()
        (self.tmp / "adapter.mjs").write_text(text.split("```js\n", 1)[1].split("```", 1)[0])
        (self.tmp / "node_modules").symlink_to(modules)
        model = SOURCE / "examples/credit-scoring/models/classifier.onnx"
        d = self.tool("attack", "odd-input/lines", f"command:node adapter.mjs {model}", wait=200, names="income,debt,years_employed,late_payments,age",
                      data=SOURCE / "examples/credit-scoring/data/applications-test.csv", most=10)
        self.assertEqual((d["value"], d["exposed"]), (0, []), d)


if __name__ == "__main__":
    unittest.main()
