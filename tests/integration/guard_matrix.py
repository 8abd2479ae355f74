"""The stream-bypass matrix: every route, whole and in a stream, cut at every byte: what must not pass does not, and what
may comes out as if it had not been cut."""
import asyncio
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ.get("TUTELA_SOURCE", os.getcwd()), "tests", "guard"))
from cuts import Upstream, ask_all, hold_all, texts_of  # noqa: E402
from live import CANARY, KEY, Guard  # noqa: E402

HOST = "collect.example.net"
PROTOCOLS = ("openai-chat", "openai-completions", "openai-responses", "anthropic-messages", "openai-embeddings", "kserve-v2", "text")
POLICY = """schema: tutela.system/1
system:
  name: matrix
  version: 1.0.0
  purpose: tests
guard:
  listen: 127.0.0.1:{port}
  workers: 2
  audit: none
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
  approvals:
    timeout: 60s
  load:
    in_flight: 16384
  routes:
""" + "".join("    - id: %s\n      path: /%s%s\n      protocol: %s\n      upstream: {upstream}\n" % (p, p, "/{{model}}" if p == "kserve-v2" else "", p) for p in PROTOCOLS)

FORBIDDEN = {  # of each kind: parts of it that a client could still do something with
    "secret": [KEY[i:i + 12] for i in range(4, len(KEY) - 11)],
    "canary": ["lantern-4", "40417"],
    "link": ["//" + HOST, HOST + "/", "?q=1"],
    "call": ["everything"],
    "held": ["A-17-of-nobody"],
}
TEXTS = {
    "secret": ("the token is ", KEY, " and that is all"),
    "canary": ("so ", CANARY, " more"),
    "link": ("see ", "![x](https://%s/?q=1)" % HOST, " end"),
}
CALLS = {"call": ("erase", {"all": "everything"}), "held": ("refund", {"order": "A-17-of-nobody"})}


def dump(value, escaped):
    """JSON; escaped: every letter of its texts as \\uXXXX, so that a cut falls within the escapes too."""
    text = json.dumps(value, separators=(",", ":"))
    if escaped:
        for word in (KEY, CANARY, HOST):
            text = text.replace(word, "".join("\\u%04x" % ord(c) for c in word))
    return text


def parts(text):
    """A text in pieces as a model sends it: the forbidden part in three."""
    before, word, after = text
    third = len(word) // 3
    return [before, word[:third], word[third:2 * third], word[2 * third:] + after]


def events(values, names=False, done=False, escaped=False):
    out = ""
    for value in values:
        if names:
            out += "event: %s\n" % value["type"]
        out += "data: %s\n\n" % dump(value, escaped)
    return (out + ("data: [DONE]\n\n" if done else "")).encode()


