#!/usr/bin/env python3
"""Tar archives, 7z, rar, images and what models are shipped in (TorchServe, torch.package, skops, NeMo,
llamafile), with every trick that their parsers must catch, and honest ones that they must leave alone.

    archive_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv, see README.md. All payloads are inert: they would print a word.
"""
import bz2
import gzip
import io
import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PAYLOAD = b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
HARMLESS = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."
BLOCK = 512
NOTHING_RUNS = "by specification: unpacking does the harm, nothing is run"
OTHERS = "by specification: readers that see another content than Python's"
rows = []
out_dir = "."


def emit(name, data, label, trick, loader="", rules="", verdict="dangerous"):
    path = os.path.join(out_dir, name)
    with open(path, "wb") as f:
        f.write(data)
    if label == "benign":
        verdict = "clean"
    rows.append((name, label, trick, loader or NOTHING_RUNS, rules, verdict))


# --- a tar writer that lies on demand ---

def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def header(name, size=0, kind=b"0", magic=b"ustar\x0000", link=b"", prefix=b"", size_field=None, checksum=None,
           signed=False, tail=b""):
    name = name.encode() if isinstance(name, str) else name
    block = bytearray(BLOCK)

    def put(at, value, width):
        block[at:at + min(width, len(value))] = value[:width]
    put(0, name, 100)
    put(100, octal(0o644, 8), 8)
    put(108, octal(0, 8), 8)
    put(116, octal(0, 8), 8)
    put(124, octal(size, 12) if size_field is None else size_field, 12)
    put(136, octal(1700000000, 12), 12)
    put(148, b" " * 8, 8)
    put(156, kind, 1)
    put(157, link, 100)
    put(257, magic, 8)
    put(345, prefix, 155)
    put(345, tail, 167)
    total = sum(b - 256 if signed and b > 127 else b for b in block) if checksum is None else checksum
    put(148, b"%06o\0 " % total, 8)
    return bytes(block)


def padded(data):
    return data + b"\0" * (-len(data) % BLOCK)


def member(name, data=HARMLESS, **kw):
    return header(name, kw.pop("size", len(data)), **kw) + padded(data)


def record(key, value):
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length += 1
    return str(length).encode() + body


def pax(*records, kind=b"x"):
    return member("PaxHeaders/x", b"".join(record(*r) for r in records), kind=kind)


def long_name(name, kind=b"L"):
    return member("././@LongLink", name + b"\0", kind=kind, magic=b"ustar  \0")


END = b"\0" * (2 * BLOCK)


def tar(*parts, end=END):
    return b"".join(parts) + end


def by_python(members, mode="w", fmt=tarfile.PAX_FORMAT, **kw):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=fmt, **kw) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if data is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
                continue
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


# --- tar ---

def tar_malicious():
    for name, fmt in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        data = by_python([("model/config.txt", b"x = 1\n"), ("model/data.pkl", PAYLOAD)], fmt=fmt)
        emit("pickle_%s.tar" % name, data, "malicious", "Z3 pickle in tar", "tarfile", "pickle.call-on-load", "malicious")
    data = by_python([("m.pkl", PAYLOAD)])
    emit("pickle.tar.gz", gzip.compress(data, mtime=0), "malicious", "Z3", "tarfile", "pickle.call-on-load", "malicious")
    emit("pickle.tar.bz2", bz2.compress(data), "malicious", "Z3", "tarfile", "pickle.call-on-load", "malicious")
    emit("pickle.tar.xz", lzma.compress(data), "malicious", "Z3", "tarfile", "pickle.call-on-load", "malicious")
    emit("pickle_under_pt.pt", data, "malicious", "Z3 tar under .pt", "tarfile", "pickle.call-on-load", "malicious")
    emit("v7.tar", tar(member("m.pkl", PAYLOAD, magic=b"")), "malicious", "v7", "tarfile", "pickle.call-on-load", "malicious")
    emit("no_end.tar", member("m.pkl", PAYLOAD), "malicious", "no end blocks", "tarfile", "pickle.call-on-load", "malicious")
    emit("tar_in_tar.tar", by_python([("inner", by_python([("deep", PAYLOAD)]))]), "malicious", "nested",
         "by specification: two layers", "pickle.call-on-load", "malicious")
    emit("long.tar", by_python([("d/" * 80 + "m.pkl", PAYLOAD)], fmt=tarfile.GNU_FORMAT), "malicious", "long name",
         "tarfile", "pickle.call-on-load", "malicious")
    emit("unusual_type.tar", tar(member("m.pkl", PAYLOAD, kind=b"Q")), "malicious", "type Q", "tarfile",
         "pickle.call-on-load,tar.unusual-type", "malicious")
    emit("base256.tar", tar(member("m.pkl", PAYLOAD, size_field=b"\x80" + len(PAYLOAD).to_bytes(11, "big"))),
         "malicious", "base 256", "tarfile", "pickle.call-on-load", "malicious")
    emit("truncated.tar", member("m.pkl", PAYLOAD + b"\0" * 5000)[:BLOCK + 700], "malicious", "cut off",
         "by specification: readers that act as they read", "pickle.call-on-load,tar.truncated", "malicious")
    emit("truncated.tar.gz", gzip.compress(by_python([("a", os.urandom(1) * 9), ("m.pkl", PAYLOAD), ("z", bytes(range(256)) * 99)]),
                                           mtime=0)[:-60], "malicious", "cut off", OTHERS,
         "pickle.call-on-load,codec.truncated", "malicious")
    # What the sparse map makes of the data.
    half = len(PAYLOAD) // 2
    spread = PAYLOAD[:half] + PAYLOAD[half:]
    emit("sparse_1_0.tar", tar(pax(("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"),
                                   ("GNU.sparse.name", b"m.pkl"), ("GNU.sparse.realsize", b"%d" % (len(PAYLOAD) + 512))),
                               member("GNUSparseFile.0/m.pkl", padded(b"1\n0\n%d\n" % len(spread)) + spread)),
         "malicious", "sparse", "tarfile", "pickle.call-on-load", "malicious")
    emit("sparse_0_1.tar", tar(pax(("GNU.sparse.size", b"%d" % len(PAYLOAD)), ("GNU.sparse.name", b"m.pkl"),
                                   ("GNU.sparse.map", b"0,%d,%d,%d" % (half, half, len(PAYLOAD) - half))),
                               member("GNUSparseFile.0/m.pkl", spread)),
         "malicious", "sparse", "tarfile", "pickle.call-on-load", "malicious")
    old = b"\0" * 41 + octal(0, 12) + octal(len(PAYLOAD), 12) + b"\0" * 73
    old = old[:137] + b"\0" + octal(len(PAYLOAD) + 100, 12)
    emit("sparse_old.tar", tar(member("m.pkl", PAYLOAD, kind=b"S", magic=b"ustar  \0", tail=old)), "malicious",
         "sparse", "tarfile", "pickle.call-on-load", "malicious")


