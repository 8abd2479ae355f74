/*
 * The worker's part of vetting: each dataset is read once, and every check is fed with the same
 * batches; what spans datasets (duplicates) is settled at the end.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/check_text.h"
#include "data/poison.h"
#include "data/profile.h"
#include "data/rows.h"
#include "data/schema.h"
#include "data/vet_defects.h"
#include "data/vet_diff.h"
#include "data/vet_internal.h"
#include "data/vet_profile.h"
#include "data/vet_show.h"
#include "data/vet_twice.h"

vet_shared tut_vet_shared;

struct one;
typedef struct job {
    tut_cage_task *task;
    const vet_asked *asked;
    struct one *all; /* asked->count of them */
    tut_text_tools tools;
    bool wants_twice;
    vet_twice twice;
} job;

typedef struct one { /* dataset under way */
    const struct vet_asked_input *in;
    tut_vet_dataset d;
    tut_source whole; /* what was lent */
    tut_text_check *texts;
    tut_profile *profile;
    tut_profile *base_profile; /* of the baseline, with what it asks for */
    tut_data_schema *base_schema;
    tut_data_schema_check *schema;
    tut_poison *poison;
    bool has_label, has_source; /* the columns that were named are there */
    bool has_left_poison;       /* memory ran out for it */
    uint64_t base;              /* rows of the files before */
    uint64_t seen;
    vet_diff diff;
} one;

static void one_done(one *o)
{
    tut_text_check_free(o->texts);
    tut_poison_free(o->poison);
    tut_data_schema_check_free(o->schema);
    tut_data_schema_free(o->base_schema);
    tut_profile_free(o->base_profile);
    tut_profile_free(o->profile);
    vet_diff_done(&o->diff);
    tut_vet_dataset_done(&o->d);
}

static void job_done(job *j)
{
    tut_text_scanner_free(j->tools.scanner);
    tut_detector_free(j->tools.detector);
    vet_twice_done(&j->twice);
}

static tut_status open_tools(job *j, tut_error *err)
{
    const vet_shared *s = &tut_vet_shared;
    if (s->text && j->asked->checks & TUT_VET_BIT(TUT_VET_PERSONAL))
        TUT_TRY(tut_text_scanner_new(s->text, &j->tools.scanner, err));
    if (s->model && j->asked->checks & TUT_VET_BIT(TUT_VET_HIDDEN))
        TUT_TRY(tut_detector_new(s->model, &j->tools.detector, err));
    j->wants_twice = j->asked->checks & TUT_VET_BIT(TUT_VET_DUPLICATES);
    return j->wants_twice ? vet_twice_init(&j->twice, j->task, err) : TUT_SUCCESS;
}

/* What people say to a model is judged as that, everything else as data that a model may be given.
 */
static tut_detect_role role_of(const tut_rows_facts *f)
{
    bool is_talk = strcmp(f->layout, "chat") == 0 || strcmp(f->layout, "instruction") == 0;
    return is_talk ? TUT_DETECT_USER : TUT_DETECT_DOCUMENT;
}

/* A check for which memory ran out is left, so that there is room for the others, and that is
 * said. */
static void leave(one *o, const char *what)
{
    char text[TUT_VET_PROBLEM];
    o->d.status = TUT_VET_INCOMPLETE;
    (void)snprintf(text, sizeof(text), "%s: memory ran out at row %llu", what,
                   (unsigned long long)o->seen);
    if (!o->d.problem[0])
        tut_str_copy(o->d.problem, sizeof(o->d.problem), tut_str_of(text));
}

static void leave_poison(one *o)
{
    tut_poison_free(o->poison);
    o->poison = NULL;
    o->has_left_poison = true;
    leave(o, "poison was not looked for");
}

/* Sources are judged by what of theirs is there twice, so poison goes with it. */
static void leave_twice(job *j)
{
    for (size_t i = 0; i < j->asked->count; i++) {
        one *o = &j->all[i];
        tut_poison_free(o->poison);
        o->poison = NULL;
        o->has_left_poison = true;
        leave(o, "duplicates and poison were not looked for");
    }
    vet_twice_done(&j->twice);
    j->twice = (vet_twice){.near = NULL};
    j->wants_twice = false;
}

