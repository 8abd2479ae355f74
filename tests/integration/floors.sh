#!/usr/bin/env bash
# A floor includes only itself and floors below it; formats never knows scan.
set -euo pipefail
cd "$TUTELA_SOURCE/src"
declare -A height=([base]=1 [stats]=2 [text]=3 [crypto]=4 [detect]=5 [formats]=6 [nets]=7 [ledger]=8 [state]=9 [assets]=10 [scan]=11 [data]=12 [watch]=13 [guard]=14 [probe]=15 [store]=16 [bom]=17 [assess]=18 [pack]=19 [govern]=20 [cmd]=21 [api]=21)
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
