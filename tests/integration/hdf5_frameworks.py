#!/usr/bin/python3
"""HDF5 files of h5py, h5repack and pandas: clean, read to their end, at both depths, and every object,
dataset and attribute that h5py sees is counted; cut off anywhere, none of them is clean."""
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
            for key, value in count(path).items():
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


def main():
    if importlib.util.find_spec("h5py") is None:
        print("skipped: h5py is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        subprocess.run(["/usr/bin/python3", "-W", "ignore",
                        str(SOURCE / "tests/corpus/hdf5_benign.py"), name], check=True)
        lines = (directory / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
        paths = [str(directory / line.split("\t")[0]) for line in lines]
        wrong = check_clean(paths)
        for kind in ("libver_earliest.h5", "libver_latest.h5"):
            wrong += check_cut(directory, str(directory / kind))
    for line in wrong:
        print(line)
    print(f"{len(paths)} files, {len(wrong)} wrong")
    return 1 if wrong or len(paths) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
