#include "assess/probed.h"

#include <stdio.h>
#include <string.h>

#include "assess/evaluate_internal.h"

const char *tut_probed_state_name(tut_probed_state s)
{
    static const char *const names[] = {"pass",  "fail",          "does not apply", "open",
                                        "stale", "other version", "missing",        "no target"};
    return names[s];
}

void tut_probed_list_done(tut_probed_list *l)
{
    tut_free(l->items);
    *l = (tut_probed_list){.items = NULL};
}

/* --- evidence --- */

static bool is_about(const tut_record *r, const char *name, const tut_sha256 *digest,
                     bool *ret_same_bytes)
{
    for (size_t i = 0; i < r->subject_count; i++)
        if (strcmp(r->subjects[i].name, name) == 0) {
            *ret_same_bytes = tut_sha256_eq(&r->subjects[i].digest, digest);
            return true;
        }
    return false;
}

static void find_evidence(const tut_records *records, const char *check, const char *name,
                          const tut_sha256 *digest, tut_time at, tut_probed *p)
{
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        bool is_same = false;
        if (r->doubt || !tut_record_is_test(r, check) || !is_about(r, name, digest, &is_same))
            continue;
        if (!is_same) {
            p->state = TUT_PROBED_OTHER; /* unless an older one is about these bytes */
            continue;
        }
        p->record = r;
        p->state = at >= r->expires                         ? TUT_PROBED_STALE
                   : r->result == TUT_RESULT_PASS           ? TUT_PROBED_PASS
                   : r->result == TUT_RESULT_FAIL           ? TUT_PROBED_FAIL
                   : r->result == TUT_RESULT_NOT_APPLICABLE ? TUT_PROBED_EXEMPT
                                                            : TUT_PROBED_OPEN;
        return;
    }
}

/* --- what is asked --- */

typedef struct look {
    const tut_system *system;
    const tut_probe_policy *policy;
    const tut_records *records;
    tut_time at;
    tut_probed_list *list;
    tut_error *err;
} look;

static tut_status add(look *l, tut_probe_kind kind, const tut_probed_model *model,
                      const tut_probe_target *target)
{
    const tut_probe_about *about = tut_probe_about_of(kind);
    for (size_t i = 0; i < l->list->count; i++) /* once, however many targets reach it */
        if (l->list->items[i].kind == kind && l->list->items[i].model == model)
            return TUT_SUCCESS;
    if (!tut_is_ok(
            tut_grow(&l->list->items, l->list->count, &l->list->capacity, sizeof(*l->list->items))))
        return tut_fail(l->err, TUT_NOMEM, "memory ran out");
    tut_probed *p = &l->list->items[l->list->count++];
    *p = (tut_probed){.kind = kind,
                      .model = model,
                      .target = target,
                      .state = target ? TUT_PROBED_MISSING : TUT_PROBED_NO_TARGET};
    if (about->check && target && (!model || model->has_digest))
        find_evidence(l->records, about->check, model ? model->id : TUT_SUBJECT_SYSTEM,
                      model ? &model->digest : &l->system->digest, l->at, p);
    return TUT_SUCCESS;
}

static tut_status add_model(look *l, const tut_probed_model *m)
{
    bool has_target = false;
    for (size_t i = 0; i < l->policy->target_count; i++) {
        const tut_probe_target *t = &l->policy->targets[i];
        if (!tut_str_eq_z(t->asset, m->id))
            continue;
        has_target = true;
        for (unsigned k = 0; k < TUT_PROBE_KINDS; k++)
            if (tut_probe_about_of((tut_probe_kind)k)->is_per_model &&
                tut_probe_target_wants(t, (tut_probe_kind)k))
                TUT_TRY(add(l, (tut_probe_kind)k, m, t));
    }
    return has_target ? TUT_SUCCESS : add(l, TUT_PROBE_EVALUATION, m, NULL);
}

static tut_status add_system(look *l)
{
    for (unsigned k = 0; k < TUT_PROBE_KINDS; k++) {
        bool is_asked = false;
        if (tut_probe_about_of((tut_probe_kind)k)->is_per_model)
            continue;
        for (size_t i = 0; i < l->policy->target_count && !is_asked; i++) {
            const tut_probe_target *t = &l->policy->targets[i];
            is_asked = tut_probe_target_wants(t, (tut_probe_kind)k);
            if (is_asked)
                TUT_TRY(add(l, (tut_probe_kind)k, NULL, t));
        }
        if (!is_asked &&
            k != TUT_PROBE_INJECTION) /* every system takes input, and can be flooded */
            TUT_TRY(add(l, (tut_probe_kind)k, NULL, NULL));
    }
    return TUT_SUCCESS;
}

tut_status tut_probed_look(const tut_system *system, const tut_probed_model *models, size_t count,
                           const tut_probe_policy *policy, const tut_records *records, tut_time at,
                           tut_probed_list *ret, tut_error *err)
{
    look l = {system, policy, records, at, ret, err};
    for (size_t i = 0; i < count; i++)
        TUT_TRY(add_model(&l, &models[i]));
    return add_system(&l);
}

/* --- all as one --- */

static void add_word(tut_buf *b, const tut_probed *p)
{
    tut_buf_printf(b, "%s%s %s", b->len ? ", " : "", tut_probe_about_of(p->kind)->name,
                   tut_probed_state_name(p->state));
}

tut_status tut_probed_conclude(const tut_probed_list *l, const tut_probed_model *model,
                               tut_buf *text, tut_result *ret_result, tut_time *ret_until,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    size_t asked = 0, passed = 0, failed = 0;
    *ret_until = INT64_MAX;
    for (size_t i = 0; i < l->count; i++) {
        const tut_probed *p = &l->items[i];
        /* A probe that is no evidence by itself is looked at, and decides nothing. */
        if (p->model != model || !tut_probe_about_of(p->kind)->check)
            continue;
        asked += p->state != TUT_PROBED_EXEMPT;
        passed += p->state == TUT_PROBED_PASS;
        failed += p->state == TUT_PROBED_FAIL;
        if (p->record && (p->state == TUT_PROBED_PASS || p->state == TUT_PROBED_EXEMPT) &&
            p->record->expires < *ret_until)
            *ret_until = p->record->expires;
        add_word(&words, p);
    }
    *ret_result = failed                     ? TUT_RESULT_FAIL
                  : asked && passed == asked ? TUT_RESULT_PASS
                                             : TUT_RESULT_NOT_CHECKED;
    TUT_TRY(tut_buf_check(&words, err));
    tut_buf_printf(text, "%s: %zu of %zu probes passed (%.*s).", model ? model->id : "the system",
                   passed, asked, (int)words.len, (const char *)words.data);
    return tut_buf_check(text, err);
}
