/*
 * A scan: collects targets, sends each through the cage, and gathers the reports in the order of
 * paths. A file that cannot be read, or whose worker dies, has a report that says so.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/baseline.h"
#include "scan/build_id.h"
#include "scan/exam.h"
#include "scan/image.h"
#include "scan/lists.h"
#include "scan/parts.h"
#include "scan/targets.h"
#include "scan/verdict_cache.h"
#include "scan/yara.h"

typedef struct run_state {
    const tut_scan_options *options;
    tut_scan *scan;
    tut_targets *targets;
    tut_cage *cage;
    tut_verdict_cache cache;
    tut_stamp *stamps;   /* of each file as it was opened; where replies may be kept */
    uint8_t *stages;     /* of each file */
    uint64_t bytes_left; /* of targets that are not begun */
    size_t done;
} run_state;

/* Which of a file's replies comes next. Two tasks: its examination, then its digest. */
enum { STAGE_ONE_TASK, STAGE_EXAM, STAGE_DIGEST };

/* A finding of the engine itself about a whole file. */
static tut_status add_problem(run_state *run, tut_file_report *r, tut_scan_status status,
                              const char *rule, const char *text)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) place = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, tut_str_of(text), TUT_ERROR_TEXT_MAX);
    tut_buf_add_escaped(&place, tut_str_of(r->rel), TUT_ERROR_PATH_MAX);
    const char *why = tut_buf_z(&line);
    TUT_TRY(tut_report_spoil(r, status, why ? why : text));
    if (run->options->facts_only)
        return TUT_SUCCESS;
    tut_finding_seed seed = {.rule = rule,
                             .severity = -1,
                             .message = tut_buf_str(&line),
                             .location = tut_buf_str(&place),
                             .offset = TUT_NO_OFFSET};
    return tut_report_add(r, &seed);
}

static tut_status take_reply(run_state *run, tut_file_report *r, tut_span reply, tut_error *err)
{
    char *path = tut_move(&r->path);
    char *rel = tut_move(&r->rel);
    uint64_t size = r->size;
    tut_error why = {0};
    tut_status status = tut_report_decode(reply, r, &why);
    if (!tut_is_ok(status)) {
        tut_file_report_done(r);
        r->size = size;
    }
    r->path = path;
    r->rel = rel;
    if (tut_is_ok(status))
        return status;
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return add_problem(run, r, TUT_SCAN_ERROR, "file.crashed-worker",
                       "the worker's answer could not be understood");
}

static tut_status take_outcome(run_state *run, tut_file_report *r, tut_cage_outcome outcome,
                               tut_span reply, const tut_error *error, tut_error *err)
{
    const char *text = error && error->text[0] ? error->text : "no reason was given";
    switch (outcome) {
    case TUT_CAGE_DONE:
        return take_reply(run, r, reply, err);
    case TUT_CAGE_FAILED:
        if (error && error->code == TUT_CANCELLED)
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        return add_problem(run, r, TUT_SCAN_ERROR, "file.unreadable", text);
    case TUT_CAGE_CRASHED:
        return add_problem(run, r, TUT_SCAN_ERROR, "file.crashed-worker", text);
    case TUT_CAGE_TIMEOUT:
        return add_problem(run, r, TUT_SCAN_INCOMPLETE, "file.timeout", text);
    }
    return tut_fail(err, TUT_BUG, "an outcome of the cage that is not known");
}

static void tell_progress(run_state *run, const tut_file_report *r)
{
    run->done++;
    run->scan->bytes += r->size;
    if (run->options->progress)
        run->options->progress(run->options->progress_ctx, run->done, run->targets->count,
                               run->scan->bytes);
}

/* --- what an earlier scan found --- */
static bool find_cached(run_state *run, tut_file_report *r, int fd)
{
    struct stat st;
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    tut_file_report found = {0};
    size_t at = (size_t)(r - run->scan->files);
    if (!run->cache.dir || fstat(fd, &st) != 0)
        return false;
    tut_stamp_of(&st, &run->stamps[at]);
    if (!tut_verdict_cache_find(&run->cache, tut_str_of(r->rel), fd, &run->stamps[at], &reply))
        return false;
    if (!tut_is_ok(tut_report_decode(tut_buf_span(&reply), &found, NULL)) ||
        found.status != TUT_SCAN_COMPLETE || !found.has_digest) {
        tut_file_report_done(&found);
        return false;
    }
    found.path = r->path;
    found.rel = r->rel;
    *r = found;
    run->scan->cached++;
    return true;
}

