#!/bin/sh
# Draws what `tutela probe` measures of the examples, straight and behind their guards: a picture for each of the threats
# that only measurement answers. Needs tutela, nginx and the services of examples/scoring and examples/assistant.
# usage: curves.sh SCORING ASSISTANT [DIR] (made; default: a new one below /tmp); the pictures lie in DIR
#
# PORT and MODEL_PORT say where the guard of credit-scoring and its service listen; the assistant's take the ports above.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scoring=$1
assistant=$2
dir=${3:-$(mktemp -d)}
port=${PORT:-8444}
model=${MODEL_PORT:-8090}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
export XDG_DATA_HOME="$dir/home" XDG_CONFIG_HOME="$dir/home"
cp -r "$here/../credit-scoring" "$here/../support-assistant" "$dir"
until=$(date -d '+90 days' +%F)

# A key of a client goes into its policy. SYSTEM/tester.key is the tester's: a client of its own, since by the quota of the
# others an attack would take hours, and measure the quota. All else that the guard does, it does to the tester too.
give_key() { # CLIENT
    key=$(tutela guard key "$1" --quiet)
    [ "$1" != tester ] || { (umask 077 && printf '%s\n' "$key" > tester.key); }
    hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
    sed -i "s|^    - id: $1\$|&\n      keys:\n        - sha256: $hash\n          expires: $until|" tutela.yaml
}
add_tester() { # ROUTE CONCURRENCY
    sed -i "s|^  clients:\$|&\n    - id: tester\n      routes: $1\n      quota:\n        requests: 1000000/hour\n        tokens: 100000000/hour\n        concurrent: 64|
s|^      guard: http.*|&\n      guard_key_file: tester.key\n      concurrency: $2|" tutela.yaml
    give_key tester
}

pids=
end() {
    for system in credit-scoring support-assistant; do
        (cd "$dir/$system" && tutela guard down --quiet) || true
    done
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
}
trap end EXIT

cd "$dir/credit-scoring"
sed -i "s|127.0.0.1:8090|127.0.0.1:$model|; s|127.0.0.1:8444|127.0.0.1:$port|" tutela.yaml
add_tester score 8
give_key desk
"$scoring" --listen "127.0.0.1:$model" models/classifier.onnx > ../scoring.log &
pids=$!
tutela guard up --quiet

cd "$dir/support-assistant"
sed -i "s|127.0.0.1:8081|127.0.0.1:$((model + 1))|; s|127.0.0.1:8443|127.0.0.1:$((port + 1))|
s|^  mode: enforce|&\n  listen: 127.0.0.1:$((port + 1))\n  approvals:\n    timeout: 5s|" tutela.yaml # nobody sits there and approves
add_tester chat 32
give_key website
give_key indexer
"$assistant" --listen "127.0.0.1:$((model + 1))" . > ../assistant.log &
pids="$pids $!"
tutela guard up --quiet

draw() { # SYSTEM PICTURE PROBE OPTION...
    cd "$dir/$1"
    picture=$2
    shift 2
    printf '\n$ tutela probe %s\n' "$*"
    tutela probe "$@" --svg "$dir/$picture.svg" || printf '(exit status %s)\n' "$?"
}
draw credit-scoring membership membership --target service --attack loss
draw credit-scoring extraction extraction --target service --attack random
draw credit-scoring evasion evasion --target service --attack tabular
draw support-assistant injection injection --target assistant --attack planted-instructions
