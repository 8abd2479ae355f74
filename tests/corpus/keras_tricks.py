#!/usr/bin/env python3
"""Keras models and HDF5 files, by the formats' specifications: honest ones of every version, and one for
every way in which such a file runs code, reads what is not its own, or lies. Standard library only.

    keras_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, suspicious, benign)  trick  loader  expected rules (comma)  least verdict

All payloads are inert: they would print a word.
"""
import base64
import io
import json
import marshal
import os
import struct
import sys
import zipfile
import zlib

sys.dont_write_bytecode = True
import hdf5_writer as h5  # noqa: E402

PICKLE = b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HHI", 2, 62, 1) + b"\0" * 200
rows = []
out_dir = "."


def emit(name, data, label, trick, rules="", verdict="dangerous"):
    path = os.path.join(out_dir, name)
    with open(path, "wb") as f:
        f.write(data)
    if label == "benign":
        verdict = "clean"
    rows.append((name, label, trick, "by specification", rules, verdict))


def bad(name, data, trick, rules, verdict="dangerous", label="malicious"):
    emit(name, data, label, trick, rules, verdict)


# --- code objects ---

def short(text):
    return b"z" + bytes([len(text)]) + text.encode()


def small_tuple(items):
    return b")" + bytes([len(items)]) + b"".join(items)


def code(names, texts, version="3.8", args=1):
    """A lambda's code as this version of Python marshals it."""
    def number(n):
        return struct.pack("<I", n)

    body = b"s" + number(4) + b"\x74\x00\x53\x00"
    if version == "2.7":
        def text(t):
            return b"t" + number(len(t)) + t.encode()
        tup = lambda items: b"(" + number(len(items)) + b"".join(items)
        head = b"c" + number(args) + number(1) + number(4) + number(67)
        return (head + body + tup([b"N"] + [text(t) for t in texts]) + tup([text(n) for n in names]) +
                tup([text("x")]) + tup([]) + tup([]) + text("<stdin>") + text("<lambda>") +
                number(1) + b"s" + number(0))
    numbers = {"3.6": 5, "3.8": 6, "3.11": 5}[version]
    head = b"\xe3" + number(args) + number(0) * (numbers - 4 + (0 if numbers == 5 else 0)) + \
        number(1) + number(4) + number(67)
    consts = small_tuple([b"N"] + [short(t) for t in texts])
    name_tuple = small_tuple([short(n) for n in names])
    if version == "3.11":
        tail = (small_tuple([short("x")]) + b"s" + number(1) + b"&" + short("<stdin>") +
                short("<lambda>") + short("<lambda>") + number(1) + b"s" + number(0) + b"s" + number(0))
    else:
        tail = (small_tuple([short("x")]) + small_tuple([]) + small_tuple([]) + short("<stdin>") +
                short("<lambda>") + number(1) + b"s" + number(0))
    return head + body + consts + name_tuple + tail


def b64(data):
    return base64.b64encode(data).decode()


def own(function):
    """What the Python that runs this writes."""
    return b64(marshal.dumps(function.__code__))


SYSTEM = own(lambda x: __import__("os").system("echo canary"))
HARMLESS = own(lambda x: x * 2 + 1)


# --- configurations ---

def layer(class_name, config=None, module="keras.layers", registered=None, **more):
    config = dict({"name": class_name.lower() + "_1", "trainable": True}, **(config or {}))
    return dict({"module": module, "class_name": class_name, "config": config,
                 "registered_name": registered}, **more)


def initializer(name="GlorotUniform"):
    return {"module": "keras.initializers", "class_name": name, "config": {"seed": None},
            "registered_name": None}


def dense(**more):
    return layer("Dense", dict({"units": 3, "activation": "relu", "use_bias": True,
                                "kernel_initializer": initializer(),
                                "bias_initializer": initializer("Zeros"),
                                "kernel_regularizer": None, "bias_constraint": None}, **more),
                 build_config={"input_shape": [None, 4]})


