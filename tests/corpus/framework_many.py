#!/usr/bin/python3
"""Writes some hundred harmless files with real frameworks: framework_many.py DIRECTORY

Where framework_benign.py has one file of each kind that people meet, this one goes through what the
libraries have: modules of PyTorch of every kind, its optimisers, scripts and quantised models, every
type of NumPy, pipelines of scikit-learn, the types of the standard library at every protocol, the
types of ONNX. A manifest (manifest.tsv) lists path, label, and what made it.
"""
import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import gzip
import bz2
import io
import ipaddress
import lzma
import os
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
import warnings
import zlib
import zoneinfo

ROWS = []


class Out:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def path(self, name, made_by):
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        ROWS.append((name, "benign", made_by))
        return str(target)

    def drop(self):
        ROWS.pop()


# --- the standard library ---

def standard_values():
    shared = {"k": [1, 2]}
    cyclic = {"self": None}
    cyclic["self"] = cyclic
    deep = []
    for _ in range(150):
        deep = [deep]
    yield "none", None
    yield "true", True
    yield "int", 7
    yield "big-ints", [1 << n for n in range(0, 3000, 37)] + [-(1 << n) for n in range(0, 300, 7)]
    yield "floats", [0.0, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1]
    yield "complex", [1j, complex(float("inf"), -0.0)]
    yield "long-string", "lorem ipsum dolor " * 20000
    yield "long-unicode", "\u00e9\u4e2d\U0001f600" * 30000
    yield "long-bytes", bytes(range(256)) * 1000
    yield "surrogate", "a\udc80b"
    yield "controls", "".join(map(chr, range(300)))
    yield "quotes", ["it's", 'a "b"', "back\\slash", "new\nline", "\\u0041", "nul\0"]
    yield "code-like", ["import os", "os.system('id')", "eval(x)", "__import__('os')",
                        "subprocess.run", "posix\nsystem"]
    yield "words", ("system exec eval open import os posix builtins pickle marshal load loads call "
                    "run spawn exit compile getattr").split()
    yield "base64-like", ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=" * 40, "deadbeef" * 100,
                          "0123456789abcdef" * 64]
    yield "random-bytes", [random.Random(n).randbytes(5000) for n in range(20)]
    yield "zero-bytes", bytes(100000)
    yield "compressed", [zlib.compress(b"weights" * 500), gzip.compress(b"weights" * 500),
                         bz2.compress(b"weights" * 500), lzma.compress(b"weights" * 500)]
    yield "images", [b"\x89PNG\r\n\x1a\n" + bytes(200), b"\xff\xd8\xff\xe0" + bytes(200),
                     b"GIF89a" + bytes(100), b"%PDF-1.4\n" + bytes(300)]
    yield "bytearray", bytearray(b"abc" * 1000)
    yield "nested", [[[[]]], {"a": {"b": {"c": ()}}}, ((((),),),)]
    yield "deep", deep
    yield "shared", [shared] * 300
    yield "cyclic", cyclic
    yield "many-keys", {f"key{n}": n for n in range(5000)}
    yield "many-tuples", [(n, str(n), float(n)) for n in range(3000)]
    yield "sets", [set(range(2000)), frozenset("abc"), {frozenset({1}), frozenset({2})}]
    yield "ordered", collections.OrderedDict((str(n), n) for n in range(50))
    yield "counter", collections.Counter("abracadabra")
    yield "deque", collections.deque(range(20), maxlen=30)
    yield "defaultdicts", [collections.defaultdict(t, {"k": t()}) for t in (list, dict, int, set, str, float)]
    yield "chainmap", collections.ChainMap({"a": 1}, {"b": 2})
    yield "userdict", [collections.UserDict({"a": 1}), collections.UserList([1]),
                       collections.UserString("x")]
    yield "dates", [datetime.date(2026, 1, 2), datetime.time(3, 4), datetime.timedelta(5, 6),
                    datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),
                    datetime.timezone(datetime.timedelta(hours=2), "X")]
    yield "zoneinfo", [zoneinfo.ZoneInfo("Europe/Berlin"),
                       datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC"))]
    yield "decimals", [decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Context(prec=5)]
    yield "fractions", [fractions.Fraction(1, 3)]
    yield "uuids", [uuid.UUID(int=5), uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")]
    yield "paths", [pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:/x"), pathlib.Path("x")]
    yield "regex", [re.compile("a+b", re.I), re.compile(rb"x\d")]
    yield "ranges", [range(3), range(0, 10, 2), slice(1, None)]
    yield "addresses", [ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8"),
                        ipaddress.ip_interface("10.1.2.3/16")]
    yield "arrays", [array.array("d", [1.5, 2]), array.array("b", b"abc"), array.array("Q", [1 << 63])]
    yield "namespace", types.SimpleNamespace(a=1, b=[2])
    yield "random-state", [random.Random(3), random.getstate()]
    yield "exceptions", [ValueError("bad"), KeyError("k"), OSError(2, "no"), StopIteration(3),
                         UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")]
    yield "types", [int, float, str, list, dict, type(None), type(...), bytes, object, complex]
    yield "specials", [Ellipsis, NotImplemented]
    yield "functions", [len, sorted, sum, abs, min, max, round]
    yield "partials", [functools.partial(int, base=2), functools.partial(sorted, reverse=True),
                       functools.partial(functools.partial(round, 1.234), 2)]
    yield "iterators", [iter([1, 2, 3]), iter((1, 2)), iter("ab"), iter({1: 2}.keys()), reversed([1, 2]),
                        iter(range(3))]
    yield "enums", [re.IGNORECASE, uuid.SafeUUID.unknown]
    yield "buffers", [io.BytesIO(b"abc"), io.StringIO("abc")]
    yield "memory", [bytes(memoryview(b"abc"))]
    yield "checkpoint", {"epoch": 3, "loss": 0.25, "args": {"lr": 1e-3, "betas": (0.9, 0.999)},
                         "vocabulary": {w: i for i, w in enumerate("a b c <pad> <unk>".split())},
                         "history": [{"step": n, "loss": 1 / (n + 1)} for n in range(200)]}


def make_standard(out):
    for name, value in standard_values():
        for protocol in range(6):
            path = out.path(f"standard/{name}-{protocol}.pkl", "pickle")
            try:
                with open(path, "wb") as f:
                    pickle.dump(value, f, protocol)
            except (TypeError, ValueError, RecursionError, UnicodeEncodeError,
                    pickle.PicklingError, AttributeError):
                os.unlink(path)
                out.drop()
            if name in ("checkpoint", "code-like", "int", "dates"):
                with open(out.path(f"standard/{name}-py-{protocol}.pkl", "pure Python pickler"),
                          "wb") as f:
                    pickle._Pickler(f, protocol).dump(value)
                with open(out.path(f"standard/{name}-fast-{protocol}.pkl", "fast pickler"),
                          "wb") as f:
                    fast = pickle.Pickler(f, protocol)
                    fast.fast = True
                    fast.dump(value)
    for protocol in range(6):
        with open(out.path(f"standard/several-{protocol}.pkl", "several pickles in one file"),
                  "wb") as f:
            for name, value in standard_values():
                if name in ("int", "floats", "nested", "ordered", "dates", "checkpoint", "uuids"):
                    pickle.dump(value, f, protocol)
        data = pickle.dumps({"a": [1, 2, 3], "b": "text"}, protocol)
        for ending, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress),
                             ("z", zlib.compress)):
            with open(out.path(f"standard/packed-{protocol}.pkl.{ending}", f"pickle, {ending}"),
                      "wb") as f:
                f.write(pack(data))
    value = [pickle.PickleBuffer(b"x" * 100), 1]
    with open(out.path("standard/out-of-band.pkl", "pickle with buffers out of band"), "wb") as f:
        pickle.dump(value, f, 5, buffer_callback=lambda b: None)


# --- NumPy ---

def numpy_values(np):
    kinds = "?bBhHiIlLqQefdgFDG"
    for kind in kinds:
        yield f"type-{kind if kind != '?' else 'bool'}-{'u' if kind.isupper() else 'l'}", np.arange(7).astype(kind)
        for order in "<>":
            yield (f"order-{'le' if order == '<' else 'be'}-{kind if kind != '?' else 'bool'}-"
                   f"{'u' if kind.isupper() else 'l'}"), np.ones((2, 3)).astype(np.dtype(kind).newbyteorder(order))
    for unit in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps"):
        yield f"time-{unit}-{len(unit)}{'u' if unit == 'M' else ''}", np.array([1, 2, 3], dtype=f"M8[{unit}]")
        yield f"delta-{unit}-{len(unit)}{'u' if unit == 'M' else ''}", np.array([1, 2], dtype=f"m8[{unit}]")
    yield "bytes", np.array([b"a", b"bcd"])
    yield "text", np.array(["\u00e9", "long text here", ""])
    yield "void", np.array([b"abc"], dtype="V9")
    yield "fortran", np.asfortranarray(np.arange(60.0).reshape(3, 4, 5))
    yield "zero-d", np.array(5)
    yield "no-rows", np.zeros((0, 4))
    yield "no-columns", np.zeros((4, 0), dtype="i2")
    yield "many-dims", np.zeros((1,) * 30)
    yield "big", np.random.RandomState(0).rand(300, 300)
    yield "view", np.arange(100)[10:50:3]
    yield "broadcast", np.broadcast_to(np.arange(3), (4, 3))
    yield "simple-record", np.array([(1, 2.0)], dtype="i4,f8")
    yield "aligned", np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True))
    yield "titles", np.zeros(2, dtype=[(("Title of a", "a"), "i4"), ("b", "f4")])
    yield "unicode-names", np.zeros(2, dtype=[("n\u00e4me", "i4"), ("\u4e2d", "f4")])
    yield "long-header", np.zeros(1, dtype=[(f"field_{n:05}", "f8") for n in range(3000)])
    yield "nested", np.zeros(2, dtype=[("p", [("x", "f4"), ("q", [("y", "U3")])]), ("m", "i2", (2, 3))])
    yield "recarray", np.rec.array([(1, "a"), (2, "b")], names="n,s")
    yield "matrix", np.matrix([[1, 2], [3, 4]])
    yield "masked", np.ma.array([1, 2, 3], mask=[0, 1, 0])
    yield "objects", np.array([1, "a", None, [1], {"k": 2}, (3,), 2.5, b"x"], dtype=object)
    yield "object-matrix", np.array([[1, "a"], [None, 2.5]], dtype=object)
    yield "object-dates", np.array([datetime.date(2026, 1, 1), decimal.Decimal(1)], dtype=object)
    yield "object-arrays", np.array([np.arange(3), np.zeros(2)], dtype=object)
    yield "object-field", np.array([(1, "a")], dtype=[("a", "i4"), ("o", "O")])
    yield "empty-objects", np.array([], dtype=object)
    for seed in range(8):
        yield f"noise-{seed}", np.frombuffer(random.Random(seed).randbytes(20000), dtype="u1")


