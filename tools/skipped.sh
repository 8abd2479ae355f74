#!/usr/bin/env bash
# Says which framework tests will skip because a package is absent.
set -euo pipefail
cd "$(dirname "$0")/.."
absent=()
while read -r group package command; do
    [ "$group" = frameworks ] || continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || absent+=("$package")
done <packages-frameworks.txt
if [ ${#absent[@]} -gt 0 ]; then
    echo "Tests that need these are skipped (make check FRAMEWORKS=1 installs them): ${absent[*]}"
fi
[ -d ../shared ] || echo "Tests that need ../shared are skipped: it is not beside this checkout."
