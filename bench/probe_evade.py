#!/usr/bin/env python3
"""Black-box evasion on scikit-learn's digits (a network of 64-64-10, 797 rows) and on the example's
credit model, beside the restatement in numpy. Usage: bench/probe_evade.py BUILD. BUILD: a release
build with bench_probe_evade. Seconds are CPU seconds of one thread."""
import csv
import os
import sys
import tempfile
import time

import numpy as np
import probe_evade_world as world

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IMAGE = {"channels": 1, "tall": 8, "wide": 8, "low": 0, "high": 1, "seed": 1}
LINE = "%-24s %-5s %5s %6s  %6.3f  %5.3f to %5.3f  %8s  %9d  %6.2f  %5.2f M/s"


def show(name, r, norm, size, queries):
    median = r.get("queries_median")
    print(LINE % (name, norm, size, queries, r["value"], r["low"], r["high"], median if median else "-",
                  r["queries"], r["seconds"], r["queries"] / r["seconds"] / 1e6))


def at(curve, x):
    return [y for cx, y in curve["points"] if cx <= x][-1]


def digits(program, work):
    (rows, labels), (others, truth) = world.digits()
    model = world.learn(rows, labels)
    net, table = os.path.join(work, "m.onnx"), os.path.join(work, "rows")
    world.write_onnx(net, model)
    world.write_rows(table, others, truth, 10)
    print("--- digits 8 x 8, clean accuracy %.3f" % model.score(others, truth))
    print("attack                   norm   size  a row  robust  95 %             median    queries  seconds")
    for norm, size in (("linf", 0.1), ("l2", 0.5)):
        for name in ("square", "simba-pixel", "simba-dct", "hopskipjump", "boundary"):
            for queries in (1000, 5000):
                r = world.attack(program, net, table, name, norm=norm, size=size, queries=queries, **IMAGE)
                show(name, r, norm, size, queries)
            if name == "square":
                print("    by queries: " + ", ".join("%d: %.3f" % (q, at(r["curves"][-1], q))
                                                     for q in (1, 10, 100, 1000, 5000)))
            if name == "hopskipjump":
                print("    by size: " + ", ".join("%.3g: %.3f" % (size * k / 4, at(r["curves"][0], size * k / 4 + 1e-9))
                                                  for k in range(0, 9)))
        broken = world.broken_by_gradients(model, others.astype(float), truth, size, norm)
        print("gradients towards every class, numpy: %.3f" % (1 - broken.mean()))
    started = time.process_time()
    held = world.square_linf(model, others, truth, 0.1, 1000)
    print("square linf 0.1, 1,000 queries, restated in numpy: %.3f in %.2f s"
          % (held.mean(), time.process_time() - started))
    r = world.attack(program, net, table, "corruption", **IMAGE)
    show("corruption", r, "", "", "")
    for c in r["curves"]:
        print("    %-14s %s" % (c["name"], "  ".join("%.3f" % y for _, y in c["points"])))


def images(program, work):
    """1,000 digits enlarged to 28 x 28, a convolutional net (8 and 16 channels of 3 x 3) that knows 797 others."""
    try:
        import torch
        import probe_evade_torch as ours
    except ImportError:
        print("--- PGD beside torch: skipped, python3-torch is not installed")
        return
    attacked, known = (torch.tensor(np.pad(np.kron(rows.reshape(-1, 1, 8, 8), np.ones((1, 1, 3, 3), "f4")), ((0, 0), (0, 0), (2, 2), (2, 2))))
                       for rows in (world.digits()[0][0], world.digits()[1][0]))
    truth, labels = (torch.tensor(world.digits()[i][1].astype("i8")) for i in (0, 1))
    net = ours.train(known, labels, rounds=20)
    path, table = os.path.join(work, "cnn.onnx"), os.path.join(work, "images")
    ours.export(net, attacked, path)
    world.write_rows(table, attacked.numpy().reshape(len(attacked), -1), truth.numpy(), 10)
    print("--- 1,000 digits 28 x 28, a convolutional net, clean accuracy %.3f: PGD of 40 steps, one start; then the whole attack"
          % (net(attacked).argmax(1) == truth).float().mean())
    for size in (0.02, 0.1):
        started = time.process_time()
        torch.manual_seed(1)
        held = 1 - ours.pgd(net, attacked, truth, size).float().mean().item()
        print("%-24s %-5s %5s  %6.3f in %5.2f s" % ("PGD-40, torch", "linf", size, held, time.process_time() - started))
        for name, what in (("ascent", "PGD-40"), ("pgd", "pgd, 3 starts and curve")):
            r = world.attack(program, path, table, name, norm="linf", size=size, low=0, high=1, seed=1)
            print("%-24s %-5s %5s  %6.3f in %5.2f s" % (what, "linf", size, r["value"], r["seconds"]))


def credit(program, work):
    example = os.path.join(SOURCE, "examples", "credit-scoring")
    with open(os.path.join(example, "data", "applications-test.csv"), newline="") as f:
        lines = list(csv.reader(f))
    numbers = np.array(lines[1:], float)
    table = os.path.join(work, "credit")
    world.write_rows(table, numbers[:, :-1], numbers[:, -1], 2)
    print("--- credit-scoring, 150 applications")
    for wishes in ({}, {"size": 0.5}, {"norm": "l0", "size": 1}):
        r = world.attack(program, os.path.join(example, "models", "classifier.onnx"), table, "tabular", seed=1, **wishes)
        show("tabular", r, wishes.get("norm", "cost"), wishes.get("size", 1), 1000)
        for row, score, text in r["exposed"][:4]:
            print("    row %d (%.3g): %s" % (row, score, text))
    r = world.attack(program, os.path.join(example, "models", "classifier.onnx"), table, "corruption", seed=1)
    show("corruption", r, "", "", "")
    for c in r["curves"]:
        print("    %-16s %s" % (c["name"], "  ".join("%.3f" % y for _, y in c["points"])))


def main():
    program = os.path.join(sys.argv[1], "bench", "bench_probe_evade")
    with tempfile.TemporaryDirectory() as work:
        digits(program, work)
        images(program, work)
        credit(program, work)


main()
