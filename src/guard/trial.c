#include "guard/trial.h"

#include <stdio.h>
#include <unistd.h>

#include "base/cage.h"

static const struct row {
    tut_trial_group group;
    tut_status (*run)(tut_trials *t, tut_error *err);
} rows[] = {
    {TUT_TRIAL_LIMITS, tut_trial_identity}, {TUT_TRIAL_LIMITS, tut_trial_quotas},
    {TUT_TRIAL_LIMITS, tut_trial_abuse},    {TUT_TRIAL_LIMITS, tut_trial_modes},
    {TUT_TRIAL_LIMITS, tut_trial_in_force}, {TUT_TRIAL_LIMITS, tut_trial_strangers},
    {TUT_TRIAL_INPUT, tut_trial_input},     {TUT_TRIAL_CLOSED, tut_trial_closed},
    {TUT_TRIAL_BLOCK, tut_trial_block},     {TUT_TRIAL_BYPASS, tut_trial_bypass},
};

void tut_trials_done(tut_trials *t)
{
    tut_free(t->items);
    t->items = NULL;
    t->count = t->capacity = 0;
}

static tut_result worse(tut_result a, tut_result b)
{
    if (a == TUT_RESULT_FAIL || b == TUT_RESULT_FAIL)
        return TUT_RESULT_FAIL;
    return a == TUT_RESULT_NOT_CHECKED || b == TUT_RESULT_NOT_CHECKED ? TUT_RESULT_NOT_CHECKED
                                                                      : TUT_RESULT_PASS;
}

tut_status tut_trial_add(tut_trials *t, const char *id, tut_str about, tut_result state,
                         tut_error *err, const char *fmt, ...)
{
    va_list ap;
    if (!tut_is_ok(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_trial *item = &t->items[t->count++];
    *item = (tut_trial){.id = id, .state = state};
    tut_str_copy(item->about, sizeof(item->about), about);
    va_start(ap, fmt);
    (void)vsnprintf(item->reason, sizeof(item->reason), fmt, ap);
    va_end(ap);
    return TUT_SUCCESS;
}

tut_status tut_trial_run(tut_trials *t, tut_error *err)
{
    size_t counts[TUT_COUNT(t->results)] = {0};
    for (size_t g = 0; g < TUT_COUNT(t->results); g++)
        t->results[g] = TUT_RESULT_PASS;
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        size_t from = t->count;
        t->group = rows[i].group;
        TUT_TRY(rows[i].run(t, err));
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (size_t k = from; k < t->count; k++)
            t->results[t->group] = worse(t->results[t->group], t->items[k].state);
        counts[t->group] += t->count - from;
    }
    for (size_t g = 0; g < TUT_COUNT(t->results); g++)
        if (counts[g] == 0)
            t->results[g] = TUT_RESULT_NOT_CHECKED;
    return TUT_SUCCESS;
}

tut_status tut_trial_scratch(const tut_trials *t, tut_live **ret_live, tut_error *err)
{
    bool is_new = false;
    TUT_AUTO(tut_live) live = NULL;
    TUT_AUTO_FREE char *path = tut_asprintf("%s/check-%ld", t->dir, (long)getpid());
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    (void)unlink(path);
    tut_status status = tut_live_open(path, true, &live, &is_new, err);
    (void)unlink(path);
    TUT_TRY(status);
    TUT_TRY(tut_live_join(live, err));
    *ret_live = tut_move(&live);
    return TUT_SUCCESS;
}
