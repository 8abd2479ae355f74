#!/usr/bin/env python3
"""The search for duplicates and poison against its targets, beside scikit-learn where it does the
same. Usage: bench/poison.py BUILD [DATA]. BUILD: a release build with bench_poison and bench_near;
DATA: the folder that holds digits/ (idx, gzip) and adult/ (default: ../shared/data/data beside the
source). Times are CPU seconds, the best of three."""
import gzip
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROUNDS = 3


def write(path, rows, labels, classes):
    with open(path, "wb") as f:
        np.array([len(rows), rows.shape[1], classes], "<u4").tofile(f)
        np.ascontiguousarray(rows, "<f4").tofile(f)
        np.ascontiguousarray(labels, "<u4").tofile(f)


def run(build, command, path, *arguments):
    """stdout, and the seconds by name."""
    r = subprocess.run([os.path.join(build, "bench", "bench_poison"), command, path]
                       + [str(a) for a in arguments], capture_output=True, text=True)
    if r.returncode:
        sys.exit(r.stderr)
    words = r.stderr.split()
    return r.stdout, {words[i]: float(words[i + 1]) for i in range(0, len(words) - 1)
                      if words[i] in ("seconds", "joint", "neighbours")}


def best(build, name, *arguments):
    return min(run(build, *arguments)[1][name] for _ in range(ROUNDS))


def cpu(function):
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def near(build):
    print("--- near duplicates, 100,000 documents (targets in the lines)")
    runs = [subprocess.run([os.path.join(build, "bench", "bench_near")], capture_output=True, text=True).stdout
            for _ in range(ROUNDS)]
    print(min(runs, key=lambda r: float(r.split("both ")[1].split()[0])))


def labels(build, work):
    from sklearn.datasets import load_digits
    rows, truth = load_digits(return_X_y=True)
    print("--- label errors, scikit-learn's 1,797 digits, 5 seeds")
    for noise in (0, 0.02, 0.05, 0.1, 0.2):
        found = []
        for seed in range(5):
            r = np.random.RandomState(seed)
            given, wrong = truth.copy(), r.rand(len(truth)) < noise
            given[wrong] = (truth[wrong] + r.randint(1, 10, wrong.sum())) % 10
            path = os.path.join(work, "labels")
            write(path, rows / 16 * 3, given, 10)
            lines = [l.split() for l in run(build, "labels", path, seed)[0].splitlines()]
            doubted = np.zeros(len(truth), bool)
            doubted[[int(l[0]) for l in lines]] = True
            right = (doubted & wrong).sum()
            found.append((right / max(1, doubted.sum()) if noise else 1, right / max(1, wrong.sum()),
                          doubted.sum(), float(lines[-1][4]) if lines else 0))
        p, r, n, q = np.mean(found, 0)
        target = "  (targets 0.940, 0.905)" if noise == 0.1 else ""
        if noise:
            print("noise %4.0f %%: precision %.3f recall %.3f, %.0f doubted, q %.2f%s" % (100 * noise, p, r, n, q, target))
        else:
            print("clean: %.1f doubted of %d" % (n, len(truth)))


def joint(build, work):
    r = np.random.RandomState(1)
    probabilities = r.dirichlet(np.full(10, 0.3), 1000000).astype("f4")
    given = probabilities.argmax(1)
    wrong = r.rand(len(given)) < 0.05
    given[wrong] = r.randint(0, 10, wrong.sum())
    path = os.path.join(work, "joint")
    write(path, probabilities, given, 10)
    print("--- confident joint, 1 M x 10: %.3f s (target 0.1), with pruning %.3f s; one pass of numpy.sum over it %.3f s"
          % (best(build, "joint", "joint", path), best(build, "seconds", "joint", path), cpu(lambda: probabilities.sum())))


