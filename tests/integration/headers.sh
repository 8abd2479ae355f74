#!/usr/bin/env bash
# Each public header compiles alone, as C17 and as C++17, without extensions; each header of the
# tree compiles alone as the C that the program is written in.
set -euo pipefail
cd "$TUTELA_SOURCE"
warnings=(-Wall -Wextra -Werror -fsyntax-only)
failed=0
count=0
alone() { # alone HEADER-AS-INCLUDED COMPILER FLAG...
    local header=$1
    shift
    count=$((count + 1))
    if ! echo "#include \"$header\"" | "$@" "${warnings[@]}" -; then
        echo "FAILED  $header does not compile alone: $*"
        failed=1
    fi
}
for header in include/tutela/*.h; do
    alone "${header#include/}" "${CC:-gcc}" -x c -std=c17 -Wpedantic -Iinclude
    alone "${header#include/}" "${CXX:-g++}" -x c++ -std=c++17 -Wpedantic -Iinclude
done
for header in src/*/*.h; do
    alone "${header#src/}" "${CC:-gcc}" -x c -std=gnu17 -D_GNU_SOURCE '-DTUTELA_VERSION="0"' -Isrc -Iinclude \
        $(pkg-config --cflags p11-kit-1)
done
echo "$count times a header alone"
[ "$count" -gt 50 ] || failed=1
exit $failed
