#!/usr/bin/python3
"""The labels of the corpus are true: every file is given to the real loader that its manifest names, in
a capped child without network, and the canary runs exactly where the label says malicious."""
import atexit
import os
import pathlib
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import weakref

SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
CORPUS = SOURCE / "tests" / "corpus"
sys.path.insert(0, str(CORPUS))
sys.dont_write_bytecode = True
from loaders import BY_SPECIFICATION, LOADERS, NEEDS, is_available  # noqa: E402

SECONDS, MEMORY, FILE_SIZE, OUTPUT_MAX = 20, 6 << 30, 64 << 20, 1 << 16
CHILD_SECONDS = 5
CANARY = b"canary"
# Loaded once, before the children are forked.
HEAVY = ("torch", "torch.package", "joblib", "numpy", "pandas", "dill", "cloudpickle", "h5py", "onnx",
         "xgboost", "yaml", "sklearn", "scipy.stats", "scipy.sparse")


def generators():
    return sorted(CORPUS.glob("*_tricks.py")) + [CORPUS / "gadgets.py"]


def cap():
    os.setsid()
    for what, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY),
                       (resource.RLIMIT_FSIZE, FILE_SIZE), (resource.RLIMIT_CORE, 0),
                       (resource.RLIMIT_NOFILE, 256)):
        resource.setrlimit(what, (most, most))


def forget_parent():
    """What the parent wants done at its end is not the child's to do."""
    atexit._clear()
    weakref.finalize._registry.clear()
    weakref.finalize._registered_with_atexit = False


def wait_for_children(deadline):
    """What a file starts without waiting for it (`os.popen`) is killed with this child: its time first."""
    try:
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
    except ChildProcessError:
        pass  # none is left


def load(loader, path, scratch, output):
    """The child's life."""
    try:
        forget_parent()
        cap()
        os.chdir(scratch)
        os.environ.update(HOME=scratch, TMPDIR=scratch, XDG_CACHE_HOME=scratch)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(nothing, 2)
        os.closerange(3, 256)
        LOADERS[loader](path)
    except BaseException:  # refusing is a loader's right
        pass
    try:
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(1)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        wait_for_children(time.monotonic() + CHILD_SECONDS)
    finally:
        os._exit(0)


def read_until_canary(fd, deadline):
    seen = b""
    while len(seen) < OUTPUT_MAX and time.monotonic() < deadline:
        if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
            break
        more = os.read(fd, 4096)
        if not more:
            break
        seen += more
        if CANARY in seen:
            break
    return CANARY in seen


def runs_canary(loader, path):
    with tempfile.TemporaryDirectory() as scratch:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            load(loader, path, scratch, writer)
        os.close(writer)
        ran = read_until_canary(reader, time.monotonic() + SECONDS)
        os.close(reader)
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return ran or os.path.exists(os.path.join(scratch, CANARY.decode()))


def judge(row, directory):
    """(what was tried, complaint or None)"""
    path, label, _, loader = row[:4]
    if loader == BY_SPECIFICATION or loader.startswith(BY_SPECIFICATION + ": "):
        return None, None
    if loader not in LOADERS:
        return None, f"{path}: \"{loader}\" is no loader that README.md knows"
    if not is_available(loader):
        return None, None
    ran = runs_canary(loader, str(directory / path))
    if ran and label != "malicious":
        return loader, f"{path} is called {label}, and {loader} executes it"
    if not ran and label == "malicious":
        return loader, f"{path} is called malicious, and {loader} does not execute it"
    return loader, None


def check(generator):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        subprocess.run(["/usr/bin/python3", "-W", "ignore", str(generator), name], check=True,
                       stdout=subprocess.DEVNULL)
        lines = (directory / "manifest.tsv").read_text(encoding="utf-8").splitlines()
        rows = [line.split("\t") for line in lines]
        results = [judge(row, directory) for row in rows]
    tried = [row for row, (loader, _) in zip(rows, results) if loader]
    complaints = [complaint for _, complaint in results if complaint]
    executed = sum(row[1] == "malicious" for row in tried)
    print(f"{generator.name}: {len(rows)} files, {len(tried)} loaded, {executed} of them malicious, "
          f"{len(complaints)} wrong")
    for complaint in complaints:
        print("  " + complaint)
    sys.stdout.flush()
    return len(tried), not complaints


def import_frameworks():
    warnings.simplefilter("ignore")
    for name in HEAVY:
        try:
            __import__(name)
        except ImportError:
            print(f"without {name}", flush=True)
    try:
        import torch
        torch.set_num_threads(1)
    except ImportError:
        pass


def main():
    absent = sorted({need for loader, need in NEEDS.items() if not is_available(loader)})
    if len(absent) > 4:
        print("skipped: not installed: " + ", ".join(absent))
        return 77
    chosen = [CORPUS / name for name in sys.argv[1:]] or generators()
    import_frameworks()
    results = [check(generator) for generator in chosen]
    return 0 if all(fine for _, fine in results) and sum(n for n, _ in results) > 0 else 1


if __name__ == "__main__":
    if "TUTELA_NO_NETWORK" not in os.environ and shutil.which("unshare") and subprocess.run(
            ["unshare", "-rn", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["TUTELA_NO_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "-rn", sys.executable, "-W", "ignore", *sys.argv])
    sys.exit(main())
