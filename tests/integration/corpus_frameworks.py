#!/usr/bin/python3
"""Files that real frameworks write are clean: no finding above low, every one read to its end."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
FRAMEWORKS = ("numpy", "torch", "sklearn", "joblib", "onnx")


GENERATORS = (
    "framework_benign.py",
    "framework_many.py",
    "framework_family.py",
    "framework_trees.py",
)


def check(generator, directory):
    subprocess.run(["/usr/bin/python3", "-W", "ignore", str(SOURCE / "tests/corpus" / generator),
                    directory], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run([os.environ["TUTELA"], "scan", "--format", "json", directory],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    files = {f["path"]: f for f in json.loads(done.stdout)["files"]}
    lines = pathlib.Path(directory, "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wrong = 0
    for line in lines:
        path = os.path.join(directory, line.split("\t")[0])
        found = files.get(path)
        if found and found["verdict"] == "clean" and found["status"] == "complete":
            continue
        wrong += 1
        print(line, found and (found["format"], found["status"], found["verdict"], [
            (finding["rule"], finding["message"]) for finding in found["findings"][:3]]))
    print(f"{generator}: {len(lines)} files, {wrong} wrong; scan ended with {done.returncode}")
    return not wrong and bool(lines) and done.returncode == 0


def main():
    absent = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is None]
    if len(absent) == len(FRAMEWORKS):
        print("skipped: none of " + ", ".join(FRAMEWORKS) + " is installed")
        return 77
    if absent:
        print("without " + ", ".join(absent))
    fine = True
    for generator in GENERATORS:
        with tempfile.TemporaryDirectory() as directory:
            fine = check(generator, directory) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