def model(*layers, **more):
    """Keras 3's config.json."""
    first = layer("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "sparse": False})
    config = {"name": "sequential", "trainable": True,
              "dtype": {"module": "keras", "class_name": "DTypePolicy",
                        "config": {"name": "float32"}, "registered_name": None},
              "layers": [first, *layers], "build_input_shape": [None, 4]}
    return dict({"module": "keras", "class_name": "Sequential", "config": config,
                 "registered_name": "Sequential", "build_config": {"input_shape": [None, 4]},
                 "compile_config": {
                     "optimizer": {"module": "keras.optimizers", "class_name": "Adam",
                                   "config": {"name": "adam", "learning_rate": 0.001},
                                   "registered_name": None},
                     "loss": "mse", "metrics": ["accuracy"], "jit_compile": True}}, **more)


def old_model(*layers, version="2.11.0"):
    """model_config of Keras 1 and 2: no modules."""
    return {"class_name": "Sequential", "keras_version": version, "backend": "tensorflow",
            "config": {"name": "sequential_1", "layers": [
                {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4],
                                                        "dtype": "float32", "name": "input_1"}},
                *layers]}}


def old_layer(class_name, **config):
    return {"class_name": class_name, "config": dict({"name": class_name.lower()}, **config)}


def old_lambda(text, **more):
    return old_layer("Lambda", **dict({"function": [text, None, None], "function_type": "lambda",
                                       "module": "__main__", "output_shape": None,
                                       "output_shape_type": "raw", "arguments": {}}, **more))


def weights():
    f = h5.File()
    w = f.contiguous(struct.pack("<12f", *([0.01] * 12)), h5.F32, (4, 3))
    b = f.contiguous(struct.pack("<3f", 0, 0, 0), h5.F32, (3,))
    f.root = f.group({"layers": f.group({"dense": f.group({"vars": f.group({"0": w, "1": b})})})})
    return f.finish()


def archive(config, members=None, metadata=True, more=(), weights_name="model.weights.h5"):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        def put(name, data):
            z.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data)
        if metadata:
            put("metadata.json", json.dumps({"keras_version": "3.3.3",
                                             "date_saved": "2024-05-01@10:00:00"}))
        if config is not None:
            put("config.json", config if isinstance(config, (bytes, str)) else json.dumps(config))
        if weights_name:
            put(weights_name, weights())
        for name, data in more or (members or {}).items():
            put(name, data)
    return raw.getvalue()


def legacy(config, training=None, version="2.11.0", f=None, children=None, vlen=False, **attributes):
    """A Keras .h5 file."""
    f = f or h5.File()

    def value(data):
        data = data if isinstance(data, (bytes, str)) else json.dumps(data)
        data = data.encode() if isinstance(data, str) else data
        return (h5.VLEN_TEXT, (), f.vlen([data])) if vlen or len(data) > 60000 else h5.text(data)

    at = {"keras_version": h5.text(version), "backend": h5.text("tensorflow")}
    if config is not None:
        at["model_config"] = value(config)
    if training is not None:
        at["training_config"] = value(training)
    at.update(attributes)
    w = f.contiguous(struct.pack("<12f", *([0.01] * 12)), h5.F32, (4, 3))
    inner = f.group({"kernel:0": w}, {"weight_names": (h5.fixed_text(8), (1,), b"kernel:0")})
    f.root = f.group(dict({"model_weights": f.group({"dense": inner})}, **(children or {})), at)
    return f.finish()


TRAINING = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "sample_weight_mode": None,
            "optimizer_config": {"class_name": "Adam", "config": {"name": "Adam", "lr": 0.001}}}


# --- honest files ---

