"""A system whose one model is a service of texts: what was probed of it moves 5.1.2-2, 5.2.3-3, 5.2.5-1, 5.2.5-2, 5.2.5-4 and
5.2.5-4.1, and falls back when it is old, about other bytes, or about another description."""
import csv
import hashlib
import http.server
import json
import os
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(os.environ["TUTELA_SOURCE"]) / "tests" / "integration"))
from probe_clauses import ASSISTANT, FAKETIME, SOURCE, WIDE, System  # noqa: E402

EXAMPLE = SOURCE / "examples" / "support-assistant"
BOUNDS = WIDE.replace("injection, metric: success, at_most: 1", "injection, metric: success, at_most: 1}\n"
                      "    - {probe: leakage, metric: success, at_most: 1}\n    - {probe: evaluation, metric: answered, at_least: 0")
HOUSE = ("Document %d tells of house %d in street %d, which was built in the year %d by people who had come to this town on foot, and "
         "stayed for good.")
TARGET = """schema: tutela.system/1
system:
  name: t
  version: "%s"
  purpose: tests
assets:
  - id: model/m
    path: model.gguf
    digest: sha256:%s
    origin: first-party
probe:
  bounds:
%s  targets:
    - id: m
      asset: model/m
      at: "%s"
      model: assistant-q4
      questions: questions.txt
      documents: documents.txt
      other_documents: others.txt
"""


class Texts(System):
    def describe(self, version, url, bounds=BOUNDS):
        digest = hashlib.sha256((self.root / "model.gguf").read_bytes()).hexdigest()
        (self.root / "tutela.yaml").write_text(TARGET % (version, digest, bounds, url))
        self.tutela("assess", ".")

    def write(self, name, lines):
        (self.root / name).write_text("".join(line + "\n" for line in lines))

    def plan(self):
        run = self.tutela("probe", "plan", "--format", "json")
        return run.returncode, {i["probe"]: i["state"] for i in json.loads(run.stdout)["items"] if i["asset"]}


class Assistant(Texts):
    def setUp(self):
        super().setUp()
        (self.root / "model.gguf").write_bytes((EXAMPLE / "models" / "assistant-q4.gguf").read_bytes())
        with open(EXAMPLE / "data" / "tickets-eval.csv") as file:
            tickets = ["%s\t%s" % (r["question"], r["expected_article"]) for r in csv.DictReader(file)]
        self.write("questions.txt", (EXAMPLE / "probe" / "questions.txt").read_text().splitlines() + tickets)
        articles = [json.loads(line) for line in (EXAMPLE / "data" / "kb-articles.jsonl").read_text().splitlines()]
        texts = [" ".join(str(v) for v in a.values()) for a in articles]
        self.write("documents.txt", texts)
        self.write("others.txt", ["Report %d: the weather of week %d was mild, and the harbour of town %d stayed open to all ships." % (i, i * 7, i * 3)
                                  for i in range(120)])
        self.url = self.serve(ASSISTANT, "--listen", "127.0.0.1:0", EXAMPLE) + "/v1/chat/completions"
        self.describe("1", self.url)

    def test_every_provision_can_be_met(self):
        for clause in ("5.1.2-2", "5.2.3-3", "5.2.5-1", "5.2.5-2", "5.2.5-4", "5.2.5-4.1"):
            self.assertEqual(self.control(clause)["verdict"], "not_checked", clause)
        status, states = self.plan()
        self.assertEqual(status, 3)
        self.assertEqual(set(states), {"evaluation", "membership", "leakage", "extraction", "evasion"})
        for probe, clause, check in (("evaluation", "5.2.3-3", "probe.evaluation"), ("membership", "5.2.5-4", "probe.membership"),
                                     ("leakage", "5.2.5-4", "probe.inversion"), ("extraction", "5.2.5-4", "probe.extraction"),
                                     ("evasion", "5.1.2-2", "probe.evasion"), ("injection", "5.2.5-4.1", "probe.injection"),
                                     ("odd-input", "5.1.2-2", "probe.odd-input"), ("load", "5.1.2-2", "probe.load")):
            self.assertEqual(self.uses(clause, check), set(), probe)
            self.probe(probe, "m")
            self.assertEqual(self.uses(clause, check), {"counts"}, probe)
        self.assertEqual(set(self.plan()[1].values()), {"pass"})
        self.tutela("assess", ".")
        for clause in ("5.2.3-3", "5.2.5-1", "5.2.5-2", "5.2.5-4", "5.2.5-4.1"):
            self.assertEqual(self.control(clause)["verdict"], "met", clause)
        self.assertEqual(self.control("5.1.2-2")["verdict"], "partly", "no guard was checked")
        if FAKETIME:
            for clause in ("5.2.3-3", "5.2.5-1", "5.2.5-2", "5.2.5-4", "5.2.5-4.1", "5.1.2-2"):
                self.assertEqual(self.control(clause, "+200d")["verdict"], "not_checked", clause)
        self.describe("2", self.url)
        self.assertEqual(self.control("5.2.5-4.1")["verdict"], "not_checked", "it was about another description")
        self.assertEqual(self.control("5.2.5-4")["verdict"], "met", "the model is the same")
        (self.root / "model.gguf").write_bytes((self.root / "model.gguf").read_bytes() + b"\0")
        self.describe("2", self.url)
        for clause in ("5.2.3-3", "5.2.5-1", "5.2.5-4", "5.1.2-2"):
            self.assertEqual(self.control(clause)["verdict"], "not_checked", "nobody attacked these bytes: " + clause)

    def test_bounds_that_are_broken_contradict(self):
        self.describe("1", self.url, BOUNDS.replace("robust_accuracy, at_least: 0}", "robust_accuracy, at_least: 0.9}"))
        self.probe("evasion", "m")
        self.assertEqual(self.uses("5.1.2-2", "probe.evasion"), {"contradicts"})
        self.assertEqual(self.control("5.1.2-2")["verdict"], "not_met")


