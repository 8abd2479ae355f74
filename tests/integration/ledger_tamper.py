"""Whatever is done to a ledger by hand is found by ledger verify and named; an index that was
edited changes no verdict; recover is the way back."""
import glob
import json
import os
import pathlib
import pickle
import shutil
import sqlite3
import subprocess
import tempfile
import time

TUTELA = os.environ["TUTELA"]
ENV = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XDG_DATA_HOME")}


class System:
    """A described system, its state and its keys below one directory."""

    def __init__(self, root):
        self.root = root
        self.state = root / "system" / ".tutela"
        self.log = self.state / "ledger" / "evidence"
        self.keys = root / "keys"

    def run(self, *args, expect=None, keys=None):
        p = subprocess.run([TUTELA, *map(str, args)], cwd=self.root / "system",
                           env={**ENV, "XDG_DATA_HOME": str(keys or self.keys)},
                           capture_output=True, text=True, timeout=120)
        if expect is not None:
            assert p.returncode == expect, (args, p.returncode, p.stdout, p.stderr)
        return p

    def verify(self, *args, keys=None):
        p = self.run("ledger", "verify", "--format", "json", *args, keys=keys)
        if p.returncode not in (0, 1, 3):
            return p.returncode, {"summary": {}, "checks": []}, {}
        d = json.loads(p.stdout)
        assert d["schema"] == "tutela.ledger/1"
        return p.returncode, d, {c["name"]: c for c in d["checks"]}

    def wrong(self, *args, keys=None):
        """Names of the checks that do not hold, and what they say."""
        code, d, checks = self.verify(*args, keys=keys)
        bad = {n: c["detail"] for n, c in checks.items() if not c["ok"]}
        assert (code == 0) == (not bad) and d["summary"].get("ok", False) == (code == 0), (code, d)
        return bad

    def copy(self, to):
        shutil.copytree(self.root, to, symlinks=True)
        return System(to)

    def verdicts(self, expect=None):
        d = json.loads(self.run("report", "--format", "json", expect=expect).stdout)
        return {c["id"]: (c["verdict"], [e["index"] for e in c["evidence"]] if c["evidence"] and
                          "index" in c["evidence"][0] else len(c["evidence"]))
                for c in d["controls"]}

    def vkey(self):
        text = pathlib.Path(glob.glob(str(self.keys) + "/tutela/*/log.vkey")[0]).read_text()
        return [line for line in text.splitlines() if "/evidence+" in line][0]

    def change_and_assess(self):
        model = self.root / "system" / "models" / "base.pkl"
        model.write_bytes(pickle.dumps({"n": time.time()}, 4))
        assert self.run("assess").returncode in (0, 1, 3)


def make(tmp):
    s = System(tmp / "made")
    (s.root / "system" / "models").mkdir(parents=True)
    for name in ("base", "tuned"):
        path = s.root / "system" / "models" / (name + ".pkl")
        path.write_bytes(pickle.dumps({"name": name}, 4))
    s.run("init", ".", expect=0)
    assert s.run("assess").returncode in (0, 1, 3)
    assert s.run("assess").returncode in (0, 1, 3)
    assert s.wrong() == {}, s.wrong()
    return s


def files_of(log):
    return sorted(p for p in log.rglob("*") if p.is_file() and p.name != "lock")


def report_stands_or_fails(s, verdicts):
    """A report over what was altered is the same report, or says that the records do not verify."""
    p = s.run("report", "--format", "json")
    d = json.loads(p.stdout)
    caps = [c["reason"] for c in d["summary"]["caps"] if c["grade"] == "F"]
    if caps:
        assert p.returncode == 1 and d["summary"]["grade"] == "F", d["summary"]
        assert "do not verify" in caps[0], caps
        return False
    assert {c["id"]: c["verdict"] for c in d["controls"]} == verdicts
    return True


