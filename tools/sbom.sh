#!/usr/bin/env bash
# sbom.sh BINARY: CycloneDX 1.6 of what the program is linked with, from the dynamic linker and the
# package database of this machine. Libraries are hashed as they lie on disk.
set -euo pipefail
export LC_ALL=C
binary=$1
version=$("$binary" --version | cut -d' ' -f2)
string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
digest() { printf '[{"alg":"SHA-256","content":"%s"}]' "$(sha256sum "$1" | cut -d' ' -f1)"; }

# The package that a file came from; some are registered under /lib, where /usr/lib is the real place.
package_of() {
    local owner
    owner=$(dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "${1#/usr}" 2>/dev/null || true)
    printf '%s' "${owner%%:*}"
}

component() { # component LIBRARY PATH
    local real package release
    real=$(realpath "$2")
    package=$(package_of "$real")
    release=$(dpkg-query -W -f '${Version}\n' "$package" 2>/dev/null | head -n 1 || true)
    printf '{"type":"library","bom-ref":%s,"name":%s,' "$(string "$1")" "$(string "${package:-$1}")"
    if [ -n "$release" ]; then
        printf '"version":%s,"purl":%s,' "$(string "$release")" \
            "$(string "pkg:deb/debian/$package@$(sed 's/+/%2B/g; s/:/%3A/g' <<<"$release")")"
    fi
    printf '"hashes":%s}' "$(digest "$real")"
}

list() { # lines, joined by commas
    paste -sd, -
}

# The loader itself stands there by its path alone.
libraries=$(ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}
    $1 ~ /^\// {n = split($1, part, "/"); print part[n], $1}' | sort)
direct=$(readelf -W -d "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
printf '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":'
printf '{"type":"application","bom-ref":"tutela","name":"tutela","version":%s,"hashes":%s,' \
    "$(string "$version")" "$(digest "$binary")"
printf '"licenses":[{"license":{"id":"Apache-2.0"}}]}},"components":['
while read -r library path; do
    component "$library" "$path"
    echo
done <<<"$libraries" | list | tr -d '\n'
printf '],"dependencies":[{"ref":"tutela","dependsOn":['
while read -r library; do
    grep -q "^$library " <<<"$libraries" || continue
    string "$library"
    echo
done <<<"$direct" | list | tr -d '\n'
printf ']}]}\n'