def honest():
    emit("ok_v3.keras", archive(model(dense())), "benign", "Keras 3")
    nested = model(layer("Bidirectional", {
        "layer": layer("LSTM", {"units": 4, "activation": "tanh"}),
        "merge_mode": "concat"}), layer("TimeDistributed", {"layer": dense()}), dense())
    emit("ok_wrappers.keras", archive(nested), "benign", "wrapped layers of Keras' own")
    emit("ok_nan.keras", archive(json.dumps(model(layer("ReLU", {"max_value": float("inf")}),
                                                  layer("Masking", {"mask_value": float("nan")})))),
         "benign", "NaN and Infinity, as Python writes them")
    emit("ok_functions.keras", archive(model(
        dense(activation={"module": "builtins", "class_name": "function", "config": "relu",
                          "registered_name": "function"}),
        dense(activation={"module": "keras.activations", "class_name": "function",
                          "config": "gelu", "registered_name": "gelu"}))), "benign",
         "functions of Keras by name")
    emit("ok_ops.keras", archive(model(layer("Add", {}, module="keras.src.ops.numpy"),
                                       layer("Rescaling", {"scale": 0.5}))), "benign", "operations")
    emit("ok_lookup.keras", archive(model(layer("StringLookup", {"vocabulary": None,
                                                                 "max_tokens": 100}),
                                          layer("TextVectorization", {"vocabulary": ["a", "b"]}))),
         "benign", "vocabulary in the file")
    emit("ok_custom.keras", archive(model(layer("Attention2", {"heads": 2}, module=None,
                                                registered="my_package>Attention2"))), "benign",
         "registered class")
    emit("ok_unicode.keras", archive(model(dense(name="schicht_\u00fc_\u5c42"))), "benign", "names")
    emit("ok_tf.keras", archive(model(layer("Dense", {"units": 2},
                                            module="tensorflow.python.keras.layers.core"))),
         "benign", "modules of TensorFlow's Keras")
    emit("ok_assets.keras", archive(model(dense()), {"assets/layers/lookup/vocabulary.txt": "a\nb\n"}),
         "benign", "assets")
    for version in ("1.2.2", "2.0.8", "2.2.4-tf", "2.4.0", "2.11.0", "3.0.0"):
        emit("ok_%s.h5" % version, legacy(old_model(
            old_layer("Dense", units=3, activation="softmax",
                      kernel_initializer=old_layer("GlorotUniform", seed=None)),
            old_layer("TFOpLambda", function="math.multiply"),
            old_layer("Dropout", rate=0.1), version=version), TRAINING, version), "benign",
             "Keras " + version)
    emit("ok_vlen.h5", legacy(old_model(old_layer("Dense", units=3)), TRAINING, vlen=True), "benign",
         "configuration in a global heap")
    emit("ok_weights_only.weights.h5", weights(), "benign", "weights alone")
    emit("ok_to_json.json", json.dumps(old_model(old_layer("Dense", units=3))).encode(), "benign",
         "model.to_json()")
    words = "the code of a lambda is stored as base64 of marshal: 4wEAAAAA is how it begins"
    emit("ok_words.h5", legacy(old_model(old_layer("Dense", units=3)), note=h5.text(words)),
         "benign", "text that speaks of code")
    f = h5.File(b"a user block of text\n".ljust(512, b"\0"))
    emit("ok_user_block.h5", legacy(old_model(old_layer("Dense", units=3)), f=f), "benign",
         "user block of text")
    f = h5.File()
    data = f.dataset(struct.pack("<BBQQ", 3, 1, h5.NOWHERE, 400), h5.F32, (100,))
    f.root = f.group({"fill": data, "soft": f.group({}, {}, [h5.soft("x", "/fill")])})
    emit("ok_fill.h5", f.finish(), "benign", "dataset never written, soft link")
    f = h5.File()
    w = f.contiguous(bytes(48), h5.F32, (12,))
    f.root = f.group({"v": f.virtual([(".", "/w")], h5.F32, (12,)), "w": w, "again": w})
    emit("ok_virtual_inside.h5", f.finish(), "benign", "virtual dataset over this file, two hard links")
    f = h5.File()
    shuffled = zlib.compress(bytes(400))
    f.root = f.group({
        "z": f.chunked(shuffled, h5.F32, (100,), [(2, "", [4]), (1, "", [6])]),
        "b": f.chunked(b"\0" * 64, h5.F32, (100,), [(32001, "blosc", [2])]),
        "s": f.contiguous(f.vlen([b"one", b"two"]), h5.VLEN_TEXT, (2,))})
    emit("ok_filters.h5", f.finish(), "benign", "deflate, shuffle, blosc, strings")


# --- code in the configuration ---

