#include "cmd/vet_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 10, FOUND_SHOWN = 12, ROWS_SHOWN = 6, RANGES_SHOWN = 3 };

static tut_style style_of(int severity)
{
    return severity >= TUT_SEVERITY_HIGH     ? TUT_STYLE_BAD
           : severity == TUT_SEVERITY_MEDIUM ? TUT_STYLE_WARN
                                             : TUT_STYLE_DIM;
}

/* --- the table --- */

static void add_format(tut_table *t, const tut_vet_dataset *d)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%s%s%s", d->format[0] ? d->format : "unknown",
                   d->compression[0] ? " " : "", d->compression);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, text);
}

static void add_found(tut_table *t, const tut_term *term, const tut_vet_dataset *d)
{
    int worst = tut_vet_worst(d);
    size_t count = 0;
    for (size_t i = 0; i < d->found.count; i++)
        count += (int)tut_rule_find(tut_str_of(d->found.items[i].rule))->severity == worst;
    if (d->status == TUT_VET_ERROR || d->status == TUT_VET_UNSUPPORTED)
        tut_table_cellf(t, TUT_STYLE_WARN, "%s not checked",
                        tut_term_glyph(term, TUT_GLYPH_NOT_CHECKED));
    else if (worst < 0)
        tut_table_cellf(t, TUT_STYLE_GOOD, "%s nothing found",
                        tut_term_glyph(term, TUT_GLYPH_TICK));
    else
        tut_table_cellf(
            t, style_of(worst), "%s %zu %s",
            tut_term_glyph(term, worst >= TUT_SEVERITY_HIGH ? TUT_GLYPH_CROSS : TUT_GLYPH_PARTLY),
            count, tut_severity_name((tut_severity)worst));
}

static tut_status add_table(const tut_vet *v, const tut_term *term, tut_buf *out)
{
    static const char *const headers[] = {"Dataset", "Format", "Rows", "Columns", "Split", "Found"};
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(6, &t));
    for (size_t i = 0; i < 6; i++)
        tut_table_column(t, i, headers[i], i == 2 || i == 3 ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (size_t i = 0; i < v->count; i++) {
        const tut_vet_dataset *d = &v->items[i];
        char rows[32], columns[32];
        tut_human_count(d->rows, rows);
        tut_human_count(d->columns, columns);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, d->path);
        add_format(t, d);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, rows);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, columns);
        tut_table_cell_z(t, TUT_STYLE_DIM, tut_split_name(d->split));
        add_found(t, term, d);
    }
    return tut_table_print(t, term, 0, out);
}

/* --- findings --- */

static void add_labelled(const tut_term *term, tut_buf *out, const char *label, const char *text)
{
    tut_buf_printf(out, "%*s", INDENT, "");
    tut_term_printf(term, out, TUT_STYLE_DIM, "%-7s", label);
    tut_term_wrap(term, out, INDENT + 7, tut_str_of(text));
}

static void add_rows(const tut_data_finding *f, const tut_term *term, tut_buf *out)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (f->row_count == 0)
        return;
    for (size_t i = 0; i < f->row_count && i < ROWS_SHOWN; i++)
        tut_buf_printf(&text, "%s%llu%s%s%s", i ? "; " : "", (unsigned long long)f->rows[i].row,
                       f->rows[i].note[0] ? " (" : "", f->rows[i].note,
                       f->rows[i].note[0] ? ")" : "");
    if (f->count > ROWS_SHOWN)
        tut_buf_printf(&text, "; and %llu more", (unsigned long long)(f->count - ROWS_SHOWN));
    const char *z = tut_buf_z(&text);
    add_labelled(term, out, f->count == 1 ? "row" : "rows", z ? z : "");
}

static void add_sureness(const tut_data_finding *f, const tut_rule *rule, const tut_term *term,
                         tut_buf *out)
{
    char text[96] = "";
    size_t len = 0;
    if (!isnan(f->q))
        len = (size_t)snprintf(text, sizeof(text), "q %.2g  ", f->q);
    else if (!isnan(f->p))
        len = (size_t)snprintf(text, sizeof(text), "p %.2g  ", f->p);
    (void)snprintf(text + len, sizeof(text) - len, "%s", rule->id);
    add_labelled(term, out, "rule", text);
}

static void add_finding(const tut_data_finding *f, const tut_term *term, tut_buf *out)
{
    const tut_rule *rule = tut_rule_find(tut_str_of(f->rule));
    tut_term_printf(term, out, style_of((int)rule->severity), "%-10s",
                    tut_severity_name(rule->severity));
    tut_term_printf(term, out, TUT_STYLE_BOLD, "%s", rule->title);
    tut_buf_add_byte(out, '\n');
    if (f->column[0])
        add_labelled(term, out, "column", f->column);
    add_labelled(term, out, "seen", f->message);
    add_rows(f, term, out);
    add_sureness(f, rule, term, out);
    add_labelled(term, out, "fix", rule->fix);
    tut_buf_add_byte(out, '\n');
}

static void add_list(tut_buf *text, const char *what, uint64_t count, const uint64_t *rows,
                     size_t shown)
{
    tut_buf_printf(text, "%llu %s", (unsigned long long)count, what);
    for (size_t i = 0; i < shown && i < ROWS_SHOWN; i++)
        tut_buf_printf(text, "%s%llu", i ? ", " : " (rows ", (unsigned long long)rows[i]);
    if (shown)
        tut_buf_add_z(text, count > ROWS_SHOWN ? ", ...)" : ")");
}

