"""Digits, a small network that knows them, and attacks on it: for bench/probe_evade.py and for
tests/integration/evasion_frameworks.py. Needs scikit-learn and onnx."""
import json
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier


def digits():
    """Rows from 0 to 1 of 8 x 8, labels: 1,000 to learn from, 797 to attack."""
    rows, labels = load_digits(return_X_y=True)
    rows = (rows / 16).astype("f4")
    order = np.random.default_rng(3).permutation(len(rows))
    rows, labels = rows[order], labels[order].astype("u4")
    return (rows[:1000], labels[:1000]), (rows[1000:], labels[1000:])


def learn(rows, labels, seed=0, hidden=64):
    return MLPClassifier((hidden,), max_iter=300, random_state=seed).fit(rows, labels)


def write_onnx(path, model):
    """Gemm, Relu, Gemm, Softmax."""
    tensors = [numpy_helper.from_array(np.ascontiguousarray(t, "f4"), n) for n, t in
               (("w0", model.coefs_[0]), ("b0", model.intercepts_[0]),
                ("w1", model.coefs_[1]), ("b1", model.intercepts_[1]))]
    width, classes = model.coefs_[0].shape[0], model.coefs_[1].shape[1]
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w0", "b0"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
         helper.make_node("Gemm", ["r", "w1", "b1"], ["s"]), helper.make_node("Softmax", ["s"], ["p"], axis=1)],
        "digits", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["rows", classes])], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    onnx.save(made, path)


def write_rows(path, rows, labels, classes):
    with open(path, "wb") as f:
        np.array([len(rows), rows.shape[1], classes], "<u4").tofile(f)
        np.ascontiguousarray(rows, "<f4").tofile(f)
        np.ascontiguousarray(labels, "<u4").tofile(f)


def attack(program, model, rows, name, **wishes):
    r = subprocess.run([program, model, rows, name] + ["%s=%s" % w for w in wishes.items()],
                       capture_output=True, text=True)
    if r.returncode:
        raise SystemExit(r.stderr)
    return json.loads(r.stdout)


def margins(model, x, y):
    """Scores of the label less the greatest other, in double precision."""
    h = np.maximum(x @ model.coefs_[0] + model.intercepts_[0], 0)
    s = h @ model.coefs_[1] + model.intercepts_[1]
    own = s[np.arange(len(y)), y].copy()
    s[np.arange(len(y)), y] = -np.inf
    return own - s.max(1)


def share_at(query, budget):
    at, share = query / budget * 10000, 0.8
    for end in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000):
        share /= 2 if at > end else 1
    return share


def square_linf(model, rows, labels, size, queries, seed=0, side=8):
    """Square attack of Andriushchenko et al. 2020, restated over numpy: which rows stay right."""
    draw = np.random.default_rng(seed)
    live = np.flatnonzero(margins(model, rows, labels) > 0)
    held = np.zeros(len(rows), bool)
    x, y = rows[live].astype(float), labels[live]
    low, high = np.maximum(x - size, 0), np.minimum(x + size, 1)

    def signs(shape):
        return size * draw.choice((-1.0, 1.0), shape)

    best = np.clip(x + np.repeat(signs((len(x), 1, side)), side, 1).reshape(len(x), -1), low, high)
    least = margins(model, best, y)
    for query in range(2, queries + 1):
        go = np.flatnonzero(least > 0)
        if len(go) == 0:
            break
        n = max(int(round(np.sqrt(share_at(query, queries) * side * side))), 1)
        n = min(n, side)
        cells = np.arange(side)
        top = draw.integers(0, side - n + 1, len(go))[:, None]
        left = draw.integers(0, side - n + 1, len(go))[:, None]
        inside = ((cells >= top) & (cells < top + n))[:, :, None] & ((cells >= left) & (cells < left + n))[:, None, :]
        step = signs((len(go), 1))
        next_ = np.where(inside.reshape(len(go), -1), x[go] + step, best[go])
        next_ = np.clip(next_, low[go], high[go])
        margin = margins(model, next_, y[go])
        better = margin < least[go]
        best[go[better]] = next_[better]
        least[go[better]] = margin[better]
    held[live[least > 0]] = True
    return held
