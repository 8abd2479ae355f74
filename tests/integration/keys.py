"""Keys against the programs of others: openssl, ssh-agent and ssh-keygen, softhsm2, a terminal."""
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOOL = os.environ["TUTELA_KEYTOOL"]
work = tempfile.mkdtemp(prefix="tutela-keys-")
failed = 0
skipped = []


def claim(text, held, detail=""):
    global failed
    print(f"{'ok     ' if held else 'FAILED '} {text}{'' if held else ': ' + str(detail)}", flush=True)
    failed += not held


def run(*args, env=None, **more):
    full = dict(os.environ, **(env or {}))
    return subprocess.run(args, capture_output=True, timeout=120, env=full, **more)


def tool(*args, env=None):
    return run(TOOL, *args, env=env)


def path(name, data=None, mode=0o600):
    p = os.path.join(work, name)
    if data is not None:
        with open(p, "wb") as f:
            f.write(data)
        os.chmod(p, mode)
    return p


def has(program, what):
    if shutil.which(program):
        return True
    skipped.append(f"{what}: {program} is not installed")
    return False


MESSAGE = path("message", b"what is signed\n")


def against_openssl():
    if not has("openssl", "openssl"):
        return
    secret = path("pass", b"a passphrase\n")
    for kind, digest in (("ed25519", None), ("p256", "sha256"), ("p384", "sha384"), ("p521", "sha512")):
        for sealed in (False, True):
            key = path(f"{kind}-{sealed}.pem")
            made = tool("generate", kind, key, *([secret] if sealed else []))
            claim(f"{kind} made, {'sealed' if sealed else 'in clear'}", made.returncode == 0, made.stderr)
            theirs = run("openssl", "pkey", "-in", key, "-pubout", "-passin", f"file:{secret}")
            ours = tool("public", key, *([secret] if sealed else []))
            claim(f"{kind}: openssl reads it and finds the same public key",
                  theirs.returncode == 0 and theirs.stdout == ours.stdout, theirs.stderr + ours.stderr)
            signed = tool("sign", key, MESSAGE, *([secret] if sealed else []))
            signature = path("signature", signed.stdout)
            public = path("public.pem", ours.stdout)
            if digest:
                checked = run("openssl", "dgst", f"-{digest}", "-verify", public, "-signature", signature, MESSAGE)
            else:
                checked = run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin",
                              "-in", MESSAGE, "-sigfile", signature)
            claim(f"{kind}: openssl accepts the signature", checked.returncode == 0, checked.stderr)
            claim(f"{kind}: so do we", tool("verify", public, MESSAGE, signature).returncode == 0)
        # and the other way round
        key = path(f"{kind}-openssl.pem")
        spec = ["-algorithm", "ed25519"] if not digest else [
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind.replace("p", "P-")]
        run("openssl", "genpkey", *spec, "-aes256", "-pass", f"file:{secret}", "-out", key)
        os.chmod(key, 0o600)
        public = path("public.pem", run("openssl", "pkey", "-in", key, "-passin", f"file:{secret}", "-pubout").stdout)
        signature = path("signature")
        if digest:
            run("openssl", "dgst", f"-{digest}", "-sign", key, "-passin", f"file:{secret}", "-out", signature, MESSAGE)
        else:
            run("openssl", "pkeyutl", "-sign", "-inkey", key, "-passin", f"file:{secret}", "-rawin",
                "-in", MESSAGE, "-out", signature)
        checked = tool("verify", public, MESSAGE, signature)
        claim(f"{kind}: a signature of openssl verifies", checked.returncode == 0, checked.stderr)
        opened = tool("public", key, secret)
        claim(f"{kind}: a sealed key of openssl opens", opened.stdout == open(public, "rb").read(), opened.stderr)
    digest = run("sha256sum", public).stdout[:64]
    claim("the id is the digest of the PEM text", tool("id", public).stdout.strip() == digest)


