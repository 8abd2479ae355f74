#!/usr/bin/env bash
# RFC 3161 with `openssl ts` as the authority: requests that it understands, answers of it that verify,
# and answers that must not: of a stranger, to another request, refused, without the right certificate,
# changed in any byte; over files and over HTTP.
set -euo pipefail
dir=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
export XDG_DATA_HOME=$dir/keys
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
failed=0
ok() { # ok NAME STATUS COMMAND...: the command ends with STATUS
    local name=$1 want=$2 got=0
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    if [ "$got" != "$want" ]; then
        echo "FAILED  $name: exit $got, not $want: $(cat "$dir/out" "$dir/err")"
        failed=1
    fi
}
says() { # says WORDS: the last command did
    grep -q -- "$1" "$dir/out" "$dir/err" || {
        echo "FAILED  \"$1\" was not said: $(cat "$dir/out" "$dir/err")"
        failed=1
    }
}

# ---- authorities ----
authority() { # authority NAME ALGORITHM EXTENSIONS
    local at=$dir/$1
    mkdir "$at"
    cat >"$at/ca.cnf" <<CNF
[req]
distinguished_name = dn
x509_extensions = ca
prompt = no
[dn]
CN = $1 root
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[tsa]
$3
[tsa_config]
default_tsa = ts
[ts]
serial = $at/serial
crypto_device = builtin
signer_cert = $at/tsa.pem
certs = $at/ca.pem
signer_key = $at/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
CNF
    echo 01 >"$at/serial"
    # shellcheck disable=SC2086
    openssl genpkey $2 -out "$at/ca.key" 2>/dev/null
    # shellcheck disable=SC2086
    openssl genpkey $2 -out "$at/tsa.key" 2>/dev/null
    openssl req -new -x509 -key "$at/ca.key" -config "$at/ca.cnf" -days 30 -out "$at/ca.pem"
    openssl req -new -key "$at/tsa.key" -subj "/CN=$1 authority" -out "$at/tsa.csr" -config "$at/ca.cnf"
    openssl x509 -req -in "$at/tsa.csr" -CA "$at/ca.pem" -CAkey "$at/ca.key" -CAcreateserial -days 20 \
        -extfile "$at/ca.cnf" -extensions tsa -out "$at/tsa.pem" 2>/dev/null
}
right='extendedKeyUsage = critical,timeStamping'
authority ec "-algorithm EC -pkeyopt ec_paramgen_curve:P-256" "$right"
authority rsa "-algorithm RSA -pkeyopt rsa_keygen_bits:2048" "$right"
authority stranger "-algorithm EC -pkeyopt ec_paramgen_curve:P-384" "$right"
reply() { # reply AUTHORITY REQUEST RESPONSE
    openssl ts -reply -config "$dir/$1/ca.cnf" -section ts -queryfile "$2" -out "$3" 2>/dev/null
}

# ---- a log ----
mkdir "$dir/system"
cd "$dir/system"
echo "You are a helpful assistant." >prompt.txt
"$TUTELA" init . >/dev/null
stamps=.tutela/ledger/evidence/timestamps
grow() { echo '{"what":"more"}' | "$TUTELA" ledger append >/dev/null; }
grow
ok "nothing stamped" 3 "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"

# ---- by files ----
for tsa in ec rsa; do
    grow
    ok "$tsa request" 0 "$TUTELA" ledger timestamp --request "$dir/request"
    openssl ts -query -in "$dir/request" -text >"$dir/text" 2>/dev/null
    grep -q "Hash Algorithm: sha256" "$dir/text" && grep -q "Certificate required: yes" "$dir/text" &&
        grep -q "Nonce: 0x" "$dir/text" || {
        echo "FAILED  openssl reads another request: $(cat "$dir/text")"
        failed=1
    }
    reply $tsa "$dir/request" "$dir/response"
    ok "stranger's answer, $tsa" 2 sh -c "openssl ts -reply -config '$dir/stranger/ca.cnf' -section ts \
        -queryfile '$dir/request' -out '$dir/strange' 2>/dev/null && \
        '$TUTELA' ledger timestamp --response '$dir/strange' --ca '$dir/$tsa/ca.pem'"
    says "not to be trusted"
    ok "$tsa answer" 0 "$TUTELA" ledger timestamp --response "$dir/response" --ca "$dir/$tsa/ca.pem"
    says "$tsa authority"
    size=$(find $stamps -name '*.tsr' | sed 's/.*\///; s/\.tsr//' | sort -n | tail -1)
    openssl ts -verify -in "$stamps/$size.tsr" -queryfile "$stamps/$size.tsq" -CAfile "$dir/$tsa/ca.pem" \
        >/dev/null 2>&1 || {
        echo "FAILED  openssl does not verify what is kept"
        failed=1
    }
    [ "$(openssl dgst -sha256 -r "$stamps/$size.checkpoint" | cut -c1-64)" = \
        "$(openssl ts -query -in "$stamps/$size.tsq" -text 2>/dev/null |
            sed -n 's/^    00[01]0 - \(.*\)   .*/\1/p' | tr -d ' -' | tr -d '\n' | cut -c1-64)" ] || {
        echo "FAILED  the request is not over the checkpoint"
        failed=1
    }
    ok "stamped twice" 2 "$TUTELA" ledger timestamp --request "$dir/request"
    says "already"
    rm -r $stamps