def make_numpy(out):
    import numpy as np
    plain = {}
    for name, value in numpy_values(np):
        if name != "masked":
            np.save(out.path(f"numpy/{name}.npy", "numpy.save"), value, allow_pickle=True)
        for protocol in (0, 2, 4, 5):
            if name.startswith(("order-", "delta-", "noise-")) and protocol != 4:
                continue
            path = out.path(f"numpy-pickle/{name}-{protocol}.pkl", "pickle of an array")
            try:
                with open(path, "wb") as f:
                    pickle.dump(value, f, protocol)
            except TypeError:
                out.drop()
        if name != "masked":
            plain[name.replace("-", "_")] = value
    np.savez(out.path("numpy/everything.npz", "numpy.savez"), **plain)
    np.savez_compressed(out.path("numpy/everything-compressed.npz", "numpy.savez_compressed"), **plain)
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(out.path(f"numpy/version-{version[0]}.npy", "numpy.lib.format"), "wb") as f:
            np.lib.format.write_array(f, np.arange(6), version=version)
    with open(out.path("numpy/appended.npy", "numpy.save, several"), "wb") as f:
        for n in range(5):
            np.save(f, np.arange(n))
    np.arange(8.0).dump(out.path("numpy-pickle/dump.pkl", "ndarray.dump"))
    things = [np.float16(1), np.complex64(1j), np.str_("a"), np.bytes_(b"a"), np.datetime64("2026-01-01"),
              np.dtype("f4"), np.dtype([("a", "i4")]), np.dtype("M8[ns]"), np.float32, np.sin, np.add,
              np.ndarray, np.int64, np.poly1d([1, 2]), np.finfo, np.s_[1:2],
              np.random.RandomState(1), np.random.default_rng(1), np.random.PCG64(1),
              np.random.MT19937(1), np.random.Philox(1), np.random.SFC64(1), np.random.SeedSequence(1),
              np.random.Generator(np.random.PCG64DXSM(3))]
    for n, thing in enumerate(things):
        for protocol in (0, 2, 3, 4, 5):
            path = out.path(f"numpy-pickle/thing-{n}-{protocol}.pkl", f"pickle of {type(thing)}")
            try:
                with open(path, "wb") as f:
                    pickle.dump(thing, f, protocol)
            except (TypeError, pickle.PicklingError):
                out.drop()


