#!/usr/bin/python3
"""Whether the guard's memory stays flat: so many requests with all checks and audit, and how much its
workers and the ledger's processes hold on the way (resident, MiB).

usage: guard_soak.py TUTELA [--requests N] [--connections N]
"""
import argparse, os, pathlib, sys, time

from guard_world import ON, World, children, wrk

SHOWN = (0.01, 0.1, 0.25, 0.5, 0.75, 1)


def resident(pids):
    return sum(int(pathlib.Path(f"/proc/{p}/statm").read_text().split()[1]) for p in pids) * os.sysconf("SC_PAGE_SIZE") / 2**20


def is_worker(pid):
    return "nginx: worker" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()


def main():
    a = argparse.ArgumentParser()
    a.add_argument("tutela")
    a.add_argument("--requests", type=int, default=10_000_000)
    a.add_argument("--connections", type=int, default=64)
    a.add_argument("--seconds", type=int, default=5, help="of one run of wrk")
    o = a.parse_args()
    with World(o.tutela) as w:
        up, script = w.upstream(), w.new_prompts()
        port, pid, _ = w.guard("soak", up, False, ON + "    checks: {injection: flag}\n", "", "prompt")
        workers = [p for p in children(pid) if is_worker(p)]
        others = [p for p in children(pid) if p not in workers]
        done, shown, begun = 0, 0, time.time()
        print(f"{'requests':>12}{'workers MiB':>13}{'ledger and the rest MiB':>25}{'s':>8}")
        while shown < len(SHOWN):
            done += wrk(port, False, script, o.connections, o.seconds)[0]
            at = done / o.requests
            if at >= SHOWN[shown]:
                print(f"{done:12,}{resident(workers):13.1f}{resident(others):25.1f}{time.time() - begun:8.0f}", flush=True)
                while shown < len(SHOWN) and at >= SHOWN[shown]:
                    shown += 1
        if [p for p in children(pid) if is_worker(p)] != workers:
            sys.exit("a worker died on the way")


if __name__ == "__main__":
    sys.exit(main())
