"""Keyless signatures of the vectors through the command: they verify, and each thing that is changed is refused for
its own reason. @sigstore/verify, where it is installed, judges the same bundles: what it refuses is never accepted.

The vectors lie outside the source, in ../shared/data/vectors/oms (or TUTELA_SHARED); without them nothing is tested.
"""
import base64
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
SHARED = os.environ.get("TUTELA_SHARED", os.path.join(SOURCE, "..", "shared"))
OMS = os.path.join(SHARED, "data", "vectors", "oms")
MODEL = os.path.join(OMS, "historical", "v1.1.0-sigstore")
IDENTITY, ISSUER = "stefanb@us.ibm.com", "https://sigstore.verify.ibm.com/oauth2"
NODE = os.path.join(SOURCE, "tests", "node")

if not os.path.isdir(OMS):
    print(f"skipped: there are no vectors of model signing at {OMS}")
    sys.exit(77)


def load(*names):
    with open(os.path.join(OMS, *names), encoding="utf-8") as file:
        return json.load(file)


BUNDLE = load("v1.0", "valid", "sigstore.bundle.json")
ROOT = load("historical", "keys", "trusted_root.json")


def flipped(text, at=0.5, bit=1):
    """Base64 with one bit of its bytes changed."""
    data = bytearray(base64.b64decode(text))
    data[int(len(data) * at)] ^= bit
    return base64.b64encode(data).decode()


def change(document, path, to):
    """A copy with another value at path; `to` may be a function of what is there, or DROP."""
    document = copy.deepcopy(document)
    at = document
    for step in path[:-1]:
        at = at[step]
    if to is DROP:
        del at[path[-1]]
    else:
        at[path[-1]] = to(at[path[-1]]) if callable(to) else to
    return document


DROP = object()
MATERIAL = ["verificationMaterial"]
ENTRY = MATERIAL + ["tlogEntries", 0]
PROOF = ENTRY + ["inclusionProof"]
CHECKPOINT = PROOF + ["checkpoint", "envelope"]
STAMP = MATERIAL + ["timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp"]
CERT = MATERIAL + ["certificate", "rawBytes"]


def body(edit):
    def to(text):
        document = json.loads(base64.b64decode(text))
        edit(document)
        return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()
    return to


def line(number, to):
    def edit(text):
        lines = text.split("\n")
        lines[number] = to(lines[number])
        return "\n".join(lines)
    return edit


