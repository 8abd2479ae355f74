#!/usr/bin/python3
"""Writes harmless HDF5 files with h5py, h5repack and pandas: framework_hdf5.py DIRECTORY

Every version of the format that the library can write, with all layouts and filters that come with
it. The manifest lists path, label, and what made it.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import h5py
import numpy as np

ROWS = []
RNG = np.random.default_rng(7)
CONFIG = {"class_name": "Sequential", "config": {"name": "m", "layers": [
    {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "relu"}}]}}


def fill(f):
    """A Keras model, and beside it one of everything."""
    f.attrs["model_config"] = json.dumps(CONFIG)
    f.attrs["training_config"] = np.bytes_(json.dumps({"loss": "mse", "metrics": ["mae"]}))
    f.attrs["keras_version"] = "2.11.0"
    f.attrs["backend"] = "tensorflow"
    weights = f.create_group("model_weights")
    for i in range(40):
        layer = weights.create_group("dense_%d" % i)
        layer.attrs["weight_names"] = np.array([b"kernel:0", b"bias:0"])
        layer["kernel:0"] = RNG.standard_normal((7, 5)).astype("f4")
        layer["bias:0"] = np.zeros(5, "f4")
    many = f.create_group("many")
    for i in range(300):
        many["n%d" % i] = np.float32(i)
    layouts(f.create_group("layouts"))
    types(f.create_group("types"))
    busy = f.create_group("attributes")
    for i in range(120):
        busy.attrs["a%d" % i] = "value %d" % i
    busy.attrs["long"] = np.arange(7000)
    busy.attrs["texts"] = ["one", "two", "three"]


def layouts(g):
    data = RNG.standard_normal((100, 20)).astype("f4")
    g["contiguous"] = data
    for name, more in (("gzip", dict(compression="gzip", shuffle=True, fletcher32=True)),
                       ("lzf", dict(compression="lzf")), ("plain", {}),
                       ("scale", dict(scaleoffset=3))):
        g.create_dataset(name, data=data, chunks=(10, 20), **more)
        g.create_dataset(name + "_one", data=data, maxshape=(None, 20), chunks=(10, 20), **more)
        g.create_dataset(name + "_two", data=data, maxshape=(None, None), chunks=(5, 5), **more)
    g.create_dataset("single", data=data, chunks=(100, 20), compression="gzip")
    g.create_dataset("paged", data=np.arange(5000), chunks=(1,))
    g.create_dataset("never", (1000, 10), "f8")
    g.create_dataset("sparse", (100000,), "f8", chunks=(100,))[5000] = 1
    # Arrays of chunks with pages, most of which were never written.
    for name, most in (("pages", (5000,)), ("grows", (None,))):
        texts = g.create_dataset(name, (5000,), h5py.vlen_dtype("u1"), chunks=(1,), maxshape=most)
        texts[4000] = np.frombuffer(b"only one value was written", "u1")
    layout = h5py.VirtualLayout((100, 20), "f4")
    layout[:50] = h5py.VirtualSource(".", g.name + "/contiguous", (100, 20))[:50]
    layout[50:] = h5py.VirtualSource(".", g.name + "/plain", (100, 20))[50:]
    g.create_virtual_dataset("virtual", layout)


def types(g):
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i4", "c8",
                  "S5", "?"):
        g[dtype.replace(">", "big_")] = np.ones((3, 2), dtype)
    g["compound"] = np.zeros(4, [("x", "f4"), ("y", "i8", (3,)), ("s", "S5"), ("z", [("a", "u1")])])
    g["texts"] = np.array(["a", "bb", "c" * 300], object)
    g["lines"] = "several\nlines of text.\nThe last one ends in a dot."
    g.create_dataset("vlen", (3,), h5py.vlen_dtype("i4"))[:] = [np.arange(n) for n in (1, 2, 3)]
    g.create_dataset("enum", (3,), h5py.enum_dtype({"RED": 0, "GREEN": 1}, "i2"))
    g["opaque"] = np.void(b"some opaque bytes \x00\x01\x02")
    g["image"] = RNG.integers(0, 256, (32, 32, 3), "u1")
    g["empty"] = h5py.Empty("f4")
    g["scalar"] = 3.5
    g["committed"] = np.dtype([("a", "f4"), ("b", "S3")])
    g.create_dataset("of_committed", (3,), g["committed"])
    g["of_committed"].attrs.create("attribute", np.float64(1), dtype="f8")
    g.create_dataset("reference", data=g["scalar"].ref, dtype=h5py.ref_dtype)
    g.create_dataset("region", data=g["f4"].regionref[0:2], dtype=h5py.regionref_dtype)
    g["soft"] = h5py.SoftLink(g.name + "/scalar")
    g["hard"] = g["scalar"]


def write(root, name, made_by, **how):
    with h5py.File(root / name, "w", **how) as f:
        fill(f)
    ROWS.append((name, "benign", made_by))


def with_h5py(root):
    for low in ("earliest", "v108", "v110", "latest"):
        write(root, "libver_%s.h5" % low, "h5py libver " + low, libver=low)
        write(root, "libver_%s_order.h5" % low, "h5py libver and order", libver=low, track_order=True)
    write(root, "v108_v110.h5", "h5py libver", libver=("v108", "v110"))
    for size in (512, 1024, 2048):
        write(root, "user_block_%d.h5" % size, "h5py user block", userblock_size=size)
        write(root, "user_block_%d_latest.h5" % size, "h5py user block", userblock_size=size,
              libver="latest")
    for strategy in ("page", "fsm", "aggregate", "none"):
        write(root, "space_%s.h5" % strategy, "h5py fs_strategy", fs_strategy=strategy,
              fs_persist=strategy in ("page", "fsm"))
    write(root, "weights.weights.h5", "h5py")
    write(root, "data.nc", "h5py, named like NetCDF")
    with h5py.File(root / "deleted.h5", "w") as f:
        fill(f)
        del f["many"], f["layouts/gzip"]
    ROWS.append(("deleted.h5", "benign", "h5py with deleted objects"))


def with_h5repack(root):
    if not shutil.which("h5repack"):
        print("without h5repack", file=sys.stderr)
        return
    for name, how in (("gzip", ["-f", "GZIP=6"]), ("shuffle", ["-f", "SHUF", "-f", "GZIP=1"]),
                      ("latest", ["-L"]), ("contiguous", ["-l", "CONTI"]),
                      ("shared", ["-L", "-c", "2", "-d", "1", "-s", "2:attr", "-s", "2:dtype"]),
                      ("block", ["-t", "1", "-M", "2048"])):
        target = "repacked_%s.h5" % name
        done = subprocess.run(["h5repack", *how, str(root / "libver_earliest.h5"), str(root / target)],
                              capture_output=True, check=False)
        if done.returncode == 0:
            ROWS.append((target, "benign", "h5repack " + " ".join(how)))
        elif (root / target).exists():
            os.remove(root / target)


def with_pandas(root):
    try:
        import pandas
        import tables  # noqa: F401
    except ImportError:
        print("without pandas and PyTables", file=sys.stderr)
        return
    frame = pandas.DataFrame({"a": np.arange(5), "b": np.ones(5), "c": list("vwxyz")})
    for how in ("fixed", "table"):
        frame.to_hdf(root / ("pandas_%s.h5" % how), key="frame", format=how)
        ROWS.append(("pandas_%s.h5" % how, "benign", "pandas to_hdf " + how))


def main():
    root = pathlib.Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    with_h5py(root)
    with_h5repack(root)
    with_pandas(root)
    lines = ["path\tlabel\tmade by"] + ["\t".join(row) for row in ROWS]
    (root / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
