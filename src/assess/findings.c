/* Findings as the report shows them: out of the recorded bodies of the scans that are about the
 * assets as they are, and out of the inventory. What could not be looked at is listed as well. */
#include <stdlib.h>

#include "assess/evaluate_internal.h"
#include "base/json.h"
#include "base/map.h"
#include "scan/lists.h"

static tut_status nomem(tut_evaluation *e)
{
    return tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

static char *copy(tut_str s)
{
    return tut_strndup(s.data ? s.data : "", s.len);
}

/* ["a", "b"] -> "a b" */
static char *spaced(const tut_json_value *list)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        tut_buf_add_z(&text, i ? " " : "");
        tut_buf_add_str(&text, tut_json_text(tut_json_item(list, i)));
    }
    return tut_buf_steal(&text);
}

static tut_status new_finding(tut_evaluation *e, const char *asset, tut_report_finding **ret)
{
    tut_assessment *a = e->a;
    TUT_TRY(tut_grow(&a->findings, a->finding_count, &a->finding_capacity, sizeof(*a->findings)));
    tut_report_finding *f = &a->findings[a->finding_count++];
    *f = (tut_report_finding){.asset = tut_strdup(asset)};
    *ret = f;
    return f->asset ? TUT_SUCCESS : nomem(e);
}

static tut_status is_complete(tut_evaluation *e, const tut_report_finding *f)
{
    bool has_all = f->rule && f->title && f->message && f->location && f->fix && f->threats &&
                   f->clauses && f->confidence;
    return has_all ? TUT_SUCCESS : nomem(e);
}

/* A recorded finding into a fresh one. */
static tut_status read_scanned(tut_evaluation *e, const tut_json_value *v, tut_report_finding *f)
{
    tut_severity severity;
    if (!tut_severity_parse(tut_json_get_text(v, "severity"), &severity))
        return tut_fail(e->err, TUT_STORE, "a recorded finding has no severity");
    f->severity = severity;
    f->rule = copy(tut_json_get_text(v, "rule"));
    f->title = copy(tut_json_get_text(v, "title"));
    f->message = copy(tut_json_get_text(v, "message"));
    f->location = copy(tut_json_get_text(v, "location"));
    f->fix = copy(tut_json_get_text(v, "fix"));
    f->confidence = copy(tut_json_get_text(v, "confidence"));
    f->threats = spaced(tut_json_get(v, "threats"));
    f->clauses = spaced(tut_json_get(v, "clauses"));
    const tut_json_value *offset = tut_json_get(v, "offset");
    if (offset && offset->type == TUT_JSON_INT && offset->as.integer >= 0) {
        f->has_offset = true;
        f->offset = (uint64_t)offset->as.integer;
    }
    return is_complete(e, f);
}

static tut_status add_scanned(tut_evaluation *e, const char *asset, const tut_json_value *v)
{
    tut_report_finding *f;
    TUT_TRY(new_finding(e, asset, &f));
    return read_scanned(e, v, f);
}

/* One that was accepted when it was recorded. It stands again once the acceptance has ended. */
static tut_status add_accepted(tut_evaluation *e, const char *asset, const tut_json_value *v)
{
    tut_assessment *a = e->a;
    const tut_json_value *by = tut_json_get(v, "accepted");
    tut_time until;
    char when[TUT_TIME_TEXT];
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(by, "expires"), &until)) ||
        a->evaluated_at >= until)
        return add_scanned(e, asset, v);
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    tut_time_date(until, when);
    tut_buf_printf(&words, "until %s, by ", when);
    tut_buf_add_str(&words, tut_json_get_text(by, "by"));
    tut_buf_add_z(&words, ": ");
    tut_buf_add_str(&words, tut_json_get_text(by, "reason"));
    TUT_TRY(tut_grow(&a->accepted, a->accepted_count, &a->accepted_capacity, sizeof(*a->accepted)));
    tut_report_finding *f = &a->accepted[a->accepted_count++];
    *f = (tut_report_finding){.asset = tut_strdup(asset), .accepted = tut_buf_steal(&words)};
    if (!f->asset || !f->accepted)
        return nomem(e);
    return read_scanned(e, v, f);
}

static tut_status add_unchecked(tut_evaluation *e, tut_str what, tut_str why)
{
    tut_assessment *a = e->a;
    TUT_TRY(
        tut_grow(&a->unchecked, a->unchecked_count, &a->unchecked_capacity, sizeof(*a->unchecked)));
    tut_unchecked *u = &a->unchecked[a->unchecked_count++];
    *u = (tut_unchecked){.what = copy(what), .why = copy(why)};
    return u->what && u->why ? TUT_SUCCESS : nomem(e);
}