# --- scikit-learn ---

def make_sklearn(out):
    import numpy as np
    warnings.filterwarnings("ignore")
    rng = np.random.RandomState(0)
    x = rng.rand(40, 4)
    make_pipelines(out, x, (x[:, 0] > 0.5).astype(int))


def make_pipelines(out, x, y):
    import joblib
    import numpy as np
    from scipy import sparse, stats
    from sklearn import (compose, ensemble, feature_extraction, feature_selection, gaussian_process,
                         linear_model, metrics, model_selection, neighbors, pipeline, preprocessing,
                         svm, tree)
    kernels = gaussian_process.kernels
    things = {
        "function-transformer": preprocessing.FunctionTransformer(np.log1p).fit(x),
        "function-inverse": preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1).fit(x),
        "scorer": metrics.make_scorer(metrics.f1_score, average="macro"),
        "search-scorer": model_selection.GridSearchCV(
            svm.SVC(), {"C": [1, 2], "kernel": ["linear", "rbf"]}, cv=2,
            scoring={"a": "accuracy", "f": metrics.make_scorer(metrics.f1_score)}, refit="a").fit(x, y),
        "random-search": model_selection.RandomizedSearchCV(
            linear_model.Ridge(), {"alpha": stats.loguniform(1e-3, 1)}, n_iter=2, cv=2).fit(x, y),
        "random-search-uniform": model_selection.RandomizedSearchCV(
            linear_model.Ridge(), {"alpha": stats.uniform(0, 1)}, n_iter=2, cv=2).fit(x, y),
        "select-chi2": feature_selection.SelectKBest(feature_selection.chi2, k=2).fit(x, y),
        "select-mutual": feature_selection.SelectKBest(feature_selection.mutual_info_classif, k=2).fit(x, y),
        "knn-callable": neighbors.KNeighborsClassifier(metric=metrics.pairwise.cosine_distances),
        "ball-haversine": neighbors.BallTree(x[:, :2], metric="haversine"),
        "kd-chebyshev": neighbors.KDTree(x, metric="chebyshev"),
        "kernels": [kernels.RBF(), kernels.Matern(), kernels.WhiteKernel() + kernels.DotProduct(),
                    kernels.ExpSineSquared() * kernels.ConstantKernel(2), kernels.RationalQuadratic()],
        "columns": compose.make_column_transformer(
            (preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]),
            (preprocessing.StandardScaler(), compose.make_column_selector(dtype_include=float))),
        "target": compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p,
                                                     inverse_func=np.expm1).fit(x, y),
        "boosted": ensemble.AdaBoostClassifier(tree.DecisionTreeClassifier(max_depth=1)).fit(x, y),
        "text": pipeline.make_pipeline(
            feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), stop_words="english",
                                                    tokenizer=str.split),
            linear_model.LogisticRegression()).fit(["a b c", "d e f"] * 5, [0, 1] * 5),
        "dict": pipeline.make_pipeline(feature_extraction.DictVectorizer(),
                                       linear_model.LogisticRegression()).fit(
                                           [{"a": 1}, {"b": 2}] * 5, [0, 1] * 5),
        "nested": pipeline.Pipeline([("union", pipeline.FeatureUnion([
            ("a", pipeline.make_pipeline(preprocessing.StandardScaler(), preprocessing.PolynomialFeatures())),
            ("b", preprocessing.KBinsDiscretizer(3))])), ("m", linear_model.LassoCV(cv=2))]).fit(x, y),
        "splitters": [model_selection.KFold(3), model_selection.StratifiedKFold(3),
                      model_selection.TimeSeriesSplit(), model_selection.ShuffleSplit(),
                      model_selection.GroupKFold(), model_selection.LeaveOneOut()],
        "memory": pipeline.Pipeline([("s", preprocessing.StandardScaler())]).fit(x),
        "calibrated": __import__("sklearn.calibration").calibration.CalibratedClassifierCV(
            svm.LinearSVC(), cv=2).fit(x, y),
        "sparse": [getattr(sparse, kind)(np.eye(4)) for kind in
                   ("csr_matrix", "csc_matrix", "coo_matrix", "bsr_matrix", "dia_matrix",
                    "lil_matrix", "dok_matrix", "csr_array", "coo_array")],
        "distributions": [stats.norm(0, 1), stats.gamma(2), stats.randint(0, 5), stats.norm],
        "spatial": __import__("scipy.spatial").spatial.cKDTree(x),
        "interpolate": __import__("scipy.interpolate").interpolate.interp1d([0, 1, 2], [1, 2, 3]),
        "spline": __import__("scipy.interpolate").interpolate.CubicSpline([0, 1, 2], [1, 2, 3]),
        "hull": __import__("scipy.spatial").spatial.ConvexHull(x[:, :2]).points,
        "optimum": __import__("scipy.optimize").optimize.minimize(lambda v: (v ** 2).sum(), [1.0, 2.0]),
        "bunch": __import__("sklearn.datasets").datasets.load_iris(),
    }
    for name, value in things.items():
        for protocol in (2, 4, 5):
            path = out.path(f"pipelines/{name}-{protocol}.pkl", "pickle")
            try:
                with open(path, "wb") as f:
                    pickle.dump(value, f, protocol)
            except (TypeError, AttributeError, pickle.PicklingError) as error:
                print(f"left out: {name}: {error}", file=sys.stderr)
                os.unlink(path)
                out.drop()
                break
        else:
            joblib.dump(value, out.path(f"pipelines/{name}.joblib", "joblib.dump"))
    value = {"model": things["nested"], "arrays": [np.arange(50000.0), np.ones((3, 4), order="F"),
                                                   np.array([1, "a"], dtype=object), x[::2]]}
    for method in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
        for level in (0, 1, 3, 9):
            for protocol in (2, 4):
                path = out.path(f"joblib/{method}-{level}-{protocol}.joblib", f"joblib.dump, {method}")
                try:
                    joblib.dump(value, path, compress=(method, level), protocol=protocol)
                except (ValueError, ImportError) as error:
                    print(f"left out: {method}: {error}", file=sys.stderr)
                    out.drop()
    for ending in (".z", ".gz", ".bz2", ".xz", ".lzma"):
        joblib.dump(value, out.path(f"joblib/by-ending.pkl{ending}", "joblib.dump by ending"))
    for protocol in range(6):
        joblib.dump(value, out.path(f"joblib/plain-{protocol}.pkl", "joblib.dump"), protocol=protocol)
    memmap = np.memmap(os.path.join(str(out.root), "mapped.bin"), dtype="f4", mode="w+", shape=(10,))
    joblib.dump(memmap, out.path("joblib/memmap.joblib", "joblib.dump of a memmap"))
    del memmap
    os.unlink(os.path.join(str(out.root), "mapped.bin"))


