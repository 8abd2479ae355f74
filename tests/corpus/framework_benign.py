#!/usr/bin/python3
"""Writes harmless model files with real frameworks: framework_benign.py DIRECTORY

Each file is what the framework's own saving function writes. A manifest (manifest.tsv) lists path,
label, and what made it. Frameworks that are not installed are left out, with a line on stderr.
"""
import collections
import datetime
import decimal
import fractions
import io
import os
import pathlib
import pickle
import sys
import uuid

ROWS = []


def row(path, made_by):
    ROWS.append((str(path), "benign", made_by))


class Out:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def path(self, name, made_by):
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        row(name, made_by)
        return str(target)


Point = collections.namedtuple("Point", "x y")


def plain_data():
    shared = [1, 2, 3]
    cyclic = []
    cyclic.append(cyclic)
    return {
        "scalars": [None, True, False, 0, 1, -1, 255, 65535, 1 << 40, -(1 << 70), 1.5, 1e300, 2j],
        "text": ["", "plain", "caf\u00e9 \u4e2d\u6587 \U0001f600", "line\nbreak\\u0041", "x" * 5000],
        "bytes": [b"", b"\x00\xff" * 300, bytearray(b"abc")],
        "containers": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}, set(), {1, 2},
                       frozenset({3}), shared, shared],
        "ordered": collections.OrderedDict([("a", 1), ("b", [2])]),
        "counter": collections.Counter("hello"),
        "deque": collections.deque([1, 2, 3], maxlen=5),
        "defaultdict": collections.defaultdict(list, {"k": [1]}),
        "dates": [datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
                  datetime.timedelta(days=3), datetime.time(1, 2), datetime.timezone.utc],
        "decimal": decimal.Decimal("1.10"),
        "fraction": fractions.Fraction(1, 3),
        "uuid": uuid.UUID(int=5),
        "complex": complex(1, 2),
        "range": range(3),
        "slice": slice(1, 2, 3),
    }


def make_plain(out):
    for protocol in range(6):
        with open(out.path(f"data/plain-{protocol}.pkl", "pickle"), "wb") as f:
            pickle.dump(plain_data(), f, protocol)
        with open(out.path(f"data/python-pickler-{protocol}.pkl", "pickle._Pickler"), "wb") as f:
            pickle._Pickler(f, protocol).dump(plain_data())
        with open(out.path(f"data/large-{protocol}.pkl", "pickle"), "wb") as f:
            pickle.dump({f"word{i}": i for i in range(20000)}, f, protocol)
    with open(out.path("data/three-in-a-row.pkl", "pickle.dump three times"), "wb") as f:
        for protocol in (0, 2, 4):
            pickle.dump({"part": protocol}, f, protocol)
    with open(out.path("data/large-blobs.pkl", "pickle"), "wb") as f:
        pickle.dump([os.urandom(70000), b"\x80\x04" + os.urandom(100000), "y" * 70000], f, 4)
    with open(out.path("data/padded.pkl", "pickle, padded with zeros"), "wb") as f:
        pickle.dump([1, 2, 3], f, 4)
        f.write(bytes(100))


