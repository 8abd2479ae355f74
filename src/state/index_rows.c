/* Rows back out of the database, and the whole of it compared with the heads that were signed. */
#include "base/cage.h"
#include "ledger/heads.h"
#include "state/index_internal.h"

enum column {
    COLUMN_INDEX,
    COLUMN_AT,
    COLUMN_RECORDED_AT,
    COLUMN_EXPIRES,
    COLUMN_IS_RECORD,
    COLUMN_TYPE,
    COLUMN_KIND,
    COLUMN_CHECK,
    COLUMN_METHOD,
    COLUMN_RESULT,
    COLUMN_ACTOR,
    COLUMN_PRODUCER,
    COLUMN_SEQ,
    COLUMN_CLAUSES,
    COLUMN_LEAF
};

static tut_str text_at(sqlite3_stmt *s, int column)
{
    const void *text = tut_sqlite.column_text(s, column);
    return (tut_str){text ? text : "", (size_t)tut_sqlite.column_bytes(s, column)};
}

static bool digest_at(sqlite3_stmt *s, int column, tut_sha256 *ret)
{
    const void *bytes = tut_sqlite.column_blob(s, column);
    if (!bytes || tut_sqlite.column_bytes(s, column) != TUT_SHA256_BYTES)
        return false;
    memcpy(ret->bytes, bytes, TUT_SHA256_BYTES);
    return true;
}

static tut_status differs(tut_index *index, tut_error *err, const char *what)
{
    index->is_faulty = true;
    tut_error_set_path(err, index->path);
    return tut_fail(err, TUT_STORE, "%s", what);
}

/* --- lists of clauses --- */

void tut_index_forget_sets(tut_index *index)
{
    for (size_t i = 0; i < TUT_INDEX_CLAUSE_SETS; i++) {
        tut_arena_done(&index->sets[i].arena);
        index->sets[i] = (tut_index_set){0};
    }
}

static tut_status read_set(tut_index *index, int64_t id, tut_index_set *set, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_GET_CLAUSES);
    if (!s)
        return tut_index_failed(index, err);
    tut_sqlite.bind_int64(s, 1, id);
    set->clauses = tut_arena_take(&set->arena, TUT_INDEX_CLAUSES_MAX, sizeof(*set->clauses));
    if (!set->clauses)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int rc;
    while ((rc = tut_sqlite.step(s)) == SQLITE_ROW) {
        tut_str clause = text_at(s, 0);
        if (set->count >= TUT_INDEX_CLAUSES_MAX)
            return differs(index, err, "a row names too many provisions");
        char *copy = tut_arena_copy(&set->arena, clause);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        set->clauses[set->count++] = (tut_str){copy, clause.len};
    }
    if (rc != SQLITE_DONE)
        return tut_index_failed(index, err);
    tut_sqlite.reset(s);
    set->id = id;
    return TUT_SUCCESS;
}

static tut_status clauses_of(tut_index *index, int64_t id, tut_row *row, tut_error *err)
{
    if (id == 0)
        return TUT_SUCCESS;
    tut_index_set *set = &index->sets[(uint64_t)id % TUT_INDEX_CLAUSE_SETS];
    if (set->id != id) {
        tut_arena_done(&set->arena);
        *set = (tut_index_set){0};
        TUT_TRY(read_set(index, id, set, err));
    }
    row->clauses = set->clauses;
    row->clause_count = set->count;
    return TUT_SUCCESS;
}

/* --- subjects --- */

static tut_status subjects_of(tut_index *index, tut_row *row, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_GET_SUBJECTS);
    if (!s)
        return tut_index_failed(index, err);
    tut_sqlite.bind_int64(s, 1, (int64_t)row->index);
    tut_buf_clear(&index->text);
    size_t count = 0;
    int rc;
    while ((rc = tut_sqlite.step(s)) == SQLITE_ROW) {
        TUT_TRY(
            tut_grow(&index->subjects, count, &index->subject_capacity, sizeof(*index->subjects)));
        tut_row_subject *subject = &index->subjects[count++];
        tut_str name = text_at(s, 0);
        subject->name.len = name.len;
        tut_buf_add_str(&index->text, name);
        if (!digest_at(s, 1, &subject->digest))
            return differs(index, err, "a row holds no digest");
    }
    if (rc != SQLITE_DONE)
        return tut_index_failed(index, err);
    tut_sqlite.reset(s);
    TUT_TRY(tut_buf_check(&index->text, err));
    if (count == 0)
        return differs(index, err, "a row has no subject");
    const char *text = (const char *)index->text.data; /* stands still from here on */
    for (size_t i = 0; i < count; i++) {
        index->subjects[i].name.data = text;
        text += index->subjects[i].name.len;
    }
    row->subjects = index->subjects;
    row->subject_count = count;
    return TUT_SUCCESS;
}

