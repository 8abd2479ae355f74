#!/usr/bin/python3
"""What the guard adds to the time until the tokens of a stream arrive.

A model server of ours writes the events of a stream one by one and notes when; the client notes when
each arrives: straight from the server, through nginx, and through the guard with all checks and audit.
Streams are taken in turn. The guard's own clock (bytes received to bytes handed on, of the first
piece) is read from its events in the ledger.

usage: guard_stream.py TUTELA [--streams N] [--events N] [--pause MS]
"""
import argparse, json, mmap, os, socket, struct, subprocess, sys, time

from guard_world import CHAT, ON, World, free_port, pin, question

WORDS = "The refund for both lamps was sent on Monday and should be on your account within three working days so please write again if it is not there by then ".split(" ")
SLOT = struct.Struct("q")


def event(i):
    return "data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": WORDS[i % len(WORDS)] + " "}, "finish_reason": None}]}) + "\n\n"


def serve(port, times, events, pause):
    """One connection after the other; each request's stream is number `seed`."""
    import threading
    pieces = [event(i).encode() for i in range(events)]
    framed = [b"%x\r\n%s\r\n" % (len(p), p) for p in pieces]
    end = b"data: [DONE]\n\n"
    last = b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end)

    def one(s):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = s.recv(65536)
                if not more:
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
            while len(body) < length:
                body += s.recv(65536)
            data, seed = body[length:], json.loads(body[:length])["seed"]
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for i in range(events):
                time.sleep(pause)
                SLOT.pack_into(times, SLOT.size * (seed * events + i), time.monotonic_ns())
                s.sendall(framed[i])
            s.sendall(last)

    listener = socket.create_server(("127.0.0.1", port))
    while True:
        threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()


def stream(s, number, events):
    """Nanoseconds at which each event arrived."""
    body = json.dumps(dict(question("When does the money come?"), stream=True, seed=number)).encode()
    s.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(body)) + body)
    seen, data, arrived = 0, b"", []
    while b"0\r\n\r\n" not in data[-16:] or b"[DONE]" not in data:
        more = s.recv(65536)
        now = time.monotonic_ns()
        if not more:
            sys.exit("the stream was cut: %r" % data[-300:])
        data += more
        count = data.count(b'"content"')
        arrived += [now] * (count - seen)
        seen = count
    if len(arrived) != events:
        sys.exit("%d of %d events: %r" % (len(arrived), events, data[:300]))
    return arrived


def share(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(p * len(values)))]


def show(name, values):
    print(f"{name:44}" + "".join(f"{share(values, p) :10.0f}" for p in (0.5, 0.9, 0.99)) + f"{max(values):10.0f}{len(values):9}")


def own_clock(w, folder):
    """first_us of the exchanges in the ledger."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "guard"))
    from live import Guard
    subprocess.run([w.tutela, "guard", "down"], cwd=folder, env=dict(os.environ, XDG_DATA_HOME=str(folder / "keys")), check=True, capture_output=True)

    class Folder:
        system = folder
    return [e["event"].get("first_us", 0) for e in Guard.traffic(Folder) if e["kind"] == "guard.exchange"]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("tutela")
    a.add_argument("--streams", type=int, default=200, help="of each kind")
    a.add_argument("--events", type=int, default=20)
    a.add_argument("--pause", type=float, default=2, help="before each event, ms")
    o = a.parse_args()
    with World(o.tutela) as w:
        port, path = free_port(), w.dir / "times"
        with open(path, "wb") as f:
            f.truncate(SLOT.size * o.events * o.streams * 3)
        with open(path, "r+b") as f:
            times = mmap.mmap(f.fileno(), 0)
        child = os.fork()
        if child == 0:
            try:
                serve(port, times, o.events, o.pause / 1000)
            finally:
                os._exit(0)
        w.started.append(child)
        pin([child], 0)
        guard, _, folder = w.guard("stream", port, False, ON, "", "prompt")
        ways = [("straight", port), ("nginx", w.plain("nginx", port, False)[0]), ("guard, all checks, audit", guard)]
        time.sleep(0.3)
        sockets = [socket.create_connection(("127.0.0.1", p)) for _, p in ways]
        first, each, number = [[] for _ in ways], [[] for _ in ways], 0
        for turn in range(o.streams):
            for k, s in enumerate(sockets):
                arrived = stream(s, number, o.events)
                took = [(at - SLOT.unpack_from(times, SLOT.size * (number * o.events + i))[0]) / 1000 for i, at in enumerate(arrived)]
                number += 1
                if turn:
                    first[k].append(took[0])
                    each[k] += took
        print(f"{'written by the server to read by the client':44}{'p50 us':>10}{'p90':>10}{'p99':>10}{'most':>10}{'of':>9}")
        for k, (name, _) in enumerate(ways):
            show(f"{name}, first token", first[k])
        for k, (name, _) in enumerate(ways):
            show(f"{name}, every token", each[k])
        show("by the guard's clock, first (asked: p99 250)", own_clock(w, folder))


if __name__ == "__main__":
    sys.exit(main())
