/*
 *   row group = 1 list of chunks, 3 rows
 *   chunk     = 1 path of another file, 3 metadata, 8 encryption
 *   metadata  = 1 type, 4 codec, 5 values, 7 bytes in all, 9 first data page, 11 dictionary page
 */
#include "formats/parquet_internal.h"

/* Bytes that chunks of old writers may be longer than they say: the header of the dictionary was
 * not counted (PARQUET-816). */
enum { CHUNK_SLACK = 100 };

typedef struct chunk {
    int32_t type, codec;
    int64_t values, bytes, data_at, dictionary_at;
    bool is_elsewhere, is_encrypted, has_metadata;
} chunk;

static tut_status read_metadata(tut_reader *r, uint8_t type, chunk *c)
{
    if (type != TUT_THRIFT_STRUCT)
        return (tut_status){TUT_MALFORMED};
    c->has_metadata = true;
    for (int32_t field = 0;;) {
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        if (field == 1)
            TUT_TRY(tut_thrift_i32(r, type, &c->type));
        else if (field == 4)
            TUT_TRY(tut_thrift_i32(r, type, &c->codec));
        else if (field == 5)
            TUT_TRY(tut_thrift_number(r, type, &c->values));
        else if (field == 7)
            TUT_TRY(tut_thrift_number(r, type, &c->bytes));
        else if (field == 9)
            TUT_TRY(tut_thrift_number(r, type, &c->data_at));
        else if (field == 11)
            TUT_TRY(tut_thrift_number(r, type, &c->dictionary_at));
        else
            TUT_TRY(tut_thrift_skip(r, type, false));
    }
}

static tut_status read_chunk(tut_reader *r, chunk *c)
{
    *c = (chunk){.type = -1, .codec = -1};
    for (int32_t field = 0;;) {
        uint8_t type;
        tut_str path;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        if (field == 1) {
            TUT_TRY(tut_thrift_binary(r, type, &path));
            c->is_elsewhere = path.len > 0;
        } else if (field == 3) {
            TUT_TRY(read_metadata(r, type, c));
        } else {
            c->is_encrypted |= field == 8;
            TUT_TRY(tut_thrift_skip(r, type, false));
        }
    }
}

static const char *why_unread(const parquet_column *c, const chunk *k)
{
    if (k->is_encrypted)
        return "the column is encrypted";
    if (k->is_elsewhere)
        return "the column is in another file";
    if (!k->has_metadata || k->type != (int32_t)c->leaf->type || k->values < 0 || k->bytes < 0)
        return "the footer contradicts itself about the column";
    if (k->codec == PARQUET_BROTLI)
        return "pages packed with Brotli are not read";
    if (k->codec == PARQUET_LZO)
        return "pages packed with LZO are not read";
    if (!parquet_codec_is_read(k->codec))
        return "pages packed with an unknown codec are not read";
    return NULL;
}

static void open_chunk(const tut_parquet *p, parquet_column *c, const chunk *k)
{
    c->unread = why_unread(c, k);
    c->is_over = c->unread != NULL;
    if (c->unread)
        return;
    /* 0 stands for no dictionary with some writers. */
    int64_t start = k->data_at;
    if (k->dictionary_at > 0 && k->dictionary_at < start)
        start = k->dictionary_at;
    uint64_t at = (uint64_t)start, len = (uint64_t)k->bytes;
    c->codec = (parquet_codec)k->codec;
    c->values_left = (uint64_t)k->values;
    c->at = at;
    if (start < 4 || at > p->footer_at || len > p->footer_at - at) {
        c->is_over = true;
        c->trouble = k->values > 0 ? "the footer says that the column lies outside the file" : NULL;
        return;
    }
    uint64_t room = p->footer_at - at - len;
    c->end = at + len + (room < CHUNK_SLACK ? room : CHUNK_SLACK);
}

static void close_column(tut_parquet *p, parquet_column *c)
{
    parquet_block_free(p, c->page);
    parquet_block_free(p, c->dictionary);
    tut_free(c->texts);
    tut_budget_heap_return(p->budget, c->texts ? c->items * sizeof(*c->texts) : 0);
    tut_buf last = c->last;
    tut_buf_clear(&last);
    *c = (parquet_column){.leaf = c->leaf, .last = last, .is_over = true};
}

void parquet_columns_close(tut_parquet *p)
{
    tut_parquet_release(p);
    for (size_t i = 0; p->columns && i < p->facts.leaf_count; i++)
        close_column(p, &p->columns[i]);
}

static tut_status read_chunks(tut_parquet *p, tut_reader *r, uint8_t type)
{
    uint8_t item;
    uint64_t count;
    TUT_TRY(tut_thrift_list(r, type, &item, &count));
    if (count != p->facts.leaf_count || (count > 0 && item != TUT_THRIFT_STRUCT))
        return (tut_status){TUT_MALFORMED};
    for (size_t i = 0; i < count; i++) {
        chunk k;
        TUT_TRY(read_chunk(r, &k));
        open_chunk(p, &p->columns[i], &k);
    }
    return TUT_SUCCESS;
}

static tut_status read_group(tut_parquet *p, tut_reader *r, uint64_t *ret_rows)
{
    int64_t rows = -1;
    bool has_chunks = false;
    for (int32_t field = 0;;) {
        uint8_t type;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            break;
        if (field == 1 && !has_chunks)
            TUT_TRY(read_chunks(p, r, type));
        else if (field == 3)
            TUT_TRY(tut_thrift_number(r, type, &rows));
        else
            TUT_TRY(tut_thrift_skip(r, type, false));
        has_chunks |= field == 1;
    }
    *ret_rows = (uint64_t)rows;
    return rows >= 0 && has_chunks ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

tut_status tut_parquet_group(tut_parquet *p, uint64_t *ret_rows, bool *ret_is_end, tut_error *err)
{
    parquet_columns_close(p);
    *ret_is_end = p->groups_left == 0;
    if (*ret_is_end)
        return TUT_SUCCESS;
    p->groups_left--;
    tut_status s = read_group(p, &p->groups, ret_rows);
    if (tut_is_ok(s))
        return s;
    p->groups_left = 0;
    parquet_columns_close(p);
    return tut_fail_at(err, TUT_MALFORMED, tut_reader_offset(&p->groups),
                       "what the Parquet footer says of a row group cannot be read");
}

const char *tut_parquet_unread(const tut_parquet *p, size_t leaf)
{
    return p->columns[leaf].unread;
}
