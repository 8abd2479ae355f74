/* Subjects, records and people of an assessment: gathered, sorted, each once. */
#include <stdlib.h>

#include "assess/oscal_results.h"

static int compare_subjects(const void *a, const void *b)
{
    const tut_oscal_subject *x = a;
    const tut_oscal_subject *y = b;
    int by_name = tut_str_cmp(x->name, y->name);
    if (by_name)
        return by_name;
    if (!x->digest || !y->digest)
        return (x->digest != NULL) - (y->digest != NULL);
    return memcmp(x->digest->bytes, y->digest->bytes, TUT_SHA256_BYTES);
}

/* Those of the inventory stand first among equals, so that they are what stays. */
static int compare_gathered(const void *a, const void *b)
{
    const tut_oscal_subject *x = a;
    const tut_oscal_subject *y = b;
    int order = compare_subjects(a, b);
    return order ? order : (x->asset == NULL) - (y->asset == NULL);
}

static int compare_used(const void *a, const void *b)
{
    uint64_t x = ((const tut_oscal_used *)a)->record->index;
    uint64_t y = ((const tut_oscal_used *)b)->record->index;
    return (x > y) - (x < y);
}

static int compare_parties(const void *a, const void *b)
{
    return memcmp(((const tut_oscal_party *)a)->id.bytes, ((const tut_oscal_party *)b)->id.bytes,
                  TUT_UUID_BYTES);
}

/* Keeps the first of equal neighbours. */
static size_t unique(void *items, size_t count, size_t size,
                     int (*compare)(const void *, const void *))
{
    uint8_t *bytes = items;
    size_t kept = count ? 1 : 0;
    for (size_t i = 1; i < count; i++) {
        if (compare(bytes + (kept - 1) * size, bytes + i * size) == 0)
            continue;
        if (kept != i)
            memcpy(bytes + kept * size, bytes + i * size, size);
        kept++;
    }
    return kept;
}

static tut_status add_subject(tut_oscal_facts *f, tut_oscal_subject subject)
{
    TUT_TRY(tut_grow(&f->subjects, f->subject_count, &f->subject_capacity, sizeof(*f->subjects)));
    f->subjects[f->subject_count++] = subject;
    return TUT_SUCCESS;
}

static tut_status add_party(tut_oscal_facts *f, tut_oscal_party party)
{
    TUT_TRY(tut_grow(&f->parties, f->party_count, &f->party_capacity, sizeof(*f->parties)));
    f->parties[f->party_count++] = party;
    return TUT_SUCCESS;
}

static tut_status gather_assets(tut_oscal_facts *f, const tut_assessment *a)
{
    f->digests = tut_alloc_array(a->asset_count ? a->asset_count : 1, sizeof(*f->digests));
    if (!f->digests)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < a->asset_count; i++) {
        const tut_asset_summary *s = &a->assets[i];
        bool has_digest = tut_is_ok(tut_sha256_parse(tut_str_of(s->digest), &f->digests[i]));
        TUT_TRY(add_subject(f, (tut_oscal_subject){.name = tut_str_of(s->id),
                                                   .digest = has_digest ? &f->digests[i] : NULL,
                                                   .asset = s}));
    }
    return TUT_SUCCESS;
}

static tut_status gather_used(tut_oscal_facts *f, const tut_assessment *a)
{
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &a->controls[i];
        for (size_t k = 0; k < c->evidence_count; k++) {
            TUT_TRY(tut_grow(&f->used, f->used_count, &f->used_capacity, sizeof(*f->used)));
            f->used[f->used_count++] = (tut_oscal_used){.record = c->evidence[k].record};
        }
    }
    if (f->used_count)
        qsort(f->used, f->used_count, sizeof(*f->used), compare_used);
    f->used_count = unique(f->used, f->used_count, sizeof(*f->used), compare_used);
    return TUT_SUCCESS;
}

bool tut_oscal_is_by_name(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (!r->signers[i].is_tool)
            return false;
    return strcmp(r->actor, "tool") != 0;
}

tut_uuid tut_oscal_signer_id(tut_oscal *o, const tut_record_signer *signer)
{
    return TUT_OSCAL_ID(o, "party", TUT_LIT("key"), tut_str_of(signer->key_id),
                        tut_str_of(signer->name));
}

tut_uuid tut_oscal_named_id(tut_oscal *o, const char *name)
{
    return TUT_OSCAL_ID(o, "party", TUT_LIT("name"), tut_str_of(name));
}

