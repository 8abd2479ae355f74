#!/usr/bin/env bash
# Clang build, sanitizers, valgrind, clang-tidy, cppcheck, gcc -fanalyzer, clang-format. Runs every
# step, says at the end which failed and how long each took.
set -uo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
failed=()
times=()
step() { # step TEXT COMMAND...
    local text=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$text"
    "$@" || failed+=("$text")
    times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$text")")
}

build() { # build PRESET
    cmake --preset "$1" >/dev/null && ninja --quiet -C "build/$1"
}
with_clang() {
    build clang && ctest --test-dir build/clang --output-on-failure -j "$jobs" -L unit
}
with_sanitizers() {
    build asan && ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
        ctest --test-dir build/asan --output-on-failure -j "$jobs" -LE "slow|frameworks|bench"
}
with_valgrind() { # its own build: one made before valgrind's header was there does not know of it
    build memcheck && tools/valgrind.sh build/memcheck
}
with_cppcheck() {
    cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
        --std=c11 -j "$jobs" --suppressions-list=tools/cppcheck-suppressions.txt -I src -I include src
}
with_tidy() {
    cmake --preset clang >/dev/null && tools/tidy.sh build/clang
}
formatted() {
    git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run --Werror
}

step "clang 14, -Werror, unit tests" with_clang
step "ASan and UBSan: unit, fuzz seeds, integration" with_sanitizers
step "valgrind: unit tests" with_valgrind
step "cppcheck" with_cppcheck
step "clang-tidy" with_tidy
step "gcc -fanalyzer on base and formats" tools/analyzer.sh
step "clang-format" formatted

printf '\n'
printf '%s\n' "${times[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'check-deep FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "check-deep: all green in $((SECONDS / 60)) min"
