/* SQLite, loaded by those that use it: what other commands would pay for it at their start is a
 * third of a millisecond. */
#ifndef TUT_STATE_SQLITE_LOAD_H
#define TUT_STATE_SQLITE_LOAD_H

#include <sqlite3.h>

#include "base/status.h"

/* The part of it that is used. */
#define TUT_SQLITE_FUNCTIONS(X)                                                                    \
    X(bind_blob)                                                                                   \
    X(bind_int64)                                                                                  \
    X(bind_text)                                                                                   \
    X(busy_timeout)                                                                                \
    X(clear_bindings)                                                                              \
    X(close)                                                                                       \
    X(column_blob)                                                                                 \
    X(column_bytes)                                                                                \
    X(column_int)                                                                                  \
    X(column_int64)                                                                                \
    X(column_text)                                                                                 \
    X(db_config)                                                                                   \
    X(errcode)                                                                                     \
    X(errmsg)                                                                                      \
    X(exec)                                                                                        \
    X(extended_result_codes)                                                                       \
    X(finalize)                                                                                    \
    X(last_insert_rowid)                                                                           \
    X(libversion_number)                                                                           \
    X(limit)                                                                                       \
    X(open_v2)                                                                                     \
    X(prepare_v2)                                                                                  \
    X(prepare_v3)                                                                                  \
    X(reset)                                                                                       \
    X(step)

extern struct tut_sqlite {
#define TUT_SQLITE_MEMBER(name) __typeof__(&sqlite3_##name) name;
    TUT_SQLITE_FUNCTIONS(TUT_SQLITE_MEMBER)
#undef TUT_SQLITE_MEMBER
} tut_sqlite;

/* Before anything of the above is called. UNSUPPORTED with what to install. Any thread. */
TUT_MUST tut_status tut_sqlite_load(tut_error *err);

#endif
