"""An evidence pack: anybody unpacks it, other people's programs verify it, tutela verifies it without
state or keys, and whatever is done to it is found."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

TUTELA = os.environ["TUTELA"]
KEYTOOL = os.environ["TUTELA_KEYTOOL"]
with open(os.path.join(os.environ["TUTELA_BUILD"], "CMakeCache.txt")) as cache:
    IS_SANITIZED = "-fsanitize" in cache.read()
ENV = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XDG_DATA_HOME")}
ENV["ASAN_OPTIONS"] = ENV.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # faketime is loaded before it
FOLDER = "tutela-pack/"


def say(text):
    print("ok     ", text, flush=True)


def model(path, seed):
    head = json.dumps({"w": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + seed.to_bytes(8, "little"))


class System:
    def __init__(self, root):
        self.root, self.dir, self.keys = root, root / "system", root / "keys"
        self.dir.mkdir(parents=True)
        model(self.dir / "a.safetensors", 1)
        self.run("init", ".")
        self.run("assess")

    def run(self, *args, expect=None, env=None):
        p = subprocess.run([TUTELA, *map(str, args)], cwd=self.dir, capture_output=True, text=True,
                           env={**ENV, "XDG_DATA_HOME": str(self.keys), **(env or {})}, timeout=120)
        if expect is not None:
            assert p.returncode == expect, (args, p.returncode, p.stdout, p.stderr)
        return p

    def pack(self, path, *args):
        return json.loads(self.run("pack", "build", path, "--format", "json", *args, expect=0).stdout)

    @property
    def vkeys(self):
        origin = (self.dir / ".tutela/origin").read_text().strip()
        return self.keys / "tutela" / origin / "log.vkey"

    @property
    def vkey(self):
        return [line for line in self.vkeys.read_text().split("\n") if "/evidence+" in line][0]


def verify(path, *args, prefix=()):
    """Without state, keys or home: another machine."""
    with tempfile.TemporaryDirectory() as nowhere:
        env = {"HOME": nowhere, "PATH": ENV["PATH"], "XDG_DATA_HOME": nowhere, "ASAN_OPTIONS": ENV["ASAN_OPTIONS"]}
        p = subprocess.run([*prefix, TUTELA, "pack", "verify", "--format", "json", str(path),
                            *map(str, args)], cwd=nowhere, env=env, capture_output=True, text=True,
                           timeout=120)
        assert os.listdir(nowhere) == [], "something was written"
    d = json.loads(p.stdout) if p.stdout else {"summary": {}, "checks": []}
    bad = {c["name"]: c["detail"] for c in d["checks"] if not c["ok"]}
    assert (p.returncode == 1) == bool(bad), (p.returncode, bad, p.stderr)
    return p.returncode, d, bad


# --- the container, written by somebody else ---

def header(member, length, **other):
    f = {"name": FOLDER + member, "mode": "0000644", "uid": "0000000", "gid": "0000000",
         "size": f"{length:011o}", "mtime": f"{315532800:011o}", "type": "0", **other}
    block = bytearray(512)
    for at, text in ((0, f["name"]), (100, f["mode"]), (108, f["uid"]), (116, f["gid"]),
                     (124, f["size"]), (136, f["mtime"]), (148, " " * 8), (156, f["type"]),
                     (257, "ustar\x0000"), (329, "0000000"), (337, "0000000")):
        block[at:at + len(text)] = text.encode()
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


def tar(members, end=1024):
    out = b""
    for name, data in members:
        out += header(name, len(data)) + data + bytes(-len(data) % 512)
    return out + bytes(end)


def untar(data):
    members, at = [], 0
    while data[at:at + 512].strip(b"\0"):
        block = data[at:at + 512]
        name = block[:100].rstrip(b"\0").decode().removeprefix(FOLDER)
        size = int(block[124:135], 8)
        members.append((name, data[at + 512:at + 512 + size]))
        at += 512 + size + -size % 512
    return members


def sums(members):
    """The same with SHA256SUMS made anew: what whoever alters a pack would do."""
    rest = sorted((n, d) for n, d in members if n != "SHA256SUMS")
    text = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in rest)
    return [("SHA256SUMS", text.encode())] + rest


def canonical(value):
    return (json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + root(hashes[:k]) + root(hashes[k:])).digest()


def entries(members):
    bundle = dict(members)[[n for n, _ in members if n.startswith("log/tile/entries/")][0]]
    out = []
    while bundle:
        length = struct.unpack(">H", bundle[:2])[0]
        out.append(bundle[2:2 + length])
        bundle = bundle[2 + length:]
    return out


def with_entries(members, all_of_them):
    """Tiles as they would be with these entries; the checkpoint stays."""
    rest = [(n, d) for n, d in members if not n.startswith("log/tile/")]
    bundle = b"".join(struct.pack(">H", len(e)) + e for e in all_of_them)
    count = len(all_of_them)
    assert count < 256
    return rest + [(f"log/tile/entries/000.p/{count}", bundle),
                   (f"log/tile/0/000.p/{count}", b"".join(map(leaf, all_of_them)))]


def replaced(members, name, data):
    return [(n, data if n == name else d) for n, d in members]


# --- what it is ---

def anybody_opens_it(tmp, s):
    path = tmp / "p.tar"
    built = s.pack(path)["summary"]
    out = tmp / "unpacked"
    out.mkdir()
    p = subprocess.run(["tar", "xf", path, "-C", out], capture_output=True, text=True)
    assert p.returncode == 0 and not p.stderr, p.stderr
    inside = out / "tutela-pack"
    assert os.listdir(out) == ["tutela-pack"]
    p = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=inside, capture_output=True, text=True)
    assert p.returncode == 0, p.stdout
    files = [f for f in inside.rglob("*") if f.is_file()]
    assert len(p.stdout.split("\n")) - 1 == len(files) - 1 == built["files"] - 1
    assert tar(untar(path.read_bytes())) == path.read_bytes()
    manifest = json.loads((inside / "pack.json").read_text())
    assert canonical(manifest) == (inside / "pack.json").read_bytes()
    listed = {f["name"] for f in manifest["files"]}
    assert listed == {str(f.relative_to(inside)) for f in files
                      if f.parts[len(inside.parts)] not in ("log", "evidence", "pack.json", "SHA256SUMS")}
    digest = hashlib.sha256((inside / "pack.json").read_bytes()).hexdigest()
    last = json.loads(entries(untar(path.read_bytes()))[built["entry"]])
    assert last["kind"] == "pack.built" and last["event"]["subject"][0]["digest"]["sha256"] == digest
    say("tar unpacks it without a word, sha256sum knows every file, the log knows pack.json")
    return path, inside


def other_programs_verify_it(tmp, s, inside):
    go = tmp / "go"
    if not shutil.which("go") or not pathlib.Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").is_dir():
        print("not tested: go or golang-golang-x-mod-dev is not installed")
        return
    go.mkdir()
    shutil.copy(pathlib.Path(os.environ["TUTELA_SOURCE"]) / "tests/tools/log_read.go", go)
    env = {**ENV, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(go / "cache"),
           "HOME": str(go), "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", "log_read", "log_read.go"], cwd=go, env=env, check=True)
    lines = (inside / "log/checkpoint").read_text().split("\n")
    claims = ["vkey " + (inside / "log/log.vkey").read_text().strip(), f"root {lines[1]} {lines[2]}"]
    for proof in sorted((inside / "evidence").glob("*.tlog-proof")):
        text = proof.read_text().split("\n")
        index = text[1].removeprefix("index ")
        claims.append(f"inclusion {index} {lines[1]} " + " ".join(text[2:text.index("")]))
        # and the file beside is that very entry
        entry = proof.with_suffix(".json").read_bytes()
        assert entry == entries(untar((tmp / "p.tar").read_bytes()))[int(index)]
    assert len(claims) > 4
    p = subprocess.run([go / "log_read", inside / "log", "any"], input="\n".join(claims) + "\n",
                       capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    say("golang.org/x/mod: " + p.stdout.strip())


def openssl_verifies_a_signature(tmp, inside):
    entry = json.loads(sorted((inside / "evidence").glob("*.json"))[-1].read_bytes())["dsse"]
    payload = base64.b64decode(entry["payload"])
    kind = entry["payloadType"].encode()
    (tmp / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp / "sig").write_bytes(base64.b64decode(entry["signatures"][0]["sig"]))
    key = inside / "keys" / (entry["signatures"][0]["keyid"] + ".pem")
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", tmp / "pae",
                    "-sigfile", tmp / "sig"], check=True, capture_output=True)
    say("openssl verifies the signature of a piece of evidence, as VERIFY.txt says")


def trust_is_said(tmp, s, path, inside):
    code, d, _ = verify(path)
    assert code == 3 and d["schema"] == "tutela.pack/1" and d["summary"]["trust"] == "self-consistent"
    assert d["summary"]["proven_time"] is None and d["summary"]["expired_since"] == []
    for word in (s.vkey, s.vkeys, inside / "log/log.vkey"):
        code, d, _ = verify(path, "--trust", word)
        assert code == 0 and d["summary"]["trust"] == "trusted-key", word
    keys = json.loads((inside / "keys/keys.json").read_text())
    code, d, _ = verify(path, "--trust", inside / "keys" / (keys["log"][0]["id"] + ".pem"))
    assert code == 0 and d["summary"]["trust"] == "trusted-key"
    code, d, bad = verify(path, "--trust", inside / "keys" / (keys["tool"][0]["id"] + ".pem"))
    assert code == 1 and "sealed again" in bad["checkpoint"], bad
    (tmp / "logs.policy").write_text(f"log {s.vkey}\nquorum none\n")
    code, d, _ = verify(path, "--trust", tmp / "logs.policy")
    assert code == 0 and d["summary"]["trust"] == "trusted-key", d
    say("with no key self-consistent (3), with the log's trusted (0), with another's refused (1)")


def verdict_is_that_of_the_report(tmp, s, path):
    code, d, _ = verify(path)
    report = json.loads(dict(untar(path.read_bytes()))["reports/report.json"])
    again = json.loads(s.run("report", "--at", report["evaluated_at"], "--format", "json").stdout)
    assert {c["id"]: c["verdict"] for c in report["controls"]} == {c["id"]: c["verdict"] for c in again["controls"]}
    assert d["summary"]["then"]["counts"] == again["summary"]["counts"] and again["summary"]["counts"]["met"]
    assert d["summary"]["then"]["grade"] == again["summary"]["grade"]
    say("the verdict in the pack is that of report --at")


def same_facts_same_pack(tmp, s, path):
    at = json.loads(dict(untar(path.read_bytes()))["pack.json"])["evaluated_at"]
    first, second = tmp / "again-1.tar", tmp / "again-2.tar"
    one = s.pack(first, "--at", at)["summary"]
    two = s.pack(second, "--at", at)["summary"]
    assert not one["recorded"] and not two["recorded"]
    assert first.read_bytes() == second.read_bytes() == path.read_bytes()
    say("built again of the same facts: not recorded again, byte for byte the same")


def earlier_verdict(tmp, s, path):
    at = json.loads(dict(untar(path.read_bytes()))["pack.json"])["evaluated_at"]
    before = {c["id"]: c["verdict"] for c in json.loads(dict(untar(path.read_bytes()))["reports/report.json"])["controls"]}
    time.sleep(1.1)
    (s.dir / "undeclared.pkl").write_bytes(b"cos\nsystem\n(S'id'\ntR.")
    s.run("assess")
    built = s.pack(tmp / "earlier.tar", "--at", at)["summary"]
    assert not built["recorded"] and built["log_size"] > 10
    code, d, _ = verify(tmp / "earlier.tar", "--trust", s.vkey)
    said = {c["id"]: c["verdict"] for c in json.loads(dict(untar((tmp / "earlier.tar").read_bytes()))["reports/report.json"])["controls"]}
    assert code == 0 and said == before
    s.pack(tmp / "later.tar")
    code, d, _ = verify(tmp / "later.tar", "--trust", s.vkey)
    later = {c["id"]: c["verdict"] for c in json.loads(dict(untar((tmp / "later.tar").read_bytes()))["reports/report.json"])["controls"]}
    assert code == 0 and later != before and d["summary"]["then"]["counts"]["not_met"]
    assert s.run("pack", "build", tmp / "no.tar", "--at", "2199-01-01").returncode == 2
    assert s.run("pack", "build", tmp / "no.tar", "--at", "2001-01-01").returncode == 2
    assert not (tmp / "no.tar").exists()
    say("the verdict of an earlier time, with what was logged since; none of the future or before the log")


def other_times(tmp, s, path):
    if not shutil.which("faketime"):
        print("not tested: faketime is not installed")
        return
    code, d, bad = verify(path, prefix=("faketime", "2020-01-01"))
    assert code == 1 and "future" in bad["verdict"], (code, bad)
    code, d, bad = verify(path, "--trust", s.vkey, prefix=("faketime", "+90 days"))
    run_out = {c["id"]: c for c in d["summary"]["expired_since"]}
    assert code == 0 and run_out and all(c["evidence"] for c in run_out.values()), (code, bad)
    assert any(c["then"] == "met" and c["now"] == "not_checked" for c in run_out.values())
    assert d["summary"]["now"]["counts"]["met"] < d["summary"]["then"]["counts"]["met"]
    say(f"in 90 days {len(run_out)} provisions have lost evidence; before its time it is refused")


# --- what is done to it ---

def altered(tmp, s, members, what, check, trust=True):
    bad_pack = tmp / "altered.tar"
    bad_pack.write_bytes(tar(members) if isinstance(members, list) else members)
    code, d, bad = verify(bad_pack, *(("--trust", s.vkey) if trust else ()))
    assert code == 1 and check in bad, (what, code, bad, d["summary"])
    return d["summary"]["differs"], bad


def whatever_is_done_is_found(tmp, s, path):
    data = path.read_bytes()
    m = untar(data)
    at = dict(m)
    names = [n for n, _ in m]
    body = [n for n in names if n.startswith("bodies/")][0]
    proof = [n for n in names if n.endswith(".tlog-proof")][0]

    # the container
    altered(tmp, s, data + b"\0", "appended", "archive")
    altered(tmp, s, data + bytes(10240), "padded as tar would", "archive")
    altered(tmp, s, tar(m, end=512), "short end", "archive")
    altered(tmp, s, tar(m[:1] + m[2:3] + m[1:2] + m[3:]), "swapped", "archive")
    altered(tmp, s, tar(m[:3] + m[2:]), "doubled", "archive")
    for wrong in ({"mode": "0000755"}, {"uid": "0001000"}, {"mtime": "0" * 11}, {"type": "5"}, {"type": "2"},
                  {"type": "x"}, {"size": "77777777777"}, {"size": "-0000000001"}, {"name": "/etc/passwd"},
                  {"name": FOLDER + "../x"}, {"name": FOLDER + "bodies/../../x"}, {"name": FOLDER + ".x"},
                  {"name": "x/SHA256SUMS"}):
        out = b"".join((header(n, len(d), **(wrong if n == "VERIFY.txt" else {})) + d + bytes(-len(d) % 512))
                       for n, d in m) + bytes(1024)
        altered(tmp, s, out, wrong, "archive")
    # cut off anywhere: within a header, a file, its padding, the end
    for cut in (513, 1023, 1024, 5000, len(data) // 2, len(data) - 1025, len(data) - 1024, len(data) - 512, len(data) - 1):
        altered(tmp, s, data[:cut], f"cut at {cut}", "archive")
    for cut in (0, 1, 511):
        (tmp / "altered.tar").write_bytes(data[:cut])
        assert verify(tmp / "altered.tar")[0] == 2
    (tmp / "altered.tar").write_bytes(b"PK\3\4" + bytes(2000))
    assert verify(tmp / "altered.tar")[0] == 2 and verify(tmp / "none.tar")[0] == 2 and verify(tmp)[0] == 2
    none = subprocess.run([TUTELA, "pack", "verify", "none.tar"], cwd=tmp, env=ENV, capture_output=True, text=True)
    assert "none.tar cannot be opened: No such file" in none.stderr, none.stderr
    say("the container in any other form is refused: exit 1, and 2 for what is no pack")

    # files, first as they are, then with SHA256SUMS made anew
    for name in names:
        changed = replaced(m, name, at[name][:-1] + bytes([at[name][-1] ^ 1]) if at[name] else b"x")
        differs, _ = altered(tmp, s, changed, name, "sums")
        assert differs == name or name == "SHA256SUMS", (differs, name)
        if name == "SHA256SUMS":
            continue
        bad_pack = tmp / "altered.tar"
        bad_pack.write_bytes(tar(sums(changed)))
        code, d, bad = verify(bad_pack)
        assert code == 1, name
        assert d["summary"]["differs"] == name or bad, (name, d["summary"]["differs"], bad)
        missing = [x for x in m if x[0] != name]
        altered(tmp, s, missing, "without " + name, "sums")
        bad_pack.write_bytes(tar(sums(missing)))
        assert verify(bad_pack)[0] == 1, "without " + name
    altered(tmp, s, sums(m + [("bodies/" + "0" * 64, b"x")]), "one more", "manifest")
    altered(tmp, s, sums(m + [("log/witness/evil.sh", b"x")]), "one more beside the log", "tiles")
    altered(tmp, s, sums(m + [("evidence/0000000000.json", entries(m)[0])]), "more evidence", "proofs")
    altered(tmp, s, sums([(n + "x" if n == body else n, d) for n, d in m]), "renamed", "manifest")
    say(f"each of {len(names)} files altered or left out is found and named, SHA256SUMS made anew or not")

    # what the log vouches for
    manifest = json.loads(at["pack.json"])
    text = at["reports/report.html"] + b"<!-- better -->"
    for f in manifest["files"]:
        if f["name"] == "reports/report.html":
            f.update(size=len(text), digest={"sha256": hashlib.sha256(text).hexdigest()})
    better = replaced(replaced(m, "reports/report.html", text), "pack.json", canonical(manifest))
    assert altered(tmp, s, sums(better), "another report and manifest", "built")[0] == "pack.json"
    spaced = json.dumps(json.loads(at["pack.json"])).encode()
    altered(tmp, s, sums(replaced(m, "pack.json", spaced)), "another form of the manifest", "manifest")
    altered(tmp, s, sums(replaced(m, proof, at[[n for n in names if n.endswith(".tlog-proof")][1]])), "another proof", "proofs")
    every = entries(m)
    for i in range(len(every)):
        altered(tmp, s, sums(with_entries(m, every[:i] + every[i + 1:])), f"without entry {i}", "checkpoint")
    altered(tmp, s, sums(with_entries(m, every[:2] + every[3:4] + every[2:3] + every[4:])), "entries swapped", "root")
    say("an entry left out or exchanged, a manifest of somebody's own: found, with everything else made anew")


def resealed(tmp, s, path):
    """Whoever takes an entry out and signs with a key of his own."""
    m = untar(path.read_bytes())
    every = entries(m)
    key = tmp / "thief.pem"
    subprocess.run([KEYTOOL, "generate", "ed25519", key], check=True, capture_output=True)
    less = every[:-3] + every[-2:]
    head = dict(m)["log/checkpoint"].split(b"\n\n")[0].split(b"\n")
    head[1:3] = [str(len(less)).encode(), base64.b64encode(root([leaf(e) for e in less]))]
    (tmp / "head").write_bytes(b"\n".join(head) + b"\n")
    p = subprocess.run([KEYTOOL, "note-sign", key, head[0].decode(), "1", tmp / "head"], capture_output=True)
    assert p.returncode == 0, p.stderr
    line = [x for x in p.stdout.split(b"\n") if x.startswith("\u2014".encode())][0]
    forged = replaced(with_entries(m, less), "log/checkpoint", (tmp / "head").read_bytes() + b"\n" + line + b"\n")
    _, bad = altered(tmp, s, sums(forged), "sealed again", "keys", trust=False)
    assert "heads" in bad and "sequence" in bad, bad
    _, bad = altered(tmp, s, sums(forged), "sealed again", "checkpoint")
    assert "sealed again" in bad["checkpoint"]
    say("sealed again with another key: found without a key from elsewhere, and with one")


def of_another_age(tmp, s):
    old, young = untar((tmp / "p.tar").read_bytes()), untar((tmp / "later.tar").read_bytes())
    altered(tmp, s, sums(replaced(old, "log/checkpoint", dict(young)["log/checkpoint"])), "younger checkpoint", "checkpoint")
    altered(tmp, s, sums(replaced(young, "log/checkpoint", dict(old)["log/checkpoint"])), "older checkpoint", "checkpoint")
    # the whole log of a later time under the verdict of an earlier one is what --at gives; the other
    # way round the log lacks what the verdict goes by
    logs = [x for x in old if x[0].startswith(("log/", "evidence/"))]
    altered(tmp, s, sums([x for x in young if not x[0].startswith(("log/", "evidence/"))] + logs), "older log", "built")
    say("checkpoint, log and verdict of different ages do not go together")


def another_log(tmp, s, path):
    other = System(tmp / "other")
    other.pack(tmp / "other.tar")
    code, d, _ = verify(tmp / "other.tar")
    assert code == 3
    _, bad = altered(tmp, s, (tmp / "other.tar").read_bytes(), "somebody else's", "checkpoint")
    say("a whole pack of somebody else's making is refused by the key that is trusted")


def lies_of_the_owner(tmp, s):
    """Who has the log's key may log any manifest: the verdict is recomputed all the same."""
    path = tmp / "owner.tar"
    s.pack(path)
    m = untar(path.read_bytes())
    report = json.loads(dict(m)["reports/report.json"])
    worst = [c for c in report["controls"] if c["verdict"] == "not_met"][0]
    worst["verdict"] = "met"
    lie = replaced(m, "reports/report.json", canonical(report))
    manifest = json.loads(dict(m)["pack.json"])
    for f in manifest["files"]:
        if f["name"] == "reports/report.json":
            data = dict(lie)["reports/report.json"]
            f.update(size=len(data), digest={"sha256": hashlib.sha256(data).hexdigest()})
    lie = replaced(lie, "pack.json", canonical(manifest))
    event = json.loads(entries(m)[-1])["event"]
    event["subject"][0]["digest"]["sha256"] = hashlib.sha256(dict(lie)["pack.json"]).hexdigest()
    (tmp / "event.json").write_bytes(canonical(event))
    s.run("ledger", "append", tmp / "event.json", "--kind", "pack.built", expect=0)
    again = untar((s.pack(tmp / "owner-2.tar", "--at", report["evaluated_at"]) and tmp / "owner-2.tar").read_bytes())
    logs = [x for x in again if x[0].startswith(("log/", "evidence/"))]
    rest = [x for x in lie if not x[0].startswith(("log/", "evidence/"))]
    _, bad = altered(tmp, s, sums(rest + logs), "the owner's lie", "verdict")
    assert set(bad) == {"verdict", "reports"} and worst["id"] in bad["verdict"], bad
    say("a better verdict that the owner himself sealed and logged is found, by the records")


