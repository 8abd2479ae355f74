/*
 * vet.dataset: what vetting found in each dataset, held against what may be there: secrets, planted
 * rows, hidden orders, broken files nowhere; personal data where the description says so.
 */
#include <stdio.h>
#include <string.h>

#include "assess/collect_internal.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "data/vet.h"

typedef struct tut_vetting {
    tut_vet *vet;
    tut_vet_input *inputs;
    size_t *item_of; /* of each input, its place in the inventory */
    size_t *first;   /* of each item its first input; those of the next follow */
    size_t count;
    tut_buf *baselines; /* of each input */
    tut_arena arena;    /* paths, and lists of them */
} tut_vetting;

void tut_vetting_free(tut_vetting *v)
{
    if (!v)
        return;
    tut_vet_free(v->vet);
    for (size_t i = 0; v->baselines && i < v->count; i++)
        tut_buf_done(&v->baselines[i]);
    tut_free(v->baselines);
    tut_free(v->inputs);
    tut_free(v->item_of);
    tut_free(v->first);
    tut_arena_done(&v->arena);
    tut_free(v);
}

static bool is_vetted(const tut_inventory_item *item)
{
    return item->kind == TUT_KIND_DATASET && item->has_digest && item->files > 0 &&
           !item->is_unread;
}

static const char *column(tut_arena *arena, tut_str name)
{
    return name.len ? tut_arena_copy(arena, name) : NULL;
}

static tut_status read_baseline(const tut_collection *c, const tut_asset *a, tut_buf *out)
{
    char path[TUT_ERROR_PATH_MAX];
    tut_str_copy(path, sizeof(path), a->baseline);
    return tut_fs_read_beneath(c->system->dir, path, TUT_LIMIT_MEMBER_BYTES, out, c->err);
}

/* Each file of a dataset of several is looked at by itself, but texts together. */
static bool are_texts(const tut_collection *c, const tut_inventory_item *item)
{
    for (size_t i = 0; i < item->files; i++) {
        const char *rel = c->inventory->found[item->members[i]].rel;
        const char *dot = strrchr(rel, '.');
        if (!dot || (strcmp(dot, ".txt") != 0 && strcmp(dot, ".md") != 0))
            return false;
    }
    return item->files > 1;
}

static tut_status add(tut_collection *c, tut_vetting *v, size_t at, size_t first, size_t count)
{
    const tut_inventory_item *item = &c->inventory->items[at];
    const tut_asset *a = item->declared;
    tut_vet_input *in = &v->inputs[v->count];
    const char **files = tut_arena_take(&v->arena, count, sizeof(*files));
    const tut_sha256 **expected = tut_arena_take(&v->arena, count, sizeof(*expected));
    if (!files || !expected)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    v->item_of[v->count++] = at;
    *in = (tut_vet_input){.files = files, .file_count = count, .expected = expected};
    for (size_t i = 0; i < count; i++) {
        const tut_found_file *found = &c->inventory->found[item->members[first + i]];
        TUT_AUTO_FREE char *path = tut_fs_join(c->system->dir, found->rel);
        expected[i] = found->has_digest ? &found->digest : NULL;
        files[i] = path ? tut_arena_copy(&v->arena, tut_str_of(path)) : NULL;
        if (!files[i])
            return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    }
    in->path = c->inventory->found[item->members[first]].rel;
    in->split = tut_split_guess(in->path);
    if (!a)
        return TUT_SUCCESS;
    (void)tut_split_parse(a->split, &in->split);
    in->label = column(&v->arena, a->label);
    in->source = column(&v->arena, a->source);
    if (a->baseline.len) {
        TUT_TRY(read_baseline(c, a, &v->baselines[v->count - 1]));
        in->baseline = tut_buf_span(&v->baselines[v->count - 1]);
    }
    return TUT_SUCCESS;
}

