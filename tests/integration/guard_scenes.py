"""The scenes of the README are what examples/guard/scenes.sh prints: a planted order, a key in a stream, a call that a
person approves, and the proof of each."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def general(text):
    """Without what differs from run to run: numbers of exchanges, keys, times."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{8,64}\b", "HEX", text)
    text = re.sub(r"\d+(\.\d+)? ms", "N ms", text)
    text = re.sub(r"the guard took [\d.]+", "the guard took N", text)
    text = re.sub(r"\b\d+ s\b|\d+ min", "N s", text)
    text = re.sub(r"HEX +N s +N s( N s)? +", "HEX N s ", text)
    text = re.sub(r"Id +Age +Left +", "Id Age Left ", text)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


class Scenes(unittest.TestCase):
    def test_the_readme_shows_what_happens(self):
        if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"):
            print("nginx is not installed: left out")
            sys.exit(77)
        where = tempfile.mkdtemp(prefix="tutela-scenes-")
        self.addCleanup(shutil.rmtree, where, True)
        env = {**os.environ, "PATH": os.path.dirname(TUTELA) + ":" + os.environ["PATH"], "PORT": free_port(), "MODEL_PORT": free_port()}
        env.pop("TUTELA_STATE", None)
        run = subprocess.run([os.path.join(SOURCE, "examples", "guard", "scenes.sh"), where], env=env, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertNotIn("exit status", run.stdout)
        self.assertNotIn("ghp_", run.stdout)
        with open(os.path.join(where, "model.log")) as file:
            self.assertNotIn("collect.example", file.read())
        printed = general(run.stdout)
        with open(os.path.join(SOURCE, "README.md")) as file:
            section = re.search(r"^## In front of a model server$(.*?)(?=^## )", file.read(), re.M | re.S).group(1)
        blocks = re.findall(r"^```\n(.*?)^```", section, re.M | re.S)
        shown = [part for block in blocks for part in re.split(r"\n(?=\$ )", block) if part.strip()]
        self.assertGreaterEqual(len(shown), 8)
        for part in shown:
            self.assertIn(general(part), printed)


if __name__ == "__main__":
    unittest.main()
