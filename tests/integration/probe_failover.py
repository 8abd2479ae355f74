"""A model server is killed and started again behind the real guard: what users see, whether another takes over, and after how
long. With the tree's own services (examples/scoring, examples/assistant) and with servers that are quick to start."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "guard"))
from live import POLICY, Guard
from probe_service import BUILD, SOURCE, TESTER, TUTELA, UNTIL, System, digest, free_port

CONTROL = """#!%s
import json, os, pathlib, signal, subprocess, sys
state = pathlib.Path(%r)
server = json.loads(state.read_text())
if sys.argv[-1] == "stop":
    os.kill(server["pid"], signal.SIGKILL)
else:
    p = subprocess.Popen(server["argv"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state.write_text(json.dumps({"pid": p.pid, "argv": server["argv"]}))
"""


def control(folder, pid, argv):
    """A failure_command for the process; kill() ends what it started last."""
    state, script = folder / "server.json", folder / "control.py"
    state.write_text(json.dumps({"pid": pid, "argv": [str(a) for a in argv]}))
    script.write_text(CONTROL % (sys.executable, str(state)))
    script.chmod(0o755)

    def kill():
        try:
            os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)
        except ProcessLookupError:
            pass
    return script, kill


def measures(way):
    return {m["name"]: m["value"] for m in way["measures"]}


def set_standby(root, upstream, standby):
    path = root / "tutela.yaml"
    line = "      upstream: http://%s\n" % upstream
    text = path.read_text()
    assert text.count(line) == 1, text
    path.write_text(text.replace(line, line + "      standby: http://%s\n" % standby))


class Assistant:
    """A copy of examples/support-assistant with its service and its guard, a tester as a client of its own."""

    def __init__(self, standby):
        self.tmp = tempfile.TemporaryDirectory(prefix="tutela-assistant-")
        self.root = pathlib.Path(self.tmp.name) / "assistant"
        shutil.copytree(SOURCE / "examples" / "support-assistant", self.root, ignore=shutil.ignore_patterns(".tutela"))
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CONFIG_HOME": self.tmp.name + "/config"}
        self.ports, guard_port, self.services = [free_port() for _ in range(2 if standby else 1)], free_port(), []
        key = self.run("guard", "key", "tester", "--quiet").stdout.strip()
        (self.root / "probe" / "tester.key").write_text(key + "\n")
        os.chmod(self.root / "probe" / "tester.key", 0o600)
        yaml = (self.root / "tutela.yaml").read_text()
        yaml = yaml.replace("127.0.0.1:8081", "127.0.0.1:%d" % self.ports[0]).replace("127.0.0.1:8443", "127.0.0.1:%d" % guard_port)
        yaml = re.sub(r"^  mode: enforce$", "  mode: enforce\n  listen: 127.0.0.1:%d" % guard_port, yaml, flags=re.M)
        yaml = re.sub(r"^  clients:\n", lambda m: m.group() + (TESTER % (digest(key), UNTIL)).replace("routes: score", "routes: chat")
                      .replace("concurrent: 64", "concurrent: 64\n        tokens: 100000000/hour"), yaml, flags=re.M)
        yaml = re.sub(r"^      model: assistant-q4$", "      model: assistant-q4\n      guard_key_file: probe/tester.key", yaml, flags=re.M)
        for client in ("website", "indexer"):
            other = self.run("guard", "key", client, "--quiet").stdout.strip()
            yaml = re.sub(r"^    - id: %s\n" % client, lambda m: m.group() + "      keys:\n        - sha256: %s\n          expires: %s\n"
                          % (digest(other), UNTIL), yaml, flags=re.M)
        (self.root / "tutela.yaml").write_text(yaml)
        if standby:
            set_standby(self.root, "127.0.0.1:%d" % self.ports[0], "127.0.0.1:%d" % self.ports[1])
        for port in self.ports:
            p = subprocess.Popen(self.argv(port), stdout=subprocess.PIPE, text=True)
            p.stdout.readline()
            self.services.append(p)
        done = self.run("guard", "up")
        if done.returncode:
            raise AssertionError(done.stderr)

    def argv(self, port):
        return [BUILD / "examples" / "assistant" / "tutela-example-assistant", "--listen", "127.0.0.1:%d" % port, self.root]

    def run(self, *args):
        return subprocess.run([TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=280)

    def end(self):
        self.run("guard", "down")
        for p in self.services:
            p.kill()
            p.wait()
            p.stdout.close()
        self.tmp.cleanup()


@unittest.skipUnless(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "nginx is not installed")
class Failover(unittest.TestCase):
    def probe(self, system, target, script):
        done = system.run("probe", "load", "--target", target, "--attack", "failure", "--failure-command", str(script),
                          "--no-record", "--format", "json")
        self.assertTrue(done.stdout, done.stderr)
        doc = json.loads(done.stdout)
        attack = doc["attacks"][0]
        return attack, measures(attack), measures(attack["unguarded"]), attack["exposed"][0]["text"] if attack["exposed"] else ""

    def assert_alone(self, attack, guarded, straight, text):
        """Nobody takes over: users see errors of the guard, until the server is back."""
        for way in (guarded, straight):
            self.assertEqual(way["fails_over"], 0, attack)
            self.assertLess(way["served"], 0.3, attack)
            self.assertGreaterEqual(way["gap_ms"], 4500, attack)  # five seconds without the server, and its start
            self.assertIsNotNone(way["back_after_ms"], attack)
        self.assertRegex(text, r"HTTP 50[24] \d+ times; none took over")
        self.assertEqual(attack["verdict"], "fail")

    def assert_taken_over(self, attack, guarded, straight, text):
        """Straight it is missed; behind the guard the standby answers."""
        self.assertEqual((guarded["fails_over"], straight["fails_over"]), (1, 0), attack)
        self.assertGreater(guarded["served"], 0.8, attack)
        self.assertLess(guarded["gap_ms"], 4000, attack)
        self.assertGreater(straight["gap_ms"], guarded["gap_ms"], attack)
        self.assertRegex(text, r"while it was down \d+ of \d+ requests were served.*another took over[a-z, ]*, the longest time without an answer was \d+ ms")

    def test_what_was_sent_is_not_sent_to_the_standby_and_a_server_that_is_not_there_is_passed_over(self):
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = first.getsockname()[1]

            def swallow():
                while True:
                    try:
                        s, _ = first.accept()
                    except OSError:
                        return
                    with s:
                        s.recv(65536)

            threading.Thread(target=swallow, daemon=True).start()
            guard = Guard(policy=POLICY.replace("upstream: {upstream}", "upstream: http://127.0.0.1:%d\n      standby: {upstream}" % port))
            self.addCleanup(guard.__exit__)
            guard.down()
            self.assertIn("http://127.0.0.1:%d, else %s\n" % (port, guard.url), guard.up().stdout)
            self.assertEqual((guard.chat("hello").status, guard.arrived()), (502, []))
            first.shutdown(socket.SHUT_RDWR)
        for _ in range(8):
            self.assertEqual(guard.chat("hello").status, 200)
        self.assertEqual(len(guard.arrived()), 8)
        items = json.loads(guard.run("guard", "check", "--bypass", "--no-record", "--format", "json", check=False).stdout)["items"]
        bypass = {i["about"]: i["state"] for i in items if i["id"] == "bypass"}
        self.assertEqual(bypass, {"http://127.0.0.1:%d" % port: "not_checked", guard.url: "fail"}, "the standby is tried as well")

    # --- the tree's own services ---
    def scoring(self, standby):
        system = System(guard=True)
        self.addCleanup(system.end)
        if standby:
            port = free_port()
            other = subprocess.Popen([*self.scoring_argv(system)[:2], "127.0.0.1:%d" % port, self.scoring_argv(system)[3]], stdout=subprocess.PIPE, text=True)
            self.addCleanup(lambda: (other.kill(), other.wait(), other.stdout.close()))
            other.stdout.readline()
            set_standby(system.root, "127.0.0.1:%d" % system.port, "127.0.0.1:%d" % port)
            done = system.run("guard", "reload")
            self.assertEqual(done.returncode, 0, done.stderr)
        script, kill = control(pathlib.Path(system.tmp.name), system.service.pid, self.scoring_argv(system))
        self.addCleanup(kill)
        return self.probe(system, "service", script)

    def scoring_argv(self, system):
        return [BUILD / "examples" / "scoring" / "tutela-example-scoring", "--listen", "127.0.0.1:%d" % system.port,
                system.root / "models" / "classifier.onnx"]

    def test_the_scoring_service_alone_is_missed_and_comes_back(self):
        self.assert_alone(*self.scoring(False))

    def test_a_second_scoring_service_takes_over_behind_the_guard(self):
        self.assert_taken_over(*self.scoring(True))

    def assistant(self, standby):
        system = Assistant(standby)
        self.addCleanup(system.end)
        script, kill = control(pathlib.Path(system.tmp.name), system.services[0].pid, system.argv(system.ports[0]))
        self.addCleanup(kill)
        return self.probe(system, "assistant", script)

    def test_the_assistant_alone_is_missed_and_comes_back(self):
        self.assert_alone(*self.assistant(False))

    def test_a_second_assistant_takes_over_behind_the_guard(self):
        self.assert_taken_over(*self.assistant(True))


if __name__ == "__main__":
    unittest.main()
