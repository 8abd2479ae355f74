/*
 * Licences as people and files write them -> ids of the SPDX list, expressions of such ids, or
 * names. Ids are compared without case, as the SPDX specification says; the list is that of the
 * CycloneDX and SPDX schemas, one id a line in order of their lower-case letters.
 *
 *   expression = term *( ("AND" / "OR" / "WITH") term )
 *   term       = id [ "+" ] / "(" expression ")"
 */
#include "bom/bom_internal.h"

extern const unsigned char tut_bom_licences[];
extern const unsigned char tut_bom_licences_end[];

enum { EXPRESSION_MAX = 512, NESTING_MAX = 8 };

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare(tut_str a, tut_str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (fold(a.data[i]) != fold(b.data[i]))
            return (uint8_t)fold(a.data[i]) < (uint8_t)fold(b.data[i]) ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

/* The line around `at`. */
static tut_str line_at(tut_str list, size_t at)
{
    size_t from = at, to = at;
    while (from > 0 && list.data[from - 1] != '\n')
        from--;
    while (to < list.len && list.data[to] != '\n')
        to++;
    return (tut_str){list.data + from, to - from};
}

static bool find_id(tut_str word, tut_str *ret_id)
{
    const char *text = (const char *)tut_bom_licences;
    tut_str list = {text, (size_t)(tut_bom_licences_end - tut_bom_licences)};
    size_t low = 0, high = list.len;
    while (low < high) {
        tut_str line = line_at(list, low + (high - low) / 2);
        int order = compare(word, line);
        if (order == 0) {
            *ret_id = line;
            return word.len > 0;
        }
        if (order < 0)
            high = (size_t)(line.data - list.data);
        else
            low = (size_t)(line.data - list.data) + line.len + 1;
    }
    return false;
}

static tut_str next_word(tut_str *rest)
{
    while (rest->len && (*rest->data == ' ' || *rest->data == '\t'))
        *rest = (tut_str){rest->data + 1, rest->len - 1};
    size_t n = 0;
    if (rest->len && (*rest->data == '(' || *rest->data == ')'))
        n = 1;
    while (n == 0 || (n < rest->len && *rest->data != '(' && *rest->data != ')')) {
        if (n >= rest->len || (rest->data[n] && strchr(" \t()", rest->data[n])))
            break;
        n++;
    }
    tut_str word = {rest->data, n};
    *rest = (tut_str){rest->data + n, rest->len - n};
    return word;
}

static const char *joint(tut_str word)
{
    static const char *const joints[] = {"AND", "OR", "WITH"};
    for (size_t i = 0; i < 3; i++)
        if (compare(word, tut_str_of(joints[i])) == 0)
            return joints[i];
    return NULL;
}

static bool add_id(tut_str word, tut_buf *out)
{
    tut_str id;
    bool is_ref = tut_str_starts(word, TUT_LIT("LicenseRef-")) && word.len > 11;
    if (is_ref)
        id = word;
    else if (!find_id(word, &id)) {
        bool has_plus = word.len && word.data[word.len - 1] == '+';
        if (!has_plus || !find_id((tut_str){word.data, word.len - 1}, &id))
            return false;
        tut_buf_add_str(out, id);
        tut_buf_add_byte(out, '+');
        return true;
    }
    tut_buf_add_str(out, id);
    return true;
}

/* False: no expression. Terms and joints take turns; brackets close. */
static bool is_expression(tut_str text, tut_buf *out)
{
    int depth = 0;
    bool wants_term = true;
    for (tut_str rest = text, word = next_word(&rest); word.len; word = next_word(&rest)) {
        if (tut_str_eq_z(word, "(")) {
            if (!wants_term || ++depth > NESTING_MAX)
                return false;
            tut_buf_add_byte(out, '(');
        } else if (tut_str_eq_z(word, ")")) {
            if (wants_term || --depth < 0)
                return false;
            tut_buf_add_byte(out, ')');
        } else if (!wants_term) {
            const char *name = joint(word);
            if (!name)
                return false;
            tut_buf_printf(out, " %s ", name);
            wants_term = true;
        } else {
            if (!add_id(word, out))
                return false;
            wants_term = false;
        }
    }
    return depth == 0 && !wants_term;
}

static bool says_nothing(tut_str text)
{
    static const char *const words[] = {"", "unknown", "noassertion", "none stated", "todo", "n/a"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (tut_str_ieq(text, tut_str_of(words[i])))
            return true;
    return false;
}

tut_bom_licence_kind tut_bom_licence(tut_str text, tut_buf *out)
{
    tut_str id, said = tut_str_trim(text);
    if (says_nothing(said))
        return TUT_BOM_LICENCE_NONE;
    if (find_id(said, &id)) {
        tut_buf_add_str(out, id);
        return TUT_BOM_LICENCE_ID;
    }
    size_t before = out->len;
    if (said.len <= EXPRESSION_MAX && is_expression(said, out))
        return TUT_BOM_LICENCE_EXPRESSION;
    out->len = before;
    tut_buf_add_str(out, said);
    return TUT_BOM_LICENCE_NAME;
}

tut_bom_licence_kind tut_bom_licence_kind_of(tut_str text)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    return tut_bom_licence(text, &name);
}
