#!/usr/bin/env bash
# demo.sh TUTELA: assesses a copy of the support assistant, so that the checkout stays as it is.
set -euo pipefail
tutela=$(realpath "$1")
here=$(realpath "$(dirname "$0")/..")
where=$here/build/demo
rm -rf "$where"
mkdir -p "$where"
cp -r "$here/examples/support-assistant" "$where/support-assistant"
cp -r "$here/examples/known-good" "$where/known-good" 2>/dev/null || true
cd "$where"
export XDG_DATA_HOME=$where/data # the demo's keys go with the demo
status=0
"$tutela" assess support-assistant || status=$?
case $status in
0) echo "The demo found nothing wrong, although faults are planted: that is a defect." >&2; exit 1 ;;
1) ;;
*) echo "The demo could not be assessed (exit $status)." >&2; exit 1 ;;
esac
echo
echo "The demo system carries planted faults; examples/support-assistant/README.md puts each right with one command."
echo "Report   $where/support-assistant/.tutela/reports/latest/report.html"
