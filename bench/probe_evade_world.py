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


def learn(rows, labels, steps=300):
    return MLPClassifier((64,), max_iter=steps, random_state=0).fit(rows, labels)


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


def pyramid(tall, wide):
    """eta of the paper: rings around the middle, each lighter by 1/k^2; of length 1."""
    y, x = np.mgrid[:tall, :wide]
    ring = np.maximum(abs(y - tall // 2), abs(x - wide // 2))
    most = max(tall // 2, wide // 2) + 1
    v = np.array([sum(1 / (k + 1) ** 2 for k in range(r, most)) for r in range(most + 1)])[ring]
    return v / np.sqrt((v ** 2).sum())


def profile(n, draw):
    v = np.vstack([pyramid(n // 2, n), -pyramid(n - n // 2, n)]) if n > 1 else np.ones((1, 1))
    v = v / np.sqrt((v ** 2).sum())
    return v.T if draw.random() > 0.5 else v


def square_l2(model, rows, labels, size, queries, seed=0, side=8):
    """The same for L2, a row at a time."""
    draw = np.random.default_rng(seed)
    held = np.zeros(len(rows), bool)
    for i in np.flatnonzero(margins(model, rows, labels) > 0):
        x, y = rows[i].astype(float), labels[i:i + 1]

        def place(delta):
            d = delta.reshape(-1)
            return np.clip(x + d * (size / max(np.sqrt((d ** 2).sum()), 1e-12)), 0, 1)

        s = max(side // 5, 1)
        delta = np.zeros((side, side))
        for top in range(0, side - s + 1, s):
            for left in range(0, side - s + 1, s):
                delta[top:top + s, left:left + s] = profile(s, draw) * draw.choice((-1, 1))
        best = place(delta)
        least = margins(model, best[None], y)[0]
        for query in range(2, queries + 1):
            if least <= 0:
                break
            delta = (best - x).reshape(side, side)
            n = max(int(round(np.sqrt(share_at(query, queries) * side * side))), 3 if side >= 9 else 1)
            n = min(n + (n % 2 == 0), side)
            a, b = draw.integers(0, side - n + 1, 2), draw.integers(0, side - n + 1, 2)
            in_a, in_b = np.zeros((side, side), bool), np.zeros((side, side), bool)
            in_a[a[0]:a[0] + n, a[1]:a[1] + n] = True
            in_b[b[0]:b[0] + n, b[1]:b[1] + n] = True
            mass = (delta[in_a | in_b] ** 2).sum() + max(size ** 2 - (delta ** 2).sum(), 0)
            old = delta[in_a] / (1e-12 + np.sqrt((delta[in_a] ** 2).sum()))
            new = (profile(n, draw) * draw.choice((-1, 1))).reshape(-1) + old
            delta[in_b] = 0
            delta[in_a] = new / (1e-12 + np.sqrt((new ** 2).sum())) * np.sqrt(mass)
            next_ = place(delta)
            margin = margins(model, next_[None], y)[0]
            if margin < least:
                best, least = next_, margin
        held[i] = least > 0
    return held


def broken_by_gradients(model, rows, labels, size, norm):
    """Descent towards each other class in turn: which rows can be turned at all, nearly exactly."""
    w0, w1 = model.coefs_
    broken = np.zeros(len(rows), bool)
    for target in range(w1.shape[1]):
        for start in range(2):
            delta = np.random.default_rng(start).uniform(-size, size, rows.shape) * (norm == "linf" or 0.1)
            for i in range(60):
                z = np.clip(rows + delta, 0, 1)
                h = z @ w0 + model.intercepts_[0]
                s = np.maximum(h, 0) @ w1 + model.intercepts_[1]
                broken |= s.argmax(1) != labels
                g = ((w1[:, [target] * len(rows)] - w1[:, labels]).T * (h > 0)) @ w0.T
                rate = 0.25 * size * (1 - i / 60)
                if norm == "linf":
                    delta = np.clip(z - rows + rate * np.sign(g), -size, size)
                else:
                    delta = z - rows + rate * g / np.sqrt((g ** 2).sum(1, keepdims=True) + 1e-30)
                    delta *= np.minimum(1, size / np.sqrt((delta ** 2).sum(1, keepdims=True) + 1e-30))
    return broken
