"""tutela ledger serve and append: the documented protocol, hostile peers, users, crashes under load, a full disk."""
import glob
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ledger_client as lc  # noqa: E402
from ledger_client import APPENDED, BROKEN, DONE, NOTE, REFUSED, Client, Gone, append, frame, item  # noqa: E402

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
NOBODY = 65534


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split(") ")[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


class Ledger(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.dir = os.path.join(self.root, "s")
        os.mkdir(self.dir)
        shutil.copy(os.path.join(SOURCE, "examples", "credit-scoring", "tutela.yaml"), self.dir)
        self.state = os.path.join(self.dir, ".tutela")
        self.env = dict(os.environ, XDG_DATA_HOME=os.path.join(self.root, "keys"))
        self.service = None

    def command(self, *args):
        return [TUTELA, "--system", os.path.join(self.dir, "tutela.yaml"), "--state", self.state, *args]

    def tutela(self, *args, stdin=None, timeout=60):
        return subprocess.run(self.command(*args), input=stdin, env=self.env, capture_output=True, text=True,
                              timeout=timeout)

    def serve(self, *args):
        service = subprocess.Popen(self.command("ledger", "serve", *args), env=self.env, stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(self.end, service)
        line = service.stderr.readline()
        self.assertIn("Listening on", line)
        self.assertIn("socket", line)
        self.service = service
        return service

    def end(self, service):
        if service.poll() is None:
            service.kill()
        service.wait()
        service.stderr.close()

    def stop(self, service):
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(timeout=60), 0, service.stderr.read())

    def client(self, **kwargs):
        client = Client(self.state, **kwargs)
        self.addCleanup(client.close)
        return client

    def log(self, name="evidence"):
        return os.path.join(self.state, "ledger", name)

    def origin(self):
        with open(os.path.join(self.state, "origin")) as file:
            return file.read().strip()

    def access(self, text):
        """Writes the access table beside the log key, once the ledger has begun; its path."""
        self.tutela("ledger", "append", stdin="{}\n")
        path = os.path.join(self.root, "keys", "tutela", self.origin(), "access")
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path


class Protocol(Ledger):
    def test_every_message_of_the_documentation(self):
        self.serve()
        client = self.client()
        self.assertEqual(client.origin, self.origin())
        first = client.append([item({"n": 1}, seq=1)])
        self.assertEqual(first[0], APPENDED)
        base = first[1][0]
        self.assertEqual(client.append([item({"n": i}, seq=i) for i in (2, 3)]), (APPENDED, [base + 1, base + 2]))
        self.assertEqual(client.append([item({"t": 1}, kind="guard.decision")], lc.TRAFFIC), (APPENDED, [0]))
        kind, note = client.ask(frame(lc.CHECKPOINT, bytes([lc.EVIDENCE])))
        self.assertEqual(kind, NOTE)
        self.assertEqual(note.split("\n")[:2], [f"{client.origin}/evidence", str(base + 3)])
        self.assertEqual(client.ask(frame(lc.FOLD))[0], DONE)
        found = lc.entries(self.log())
        self.assertEqual([e["event"] for e in found[base:base + 3]], [{"n": 1}, {"n": 2}, {"n": 3}])
        entry = found[base]
        self.assertEqual(entry["peer"], {"uid": os.geteuid(), "gid": os.getegid(), "pid": os.getpid()})
        self.assertEqual((entry["kind"], entry["producer"], entry["seq"]), ("test.event", "test", 1))
        self.assertEqual(set(entry), {"at", "event", "kind", "peer", "producer", "seq"})
        anchor = found[base + 3]
        self.assertEqual(anchor["kind"], "traffic.checkpoint")
        with open(os.path.join(self.log("traffic"), "checkpoint")) as file:
            self.assertEqual(anchor["event"]["predicate"]["checkpoint"], file.read())
        self.assertEqual(client.ask(frame(lc.END))[0], DONE)
        with self.assertRaises(Gone):
            client.answer()

    def test_answers_come_in_order_refusals_among_them(self):
        self.serve("--window", "20")
        client = self.client()
        payloads = [b"{}", b"[]", b"{}", b"{]", b"{}"] * 40
        for payload in payloads:
            client.send(append([item(payload)]))
        kinds = [client.answer()[0] for _ in payloads]
        self.assertEqual(kinds, [APPENDED if p == b"{}" else REFUSED for p in payloads])

    def test_all_of_a_message_or_none(self):
        service = self.serve()
        client = self.client()
        base = client.append([item({"n": 0})])[1][0]
        kind, (code, text) = client.append([item({"n": 1}), item({"n": 2}, kind="NO"), item({"n": 3})])
        self.assertEqual((kind, code), (REFUSED, "MALFORMED"))
        self.assertIn("kind", text)
        self.assertEqual(client.append([item({"n": 4})])[1][0], base + 1)
        self.stop(service)
        self.assertEqual([e["event"] for e in lc.entries(self.log())[base:]], [{"n": 0}, {"n": 4}])

    def test_a_client_that_only_stops_sending_gets_its_answers(self):
        self.serve()
        client = self.client()
        for _ in range(500):
            client.send(append([item({})]))
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([client.answer()[0] for _ in range(500)], [APPENDED] * 500)
        with self.assertRaises(Gone):
            client.answer()

    def test_the_state_may_lie_deep(self):
        deep = self.dir
        for i in range(6):
            deep = os.path.join(deep, f"a-rather-long-name-of-a-folder-{i}")
        os.makedirs(deep)
        self.state = os.path.join(deep, "state")
        service = self.serve()
        self.assertEqual(self.client().append([item({})])[0], APPENDED)
        run = self.tutela("ledger", "append", stdin="{}\n", timeout=5)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.stop(service)


class Service(Ledger):
    def test_the_socket_is_ours_and_gone_at_the_end(self):
        service = self.serve()
        path = os.path.join(self.state, "ledger", "socket")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.stop(service)
        self.assertFalse(os.path.exists(path))

    def test_a_second_service_is_refused(self):
        self.serve()
        run = self.tutela("ledger", "serve", timeout=20)
        self.assertEqual(run.returncode, 2)
        self.assertIn("another `tutela ledger serve`", run.stderr)
        self.assertEqual(self.client().append([item({})])[0], APPENDED)

    def test_commands_use_the_socket_while_it_answers(self):
        self.serve()
        before = time.time()
        run = self.tutela("ledger", "append", "--kind", "note.made", "--format", "json", stdin='{"a":1}\n\n{"b":2}\n')
        self.assertLess(time.time() - before, 5)  # with a child of its own it would wait for the lock
        self.assertEqual(run.returncode, 0, run.stderr)
        document = json.loads(run.stdout)
        self.assertEqual(document["schema"], "tutela.ledger/1")
        self.assertEqual([i["line"] for i in document["items"]], [1, 3])

    def test_append_names_the_line_at_fault_and_keeps_those_before_it(self):
        run = self.tutela("ledger", "append", stdin='{"a":1}\n{"a":2}\nnonsense\n{"a":3}\n')
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stdout.split()), 2)
        self.assertIn("line 3", run.stderr)
        found = lc.entries(self.log())
        self.assertEqual([e["event"] for e in found[-2:]], [{"a": 1}, {"a": 2}])

    def test_append_answers_line_by_line(self):
        process = subprocess.Popen(self.command("ledger", "append"), env=self.env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        first = None
        for i in range(3):
            process.stdin.write('{"n":%d}\n' % i)
            process.stdin.flush()
            index = int(process.stdout.readline())
            first = index if first is None else first
            self.assertEqual(index, first + i)
        process.stdin.close()
        self.assertEqual(process.wait(timeout=20), 0)
        process.stdout.close()

    def test_bad_calls(self):
        for args in (["--window", "x"], ["--window", "1001"], ["--window", "-1"]):
            run = self.tutela("ledger", "serve", *args)
            self.assertEqual(run.returncode, 2)
            self.assertIn("--window", run.stderr)
        run = self.tutela("ledger", "append", "/nonexistent/file")
        self.assertEqual(run.returncode, 2)
        self.assertIn("/nonexistent/file", run.stderr)
        os.remove(os.path.join(self.dir, "tutela.yaml"))
        run = subprocess.run([TUTELA, "ledger", "append"], cwd=self.dir, env=self.env, input="{}", text=True,
                             capture_output=True, timeout=20)
        self.assertEqual(run.returncode, 2)
        self.assertIn("no tutela.yaml", run.stderr)


class Hostile(Ledger):
    def broken(self, data, code="MALFORMED", close=False):
        client = self.client()
        client.send(data)
        kind, told = lc.read_answer(*client.answer())
        self.assertEqual((kind, told[0]), (BROKEN, code), told)
        with self.assertRaises((Gone, ConnectionResetError)):
            client.answer()
        client.close()
        return told[1]

    def test_a_peer_that_breaks_the_protocol_is_told_why_and_others_go_on(self):
        self.serve()
        good = self.client()
        base = good.append([item({})])[1][0]
        cases = [
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "too long"),
            (struct.pack("<I", 0) + b"xxxx", "empty"),
            (struct.pack("<I", (16 << 20) + 2) + b"\x01", "too long"),
            (frame(9), "no message of type 9"),
            (frame(lc.WELCOME), "no message of type 65"),
            (frame(lc.FOLD, b"x"), "follow the end"),
            (frame(lc.CHECKPOINT), "log"),
            (frame(lc.CHECKPOINT, b"\x07"), "no log 7"),
            (frame(lc.APPEND), "log"),
            (frame(lc.APPEND, b"\x00\x00\x00\x00\x00"), "0 entries"),
            (frame(lc.APPEND, b"\x00\xff\xff\xff\xff"), "entries"),
            (frame(lc.APPEND, b"\x00\x02\x00\x00\x00" + item({})), "ends within"),
            (frame(lc.APPEND, b"\x00\x01\x00\x00\x00" + item({}) + b"\x00"), "follow the end"),
            (frame(lc.APPEND, b"\x00\x01\x00\x00\x00\x05" + item({})[1:]), "form 5"),
        ]
        for data, reason in cases:
            self.assertIn(reason, self.broken(data))
            base += 1
            self.assertEqual(good.append([item({})]), (APPENDED, [base]))

    def test_what_came_before_a_breach_is_answered_first(self):
        self.serve("--window", "100")
        client = self.client()
        self.client()  # idle, so that the window is waited for
        client.send(append([item({})]) + append([item({})]) + frame(99))
        self.assertEqual([client.answer()[0] for _ in range(3)], [APPENDED, APPENDED, BROKEN])

    def test_random_bytes_end_nothing_but_the_connection(self):
        service = self.serve()
        child = child_of(service.pid)
        chance = random.Random(7)
        whole = append([item({"a": i}) for i in range(3)])
        for _ in range(300):
            client = Client(self.state)
            data = bytearray(whole * 2)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                client.send(bytes(data[:chance.randrange(len(data) + 1)]))
            except (BrokenPipeError, ConnectionResetError):
                pass
            client.close()
        self.assertEqual(self.client().append([item({})])[0], APPENDED)
        self.assertEqual(child_of(service.pid), child)  # the same process all the time

    def test_a_disconnect_within_a_message_drops_that_message_only(self):
        service = self.serve()
        base = self.client().append([item({"n": 0})])[1][0]
        whole = append([item({"n": 1})])
        for cut in range(1, len(whole)):
            client = Client(self.state)
            client.send(whole[:cut])
            client.close()
        self.assertEqual(self.client().append([item({"n": 2})]), (APPENDED, [base + 1]))
        self.stop(service)

    def test_a_peer_that_never_reads_is_not_read_from_and_others_are_served(self):
        service = self.serve()
        child = child_of(service.pid)
        flood = self.client()
        flood.socket.setblocking(False)
        data = append([item({"x": "y" * 100})], lc.TRAFFIC) * 1000
        sent, idle = 0, 0
        while idle < 100 and sent < 100 << 20:  # until it is not taken any more
            try:
                sent += flood.socket.send(data[sent % len(data):])
                idle = 0
            except BlockingIOError:
                idle += 1
                time.sleep(0.01)
        self.assertLess(sent, 100 << 20)
        self.assertEqual(self.client().append([item({})])[0], APPENDED)
        with open(f"/proc/{child}/status") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.assertLess(peak, 200 << 10)  # kB

    def test_long_messages_take_turns_and_all_arrive(self):
        self.serve()
        payload = b'{"a":"' + b"x" * 60000 + b'"}'
        message = append([item(payload, seq=i) for i in range(30)])
        clients = [self.client() for _ in range(6)]
        half = len(message) // 2
        for client in clients:
            client.socket.setblocking(True)
        senders = []
        for client in clients:
            def send(client=client):
                client.send(message[:half])
                time.sleep(0.05)
                client.send(message[half:])
            senders.append(threading.Thread(target=send))
            senders[-1].start()
        answers = [lc.read_answer(*client.answer()) for client in clients]
        for sender in senders:
            sender.join()
        self.assertEqual([a[0] for a in answers], [APPENDED] * 6)
        places = sorted(index for a in answers for index in a[1])
        self.assertEqual(places, list(range(places[0], places[0] + 180)))

    def test_one_user_cannot_take_all_places(self):
        self.serve()
        held, refused = [], None
        try:
            for _ in range(300):
                held.append(Client(self.state))
        except Gone as gone:
            refused = lc.read_answer(*gone.answer)
        self.assertIsNotNone(refused)
        self.assertEqual(refused[1][0], "LIMIT")
        self.assertEqual(held[0].append([item({})])[0], APPENDED)
        for client in held:
            client.close()
        self.assertTrue(wait_until(lambda: self.try_append()))

    def try_append(self):
        try:
            client = Client(self.state)
            kind = client.append([item({})])[0]
            client.close()
            return kind == APPENDED
        except Gone:
            return False


