"""tutela sign and tutela verify through the real command, beside openssl, node and sha256sum."""
import base64
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
NODE = shutil.which("node")
CURVES = {"P-256": ("prime256v1", "sha256"), "P-384": ("secp384r1", "sha384"), "P-521": ("secp521r1", "sha512")}
TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"


def sh(*command, **more):
    run = subprocess.run(command, capture_output=True, timeout=60, **more)
    assert run.returncode == 0, (command, run.stderr)
    return run.stdout


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.dir = temporary.name
        self.env = dict(os.environ, XDG_CACHE_HOME=os.path.join(self.dir, "cache"),
                        HOME=self.dir, XDG_DATA_HOME=os.path.join(self.dir, "data"))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def put(self, name, data=b"x"):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(data)

    def model(self, name="m"):
        for file, data in (("a-b", b"one"), ("a/x", b"two"), ("a.b", b"three"), ("empty", b""),
                           ("\u00e4 b", b"four"), ("a/\n\\", b"five")):
            self.put(f"{name}/{file}", data)

    def key(self, curve="prime256v1", name="k"):
        private = self.path(f"{name}.pem")
        sh("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", private)
        os.chmod(private, 0o600)
        sh("openssl", "pkey", "-in", private, "-pubout", "-out", self.path(f"{name}.pub"))
        return private

    def run_tutela(self, *args, **more):
        return subprocess.run([TUTELA, *args], cwd=self.dir, env=self.env, capture_output=True, text=True,
                              timeout=100, **more)

    def sign(self, *args, status=0):
        run = self.run_tutela("sign", *args, "--format", "json")
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        if status:
            self.assertEqual((run.stdout, run.stderr.count("\n")), ("", 1), run.stderr)
            return run.stderr
        doc = json.loads(run.stdout)
        self.assertEqual(doc["schema"], "tutela.sign/1")
        return doc["targets"][0]

    def verify(self, *args, verdict="valid"):
        run = self.run_tutela("verify", *args, "--format", "json")
        self.assertEqual(run.returncode, 0 if verdict == "valid" else 1, run.stdout + run.stderr)
        doc = json.loads(run.stdout)
        self.assertEqual(doc["schema"], "tutela.verify/1")
        (target,) = doc["targets"]
        self.assertEqual(target["verdict"], verdict, target)
        return target

    def refused(self, *args):
        run = self.run_tutela(*args)
        self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (2, "", 1), run.stderr)
        return run.stderr