def lambdas():
    rule = "keras.lambda-code"
    bad("lambda_system.h5", legacy(old_model(old_lambda(SYSTEM))), "Lambda that runs a command", rule,
        "malicious")
    bad("lambda_harmless.h5", legacy(old_model(old_lambda(HARMLESS))), "Lambda of arithmetic", rule)
    for version in ("2.7", "3.6", "3.8", "3.11"):
        text = b64(code(["__import__", "system"], ["os", "echo canary"], version))
        bad("lambda_py%s.h5" % version, legacy(old_model(old_lambda(text))),
            "Lambda of Python " + version, rule, "malicious")
        text = b64(code(["eval"], ["print('canary')"], version))
        bad("lambda_eval_py%s.keras" % version, archive(model(layer("Lambda", {
            "function": {"class_name": "__lambda__", "config": {"value": [text, None, None]}}}))),
            "__lambda__ of Python " + version, rule, "malicious")
    def yaml_lambda(code):
        return ("backend: tensorflow\nclass_name: Sequential\nconfig:\n  layers:\n  - class_name: Lambda\n"
                "    config:\n      function: !!python/tuple\n      - %s\n      - null\n      - null\n"
                "      function_type: lambda\n" % code).encode()
    bad("lambda.yaml", yaml_lambda(SYSTEM.replace("\n", "")), "Lambda of a model in YAML", rule, "malicious")
    bad("lambda_harmless.yaml", yaml_lambda(HARMLESS.replace("\n", "")), "Lambda of a model in YAML",
        rule + ",keras.lambda")
    bad("lambda_named.yaml", yaml_lambda("relu"), "Lambda of a model in YAML, by name", "keras.lambda",
        "review", "suspicious")
    emit("ok_model.yaml", b"class_name: Sequential\nconfig:\n  layers:\n  - class_name: Dense\n"
         b"    config: {units: 3}\n", "benign", "model in YAML")
    bad("lambda_lines.h5", legacy(old_model(old_lambda("\n".join(
        SYSTEM[i:i + 76] for i in range(0, len(SYSTEM), 76)) + "\n"))), "base64 in lines", rule,
        "malicious")
    bad("lambda_unknown.h5", legacy(old_model(old_lambda(b64(b"\xff" * 60)))),
        "Lambda with code of an unknown kind", rule)
    bad("lambda_shape.h5", legacy(old_model(old_lambda("relu", function="relu",
                                                       function_type="function",
                                                       output_shape=[SYSTEM, None, None],
                                                       output_shape_type="lambda"))),
        "code in output_shape", rule, "malicious")
    bad("lambda_wrapped.h5", legacy(old_model(old_layer(
        "TimeDistributed", layer=old_lambda(SYSTEM)))), "Lambda inside a wrapper", rule, "malicious")
    bad("lambda_twice_wrapped.keras", archive(model(layer("Bidirectional", {"layer": layer(
        "TimeDistributed", {"layer": layer("Lambda", {"function": {
            "class_name": "__lambda__", "config": {"value": [SYSTEM, None, None]}}})})}))),
        "Lambda inside two wrappers", rule, "malicious")
    code_object = {"class_name": "__lambda__", "config": {"value": [SYSTEM, None, None]}}
    for place in ("activation", "kernel_initializer", "kernel_regularizer", "bias_constraint"):
        bad("lambda_%s.keras" % place, archive(model(dense(**{place: code_object}))),
            "__lambda__ as " + place, rule, "malicious")
    compiled = model(dense())
    compiled["compile_config"]["loss"] = code_object
    bad("lambda_loss.keras", archive(compiled), "__lambda__ as loss", rule, "malicious")
    bad("lambda_metrics.h5", legacy(old_model(old_layer("Dense", units=3)),
                                    dict(TRAINING, metrics=[code_object])),
        "__lambda__ in training_config", rule, "malicious")
    bad("lambda_optimizer.h5", legacy(old_model(old_layer("Dense", units=3)), dict(
        TRAINING, optimizer_config={"class_name": "Adam", "config": {"learning_rate": code_object}})),
        "__lambda__ in the optimizer", rule, "malicious")
    bad("lambda_vlen.h5", legacy(old_model(old_lambda(SYSTEM)), vlen=True),
        "configuration in a global heap", rule, "malicious")
    bad("lambda_long.h5", legacy(old_model(*[old_layer("Dense", units=i, name="d%d" % i)
                                             for i in range(2000)], old_lambda(SYSTEM))),
        "after 2000 layers", rule, "malicious")
    deep = code_object
    for _ in range(150):
        deep = {"class_name": "TimeDistributed", "config": {"layer": deep}}
    bad("lambda_deep.h5", legacy(old_model(deep)), "150 layers deep", rule, "malicious")
    bad("lambda_to_json.json", json.dumps(old_model(old_lambda(SYSTEM))).encode(),
        "model.to_json()", rule, "malicious")
    bad("lambda_no_ending", legacy(old_model(old_lambda(SYSTEM))), "no ending", rule, "malicious")
    bad("lambda.bin", legacy(old_model(old_lambda(SYSTEM))), "another ending", rule, "malicious")
    bad("lambda_named.h5", legacy(old_model(old_layer("Lambda", function="my_function",
                                                      function_type="function", module="__main__"))),
        "Lambda of a named function", "keras.lambda", "review", "suspicious")


