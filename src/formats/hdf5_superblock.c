/*
 * Where an HDF5 file begins and ends, and what lies before and behind it:
 *
 *   versions 0, 1 = magic version:1 0:3 offset size:1 length size:1 0 tree sizes:4 flags:4 [:4]
 *                   base  free space  end of file  driver  entry of the root group
 *   versions 2, 3 = magic version:1 offset size:1 length size:1 flags:1
 *                   base  extension  end of file  root group  checksum:4
 */
#include <inttypes.h>
#include <string.h>

#include "formats/hdf5_internal.h"
#include "formats/payload.h"

static const char magic[] = TUT_HDF5_MAGIC;
enum { MAGIC_BYTES = 8, LEAST_USER_BLOCK = 512, SUPERBLOCK_BYTES = 256, HEAD_BYTES = 4096 };

/* --- the superblock --- */

static tut_status read_old_superblock(tut_hdf5 *h, tut_reader r, uint64_t *ret_base, tut_error *err)
{
    uint8_t offset_bytes = 0, length_bytes = 0;
    uint64_t ignored;
    uint32_t cache = 0;
    tut_span scratch;
    TUT_TRY(tut_reader_skip(&r, 4)); /* versions of parts, reserved */
    TUT_TRY(tut_reader_u8(&r, &offset_bytes));
    TUT_TRY(tut_reader_u8(&r, &length_bytes));
    h->offset_bytes = offset_bytes;
    h->length_bytes = length_bytes;
    if (offset_bytes < 2 || offset_bytes > 8 || length_bytes < 2 || length_bytes > 8)
        return tut_fail_at(err, TUT_MALFORMED, h->base, "addresses of %u bytes", offset_bytes);
    TUT_TRY(tut_reader_skip(&r, h->version == 1 ? 13 : 9)); /* reserved, tree sizes, flags */
    TUT_TRY(tut_hdf5_address(h, &r, ret_base));
    TUT_TRY(tut_hdf5_address(h, &r, &ignored)); /* free space */
    TUT_TRY(tut_hdf5_address(h, &r, &h->eof));
    TUT_TRY(tut_hdf5_address(h, &r, &ignored)); /* driver information */
    TUT_TRY(tut_hdf5_address(h, &r, &ignored)); /* name of the root */
    TUT_TRY(tut_hdf5_address(h, &r, &h->root));
    TUT_TRY(tut_reader_u32le(&r, &cache));
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_bytes(&r, 16, &scratch));
    tut_reader cached = tut_reader_of(scratch);
    if (cache == 1) {
        TUT_TRY(tut_hdf5_address(h, &cached, &h->root_tree));
        TUT_TRY(tut_hdf5_address(h, &cached, &h->root_heap));
    }
    return TUT_SUCCESS;
}

static tut_status read_new_superblock(tut_hdf5 *h, tut_reader r, tut_span raw, uint64_t *ret_base,
                                      tut_error *err)
{
    uint8_t flags = 0;
    TUT_TRY(tut_reader_u8(&r, &h->offset_bytes));
    TUT_TRY(tut_reader_u8(&r, &h->length_bytes));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (h->offset_bytes < 2 || h->offset_bytes > 8 || h->length_bytes < 2 || h->length_bytes > 8)
        return tut_fail_at(err, TUT_MALFORMED, h->base, "addresses of %u bytes", h->offset_bytes);
    TUT_TRY(tut_hdf5_address(h, &r, ret_base));
    TUT_TRY(tut_hdf5_address(h, &r, &h->extension));
    TUT_TRY(tut_hdf5_address(h, &r, &h->eof));
    TUT_TRY(tut_hdf5_address(h, &r, &h->root));
    size_t end = r.pos + 4;
    if (end > raw.len)
        return tut_fail(err, TUT_TRUNCATED, "the superblock is cut off");
    if (!tut_hdf5_checksum_fits((tut_span){raw.data, end}))
        tut_hdf5_bad(h, 0, "the checksum of the superblock is wrong");
    return TUT_SUCCESS;
}

