"""Times tutela sign and verify, interleaved with a plain read-and-EVP loop, openssl and sha256sum.

Runs of ours and of the peer alternate, so that a busy moment hits both; each figure is the median. A run that
misses its target exits 1. TUTELA_BENCH_GB (default 4) sizes the large model, TUTELA_BENCH_DIR says where it lies.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from run import SOURCE, TUTELA, once

FAILED = []
GB = float(os.environ.get("TUTELA_BENCH_GB", "4"))
CORES = len(os.sched_getaffinity(0))


def alternate(ours, peers, runs, before=None):
    """Median seconds of each command, our peak memory, after one round that warms the page cache."""
    times = {0: [], **{i: [] for i in range(1, len(peers) + 1)}}
    memory = 0
    for round_number in range(runs + 1):
        for i, command in enumerate([ours, *(p[1] for p in peers)]):
            if i == 0 and before:
                before(round_number)
            took, _, status, out = once(command, False)
            if status:
                sys.exit(f"{' '.join(command[:3])} ended with {status}: {out}")
            if round_number:
                times[i].append(took)
    if before:
        before(runs + 1)
    memory = once(ours, True)[1]
    return [statistics.median(times[i]) for i in range(len(peers) + 1)], memory


def report(name, ours, peers, seconds=None, megabytes=None, share=None, runs=7, before=None):
    """share: our throughput as a part of the first peer's, at least."""
    medians, memory = alternate(ours, peers, runs, before)
    took = medians[0]
    ok = ((seconds is None or took <= seconds) and (megabytes is None or memory <= megabytes)
          and (share is None or medians[1] / took >= share))
    limits = [f"<= {seconds} s"] if seconds else []
    limits += [f"<= {megabytes} MB"] if megabytes else []
    limits += [f">= {share * 100:.0f} % of {peers[0][0]}"] if share else []
    beside = "; ".join(f"{peer[0]} {m:.3f} s ({m / took * 100:.0f} %)" for peer, m in zip(peers, medians[1:]))
    print(f"{name:40} {took:7.3f} s {memory:6.1f} MB  {', '.join(limits):28} {'ok' if ok else 'MISSED':7}{beside}")
    sys.stdout.flush()
    if not ok:
        FAILED.append(name)


def make(where):
    for folder in ("tiny", "small", "big", "one"):
        os.mkdir(os.path.join(where, folder))
    for i in range(9):
        with open(os.path.join(where, "tiny", f"f{i}"), "wb") as f:
            f.write(b"%d\n" % i)
    for i in range(10000):
        with open(os.path.join(where, "small", f"{i:05}.bin"), "wb") as f:
            f.write(os.urandom(1024))
    block = os.urandom(1 << 20)
    parts = [os.path.join(where, "big", f"w{i}.bin") for i in range(8)]
    for i, part in enumerate(parts):
        with open(part, "wb") as f:
            for k in range(int(GB * 128)):
                f.write(block[k + i:] + block[:k + i])
    os.link(parts[0], os.path.join(where, "one", "w.bin"))
    return parts


def touch(path):
    def before(number):
        with open(path, "r+b") as f:
            f.write(b"%08d" % number)
    return before


def main():
    where = tempfile.mkdtemp(dir=os.environ.get("TUTELA_BENCH_DIR"))
    os.environ["XDG_CACHE_HOME"] = os.path.join(where, "cache")
    try:
        at = lambda *names: os.path.join(where, *names)
        loop, key = at("evp_loop"), at("k.pem")
        subprocess.run(["cc", "-O2", "-o", loop, os.path.join(SOURCE, "bench", "evp_loop.c"), "-lcrypto", "-pthread"],
                       check=True)
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out",
                        key], check=True, stderr=subprocess.DEVNULL)
        os.chmod(key, 0o600)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", at("k.pub")], check=True)
        parts = make(where)
        small = [os.path.join(at("small"), n) for n in sorted(os.listdir(at("small")))]
        sign = lambda path, *more: [TUTELA, "sign", path, "--key", key, "--quiet", *more]
        verify = lambda path: [TUTELA, "verify", path, "--key", at("k.pub"), "--quiet"]
        plain = lambda files: (f"EVP loop x{CORES}", [loop, str(CORES), *files])
        size = f"{GB * 1024 / 8:.0f} MiB"
        print(f"{'signing, on ' + str(CORES) + ' cores':40} {'time':>9} {'memory':>9}  {'target':28}         "
              "peers (our speed as a part of theirs)")
        report("sign 9 tiny files", sign(at("tiny")), [("tutela --version", [TUTELA, "--version"])], 0.010, runs=21)
        report("verify 9 tiny files", verify(at("tiny")), [], 0.010, runs=21)
        report("sign 10,000 x 1 KiB", sign(at("small")), [plain(small), ("sha256sum", ["sha256sum", *small])], 0.25, 24)
        report("verify 10,000 x 1 KiB", verify(at("small")), [plain(small)], 0.25)
        report(f"sign 8 x {size}, every byte", sign(at("big"), "--no-cache"), [plain(parts)], share=0.95)
        report(f"verify 8 x {size}", verify(at("big")), [plain(parts)], share=0.95)
        report(f"sign 1 x {size}, every byte", sign(at("one"), "--no-cache"),
               [("EVP loop x1", [loop, "1", parts[0]]), ("openssl dgst", ["openssl", "dgst", "-sha256", parts[0]]),
                ("sha256sum", ["sha256sum", parts[0]])], share=0.95, runs=3)
        once(sign(at("big")), False)
        report(f"sign 8 x {size} again, unchanged", sign(at("big")), [], 0.020)
        report(f"sign 8 x {size}, one changed", sign(at("big")), [("EVP loop over it", [loop, "1", parts[3]])],
               share=0.95, before=touch(parts[3]))
    finally:
        shutil.rmtree(where)
    if FAILED:
        print("Missed: " + ", ".join(FAILED))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
