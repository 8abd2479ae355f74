#!/usr/bin/env bash
# What make install writes: a program of somebody else compiles against it through pkg-config and
# runs; uninstalling leaves no file.
set -euo pipefail
if grep -q -- '-fsanitize' "$TUTELA_BUILD/CMakeCache.txt"; then
    echo "skipped: a library with sanitizers does not load into a program without"
    exit 77
fi
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
root=$where/root
DESTDIR=$root cmake --install "$TUTELA_BUILD" --prefix /opt/tutela >/dev/null
"$root/opt/tutela/bin/tutela" --version
pc=$(dirname "$(find "$root" -name tutela.pc)")
export PKG_CONFIG_PATH=$pc
cat >"$where/user.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <tutela/assess.h>
#include <tutela/scan.h>
#include <tutela/version.h>

int main(int argc, char **argv)
{
    (void)argc;
    const char *path = argv[1];
    char *json = NULL;
    tutela_error error;
    int code = tutela_scan_paths(&path, 1, NULL, &json, &error);
    if (code != TUTELA_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int is_seen = strstr(json, "pickle") && strstr(json, "posix.system");
    tutela_free(json);
    puts(tutela_version());
    return !is_seen || strcmp(tutela_version(), WANTED) != 0;
}
C
read -ra flags <<<"$(pkg-config --cflags --libs tutela)"
gcc -Wall -Wextra -Werror "-DWANTED=\"$(pkg-config --modversion tutela)\"" "$where/user.c" -o "$where/user" "${flags[@]}"
printf 'cposix\nsystem\n(S"true"\ntR.' >"$where/call.pkl"
LD_LIBRARY_PATH=$(pkg-config --variable=libdir tutela) "$where/user" "$where/call.pkl"
exported=$(nm -D --defined-only "$(pkg-config --variable=libdir tutela)/libtutela.so" | awk '$2 != "A" {print $3}')
if grep -v '^tutela_' <<<"$exported"; then
    echo "the library exports what is not public"
    exit 1
fi
"$TUTELA_SOURCE/tools/uninstall.sh" "$TUTELA_BUILD/install_manifest.txt" "$root" >/dev/null
left=$(find "$root" ! -type d)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