def numpy_arrays(np):
    return {
        "f8": np.linspace(0, 1, 50),
        "f4-F": np.asfortranarray(np.arange(12, dtype="f4").reshape(3, 4)),
        "i4": np.arange(6, dtype="<i4"), "big-endian": np.arange(6, dtype=">i2"),
        "bool": np.array([True, False]), "complex": np.array([1 + 2j]),
        "half": np.arange(5, dtype="f2"), "unicode": np.array(["ab", "c\u00e9d"]),
        "bytes": np.array([b"ab", b"cde"]),
        "structured": np.array([(1, 2.0, "x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]),
        "nested": np.zeros(2, dtype=[("p", [("x", "f4"), ("y", "f4")]), ("m", "i2", (2, 2))]),
        "dates": np.array(["2026-01-01"], dtype="M8[D]"), "delta": np.array([5], dtype="m8[s]"),
        "empty": np.zeros((0, 3)), "scalar": np.array(3.5), "void": np.zeros(2, dtype="V7"),
        "object": np.array([{"a": 1}, [1, 2], "text", None], dtype=object),
        "random": np.frombuffer(os.urandom(80000), dtype="u1"),
    }


def make_numpy(out):
    import numpy as np
    arrays = numpy_arrays(np)
    for name, array in arrays.items():
        np.save(out.path(f"numpy/{name}.npy", "numpy.save"), array,
                allow_pickle=array.dtype.hasobject)
    plain = {k: v for k, v in arrays.items() if not v.dtype.hasobject}
    np.savez(out.path("numpy/all.npz", "numpy.savez"), **plain)
    np.savez_compressed(out.path("numpy/compressed.npz", "numpy.savez_compressed"), **plain)
    for protocol in range(6):
        with open(out.path(f"numpy/arrays-{protocol}.pkl", "pickle of arrays"), "wb") as f:
            pickle.dump(arrays, f, protocol)
        with open(out.path(f"numpy/scalars-{protocol}.pkl", "pickle of scalars"), "wb") as f:
            pickle.dump([np.float32(1), np.int64(2), np.bool_(True), np.dtype("f4"),
                         np.random.RandomState(1), np.random.default_rng(2)], f, protocol)


def estimators():
    import numpy as np
    from sklearn import (cluster, compose, decomposition, dummy, ensemble, feature_extraction,
                         feature_selection, gaussian_process, impute, isotonic, linear_model,
                         mixture, model_selection, naive_bayes, neighbors, neural_network, pipeline,
                         preprocessing, svm, tree)
    rng = np.random.RandomState(0)
    x = rng.rand(60, 5)
    y = (x[:, 0] > 0.5).astype(int)
    yield "logistic", linear_model.LogisticRegression().fit(x, y)
    yield "ridge", linear_model.Ridge().fit(x, y)
    yield "lasso", linear_model.LassoCV(cv=3).fit(x, y)
    yield "sgd", linear_model.SGDClassifier().fit(x, y)
    yield "forest", ensemble.RandomForestClassifier(10).fit(x, y)
    yield "extra", ensemble.ExtraTreesRegressor(5).fit(x, y)
    yield "boosting", ensemble.GradientBoostingClassifier(n_estimators=5).fit(x, y)
    yield "hist-boosting", ensemble.HistGradientBoostingClassifier(max_iter=5).fit(x, y)
    yield "adaboost", ensemble.AdaBoostClassifier(n_estimators=5).fit(x, y)
    yield "isolation", ensemble.IsolationForest(n_estimators=5).fit(x)
    yield "voting", ensemble.VotingClassifier([("a", dummy.DummyClassifier()),
                                               ("b", naive_bayes.GaussianNB())]).fit(x, y)
    yield "tree", tree.DecisionTreeClassifier().fit(x, y)
    yield "svc", svm.SVC(probability=True).fit(x, y)
    yield "linear-svc", svm.LinearSVC().fit(x, y)
    yield "knn", neighbors.KNeighborsClassifier().fit(x, y)
    yield "ball-tree", neighbors.KNeighborsRegressor(algorithm="ball_tree").fit(x, y)
    yield "kd-tree", neighbors.NearestNeighbors(algorithm="kd_tree").fit(x)
    yield "bayes", naive_bayes.MultinomialNB().fit(x, y)
    yield "mlp", neural_network.MLPClassifier((4,), max_iter=5).fit(x, y)
    yield "kmeans", cluster.KMeans(3, n_init=2).fit(x)
    yield "dbscan", cluster.DBSCAN().fit(x)
    yield "pca", decomposition.PCA(2).fit(x)
    yield "nmf", decomposition.NMF(2, max_iter=20).fit(x)
    yield "lda", decomposition.LatentDirichletAllocation(2, max_iter=2).fit(x)
    yield "mixture", mixture.GaussianMixture(2).fit(x)
    yield "gaussian-process", gaussian_process.GaussianProcessRegressor(
        gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel()).fit(x, y)
    yield "isotonic", isotonic.IsotonicRegression().fit(x[:, 0], y)
    yield "imputer", impute.SimpleImputer().fit(x)
    yield "select", feature_selection.SelectKBest(k=2).fit(x, y)
    yield "pipeline", pipeline.make_pipeline(
        preprocessing.StandardScaler(), preprocessing.PolynomialFeatures(),
        linear_model.LogisticRegression(max_iter=500)).fit(x, y)
    yield "columns", compose.ColumnTransformer([
        ("num", preprocessing.MinMaxScaler(), [0, 1]),
        ("cat", preprocessing.OneHotEncoder(), [2])]).fit(np.round(x * 3))
    yield "grid", model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [1, 2]}, cv=2).fit(x, y)
    yield "labels", preprocessing.LabelEncoder().fit(["red", "green", "blue"])
    text = ["the quick brown fox", "jumped over the lazy dog", "a system of words"]
    yield "tfidf", feature_extraction.text.TfidfVectorizer().fit(text)
    yield "hashing", feature_extraction.text.HashingVectorizer().fit(text)
    yield "text-pipeline", pipeline.make_pipeline(
        feature_extraction.text.CountVectorizer(), naive_bayes.ComplementNB()).fit(text, [0, 1, 0])


def make_sklearn(out):
    import warnings
    import joblib
    import sklearn  # noqa: F401
    warnings.filterwarnings("ignore")
    fitted = list(estimators())
    for name, model in fitted:
        joblib.dump(model, out.path(f"joblib/{name}.joblib", "joblib.dump"))
        with open(out.path(f"sklearn/{name}.pkl", "pickle of an estimator"), "wb") as f:
            pickle.dump(model, f)
    forest = dict(fitted)["forest"]
    everything = [forest, numpy_arrays(__import__("numpy"))]
    for protocol in range(6):
        joblib.dump(everything, out.path(f"joblib/protocol-{protocol}.joblib", "joblib.dump"),
                    protocol=protocol)
        with open(out.path(f"sklearn/forest-{protocol}.pkl", "pickle"), "wb") as f:
            pickle.dump(forest, f, protocol)
    for method in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
        for name, value in (("small", fitted[0][1]), ("large", everything)):
            target = out.path(f"joblib/{name}-{method}.joblib", f"joblib.dump, {method}")
            try:
                joblib.dump(value, target, compress=(method, 3))
            except ValueError as error:
                ROWS.pop()
                print(f"skipped: joblib with {method}: {error}", file=sys.stderr)
    joblib.dump(fitted[0][1], out.path("joblib/ending.pkl.gz", "joblib.dump by ending"))


def torch_values(torch):
    nn = torch.nn
    tensors = {str(t).replace("torch.", ""): torch.zeros(4, 3).to(t) for t in (
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
        torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128)}
    tensors["view"] = torch.arange(100.0)[10:20]
    tensors["transposed"] = torch.arange(12.0).reshape(3, 4).t()
    tensors["empty"] = torch.zeros(0)
    tensors["parameter"] = nn.Parameter(torch.ones(3))
    tensors["sparse"] = torch.eye(3).to_sparse()
    tensors["quantised"] = torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2),
        nn.Dropout(0.5), nn.LayerNorm(2), nn.GELU())
    recurrent = nn.ModuleDict({"lstm": nn.LSTM(3, 4, 2), "embedding": nn.Embedding(10, 3),
                               "attention": nn.TransformerEncoderLayer(8, 2, 16)})
    optimiser = torch.optim.Adam(model.parameters())
    yield "tensors", tensors
    yield "state-dict", model.state_dict()
    yield "checkpoint", {"model": model.state_dict(), "optimiser": optimiser.state_dict(),
                         "epoch": 3, "lr": [0.1, 0.2], "config": {"name": "x", "layers": (1, 2)}}
    yield "module", model
    yield "recurrent", recurrent
    yield "size", [torch.Size([1, 2]), torch.device("cpu"), torch.float32,
                   torch.random.get_rng_state()]


