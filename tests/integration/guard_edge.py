"""Hostile clients and model servers in front of the guard: nobody is kept from being served, nothing gets by that was not
looked at, and what reaches the model server is, byte for byte, what was allowed."""
import gzip
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

sys.path.insert(0, os.path.join(os.environ.get("TUTELA_SOURCE", os.getcwd()), "tests", "guard"))
from live import CANARY, KEY, POLICY, Guard, said  # noqa: E402
from wild import STREAM, Wild, answer, chat, event, piece, reset, split  # noqa: E402

CHAT = "/v1/chat/completions"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GOOD = b'{"model":"m","messages":[{"role":"user","content":"a"}]}'
QUICK = "  timeouts:\n    header: 2\n    body: 2\n    send: 3\n    upstream: 2\n"


def ask(body=GOOD, more=b""):
    return HEAD + more + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


class WildGuard(Guard):
    """A guard whose model server is a Wild one."""

    def __init__(self, extra=QUICK, **more):
        self.wild = Wild()
        super().__init__(extra, policy=POLICY.replace("{upstream}", "http://127.0.0.1:%d" % self.wild.port), **more)

    def __exit__(self, *exc):
        super().__exit__(*exc)
        self.wild.close()

    def alerts(self):
        return [line for line in self.errors().splitlines() if re.search(r"\[(alert|crit|emerg)\]|exited on signal", line)]


