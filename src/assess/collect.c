/*
 * Collecting: look at the described system once, then record what was seen in one append. Until
 * that append nothing is written but bodies, so an interruption leaves the records as they were.
 */
#include "assess/collect_internal.h"
#include "assess/evaluate_internal.h"
#include "assess/tool.h"

typedef struct batch {
    const tut_collection *c;
    tut_ledger *ledger;
    tut_tool_digests tool;
    tut_record *records;
    tut_subject *subjects; /* one a record */
    size_t count;
    tut_arena arena; /* statements and clause lists */
    tut_error *err;
} batch;

void tut_collection_done(tut_collection *c)
{
    tut_free(c->item_of);
    tut_free(c->reports);
    tut_inventory_free(c->inventory);
    tut_found_free(c->found);
    tut_scan_free(c->scan);
    tut_system_free(c->system);
}

static void step(void *ctx, size_t done, size_t total, uint64_t bytes)
{
    (void)bytes;
    if (ctx)
        tut_progress_step(ctx, "scan", done, total);
}

/* An exclusion of a provision that does not exist would be passed over in silence. */
static tut_status check_exclusions(const tut_system *s, tut_error *err)
{
    for (size_t i = 0; i < s->not_applicable_count; i++) {
        const tut_not_applicable *n = &s->not_applicable[i];
        if (n->clause.len == 0 || tut_catalogue_find(n->clause))
            continue;
        TUT_AUTO_FREE char *place = tut_asprintf("%s:%u:%u", s->file, n->node->line,
                                                 n->node->column);
        if (!place)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_error_set_path(err, place);
        return tut_fail(err, TUT_USAGE,
                        "not_applicable: no provision is called \"%.*s\"; they look like 5.2.4-1.2",
                        (int)(n->clause.len < 40 ? n->clause.len : 40), n->clause.data);
    }
    return TUT_SUCCESS;
}

static tut_status look(tut_collection *c, const char *dir, const tut_collect_options *options)
{
    c->from = tut_time_now();
    TUT_TRY(tut_system_load(dir, &c->system, options->shown, c->err));
    TUT_TRY(check_exclusions(c->system, c->err));
    tut_scan_options scan = {.content = true,
                             .all_kinds = true,
                             .every_file = true,
                             .sandbox = options->sandbox,
                             .progress = step,
                             .progress_ctx = options->progress};
    const char *root = c->system->dir;
    TUT_TRY(tut_scan_run(&root, 1, &scan, &c->scan, c->err));
    TUT_TRY(tut_scan_found(c->scan, &c->found, c->err));
    TUT_TRY(
        tut_inventory_build(c->system, c->found->files, c->found->count, &c->inventory, c->err));
    TUT_TRY(tut_collection_assign(c));
    c->to = tut_time_now();
    return TUT_SUCCESS;
}

/* The clauses whose rows want this check; of an asset only those that want its kind. */
static tut_status clauses_of(batch *b, const char *check, tut_asset_kind kind, tut_record *r)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, b->err));
    const char **ids = tut_arena_take(&b->arena, TUT_CLAUSE_COUNT, sizeof(*ids));
    if (!ids)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    size_t count = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        bool is_wanted = false;
        for (size_t w = 0; w < clauses[i].want_count && !is_wanted; w++) {
            const tut_want *want = &clauses[i].wants[w];
            is_wanted = tut_str_eq_z(want->check, check) &&
                        (want->kinds == 0 || kind == TUT_KIND_NONE || (want->kinds & (1u << kind)));
        }
        if (!is_wanted)
            continue;
        ids[count] = tut_arena_copy(&b->arena, clauses[i].id);
        if (!ids[count++])
            return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    }
    r->clauses = ids;
    r->clause_count = count;
    return TUT_SUCCESS;
}

static tut_record *add(batch *b, const char *name, const tut_sha256 *digest)
{
    tut_record *r = &b->records[b->count];
    tut_subject *subject = &b->subjects[b->count++];
    *subject = (tut_subject){.name = name, .digest = *digest};
    *r = (tut_record){.at = b->c->to,
                      .from = b->c->from,
                      .to = b->c->to,
                      .expires = b->c->to + (tut_time)TUT_COLLECT_EXPIRY_DAYS * TUT_DAY_SECONDS,
                      .subjects = subject,
                      .subject_count = 1,
                      .actor = "tool",
                      .has_body = true,
                      .tool_binary = b->tool.binary,
                      .tool_catalogue = b->tool.catalogue,
                      .tool_rules = b->tool.rules};
    return r;
}

