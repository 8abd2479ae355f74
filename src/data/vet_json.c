/* The contract's document of a vetting, and SARIF. */
#include <math.h>
#include <string.h>

#include "base/json_write.h"
#include "data/vet.h"
#include "scan/sarif.h"

static const tut_rule *rule_of(const tut_data_finding *f)
{
    return tut_rule_find(tut_str_of(f->rule));
}

int tut_vet_worst(const tut_vet_dataset *d)
{
    int worst = -1;
    for (size_t i = 0; i < d->found.count; i++) {
        int severity = (int)rule_of(&d->found.items[i])->severity;
        worst = severity > worst ? severity : worst;
    }
    return worst;
}

static void put_row(tut_json *j, const tut_data_row *r)
{
    tut_json_object(j);
    tut_json_put_u64(j, "row", r->row);
    tut_json_put_real(j, "score", r->score);
    if (!isnan(r->p))
        tut_json_put_real(j, "p", r->p);
    if (!isnan(r->q))
        tut_json_put_real(j, "q", r->q);
    if (r->note[0])
        tut_json_put_z(j, "note", r->note);
    tut_json_end_object(j);
}

typedef struct judging {
    tut_vet_accepted accepted; /* NULL: nobody accepted anything */
    const void *ctx;
} judging;

enum { EXAMPLES = 20 };

static void put_rows(tut_json *j, const tut_data_finding *f)
{
    tut_json_key(j, "rows");
    tut_json_array(j);
    for (size_t i = 0; i < f->row_count; i++)
        tut_json_u64(j, f->rows[i].row);
    tut_json_end_array(j);
    tut_json_key(j, "row_scores");
    tut_json_array(j);
    for (size_t i = 0; i < f->row_count; i++)
        tut_json_real(j, f->rows[i].score);
    tut_json_end_array(j);
    tut_json_key(j, "examples");
    tut_json_array(j);
    for (size_t i = 0; i < f->row_count && i < EXAMPLES; i++)
        put_row(j, &f->rows[i]);
    tut_json_end_array(j);
}

/* Without the end. */
static void begin_finding(tut_json *j, const tut_data_finding *f)
{
    const tut_rule *rule = rule_of(f);
    tut_json_object(j);
    tut_json_put_z(j, "rule", rule->id);
    tut_json_put_z(j, "severity", tut_severity_name(rule->severity));
    tut_json_put_z(j, "confidence", tut_confidence_name(rule->confidence));
    tut_json_put_z(j, "title", rule->title);
    tut_json_put_z(j, "message", f->message);
    tut_json_put_z(j, "column", f->column[0] ? f->column : NULL);
    tut_json_put_z(j, "location", f->column);
    tut_json_put_u64(j, "count", f->count);
    tut_json_put_real(j, "score", f->score);
    tut_json_put_real(j, "p", f->p);
    tut_json_put_real(j, "q", f->q);
    tut_json_put_words(j, "threats", rule->threats);
    tut_json_put_words(j, "clauses", rule->clauses);
    tut_json_put_z(j, "fix", rule->fix);
    put_rows(j, f);
}

static bool is_accepted(const judging *by, const tut_data_finding *f)
{
    return by->accepted && by->accepted(by->ctx, f, NULL);
}

