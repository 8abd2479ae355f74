/* Which format a dataset is in, and the way down to its bytes. */
#include "base/limits.h"
#include "data/rows_input.h"
#include "formats/codec.h"

/* In the order in which they are asked: those with magic first, text last. */
static const rows_format *const binary[] = {&rows_parquet, &rows_npz, &rows_array, NULL};
static const rows_format *const textual[] = {&rows_json, &rows_csv, &rows_text, NULL};

/* --- compression --- */

static bool is_read_packed(tut_codec codec)
{
    return codec == TUT_CODEC_GZIP || codec == TUT_CODEC_BZIP2 || codec == TUT_CODEC_XZ ||
           codec == TUT_CODEC_ZSTD || codec == TUT_CODEC_LZ4;
}

static tut_status unpack(tut_rows *r, tut_error *err)
{
    tut_span head;
    tut_codec codec;
    r->facts.compression = "";
    TUT_TRY(tut_stream_peek_some(r->stream, TUT_LIMIT_PEEK_BYTES, &head));
    if (!tut_codec_detect(head, &codec) || !is_read_packed(codec))
        return TUT_SUCCESS;
    tut_codec_bound_layers(&r->budget, r->source.size);
    tut_stream *decoded = NULL;
    TUT_TRY(tut_codec_open(codec, r->stream, &r->budget, &decoded, err));
    r->packed = r->stream;
    r->stream = decoded;
    r->facts.compression = tut_codec_name(codec);
    return TUT_SUCCESS;
}

static tut_status fail_of_stream(const tut_rows *r, tut_error *err)
{
    const char *why = "";
    tut_code code = tut_stream_failure(r->stream, &why);
    return tut_fail(err, code, "%s%s%s", r->facts.compression, *r->facts.compression ? ": " : "",
                    why);
}

/* A format that reads here and there gets all bytes at once. */
static tut_status hold(tut_rows *r, tut_error *err)
{
    const char *why;
    if (!r->packed)
        return TUT_SUCCESS;
    tut_buf_init(&r->held, TUT_LIMIT_MEMBER_BYTES);
    for (;;) {
        tut_span got;
        TUT_TRY(tut_stream_peek_some(r->stream, TUT_LIMIT_PEEK_BYTES, &got));
        if (got.len == 0)
            break;
        tut_buf_add(&r->held, got.data, got.len);
        if (r->held.failed == TUT_LIMIT)
            return tut_fail(err, TUT_LIMIT, "%s inside %s is read up to %llu MiB; unpack it first",
                            r->format->name, r->facts.compression, TUT_LIMIT_MEMBER_BYTES >> 20);
        TUT_TRY(tut_buf_check(&r->held, err));
        TUT_TRY(tut_stream_skip(r->stream, got.len));
    }
    if (tut_stream_failure(r->stream, &why) != TUT_OK)
        return fail_of_stream(r, err);
    r->source = tut_source_memory(tut_buf_span(&r->held));
    return TUT_SUCCESS;
}

/* --- which format --- */

typedef struct name_end {
    char text[16];
} name_end;