# name: (change of the bundle, words of the reason)
BUNDLES = {
    "signature": (["dsseEnvelope", "signatures", 0, "sig"], flipped, "signature does not verify"),
    "signature of nothing": (["dsseEnvelope", "signatures", 0, "sig"], "AAAA", "signature does not verify"),
    "payload": (["dsseEnvelope", "payload"], flipped, "signature does not verify"),
    "payload type": (["dsseEnvelope", "payloadType"], "text/plain", "no in-toto statement"),
    "two signatures": (["dsseEnvelope", "signatures"], lambda s: s * 2, "exactly one signature"),
    "certificate": (CERT, lambda t: flipped(t, 0.99), "another certificate"),
    "certificate's identity": (CERT, lambda t: base64.b64encode(
        base64.b64decode(t).replace(b"stefanb@us", b"stefanc@us")).decode(), "another certificate"),
    "no certificate": (MATERIAL + ["certificate"], DROP, "one certificate"),
    "proof": (PROOF + ["hashes", 3], flipped, "does not lead to the root"),
    "shorter proof": (PROOF + ["hashes"], lambda h: h[:-1], "proof"),
    "longer proof": (PROOF + ["hashes"], lambda h: h + h[:1], "proof"),
    "place in the proof": (PROOF + ["logIndex"], "476246823", "proof"),
    "place beyond the tree": (PROOF + ["logIndex"], "476246825", "proof"),
    "size of the tree": (PROOF + ["treeSize"], "476246826", "proof"),
    "negative place": (PROOF + ["logIndex"], "-1", "logIndex"),
    "root of the proof": (PROOF + ["rootHash"], flipped, "does not lead to the root"),
    "no checkpoint": (PROOF + ["checkpoint"], DROP, "no inclusion proof with a checkpoint"),
    "no proof": (ENTRY + ["inclusionProof"], DROP, "no inclusion proof with a checkpoint"),
    "checkpoint's origin": (CHECKPOINT, line(0, lambda t: t + "1"), "checkpoint"),
    "checkpoint's size": (CHECKPOINT, line(1, lambda t: "476246826"), "checkpoint"),
    "checkpoint's root": (CHECKPOINT, line(2, flipped), "checkpoint"),
    "checkpoint's signature": (CHECKPOINT, lambda t: t[:-40] + ("A" if t[-40] != "A" else "B") + t[-39:], "checkpoint"),
    "checkpoint's signer": (CHECKPOINT, lambda t: t.replace("— rekor", "— reker"), "checkpoint"),
    "signed entry timestamp": (ENTRY + ["inclusionPromise", "signedEntryTimestamp"], flipped, "signed entry timestamp"),
    "integrated time": (ENTRY + ["integratedTime"], "1760062341", "signed entry timestamp"),
    "index in the log": (ENTRY + ["logIndex"], "598151087", "signed entry timestamp"),
    "no integrated time": (ENTRY + ["integratedTime"], DROP, "integratedTime"),
    "another log": (ENTRY + ["logId", "keyId"], flipped, "does not know"),
    "no entry": (MATERIAL + ["tlogEntries"], [], "needs an entry of a transparency log"),
    "kind": (ENTRY + ["kindVersion", "kind"], "intoto", "another kind"),
    "body": (ENTRY + ["canonicalizedBody"], body(lambda d: d.update(extra=1)), "does not lead to the root"),
    "body's payload": (ENTRY + ["canonicalizedBody"],
                       body(lambda d: d["spec"]["payloadHash"].update(value="0" * 64)), "another content"),
    "body's signature": (ENTRY + ["canonicalizedBody"], body(lambda d: d["spec"]["signatures"][0].update(
        signature=flipped(d["spec"]["signatures"][0]["signature"]))), "another signature"),
    "body's certificate": (ENTRY + ["canonicalizedBody"], body(lambda d: d["spec"]["signatures"][0].update(
        verifier=base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode())),
        "another certificate"),
    "time-stamp": (STAMP, lambda t: flipped(t, 0.99), "time-stamp"),
    "time-stamp's time": (STAMP, lambda t: base64.b64encode(
        base64.b64decode(t).replace(b"20251010021220Z", b"20251010021221Z")).decode(), "time-stamp"),
    "time-stamp of something else": (["dsseEnvelope", "signatures", 0, "sig"], flipped, "signature"),
    "no time-stamp in it": (STAMP, base64.b64encode(b"\x30\x03\x02\x01\x00").decode(), "time-stamp"),
    "version": (["mediaType"], "application/vnd.dev.sigstore.bundle.v0.9+json", "mediaType"),
}


def first(document, name, edit):
    document = copy.deepcopy(document)
    document[name] = edit(document[name])
    return document


def ends(entries, key):
    for entry in entries:
        (entry["publicKey"] if key else entry)["validFor"]["end"] = "2025-10-10T02:00:00Z"
    return entries


def foreign_keys(logs):
    """Each log with another's key, under its own id."""
    for log in logs:
        log["publicKey"]["rawBytes"] = ROOT["ctlogs"][0]["publicKey"]["rawBytes"]
        log["publicKey"]["keyDetails"] = "PKIX_ECDSA_P256_SHA_256"
    return logs


ROOTS = {
    "no certificate authority": (lambda r: first(r, "certificateAuthorities", lambda x: []), "certificate authority"),
    "old certificate authority only": (lambda r: first(r, "certificateAuthorities", lambda x: x[:1]), "certificate"),
    "authorities were retired": (lambda r: first(r, "certificateAuthorities", lambda x: ends(x, False)), "in use"),
    "no certificate log": (lambda r: first(r, "ctlogs", lambda x: []), "by a log of the trusted root"),
    "certificate log's key": (lambda r: first(r, "ctlogs", foreign_keys), "certificate timestamp"),
    "certificate log was retired": (lambda r: first(r, "ctlogs", lambda x: ends(x, True)), "in use"),
    "no log": (lambda r: first(r, "tlogs", lambda x: []), "does not know"),
    "log's key": (lambda r: first(r, "tlogs", foreign_keys), "does not verify"),
    "log was retired": (lambda r: first(r, "tlogs", lambda x: ends(x, True)), "in use"),
    "no time-stamp authority": (lambda r: first(r, "timestampAuthorities", lambda x: []), "no time-stamp authorities"),
    "time-stamp authority was retired": (lambda r: first(r, "timestampAuthorities", lambda x: ends(x, False)), "in use"),
    "no start of a log": (lambda r: change(r, ["tlogs", 1, "publicKey", "validFor", "start"], DROP), "no start"),
}


