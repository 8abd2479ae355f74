#!/usr/bin/env python3
"""Graphs of TensorFlow, TensorFlow Lite, ExecuTorch, Core ML, PaddlePaddle and Caffe, by their
specifications: honest ones, and one for every way in which such a file can reach out of itself or
lie. Standard library, and FlatBuffers for two formats.

    graph_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, suspicious, benign)  trick  loader  expected rules (comma)  least verdict

All payloads are inert: they would print a word, or read a file that every machine has.
"""
import json
import os
import random
import struct
import sys

import graph_files as g

ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HHI", 2, 62, 1) + b"\0" * 200
rows = []
out_dir = "."
rng = random.Random(11)


WHY = {"tf": "TensorFlow", "tflite": "TensorFlow Lite", "pte": "ExecuTorch", "coreml": "Core ML", "onnx": "onnxruntime", "names": "PyTorch",
       "paddle": "PaddlePaddle", "caffe": "Caffe", "opaque": "its runtime"}


def emit(name, data, label, trick, rules="", verdict="dangerous"):
    path = os.path.join(out_dir, name)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    if label == "benign":
        verdict = "clean"
    loader = "by specification: %s is not packaged" % WHY[name.split("/")[0]]
    rows.append((name, label, trick, loader, rules, verdict))


def floats(count, scale=0.05):
    return struct.pack("<%df" % count, *(rng.gauss(0, scale) for _ in range(count)))


# --- TensorFlow ---

def dense():
    """x @ w + b, as a frozen graph has it."""
    return [g.node("x", "Placeholder", (), [g.attr("dtype", type=g.FLOAT)]),
            g.const("w", g.FLOAT, [4, 3], floats(12)), g.const("b", g.FLOAT, [3], floats(3)),
            g.node("MatMul", "MatMul", ["x", "w"], [g.attr("transpose_a", b=False)]),
            g.node("BiasAdd", "BiasAdd", ["MatMul", "b"]),
            g.node("Softmax", "Softmax", ["BiasAdd"])]


def tf2_nodes(extra=()):
    return [g.node("saver_filename", "Placeholder", (), [g.attr("dtype", type=g.STRING)]),
            g.node("serving_default_x", "Placeholder", (), [g.attr("dtype", type=g.FLOAT)]),
            g.call("StatefulPartitionedCall", "__inference_signature_wrapper_99",
                   ["serving_default_x"]),
            g.call("StatefulPartitionedCall_1", "__inference__traced_save_123",
                   ["saver_filename"]),
            g.call("StatefulPartitionedCall_2", "__inference__traced_restore_133",
                   ["saver_filename"])] + list(extra)


def tf2_functions(extra=()):
    wrapper = g.function("__inference_signature_wrapper_99", [
        g.node("MatMul", "MatMul", ["x", "w"]), g.node("Identity", "Identity", ["MatMul:product:0"])],
        ["x"])
    return [wrapper, g.traced_save(), g.traced_restore()] + list(extra)


def tf2(nodes=(), functions=(), saver=g.SAVER, **more):
    return g.saved_model(g.meta_graph(g.graph(tf2_nodes(nodes), tf2_functions(functions)), saver,
                                      **more))


LAYER = {"class_name": "Dense", "name": "dense", "trainable": True, "dtype": "float32",
         "config": {"name": "dense", "units": 3, "activation": "softmax", "use_bias": True}}
MODEL = {"class_name": "Sequential", "name": "sequential", "keras_version": "2.11.0",
         "config": {"name": "sequential", "layers": [LAYER]}}


def objects(config):
    user = g.message((1, "_tf_keras_sequential"), (2, g.message((1, 1))), (3, json.dumps(config)))
    return g.message((1, [g.message((4, user)),
                          g.message((7, g.message((1, g.FLOAT), (6, "w"))))]))