static tut_status set_statement(batch *b, tut_record *r, char *statement)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, tut_str_of(statement), 1000);
    r->statement = tut_arena_copy(&b->arena, tut_buf_str(&safe));
    tut_free(statement);
    return r->statement ? TUT_SUCCESS : tut_fail(b->err, TUT_NOMEM, "memory ran out");
}

/* A description that is not the one last recorded is itself a record. */
static tut_status add_system(batch *b)
{
    const tut_system *s = b->c->system;
    TUT_AUTO(tut_records) known = NULL;
    TUT_TRY(tut_ledger_read(b->ledger, INT64_MAX, &known, b->err));
    const tut_record *last = NULL;
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].type == TUT_RECORD_EVENT && known->items[i].has_body &&
            strcmp(known->items[i].subjects[0].name, TUT_SUBJECT_SYSTEM) == 0)
            last = &known->items[i];
    if (last && tut_sha256_eq(&last->subjects[0].digest, &s->digest))
        return TUT_SUCCESS;
    tut_str source = tut_yaml_source(s->yaml);
    tut_record *r = add(b, TUT_SUBJECT_SYSTEM, &s->digest);
    r->type = TUT_RECORD_EVENT;
    r->check = TUT_EVENT_SYSTEM_CHANGED;
    r->statement = last ? "tutela.yaml differs from the one last recorded."
                        : "tutela.yaml was recorded for the first time.";
    return tut_ledger_put_body(b->ledger, tut_span_of(source.data, source.len), &r->body, b->err);
}

static tut_status add_inventory(batch *b)
{
    tut_record *r = add(b, TUT_SUBJECT_SYSTEM, &b->c->system->digest);
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    char *statement;
    r->type = TUT_RECORD_EVIDENCE;
    r->check = TUT_CHECK_INVENTORY "/1";
    TUT_TRY(clauses_of(b, TUT_CHECK_INVENTORY, TUT_KIND_NONE, r));
    TUT_TRY(tut_collection_judge_inventory(b->c, &r->result, &statement));
    TUT_TRY(set_statement(b, r, statement));
    TUT_TRY(tut_collection_inventory_body(b->c, &body));
    return tut_ledger_put_body(b->ledger, tut_buf_span(&body), &r->body, b->err);
}

static tut_status add_scan(batch *b, size_t at)
{
    const tut_inventory_item *item = &b->c->inventory->items[at];
    tut_record *r = add(b, item->id, &item->digest);
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    char *statement;
    r->type = TUT_RECORD_EVIDENCE;
    r->check = TUT_CHECK_SCAN "/1";
    TUT_TRY(clauses_of(b, TUT_CHECK_SCAN, item->kind, r));
    TUT_TRY(tut_collection_judge_scan(b->c, at, &r->result, &statement));
    TUT_TRY(set_statement(b, r, statement));
    TUT_TRY(tut_collection_scan_body(b->c, at, &body));
    return tut_ledger_put_body(b->ledger, tut_buf_span(&body), &r->body, b->err);
}

static tut_status fill(batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    b->records = tut_arena_take(&b->arena, inv->count + 2, sizeof(*b->records));
    b->subjects = tut_arena_take(&b->arena, inv->count + 2, sizeof(*b->subjects));
    if (!b->records || !b->subjects)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_tool_get_digests(&b->tool, b->err));
    TUT_TRY(add_system(b));
    TUT_TRY(add_inventory(b));
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].has_digest && inv->items[i].files > 0)
            TUT_TRY(add_scan(b, i));
    if (tut_interrupted())
        return tut_fail(b->err, TUT_CANCELLED, "interrupted; nothing was recorded");
    return tut_ledger_append(b->ledger, b->records, b->count, b->err);
}

static tut_status record(const tut_collection *c, const char *state_dir)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, c->err));
    batch b = {.c = c, .ledger = ledger, .err = c->err};
    tut_arena_init(&b.arena, 0);
    tut_status status = fill(&b);
    tut_arena_done(&b.arena);
    return status;
}

tut_status tut_assess_collect(const char *dir, const char *state_dir,
                              const tut_collect_options *options, tut_error *err)
{
    TUT_CLEAN(tut_collection) c = {.err = err};
    TUT_TRY(look(&c, dir, options));
    return record(&c, state_dir);
}