def tar_readers_differ():
    good, bad = HARMLESS, PAYLOAD
    emit("checksum_middle.tar", tar(member("a.pkl", good), member("b.pkl", good, checksum=1), member("m.pkl", bad)),
         "malicious", "checksum wrong: GNU tar goes on", "by specification: what GNU tar unpacks is loaded then", "tar.checksum,pickle.call-on-load", "malicious")
    emit("checksum_first.tar", tar(member("a.pkl", bad, checksum=1), member("m.pkl", bad)), "malicious",
         "checksum wrong at once", "by specification: what GNU tar unpacks is loaded then", "tar.checksum,pickle.call-on-load", "malicious")
    emit("after_end.tar", tar(member("a.pkl", good)) + tar(member("m.pkl", bad)), "malicious",
         "members behind the end", OTHERS, "tar.trailing-archive,pickle.call-on-load", "malicious")
    emit("lone_zero.tar", tar(member("a.pkl", good), b"\0" * BLOCK, member("m.pkl", bad)), "malicious",
         "one block of zeros", OTHERS, "tar.trailing-archive,pickle.call-on-load", "malicious")
    emit("trailing_pickle.tar", tar(member("a.pkl", good)) + bad, "malicious", "pickle behind the end", OTHERS,
         "tar.trailing-data,pickle.call-on-load", "malicious")
    # CVE-2025-62518: the pax size covers an archive that plain readers see.
    inner = tar(member("m.pkl", bad), end=b"")
    emit("pax_size.tar", tar(pax(("size", b"%d" % len(inner))), header("a.bin", 0), inner), "malicious",
         "pax size over 0", "by specification: readers that go by the plain header", "tar.size-mismatch,pickle.call-on-load", "malicious")
    emit("pax_size_less.tar", tar(pax(("size", b"0")), header("a.bin", 1024), padded(b"x" * 1024)[:0], member("m.pkl", bad)),
         "malicious", "plain size over pax 0", "tarfile", "tar.size-mismatch,pickle.call-on-load", "malicious")
    emit("link_with_size.tar", tar(header("l", 1024, kind=b"2", link=b"a.pkl"), member("m.pkl", bad)), "malicious",
         "a link with a size", "tarfile", "tar.size-mismatch,pickle.call-on-load", "malicious")
    emit("folder_with_size.tar", tar(header("d/", 1024, kind=b"5"), member("m.pkl", bad)), "malicious",
         "a folder with a size", "tarfile", "tar.size-mismatch,pickle.call-on-load", "malicious")
    emit("global_path.tar", tar(pax(("path", b"m.pkl"), kind=b"g"), member("a.txt", bad)), "malicious",
         "a name for all", "tarfile", "tar.global-override,pickle.call-on-load", "malicious")
    for what, value in (("minus", b"-0000000010\0"), ("octal_prefix", b"0o%08o\0\0" % len(bad)),
                        ("under_score", b"0_%08o\0\0" % len(bad)), ("text", b"%08o x\0\0" % len(bad))):
        emit("number_%s.tar" % what, tar(member("m.pkl", bad, size_field=value)), "suspicious",
             "number: " + what, OTHERS, "tar.number")
    emit("number_negative.tar", tar(member("m.pkl", bad, size_field=b"\xff" * 12)), "suspicious", "size below zero",
         OTHERS, "tar.number")
    emit("number_huge.tar", tar(member("m.pkl", bad, size_field=b"\x80" + b"\x7f" * 11)), "suspicious",
         "size beyond measure", OTHERS, "tar.number")
    emit("size_claim.tar", tar(member("m.pkl", bad, size=0o77777777777)), "malicious", "8 GiB that are not there",
         "by specification: readers that act as they read", "tar.truncated,pickle.call-on-load", "malicious")


