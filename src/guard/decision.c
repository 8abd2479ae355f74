#include "guard/decision.h"

#include <stdio.h>

static const char *const names[TUT_GUARD_ACTION_COUNT] = {"allow", "flag", "redact", "hold",
                                                          "block"};

const char *tut_guard_action_name(tut_guard_action a)
{
    return names[a];
}

bool tut_guard_action_parse(tut_str word, tut_guard_action *ret_action)
{
    for (unsigned i = 0; i < TUT_GUARD_ACTION_COUNT; i++) {
        if (tut_str_eq_z(word, names[i])) {
            *ret_action = (tut_guard_action)i;
            return true;
        }
    }
    return false;
}

tut_guard_action tut_guard_done(const tut_guard_decision *d)
{
    return d->is_enforced || d->action <= TUT_GUARD_FLAG ? d->action : TUT_GUARD_FLAG;
}

/* The same thing again at the same place says nothing new. */
static bool is_known(const tut_guard_reason *list, size_t count, const tut_guard_reason *r)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].check == r->check && list[i].action == r->action &&
            strcmp(list[i].where, r->where) == 0 && strcmp(list[i].detail, r->detail) == 0)
            return true;
    }
    return false;
}

static void append(tut_guard_reason *list, size_t *count, size_t *dropped, const char *check,
                   tut_guard_action action, tut_str where, const char *fmt, va_list ap)
    TUT_PRINTF(7, 0);
static void append(tut_guard_reason *list, size_t *count, size_t *dropped, const char *check,
                   tut_guard_action action, tut_str where, const char *fmt, va_list ap)
{
    tut_guard_reason r = {.check = check, .action = action};
    tut_str_copy(r.where, sizeof(r.where), where);
    (void)vsnprintf(r.detail, sizeof(r.detail), fmt, ap);
    if (is_known(list, *count, &r))
        return;
    if (*count == TUT_GUARD_REASONS)
        (*dropped)++;
    else
        list[(*count)++] = r;
}

void tut_guard_add(tut_guard_decision *d, const char *check, tut_guard_action action, tut_str where,
                   const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(d->reasons, &d->reason_count, &d->reasons_dropped, check, action, where, fmt, ap);
    va_end(ap);
    if (action > d->action)
        d->action = action;
    d->holds += action == TUT_GUARD_HOLD;
    if (action == TUT_GUARD_BLOCK && d->status == 0)
        d->status = 403;
}

void tut_guard_refuse(tut_guard_decision *d, unsigned status, const char *check, tut_str where,
                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(d->reasons, &d->reason_count, &d->reasons_dropped, check, TUT_GUARD_BLOCK, where, fmt,
           ap);
    va_end(ap);
    d->action = TUT_GUARD_BLOCK;
    if (d->status == 0)
        d->status = status;
}

void tut_guard_not_scanned(tut_guard_decision *d, const char *check, tut_str where, const char *fmt,
                           ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(d->unscanned, &d->unscanned_count, &d->unscanned_dropped, check, TUT_GUARD_ALLOW, where,
           fmt, ap);
    va_end(ap);
}

static void reasons_json(tut_json *j, const char *key, const tut_guard_reason *list, size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "check", list[i].check);
        tut_json_put_z(j, "action", tut_guard_action_name(list[i].action));
        tut_json_put_z(j, "where", list[i].where);
        tut_json_put_z(j, "detail", list[i].detail);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_guard_decision_json(const tut_guard_decision *d, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "action", tut_guard_action_name(tut_guard_done(d)));
    tut_json_put_z(j, "would", tut_guard_action_name(d->action));
    tut_json_key(j, "status");
    if (tut_guard_done(d) == TUT_GUARD_BLOCK)
        tut_json_u64(j, d->status);
    else
        tut_json_null(j);
    reasons_json(j, "reasons", d->reasons, d->reason_count);
    reasons_json(j, "not_scanned", d->unscanned, d->unscanned_count);
    tut_json_put_u64(j, "dropped", d->reasons_dropped + d->unscanned_dropped);
    tut_json_put_u64(j, "scanned_bytes", d->scanned_bytes);
    tut_json_put_u64(j, "redactions", d->redactions);
    tut_json_end_object(j);
}