class Talker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": self.server.answer(asked["messages"][-1]["content"])}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Answers(Texts):
    """Two services made here: one says one of three words, one says something else to each question."""

    def setUp(self):
        super().setUp()
        (self.root / "model.gguf").write_bytes(b"a model of texts")
        things, ends = "router switch cable modem camera printer charger antenna battery adapter".split(), "well fast today loudly badly twice".split()
        self.words = {"good": ("love", "enjoy"), "bad": ("hate", "dislike"), "mixed": ("use", "own")}
        self.write("questions.txt", ["I %s the %s that works %s\t%s" % (verb, thing, end, label) for label, verbs in self.words.items() for verb in verbs
                                     for thing in things for end in ends])
        self.write("documents.txt", [HOUSE % (i, i, 3 * i, 1700 + i) for i in range(100)])
        self.write("others.txt", [HOUSE % (i, i, 3 * i, 1700 + i) for i in range(100, 200)])

    def start(self, answer):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talker)
        server.daemon_threads = True
        server.answer = answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.describe("1", "http://127.0.0.1:%d/v1/chat/completions" % server.server_address[1])

    def result(self, kind):
        run = self.tutela("probe", kind, "--target", "m", "--format", "json")
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        return json.loads(run.stdout)

    def test_what_the_model_was_told_does_not_speak_for_its_training(self):
        self.start(lambda text: "I cannot help with that.")
        text = (self.root / "tutela.yaml").read_text()
        (self.root / "tutela.yaml").write_text("".join(line for line in text.splitlines(True) if "documents" not in line))
        self.tutela("assess", ".")
        run = self.tutela("probe", "leakage", "--target", "m")
        self.assertEqual(run.returncode, 0, "nothing left it")
        self.assertIn("Nothing was recorded: narrowed by having no training texts to ask for", run.stderr)
        self.assertEqual(self.uses("5.2.5-4", "probe.inversion"), set())
        (self.root / "tutela.yaml").write_text(text)
        self.tutela("assess", ".")
        self.probe("leakage", "m")
        self.assertIn("counts", self.uses("5.2.5-4", "probe.inversion"))

    def test_few_answers_are_copied(self):
        self.start(lambda text: next((label for label, verbs in self.words.items() if any(v in text for v in verbs)), "mixed"))
        found = self.result("extraction")
        self.assertGreater(found["attacks"][0]["value"], 0.95)
        self.assertFalse(found["summary"]["does_not_apply"])
        self.assertEqual(self.uses("5.2.5-4", "probe.extraction"), {"counts"})
        found = self.result("evasion")["attacks"][0]
        measures = {m["name"]: m["value"] for m in found["measures"]}
        self.assertEqual(measures["clean_accuracy"], 1)
        self.assertLess(found["value"], 0.5, "it looks for words letter by letter")
        self.assertEqual(measures["kept: a greeting and thanks"], 1)
        self.assertEqual(found["kept"], self.result("evasion")["attacks"][0]["kept"], "the same seed")

    def test_texts_of_its_own_are_no_copy_and_the_row_can_still_be_met(self):
        self.start(lambda text: "You ask about " + hashlib.sha256(text.encode()).hexdigest()[:12] + ", and I answer at length.")
        self.assertTrue(self.result("extraction")["summary"]["does_not_apply"])
        self.assertEqual(self.control("5.2.5-4")["verdict"], "not_checked", "by nothing it is not met")
        self.assertEqual(self.plan()[1]["extraction"], "does not apply")
        self.probe("membership", "m")
        self.assertEqual(self.control("5.2.5-4")["verdict"], "partly")
        self.probe("leakage", "m")
        control = self.control("5.2.5-4")
        self.assertEqual(control["verdict"], "met")
        self.assertTrue(any("does not apply" in r for r in control["reasons"]), control["reasons"])
        if FAKETIME:
            self.assertEqual(self.control("5.2.5-4", "+200d")["verdict"], "not_checked")
        run = self.tutela("probe", "extraction", "--target", "m", "--queries", "200")
        self.assertIn("Nothing was recorded: narrowed by --queries", run.stderr)
        self.assertEqual(self.control("5.2.5-4")["verdict"], "met", "narrowed, it takes the place of nothing")


if __name__ == "__main__":
    unittest.main()
