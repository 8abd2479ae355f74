#include "assess/drill.h"

#include "assess/attest.h"
#include "assess/drill_internal.h"

static const tut_drill restore = {
    .name = "restore",
    .check = "drill.restore",
    .title = "Restore every model, dataset, prompt and configuration from the store",
    .valid_days = 180,
    .run = tut_drill_restore,
};

const tut_drill *const tut_drills[] = {&restore, NULL};

const tut_drill *tut_drill_find(const char *name)
{
    for (size_t i = 0; tut_drills[i]; i++)
        if (strcmp(tut_drills[i]->name, name) == 0)
            return tut_drills[i];
    return NULL;
}

const char *tut_drill_word(tut_drill_state state)
{
    static const char *const words[] = {[TUT_DRILL_PASSED] = "passed",
                                        [TUT_DRILL_FAILED] = "failed",
                                        [TUT_DRILL_LEFT_OUT] = "left_out"};
    return words[state];
}

void tut_drill_result_done(tut_drill_result *r)
{
    for (size_t i = 0; i < r->count; i++) {
        tut_free(r->items[i].id);
        tut_free(r->items[i].reason);
        tut_free(r->items[i].tag);
        tut_free(r->items[i].person);
        tut_free(r->items[i].key_id);
    }
    tut_free(r->items);
    *r = (tut_drill_result){0};
}

tut_status tut_drill_add(tut_drill_result *r, const char *id, tut_drill_item **ret_item,
                         tut_error *err)
{
    if (!tut_is_ok(tut_grow(&r->items, r->count, &r->capacity, sizeof(*r->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_drill_item *item = &r->items[r->count++];
    *item = (tut_drill_item){.id = tut_strdup(id)};
    *ret_item = item;
    return item->id ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static size_t in_state(const tut_drill_result *r, tut_drill_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += r->items[i].state == state;
    return count;
}

/* All of it, or it proves nothing: what was left out could not be had on the bad day either. */
static tut_result judge(const tut_drill_result *r)
{
    if (in_state(r, TUT_DRILL_FAILED) > 0)
        return TUT_RESULT_FAIL;
    return r->count > 0 && in_state(r, TUT_DRILL_LEFT_OUT) == 0 ? TUT_RESULT_PASS
                                                                : TUT_RESULT_NOT_CHECKED;
}

void tut_drill_items_json(const tut_drill *drill, const tut_drill_result *r, tut_json *j)
{
    tut_json_array(j);
    for (size_t i = 0; i < r->count; i++) {
        const tut_drill_item *item = &r->items[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", item->id);
        tut_json_put_z(j, "state", tut_drill_word(item->state));
        tut_json_put_time(j, "since", r->at);
        tut_json_put_time(j, "due", r->at + (tut_time)drill->valid_days * TUT_DAY_SECONDS);
        tut_json_key(j, "actors");
        tut_json_array(j);
        if (item->person)
            tut_json_z(j, item->person);
        tut_json_end_array(j);
        tut_json_key(j, "evidence");
        tut_json_array(j);
        tut_json_end_array(j);
        tut_json_put_z(j, "reason", item->reason);
        tut_json_put_z(j, "tag", item->tag);
        tut_json_put_z(j, "key", item->key_id);
        tut_json_put_u64(j, "files", item->files);
        tut_json_put_u64(j, "bytes", item->bytes);
        tut_json_put_u64(j, "took_ms", item->took_ms);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* --- the evidence --- */

static tut_status write_body(const tut_drill *drill, const tut_drill_result *r, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.drill/1");
    tut_json_put_z(j, "drill", drill->name);
    tut_json_put_z(j, "result", tut_result_name(r->result));
    tut_json_put_u64(j, "took_ms", r->took_ms);
    tut_json_put_u64(j, "bytes", r->bytes);
    tut_json_key(j, "items");
    tut_drill_items_json(drill, r, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void say(const tut_drill_result *r, tut_buf *out)
{
    size_t passed = in_state(r, TUT_DRILL_PASSED);
    tut_buf_printf(out, "%zu of %zu passed, in %.2f s", passed, r->count,
                   (double)r->took_ms / 1000);
    for (size_t i = 0; i < r->count; i++) {
        const tut_drill_item *item = &r->items[i];
        if (item->state == TUT_DRILL_PASSED)
            continue;
        tut_buf_printf(out, "; %s: ", item->id);
        tut_buf_add_escaped(out, tut_str_of(item->reason), 200);
        break;
    }
    tut_buf_add_byte(out, '.');
}

/* One key, when all rests on one; each asset's own evidence names its own. */
static const char *key_of(const tut_drill_result *r)
{
    const char *key = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const char *k = r->items[i].key_id;
        if (!k || (key && strcmp(key, k) != 0))
            return NULL;
        key = k;
    }
    return key;
}

static tut_status append(const tut_drill *drill, const tut_drilling *d, tut_drill_result *r,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    say(r, &text);
    TUT_TRY(write_body(drill, r, &body, err));
    const tut_attestation a = {.check = drill->check,
                               .result = r->result,
                               .statement = tut_buf_z(&text),
                               .body = tut_buf_span(&body),
                               .valid_days = drill->valid_days,
                               .from = r->at,
                               .to = tut_time_now(),
                               .key_id = r->result == TUT_RESULT_PASS ? key_of(r) : NULL};
    if (!a.statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_attest_to(d->ledger, d->system, &a, &r->index, err);
}

static tut_status carry_out(const tut_drill *drill, const tut_drilling *d, tut_drill_result *r,
                            tut_error *err)
{
    uint64_t started = tut_clock_ms();
    r->at = tut_time_now();
    TUT_TRY(drill->run(d, r, err));
    r->took_ms = tut_clock_ms() - started;
    for (size_t i = 0; i < r->count; i++)
        r->bytes += r->items[i].bytes;
    r->result = judge(r);
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted; nothing was recorded");
    return append(drill, d, r, err);
}

tut_status tut_drill_run(const tut_drill *drill, const char *dir_or_file, const char *state_dir,
                         void (*progress)(void *ctx, uint64_t bytes), void *ctx,
                         tut_drill_result *ret_result, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_CLEAN(tut_drill_result) r = {0};
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    const tut_drilling d = {.system = system,
                            .state_dir = state_dir,
                            .ledger = ledger,
                            .progress = progress,
                            .ctx = ctx};
    TUT_TRY(carry_out(drill, &d, &r, err));
    *ret_result = r;
    r = (tut_drill_result){0};
    return TUT_SUCCESS;
}
