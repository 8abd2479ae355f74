/*
 * What parsers report, and what is made of it: findings, facts, packages; and what is said when an
 * examination stopped early.
 */
#include <string.h>

#include "scan/exam_text.h"
#include "scan/lists.h"
#include "scan/pickle_names.h"
#include "scan/pickle_policy.h"
#include "scan/python_policy.h"
#include "scan/reference_policy.h"

enum { LINE_CHARS = 400 };

void tut_frame_note(tut_exam_run *run, tut_status status)
{
    if (!tut_is_ok(status) && run->failed == TUT_OK)
        run->failed = status.code;
}

void tut_frame_add(tut_frame *f, const char *rule, int severity, uint64_t offset, tut_str message)
{
    if (f->run->request->facts_only)
        return;
    tut_finding_seed seed = {.rule = rule,
                             .severity = severity,
                             .message = message,
                             .location = f->location,
                             .offset = offset};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

void tut_frame_line(tut_frame *f, const char *rule, int severity, tut_str raw)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, raw, LINE_CHARS);
    tut_frame_add(f, rule, severity, TUT_NO_OFFSET, tut_buf_str(&line));
}

/* --- what parsers report --- */
static void on_fact(void *ctx, const char *key, tut_str value)
{
    tut_frame *f = ctx;
    if (strcmp(key, "torch.script") == 0)
        f->is_script = tut_str_eq_z(value, "yes");
    TUT_CLEAN(tut_buf) masked = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_frame_text_fact(f, key, value, &masked);
    tut_buf_add_escaped(&text, tut_buf_str(&masked), TUT_LIMIT_FACT_BYTES / 4);
    tut_frame_note(f->run, tut_report_fact(f->run->report, key, tut_buf_str(&text)));
}

static void on_package(void *ctx, const tut_package *p)
{
    tut_frame *f = ctx;
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
    tut_frame_note(f->run, tut_report_package(f->run->report, &escaped));
}

static bool is_part_of_torch_tar(const tut_frame *f)
{
    return f->outer && f->outer->format && strcmp(f->outer->format->name, "torch-tar") == 0;
}

static void on_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    tut_frame *f = ctx;
    if (strcmp(rule, "pickle.data-after-stop") == 0 && is_part_of_torch_tar(f))
        return; /* storages and shapes lie between the pickles */
    const tut_rule *row = tut_rule_find(tut_str_of(rule));
    TUT_CLEAN(tut_buf) masked = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (!row)
        tut_buf_printf(&line, "%s: ", rule);
    tut_frame_text_mask(f, detail, &masked);
    tut_buf_add_escaped(&line, tut_buf_str(&masked), LINE_CHARS);
    tut_frame_add(f, rule, -1, offset, tut_buf_str(&line));
    int severity = row ? (int)row->severity : TUT_SEVERITY_HIGH;
    if (severity > f->worst_seen)
        f->worst_seen = severity;
}

/* PyTorch's files keep storages beside the pickle and refer to them by persistent id. */
static tut_pickle_context context_of(const tut_frame *f)
{
    tut_pickle_context context = {.has_numbered_storages = is_part_of_torch_tar(f)};
    for (; f; f = f->outer) {
        if (!f->format)
            continue;
        context.is_script = context.is_script || f->is_script;
        context.has_storages = context.has_storages || strcmp(f->format->name, "torch-zip") == 0 ||
                               strcmp(f->format->name, "torch-tar") == 0 ||
                               strcmp(f->format->name, "torch-package") == 0 ||
                               strcmp(f->format->name, "torch-legacy") == 0;
    }
    return context;
}

/* A class that is not known, in a package that brings its code: the code is examined as such, but
 * what it does to a state is for people to read. Functions may be given anything. */
static void soften_packaged(const tut_frame *f, const tut_pickle_event *e, tut_pickle_verdict *v)
{
    bool is_packaged = false;
    for (; f; f = f->outer)
        is_packaged |= f->format && strcmp(f->format->name, "torch-package") == 0;
    bool is_class = e->act == TUT_PICKLE_IMPORT || e->act == TUT_PICKLE_BUILD ||
                    strncmp(e->opcode, "NEWOBJ", 6) == 0;
    if (is_packaged && is_class && v->rule && strcmp(v->rule, "pickle.unknown-module") == 0)
        v->severity = TUT_SEVERITY_MEDIUM;
}