def tar_names():
    def names(name, *parts, trick, rules, label="suspicious", loader=NOTHING_RUNS, verdict="dangerous"):
        emit(name + ".tar", tar(*parts), label, trick, loader, rules, verdict)
    names("up", member("../../etc/cron.d/x", b"text\n"), trick="Z5 ..", rules="tar.unsafe-name")
    names("middle", member("a/../../../x", b"text\n"), trick="Z5 .. inside", rules="tar.unsafe-name")
    names("absolute", member("/etc/cron.d/x", b"text\n"), trick="Z5 absolute", rules="tar.unsafe-name")
    names("drive", member("C:\\x\\y", b"text\n"), trick="Z5 drive", rules="tar.unsafe-name")
    names("backslash", member("..\\..\\x", b"text\n"), trick="Z5 backslash", rules="tar.unsafe-name")
    names("pax_up", pax(("path", b"../../x")), member("x", b"text\n"), trick="Z5 pax", rules="tar.unsafe-name,tar.name-mismatch")
    names("gnu_up", long_name(b"../" * 40 + b"x"), member("x", b"text\n"), trick="Z5 GNU", rules="tar.unsafe-name")
    names("link_out", header("l", kind=b"2", link=b"../../../etc"), trick="Z5 link", rules="tar.link-escape")
    names("link_absolute", header("l", kind=b"2", link=b"/etc/passwd"), trick="Z5 link", rules="tar.link-escape")
    names("link_pax", pax(("linkpath", b"../../../../etc")), header("l", kind=b"2", link=b"a"), trick="Z5 link", rules="tar.link-escape")
    names("hard_out", header("l", kind=b"1", link=b"../../etc/passwd"), trick="Z5 hard link", rules="tar.link-escape")
    names("hard_absolute", header("l", kind=b"1", link=b"/etc/passwd"), trick="Z5 hard link", rules="tar.link-escape")
    names("through", header("l", kind=b"2", link=b"/tmp"), member("l/x", b"text\n"), trick="Z5 write-through",
          rules="tar.write-through-link,tar.link-escape")
    names("through_inside", header("a/l", kind=b"2", link=b"."), header("a/l/m", kind=b"2", link=b".."),
          member("a/l/m/x", b"text\n"), trick="Z5 write-through", rules="tar.write-through-link")
    names("through_root", header("etc/l", kind=b"2", link=b"/root"), member("etc/l/x", b"text\n"),
          trick="Z5 write-through", rules="tar.write-through-link")
    names("over_link", header("f", kind=b"2", link=b"/tmp/f"), member("f", b"text\n"), trick="Z5 write-through",
          rules="tar.write-through-link")
    names("hard_to_link", header("s", kind=b"2", link=b"/tmp/f"), header("h", kind=b"1", link=b"s"), member("h", b"text\n"),
          trick="Z5 write-through by a hard link", rules="tar.write-through-link")
    names("device", header("d", kind=b"4"), trick="device", rules="tar.special-file")
    names("pipe", header("p", kind=b"6"), trick="pipe", rules="tar.special-file")
    names("twice", member("m.pkl", HARMLESS), member("m.pkl", PAYLOAD), trick="Z2 duplicate", label="malicious",
          loader="tarfile", rules="tar.duplicate-name,pickle.call-on-load", verdict="malicious")
    names("twice_dot", member("m.pkl", PAYLOAD), member("./m.pkl", HARMLESS), trick="Z2 duplicate", label="malicious",
          loader="tarfile", rules="tar.duplicate-name,pickle.call-on-load", verdict="malicious")
    names("pax_and_gnu", pax(("path", b"a.txt")), long_name(b"b.pkl"), member("a.txt", b"text\n"), trick="pax and GNU",
          rules="tar.name-mismatch")
    names("pax_other", pax(("path", b"evil.py")), member("a.txt", b"text\n"), trick="pax against plain",
          rules="tar.name-mismatch")
    names("v7_prefix", member("a.txt", b"text\n", magic=b"", prefix=b"../.."), trick="prefix of v7",
          rules="tar.name-mismatch,tar.unsafe-name")
    names("pax_nul", pax(("path", b"a.txt\0.pkl")), member("a.txt", b"text\n"), trick="Z2 NUL", rules="tar.nul-in-name")
    names("gnu_nul", long_name(b"a.txt\0b.pkl"), member("a.txt", b"text\n"), trick="Z2 NUL", rules="tar.nul-in-name")
    names("control", member("a\r\nb", b"text\n"), trick="control", rules="tar.odd-name", verdict="review")
    names("nameless", member("", b"text\n"), trick="no name", rules="tar.odd-name", verdict="review")
    names("pax_length", member("x", b"99 path=evil\n", kind=b"x"), member("a.txt", b"text\n"), trick="pax record",
          rules="tar.extended-header")
    names("pax_size_text", pax(("size", b"-5")), member("a.txt", b"text\n"), trick="pax record", rules="tar.extended-header")
    names("sparse_overlap", pax(("GNU.sparse.size", b"9"), ("GNU.sparse.name", b"f"), ("GNU.sparse.map", b"0,5,2,3")),
          member("GNUSparseFile.0/f", b"text\ntex"), trick="sparse", rules="tar.sparse-map")
    names("sparse_beyond", pax(("GNU.sparse.size", b"4"), ("GNU.sparse.name", b"f"), ("GNU.sparse.map", b"0,5")),
          member("GNUSparseFile.0/f", b"text\n"), trick="sparse", rules="tar.sparse-map")
    names("sparse_bomb", pax(("GNU.sparse.size", b"%d" % (1 << 40)), ("GNU.sparse.name", b"f"), ("GNU.sparse.map", b"0,5")),
          member("GNUSparseFile.0/f", b"text\n"), trick="Z5 bomb", rules="tar.bomb")
    # Opcodes as the name of the first member: pickle.load runs them.
    name = b"cos\nsystem\n(S'echo canary'\ntR."
    emit("pickle_name.tar", tar(member(name, b"text\n")), "malicious", "polyglot", "pickle.load",
         "tar.pickle-name,pickle.call-on-load", "malicious")
    emit("pickle_name_2.pkl", tar(member(b"\x80\x02" + name, b"text\n")), "malicious", "polyglot", "pickle.load",
         "tar.pickle-name,pickle.call-on-load", "malicious")


