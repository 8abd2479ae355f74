#!/usr/bin/env bash
# fuzz.sh SECONDS: every libFuzzer target for so long under ASan and UBSan; a crash is left as a file.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset fuzz >/dev/null
ninja -C build/fuzz
failed=0
for target in build/fuzz/tests/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=${target##*/fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    echo "fuzz $name, $1 s"
    "$target" -max_total_time="$1" -timeout=20 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="build/fuzz/crash-$name-" "build/fuzz/corpus/$name" "tests/fuzz/seeds/$name" || failed=1
done
exit $failed
