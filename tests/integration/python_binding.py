#!/usr/bin/python3
"""The Python binding as a user installs it: scanning, and loading only what was scanned and signed."""
import gzip
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
TUTELA = os.environ["TUTELA"]
HERE = pathlib.Path(tempfile.mkdtemp())


def install():
    """By pip from the tree, into a folder of its own; the tree itself stays as it is."""
    copy = HERE / "source"
    shutil.copytree(SOURCE / "bindings/python", copy)
    done = subprocess.run(["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                           "--no-build-isolation", "--disable-pip-version-check", "--root-user-action=ignore",
                           "--target", str(HERE / "site"), str(copy)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit("pip install failed: " + done.stdout.decode())
    sys.path.insert(0, str(HERE / "site"))


install()
import tutela  # noqa: E402  (what was installed just now)

CANARY = HERE / "canary"


class Evil:
    def __reduce__(self):
        return os.system, (f"touch {CANARY}",)


def run(*arguments, cwd=None):
    env = {**os.environ, "XDG_DATA_HOME": str(HERE / "data"), "XDG_CACHE_HOME": str(HERE / "cache")}
    done = subprocess.run([TUTELA, *map(str, arguments)], cwd=cwd, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1, 3):
        raise AssertionError(f"tutela {arguments}: {done.stderr.decode()}")
    return done.stdout.decode()


def keypair(name):
    private, public = HERE / f"{name}.key", HERE / f"{name}.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True,
                   stderr=subprocess.DEVNULL)
    return private, public


class InFolder(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=HERE))

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path


