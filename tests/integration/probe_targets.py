"""Targets of probes through tut_probetool: services that behave and services that do not, recorded answers, commands, the journal."""
import json
import math
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

TOOL = os.environ["TUTELA_PROBETOOL"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
ANSWERED, REFUSED, FAILED, UNASKED = 0, 1, 2, 3


def softmax(scores):
    e = [math.exp(s) for s in scores]
    return [v / sum(e) for v in e]


class Base(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="tutela-probe-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)

    def start_server(self, port=0, *more):
        path = self.tmp / "port"
        path.unlink(missing_ok=True)
        p = subprocess.Popen([sys.executable, SOURCE / "tests/tools/probe_server.py", path, str(port), *more])
        self.addCleanup(lambda: (p.kill(), p.wait()))
        for _ in range(200):
            if path.exists():
                self.port = int(path.read_text())
                return p
            time.sleep(0.02)
        self.fail("the server does not start")

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as f:
            return json.load(f)

    def v2(self, mode):
        return f"http://127.0.0.1:{self.port}/{mode}/v2/models/m/infer"

    def chat_url(self, mode):
        return f"http://127.0.0.1:{self.port}/{mode}/v1/chat/completions"

    def rows(self, count=50, width=6, name="rows.csv"):
        path = self.tmp / name
        self.values = [[(i * 7 + k * 3) % 100 / 100 for k in range(width)] for i in range(count)]
        path.write_text(",".join(f"c{k}" for k in range(width)) + "\n" + "".join(",".join(map(str, r)) + "\n" for r in self.values))
        return path

    def tool(self, *args, expect=0, wait=60, **options):
        args = [TOOL, *map(str, args), *(f"{k.replace('_', '-')}={v}" for k, v in options.items())]
        p = subprocess.run(args, capture_output=True, text=True, timeout=wait, cwd=self.tmp)
        self.assertEqual(p.returncode, expect, (args, p.stdout[-2000:], p.stderr[-2000:]))
        self.stderr = p.stderr
        return json.loads(p.stdout) if expect == 0 else p.stderr

    def predict(self, mode, count=50, **more):
        return self.tool("predict", self.v2(mode), data=self.rows(count), **more)

    def asks(self, *items):
        path = self.tmp / "asks.jsonl"
        with open(path, "w") as f:
            for a in items:
                a = {"messages": [{"role": "user", "content": a}]} if isinstance(a, str) else dict(a)
                for key in ("messages", "tools"):
                    if key in a:
                        a[key] = json.dumps(a[key])
                f.write(json.dumps(a) + "\n")
        return path

    def ask(self, mode, *items, **more):
        return self.tool("ask", self.chat_url(mode), asks=self.asks(*items), **more)

    def assert_probabilities(self, d, scores=lambda r: [k * r[0] for k in range(3)]):
        self.assertEqual(d["answered"], [ANSWERED] * len(self.values), d["problem"])
        for i, r in enumerate(self.values):
            for got, wanted in zip(d["values"][3 * i:3 * i + 3], softmax(scores(r))):
                self.assertAlmostEqual(got, wanted, 5)


class Numbers(Base):
    def setUp(self):
        super().setUp()
        self.start_server()

    def test_probabilities_come_back_for_every_row(self):
        for mode in ("ok", "both", "nested", "axes", "free", "nometa"):
            d = self.predict(mode, 150)
            self.assert_probabilities(d)
            self.assertEqual((d["classes"], d["kind"], d["queries"]), (3, "v2", 151), mode)  # and the first row once more
            self.assertFalse(d["is_unstable"])
        body = json.loads(self.stats()["bodies"][0])["inputs"][0]
        self.assertEqual((body["name"], body["datatype"], body["shape"]), ("x", "FP32", [64, 6]))

    def test_the_metadata_say_the_shape(self):
        self.predict("axes", 3)
        self.assertEqual(json.loads(self.stats()["bodies"][0])["inputs"][0]["shape"], [3, 2, 3])
        self.assertIn("takes INT8, not FP32 or FP64", self.tool("predict", self.v2("int8"), data=self.rows(3), expect=1))
        self.assertIn("takes rows of 6 numbers, the data have 4", self.predict_status(self.tool("predict", self.v2("ok"), data=self.rows(3, 4))))

    def predict_status(self, d):
        self.assertNotEqual(d["status"], "OK")
        return d["error"]

    def test_scores_and_labels_are_told_apart(self):
        self.assert_probabilities(self.predict("scores"), lambda r: [7 * k * r[0] - 3 for k in range(3)])
        d = self.predict("labels")
        self.assertEqual(d["gives"] & 2, 0)
        for i, r in enumerate(self.values):
            self.assertEqual(d["values"][2 * i:2 * i + 2], [float(r[0] <= 0.5), float(r[0] > 0.5)])
        self.assertEqual(self.predict("labels", classes=5)["classes"], 5)
        d = self.predict("sigmoid")
        for i, r in enumerate(self.values):
            self.assertAlmostEqual(d["values"][2 * i + 1], 1 / (1 + math.exp(-r[0])), 5)

    def test_large_requests_that_are_refused_are_asked_row_by_row(self):
        self.assert_probabilities(self.predict("batch8", 40))
        d = self.predict("refuse", 50)
        wanted = [REFUSED if r[0] > 0.5 else ANSWERED for r in self.values]
        self.assertEqual(d["answered"], wanted)
        self.assertEqual(d["refused"], wanted.count(REFUSED))
        self.assertEqual(d["problem"], "HTTP 403: blocked: This was refused by the policy of the system.")

    def test_answers_that_lie_are_failed_and_told(self):
        for mode, words in (("garbage", "no JSON"), ("html", "no JSON"), ("deep", "no JSON"), ("huge", "larger than 16 MiB"),
                            ("stream", "streams where no stream was asked for"), ("cut", "broke off"), ("fewer", "answer"),
                            ("texts", "no number")):
            d = self.predict(mode, 4, tries=2)
            self.assertEqual(d["answered"], [FAILED] * 4, mode)
            self.assertIn(words, d["problem"], mode)
            self.assertEqual(d["failed"], 4)

    def test_a_change_of_shape_is_noticed(self):
        d = self.predict("reshape", 30, batch=1, concurrency=1)
        self.assertEqual(d["answered"], [ANSWERED] * 2 + [FAILED] * 28)
        self.assertIn("has 2 numbers for a row, where others have 3", d["problem"])
        d = self.predict("badsum", 30, batch=1, concurrency=1)
        self.assertIn("adds up to 2.7, where others were probabilities", d["problem"])

    def test_answers_that_change_are_noticed(self):
        self.assertTrue(self.predict("unstable")["is_unstable"])

    def test_later_is_waited_for(self):
        begun = time.time()
        self.assert_probabilities(self.predict("busy", 12, batch=1))
        self.assertGreaterEqual(time.time() - begun, 1)
        self.assert_probabilities(self.predict("busyno", 12, batch=1))
        d = self.predict("never", 2)
        self.assertEqual(d["answered"], [FAILED] * 2)
        self.assertIn("HTTP 429: slow: too many", d["problem"])

    def test_the_wish_bounds_what_is_sent(self):
        self.predict("slow", 40, batch=1, concurrency=5)
        stats = self.stats()
        self.assertEqual(stats["most_at_once"], 5)
        self.assertLessEqual(stats["connections"], 8)  # they stay open
        begun = time.time()
        self.predict("ok", 30, batch=1, per_second=20)
        self.assertGreaterEqual(time.time() - begun, 1.2)
        d = self.predict("ok", 50, batch=8, queries_most=20)
        self.assertEqual(d["queries"], 20)
        self.assertEqual(d["answered"], [ANSWERED] * 20 + [UNASKED] * 30)

    def test_what_is_no_such_service_is_said_at_once(self):
        for mode, words in (("locked", "wants a key"), ("absent", "is not where the model is asked"), ("redirect", "redirects")):
            d = self.predict(mode, 3)
            self.assertIn(words, d["error"], mode)
        d = self.tool("predict", self.v2("nometa"), data=self.rows(3, 4))
        self.assertIn("does not take rows of 4 numbers: HTTP 400: bad: unexpected shape [4]", d["error"])
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        text = self.tool("predict", f"http://127.0.0.1:{port}/v2/models/m/infer", data=self.rows(3), tries=2, expect=1)
        self.assertIn("cannot be asked", text)

    def test_a_timeout_is_a_failure_of_one_row(self):
        d = self.predict("hang", 2, batch=1, timeout=400, concurrency=2)
        self.assertIn("no answer in time", d.get("error") or d["problem"])

    def test_a_service_that_dies_leaves_what_it_answered(self):
        d = self.predict("exit", 60, batch=1, concurrency=2, tries=2)
        self.assertEqual(d["status"], "IO")
        self.assertIn("no longer answers", d["error"])
        self.assertGreaterEqual(d["answered"].count(ANSWERED), 15)

    def test_the_key_comes_from_a_file_and_goes_nowhere_else(self):
        key = self.tmp / "key"
        key.write_text("sk-very-secret\n")
        journal = self.tmp / "deep" / "journal.jsonl"
        d = self.predict("ok", 3, key_file=key, journal=journal)
        self.assertEqual(self.stats()["keys"][0], "Bearer sk-very-secret")
        self.assertNotIn("sk-very-secret", journal.read_text() + json.dumps(d) + self.stderr)
        key.write_text("two\nlines\n")
        self.assertIn("holds no key", self.tool("predict", self.v2("ok"), data=self.rows(3), key_file=key, expect=1))
        self.assertIn("does not belong into an address",
                      self.tool("predict", f"http://u:p@127.0.0.1:{self.port}/v2/models/m/infer", data=self.rows(3), authorised="me", expect=1))

    def test_only_what_is_allowed_is_asked(self):
        for place in ("http://192.0.2.1/v2/models/m/infer", "http://127.0.0.1@192.0.2.1/v2/models/m/infer", "http://127.0.0.1.example.org/v2/models/m/infer"):
            self.assertIn("--i-am-authorised-to-test", self.tool("predict", place, data=self.rows(3), expect=1))


class Journal(Base):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.journal = self.tmp / "j" / "answers.jsonl"

    def test_a_run_goes_on_where_it_was(self):
        self.predict("ok", 30, queries_most=12, batch=4, journal=self.journal)
        self.assertEqual(stat.S_IMODE(self.journal.stat().st_mode), 0o600)
        before = self.stats()["rows"]
        d = self.predict("ok", 30, batch=4, journal=self.journal)
        self.assertEqual((d["from_journal"], d["queries"]), (12, 31))
        self.assertEqual(self.stats()["rows"] - before, 18 + 1)
        self.assert_probabilities(d)
        before = self.stats()["requests"]
        d = self.predict("ok", 30, journal=self.journal)
        self.assertEqual((d["from_journal"], self.stats()["requests"]), (30, before))
        self.assert_probabilities(d)

    def test_a_budget_is_of_all_runs_together(self):
        self.predict("ok", 30, queries_most=12, batch=1, journal=self.journal)
        d = self.predict("ok", 30, queries_most=20, batch=1, journal=self.journal)
        self.assertEqual((d["queries"], d["answered"].count(ANSWERED)), (20, 20))

    def test_a_torn_line_is_cut_off_and_a_broken_one_told(self):
        self.predict("ok", 10, journal=self.journal)
        text = self.journal.read_bytes()
        self.journal.write_bytes(text[:-20])
        d = self.predict("ok", 10, journal=self.journal)
        self.assertEqual(d["from_journal"], 9)
        self.assert_probabilities(d)
        self.assertEqual(len(self.journal.read_bytes().splitlines()), 11)
        self.journal.write_bytes(text.replace(b'{"q":"', b'{"q":"x', 1))
        self.assertIn("a line is damaged", self.tool("predict", self.v2("ok"), data=self.rows(10), journal=self.journal, expect=1))

    def test_it_belongs_to_one_target(self):
        self.predict("ok", 3, journal=self.journal)
        self.assertIn("answers of another target", self.tool("predict", self.v2("both"), data=self.rows(3), journal=self.journal, expect=1))
        self.journal.write_text("hello\n")
        self.assertIn("no journal of probes", self.tool("predict", self.v2("ok"), data=self.rows(3), journal=self.journal, expect=1))

    def test_the_same_question_has_as_many_answers_as_it_was_asked(self):
        first = self.predict("unstable", 3, repeat=2, batch=1, concurrency=1, journal=self.journal)
        again = self.predict("unstable", 3, repeat=2, journal=self.journal)
        self.assertEqual(again["from_journal"], 6)
        self.assertEqual(again["values"], first["values"])

    def test_interruption_and_death_keep_what_was_answered(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            journal = self.tmp / f"killed-{number}"
            p = subprocess.Popen([TOOL, "predict", self.v2("slow"), f"data={self.rows(400)}", "batch=1", "concurrency=4", f"journal={journal}"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(1.0)
            p.send_signal(number)
            out, _ = p.communicate(timeout=20)
            kept = len(journal.read_text().splitlines()) - 1
            self.assertGreater(kept, 15)
            if number == signal.SIGINT:
                d = json.loads(out)
                self.assertEqual((d["status"], d["answered"].count(ANSWERED)), ("CANCELLED", kept))
            d = self.predict("slow", 400, concurrency=32, journal=journal)
            self.assertEqual(d["from_journal"], kept)
            self.assert_probabilities(d)

    def test_texts_come_back_whole(self):
        asks = ("one", {"messages": [{"role": "user", "content": "two"}], "logprobs": True}, "forbidden",
                {"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function", "function": {"name": "send"}}]})
        first = self.ask("ok", *asks, journal=self.journal)
        before = self.stats()["requests"]
        again = self.ask("ok", *asks, journal=self.journal)
        self.assertEqual(self.stats()["requests"], before)
        self.assertEqual(again["said"], first["said"])
        self.assertEqual((again["from_journal"], again["refused"]), (4, 1))


class Texts(Base):
    def setUp(self):
        super().setUp()
        self.start_server()

    def test_chat_is_text_calls_logprobs_and_tokens(self):
        d = self.ask("ok", "Grüße", {"messages": [{"role": "user", "content": "a b"}], "logprobs": True, "max_tokens": 9, "seed": 4},
                     {"messages": [{"role": "user", "content": 'say "hi"\n'}], "tools": [{"type": "function", "function": {"name": "send"}}]})
        one, two, three = d["said"]
        self.assertEqual((one["text"], one["answered"], one["tokens_in"], one["tokens_out"]), ("You said: Grüße", ANSWERED, 11, 7))
        self.assertEqual(two["logprobs"], [-0.5, -1, -1.5, -2])
        self.assertEqual(three["calls"], ["send", '{"text": "say \\"hi\\"\\n"}'])
        self.assertFalse(d["is_unstable"])
        self.assertEqual(d["queries"], 4)
        body = [b for b in map(json.loads, self.stats()["bodies"]) if b["messages"][0]["content"] == "a b"][0]
        self.assertEqual({k: body[k] for k in ("model", "temperature", "seed", "stream", "max_tokens", "logprobs")},
                         {"model": "default", "temperature": 0, "seed": 4, "stream": False, "max_tokens": 9, "logprobs": True})

    def test_a_refusal_of_the_guard_has_its_reason(self):
        d = self.ask("ok", "forbidden", "fine")
        self.assertEqual([s["answered"] for s in d["said"]], [REFUSED, ANSWERED])
        self.assertEqual(d["said"][0]["reason"], "blocked: This was refused by the policy of the system.")
        self.assertEqual(self.ask("filtered", "x")["said"][0]["reason"], "content_filter")

    def test_what_is_no_answer_is_failed(self):
        for mode, words in (("empty", "no choice"), ("lies", "no message"), ("garbage", "no JSON"), ("deep", "no JSON"),
                            ("stream", "streams"), ("cut", "broke off"), ("never", "HTTP 429"), ("huge", "larger than")):
            said = self.ask(mode, "x", tries=2)["said"][0]
            self.assertEqual(said["answered"], FAILED, mode)
            self.assertIn(words, said["reason"], mode)
        self.assertTrue(self.ask("unstable", "x")["is_unstable"])
        self.assertEqual(self.ask("nologprobs", {"messages": [{"role": "user", "content": "x"}], "logprobs": True})["gives"] & 16, 0)

    def test_completions_echo_the_prompt(self):
        url = f"http://127.0.0.1:{self.port}/ok/v1/completions"
        asks = self.asks({"messages": {"prompt": "one two three"}, "echo": True}, {"messages": "one two", "logprobs": True, "max_tokens": 2})
        d = self.tool("ask", url, asks=asks)
        self.assertEqual(d["kind"], "openai-completions")
        self.assertEqual(d["said"][0]["logprobs"], [-1, -2])
        self.assertEqual(d["said"][0]["text"], " and")
        self.assertEqual(d["said"][1]["text"], " and so")
        self.assertEqual(d["said"][1]["logprobs"], [-9.5, -9.5])

    def test_rows_are_not_for_texts(self):
        d = self.tool("predict", self.chat_url("ok"), data=self.rows(3))
        self.assertIn("takes texts, not rows of numbers", d["error"])


class Recorded(Base):
    def test_row_i_answers_row_i(self):
        data = self.rows(4)
        for name, text, classes, values in (("p.csv", "a,b\n0.25,0.75\n1,0\n0.5,0.5\n0,1\n", 2, [0.25, 0.75, 1, 0, 0.5, 0.5, 0, 1]),
                                            ("one.csv", "p\n0.25\n0.5\n0.75\n1\n", 2, [0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0, 1]),
                                            ("labels.csv", "y\n0\n2\n1\n1\n", 3, [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0])):
            (self.tmp / name).write_text(text)
            d = self.tool("predict", self.tmp / name, data=data)
            self.assertEqual((d["classes"], d["values"]), (classes, values), name)
            self.assertEqual(bool(d["gives"] & 2), name != "labels.csv")

    def test_what_is_none_is_told_with_its_row(self):
        for text, words in (("a,b\n0.25,0.75\n0.5,0.9\n", "row 1 adds up to 1.4"), ("a,b\n-3,4\n", "scores have to go through softmax"),
                            ("a,b\n0.5,0.5\n0.5,\n", "row 1 has something that is no number"), ("y\n-1\n1\n", "from -1 to 1"),
                            ("y\n9999\n", "of more than 4096 classes"), ("a,b\nx,y\n", "are text")):
            (self.tmp / "p.csv").write_text(text)
            self.assertIn(words, self.tool("predict", self.tmp / "p.csv", data=self.rows(1), expect=1), text)
        (self.tmp / "p.csv").write_text("a,b\n0.5,0.5\n")
        self.assertIn("holds 1 answers", self.tool("predict", self.tmp / "p.csv", data=self.rows(2))["error"])


ADAPTER = """import json, math, os, sys, time
mode = sys.argv[1]
count = 0
for line in sys.stdin:
    asked = json.loads(line)
    count += 1
    open("started", "a").write("" if count > 1 else "x")
    out = {"id": asked["id"]}
    if "rows" in asked:
        p = [[math.exp(k * r[0]) for k in range(3)] for r in asked["rows"]]
        out["probabilities"] = [[v / sum(r) for v in r] for r in p]
    else:
        out.update(text="You said: " + asked["messages"][-1]["content"], logprobs=[-1.5] if asked.get("logprobs") else None,
                   tool_calls=[{"name": t["function"]["name"], "arguments": "{}"} for t in asked.get("tools", [])])
    if mode == "dies" and count == 4 or mode == "diesonce" and count == 4 and os.path.getsize("started") == 1:
        sys.exit(7)
    if mode == "hangs" and count == 3 and os.path.getsize("started") == 1:
        time.sleep(60)
    if mode == "garbage" and count % 2:
        print("hello, I am no JSON")
        continue
    if mode == "scores":
        out["scores"] = [[k * r[0] for k in range(3)] for r in asked["rows"]]
        del out["probabilities"]
    if mode == "labels":
        out["labels"] = [int(r[0] > 0.5) for r in asked["rows"]]
        del out["probabilities"]
    if mode == "refuses":
        out = {"id": asked["id"], "refused": "not this one"}
    if mode == "wrongid":
        out["id"] = 12345
    if mode == "speaks":
        print("\\x1b[31mwatch out", file=sys.stderr)
    if mode == "child" and count == 1:
        open("child", "w").write(str(os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "100")))
    print(json.dumps(out), flush=True)
"""


class Command(Base):
    def setUp(self):
        super().setUp()
        (self.tmp / "my adapter.py").write_text(ADAPTER)

    def place(self, mode):
        return f"command:{sys.executable} '{self.tmp / 'my adapter.py'}' {mode}"

    def predict(self, mode, count=50, **more):
        return self.tool("predict", self.place(mode), data=self.rows(count), **more)

    def test_rows_and_texts_are_answered(self):
        for mode in ("ok", "scores"):
            self.assert_probabilities(self.predict(mode, 150))
        self.assertEqual(self.predict("labels", 20)["values"], [v for r in self.values for v in (float(r[0] <= 0.5), float(r[0] > 0.5))])
        d = self.tool("ask", self.place("ok"), asks=self.asks("a", {"messages": [{"role": "user", "content": "b"}], "logprobs": True,
                                                                    "tools": [{"function": {"name": "send"}}]}))
        self.assertEqual([s["text"] for s in d["said"]], ["You said: a", "You said: b"])
        self.assertEqual((d["said"][1]["calls"], d["said"][1]["logprobs"]), (["send", "{}"], [-1.5]))

    def test_one_that_dies_is_begun_again_once(self):
        d = self.predict("diesonce", 40, batch=2, concurrency=3)
        self.assert_probabilities(d)
        d = self.predict("dies", 40, batch=2, concurrency=3)
        self.assertEqual(d["status"], "IO")
        self.assertIn("it ended with 7, for the second time", d["error"])
        self.assertEqual(d["answered"].count(ANSWERED), 11)  # the first line asks about one row

    def test_one_that_hangs_is_begun_again(self):
        d = self.predict("hangs", 12, batch=1, concurrency=1, timeout=700)
        self.assertEqual(d["answered"], [ANSWERED] * 2 + [FAILED] + [ANSWERED] * 9)
        self.assertEqual(d["problem"], "no answer in time")

    def test_what_is_no_answer_is_failed(self):
        for mode, words in (("garbage", "a line is no JSON"), ("wrongid", "id of nothing that was asked")):
            d = self.predict(mode, 8, batch=1, concurrency=1)
            self.assertIn(FAILED, d["answered"], mode)
            self.assertIn(words, d["problem"], mode)
        d = self.predict("refuses", 8)
        self.assertEqual((d["answered"], d["problem"]), ([REFUSED] * 8, "not this one"))
        self.assertIn("cannot be run", self.tool("predict", "command:/no/such/program", data=self.rows(1), expect=1))
        self.assertIn("quote", self.tool("predict", "command:a 'b", data=self.rows(1), expect=1))
        self.assertIn("for the second time", self.tool("predict", "command:true", data=self.rows(1))["error"])

    def test_its_errors_are_told_as_its_own(self):
        self.predict("speaks", 3, batch=1)
        self.assertIn(f"{os.path.basename(sys.executable)}: \\x1b[31mwatch out", self.stderr)
        self.assertNotIn("\x1b", self.stderr)

    def test_it_ends_with_all_that_it_has_started(self):
        self.predict("child", 3)
        pid = int((self.tmp / "child").read_text())
        for _ in range(100):
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                return
            if state in "ZX":
                return
            time.sleep(0.02)
        self.fail("its child is still there")

    def test_its_answers_are_kept(self):
        journal = self.tmp / "journal"
        self.predict("ok", 30, queries_most=10, journal=journal)
        d = self.predict("ok", 30, journal=journal)
        self.assertEqual(d["from_journal"], 10)
        self.assert_probabilities(d)
        asks = self.asks("a", "b")
        journal = self.tmp / "texts"
        first = self.tool("ask", self.place("ok"), asks=asks, journal=journal)
        again = self.tool("ask", self.place("ok"), asks=asks, journal=journal)
        self.assertEqual((again["from_journal"], again["said"]), (2, first["said"]))

    def test_the_adapter_of_the_documentation_runs_onnx(self):
        modules = SOURCE / "tests/node/node_modules"
        if not (modules / "onnxruntime-node").exists() or not shutil.which("node"):
            self.skipTest("onnxruntime-node is not installed")
        text = (SOURCE / "docs/probe-targets.md").read_text()
        (self.tmp / "adapter.mjs").write_text(text.split("```js\n", 1)[1].split("```", 1)[0])
        (self.tmp / "node_modules").symlink_to(modules)
        model = SOURCE / "examples/credit-scoring/models/classifier.onnx"
        data = {"data": SOURCE / "examples/credit-scoring/data/applications-test.csv",
                "names": "income,debt,years_employed,late_payments,age", "most": 100}
        ours = self.tool("predict", model, **data)
        theirs = self.tool("predict", f"command:node adapter.mjs {model}", **data)
        self.assertEqual((theirs["status"], theirs["answered"]), ("OK", [ANSWERED] * 100))
        self.assertEqual(len(ours["values"]), len(theirs["values"]))
        for a, b in zip(ours["values"], theirs["values"]):
            self.assertAlmostEqual(a, b, 5)


if __name__ == "__main__":
    unittest.main()
