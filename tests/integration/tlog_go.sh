#!/usr/bin/env bash
# An independent reader (golang.org/x/mod/sumdb/{note,tlog}) reads our logs from their files: signature,
# entries, roots of all sizes, proofs of its own and of ours; and it refuses them altered.
set -euo pipefail
skip() {
    echo "not tested: $1"
    exit 77
}
command -v go >/dev/null || skip "go is not installed"
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || skip "golang-golang-x-mod-dev is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE=$work/cache HOME=$work
cp "$TUTELA_SOURCE/tests/tools/log_read.go" "$work/"
(cd "$work" && go build -o log_read log_read.go)
failed=0
check() { # check TEXT COMMAND...
    local text=$1
    shift
    if "$@"; then
        echo "ok      $text"
    else
        echo "FAILED  $text"
        failed=1
    fi
}
cd "$work"
for size in 1 2 255 256 257 1000 70000; do
    "$TUTELA_LOGMAKE" "log-$size" "$size" >"claims-$size"
    check "a log of $size" ./log_read "log-$size" <"claims-$size"
done
refused() { # refused FILE BYTE
    rm -rf altered
    cp -a log-1000 altered
    printf 'X' | dd of="altered/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
    ! ./log_read altered <claims-1000 >/dev/null 2>&1
}
check "an altered tile is refused" refused tile/0/001 77
check "an altered entry is refused" refused tile/entries/001 77
check "an altered checkpoint is refused" refused checkpoint 30
exit $failed
