"""Timing of whole processes, for the scripts of this folder: median of several runs, and the peak memory of
a command and its workers together (their high-water marks, added)."""
import os
import statistics
import subprocess
import sys
import threading
import time

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
    ok = (took <= seconds and (megabytes is None or memory <= megabytes) and wanted in (None, status)
          and (must_find is None or must_find in out))
    beside = f"{floor_took / took:8.1f} x {floor_name} ({floor_took:.3f} s)" if floor else ""
    limit = f"<= {seconds} s" + (f", {megabytes} MB" if megabytes else "")
    print(f"{name:44} {took:7.3f} s {memory:6.1f} MB  {limit:16} {'ok' if ok else 'MISSED':7}{beside}")
    sys.stdout.flush()
    if not ok:
        FAILED.append(name)


def python(code, *args):
    return ["/usr/bin/python3", "-c", code, *args]
