"""scan --baseline: what changed between two versions of a model, tensor by tensor, is measured as
the numbers were changed, and judged."""
import json
import math
import os
import random
import struct
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]


def write(path, tensors, dtype="F32"):
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        raw = struct.pack("<%d%s" % (len(values), {"F32": "f", "F64": "d"}[dtype]), *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Baseline(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        rng = random.Random(5)
        self.rng = rng
        self.old = {"l%02d" % i: ([32, 32], [single(rng.gauss(0, .02)) for _ in range(1024)])
                    for i in range(12)}
        write(self.path("old.safetensors"), self.old)

    def path(self, name):
        return os.path.join(self.scratch.name, name)

    def scan(self, new, *more, baseline=None, status=None):
        run = subprocess.run([TUTELA, "scan", "--format", "json", self.path(new), "--baseline",
                              baseline or self.path("old.safetensors"), *more],
                             capture_output=True, timeout=100)
        if status is not None:
            self.assertEqual(run.returncode, status, run.stderr)
        return json.loads(run.stdout)["files"] if run.stdout else run.stderr.decode()

    def rules(self, file):
        return {f["rule"] for f in file["findings"]}

    def test_the_same_is_the_same(self):
        file = self.scan("old.safetensors", status=0)[0]
        self.assertEqual((file["baseline"]["same"], file["baseline"]["tensors"]), (12, []))
        self.assertEqual(self.rules(file), set())

    def test_a_change_is_measured(self):
        new = dict(self.old)
        was = self.old["l03"][1]
        new["l03"] = ([32, 32], [single(v + (.01 if i % 4 == 0 else 0)) for i, v in enumerate(was)])
        write(self.path("new.safetensors"), new)
        file = self.scan("new.safetensors", status=0)[0]
        row, = file["baseline"]["tensors"]
        now = new["l03"][1]
        self.assertEqual((row["name"], row["change"], row["differing"]), ("l03", "changed", 256))
        far = math.sqrt(sum((a - b) ** 2 for a, b in zip(was, now)))
        length, length_now = (math.sqrt(sum(v * v for v in w)) for w in (was, now))
        dot = sum(a * b for a, b in zip(was, now))
        self.assertAlmostEqual(row["relative"], far / length, 6)
        self.assertAlmostEqual(row["greatest"], .01, 6)
        self.assertAlmostEqual(row["cosine"], dot / length / length_now, 9)
        self.assertEqual(self.rules(file), {"weights.localised-change"})

    def test_training_is_no_localised_change(self):
        new = {k: (s, [single(v + self.rng.gauss(0, .001)) for v in w]) for k, (s, w) in self.old.items()}
        write(self.path("new.safetensors"), new)
        file = self.scan("new.safetensors", status=0)[0]
        self.assertEqual((file["baseline"]["changed"], self.rules(file)), (12, set()))

    def test_low_bits_alone_are_told(self):
        def scribble(v):
            raw, = struct.unpack("<I", struct.pack("<f", v))
            return struct.unpack("<f", struct.pack("<I", raw & ~15 | self.rng.getrandbits(4)))[0]
        new = dict(self.old)
        new["l07"] = ([32, 32], [scribble(v) for v in self.old["l07"][1]])
        write(self.path("new.safetensors"), new)
        file = self.scan("new.safetensors", status=1)[0]
        self.assertEqual(self.rules(file), {"weights.low-bits-rewritten"})

    def test_rounding_is_no_rewriting(self):
        def rounded(v):
            raw, = struct.unpack("<I", struct.pack("<f", v))
            return struct.unpack("<f", struct.pack("<I", raw & ~0xfff))[0]
        write(self.path("new.safetensors"),
              {k: (s, [rounded(v) for v in w]) for k, (s, w) in self.old.items()})
        self.assertEqual(self.rules(self.scan("new.safetensors", status=0)[0]), set())

    def test_other_shapes_types_and_names_are_told(self):
        new = {k: v for k, v in self.old.items() if k != "l00"}
        new["l01"] = ([16, 64], self.old["l01"][1])
        new["added"] = ([2], [1.0, 2.0])
        write(self.path("new.safetensors"), new)
        file = self.scan("new.safetensors", status=0)[0]
        self.assertEqual([(r["name"], r["change"]) for r in file["baseline"]["tensors"]],
                         [("l01", "reshaped"), ("added", "added"), ("l00", "removed")])
        self.assertEqual(self.rules(file), {"weights.reshaped", "weights.other-tensors"})
        write(self.path("wide.safetensors"), self.old, "F64")
        file = self.scan("wide.safetensors", status=0)[0]
        self.assertEqual((file["baseline"]["reshaped"], file["baseline"]["tensors"][0]["differing"]), (12, 0))

    def test_directories_are_matched_by_name(self):
        for name in ("a", "b"):
            os.mkdir(self.path(name))
            write(self.path(name + "/m.safetensors"), self.old)
        file, = self.scan("b", baseline=self.path("a"), status=0)
        self.assertEqual(file["baseline"]["same"], 12)
        write(self.path("b/n.safetensors"), self.old)
        files = {os.path.basename(f["path"]): f for f in self.scan("b", baseline=self.path("a"), status=0)}
        self.assertNotIn("baseline", files["n.safetensors"])
        self.assertEqual(self.rules(files["n.safetensors"]), {"weights.other-tensors"})

    def test_what_is_no_earlier_version_is_an_error(self):
        self.assertIn("no such file", self.scan("old.safetensors", baseline=self.path("nothing"), status=2))
        with open(self.path("text"), "w", encoding="utf-8") as f:
            f.write("no model\n")
        self.assertIn("no tensors", self.scan("old.safetensors", baseline=self.path("text"), status=2))
        with open(self.path("old.safetensors"), "rb") as f, open(self.path("cut"), "wb") as to:
            to.write(f.read()[:3000])
        self.assertIn("cannot be compared",
                      self.scan("old.safetensors", baseline=self.path("cut"), status=2))


unittest.main()
