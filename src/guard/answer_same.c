/*
 * Most events of a stream differ from the one before in nothing but the letters they add. Such an
 * event is not parsed again: what stands before and behind its text is compared byte by byte, the
 * text is looked at, and what was written the last time is written around it. That the text stands
 * where it seems to is not guessed: a mark is put into its place and the event is read anew.
 */
#include "guard/answer_internal.h"

#define MARK "tutela-mark-6f1c09"

enum { TRIES = 8, EVENT_MOST = 4096 };

void tut_guard_same_done(tut_guard_same *s)
{
    tut_buf_done(&s->before);
    tut_buf_done(&s->behind);
    tut_buf_done(&s->out_before);
    tut_buf_done(&s->out_behind);
}

/* --- an event that is the same --- */
/* The text of a JSON string: false where it is none, or has more than the plainest escapes. */
static bool plain_text(tut_str raw, tut_buf *scratch, tut_str *ret_text)
{
    static const char escapes[] = "n\nt\tr\r\"\"\\\\//";
    bool is_escaped = false;
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = (uint8_t)raw.data[i];
        if (c < 0x20 || c == '"')
            return false;
        if (c != '\\')
            continue;
        is_escaped = true;
        if (++i == raw.len)
            return false;
    }
    *ret_text = raw;
    if (!is_escaped)
        return tut_utf8_valid(raw);
    tut_buf_clear(scratch);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '\\') {
            const char *row = escapes;
            c = raw.data[++i];
            while (*row && *row != c)
                row += 2;
            if (!*row)
                return false;
            c = row[1];
        }
        tut_buf_add_byte(scratch, (uint8_t)c);
    }
    *ret_text = tut_buf_str(scratch);
    return scratch->failed == TUT_OK && tut_utf8_valid(*ret_text);
}

static bool is_around(const tut_guard_same *s, tut_str name, tut_str data)
{
    return data.len >= s->before.len + s->behind.len && tut_str_eq(s->name, name) &&
           memcmp(data.data, s->before.data, s->before.len) == 0 &&
           memcmp(data.data + data.len - s->behind.len, s->behind.data, s->behind.len) == 0;
}

tut_status tut_answer_same(tut_guard_answer *a, tut_str name, tut_str data, tut_buf *out,
                           bool *ret_is_done, tut_error *err)
{
    tut_str text;
    for (size_t i = 0; i < a->same_count && !a->has_call && !tut_answer_is_stopped(a); i++) {
        tut_guard_same *s = &a->same[i];
        if (!is_around(s, name, data))
            continue;
        size_t inside = data.len - s->before.len - s->behind.len, start = out->len;
        if (!plain_text((tut_str){data.data + s->before.len, inside}, &a->plain, &text))
            continue;
        *ret_is_done = true;
        a->decision.scanned_bytes += s->scanned;
        tut_buf_clear(&a->piece);
        TUT_TRY(tut_guard_text_feed(&s->channel->text, text, &a->piece, err));
        if (tut_answer_is_stopped(a))
            return tut_buf_check(&a->piece, err);
        TUT_TRY(tut_buf_check(&a->piece, err));
        tut_buf_add(out, s->out_before.data, s->out_before.len);
        tut_json_add_inside(out, tut_buf_str(&a->piece));
        tut_buf_add(out, s->out_behind.data, s->out_behind.len);
        if (out->failed != TUT_OK)
            out->len = start;
        return tut_buf_check(out, err);
    }
    return TUT_SUCCESS;
}

/* --- learning --- */
typedef struct finding {
    const tut_guard_answer *a;
    const tut_json_value *event;
    tut_str text;    /* of the one piece */
    unsigned pieces; /* that there are */
} finding;

static tut_status find_piece(void *ctx, const tut_guard_way *way, tut_str text,
                             tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    finding *f = ctx;
    (void)ret_text;
    if (way->is_key && way->depth == 1 && f->a->request->adds_usage && tut_str_eq_z(text, "usage"))
        *ret_fate = TUT_GUARD_NULL;
    (void)err;
    if (!way->is_key && way->value->type == TUT_JSON_STRING &&
        f->a->request->route->protocol->is_delta(f->event, way)) {
        f->text = text;
        f->pieces++;
    }
    return TUT_SUCCESS;
}

/* The only string of the event that is written as the text is. */
static bool find_raw(tut_str data, tut_str text, size_t *ret_at)
{
    size_t found = 0;
    for (size_t at = 0; at + text.len + 2 <= data.len; at++) {
        if (data.data[at] != '"' || data.data[at + text.len + 1] != '"' ||
            memcmp(data.data + at + 1, text.data, text.len) != 0)
            continue;
        *ret_at = at + 1;
        found++;
    }
    return found == 1;
}

