#!/usr/bin/python3
"""Random pickles against CPython's own loaders: whenever a canary runs under any of them (C or Python, from
bytes, from a file, from an unbuffered file), the scan says dangerous or worse.

    pickle_random.py [SEED [COUNT [KEEP-DIR]]]

Programs reach a call by random routes: names from strings of every opcode, from the memo, computed, walked to,
registered as extensions; called by REDUCE, OBJ, INST, BUILD, through partial and map; with noise between, frames
of wrong lengths around, breaks behind, and bytes changed at random. The canary is an argument that an audit hook
sees before anything happens, and which stops the call.
"""
import base64
import io
import json
import os
import pickle
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

VERDICTS = ["clean", "review", "dangerous", "malicious"]
MARK = "CANARY"
# module, names, arguments: each raises an audit event with the mark in it.
TARGETS = [("os", "system", (MARK,)), ("posix", "system", (MARK,)), ("builtins", "exec", (MARK,)),
           ("builtins", "eval", (MARK,)), ("os", "remove", (MARK,)), ("os", "mkdir", (MARK,)),
           ("os", "putenv", (MARK, "1")), ("os", "listdir", (MARK,)), ("builtins", "open", (MARK,)),
           ("io", "open", (MARK,)), ("_io", "open", (MARK,)), ("os", "execv", (MARK, (MARK,))),
           ("builtins", "__import__", (MARK,)), ("importlib", "import_module", (MARK,)),
           ("shutil", "rmtree", (MARK,)), ("subprocess", "call", (MARK,)),
           ("subprocess", "Popen", (MARK,)), ("ctypes", "CDLL", (MARK,)), ("os", "rename", (MARK, "x")),
           ("glob", "glob", (MARK + "/*",)), ("posix", "spawnv", (0, MARK, (MARK,))),
           ("runpy", "run_path", (MARK,)), ("zipfile", "ZipFile", (MARK,)), ("linecache", "getlines", (MARK,))]
PYTHON2 = {"builtins": "__builtin__", "copyreg": "copy_reg"}


