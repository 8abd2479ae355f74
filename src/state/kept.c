#include "state/kept.h"

#include <string.h>

#include "base/fs.h"
#include "base/reader.h"
#include "ledger/entry.h"
#include "ledger/ledger_given.h"

static const char magic[8] = {'T', 'U', 'T', 'K', 'E', 'P', 'T', '1'};

enum {
    FILE_MAX = 256 << 20, /* two million groups */
    KEPT_ANEW = 512       /* so many entries later it is written again */
};

struct tut_kept {
    tut_buf bytes;          /* of the file; text of groups that came from it */
    tut_relevant *relevant; /* owns the text of the others; NULL: all came from the file */
    tut_relevant_group *groups;
    size_t count, capacity;
    tut_places people;
    uint64_t size;
    tut_sha256 root;
    tut_time latest; /* of all times of its entries */
    bool is_fresh;
    tut_code failed;
};

void tut_kept_free(tut_kept *k)
{
    if (!k)
        return;
    tut_buf_done(&k->bytes);
    tut_relevant_free(k->relevant);
    tut_free(k->groups);
    tut_places_done(&k->people);
    tut_free(k);
}

const tut_relevant_group *tut_kept_groups(const tut_kept *k, size_t *ret_count)
{
    *ret_count = k->count;
    return k->groups;
}

const tut_places *tut_kept_people(const tut_kept *k)
{
    return &k->people;
}

bool tut_kept_is_fresh(const tut_kept *k)
{
    return k->is_fresh;
}

/* --- the file --- */

static tut_status origin_of(const tut_ledger *l, tut_sha256 *ret, tut_error *err)
{
    tut_str origin = tut_str_of(tut_ledger_log_origin(l));
    return tut_sha256_of(tut_span_of(origin.data, origin.len), ret, err);
}

static bool read_digest(tut_reader *r, tut_sha256 *ret)
{
    tut_span bytes;
    if (!tut_is_ok(tut_reader_bytes(r, TUT_SHA256_BYTES, &bytes)))
        return false;
    memcpy(ret->bytes, bytes.data, TUT_SHA256_BYTES);
    return true;
}

static bool read_text(tut_reader *r, tut_str *ret)
{
    uint32_t len;
    tut_span bytes;
    if (!tut_is_ok(tut_reader_u32le(r, &len)) || !tut_is_ok(tut_reader_bytes(r, len, &bytes)))
        return false;
    *ret = tut_str_from(bytes);
    return true;
}

static bool read_group(tut_reader *r, tut_relevant_group *g)
{
    uint8_t is_evidence;
    if (!read_digest(r, &g->key) || !read_digest(r, &g->digest) ||
        !tut_is_ok(tut_reader_u64le(r, &g->newest)) ||
        !tut_is_ok(tut_reader_u64le(r, &g->before)) || !tut_is_ok(tut_reader_u8(r, &is_evidence)) ||
        !read_text(r, &g->check) || !read_text(r, &g->subject))
        return false;
    g->is_evidence = is_evidence != 0;
    return true;
}

static bool read_places(tut_kept *k, tut_reader *r, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place;
        if (!tut_is_ok(tut_reader_u64le(r, &place)) || place >= k->size ||
            !tut_is_ok(tut_places_join(&k->people, &place, 1, NULL)))
            return false;
    }
    return true;
}

static bool read_groups(tut_kept *k, tut_reader *r, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        tut_relevant_group g;
        if (!read_group(r, &g) || g.newest > k->size || g.before > g.newest ||
            !tut_is_ok(tut_grow(&k->groups, k->count, &k->capacity, sizeof(*k->groups))))
            return false;
        k->groups[k->count++] = g;
    }
    return true;
}

