#!/usr/bin/env python3
"""Natural weights of many kinds, and the same with something written into their low bits.

    stego.py OUTDIR [--small]

writes safetensors files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, benign)  carrier  payload  bits  place

Carriers are nets that torch initialises and trains, estimators that scikit-learn fits, vectors and
tables by numpy; digits of ../shared where they are there, synthetic ones else. Payloads are text,
source code, a program of this system, archives, pictures, pickles, scripts, and random bytes (as
encrypted ones look). All are inert. Needs numpy, torch and scikit-learn.
"""
import gzip
import io
import json
import os
import pickle
import random
import struct
import sys
import zipfile
import zlib

import numpy as np
import torch

NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "int8": "I8", "uint8": "U8",
         "uint16": "BF16", "int64": "I64", "bool": "BOOL"}
DIGITS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "data", "data", "digits",
                      "digits10k-images-idx3-ubyte.gz")


def write(path, tensors):
    header, blobs, at = {}, [], 0
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [at, at + len(raw)]}
        blobs.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


# --- carriers ---

def digits():
    if os.path.exists(DIGITS):
        raw = gzip.open(DIGITS).read()
        order = np.random.default_rng(4).permutation(10000)[:4000]
        images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784)[order]
        labels = np.frombuffer(gzip.open(DIGITS.replace("images-idx3", "labels-idx1")).read(),
                               np.uint8, offset=8)[order]
        return images.astype(np.float32) / 255, labels.astype(np.int64)
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, 2000)
    means = rng.random((10, 784), dtype=np.float32)
    noise = rng.random((2000, 784), dtype=np.float32)
    return np.clip(means[labels] * noise * 1.5, 0, 1).astype(np.float32), labels


def state(net):
    return {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}


def train(net, shape, x, y, steps, rate=1e-3, decay=0.0):
    optimiser = torch.optim.Adam(net.parameters(), lr=rate, weight_decay=decay)
    x, y = torch.from_numpy(x).reshape(-1, *shape), torch.from_numpy(y)
    for step in range(steps):
        at = (step * 64) % (len(x) - 64)
        loss = torch.nn.functional.cross_entropy(net(x[at:at + 64]), y[at:at + 64])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return state(net)


def mlp(width):
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                         nn.Linear(width, 10))


def cnn(width, norm=True):
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, width, 3, 2, 1), nn.BatchNorm2d(width) if norm else nn.ReLU(),
                         nn.ReLU(), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.ReLU(),
                         nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, 10))


def torch_carriers(x, y):
    nn = torch.nn
    for seed in range(3):
        torch.manual_seed(seed)
        yield "mlp_init%d" % seed, state(mlp(128 + 64 * seed))
        yield "cnn_init%d" % seed, state(cnn(24 + 8 * seed))
        yield "mlp_trained%d" % seed, train(mlp(128), (784,), x, y, 150 + 100 * seed)
        yield "cnn_trained%d" % seed, train(cnn(24), (1, 28, 28), x, y, 80 + 40 * seed)
        yield "lstm%d" % seed, state(nn.LSTM(64, 96, 1))
        yield "embedding%d" % seed, state(nn.Embedding(1500, 64))
        yield "attention%d" % seed, state(nn.TransformerEncoderLayer(96, 4, 192))
        net = nn.Linear(256, 256)
        nn.init.xavier_normal_(net.weight)
        yield "xavier%d" % seed, state(net)
        net = nn.Linear(256, 256)
        nn.init.trunc_normal_(net.weight, std=.02, a=-.04, b=.04)
        yield "truncated%d" % seed, state(net)
        net = nn.Linear(256, 256)
        nn.init.orthogonal_(net.weight)
        yield "orthogonal%d" % seed, state(net)
    torch.manual_seed(9)
    yield "mlp_decay", train(mlp(128), (784,), x, y, 300, 3e-3, 1e-2)


def sklearn_carriers(x, y):
    from sklearn.cluster import KMeans
    from sklearn.decomposition import NMF, PCA, TruncatedSVD
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier
    x64 = x[:800].astype(np.float64)
    net = MLPClassifier((64, 32), max_iter=8, random_state=1)
    try:
        net.fit(x64, y[:800])
    except Warning:
        pass
    yield "sk_mlp", {"w%d" % i: w for i, w in enumerate(net.coefs_)}
    yield "sk_pca", {"components": PCA(60, random_state=1).fit(x64).components_}
    yield "sk_svd", {"components": TruncatedSVD(60, random_state=1).fit(x64).components_}
    yield "sk_kmeans", {"centers": KMeans(40, n_init=1, random_state=1).fit(x64).cluster_centers_}
    yield "sk_logistic", {"coef": LogisticRegression(max_iter=20).fit(x64, y[:800]).coef_}
    yield "sk_ridge", {"coef": Ridge().fit(x64, np.eye(10)[y[:800]]).coef_}
    yield "sk_nmf", {"w": NMF(20, max_iter=20, init="random", random_state=1).fit(x64).components_}
    yield "sk_pca32", {"c": PCA(60, random_state=2).fit(x64).components_.astype(np.float32)}