static void keep(run_state *run, const tut_file_report *r, tut_span reply)
{
    size_t at = (size_t)(r - run->scan->files);
    if (run->cache.dir && r->status == TUT_SCAN_COMPLETE && r->has_digest && !r->has_siblings)
        tut_verdict_cache_keep(&run->cache, tut_str_of(r->rel), &run->stamps[at], &r->digest,
                               reply);
}

/* The digest of a file that is examined already. */
static tut_status take_digest(run_state *run, tut_file_report *r, tut_cage_outcome outcome,
                              tut_span reply, const tut_error *error, tut_error *err)
{
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    bool has_digest = r->has_digest;
    r->has_digest = false;
    if (outcome != TUT_CAGE_DONE)
        return take_outcome(run, r, outcome, reply, error, err);
    if (reply.len == 0 && has_digest)
        return add_problem(run, r, TUT_SCAN_INCOMPLETE, "file.changed-while-read",
                           "the file changed while it was read");
    if (reply.len != sizeof(r->digest.bytes) || !has_digest)
        return TUT_SUCCESS;
    memcpy(r->digest.bytes, reply.data, reply.len);
    r->has_digest = true;
    tut_report_encode(r, &whole);
    TUT_TRY(tut_buf_check(&whole, err));
    keep(run, r, tut_buf_span(&whole));
    return TUT_SUCCESS;
}

static tut_status on_done(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                          const tut_error *error, tut_error *err)
{
    run_state *run = ctx;
    tut_file_report *r = tag;
    uint8_t *stage = &run->stages[r - run->scan->files];
    if (*stage == STAGE_DIGEST) {
        TUT_TRY(take_digest(run, r, outcome, reply, error, err));
    } else {
        TUT_TRY(take_outcome(run, r, outcome, reply, error, err));
        if (*stage == STAGE_EXAM) {
            *stage = STAGE_DIGEST;
            return TUT_SUCCESS;
        }
        if (outcome == TUT_CAGE_DONE)
            keep(run, r, reply);
    }
    tell_progress(run, r);
    return TUT_SUCCESS;
}

static tut_status submit(run_state *run, const tut_target *target, tut_file_report *r, int fd,
                         int dirfd, tut_exam_digest digest, tut_error *err)
{
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    tut_exam_request request = {.content = run->options->content,
                                .facts_only = run->options->facts_only,
                                .text = run->options->content && !run->options->facts_only,
                                .digest = digest,
                                .rel = tut_str_of(target->rel)};
    tut_exam_request_encode(&request, &argument);
    TUT_TRY(tut_buf_check(&argument, err));
    tut_cage_request task = {.fd = fd,
                             .size = target->size,
                             .sibling_dirfd = dirfd,
                             .argument = tut_buf_span(&argument),
                             .tag = r};
    return tut_cage_submit(run->cage, &task, on_done, run, err);
}

/* A large file after which too little is left to do for all workers. */
static bool is_digest_apart(const run_state *run, const tut_target *target)
{
    unsigned others = tut_cage_workers(run->cage) - 1;
    return run->options->content && others > 0 && target->size >= TUT_LIMIT_DIGEST_APART_BYTES &&
           run->bytes_left / others < target->size / 2;
}

static tut_status submit_all(run_state *run, const tut_target *target, tut_file_report *r, int fd,
                             int dirfd, tut_error *err)
{
    if (!is_digest_apart(run, target))
        return submit(run, target, r, fd, dirfd, TUT_EXAM_DIGEST_HERE, err);
    run->stages[r - run->scan->files] = STAGE_EXAM;
    TUT_TRY(submit(run, target, r, fd, dirfd, TUT_EXAM_DIGEST_APART, err));
    return submit(run, target, r, fd, -1, TUT_EXAM_DIGEST_ONLY, err);
}