def bytes_that_were_altered(s, tmp):
    found = {}
    count = 0
    stood = []
    verdicts = {k: v[0] for k, v in s.verdicts().items()}
    for path in files_of(s.log):
        good = path.read_bytes()
        small = len(good) <= 500
        for at in range(0, len(good), 1 if small else 101):
            bad = bytearray(good)
            bad[at] ^= 1 << (at % 8)
            path.write_bytes(bad)
            wrong = s.wrong()
            assert wrong, ("not found", path.name, at)
            for name in wrong:
                found[name] = found.get(name, 0) + 1
            count += 1
            if count % 20 == 0:
                stood.append(report_stands_or_fails(s, verdicts))
        path.write_bytes(good)
    assert s.wrong() == {}
    assert {"checkpoint", "entries", "tiles", "root"} <= set(found), found
    assert not all(stood) and len(stood) > 20, stood
    return f"{count} bytes"


def files_cut_short_or_gone(s, tmp):
    for path in files_of(s.log):
        good = path.read_bytes()
        for end in sorted({0, 1, len(good) // 3, len(good) // 2, len(good) - 33, len(good) - 1}):
            path.write_bytes(good[:max(end, 0)])
            assert s.wrong(), ("not found", path.name, end)
        path.write_bytes(good + b"x")
        assert s.wrong(), ("not found: longer", path.name)
        path.unlink()
        # an older partial tile may be there for whoever reads meanwhile; none is demanded
        is_newest = path.parent.suffix != ".p" or not any(
            int(p.name) > int(path.name) for p in path.parent.iterdir())
        assert s.wrong() or not is_newest, ("not found: gone", path)
        path.write_bytes(good)
    shutil.move(s.log, tmp / "gone")
    code, _, _ = s.verify()
    assert code in (1, 2), code
    assert "anchor" in s.wrong() or code == 2
    shutil.move(tmp / "gone", s.log)
    assert s.wrong() == {}


def bundle_of(log):
    return max(log.glob("tile/entries/000.p/*"), key=lambda p: int(p.name))


def split(bundle):
    entries = []
    while bundle:
        n = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2:2 + n])
        bundle = bundle[2 + n:]
    return entries


def join(entries):
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def entries_dropped_and_reordered(s, tmp):
    path = bundle_of(s.log)
    hashes = s.log / "tile" / "0" / "000.p" / path.name
    good, leaves = path.read_bytes(), hashes.read_bytes()
    entries = split(good)
    for change in (entries[:-1], entries[1:], entries[:3] + entries[4:],
                   entries[:2] + [entries[3], entries[2]] + entries[4:], entries + [entries[-1]]):
        path.write_bytes(join(change))
        wrong = s.wrong()
        assert "entries" in wrong, wrong
    path.write_bytes(join(entries[:2] + [entries[3], entries[2]] + entries[4:]))
    hashes.write_bytes(leaves[:64] + leaves[96:128] + leaves[64:96] + leaves[128:])
    assert s.wrong()
    path.write_bytes(good)
    assert "tiles" in s.wrong()
    hashes.write_bytes(leaves)
    assert s.wrong() == {}


def a_log_sealed_again_by_another_key(s, tmp):
    forged = s.copy(tmp / "forged")
    for part in ("ledger", "bodies", "reports"):
        shutil.rmtree(forged.state / part)
    (forged.state / "state.db").unlink()
    shutil.rmtree(forged.keys)
    assert forged.run("assess").returncode in (0, 1, 3)  # same name, another key
    assert forged.wrong() == {}  # of one piece, by its own account
    wrong = forged.wrong("--key", s.vkey())
    assert "sealed again" in wrong["checkpoint"], wrong
    wrong = forged.wrong(keys=s.keys)
    assert "sealed again" in wrong["checkpoint"] and "anchor" in wrong, wrong
    p = forged.run("report", "--format", "json", keys=s.keys)
    assert p.returncode != 0 and "\"grade\":\"A\"" not in p.stdout, p.stdout[:300]
    # a checkpoint alone, signed by another key
    own = (s.log / "checkpoint").read_text()
    theirs = (forged.log / "checkpoint").read_text()
    text = own.split("\n\n")[0] + "\n\n" + theirs.split("\n\n")[1]
    (s.log / "checkpoint").write_text(text)
    assert s.wrong()
    (s.log / "checkpoint").write_text(own)
    assert s.wrong() == {}