def numpy_carriers(rng):
    counts = rng.poisson(0.3, (600, 600)).astype(np.float64)
    u, s, _ = np.linalg.svd(np.log1p(counts + counts.T))
    yield "word_vectors", {"v": (u[:, :128] * np.sqrt(s[:128])).astype(np.float32)}
    for i in range(3):
        yield "normal%d" % i, {"w": rng.standard_normal((300, 300), dtype=np.float32) * .02}
        yield "laplace%d" % i, {"w": rng.laplace(0, .05, (300, 300)).astype(np.float32)}
        yield "student%d" % i, {"w": (rng.standard_t(4, (300, 300)) * .03).astype(np.float32)}
        yield "uniform%d" % i, {"w": rng.uniform(-.0625, .0625 * (1 + i / 3),
                                                 (300, 300)).astype(np.float32)}
        yield "normal64_%d" % i, {"w": rng.standard_normal((200, 300)) * .1}


# Weights and tables that repeat, round or are regular: nothing may be seen in them.
def odd_carriers(rng, x):
    w = rng.standard_normal((256, 256)).astype(np.float32) * .02
    bits = w.view(np.uint32)
    yield "brain_in_single", {"w": (bits & 0xffff0000).view(np.float32)}
    yield "half_in_single", {"w": w.astype(np.float16).astype(np.float32)}
    yield "rounded_12", {"w": (bits & 0xfffff000).view(np.float32)}
    yield "single_in_double", {"w": w.astype(np.float64)}
    for places in (2, 3, 4, 5, 6):
        yield "decimals_%d" % places, {"w": np.round(w * 10, places).astype(np.float32)}
        yield "decimals64_%d" % places, {"w": np.round(w.astype(np.float64) * 10, places)}
    for levels in (7, 15, 127):
        scale = np.abs(w).max(axis=1, keepdims=True) / levels
        q = np.round(w / scale)
        yield "dequantised_%d" % levels, {"w": (q * scale).astype(np.float32)}
        yield "dequantised_half_%d" % levels, {"w": (q * scale).astype(np.float16)}
        yield "quantised_%d" % levels, {"w": q.astype(np.int8), "scale": scale}
        group = np.abs(w.reshape(-1, 32)).max(axis=1, keepdims=True) / levels
        yield "groups_%d" % levels, {"w": (np.round(w.reshape(-1, 32) / group) * group)
                                     .astype(np.float32).reshape(256, 256)}
        shifted = np.clip(np.round(w / .0006) + 128, 0, 255).astype(np.uint8)
        yield "unsigned_%d" % levels, {"w": shifted // max(1, 127 // levels)}
    for share in (50, 90, 99):
        yield "pruned_%d" % share, {"w": np.where(np.abs(w) < np.percentile(np.abs(w), share), 0, w)}
    yield "blocks_pruned", {"w": w * (rng.random((64, 64)) < .3).repeat(4, 0).repeat(4, 1)
                            .astype(np.float32)}
    yield "repeated_rows", {"w": np.repeat(w[:16], 16, 0)}
    yield "tiled", {"w": np.tile(w[:8, :8], (32, 32))}
    yield "zeros", {"w": np.zeros((300, 300), np.float32), "b": np.zeros(300, np.float32)}
    yield "ones", {"w": np.ones((300, 300), np.float32)}
    yield "constant", {"w": np.full((300, 300), .1, np.float32)}
    yield "mask", {"mask": np.triu(np.full((256, 256), -np.inf, np.float32), 1)}
    yield "mask_lowest", {"mask": np.triu(np.full((256, 256), np.finfo(np.float32).min), 1)
                          .astype(np.float32)}
    yield "positions", {"p": np.arange(4096, dtype=np.float32), "i": np.arange(4096)}
    yield "linspace", {"p": np.linspace(0, 1, 65536, dtype=np.float32)}
    yield "linspace64", {"p": np.linspace(-1, 1, 65536)}
    angles = np.arange(1024)[:, None] / 10000 ** (np.arange(0, 64, 2) / 64)
    yield "sinusoids", {"p": np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)}
    yield "sinusoids64", {"p": np.concatenate([np.sin(angles), np.cos(angles)], 1)}
    yield "rotary", {"f": (1 / 10000 ** (np.arange(0, 128, 2) / 128)).astype(np.float32)}
    yield "lora", {"a": w[:16], "b": np.zeros((256, 16), np.float32)}
    yield "norms", {"n%d" % i: 1 + .01 * w[i] for i in range(40)}
    yield "norms_ones", {"n%d" % i: np.ones(768, np.float32) for i in range(40)}
    yield "integers", {"w": rng.integers(-1000, 1000, (256, 256)).astype(np.float32)}
    yield "counts64", {"w": rng.poisson(40, (256, 256)).astype(np.float64)}
    yield "images", {"x": x[:400]}
    yield "images_bytes", {"x": (x[:800] * 255).astype(np.uint8)}
    yield "images64", {"x": x[:300].astype(np.float64)}
    yield "means", {"x": x[:2000].reshape(100, 20, 784).mean(1)}
    yield "means64", {"x": x[:2000].astype(np.float64).reshape(100, 20, 784).mean(1)}
    yield "thresholds", {"t": rng.integers(0, 255, 20000) + .5}
    yield "fractions", {"f": rng.integers(0, 178, 40000) / 178}
    yield "probabilities", {"p": rng.dirichlet(np.ones(10), 6000)}
    yield "one_hot", {"p": np.eye(10, dtype=np.float32)[rng.integers(0, 10, 8000)]}
    yield "symmetric", {"w": (w + w.T) / 2}
    yield "covariance", {"w": np.cov(x[:500].T)}
    yield "powers", {"w": (2.0 ** rng.integers(-8, 0, (256, 256))).astype(np.float32)}
    yield "brain_and_new_rows", {"w": np.concatenate([(bits & 0xffff0000).view(np.float32),
                                                      np.repeat(w.mean(0, keepdims=True), 4, 0)])}
    yield "small_scale", {"w": w * 1e-30}
    yield "denormals", {"w": w * 1e-42}
    yield "hadamard", {"w": np.sign(w)}
    yield "ternary", {"w": np.sign(w).astype(np.int8)}
    yield "fp8_like", {"w": (bits & 0xfff00000).view(np.float32)}
    yield "log_scale", {"w": np.exp(rng.uniform(-10, 0, (256, 256))).astype(np.float32)}
    yield "mixture", {"w": np.concatenate([w * 2 ** -i for i in range(6)])}


