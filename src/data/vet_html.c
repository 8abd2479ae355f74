/* The page of a vetting: what was found, with the rows in view, and what the columns are like. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/page.h"
#include "base/term.h"
#include "crypto/base64.h"
#include "data/vet.h"

enum { FOUND_SHOWN = 40, ROWS_SHOWN = 12, COLUMNS_SHOWN = 60, BARS = 24, NOTE_SHOWN = 24 };

/* --- pictures --- */

static void put_u32(tut_buf *b, uint32_t v)
{
    tut_buf_add_u32le(b, v);
}

/* A bitmap of eight bits in grey: rows from below, each a multiple of four bytes. */
static void put_bitmap(const tut_vet_example *e, tut_buf *to)
{
    uint32_t stride = (e->width + 3) / 4 * 4, start = 14 + 40 + 1024;
    tut_buf_add_z(to, "BM");
    put_u32(to, start + stride * e->height);
    put_u32(to, 0);
    put_u32(to, start);
    put_u32(to, 40);
    put_u32(to, e->width);
    put_u32(to, e->height);
    put_u32(to, 1 | 8u << 16); /* one plane, eight bits */
    for (int i = 0; i < 4; i++)
        put_u32(to, 0);
    put_u32(to, 256);
    put_u32(to, 0);
    for (uint32_t c = 0; c < 256; c++)
        put_u32(to, c | c << 8 | c << 16);
    for (unsigned y = e->height; y-- > 0;) {
        tut_buf_add(to, e->pixels + (size_t)y * e->width, e->width);
        for (uint32_t x = e->width; x < stride; x++)
            tut_buf_add_byte(to, 0);
    }
}

static void put_picture(const tut_vet_example *e, tut_buf *out)
{
    TUT_CLEAN(tut_buf) bitmap = TUT_BUF_INIT;
    unsigned times = e->width > 32 ? 2 : 3;
    put_bitmap(e, &bitmap);
    tut_buf_printf(out,
                   "<img alt=\"row %llu\" width=\"%u\" height=\"%u\" "
                   "style=\"image-rendering:pixelated\" src=\"data:image/bmp;base64,",
                   (unsigned long long)e->row, e->width * times, e->height * times);
    tut_base64_add(out, tut_buf_span(&bitmap));
    tut_buf_add_z(out, "\">");
}

/* --- findings --- */