static bool read_body(tut_kept *k, tut_reader *r, const tut_sha256 *origin)
{
    tut_sha256 of;
    tut_span head;
    uint64_t latest, places, groups;
    if (!tut_is_ok(tut_reader_bytes(r, sizeof(magic), &head)) ||
        memcmp(head.data, magic, sizeof(magic)) != 0 || !read_digest(r, &of) ||
        !tut_sha256_eq(&of, origin) || !tut_is_ok(tut_reader_u64le(r, &k->size)) ||
        !read_digest(r, &k->root) || !tut_is_ok(tut_reader_u64le(r, &latest)) ||
        !tut_is_ok(tut_reader_u64le(r, &places)) || !read_places(k, r, places) ||
        !tut_is_ok(tut_reader_u64le(r, &groups)) || !read_groups(k, r, groups))
        return false;
    k->latest = (tut_time)latest;
    return true;
}

/* Torn, foreign or of another version is as good as none. */
static bool is_sound(tut_kept *k, const tut_sha256 *origin)
{
    tut_sha256 sum;
    if (k->bytes.len < TUT_SHA256_BYTES)
        return false;
    size_t len = k->bytes.len - TUT_SHA256_BYTES;
    if (!tut_is_ok(tut_sha256_of(tut_span_of(k->bytes.data, len), &sum, NULL)) ||
        memcmp(sum.bytes, k->bytes.data + len, TUT_SHA256_BYTES) != 0)
        return false;
    tut_reader r = tut_reader_of(tut_span_of(k->bytes.data, len));
    return read_body(k, &r, origin) && tut_reader_left(&r) == 0;
}

static void add_u32(tut_buf *b, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        tut_buf_add_byte(b, (uint8_t)(v >> 8 * i));
}

static void add_u64(tut_buf *b, uint64_t v)
{
    add_u32(b, (uint32_t)v);
    add_u32(b, (uint32_t)(v >> 32));
}

static void add_text(tut_buf *b, tut_str s)
{
    add_u32(b, (uint32_t)s.len);
    tut_buf_add_str(b, s);
}

static void write_body(const tut_kept *k, const tut_sha256 *origin, tut_buf *b)
{
    tut_buf_add(b, magic, sizeof(magic));
    tut_buf_add(b, origin->bytes, TUT_SHA256_BYTES);
    add_u64(b, k->size);
    tut_buf_add(b, k->root.bytes, TUT_SHA256_BYTES);
    add_u64(b, (uint64_t)k->latest);
    add_u64(b, k->people.count);
    for (size_t i = 0; i < k->people.count; i++)
        add_u64(b, k->people.items[i]);
    add_u64(b, k->count);
    for (size_t i = 0; i < k->count; i++) {
        const tut_relevant_group *g = &k->groups[i];
        tut_buf_add(b, g->key.bytes, TUT_SHA256_BYTES);
        tut_buf_add(b, g->digest.bytes, TUT_SHA256_BYTES);
        add_u64(b, g->newest);
        add_u64(b, g->before);
        tut_buf_add_byte(b, g->is_evidence);
        add_text(b, g->check);
        add_text(b, g->subject);
    }
}

/* A place that cannot be written only costs time at the next look. */
static void write_file(const tut_kept *k, const char *path, const tut_sha256 *origin)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_sha256 sum;
    write_body(k, origin, &b);
    if (!tut_is_ok(tut_buf_check(&b, NULL)) ||
        !tut_is_ok(tut_sha256_of(tut_buf_span(&b), &sum, NULL)))
        return;
    tut_buf_add(&b, sum.bytes, TUT_SHA256_BYTES);
    if (tut_is_ok(tut_buf_check(&b, NULL)) && b.len <= FILE_MAX)
        TUT_IGNORE(tut_fs_write_unsynced(path, tut_buf_span(&b), 0600, NULL));
}

/* --- taking in --- */

static bool is_of_people(const tut_row *row)
{
    return tut_row_is_of_the_ledger(row) && !tut_str_starts(row->kind, TUT_LIT("system."));
}

static tut_status take_row(void *ctx, const tut_row *row, tut_error *err)
{
    tut_kept *k = ctx;
    if (row->at > k->latest)
        k->latest = row->at;
    if (row->recorded_at > k->latest)
        k->latest = row->recorded_at;
    if (is_of_people(row))
        TUT_TRY(tut_places_join(&k->people, &row->index, 1, err));
    return tut_relevant_take(k->relevant, row, err);
}

