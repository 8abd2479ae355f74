"""What lies in the low bits of weights is found, and natural weights are left alone: the rates over
the corpus of tests/corpus/stego.py, which holds natural weights of many kinds and the same with
something written into them."""
import collections
import json
import os
import subprocess
import sys
import tempfile

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
# Detection of structured payloads, and false alarms on natural weights.
LEAST_FOUND, MOST_FALSE = 0.90, 0.005


def main():
    for module in ("numpy", "torch", "sklearn"):
        if subprocess.run(["/usr/bin/python3", "-c", "import " + module],
                          capture_output=True).returncode:
            print("skipped: python3-%s is not installed" % module)
            sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        generator = os.path.join(SOURCE, "tests", "corpus", "stego.py")
        subprocess.run(["/usr/bin/python3", "-W", "ignore", generator, directory, "--small"],
                       check=True)
        with open(os.path.join(directory, "manifest.tsv"), encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        run = subprocess.run([TUTELA, "scan", "--format", "json", directory], capture_output=True,
                             timeout=500)
    files = {os.path.basename(f["path"]): f for f in json.loads(run.stdout)["files"]}
    found, all_of, false, benign = collections.Counter(), collections.Counter(), [], 0
    for name, label, carrier, payload, bits, place in rows:
        report = files[name]
        if report["status"] != "complete":
            sys.exit("%s: %s" % (name, report["problem"]))
        alarms = [f for f in report["findings"] if f["severity"] in ("medium", "high", "critical")]
        if label == "benign":
            benign += 1
            false += ["%s: %s %s" % (name, f["rule"], f["message"]) for f in alarms[:1]]
            continue
        kind = payload
        if payload == "random": # as encrypted: beyond what is claimed, reported all the same
            kind = "random, %s bits" % ("1 to 8" if int(bits) <= 8 else "16 to 24")
        all_of[kind] += 1
        found[kind] += bool(alarms)
    for kind in all_of:
        print("%-24s found %3d of %3d" % (kind, found[kind], all_of[kind]))
    print("natural weights: %d false of %d" % (len(false), benign))
    structured = [k for k in all_of if not k.startswith("random")]
    rate = sum(found[k] for k in structured) / sum(all_of[k] for k in structured)
    print("structured payloads: %.1f %%" % (100 * rate))
    for line in false:
        print("FALSE", line)
    if benign < 350 or sum(all_of.values()) < 140:
        sys.exit("the generator wrote too few files")
    if rate < LEAST_FOUND or len(false) > MOST_FALSE * benign:
        sys.exit(1)


main()
