"""tutela probe backdoor on convolutional nets that torch trains: planted patches and blended noise are told, with their
class, and nets without them are not. More seeds: bench/probe_backdoor.py."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["TUTELA_SOURCE"], "bench"))
try:
    import numpy as np
    import torch

    import probe_backdoor_world as world
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)

TUTELA = os.environ["TUTELA"]
SEEDS = (1, 2)


class Backdoors(unittest.TestCase):
    def probe(self, seed, kind):
        net, right, led = world.learn(seed, kind)
        self.assertGreater(right, 0.9)
        if kind != "clean":
            self.assertGreater(led, 0.9, "the backdoor was not learnt: the test says nothing")
        _, (others, truth) = world.digits(seed)
        with tempfile.TemporaryDirectory() as work:
            model, table = os.path.join(work, "net.onnx"), os.path.join(work, "others.csv")
            world.write_onnx(model, net)
            rows = others.reshape(len(others), -1).numpy()
            np.savetxt(table, np.column_stack([rows, truth.numpy()]), delimiter=",", comments="", fmt="%.6g",
                       header=",".join(["p%d" % i for i in range(rows.shape[1])] + ["digit"]))
            r = subprocess.run([TUTELA, "probe", "backdoor", "--target", model, "--others", table, "--label", "digit",
                                "--no-record", "--format", "json"], capture_output=True, text=True, timeout=400)
        self.assertIn(r.returncode, (0, 1, 3), r.stderr)
        return r.returncode, {a["name"]: a for a in json.loads(r.stdout)["attacks"]}

    def measure(self, attack, name):
        return next(m["value"] for m in attack["measures"] if m["name"] == name)

    def test_nets_without_a_backdoor_are_not_suspected(self):
        for seed in SEEDS:
            code, attacks = self.probe(seed, "clean")
            self.assertEqual({n: a["verdict"] for n, a in attacks.items()},
                             {"margin": "pass", "stamps": "pass", "trigger": "pass", "weights": "pass"}, seed)
            self.assertEqual(code, 0)
            self.assertEqual(self.measure(attacks["weights"], "scan_findings"), 0)

    def test_planted_backdoors_are_found_with_their_class(self):
        for seed, kind in zip(SEEDS, ("patch", "blended")):
            code, attacks = self.probe(seed, kind)
            self.assertEqual(code, 1)
            for name in ("margin", "stamps", "trigger"):
                a = attacks[name]
                self.assertEqual(a["verdict"], "fail", (seed, kind, name, a["value"]))
                self.assertLess(a["interval"][0], a["value"] + 1e-9)
                self.assertLess(a["value"], a["interval"][1] + 1e-9)
                self.assertEqual(self.measure(a, "easiest_class"), world.target_of(seed), (seed, kind, name))
            self.assertGreater(self.measure(attacks["trigger"], "stamped_success"), 0.7)


torch.set_num_threads(1)
unittest.main()
