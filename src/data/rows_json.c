/*
 * Records in JSON (RFC 8259), one at a time:
 *
 *   lines   = { [record] "\n" }                          JSON lines
 *   items   = "[" [ record { "," record } ] "]"
 *   members = "{" … key ":" items … "}"                  the one member that is a list of objects
 *   record  = object | list | scalar
 *
 * A record that is broken is left out and counted; what follows is read on: in lines behind the end
 * of the line, in a list where brackets and quotes say that its next item begins.
 */
#include "data/rows_json.h"
#include "base/limits.h"

typedef enum place { LINES, SKIP_LINE, ITEMS, SKIP_ITEM, MEMBERS, SKIP_MEMBER, TAIL, DONE } place;
typedef enum step { ON, FILL, FULL } step;

typedef struct json {
    rows_input in;
    json_rows rows;
    place place;
    bool is_member; /* the list lies in an object */
    bool has_list;  /* the object's list was seen */
    bool is_first;  /* no item yet */
    uint64_t line;  /* from 1 */
    /* within a value that is skipped */
    uint64_t depth;
    bool in_string, is_escaped, has_moved;
} json;

static void broken(json *j, json_outcome outcome, const char *why)
{
    tut_rows *r = j->in.rows;
    uint64_t row = rows_row_number(r);
    uint64_t offset = rows_input_offset(&j->in, j->in.begin);
    bool is_line = j->place == LINES;
    const char *word = is_line ? "line" : "item";
    uint64_t number = is_line ? j->line : row + 1;
    if (outcome == JSON_DEEP)
        rows_defect(r, TUT_ROWS_DEPTH, row, offset, "%s %llu: more than %u levels", word,
                    (unsigned long long)number, TUT_LIMIT_JSON_DEPTH);
    else
        rows_defect(r, TUT_ROWS_SYNTAX, row, offset, "%s %llu: %s", word,
                    (unsigned long long)number,
                    outcome == JSON_MORE || !why ? "it ends too early" : why);
}

static void cut_off(json *j, const char *what)
{
    tut_rows *r = j->in.rows;
    rows_defect(r, TUT_ROWS_CUT, rows_row_number(r), rows_input_offset(&j->in, j->in.begin), "%s",
                what);
    j->place = DONE;
}

static void too_long(json *j)
{
    tut_rows *r = j->in.rows;
    rows_defect(r, TUT_ROWS_LONG, rows_row_number(r), rows_input_offset(&j->in, j->in.begin),
                "a record of more than %u MiB is left out", ROWS_WINDOW_MAX >> 20);
}

static void skip_from(json *j, place then)
{
    j->place = then;
    j->depth = 0;
    j->in_string = j->is_escaped = j->has_moved = false;
}

/* --- lines --- */

static tut_status take_line(json *j, const char *end, tut_error *err)
{
    tut_rows *r = j->in.rows;
    json_at a = {j->in.data + j->in.begin, end, true, NULL};
    json_outcome outcome;
    j->rows.is_plain = rows_input_is_plain(&j->in, j->in.begin);
    TUT_TRY(json_row(&j->rows, &a, &outcome, err));
    if (outcome == JSON_OK && a.p > end) {
        outcome = JSON_MORE; /* it went on into the next line */
    } else if (outcome == JSON_OK) {
        json_space(&a);
        if (a.p < end)
            outcome = json_bad(&a, "something behind the value");
    }
    if (outcome != JSON_OK) {
        rows_row_drop(r);
        broken(j, outcome, a.why);
    }
    return TUT_SUCCESS;
}

static bool is_blank(const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\t' || *from == '\r'))
        from++;
    return from == end;
}

static tut_status lines(json *j, step *ret, tut_error *err)
{
    rows_input *in = &j->in;
    const char *from = in->data + in->begin;
    const char *end = memchr(from, '\n', in->end - in->begin);
    bool is_last = !end;
    *ret = ON;
    if (!end && !in->is_end) {
        *ret = FILL;
        if (rows_input_is_full(in, in->begin)) {
            too_long(j);
            j->place = SKIP_LINE;
            *ret = ON;
        }
        return TUT_SUCCESS;
    }
    end = end ? end : in->data + in->end;
    if (!is_blank(from, end)) {
        if (!rows_row_begin(in->rows, rows_input_offset(in, in->begin))) {
            *ret = FULL;
            return TUT_SUCCESS;
        }
        TUT_TRY(take_line(j, end, err));
    }
    j->line++;
    in->begin = (size_t)(end - in->data) + !is_last;
    j->place = is_last ? DONE : LINES;
    return TUT_SUCCESS;
}

