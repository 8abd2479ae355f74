/*
 * npz: a zip of npy files, as np.savez makes it. The members whose first axis is as long as the
 * longest one's are the columns "NAME.0", …, side by side; others are told, and left out.
 */
#include "data/rows_array.h"
#include "formats/codec.h"
#include "formats/zip_members.h"

enum { MEMBERS_MAX = 1024 };

typedef struct member {
    array array;
    tut_str name; /* without ".npy" */
    tut_source packed_bytes;
    tut_stream *packed, *stream;
    bool is_open;
} member;

typedef struct npz {
    tut_zip_members *archive;
    member *members;
    size_t count;
    uint64_t rows;
} npz;

static tut_str first_name(tut_span head)
{
    enum { LOCAL = 30 };
    if (head.len < LOCAL || memcmp(head.data, "PK\3\4", 4) != 0)
        return (tut_str){"", 0};
    size_t len = (size_t)head.data[26] | (size_t)head.data[27] << 8;
    return (tut_str){(const char *)head.data + LOCAL,
                     len < head.len - LOCAL ? len : head.len - LOCAL};
}

static bool is_it(tut_span head, const char *ending)
{
    return tut_str_ends(first_name(head), TUT_LIT(".npy")) ||
           (strcmp(ending, ".npz") == 0 && head.len >= 4 && memcmp(head.data, "PK", 2) == 0);
}

static void close_member(member *m)
{
    array_done(&m->array);
    tut_stream_free(m->stream);
    tut_stream_free(m->packed);
    m->stream = m->packed = NULL;
    m->is_open = false;
}

static void close_npz(void *ctx)
{
    npz *n = ctx;
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        close_member(&n->members[i]);
    tut_free(n->members);
    tut_zip_members_free(n->archive);
    tut_free(n);
}

/* --- opening --- */

static void left_out(tut_rows *r, tut_str name, const char *why)
{
    rows_defect(r, TUT_ROWS_UNREAD, UINT64_MAX, UINT64_MAX, "%.*s: %s",
                (int)(name.len < 30 ? name.len : 30), name.data, why);
}

static tut_status start_member(tut_rows *r, member *m, const tut_zip_entry *e, tut_error *err)
{
    const bool is_stored = e->codec == TUT_CODEC_STORED;
    m->packed_bytes = e->packed;
    if (!tut_is_ok(tut_stream_open_source(&m->packed_bytes, &m->packed)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!is_stored)
        TUT_TRY(tut_codec_open(e->codec, m->packed, &r->budget, &m->stream, err));
    return array_open(&m->array, r, is_stored ? m->packed : m->stream,
                      is_stored ? &m->packed_bytes : NULL, true, err);
}

/* A member that cannot be read leaves the others as they are. */
static tut_status open_member(tut_rows *r, member *m, const tut_zip_entry *e, tut_error *err)
{
    tut_error why = {0};
    tut_status s;
    m->name = e->name;
    m->name.len -= tut_str_ends(m->name, TUT_LIT(".npy")) ? 4 : 0;
    if (!e->is_read)
        s = tut_fail(&why, TUT_UNSUPPORTED, "%s", e->why);
    else
        s = start_member(r, m, e, &why);
    m->is_open = tut_is_ok(s);
    if (s.code == TUT_NOMEM)
        return tut_fail(err, s.code, "%s", why.text);
    if (!m->is_open) {
        left_out(r, m->name, why.text[0] ? why.text : tut_code_sentence(s.code));
        close_member(m);
    }
    return TUT_SUCCESS;
}

static void choose_rows(tut_rows *r, npz *n)
{
    for (size_t i = 0; i < n->count; i++) {
        const member *m = &n->members[i];
        if (m->is_open && m->array.count > n->rows)
            n->rows = m->array.count;
    }
    for (size_t i = 0; i < n->count; i++) {
        member *m = &n->members[i];
        if (!m->is_open || m->array.count == n->rows)
            continue;
        left_out(r, m->name, "its first axis is shorter than the longest one's");
        close_member(m);
    }
}

static tut_status add_columns(tut_rows *r, npz *n, tut_error *err)
{
    for (size_t i = 0; i < n->count; i++) {
        member *m = &n->members[i];
        if (!m->is_open)
            continue;
        if (r->column_count == TUT_ROWS_COLUMNS) {
            left_out(r, m->name, "the table has as many columns as are read");
            close_member(m);
            continue;
        }
        TUT_TRY(array_add_columns(&m->array, m->name, err));
    }
    return TUT_SUCCESS;
}

static tut_status open_npz(tut_rows *r, tut_error *err)
{
    npz *n = r->ctx = tut_alloc_array(1, sizeof(*n));
    if (!n)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->no_offsets = true;
    r->facts.layout = "array";
    TUT_TRY(tut_zip_members_open(&r->source, &r->budget, &n->archive, err));
    size_t count = tut_zip_members_count(n->archive);
    if (count > MEMBERS_MAX)
        return tut_fail(err, TUT_LIMIT, "%zu arrays; up to %d are read", count, MEMBERS_MAX);
    n->members = tut_alloc_array(count + 1, sizeof(*n->members));
    if (!n->members)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (n->count < count) {
        tut_zip_entry e = tut_zip_members_entry(n->archive, n->count);
        member *m = &n->members[n->count++];
        TUT_TRY(open_member(r, m, &e, err));
    }
    choose_rows(r, n);
    return add_columns(r, n, err);
}

/* --- rows --- */

static void count_bytes(tut_rows *r, const npz *n)
{
    r->facts.bytes = 0;
    for (size_t i = 0; i < n->count; i++)
        r->facts.bytes += n->members[i].array.done * n->members[i].array.row_bytes;
}

static tut_status next_npz(tut_rows *r, tut_error *err)
{
    npz *n = r->ctx;
    size_t want = TUT_ROWS_BATCH, most = 0;
    bool is_any = false;
    for (size_t i = 0; i < n->count; i++) {
        size_t fit = n->members[i].is_open ? array_batch(&n->members[i].array) : want;
        is_any |= n->members[i].is_open && fit > 0;
        want = fit > 0 && fit < want ? fit : want;
    }
    if (!is_any)
        return TUT_SUCCESS;
    for (size_t i = 0; i < n->count; i++) {
        member *m = &n->members[i];
        size_t rows = 0;
        if (m->is_open && array_batch(&m->array) > 0)
            TUT_TRY(array_read(&m->array, want, &rows, err));
        if (m->is_open)
            array_lacks(&m->array, rows, want);
        most = rows > most ? rows : most;
    }
    r->batch.count = most;
    count_bytes(r, n);
    return TUT_SUCCESS;
}

const rows_format rows_npz = {
    .name = "npz",
    .needs_source = true,
    .is_it = is_it,
    .open = open_npz,
    .next = next_npz,
    .free = close_npz,
};
