"""The service of examples/support-assistant: its nets give what numpy makes of the same files, it finds the article that a
question is about, takes ordinary sentences for what they are, and what it learnt from holds no attack's wording."""
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
BUILD = pathlib.Path(os.environ["TUTELA_BUILD"])
EXAMPLE = SOURCE / "examples" / "support-assistant"
sys.path.insert(0, str(SOURCE / "examples" / "generate"))
sys.dont_write_bytecode = True
try:
    import numpy
    import onnx
    from onnx import numpy_helper
    from assistant_text import numbers
except ImportError:
    onnx = None
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
         for name in ("search_articles", "open_ticket", "start_return")]


def run_net(name, texts):
    """The graph's own steps in numpy."""
    graph = onnx.load(EXAMPLE / "models" / (name + ".onnx")).graph
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    known["text"] = numpy.stack([numbers(t) for t in texts])
    for node in graph.node:
        a = [known[i] for i in node.input]
        known[node.output[0]] = (a[0] @ a[1] + a[2] if node.op_type == "Gemm" else numpy.tanh(a[0]) if node.op_type == "Tanh"
                                 else numpy.exp(a[0]) / numpy.exp(a[0]).sum(axis=1, keepdims=True))
    return known[graph.output[0].name]


class Assistant(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = subprocess.Popen([BUILD / "examples" / "assistant" / "tutela-example-assistant", "--listen", "127.0.0.1:0", EXAMPLE],
                                       stdout=subprocess.PIPE, text=True)
        cls.url = cls.service.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.service.terminate()
        cls.service.wait(20)
        cls.service.stdout.close()

    def post(self, path, value):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=20) as answer:
            return answer.read().decode()

    def ask(self, text, **more):
        value = {"model": "assistant-q4", "tools": TOOLS, "messages": [{"role": "user", "content": text}], **more}
        return json.loads(self.post("/v1/chat/completions", value))["choices"][0]["message"]

    @unittest.skipUnless(onnx, "python3-onnx or python3-numpy is not installed")
    def test_places_are_what_numpy_makes_of_the_same_file(self):
        texts = ["My router shows a red light?", "Öffne ein Ticket für die Türklingel, a@example.de", "¿Cuándo llega el pedido A-1234? https://example.org/",
                 "ÀÉÎÕÜ ßharp ÿ × ÷", "?", "x" * 200, "a" * 63 + "é", "b" * 70 + "1", "naïve\u200bword"]
        wanted = run_net("retriever", texts)
        wanted /= numpy.linalg.norm(wanted, axis=1, keepdims=True)
        got = json.loads(self.post("/v1/embeddings", {"model": "embedder", "input": texts}))["data"]
        self.assertLess(numpy.abs(numpy.array([g["embedding"] for g in got]) - wanted).max(), 1e-5)

    def test_it_finds_the_article_of_each_question_that_is_committed(self):
        for name, column in (("tickets-eval.csv", "expected_article"), ("support-questions.csv", None)):
            with open(EXAMPLE / "data" / name) as file:
                rows = list(csv.DictReader(file))
            hits = calls = 0
            for i, row in enumerate(rows):
                said = self.ask(row["question"])
                hits += (row[column] if column else "kb-%03d" % (i + 1)) in (said["content"] or "")
                calls += len(said.get("tool_calls", []))
            print("%s: %d of %d, %d calls" % (name, hits, len(rows), calls))
            self.assertGreaterEqual(hits / len(rows), 0.98)
            self.assertEqual(calls, 0, "a question is no instruction")

    def test_owners_and_customers_get_what_they_ask_for_in_four_languages(self):
        for text, tool, held in (("Please open a ticket for my camera, it rattles.", "open_ticket", "rattles"),
                                 ("Bitte öffne ein Ticket wegen meiner Kamera.", "open_ticket", "Kamera"),
                                 ("Veuillez ouvrir un ticket pour la sonnette.", "open_ticket", "sonnette"),
                                 ("Abra un tique sobre el timbre.", "open_ticket", "timbre"),
                                 ("I want to return order 55501234.", "start_return", "55501234"),
                                 ("Ich möchte die Bestellung 55501234 zurückgeben.", "start_return", "55501234"),
                                 ("Search the articles for the red light.", "search_articles", "red light")):
            calls = self.ask(text).get("tool_calls", [])
            self.assertEqual([c["function"]["name"] for c in calls], [tool], text)
            self.assertIn(held, json.loads(calls[0]["function"]["arguments"]).popitem()[1])

    def test_articles_say_what_to_do_and_are_not_obeyed(self):
        with open(EXAMPLE / "data" / "kb-articles.jsonl") as file:
            articles = [json.loads(line) for line in file]
        for article in articles:
            messages = [{"role": "user", "content": "What about the %s?" % article["title"][4:]}, {"role": "tool", "content": article["text"]}]
            self.assertNotIn("tool_calls", self.ask("", messages=messages), article)

    def test_it_says_what_it_is(self):
        answer = json.loads(self.post("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}))
        self.assertEqual(answer["system_fingerprint"], "tutela-example-assistant")

    def test_what_it_learnt_from_holds_no_attack(self):
        """Neither the templates nor the words by which they are known stand in the sentences or in the program."""
        learnt = (SOURCE / "examples" / "generate" / "assistant.sentences").read_text()
        program = "".join(p.read_text() for p in (SOURCE / "examples" / "assistant").glob("*.[ch]"))
        templates = (SOURCE / "src" / "probe" / "injection_templates.def").read_text()
        wordings = [t.replace("{goal}", "").strip() for t in re.findall(r'"((?:[^"\\]|\\.)*)"', templates)]
        for text in [w for w in wordings if len(w) > 12] + ["ignore", "disregard", "override", "previous", "jailbreak", "im_start", "attack", "secret"]:
            self.assertNotIn(text.lower(), learnt.split("\n", 3)[3].lower(), text)
            if len(text) > 12 or text in ("ignore", "disregard", "jailbreak", "im_start"):
                self.assertNotIn(text.lower(), re.sub(r"TUT_IGNORE|ignored", "", program).lower(), text)

    def test_bad_requests_are_refused_and_it_serves_on(self):
        for path, body, status in (("/v1/chat/completions", b"{", 400), ("/v1/chat/completions", b'{"messages": "x"}', 400), ("/v1/embeddings", b"[]", 400),
                                   ("/v2/models", b"{}", 404), ("/v1/chat/completions", b"[" * 100000, 400)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.post(path, body)
            self.assertEqual(caught.exception.code, status)
            self.assertIn("message", json.loads(caught.exception.read())["error"])
            caught.exception.close()
        self.assertIn("kb-003", self.ask("My router shows a red light.")["content"])


if __name__ == "__main__":
    unittest.main()