# --- PyTorch ---

def torch_modules(torch):
    nn = torch.nn
    arguments = {
        "Conv1d": (2, 3, 2), "Conv2d": (2, 3, 2), "Conv3d": (2, 3, 2), "ConvTranspose1d": (2, 3, 2),
        "ConvTranspose2d": (2, 3, 2), "ConvTranspose3d": (2, 3, 2), "LazyLinear": (3,),
        "Linear": (3, 4), "Bilinear": (2, 3, 4), "Embedding": (10, 3), "EmbeddingBag": (10, 3),
        "RNN": (3, 4), "LSTM": (3, 4), "GRU": (3, 4), "RNNCell": (3, 4), "LSTMCell": (3, 4),
        "GRUCell": (3, 4), "Transformer": (8, 2, 1, 1, 16), "TransformerEncoderLayer": (8, 2, 16),
        "TransformerDecoderLayer": (8, 2, 16), "MultiheadAttention": (8, 2), "BatchNorm1d": (3,),
        "BatchNorm2d": (3,), "BatchNorm3d": (3,), "SyncBatchNorm": (3,), "InstanceNorm1d": (3,),
        "InstanceNorm2d": (3,), "InstanceNorm3d": (3,), "GroupNorm": (1, 3), "LayerNorm": (3,),
        "LocalResponseNorm": (2,), "CrossMapLRN2d": (2,), "AvgPool1d": (2,), "AvgPool2d": (2,),
        "AvgPool3d": (2,), "MaxPool1d": (2,), "MaxPool2d": (2,), "MaxPool3d": (2,),
        "MaxUnpool1d": (2,), "MaxUnpool2d": (2,), "MaxUnpool3d": (2,), "LPPool1d": (2, 2),
        "LPPool2d": (2, 2), "AdaptiveAvgPool1d": (2,), "AdaptiveAvgPool2d": (2,),
        "AdaptiveAvgPool3d": (2,), "AdaptiveMaxPool1d": (2,), "AdaptiveMaxPool2d": (2,),
        "AdaptiveMaxPool3d": (2,), "FractionalMaxPool2d": (2, 3), "FractionalMaxPool3d": (2, 3),
        "ReflectionPad1d": (1,), "ReflectionPad2d": (1,), "ReflectionPad3d": (1,),
        "ReplicationPad1d": (1,), "ReplicationPad2d": (1,), "ReplicationPad3d": (1,),
        "ZeroPad2d": (1,), "ConstantPad1d": (1, 0.5), "ConstantPad2d": (1, 0.5),
        "ConstantPad3d": (1, 0.5), "Threshold": (0.1, 2), "Fold": (4, 2), "Unfold": (2,),
        "Unflatten": (1, (2, 2)), "PixelShuffle": (2,), "PixelUnshuffle": (2,),
        "ChannelShuffle": (2,), "UpsamplingNearest2d": (None, 2), "UpsamplingBilinear2d": (None, 2),
        "Upsample": (None, 2), "AdaptiveLogSoftmaxWithLoss": (8, 20, [5, 10]),
        "TripletMarginWithDistanceLoss": (), "NLLLoss2d": (), "Softmax": (1,),
    }
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not isinstance(cls, type) or not issubclass(cls, nn.Module) or name == "Module":
            continue
        try:
            yield f"nn-{name}", cls(*arguments.get(name, ()))
        except Exception as error:  # pylint: disable=broad-except
            print(f"left out: nn.{name}: {error}", file=sys.stderr)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.Tanh()),
                        nn.ModuleList([nn.Linear(2, 2)]), nn.ParameterList([torch.ones(2)]),
                        nn.ModuleDict({"a": nn.Linear(1, 1)}), nn.ParameterDict({"p": torch.ones(1)}))
    yield "encoder", encoder
    yield "net", net
    yield "weight-norm", nn.utils.weight_norm(nn.Linear(3, 3))
    yield "spectral-norm", nn.utils.spectral_norm(nn.Linear(3, 3))
    yield "parametrized", nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)).state_dict()
    yield "data-parallel", nn.DataParallel(nn.Linear(2, 2))
    import torch.nn.utils.prune
    pruned = nn.Linear(4, 4)
    torch.nn.utils.prune.l1_unstructured(pruned, "weight", amount=0.5)
    yield "pruned", pruned
    yield "dynamic-quantised", torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4)), {nn.Linear, nn.LSTM}, dtype=torch.qint8)
    model = nn.Sequential(torch.ao.quantization.QuantStub(), nn.Conv2d(1, 2, 3), nn.ReLU(),
                          torch.ao.quantization.DeQuantStub())
    model.eval()
    model.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    fused = torch.ao.quantization.fuse_modules(model, [["1", "2"]])
    prepared = torch.ao.quantization.prepare(fused)
    prepared(torch.rand(1, 1, 8, 8))
    yield "prepared", prepared
    converted = torch.ao.quantization.convert(prepared)
    yield "static-quantised", converted
    yield "static-quantised-state", converted.state_dict()
    training = torch.ao.quantization.prepare_qat(nn.Sequential(nn.Linear(3, 3)).train())
    yield "qat", training


