#!/usr/bin/env bash
# Signed notes against golang.org/x/mod/sumdb/note: Go verifies what we sign, we verify what Go signs.
set -euo pipefail
skip() {
    echo "not tested: $1"
    exit 77
}
command -v go >/dev/null || skip "go is not installed"
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/note ] || skip "golang-golang-x-mod-dev is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE=$work/cache HOME=$work
cat >"$work/peer.go" <<'GO'
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// peer verify VKEY < note        peer sign NAME < text   (prints the vkey, then the note)
func main() {
	in, err := io.ReadAll(os.Stdin)
	must(err)
	if os.Args[1] == "verify" {
		v, err := note.NewVerifier(os.Args[2])
		must(err)
		n, err := note.Open(in, note.VerifierList(v))
		must(err)
		fmt.Print(n.Text)
		return
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, os.Args[2])
	must(err)
	s, err := note.NewSigner(skey)
	must(err)
	signed, err := note.Sign(&note.Note{Text: string(in)}, s)
	must(err)
	fmt.Println(vkey)
	os.Stdout.Write(signed)
}
GO
(cd "$work" && go build -o peer peer.go)
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
"$TUTELA_KEYTOOL" generate ed25519 key.pem
printf 'log.example/evidence\n70000\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n' >checkpoint
printf 'a\n\nb \xc3\xa9\n' >prose
for text in checkpoint prose; do
    "$TUTELA_KEYTOOL" note-sign key.pem log.example/evidence 1 $text >signed
    head -1 signed >vkey
    tail -n +2 signed >note
    ./peer verify "$(cat vkey)" <note >seen || true
    check "Go verifies our note ($text)" cmp -s $text seen
    sed '1s/./X/' note >altered
    check "Go refuses it altered ($text)" bash -c '! ./peer verify "$(cat vkey)" <altered 2>/dev/null'
    ./peer sign go.example/signer <$text >signed
    head -1 signed >govkey
    tail -n +2 signed >gonote
    "$TUTELA_KEYTOOL" note-verify gonote "$(cat govkey)" >seen || true
    check "we verify Go's note ($text)" cmp -s $text seen
    sed '1s/./X/' gonote >altered
    check "we refuse it altered ($text)" bash -c '! "$TUTELA_KEYTOOL" note-verify altered "$(cat govkey)" 2>/dev/null'
done
exit $failed
