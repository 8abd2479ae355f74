"""Model signatures made by others: the format's own vectors, and models that the reference signed.

The vectors lie outside the source, in ../shared/data/vectors/oms (or TUTELA_SHARED); without them nothing is tested.
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SHARED = os.environ.get("TUTELA_SHARED", os.path.join(os.environ["TUTELA_SOURCE"], "..", "shared"))
OMS = os.path.join(SHARED, "data", "vectors", "oms")
SPEC = os.path.join(OMS, "v1.0")
PAST = os.path.join(OMS, "historical")
KEY = ["--key", os.path.join(PAST, "keys", "signing-key-pub.pem")]
ROOT = ["--certificate-root", os.path.join(PAST, "keys", "ca-cert.pem")]
SIGSTORE = ["--trusted-root", os.path.join(PAST, "keys", "trusted_root.json")]
HOW = {"key": KEY, "certificate": ROOT, "sigstore": SIGSTORE}
SIGNER = {"key": "e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e",
          "certificate": "CN=intermediate-ca",
          "sigstore": "stefanb@us.ibm.com (https://sigstore.verify.ibm.com/oauth2)"}
# Which historical model the bundles of the specification are over: that with the same root digest.
MODEL = {"key": "v1.1.0-elliptic-key", "certificate": "v1.1.0-elliptic-key", "sigstore": "v1.1.0-sigstore"}

if not os.path.isdir(OMS):
    print(f"skipped: there are no vectors of model signing at {OMS}")
    sys.exit(77)


class Vectors(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.dir = temporary.name

    def copy(self, model, name=None):
        to = os.path.join(self.dir, name or model)
        shutil.copytree(os.path.join(PAST, model), to)
        return to

    def verify(self, path, how, *more, status=0):
        run = subprocess.run([TUTELA, "verify", path, *how, *more, "--format", "json"], capture_output=True,
                             text=True, timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        (target,) = json.loads(run.stdout)["targets"]
        self.assertEqual(target["verdict"], "valid" if status == 0 else "invalid")
        self.assertEqual(bool(target["reasons"]), status != 0)
        return target

    def test_valid_bundles_of_the_specification(self):
        for mode in ("key", "certificate", "sigstore"):
            with self.subTest(mode):
                bundle = os.path.join(SPEC, "valid", f"{mode}.bundle.json")
                model = self.copy(MODEL[mode], mode)
                shutil.copy(bundle, os.path.join(model, "model.sig"))
                target = self.verify(model, HOW[mode])
                self.assertEqual((target["signer"], target["checked"]), (SIGNER[mode], 2))

    def test_invalid_bundles_of_the_specification(self):
        model = self.copy("v1.1.0-elliptic-key")
        tried = 0
        for kind in ("invalid", "invalid-payload"):
            for name in sorted(os.listdir(os.path.join(SPEC, kind))):
                for how in HOW.values():
                    with self.subTest(name):
                        shutil.copy(os.path.join(SPEC, kind, name), os.path.join(model, "model.sig"))
                        self.verify(model, how, status=1)
                        tried += 1
        self.assertEqual(tried, 15)

    def test_models_that_the_reference_signed(self):
        for mode, model in (("key", "v1.1.0-elliptic-key"), ("certificate", "v1.1.0-certificate"),
                            ("sigstore", "v1.1.0-sigstore")):
            with self.subTest(model):
                at = self.copy(model)
                target = self.verify(at, HOW[mode])
                self.assertEqual(target["signer"], SIGNER[mode])
                self.assertEqual((target["files"], target["checked"]), (2, 2))
                for other in HOW:
                    if other != mode:
                        self.verify(at, HOW[other], status=1)
                with open(os.path.join(at, "ignore-me"), "a") as f:
                    f.write("the signer left this out")
                self.verify(at, HOW[mode])
                with open(os.path.join(at, "extra"), "w") as f:
                    f.write("x")
                self.assertEqual(self.verify(at, HOW[mode], status=1)["mismatches"][0]["what"], "extra")
                self.verify(at, HOW[mode], "--ignore-unsigned")
                with open(os.path.join(at, "signme-2"), "a") as f:
                    f.write("x")
                wrong = self.verify(at, HOW[mode], "--ignore-unsigned", status=1)["mismatches"]
                self.assertEqual([(w["file"], w["what"]) for w in wrong], [("signme-2", "changed")])
                os.unlink(os.path.join(at, "signme-2"))
                wrong = self.verify(at, HOW[mode], "--ignore-unsigned", status=1)["mismatches"]
                self.assertEqual([(w["file"], w["what"]) for w in wrong], [("signme-2", "missing")])

    def test_who_signed_can_be_demanded(self):
        at = self.copy("v1.1.0-sigstore")
        identity, issuer = SIGNER["sigstore"][:-1].split(" (")
        self.verify(at, SIGSTORE, "--identity", identity, "--issuer", issuer)
        self.verify(at, SIGSTORE, "--identity", "somebody@example.com", "--issuer", issuer, status=1)
        self.verify(at, SIGSTORE, "--identity", identity, "--issuer", "https://example.com", status=1)

    def test_every_byte_of_payload_and_signature_counts(self):
        """One bit of each byte, in the decoded payload and signature, in all three modes."""
        for mode, model in (("key", "v1.1.0-elliptic-key"), ("certificate", "v1.1.0-certificate"),
                            ("sigstore", "v1.1.0-sigstore")):
            at = self.copy(model)
            sig = os.path.join(at, "model.sig")
            with open(sig) as f:
                bundle = json.load(f)
            envelope = bundle["dsseEnvelope"]
            for where, key in ((envelope, "payload"), (envelope["signatures"][0], "sig")):
                good = where[key]
                raw = bytearray(base64.b64decode(good))
                for i in range(0, len(raw), 1 if key == "sig" else 37):
                    raw[i] ^= 1
                    where[key] = base64.b64encode(raw).decode()
                    raw[i] ^= 1
                    with open(sig, "w") as f:
                        json.dump(bundle, f)
                    run = subprocess.run([TUTELA, "verify", at, *HOW[mode]], capture_output=True, timeout=60)
                    self.assertEqual(run.returncode, 1, (mode, key, i, run.stdout, run.stderr))
                where[key] = good


if __name__ == "__main__":
    unittest.main()
