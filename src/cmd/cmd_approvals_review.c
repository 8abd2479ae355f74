/* tutela approvals review: did what was held reach people who took the time to read it? */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/approvals.h"
#include "cmd/approvals_act.h"
#include "cmd/result_mark.h"
#include "govern/training_rights.h"

static const tut_option options[] = {
    {"--no-record", TUT_OPTION_FLAG, NULL, "look, and record nothing"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status write_json(const tut_review *v, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.approvals/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "holds", v->holds);
    tut_json_put_u64(j, "decided", v->decided);
    tut_json_put_u64(j, "expired", v->expired);
    tut_json_put_u64(j, "withdrawn", v->withdrawn);
    tut_json_put_u64(j, "decisions", v->decisions);
    tut_json_put_u64(j, "denied", v->denied);
    tut_json_put_u64(j, "hasty", v->hasty);
    tut_json_put_u64(j, "unseen", v->unseen);
    tut_json_put_u64(j, "ignored", v->ignored);
    tut_json_put_int(j, "median_read_ms", v->median_ms);
    tut_json_put_int(j, "median_floor_ms", v->median_floor_ms);
    tut_json_end_object(j);
    tut_review_json(v, j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_REVIEW_CHECKS; i++) {
        const tut_review_check *c = &v->checks[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", c->check);
        tut_json_put_z(j, "state", tut_result_name(c->result));
        tut_json_put_time(j, "since", v->from);
        tut_json_key(j, "due");
        tut_json_null(j);
        tut_json_key(j, "actors");
        tut_json_array(j);
        tut_json_z(j, "tool");
        tut_json_end_array(j);
        tut_json_key(j, "evidence");
        tut_json_array(j);
        if (c->index != UINT64_MAX)
            tut_json_u64(j, c->index);
        tut_json_end_array(j);
        tut_json_put_z(j, "statement", c->statement);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void cell_count(tut_table *table, size_t n, tut_style style)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%zu", n);
    tut_table_cell_z(table, n ? style : TUT_STYLE_DIM, text);
}

static tut_status write_classes(const tut_term *term, const tut_review *v, tut_buf *out,
                                tut_error *err)
{
    static const char *const titles[] = {"Class",     "Held",   "Approved",     "Denied", "Expired",
                                         "Withdrawn", "Median", "95 of 100 in", "Hasty"};
    TUT_AUTO(tut_table) table = NULL;
    TUT_TRY(tut_table_new(TUT_COUNT(titles), &table));
    for (size_t i = 0; i < TUT_COUNT(titles); i++)
        tut_table_column(table, i, titles[i], i ? TUT_RIGHT : TUT_LEFT, false);
    for (size_t i = 0; i < v->class_count; i++) {
        const tut_review_class *c = &v->classes[i];
        char median[32] = "-", p95[32] = "-";
        if (c->decisions) {
            tut_approvals_span(c->median_ms, median);
            tut_approvals_span(c->p95_ms, p95);
        }
        tut_table_cell_z(table, TUT_STYLE_PLAIN, c->name);
        cell_count(table, c->held, TUT_STYLE_PLAIN);
        cell_count(table, c->approved, TUT_STYLE_PLAIN);
        cell_count(table, c->denied, TUT_STYLE_PLAIN);
        cell_count(table, c->expired, TUT_STYLE_WARN);
        cell_count(table, c->withdrawn, TUT_STYLE_PLAIN);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, median);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, p95);
        cell_count(table, c->hasty, TUT_STYLE_WARN);
    }
    TUT_TRY(tut_table_print(table, term, 0, out));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void write_hasty(const tut_review *v, tut_buf *out)
{
    for (size_t i = 0; i < v->hasty; i++) {
        const tut_review_hasty *h = &v->hasty_items[i];
        tut_buf_printf(out, "  entry %llu: ", (unsigned long long)h->index);
        tut_buf_add_escaped(out, tut_str_of(h->person), TUT_PERSON_NAME_MAX);
        tut_buf_printf(out, " %s %.8s (", h->is_denial ? "denied" : "approved", h->hold);
        tut_buf_add_escaped(out, tut_str_of(h->class_name), 80);
        if (h->read_ms < 0)
            tut_buf_printf(out, ") without looking at it; reading takes at least %.1f s\n",
                           (double)h->floor_ms / 1000);
        else
            tut_buf_printf(out, ") after %.1f s; reading takes at least %.1f s\n",
                           (double)h->read_ms / 1000, (double)h->floor_ms / 1000);
    }
    if (v->hasty)
        tut_buf_add_z(out, "\n");
}

static tut_status write_text(const tut_args *args, const tut_review *v, tut_buf *out,
                             tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    if (v->class_count)
        TUT_TRY(write_classes(&term, v, out, err));
    write_hasty(v, out);
    for (size_t i = 0; i < TUT_REVIEW_CHECKS; i++) {
        const tut_review_check *c = &v->checks[i];
        tut_result_mark mark = tut_result_mark_of(&term, c->result);
        tut_buf_add_z(out, "  ");
        tut_term_text(&term, out, mark.style, tut_str_of(mark.glyph));
        tut_buf_printf(out, " %-20s ", c->check);
        tut_term_wrap(&term, out, 25, tut_str_of(c->statement));
    }
    if (v->ignored)
        tut_buf_printf(out, "%zu entries count as none: their signature or body is not sound.\n",
                       v->ignored);
    if (v->checks[0].index != UINT64_MAX || v->checks[2].index != UINT64_MAX)
        tut_buf_add_z(out, "Recorded as evidence; tutela assess takes it into account.\n");
    else if (v->decisions + v->decided + v->expired == 0)
        tut_buf_printf(out, "The log tells of nothing that was held in the last %d days.\n",
                       TUT_REVIEW_DAYS);
    return tut_buf_check(out, err);
}

int tut_approvals_review_exit(const tut_review *v)
{
    int status = TUT_EXIT_OK;
    for (size_t i = 0; i < TUT_REVIEW_CHECKS; i++) {
        if (v->checks[i].result == TUT_RESULT_FAIL)
            return TUT_EXIT_FOUND;
        if (v->checks[i].result == TUT_RESULT_NOT_CHECKED)
            status = TUT_EXIT_DOUBT;
    }
    return status;
}

tut_status tut_approvals_review(tut_approvals_act *a, const tut_args *args, bool records,
                                tut_review *v, tut_error *err)
{
    TUT_TRY(tut_approvals_open(a, args, records, err));
    if (records)
        TUT_TRY(tut_approve_sweep(&a->place, a->ledger, a->who, NULL, err));
    const tut_review_order order = {.ledger = a->ledger,
                                    .system = a->system,
                                    .policy = &a->policy,
                                    .records = records,
                                    .had_lapsed = tut_training_rights_had_lapsed,
                                    .training = a->rights};
    return tut_review_run(&order, v, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_approvals_act) a = {0};
    TUT_CLEAN(tut_review) v = {0};
    tut_error err = {0};
    bool records = !tut_args_has(args, "--no-record");
    tut_status status = tut_approvals_review(&a, args, records, &v, &err);
    if (tut_is_ok(status) && strcmp(args->format, "json") == 0)
        status = write_json(&v, &out, &err);
    else if (tut_is_ok(status))
        status = write_text(args, &v, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, tut_approvals_review_exit(&v));
}

const tut_command tut_cmd_approvals_review = {
    .name = "approvals review",
    .summary = "Look at how the last 90 days of decisions were made, and record that",
    .help = "From the log: of what was held under this policy, was nine tenths decided in time; "
            "did each decided hold show all of its text, a reason and a source; and did whoever "
            "decided take at least as long as reading takes (two seconds and one for each 50 "
            "bytes, half of the decisions and more)? Denials are counted; for each class of action "
            "it is told what became of it and how long decisions took, and each decision that was "
            "faster is listed. The evidence is about this tutela.yaml.\n\n"
            "Exit status: 0 all three hold; 1 one does not; 3 nothing was held.",
    .formats = "table json",
    .options = options,
    .run = run,
};
