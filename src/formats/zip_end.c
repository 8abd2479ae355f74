/*
 * The end of a zip archive, where readers begin:
 *
 *   [zip64 end record] [zip64 locator]  end record (22) comment
 *
 * Readers take the last end record of the last 64 KiB, but disagree about what comes after: whether
 * the directory lies where its offset says, or just before the end record; whether zip64 values
 * count when the plain ones are no sentinels. Every reading that leads to a directory is kept.
 */
#include <string.h>

#include "formats/zip_internal.h"

enum { TAIL_BYTES = 65535 + TUT_ZIP_END_BYTES, CANDIDATES = 8 };

static tut_status read_end(tut_zip *z, uint64_t at, tut_zip_end *e, tut_error *err)
{
    uint8_t raw[TUT_ZIP_END_BYTES];
    TUT_TRY(tut_source_read(z->src, at, raw, sizeof(raw), err));
    tut_reader r = tut_reader_of(tut_span_of(raw, sizeof(raw)));
    uint16_t disk = 0, start_disk = 0, here = 0, entries = 0;
    uint32_t size = 0, offset = 0;
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u16le(&r, &disk));
    TUT_TRY(tut_reader_u16le(&r, &start_disk));
    TUT_TRY(tut_reader_u16le(&r, &here));
    TUT_TRY(tut_reader_u16le(&r, &entries));
    TUT_TRY(tut_reader_u32le(&r, &size));
    TUT_TRY(tut_reader_u32le(&r, &offset));
    TUT_TRY(tut_reader_u16le(&r, &e->comment_len));
    e->at = e->tail_at = at;
    e->entries = entries;
    e->size = size;
    e->offset = offset;
    if (here != entries || (disk != start_disk && disk != UINT16_MAX))
        tut_exam_observe(z->x, "zip.end-record", at,
                         "the end record speaks of several disks: %u of %u entries, disk %u",
                         (unsigned)here, (unsigned)entries, (unsigned)disk);
    return TUT_SUCCESS;
}

static bool is_sentinel(const tut_zip_end *e)
{
    return e->entries == UINT16_MAX || e->size == UINT32_MAX || e->offset == UINT32_MAX;
}

/* Fills e from the zip64 end record at `at`. */
static tut_status read_end64(tut_zip *z, uint64_t at, tut_zip_end *e, tut_error *err)
{
    uint8_t raw[TUT_ZIP_END64_BYTES];
    TUT_TRY(tut_source_read(z->src, at, raw, sizeof(raw), err));
    tut_reader r = tut_reader_of(tut_span_of(raw, sizeof(raw)));
    uint64_t here = 0;
    TUT_TRY(tut_reader_skip(&r, 24));
    TUT_TRY(tut_reader_u64le(&r, &here));
    TUT_TRY(tut_reader_u64le(&r, &e->entries));
    TUT_TRY(tut_reader_u64le(&r, &e->size));
    TUT_TRY(tut_reader_u64le(&r, &e->offset));
    e->tail_at = at;
    if (here != e->entries)
        tut_exam_observe(z->x, "zip.zip64-mismatch", at, "%llu of %llu entries on this disk",
                         (unsigned long long)here, (unsigned long long)e->entries);
    return TUT_SUCCESS;
}

/* What the plain record says, next to zip64's: equal, or a sentinel. */
static bool agrees(uint64_t plain, uint64_t sentinel, uint64_t wide)
{
    return plain == wide || plain == sentinel;
}

static void keep_other(tut_zip *z, const tut_zip_end *e)
{
    if (z->other_count < sizeof(z->others) / sizeof(z->others[0]))
        z->others[z->other_count++] = *e;
}

/* The zip64 pair before the end record, if there is one. *ret_plain: the reading without it. */
static tut_status read_zip64(tut_zip *z, tut_zip_end *e, uint64_t *ret_declared, bool *ret_is_zip64,
                             tut_error *err)
{
    *ret_is_zip64 = false;
    if (e->at < TUT_ZIP_LOCATOR64_BYTES ||
        !tut_zip_is_signature(z, e->at - TUT_ZIP_LOCATOR64_BYTES, TUT_ZIP_SIG_LOCATOR64)) {
        if (is_sentinel(e))
            tut_exam_observe(z->x, "zip.zip64-mismatch", e->at,
                             "the end record points to zip64 values that are not there");
        return TUT_SUCCESS;
    }
    uint64_t locator = e->at - TUT_ZIP_LOCATOR64_BYTES;
    uint8_t raw[TUT_ZIP_LOCATOR64_BYTES];
    TUT_TRY(tut_source_read(z->src, locator, raw, sizeof(raw), err));
    tut_reader r = tut_reader_of(tut_span_of(raw, sizeof(raw)));
    TUT_TRY(tut_reader_skip(&r, 8));
    TUT_TRY(tut_reader_u64le(&r, ret_declared));
    uint64_t before = locator >= TUT_ZIP_END64_BYTES ? locator - TUT_ZIP_END64_BYTES : UINT64_MAX;
    tut_zip_end plain = *e;
    bool is_before = before != UINT64_MAX && tut_zip_is_signature(z, before, TUT_ZIP_SIG_END64);
    bool is_declared = *ret_declared < locator &&
                       tut_zip_is_signature(z, *ret_declared, TUT_ZIP_SIG_END64);
    if (!is_before && !is_declared) {
        tut_exam_observe(z->x, "zip.zip64-mismatch", locator,
                         "the zip64 locator leads to no zip64 end record");
        return TUT_SUCCESS;
    }
    if (is_before && is_declared && before != *ret_declared) {
        tut_exam_observe(z->x, "zip.zip64-mismatch", locator,
                         "two zip64 end records: one where the locator says, one just before it");
        tut_zip_end other = *e;
        TUT_TRY(read_end64(z, *ret_declared, &other, err));
        keep_other(z, &other);
    }
    TUT_TRY(read_end64(z, is_before ? before : *ret_declared, e, err));
    *ret_is_zip64 = true;
    if (!agrees(plain.entries, UINT16_MAX, e->entries) ||
        !agrees(plain.size, UINT32_MAX, e->size) || !agrees(plain.offset, UINT32_MAX, e->offset)) {
        tut_exam_observe(z->x, "zip.zip64-mismatch", e->at,
                         "the plain and the zip64 end record disagree");
        plain.tail_at = e->tail_at;
        keep_other(z, &plain);
    }
    return TUT_SUCCESS;
}

