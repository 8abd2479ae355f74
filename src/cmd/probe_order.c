#include "cmd/probe_order.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "cmd/probe_choose.h"
#include "guard/policy.h"

const tut_option tut_probe_options[] = {
    {"--target", TUT_OPTION_VALUE, "ID|PLACE",
     "a target of tutela.yaml; or model.onnx, predictions.npy, command:PROGRAM, http://..."},
    {"--guard", TUT_OPTION_VALUE, "URL",
     "the same model behind the guard, to measure what it does"},
    {"--attack", TUT_OPTION_VALUE, "NAME", "only this attack"},
    {"--members", TUT_OPTION_VALUE, "FILE", "rows that the model was trained on"},
    {"--others", TUT_OPTION_VALUE, "FILE", "rows of the same kind that it was not trained on"},
    {"--label", TUT_OPTION_VALUE, "COLUMN", "the right answers: a column, or a file of them"},
    {"--columns", TUT_OPTION_VALUE, "A,B,...", "what the model takes, in this order"},
    {"--scale", TUT_OPTION_VALUE, "X", "numbers of the data are multiplied by it"},
    {"--rows", TUT_OPTION_VALUE, "N", "of each file at most, drawn with the seed"},
    {"--references", TUT_OPTION_VALUE, "FILE", "recorded answers of reference models (npz)"},
    {"--models", TUT_OPTION_VALUE, "N", "reference models to train"},
    {"--norm", TUT_OPTION_VALUE, "linf|l2|l0", "of evasion: how a change is measured"},
    {"--size", TUT_OPTION_VALUE, "X", "of evasion: how large a change may be"},
    {"--range", TUT_OPTION_VALUE, "LOW,HIGH", "what a number of the input may be"},
    {"--steps", TUT_OPTION_VALUE, "N", "of attacks with gradients; of load, seconds a flood lasts"},
    {"--queries-a-row", TUT_OPTION_VALUE, "N", "of attacks without"},
    {"--canaries", TUT_OPTION_VALUE, "FILE", "texts that must not leave, one a line"},
    {"--system-prompt", TUT_OPTION_VALUE, "FILE", "what the application tells the model"},
    {"--tools", TUT_OPTION_VALUE, "FILE", "the tools that it offers: JSON, as OpenAI has them"},
    {"--questions", TUT_OPTION_VALUE, "FILE", "ordinary ones, a line each"},
    {"--documents", TUT_OPTION_VALUE, "FILE", "texts that the model was trained on, a line each"},
    {"--other-documents", TUT_OPTION_VALUE, "FILE", "of the same kind, that it was not"},
    {"--reference-target", TUT_OPTION_VALUE, "PLACE",
     "of membership by texts: another model's completions, to hold likelihoods against"},
    {"--reference-model", TUT_OPTION_VALUE, "NAME", "its name in requests"},
    {"--reference-key-file", TUT_OPTION_VALUE, "FILE", "holds the key that it wants"},
    {"--failure-command", TUT_OPTION_VALUE, "COMMAND",
     "of load: called with stop and start, to take the model server away and give it back"},
    {"--model", TUT_OPTION_VALUE, "NAME", "the model's name in requests"},
    {"--key-file", TUT_OPTION_VALUE, "FILE", "holds the key that the endpoint wants"},
    {"--guard-key-file", TUT_OPTION_VALUE, "FILE", "holds the key that the guard wants"},
    {"--ca-file", TUT_OPTION_VALUE, "FILE",
     "certificates (PEM) that https addresses are held against, instead of the system's"},
    {"--queries", TUT_OPTION_VALUE, "N", "at most so many, each way"},
    {"--money", TUT_OPTION_VALUE, "X", "at most so much, with --price or --price-million"},
    {"--price", TUT_OPTION_VALUE, "X", "of one query"},
    {"--price-million", TUT_OPTION_VALUE, "X", "of a million tokens"},
    {"--per-second", TUT_OPTION_VALUE, "N", "queries a second at most"},
    {"--concurrency", TUT_OPTION_VALUE, "N", "queries at a time (default 8)"},
    {"--seed", TUT_OPTION_VALUE, "N", "everything that is drawn (default 1)"},
    {"--i-am-authorised-to-test", TUT_OPTION_VALUE, "NAME",
     "for what is neither on this machine nor declared: who allows it; that is recorded"},
    {"--baseline", TUT_OPTION_VALUE, "FILE", "an earlier result (JSON): did it become worse?"},
    {"--html", TUT_OPTION_VALUE, "FILE", "write a page with the curves"},
    {"--svg", TUT_OPTION_VALUE, "FILE", "write the first curve as a picture"},
    {"--no-record", TUT_OPTION_FLAG, NULL, "record no evidence, keep no answers"},
    {"--by", TUT_OPTION_VALUE, "PERSON", "the registered tester who stands behind it"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the tester's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* --- the system --- */

void tut_probe_here_done(tut_probe_here *h)
{
    tut_free(h->dir);
    tut_free(h->state);
    tut_system_free(h->system);
    tut_arena_done(&h->arena);
}

tut_status tut_probe_here_open(const tut_args *args, tut_probe_here *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    *ret = (tut_probe_here){.policy = {.bounds = tut_bounds_default()}};
    tut_arena_init(&ret->arena, 0);
    TUT_TRY(tut_cmd_locate(args, NULL, &ret->dir, &ret->state, err));
    if (!ret->state)
        return TUT_SUCCESS;
    tut_status status = tut_system_load(args->system ? args->system : ret->dir, &ret->system,
                                        &shown, err);
    if (tut_is_ok(status))
        status = tut_probe_policy_read(ret->system, &ret->policy, &shown, err);
    if (!tut_is_ok(status) && shown.len)
        fwrite(shown.data, 1, shown.len, stderr);
    TUT_TRY(status);
    /* A system without a guard, or with one that is not in order, can be probed all the same. */
    ret->has_guard = tut_is_ok(tut_guard_policy_read(ret->system, &ret->guard, NULL, NULL));
    return TUT_SUCCESS;
}

/* --- the target --- */

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* What tutela.yaml names lies below its folder. */
static tut_status beneath(tut_probe_here *h, tut_str *path, tut_error *err)
{
    char rel[TUT_ERROR_PATH_MAX];
    if (path->len == 0 || tut_place_is_url(*path) || path->data[0] == '/' ||
        tut_str_starts(*path, TUT_LIT("command:")))
        return TUT_SUCCESS;
    tut_str_copy(rel, sizeof(rel), *path);
    TUT_AUTO_FREE char *full = tut_fs_join(h->system->dir, rel);
    char *kept = full ? tut_arena_copy(&h->arena, tut_str_of(full)) : NULL;
    if (!kept)
        return nomem(err);
    *path = tut_str_of(kept);
    return TUT_SUCCESS;
}

static tut_status place_all(tut_probe_here *h, tut_probe_target *t, tut_error *err)
{
    tut_str *paths[] = {&t->reference_at,
                        &t->reference_key_file,
                        &t->at,
                        &t->key_file,
                        &t->guard_key_file,
                        &t->members,
                        &t->others,
                        &t->references,
                        &t->canaries,
                        &t->system_prompt,
                        &t->tools,
                        &t->questions,
                        &t->tool_result,
                        &t->documents,
                        &t->flood_key_file,
                        &t->other_documents,
                        &t->ca_file};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        TUT_TRY(beneath(h, paths[i], err));
    /* A label is a column, unless there is a file of that name. */
    tut_str label = t->label;
    TUT_TRY(beneath(h, &label, err));
    if (label.len && access(label.data, R_OK) == 0)
        t->label = label;
    return TUT_SUCCESS;
}

static tut_status take_number(const tut_args *args, const char *option, double least, double most,
                              double *ret, tut_error *err)
{
    const char *text = tut_args_get(args, option);
    if (!text)
        return TUT_SUCCESS;
    double v = 0;
    if (!tut_schema_number(tut_str_of(text), &v) || v < least || v > most)
        return tut_fail(err, TUT_USAGE, "%s takes a number from %g, not \"%s\"", option, least,
                        text);
    *ret = v;
    return TUT_SUCCESS;
}

static tut_status take_count(const tut_args *args, const char *option, uint32_t *ret,
                             tut_error *err)
{
    double v = *ret;
    TUT_TRY(take_number(args, option, 0, UINT32_MAX, &v, err));
    if (v != floor(v))
        return tut_fail(err, TUT_USAGE, "%s takes a whole number", option);
    *ret = (uint32_t)v;
    return TUT_SUCCESS;
}

static void take_text(const tut_args *args, const char *option, tut_str *ret)
{
    const char *text = tut_args_get(args, option);
    if (text)
        *ret = tut_str_of(text);
}

static tut_status take_columns(const tut_args *args, tut_probe_here *h, tut_str_list *ret,
                               tut_error *err)
{
    const char *text = tut_args_get(args, "--columns");
    if (!text)
        return TUT_SUCCESS;
    size_t count = 1;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    tut_str *items = tut_arena_take(&h->arena, count, sizeof(*items));
    if (!items)
        return nomem(err);
    *ret = (tut_str_list){items, 0};
    while (*text) {
        size_t len = strcspn(text, ",");
        if (len)
            items[ret->count++] = (tut_str){text, len};
        text += len + (text[len] == ',');
    }
    return TUT_SUCCESS;
}

static tut_status take_range(const tut_args *args, tut_probe_target *t, tut_error *err)
{
    const char *text = tut_args_get(args, "--range");
    size_t len = text ? strcspn(text, ",") : 0;
    if (!text)
        return TUT_SUCCESS;
    if (!text[len] || !tut_schema_number((tut_str){text, len}, &t->low) ||
        !tut_schema_number(tut_str_of(text + len + 1), &t->high) || t->low >= t->high)
        return tut_fail(err, TUT_USAGE, "--range takes LOW,HIGH, not \"%s\"", text);
    return TUT_SUCCESS;
}

static tut_status take_options(const tut_args *args, tut_probe_here *h, tut_probe_target *t,
                               tut_error *err)
{
    take_text(args, "--guard", &t->guard);
    take_text(args, "--members", &t->members);
    take_text(args, "--others", &t->others);
    take_text(args, "--label", &t->label);
    take_text(args, "--references", &t->references);
    take_text(args, "--canaries", &t->canaries);
    take_text(args, "--system-prompt", &t->system_prompt);
    take_text(args, "--tools", &t->tools);
    take_text(args, "--questions", &t->questions);
    take_text(args, "--documents", &t->documents);
    take_text(args, "--other-documents", &t->other_documents);
    take_text(args, "--reference-target", &t->reference_at);
    take_text(args, "--reference-model", &t->reference_model);
    take_text(args, "--reference-key-file", &t->reference_key_file);
    take_text(args, "--failure-command", &t->failure_command);
    take_text(args, "--model", &t->model);
    take_text(args, "--key-file", &t->key_file);
    take_text(args, "--guard-key-file", &t->guard_key_file);
    take_text(args, "--ca-file", &t->ca_file);
    take_text(args, "--norm", &t->norm_word);
    if (t->guard.len && !tut_place_is_url(t->guard))
        return tut_fail(err, TUT_USAGE, "--guard takes the address of the model behind the guard");
    TUT_TRY(take_columns(args, h, &t->columns, err));
    TUT_TRY(take_range(args, t, err));
    TUT_TRY(take_number(args, "--scale", 1e-300, 1e300, &t->scale, err));
    TUT_TRY(take_number(args, "--size", 0, 1e300, &t->size, err));
    TUT_TRY(take_number(args, "--money", 0, 1e300, &t->money, err));
    TUT_TRY(take_number(args, "--price", 0, 1e300, &t->price_query, err));
    TUT_TRY(take_number(args, "--price-million", 0, 1e300, &t->price_million, err));
    TUT_TRY(take_number(args, "--per-second", 0, 1e9, &t->per_second, err));
    TUT_TRY(take_count(args, "--rows", &t->rows, err));
    TUT_TRY(take_count(args, "--models", &t->models, err));
    TUT_TRY(take_count(args, "--queries", &t->queries, err));
    return take_count(args, "--concurrency", &t->concurrency, err);
}

/* --- the order --- */

static bool is_route(const tut_guard_policy *p, tut_str place)
{
    for (size_t i = 0; i < 2 * p->route_count; i++) {
        const tut_guard_route *r = &p->routes[i / 2];
        tut_str upstream = i % 2 ? r->standby : r->upstream;
        if (upstream.len && tut_str_starts(place, upstream) &&
            (place.len == upstream.len || strchr("/:?", place.data[upstream.len])))
            return true;
    }
    return false;
}

/* A place that the description names: of a target, or where the guard hands requests on to. */
static bool is_named(const tut_probe_here *h, tut_str place)
{
    for (size_t i = 0; i < h->policy.target_count; i++)
        if (tut_str_eq(h->policy.targets[i].at, place) ||
            tut_str_eq(h->policy.targets[i].reference_at, place) ||
            tut_str_eq(h->policy.targets[i].guard, place))
            return true;
    return h->has_guard && is_route(&h->guard, place);
}

static tut_status add_journal(const tut_args *args, tut_probe_here *h, tut_probe_job *job,
                              tut_error *err)
{
    const tut_probe_about *about = tut_probe_about_of(job->order.kind);
    char name[160], id[64] = "target";
    if (!h->state || tut_args_has(args, "--no-record"))
        return TUT_SUCCESS;
    if (job->target.id.len)
        tut_str_copy(id, sizeof(id), job->target.id);
    for (char *c = id; *c; c++)
        *c = strchr("/\\ \t", *c) ? '-' : *c;
    TUT_AUTO_FREE char *folder = tut_fs_join(h->state, "probe");
    if (!folder)
        return nomem(err);
    TUT_TRY(tut_fs_mkdirs(folder, 0700, err));
    (void)snprintf(name, sizeof(name), "%s-%s-%llu", about->name, id,
                   (unsigned long long)job->order.seed);
    TUT_AUTO_FREE char *path = tut_fs_join(folder, name);
    job->order.journal = path ? tut_arena_copy(&h->arena, tut_str_of(path)) : NULL;
    return job->order.journal ? TUT_SUCCESS : nomem(err);
}

static tut_status make_order(const tut_args *args, tut_probe_here *h, tut_probe_kind kind,
                             tut_probe_job *job, tut_error *err)
{
    double seed = 1;
    uint32_t steps = 0, queries = 0;
    TUT_TRY(take_number(args, "--seed", 0, 9007199254740992.0, &seed, err));
    TUT_TRY(take_count(args, "--steps", &steps, err));
    TUT_TRY(take_count(args, "--queries-a-row", &queries, err));
    job->order = (tut_probe_order){.kind = kind,
                                   .target = &job->target,
                                   .bounds = &h->policy.bounds,
                                   .only = tut_args_get(args, "--attack"),
                                   .guard_policy = h->has_guard ? &h->guard : NULL,
                                   .system_dir = h->system ? h->system->dir : NULL,
                                   .authorised_by = tut_args_get(args, "--i-am-authorised-to-test"),
                                   .is_declared = job->is_declared,
                                   .seed = (uint64_t)seed,
                                   .steps = steps,
                                   .queries_a_row = queries,
                                   .sandbox = args->sandbox};
    return add_journal(args, h, job, err);
}

tut_status tut_probe_job_of(const tut_args *args, tut_probe_here *h, tut_probe_kind kind,
                            const tut_probe_target *declared, tut_probe_job *ret, tut_error *err)
{
    ret->target = *declared;
    ret->is_declared = true;
    TUT_TRY(place_all(h, &ret->target, err));
    TUT_TRY(take_options(args, h, &ret->target, err));
    /* Another address over the declared one is not declared. */
    if ((!is_named(h, ret->target.guard) && ret->target.guard.len) ||
        (!is_named(h, ret->target.reference_at) && ret->target.reference_at.len))
        ret->is_declared = false;
    return make_order(args, h, kind, ret, err);
}

tut_status tut_probe_job_make(const tut_args *args, tut_probe_here *h, tut_probe_kind kind,
                              tut_probe_job *ret, tut_error *err)
{
    const char *word = tut_args_get(args, "--target");
    const tut_probe_target *declared = word ? tut_probe_target_of(&h->policy, tut_str_of(word))
                                            : NULL;
    if (!word)
        TUT_TRY(tut_probe_choose(args, &h->policy, kind, &declared, err));
    if (declared)
        return tut_probe_job_of(args, h, kind, declared, ret, err);
    *ret = (tut_probe_job){.target = {.at = tut_str_of(word)}};
    TUT_TRY(take_options(args, h, &ret->target, err));
    ret->is_declared = is_named(h, ret->target.at) &&
                       (!ret->target.guard.len || is_named(h, ret->target.guard)) &&
                       (!ret->target.reference_at.len || is_named(h, ret->target.reference_at));
    return make_order(args, h, kind, ret, err);
}
