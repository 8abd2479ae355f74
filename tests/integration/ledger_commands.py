"""tutela ledger show, search, prove, verify, reindex through the real command."""
import base64
import glob
import hashlib
import json
import os
import pathlib
import pickle
import subprocess
import tempfile

TUTELA = os.environ["TUTELA"]
ENV = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XDG_DATA_HOME")}


class System:
    def __init__(self, tmp):
        self.tmp = tmp
        self.dir = tmp / "system"
        (self.dir / "models").mkdir(parents=True)
        for name in ("base", "tuned"):
            (self.dir / "models" / (name + ".pkl")).write_bytes(pickle.dumps({"name": name}, 4))
        self.run("init", ".", expect=0)
        assert self.run("assess").returncode in (0, 1, 3)

    def run(self, *args, expect=None, binary=False, cwd=None):
        p = subprocess.run([TUTELA, *map(str, args)], cwd=cwd or self.dir, capture_output=True,
                           env={**ENV, "XDG_DATA_HOME": str(self.tmp / "keys")}, timeout=60)
        if expect is not None:
            assert p.returncode == expect, (args, p.returncode, p.stdout, p.stderr)
        return p.stdout if binary else p.stdout.decode() if expect is not None else p

    def json(self, *args, expect=0):
        d = json.loads(self.run("ledger", *args, "--format", "json", expect=expect))
        assert d["schema"] == "tutela.ledger/1" and d["tutela"] and d["generated"], d
        return d

    def refused(self, *args):
        p = self.run("ledger", *args)
        text = p.stderr.decode()
        assert p.returncode == 2 and text.count("\n") == 1 and not p.stdout, (args, p)
        return text

    def vkey(self):
        text = pathlib.Path(glob.glob(f"{self.tmp}/keys/tutela/*/log.vkey")[0]).read_text()
        return [line for line in text.splitlines() if "/evidence+" in line][0]


def leaf_of(entry):
    return hashlib.sha256(b"\0" + entry)


def show_is_the_entry_and_who_signed_it(s):
    d = s.json("show", "last")
    size = d["summary"]["size"]
    assert size == d["entries"][0]["index"] + 1
    assert len(base64.b64decode(d["summary"]["root"])) == 32
    kinds = {}
    for i in range(size):
        e = s.json("show", i)["entries"][0]
        raw = s.run("ledger", "show", i, "--format", "raw", expect=0, binary=True)
        assert leaf_of(raw).hexdigest() == e["leaf"], i
        assert json.loads(raw)["seq"] == e["seq"] and e["kind"] == json.loads(raw)["kind"]
        assert e["index"] == i and e["statement"]["_type"].startswith("https://in-toto.io")
        if e["statement"]["predicateType"] == "urn:tutela:evidence:1":
            assert e["signers"][0]["name"] == "tool" and e["signers"][0]["counts"], e
            assert e["tier"] == "C" and e["doubt"] is None
        kinds[e["kind"]] = i
    assert kinds["ledger.genesis"] == 0 and "scan.content" in kinds
    text = s.run("ledger", "show", kinds["scan.content"], expect=0)
    for word in ("scan.content", "pass", "model/", "sha256:", "tool, key", "in force", "expires"):
        assert word in text, (word, text)
    assert s.run("ledger", "show", expect=0) == s.run("ledger", "show", "last", expect=0)
    assert "there is no entry 99999" in s.refused("show", 99999)
    assert "\"last\"" in s.refused("show", "first")
    assert "No such file" in s.refused("show", "0", "--log", "traffic")
    return kinds


def the_traffic_log_is_shown_and_verified_too(s):
    for i in range(3):  # each run is a producer of its own
        line = s.tmp / "event"
        line.write_text('{"n":%d}\n{"n":%d}\n' % (2 * i, 2 * i + 1))
        s.run("ledger", "append", "--log", "traffic", "--kind", "guard.test", line, expect=0)
    d = s.json("show", "last", "--log", "traffic")
    assert d["summary"]["origin"].endswith("/traffic") and d["summary"]["size"] == 6
    assert d["entries"][0]["statement"] == {"n": 5} and d["entries"][0]["kind"] == "guard.test"
    assert len(s.json("search", "--kind", "traffic.checkpoint")["entries"]) == 3
    assert "traffic.checkpoint" in s.run("ledger", "search", "--kind", "traffic.*", expect=0)
    s.json("verify")
    log = s.dir / ".tutela" / "ledger" / "traffic"
    aside = s.tmp / "traffic"
    log.rename(aside)
    d = s.json("verify", expect=1)
    assert [c["name"] for c in d["checks"] if not c["ok"]] == ["traffic"], d["checks"]
    aside.rename(log)
    s.json("verify")


