#!/usr/bin/env bash
# dist.sh OUT: source archive and program, each made twice in different places; refuses unless the
# bytes agree. With RELEASE_KEY=FILE (an EC key in PEM, or a pkcs11: URI) the digests are signed:
#   tutela verify SHA256SUMS --key RELEASE.pub.pem && sha256sum -c SHA256SUMS
set -euo pipefail
out=$1
mkdir -p "$out"
out=$(realpath "$out")
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(tutela VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=tutela-$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
commit=$(git rev-parse HEAD)
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "dist: of the last commit; what is not committed is left out" >&2
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH LC_ALL=C
make_one() {
    mkdir -p "$1"
    git archive --format=tar --prefix="$name/" "$commit" | gzip -9n >"$1/$name.tar.gz"
    tar -xzf "$1/$name.tar.gz" -C "$1"
    (cd "$1/$name" && cmake --preset release >/dev/null && ninja --quiet -C build/release >&2)
    install -m 755 "$1/$name/build/release/src/cmd/tutela" "$1/tutela"
    strip --strip-all "$1/tutela"
}
make_one "$scratch/one"
make_one "$scratch/elsewhere/two"
for file in "$name.tar.gz" tutela; do
    if ! cmp "$scratch/one/$file" "$scratch/elsewhere/two/$file"; then
        echo "dist: $file differs between two builds" >&2
        exit 1
    fi
    install -m 755 "$scratch/one/$file" "$out/$file"
done
chmod 644 "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" tutela >SHA256SUMS && cat SHA256SUMS)
if [ -n "${RELEASE_KEY:-}" ]; then
    (cd "$out" && ./tutela sign SHA256SUMS --key "$RELEASE_KEY" --no-cache --quiet)
fi