static tut_status take_entry(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    tut_sha256 leaf = {{0}}; /* no part of what decides */
    tut_row row;
    TUT_TRY(tut_entry_parse(bytes, &arena, &entry, err));
    TUT_TRY(tut_row_of(&entry, index, &leaf, &arena, &row, err));
    return take_row(ctx, &row, err);
}

static void keep_group(void *ctx, const tut_relevant_group *group)
{
    tut_kept *k = ctx;
    if (k->failed == TUT_OK &&
        !tut_is_ok(tut_grow(&k->groups, k->count, &k->capacity, sizeof(*k->groups))))
        k->failed = TUT_NOMEM;
    if (k->failed == TUT_OK)
        k->groups[k->count++] = *group;
}

static tut_status gather(tut_kept *k, tut_log *log, tut_error *err)
{
    k->count = 0;
    tut_relevant_each(k->relevant, keep_group, k);
    k->size = tut_log_size(log);
    tut_log_root(log, &k->root);
    return k->failed == TUT_OK ? TUT_SUCCESS : tut_fail(err, k->failed, "memory ran out");
}

/* The whole index, held against what the log's key signed. */
static tut_status make_anew(tut_kept *k, tut_ledger *ledger, tut_log *log, tut_error *err)
{
    TUT_AUTO(tut_index) index = NULL;
    char note[TUT_INDEX_WHY_MAX];
    k->is_fresh = true;
    TUT_TRY(tut_relevant_new_named(INT64_MAX, &k->relevant, err));
    TUT_TRY(tut_index_open(tut_ledger_state_dir(ledger), &index, err));
    TUT_TRY(tut_index_ready(index, log, note, err));
    TUT_TRY(tut_index_each(index, take_row, k, err));
    return gather(k, log, err);
}

static tut_status catch_up(tut_kept *k, tut_log *log, tut_error *err)
{
    TUT_TRY(tut_relevant_new_named(INT64_MAX, &k->relevant, err));
    for (size_t i = 0; i < k->count; i++)
        TUT_TRY(tut_relevant_put(k->relevant, &k->groups[i], err));
    TUT_TRY(tut_log_each(log, k->size, tut_log_size(log), take_entry, k, err));
    return gather(k, log, err);
}

/* The log still begins as it was then. */
static bool is_of_log(const tut_kept *k, tut_log *log)
{
    tut_sha256 root;
    return k->size > 0 && k->size <= tut_log_size(log) &&
           tut_is_ok(tut_log_root_at(log, k->size, &root, NULL)) && tut_sha256_eq(&root, &k->root);
}

static tut_status load(tut_kept **k, const char *path, const tut_sha256 *origin, tut_log *log,
                       tut_error *err)
{
    tut_kept *from = *k;
    if (path && tut_is_ok(tut_fs_read(path, FILE_MAX, &from->bytes, NULL)) &&
        is_sound(from, origin) && is_of_log(from, log))
        return TUT_SUCCESS;
    tut_kept_free(from);
    *k = tut_alloc_array(1, sizeof(**k));
    return *k ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_kept_open(tut_ledger *ledger, tut_time until, tut_kept **ret_kept, tut_error *err)
{
    tut_log *log = NULL;
    tut_sha256 origin;
    *ret_kept = NULL;
    if (!tut_ledger_is_given(ledger))
        TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log || tut_log_size(log) == 0)
        return TUT_SUCCESS;
    TUT_AUTO(tut_kept) k = tut_alloc_array(1, sizeof(*k));
    TUT_AUTO_FREE char *path = tut_ledger_beside_keys(ledger, "relevant");
    if (!k)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(origin_of(ledger, &origin, err));
    TUT_TRY(load(&k, path, &origin, log, err));
    uint64_t before = k->size;
    if (before == 0)
        TUT_TRY(make_anew(k, ledger, log, err));
    else if (before < tut_log_size(log))
        TUT_TRY(catch_up(k, log, err));
    if (path && (k->is_fresh || k->size - before >= KEPT_ANEW))
        write_file(k, path, &origin);
    if (k->latest <= until)
        *ret_kept = tut_move(&k);
    return TUT_SUCCESS;
}
