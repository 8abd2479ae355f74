#!/usr/bin/python3
"""No name of the allow list does what its arguments or its state say: each is called with functions, paths, names
and numbers, and each class gets states of such, in children under an audit hook. Whatever is called, opened for
writing, imported or executed by name must be among the exceptions below, which the scanner knows.

    pickle_allow_audit.py [MODULE-PREFIX ...]
"""
import importlib.util
import itertools
import os
import resource
import signal
import sys
import warnings

SOURCE = os.environ["TUTELA_SOURCE"]
MARK = "zzattackzz"
LIBRARIES = ("numpy", "scipy.stats", "scipy.sparse", "sklearn", "pandas", "torch", "torchvision", "joblib",
             "xgboost", "dill")
# What they do is harmless, or the pickle machine and its policy look at the arguments.
KNOWN = {
    ("numpy.random._pickle", "__generator_ctor"), ("numpy.random._pickle", "__randomstate_ctor"),  # bridges
    ("torch._tensor", "_rebuild_from_type"), ("torch._tensor", "_rebuild_from_type_v2"),
    ("dill._dill", "_create_array"),
    ("numpy", "matrix"), ("numpy.matrixlib.defmatrix", "matrix"),  # reads numbers by ast.literal_eval
}
# Texts that SciPy executes are looked at (pickle.source-in-state); its own templates hold no argument.
EXECUTES_TEMPLATE = ("scipy.stats.",)
WATCHED = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.remove", "os.rename", "os.mkdir", "os.fork",
           "subprocess.", "shutil.", "socket.", "exec", "compile", "pickle.find_class", "urllib.", "ctypes.dlopen")

armed = False
hits = set()


def canary(*_, **__):
    if armed:
        hits.add("calls what it is given")
    return 1


def hook(event, arguments):
    if not armed:
        return
    try:
        text = repr(arguments)
    except BaseException:
        text = ""
    if event == "open":
        mode = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], str) else ""
        if MARK in text or set(mode) & set("wax+"):
            hits.add("opens " + text[:80])
    elif event == "import":
        if MARK in text and "encodings." not in text:
            hits.add("imports " + text[:60])
    elif event.startswith(WATCHED) and MARK in text:
        hits.add(event + " " + text[:60])


def tuples():
    import numpy
    path = "/nonexistent/" + MARK
    values = [canary, MARK, path, numpy.zeros(3), 1, {"a": canary}, [canary], None]
    yield ()
    yield from ((v,) for v in values)
    yield from itertools.product(values[:5] + [{MARK: 1}], repeat=2)
    yield from itertools.product([canary, MARK, 1, (), {"a": 1}], repeat=3)
    yield from itertools.product([canary, (MARK,), {"x": 1}], repeat=4)


def states():
    names = ("func", "fn", "callable", "hook", "module", "append", "name", "path", "filename", "_fn")
    yield {name: canary for name in names}
    yield {name: "/nonexistent/" + MARK for name in names}
    for i in range(1, 9):
        yield (canary,) * i
        yield (MARK,) * i
    yield None, {name: canary for name in names}
    yield MARK
    yield {"_parse_arg_template": MARK}


def tried(action):
    global armed
    armed = True
    try:
        action()
    except TimeoutError:
        raise
    except BaseException:
        pass
    finally:
        armed = False


def empty(cls):
    for make in (lambda: cls.__new__(cls), cls):
        try:
            return make()
        except BaseException:
            continue
    return None


def set_state(thing, state):
    setter = getattr(thing, "__setstate__", None)
    if setter:
        setter(state)
    else:
        thing.__dict__.update(state)


def late(*_):
    raise TimeoutError


def try_name(value, use):
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        if use == "call":
            for arguments in tuples():
                tried(lambda: value(*arguments))
        for state in states() if isinstance(value, type) else ():
            thing = empty(value)
            if thing is not None:
                tried(lambda: set_state(thing, state))
    except TimeoutError:
        pass


def in_child(value, use):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            try_name(value, use)
            os.write(writer, "\n".join(sorted(hits)).encode()[:4000])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        found = f.read().decode(errors="replace")
    os.waitpid(child, 0)
    return [line for line in found.split("\n") if line]


def resolve(module, name):
    value = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part)
    return value


def main():
    warnings.simplefilter("ignore")
    absent = [name for name in LIBRARIES if importlib.util.find_spec(name.split(".")[0]) is None]
    if len(absent) > 4:
        print("skipped: not installed: " + ", ".join(absent))
        return 77
    for name in LIBRARIES:
        if name not in absent:
            importlib.import_module(name)
    with open(os.path.join(SOURCE, "src", "scan", "pickle_allow.tsv"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    sys.addaudithook(hook)
    wrong, count, other, known = 0, 0, 0, 0
    for module, name, _, use in rows:
        if sys.argv[1:] and not module.startswith(tuple(sys.argv[1:])):
            continue
        try:
            value = resolve(module, name)
        except (Exception, SystemExit):
            other += 1
            continue
        if use == "hold" or not callable(value):
            continue
        count += 1
        found = in_child(value, use)
        known += bool(found) and (module, name) in KNOWN  # that these are seen shows that the test can see
        if (module, name) in KNOWN or module.startswith(EXECUTES_TEMPLATE):
            continue
        for line in found:
            wrong += 1
            print(f"{module}.{name} ({use}): {line}")
    print(f"{count} names tried, {other} of other versions, {known} known to do so, "
          f"{wrong} wrong")
    return 0 if not wrong and (known and count > 500 or sys.argv[1:]) else 1


if __name__ == "__main__":
    sys.exit(main())
