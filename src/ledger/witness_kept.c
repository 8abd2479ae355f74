/* Going through the cosignatures that are kept; see witness_ask.h for where they lie. */
#include <stdlib.h>

#include "base/limits.h"
#include "ledger/witness_keep.h"

typedef struct kept_name {
    char *text; /* below DIR */
    uint64_t size;
} kept_name;

typedef struct names {
    kept_name *items;
    size_t count, capacity;
} names;

static void names_done(names *n)
{
    for (size_t i = 0; i < n->count; i++)
        tut_free(n->items[i].text);
    tut_free(n->items);
}

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* The larger first; of one size in the order of their names, so that everybody sees the same. */
static int by_size(const void *a, const void *b)
{
    const kept_name *x = a;
    const kept_name *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return strcmp(x->text, y->text);
}

static bool is_hex(tut_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') ||
              (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    return true;
}

/* "ID" below witness, "SIZE-ROOT" below witnessed; other names (temporary files) are not ours. */
static bool is_ours(tut_str text, bool is_history, uint64_t *ret_size)
{
    *ret_size = 0;
    if (!is_history)
        return text.len == 8 && is_hex(text);
    const char *dash = memchr(text.data, '-', text.len);
    if (!dash)
        return false;
    size_t digits = (size_t)(dash - text.data);
    return tut_str_u64((tut_str){text.data, digits}, ret_size) &&
           text.len - digits - 1 == TUT_WITNESS_ROOT_DIGITS &&
           is_hex((tut_str){dash + 1, TUT_WITNESS_ROOT_DIGITS});
}

typedef struct listing {
    names *names;
    const char *folder;
    bool is_history;
} listing;

static tut_status add_name(void *ctx, const char *name, tut_error *err)
{
    const listing *l = ctx;
    names *n = l->names;
    kept_name one = {0};
    if (!is_ours(tut_str_of(name), l->is_history, &one.size))
        return TUT_SUCCESS;
    if (n->count == TUT_LIMIT_WITNESSED)
        return tut_fail(err, TUT_LIMIT, "more than %u cosigned checkpoints are kept",
                        TUT_LIMIT_WITNESSED);
    if (!tut_is_ok(tut_grow(&n->items, n->count, &n->capacity, sizeof(n->items[0]))))
        return no_memory(err);
    one.text = tut_asprintf("%s/%s", l->folder, name);
    if (!one.text)
        return no_memory(err);
    n->items[n->count++] = one;
    return TUT_SUCCESS;
}

static tut_status list(const tut_beside *beside, const char *folder, bool is_history, names *n,
                       tut_error *err)
{
    listing l = {.names = n, .folder = folder, .is_history = is_history};
    TUT_TRY(beside->each(beside->ctx, folder, add_name, &l, err));
    if (n->count)
        qsort(n->items, n->count, sizeof(n->items[0]), by_size);
    return TUT_SUCCESS;
}

static tut_status visit_one(const tut_beside *beside, const char *name, tut_witness_visit visit,
                            void *ctx, bool *ret_enough, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status s = beside->read(beside->ctx, name, TUT_NOTE_BYTES_MAX, &bytes, &why);
    if (s.code == TUT_NOMEM)
        return no_memory(err);
    tut_witness_file file = {
        .name = name, .bytes = tut_buf_str(&bytes), .why = tut_is_ok(s) ? NULL : why.text};
    return visit(ctx, &file, ret_enough, err);
}

tut_status tut_witness_each_kept(const tut_beside *beside, tut_witness_visit visit, void *ctx,
                                 tut_error *err)
{
    static const char latest_name[] = "checkpoint.witnessed";
    TUT_CLEAN(names) latest = {0};
    TUT_CLEAN(names) history = {0};
    bool is_enough = false;
    bool has_latest = false;
    TUT_TRY(list(beside, "witness", false, &latest, err));
    TUT_TRY(list(beside, TUT_WITNESS_HISTORY, true, &history, err));
    TUT_TRY(beside->has(beside->ctx, latest_name, &has_latest, err));
    if (has_latest)
        TUT_TRY(visit_one(beside, latest_name, visit, ctx, &is_enough, err));
    for (size_t i = 0; i < latest.count && !is_enough; i++)
        TUT_TRY(visit_one(beside, latest.items[i].text, visit, ctx, &is_enough, err));
    for (size_t i = 0; i < history.count && !is_enough; i++)
        TUT_TRY(visit_one(beside, history.items[i].text, visit, ctx, &is_enough, err));
    return TUT_SUCCESS;
}
