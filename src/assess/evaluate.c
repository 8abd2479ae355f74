/* From records to an assessment. Reads what was recorded up to the stated time, and nothing else.
 */
#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "base/fs.h"
#include "state/records.h"

static void findings_done(tut_report_finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tut_report_finding *f = &findings[i];
        tut_free(f->asset);
        tut_free(f->rule);
        tut_free(f->title);
        tut_free(f->message);
        tut_free(f->location);
        tut_free(f->fix);
        tut_free(f->threats);
        tut_free(f->clauses);
        tut_free(f->confidence);
        tut_free(f->accepted);
    }
    tut_free(findings);
}

static void assets_done(tut_assessment *a)
{
    for (size_t i = 0; i < a->asset_count; i++) {
        tut_asset_summary *s = &a->assets[i];
        for (size_t k = 0; k < s->depends_count; k++)
            tut_free(s->depends_on[k]);
        tut_free(s->depends_on);
        tut_free(s->id);
        tut_free(s->path);
        tut_free(s->kind);
        tut_free(s->state);
        tut_free(s->format);
        tut_free(s->digest);
        tut_free(s->detail);
    }
    tut_free(a->assets);
}

static void control_done(tut_control *c)
{
    for (size_t k = 0; k < c->reason_count; k++)
        tut_free(c->reasons[k]);
    for (size_t k = 0; k < c->evidence_count; k++)
        tut_free(c->evidence[k].why);
    tut_free(c->reasons);
    tut_free(c->evidence);
}

void tut_assessment_free(tut_assessment *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        control_done(&a->controls[i]);
    findings_done(a->findings, a->finding_count);
    findings_done(a->accepted, a->accepted_count);
    assets_done(a);
    for (size_t i = 0; i < a->unchecked_count; i++) {
        tut_free(a->unchecked[i].what);
        tut_free(a->unchecked[i].why);
    }
    tut_free(a->unchecked);
    tut_free(a->overrides);
    for (size_t i = 0; i < a->cap_count; i++)
        tut_free(a->caps[i].reason);
    for (size_t i = 0; i < a->next_count; i++) {
        tut_free(a->next[i].command);
        tut_free(a->next[i].why);
        tut_free(a->next[i].title);
        tut_free(a->next[i].clauses);
    }
    tut_system_free(a->system);
    if (!a->borrows_records)
        tut_records_free(a->records);
    tut_free(a->system_name);
    tut_free(a->system_version);
    tut_free(a->grade_sentence);
    tut_free(a->sandbox);
    tut_free(a->log_origin);
    tut_buf_done(&a->inventory);
    tut_buf_done(&a->threat_model);
    if (a->owner_) {
        tut_arena_done(a->owner_);
        tut_free(a->owner_);
    }
    tut_free(a);
}

static tut_status summarise(tut_evaluation *e, const tut_known_asset *from)
{
    tut_assessment *a = e->a;
    TUT_TRY(tut_grow(&a->assets, a->asset_count, &a->asset_capacity, sizeof(*a->assets)));
    tut_asset_summary *to = &a->assets[a->asset_count++];
    char hex[TUT_SHA256_HEX] = "";
    if (from->has_digest)
        tut_sha256_hex(&from->digest, hex);
    *to = (tut_asset_summary){.id = tut_strdup(from->id),
                              .path = tut_strdup(from->path),
                              .kind = tut_strdup(from->kind_name),
                              .state = tut_strdup(from->state),
                              .format = tut_strdup(from->format),
                              .digest = tut_strdup(hex),
                              .detail = tut_strdup(from->detail),
                              .size = from->size};
    to->depends_on = tut_alloc_array(from->depends_count + 1, sizeof(*to->depends_on));
    if (!to->id || !to->path || !to->kind || !to->state || !to->format || !to->digest ||
        !to->detail || !to->depends_on)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < from->depends_count; i++) {
        to->depends_on[i] = tut_strdup(from->depends_on[i]);
        if (!to->depends_on[i])
            return tut_fail(e->err, TUT_NOMEM, "memory ran out");
        to->depends_count++;
    }
    return TUT_SUCCESS;
}

