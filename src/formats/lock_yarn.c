/*
 * yarn.lock, both generations.
 *
 *   1:  "NAME@RANGE", "NAME@RANGE":          2: "NAME@npm:RANGE":
 *         version "1.2.3"                         version: 1.2.3
 *         integrity sha512-BASE64                 resolution: "NAME@npm:1.2.3"
 *
 * What the second calls a checksum is that of yarn's own archive, not of the package, and is left
 * out. A resolution to workspace:, link: or portal: is the project's own.
 */
#include "formats/lock_lines.h"

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

static tut_str unquote(tut_str s)
{
    s = tut_str_trim(s);
    if (s.len > 0 && s.data[0] == '"')
        s = behind(s, 1);
    if (s.len > 0 && s.data[s.len - 1] == '"')
        s.len--;
    return s;
}

/* "@scope/name@range, …" -> "@scope/name" */
static tut_str name_of(tut_str descriptor)
{
    descriptor = unquote(descriptor);
    for (size_t i = 1; i < descriptor.len; i++) {
        if (descriptor.data[i] == '@')
            return (tut_str){descriptor.data, i};
    }
    return (tut_str){"", 0};
}

/* An alias, "a@npm:b@^1": the package is b. */
static tut_str without_alias(tut_str descriptor, tut_str name)
{
    tut_str range = behind(unquote(descriptor), name.len);
    if (!tut_str_starts(range, TUT_LIT("@npm:")))
        return name;
    tut_str other = name_of(behind(range, 5));
    return other.len ? other : name;
}

static bool is_own(tut_str resolution)
{
    static const char *const words[] = {"@workspace:", "@link:", "@portal:", "@file:"};
    size_t at;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (tut_str_find(resolution, tut_str_of(words[i]), &at))
            return true;
    }
    return false;
}

static void begin(tut_lock_lines *l, tut_str line)
{
    tut_package_give(l->x, &l->draft);
    if (tut_str_starts(line, TUT_LIT("__metadata")))
        return;
    tut_str name = name_of(line);
    l->packages++;
    tut_package_begin(&l->draft, "npm");
    if (name.len)
        tut_package_name(&l->draft, without_alias(line, name));
    l->draft.is_own = is_own(line);
}

void tut_lock_yarn(tut_lock_lines *l, tut_str line, bool is_cut)
{
    if (line.len > 1 && line.data[0] != ' ' && line.data[0] != '#') {
        if (is_cut || line.data[line.len - 1] == ':')
            begin(l, line);
        return;
    }
    bool is_value = line.len > 3 && line.data[0] == ' ' && line.data[1] == ' ' &&
                    line.data[2] != ' ';
    tut_str rest = line, key;
    if (!is_value || is_cut || !l->draft.type || !tut_lock_next_word(&rest, &key))
        return;
    if (key.data[key.len - 1] == ':')
        key.len--;
    tut_str value = unquote(rest);
    if (tut_str_eq_z(key, "version"))
        tut_package_version(&l->draft, value);
    else if (tut_str_eq_z(key, "integrity"))
        tut_package_digest(&l->draft, value);
    else if (tut_str_eq_z(key, "resolution"))
        l->draft.is_own |= is_own(value);
}
