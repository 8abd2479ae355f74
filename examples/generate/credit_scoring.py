"""Makes the data and models of examples/credit-scoring. Run: /usr/bin/python3 examples/generate/credit_scoring.py"""
import csv
import os

import joblib
import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from formats import write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM = os.path.join(HERE, "..", "credit-scoring")
RNG = np.random.default_rng(304223)
COLUMNS = ["income", "debt", "years_employed", "late_payments", "age"]


def applications(rows):
    """Synthetic: no row is about a person."""
    income = RNG.lognormal(10.4, 0.4, rows).round(0)
    debt = (income * RNG.beta(2, 5, rows)).round(0)
    years = RNG.integers(0, 35, rows)
    late = RNG.poisson(0.6, rows)
    age = (years + RNG.integers(19, 40, rows)).clip(18, 80)
    risk = -1.5 + 2.5 * debt / income + 0.8 * late - 0.04 * years
    defaulted = (RNG.random(rows) < 1 / (1 + np.exp(-risk))).astype(int)
    return np.column_stack([income, debt, years, late, age]), defaulted


def write_csv(name, features, labels):
    with open(f"{SYSTEM}/data/{name}", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS + ["defaulted"])
        for row, label in zip(features, labels):
            writer.writerow([int(value) for value in row] + [int(label)])


def write_onnx(scaler, model):
    weight = (model.coef_ / scaler.scale_).astype(np.float32).T
    bias = (model.intercept_ - (model.coef_ * scaler.mean_ / scaler.scale_).sum(axis=1)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["applications", "weight", "bias"], ["logit"]),
         helper.make_node("Sigmoid", ["logit"], ["probability"])],
        "credit-scoring",
        [helper.make_tensor_value_info("applications", TensorProto.FLOAT, ["rows", len(COLUMNS)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1])],
        [helper.make_tensor("weight", TensorProto.FLOAT, weight.shape, weight.tobytes(), raw=True),
         helper.make_tensor("bias", TensorProto.FLOAT, bias.shape, bias.tobytes(), raw=True)])
    made = helper.make_model(graph, producer_name="credit-scoring", opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    onnx.save(made, f"{SYSTEM}/models/classifier.onnx")
    write_safetensors(f"{SYSTEM}/models/classifier.safetensors",
                      [("weight", "F32", weight.shape, weight.tobytes()), ("bias", "F32", bias.shape, bias.tobytes())],
                      {"format": "np", "features": ",".join(COLUMNS)})


if __name__ == "__main__":
    for folder in ("data", "models"):
        os.makedirs(f"{SYSTEM}/{folder}", exist_ok=True)
    features, labels = applications(600)
    write_csv("applications-train.csv", features[:450], labels[:450])
    write_csv("applications-test.csv", features[450:], labels[450:])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline.fit(features[:450], labels[:450])
    joblib.dump(pipeline, f"{SYSTEM}/models/classifier.joblib", compress=("zlib", 3))
    write_onnx(pipeline[0], pipeline[1])
