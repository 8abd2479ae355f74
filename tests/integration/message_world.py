"""Real servers on this machine for what is told to people: mail (aiosmtpd, or a script on a bare socket) and webhooks."""
import datetime
import hashlib
import hmac
import http.server
import os
import pathlib
import socket
import ssl
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

for name in [k for k in os.environ if k.lower().endswith("_proxy")]:
    del os.environ[name]


def certificate(folder, host="localhost"):
    """A certificate for this host that vouches for itself: files cert.pem and key.pem."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - datetime.timedelta(days=400)).not_valid_after(now + datetime.timedelta(days=900))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    folder = pathlib.Path(folder)
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


class Mail:
    """A mail server by aiosmtpd. `answers` gives, by address, what RCPT is answered: a list is used up, one a try."""

    def __init__(self, tls=None, implicit_tls=False, password=None, answers=None):
        self.letters, self.answers, self.tried, self.password = [], answers or {}, [], password
        outer = self

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                outer.tried.append(address)
                left = outer.answers.get(address)
                if left:
                    return left.pop(0)
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                outer.letters.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content.decode(), session.ssl is not None, session.host_name))
                return "250 taken on"

        def authenticate(server, session, envelope, mechanism, data):
            login, given = data.login.decode(), data.password.decode()
            return AuthResult(success=(login, given) == ("tutela", outer.password), handled=False)

        class Free(Controller):
            def factory(self):
                return SMTP(self.handler, **self.SMTP_kwargs)

        how = {"enable_SMTPUTF8": True}
        if tls and not implicit_tls:
            how.update(tls_context=tls, require_starttls=True)
        if password:
            how.update(authenticator=authenticate, auth_required=True, auth_require_tls=bool(tls))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        extra = {"ssl_context": tls} if implicit_tls else {}
        self.controller = Free(Handler(), hostname="127.0.0.1", port=self.port, **extra, **how) if not implicit_tls else \
            Controller(Handler(), hostname="localhost", port=self.port, ssl_context=tls, **how)
        self.controller.start()

    def stop(self):
        self.controller.stop()


class Script:
    """A server that says what it is told to, line by line, and then closes; None: it says nothing and waits."""

    def __init__(self, lines):
        self.lines, self.seen, self.count = lines, [], 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.over = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.over.is_set():
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        with client:
            client.settimeout(30)
            if self.lines is None:
                self.over.wait(60)
                return
            try:
                for i, line in enumerate(self.lines):
                    client.sendall(line.encode() + b"\r\n")
                    if i + 1 < len(self.lines):
                        self.seen.append(client.recv(4096))
            except OSError:
                pass

    def stop(self):
        self.over.set()
        self.socket.close()


class Hook:
    """A webhook: answers one status after the other, the last for ever; a status of 0 is silence."""

    def __init__(self, *statuses, tls=None, answer=b"ok"):
        self.posts, self.statuses = [], list(statuses) or [200]
        outer, self.over = self, threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((dict(self.headers), body, self.path))
                status = outer.statuses.pop(0) if len(outer.statuses) > 1 else outer.statuses[0]
                if status == 0:
                    outer.over.wait(60)
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def signature_holds(headers, body, key):
    t, v = (part.split("=", 1)[1] for part in headers["Tutela-Signature"].split(","))
    return abs(int(t) - time.time()) < 600 and hmac.compare_digest(v, hmac.new(key, t.encode() + b"." + body, hashlib.sha256).hexdigest())
