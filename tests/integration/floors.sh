#!/usr/bin/env bash
# A floor includes only itself and floors below it; formats never knows scan.
set -euo pipefail
cd "$TUTELA_SOURCE/src"
declare -A height=([base]=1 [stats]=2 [crypto]=3 [formats]=4 [ledger]=5 [state]=6 [assets]=7 [scan]=8 [store]=9 [bom]=10 [assess]=11 [pack]=12 [cmd]=13 [api]=13)
failed=0
count=0
while IFS=: read -r file line; do
    floor=${file%%/*}
    [[ $line =~ \"([a-z]*)/ ]]
    used=${BASH_REMATCH[1]}
    [ "$used" = tutela ] && [ "$floor" = api ] && continue
    count=$((count + 1))
    if [ -z "${height[$floor]:-}" ] || [ -z "${height[$used]:-}" ]; then
        echo "FAILED  $file: a floor without a height here: $line"
        failed=1
    elif [ "${height[$used]}" -gt "${height[$floor]}" ] ||
        { [ "${height[$used]}" -eq "${height[$floor]}" ] && [ "$used" != "$floor" ]; }; then
        echo "FAILED  $file looks up: $line"
        failed=1
    fi
done < <(grep -H '^#include "[a-z]*/' -- */*.c */*.h */*.cpp)
echo "$count includes looked at"
[ "$count" -gt 100 ] || failed=1
exit $failed