def tf_benign():
    emit("tf/ok_frozen.pb", g.graph(dense()), "benign", "frozen graph")
    big = [g.const("t%d" % i, dtype, [16, 8], rng.randbytes(128 * size) if dtype != g.FLOAT
                   else floats(128)) for i, (dtype, size) in enumerate(
                       [(g.FLOAT, 4), (g.INT32, 4), (g.UINT8, 1), (g.INT64, 8), (g.BOOL, 1)])]
    emit("tf/ok_dtypes.pb", g.graph(big), "benign", "constants of many types")
    typed = [g.node("c", "Const", (), [g.attr("value", tensor=g.tensor(g.FLOAT, [3],
                                                                       floats=[1.0, 2.0, 3.0]))]),
             g.node("i", "Const", (), [g.attr("value", tensor=g.tensor(g.INT32, [2], ints=[-1, 5]))])]
    emit("tf/ok_typed_values.pb", g.graph(typed), "benign", "constants as numbers")
    emit("tf/ok_savedmodel/saved_model.pb", tf2(), "benign", "saver's own nodes and functions")
    emit("tf/ok_savedmodel_keras/saved_model.pb", tf2(objects=objects(MODEL)), "benign",
         "Keras configuration in the object graph")
    emit("tf/ok_two_graphs/saved_model.pb", g.saved_model(
        g.meta_graph(g.graph(tf2_nodes(), tf2_functions()), g.SAVER),
        g.meta_graph(g.graph(dense()))), "benign", "two meta graphs")
    initializer = g.function("__inference__initializer_77", [
        g.node("InitializeTableFromTextFileV2", "InitializeTableFromTextFileV2",
               ["hash_table", "asset_path"], [g.attr("vocab_size", i=-1)])], ["asset_path"])
    assets = [g.asset("asset_path_initializer:0", "vocab.txt")]
    emit("tf/ok_vocabulary/saved_model.pb", tf2(
        [g.node("asset_path_initializer", "Placeholder"),
         g.call("StatefulPartitionedCall_3", "__inference__initializer_77",
                ["asset_path_initializer"])], [initializer], assets=assets),
        "benign", "table filled from an asset")
    fed = [g.const_text("Const", "/home/ana/export/vocab.txt"),
           g.node("hash_table", "HashTableV2"),
           g.node("init", "InitializeTableFromTextFileV2", ["hash_table", "Const"])] + dense()
    emit("tf/ok_vocabulary_v1/saved_model.pb", g.saved_model(g.meta_graph(
        g.graph(fed), assets=[g.asset("Const:0", "vocab.txt")], version="1.15.0")),
        "benign", "asset's old path stands in the graph, and is replaced on load")
    v1 = dense() + [
        g.const_text("save/filename/input", "model"),
        g.node("save/filename", "PlaceholderWithDefault", ["save/filename/input"]),
        g.node("save/Const", "PlaceholderWithDefault", ["save/filename"]),
        g.const_text("save/SaveV2/tensor_names", "w", dims=[1]),
        g.node("save/SaveV2", "SaveV2", ["save/Const", "save/SaveV2/tensor_names",
                                         "save/SaveV2/shape_and_slices", "w"]),
        g.node("save/RestoreV2", "RestoreV2", ["save/Const", "save/RestoreV2/tensor_names"]),
        g.node("save/restore_all", "NoOp", ["^save/Assign"])]
    saver = g.message((1, "save/Const:0"), (2, "save/control_dependency:0"),
                      (3, "save/restore_all"), (4, 5), (7, 2))
    emit("tf/ok_cache.pb", g.graph(dense() + [g.const_text("none", ""), g.node(
        "d", "CacheDatasetV2", ["x", "none", "cache"])]), "benign", "cache in memory")
    emit("tf/ok_memmapped.pb", g.graph(dense() + [g.node("i", "ImmutableConst", (), [
        g.attr("memory_region_name", s="memmapped_package://w0")])]), "benign",
        "constant in the package that the graph comes out of")
    emit("tf/ok_table_frozen.pb", g.graph(dense() + [
        g.const_text("a", "assets/"), g.const_text("b", "vocab.txt"),
        g.node("zero", "Const", (), [g.attr("value", tensor=g.tensor(g.INT32, [], ints=[0]))]),
        g.node("name", "ConcatV2", ["a", "b", "zero"]), g.node("t", "HashTableV2"),
        g.node("i", "InitializeTableFromTextFileV2", ["t", "name"])]), "benign",
        "table filled from a vocabulary beside the graph")
    emit("tf/ok_v1/saved_model.pb", g.saved_model(g.meta_graph(g.graph(v1), saver,
                                                               version="1.15.0")),
         "benign", "saver of TensorFlow 1")
    emit("tf/ok_model.ckpt.meta", g.meta_graph(g.graph(v1), saver, version="1.15.0",
                                               ops=("Add", "Const", "SaveV2", "VariableV2")),
         "benign", "meta graph of a checkpoint")
    table = [g.node("MutableHashTable", "MutableHashTableV2"),
             g.node("MutableHashTable_lookup_table_export_values/LookupTableExportV2",
                    "LookupTableExportV2", ["MutableHashTable"])]
    emit("tf/ok_table.pb", g.graph(dense() + table), "benign", "saver exports a mutable table")
    save_fn = g.function("__inference_save_fn_501", [
        g.node("e", "LookupTableExportV2", ["table"]), g.node("Identity", "Identity", ["e:keys:0"])])
    emit("tf/ok_table_v2/saved_model.pb", tf2((), [save_fn]), "benign",
         "function that saves a table")
    emit("tf/ok_print.pb", g.graph(dense() + [
        g.node("PrintV2", "PrintV2", ["x"], [g.attr("output_stream", s="stderr")])]), "benign",
        "prints to the console")
    emit("tf/ok_proto.pb", g.graph(dense() + [
        g.node("DecodeProtoV2", "DecodeProtoV2", ["x"],
               [g.attr("descriptor_source", s="local://")])]), "benign", "decodes by linked types")
    emit("tf/ok_summary.pb", g.graph(dense() + [
        g.node("loss", "ScalarSummary", ["tag", "x"]), g.node("merge", "MergeSummary", ["loss"])]),
        "benign", "summaries as values, not files")
    emit("tf/ok_function_op.pb", g.graph(
        dense() + [g.node("f", "my_function", ["x"])],
        [g.function("my_function", [g.node("y", "Neg", ["x"])], ["x"])]), "benign",
        "node whose operator is a function of the library")
    words = ["/", "../", "~/", "https://", "a/b", "."] + ["w%d" % i for i in range(200)]
    emit("tf/ok_words.pb", g.graph(dense() + [g.const_text("words", *words, dims=[len(words)])]),
         "benign", "vocabulary with signs of paths")
    emit("tf/ok_text.pb", g.graph(dense() + [
        g.node("tok", "TFText>FastWordpieceTokenizeWithOffsets", ["x"])]), "benign",
        "operator of TensorFlow Text")
    emit("tf/ok_summary_keras/keras_metadata.pb", g.keras_metadata(
        ("root", "_tf_keras_sequential", json.dumps(MODEL)),
        ("root.layer-0", "_tf_keras_layer", json.dumps(LAYER))), "benign", "Keras metadata")


def both(name, nodes, trick, rules, verdict="dangerous", label="malicious"):
    """The nodes in a frozen graph, in a function of a SavedModel, and in its second meta graph."""
    frozen = g.graph(dense() + list(nodes))
    inner = g.function("__inference_call_55", list(nodes), ["x"])
    emit("tf/%s_frozen.pb" % name, frozen, label, trick, rules, verdict)
    emit("tf/%s_function/saved_model.pb" % name, tf2((), [inner]), label, trick + ", in a function",
         rules, verdict)
    emit("tf/%s_second/saved_model.pb" % name, g.saved_model(
        g.meta_graph(g.graph(tf2_nodes(), tf2_functions()), g.SAVER), g.meta_graph(frozen)), label,
        trick + ", in a second meta graph", rules, verdict)