def readers_that_differ():
    text = json.dumps(model(layer("Lambda", {"function": {
        "class_name": "__lambda__", "config": {"value": [SYSTEM, None, None]}}})))
    rule = "keras.lambda-code"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):
        bad("lambda_%s.keras" % encoding, archive(text.encode(encoding)), "configuration in " + encoding,
            rule + ",keras.odd-encoding", "malicious")
    bad("lambda_bom.keras", archive(b"\xef\xbb\xbf" + text.encode()), "byte order mark",
        rule + ",keras.odd-encoding", "malicious")
    bad("lambda_padded.keras", archive(" " * 9000 + text), "padding before the configuration", rule,
        "malicious")
    bad("lambda_behind.keras", archive('{"padding": "%s", %s' % ("x" * 9000, text[1:])),
        "another key first", rule, "malicious")
    bad("lambda_escaped.keras", archive(text.replace("class_name", "class\\u005fname")),
        "keys written with escapes", rule, "malicious")
    bad("lambda_infinity.keras", archive('{"a": Infinity, "b": NaN, "c": "\\ud800", %s' % text[1:]),
        "numbers that only Python reads", rule, "malicious")
    harmless = json.dumps(model(dense()))
    bad("duplicate_key.keras", archive('%s, "config": %s}' % (
        harmless[:-1], json.dumps(model(layer("Lambda", {"function": [SYSTEM, None, None]}))["config"]))),
        "key that stands twice", "keras.duplicate-key," + rule, "malicious")
    raw = io.BytesIO(archive(harmless))
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(raw, "a") as z:
            z.writestr("config.json", text)
    bad("duplicate_config.keras", raw.getvalue(), "second config.json",
        "zip.duplicate-name," + rule, "malicious")
    inner = archive(text)
    bad("nested.keras", archive(harmless, {"assets/inner.keras": inner}), "archive in the archive", rule,
        "malicious")
    bad("broken.keras", archive(text[:-40]), "configuration that is cut off", "keras.bad-config")
    bad("broken.h5", legacy("{not json"), "configuration that is none", "keras.bad-config")
    bad("lambda_pickle_npz.keras", archive(harmless, {"model.weights.npz": npz()},
                                           weights_name=None), "objects in .npz weights",
        "pickle.call-on-load", "malicious")


def npz():
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + PICKLE
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr(zipfile.ZipInfo("0.npy", (2024, 1, 1, 0, 0, 0)), npy)
    return raw.getvalue()


# --- names that are imported ---

def references():
    def function(module, callee, **more):
        return dict({"module": module, "class_name": "function", "config": callee,
                     "registered_name": callee}, **more)

    for module, name, verdict in (("os", "system", "malicious"), ("posix", "popen", "malicious"),
                                  ("subprocess", "Popen", "malicious"),
                                  ("builtins", "eval", "malicious"), ("builtins", "exec", "malicious"),
                                  ("runpy", "run_path", "malicious"), ("pickle", "loads", "malicious"),
                                  ("my_evil_module", "run", "dangerous"),
                                  ("webbrowser", "open", "malicious")):
        bad("function_%s_%s.keras" % (module, name), archive(model(dense(
            activation=function(module, name)))), "activation is %s.%s" % (module, name),
            "keras.foreign-function", verdict)
    bad("call_os_system.keras", archive({
        "module": "keras.src.models.functional", "class_name": "Functional", "registered_name": None,
        "config": {"name": "m", "layers": [function("os", "system", name="x", inbound_nodes=[
            {"args": ["echo canary"], "kwargs": {}}])]}}), "layer that is a function (CVE-2025-1550)",
        "keras.foreign-function", "malicious")
    bad("class_os.keras", archive(model(layer("system", {}, module="os"))),
        "layer of module os", "keras.foreign-function", "malicious")
    bad("class_popen.h5", legacy(old_model(dict(old_layer("Popen", args="echo canary"),
                                                module="subprocess"))),
        "layer of module subprocess", "keras.foreign-class", "malicious")
    bad("class_lookalike.keras", archive(model(layer("Evil", {}, module="k\u0435ras.layers"))),
        "module with a letter that looks alike", "keras.lookalike-module")
    bad("config_cut.keras", archive('{"a":'), "configuration is no JSON", "keras.bad-config")
    bad("config_none.keras", archive(None), "no configuration", "keras.bad-config")
    bad("class_foreign.keras", archive(model(layer("Widget", {}, module="some_library.layers"))),
        "layer of another library", "keras.foreign-class", "review", "suspicious")
    bad("typespec.keras", archive(model(dense(spec={
        "class_name": "__typespec__", "spec_name": "system", "module": "os", "config": {}}))),
        "__typespec__ of module os", "keras.foreign-function", "malicious")
    bad("loose_function.h5", legacy(old_model(old_layer("Dense", activation={
        "module": "os", "fn": "system"}))), "function by module and fn", "keras.foreign-function",
        "malicious")
    for module, name in (("keras.utils", "get_file"), ("keras.src.utils.file_utils", "get_file"),
                         ("keras.config", "enable_unsafe_deserialization"),
                         ("keras.models", "load_model"), ("keras.saving", "load_model"),
                         ("keras.src.utils.python_utils", "func_load"),
                         ("tf_keras.utils", "get_file"),
                         ("tensorflow.python.ops.script_ops", "py_function"),
                         ("tensorflow.python.ops.io_ops", "write_file")):
        bad("gadget_%s_%s.keras" % (module, name), archive(model(dense(
            activation=function(module, name)))), "helper %s.%s" % (module, name), "keras.gadget")
    bad("gadget_tfop.h5", legacy(old_model(old_layer("TFOpLambda", function="io.write_file"))),
        "TFOpLambda that writes", "keras.gadget")
    bad("unsafe_text.keras", archive(model(dense(name="keras.config.enable_unsafe_deserialization"))),
        "the switch's name", "keras.unsafe-switch")


