#include "ledger/log_journal.h"

#include "base/limits.h"

#define HEAD_MAGIC "TUTLOGJ1"
#define FRAME_MAGIC "TLF1"

enum {
    MAGIC_BYTES = 4,
    MARK_BYTES = MAGIC_BYTES + TUT_JOURNAL_NONCE,
    CHECKED_BYTES = MARK_BYTES + 4 + 4 + 8 + 4,
    CHECK_BYTES = 8,
    FRAME_HEAD_BYTES = CHECKED_BYTES + CHECK_BYTES,
    LENGTH_AT = MARK_BYTES,
    NOTE_LENGTH_AT = MARK_BYTES + 4 + 4 + 8
};

static void put_u32le(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

void tut_journal_head_write(const tut_journal_head *head, tut_buf *out)
{
    size_t start = out->len;
    tut_buf_add_z(out, HEAD_MAGIC);
    size_t length_at = out->len;
    tut_buf_add_u32le(out, 0);
    tut_buf_add(out, head->nonce, TUT_JOURNAL_NONCE);
    tut_buf_add_u64le(out, head->range.size);
    for (unsigned level = 0; level < TUT_MERKLE_LEVELS; level++)
        if (head->range.size >> level & 1)
            tut_buf_add(out, head->range.hashes[level].bytes, TUT_SHA256_BYTES);
    tut_buf_add_sized(out, head->note);
    if (out->failed != TUT_OK)
        return;
    put_u32le(out->data + length_at, (uint32_t)(out->len - start + TUT_SHA256_BYTES));
    tut_sha256 digest;
    if (!tut_is_ok(tut_sha256_of(tut_span_of(out->data + start, out->len - start), &digest, NULL)))
        out->failed = TUT_CRYPTO;
    tut_buf_add(out, digest.bytes, TUT_SHA256_BYTES);
}

static tut_status read_head_fields(tut_reader *r, tut_journal_head *head)
{
    tut_span nonce;
    TUT_TRY(tut_reader_bytes(r, TUT_JOURNAL_NONCE, &nonce));
    memcpy(head->nonce, nonce.data, TUT_JOURNAL_NONCE);
    TUT_TRY(tut_reader_u64le(r, &head->range.size));
    for (unsigned level = 0; level < TUT_MERKLE_LEVELS; level++) {
        tut_span node;
        if (!(head->range.size >> level & 1))
            continue;
        TUT_TRY(tut_reader_bytes(r, TUT_SHA256_BYTES, &node));
        memcpy(head->range.hashes[level].bytes, node.data, TUT_SHA256_BYTES);
    }
    TUT_TRY(tut_reader_sized(r, &head->note));
    return (tut_status){tut_reader_left(r) == 0 ? TUT_OK : TUT_MALFORMED};
}

tut_status tut_journal_head_read(tut_reader *r, tut_journal_head *ret, tut_error *err)
{
    tut_reader whole = *r, head;
    uint32_t length = 0;
    tut_span digest, covered;
    tut_sha256 found;
    tut_journal_head h = {0};
    if (!tut_is_ok(tut_reader_expect(&whole, TUT_LIT(HEAD_MAGIC))) ||
        !tut_is_ok(tut_reader_u32le(&whole, &length)))
        return tut_fail(err, TUT_STORE, "does not begin as a journal does");
    whole = *r;
    if (length < TUT_SHA256_BYTES ||
        !tut_is_ok(tut_reader_bytes(&whole, length - TUT_SHA256_BYTES, &covered)) ||
        !tut_is_ok(tut_reader_bytes(&whole, TUT_SHA256_BYTES, &digest)))
        return tut_fail(err, TUT_STORE, "the head of the journal is cut off");
    TUT_TRY(tut_sha256_of(covered, &found, err));
    if (memcmp(found.bytes, digest.data, TUT_SHA256_BYTES) != 0)
        return tut_fail(err, TUT_STORE, "the head of the journal was altered");
    head = tut_reader_of(covered);
    TUT_TRY(tut_reader_skip(&head, sizeof(HEAD_MAGIC) - 1 + 4));
    if (!tut_is_ok(read_head_fields(&head, &h)))
        return tut_fail(err, TUT_STORE, "the head of the journal breaks its format");
    *r = whole;
    *ret = h;
    return TUT_SUCCESS;
}

void tut_journal_frame_begin(const uint8_t nonce[TUT_JOURNAL_NONCE], uint64_t first,
                             const tut_span *entries, size_t count, tut_buf *out)
{
    tut_buf_add(out, FRAME_MAGIC, MAGIC_BYTES);
    tut_buf_add(out, nonce, TUT_JOURNAL_NONCE);
    tut_buf_add_u32le(out, 0);
    tut_buf_add_u32le(out, (uint32_t)count);
    tut_buf_add_u64le(out, first);
    tut_buf_add_u32le(out, 0);
    tut_buf_add_u64le(out, 0); /* the check */
    for (size_t i = 0; i < count; i++) {
        uint8_t *to = tut_buf_extend(out, 2 + entries[i].len);
        if (!to)
            return;
        to[0] = (uint8_t)(entries[i].len >> 8);
        to[1] = (uint8_t)entries[i].len;
        if (entries[i].len)
            memcpy(to + 2, entries[i].data, entries[i].len);
    }
}

tut_span tut_journal_frame_entries(const tut_buf *begun)
{
    return tut_span_of(begun->data + FRAME_HEAD_BYTES, begun->len - FRAME_HEAD_BYTES);
}

tut_status tut_journal_frame_end(tut_buf *out, tut_str note, tut_error *err)
{
    tut_sha256 digest;
    tut_buf_add_str(out, note);
    TUT_TRY(tut_buf_check(out, err));
    if (out->len > UINT32_MAX - TUT_SHA256_BYTES)
        return tut_fail(err, TUT_LIMIT, "too many bytes for one append");
    put_u32le(out->data + LENGTH_AT, (uint32_t)(out->len + TUT_SHA256_BYTES));
    put_u32le(out->data + NOTE_LENGTH_AT, (uint32_t)note.len);
    TUT_TRY(tut_sha256_of(tut_span_of(out->data, CHECKED_BYTES), &digest, err));
    memcpy(out->data + CHECKED_BYTES, digest.bytes, CHECK_BYTES);
    TUT_TRY(tut_sha256_of(tut_buf_span(out), &digest, err));
    tut_buf_add(out, digest.bytes, TUT_SHA256_BYTES);
    return tut_buf_check(out, err);
}

typedef struct frame_head {
    uint32_t length, note_length;
} frame_head;

static tut_status read_frame_head(tut_reader r, const uint8_t nonce[TUT_JOURNAL_NONCE],
                                  frame_head *head, tut_journal_frame *frame, tut_error *err)
{
    tut_reader fields;
    tut_span mark, checked, check;
    tut_sha256 digest;
    if (!tut_is_ok(tut_reader_bytes(&r, CHECKED_BYTES, &checked)) ||
        !tut_is_ok(tut_reader_bytes(&r, CHECK_BYTES, &check)))
        return tut_fail(err, TUT_TRUNCATED, "a frame is cut off");
    fields = tut_reader_of(checked);
    TUT_TRY(tut_sha256_of(checked, &digest, err));
    TUT_TRY(tut_reader_bytes(&fields, MARK_BYTES, &mark));
    if (memcmp(mark.data, FRAME_MAGIC, MAGIC_BYTES) != 0 ||
        memcmp(mark.data + MAGIC_BYTES, nonce, TUT_JOURNAL_NONCE) != 0 ||
        memcmp(digest.bytes, check.data, CHECK_BYTES) != 0)
        return tut_fail(err, TUT_MALFORMED, "the head of a frame is damaged");
    TUT_TRY(tut_reader_u32le(&fields, &head->length));
    TUT_TRY(tut_reader_u32le(&fields, &frame->count));
    TUT_TRY(tut_reader_u64le(&fields, &frame->first));
    return tut_reader_u32le(&fields, &head->note_length);
}

/* Exactly `count` entries, each behind its length. */
static bool entries_fit(tut_span entries, uint32_t count)
{
    tut_reader r = tut_reader_of(entries);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t len = 0;
        if (!tut_is_ok(tut_reader_u16be(&r, &len)) || !tut_is_ok(tut_reader_skip(&r, len)))
            return false;
    }
    return tut_reader_left(&r) == 0;
}