def tar_benign():
    members = [("model", None), ("model/config.json", b'{"hidden_size": 8}\n'), ("model/model.pkl", HARMLESS),
               ("model/" + "long/" * 40 + "name.txt", b"text\n"), ("model/\u00fcml\u00e4ut.txt", b"text\n"),
               ("model/empty", b"")]
    for name, fmt in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        fits = [m for m in members if fmt != tarfile.USTAR_FORMAT or len(m[0]) < 100]
        data = by_python(fits, fmt=fmt)
        emit("ok_python_%s.tar" % name, data, "benign", "as Python writes it", "tarfile")
        emit("ok_python_%s.tar.gz" % name, gzip.compress(data, mtime=0), "benign", "as Python writes it", "tarfile")
    emit("ok_python.tgz", gzip.compress(data, mtime=0), "benign", "tgz", "tarfile")
    emit("ok_python.tar.bz2", bz2.compress(data), "benign", "bz2", "tarfile")
    emit("ok_python.tar.xz", lzma.compress(data), "benign", "xz", "tarfile")
    emit("ok_v7.tar", tar(member("m.pkl", magic=b"")), "benign", "v7", "tarfile")
    emit("ok_signed.tar", tar(member("m\u00fc\u00fc\u00fc.pkl", magic=b"", signed=True)), "benign", "signed sum", "tarfile")
    emit("ok_no_end.tar", member("m.pkl"), "benign", "no end blocks", "tarfile")
    emit("ok_base256.tar", tar(member("m.pkl", size_field=b"\x80" + len(HARMLESS).to_bytes(11, "big"))), "benign",
         "base 256", "tarfile")
    emit("ok_blank_numbers.tar", tar(member("m.pkl", size_field=b"%11o " % len(HARMLESS))), "benign", "numbers of old", "tarfile")
    emit("ok_global_comment.tar", tar(pax(("comment", b"4b825dc642cb6eb9a060e54bf8d69288fbee4904"), kind=b"g"), member("m.pkl")),
         "benign", "git archive", "tarfile")
    emit("ok_links.tar", tar(member("v1/m.pkl"), header("current", kind=b"2", link=b"v1"), header("v1/up", kind=b"2", link=b"../v1/m.pkl"),
                             header("v1/copy.pkl", kind=b"1", link=b"v1/m.pkl")), "benign", "links inside", "tarfile")
    emit("ok_gnu_times.tar", tar(member("m.pkl", magic=b"ustar  \0", tail=octal(1700000000, 12) + octal(1700000000, 12))),
         "benign", "GNU's times", "tarfile")
    emit("ok_many_zeros.tar", tar(member("m.pkl")) + b"\0" * 8192, "benign", "padded to a record", "tarfile")
    emit("ok_sparse.tar", tar(pax(("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.name", b"m.pkl"),
                                  ("GNU.sparse.realsize", b"%d" % (len(HARMLESS) + 4096))),
                              member("GNUSparseFile.0/m.pkl", padded(b"1\n0\n%d\n" % len(HARMLESS)) + HARMLESS)),
         "benign", "sparse", "tarfile")
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(os.path.join(directory, "m", "x" * 90, "y" * 90))
        for name, data in (("m/a.pkl", HARMLESS), ("m/%s/%s/b.pkl" % ("x" * 90, "y" * 90), HARMLESS)):
            with open(os.path.join(directory, name), "wb") as f:
                f.write(data)
        with open(os.path.join(directory, "m", "holes.pkl"), "wb") as f:
            f.write(HARMLESS)
            f.truncate(1 << 20)
        os.link(os.path.join(directory, "m", "a.pkl"), os.path.join(directory, "m", "same.pkl"))
        os.symlink("a.pkl", os.path.join(directory, "m", "latest.pkl"))
        for fmt in ("v7", "oldgnu", "gnu", "ustar", "posix"):
            what = ["m"] if fmt not in ("v7", "ustar") else ["m/a.pkl", "m/same.pkl", "m/latest.pkl"]
            sparse = ["--sparse"] if fmt in ("gnu", "posix", "oldgnu") else []
            for version in ("0.0", "0.1", "1.0") if fmt == "posix" else ("",):
                extra = ["--sparse-version=" + version] if version else []
                path = os.path.join(out_dir, "ok_tar_%s%s.tar" % (fmt, version))
                subprocess.run(["tar", "-C", directory, "--format=" + fmt, "--sort=name", "--mtime=@1700000000", *sparse, *extra,
                                "-cf", path, *what], check=True)
                rows.append((os.path.basename(path), "benign", "as GNU tar writes it", "tarfile", "", "clean"))


