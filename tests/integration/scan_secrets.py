"""Secrets and personal data through the real command: planted keys in many carriers, clean text of this machine,
labelled text, rule files; and that no value is ever printed."""
import base64
import json
import os
import pathlib
import random
import re
import string
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
SHARED = SOURCE.parent / "shared" / "data" / "data"
CLEAN_BYTES = 50_000_000
ALNUM = string.ascii_letters + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
CLASSES = {"a": ALNUM, "d": string.digits, "h": "0123456789abcdef", "H": "0123456789abcdefABCDEF",
           "u": string.ascii_uppercase + string.digits, "l": string.ascii_lowercase + string.digits,
           "w": ALNUM + "_", "b": ALNUM + "_-", "B": ALNUM + "+/", "2": string.ascii_uppercase + "234567",
           "L": string.ascii_letters, "c": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "t": ALNUM + "_.~-"}
PART = re.compile(r"%%|%(\w)\{(\d+)(?:,(\d+))?\}")


def tokens():
    """(id, shape, has a check) of every key with a prefix, from the table itself."""
    text = (SOURCE / "src/text/rules_secret.def").read_text()
    return re.findall(r'^TOKEN\("([^"]+)", "[^"]+", "([^"]+)", (\w+)\)', text, re.M)


def made(shape, r):
    """A value of the shape; classes draw from all their letters, ends are letters or digits."""
    def part(m):
        if m.group(0) == "%%":
            return "%"
        letters = CLASSES[m.group(1)]
        n = int(m.group(2))
        body = [r.choice(letters) for _ in range(n)]
        if body and not body[-1].isalnum():
            body[-1] = "a" if "a" in letters else letters[0]
        if body and not body[0].isalnum():
            body[0] = "b"
        return "".join(body)
    return PART.sub(part, shape)


def with_crc(prefix, r, n=30):
    body = "".join(r.choice(ALNUM) for _ in range(n))
    v, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check = BASE62[v % 62] + check
        v //= 62
    return prefix + body + check


def bech32(prefix, r):
    signs = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        c = 1
        for v in values:
            top, c = c >> 25, (c & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                c ^= g if top >> i & 1 else 0
        return c
    data = [r.randrange(32) for _ in range(52)]
    head = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    m = polymod(head + data + [0] * 6) ^ 1
    data += [m >> 5 * (5 - i) & 31 for i in range(6)]
    return (prefix + "1" + "".join(signs[d] for d in data)).upper()


def planted(seed=1):
    """(id, key), every rule with a prefix three times."""
    r = random.Random(seed)
    keys = []
    for rule, shape, check in tokens():
        for _ in range(3):
            if check == "tut_check_crc_base62":
                keys.append((rule, with_crc(shape.split("%")[0], r, int(PART.search(shape).group(2)) - 6)))
            elif check == "tut_check_bech32":
                keys.append((rule, bech32("age-secret-key-", r)))
            else:
                keys.append((rule, made(shape, r)))
    return keys


def gguf(key):
    """A GGUF header with the key in its description."""
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()
    out = b"GGUF" + struct.pack("<IQQ", 3, 0, 2)
    out += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    return out + text("general.description") + struct.pack("<I", 8) + text("made with " + key)


def safetensors(key):
    header = json.dumps({"__metadata__": {"note": "made with " + key}}).encode()
    return struct.pack("<Q", len(header)) + header


def notebook(key):
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["x = 1\n"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [f"using {key}\n"]}]}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def zipped(key):
    with tempfile.TemporaryFile() as f:
        with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("config.json", json.dumps({"model_type": "x", "key": key}))
        f.seek(0)
        return f.read()


CARRIERS = {
    "settings.env": lambda k: f"# settings\nKEY={k}\n".encode(),
    "config.yaml": lambda k: f"service:\n  key: {k}\n".encode(),
    "config.json": lambda k: json.dumps({"model_type": "x", "note": "first line\n" + k}).encode(),
    "escaped.json": lambda k: ('{"key": "\\u%04x%s"}' % (ord(k[0]), k[1:])).encode(),
    "notes.ipynb": notebook,
    "app.py": lambda k: f'client = Client("{k}")\n'.encode(),
    "model.gguf": gguf,
    "model.safetensors": safetensors,
    "wide.yaml": lambda k: f"key: {k}\n".encode("utf-16"),
    "secret.yaml": lambda k: b"data:\n  settings: " + base64.b64encode(f"# settings\nKEY={k}\n".encode()) + b"\n",
    "bundle.zip": zipped,
    # across the border of two windows
    "long.txt": lambda k: b"plain words in a line\n" * 12288 + f"key {k}\n".encode() + b"plain words\n" * 3000,
}


