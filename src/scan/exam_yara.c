/* The rules that users bring, over one artefact: a file, or a member as it decodes. */
#include <string.h>

#include "base/limits.h"
#include "scan/exam_internal.h"
#include "scan/yara.h"

enum { TITLE_CHARS = 160 };

static uint64_t subject_of(tut_str rule)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < rule.len; i++)
        h = (h ^ (uint8_t)rule.data[i]) * 0x100000001b3u;
    return h | 1;
}

static void on_match(void *ctx, const tut_yara_match *m)
{
    tut_frame *f = ctx;
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_buf_add_escaped(&title, m->title, TITLE_CHARS);
    tut_finding_seed seed = {.rule = "user.yara",
                             .severity = m->severity,
                             .title = title.len ? tut_buf_z(&title) : NULL,
                             .message = tut_str_of(m->seen),
                             .location = f->location,
                             .offset = m->offset,
                             .subject = subject_of(m->rule)};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static void tell_lack(tut_frame *f, const char *why)
{
    tut_frame_line(f, "user.yara-incomplete", -1, tut_str_of(why));
}

static void show_bytes(tut_frame *f, const tut_source *bytes)
{
    TUT_AUTO_FREE char *name = tut_strndup(f->name.data, f->name.len);
    TUT_AUTO_FREE char *path = tut_strndup(f->location.data, f->location.len);
    tut_error why = {0};
    if (!name || !path) {
        tut_frame_note(f->run, (tut_status){TUT_NOMEM});
        return;
    }
    tut_yara_target target = {
        .bytes = bytes, .name = name, .path = path, .on_match = on_match, .ctx = f};
    if (!tut_is_ok(tut_yara_scan(tut_yara_in_force(), &target, &why)))
        tell_lack(f, why.text);
}

/* --- what comes out of a decoder --- */
static bool hold(tut_frame *f, tut_stream *stream, tut_buf *held)
{
    tut_budget *budget = &f->run->budget;
    tut_buf_init(held, TUT_LIMIT_MEMBER_BYTES);
    for (;;) {
        tut_span some;
        if (!tut_is_ok(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &some)) || some.len == 0)
            return true; /* why it ended early, the parser finds out */
        if (held->len + some.len > TUT_LIMIT_MEMBER_BYTES ||
            !tut_is_ok(tut_budget_heap(budget, some.len, NULL)))
            return false;
        tut_buf_add(held, some.data, some.len);
        if (!tut_is_ok(tut_buf_check(held, NULL)) || !tut_is_ok(tut_stream_skip(stream, some.len)))
            return false;
    }
}

/* The bytes that were held, and after them what the decoder still has. */
typedef struct replay {
    const tut_buf *held;
    size_t given;
    tut_stream *rest;
} replay;

static tut_status replay_read(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    replay *r = ctx;
    tut_span some = {0};
    const char *text = NULL;
    if (r->given < r->held->len) {
        size_t left = r->held->len - r->given;
        size_t n = left < cap ? left : cap;
        memcpy(to, r->held->data + r->given, n);
        r->given += n;
        *ret_got = n;
        return TUT_SUCCESS;
    }
    size_t most = cap < TUT_LIMIT_PEEK_BYTES ? cap : TUT_LIMIT_PEEK_BYTES;
    TUT_TRY(tut_stream_peek_some(r->rest, most, &some));
    *ret_got = some.len;
    if (some.len > 0) {
        memcpy(to, some.data, some.len);
        return tut_stream_skip(r->rest, some.len);
    }
    tut_code failure = tut_stream_failure(r->rest, &text);
    return failure == TUT_OK ? TUT_SUCCESS : tut_fail(err, failure, "%s", text ? text : "");
}

static void replay_free(void *ctx)
{
    tut_free(ctx);
}

tut_status tut_frame_show(tut_frame *f, const tut_artefact *a, tut_buf *held,
                          tut_stream **ret_again, tut_error *err)
{
    if (!tut_yara_in_force() || f->run->request->facts_only)
        return TUT_SUCCESS;
    if (a->source) {
        show_bytes(f, a->source);
        return TUT_SUCCESS;
    }
    if (!hold(f, a->stream, held))
        tell_lack(f, "the member is too large to be shown to the rules whole");
    tut_source memory = tut_source_memory(tut_buf_span(held));
    show_bytes(f, &memory);
    replay *r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *r = (replay){.held = held, .rest = a->stream};
    return tut_stream_open_pull((tut_pull){.read = replay_read, .free = replay_free, .ctx = r},
                                ret_again);
}
