/* tutela explain: one clause of the standard, one rule of the scanner, all rules, all formats. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/assessment.h"
#include "base/fs.h"
#include "cmd/command.h"
#include "scan/format_doc.h"
#include "scan/rule_doc.h"

/* --- rules --- */
static void add_labelled(const tut_term *term, tut_buf *out, const char *label, const char *text)
{
    if (!text[0])
        return;
    tut_term_printf(term, out, TUT_STYLE_DIM, "%-9s", label);
    tut_term_wrap(term, out, 9, tut_str_of(text));
}

static void add_list(const tut_term *term, tut_buf *out, const char *label, const char *words)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (const char *c = words; *c; c++) {
        if (*c == ' ')
            tut_buf_add_z(&text, ", ");
        else
            tut_buf_add_byte(&text, (uint8_t)*c);
    }
    const char *list = tut_buf_z(&text);
    add_labelled(term, out, label, list ? list : words);
}

static void rule_text(const tut_rule *r, const tut_term *term, tut_buf *out)
{
    tut_term_printf(term, out, TUT_STYLE_BOLD, "%s", r->id);
    tut_buf_printf(out, "   %s   %s\n\n", tut_severity_name(r->severity),
                   tut_confidence_name(r->confidence));
    tut_buf_add_z(out, "  ");
    tut_term_wrap(term, out, 2, tut_str_of(r->title));
    tut_buf_add_z(out, "  ");
    tut_term_wrap(term, out, 2, tut_str_of(r->why));
    tut_buf_add_byte(out, '\n');
    add_labelled(term, out, "Fix", r->fix);
    add_list(term, out, "ATLAS", r->threats);
    add_list(term, out, "Clauses", r->clauses);
    add_list(term, out, "See also", r->references);
}

static void rule_json(const tut_rule *r, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", r->id);
    tut_json_put_z(j, "severity", tut_severity_name(r->severity));
    tut_json_put_z(j, "confidence", tut_confidence_name(r->confidence));
    tut_json_put_z(j, "title", r->title);
    tut_json_put_z(j, "why", r->why);
    tut_json_put_z(j, "fix", r->fix);
    tut_json_put_words(j, "threats", r->threats);
    tut_json_put_words(j, "clauses", r->clauses);
    tut_json_put_words(j, "references", r->references);
    tut_json_end_object(j);
}

/* One rule, or with NULL all of them. */
static tut_status rules_json(const tut_rule *only, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.rules/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "rules", only ? 1 : tut_rule_count());
    tut_json_end_object(j);
    tut_json_key(j, "rules");
    tut_json_array(j);
    for (size_t i = 0; i < tut_rule_count(); i++) {
        if (!only || only == tut_rule_at(i))
            rule_json(tut_rule_at(i), j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}

static tut_status rules_table(const tut_term *term, tut_buf *out)
{
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(3, &t));
    tut_table_column(t, 0, "Rule", TUT_LEFT, false);
    tut_table_column(t, 1, "Severity", TUT_LEFT, false);
    tut_table_column(t, 2, "What it says", TUT_LEFT, true);
    for (size_t i = 0; i < tut_rule_count(); i++) {
        const tut_rule *r = tut_rule_at(i);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, r->id);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, tut_severity_name(r->severity));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, r->title);
    }
    return tut_table_print(t, term, 0, out);
}

static tut_status explain_rules(const tut_args *args, const tut_rule *only, const tut_term *term,
                                tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return rules_json(only, out, err);
    if (strcmp(args->format, "markdown") == 0 && only)
        return tut_fail(err, TUT_USAGE, "--format markdown is for: tutela explain rules|formats");
    if (strcmp(args->format, "markdown") == 0)
        tut_rules_markdown(out);
    else if (only)
        rule_text(only, term, out);
    else
        return rules_table(term, out);
    return TUT_SUCCESS;
}

/* --- formats --- */
static tut_status formats_json(tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t count = 0;
    while (tut_formats[count])
        count++;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.formats/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "formats", count);
    tut_json_end_object(j);
    tut_json_key(j, "formats");
    tut_json_array(j);
    for (const tut_format *const *f = tut_formats; *f; f++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", (*f)->name);
        tut_json_put_z(j, "label", (*f)->label);
        tut_json_put_z(j, "kind", tut_asset_kind_name((*f)->kind));
        tut_json_put_words(j, "endings", (*f)->extensions ? (*f)->extensions : "");
        tut_json_put_z(j, "reads", (*f)->reads); /* null: recognised only */
        tut_json_put_words(j, "rules", (*f)->rules ? (*f)->rules : "");
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}

