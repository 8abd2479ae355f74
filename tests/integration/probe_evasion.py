"""tutela probe evasion on the example's credit model, whose smallest changes are known: it is linear."""
import csv
import json
import math
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
EXAMPLE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd())) / "examples/credit-scoring"
COLUMNS = ["income", "debt", "years_employed", "late_payments", "age"]


def weights():
    raw = (EXAMPLE / "models/classifier.safetensors").read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + size])

    def numbers(name):
        begin, end = head[name]["data_offsets"]
        return struct.unpack("<%df" % ((end - begin) // 4), raw[8 + size + begin:8 + size + end])
    return numbers("weight"), numbers("bias")[0]


class Evasion(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="tutela-evasion-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.w, self.b = weights()
        with open(EXAMPLE / "data/applications-test.csv", newline="") as f:
            table = [[float(v) for v in row] for row in list(csv.reader(f))[1:]]
        self.rows, self.labels = [r[:-1] for r in table], [int(r[-1]) for r in table]

    def probe(self, *args, model=EXAMPLE / "models/classifier.onnx", expect=(0, 1, 3)):
        r = subprocess.run([TUTELA, "probe", "evasion", "--target", str(model), "--no-record",
                            "--others", str(EXAMPLE / "data/applications-test.csv"), "--label", "defaulted",
                            "--format", "json", *map(str, args)], capture_output=True, text=True, cwd=self.tmp,
                           timeout=120)
        self.assertIn(r.returncode, expect, r.stderr)
        return json.loads(r.stdout) if r.stdout else r.stderr

    def score(self, row):
        return sum(w * x for w, x in zip(self.w, row)) + self.b

    def held(self, size):
        """Of each row whether no change within so much of each column's range turns it: exact."""
        low, high = [min(c) for c in zip(*self.rows)], [max(c) for c in zip(*self.rows)]
        kept = []
        for row, label in zip(self.rows, self.labels):
            way = -1 if label else 1
            worst = way * self.score(row)
            for j, x in enumerate(row):
                up = way * self.w[j] > 0
                room = min(size * (high[j] - low[j]), high[j] - x if up else x - low[j])
                worst += abs(self.w[j]) * room
            kept.append(worst < 0)
        return kept

    def test_attacks_come_to_the_truth_and_not_below(self):
        for name, may_miss in (("square", 0), ("simba-pixel", 1), ("hopskipjump", 1), ("boundary", 4)):
            for size in (0.02, 0.05):
                truth = self.held(size)
                got = self.probe("--attack", name, "--norm", "linf", "--size", size)["attacks"][0]
                kept = [c == "1" for c in got["kept"]]
                self.assertEqual([i for i, (k, t) in enumerate(zip(kept, truth)) if t and not k], [], name)
                self.assertLessEqual(sum(kept), sum(truth) + may_miss, name)
                self.assertAlmostEqual(got["value"], sum(kept) / len(kept))
                self.assertLess(got["interval"][0], got["value"])
                self.assertLess(got["value"], got["interval"][1])

    def test_smallest_changes_turn_the_decision_as_they_say(self):
        got = self.probe("--attack", "tabular")["attacks"][0]
        self.assertEqual(len(got["exposed"]), 10)
        for e in got["exposed"]:
            row, label = list(self.rows[e["row"]]), self.labels[e["row"]]
            changes = re.findall(r"(\w+) ([\d,.-]+) -> ([\d,.-]+)(?:,| turns)", e["text"])
            self.assertTrue(changes, e["text"])
            for name, before, after in changes:
                j = COLUMNS.index(name)
                self.assertEqual(float(before.replace(",", "")), row[j])
                row[j] = float(after.replace(",", ""))
                self.assertEqual(row[j], math.floor(row[j]))
            self.assertNotEqual(self.score(row) > 0, bool(label), e["text"])
            self.assertTrue(e["text"].endswith("turns the decision to %d" % (1 - label)), e["text"])
            if len(changes) == 1:  # a little less, 3 % or one step, and it does not
                j, x = COLUMNS.index(changes[0][0]), self.rows[e["row"]]
                less = max(abs(row[j] - x[j]) * 0.03, 1)
                row[j] -= math.copysign(less, row[j] - x[j])
                self.assertEqual(self.score(row) > 0, bool(label), e["text"])

    def spread(self, j):
        column = sorted(r[j] for r in self.rows)
        middle = statistics.median(column)
        mad = 1.4826 * statistics.median(abs(x - middle) for x in column)
        return mad or statistics.pstdev(column)

    def test_what_one_column_turns_is_all_found(self):
        for size in (0.5, 1):
            got = self.probe("--attack", "tabular", "--size", size)["attacks"][0]
            reach = [math.floor(size * self.spread(j)) for j in range(5)]
            low, high = [min(c) for c in zip(*self.rows)], [max(c) for c in zip(*self.rows)]
            turned = 0
            for row, label, kept in zip(self.rows, self.labels, got["kept"]):
                can = (self.score(row) > 0) != bool(label)
                for j, x in enumerate(row):
                    for to in (max(x - reach[j], low[j]), min(x + reach[j], high[j])):
                        can |= (self.score(row[:j] + [to] + row[j + 1:]) > 0) != bool(label)
                turned += can
                self.assertFalse(can and kept == "1", row)
            self.assertGreater(turned, 40)

    def test_same_seed_same_result(self):
        first, second = (self.probe("--attack", "simba-dct", "--seed", 5)["attacks"] for _ in range(2))
        self.assertEqual(first, second)

    def test_budget_is_kept_and_told(self):
        got = self.probe("--attack", "square", "--size", 0.001, "--queries", 1000)
        self.assertEqual(got["target"]["queries"], 1000)
        self.assertTrue(got["attacks"][0]["cut"])
        got = self.probe("--attack", "boundary", "--size", 0.001, "--queries-a-row", 100)
        right = sum((self.score(r) > 0) == bool(l) for r, l in zip(self.rows, self.labels))
        self.assertEqual(got["target"]["queries"], len(self.rows) + 100 * right)

    def damaged(self):
        """The same model, a bit more ready to say 1."""
        raw = (EXAMPLE / "models/classifier.onnx").read_bytes()
        bias = struct.pack("<f", self.b)
        self.assertEqual(raw.count(bias), 1)
        path = self.tmp / "worse.onnx"
        path.write_bytes(raw.replace(bias, struct.pack("<f", self.b + 1.5)))
        return path

    def test_a_worse_version_does_not_pass_the_gate(self):
        args = ("--attack", "square", "--size", 0.02)
        before = self.tmp / "before.json"
        before.write_text(json.dumps(self.probe(*args)))
        same = self.probe(*args, "--baseline", before)["regression"][0]
        self.assertEqual(same["verdict"], "held")
        worse = self.probe(*args, "--baseline", before, model=self.damaged(), expect=(1,))["regression"][0]
        self.assertEqual(worse["verdict"], "worse")
        self.assertLess(worse["after"], worse["before"])
        self.assertLess(worse["interval"][1], 0)
        self.assertIn("McNemar", worse["why"])
        other = self.probe("--attack", "square", "--size", 0.03, "--baseline", before)["regression"][0]
        self.assertEqual(other["verdict"], "unknown")
        self.assertIn("size or budget", other["why"])

    def test_bad_wishes_are_told_in_one_line(self):
        got = self.probe("--attack", "square", "--norm", "l0")["attacks"][0]
        self.assertIn("linf and l2", got["reason"])


if __name__ == "__main__":
    unittest.main()
