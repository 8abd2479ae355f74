#!/usr/bin/python3
"""10,000 queries of one row each at concurrency 32, over HTTP, against the least server that there can be: who is the limit?

First the server does nothing but answer: the floor of both sides, in processor time a query. Then it works 0.5 and 1 ms for each, as a
small model does: it must never have to wait for us: time that it spends with nothing to do, from the first query to the last.

usage: probe_http.py BUILD-FOLDER
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1])
QUERIES, WIDTH, CONCURRENCY = 10000, 64, 32
failed = []


def run(folder, work_us):
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    server = subprocess.Popen([BUILD / "bench/bench_probe_http_server", port_file, str(work_us)], stdout=subprocess.PIPE, text=True)
    while not (port_file.exists() and port_file.read_text().endswith("\n")):
        time.sleep(0.01)
    url = f"http://127.0.0.1:{int(port_file.read_text())}/v2/models/m/infer"
    out = subprocess.run([BUILD / "tests/tut_probetool", "predict", url, f"data={folder / 'rows.csv'}", "batch=1", f"concurrency={CONCURRENCY}"],
                         capture_output=True, text=True, check=True).stdout
    server.send_signal(signal.SIGTERM)
    theirs = json.loads(server.communicate()[0])
    ours = json.loads(out)
    assert ours["status"] == "OK" and ours["failed"] == 0 and theirs["served"] == ours["queries"] + 1, (ours["status"], ours["problem"], theirs)
    return ours["ms"] / 1000, ours["cpu_asking"], theirs["cpu"], theirs["waited"] / theirs["all"]


def main():
    print(f"{QUERIES:,} queries of {WIDTH} numbers over HTTP, {CONCURRENCY} at a time, {os.cpu_count()} processors\n")
    print(f"{'server works':14}{'queries/s':>12}{'ours, a query':>16}{'server, a query':>18}{'it has work':>14}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "rows.csv", "w") as f:
            f.write(",".join(f"c{k}" for k in range(WIDTH)) + "\n")
            for i in range(QUERIES):
                f.write(",".join(f"{(i * 31 + k * 17) % 1000 / 1000:.3f}" for k in range(WIDTH)) + "\n")
        for work_us in (0, 500, 1000):
            wall, ours, theirs, waited = min((run(folder, work_us) for _ in range(3)), key=lambda r: r[0])
            busy = 1 - waited
            print(f"{work_us / 1000:.1f} ms{'':8}{QUERIES / wall:>12,.0f}{ours / QUERIES * 1e6:>13.1f} us{theirs / QUERIES * 1e6:>15.1f} us{busy:>13.0%}")
            if work_us and busy < 0.9:
                failed.append(work_us)
    if failed:
        print("\nFAILED: the server waits for us")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
