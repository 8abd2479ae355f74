/* What of an answer waits for a person: calls, and texts in which something was found. */
#include "guard/answer_internal.h"

tut_status tut_answer_keep_held(tut_guard_answer *a, const tut_guard_held *held, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&a->held, a->held_count, &a->held_capacity, sizeof(*a->held))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *tool = tut_arena_copy(&a->arena, held->tool);
    char *given = tut_arena_copy(&a->arena, held->arguments);
    if (!tool || !given)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->held[a->held_count] = *held;
    a->held[a->held_count].tool = (tut_str){tool, held->tool.len};
    a->held[a->held_count++].arguments = (tut_str){given, held->arguments.len};
    a->is_waiting = true;
    return TUT_SUCCESS;
}

/* Calls are held by their own: then what was found with them is shown with them. */
tut_status tut_answer_hold(tut_guard_answer *a, tut_buf *out, size_t from, tut_error *err)
{
    bool is_new = a->decision.holds != a->holds;
    a->holds = a->decision.holds;
    if (!is_new || tut_guard_done(&a->decision) != TUT_GUARD_HOLD || a->is_waiting)
        return TUT_SUCCESS;
    const tut_guard_held text = {.tool = {"", 0},
                                 .arguments = {(const char *)out->data + from, out->len - from},
                                 .reason = "something was found in it",
                                 .choice = -1,
                                 .index = (int64_t)a->holds};
    TUT_TRY(tut_buf_check(out, err));
    TUT_TRY(tut_answer_keep_held(a, &text, err));
    tut_buf_add(&a->waiting, out->data + from, out->len - from);
    out->len = from;
    return tut_buf_check(&a->waiting, err);
}
