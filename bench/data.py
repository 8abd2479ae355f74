#!/usr/bin/env python3
"""bench/data.py BENCH_DATA [BENCH_CHUNKS]: CSV and JSON lines read and profiled, beside memcpy() and
pandas; the digest with chunks and Merkle root, beside the digest alone and `openssl sha256`.

1,000,000 rows of 20 normal numbers with six decimals (190 MB), and 100,000 records with texts of
some 600 characters. Times are of the processor, one core, the best of five (pandas: one).
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

ROWS, COLUMNS, RECORDS = 1_000_000, 20, 100_000


def write_csv(path):
    rng = random.Random(1)
    pool = ["%.6f" % rng.gauss(0, 1) for _ in range(1_000_003)]
    with open(path, "w") as out:
        out.write(",".join("c%d" % i for i in range(COLUMNS)) + "\n")
        at = 0
        for _ in range(ROWS):
            step = at % len(pool)
            row = pool[step:step + COLUMNS]
            out.write(",".join(row + pool[:COLUMNS - len(row)]) + "\n")
            at += COLUMNS
    return path


def write_jsonl(path):
    rng = random.Random(2)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(1, 9)))
             for _ in range(5000)]
    with open(path, "w") as out:
        for i in range(RECORDS):
            text = " ".join(rng.choices(words, k=110)).replace(" a", ".\n", 1)
            out.write(json.dumps({"id": i, "text": text, "source": rng.choice("ab"),
                                  "score": rng.random()}) + "\n")
    return path


def measure_pandas(path, read):
    try:
        import pandas
    except ImportError:
        print("pandas       is not here (python3-pandas)")
        return
    began = time.process_time()
    frame = read(pandas, path)
    took = time.process_time() - began
    began = time.process_time()
    frame.describe()
    both = took + time.process_time() - began
    size = os.path.getsize(path) / 1e6
    print("pandas read  %.2f s %.0f MB/s; with describe() %.2f s %.0f MB/s"
          % (took, size / took, both, size / both))


def measure_chunks(bench, path):
    """On the clock, the best of five; openssl with its start."""
    print(subprocess.run([bench, path], check=True, capture_output=True, text=True).stdout.rstrip())
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(["openssl", "sha256", path], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    print("openssl      %12d ns %6.2f GB/s" % (min(took) * 1e9, os.path.getsize(path) / min(took) / 1e9))


def main():
    bench = sys.argv[1]
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DATA_DIR")) as folder:
        jobs = [("CSV", write_csv(folder + "/numbers.csv"), lambda p, f: p.read_csv(f)),
                ("JSON lines", write_jsonl(folder + "/texts.jsonl"),
                 lambda p, f: p.read_json(f, lines=True))]
        for name, path, read in jobs:
            print(name)
            print(subprocess.run([bench, path], check=True, capture_output=True,
                                 text=True).stdout.rstrip())
            measure_pandas(path, read)
            if len(sys.argv) > 2:
                measure_chunks(sys.argv[2], path)


main()
