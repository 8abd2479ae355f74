/* The database: opened so that nothing in the file can act, known by its schema, and made anew when
 * it is not exactly ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "state/index_internal.h"

enum {
    BUSY_MS = 10000,
    LENGTH_MAX = 1 << 20, /* of one value; an entry has at most 64 KiB */
    SQL_MAX = 1 << 16
};

#define ENTRIES_TABLE                                                                              \
    "CREATE TABLE entries(idx INTEGER PRIMARY KEY, at INTEGER NOT NULL, recorded_at INTEGER NOT "  \
    "NULL, expires INTEGER NOT NULL, is_record INTEGER NOT NULL, type INTEGER NOT NULL, kind "     \
    "TEXT NOT NULL, check_id TEXT NOT NULL, method INTEGER NOT NULL, result INTEGER NOT NULL, "    \
    "actor TEXT NOT NULL, producer TEXT NOT NULL, seq INTEGER NOT NULL, clauses INTEGER NOT "      \
    "NULL, leaf BLOB NOT NULL) STRICT"
#define CLAUSES_TABLE                                                                              \
    "CREATE TABLE clauses(id INTEGER NOT NULL, ord INTEGER NOT NULL, clause TEXT NOT NULL, "       \
    "PRIMARY KEY(id, ord)) STRICT, WITHOUT ROWID"
#define SUBJECTS_TABLE                                                                             \
    "CREATE TABLE subjects(idx INTEGER NOT NULL, ord INTEGER NOT NULL, name TEXT NOT NULL, "       \
    "digest BLOB NOT NULL, PRIMARY KEY(idx, ord)) STRICT, WITHOUT ROWID"

/* In the order in which sqlite_schema must list them, word for word. */
static const char *const schema[] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE sets(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE) STRICT",
    CLAUSES_TABLE,
    ENTRIES_TABLE,
    SUBJECTS_TABLE,
};

static const char add_entry[] = "INSERT INTO entries VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                                "?10, ?11, ?12, ?13, ?14, ?15)";
static const char count_idle_clauses[] = "SELECT count(*) FROM clauses c WHERE NOT EXISTS(SELECT 1 "
                                         "FROM entries e WHERE e.clauses = c.id)";
static const char all_entries[] = "SELECT idx, at, recorded_at, expires, is_record, type, kind, "
                                  "check_id, method, result, actor, producer, seq, clauses, leaf "
                                  "FROM entries ORDER BY idx";

