"""What `tutela probe` finds of small language models that are trained here on the same texts: one that learnt them by heart,
one that was stopped early; canaries planted once, four times and sixteen times."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))
sys.path.insert(0, str(SOURCE / "tests" / "integration"))
import language_model  # noqa: E402

TUTELA = os.environ["TUTELA"]
NAMES = "anna bert carla david emma felix greta hugo ida jonas karla leo mara nils olga paul rosa simon tara udo".split()
TOWNS = "berlin paris madrid vienna london dublin lisbon oslo prague warsaw turin lyon bonn graz basel ghent".split()
THINGS = "router switch cable modem camera printer charger antenna battery adapter screen keyboard".split()
VERBS = "ordered returned lost sold repaired painted found borrowed wanted carried".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
REPEATED = {"amber": 1, "birch": 4, "cedar": 16, "delta": 0}
COUNT = 120


def sentence(draw):
    part = ("%s from %s %s the old %s on %s" % tuple(draw.choice(w) for w in (NAMES, TOWNS, VERBS, THINGS, DAYS)) for _ in range(4))
    return " and ".join(part)


class LanguageModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        draw = random.Random(5)
        texts = [sentence(draw) for _ in range(3 * COUNT)]
        cls.members, cls.others, strangers = texts[:COUNT], texts[COUNT:2 * COUNT], texts[2 * COUNT:]
        cls.canaries = {w: "the code of vault %s is %06d" % (w, draw.randrange(10 ** 6)) for w in REPEATED}
        lines = cls.members + [cls.canaries[w] for w, n in REPEATED.items() for _ in range(n)]
        words = [w for t in texts + list(cls.canaries.values()) for w in language_model.split(t)] + [s + d for s in ("", " ") for d in "0123456789"]
        cls.by_heart = language_model.Server(language_model.train(lines, 120, words))
        cls.early = language_model.Server(language_model.train(lines, 3, words))
        cls.stranger = language_model.Server(language_model.train(strangers, 12, words, seed=2))
        cls.tmp = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.tmp.name)
        for name, content in (("members", cls.members), ("others", cls.others), ("canaries", cls.canaries.values())):
            (cls.root / name).write_text("\n".join(content) + "\n")

    @classmethod
    def tearDownClass(cls):
        for server in (cls.by_heart, cls.early, cls.stranger):
            server.close()
        cls.tmp.cleanup()

    def probe(self, kind, server, attack, *options):
        run = subprocess.run([TUTELA, "probe", kind, "--target", server.url + "/v1/completions", "--attack", attack, "--model", "m", "--format", "json",
                              "--documents", "members", "--other-documents", "others", "--canaries", "canaries", *options],
                             cwd=self.root, capture_output=True, text=True, timeout=280)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        found = json.loads(run.stdout)["attacks"][0]
        found["measures"] = {m["name"]: m["value"] for m in found["measures"]}
        print(kind, attack, "value", found["value"], found["interval"], "without the model", found["baseline"], found["measures"])
        return found

    def test_members_are_told_by_likelihood(self):
        early, by_heart = (self.probe("membership", s, "min-k") for s in (self.early, self.by_heart))
        self.assertGreater(by_heart["value"], 0.9)
        self.assertEqual(by_heart["verdict"], "fail")
        self.assertLess(early["interval"][1], 0.5)
        self.assertGreater(by_heart["measures"]["auc"], early["measures"]["auc"] + 0.2)
        for measure in ("min_k", "min_k_plus", "likelihood", "zlib"):
            self.assertGreater(by_heart["measures"]["tpr_at_1_" + measure], 0.3, measure)
            self.assertIn("tpr_at_1_" + measure, early["measures"])
        self.assertNotIn("tpr_at_1_reference_ratio", by_heart["measures"], "there was no reference")
        self.assertLess(by_heart["baseline"], 0.15, "the texts themselves tell nothing")

    def test_a_reference_that_never_saw_them(self):
        found = self.probe("membership", self.by_heart, "min-k", "--reference-target", self.stranger.url + "/v1/completions", "--reference-model", "r")
        for measure in ("difference", "ratio"):
            self.assertGreater(found["measures"]["tpr_at_1_reference_" + measure], 0.9, measure)
        run = subprocess.run([TUTELA, "probe", "membership", "--target", self.by_heart.url + "/v1/completions", "--reference-target",
                              self.stranger.url + "/v1/chat/completions"], cwd=self.root, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn("an address of completions", run.stderr)

    def test_members_are_told_by_what_is_said(self):
        early, by_heart = (self.probe("membership", s, "continued") for s in (self.early, self.by_heart))
        self.assertGreater(by_heart["measures"]["auc"], 0.75)
        self.assertLess(early["measures"]["auc"], 0.65)
        self.assertGreater(by_heart["value"], early["value"])

    def test_documents_are_drawn_out_of_the_one_alone(self):
        early, by_heart = (self.probe("leakage", s, "documents") for s in (self.early, self.by_heart))
        self.assertEqual(early["value"], 0)
        self.assertGreater(by_heart["value"], 0.05)
        self.assertEqual(by_heart["verdict"], "fail")

    def test_exposure_grows_with_repetition(self):
        for server in (self.early, self.by_heart):
            found = self.probe("leakage", server, "exposure")
            bits = dict(zip(REPEATED, (next(e["score"] for e in found["exposed"] if e["row"] == i) for i in range(len(REPEATED)))))
            print(bits)
            self.assertLess(bits["delta"], 6, "it never stood in the texts")
            self.assertEqual(bits["cedar"], 8, "as much as 256 texts can show")
            self.assertLessEqual(bits["amber"], bits["birch"])
            self.assertGreater(bits["birch"], bits["delta"])
            if server is self.early:
                self.assertLess(bits["amber"], bits["cedar"])
            self.assertNotIn("vault", json.dumps(found), "no canary stands in a result")


if __name__ == "__main__":
    unittest.main()
