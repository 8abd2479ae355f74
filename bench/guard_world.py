"""What the guard's figures are taken in: a model server, bare nginx and guards in front of it, each on a processor of its own."""
import json, os, pathlib, re, shutil, signal, socket, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
CHAT = "/v1/chat/completions"
ANSWER = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "The refund was sent on Monday and should be on your account within three working days. " * 3}}], "usage": {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260}}
PROMPT = "Our customer ordered two lamps in May and one of them arrived broken. She sent pictures, asked for a refund, and we promised to answer within a week. Please write a short and friendly answer that says what happens next. " * 5
# All but that of the tools, which is always there.
CHECKS = ("injection", "injection_data", "secrets_in", "personal_in", "secrets_out", "personal_out", "contact_out", "canary", "prompt_leak", "links", "logprobs", "taint", "schema")
OFF = "    checks: {" + ", ".join(f"{c}: allow" for c in CHECKS) + "}\n    abuse: {extraction: allow, probing: allow, membership: allow, spending: allow}\n"
OFF_ROUTE = ", normalise: off, unscanned: [images, audio, files, state, tokens]"
ON = "    canaries: [hazel-lantern-40417]\n"

COMMON = "user root; daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/error.log; events {{ worker_connections 4096; }}\nhttp {{ keepalive_requests 100000000; tcp_nodelay on; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; client_body_buffer_size 64k;\n"
# The log that the guard writes, but for the number of the exchange.
LOG = """log_format bench escape=json '{"at":"$time_iso8601","id":"","method":"$request_method","path":"$uri","status":$status,"bytes_in":$request_length,"bytes_out":$body_bytes_sent,"took_s":$request_time,"upstream_s":"$upstream_response_time","tls":"$ssl_protocol","trace":"$http_traceparent"}';
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ns_of(pids):
    """Nanoseconds on a processor."""
    total = 0
    for pid in pids:
        try:
            total += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        except OSError:
            pass
    return total


def children(pid):
    out, queue = [], [pid]
    while queue:
        p = queue.pop()
        out.append(p)
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                queue += map(int, pathlib.Path(f"/proc/{p}/task/{task}/children").read_text().split())
        except OSError:
            pass
    return out


def pin(pids, processor):
    for pid in pids:
        subprocess.run(["taskset", "-a", "-p", "-c", str(processor), str(pid)], capture_output=True)


class World:
    """with World(tutela) as w: ... what was started is stopped, and its folder removed."""

    def __init__(self, tutela):
        self.tutela = os.path.abspath(tutela)
        for tool in ("wrk", "nginx", "taskset", "openssl"):
            if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
                sys.exit(f"{tool} is not installed")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tutela-bench-"))
        self.started = []
        self.cert = (self.dir / "cert.pem", self.dir / "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.cert[1], "-out", self.cert[0], "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for pid in self.started:
            try:
                os.kill(pid, signal.SIGTERM)
            except OSError:
                pass
        time.sleep(1)
        shutil.rmtree(self.dir, ignore_errors=True)

    def folder(self, name):
        path = self.dir / re.sub("[^a-z0-9]+", "-", name.lower())
        path.mkdir()
        return path

    def nginx(self, name, text, processor):
        folder = self.folder(name)
        conf = folder / "nginx.conf"
        conf.write_text(COMMON.format(d=folder) + text.replace("{d}", str(folder)))
        process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")])
        self.started.append(process.pid)
        time.sleep(0.3)
        pin(children(process.pid), processor)
        return process.pid

    def upstream(self):
        """A model server that answers at once, always the same."""
        port = free_port()
        self.nginx("upstream", "access_log off; server { listen 127.0.0.1:%d; location / { default_type application/json; return 200 '%s'; } } }\n" % (port, json.dumps(ANSWER)), 0)
        return port

    def plain(self, name, upstream, is_tls):
        """nginx as the guard configures it, without the guard: (port, process)."""
        port = free_port()
        tls = f" ssl http2; ssl_certificate {self.cert[0]}; ssl_certificate_key {self.cert[1]}; ssl_protocols TLSv1.3" if is_tls else ""
        return port, self.nginx(name, LOG + "access_log {d}/access.log bench buffer=64k flush=1s;" + f"""
upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
server {{ listen 127.0.0.1:{port}{tls}; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }} }} }}
""", 1)

    def guard(self, name, upstream, is_tls, rest, route="", audit="none"):
        """(port, process, folder)"""
        port, folder = free_port(), self.folder(name)
        tls = f"    tls: {{certificate: {self.cert[0]}, key: {self.cert[1]}}}\n" if is_tls else ""
        (folder / "tutela.yaml").write_text(f"""schema: tutela.system/1
system: {{name: bench, version: 1.0.0, purpose: figures}}
guard:
    listen: 127.0.0.1:{port}
    workers: 1
    audit: {audit}
{tls}{rest}    routes:
      - {{id: chat, path: {CHAT}, protocol: openai-chat, upstream: "http://127.0.0.1:{upstream}"{route}}}
""")
        env = dict(os.environ, XDG_DATA_HOME=str(folder / "keys"))
        done = subprocess.run([self.tutela, "guard", "up"], cwd=folder, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        pid = int(done.stdout.split("process ")[1].split(")")[0])
        self.started.append(pid)
        pin(children(pid), 1)
        return port, pid, folder

    def script(self, text):
        path = self.dir / f"script{len(list(self.dir.glob('*.lua')))}.lua"
        path.write_text("wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\n" + text)
        return str(path)

    def same_prompt(self):
        return self.script("wrk.body=[==[%s]==]\n" % json.dumps(question(PROMPT[:1000])))

    def new_prompts(self):
        """Each of other words, so that nothing is known of it."""
        words = sorted(set(re.findall("[a-z]{3,10}", "".join(p.read_text() for p in sorted((HERE.parent / "docs").glob("*.md"))))))
        before, behind = json.dumps(question("PROMPT")).split("PROMPT")
        return self.script("""local words = {%s}
function request()
  local text, len = {}, 0
  while len < 1000 do
    local word = words[math.random(#words)]
    text[#text + 1] = word
    len = len + #word + 1
  end
  return wrk.format(nil, nil, nil, [==[%s]==] .. table.concat(text, " ") .. [==[%s]==])
end
""" % (",".join(f'"{w}"' for w in words), before, behind))


def question(text):
    return {"model": "m", "messages": [{"role": "system", "content": "You answer customers of a shop."}, {"role": "user", "content": text}]}


def wrk(port, is_tls, script, connections, seconds):
    """(requests, p50, p99); all of them were answered well."""
    url = f"http{'s' if is_tls else ''}://127.0.0.1:{port}{CHAT}"
    done = subprocess.run(["taskset", "-c", "0", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url], capture_output=True, text=True)
    requests = errors = 0
    p50 = p99 = ""
    for line in done.stdout.splitlines():
        words = line.split()
        if "requests in" in line:
            requests = int(words[0])
        if "Non-2xx" in line:
            errors = int(words[-1])
        if words[:1] == ["50%"]:
            p50 = words[1]
        if words[:1] == ["99%"]:
            p99 = words[1]
    if not requests or errors:
        sys.exit(f"{url}: {done.stdout}{done.stderr}")
    return requests, p50, p99