def anchored(tmp, s):
    key = tmp / "witness.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    key.chmod(0o600)
    (tmp / "witness").mkdir()
    w = subprocess.Popen([TUTELA, "ledger", "witness", "serve", "--key", key, "--name", "w.example/1", "--log", s.vkey,
                          "--dir", tmp / "witness", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True,
                         env={**ENV, "XDG_DATA_HOME": str(s.keys)})
    try:
        vkey = w.stderr.readline().strip().removeprefix("Witness ")
        url = w.stderr.readline().strip().removeprefix("Listening on ")
        threading.Thread(target=w.stderr.read, daemon=True).start()
        policy = tmp / "witnesses.policy"
        policy.write_text(f"log {s.vkey}\nwitness w {vkey} {url}\nquorum w\n")
        path = tmp / "anchored.tar"
        at = s.pack(path)["summary"]["evaluated_at"]
        assert verify(path, "--trust", policy)[0] == 1  # nobody cosigned yet
        s.run("ledger", "witness", "ask", "--policy", policy, expect=0)
        assert not s.pack(path, "--at", at)["summary"]["recorded"]
    finally:
        w.send_signal(signal.SIGTERM)
        w.wait()
    code, d, _ = verify(path, "--trust", policy)
    assert code == 0 and d["summary"]["trust"] == "anchored" and d["summary"]["proven_size"] == d["summary"]["size"]
    assert d["summary"]["proven_time"] >= at
    assert verify(path, "--trust", s.vkey)[1]["summary"]["trust"] == "trusted-key"
    m = untar(path.read_bytes())
    cosigned = [n for n, _ in m if n.startswith("log/witnessed/")][0]
    note = dict(m)[cosigned].split(b"\n")
    mine = [i for i, x in enumerate(note) if b"w.example/1" in x][0]
    note[mine] = note[mine][:-4] + (b"AAA=" if note[mine][-4:] != b"AAA=" else b"BBB=")
    bad = [(n, b"\n".join(note) if n.startswith(("log/witness", "log/checkpoint.w")) else d) for n, d in m]
    (tmp / "altered.tar").write_bytes(tar(sums(bad)))
    assert verify(tmp / "altered.tar", "--trust", policy)[0] == 1
    say("cosigned by a witness and built again: anchored, with the time")


def stamped(tmp, s):
    ca = tmp / "ca"
    ca.mkdir()
    (ca / "ca.cnf").write_text(f"""[req]
distinguished_name = dn
x509_extensions = ca
prompt = no
[dn]
CN = root
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
extendedKeyUsage = critical,timeStamping
[tsa_config]
default_tsa = ts
[ts]
serial = {ca}/serial
crypto_device = builtin
signer_cert = {ca}/tsa.pem
certs = {ca}/ca.pem
signer_key = {ca}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
""")
    (ca / "serial").write_text("01\n")

    def openssl(*args):
        p = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, cwd=ca)
        assert p.returncode == 0, (args, p.stderr)
    for name in ("ca", "tsa"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
    openssl("req", "-new", "-x509", "-key", "ca.key", "-config", "ca.cnf", "-days", "30", "-out", "ca.pem")
    openssl("req", "-new", "-key", "tsa.key", "-subj", "/CN=authority", "-out", "tsa.csr", "-config", "ca.cnf")
    openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "20",
            "-extfile", "ca.cnf", "-extensions", "tsa", "-out", "tsa.pem")
    path = tmp / "stamped.tar"
    at = s.pack(path)["summary"]["evaluated_at"]
    s.run("ledger", "timestamp", "--request", ca / "r.tsq", expect=0)
    openssl("ts", "-reply", "-config", "ca.cnf", "-section", "ts", "-queryfile", "r.tsq", "-out", "r.tsr")
    s.run("ledger", "timestamp", "--response", ca / "r.tsr", "--ca", ca / "ca.pem", expect=0)
    s.pack(path, "--at", at)
    code, d, _ = verify(path, "--timestamp-ca", ca / "ca.pem")
    assert code == 0 and d["summary"]["trust"] == "anchored" and d["summary"]["proven_time"]
    assert verify(path)[1]["summary"]["trust"] == "self-consistent"
    out = tmp / "stamped"
    out.mkdir()
    subprocess.run(["tar", "xf", path, "-C", out], check=True)
    tsr = sorted((out / "tutela-pack/log/timestamps").glob("*.tsr"))[-1]
    p = subprocess.run(["openssl", "ts", "-verify", "-in", tsr, "-data", tsr.with_suffix(".checkpoint"), "-CAfile", ca / "ca.pem"],
                       capture_output=True, text=True)
    assert p.returncode == 0 and "OK" in p.stdout + p.stderr, p.stderr
    say("time-stamped and built again: anchored; openssl verifies the token out of the pack")