tut_status tut_journal_frame_read(tut_reader *r, const uint8_t nonce[TUT_JOURNAL_NONCE],
                                  tut_journal_frame *ret, tut_error *err)
{
    frame_head head = {0};
    tut_journal_frame f = {0};
    tut_reader rest = *r, frame;
    tut_span covered, digest, note;
    tut_sha256 found;
    TUT_TRY(read_frame_head(*r, nonce, &head, &f, err));
    if (head.length < FRAME_HEAD_BYTES + TUT_SHA256_BYTES ||
        head.note_length > head.length - FRAME_HEAD_BYTES - TUT_SHA256_BYTES || f.count == 0 ||
        f.count > UINT64_MAX - f.first)
        return tut_fail(err, TUT_STORE, "the head of a frame breaks its format");
    if (!tut_is_ok(tut_reader_take(&rest, head.length, &frame)))
        return tut_fail(err, TUT_TRUNCATED, "a frame is cut off");
    TUT_TRY(tut_reader_bytes(&frame, head.length - TUT_SHA256_BYTES, &covered));
    TUT_TRY(tut_reader_bytes(&frame, TUT_SHA256_BYTES, &digest));
    TUT_TRY(tut_sha256_of(covered, &found, err));
    if (memcmp(found.bytes, digest.data, TUT_SHA256_BYTES) != 0)
        return tut_fail(err, TUT_MALFORMED, "a frame is damaged");
    frame = tut_reader_of(covered);
    TUT_TRY(tut_reader_skip(&frame, FRAME_HEAD_BYTES));
    TUT_TRY(tut_reader_bytes(&frame, tut_reader_left(&frame) - head.note_length, &f.entries));
    TUT_TRY(tut_reader_bytes(&frame, head.note_length, &note));
    f.note = tut_str_from(note);
    if (!entries_fit(f.entries, f.count))
        return tut_fail(err, TUT_STORE, "the entries of a frame break its format");
    *r = rest;
    *ret = f;
    return TUT_SUCCESS;
}

bool tut_journal_has_frame(tut_span bytes, const uint8_t nonce[TUT_JOURNAL_NONCE])
{
    uint8_t mark[MARK_BYTES];
    memcpy(mark, FRAME_MAGIC, MAGIC_BYTES);
    memcpy(mark + MAGIC_BYTES, nonce, TUT_JOURNAL_NONCE);
    return bytes.len >= MARK_BYTES && memmem(bytes.data, bytes.len, mark, MARK_BYTES) != NULL;
}