class Slow(unittest.TestCase):
    """Whoever takes his time is cut, and holds up nobody meanwhile."""

    @classmethod
    def setUpClass(cls):
        cls.g = WildGuard()

    @classmethod
    def tearDownClass(cls):
        alerts = cls.g.alerts()
        cls.g.__exit__()
        assert not alerts, alerts

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.g.port), timeout=20)
        self.addCleanup(s.close)
        return s

    def cut_after(self, s, begin, data, pause):
        """Seconds until the other side ends a connection over which a byte comes now and then."""
        s.sendall(begin)
        start = time.monotonic()
        s.settimeout(pause)
        for b in data:
            try:
                s.sendall(bytes([b]))
                if not s.recv(65536):
                    break
            except socket.timeout:
                self.assertEqual(self.g.chat("others are served", timeout=3).status, 200)
            except OSError:
                break
            if time.monotonic() - start > 15:
                break
        return time.monotonic() - start

    def test_a_head_that_comes_byte_by_byte(self):
        self.assertLess(self.cut_after(self.connect(), HEAD, b"X-Slow: " + b"a" * 1000, 0.2), 5)

    def test_a_body_that_comes_byte_by_byte(self):
        for more in (b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n4000\r\n"):
            self.assertLess(self.cut_after(self.connect(), HEAD + more, b"{" + b" " * 1000, 0.3), 6)

    def test_a_body_that_stops(self):
        s = self.connect()
        s.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        start = time.monotonic()
        s.settimeout(10)
        try:
            self.assertNotIn(b" 200 ", s.recv(65536))
        except ConnectionResetError:
            pass
        self.assertLess(time.monotonic() - start, 6)

    def stream(self, s):
        """Far more than buffers hold."""
        def way(upstream):
            upstream.sendall(STREAM)
            data = piece(event("word " * 400)) * 8
            for _ in range(4000):
                upstream.sendall(data)
            return False
        self.g.wild.ways["endless"] = way
        s.sendall(ask(more=b"X-Wild: endless\r\n"))

    def small_socket(self):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", self.g.port))
        self.addCleanup(s.close)
        return s

    def rss(self):
        return max(int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") for pid in self.g.workers())

    def test_a_reader_that_does_not_read(self):
        many = [self.small_socket() for _ in range(20)]
        for s in many:
            self.stream(s)
        time.sleep(1)
        self.assertEqual(self.g.chat("others are served", timeout=3).status, 200)
        self.assertLess(self.rss(), 96 << 20)
        self.assertTrue(self.ended(many[0], 12), "it is cut within the limit")

    def test_a_reader_that_takes_a_byte_now_and_then(self):
        s = self.small_socket()
        self.stream(s)
        start = time.monotonic()
        end = None
        while time.monotonic() - start < 20:
            time.sleep(0.05)
            try:
                if not s.recv(512):
                    end = time.monotonic()
                    break
            except OSError:
                end = time.monotonic()
                break
        self.assertIsNotNone(end, "ten kilobytes a second are too few")

    def ended(self, s, seconds):
        """Whether the other side gave up, without reading so much that it goes on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = subprocess.run(["ss", "-tnH", "src", "127.0.0.1:%d" % s.getsockname()[1], "dst", "127.0.0.1:%d" % self.g.port], capture_output=True, text=True).stdout
            if "ESTAB" not in state:
                return True
            time.sleep(0.2)
        return False

    def test_thousands_of_connections_that_say_nothing(self):
        idle = []
        for _ in range(3000):
            s = socket.socket()
            s.connect(("127.0.0.1", self.g.port))
            idle.append(s)
        took = []
        for _ in range(20):
            start = time.monotonic()
            self.assertEqual(self.g.chat("others are served", timeout=5).status, 200)
            took.append(time.monotonic() - start)
        self.assertLess(sorted(took)[10], 0.5)
        for s in idle[::100]:
            s.settimeout(6)
            self.assertEqual(s.recv(10), b"", "they are closed when the time of a head is over")
        for s in idle:
            s.close()


class Framing(unittest.TestCase):
    """What reaches the model server is what was allowed, and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.g = WildGuard()

    @classmethod
    def tearDownClass(cls):
        alerts = cls.g.alerts()
        cls.g.__exit__()
        assert not alerts, alerts

    def send(self, data, timeout=1.0):
        """(what came back, the requests that arrived)"""
        self.g.wild.forget()
        out = self.g.raw(data, timeout=timeout)
        return out, [r for kept in self.g.wild.fresh() for r in split(kept)]

    def test_smuggling_in_every_known_way(self):
        hidden = b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
        te = b"Transfer-Encoding: chunked\r\n"
        length = b"Content-Length: %d\r\n" % len(GOOD)
        tricks = {
            "CL.TE": HEAD + b"Content-Length: %d\r\n" % (len(chunked) + len(hidden)) + te + b"\r\n" + chunked + hidden,
            "TE.CL": HEAD + te + b"Content-Length: 4\r\n\r\n" + chunked + hidden,
            "two lengths": HEAD + length + b"Content-Length: 0\r\n\r\n" + GOOD + hidden,
            "the same length twice": HEAD + length + length + b"\r\n" + GOOD,
            "a list of lengths": HEAD + b"Content-Length: %d, %d\r\n\r\n" % (len(GOOD), len(GOOD)) + GOOD,
            "a sign": HEAD + b"Content-Length: +%d\r\n\r\n" % len(GOOD) + GOOD,
            "hex": HEAD + b"Content-Length: 0x10\r\n\r\n" + GOOD,
            "space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n" + length + b"\r\n" + GOOD,
            "vertical tab": HEAD + b"Transfer-Encoding:\x0bchunked\r\n" + length + b"\r\n" + GOOD + hidden,
            "quoted": HEAD + b'Transfer-Encoding: "chunked"\r\n' + length + b"\r\n" + GOOD + hidden,
            "two codings": HEAD + te + b"Transfer-Encoding: identity\r\n\r\n" + chunked + hidden,
            "a list": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + chunked + hidden,
            "identity": HEAD + b"Transfer-Encoding: identity\r\n" + length + b"\r\n" + GOOD + hidden,
            "a line folded": HEAD + b"Transfer-Encoding:\r\n chunked\r\n" + length + b"\r\n" + GOOD + hidden,
            "a header folded": HEAD + b"X-A: b\r\n Transfer-Encoding: chunked\r\n" + length + b"\r\n" + GOOD + hidden,
            "bare line feeds": HEAD.replace(b"\r\n", b"\n") + length.replace(b"\r\n", b"\n") + b"\n" + GOOD,
            "bare return": HEAD + b"X-A: b\rTransfer-Encoding: chunked\r\n" + length + b"\r\n" + GOOD,
            "NUL": HEAD + b"X-A: b\0c\r\n" + length + b"\r\n" + GOOD,
            "no name": HEAD + b": chunked\r\n" + length + b"\r\n" + GOOD,
            "underscores": HEAD + b"Content_Length: 5\r\nTransfer_Encoding: chunked\r\n" + length + b"\r\n" + GOOD,
            "chunk extension": HEAD + te + b"\r\n%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD),
            "chunk extension with a line feed": HEAD + te + b"\r\n%x;a=\nb\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD) + hidden,
            "chunk size with a sign": HEAD + te + b"\r\n+%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD) + hidden,
            "chunk size in hex": HEAD + te + b"\r\n0x%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD) + hidden,
            "chunk size that wraps": HEAD + te + b"\r\n10000000000000038\r\n%s\r\n0\r\n\r\n" % GOOD + hidden,
            "chunk without its end": HEAD + te + b"\r\n%x\r\n%s0\r\n\r\n" % (len(GOOD), GOOD) + hidden,
            "chunk with a bare line feed": HEAD + te + b"\r\n%x\n%s\n0\n\n" % (len(GOOD), GOOD),
            "trailers": HEAD + te + b"\r\n%x\r\n%s\r\n0\r\nContent-Length: 5\r\nX-Api-Key: k\r\n\r\n" % (len(GOOD), GOOD),
            "a request behind": ask() + hidden,
            "HTTP/0.9": b"POST /v1/chat/completions\r\n\r\n" + GOOD,
            "HTTP/2.0": HEAD.replace(b"HTTP/1.1", b"HTTP/2.0") + length + b"\r\n" + GOOD,
            "a proxy's line": HEAD.replace(b" /v1", b" http://evil/v1") + length + b"\r\n" + GOOD,
            "another host": HEAD + b"Host: evil\r\n" + length + b"\r\n" + GOOD,
            "CONNECT": b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
            "TRACE": b"TRACE /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n",
            "h2c": HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n" + length + b"\r\n" + GOOD,
            "hop by hop": HEAD + b"Connection: close, X-Tutela-Id, Content-Length\r\n" + length + b"\r\n" + GOOD,
            "a forged number": HEAD + b"X-Tutela-Id: 00000000000000000000000000000000\r\n" + length + b"\r\n" + GOOD,
        }
        passed = set()
        for name, data in tricks.items():
            with self.subTest(name):
                out, arrived = self.send(data)
                for line, headers, body in arrived:
                    self.assertEqual((line, body), (b"POST /v1/chat/completions HTTP/1.1", GOOD))
                    self.assertNotEqual(headers.get(b"x-tutela-id"), b"0" * 32)
                    self.assertFalse({b"transfer-encoding", b"upgrade", b"http2-settings", b"x-api-key", b"te"} & set(headers), headers)
                ok = [s for s in statuses(out) if s == 200]
                self.assertEqual(len(ok), len(arrived), out[:300])
                self.assertLessEqual(len(arrived), 1)
                if arrived:
                    passed.add(name)
        # What is unusual and understood alike by everybody.
        self.assertLessEqual(passed, {"underscores", "chunk extension", "bare line feeds", "chunk with a bare line feed", "trailers", "a request behind", "a proxy's line", "hop by hop",
                                      "a forged number", "no name", "space before the colon", "HTTP/2.0"}, passed)
        for name in ("CL.TE", "TE.CL", "two lengths", "two codings", "a line folded", "NUL", "h2c", "another host", "chunk size with a sign"):
            self.assertNotIn(name, passed)

    def test_a_flood_of_pipelined_requests(self):
        bad = GOOD.replace(b'"m"', b'"other"')
        out, arrived = self.send((ask() + ask(bad)) * 300, timeout=5)
        self.assertEqual(statuses(out), [200, 403] * 300)
        self.assertEqual([body for _, _, body in arrived], [GOOD] * 300)

    def test_headers_without_end(self):
        for name, data in {
            "many": b"".join(b"X-%d: a\r\n" % i for i in range(20000)),
            "one long": b"X-A: " + b"a" * (1 << 20) + b"\r\n",
            "a long name": b"X" * 70000 + b": a\r\n",
            "a long line": None,
        }.items():
            with self.subTest(name):
                whole = HEAD + data + b"Content-Length: 0\r\n\r\n" if data else b"POST /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
                try:
                    out, arrived = self.send(whole)
                except OSError:
                    out, arrived = b"", []
                self.assertEqual(arrived, [])
                self.assertNotIn(200, statuses(out))
        self.assertEqual(self.g.chat("others are served").status, 200)

    def test_bodies_that_are_too_long(self):
        out, arrived = self.send(HEAD + b"Content-Length: 4000000000\r\n\r\n{")
        self.assertEqual((statuses(out), arrived), ([413], []))
        self.assertIn(b'"type":"guard"', out)
        out, arrived = self.send(HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{")
        self.assertEqual((statuses(out), arrived), ([400], []))
        self.g.wild.forget()
        with socket.create_connection(("127.0.0.1", self.g.port), timeout=20) as s:
            out = b""
            try:
                s.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(200):
                    s.sendall(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
            except OSError:
                pass
            try:
                out = s.recv(65536)
            except OSError:
                pass
        self.assertEqual((statuses(out), self.g.wild.fresh()), ([413], []), "chunks beyond the cap")
        self.assertEqual(self.g.chat("others are served").status, 200)

    def test_compressed_requests(self):
        bomb = gzip.compress(b"0" * (64 << 20))
        for coding, body in (("gzip", gzip.compress(GOOD)), ("gzip", bomb), ("deflate", zlib.compress(GOOD)), ("br", b"\x0b\x02\x80"), ("identity, gzip", gzip.compress(GOOD)), ("x-gzip", gzip.compress(GOOD))):
            with self.subTest(coding):
                start = time.monotonic()
                out, arrived = self.send(ask(body, b"Content-Encoding: %s\r\n" % coding.encode()))
                self.assertEqual((statuses(out), arrived), ([415], []))
                self.assertLess(time.monotonic() - start, 3)
        out, arrived = self.send(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
        self.assertNotIn(200, statuses(out))
        self.assertEqual(arrived, [])

    def test_what_a_server_would_believe_or_answer_in_parts_stays_here(self):
        names = (b"Range", b"If-Range", b"If-None-Match", b"If-Modified-Since", b"TE", b"Cookie", b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Real-IP", b"Accept-Encoding")
        out, arrived = self.send(ask(more=b"".join(b"%s: bytes=0-10\r\n" % name for name in names)))
        self.assertEqual((statuses(out), len(arrived)), ([200], 1))
        self.assertFalse({n.lower() for n in names} & set(arrived[0][1]), arrived[0][1])

    def test_clients_credentials_stay_here(self):
        secret = b"k-" + b"s" * 30
        out, arrived = self.send(ask(more=b"".join(b"%s: %s\r\n" % (name, secret) for name in (b"X-Api-Key", b"Api-Key", b"Authorization", b"Proxy-Authorization"))))
        self.assertEqual(statuses(out), [200])
        self.assertNotIn(secret, b"".join(self.g.wild.fresh()))
        self.assertEqual(len(arrived), 1)


class Http2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = WildGuard(start=False)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key", "-out", "server.pem", "-days", "2", "-subj", "/CN=localhost"],
                       cwd=cls.g.system, check=True, capture_output=True)
        cls.g.write(cls.g.policy, QUICK + "  tls:\n    certificate: server.pem\n    key: server.key\n")
        cls.g.up()

    @classmethod
    def tearDownClass(cls):
        alerts = cls.g.alerts()
        cls.g.__exit__()
        assert not alerts, alerts

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", self.g.port), timeout=10))
        self.addCleanup(s.close)
        config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
        c = h2.connection.H2Connection(config)
        c.initiate_connection()
        s.sendall(c.data_to_send())
        return s, c

    def head(self, *more):
        return [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", CHAT), ("content-type", "application/json"), *more]

    def talk(self, s, c, seconds=5, until=None):
        """Status of each stream, ends of the connection."""
        found, resets, end = {}, set(), time.monotonic() + seconds
        s.settimeout(0.5)
        while time.monotonic() < end:
            try:
                data = s.recv(65536)
            except socket.timeout:
                if until and until(found, resets):
                    break
                continue
            except OSError:
                return found, resets, True
            if not data:
                return found, resets, True
            try:
                events = c.receive_data(data)
            except h2.exceptions.ProtocolError: # more of it behind the end of the connection
                return found, resets, True
            for e in events:
                if isinstance(e, h2.events.ResponseReceived):
                    found[e.stream_id] = int(dict(e.headers)[b":status"])
                elif isinstance(e, h2.events.StreamReset):
                    resets.add(e.stream_id)
                elif isinstance(e, h2.events.DataReceived):
                    c.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
                elif isinstance(e, h2.events.ConnectionTerminated):
                    return found, resets, True
            s.sendall(c.data_to_send())
            if until and until(found, resets):
                break
        return found, resets, False

    def others(self):
        s, c = self.connect()
        c.send_headers(1, self.head())
        c.send_data(1, GOOD, end_stream=True)
        s.sendall(c.data_to_send())
        found, _, _ = self.talk(s, c, until=lambda f, r: f)
        self.assertEqual(found, {1: 200})

    def test_rapid_reset(self):
        s, c = self.connect()
        sent = 0
        self.g.wild.forget()
        try:
            for i in range(20000):
                stream = 2 * i + 1
                c.send_headers(stream, self.head())
                c.reset_stream(stream)
                sent += 1
                if i % 50 == 49:
                    s.sendall(c.data_to_send())
        except (OSError, h2.exceptions.ProtocolError):
            pass
        found, _, is_ended = self.talk(s, c, until=lambda f, r: False)
        self.assertTrue(is_ended, "a connection has at most a thousand of them")
        self.assertEqual(found, {})
        self.assertEqual(self.g.wild.fresh(), [])
        self.others()

    def test_a_flood_of_settings_and_pings(self):
        for frame in (b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x08\x06\0\0\0\0\0" + b"12345678"):
            s, c = self.connect()
            try:
                for _ in range(400):
                    s.sendall(frame * 500)
            except OSError:
                pass
            self.others()

    def test_headers_that_go_on_and_on(self):
        s, c = self.connect()
        block = c.encoder.encode(self.head())
        out = len(block).to_bytes(3, "big") + b"\x01\0" + (1).to_bytes(4, "big") + block
        more = c.encoder.encode([("x-%d" % i, "a" * 50) for i in range(200)])
        rss = [int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[1]) for pid in self.g.workers()]
        try:
            s.sendall(out)
            for _ in range(2000):
                s.sendall(len(more).to_bytes(3, "big") + b"\x09\0" + (1).to_bytes(4, "big") + more)
        except OSError:
            pass
        self.others()
        after = [int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[1]) for pid in self.g.workers()]
        self.assertLess(max(after) - max(rss), 4096, "pages: CONTINUATION without end costs no memory")

    def test_a_head_that_cannot_be_written_in_http_1(self):
        self.g.wild.forget()
        for more in ([("content-length", "5")], [("transfer-encoding", "chunked")], [("x-a", "b\r\nX-Evil: 1")], [("x-a\r\nx-evil", "b")], [("connection", "upgrade")], [("X-Upper", "a")], [("x-a", "b\0")],
                     [(":path", "/admin")], [("host", "evil")]):
            with self.subTest(more):
                s, c = self.connect()
                c.send_headers(1, self.head(*more))
                c.send_data(1, GOOD, end_stream=True)
                s.sendall(c.data_to_send())
                found, resets, is_ended = self.talk(s, c, until=lambda f, r: f or r)
                for kept in self.g.wild.fresh():
                    for line, headers, body in split(kept):
                        self.assertEqual((line, body), (b"POST /v1/chat/completions HTTP/1.1", GOOD))
                        self.assertNotIn(b"x-evil", headers)
                        self.assertNotIn(b"transfer-encoding", headers)
                        self.assertNotEqual(headers.get(b"host"), b"evil")

    def test_many_streams_that_send_no_body(self):
        s, c = self.connect()
        for i in range(100):
            c.send_headers(2 * i + 1, self.head())
        s.sendall(c.data_to_send())
        self.others()
        start = time.monotonic()
        found, resets, is_ended = self.talk(s, c, seconds=10, until=lambda f, r: len(f) + len(r) >= 100)
        self.assertTrue(is_ended or len(found) + len(resets) >= 100, (len(found), len(resets)))
        self.assertLess(time.monotonic() - start, 8)
        self.assertNotIn(200, found.values())

    def test_readers_that_give_no_window(self):
        def way(upstream):
            upstream.sendall(STREAM)
            for _ in range(200):
                upstream.sendall(piece(event("word " * 400)))
            upstream.sendall(piece(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        self.g.wild.ways["stream"] = way
        s, c = self.connect()
        c.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        for i in range(50):
            c.send_headers(2 * i + 1, self.head(("x-wild", "stream")))
            c.send_data(2 * i + 1, GOOD, end_stream=True)
        s.sendall(c.data_to_send())
        self.others()
        start = time.monotonic()
        found, resets, is_ended = self.talk(s, c, seconds=15, until=lambda f, r: len(r) >= 50)
        self.assertTrue(is_ended or len(resets) == 50, (len(found), len(resets)))
        self.assertLess(time.monotonic() - start, 10)

    def test_a_body_over_http_2_byte_by_byte(self):
        s, c = self.connect()
        c.send_headers(1, self.head())
        start, is_ended = time.monotonic(), False
        s.settimeout(0.3)
        while time.monotonic() - start < 15 and not is_ended:
            try:
                c.send_data(1, b" ")
                s.sendall(c.data_to_send())
                data = s.recv(65536)
                is_ended = not data or any(isinstance(e, (h2.events.StreamReset, h2.events.StreamEnded, h2.events.ConnectionTerminated)) for e in c.receive_data(data))
            except socket.timeout:
                pass
            except (OSError, h2.exceptions.ProtocolError):
                is_ended = True
        self.assertTrue(is_ended)
        self.assertLess(time.monotonic() - start, 8)


class Upstream(unittest.TestCase):
    """A model server that misbehaves: never a byte that was not looked at, and an end that a client understands."""

    @classmethod
    def setUpClass(cls):
        cls.g = WildGuard(QUICK + "  checks:\n    injection: allow\n")

    @classmethod
    def tearDownClass(cls):
        alerts = cls.g.alerts()
        cls.g.__exit__()
        assert not alerts, alerts

    def ask(self, way, timeout=10):
        """(status, bytes, whether the answer says itself that it is whole)"""
        self.g.wild.ways["it"] = way
        out = self.g.raw(ask(more=b"X-Wild: it\r\nConnection: close\r\n"), timeout=timeout)
        self.assertNotIn(KEY[8:30].encode(), out)
        self.assertNotIn(b"40417", out)
        head, _, body = out.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        is_whole = len(body) == int(length.group(1)) if length else body.endswith(b"0\r\n\r\n")
        self.assertLessEqual(len(statuses(out)), 1, out)
        return (statuses(out) or [0])[0], out, is_whole

    def refused(self, way, status=502, timeout=10):
        code, out, is_whole = self.ask(way, timeout)
        self.assertEqual((code, is_whole), (status, True), out[:300])
        self.assertIn(b'"error"', out)

    def closed(self, data):
        """nginx ends the connection by itself: an answer that was begun says an error, else there is none."""
        code, out, is_whole = self.ask(lambda s: (s.sendall(data), False)[1])
        self.assertTrue((code, out) == (0, b"") or (code == 502 and is_whole and b'"error"' in out), out[:300])

    def test_no_answer_at_all(self):
        self.refused(lambda s: False)
        self.refused(lambda s: (reset(s), False)[1])
        self.refused(lambda s: time.sleep(4), 504)

    def test_garbage_instead_of_a_head(self):
        key = KEY.encode()
        for data in (b"garbage " + key + b"\r\n\r\n", b"\0" * 100, b"HTTP/9.9 abc\r\n\r\n" + key, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000 + b"\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: x\n\n" + key):
            with self.subTest(data[:40]):
                self.refused(lambda s: (s.sendall(data), False)[1])
        self.closed(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + key)

    def test_an_endless_head(self):
        def way(s):
            s.sendall(b"HTTP/1.1 200 OK\r\n")
            for i in range(100000):
                s.sendall(b"X-%d: %s\r\n" % (i, KEY.encode()))
            return False
        self.refused(way)

    def test_a_head_that_comes_byte_by_byte_and_never_ends(self):
        def way(s):
            for b in b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1000:
                s.sendall(bytes([b]))
                time.sleep(0.5)
            return False
        start = time.monotonic()
        code, out, _ = self.ask(way, timeout=40)
        self.assertIn(code, (502, 504))
        self.assertLess(time.monotonic() - start, 30)

    def test_a_document_that_is_cut(self):
        whole = answer(chat("key " + KEY))
        for end in (len(whole) - 1, len(whole) - 40, len(whole) - len(chat("key " + KEY))):
            for how in (lambda s: False, lambda s: (reset(s), False)[1]):
                with self.subTest(end=end):
                    self.refused(lambda s: (s.sendall(whole[:end]), how(s))[1])
        self.refused(lambda s: (s.sendall(whole[:-5]), time.sleep(4))[1])
        chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.refused(lambda s: (s.sendall(chunked + piece(chat("x"))), False)[1])
        self.closed(chunked + b"zz\r\n" + chat("key " + KEY) + b"\r\n0\r\n\r\n")

    def test_a_document_until_the_end_of_the_connection(self):
        head = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
        code, out, is_whole = self.ask(lambda s: (s.sendall(head + chat("key " + KEY)), False)[1])
        self.assertEqual((code, is_whole), (200, True), out)
        self.refused(lambda s: (s.sendall(head + chat("key " + KEY)[:-3]), False)[1])

    def test_a_stream_that_dies(self):
        for end in (b"", event("the key is " + KEY)[:60], event("the key is " + KEY[:12])):
            for how in (lambda s: False, lambda s: (reset(s), False)[1], lambda s: time.sleep(4)):
                with self.subTest(end=end):
                    def way(s):
                        s.sendall(STREAM + piece(event("one two ")) + (piece(end) if end else b""))
                        time.sleep(0.1)
                        return how(s)
                    code, out, is_whole = self.ask(way)
                    self.assertEqual(code, 200)
                    self.assertFalse(is_whole and b'"error"' not in out, "nobody must take it for the whole: %r" % out[-200:])
                    self.assertNotIn(b"[DONE]", out)
                    self.assertIn(b"one", out)

    def test_a_stream_that_is_none(self):
        for data in (b"garbage\n\n", b"data: {\n\n", b"data: [1]\n\n", b"data: \xff\xfe\n\n", b"data: " + KEY.encode() + b"\n\n", b"data: " + b"{" * 100 + b"\n\n", b'data: {"a":1,"a":2}\n\n', b"\0\0\0\n\n"):
            with self.subTest(data):
                code, out, is_whole = self.ask(STREAM + piece(data) + piece(event("the key is " + KEY)) + b"0\r\n\r\n")
                body = out.partition(b"\r\n\r\n")[2]
                # A line that is no field is none to readers of events either, and is left out.
                self.assertTrue(b'"error"' in body or not is_whole or b"16C7" not in data, out)
                self.assertNotIn(data.strip() if data != b"data: {\n\n" else b"data: {\n", body)

    def test_letters_cut_between_chunks(self):
        text = "Grüße, 你好, 🦔 " * 3
        data = event(text.encode()) + b"data: [DONE]\n\n"
        way = STREAM + b"".join(piece(bytes([b])) for b in data) + b"0\r\n\r\n"
        self.g.wild.ways["it"] = way
        got = self.g.send("POST", CHAT, GOOD, {"Content-Type": "application/json", "X-Wild": "it"})
        self.assertEqual(said(got), text)

    def test_an_event_that_is_too_long(self):
        big = event("word " * 1200000)
        code, out, is_whole = self.ask(lambda s: (s.sendall(STREAM + piece(big) + b"0\r\n\r\n"), False)[1], timeout=20)
        self.assertIn(b'"error"', out)
        self.assertLess(len(out), 1 << 20)
        def endless(s):
            s.sendall(STREAM)
            for _ in range(20000):
                s.sendall(piece(b"data: " + b"a" * 65536))
            return False
        code, out, _ = self.ask(endless, timeout=20)
        self.assertLess(len(out), 1 << 20)

    def test_a_document_that_is_too_long(self):
        def way(s):
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + piece(b'{"a":"'))
            for _ in range(2000):
                s.sendall(piece(b"word " * 20000))
            return False
        self.refused(way, timeout=60)

    def test_compressed_though_not_asked_for(self):
        body = gzip.compress(chat("key " + KEY))
        self.refused(answer(body, more=b"Content-Encoding: gzip\r\n"))
        self.refused(answer(body))
        self.refused(answer(body, more=b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"))
        self.refused(answer(zlib.compress(chat("key " + KEY)), more=b"Content-Encoding: deflate\r\n"))
        self.refused(answer(gzip.compress(event("key " + KEY)), "text/event-stream", b"Content-Encoding: gzip\r\n"))
        self.refused(answer(gzip.compress(b"0" * (64 << 20)), more=b"Content-Encoding: gzip\r\n"))

    def test_answers_behind_the_answer(self):
        second = answer(chat("key " + KEY))
        for way in (answer(chat("fine")) + second, STREAM + piece(event("fine")) + piece(b"data: [DONE]\n\n") + b"0\r\n\r\n" + second, b"HTTP/1.1 204 No Content\r\n\r\n" + second, b"HTTP/1.1 304 Not Modified\r\n\r\n" + second,
                    answer(b"", status=b"302 Found", more=b"Location: http://evil/\r\n") + second):
            code, out, _ = self.ask(way, timeout=3)
            again = self.g.raw(ask(more=b"Connection: close\r\n"), timeout=3)
            self.assertEqual(statuses(again), [200])
            self.assertIn(b"fine", again, "the next one gets an answer of its own")

    def test_words_before_the_answer(self):
        for first in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <" + KEY.encode() + b">\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + KEY.encode()):
            code, out, _ = self.ask(lambda s: (s.sendall(first + answer(chat("fine"))), False)[1], timeout=4)
            self.assertNotIn(b"101 Switching", out)

    def test_headers_of_the_server_stay_behind(self):
        more = b"X-Request-Id: r-1\r\nX-Ratelimit-Remaining: 5\r\nSet-Cookie: a=b\r\nX-Other: c\r\nServer: model/1\r\nX-Powered-By: d\r\nOpenai-Version: %s\r\n" % (b"e" * 200)
        code, out, _ = self.ask(answer(chat("fine"), more=more))
        head = out.partition(b"\r\n\r\n")[0].lower()
        for name, is_there in ((b"x-request-id: r-1", True), (b"x-ratelimit-remaining", True), (b"set-cookie", False), (b"x-other", False), (b"model/1", False), (b"x-powered", False), (b"eee", False)):
            self.assertEqual(name in head, is_there, head)
        self.refused(answer(chat("fine"), status=b"302 Found", more=b"Location: http://evil.example/\r\n"))
        self.refused(answer(chat("fine"), status=b"307 Temporary Redirect", more=b"Location: http://evil.example/%s\r\n" % KEY.encode()))

    def test_trailers_and_headers_that_carry_text(self):
        way = STREAM.replace(b"\r\n\r\n", b"\r\nTrailer: X-Secret\r\n\r\n") + piece(event("fine")) + b"0\r\nX-Secret: %s\r\n\r\n" % KEY.encode()
        self.ask(way, timeout=4)

    def test_a_canary_in_pieces_over_slow_chunks(self):
        def way(s):
            s.sendall(STREAM)
            for part in ("so ", *CANARY, " more"):
                s.sendall(piece(event(part)))
                time.sleep(0.01)
            s.sendall(piece(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        code, out, _ = self.ask(way)
        self.assertIn(b'"code":"blocked"', out)


if __name__ == "__main__":
    unittest.main()
