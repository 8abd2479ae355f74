/*
 * Lock files in TOML, as the tools write them: one table a package.
 *
 *   package = "[[package]]" ("[[packages]]" in pylock.toml), then KEY = VALUE lines, and tables of
 *             its own: [package.source], [[packages.wheels]]
 *   name = "…"  version = "…"  checksum = "HEX" (Cargo)
 *   hash = "sha256:HEX"                     in {…} of "files", "sdist", "wheels"
 *   hashes = {sha256 = "HEX"}               pylock.toml
 *
 * Cargo packages without a source, and those of others with a source that is a folder, are the
 * project's own. Poetry before 1.5 kept all hashes behind all packages: those are not read.
 */
#include "formats/lock_lines.h"

#include "formats/text.h"

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

/* The text between the first two quotes of one kind; false: there is none. */
static bool quoted(tut_str s, tut_str *ret_text, tut_str *ret_rest)
{
    size_t at = 0;
    while (at < s.len && s.data[at] != '"' && s.data[at] != '\'')
        at++;
    if (at == s.len)
        return false;
    const char *end = memchr(s.data + at + 1, s.data[at], s.len - at - 1);
    if (!end)
        return false;
    *ret_text = (tut_str){s.data + at + 1, (size_t)(end - s.data) - at - 1};
    *ret_rest = behind(s, (size_t)(end - s.data) + 1);
    return true;
}

/* KEY = VALUE; the key without quotes. */
static bool split(tut_str line, tut_str *ret_key, tut_str *ret_value)
{
    const char *sign = memchr(line.data, '=', line.len);
    if (!sign)
        return false;
    size_t at = (size_t)(sign - line.data);
    tut_str key = tut_str_trim((tut_str){line.data, at});
    if (key.len >= 2 && key.data[0] == '"' && key.data[key.len - 1] == '"')
        key = (tut_str){key.data + 1, key.len - 2};
    *ret_key = key;
    *ret_value = tut_str_trim(behind(line, at + 1));
    return key.len > 0;
}

/* Every hash = "…" and every sha256 = "…" of the line, in tables as deep as they may be. */
static void read_hashes(tut_package_draft *d, tut_str line)
{
    size_t at;
    for (tut_str rest = line; tut_str_find(rest, TUT_LIT("hash = "), &at);) {
        tut_str text;
        bool is_word = at == 0 || rest.data[at - 1] == ' ' || rest.data[at - 1] == '{';
        rest = behind(rest, at + 7);
        if (is_word && quoted(rest, &text, &rest))
            tut_package_digest(d, text);
    }
    for (tut_str rest = line; tut_str_find(rest, TUT_LIT("sha256 = "), &at);) {
        tut_str text;
        rest = behind(rest, at + 9);
        if (quoted(rest, &text, &rest))
            tut_package_digest_of(d, "sha256", text);
    }
}

static bool is_folder(tut_str source)
{
    static const char *const words[] = {"editable", "virtual", "directory", "path"};
    size_t at;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (tut_str_find(source, tut_str_of(words[i]), &at))
            return true;
    }
    return false;
}

static void read_value(tut_lock_lines *l, tut_str key, tut_str value)
{
    tut_package_draft *d = &l->draft;
    tut_str text, rest;
    if (tut_str_eq_z(key, "source")) {
        /* Cargo: a text, of a registry or a repository. uv: {registry = "…"}, {virtual = "."}. */
        d->is_own = value.len > 0 && value.data[0] == '{' && is_folder(value);
    } else if (tut_str_eq_z(key, "directory")) {
        d->is_own = true; /* pylock.toml */
    } else if (!quoted(value, &text, &rest)) {
        return;
    } else if (tut_str_eq_z(key, "name") && !d->name[0]) {
        tut_package_name(d, text);
    } else if (tut_str_eq_z(key, "version") && !d->version[0]) {
        tut_package_version(d, text);
    } else if (tut_str_eq_z(key, "checksum")) {
        tut_package_digest_of(d, "sha256", text);
    }
}

static void open_table(tut_lock_lines *l, tut_str text)
{
    bool is_package = tut_str_eq_z(text, "[[package]]") || tut_str_eq_z(text, "[[packages]]");
    bool is_below = tut_str_starts(text, TUT_LIT("[package.")) ||
                    tut_str_starts(text, TUT_LIT("[packages.")) ||
                    tut_str_starts(text, TUT_LIT("[[package.")) ||
                    tut_str_starts(text, TUT_LIT("[[packages."));
    l->is_below = is_below;
    l->in_package = is_package;
    if (is_below)
        return;
    tut_package_give(l->x, &l->draft);
    if (is_package) {
        l->packages++;
        tut_package_begin(&l->draft, l->type);
        l->draft.is_own = strcmp(l->type, "cargo") == 0; /* until a source is named */
    }
}

void tut_lock_toml(tut_lock_lines *l, tut_str line, bool is_cut)
{
    tut_str text = tut_str_trim(line);
    tut_str key, value;
    (void)is_cut;
    if (text.len == 0 || text.data[0] == '#')
        return;
    if (text.data[0] == '[' && text.data[text.len - 1] == ']' && line.data[0] == '[') {
        open_table(l, text);
        return;
    }
    if (!l->draft.type)
        return;
    if (l->in_package && line.data[0] != ' ' && line.data[0] != '\t' && line.data[0] != '{' &&
        split(text, &key, &value))
        read_value(l, key, value);
    if (l->is_below && tut_str_eq_z(text, "type = \"directory\""))
        l->draft.is_own = true; /* poetry, [package.source] */
    read_hashes(&l->draft, text);
}
