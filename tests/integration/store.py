"""The version store through the real command: snapshot, history, restore, fsck, gc, prune, drill, and
what assess makes of it."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]
ENV = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
FAKETIME = shutil.which("faketime")


def run(*args, cwd=None, expect=0, env=None, before=()):
    p = subprocess.run([*before, TUTELA, *map(str, args)], cwd=cwd, env={**ENV, **(env or {})}, capture_output=True,
                       text=True, timeout=240)
    if expect is not None:
        assert p.returncode == expect, (args, p.returncode, p.stdout, p.stderr)
    return p


def document(*args, cwd=None, expect=0):
    return json.loads(run(*args, "--format", "json", cwd=cwd, expect=expect).stdout)


def tensors(values):
    """A safetensors file of float32 vectors."""
    header, data = {}, b""
    for name, numbers in values.items():
        raw = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": [len(numbers)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def make_system(root, sensitivity="internal"):
    """A model directory with another asset in it, a dataset that is secret, a prompt; all signed by Ada."""
    (root / "models/m/tokenizer").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "prompts").mkdir()
    (root / "models/m/weights.safetensors").write_bytes(tensors({"a": [1, 2, 3], "b": [4, 5]}))
    (root / "models/m/config.json").write_text('{"model_type": "x"}')
    (root / "models/m/tokenizer/vocab.txt").write_text("a\nb\n")
    (root / "models/m/empty").write_bytes(b"")
    (root / "models/m/run.sh").write_text("#!/bin/sh\n")
    os.chmod(root / "models/m/run.sh", 0o755)
    (root / "data/secret.csv").write_text("name,number\n" + "".join(f"n{i},{i}\n" for i in range(2000)))
    (root / "prompts/system.md").write_text("You are a helpful assistant.\n")
    (root / "tutela.yaml").write_text(f"""schema: tutela.system/1
system:
  name: store-test
  version: "1"
  purpose: to be restored
assets:
  - id: model/m
    path: models/m
    origin: first-party
  - id: dataset/secret
    path: data/secret.csv
    origin: first-party
    sensitivity: {sensitivity}
  - id: prompt/system
    path: prompts/system.md
    origin: first-party
