/* Versions as the log knows them. */
#include "base/limits.h"
#include "state/records.h"
#include "store/version.h"

void tut_known_versions_done(tut_known_versions *k)
{
    tut_free(k->items);
    tut_records_free(k->records);
    *k = (tut_known_versions){0};
}

/* "store/model-reranker-v3": 3; 0: none. */
static uint64_t number_of(const char *tag)
{
    uint64_t number = 0;
    const char *dash = strrchr(tag, '-');
    if (!dash || dash[1] != 'v' || !tut_str_u64(tut_str_of(dash + 2), &number))
        return 0;
    return number;
}

static bool is_version(const tut_record *r, const char *event, const char *asset)
{
    return r->type == TUT_RECORD_EVENT && !r->doubt && strcmp(r->check, event) == 0 &&
           r->subject_count == 2 &&
           strncmp(r->subjects[1].name, TUT_VERSION_SUBJECT, strlen(TUT_VERSION_SUBJECT)) == 0 &&
           (!asset || strcmp(r->subjects[0].name, asset) == 0);
}

static tut_known_version version_of(const tut_record *r)
{
    const char *tag = r->subjects[1].name + strlen(TUT_VERSION_SUBJECT);
    return (tut_known_version){.asset = r->subjects[0].name,
                               .tag = tag,
                               .number = number_of(tag),
                               .digest = r->subjects[0].digest,
                               .manifest = r->subjects[1].digest,
                               .at = r->at,
                               .index = r->index,
                               .uid = r->uid};
}

static void mark_pruned(tut_known_versions *k, const tut_record *r)
{
    for (size_t i = 0; i < k->count; i++)
        if (tut_sha256_eq(&k->items[i].manifest, &r->subjects[1].digest))
            k->items[i].is_pruned = true;
}

static tut_status collect(tut_known_versions *k, const char *asset, tut_error *err)
{
    for (size_t i = 0; i < k->records->count; i++) {
        const tut_record *r = &k->records->items[i];
        if (is_version(r, TUT_EVENT_PRUNED, asset))
            mark_pruned(k, r);
        if (!is_version(r, TUT_EVENT_VERSIONED, asset))
            continue;
        if (!tut_is_ok(tut_grow(&k->items, k->count, &k->capacity, sizeof(*k->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        k->items[k->count++] = version_of(r);
    }
    return TUT_SUCCESS;
}

static tut_status find(tut_ledger *ledger, const char *event, const char *asset, tut_places *all,
                       tut_error *err)
{
    const tut_index_query query = {
        .asset = asset, .kind = event, .from = INT64_MIN, .to = INT64_MAX};
    tut_places places = {0};
    tut_status status = tut_state_search(ledger, &query, &places, NULL, err);
    if (tut_is_ok(status))
        status = tut_places_join(all, places.items, places.count, err);
    tut_places_done(&places);
    return status;
}

tut_status tut_known_versions_read(tut_ledger *ledger, const char *asset,
                                   tut_known_versions *ret_known, tut_error *err)
{
    tut_places all = {0};
    TUT_CLEAN(tut_known_versions) k = {0};
    tut_status status = find(ledger, TUT_EVENT_VERSIONED, asset, &all, err);
    if (tut_is_ok(status))
        status = find(ledger, TUT_EVENT_PRUNED, asset, &all, err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ledger, all.items, all.count, &k.records, err);
    tut_places_done(&all);
    TUT_TRY(status);
    TUT_TRY(collect(&k, asset, err));
    *ret_known = k;
    k = (tut_known_versions){0};
    return TUT_SUCCESS;
}

const tut_known_version *tut_known_latest(const tut_known_versions *k, const char *asset,
                                          const tut_sha256 *digest)
{
    for (size_t i = k->count; i > 0; i--) {
        const tut_known_version *v = &k->items[i - 1];
        if (!v->is_pruned && strcmp(v->asset, asset) == 0 &&
            (!digest || tut_sha256_eq(&v->digest, digest)))
            return v;
    }
    return NULL;
}

const tut_known_version *tut_known_manifest(const tut_known_versions *k, const tut_sha256 *manifest)
{
    for (size_t i = 0; i < k->count; i++)
        if (tut_sha256_eq(&k->items[i].manifest, manifest))
            return &k->items[i];
    return NULL;
}

uint64_t tut_known_highest(const tut_known_versions *k, const char *asset)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->items[i].asset, asset) == 0 && k->items[i].number > highest)
            highest = k->items[i].number;
    return highest;
}
