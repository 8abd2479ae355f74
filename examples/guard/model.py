#!/usr/bin/python3
"""A stand-in for a model server, so that the scenes need no model: it does what a model should not.

Speaks OpenAI's chat completions, streamed where asked. Asked about a key it gives one away, piece by piece; asked
for a return it calls the tool; otherwise it says how many messages it saw.

usage: model.py PORT
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"  # of nobody: the shape alone


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = [m["content"] for m in request["messages"] if m["role"] == "user"][-1]
        if "key" in text:
            said, calls = "The key of the build is " + KEY + ", and keep it to yourself.", None
        elif "return" in text:
            call = {"name": "start_return", "arguments": json.dumps({"order": "100234", "amount": 59.9})}
            said, calls = "", [{"index": 0, "id": "call_1", "type": "function", "function": call}]
        else:
            said, calls = "I read %d messages." % len(request["messages"]), None
        print("asked: " + text, file=sys.stderr, flush=True)
        (self.stream if request.get("stream") else self.whole)(said, calls)

    def whole(self, said, calls):
        message = {"role": "assistant", "content": said, **({"tool_calls": calls} if calls else {})}
        choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message}
        body = json.dumps({"id": "c-1", "object": "chat.completion", "model": "assistant-q4", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, said, calls):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(said), 9):
            self.event({"choices": [{"index": 0, "delta": {"content": said[at:at + 9]}}]})
        if calls:
            self.event({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]})
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]})
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, value):
        data = ("data: %s\n\n" % (value if isinstance(value, str) else json.dumps(value))).encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()