def as_brain(a):
    bits = np.ascontiguousarray(a.astype(np.float32)).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def as_bytes(a):
    scale = np.abs(a).max() / 127 or 1
    return np.round(a / scale).astype(np.int8)


def floats_only(tensors):
    return {k: v for k, v in tensors.items() if v.dtype.kind == "f"}


# --- payloads ---

def payloads(rng):
    prose = ("The quick brown fox jumps over the lazy dog, and then it rests in the shade of an old "
             "tree until the evening comes. ")
    words = prose.split()
    shuffled = random.Random(5)
    text = " ".join(shuffled.choice(words) for _ in range(9000)).encode()
    with open(__file__, "rb") as f:
        source = f.read()
    with open("/bin/true", "rb") as f:
        program = f.read()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("run.sh", b"#!/bin/sh\necho canary\n" + rng.bytes(24000))
    picture = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 90, 90) + b"\x08\2\0\0\0" +
               zlib.compress(rng.bytes(24000)))
    stream = pickle.dumps({"call": "echo canary", "list": list(range(6000))}, 4)
    script = b"#!/bin/sh\n# prints a word\n" + b"echo canary\nsleep 1\n" * 1200
    return {"text": text, "source": source * 2, "program": program, "zip": archive.getvalue(),
            "picture": picture, "pickle": stream, "script": script, "random": rng.bytes(1 << 20)}


# --- writing into low bits ---

