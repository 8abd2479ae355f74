"""No false alarm on any estimator of scikit-learn, fitted where it can be, pickled and joblib-dumped;
nor on any layer, optimiser or distribution of PyTorch saved whole."""
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings

TUTELA = os.environ["TUTELA"]
warnings.simplefilter("ignore")


def write_sklearn(directory):
    import joblib
    from sklearn.datasets import load_iris
    from sklearn.utils import all_estimators
    rows, labels = load_iris(return_X_y=True)
    rows, labels = abs(rows[::3]), labels[::3]
    count = 0
    for name, estimator in all_estimators():
        try:
            made = estimator()
        except TypeError:  # wants another estimator
            continue
        try:
            made.fit(rows, labels)
        except Exception:  # not for this kind of data: saved unfitted
            pass
        joblib.dump(made, os.path.join(directory, f"{name}.joblib"), compress=count % 4)
        with open(os.path.join(directory, f"{name}.pkl"), "wb") as f:
            pickle.dump(made, f, count % 6)
        count += 1
    return count


def write_torch(directory):
    import torch
    count = 0
    for name in sorted(vars(torch.nn)):
        layer = getattr(torch.nn, name)
        if not (isinstance(layer, type) and issubclass(layer, torch.nn.Module)):
            continue
        for args in ((), (4,), (4, 4), (4, 4, 1)):
            try:
                made = layer(*args)
                torch.save(made, os.path.join(directory, f"layer-{name}.pt"),
                           _use_new_zipfile_serialization=count % 2 == 0)
            except Exception:  # wants other arguments, or cannot be saved
                continue
            count += 1
            break
    weights = [torch.nn.Parameter(torch.ones(3))]
    for name in ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "LBFGS"):
        made = getattr(torch.optim, name)(weights, lr=0.1)
        torch.save({"state": made.state_dict(), "whole": made},
                   os.path.join(directory, f"optimiser-{name}.pt"))
        count += 1
    return count


def main():
    present = [name for name in ("sklearn", "torch") if importlib.util.find_spec(name)]
    if not present:
        print("skipped: neither scikit-learn nor PyTorch is installed")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        written = {name: globals()["write_" + name](directory) for name in present}
        run = subprocess.run([TUTELA, "scan", "--format", "json", directory], capture_output=True,
                             timeout=200)
        files = json.loads(run.stdout)["files"]
        wrong = [f for f in files if f["verdict"] != "clean" or f["status"] != "complete"]
        for f in wrong:
            print(f["path"], f["status"], f["verdict"],
                  [(x["rule"], x["message"]) for x in f["findings"][:3]])
        print(f"{written}: {len(files)} files, {len(wrong)} wrong; scan ended with {run.returncode}")
        return 1 if wrong or len(files) < 150 or run.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
