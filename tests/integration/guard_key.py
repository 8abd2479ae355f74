"""tutela guard key, and who asks, through the real commands: keys are made, rotated, scoped and refused; tokens are
those of PyJWT, keys of their issuer as it writes them."""
import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
import unittest
import zlib

try:
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
except ImportError:
    jwt = None

TUTELA = os.environ["TUTELA"]
HEAD = """schema: tutela.system/1
system:
  name: x
guard:
  routes:
    - id: chat
      path: /chat
      protocol: openai-chat
    - id: embed
      path: /embed
      protocol: openai-embeddings
"""
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(text)
        os.chmod(os.path.join(self.dir, name), 0o600)

    def run_here(self, *args):
        return subprocess.run([TUTELA, *args], cwd=self.dir, capture_output=True, text=True, timeout=60)

    def ask(self, headers, path="/chat", **more):
        """(action, status, reasons of check client) of one request."""
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]} if path == "/chat" else \
            {"model": "m", "input": "hi"}
        line = {"request": {"path": path, "headers": headers, "body": body}, **more}
        self.write("t.jsonl", json.dumps(line) + "\n")
        run = self.run_here("guard", "test", "t.jsonl", "--format", "json")
        self.assertIn(run.returncode, (0, 1), run.stderr)
        for secret in headers.values():
            self.assertNotIn(secret.split(" ")[-1], run.stdout + run.stderr)
        request = json.loads(run.stdout)["exchanges"][0]["request"]
        why = " ".join(r["detail"] for r in request["reasons"] if r["check"] == "client")
        return request["action"], request.get("status"), why


class Keys(Case):
    def make(self, *args):
        run = self.run_here("guard", "key", *args)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.strip(), run.stderr

    def policy(self, told, more=""):
        """What the command told to paste, pasted."""
        entry = re.search(r"^    - id: .*?(?=\n\n)", told, re.M | re.S).group(0)
        self.write("tutela.yaml", HEAD + "  clients:\n" + entry + "\n" + more)

    def test_the_key_is_alone_on_standard_output_and_told_by_its_digest(self):
        key, told = self.make("web")
        self.assertRegex(key, r"^tut_[0-9A-Za-z]{49}$")
        self.assertNotIn(key, told)
        self.assertIn(hashlib.sha256(key.encode()).hexdigest(), told)
        crc, check = zlib.crc32(key[4:47].encode()), ""
        for _ in range(6):
            crc, digit = divmod(crc, 62)
            check = DIGITS[digit] + check
        self.assertEqual(key[47:], check)
        self.assertNotEqual(self.make("web")[0], key)
        self.assertEqual(os.listdir(self.dir), [])  # nothing is kept
        self.assertEqual(self.make("web", "--quiet")[1], "")

    def test_for_machines(self):
        run = self.run_here("guard", "key", "web", "--expires", "2099-05-31", "--format", "json")
        made = json.loads(run.stdout)
        self.assertEqual(made["schema"], "tutela.guard-key/1")
        self.assertEqual(made["sha256"]["sha256"], hashlib.sha256(made["key"].encode()).hexdigest())
        self.assertEqual(made["expires"], "2099-05-31T00:00:00Z")
        self.assertIn("expires: 2099-05-31", made["yaml"])
        run = self.run_here("guard", "key", "web", "--expires", "never", "--format", "json")
        self.assertIsNone(json.loads(run.stdout)["expires"])

    def test_what_is_told_to_paste_opens_the_door(self):
        self.write("tutela.yaml", HEAD)
        key, told = self.make("web", "--scopes", "chat")
        self.policy(told)
        self.assertEqual(self.ask({"Authorization": "Bearer " + key})[0], "allow")
        self.assertEqual(self.ask({"x-api-key": key})[0], "allow")
        action, status, why = self.ask({"Authorization": "Bearer " + key}, "/embed")
        self.assertEqual((action, status), ("block", 403))
        self.assertIn("scopes", why)
        other, _ = self.make("web")
        action, status, why = self.ask({"Authorization": "Bearer " + other})
        self.assertEqual((action, status), ("block", 401))
        self.assertIn("no client has this key", why)
        slip = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]
        self.assertIn("check digits", self.ask({"Authorization": "Bearer " + slip})[2])
        self.assertIn("no key, token or certificate", self.ask({})[2])
        # what the client says it is counts for nothing where it shows a key
        self.assertEqual(self.ask({"Authorization": "Bearer " + other}, client="web")[0], "block")

    def test_keys_overlap_while_they_are_rotated(self):
        old, told = self.make("web", "--expires", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400)))
        new, told_new = self.make("web", "--expires", "never")
        self.policy(told, re.search(r"^        - sha256: .*$", told_new, re.M).group(0) + "\n")
        for key in (old, new):
            self.assertEqual(self.ask({"Authorization": "Bearer " + key})[0], "allow")
        run = self.run_here("guard", "key", "web")
        self.assertIn("valid side by side", run.stderr)

    def test_expired_keys_are_refused(self):
        key, told = self.make("web")
        self.policy(re.sub(r"expires: \S+", "expires: 2020-01-01", told))
        action, status, why = self.ask({"Authorization": "Bearer " + key})
        self.assertEqual((action, status), ("block", 401))
        self.assertIn("expired on 1 Jan 2020", why)

    def test_wrong_calls(self):
        self.write("tutela.yaml", HEAD)
        for args in ([], ["web", "--expires", "soon"], ["web", "--expires", "2020-01-01"], ["web", "--scopes", "nowhere"],
                     ["web", "--scopes", ","], [""]):
            run = self.run_here("guard", "key", *args)
            self.assertEqual(run.returncode, 2, args)
            self.assertNotIn("tut_", run.stdout)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)


