"""The real loaders that labels speak of: what "loader" in a manifest means, as code (README.md).

LOADERS maps each name of the vocabulary to a function that loads the file at a path, as a program of
a user would. Functions import what they need when they are called; NEEDS names the Python modules or
commands without which a loader cannot be tried. A file that a loader refuses raises, which is fine:
what counts is whether the canary ran before.
"""
import base64
import bz2
import gzip
import importlib.util
import io
import lzma
import pathlib
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

BY_SPECIFICATION = "by specification"


def pickle_load(path):
    with open(path, "rb") as f:
        pickle.load(f)


def pickle_loads(path):
    with open(path, "rb") as f:
        pickle.loads(f.read())


def pickle_unbuffered(path):
    with open(path, "rb", buffering=0) as f:
        pickle.load(f)


def pickle_python(path):
    with open(path, "rb") as f:
        pickle._Unpickler(f).load()


def pickle_again(path):
    """A program that reads one object after the other, as they were written."""
    with open(path, "rb") as f:
        while True:
            pickle.load(f)


def pickle_skipping(path):
    """A program that looks for the next pickle when something else lies between."""
    with open(path, "rb") as f:
        data = f.read()
    pickle.loads(data)
    for start in range(1, len(data)):
        if data[start:start + 1] in (b"\x80", b"c", b"("):
            try:
                pickle.loads(data[start:])
            except Exception:
                pass


def decoded(value):
    """What programs make of a string or bytes before they unpickle it."""
    raw = value.encode("latin1", "replace") if isinstance(value, str) else bytes(value)
    yield raw
    for decode in (zlib.decompress, gzip.decompress, bz2.decompress, lzma.decompress,
                   base64.b64decode, bytes.fromhex, zip_member):
        try:
            yield decode(raw.decode("ascii") if decode == bytes.fromhex else raw)
        except Exception:
            pass


def zip_member(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.read(archive.namelist()[0])


def pickle_nested(path):
    """A program that unpickles, decoded where needed, what a pickle holds as string or bytes."""
    with open(path, "rb") as f:
        values = [(pickle.load(f), 0)]
    while values:
        value, depth = values.pop()
        if isinstance(value, dict):
            values += [(v, depth) for v in value.values()]
        if not isinstance(value, (str, bytes, bytearray)) or depth > 3:
            continue
        for raw in decoded(value):
            try:
                values.append((pickle.loads(raw), depth + 1))
            except Exception:
                if raw != value:
                    values.append((raw, depth + 1))


def zip_pickles(path):
    """A program that unpickles the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            try:
                pickle.loads(archive.read(info))
            except Exception:
                pass


def tar_pickles(path):
    """A program that unpickles the members of an archive as Python's tarfile sees them."""
    with tarfile.open(path) as archive:
        for info in archive:
            try:
                pickle.loads(archive.extractfile(info).read())
            except Exception:
                pass


def gnu_tar_pickles(path):
    """The same by GNU tar."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["tar", "-C", directory, "-xf", path], check=False, stderr=subprocess.DEVNULL)
        for file in pathlib.Path(directory).rglob("*"):
            try:
                pickle.loads(file.read_bytes())
            except Exception:
                pass


def unpacked(module):
    def load(path):
        with module.open(path, "rb") as f:
            pickle.load(f)
    return load


def zlib_pickle(path):
    with open(path, "rb") as f:
        pickle.loads(zlib.decompressobj().decompress(f.read()))


def torch_load(path):
    import torch
    torch.load(path, map_location="cpu")


def torch_jit_load(path):
    import torch
    torch.jit.load(path, map_location="cpu")


def torch_package(path):
    import torch.package
    importer = torch.package.PackageImporter(path)
    with zipfile.ZipFile(path) as archive:
        names = [n.split("/", 1)[1] for n in archive.namelist() if n.endswith(".pkl")]
    for name in names:
        package, _, resource = name.rpartition("/")
        importer.load_pickle(package.replace("/", "."), resource)


def joblib_load(path):
    import joblib
    joblib.load(path)


def numpy_load(path):
    import numpy
    loaded = numpy.load(path, allow_pickle=True)
    for name in getattr(loaded, "files", ()):
        loaded[name]


def pandas_read_pickle(path):
    import pandas
    pandas.read_pickle(path)


def dill_load(path):
    import dill
    with open(path, "rb") as f:
        dill.load(f)


def cloudpickle_load(path):
    import cloudpickle
    with open(path, "rb") as f:
        cloudpickle.load(f)


def h5py_open(path):
    import h5py
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)


def onnx_load(path):
    import onnx
    onnx.checker.check_model(onnx.load(path))


def xgboost_load(path):
    import xgboost
    xgboost.Booster().load_model(path)


def yaml_unsafe_load(path):
    import yaml
    with open(path, "rb") as f:
        yaml.unsafe_load(f)


def python_run(path):
    subprocess.run([sys.executable, path], check=False)


def r_read_rds(path):
    subprocess.run(["Rscript", "--vanilla", "-e", "x <- readRDS(commandArgs(TRUE)[1]); print(x)", path],
                   check=False)


def marshal_exec(path):
    import marshal
    with open(path, "rb") as f:
        exec(marshal.loads(f.read()))


LOADERS = {
    "pickle.load": pickle_load,
    "pickle.loads": pickle_loads,
    "pickle.load of an unbuffered file": pickle_unbuffered,
    "pickle.load again": pickle_again,
    "pickle.load behind garbage": pickle_skipping,
    "pickle._Unpickler": pickle_python,
    "nested loads": pickle_nested,
    "zipfile": zip_pickles,
    "tarfile": tar_pickles,
    "GNU tar": gnu_tar_pickles,
    "gzip": unpacked(gzip),
    "bz2": unpacked(bz2),
    "lzma": unpacked(lzma),
    "zlib": zlib_pickle,
    "torch.load": torch_load,
    "torch.jit.load": torch_jit_load,
    "torch.package": torch_package,
    "joblib.load": joblib_load,
    "numpy.load": numpy_load,
    "pandas.read_pickle": pandas_read_pickle,
    "dill.load": dill_load,
    "cloudpickle.load": cloudpickle_load,
    "h5py.File": h5py_open,
    "onnx.load": onnx_load,
    "xgboost.Booster": xgboost_load,
    "yaml.unsafe_load": yaml_unsafe_load,
    "python": python_run,
    "readRDS": r_read_rds,
    "marshal.loads": marshal_exec,
}
NEEDS = {"torch.load": "torch", "torch.jit.load": "torch", "torch.package": "torch",
         "joblib.load": "joblib", "numpy.load": "numpy", "pandas.read_pickle": "pandas",
         "dill.load": "dill", "cloudpickle.load": "cloudpickle", "h5py.File": "h5py",
         "onnx.load": "onnx", "xgboost.Booster": "xgboost", "yaml.unsafe_load": "yaml",
         "readRDS": "Rscript"}


def is_available(loader):
    need = NEEDS.get(loader)
    if need is None:
        return True
    return bool(shutil.which(need)) if need == "Rscript" else bool(importlib.util.find_spec(need))