/* A name that this organisation refuses, however harmless it is. */
static void refuse_global(tut_frame *f, const tut_pickle_event *event)
{
    tut_str module = event->module;
    tut_str name = event->name;
    if (!event->is_resolved)
        return;
    const tut_listed *entry = tut_lists_refuse_global(module, name);
    if (!entry && event->protocol < 3 && tut_python2_map(&module, &name))
        entry = tut_lists_refuse_global(module, name);
    if (!entry)
        return;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, entry->global, LINE_CHARS);
    tut_buf_add_z(&line, ": ");
    tut_lists_words(entry, &line);
    tut_finding_seed seed = {.rule = "user.denied",
                             .severity = -1,
                             .message = tut_buf_str(&line),
                             .location = f->location,
                             .offset = event->offset,
                             .subject = (uint64_t)(uintptr_t)entry};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static void on_pickle(void *ctx, const tut_pickle_event *event)
{
    tut_frame *f = ctx;
    if (f->run->request->facts_only)
        return;
    refuse_global(f, event);
    bool is_in_torch = f->outer && f->outer->format &&
                       strcmp(f->outer->format->name, "torch-zip") == 0;
    if (event->act == TUT_PICKLE_PERSID && is_in_torch && f->outer->weights &&
        f->run->request->content)
        tut_frame_note(f->run, tut_weights_add_storage(f->outer->weights, f->outer->location,
                                                       event->arguments));
    tut_pickle_verdict verdict;
    tut_pickle_context context = context_of(f);
    tut_pickle_judge(event, &context, &verdict);
    soften_packaged(f, event, &verdict);
    if (verdict.settles_import)
        tut_report_take_back(f->run->report, "pickle.import-dangerous", verdict.subject,
                             f->location);
    if (!verdict.rule)
        return;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) masked = TUT_BUF_INIT;
    tut_pickle_describe(event, &verdict, &line);
    tut_frame_text_mask(f, tut_buf_str(&line), &masked);
    tut_finding_seed seed = {.rule = verdict.rule,
                             .severity = (int)verdict.severity,
                             .title = verdict.title,
                             .message = tut_buf_str(&masked),
                             .location = f->location,
                             .offset = event->offset,
                             .subject = verdict.subject,
                             .rank = verdict.rank};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static void on_python(void *ctx, const tut_python_event *event)
{
    tut_frame *f = ctx;
    tut_python_verdict verdict;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_python_judge(event, &verdict);
    tut_python_describe(event, &verdict, &line);
    if ((int)verdict.severity > f->worst_seen)
        f->worst_seen = (int)verdict.severity;
    if (f->run->request->facts_only)
        return;
    tut_finding_seed seed = {.rule = event->rule,
                             .severity = (int)verdict.severity,
                             .title = verdict.title,
                             .message = tut_buf_str(&line),
                             .location = f->location,
                             .offset = event->offset};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static void on_reference(void *ctx, const tut_reference *reference)
{
    tut_frame *f = ctx;
    tut_reference_verdict verdict;
    tut_reference_judge(reference, f->name, &verdict);
    if (!verdict.rule || f->run->request->facts_only)
        return;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_reference_describe(reference, &line);
    tut_finding_seed seed = {.rule = verdict.rule,
                             .severity = (int)verdict.severity,
                             .title = verdict.title,
                             .message = tut_buf_str(&line),
                             .location = f->location,
                             .offset = reference->offset,
                             .subject = verdict.subject};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static tut_status on_sibling(void *ctx, const char *rel, tut_source *ret_source, tut_error *err)
{
    tut_frame *f = ctx;
    if (!f->run->task)
        return tut_fail(err, TUT_UNSUPPORTED, "no files beside this one can be opened here");
    f->run->report->has_siblings = true;
    return tut_cage_sibling(f->run->task, rel, ret_source, err);
}

/* Only what lies in bytes that can be read again. */
static void on_tensor(void *ctx, const tut_tensor *tensor)
{
    tut_frame *f = ctx;
    if (!f->run->request->content || f->run->request->facts_only || !f->format ||
        !tut_frame_lies_in(f->source, f->bytes))
        return;
    tut_frame_note(f->run, tut_weights_add(f->weights, f->location,
                                           f->format->tensors == TUT_TENSORS_PARAMETERS, tensor,
                                           f->source->start - f->bytes->start));
}

const tut_exam_ops tut_frame_ops = {
    .fact = on_fact,
    .observe = on_observe,
    .pickle = on_pickle,
    .reference = on_reference,
    .package = on_package,
    .member = tut_frame_member,
    .sibling = on_sibling,
    .python = on_python,
    .tensor = on_tensor,
};

/* --- what is said when reading stopped --- */
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

void tut_frame_spoil(tut_frame *f, tut_scan_status status, const char *why)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (f->outer) {
        tut_buf_add_str(&line, f->location);
        tut_buf_add_z(&line, ": ");
    }
    tut_buf_add_escaped(&line, tut_str_of(why), LINE_CHARS);
    const char *text = tut_buf_z(&line);
    tut_frame_note(f->run, tut_report_spoil(f->run->report, status, text ? text : why));
}

/* An examination that could not be finished. Hands up only what ends the file as a whole. */
tut_status tut_frame_conclude(tut_frame *f, tut_status status, const tut_error *why)
{
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    const char *rule = stop_rule(status.code);
    const char *text = why->text[0] ? why->text : tut_code_sentence(status.code);
    if (!rule)
        return status;
    tut_frame_spoil(f, TUT_SCAN_INCOMPLETE, text);
    const tut_rule *row = tut_rule_find(tut_str_of(rule));
    if (f->worst_seen >= (int)row->severity)
        return TUT_SUCCESS; /* the parser has said it better */
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, tut_str_of(text), LINE_CHARS);
    tut_frame_add(f, rule, -1, why->has_offset ? why->offset : TUT_NO_OFFSET, tut_buf_str(&line));
    return TUT_SUCCESS;
}

/* --- what the numbers say --- */
void tut_frame_said_of_weights(void *ctx, const char *location, const char *rule, int severity,
                               uint64_t offset, tut_str line)
{
    tut_frame f = {.run = ctx, .location = tut_str_of(location)};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_escaped(&text, line, LINE_CHARS);
    tut_frame_add(&f, rule, severity, offset, tut_buf_str(&text));
}

void tut_frame_fact_of_weights(void *ctx, const char *key, tut_str value)
{
    tut_exam_run *run = ctx;
    tut_frame_note(run, tut_report_fact(run->report, key, value));
}
