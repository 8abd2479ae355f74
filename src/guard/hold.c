#include "guard/hold.h"

#include <openssl/rand.h>
#include <time.h>

#include "crypto/openssl.h"

static const char *const kinds[] = {
    [TUT_HOLD_REQUEST] = "request", [TUT_HOLD_CALL] = "call", [TUT_HOLD_ANSWER] = "answer"};

const char *tut_hold_kind_name(tut_hold_kind k)
{
    return kinds[k];
}

const char *tut_hold_state_name(tut_hold_state s)
{
    static const char *const names[TUT_HOLD_STATE_COUNT] = {"waiting", "approved", "denied",
                                                            "expired", "withdrawn"};
    return names[s];
}

int64_t tut_hold_now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool tut_hold_is_id(tut_str text)
{
    if (text.len != TUT_HOLD_ID - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("0123456789abcdef", text.data[i], 16))
            return false;
    return true;
}

void tut_hold_done(tut_hold *h)
{
    tut_arena_done(&h->arena);
    *h = (tut_hold){0};
}

/* --- making one --- */

static tut_status keep(tut_hold *h, tut_str from, tut_str *ret_to, tut_error *err)
{
    char *copy = tut_arena_copy(&h->arena, from);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_to = (tut_str){copy, from.len};
    return TUT_SUCCESS;
}

/* At most so many bytes from there on, and no character cut in two. */
static tut_str part_of(tut_str text, size_t from, size_t most)
{
    while (from > 0 && from < text.len && ((uint8_t)text.data[from] & 0xc0) == 0x80)
        from--;
    size_t len = text.len - from < most ? text.len - from : most;
    while (len > 0 && from + len < text.len && ((uint8_t)text.data[from + len] & 0xc0) == 0x80)
        len--;
    return (tut_str){text.data + from, len};
}

static tut_status draw(tut_hold *h, tut_error *err)
{
    uint8_t id[(TUT_HOLD_ID - 1) / 2];
    if (RAND_bytes_ex(tut_openssl(), id, sizeof(id), 0) != 1 ||
        RAND_bytes_ex(tut_openssl(), h->nonce, sizeof(h->nonce), 0) != 1)
        return tut_fail(err, TUT_CRYPTO, "no random bytes are to be had");
    for (size_t i = 0; i < sizeof(id); i++) {
        h->id[2 * i] = "0123456789abcdef"[id[i] >> 4];
        h->id[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
    }
    return TUT_SUCCESS;
}

static tut_status take_reasons(tut_hold *h, const tut_guard_decision *d, tut_error *err)
{
    h->reasons = tut_arena_take(&h->arena, d->reason_count + 1, sizeof(*h->reasons));
    if (!h->reasons)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < d->reason_count; i++) {
        const tut_guard_reason *from = &d->reasons[i];
        tut_hold_reason *to = &h->reasons[h->reason_count];
        if (from->action == TUT_GUARD_ALLOW)
            continue;
        TUT_TRY(keep(h, tut_str_of(from->check), &to->check, err));
        TUT_TRY(keep(h, tut_str_of(from->where), &to->where, err));
        TUT_TRY(keep(h, tut_str_of(from->detail), &to->detail, err));
        h->reason_count++;
    }
    return TUT_SUCCESS;
}

/* --- sources: what the user asked last, what the reasons name, then what outsiders wrote --- */

static bool is_named(const tut_hold *h, const tut_hold_facts *f, const char *where)
{
    size_t at;
    for (size_t i = 0; i < f->call_count; i++)
        if (f->calls[i].source && strcmp(f->calls[i].source, where) == 0)
            return true;
    for (size_t i = 0; i < h->reason_count; i++)
        if (tut_str_find(h->reasons[i].detail, tut_str_of(where), &at) ||
            tut_str_eq_z(h->reasons[i].where, where))
            return true;
    return false;
}

enum { WORD_LEAST = 6, BEFORE_WORD = 1024 };

static bool ends_word(char c)
{
    return (uint8_t)c <= ' ' || strchr("\"'<>(),;:[]{}|`\\", c) != NULL;
}

/* Where a long source is to be opened: before the first word that it shares with what waits. */
static size_t place_of(tut_str source, tut_str what)
{
    for (size_t at = 0; at < what.len && at < TUT_HOLD_SOURCE_BYTES; at++) {
        size_t end = at, found;
        while (end < what.len && !ends_word(what.data[end]))
            end++;
        tut_str word = {what.data + at, end - at};
        if (word.len >= WORD_LEAST && tut_str_find(source, word, &found))
            return found > BEFORE_WORD ? found - BEFORE_WORD : 0;
        at = end;
    }
    return 0;
}

static tut_status add_source(tut_hold *h, const tut_guard_segment *s, tut_error *err)
{
    if (h->source_count == TUT_HOLD_SOURCES)
        return TUT_SUCCESS;
    tut_hold_source *to = &h->sources[h->source_count];
    bool is_long = s->text.len > TUT_HOLD_SOURCE_BYTES;
    size_t from = is_long ? place_of(s->text, h->what) : 0;
    TUT_TRY(keep(h, part_of(s->text, from, TUT_HOLD_SOURCE_BYTES), &to->text, err));
    TUT_TRY(keep(h, tut_str_of(tut_guard_role_name(s->role)), &to->role, err));
    TUT_TRY(keep(h, tut_str_of(s->where), &to->where, err));
    to->is_cut = is_long;
    h->source_count++;
    return TUT_SUCCESS;
}