@unittest.skipIf(jwt is None, "python3-jwt is not installed: tokens are left out")
class Tokens(Case):
    ISSUER = "https://id.example"

    def setUp(self):
        super().setUp()
        self.keys = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1()),
                     "EdDSA": ed25519.Ed25519PrivateKey.generate()}
        self.keys["PS256"] = self.keys["RS256"]
        listed = []
        for alg in ("RS256", "ES256", "EdDSA"):
            public = json.loads(self.to_jwk(alg))
            public.pop("key_ops", None)
            listed.append({**public, "kid": alg})
        self.write("keys.json", json.dumps({"keys": listed}))
        self.write("tutela.yaml", HEAD + f"""  jwt:
    jwks: keys.json
    issuer: {self.ISSUER}
    audience: guard
  clients:
    - id: ops
      jwt:
        claims:
          team: ops
    - id: alice
      jwt:
        subject: alice
""")

    def to_jwk(self, alg):
        kinds = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm,
                 "EdDSA": jwt.algorithms.OKPAlgorithm}
        public = self.keys[alg].public_key()
        if alg == "ES256" and not hasattr(kinds[alg], "to_jwk"):
            n = public.public_numbers()
            code = lambda v: jwt.utils.base64url_encode(v.to_bytes(32, "big")).decode()
            return json.dumps({"kty": "EC", "crv": "P-256", "x": code(n.x), "y": code(n.y)})
        return kinds[alg].to_jwk(public)

    def token(self, alg="ES256", key=None, kid=None, **claims):
        claims = {"iss": self.ISSUER, "aud": "guard", "exp": int(time.time()) + 300, "team": "ops", **claims}
        headers = {"kid": kid or {"PS256": "RS256"}.get(alg, alg)}
        return jwt.encode({k: v for k, v in claims.items() if v is not None}, key or self.keys[alg], alg, headers)

    def show(self, token):
        return self.ask({"Authorization": "Bearer " + token})

    def test_tokens_of_four_algorithms_are_good(self):
        for alg in ("RS256", "PS256", "ES256", "EdDSA"):
            self.assertEqual(self.show(self.token(alg))[0], "allow", alg)
        self.assertEqual(self.show(self.token(team=None, sub="alice", aud=["x", "guard"]))[0], "allow")

    def test_forged_and_foreign_tokens_are_refused(self):
        pem = self.keys["RS256"].public_key().public_bytes(serialization.Encoding.PEM,
                                                           serialization.PublicFormat.SubjectPublicKeyInfo)
        confused = jwt.api_jws.PyJWS()
        confused._algorithms["HS256"].prepare_key = lambda key: key  # PyJWT itself would not do this
        payload = json.dumps({"iss": self.ISSUER, "aud": "guard", "exp": int(time.time()) + 300, "team": "ops"}).encode()
        whole = self.token()
        head, body, signature = whole.split(".")
        changed = jwt.utils.base64url_encode(payload.replace(b'"ops"', b'"web"')).decode()
        for token, why in (
                (confused.encode(payload, pem, "HS256", {"kid": "RS256"}), "none of the policy's"),
                (self.token("ES256", ec.generate_private_key(ec.SECP256R1())), "not of that key"),
                (self.token("ES256", kid="EdDSA"), "no key of the set"),
                (self.token(exp=int(time.time()) - 100), "expired"),
                (self.token(exp=None), "does not say when it expires"),
                (self.token(nbf=int(time.time()) + 1000), "not valid yet"),
                (self.token(iss="https://evil.example"), "another issuer"),
                (self.token(aud="somebody"), "somebody else"),
                (self.token(team="web"), "no client"),
                (f"{head}.{changed}.{signature}", "not of that key"),
                (jwt.encode(json.loads(payload), None, "none"), "none of the policy's")):
            action, status, told = self.show(token)
            self.assertEqual((action, status), ("block", 401), why)
            self.assertIn(why, told)


if __name__ == "__main__":
    unittest.main()
