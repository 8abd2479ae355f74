/*
 * Examining one file: recognise it by content, let its format read it, judge what was seen, and do
 * the same for what lies inside it, as deep as the budget allows.
 *
 * A frame is one artefact on the way down: the file, a member of it, a member of that. Members are
 * examined while their container is, so frames nest as deep as TUT_LIMIT_DEPTH.
 */
#include "scan/exam.h"

#include <string.h>
#include <sys/stat.h>

#include "base/reader.h"
#include "crypto/digest.h"
#include "formats/payload.h"
#include "formats/pickle_stream.h"
#include "scan/pickle_policy.h"

enum {
    HEAD_BYTES = 4096,
    TAIL_BYTES = 512,
    MEMBER_NAME_MAX = 256,
    LINE_CHARS = 400,
    LFS_POINTER_MAX = 1024
};

typedef struct exam_run {
    tut_cage_task *task;
    const tut_exam_request *request;
    tut_file_report *report;
    tut_budget budget;
    tut_code failed;                  /* memory ran out while reporting: seen at the end */
    char program[TUT_ERROR_PATH_MAX]; /* where a member that is a program lies, escaped */
    const char *program_kind;         /* "an ELF program", or NULL */
} exam_run;

typedef struct frame {
    exam_run *run;
    const struct frame *outer;
    const tut_format *format;
    tut_str location; /* escaped */
    tut_str name;     /* as in the container, raw */
    bool is_script;   /* TorchScript, as its parser says */
    int worst_seen;   /* severity of what the parser itself observed here; -1: nothing */
} frame;

static void note_failure(exam_run *run, tut_status status)
{
    if (!tut_is_ok(status) && run->failed == TUT_OK)
        run->failed = status.code;
}

static void add_finding(frame *f, const char *rule, int severity, uint64_t offset, tut_str message)
{
    if (f->run->request->facts_only)
        return;
    tut_finding_seed seed = {.rule = rule,
                             .severity = severity,
                             .message = message,
                             .location = f->location,
                             .offset = offset};
    note_failure(f->run, tut_report_add(f->run->report, &seed));
}

static void add_line(frame *f, const char *rule, int severity, tut_str raw)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, raw, LINE_CHARS);
    add_finding(f, rule, severity, TUT_NO_OFFSET, tut_buf_str(&line));
}

/* --- what parsers report --- */
static void on_fact(void *ctx, const char *key, tut_str value)
{
    frame *f = ctx;
    if (strcmp(key, "torch.script") == 0)
        f->is_script = tut_str_eq_z(value, "yes");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_escaped(&text, value, TUT_LIMIT_FACT_BYTES / 4);
    note_failure(f->run, tut_report_fact(f->run->report, key, tut_buf_str(&text)));
}

static void on_package(void *ctx, const tut_package *p)
{
    frame *f = ctx;
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) version = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) digest = TUT_BUF_INIT;
    tut_buf_add_escaped(&name, p->name, TUT_LIMIT_FACT_BYTES / 4);
    tut_buf_add_escaped(&version, p->version, TUT_LIMIT_FACT_BYTES / 4);
    tut_buf_add_escaped(&digest, p->digest, TUT_LIMIT_FACT_BYTES / 4);
    tut_package escaped = {.type = p->type,
                           .name = tut_buf_str(&name),
                           .version = tut_buf_str(&version),
                           .digest = tut_buf_str(&digest),
                           .digests = p->digests};
    note_failure(f->run, tut_report_package(f->run->report, &escaped));
}

static void on_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    frame *f = ctx;
    const tut_rule *row = tut_rule_find(tut_str_of(rule));
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (!row)
        tut_buf_printf(&line, "%s: ", rule);
    tut_buf_add_escaped(&line, detail, LINE_CHARS);
    add_finding(f, rule, -1, offset, tut_buf_str(&line));
    int severity = row ? (int)row->severity : TUT_SEVERITY_HIGH;
    if (severity > f->worst_seen)
        f->worst_seen = severity;
}

/* PyTorch's files keep storages beside the pickle and refer to them by persistent id. */
static tut_pickle_context context_of(const frame *f)
{
    tut_pickle_context context = {0};
    for (; f; f = f->outer) {
        if (!f->format)
            continue;
        context.is_script = context.is_script || f->is_script;
        context.has_storages = context.has_storages || strcmp(f->format->name, "torch-zip") == 0 ||
                               strcmp(f->format->name, "torch-legacy") == 0;
    }
    return context;
}