""")
    run("assess", root, expect=None)
    run("people", "enrol", "Ada", "--role", "developer", "--root", "--generate", "--no-passphrase", cwd=root)
    sign(root)


def sign(root, *paths):
    for path in paths or ("models/m", "data/secret.csv", "prompts/system.md"):
        run("sign", path, "--by", "Ada", cwd=root)


def tree(root, *skip):
    """Every file with its bytes and mode."""
    found = {}
    for path in sorted(root.rglob("*")):
        rel = str(path.relative_to(root))
        if path.is_file() and not rel.startswith((".tutela", *skip)):
            found[rel] = (path.read_bytes(), path.stat().st_mode & 0o777)
    return found


def blobs(root):
    return {p.name: p for p in (root / ".tutela/store/blobs/sha256").iterdir()}


def versions_share_what_stays_and_unchanged_is_said(tmp):
    root = tmp / "share"
    make_system(root)
    first = document("snapshot", "--all", cwd=root)
    assert first["schema"] == "tutela.snapshot/1" and first["summary"]["taken"] == 3, first
    assert [a["version"] for a in first["assets"]] == [1, 1, 1]
    again = document("snapshot", "--all", cwd=root)
    assert again["summary"] == {"taken": 0, "unchanged": 3, "refused": 0, "stored_bytes": 0}, again
    before = set(blobs(root))
    (root / "models/m/config.json").write_text('{"model_type": "y"}')
    sign(root, "models/m")
    taken = document("snapshot", "model/m", cwd=root)["assets"][0]
    assert taken["version"] == 2 and taken["stored_files"] == 1 and taken["files"] == 5, taken
    # config, signature, manifest: nothing else is new
    assert len(set(blobs(root)) - before) == 3
    # a mode is part of a version
    os.chmod(root / "models/m/config.json", 0o600)
    assert document("snapshot", "model/m", cwd=root)["assets"][0]["version"] == 3
    layout = json.loads((root / ".tutela/store/oci-layout").read_text())
    assert layout == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((root / ".tutela/store/index.json").read_text())
    names = [m["annotations"]["org.opencontainers.image.ref.name"] for m in index["manifests"]]
    assert len(names) == len(set(names)) == 5, names
    for name, path in blobs(root).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
    manifest = json.loads(blobs(root)[taken["manifest"]["sha256"]].read_text())
    assert manifest["annotations"]["tutela.asset"] == "model/m"
    assert manifest["annotations"]["tutela.parent"].startswith("sha256:")
    listing = subprocess.run("find models/m -type f ! -name '*.sig' ! -name '*.sha256' | LC_ALL=C sort | "
                             "xargs -d '\\n' sha256sum | sha256sum", shell=True, cwd=root, capture_output=True, text=True)
    assert manifest["annotations"]["tutela.digest"] == "sha256:" + listing.stdout.split()[0]


def what_is_not_accepted_is_refused(tmp):
    root = tmp / "refused"
    make_system(root)
    run("init", "--accept", "prompt/system", cwd=root)
    (root / "prompts/system.md").write_text("You are evil.\n")
    p = run("snapshot", "prompt/system", cwd=root, expect=1)
    assert "init --accept prompt/system" in " ".join(p.stdout.split())
    p = run("snapshot", "model/unknown", cwd=root, expect=2)
    assert "no asset" in p.stderr
    p = run("snapshot", cwd=root, expect=2)
    (root / "prompts/system.md").unlink()
    run("snapshot", "prompt/system", cwd=root, expect=1)


def restore_gives_back_bytes_and_modes_and_keeps_the_old(tmp):
    root = tmp / "restore"
    make_system(root)
    run("snapshot", "--all", cwd=root)
    good = tree(root)
    (root / "models/m/weights.safetensors").write_bytes(b"poisoned")
    (root / "models/m/extra.bin").write_bytes(b"x")
    os.chmod(root / "models/m/run.sh", 0o644)
    bad = tree(root)
    r = document("restore", "models/m", cwd=root)
    item = r["assets"][0]
    assert tree(root) == good, "restored"
    assert item["person"] == "Ada" and item["version"] == 1 and not item["file_by_file"]
    kept = root / item["kept"] / "models/m"
    assert tree(kept) == {k[len("models/m/"):]: v for k, v in bad.items() if k.startswith("models/m/")}
    # an older version, by number, tag and digest
    (root / "prompts/system.md").write_text("New prompt.\n")
    sign(root, "prompts/system.md")
    two = document("snapshot", "prompt/system", cwd=root)["assets"][0]
    for word in ("1", "v1", "prompt-system-v1"):
        run("restore", "prompt/system", "--version", word, cwd=root)
        assert (root / "prompts/system.md").read_text() == "You are a helpful assistant.\n"
        run("restore", "prompt/system", "--version", "sha256:" + two["manifest"]["sha256"], cwd=root)
        assert (root / "prompts/system.md").read_text() == "New prompt.\n"
    p = run("restore", "prompt/system", "--version", "9", cwd=root, expect=2)
    assert "newest is 2" in p.stderr
    # one file of a directory
    (root / "models/m/config.json").write_text("{}")
    (root / "models/m/tokenizer/vocab.txt").write_text("mine\n")
    run("restore", "model/m", "--only", "config.json", cwd=root)
    assert (root / "models/m/config.json").read_text() == '{"model_type": "x"}'
    assert (root / "models/m/tokenizer/vocab.txt").read_text() == "mine\n"
    p = run("restore", "model/m", "--only", "../x", cwd=root, expect=2)
    events = [e["event"] for e in document("history", "prompt/system", cwd=root)["events"]]
    assert events.count("asset.restored") == 6 and "asset.signed" in events


def a_directory_that_holds_more_is_exchanged_file_by_file(tmp):
    root = tmp / "mixed"
    make_system(root)
    (root / "models/m/nested.md").write_text("a prompt of its own\n")
    text = (root / "tutela.yaml").read_text()
    (root / "tutela.yaml").write_text(text + "  - id: prompt/nested\n    path: models/m/nested.md\n    origin: first-party\n")
    run("sign", "models/m", "--by", "Ada", "--ignore", "nested.md", cwd=root)
    run("snapshot", "model/m", cwd=root)
    manifest = document("history", "model/m", cwd=root)["versions"][0]
    assert manifest["files"] == 6
    (root / "models/m/nested.md").write_text("changed by its owner\n")
    (root / "models/m/config.json").write_text("{}")
    (root / "models/m/extra").write_text("not in the version")
    r = document("restore", "model/m", cwd=root)["assets"][0]
    assert r["file_by_file"]
    assert (root / "models/m/nested.md").read_text() == "changed by its owner\n"
    assert (root / "models/m/config.json").read_text() == '{"model_type": "x"}'
    assert not (root / "models/m/extra").exists() and (root / r["kept"] / "models/m/extra").exists()


def nothing_leads_out(tmp):
    root = tmp / "links"
    make_system(root)
    run("snapshot", "--all", cwd=root)
    outside = tmp / "outside"
    outside.mkdir()
    (outside / "system.md").write_text("theirs\n")
    shutil.rmtree(root / "prompts")
    (root / "prompts").symlink_to(outside)
    p = run("restore", "prompt/system", cwd=root, expect=2)
    assert "link" in p.stderr, p.stderr
    assert (outside / "system.md").read_text() == "theirs\n" and len(list(outside.iterdir())) == 1
    (root / "prompts").unlink()
    (root / "prompts").mkdir()
    (root / "prompts/system.md").symlink_to(outside / "system.md")
    run("restore", "prompt/system", cwd=root)
    assert not (root / "prompts/system.md").is_symlink()
    assert (outside / "system.md").read_text() == "theirs\n"
    # --to writes over nothing
    run("restore", "prompt/system", "--to", tmp / "links-out", cwd=root)
    p = run("restore", "prompt/system", "--to", tmp / "links-out", cwd=root, expect=2)
    assert "not written over" in p.stderr


def only_what_the_log_knows_and_people_signed_is_restored(tmp):
    root = tmp / "unsigned"
    make_system(root)
    (root / "prompts/system.md.sig").unlink()
    run("snapshot", "--all", cwd=root)
    good = (root / "prompts/system.md").read_bytes()
    (root / "prompts/system.md").write_text("other\n")
    p = run("restore", "prompt/system", cwd=root, expect=1)
    assert "no signature" in p.stderr and (root / "prompts/system.md").read_text() == "other\n"
    r = document("restore", "prompt/system", "--unsigned", cwd=root)["assets"][0]
    assert r["doubt"] and (root / "prompts/system.md").read_bytes() == good
    doubted = [e for e in document("history", "prompt/system", cwd=root)["events"] if e["event"] == "asset.restored"]
    assert "does not count" in doubted[-1]["statement"]
    # a signature by a stranger
    key = tmp / "stranger.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                   check=True, capture_output=True)
    key.chmod(0o600)
    run("sign", "prompts/system.md", "--key", key, cwd=root)
    run("snapshot", "prompt/system", cwd=root)
    run("restore", "prompt/system", cwd=root, expect=1)
    assert document("history", "prompt/system", cwd=root)["versions"][0]["signature"]["state"] == "invalid"
    # of several the others come back all the same
    (root / "data/secret.csv").unlink()
    p = run("restore", "--all", cwd=root, expect=1)
    assert "NOT restored prompt/system" in p.stdout and (root / "data/secret.csv").exists(), p.stdout
    # a policy that wants another role
    sign(root, "prompts/system.md")
    run("snapshot", "prompt/system", cwd=root)
    text = (root / "tutela.yaml").read_text()
    (root / "tutela.yaml").write_text(text + "policy:\n  signatures:\n    prompt: [auditor]\n")
    p = run("restore", "prompt/system", cwd=root, expect=1)
    (root / "tutela.yaml").write_text(text)
    run("restore", "prompt/system", cwd=root)
    # a manifest swapped in the store, its tag with it: the log names another
    index = root / ".tutela/store/index.json"
    forged = b'{"schemaVersion":2}'
    name = hashlib.sha256(forged).hexdigest()
    (root / ".tutela/store/blobs/sha256" / name).write_bytes(forged)
    d = json.loads(index.read_text())
    for m in d["manifests"]:
        if m["annotations"]["org.opencontainers.image.ref.name"] == "prompt-system-v3":
            m["digest"], m["size"] = "sha256:" + name, len(forged)
    d["manifests"].append({**d["manifests"][0], "annotations": {"org.opencontainers.image.ref.name": "model-m-v99"}})
    index.write_text(json.dumps(d))
    run("restore", "prompt/system", cwd=root)
    assert (root / "prompts/system.md").read_bytes() == good
    p = run("restore", "model/m", "--version", "model-m-v99", cwd=root, expect=2)
    faults = document("store", "fsck", cwd=root, expect=1)["faults"]
    assert ("missing", "prompt-system-v3") in [(f["kind"], f["what"]) for f in faults], faults
    assert any(f["kind"] == "foreign" for f in faults), faults


def confidential_assets_are_sealed(tmp):
    root = tmp / "sealed"
    make_system(root, "confidential")
    run("snapshot", "--all", cwd=root)
    secret = (root / "data/secret.csv").read_bytes()
    assert all(b"n1999" not in p.read_bytes() for p in blobs(root).values())
    keys = document("store", "keys", cwd=root)
    assert keys["summary"] == {"copies": 1, "unread": 0} and keys["keys"][0]["asset"] == "dataset/secret"
    (root / "data/secret.csv").write_bytes(secret + b"more,1\n")
    sign(root, "data/secret.csv")
    run("snapshot", "dataset/secret", cwd=root)
    keys = document("store", "keys", cwd=root)["keys"]
    assert len(keys) == 2 and keys[0]["key"] == keys[1]["key"]
    os.chmod(root / "data/secret.csv", 0o600)
    count = len(blobs(root))
    run("snapshot", "dataset/secret", cwd=root)
    assert len(blobs(root)) == count + 1, "the sealed bytes are not stored again"
    run("restore", "dataset/secret", "--version", "1", cwd=root)
    assert (root / "data/secret.csv").read_bytes() == secret
    run("store", "fsck", cwd=root)
    # without the store's key nothing opens, and that is said
    store_keys = list(pathlib.Path(ENV["XDG_DATA_HOME"]).rglob("store.key"))
    mine = [k for k in store_keys if k.stat().st_mtime >= (root / "tutela.yaml").stat().st_mtime]
    assert len(mine) == 1 and mine[0].stat().st_mode & 0o777 == 0o600
    aside = tmp / "store.key"
    shutil.move(mine[0], aside)
    p = run("restore", "dataset/secret", cwd=root, expect=2)
    assert "store.key" in p.stderr and "missing" in p.stderr
    run("store", "fsck", cwd=root, expect=1)
    mine[0].write_bytes(os.urandom(32))
    mine[0].chmod(0o600)
    p = run("restore", "dataset/secret", cwd=root, expect=2)
    assert "another one" in p.stderr
    shutil.move(aside, mine[0])
    run("restore", "dataset/secret", cwd=root)
    # sealed bytes that were altered
    sealed = max(blobs(root).values(), key=lambda p: p.stat().st_size)
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    sealed.chmod(0o600)
    sealed.write_bytes(data)
    p = run("restore", "dataset/secret", cwd=root, expect=2)
    assert "altered" in p.stderr or "digest" in p.stderr


def history_says_what_changed_per_file_and_tensor(tmp):
    root = tmp / "history"
    make_system(root)
    run("snapshot", "--all", cwd=root)
    (root / "models/m/weights.safetensors").write_bytes(tensors({"a": [1, 2, 4], "b": [4, 5, 6], "c": [7]}))
    (root / "models/m/added.txt").write_text("new")
    (root / "models/m/tokenizer/vocab.txt").unlink()
    run("snapshot", "model/m", cwd=root)
    d = document("history", "model/m", cwd=root)
    assert d["schema"] == "tutela.history/1" and [v["version"] for v in d["versions"]] == [2, 1]
    new, old = d["versions"]
    assert old["signature"]["state"] == "valid" and old["signature"]["person"] == "Ada" and old["signature"]["tier"] == "C"
    assert new["signature"]["state"] == "invalid" and old["changes"] == []
    changes = {c["file"]: c for c in new["changes"]}
    assert {k: c["change"] for k, c in changes.items()} == {
        "weights.safetensors": "changed", "added.txt": "added", "tokenizer/vocab.txt": "removed"}
    told = {c["tensor"]: c["change"] for c in changes["weights.safetensors"]["tensors"]["changes"]}
    assert told == {"a": "changed", "b": "reshaped", "c": "added"}, told
    text = run("history", "model/m", cwd=root).stdout
    assert "signed by Ada (tier C)" in text and "reshaped b  F32 [2] to F32 [3]" in text, text
    only = document("history", "model/m", "--version", "1", cwd=root)["versions"]
    assert [v["version"] for v in only] == [1]


def everything_comes_back_from_log_store_bodies_and_keys(tmp):
    root = tmp / "lost"
    make_system(root, "confidential")
    run("assess", root, expect=None)
    run("snapshot", "--all", cwd=root)
    good = tree(root)
    for entry in root.iterdir():
        if entry.name == ".tutela":
            for inner in entry.iterdir():
                if inner.name not in ("ledger", "store", "bodies", "origin"):
                    shutil.rmtree(inner) if inner.is_dir() else inner.unlink()
        else:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (root / ".tutela/store/index.json").unlink()
    r = document("restore", "--all", cwd=root)
    assert r["summary"]["restored"] == 3 and r["summary"]["description"]
    assert tree(root) == good
    assert "index.json" in run("store", "fsck", cwd=root, expect=1).stdout
    run("snapshot", "--all", cwd=root)
    run("store", "fsck", cwd=root)
    # the description alone, where it is there and wrong
    (root / "tutela.yaml").write_text("nonsense: [")
    run("restore", "tutela.yaml", cwd=root, expect=2)
    (root / "tutela.yaml").unlink()
    run("restore", "tutela.yaml", cwd=root)
    assert tree(root) == good


def damage_is_found_and_stored_again(tmp):
    root = tmp / "damage"
    make_system(root)
    run("snapshot", "--all", cwd=root)
    run("store", "fsck", cwd=root)
    victim = blobs(root)[hashlib.sha256((root / "prompts/system.md").read_bytes()).hexdigest()]
    whole = victim.read_bytes()
    for i in range(len(whole)):
        data = bytearray(whole)
        data[i] ^= 0x20
        victim.chmod(0o600)
        victim.write_bytes(data)
        if i % 9 == 0:
            faults = document("store", "fsck", cwd=root, expect=1)["faults"]
            assert [(f["kind"], f["what"]) for f in faults] == [("damaged", victim.name)], faults
    p = run("restore", "prompt/system", cwd=root, expect=2)
    assert "digest" in p.stderr
    run("snapshot", "prompt/system", "--no-cache", cwd=root)
    run("store", "fsck", cwd=root)
    victim.unlink()
    faults = document("store", "fsck", cwd=root, expect=1)["faults"]
    assert [f["kind"] for f in faults] == ["missing"]
    run("snapshot", "prompt/system", cwd=root)
    run("store", "fsck", cwd=root)
    victim.unlink()
    victim.symlink_to(root / "prompts/system.md")
    assert document("store", "fsck", cwd=root, expect=1)["summary"]["damaged"] >= 1
    victim.unlink()
    run("snapshot", "prompt/system", cwd=root)
    # a manifest
    tag = json.loads((root / ".tutela/store/index.json").read_text())["manifests"][0]
    manifest = blobs(root)[tag["digest"][7:]]
    manifest.unlink()
    assert document("store", "fsck", cwd=root, expect=1)["summary"]["missing"] == 1
    p = run("store", "gc", "--grace", "0", cwd=root, expect=2)
    assert "missing" in p.stderr


def gc_takes_what_nothing_names_and_nothing_else(tmp):
    root = tmp / "gc"
    make_system(root)
    run("snapshot", "--all", cwd=root)
    before = set(blobs(root))
    stray = b"nobody's"
    name = hashlib.sha256(stray).hexdigest()
    (root / ".tutela/store/blobs/sha256" / name).write_bytes(stray)
    (root / ".tutela/store/tmp/0123456789abcdef").write_bytes(b"cut short")
    assert document("store", "gc", cwd=root)["summary"]["kept_young"] == 1
    dry = document("store", "gc", "--grace", "0", "--dry-run", cwd=root)["summary"]
    time.sleep(1.1)
    done = document("store", "gc", "--grace", "0", cwd=root)["summary"]
    assert done["blobs"] == 1 and name not in blobs(root) and set(blobs(root)) == before, (dry, done)
    assert list((root / ".tutela/store/tmp").iterdir()) == []
    run("store", "fsck", cwd=root)
    # pruning: an event, the newest signed one is spared
    for i in range(3):
        (root / "prompts/system.md").write_text(f"Prompt {i}\n")
        run("snapshot", "prompt/system", cwd=root)
    p = document("store", "prune", "prompt/system", "--keep", "1", cwd=root)
    assert p["versions"] == ["prompt-system-v3", "prompt-system-v2"] and p["summary"]["spared"] == "prompt-system-v1", p
    time.sleep(1.1)
    run("store", "gc", "--grace", "0", cwd=root)
    run("store", "fsck", cwd=root)
    d = document("history", "prompt/system", cwd=root)
    assert [(v["version"], v["pruned"]) for v in d["versions"]] == [(4, False), (3, True), (2, True), (1, False)]
    run("restore", "prompt/system", "--version", "2", cwd=root, expect=2)
    run("restore", "prompt/system", "--version", "1", cwd=root)
    sign(root, "prompts/system.md")
    assert document("snapshot", "prompt/system", cwd=root)["assets"][0]["version"] == 5


def a_crash_at_any_moment_leaves_a_store_that_works(tmp):
    root = tmp / "crash"
    make_system(root, "confidential")
    run("snapshot", "--all", cwd=root)
    (root / "models/m/large.bin").write_bytes(os.urandom(24 << 20))
    sign(root, "models/m")
    survived = 0
    for i in range(12):
        p = subprocess.Popen([TUTELA, "snapshot", "--all"], cwd=root, env=ENV, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(0.004 * (i + 1))
        p.send_signal(signal.SIGKILL)
        p.wait()
        survived += p.returncode == 0
        faults = document("store", "fsck", cwd=root, expect=None)["faults"]
        assert {f["kind"] for f in faults} <= {"left", "foreign"}, faults
    run("snapshot", "--all", cwd=root)
    time.sleep(1.1)
    run("store", "gc", "--grace", "0", cwd=root)
    run("store", "fsck", cwd=root)
    good = tree(root)
    for i in range(6):
        (root / "models/m/config.json").write_text("{}")
        p = subprocess.Popen([TUTELA, "restore", "model/m"], cwd=root, env=ENV, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(0.01 * (i + 1))
        p.send_signal(signal.SIGKILL)
        p.wait()
        text = (root / "models/m/config.json").read_text()
        assert text in ("{}", '{"model_type": "x"}'), "the directory is the old one or the new one"
        assert (root / "models/m/large.bin").stat().st_size == 24 << 20
    run("restore", "model/m", cwd=root)
    assert tree(root) == good


def verdicts(root, *ids):
    d = document("report", root, expect=None)
    return {c["id"]: c["verdict"] for c in d["controls"] if c["id"] in ids}


def the_example_meets_both_clauses_and_falls_back(tmp):
    root = tmp / "example"
    shutil.copytree(pathlib.Path(SOURCE) / "examples/support-assistant", root)
    both = ("5.2.1-2", "5.2.1-3.1")
    # as it comes, two assets are not what was accepted, and one is not declared
    run("init", "--accept", "model/reranker", cwd=root)
    run("init", "--accept", "prompt/system", cwd=root)
    run("init", "--update", cwd=root)
    run("people", "enrol", "Ada", "--role", "developer", "--root", "--generate", "--no-passphrase", cwd=root)
    assets = [a for a in document("inventory", root, expect=None)["assets"]
              if a["kind"] in ("model", "dataset", "prompt", "config")]
    for a in assets:
        run("sign", a["path"], "--by", "Ada", cwd=root)
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {"5.2.1-2": "partly", "5.2.1-3.1": "not_checked"}, verdicts(root, *both)
    run("drill", "run", "restore", cwd=root, expect=2)
    run("snapshot", "--all", cwd=root, expect=1)  # the system card of the example is missing
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {"5.2.1-2": "met", "5.2.1-3.1": "partly"}, verdicts(root, *both)
    drill = document("drill", "run", "restore", cwd=root)
    assert drill["schema"] == "tutela.drill/1" and drill["summary"]["result"] == "pass"
    assert {i["id"] for i in drill["items"]} == {a["id"] for a in assets} and len(assets) == 14
    assert {i["state"] for i in drill["items"]} == {"passed"} and not list((root / ".tutela/store/tmp").iterdir())
    assert verdicts(root, *both) == {c: "met" for c in both}
    # aged: versions and snapshots end after 30 days without assess, the drill after 180
    if FAKETIME:
        late = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # faketime is loaded first
        old = run("report", root, "--format", "json", expect=None, before=[FAKETIME, "-f", "+200d"],
                  env={"ASAN_OPTIONS": late})
        then = {c["id"]: c["verdict"] for c in json.loads(old.stdout)["controls"] if c["id"] in both}
        assert then == {c: "not_checked" for c in both}, then
    else:
        print("faketime is not installed: ageing is not tried")
    # a blob that is missing
    model = next(a for a in assets if a["id"] == "model/reranker")
    blob = blobs(root)[model["digest"]["sha256"]]
    aside = tmp / "blob"
    shutil.move(blob, aside)
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {c: "not_met" for c in both}
    failed = document("drill", "run", "restore", cwd=root, expect=1)
    assert [i["id"] for i in failed["items"] if i["state"] == "failed"] == ["model/reranker"]
    shutil.move(aside, blob)
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {"5.2.1-2": "met", "5.2.1-3.1": "not_met"}
    run("drill", "run", "restore", cwd=root)
    assert verdicts(root, *both) == {c: "met" for c in both}
    # changed bytes
    path = root / "prompts/tools.md"
    whole = path.read_bytes()
    path.write_bytes(whole + b"Do as you are told.\n")
    run("assess", root, expect=None)
    assert verdicts(root, "5.2.1-2") == {"5.2.1-2": "not_met"} and verdicts(root, "5.2.1-3.1") != {"5.2.1-3.1": "met"}
    # accepted and not snapshotted: the drill is about another description, the bytes in no version
    run("init", "--accept", "prompt/tools", cwd=root)
    run("sign", "prompts/tools.md", "--by", "Ada", cwd=root)
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {"5.2.1-2": "partly", "5.2.1-3.1": "partly"}, verdicts(root, *both)
    run("drill", "run", "restore", cwd=root, expect=3)
    run("snapshot", "prompt/tools", cwd=root)
    run("drill", "run", "restore", cwd=root)
    run("assess", root, expect=None)
    assert verdicts(root, *both) == {c: "met" for c in both}
    # the signer's key is revoked: what it signed no longer counts
    run("people", "enrol", "Bea", "--role", "developer", "--root", "--generate", "--no-passphrase", "--by", "Ada", cwd=root)
    run("people", "revoke", "Ada", "--by", "Bea", "--reason", "left", cwd=root)
    run("assess", root, expect=None)
    assert "met" not in verdicts(root, *both).values(), verdicts(root, *both)


def commands_say_what_they_lack(tmp):
    empty = tmp / "empty"
    empty.mkdir()
    for args in (["snapshot", "--all"], ["history", "x"], ["restore", "x"], ["store", "fsck"], ["store", "gc"],
                 ["drill", "run", "restore"]):
        p = run(*args, cwd=empty, expect=2)
        assert "here" in p.stderr and p.stderr.count("\n") == 1, (args, p.stderr)
    assert list(empty.iterdir()) == []
    root = tmp / "none"
    make_system(root)
    for args in (["history", "model/m"], ["restore", "model/m"], ["store", "fsck"]):
        p = run(*args, cwd=root, expect=2)
        assert "tutela snapshot" in p.stderr, p.stderr
    p = run("drill", "run", "restor", cwd=root, expect=2)
    assert "did you mean restore" in p.stderr
    assert "restore" in run("drill", "list", cwd=root).stdout


TESTS = [versions_share_what_stays_and_unchanged_is_said, what_is_not_accepted_is_refused,
         restore_gives_back_bytes_and_modes_and_keeps_the_old, a_directory_that_holds_more_is_exchanged_file_by_file,
         nothing_leads_out, only_what_the_log_knows_and_people_signed_is_restored, confidential_assets_are_sealed,
         history_says_what_changed_per_file_and_tensor, everything_comes_back_from_log_store_bodies_and_keys,
         damage_is_found_and_stored_again, gc_takes_what_nothing_names_and_nothing_else,
         a_crash_at_any_moment_leaves_a_store_that_works, the_example_meets_both_clauses_and_falls_back,
         commands_say_what_they_lack]

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        ENV["XDG_DATA_HOME"] = where + "/keys"  # other tests make keys at the same time
        for test in TESTS:
            test(pathlib.Path(where))
            print("ok", test.__name__)
