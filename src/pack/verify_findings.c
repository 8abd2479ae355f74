/* What tests came to, of the records that the verdict goes by: what a receipt is given for. */
#include "assess/covered.h"
#include "pack/verify_internal.h"

/* What it was drawn from is in the pack too: a result alone is no finding that was handed over. */
static bool is_handed(const tut_verifying *v, const tut_want *want, const tut_record *r)
{
    char name[TUT_PACK_NAME];
    if (!tut_want_covers(want, r))
        return false;
    tut_pack_body_name(&r->body, name);
    return !r->has_body || tut_archive_find(&v->archive, name) != NULL;
}

static tut_status add(tut_verifying *v, const tut_record *r, tut_pack_finding *to)
{
    tut_pack_result *result = v->result;
    for (size_t i = 0; i < r->subject_count; i++) {
        tut_pack_finding *f = &to[result->finding_count];
        const char *check = tut_arena_copy(&result->arena, tut_str_of(r->check));
        const char *subject = tut_arena_copy(&result->arena, tut_str_of(r->subjects[i].name));
        if (!check || !subject)
            return tut_fail(v->err, TUT_NOMEM, "memory ran out");
        *f = (tut_pack_finding){.entry = r->index,
                                .check = tut_str_of(check),
                                .subject = tut_str_of(subject),
                                .digest = r->subjects[i].digest,
                                .result = r->result,
                                .expires = r->expires};
        result->finding_count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_pack_list_findings(tut_verifying *v)
{
    const tut_records *records = v->then->records;
    const tut_want *want = tut_catalogue_find_want(TUT_LIT(TUT_CHECK_SHARED));
    size_t count = 0;
    if (!want)
        return tut_fail(v->err, TUT_BUG, "the catalogue lacks " TUT_CHECK_SHARED);
    for (size_t i = 0; i < records->count; i++)
        if (is_handed(v, want, &records->items[i]))
            count += records->items[i].subject_count;
    tut_pack_finding *findings = tut_arena_take(&v->result->arena, count + 1, sizeof(*findings));
    if (!findings)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    v->result->findings = findings;
    for (size_t i = 0; i < records->count; i++)
        if (is_handed(v, want, &records->items[i]))
            TUT_TRY(add(v, &records->items[i], findings));
    return TUT_SUCCESS;
}
