#!/usr/bin/env bash
# The built program carries the hardening that the flags asked for: read from the ELF itself.
set -euo pipefail
elf=$TUTELA
failed=0
claim() { # claim TEXT COMMAND...
    local text=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok      $text"
    else
        echo "FAILED  $text"
        failed=1
    fi
}
headers=$(readelf -W -h -l -d "$elf")
symbols=$(readelf -W --dyn-syms "$elf")
has() { grep -Eq "$1" <<<"$headers"; }
lacks() { ! grep -Eq "$1" <<<"$headers"; }
claim "position independent executable" has 'Type: +DYN'
claim "full RELRO: segment" has 'GNU_RELRO'
claim "full RELRO: bound at start" has 'BIND_NOW|FLAGS.* NOW'
claim "stack not executable" has 'GNU_STACK +0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ RW '
claim "no text relocations" lacks 'TEXTREL'
claim "no run path" lacks 'RUNPATH|RPATH'
claim "stack protector" grep -q '__stack_chk_fail' <<<"$symbols"
if ! grep -q -- '-fsanitize' "$TUTELA_BUILD/CMakeCache.txt"; then
    claim "fortified functions" grep -Eq '__(memcpy|snprintf|vsnprintf|read|pread64?)_chk' <<<"$symbols"
fi
exit $failed
