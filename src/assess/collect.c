/*
 * Collecting: look at the described system once, then record what was seen in one append. Until
 * that append nothing is written but bodies, so an interruption leaves the records as they were.
 */
#include "assess/collect_internal.h"
#include "assess/design.h"

void tut_collection_done(tut_collection *c)
{
    tut_free(c->reports);
    tut_vetting_free(c->vetting);
    tut_inventory_free(c->inventory);
    tut_found_free(c->found);
    tut_scan_free(c->scan);
    tut_yara_free(c->yara);
    tut_text_user_free(c->secret_rules);
    tut_vouchers_done(&c->vouchers);
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
    tut_design design; /* one that cannot be read is told before anything is recorded */
    TUT_TRY(tut_design_read(c->system, &design, options->shown, c->err));
    TUT_TRY(tut_vouchers_of(&c->vouchers, TUT_VOUCHER_WITNESSES, c->system, c->err));
    TUT_TRY(tut_vouchers_of(&c->vouchers, TUT_VOUCHER_AUTHORITIES, c->system, c->err));
    TUT_TRY(tut_yara_gather(c->system, NULL, 0, &c->yara, c->err));
    TUT_TRY(tut_secret_rules_gather(c->system, NULL, NULL, 0, options->sandbox, &c->secret_rules,
                                    NULL, c->err));
    tut_scan_options scan = {.content = true,
                             .all_kinds = true,
                             .every_file = true,
                             .system = c->system,
                             .yara = c->yara,
                             .secret_rules = c->secret_rules,
                             .sandbox = options->sandbox,
                             .progress = step,
                             .progress_ctx = options->progress};
    const char *root = c->system->dir;
    TUT_TRY(tut_scan_run(&root, 1, &scan, &c->scan, c->err));
    TUT_TRY(tut_scan_found(c->scan, &c->found, c->err));
    TUT_TRY(
        tut_inventory_build(c->system, c->found->files, c->found->count, &c->inventory, c->err));
    TUT_TRY(tut_collection_assign(c));
    TUT_TRY(tut_collection_vet(c, options->sandbox, options->progress));
    c->to = tut_time_now();
    return TUT_SUCCESS;
}

/* What is looked at in one go, and appended in one go. */
static tut_status (*const steps[])(tut_batch *b) = {
    tut_step_system,   tut_step_vouchers,   tut_step_changes,    tut_step_inventory,
    tut_step_scan,     tut_step_signatures, tut_step_published,  tut_step_sources,
    tut_step_approved, tut_step_vetted,     tut_step_provenance, tut_step_store};
/* What is judged by the log as it stands after that. */
static tut_status (*const afterwards[])(tut_batch *b) = {tut_step_lifecycle, tut_step_prompts,
                                                         tut_step_probed};

static tut_status take_steps(tut_batch *b, tut_status (*const *list)(tut_batch *b), size_t count)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(list[i](b));
    if (tut_interrupted())
        return tut_fail(b->err, TUT_CANCELLED, "interrupted; nothing was recorded");
    return tut_batch_append(b);
}

static tut_status record(const tut_collection *c, const char *state_dir)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, c->err));
    TUT_TRY(tut_vouched_damage(ledger, INT64_MAX, c->err));
    TUT_CLEAN(tut_batch) b = {0};
    TUT_TRY(tut_batch_init(&b, c, ledger, c->err));
    TUT_TRY(take_steps(&b, steps, sizeof(steps) / sizeof(steps[0])));
    return take_steps(&b, afterwards, sizeof(afterwards) / sizeof(afterwards[0]));
}

tut_status tut_assess_collect(const char *dir, const char *state_dir,
                              const tut_collect_options *options, tut_error *err)
{
    TUT_CLEAN(tut_collection) c = {.err = err};
    TUT_TRY(look(&c, dir, options));
    return record(&c, state_dir);
}
