"""Every trick of the container and model generators is caught with the rules that its manifest names and
at least its verdict; every honest file of the same generator is clean at both depths."""
import json
import os
import subprocess
import sys
import tempfile

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
# Archives without a model in them: seen, and nothing to say about.
NO_MODEL = {"ok_empty.zip", "ok_directories.zip", "ok_appended.zip", "ok_many.zip", "ok_zeros.zip"}
# generator: how many files it must write at least
GENERATORS = {"archive_tricks.py": 160, "zip_tricks.py": 100, "model_tricks.py": 150,
              "keras_tricks.py": 140}
ORDER = ["clean", "review", "dangerous", "malicious"]


def scan(directory, paths, depth):
    run = subprocess.run([TUTELA, "scan", "--format", "json", "--depth", depth] + paths,
                         cwd=directory, capture_output=True, timeout=250)
    if run.returncode not in (0, 1, 3):
        sys.exit("scan ended with %d: %s" % (run.returncode, run.stderr.decode()))
    return {os.path.basename(f["path"]): f for f in json.loads(run.stdout)["files"]}


def judge(row, found):
    path, label, trick, _, rules, verdict = row
    if found is None:
        return "%s (%s): no report" % (path, trick)
    seen = {f["rule"] for f in found["findings"]}
    if label == "benign":
        wanted = (("review", "unsupported", {"file.no-model"}) if path in NO_MODEL
                  else ("clean", "complete", set()))
        if (found["verdict"], found["status"], seen) != wanted:
            return "%s (%s): %s, %s, %s" % (path, trick, found["verdict"], found["status"],
                                            sorted(seen))
        return None
    missing = set(filter(None, rules.split(","))) - seen
    if missing:
        return "%s (%s): %s missing among %s" % (path, trick, sorted(missing), sorted(seen))
    if ORDER.index(found["verdict"]) < ORDER.index(verdict):
        return "%s (%s): only %s, wanted %s; %s" % (path, trick, found["verdict"], verdict,
                                                    sorted(seen))
    return None


def check(name, least):
    with tempfile.TemporaryDirectory() as directory:
        generator = os.path.join(SOURCE, "tests", "corpus", name)
        subprocess.run(["/usr/bin/python3", generator, directory], check=True)
        with open(os.path.join(directory, "manifest.tsv"), encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        reports = scan(directory, [row[0] for row in rows], "content")
        wrong = list(filter(None, (judge(row, reports.get(row[0])) for row in rows)))
        if len(rows) < least:
            wrong.append("the generator wrote %d files only" % len(rows))
        # Honest files are clean at the other depth too.
        honest = [row for row in rows if row[1] == "benign"]
        reports = scan(directory, [row[0] for row in honest], "structure")
        wrong += filter(None, (judge(row, reports.get(row[0])) for row in honest))
    print("%s: %d files, %d wrong" % (name, len(rows), len(wrong)))
    for line in wrong:
        print(line)
    return not wrong


sys.exit(0 if all([check(name, least) for name, least in GENERATORS.items()]) else 1)
