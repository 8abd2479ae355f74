"""Other people's tools on the version store: skopeo copies it to Debian's docker-registry and back, and what
comes back is restored; a second skopeo copy goes from layout to layout."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from store import blobs, document, make_system, run, tree  # noqa: E402

if not shutil.which("skopeo") or not shutil.which("docker-registry"):
    print("skopeo and docker-registry (Debian packages of these names) are not installed: skipped")
    sys.exit(77)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Registry:
    def __init__(self, where):
        self.port = free_port()
        config = where / "registry.yml"
        config.write_text(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {where}/registry\n"
                          f"http:\n  addr: 127.0.0.1:{self.port}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/", timeout=2)
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the registry does not answer")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def skopeo(*args):
    p = subprocess.run(["skopeo", *map(str, args)], capture_output=True, text=True, timeout=120)
    assert p.returncode == 0, (args, p.stderr)
    return p.stdout


def main(tmp):
    root = tmp / "system"
    make_system(root, "confidential")
    run("snapshot", "--all", cwd=root)
    store = root / ".tutela/store"
    tags = [m["annotations"]["org.opencontainers.image.ref.name"]
            for m in json.loads((store / "index.json").read_text())["manifests"]]
    assert sorted(tags) == ["dataset-secret-v1", "model-m-v1", "prompt-system-v1"]
    good, held = tree(root), set(blobs(root))
    with Registry(tmp) as registry:
        for tag in tags:
            there = f"docker://127.0.0.1:{registry.port}/versions:{tag}"
            skopeo("copy", "--insecure-policy", "--dest-tls-verify=false", f"oci:{store}:{tag}", there)
            raw = skopeo("inspect", "--tls-verify=false", "--raw", there)
            assert hashlib.sha256(raw.encode()).hexdigest() in held, "the manifest is byte for byte the same"
        # everything is lost but the log, and the registry
        shutil.rmtree(store)
        for entry in ("models", "data", "prompts"):
            shutil.rmtree(root / entry)
        for tag in tags:
            skopeo("copy", "--insecure-policy", "--src-tls-verify=false",
                   f"docker://127.0.0.1:{registry.port}/versions:{tag}", f"oci:{store}:{tag}")
    print("ok   three versions went to docker-registry and back")
    assert set(blobs(root)) == held
    document("store", "fsck", cwd=root)
    run("restore", "--all", cwd=root)
    assert tree(root) == good
    print("ok   store fsck and restore on what came back")
    # skopeo's layout is one that snapshot writes into
    (root / "prompts/system.md").write_text("Changed.\n")
    assert document("snapshot", "prompt/system", cwd=root)["assets"][0]["version"] == 2
    run("store", "fsck", cwd=root)
    # from layout to layout; what was altered on the way is found
    copy = tmp / "copy"
    skopeo("copy", "--insecure-policy", f"oci:{store}:prompt-system-v2", f"oci:{copy}:prompt-system-v2")
    assert {p.name for p in (copy / "blobs/sha256").iterdir()} <= set(blobs(root))
    victim = max(blobs(root).values(), key=lambda p: p.stat().st_size)
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    assert document("store", "fsck", cwd=root, expect=1)["summary"]["damaged"] == 1
    print("ok   skopeo from layout to layout; a snapshot into what skopeo wrote")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        main(pathlib.Path(where))