def a_body_is_what_the_record_names(s, kinds):
    at = kinds["scan.content"]
    digest = s.json("show", at)["entries"][0]["statement"]["predicate"]["body"]["sha256"]
    body = s.run("ledger", "show", at, "--body", "-", expect=0, binary=True)
    assert hashlib.sha256(body).hexdigest() == digest
    s.run("ledger", "show", at, "--body", s.tmp / "body", expect=0)
    assert (s.tmp / "body").read_bytes() == body
    assert "is there already" in s.refused("show", at, "--body", s.tmp / "body")
    assert "names no body" in s.refused("show", 0, "--body", "-")


def search_finds_by_each_criterion(s):
    everything = s.json("search", "--limit", 0)["entries"]
    assert [e["index"] for e in everything] == list(range(len(everything)))[::-1]
    about = s.json("search", "--asset", "model/base")["entries"]
    assert about and all(e["statement"]["subject"][0]["name"] == "model/base" for e in about)
    assert len(about) < len(everything)
    clause = s.json("search", "--clause", "5.2.1-1")["entries"]
    assert clause and all("5.2.1-1" in e["statement"]["predicate"]["clauses"] for e in clause)
    assert s.json("search", "--actor", "nobody")["entries"] == []
    assert s.run("ledger", "search", "--actor", "nobody", expect=0) == "No entry is like that.\n"
    scans = s.json("search", "--kind", "scan.*")["entries"]
    assert len(scans) == 2 and s.json("search", "--kind", "scan")["entries"] == []
    assert len(s.json("search", "--kind", "scan.content", "--limit", 1)["entries"]) == 1
    assert len(s.json("search", "--text", "read to the end")["entries"]) == 2
    assert s.json("search", "--text", "never said")["entries"] == []
    day = everything[0]["recorded_at"][:10]
    assert len(s.json("search", "--from", day, "--to", day, "--limit", 0)["entries"]) == len(
        everything)
    assert s.json("search", "--to", "2020-01-01")["entries"] == []
    assert s.json("search", "--from", "2090-01-01")["entries"] == []
    table = s.run("ledger", "search", "--kind", "scan.content", expect=0)
    assert "scan.content/1" in table and len(table.splitlines()) == 3, table
    for bad in (("--from", "yesterday"), ("--limit", "many")):
        s.refused("search", *bad)


def root_from(leaf, index, size, proof):
    """RFC 9162, 2.1.3.2."""
    f, n, r = index, size - 1, leaf
    for p in proof:
        assert n > 0
        if f & 1 or f == n:
            r = hashlib.sha256(b"\1" + p + r).digest()
            while not f & 1 and f:
                f, n = f >> 1, n >> 1
        else:
            r = hashlib.sha256(b"\1" + r + p).digest()
        f, n = f >> 1, n >> 1
    assert n == 0
    return r


def a_proof_is_checked_without_the_log(s):
    size = s.json("show", "last")["summary"]["size"]
    nowhere = s.tmp / "nowhere"
    nowhere.mkdir()
    entries = []
    for i in range(size):
        proof = s.tmp / f"{i}.tlog-proof"
        entry = s.tmp / f"{i}.entry"
        s.run("ledger", "prove", i, "--out", proof, expect=0)
        entry.write_bytes(s.run("ledger", "show", i, "--format", "raw", expect=0, binary=True))
        entries.append(entry)
        head, note = proof.read_text().split("\n\n", 1)
        lines = head.split("\n")
        assert lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {i}"], lines
        hashes = [base64.b64decode(line) for line in lines[2:]]
        root = base64.b64decode(note.split("\n")[2])
        assert root_from(leaf_of(entry.read_bytes()).digest(), i, size, hashes) == root
        ok = ("ledger", "verify", "--proof", proof, "--entry", entry, "--key", s.vkey())
        out = s.run(*ok, expect=0, cwd=nowhere)
        assert out.startswith(f"The entry is number {i} of {size} in "), out
    d = json.loads(s.run(*ok, "--format", "json", expect=0, cwd=nowhere))
    assert d["summary"]["size"] == size and d["checks"][0]["ok"]
    keyfile = s.tmp / "key"
    keyfile.write_text(s.vkey() + "\n")
    s.run(*ok[:-1], keyfile, expect=0, cwd=nowhere)
    wrong = ("ledger", "verify", "--proof", s.tmp / "3.tlog-proof", "--key", s.vkey())
    assert "does not hold" in s.run(*wrong, "--entry", entries[4], expect=1, cwd=nowhere)
    altered = s.tmp / "altered"
    altered.write_bytes(entries[3].read_bytes().replace(b"2", b"3", 1))
    s.run(*wrong, "--entry", altered, expect=1, cwd=nowhere)
    cut = s.tmp / "cut"
    cut.write_text((s.tmp / "3.tlog-proof").read_text()[:200])
    s.run("ledger", "verify", "--proof", cut, "--key", s.vkey(), "--entry", entries[3], expect=1,
          cwd=nowhere)
    other = s.vkey().replace(s.vkey().split("+")[1], "00000000")
    assert s.refused("verify", "--proof", cut, "--key", other, "--entry", entries[3])
    assert "--key" in s.refused("verify", "--proof", cut)


