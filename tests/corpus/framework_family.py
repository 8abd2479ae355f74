#!/usr/bin/python3
"""Writes pickles of pandas, SciPy, scikit-learn, XGBoost and torchvision objects at every protocol, as their
users save them: framework_family.py DIRECTORY

A manifest (manifest.tsv) lists path, label, and what made it. Libraries that are not installed are left out,
with a line on stderr.
"""
import gzip
import os
import pathlib
import pickle
import sys
import warnings

ROWS = []


def save(root, family, name, value):
    for protocol in range(6):
        path = f"{family}/{name}-{protocol}.pkl"
        try:
            data = pickle.dumps(value, protocol)
        except Exception as e:  # an object that this protocol cannot write
            print(f"not {path}: {e}", file=sys.stderr)
            continue
        target = pathlib.Path(root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        ROWS.append((path, "benign", f"pickle.dumps of {family}, protocol {protocol}"))


def pandas(root):
    import numpy as np
    import pandas as pd
    times = pd.date_range("2026-01-01", periods=4, freq="D")
    frame = pd.DataFrame({"i": [1, 2, 3, 4], "f": [0.5, None, 1.5, 2.0], "s": list("abcd"),
                          "t": times, "b": [True, False, True, True],
                          "c": pd.Categorical(["x", "y", "x", "z"]), "o": [{"k": 1}, [2], None, "v"]})
    values = {
        "frame": frame, "empty": pd.DataFrame(), "indexed": frame.set_index(["s", "i"]),
        "series": frame["f"], "named": pd.Series([1, 2], name="n", index=["a", "b"]),
        "nullable": pd.DataFrame({"i": pd.array([1, None], dtype="Int64"),
                                  "b": pd.array([True, None], dtype="boolean"),
                                  "s": pd.array(["a", None], dtype="string"),
                                  "f": pd.array([1.5, None], dtype="Float64")}),
        "zones": pd.Series(pd.date_range("2026-01-01", periods=3, tz="Europe/Paris")),
        "utc": pd.Timestamp("2026-01-01", tz="UTC"), "delta": pd.Timedelta("1 days"),
        "nat": [pd.NaT, pd.NA], "period": pd.Series(pd.period_range("2026-01", periods=3, freq="M")),
        "interval": pd.cut([1, 2, 3, 4], 2), "intervals": pd.interval_range(0, 3),
        "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])), "range": pd.RangeIndex(5),
        "columns": pd.DataFrame(np.zeros((2, 2)), columns=pd.MultiIndex.from_product([["a"], ["x", "y"]])),
        "offsets": [pd.offsets.Day(2), pd.offsets.MonthEnd(), pd.offsets.BDay(), pd.offsets.Week(weekday=1)],
        "timedeltas": pd.to_timedelta([1, 2], unit="s"), "dtypes": frame.dtypes,
        "index": [pd.Index([1, 2]), pd.Index([1.5]), pd.Index(list("ab")), pd.CategoricalIndex(list("ab"))],
    }
    for name, value in values.items():
        save(root, "pandas", name, value)
    for ending in ("pkl", "pkl.gz", "pkl.bz2", "pkl.xz"):
        path = f"pandas/to_pickle.{ending}"
        frame.to_pickle(os.path.join(root, path))
        ROWS.append((path, "benign", "DataFrame.to_pickle"))


def scipy(root):
    import numpy as np
    import scipy.interpolate
    import scipy.optimize
    import scipy.sparse
    import scipy.spatial
    import scipy.stats
    eye = scipy.sparse.eye(5, format="csr")
    for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"):
        save(root, "scipy", kind, eye.asformat(kind))
        save(root, "scipy", kind + "-array", getattr(scipy.sparse, kind + "_array")(np.eye(3)))
    points = np.random.RandomState(1).rand(20, 2)
    save(root, "scipy", "ckdtree", scipy.spatial.cKDTree(points))
    save(root, "scipy", "kdtree", scipy.spatial.KDTree(points))
    save(root, "scipy", "interp1d", scipy.interpolate.interp1d([0, 1, 2], [0, 1, 4]))
    save(root, "scipy", "spline", scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4]))
    save(root, "scipy", "rotation", __import__("scipy.spatial.transform").spatial.transform.Rotation.identity())
    save(root, "scipy", "result", scipy.optimize.minimize(lambda x: x[0] ** 2, [1.0], method="Nelder-Mead"))
    for name in ("norm", "uniform", "loguniform", "expon", "randint", "poisson"):
        distribution = getattr(scipy.stats, name)
        save(root, "scipy", name, distribution)
        save(root, "scipy", name + "-frozen", distribution(1, 3))


