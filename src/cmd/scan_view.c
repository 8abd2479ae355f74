#include "cmd/scan_view.h"

#include <string.h>

enum { INDENT = 10, FINDINGS_SHOWN = 20, RULE_COLUMN = 42 };

static tut_style severity_style(tut_severity s)
{
    return s >= TUT_SEVERITY_HIGH     ? TUT_STYLE_BAD
           : s == TUT_SEVERITY_MEDIUM ? TUT_STYLE_WARN
                                      : TUT_STYLE_DIM;
}

/* --- the table --- */
static void add_format(tut_table *t, const tut_file_report *r)
{
    char name[32] = "";
    tut_str_copy(name, sizeof(name), tut_str_of(r->format ? r->format->name : "unknown"));
    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = ' ';
    }
    tut_table_cell_z(t, r->format ? TUT_STYLE_PLAIN : TUT_STYLE_DIM, name);
}

static void add_verdict(tut_table *t, const tut_term *term, const tut_file_report *r)
{
    static const struct {
        tut_glyph glyph;
        tut_style style;
    } looks[] = {
        [TUT_VERDICT_CLEAN] = {TUT_GLYPH_TICK, TUT_STYLE_GOOD},
        [TUT_VERDICT_REVIEW] = {TUT_GLYPH_PARTLY, TUT_STYLE_WARN},
        [TUT_VERDICT_DANGEROUS] = {TUT_GLYPH_CROSS, TUT_STYLE_BAD},
        [TUT_VERDICT_MALICIOUS] = {TUT_GLYPH_CROSS, TUT_STYLE_BAD},
    };
    if (r->status > TUT_SCAN_INCOMPLETE && tut_file_verdict(r) < TUT_VERDICT_DANGEROUS) {
        tut_table_cellf(t, TUT_STYLE_DIM, "%s not checked",
                        tut_term_glyph(term, TUT_GLYPH_NOT_CHECKED));
        return;
    }
    tut_verdict v = tut_file_verdict(r);
    tut_table_cellf(t, looks[v].style, "%s %s", tut_term_glyph(term, looks[v].glyph),
                    tut_verdict_name(v));
}

/* How many findings of the gravest kind; or why the file was not checked. */
static void add_worst(tut_table *t, const tut_file_report *r)
{
    size_t count = 0;
    if (r->status > TUT_SCAN_INCOMPLETE && tut_file_verdict(r) < TUT_VERDICT_DANGEROUS) {
        tut_table_cell_z(t, TUT_STYLE_DIM, r->problem ? r->problem : "");
        return;
    }
    if (r->finding_count == 0 || r->findings[0].severity <= TUT_SEVERITY_LOW) {
        if (r->suppressed_count > 0)
            tut_table_cellf(t, TUT_STYLE_DIM, "%zu suppressed", r->suppressed_count);
        else
            tut_table_cell_z(t, TUT_STYLE_PLAIN, "");
        return;
    }
    tut_severity worst = r->findings[0].severity;
    while (count < r->finding_count && r->findings[count].severity == worst)
        count++;
    tut_table_cellf(t, severity_style(worst), "%zu %s", count, tut_severity_name(worst));
}

static tut_status add_table(const tut_scan *scan, const tut_term *term, tut_buf *out)
{
    static const char *const headers[] = {"File", "Format", "Read", "Verdict", ""};
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(5, &t));
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, headers[i], TUT_LEFT, i == 0);
    for (size_t i = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        tut_table_cell_z(t, TUT_STYLE_PLAIN, r->path);
        add_format(t, r);
        tut_table_cell_z(t, r->status == TUT_SCAN_COMPLETE ? TUT_STYLE_PLAIN : TUT_STYLE_WARN,
                         tut_scan_status_name(r->status));
        add_verdict(t, term, r);
        add_worst(t, r);
    }
    return tut_table_print(t, term, 0, out);
}

/* --- findings --- */

/* The place of a finding begins with the file's name below the walked root; people get the path
 * that they gave. */
static void build_place(const tut_file_report *r, const tut_finding *f, tut_buf *place)
{
    tut_buf_add_escaped(place, tut_str_of(r->path), TUT_ERROR_PATH_MAX);
    const char *inside = strstr(f->location, "!/");
    if (inside)
        tut_buf_add_z(place, inside);
    if (f->offset != TUT_NO_OFFSET)
        tut_buf_printf(place, " +0x%04llx", (unsigned long long)f->offset);
}