/* NOMEM is the check's own failure; everything else the caller's. */
static tut_status feed_heavy(job *j, one *o, const tut_batch *batch, tut_error *err)
{
    uint32_t input = (uint32_t)(o->in - j->asked->items);
    tut_status status = o->poison ? tut_poison_feed(o->poison, batch, err) : TUT_SUCCESS;
    if (status.code == TUT_NOMEM)
        leave_poison(o);
    else
        TUT_TRY(status);
    status = j->wants_twice ? vet_twice_add(&j->twice, input, o->d.split, batch, err) : TUT_SUCCESS;
    if (status.code != TUT_NOMEM)
        return status;
    leave_twice(j);
    return TUT_SUCCESS;
}

static tut_status take_batch(job *j, one *o, const tut_rows *r, const tut_batch *got,
                             tut_error *err)
{
    tut_batch batch = *got;
    batch.first += o->base;
    if (batch.column_count > o->d.columns)
        o->d.columns = batch.column_count;
    for (size_t k = 0; k < batch.column_count && !(o->has_label && o->has_source); k++) {
        o->has_label |= tut_str_eq(batch.names[k], o->in->label);
        o->has_source |= tut_str_eq(batch.names[k], o->in->source);
    }
    if (o->schema)
        TUT_TRY(tut_data_schema_check_add(o->schema, &batch, err));
    if (o->profile)
        TUT_TRY(tut_profile_add(o->profile, &batch, err));
    if (o->texts)
        TUT_TRY(tut_text_check_add(o->texts, &batch, role_of(tut_rows_about(r)), err));
    if (o->in->has_against)
        TUT_TRY(vet_diff_add(&o->diff.now, &batch, err));
    o->seen = batch.first + batch.count;
    return feed_heavy(j, o, &batch, err);
}

/* --- one file, one dataset --- */

static tut_status open_whole(const job *j, one *o, size_t input, tut_error *err)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%zu", input);
    return tut_cage_sibling(j->task, name, &o->whole, err);
}

static tut_status part_of(const one *o, size_t file, tut_source *ret)
{
    const struct vet_asked_file *f = &o->in->files[file];
    *ret = o->whole;
    return f->size == UINT64_MAX ? TUT_SUCCESS
                                 : tut_source_slice(&o->whole, f->start, f->size, ret);
}

static void stop_short(tut_vet_dataset *d, tut_status why, const tut_error *err)
{
    d->status = why.code == TUT_UNSUPPORTED && d->rows == 0 ? TUT_VET_UNSUPPORTED
                : d->rows == 0                              ? TUT_VET_ERROR
                                                            : TUT_VET_INCOMPLETE;
    tut_str_copy(d->problem, sizeof(d->problem), tut_str_of(err->text));
}

/* What ends this dataset alone is told there; NOMEM and bugs end all. */
static bool is_fatal(tut_status s)
{
    return s.code == TUT_NOMEM || s.code == TUT_BUG || s.code == TUT_CANCELLED;
}

/* --- the checks of one dataset --- */

static bool wants(const job *j, tut_vet_check check)
{
    return j->asked->checks & TUT_VET_BIT(check);
}

/* A file beside the dataset, each batch of it to `take`. */
static tut_status take_beside(const job *j, one *o, const char *ending,
                              tut_status (*take)(tut_poison *, const tut_batch *, tut_error *),
                              tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    tut_source bytes;
    const tut_batch *batch = NULL;
    char name[32];
    (void)snprintf(name, sizeof(name), "%zu.%s", (size_t)(o->in - j->asked->items), ending);
    TUT_TRY(tut_cage_sibling(j->task, name, &bytes, err));
    TUT_TRY(tut_rows_open(&bytes, NULL, &rows, err));
    do {
        TUT_TRY(tut_rows_next(rows, &batch, err));
        if (batch)
            TUT_TRY(take(o->poison, batch, err));
    } while (batch);
    return TUT_SUCCESS;
}

/* What the array is, is known before its first row. */
static tut_status begin_poison(job *j, one *o, size_t input, const tut_rows_facts *f,
                               tut_error *err)
{
    tut_poison_options options = {.label = o->in->label,
                                  .source = o->in->source,
                                  .has_label_file = o->in->has_labels,
                                  .near = j->twice.near,
                                  .dataset = (uint32_t)input,
                                  .split = o->in->split};
    if (f->rank == 3 || f->rank == 4) {
        options.height = (size_t)f->shape[1];
        options.width = (size_t)f->shape[2];
        options.channels = f->rank == 4 ? (size_t)f->shape[3] : 1;
    }
    TUT_TRY(tut_poison_new(&options, &o->poison, err));
    return o->in->has_labels ? take_beside(j, o, "labels", tut_poison_label, err) : TUT_SUCCESS;
}