static tut_status start_target(run_state *run, const tut_target *target, tut_file_report *r,
                               tut_error *err)
{
    int fd = -1;
    int dirfd = -1;
    r->size = target->size;
    r->is_content = run->options->content;
    tut_error why = {0};
    tut_status opened = TUT_SUCCESS;
    if (!target->problem)
        opened = tut_targets_open(run->targets, target, &fd, &dirfd, &why);
    if (opened.code == TUT_CANCELLED || opened.code == TUT_NOMEM) {
        if (err)
            *err = why;
        return opened;
    }
    if (target->problem || !tut_is_ok(opened)) {
        const char *text = target->problem ? target->problem : why.text;
        TUT_TRY(target->is_link
                    ? add_problem(run, r, TUT_SCAN_INCOMPLETE, "file.link-not-followed", text)
                    : add_problem(run, r, TUT_SCAN_ERROR, "file.unreadable", text));
        tell_progress(run, r);
        return TUT_SUCCESS;
    }
    tut_status status = TUT_SUCCESS;
    if (find_cached(run, r, fd))
        tell_progress(run, r);
    else
        status = submit_all(run, target, r, fd, dirfd, err);
    close(fd);
    return status;
}

static tut_status run_targets(run_state *run, tut_error *err)
{
    tut_scan *scan = run->scan;
    tut_targets *targets = run->targets;
    scan->files = tut_alloc_array(targets->count ? targets->count : 1, sizeof(*scan->files));
    run->stages = tut_alloc_array(targets->count ? targets->count : 1, sizeof(*run->stages));
    if (!scan->files || !run->stages)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    scan->capacity = targets->count;
    for (size_t i = 0; i < targets->count; i++)
        run->bytes_left += targets->items[i].size;
    for (size_t i = 0; i < targets->count; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        tut_target *target = &targets->items[i];
        tut_file_report *r = &scan->files[i];
        scan->count = i + 1;
        run->bytes_left -= target->size;
        r->path = tut_strdup(target->path);
        r->rel = tut_strdup(target->rel);
        if (!r->path || !r->rel)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(start_target(run, target, r, err));
    }
    return tut_cage_drain(run->cage, on_done, run, err);
}

/* --- what is no model --- */
static bool is_telling(const tut_file_report *r)
{
    return r->has_model || r->suppressed_count > 0 || r->status == TUT_SCAN_ERROR ||
           tut_file_verdict(r) > TUT_VERDICT_CLEAN;
}

static bool is_kept(const tut_scan_options *o, const tut_file_report *r, bool is_direct)
{
    if (is_direct || o->every_file || is_telling(r))
        return true;
    if (o->facts_only)
        return r->format != NULL;
    return o->all_kinds && r->format && r->format->kind != TUT_KIND_NONE;
}

/* No model, but there are rules for what it can do to whoever loads it. */
static bool is_checked(const tut_file_report *r)
{
    bool has_rules = r->format->kind != TUT_KIND_NONE && r->format->rules;
    return has_rules || r->format->kind == TUT_KIND_CONFIG || tut_file_fact(r, "prompt.template");
}

/* Named, and no model that is understood: an answer of "clean" would claim a check that did not
 * happen. */
static tut_status mark_no_model(run_state *run, tut_file_report *r)
{
    const tut_scan_options *o = run->options;
    if (o->facts_only || o->every_file || is_telling(r))
        return TUT_SUCCESS;
    if (!r->format)
        return add_problem(run, r, TUT_SCAN_UNSUPPORTED, "file.no-model",
                           r->size == 0 ? "the file is empty"
                                        : "the content is of no format that is read here");
    if (is_checked(r) || (o->all_kinds && r->format->kind != TUT_KIND_NONE))
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *why = tut_asprintf("%s, with no model in it: nothing to scan",
                                           r->format->label);
    if (!why)
        return (tut_status){TUT_NOMEM};
    return add_problem(run, r, TUT_SCAN_UNSUPPORTED, "file.no-model", why);
}

static tut_status sift(run_state *run)
{
    tut_scan *scan = run->scan;
    size_t kept = 0;
    tut_status status = TUT_SUCCESS;
    scan->bytes = 0; /* so far of all that were read, from now on of those reported */
    for (size_t i = 0; i < scan->count; i++) {
        bool is_direct = run->targets->items[i].root == TUT_TARGET_DIRECT &&
                         !run->options->skip_others;
        tut_file_report *r = &scan->files[i];
        if (!is_kept(run->options, r, is_direct)) {
            tut_file_report_done(r);
            scan->passed_over++;
            continue;
        }
        scan->bytes += r->size;
        if (is_direct && tut_is_ok(status))
            status = mark_no_model(run, r);
        scan->files[kept++] = *r;
    }
    scan->count = kept;
    return status;
}