static step skip_line(json *j)
{
    rows_input *in = &j->in;
    const char *end = memchr(in->data + in->begin, '\n', in->end - in->begin);
    in->begin = end ? (size_t)(end - in->data) + 1 : in->end;
    if (!end && !in->is_end)
        return FILL;
    j->line++;
    j->place = end ? LINES : DONE;
    return ON;
}

/* --- values that are passed over --- */

/* True: the value ends behind (or, for a scalar, before) this byte. */
static bool skip_byte(json *j, char c, bool *ret_before)
{
    *ret_before = false;
    if (j->in_string) {
        bool ends = c == '"' && !j->is_escaped;
        j->is_escaped = c == '\\' && !j->is_escaped;
        j->in_string = !ends;
        return ends && j->depth == 0;
    }
    switch (c) {
    case '"':
        j->in_string = true;
        return false;
    case '{':
    case '[':
        j->depth++;
        return false;
    case '}':
    case ']':
        *ret_before = j->depth == 0;
        return j->depth == 0 || --j->depth == 0;
    case ',':
        *ret_before = true;
        return j->depth == 0;
    default:
        return false;
    }
}

static step skip_value(json *j)
{
    rows_input *in = &j->in;
    while (in->begin < in->end) {
        bool is_before;
        bool ends = skip_byte(j, in->data[in->begin], &is_before);
        /* What cannot even begin a value is one, or we would stay here. */
        in->begin += !(ends && is_before && j->has_moved);
        j->has_moved = true;
        if (!ends)
            continue;
        j->place = j->place == SKIP_ITEM ? ITEMS : MEMBERS;
        return ON;
    }
    if (!in->is_end)
        return FILL;
    cut_off(j, "the file ends within a value");
    return ON;
}

/* --- items of a list --- */

/* To the next item; false: the list is over, or more bytes are needed. */
static bool next_item(json *j, step *ret)
{
    rows_input *in = &j->in;
    json_at a = {in->data + in->begin, in->data + in->end, false, NULL};
    json_space(&a);
    bool has_comma = a.p < a.end && *a.p == ',';
    if (has_comma) {
        a.p++;
        json_space(&a);
    }
    *ret = ON;
    if (a.p >= a.end) {
        *ret = in->is_end ? ON : FILL;
        if (in->is_end)
            cut_off(j, "the list has no end");
        return false;
    }
    if (*a.p == ']') {
        in->begin = (size_t)(a.p - in->data) + 1;
        j->place = j->is_member ? MEMBERS : TAIL;
        return false;
    }
    in->begin = (size_t)(a.p - in->data);
    if (!has_comma && !j->is_first)
        broken(j, JSON_BAD, "no comma before it");
    j->is_first = false;
    return true;
}

static tut_status take_item(json *j, step *ret, tut_error *err)
{
    rows_input *in = &j->in;
    json_at a = {in->data + in->begin, in->data + in->end, in->is_end, NULL};
    json_outcome outcome;
    j->rows.is_plain = rows_input_is_plain(in, in->begin);
    TUT_TRY(json_row(&j->rows, &a, &outcome, err));
    if (outcome == JSON_OK) {
        in->begin = (size_t)(a.p - in->data);
        return TUT_SUCCESS;
    }
    rows_row_drop(in->rows);
    if (outcome != JSON_MORE) {
        broken(j, outcome, a.why);
        skip_from(j, SKIP_ITEM);
    } else if (in->is_end) {
        cut_off(j, "the file ends within a record");
    } else if (rows_input_is_full(in, in->begin)) {
        too_long(j);
        skip_from(j, SKIP_ITEM);
    } else {
        j->is_first = true; /* its comma is behind us */
        *ret = FILL;
    }
    return TUT_SUCCESS;
}

static tut_status items(json *j, step *ret, tut_error *err)
{
    bool was_first = j->is_first;
    size_t began = j->in.begin;
    if (!next_item(j, ret))
        return TUT_SUCCESS;
    if (!rows_row_begin(j->in.rows, rows_input_offset(&j->in, j->in.begin))) {
        j->in.begin = began;
        j->is_first = was_first;
        *ret = FULL;
        return TUT_SUCCESS;
    }
    return take_item(j, ret, err);
}

