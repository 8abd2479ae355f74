/*
 * probe.assessment, probe.deployment: whether each model, and the system, went through the probes
 * that are asked of it; drawn from the evidence that `tutela probe` left, about these very digests.
 */
#include "assess/collect_internal.h"
#include "assess/probed.h"
#include "state/records.h"

#define CHECK_ASSESSMENT "probe.assessment"
#define CHECK_DEPLOYMENT "probe.deployment"

static tut_status write_body(const tut_probed_list *l, const tut_probed_model *model, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.probed/1");
    tut_json_put_z(j, "asset", model ? model->id : NULL);
    tut_json_key(j, "probes");
    tut_json_array(j);
    for (size_t i = 0; i < l->count; i++) {
        const tut_probed *p = &l->items[i];
        if (p->model != model)
            continue;
        tut_json_object(j);
        tut_json_put_z(j, "probe", tut_probe_about_of(p->kind)->name);
        tut_json_put_z(j, "state", tut_probed_state_name(p->state));
        tut_json_key(j, "entry");
        if (p->record)
            tut_json_u64(j, p->record->index);
        else
            tut_json_null(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status conclude(tut_batch *b, const tut_probed_list *l, const tut_probed_model *model)
{
    const tut_system *s = b->c->system;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_result result = TUT_RESULT_NOT_CHECKED;
    tut_time until = 0;
    tut_record *r;
    TUT_TRY(tut_probed_conclude(l, model, &text, &result, &until, b->err));
    TUT_TRY(tut_batch_evidence(
        b, model ? model->id : TUT_SUBJECT_SYSTEM, model ? &model->digest : &s->digest,
        model ? CHECK_ASSESSMENT : CHECK_DEPLOYMENT, model ? TUT_KIND_MODEL : TUT_KIND_NONE, &r));
    r->result = result;
    if (result == TUT_RESULT_PASS && until < r->expires)
        r->expires = until; /* it rests on each of them */
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    TUT_TRY(write_body(l, model, &body, b->err));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

/* What the log has of probes; of the rest only what shows who signed. */
static tut_status read_probes(tut_batch *b, tut_records **ret, tut_error *err)
{
    TUT_CLEAN(tut_places) places = {0};
    const tut_index_query query = {.kind = "probe.*", .to = INT64_MAX};
    TUT_TRY(tut_state_search(b->ledger, &query, &places, NULL, err));
    return tut_state_read_at(b->ledger, places.items, places.count, ret, err);
}

tut_status tut_step_probed(tut_batch *b)
{
    TUT_AUTO(tut_records) records = NULL;
    const tut_inventory *inv = b->c->inventory;
    TUT_CLEAN(tut_probed_list) l = {.items = NULL};
    tut_probe_policy policy;
    size_t count = 0;
    tut_probed_model *models = tut_arena_take(&b->arena, inv->count + 1, sizeof(*models));
    if (!models)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].kind == TUT_KIND_MODEL && inv->items[i].has_digest)
            models[count++] = (tut_probed_model){inv->items[i].id, true, inv->items[i].digest};
    TUT_TRY(read_probes(b, &records, b->err));
    TUT_TRY(tut_probe_policy_read(b->c->system, &policy, NULL, b->err));
    TUT_TRY(tut_probed_look(b->c->system, models, count, &policy, records, b->c->to, &l, b->err));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(conclude(b, &l, &models[i]));
    return conclude(b, &l, NULL);
}