def sklearn(root):
    import numpy as np
    from sklearn import (cluster, compose, decomposition, ensemble, feature_extraction, impute, linear_model,
                         naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree)
    rng = np.random.RandomState(1)
    x, y = rng.rand(40, 4), rng.randint(0, 2, 40)
    models = {
        "logistic": linear_model.LogisticRegression(), "sgd": linear_model.SGDClassifier(loss="log_loss"),
        "forest": ensemble.RandomForestClassifier(3), "boosting": ensemble.GradientBoostingClassifier(n_estimators=3),
        "histogram": ensemble.HistGradientBoostingClassifier(max_iter=3), "tree": tree.DecisionTreeClassifier(),
        "svc": svm.SVC(), "linear-svc": svm.LinearSVC(), "knn": neighbors.KNeighborsClassifier(),
        "ball": neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="minkowski"),
        "bayes": naive_bayes.GaussianNB(), "mlp": neural_network.MLPClassifier((4,), max_iter=5),
        "kmeans": cluster.KMeans(2, n_init=1), "pca": decomposition.PCA(2), "ada": ensemble.AdaBoostClassifier(n_estimators=2),
        "pipeline": pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler(),
                                           preprocessing.FunctionTransformer(np.arctan),
                                           linear_model.LogisticRegression()),
        "columns": compose.ColumnTransformer([("a", preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]),
                                              ("b", "passthrough", [1, 2])]),
        "voting": ensemble.VotingClassifier([("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier())]),
        "stacking": ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())]),
        "calibrated": __import__("sklearn.calibration").calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2),
        "search": __import__("sklearn.model_selection").model_selection.GridSearchCV(
            naive_bayes.GaussianNB(), {"var_smoothing": [1e-9, 1e-8]}, cv=2),
    }
    for name, model in models.items():
        save(root, "sklearn", name, model.fit(x, y))
    words = feature_extraction.text.TfidfVectorizer().fit(["a text of words", "more words"])
    save(root, "sklearn", "tfidf", words)


def xgboost(root):
    import numpy as np
    import xgboost as xgb
    rng = np.random.RandomState(1)
    x, y = rng.rand(40, 4), rng.randint(0, 2, 40)
    for name, model in (("classifier", xgb.XGBClassifier(n_estimators=3)), ("regressor", xgb.XGBRegressor(n_estimators=3)),
                        ("forest", xgb.XGBRFClassifier(n_estimators=3))):
        save(root, "xgboost", name, model.fit(x, y))
    save(root, "xgboost", "booster", xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(x, y), 3))


def torchvision(root):
    import torch
    import torchvision
    from torchvision import models, transforms
    for name in ("alexnet", "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5",
                 "resnet18", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "vit_b_32", "swin_t",
                 "googlenet", "inception_v3", "densenet121"):
        make = getattr(models, name, None)
        if make is None:
            continue
        arguments = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        with torch.no_grad():
            model = make(**arguments)
            for parameter in model.parameters():  # small files: one row of each weight
                parameter.data = parameter.data[:1].clone() if parameter.dim() else parameter.data
            path = f"torchvision/{name}.pt"
            pathlib.Path(root, "torchvision").mkdir(exist_ok=True)
            torch.save(model, os.path.join(root, path))
            ROWS.append((path, "benign", "torch.save of the whole model"))
    compose = transforms.Compose([transforms.Resize(4), transforms.CenterCrop(2), transforms.ToTensor(),
                                  transforms.Normalize([0.5], [0.5]), transforms.RandomHorizontalFlip()])
    save(root, "torchvision", "transforms", compose)


def wrapped(root):
    """What dill and cloudpickle write of plain data and of library objects."""
    import cloudpickle
    import dill
    import numpy as np
    values = {"data": {"a": [1, 2.5, None, "x", b"y", (1, 2), {3}]}, "array": np.arange(5)}
    for module in (dill, cloudpickle):
        for name, value in values.items():
            for protocol in (2, 4, 5):
                path = f"wrapped/{module.__name__}-{name}-{protocol}.pkl"
                pathlib.Path(root, "wrapped").mkdir(exist_ok=True)
                pathlib.Path(root, path).write_bytes(module.dumps(value, protocol))
                ROWS.append((path, "benign", f"{module.__name__}.dumps, protocol {protocol}"))
    with gzip.open(os.path.join(root, "wrapped", "data.pkl.gz"), "wb") as f:
        pickle.dump(values, f)
    ROWS.append(("wrapped/data.pkl.gz", "benign", "gzip of pickle.dump"))


def main():
    root = sys.argv[1]
    warnings.simplefilter("ignore")
    for part in (pandas, scipy, sklearn, xgboost, torchvision, wrapped):
        try:
            part(root)
        except ImportError as e:
            print(f"without {part.__name__}: {e}", file=sys.stderr)
    with open(os.path.join(root, "manifest.tsv"), "w", encoding="utf-8") as f:
        f.write("path\tlabel\tmade_by\n")
        f.writelines("\t".join(row) + "\n" for row in ROWS)


main()