def torch_values(torch):
    nn = torch.nn
    for kind in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64,
                 torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64,
                 torch.complex128):
        yield f"tensor-{str(kind)[6:]}", torch.zeros(5, 3).to(kind)
    base = torch.arange(1000.0)
    yield "shared", {"a": base, "b": base[10:20], "c": base.view(10, 100).t(), "d": base}
    yield "sparse-coo", torch.eye(5).to_sparse()
    yield "sparse-csr", torch.eye(5).to_sparse_csr()
    yield "quantised-tensor", torch.quantize_per_tensor(torch.ones(4), 0.1, 3, torch.quint8)
    yield "quantised-channel", torch.quantize_per_channel(
        torch.ones(2, 4), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8)
    yield "parameter", nn.Parameter(torch.ones(3), requires_grad=False)
    yield "conj", torch.tensor([1 + 2j]).conj()
    yield "negative", torch.tensor([1 + 2j]).conj().imag
    yield "meta", torch.empty(3, device="meta")
    yield "grad", torch.ones(3, requires_grad=True)
    yield "named", torch.zeros(2, 3)
    yield "large", torch.rand(200000)
    yield "noise", torch.randint(0, 256, (100000,), dtype=torch.uint8)
    yield "zero", torch.zeros(100000)
    yield "generator-state", torch.Generator().get_state()
    yield "storage", torch.arange(5.0).storage()
    yield "things", [torch.Size((1, 2)), torch.device("cuda:0"), torch.float16, torch.strided,
                     torch.contiguous_format, torch.channels_last, torch.per_tensor_affine,
                     torch.finfo, torch.nn.functional.relu, torch.nn.functional.gelu, torch.tanh]
    yield "attribute", attributed(torch)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    loss = model(torch.rand(2, 4)).sum()
    loss.backward()
    for name in ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD",
                 "Adamax", "NAdam", "RAdam", "LBFGS"):
        optimiser = getattr(torch.optim, name)(model.parameters(), lr=0.01)
        optimiser.step(lambda: loss)
        yield f"optim-{name}", {"model": model.state_dict(), "optim": optimiser.state_dict()}
        yield f"optim-object-{name}", optimiser
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    schedulers = torch.optim.lr_scheduler
    for scheduler in (schedulers.StepLR(optimiser, 3), schedulers.CosineAnnealingLR(optimiser, 5),
                      schedulers.ReduceLROnPlateau(optimiser), schedulers.ExponentialLR(optimiser, 0.9),
                      schedulers.MultiStepLR(optimiser, [2, 4]), schedulers.LinearLR(optimiser),
                      schedulers.OneCycleLR(optimiser, 0.1, total_steps=10)):
        yield f"scheduler-{type(scheduler).__name__}", scheduler.state_dict()
    yield "swa", torch.optim.swa_utils.AveragedModel(model).state_dict()
    yield "scaler", torch.cuda.amp.GradScaler(enabled=False).state_dict()
    yield "dataset", torch.utils.data.TensorDataset(torch.rand(4, 2), torch.ones(4))
    yield "subset", torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.rand(4, 2)), [0, 1])
    yield "distributions", [torch.distributions.Normal(0.0, 1.0),
                            torch.distributions.Categorical(torch.ones(3))]
    yield "packed", nn.utils.rnn.pack_sequence([torch.ones(3, 1), torch.ones(2, 1)])
    yield "namedtuple", torch.max(torch.rand(3, 3), 0)
    yield "mixed", {"numpy": __import__("numpy").arange(5), "args": __import__("argparse").Namespace(lr=1),
                    "path": pathlib.PurePosixPath("x"), "when": datetime.datetime(2026, 1, 1),
                    "counter": collections.Counter("ab"), "d": collections.defaultdict(list)}


