/*
 * Examines bytes as the scan engine does (detect by content, examine, members in turn) and keeps
 * what was said as text lines, for tests of the parsers alone: "rule zip.overlap x.zip!/a"   "fact
 * zip.members=2 x.zip"   "member x.zip!/a npy"
 */
#ifndef TESTS_EXAM_RECORDER_H
#define TESTS_EXAM_RECORDER_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "formats/format.h"

enum { RECORDER_DEPTH = 6 };

typedef struct exam_recorder {
    tut_buf log;
    char where[1024]; /* location of the artefact at hand */
    unsigned depth;
    bool content;
    bool sniffs_only; /* members are looked at, not examined */
    tut_budget budget;
    uint64_t read_bytes; /* by members that nobody examines: none */
} exam_recorder;

static void recorder_fact(void *ctx, const char *key, tut_str value)
{
    exam_recorder *r = ctx;
    tut_buf_printf(&r->log, "fact %s=", key);
    tut_buf_add_escaped(&r->log, value, 200);
    tut_buf_printf(&r->log, " %s\n", r->where);
}

static void recorder_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    exam_recorder *r = ctx;
    (void)offset;
    tut_buf_printf(&r->log, "rule %s %s : ", rule, r->where);
    tut_buf_add_escaped(&r->log, detail, 400);
    tut_buf_add_byte(&r->log, '\n');
}

static void recorder_pickle(void *ctx, const tut_pickle_event *event)
{
    exam_recorder *r = ctx;
    tut_buf_add_z(&r->log, "pickle ");
    tut_buf_add_escaped(&r->log, event->module, 80);
    tut_buf_add_byte(&r->log, '.');
    tut_buf_add_escaped(&r->log, event->name, 80);
    tut_buf_printf(&r->log, " %s\n", r->where);
}

/* "calls os.system load hidden 'ls'" */
static void recorder_reference(void *ctx, const tut_reference *reference)
{
    static const char *const acts[] = {"tag", "apply", "target", "calls"};
    exam_recorder *r = ctx;
    tut_buf_printf(&r->log, "%s ", acts[reference->act]);
    tut_buf_add_escaped(&r->log, reference->name, 200);
    tut_buf_printf(&r->log, "%s%s '", reference->is_on_load ? " load" : "",
                   reference->is_hidden ? " hidden" : "");
    tut_buf_add_escaped(&r->log, reference->argument, 200);
    tut_buf_add_z(&r->log, "'\n");
}

/* "package pypi name version digest digests" */
static void recorder_package(void *ctx, const tut_package *p)
{
    exam_recorder *r = ctx;
    tut_buf_printf(&r->log, "package %s ", p->type);
    tut_buf_add_escaped(&r->log, p->name, 200);
    tut_buf_add_byte(&r->log, ' ');
    tut_buf_add_escaped(&r->log, p->version.len ? p->version : TUT_LIT("-"), 200);
    tut_buf_add_byte(&r->log, ' ');
    tut_buf_add_escaped(&r->log, p->digest.len ? p->digest : TUT_LIT("-"), 200);
    tut_buf_printf(&r->log, " %u\n", p->digests);
}

static tut_status recorder_member(void *ctx, tut_str name, const tut_source *source,
                                  tut_stream *stream, uint64_t size, tut_error *err);

static tut_status recorder_sibling(void *ctx, const char *rel, tut_source *ret, tut_error *err)
{
    (void)ctx;
    (void)ret;
    return tut_fail(err, TUT_IO, "no file %s here", rel);
}

static const tut_exam_ops recorder_ops = {.fact = recorder_fact,
                                          .observe = recorder_observe,
                                          .pickle = recorder_pickle,
                                          .reference = recorder_reference,
                                          .package = recorder_package,
                                          .member = recorder_member,
                                          .sibling = recorder_sibling};