static tut_status add_findings(tut_evaluation *e, const char *asset, const tut_json_value *file)
{
    const tut_json_value *findings = tut_json_get(file, "findings");
    for (uint32_t i = 0; i < tut_json_count(findings); i++)
        TUT_TRY(add_scanned(e, asset, tut_json_item(findings, i)));
    const tut_json_value *accepted = tut_json_get(file, "suppressed");
    for (uint32_t i = 0; i < tut_json_count(accepted); i++)
        TUT_TRY(add_accepted(e, asset, tut_json_item(accepted, i)));
    return TUT_SUCCESS;
}

static tut_status add_file(tut_evaluation *e, const tut_known_asset *asset,
                           const tut_json_value *file)
{
    TUT_TRY(add_findings(e, asset->id, file));
    tut_str status = tut_json_get_text(file, "status");
    if (tut_str_eq_z(status, "complete"))
        return TUT_SUCCESS;
    /* Code and documents that no format knows are inventoried, not scanned: nothing was missed. */
    if (tut_str_eq_z(status, "unsupported") && asset->kind != TUT_KIND_MODEL &&
        asset->kind != TUT_KIND_DATASET)
        return TUT_SUCCESS;
    tut_str problem = tut_json_get_text(file, "problem");
    if (problem.len == 0)
        problem = TUT_LIT("not read to its end");
    return add_unchecked(e, tut_json_get_text(file, "path"), problem);
}

/* Scans by the asset they are about, the newest first; positions among the records. */
typedef struct scans {
    tut_map newest;
    size_t *older; /* of the same asset; SIZE_MAX: none */
} scans;

static void scans_done(scans *s)
{
    tut_map_done(&s->newest);
    tut_free(s->older);
}

static tut_status scans_init(scans *s, const tut_evaluation *e, const char *check)
{
    const tut_records *records = e->a->records;
    TUT_AUTO_FREE size_t *oldest = tut_alloc_array(records->count + 1, sizeof(*oldest));
    s->older = tut_alloc_array(records->count + 1, sizeof(*s->older));
    if (!oldest || !s->older)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    for (size_t i = records->count; i-- > 0;) {
        const tut_record *r = &records->items[i];
        size_t first;
        s->older[i] = SIZE_MAX;
        if (!r->has_body || !tut_record_is_test(r, check))
            continue;
        TUT_TRY(tut_map_put(&s->newest, tut_str_of(r->subjects[0].name), i, &first, e->err));
        if (first != i)
            s->older[oldest[first]] = i;
        oldest[first] = i;
    }
    return TUT_SUCCESS;
}

/* The latest scan of the asset at the digest it has. Findings stay true when evidence ran out. */
static const tut_record *latest_scan(const tut_evaluation *e, const scans *all,
                                     const tut_known_asset *asset)
{
    size_t at = asset->has_digest ? tut_map_get(&all->newest, tut_str_of(asset->id)) : SIZE_MAX;
    for (; at != SIZE_MAX; at = all->older[at]) {
        const tut_record *r = &e->a->records->items[at];
        if (tut_sha256_eq(&r->subjects[0].digest, &asset->digest))
            return r;
    }
    return NULL;
}

/* list: the name of what is in the body, files or datasets. */
static tut_status add_scan(tut_evaluation *e, const scans *all, const char *list,
                           const tut_known_asset *asset)
{
    const tut_record *r = latest_scan(e, all, asset);
    if (!r)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error why = {0};
    if (!tut_is_ok(tut_ledger_get_body(e->ledger, &r->body, &text, &why))) {
        if (!e->damage)
            e->damage = tut_asprintf("record %llu: %s", (unsigned long long)r->index, why.text);
        return e->damage ? TUT_SUCCESS : nomem(e);
    }
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(tut_buf_span(&text), NULL, &doc, e->err));
    const tut_json_value *files = tut_json_get(tut_json_root(doc), list);
    for (uint32_t i = 0; i < tut_json_count(files); i++)
        TUT_TRY(add_file(e, asset, tut_json_item(files, i)));
    return TUT_SUCCESS;
}

/* Of files that are no asset; they go by their path. */
static tut_status add_others(tut_evaluation *e)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!e->inventory ||
        !tut_is_ok(tut_ledger_get_body(e->ledger, &e->inventory->body, &text, NULL)))
        return TUT_SUCCESS; /* that the body is damaged has been noted already */
    TUT_TRY(tut_json_parse(tut_buf_span(&text), NULL, &doc, e->err));
    const tut_json_value *files = tut_json_get(tut_json_root(doc), "others");
    for (uint32_t i = 0; i < tut_json_count(files); i++) {
        const tut_json_value *file = tut_json_item(files, i);
        TUT_AUTO_FREE char *path = copy(tut_json_get_text(file, "path"));
        if (!path)
            return nomem(e);
        TUT_TRY(add_findings(e, path, file));
    }
    return TUT_SUCCESS;
}

/* Nothing is known of an asset that could not be read: what is unread is listed by itself. */
static bool lies_unread(const tut_evaluation *e, const tut_known_asset *asset)
{
    for (size_t i = 0; i < e->problem_count; i++) {
        const char *what = e->problems[i].what;
        size_t len = strlen(what);
        if (strncmp(asset->path, what, len) == 0 &&
            (asset->path[len] == '/' || !asset->path[len]) && !asset->has_digest)
            return true;
    }
    return false;
}

