#!/usr/bin/python3
"""A model server for tests: OpenAI's chat, completions and responses, unary and streamed, embeddings, KServe v2.

What it answers is chosen by the request: the last user message is a JSON object
{"say": TEXT, "pieces": [TEXT...], "calls": [...], "delay": S, "headers": {...}, "raw": TEXT,
"raw_type": TYPE, "status": N} or any text, which is answered with "You said: TEXT".
Each request that arrives is appended to LOG as a line of JSON, so that tests know what got through.

usage: upstream.py PORT|unix:PATH LOG
"""
import json, os, socket, socketserver, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

log_lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def setup(self):
        super().setup()
        try:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            pass

    def log_message(self, *args):
        pass

    def address_string(self):
        return "client"

    def piece(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def head(self, status, kind, length=None, more=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in dict(more).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def unary(self, status, value, more=()):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.head(status, "application/json", len(data), more)
        self.wfile.write(data)

    def do_GET(self):
        self.unary(200, {"status": "ok"})

    def do_POST(self):
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else b""
        with log_lock, open(self.server.log, "a") as f:
            f.write(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body.decode("utf-8", "replace")}) + "\n")
        try:
            request = json.loads(body)
        except ValueError:
            return self.unary(400, {"error": {"message": "no JSON"}})
        self.answer(request, self.wanted(request))

    def wanted(self, request):
        text = request.get("prompt") or ""
        messages = request["input"] if isinstance(request.get("input"), list) else request.get("messages") or []
        if isinstance(request.get("input"), str):
            text = request["input"]
        for message in messages:
            if isinstance(message, dict) and message.get("role") == "user":
                text = message.get("content")
        if isinstance(text, list):
            text = " ".join(part.get("text", "") for part in text)
        try:
            order = json.loads(text)
            if isinstance(order, dict):
                return order
        except (ValueError, TypeError):
            pass
        return {"say": "You said: %s" % text}

    def answer(self, request, order):
        time.sleep(order.get("delay", 0))
        if "raw" in order:
            data = order["raw"].encode()
            self.head(order.get("status", 200), order.get("raw_type", "application/json"), len(data), order.get("headers", {}))
            return self.wfile.write(data)
        usage = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
        head = {"id": "x-1", "created": 1700000000, "model": request.get("model", "m")}
        if self.path.startswith("/v2/"):
            return self.unary(200, order.get("outputs") or {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1], "data": [0.512345]}]})
        if self.path.endswith("/embeddings"):
            return self.unary(200, {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}], "model": head["model"], "usage": usage})
        if self.path.endswith("/responses"):
            return self.respond(request, order)
        is_chat = self.path.endswith("/chat/completions")
        pieces = (order.get("pieces") or [order.get("say", "")]) * order.get("repeat", 1)
        if not request.get("stream"):
            text = "".join(pieces)
            message = {"role": "assistant", "content": text}
            if order.get("calls"):
                message["tool_calls"] = order["calls"]
            choice = {"index": 0, "finish_reason": "tool_calls" if order.get("calls") else "stop"}
            choice.update({"message": message} if is_chat else {"text": text})
            return self.unary(order.get("status", 200), dict(head, object="chat.completion" if is_chat else "text_completion", choices=[choice], usage=usage), order.get("headers", {}))
        self.head(200, "text/event-stream", None, order.get("headers", {}))
        if is_chat:
            self.event(dict(head, object="chat.completion.chunk", choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]))
        for text in pieces:
            choice = {"index": 0, "finish_reason": None}
            choice.update({"delta": {"content": text}} if is_chat else {"text": text})
            self.event(dict(head, object="chat.completion.chunk", choices=[choice]))
            time.sleep(order.get("pause", 0))
        for i, call in enumerate(order.get("calls") or []):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            parts = [arguments[k:k + 7] for k in range(0, len(arguments), 7)]
            for k, part in enumerate(parts):
                delta = {"index": i, "function": {"arguments": part}}
                if k == 0:
                    delta.update(id=call.get("id", "call_1"), type="function")
                    delta["function"]["name"] = name
                self.event(dict(head, object="chat.completion.chunk", choices=[{"index": 0, "delta": {"tool_calls": [delta]}, "finish_reason": None}]))
        end = {"index": 0, "finish_reason": "tool_calls" if order.get("calls") else "stop"}
        end.update({"delta": {}} if is_chat else {"text": ""})
        self.event(dict(head, object="chat.completion.chunk", choices=[end]))
        self.piece("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def respond(self, request, order):
        """The responses API: one message, and its calls behind it."""
        pieces = order.get("pieces") or [order.get("say", "")]
        head = {"id": "resp_1", "object": "response", "created_at": 1700000000, "model": request.get("model", "m"), "parallel_tool_calls": True, "tools": []}
        part = {"type": "output_text", "text": "".join(pieces), "annotations": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        output = [item] + [{"id": "fc_%d" % i, "type": "function_call", "call_id": "call_%d" % i, "status": "completed", **call["function"]} for i, call in enumerate(order.get("calls") or [])]
        done = dict(head, status="completed", output=output, usage={"input_tokens": 7, "output_tokens": 11, "total_tokens": 18})
        if not request.get("stream"):
            return self.unary(200, done)
        self.head(200, "text/event-stream")
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events = [("created", {"response": dict(head, status="in_progress", output=[])}),
                  ("output_item.added", {"output_index": 0, "item": dict(item, status="in_progress", content=[])}),
                  ("content_part.added", dict(where, part=dict(part, text="")))]
        events += [("output_text.delta", dict(where, delta=text)) for text in pieces]
        events += [("output_text.done", dict(where, text=part["text"])), ("content_part.done", dict(where, part=part)), ("output_item.done", {"output_index": 0, "item": item})]
        for i, call in enumerate(output[1:], 1):
            at = {"output_index": i, "item_id": call["id"]}
            events.append(("output_item.added", {"output_index": i, "item": dict(call, status="in_progress", arguments="")}))
            events += [("function_call_arguments.delta", dict(at, delta=call["arguments"][k:k + 7])) for k in range(0, len(call["arguments"]), 7)]
            events += [("function_call_arguments.done", dict(at, arguments=call["arguments"])), ("output_item.done", {"output_index": i, "item": call})]
        for number, (kind, value) in enumerate(events + [("completed", {"response": done})]):
            kind = "response." + kind
            self.piece("event: %s\ndata: %s\n\n" % (kind, json.dumps(dict(value, type=kind, sequence_number=number))))
        self.wfile.write(b"0\r\n\r\n")

    def event(self, value):
        self.piece("data: %s\n\n" % json.dumps(value))


class Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("unix", 0)


def main():
    where, log = sys.argv[1], sys.argv[2]
    if where.startswith("unix:"):
        path = where[5:]
        if os.path.exists(path):
            os.unlink(path)
        old = os.umask(0o177)
        server = UnixServer(path, Handler)
        os.umask(old)
    else:
        server = Server(("127.0.0.1", int(where)), Handler)
    server.log = log
    open(log, "a").close()
    print("ready %s" % (where if where.startswith("unix:") else server.server_address[1]), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
