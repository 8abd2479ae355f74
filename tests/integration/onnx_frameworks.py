#!/usr/bin/env python3
"""ONNX models made by python3-onnx and by PyTorch's exporter are clean: every data type, raw and typed,
subgraphs, functions, sparse tensors, external data, training, and the node tests that ONNX ships."""
import glob
import io
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as e:
    print("skipped: python3-onnx is not installed (%s)" % e)
    sys.exit(77)

TUTELA = os.environ["TUTELA"]


def value(name, shape=(2, 2), kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape))


def types(out):
    """One initializer of each type, raw and typed."""
    initializers = []
    for kind, code in sorted(TensorProto.DataType.items()):
        if code == 0:
            continue
        numbers = [b"a", b"bc", b"", b"d"] if kind == "STRING" else [1, 0, 1, 1]
        try:
            initializers.append(helper.make_tensor("typed_" + kind, code, [2, 2], numbers))
        except (KeyError, TypeError, ValueError, RuntimeError) as e:
            print("this onnx does not make typed %s: %s" % (kind, e))
        try:
            array = np.array(numbers[:4]).astype(helper.tensor_dtype_to_np_dtype(code)
                                                 if hasattr(helper, "tensor_dtype_to_np_dtype")
                                                 else onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[code])
            if kind not in ("STRING", "BFLOAT16"):
                initializers.append(numpy_helper.from_array(array, "raw_" + kind))
        except (KeyError, TypeError, ValueError, RuntimeError, NotImplementedError) as e:
            print("this onnx does not make raw %s: %s" % (kind, e))
    nodes = [helper.make_node("Identity", [t.name], ["out_" + t.name]) for t in initializers]
    graph = helper.make_graph(nodes, "types", [], [value("out_" + t.name, (2, 2), t.data_type)
                                                   for t in initializers], initializers)
    onnx.save(helper.make_model(graph), os.path.join(out, "types.onnx"))
    return len(initializers)


def control_flow(out):
    branch = [helper.make_graph([helper.make_node(
        "Constant", [], ["y%d" % i], value=numpy_helper.from_array(np.ones((2, 2), np.float32) * i))],
        "branch%d" % i, [], [value("y%d" % i)]) for i in range(2)]
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["v2"])], "body",
        [value("i", (), TensorProto.INT64), value("c", (), TensorProto.BOOL), value("v")],
        [value("c2", (), TensorProto.BOOL), value("v2")])
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("sv", TensorProto.FLOAT, [2], [1.0, 2.0]),
        helper.make_tensor("si", TensorProto.INT64, [2], [0, 3]), [4])
    nodes = [helper.make_node("If", ["cond"], ["a"], then_branch=branch[0], else_branch=branch[1]),
             helper.make_node("Loop", ["n", "cond", "a"], ["b"], body=body),
             helper.make_node("Constant", [], ["sp"], sparse_value=sparse)]
    graph = helper.make_graph(nodes, "flow", [value("cond", (), TensorProto.BOOL),
                                              value("n", (), TensorProto.INT64)], [value("b")])
    graph.sparse_initializer.append(sparse)
    onnx.save(helper.make_model(graph), os.path.join(out, "flow.onnx"))


def functions(out):
    function = helper.make_function("custom", "Linear", ["x", "a", "b"], ["y"],
                                    [helper.make_node("MatMul", ["x", "a"], ["xa"]),
                                     helper.make_node("Add", ["xa", "b"], ["y"])],
                                    [helper.make_opsetid("", 14)], [])
    graph = helper.make_graph([helper.make_node("Linear", ["X", "A", "B"], ["Y"], domain="custom")],
                              "functions", [value("X"), value("A"), value("B")], [value("Y")])
    model = helper.make_model(graph, functions=[function],
                              opset_imports=[helper.make_opsetid("", 14), helper.make_opsetid("custom", 1)])
    helper.set_model_props(model, {"license": "mit", "note": "\u00fc"})
    onnx.save(model, os.path.join(out, "functions.onnx"))


def external(out):
    weights = [numpy_helper.from_array(np.random.RandomState(i).randn(64, 64).astype(np.float32), "w%d" % i)
               for i in range(3)]
    nodes = [helper.make_node("MatMul", ["x" if i == 0 else "h%d" % (i - 1), "w%d" % i], ["h%d" % i])
             for i in range(3)]
    graph = helper.make_graph(nodes, "external", [value("x", (1, 64))], [value("h2", (1, 64))], weights)
    for name, one in (("one", True), ("many", False)):
        folder = os.path.join(out, name)
        os.mkdir(folder)
        onnx.save(helper.make_model(graph), os.path.join(folder, "external.onnx"),
                  save_as_external_data=True, all_tensors_to_one_file=one, size_threshold=0)


def torch_models(out):
    try:
        import torch
    except ImportError:
        print("without PyTorch: its exporter was not tried")
        return
    torch.manual_seed(1)
    models = {
        "cnn": (torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                                    torch.nn.Flatten(), torch.nn.Linear(8 * 36, 4)),
                torch.randn(1, 3, 8, 8)),
        "lstm": (torch.nn.LSTM(4, 8), torch.randn(3, 1, 4)),
        "transformer": (torch.nn.TransformerEncoderLayer(16, 2, 32), torch.randn(3, 1, 16)),
    }
    for name, (module, example) in models.items():
        try:
            raw = io.BytesIO()
            torch.onnx.export(module.eval(), example, raw)
        except Exception as e:  # the exporter lacks operators in some versions
            print("this PyTorch does not export %s: %s" % (name, str(e).splitlines()[0]))
            continue
        with open(os.path.join(out, name + ".onnx"), "wb") as f:
            f.write(raw.getvalue())


def shipped():
    folder = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    return sorted(glob.glob(os.path.join(folder, "**", "*.onnx"), recursive=True))


def main():
    with tempfile.TemporaryDirectory() as out:
        count = types(out)
        control_flow(out)
        functions(out)
        external(out)
        torch_models(out)
        paths = sorted(glob.glob(os.path.join(out, "**", "*.onnx"), recursive=True)) + shipped()
        run = subprocess.run([TUTELA, "scan", "--format", "json"] + paths, capture_output=True,
                             timeout=280)
        if run.returncode not in (0, 1, 3):
            sys.exit("scan ended with %d: %s" % (run.returncode, run.stderr.decode()))
        files = json.loads(run.stdout)["files"]
        wrong = ["%s: %s, %s, %s" % (f["path"], f["format"], f["verdict"],
                                     [(x["rule"], x["message"]) for x in f["findings"]])
                 for f in files if f["format"] != "onnx" or f["verdict"] != "clean" or
                 f["status"] != "complete"]
    if len(files) != len(paths) or len(files) < 5 or count < 20:
        wrong.append("%d models of %d, %d tensors" % (len(files), len(paths), count))
    print("%d models, %d wrong" % (len(files), len(wrong)))
    for line in wrong[:20]:
        print(line)
    sys.exit(1 if wrong else 0)


main()