def growth_is_proved_from_any_size(s):
    old = s.tmp / "old-checkpoint"
    old.write_bytes((s.dir / ".tutela/ledger/evidence/checkpoint").read_bytes())
    before = int(old.read_text().split("\n")[1])
    s.run("assess")
    for source in (before, old):
        text = s.run("ledger", "prove", "--from", source, expect=0)
        head, note = text.split("\n\n", 1)
        assert head.split("\n")[0] == f"old {before}"
        assert int(note.split("\n")[1]) > before
    assert "has only" in s.refused("prove", "--from", 10**6)
    assert "either" in s.refused("prove", 1, "--from", 2) and "either" in s.refused("prove")
    forged = s.tmp / "forged-checkpoint"
    lines = old.read_text().split("\n")
    lines[2] = base64.b64encode(b"x" * 32).decode()
    forged.write_text("\n".join(lines))
    assert "other ones" in s.refused("prove", "--from", forged)


def verify_and_reindex_speak_json(s):
    d = s.json("verify")
    names = [c["name"] for c in d["checks"]]
    assert len(set(names)) == len(names) and d["summary"]["ok"], d
    for name in ("checkpoint", "genesis", "entries", "tiles", "root", "heads", "anchor",
                 "signatures", "people", "bodies", "sequence", "index"):
        assert name in names, name
    size = d["summary"]["size"]
    text = s.run("ledger", "verify", expect=0)
    assert f"{size} entries" in text and "All 15 checks hold" in text, text
    (s.dir / ".tutela" / "state.db").unlink()
    assert s.json("reindex")["summary"]["indexed"] == size
    assert s.json("reindex")["summary"]["indexed"] == size
    assert s.json("verify", "--checkpoint", s.tmp / "old-checkpoint")["summary"]["anchored"]
    (s.tmp / "no-checkpoint").write_text("x")
    d = s.json("verify", "--checkpoint", s.tmp / "no-checkpoint", expect=1)
    assert [c["name"] for c in d["checks"] if not c["ok"]] == ["saved"]


def where_nothing_is_it_is_said(s):
    empty = s.tmp / "empty"
    empty.mkdir()
    for command in (("show",), ("search",), ("verify",), ("reindex",), ("prove", "1")):
        p = s.run("ledger", *command, cwd=empty)
        assert p.returncode == 2 and b"no tutela.yaml" in p.stderr, (command, p)
    described = s.tmp / "described"
    described.mkdir()
    (described / "tutela.yaml").write_text("tutela: 1\n")
    for command in (("show",), ("search",), ("verify",), ("reindex",), ("prove", "1")):
        p = s.run("ledger", *command, cwd=described)
        assert p.returncode == 2 and b"nothing was recorded" in p.stderr, (command, p)
    # a state by itself, as auditors are given it
    out = s.run("ledger", "verify", "--state", s.dir / ".tutela", cwd=empty, expect=0)
    assert "checks hold" in out


def main():
    with tempfile.TemporaryDirectory(prefix="tutela-ledger-") as name:
        s = System(pathlib.Path(name))
        kinds = show_is_the_entry_and_who_signed_it(s)
        a_body_is_what_the_record_names(s, kinds)
        search_finds_by_each_criterion(s)
        a_proof_is_checked_without_the_log(s)
        growth_is_proved_from_any_size(s)
        verify_and_reindex_speak_json(s)
        the_traffic_log_is_shown_and_verified_too(s)
        where_nothing_is_it_is_said(s)
        print("ledger commands: ok")


main()
