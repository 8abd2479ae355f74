#!/usr/bin/env bash
# uninstall.sh MANIFEST DESTDIR: removes the files that the last install of this checkout wrote, and
# the folders that are then empty and named after the program.
set -euo pipefail
manifest=$1
destdir=$2
if [ ! -f "$manifest" ]; then
    echo "Nothing was installed from this checkout: there is no $manifest" >&2
    exit 1
fi
while IFS= read -r file || [ -n "$file" ]; do
    [ -n "$file" ] || continue
    rm -fv -- "$destdir$file"
    case $(dirname "$file") in
    */tutela) rmdir --ignore-fail-on-non-empty -- "$(dirname "$destdir$file")" 2>/dev/null || true ;;
    esac
done <"$manifest"