def attributed(torch):
    tensor = torch.ones(2)
    tensor.note = "mine"
    return tensor


def save_torch(torch, out, name, value):
    for kind, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False}),
                          ("zip-4", {"pickle_protocol": 4}), ("legacy-4", {
                              "_use_new_zipfile_serialization": False, "pickle_protocol": 4})):
        if kind.endswith("-4") and name.startswith("nn-"):
            continue
        path = out.path(f"torch-{kind}/{name}.pt", f"torch.save, {kind}")
        try:
            torch.save(value, path, **options)
        except Exception as error:  # pylint: disable=broad-except
            print(f"left out: {name} as {kind}: {type(error).__name__}: {error}", file=sys.stderr)
            if os.path.exists(path):
                os.unlink(path)
            out.drop()


def make_torch(out):
    import torch
    torch.manual_seed(0)
    engines = torch.backends.quantized.supported_engines
    torch.backends.quantized.engine = "fbgemm" if "fbgemm" in engines else "qnnpack"
    for producer in (torch_modules, torch_values):
        values = producer(torch)
        while True:
            try:
                name, value = next(values)
            except StopIteration:
                break
            except Exception as error:  # pylint: disable=broad-except
                print(f"left out: the rest of {producer.__name__}: {error}", file=sys.stderr)
                break
            save_torch(torch, out, name, value)
    make_scripts(out, torch)
    tensors = {f"layer.{n}.weight": torch.rand(4, 4) for n in range(300)}
    for ending in (".pt", ".pth", ".bin", ".ckpt", ".pkl"):
        torch.save(tensors, out.path("torch-endings/model" + ending, "torch.save"))
    with open(out.path("torch-endings/pickled.pkl", "pickle of tensors"), "wb") as f:
        pickle.dump(tensors, f)