static tut_status evaluate_controls(tut_evaluation *e)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, e->err));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        e->a->controls[i].clause = &clauses[i];
        TUT_TRY(tut_control_evaluate(e, &e->a->controls[i]));
    }
    return TUT_SUCCESS;
}

void tut_demands_done(tut_demand *demands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        control_done(&demands[i].control);
}

/* Kinds and age can only be narrowed. */
static tut_status answer(tut_evaluation *e, tut_demand *q)
{
    q->strict = q->of->wants[q->want];
    if (q->max_age_days && q->max_age_days < q->strict.max_age_days)
        q->strict.max_age_days = q->max_age_days;
    if (q->kinds)
        q->strict.kinds = q->strict.kinds ? q->strict.kinds & q->kinds : q->kinds;
    q->clause = *q->of;
    q->clause.wants = &q->strict;
    q->clause.want_count = 1;
    q->control = (tut_control){.clause = &q->clause};
    return tut_control_evaluate(e, &q->control);
}

static tut_status answer_demands(tut_evaluation *e)
{
    for (size_t i = 0; e->given && i < e->given->demand_count; i++)
        TUT_TRY(answer(e, &e->given->demands[i]));
    return TUT_SUCCESS;
}

/* Distinct records that ran out; one may serve several controls. */
static tut_status count_expired(tut_evaluation *e, size_t *ret_count)
{
    const tut_assessment *a = e->a;
    TUT_AUTO_FREE bool *seen = tut_alloc_array(a->records->count + 1, sizeof(*seen));
    if (!seen)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    size_t count = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        for (size_t k = 0; k < a->controls[i].evidence_count; k++) {
            const tut_evidence_use *use = &a->controls[i].evidence[k];
            size_t at = (size_t)(use->record - a->records->items);
            count += use->use == TUT_USE_STALE && !seen[at];
            seen[at] = seen[at] || use->use == TUT_USE_STALE;
        }
    }
    *ret_count = count;
    return TUT_SUCCESS;
}