static tut_status gather(tut_collection *c, tut_vetting *v)
{
    const tut_inventory *inv = c->inventory;
    size_t most = 0;
    for (size_t i = 0; i < inv->count; i++)
        most += is_vetted(&inv->items[i]) ? inv->items[i].files : 0;
    v->inputs = tut_alloc_array(most + 1, sizeof(*v->inputs));
    v->item_of = tut_alloc_array(most + 1, sizeof(*v->item_of));
    v->first = tut_alloc_array(inv->count + 1, sizeof(*v->first));
    v->baselines = tut_alloc_array(most + 1, sizeof(*v->baselines));
    if (!v->inputs || !v->item_of || !v->first || !v->baselines)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < inv->count; i++) {
        v->first[i] = v->first[i + 1] = v->count;
        if (!is_vetted(&inv->items[i]))
            continue;
        size_t step = are_texts(c, &inv->items[i]) ? inv->items[i].files : 1;
        for (size_t k = 0; k < inv->items[i].files; k += step)
            TUT_TRY(add(c, v, i, k, step));
        v->first[i + 1] = v->count;
    }
    return TUT_SUCCESS;
}

/* Sources that could give out something else tomorrow, and nobody would notice. */
static tut_status find_unpinned(tut_collection *c, tut_vetting *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const tut_asset *a = c->inventory->items[v->item_of[i]].declared;
        size_t loose = 0;
        tut_data_finding *f;
        for (size_t k = 0; a && k < a->source_count; k++)
            loose += !a->sources[k].has_digest;
        if (loose == 0)
            continue;
        TUT_TRY(tut_data_found(&v->vet->items[i].found, "dataset.unpinned-source", (tut_str){"", 0},
                               &f, c->err, "%zu of %zu sources have no digest", loose,
                               a->source_count));
    }
    return TUT_SUCCESS;
}

static void step(void *ctx, size_t done, size_t total)
{
    if (ctx)
        tut_progress_step(ctx, "vet", done, total);
}

tut_status tut_collection_vet(tut_collection *c, tut_cage_mode sandbox, tut_progress *progress)
{
    c->vetting = tut_alloc_array(1, sizeof(*c->vetting));
    if (!c->vetting)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&c->vetting->arena, 0);
    TUT_TRY(gather(c, c->vetting));
    const tut_vet_options options = {
        .checks = TUT_VET_ALL, .sandbox = sandbox, .progress = step, .progress_ctx = progress};
    TUT_TRY(tut_vet_run(c->vetting->inputs, c->vetting->count, &options, &c->vetting->vet, c->err));
    return find_unpinned(c, c->vetting);
}

/* --- what it comes to --- */

typedef struct weighed {
    const tut_data_finding *worst; /* that neither was accepted nor is meant to be there */
    int severity;
    size_t accepted, files, low;
    uint64_t rows;
    tut_time until; /* the first of the acceptances to end */
    const tut_vet_dataset *unread;
} weighed;

/* Somebody accepted it for this asset, at this digest where the entry names one. */
static const tut_listed *find_allowing(const tut_collection *c, const tut_inventory_item *item,
                                       const tut_data_finding *f)
{
    for (size_t i = 0; i < c->system->allowed_count; i++) {
        const tut_listed *e = &c->system->allowed[i];
        if (tut_str_eq_z(e->rule, f->rule) && !tut_listed_lack(e, true, c->from) &&
            tut_str_eq_z(e->asset, item->id) && !e->path.len && !e->url.len &&
            (!e->has_digest || tut_sha256_eq(&e->digest, &item->digest)))
            return e;
    }
    return NULL;
}

/* Personal data in a dataset that is declared to hold some, and kept accordingly. */
static bool is_meant(const tut_inventory_item *item, const tut_data_finding *f)
{
    const tut_asset *a = item->declared;
    return a && strcmp(f->rule, "dataset.personal-data") == 0 &&
           (tut_str_eq_z(a->sensitivity, "personal") ||
            tut_str_eq_z(a->sensitivity, "confidential"));
}

static void weigh(const tut_collection *c, size_t at, weighed *w)
{
    const tut_vetting *v = c->vetting;
    const tut_inventory_item *item = &c->inventory->items[at];
    *w = (weighed){.severity = -1, .until = INT64_MAX};
    for (size_t i = v->first[at]; i < v->first[at + 1]; i++) {
        const tut_vet_dataset *d = &v->vet->items[i];
        w->files++;
        w->rows += d->rows;
        if (d->status != TUT_VET_COMPLETE && (!w->unread || d->status > w->unread->status))
            w->unread = d;
        for (size_t k = 0; k < d->found.count; k++) {
            const tut_data_finding *f = &d->found.items[k];
            int severity = (int)tut_rule_find(tut_str_of(f->rule))->severity;
            const tut_listed *e = find_allowing(c, item, f);
            if (e) {
                w->accepted++;
                w->until = e->expires < w->until ? e->expires : w->until;
            } else if (!is_meant(item, f) && severity > w->severity) {
                w->severity = severity;
                w->worst = f;
            }
        }
    }
}

