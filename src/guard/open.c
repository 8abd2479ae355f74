/* A guard: the policy, and what works for it. Rules and model are the same for every policy, and
 * cost tens of milliseconds to make ready: guards of one thread share them. */
#include "guard/request.h"

struct tut_guard_engine {
    unsigned users;
    tut_text_set *set;
    tut_model *model; /* NULL until a policy asks for it */
};

static void let_go(tut_guard_engine *e)
{
    if (!e || --e->users > 0)
        return;
    tut_model_free(e->model);
    tut_text_set_free(e->set);
    tut_free(e);
}

static tut_status take_engine(const tut_guard *beside, tut_guard *g, tut_error *err)
{
    g->engine = beside ? beside->engine : tut_alloc_array(1, sizeof(*g->engine));
    if (!g->engine)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    g->engine->users++;
    if (!g->engine->set)
        TUT_TRY(tut_text_set_open(NULL, &g->engine->set, err));
    return tut_text_scanner_new(g->engine->set, &g->scanner, err);
}

static bool asks_for_scores(const tut_guard_setting *checks)
{
    return checks[TUT_CHECK_INJECTION].action != TUT_GUARD_ALLOW ||
           checks[TUT_CHECK_INJECTION_DATA].action != TUT_GUARD_ALLOW;
}

static bool is_scored(const tut_guard_policy *p)
{
    for (size_t i = 0; i < p->route_count; i++) {
        if (asks_for_scores(p->routes[i].checks))
            return true;
        for (size_t c = 0; c < p->client_count; c++)
            if (asks_for_scores(tut_guard_checks_of(p, &p->routes[i], &p->clients[c])))
                return true;
    }
    return false;
}

static tut_status open_detector(tut_guard *g, tut_error *err)
{
    if (!g->engine->model)
        TUT_TRY(tut_model_builtin(&g->engine->model, err));
    TUT_TRY(tut_detector_new(g->engine->model, &g->detector, err));
    TUT_TRY(tut_detect_cache_new(&g->verdicts, err));
    tut_detector_use(g->detector, g->verdicts);
    return TUT_SUCCESS;
}

tut_status tut_guard_open_beside(const tut_guard_policy *policy, const tut_guard *beside,
                                 tut_guard *ret_guard, tut_error *err)
{
    tut_guard g = {.policy = policy};
    tut_status status = take_engine(beside, &g, err);
    if (tut_is_ok(status))
        status = tut_guard_kinds_init(&g.kinds, policy->canaries.items, policy->canaries.count,
                                      err);
    if (tut_is_ok(status) && is_scored(policy))
        status = open_detector(&g, err);
    if (!tut_is_ok(status)) {
        tut_guard_done_with(&g);
        return status;
    }
    *ret_guard = g;
    return TUT_SUCCESS;
}

tut_status tut_guard_open(const tut_guard_policy *policy, tut_guard *ret_guard, tut_error *err)
{
    return tut_guard_open_beside(policy, NULL, ret_guard, err);
}

void tut_guard_done_with(tut_guard *g)
{
    tut_detect_cache_free(g->verdicts);
    tut_detector_free(g->detector);
    tut_text_scanner_free(g->scanner);
    let_go(g->engine);
    tut_guard_kinds_done(&g->kinds);
    *g = (tut_guard){0};
}
