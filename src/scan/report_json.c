/* Reports and findings as the contract's JSON. */
#include "scan/baseline.h"

static void put_finding(const tut_finding *f, tut_json *j)
{
    tut_json_put_z(j, "rule", f->rule->id);
    tut_json_put_z(j, "severity", tut_severity_name(f->severity));
    tut_json_put_z(j, "confidence", tut_confidence_name(f->rule->confidence));
    tut_json_put_z(j, "title", tut_finding_title(f));
    tut_json_put_z(j, "message", f->message);
    tut_json_put_z(j, "location", f->location);
    tut_json_key(j, "offset");
    if (f->offset == TUT_NO_OFFSET)
        tut_json_null(j);
    else
        tut_json_u64(j, f->offset);
    tut_json_put_u64(j, "times", f->times);
    tut_json_put_words(j, "threats", f->rule->threats);
    tut_json_put_words(j, "clauses", f->rule->clauses);
    tut_json_put_words(j, "references", f->rule->references);
    tut_json_put_z(j, "why", f->rule->why);
    tut_json_put_z(j, "fix", f->rule->fix);
}

void tut_finding_json(const tut_finding *f, tut_json *j)
{
    tut_json_object(j);
    put_finding(f, j);
    tut_json_end_object(j);
}

/* The finding as it stands, and who accepted it. */
static void put_suppressed(const tut_suppressed *s, tut_json *j)
{
    tut_json_object(j);
    put_finding(&s->finding, j);
    tut_json_key(j, "accepted");
    tut_json_object(j);
    tut_json_put_z(j, "entry", s->entry);
    tut_json_put_z(j, "reason", s->reason);
    tut_json_put_z(j, "by", s->by);
    tut_json_put_time(j, "expires", s->until);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

void tut_suppressed_words(const tut_suppressed *s, tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    tut_time_date(s->until, when);
    tut_buf_printf(out, "until %s, by %s: %s", when, s->by, s->reason);
}

static void put_facts(const tut_file_report *f, tut_json *j)
{
    tut_json_key(j, "facts");
    tut_json_array(j);
    for (size_t i = 0; i < f->fact_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "key", f->facts[i].key);
        tut_json_put_z(j, "value", f->facts[i].value);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_file_report_json(const tut_file_report *f, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "path", f->path);
    tut_json_put_z(j, "format", f->format ? f->format->name : NULL);
    tut_json_put_u64(j, "size", f->size);
    tut_json_key(j, "digest");
    if (f->has_digest)
        tut_json_sha256(j, f->digest.bytes);
    else
        tut_json_null(j);
    tut_json_put_z(j, "depth", f->is_content ? "content" : "structure");
    tut_json_put_z(j, "status", tut_scan_status_name(f->status));
    tut_json_put_z(j, "verdict", tut_verdict_name(tut_file_verdict(f)));
    tut_json_put_z(j, "problem", f->problem);
    tut_json_key(j, "findings");
    tut_json_array(j);
    for (size_t i = 0; i < f->finding_count; i++)
        tut_finding_json(&f->findings[i], j);
    tut_json_end_array(j);
    tut_json_key(j, "suppressed");
    tut_json_array(j);
    for (size_t i = 0; i < f->suppressed_count; i++)
        put_suppressed(&f->suppressed[i], j);
    tut_json_end_array(j);
    if (f->findings_dropped > 0)
        tut_json_put_u64(j, "findings_dropped", f->findings_dropped);
    put_facts(f, j);
    if (f->baseline) {
        tut_json_key(j, "baseline");
        tut_baseline_json(f->baseline, j);
    }
    tut_json_end_object(j);
}
