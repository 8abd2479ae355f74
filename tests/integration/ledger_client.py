"""A client of the sequencer's socket, written from docs/ledger.md alone, and a reader of the log's tiles."""
import json
import os
import socket
import struct

APPEND, CHECKPOINT, FOLD, END = 1, 2, 3, 4
WELCOME, APPENDED, REFUSED, NOTE, DONE, BROKEN = 65, 66, 67, 68, 69, 70
EVIDENCE, TRAFFIC = 0, 1


class Gone(Exception):
    """The sequencer closed the connection; `answer` is its last word, if any."""

    def __init__(self, answer=None):
        super().__init__(str(answer))
        self.answer = answer


def sized(data):
    return struct.pack("<I", len(data)) + data


def frame(kind, body=b""):
    return struct.pack("<IB", len(body) + 1, kind) + body


def item(payload, kind="test.event", seq=0, producer="test", dsse=False):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return bytes([dsse]) + struct.pack("<Q", seq) + sized(kind.encode()) + sized(producer.encode()) + sized(payload)


def append(items, log=EVIDENCE):
    return frame(APPEND, bytes([log]) + struct.pack("<I", len(items)) + b"".join(items))


class Client:
    def __init__(self, state, timeout=30, welcome=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        path = os.path.join(state, "ledger", "socket")
        if len(path) > 100:
            self.dir = os.open(os.path.dirname(path), os.O_PATH)
            path = f"/proc/self/fd/{self.dir}/socket"
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.buffer = b""
        if welcome:
            self.meet()

    def meet(self):
        try:
            kind, body = self.answer()
            if kind != WELCOME:
                raise Gone((kind, body))
        except (Gone, OSError):
            self.socket.close()
            raise
        version, length = struct.unpack_from("<II", body)
        assert version == 1 and length == len(body) - 8, body
        self.origin = body[8:].decode()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def fill(self, count):
        while len(self.buffer) < count:
            got = self.socket.recv(1 << 16)
            if not got:
                raise Gone()
            self.buffer += got

    def answer(self):
        self.fill(5)
        length, kind = struct.unpack_from("<IB", self.buffer)
        self.fill(4 + length)
        body = self.buffer[5:4 + length]
        self.buffer = self.buffer[4 + length:]
        return kind, body

    def ask(self, data):
        self.send(data)
        return read_answer(*self.answer())

    def append(self, items, log=EVIDENCE):
        return self.ask(append(items, log))


def read_answer(kind, body):
    if kind == APPENDED:
        count = struct.unpack_from("<I", body)[0]
        return kind, list(struct.unpack(f"<{count}Q", body[4:]))
    if kind in (REFUSED, BROKEN):
        n = struct.unpack_from("<I", body)[0]
        m = struct.unpack_from("<I", body, 4 + n)[0]
        assert 8 + n + m == len(body), body
        return kind, (body[4:4 + n].decode(), body[8 + n:].decode())
    if kind == NOTE:
        assert struct.unpack_from("<I", body)[0] == len(body) - 4, body
        return kind, body[4:].decode()
    return kind, body


def checkpoint_size(directory):
    """What the signed checkpoint on disk says."""
    with open(os.path.join(directory, "checkpoint"), "rb") as file:
        return int(file.read().split(b"\n")[1])


def tile_path(number):
    text = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03d}/{text}"
    return text


def entries(directory):
    """Every entry of a folded log, parsed, from its entry bundles."""
    size = checkpoint_size(directory)
    out = []
    for n in range((size + 255) // 256):
        path = os.path.join(directory, "tile", "entries", tile_path(n))
        width = min(256, size - n * 256)
        with open(path if width == 256 else f"{path}.p/{width}", "rb") as file:
            data = file.read()
        at = 0
        for _ in range(width):
            length = struct.unpack_from(">H", data, at)[0]
            out.append(json.loads(data[at + 2:at + 2 + length]))
            at += 2 + length
        assert at == len(data)
    return out