class Program:
    def __init__(self, rng):
        self.rng = rng
        self.slots = 0

    def pick(self, *ways):
        return self.rng.choice(ways)()

    # --- data ---
    def text(self, s):
        r, raw = self.rng, s.encode()
        ways = [lambda: b"X" + struct.pack("<I", len(raw)) + raw,
                lambda: b"\x8c" + bytes([len(raw)]) + raw,
                lambda: b"\x8d" + struct.pack("<Q", len(raw)) + raw,
                lambda: b"V" + "".join(c if r.random() < 0.7 else "\\u%04x" % ord(c) for c in s).encode() + b"\n",
                lambda: b"S'" + "".join(c if r.random() < 0.7 else r.choice(("\\x%02x", "\\%03o")) % ord(c)
                                        for c in s).encode() + b"'\n",
                lambda: b"U" + bytes([len(raw)]) + raw,
                lambda: b"T" + struct.pack("<i", len(raw)) + raw]
        return self.through_memo(r.choice(ways)())

    def through_memo(self, value):
        r = self.rng
        if r.random() < 0.75:
            return value
        self.slots += r.randrange(1, 40)
        n = self.slots
        put, get = r.choice([(b"q" + bytes([n % 256]), b"h" + bytes([n % 256])),
                             (b"r" + struct.pack("<I", n), b"j" + struct.pack("<I", n)),
                             (b"p%d\n" % n, b"g%d\n" % n), (b"r" + struct.pack("<I", n), b"g%d\n" % n)])
        return value + put + b"0" + self.noise() + get

    def value(self, v):
        if isinstance(v, tuple):
            return b"(" + b"".join(map(self.value, v)) + b"t"
        if isinstance(v, int):
            return self.rng.choice((b"K%c" % v, b"I%d\n" % v, b"J" + struct.pack("<i", v), b"L%dL\n" % v))
        return self.text(v)

    def noise(self):
        r = self.rng
        bits = [b"", b"N0", b"K\x010", b"(K\x01K\x021", b"]0", b"}0", b"(0", b")0", b"\x880", b"N20" + b"0",
                b"(lp99\n0", b"(K\x01K\x02l0", b"C\x01x0", b"(dp98\n0", b"G" + bytes(8) + b"0", b"]K\x01a0",
                b"}K\x01K\x02s0", b"N\x940", b"\x8f(K\x01\x900", b"cbuiltins\nset\n0"]
        return b"".join(r.choice(bits) for _ in range(r.choice((0, 0, 0, 1, 3, 10))))

    # --- names ---
    def computed(self, s):
        def decoded(encoding, data):
            return self.call(self.glob("_codecs", "decode"), self.text(data), self.text(encoding))
        rot = s.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm"))
        cut = self.rng.randrange(len(s) + 1)
        return self.pick(
            lambda: decoded("rot13", rot),
            lambda: self.call(self.glob("operator", "concat"), self.text(s[:cut]), self.text(s[cut:])),
            lambda: self.call(self.walk("builtins", "str.join"), self.text(""), b"(" + b"".join(
                self.text(c) for c in s) + b"l"),
            lambda: self.call(self.walk("builtins", "bytes.decode"), self.call(
                self.glob("base64", "b64decode"), self.text(base64.b64encode(s.encode()).decode()))),
            lambda: self.call(self.walk("builtins", "str.lower"), self.text(s.upper())))

    def glob(self, module, name):
        if self.rng.random() < 0.2:
            module = PYTHON2.get(module, module) if self.protocol < 3 else module
        return self.through_memo(b"c%s\n%s\n" % (module.encode(), name.encode()))

    def walk(self, module, name):
        return self.text(module) + self.noise() + self.text(name) + b"\x93"

    def name(self, s):
        return self.computed(s) if self.rng.random() < 0.2 else self.text(s)

    def extension(self, module, name):
        code = self.rng.randrange(1, 250)
        register = self.pick(
            lambda: self.call(self.glob("copyreg", "add_extension"), self.text(module), self.text(name),
                              self.value(code)),
            lambda: self.glob("copyreg", "_inverted_registry") + self.value(code) + b"(" + self.text(module) +
            self.text(name) + b"ts")
        return register + b"0" + self.rng.choice((b"\x82%c" % code, b"\x83" + struct.pack("<H", code),
                                                  b"\x84" + struct.pack("<i", code)))

    def reach(self, module, name):
        loaded = self.call(self.glob("importlib", "import_module"), self.name(module))
        return self.pick(
            lambda: self.glob(module, name), lambda: self.glob(module, name),
            lambda: self.name(module) + self.noise() + self.name(name) + b"\x93",
            lambda: self.name(module) + self.noise() + self.name(name) + b"\x93",
            lambda: self.extension(module, name),
            lambda: self.walk("logging", "os." + name) if module == "os" else self.glob(module, name),
            lambda: self.call(self.glob("builtins", "getattr"), loaded, self.name(name)),
            lambda: self.call(self.glob("pkgutil", "resolve_name"), self.text(module + ":" + name)),
            lambda: self.call(self.glob("operator", "getitem"), self.call(
                self.glob("builtins", "vars"), loaded), self.name(name)),
            lambda: self.call(self.call(self.glob("operator", "attrgetter"), self.name(name)), loaded))

    # --- calls ---
    def call(self, function, *arguments):
        return self.pick(
            lambda: function + b"(" + b"".join(arguments) + b"tR",
            lambda: function + self.noise() + b"(" + self.noise() + b"".join(arguments) + b"tR",
            lambda: b"(" + function + b"".join(arguments) + b"o",
            lambda: function + b"".join(arguments) + {1: b"\x85", 2: b"\x86", 3: b"\x87"}[len(arguments)] + b"R")

    def fire(self):
        module, name, arguments = self.rng.choice(TARGETS)
        values = [self.value(v) for v in arguments]
        function = self.reach(module, name)
        ways = [lambda: self.call(function, *values), lambda: self.call(function, *values),
                lambda: b"(" + b"".join(values) + b"i%s\n%s\n" % (module.encode(), name.encode()),
                lambda: function + b"2" + b"(" + b"".join(values) + b"tR0(" + b"".join(values) + b"tR",
                lambda: self.call(self.call(self.glob("functools", "partial"), function, values[0]), *values[1:])
                if len(values) > 1 else function + b"(" + values[0] + b"tR"]
        if len(values) == 1:
            ways += [lambda: self.call(self.glob("builtins", "list"), self.call(
                self.glob("builtins", "map"), function, b"(" + values[0] + b"l")),
                lambda: self.glob("argparse", "Namespace") + b")\x81}" + self.text("__setstate__") + function +
                b"sb" + values[0] + b"b",
                lambda: self.glob("argparse", "Namespace") + b")\x81}" + self.text("append") + function + b"sb" +
                values[0] + b"a",
                lambda: self.glob("numpy.random._pickle", "__generator_ctor") + b"(" + values[0] + function + b"tR"]
        return self.rng.choice(ways)()

    def build(self):
        r = self.rng
        self.protocol = r.choice((0, 2, 3, 4, 5))
        head = b"\x80%c" % self.protocol if self.protocol >= 2 and r.random() < 0.9 else b""
        body = self.noise() + self.fire() + self.noise()
        if r.random() < 0.3:
            body = r.choice((b"](%se", b"}(K\x01%su", b"(%st", b"(%sl", b"\x8f(%s\x90", b"(K\x01%sd")) % body
        tail = r.choice((b".", b".", b".", b"0N.", b"", b"\xff.", b"tR.", b"h\xee.", b"X\xff\xff\xff\x7f.", b"0)R."))
        data = body + tail
        if r.random() < 0.3:
            data = self.framed(data)
        data = head + data
        for _ in range(r.choice((0, 0, 0, 1, 2))):
            data = self.changed(data)
        return data

    def framed(self, data):
        r = self.rng
        length = r.choice((len(data), r.randrange(len(data) + 1), len(data) + r.randrange(20)))
        padding = b"N0" * r.choice((0, 0, 3, 6000))
        return b"\x95" + struct.pack("<Q", length + len(padding)) + padding + data

    def changed(self, data):
        r = self.rng
        at = r.randrange(len(data))
        return r.choice((lambda: data[:at] + bytes([r.randrange(256)]) + data[at + 1:],
                         lambda: data[:at] + bytes([r.randrange(256)]) + data[at:],
                         lambda: data[:at] + data[at + 1:],
                         lambda: data[:at] + data[r.randrange(len(data)):],
                         lambda: data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1:]))()


