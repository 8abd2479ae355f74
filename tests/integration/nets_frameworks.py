"""White-box evasion beside a restatement with torch: a small convolutional net on real digits, trained here; PGD and APGD must
agree within the interval that is reported. Gradients too. Skipped without torch, numpy and ../shared."""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = os.environ["TUTELA_SOURCE"], os.environ["TUTELA_BUILD"]
DIGITS = os.path.join(SOURCE, "../shared/data/data/digits")
sys.path.insert(0, os.path.join(SOURCE, "bench"))
sys.dont_write_bytecode = True
try:
    import numpy as np
    import torch
    from probe_evade_torch import export, pgd, slope, train
except ImportError:
    print("skipped: python3-torch is not installed")
    sys.exit(77)
if not os.path.isdir(DIGITS):
    print("skipped: ../shared is not beside this checkout")
    sys.exit(77)

failures = 0
ROWS = 250


def check(is_so, what):
    global failures
    print("%s %s" % ("ok  " if is_so else "FAIL", what))
    failures += not is_so


def idx(name, head):
    with gzip.open(os.path.join(DIGITS, name)) as f:
        return np.frombuffer(f.read(), np.uint8, offset=head)


def apgd(net, x, y, size, steps=100):
    """Algorithm 1 of Croce and Hein 2020 on cross entropy, in the maximum norm."""
    keep = lambda z: torch.max(torch.min(z, x + size), x - size).clamp(0, 1)
    marks, share, more = [], 0.0, 0.22
    while share < 1:
        share += more if not marks else max(more - 0.03, 0.06)
        more = more if not marks else max(more - 0.03, 0.06)
        marks.append(int(np.ceil(share * steps)))
    at = keep(x + size * (2 * torch.rand_like(x) - 1))
    g, loss, wrong = slope(net, at, y)
    before, best, best_g, best_loss = at.clone(), at.clone(), g.clone(), loss.clone()
    step = torch.full((len(x), 1, 1, 1), 2 * size)
    step_then, best_then, rises, last = step.clone(), best_loss.clone(), torch.zeros(len(x)), 0
    for k in range(steps):
        z = keep(at + step * g.sign())
        a = 1 if k == 0 else 0.75
        at, before = keep(at + a * (z - at) + (1 - a) * (at - before)), at
        g, now, w = slope(net, at, y)
        wrong |= w
        rises += (now > loss).float()
        loss = now
        up = loss > best_loss
        best[up], best_g[up], best_loss[up] = at[up], g[up], loss[up]
        if k + 1 in marks:
            halve = (rises < 0.75 * (k + 1 - last)) | ((step_then == step).flatten() & (best_then >= best_loss))
            step_then, best_then = step.clone(), best_loss.clone()
            step[halve] /= 2
            at[halve], g[halve] = best[halve], best_g[halve]
            rises, last = torch.zeros(len(x)), k + 1
    return wrong


def main(work):
    pixels = idx("digits10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).astype("f4") / 255
    labels = idx("digits10k-labels-idx1-ubyte.gz", 8).astype("i8")
    order = np.random.default_rng(1).permutation(len(labels))
    pixels, labels = pixels[order], labels[order]
    net = train(torch.tensor(pixels[ROWS:5000]), torch.tensor(labels[ROWS:5000]))
    x, y = torch.tensor(pixels[:ROWS]), torch.tensor(labels[:ROWS])
    model, rows = os.path.join(work, "cnn.onnx"), os.path.join(work, "rows")
    export(net, x, model)
    with open(rows, "wb") as f:
        np.array([ROWS, 784, 10], "<u4").tofile(f)
        pixels[:ROWS].astype("<f4").tofile(f)
        labels[:ROWS].astype("<u4").tofile(f)

    def ours(attack, *wishes):
        r = subprocess.run([os.path.join(BUILD, "bench/bench_probe_evade"), model, rows, attack, "low=0", "high=1", *wishes],
                           capture_output=True, text=True)
        if r.returncode:
            sys.exit(r.stderr)
        return json.loads(r.stdout)

    raw, out = os.path.join(work, "raw"), os.path.join(work, "out")
    # Noise, because flat paper makes ties in the pools, and which of equals wins is rounding's to say.
    noisy = (0.5 * (pixels[:100] + np.random.default_rng(1).random(pixels[:100].shape))).astype("<f4")
    noisy.tofile(raw)
    subprocess.run([os.path.join(BUILD, "tests/tut_net_run"), "--gradient", model, raw, out], check=True)
    point = torch.from_numpy(noisy).reshape(x[:100].shape).requires_grad_(True)
    weights = torch.arange(1, 11, dtype=torch.float32)
    theirs = torch.autograd.grad((net(point) * weights).sum(), point)[0].numpy().ravel()
    gap = np.abs(np.fromfile(out, "<f4") - theirs).max()
    check(gap < 1e-4 * np.abs(theirs).max(), "gradients agree with torch: greatest difference %.2g" % gap)

    clean = (net(x).argmax(1) == y).float().mean().item()
    check(clean > 0.9, "the net has learnt")
    for size in (0.1,):
        for name, attack in (("pgd", pgd), ("apgd-ce", apgd)):
            torch.manual_seed(1)
            theirs = 1 - attack(net, x, y, size).float().mean().item()
            r = ours(name, "size=%g" % size)
            check(r["low"] <= theirs <= r["high"], "%s %g: torch %.3f, ours %.3f in [%.3f, %.3f], clean %.3f, %.2f s"
                  % (name, size, theirs, r["value"], r["low"], r["high"], clean, r["seconds"]))
            check(abs(r["clean_accuracy"] - clean) < 1e-6, "clean accuracy is the same")
    r = ours("apgd-dlr", "size=0.1")
    check(r["value"] < clean, "apgd-dlr 0.1: %.3f, %.2f s" % (r["value"], r["seconds"]))


if __name__ == "__main__":
    folder = tempfile.mkdtemp()
    try:
        main(folder)
    finally:
        shutil.rmtree(folder)
    sys.exit(failures > 0)
