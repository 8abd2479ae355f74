#!/usr/bin/python3
"""Harmless models of trees and tables by the programs that write them: framework_trees.py DIRECTORY

XGBoost in every format and of every kind of booster, R's serialisation in every form and
compression, msgpack and UBJSON by their Python libraries. Whatever is not installed is left out.
manifest.tsv lists path, label and what made it.
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")
ROWS = []
ROOT = pathlib.Path(".")


def path(name, made_by):
    target = ROOT / name
    target.parent.mkdir(parents=True, exist_ok=True)
    ROWS.append((name, "benign", made_by))
    return str(target)


# --- XGBoost ---
def xgboost_models(np, xgb):
    rng = np.random.RandomState(5)
    x = rng.rand(300, 6)
    x[rng.rand(300, 6) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0]) * 3 + rng.rand(300)
    label = (y > y.mean()).astype(int)
    three = (y * 1.2).astype(int) % 3
    plain = xgb.DMatrix(x, y)

    def train(params, data, rounds=4, **more):
        return xgb.train(dict(params, nthread=1, verbosity=0), data, rounds, **more)

    yield "regressor", train({"max_depth": 4}, plain)
    yield "logistic", train({"objective": "binary:logistic"}, xgb.DMatrix(x, label))
    yield "softmax", train({"objective": "multi:softprob", "num_class": 3}, xgb.DMatrix(x, three))
    for objective in ("reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:gamma",
                      "reg:tweedie", "count:poisson", "survival:cox", "binary:hinge",
                      "binary:logitraw", "reg:logistic"):
        target = label if objective.startswith(("binary", "reg:logistic")) else y + 0.1
        yield objective.replace(":", "-"), train({"objective": objective}, xgb.DMatrix(x, target), 2)
    aft = xgb.DMatrix(x)
    aft.set_float_info("label_lower_bound", y + 0.1)
    aft.set_float_info("label_upper_bound", y + 1)
    yield "aft", train({"objective": "survival:aft", "eval_metric": "aft-nloglik",
                        "aft_loss_distribution": "normal", "tree_method": "hist"}, aft)
    ranked = xgb.DMatrix(x, three)
    ranked.set_group([100, 100, 100])
    for objective in ("rank:pairwise", "rank:ndcg", "rank:map"):
        data = ranked
        if objective == "rank:map":
            data = xgb.DMatrix(x, label)
            data.set_group([150, 150])
        yield objective.replace(":", "-"), train({"objective": objective}, data)
    yield "dart", train({"booster": "dart", "rate_drop": 0.3}, plain, 6)
    yield "gblinear", train({"booster": "gblinear"}, xgb.DMatrix(np.nan_to_num(x), y))
    yield "forest", train({"num_parallel_tree": 3, "subsample": 0.7}, plain)
    yield "pruned", train({"tree_method": "exact", "gamma": 2.0, "max_depth": 7}, plain)
    yield "lossguide", train({"tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 20,
                              "max_depth": 0}, plain)
    yield "stump", train({"max_depth": 1}, plain, 1)
    yield "constant", train({"gamma": 1e9}, plain, 2)
    yield "untrained", train({}, plain, 0)
    yield "deep", train({"max_depth": 12, "min_child_weight": 0, "reg_lambda": 0}, plain, 10)
    yield "two-targets", train({"tree_method": "hist"}, xgb.DMatrix(x, np.stack([y, y * 2], 1)))
    named = xgb.DMatrix(x, y, feature_names=["age", "income (\u20ac)", "a_b", "x.y", "\u4e2d", "f5"],
                        feature_types=["q", "q", "int", "float", "q", "q"])
    booster = train({}, named)
    booster.set_attr(best_score="0.25", note="trained on 2024-05-01 \u2713", owner="team")
    yield "named", booster
    codes = x.copy()
    codes[:, 0] = rng.randint(0, 12, 300)
    codes[:, 1] = rng.randint(0, 3, 300)
    data = xgb.DMatrix(codes, y, feature_types=["c", "c", "q", "q", "q", "q"], enable_categorical=True)
    yield "categories", train({"tree_method": "hist", "max_cat_to_onehot": 1}, data)
    yield "one-hot", train({"tree_method": "hist", "max_cat_to_onehot": 100}, data)
    odd = x.copy()
    odd[:40, 2] = np.inf
    odd[40:80, 2] = -1e38
    yield "large-values", train({}, xgb.DMatrix(odd, y * 1e30, missing=np.nan) if False else
                                xgb.DMatrix(np.clip(odd, -1e38, 1e38), y * 1e20))
    updated = train({}, plain)
    yield "refreshed", train({"process_type": "update", "updater": "refresh"}, plain, 4,
                             xgb_model=updated)
    yield "sliced", updated[1:3]
    model = xgb.XGBClassifier(n_estimators=3, max_depth=3, n_jobs=1)
    model.fit(x, three)
    yield "sklearn-classifier", model
    ranker = xgb.XGBRFRegressor(n_estimators=4, n_jobs=1)
    ranker.fit(x, y)
    yield "sklearn-forest", ranker


def xgboost():
    try:
        import numpy as np
        import xgboost as xgb
    except ImportError:
        print("without xgboost")
        return
    for name, model in xgboost_models(np, xgb):
        for ending in ("json", "ubj", "deprecated", "model"):
            if ending in ("deprecated", "model") and name in ("categories", "one-hot", "two-targets"):
                continue  # the old format cannot hold them
            model.save_model(path("xgboost/%s.%s" % (name, ending), "xgboost " + xgb.__version__))
    booster = next(xgboost_models(np, xgb))[1]
    for raw in ("json", "ubj", "deprecated"):
        pathlib.Path(path("xgboost/raw_%s.%s" % (raw, "json" if raw == "json" else "bin"), "xgboost")).write_bytes(
            booster.save_raw(raw_format=raw))
    import pickle
    for protocol in (2, 4, 5):
        pathlib.Path(path("xgboost/p%d.pkl" % protocol, "xgboost, pickle")).write_bytes(
            pickle.dumps(booster, protocol))


# --- msgpack ---
def flax_state(msgpack, np):
    def pack(array):
        return msgpack.packb((array.shape, array.dtype.name, array.tobytes("C")), use_bin_type=True)

    def hook(value):
        if isinstance(value, np.ndarray):
            return msgpack.ExtType(1, pack(value))
        if isinstance(value, np.generic):
            return msgpack.ExtType(3, pack(np.asarray(value)))
        if isinstance(value, complex):
            return msgpack.ExtType(2, msgpack.packb((value.real, value.imag)))
        return value

    rng = np.random.RandomState(1)

    def dumps(tree):
        return msgpack.packb(tree, default=hook, strict_types=True)

    dense = {"kernel": rng.randn(16, 8).astype("f4"), "bias": np.zeros(8, "f4")}
    yield "params", dumps({"params": {"Dense_0": dense, "Dense_1": dense}})
    yield "state", dumps({"step": np.int32(7), "params": {"a": dense}, "opt_state": {"0": {}, "1": {
        "count": np.int32(7), "mu": dense, "nu": dense}}})
    yield "dtypes", dumps({t: rng.randint(0, 2, (3, 4)).astype(t) for t in
                           ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
                            "uint64", "float16", "float32", "float64", "complex64", "complex128")})
    yield "scalars", dumps({"a": np.float32(1.5), "b": np.int64(-3), "c": 1 + 2j, "d": 3, "e": 2.5,
                            "f": None, "g": True, "h": "text"})
    yield "empty", dumps({"a": np.zeros((0, 3), "f4"), "b": np.zeros((), "f4"), "c": {}})
    yield "chunked", dumps({"w": {"__msgpack_chunked_array__": True, "shape": {"0": 4, "1": 4},
                                  "chunks": {"0": rng.randn(8).astype("f4"),
                                             "1": rng.randn(8).astype("f4")}}})
    yield "large", dumps({"params": {"layer_%d" % i: dense for i in range(300)}})
    bf16 = msgpack.ExtType(1, msgpack.packb(((2, 3), "bfloat16", b"\x3f\x80" * 6),
                                            use_bin_type=True))
    yield "bfloat16", msgpack.packb({"params": {"w": bf16}})


def plain_values():
    yield "numbers", {"a": [0, 127, 128, 255, 256, 65535, 65536, 2 ** 32, -1, -33, -129, -40000, -2 ** 40],
                      "b": [0.5, 1e300]}
    yield "texts", {"kurz": "a", "lang": "x" * 70000, "mittel": "y" * 300, "u": "\u4e2d\U0001f600"}
    yield "lists", {"l": list(range(70000)), "m": {str(n): n for n in range(40)}}
    yield "bytes", {"a": b"abc", "b": bytes(70000), "c": random.Random(3).randbytes(3000)}
    yield "nested", {"a": {"b": {"c": {"d": [[[[1]]]]}}}}


def msgpack_files():
    try:
        import msgpack
        import numpy as np
    except ImportError:
        print("without msgpack")
        return
    for name, data in flax_state(msgpack, np):
        pathlib.Path(path("msgpack/flax_%s.msgpack" % name, "msgpack, as Flax")).write_bytes(data)
    for name, value in plain_values():
        pathlib.Path(path("msgpack/%s.msgpack" % name, "msgpack")).write_bytes(msgpack.packb(value))
    import datetime
    stamp = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    pathlib.Path(path("msgpack/time.msgpack", "msgpack")).write_bytes(
        msgpack.packb({"at": stamp, "name": "run"}, datetime=True))
    pathlib.Path(path("msgpack/list.msgpack", "msgpack")).write_bytes(
        msgpack.packb([{"a": 1}, {"a": 2}]))


# --- UBJSON ---
def ubjson_files():
    try:
        import ubjson
    except ImportError:
        print("without ubjson")
        return
    for name, value in plain_values():
        for counted in (False, True):
            pathlib.Path(path("ubjson/%s_%d.ubj" % (name, counted), "py-ubjson")).write_bytes(
                ubjson.dumpb(value, container_count=counted))


# --- R ---
R_SCRIPT = r"""
set.seed(1); out <- commandArgs(TRUE)[1]
setClass("Point", representation(x = "numeric", y = "numeric"))
setRefClass("Counter", fields = list(n = "numeric"), methods = list(add = function() n <<- n + 1))
e <- new.env(); e$a <- 1; e$self <- e; e$f <- function(x) x + 1
maker <- function(data, k) { force(k); m <- lm(mpg ~ wt + hp, data = data); list(m = m, k = k) }
lazy <- function(n, text) function(x) x * n
compiled <- compiler::cmpfun(function(x) { for (i in 1:3) x <- x + i; if (x > 2) "a" else c(b = 1) })
jit <- function(x) sapply(x, function(v) v^2); for (i in 1:4) jit(1:3)
values <- list(
  integer = 1:10, real = rnorm(50), logical = c(TRUE, NA, FALSE), complex = complex(real = 1:3),
  character = c("a", NA, "\u4e2d", "b\"q\\", "new\nline"), raw = as.raw(0:255), null = NULL, list = list(1, "a", list(2)),
  seq = 1:1000000, sorted = sort(rnorm(5)), factor = factor(c("x", "y", "x")), matrix = matrix(1:6, 2), array = array(1:24, 2:4),
  date = Sys.Date(), time = Sys.time(), lt = as.POSIXlt(Sys.time()), df = iris, cars = mtcars, formula = y ~ log(x) + I(x^2),
  call = quote(f(x, y = 2)), expression = expression(a + b, c), symbol = as.name("x"), s4 = new("Point", x = 1, y = 2),
  ref = new("Counter", n = 0)$n, env = e, closure = function(x, ...) x + 1, compiled = compiled, jit = jit, builtin = sum,
  special = `if`, lm = lm(mpg ~ ., mtcars), lmfun = maker(mtcars, 3), lazy = lazy(1 + 2, "t"),
  glm = glm(am ~ wt, binomial, mtcars), nls = nls(mpg ~ a + b * wt, mtcars, start = list(a = 40, b = -5)),
  loess = loess(mpg ~ wt, mtcars), spline = smooth.spline(mtcars$wt, mtcars$mpg), prcomp = prcomp(mtcars), kmeans = kmeans(mtcars, 3),
  hclust = hclust(dist(mtcars)), aov = aov(yield ~ block, npk), table = table(mtcars$cyl), ecdf = ecdf(mtcars$mpg),
  approx = approxfun(1:3, 4:6), splinefun = splinefun(1:5, (1:5)^2), ar = ar(lh), ts = AirPassengers, arima = arima(lh, c(1, 0, 0)), optim = optim(c(1, 1), function(p) sum((p - 3)^2)),
  step = stepfun(1:3, 0:3), density = density(mtcars$mpg), ppr = ppr(mpg ~ wt + hp, data = mtcars, nterms = 1),
  named = c(a = 1, b = 2), nested = rapply(list(1, list(2)), function(v) v, how = "list"), namespace = asNamespace("stats"), globalenv = globalenv(),
  ns_closure = stats::sd, bigtext = strrep("x", 1e5), deferred = as.character(1:100), wrapped = rev(sort(c(3, 1, 2))))
