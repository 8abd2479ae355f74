"""Witnesses over HTTP: an honest log is cosigned, a rolled back or forked one is found, what is cosigned
is remembered through kill -9, hostile clients and hostile witnesses get nowhere. Cosignatures are
checked by OpenSSL, not by Tutela."""
import base64
import hashlib
import http.client
import http.server
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

TUTELA = os.environ["TUTELA"]
with open(os.path.join(os.environ["TUTELA_BUILD"], "CMakeCache.txt")) as cache:
    IS_SANITIZED = "-fsanitize" in cache.read()


def free_of_proxies():
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return env


class System:
    """A described system with its own keys, below one directory."""

    def __init__(self, root):
        self.root = root
        self.dir = os.path.join(root, "system")
        self.keys = os.path.join(root, "keys")
        os.makedirs(self.dir)
        with open(os.path.join(self.dir, "prompt.txt"), "w") as file:
            file.write("You are a helpful assistant.\n")
        self.run("init", self.dir, check=True)

    def run(self, *args, check=False, stdin=None):
        env = dict(free_of_proxies(), XDG_DATA_HOME=self.keys)
        done = subprocess.run([TUTELA, *args], capture_output=True, text=True, timeout=60, input=stdin,
                              cwd=self.dir, env=env)
        if check and done.returncode != 0:
            raise AssertionError(f"{args}: {done.returncode} {done.stdout} {done.stderr}")
        return done

    def append(self, count=1, word="x"):
        text = "".join(json.dumps({"what": f"{word}{i}"}) + "\n" for i in range(count))
        self.run("ledger", "append", check=True, stdin=text)

    def ask(self, *args):
        done = self.run("ledger", "witness", "ask", "--format", "json", *args)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def vkey(self):
        (origin,) = os.listdir(os.path.join(self.keys, "tutela"))
        with open(os.path.join(self.keys, "tutela", origin, "log.vkey")) as file:
            return file.readline().strip()

    def evidence(self, *names):
        return os.path.join(self.dir, ".tutela", "ledger", "evidence", *names)


class Witness:
    def __init__(self, root, name, logs, listen="127.0.0.1:0"):
        self.root, self.name, self.logs, self.listen = root, name, logs, listen
        self.key = os.path.join(root, f"{name}.pem")
        self.state = os.path.join(root, f"{name}.state")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        os.chmod(self.key, 0o600)
        self.start()

    def start(self):
        args = [TUTELA, "ledger", "witness", "serve", "--key", self.key, "--name", f"witness.example/{self.name}",
                "--dir", self.state, "--listen", self.listen]
        for log in self.logs:
            args += ["--log", log]
        self.process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
        self.vkey = self.process.stderr.readline().strip().removeprefix("Witness ")
        line = self.process.stderr.readline().strip()
        if not line.startswith("Listening on "):
            raise AssertionError(self.vkey + line)
        self.url = line.removeprefix("Listening on ")
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def await_line(self, part):
        """It logs after it has answered."""
        until = time.monotonic() + 20
        while not any(part in line for line in self.lines):
            if time.monotonic() > until:
                raise AssertionError("no line with " + part)
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=20)
        self.reader.join(timeout=20)
        self.process.stderr.close()
        return code

    def connection(self):
        host, port = self.url.removeprefix("http://").split(":")
        return http.client.HTTPConnection(host, int(port), timeout=20)

    def post(self, body, path="/add-checkpoint"):
        c = self.connection()
        c.request("POST", path, body)
        r = c.getresponse()
        text = r.read()
        c.close()
        return r.status, r.headers, text


class WitnessTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="tutela-witness-")
        self.system = System(self.root)
        self.system.append(2)
        self.witness = Witness(self.root, "w1", [self.system.vkey()])

    def tearDown(self):
        code = self.witness.stop() if self.witness.process.poll() is None else 0
        shutil.rmtree(self.root)
        self.assertEqual(code, 0, "".join(self.witness.lines[-20:]))

    def ask(self, system=None, witness=None):
        witness = witness or self.witness
        code, answer = (system or self.system).ask("--witness", witness.vkey, witness.url)
        self.assertIsInstance(answer, dict, answer)
        return code, answer["witnesses"][0]

    def request(self, old=0, proof=()):
        with open(self.system.evidence("checkpoint")) as file:
            note = file.read()
        return (f"old {old}\n" + "".join(p + "\n" for p in proof) + "\n" + note).encode()

    def check_with_openssl(self, note, vkey):
        """cosignature/v1 by its specification: header, time, the note's text."""
        text, signatures = note.rsplit("\n\n", 1)
        text += "\n"
        name, _, key64 = vkey.split("+", 2)
        key = base64.b64decode(key64)
        self.assertEqual(key[0], 4)
        (line,) = [s for s in signatures.splitlines() if s.startswith(f"\u2014 {name} ")]
        raw = base64.b64decode(line.split(" ")[2])
        self.assertEqual(raw[:4], hashlib.sha256(name.encode() + b"\n\x04" + key[1:]).digest()[:4])
        at = int.from_bytes(raw[4:12], "big")
        self.assertLess(abs(at - time.time()), 300)
        paths = {n: os.path.join(self.root, n) for n in ("pub.der", "message", "signature")}
        with open(paths["pub.der"], "wb") as file:
            file.write(bytes.fromhex("302a300506032b6570032100") + key[1:])
        with open(paths["message"], "wb") as file:
            file.write(f"cosignature/v1\ntime {at}\n{text}".encode())
        with open(paths["signature"], "wb") as file:
            file.write(raw[12:])
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", paths["pub.der"], "-keyform",
                               "DER", "-rawin", "-in", paths["message"], "-sigfile", paths["signature"]],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_growing_log_is_cosigned(self):
        for _ in range(4):
            code, one = self.ask()
            self.assertEqual((code, one["outcome"], one["cosigned"]), (0, "cosigned", True))
            with open(self.system.evidence("checkpoint.witnessed")) as file:
                self.check_with_openssl(file.read(), self.witness.vkey)
            self.system.append(7)
        with open(self.system.evidence("checkpoint")) as file:
            self.assertNotIn("witness.example", file.read())
        # a client that lost what it kept starts from 0 and is told
        shutil.rmtree(self.system.evidence("witness"))
        self.assertEqual(self.ask()[0], 0)
        self.witness.await_line("status=409")

    def test_a_quorum_is_reached_and_kept(self):
        second = Witness(self.root, "w2", [self.system.vkey()], "unix:" + os.path.join(self.root, "w2.sock"))
        policy = os.path.join(self.root, "policy")
        with open(policy, "w") as file:
            file.write(f"# ours\nlog {self.system.vkey()}\nwitness a {self.witness.vkey} {self.witness.url}/\n"
                       f"witness b {second.vkey} {second.url}\nwitness c {Witness.other(self.root)}\n"
                       "group g 2 a b c\nquorum g\n")
        code, answer = self.system.ask("--policy", policy)
        self.assertEqual(code, 0, answer)
        self.assertTrue(answer["summary"]["quorum"])
        proven = answer["summary"]["proven_time"]
        self.assertEqual([w["cosigned"] for w in answer["witnesses"]], [True, True, False])
        time.sleep(1.1)
        code, answer = self.system.ask("--policy", policy)  # the earlier cosignatures stay
        self.assertEqual((code, answer["summary"]["proven_time"]), (0, proven))
        self.assertEqual(second.stop(), 0)
        code, answer = self.system.ask("--policy", policy)
        self.assertEqual((code, answer["witnesses"][1]["outcome"]), (0, "unreachable"))
        code, answer = self.system.ask("--policy", policy, "--kept")
        self.assertEqual((code, answer["summary"]["proven_time"]), (0, proven))
        before = answer["summary"]["size"]
        self.system.append(1)
        code, answer = self.system.ask("--policy", policy, "--kept")  # of what was there then
        self.assertEqual((code, answer["summary"]["cosigned_size"], answer["summary"]["size"]), (0, before, before + 1))
        self.assertEqual(self.witness.stop(), 0)
        code, answer = self.system.ask("--policy", policy)  # nobody is there: what is kept is of another tree
        self.assertEqual((code, answer["summary"]["quorum"], answer["summary"]["proven_time"]), (1, False, None))
        self.witness.listen = self.witness.url.removeprefix("http://")
        self.witness.start()
        code, answer = self.system.ask("--policy", policy)  # a new tree needs its own quorum
        self.assertEqual((code, answer["summary"]["quorum"]), (1, False))

    def test_a_rolled_back_log_is_found(self):
        old = os.path.join(self.root, "old")
        shutil.copytree(self.system.dir, os.path.join(old, "system"))
        shutil.copytree(self.system.keys, os.path.join(old, "keys"))  # whoever holds the log key can do this
        self.system.append(5)
        self.assertEqual(self.ask()[0], 0)
        for name in ("system", "keys"):
            shutil.rmtree(os.path.join(self.root, name))
            shutil.copytree(os.path.join(old, name), os.path.join(self.root, name))
        code, one = self.ask()
        self.assertEqual((code, one["outcome"]), (1, "ahead"))
        self.assertIn("rolled back", one["why"])
        # and again with other entries in their place, up to and beyond the size that was cosigned
        for more, outcome in ((5, "diverges"), (5, "diverges")):
            self.system.append(more, "forged")
            code, one = self.ask()
            self.assertEqual((code, one["outcome"]), (1, outcome), one)
        self.witness.await_line("status=422")

    def test_a_log_that_changes_its_key_takes_its_witnesses_along(self):
        system = self.system
        old = system.vkey()
        key = os.path.join(self.root, "ada.pem")
        public = os.path.join(self.root, "ada.pub")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        os.chmod(key, 0o600)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
        system.run("people", "enrol", "Ada", "--root", "--key", public, check=True)
        self.assertEqual(self.ask()[1]["outcome"], "cosigned")
        system.run("people", "rotate", "log", "--by", "Ada", "--signing-key", key, check=True)
        self.assertEqual(self.ask()[1]["outcome"], "cosigned", "the first checkpoint is signed by both keys")
        system.append(1)
        code, told = self.ask()
        self.assertEqual((code, told["outcome"]), (1, "distrusts"), "it knows the old key only")
        self.witness.stop()
        self.witness.logs = [old, system.vkey()]
        self.witness.start()
        self.assertEqual(self.ask()[1]["outcome"], "cosigned", "what it remembers goes on under the new key")

    def test_a_rewritten_log_does_not_live_on_old_cosignatures(self):
        policy = os.path.join(self.root, "policy")
        with open(policy, "w") as file:
            file.write(f"log {self.system.vkey()}\nwitness a {self.witness.vkey} {self.witness.url}\nquorum a\n")
        old = os.path.join(self.root, "old")
        shutil.copytree(self.system.dir, os.path.join(old, "system"))
        shutil.copytree(self.system.keys, os.path.join(old, "keys"))
        self.system.append(3, "true")
        self.assertEqual(self.system.ask("--policy", policy)[0], 0)
        kept = os.path.join(self.root, "kept")
        shutil.copy(self.system.evidence("checkpoint.witnessed"), kept)
        for name in ("system", "keys"):
            shutil.rmtree(os.path.join(self.root, name))
            shutil.copytree(os.path.join(old, name), os.path.join(self.root, name))
        shutil.copy(kept, self.system.evidence("checkpoint.witnessed"))
        for count in (0, 5):  # cut, and rewritten
            if count:
                self.system.append(count, "false")
            code, answer = self.system.ask("--policy", policy, "--kept")
            self.assertEqual((code, answer["summary"]["quorum"], answer["summary"]["rewritten"]), (1, False, True))

    def test_two_trees_never_both_get_a_cosignature(self):
        other = os.path.join(self.root, "other")
        shutil.copytree(self.system.dir, os.path.join(other, "system"))
        shutil.copytree(self.system.keys, os.path.join(other, "keys"))
        twin = System.__new__(System)
        twin.root, twin.dir, twin.keys = other, os.path.join(other, "system"), os.path.join(other, "keys")
        self.system.append(3, "one")
        twin.append(3, "two")
        self.assertEqual(self.ask()[0], 0)
        code, one = self.ask(twin)
        self.assertEqual((code, one["outcome"]), (1, "diverges"))

    def test_kill_9_forgets_nothing(self):
        size = 0
        for i in range(6):
            self.system.append(2)
            if i % 2:
                threading.Timer(random.uniform(0, 0.02), self.witness.process.kill).start()
                self.ask()
                self.witness.process.wait(timeout=20)
                self.witness.stop(0)
                self.witness.start()
            self.assertEqual(self.ask()[0], 0)
            state = [n for n in os.listdir(self.witness.state) if re.fullmatch("[0-9a-f]{64}", n)]
            with open(os.path.join(self.witness.state, state[0])) as file:
                now = int(file.read().splitlines()[1])
            self.assertGreater(now, size)
            size = now

    def test_many_at_once_are_answered_one_after_the_other(self):
        body, results = self.request(), []

        def post():
            results.append(self.witness.post(body)[0])
        threads = [threading.Thread(target=post) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(set(results)), [200, 409])
        self.assertEqual(results.count(200), 1)

    def test_statuses_over_http(self):
        body = self.request()
        origin, size = body.split(b"\n")[2:4]
        digest = hashlib.sha256(origin).hexdigest()
        c = self.witness.connection()  # all over one connection
        for method, path, text, status in [
                ("GET", f"/{digest}/checkpoint", None, 404), ("POST", "/add-checkpoint", b"", 400),
                ("POST", "/add-checkpoint", b"\0" * 1000, 400), ("POST", "/add-checkpoint", body[:-1], 400),
                ("POST", "/add-checkpoint", body.replace(b"old 0", b"old 99"), 400),
                ("POST", "/add-checkpoint", body.replace(b"old 0", b"old 1"), 409),
                ("POST", "/add-checkpoint", body.replace(origin, b"example.com/other"), 404),
                ("POST", "/add-checkpoint", body.replace(origin + b"\n" + size, origin + b"\n1" + size), 403),
                ("POST", "/other", body, 404), ("GET", "/add-checkpoint", None, 404), ("GET", "/../etc/passwd", None, 404),
                ("DELETE", "/add-checkpoint", None, 405), ("POST", "/add-checkpoint", body, 200),
                ("POST", "/add-checkpoint", body, 409), ("GET", f"/{digest}/checkpoint", None, 200)]:
            c.request(method, path, text)
            r = c.getresponse()
            answer = r.read()
            self.assertEqual(r.status, status, (method, path, answer))
        self.check_with_openssl(answer.decode(), self.witness.vkey)
        c.request("POST", "/add-checkpoint", iter([body[:40], body[40:]]), encode_chunked=True,
                  headers={"Transfer-Encoding": "chunked"})
        r = c.getresponse()
        self.assertEqual((r.status, r.headers["Content-Type"], r.read()), (409, "text/x.tlog.size", size + b"\n"))
        c.close()

    def test_it_gives_up_what_it_does_not_need(self):
        self.assertEqual(self.ask()[0], 0)
        with open(f"/proc/{self.witness.process.pid}/status") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "0" if IS_SANITIZED else "2"))
        self.assertEqual(int(status["CapEff"], 16) & ~0b1010, 0)

    def test_hostile_clients_get_nowhere(self):
        host, port = self.witness.url.removeprefix("http://").split(":")
        try:
            status = self.witness.post(b"a" * (1 << 20))[0]
        except (BrokenPipeError, ConnectionResetError):
            status = 413
        self.assertEqual(status, 413)
        for raw in (b"\xff" * 4096, b"GET\r\n\r\n", b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n", b"X: y\r\n" * 10000):
            with socket.create_connection((host, int(port)), timeout=1) as s:
                try:
                    s.sendall(raw)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except OSError:
                    pass
        idle = [socket.create_connection((host, int(port)), timeout=20) for _ in range(20)]
        self.assertEqual(self.ask()[0], 0)  # it still serves
        for s in idle:
            s.close()

    def test_hostile_witnesses_get_nowhere(self):
        answers = [
            (200, "text/plain", b""), (200, "text/plain", b"\xff\xfe"), (200, "text/plain", b"\xe2\x80\x94 a AAAA\n" * 100),
            (200, "text/plain", b"\xe2\x80\x94 witness.example/w1 " + base64.b64encode(b"\0" * 76) + b"\n"),
            (409, "text/x.tlog.size", b"1\n"), (409, "text/x.tlog.size", b"-1\n"), (409, "text/plain", b"1\n"),
            (409, "text/x.tlog.size", b"99999999999999999999\n"), (200, "text/plain", b"a" * (1 << 20)),
            (302, "text/plain", b""), (500, "text/plain", b"\x1b[31mred"), (204, "text/plain", b"")]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, text = answers[0]
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Location", "file:///etc/passwd")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                try:
                    self.wfile.write(text)
                except OSError:
                    pass

            def log_message(self, *args):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        while answers:
            code, answer = self.system.ask("--witness", self.witness.vkey, url)
            self.assertEqual(code, 1, answer)
            one = answer["witnesses"][0]
            self.assertIn(one["outcome"], ("refused", "bad-reply", "unreachable", "ahead"), (answers[0], one))
            self.assertFalse(one["cosigned"])
            self.assertNotIn("\x1b", one["why"])
            answers.pop(0)
        self.assertFalse(os.path.exists(self.system.evidence("checkpoint.witnessed")))
        server.shutdown()
        server.server_close()
        # a cosignature by another key than the one that is trusted
        other = Witness(self.root, "w1x", [self.system.vkey()])
        code, answer = self.system.ask("--witness", self.witness.vkey, other.url)
        self.assertEqual((code, answer["witnesses"][0]["outcome"]), (1, "bad-reply"))
        other.stop()

    def test_what_cannot_be_asked_is_one_line(self):
        for args, word in ((["http://127.0.0.1:1"], "--witness"), (["--witness", "x", "u"], "verifier key"),
                           (["--witness", self.system.vkey(), "u"], "cosigner"), (["--kept"], "--policy"),
                           (["--policy", "/nowhere"], "/nowhere"), (["--witness", self.witness.vkey], "URL")):
            done = self.system.run("ledger", "witness", "ask", *args)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(word, done.stderr)
        code, one = self.system.ask("--witness", self.witness.vkey, "ftp://127.0.0.1/")
        self.assertEqual((code, one["witnesses"][0]["outcome"]), (1, "unreachable"))
        done = subprocess.run([TUTELA, "ledger", "witness", "ask", "--witness", self.witness.vkey, "u"],
                              cwd=self.root, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("tutela.yaml", done.stderr)

    def test_a_witness_that_cannot_serve_says_why(self):
        good = ["--key", self.witness.key, "--name", "w", "--dir", os.path.join(self.root, "d"), "--listen",
                "127.0.0.1:0", "--log", self.system.vkey()]
        busy = self.witness.url.removeprefix("http://")
        for option, value, word in (("--key", "/nowhere.pem", "nowhere"), ("--name", "a b", "name"),
                                    ("--dir", self.witness.state, "another witness"), ("--listen", busy, "in use"),
                                    ("--listen", "nonsense", "127.0.0.1:8080"), ("--log", "nonsense", "verifier key"),
                                    ("--log", self.witness.vkey, "not a log's"), ("--listen", "unix:", "path")):
            args = list(good)
            args[args.index(option) + 1] = value
            done = subprocess.run([TUTELA, "ledger", "witness", "serve", *args], capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 2, (option, value))
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)
        for i in range(0, len(good), 2):
            args = good[:i] + good[i + 2:]
            done = subprocess.run([TUTELA, "ledger", "witness", "serve", *args], capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, "needs" in done.stderr), (2, True), done.stderr)


