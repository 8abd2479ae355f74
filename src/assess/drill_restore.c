/*
 * drill.restore: every model, dataset, prompt and configuration of the description comes back from
 * the store, into a scratch place, at the digest that the description pins, signed by whom the
 * policy wants. Nothing in use is touched.
 */
#include <unistd.h>

#include "assess/drill_internal.h"
#include "assets/signed.h"
#include "base/fs.h"
#include "state/records.h"
#include "store/restore.h"

typedef struct drill {
    const tut_drilling *d;
    tut_store *store; /* NULL: there is none */
    tut_known_versions known;
    tut_records *people;
    char *scratch;
    tut_error *err;
} drill;

static void drill_done(drill *w)
{
    tut_known_versions_done(&w->known);
    tut_records_free(w->people);
    tut_store_free(w->store);
    tut_free(w->scratch);
}

static tut_status nomem(drill *w)
{
    return tut_fail(w->err, TUT_NOMEM, "memory ran out");
}

static tut_status say(drill *w, tut_drill_item *item, tut_drill_state state, const char *reason)
{
    item->state = state;
    item->reason = tut_strdup(reason);
    return item->reason ? TUT_SUCCESS : nomem(w);
}

static tut_status judge(drill *w, tut_drill_item *item, const tut_verify_result *v,
                        const tut_person *person)
{
    if (v->verdict != TUT_VERIFY_VALID)
        return say(w, item, TUT_DRILL_FAILED,
                   v->verdict == TUT_VERIFY_UNSIGNED ? "the version carries no signature"
                   : v->reason_count                 ? v->reasons[0]
                                                     : "the signature does not count");
    item->person = tut_strdup(person->name);
    item->key_id = tut_strdup(v->signer);
    if (!item->person || !item->key_id)
        return nomem(w);
    return say(w, item, TUT_DRILL_PASSED, "came back as it was signed");
}

/* One asset at a time on the stage: it takes no more room than the largest. */
static tut_status restore_on(drill *w, const tut_asset *asset, const tut_known_version *k,
                             const tut_stage *stage, tut_drill_item *item, tut_error *why)
{
    TUT_AUTO(tut_version) v = NULL;
    TUT_CLEAN(tut_verify_result) verified = {0};
    const tut_person *person = NULL;
    TUT_TRY(tut_restore_load(w->store, k, &v, why));
    tut_staging how = {.store = w->store,
                       .version = v,
                       .origin = tut_ledger_origin(w->d->ledger),
                       .progress = w->d->progress,
                       .ctx = w->d->ctx};
    TUT_TRY(tut_stage_fill(stage, &how, why));
    item->files = how.files;
    item->bytes = how.bytes;
    TUT_TRY(tut_stage_verify(stage, v, NULL, w->people, tut_signer_roles(w->d->system, asset->kind),
                             &verified, &person, why));
    return judge(w, item, &verified, person);
}

static tut_status try_version(drill *w, const tut_asset *asset, const tut_known_version *k,
                              tut_drill_item *item)
{
    TUT_CLEAN(tut_stage) stage = {.fd = -1};
    tut_error why = {0};
    uint64_t started = tut_clock_ms();
    TUT_TRY(tut_stage_make(w->scratch, &stage, w->err));
    tut_status status = restore_on(w, asset, k, &stage, item, &why);
    tut_stage_remove(w->scratch);
    item->took_ms = tut_clock_ms() - started;
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED || status.code == TUT_BUG)
        return tut_fail(w->err, status.code, "%s", why.text);
    return tut_is_ok(status) ? TUT_SUCCESS : say(w, item, TUT_DRILL_FAILED, why.text);
}

static tut_status try_asset(drill *w, const tut_asset *asset, tut_drill_result *r)
{
    tut_drill_item *item;
    TUT_TRY(tut_drill_add(r, asset->id, &item, w->err));
    const tut_known_version *k = tut_known_latest(&w->known, asset->id,
                                                  asset->has_digest ? &asset->digest : NULL);
    if (!k)
        return say(w, item, TUT_DRILL_LEFT_OUT,
                   "no version in the store holds what the description pins; tutela snapshot takes "
                   "one");
    item->tag = tut_strdup(k->tag);
    if (!item->tag)
        return nomem(w);
    return try_version(w, asset, k, item);
}

static bool is_drilled(const tut_asset *a)
{
    return a->path.len > 0 && (a->kind == TUT_KIND_MODEL || a->kind == TUT_KIND_DATASET ||
                               a->kind == TUT_KIND_PROMPT || a->kind == TUT_KIND_CONFIG);
}

static tut_status run(drill *w, tut_drill_result *r)
{
    const tut_system *system = w->d->system;
    TUT_TRY(tut_store_open(w->d->state_dir, false, &w->store, w->err));
    if (!w->store)
        return tut_fail(w->err, TUT_USAGE,
                        "there is no version store here; tutela snapshot --all makes it");
    TUT_TRY(tut_known_versions_read(w->d->ledger, NULL, &w->known, w->err));
    TUT_TRY(tut_state_people(w->d->ledger, &w->people, w->err));
    w->scratch = tut_asprintf("%s/tmp/drill.%d", w->store->dir, (int)getpid());
    if (!w->scratch)
        return nomem(w);
    for (size_t i = 0; i < system->asset_count; i++)
        if (is_drilled(&system->assets[i]))
            TUT_TRY(try_asset(w, &system->assets[i], r));
    return TUT_SUCCESS;
}

tut_status tut_drill_restore(const tut_drilling *d, tut_drill_result *r, tut_error *err)
{
    TUT_CLEAN(drill) w = {.d = d, .err = err};
    return run(&w, r);
}
