"""Neighbours, logistic regression, the confident joint and doubts of labels, beside scikit-learn."""
import os
import subprocess
import sys
import tempfile

PROBE = os.environ["TUT_POISON_PROBE"]
try:
    import numpy as np
    from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestNeighbors
except ImportError:
    print("skipped: python3-sklearn is not installed")
    sys.exit(77)

failures = 0


def check(is_so, what):
    global failures
    print("%s %s" % ("ok  " if is_so else "FAIL", what))
    failures += not is_so


def probe(command, rows, labels, classes, *arguments):
    with tempfile.NamedTemporaryFile() as f:
        np.array([len(rows), rows.shape[1], classes], "<u4").tofile(f.file)
        np.ascontiguousarray(rows, "<f4").tofile(f.file)
        np.ascontiguousarray(labels, "<u4").tofile(f.file)
        f.file.flush()
        r = subprocess.run([PROBE, command, f.name] + [str(a) for a in arguments], capture_output=True, text=True)
    if r.returncode:
        sys.exit(r.stderr)
    return r.stdout


def standard(rows):
    spread = rows.std(0)
    return (rows - rows.mean(0)) / np.where(spread > 0, spread, 1)


def neighbours(name, rows, labels):
    rows = rows.astype("f4").astype(float)
    k = 10
    lines = [l.split() for l in probe("neighbours", rows, labels, 2, k).splitlines()]
    ours = np.array([[float(x.split(":")[1]) for x in l] for l in lines])
    found = np.array([[int(x.split(":")[0]) for x in l] for l in lines])
    far, near = NearestNeighbors(n_neighbors=k + 2, algorithm="brute").fit(rows).kneighbors(rows)
    theirs = np.array([[d for d, j in zip(far[i], near[i]) if j != i][:k + 1] for i in range(len(rows))]) ** 2
    clear = (np.diff(theirs, axis=1) > 1e-5 * theirs[:, 1:]).all(1) # no ties, the next one included
    theirs = theirs[:, :k]
    check(np.allclose(ours, theirs, rtol=1e-5, atol=1e-6), "%s: distances to %d neighbours" % (name, k))
    exact = ((rows[:, None, :] - rows[found]) ** 2).sum(2)
    check(np.allclose(exact, ours, rtol=1e-6, atol=1e-7), "%s: distances are those of the rows that are named" % name)
    mine = [[j for j in near[i] if j != i][:k] for i in range(len(rows))]
    same = sum(set(found[i]) == set(mine[i]) for i in np.where(clear)[0])
    check(same == clear.sum() > len(rows) / 2, "%s: the same neighbours in %d of %d rows without ties" % (name, same, clear.sum()))


def regression(name, rows, labels, c):
    classes = labels.max() + 1
    rows = standard(rows).astype("f4").astype(float)
    ours = np.array([[float(x) for x in l.split()] for l in probe("regression", rows, labels, classes, c).splitlines()])
    theirs = LogisticRegression(C=c, max_iter=20000, tol=1e-8).fit(rows, labels).predict_proba(rows)
    worst = abs(ours - theirs).max()
    check(worst < 2e-3, "%s: probabilities of regression, C %g, at most %.1e apart" % (name, c, worst))


def joint(seed):
    """cleanlab's compute_confident_joint, written down from the paper, with NumPy."""
    r = np.random.RandomState(seed)
    p = r.dirichlet(np.full(5, 0.4), 4000).astype("f4")
    given = np.array([r.choice(5, p=row.astype(float) / row.astype(float).sum()) for row in p])
    limits = np.array([p[given == c, c].astype(float).mean() for c in range(5)])
    above = p >= (limits - 1e-9).astype("f4")
    likely = np.where(above, p, -1).argmax(1)
    counts = np.zeros((5, 5))
    for i in np.where(above.any(1))[0]:
        counts[given[i], likely[i]] += 1
    counts *= (np.bincount(given, minlength=5) / counts.sum(1))[:, None]
    ours = np.array([[float(x) for x in l.split()] for l in probe("joint", p, given, 5).splitlines()[:5]])
    check(np.allclose(ours, counts, rtol=1e-6), "the confident joint, seed %d" % seed)


def doubts():
    rows, truth = load_digits(return_X_y=True)
    found = []
    for seed in range(5):
        r = np.random.RandomState(seed)
        given, wrong = truth.copy(), r.rand(len(truth)) < 0.1
        given[wrong] = (truth[wrong] + r.randint(1, 10, wrong.sum())) % 10
        lines = probe("labels", rows / 16 * 3, given, 10, seed).splitlines()
        named = np.zeros(len(truth), bool)
        named[[int(l.split()[0]) for l in lines]] = True
        found.append(((named & wrong).sum() / named.sum(), (named & wrong).sum() / wrong.sum()))
    precision, recall = np.mean(found, 0)
    check(precision >= 0.940 and recall >= 0.905, "digits with 10 %% noise: precision %.3f recall %.3f" % (precision, recall))
    for name, load in (("digits", load_digits), ("wine", load_wine), ("iris", load_iris)):
        rows, truth = load(return_X_y=True)
        rows = rows / 16 * 3 if name == "digits" else standard(rows)
        named = probe("labels", rows, truth, truth.max() + 1, 0).splitlines()
        check(len(named) <= 0.005 * len(truth), "%s as it is: %d of %d doubted" % (name, len(named), len(truth)))


def main():
    for name, load in (("digits", load_digits), ("wine", load_wine), ("breast cancer", load_breast_cancer)):
        rows, labels = load(return_X_y=True)
        neighbours(name, rows if name == "digits" else standard(rows), labels)
        for c in (0.01, 1):
            regression(name, rows, labels, c)
    regression("iris", *load_iris(return_X_y=True), 1)
    for seed in range(3):
        joint(seed)
    doubts()
    sys.exit(failures > 0)


main()