static void on_pickle(void *ctx, const tut_pickle_event *event)
{
    frame *f = ctx;
    if (f->run->request->facts_only)
        return;
    tut_pickle_verdict verdict;
    tut_pickle_context context = context_of(f);
    tut_pickle_judge(event, &context, &verdict);
    if (verdict.settles_import)
        tut_report_take_back(f->run->report, "pickle.import-dangerous", verdict.subject,
                             f->location);
    if (!verdict.rule)
        return;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_pickle_describe(event, &verdict, &line);
    tut_finding_seed seed = {.rule = verdict.rule,
                             .severity = (int)verdict.severity,
                             .title = verdict.title,
                             .message = tut_buf_str(&line),
                             .location = f->location,
                             .offset = event->offset,
                             .subject = verdict.subject,
                             .rank = verdict.rank};
    note_failure(f->run, tut_report_add(f->run->report, &seed));
}

static tut_status on_sibling(void *ctx, const char *rel, tut_source *ret_source, tut_error *err)
{
    frame *f = ctx;
    if (!f->run->task)
        return tut_fail(err, TUT_UNSUPPORTED, "no files beside this one can be opened here");
    return tut_cage_sibling(f->run->task, rel, ret_source, err);
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size_or_max, tut_error *err);

static const tut_exam_ops exam_ops = {
    .fact = on_fact,
    .observe = on_observe,
    .pickle = on_pickle,
    .package = on_package,
    .member = on_member,
    .sibling = on_sibling,
};

/* --- one artefact --- */
typedef struct artefact {
    const tut_source *source; /* exactly one of these two */
    tut_stream *stream;
    uint64_t size;
} artefact;

/* The rule that says why reading stopped, and how grave that is at least. */
static const char *stop_rule(tut_code code)
{
    switch (code) {
    case TUT_TRUNCATED:
        return "file.truncated";
    case TUT_MALFORMED:
        return "file.malformed";
    case TUT_LIMIT:
    case TUT_NOMEM:
        return "file.limit";
    case TUT_UNSUPPORTED:
        return "file.unsupported";
    case TUT_OK:
    case TUT_USAGE:
    case TUT_IO:
    case TUT_DENIED:
    case TUT_CRYPTO:
    case TUT_STORE:
    case TUT_CANCELLED:
    case TUT_BUG:
    case TUT_CODE_COUNT:
        break;
    }
    return NULL;
}

static void spoil(frame *f, tut_scan_status status, const char *why)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (f->outer) {
        tut_buf_add_str(&line, f->location);
        tut_buf_add_z(&line, ": ");
    }
    tut_buf_add_escaped(&line, tut_str_of(why), LINE_CHARS);
    const char *text = tut_buf_z(&line);
    note_failure(f->run, tut_report_spoil(f->run->report, status, text ? text : why));
}

/* An examination that could not be finished. Hands up only what ends the file as a whole. */
static tut_status conclude(frame *f, tut_status status, const tut_error *why)
{
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    const char *rule = stop_rule(status.code);
    const char *text = why->text[0] ? why->text : tut_code_sentence(status.code);
    if (!rule)
        return status;
    spoil(f, TUT_SCAN_INCOMPLETE, text);
    const tut_rule *row = tut_rule_find(tut_str_of(rule));
    if (f->worst_seen >= (int)row->severity)
        return TUT_SUCCESS; /* the parser has said it better */
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, tut_str_of(text), LINE_CHARS);
    add_finding(f, rule, -1, why->has_offset ? why->offset : TUT_NO_OFFSET, tut_buf_str(&line));
    return TUT_SUCCESS;
}

static tut_status read_edges(artefact *a, uint8_t *head, uint8_t *tail, tut_sniff *s,
                             tut_error *err)
{
    if (a->source) {
        size_t got = 0;
        TUT_TRY(tut_source_read_some(a->source, 0, head, HEAD_BYTES, &got, err));
        s->head = tut_span_of(head, got);
        uint64_t at = a->source->size > TAIL_BYTES ? a->source->size - TAIL_BYTES : 0;
        TUT_TRY(tut_source_read_some(a->source, at, tail, TAIL_BYTES, &got, err));
        s->tail = tut_span_of(tail, got);
        s->size = a->source->size;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_stream_peek_some(a->stream, HEAD_BYTES, &s->head));
    s->size = a->size;
    return TUT_SUCCESS;
}

