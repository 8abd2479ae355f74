/*
 * Most documents go on as they came: they are visited without being written. What the visitor
 * changed is kept, and where it changed something the document is walked a second time, to be
 * written with those changes.
 */
#include "base/arena.h"
#include "guard/answer_internal.h"

typedef struct edit {
    size_t visit; /* the how manieth */
    tut_guard_fate fate;
    tut_str text;
} edit;

typedef struct editing {
    tut_guard_visit visit;
    void *ctx;
    tut_arena arena;
    edit *edits;
    size_t count, capacity;
    size_t visited, next;
} editing;

static tut_status keep_edit(editing *e, tut_guard_fate fate, tut_str text, tut_error *err)
{
    char *copy = tut_arena_copy(&e->arena, text);
    if (!copy || !tut_is_ok(tut_grow(&e->edits, e->count, &e->capacity, sizeof(*e->edits))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    e->edits[e->count++] = (edit){e->visited, fate, {copy, text.len}};
    return TUT_SUCCESS;
}

static tut_status look(void *ctx, const tut_guard_way *way, tut_str text, tut_guard_fate *ret_fate,
                       tut_str *ret_text, tut_error *err)
{
    editing *e = ctx;
    e->visited++;
    TUT_TRY(e->visit(e->ctx, way, text, ret_fate, ret_text, err));
    if (*ret_fate == TUT_GUARD_KEEP ||
        (*ret_fate == TUT_GUARD_REPLACE && tut_str_eq(*ret_text, text)))
        return TUT_SUCCESS;
    return keep_edit(e, *ret_fate, *ret_text, err);
}

static tut_status apply(void *ctx, const tut_guard_way *way, tut_str text, tut_guard_fate *ret_fate,
                        tut_str *ret_text, tut_error *err)
{
    editing *e = ctx;
    (void)way;
    (void)text;
    (void)err;
    e->visited++;
    if (e->next < e->count && e->edits[e->next].visit == e->visited) {
        *ret_fate = e->edits[e->next].fate;
        *ret_text = e->edits[e->next].text;
        e->next++;
    }
    return TUT_SUCCESS;
}

static tut_status write_edited(editing *e, const tut_json_value *root, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    e->visited = 0;
    TUT_TRY(tut_guard_walk(root, apply, e, j, err));
    TUT_TRY(tut_json_finish(j, err));
    return e->next == e->count ? TUT_SUCCESS : tut_fail(err, TUT_BUG, "a change lost its place");
}

tut_status tut_guard_walk_edit(const tut_json_value *root, tut_guard_visit visit, void *ctx,
                               tut_buf *out, bool *ret_is_changed, tut_error *err)
{
    editing e = {.visit = visit, .ctx = ctx};
    tut_arena_init(&e.arena, 0);
    tut_status status = tut_guard_walk(root, look, &e, NULL, err);
    if (tut_is_ok(status) && e.count)
        status = write_edited(&e, root, out, err);
    *ret_is_changed = e.count > 0;
    tut_free(e.edits);
    tut_arena_done(&e.arena);
    return status;
}