def against_agent():
    if not has("ssh-agent", "SSH agent") or not has("ssh-keygen", "SSH agent"):
        return
    claim("without an agent: said so", b"SSH_AUTH_SOCK is not set" in
          tool("public", "ssh-agent:", env={"SSH_AUTH_SOCK": ""}).stderr)
    sock = path("agent.sock")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if os.path.exists(sock):
                break
            time.sleep(0.05)
        env = {"SSH_AUTH_SOCK": sock}
        empty = tool("public", "ssh-agent:", env=env)
        claim("an agent without keys: said so", b"holds no such" in empty.stderr, empty.stderr)
        prints = {}
        for name, kind in (("one", "ed25519"), ("rsa", "rsa")):
            run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"comment of {name}", "-f", path(name))
            added = run("ssh-add", "-q", path(name), env=env)
            claim(f"ssh-add {kind}", added.returncode == 0, added.stderr)
            prints[name] = run("ssh-keygen", "-l", "-f", path(name) + ".pub").stdout.split()[1].decode()
        public = tool("public", "ssh-agent:", env=env)
        claim("the only Ed25519 key is found without a name", public.returncode == 0, public.stderr)
        pem = path("agent.pem", public.stdout)
        claim("it is the one of the .pub file", tool("id", pem).stdout == tool("id", path("one") + ".pub").stdout)
        signature = path("signature", tool("sign", "ssh-agent:", MESSAGE, env=env).stdout)
        claim("its signature verifies", tool("verify", pem, MESSAGE, signature).returncode == 0)
        if shutil.which("openssl"):
            checked = run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", MESSAGE,
                          "-sigfile", signature)
            claim("and for openssl", checked.returncode == 0, checked.stderr)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "comment of two", "-f", path("two"))
        run("ssh-add", "-q", path("two"), env=env)
        both = tool("public", "ssh-agent:", env=env)
        claim("two keys and no name: refused", b"2 Ed25519 keys that fit" in both.stderr, both.stderr)
        for name in (prints["one"], "comment of one", tool("id", path("one") + ".pub").stdout.decode().strip()):
            found = tool("public", "ssh-agent:" + name, env=env)
            claim(f"named by {name[:20]}", found.stdout == public.stdout, found.stderr)
        claim("an RSA key is not taken", tool("public", "ssh-agent:" + prints["rsa"], env=env).returncode == 1)
        run("ssh-add", "-x", env=env)
    finally:
        agent.terminate()
        agent.wait()
    gone = tool("public", "ssh-agent:", env={"SSH_AUTH_SOCK": sock})
    claim("an agent that is gone: said so", gone.returncode == 1 and b"does not answer" in gone.stderr, gone.stderr)


def hostile_agents():
    ed = bytes(range(1, 33))
    blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + ed
    listed = b"\x0c" + struct.pack(">I", 1) + struct.pack(">I", len(blob)) + blob + struct.pack(">I", 1) + b"c"
    answers = {
        "an empty answer": struct.pack(">I", 0),
        "a refusal": struct.pack(">I", 1) + b"\x05",
        "a length of 4 GiB": b"\xff\xff\xff\xff",
        "an answer cut off": struct.pack(">I", len(listed)) + listed[:-3],
        "more keys than it says": struct.pack(">I", len(listed) + 1) + listed + b"x",
        "a billion keys": struct.pack(">I", 5) + b"\x0c\x40\x00\x00\x00",
        "a string beyond the end": struct.pack(">I", 9) + b"\x0c\x00\x00\x00\x01\x00\x00\xff\xff",
    }

    def once(reply, sign_reply=None):
        sock = path("hostile.sock")
        if os.path.exists(sock):
            os.unlink(sock)
        server = socket.socket(socket.AF_UNIX)
        server.bind(sock)
        server.listen(4)
        server.settimeout(20)

        def serve():
            try:
                for answer in (reply, sign_reply):
                    if answer is None:
                        return
                    peer, _ = server.accept()
                    peer.settimeout(20)
                    peer.recv(1 << 20)
                    peer.sendall(answer)
                    peer.close()
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        done = tool("sign", "ssh-agent:", MESSAGE, env={"SSH_AUTH_SOCK": sock})
        thread.join()
        server.close()
        return done

    for name, reply in answers.items():
        done = once(reply)
        claim(f"a hostile agent: {name}", done.returncode == 1 and done.stderr.count(b"\n") == 1, done)
    signature = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 64) + bytes(64)
    reply = b"\x0e" + struct.pack(">I", len(signature)) + signature
    done = once(struct.pack(">I", len(listed)) + listed, struct.pack(">I", len(reply)) + reply)
    claim("a hostile agent: a signature that is none", done.returncode == 1 and done.stdout == b"" and
          done.stderr.startswith(b"CRYPTO"), done)
    sock = path("silent.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(sock)
    server.listen(1)
    started = time.monotonic()
    done = tool("public", "ssh-agent:", env={"SSH_AUTH_SOCK": sock})
    claim("a silent agent is given up on", b"in time" in done.stderr and time.monotonic() - started < 30, done)
    server.close()


def against_token():
    if not has("softhsm2-util", "PKCS#11") or not has("openssl", "PKCS#11"):
        return
    module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                               "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(m)), None)
    if not module:
        skipped.append("PKCS#11: libsofthsm2.so was not found")
        return
    os.mkdir(path("tokens"))
    conf = path("softhsm2.conf", f"directories.tokendir = {path('tokens')}\n".encode())
    env = {"SOFTHSM2_CONF": conf}
    for label in ("first token", "second"):
        made = run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "5678", env=env)
        claim(f"softhsm2 token \"{label}\"", made.returncode == 0, made.stderr)
    pin = path("pin", b"1234\n")
    keys = {}
    for number, kind in enumerate(("p256", "p384", "p521", "ed25519"), 1):
        key = path(f"token-{kind}.pem")
        tool("generate", kind, key)
        imported = run("softhsm2-util", "--import", key, "--token", "first token", "--label", f"key {kind}",
                       "--id", f"0{number}", "--pin", "1234", env=env)
        if imported.returncode:
            skipped.append(f"PKCS#11 {kind}: this softhsm2 does not import it")
            continue
        keys[kind] = (f"pkcs11:token=first%20token;object=key%20{kind}?module-path={module}",
                      f"pkcs11:token=first%20token;id=%0{number}?module-path={module}&pin-source=file:{pin}", key)
    claim("at least the three ECDSA keys are in the token", len(keys) >= 3, keys)
    for kind, (by_label, by_id, key) in keys.items():
        own = tool("public", key).stdout
        for uri, secret in ((by_label, [pin]), (by_id, [])):
            public = tool("public", uri, *secret, env=env)
            claim(f"{kind}: the token's public half", public.stdout == own, public.stderr)
            signed = tool("sign", uri, MESSAGE, *secret, env=env)
            signature = path("signature", signed.stdout)
            checked = tool("verify", path("public.pem", own), MESSAGE, signature)
            claim(f"{kind}: the token's signature verifies", checked.returncode == 0, signed.stderr + checked.stderr)
    by_label = keys["p256"][0]

    def refused(text, expect, *args):
        done = tool(*args, env=env)
        claim(text, done.returncode == 1 and expect in done.stderr, done)

    refused("no PIN: said so", b"wants a PIN", "public", by_label)
    refused("a wrong PIN: said so", b"the PIN is wrong", "public", by_label, path("wrong", b"0000\n"))
    refused("a PIN in the URI is refused", b"does not belong", "public", by_label + "&pin-value=1234")
    refused("a PIN file open to others is refused", b"chmod 600", "public", by_label, path("open", b"1234\n", 0o644))
    refused("no such token", b"no token fits", "public", f"pkcs11:token=none?module-path={module}", pin)
    refused("two tokens fit", b"more than one token", "public", f"pkcs11:object=x?module-path={module}", pin)
    refused("no such key", b"no private key", "public", f"pkcs11:token=first%20token;object=x?module-path={module}", pin)
    refused("two keys fit", b"more than one private key", "public", f"pkcs11:token=first%20token?module-path={module}", pin)
    refused("no such module", b"cannot be loaded", "public", "pkcs11:token=x?module-path=/nowhere.so", pin)
    refused("not a module", b"is not a PKCS#11 module", "public", "pkcs11:token=x?module-path=/lib/x86_64-linux-gnu/libz.so.1"
            if os.path.exists("/lib/x86_64-linux-gnu/libz.so.1") else "pkcs11:token=x?module-path=" + TOOL, pin)
    refused("keys of tokens stay there", b"UNSUPPORTED", "note-sign", by_label + f"&pin-source={pin}", "n", "1", MESSAGE)


