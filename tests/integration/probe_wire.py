"""What can go wrong on the way to a service: TLS with an authority of one's own and everything that breaks it, answers that are cut
off, drip, grow without end or lead elsewhere. Each is one clear line, and nothing is taken for an answer that is none."""
import json
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "guard"))
from guard_clients import TLS, make_certificates, openssl
from live import POLICY, Guard
from probe_targets import ANSWERED, FAILED, Base

OUTPUTS = json.dumps({"outputs": [{"name": "p", "datatype": "FP32", "shape": [1, 3], "data": [0.25, 0.25, 0.5]}]}).encode()
HEAD = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"


class Raw:
    """A server of bytes: `answer` gets each connection with the head and body of a request, and says whether it goes on."""

    def __init__(self, case, answer, host="127.0.0.1"):
        self.requests = []
        self.socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port, self.answer = self.socket.getsockname()[1], answer
        case.addCleanup(self.socket.close)
        case.addCleanup(self.shut)
        threading.Thread(target=self.accept, daemon=True).start()

    def shut(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection, connection.makefile("rb") as file:
                while True:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        line = file.readline()
                        if not line:
                            return
                        head += line
                    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    body = file.read(int(length[0].split(b":")[1])) if length else b""
                    self.requests.append((head, body))
                    if head.startswith(b"GET"):  # there are no metadata
                        connection.sendall(HEAD % (404, b"None") + b"Content-Length: 2\r\n\r\n{}")
                    elif not self.answer(connection, body):
                        return
        except OSError:
            pass

    def posts(self):
        return [h for h, _ in self.requests if h.startswith(b"POST")]


def whole(more=b""):
    return HEAD % (200, b"OK") + more + b"Content-Length: %d\r\n\r\n" % len(OUTPUTS) + OUTPUTS


class Wire(Base):
    def at(self, server, host="127.0.0.1"):
        return "http://%s:%d/v2/models/m/infer" % (host, server.port)

    def ask_raw(self, answer, count=3, host="127.0.0.1", **more):
        self.server = Raw(self, answer, host)
        where = "[%s]" % host if ":" in host else host
        return self.tool("predict", self.at(self.server, where), data=self.rows(count), batch=1, concurrency=1, **{"tries": 2, **more})

    def assert_failed(self, d, words, count=3):
        self.assertEqual(d["answered"], [FAILED] * count, d)
        self.assertIn(words, d["problem"])
        self.assertEqual(d["failed"], count)

    def test_chunks_that_break_off_are_no_answer(self):
        def cut(c, body):
            c.sendall(HEAD % (200, b"OK") + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(OUTPUTS) + OUTPUTS + b"\r\n")
            return False  # no last chunk: it may have been longer

        self.assert_failed(self.ask_raw(cut), "an answer broke off: ")
        self.assert_failed(self.ask_raw(lambda c, b: c.sendall(HEAD % (200, b"OK") + b"Transfer-Encoding: chunked\r\n\r\n4\r\n{\"ou") or False),
                           "an answer broke off: ")
        d = self.ask_raw(lambda c, b: c.sendall(HEAD % (200, b"OK") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n") or False)
        self.assert_failed(d, "chunk")

    def test_a_connection_that_is_closed_between_requests_costs_nothing(self):
        d = self.ask_raw(lambda c, b: c.sendall(whole()) or False, count=12)  # keep-alive is promised, and broken
        self.assertEqual(d["answered"], [ANSWERED] * 12, d["problem"])
        self.assertIn(len(self.server.posts()), (13, d["queries"]), "and the first row once more")

    def test_a_continue_that_nobody_asked_for_is_no_answer(self):
        d = self.ask_raw(lambda c, b: c.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + whole()) or True)
        self.assertEqual(d["answered"], [ANSWERED] * 3, d["problem"])
        self.assertFalse([h for h in self.server.posts() if b"Expect" in h])

    def test_redirects_are_told_and_not_followed(self):
        other = Raw(self, lambda c, b: c.sendall(whole()) or True)
        where = "http://127.0.0.2:%d/elsewhere" % other.port
        for status in (301, 302, 303, 307, 308):
            d = self.ask_raw(lambda c, b: c.sendall(HEAD % (status, b"Moved") + b"Location: %s?key=secret\r\nContent-Length: 0\r\n\r\n" % where.encode()) or True)
            self.assertEqual(d["status"], "USAGE")
            self.assertIn("redirects (HTTP %d to %s, which is not followed)" % (status, where), d["error"])
            self.assertNotIn("secret", json.dumps(d))
        seen = []

        def later(c, body):
            seen.append(1)
            c.sendall(whole() if len(seen) == 1 else HEAD % (307, b"Moved") + b"Location: %s\r\nContent-Length: 0\r\n\r\n" % where.encode())
            return True

        d = self.ask_raw(later)
        self.assertEqual(d["answered"], [ANSWERED, FAILED, FAILED])
        self.assertEqual(d["problem"], "HTTP 307 to %s, which is not followed" % where)
        self.assertEqual(other.requests, [], "nobody came")

    def test_heads_without_end_are_cut_off(self):
        def flood(c, body):
            c.sendall(b"HTTP/1.1 200 OK\r\n")
            for i in range(200000):
                c.sendall(b"X-%06d: %s\r\n" % (i, b"x" * 1000))
            return False

        begun = time.monotonic()
        text = self.tool("ask", "http://127.0.0.1:%d/v1/chat/completions" % Raw(self, flood).port, asks=self.asks("x"), tries=1)
        self.assertIn("cannot be asked", text["error"])
        self.assertLess(time.monotonic() - begun, 30)
        d = self.ask_raw(lambda c, b: c.sendall(whole(b"".join(b"X-%d: %s\r\n" % (i, b"y" * 500) for i in range(100)))) or True)
        self.assertEqual(d["answered"], [ANSWERED] * 3, "50 KB of headers are many and no reason")

    def test_a_drip_ends_with_the_time(self):
        def drip(c, body):
            c.sendall(HEAD % (200, b"OK") + b"Content-Length: 1000\r\n\r\n")
            for _ in range(1000):
                c.sendall(b" ")
                time.sleep(0.05)
            return False

        begun = time.monotonic()
        self.assert_failed(self.ask_raw(drip, timeout=700), "an answer broke off: it was not whole in time")
        self.assertLess(time.monotonic() - begun, 30)

        def drip_head(c, body):
            for byte in HEAD % (200, b"OK") * 20:
                c.sendall(bytes([byte]))
                time.sleep(0.05)
            return False

        self.assert_failed(self.ask_raw(drip_head, timeout=700), "no answer in time")

    def test_what_is_no_http_is_told(self):
        for answer in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x01\x02\x03" * 10, b"HTTP/9.9 200 OK\r\n\r\n", b"",
                       HEAD % (200, b"OK") + b"Content-Length: -5\r\n\r\n{}", HEAD % (200, b"OK") + b"Content-Length: 99999999999999999999\r\n\r\n{}"):
            d = self.ask_raw(lambda c, b: c.sendall(answer) or False, count=1)
            self.assertNotEqual(d["answered"], [ANSWERED], (answer, d))
            words = d.get("error") or d["problem"]
            self.assertTrue(words and "\n" not in words and "\x00" not in words, (answer, d))

    def test_ipv6_of_this_machine(self):
        try:
            d = self.ask_raw(lambda c, b: c.sendall(whole()) or True, host="::1")
        except OSError:
            self.skipTest("there is no IPv6 here")
        self.assertEqual(d["answered"], [ANSWERED] * 3, d["problem"])
        self.start_server(0, "::1")
        d = self.tool("attack", "odd-input/bodies", "http://[::1]:%d/ok/v2/models/m/infer" % self.port)
        self.assertEqual(d["value"], 0, d["exposed"])
        d = self.tool("attack", "load/floods", "http://[::1]:%d/ok/v2/models/m/infer" % self.port, steps=1)
        self.assertEqual(len(d["exposed"]), 5)
        self.assertIn("a limit by address", d["reason"])
        for place in ("http://[::1].example.org/v2/models/m/infer", "http://[::2]/v2/models/m/infer", "http://[::1/v2/models/m/infer"):
            self.assertRegex(self.tool("predict", place, data=self.rows(3), expect=1), "--i-am-authorised-to-test")


class Secure(Base):
    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.keep.name)
        make_certificates(cls.at)
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        for name, names, days in (("late", "DNS:localhost,IP:127.0.0.1", "-1"), ("elsewhere", "DNS:elsewhere.example", "2")):
            openssl(cls.at, "req", *new, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
            (cls.at / "names").write_text("subjectAltName=" + names + "\n")
            openssl(cls.at, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-extfile", "names",
                    "-out", name + ".pem")

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def serve(self, name):
        self.start_server(0, "127.0.0.1", str(self.at / (name + ".pem")), str(self.at / (name + ".key")))
        return "https://127.0.0.1:%d/ok/v2/models/m/infer" % self.port

    def refused(self, place, **more):
        """One line, at once."""
        begun = time.monotonic()
        text = self.tool("predict", place, data=self.rows(3), expect=1, **more)
        self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        return text

    def test_an_authority_of_ones_own_is_named(self):
        place = self.serve("server")
        self.assert_probabilities(self.tool("predict", place, data=self.rows(30), ca_file=self.at / "ca.pem"))
        text = self.refused(place)
        self.assertIn("cannot be asked: SSL certificate problem: unable to get local issuer certificate; where its CA is your own, name the CA's file (ca_file)", text)
        self.assertIn("issuer certificate", self.refused(place, ca_file=self.at / "foreign-ca.pem"))
        both = self.tmp / "both.pem"
        both.write_bytes((self.at / "foreign-ca.pem").read_bytes() + (self.at / "ca.pem").read_bytes())
        self.assert_probabilities(self.tool("predict", place, data=self.rows(3), ca_file=both))
        d = self.tool("attack", "load/floods", place, steps=1, ca_file=self.at / "ca.pem")
        self.assertGreater(d["value"], 0.5, d)
        d = self.tool("attack", "odd-input/bodies", place, ca_file=self.at / "ca.pem")
        self.assertEqual(d["value"], 0, d["exposed"])

    def test_a_certificate_that_is_over_or_of_another_is_told(self):
        self.assertIn("certificate has expired", self.refused(self.serve("late"), ca_file=self.at / "ca.pem"))
        text = self.refused(self.serve("elsewhere"), ca_file=self.at / "ca.pem")
        self.assertRegex(text, "(no alternative certificate subject name matches|does not match) target host name '127.0.0.1'")

    def test_a_handshake_that_breaks_is_told(self):
        def half(connection):
            connection.recv(65536)
            connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")  # a server's hello, as far as it comes
            connection.close()

        for how in (half, lambda c: (c.recv(65536), c.close())):
            with socket.create_server(("127.0.0.1", 0)) as server:
                def accept():
                    try:
                        while True:
                            how(server.accept()[0])
                    except OSError:
                        pass

                threading.Thread(target=accept, daemon=True).start()
                text = self.refused("https://127.0.0.1:%d/v2/models/m/infer" % server.getsockname()[1], tries=2)
                self.assertIn("cannot be asked: ", text)
                self.assertIn("it closed the connection amid the handshake", text)
                server.shutdown(socket.SHUT_RDWR)

    def test_plain_http_at_an_https_address_and_the_other_way_round(self):
        self.start_server()
        text = self.refused("https://127.0.0.1:%d/ok/v2/models/m/infer" % self.port, tries=2)
        self.assertIn("it does not speak TLS: http:// instead of https://?", text)
        place = self.serve("server").replace("https:", "http:")
        self.assertIn("cannot be asked: ", self.refused(place, tries=2))

    def test_a_file_of_authorities_that_is_none_is_told(self):
        place, file = self.serve("server"), self.tmp / "ca"
        self.assertIn("No such file", self.refused(place, ca_file=file))
        file.write_text("hello\n")
        self.assertIn("holds no certificate of a CA (PEM)", self.refused(place, ca_file=file))
        file.write_bytes((self.at / "ca.key").read_bytes())
        self.assertIn("holds no certificate of a CA (PEM)", self.refused(place, ca_file=file))
        file.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.assertRegex(self.refused(place, ca_file=file, tries=2), "cannot be asked: .*certificate")

    NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

    @unittest.skipUnless(NGINX, "nginx is not installed")
    def test_a_guard_holds_its_model_server_against_its_name_and_authority(self):
        for name, ca, host, status in (("server", "ca", "localhost", 200), ("server", "foreign-ca", "localhost", 502), ("elsewhere", "ca", "localhost", 502),
                                       ("late", "ca", "localhost", 502), ("server", None, "localhost", 502)):
            self.serve(name)
            guard = Guard(start=False)
            try:
                (guard.system / "ca.pem").write_bytes((self.at / ((ca or "ca") + ".pem")).read_bytes())
                guard.write(POLICY.replace("upstream: {upstream}", "upstream: https://%s:%d%s" % (host, self.port, "\n      upstream_ca: ca.pem" if ca else "")))
                guard.up()
                self.assertEqual(guard.chat("hello").status, status, (name, ca, guard.errors()))
            finally:
                guard.__exit__()

    @unittest.skipUnless(NGINX, "nginx is not installed")
    def test_a_guard_calls_its_model_server_by_its_name(self):
        server = Raw(self, lambda c, b: c.sendall(whole()) or True)
        guard = Guard(policy=POLICY.replace("{upstream}", "http://localhost:%d" % server.port))
        self.addCleanup(guard.__exit__)
        guard.chat("hello")
        self.assertIn(b"\r\nHost: localhost:%d\r\n" % server.port, server.posts()[0])

    @unittest.skipUnless(NGINX, "nginx is not installed")
    def test_a_declared_target_behind_a_guard_with_tls(self):
        guard = Guard(start=False)
        self.addCleanup(guard.__exit__)
        for name in ("server.pem", "server.key", "ca.pem", "foreign-ca.pem"):
            (guard.system / name).write_bytes((self.at / name).read_bytes())
        target = ("probe:\n  targets:\n    - id: web\n      at: https://localhost:%d/v1/chat/completions\n      model: m\n      ca_file: ca.pem\n" % guard.port)
        guard.write(POLICY, TLS + target)
        guard.up()
        doc = json.loads(guard.run("probe", "odd-input", "--target", "web", "--no-record", "--format", "json", check=False).stdout)
        attack = doc["attacks"][0]
        self.assertEqual((attack["name"], attack["value"], attack["verdict"]), ("bodies", 0, "pass"), attack)
        done = guard.run("probe", "odd-input", "--target", "web", "--no-record", "--ca-file", str(self.at / "foreign-ca.pem"), check=False)
        self.assertIn("issuer certificate", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 3)
        guard.write(POLICY, TLS + target.replace("ca.pem", "../ca.pem"))
        done = guard.run("probe", "odd-input", "--target", "web", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("ca_file is a file below the folder of tutela.yaml", done.stderr)


if __name__ == "__main__":
    unittest.main()