# --- skops ---

def node(module, name, loader, **more):
    return dict(__class__=name, __module__=module, __loader__=loader, **more)


def json_node(value):
    return node("builtins", "str", "JsonNode", content=json.dumps(value), is_json=True)


def list_node(*values):
    return node("builtins", "list", "ListNode", content=list(values))


def dict_node(**values):
    return node("builtins", "dict", "DictNode", content=values,
                key_types=list_node(*[node("builtins", "str", "TypeNode") for _ in values]))


def array():
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
    return b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117) + b"\n" + struct.pack("<2d", 0.5, -0.25)


def skops(name, root, label, trick, rules="", verdict="dangerous", schema=None, members=(("w.npy", array()),)):
    out = io.BytesIO()
    text = json.dumps(dict(root, protocol=1, _skops_version="0.10.0"), indent=2).encode() if schema is None else schema
    with zipfile.ZipFile(out, "w") as archive:
        for member_name, data in members:
            archive.writestr(member_name, data)
        archive.writestr("schema.json", text)
    emit(name + ".skops", out.getvalue(), label, trick, "by specification: skops is not packaged", rules, verdict)


def skops_tricks():
    model = ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode")
    transformer = ("sklearn.preprocessing._function_transformer", "FunctionTransformer", "ObjectNode")
    weights = node("numpy", "ndarray", "NdArrayNode", type="numpy", file="w.npy")
    skops("ok_logistic", node(*model, content=dict_node(C=json_node(1.0), penalty=json_node("l2"), coef_=weights)), "benign", "estimator")
    skops("ok_function", node(*transformer, content=dict_node(func=node("numpy", "log1p", "FunctionNode"))), "benign", "numpy's function")
    skops("ok_tree", node("sklearn.tree._classes", "DecisionTreeClassifier", "ObjectNode", content=dict_node(
        tree_=node("sklearn.tree._tree", "Tree", "TreeNode", __reduce__={"args": list_node()}, content=dict_node()))), "benign", "tree")
    skops("ok_types", node("sklearn.feature_extraction.text", "CountVectorizer", "ObjectNode", content=dict_node(
        dtype=node("numpy", "int64", "TypeNode"), vocabulary_=dict_node(a=json_node(1)), extra=node("builtins", "set", "SetNode", content=[]))),
        "benign", "types")
    skops("function_system", node(*transformer, content=dict_node(func=node("posix", "system", "FunctionNode"))), "malicious",
          "FunctionNode", "pickle.import-dangerous")
    skops("partial_system", node("functools", "partial", "PartialNode", content={
        "func": node("os", "system", "FunctionNode"), "args": node("builtins", "tuple", "TupleNode", content=[json_node("echo canary")]),
        "kwds": dict_node(), "namespace": dict_node()}), "malicious", "PartialNode", "pickle.import-dangerous")
    skops("constructor_popen", node("subprocess", "Popen", "ConstructorFromReduceNode", content=list_node(json_node(["echo", "canary"]))),
          "malicious", "ConstructorFromReduceNode", "pickle.call-on-load", "malicious")
    skops("list_popen", node("subprocess", "Popen", "ListNode", content=[json_node("echo"), json_node("canary")]), "malicious",
          "a list of another class", "pickle.call-on-load", "malicious")
    skops("dotted", node(*transformer, content=dict_node(func=node("logging", "os.system", "FunctionNode"))), "malicious", "dotted walk",
          "pickle.import-dangerous")
    skops("loss_other", node("builtins", "exec", "LossNode", __reduce__={"args": list_node(json_node("print('canary')"))}, content=dict_node()),
          "malicious", "LossNode", "pickle.call-on-load", "malicious")
    skops("operator_hidden", node("sklearn.linear_model", "call", "OperatorFuncNode", attrs=list_node()), "malicious", "CVE-2025-54412",
          "skops.node-mismatch")
    skops("method_hidden", node("builtins", "int", "MethodNode", content={"func": "real", "obj": node("os", "_wrap_close", "ObjectNode")}),
          "malicious", "CVE-2025-54413", "skops.node-mismatch")
    skops("method_globals", node("sklearn.base", "BaseEstimator", "MethodNode",
                                 content={"func": "__init__.__globals__", "obj": node("sklearn.base", "BaseEstimator", "ObjectNode")}),
          "malicious", "CVE-2025-54413", "skops.method")
    skops("unknown_module", node("my_models", "Net", "ObjectNode", content=dict_node()), "suspicious", "module of its own", "", "review")
    skops("unknown_loader", node("builtins", "dict", "ShellNode", content={}), "suspicious", "loader", "skops.unknown-loader", "review")
    skops("pickle_member", node(*model, content=dict_node()), "malicious", "a pickle beside the schema", "pickle.call-on-load", "malicious",
          members=(("fallback.joblib", PAYLOAD),))
    twice = json.dumps(node(*model)).replace('"__class__"', '"__class__": "x", "__class__"')
    skops("twice", {}, "suspicious", "duplicate key", "skops.duplicate-key", schema=twice.encode())
    skops("utf16", {}, "suspicious", "UTF-16", "skops.broken", schema=json.dumps(node("os", "system", "FunctionNode")).encode("utf-16"))


