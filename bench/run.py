"""Times tutela on large and on hostile input, beside a floor or a peer in the same run.

Every figure is the median of several whole processes. Memory is the peak of the command and its workers
together (their high-water marks, added). Limits in the last column are the project's targets; a run that
misses one, or does not end with the exit status that the input deserves, exits 1.
"""
import os
import pickle
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

TUTELA = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNS = 7


class Peak(threading.Thread):
    """Adds up the high-water marks of a process and its descendants while it runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.marks, self.over = pid, {}, False

    def look(self, pid):
        try:
            with open(f"/proc/{pid}/status") as status:
                for line in status:
                    if line.startswith("VmHWM"):
                        self.marks[pid] = max(self.marks.get(pid, 0), int(line.split()[1]))
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                for child in children.read().split():
                    self.look(int(child))
        except OSError:
            pass

    def run(self):
        while not self.over:
            self.look(self.pid)
            time.sleep(0.0005)

    def megabytes(self):
        return sum(self.marks.values()) / 1000


def once(command, watch):
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = Peak(process.pid)
    if watch:
        peak.start()
    out = process.stdout.read().decode(errors="replace")
    process.wait()
    took = time.perf_counter() - started
    peak.over = True
    return took, peak.megabytes(), process.returncode, out


def measure(command, runs=RUNS):
    times = [once(command, False) for _ in range(runs)]
    memory = max(once(command, True)[1] for _ in range(3))
    return statistics.median(t[0] for t in times), memory, times[-1][2], times[-1][3]


FAILED = []


def report(name, command, floor_name, floor, seconds, megabytes=None, must_find=None, wanted=0):
    took, memory, status, out = measure(command)
    floor_took = statistics.median(once(floor, False)[0] for _ in range(3)) if floor else None
    if must_find:
        wanted = 1
    ok = (took <= seconds and (megabytes is None or memory <= megabytes) and status == wanted
          and (must_find is None or must_find in out))
    beside = f"{floor_took / took:8.1f} x {floor_name} ({floor_took:.3f} s)" if floor else ""
    limit = f"<= {seconds} s" + (f", {megabytes} MB" if megabytes else "")
    print(f"{name:44} {took:7.3f} s {memory:6.1f} MB  {limit:16} {'ok' if ok else 'MISSED':7}{beside}")
    sys.stdout.flush()
    if not ok:
        FAILED.append(name)


def python(code, *args):
    return ["/usr/bin/python3", "-c", code, *args]


WALK = "import pickletools,sys,os\nfor root,_,files in os.walk(sys.argv[1]):\n for f in files:\n  n=sum(1 for _ in pickletools.genops(open(os.path.join(root,f),'rb')))"
WALK_ONE = "import pickletools,sys\nn=sum(1 for _ in pickletools.genops(open(sys.argv[1],'rb')))"
LIST = "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1]); z.read([n for n in z.namelist() if n.endswith('data.pkl')][0])"


def torch_zip(path, gigabytes):
    """A state dict as torch.save lays it out: one stored member a tensor, aligned to 64 bytes."""
    storage = os.urandom(1 << 20) * 64
    out = []
    out.append(b"\x80\x02}q\x00(")
    count = int(gigabytes * 1024 // 64)
    for i in range(count):
        name = f"layer.{i}.weight".encode()
        out.append(b"X" + struct.pack("<I", len(name)) + name)
        key = str(i).encode()
        out.append(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
                   b"X" + struct.pack("<I", len(key)) + key + b"X\x03\x00\x00\x00cpuJ" +
                   struct.pack("<i", len(storage) // 4) + b"tQK\x00M\x00\x10M\x00\x10\x86M\x00\x10K\x01\x86\x89"
                   b"ccollections\nOrderedDict\n)RtR")
    out.append(b"u.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"".join(out))
        for i in range(count):
            archive.writestr(f"archive/data/{i}", storage)
        archive.writestr("archive/version", b"3\n")


def hostile(folder):
    call = b"cposix\nsystem\n(X\x0b\x00\x00\x00echo canarytR"
    bomb = b"\x80\x02]q\x00" + b"".join(b"(h" + bytes([i]) + b"h" + bytes([i]) + b"lq" + bytes([i + 1]) for i in range(60)) + b"."
    files = {
        "opcodes.pkl": b"\x80\x02" + b"N0" * 2_100_000 + call + b".",
        "memo-bomb.pkl": bomb,
        "claims.pkl": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"abc",
        "counts.npy": b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }".ljust(117) + b"\n",
    }
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


def ledger():
    """The log itself and the sequencer, on the disk that holds the build: their floors are appends and fdatasync
    there. Tracing, whose floor is a look at each edge."""
    folder = os.path.join(os.path.dirname(TUTELA), "..", "..", "bench")
    print()
    for name in ("bench_ledger", "bench_sequencer", "bench_lineage"):
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
        hostile(where)
        big = os.path.join(where, "big.pt")
        torch_zip(big, 1)
        print(f"{'what':44} {'time':>9} {'memory':>9}  {'target':16}         beside")
        report("start (tutela --version)", [TUTELA, "--version"], "true", ["/bin/true"], 0.005)
        report("1 GiB torch zip, --depth structure", [TUTELA, "scan", "--depth", "structure", big],
               "python zipfile", python(LIST, big), 0.05, 24)
        report("1 GiB torch zip, content", [TUTELA, "scan", big], "sha256sum", ["sha256sum", big], 10)
        report("2,000 small pickles", [TUTELA, "scan", small], "pickletools", python(WALK, small), 0.2)
        report("4.2 million opcodes, then a call", [TUTELA, "scan", f"{where}/opcodes.pkl"],
               "pickletools", python(WALK_ONE, f"{where}/opcodes.pkl"), 0.5, 48, "malicious")
        for command in (["init", small, "--quiet"], ["assess", small, "--quiet"]):
            subprocess.run([TUTELA, *command], stdout=subprocess.DEVNULL)
        report("OSCAL of 2,000 assets, 6,000 records", [TUTELA, "report", small, "--format", "oscal"],
               "report json", [TUTELA, "report", small, "--format", "json"], 4, wanted=3)
        for name in ("memo-bomb.pkl", "claims.pkl", "counts.npy"):
            report(name, [TUTELA, "scan", f"{where}/{name}"], None, None, 0.05, None, "dangerous")
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