def make_scripts(out, torch):
    nn = torch.nn
    examples = {
        "linear": (nn.Linear(3, 2), torch.rand(1, 3)),
        "conv": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()), torch.rand(1, 1, 8, 8)),
        "lstm": (nn.LSTM(3, 4), torch.rand(2, 1, 3)),
        "embedding": (nn.Embedding(5, 3), torch.tensor([1])),
        "transformer": (nn.TransformerEncoderLayer(8, 2, 16).eval(), torch.rand(2, 1, 8)),
    }
    for name, (module, example) in examples.items():
        for kind, make in (("script", lambda: torch.jit.script(module)),
                           ("trace", lambda: torch.jit.trace(module, example)),
                           ("freeze", lambda: torch.jit.freeze(torch.jit.script(module.eval()))),
                           ("optimise", lambda: torch.jit.optimize_for_inference(
                               torch.jit.script(module.eval())))):
            path = out.path(f"torch-jit/{name}-{kind}.pt", f"torch.jit, {kind}")
            try:
                torch.jit.save(make(), path, _extra_files={"notes.json": b'{"a": 1}'} if kind == "script" else {})
            except Exception as error:  # pylint: disable=broad-except
                print(f"left out: {name} as {kind}: {error}", file=sys.stderr)
                out.drop()
        try:
            scripted = torch.jit.script(module.eval())
            scripted._save_for_lite_interpreter(out.path(f"torch-jit/{name}.ptl", "lite interpreter"))
        except Exception as error:  # pylint: disable=broad-except
            print(f"left out: {name} lite: {error}", file=sys.stderr)
            out.drop()


