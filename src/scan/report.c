#include "scan/report.h"
#include "scan/baseline.h"

#include <stdlib.h>
#include <string.h>

const char *tut_scan_status_name(tut_scan_status s)
{
    static const char *const names[] = {
        [TUT_SCAN_COMPLETE] = "complete",
        [TUT_SCAN_INCOMPLETE] = "incomplete",
        [TUT_SCAN_UNSUPPORTED] = "unsupported",
        [TUT_SCAN_ERROR] = "error",
    };
    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "error";
}

const char *tut_finding_title(const tut_finding *f)
{
    return f->title ? f->title : f->rule->title;
}

static void finding_done(tut_finding *f)
{
    tut_free(f->title);
    tut_free(f->message);
    tut_free(f->location);
    *f = (tut_finding){0};
}

void tut_file_report_done(tut_file_report *f)
{
    for (size_t i = 0; i < f->finding_count; i++)
        finding_done(&f->findings[i]);
    for (size_t i = 0; i < f->fact_count; i++)
        tut_free(f->facts[i].value);
    for (size_t i = 0; i < f->package_count; i++)
        tut_free(f->packages[i].name);
    for (size_t i = 0; i < f->suppressed_count; i++) {
        finding_done(&f->suppressed[i].finding);
        tut_free(f->suppressed[i].reason);
        tut_free(f->suppressed[i].by);
        tut_free(f->suppressed[i].entry);
    }
    tut_free(f->suppressed);
    tut_free(f->findings);
    tut_free(f->facts);
    tut_free(f->packages);
    tut_free(f->path);
    tut_free(f->rel);
    tut_free(f->problem);
    tut_baseline_free(f->baseline);
    *f = (tut_file_report){0};
}

void tut_scan_free(tut_scan *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        tut_file_report_done(&s->files[i]);
    for (size_t i = 0; i < s->list_remark_count; i++)
        tut_free(s->list_remarks[i]);
    tut_free(s->list_remarks);
    tut_free(s->files);
    tut_free(s);
}

tut_verdict tut_file_verdict(const tut_file_report *f)
{
    tut_verdict worst = TUT_VERDICT_CLEAN;
    for (size_t i = 0; i < f->finding_count; i++) {
        tut_verdict v = tut_verdict_of(f->findings[i].severity);
        if (v > worst)
            worst = v;
    }
    return worst;
}

const char *tut_file_fact(const tut_file_report *f, const char *key)
{
    for (size_t i = 0; i < f->fact_count; i++) {
        if (strcmp(f->facts[i].key, key) == 0)
            return f->facts[i].value;
    }
    return NULL;
}

static bool is_same(const tut_finding *f, const tut_finding_seed *seed, const tut_rule *rule)
{
    if (f->subject != seed->subject || (seed->subject == 0 && f->rule != rule))
        return false;
    return tut_str_eq_z(seed->location, f->location);
}

static tut_status finding_set(tut_finding *f, const tut_finding_seed *seed, const tut_rule *rule,
                              tut_severity severity)
{
    tut_finding made = {
        .rule = rule,
        .severity = severity,
        .title = seed->title ? tut_strdup(seed->title) : NULL,
        .message = tut_strndup(seed->message.data, seed->message.len),
        .location = tut_strndup(seed->location.data, seed->location.len),
        .offset = seed->offset,
        .times = 1,
        .subject = seed->subject,
        .rank = seed->rank,
    };
    if (!made.message || !made.location || (seed->title && !made.title)) {
        finding_done(&made);
        return (tut_status){TUT_NOMEM};
    }
    finding_done(f);
    *f = made;
    return TUT_SUCCESS;
}

/* The same thing once more: the worse reading of it stays. */
static tut_status finding_fold(tut_finding *f, const tut_finding_seed *seed, const tut_rule *rule,
                               tut_severity severity)
{
    bool is_worse = severity > f->severity || (severity == f->severity && seed->rank > f->rank);
    if (is_worse)
        return finding_set(f, seed, rule, severity);
    if (f->rule == rule && f->times < UINT32_MAX)
        f->times++;
    return TUT_SUCCESS;
}

static size_t least_severe(const tut_file_report *r)
{
    size_t least = 0;
    for (size_t i = 1; i < r->finding_count; i++) {
        if (r->findings[i].severity <= r->findings[least].severity)
            least = i;
    }
    return least;
}