static const tut_vet_example *example_of(const tut_vet_dataset *d, uint64_t row)
{
    size_t low = 0, high = d->example_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->examples[middle].row == row)
            return &d->examples[middle];
        if (d->examples[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void put_row(const tut_vet_dataset *d, const tut_data_row *r, tut_buf *out)
{
    const tut_vet_example *e = example_of(d, r->row);
    tut_buf_printf(out, "<tr><td class=\"n\">%llu</td>", (unsigned long long)r->row);
    tut_page_number(out, r->score);
    tut_buf_add_z(out, "<td>");
    tut_page_z(out, r->note);
    tut_buf_add_z(out, "</td><td>");
    if (e && e->pixels)
        put_picture(e, out);
    else if (e && e->text)
        tut_page_z(out, e->text);
    tut_buf_add_z(out, "</td></tr>\n");
}

static void put_pictures(const tut_vet_dataset *d, const tut_data_finding *f, tut_buf *out)
{
    tut_buf_add_z(out, "<p>");
    for (size_t i = 0; i < f->row_count && i < ROWS_SHOWN; i++) {
        const tut_vet_example *e = example_of(d, f->rows[i].row);
        if (!e || !e->pixels)
            continue;
        tut_buf_add_z(out,
                      "<span style=\"display:inline-block;margin:0 8px 8px 0;font-size:12px\">");
        put_picture(e, out);
        tut_buf_printf(out, "<br>%llu ", (unsigned long long)e->row);
        if (strlen(f->rows[i].note) <= NOTE_SHOWN)
            tut_page_z(out, f->rows[i].note);
        tut_buf_add_z(out, "</span>");
    }
    tut_buf_add_z(out, "</p>");
}

static bool has_pictures(const tut_vet_dataset *d, const tut_data_finding *f)
{
    const tut_vet_example *e = f->row_count ? example_of(d, f->rows[0].row) : NULL;
    return e && e->pixels;
}

static void put_rows(const tut_vet_dataset *d, const tut_data_finding *f, tut_buf *out)
{
    if (f->row_count == 0)
        return;
    if (has_pictures(d, f)) {
        put_pictures(d, f, out);
    } else {
        tut_buf_add_z(out, "<div class=\"scroll\"><table><tr><th class=\"n\">Row</th><th "
                           "class=\"n\">Score</th><th>What</th><th>It begins</th></tr>\n");
        for (size_t i = 0; i < f->row_count && i < ROWS_SHOWN; i++)
            put_row(d, &f->rows[i], out);
        tut_buf_add_z(out, "</table></div>");
    }
    if (f->count > ROWS_SHOWN)
        tut_buf_printf(out, "<p class=\"tag\">and %llu more</p>",
                       (unsigned long long)(f->count - ROWS_SHOWN));
}

static void put_finding(const tut_vet_dataset *d, const tut_data_finding *f, tut_buf *out)
{
    const tut_rule *rule = tut_rule_find(tut_str_of(f->rule));
    bool is_bad = rule->severity >= TUT_SEVERITY_HIGH;
    tut_buf_printf(out, "<div class=\"card%s\"><h3>", is_bad ? " bad" : "");
    tut_page_z(out, rule->title);
    tut_buf_printf(out, " <span class=\"%s\">%s</span></h3><p>", is_bad ? "badge" : "tag",
                   tut_severity_name(rule->severity));
    if (f->column[0]) {
        tut_buf_add_z(out, "Column <b>");
        tut_page_z(out, f->column);
        tut_buf_add_z(out, "</b>: ");
    }
    tut_page_z(out, f->message);
    tut_buf_add_z(out, "</p>");
    if (!isnan(f->q))
        tut_buf_printf(out, "<p class=\"tag\">q %.2g</p>", f->q);
    else if (!isnan(f->p))
        tut_buf_printf(out, "<p class=\"tag\">p %.2g</p>", f->p);
    put_rows(d, f, out);
    tut_buf_add_z(out, "<p>");
    tut_page_z(out, rule->why);
    tut_buf_add_z(out, "</p><p><b>To do:</b> ");
    tut_page_z(out, rule->fix);
    tut_buf_printf(out, "</p><p class=\"tag\">%s</p></div>\n", rule->id);
}

/* --- columns --- */

/* shares: of the tallest. */
static void put_bars(const double *shares, size_t count, tut_buf *out)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = shares[i] > most ? shares[i] : most;
    tut_buf_add_z(out, "<svg viewBox=\"0 0 240 56\" role=\"img\" aria-label=\"distribution\">");
    for (size_t i = 0; i < count && most > 0; i++) {
        double height = 52 * shares[i] / most, width = 240.0 / (double)count;
        tut_buf_printf(out,
                       "<rect class=\"then\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                       "height=\"%.2f\"/>",
                       width * (double)i, 54 - height, width * 0.88, height);
    }
    tut_buf_add_z(out, "<path class=\"axis\" d=\"M0 54.5H240\"/></svg>");
}

static void put_histogram(const tut_json_value *column, tut_buf *out)
{
    const tut_json_value *h = tut_json_get(column, "histogram");
    const tut_json_value *list = tut_json_get(h, "shares");
    double shares[BARS];
    size_t count = 0;
    for (uint32_t i = 0; i < tut_json_count(list) && count < BARS; i++)
        shares[count++] = tut_json_real_of(tut_json_item(list, i));
    if (count == 0)
        return;
    put_bars(shares, count, out);
    tut_buf_printf(out, "<p class=\"tag\">%.6g to %.6g, mean %.4g</p>",
                   tut_json_real_of(tut_json_get(column, "min")),
                   tut_json_real_of(tut_json_get(column, "max")),
                   tut_json_real_of(tut_json_get(column, "mean")));
}

static void put_value(const tut_json_value *v, tut_buf *out)
{
    const tut_json_value *value = tut_json_get(v, "value");
    if (value && value->type == TUT_JSON_STRING)
        tut_page_text(out, tut_json_text(value));
    else
        tut_buf_printf(out, "%.6g", tut_json_real_of(value));
    tut_buf_printf(out, " (%.0f)", tut_json_real_of(tut_json_get(v, "count")));
}

static void put_column(const tut_json_value *column, tut_buf *out)
{
    const tut_json_value *values = tut_json_get(column, "values");
    double nulls = tut_json_real_of(tut_json_get(column, "null_share"));
    tut_buf_add_z(out, "<div class=\"card\"><h3>");
    tut_page_text(out, tut_json_get_text(column, "name"));
    tut_buf_add_z(out, " <span class=\"tag\">");
    tut_page_text(out, tut_json_get_text(column, "type"));
    tut_buf_printf(out, ", %s%.0f different",
                   tut_json_get_bool(column, "distinct_is_exact", false) ? "" : "about ",
                   tut_json_real_of(tut_json_get(column, "distinct")));
    if (nulls > 0)
        tut_buf_printf(out, ", %.2g %% empty", 100 * nulls);
    tut_buf_add_z(out, "</span></h3>");
    put_histogram(column, out);
    if (tut_json_count(values) > 0 && !tut_json_get(column, "histogram")) {
        double shares[BARS];
        size_t count = 0;
        for (uint32_t i = 0; i < tut_json_count(values) && count < BARS; i++)
            shares[count++] = tut_json_real_of(tut_json_get(tut_json_item(values, i), "count"));
        put_bars(shares, count, out);
    }
    if (tut_json_count(values) > 0) {
        tut_buf_add_z(out, "<p>");
        for (uint32_t i = 0; i < tut_json_count(values) && i < 8; i++) {
            tut_buf_add_z(out, i ? ", " : "");
            put_value(tut_json_item(values, i), out);
        }
        tut_buf_add_z(out, "</p>");
    }
    tut_buf_add_z(out, "</div>\n");
}

static tut_status put_columns(const tut_vet_dataset *d, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!d->profile || !d->profile[0])
        return TUT_SUCCESS;
    TUT_TRY(tut_json_parse(tut_span_of(d->profile, strlen(d->profile)), NULL, &doc, err));
    const tut_json_value *columns = tut_json_get(tut_json_root(doc), "columns");
    uint32_t count = tut_json_count(columns);
    if (count == 0)
        return TUT_SUCCESS;
    tut_buf_printf(out, "<h2>Columns of ");
    tut_page_z(out, d->path);
    tut_buf_add_z(out, "</h2><div class=\"cards\">\n");
    for (uint32_t i = 0; i < count && i < COLUMNS_SHOWN; i++)
        put_column(tut_json_item(columns, i), out);
    tut_buf_add_z(out, "</div>");
    if (count > COLUMNS_SHOWN)
        tut_buf_printf(out, "<p>and %u more columns</p>", count - COLUMNS_SHOWN);
    return TUT_SUCCESS;
}