dir.create(file.path(out, "r"), FALSE, TRUE)
for (n in names(values)) saveRDS(values[[n]], file.path(out, "r", paste0(n, ".rds")))
saveRDS(NULL, file.path(out, "r", "null.rds"))
for (n in c("lm", "df", "env", "character", "raw", "closure", "compiled", "s4", "factor", "lazy", "complex", "seq", "logical")) {
  v <- values[[n]]
  for (c in c("gzip", "bzip2", "xz")) saveRDS(v, file.path(out, "r", paste0(n, "_", c, ".rds")), compress = c)
  saveRDS(v, file.path(out, "r", paste0(n, "_none.rds")), compress = FALSE)
  saveRDS(v, file.path(out, "r", paste0(n, "_ascii.rds")), ascii = TRUE, compress = FALSE)
  saveRDS(v, file.path(out, "r", paste0(n, "_v2.rds")), version = 2)
  saveRDS(v, file.path(out, "r", paste0(n, "_v2a.rds")), version = 2, ascii = TRUE)
  writeBin(serialize(v, NULL, xdr = FALSE), file.path(out, "r", paste0(n, "_native.rds")))
  writeBin(serialize(v, NULL, ascii = NA), file.path(out, "r", paste0(n, "_hex.rds")))
}
a <- values$lm; b <- 1:3; f <- function(x) x; t <- "text"
save(a, b, f, t, file = file.path(out, "r", "several.rda"))
save(a, b, file = file.path(out, "r", "several.RData"), compress = "xz")
save(a, b, file = file.path(out, "r", "ascii.rda"), ascii = TRUE)
save(a, b, file = file.path(out, "r", "v2.rda"), version = 2)
save(a, b, file = file.path(out, "r", "plain.rda"), compress = FALSE)
for (p in c("randomForest", "rpart", "nnet", "MASS", "survival", "mgcv", "nlme", "class", "lattice", "Matrix", "cluster"))
  if (requireNamespace(p, quietly = TRUE)) suppressMessages(library(p, character.only = TRUE))
