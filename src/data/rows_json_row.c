/*
 * One record of JSON as one row. Names are nodes below the name of the object that holds them; a
 * node remembers which one came after it the last time, so that records that look like the one
 * before need no look-up.
 */
#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "data/rows_json.h"
#include "data/rows_talk.h"

enum {
    NODES_MAX = 4 * TUT_ROWS_COLUMNS,
    SLOTS_LEAST = 256, /* twice as many as nodes, or more */
    NAME_BYTES = 4096, /* of a column, with the names of what it lies in */
    NO_COLUMN = 0xffffffffu
};

struct json_node {
    uint32_t parent;
    uint32_t column;
    uint32_t next;   /* the node that followed last time */
    uint64_t serial; /* of the last record that had it */
    tut_str key;     /* as it stands there, with its escapes */
    tut_str name;    /* "a.b" */
};

tut_status json_rows_open(json_rows *j, rows_input *in, tut_error *err)
{
    *j = (json_rows){.in = in, .columns = TUT_MAP_INIT};
    j->slot_count = SLOTS_LEAST;
    j->slots = tut_alloc_array(j->slot_count, sizeof(*j->slots));
    if (!j->slots || !tut_is_ok(tut_grow(&j->nodes, 0, &j->capacity, sizeof(*j->nodes))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    j->nodes[0] = (json_node){.column = NO_COLUMN};
    j->count = 1;
    return TUT_SUCCESS;
}

void json_rows_done(json_rows *j)
{
    tut_free(j->nodes);
    tut_free(j->slots);
    tut_map_done(&j->columns);
    tut_arena_done(&j->names);
}

/* --- names --- */

static size_t first_slot(const json_rows *j, uint32_t parent, tut_str key)
{
    uint64_t h = 0x9e3779b97f4a7c15ull * (parent + 1);
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (uint8_t)key.data[i]) * 0x100000001b3ull;
    return (size_t)(h ^ h >> 29) & (j->slot_count - 1);
}

static bool is_node(const json_node *n, uint32_t parent, tut_str key)
{
    return n->parent == parent && n->key.len == key.len &&
           memcmp(n->key.data, key.data, key.len) == 0;
}

static size_t slot_of(const json_rows *j, uint32_t parent, tut_str key)
{
    size_t slot = first_slot(j, parent, key);
    while (j->slots[slot] && !is_node(&j->nodes[j->slots[slot]], parent, key))
        slot = (slot + 1) & (j->slot_count - 1);
    return slot;
}

static bool grow_slots(json_rows *j)
{
    uint32_t *slots = tut_alloc_array(2 * j->slot_count, sizeof(*slots));
    if (!slots)
        return false;
    tut_free(j->slots);
    j->slots = slots;
    j->slot_count *= 2;
    for (uint32_t i = 1; i < j->count; i++)
        j->slots[slot_of(j, j->nodes[i].parent, j->nodes[i].key)] = i;
    return true;
}

/* "parent.key", without escapes; *ret_key is a copy of the key as it stands there. */
static tut_status name_node(json_rows *j, uint32_t parent, tut_str key, json_node *ret,
                            tut_error *err)
{
    tut_str above = j->nodes[parent].name;
    size_t lone = 0;
    bool is_first = above.len == 0;
    if (key.len > NAME_BYTES || above.len + key.len > NAME_BYTES)
        return tut_fail(err, TUT_LIMIT, "a key of more than %d bytes", NAME_BYTES);
    char *copy = tut_arena_copy(&j->names, key);
    char *name = tut_arena_take(&j->names, above.len + key.len + 2, 1);
    if (!copy || !name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memcpy(name, above.data ? above.data : "", above.len);
    if (!is_first)
        name[above.len] = '.';
    size_t at = above.len + !is_first;
    size_t len = json_unescape(key, name + at, &lone);
    *ret = (json_node){
        .parent = parent, .column = NO_COLUMN, .key = {copy, key.len}, .name = {name, at + len}};
    return TUT_SUCCESS;
}

static tut_status find_node(json_rows *j, uint32_t parent, tut_str key, uint32_t *ret,
                            tut_error *err)
{
    uint32_t guess = j->nodes[j->last].next;
    if (guess && is_node(&j->nodes[guess], parent, key)) {
        *ret = j->last = guess;
        return TUT_SUCCESS;
    }
    uint32_t node = j->slots[slot_of(j, parent, key)];
    if (!node) {
        if (j->count >= NODES_MAX)
            return tut_fail(err, TUT_LIMIT, "more than %d different keys", NODES_MAX);
        if (!tut_is_ok(tut_grow(&j->nodes, j->count, &j->capacity, sizeof(*j->nodes))) ||
            (2 * j->count >= j->slot_count && !grow_slots(j)))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(name_node(j, parent, key, &j->nodes[j->count], err));
        node = (uint32_t)j->count;
        j->slots[slot_of(j, parent, key)] = node;
        j->count++;
    }
    j->nodes[j->last].next = node;
    *ret = j->last = node;
    return TUT_SUCCESS;
}

static void settle_layout(json_rows *j, tut_str name)
{
    tut_rows_facts *facts = &j->in->rows->facts;
    j->has_question |= rows_talk_is(ROWS_TALK_ASKED, name);
    j->has_answer |= rows_talk_is(ROWS_TALK_ANSWERED, name);
    if (j->has_question && j->has_answer && strcmp(facts->layout, "table") == 0)
        facts->layout = "instruction";
}

/* The column of a node: made when the first value comes. */
static tut_status column_of(json_rows *j, uint32_t node, size_t *ret, tut_error *err)
{
    json_node *n = &j->nodes[node];
    if (n->column != NO_COLUMN) {
        *ret = n->column;
        return TUT_SUCCESS;
    }
    tut_rows *r = j->in->rows;
    size_t column = tut_map_get(&j->columns, n->name); /* "a.b" and {"a": {"b": …}} are one */
    if (column == SIZE_MAX) {
        tut_str name = n->name;
        if (!tut_utf8_valid(name))
            TUT_TRY(rows_input_text(j->in, name, rows_row_number(r) - 1, &name, err));
        TUT_TRY(rows_column_add(r, name, &column, err));
        TUT_TRY(tut_map_put(&j->columns, n->name, column, NULL, err));
        settle_layout(j, name);
    }
    n->column = (uint32_t)column;
    *ret = column;
    return TUT_SUCCESS;
}

/* --- values --- */

static tut_status text_of(json_rows *j, const json_string *s, tut_str *ret_text, tut_error *err)
{
    tut_rows *r = j->in->rows;
    uint64_t row = rows_row_number(r) - 1;
    tut_str text = s->raw;
    if (!j->is_plain)
        TUT_TRY(rows_input_text(j->in, text, row, &text, err));
    if (s->has_escape) {
        size_t lone = 0;
        char *to = rows_keep(r, text.len);
        if (!to)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        text = (tut_str){to, json_unescape(text, to, &lone)};
        if (lone)
            rows_defect(r, TUT_ROWS_ENCODING, row, UINT64_MAX, "%zu halves of surrogates", lone);
        if (memchr(text.data, '\0', text.len))
            rows_defect(r, TUT_ROWS_NUL, row, UINT64_MAX, "a NUL byte, escaped");
    }
    if (text.len > TUT_ROWS_CELL_BYTES) {
        rows_defect(r, TUT_ROWS_LONG, row, UINT64_MAX, "a cell of %zu bytes", text.len);
        text = rows_cut(text);
    }
    *ret_text = text;
    return TUT_SUCCESS;
}

static tut_status set_list(json_rows *j, size_t column, tut_str raw, tut_error *err)
{
    tut_rows *r = j->in->rows;
    bool is_chat;
    tut_str text = {"", 0};
    if (!j->is_plain)
        TUT_TRY(rows_input_text(j->in, raw, rows_row_number(r) - 1, &raw, err));
    TUT_TRY(json_chat(r, raw, &is_chat, &text, err));
    if (is_chat)
        r->facts.layout = "chat";
    text = is_chat ? text : raw;
    if (text.len > TUT_ROWS_CELL_BYTES) {
        rows_defect(r, TUT_ROWS_LONG, rows_row_number(r) - 1, UINT64_MAX, "a cell of %zu bytes",
                    text.len);
        text = rows_cut(text);
    }
    rows_set(r, column, is_chat ? TUT_CELL_TEXT : TUT_CELL_NESTED, NAN, text);
    return TUT_SUCCESS;
}

static tut_status take_string(json_rows *j, json_at *a, size_t column, json_outcome *ret,
                              tut_error *err)
{
    json_string s;
    tut_str text = {"", 0};
    *ret = json_take_string(a, &s);
    if (*ret != JSON_OK)
        return TUT_SUCCESS;
    TUT_TRY(text_of(j, &s, &text, err));
    rows_set(j->in->rows, column, TUT_CELL_TEXT, NAN, text);
    return TUT_SUCCESS;
}

static json_outcome take_number(json_rows *j, json_at *a, size_t column)
{
    tut_str raw = {"", 0};
    double value;
    json_outcome outcome = json_take_number(a, &raw, &value);
    if (outcome == JSON_OK)
        rows_set(j->in->rows, column, rows_number_kind(value), value, raw);
    return outcome;
}

static json_outcome take_word(json_rows *j, json_at *a, size_t column)
{
    static const struct {
        const char *word;
        tut_cell_kind kind;
        double number;
    } words[] = {
        {"true", TUT_CELL_BOOL, 1}, {"false", TUT_CELL_BOOL, 0}, {"null", TUT_CELL_NONE, NAN}};
    size_t i = *a->p == 't' ? 0 : *a->p == 'f' ? 1 : 2;
    json_outcome outcome = json_take_word(a, words[i].word);
    tut_str text = i < 2 ? tut_str_of(words[i].word) : (tut_str){"", 0};
    if (outcome == JSON_OK)
        rows_set(j->in->rows, column, words[i].kind, words[i].number, text);
    return outcome;
}

/* A value that is no object with something in it, into the cell of its name. */
static tut_status take_cell(json_rows *j, json_at *a, uint32_t node, json_outcome *ret,
                            tut_error *err)
{
    size_t column;
    tut_str raw;
    TUT_TRY(column_of(j, node, &column, err));
    switch (*a->p) {
    case '"':
        return take_string(j, a, column, ret, err);
    case '{':
    case '[':
        *ret = json_take_value(a, &raw);
        return *ret == JSON_OK ? set_list(j, column, raw, err) : TUT_SUCCESS;
    case 't':
    case 'f':
    case 'n':
        *ret = take_word(j, a, column);
        return TUT_SUCCESS;
    default:
        *ret = take_number(j, a, column);
        return TUT_SUCCESS;
    }
}

/* --- objects --- */

typedef struct walk {
    uint32_t above[TUT_LIMIT_JSON_DEPTH];
    unsigned depth;
} walk;

static tut_status take_key(json_rows *j, json_at *a, const walk *w, uint32_t *ret_node,
                           json_outcome *ret, tut_error *err)
{
    json_string s = {{"", 0}, false};
    json_space(a);
    *ret = *a->p == '"' ? json_take_string(a, &s) : json_bad(a, "no key where one belongs");
    if (*ret != JSON_OK)
        return TUT_SUCCESS;
    json_space(a);
    if (*a->p != ':') {
        *ret = json_bad(a, "no colon behind a key");
        return TUT_SUCCESS;
    }
    a->p++;
    json_space(a);
    TUT_TRY(find_node(j, w->above[w->depth - 1], s.raw, ret_node, err));
    json_node *n = &j->nodes[*ret_node];
    if (n->serial == j->serial)
        rows_defect(j->in->rows, TUT_ROWS_DUPLICATE, rows_row_number(j->in->rows) - 1, UINT64_MAX,
                    "a key of %zu bytes stands there twice", s.raw.len);
    n->serial = j->serial;
    return TUT_SUCCESS;
}

/* Is this an object that has something in it? p at the brace; behind it then. */
static bool opens(json_at *a)
{
    const char *at = a->p;
    if (*at != '{')
        return false;
    a->p++;
    json_space(a);
    if (*a->p != '}')
        return true;
    a->p = at;
    return false;
}

/* What follows a member: the next one, or the end of this object and those around it. */
static json_outcome close_objects(json_at *a, walk *w)
{
    for (;;) {
        json_space(a);
        if (*a->p == ',') {
            a->p++;
            return JSON_OK;
        }
        if (*a->p != '}')
            return json_bad(a, "neither a comma nor the end where one belongs");
        a->p++;
        if (--w->depth == 0)
            return JSON_OK;
    }
}

static tut_status take_object(json_rows *j, json_at *a, json_outcome *ret, tut_error *err)
{
    walk w = {.depth = 1};
    uint32_t node = 0;
    *ret = JSON_OK;
    while (w.depth > 0) {
        TUT_TRY(take_key(j, a, &w, &node, ret, err));
        if (*ret != JSON_OK)
            return TUT_SUCCESS;
        if (opens(a)) {
            if (w.depth == TUT_LIMIT_JSON_DEPTH) {
                *ret = JSON_DEEP;
                return TUT_SUCCESS;
            }
            w.above[w.depth++] = node;
            continue;
        }
        TUT_TRY(take_cell(j, a, node, ret, err));
        if (*ret == JSON_OK)
            *ret = close_objects(a, &w);
        if (*ret != JSON_OK)
            return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

/* A list as a record: its items are the columns "0", "1", … */
static tut_status take_list(json_rows *j, json_at *a, json_outcome *ret, tut_error *err)
{
    *ret = JSON_OK;
    a->p++;
    json_space(a);
    for (size_t i = 0; *a->p != ']' || i > 0; i++) {
        char key[24];
        int len = snprintf(key, sizeof(key), "%zu", i);
        uint32_t node;
        json_space(a);
        TUT_TRY(find_node(j, 0, (tut_str){key, (size_t)len}, &node, err));
        TUT_TRY(take_cell(j, a, node, ret, err));
        if (*ret != JSON_OK)
            return TUT_SUCCESS;
        json_space(a);
        if (*a->p == ']')
            break;
        if (*a->p != ',') {
            *ret = json_bad(a, "neither a comma nor the end where one belongs");
            return TUT_SUCCESS;
        }
        a->p++;
    }
    a->p++;
    return TUT_SUCCESS;
}

tut_status json_row(json_rows *j, json_at *a, json_outcome *ret, tut_error *err)
{
    uint32_t node;
    j->serial++;
    j->last = 0;
    json_space(a);
    if (opens(a))
        return take_object(j, a, ret, err);
    tut_str raw;
    if (*a->p == '{') { /* one without anything in it: a row of nothing */
        *ret = json_take_value(a, &raw);
        return TUT_SUCCESS;
    }
    if (*a->p == '[')
        return take_list(j, a, ret, err);
    json_at look = *a;
    *ret = json_take_value(&look, &raw); /* no column for what is nothing */
    if (*ret != JSON_OK) {
        a->why = look.why;
        return TUT_SUCCESS;
    }
    TUT_TRY(find_node(j, 0, TUT_LIT("value"), &node, err));
    return take_cell(j, a, node, ret, err);
}
