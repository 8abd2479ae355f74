/* What the files of the index and their tests share. */
#ifndef TUT_STATE_INDEX_INTERNAL_H
#define TUT_STATE_INDEX_INTERNAL_H

#include "state/index.h"
#include "state/sqlite_load.h"

enum {
    TUT_INDEX_APPLICATION = 0x54555431, /* "TUT1" */
    TUT_INDEX_VERSION = 1,
    TUT_INDEX_CLAUSES_MAX = 256, /* of one entry; no record names as many */
    TUT_INDEX_CLAUSE_SETS = 64   /* kept in memory at once */
};

typedef enum tut_index_sql {
    TUT_INDEX_BEGIN,
    TUT_INDEX_BEGIN_WRITE,
    TUT_INDEX_COMMIT,
    TUT_INDEX_ROLLBACK,
    TUT_INDEX_GET_META,
    TUT_INDEX_PUT_META,
    TUT_INDEX_ADD_ENTRY,
    TUT_INDEX_ADD_SUBJECT,
    TUT_INDEX_FIND_SET,
    TUT_INDEX_ADD_SET,
    TUT_INDEX_ADD_CLAUSE,
    TUT_INDEX_GET_CLAUSES,
    TUT_INDEX_GET_SUBJECTS,
    TUT_INDEX_COUNT_SUBJECTS,
    TUT_INDEX_COUNT_CLAUSES,
    TUT_INDEX_ALL,
    TUT_INDEX_SQL_COUNT
} tut_index_sql;

typedef struct tut_index_set { /* a list of clauses, as many entries share it */
    int64_t id;                /* 0: free */
    tut_str *clauses;
    size_t count;
    tut_arena arena;
} tut_index_set;

struct tut_index {
    char *path; /* of state.db */
    sqlite3 *db;
    sqlite3_stmt *statements[TUT_INDEX_SQL_COUNT];
    bool in_memory, in_transaction;
    bool is_unusable; /* what was there at opening could not be used */
    bool is_faulty;   /* the last failure was the index's own, not the log's */
    uint64_t size;
    tut_index_set sets[TUT_INDEX_CLAUSE_SETS];
    tut_row_subject *subjects; /* of the row last loaded */
    size_t subject_capacity;
    tut_buf text;
};

/* --- index_db.c --- */
/* Opens what is there, or a new one; in_memory: never touches the disk. */
TUT_MUST tut_status tut_index_db_open(tut_index *index, bool in_memory, tut_error *err);
void tut_index_db_close(tut_index *index);
/* Deletes state.db and opens a new one. */
TUT_MUST tut_status tut_index_db_renew(tut_index *index, bool in_memory, tut_error *err);
/* The statement, reset and without values; NULL after a failure that tut_index_failed tells. */
sqlite3_stmt *tut_index_statement(tut_index *index, tut_index_sql which);
/* STORE (NOMEM, CANCELLED) with what SQLite says. */
TUT_MUST tut_status tut_index_failed(tut_index *index, tut_error *err);
/* Runs a statement that yields no row. */
TUT_MUST tut_status tut_index_run(tut_index *index, sqlite3_stmt *s, tut_error *err);
TUT_MUST tut_status tut_index_begin(tut_index *index, bool for_writing, tut_error *err);
TUT_MUST tut_status tut_index_commit(tut_index *index, tut_error *err);
void tut_index_rollback(tut_index *index);

/* --- index_rows.c --- */
void tut_index_forget_sets(tut_index *index);

#endif
