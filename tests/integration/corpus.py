#!/usr/bin/python3
"""Generators of tricks, through the real command: every malicious or suspicious file gets at least
its verdict and one of its rules, every harmless file is clean and complete."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

VERDICTS = ["clean", "review", "dangerous", "malicious"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
GENERATORS = [
    "pickle_tricks.py",
    "gadgets.py",
    "carried_tricks.py",
    "code_tricks.py",
    "graph_tricks.py",
    "tree_tricks.py",
]
NEED_NUMPY = ["pickle_chain_tricks.py"]


def scan(directory):
    done = subprocess.run([os.environ["TUTELA"], "scan", "--all", "--format", "json", str(directory)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"scan ended with {done.returncode}: {done.stderr.decode()}")
    return json.loads(done.stdout)["files"]


def complaint(row, found):
    """What is wrong with the report on one file, or None."""
    path, label, _, _, rules, verdict = row
    if found is None:
        return "is missing in the report"
    got = [finding["rule"] for finding in found["findings"]]
    if label == "benign":
        if found["verdict"] != "clean" or found["status"] != "complete":
            return f"is harmless, but {found['verdict']} and {found['status']}: {got}"
        return None
    if VERDICTS.index(found["verdict"]) < VERDICTS.index(verdict):
        return f"is {found['verdict']}, should be {verdict}: {got}"
    wanted = [rule for rule in rules.split(",") if rule]
    if wanted and not set(wanted) & set(got):
        return f"has none of {wanted}: {got}"
    return None


def check(generator, directory):
    subprocess.run(["/usr/bin/python3", str(SOURCE / "tests/corpus" / generator), str(directory)],
                   check=True, stdout=subprocess.DEVNULL)
    reports = {pathlib.Path(f["path"]).relative_to(directory).as_posix(): f
               for f in scan(directory)}
    lines = (directory / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    complaints = [f"{row[0]} {what}" for row in rows
                  for what in [complaint(row, reports.get(row[0]))] if what]
    print(f"{generator}: {len(rows)} files, {len(complaints)} wrong")
    for text in complaints:
        print(f"  {text}")
    return len(rows) > 0 and not complaints


def main():
    fine = True
    chosen = list(GENERATORS)
    if subprocess.run(["/usr/bin/python3", "-c", "import numpy"], check=False,
                      stderr=subprocess.DEVNULL).returncode == 0:
        chosen += NEED_NUMPY
    else:
        print("without NumPy: not " + ", ".join(NEED_NUMPY))
    for generator in chosen:
        with tempfile.TemporaryDirectory() as directory:
            fine = check(generator, pathlib.Path(directory)) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
