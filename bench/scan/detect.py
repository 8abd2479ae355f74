"""What the scanner finds, over every generator of tests/corpus: detection, false alarms, and what would run under a
real loader and passes in silence. Two gates: exit status 1 (dangerous or worse, the default of --fail-on), and review.

A peer's figure stands beside each line. Those were measured earlier, with the peers' versions of 2025 and 2026 on another
corpus (959 labelled files), so they show what is usual and are no race on these files.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TUTELA = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = SOURCE / "tests/corpus"
VERDICTS = ["clean", "review", "dangerous", "malicious"]
# Generators whose files are pickles, or what pickles come in.
PICKLES = {"pickle_tricks.py", "pickle_chain_tricks.py", "gadgets.py"}
MISSED = []


def generators():
    names = sorted(path.name for path in CORPUS.glob("*.py"))
    return [name for name in names if name.endswith("_tricks.py") or name == "gadgets.py" or
            name.startswith("framework_") or name.endswith("_benign.py")]


def rows(folder):
    """(path, label, trick, loader) of a manifest; those of frameworks have three columns and a header."""
    lines = (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines:
        columns = line.split("\t")
        if len(columns) == 6:
            yield columns[0], columns[1], columns[2], columns[3]
        elif columns[1] == "benign":
            yield columns[0], "benign", "framework", ""


def scan(folder, paths):
    run = subprocess.run([TUTELA, "scan", "--quiet", "--no-cache", "--format", "json", *paths], cwd=folder,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode not in (0, 1, 2, 3):
        sys.exit(f"scan ended with {run.returncode}: {run.stderr.decode()}")
    return {file["path"]: file for file in json.loads(run.stdout)["files"]}


class Tally:
    def __init__(self):
        self.files = self.flagged = self.reviewed = self.unread = 0
        self.wrong = []

    def add(self, name, file, is_bad):
        self.files += 1
        worst = VERDICTS.index(file["verdict"]) if file else 0
        self.flagged += worst >= 2
        self.reviewed += worst >= 1
        self.unread += file is None or file["status"] == "error"
        if (worst >= 2) != is_bad:
            self.wrong.append(name)


def group_of(generator, label, trick):
    if label == "benign":
        return "harmless, by real frameworks" if trick == "framework" else "harmless, made to look bad"
    if label == "suspicious":
        return "structural defects and doubts"
    return "pickle family" if generator in PICKLES else "other formats"


def look(generator, tallies, silent):
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        made = subprocess.run(["/usr/bin/python3", "-W", "ignore", CORPUS / generator, folder], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        if made.returncode != 0:
            print(f"{generator}: left out, it could not write its files: {made.stderr.decode().strip()[-80:]}")
            return
        wanted = list(rows(folder))
        reports = scan(folder, [row[0] for row in wanted])
        for path, label, trick, loader in wanted:
            file = reports.get(path)
            tallies.setdefault(group_of(generator, label, trick), Tally()).add(f"{generator} {path}", file,
                                                                                label != "benign")
            executes = label == "malicious" and loader and not loader.startswith("by specification")
            if executes:
                tallies.setdefault("executes under a real loader", Tally()).add(f"{generator} {path}", file, True)
                if file is None or VERDICTS.index(file["verdict"]) == 0:
                    silent.append(f"{generator} {path}")
    finally:
        shutil.rmtree(folder)


def line(name, tally, target, is_met, peer):
    if not is_met:
        MISSED.append(name)
    share = 100 * tally.flagged / tally.files
    review = 100 * tally.reviewed / tally.files
    print(f"{name:32}{tally.files:7}{share:10.2f} %{review:9.2f} %   {target:14}{'ok' if is_met else 'MISSED':8}{peer}")


PEERS = {
    "pickle family": ("94.4 % with 26.7 % false alarms; 57.1 % with none", 0.99),
    "other formats": ("61.2 % (modelaudit)", 0.95),
    "structural defects and doubts": ("43.2 % (modelaudit)", 0.95),
    "executes under a real loader": ("92.7 % flagged (modelaudit); 0 silent only with 36 % false alarms", 0.99),
}
HARMLESS = {
    "harmless, made to look bad": "0 % (picklescan, modelscan), 26.7 % (modelaudit)",
    "harmless, by real frameworks": "0 % flagged, 18 % exit 2 (picklescan)",
}


def main():
    tallies, silent = {}, []
    for generator in generators():
        look(generator, tallies, silent)
    print(f"{'':32}{'files':>7}{'flagged':>12}{'or review':>11}   target                a peer's figure")
    for name, (peer, least) in PEERS.items():
        tally = tallies.get(name)
        if tally:
            # What is only a doubt is not to be dangerous: a defect counts at the gate of review.
            seen = tally.reviewed if name.startswith("structural") else tally.flagged
            line(name, tally, f">= {100 * least:.0f} %", seen >= least * tally.files, peer)
    for name, peer in HARMLESS.items():
        tally = tallies.get(name)
        if tally:
            is_real = name.endswith("frameworks")
            is_met = tally.unread == 0 and tally.flagged <= (0 if is_real else 0.01 * tally.files)
            line(name, tally, "0, no exit 2" if is_real else "<= 1 %", is_met, peer)
    print(f"{'silent although it runs':32}{len(silent):7}{'':26}{'0':14}{'ok' if not silent else 'MISSED':8}"
          "0 (fickling, at 36 % false alarms), 4 (modelaudit)")
    if silent:
        MISSED.append("silent although it runs")
    for name, tally in tallies.items():
        if "--list" in sys.argv:
            for wrong in tally.wrong:
                print(f"  {name}: {wrong}")
    if MISSED:
        print("Missed: " + ", ".join(MISSED))
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
