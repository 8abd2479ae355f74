/*
 * The file that keeps the heads between runs:
 *
 *   file  = "TUTHEAD1" size count head*        u64 big-endian each
 *   head  = key[32] count chain[32]            keys ascending, count at least 1
 *
 * It is believed only when its line is the one that the log key signed, so it needs no digest of
 * its own, and a file that is short, old or altered is no more than a reason to read the log again.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "base/reader.h"
#include "ledger/heads_internal.h"

enum { HEAD_BYTES = TUT_SHA256_BYTES + 8 + TUT_SHA256_BYTES };

static const char magic[] = "TUTHEAD1";

static void add_u64(tut_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (56 - 8 * i));
    tut_buf_add(b, bytes, sizeof(bytes));
}

void tut_heads_write(const tut_heads *h, uint64_t size, tut_buf *out)
{
    tut_buf_add_z(out, magic);
    add_u64(out, size);
    add_u64(out, h->placed);
    for (size_t i = 0; i < h->placed; i++) {
        const tut_head *head = &h->items[h->order[i]];
        tut_buf_add(out, head->key.bytes, TUT_SHA256_BYTES);
        add_u64(out, head->count);
        tut_buf_add(out, head->chain.bytes, TUT_SHA256_BYTES);
    }
}

tut_status tut_heads_save(tut_heads *h, uint64_t size, tut_error *err)
{
    tut_sha256 root;
    if (!h->path)
        return TUT_SUCCESS;
    if (h->is_broken)
        return tut_fail(err, TUT_STORE, "the heads are incomplete after a failure");
    TUT_TRY(tut_heads_root(h, &root, err)); /* gives every head its place */
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_heads_write(h, size, &bytes);
    TUT_TRY(tut_buf_check(&bytes, err));
    return tut_fs_write_unsynced(h->path, tut_buf_span(&bytes), 0600, err);
}

static tut_status read_head(tut_heads *h, tut_reader *r, tut_sha256 *last, bool is_first,
                            tut_error *err)
{
    tut_span key;
    tut_span chain;
    uint64_t count;
    TUT_TRY(tut_reader_bytes(r, TUT_SHA256_BYTES, &key));
    TUT_TRY(tut_reader_u64be(r, &count));
    TUT_TRY(tut_reader_bytes(r, TUT_SHA256_BYTES, &chain));
    if (count == 0 || (!is_first && memcmp(last->bytes, key.data, TUT_SHA256_BYTES) >= 0))
        return tut_fail_at(err, TUT_MALFORMED, tut_reader_offset(r), "heads are out of order");
    memcpy(last->bytes, key.data, TUT_SHA256_BYTES);
    tut_head *head = NULL;
    TUT_TRY(tut_heads_at(h, last, &head, err));
    head->count = count;
    memcpy(head->chain.bytes, chain.data, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

tut_status tut_heads_read(tut_heads *h, tut_span bytes, uint64_t *ret_size, tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    uint64_t size = 0;
    uint64_t count = 0;
    if (!tut_is_ok(tut_reader_expect(&r, tut_str_of(magic))) ||
        !tut_is_ok(tut_reader_u64be(&r, &size)) || !tut_is_ok(tut_reader_u64be(&r, &count)))
        return tut_fail(err, TUT_MALFORMED, "is no file of heads");
    if (count != tut_reader_left(&r) / HEAD_BYTES || tut_reader_left(&r) % HEAD_BYTES != 0)
        return tut_fail(err, TUT_MALFORMED, "does not hold as many heads as it says");
    tut_sha256 last = {0};
    for (uint64_t i = 0; i < count; i++)
        TUT_TRY(read_head(h, &r, &last, i == 0, err));
    *ret_size = size;
    return TUT_SUCCESS;
}

static tut_status load(tut_heads *h, uint64_t size, tut_str line, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    uint64_t found_size = 0;
    if (!h->path)
        return tut_fail(err, TUT_STORE, "no heads are kept");
    TUT_TRY(tut_fs_read(h->path, 32 + (size_t)TUT_LIMIT_HEADS * HEAD_BYTES, &bytes, err));
    TUT_TRY(tut_heads_read(h, tut_buf_span(&bytes), &found_size, err));
    TUT_TRY(tut_heads_line(h, &found, err));
    if (found_size != size || !tut_str_eq(tut_buf_str(&found), line))
        return tut_fail(err, TUT_STORE, "are not those that the checkpoint names");
    return TUT_SUCCESS;
}

tut_status tut_heads_load(tut_heads *h, uint64_t size, tut_str line, tut_error *err)
{
    tut_error why = {0};
    tut_heads_reset(h);
    tut_status status = load(h, size, line, &why);
    if (tut_is_ok(status))
        return status;
    tut_heads_reset(h);
    tut_error_set_path(err, h->path ? h->path : "");
    return tut_fail(err, status.code == TUT_NOMEM ? TUT_NOMEM : TUT_STORE, "%s",
                    why.text[0] ? why.text : tut_code_sentence(status.code));
}