def tf_reaching_out():
    name = g.const_text("name", "/etc/hostname")
    text = g.const_text("text", "echo canary")
    write, read = "tf.file-write", "tf.file-read"
    both("readfile", [name, g.node("r", "ReadFile", ["name"])], "reads a file", read)
    both("writefile", [name, text, g.node("w_", "WriteFile", ["name", "text"])], "writes a file",
         write, "malicious")
    for op in ("PyFunc", "PyFuncStateless", "EagerPyFunc"):
        both(op.lower(), [g.node("p", op, ["x"], [g.attr("token", s="pyfunc_0")])], "calls Python",
             "tf.python-op", "malicious")
    both("matching", [name, g.node("m", "MatchingFiles", ["name"])], "lists files", read)
    both("merge", [name, g.node("m", "MergeV2Checkpoints", ["name", "name"])],
         "merges checkpoints outside of the saver", write, "malicious")
    both("save", [name, g.node("s", "SaveV2", ["name", "n", "s", "x"])],
         "saves outside of the saver", write, "malicious")
    both("restore", [name, g.node("s", "RestoreV2", ["name", "n", "s"])],
         "restores from a path of its own", read)
    both("immutable", [g.node("i", "ImmutableConst", (), [
        g.attr("memory_region_name", s="/etc/hostname")])], "maps a file", read)
    both("table", [name, g.node("t", "HashTableV2"),
                   g.node("i", "InitializeTableFromTextFileV2", ["t", "name"]),
                   g.node("e", "LookupTableExportV2", ["t"])],
         "fills a table from a file, and exports it", read + ",tf.table-export")
    both("rpc", [g.node("c", "RpcClient", ["a"]), g.node("r", "RpcCall", ["c", "m", "x"])],
         "calls a server", "tf.network")
    both("summary", [g.const_text("dir", "/tmp/out"), g.node("s", "SummaryWriter"),
                     g.node("c", "CreateSummaryFileWriter", ["s", "dir"])], "writes event files",
         "tf.event-writer")
    both("debug", [g.node("d", "DebugIdentity", ["x"], [
        g.attr("debug_urls", list=g.message((2, ["grpc://example.org:6006"])))])],
        "sends values to a debugger", "tf.debug-urls")
    both("print", [g.node("p", "PrintV2", ["x"], [
        g.attr("output_stream", s="file:///tmp/canary")])], "prints into a file", write, "malicious")
    both("proto", [g.node("d", "DecodeProtoV2", ["x"], [
        g.attr("descriptor_source", s="/etc/hostname")])], "reads types from a file", read)
    for op, at in (("TextLineDataset", 0), ("TFRecordDataset", 0), ("FixedLengthRecordDataset", 0),
                   ("LMDBDataset", 0), ("LoadDataset", 0), ("SqlDataset", 1), ("CSVDataset", 0)):
        both(op.lower(), [name, g.node("d", op, ["x"] * at + ["name"])], "data set of files", read)
    both("savedataset", [name, g.node("d", "SaveDatasetV2", ["x", "name"])],
         "writes a data set", write, "malicious")
    for path in ("/etc/hostname", "../../x", "http://192.0.2.1/x"):
        word = path.strip("./").split("/")[0].rstrip(":")
        at = g.const_text("at", path)
        both("cache_" + word, [at, g.node("d", "CacheDatasetV2", ["x", "at", "cache"])],
             "caches in a file", write, "malicious")
        both("remap_" + word, [at, g.node("d", "LoadAndRemapMatrix", ["at", "n", "r", "c", "i"])],
             "reads a matrix from a path of its own", read)
    both("io_read", [name, g.node("d", "IO>FileRead", ["name"])], "reads a file", read)
    both("configure", [text, g.node("d", "FileSystemSetConfiguration", ["text", "text", "text"])],
         "sets the credentials of a file system", "tf.network")
    both("reader", [g.node("r", "WholeFileReaderV2"), g.node("q", "ReaderReadV2", ["r", "x"])],
         "reads whole files", read)
    both("cache_relative", [g.const_text("at", "cached"),
                            g.node("d", "CacheDatasetV2", ["x", "at", "cache"])],
         "caches in a file beside the server", write, "malicious")
    both("immutable_relative", [g.node("i", "ImmutableConst", (), [
        g.attr("memory_region_name", s="weights.bin")])], "maps a file beside the server", read)
    both("immutable_bare", [g.node("i", "ImmutableConst")], "maps a file that is not named", read)
    both("debug_bare", [g.node("d", "DebugIdentityV2", ["x"])], "debugger without an address",
         "tf.debug-operator", "review", "suspicious")
    emit("tf/table_from_input.pb", g.graph(dense() + [
        g.node("name", "Placeholder"), g.node("t", "HashTableV2"),
        g.node("i", "InitializeTableFromTextFileV2", ["t", "name"])]), "suspicious",
        "an input names the file of a table", "tf.file-chosen", "review")
    emit("tf/cache_computed.pb", g.graph(dense() + [
        g.const_text("a", "x"), g.node("name", "StringJoin", ["a", "y"]),
        g.node("d", "CacheDatasetV2", ["x", "name", "cache"])]), "malicious",
        "caches under a name that is put together", "tf.file-write,tf.file-chosen")
    both("custom", [g.node("c", "AcmeFancyOp", ["x"])], "operator of another library",
         "tf.custom-operator", "review", "suspicious")
    both("shell", [text, g.node("c", "ShellExecute", ["text"])],
         "operator that speaks of running commands", "tf.code-operator")
    both("native", [g.node("c", "XlaCustomCallV2", ["x"], [g.attr("call_target_name", s="canary")])],
         "native code by name", "tf.custom-operator", "review", "suspicious")


def tf_saver_tricks():
    path = "/home/user/.bashrc"
    # The saver's own function, with a name of the author's.
    forged = [g.const_text("target", path)]
    saving = g.function("__inference__traced_save_9", forged + [
        g.node("SaveV2", "SaveV2", ["target:output:0", "n", "s", "x"])])
    emit("tf/forged_saver/saved_model.pb", tf2((), [saving]), "malicious",
         "function named like the saver's writes to a path of its own", "tf.file-write", "malicious")
    joined = g.function("__inference__traced_save_9", [
        g.const_text("a", "/home/us"), g.const_text("b", "er/.bashrc"),
        g.node("j", "StringJoin", ["a:output:0", "b:output:0"]),
        g.node("i", "Identity", ["j:output:0"]),
        g.node("SaveV2", "SaveV2", ["i:output:0", "n", "s", "x"])])
    emit("tf/joined_name/saved_model.pb", tf2((), [joined]), "malicious",
         "path put together from pieces", "tf.file-write", "malicious")
    decoded = g.function("__inference__traced_save_9", [
        g.const_text("a", "L2hvbWUvdXNlci8uYmFzaHJj"), g.node("j", "DecodeBase64", ["a:output:0"]),
        g.node("SaveV2", "SaveV2", ["j:output:0", "n", "s", "x"])])
    emit("tf/decoded_name/saved_model.pb", tf2((), [decoded]), "malicious",
         "path decoded from Base64", "tf.file-write", "malicious")
    given = [g.const_text("target", path),
             g.call("StatefulPartitionedCall_9", "__inference__traced_save_123", ["target"])]
    emit("tf/given_name/saved_model.pb", tf2(given), "malicious",
         "saver's function called with a path of the graph", "tf.file-read")
    v1 = dense() + [g.const_text("save/Const", path),
                    g.node("save/SaveV2", "SaveV2", ["save/Const", "n", "s", "w"])]
    emit("tf/forged_saver_v1.pb", g.graph(v1), "malicious",
         "node named like the saver's writes to a path of its own", "tf.file-write", "malicious")
    packed = g.node("name", "Const", (), [g.attr("dtype", type=g.STRING), g.attr(
        "value", tensor=g.tensor(g.STRING, [], g.varint(len(path)) + path.encode()))])
    emit("tf/packed_name.pb", g.graph(dense() + [packed, g.node(
        "save/SaveV2", "SaveV2", ["name", "n", "s", "w"])]), "malicious",
        "path as packed content of a constant", "tf.file-write", "malicious")
    for i, filename in enumerate(["../../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x",
                                  "vocab\\..\\..\\x"]):
        emit("tf/asset_path_%d/saved_model.pb" % i, tf2(assets=[g.asset("a:0", filename)]),
             "malicious", "asset outside of the model", "tf.asset-path")


