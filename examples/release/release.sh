#!/bin/sh
# Opens the release gate of the support assistant, by documented commands alone: faults put right, people enrolled and trained,
# documents examined, assets signed and kept, the guard tested, the service attacked, threats reviewed, oversight run, gates signed.
# Needs tutela, nginx, curl, python3 and the service of examples/assistant.
# usage: release.sh SERVICE [DIR] (made; default: a new one below /tmp). About a minute.
#
# PORT and MODEL_PORT say where the guard and the service listen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
service=$1
dir=${2:-$(mktemp -d)}
port=${PORT:-8443}
model=${MODEL_PORT:-8081}
mkdir -p "$dir"
export XDG_DATA_HOME="$dir/home" XDG_CONFIG_HOME="$dir/home"
cp -r "$here/../support-assistant" "$here/../known-good" "$here/../release" "$dir"
cd "$dir/support-assistant"

show() {
    printf '\n$ %s\n' "$*"
    "$@" || { status=$?; printf '(exit status %s)\n' "$status"; }
}
quiet() { # looks that say what is still missing do not end with 0
    "$@" > "$dir/last.txt" 2>&1 || [ $? -ne 2 ] || { cat "$dir/last.txt" >&2; exit 2; }
}
title() {
    printf '\n## %s\n' "$*"
}

title "The four faults, and what is still TODO"
cp ../known-good/reranker.pt models/reranker.pt
cp ../release/SYSTEM_CARD.md .
cp -r ../release/docs .
quiet tutela init . --accept prompt/system
quiet tutela init . --accept document/system-card
quiet tutela init . --update
sed -i '/id: dataset.feedback/,$ { s/origin: TODO/origin: user/; s/licence: TODO/licence: proprietary/; s/sensitivity: TODO/sensitivity: internal/ }' tutela.yaml

title "What the guard needs: keys of its clients"
key=$(tutela guard key tester --quiet)
printf '%s\n' "$key" > probe/tester.key
chmod 600 probe/tester.key
until=$(date -d '+90 days' +%F)
hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
sed -i "s|127.0.0.1:8081|127.0.0.1:$model|; s|127.0.0.1:8443|127.0.0.1:$port|
s|^  mode: enforce|&\n  listen: 127.0.0.1:$port\n  approvals:\n    timeout: 7s\n    roles: [operator]|
s|^  clients:\$|&\n    - id: tester\n      routes: chat\n      keys:\n        - sha256: $hash\n          expires: $until\n      quota:\n        requests: 100000/hour\n        tokens: 100000000/hour\n        concurrent: 64|
s|^      model: assistant-q4|&\n      guard_key_file: probe/tester.key\n      concurrency: 32|" tutela.yaml
for client in website indexer; do
    hash=$(tutela guard key $client --quiet | tr -d '\n' | sha256sum | cut -d' ' -f1)
    sed -i "s|^    - id: $client\$|&\n      keys:\n        - sha256: $hash\n          expires: $until|" tutela.yaml
done

title "What people are in charge of: training, documents, threats, oversight, gates"
sed -i '/^probe:/r ../release/bounds.yaml' tutela.yaml
cat ../release/governance.yaml >> tutela.yaml

title "People"
show tutela people enrol Ada --root --generate --no-passphrase
for person in Dev:developer Opa:operator Cus:custodian App:approver Tess:trainer; do
    quiet tutela people enrol "${person%:*}" --role "${person#*:}" --generate --no-passphrase --by Ada
done
quiet tutela assess
show tutela gate sign release --by Dev

title "Training: each by his role; a trainer signs for who answered faster than reading takes"
learn() {
    tutela train page "$2" --by "$1" --html "$dir/page.html" --quiet
    /usr/bin/python3 ../release/exam.py "$here/../../training/$2.md" "$dir/page.html" > "$dir/answers.txt"
    quiet tutela train submit "$dir/answers.txt" --by "$1"
    tutela train confirm "$1" "$2" --by Tess
}
learn Dev role-developer
learn Opa role-operator
learn Cus role-custodian
learn App threat-indirect-prompt-injection
show tutela train status

title "Documents: examined for their sections, and signed"
for by in Dev Opa Cus; do tutela gate examine docs/record.md --by $by; done
tutela gate examine docs/design.md --by Dev
tutela gate examine docs/maintenance.md --by Dev

title "Assets: looked into, signed, published, kept"
for note in reranker:model/reranker assistant-q4:model/assistant-q4 requirements:code/requirements support-questions:dataset/support-questions; do
    sed -i 's/^accepted by: .*/accepted by: Dev/' "../known-good/due-diligence/${note%:*}.md"
    quiet tutela record 5.1.2-4 --asset "${note#*:}" --by Dev --evidence "../known-good/due-diligence/${note%:*}.md"
done
show tutela sign --by Dev --publish models/*.gguf models/*.pt models/*.safetensors models/*.onnx data/*.jsonl data/*.csv \
    prompts/*.md config/*.yaml app requirements.lock SYSTEM_CARD.md
quiet tutela assess
quiet tutela snapshot --all
quiet tutela drill run restore
quiet tutela vet data/*.jsonl data/*.csv
quiet tutela bom --output "$dir/bom.cdx.json"

title "The guard, its tests, and an action that a person approves"
"$service" --listen "127.0.0.1:$model" . > "$dir/service.log" &
service_pid=$!
trap 'tutela guard down --quiet || true; kill $service_pid 2> /dev/null || true' EXIT
show tutela guard up --by Opa
printf '%s' '{"model": "assistant-q4", "max_tokens": 200, "messages": [{"role": "user", "content": "I want to return order 100234."}],
  "tools": [{"type": "function", "function": {"name": "start_return", "parameters": {"type": "object"}}}]}' > "$dir/return.json"
curl -sS -m 60 -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d @"$dir/return.json" \
    "http://127.0.0.1:$port/v1/chat/completions" > "$dir/return.answer" &
asking=$!
for _ in $(seq 100); do
    id=$(tutela approvals list --format json | /usr/bin/python3 -c 'import json, sys; print(next((i["id"] for i in json.load(sys.stdin)["items"]), ""))') || true
    [ -z "$id" ] || break
    sleep 0.1
done
show tutela approvals show "$id"
sleep 3 # reading takes time: two seconds, and one for each 50 bytes
show tutela approvals approve "$id" --by Opa
wait $asking
show tutela oversight run --by Opa

title "The service, attacked with planted instructions"
show tutela probe injection --target assistant

title "Threats: what is left is accepted, and the model is reviewed"
quiet tutela assess
for risk in $(tutela threats --format json | /usr/bin/python3 -c 'import json, sys; print(*[r["id"] for r in json.load(sys.stdin)["risks"] if r["state"] == "open"])'); do
    tutela threats accept "$risk" --by Opa --reason "bounded by few tools; looked at again each quarter" --expires "$(date -d '+90 days' +%F)"
done
quiet tutela threats review --by Dev
quiet tutela assess

title "The gates"
show tutela gate sign design --by Dev
show tutela gate sign data --by Cus
show tutela gate sign release --by Dev
show tutela gate sign release --by App
printf '\n$ tutela gate check release\n'
tutela gate check release