static tut_status gather_of_record(tut_oscal_facts *f, tut_oscal *o, const tut_record *r)
{
    for (size_t i = 0; i < r->subject_count; i++)
        TUT_TRY(add_subject(f, (tut_oscal_subject){.name = tut_str_of(r->subjects[i].name),
                                                   .digest = &r->subjects[i].digest}));
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        if (!s->is_tool)
            TUT_TRY(add_party(f, (tut_oscal_party){.name = s->name,
                                                   .key_id = s->key_id,
                                                   .id = tut_oscal_signer_id(o, s)}));
    }
    if (!tut_oscal_is_by_name(r))
        return TUT_SUCCESS;
    return add_party(f, (tut_oscal_party){.name = r->actor, .id = tut_oscal_named_id(o, r->actor)});
}

static tut_status name_subjects(tut_oscal_facts *f, tut_oscal *o)
{
    if (f->subject_count)
        qsort(f->subjects, f->subject_count, sizeof(*f->subjects), compare_gathered);
    f->subject_count = unique(f->subjects, f->subject_count, sizeof(*f->subjects),
                              compare_subjects);
    for (size_t i = 0; i < f->subject_count; i++) {
        tut_oscal_subject *s = &f->subjects[i];
        s->id = TUT_OSCAL_ID(o, "subject", tut_str_of(o->a->log_origin), s->name,
                             s->digest ? tut_oscal_digest_part(s->digest) : TUT_LIT(""));
        if (s->asset)
            TUT_TRY(tut_map_put(&f->current, s->name, i, NULL, o->err));
    }
    return TUT_SUCCESS;
}

static void name_used(tut_oscal_facts *f, tut_oscal *o)
{
    for (size_t i = 0; i < f->used_count; i++) {
        const tut_record *r = f->used[i].record;
        char index[24];
        snprintf(index, sizeof(index), "%llu", (unsigned long long)r->index);
        tut_str origin = tut_str_of(r->origin);
        tut_str body = r->has_body ? tut_oscal_digest_part(&r->body) : TUT_LIT("");
        f->used[i].observation = TUT_OSCAL_ID(o, "observation", origin, tut_str_of(index),
                                              tut_str_of(r->check), body);
        f->used[i].evidence = TUT_OSCAL_ID(o, "evidence", origin, tut_str_of(index), body);
    }
}

static tut_status gather(tut_oscal_facts *f, tut_oscal *o)
{
    TUT_TRY(gather_assets(f, o->a));
    TUT_TRY(gather_used(f, o->a));
    for (size_t i = 0; i < f->used_count; i++)
        TUT_TRY(gather_of_record(f, o, f->used[i].record));
    if (f->party_count)
        qsort(f->parties, f->party_count, sizeof(*f->parties), compare_parties);
    f->party_count = unique(f->parties, f->party_count, sizeof(*f->parties), compare_parties);
    return name_subjects(f, o);
}

tut_status tut_oscal_facts_init(tut_oscal_facts *f, tut_oscal *o)
{
    tut_str origin = tut_str_of(o->a->log_origin);
    tut_str binary = tut_oscal_digest_part(&o->a->tool_binary);
    *f = (tut_oscal_facts){0};
    tut_status status = gather(f, o);
    if (status.code == TUT_NOMEM)
        status = tut_fail(o->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_oscal_facts_done(f);
        return status;
    }
    name_used(f, o);
    f->system = TUT_OSCAL_ID(o, "system", origin, tut_str_of(o->a->system_name));
    f->tool = TUT_OSCAL_ID(o, "tool", binary, tut_oscal_digest_part(&o->a->tool_rules));
    f->bills = TUT_OSCAL_ID(o, "resource", TUT_LIT("bills of materials"), origin);
    f->platform = TUT_OSCAL_ID(o, "platform", origin, binary);
    return TUT_SUCCESS;
}

void tut_oscal_facts_done(tut_oscal_facts *f)
{
    tut_free(f->subjects);
    tut_free(f->used);
    tut_free(f->parties);
    tut_free(f->digests);
    tut_map_done(&f->current);
    *f = (tut_oscal_facts){0};
}

const tut_oscal_subject *tut_oscal_find_subject(const tut_oscal_facts *f, tut_str name,
                                                const tut_sha256 *digest)
{
    tut_oscal_subject key = {.name = name, .digest = digest};
    return f->subject_count
               ? bsearch(&key, f->subjects, f->subject_count, sizeof(key), compare_subjects)
               : NULL;
}

tut_oscal_used *tut_oscal_find_used(const tut_oscal_facts *f, const tut_record *record)
{
    tut_oscal_used key = {.record = record};
    return f->used_count ? bsearch(&key, f->used, f->used_count, sizeof(key), compare_used) : NULL;
}
