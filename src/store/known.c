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

static bool is_version(const tut_record *r, const char *asset)
{
    return r->type == TUT_RECORD_EVENT && !r->doubt && strcmp(r->check, TUT_EVENT_VERSIONED) == 0 &&
           r->subject_count == 2 &&
           strncmp(r->subjects[1].name, TUT_VERSION_SUBJECT, strlen(TUT_VERSION_SUBJECT)) == 0 &&
           (!asset || strcmp(r->subjects[0].name, asset) == 0);
}

static tut_status collect(tut_known_versions *k, const char *asset, tut_error *err)
{
    for (size_t i = 0; i < k->records->count; i++) {
        const tut_record *r = &k->records->items[i];
        if (!is_version(r, asset))
            continue;
        TUT_TRY(tut_grow(&k->items, k->count, &k->capacity, sizeof(*k->items)));
        const char *tag = r->subjects[1].name + strlen(TUT_VERSION_SUBJECT);
        k->items[k->count++] = (tut_known_version){.asset = r->subjects[0].name,
                                                   .tag = tag,
                                                   .number = number_of(tag),
                                                   .digest = r->subjects[0].digest,
                                                   .manifest = r->subjects[1].digest,
                                                   .at = r->at,
                                                   .index = r->index,
                                                   .uid = r->uid};
    }
    (void)err;
    return TUT_SUCCESS;
}

tut_status tut_known_versions_read(tut_ledger *ledger, const char *asset,
                                   tut_known_versions *ret_known, tut_error *err)
{
    const tut_index_query query = {
        .asset = asset, .kind = TUT_EVENT_VERSIONED, .from = INT64_MIN, .to = INT64_MAX};
    tut_places places = {0};
    TUT_CLEAN(tut_known_versions) k = {0};
    tut_status status = tut_state_search(ledger, &query, &places, NULL, err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ledger, places.items, places.count, &k.records, err);
    tut_places_done(&places);
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
        if (strcmp(v->asset, asset) == 0 && (!digest || tut_sha256_eq(&v->digest, digest)))
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
