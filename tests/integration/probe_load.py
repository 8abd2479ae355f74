"""Load, failure and odd input against services that bear them and services that do not."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from probe_targets import SOURCE, TOOL, Base


def kill(pid):
    """What the command of control() started last."""
    try:
        os.kill(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass


class Attacks(Base):
    def attack(self, name, place, **more):
        return self.tool("attack", name, place, **more)


class Load(Attacks):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()

    def test_a_service_that_bears_it_serves_the_good_requests(self):
        d = self.attack("load/floods", self.v2("ok"), steps=1)
        m = d["measures"]
        self.assertEqual(d["metric"], "served")
        self.assertGreater(d["value"], 0.6)
        self.assertTrue(d["low"] <= d["value"] <= d["high"])
        self.assertEqual(m["limit_ms"], max(1000, 10 * m["idle_p50"]))
        self.assertEqual(len(d["exposed"]), 5)
        for name in ("token_floods", "slow_readers", "slow_senders", "bursts", "oversized"):
            self.assertIn("served_" + name, m)
        self.assertGreaterEqual(d["rows"], 90)
        self.assertLess(m["idle_p50"], 500)

    def test_a_service_that_serves_one_at_a_time_goes_under(self):
        d = self.attack("load/floods", self.v2("single"), steps=2, wait=200)
        self.assertLess(d["measures"]["served_token_floods"], 0.6)
        self.assertLess(d["high"], 0.99)
        self.assertIn("no answer in time", "".join(d["exposed"]))
        d = self.attack("load/floods", self.v2("never"), steps=1)
        self.assertIn("without a flood 0 of", d["reason"])
        self.assertIsNone(d["value"])

    def test_what_is_limited_is_no_flood(self):
        d = self.attack("load/floods", self.v2("ok"), steps=1, queries_most=300)
        self.assertEqual(d["reason"], "the budget leaves no room for floods")
        self.assertLessEqual(d["queries"], 300)

    def test_interruption_keeps_what_was_measured(self):
        p = subprocess.Popen([TOOL, "attack", "load/floods", self.v2("ok"), "steps=2"], stdout=subprocess.PIPE, text=True)
        time.sleep(4.5)
        p.send_signal(signal.SIGINT)
        d = json.loads(p.communicate(timeout=20)[0])
        self.assertEqual((d["status"], d["was_cut"]), ("CANCELLED", True))
        self.assertGreater(d["rows"], 20)

    def control(self):
        """A command that stops and starts the server at the same port."""
        self.pid = self.tmp / "pid"
        self.pid.write_text(str(self.server.pid))
        script = self.tmp / "control.py"
        script.write_text(f"""#!{sys.executable}
import os, pathlib, signal, subprocess, sys
pid = pathlib.Path({str(self.pid)!r})
if sys.argv[1:] == ["quickly", "stop"]:
    os.kill(int(pid.read_text()), signal.SIGKILL)
elif sys.argv[1:] == ["quickly", "start"]:
    p = subprocess.Popen([sys.executable, {str(SOURCE / "tests/tools/probe_server.py")!r}, {str(self.tmp / "port2")!r}, {str(self.port)!r}],
                         start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid.write_text(str(p.pid))
print("done", sys.argv[-1])
sys.exit(4 if sys.argv[1] == "fails" else 0)
""")
        script.chmod(0o755)
        self.addCleanup(kill, self.pid)
        return script

    def test_a_server_that_is_stopped_is_missed_until_it_is_back(self):
        d = self.attack("load/failure", self.v2("ok"), failure=f"{self.control()} quickly")
        self.assertLess(d["value"], 0.2)
        self.assertIn("no answer in time", d["exposed"][0])
        self.assertIn("served again", d["exposed"][0])
        self.assertLess(d["measures"]["back_after_ms"], 10000)
        self.assertIn("done stop", self.stderr)
        self.assertGreaterEqual(d["rows"], 90)

    def test_streams_that_are_under_way_are_seen_to_the_end(self):
        for mode, kind in (("ok", "streams_broken"), ("unframed", "streams_silent")):
            d = self.attack("load/failure", self.chat_url(mode), failure=f"{self.control()} quickly")
            m = d["measures"]
            self.assertGreaterEqual(m[kind], 1, d)  # whoever was in the middle of an answer
            self.assertEqual(m["streams_told"] + m["streams_broken"] + m["streams_silent"], m[kind], d)
            self.assertRegex(d["exposed"][0], r"of \d+ streams \d+ came whole, 0 said that they failed, \d+ broke off, \d+ ended as if they were whole")
            kill(self.pid)
            self.server = self.start_server()
        self.assertNotIn("streams", self.attack("load/failure", self.v2("ok"), failure=f"{self.control()} gently")["measures"])

    def test_a_service_that_goes_on_is_seen_to(self):
        d = self.attack("load/failure", self.v2("ok"), failure=f"{self.control()} gently")
        self.assertGreater(d["value"], 0.95)

    def test_what_cannot_be_done_is_unmeasured_or_told(self):
        self.assertIn("no command is named", self.attack("load/failure", self.v2("ok"))["reason"])
        self.assertIn("stop ended with 4", self.attack("load/failure", self.v2("ok"), failure=f"{self.control()} fails")["error"])
        self.assertIn("cannot be run", self.attack("load/failure", self.v2("ok"), failure="/no/such/thing")["error"])
        (self.tmp / "p.csv").write_text("a,b\n0.5,0.5\n")
        for name in ("load/floods", "odd-input/bodies"):
            self.assertIn("no service that takes requests", self.attack(name, self.tmp / "p.csv")["reason"])


class Odd(Attacks):
    def setUp(self):
        super().setUp()
        self.start_server()

    def test_a_service_that_answers_or_refuses_has_no_failure(self):
        for place, least in ((self.v2("ok"), 45), (self.chat_url("ok"), 40), (f"http://127.0.0.1:{self.port}/ok/v1/completions", 25)):
            d = self.attack("odd-input/bodies", place)
            m = d["measures"]
            self.assertEqual((d["value"], d["exposed"]), (0, []), d["exposed"])
            self.assertEqual(m["answered"] + m["refused"], m["inputs"])
            self.assertGreaterEqual(m["inputs"], least)
            self.assertEqual(d["queries"], 2 * m["inputs"] + 1)

    def test_every_failure_is_counted_and_named(self):
        d = self.attack("odd-input/bodies", self.v2("fragile"))
        self.assertGreater(d["value"], 15)
        self.assertIn("null: HTTP 500: no object", d["exposed"])
        self.assertTrue([e for e in d["exposed"] if "reset by peer" in e], d["exposed"])

    def test_one_that_dies_of_it_is_told(self):
        d = self.attack("odd-input/bodies", self.v2("mortal"), tries=2)
        self.assertTrue(d["was_cut"])
        self.assertEqual(d["value"], 1)
        self.assertIn("lists in lists", d["exposed"][0])
        self.assertIn("did not come back", d["reason"])

    def test_a_service_that_does_not_answer_is_not_measured(self):
        d = self.attack("odd-input/bodies", self.v2("garbage"))
        d = self.attack("odd-input/bodies", self.v2("never"))
        self.assertIn("a normal request is not answered: HTTP 429", d["reason"])
        self.assertIsNone(d["value"])
        d = self.attack("odd-input/bodies", self.v2("ok"), queries_most=20)
        self.assertTrue(d["was_cut"])
        self.assertLessEqual(d["queries"], 20)


if __name__ == "__main__":
    unittest.main()
