/* A run's targets, data and texts, from the description of the target. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/limits.h"
#include "probe/references.h"
#include "probe/run_internal.h"

void tut_bench_done(tut_bench *b)
{
    for (unsigned way = 0; way < TUT_PROBE_WAYS; way++) {
        tut_target_free(b->targets[way]);
        tut_target_free(b->flooding[way]);
    }
    tut_target_free(b->reference);
    tut_sample_free(b->members);
    tut_sample_free(b->others);
    tut_references_free(b->references);
}

static char *copy(tut_arena *arena, tut_str s)
{
    return s.len ? tut_arena_copy(arena, s) : NULL;
}

/* --- targets --- */

static tut_status open_way(tut_bench *b, tut_probe_way way, tut_str key_file, tut_target **ret,
                           tut_error *err)
{
    const tut_probe_order *o = b->order;
    const tut_probe_target *t = o->target;
    tut_arena *arena = &b->run->arena;
    char journal[TUT_ERROR_PATH_MAX] = "";
    if (o->journal)
        (void)snprintf(journal, sizeof(journal), "%s-%s.journal", o->journal,
                       way == TUT_WAY_GUARDED ? "guarded" : "straight");
    const tut_target_wish wish = {.place = copy(arena, way == TUT_WAY_GUARDED ? t->guard : t->at),
                                  .model = copy(arena, t->model),
                                  .key_file = copy(arena, key_file),
                                  .ca_file = copy(arena, t->ca_file),
                                  .authorised_by = o->authorised_by,
                                  .is_declared = o->is_declared,
                                  .journal = o->journal ? journal : NULL,
                                  .concurrency = t->concurrency,
                                  .per_second = t->per_second,
                                  .like = b->targets[TUT_WAY_STRAIGHT],
                                  .sandbox = o->sandbox,
                                  .allowance = &b->run->spent[way]};
    if (!wish.place)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_target_open(&wish, ret, err));
    b->run->targets[way] = *tut_target_about(*ret);
    return TUT_SUCCESS;
}

static tut_status open_targets(tut_bench *b, tut_error *err)
{
    const tut_probe_target *t = b->order->target;
    tut_target **guarded = &b->targets[TUT_WAY_GUARDED];
    for (unsigned way = 0; way < TUT_PROBE_WAYS; way++)
        b->run->spent[way] = (tut_allowance){.queries_most = t->queries,
                                             .money_most = t->money,
                                             .price_query = t->price_query,
                                             .price_million = t->price_million};
    TUT_TRY(open_way(b, TUT_WAY_STRAIGHT, t->key_file, &b->targets[TUT_WAY_STRAIGHT], err));
    if (t->guard.len == 0)
        return TUT_SUCCESS;
    b->run->is_guarded = true;
    TUT_TRY(open_way(b, TUT_WAY_GUARDED, t->guard_key_file, guarded, err));
    /* Who floods is another client, so that its limits are not everybody's. */
    if (b->run->kind != TUT_PROBE_LOAD || t->flood_key_file.len == 0)
        return TUT_SUCCESS;
    return open_way(b, TUT_WAY_GUARDED, t->flood_key_file, &b->flooding[TUT_WAY_GUARDED], err);
}

/* As much may be spent on it as on each way. */
static tut_status open_reference(tut_bench *b, tut_error *err)
{
    const tut_probe_order *o = b->order;
    const tut_probe_target *t = o->target;
    tut_arena *arena = &b->run->arena;
    char journal[TUT_ERROR_PATH_MAX] = "";
    if (t->reference_at.len == 0 || o->kind != TUT_PROBE_MEMBERSHIP)
        return TUT_SUCCESS;
    if (o->journal)
        (void)snprintf(journal, sizeof(journal), "%s-reference.journal", o->journal);
    b->run->spent_on_reference = (tut_allowance){.queries_most = t->queries,
                                                 .money_most = t->money,
                                                 .price_query = t->price_query,
                                                 .price_million = t->price_million};
    const tut_target_wish wish = {.place = copy(arena, t->reference_at),
                                  .model = copy(arena, t->reference_model),
                                  .key_file = copy(arena, t->reference_key_file),
                                  .ca_file = copy(arena, t->ca_file),
                                  .authorised_by = o->authorised_by,
                                  .is_declared = o->is_declared,
                                  .journal = o->journal ? journal : NULL,
                                  .concurrency = t->concurrency,
                                  .per_second = t->per_second,
                                  .sandbox = o->sandbox,
                                  .allowance = &b->run->spent_on_reference};
    if (!wish.place)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_target_open(&wish, &b->reference, err));
    if (!(tut_target_about(b->reference)->gives & TUT_GIVES_ECHO))
        return tut_fail(err, TUT_USAGE,
                        "%s tells no log probabilities of given texts: a reference is an address "
                        "of completions",
                        tut_target_about(b->reference)->shown);
    return TUT_SUCCESS;
}

/* --- rows --- */