static void add_place(const tut_file_report *r, const tut_finding *f, const tut_term *term,
                      tut_buf *out)
{
    TUT_CLEAN(tut_buf) place = TUT_BUF_INIT;
    build_place(r, f, &place);
    size_t columns = tut_utf8_columns(tut_buf_str(&place));
    size_t rule_len = strlen(f->rule->id);
    tut_buf_printf(out, "%*s", INDENT, "");
    tut_buf_add_str(out, tut_buf_str(&place));
    bool fits = INDENT + columns + 2 + rule_len <= term->width;
    size_t wanted = columns < RULE_COLUMN ? RULE_COLUMN - columns : 2;
    if (fits && INDENT + columns + wanted + rule_len > term->width)
        wanted = 2;
    if (fits)
        tut_buf_printf(out, "%*s", (int)wanted, "");
    else
        tut_buf_printf(out, "\n%*s", INDENT, "");
    tut_term_text(term, out, TUT_STYLE_DIM, tut_str_of(f->rule->id));
    tut_buf_add_byte(out, '\n');
}

static void add_labelled(const tut_term *term, tut_buf *out, const char *label, const char *text)
{
    tut_buf_printf(out, "%*s", INDENT, "");
    tut_term_printf(term, out, TUT_STYLE_DIM, "%-7s", label);
    tut_term_wrap(term, out, INDENT + 7, tut_str_of(text));
}

/* "executes on load          AML.T0011.000, AML.T0018.002" */
static void add_sureness(const tut_finding *f, const tut_term *term, tut_buf *out)
{
    char words[32];
    tut_str_copy(words, sizeof(words), tut_str_of(tut_confidence_name(f->rule->confidence)));
    for (char *c = words; *c; c++) {
        if (*c == '-')
            *c = ' ';
    }
    tut_buf_printf(out, "%*s", INDENT, "");
    tut_term_printf(term, out, TUT_STYLE_DIM, "%-7s", "sure");
    tut_buf_printf(out, f->rule->threats[0] ? "%-26s" : "%s", words);
    for (const char *c = f->rule->threats; *c; c++) {
        if (*c == ' ')
            tut_buf_add_z(out, ", ");
        else
            tut_buf_add_byte(out, (uint8_t)*c);
    }
    tut_buf_add_byte(out, '\n');
}

static void add_finding(const tut_file_report *r, const tut_finding *f, const tut_term *term,
                        tut_buf *out)
{
    tut_term_printf(term, out, severity_style(f->severity), "%-10s",
                    tut_severity_name(f->severity));
    tut_term_printf(term, out, TUT_STYLE_BOLD, "%s", tut_finding_title(f));
    tut_buf_add_byte(out, '\n');
    add_place(r, f, term, out);
    if (f->message[0]) {
        TUT_CLEAN(tut_buf) seen = TUT_BUF_INIT;
        tut_buf_add_z(&seen, f->message);
        if (f->times > 1)
            tut_buf_printf(&seen, " (%u times)", f->times);
        const char *text = tut_buf_z(&seen);
        add_labelled(term, out, "seen", text ? text : f->message);
    }
    add_sureness(f, term, out);
    add_labelled(term, out, "fix", f->rule->fix);
    tut_buf_add_byte(out, '\n');
}

static void add_findings(const tut_file_report *r, const tut_term *term, tut_buf *out)
{
    size_t shown = 0;
    size_t hidden = r->findings_dropped;
    if (r->status == TUT_SCAN_ERROR && r->finding_count == 1)
        return; /* the line on stderr says it */
    for (size_t i = 0; i < r->finding_count; i++) {
        const tut_finding *f = &r->findings[i];
        if (f->severity == TUT_SEVERITY_INFO)
            continue;
        if (shown++ < FINDINGS_SHOWN)
            add_finding(r, f, term, out);
        else
            hidden++;
    }
    if (hidden == 0)
        return;
    TUT_CLEAN(tut_buf) path = TUT_BUF_INIT;
    tut_buf_add_escaped(&path, tut_str_of(r->path), TUT_ERROR_PATH_MAX);
    tut_buf_printf(out, "%*s%zu more in %s; --format json lists them\n\n", INDENT, "", hidden,
                   tut_buf_z(&path));
}

/* --- what was accepted --- */
static bool is_of_entry(const tut_suppressed *a, const tut_suppressed *b)
{
    return a->finding.rule == b->finding.rule && strcmp(a->entry, b->entry) == 0;
}

