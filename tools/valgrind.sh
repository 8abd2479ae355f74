#!/usr/bin/env bash
# valgrind.sh BUILD: every unit test under memcheck; leaks and errors fail.
set -euo pipefail
failed=0
for test in "$1"/tests/test_*; do
    [ -x "$test" ] && [ -f "$test" ] || continue
    name=${test##*/test_}
    case $name in
    cage) continue ;; # its workers are confined: memcheck's own system calls end them
    esac
    if ! timeout 600 valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        "$test" >"$1/valgrind-$name.log" 2>&1; then
        echo "valgrind: $name failed; see $1/valgrind-$name.log"
        tail -n 20 "$1/valgrind-$name.log"
        failed=1
    fi
done
exit $failed
