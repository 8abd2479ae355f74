#include "pack/image.h"

#include <stdio.h>
#include <stdlib.h>

#include "ledger/entry.h"
#include "ledger/log_given.h"
#include "ledger/log_tile_name.h"

static tut_status over(tut_pack_image *image, size_t which, const tut_ledger_source *like,
                       tut_log *log, tut_ledger **ret, tut_error *err)
{
    image->sources[which] = *like;
    image->sources[which].log = log;
    image->sources[which].checked = image->checked;
    image->sources[which].is_part = which == 1;
    return tut_ledger_of_source(&image->sources[which], image->origin, ret, err);
}

tut_status tut_pack_image_open(tut_pack_image *image, const char *origin, tut_span bundles,
                               uint64_t count, tut_str checkpoint, const tut_ledger_source *source,
                               tut_error *err)
{
    image->origin = tut_strdup(origin);
    if (!image->origin)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_log_given(origin, bundles, count, checkpoint, &image->log, err));
    TUT_TRY(tut_checked_new(count, &image->checked, err));
    return over(image, 0, source, image->log, &image->ledger, err);
}

void tut_pack_image_done(tut_pack_image *image)
{
    tut_ledger_close(image->ledger);
    tut_ledger_close(image->ledger_then);
    tut_log_free(image->log);
    tut_log_free(image->then);
    tut_checked_free(image->checked);
    tut_free(image->origin);
    *image = (tut_pack_image){.log = NULL};
}

/* --- as of a time --- */

static tut_status counts_at(tut_log *log, uint64_t index, tut_time at, bool *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    tut_error why = {0};
    TUT_TRY(tut_log_entry(log, index, &bytes, err));
    tut_status status = tut_entry_parse(tut_buf_span(&bytes), &arena, &entry, &why);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "entry %llu: %s", (unsigned long long)index, why.text);
    *ret = entry.head.at <= at && !tut_str_eq_z(entry.head.kind, TUT_PACK_BUILT_EVENT);
    return TUT_SUCCESS;
}

tut_status tut_pack_size_at(tut_log *log, tut_time at, uint64_t *ret_size, tut_error *err)
{
    for (uint64_t size = tut_log_size(log); size > 0; size--) {
        bool counts = false;
        TUT_TRY(counts_at(log, size - 1, at, &counts, err));
        *ret_size = size;
        if (counts)
            return TUT_SUCCESS;
    }
    *ret_size = 0;
    return TUT_SUCCESS;
}

tut_status tut_pack_image_at(tut_pack_image *image, uint64_t size, tut_error *err)
{
    TUT_TRY(tut_log_given_cut(image->log, size, &image->then, err));
    return over(image, 1, &image->sources[0], image->then, &image->ledger_then, err);
}

tut_status tut_pack_image_evaluate(const tut_pack_image *image, const tut_tool_digests *tool,
                                   tut_time at, tut_records *records, tut_assessment **ret,
                                   tut_error *err)
{
    tut_evaluation_source source = {
        .ledger = image->ledger_then, .records = records, .tool = *tool, .generated = at};
    return tut_assess_evaluate_given(&source, at, ret, err);
}

/* --- what the controls used --- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

tut_status tut_pack_used(const tut_assessment *a, uint64_t **ret_entries, size_t *ret_count,
                         tut_error *err)
{
    size_t count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        count += a->controls[i].evidence_count;
    TUT_AUTO_FREE uint64_t *entries = tut_alloc_array(count + 1, sizeof(*entries));
    if (!entries)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    count = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < a->controls[i].evidence_count; k++)
            entries[count++] = a->controls[i].evidence[k].record->index;
    qsort(entries, count, sizeof(*entries), ascending);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || entries[i] != entries[kept - 1])
            entries[kept++] = entries[i];
    *ret_entries = tut_move(&entries);
    *ret_count = kept;
    return TUT_SUCCESS;
}

/* --- names --- */

tut_status tut_pack_tiles(uint64_t size, tut_pack_tile_visit visit, void *ctx, tut_error *err)
{
    uint64_t count = size;
    for (int level = -1; level < 8 && count > 0; level++) {
        for (uint64_t n = 0; n < count >> 8; n++)
            TUT_TRY(visit(ctx, level, n, TUT_LOG_TILE_WIDTH, err));
        if (count & 255)
            TUT_TRY(visit(ctx, level, count >> 8, (unsigned)(count & 255), err));
        if (level >= 0) /* bundles stand over the same leaves as level 0 */
            count >>= 8;
    }
    return TUT_SUCCESS;
}

void tut_pack_tile_name(int level, uint64_t n, unsigned width, char out[TUT_PACK_NAME])
{
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, width, path);
    (void)snprintf(out, TUT_PACK_NAME, "log/%s", path);
}

void tut_pack_evidence_name(uint64_t entry, const char *ending, char out[TUT_PACK_NAME])
{
    (void)snprintf(out, TUT_PACK_NAME, "evidence/%010llu.%s", (unsigned long long)entry, ending);
}

void tut_pack_body_name(const tut_sha256 *digest, char out[TUT_PACK_NAME])
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    (void)snprintf(out, TUT_PACK_NAME, "bodies/%s", hex);
}