try(saveRDS(rpart(Species ~ ., iris), file.path(out, "r", "rpart.rds")), TRUE)
try(saveRDS(nnet(Species ~ ., iris, size = 2, trace = FALSE), file.path(out, "r", "nnet.rds")), TRUE)
try(saveRDS(lda(Species ~ ., iris), file.path(out, "r", "lda.rds")), TRUE)
try(saveRDS(coxph(Surv(time, status) ~ age, lung), file.path(out, "r", "coxph.rds")), TRUE)
try(saveRDS(gam(mpg ~ s(wt), data = mtcars), file.path(out, "r", "gam.rds")), TRUE)
try(saveRDS(lme(distance ~ age, Orthodont), file.path(out, "r", "lme.rds")), TRUE)
try(saveRDS(xyplot(mpg ~ wt, mtcars), file.path(out, "r", "lattice.rds")), TRUE)
try(saveRDS(Matrix(c(0, 1, 0, 2), 2, sparse = TRUE), file.path(out, "r", "sparse.rds")), TRUE)
try(saveRDS(randomForest(Species ~ ., iris, ntree = 5), file.path(out, "r", "forest.rds")), TRUE)
"""


def r_files():
    if not shutil.which("Rscript"):
        print("without R")
        return
    script = ROOT / "make.R"
    script.write_text(R_SCRIPT)
    subprocess.run(["Rscript", "--vanilla", str(script), str(ROOT)], check=True)
    script.unlink()
    for file in sorted((ROOT / "r").iterdir()):
        ROWS.append(("r/" + file.name, "benign", "R"))


def main():
    global ROOT
    ROOT = pathlib.Path(sys.argv[1])
    ROOT.mkdir(parents=True, exist_ok=True)
    for make in (xgboost, msgpack_files, ubjson_files, r_files):
        make()
    with open(ROOT / "manifest.tsv", "w", encoding="utf-8") as f:
        f.write("path\tlabel\tmade by\n")
        for row in ROWS:
            f.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