@unittest.skipUnless(os.geteuid() == 0, "becoming another user takes root")
class Users(Ledger):
    def as_user(self, uid, act):
        """What `act` returns, run as that user in a process of its own."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            out = "crashed"
            try:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                out = act()
            except Exception as error:  # noqa: BLE001
                out = type(error).__name__
            finally:
                os.write(writing, json.dumps(out).encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            out = file.read()
        os.waitpid(pid, 0)
        return json.loads(out)

    def reachable(self):
        for path in (self.root, self.dir, self.state, os.path.join(self.state, "ledger")):
            os.chmod(path, 0o711)

    def attempt(self, kind):
        def act():
            try:
                return Client(self.state).append([item({}, kind=kind)])
            except Gone as gone:
                return lc.read_answer(*gone.answer)
        return act

    def test_another_user_cannot_even_connect(self):
        self.serve()
        self.reachable()
        self.assertEqual(self.as_user(NOBODY, self.attempt("guard.x")), "PermissionError")

    def test_the_access_table_decides_who_may_append_what(self):
        self.access(f"# the guard\n{NOBODY} guard.*\n0 *\n")
        service = self.serve()
        self.reachable()
        kind, indexes = self.as_user(NOBODY, self.attempt("guard.decision"))
        self.assertEqual(kind, APPENDED)
        kind, (code, text) = self.as_user(NOBODY, self.attempt("scan.content"))
        self.assertEqual((kind, code), (REFUSED, "DENIED"))
        self.assertIn(str(NOBODY), text)
        kind, (code, text) = self.as_user(NOBODY - 1, self.attempt("guard.decision"))
        self.assertEqual((kind, code), (BROKEN, "DENIED"))
        self.stop(service)
        entry = lc.entries(self.log())[indexes[0]]
        self.assertEqual((entry["peer"]["uid"], entry["peer"]["gid"]), (NOBODY, NOBODY))

    def test_a_table_that_others_may_write_is_refused(self):
        os.chmod(self.access(f"{NOBODY} *\n"), 0o666)
        run = self.tutela("ledger", "serve", timeout=20)
        self.assertEqual(run.returncode, 2)
        self.assertIn("access", run.stderr)


class Keys(Ledger):
    """Log keys that do not lie in the open."""

    def prepare(self):
        """An origin with a key directory, before anything is written."""
        os.mkdir(self.state, 0o700)
        with open(os.path.join(self.state, "origin"), "w") as file:
            file.write("tutela-00112233445566778899aabbccddeeff\n")
        self.keys = os.path.join(self.root, "keys", "tutela", self.origin())
        os.makedirs(self.keys, 0o700)
        self.secret = self.put(os.path.join(self.root, "secret"), "1234\n")

    def put(self, path, text):
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def check(self, *options):
        run = self.tutela("ledger", "append", *options, stdin='{"a":1}\n{"b":2}\n')
        self.assertEqual((run.returncode, run.stdout), (0, "1\n2\n"), run.stderr)
        service = self.serve(*options)
        self.assertEqual(self.client().append([item({"c": 3})]), (APPENDED, [3]))
        self.stop(service)
        self.assertEqual([e["event"] for e in lc.entries(self.log())[1:]], [{"a": 1}, {"b": 2}, {"c": 3}])
        run = self.tutela("ledger", "verify")
        self.assertNotEqual(run.returncode, 2, run.stderr)

    def test_a_passphrase_opens_the_log_key(self):
        self.prepare()
        self.check()
        key = os.path.join(self.keys, "log.key")
        subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", key, "-passout",
                        f"file:{self.secret}", "-out", key + ".new"], check=True, capture_output=True)
        os.chmod(key + ".new", 0o600)
        os.replace(key + ".new", key)
        run = self.tutela("ledger", "append", "--passphrase-file", self.secret, stdin="{}\n")
        self.assertEqual((run.returncode, run.stdout), (0, "4\n"), run.stderr)
        service = self.serve("--passphrase-file", self.secret)
        self.assertEqual(self.client().append([item({})]), (APPENDED, [5]))
        child = child_of(service.pid)
        os.kill(child, signal.SIGKILL)  # the next one reads the passphrase again
        self.assertTrue(wait_until(lambda: not is_alive(child)))
        self.assertEqual(self.client().append([item({})]), (APPENDED, [6]))
        self.stop(service)
        for wrong in ("/nonexistent", self.put(os.path.join(self.root, "wrong"), "4321\n")):
            run = self.tutela("ledger", "append", "--passphrase-file", wrong, stdin="{}\n")
            self.assertEqual(run.returncode, 2)
            self.assertNotIn("4321", run.stderr)
        run = self.tutela("ledger", "append", stdin="{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("passphrase", run.stderr)

    def test_a_token_holds_the_log_key(self):
        module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", *glob.glob("/usr/lib/*/softhsm/libsofthsm2.so"))
                       if os.path.exists(m)), None)
        if not module or not shutil.which("softhsm2-util") or not shutil.which("pkcs11-tool"):
            self.skipTest("softhsm2 or opensc is not installed")
        self.prepare()
        os.mkdir(os.path.join(self.root, "tokens"))
        self.env["SOFTHSM2_CONF"] = self.put(os.path.join(self.root, "softhsm2.conf"),
                                             f"directories.tokendir = {self.root}/tokens\n")
        for command in (["softhsm2-util", "--init-token", "--free", "--label", "t", "--pin", "1234", "--so-pin", "5678"],
                        ["pkcs11-tool", "--module", module, "--token-label", "t", "--login", "--pin", "1234",
                         "--keypairgen", "--key-type", "EC:edwards25519", "--id", "01", "--label", "log"]):
            run = subprocess.run(command, env=self.env, capture_output=True, text=True)
            if run.returncode != 0:
                self.skipTest(f"{command[0]}: {run.stderr.strip()}")
        self.put(os.path.join(self.keys, "log.uri"), f"pkcs11:token=t;object=log?module-path={module}&pin-source=file:{self.secret}\n")
        self.check()
        self.assertFalse(os.path.exists(os.path.join(self.keys, "log.key")))

    def test_another_kind_of_key_is_refused(self):
        self.prepare()
        key = os.path.join(self.keys, "log.key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                       check=True, capture_output=True)
        os.chmod(key, 0o600)
        run = self.tutela("ledger", "append", stdin="{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("Ed25519", run.stderr)


class Load:
    """Clients that submit without end; what was acknowledged is kept: (producer, seq) -> (index, payload)."""

    def __init__(self, state, count, log=lc.EVIDENCE):
        self.state, self.log = state, log
        self.acknowledged, self.lock, self.over = {}, threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(f"client {i}",), daemon=True) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, name):
        seq = 0
        while not self.over.is_set():
            try:
                client = Client(self.state, timeout=20)
                seq = self.submit(client, name, seq)
            except (Gone, OSError):
                seq += 1000  # what hangs in the air keeps its numbers
                time.sleep(0.01)

    def submit(self, client, name, seq):
        ahead = []
        try:
            while not self.over.is_set():
                payload = {"who": name, "n": seq, "pad": "x" * (seq % 300)}
                client.send(append([item(payload, seq=seq, producer=name)], self.log))
                ahead.append((seq, payload))
                seq += 1
                if len(ahead) >= 8:
                    self.take(client, name, ahead)
            while ahead:
                self.take(client, name, ahead)
        except (Gone, OSError):
            client.close()
            return seq + 1000
        client.close()
        return seq

    def take(self, client, name, ahead):
        kind, indexes = lc.read_answer(*client.answer())
        seq, payload = ahead.pop(0)
        if kind == APPENDED:
            with self.lock:
                self.acknowledged[(name, seq)] = (indexes[0], payload)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Crashes(Ledger):
    def check(self, load, least):
        """Everything acknowledged stands where it was said to stand; nothing stands twice."""
        found = lc.entries(self.log())
        self.assertGreater(len(load.acknowledged), least)
        for (name, seq), (index, payload) in load.acknowledged.items():
            entry = found[index]
            self.assertEqual((entry["producer"], entry["seq"], entry["event"]), (name, seq, payload))
        marks = [(e["producer"], e["seq"]) for e in found if e["producer"].startswith("client")]
        self.assertEqual(len(marks), len(set(marks)))

    def test_killed_children_lose_nothing_that_was_acknowledged(self):
        service = self.serve()
        load = Load(self.state, 12)
        self.addCleanup(load.end)
        chance = random.Random(11)
        for _ in range(4):
            time.sleep(chance.uniform(0.1, 0.5))
            child = child_of(service.pid)
            os.kill(child, signal.SIGKILL)
            self.assertTrue(wait_until(lambda: not is_alive(child)))
            self.assertTrue(wait_until(lambda: self.serves(service, child)))
        time.sleep(0.3)
        load.end()
        self.stop(service)
        self.check(load, 100)

    def serves(self, service, old):
        try:
            if child_of(service.pid) == old:
                return False
            Client(self.state, timeout=10).close()
            return True
        except (IndexError, Gone, OSError):
            return False

    def test_a_child_that_dies_again_and_again_ends_the_service(self):
        service = self.serve()
        for _ in range(6):
            if not wait_until(lambda: service.poll() is not None or self.has_child(service), 10):
                break
            if service.poll() is not None:
                break
            Client(self.state, timeout=10).close()
            os.kill(child_of(service.pid), signal.SIGKILL)
            time.sleep(0.05)
        self.assertEqual(service.wait(timeout=30), 2)
        self.assertIn("signal 9", service.stderr.read())

    def has_child(self, service):
        try:
            child_of(service.pid)
            return True
        except (IndexError, FileNotFoundError):
            return False

    def test_a_killed_parent_is_followed_by_the_next_service(self):
        load = None
        for turn in range(3):
            service = self.serve()
            child = child_of(service.pid)
            if not load:
                load = Load(self.state, 8)
                self.addCleanup(load.end)
            time.sleep(0.4)
            if turn == 2:
                break
            service.kill()
            service.wait()
            self.assertTrue(os.path.exists(os.path.join(self.state, "ledger", "socket")))  # stale
            self.assertTrue(wait_until(lambda: not is_alive(child)))  # its child ends by itself
        load.end()
        self.stop(service)
        self.check(load, 100)

    def test_without_a_service_commands_pass_a_stale_socket(self):
        service = self.serve()
        child = child_of(service.pid)
        self.client().append([item({})])
        service.kill()
        service.wait()
        self.assertTrue(wait_until(lambda: not is_alive(child)))
        run = self.tutela("ledger", "append", stdin="{}\n", timeout=20)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_why_the_log_cannot_be_opened_is_told(self):
        self.assertEqual(self.tutela("ledger", "append", stdin="{}\n").returncode, 0)
        lock = os.path.join(self.state, "ledger", "evidence", "lock")
        os.remove(lock)
        os.mkdir(lock)
        run = self.tutela("ledger", "append", stdin="{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("directory", run.stderr)
        self.assertNotIn("status", run.stderr)
        os.rmdir(lock)
        self.assertEqual(self.tutela("ledger", "append", stdin="{}\n").returncode, 0)

    def test_many_commands_at_once_each_get_a_place(self):
        runs = [subprocess.Popen(self.command("ledger", "append"), env=self.env, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(12)]
        outs = []
        for i, run in enumerate(runs):
            run.stdin.write('{"n":%d}\n' % i)
            run.stdin.close()
        for run in runs:
            outs.append((run.stdout.read(), run.stderr.read(), run.wait(timeout=60)))
            run.stdout.close()
            run.stderr.close()
        self.assertEqual([o[2] for o in outs], [0] * 12, outs)
        places = sorted(int(o[0]) for o in outs)
        self.assertEqual(places, list(range(places[0], places[0] + 12)))
        found = lc.entries(self.log())
        for i, out in enumerate(outs):
            self.assertEqual(found[int(out[0])]["event"], {"n": i})


@unittest.skipUnless(os.geteuid() == 0, "a small file system takes root")
class FullDisk(Ledger):
    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.root, "disk")
        os.mkdir(self.disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.disk],
                          capture_output=True).returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk])
        self.state = os.path.join(self.disk, "state")

    def test_a_command_on_a_full_disk_says_so(self):
        self.assertEqual(self.tutela("ledger", "append", stdin="{}\n").returncode, 0)
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(b"x" * 4096)
        run = self.tutela("ledger", "append", stdin="{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("No space left on device", run.stderr)

    def test_a_full_disk_stops_acknowledgement_and_the_service_goes_on_when_there_is_room(self):
        ballast = os.path.join(self.disk, "ballast")
        with open(ballast, "wb") as file:
            file.write(b"x" * (18 << 20))
        service = self.serve()
        child = child_of(service.pid)
        client = self.client()
        acknowledged, refusal = {}, None
        for i in range(4000):
            payload = {"n": i, "pad": "x" * 5000}
            kind, told = client.append([item(payload, seq=i)])
            if kind == REFUSED:
                refusal = told
                break
            acknowledged[told[0]] = payload
        self.assertIsNotNone(refusal)
        self.assertEqual(refusal[0], "IO")
        self.assertIn("No space left", refusal[1])
        self.assertEqual(client.append([item({})])[0], REFUSED)
        os.remove(ballast)
        self.assertTrue(wait_until(lambda: client.append([item({"after": 1})])[0] == APPENDED))
        self.assertEqual(child_of(service.pid), child)
        kind, told = client.append([item({"last": 1})])
        acknowledged[told[0]] = {"last": 1}
        self.assertEqual(client.ask(frame(lc.FOLD))[0], DONE)
        self.stop(service)
        found = lc.entries(self.log())
        for index, payload in acknowledged.items():
            self.assertEqual(found[index]["event"], payload)


if __name__ == "__main__":
    unittest.main(verbosity=2)