static tut_status begin_schema(one *o, tut_error *err)
{
    tut_span json = tut_span_of(o->in->baseline.data, o->in->baseline.len);
    if (json.len == 0)
        return TUT_SUCCESS;
    tut_error local = {0};
    tut_status status = tut_data_schema_read(json, &o->base_profile, &o->base_schema, &local);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "the baseline cannot be used: %s", local.text);
    return tut_data_schema_check_new(o->base_schema, &o->schema, err);
}

static tut_status begin_checks(job *j, one *o, tut_error *err)
{
    if (j->tools.scanner || j->tools.detector)
        TUT_TRY(tut_text_check_new(&j->tools, &o->texts, err));
    if (!wants(j, TUT_VET_PROFILE))
        return TUT_SUCCESS;
    TUT_TRY(tut_profile_new(&o->profile, err));
    return begin_schema(o, err);
}

static tut_status read_file(job *j, one *o, size_t file, tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    tut_source bytes;
    tut_error local = {0};
    const tut_batch *batch;
    TUT_TRY(part_of(o, file, &bytes));
    tut_status status = tut_rows_open(&bytes, o->in->files[file].name, &rows, &local);
    if (tut_is_ok(status) && wants(j, TUT_VET_POISON) && !o->poison && !o->has_left_poison)
        status = begin_poison(j, o, (size_t)(o->in - j->asked->items), tut_rows_about(rows),
                              &local);
    while (tut_is_ok(status)) {
        status = tut_rows_next(rows, &batch, &local);
        if (!tut_is_ok(status) || !batch)
            break;
        TUT_TRY(take_batch(j, o, rows, batch, err));
    }
    if (rows) {
        const tut_rows_facts *f = tut_rows_about(rows);
        o->d.rows += f->rows;
        vet_keep_facts(&o->d, f);
        TUT_TRY(vet_keep_defects(&o->d, f, o->base, err));
        o->base += f->rows;
    }
    if (is_fatal(status))
        return tut_fail(err, status.code, "%s", local.text);
    if (!tut_is_ok(status))
        stop_short(&o->d, status, &local);
    return TUT_SUCCESS;
}

/* What of the other version can be read is compared; that it is not all is said. */
static tut_status compare_versions(const job *j, one *o, size_t input, tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    tut_source bytes;
    tut_error local = {0};
    const tut_batch *batch = NULL;
    char name[32];
    (void)snprintf(name, sizeof(name), "%zu.against", input);
    TUT_TRY(tut_cage_sibling(j->task, name, &bytes, err));
    tut_status status = tut_rows_open(&bytes, NULL, &rows, &local);
    do {
        if (tut_is_ok(status))
            status = tut_rows_next(rows, &batch, &local);
        if (tut_is_ok(status) && batch)
            status = vet_diff_add(&o->diff.then, batch, &local);
    } while (tut_is_ok(status) && batch);
    if (is_fatal(status))
        return tut_fail(err, status.code, "%s", local.text);
    if (!tut_is_ok(status)) {
        char note[TUT_VET_PROBLEM + 64];
        (void)snprintf(note, sizeof(note), "The other version was not compared: %.180s.",
                       local.text);
        return tut_vet_note(&o->d, note, err);
    }
    return vet_diff_finish(&o->diff, &o->d.change, err);
}

static void keep_kinds(one *o)
{
    const tut_text_count *counts;
    size_t count = tut_text_check_counts(o->texts, &counts);
    for (size_t i = 0; i < count && i < TUT_VET_KINDS; i++) {
        tut_vet_kind *k = &o->d.kinds[o->d.kind_count++];
        *k = (tut_vet_kind){
            .type = counts[i].type, .count = counts[i].count, .rows = counts[i].rows};
        tut_str_copy(k->id, sizeof(k->id), tut_str_of(counts[i].id));
        tut_str_copy(k->label, sizeof(k->label), tut_str_of(counts[i].label));
    }
}