def with_terminal(args, answers, send_signal=None):
    """Runs the tool with a controlling terminal; returns what the terminal showed and the status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(TOOL, [TOOL, *args])
    shown = b""
    answers = list(answers)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([fd], [], [], 1)
        if not ready:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        if shown.endswith(b": ") and answers:
            time.sleep(0.05)
            os.write(fd, answers.pop(0))
        elif shown.endswith(b": ") and send_signal:
            time.sleep(0.05)
            import termios
            echo = termios.tcgetattr(fd)[3] & termios.ECHO
            os.kill(pid, send_signal)
            send_signal = None
            shown += b"[echo off]" if not echo else b"[echo on]"
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return shown, status


def on_terminal():
    key = path("asked.pem")
    shown, status = with_terminal(["generate", "p256", key, "ask"], [b"gehe im\n", b"gehe im\n"])
    claim("a new passphrase is asked twice", status == 0 and b"New passphrase: " in shown and b"Again: " in shown, shown)
    claim("and never shown", b"gehe" not in shown, shown)
    shown, status = with_terminal(["public", key, "ask"], [b"gehe im\n"])
    claim("it opens the key", status == 0 and b"BEGIN PUBLIC KEY" in shown and b"gehe" not in shown, shown)
    shown, status = with_terminal(["public", key, "ask"], [b"falsch\n"])
    claim("a wrong one does not", status != 0 and b"does not open" in shown, shown)
    shown, status = with_terminal(["generate", "p256", path("differ.pem"), "ask"], [b"one\n", b"two\n"])
    claim("two that differ make no key", status != 0 and not os.path.exists(path("differ.pem")), shown)
    shown, status = with_terminal(["public", key, "ask"], [], signal.SIGTERM)
    claim("a signal at the prompt still ends the program", os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM
          and b"[echo off]" in shown, (shown, status))
    alone = subprocess.run([TOOL, "public", key, "ask"], capture_output=True, start_new_session=True,
                           stdin=subprocess.DEVNULL, timeout=60)
    claim("without a terminal: said so", alone.returncode == 1 and b"no terminal" in alone.stderr, alone.stderr)


try:
    against_openssl()
    against_agent()
    hostile_agents()
    against_token()
    on_terminal()
finally:
    shutil.rmtree(work, ignore_errors=True)
for line in skipped:
    print("not tested  " + line)
sys.exit(1 if failed else 0)