def make_torch(out):
    import torch
    for name, value in torch_values(torch):
        torch.save(value, out.path(f"torch/{name}.pt", "torch.save"))
        if name == "tensors":
            value = {k: v for k, v in value.items()}
        torch.save(value, out.path(f"torch-legacy/{name}.pt", "torch.save, legacy"),
                   _use_new_zipfile_serialization=False)
        for protocol in (3, 4):
            torch.save(value, out.path(f"torch/{name}-{protocol}.pt", "torch.save"),
                       pickle_protocol=protocol)
            torch.save(value, out.path(f"torch-legacy/{name}-{protocol}.pt", "torch.save, legacy"),
                       pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    many = {f"layer{i}": torch.full((3,), float(i)) for i in range(500)}
    torch.save(many, out.path("torch/many.pt", "torch.save"))
    torch.save(many, out.path("torch-legacy/many.pt", "torch.save, legacy"),
               _use_new_zipfile_serialization=False)
    scripted = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()))
    scripted.save(out.path("torch/scripted.pt", "torch.jit.save"))


def make_onnx(out):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    weights = numpy_helper.from_array(np.ones((3, 2), dtype=np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])],
        "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 2])], [weights])
    model = helper.make_model(graph, producer_name="tests")
    onnx.checker.check_model(model)
    onnx.save(model, out.path("onnx/small.onnx", "onnx.save"))


def main():
    root = pathlib.Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    out = Out(root)
    made = 0
    for maker in (make_plain, make_numpy, make_sklearn, make_torch, make_onnx):
        before = len(ROWS)
        try:
            maker(out)
        except ImportError as error:
            print(f"skipped: {maker.__name__}: {error}", file=sys.stderr)
        made += len(ROWS) - before
    with open(root / "manifest.tsv", "w") as f:
        f.write("path\tlabel\tmade_by\n")
        for entry in ROWS:
            f.write("\t".join(entry) + "\n")
    print(f"{made} files")


if __name__ == "__main__":
    main()