def chat(text, call, stream, escaped):
    head = {"id": "x", "created": 1, "model": "m"}
    if not stream:
        message = {"role": "assistant", "content": "".join(text or ())}
        if call:
            message["tool_calls"] = [{"id": "c", "type": "function", "function": {"name": call[0], "arguments": json.dumps(call[1])}}]
        return dump(dict(head, object="chat.completion", choices=[{"index": 0, "message": message, "finish_reason": "stop"}]), escaped).encode()
    deltas = [{"content": p} for p in parts(text)] if text else []
    if call:
        arguments = json.dumps(call[1])
        deltas.append({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": call[0], "arguments": ""}}]})
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": arguments[i:i + 9]}}]} for i in range(0, len(arguments), 9)]
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas] + [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    return events([dict(head, object="chat.completion.chunk", choices=[c]) for c in choices], done=True, escaped=escaped)


def completions(text, call, stream, escaped):
    if call:
        return None
    head = {"id": "x", "object": "text_completion", "created": 1, "model": "m"}
    if not stream:
        return dump(dict(head, choices=[{"index": 0, "text": "".join(text), "finish_reason": "stop"}]), escaped).encode()
    return events([dict(head, choices=[{"index": 0, "text": p, "finish_reason": None}]) for p in parts(text)] + [dict(head, choices=[{"index": 0, "text": "", "finish_reason": "stop"}])], done=True, escaped=escaped)


def responses(text, call, stream, escaped):
    head = {"id": "r", "object": "response", "created_at": 1, "model": "m"}
    output = []
    if text:
        output.append({"id": "i", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "".join(text), "annotations": []}]})
    if call:
        output.append({"id": "f", "type": "function_call", "call_id": "c", "status": "completed", "name": call[0], "arguments": json.dumps(call[1])})
    whole = dict(head, status="completed", output=output)
    if not stream:
        return dump(whole, escaped).encode()
    out = [{"type": "response.created", "response": dict(head, status="in_progress", output=[])}]
    if text:
        where = {"item_id": "i", "output_index": 0, "content_index": 0}
        out += [dict(where, type="response.output_text.delta", delta=p) for p in parts(text)]
        out.append(dict(where, type="response.output_text.done", text="".join(text)))
    if call:
        where = {"item_id": "f", "output_index": 0}
        arguments = json.dumps(call[1])
        out.append({"type": "response.output_item.added", "output_index": 0, "item": dict(output[-1], arguments="", status="in_progress")})
        out += [dict(where, type="response.function_call_arguments.delta", delta=arguments[i:i + 9]) for i in range(0, len(arguments), 9)]
        out.append(dict(where, type="response.function_call_arguments.done", arguments=arguments))
        out.append({"type": "response.output_item.done", "output_index": 0, "item": output[-1]})
    return events(out + [{"type": "response.completed", "response": whole}], names=True, escaped=escaped)


def messages(text, call, stream, escaped):
    head = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
    if not stream:
        content = [{"type": "text", "text": "".join(text)}] if text else [{"type": "tool_use", "id": "t", "name": call[0], "input": call[1]}]
        return dump(dict(head, content=content, stop_reason="end_turn", usage={"input_tokens": 1, "output_tokens": 1}), escaped).encode()
    out = [{"type": "message_start", "message": dict(head, content=[], stop_reason=None, usage={"input_tokens": 1, "output_tokens": 1})}]
    if text:
        out.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        out += [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}} for p in parts(text)]
    else:
        arguments = json.dumps(call[1])
        out.append({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": call[0], "input": {}}})
        out += [{"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments[i:i + 9]}} for i in range(0, len(arguments), 9)]
    out += [{"type": "content_block_stop", "index": 0}, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}, {"type": "message_stop"}]
    return events(out, names=True, escaped=escaped)


def embeddings(text, call, stream, escaped):
    if call or stream:
        return None
    return dump({"object": "list", "model": "".join(text), "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}, escaped).encode()


def kserve(text, call, stream, escaped):
    if call or stream:
        return None
    return dump({"model_name": "m", "outputs": [{"name": "y", "datatype": "BYTES", "shape": [1], "data": ["".join(text)]}]}, escaped).encode()


def plain(text, call, stream, escaped):
    return None if call or stream or escaped else "".join(text).encode()


MAKERS = dict(zip(PROTOCOLS, (chat, completions, responses, messages, embeddings, kserve, plain)))
TOOL = {"type": "object"}


def asking(protocol, stream):
    """(path, content type, body) of a request to the route."""
    said = [{"role": "user", "content": "x"}]
    names = ("look_up", "refund")
    value = {"model": "m", "stream": stream}
    if protocol == "openai-chat":
        value.update(messages=said, tools=[{"type": "function", "function": {"name": n, "parameters": TOOL}} for n in names])
    elif protocol == "openai-completions":
        value.update(prompt="x")
    elif protocol == "openai-responses":
        value.update(input="x", tools=[{"type": "function", "name": n, "parameters": TOOL} for n in names])
    elif protocol == "anthropic-messages":
        value.update(max_tokens=9, messages=said, tools=[{"name": n, "input_schema": TOOL} for n in names])
    elif protocol == "openai-embeddings":
        value = {"model": "m", "input": "x"}
    elif protocol == "kserve-v2":
        return "/kserve-v2/m", "application/json", json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1.5]}]}).encode()
    else:
        return "/text", "text/plain", b"x"
    return "/" + protocol, "application/json", json.dumps(value).encode()