static tut_status read_sample(tut_bench *b, tut_str path, tut_sample **ret, tut_error *err)
{
    const tut_probe_target *t = b->order->target;
    tut_arena *arena = &b->run->arena;
    const char **names = tut_arena_take(arena, t->columns.count + 1, sizeof(*names));
    if (path.len == 0)
        return TUT_SUCCESS;
    if (!names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->columns.count; i++)
        names[i] = tut_arena_copy(arena, t->columns.items[i]);
    const tut_sample_wish wish = {.path = tut_arena_copy(arena, path),
                                  .label = copy(arena, t->label),
                                  .names = t->columns.count ? names : NULL,
                                  .name_count = t->columns.count,
                                  .most = t->rows,
                                  .seed = b->order->seed,
                                  .scale = t->scale,
                                  .sandbox = b->order->sandbox};
    if (!wish.path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_sample_read(&wish, ret, err);
}

static tut_status open_rows(tut_bench *b, tut_error *err)
{
    const tut_probe_target *t = b->order->target;
    TUT_TRY(read_sample(b, t->members, &b->members, err));
    TUT_TRY(read_sample(b, t->others, &b->others, err));
    tut_sample *m = b->members, *o = b->others;
    if (m && o && m->width != o->width)
        return tut_fail(err, TUT_USAGE, "members have %zu columns, others %zu", m->width, o->width);
    if (m && o && m->labels && o->labels)
        TUT_TRY(tut_sample_align(m, o, err));
    b->run->rows[0] = m ? m->count : 0;
    b->run->rows[1] = o ? o->count : 0;
    for (size_t i = 0; i < t->shape.count; i++) {
        uint64_t n = 0;
        (void)tut_str_u64(t->shape.items[i], &n); /* the policy's reader saw to it */
        b->shape[b->axes++] = (size_t)n;
    }
    return TUT_SUCCESS;
}

/* --- texts --- */

static tut_status read_text(tut_bench *b, tut_str path, const char **ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (path.len == 0)
        return TUT_SUCCESS;
    const char *z = copy(&b->run->arena, path);
    if (!z)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(z, TUT_LIMIT_RULE_FILE_BYTES, &text, err));
    *ret = tut_arena_copy(&b->run->arena, tut_buf_str(&text));
    return *ret ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status join_lines(tut_bench *b, const tut_str_list *list, const char **ret,
                             tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (list->count == 0)
        return TUT_SUCCESS;
    for (size_t i = 0; i < list->count; i++) {
        tut_buf_add(&text, list->items[i].data, list->items[i].len);
        tut_buf_add_byte(&text, '\n');
    }
    TUT_TRY(tut_buf_check(&text, err));
    *ret = tut_arena_copy(&b->run->arena, tut_buf_str(&text));
    return *ret ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* As the application would offer them: those that the guard lets it have. */
static tut_status name_tools(tut_bench *b, const tut_guard_policy *guard, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    if (guard->tool_count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_array(j);
    for (size_t i = 0; i < guard->tool_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "type", "function");
        tut_json_key(j, "function");
        tut_json_object(j);
        tut_json_put_str(j, "name", guard->tools[i].name);
        tut_json_key(j, "parameters");
        tut_json_object(j);
        tut_json_put_z(j, "type", "object");
        tut_json_end_object(j);
        tut_json_end_object(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    TUT_TRY(tut_json_finish(j, err));
    b->texts.tools = tut_arena_copy(&b->run->arena, tut_buf_str(&text));
    return b->texts.tools ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status open_texts(tut_bench *b, tut_error *err)
{
    const tut_probe_target *t = b->order->target;
    const tut_guard_policy *guard = b->order->guard_policy;
    tut_texts *x = &b->texts;
    TUT_TRY(read_text(b, t->system_prompt, &x->system, err));
    TUT_TRY(read_text(b, t->tools, &x->tools, err));
    TUT_TRY(read_text(b, t->canaries, &x->canaries, err));
    TUT_TRY(read_text(b, t->questions, &x->questions, err));
    TUT_TRY(read_text(b, t->tool_result, &x->result, err));
    TUT_TRY(read_text(b, t->documents, &x->documents, err));
    TUT_TRY(read_text(b, t->other_documents, &x->other_documents, err));
    TUT_TRY(join_lines(b, &t->fixed, &b->fixed, err));
    if (guard && !x->canaries)
        TUT_TRY(join_lines(b, &guard->canaries, &x->canaries, err));
    if (guard && !x->tools)
        TUT_TRY(name_tools(b, guard, err));
    return guard ? join_lines(b, &guard->link_hosts, &x->link_hosts, err) : TUT_SUCCESS;
}

static tut_status open_references(tut_bench *b, tut_error *err)
{
    const tut_probe_order *o = b->order;
    if (o->target->references.len == 0 || o->kind != TUT_PROBE_MEMBERSHIP)
        return TUT_SUCCESS;
    const char *path = copy(&b->run->arena, o->target->references);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_references_read(path, o->sandbox, &b->references, err);
}

tut_status tut_bench_open(tut_bench *b, tut_error *err)
{
    const tut_probe_target *t = b->order->target;
    TUT_TRY(open_targets(b, err));
    TUT_TRY(open_reference(b, err));
    TUT_TRY(open_rows(b, err));
    TUT_TRY(open_references(b, err));
    TUT_TRY(open_texts(b, err));
    b->failure = copy(&b->run->arena, t->failure_command);
    return b->failure || !t->failure_command.len ? TUT_SUCCESS
                                                 : tut_fail(err, TUT_NOMEM, "memory ran out");
}
