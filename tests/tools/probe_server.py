#!/usr/bin/python3
"""A service for tests of probes: KServe v2 and OpenAI's chat and completions, well-behaved or not, by the first part of the path:
http://127.0.0.1:PORT/MODE/v2/models/m/infer, /MODE/v1/chat/completions, /MODE/v1/completions. GET /stats: what was asked so far.
Its answers are canned: they serve tests of protocols, never a figure.

usage: probe_server.py PORT-FILE [PORT [HOST [CERTIFICATE KEY]]]
"""
import json
import math
import os
import pathlib
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

lock = threading.Lock()
one_at_a_time = threading.Lock()
stats = {"requests": 0, "rows": 0, "most_at_once": 0, "now": 0, "connections": 0, "keys": [], "modes": {}, "times": [], "bodies": []}


def softmax(scores):
    e = [math.exp(s - max(scores)) for s in scores]
    return [v / sum(e) for v in e]


def flat(v):
    return [x for part in v for x in flat(part)] if isinstance(v, list) else [v]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            stats["connections"] += 1

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json", **more):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status, code, text, **more):
        self.answer(status, {"type": "error", "error": {"type": "guard", "code": code, "message": text}}, **more)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def do_GET(self):
        mode = self.path.split("/")[1]
        if self.path == "/stats":
            with lock:
                return self.answer(200, stats)
        if mode in ("nometa", "garbage"):
            return self.error(404, "none", "no such thing")
        shape = [-1, 2, 3] if mode == "axes" else [-1, -1] if mode == "free" else [-1, 6]
        self.answer(200, {"name": "m", "inputs": [{"name": "x", "datatype": "INT8" if mode == "int8" else "FP32", "shape": shape}],
                          "outputs": [{"name": "p", "datatype": "FP32", "shape": [-1, 3]}]})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        mode = self.path.split("/")[1]
        with lock:
            stats["requests"] += 1
            stats["now"] += 1
            stats["most_at_once"] = max(stats["most_at_once"], stats["now"])
            n = stats["modes"][mode] = stats["modes"].get(mode, 0) + 1
            if len(stats["times"]) < 5000:
                stats["times"].append(time.time())
                stats["keys"].append(self.headers.get("Authorization"))
            if len(stats["bodies"]) < 50:
                stats["bodies"].append(body.decode("utf-8", "replace")[:20000])
        try:
            self.serve(mode, n, body)
        finally:
            with lock:
                stats["now"] -= 1

    def serve(self, mode, n, body):
        if mode == "mortal" and body.startswith(b"[[[["):
            os._exit(9)
        if self.misbehave(mode, n):
            return
        try:
            asked = json.loads(body)
            if not isinstance(asked, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError) as why:
            if mode == "fragile":
                return self.answer(500, {"error": str(why)[:50]})
            return self.error(400, "bad", str(why)[:60])
        try:
            if "/v2/models/" in self.path:
                return self.infer(mode, n, asked)
            return self.chat(mode, n, asked) if self.path.endswith("/chat/completions") else self.complete(mode, n, asked)
        except BrokenPipeError:
            raise
        except Exception as why:
            if mode == "fragile":
                return self.reset()
            self.error(400, "bad", f"{type(why).__name__}"[:60])

    def misbehave(self, mode, n):
        """True: it has answered in its way."""
        if mode == "slow":
            time.sleep(0.05)
        elif mode == "single":
            with one_at_a_time:
                time.sleep(0.04)
        elif mode == "hang":
            time.sleep(3)
        elif mode == "busy" and n % 3 == 1:
            self.error(429, "slow", "too many", Retry_After=1)
            return True
        elif mode == "busyno" and n % 2 == 1:
            self.error(503, "slow", "later")
            return True
        elif mode == "never":
            self.error(429, "slow", "too many", Retry_After=10000)
            return True
        elif mode == "exit" and n > 20:
            os._exit(3)
        elif mode == "garbage":
            self.answer(200, b"\x00\xff{]not json" * 10)
        elif mode == "html":
            self.answer(200, b"<html>hello</html>", "text/html")
        elif mode == "huge":
            self.answer(200, b"[" + b"1," * (12 << 20) + b"1]")
        elif mode == "deep":
            self.answer(200, b"[" * 100000 + b"]" * 100000)
        elif mode == "stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for _ in range(200):
                self.wfile.write(b"data: {}\n\n")
                self.wfile.flush()
                time.sleep(0.02)
        elif mode == "reset":
            self.reset()
        elif mode == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"outputs": [')
            self.close_connection = True
        elif mode == "redirect":
            self.answer(302, b"", Location="http://127.0.0.1:1/")
        elif mode == "locked":
            self.error(401, "key", "a key is wanted")
        elif mode == "absent":
            self.error(404, "none", "no such model")
        else:
            return False
        return mode in ("garbage", "html", "huge", "deep", "stream", "reset", "cut", "redirect", "locked", "absent")

    # --- v2 ---
    def infer(self, mode, n, asked):
        tensor = asked["inputs"][0]
        shape, data = tensor["shape"], flat(tensor["data"])
        width = math.prod(shape[1:])
        if len(data) != shape[0] * width or not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in data):
            return self.error(400, "bad", "shape and data differ")
        rows = [data[i * width:(i + 1) * width] for i in range(shape[0])]
        if width != 6 and mode != "free":
            return self.error(400, "bad", f"unexpected shape [{width}]")
        if mode == "batch8" and len(rows) > 8:
            return self.error(400, "large", "batch-size must be <= 8")
        if mode == "refuse" and any(r[0] > 0.5 for r in rows):
            return self.error(403, "blocked", "This was refused by the policy of the system.")
        with lock:
            stats["rows"] += len(rows)
        scores = [[k * r[0] for k in range(3)] for r in rows]
        self.answer(200, {"model_name": "m", "outputs": self.outputs(mode, n, scores)})

    def outputs(self, mode, n, scores):
        p = [softmax(s) for s in scores]
        count = len(scores)
        real = lambda name, rows: {"name": name, "datatype": "FP32", "shape": [count, len(rows[0])], "data": flat(rows)}
        if mode == "scores":
            return [real("logits", [[7 * v - 3 for v in s] for s in scores])]
        if mode == "labels":
            return [{"name": "y", "datatype": "INT64", "shape": [count], "data": [int(s[1] > 0.5) for s in scores]}]
        if mode == "sigmoid":
            return [real("y", [[1 / (1 + math.exp(-s[1]))] for s in scores])]
        if mode == "both":
            return [{"name": "label", "datatype": "INT64", "shape": [count], "data": [0] * count}, real("probabilities", p)]
        if mode == "nested":
            return [{"name": "p", "datatype": "FP32", "shape": [count, 3], "data": p}]
        if mode == "unstable":
            return [real("p", [softmax([v + n * 0.01 * k for k, v in enumerate(s)]) for s in scores])]
        if mode == "reshape" and n > 2:
            return [real("p", [[0.5, 0.5]] * count)]
        if mode == "fewer":
            return [real("p", p[1:] or [[0.1] * 3, [0.2] * 3])]
        if mode == "texts":
            return [{"name": "p", "datatype": "FP32", "shape": [count, 3], "data": ["a"] * 3 * count}]
        if mode == "badsum" and n > 2:
            return [real("p", [[0.9, 0.9, 0.9]] * count)]
        return [real("p", p)]

    # --- OpenAI ---
    def chat(self, mode, n, asked):
        if not isinstance(asked["messages"], list) or not asked["messages"]:
            return self.error(400, "bad", "messages are wanted")
        last = asked["messages"][-1]["content"]
        if not isinstance(last, str):
            return self.error(400, "bad", "texts are wanted")
        if "forbidden" in last:
            return self.error(403, "blocked", "This was refused by the policy of the system.")
        if asked.get("stream"):
            return self.stream(mode)
        text = f"You said: {last}" + (f" {n}" if mode == "unstable" else "")
        message = {"role": "assistant", "content": text}
        if asked.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": asked["tools"][0]["function"]["name"], "arguments": json.dumps({"text": last})}}]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        if mode == "filtered":
            choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}
        if mode == "empty":
            return self.answer(200, {"choices": []})
        if mode == "lies":
            return self.answer(200, {"choices": [{"message": "text", "logprobs": {"content": [1, {"logprob": "x"}]}}]})
        if asked.get("logprobs") and mode != "nologprobs":
            choice["logprobs"] = {"content": [{"token": w, "logprob": -0.5 * (i + 1)} for i, w in enumerate(text.split())]}
        self.answer(200, {"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})

    def stream(self, mode):
        """Twenty events in a second. "unframed": nothing but the last event tells that it is whole."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header(*(("Connection", "close") if mode == "unframed" else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        events = [json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "word "}, "finish_reason": "stop" if i == 19 else None}]}) for i in range(20)]
        for event in [*events, "[DONE]"]:
            data = f"data: {event}\n\n".encode()
            self.wfile.write(data if mode == "unframed" else b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(0.05)
        if mode == "unframed":
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def complete(self, mode, n, asked):
        prompt = asked["prompt"]
        words, out = prompt.split(" "), ["and", "so"][: asked.get("max_tokens", 2)]
        text = (prompt if asked.get("echo") else "") + "".join(" " + w for w in out)
        offsets, at = [], 0
        for w in words:
            offsets.append(at)
            at += len(w) + 1
        tokens = ([None] + [-float(i) for i in range(1, len(words))]) if asked.get("echo") else []
        offsets = offsets if asked.get("echo") else []
        for w in out:
            offsets.append(len(prompt))
            tokens.append(-9.5)
        choice = {"text": text, "finish_reason": "length"}
        if asked.get("logprobs"):
            choice["logprobs"] = {"tokens": [], "token_logprobs": tokens, "text_offset": offsets}
        self.answer(200, {"choices": [choice]})


class Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        pass


def main():
    port, host = int(sys.argv[2]) if len(sys.argv) > 2 else 0, sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
    if ":" in host:
        Server.address_family = socket.AF_INET6
    server = Server((host, port), Handler)
    if len(sys.argv) > 5:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    path = pathlib.Path(sys.argv[1])
    path.with_suffix(".new").write_text(str(server.server_address[1]))
    path.with_suffix(".new").rename(path)
    server.serve_forever()


if __name__ == "__main__":
    main()
