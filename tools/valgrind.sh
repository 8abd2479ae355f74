#!/usr/bin/env bash
# valgrind.sh BUILD: every unit test under memcheck; leaks and errors fail. What memcheck's own
# system calls would meet in the cage is left out by the cage itself, and skipped by those tests.
set -euo pipefail
build=$1
one() {
    local test=$1 build=$2 name log
    name=${test##*/test_}
    log=$build/valgrind-$name.log
    if ! timeout 600 valgrind --quiet --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite --suppressions=tools/valgrind.supp "$test" >"$log" 2>&1; then
        echo "valgrind: $name failed; see $log"
        grep -a -A 12 '^==\|FAILED' "$log" | head -n 40
        return 1
    fi
}
export -f one
tests=()
for test in "$build"/tests/test_*; do
    [ -x "$test" ] && [ -f "$test" ] && tests+=("$test")
done
echo "${#tests[@]} unit tests under memcheck"
printf '%s\0' "${tests[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' - {} "$build"
