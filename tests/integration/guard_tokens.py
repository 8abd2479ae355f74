"""Signed tokens through the guard as it runs, with keys that it fetches: rotation, a key server that fails or lies."""
import http.server
import json
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.environ.get("TUTELA_SOURCE", os.getcwd()), "tests", "guard"))
from live import Guard  # noqa: E402

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec
    from jwt.algorithms import ECAlgorithm
except ImportError:
    print("python3-jwt is not installed: left out")
    sys.exit(77)

POLICY = """schema: tutela.system/1
system:
  name: tokens
  purpose: tests
guard:
  listen: 127.0.0.1:{{port}}
  workers: 2
  jwt:
    jwks: fetched.json
    jwks_url: http://127.0.0.1:{keys}/jwks
    refresh: 1
    issuer: https://id.example
    audience: guard
  routes:
    - id: chat
      path: /v1/chat/completions
      protocol: openai-chat
      upstream: {{upstream}}
  clients:
    - id: staff
      jwt:
        claims:
          team: ops
"""


class Issuer:
    def __init__(self):
        self.keys, self.body, self.status, self.asked = {}, None, 200, 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = issuer.body if issuer.body is not None else json.dumps({"keys": [issuer.public(k) for k in issuer.keys]}).encode()
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def public(self, kid):
        return dict(json.loads(ECAlgorithm.to_jwk(self.keys[kid].public_key())), kid=kid, use="sig", alg="ES256")

    def new(self, kid):
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def token(self, kid, key=None):
        now = int(time.time())
        claims = {"iss": "https://id.example", "aud": "guard", "sub": "ann", "team": "ops", "iat": now, "exp": now + 600}
        return {"Authorization": "Bearer " + jwt.encode(claims, key or self.keys[kid], algorithm="ES256", headers={"kid": kid})}


class Tokens(unittest.TestCase):
    def test_keys_are_fetched_rotated_and_never_replaced_by_worse(self):
        issuer = Issuer()
        issuer.new("one")
        with Guard(policy=POLICY.format(keys=issuer.server.server_port)) as g:
            def status(kid, key=None):
                return g.chat("x", headers=issuer.token(kid, key)).status
            g.wait(lambda: status("one") == 200)
            self.assertEqual(g.chat("x").status, 401)
            issuer.new("two")
            g.wait(lambda: status("two") == 200, 20)  # with the next look
            self.assertEqual(status("one"), 200)
            thief = ec.generate_private_key(ec.SECP256R1())
            self.assertEqual(status("one", thief), 401)
            old = issuer.keys.pop("one")  # withdrawn
            g.wait(lambda: status("one", old) == 401, 20)
            for body, answer in ((b"<html>", 200), (b'{"keys": []}', 200), (b"", 500)):
                issuer.body, issuer.status = body, answer
                asked = issuer.asked
                g.wait(lambda: issuer.asked > asked, 40)
            time.sleep(1.5)
            self.assertEqual(status("two"), 200, "the keys of before stay in use")
            self.assertIn("those of before stay in use", (g.guard_dir / "keeper.log").read_text())
            issuer.server.shutdown()

    def test_a_reload_begins_and_ends_the_fetching(self):
        issuer = Issuer()
        issuer.new("one")
        policy = POLICY.format(keys=issuer.server.server_port)
        without = policy.replace("    jwks_url: http://127.0.0.1:%d/jwks\n    refresh: 1\n" % issuer.server.server_port, "")
        with Guard(policy=without) as g:
            self.assertEqual(g.chat("x", headers=issuer.token("one")).status, 401)
            g.write(policy)
            g.run("guard", "reload")
            g.wait(lambda: g.chat("x", headers=issuer.token("one")).status == 200, 15)
            g.write(without)
            g.run("guard", "reload")
            g.wait(lambda: not (g.guard_dir / "keys").exists())
            time.sleep(1.5)
            asked = issuer.asked
            time.sleep(2.5)
            self.assertEqual(issuer.asked, asked)
            self.assertEqual(g.chat("x", headers=issuer.token("one")).status, 200)
        issuer.server.shutdown()

    def test_keys_over_the_open_network_are_refused(self):
        policy = POLICY.format(keys=1).replace("http://127.0.0.1:1/jwks", "http://id.example/jwks")
        with Guard(policy=policy, start=False) as g:
            run = g.run("guard", "up", check=False)
            self.assertEqual(run.returncode, 2)
            self.assertIn("https://", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
