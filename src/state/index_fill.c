/* From the log into the database: only what is new, in one transaction. */
#include "crypto/merkle.h"
#include "ledger/entry.h"
#include "state/index_internal.h"

static const char meta_size[] = "size";
static const char meta_root[] = "root";

typedef struct filling {
    tut_index *index;
    tut_error *err;
} filling;

static void bind_text(sqlite3_stmt *s, int at, tut_str text)
{
    tut_sqlite.bind_text(s, at, text.data, (int)text.len, SQLITE_STATIC);
}

static void bind_digest(sqlite3_stmt *s, int at, const tut_sha256 *digest)
{
    tut_sqlite.bind_blob(s, at, digest->bytes, TUT_SHA256_BYTES, SQLITE_STATIC);
}

/* --- what was taken in so far --- */

static tut_status get_meta(tut_index *index, const char *name, uint8_t *out, size_t len,
                           bool *ret_there, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_GET_META);
    if (!s)
        return tut_index_failed(index, err);
    bind_text(s, 1, tut_str_of(name));
    int rc = tut_sqlite.step(s);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return tut_index_failed(index, err);
    const void *value = rc == SQLITE_ROW ? tut_sqlite.column_blob(s, 0) : NULL;
    *ret_there = value && (size_t)tut_sqlite.column_bytes(s, 0) == len;
    if (*ret_there)
        memcpy(out, value, len);
    tut_sqlite.reset(s);
    return TUT_SUCCESS;
}

static tut_status put_meta(tut_index *index, const char *name, const uint8_t *value, size_t len,
                           tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_PUT_META);
    if (!s)
        return tut_index_failed(index, err);
    bind_text(s, 1, tut_str_of(name));
    tut_sqlite.bind_blob(s, 2, value, (int)len, SQLITE_STATIC);
    return tut_index_run(index, s, err);
}

/* The index is of the log's first `size` entries when it has the root of that size. */
static tut_status find_size(tut_index *index, tut_log *log, tut_error *err)
{
    uint8_t bytes[8] = {0};
    tut_sha256 root;
    tut_sha256 expected;
    bool has_size = false;
    bool has_root = false;
    TUT_TRY(get_meta(index, meta_size, bytes, sizeof(bytes), &has_size, err));
    TUT_TRY(get_meta(index, meta_root, root.bytes, sizeof(root.bytes), &has_root, err));
    index->size = 0;
    if (!has_size && !has_root)
        return TUT_SUCCESS;
    uint64_t size = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        size = size << 8 | bytes[i];
    bool is_ours = has_size && has_root && size <= tut_log_size(log);
    if (is_ours) {
        TUT_TRY(tut_log_root_at(log, size, &expected, err));
        is_ours = tut_sha256_eq(&root, &expected);
    }
    if (!is_ours) {
        index->is_faulty = true;
        tut_error_set_path(err, index->path);
        return tut_fail(err, TUT_STORE, "it was made from another log, or a longer one");
    }
    index->size = size;
    return TUT_SUCCESS;
}

static tut_status put_size(tut_index *index, tut_log *log, tut_error *err)
{
    uint8_t bytes[8];
    tut_sha256 root;
    uint64_t size = tut_log_size(log);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(size >> (56 - 8 * i));
    tut_log_root(log, &root);
    TUT_TRY(put_meta(index, meta_size, bytes, sizeof(bytes), err));
    return put_meta(index, meta_root, root.bytes, sizeof(root.bytes), err);
}

/* --- one entry --- */

static tut_status add_set(tut_index *index, const tut_row *row, const tut_sha256 *key,
                          int64_t *ret_id, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_ADD_SET);
    if (!s)
        return tut_index_failed(index, err);
    bind_digest(s, 1, key);
    TUT_TRY(tut_index_run(index, s, err));
    int64_t id = tut_sqlite.last_insert_rowid(index->db);
    for (size_t i = 0; i < row->clause_count; i++) {
        s = tut_index_statement(index, TUT_INDEX_ADD_CLAUSE);
        if (!s)
            return tut_index_failed(index, err);
        tut_sqlite.bind_int64(s, 1, id);
        tut_sqlite.bind_int64(s, 2, (int64_t)i);
        bind_text(s, 3, row->clauses[i]);
        TUT_TRY(tut_index_run(index, s, err));
    }
    *ret_id = id;
    return TUT_SUCCESS;
}

