#!/usr/bin/env bash
# The source archive and the program are the same bytes wherever and however often they are made:
# tools/dist.sh makes both twice, in folders of different names and depths, and refuses otherwise.
set -euo pipefail
if ! git -C "$TUTELA_SOURCE" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    echo "skipped: this is no git checkout, so there is no commit to make an archive of"
    exit 77
fi
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$where/release.pem" 2>/dev/null
openssl pkey -in "$where/release.pem" -pubout -out "$where/release.pub.pem"
chmod 600 "$where/release.pem"
RELEASE_KEY="$where/release.pem" "$TUTELA_SOURCE/tools/dist.sh" "$where"
cd "$where"
sha256sum --check --quiet SHA256SUMS
./tutela verify SHA256SUMS --key release.pub.pem
sed -i 's/^./0/;s/^0\(.*\)/0\1/' SHA256SUMS
if ./tutela verify SHA256SUMS --key release.pub.pem; then
    echo "digests that were altered verify all the same"
    exit 1
fi
./tutela --version
archive=$(ls tutela-*.tar.gz)
tar -tzf "$archive" >members
grep -q '/LICENSE$' members
grep -q '/Makefile$' members
if grep -Ev "^${archive%.tar.gz}/" members; then
    echo "a member lies outside the one folder"
    exit 1
fi
# Where tools/dist.sh builds (mktemp -d), and where the sources are.
if strings -a tutela | grep -E "/tmp\.[A-Za-z0-9]{10}/" || strings -a tutela | grep -F "$TUTELA_SOURCE/"; then
    echo "the program names a folder of the machine that built it"
    exit 1
fi