def tf_structure():
    frozen = g.graph(dense())
    emit("tf/tail_zip.pb", frozen + zip_bytes(), "malicious", "archive behind the graph",
         "zip.prefix-data", "dangerous")
    emit("tf/unknown_elf.pb", frozen + g.field(600, ELF), "malicious",
         "program in an unknown field", "data.hidden-payload", "dangerous")
    emit("tf/unknown.pb", frozen + g.field(600, b"u" * 1000), "suspicious", "large unknown field",
         "tf.unknown-field", "review")
    emit("tf/cut.pb", frozen[:-20], "suspicious", "cut off", "", "review")
    emit("tf/cut_saved/saved_model.pb", tf2()[:-50], "suspicious", "cut off", "", "review")
    short = g.const("w", g.FLOAT, [400, 300], floats(12))
    emit("tf/short_constant.pb", g.graph([short] + dense()), "suspicious", "constant too short",
         "tf.tensor-size")
    negative = g.const("w", g.FLOAT, [-4, 3], floats(12))
    emit("tf/negative_shape.pb", g.graph([negative] + dense()), "suspicious", "negative dimension",
         "tf.bad-shape")
    huge = g.const("w", g.FLOAT, [1 << 40, 1 << 40], floats(12))
    emit("tf/huge_shape.pb", g.graph([huge] + dense()), "suspicious", "product beyond memory",
         "tf.bad-shape")
    emit("tf/twice.pb", g.graph([g.node("x", "Placeholder") + g.field(2, "ReadFile")] + dense()),
         "suspicious", "operator named twice", "tf.duplicate-field")
    emit("tf/wrong_wire.pb", g.graph(dense()) + g.field(4, 7), "suspicious",
         "field of another wire type", "tf.wrong-wire-type")
    emit("tf/group.pb", frozen + b"\x0b\x0c", "suspicious", "a group", "tf.wrong-wire-type")
    emit("tf/elf_constant.pb", g.graph([g.const("w", g.UINT8, [len(ELF)], ELF)] + dense()),
         "malicious", "program in a constant", "data.hidden-payload")
    emit("tf/command.pb", g.graph(dense() + [g.const_text(
        "c", "import os; os.system('echo canary')")]), "suspicious", "command in a constant",
        "data.code-in-text", "review")


def tf_odd_beginnings():
    """A loader finds the file by its name, and passes over what it does not know."""
    write = tf2([g.const_text("name", "/tmp/x"), g.node("w_", "WriteFile", ["name", "x"])])
    for name, start in (("unknown", g.field(15, "x" * 10)), ("group", b"\x7b\x7c"),
                        ("groups", b"\x7b\x83\x01\x08\x01\x84\x01\x7c")):
        emit("tf/begins_%s/saved_model.pb" % name, start + write, "malicious",
             "a field before all others", "tf.file-write", "malicious")
    emit("tf/begins_wrong/saved_model.pb", b"\x7b\x84\x01" + write, "suspicious",
         "a group that ends under another number", "")
    emit("tf/cut/saved_model.pb", tf2()[:-20], "suspicious", "cut off", "")


def tf_lambdas():
    """Layers of Python code, where Keras looks for them when it loads a SavedModel."""
    code = {"class_name": "__tuple__", "items": ["4wEAAAAAAAAAAAAAAAEAAAABAAAAQwAAAA==", None, None]}
    layer = {"class_name": "Lambda", "name": "lambda", "trainable": True, "dtype": "float32",
             "config": {"name": "lambda", "function": code, "function_type": "lambda",
                        "module": "__main__", "output_shape": None, "arguments": {}}}
    model = {"class_name": "Sequential", "name": "sequential", "keras_version": "2.11.0",
             "config": {"name": "sequential", "layers": [LAYER, layer]}}
    emit("tf/lambda/saved_model.pb", tf2(objects=objects(model)), "malicious",
         "Lambda layer in the object graph", "keras.lambda-code")
    emit("tf/lambda/keras_metadata.pb", g.keras_metadata(
        ("root", "_tf_keras_sequential", json.dumps(model)),
        ("root.layer-1", "_tf_keras_layer", json.dumps(layer))), "malicious",
        "Lambda layer in the metadata", "keras.lambda-code")


def tf_checkpoints():
    values = floats(12) + floats(3)
    entries = {"dense/bias": (g.FLOAT, [3], 0, 48, 12), "dense/kernel": (g.FLOAT, [4, 3], 0, 0, 48)}

    def both_files(name, rows, data, label, trick, rules="", **more):
        emit("tf/%s/variables.index" % name, g.checkpoint_index(rows, **more), label, trick, rules)
        emit("tf/%s/variables.data-00000-of-00001" % name, data, "benign", "values of variables")
    both_files("ok_checkpoint", entries, values, "benign", "index of a checkpoint")
    many = {"layer_%03d/kernel" % i: (g.FLOAT, [3], 0, 12 * i, 12) for i in range(300)}
    both_files("ok_large_index", many, floats(900), "benign", "index of several blocks",
               block_size=512)
    both_files("ck_range", {"w": (g.FLOAT, [1000], 0, 0, 4000)}, values, "suspicious",
               "variable beyond its file", "tf.values-range")
    both_files("ck_offset", {"w": (g.FLOAT, [3], 0, (1 << 63) - 4, 12)}, values, "suspicious",
               "variable's place beyond its file", "tf.values-range")
    both_files("ck_size", {"w": (g.FLOAT, [3], 0, 0, 60)}, values, "suspicious",
               "variable of another size", "tf.tensor-size")
    both_files("ck_shape", {"w": (g.FLOAT, [-3], 0, 0, 12)}, values, "suspicious",
               "variable of a negative shape", "tf.bad-shape")
    emit("tf/ck_alone/alone.index", g.checkpoint_index(entries), "suspicious", "data file is absent",
         "tf.values-missing", "review")
    whole = g.checkpoint_index(entries)
    emit("tf/ck_footer/variables.index", whole[:-48] + b"\xff" * 9 + whole[-39:], "suspicious",
         "broken footer", "tf.malformed")
    emit("tf/ck_elf/variables.data-00000-of-00001", ELF, "malicious", "program instead of values",
         "data.hidden-payload")
    emit("tf/ok_notes/fingerprint.pb", g.message((1, 1 << 60), (2, 77), (3, 88), (4, 99), (5, 11),
                                                 (6, g.message((1, 1)))), "benign", "fingerprint")
    emit("tf/ok_notes/tfhub_module.pb", g.message((1, 3)), "benign", "note of TF Hub")
    def state(name, text, label="benign", rules=""):
        emit("tf/state_%s/checkpoint" % name, text.encode(), label, "names the last checkpoint", rules,
             "review")
    state("ok", 'model_checkpoint_path: "model.ckpt-100"\nall_model_checkpoint_paths: "model.ckpt-90"\n'
          'all_model_checkpoint_paths: "model.ckpt-100"\nall_model_checkpoint_timestamps: 1600000000.5\n')
    state("ok_dots", 'model_checkpoint_path: "model..v2.ckpt"\n')
    state("ok_absolute", 'model_checkpoint_path: "/home/ana/train/model.ckpt-7"\n')
    state("up", 'model_checkpoint_path: "../../shared/model.ckpt"\n', "suspicious", "tf.checkpoint-path")
    state("mid", "model_checkpoint_path: 'a/../../model.ckpt'\n", "suspicious", "tf.checkpoint-path")
    state("escaped", 'model_checkpoint_path: "\\056./model.ckpt"\n', "suspicious", "tf.checkpoint-path")
    emit("tf/text.pbtxt", b'node {\n  name: "x"\n  op: "Placeholder"\n}\n', "suspicious",
         "graph as text is not read", "file.unsupported", "review")
    emit("tf/text_map.pbtxt", b'node { name: "r" op: "ImmutableConst" }\n', "malicious",
         "graph as text maps a file", "tf.file-read")
    emit("tf/text_read.pbtxt", b'node { name: "r" op: "ReadFile" input: "x" }\n', "malicious",
         "graph as text reads a file", "tf.file-read")
    emit("tf/text_python/saved_model.pbtxt", b'saved_model_schema_version: 1\nmeta_graphs {\n graph_def {'
         b'\n node {\n name: "p"\n op: "EagerPyFunc"\n}\n}\n}\n', "malicious",
         "SavedModel as text calls Python", "tf.python-op", "malicious")