class AnchorTest(unittest.TestCase):
    """What is kept of witnesses is told where people look: ledger verify, assess, report."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="tutela-anchor-")
        self.system = System(self.root)
        self.system.run("assess")
        self.witness = Witness(self.root, "w1", [self.system.vkey()])
        self.policy = self.write_policy("ours.policy", f"witness a {self.witness.vkey} {self.witness.url}", "a")

    def tearDown(self):
        code = self.witness.stop()
        shutil.rmtree(self.root)
        self.assertEqual(code, 0)

    def write_policy(self, name, witnesses, quorum, log=None):
        path = os.path.join(self.root, name)
        with open(path, "w") as file:
            file.write(f"log {log or self.system.vkey()}\n{witnesses}\nquorum {quorum}\n")
        return path

    def believe(self):
        """tutela.yaml names the policy."""
        shutil.copy(self.policy, os.path.join(self.system.dir, "ours.policy"))
        path = os.path.join(self.system.dir, "tutela.yaml")
        with open(path) as file:
            text = file.read()
        self.assertIn("\n  # witnesses: FILE", text)
        with open(path, "w") as file:
            file.write(text.replace("\n  # witnesses: FILE", "\n  witnesses: ours.policy"))

    def verify(self, *args):
        done = self.system.run("ledger", "verify", "--format", "json", *args)
        d = json.loads(done.stdout)
        checks = {c["name"]: c for c in d["checks"]}
        wrong = {n: c["detail"] for n, c in checks.items() if not c["ok"]}
        self.assertEqual((done.returncode, d["summary"]["ok"]), (1, False) if wrong else (0, True), wrong)
        return d["summary"], checks["witnesses"]["detail"], wrong

    def report(self, *args):
        done = self.system.run("report", "--format", "json", *args)
        d = json.loads(done.stdout)
        return done.returncode, d["summary"]

    def keep_copy(self):
        copy = os.path.join(self.root, "copy")
        for name in ("system", "keys"):
            shutil.copytree(os.path.join(self.root, name), os.path.join(copy, name), symlinks=True)
        return copy

    def roll_back(self, copy):
        """By whoever holds the keys; the cosignatures are found again."""
        kept = os.path.join(self.root, "kept")
        os.makedirs(kept)
        for name in ("witness", "witnessed"):
            shutil.copytree(self.system.evidence(name), os.path.join(kept, name))
        shutil.copy(self.system.evidence("checkpoint.witnessed"), kept)
        for name in ("system", "keys"):
            shutil.rmtree(os.path.join(self.root, name))
            shutil.copytree(os.path.join(copy, name), os.path.join(self.root, name), symlinks=True)
        shutil.copytree(kept, self.system.evidence(), dirs_exist_ok=True)

    def size(self):
        with open(self.system.evidence("checkpoint")) as file:
            return int(file.read().splitlines()[1])

    def test_verify_says_who_vouches(self):
        summary, detail, _ = self.verify()
        self.assertEqual((summary["trust"], summary["proven_time"], detail), ("own-key", None, "no cosignatures are kept"))
        _, _, wrong = self.verify("--policy", self.policy)
        self.assertEqual(list(wrong), ["witnesses"])
        self.assertIn("no cosignature is kept", wrong["witnesses"])
        self.assertEqual(self.system.ask("--witness", self.witness.vkey, self.witness.url)[0], 0)
        summary, detail, _ = self.verify()
        self.assertEqual(summary["trust"], "own-key")
        self.assertIn("by witnesses that nobody vouched for here", detail)
        size = self.size()
        self.assertIn(f"{size} entries", detail)
        answer = self.system.ask("--policy", self.policy, "--kept")[1]
        summary, detail, _ = self.verify("--policy", self.policy)
        self.assertEqual((summary["trust"], summary["proven_time"], summary["proven_size"], summary["anchored"]),
                         ("witnessed", answer["summary"]["proven_time"], size, True))
        self.assertIn(f"all {size} entries by", summary["rests_on"])
        self.system.append(3)
        summary, _, _ = self.verify("--policy", self.policy)
        self.assertEqual((summary["trust"], summary["proven_size"]), ("witnessed", size))
        self.assertIn(f"the first {size} of {size + 3} entries by", summary["rests_on"])
        text = self.system.run("ledger", "verify", "--policy", self.policy).stdout
        self.assertRegex(text, r"All 17 checks hold; a quorum of witnesses had seen the first \d+ of \d+ entries by ")
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()[1:-1]), text)

    def test_only_those_who_are_believed_count(self):
        self.assertEqual(self.system.ask("--policy", self.policy)[0], 0)
        absent = f"witness b {Witness.other(self.root)}"
        stranger = self.write_policy("stranger", absent, "b")
        both = self.write_policy("both", f"witness a {self.witness.vkey}\n{absent}\ngroup g all a b", "g")
        other_log = self.write_policy("other", f"witness a {self.witness.vkey}", "a", Witness.log_key(self.root))
        for policy, word in ((stranger, "by none of its 1 witnesses"), (both, "of its 2 witnesses 1 cosigned"),
                             (other_log, "not signed by a log of the policy")):
            summary, _, wrong = self.verify("--policy", policy)
            self.assertEqual((summary["trust"], list(wrong)), ("own-key", ["witnesses"]))
            self.assertIn(word, wrong["witnesses"])
        done = self.system.run("ledger", "verify", "--policy", "/nowhere")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))

    def test_the_description_names_whom_to_believe(self):
        done = self.system.run("ledger", "witness", "ask")
        self.assertEqual((done.returncode, "policy.witnesses" in done.stderr), (2, True), done.stderr)
        self.believe()
        code, answer = self.system.ask()
        self.assertEqual((code, answer["summary"]["quorum"]), (0, True), answer)
        self.assertEqual(self.verify()[0]["trust"], "witnessed")
        for name, word in (("", ""), ("ours.policyy", "ours.policyy"), ("../ours.policy", "ours.policy")):
            path = os.path.join(self.system.dir, "tutela.yaml")
            with open(path) as file:
                text = file.read()
            if name:
                with open(path, "w") as file:
                    file.write(re.sub("witnesses: [^ ]*", "witnesses: " + name, text))
                for command in (["ledger", "witness", "ask"], ["assess"]):
                    done = self.system.run(*command)
                    self.assertEqual(done.returncode, 2, (command, done.stdout, done.stderr))
                    self.assertIn(word, done.stderr)
                wrong = self.verify()[2]  # the rest is looked at all the same
                self.assertEqual(list(wrong), ["witnesses", "timestamps"])
                self.assertIn(word, wrong["witnesses"])

    def test_the_assessment_says_it(self):
        code, before = self.report()
        self.assertEqual((before["log"]["trust"], before["log"]["proven_time"]), ("own-key", None))
        self.assertNotIn("\nLog ", self.system.run("report").stdout)
        self.believe()
        self.system.run("assess")
        self.assertIn("Log      own-key; nobody whom", self.system.run("report").stdout)
        time.sleep(1.1)
        code, answer = self.system.ask()
        self.assertEqual(code, 0)
        size, proven = self.size(), answer["summary"]["proven_time"]
        _, after = self.report()
        self.assertEqual((after["log"]["trust"], after["log"]["proven_time"], after["log"]["proven_size"]),
                         ("witnessed", proven, size))
        self.assertEqual(after["grade"], before["grade"])
        text = self.system.run("report").stdout
        self.assertIn(f"Log      witnessed, {size} of {size} records by", text)
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)
        self.assertIn("witnessed by a quorum", self.system.run("report", "--format", "html").stdout)
        # as of a second before nobody had cosigned; as of then, the same whatever came later
        at = int(time.mktime(time.strptime(proven, "%Y-%m-%dT%H:%M:%SZ"))) - time.timezone
        as_of = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
        self.assertEqual(self.report("--at", as_of(at - 1))[1]["log"]["trust"], "own-key")
        os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
        try:
            then = [self.system.run("report", "--at", proven, "--format", f).stdout for f in ("json", "html", "table")]
            time.sleep(1.1)
            self.system.append(2)
            self.assertEqual(self.system.ask()[0], 0)
            self.assertEqual(self.report()[1]["log"]["proven_size"], size + 2)
            now = [self.system.run("report", "--at", proven, "--format", f).stdout for f in ("json", "html", "table")]
        finally:
            del os.environ["SOURCE_DATE_EPOCH"]
        self.assertEqual(json.loads(then[0])["summary"]["log"]["proven_time"], proven)
        for a, b in zip(then, now):
            # the size and root of the signed tree are those of today
            strip = lambda t: re.sub(r'"(size|root|sha256|records)": ?[^,}]*|of \d+ in the log|root <.*?</small>|\d+ records?', "", t)
            self.assertEqual(strip(a), strip(b))

    def test_a_log_that_was_set_back_is_an_f(self):
        self.believe()
        self.system.run("assess")
        copy = self.keep_copy()
        self.system.append(3, "true")
        self.assertEqual(self.system.ask()[0], 0)
        self.assertNotEqual(self.report()[1]["grade"], "F")
        self.roll_back(copy)
        for count, word in ((0, "rolled back"), (5, "split view")):
            if count:
                self.system.append(count, "false")
            summary, _, wrong = self.verify()
            self.assertEqual((summary["trust"], list(wrong)), ("own-key", ["witnesses"]))
            self.assertIn(word, wrong["witnesses"])
            self.assertIn(word, self.verify("--policy", self.policy)[2]["witnesses"])
            code, report = self.report()
            self.assertEqual((code, report["grade"]), (1, "F"))
            self.assertTrue([c for c in report["caps"] if c["grade"] == "F" and word in c["reason"]], report["caps"])
            size = self.size()
            done = self.system.run("assess")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(word, " ".join(done.stdout.split()))
            self.assertEqual(self.size(), size)  # nothing is added to such a log
        # without a policy and description of it: the same
        shutil.rmtree(self.system.evidence("witness"))
        os.remove(self.system.evidence("checkpoint.witnessed"))
        self.assertIn("split view", self.verify()[2]["witnesses"])

    def test_kept_files_that_were_altered_are_found(self):
        self.believe()
        self.system.run("assess")
        self.assertEqual(self.system.ask()[0], 0)
        (name,) = os.listdir(self.system.evidence("witnessed"))
        path = self.system.evidence("witnessed", name)
        with open(path, "rb") as file:
            good = file.read()
        last = len(good) - 20
        other = b"A" if good[last:last + 1] != b"A" else b"B"  # still base64, of another signature
        for bad, grade_f in ((good[:last] + other + good[last + 1:], False),
                             (good.replace(b"\n", b"", 1), True), (b"", True), (good[:len(good) // 2], True),
                             (good.replace(b"\n" + str(self.size()).encode() + b"\n", b"\n1\n"), True)):
            with open(path, "wb") as file:
                file.write(bad)
            _, _, wrong = self.verify()
            self.assertEqual(list(wrong), ["witnesses"], bad)
            self.assertEqual(self.report()[1]["grade"] == "F", grade_f, bad)
        with open(path, "wb") as file:
            file.write(good)
        self.assertEqual(self.verify()[2], {})
        # what is not ours is passed over
        with open(self.system.evidence("witnessed", "notes.txt"), "w") as file:
            file.write("x")
        self.assertEqual(self.verify()[2], {})

    def test_a_witness_that_is_exchanged_shows(self):
        self.believe()
        self.system.run("assess")
        self.assertEqual(self.system.ask()[0], 0)
        mine = self.write_policy("mine", f"witness b {Witness.other(self.root)}", "none")
        shutil.copy(mine, os.path.join(self.system.dir, "ours.policy"))
        self.assertEqual(self.report()[1]["log"]["trust"], "witnessed")  # those who were recorded
        self.system.run("assess")
        self.assertEqual(self.report()[1]["log"]["trust"], "own-key")
        done = self.system.run("ledger", "search", "--kind", "system.witnesses", "--format", "json")
        self.assertEqual(len(json.loads(done.stdout)["entries"]), 2, done.stdout)


def log_key(root):
    return Witness.other(root, 1)


def other_key(root, algorithm=4):
    """A witness (or a log) that exists by its key only."""
    path = os.path.join(root, "absent.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True)
    key = bytes([algorithm]) + der.stdout[-32:]
    name = b"absent.example"
    digest = hashlib.sha256(name + b"\n" + key).hexdigest()
    return f"{name.decode()}+{digest[:8]}+{base64.b64encode(key).decode()}"


Witness.other = staticmethod(other_key)
Witness.log_key = staticmethod(log_key)

if __name__ == "__main__":
    unittest.main()