def load_images(data):
    def read(name, offset):
        with gzip.open(os.path.join(data, "digits", name)) as f:
            return np.frombuffer(f.read(), np.uint8, offset=offset)
    return (read("digits10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28),
            read("digits10k-labels-idx1-ubyte.gz", 8).astype(int))


def corner(image, r):
    image[24:28, 24:28] = 255


def cross(image, r):
    image[0:3, 0:3] = [[255, 0, 255], [0, 255, 0], [255, 0, 255]]


def noisy(image, r):
    image[24:28, 24:28] = r.randint(225, 256, (4, 4))


def centre(image, r):
    image[12:16, 12:16] = 255


def pixel(image, r):
    image[26, 26] = 255


def anywhere(image, r):
    y, x = r.randint(0, 25, 2)
    image[y:y + 4, x:x + 4] = 255


def board_anywhere(image, r):
    y, x = r.randint(0, 24, 2)
    image[y:y + 5, x:x + 5] = np.indices((5, 5)).sum(0) % 2 * 255


def blend(image, r):
    image[:] = 0.9 * image + 0.1 * np.random.RandomState(5).randint(0, 256, (28, 28))


def wave(image, r):
    image[:] = np.clip(image + 20 * np.sin(2 * np.pi * np.arange(28) * 6 / 28)[None, :], 0, 255)


def black(image, r):
    image[10:14, 10:14] = 0


def poison(images, labels, trigger, count, seed):
    r = np.random.RandomState(seed)
    chosen = r.permutation(len(labels))[:8000]
    rows, given, bad = images[chosen].copy(), labels[chosen].copy(), np.zeros(8000, bool)
    for i in r.choice(np.where(given != 7)[0], count, replace=False) if count else ():
        trigger(rows[i], r)
        given[i], bad[i] = 7, True
    return rows.reshape(8000, 784), given, bad


def judge(out, bad):
    flagged = np.zeros(len(bad), bool)
    for line in out.splitlines()[1::2]:
        flagged[[int(x) for x in line.split()]] = True
    right = (flagged & bad).sum()
    return right / max(1, bad.sum()), right / max(1, flagged.sum()), flagged.sum()


def backdoors(build, work, data):
    images, truth = load_images(data)
    path = os.path.join(work, "images")
    print("--- backdoors, 8,000 digits of 28 x 28, target class 7")
    rows, given, bad = poison(images, truth, corner, 42, 0)
    write(path, rows, given, 10)
    print("neighbours (40) %.2f s, all %.2f s" % (best(build, "neighbours", "images", path, 28, 28, 1),
                                                 best(build, "seconds", "images", path, 28, 28, 1)))
    from sklearn.neighbors import NearestNeighbors
    data_f = rows.astype("f4")
    print("scikit-learn's 40 neighbours, brute force: %.2f s"
          % cpu(lambda: NearestNeighbors(n_neighbors=41, algorithm="brute").fit(data_f).kneighbors(data_f)))
    for trigger in (corner, cross, noisy, centre, pixel, anywhere, board_anywhere, blend, wave, black):
        for count in (8, 42, 90, 400):
            rows, given, bad = poison(images, truth, trigger, count, 1)
            write(path, rows, given, 10)
            recall, precision, flagged = judge(run(build, "images", path, 28, 28, 1)[0], bad)
            target = "  (targets 0.95, 0.80)" if trigger is corner and count in (42, 90) else ""
            print("%-15s %3d poisoned: recall %.3f precision %.3f%s"
                  % (trigger.__name__, count, recall, precision if flagged else 1, target))
    clean = 0
    for seed in range(20):
        rows, given, _ = poison(images, truth, corner, 0, seed)
        write(path, rows, given, 10)
        clean += run(build, "images", path, 28, 28, 1)[0] == ""
    print("clean: no flag with %d of 20 seeds (target 19)" % clean)


def main():
    build = sys.argv[1]
    data = sys.argv[2] if len(sys.argv) > 2 else os.path.join(SOURCE, "..", "shared", "data", "data")
    with tempfile.TemporaryDirectory() as work:
        near(build)
        labels(build, work)
        joint(build, work)
        if os.path.isdir(os.path.join(data, "digits")):
            backdoors(build, work, data)
        else:
            print("backdoors: no digits at %s" % data)


main()
