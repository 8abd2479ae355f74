#!/usr/bin/env bash
# gcc's static analyser over the floors that touch untrusted bytes; any warning fails.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files 'src/base/*.c' 'src/formats/*.c' | xargs -P "$(nproc)" -n 1 \
    gcc -std=gnu17 -O1 -D_GNU_SOURCE '-DTUTELA_VERSION="0"' -Isrc -Iinclude -fanalyzer -Werror -c -o /dev/null