/* The first of its entry and rule among all, so that each is told once. */
static bool is_first(const tut_scan *scan, size_t file, size_t at)
{
    const tut_suppressed *s = &scan->files[file].suppressed[at];
    for (size_t i = 0; i <= file; i++)
        for (size_t k = 0; k < (i < file ? scan->files[i].suppressed_count : at); k++)
            if (is_of_entry(&scan->files[i].suppressed[k], s))
                return false;
    return true;
}

static size_t count_alike(const tut_scan *scan, const tut_suppressed *s)
{
    size_t count = 0;
    for (size_t i = 0; i < scan->count; i++)
        for (size_t k = 0; k < scan->files[i].suppressed_count; k++)
            count += is_of_entry(&scan->files[i].suppressed[k], s);
    return count;
}

static void add_accepted(const tut_scan *scan, const tut_term *term, tut_buf *out)
{
    for (size_t i = 0; i < scan->count; i++) {
        for (size_t k = 0; k < scan->files[i].suppressed_count; k++) {
            const tut_suppressed *s = &scan->files[i].suppressed[k];
            if (!is_first(scan, i, k))
                continue;
            TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
            tut_buf_printf(&line, "suppressed: %zu %s (", count_alike(scan, s),
                           s->finding.rule->id);
            tut_suppressed_words(s, &line);
            tut_buf_add_z(&line, ")");
            tut_term_wrap(term, out, 0, tut_buf_str(&line));
        }
    }
    for (size_t i = 0; i < scan->list_remark_count; i++)
        tut_term_wrap(term, out, 0, tut_str_of(scan->list_remarks[i]));
}

/* --- the closing line --- */
static void add_count(tut_buf *out, bool *is_first, size_t count, const char *what)
{
    if (count == 0)
        return;
    tut_buf_printf(out, "%s%zu %s", *is_first ? "" : ", ", count, what);
    *is_first = false;
}

/* Those of which nothing worse is known. */
static size_t not_recognised(const tut_scan *scan)
{
    size_t count = 0;
    for (size_t i = 0; i < scan->count; i++)
        count += scan->files[i].status == TUT_SCAN_UNSUPPORTED &&
                 tut_file_verdict(&scan->files[i]) < TUT_VERDICT_DANGEROUS;
    return count;
}

static void add_summary(const tut_scan *scan, uint64_t took_ms, tut_buf *out)
{
    tut_scan_tally tally;
    char size[16];
    char files[32];
    bool is_first = true;
    tut_scan_count(scan, &tally);
    tut_human_bytes(scan->bytes, size);
    tut_human_count(scan->count, files);
    tut_buf_printf(out, "%s file%s, %s in %.2f s: ", files, scan->count == 1 ? "" : "s", size,
                   (double)took_ms / 1000.0);
    for (int v = TUT_VERDICT_CLEAN; v <= TUT_VERDICT_MALICIOUS; v++)
        add_count(out, &is_first, tally.verdicts[v], tut_verdict_name((tut_verdict)v));
    add_count(out, &is_first, not_recognised(scan), "not recognised");
    add_count(out, &is_first, tally.statuses[TUT_SCAN_ERROR], "unreadable");
    tut_buf_add_byte(out, '.');
    size_t partly = tally.statuses[TUT_SCAN_INCOMPLETE];
    if (tally.statuses[TUT_SCAN_COMPLETE] == scan->count)
        tut_buf_add_z(out, scan->count == 1 ? " Read to the end." : " All read to the end.");
    else if (partly > 0)
        tut_buf_printf(out, " %zu not read to the end.", partly);
    if (scan->cached > 0)
        tut_buf_printf(out, " Cached: %zu.", scan->cached);
    if (scan->passed_over > 0)
        tut_buf_printf(out, " %zu other file%s no model and passed over.", scan->passed_over,
                       scan->passed_over == 1 ? " is" : "s are");
    if (scan->links_out > 0)
        tut_buf_printf(out, " %zu link%s out of the directory not followed.", scan->links_out,
                       scan->links_out == 1 ? "" : "s");
    tut_buf_add_byte(out, '\n');
    if (!scan->cage.complete)
        tut_buf_printf(out, "The sandbox is not complete here; lacking: %s.\n", scan->cage.lacking);
}

tut_status tut_scan_view(const tut_scan *scan, const tut_term *term, uint64_t took_ms, tut_buf *out,
                         tut_error *err)
{
    TUT_TRY(add_table(scan, term, out));
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < scan->count; i++) {
        add_findings(&scan->files[i], term, out);
        if (scan->files[i].baseline)
            TUT_TRY(tut_scan_changes(&scan->files[i], term, out));
    }
    add_accepted(scan, term, out);
    add_summary(scan, took_ms, out);
    return tut_buf_check(out, err);
}
