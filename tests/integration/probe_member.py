"""tutela probe membership and extraction over scikit-learn's digits: networks that memorised their
rows and ones that did not, told apart from recorded predictions alone. Exit 77: no scikit-learn."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

try:
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier
except ImportError:
    print("python3-sklearn is not installed")
    sys.exit(77)

warnings.filterwarnings("ignore")
TUTELA = os.environ["TUTELA"]


def noisy_digits():
    """Half of the digits as members, half as others; every tenth label is wrong."""
    pixels, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(1)
    wrong = rng.random(len(labels)) < 0.1
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    order = rng.permutation(len(labels))
    return pixels[order] / 16, labels[order]


class Membership(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.dir = Path(cls.folder.name)
        cls.rows, cls.labels = noisy_digits()
        cls.half = len(cls.labels) // 2
        cls.table("members.csv", slice(0, cls.half))
        cls.table("others.csv", slice(cls.half, None))
        cls.answers("memorised.npy", MLPClassifier((128,), max_iter=500, random_state=0))
        cls.answers("careful.npy", MLPClassifier((128,), alpha=20, max_iter=60, random_state=0))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def table(cls, name, part):
        with open(cls.dir / name, "w", newline="", encoding="utf-8") as f:
            out = csv.writer(f)
            out.writerow([f"p{i}" for i in range(64)] + ["digit"])
            for row, label in zip(cls.rows[part], cls.labels[part]):
                out.writerow([f"{v:g}" for v in row] + [label])

    @classmethod
    def answers(cls, name, model):
        model.fit(cls.rows[: cls.half], cls.labels[: cls.half])
        np.save(cls.dir / name, model.predict_proba(cls.rows).astype(np.float32))

    def probe(self, kind, target, *more, expect=(0, 1, 3)):
        done = subprocess.run(
            [TUTELA, "probe", kind, "--target", target, "--members", "members.csv",
             "--others", "others.csv", "--label", "digit", "--format", "json", *more],
            cwd=self.dir, capture_output=True, text=True, timeout=240, check=False)
        self.assertIn(done.returncode, expect, done.stderr)
        if done.returncode == 2:
            return done.stderr
        return {a["name"]: a for a in json.loads(done.stdout)["attacks"]}

    def test_what_was_memorised_breaks_the_bound(self):
        got = self.probe("membership", "memorised.npy", expect=(1,))
        self.assertEqual(got["rmia"]["verdict"], "fail")
        self.assertEqual(got["lira-online"]["verdict"], "fail")
        self.assertGreater(got["rmia"]["interval"][0], got["loss"]["value"])
        self.assertEqual(got["label-only"]["verdict"], "unmeasured")
        self.assertLess(got["rmia"]["baseline"], 0.05)
        self.assertIn("16 reference models", got["rmia"]["budget"])

    def test_what_was_regularised_keeps_it(self):
        got = self.probe("membership", "careful.npy", expect=(0, 3))
        for name in ("rmia", "lira-online", "lira-offline", "loss", "entropy"):
            self.assertIn(got[name]["verdict"], ("pass", "open"), name)

    def test_the_same_seed_says_the_same(self):
        one = self.probe("membership", "memorised.npy", "--attack", "lira-online", "--models", "4")
        two = self.probe("membership", "memorised.npy", "--attack", "lira-online", "--models", "4")
        other = self.probe("membership", "memorised.npy", "--attack", "lira-online", "--models",
                           "4", "--seed", "2")
        self.assertEqual(one["lira-online"]["value"], two["lira-online"]["value"])
        self.assertEqual(one["lira-online"]["measures"], two["lira-online"]["measures"])
        self.assertNotEqual(one["lira-online"]["measures"], other["lira-online"]["measures"])

    def test_references_that_others_trained_are_taken(self):
        rng = np.random.default_rng(5)
        n, models = len(self.labels), 6
        answers, inside = np.zeros((n, models, 10), np.float32), np.zeros((n, models), bool)
        for m in range(models):
            pick = rng.permutation(n)[: n // 2]
            inside[pick, m] = True
            model = MLPClassifier((128,), max_iter=300, random_state=m)
            answers[:, m] = model.fit(self.rows[pick], self.labels[pick]).predict_proba(self.rows)
        np.savez(self.dir / "references.npz", answers=answers, inside=inside)
        got = self.probe("membership", "memorised.npy", "--references", "references.npz",
                         "--attack", "lira-offline", expect=(1,))
        self.assertIn("6 reference models (recorded)", got["lira-offline"]["budget"])
        np.savez(self.dir / "short.npz", answers=answers[:100], inside=inside[:100])
        got = self.probe("membership", "memorised.npy", "--references", "short.npz",
                         "--attack", "lira-offline", expect=(3,))
        self.assertIn("is not among them", got["lira-offline"]["reason"])
        np.savez(self.dir / "odd.npz", answers=answers[:, :, :7], inside=inside[:, :5])
        said = self.probe("membership", "memorised.npy", "--references", "odd.npz", expect=(2,))
        self.assertIn("do not belong to 5 reference models", said)

    def test_a_copy_from_recorded_answers_is_measured(self):
        got = self.probe("extraction", "memorised.npy", "--attack", "random")
        curve = got["random"]["curves"][0]
        self.assertEqual(curve["x"], "queries")
        self.assertGreater(got["random"]["value"], 0.7)


if __name__ == "__main__":
    unittest.main()