/* Nothing personal or secret was found in it, and it was looked for. */
static bool may_show(const void *ctx, tut_str column)
{
    const one *o = ctx;
    if (!(o->d.checks & TUT_VET_BIT(TUT_VET_PERSONAL)))
        return false;
    for (size_t i = 0; i < o->d.found.count; i++) {
        const tut_data_finding *f = &o->d.found.items[i];
        if ((strcmp(f->rule, "dataset.secret") == 0 ||
             strcmp(f->rule, "dataset.personal-data") == 0) &&
            tut_str_eq_z(column, f->column))
            return false;
    }
    return true;
}

static tut_status keep_profile(one *o, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    TUT_TRY(vet_profile_write(o->profile, may_show, o, j, err));
    TUT_TRY(tut_json_finish(j, err));
    o->d.checks |= TUT_VET_BIT(TUT_VET_PROFILE);
    if (text.len > TUT_VET_PROFILE_BYTES)
        return tut_vet_note(&o->d, "The profile is too large to be shown.", err);
    const char *z = tut_buf_z(&text);
    o->d.profile = z ? tut_strdup(z) : NULL;
    return o->d.profile ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status keep_baseline(one *o, tut_error *err)
{
    TUT_AUTO(tut_data_schema) schema = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_data_schema_infer(o->profile, &schema, err));
    TUT_TRY(tut_data_schema_write(o->profile, schema, tut_time_generated(), &text, err));
    if (text.len > TUT_VET_BASELINE_BYTES)
        return tut_vet_note(&o->d, "The baseline is too large to be kept: too many columns.", err);
    const char *z = tut_buf_z(&text);
    o->d.baseline = z ? tut_strdup(z) : NULL;
    return o->d.baseline ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* A name with a slip in it must not look like a dataset without fault; among several datasets it
 * may be meant for another. */
static tut_status miss_column(const job *j, one *o, tut_str name, tut_error *err)
{
    char text[TUT_VET_PROBLEM];
    if (name.len == 0 || o->d.rows == 0)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, name, 60);
    const char *z = tut_buf_z(&shown);
    (void)snprintf(text, sizeof(text), "there is no column \"%s\"", z ? z : "");
    if (j->asked->count > 1)
        return tut_vet_note(&o->d, text, err);
    o->d.status = TUT_VET_INCOMPLETE;
    tut_str_copy(o->d.problem, sizeof(o->d.problem), tut_str_of(text));
    return TUT_SUCCESS;
}

static tut_status finish_checks(const job *j, one *o, size_t input, tut_error *err)
{
    if (!o->has_label)
        TUT_TRY(miss_column(j, o, o->in->label, err));
    if (!o->has_source)
        TUT_TRY(miss_column(j, o, o->in->source, err));
    if (o->in->has_against)
        TUT_TRY(compare_versions(j, o, input, err));
    if (o->schema)
        TUT_TRY(tut_data_schema_check_end(o->schema, &o->d.found, err));
    if (o->texts) {
        TUT_TRY(tut_text_check_finish(o->texts, &o->d.found, err));
        keep_kinds(o);
    }
    o->d.checks |= (j->tools.scanner ? TUT_VET_BIT(TUT_VET_PERSONAL) : 0) |
                   (j->tools.detector ? TUT_VET_BIT(TUT_VET_HIDDEN) : 0);
    if (o->profile && o->in->wants_baseline)
        TUT_TRY(keep_baseline(o, err));
    return o->profile ? keep_profile(o, err) : TUT_SUCCESS;
}

static tut_status read_one(job *j, size_t input, one *o, tut_error *err)
{
    o->in = &j->asked->items[input];
    o->d.split = o->in->split;
    TUT_TRY(open_whole(j, o, input, err));
    TUT_TRY(begin_checks(j, o, err));
    for (size_t i = 0; i < o->in->file_count; i++)
        TUT_TRY(read_file(j, o, i, err));
    if (o->d.rows == 0 && o->d.status == TUT_VET_COMPLETE) {
        o->d.status = TUT_VET_INCOMPLETE;
        tut_str_copy(o->d.problem, sizeof(o->d.problem), TUT_LIT("it has no rows"));
    }
    return finish_checks(j, o, input, err);
}