static void check_name(frame *f)
{
    bool is_severe;
    if (tut_name_fits(f->name, f->format, &is_severe))
        return;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    tut_buf_add_z(&raw, "the content is ");
    tut_buf_add_z(&raw, f->format->label);
    tut_buf_add_z(&raw, is_severe ? ", which can run code when it is loaded; the name is "
                                  : "; the name is ");
    tut_buf_add_str(&raw, f->name);
    add_line(f, "file.extension-mismatch", is_severe ? TUT_SEVERITY_HIGH : -1, tut_buf_str(&raw));
}

/* A stream's content in memory, for a format that wants to jump about in it. */
static tut_status hold_in_memory(exam_run *run, tut_stream *stream, tut_buf *held, tut_error *err)
{
    tut_buf_init(held, TUT_LIMIT_MEMBER_BYTES);
    for (;;) {
        tut_span some;
        TUT_TRY(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        if (held->len + some.len > TUT_LIMIT_MEMBER_BYTES)
            return tut_fail(err, TUT_LIMIT, "too large to be unpacked in memory");
        TUT_TRY(tut_budget_heap(&run->budget, some.len, err));
        tut_buf_add(held, some.data, some.len);
        TUT_TRY(tut_buf_check(held, err));
        TUT_TRY(tut_stream_skip(stream, some.len));
    }
}

typedef tut_status (*examine_fn)(tut_exam *x, tut_error *err);

static tut_status call_examiner(frame *f, const artefact *a, examine_fn examiner, tut_error *err)
{
    TUT_AUTO(tut_stream) opened = NULL;
    if (a->source)
        TUT_TRY(tut_stream_open_source(a->source, &opened));
    tut_exam x = {
        .stream = a->source ? opened : a->stream,
        .source = a->source,
        .size = a->source ? a->source->size : a->size,
        .name = f->name,
        .budget = &f->run->budget,
        .content = f->run->request->content,
        .is_member = f->outer != NULL,
        .ops = &exam_ops,
        .ctx = f,
    };
    return examiner(&x, err);
}

static tut_status examine_format(frame *f, artefact *a, tut_error *err)
{
    if (!f->format->examine)
        return TUT_SUCCESS;
    if (a->source || !f->format->needs_source)
        return call_examiner(f, a, f->format->examine, err);
    TUT_CLEAN(tut_buf) held = TUT_BUF_INIT;
    tut_status status = hold_in_memory(f->run, a->stream, &held, err);
    if (tut_is_ok(status)) {
        tut_source memory = tut_source_memory(tut_buf_span(&held));
        artefact inner = {.source = &memory, .size = memory.size};
        status = call_examiner(f, &inner, f->format->examine, err);
    }
    tut_budget_heap_return(&f->run->budget, held.len);
    return status;
}

static tut_status hand_up(tut_status status, const tut_error *why, tut_error *err)
{
    if (!tut_is_ok(status) && err)
        *err = *why;
    return status;
}

/* A program beside a model in one archive has no business there; alone it is none of ours. */
static void note_program(frame *f, tut_span head)
{
    const char *kind = f->outer ? tut_payload_program(head) : NULL;
    if (!kind || f->run->program_kind)
        return;
    f->run->program_kind = kind;
    tut_str_copy(f->run->program, sizeof(f->run->program), f->location);
}

static void tell_program(exam_run *run, frame *f)
{
    if (!run->program_kind || !run->report->has_model)
        return;
    frame member = {.run = run, .location = tut_str_of(run->program), .name = f->name};
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&line, "%s lies beside the model", run->program_kind);
    add_line(&member, "data.hidden-payload", -1, tut_buf_str(&line));
}

/* Of no known format. What is named like a model is loaded as one all the same, so it is searched
 * for what a loader would run; inside an archive it is said that it could not be read. */
static tut_status examine_unknown(frame *f, artefact *a, tut_error *err)
{
    if ((!tut_name_is_model(f->name) && !tut_name_is_opaque(f->name)) || a->size == 0)
        return TUT_SUCCESS;
    TUT_TRY(call_examiner(f, a, tut_pstream_search, err));
    if (f->outer && !tut_name_is_common(f->name)) {
        spoil(f, TUT_SCAN_INCOMPLETE, "not recognised");
        add_line(f, "file.not-recognised", -1,
                 TUT_LIT("the content is of no format that is read here"));
    }
    return TUT_SUCCESS;
}

