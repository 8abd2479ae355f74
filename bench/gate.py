#!/usr/bin/env python3
"""gate check on a long log: bench/gate.py TUTELA GATE_FILL [ENTRIES] prints a line a figure; exit 1 when the target is missed.

It makes a small system with a gate that wants a dozen things, fills its log with what years of assessments leave behind
(bench_gate_fill), and times the command as a pipeline calls it: a new process each time. The target is held against the
processor time of all its processes, as the time on the wall is also that of whatever else the machine does. Beside it stand a
process that does nothing, SQLite's own pass over the index, and the same check without what the last look left."""
import hashlib
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

tutela, fill = (os.path.abspath(p) for p in sys.argv[1:3])
entries = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
ASSETS, RUNS, TARGET_MS = 30, 20, 50


def main():
    with tempfile.TemporaryDirectory() as tmp:
        root, env = pathlib.Path(tmp) / "system", {**os.environ, "XDG_DATA_HOME": tmp + "/keys"}
        root.mkdir()
        lines = ["schema: tutela.system/1", "system:", "  name: long", '  version: "1"', "  purpose: figures", "assets:"]
        for i in range(ASSETS):
            path = root / ("part%d.csv" % i)
            path.write_text("id,text\n" + "".join("%d,line %d of part %d\n" % (k, k, i) for k in range(200)))
            lines += ["  - id: dataset/a%d" % i, "    path: " + path.name, "    origin: first-party", "    sensitivity: internal",
                      "    digest: sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()]
        lines += ["gates:", "  - name: go", "    signers: [{role: developer}]", "    wants:"]
        lines += ["      - check: " + c for c in ("inventory.complete", "scan.content", "vet.dataset", "guard.limits")]
        lines += ["      - clause: " + c for c in ("5.2.1-2", "5.2.5-1", "5.1.2-3", "5.4.2-1")]
        (root / "tutela.yaml").write_text("\n".join(lines) + "\n")

        def run(*args):
            return subprocess.run([tutela, *args], cwd=root, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)

        def spent(*args):
            """CPU and wall seconds of one process."""
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            run(*args)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start

        def best(*args):
            taken = [spent(*args) for _ in range(RUNS)]
            return min(t[0] for t in taken) * 1000, min(t[1] for t in taken) * 1000

        run("people", "enrol", "Ada", "--root", "--generate", "--no-passphrase")
        run("people", "enrol", "Dev", "--role", "developer", "--generate", "--no-passphrase", "--by", "Ada")
        run("assess", ".", "--quiet")
        subprocess.run([fill, str(root), str(entries), *["dataset/a%d" % i for i in range(ASSETS)]], env=env, check=True,
                       stderr=subprocess.DEVNULL)
        run("assess", ".", "--quiet")
        kept = next(pathlib.Path(tmp, "keys").rglob("relevant-evidence"), None)
        whole = []
        for _ in range(3):
            if kept:
                kept.unlink()
            whole.append(spent("gate", "check", "go"))
            kept = next(pathlib.Path(tmp, "keys").rglob("relevant-evidence"))
        db = sqlite3.connect("file:%s?mode=ro" % (root / ".tutela/state.db"), uri=True)
        start = time.process_time()
        rows = db.execute("SELECT count(*), sum(length(kind) + length(check_id) + length(actor) + length(leaf) + at) FROM entries")
        count = rows.fetchone()[0]
        floor = (time.process_time() - start) * 1000
        cpu, wall = best("gate", "check", "go")
        nothing_cpu, nothing = best("--version")
        print("entries in the log                     %12d" % count)
        print("gate check, processor time             %9.1f ms   target %d ms   %s"
              % (cpu, TARGET_MS, "ok" if cpu <= TARGET_MS else "MISSED"))
        print("gate check, wall, best of %d           %9.1f ms" % (RUNS, wall))
        print("  a process that does nothing          %9.1f ms, %.1f of it on the processor" % (nothing, nothing_cpu))
        print("  one pass of SQLite over the index    %9.1f ms   gate check is %.2f of it" % (floor, cpu / floor))
        print("  what the last look left              %9.1f KiB" % (kept.stat().st_size / 1024))
        print("without it: the whole index, proved    %9.0f ms" % (min(w[0] for w in whole) * 1000))
        return cpu > TARGET_MS


sys.exit(main())