/* Where the directory of this end record lies, and how far everything is shifted. */
static void locate(tut_zip *z, tut_zip_end *e, bool is_primary)
{
    uint64_t by_end = e->size <= e->tail_at ? e->tail_at - e->size : UINT64_MAX;
    bool is_empty = e->entries == 0 && e->size == 0;
    bool at_end = by_end != UINT64_MAX &&
                  (is_empty || tut_zip_is_signature(z, by_end, TUT_ZIP_SIG_CENTRAL));
    bool at_offset = e->offset != by_end && e->offset < e->tail_at &&
                     tut_zip_is_signature(z, e->offset, TUT_ZIP_SIG_CENTRAL);
    e->has_directory = at_end || at_offset;
    e->directory_at = at_end ? by_end : e->offset;
    e->shift = at_end && by_end > e->offset ? by_end - e->offset : 0;
    if (!is_primary)
        return;
    if (at_end && at_offset) {
        tut_exam_observe(z->x, "zip.several-directories", e->at,
                         "one directory lies where the end record's offset says (%llu), another "
                         "just before the end record (%llu)",
                         (unsigned long long)e->offset, (unsigned long long)by_end);
        tut_zip_end other = *e;
        other.directory_at = e->offset;
        other.shift = 0;
        keep_other(z, &other);
        return;
    }
    if ((at_end && by_end < e->offset) || (!at_end && at_offset))
        tut_exam_observe(z->x, "zip.end-record", e->at,
                         "offset %llu and size %llu do not lead to the directory at %llu",
                         (unsigned long long)e->offset, (unsigned long long)e->size,
                         (unsigned long long)e->directory_at);
}

/* Positions of end records in the last 64 KiB, last first. */
static tut_status candidates(tut_zip *z, uint64_t found[CANDIDATES], size_t *ret_count,
                             tut_error *err)
{
    uint64_t size = z->src->size;
    size_t len = size < TAIL_BYTES ? (size_t)size : TAIL_BYTES;
    uint64_t base = size - len;
    TUT_TRY(tut_source_read(z->src, base, z->scratch, len, err));
    size_t count = 0;
    for (size_t at = len; at-- > 0 && count < CANDIDATES;) {
        if (z->scratch[at] == 'P' && len - at >= TUT_ZIP_END_BYTES &&
            memcmp(z->scratch + at, "PK\5\6", 4) == 0)
            found[count++] = base + at;
    }
    *ret_count = count;
    return TUT_SUCCESS;
}

static void check_locator(tut_zip *z, uint64_t declared)
{
    const tut_zip_end *e = &z->end;
    if (declared + e->shift != e->tail_at && declared != e->tail_at)
        tut_exam_observe(z->x, "zip.zip64-mismatch", e->at,
                         "the zip64 end record is at %llu, its locator says %llu",
                         (unsigned long long)e->tail_at, (unsigned long long)declared);
}

/* The last end record leads nowhere, an earlier one does: readers that check take that one. */
static void fall_back(tut_zip *z)
{
    if (z->end.has_directory || z->other_count == 0)
        return;
    tut_exam_observe(z->x, "zip.end-record", z->end.at,
                     "the last end record leads to no directory, the one at %llu does",
                     (unsigned long long)z->others[0].at);
    z->end = z->others[0];
    z->others[0] = z->others[--z->other_count];
}

tut_status tut_zip_find_end(tut_zip *z, tut_error *err)
{
    uint64_t found[CANDIDATES];
    size_t count = 0;
    TUT_TRY(candidates(z, found, &count, err));
    z->has_end = count > 0;
    if (count == 0)
        return TUT_SUCCESS;
    uint64_t declared = 0;
    bool is_zip64 = false;
    TUT_TRY(read_end(z, found[0], &z->end, err));
    TUT_TRY(read_zip64(z, &z->end, &declared, &is_zip64, err));
    size_t readings = z->other_count;
    locate(z, &z->end, true);
    for (size_t i = 0; i < readings; i++)
        locate(z, &z->others[i], false);
    if (is_zip64)
        check_locator(z, declared);
    for (size_t i = 1; i < count; i++) {
        tut_zip_end e = {0};
        TUT_TRY(read_end(z, found[i], &e, err));
        locate(z, &e, false);
        /* What only looks like one (a nested archive's is told apart later) leads nowhere. */
        if (e.has_directory && e.size > 0)
            keep_other(z, &e);
    }
    fall_back(z);
    return TUT_SUCCESS;
}