static tut_status take_sources(tut_hold *h, const tut_hold_facts *f, tut_error *err)
{
    const tut_guard_request *r = f->request;
    const tut_guard_segment *asked = NULL;
    h->sources = tut_arena_take(&h->arena, TUT_HOLD_SOURCES, sizeof(*h->sources));
    if (!h->sources)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->segment_count; i++)
        if (r->segments[i].role == TUT_ROLE_USER)
            asked = &r->segments[i];
    if (asked)
        TUT_TRY(add_source(h, asked, err));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = r->segment_count; i > 0; i--) {
            const tut_guard_segment *s = &r->segments[i - 1];
            bool named = s->role != TUT_ROLE_NONE && is_named(h, f, s->where);
            bool wanted = pass == 0 ? named : !named && tut_role_is_untrusted(s->role);
            if (wanted && s != asked)
                TUT_TRY(add_source(h, s, err));
        }
    }
    return TUT_SUCCESS;
}

/* --- calls that wait together --- */

static void put_arguments(tut_json *j, tut_str text)
{
    tut_json_doc *doc = NULL;
    tut_json_key(j, "arguments");
    if (tut_is_ok(tut_json_parse(tut_span_of(text.data, text.len), NULL, &doc, NULL)))
        tut_json_raw(j, tut_str_trim(text));
    else
        tut_json_str(j, text);
    tut_json_doc_free(doc);
}

static tut_status list_calls(const tut_hold_facts *f, tut_buf *tools, tut_buf *what, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(what, &j));
    tut_json_array(j);
    for (size_t i = 0; i < f->call_count; i++) {
        const tut_guard_held *c = &f->calls[i];
        tut_buf_add_z(tools, i ? ", " : "");
        tut_buf_add_str(tools, c->tool.len ? c->tool : TUT_LIT("the answer"));
        tut_json_object(j);
        tut_json_put_or_null(j, "tool", c->tool);
        tut_json_put_z(j, "class", c->type);
        put_arguments(j, c->arguments);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    TUT_TRY(tut_buf_check(tools, err));
    return tut_json_finish(j, err);
}

static tut_status take_facts(tut_hold *h, const tut_hold_facts *f, tut_error *err)
{
    const tut_guard_request *r = f->request;
    const tut_guard_policy *p = r->guard->policy;
    const tut_guard_tool *tool = f->tool.len ? tut_guard_tool_of(p, f->tool) : NULL;
    const char *class = f->call_count > 1 ? "several" : tool ? tut_tool_class_name(tool->type) : "";
    TUT_TRY(keep(h, r->route ? r->route->id : TUT_LIT(""), &h->route, err));
    TUT_TRY(keep(h, r->client ? r->client->id : TUT_LIT(""), &h->client, err));
    TUT_TRY(keep(h, r->model, &h->model, err));
    TUT_TRY(keep(h, f->person, &h->person, err));
    TUT_TRY(keep(h, part_of(f->tool, 0, TUT_HOLD_TOOL_BYTES), &h->tool, err));
    TUT_TRY(keep(h, tut_str_of(class), &h->tool_class, err));
    h->what_bytes = f->what.len;
    h->is_cut = f->what.len > TUT_HOLD_WHAT_BYTES;
    TUT_TRY(keep(h, part_of(f->what, 0, TUT_HOLD_WHAT_BYTES), &h->what, err));
    TUT_TRY(take_reasons(h, f->decision, err));
    return take_sources(h, f, err);
}

static tut_status make(const tut_hold_facts *facts, tut_hold *ret_hold, tut_error *err)
{
    const tut_guard_policy *p = facts->request->guard->policy;
    TUT_CLEAN(tut_hold)
    h = {.kind = facts->kind,
         .at_ms = facts->now_ms,
         .policy = p->version,
         .people = p->approvals.people};
    tut_arena_init(&h.arena, 0);
    h.expires_ms = facts->now_ms + (int64_t)p->approvals.timeout_s * 1000;
    TUT_TRY(draw(&h, err));
    tut_span bytes = facts->kind == TUT_HOLD_CALL ? tut_span_of(facts->what.data, facts->what.len)
                                                  : facts->bytes;
    TUT_TRY(tut_sha256_of(bytes, &h.digest, err));
    TUT_TRY(take_facts(&h, facts, err));
    *ret_hold = h;
    h = (tut_hold){0};
    return TUT_SUCCESS;
}

tut_status tut_hold_make(const tut_hold_facts *facts, tut_hold *ret_hold, tut_error *err)
{
    tut_hold_facts f = *facts;
    TUT_CLEAN(tut_buf) tools = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) what = TUT_BUF_INIT;
    if (f.call_count == 1) {
        f.tool = f.calls[0].tool;
        f.what = f.calls[0].arguments;
        f.bytes = tut_span_of(f.what.data, f.what.len);
        f.kind = f.tool.len ? TUT_HOLD_CALL : TUT_HOLD_ANSWER;
    } else if (f.call_count > 1) {
        TUT_TRY(list_calls(&f, &tools, &what, err));
        f.tool = tut_buf_str(&tools);
        f.what = tut_buf_str(&what);
    }
    return make(&f, ret_hold, err);
}