def a_providers_pack(tmp):
    """5.1.2-7 moves by it, and falls back: one signer, other bytes, aged, a failing provider."""
    provider = System(tmp / "provider")
    pack = tmp / "provider.tar"
    provider.pack(pack)
    s = System(tmp / "user")
    shutil.copy(provider.dir / "a.safetensors", s.dir / "a.safetensors")
    text = (s.dir / "tutela.yaml").read_text()
    (s.dir / "tutela.yaml").write_text(re.sub(r"origin:.*", "origin: supplier", text))
    s.run("init", ".", "--update")
    for name in ("Ada", "Bob", "Eve"):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp / f"{name}.key"], check=True)
        (tmp / f"{name}.key").chmod(0o600)
        subprocess.run(["openssl", "pkey", "-in", tmp / f"{name}.key", "-pubout", "-out", tmp / f"{name}.pub"], check=True)
    s.run("people", "enrol", "Eve", "--root", "--key", tmp / "Eve.pub", expect=0)
    for name, role in (("Ada", "developer"), ("Bob", "operator")):
        s.run("people", "enrol", name, "--role", role, "--key", tmp / f"{name}.pub", "--by", "Eve", "--signing-key",
              tmp / "Eve.key", expect=0)
    s.run("assess")
    asset = [a["id"] for a in json.loads(s.run("inventory", "--format", "json").stdout)["assets"] if a["origin"] == "supplier"][0]

    def take(name, *more, pack=pack, trust=None):
        return s.run("pack", "import", pack, "--asset", asset, "--by", name, "--signing-key", tmp / f"{name}.key",
                     "--format", "json", *(("--trust", trust or provider.vkey)), *more)

    def stands(env=None, **how):
        prefix = how.get("prefix", ())
        p = subprocess.run([*prefix, TUTELA, "report", "--format", "json"], cwd=s.dir, capture_output=True, text=True,
                           env={**ENV, "XDG_DATA_HOME": str(s.keys)})
        return [c for c in json.loads(p.stdout)["controls"] if c["id"] == "5.1.2-7"][0]["verdict"]

    assert stands() in ("not_checked", "not_met")
    before = stands()
    p = s.run("pack", "import", pack, "--asset", asset, "--by", "Ada", "--signing-key", tmp / "Ada.key")
    assert p.returncode == 1 and "its own keys" in p.stderr, p.stderr
    p = take("Ada", trust=s.vkey)
    assert p.returncode == 1 and "does not verify" in p.stderr
    p = take("Ada")
    assert p.returncode == 1 and "too little" in p.stderr
    broken = tmp / "broken.tar"
    broken.write_bytes(pack.read_bytes()[:-600] + b"x" + pack.read_bytes()[-599:])
    assert take("Ada", "--accept", "seen", pack=broken).returncode == 1
    assert take("Ada", "--accept", "seen", pack=tmp / "none.tar").returncode == 2
    assert stands() == before

    said = json.loads(take("Ada", "--accept", "their tests were seen on site").stdout)["summary"]
    assert said["result"] == "pass" and said["signed"] and said["assets_in_pack"] == 1
    assert stands() == before  # one signer
    assert take("Ada", "--accept", "their tests were seen on site").returncode == 0
    assert stands() == before  # twice the same one
    assert take("Bob", "--accept", "their tests were seen on site").returncode == 0
    assert stands() == "met"
    if shutil.which("faketime"):
        assert stands(prefix=("faketime", "+25 days")) == "met"
        assert stands(prefix=("faketime", "+31 days")) == "not_checked"  # the pack's evidence ran out
    model(s.dir / "a.safetensors", 99)
    s.run("init", ".", "--update")
    s.run("assess")
    assert stands() != "met"  # other bytes
    shutil.copy(provider.dir / "a.safetensors", s.dir / "a.safetensors")
    s.run("init", ".", "--update")
    s.run("assess")
    assert stands() == "met"

    (provider.dir / "b.pkl").write_bytes(b"cos\nsystem\n(S'id'\ntR.")
    provider.run("init", ".", "--update")
    provider.run("assess")
    worse = tmp / "worse.tar"
    provider.pack(worse)
    p = take("Ada", pack=worse)
    assert p.returncode == 1 and json.loads(p.stdout)["summary"]["result"] == "fail", (p.stdout, p.stderr)
    assert stands() != "met"  # what one of them saw is enough to end it
    assert take("Bob", pack=worse).returncode == 1
    assert stands() == "not_met"
    say("5.1.2-7: met by two people's import of a provider's pack; not by one, other bytes, an aged or failing one")


