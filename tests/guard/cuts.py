"""Answers of a model server cut in two at every byte, and what the guard makes of each: many requests over few connections.

The server and the clients are one event loop. A request says with X-Case: BODY-CUT which body it is answered with, and
where it is cut: each side is an HTTP chunk of its own, which nginx hands on as a buffer of its own, however the kernel
puts them together. CUT "all": each byte is a chunk.
"""
import asyncio
import json
import re

CLIENTS = 16


class Upstream:
    """bodies: (content type, bytes) each."""

    def __init__(self, bodies):
        self.bodies = bodies

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        return self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
                number, cut = head.split("x-case:")[1].split("\r\n")[0].strip().split("-")
                kind, body = self.bodies[int(number)]
                pieces = [bytes([b]) for b in body] if cut == "all" else [body[:int(cut)], body[int(cut):]]
                out = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind.encode()
                out += b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p)
                writer.write(out + b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


def request(path, kind, body, case):
    head = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nX-Case: %s\r\nContent-Length: %d\r\n\r\n" % (path, kind, case, len(body))
    return head.encode() + body


class Client:
    def __init__(self, port):
        self.port, self.writer = port, None

    async def ask(self, path, kind, body, case):
        """(status, body); status 0: the connection ended within the answer."""
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request(path, kind, body, case))
        out = b""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = int(head.split()[1])
            if "content-length:" in head:
                return status, await self.reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
            while True:
                size = int((await self.reader.readuntil(b"\r\n"))[:-2], 16)
                out += (await self.reader.readexactly(size + 2))[:-2]
                if size == 0:
                    return status, out
        except (asyncio.IncompleteReadError, OSError) as e:
            self.writer.close()
            self.writer = None
            return 0, out + getattr(e, "partial", b"")

    def close(self):
        if self.writer:
            self.writer.close()


async def ask_all(port, jobs, seen):
    """jobs: (path, content type, body, case); seen(job, status, body) for each answer."""
    todo = iter(jobs)

    async def work():
        client = Client(port)
        for job in todo:
            seen(job, *await client.ask(*job))
        client.close()
    await asyncio.gather(*(work() for _ in range(CLIENTS)))


async def hold_all(port, jobs, seconds, seen):
    """All at once; what each has got after so long is seen, and the client goes away."""
    async def one(job):
        path, kind, body, case = job
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        out, end = b"", asyncio.get_running_loop().time() + seconds
        writer.write(request(path, kind, body, case))
        while True:
            try:
                piece = await asyncio.wait_for(reader.read(65536), max(0, end - asyncio.get_running_loop().time()))
            except asyncio.TimeoutError:
                break
            if not piece:
                break
            out += piece
        seen(job, re.sub(rb"\r\n[0-9a-f]+\r\n", b"", out))
        writer.close()
    await asyncio.gather(*(one(job) for job in jobs))


def texts_of(body):
    """What a client reads: the strings of a JSON answer or of a stream's events, pieces put together."""
    out = []

    def walk(value, key=""):
        if isinstance(value, dict):
            for k, v in value.items():
                walk(v, k)
        elif isinstance(value, list):
            for v in value:
                walk(v, key)
        elif isinstance(value, str) and key in ("content", "text", "delta", "arguments", "partial_json", "thinking", "data", "model", "refusal"):
            out.append(value)
    text = body.decode("utf-8", "replace")
    if "data: " in text:
        for line in text.splitlines():
            if line.startswith("data: {"):
                walk(json.loads(line[6:]))
    elif text.startswith("{"):
        walk(json.loads(text))
    else:
        return text
    return "".join(out)

