#!/usr/bin/env bash
# sbom.sh BINARY: CycloneDX 1.6 of what the program is linked with, from the dynamic section and the
# package database of this machine. Libraries are hashed as they lie on disk.
set -euo pipefail
binary=$1
version=$("$binary" --version | cut -d' ' -f2)
json_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
printf '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"application","bom-ref":"tutela","name":"tutela","version":%s,"hashes":[{"alg":"SHA-256","content":"%s"}],"licenses":[{"license":{"id":"Apache-2.0"}}]}},"components":[' \
    "$(json_string "$version")" "$(sha256sum "$binary" | cut -d' ' -f1)"
first=1
while read -r library path; do
    real=$(realpath "$path")
    owner=$(dpkg-query -S "$real" 2>/dev/null | head -n 1 | cut -d: -f1 || true)
    [ -n "$owner" ] || owner=$(dpkg-query -S "${real/#\/usr/}" 2>/dev/null | head -n 1 | cut -d: -f1 || true)
    release=$(dpkg-query -W -f '${Version}' "$owner" 2>/dev/null | head -n 1 || true)
    [ $first = 1 ] || printf ','
    first=0
    printf '{"type":"library","bom-ref":%s,"name":%s,"version":%s,"purl":%s,"hashes":[{"alg":"SHA-256","content":"%s"}]}' \
        "$(json_string "$library")" "$(json_string "${owner:-$library}")" "$(json_string "$release")" \
        "$(json_string "pkg:deb/debian/${owner:-$library}@${release//+/%2B}")" "$(sha256sum "$real" | cut -d' ' -f1)"
done < <(ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort)
printf ']}\n'
