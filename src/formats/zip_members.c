/* The zip reader's directory without its questions: findings go nowhere. */
#include "formats/zip_members.h"

#include "formats/zip_internal.h"

struct tut_zip_members {
    tut_zip zip;
    tut_exam exam;
    tut_source source;
};

static void no_fact(void *ctx, const char *key, tut_str value)
{
    (void)ctx;
    (void)key;
    (void)value;
}

static void no_observation(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    (void)ctx;
    (void)rule;
    (void)offset;
    (void)detail;
}

static const tut_exam_ops quiet = {.fact = no_fact, .observe = no_observation};

static tut_status read_directory(tut_zip *z, tut_error *err)
{
    if (z->src->size < TUT_ZIP_END_BYTES)
        return tut_fail(err, TUT_TRUNCATED, "too short for a zip archive");
    TUT_TRY(tut_zip_find_end(z, err));
    if (!z->has_end)
        return tut_fail(err, TUT_TRUNCATED, "the zip archive has no end record: it is cut off");
    if (!z->end.has_directory)
        return tut_fail(err, TUT_MALFORMED, "the zip archive's end record leads to no directory");
    return tut_zip_read_directory(z, &z->end, true, err);
}

tut_status tut_zip_members_open(const tut_source *source, tut_budget *budget,
                                tut_zip_members **ret_members, tut_error *err)
{
    TUT_AUTO(tut_zip_members) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->source = *source;
    m->exam =
        (tut_exam){.source = &m->source, .size = source->size, .budget = budget, .ops = &quiet};
    m->zip.x = &m->exam;
    m->zip.src = &m->source;
    tut_arena_init(&m->zip.arena, 0);
    m->zip.scratch = tut_alloc_array(TUT_ZIP_SCRATCH, 1);
    if (!m->zip.scratch)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(read_directory(&m->zip, err));
    *ret_members = tut_move(&m);
    return TUT_SUCCESS;
}

void tut_zip_members_free(tut_zip_members *m)
{
    if (!m)
        return;
    if (m->exam.budget)
        tut_budget_heap_return(m->exam.budget, m->zip.heap);
    tut_arena_done(&m->zip.arena);
    tut_free(m->zip.members);
    tut_free(m->zip.scratch);
    tut_free(m);
}

size_t tut_zip_members_count(const tut_zip_members *m)
{
    return m->zip.count;
}

tut_zip_entry tut_zip_members_entry(tut_zip_members *m, size_t i)
{
    const tut_zip_header *h = &m->zip.members[i].central;
    tut_zip_header local;
    tut_zip_entry e = {.name = h->name, .unpacked = h->unpacked};
    if (h->flags & (TUT_ZIP_FLAG_ENCRYPTED | TUT_ZIP_FLAG_STRONG))
        e.why = "it is encrypted";
    else if (!tut_zip_codec(h->method, &e.codec))
        e.why = "it is packed in a way that is not read";
    else if (!tut_is_ok(tut_zip_read_local(&m->zip, h->local_at, &h->name, &local, NULL)) ||
             !tut_is_ok(tut_source_slice(&m->source, local.data_at, h->packed, &e.packed)))
        e.why = "its bytes are not where the directory says";
    e.is_read = e.why == NULL;
    return e;
}