/* Recognises and reads one artefact; *ret_format is NULL when it is nothing known. */
static tut_status examine(frame *f, artefact *a, tut_error *err)
{
    uint8_t head[HEAD_BYTES];
    uint8_t tail[TAIL_BYTES];
    tut_sniff sniff = {.name = f->name, .path = f->location};
    tut_error why = {0};
    tut_status status = conclude(f, read_edges(a, head, tail, &sniff, &why), &why);
    if (tut_is_ok(status))
        f->format = tut_format_detect(&sniff, NULL);
    if (!f->format) {
        note_program(f, sniff.head);
        if (tut_is_ok(status))
            status = conclude(f, examine_unknown(f, a, &why), &why);
        return hand_up(status, &why, err);
    }
    if (f->format->kind == TUT_KIND_MODEL)
        f->run->report->has_model = true;
    check_name(f);
    why = (tut_error){0};
    status = conclude(f, examine_format(f, a, &why), &why);
    return hand_up(status, &why, err);
}

static tut_str last_component(tut_str path)
{
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    if (!slash)
        return path;
    return (tut_str){slash + 1, path.len - (size_t)(slash + 1 - path.data)};
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size_or_max, tut_error *err)
{
    frame *outer = ctx;
    exam_run *run = outer->run;
    TUT_CLEAN(tut_buf) location = TUT_BUF_INIT;
    tut_buf_add_str(&location, outer->location);
    tut_buf_add_z(&location, "!/");
    tut_buf_add_escaped(&location, name, MEMBER_NAME_MAX);
    TUT_TRY(tut_buf_check(&location, err));
    frame f = {.run = run,
               .outer = outer,
               .location = tut_buf_str(&location),
               .name = last_component(name),
               .worst_seen = -1};
    if (run->budget.depth_left == 0) {
        spoil(&f, TUT_SCAN_INCOMPLETE, "nested too deeply to be examined");
        add_line(&f, "file.limit", -1, TUT_LIT("nested too deeply to be examined"));
        return TUT_SUCCESS;
    }
    run->budget.depth_left--;
    artefact a = {.source = source, .stream = stream, .size = size_or_max};
    tut_status status = examine(&f, &a, err);
    run->budget.depth_left++;
    return status;
}

/* --- the whole file --- */
/* What Git leaves behind where a large file has not been fetched. */
static bool is_lfs_pointer(const tut_source *bytes)
{
    static const char first[] = "version https://git-lfs.github.com/spec/";
    char head[sizeof(first) - 1];
    return bytes->size < LFS_POINTER_MAX && bytes->size >= sizeof(head) &&
           tut_is_ok(tut_source_read(bytes, 0, head, sizeof(head), NULL)) &&
           memcmp(head, first, sizeof(head)) == 0;
}

/* Text under an ending that models share with text is no model, and hides nothing. */
static bool is_plain_text(const frame *f, const tut_source *bytes)
{
    uint8_t head[HEAD_BYTES];
    size_t got = 0;
    if (!tut_name_is_common(f->name) || bytes->size == 0 ||
        !tut_is_ok(tut_source_read_some(bytes, 0, head, sizeof(head), &got, NULL)))
        return false;
    tut_sniff s = {.head = tut_span_of(head, got), .size = bytes->size};
    return tut_sniff_text(&s);
}

static void not_recognised(frame *f, const tut_source *bytes)
{
    bool is_pointer = is_lfs_pointer(bytes);
    const char *why = bytes->size == 0 ? "the file is empty"
                      : is_pointer     ? "a Git LFS pointer, not the file itself"
                                       : "not recognised";
    note_failure(f->run, tut_report_spoil(f->run->report, TUT_SCAN_UNSUPPORTED, why));
    if (is_pointer)
        add_line(f, "file.lfs-pointer", -1, tut_str_of(why));
    else if ((tut_name_is_model(f->name) || tut_name_is_opaque(f->name)) &&
             !is_plain_text(f, bytes))
        add_line(f, "file.not-recognised", -1,
                 bytes->size == 0 ? tut_str_of(why)
                                  : TUT_LIT("the content is of no format that is read here"));
}

/* An archive under a model's name in which nothing was a model. */
static void nothing_inside(frame *f)
{
    tut_file_report *r = f->run->report;
    if (f->format->kind != TUT_KIND_NONE || r->has_model || r->status != TUT_SCAN_COMPLETE ||
        !tut_name_is_opaque(f->name))
        return;
    TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
    tut_buf_printf(&why, "%s, with nothing in it of a model format that is read here",
                   f->format->label);
    add_line(f, "file.not-recognised", -1, tut_buf_str(&why));
    const char *text = tut_buf_z(&why);
    note_failure(f->run, tut_report_spoil(r, TUT_SCAN_UNSUPPORTED, text ? text : "nothing inside"));
}