def nothing_is_left_when_it_fails(tmp, s):
    full = tmp / "directory.tar"
    full.mkdir()
    assert s.run("pack", "build", full).returncode == 2
    assert s.run("pack", "build", tmp / "nowhere" / "x.tar").returncode == 2
    assert not [f for f in os.listdir(tmp) if f.startswith(".tutela-")]
    empty = tmp / "empty"
    empty.mkdir()
    assert s.run("pack", "build", tmp / "e.tar", empty).returncode == 2
    say("a pack that cannot be written leaves nothing behind")


def every_byte(tmp, path):
    stride = "1" if os.environ.get("TUTELA_EVERY_BYTE") else "499"
    if IS_SANITIZED:
        stride = "9973"
    p = subprocess.run([os.environ["TUTELA_PACKFLIP"], path, stride], capture_output=True, text=True)
    assert p.returncode == 0, p.stdout
    say("bytes altered one by one: " + "; ".join(p.stdout.strip().split("\n")))


def main():
    with tempfile.TemporaryDirectory(prefix="tutela-pack-") as name:
        tmp = pathlib.Path(name)
        s = System(tmp / "s")
        path, inside = anybody_opens_it(tmp, s)
        other_programs_verify_it(tmp, s, inside)
        openssl_verifies_a_signature(tmp, inside)
        trust_is_said(tmp, s, path, inside)
        verdict_is_that_of_the_report(tmp, s, path)
        same_facts_same_pack(tmp, s, path)
        other_times(tmp, s, path)
        whatever_is_done_is_found(tmp, s, path)
        resealed(tmp, s, path)
        earlier_verdict(tmp, s, path)
        of_another_age(tmp, s)
        another_log(tmp, s, path)
        lies_of_the_owner(tmp, s)
        anchored(tmp, s)
        stamped(tmp, s)
        a_providers_pack(tmp)
        nothing_is_left_when_it_fails(tmp, s)
        every_byte(tmp, path)


main()
