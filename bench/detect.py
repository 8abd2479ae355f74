"""Times the detector on prompts and documents of 1 kB, and on a known one again, beside SHA-256 and memchr() of the same
bytes in the same run, and the command with its JSON around it. detect.py TUTELA; bench_detect lies beside it in the build.
Also tries every place of an order in a text, when the tests are built."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

TUTELA = os.path.abspath(sys.argv[1])
BUILD = os.path.join(os.path.dirname(TUTELA), "..", "..")
PROGRAM = os.path.join(BUILD, "bench", "bench_detect")
PLACES = os.path.join(BUILD, "..", "dev", "tests", "test_detect_places")
SCORE_US, HIT_US = 20, 1
TEXTS = 3000
PIECES = (
    "Line {0}: the lake number {1} was calm and we saw {2} boats, please read the manual first.\n",
    "How do I make the build of release {1} skip the {2} tests that are slow? Thank you.\n",
    '{{"order": {0}, "name": "lamp {1}", "price": {2}.50, "paid": true}}\n',
    "Please send the report of week {2} to the team, and tell {0} people that room {1} is taken.\n",
)
missed = False


def text_of(i):
    text, k = "", 0
    while len(text) < 1024:
        text += PIECES[(i + k * (1 + i % 3)) % len(PIECES)].format(k, i, i * (k + 7) % 97)
        k += 1
    return text[:1024]


def line(what, took, target, unit):
    global missed
    missed |= took > target
    print(f"{what:44} {took:8.2f} us {unit:8} target {target:3}{'   MISSED' if took > target else ''}")


def median_of(command, path):
    times = []
    for _ in range(5):
        with open(path, "rb") as source:
            begin = time.monotonic()
            subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, check=False)
            times.append(time.monotonic() - begin)
    return sorted(times)[2]


with tempfile.TemporaryDirectory() as where:
    texts = [text_of(i) for i in range(TEXTS)]
    packed = os.path.join(where, "texts")
    with open(packed, "wb") as out:
        for text in texts:
            out.write(struct.pack("<I", len(text)) + text.encode())
    for role in ("user", "document"):
        if os.path.exists(PROGRAM):
            printed = subprocess.run([PROGRAM, role, packed], stdout=subprocess.PIPE, check=True, text=True).stdout
            ns = {row.split()[0]: int(row.split()[1]) for row in printed.splitlines()}
            kilobytes = ns["bytes"] / 1000
            score, hit = ns["score"] / 1000 / kilobytes, ns["hit"] / 1000 / ns["texts"]
            line(f"scoring, {role}", score, SCORE_US, "a kB")
            line(f"the verdict of a known text, {role}", hit, HIT_US, "a text")
            print(f"{'':4}beside: SHA-256 {ns['sha256'] / 1000 / kilobytes:.2f} us a kB (scoring is "
                  f"{ns['score'] / ns['sha256']:.0f} times that, a known text {ns['hit'] / ns['sha256']:.2f} times), "
                  f"memchr() {ns['memchr'] / 1000 / kilobytes:.3f} us a kB ({ns['score'] / ns['memchr']:.0f} times)")
        else:
            print(f"{PROGRAM} is not there: ninja -C build/release bench")
            missed = True
        path = os.path.join(where, role)
        with open(path, "w") as out:
            for i, text in enumerate(texts):
                out.write(json.dumps({"id": i, "role": role, "text": text}) + "\n")
        took = median_of([TUTELA, "guard", "score"], path) * 1e6 / (os.path.getsize(path) / 1000)
        print(f"{'guard score, ' + role:44} {took:8.2f} us a kB     with its JSON")
if os.path.exists(PLACES):
    done = subprocess.run([PLACES, "whole"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print("every place, each order in each kind of text: " + ("found" if done.returncode == 0 else "NOT FOUND\n" + done.stdout))
    missed |= done.returncode != 0
else:
    print(f"every place: not tried, {PLACES} is not built")
sys.exit(missed)
