"""Processor time of the version store on one large file, beside openssl and restic in the same run.

TUTELA_BENCH_GB (default 4) sizes the file, TUTELA_BENCH_DIR says where it lies. Targets are for 4 GiB and go with
the size: snapshot 4 CPU seconds, fsck 3.2; on a slower or busier machine 1.15 and 1.05 times what `openssl dgst` takes
for the bytes alone. Sealed: the plain snapshot, a second hash (of what is stored) and AES-256-GCM at the rate that
openssl shows here. Each is the better of two runs.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from run import TUTELA

FAILED = []
GB = float(os.environ.get("TUTELA_BENCH_GB", "4"))

DESCRIPTION = """schema: tutela.system/1
system:
  name: bench
  version: "1"
  purpose: figures
assets:
  - id: model/large
    path: large.bin
    origin: first-party
"""


def cpu(command, cwd, env, wanted=0):
    """Processor seconds of a process and those it waited for."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != wanted:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {out}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def better(command, cwd, env, before=None):
    results = []
    for _ in range(2):
        if before:
            before()
        results.append(cpu(command, cwd, env))
    return min(r[0] for r in results), max(r[1] for r in results)


def say(name, took, memory, limit, beside):
    ok = limit is None or took <= limit
    print(f"{name:32} {took:6.2f} CPU s {memory:6.1f} MB  {f'<= {limit:.2f} s' if limit else '':12} "
          f"{'ok' if ok else 'MISSED':7}{beside}")
    sys.stdout.flush()
    if not ok:
        FAILED.append(name)


def aes_rate():
    out = subprocess.run(["openssl", "speed", "-evp", "aes-256-gcm", "-bytes", "1048576", "-seconds", "1"],
                         capture_output=True, text=True).stdout
    return float(re.search(r"AES-256-GCM\s+([\d.]+)k", out, re.I).group(1)) * 1000


def main():
    where = tempfile.mkdtemp(dir=os.environ.get("TUTELA_BENCH_DIR"))
    env = {**os.environ, "XDG_DATA_HOME": where + "/data", "XDG_CACHE_HOME": where + "/cache"}
    root = os.path.join(where, "system")
    size = int(GB * (1 << 30))
    scale = GB / 4
    try:
        os.mkdir(root)
        with open(root + "/tutela.yaml", "w") as f:
            f.write(DESCRIPTION)
        subprocess.run(f"openssl enc -aes-128-ctr -nosalt -pass pass:x -in /dev/zero 2>/dev/null | head -c {size} "
                       f"> {root}/large.bin", shell=True, check=True)

        def afresh():
            shutil.rmtree(root + "/.tutela", ignore_errors=True)

        snapshot = [TUTELA, "snapshot", "model/large", "--no-cache"]
        dgst, _ = better(["openssl", "dgst", "-sha256", "large.bin"], root, env)
        gcm = size / aes_rate()
        print(f"{'what':32} {'processor':>12} {'memory':>8}  {'target':20}beside openssl dgst -sha256 ({dgst:.2f} CPU s)")
        took, memory = better(snapshot, root, env, afresh)
        say(f"snapshot of {GB:g} GiB", took, memory, max(4 * scale, 1.15 * dgst), f"{took / dgst:.2f} x")
        plain = took
        took, memory = better([TUTELA, "store", "fsck"], root, env)
        say("store fsck", took, memory, max(3.2 * scale, 1.05 * dgst), f"{took / dgst:.2f} x")
        took, memory = better([TUTELA, "snapshot", "model/large"], root, env)
        say("snapshot, nothing changed", took, memory, 0.1, "")
        target = os.path.join(where, "out")
        took, memory = better([TUTELA, "restore", "model/large", "--unsigned", "--to", target], root, env,
                              lambda: shutil.rmtree(target, ignore_errors=True))
        say("restore, digests compared", took, memory, None, f"{took / dgst:.2f} x")
        shutil.rmtree(target)
        with open(root + "/tutela.yaml", "a") as f:
            f.write("    sensitivity: confidential\n")
        took, memory = better(snapshot, root, env, afresh)
        say("snapshot, sealed", took, memory, plain + dgst + 1.25 * gcm,
            f"{took / dgst:.2f} x; AES-256-GCM alone {gcm:.2f} s")
        if shutil.which("restic"):
            repo = {**env, "RESTIC_REPOSITORY": where + "/restic", "RESTIC_PASSWORD": "x"}
            cpu(["restic", "init", "--quiet"], root, repo)
            peer, memory = cpu(["restic", "backup", "--quiet", "large.bin"], root, repo)
            print(f"{'restic backup (a peer)':32} {peer:6.2f} CPU s {memory:6.1f} MB  {peer / plain:.1f} x our snapshot")
    finally:
        shutil.rmtree(where)
    if FAILED:
        print("Missed: " + ", ".join(FAILED))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
