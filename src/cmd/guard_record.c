#include "cmd/guard_record.h"

#include "assess/attest.h"

typedef struct tried { /* exchanges that were refused for it */
    size_t routes, tools, contents, models, differing, exchanges;
} tried;

static bool is_refused(const tut_json_value *item)
{
    return tut_str_eq_z(tut_json_get_text(item, "action"), "block");
}

static bool refused_for(const tut_json_value *item, const char *check)
{
    static const char *const sides[] = {"request", "answer"};
    if (!is_refused(item))
        return false;
    for (size_t k = 0; k < TUT_COUNT(sides); k++) {
        const tut_json_value *reasons = tut_json_get(tut_json_get(item, sides[k]), "reasons");
        for (uint32_t i = 0; i < tut_json_count(reasons); i++) {
            const tut_json_value *r = tut_json_item(reasons, i);
            if (tut_str_eq_z(tut_json_get_text(r, "check"), check) && is_refused(r))
                return true;
        }
    }
    return false;
}

static tried count_tried(tut_json_doc *const *items, size_t count)
{
    tried t = {.exchanges = count};
    for (size_t i = 0; i < count; i++) {
        const tut_json_value *item = tut_json_root(items[i]);
        tut_str expected = tut_json_get_text(item, "expected");
        t.routes += refused_for(item, "route");
        t.tools += refused_for(item, "tools");
        t.contents += refused_for(item, "content");
        t.models += refused_for(item, "model");
        t.differing += expected.len && !tut_str_eq(expected, tut_json_get_text(item, "action"));
    }
    return t;
}

static tut_result result_of(const tried *t)
{
    if (t->differing)
        return TUT_RESULT_FAIL;
    return t->routes && t->tools && t->contents ? TUT_RESULT_PASS : TUT_RESULT_NOT_CHECKED;
}

static tut_status write_body(const tried *t, const tut_guard_policy *policy,
                             tut_json_doc *const *items, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.guard-functions/1");
    tut_json_key(j, "policy");
    tut_json_sha256(j, policy->version.bytes);
    tut_json_put_u64(j, "exchanges", t->exchanges);
    tut_json_put_u64(j, "differing", t->differing);
    tut_json_put_u64(j, "routes", t->routes);
    tut_json_put_u64(j, "tools", t->tools);
    tut_json_put_u64(j, "contents", t->contents);
    tut_json_put_u64(j, "models", t->models);
    tut_json_key(j, "refused");
    tut_json_array(j);
    for (size_t i = 0; i < t->exchanges; i++)
        if (is_refused(tut_json_root(items[i])))
            tut_json_str(j, tut_json_get_text(tut_json_root(items[i]), "id"));
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void say(const tried *t, tut_buf *out)
{
    tut_buf_printf(out,
                   "Asked for and refused, by the policy's default: routes %zu, tools %zu, kinds "
                   "of content %zu, models %zu; other than expected: %zu of %zu exchanges.",
                   t->routes, t->tools, t->contents, t->models, t->differing, t->exchanges);
}

static const char *lacking(const tried *t)
{
    return !t->routes ? "a route" : !t->tools ? "a tool" : "images, audio or files";
}

tut_status tut_guard_record(const tut_args *args, const tut_guard_policy *policy,
                            tut_json_doc *const *items, size_t count, tut_buf *out, tut_error *err)
{
    const tried t = count_tried(items, count);
    tut_result result = result_of(&t);
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    uint64_t index = 0;
    if (result == TUT_RESULT_NOT_CHECKED) {
        tut_buf_printf(out,
                       "Nothing was recorded: no line asks for %s that the policy does not "
                       "declare.\n",
                       lacking(&t));
        return tut_buf_check(out, err);
    }
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state)
        return tut_fail(err, TUT_USAGE, "--record needs a described system");
    say(&t, &text);
    TUT_TRY(write_body(&t, policy, items, &body, err));
    const tut_attestation a = {.check = "guard.functions",
                               .result = result,
                               .statement = tut_buf_z(&text),
                               .body = tut_buf_span(&body)};
    if (!a.statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_attest(args->system ? args->system : dir, state, &a, &index, err));
    tut_buf_printf(out, "Recorded as entry %llu: guard.functions, %s.\n", (unsigned long long)index,
                   tut_result_name(result));
    return tut_buf_check(out, err);
}