static tut_status load(tut_index *index, sqlite3_stmt *s, tut_row *ret_row, tut_error *err)
{
    tut_row row = {.index = (uint64_t)tut_sqlite.column_int64(s, COLUMN_INDEX),
                   .at = tut_sqlite.column_int64(s, COLUMN_AT),
                   .recorded_at = tut_sqlite.column_int64(s, COLUMN_RECORDED_AT),
                   .expires = tut_sqlite.column_int64(s, COLUMN_EXPIRES),
                   .is_record = tut_sqlite.column_int(s, COLUMN_IS_RECORD) != 0,
                   .kind = text_at(s, COLUMN_KIND),
                   .check = text_at(s, COLUMN_CHECK),
                   .actor = text_at(s, COLUMN_ACTOR),
                   .producer = text_at(s, COLUMN_PRODUCER),
                   .seq = (uint64_t)tut_sqlite.column_int64(s, COLUMN_SEQ)};
    int64_t type = tut_sqlite.column_int64(s, COLUMN_TYPE);
    int64_t method = tut_sqlite.column_int64(s, COLUMN_METHOD);
    int64_t result = tut_sqlite.column_int64(s, COLUMN_RESULT);
    if (type < 0 || type > TUT_RECORD_EVIDENCE || method < 0 || method > TUT_METHOD_INTERVIEW ||
        result < 0 || result > TUT_RESULT_NOT_CHECKED || !digest_at(s, COLUMN_LEAF, &row.leaf))
        return differs(index, err, "a row holds a value that cannot be");
    row.type = (tut_record_type)type;
    row.method = (tut_method)method;
    row.result = (tut_result)result;
    TUT_TRY(clauses_of(index, tut_sqlite.column_int64(s, COLUMN_CLAUSES), &row, err));
    TUT_TRY(subjects_of(index, &row, err));
    *ret_row = row;
    return TUT_SUCCESS;
}

tut_status tut_index_each(tut_index *index, tut_index_visit visit, void *ctx, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, TUT_INDEX_ALL);
    uint64_t count = 0;
    int rc = SQLITE_ERROR;
    while (s && (rc = tut_sqlite.step(s)) == SQLITE_ROW) {
        tut_row row;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(load(index, s, &row, err));
        if (row.index != count++)
            return differs(index, err, "a row was left out or added");
        TUT_TRY(visit(ctx, &row, err));
    }
    if (rc != SQLITE_DONE)
        return tut_index_failed(index, err);
    tut_sqlite.reset(s);
    return count == index->size ? TUT_SUCCESS
                                : differs(index, err, "rows were left out or added at its end");
}

/* --- against the heads --- */

typedef struct taking {
    tut_heads *heads;
    uint64_t subjects;
} taking;

static tut_status take(void *ctx, const tut_row *row, tut_error *err)
{
    taking *t = ctx;
    t->subjects += row->subject_count;
    return tut_heads_take(t->heads, row, err);
}

static tut_status count_of(tut_index *index, tut_index_sql which, uint64_t *ret, tut_error *err)
{
    sqlite3_stmt *s = tut_index_statement(index, which);
    if (!s || tut_sqlite.step(s) != SQLITE_ROW)
        return tut_index_failed(index, err);
    *ret = (uint64_t)tut_sqlite.column_int64(s, 0);
    tut_sqlite.reset(s);
    return TUT_SUCCESS;
}

/* Rows that no entry leads to: no answer ever shows them, yet somebody put them there. */
static tut_status find_idle(tut_index *index, uint64_t subjects, tut_error *err)
{
    uint64_t there = 0;
    uint64_t idle = 0;
    TUT_TRY(count_of(index, TUT_INDEX_COUNT_SUBJECTS, &there, err));
    TUT_TRY(count_of(index, TUT_INDEX_COUNT_CLAUSES, &idle, err));
    if (there != subjects || idle != 0)
        return differs(index, err, "it names what no entry names");
    return TUT_SUCCESS;
}

tut_status tut_index_verify(tut_index *index, tut_str checkpoint, tut_error *err)
{
    TUT_AUTO(tut_heads) heads = NULL;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_str signed_line = TUT_LIT("");
    index->is_faulty = false;
    if (!index->in_transaction)
        TUT_TRY(tut_index_begin(index, false, err));
    tut_index_forget_sets(index);
    TUT_TRY(tut_heads_new(NULL, &heads, err));
    taking t = {.heads = heads};
    TUT_TRY(tut_index_each(index, take, &t, err));
    TUT_TRY(find_idle(index, t.subjects, err));
    if (checkpoint.len == 0)
        return index->size == 0 ? TUT_SUCCESS
                                : differs(index, err, "the log is empty, and it is not");
    if (!tut_heads_line_of(checkpoint, &signed_line))
        return tut_fail(err, TUT_STORE, "the checkpoint of the evidence log carries no heads");
    TUT_TRY(tut_heads_line(heads, &line, err));
    if (!tut_str_eq(tut_buf_str(&line), signed_line))
        return differs(index, err,
                       "a row was changed, added or left out: it is not what the log key signed");
    return TUT_SUCCESS;
}