static tut_status formats_table(const tut_term *term, tut_buf *out)
{
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(4, &t));
    tut_table_column(t, 0, "Format", TUT_LEFT, false);
    tut_table_column(t, 1, "Name", TUT_LEFT, false);
    tut_table_column(t, 2, "Holds", TUT_LEFT, false);
    tut_table_column(t, 3, "What is read", TUT_LEFT, true);
    for (const tut_format *const *f = tut_formats; *f; f++) {
        bool is_none = (*f)->kind == TUT_KIND_NONE;
        tut_table_cell_z(t, TUT_STYLE_PLAIN, (*f)->label);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, (*f)->name);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, is_none ? "-" : tut_asset_kind_name((*f)->kind));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, (*f)->reads ? (*f)->reads : "recognised only");
    }
    return tut_table_print(t, term, 0, out);
}

static tut_status explain_formats(const tut_args *args, const tut_term *term, tut_buf *out,
                                  tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return formats_json(out, err);
    if (strcmp(args->format, "markdown") != 0)
        return formats_table(term, out);
    tut_formats_markdown(out);
    return TUT_SUCCESS;
}

/* --- clauses --- */
static tut_status explain_clause(const tut_args *args, const tut_clause *clause,
                                 const tut_term *term, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO(tut_assessment) assessment = NULL;
    bool is_json = strcmp(args->format, "json") == 0;
    if (strcmp(args->format, "markdown") == 0)
        return tut_fail(err, TUT_USAGE, "--format markdown is for: tutela explain rules|formats");
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    /* Without a described system the clause is explained without its state here. As JSON it has
     * one always: not checked, of no records. */
    if (!state && is_json && !(state = tut_fs_join(dir, "tutela.yaml")))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (state && (is_json || tut_fs_exists(state)))
        TUT_TRY(tut_assess_evaluate(args->system ? args->system : dir, state, tut_time_now(),
                                    &assessment, err));
    if (is_json)
        return tut_report_clause_json(assessment, clause, out, err);
    return tut_report_explain(assessment, clause, term, out, err);
}

/* --- neither --- */
static tut_status unknown(tut_str word, tut_error *err)
{
    TUT_AUTO_FREE const char **names = tut_alloc_array(tut_rule_count() + TUT_CLAUSE_COUNT,
                                                       sizeof(*names));
    if (!names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t count = 0;
    for (; count < tut_rule_count(); count++)
        names[count] = tut_rule_at(count)->id;
    const char *nearest = tut_str_nearest(word, names, count);
    if (nearest)
        return tut_fail(err, TUT_USAGE,
                        "no clause or rule \"%.*s\". Did you mean \"%s\"?   tutela explain rules "
                        "lists the rules.",
                        (int)(word.len < 64 ? word.len : 64), word.data, nearest);
    return tut_fail(err, TUT_USAGE,
                    "no clause or rule \"%.*s\".   tutela explain rules lists the rules, explain "
                    "formats the formats; clauses are numbered as in 5.2.4-1.2.",
                    (int)(word.len < 64 ? word.len : 64), word.data);
}

static tut_status compose(const tut_args *args, tut_buf *out, tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_str word = tut_str_of(args->positional[0]);
    if (tut_str_eq_z(word, "rules"))
        return explain_rules(args, NULL, &term, out, err);
    if (tut_str_eq_z(word, "formats"))
        return explain_formats(args, &term, out, err);
    const tut_rule *rule = tut_rule_find(word);
    if (rule)
        return explain_rules(args, rule, &term, out, err);
    const tut_clause *clause = tut_catalogue_find(word);
    if (clause)
        return explain_clause(args, clause, &term, out, err);
    return unknown(word, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(compose(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_explain = {
    .name = "explain",
    .arguments = "CLAUSE | RULE | rules | formats",
    .summary = "Explain a clause of the standard, or a rule of the scanner",
    .help =
        "A clause is named as in the standard (5.2.4-1.2): what it asks, of whom, what evidence "
        "counts, and its state here. A rule is named as findings name it (pickle.call-on-load). "
        "\"rules\" lists all rules, \"formats\" all formats that are read and what is read of "
        "them; "
        "with --format markdown they write docs/rules.md and docs/formats.md.",
    .formats = "table json markdown",
    .least = 1,
    .most = 1,
    .run = run,
};