tut_status tut_report_add(tut_file_report *r, const tut_finding_seed *seed)
{
    const tut_rule *rule = tut_rule_find(tut_str_of(seed->rule));
    if (!rule)
        rule = tut_rule_find(TUT_LIT("file.malformed"));
    tut_severity severity = seed->severity < 0 || seed->severity >= TUT_SEVERITY_COUNT
                                ? rule->severity
                                : (tut_severity)seed->severity;
    for (size_t i = r->finding_count; i > 0; i--) {
        if (is_same(&r->findings[i - 1], seed, rule))
            return finding_fold(&r->findings[i - 1], seed, rule, severity);
    }
    if (r->finding_count < TUT_LIMIT_FINDINGS) {
        TUT_TRY(
            tut_grow(&r->findings, r->finding_count, &r->finding_capacity, sizeof(*r->findings)));
        tut_finding *fresh = &r->findings[r->finding_count];
        *fresh = (tut_finding){0};
        TUT_TRY(finding_set(fresh, seed, rule, severity));
        r->finding_count++;
        return TUT_SUCCESS;
    }
    r->findings_dropped++;
    size_t least = least_severe(r);
    if (r->findings[least].severity >= severity)
        return TUT_SUCCESS;
    return finding_set(&r->findings[least], seed, rule, severity);
}

void tut_report_take_back(tut_file_report *r, const char *rule, uint64_t subject, tut_str location)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        tut_finding *f = &r->findings[i];
        if (f->subject != subject || strcmp(f->rule->id, rule) != 0 ||
            !tut_str_eq_z(location, f->location))
            continue;
        finding_done(f);
        memmove(f, f + 1, (r->finding_count - i - 1) * sizeof(*f));
        r->finding_count--;
        return;
    }
}

tut_status tut_report_fact(tut_file_report *r, const char *key, tut_str escaped)
{
    if (r->fact_count >= TUT_LIMIT_FACTS)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&r->facts, r->fact_count, &r->fact_capacity, sizeof(*r->facts)));
    char *value = tut_strndup(escaped.data, escaped.len);
    if (!value)
        return (tut_status){TUT_NOMEM};
    r->facts[r->fact_count++] = (tut_fact){key, value};
    return TUT_SUCCESS;
}

tut_status tut_report_package(tut_file_report *r, const tut_package *p)
{
    if (r->package_count >= TUT_LIMIT_PACKAGES) {
        r->packages_dropped++;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_grow(&r->packages, r->package_count, &r->package_capacity, sizeof(*r->packages)));
    char *text = tut_alloc_array(p->name.len + p->version.len + p->digest.len + 3, 1);
    if (!text)
        return (tut_status){TUT_NOMEM};
    char *version = text + p->name.len + 1;
    char *digest = version + p->version.len + 1;
    tut_str_copy(text, p->name.len + 1, p->name);
    tut_str_copy(version, p->version.len + 1, p->version);
    tut_str_copy(digest, p->digest.len + 1, p->digest);
    r->packages[r->package_count++] = (tut_listed_package){
        .type = p->type, .name = text, .version = version, .digest = digest, .digests = p->digests};
    return TUT_SUCCESS;
}

tut_status tut_report_spoil(tut_file_report *r, tut_scan_status status, const char *why)
{
    if (status > r->status)
        r->status = status;
    if (r->problem)
        return TUT_SUCCESS;
    r->problem = tut_strdup(why);
    return r->problem ? TUT_SUCCESS : (tut_status){TUT_NOMEM};
}

static int compare_findings(const void *a, const void *b)
{
    const tut_finding *left = a;
    const tut_finding *right = b;
    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    int order = strcmp(left->location, right->location);
    if (order != 0)
        return order;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    order = strcmp(left->rule->id, right->rule->id);
    return order != 0 ? order : strcmp(left->message, right->message);
}

void tut_report_sort(tut_file_report *r)
{
    if (r->finding_count > 1)
        qsort(r->findings, r->finding_count, sizeof(*r->findings), compare_findings);
}

tut_status tut_report_suppress(tut_file_report *r, size_t at, const tut_acceptance *accepted)
{
    tut_suppressed made = {.finding = r->findings[at], .until = accepted->until};
    TUT_TRY(tut_grow(&r->suppressed, r->suppressed_count, &r->suppressed_capacity,
                     sizeof(*r->suppressed)));
    made.reason = tut_strdup(accepted->reason);
    made.by = tut_strdup(accepted->by);
    made.entry = tut_strdup(accepted->entry);
    if (!made.reason || !made.by || !made.entry) {
        tut_free(made.reason);
        tut_free(made.by);
        tut_free(made.entry);
        return (tut_status){TUT_NOMEM};
    }
    r->suppressed[r->suppressed_count++] = made;
    r->finding_count--;
    memmove(&r->findings[at], &r->findings[at + 1], (r->finding_count - at) * sizeof(*r->findings));
    return TUT_SUCCESS;
}