# --- ONNX ---

def make_onnx(out):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    for number in range(1, 17):
        try:
            kind = onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[number]
            values = np.ones((2, 3)).astype(kind)
            raw = numpy_helper.from_array(values, "w")
            graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [],
                                      [helper.make_tensor_value_info("y", number, [2, 3])], [raw])
            onnx.save(helper.make_model(graph), out.path(f"onnx/type-{number}.onnx", "onnx.save"))
            typed = helper.make_tensor("w", number, [2, 3], list(values.flatten()))
            graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [],
                                      [helper.make_tensor_value_info("y", number, [2, 3])], [typed])
            onnx.save(helper.make_model(graph), out.path(f"onnx/typed-{number}.onnx", "onnx.save"))
        except Exception as error:  # pylint: disable=broad-except
            print(f"left out: onnx type {number}: {error}", file=sys.stderr)
    branch = lambda name: helper.make_graph(  # noqa: E731
        [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.ones(3, "f4"), name))],
        name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3])])
    graph = helper.make_graph(
        [helper.make_node("If", ["c"], ["y"], then_branch=branch("t"), else_branch=branch("e"))], "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])])
    model = helper.make_model(graph, producer_name="pytorch", producer_version="1.13.0")
    helper.set_model_props(model, {"author": "somebody", "note": "caf\u00e9"})
    onnx.save(model, out.path("onnx/if.onnx", "onnx.save"))
    weights = [numpy_helper.from_array(np.random.rand(64, 64).astype("f4"), f"w{n}") for n in range(8)]
    nodes = [helper.make_node("MatMul", ["x" if n == 0 else f"h{n - 1}", f"w{n}"], [f"h{n}"]) for n in range(8)]
    graph = helper.make_graph(nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 64])],
                              [helper.make_tensor_value_info("h7", TensorProto.FLOAT, ["batch", 64])], weights)
    model = helper.make_model(graph)
    onnx.save(model, out.path("onnx/mlp.onnx", "onnx.save"))
    path = out.path("onnx/external.onnx", "onnx.save, external data")
    onnx.save_model(model, path, save_as_external_data=True, all_tensors_to_one_file=True,
                    location="external.data", size_threshold=0)
    model = onnx.load(out.root / "onnx/mlp.onnx")
    path = out.path("onnx-many/external.onnx", "onnx.save, external data, file each")
    onnx.save_model(model, path, save_as_external_data=True, all_tensors_to_one_file=False,
                    size_threshold=0)
    ms = helper.make_model(helper.make_graph(
        [helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    onnx.save(ms, out.path("onnx/microsoft.onnx", "onnx.save"))
    try:
        import torch
        nets = {"torch-mlp": (torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()), torch.rand(1, 3)),
                "torch-conv": (torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)),
                               torch.rand(1, 1, 8, 8)),
                "torch-lstm": (torch.nn.LSTM(3, 4), torch.rand(2, 1, 3))}
        for name, (net, example) in nets.items():
            torch.onnx.export(net.eval(), example, out.path(f"onnx/{name}.onnx", "torch.onnx.export"))
    except Exception as error:  # pylint: disable=broad-except
        print(f"left out: torch.onnx: {error}", file=sys.stderr)
        out.drop()


def main():
    root = pathlib.Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    out = Out(root)
    wanted = sys.argv[2:]
    for maker in (make_standard, make_numpy, make_sklearn, make_torch, make_onnx):
        if wanted and maker.__name__ not in wanted:
            continue
        try:
            maker(out)
        except ImportError as error:
            print(f"skipped: {maker.__name__}: {error}", file=sys.stderr)
    with open(root / "manifest.tsv", "w", encoding="utf-8") as f:
        f.write("path\tlabel\tmade_by\n")
        for entry in ROWS:
            f.write("\t".join(entry) + "\n")
    print(f"{len(ROWS)} files")


if __name__ == "__main__":
    main()
