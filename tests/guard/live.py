"""A guard in front of a model server of ours, for tests: real nginx, real ledger, ports of the moment."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TUTELA = os.environ.get("TUTELA", "tutela")
KEY = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"  # the shape of a token; of nobody
CANARY = "hazel-lantern-40417"

POLICY = """schema: tutela.system/1
system:
  name: live
  version: 1.0.0
  purpose: tests
guard:
  listen: 127.0.0.1:{port}
  workers: 2
  canaries:
    - hazel-lantern-40417
  link_hosts:
    - example.org
  tools:
    - name: look_up
      class: read
    - name: refund
      class: pay
      approval: hold
  routes:
    - id: chat
      path: /v1/chat/completions
      protocol: openai-chat
      upstream: {upstream}
      models: m
    - id: complete
      path: /v1/completions
      protocol: openai-completions
      upstream: {upstream}
    - id: respond
      path: /v1/responses
      protocol: openai-responses
      upstream: {upstream}
    - id: embed
      path: /v1/embeddings
      protocol: openai-embeddings
      upstream: {upstream}
    - id: infer
      path: /v2/models/{{model}}/infer
      protocol: kserve-v2
      upstream: {upstream}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)


class Guard:
    """with Guard(extra_yaml) as g: g.chat("hello")"""

    def __init__(self, extra="", policy=POLICY, start=True, unix=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tutela-live-"))
        self.port = free_port()
        self.log = self.dir / "upstream.log"
        self.env = dict(os.environ, XDG_DATA_HOME=str(self.dir / "keys"), XDG_CONFIG_HOME=str(self.dir / "config"))
        self.env.pop("TUTELA_STATE", None)
        where = "unix:%s" % (self.dir / "model.sock") if unix else "0"
        self.upstream = subprocess.Popen([sys.executable, str(HERE / "upstream.py"), where, str(self.log)], stdout=subprocess.PIPE, text=True)
        self.where = self.upstream.stdout.readline().split()[1]
        self.system = self.dir / "system"
        self.system.mkdir()
        self.write(policy, extra)
        if start:
            self.up()

    @property
    def url(self):
        return self.where if self.where.startswith("unix:") else "http://127.0.0.1:%s" % self.where

    def write(self, policy=POLICY, extra=""):
        self.policy = policy
        (self.system / "tutela.yaml").write_text(policy.format(port=self.port, upstream=self.url) + extra)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            if self.keeper():
                self.run("guard", "down")
        finally:
            pid = self.keeper()
            if pid:
                os.kill(pid, signal.SIGKILL)
            self.upstream.kill()
            self.upstream.wait()
            self.upstream.stdout.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *args, check=True, text=None):
        done = subprocess.run([TUTELA, *args], cwd=self.system, env=self.env, capture_output=True, text=True, timeout=120, input=text)
        if check and done.returncode:
            raise AssertionError("tutela %s: %d\n%s%s\n%s" % (" ".join(args), done.returncode, done.stdout, done.stderr, self.errors()))
        return done

    def up(self):
        return self.run("guard", "up")

    def down(self):
        return self.run("guard", "down")

    @property
    def guard_dir(self):
        return self.system / ".tutela" / "guard"

    def errors(self):
        path = self.guard_dir / "error.log"
        return path.read_text() if path.exists() else ""

    def keeper(self):
        try:
            pid = int((self.guard_dir / "keeper.lock").read_text() or 0)
            os.kill(pid, 0)
            return pid if "guard" in pathlib.Path("/proc/%d/cmdline" % pid).read_text() else 0
        except (OSError, ValueError):
            return 0

    def workers(self):
        """Process ids of nginx's workers."""
        out = []
        master = int((self.guard_dir / "nginx.pid").read_text())
        for task in os.listdir("/proc/%d/task" % master):
            out += map(int, pathlib.Path("/proc/%d/task/%s/children" % (master, task)).read_text().split())
        return out

    # --- asking ---
    def send(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read())
        finally:
            connection.close()

    def ask(self, path, value, headers=None, timeout=30):
        return self.send("POST", path, json.dumps(value), dict({"Content-Type": "application/json"}, **(headers or {})), timeout)

    def chat(self, text, stream=False, headers=None, timeout=30, **more):
        value = {"model": "m", "messages": [{"role": "user", "content": text if isinstance(text, str) else json.dumps(text)}], **more}
        if stream:
            value["stream"] = True
        return self.ask("/v1/chat/completions", value, headers, timeout)

    def raw(self, data, timeout=5):
        """Bytes as they stand; what comes back until the other side is silent or closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            out = b""
            try:
                while True:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    out += piece
            except socket.timeout:
                pass
            return out

    def arrived(self):
        """Requests that reached the model server."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    # --- the ledger ---
    def traffic(self):
        """Entries of the traffic log; complete when the guard is down."""
        base = self.system / ".tutela" / "ledger" / "traffic" / "tile" / "entries"
        bundles = {}
        for path in base.rglob("*"):
            if path.is_file():
                rel = path.relative_to(base).parts
                partial = rel[-2].endswith(".p") if len(rel) > 1 else False
                name = "/".join(rel[:-1])[:-2] if partial else "/".join(rel)
                number = int(name.replace("x", "").replace("/", ""))
                width = int(rel[-1]) if partial else 256
                if width > bundles.get(number, (0, None))[0]:
                    bundles[number] = (width, path)
        out = []
        for number in sorted(bundles):
            data = bundles[number][1].read_bytes()
            at = 0
            while at < len(data):
                size = int.from_bytes(data[at:at + 2], "big")
                out.append(json.loads(data[at + 2:at + 2 + size]))
                at += 2 + size
        return out

    def exchanges(self):
        return [e["event"] for e in self.traffic() if e["kind"] == "guard.exchange"]

    def wait(self, what, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            value = what()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError("did not happen within %d s" % seconds)


def said(answer):
    """The text that a client makes of a unary or streamed answer."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        out = ""
        for line in answer.text.splitlines():
            if line.startswith("data: ") and line != "data: [DONE]":
                for choice in json.loads(line[6:]).get("choices", []):
                    out += choice.get("delta", {}).get("content") or choice.get("text") or ""
        return out
    choice = answer.json["choices"][0]
    return choice.get("message", {}).get("content") or choice.get("text") or ""


def refused(answer):
    return answer.json.get("error", {}).get("type") == "guard" if answer.body.startswith(b"{") else False


def called(answer):
    """Arguments of the calls that a client makes of a unary or streamed answer."""
    out = ""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        for line in answer.text.splitlines():
            if line.startswith("data: ") and line != "data: [DONE]":
                for choice in json.loads(line[6:]).get("choices", []):
                    for call in choice.get("delta", {}).get("tool_calls") or []:
                        out += call.get("function", {}).get("arguments") or ""
    else:
        for choice in answer.json.get("choices", []):
            for call in choice.get("message", {}).get("tool_calls") or []:
                out += call["function"]["arguments"]
    return out