/* After duplicates are known, which sources are judged by. */
static tut_status finish_poison(const job *j, one *o, tut_error *err)
{
    size_t count;
    if (!o->poison)
        return TUT_SUCCESS;
    if (o->in->has_activations)
        TUT_TRY(take_beside(j, o, "activations", tut_poison_activations, err));
    tut_error local = {0};
    tut_status status = tut_poison_finish(o->poison, &o->d.found, &local);
    if (status.code == TUT_NOMEM) {
        leave_poison(o);
        return TUT_SUCCESS;
    }
    if (is_fatal(status))
        return tut_fail(err, status.code, "%s", local.text);
    if (!tut_is_ok(status)) {
        char note[TUT_VET_PROBLEM + 64];
        (void)snprintf(note, sizeof(note), "Poison was not looked for to the end: %.180s.",
                       local.text);
        TUT_TRY(tut_vet_note(&o->d, note, err));
    }
    const char *const *notes = tut_poison_notes(o->poison, &count);
    for (size_t i = 0; i < count; i++)
        TUT_TRY(tut_vet_note(&o->d, notes[i], err));
    o->d.checks |= TUT_VET_BIT(TUT_VET_POISON);
    return TUT_SUCCESS;
}

static tut_status show_file(const one *o, vet_show *s, size_t file, tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    tut_source bytes;
    const tut_batch *batch = NULL;
    TUT_TRY(part_of(o, file, &bytes));
    TUT_TRY(tut_rows_open(&bytes, o->in->files[file].name, &rows, err));
    do {
        TUT_TRY(tut_rows_next(rows, &batch, err));
        if (batch)
            TUT_TRY(vet_show_take(s, tut_rows_about(rows), batch, err));
    } while (batch);
    s->base += tut_rows_about(rows)->rows;
    return TUT_SUCCESS;
}

/* What could be read the first time; where that ended, the second time ends too. */
static tut_status show_examples(one *o, tut_error *err)
{
    vet_show s = {.d = &o->d, .may_show = may_show, .ctx = o};
    if (!o->in->wants_examples || o->d.found.count == 0)
        return TUT_SUCCESS;
    TUT_TRY(vet_show_choose(&s, err));
    for (size_t i = 0; i < o->in->file_count; i++) {
        tut_error local = {0};
        tut_status status = show_file(o, &s, i, &local);
        if (is_fatal(status))
            return tut_fail(err, status.code, "%s", local.text);
    }
    return TUT_SUCCESS;
}

static tut_status find_twice(job *j, one *all, tut_error *err)
{
    size_t count = j->asked->count;
    TUT_AUTO_FREE const char **names = tut_alloc_array(count + 1, sizeof(*names));
    if (!names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        names[i] = j->asked->items[i].path;
    TUT_TRY(vet_twice_finish(&j->twice, err));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(vet_twice_report(&j->twice, (uint32_t)i, names, count, &all[i].d, err));
    return TUT_SUCCESS;
}

static tut_status run(job *j, one *all, tut_buf *out, tut_error *err)
{
    TUT_TRY(open_tools(j, err));
    for (size_t i = 0; i < j->asked->count; i++)
        TUT_TRY(read_one(j, i, &all[i], err));
    if (j->wants_twice) {
        tut_status status = find_twice(j, all, err);
        if (status.code == TUT_NOMEM)
            leave_twice(j);
        else
            TUT_TRY(status);
    }
    for (size_t i = 0; i < j->asked->count; i++)
        TUT_TRY(finish_poison(j, &all[i], err));
    for (size_t i = 0; i < j->asked->count; i++)
        TUT_TRY(show_examples(&all[i], err));
    for (size_t i = 0; i < j->asked->count; i++)
        tut_vet_answer(&all[i].d, out);
    return tut_buf_check(out, err);
}

tut_status tut_vet_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                       tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_vet_asked_done))) vet_asked asked = {0};
    (void)bytes;
    TUT_TRY(tut_vet_asked_read(argument, &asked, err));
    __attribute__((cleanup(job_done))) job j = {.task = task, .asked = &asked};
    one *all = tut_alloc_array(asked.count + 1, sizeof(*all));
    if (!all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    j.all = all;
    tut_status status = run(&j, all, out, err);
    for (size_t i = 0; i < asked.count; i++)
        one_done(&all[i]);
    tut_free(all);
    return status;
}