# --- archives of other kinds ---

def sevenzip(name, files, label, trick, options=(), rules="", verdict="dangerous", edit=None):
    with tempfile.TemporaryDirectory() as directory:
        for file, data in files:
            os.makedirs(os.path.dirname(os.path.join(directory, file)), exist_ok=True)
            with open(os.path.join(directory, file), "wb") as f:
                f.write(data)
        subprocess.run(["7z", "a", "-mtc=off", "-mtm=off", "-mta=off", *options, "x.7z", *[file for file, _ in files]], cwd=directory,
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(directory, "x.7z"), "rb") as f:
            data = f.read()
    emit(name, edit(data) if edit else data, label, trick, "by specification: unpacked by 7z", rules, verdict)


def sevenzip_tricks():
    if not shutil.which("7z"):
        return
    files = [("a.txt", b"text\n" * 100), ("empty.txt", b""), ("m/m.pkl", PAYLOAD), ("z.txt", b"more\n" * 100)]
    fine = [("a.txt", b"text\n" * 100), ("empty.txt", b""), ("m/m.pkl", HARMLESS)]
    for method in ("LZMA", "LZMA2", "Deflate", "BZip2", "Copy"):
        low = method.lower()
        sevenzip("%s.7z" % low, files, "malicious", "Z3 7z", ["-m0=" + method], "pickle.call-on-load", "malicious")
        sevenzip("ok_%s.7z" % low, fine, "benign", "7z", ["-m0=" + method])
    sevenzip("filter.7z", files, "malicious", "Z3 7z", ["-m0=BCJ", "-m1=LZMA2"], "pickle.call-on-load", "malicious")
    sevenzip("not_solid.7z", files, "malicious", "Z3 7z", ["-ms=off"], "pickle.call-on-load", "malicious")
    sevenzip("plain_list.7z", files, "malicious", "Z3 7z", ["-mhc=off"], "pickle.call-on-load", "malicious")
    sevenzip("under_pt.pt", files, "malicious", "Z3 7z under .pt", (), "pickle.call-on-load", "malicious")
    sevenzip("encrypted.7z", files, "suspicious", "Z3 encrypted", ["-psecret"], "archive.encrypted", "review")
    sevenzip("encrypted_list.7z", files, "suspicious", "Z3 header-encrypted", ["-psecret", "-mhe=on"], "archive.encrypted", "review")
    sevenzip("encrypted.pt", files, "suspicious", "Z3 header-encrypted under .pt", ["-psecret", "-mhe=on"], "archive.encrypted", "review")
    sevenzip("ppmd.7z", files, "suspicious", "Z3 PPMd", ["-m0=PPMd"], "archive.not-read", "review")
    sevenzip("cut.7z", files, "suspicious", "cut off", (), "archive.broken", edit=lambda d: d[:-20])
    sevenzip("start.7z", files, "suspicious", "checksum of the start", (), "archive.broken", edit=lambda d: d[:8] + b"xxxx" + d[12:])
    sevenzip("tail.7z", files, "malicious", "bytes behind", (), "archive.trailing-data", "malicious", edit=lambda d: d + b"tail")
    emit("five.rar", b"Rar!\x1a\x07\x01\x00" + bytes(range(64)), "suspicious", "RAR", "by specification: unpacked by unrar",
         "archive.not-read", "review")
    emit("four.rar", b"Rar!\x1a\x07\x00\xcf\x90\x73\x00\x00\x0d\x00" + bytes(32), "suspicious", "RAR",
         "by specification: unpacked by unrar", "archive.not-read", "review")
    emit("four_list.rar", b"Rar!\x1a\x07\x00\xce\x99\x73\x80\x00\x0d\x00" + bytes(32), "suspicious", "RAR",
         "by specification: unpacked by unrar", "archive.encrypted", "review")
    emit("five_list.rar", b"Rar!\x1a\x07\x01\x00\x33\x92\xb5\xe5\x21\x04" + bytes(32), "suspicious", "RAR",
         "by specification: unpacked by unrar", "archive.encrypted", "review")