# --- TensorFlow Lite ---

CUSTOM = 32


def tflite_benign():
    w = floats(12)
    emit("tflite/ok.tflite", g.tflite(buffers=[w]), "benign", "one layer")
    emit("tflite/ok_old_codes.tflite", g.tflite(codes=[(9, None, 0)], buffers=[w]), "benign",
         "operator code of the old kind")
    emit("tflite/ok_greater_code.tflite", g.tflite(codes=[(127, None, 150)], buffers=[w]), "benign",
         "operator code above 127")
    for dtype, size in ((1, 2), (2, 4), (3, 1), (4, 8), (6, 1), (7, 2), (9, 1), (10, 8)):
        emit("tflite/ok_dtype_%d.tflite" % dtype, g.tflite(
            tensors=[([1, 4], 0, 0, "x"), ([3, 4], dtype, 1, "w"), ([1, 3], 0, 0, "y")],
            buffers=[bytes(i % 100 for i in range(12 * size))]), "benign", "tensor type")
    emit("tflite/ok_int4.tflite", g.tflite(
        tensors=[([1, 4], 0, 0, "x"), ([3, 5], 17, 1, "w"), ([1, 3], 0, 0, "y")],
        buffers=[bytes(8)]), "benign", "values of four bits")
    emit("tflite/ok_detection.tflite", g.tflite(
        codes=[(9, None, 9), (CUSTOM, "TFLite_Detection_PostProcess", CUSTOM)],
        operators=[(0, [0, 1], [2], None), (1, [2], [2], b"max_detections" + bytes(20))],
        buffers=[w]), "benign", "usual custom operator")
    emit("tflite/ok_flex.tflite", g.tflite(
        codes=[(CUSTOM, "FlexTensorListReserve", CUSTOM)], buffers=[w]), "benign",
        "operator of TensorFlow that only computes")
    info = g.flat({0: ("text", "detector"), 1: ("text", "Finds things"), 4: ("text", "Ana"),
                   5: ("text", "Apache-2.0")}, b"M001")
    with_metadata = g.tflite(buffers=[w, info, b"1.5.0" + bytes(11)],
                             metadata=[("TFLITE_METADATA", 2), ("min_runtime_version", 3)])
    emit("tflite/ok_metadata.tflite", with_metadata, "benign", "metadata")
    bare = g.tflite(buffers=[w])
    emit("tflite/ok_labels_only.tflite", bare + bytes(-len(bare) % 4) + zip_bytes(
        "labels.txt", b"cat\ndog\n"), "benign", "labels packed behind the model")
    emit("tflite/ok_labels.tflite", with_metadata + zip_bytes("labels.txt", b"cat\ndog\n"), "benign",
         "labels packed behind the model")
    model = g.tflite(buffers=[(4096, 48)])
    emit("tflite/ok_outside.tflite", model + bytes(4096 - len(model)) + w, "benign",
         "values behind the FlatBuffer")