/* --- members of the object around it --- */

static step bad_member(json *j, json_at *a, const char *why)
{
    if (a->p >= a->end && !j->in.is_end && !rows_input_is_full(&j->in, j->in.begin))
        return FILL;
    j->in.begin = (size_t)(a->p - j->in.data);
    if (a->p >= a->end && j->in.is_end)
        cut_off(j, "the file ends within an object");
    else
        broken(j, JSON_BAD, why);
    j->place = DONE;
    return ON;
}

/* p at a value: is it a list of objects? MORE: that cannot be seen yet. */
static json_outcome is_table(json_at a, bool *ret)
{
    *ret = false;
    if (a.p >= a.end)
        return JSON_MORE;
    if (*a.p++ != '[')
        return JSON_OK;
    json_space(&a);
    *ret = a.p < a.end && *a.p == '{';
    return a.p < a.end ? JSON_OK : JSON_MORE;
}

static step members(json *j)
{
    rows_input *in = &j->in;
    json_at a = {in->data + in->begin, in->data + in->end, false, NULL};
    json_string key;
    bool is_list;
    json_space(&a);
    if (*a.p == ',') {
        a.p++;
        json_space(&a);
    }
    if (*a.p == '}' && a.p < a.end) {
        in->begin = (size_t)(a.p - in->data) + 1;
        j->place = TAIL;
        return ON;
    }
    if (*a.p != '"' || json_take_string(&a, &key) != JSON_OK)
        return bad_member(j, &a, "no key where one belongs");
    json_space(&a);
    if (*a.p != ':')
        return bad_member(j, &a, "no colon behind a key");
    a.p++;
    json_space(&a);
    if (is_table(a, &is_list) == JSON_MORE) {
        a.p = a.end;
        return bad_member(j, &a, "no value behind a key");
    }
    in->begin = (size_t)(a.p - in->data);
    if (is_list && j->has_list)
        rows_defect(in->rows, TUT_ROWS_UNREAD, UINT64_MAX, rows_input_offset(in, in->begin),
                    "a second list of objects is left out");
    if (!is_list || j->has_list) {
        skip_from(j, SKIP_MEMBER);
        return ON;
    }
    in->begin++;
    j->has_list = j->is_first = true;
    j->place = ITEMS;
    return ON;
}

static step tail(json *j)
{
    rows_input *in = &j->in;
    json_at a = {in->data + in->begin, in->data + in->end, true, NULL};
    json_space(&a);
    in->begin = (size_t)(a.p - in->data);
    if (a.p >= a.end && !in->is_end)
        return FILL;
    if (a.p < a.end)
        broken(j, JSON_BAD, "something behind the end");
    j->place = DONE;
    return ON;
}

/* --- all of it --- */

