"""Weights behind compression, and in plain pickles, are looked at like others: small ones in memory, large ones in a
scratch file that leaves nothing behind."""
import gzip
import io
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

try:
    import numpy
except ImportError:
    print("skipped: python3-numpy is not installed")
    sys.exit(77)

try:
    import torch
except ImportError:
    torch = None  # the rest needs no framework

TUTELA = os.environ["TUTELA"]
with open("/bin/true", "rb") as f:
    PROGRAM = numpy.frombuffer(f.read(), numpy.uint8)
SIZES = {"in memory": (300, 300), "in a scratch file": (2400, 2400)}  # 23 MB: above what is held


def weights(shape, is_evil):
    values = numpy.random.default_rng(5).standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.02)
    if is_evil:
        values.view(numpy.uint8).reshape(-1)[:len(PROGRAM)] = PROGRAM
    return values


def safetensors(values):
    header = json.dumps({"w": {"dtype": "F32", "shape": values.shape, "data_offsets": [0, values.nbytes]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + values.tobytes()


def write_gzip(path, values):
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(safetensors(values))


def write_zip(path, values):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("model.safetensors", safetensors(values))


def write_npz(path, values):
    numpy.savez_compressed(path, w=values)


def write_tar_of_zip(path, values):
    """As models are shipped to hosted services: an archive in a compressed archive."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("model.safetensors", safetensors(values))
    with tarfile.open(path, "w:gz", compresslevel=1) as out:
        info = tarfile.TarInfo("model.zip")
        info.size = len(inner.getvalue())
        out.addfile(info, io.BytesIO(inner.getvalue()))


def write_pickle(protocol):
    def write(path, values):
        with open(path, "wb") as out:
            pickle.dump({"w": values}, out, protocol=protocol)
    return write


def write_torch(path, values):
    """Compressed afterwards, which torch.load takes as well."""
    plain = io.BytesIO()
    torch.save({"w": torch.from_numpy(values)}, plain)
    with zipfile.ZipFile(plain) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for member in made.infolist():
            out.writestr(member.filename, made.read(member))


WRITERS = {"w.safetensors.gz": write_gzip, "w.zip": write_zip, "w.npz": write_npz, "w.tar.gz": write_tar_of_zip,
           "w4.pkl": write_pickle(4), "w5.pkl": write_pickle(5)}
if torch:
    WRITERS["w.pt"] = write_torch


class Packed(unittest.TestCase):
    def scan(self, path, largest=None, **env):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        run = subprocess.run([TUTELA, "scan", "--no-cache", "--format", "json", path], capture_output=True,
                             check=False, env={**os.environ, **env}, preexec_fn=limit if largest else None)
        (report,) = json.loads(run.stdout)["files"]
        return report

    def test_programs_at_the_start_of_tensors_are_found_and_others_are_silent(self):
        for where, shape in SIZES.items():
            for name, write in WRITERS.items():
                for is_evil in (False, True):
                    with self.subTest(where=where, name=name, is_evil=is_evil), tempfile.TemporaryDirectory() as folder:
                        path = os.path.join(folder, name)
                        write(path, weights(shape, is_evil))
                        scratch = os.path.join(folder, "scratch")
                        os.mkdir(scratch)
                        report = self.scan(path, TMPDIR=scratch)
                        self.assertEqual(report["status"], "complete", report["problem"])
                        rules = {f["rule"] for f in report["findings"]}
                        self.assertEqual("data.hidden-payload" in rules, is_evil, rules)
                        if is_evil and name == "w.pt":
                            self.assertTrue(any("tensor data/0" in f["message"] for f in report["findings"]))
                        if not is_evil:
                            self.assertEqual(report["verdict"], "clean")
                        self.assertEqual(os.listdir(scratch), [])

    def test_without_room_it_is_said_that_not_all_was_tested(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("w.npz", "w.tar.gz"):
                path = os.path.join(folder, name)
                WRITERS[name](path, weights(SIZES["in a scratch file"], True))
                report = self.scan(path, largest=18 << 20)
                self.assertEqual((report["status"], report["verdict"]), ("incomplete", "review"))
                self.assertEqual([f["rule"] for f in report["findings"]], ["file.limit"])

    def test_without_a_place_for_scratch_files_memory_does(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "w.npz")
            write_npz(path, weights(SIZES["in a scratch file"], True))
            report = self.scan(path, TMPDIR=os.path.join(folder, "absent"))
            self.assertEqual(report["status"], "complete", report["problem"])
            self.assertIn("data.hidden-payload", {f["rule"] for f in report["findings"]})


if __name__ == "__main__":
    unittest.main()
