/* A value as people write it: ('curl … | sh', 3, [os.system]). Bounded in length and depth. */
#include <inttypes.h>
#include <stdio.h>

#include "formats/pickle_call.h"

enum { DEPTH_MAX = 4 };

typedef struct writer {
    char *to;
    size_t cap, len;
    bool is_full;
} writer;

static void put(writer *w, tut_str s)
{
    size_t n = s.len < w->cap - w->len ? s.len : w->cap - w->len;
    memcpy(w->to + w->len, s.data, n);
    w->len += n;
    w->is_full = w->is_full || n < s.len;
}

static void put_global(writer *w, const tut_pmachine *m, tut_pval v)
{
    tut_pnames names;
    tut_pcall_names(m, v, &names);
    put(w, names.module);
    if (names.module.len && names.name.len)
        put(w, TUT_LIT("."));
    put(w, names.name);
}

static void put_text(writer *w, const tut_pmachine *m, tut_pval v)
{
    bool is_cut;
    tut_str text = tut_pv_text_head(&m->heap, v, &is_cut);
    put(w, tut_pv_type(&m->heap, v) == TUT_PVAL_BYTES ? TUT_LIT("b'") : TUT_LIT("'"));
    put(w, text);
    put(w, is_cut ? TUT_LIT("…'") : TUT_LIT("'"));
}

static void put_int(writer *w, const tut_pmachine *m, tut_pval v)
{
    int64_t n;
    char text[24];
    if (!tut_pv_get_int(&m->heap, v, &n)) {
        put(w, TUT_LIT("<large number>"));
        return;
    }
    int len = snprintf(text, sizeof text, "%" PRId64, n);
    put(w, (tut_str){text, (size_t)len});
}

static void put_leaf(writer *w, const tut_pmachine *m, tut_pval v)
{
    switch (tut_pv_type(&m->heap, v)) {
    case TUT_PVAL_NONE:
        put(w, TUT_LIT("None"));
        return;
    case TUT_PVAL_BOOL:
        put(w, v == TUT_PV_TRUE ? TUT_LIT("True") : TUT_LIT("False"));
        return;
    case TUT_PVAL_INT:
        put_int(w, m, v);
        return;
    case TUT_PVAL_FLOAT:
        put(w, TUT_LIT("<float>"));
        return;
    case TUT_PVAL_STR:
    case TUT_PVAL_BYTES:
        put_text(w, m, v);
        return;
    case TUT_PVAL_GLOBAL:
    case TUT_PVAL_OBJECT:
        put_global(w, m, v);
        return;
    case TUT_PVAL_PERSID:
        put(w, TUT_LIT("<persistent object>"));
        return;
    case TUT_PVAL_TUPLE:
    case TUT_PVAL_LIST:
    case TUT_PVAL_DICT:
    case TUT_PVAL_SET:
    case TUT_PVAL_OPAQUE:
        put(w, TUT_LIT("…"));
        return;
    }
}

/* Containers being written: where we are in each. */
typedef struct level {
    const tut_pval *items;
    size_t count, next;
    tut_pval_type type;
} level;

static bool open_container(writer *w, const tut_pmachine *m, tut_pval v, level *ret)
{
    static const char *const open[] = {
        [TUT_PVAL_TUPLE] = "(", [TUT_PVAL_LIST] = "[", [TUT_PVAL_DICT] = "{", [TUT_PVAL_SET] = "{"};
    tut_pval_type type = tut_pv_type(&m->heap, v);
    if (type != TUT_PVAL_TUPLE && type != TUT_PVAL_LIST && type != TUT_PVAL_DICT &&
        type != TUT_PVAL_SET)
        return false;
    bool is_whole;
    *ret = (level){.type = type};
    ret->items = tut_pv_items(&m->heap, v, &ret->count, &is_whole);
    put(w, tut_str_of(open[type]));
    return true;
}

static void close_container(writer *w, const level *at)
{
    static const char *const close[] = {
        [TUT_PVAL_TUPLE] = ")", [TUT_PVAL_LIST] = "]", [TUT_PVAL_DICT] = "}", [TUT_PVAL_SET] = "}"};
    if (at->type == TUT_PVAL_TUPLE && at->count == 1)
        put(w, TUT_LIT(","));
    put(w, tut_str_of(close[at->type]));
}

size_t tut_ppreview(const tut_pmachine *m, tut_pval v, char *to, size_t cap)
{
    static const char ellipsis[] = "…";
    writer w = {.to = to, .cap = cap - (sizeof ellipsis - 1)};
    level levels[DEPTH_MAX];
    size_t depth = 0;
    if (open_container(&w, m, v, &levels[0]))
        depth = 1;
    else
        put_leaf(&w, m, v);
    while (depth > 0 && !w.is_full) {
        level *at = &levels[depth - 1];
        if (at->next == at->count) {
            close_container(&w, at);
            depth--;
            continue;
        }
        if (at->next > 0)
            put(&w, at->type == TUT_PVAL_DICT && at->next % 2 ? TUT_LIT(": ") : TUT_LIT(", "));
        tut_pval item = at->items[at->next++];
        if (depth < DEPTH_MAX && open_container(&w, m, item, &levels[depth]))
            depth++;
        else
            put_leaf(&w, m, item);
    }
    if (w.is_full) {
        memcpy(w.to + w.len, ellipsis, sizeof ellipsis - 1);
        w.len += sizeof ellipsis - 1;
    }
    return w.len;
}

enum { LOOKED_AT_MAX = 4096, LEVELS_MAX = 3 };

static bool is_container(tut_pval_type type)
{
    return type == TUT_PVAL_TUPLE || type == TUT_PVAL_LIST || type == TUT_PVAL_DICT ||
           type == TUT_PVAL_SET;
}

bool tut_pholds_objects(const tut_pmachine *m, tut_pval v)
{
    level levels[LEVELS_MAX];
    size_t depth = 1, looked_at = 0;
    bool is_whole;
    levels[0] = (level){.next = 0};
    if (!is_container(tut_pv_type(&m->heap, v)))
        return false;
    levels[0].items = tut_pv_items(&m->heap, v, &levels[0].count, &is_whole);
    while (depth > 0) {
        level *at = &levels[depth - 1];
        if (at->next == at->count) {
            depth--;
            continue;
        }
        tut_pval item = at->items[at->next++];
        tut_pval_type type = tut_pv_type(&m->heap, item);
        if (type == TUT_PVAL_GLOBAL || type == TUT_PVAL_OBJECT || type == TUT_PVAL_OPAQUE ||
            ++looked_at > LOOKED_AT_MAX)
            return true;
        if (depth < LEVELS_MAX && is_container(type)) {
            level *inner = &levels[depth++];
            *inner = (level){.next = 0};
            inner->items = tut_pv_items(&m->heap, item, &inner->count, &is_whole);
        }
    }
    return false;
}