class Keys(Case):
    def test_every_curve_is_verified_by_us_by_node_and_by_openssl(self):
        self.model()
        for name, (curve, digest) in CURVES.items():
            with self.subTest(name):
                key = self.key(curve)
                signed = self.sign("m", "--key", key)
                target = self.verify("m", "--key", "k.pub")
                self.assertEqual(target["signer"], signed["key"])
                self.assertEqual((target["files"], target["checked"], target["mode"]), (6, 6, "key"))
                self.assertEqual(signed["key"],
                                 hashlib.sha256(sh("openssl", "pkey", "-in", key, "-pubout")).hexdigest())
                self.by_openssl("m/model.sig", digest)
                if NODE:
                    out = sh(NODE, os.path.join(SOURCE, "tests/node/oms.mjs"), self.path("m"),
                             self.path("m/model.sig"), self.path("k.pub")).decode()
                    self.assertIn(signed["root"]["sha256"], out)

    def by_openssl(self, bundle, digest):
        with open(self.path(bundle)) as f:
            envelope = json.load(f)["dsseEnvelope"]
        self.put("pae", pae(base64.b64decode(envelope["payload"])))
        self.put("sig", base64.b64decode(envelope["signatures"][0]["sig"]))
        sh("openssl", "dgst", f"-{digest}", "-verify", self.path("k.pub"), "-signature", self.path("sig"),
           self.path("pae"))

    def test_the_same_again_is_the_same_payload(self):
        self.model()
        self.key()
        payloads = set()
        for _ in range(3):
            self.sign("m", "--key", "k.pem")
            with open(self.path("m/model.sig")) as f:
                payloads.add(json.load(f)["dsseEnvelope"]["payload"])
        self.assertEqual(len(payloads), 1)

    def test_resources_are_in_code_point_order_and_the_root_is_theirs(self):
        self.model()
        self.key()
        signed = self.sign("m", "--key", "k.pem", "--ignore", "empty")
        with open(self.path("m/model.sig")) as f:
            s = json.loads(base64.b64decode(json.load(f)["dsseEnvelope"]["payload"]))
        names = [r["name"] for r in s["predicate"]["resources"]]
        self.assertEqual(names, ["a-b", "a.b", "a/\n\\", "a/x", "\u00e4 b"])
        root = hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in s["predicate"]["resources"])).hexdigest()
        self.assertEqual(s["subject"], [{"name": "m", "digest": {"sha256": root}}])
        self.assertEqual(signed["root"], {"sha256": root})
        self.assertEqual(s["predicate"]["serialization"],
                         {"method": "files", "hash_type": "sha256", "allow_symlinks": False,
                          "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore", "empty", "model.sig"]})
        self.verify("m", "--key", "k.pub")

    def test_blake2b(self):
        self.model()
        self.key()
        self.sign("m", "--key", "k.pem", "--hash", "blake2b")
        self.verify("m", "--key", "k.pub")
        if NODE:
            sh(NODE, os.path.join(SOURCE, "tests/node/oms.mjs"), self.path("m"), self.path("m/model.sig"),
               self.path("k.pub"))
        self.put("m/a-b", b"ONE")
        (wrong,) = self.verify("m", "--key", "k.pub", verdict="invalid")["mismatches"]
        self.assertEqual(wrong, {"file": "a-b", "what": "changed", "expected": hashlib.blake2b(b"one").hexdigest(),
                                 "found": hashlib.blake2b(b"ONE").hexdigest()})

    def test_a_single_file(self):
        self.put("w.gguf", b"weights")
        self.key()
        signed = self.sign("w.gguf", "--key", "k.pem", "--publish")
        self.assertEqual((signed["signature"], signed["published"]), ("w.gguf.sig", "w.gguf.sha256"))
        self.verify("w.gguf", "--key", "k.pub")
        self.assertIn("w.gguf: OK", sh("sha256sum", "-c", "w.gguf.sha256", cwd=self.dir).decode())
        if NODE:
            sh(NODE, os.path.join(SOURCE, "tests/node/oms.mjs"), self.path("w.gguf"), self.path("w.gguf.sig"),
               self.path("k.pub"))
        self.put("w.gguf", b"w")
        target = self.verify("w.gguf", "--key", "k.pub", verdict="invalid")
        self.assertEqual(target["mismatches"][0]["what"], "changed")

    def test_an_encrypted_key_is_opened_by_a_file_and_never_by_argv(self):
        self.model()
        self.key()
        self.put("pass", b"correct horse\n")
        sh("openssl", "pkcs8", "-topk8", "-in", self.path("k.pem"), "-out", self.path("e.pem"), "-passout",
           f"file:{self.path('pass')}")
        os.chmod(self.path("e.pem"), 0o600)
        os.chmod(self.path("pass"), 0o600)
        self.sign("m", "--key", "e.pem", "--passphrase-file", "pass")
        self.verify("m", "--key", "k.pub")
        self.put("pass", b"wrong\n")
        self.sign("m", "--key", "e.pem", "--passphrase-file", "pass", status=2)


    def test_a_key_in_a_token(self):
        module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", *glob.glob("/usr/lib/*/softhsm/libsofthsm2.so"))
                       if os.path.exists(m)), None)
        if not module or not shutil.which("softhsm2-util"):
            self.skipTest("softhsm2 is not installed")
        self.model()
        self.put("softhsm2.conf", f"directories.tokendir = {self.path('tokens')}\n".encode())
        os.mkdir(self.path("tokens"))
        self.put("pin", b"1234\n")
        os.chmod(self.path("pin"), 0o600)
        self.env["SOFTHSM2_CONF"] = self.path("softhsm2.conf")
        sh("softhsm2-util", "--init-token", "--free", "--label", "t", "--pin", "1234", "--so-pin", "5678", env=self.env)
        for i, (curve, _) in enumerate(CURVES.values(), 1):
            self.key(curve)
            sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", self.path("k.pem"), "-out", self.path("k8.pem"))
            sh("softhsm2-util", "--import", self.path("k8.pem"), "--token", "t", "--label", curve, "--id", f"0{i}",
               "--pin", "1234", env=self.env)
            uri = f"pkcs11:token=t;object={curve}?module-path={module}&pin-source=file:{self.path('pin')}"
            self.sign("m", "--key", uri)
            self.verify("m", "--key", "k.pub")


class Differences(Case):
    def setUp(self):
        super().setUp()
        self.model()
        self.key()
        self.sign("m", "--key", "k.pem")

    def test_what_differs_is_named_with_both_digests(self):
        self.put("m/a-b", b"ONE")
        self.put("m/new", b"")
        os.unlink(self.path("m/a/x"))
        target = self.verify("m", "--key", "k.pub", verdict="invalid")
        self.assertEqual(target["mismatches"], [
            {"file": "a/x", "what": "missing", "expected": None, "found": None},
            {"file": "new", "what": "extra", "expected": None, "found": None},
            {"file": "a-b", "what": "changed", "expected": hashlib.sha256(b"one").hexdigest(),
             "found": hashlib.sha256(b"ONE").hexdigest()}])
        self.assertEqual(len(target["reasons"]), 3)
        table = self.run_tutela("verify", "m", "--key", "k.pub")
        self.assertEqual(table.returncode, 1)
        for word in ("a/x is missing", "new is extra", "a-b is changed", hashlib.sha256(b"ONE").hexdigest()):
            self.assertIn(word, " ".join(table.stdout.split()))

    def test_unsigned_and_wrong_keys(self):
        self.key(name="other")
        target = self.verify("m", "--key", "other.pub", verdict="invalid")
        self.assertIn("another key", target["reasons"][0])
        self.assertIsNone(target["signer"])
        os.unlink(self.path("m/model.sig"))
        self.assertIn("no signature", self.verify("m", "--key", "k.pub", verdict="unsigned")["reasons"][0])

    def test_a_signature_of_another_model(self):
        self.model("n")
        self.put("n/a-b", b"other")
        self.sign("n", "--key", "k.pem")
        shutil.copy(self.path("n/model.sig"), self.path("m/model.sig"))
        target = self.verify("m", "--key", "k.pub", verdict="invalid")
        self.assertEqual([w["file"] for w in target["mismatches"]], ["a-b"])

    def test_questions_that_stay_open_are_2(self):
        self.assertIn("none.pub", self.refused("verify", "m", "--key", "none.pub"))
        self.assertIn("none", self.refused("verify", "none", "--key", "k.pub"))
        self.refused("verify", "m")
        self.refused("verify", "m", "--key", "k.pub", "--certificate-root", "k.pub")
        self.assertIn("certificate", self.refused("verify", "m", "--certificate-root", "k.pub"))
        self.assertIn("trusted root", self.refused("verify", "m", "--trusted-root", "m/model.sig"))
        self.refused("verify", "m", "--key", "k.pub", "--only", "../m")
        sh("openssl", "genpkey", "-algorithm", "ED25519", "-out", self.path("ed.pem"))
        os.chmod(self.path("ed.pem"), 0o600)
        sh("openssl", "pkey", "-in", self.path("ed.pem"), "-pubout", "-out", self.path("ed.pub"))
        self.assertIn("P-256", self.refused("verify", "m", "--key", "ed.pub"))
        self.assertIn("P-256", self.refused("sign", "m", "--key", "ed.pem"))
        self.refused("sign", "m")
        self.refused("sign", "m", "--key", "none.pem")
        self.assertIn("digest", self.refused("verify", "m", "--published", "k.pub"))

    def test_several_paths_in_one_call(self):
        self.model("n")
        run = self.run_tutela("verify", "m", "n", "--key", "k.pub", "--format", "json")
        self.assertEqual(run.returncode, 1)
        doc = json.loads(run.stdout)
        self.assertEqual([t["verdict"] for t in doc["targets"]], ["valid", "unsigned"])
        self.assertEqual(doc["summary"], {"valid": 1, "invalid": 0, "unsigned": 1})

    def test_published_digests(self):
        self.sign("m", "--key", "k.pem", "--publish", "--signature", "m.sig")
        sh("sha256sum", "-c", "m.sha256", cwd=self.dir)
        with open(self.path("m.sha256")) as f:
            digests = [line.lstrip("\\")[:64] for line in f]
        root = hashlib.sha256(bytes.fromhex("".join(digests))).hexdigest()
        os.unlink(self.path("m/model.sig"))
        target = self.verify("m", "--published", "m.sha256")
        self.assertEqual((target["root"], target["signer"]), ({"sha256": root}, None))
        self.verify("m", "--published", "m.sha256", "--key", "k.pub", "--signature", "m.sig")
        self.put("m/a-b", b"ONE")
        self.verify("m", "--published", "m.sha256", verdict="invalid")
        self.put("m/a-b", b"one")
        with open(self.path("m.sha256")) as f:
            text = f.read()
        self.put("m.sha256", text.replace(digests[0], "0" * 64).encode())
        target = self.verify("m", "--published", "m.sha256", "--key", "k.pub", "--signature", "m.sig",
                             verdict="invalid")
        self.assertIn("not those that were signed", target["reasons"][0])

    def test_signing_digests_that_others_made(self):
        names = sorted(n for n in ("a-b", "a/x", "a.b", "empty", "\u00e4 b", "a/\n\\"))
        out = sh("sha256sum", "--", *names, cwd=self.path("m"))
        self.put("list", out)
        self.sign("m", "--key", "k.pem", "--from-digests", "list")
        self.verify("m", "--key", "k.pub")
        self.put("list", out.splitlines(True)[0])
        self.assertIn("other files", self.sign("m", "--key", "k.pem", "--from-digests", "list", status=2))


class Certificates(Case):
    """root -> intermediate -> leaf, made by openssl."""

    def setUp(self):
        super().setUp()
        self.model()
        self.ca("root", None)
        self.ca("mid", "root")
        self.leaf("leaf", "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning")

    def ca(self, name, issuer):
        self.key("secp384r1", name)
        ext = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
        self.issue(name, issuer or name, ext, "20200101000000Z", "20600101000000Z")

    def leaf(self, name, ext, start="20200101000000Z", end="20600101000000Z", issuer="mid", curve="prime256v1"):
        self.key(curve, name)
        self.issue(name, issuer, ext, start, end)
        with open(self.path(f"{name}.chain"), "w") as out:
            for part in (name, "mid", "root"):
                with open(self.path(f"{part}.crt")) as f:
                    out.write(f.read())

    def issue(self, name, issuer, ext, start, end):
        self.put("ca.cnf", b"[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
                           b"default_md=sha384\npolicy=p\nunique_subject=no\nrand_serial=yes\n[p]\n"
                           b"commonName=supplied\n[e]\n" + ext.encode() + b"\n")
        self.put("index", b"")
        subject = "t\u00e9ster" if name == "leaf" else name
        sh("openssl", "req", "-new", "-utf8", "-key", self.path(f"{name}.pem"), "-subj", f"/CN={subject}", "-out",
           self.path("csr"), "-nameopt", "utf8")
        own = ["-selfsign"] if issuer == name else ["-cert", f"{issuer}.crt"]
        sh("openssl", "ca", "-batch", "-config", "ca.cnf", "-keyfile", f"{issuer}.pem", *own, "-in", "csr", "-out",
           f"{name}.crt", "-extensions", "e", "-startdate", start, "-enddate", end, "-notext", "-utf8",
           cwd=self.dir)

    def signed_by(self, name):
        return self.sign("m", "--key", f"{name}.pem", "--certificate-chain", f"{name}.chain")

    def reason(self, root="root.crt", *more):
        return self.verify("m", "--certificate-root", root, *more, verdict="invalid")["reasons"][0]

    def test_a_chain_to_a_given_root(self):
        signed = self.signed_by("leaf")
        self.assertEqual((signed["subject"], signed["mode"]), ("CN=t\u00e9ster", "certificate"))
        target = self.verify("m", "--certificate-root", "root.crt")
        self.assertEqual((target["signer"], target["mode"]), ("CN=t\u00e9ster", "certificate"))
        with open(self.path("m/model.sig")) as f:
            chain = json.load(f)["verificationMaterial"]["x509CertificateChain"]["certificates"]
        self.assertEqual(len(chain), 2, "a root has no place in a bundle")
        sh("openssl", "pkey", "-in", self.path("leaf.pem"), "-pubout", "-out", self.path("k.pub"))
        if NODE:
            sh(NODE, os.path.join(SOURCE, "tests/node/oms.mjs"), self.path("m"), self.path("m/model.sig"),
               self.path("k.pub"))
        self.assertIn("--certificate-root", self.verify("m", "--key", "k.pub", verdict="invalid")["reasons"][0])

    def test_another_root_and_a_chain_with_a_hole(self):
        self.signed_by("leaf")
        self.key("secp384r1", "root2")
        shutil.copy(self.path("root.crt"), self.path("right.crt"))
        self.ca("root", None)  # of the same name, with another key
        self.verify("m", "--certificate-root", "root.crt", verdict="invalid")
        self.verify("m", "--certificate-root", "right.crt")
        self.sign("m", "--key", "leaf.pem", "--certificate-chain", "leaf.crt")
        self.assertIn("does not lead to", self.reason("right.crt"))

    def test_times_of_the_leaf(self):
        """The reference takes the leaf's own first second for now, and so accepts expired ones."""
        good = "keyUsage=digitalSignature"
        self.leaf("old", good, end="20210101000000Z")
        self.leaf("next", good, start="20590101000000Z")
        for name, word in (("old", "expired"), ("next", "not valid")):
            err = self.sign("m", "--key", f"{name}.pem", "--certificate-chain", f"{name}.chain", status=2)
            self.assertIn(word, err)
            self.forge(name)
            self.assertIn(word, self.reason())

    def forge(self, name):
        """A bundle by a chain that sign refuses, put together by hand."""
        s = statement([("a-b", b"one")])
        certificates = [{"rawBytes": der(self.path(f"{c}.crt"))} for c in (name, "mid")]
        bundle = make_bundle(s, self.path(f"{name}.pem"), {"x509CertificateChain": {"certificates": certificates}})
        self.put("m/model.sig", bundle)

    def test_what_the_leaf_may_be_used_for(self):
        for i, (ext, word) in enumerate((
                ("keyUsage=keyEncipherment", "digitalSignature"),
                ("keyUsage=digitalSignature\nextendedKeyUsage=serverAuth", "codeSigning"),
                ("basicConstraints=CA:FALSE", "nothing about its use"))):
            self.leaf(f"l{i}", ext)
            self.forge(f"l{i}")
            self.assertIn(word, self.reason())
        for i, ext in enumerate(("extendedKeyUsage=codeSigning", "keyUsage=digitalSignature")):
            self.leaf(f"g{i}", ext)
            self.signed_by(f"g{i}")
            self.verify("m", "--certificate-root", "root.crt")

    def test_a_leaf_issues_nothing(self):
        """A chain through a certificate that is no CA."""
        self.leaf("evil", "keyUsage=digitalSignature", issuer="leaf")
        s = statement([("a-b", b"one")])
        certificates = [{"rawBytes": der(self.path(f"{c}.crt"))} for c in ("evil", "leaf", "mid")]
        self.put("m/model.sig", make_bundle(s, self.path("evil.pem"),
                                            {"x509CertificateChain": {"certificates": certificates}}))
        self.assertIn("refused", self.reason())

    def test_a_root_in_the_bundle_is_not_trusted(self):
        self.ca("fake", None)
        self.leaf("evil", "keyUsage=digitalSignature", issuer="fake")
        s = statement([("a-b", b"one")])
        certificates = [{"rawBytes": der(self.path(f"{c}.crt"))} for c in ("evil", "fake")]
        self.put("m/model.sig", make_bundle(s, self.path("evil.pem"),
                                            {"x509CertificateChain": {"certificates": certificates}}))
        self.assertIn("does not lead to", self.reason())

    def test_version_0_2_hashed_with_sha256_whatever_the_curve(self):
        self.leaf("p384", "keyUsage=digitalSignature", curve="secp384r1")
        shutil.rmtree(self.path("m"))
        self.put("m/a", b"one")
        old = {"_type": STATEMENT, "predicateType": "https://model_signing/Digests/v0.1", "predicate": {},
               "subject": [{"name": "a", "digest": {"sha256": hashlib.sha256(b"one").hexdigest()}}]}
        certificates = [{"rawBytes": der(self.path(f"{c}.crt"))} for c in ("p384", "mid")]
        chain = {"x509CertificateChain": {"certificates": certificates}}
        self.put("m/model.sig", make_bundle(old, self.path("p384.pem"), chain, to_sign=old_pae))
        self.verify("m", "--certificate-root", "root.crt")
        now = statement([("a", b"one")])
        self.put("m/model.sig", make_bundle(now, self.path("p384.pem"), chain, to_sign=old_pae))
        self.reason()
        self.put("m/model.sig", make_bundle(now, self.path("p384.pem"), chain))  # SHA-256 on P-384
        self.reason()
        self.put("m/model.sig", make_bundle(now, self.path("p384.pem"), chain, "sha384"))
        self.verify("m", "--certificate-root", "root.crt")

    def test_swapped_leaf_and_foreign_key(self):
        self.leaf("other", "keyUsage=digitalSignature")
        self.assertIn("not that of the signing key", self.sign(
            "m", "--key", "leaf.pem", "--certificate-chain", "other.chain", status=2))
        self.signed_by("leaf")
        with open(self.path("m/model.sig")) as f:
            bundle = json.load(f)
        bundle["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"] = \
            der(self.path("other.crt"))
        self.put("m/model.sig", json.dumps(bundle).encode())
        self.reason()


def pae(payload):
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)


def old_pae(payload):
    return f"DSSEV1 {len(TYPE)} {TYPE} {len(payload)} {payload}".encode()


def der(path):
    return base64.b64encode(sh("openssl", "x509", "-in", path, "-outform", "DER")).decode()


def openssl_sign(data, key, digest="sha256"):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return sh("openssl", "dgst", f"-{digest}", "-sign", key, f.name)


def statement(files, resources=None, **serialization):
    if resources is None:
        resources = [{"name": n, "digest": hashlib.sha256(d).hexdigest(), "algorithm": "sha256"} for n, d in files]
    root = hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()
    return {"_type": STATEMENT, "subject": [{"name": "m", "digest": {"sha256": root}}], "predicateType": PREDICATE,
            "predicate": {"resources": resources,
                          "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False,
                                            **serialization}}}


def make_bundle(payload, key, material, digest="sha256", to_sign=pae):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload, indent=2).encode()
    return json.dumps({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": dict(material, tlogEntries=[]),
        "dsseEnvelope": {"payload": base64.b64encode(payload).decode(), "payloadType": TYPE, "signatures": [
            {"sig": base64.b64encode(openssl_sign(to_sign(payload), key, digest)).decode(), "keyid": ""}]}}).encode()


class Others(Case):
    """Bundles of other writers, signed by openssl with the right key: honest ones, and hostile ones."""

    def setUp(self):
        super().setUp()
        self.private = self.key()
        with open(self.path("k.pub"), "rb") as f:
            self.material = {"publicKey": {"hint": hashlib.sha256(f.read()).hexdigest()}}
        self.put("m/a", b"0123456789")
        self.put("m/b", b"01234567")

    def bundle(self, payload, **more):
        self.put("m/model.sig", make_bundle(payload, self.private, more.pop("material", self.material), **more))

    def valid(self, payload, **more):
        self.bundle(payload, **more)
        return self.verify("m", "--key", "k.pub")

    def invalid(self, payload, word, **more):
        self.bundle(payload, **more)
        target = self.verify("m", "--key", "k.pub", verdict="invalid")
        self.assertIn(word, " ".join(target["reasons"]))
        return target

    FILES = [("a", b"0123456789"), ("b", b"01234567")]

    def test_the_references_order_hint_and_extra_fields(self):
        self.put("m/a-b", b"-")
        shutil.move(self.path("m/b"), self.path("m/c"))
        self.put("m/b/x", b"x")
        target = self.valid(statement([("a", b"0123456789"), ("b/x", b"x"), ("a-b", b"-"), ("c", b"01234567")]))
        self.assertIn("another order", " ".join(target["remarks"]))
        old_hint = {"publicKey": {"rawBytes": "AAAA", "keyDetails": "PKIX_ECDSA_P256_SHA_256"}}
        resources = [dict(r, annotations={"x": 1}) for r in
                     statement([("a", b"0123456789"), ("a-b", b"-"), ("b/x", b"x"), ("c", b"01234567")])
                     ["predicate"]["resources"]]
        self.valid(statement(None, resources), material=old_hint)

    def test_shards_in_both_spellings_and_names_with_colons(self):
        self.put("m/c:1:2", b"0123456789abcdef")
        self.put("m/none", b"")  # shards do not list empty files

        def shards(algorithm):
            out = []
            for name, data in (*self.FILES, ("c:1:2", b"0123456789abcdef")):
                for at in range(0, len(data), 8):
                    part = data[at:at + 8]
                    out.append({"name": f"{name}:{at}:{at + len(part)}", "algorithm": algorithm,
                                "digest": hashlib.sha256(part).hexdigest()})
            return out
        for algorithm, size in (("sha256", 8), ("sha256-sharded-8", 8), ("sha256", 8.0), ("sha256-sharded-8", 8.0)):
            self.put("m/a", b"0123456789")
            s = statement(None, shards(algorithm), method="shards", shard_size=size)
            self.valid(s)
            self.put("m/a", b"01234567xx")
            wrong = self.invalid(s, "a:8:10 is changed")["mismatches"]
            self.assertEqual([w["file"] for w in wrong], ["a:8:10"])
            self.put("m/a", b"0123456789x")
            self.invalid(s, "expected 10 bytes, found 11 bytes")

    def test_symbolic_links_as_the_signer_had_them(self):
        os.symlink("a", self.path("m/link"))
        files = [*self.FILES, ("link", b"0123456789")]
        self.assertIn("followed", " ".join(self.valid(statement(files, allow_symlinks=True))["remarks"]))
        self.invalid(statement(files), "link is missing: it is a symbolic link")
        self.invalid(statement(self.FILES), "link is extra: it is a symbolic link")
        self.valid(statement(self.FILES, ignore_paths=["link"]))

    def test_a_single_file_called_dot(self):
        self.put("f", b"weights")
        self.put("f.sig", make_bundle(statement([(".", b"weights")]), self.private, self.material))
        self.verify("f", "--key", "k.pub")

    def test_version_0_2(self):
        old = {"_type": STATEMENT, "predicateType": "https://model_signing/Digests/v0.1",
               "predicate": {"unused": "it's \"quoted\"\n"},
               "subject": [{"name": n, "digest": {"sha256": hashlib.sha256(d).hexdigest()}} for n, d in self.FILES]}
        self.assertIn("deprecated", " ".join(self.valid(old, to_sign=old_pae)["remarks"]))
        self.valid(old)
        self.invalid(statement(self.FILES), "signature", to_sign=old_pae)
        self.put("m/a", b"changed")
        self.invalid(old, "a is changed", to_sign=old_pae)

    def test_statements_that_are_refused_although_signed(self):
        good = statement(self.FILES)
        text = json.dumps(good).encode()
        cases = [
            (dict(good, predicateType="https://example.com/x"), "another kind"),
            (dict(good, _type="https://in-toto.io/Statement/v0.1"), "version 1"),
            (dict(good, subject=good["subject"] * 2), "exactly one subject"),
            (dict(good, subject=[]), "exactly one subject"),
            (dict(good, subject=[{"name": "m", "digest": {"sha256": "0" * 64}}]), "root digest"),
            (dict(good, more=1), "in-toto"),
            (statement([]), "empty model"),
            (statement([("../a", b"")]), "relative path"),
            (statement([("/etc/passwd", b"")]), "relative path"),
            (statement([("./a", b"")]), "relative path"),
            (statement([("a", b""), ("a", b"")]), "listed twice"),
            (statement(self.FILES, hash_type="blake3"), "blake3"),
            (statement(self.FILES, method="tree"), "neither"),
            (statement(self.FILES, allow_symlinks="false"), "allow_symlinks"),
            (statement(self.FILES, ignore_paths=["../x"]), "ignore_paths"),
            (text + b" {}", "signature"),
            (text.replace(b'"name": "a"', b'"name": "x", "name": "a"'), "twice"),
            (text.replace(b'"name": "a"', b'"name": "\xff"'), "signature"),
            (b"", "signature"),
            (b"7", "in-toto"),
            (b"[" * 100000, "signature"),
        ]
        for payload, word in cases:
            with self.subTest(word):
                self.invalid(payload, word)
        self.valid(good)

    def test_bundles_that_are_refused(self):
        self.bundle(statement(self.FILES))
        with open(self.path("m/model.sig"), "rb") as f:
            good = f.read()
        d = json.loads(good)
        changes = [
            b"", b"{}", b"[]", good + b"x", good[:-1], b"\xef\xbb\xbf" + good, good.replace(b"v0.3", b"v0.9"),
            good.replace(b'{"mediaType"', b'{"mediaType": "x", "mediaType"'),
            json.dumps(dict(d, more=1)).encode(),
            json.dumps(dict(d, verificationMaterial={"tlogEntries": []})).encode(),
            json.dumps(dict(d, dsseEnvelope=dict(d["dsseEnvelope"], signatures=[]))).encode(),
            json.dumps(dict(d, dsseEnvelope=dict(d["dsseEnvelope"],
                                                 signatures=d["dsseEnvelope"]["signatures"] * 2))).encode(),
            json.dumps(dict(d, dsseEnvelope=dict(d["dsseEnvelope"], payloadType="text/plain"))).encode(),
        ]
        for bad in changes:
            self.put("m/model.sig", bad)
            target = self.verify("m", "--key", "k.pub", verdict="invalid")
            self.assertIsNone(target["signer"])
        with open(self.path("m/model.sig"), "wb") as f:
            f.truncate(65 << 20)
        self.assertIn("larger", self.verify("m", "--key", "k.pub", verdict="invalid")["reasons"][0])
        self.put("m/model.sig", good)
        self.verify("m", "--key", "k.pub")


class Running(Case):
    def test_ctrl_c_ends_it_and_leaves_nothing(self):
        self.key()
        self.put("m/w")
        os.truncate(self.path("m/w"), 64 << 30)  # sparse: a minute of hashing
        process = subprocess.Popen([TUTELA, "sign", "m", "--key", "k.pem", "--no-cache"], cwd=self.dir, env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        self.assertEqual((process.returncode, out), (2, ""))
        self.assertIn("interrupted", err)
        self.assertEqual(os.listdir(self.path("m")), ["w"])

    def test_a_file_that_changes_meanwhile_is_an_error(self):
        self.key()
        for action in ("grow", "write", "shrink"):
            with self.subTest(action):
                self.put("m/w")
                os.truncate(self.path("m/w"), 4 << 30)
                process = subprocess.Popen([TUTELA, "sign", "m", "--key", "k.pem", "--no-cache"], cwd=self.dir,
                                           env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(0.3)
                self.assertIsNone(process.poll())
                if action == "shrink":
                    os.truncate(self.path("m/w"), 1)
                else:
                    with open(self.path("m/w"), "r+b") as f:
                        f.seek(0, os.SEEK_END if action == "grow" else os.SEEK_SET)
                        f.write(b"y")
                out, err = process.communicate(timeout=60)
                self.assertEqual((process.returncode, out), (2, ""))
                self.assertIn("m/w: ", err)
                self.assertRegex(err, "changed while|became shorter")
                self.assertFalse(os.path.exists(self.path("m/model.sig")))

    def test_signing_again_hashes_only_what_changed(self):
        self.key()
        for i in range(4):
            self.put(f"m/{i}", bytes([i]) * 100000)
        time.sleep(0.2)

        def hashed(*more):
            run = self.run_tutela("sign", "m", "--key", "k.pem", "--format", "json", *more)
            return json.loads(run.stdout)["summary"]["hashed"]
        self.assertEqual([hashed(), hashed(), hashed("--no-cache")], [4, 0, 4])
        self.put("m/2", b"\xff" * 100000)
        time.sleep(0.2)
        self.assertEqual([hashed(), hashed()], [1, 0])
        self.verify("m", "--key", "k.pub")
        self.verify("m", "--key", "k.pub", "--use-cache")

    def test_what_cannot_be_signed(self):
        self.key()
        os.mkdir(self.path("m"))
        self.assertIn("no file to sign", self.refused("sign", "m", "--key", "k.pem"))
        self.put("m/a")
        os.symlink("a", self.path("m/l"))
        self.assertIn("m/l: is a symbolic link", self.refused("sign", "m", "--key", "k.pem"))
        os.unlink(self.path("m/l"))
        os.mkfifo(self.path("m/p"))
        self.assertIn("m/p: is a device", self.refused("sign", "m", "--key", "k.pem"))
        os.unlink(self.path("m/p"))
        with open(os.fsencode(self.path("m/")) + b"bad\xff", "w") as f:
            f.write("x")
        self.assertIn("not UTF-8", self.refused("sign", "m", "--key", "k.pem"))
        self.assertEqual(sorted(os.listdir(os.fsencode(self.path("m")))), [b"a", b"bad\xff"])
        self.assertIn("not m/../..", self.refused("sign", "m", "--key", "k.pem", "--ignore", "m/../..")
                      .replace('"', ""))


if __name__ == "__main__":
    unittest.main()