class Scanning(InFolder):
    def test_the_report_is_that_of_the_command(self):
        path = self.write("evil.pkl", pickle.dumps(Evil()))
        report = tutela.scan(path)
        told = json.loads(run("scan", "--format", "json", path))
        self.assertEqual(report.verdict, "malicious")
        self.assertEqual([f.rule for f in report.files[0].findings],
                         [f["rule"] for f in told["files"][0]["findings"]])
        self.assertEqual(report.files[0].sha256, told["files"][0]["digest"]["sha256"])
        self.assertFalse(report.is_clean)
        self.assertFalse(CANARY.exists())

    def test_depth_structure_has_no_digest(self):
        path = self.write("fine.pkl", pickle.dumps([1, 2]))
        self.assertIsNone(tutela.scan(path, depth="structure").files[0].sha256)
        self.assertTrue(tutela.scan(path).is_clean)
        with self.assertRaises(ValueError):
            tutela.scan(path, depth="deep")

    def test_nothing_recognised_is_not_clean(self):
        report = tutela.scan(self.dir)
        self.assertFalse(report.is_clean)
        self.assertFalse(report.is_complete)

    def test_a_descriptor_is_read_from_its_beginning_and_left_where_it_was(self):
        path = self.write("evil.pkl", pickle.dumps(Evil()))
        with open(path, "rb") as file:
            file.seek(3)
            self.assertEqual(tutela.scan_descriptor(file, "evil.pkl").verdict, "malicious")
            self.assertEqual(file.tell(), 3)
        reader, writer = os.pipe()
        report = tutela.scan_descriptor(reader, "pipe.pkl")
        self.assertEqual(report.files[0].status, "error")
        os.close(reader)
        os.close(writer)
        with self.assertRaises(tutela.Error):
            tutela.scan_descriptor(reader, "closed.pkl")

    def test_a_name_with_a_nul_is_refused(self):
        with self.assertRaises(ValueError):
            tutela.scan("fine.pkl\0.txt")

    def test_threads_wait_for_each_other(self):
        path = self.write("evil.pkl", pickle.dumps(Evil()))
        verdicts = []
        threads = [threading.Thread(target=lambda: verdicts.append(tutela.scan(path).verdict))
                   for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(verdicts, ["malicious"] * 6)


class Loading(InFolder):
    def test_what_is_harmless_is_loaded(self):
        path = self.write("fine.pkl", pickle.dumps({"weights": [1.0, 2.0]}))
        self.assertEqual(tutela.load(path, unsigned=True), {"weights": [1.0, 2.0]})
        self.assertEqual(tutela.load(path, unsigned=True, snapshot=False), {"weights": [1.0, 2.0]})

    def test_what_would_run_is_refused_and_has_not_run(self):
        path = self.write("evil.pkl", pickle.dumps(Evil()))
        with self.assertRaises(tutela.Refused) as caught:
            tutela.load(path, unsigned=True)
        self.assertIn("malicious", caught.exception.reasons[0])
        self.assertEqual(caught.exception.report.verdict, "malicious")
        with self.assertRaises(tutela.Refused):
            tutela.load(path, unsigned=True, loader=pickle.load)
        self.assertFalse(CANARY.exists())

    def test_review_is_refused_when_asked(self):
        path = self.write("own.pkl", b"\x80\x02csklearn.ensemble._future\nFutureForest\n)\x81.")
        called = []
        tutela.load(path, unsigned=True, loader=lambda file: called.append(file.read()))
        self.assertEqual(len(called), 1)
        with self.assertRaises(tutela.Refused):
            tutela.load(path, unsigned=True, fail_on="review", loader=called.append)
        self.assertEqual(len(called), 1)

    def test_what_was_cut_off_is_refused(self):
        path = self.write("cut.pkl", pickle.dumps({"weights": list(range(100))})[:-20])
        with self.assertRaises(tutela.Refused):
            tutela.load(path, unsigned=True)

    def test_somebody_must_be_named(self):
        path = self.write("fine.pkl", pickle.dumps(1))
        with self.assertRaises(tutela.Refused) as caught:
            tutela.load(path)
        self.assertIn("nobody was named", caught.exception.reasons[0])
        with self.assertRaises(TypeError):
            tutela.load(path, unsigned=True, key="x.pem")

    def test_the_loader_reads_what_was_scanned_even_if_the_file_is_exchanged(self):
        path = self.write("fine.pkl", pickle.dumps("harmless"))

        def exchange(file):
            self.write("fine.pkl", pickle.dumps(Evil()))
            with self.assertRaises(OSError):
                os.pwrite(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDWR), b"x", 0)
            return pickle.load(file)
        self.assertEqual(tutela.load(path, unsigned=True, loader=exchange), "harmless")
        self.assertFalse(CANARY.exists())

    def test_a_loader_that_reads_otherwise_is_refused(self):
        array = self.write("a.npy", b"\x93NUMPY\x01\x00v\x00" +
                           b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + b"\0" * 8)
        with self.assertRaises(tutela.Refused) as caught:
            tutela.load(array, unsigned=True, loader="pickle")
        self.assertIn("another way", caught.exception.reasons[0])
        with self.assertRaises(ValueError):
            tutela.load(array, unsigned=True, loader="onnx")

    def test_a_key_decides(self):
        private, public = keypair("ada")
        _, stranger = keypair("eve")
        path = self.write("signed.pkl", pickle.dumps("signed"))
        with self.assertRaises(tutela.Refused):
            tutela.load(path, key=public)
        run("sign", path, "--key", private)
        self.assertEqual(tutela.load(path, key=public), "signed")
        self.assertTrue(tutela.verify(path, public).is_valid)
        with self.assertRaises(tutela.Refused):
            tutela.load(path, key=stranger)
        self.write("signed.pkl", pickle.dumps("other"))
        with self.assertRaises(tutela.Refused) as caught:
            tutela.load(path, key=public)
        self.assertIn("changed", " ".join(caught.exception.reasons))
        self.assertFalse(tutela.verify(path, public).is_valid)

    def test_a_file_of_a_signed_directory(self):
        private, public = keypair("dora")
        (self.dir / "model" / "sub").mkdir(parents=True)
        path = self.write("model/sub/a.pkl", pickle.dumps("a"))
        self.write("model/b.pkl", pickle.dumps("b"))
        run("sign", self.dir / "model", "--key", private)
        self.assertEqual(tutela.load(path, key=public, signed=self.dir / "model"), "a")
        added = self.write("model/c.pkl", pickle.dumps("c"))
        with self.assertRaises(tutela.Refused):
            tutela.load(added, key=public, signed=self.dir / "model")
        self.write("model/sub/a.pkl", pickle.dumps("exchanged"))
        with self.assertRaises(tutela.Refused):
            tutela.load(path, key=public, signed=self.dir / "model")
        outside = self.write("outside.pkl", pickle.dumps("outside"))
        with self.assertRaises((tutela.Refused, tutela.Error)):
            tutela.load(outside, key=public, signed=self.dir / "model")

    def test_the_policy_of_the_system_decides(self):
        os.environ["XDG_DATA_HOME"] = str(HERE / "data")
        path = self.write("model.pkl", pickle.dumps("by policy"))
        run("init", self.dir)
        run("assess", self.dir)
        with self.assertRaises(tutela.Refused):
            tutela.load(path)
        run("people", "enrol", "Ada", "--generate", "--no-passphrase", "--role", "developer", "--root", cwd=self.dir)
        run("sign", "--by", "Ada", "model.pkl", cwd=self.dir)
        self.assertEqual(tutela.load(path), "by policy")
        self.assertEqual(tutela.load(path, system=self.dir), "by policy")
        self.assertTrue(tutela.verify_policy(self.dir, path).is_valid)
        self.write("model.pkl", pickle.dumps("exchanged"))
        with self.assertRaises(tutela.Refused):
            tutela.load(path)


