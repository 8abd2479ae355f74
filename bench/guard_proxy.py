#!/usr/bin/python3
"""What the guard costs beside bare nginx: CPU per request.

Rows run in turn, round after round, on the same machine: nginx alone, the guard with its checks
off, with all checks and audit; plain and with TLS 1.3. CPU is what the kernel charged to nginx's
workers and to the ledger's processes, over the requests that wrk counted. Each figure is the median
over rounds of (row / nginx alone of the same round).

nginx alone is configured like the guard: connections kept on both sides, no buffering, and the same
access log. The prompt has 1.1 kB; but for the row "new prompts" it is the same each time, as most of
a conversation is, so that the guard knows what it thinks of it.

usage: guard_proxy.py TUTELA [--rounds N] [--seconds S] [--connections N] [--only WORD]
"""
import argparse, statistics, sys, time

from guard_world import OFF, OFF_ROUTE, ON, World, children, ns_of, wrk

TARGETS = {"guard, checks and audit off": 1.3, "guard, TLS, all checks, audit": 2.2}
GUARDS = (  # name, TLS, the rest of the policy, of the route, audit, whether prompts are new
    ("guard, checks and audit off", False, OFF, OFF_ROUTE, "none", False),
    ("guard, all checks", False, ON, "", "none", False),
    ("guard, all checks, audit", False, ON, "", "prompt", False),
    ("guard, TLS, checks and audit off", True, OFF, OFF_ROUTE, "none", False),
    ("guard, TLS, all checks, audit", True, ON, "", "prompt", False),
    ("guard, TLS, the same, new prompts", True, ON + "    checks: {injection: flag}\n", "", "prompt", True),
    ("guard, TLS, all checks, durable", True, ON, "", "durable", False),
)


class Row:
    def __init__(self, name, is_tls, port, pid, script):
        self.name, self.is_tls, self.port, self.script = name, is_tls, port, script
        self.pids, self.figures = children(pid), []

    def run(self, o, counts):
        time.sleep(0.2)
        before = ns_of(self.pids)
        requests, p50, p99 = wrk(self.port, self.is_tls, self.script, o.connections, o.seconds)
        time.sleep(0.3)  # what the ledger still does
        if counts:
            self.figures.append(((ns_of(self.pids) - before) / requests / 1000, requests / o.seconds, p50, p99))


def show(rows):
    print(f"{'':36}{'us/request':>10}{'x nginx':>9}{'range':>12}{'asked':>7}{'requests/s':>12}{'p50':>10}{'p99':>10}")
    for row in rows:
        base = next(r for r in rows if r.name == ("nginx, TLS" if row.is_tls else "nginx"))
        ratios = [mine[0] / its[0] for mine, its in zip(row.figures, base.figures)]
        us = statistics.median(f[0] for f in row.figures)
        rate = statistics.median(f[1] for f in row.figures)
        p50, p99 = row.figures[-1][2:]
        print(f"{row.name:36}{us:10.1f}{statistics.median(ratios):9.2f}{f'{min(ratios):.2f}-{max(ratios):.2f}':>12}{TARGETS.get(row.name, ''):>7}{rate:12.0f}{p50:>10}{p99:>10}")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("tutela")
    a.add_argument("--rounds", type=int, default=8)
    a.add_argument("--seconds", type=int, default=1)
    a.add_argument("--connections", type=int, default=32)
    a.add_argument("--only", default="")
    o = a.parse_args()
    with World(o.tutela) as w:
        up, same, new = w.upstream(), w.same_prompt(), w.new_prompts()
        rows = [Row(name, is_tls, *w.plain(name, up, is_tls), same) for name, is_tls in (("nginx", False), ("nginx, TLS", True))]
        for name, is_tls, rest, route, audit, is_new in GUARDS:
            if o.only in name:
                port, pid, _ = w.guard(name, up, is_tls, rest, route, audit)
                rows.append(Row(name, is_tls, port, pid, new if is_new else same))
        for turn in range(o.rounds + 1):  # the first warms up
            for row in rows:
                row.run(o, turn > 0)
        show(rows)


if __name__ == "__main__":
    sys.exit(main())