# --- PyTorch's tar files (before 0.1.10) ---

def pickled(body):
    return b"\x80\x02" + body + b"."


def torch_tar(storages=b"", tensors=b"", pickle=b"", sys_info=b""):
    value = struct.pack("<4f", 0.5, -0.25, 1.5, 2.25)
    kept = pickled(b"K\x01") + (storages or pickled(b"(X\x01\0\0\0aX\x03\0\0\0cpuctorch\nFloatStorage\nt")) + \
        struct.pack("<q", 4) + value + pickled(b"]")
    views = pickled(b"K\x01") + (tensors or pickled(b"(K\x01X\x01\0\0\0actorch\nFloatTensor\nt")) + \
        struct.pack("<ii", 2, 0) + struct.pack("<qqqqq", 2, 2, 2, 1, 0)
    return by_python([("sys_info", sys_info or pickled(b"}X\x08\0\0\0protocolM\xe8\x03s")),
                      ("pickle", pickle or pickled(b"}X\x01\0\0\0wX\x01\0\0\0" + b"1Qs")),
                      ("tensors", views), ("storages", kept)])


def torch_tricks():
    emit("ok_torch.tar", torch_tar(), "benign", "Z3 torch tar", "torch.load")
    emit("ok_torch_tar.pt", torch_tar(), "benign", "Z3 torch tar", "torch.load")
    for part in ("storages", "tensors", "pickle"):
        emit("torch_%s.pt" % part, torch_tar(**{part: PAYLOAD}), "malicious", "Z3 torch tar, " + part, "torch.load",
             "pickle.call-on-load", "malicious")
    emit("torch_sys_info.pt", torch_tar(sys_info=PAYLOAD), "malicious", "Z3 torch tar, sys_info", "tarfile",
         "pickle.call-on-load", "malicious")


# --- what models are shipped in ---

