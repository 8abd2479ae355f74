"""Membership on scikit-learn's digits: writes them as text and runs bench_probe_member.

    /usr/bin/python3 bench/probe_member.py build/dev/bench/bench_probe_member [MODELS [RECIPE [SEED]]]
"""
import subprocess
import sys
import tempfile

from sklearn.datasets import load_digits

pixels, labels = load_digits(return_X_y=True)
with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
    for row, label in zip(pixels, labels):
        f.write(" ".join(f"{v:g}" for v in row) + f" {label}\n")
    f.flush()
    sys.exit(subprocess.run([sys.argv[1], f.name, *sys.argv[2:]], check=False).returncode)
