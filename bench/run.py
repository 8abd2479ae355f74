"""Times the main job, bills and packs, and the log beside a floor or a peer in the same run; what scanning takes is in
scan.py.

Every figure is the median of several whole processes. Memory is the peak of the command and its workers
together (their high-water marks, added). Limits in the last column are the project's targets; a run that
misses one, or does not end with the exit status that the input deserves, exits 1.
"""
import os
import pickle
import shutil
import subprocess
import sys
import tempfile

from timing import FAILED, report

TUTELA = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def ledger():
    """The log itself and the sequencer, on the disk that holds the build: their floors are appends and fdatasync
    there. Tracing, whose floor is a look at each edge. The guard's texts, whose floor is a hash of them."""
    folder = os.path.join(os.path.dirname(TUTELA), "..", "..", "bench")
    print()
    for name in ("bench_ledger", "bench_sequencer", "bench_lineage", "bench_guard_text"):
        program = os.path.join(folder, name)
        sys.stdout.flush()
        if not os.path.exists(program):
            print(f"{program} is not there: its figures are left out")
        elif subprocess.run([program, folder]).returncode != 0:
            FAILED.append(name)


def main():
    where = tempfile.mkdtemp()
    try:
        small = os.path.join(where, "small")
        os.mkdir(small)
        for i in range(2000):
            with open(os.path.join(small, f"{i:04}.pkl"), "wb") as out:
                pickle.dump({"weights": list(range(40)), "name": f"model {i}", "bias": 0.5}, out)
        print(f"{'what':44} {'time':>9} {'memory':>9}  {'target':16}         beside")
        report("start (tutela --version)", [TUTELA, "--version"], "true", ["/bin/true"], 0.005)
        for command in (["init", small, "--quiet"], ["assess", small, "--quiet"]):
            subprocess.run([TUTELA, *command], stdout=subprocess.DEVNULL)
        report("OSCAL of 2,000 assets, 6,000 records", [TUTELA, "report", small, "--format", "oscal"],
               "report json", [TUTELA, "report", small, "--format", "json"], 4, wanted=3)
        many = os.path.join(where, "many")
        os.mkdir(many)
        for i in range(10000):
            with open(os.path.join(many, f"{i:05}.csv"), "w") as out:
                out.write(f"a,b\n{i},2\n3,4\n")
        inventory = [TUTELA, "inventory", many, "--quiet", "--format", "json"]
        for spec in ("cyclonedx-1.6", "spdx-3.0.1"):
            report(f"bom of 10,000 assets, {spec}", [TUTELA, "bom", many, "--quiet", "--spec", spec],
                   "inventory", inventory, 1)
        evidence = os.path.join(where, "evidence")  # six pieces an asset
        os.mkdir(evidence)
        for i in range(1667):
            with open(os.path.join(evidence, f"{i:05}.csv"), "w") as out:
                out.write(f"a,b\n{i},2\n3,4\n")
        pack = os.path.join(where, "pack.tar")
        for command in (["init", evidence, "--quiet"], ["assess", evidence, "--quiet"], ["pack", "build", pack, evidence]):
            subprocess.run([TUTELA, *command], stdout=subprocess.DEVNULL)
        report("pack verify, 10,000 pieces of evidence", [TUTELA, "pack", "verify", pack], "sha256sum",
               ["sha256sum", pack], 1, 400, wanted=3)
        for example, wanted in (("support-assistant", 1), ("credit-scoring", 3)):  # faults; much not checked
            copy = os.path.join(where, example)
            shutil.copytree(os.path.join(SOURCE, "examples", example), copy, ignore=shutil.ignore_patterns(".tutela"))
            report(f"assess {example}", [TUTELA, "assess", copy, "--quiet"], None, None, 0.5, wanted=wanted)
    finally:
        shutil.rmtree(where)
    ledger()
    if FAILED:
        print("Missed: " + ", ".join(FAILED))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