static tut_status one_step(json *j, step *ret, tut_error *err)
{
    *ret = ON;
    switch (j->place) {
    case LINES:
        return lines(j, ret, err);
    case ITEMS:
        return items(j, ret, err);
    case SKIP_LINE:
        *ret = skip_line(j);
        return TUT_SUCCESS;
    case SKIP_ITEM:
    case SKIP_MEMBER:
        *ret = skip_value(j);
        return TUT_SUCCESS;
    case MEMBERS:
        *ret = members(j);
        return TUT_SUCCESS;
    case TAIL:
        *ret = tail(j);
        return TUT_SUCCESS;
    case DONE:
        return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

static tut_status next_json(tut_rows *r, tut_error *err)
{
    json *j = r->ctx;
    while (j->place != DONE) {
        step did;
        TUT_TRY(one_step(j, &did, err));
        if (did == FULL || (did == FILL && r->batch.count > 0))
            return TUT_SUCCESS;
        if (did == FILL)
            TUT_TRY(rows_input_fill(&j->in, err));
    }
    if (j->is_member && !j->has_list && r->batch.count == 0 && r->batch.first == 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a JSON object without a list of objects in it: this is no dataset");
    return TUT_SUCCESS;
}

/* --- the beginning --- */

/* An object that is all there is: does a member of it hold the records? A list in which people talk
 * does not: it is a record's. */
static tut_status holds_records(json *j, json_at a, bool *ret, tut_error *err)
{
    json_string key;
    *ret = false;
    a.p++;
    for (;;) {
        bool is_list;
        bool is_chat = false;
        tut_str raw;
        json_space(&a);
        a.p += *a.p == ',';
        json_space(&a);
        if (*a.p != '"' || json_take_string(&a, &key) != JSON_OK)
            return TUT_SUCCESS;
        json_space(&a);
        a.p++;
        json_space(&a);
        (void)is_table(a, &is_list);
        if (json_take_value(&a, &raw) != JSON_OK)
            return TUT_SUCCESS;
        if (is_list)
            TUT_TRY(json_chat(j->in.rows, raw, &is_chat, &raw, err));
        *ret |= is_list && !is_chat;
    }
}

static tut_status find_place(json *j, bool is_named_lines, tut_error *err)
{
    rows_input *in = &j->in;
    const char *line_end;
    json_at a;
    for (;;) { /* the first line, whole */
        a = (json_at){in->data + in->begin, in->data + in->end, true, NULL};
        json_space(&a);
        line_end = memchr(a.p, '\n', (size_t)(a.end - a.p));
        if (line_end || in->is_end || rows_input_is_full(in, in->begin))
            break;
        TUT_TRY(rows_input_fill(in, err));
    }
    a.end = line_end ? line_end : a.end;
    json_at value = a;
    json_at rest = {a.end, in->data + in->end, true, NULL};
    tut_str raw;
    bool holds = false;
    json_outcome outcome = json_take_value(&value, &raw);
    json_space(&rest);
    bool is_more = rest.p < rest.end || !in->is_end;
    char next = rest.p < rest.end ? *rest.p : ' ';
    bool is_next_line = line_end && rest.p == line_end + 1 && next == *a.p;
    bool is_whole = outcome == JSON_OK && value.p <= a.end;
    if (*a.p == '{' && is_whole && !is_more && !is_named_lines)
        TUT_TRY(holds_records(j, a, &holds, err));
    if (*a.p == '[')
        j->place = is_whole && is_next_line ? LINES : ITEMS;
    else
        j->place = !holds && (is_whole || is_next_line || outcome == JSON_BAD) ? LINES : MEMBERS;
    if (j->place == LINES)
        return TUT_SUCCESS;
    j->is_member = j->place == MEMBERS;
    j->is_first = true;
    in->begin = (size_t)(a.p - in->data) + 1;
    return TUT_SUCCESS;
}

static void close_json(void *ctx)
{
    json *j = ctx;
    if (j) {
        rows_input_done(&j->in);
        json_rows_done(&j->rows);
    }
    tut_free(j);
}

static tut_status open_json(tut_rows *r, tut_error *err)
{
    json *j = r->ctx = tut_alloc_array(1, sizeof(*j));
    if (!j)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    j->line = 1;
    TUT_TRY(rows_input_open(r, &j->in, err));
    TUT_TRY(json_rows_open(&j->rows, &j->in, err));
    TUT_TRY(rows_input_fill(&j->in, err));
    tut_str name = tut_str_of(r->name);
    bool is_named_lines = tut_str_find(name, TUT_LIT(".jsonl"), &(size_t){0}) ||
                          tut_str_find(name, TUT_LIT(".ndjson"), &(size_t){0});
    TUT_TRY(find_place(j, is_named_lines, err));
    rows_batch_clear(r); /* what the look at the beginning kept */
    if (j->place == LINES)
        r->facts.format = "jsonl";
    return TUT_SUCCESS;
}

static bool is_json(tut_span head, const char *ending)
{
    size_t at = 0;
    bool is_named = strncmp(ending, ".json", 5) == 0 || strcmp(ending, ".ndjson") == 0;
    while (at < head.len && memchr(" \t\r\n", head.data[at], 4))
        at++;
    if (at == head.len || (head.data[at] != '{' && head.data[at] != '['))
        return is_named && at < head.len;
    bool is_brace = head.data[at++] == '{';
    while (at < head.len && memchr(" \t\r\n", head.data[at], 4))
        at++;
    uint8_t next = at < head.len ? head.data[at] : 0;
    if (is_brace || next == '{')
        return next == '"' || next == '{' || is_named;
    return is_named || (next == '[' && at + 1 < head.len &&
                        memchr(" \t\r\n\"-[0123456789", head.data[at + 1], 17));
}

const rows_format rows_json = {
    .name = "json",
    .is_it = is_json,
    .open = open_json,
    .next = next_json,
    .free = close_json,
};