/* Reads what a decoder gives into memory, for formats that want random access. */
static tut_status recorder_hold(tut_stream *stream, tut_buf *held)
{
    tut_span some = {0};
    while (held->len < TUT_LIMIT_MEMBER_BYTES) {
        TUT_TRY(tut_stream_peek_some(stream, 16u << 10, &some));
        if (some.len == 0)
            break;
        tut_buf_add(held, some.data, some.len);
        TUT_TRY(tut_stream_skip(stream, some.len));
    }
    return TUT_SUCCESS;
}

static tut_status recorder_run(exam_recorder *r, tut_str name, const tut_source *source,
                               tut_stream *stream, uint64_t size, bool is_member)
{
    uint8_t tail[512];
    tut_sniff s = {.name = name, .path = name, .size = size};
    tut_error err = {0};
    tut_source memory;
    TUT_AUTO(tut_stream) own = NULL;
    TUT_CLEAN(tut_buf) held;
    tut_buf_init(&held, 0);
    if (source) {
        size_t n = source->size < sizeof(tail) ? (size_t)source->size : sizeof(tail);
        TUT_TRY(tut_source_read(source, source->size - n, tail, n, NULL));
        s.tail = tut_span_of(tail, n);
        TUT_TRY(tut_stream_open_source(source, &own));
        stream = own;
    }
    TUT_TRY(tut_stream_peek_some(stream, 4096, &s.head));
    tut_match match = TUT_MATCH_NONE;
    const tut_format *f = tut_format_detect(&s, &match);
    tut_buf_printf(&r->log, "member %s %s\n", r->where, f ? f->name : "-");
    if (!f || !f->examine || (is_member && r->sniffs_only) || r->depth >= RECORDER_DEPTH)
        return TUT_SUCCESS;
    if (f->needs_source && !source) {
        TUT_TRY(recorder_hold(stream, &held));
        memory = tut_source_memory(tut_buf_span(&held));
        source = &memory;
        size = memory.size;
        TUT_TRY(tut_stream_open_source(source, &own));
        stream = own;
    }
    tut_exam x = {.stream = stream,
                  .source = source,
                  .size = size,
                  .name = name,
                  .budget = &r->budget,
                  .content = r->content,
                  .is_member = is_member,
                  .ops = &recorder_ops,
                  .ctx = r};
    tut_status status = f->examine(&x, &err);
    if (!tut_is_ok(status))
        tut_buf_printf(&r->log, "status %s %s : %s\n", tut_code_name(status.code), r->where,
                       err.text);
    return TUT_SUCCESS;
}

static tut_status recorder_member(void *ctx, tut_str name, const tut_source *source,
                                  tut_stream *stream, uint64_t size, tut_error *err)
{
    (void)err;
    exam_recorder *r = ctx;
    size_t before = strlen(r->where);
    TUT_CLEAN(tut_buf) shown;
    tut_buf_init(&shown, 0);
    tut_buf_add_escaped(&shown, name, 100);
    (void)snprintf(r->where + before, sizeof(r->where) - before, "!/%s", tut_buf_z(&shown));
    r->depth++;
    tut_status s = recorder_run(r, name, source, stream, size, true);
    r->depth--;
    r->where[before] = '\0';
    return s;
}

/* Returns the log, which lives until recorder_done. */
static inline const char *recorder_examine(exam_recorder *r, const char *name,
                                           const tut_source *source, bool content)
{
    *r = (exam_recorder){.content = content};
    tut_budget_init(&r->budget);
    (void)snprintf(r->where, sizeof(r->where), "%s", name);
    TUT_IGNORE(recorder_run(r, tut_str_of(name), source, NULL, source->size, false));
    const char *log = tut_buf_z(&r->log);
    return log ? log : "";
}

static inline void recorder_done(exam_recorder *r)
{
    tut_buf_done(&r->log);
}

static inline bool recorder_has(const char *log, const char *wanted)
{
    return strstr(log, wanted) != NULL;
}

#endif
