#include "store/prune.h"
#include "store/restore.h"

#include "assets/signed.h"
#include "state/records.h"
#include "store/signature.h"

void tut_pruned_done(tut_pruned *p)
{
    tut_free(p->items);
    *p = (tut_pruned){0};
}

typedef struct pruning {
    tut_store *s;
    tut_ledger *ledger;
    const tut_system *system;
    const tut_known_versions *known;
    const char *asset;
    const tut_prune_options *options;
    tut_pruned *result;
    tut_error *err;
} pruning;

static bool is_there(const pruning *p, const tut_known_version *k)
{
    return !k->is_pruned && strcmp(k->asset, p->asset) == 0;
}

/* The newest version that somebody who may sign it signed. */
static tut_status find_signed(pruning *p)
{
    TUT_AUTO(tut_records) people = NULL;
    const tut_asset *a = p->system ? tut_system_asset(p->system, tut_str_of(p->asset)) : NULL;
    uint32_t roles = a ? tut_signer_roles(p->system, a->kind) : 0;
    TUT_TRY(tut_state_people(p->ledger, &people, p->err));
    for (size_t i = p->known->count; i > 0 && !p->result->spared; i--) {
        const tut_known_version *k = &p->known->items[i - 1];
        TUT_AUTO(tut_version) v = NULL;
        tut_signed_by by;
        tut_error why = {0};
        if (!is_there(p, k))
            continue;
        tut_status status = tut_restore_load(p->s, k, &v, &why);
        if (status.code == TUT_STORE || status.code == TUT_MALFORMED)
            continue; /* it cannot be had back, whoever signed it */
        if (!tut_is_ok(status))
            return tut_fail(p->err, status.code, "%s", why.text);
        TUT_TRY(
            tut_version_signed_by(p->s, v, people->people, people->log_size, roles, &by, p->err));
        if (by.state == TUT_SIGNED_VALID)
            p->result->spared = k;
    }
    return TUT_SUCCESS;
}

static tut_status choose(pruning *p)
{
    size_t seen = 0;
    for (size_t i = p->known->count; i > 0; i--) {
        const tut_known_version *k = &p->known->items[i - 1];
        if (!is_there(p, k) || seen++ < p->options->keep || k == p->result->spared ||
            (p->options->older && k->at >= p->options->older))
            continue;
        TUT_TRY(tut_grow(&p->result->items, p->result->count, &p->result->capacity,
                         sizeof(*p->result->items)));
        p->result->items[p->result->count++] = k;
    }
    return TUT_SUCCESS;
}

static tut_status record(pruning *p)
{
    tut_pruned *r = p->result;
    TUT_AUTO_FREE tut_record *records = tut_alloc_array(r->count + 1, sizeof(*records));
    TUT_AUTO_FREE tut_subject *subjects = tut_alloc_array(2 * r->count + 1, sizeof(*subjects));
    tut_arena arena;
    if (!records || !subjects)
        return tut_fail(p->err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&arena, 0);
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < r->count && tut_is_ok(status); i++) {
        TUT_AUTO_FREE char *tag = tut_asprintf(TUT_VERSION_SUBJECT "%s", r->items[i]->tag);
        const char *kept = tag ? tut_arena_copy(&arena, tut_str_of(tag)) : NULL;
        if (!kept)
            status = tut_fail(p->err, TUT_NOMEM, "memory ran out");
        subjects[2 * i] = (tut_subject){.name = p->asset, .digest = r->items[i]->digest};
        subjects[2 * i + 1] = (tut_subject){.name = kept, .digest = r->items[i]->manifest};
        records[i] = *p->options->who;
        records[i].type = TUT_RECORD_EVENT;
        records[i].at = tut_time_now();
        records[i].check = TUT_EVENT_PRUNED;
        records[i].subjects = &subjects[2 * i];
        records[i].subject_count = 2;
        records[i].statement = "The version was given up; its bytes go with the next tutela store "
                               "gc.";
    }
    if (tut_is_ok(status))
        status = tut_ledger_append(p->ledger, records, r->count, p->err);
    tut_arena_done(&arena);
    return status;
}

static tut_status prune(pruning *p)
{
    TUT_TRY(find_signed(p));
    TUT_TRY(choose(p));
    if (p->options->dry || p->result->count == 0)
        return TUT_SUCCESS;
    TUT_TRY(record(p));
    for (size_t i = 0; i < p->result->count; i++)
        TUT_TRY(tut_store_set_tag(p->s, tut_str_of(p->result->items[i]->tag), NULL, p->err));
    return tut_store_save(p->s, p->err);
}

tut_status tut_store_prune(tut_store *s, tut_ledger *ledger, const tut_system *system,
                           const tut_known_versions *known, const char *asset,
                           const tut_prune_options *options, tut_pruned *ret_pruned, tut_error *err)
{
    TUT_CLEAN(tut_pruned) result = {0};
    pruning p = {.s = s,
                 .ledger = ledger,
                 .system = system,
                 .known = known,
                 .asset = asset,
                 .options = options,
                 .result = &result,
                 .err = err};
    if (options->keep == 0)
        return tut_fail(err, TUT_USAGE, "at least one version is kept");
    TUT_TRY(prune(&p));
    *ret_pruned = result;
    result = (tut_pruned){0};
    return TUT_SUCCESS;
}