def two_histories_from_one(s, tmp):
    a, b = s.copy(tmp / "a"), s.copy(tmp / "b")
    old = (s.log / "checkpoint").read_text()
    (tmp / "old").write_text(old)
    a.change_and_assess()
    time.sleep(1.1)
    b.change_and_assess()
    saved = tmp / "saved"
    shutil.copy(a.log / "checkpoint", saved)
    assert a.wrong("--checkpoint", tmp / "old") == {} == b.wrong("--checkpoint", tmp / "old")
    wrong = b.wrong("--checkpoint", saved)
    assert "split view" in wrong["saved"], wrong
    assert b.run("ledger", "prove", "--from", saved).returncode == 2
    # one history put in the place of the other: the keys remember
    shutil.rmtree(a.state)
    shutil.copytree(b.state, a.state, symlinks=True)
    wrong = a.wrong()
    assert "not the log that the anchor knows" in wrong["anchor"], wrong
    assert a.wrong("--checkpoint", saved)["saved"].startswith("split view")


def an_older_copy(s, tmp):
    t = s.copy(tmp / "older")
    old = tmp / "older-state"
    shutil.copytree(t.state, old, symlinks=True)
    t.change_and_assess()
    shutil.copy(t.log / "checkpoint", tmp / "newest")
    assert t.wrong("--checkpoint", tmp / "newest") == {}
    whole = tmp / "whole"
    shutil.copytree(t.state, whole, symlinks=True)
    shutil.rmtree(t.state)
    shutil.copytree(old, t.state, symlinks=True)
    wrong = t.wrong("--checkpoint", tmp / "newest")
    assert "set back" in wrong["anchor"] and "rolled back" in wrong["saved"], wrong
    p = t.run("assess")
    assert p.returncode in (1, 2) and "set back" in p.stderr + p.stdout, (p.stdout, p.stderr)
    return t, whole


