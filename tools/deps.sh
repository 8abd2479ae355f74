#!/usr/bin/env bash
# deps.sh FILE GROUP...: installs the packages of these groups that are not there yet.
# Prints what it installs; asks apt only when something is missing.
set -euo pipefail
file=$1
shift
missing=()
while read -r group package command; do
    case "$group" in '' | \#*) continue ;; esac
    case " $* " in *" $group "*) ;; *) continue ;; esac
    if [ -n "$command" ]; then
        command -v "$command" >/dev/null 2>&1 && continue
    elif dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        continue
    fi
    missing+=("$package")
done <"$file"
if [ ${#missing[@]} -eq 0 ]; then
    echo "Packages of $file ($*): all there."
    exit 0
fi
echo "Installing Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Not root and no sudo: run as root  apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "Installed ${#missing[@]} packages."