class Sigstore(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.dir = os.path.join(temporary.name, "model")
        self.root = os.path.join(temporary.name, "root.json")
        shutil.copytree(MODEL, self.dir)

    def verify(self, bundle, root, *more):
        with open(os.path.join(self.dir, "model.sig"), "w", encoding="utf-8") as file:
            json.dump(bundle, file)
        with open(self.root, "w", encoding="utf-8") as file:
            json.dump(root, file)
        run = subprocess.run([TUTELA, "verify", self.dir, "--trusted-root", self.root, *more, "--format", "json"],
                             capture_output=True, text=True, timeout=60)
        self.assertIn(run.returncode, (0, 1, 2), run.stdout + run.stderr)
        if run.returncode == 2:
            return False, run.stderr
        (target,) = json.loads(run.stdout)["targets"]
        self.assertEqual(target["verdict"] == "valid", run.returncode == 0)
        return run.returncode == 0, " ".join(target["reasons"])

    def test_the_vectors_verify(self):
        for bundle in (BUNDLE, load("historical", "v1.1.0-sigstore", "model.sig")):
            self.assertEqual(self.verify(bundle, ROOT, "--identity", IDENTITY, "--issuer", ISSUER), (True, ""))

    def test_another_signer_is_refused(self):
        for more in (["--identity", "else@us.ibm.com"], ["--issuer", "https://accounts.google.com"],
                     ["--identity", IDENTITY.upper()], ["--identity", ""]):
            good, why = self.verify(BUNDLE, ROOT, *more)
            self.assertFalse(good, more)
            self.assertIn("another", why)

    def test_each_change_of_the_bundle_is_refused_for_its_reason(self):
        for name, (path, to, words) in BUNDLES.items():
            with self.subTest(name):
                changed = change(BUNDLE, path, to)
                self.assertNotEqual(changed, BUNDLE)
                good, why = self.verify(changed, ROOT)
                self.assertFalse(good)
                self.assertIn(words, why)

    def test_each_change_of_the_root_is_refused_for_its_reason(self):
        for name, (edit, words) in ROOTS.items():
            with self.subTest(name):
                good, why = self.verify(BUNDLE, edit(ROOT))
                self.assertFalse(good)
                self.assertIn(words, why)

    def test_what_another_verifier_refuses_is_never_accepted(self):
        if not os.path.isdir(os.path.join(NODE, "node_modules", "@sigstore", "verify")):
            self.skipTest("the npm packages of tests/node are not installed (make check installs them)")
        cases = [("as it is", BUNDLE, ROOT)]
        cases += [(name, change(BUNDLE, path, to), ROOT) for name, (path, to, _) in BUNDLES.items()]
        cases += [(name, BUNDLE, edit(ROOT)) for name, (edit, _) in ROOTS.items()]
        lines = "".join(json.dumps({"bundle": bundle, "root": root}) + "\n" for _, bundle, root in cases)
        run = subprocess.run(["node", os.path.join(NODE, "sigstore.mjs")], input=lines, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr)
        theirs = [json.loads(one) for one in run.stdout.splitlines()]
        self.assertEqual(len(theirs), len(cases))
        self.assertIsNone(theirs[0])
        stricter = []
        for (name, bundle, root), their in zip(cases, theirs):
            good, why = self.verify(bundle, root)
            if their is not None:
                self.assertFalse(good, f"{name}: accepted, but refused elsewhere: {their}")
            elif not good:
                stricter.append(f"{name}: {why.rsplit(': ', 1)[-1]}")
        print(f"{len(cases)} bundles; refused here and accepted by @sigstore/verify: {len(stricter)}")
        for one in stricter:
            print("   ", one)


if __name__ == "__main__":
    unittest.main()