static void add_change(const tut_vet_change *c, const tut_term *term, tut_buf *out)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    add_list(&text, "added", c->added, c->added_rows, c->added_shown);
    tut_buf_add_z(&text, "; ");
    add_list(&text, "removed", c->removed, c->removed_rows, c->removed_shown);
    tut_buf_printf(&text, "; %llu the same", (unsigned long long)c->kept);
    const char *z = tut_buf_z(&text);
    add_labelled(term, out, "rows", z ? z : "");
}

/* As the other version stands beside it: what is new here, and what of it is gone. */
static void add_bytes(const tut_vet_dataset *d, const tut_term *term, tut_buf *out)
{
    const tut_vet_bytes *b = &d->bytes;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char changed[32], all[32];
    tut_human_count(b->added.chunks, changed);
    tut_human_count(d->chunks.count, all);
    if (b->is_moved)
        tut_buf_printf(&text, "the same %s chunks in another order", all);
    else
        tut_buf_printf(&text, "%s of %s chunk%s differ%s (%.2g %% of the bytes)", changed, all,
                       d->chunks.count == 1 ? "" : "s", b->added.chunks == 1 ? "s" : "",
                       d->chunks.size ? 100.0 * (double)b->added.bytes / (double)d->chunks.size
                                      : 0.0);
    for (uint64_t i = 0; i < b->added.ranges && i < RANGES_SHOWN; i++) {
        char start[32], end[32];
        tut_human_count(b->added.shown[i].start, start);
        tut_human_count(b->added.shown[i].end, end);
        tut_buf_printf(&text, "%s%s to %s", i ? ", " : ": bytes ", start, end);
    }
    if (b->added.ranges > RANGES_SHOWN)
        tut_buf_add_z(&text, ", ...");
    if (b->removed.chunks > 0) {
        tut_human_count(b->removed.chunks, changed);
        tut_human_count(b->removed.chunks + b->kept, all);
        tut_buf_printf(&text, "; %s of the other's %s gone", changed, all);
    }
    const char *z = tut_buf_z(&text);
    add_labelled(term, out, "bytes", z ? z : "");
}

static void add_dataset(const tut_vet_dataset *d, const tut_term *term, tut_buf *out)
{
    size_t shown = 0;
    if (d->found.count == 0 && d->status == TUT_VET_COMPLETE && !d->change.is_known &&
        !d->bytes.is_known)
        return;
    tut_term_path(term, out, tut_str_of(d->path), 0);
    tut_buf_add_byte(out, '\n');
    if (d->status != TUT_VET_COMPLETE)
        add_labelled(term, out, d->status == TUT_VET_UNSUPPORTED ? "not" : "partly", d->problem);
    if (d->change.is_known)
        add_change(&d->change, term, out);
    if (d->bytes.is_known)
        add_bytes(d, term, out);
    tut_buf_add_byte(out, '\n');
    for (; shown < d->found.count && shown < FOUND_SHOWN; shown++)
        add_finding(&d->found.items[shown], term, out);
    if (d->found.count + d->found.left_out > shown)
        tut_buf_printf(out, "%*s%llu more; --format json lists them\n\n", INDENT, "",
                       (unsigned long long)(d->found.count + d->found.left_out - shown));
}

/* --- the closing lines --- */

static void add_notes(const tut_vet *v, const tut_term *term, tut_buf *out)
{
    for (size_t i = 0; i < v->count; i++) {
        for (size_t k = 0; k < v->items[i].note_count; k++) {
            bool is_told = false;
            for (size_t b = 0; b < i; b++)
                for (size_t n = 0; n < v->items[b].note_count; n++)
                    is_told |= strcmp(v->items[b].notes[n], v->items[i].notes[k]) == 0;
            if (!is_told)
                tut_term_wrap(term, out, 0, tut_str_of(v->items[i].notes[k]));
        }
    }
}

tut_status tut_vet_view(const tut_vet *v, const tut_term *term, uint64_t took_ms, tut_buf *out,
                        tut_error *err)
{
    uint64_t bytes = 0, rows = 0;
    size_t whole = 0;
    char size[16], count[32];
    TUT_TRY(add_table(v, term, out));
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < v->count; i++) {
        add_dataset(&v->items[i], term, out);
        bytes += v->items[i].size;
        rows += v->items[i].rows;
        whole += v->items[i].status == TUT_VET_COMPLETE;
    }
    add_notes(v, term, out);
    tut_human_bytes(bytes, size);
    tut_human_count(rows, count);
    tut_buf_printf(out, "%zu dataset%s, %s rows, %s in %.2f s.", v->count, v->count == 1 ? "" : "s",
                   count, size, (double)took_ms / 1000.0);
    if (whole == v->count)
        tut_buf_add_z(out, v->count == 1 ? " Read to the end.\n" : " All read to the end.\n");
    else
        tut_buf_printf(out, " %zu not read to the end.\n", v->count - whole);
    if (v->text_problem[0])
        tut_buf_printf(out, "Personal data and secrets were not looked for: %s\n", v->text_problem);
    if (!v->cage.complete)
        tut_buf_printf(out, "The sandbox is not complete here; lacking: %s.\n", v->cage.lacking);
    return tut_buf_check(out, err);
}