def files_and_models():
    for name, path, rule, verdict in (
            ("passwd", "/etc/passwd", "keras.outside-file", "dangerous"),
            ("up", "../../secrets.txt", "keras.outside-file", "dangerous"),
            ("url", "https://example.org/words.txt", "keras.outside-file", "dangerous"),
            ("bucket", "gs://bucket/words.txt", "keras.outside-file", "dangerous"),
            ("beside", "words.txt", "keras.file-path", "review")):
        bad("vocabulary_%s.keras" % name, archive(model(layer("StringLookup", {"vocabulary": path}))),
            "vocabulary read from a path (CVE-2025-12058)", rule, verdict,
            "malicious" if verdict == "dangerous" else "suspicious")
    bad("vocabulary_old.h5", legacy(old_model(old_layer("TextVectorization",
                                                        vocabulary="/etc/shadow"))),
        "vocabulary read from a path", "keras.outside-file")
    bad("tfsm.keras", archive(model(layer("TFSMLayer", {"filepath": "/tmp/evil"}))),
        "layer that loads a SavedModel", "keras.loads-model")
    bad("torch.keras", archive(model(layer("TorchModuleWrapper", {"module": {
        "class_name": "__bytes__", "config": {"value": b64(PICKLE)}}}))),
        "layer that unpickles (CVE-2025-49655)", "keras.torch-module", "malicious")
    bad("pickle_text.h5", legacy(old_model(old_layer("Dense", units=3, note=b64(PICKLE)))),
        "pickle as base64 in the configuration", "pickle.call-on-load", "malicious")
    bad("flax.keras", archive(model(layer("FlaxLayer", {"module": None}))), "layer of another framework",
        "keras.foreign-layer", "review", "suspicious")


# --- HDF5 ---

