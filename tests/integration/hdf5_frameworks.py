#!/usr/bin/python3
"""HDF5 files of h5py, h5repack and pandas: clean, read to their end, at both depths, and every object,
dataset and attribute that h5py sees is counted; cut off anywhere, none of them is clean; and a pickle
that h5py puts in any kind of place is found."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])


def count(path):
    import h5py
    seen, datasets, attributes = set(), 0, 0
    with h5py.File(path, "r") as f:
        queue = [f["/"]]
        while queue:
            item = queue.pop()
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            attributes += len(item.attrs)
            datasets += isinstance(item, h5py.Dataset)
            if isinstance(item, h5py.Group):
                queue += [item[name] for name in item
                          if isinstance(item.get(name, getlink=True), h5py.HardLink)]
    return {"hdf5.objects": len(seen), "hdf5.datasets": datasets, "hdf5.attributes": attributes}


def scan(paths, depth):
    done = subprocess.run([os.environ["TUTELA"], "scan", "--format", "json", "--depth", depth, *paths],
                          capture_output=True, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"scan ended with {done.returncode}: {done.stderr.decode()}")
    return {f["path"]: f for f in json.loads(done.stdout)["files"]}


def check_clean(paths):
    wrong = []
    counts = {path: count(path) for path in paths}
    for depth in ("content", "structure"):
        reports = scan(paths, depth)
        for path in paths:
            found = reports.get(path)
            if not found:
                wrong.append(f"{path}: no report")
                continue
            if (found["verdict"], found["status"], found["findings"]) != ("clean", "complete", []):
                wrong.append(f"{path} at {depth}: {found['verdict']}, {found['status']}, "
                             f"{[(x['rule'], x['message']) for x in found['findings']]}")
            facts = {fact["key"]: fact["value"] for fact in found["facts"]}
            for key, value in counts[path].items():
                if facts.get(key) != str(value):
                    wrong.append(f"{path} at {depth}: {key} is {facts.get(key)}, h5py has {value}")
    return wrong


def check_cut(directory, path):
    data = pathlib.Path(path).read_bytes()
    cuts = []
    for part in range(1, 20):
        cut = directory / f"cut_{part}.h5"
        cut.write_bytes(data[:len(data) * part // 20])
        cuts.append(str(cut))
    return [f"{name}: cut off, and clean" for name, found in scan(cuts, "content").items()
            if found["verdict"] == "clean"]


PICKLE = b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."


def evil(h5py, numpy):
    """name: what to do to an open file; a pickle that would run a command, in every kind of place."""
    raw = numpy.frombuffer(PICKLE, "u1")

    def values(f, shape, at, **more):
        f.create_dataset("v", shape, h5py.vlen_dtype("u1"), **more)[at] = raw

    def attributes(f):
        for i in range(50):
            f.attrs["a%d" % i] = "value %d" % i
        f.attrs["evil"] = numpy.void(PICKLE)

    return {
        "attribute": lambda f: f.attrs.__setitem__("evil", numpy.void(PICKLE)),
        "attribute_long": lambda f: f.attrs.__setitem__("evil", numpy.void(PICKLE + bytes(70000)))
        if f.libver[0] != "earliest" else attributes(f),
        "attributes_many": attributes,
        "bytes": lambda f: f.create_dataset("v", data=raw),
        "gzip": lambda f: f.create_dataset("v", data=raw, compression="gzip", shuffle=True,
                                           fletcher32=True),
        "lzf": lambda f: f.create_dataset("v", data=raw, compression="lzf"),
        "opaque": lambda f: f.create_dataset("v", data=numpy.void(PICKLE)),
        "text": lambda f: f.create_dataset("v", data=numpy.bytes_(b"cos\nsystem\n(S'echo canary'\ntR.")),
        "vlen": lambda f: values(f, (3,), 2),
        "vlen_one": lambda f: values(f, (3,), 2, chunks=(3,)),
        "vlen_fixed": lambda f: values(f, (3000,), 2900, chunks=(1,)),
        "vlen_grows": lambda f: values(f, (3000,), 2900, chunks=(1,), maxshape=(None,)),
        "vlen_two": lambda f: values(f, (3000, 2), (2900, 1), chunks=(1, 2), maxshape=(None, None)),
        "deep": lambda f: f.create_group("/".join("g%d" % i for i in range(60))).attrs.__setitem__(
            "evil", numpy.void(PICKLE)),
    }


def check_evil(directory):
    import h5py
    import numpy
    paths = []
    for low in ("earliest", "v108", "latest"):
        for name, act in evil(h5py, numpy).items():
            paths.append(str(directory / f"evil_{low}_{name}.h5"))
            with h5py.File(paths[-1], "w", libver=low) as f:
                act(f)
    reports = scan(paths, "content")
    return [f"{path}: {reports[path]['verdict']}, {[x['rule'] for x in reports[path]['findings']]}"
            for path in paths if "pickle.call-on-load" not in
            [x["rule"] for x in reports[path]["findings"]]]


def main():
    if importlib.util.find_spec("h5py") is None:
        print("skipped: h5py is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        subprocess.run(["/usr/bin/python3", "-W", "ignore",
                        str(SOURCE / "tests/corpus/framework_hdf5.py"), name], check=True)
        lines = (directory / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
        paths = [str(directory / line.split("\t")[0]) for line in lines]
        wrong = check_clean(paths)
        for kind in ("libver_earliest.h5", "libver_latest.h5"):
            wrong += check_cut(directory, str(directory / kind))
        wrong += check_evil(directory)
    for line in wrong:
        print(line)
    print(f"{len(paths)} files, {len(wrong)} wrong")
    return 1 if wrong or len(paths) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
