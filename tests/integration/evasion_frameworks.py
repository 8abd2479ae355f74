"""Square beside a restatement in numpy, and what the attacks find beside gradients, on digits."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["TUTELA_SOURCE"], "bench"))
try:
    import numpy as np
    import probe_evade_world as world
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)

PROGRAM = os.environ["TUT_EVADE_PROBE"]
IMAGE = {"channels": 1, "tall": 8, "wide": 8, "low": 0, "high": 1}
failures = 0


def check(is_so, what):
    global failures
    print("%s %s" % ("ok  " if is_so else "FAIL", what))
    failures += not is_so


def within(ours, held):
    """Their share lies in our interval, and most rows end alike."""
    kept = np.array([c == "1" for c in ours["kept"]])
    return ours["low"] <= held.mean() <= ours["high"] and (kept == held).mean() > 0.9


def main():
    (rows, labels), (others, truth) = world.digits()
    model = world.learn(rows, labels)
    others, truth = others[:300], truth[:300]
    with tempfile.TemporaryDirectory() as work:
        net, table = os.path.join(work, "m.onnx"), os.path.join(work, "rows")
        world.write_onnx(net, model)
        world.write_rows(table, others, truth, 10)

        def attack(name, **wishes):
            return world.attack(PROGRAM, net, table, name, **{**IMAGE, **wishes})
        for size in (0.05, 0.1):
            ours = attack("square", norm="linf", size=size, queries=1000)
            theirs = world.square_linf(model, others, truth, size, 1000)
            check(within(ours, theirs), "square linf %g: %.3f, numpy %.3f" % (size, ours["value"], theirs.mean()))
        ours = attack("square", norm="l2", size=0.5, queries=500)
        theirs = world.square_l2(model, others, truth, 0.5, 500)
        check(within(ours, theirs), "square l2 0.5: %.3f, numpy %.3f" % (ours["value"], theirs.mean()))
        check(abs(ours["clean_accuracy"] - model.score(others, truth)) < 1e-5, "clean accuracy as scikit-learn has it")
        for norm, size in (("linf", 0.1), ("l2", 0.5)):
            broken = world.broken_by_gradients(model, others.astype(float), truth, size, norm)
            for name in ("square", "simba-pixel", "simba-dct", "hopskipjump", "boundary"):
                ours = attack(name, norm=norm, size=size, queries=2000)
                turned = np.array([c == "0" for c in ours["kept"]])
                check((turned & ~broken).sum() <= 2, "%s %s: what it turned (%d), gradients turn too (%d)"
                      % (name, norm, turned.sum(), broken.sum()))
                check(turned.sum() > 0.5 * broken.sum(), "%s %s: finds more than half of it" % (name, norm))
        noise = 0.3 * np.random.default_rng(0).choice((-1, 1), (8 * len(rows), 64))
        noisy = np.clip(np.vstack([rows] * 8) + noise, 0, 1)
        hardened = world.learn(noisy, np.tile(labels, 8), steps=60)
        soft = attack("square", norm="linf", size=0.1, queries=1000)
        world.write_onnx(net, hardened)
        hard = attack("square", norm="linf", size=0.1, queries=1000)
        check(hard["low"] > soft["value"], "trained with noise it is more robust: %.3f, without %.3f"
              % (hard["value"], soft["value"]))
    sys.exit(failures > 0)


main()
