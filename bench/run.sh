#!/usr/bin/env bash
# bench/run.sh TUTELA: figures of this machine, each beside a peer or a floor measured in the same run.
set -euo pipefail
failed=0
/usr/bin/python3 "$(dirname "$0")/run.py" "$@" || failed=1
echo
/usr/bin/python3 "$(dirname "$0")/sign.py" "$@" || failed=1
echo
/usr/bin/python3 "$(dirname "$0")/store.py" "$@" || failed=1
exit $failed
