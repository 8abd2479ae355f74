#!/usr/bin/env bash
# bench/scan.sh TUTELA: what the scanner finds in the corpora of tests/corpus, and how long it takes.
set -euo pipefail
failed=0
/usr/bin/python3 "$(dirname "$0")/scan/detect.py" "$@" || failed=1
echo
/usr/bin/python3 "$(dirname "$0")/scan/speed.py" "$@" || failed=1
exit $failed