# --- the loaders ---
class Seen(Exception):
    pass


armed, seen = False, False


def hook(event, arguments):
    global seen
    if armed and event != "pickle.find_class" and MARK in repr(arguments):
        seen = True
        raise Seen(event)


def loaders(path, data):
    with open(path, "rb") as f:
        yield lambda: pickle.load(f)
    with open(path, "rb", buffering=0) as f:
        yield lambda: pickle.load(f)
    yield lambda: pickle.loads(data)
    yield lambda: pickle._Unpickler(io.BytesIO(data)).load()
    yield lambda: pickle.loads(data, encoding="latin1", fix_imports=False)


def executes(path):
    global armed, seen
    with open(path, "rb") as f:
        data = f.read()
    seen = False
    for load in loaders(path, data):
        signal.setitimer(signal.ITIMER_REAL, 2)
        armed = True
        try:
            load()
        except BaseException:
            pass
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        if seen:
            return True
    return False


def late(*_):
    raise TimeoutError


def run_some(paths, scratch):
    """Which of the first of them execute, found out by a child that may die."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chdir(scratch)
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            signal.signal(signal.SIGALRM, late)
            sys.addaudithook(hook)
            for path in paths:
                os.write(writer, b"1" if executes(path) else b"0")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        results = f.read()
    os.waitpid(child, 0)
    return [c == ord("1") for c in results[:len(paths)]]


def run_all(paths, scratch):
    """A file on which the child dies counts as one that does not execute; there are few."""
    ran, deaths = [], 0
    while len(ran) < len(paths):
        some = paths[len(ran):len(ran) + 500]
        results = run_some(some, scratch)
        ran += results
        if len(results) < len(some):
            ran.append(False)
            deaths += 1
        if deaths > len(paths) // 50 + 1:
            sys.exit(f"the loaders died {deaths} times")
    return ran


def scan(directory):
    done = subprocess.run([os.environ["TUTELA"], "scan", "--format", "json", directory],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"scan ended with {done.returncode}: {done.stderr.decode()}")
    return {os.path.basename(f["path"]): f for f in json.loads(done.stdout)["files"]}


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20260714
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2500
    keep = sys.argv[3] if len(sys.argv) > 3 else None
    rng = random.Random(seed)
    for module in {module for module, _, _ in TARGETS} | {"pkgutil", "argparse", "functools", "base64"}:
        __import__(module)
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for i in range(count):
            paths.append(os.path.join(directory, f"{i:06d}.pkl"))
            with open(paths[-1], "wb") as f:
                f.write(Program(rng).build())
        scratch = os.path.join(directory, "scratch")
        os.mkdir(scratch)
        ran = run_all(paths, scratch)
        shutil.rmtree(scratch, ignore_errors=True)
        reports = scan(directory)
        silent = []
        for path, did in zip(paths, ran):
            report = reports.get(os.path.basename(path))
            verdict = report["verdict"] if report else "no report"
            if did and verdict not in VERDICTS[2:]:
                silent.append((path, verdict, report and [f["rule"] for f in report["findings"]]))
        print(f"{count} programs with seed {seed}: {sum(ran)} execute, {len(silent)} of them silently")
        for path, verdict, rules in silent[:20]:
            with open(path, "rb") as f:
                print(f"  {os.path.basename(path)} is {verdict}: {rules}; {f.read()[:300]!r}")
            if keep:
                os.makedirs(keep, exist_ok=True)
                os.replace(path, os.path.join(keep, f"{seed}-{os.path.basename(path)}"))
    return 0 if not silent and sum(ran) > count // 3 else 1


if __name__ == "__main__":
    sys.exit(main())