def tflite_tricks():
    w = floats(12)

    def custom(name):
        return g.tflite(codes=[(CUSTOM, name, CUSTOM)], buffers=[w])
    emit("tflite/flex_pyfunc.tflite", custom("FlexPyFunc"), "malicious", "Flex calls Python",
         "tflite.python-op", "malicious")
    emit("tflite/flex_eager.tflite", custom("FlexEagerPyFunc"), "malicious", "Flex calls Python",
         "tflite.python-op", "malicious")
    for op in ("ReadFile", "WriteFile", "MatchingFiles", "SaveV2", "RestoreV2", "RpcCall",
               "TextLineDataset", "ImmutableConst"):
        emit("tflite/flex_%s.tflite" % op.lower(), custom("Flex" + op), "malicious",
             "Flex reaches out", "tflite.flex-reach")
    emit("tflite/custom.tflite", custom("AcmeFancyOp"), "suspicious", "custom operator",
         "tflite.custom-operator", "review")
    emit("tflite/custom_exec.tflite", custom("ShellExec"), "malicious",
         "operator that speaks of running commands", "tflite.code-operator")
    emit("tflite/flex_unknown.tflite", custom("FlexAcmeOp"), "suspicious",
         "Flex operator that TensorFlow has not", "tflite.custom-operator", "review")
    emit("tflite/outside_range.tflite", g.tflite(buffers=[(1 << 40, 48)]), "suspicious",
         "buffer beyond the file", "tflite.range")
    emit("tflite/outside_overflow.tflite", g.tflite(buffers=[((1 << 64) - 8, 48)]), "suspicious",
         "buffer's end overflows", "tflite.range")
    emit("tflite/short.tflite", g.tflite(buffers=[w[:-4]]), "suspicious", "tensor too short",
         "tflite.tensor-size")
    emit("tflite/negative.tflite", g.tflite(tensors=[([-1, 4], 0, 1, "w")] * 3, buffers=[w]),
         "suspicious", "negative dimension", "tflite.bad-shape")
    emit("tflite/huge.tflite", g.tflite(tensors=[([1 << 30] * 4, 0, 1, "w")] * 3, buffers=[w]),
         "suspicious", "product beyond memory", "tflite.bad-shape")
    emit("tflite/buffer_index.tflite", g.tflite(tensors=[([3, 4], 0, 77, "w")] * 3, buffers=[w]),
         "suspicious", "buffer that is not there", "tflite.index")
    emit("tflite/opcode_index.tflite", g.tflite(operators=[(9, [0], [2], None)], buffers=[w]),
         "suspicious", "operator code that is not there", "tflite.index")
    emit("tflite/tensor_index.tflite", g.tflite(operators=[(0, [900], [2], None)], buffers=[w]),
         "suspicious", "tensor that is not there", "tflite.index")
    emit("tflite/output_index.tflite", g.tflite(outputs=[-7], buffers=[w]), "suspicious",
         "output that is not there", "tflite.index")
    emit("tflite/dtype.tflite", g.tflite(tensors=[([3, 4], 99, 1, "w")] * 3, buffers=[w]),
         "suspicious", "tensor type that is not there", "tflite.unknown-dtype")
    whole = g.tflite(buffers=[w])
    emit("tflite/root.tflite", struct.pack("<I", 1 << 30) + whole[4:], "suspicious",
         "root out of the file", "tflite.offset")
    emit("tflite/cut.tflite", whole[:len(whole) // 2], "suspicious", "cut off", "", "review")
    emit("tflite/elf_buffer.tflite", g.tflite(buffers=[w, ELF], metadata=[("extra", 2)]), "malicious",
         "program in a buffer", "data.hidden-payload")
    emit("tflite/elf_tensor.tflite", g.tflite(
        tensors=[([1, 4], 0, 0, "x"), ([len(ELF)], 3, 1, "w"), ([1, 3], 0, 0, "y")], buffers=[ELF]),
        "malicious", "program in a tensor", "data.hidden-payload")
    emit("tflite/options.tflite", g.tflite(operators=[(0, [0], [2], ELF)], buffers=[w]), "malicious",
         "program in an operator's options", "data.hidden-payload")
    emit("tflite/pickle_behind.tflite", whole + zip_bytes(), "malicious", "pickle packed behind",
         "pickle.call-on-load", "malicious")


# --- ExecuTorch ---

def executorch_files():
    w = floats(12)
    emit("pte/ok.pte", g.executorch(segments=w), "benign", "one operator")
    emit("pte/ok_xnnpack.pte", g.executorch(
        delegates=[("XnnpackBackend", 0, 0)], inline=[b"XH00" + bytes(60)], segments=w), "benign",
        "usual backend, data inside")
    emit("pte/ok_segment.pte", g.executorch(
        delegates=[("CoreMLBackend", 1, 1)], segments=w + bytes(80) + b"x" * 64,
        ranges=[(0, 48), (128, 64)]), "benign", "usual backend, data in a segment")
    emit("pte/ok_quantized.pte", g.executorch(
        operators=[("quantized_decomposed::dequantize_per_tensor", "out")], segments=w), "benign",
        "operators for quantised values")
    emit("pte/ok_padded.pte", g.executorch(segments=w) + bytes(80), "benign", "zeros behind")
    emit("pte/tail_elf.pte", g.executorch(segments=w) + ELF, "malicious", "program behind the last segment",
         "executorch.trailing-data,data.hidden-payload")
    emit("pte/tail.pte", g.executorch(segments=w) + b"x" * 40, "suspicious", "bytes behind the last segment",
         "executorch.trailing-data")
    emit("pte/backend.pte", g.executorch(delegates=[("AcmeBackend", 0, 0)], inline=[bytes(16)],
                                         segments=w), "suspicious", "unknown backend",
         "executorch.backend", "review")
    emit("pte/custom.pte", g.executorch(operators=[("acme::fancy", "out")], segments=w), "suspicious",
         "custom operator", "executorch.custom-operator", "review")
    emit("pte/system.pte", g.executorch(operators=[("my::system_call", "out")], segments=w),
         "malicious", "operator that speaks of running commands", "executorch.code-operator")
    emit("pte/range.pte", g.executorch(segments=w, ranges=[(0, 1 << 40)]), "suspicious",
         "segment beyond the file", "executorch.range")
    emit("pte/overflow.pte", g.executorch(segments=w, ranges=[((1 << 64) - 16, 32)]), "suspicious",
         "segment's end overflows", "executorch.range")
    emit("pte/constant.pte", g.executorch(segments=w, sizes=[300, 400]), "suspicious",
         "constant larger than its segment", "executorch.range")
    emit("pte/offset.pte", g.executorch(segments=w, offsets=[0, 1 << 50]), "suspicious",
         "constant behind its segment", "executorch.range")
    emit("pte/negative.pte", g.executorch(segments=w, sizes=[-3, 4]), "suspicious", "negative size",
         "executorch.bad-shape")
    emit("pte/program_size.pte", g.executorch(segments=w, program_size=1 << 40), "suspicious",
         "program larger than the file", "executorch.header")
    emit("pte/segment_base.pte", g.executorch(segments=w, segment_base=1 << 40), "suspicious",
         "data from beyond the file", "executorch.header")
    emit("pte/call.pte", g.executorch(segments=w, call=40), "suspicious",
         "instruction calls what is not there", "executorch.index")
    emit("pte/buffer.pte", g.executorch(segments=w, buffer=40), "suspicious",
         "constant that is not there", "executorch.index")
    emit("pte/delegate.pte", g.executorch(delegates=[("XnnpackBackend", 0, 9)], segments=w),
         "suspicious", "delegate's data is not there", "executorch.index")
    emit("pte/elf.pte", g.executorch(delegates=[("XnnpackBackend", 0, 0)], inline=[ELF], segments=w),
         "malicious", "program in a delegate's data", "data.hidden-payload")
    emit("pte/elf_segment.pte", g.executorch(segments=ELF, sizes=[4, 4]), "malicious",
         "program in a segment", "data.hidden-payload")
    whole = g.executorch(segments=w)
    emit("pte/root.pte", struct.pack("<I", 1 << 30) + whole[4:], "suspicious", "root out of the file",
         "executorch.offset")
    emit("pte/zip.pte", whole + zip_bytes(), "malicious", "archive behind the program",
         "executorch.polyglot,zip.prefix-data")


# --- Core ML ---

def blobs(*data, claim=None, count=None):
    """A file of weights, as coremltools writes it."""
    out = struct.pack("<II", len(data) if count is None else count, 2) + bytes(56)
    for raw in data:
        size = len(raw) if claim is None else claim
        out += struct.pack("<IIQQ", 0xdeadbeef, 2, size, len(out) + 64) + bytes(40) + raw + bytes(-len(raw) % 64)
    return out


def onnx_model(location):
    tensor = g.message((1, 16), (2, 1), (8, "w"), (13, g.message((1, "location"), (2, location))), (14, 1))
    node = g.message((1, ["x", "w"]), (2, "y"), (4, "Add"))
    graph = g.message((1, node), (2, "graph"), (5, tensor))
    return g.message((1, 8), (2, "pytorch"), (7, graph), (8, g.message((2, 17))))


def compiled():
    """Folders as Core ML's compiler leaves them."""
    def mil(*files):
        lines = ["        tensor<fp32, [16]> w%d = const()[val = tensor<fp32, [16]>(BLOBFILE(path = "
                 "tensor<string, []>(\"%s\"), offset = tensor<uint64, []>(64)))];" % (i, f)
                 for i, f in enumerate(files)]
        return ("program(1.0)\n[buildInfo = dict<tensor<string, []>, tensor<string, []>>({})]\n{\n"
                "    func main<ios16>(tensor<fp32, [16]> x) {\n%s\n    } -> (y);\n}\n"
                % "\n".join(lines)).encode()

    def told(kind):
        return struct.pack("<II", kind, 6) + bytes(40) + b"\x0a\x0f\x0a\x01x" + bytes(30)

    def analytics(has_custom):
        name, key = b"NeuralNetworkModelDetails", b"containsCustomLayer"
        return (struct.pack("<Q", len(name)) + name + struct.pack("<Q", 1) + b"\0" + struct.pack("<Q", len(key))
                + key + struct.pack("<Q", 1) + (b"1" if has_custom else b"0"))
    base = "coreml/ok.mlmodelc/"
    emit(base + "model.mil", mil("@model_path/weights/weight.bin"), "benign", "compiled program")
    emit(base + "weights/weight.bin", blobs(floats(64)), "benign",
         "weights of a compiled program")
    plain = struct.pack("<II", 1, 2) + bytes(56) + floats(64)
    emit("onnx/ok_counts/model.onnx", onnx_model("w.bin"), "benign", "values outside")
    emit("onnx/ok_counts/w.bin", plain, "benign", "values that begin with counts")
    emit("coreml/blob_range/weight.bin", blobs(floats(64), claim=1 << 40), "suspicious",
         "a blob beyond its file", "coreml.range")
    emit("coreml/blob_count/weight.bin", blobs(floats(64), count=9), "suspicious",
         "more blobs than there are", "coreml.range,coreml.malformed")
    emit("coreml/blob_break/weight.bin", blobs(floats(16), floats(16)).replace(
        struct.pack("<I", 0xdeadbeef), b"nope", 2).replace(b"nope", struct.pack("<I", 0xdeadbeef), 1),
        "suspicious", "no blob where one should be", "coreml.malformed")
    emit("coreml/blob_program/weight.bin", blobs(floats(64)) + ELF, "malicious",
         "a program behind the weights", "data.hidden-payload")
    emit(base + "coremldata.bin", told(502), "benign", "what is told of a program")
    emit(base + "analytics/coremldata.bin", analytics(False), "benign", "analytics")
    emit("coreml/up.mlmodelc/model.mil", mil("@model_path/weights/weight.bin", "@model_path/../../x.bin"),
         "malicious", "compiled program reads weights elsewhere", "coreml.path")
    emit("coreml/custom.mlmodelc/coremldata.bin", told(555), "suspicious", "compiled custom model",
         "coreml.custom-code", "review")
    emit("coreml/custom.mlmodelc/analytics/coremldata.bin", analytics(True), "suspicious",
         "custom layers of a compiled model", "coreml.custom-code", "review")
    emit("coreml/other.mlmodelc/coremldata.bin", rng.randbytes(300).replace(b"\0", b"x"), "suspicious",
         "something else of that name", "file.not-recognised", "review")


def onnx_files():
    emit("onnx/ok_folder/model.onnx", onnx_model("weights/w.bin"), "benign", "values in a folder")
    emit("onnx/ok_folder/weights/w.bin", floats(16), "benign", "values of a model beside them")
    emit("onnx/ok_named/model.pb", onnx_model("w.bin"), "benign", "a model named as protobuf")
    emit("onnx/ok_named/w.bin", floats(16), "benign", "values of a model beside them")
    emit("onnx/program/model.onnx", onnx_model("w.data"), "malicious", "a program where the values should be",
         "data.hidden-payload")
    with open(os.path.join(out_dir, "onnx/program/w.data"), "wb") as f:
        f.write(ELF)
    emit("onnx/unnamed/model.onnx", onnx_model("w.data"), "suspicious", "values are missing",
         "onnx.external-missing", "review")
    emit("onnx/unnamed/other.bin", floats(16), "suspicious", "a file that no model names",
         "file.not-recognised", "review")


def names():
    """A name that promises a pickle over plain numbers, and the other way round."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]}}).encode()
    numbers = struct.pack("<Q", len(header)) + header + floats(16)
    emit("names/pytorch_model.bin", numbers, "benign", "numbers under the name of a pickle")
    emit("names/model.safetensors", b"\x80\x02cos\nsystem\nX\x0b\0\0\0echo canary\x85R.", "malicious",
         "a pickle under the name of numbers", "file.extension-mismatch", "malicious")


def coreml_files():
    dense = g.coreml_layer("dense", 140, g.message((1, 3), (2, 1), (20, g.message((1, floats(3))))))
    activation = g.coreml_layer("relu", 130, g.message((10, b"")))
    net = g.message((1, [dense, activation]))
    emit("coreml/ok.mlmodel", g.coreml(500, net), "benign", "network")
    emit("coreml/ok_classifier.mlmodel", g.coreml(403, net + g.field(100, g.message((1, ["a", "b"])))),
         "benign", "classifier")
    emit("coreml/ok_pipeline.mlmodel", g.coreml(202, g.message((1, [g.coreml(500, net),
                                                                     g.coreml(604, b"")]))),
         "benign", "pipeline")
    emit("coreml/ok_trees.mlmodel", g.coreml(302, g.message((1, b""))), "benign", "trees",)
    emit("coreml/ok_metadata.mlmodel", g.coreml(500, net, metadata=[
        ("com.github.apple.coremltools.version", "7.1")]), "benign", "metadata")
    program = g.coreml_program([g.coreml_const("w", "@model_path/weights/weight.bin")])
    package = "coreml/ok.mlpackage/Data/com.apple.CoreML/"
    emit(package + "model.mlmodel", g.coreml(502, program, 7), "benign", "program with its weights")
    emit(package + "weights/weight.bin", blobs(floats(64), floats(10)), "benign", "weights of a program")
    compiled()
    emit("coreml/cut.mlmodel", g.coreml(500, net)[:60], "suspicious", "cut off", "")
    for name, target, label, rules in (
            ("ok", "com.apple.CoreML/model.mlmodel", "benign", ""),
            ("climbs", "../../../../etc/passwd", "malicious", "coreml.path"),
            ("root", "/etc/passwd", "malicious", "coreml.path")):
        emit("coreml/manifest_%s.mlpackage/Manifest.json" % name, json.dumps({
            "fileFormatVersion": "1.0.0", "rootModelIdentifier": "A", "itemInfoEntries": {"A": {
                "author": "com.apple.CoreML", "name": "model.mlmodel", "path": target}}}).encode(),
            label, "path of an item", rules)
    custom = g.coreml_layer("c", 500, g.message((10, "AcmeLayer"), (40, "fancy")))
    emit("coreml/custom_layer.mlmodel", g.coreml(500, g.message((1, [dense, custom]))), "suspicious",
         "custom layer", "coreml.custom-code", "review")
    emit("coreml/custom_in_pipeline.mlmodel", g.coreml(200, g.message((1, g.message(
        (1, [g.coreml(500, g.message((1, [custom])))]))))), "suspicious",
        "custom layer of a model in a pipeline", "coreml.custom-code", "review")
    emit("coreml/custom_model.mlmodel", g.coreml(555, g.message((10, "AcmeModel"), (40, "x"))),
         "suspicious", "custom model", "coreml.custom-code", "review")
    emit("coreml/shell_model.mlmodel", g.coreml(555, g.message((10, "ShellExecutor"))), "malicious",
         "custom model that speaks of running commands", "coreml.code-class")

    def linked(name, search="."):
        return g.message((1, g.message((1, g.message((1, name))), (2, g.message((1, search))))))
    emit("coreml/linked.mlmodel", g.coreml(556, linked("Other.mlmodelc")), "suspicious",
         "linked model", "coreml.linked-model", "review")
    emit("coreml/linked_up.mlmodel", g.coreml(556, linked("../../Other.mlmodelc")), "malicious",
         "linked model above", "coreml.path")
    emit("coreml/linked_search.mlmodel", g.coreml(556, linked("O.mlmodelc", "/tmp/x")), "malicious",
         "search path elsewhere", "coreml.path")
    for i, name in enumerate(["@model_path/../../../etc/passwd", "/etc/passwd", "../w.bin"]):
        emit("coreml/weights_%d.mlmodel" % i, g.coreml(502, g.coreml_program(
            [g.coreml_const("w", name)]), 7), "malicious", "weights elsewhere", "coreml.path")
    emit("coreml/weights_range/model.mlmodel", g.coreml(502, g.coreml_program(
        [g.coreml_const("w", "@model_path/model.mlmodel", 1 << 40)]), 7), "suspicious",
        "weights beyond their file", "coreml.range")
    emit("coreml/serialised.mlmodel", g.coreml(3000, g.message((1, "com.acme"), (2, b"x" * 40))),
         "suspicious", "serialised model", "coreml.opaque-model", "review")
    emit("coreml/code.mlmodel", g.coreml(500, net, metadata=[
        ("setup", "import os; os.system('echo canary')")]), "suspicious", "command in metadata",
        "data.code-in-text", "review")
    emit("coreml/unknown.mlmodel", g.coreml(500, net) + g.field(7000, ELF), "malicious",
         "program in an unknown field", "data.hidden-payload")
    emit("coreml/twice.mlmodel", g.coreml(500, net) + g.field(500, net), "suspicious",
         "two networks", "coreml.duplicate-field")
    emit("coreml/cut.mlmodel", g.coreml(500, net)[:-8], "suspicious", "cut off", "", "review")


# --- PaddlePaddle, Caffe ---

def paddle_files():
    usual = [g.paddle_op("feed", col=0), g.paddle_op("mul", x_num_col_dims=1),
             g.paddle_op("elementwise_add", axis=1), g.paddle_op("softmax"),
             g.paddle_op("fetch", col=0)]
    emit("paddle/ok.pdmodel", g.paddle(usual), "benign", "program")
    emit("paddle/ok/__model__", g.paddle(usual), "benign", "program of the old name")
    emit("paddle/ok_blocks.pdmodel", g.paddle(usual + [g.paddle_op("chunk_eval")], 3), "benign",
         "three blocks")
    emit("paddle/ok.pdiparams", g.paddle_tensor(5, [3, 4], floats(12)) +
         g.paddle_tensor(3, [2], struct.pack("<qq", 1, -1)) + g.paddle_tensor(4, [4], bytes(8)),
         "benign", "parameters")
    emit("paddle/py_func.pdmodel", g.paddle(usual + [g.paddle_op("py_func", forward_callable_id=0)]),
         "malicious", "calls Python", "paddle.python-op", "malicious")
    emit("paddle/py_func_block.pdmodel", g.paddle([g.paddle_op("py_func", forward_callable_id=0)], 3),
         "malicious", "calls Python in an inner block", "paddle.python-op", "malicious")
    for op in ("load", "save", "load_combine", "save_combine"):
        emit("paddle/%s.pdmodel" % op, g.paddle(usual + [g.paddle_op(op, file_path="/etc/hostname")]),
             "malicious", "reads or writes a file", "paddle.file-access")
    for op in ("listen_and_serv", "send", "recv"):
        emit("paddle/%s.pdmodel" % op, g.paddle(usual + [g.paddle_op(op, endpoint="example.org:1")]),
             "malicious", "talks to a server", "paddle.network")
    emit("paddle/shell.pdmodel", g.paddle(usual + [g.paddle_op("acme_shell", c="echo canary")]),
         "malicious", "operator that speaks of running commands", "paddle.code-operator")
    emit("paddle/short.pdiparams", g.paddle_tensor(5, [3000, 4], floats(12)), "suspicious",
         "tensor too short", "paddle.tensor-size")
    emit("paddle/negative.pdiparams", g.paddle_tensor(5, [-3, 4], floats(12)), "suspicious",
         "negative dimension", "paddle.bad-shape")
    emit("paddle/elf.pdiparams", g.paddle_tensor(20, [len(ELF)], ELF), "malicious",
         "program in a tensor", "data.hidden-payload")
    emit("paddle/behind.pdiparams", g.paddle_tensor(5, [3, 4], floats(12)) + ELF, "malicious",
         "program behind the tensors", "data.hidden-payload")
    emit("paddle/unknown.pdmodel", g.paddle(usual) + g.field(77, ELF), "malicious",
         "program in an unknown field", "data.hidden-payload")
    layers = [g.caffe_layer("data", "Input"), g.caffe_layer("ip", "InnerProduct", (7, g.message(
        (5, floats(12)))), (117, g.message((1, 3))))]
    emit("caffe/ok.caffemodel", g.caffe(layers), "benign", "net")
    emit("caffe/python.caffemodel", g.caffe(layers + [g.caffe_layer("p", "Python", (130, g.message(
        (1, "canary"), (2, "Layer"))))]), "malicious", "layer in Python", "caffe.python-layer",
        "malicious")


def opaque_files():
    kinds = [("engine", b"ptrt"), ("plan", b"ftrt"), ("rknn", b"RKNN"), ("dnn", b"B\0C\0N\0\0\0"),
             ("t7", b"\4\0\0\0\1\0\0\0\3\0\0\0V 1"),
             ("params", b"\x12\x01" + bytes(14)), ("param", b"7767517\n3 3\n")]
    for ending, magic in kinds:
        body = magic + rng.randbytes(600)
        emit("opaque/plain." + ending, body, "suspicious", "cannot be read", "file.unsupported",
             "review")
        emit("opaque/native." + ending, body + ELF, "malicious", "program inside",
             "opaque.native-code")
        emit("opaque/command." + ending, body + b"\0os.system('echo canary')\0", "malicious",
             "command inside", "opaque.code-text")


def zip_bytes(name="data.pkl", content=None):
    import io
    import zipfile
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content or
                   b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03.")
    return raw.getvalue()


def main():
    global out_dir
    out_dir = sys.argv[1]
    os.makedirs(out_dir, exist_ok=True)
    tf_benign()
    tf_reaching_out()
    tf_saver_tricks()
    tf_structure()
    tf_odd_beginnings()
    tf_lambdas()
    tf_checkpoints()
    coreml_files()
    onnx_files()
    names()
    paddle_files()
    opaque_files()
    if g.flatbuffers:
        tflite_benign()
        tflite_tricks()
        executorch_files()
    else:
        print("python3-flatbuffers is absent: no files of TensorFlow Lite and ExecuTorch",
              file=sys.stderr)
    with open(os.path.join(out_dir, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