done

grow
ok "request" 0 "$TUTELA" ledger timestamp --request "$dir/request"
ok "request in JSON" 0 sh -c "\"$TUTELA\" ledger timestamp --request '$dir/request' --format json |
    grep -q tutela.timestamp/1"
reply ec "$dir/request" "$dir/response"
ok "not verified" 3 "$TUTELA" ledger timestamp --response "$dir/response"
says "not verified"
ok "verified later" 0 "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"
ok "by a stranger's root" 1 "$TUTELA" ledger timestamp --ca "$dir/stranger/ca.pem"
ok "roots that are none" 2 "$TUTELA" ledger timestamp --ca "$dir/request"
says "no certificate"
"$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem" --format json |
    /usr/bin/python3 -c 'import json,sys; d=json.load(sys.stdin); s=d["timestamps"]; assert d["schema"]=="tutela.timestamp/1"
assert len(s)==1 and s[0]["ok"] and s[0]["trusted"] and s[0]["at"] and s[0]["size"]==d["summary"]["size"], d' || failed=1

# ---- what must not be taken ----
grow
ok "another request" 0 "$TUTELA" ledger timestamp --request "$dir/request"
stamped=$(find $stamps -name '*.tsr')
rm "${stamped%.tsr}".*
ok "answer to a request that is gone" 2 "$TUTELA" ledger timestamp --response "$dir/response" --ca "$dir/ec/ca.pem"
says "answers none"
openssl ts -query -data "$dir/system/prompt.txt" -sha256 -cert -out "$dir/other" 2>/dev/null
reply ec "$dir/other" "$dir/strange"
ok "other bytes" 2 "$TUTELA" ledger timestamp --response "$dir/strange" --ca "$dir/ec/ca.pem"
says "answers none"
openssl ts -query -digest "$(printf '0%.0s' $(seq 40))" -sha1 -out "$dir/other" 2>/dev/null
reply ec "$dir/other" "$dir/strange" || true
ok "a refusal" 2 "$TUTELA" ledger timestamp --response "$dir/strange" --ca "$dir/ec/ca.pem"
says "refused"
ok "no time-stamp" 2 "$TUTELA" ledger timestamp --response "$dir/system/prompt.txt" --ca "$dir/ec/ca.pem"
ok "nothing" 2 "$TUTELA" ledger timestamp --response /dev/null --ca "$dir/ec/ca.pem"
ok "too many words" 2 "$TUTELA" ledger timestamp --url http://a --request b
[ -z "$(find $stamps -name '*.tsr')" ] || {
    echo "FAILED  something was taken that must not be"
    failed=1
}

# ---- kept, and changed afterwards ----
reply ec "$dir/request" "$dir/response"
ok "the right answer" 0 "$TUTELA" ledger timestamp --response "$dir/response" --ca "$dir/ec/ca.pem"
size=$(find $stamps -name '*.tsr' | sed 's/.*\///; s/\.tsr//')
for file in checkpoint tsq tsr; do
    cp "$stamps/$size.$file" "$dir/was"
    printf 'X' | dd of="$stamps/$size.$file" bs=1 seek=30 conv=notrunc status=none
    ok "$file changed" 1 "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"
    rm "$stamps/$size.$file"
    want=1
    [ $file = tsr ] && want=3
    ok "$file gone" $want "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"
    cp "$dir/was" "$stamps/$size.$file"
done
ok "as it was" 0 "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"

# ---- over HTTP ----
cat >"$dir/server.py" <<'PY'
import http.server, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/timestamp-query"
        if self.path == "/tsr":
            with open(sys.argv[1] + "/q", "wb") as f: f.write(body)
            subprocess.run(["openssl", "ts", "-reply", "-config", sys.argv[1] + "/ec/ca.cnf", "-section", "ts", "-queryfile",
                            sys.argv[1] + "/q", "-out", sys.argv[1] + "/r"], check=True, stderr=subprocess.DEVNULL)
            with open(sys.argv[1] + "/r", "rb") as f: answer = f.read()
            kind = "application/timestamp-reply"
        else:
            answer, kind = b"<html>no</html>", "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
