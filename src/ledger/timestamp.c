#include "ledger/timestamp.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/limits.h"

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status path_of(const char *dir, uint64_t size, const char *ending, char **ret_path,
                          tut_error *err)
{
    *ret_path = tut_asprintf("%s/timestamps/%" PRIu64 ".%s", dir, size, ending);
    return *ret_path ? TUT_SUCCESS : no_memory(err);
}

static tut_status write_one(const char *dir, uint64_t size, const char *ending, tut_span bytes,
                            tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(path_of(dir, size, ending, &path, err));
    return tut_fs_write(path, bytes, 0644, err);
}

static tut_status read_one(const tut_beside *beside, uint64_t size, const char *ending,
                           tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_asprintf("timestamps/%" PRIu64 ".%s", size, ending);
    if (!name)
        return no_memory(err);
    return beside->read(beside->ctx, name, TUT_NOTE_BYTES_MAX, out, err);
}

static bool has_one(const char *dir, uint64_t size, const char *ending)
{
    TUT_AUTO_FREE char *path = NULL;
    return tut_is_ok(path_of(dir, size, ending, &path, NULL)) && tut_fs_exists(path);
}

/* ---- which sizes are there ---- */

typedef struct sizes {
    uint64_t *items;
    size_t count, capacity;
} sizes;

static void sizes_done(sizes *s)
{
    tut_free(s->items);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

typedef struct listing {
    sizes *sizes;
    tut_str ending;
} listing;

static tut_status add_name(void *ctx, const char *text, tut_error *err)
{
    const listing *l = ctx;
    sizes *s = l->sizes;
    tut_str name = tut_str_of(text);
    uint64_t size;
    if (!tut_str_ends(name, l->ending) ||
        !tut_str_u64((tut_str){name.data, name.len - l->ending.len}, &size))
        return TUT_SUCCESS;
    if (s->count == TUT_LIMIT_TIMESTAMPS)
        return tut_fail(err, TUT_LIMIT, "more than %u time-stamps are kept", TUT_LIMIT_TIMESTAMPS);
    if (!tut_is_ok(tut_grow(&s->items, s->count, &s->capacity, sizeof(s->items[0]))))
        return no_memory(err);
    s->items[s->count++] = size;
    return TUT_SUCCESS;
}

static tut_status list(const tut_beside *beside, const char *ending, sizes *s, tut_error *err)
{
    listing l = {.sizes = s, .ending = tut_str_of(ending)};
    TUT_TRY(beside->each(beside->ctx, "timestamps", add_name, &l, err));
    if (s->count)
        qsort(s->items, s->count, sizeof(s->items[0]), by_size);
    return TUT_SUCCESS;
}

/* ---- asking and taking ---- */

tut_status tut_timestamp_request(const char *dir, tut_str checkpoint, uint64_t *ret_size,
                                 tut_buf *request, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
    TUT_AUTO_FREE char *folder = tut_fs_join(dir, "timestamps");
    tut_checkpoint c;
    tut_sha256 imprint;
    if (!folder)
        return no_memory(err);
    TUT_TRY(tut_note_parse(checkpoint, &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &c, err));
    tut_span bytes = tut_span_of(checkpoint.data, checkpoint.len);
    TUT_TRY(tut_sha256_of(bytes, &imprint, err));
    TUT_TRY(tut_tsp_request(&imprint, &der, err));
    TUT_TRY(tut_fs_mkdirs(folder, 0755, err));
    if (has_one(dir, c.size, "tsr"))
        return tut_fail(err, TUT_STORE,
                        "the checkpoint of %" PRIu64 " entries has a time-stamp already; an "
                        "earlier time shows more than a later one",
                        c.size);
    TUT_TRY(write_one(dir, c.size, "checkpoint", bytes, err));
    TUT_TRY(write_one(dir, c.size, "tsq", tut_buf_span(&der), err));
    tut_buf_add(request, der.data, der.len);
    TUT_TRY(tut_buf_check(request, err));
    *ret_size = c.size;
    return TUT_SUCCESS;
}

static tut_status check_one(const tut_beside *beside, uint64_t size, tut_span response,
                            const tut_tsp_trust *trust, tut_buf *checkpoint,
                            tut_tsp_token *ret_token, tut_error *err)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_TRY(read_one(beside, size, "checkpoint", checkpoint, err));
    TUT_TRY(read_one(beside, size, "tsq", &request, err));
    return tut_tsp_verify(response, tut_buf_span(&request), tut_buf_span(checkpoint), trust,
                          ret_token, err);
}