static tut_status keep(tut_guard_answer *a, tut_str name, tut_str data, size_t at, size_t len,
                       tut_guard_same *s, tut_error *err)
{
    s->name = (tut_str){"", 0};
    char *copy = tut_arena_copy(&a->arena, name);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->name = (tut_str){copy, name.len};
    tut_buf_add(&s->before, data.data, at);
    tut_buf_add(&s->behind, data.data + at + len, data.len - at - len);
    TUT_TRY(tut_buf_check(&s->before, err));
    return tut_buf_check(&s->behind, err);
}

/* Reads the event with the mark in the place of its text, and writes it as it was written. */
static tut_status try_mark(tut_guard_answer *a, tut_guard_same *s, bool *ret_is_right,
                           tut_error *err)
{
    TUT_CLEAN(tut_buf) marked = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) framed = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_json) j = NULL;
    size_t at;
    tut_json_options options = {.max_depth = a->request->limits.depth};
    tut_buf_add(&marked, s->before.data, s->before.len);
    tut_buf_add_z(&marked, MARK);
    tut_buf_add(&marked, s->behind.data, s->behind.len);
    TUT_TRY(tut_buf_check(&marked, err));
    tut_status status = tut_json_parse(tut_buf_span(&marked), &options, &doc, err);
    if (!tut_is_ok(status))
        return status.code == TUT_NOMEM ? status : TUT_SUCCESS;
    finding f = {.a = a, .event = tut_json_root(doc)};
    tut_buf_clear(&a->json);
    TUT_TRY(tut_json_new(&a->json, &j));
    TUT_TRY(tut_guard_walk(f.event, find_piece, &f, j, err));
    TUT_TRY(tut_json_finish(j, err));
    tut_answer_frame(s->name, tut_buf_str(&a->json), &framed);
    TUT_TRY(tut_buf_check(&framed, err));
    tut_str all = tut_buf_str(&framed);
    if (f.pieces != 1 || !tut_str_eq_z(f.text, MARK) || !tut_str_find(all, TUT_LIT(MARK), &at))
        return TUT_SUCCESS;
    tut_str behind = {all.data + at + sizeof(MARK) - 1, all.len - at - (sizeof(MARK) - 1)};
    if (tut_str_find(behind, TUT_LIT(MARK), &(size_t){0}))
        return TUT_SUCCESS;
    tut_buf_add(&s->out_before, all.data, at);
    tut_buf_add_str(&s->out_behind, behind);
    *ret_is_right = true;
    TUT_TRY(tut_buf_check(&s->out_before, err));
    return tut_buf_check(&s->out_behind, err);
}

/* An event of one piece that ends nothing. */
static bool may_learn(const tut_guard_answer *a, tut_str data, const tut_json_value *event)
{
    tut_str type = tut_json_get_text(event, "type");
    return a->pieces == 1 && a->same_count < TUT_GUARD_SAMES && a->same_tries < TRIES &&
           data.len <= EVENT_MOST && tut_json_count(tut_json_get(event, "usage")) == 0 &&
           !a->last_channel->is_structured &&
           (a->last_channel->choice >= 0
                ? tut_json_count(tut_json_get(event, "choices")) == 1 &&
                      !tut_answer_choice_ends(event, a->last_channel->choice)
                : tut_str_ends(type, TUT_LIT("delta")));
}

tut_status tut_answer_learn(tut_guard_answer *a, tut_str name, tut_str data,
                            const tut_json_value *event, uint64_t scanned, tut_error *err)
{
    finding f = {.a = a, .event = event};
    tut_guard_same s = {0};
    bool is_right = false;
    size_t at;
    if (!may_learn(a, data, event))
        return TUT_SUCCESS;
    TUT_TRY(tut_guard_walk(event, find_piece, &f, NULL, err));
    if (f.pieces != 1 || f.text.len > scanned || !find_raw(data, f.text, &at) ||
        tut_str_find(data, TUT_LIT(MARK), &(size_t){0}))
        return TUT_SUCCESS;
    a->same_tries++;
    s.channel = a->last_channel;
    s.scanned = scanned - f.text.len;
    tut_status status = keep(a, name, data, at, f.text.len, &s, err);
    if (tut_is_ok(status))
        status = try_mark(a, &s, &is_right, err);
    if (tut_is_ok(status) && is_right)
        a->same[a->same_count++] = s;
    else
        tut_guard_same_done(&s);
    return status;
}