static bool is_unchanged(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

static tut_status hash_file(frame *f, const tut_source *bytes, tut_error *err)
{
    tut_file_report *r = f->run->report;
    tut_status status = tut_sha256_source(bytes, &r->digest, err);
    r->has_digest = tut_is_ok(status);
    return status.code == TUT_TRUNCATED ? TUT_SUCCESS : status; /* it shrank: said below */
}

static void check_unchanged(frame *f, const tut_source *bytes, const struct stat *before)
{
    struct stat after;
    if (bytes->fd < 0 || (fstat(bytes->fd, &after) == 0 && is_unchanged(before, &after)))
        return;
    f->run->report->has_digest = false;
    spoil(f, TUT_SCAN_INCOMPLETE, "the file changed while it was read");
    add_line(f, "file.changed-while-read", -1, TUT_LIT("size or time differ from the beginning"));
}

static tut_status examine_file(frame *f, const tut_source *bytes, tut_error *err)
{
    tut_file_report *r = f->run->report;
    artefact whole = {.source = bytes, .size = bytes->size};
    tut_status status = examine(f, &whole, err);
    r->format = f->format;
    if (tut_is_ok(status) && !f->format)
        not_recognised(f, bytes);
    else if (tut_is_ok(status))
        nothing_inside(f);
    tell_program(f->run, f);
    if (tut_is_ok(status) && r->is_content)
        status = hash_file(f, bytes, err);
    if (tut_is_ok(status) || status.code == TUT_CANCELLED)
        return status;
    tut_error unknown = {.code = status.code};
    const char *text = err ? err->text : unknown.text;
    spoil(f, TUT_SCAN_ERROR, text[0] ? text : tut_code_sentence(status.code));
    add_line(f, "file.unreadable", -1, tut_str_of(text[0] ? text : tut_code_sentence(status.code)));
    return TUT_SUCCESS;
}

tut_status tut_exam_file(tut_cage_task *task, const tut_source *bytes,
                         const tut_exam_request *request, tut_file_report *report, tut_error *err)
{
    struct stat before = {0};
    exam_run run = {.task = task, .request = request, .report = report};
    tut_budget_init(&run.budget);
    TUT_CLEAN(tut_buf) location = TUT_BUF_INIT;
    tut_buf_add_escaped(&location, request->rel, TUT_ERROR_PATH_MAX);
    TUT_TRY(tut_buf_check(&location, err));
    report->size = bytes->size;
    report->is_content = request->content;
    if (bytes->fd >= 0 && fstat(bytes->fd, &before) != 0)
        return tut_fail(err, TUT_IO, "the open file cannot be looked at");
    frame f = {.run = &run,
               .location = tut_buf_str(&location),
               .name = last_component(request->rel),
               .worst_seen = -1};
    tut_error why = {0};
    tut_status status = examine_file(&f, bytes, &why);
    if (!tut_is_ok(status)) {
        if (err)
            *err = why;
        return status;
    }
    check_unchanged(&f, bytes, &before);
    if (run.failed != TUT_OK)
        return tut_fail(err, run.failed, "memory ran out");
    tut_report_sort(report);
    return TUT_SUCCESS;
}

enum { REQUEST_CONTENT = 1, REQUEST_FACTS_ONLY = 2 };

void tut_exam_request_encode(const tut_exam_request *request, tut_buf *out)
{
    tut_buf_add_byte(out, (uint8_t)((request->content ? REQUEST_CONTENT : 0) |
                                    (request->facts_only ? REQUEST_FACTS_ONLY : 0)));
    tut_buf_add_sized(out, request->rel);
}

tut_status tut_exam_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                        tut_buf *out, tut_error *err)
{
    tut_reader r = tut_reader_of(argument);
    tut_exam_request request = {0};
    uint8_t flags;
    TUT_TRY(tut_reader_u8(&r, &flags));
    TUT_TRY(tut_reader_sized(&r, &request.rel));
    request.content = flags & REQUEST_CONTENT;
    request.facts_only = flags & REQUEST_FACTS_ONLY;
    tut_file_report report = {0};
    tut_status status = tut_exam_file(task, bytes, &request, &report, err);
    if (tut_is_ok(status))
        tut_report_encode(&report, out);
    tut_file_report_done(&report);
    return status;
}