/* Of all rules in force: those built in, and after them those of users. */
static tut_status digest_rules(run_state *run, tut_error *err)
{
    tut_sha256 parts[3];
    size_t count = 1;
    const tut_yara *yara = tut_yara_in_force();
    const tut_text_user *text = run->options->secret_rules;
    TUT_TRY(tut_rules_digest(parts[0].bytes, err));
    run->scan->rules = parts[0];
    if (yara)
        parts[count++] = *tut_yara_digest(yara);
    if (text)
        TUT_TRY(tut_sha256_of(tut_text_user_list(text), &parts[count++], err));
    if (count == 1)
        return TUT_SUCCESS;
    return tut_sha256_of(tut_span_of(parts, count * sizeof(parts[0])), &run->scan->rules, err);
}

/* Rules and program, and whatever else of this run a reply depends on. */
static tut_status open_cache(run_state *run, tut_error *err)
{
    const tut_scan_options *o = run->options;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 rule;
    if (!o->may_reuse || !o->content || o->facts_only)
        return TUT_SUCCESS;
    tut_buf_add_z(&text, "tutela.verdict/1\n");
    tut_buf_add(&text, run->scan->rules.bytes, sizeof(run->scan->rules.bytes));
    if (!tut_build_id(&text))
        return TUT_SUCCESS; /* another build might find something else */
    tut_lists_add_key(&text);
    tut_buf_add_z(&text, run->scan->text_problem ? "text was not looked through\n" : "");
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &rule, err));
    run->stamps = tut_alloc_array(run->targets->count + 1, sizeof(*run->stamps));
    if (!run->stamps)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_verdict_cache_open(&run->cache, &rule);
    return TUT_SUCCESS;
}

static tut_status run_all(run_state *run, tut_error *err)
{
    run->scan->text_problem = tut_exam_text_prepare(run->options->secret_rules);
    tut_cage_options cage = {.mode = run->options->sandbox, .workers = run->options->workers};
    const tut_scan_options *o = run->options;
    tut_time now = tut_time_now();
    tut_lists_use(o->system, now); /* workers are born with both */
    tut_yara_use(o->facts_only ? NULL : o->yara);
    TUT_TRY(digest_rules(run, err));
    TUT_TRY(open_cache(run, err));
    TUT_TRY(tut_cage_open(tut_exam_job, &cage, &run->cage, err));
    TUT_TRY(run_targets(run, err));
    if (!run->options->facts_only) {
        TUT_TRY(tut_image_finish(run->scan, err));
        TUT_TRY(tut_parts_finish(run->scan, err));
    }
    if (o->baseline)
        TUT_TRY(tut_baseline_compare(run->scan, o->baseline, o->sandbox, err));
    if (o->system && !o->facts_only)
        TUT_TRY(tut_lists_apply(run->scan, o->system, now, err));
    TUT_TRY(sift(run));
    run->scan->links_out = run->targets->links_out;
    tut_cage_get_facts(run->cage, &run->scan->cage);
    return TUT_SUCCESS;
}

static tut_status run_collected(tut_targets *targets, const tut_scan_options *options,
                                tut_scan **ret_scan, tut_error *err)
{
    TUT_AUTO(tut_scan) scan = tut_alloc_array(1, sizeof(*scan));
    if (!scan)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    run_state run = {.options = options, .scan = scan, .targets = targets};
    tut_status status = run_all(&run, err);
    tut_cage_free(run.cage);
    tut_verdict_cache_done(&run.cache);
    tut_free(run.stamps);
    tut_free(run.stages);
    tut_lists_use(NULL, 0);
    tut_yara_use(NULL);
    TUT_TRY(status);
    *ret_scan = tut_move(&scan);
    return TUT_SUCCESS;
}

tut_status tut_scan_run(const char *const *paths, size_t count, const tut_scan_options *options,
                        tut_scan **ret_scan, tut_error *err)
{
    tut_targets targets;
    tut_targets_init(&targets);
    tut_status status = tut_targets_collect(&targets, paths, count, err);
    if (tut_is_ok(status))
        status = run_collected(&targets, options, ret_scan, err);
    tut_targets_done(&targets);
    return status;
}

tut_status tut_scan_descriptor(int fd, const char *name, const tut_scan_options *options,
                               tut_scan **ret_scan, tut_error *err)
{
    tut_targets targets;
    tut_targets_init(&targets);
    tut_status status = tut_targets_add_open(&targets, fd, name, err);
    if (tut_is_ok(status))
        status = run_collected(&targets, options, ret_scan, err);
    tut_targets_done(&targets);
    return status;
}
