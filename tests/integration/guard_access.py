"""Who may ask, and how much, through the guard as it runs (nginx): keys and their rotation under load, quotas of
requests, tokens and concurrency over several workers, load that is shed, clients that ask too much alike."""
import hashlib
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TUTELA = os.environ["TUTELA"]
BUILD = os.environ.get("TUTELA_BUILD", "build/dev")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Model(http.server.BaseHTTPRequestHandler):
    """An upstream that counts, and takes as long as the text says."""
    protocol_version = "HTTP/1.1"
    asked = 0
    lock = threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][-1]["content"]
        with Model.lock:
            Model.asked += 1
        if text.startswith("slow "):
            time.sleep(float(text.split()[1]))
        used = int(text.split()[1]) if text.startswith("use ") else 10
        answer = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": used, "total_tokens": 5 + used}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


POLICY = """schema: tutela.system/1
system:
  name: x
guard:
  listen: 127.0.0.1:{port}
  workers: 3
  load:
    in_flight: 40
  routes:
    - id: chat
      path: /v1/chat/completions
      protocol: openai-chat
      upstream: http://127.0.0.1:{upstream}
    - id: other
      path: /other
      protocol: openai-chat
      upstream: http://127.0.0.1:{upstream}
  abuse:
    extraction: slow
    probing: block
  clients:
{clients}"""


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"):
            print("nginx is not installed: left out")
            sys.exit(77)
        cls.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        cls.upstream.daemon_threads = True
        threading.Thread(target=cls.upstream.serve_forever, daemon=True).start()
        cls.dir = tempfile.mkdtemp(prefix="tutela-access-")
        cls.env = {**os.environ, "XDG_DATA_HOME": cls.dir + "/data", "XDG_CONFIG_HOME": cls.dir + "/config"}
        cls.port = free_port()
        cls.keys = {}
        cls.write({"web": "", "few": "      quota:\n        requests: 20/min\n",
                   "tokens": "      quota:\n        tokens: 1000/min\n",
                   "narrow": "      quota:\n        concurrent: 2\n",
                   "scoped": "", "alike": "", "prober": "", "late": ""})
        up = cls.tutela("up")
        if up.returncode != 0:
            raise AssertionError(up.stdout + up.stderr)
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.addClassCleanup(cls.tutela, "down")

    @classmethod
    def tutela(cls, *args):
        return subprocess.run([TUTELA, "guard", *args], cwd=cls.dir, env=cls.env, capture_output=True, text=True,
                              timeout=120)

    @classmethod
    def write(cls, clients):
        text = ""
        for name, more in clients.items():
            if name not in cls.keys:
                made = cls.tutela("key", name, "--quiet")
                cls.keys[name] = made.stdout.strip()
            digest = hashlib.sha256(cls.keys[name].encode()).hexdigest()
            scopes = "          scopes:\n            - other\n" if name == "scoped" else ""
            expires = "          expires: 2020-01-01\n" if name == "late" else ""
            text += f"    - id: {name}\n      keys:\n        - sha256: {digest}\n{expires}{scopes}{more}"
        cls.clients = clients
        with open(os.path.join(cls.dir, "tutela.yaml"), "w") as file:
            file.write(POLICY.format(port=cls.port, upstream=cls.upstream.server_port, clients=text))

    def ask(self, client, text="hi", key=None, headers=None, **body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        key = self.keys.get(client) if key is None else key
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {}),
                   **(headers or {})}
        connection.request("POST", "/v1/chat/completions", json.dumps(
            {"model": "m", "messages": [{"role": "user", "content": text}], **body}), headers)
        answer = connection.getresponse()
        data = answer.read().decode()
        connection.close()
        return answer.status, data, dict(answer.getheaders())

    def test_only_who_shows_a_key_is_let_in(self):
        self.assertEqual(self.ask("web")[0], 200)
        self.assertEqual(self.ask(None, headers={"x-api-key": self.keys["web"]})[0], 200)
        asked = Model.asked
        for key in ("", "tut_" + "0" * 49, "sk-1234", self.keys["web"][:-1], hashlib.sha256(
                self.keys["web"].encode()).hexdigest()):
            status, data, _ = self.ask(None, key=key)
            self.assertEqual(status, 401, key)
            self.assertNotIn("check digits", data)  # the client learns no reason
        self.assertEqual(self.ask("scoped")[0], 403)
        status, data, _ = self.ask("late")
        self.assertEqual(status, 401)
        self.assertNotIn("expired", data)
        self.assertEqual(self.ask("web", headers={"x-api-key": self.keys["few"]})[0], 401)
        self.assertEqual(Model.asked, asked)

    def test_no_key_is_written_anywhere(self):
        self.ask("web")
        for folder, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    self.assertNotIn(self.keys["web"].encode(), file.read(), path)

    def test_requests_are_limited_over_all_workers(self):
        statuses = []

        def one():
            statuses.append(self.ask("few"))
        threads = [threading.Thread(target=one) for _ in range(30)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        passed = [s for s in statuses if s[0] == 200]
        refused = [s for s in statuses if s[0] == 429]
        self.assertEqual((len(passed), len(refused)), (20, 10))
        for _, data, headers in refused:
            self.assertIn(int(headers["Retry-After"]), range(50, 63))
        self.assertEqual(self.ask("web")[0], 200)  # another client's own

    def test_tokens_are_reserved_and_what_was_not_used_comes_back(self):
        self.assertEqual(self.ask("tokens", "hi", max_tokens=1200)[0], 429)  # more than there ever is
        self.assertEqual(self.ask("tokens", "hi", max_tokens=900)[0], 200)
        for _ in range(3):  # none of them used what it reserved
            self.assertEqual(self.ask("tokens", "hi", max_tokens=500)[0], 200)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.ask("tokens", "slow 1", max_tokens=250)[0]))
                   for _ in range(5)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertIn(statuses.count(200), (2, 3))  # while they are under way, what they may use is taken
        deadline = time.monotonic() + 30
        while self.ask("tokens", "hi " * 40, max_tokens=20)[0] == 200:
            self.assertLess(time.monotonic(), deadline, "the quota of tokens is never used up")
        status, _, headers = self.ask("tokens", "hi", max_tokens=900)
        self.assertEqual(status, 429)
        self.assertGreater(int(headers["Retry-After"]), 10)

    def test_requests_at_once_are_limited(self):
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.ask("narrow", "slow 1")[0])) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(statuses), [200, 200, 429, 429, 429, 429])
        self.assertEqual(self.ask("narrow")[0], 200)  # their places came back

    def test_load_is_shed_before_any_work(self):
        statuses, asked = [], Model.asked
        threads = [threading.Thread(target=lambda: statuses.append(self.ask("web", "slow 2")[0])) for _ in range(60)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((statuses.count(200), statuses.count(503)), (40, 20))
        self.assertEqual(Model.asked - asked, 40)
        self.assertEqual(self.ask("web")[0], 200)

    def test_who_asks_too_much_alike_is_slowed_and_others_are_not(self):
        took = []
        for i in range(26):
            begun = time.monotonic()
            status, _, _ = self.ask("alike", f"What does the model say about an applicant with an income of {20000 + 137 * i}?")
            took.append(time.monotonic() - begun)
            self.assertEqual(status, 200)
        self.assertLess(sorted(took[:20])[10], 0.2)
        self.assertGreater(took[21], 0.24)
        self.assertGreater(took[25], 3.9)
        begun = time.monotonic()
        self.ask("web", "Something else entirely, by somebody else.")
        self.assertLess(time.monotonic() - begun, 0.2)

    def test_keys_are_rotated_while_it_runs(self):
        old = self.keys["web"]
        statuses, is_over = [], threading.Event()

        def keep_asking():
            while not is_over.is_set():
                statuses.append(self.ask(None, key=old)[0])
        thread = threading.Thread(target=keep_asking)
        thread.start()
        new = self.tutela("key", "web", "--quiet").stdout.strip()
        path = os.path.join(self.dir, "tutela.yaml")
        with open(path) as file:
            text = file.read()
        line = f"        - sha256: {hashlib.sha256(old.encode()).hexdigest()}\n"
        added = f"        - sha256: {hashlib.sha256(new.encode()).hexdigest()}\n"
        for put in (line + added, added):
            with open(path, "w") as file:
                file.write(text.replace(line, put))
            reload = self.tutela("reload")
            self.assertEqual(reload.returncode, 0, reload.stdout + reload.stderr)
            if put != added:
                self.assertEqual(self.ask(None, key=new)[0], 200)
                time.sleep(0.2)
                is_over.set()
                thread.join()
                self.assertEqual(set(statuses), {200})
        self.assertEqual(self.ask(None, key=new)[0], 200)
        self.assertEqual(self.ask(None, key=old)[0], 401)
        with open(path, "w") as file:
            file.write(text)
        self.assertEqual(self.tutela("reload").returncode, 0)


if __name__ == "__main__":
    unittest.main()
