"""A model server that does as it is told, byte by byte: for what no well-behaved one does.

What it sends is chosen by the request's X-Wild header, an entry of `ways`: bytes, or a function of the connection.
Every byte that arrives on a connection is kept.
"""
import re
import socket
import struct
import threading
import time


def answer(body, kind="application/json", more=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, kind.encode(), more, len(body), body)


def chat(text):
    return b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}' % (text if isinstance(text, bytes) else text.encode())


def event(text):
    return b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n' % (text if isinstance(text, bytes) else text.encode())


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def piece(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def reset(s):
    """The connection ends with an RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Wild:
    def __init__(self):
        self.ways, self.connections = {"": answer(chat("fine"))}, []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            kept = bytearray()
            self.connections.append(kept)
            threading.Thread(target=self.serve, args=(s, kept), daemon=True).start()

    def serve(self, s, kept):
        at = 0
        try:
            while True:
                while b"\r\n\r\n" not in kept[at:]:
                    data = s.recv(65536)
                    if not data:
                        return
                    kept += data
                head, _, rest = bytes(kept[at:]).partition(b"\r\n\r\n")
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
                want = int(length.group(1)) if length else 0
                while len(kept) - at < len(head) + 4 + want:
                    data = s.recv(65536)
                    if not data:
                        return
                    kept += data
                at += len(head) + 4 + want
                which = re.search(rb"\r\nx-wild: *(\S+)", head, re.I)
                way = self.ways[which.group(1).decode() if which else ""]
                if callable(way):
                    if way(s) is False:
                        return
                else:
                    s.sendall(way)
        except OSError:
            pass
        finally:
            try:
                s.close()
            except OSError:
                pass

    def arrived(self):
        """Everything that came, of all connections, in their order."""
        return [bytes(kept) for kept in self.connections if kept]

    def forget(self):
        """Between two tests: only what comes from now on counts."""
        self.since = [len(kept) for kept in self.connections]

    def fresh(self):
        """Bytes since forget(), by connection."""
        since = self.since + [0] * (len(self.connections) - len(self.since))
        return [bytes(kept[n:]) for kept, n in zip(self.connections, since) if len(kept) > n]

    def close(self):
        self.socket.close()


def split(data):
    """The requests of a connection as a strict reader finds them: (request line, headers, body) each."""
    out = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            raise ValueError("no end of a head: %r" % data[:200])
        lines = head.split(b"\r\n")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(b": ")
            if not colon or not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
                raise ValueError("a header that is none: %r" % line)
            headers.append((name.lower(), value))
        lengths = [v for n, v in headers if n == b"content-length"]
        if [v for n, v in headers if n == b"transfer-encoding"] or len(lengths) != 1 or not lengths[0].isdigit():
            raise ValueError("a length that is none: %r" % head)
        size = int(lengths[0])
        if len(rest) < size:
            raise ValueError("a body that is cut")
        out.append((lines[0], dict(headers), rest[:size]))
        data = rest[size:]
    return out


def drip(s, data, seconds):
    """A byte, a while, a byte."""
    for b in data:
        s.sendall(bytes([b]))
        time.sleep(seconds)