/* What is said of the asset as a whole, by this rule. */
static tut_status add_by_rule(tut_evaluation *e, const tut_known_asset *asset, const tut_rule *rule,
                              const char *message)
{
    tut_report_finding *f;
    TUT_TRY(new_finding(e, asset->id, &f));
    f->severity = rule->severity;
    f->rule = tut_strdup(rule->id);
    f->title = tut_strdup(rule->title);
    f->message = tut_strdup(message);
    f->location = tut_strdup(asset->path);
    f->fix = tut_strdup(rule->fix);
    f->confidence = tut_strdup(tut_confidence_name(rule->confidence));
    f->threats = tut_strdup(rule->threats);
    f->clauses = tut_strdup(rule->clauses);
    return is_complete(e, f);
}

/* What the inventory itself finds: the rule is named after the state. */
static tut_status add_state(tut_evaluation *e, const tut_known_asset *asset)
{
    if (lies_unread(e, asset))
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *id = tut_asprintf("inventory.%s", asset->state);
    if (!id)
        return nomem(e);
    const tut_rule *rule = tut_rule_find(tut_str_of(id));
    if (!rule)
        return TUT_SUCCESS;
    return add_by_rule(e, asset, rule, asset->problem[0] ? asset->problem : rule->why);
}

/* A component from outside that nobody has assessed, or not as it is now. */
static tut_status add_clearance(tut_evaluation *e, size_t at)
{
    const tut_known_asset *asset = &e->assets[at];
    const tut_asset_summary *summary = &e->a->assets[at];
    bool is_asked = asset->is_declared && tut_origin_is_external(tut_str_of(asset->origin)) &&
                    strcmp(asset->state, "missing") != 0;
    if (!is_asked || summary->clearance == TUT_CLEARED ||
        summary->clearance == TUT_CLEARANCE_NOT_ASKED)
        return TUT_SUCCESS;
    bool is_other = summary->clearance == TUT_CLEARED_OTHER;
    const tut_rule *rule = tut_rule_find(is_other ? TUT_LIT("inventory.assessed-otherwise")
                                                  : TUT_LIT("inventory.unassessed"));
    return rule ? add_by_rule(e, asset, rule, tut_clearance_text(summary)) : TUT_SUCCESS;
}

static int compare(const void *a, const void *b)
{
    const tut_report_finding *x = a;
    const tut_report_finding *y = b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    int order = strcmp(x->asset, y->asset);
    if (order == 0)
        order = strcmp(x->location, y->location);
    if (order == 0 && x->offset != y->offset)
        order = x->offset < y->offset ? -1 : 1;
    if (order == 0)
        order = strcmp(x->rule, y->rule);
    return order != 0 ? order : strcmp(x->message, y->message);
}

tut_status tut_findings_load(tut_evaluation *e)
{
    tut_assessment *a = e->a;
    TUT_CLEAN(scans) scanned = {0};
    TUT_CLEAN(scans) vetted = {0};
    TUT_TRY(scans_init(&scanned, e, TUT_CHECK_SCAN));
    TUT_TRY(scans_init(&vetted, e, TUT_CHECK_VETTED));
    for (size_t i = 0; i < e->asset_count; i++) {
        TUT_TRY(add_scan(e, &scanned, "files", &e->assets[i]));
        TUT_TRY(add_scan(e, &vetted, "datasets", &e->assets[i]));
        TUT_TRY(add_state(e, &e->assets[i]));
        TUT_TRY(add_clearance(e, i));
    }
    TUT_TRY(add_others(e));
    for (size_t i = 0; i < e->problem_count; i++)
        TUT_TRY(add_unchecked(e, tut_str_of(e->problems[i].what), tut_str_of(e->problems[i].why)));
    if (a->finding_count)
        qsort(a->findings, a->finding_count, sizeof(*a->findings), compare);
    if (a->accepted_count)
        qsort(a->accepted, a->accepted_count, sizeof(*a->accepted), compare);
    return TUT_SUCCESS;
}

static void tell_idle(const tut_listed *list, size_t count, bool is_allowing, tut_time at,
                      void (*line)(void *ctx, tut_str text), void *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const char *why = tut_lists_lack(&list[i], is_allowing, at);
        if (!why)
            continue;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "policy.scan.%s[%zu] %s, so it does not count",
                       is_allowing ? "allow" : "deny", i, why);
        line(ctx, tut_buf_str(&text));
    }
}

void tut_assessment_idle_entries(const tut_assessment *a, void (*line)(void *ctx, tut_str text),
                                 void *ctx)
{
    if (!a->system)
        return;
    tell_idle(a->system->allowed, a->system->allowed_count, true, a->evaluated_at, line, ctx);
    tell_idle(a->system->denied, a->system->denied_count, false, a->evaluated_at, line, ctx);
}