class Case:
    def __init__(self, protocol, what, stream, escaped, body):
        self.protocol, self.what, self.stream, self.escaped, self.body = protocol, what, stream, escaped, body
        self.asking = asking(protocol, stream)
        self.type = "text/plain" if protocol == "text" else "text/event-stream" if stream else "application/json"
        self.same = None

    def __str__(self):
        return "%s, %s%s, %s" % (self.protocol, self.what, " escaped" if self.escaped else "", "stream" if self.stream else "whole")


def cases():
    for protocol in PROTOCOLS:
        for stream in (False, True):
            for what in list(TEXTS) + list(CALLS):
                for escaped in (False, True):
                    if escaped and what in CALLS:
                        continue
                    body = MAKERS[protocol](TEXTS.get(what), CALLS.get(what), stream, escaped)
                    if body:
                        yield Case(protocol, what, stream, escaped, body)


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = list(cases())
        cls.loop = asyncio.new_event_loop()
        cls.upstream = Upstream([(case.type, case.body) for case in cls.cases])
        port = cls.loop.run_until_complete(cls.upstream.start())
        cls.g = Guard(policy=POLICY.replace("{upstream}", "http://127.0.0.1:%d" % port))

    @classmethod
    def tearDownClass(cls):
        cls.g.__exit__()
        cls.loop.run_until_complete(cls.upstream.stop())
        cls.loop.close()

    def job(self, number, cut):
        path, kind, body = self.cases[number].asking
        return path, kind, body, "%d-%s" % (number, cut)

    def look(self, case, cut, body):
        text = texts_of(body)
        for word in FORBIDDEN[case.what]:
            self.assertNotIn(word, text, (str(case), cut))
            self.assertNotIn(word.encode(), body, (str(case), cut))
        return text

    def seen(self, job, status, body):
        number, cut = job[3].split("-")
        case = self.cases[int(number)]
        text = self.look(case, cut, body)
        self.assertNotEqual(status, 0, ("ended within the answer", str(case), cut))
        if case.what in ("secret", "link"):
            self.assertEqual(status, 200, (str(case), cut, body))
            before, _, after = TEXTS[case.what]
            self.assertTrue(before in text and after in text, (str(case), cut, body))
        else:
            self.assertEqual(status, 200 if case.stream or case.protocol == "text" else 403, (str(case), cut, body))
            self.assertIn(b'"code":"blocked"', body, (str(case), cut))
        if case.same is None:
            case.same = (status, text)
        self.assertEqual((status, text), case.same, (str(case), cut, "it depends on the cut"))
        self.count += 1

    def test_no_route_lets_it_pass_however_it_is_cut(self):
        self.count = 0
        jobs = [self.job(n, cut) for n, case in enumerate(self.cases) if case.what != "held" for cut in ["all"] + list(range(len(case.body)))]
        self.loop.run_until_complete(ask_all(self.g.port, jobs, self.seen))
        self.assertEqual(self.count, len(jobs))
        self.assertGreater(len(jobs), 10000)

    def waiting(self):
        names = os.listdir(self.g.guard_dir / "holds")
        return {n[:32] for n in names if n.endswith(".json")} - {n[:32] for n in names if n.endswith(".gone")}

    def test_a_held_call_stays_with_the_guard_however_it_is_cut(self):
        def seen(job, got):
            number, cut = job[3].split("-")
            self.look(self.cases[int(number)], cut, got)
            self.assertNotIn(b" 403 ", got[:20], got)
            self.count += 1
        for n, case in enumerate(self.cases):
            if case.what != "held":
                continue
            with self.subTest(str(case)):
                self.count = 0
                jobs = [self.job(n, cut) for cut in ["all"] + list(range(len(case.body)))]
                for i in range(0, len(jobs), 700): # at most 1,000 wait at once
                    self.loop.run_until_complete(hold_all(self.g.port, jobs[i:i + 700], 1.5, seen))
                    self.g.wait(lambda: not self.waiting())
                self.assertEqual(self.count, len(jobs))


if __name__ == "__main__":
    unittest.main()