def way_back(s, tmp):
    t, whole = an_older_copy(s, tmp)
    # older than what was signed here: only when that is accepted
    p = t.run("ledger", "recover", "--from", tmp / "older-state", expect=2)
    assert "would be lost" in p.stderr, p.stderr
    # only what a web server publishes
    mirror = tmp / "mirror"
    mirror.mkdir()
    shutil.copy(whole / "ledger/evidence/checkpoint", mirror)
    shutil.copytree(whole / "ledger/evidence/tile", mirror / "tile")
    bundle = bundle_of(mirror)
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"scan.content", b"scan.c0ntent", 1))
    p = t.run("ledger", "recover", "--from", mirror, expect=2)
    assert "signed" in p.stderr, p.stderr
    bundle.write_bytes(good)
    before = files_of(t.log)
    p = t.run("ledger", "recover", "--from", mirror, expect=0)
    assert "brought back" in p.stdout
    wrong = t.wrong("--checkpoint", tmp / "newest")
    assert set(wrong) == {"bodies"}, wrong  # those come from the backup, by their digests
    shutil.copytree(whole / "bodies", t.state / "bodies", dirs_exist_ok=True)
    wrong = t.wrong("--checkpoint", tmp / "newest")
    assert wrong == {}, wrong
    kept = list((t.state / "ledger").glob("evidence.damaged-*"))
    assert len(kept) == 1 and len(files_of(kept[0])) == len(before)
    p = t.run("ledger", "recover", "--from", mirror, expect=2)
    assert "nothing to recover" in p.stderr, p.stderr
    # a log that is gone, as after a crash in the midst of the exchange
    shutil.copytree(t.state / "ledger/evidence", tmp / "aside")
    shutil.rmtree(t.log)
    assert t.run("assess").returncode in (1, 2)
    # nobody may write meanwhile
    serving = subprocess.Popen([TUTELA, "ledger", "serve"], cwd=s.root / "system",
                               env={**ENV, "XDG_DATA_HOME": str(s.keys)},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert serving.stdout.readline()
        p = s.run("ledger", "recover", "--from", tmp / "aside", expect=2)
        assert "stop tutela ledger serve" in p.stderr, p.stderr
    finally:
        serving.terminate()
        serving.wait(timeout=30)
        serving.stdout.close()
    p = t.run("ledger", "recover", "--from", tmp / "aside", expect=0)
    assert t.wrong() == {}, t.wrong()
    p = t.run("ledger", "search", "--kind", "ledger.recovered", "--format", "json", expect=0)
    assert len(json.loads(p.stdout)["entries"]) == 2
    assert t.run("assess").returncode in (0, 1, 3)
    assert t.wrong() == {}
    # another history, signed by the same key
    p = t.run("ledger", "recover", "--from", tmp / "a" / "system", expect=2)
    assert t.wrong() == {}, t.wrong()
    (t.log / "journal").unlink()
    p = t.run("ledger", "recover", "--from", tmp / "a" / "system", expect=2)
    assert "--accept-divergence" in p.stderr, p.stderr
    p = t.run("ledger", "recover", "--from", tmp / "a" / "system", "--accept-divergence", expect=0)
    assert set(t.wrong()) == {"bodies"}, t.wrong()
    shutil.copytree(tmp / "a" / "system" / ".tutela" / "bodies", t.state / "bodies",
                    dirs_exist_ok=True)
    assert t.wrong() == {}, t.wrong()
    assert len(list((t.state / "ledger").glob("evidence.damaged-*"))) == 3
    assert len(glob.glob(str(t.keys) + "/tutela/*/anchor-evidence.damaged-*")) == 1
    # nobody's copy
    p = t.run("ledger", "recover", "--from", tmp / "forged" / "system", expect=2)
    assert t.wrong() == {}


def an_index_that_was_edited(s, tmp):
    db = s.state / "state.db"
    verdicts = s.verdicts()
    good = db.read_bytes()
    statements = [
        "UPDATE entries SET result = 1 WHERE check_id LIKE 'scan.content%'",
        "UPDATE entries SET result = 2 WHERE check_id LIKE 'inventory%'",
        "UPDATE entries SET at = 1 WHERE idx = (SELECT max(idx) FROM entries)",
        "UPDATE entries SET check_id = 'x/1' WHERE check_id LIKE 'inventory%'",
        "UPDATE subjects SET name = 'model/other' WHERE name = 'model/base'",
        "UPDATE subjects SET digest = zeroblob(32)",
        "UPDATE clauses SET clause = '5.4.1-1'",
        "DELETE FROM entries WHERE idx = 4",
        "DELETE FROM entries WHERE idx > 5",
        "DELETE FROM subjects WHERE idx = 4",
        "DELETE FROM clauses",
        "DELETE FROM meta",
        "INSERT INTO entries SELECT idx + 1000, at, recorded_at, expires, is_record, type, kind, "
        "check_id, method, result, actor, producer, seq, clauses, leaf FROM entries WHERE idx = 4",
        "INSERT INTO subjects SELECT idx, ord + 1, 'model/base', digest FROM subjects",
        "CREATE TRIGGER t AFTER DELETE ON entries BEGIN SELECT 1; END",
        "DROP TABLE entries",
    ]
    for statement in statements:
        for look in ("verify", "report"):
            db.write_bytes(good)
            with sqlite3.connect(db) as c:
                c.execute(statement)
            c.close()
            if look == "verify":
                wrong = s.wrong()
                assert set(wrong) == {"index"}, (statement, wrong)
            else:
                assert s.verdicts() == verdicts, statement
            assert s.wrong() == {}, statement  # put right meanwhile
    for bad in (b"", b"garbage" * 1000, good[:5000], good[:100] + os.urandom(len(good) - 100)):
        db.write_bytes(bad)
        assert s.verdicts() == verdicts
        assert s.wrong() == {}


def bodies_lost_and_altered(s, tmp):
    bodies = sorted((s.state / "bodies").iterdir())
    for path in bodies:
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        wrong = s.wrong()
        assert set(wrong) == {"bodies"} and path.name in wrong["bodies"], wrong
        path.unlink()
        wrong = s.wrong()
        assert set(wrong) == {"bodies"} and path.name in wrong["bodies"], wrong
        path.write_bytes(good)
    assert s.wrong() == {}


def all_bodies_lost(s, tmp):
    """Also that of the description: then there is no system to speak of, and still a verdict."""
    t = s.copy(tmp / "bodiless")
    shutil.rmtree(t.state / "bodies")
    for command in ("report", "assess"):
        p = t.run(command, "--format", "json", expect=1)
        summary = json.loads(p.stdout)["summary"]
        assert summary["grade"] == "F" and summary["counts"]["met"] == 0, summary


def a_log_whose_name_is_gone(s, tmp):
    t = s.copy(tmp / "nameless")
    name = t.state / "origin"
    good = name.read_bytes()
    name.unlink()
    for command in ("report", "assess"):
        p = t.run(command, "--format", "json", expect=1)
        assert json.loads(p.stdout)["summary"]["grade"] == "F", p.stdout
    p = t.run("people", "list", expect=2)
    assert "origin: is gone" in p.stderr, p.stderr
    assert not name.exists()
    name.write_text((t.log / "checkpoint").read_text().split("/")[0] + "\n")  # as the message says
    assert name.read_bytes() == good
    assert t.wrong() == {}


def the_file_of_heads_is_only_a_memory(s, tmp):
    t = s.copy(tmp / "heads")
    heads = t.state / "ledger" / "heads"
    good = heads.read_bytes()
    for at in range(0, len(good), 67):
        bad = bytearray(good)
        bad[at] ^= 0x10
        heads.write_bytes(bad)
        assert t.wrong() == {}
        if at % 5 == 0:
            assert t.run("assess").returncode in (0, 1, 3)
            assert t.wrong() == {}
            good = heads.read_bytes()
    heads.unlink()
    assert t.run("assess").returncode in (0, 1, 3)
    assert t.wrong() == {}


def without_keys_the_log_vouches_for_itself_alone(s, tmp):
    code, d, checks = s.verify(keys=tmp / "nobody")
    assert code == 3 and "vouches for itself" in d["summary"]["rests_on"], d["summary"]
    assert not d["summary"]["anchored"]
    assert "vouches for itself alone" in s.run("report", keys=tmp / "nobody").stderr
    assert "vouches" not in s.run("report").stderr
    code, d, _ = s.verify()
    assert d["summary"]["rests_on"] == "anchored by nothing but this machine's own key"
    assert d["summary"]["trust"] == "own-key"
    code, d, _ = s.verify("--key", s.vkey(), keys=tmp / "nobody")
    assert code == 0 and d["summary"]["anchored"] and d["summary"]["trust"] == "trusted-key", d["summary"]


def main():
    with tempfile.TemporaryDirectory(prefix="tutela-tamper-") as name:
        tmp = pathlib.Path(name)
        s = make(tmp)
        for test in (without_keys_the_log_vouches_for_itself_alone, bytes_that_were_altered,
                     files_cut_short_or_gone, entries_dropped_and_reordered,
                     a_log_sealed_again_by_another_key, two_histories_from_one, way_back,
                     an_index_that_was_edited, bodies_lost_and_altered, all_bodies_lost,
                     a_log_whose_name_is_gone,
                     the_file_of_heads_is_only_a_memory):
            started = time.monotonic()
            result = test(s, tmp)
            print(f"ok  {test.__name__}  {time.monotonic() - started:.1f} s"
                  + (f"  {result}" if result else ""), flush=True)


main()