def zipped(members, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


HANDLER = b"""import torch
from ts.torch_handler.base_handler import BaseHandler


class Handler(BaseHandler):
    def initialize(self, context):
        self.model = torch.jit.load(context.manifest["model"]["serializedFile"])
        self.model.eval()
"""
BAD_HANDLER = b"import base64\nexec(base64.b64decode('cHJpbnQoImNhbmFyeSIp'))\n"


def mar(handler=HANDLER, model=HARMLESS, **more):
    fields = dict({"modelName": "m", "serializedFile": "model.pkl", "handler": "handler.py", "modelVersion": "1.0"}, **more)
    text = json.dumps({"createdOn": "01/01/2024 00:00:00", "runtime": "python", "model": fields, "archiverVersion": "0.8.0"}, indent=2)
    return [("MAR-INF/MANIFEST.json", text.encode()), ("handler.py", handler), ("model.pkl", model)]


SERVES = "by specification: TorchServe is not packaged"


def mar_tricks():
    emit("ok_model.mar", zipped(mar()), "benign", "TorchServe")
    emit("ok_tar.mar", gzip.compress(by_python(mar()), mtime=0), "benign", "TorchServe, tgz")
    emit("model.mar", zipped(mar(model=PAYLOAD)), "malicious", "Z1 .mar", "zipfile", "pickle.call-on-load", "malicious")
    emit("model_tar.mar", gzip.compress(by_python(mar(model=PAYLOAD)), mtime=0), "malicious", "Z1 .mar", "tarfile", "pickle.call-on-load",
         "malicious")
    emit("handler.mar", zipped(mar(handler=BAD_HANDLER)), "malicious", "Z1 .mar handler", SERVES, "code.hidden-code")
    emit("outside.mar", zipped(mar(serializedFile="../../tmp/model.pkl")), "suspicious", "Z1 .mar path", SERVES, "mar.unsafe-path")
    fields = mar()
    twice = fields[0][1].replace(b'"handler"', b'"handler": "other.py", "handler"')
    emit("twice.mar", zipped([(fields[0][0], twice)] + fields[1:]), "suspicious", "Z1 .mar", SERVES, "mar.duplicate-key")


def nemo_tricks():
    fine = b"target: nemo.collections.asr.models.EncDecCTCModel\nmodel:\n  sample_rate: 16000\n"
    bad = b"model:\n  _target_: os.system\n  command: echo canary\n"
    weights = zipped([("model_weights/data.pkl", b"\x80\x02}q\0."), ("model_weights/version", b"3\n")], zipfile.ZIP_STORED)
    emit("ok_model.nemo", by_python([("./model_config.yaml", fine), ("./model_weights.ckpt", weights)]), "benign", "NeMo")
    emit("ok_model_gz.nemo", gzip.compress(by_python([("./model_config.yaml", fine), ("./model_weights.ckpt", weights)]), mtime=0),
         "benign", "NeMo")
    emit("target.nemo", by_python([("./model_config.yaml", bad), ("./model_weights.ckpt", weights)]), "malicious", "CVE-2025-23304",
         "by specification: NeMo is not packaged", "", "dangerous")
    emit("ckpt.nemo", by_python([("./model_config.yaml", fine), ("./model_weights.ckpt", PAYLOAD)]), "malicious", "NeMo", "tarfile",
         "pickle.call-on-load", "malicious")


def gguf(template=b"{{ messages }}"):
    def text(value):
        return struct.pack("<Q", len(value)) + value
    values = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama") + \
        text(b"tokenizer.chat_template") + struct.pack("<I", 8) + text(template)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + values


def program(model, head=b"MZqFpD='\n' JARTSR='\n"):
    return head + bytes(range(256)) * 40 + b"PK\3\4 in the middle of a program" + b"\0" * 999 + \
        zipped([("model.gguf", model), (".args", b"-m\nmodel.gguf\n")], zipfile.ZIP_STORED)


def program_tricks():
    runs = "by specification: the program is run"
    bad = b"{{ ''.__class__.__mro__[1].__subclasses__() }}"
    emit("fine.llamafile", program(gguf()), "suspicious", "llamafile: a program", runs, "archive.program", "review")
    emit("template.llamafile", program(gguf(bad)), "malicious", "llamafile with a template that climbs out", runs, "archive.program")
    emit("elf.llamafile", program(gguf(), head=b"\x7fELF\2\1\1\0"), "suspicious", "llamafile: a program", runs, "archive.program", "review")


# --- images ---

def sha256(data):
    import hashlib
    return hashlib.sha256(data).hexdigest()


def image(layers, wrong=False):
    """An OCI image layout in a tar, as `skopeo copy oci-archive:` writes it."""
    parts, config = [], b'{"architecture":"amd64","os":"linux"}'

    def blob(data, media, title=None):
        parts.append(("blobs/sha256/" + sha256(data), data))
        made = {"mediaType": media, "digest": "sha256:" + sha256(data), "size": len(data)}
        if title:
            made["annotations"] = {"org.opencontainers.image.title": title}
        return made
    listed = [blob(data, "application/vnd.oci.image.layer.v1.tar", title) for title, data in layers]
    text = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                       "config": blob(config, "application/vnd.oci.image.config.v1+json"), "layers": listed}).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [blob(text, "application/vnd.oci.image.manifest.v1+json")]}).encode()
    if wrong:
        parts[0] = (parts[0][0], parts[0][1] + b"\0" * 512)
    return [("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), ("index.json", index)] + parts


def root_layer(*more):
    return tar(header("etc/", kind=b"5"), member("etc/os-release", b"ID=debian\n"), header("etc/mtab", kind=b"2", link=b"/proc/mounts"),
               header("usr/bin/awk", kind=b"2", link=b"/etc/alternatives/awk"), member("etc/.wh.old", b""),
               header("bin", kind=b"2", link=b"usr/bin"), *more)


def image_tricks():
    fine = [(None, root_layer(member("opt/model.pkl"))), ("model.pkl", HARMLESS)]
    bad = [(None, root_layer(member("opt/model.pkl", PAYLOAD)))]
    emit("ok_image.tar", by_python(image(fine)), "benign", "OCI archive", NOTHING_RUNS)
    packed = [(None, gzip.compress(root_layer(member("opt/model.pkl")), mtime=0))]
    emit("ok_image_gz.tar", by_python(image(packed)), "benign", "OCI archive", NOTHING_RUNS)
    emit("image_layer.tar", by_python(image(bad)), "malicious", "OCI archive", "by specification: a container loads it",
         "pickle.call-on-load", "malicious")
    emit("image_raw.tar", by_python(image([("model.pkl", PAYLOAD)])), "malicious", "OCI archive, raw layer", "tarfile",
         "pickle.call-on-load", "malicious")
    emit("image_changed.tar", by_python(image(fine, wrong=True)), "suspicious", "OCI archive, digest", NOTHING_RUNS, "image.digest-mismatch")
    saved = [("manifest.json", b'[{"Config":"c.json","RepoTags":["m:1"],"Layers":["l/layer.tar"]}]'), ("c.json", b"{}")]
    emit("ok_docker_save.tar", by_python(saved + [("l/layer.tar", root_layer(member("opt/model.pkl")))]), "benign", "docker save", NOTHING_RUNS)
    emit("docker_save.tar", by_python(saved + [("l/layer.tar", bad[0][1])]), "malicious", "docker save",
         "by specification: a container loads it", "pickle.call-on-load", "malicious")
    emit("image_traversal.tar", by_python(image([(None, root_layer(member("../../etc/cron.d/x", b"text\n")))])), "suspicious",
         "OCI archive, Z5", NOTHING_RUNS, "tar.unsafe-name")


def manifest():
    with open(os.path.join(out_dir, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join(row) + "\n")


def main():
    global out_dir
    out_dir = sys.argv[1]
    os.makedirs(out_dir, exist_ok=True)
    tar_malicious()
    tar_readers_differ()
    tar_names()
    tar_benign()
    skops_tricks()
    sevenzip_tricks()
    torch_tricks()
    mar_tricks()
    nemo_tricks()
    program_tricks()
    image_tricks()
    manifest()


if __name__ == "__main__":
    main()
