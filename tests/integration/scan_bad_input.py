"""Bad input for tutela scan: each kind gets one clear line, and the rest goes on."""
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

TUTELA = os.environ["TUTELA"]
GOOD = pickle.dumps({"weights": [1.0, 2.0]}, 4)
EVIL = b"\x80\x02cposix\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
NOBODY = 65534


class BadInput(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        os.chmod(self.dir.name, 0o755)
        self.root = os.path.join(self.dir.name, "models")
        os.mkdir(self.root)

    def put(self, name, data=GOOD):
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        return os.fsdecode(path)

    def scan(self, *args, **more):
        program = TUTELA
        if "user" in more:  # who may not look into the build folder, where that is root's own
            program = shutil.copy(TUTELA, self.dir.name)
        return subprocess.run([program, "scan", *args], capture_output=True, timeout=100, **more)

    def files(self, *args, status, **more):
        run = self.scan("--format", "json", *args, **more)
        self.assertEqual(run.returncode, status, run.stderr)
        return {f["path"]: f for f in json.loads(run.stdout)["files"]}

    def test_unreadable_file(self):
        path = self.put("locked.pkl")
        self.put("good.pkl")
        os.chmod(path, 0)
        more = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        run = self.scan(path, **more)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stdout, b"")
        self.assertEqual(run.stderr.decode(),
                         path + ": cannot be read (permission denied). 0 of 1 files checked.\n")
        found = self.files(self.root, status=2, **more)
        self.assertEqual(found[path]["status"], "error")
        self.assertEqual(found[path]["findings"][0]["rule"], "file.unreadable")
        self.assertEqual(found[os.path.join(self.root, "good.pkl")]["verdict"], "clean")

    def test_unreadable_directory(self):
        self.put("good.pkl")
        self.put("closed/inner.pkl")
        closed = os.path.join(self.root, "closed")
        os.chmod(closed, 0)
        self.addCleanup(os.chmod, closed, 0o755)
        more = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        found = self.files(self.root, status=2, **more)
        self.assertEqual([f["status"] for f in found.values()].count("error"), 1)

    def test_pipes_sockets_and_devices_are_not_opened(self):
        pipe = os.path.join(self.root, "pipe.pkl")
        os.mkfifo(pipe)
        path = os.path.join(self.root, "socket.pkl")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            for name in (pipe, path, "/dev/zero"):
                run = self.scan(name)
                self.assertEqual(run.returncode, 2)
                self.assertEqual(len(run.stderr.splitlines()), 1)
            self.put("good.pkl")
            found = self.files(self.root, status=2)
            self.assertEqual(found[pipe]["status"], "error")

    def test_loops_of_directories_and_links_end(self):
        self.put("a/good.pkl")
        os.symlink("..", os.path.join(self.root, "a", "up"))
        os.symlink("loop", os.path.join(self.root, "loop"))
        found = self.files(self.root, status=0)
        self.assertEqual(len(found), 1)

    def test_links_out_of_the_tree_are_said_and_not_followed(self):
        outside = os.path.join(self.dir.name, "outside.pkl")
        with open(outside, "wb") as f:
            f.write(EVIL)
        self.put("good.pkl")
        link = os.path.join(self.root, "model.pt")
        os.symlink(outside, link)
        found = self.files(self.root, status=3)
        self.assertEqual(found[link]["status"], "incomplete")
        self.assertEqual(found[link]["findings"][0]["rule"], "file.link-not-followed")
        self.assertEqual(found[link]["verdict"], "review")
        self.assertEqual(self.scan(link).returncode, 1)  # named by itself it is read

    def test_names_that_are_not_utf8(self):
        self.put(b"caf\xe9.pkl", EVIL)
        self.put(b"two\nlines.pkl", EVIL)
        run = self.scan("--format", "json", self.root)
        self.assertEqual(run.returncode, 1)
        self.assertEqual([f["verdict"] for f in json.loads(run.stdout)["files"]], ["malicious"] * 2)
        run = self.scan(self.root)
        out = run.stdout.decode("utf-8")
        self.assertIn("two\\x0alines.pkl", out)
        self.assertIn("caf\\xe9.pkl", out)
        json.loads(self.scan("--format", "sarif", self.root).stdout)

    def test_broken_middle_does_not_stop_the_rest(self):
        self.put("a.pkl", GOOD)
        self.put("b.pkl", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\x8d" * 40)
        self.put("c.pkl", EVIL)
        found = self.files(self.root, status=1)
        self.assertEqual([f["verdict"] for f in found.values()][0], "clean")
        self.assertEqual([f["verdict"] for f in found.values()][2], "malicious")
        self.assertNotEqual([f["status"] for f in found.values()][1], "complete")

    def test_a_file_that_changes_while_it_is_read(self):
        path = self.put("large.pkl", GOOD)
        with open(path, "r+b") as f:
            f.truncate(600 << 20)
        stop = threading.Event()

        def touch():
            while not stop.is_set():
                os.utime(path)
                time.sleep(0.002)

        thread = threading.Thread(target=touch)
        thread.start()
        try:
            found = self.files("--fail-on", "malicious", path, status=3)[path]
        finally:
            stop.set()
            thread.join()
        self.assertEqual(found["status"], "incomplete")
        self.assertIn("file.changed-while-read", [x["rule"] for x in found["findings"]])
        self.assertIsNone(found["digest"])

    def test_interrupt_ends_with_one_line(self):
        for i in range(8):
            path = self.put(f"{i}.pkl", GOOD)
            with open(path, "r+b") as f:
                f.truncate(1 << 30)
        run = subprocess.Popen([TUTELA, "scan", self.root], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
        time.sleep(0.4)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(out, b"")
        self.assertEqual(len(err.splitlines()), 1, err)

    def test_a_full_disk_for_output_is_told(self):
        self.put("good.pkl")
        with open("/dev/full", "wb") as full:
            run = subprocess.run([TUTELA, "scan", "--format", "json", self.root], stdout=full,
                                 stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"could not be written", run.stderr)

    def test_nothing_is_left_in_the_temporary_directory(self):
        with tempfile.TemporaryDirectory() as temporary:
            run = self.scan("-", input=EVIL, env=dict(os.environ, TMPDIR=temporary))
            self.assertEqual(run.returncode, 1)
            self.assertEqual(os.listdir(temporary), [])


if __name__ == "__main__":
    unittest.main()