/* A log that does not verify proves nothing, and that is the verdict: grade F, with the reason. */
static tut_status take_damage(tut_evaluation *e, const tut_error *why)
{
    const char *where = tut_error_where(why);
    e->damage = tut_asprintf("%s%s%s", where, where[0] ? ": " : "", why->text);
    e->a->borrows_records = false; /* those that were given are their owner's */
    e->a->records = tut_alloc_array(1, sizeof(*e->a->records));
    if (!e->damage || !e->a->records)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

static tut_status read_records(tut_evaluation *e)
{
    tut_error why = {0};
    tut_status status = e->given ? TUT_SUCCESS
                                 : tut_ledger_open(e->state_dir, false, &e->ledger, &why);
    if (tut_is_ok(status))
        status = tut_vouched_damage(e->ledger, e->a->evaluated_at, &why);
    if (tut_is_ok(status) && !e->a->records)
        status = tut_state_read(e->ledger, e->a->evaluated_at, &e->a->records, &why);
    if (status.code == TUT_STORE)
        return take_damage(e, &why);
    if (!tut_is_ok(status)) {
        *e->err = why;
        return status;
    }
    e->a->log_origin = tut_strdup(tut_ledger_log_origin(e->ledger));
    e->a->log_root = e->a->records->log_root;
    e->a->is_strangers = e->a->records->log_size > 0 && !tut_ledger_has_keys(e->ledger);
    return e->a->log_origin ? TUT_SUCCESS : tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

static tut_status evaluate(tut_evaluation *e)
{
    tut_assessment *a = e->a;
    tut_tool_digests digests;
    if (e->given)
        digests = e->given->tool;
    else
        TUT_TRY(tut_tool_get_digests(&digests, e->err));
    a->tool_binary = digests.binary;
    a->tool_catalogue = digests.catalogue;
    a->tool_rules = digests.rules;
    TUT_TRY(read_records(e));
    e->places = tut_arena_take(&e->arena, a->records->count + 1, sizeof(*e->places));
    e->bodies = tut_arena_take(&e->arena, a->records->count + 1, sizeof(*e->bodies));
    if (!e->places || !e->bodies)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_known_load(e));
    TUT_TRY(tut_vouched_load(e));
    for (size_t i = 0; i < e->asset_count; i++)
        TUT_TRY(summarise(e, &e->assets[i]));
    TUT_TRY(tut_clearance_load(e));
    TUT_TRY(tut_findings_load(e));
    TUT_TRY(tut_overrides_load(e));
    TUT_TRY(answer_demands(e));
    if (e->given && e->given->is_partial)
        return TUT_SUCCESS;
    TUT_TRY(evaluate_controls(e));
    size_t expired;
    TUT_TRY(count_expired(e, &expired));
    TUT_TRY(tut_grade_assessment(a, e->damage, expired, e->err));
    return tut_next_steps(e);
}

static tut_status fill_blanks(tut_assessment *a, tut_error *err)
{
    if (!a->system_name)
        a->system_name = tut_strdup("");
    if (!a->system_version)
        a->system_version = tut_strdup("");
    if (!a->sandbox)
        a->sandbox = tut_strdup("");
    if (!a->log_origin)
        a->log_origin = tut_strdup("");
    bool has_all = a->system_name && a->system_version && a->sandbox && a->log_origin;
    return has_all ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* "app/system.yaml" -> "app" and itself; a description of the usual name needs no naming. */
static tut_status name_places(tut_evaluation *e, const char *dir_or_file, const char *state_dir)
{
    e->dir = dir_or_file;
    if (dir_or_file && tut_fs_exists(dir_or_file) && !tut_fs_is_dir(dir_or_file)) {
        const char *slash = strrchr(dir_or_file, '/');
        size_t len = !slash ? 0 : slash == dir_or_file ? 1 : (size_t)(slash - dir_or_file);
        e->dir = slash ? tut_arena_copy(&e->arena, (tut_str){dir_or_file, len}) : ".";
        if (strcmp(slash ? slash + 1 : dir_or_file, "tutela.yaml") != 0)
            e->file = dir_or_file;
    }
    TUT_AUTO_FREE char *usual = e->dir ? tut_fs_join(e->dir, ".tutela") : NULL;
    if (!usual)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    if (strcmp(usual, state_dir) != 0 && tut_fs_exists(state_dir))
        e->state = state_dir;
    return TUT_SUCCESS;
}

/* Places and state are ignored where records were given. */
static tut_status evaluate_at(const char *dir_or_file, const char *state_dir,
                              const tut_evaluation_source *given, tut_time at,
                              tut_assessment **ret_assessment, tut_error *err)
{
    if (at > tut_time_now())
        return tut_fail(err, TUT_USAGE,
                        "the time lies in the future; an assessment of it would be a guess");
    TUT_AUTO(tut_assessment) a = tut_alloc_array(1, sizeof(*a));
    tut_arena *arena = tut_alloc_array(1, sizeof(*arena));
    if (!a || !arena) {
        tut_free(arena);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    tut_arena_init(arena, 0);
    a->owner_ = arena;
    a->evaluated_at = at;
    a->generated = given ? given->generated : tut_time_generated();
    a->records = given ? given->records : NULL;
    a->borrows_records = a->records != NULL;
    tut_error unread = {0};
    tut_evaluation e = {.a = a,
                        .state_dir = state_dir,
                        .given = given,
                        .ledger = given ? given->ledger : NULL,
                        .dir = ".",
                        .arena = *arena,
                        .err = err ? err : &unread};
    tut_status status = dir_or_file ? name_places(&e, dir_or_file, state_dir) : TUT_SUCCESS;
    if (tut_is_ok(status))
        status = evaluate(&e);
    *arena = e.arena; /* the controls borrow from it */
    if (!given)
        tut_ledger_close(e.ledger);
    tut_free(e.damage);
    TUT_TRY(status);
    TUT_TRY(fill_blanks(a, err));
    *ret_assessment = tut_move(&a);
    return TUT_SUCCESS;
}

tut_status tut_assess_evaluate(const char *dir_or_file, const char *state_dir, tut_time at,
                               tut_assessment **ret_assessment, tut_error *err)
{
    return evaluate_at(dir_or_file, state_dir, NULL, at, ret_assessment, err);
}

tut_status tut_assess_evaluate_given(const tut_evaluation_source *given, tut_time at,
                                     tut_assessment **ret_assessment, tut_error *err)
{
    return evaluate_at(given->dir_or_file, given->state_dir, given, at, ret_assessment, err);
}
