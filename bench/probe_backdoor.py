#!/usr/bin/env python3
"""The backdoor probe on small convolutional networks, planted and clean: how many planted ones each attack tells, and how
many clean ones. Usage: bench/probe_backdoor.py PROGRAM FIRST LAST [ATTACK...]. PROGRAM: bench_probe_evade of a release
build (or tut_evade_probe); seeds FIRST to LAST. Seconds are CPU seconds of one thread."""
import os
import sys
import tempfile
from collections import defaultdict

import probe_backdoor_world as world
import torch
from probe_evade_world import attack, write_rows

ATTACKS = ("margin", "stamps", "trigger", "weights")


def outcome(name, r):
    """As the probe judges it: suspicion with its interval by 2, the chance of weights by 0.01."""
    if name == "weights":
        return "fail" if r["value"] < 0.01 else "pass"
    return "fail" if r["low"] > 2 else "pass" if r["high"] <= 2 else "open"


def look(program, name, net, others, truth, seed=1):
    with tempfile.TemporaryDirectory() as work:
        model, table = os.path.join(work, "m.onnx"), os.path.join(work, "rows")
        world.write_onnx(model, net)
        write_rows(table, others.reshape(len(others), -1).numpy(), truth.numpy(), world.CLASSES)
        return attack(program, model, table, name, channels=1, tall=world.SIDE, wide=world.SIDE, low=0, high=1, seed=seed)


def main():
    program, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    tally = defaultdict(list)
    print("seed  planted  accuracy  led    attack   value     95 %            class  planted  outcome  seconds")
    for seed in range(first, last + 1):
        _, (others, truth) = world.digits(seed)
        for kind in world.TRIGGERS:
            net, right, led = world.learn(seed, kind)
            for name in sys.argv[4:] or ATTACKS:
                r = look(program, name, net, others, truth)
                said = outcome(name, r)
                interval = "%5.2f to %5.2f" % (r["low"], r["high"]) if r["low"] is not None else "-"
                print("%4d  %-7s  %.3f     %.3f  %-7s  %-8.3g  %-14s  %5d  %7s  %-7s  %.1f"
                      % (seed, kind, right, led, name, r["value"], interval, r["easiest_class"],
                         world.target_of(seed) if kind != "clean" else "-", said, r["seconds"]), flush=True)
                tally[name, kind].append((said, r["easiest_class"] == world.target_of(seed)))
    for (name, kind), all_ in sorted(tally.items()):
        counts = ["%d %s" % (sum(s == word for s, _ in all_), word) for word in ("fail", "open", "pass")]
        print("%-7s  %-7s  %s%s" % (name, kind, ", ".join(counts), "" if kind == "clean" else
                                    "; of those that fail the class is right in %d" % sum(s == "fail" and c for s, c in all_)))


if __name__ == "__main__":
    main()
