/*
 * A journal, as somebody may have written it. The first byte says whether the digests are left as
 * they came or made right, so that what lies behind them is reached too: bit 0 the head's, bit 1
 * the first frame's.
 */
#include <stdlib.h>

#include "ledger/log_journal.h"

enum { HEAD_FIXED = 8 + 4, FRAME_FIXED = 4 + TUT_JOURNAL_NONCE };

static void put_u32le(uint8_t *to, size_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static void put_digest(const uint8_t *of, size_t len, uint8_t *to, size_t to_len)
{
    tut_sha256 d;
    if (!tut_is_ok(tut_sha256_of(tut_span_of(of, len), &d, NULL)))
        abort();
    memcpy(to, d.bytes, to_len);
}

/* Makes the head end after `len` bytes, the last of which become its digest. */
static void mend_head(uint8_t *data, size_t len)
{
    memcpy(data, "TUTLOGJ1", 8);
    put_u32le(data + 8, len);
    put_digest(data, len - TUT_SHA256_BYTES, data + len - TUT_SHA256_BYTES, TUT_SHA256_BYTES);
}

static void mend_frame(uint8_t *data, size_t len, const uint8_t nonce[TUT_JOURNAL_NONCE])
{
    enum { CHECKED = FRAME_FIXED + 4 + 4 + 8 + 4 };
    memcpy(data, "TLF1", 4);
    memcpy(data + 4, nonce, TUT_JOURNAL_NONCE);
    put_u32le(data + FRAME_FIXED, len);
    put_digest(data, CHECKED, data + CHECKED, 8);
    put_digest(data, len - TUT_SHA256_BYTES, data + len - TUT_SHA256_BYTES, TUT_SHA256_BYTES);
}

/* What was read must be what is written of it. */
static void check_head(const tut_journal_head *head, tut_span bytes)
{
    tut_buf again = TUT_BUF_INIT;
    tut_journal_head_write(head, &again);
    if (again.len != bytes.len || memcmp(again.data, bytes.data, bytes.len) != 0)
        abort();
    tut_buf_done(&again);
}

static void check_frame(const tut_journal_frame *f, const uint8_t nonce[TUT_JOURNAL_NONCE],
                        tut_span bytes)
{
    tut_buf again = TUT_BUF_INIT;
    tut_span *entries = calloc(f->count, sizeof(*entries));
    tut_reader r = tut_reader_of(f->entries);
    if (!entries)
        abort();
    for (uint32_t i = 0; i < f->count; i++) {
        uint16_t len = 0;
        if (!tut_is_ok(tut_reader_u16be(&r, &len)) ||
            !tut_is_ok(tut_reader_bytes(&r, len, &entries[i])))
            abort();
    }
    tut_journal_frame_begin(nonce, f->first, entries, f->count, &again);
    if (!tut_is_ok(tut_journal_frame_end(&again, f->note, NULL)) || again.len != bytes.len ||
        memcmp(again.data, bytes.data, bytes.len) != 0 || !tut_journal_has_frame(bytes, nonce))
        abort();
    free(entries);
    tut_buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t len = size - 1;
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, data + 1, len);
    size_t head_len = 200;
    if ((data[0] & 1) && len >= head_len)
        mend_head(copy, head_len);
    tut_reader r = tut_reader_of(tut_span_of(copy, len));
    tut_journal_head head;
    if (tut_is_ok(tut_journal_head_read(&r, &head, NULL))) {
        check_head(&head, tut_span_of(copy, r.pos));
        tut_journal_frame f;
        if ((data[0] & 2) && len - r.pos >= 100)
            mend_frame(copy + r.pos, len - r.pos, head.nonce);
        for (size_t at = r.pos; tut_is_ok(tut_journal_frame_read(&r, head.nonce, &f, NULL));
             at = r.pos)
            check_frame(&f, head.nonce, tut_span_of(copy + at, r.pos - at));
    }
    free(copy);
    return 0;
}
