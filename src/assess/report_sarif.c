/* results.sarif: the findings of the described system, and what could not be checked. */
#include "assess/assessment.h"
#include "scan/sarif.h"

static const char *file_of(const tut_assessment *a, const tut_report_finding *f)
{
    for (size_t i = 0; i < a->asset_count; i++)
        if (strcmp(a->assets[i].id, f->asset) == 0 && *a->assets[i].path)
            return a->assets[i].path;
    return f->asset;
}

static tut_sarif_item item_of(const tut_assessment *a, const tut_report_finding *f)
{
    const tut_rule *rule = tut_rule_find(tut_str_of(f->rule));
    return (tut_sarif_item){
        .rule = f->rule,
        .title = f->title,
        .why = rule ? rule->why : "",
        .fix = f->fix,
        .threats = f->threats,
        .clauses = f->clauses,
        .message = f->message,
        .path = file_of(a, f),
        .location = f->location,
        .confidence = f->confidence,
        .accepted = f->accepted,
        .severity = f->severity,
        .has_offset = f->has_offset,
        .offset = f->offset,
    };
}

tut_status tut_report_sarif(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    size_t count = a->finding_count + a->accepted_count;
    TUT_AUTO_FREE tut_sarif_item *items = tut_alloc_array(count, sizeof(*items));
    TUT_AUTO_FREE tut_sarif_note *notes = tut_alloc_array(a->unchecked_count, sizeof(*notes));
    if (!items || !notes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < a->finding_count; i++)
        items[i] = item_of(a, &a->findings[i]);
    for (size_t i = 0; i < a->accepted_count; i++)
        items[a->finding_count + i] = item_of(a, &a->accepted[i]);
    for (size_t i = 0; i < a->unchecked_count; i++)
        notes[i] = (tut_sarif_note){.path = a->unchecked[i].what, .text = a->unchecked[i].why};
    const tut_sarif_run run = {items, count, notes, a->unchecked_count};
    return tut_sarif_write(&run, out, err);
}
