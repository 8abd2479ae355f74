#!/usr/bin/env bash
# gcc's static analyser over the floors that touch untrusted bytes; any warning fails.
# base/status.c defines what tools/analysis.h describes, so it is read without it.
# use-of-uninitialized-value: gcc 12 forgets values that pass through memcpy or come back as structs;
# clang's analyser and memcheck look for the same.
set -euo pipefail
cd "$(dirname "$0")/.."
flags=(-std=gnu17 -O1 -D_GNU_SOURCE '-DTUTELA_VERSION="0"' -Isrc -Iinclude -fanalyzer
    -Wno-analyzer-use-of-uninitialized-value -Werror -c -o /dev/null)
gcc "${flags[@]}" src/base/status.c
git ls-files 'src/base/*.c' 'src/formats/*.c' | grep -v '^src/base/status\.c$' |
    xargs -P "$(nproc)" -n 1 gcc "${flags[@]}" -include tools/analysis.h
