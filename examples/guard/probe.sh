#!/bin/sh
# Attacks the example's assistant, straight and behind the guard: `tutela probe injection` and `leakage`.
# Needs tutela, nginx and the service of examples/assistant. usage: probe.sh SERVICE [DIR] (made; default: a new one below /tmp)
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
cp -r "$here/../support-assistant" "$dir/assistant"
cd "$dir/assistant"

"$service" --listen "127.0.0.1:$model" . > ../service.log &
service_pid=$!
trap 'tutela guard down --quiet || true; kill $service_pid 2> /dev/null || true' EXIT

# The tester is a client of its own: with the website's quota an attack would take hours, and measure the quota. What is
# held is refused after five seconds, since nobody sits there and approves.
key=$(tutela guard key tester --quiet)
printf '%s\n' "$key" > probe/tester.key
chmod 600 probe/tester.key
hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
sed -i "s|127.0.0.1:8081|127.0.0.1:$model|; s|127.0.0.1:8443|127.0.0.1:$port|
s|^  mode: enforce|&\n  listen: 127.0.0.1:$port\n  approvals:\n    timeout: 5s|
s|^  clients:\$|&\n    - id: tester\n      routes: chat\n      keys:\n        - sha256: $hash\n          expires: $(date -d '+90 days' +%F)\n      quota:\n        requests: 100000/hour\n        tokens: 100000000/hour\n        concurrent: 64|
s|^      model: assistant-q4|&\n      guard_key_file: probe/tester.key\n      concurrency: 32|" tutela.yaml
for client in website indexer; do
    hash=$(tutela guard key $client --quiet | tr -d '\n' | sha256sum | cut -d' ' -f1)
    sed -i "s|^    - id: $client\$|&\n      keys:\n        - sha256: $hash\n          expires: $(date -d '+90 days' +%F)|" tutela.yaml
done
tutela guard up
for probe in evaluation injection leakage odd-input load; do
    printf '\n$ tutela probe %s --target assistant\n' "$probe"
    tutela probe "$probe" --target assistant --html "../$probe.html" || printf '(exit status %s)\n' "$?"
done