def hdf5_values():
    def one(make, **attributes):
        f = h5.File()
        f.root = f.group({"x": make(f)} if make else {}, attributes)
        return f.finish()

    rule = "pickle.call-on-load"
    proto0 = b"cos\nsystem\n(S'echo canary'\ntR."
    bad("pickle_attribute.h5", one(None, state=h5.text(PICKLE)), "pickle in an attribute", rule,
        "malicious")
    bad("pickle_proto0.h5", one(None, state=h5.text(proto0)), "pickle of protocol 0, as PyTables reads",
        rule, "malicious")
    bad("pickle_dataset.h5", one(lambda f: f.contiguous(PICKLE, h5.U8, (len(PICKLE),))),
        "pickle as bytes", rule, "malicious")
    bad("pickle_opaque.h5", one(lambda f: f.contiguous(PICKLE, h5.opaque(len(PICKLE)), ())),
        "pickle as opaque value", rule, "malicious")
    bad("pickle_compact.h5", one(lambda f: f.compact(PICKLE, h5.opaque(len(PICKLE)), (1,))),
        "pickle in a compact dataset", rule, "malicious")
    bad("pickle_vlen.h5", one(lambda f: f.compact(f.vlen([b"x", PICKLE]), h5.VLEN_BYTES, (2,))),
        "pickle in a sequence, as PyTables' VLArray", rule, "malicious")
    packed = zlib.compress(PICKLE)
    bad("pickle_deflate.h5", one(lambda f: f.chunked(packed, h5.U8, (len(PICKLE),), [(1, "", [6])])),
        "pickle in a compressed chunk", rule, "malicious")
    pieces = [PICKLE[i:i + 8].ljust(8, b"\0") for i in range(0, len(PICKLE), 8)]
    bad("pickle_pieces.h5", one(lambda f: f.in_chunks(pieces, h5.U8, (len(PICKLE),), 8)),
        "pickle in many small chunks", rule, "malicious")
    bad("pickle_pieces_deflate.h5", one(lambda f: f.in_chunks(
        [zlib.compress(p) for p in pieces], h5.U8, (len(PICKLE),), 8, [(1, "", [6])])),
        "pickle in many small compressed chunks", rule, "malicious")
    wide = b"".join(struct.pack("<q", c) for c in PICKLE)
    bad("pickle_wide.h5", one(lambda f: f.contiguous(wide, h5.I64, (len(PICKLE),))),
        "pickle as numbers of 64 bits", rule, "malicious")
    even = PICKLE.ljust(-(-len(PICKLE) // 8) * 8, b"\0")
    bad("pickle_viewed.h5", one(lambda f: f.contiguous(even, h5.I64, (len(even) // 8,))),
        "pickle seen as numbers of 64 bits", rule, "malicious")
    ids = struct.pack("<64q", *range(64))
    emit("ok_numbers.h5", one(lambda f: f.in_chunks([ids[:256], ids[256:]], h5.I64, (64,), 32)),
         "benign", "numbers of 64 bits in chunks")
    bad("pickle_base64.h5", one(None, state=h5.text(b64(PICKLE))), "pickle as base64", rule, "malicious")
    bad("code_attribute.h5", one(None, state=h5.text(marshal.dumps(
        (lambda x: __import__("os").system("echo canary")).__code__))), "code object as attribute",
        "hdf5.code-object", "malicious")
    bad("program.h5", one(lambda f: f.contiguous(ELF, h5.U8, (len(ELF),))), "program as bytes",
        "data.hidden-payload")
    bad("external_link.h5", _links([h5.external("weights", "/etc/other.h5", "/w")]), "external link",
        "hdf5.external-link")
    bad("external_link_beside.h5", _links([h5.external("weights", "other.h5", "/w")]),
        "external link to a file beside", "hdf5.external-link")
    bad("external_storage.h5", one(lambda f: f.external_storage(["/etc/passwd"], h5.U8, (16,))),
        "external storage (CVE-2026-1669)", "hdf5.external-storage")
    f = h5.File()
    f.root = f.group({"w": f.external_storage(["/etc/passwd"], h5.U8, (16,))})
    raw = archive(model(dense()), {"model.weights.h5": f.finish()}, weights_name=None)
    bad("external_storage.keras", raw, "external storage inside an archive", "hdf5.external-storage")
    bad("virtual.h5", one(lambda f: f.virtual([("/etc/other.h5", "/w")], h5.F32, (4,))),
        "virtual dataset over another file", "hdf5.virtual-source")
    bad("virtual_second.h5", one(lambda f: f.virtual([(".", "/w"), ("b.h5", "/w")], h5.F32, (4,))),
        "virtual dataset, second source", "hdf5.virtual-source")
    bad("filter.h5", one(lambda f: f.chunked(bytes(16), h5.F32, (4,), [(40000, "evil", [])])),
        "filter that nobody registered", "hdf5.unknown-filter", "review", "suspicious")
    bad("shape_bomb.h5", one(lambda f: f.dataset(struct.pack("<BBQQ", 3, 1, h5.NOWHERE, 4 << 40),
                                                 h5.F32, (1 << 40,))),
        "shape of 4 TiB without data (CVE-2026-0897)", "hdf5.shape-bomb")


def _links(links):
    f = h5.File()
    f.root = f.group({}, {}, links)
    return f.finish()


def hdf5_structure():
    def lie(make, trick, rule, verdict="dangerous", name=None, label="malicious"):
        f = h5.File()
        make(f)
        bad("h5_%s.h5" % name, f.finish(), trick, rule, verdict, label)

    def with_root(children, more=()):
        def make(f):
            f.root = f.group({k: v(f) for k, v in children.items()}, {}, more)
        return make

    lie(with_root({"w": lambda f: f.contiguous(b"", h5.F32, (4,), at=1 << 40, size=16)}),
        "data beyond the file", "hdf5.out-of-range", name="beyond")
    lie(with_root({"w": lambda f: f.contiguous(bytes(8), h5.F32, (4,))}),
        "fewer bytes than the shape needs", "hdf5.size-mismatch", name="short")
    lie(with_root({"w": lambda f: f.contiguous(bytes(8), h5.F32, (1 << 40, 1 << 40))}),
        "shape beyond 64 bits", "hdf5.shape-overflow", name="overflow")
    lie(with_root({"a": lambda f: f.contiguous(bytes(16), h5.F32, (4,)),
                   "b": lambda f: f.contiguous(b"", h5.F32, (4,), at=56, size=16)}),
        "two datasets share bytes", "hdf5.overlap", name="overlap")
    lie(with_root({}, [h5.hard("x", 1 << 50)]), "link beyond the file", "hdf5.bad-structure",
        name="link_beyond")
    lie(with_root({}, [h5.hard("x", 8)]), "link to no object", "hdf5.bad-structure", name="link_wrong")
    lie(with_root({}, [h5.message(6, b"\1\0\xf0abc")]), "name longer than its message",
        "hdf5.bad-structure", name="name_long")
    lie(with_root({}, [h5.message(0x10, struct.pack("<QQ", 1 << 50, 64))]),
        "header continues beyond the file", "hdf5.bad-structure", name="continuation")
    lie(with_root({"w": lambda f: f.chunked(bytes(16), h5.F32, (4,), at=1 << 50)}),
        "chunk beyond the file", "hdf5.out-of-range", name="chunk_beyond")
    lie(with_root({"w": lambda f: f.chunked(bytes(16), h5.F32, (4,), at=48, levels=1)}),
        "index of chunks that leads nowhere", "hdf5.bad-structure", name="chunk_index")
    lie(with_root({"w": lambda f: f.compact(struct.pack("<IQI", 4, 1 << 50, 1), h5.VLEN_TEXT, (1,))}),
        "string beyond the file", "hdf5.bad-structure", name="string_beyond")
    honest_file = weights()
    broken = bytearray(honest_file)
    broken[struct.unpack_from("<Q", honest_file, 36)[0] + 12] ^= 1
    bad("h5_checksum.h5", bytes(broken), "wrong checksum", "hdf5.bad-structure", "dangerous",
        "suspicious")
    bad("h5_cut.h5", honest_file[:-24], "cut off", "hdf5.truncated", "review", "suspicious")
    f = h5.File()
    top = f.header([h5.message(2, struct.pack("<BBQQ", 0, 0, h5.NOWHERE, h5.NOWHERE)),
                    h5.hard("self", len(f.data))])
    bad("h5_cycle.h5", f.finish(top), "group that contains itself", "hdf5.link-cycle", "review",
        "suspicious")
    plain = legacy(old_model(old_layer("Dense", units=3)))
    bad("h5_trailing.h5", plain + b"something else" * 9, "bytes behind the end", "hdf5.trailing-data",
        "review", "suspicious")
    bad("h5_trailing_program.h5", plain + ELF, "program behind the end", "data.hidden-payload")
    bad("h5_trailing_pickle.h5", plain + PICKLE, "pickle behind the end", "pickle.call-on-load",
        "malicious")
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr(zipfile.ZipInfo("data.pkl", (2024, 1, 1, 0, 0, 0)), PICKLE)
    bad("h5_zip.h5", plain + raw.getvalue(), "zip archive behind the end",
        "hdf5.polyglot,pickle.call-on-load", "malicious")
    for name, payload, rule, verdict in (("program", ELF, "data.hidden-payload", "dangerous"),
                                         ("pickle", PICKLE, "pickle.call-on-load", "malicious")):
        f = h5.File(payload.ljust(512, b"\0"))
        bad("h5_user_block_%s.h5" % name, legacy(old_model(old_layer("Dense", units=3)), f=f),
            name + " in the user block", rule, verdict)


def main():
    global out_dir
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out_dir = sys.argv[1]
    os.makedirs(out_dir, exist_ok=True)
    honest()
    lambdas()
    readers_that_differ()
    references()
    files_and_models()
    hdf5_values()
    hdf5_structure()
    with open(os.path.join(out_dir, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join(row) + "\n")


main()
