#!/usr/bin/env bash
# tidy.sh BUILD: clang-tidy over every file of src with the commands of BUILD (configured for
# clang); any warning fails. One file a run: clang-tidy 14 carries state from one file to the next
# and then reports va_lists that nobody began. base/status.c defines what tools/analysis.h describes.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
one() {
    local build=$1 file=$2 more=(--extra-arg=-include "--extra-arg=$PWD/tools/analysis.h") out
    case $file in src/base/status.c) more=() ;; esac
    if ! out=$(clang-tidy-14 -p "$build" --quiet "${more[@]}" "$file" 2>/dev/null); then
        printf '%s\n' "$out"
        return 1
    fi
}
export -f one
git ls-files 'src/*.c' | xargs -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' - "$build" {}
