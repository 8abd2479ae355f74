/* What of a request is compared with the requests before it. */
#include "guard/abuse.h"
#include "guard/live_internal.h"
#include "guard/protocol.h"

static void query_text(const tut_live *live, tut_str text, bool asks_confidence, uint64_t key,
                       tut_abuse_query *ret)
{
    uint64_t seed = atomic_load_explicit(&live->map->seed, memory_order_relaxed);
    *ret = (tut_abuse_query){.has_text = true,
                             .asks_confidence = asks_confidence,
                             .digest = tut_sketch_digest(text.data, text.len, seed)};
    if (!tut_abuse_known(live, key, ret->digest, &ret->text))
        ret->text = tut_sketch_text(text, seed);
}

void tut_abuse_query_text(const tut_live *live, tut_str text, bool asks_confidence,
                          tut_abuse_query *ret)
{
    query_text(live, text, asks_confidence, 0, ret);
}

void tut_abuse_query_vector(const tut_live *live, const double *values, size_t count,
                            bool asks_confidence, tut_abuse_query *ret)
{
    uint64_t seed = atomic_load_explicit(&live->map->seed, memory_order_relaxed);
    *ret = (tut_abuse_query){.has_vector = true, .asks_confidence = asks_confidence};
    for (size_t i = 0; i < count; i++)
        tut_sketch_add(&ret->vector, values[i], seed);
    ret->digest = ret->vector.digest;
}

/* --- tensors: inputs[].data, however deeply it nests; a loop, as its depth comes from outside ---
 */
typedef struct level {
    const tut_json_value *list;
    uint32_t next;
} level;

static void add_numbers(const tut_json_value *data, uint64_t seed, tut_vector_sketch *sketch)
{
    level levels[TUT_LIMIT_GUARD_DEPTH];
    size_t depth = 0;
    levels[depth++] = (level){data, 0};
    while (depth > 0) {
        level *l = &levels[depth - 1];
        if (l->next == tut_json_count(l->list)) {
            depth--;
            continue;
        }
        const tut_json_value *v = tut_json_item(l->list, l->next++);
        if (v->type == TUT_JSON_ARRAY && depth < TUT_LIMIT_GUARD_DEPTH)
            levels[depth++] = (level){v, 0};
        else if (v->type == TUT_JSON_REAL)
            tut_sketch_add(sketch, v->as.real, seed);
        else if (v->type == TUT_JSON_INT)
            tut_sketch_add(sketch, (double)v->as.integer, seed);
        else if (v->type == TUT_JSON_UINT)
            tut_sketch_add(sketch, (double)v->as.uinteger, seed);
        else if (v->type == TUT_JSON_BOOL)
            tut_sketch_add(sketch, v->as.boolean, seed);
    }
}

static bool query_of_tensors(const tut_live *live, const tut_json_value *root, tut_abuse_query *ret)
{
    uint64_t seed = atomic_load_explicit(&live->map->seed, memory_order_relaxed);
    const tut_json_value *inputs = tut_json_get(root, "inputs");
    tut_abuse_query q = {.has_vector = true, .asks_confidence = true};
    for (uint32_t i = 0; i < tut_json_count(inputs); i++) {
        const tut_json_value *data = tut_json_get(tut_json_item(inputs, i), "data");
        if (data && data->type == TUT_JSON_ARRAY)
            add_numbers(data, seed, &q.vector);
    }
    q.digest = q.vector.digest;
    if (q.vector.count == 0)
        return false;
    *ret = q;
    return true;
}

static bool asks_confidence(const tut_json_value *root)
{
    const tut_json_value *v = tut_json_get(root, "logprobs");
    return (v && v->type != TUT_JSON_NULL && !(v->type == TUT_JSON_BOOL && !v->as.boolean)) ||
           tut_json_get_int(root, "top_logprobs", 0) > 0;
}

static void query_of(const tut_live *live, const tut_guard_request *r, uint64_t key,
                     tut_abuse_query *ret)
{
    const tut_json_value *root = r->doc ? tut_json_root(r->doc) : NULL;
    bool is_tensors = r->route && r->route->protocol->role == tut_role_v2;
    *ret = (tut_abuse_query){0};
    if (is_tensors && root && query_of_tensors(live, root, ret))
        return;
    for (size_t i = r->segment_count; i-- > 0;)
        if (r->segments[i].role == TUT_ROLE_USER) {
            query_text(live, r->segments[i].text, is_tensors || asks_confidence(root), key, ret);
            return;
        }
}

void tut_abuse_query_of(const tut_live *live, const tut_guard_request *r, tut_abuse_query *ret)
{
    query_of(live, r, 0, ret);
}

/* --- a request as a whole --- */
enum { COARSE_ROUND = 2, COARSE_TOP = 1 }; /* one digit behind the point, of the likeliest alone */

static uint32_t stricter(uint32_t now, uint32_t coarse)
{
    return now && now < coarse ? now : coarse;
}

void tut_abuse_judge(tut_live *live, tut_guard_request *r, uint64_t key, uint64_t now_ms,
                     tut_abuse_answer *ret_answer)
{
    tut_abuse_query query;
    *ret_answer = (tut_abuse_answer){0};
    if (!tut_abuse_is_asked(r->guard->policy, r->client))
        return;
    query_of(live, r, key, &query);
    tut_abuse_look(live, r->guard->policy, r->client, key, &query, now_ms, ret_answer);
    for (size_t i = 0; i < ret_answer->alarm_count; i++) {
        const tut_abuse_alarm *a = &ret_answer->alarms[i];
        tut_str kind = tut_str_of(tut_abuse_kind_name(a->kind));
        if (a->action == TUT_ABUSE_BLOCK)
            tut_guard_refuse(&r->decision, 429, "abuse", kind, "%s", a->text);
        else
            tut_guard_add(&r->decision, "abuse",
                          a->action == TUT_ABUSE_HOLD ? TUT_GUARD_HOLD : TUT_GUARD_FLAG, kind, "%s",
                          a->text);
    }
    if (!r->is_enforced) {
        ret_answer->delay_ms = 0;
        ret_answer->coarsen = false;
    }
    if (ret_answer->coarsen) {
        r->outputs.round = stricter(r->outputs.round, COARSE_ROUND);
        r->outputs.top_k = stricter(r->outputs.top_k, COARSE_TOP);
    }
}
