"""Odd input, floods and a failure through the real guard: what its clients see."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "guard"))
from live import POLICY, Guard
from probe_load import Attacks
from probe_load import Load as control_of


class Guarded(Attacks):
    control = control_of.control

    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.guard = Guard(policy=POLICY.replace("{upstream}", f"http://127.0.0.1:{self.port}"))
        self.addCleanup(self.guard.__exit__)

    def at(self, path):
        return f"http://127.0.0.1:{self.guard.port}{path}"

    def test_the_guard_answers_or_refuses_every_odd_input(self):
        for path, least in (("/v1/chat/completions", 40), ("/v1/completions", 25), ("/v2/models/m/infer", 45)):
            d = self.attack("odd-input/bodies", self.at(path), model="m", data=self.rows(3), timeout=8000, wait=200)
            self.assertEqual((d["value"], d["exposed"]), (0, []), (path, d["exposed"], d["reason"]))
            self.assertGreaterEqual(d["measures"]["inputs"], least)
            self.assertGreater(d["measures"]["refused"], 20)

    def test_a_failure_behind_it_is_seen_as_a_status_and_ends(self):
        d = self.attack("load/failure", self.at("/v1/chat/completions"), model="m", failure=f"{self.control()} quickly")
        self.assertLess(d["value"], 0.2, d)
        self.assertRegex(d["exposed"][0], "HTTP 50[234] ")
        self.assertLess(d["measures"]["back_after_ms"], 20000)
        m = d["measures"]
        self.assertGreaterEqual(m["streams_told"], 1, d)  # the guard says what happened, where the server said nothing
        self.assertEqual((m["streams_broken"], m["streams_silent"]), (0, 0), d)

    def test_a_document_that_the_client_cannot_take_at_once_comes_whole(self):
        for words in (400_000, 600_000, 1_600_000):  # beyond 2 MiB nginx pauses, beyond some 4 the socket is full
            text = "word " * words
            self.assertEqual(self.guard.chat(text, timeout=20).json["choices"][0]["message"]["content"], "You said: " + text)

    def test_refusals_of_the_guard_are_refusals(self):
        asks = self.asks("hello", {"messages": [{"role": "user", "content": "x"}, {"role": "nobody", "content": "y"}]})
        d = self.tool("ask", self.at("/v1/chat/completions"), asks=asks, model="m")
        self.assertEqual([s["answered"] for s in d["said"]], [0, 1], json.dumps(d))
        self.assertTrue(d["said"][1]["reason"])


del control_of
if __name__ == "__main__":
    unittest.main()