/usr/bin/python3 "$dir/server.py" "$dir" >"$dir/port" &
server=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.05; done
url=http://127.0.0.1:$(cat "$dir/port")
grow
ok "no authority" 2 "$TUTELA" ledger timestamp --url "$url/else" --ca "$dir/ec/ca.pem"
says "no time-stamp authority"
ok "nobody there" 2 "$TUTELA" ledger timestamp --url http://127.0.0.1:1/ --ca "$dir/ec/ca.pem"
says "cannot be asked"
ok "by a stranger's root" 2 "$TUTELA" ledger timestamp --url "$url/tsr" --ca "$dir/stranger/ca.pem"
ok "over HTTP" 0 "$TUTELA" ledger timestamp --url "$url/tsr" --ca "$dir/ec/ca.pem"
says "ec authority"

# ---- told where people look ----
json() { # json EXPRESSION COMMAND...: of the document d
    local expression=$1
    shift
    "$@" --format json >"$dir/out" 2>"$dir/err" || true
    /usr/bin/python3 -c "import json,sys; d=json.load(sys.stdin); s=d['summary']
if not ($expression): sys.exit(json.dumps(s))" <"$dir/out" 2>>"$dir/err" || {
        echo "FAILED  $expression: $* says $(cat "$dir/err")"
        failed=1
    }
}
ok "verify with roots" 0 "$TUTELA" ledger verify --ca "$dir/ec/ca.pem"
says "a time-stamp shows all"
json "s['trust']=='timestamped' and s['proven_size']==s['size'] and s['proven_time']" \
    "$TUTELA" ledger verify --ca "$dir/ec/ca.pem"
ok "verify without roots" 0 "$TUTELA" ledger verify
says "(--ca)"
json "s['trust']=='own-key' and s['proven_time'] is None" "$TUTELA" ledger verify
ok "verify with a stranger's roots" 1 "$TUTELA" ledger verify --ca "$dir/stranger/ca.pem"
says "not to be trusted"
"$TUTELA" assess >/dev/null 2>&1 || true
json "s['log']['trust']=='own-key'" "$TUTELA" report
cp "$dir/ec/ca.pem" roots.pem
sed -i 's/^  # timestamp_ca: FILE/  timestamp_ca: roots.pem/' tutela.yaml
"$TUTELA" assess >"$dir/out" 2>&1 || true
says "Log      timestamped, "
json "s['log']['trust']=='timestamped' and s['log']['proven_size']<s['log']['size'] and s['grade']!='F'" "$TUTELA" report
json "s['log']['trust']=='own-key'" "$TUTELA" report --at 2026-01-01
ok "verify by tutela.yaml" 0 "$TUTELA" ledger verify
says "a time-stamp shows the first"
ok "kept by tutela.yaml" 0 "$TUTELA" ledger timestamp
cp "$dir/stranger/ca.pem" roots.pem
json "s['log']['trust']=='timestamped'" "$TUTELA" report # those who were recorded are believed
"$TUTELA" assess >"$dir/out" 2>&1 || true
says "nobody whom tutela.yaml believes"
json "s['log']['trust']=='own-key' and s['grade']!='F'" "$TUTELA" report
cp "$dir/ec/ca.pem" roots.pem
"$TUTELA" assess >"$dir/out" 2>&1 || true
size=$(find $stamps -name '*.tsr' | sed 's/.*\///; s/\.tsr//' | sort -n | tail -1)
cp "$stamps/$size.checkpoint" "$dir/was"
printf 'X' | dd of="$stamps/$size.checkpoint" bs=1 seek=3 conv=notrunc status=none
json "s['grade']=='F'" "$TUTELA" report
cp "$dir/was" "$stamps/$size.checkpoint"
json "s['grade']!='F'" "$TUTELA" report

# ---- a log that was rewritten no longer contains what was stamped ----
state=$dir/system/.tutela
cp -r "$XDG_DATA_HOME" "$dir/keys.kept"
rm -rf "$dir/copy"
cp -r "$dir/system" "$dir/copy"
origin=$(cat "$state/origin")
cp -r "$stamps" "$dir/stamps.kept"
rm -rf "$state/ledger" "$XDG_DATA_HOME/tutela/$origin"/anchor-*
for _ in 1 2 3 4 5 6 7 8 9; do echo '{"what":"forged"}' | "$TUTELA" ledger append >/dev/null 2>&1 || true; done
if [ -d "$state/ledger/evidence" ]; then
    cp -r "$dir/stamps.kept" $stamps
    ok "a rewritten log" 1 "$TUTELA" ledger timestamp --ca "$dir/ec/ca.pem"
    says "does not contain"
    ok "a rewritten log, whole" 1 "$TUTELA" ledger verify
    says "does not contain"
    json "s['grade']=='F' and any('does not contain' in c['reason'] for c in s['caps'])" "$TUTELA" report
else
    echo "FAILED  no forged log could be made"
    failed=1
fi
[ $failed = 0 ] && echo "time-stamps by openssl ts behave as they should"
exit $failed