static const char *const sql[TUT_INDEX_SQL_COUNT] = {
    [TUT_INDEX_BEGIN] = "BEGIN",
    [TUT_INDEX_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [TUT_INDEX_COMMIT] = "COMMIT",
    [TUT_INDEX_ROLLBACK] = "ROLLBACK",
    [TUT_INDEX_GET_META] = "SELECT value FROM meta WHERE name = ?1",
    [TUT_INDEX_PUT_META] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
    [TUT_INDEX_ADD_ENTRY] = add_entry,
    [TUT_INDEX_ADD_SUBJECT] = "INSERT INTO subjects VALUES(?1, ?2, ?3, ?4)",
    [TUT_INDEX_FIND_SET] = "SELECT id FROM sets WHERE key = ?1",
    [TUT_INDEX_ADD_SET] = "INSERT INTO sets(key) VALUES(?1)",
    [TUT_INDEX_ADD_CLAUSE] = "INSERT INTO clauses VALUES(?1, ?2, ?3)",
    [TUT_INDEX_GET_CLAUSES] = "SELECT clause FROM clauses WHERE id = ?1 ORDER BY ord",
    [TUT_INDEX_GET_SUBJECTS] = "SELECT name, digest FROM subjects WHERE idx = ?1 ORDER BY ord",
    [TUT_INDEX_COUNT_SUBJECTS] = "SELECT count(*) FROM subjects",
    [TUT_INDEX_COUNT_CLAUSES] = count_idle_clauses,
    [TUT_INDEX_ALL] = all_entries,
};

tut_status tut_index_failed(tut_index *index, tut_error *err)
{
    int rc = index->db ? tut_sqlite.errcode(index->db) : SQLITE_NOMEM;
    index->is_faulty = true;
    if ((rc & 0xff) == SQLITE_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_error_set_path(err, index->path);
    if ((rc & 0xff) == SQLITE_BUSY)
        return tut_fail(err, TUT_STORE, "another tutela has been busy with it for %d s; try again",
                        BUSY_MS / 1000);
    return tut_fail(err, TUT_STORE, "the index cannot be used: %s",
                    index->db ? tut_sqlite.errmsg(index->db) : "it is not open");
}

sqlite3_stmt *tut_index_statement(tut_index *index, tut_index_sql which)
{
    sqlite3_stmt **s = &index->statements[which];
    if (!*s) {
        if (tut_sqlite.prepare_v3(index->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL) !=
            SQLITE_OK)
            return NULL;
        return *s;
    }
    tut_sqlite.reset(*s);
    tut_sqlite.clear_bindings(*s);
    return *s;
}

tut_status tut_index_run(tut_index *index, sqlite3_stmt *s, tut_error *err)
{
    if (!s || tut_sqlite.step(s) != SQLITE_DONE)
        return tut_index_failed(index, err);
    tut_sqlite.reset(s);
    return TUT_SUCCESS;
}

tut_status tut_index_begin(tut_index *index, bool for_writing, tut_error *err)
{
    if (index->in_transaction)
        tut_index_rollback(index);
    TUT_TRY(tut_index_run(
        index, tut_index_statement(index, for_writing ? TUT_INDEX_BEGIN_WRITE : TUT_INDEX_BEGIN),
        err));
    index->in_transaction = true;
    return TUT_SUCCESS;
}

tut_status tut_index_commit(tut_index *index, tut_error *err)
{
    TUT_TRY(tut_index_run(index, tut_index_statement(index, TUT_INDEX_COMMIT), err));
    index->in_transaction = false;
    return TUT_SUCCESS;
}

void tut_index_rollback(tut_index *index)
{
    for (size_t i = 0; i < TUT_INDEX_SQL_COUNT; i++)
        if (index->statements[i])
            tut_sqlite.reset(index->statements[i]);
    if (index->in_transaction)
        TUT_IGNORE(tut_index_run(index, tut_index_statement(index, TUT_INDEX_ROLLBACK), NULL));
    index->in_transaction = false;
}

/* --- opening --- */

static bool is_pragma(tut_index *index, const char *text)
{
    return tut_sqlite.exec(index->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* Nothing that the file says may run: no trusted functions in views or triggers, no writable
 * schema, no extension; and no page is taken at its word. Losing the index costs a rebuild, so
 * nobody waits for the disk. */
static bool configure(tut_index *index)
{
    tut_sqlite.extended_result_codes(index->db, 1);
    tut_sqlite.busy_timeout(index->db, BUSY_MS);
    tut_sqlite.limit(index->db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
    tut_sqlite.limit(index->db, SQLITE_LIMIT_SQL_LENGTH, SQL_MAX);
    tut_sqlite.limit(index->db, SQLITE_LIMIT_ATTACHED, 0);
    return tut_sqlite.db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           tut_sqlite.db_config(index->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
           tut_sqlite.db_config(index->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK &&
           tut_sqlite.db_config(index->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK &&
           is_pragma(index, "PRAGMA cell_size_check=ON") &&
           is_pragma(index, "PRAGMA mmap_size=0") && is_pragma(index, "PRAGMA temp_store=MEMORY") &&
           is_pragma(index, "PRAGMA journal_mode=MEMORY") &&
           is_pragma(index, "PRAGMA synchronous=OFF");
}

static bool number_of(tut_index *index, const char *text, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    bool is_ok = tut_sqlite.prepare_v2(index->db, text, -1, &s, NULL) == SQLITE_OK &&
                 tut_sqlite.step(s) == SQLITE_ROW;
    if (is_ok)
        *ret = tut_sqlite.column_int64(s, 0);
    tut_sqlite.finalize(s);
    return is_ok;
}

/* The schema is ours word for word, with nothing beside it. */
static bool is_schema_ours(tut_index *index)
{
    size_t count = sizeof(schema) / sizeof(schema[0]);
    size_t at = 0;
    sqlite3_stmt *s = NULL;
    bool is_ok =
        tut_sqlite.prepare_v2(index->db,
                              "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL OR name "
                              "NOT GLOB 'sqlite_autoindex_*' ORDER BY rowid",
                              -1, &s, NULL) == SQLITE_OK;
    int rc = SQLITE_DONE;
    while (is_ok && (rc = tut_sqlite.step(s)) == SQLITE_ROW) {
        const char *text = (const char *)tut_sqlite.column_text(s, 0);
        is_ok = at < count && text && strcmp(text, schema[at]) == 0;
        at++;
    }
    tut_sqlite.finalize(s);
    return is_ok && rc == SQLITE_DONE && at == count;
}

static bool is_ours(tut_index *index)
{
    int64_t application = 0;
    int64_t version = 0;
    return number_of(index, "PRAGMA application_id", &application) &&
           application == TUT_INDEX_APPLICATION &&
           number_of(index, "PRAGMA user_version", &version) && version == TUT_INDEX_VERSION &&
           is_schema_ours(index);
}

static bool is_empty(tut_index *index)
{
    int64_t count = 1;
    return number_of(index, "SELECT count(*) FROM sqlite_schema", &count) && count == 0;
}

static bool create(tut_index *index)
{
    char text[80];
    if (!is_pragma(index, "BEGIN IMMEDIATE"))
        return false;
    if (!is_empty(index)) /* another process was quicker */
        return is_pragma(index, "COMMIT") && is_ours(index);
    for (size_t i = 0; i < sizeof(schema) / sizeof(schema[0]); i++)
        if (!is_pragma(index, schema[i]))
            return false;
    (void)snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   TUT_INDEX_APPLICATION, TUT_INDEX_VERSION);
    return is_pragma(index, text) && is_pragma(index, "COMMIT");
}

void tut_index_db_close(tut_index *index)
{
    for (size_t i = 0; i < TUT_INDEX_SQL_COUNT; i++) {
        tut_sqlite.finalize(index->statements[i]);
        index->statements[i] = NULL;
    }
    tut_sqlite.close(index->db);
    index->db = NULL;
    index->in_transaction = false;
    index->size = 0;
    tut_index_forget_sets(index);
}

/* A new file is ours alone from its first moment; a link leads where others want it. */
static void prepare_file(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        (void)unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static bool open_file(tut_index *index, bool in_memory)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (in_memory)
        flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    else
        prepare_file(index->path);
    index->in_memory = in_memory;
    return tut_sqlite.open_v2(in_memory ? ":memory:" : index->path, &index->db, flags, NULL) ==
               SQLITE_OK &&
           configure(index) && (is_empty(index) ? create(index) : is_ours(index));
}

tut_status tut_index_db_open(tut_index *index, bool in_memory, tut_error *err)
{
    tut_index_db_close(index);
    if (open_file(index, in_memory))
        return TUT_SUCCESS;
    tut_status status = tut_index_failed(index, err);
    tut_index_db_close(index);
    return status;
}

tut_status tut_index_db_renew(tut_index *index, bool in_memory, tut_error *err)
{
    tut_index_db_close(index);
    if (!in_memory && unlink(index->path) != 0 && errno != ENOENT) {
        index->is_faulty = true;
        tut_error_set_path(err, index->path);
        return tut_fail_errno(err, errno, "cannot be removed to be made anew");
    }
    return tut_index_db_open(index, in_memory, err);
}