class Secrets(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.top = pathlib.Path(self.dir.name)

    def put(self, name, data):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def scan(self, *args, **more):
        return subprocess.run([TUTELA, "scan", *map(str, args)], capture_output=True, timeout=280, cwd=self.top, **more)

    def findings(self, *args):
        run = self.scan("--format", "json", *args)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        return {f["path"].removeprefix("./"): f["findings"] for f in json.loads(run.stdout)["files"]}, run.stdout

    def test_every_key_is_found_in_every_carrier(self):
        keys = planted()
        self.assertGreater(len(keys), 500)
        names = list(CARRIERS)
        for i, (rule, key) in enumerate(keys):  # all carriers for one key of each rule, one for the others
            for name in names if i % 3 == 0 else [names[i % len(names)]]:
                self.put(f"k{i}/{name}", CARRIERS[name](key))
        found, text = self.findings(".")
        missed = []
        for path in sorted(self.top.rglob("*")):
            if path.is_dir():
                continue
            rel = str(path.relative_to(self.top))
            rules = {f["rule"] for f in found.get(rel, [])}
            if "secret.provider-key" not in rules:
                missed.append((rel, *keys[int(rel[1:rel.index("/")])]))
        self.assertEqual(missed, [], f"{len(missed)} missed")
        for _, key in keys:
            self.assertNotIn(key.encode(), text)
        print(f"{len(keys)} keys in {sum(1 for p in self.top.rglob('*') if p.is_file())} files: recall 1.00",
              file=sys.stderr)

    def test_private_keys_and_passwords(self):
        pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
        self.put("id.pem", pem)
        self.put("one_line.json", json.dumps({"private_key": pem.decode()}).encode())
        self.put("app.ini", b"[db]\nurl = postgres://app:k3Y8dLw0qZr@db.internal/x\n")
        self.put("fine.ini", b"[db]\nurl = postgres://app:${PASSWORD}@db.internal/x\npassword = changeme\n")
        found, text = self.findings(".")
        self.assertEqual([f["rule"] for f in found["id.pem"]], ["secret.private-key"])
        self.assertEqual([f["rule"] for f in found["one_line.json"]], ["secret.private-key"])
        self.assertEqual([f["rule"] for f in found["app.ini"]], ["secret.generic"])
        self.assertNotIn("fine.ini", found)
        self.assertNotIn(b"k3Y8dLw0qZr", text)
        self.assertNotIn(pem.splitlines()[1], text)

    def test_people_in_prompts_and_metadata(self):
        card, iban = "4539988915720591", "GB82WEST12345698765432"
        self.put("prompts/system.md", f"You help. Jane pays with {card}; write to jane@acme.io.\n".encode())
        self.put("model.safetensors", safetensors(f"account {iban}"))
        found, text = self.findings("prompts/system.md", "model.safetensors")
        self.assertEqual({f["rule"]: f["severity"] for f in found["prompts/system.md"]},
                         {"personal.financial": "low", "personal.contact": "low"})
        self.assertEqual({f["rule"]: f["severity"] for f in found["model.safetensors"]}, {"personal.financial": "medium"})
        for value in (card, iban, "jane@acme.io"):
            self.assertNotIn(value.encode(), text)

    def test_clean_text_of_this_machine(self):
        """At most one false positive in 10 MB: secrets, accounts and numbers of people. E-mail addresses are what they
        are, so they do not count."""
        endings = {".py", ".h", ".hpp", ".md", ".txt", ".rst", ".html", ".json", ".js", ".xml", ".pm", ".yaml", ".ipynb"}
        names, total = [], 0
        for top in ("/usr/share/doc", "/usr/include", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/perl",
                    "/usr/share/i18n", "/usr/share/dict"):
            for folder, folders, files in os.walk(top):
                folders.sort()
                for name in sorted(files):
                    path = os.path.join(folder, name)
                    plain = os.path.splitext(name)[1] in endings or name in ("copyright", "changelog", "README", "words")
                    if plain and not os.path.islink(path) and os.path.getsize(path) < 4 << 20:
                        names.append(path)
        random.Random(4).shuffle(names)
        with open(self.top / "all.md", "wb") as out:
            for path in names:
                if total > CLEAN_BYTES:
                    break
                with open(path, "rb") as f:
                    data = f.read().replace(b"\0", b"")
                out.write(data + b"\n")
                total += len(data)
        found, _ = self.findings("all.md")
        bad = [f for f in found["all.md"] if f["rule"].split(".")[0] in ("secret", "personal")
               and f["rule"] != "personal.contact"]
        allowed = max(1, total // 10_000_000)
        print(f"clean text: {total / 1e6:.0f} MB, {len(bad)} false positives", file=sys.stderr)
        self.assertLessEqual(len(bad), allowed, "\n".join(f["message"] for f in bad))

    # --- rule files ---
    RULES = b"""
[[rules]]
id = "acme-key"
regex = '''(?i)\\bacme[_-](?P<key>[0-9a-z]{12})\\b'''
keywords = ["acme"]
secretGroup = 1
[[rules]]
id = "bad"
regex = '''(open'''
"""

    def test_rules_of_a_file(self):
        rules = pathlib.Path(self.dir.name + ".rules.toml")
        rules.write_bytes(self.RULES)
        self.addCleanup(rules.unlink)
        self.put("config.json", b'{"model_type": "x", "k": "acme_k3j5h8d0s2q9"}')
        cache = self.top / "cache"
        env = dict(os.environ, XDG_CACHE_HOME=str(cache))
        for _ in range(2):
            run = self.scan("--secret-rules", rules, "config.json", env=env)
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertIn(b"acme-key", run.stdout)
            self.assertNotIn(b"k3j5h8d0s2q9", run.stdout)
            self.assertIn(b"bad: ", run.stderr)
        kept = list((cache / "tutela/rules").iterdir())
        self.assertEqual(len(kept), 1)
        self.assertEqual(kept[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual(kept[0].parent.stat().st_mode & 0o777, 0o700)
        damaged = kept[0].read_bytes()
        kept[0].write_bytes(damaged[:40] + bytes([damaged[40] ^ 1]) + damaged[41:])
        run = self.scan("--secret-rules", rules, "config.json", env=env)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(kept[0].read_bytes(), damaged, "what was damaged is compiled and kept anew")

    def test_rules_from_inside_the_tree_are_refused(self):
        rules = self.put("tree/rules.toml", self.RULES)
        self.put("tree/config.json", b'{"model_type": "x"}')
        run = self.scan("--secret-rules", rules, "tree")
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"lies in what is scanned", run.stderr)
        os.symlink(rules, self.top / "link.toml")
        self.assertEqual(self.scan("--secret-rules", "link.toml", "tree").returncode, 2)

    def test_broken_rule_files_are_errors(self):
        for text in (b"", b"title = 'x'\n", b"[[rules]\n", b"\xff\xfe"):
            rules = self.put("r.toml", text)
            self.put("d/config.json", b'{"model_type": "x"}')
            self.assertEqual(self.scan("--secret-rules", rules, "d").returncode, 2, text)

    def test_all_rules_of_gitleaks_load(self):
        rules = SHARED / "secrets/gitleaks.toml"
        if not rules.exists():
            self.skipTest(f"{rules} is not here")
        self.put("config.json", b'{"model_type": "x"}')
        env = dict(os.environ, XDG_CACHE_HOME=str(self.top / "cache"))
        run = self.scan("--secret-rules", rules, "config.json", env=env)
        self.assertEqual((run.returncode, run.stderr), (0, b""))

    def test_without_the_library_it_is_said(self):
        self.put("lib/libhs.so.5", b"no library")
        self.put("config.json", b'{"model_type": "x"}')
        run = self.scan("config.json", env=dict(os.environ, LD_LIBRARY_PATH=str(self.top / "lib")))
        self.assertEqual(run.returncode, 3)
        self.assertIn(b"secret.not-checked", run.stdout)
        self.assertEqual(run.stderr.count(b"not looked through for secrets"), 1)

    # --- labelled text ---
    def test_classes_of_labelled_text(self):
        """F1 over what has a form: cards, mail, IBAN, social security, IP, telephone and web addresses. Names, places and
        organisations have none: another kind of tool finds them."""
        bench = pathlib.Path(os.environ["TUTELA_BUILD"]) / "bench/bench_text"
        data = SHARED / "pii/synth_dataset_v2.json"
        if not data.exists():
            self.skipTest(f"{data} is not here")
        if not bench.exists():
            self.skipTest(f"{bench} is not built")
        forms = {"CREDIT_CARD": ["credit-card"], "EMAIL_ADDRESS": ["email"], "IBAN_CODE": ["iban"], "US_SSN": ["us-ssn"],
                 "IP_ADDRESS": ["ipv4", "ipv6"], "DOMAIN_NAME": ["url"], "PHONE_NUMBER": ["phone"]}
        kind_of = {i: kind for kind, ids in forms.items() for i in ids}
        documents = json.loads(data.read_text())
        names = []
        for i, d in enumerate(documents):
            names.append(self.put(f"d{i}.txt", d["full_text"].encode()))
        out = subprocess.run([bench, "-m", *names], capture_output=True, check=True, text=True).stdout
        seen = {}
        for line in out.splitlines():
            name, rule, _, _, begin, end, *_ = line.split("\t")
            if rule in kind_of:
                seen.setdefault(name, []).append((kind_of[rule], int(begin), int(end)))
        for half in (0, 1):
            good = false = missed = 0
            for i in range(half, len(documents), 2):
                raw = documents[i]["full_text"].encode()
                told = [(k, len(raw[:b].decode(errors="ignore")), len(raw[:e].decode(errors="ignore")))
                        for k, b, e in seen.get(str(names[i]), [])]
                for s in documents[i]["spans"]:
                    if s["entity_type"] not in forms:
                        continue
                    hit = [t for t in told if t[0] == s["entity_type"] and t[1] < s["end_position"] and
                           s["start_position"] < t[2]]
                    if hit:
                        told.remove(hit[0])
                        good += 1
                    else:
                        missed += 1
                false += len(told)
            f1 = 2 * good / (2 * good + false + missed)
            print(f"labelled text, half {half}: {good} found, {missed} missed, {false} false, F1 {f1:.3f}",
                  file=sys.stderr)
            self.assertGreaterEqual(f1, 0.95)


if __name__ == "__main__":
    unittest.main()
