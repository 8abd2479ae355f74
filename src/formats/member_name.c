/* What names of archive members lead to: see the header. */
#include "formats/member_name.h"

/* A component ".." between separators of either kind. */
bool tut_member_has_parent(tut_str name)
{
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.data[i] != '/' && name.data[i] != '\\')
            continue;
        if (i - start == 2 && name.data[start] == '.' && name.data[start + 1] == '.')
            return true;
        start = i + 1;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool tut_member_leads_out(tut_str name)
{
    if (name.len > 0 && (name.data[0] == '/' || name.data[0] == '\\'))
        return true;
    if (name.len > 1 && is_letter(name.data[0]) && name.data[1] == ':')
        return true;
    return tut_member_has_parent(name);
}

bool tut_member_has_control(tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = (uint8_t)name.data[i];
        if (byte != 0 && (byte < 0x20 || byte == 0x7f))
            return true;
    }
    return false;
}

/* A name as the most forgiving reader sees it: up to NUL, one kind of separator, none doubled or
 * leading, no "." component; letters folded. Yields one byte after the other, -1 at the end. */
typedef struct folded {
    const char *at, *end;
    bool at_start; /* of a component */
} folded;

static folded fold(tut_str name)
{
    const char *nul = name.len ? memchr(name.data, 0, name.len) : NULL;
    return (folded){name.data, nul ? nul : name.data + name.len, true};
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

static int next_folded(folded *f, bool by_case)
{
    while (f->at < f->end && f->at_start) {
        bool is_dot = *f->at == '.' && f->at + 1 < f->end && is_separator(f->at[1]);
        if (!is_separator(*f->at) && !is_dot)
            break;
        f->at++;
    }
    if (f->at >= f->end)
        return -1;
    char c = *f->at++;
    f->at_start = is_separator(c);
    if (c == '\\')
        return '/';
    if (by_case)
        return (uint8_t)c;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (uint8_t)c;
}

int tut_member_compare(tut_str a, tut_str b, bool by_case)
{
    folded fa = fold(a), fb = fold(b);
    int ca = 0, cb = 0;
    do {
        ca = next_folded(&fa, by_case);
        cb = next_folded(&fb, by_case);
    } while (ca == cb && ca >= 0);
    return ca - cb;
}