tut_status tut_timestamp_take(const char *dir, tut_span response, const tut_tsp_trust *trust,
                              tut_tsp_token *ret_token, uint64_t *ret_size, tut_error *err)
{
    tut_beside beside = tut_beside_dir(dir);
    TUT_CLEAN(sizes) pending = {0};
    tut_tsp_token token;
    TUT_TRY(list(&beside, ".tsq", &pending, err));
    for (size_t i = pending.count; i-- > 0;) {
        uint64_t size = pending.items[i];
        TUT_CLEAN(tut_buf) checkpoint = TUT_BUF_INIT;
        /* First whether it is this one's answer, then whether it is to be believed: so that the
         * error is about the signature, not about the other requests. */
        tut_error why = {0};
        tut_status s = check_one(&beside, size, response, NULL, &checkpoint, &token, &why);
        if (s.code == TUT_MALFORMED || s.code == TUT_DENIED || s.code == TUT_LIMIT)
            return tut_fail(err, s.code, "the time-stamp response %s", why.text);
        if (!tut_is_ok(s))
            continue;
        if (trust) {
            tut_buf_clear(&checkpoint);
            TUT_TRY(check_one(&beside, size, response, trust, &checkpoint, &token, err));
        }
        TUT_TRY(write_one(dir, size, "tsr", response, err));
        *ret_token = token;
        *ret_size = size;
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_CRYPTO,
                    "the response answers none of the %zu requests that are kept: it is over other "
                    "bytes, or its nonce differs",
                    pending.count);
}

static tut_status check_in_log(tut_log *log, tut_str checkpoint, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c;
    tut_sha256 root = {0};
    uint64_t size = log ? tut_log_size(log) : 0;
    TUT_TRY(tut_note_parse(checkpoint, &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &c, err));
    if (c.size > size)
        return tut_fail(err, TUT_STORE,
                        "the log does not contain the tree that was stamped: rolled back, %" PRIu64
                        " entries were stamped and %" PRIu64 " are here",
                        c.size, size);
    if (c.size > 0)
        TUT_TRY(tut_log_root_at(log, c.size, &root, err));
    if (c.size > 0 && !tut_sha256_eq(&root, &c.root))
        return tut_fail(err, TUT_STORE,
                        "the log does not contain the tree that was stamped: its first %" PRIu64
                        " entries are others",
                        c.size);
    return TUT_SUCCESS;
}

/* What is kept is whole and of this log; then whether the authority is to be believed. */
static tut_status check_kept(const tut_beside *beside, tut_log *log, const tut_tsp_trust *trust,
                             tut_timestamp_kept *kept, tut_error *why)
{
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) checkpoint = TUT_BUF_INIT;
    kept->is_damage = true;
    TUT_TRY(read_one(beside, kept->size, "tsr", &response, why));
    tut_span bytes = tut_buf_span(&response);
    TUT_TRY(check_one(beside, kept->size, bytes, NULL, &checkpoint, &kept->token, why));
    TUT_TRY(check_in_log(log, tut_buf_str(&checkpoint), why));
    kept->is_damage = false;
    tut_buf_clear(&checkpoint);
    return trust ? check_one(beside, kept->size, bytes, trust, &checkpoint, &kept->token, why)
                 : TUT_SUCCESS;
}

tut_status tut_timestamp_each(const tut_beside *beside, tut_log *log, const tut_tsp_trust *trust,
                              tut_timestamp_found found, void *ctx, tut_error *err)
{
    TUT_CLEAN(sizes) list_of = {0};
    bool is_enough = false;
    TUT_TRY(list(beside, ".tsr", &list_of, err));
    for (size_t i = list_of.count; i-- > 0 && !is_enough;) {
        tut_timestamp_kept kept = {.size = list_of.items[i]};
        tut_error why = {0};
        tut_status s = check_kept(beside, log, trust, &kept, &why);
        if (s.code == TUT_NOMEM)
            return no_memory(err);
        kept.why = tut_is_ok(s) ? NULL : why.text;
        found(ctx, &kept, &is_enough);
    }
    return TUT_SUCCESS;
}
