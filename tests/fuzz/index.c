/* state.db as somebody may have written it: every row that comes out is one that could be. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "ledger/heads.h"
#include "state/index_internal.h"

static char dir[] = "/tmp/tutela-fuzz-index-XXXXXX";

static void clean_up(void)
{
    char path[sizeof(dir) + 16];
    (void)snprintf(path, sizeof(path), "%s/state.db", dir);
    (void)remove(path);
    (void)remove(dir);
}

static tut_status look(void *ctx, const tut_row *row, tut_error *err)
{
    if (row->subject_count == 0 || row->clause_count > TUT_INDEX_CLAUSES_MAX)
        __builtin_trap();
    return tut_heads_take(ctx, row, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_begun;
    char path[sizeof(dir) + 16];
    TUT_AUTO(tut_index) index = NULL;
    TUT_AUTO(tut_heads) heads = NULL;
    if (!is_begun) {
        if (!mkdtemp(dir) || atexit(clean_up) != 0)
            abort();
        is_begun = true;
    }
    (void)snprintf(path, sizeof(path), "%s/state.db", dir);
    if (!tut_is_ok(tut_fs_write_unsynced(path, tut_span_of(data, size), 0600, NULL)) ||
        !tut_is_ok(tut_heads_new(NULL, &heads, NULL)) ||
        !tut_is_ok(tut_index_open(dir, &index, NULL)))
        abort();
    for (index->size = 0; index->size < 8; index->size++) /* as if the log had so many */
        if (tut_is_ok(tut_index_begin(index, false, NULL)) &&
            tut_is_ok(tut_index_each(index, look, heads, NULL)))
            break;
    return 0;
}