static tut_result judge(const tut_collection *c, const tut_inventory_item *item, const weighed *w,
                        tut_buf *text)
{
    const tut_rule *rule = w->worst ? tut_rule_find(tut_str_of(w->worst->rule)) : NULL;
    if (rule && w->severity >= TUT_SEVERITY_HIGH) {
        tut_buf_printf(text, "%s: %s (%s): %s.", item->id, rule->title, rule->id,
                       w->worst->message);
        return TUT_RESULT_FAIL;
    }
    if (w->unread) {
        tut_buf_printf(text, "%s: %s was not vetted to its end: %s.", item->id, w->unread->path,
                       w->unread->problem);
        return w->unread->status == TUT_VET_ERROR ? TUT_RESULT_ERROR : TUT_RESULT_NOT_CHECKED;
    }
    if (c->vetting->vet->text_problem[0]) {
        tut_buf_printf(text, "%s was not looked through for personal data: %s.", item->id,
                       c->vetting->vet->text_problem);
        return TUT_RESULT_NOT_CHECKED;
    }
    if (rule && w->severity == TUT_SEVERITY_MEDIUM) {
        tut_buf_printf(text, "%s needs a person's look: %s (%s): %s.", item->id, rule->title,
                       rule->id, w->worst->message);
        return TUT_RESULT_NOT_CHECKED;
    }
    tut_buf_printf(text, "%s: %llu rows vetted for poison, hidden text, secrets and personal data",
                   item->id, (unsigned long long)w->rows);
    if (w->accepted)
        tut_buf_printf(text, "; %zu accepted by policy.scan.allow", w->accepted);
    tut_buf_add_byte(text, '.');
    return TUT_RESULT_PASS;
}

typedef struct accepting {
    const tut_collection *c;
    const tut_inventory_item *item;
} accepting;

static bool put_accepted(const void *ctx, const tut_data_finding *f, tut_json *j)
{
    const accepting *a = ctx;
    const tut_listed *e = find_allowing(a->c, a->item, f);
    if (!e || !j)
        return e != NULL;
    tut_json_object(j);
    tut_json_put_str(j, "by", e->by);
    tut_json_put_str(j, "reason", e->reason);
    tut_json_put_time(j, "expires", e->expires);
    tut_json_end_object(j);
    return true;
}

static tut_status write_body(const tut_collection *c, size_t at, tut_buf *out)
{
    const accepting who = {c, &c->inventory->items[at]};
    const tut_vetting *v = c->vetting;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.vetted/1");
    tut_json_put_z(j, "asset", c->inventory->items[at].id);
    tut_json_key(j, "datasets");
    tut_json_array(j);
    for (size_t i = v->first[at]; i < v->first[at + 1]; i++)
        tut_vet_json_judged(&v->vet->items[i], put_accepted, &who, j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, c->err);
}

void tut_vetting_roots(const tut_collection *c, size_t item, tut_json *j)
{
    const tut_vetting *v = c->vetting;
    tut_json_array(j);
    for (size_t i = v ? v->first[item] : 0; v && i < v->first[item + 1]; i++) {
        const tut_vet_dataset *d = &v->vet->items[i];
        tut_json_object(j);
        tut_json_put_z(j, "path", d->path);
        tut_json_key(j, "merkle");
        tut_vet_json_root(d, j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status add_vetted(tut_batch *b, size_t at)
{
    const tut_collection *c = b->c;
    const tut_inventory_item *item = &c->inventory->items[at];
    weighed w;
    tut_record *r;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    weigh(c, at, &w);
    if (w.files == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_VETTED, item->kind, &r));
    r->result = judge(c, item, &w, &text);
    if (w.until < r->expires)
        r->expires = w.until; /* the pass that rests on an acceptance ends with it */
    TUT_TRY(tut_buf_check(&text, b->err));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    TUT_TRY(write_body(c, at, &body));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

tut_status tut_step_vetted(tut_batch *b)
{
    for (size_t i = 0; i < b->c->inventory->count; i++)
        if (is_vetted(&b->c->inventory->items[i]))
            TUT_TRY(add_vetted(b, i));
    return TUT_SUCCESS;
}
