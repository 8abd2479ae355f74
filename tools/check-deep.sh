#!/usr/bin/env bash
# Clang build, sanitizers, valgrind, clang-tidy, cppcheck, gcc -fanalyzer. Stops at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
step() { printf '\n== %s\n' "$*"; }

step "clang 14, -Werror"
cmake --preset clang >/dev/null
ninja -C build/clang
ctest --test-dir build/clang --output-on-failure -j "$jobs" -L unit

step "ASan and UBSan: unit, fuzz seeds, integration"
cmake --preset asan >/dev/null
ninja -C build/asan
ASAN_OPTIONS=detect_leaks=1 ctest --test-dir build/asan --output-on-failure -j "$jobs" -LE "slow|frameworks|bench"

step "valgrind: unit tests"
cmake --preset dev >/dev/null
ninja -C build/dev
tools/valgrind.sh build/dev

step "cppcheck"
cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 --std=c11 -j "$jobs" \
    --suppressions-list=tools/cppcheck-suppressions.txt -I src -I include src

step "clang-tidy"
cmake --preset clang -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
git ls-files 'src/*.c' | xargs -P "$jobs" -n 4 clang-tidy-14 -p build/clang --quiet --warnings-as-errors='*' 2>/dev/null

step "gcc -fanalyzer on base and formats"
tools/analyzer.sh

step "clang-format"
git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run --Werror
echo
echo "check-deep: all green"