static bool find_superblock(tut_hdf5 *h)
{
    uint8_t raw[MAGIC_BYTES];
    for (uint64_t at = 0; at < h->src->size; at = at ? at * 2 : LEAST_USER_BLOCK) {
        if (h->src->size - at < MAGIC_BYTES ||
            !tut_is_ok(tut_source_read(h->src, at, raw, sizeof(raw), NULL)))
            return false;
        h->base = at;
        if (memcmp(raw, magic, MAGIC_BYTES) == 0)
            return true;
    }
    return false;
}

static void check_ends(tut_hdf5 *h, uint64_t stored_base)
{
    if (stored_base != h->base)
        tut_exam_observe(h->x, "hdf5.moved", h->base,
                         "the superblock lies at %" PRIu64 " and says %" PRIu64, h->base,
                         stored_base);
    /* The end of file counts from the start of the file that the superblock thinks of. */
    h->eof = h->eof >= stored_base ? h->eof - stored_base : h->eof;
    uint64_t end = tut_hdf5_offset(h, h->eof);
    if (end <= h->src->size)
        return;
    tut_exam_observe(h->x, "hdf5.truncated", h->src->size,
                     "the file should have %" PRIu64 " bytes and has %" PRIu64, end, h->src->size);
    tut_hdf5_problem(h, TUT_TRUNCATED, "the file is shorter than its superblock says");
}

tut_status tut_hdf5_read_superblock(tut_hdf5 *h, tut_error *err)
{
    uint8_t bytes[SUPERBLOCK_BYTES];
    size_t got = 0;
    uint64_t stored_base = 0;
    if (!find_superblock(h))
        return tut_fail(err, TUT_MALFORMED, "no superblock was found");
    TUT_TRY(tut_source_read_some(h->src, h->base, bytes, sizeof(bytes), &got, err));
    tut_span raw = {bytes, got};
    tut_reader r = tut_reader_of(raw);
    TUT_TRY(tut_reader_skip(&r, MAGIC_BYTES));
    TUT_TRY(tut_reader_u8(&r, &h->version));
    if (h->version > 3) {
        tut_exam_observe(h->x, "hdf5.bad-structure", h->base + MAGIC_BYTES,
                         "a superblock of version %u does not exist", h->version);
        return tut_fail_at(err, TUT_UNSUPPORTED, h->base, "superblock version %u", h->version);
    }
    TUT_TRY(h->version < 2 ? read_old_superblock(h, r, &stored_base, err)
                           : read_new_superblock(h, r, raw, &stored_base, err));
    check_ends(h, stored_base);
    return TUT_SUCCESS;
}

/* --- what lies around it --- */

static bool is_plain(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] && (bytes[i] < 0x20 || bytes[i] > 0x7e) && bytes[i] != '\n' &&
            bytes[i] != '\r' && bytes[i] != '\t')
            return false;
    return true;
}

tut_status tut_hdf5_check_around(tut_hdf5 *h, tut_error *err)
{
    uint8_t head[HEAD_BYTES];
    size_t got = 0;
    TUT_TRY(tut_payload_zip_tail(h->x, "hdf5.polyglot", err));
    if (h->base > 0) {
        uint64_t want = h->base < sizeof(head) ? h->base : sizeof(head);
        TUT_TRY(tut_source_read_some(h->src, 0, head, (size_t)want, &got, err));
        if (!is_plain(head, got))
            tut_exam_observe(h->x, "hdf5.user-block", 0,
                             "%" PRIu64 " bytes before the superblock are no text", h->base);
        TUT_TRY(tut_payload_examine(h->x, 0, h->base, "in the user block", err));
    }
    uint64_t end = tut_hdf5_offset(h, h->eof);
    if (end >= h->src->size)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_read_some(h->src, end, head, sizeof(head), &got, err));
    for (size_t i = 0; i < got; i++)
        if (head[i]) {
            tut_exam_observe(h->x, "hdf5.trailing-data", end,
                             "%" PRIu64 " bytes follow the end of the file", h->src->size - end);
            break;
        }
    return tut_payload_examine(h->x, end, h->src->size, "behind the end of the HDF5 file", err);
}