static void put_findings(tut_json *j, const tut_vet_dataset *d, const judging *by, bool accepted)
{
    tut_json_key(j, accepted ? "suppressed" : "findings");
    tut_json_array(j);
    for (size_t i = 0; i < d->found.count; i++) {
        const tut_data_finding *f = &d->found.items[i];
        if (is_accepted(by, f) != accepted)
            continue;
        begin_finding(j, f);
        if (accepted) {
            tut_json_key(j, "accepted");
            (void)by->accepted(by->ctx, f, j);
        }
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_kinds(tut_json *j, const tut_vet_dataset *d)
{
    uint64_t matches = 0;
    bool was_checked = d->checks & TUT_VET_BIT(TUT_VET_PERSONAL);
    tut_json_key(j, "pii");
    if (!was_checked) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_key(j, "kinds");
    tut_json_array(j);
    for (size_t i = 0; i < d->kind_count; i++) {
        const tut_vet_kind *k = &d->kinds[i];
        matches += k->count;
        tut_json_object(j);
        tut_json_put_z(j, "id", k->id);
        tut_json_put_z(j, "label", k->label);
        tut_json_put_z(j, "class", tut_text_class_name(k->type));
        tut_json_put_u64(j, "count", k->count);
        tut_json_put_u64(j, "rows", k->rows);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_put_u64(j, "count", matches);
    tut_json_end_object(j);
}

static void put_duplicates(tut_json *j, const tut_vet_dataset *d)
{
    tut_json_key(j, "duplicates");
    if (!(d->checks & TUT_VET_BIT(TUT_VET_DUPLICATES))) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "exact", d->exact);
    tut_json_put_u64(j, "near", d->near);
    tut_json_put_u64(j, "leaked", d->leaked);
    tut_json_put_u64(j, "unverified", d->unverified);
    tut_json_end_object(j);
}

static void put_numbers(tut_json *j, const char *key, const uint64_t *rows, size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_u64(j, rows[i]);
    tut_json_end_array(j);
}

static void put_change(tut_json *j, const tut_vet_change *c)
{
    tut_json_key(j, "changes");
    if (!c->is_known) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "added", c->added);
    tut_json_put_u64(j, "removed", c->removed);
    tut_json_put_u64(j, "kept", c->kept);
    put_numbers(j, "added_rows", c->added_rows, c->added_shown);
    put_numbers(j, "removed_rows", c->removed_rows, c->removed_shown);
    tut_json_end_object(j);
}

void tut_vet_json_root(const tut_vet_dataset *d, tut_json *j)
{
    char hex[TUT_SHA256_HEX];
    if (!d->has_root) {
        tut_json_null(j);
        return;
    }
    tut_sha256_hex(&d->chunks.root, hex);
    tut_json_object(j);
    tut_json_put_z(j, "root", hex);
    tut_json_put_u64(j, "chunks", d->chunks.count);
    tut_json_put_z(j, "chunking", TUT_CHUNKING);
    tut_json_put_u64(j, "files", d->file_count);
    tut_json_end_object(j);
}

static void put_side(tut_json *j, const char *key, const tut_vet_side *s)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_u64(j, "chunks", s->chunks);
    tut_json_put_u64(j, "bytes", s->bytes);
    tut_json_put_u64(j, "range_count", s->ranges);
    tut_json_key(j, "ranges");
    tut_json_array(j);
    for (uint64_t i = 0; i < s->ranges && i < TUT_VET_CHANGED; i++) {
        tut_json_array(j);
        tut_json_u64(j, s->shown[i].start);
        tut_json_u64(j, s->shown[i].end);
        tut_json_end_array(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_bytes(tut_json *j, const tut_vet_bytes *b)
{
    tut_json_key(j, "chunk_changes");
    if (!b->is_known) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "kept", b->kept);
    tut_json_put_u64(j, "kept_bytes", b->kept_bytes);
    tut_json_put_bool(j, "moved", b->is_moved);
    put_side(j, "added", &b->added);
    put_side(j, "removed", &b->removed);
    tut_json_end_object(j);
}

static void put_checks(tut_json *j, const tut_vet_dataset *d)
{
    tut_json_key(j, "checks");
    tut_json_array(j);
    for (unsigned c = 0; c < TUT_VET_CHECK_COUNT; c++)
        if (d->checks & TUT_VET_BIT(c))
            tut_json_z(j, tut_vet_check_name(c));
    tut_json_end_array(j);
}

void tut_vet_json_item(const tut_vet_dataset *d, tut_json *j)
{
    tut_vet_json_judged(d, NULL, NULL, j);
}

void tut_vet_json_judged(const tut_vet_dataset *d, tut_vet_accepted accepted, const void *ctx,
                         tut_json *j)
{
    const judging by = {accepted, ctx};
    tut_json_object(j);
    tut_json_put_z(j, "path", d->path);
    tut_json_put_z(j, "format", d->format[0] ? d->format : NULL);
    tut_json_put_z(j, "compression", d->compression);
    tut_json_put_z(j, "encoding", d->encoding);
    tut_json_put_z(j, "layout", d->layout);
    tut_json_put_z(j, "dialect", d->dialect);
    tut_json_put_z(j, "split", tut_split_name(d->split));
    tut_json_put_z(j, "status", tut_vet_status_name(d->status));
    tut_json_put_z(j, "problem", d->problem[0] ? d->problem : NULL);
    tut_json_put_u64(j, "rows", d->rows);
    tut_json_put_u64(j, "columns", d->columns);
    tut_json_put_u64(j, "size", d->size);
    tut_json_key(j, "digest");
    if (d->has_digest)
        tut_json_sha256(j, d->digest.bytes);
    else
        tut_json_null(j);
    tut_json_key(j, "merkle");
    tut_vet_json_root(d, j);
    tut_json_key(j, "profile");
    if (d->profile && d->profile[0])
        tut_json_raw(j, tut_str_of(d->profile));
    else
        tut_json_null(j);
    put_kinds(j, d);
    put_duplicates(j, d);
    put_checks(j, d);
    put_change(j, &d->change);
    put_bytes(j, &d->bytes);
    put_findings(j, d, &by, false);
    if (accepted)
        put_findings(j, d, &by, true);
    tut_json_put_u64(j, "findings_left_out", d->found.left_out);
    tut_json_key(j, "not_detectable");
    tut_json_array(j);
    for (size_t i = 0; i < d->note_count; i++)
        tut_json_z(j, d->notes[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_summary(tut_json *j, const tut_vet *v)
{
    size_t severities[TUT_SEVERITY_COUNT] = {0}, incomplete = 0;
    uint64_t rows = 0;
    for (size_t i = 0; i < v->count; i++) {
        const tut_vet_dataset *d = &v->items[i];
        incomplete += d->status != TUT_VET_COMPLETE;
        rows += d->rows;
        for (size_t k = 0; k < d->found.count; k++)
            severities[rule_of(&d->found.items[k])->severity]++;
    }
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "datasets", v->count);
    tut_json_put_u64(j, "incomplete", incomplete);
    tut_json_put_u64(j, "rows", rows);
    tut_json_key(j, "findings");
    tut_json_object(j);
    for (int s = 0; s < TUT_SEVERITY_COUNT; s++)
        tut_json_put_u64(j, tut_severity_name((tut_severity)s), severities[s]);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

tut_status tut_vet_json(const tut_vet *v, const char *copy, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.vet/1", tut_time_generated());
    put_summary(j, v);
    if (copy) {
        tut_json_key(j, "sanitised");
        tut_json_raw(j, tut_str_of(copy));
    }
    tut_json_key(j, "datasets");
    tut_json_array(j);
    for (size_t i = 0; i < v->count; i++)
        tut_vet_json_item(&v->items[i], j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}

/* --- SARIF --- */

static tut_sarif_item sarif_item(const tut_vet_dataset *d, const tut_data_finding *f)
{
    const tut_rule *rule = rule_of(f);
    return (tut_sarif_item){.rule = rule->id,
                            .title = rule->title,
                            .why = rule->why,
                            .fix = rule->fix,
                            .threats = rule->threats,
                            .clauses = rule->clauses,
                            .message = f->message,
                            .path = d->path,
                            .location = f->column,
                            .confidence = tut_confidence_name(rule->confidence),
                            .severity = rule->severity};
}

tut_status tut_vet_sarif(const tut_vet *v, tut_buf *out, tut_error *err)
{
    size_t items = 0, notes = 0;
    for (size_t i = 0; i < v->count; i++)
        items += v->items[i].found.count;
    TUT_AUTO_FREE tut_sarif_item *item = tut_alloc_array(items + 1, sizeof(*item));
    TUT_AUTO_FREE tut_sarif_note *note = tut_alloc_array(v->count + 1, sizeof(*note));
    if (!item || !note)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    items = 0;
    for (size_t i = 0; i < v->count; i++) {
        const tut_vet_dataset *d = &v->items[i];
        for (size_t k = 0; k < d->found.count; k++)
            item[items++] = sarif_item(d, &d->found.items[k]);
        if (d->status != TUT_VET_COMPLETE)
            note[notes++] = (tut_sarif_note){d->path, d->problem, d->status == TUT_VET_ERROR};
    }
    const tut_sarif_run run = {item, items, note, notes};
    return tut_sarif_write(&run, out, err);
}
