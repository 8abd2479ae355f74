/*
 *   parquet = "PAR1" { column chunk } footer u32le(its length) "PAR1"
 *   footer  = 1 version, 2 schema, 3 rows, 4 row groups, 6 writer, 8 encryption
 *
 * "PARE" instead: the footer is encrypted.
 */
#include "formats/parquet_internal.h"

enum { TAIL_BYTES = 8, LEAST_BYTES = 12 };

static tut_status read_footer(tut_parquet *p, tut_error *err)
{
    uint8_t tail[TAIL_BYTES];
    if (p->source->size < LEAST_BYTES)
        return tut_fail(err, TUT_TRUNCATED, "too short for a Parquet file");
    TUT_TRY(tut_source_read(p->source, p->source->size - TAIL_BYTES, tail, TAIL_BYTES, err));
    if (memcmp(tail + 4, "PARE", 4) == 0)
        return tut_fail(err, TUT_UNSUPPORTED, "the Parquet file is encrypted");
    if (memcmp(tail + 4, "PAR1", 4) != 0)
        return tut_fail(err, TUT_TRUNCATED,
                        "the Parquet file does not end as one: it is cut off, and what says where "
                        "its columns are stood at its end");
    uint32_t len = tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 |
                   (uint32_t)tail[3] << 24;
    if (len > p->source->size - LEAST_BYTES)
        return tut_fail(err, TUT_MALFORMED, "the Parquet footer is longer than the file");
    if (len > PARQUET_FOOTER_MAX)
        return tut_fail(err, TUT_LIMIT, "a Parquet footer of %u bytes; up to %d are read", len,
                        PARQUET_FOOTER_MAX);
    TUT_TRY(tut_budget_heap(p->budget, len, err));
    p->heap += len;
    p->footer_at = p->source->size - TAIL_BYTES - len;
    uint8_t *to = tut_buf_extend(&p->footer, len);
    TUT_TRY(tut_buf_check(&p->footer, err));
    return tut_source_read(p->source, p->footer_at, to, len, err);
}

static tut_status open_groups(tut_parquet *p, tut_reader *r, uint8_t type)
{
    uint8_t item;
    tut_reader list = *r;
    TUT_TRY(tut_thrift_list(&list, type, &item, &p->groups_left));
    if (item != TUT_THRIFT_STRUCT && p->groups_left > 0)
        return (tut_status){TUT_MALFORMED};
    p->groups = list;
    p->facts.groups = p->groups_left;
    return tut_thrift_skip(r, type, false);
}

static tut_status footer_field(tut_parquet *p, tut_reader *r, int32_t field, uint8_t type,
                               tut_error *err)
{
    int64_t rows;
    switch (field) {
    case 1:
        return tut_thrift_i32(r, type, &p->facts.version);
    case 2:
        if (p->facts.leaf_count > 0)
            return (tut_status){TUT_MALFORMED};
        return parquet_schema(p, r, type, err);
    case 3:
        TUT_TRY(tut_thrift_number(r, type, &rows));
        if (rows < 0)
            return (tut_status){TUT_MALFORMED};
        p->facts.rows = (uint64_t)rows;
        return TUT_SUCCESS;
    case 4:
        return open_groups(p, r, type);
    case 6:
        return tut_thrift_binary(r, type, &p->facts.writer);
    default:
        return tut_thrift_skip(r, type, false);
    }
}

static tut_status parse_footer(tut_parquet *p, tut_error *err)
{
    tut_reader r = tut_reader_of(tut_buf_span(&p->footer));
    bool has_schema = false;
    r.base = p->footer_at;
    for (int32_t field = 0;;) {
        uint8_t type;
        tut_error why = {0};
        tut_status s = tut_thrift_field(&r, &field, &type);
        if (tut_is_ok(s) && type == TUT_THRIFT_STOP)
            break;
        if (tut_is_ok(s))
            s = footer_field(p, &r, field, type, &why);
        if (s.code == TUT_NOMEM || s.code == TUT_LIMIT)
            return tut_fail(err, s.code, "%s", why.text[0] ? why.text : tut_code_sentence(s.code));
        if (!tut_is_ok(s))
            return tut_fail_at(err, TUT_MALFORMED, tut_reader_offset(&r),
                               "the Parquet footer cannot be read%s%s", why.text[0] ? ": " : "",
                               why.text);
        has_schema |= field == 2;
    }
    if (!has_schema)
        return tut_fail(err, TUT_MALFORMED, "the Parquet footer has no schema");
    p->facts.leaves = p->leaves;
    return TUT_SUCCESS;
}

static tut_status open_columns(tut_parquet *p, tut_error *err)
{
    const size_t count = p->facts.leaf_count;
    const uint64_t bytes = count * (uint64_t)(sizeof(*p->columns) + sizeof(*p->leaves));
    TUT_TRY(tut_budget_heap(p->budget, bytes, err));
    p->heap += bytes;
    p->columns = tut_alloc_array(count ? count : 1, sizeof(*p->columns));
    if (!p->columns)
        return tut_fail(err, TUT_NOMEM, "no memory for %zu columns", count);
    for (size_t i = 0; i < count; i++)
        p->columns[i].leaf = &p->leaves[i];
    return TUT_SUCCESS;
}

tut_status tut_parquet_open(const tut_source *source, tut_budget *budget, tut_parquet **ret_parquet,
                            tut_error *err)
{
    TUT_AUTO(tut_parquet) p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "no memory for a Parquet reader");
    p->source = source;
    p->budget = budget;
    tut_arena_init(&p->names, PARQUET_NAMES_MAX);
    TUT_TRY(read_footer(p, err));
    TUT_TRY(parse_footer(p, err));
    TUT_TRY(open_columns(p, err));
    *ret_parquet = tut_move(&p);
    return TUT_SUCCESS;
}

void tut_parquet_free(tut_parquet *p)
{
    if (!p)
        return;
    parquet_columns_close(p);
    for (size_t i = 0; p->columns && i < p->facts.leaf_count; i++)
        tut_buf_done(&p->columns[i].last);
    for (size_t i = 0; i < PARQUET_SPARES * (size_t)PARQUET_SPARES_KEPT; i++)
        tut_free(p->spares[i / PARQUET_SPARES_KEPT][i % PARQUET_SPARES_KEPT]);
    tut_budget_heap_return(p->budget, p->heap);
    tut_buf_done(&p->footer);
    tut_buf_done(&p->fixed);
    tut_arena_done(&p->names);
    tut_free(p->leaves);
    tut_free(p->columns);
    tut_free(p);
}

const tut_parquet_facts *tut_parquet_about(const tut_parquet *p)
{
    return &p->facts;
}