class Frameworks(InFolder):
    def test_torch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("python3-torch is not installed")
        path = self.dir / "net.pt"
        torch.save(torch.nn.Linear(3, 2).state_dict(), path)
        self.assertEqual(sorted(tutela.load(path, unsigned=True, map_location="cpu")), ["bias", "weight"])
        torch.save({"x": Evil()}, path)
        with self.assertRaises(tutela.Refused):
            tutela.load(path, unsigned=True)
        self.assertFalse(CANARY.exists())

    def test_joblib(self):
        try:
            import joblib
            import numpy
        except ImportError:
            self.skipTest("python3-joblib is not installed")
        for name in ("a.joblib", "a.joblib.gz"):
            joblib.dump({"w": numpy.arange(50000.0)}, self.dir / name)
            self.assertEqual(tutela.load(self.dir / name, unsigned=True)["w"].sum(), 1249975000.0)
        (self.dir / "evil.gz").write_bytes(gzip.compress(pickle.dumps(Evil())))
        with self.assertRaises(tutela.Refused):
            tutela.load(self.dir / "evil.gz", unsigned=True)
        numpy.save(self.dir / "a.npy", numpy.ones(3))
        self.assertEqual(tutela.load(self.dir / "a.npy", unsigned=True).sum(), 3)
        self.assertFalse(CANARY.exists())


class Library(unittest.TestCase):
    def test_a_library_that_is_not_there_is_said_so(self):
        env = {**os.environ, "TUTELA_LIBRARY": "/nonexistent/libtutela.so.0", "PYTHONPATH": str(HERE / "site")}
        code = "import tutela\ntry:\n tutela.scan('x')\nexcept tutela.Error as e:\n print(e.code, e)"
        out = subprocess.run(["/usr/bin/python3", "-c", code], env=env, stdout=subprocess.PIPE, check=True)
        self.assertIn("TUTELA_LIBRARY", out.stdout.decode())
        env["TUTELA_LIBRARY"] = "libtutela.so"
        out = subprocess.run(["/usr/bin/python3", "-c", code], env=env, stdout=subprocess.PIPE, check=True)
        self.assertIn("absolute", out.stdout.decode())

    def test_the_version(self):
        self.assertIn(tutela.version(), run("version"))


if __name__ == "__main__":
    try:
        program = unittest.main(exit=False, verbosity=0)
    finally:
        shutil.rmtree(HERE)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 10 else 1)