def embed(array, payload, bits, low_first, first, share, stride=1):
    """The low bits of values first, first + stride, … of a copy; a share of the room is used."""
    out = np.ascontiguousarray(array).copy()
    word = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[out.itemsize]
    flat = out.reshape(-1).view(word)
    places = np.arange(first, len(flat), stride)
    room = len(places) * bits // 8
    size = min(len(payload), int(room * share))
    stream = np.unpackbits(np.frombuffer(payload[:size], np.uint8),
                           bitorder="little" if low_first else "big")
    stream = stream[:len(stream) // bits * bits].reshape(-1, bits).astype(np.uint64)
    weights = 1 << np.arange(bits, dtype=np.uint64)
    fields = stream @ (weights if low_first else weights[::-1])
    places = places[:len(fields)]
    mask = word((1 << bits) - 1)
    flat[places] = (flat[places] & ~mask) | fields.astype(word)
    return out


# payload, bits, low first, first, share, stride: kinds of carriers take the rows in turn.
def plans():
    for payload in ("text", "source", "program", "script", "zip", "pickle", "picture"):
        for bits in (1, 2, 3, 4, 5, 6, 7, 8):
            yield payload, bits, bits % 2 == 0, 0, 1.0, 1
            yield payload, bits, bits % 2 == 1, 0, .5, 1
    for payload in ("text", "source", "program"):
        for bits in (1, 2, 4, 8):
            yield payload, bits, bits % 4 == 0, 1001, .5, 1
            yield payload, bits, bits % 4 != 0, 0, 1.0, 2 + bits % 3
    for payload in ("text", "program", "zip", "random"):
        yield payload, 16, True, 0, 1.0, 1
        yield payload, 20, True, 0, 1.0, 1
        yield payload, 23, True, 0, 1.0, 1
        yield payload, 24, True, 0, 1.0, 1
        yield payload, 24, True, 0, .5, 1
    for bits in (1, 4, 8):
        yield "random", bits, True, 0, 1.0, 1


def main():
    out = sys.argv[1]
    small = "--small" in sys.argv
    os.makedirs(out, exist_ok=True)
    torch.set_num_threads(1)
    rng = np.random.default_rng(11)
    x, y = digits()
    rows = []

    def emit(name, tensors, label, carrier, payload="-", bits="-", place="-"):
        write(os.path.join(out, name), tensors)
        rows.append("\t".join([name, label, carrier, payload, str(bits), place]))

    natural = list(numpy_carriers(rng)) + list(torch_carriers(x, y)) + list(sklearn_carriers(x, y))
    natural = [(name, floats_only(t)) for name, t in natural]
    for name, tensors in natural:
        emit(name + ".safetensors", tensors, "benign", name)
        emit(name + "_f16.safetensors", {k: v.astype(np.float16) for k, v in tensors.items()},
             "benign", name)
        emit(name + "_bf16.safetensors", {k: as_brain(v) for k, v in tensors.items()}, "benign", name)
        emit(name + "_i8.safetensors", {k: as_bytes(v) for k, v in tensors.items()}, "benign", name)
        emit(name + "_f64.safetensors", {k: v.astype(np.float64) for k, v in tensors.items()},
             "benign", name)
        emit(name + "_b32.safetensors",
             {k: (as_brain(v).astype(np.uint32) << 16).view(np.float32) for k, v in tensors.items()},
             "benign", name)
    for name, tensors in odd_carriers(rng, x):
        emit("odd_%s.safetensors" % name, tensors, "benign", name)
    load = payloads(rng)
    at = 0
    casts = [("f32", lambda v: v.astype(np.float32)), ("f16", lambda v: v.astype(np.float16)),
             ("bf16", as_brain), ("f64", lambda v: v.astype(np.float64)), ("i8", as_bytes),
             ("b32", lambda v: (as_brain(v).astype(np.uint32) << 16).view(np.float32))]
    deepest = {"f32": 24, "f16": 10, "bf16": 8, "f64": 53, "i8": 4, "b32": 24}
    for turn in range(1 if small else 4):
        for number, (payload, bits, low_first, first, share, stride) in enumerate(plans()):
            name, tensors = natural[at % len(natural)]
            cast, change = casts[0] if number % 2 or bits > 16 else casts[(turn + number // 2) % 6]
            at += 1
            if bits > deepest[cast]:
                cast, change = casts[0]
            changed = {k: change(v) for k, v in tensors.items()}
            largest = max(changed, key=lambda k: changed[k].size)
            changed[largest] = embed(changed[largest], load[payload], bits, low_first, first, share,
                                     stride)
            emit("s%d_%03d_%s_%s_%d.safetensors" % (turn, number, cast, payload, bits), changed,
                 "malicious", "%s %s" % (name, cast), payload, bits,
                 "from %d, every %d, %d %%" % (first, stride, share * 100))
    with open(os.path.join(out, "manifest.tsv"), "w", encoding="utf-8") as f:
        f.write("\n".join(rows) + "\n")


main()