/* ".csv" of "train.csv.gz" */
static name_end ending_of(const char *name, bool is_packed)
{
    name_end e = {""};
    const char *slash = name ? strrchr(name, '/') : NULL;
    tut_str rest = tut_str_of(slash ? slash + 1 : name);
    const unsigned layers = is_packed ? 1 : 0;
    for (unsigned layer = 0; layer <= layers; layer++) {
        size_t dot = rest.len;
        while (dot > 0 && rest.data[dot - 1] != '.')
            dot--;
        if (dot < 2)
            return (name_end){""}; /* none, or all of the name: ".csv" is hidden, and no ending */
        if (layer == layers)
            tut_str_copy(e.text, sizeof(e.text),
                         (tut_str){rest.data + dot - 1, rest.len - dot + 1});
        rest.len = dot - 1;
    }
    for (char *c = e.text; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
    return e;
}

static const rows_format *first_of(const rows_format *const *formats, tut_span head,
                                   const char *ending)
{
    for (; *formats; formats++)
        if ((*formats)->is_it(head, ending))
            return *formats;
    return NULL;
}

static tut_status choose_text(tut_rows *r, tut_span head, const char *ending, tut_error *err)
{
    if (!rows_encoding_of(head, &r->encoding, &r->bom_bytes))
        return tut_fail(err, TUT_UNSUPPORTED, "this is neither text nor a table that is read here");
    r->facts.encoding = rows_encoding_name(r->encoding);
    r->facts.has_bom = r->bom_bytes > 0;
    head.data += r->bom_bytes;
    head.len -= r->bom_bytes;
    if (r->encoding == ROWS_UTF8 || r->encoding == ROWS_1252) {
        r->format = first_of(textual, head, ending);
        return TUT_SUCCESS;
    }
    rows_input half = {0};
    TUT_AUTO_FREE char *utf8 = tut_alloc_array(head.len + 2, 2);
    if (!utf8)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t len = rows_from_utf16(&half, r->encoding == ROWS_UTF16BE, head.data, head.len, utf8);
    r->format = first_of(textual, tut_span_of(utf8, len), ending);
    return TUT_SUCCESS;
}

static tut_status choose(tut_rows *r, tut_error *err)
{
    tut_span head;
    const char *why;
    name_end e = ending_of(r->name, r->packed != NULL);
    TUT_TRY(tut_stream_peek_some(r->stream, TUT_LIMIT_PEEK_BYTES, &head));
    if (head.len == 0)
        return tut_stream_failure(r->stream, &why) != TUT_OK
                   ? fail_of_stream(r, err)
                   : tut_fail(err, TUT_UNSUPPORTED, "there is nothing in it");
    r->format = first_of(binary, head, e.text);
    if (!r->format)
        TUT_TRY(choose_text(r, head, e.text, err));
    if (!r->format)
        return tut_fail(err, TUT_UNSUPPORTED, "this is no table that is read here");
    r->facts.format = r->format->name;
    return r->format->needs_source ? hold(r, err) : TUT_SUCCESS;
}

/* --- the object --- */

static tut_status open_rows(tut_rows *r, tut_error *err)
{
    tut_budget_init(&r->budget);
    r->facts.compression = r->facts.encoding = "";
    r->facts.layout = "table";
    if (!tut_is_ok(tut_stream_open_source(&r->source, &r->stream)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->offsets = tut_alloc_array(TUT_ROWS_BATCH, sizeof(*r->offsets));
    if (!r->offsets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(unpack(r, err));
    TUT_TRY(choose(r, err));
    return r->format->open(r, err);
}

tut_status tut_rows_open(const tut_source *bytes, const char *name, tut_rows **ret_rows,
                         tut_error *err)
{
    TUT_AUTO(tut_rows) r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->source = *bytes;
    r->name = name;
    TUT_TRY(open_rows(r, err));
    *ret_rows = tut_move(&r);
    return TUT_SUCCESS;
}

void tut_rows_free(tut_rows *r)
{
    if (!r)
        return;
    if (r->format)
        r->format->free(r->ctx);
    tut_stream_free(r->stream);
    tut_stream_free(r->packed);
    tut_buf_done(&r->held);
    rows_batch_done(r);
    tut_free(r);
}

/* At the end of the bytes: did they end, or break off? */
static tut_status check_end(tut_rows *r, tut_error *err)
{
    const char *why = "";
    tut_code code = tut_stream_failure(r->stream, &why);
    if (r->is_over || r->format->needs_source || code == TUT_OK)
        return TUT_SUCCESS;
    r->is_over = true;
    if (code == TUT_TRUNCATED)
        rows_defect(r, TUT_ROWS_CUT, UINT64_MAX, r->facts.bytes, "%s", why);
    return fail_of_stream(r, err);
}

tut_status tut_rows_next(tut_rows *r, const tut_batch **ret_batch, tut_error *err)
{
    *ret_batch = NULL;
    rows_batch_clear(r);
    if (r->is_over)
        return TUT_SUCCESS;
    tut_status status = r->format->next(r, err);
    if (!tut_is_ok(status)) {
        r->is_over = true;
        return status;
    }
    if (r->batch.count == 0)
        return check_end(r, err);
    r->facts.rows += r->batch.count;
    *ret_batch = &r->batch;
    return TUT_SUCCESS;
}

const tut_rows_facts *tut_rows_about(const tut_rows *r)
{
    return &r->facts;
}
