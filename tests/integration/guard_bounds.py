"""What tutela vet found a dataset to be like bounds the tensors of a model: through nginx, over reloads, and in guard test."""
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
TUTELA = os.environ["TUTELA"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "guard"))
from live import POLICY, Guard  # noqa: E402

TENSORS = """      tensors:
        - name: x
          datatype: FP32
          shape: [-1, 3]
          baseline: data/train.profile.json
          without: risk
"""
BOUNDED = POLICY.replace("      protocol: kserve-v2\n", "      protocol: kserve-v2\n" + TENSORS)
assert BOUNDED != POLICY
GOOD = [34, 2800.5, 1]


def table(oldest):
    rng = random.Random(7)
    rows = ["%d,%.2f,%d,%s" % (rng.randint(18, oldest), rng.uniform(900, 9000), rng.random() < 0.4, rng.choice(("low", "high"))) for _ in range(2000)]
    return "age,income,owner,risk\n" + "\n".join(rows) + "\n"


def npy(shape, data):
    head = "{'descr': '|u1', 'fortran_order': False, 'shape': %r, }" % (shape,)
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + bytes(data)


def vet(folder, name, content, to):
    path = pathlib.Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = subprocess.run([TUTELA, "vet", name, "--save-baseline", to], cwd=folder, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def tensor(data, shape=None, datatype="FP32"):
    flat = sum(data, []) if data and isinstance(data[0], list) else data
    return {"inputs": [{"name": "x", "datatype": datatype, "shape": shape or [len(flat) // 3, 3], "data": data}]}


class Live(unittest.TestCase):
    def open(self, oldest=90):
        g = Guard(policy=BOUNDED, start=False)
        self.addCleanup(g.__exit__)
        vet(g.system, "data/train.csv", table(oldest), "data/train.profile.json")
        g.up()
        self.g = g
        return g

    def status(self, data, **more):
        return self.g.ask("/v2/models/m/infer", tensor(data, **more)).status

    def version(self):
        return json.loads(self.g.run("guard", "status", "--format", "json").stdout)["summary"]["policy"]

    def test_what_the_data_never_had_does_not_reach_the_model(self):
        g = self.open()
        self.assertEqual(self.status(GOOD), 200)
        self.assertEqual(self.status([GOOD, [18, 900.0, 0], [90, 9000.0, 1]]), 200)
        bad = [[151, 2800.5, 1], [34, -2800.5, 1], [34, 2800.5, 7], [34.5, 2800.5, 1]]
        for row in bad:
            self.assertEqual(self.status([GOOD, row]), 400, row)
        self.assertEqual(self.status(GOOD + [1], shape=[1, 4]), 400)
        self.assertEqual(self.status(GOOD, shape=[3, 1]), 400)
        body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": 12}}]}).encode()
        for kind in ("application/json", "application/octet-stream"):
            answer = g.send("POST", "/v2/models/m/infer", body + struct.pack("<3f", 151, 2800.5, 1),
                            {"Content-Type": kind, "Inference-Header-Content-Length": str(len(body))})
            self.assertIn(answer.status, (400, 415), "binary parts are refused as a whole")
        self.assertEqual(len(g.arrived()), 2)
        g.down()
        told = [e["request"]["reasons"][0] for e in g.exchanges() if e["request"]["action"] == "block"]
        self.assertEqual(len(told), 8)
        self.assertIn('row 1, feature 0 "age": a value is out of its range (11 to 97)', [r["why"] for r in told])
        self.assertNotIn("151", json.dumps(told))

    def test_guard_check_tells_of_a_feature_without_bounds(self):
        g = self.open()
        self.assertIn("each of 1 tensors has its type, shape and bounds", g.run("guard", "check", check=False).stdout)
        g.write(BOUNDED.replace("without: risk", 'columns: [age, "-", owner]'))
        self.assertIn("of 1 tensors that the policy lists 0 have bounds", g.run("guard", "check", check=False).stdout)
        g.run("guard", "reload")
        self.assertEqual(g.wait(lambda: self.status([34, 1e9, 1]) == 200), True)
        self.assertEqual(self.status([34, 1e9, 2]), 400)

    def test_another_baseline_is_another_policy_from_the_reload_on(self):
        g = self.open()
        first = self.version()
        old = [99, 2800.5, 1]
        self.assertEqual(self.status(old), 400)
        vet(g.system, "data/train.csv", table(110), "data/train.profile.json")
        before = set(g.workers())
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        g.wait(lambda: len(g.workers()) == len(before) and not before & set(g.workers()))
        self.assertEqual(self.status(old), 400, "a new worker takes the bounds that were put in force")
        self.assertEqual(self.status(GOOD), 200)
        self.assertEqual(self.version(), first)
        g.run("guard", "reload")
        self.assertNotEqual(self.version(), first)
        self.assertEqual(g.wait(lambda: self.status(old) == 200), True)
        g.run("guard", "rollback")
        self.assertEqual(self.version(), first)
        self.assertEqual(g.wait(lambda: self.status(old) == 400), True)
        g.run("guard", "rollback")
        self.assertNotEqual(self.version(), first)
        self.assertEqual(g.wait(lambda: self.status(old) == 200), True)

    def test_a_baseline_that_does_not_fit_leaves_what_runs_as_it_is(self):
        g = self.open()
        first = self.version()
        profile = g.system / "data" / "train.profile.json"
        whole = profile.read_bytes()
        for content, said in ((whole[:len(whole) // 2], "no valid JSON"), (b'{"schema":"tutela.bom/1"}', "no baseline"), (None, "cannot be read")):
            profile.unlink() if content is None else profile.write_bytes(content)
            run = g.run("guard", "reload", check=False)
            self.assertEqual(run.returncode, 2, run.stdout + run.stderr)
            self.assertIn(said, run.stderr)
            self.assertEqual((self.status(GOOD), self.status([151, 2800.5, 1])), (200, 400))
        run = g.run("guard", "check", check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn('the baseline "data/train.profile.json" cannot be read', run.stderr)
        profile.write_bytes(whole)
        self.assertEqual(self.version(), first)
        self.assertIn("in force already", g.run("guard", "reload").stdout)


class Replay(unittest.TestCase):
    def replay(self, keys, content, name, bodies):
        """Why each of the bodies is refused; "" of those that pass."""
        with tempfile.TemporaryDirectory() as folder:
            vet(folder, name, content, "base.json")
            pathlib.Path(folder, "tutela.yaml").write_text(
                "schema: tutela.system/1\nsystem:\n  name: x\nguard:\n  routes:\n    - id: m\n      path: /infer\n"
                "      protocol: kserve-v2\n      tensors:\n        - name: x\n          baseline: base.json\n" + keys)
            pathlib.Path(folder, "t.jsonl").write_text("".join(json.dumps({"request": {"path": "/infer", "body": b}}) + "\n" for b in bodies))
            run = subprocess.run([TUTELA, "guard", "test", "t.jsonl", "--format", "json"], cwd=folder, capture_output=True, text=True, timeout=60)
            self.assertIn(run.returncode, (0, 1), run.stdout + run.stderr)
            return [e["request"]["reasons"][0]["detail"] if e["request"]["reasons"] else "" for e in json.loads(run.stdout)["exchanges"]]

    def test_pixels_of_an_array_are_the_features_of_an_image(self):
        rng = random.Random(3)
        images = npy((300, 4, 5), [rng.randint(100, 200) if i % 20 else 0 for i in range(300 * 20)])
        dark = [0] + [150] * 19
        shapes = ([1, 4, 5], [1, 1, 4, 5], [1, 4, 5, 1], [1, 20], [20])
        why = self.replay("          datatype: UINT8\n", images, "images.npy", [tensor(dark, shape, "UINT8") for shape in shapes])
        self.assertEqual(why, [""] * len(shapes))
        why = self.replay("          datatype: UINT8\n          shape: [-1, 4, 5]\n", images, "images.npy", [
            tensor(dark + dark, [2, 4, 5], "UINT8"),
            tensor(dark + [1] + [150] * 19, [2, 4, 5], "UINT8"),
            tensor(dark + dark[:-1] + [255], [2, 4, 5], "UINT8")])
        self.assertEqual(why[0], "")
        self.assertEqual(why[1], 'row 1, feature 0 "0": a value is out of its range (0 to 0)')
        self.assertRegex(why[2], r'^row 1, feature 19 "19": a value is out of its range \(90 to 210\)$')

    def test_one_column_of_numbers_bounds_one_number_a_row(self):
        rng = random.Random(4)
        numbers = npy((500,), [rng.randint(50, 150) for _ in range(500)])
        why = self.replay("          datatype: INT32\n", numbers, "n.npy",
                          [tensor([60, 70], [2], "INT32"), tensor([60, 70], [2, 1], "INT32"), tensor([60, 170], [2, 1], "INT32"), tensor([60, 70], [1, 2], "INT32")])
        self.assertEqual(why, ["", "", 'row 1, feature 0 "value": a value is out of its range (40 to 160)', "the last axes of the shape do not hold the columns of the baseline"])


if __name__ == "__main__":
    unittest.main()
