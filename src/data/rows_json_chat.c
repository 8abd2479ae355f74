/*
 * Talk as people write it down for models: a list of objects that say who speaks ("role", "from",
 * "speaker") and what ("content", "value", "text"); the content may be a list of parts with a
 * "text" each.
 */
#include "data/rows_json.h"
#include "data/rows_talk.h"

typedef struct talk {
    tut_rows *rows;
    char *to;
    size_t len;
    size_t turns;
    size_t lone; /* halves of surrogates */
} talk;

/* Behind `{` or `,`: the next key of a valid object, and p at its value; false: it ends. */
static bool next_key(json_at *a, tut_str *ret_key)
{
    json_string s;
    json_space(a);
    if (*a->p == ',') {
        a->p++;
        json_space(a);
    }
    if (*a->p != '"' || json_take_string(a, &s) != JSON_OK)
        return false;
    json_space(a);
    a->p++; /* the colon */
    json_space(a);
    *ret_key = s.raw;
    return true;
}

static void add_text(talk *t, json_at *a, char before)
{
    json_string s;
    if (json_take_string(a, &s) != JSON_OK)
        return;
    if (t->len)
        t->to[t->len++] = before; /* the quotes left room for it */
    t->len += json_unescape(s.raw, t->to + t->len, &t->lone);
}

/* Behind the `{` of a part. */
static void add_part(talk *t, json_at *a)
{
    tut_str key;
    tut_str raw;
    while (next_key(a, &key)) {
        if (tut_str_eq_z(key, "text") && *a->p == '"')
            add_text(t, a, '\n');
        else if (json_take_value(a, &raw) != JSON_OK)
            return;
    }
    a->p++;
}

static void add_parts(talk *t, json_at *a)
{
    tut_str raw;
    a->p++;
    for (;;) {
        json_space(a);
        if (*a->p == ',')
            a->p++;
        else if (*a->p == '{' && a->p++)
            add_part(t, a);
        else if (*a->p == ']' || json_take_value(a, &raw) != JSON_OK)
            break;
    }
    a->p++;
}

/* One turn; false: it says neither who nor what. p at the `{`. */
static bool take_turn(talk *t, json_at *a)
{
    bool has_who = false;
    bool has_what = false;
    tut_str key;
    tut_str raw;
    a->p++;
    while (next_key(a, &key)) {
        bool is_what = rows_talk_is(ROWS_TALK_WHAT, key);
        has_who |= rows_talk_is(ROWS_TALK_WHO, key) && *a->p == '"';
        has_what |= is_what;
        if (is_what && *a->p == '"')
            add_text(t, a, '\n');
        else if (is_what && *a->p == '[')
            add_parts(t, a);
        else if (json_take_value(a, &raw) != JSON_OK)
            return false;
    }
    a->p++;
    t->turns++;
    return has_who && has_what;
}

static bool starts_with_object(tut_str list)
{
    size_t at = 1;
    while (at < list.len && memchr(" \t\r\n", list.data[at], 4))
        at++;
    return at < list.len && list.data[at] == '{';
}

tut_status json_chat(tut_rows *r, tut_str list, bool *ret_is_chat, tut_str *ret_text,
                     tut_error *err)
{
    *ret_is_chat = false;
    if (!starts_with_object(list))
        return TUT_SUCCESS;
    json_at a = {list.data + 1, list.data + list.len, true, NULL};
    talk t = {.rows = r, .to = rows_keep(r, list.len)};
    if (!t.to)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (;;) {
        json_space(&a);
        if (*a.p == ',') {
            a.p++;
            continue;
        }
        if (*a.p == ']')
            break;
        if (*a.p != '{' || !take_turn(&t, &a))
            return TUT_SUCCESS;
    }
    if (t.lone)
        rows_defect(r, TUT_ROWS_ENCODING, rows_row_number(r) - 1, UINT64_MAX,
                    "%zu halves of surrogates", t.lone);
    *ret_is_chat = t.turns > 0;
    *ret_text = (tut_str){t.to, t.len};
    return TUT_SUCCESS;
}