/* --- the page --- */

static void put_table(const tut_vet *v, tut_buf *out)
{
    tut_buf_add_z(out, "<div class=\"scroll\"><table><tr><th>Dataset</th><th>Format</th><th "
                       "class=\"n\">Rows</th><th class=\"n\">Columns</th><th>Split</th><th>Read"
                       "</th><th>SHA-256</th><th>Merkle root</th></tr>\n");
    for (size_t i = 0; i < v->count; i++) {
        const tut_vet_dataset *d = &v->items[i];
        char rows[32], columns[32], hex[TUT_SHA256_HEX] = "", root[TUT_SHA256_HEX] = "";
        tut_human_count(d->rows, rows);
        tut_human_count(d->columns, columns);
        if (d->has_digest)
            tut_sha256_hex(&d->digest, hex);
        if (d->has_root)
            tut_sha256_hex(&d->chunks.root, root);
        tut_buf_add_z(out, "<tr><td>");
        tut_page_z(out, d->path);
        tut_buf_add_z(out, "</td><td>");
        tut_page_z(out, d->format);
        tut_buf_printf(out, " %s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td>%s</td><td>",
                       d->compression, rows, columns, tut_split_name(d->split));
        tut_page_z(out, d->status == TUT_VET_COMPLETE ? "to the end" : d->problem);
        tut_buf_printf(out,
                       "</td><td><code title=\"%s\">%.12s</code></td><td><code "
                       "title=\"%s\">%.12s</code></td></tr>\n",
                       hex, hex, root, root);
    }
    tut_buf_add_z(out, "</table></div>\n");
}

static void put_findings(const tut_vet_dataset *d, tut_buf *out)
{
    if (d->found.count == 0)
        return;
    tut_buf_add_z(out, "<h2>Found in ");
    tut_page_z(out, d->path);
    tut_buf_add_z(out, "</h2><div class=\"cards wide\">\n");
    for (size_t i = 0; i < d->found.count && i < FOUND_SHOWN; i++)
        put_finding(d, &d->found.items[i], out);
    tut_buf_add_z(out, "</div>");
}

static void put_notes(const tut_vet *v, tut_buf *out)
{
    tut_buf_add_z(out, "<h2>What was not, or cannot be, looked for</h2><ul>");
    for (size_t i = 0; i < v->count; i++) {
        for (size_t k = 0; k < v->items[i].note_count; k++) {
            tut_buf_add_z(out, "<li>");
            if (v->count > 1) {
                tut_page_z(out, v->items[i].path);
                tut_buf_add_z(out, ": ");
            }
            tut_page_z(out, v->items[i].notes[k]);
            tut_buf_add_z(out, "</li>");
        }
    }
    tut_buf_add_z(out, "<li>Names and addresses of people have no form that could be relied on, "
                       "and were not looked for.</li></ul>");
}

tut_status tut_vet_html(const tut_vet *v, tut_buf *out, tut_error *err)
{
    uint64_t rows = 0;
    size_t found = 0;
    char count[32];
    for (size_t i = 0; i < v->count; i++) {
        rows += v->items[i].rows;
        found += v->items[i].found.count;
    }
    tut_human_count(rows, count);
    tut_page_begin(out, "Datasets vetted");
    tut_buf_printf(out,
                   "<h1>Datasets vetted</h1><p class=\"lead\">%zu dataset%s, %s rows: %zu "
                   "finding%s.</p>\n",
                   v->count, v->count == 1 ? "" : "s", count, found, found == 1 ? "" : "s");
    put_table(v, out);
    for (size_t i = 0; i < v->count; i++)
        put_findings(&v->items[i], out);
    put_notes(v, out);
    for (size_t i = 0; i < v->count; i++)
        TUT_TRY(put_columns(&v->items[i], out, err));
    tut_page_end(out);
    return tut_buf_check(out, err);
}