/* Most entries share one of a few lists of clauses; each list is stored once. */
static tut_status set_of(tut_index *index, const tut_row *row, int64_t *ret_id, tut_error *err)
{
    tut_sha256 key;
    *ret_id = 0;
    if (row->clause_count == 0)
        return TUT_SUCCESS;
    tut_buf_clear(&index->text);
    for (size_t i = 0; i < row->clause_count; i++)
        tut_buf_add_sized(&index->text, row->clauses[i]);
    TUT_TRY(tut_buf_check(&index->text, err));
    tut_merkle_leaf(tut_buf_span(&index->text), &key);
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_FIND_SET);
    if (!s)
        return tut_index_failed(index, err);
    bind_digest(s, 1, &key);
    int rc = tut_sqlite.step(s);
    if (rc == SQLITE_ROW)
        *ret_id = tut_sqlite.column_int64(s, 0);
    else if (rc != SQLITE_DONE)
        return tut_index_failed(index, err);
    tut_sqlite.reset(s);
    return rc == SQLITE_ROW ? TUT_SUCCESS : add_set(index, row, &key, ret_id, err);
}

static tut_status add_subjects(tut_index *index, const tut_row *row, tut_error *err)
{
    for (size_t i = 0; i < row->subject_count; i++) {
        sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_ADD_SUBJECT);
        if (!s)
            return tut_index_failed(index, err);
        tut_sqlite.bind_int64(s, 1, (int64_t)row->index);
        tut_sqlite.bind_int64(s, 2, (int64_t)i);
        bind_text(s, 3, row->subjects[i].name);
        bind_digest(s, 4, &row->subjects[i].digest);
        TUT_TRY(tut_index_run(index, s, err));
    }
    return TUT_SUCCESS;
}

static tut_status add_row(tut_index *index, const tut_row *row, tut_error *err)
{
    int64_t set = 0;
    TUT_TRY(set_of(index, row, &set, err));
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_ADD_ENTRY);
    if (!s)
        return tut_index_failed(index, err);
    tut_sqlite.bind_int64(s, 1, (int64_t)row->index);
    tut_sqlite.bind_int64(s, 2, row->at);
    tut_sqlite.bind_int64(s, 3, row->recorded_at);
    tut_sqlite.bind_int64(s, 4, row->expires);
    tut_sqlite.bind_int64(s, 5, row->is_record);
    tut_sqlite.bind_int64(s, 6, row->type);
    bind_text(s, 7, row->kind);
    bind_text(s, 8, row->check);
    tut_sqlite.bind_int64(s, 9, row->method);
    tut_sqlite.bind_int64(s, 10, row->result);
    bind_text(s, 11, row->actor);
    bind_text(s, 12, row->producer);
    tut_sqlite.bind_int64(s, 13, (int64_t)row->seq);
    tut_sqlite.bind_int64(s, 14, set);
    bind_digest(s, 15, &row->leaf);
    TUT_TRY(tut_index_run(index, s, err));
    return add_subjects(index, row, err);
}

static tut_status parse_and_add(tut_index *index, uint64_t number, tut_span bytes, tut_arena *arena,
                                tut_entry *entry, tut_error *err)
{
    tut_error why = {0};
    tut_sha256 leaf;
    tut_row row;
    tut_status status = tut_entry_parse(bytes, arena, entry, &why);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code == TUT_NOMEM ? TUT_NOMEM : TUT_STORE, "entry %llu: %s",
                        (unsigned long long)number, why.text);
    tut_merkle_leaf(bytes, &leaf);
    TUT_TRY(tut_row_of(entry, number, &leaf, arena, &row, err));
    return add_row(index, &row, err);
}

static tut_status take_in(void *ctx, uint64_t number, tut_span bytes, tut_error *err)
{
    tut_arena arena;
    tut_entry entry = {0};
    tut_arena_init(&arena, 0);
    tut_status status = parse_and_add(ctx, number, bytes, &arena, &entry, err);
    tut_entry_done(&entry);
    tut_arena_done(&arena);
    return status;
}

static tut_status fill(tut_index *index, tut_log *log, tut_error *err)
{
    uint64_t end = tut_log_size(log);
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(find_size(index, log, err));
    if (index->size == end)
        return TUT_SUCCESS;
    TUT_TRY(tut_index_begin(index, true, err));
    TUT_TRY(find_size(index, log, err)); /* another process may have been quicker */
    TUT_TRY(tut_log_each(log, index->size, end, take_in, index, err));
    TUT_TRY(put_size(index, log, err));
    TUT_TRY(tut_index_commit(index, err));
    index->size = end;
    return TUT_SUCCESS;
}

tut_status tut_index_catch_up(tut_index *index, tut_log *log, tut_error *err)
{
    index->is_faulty = false;
    tut_index_rollback(index);
    tut_status status = fill(index, log, err);
    if (!tut_is_ok(status))
        tut_index_rollback(index);
    return status;
}
