#!/usr/bin/env bash
# The report in a real browser. TUTELA_PICTURE=FILE.png keeps what it looked like.
set -euo pipefail
browser=$(command -v chromium || true)
if [ -z "$browser" ]; then
    echo "skipped: chromium is not installed (make check FRAMEWORKS=1 installs it)"
    exit 77
fi
if [ ! -d "$TUTELA_SOURCE/tests/node/node_modules/playwright-core" ]; then
    echo "skipped: the npm packages of tests/node are not installed (make check installs them)"
    exit 77
fi
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
cp -r "$TUTELA_SOURCE/examples/support-assistant" "$where/s"
rm -rf "$where/s/.tutela"
# With a threat model, and a claim in it that counts for nothing.
grep -q '^threats:' "$where/s/tutela.yaml" ||
    printf 'threats:\n  claims:\n    - {control: due-diligence, on: model/reranker, note: n}\n' >>"$where/s/tutela.yaml"
status=0
"$TUTELA" assess "$where/s" --quiet >/dev/null || status=$?
[ "$status" -eq 1 ] || { echo "assess ended with $status"; exit 1; }
report=$(realpath "$where/s/.tutela/reports/latest")/report.html
size=$(stat -c %s "$report")
[ "$size" -lt 560000 ] || { echo "report.html has $size bytes"; exit 1; }
node "$TUTELA_SOURCE/tests/node/report.mjs" "$browser" "$report" ${TUTELA_PICTURE:+"$TUTELA_PICTURE"}
"$TUTELA" threats "$where/s" --quiet --html "$where/threats.html" >/dev/null || [ $? -eq 1 ]
node "$TUTELA_SOURCE/tests/node/page.mjs" "$browser" "$where/threats.html" ${TUTELA_PICTURE:+"${TUTELA_PICTURE%.png}-threats.png"}
