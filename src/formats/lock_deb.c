/*
 * What dpkg has installed.
 *
 *   status = paragraphs of "Package: NAME", "Version: VERSION", "Status: install ok installed"
 *   list   = "NAME[:ARCH]\tVERSION"        dpkg-query -W
 *          | "ii  NAME[:ARCH]  VERSION …"  dpkg -l
 *          | "NAME[:ARCH]=VERSION"         as apt-get install takes it
 *          | "NAME/SUITE VERSION ARCH …"   apt list
 */
#include "formats/lock_lines.h"

#include "formats/text.h"

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

/* Debian policy 5.6.1: small letters, digits, "+-.", at least two of them. */
static bool is_name(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_one = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      (i > 0 && (c == '+' || c == '-' || c == '.'));
        if (!is_one)
            return false;
    }
    return s.len >= 2;
}

/* Debian policy 5.6.12: begins with a digit, holds no white space. */
static bool is_version(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_one = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      strchr(".+-~:_", c);
        if (!is_one || !c)
            return false;
    }
    return s.len > 0 && s.data[0] >= '0' && s.data[0] <= '9';
}

static tut_str before(tut_str s, char mark)
{
    const char *at = s.len ? memchr(s.data, mark, s.len) : NULL;
    return at ? (tut_str){s.data, (size_t)(at - s.data)} : s;
}

static bool split(tut_str line, tut_str *ret_name, tut_str *ret_version)
{
    tut_str rest = line, first, version = {"", 0};
    if (line.len == 0 || line.data[0] == '#' || !tut_lock_next_word(&rest, &first))
        return false;
    const char *sign = memchr(first.data, '=', first.len);
    if (sign) {
        version = behind(first, (size_t)(sign - first.data) + 1);
        first.len = (size_t)(sign - first.data);
    } else {
        /* "ii": wanted and installed; "rc" has only its configuration left. */
        bool is_state = tut_str_eq_z(first, "ii") || tut_str_eq_z(first, "hi");
        if (is_state && !tut_lock_next_word(&rest, &first))
            return false;
        if (!tut_lock_next_word(&rest, &version))
            return false;
    }
    *ret_name = before(before(first, ':'), '/');
    *ret_version = version;
    return is_name(*ret_name) && is_version(version);
}

bool tut_lock_is_dpkg_list(tut_str head)
{
    tut_str line, name, version;
    bool is_whole;
    for (size_t i = 0; i < 12 && tut_text_next_line(&head, &line, &is_whole) && is_whole; i++) {
        if (split(line, &name, &version))
            return true;
    }
    return false;
}

bool tut_lock_is_dpkg_status(tut_str head)
{
    size_t at;
    return tut_str_starts(head, TUT_LIT("Package: ")) &&
           tut_str_find(head, TUT_LIT("\nStatus: "), &at) &&
           tut_str_find(head, TUT_LIT("\nVersion: "), &at);
}

void tut_lock_dpkg_list(tut_lock_lines *l, tut_str line, bool is_cut)
{
    tut_str name, version;
    if (is_cut || !split(tut_str_trim(line), &name, &version))
        return;
    l->packages++;
    tut_package_begin(&l->draft, "deb");
    tut_package_name(&l->draft, name);
    tut_package_version(&l->draft, version);
    tut_package_give(l->x, &l->draft);
}

void tut_lock_dpkg_status(tut_lock_lines *l, tut_str line, bool is_cut)
{
    tut_package_draft *d = &l->draft;
    if (tut_str_starts(line, TUT_LIT("Package: "))) {
        tut_package_give(l->x, d);
        tut_package_begin(d, "deb");
        tut_package_name(d, tut_str_trim(behind(line, 9)));
        l->packages++;
    } else if (d->type && !is_cut && tut_str_starts(line, TUT_LIT("Version: "))) {
        tut_package_version(d, tut_str_trim(behind(line, 9)));
    } else if (d->type && tut_str_starts(line, TUT_LIT("Status: ")) &&
               !tut_str_ends(tut_str_trim(line), TUT_LIT(" installed"))) {
        l->packages -= !d->is_own;
        d->is_own = true; /* removed, or half installed: it is not there */
    }
}
