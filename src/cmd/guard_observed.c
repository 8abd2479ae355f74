#include "cmd/guard_observed.h"

#include <stdio.h>
#include <unistd.h>

#include "assess/attest.h"
#include "cmd/result_mark.h"
#include "guard/server.h"
#include "ledger/post.h"

enum {
    LOG_DAYS = 7,
    TOOL_DAYS = 30,
    ASK_MS = 2000,
    EVENT_MS = 5000,
    NO_ROUTE = 404,
    STOPPED = 503
};
#define NO_PATH "/tutela-status"

void tut_observed_done(tut_observed *o)
{
    tut_traffic_done(&o->traffic);
}

/* --- the log --- */
static const char *unlogged_route(const tut_guard_policy *p, char name[64])
{
    for (size_t i = 0; i < p->route_count; i++)
        if (p->routes[i].audit == TUT_AUDIT_NONE) {
            tut_str_copy(name, 64, p->routes[i].id);
            return name;
        }
    return NULL;
}

static bool all_durable(const tut_guard_policy *p)
{
    bool is = true;
    for (size_t i = 0; i < p->route_count; i++)
        is = is && p->routes[i].audit == TUT_AUDIT_DURABLE;
    return is;
}

static tut_status judge_log(const tut_guard_here *h, tut_observed *o, tut_error *err)
{
    const tut_traffic *t = &o->traffic;
    tut_observed_check *c = &o->checks[TUT_OBSERVED_LOG];
    char name[64], day[TUT_TIME_TEXT] = "";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t lost = tut_traffic_lost_tails(t);
    const char *unlogged = unlogged_route(&h->policy, name);
    tut_time_date(t->kept_since, day);
    tut_buf_printf(&text,
                   "Of the last %d days the log has %llu exchanges by %zu producers, each with its "
                   "number; kept since %s",
                   LOG_DAYS, (unsigned long long)t->exchanges, t->producer_count, day);
    if (t->gaps)
        tut_buf_printf(&text, "; %llu numbers are missing (%s)", (unsigned long long)t->gaps,
                       t->gap);
    if (lost)
        tut_buf_printf(&text, "; %zu producers ended without closing: %s", lost,
                       all_durable(&h->policy)
                           ? "of answers that were not ended, as audit is durable"
                           : "what they had not sent is not known, as audit is not durable");
    if (unlogged)
        tut_buf_printf(&text, "; route %s is not logged", unlogged);
    if (t->live && tut_live_ledger_down(t->live))
        tut_buf_add_z(&text, "; the ledger takes no events now");
    tut_buf_add_z(&text, ".");
    TUT_TRY(tut_buf_check(&text, err));
    bool is_lost = lost && !all_durable(&h->policy);
    bool is_bad = t->gaps || is_lost || unlogged || (t->live && tut_live_ledger_down(t->live));
    c->result = t->exchanges == 0 ? TUT_RESULT_NOT_CHECKED
                : is_bad          ? TUT_RESULT_FAIL
                                  : TUT_RESULT_PASS;
    tut_str_copy(c->statement, sizeof(c->statement), tut_buf_str(&text));
    return TUT_SUCCESS;
}

/* --- does it write now? --- */
static tut_status ask_once(const tut_guard_here *h, bool *ret_is_logged, uint64_t *ret_took,
                           tut_error *err)
{
    TUT_CLEAN(tut_posted) posted = {0};
    TUT_AUTO_FREE char *url = tut_server_url(&h->policy);
    uint64_t before = 0, now = 0, from = tut_clock_ms();
    TUT_TRY(tut_traffic_has_since(h->state, UINT64_MAX, NO_ROUTE, ret_is_logged, &before, err));
    tut_post post = {.url = url ? url : "",
                     .path = NO_PATH,
                     .method = "GET",
                     .timeout_ms = ASK_MS,
                     .takes_any_certificate = true};
    TUT_TRY(tut_post_send(&post, &posted, err));
    if (posted.status != NO_ROUTE && posted.status != STOPPED)
        return tut_fail(err, TUT_IO, "%s answers %d where nothing is", post.url, posted.status);
    while (!*ret_is_logged && tut_clock_ms() - from < EVENT_MS) {
        (void)usleep(20000);
        TUT_TRY(tut_traffic_has_since(h->state, before, (unsigned)posted.status, ret_is_logged,
                                      &now, err));
    }
    *ret_took = tut_clock_ms() - from;
    return TUT_SUCCESS;
}

typedef struct asking { /* what came of it */
    bool was_asked, is_logged;
    uint64_t took;
    tut_error why; /* "": nothing went wrong */
} asking;

/* Before the log is read: so that what was exchanged just now is in it. */
static tut_status ask(const tut_guard_here *h, asking *a, tut_error *err)
{
    if (h->keeper <= 0 || !h->live)
        return TUT_SUCCESS;
    a->was_asked = true;
    tut_status status = ask_once(h, &a->is_logged, &a->took, &a->why);
    if (status.code == TUT_CANCELLED || status.code == TUT_NOMEM)
        return tut_fail(err, status.code, "%s", a->why.text);
    return TUT_SUCCESS;
}

static void judge_operation(const tut_guard_here *h, const asking *a, tut_observed *o)
{
    tut_observed_check *c = &o->checks[TUT_OBSERVED_OPERATION];
    tut_sha256 version = {{0}};
    c->result = TUT_RESULT_NOT_CHECKED;
    if (!a->was_asked) {
        tut_str_copy(c->statement, sizeof(c->statement),
                     TUT_LIT("The guard does not run: tutela guard up starts it."));
        return;
    }
    (void)tut_live_policy(h->live, &version);
    bool is_in_force = tut_sha256_eq(&version, &h->policy.version);
    bool is_whole = o->checks[TUT_OBSERVED_LOG].result != TUT_RESULT_FAIL;
    c->result = a->is_logged && is_in_force && is_whole ? TUT_RESULT_PASS : TUT_RESULT_FAIL;
    if (a->why.text[0])
        (void)snprintf(c->statement, sizeof(c->statement), "The guard could not be asked: %.400s.",
                       a->why.text);
    else
        (void)snprintf(c->statement, sizeof(c->statement),
                       "A request to the guard that runs was %s the signed log %s%llu ms; %s%s.",
                       a->is_logged ? "in" : "not in", a->is_logged ? "after " : "within ",
                       (unsigned long long)a->took,
                       is_in_force ? "its policy is the one described"
                                   : "its policy is not the one described",
                       is_whole ? "" : "; the log is not whole");
}

/* --- permissions --- */
static void add_use(tut_buf *text, size_t *count, const char *what, const tut_traffic_use *u)
{
    if ((*count)++ < 8)
        tut_buf_printf(text, "%s%.*s on %.*s", *count > 1 ? ", " : what, (int)u->tool->name.len,
                       u->tool->name.data, (int)u->route->id.len, u->route->id.data);
}

/* Granted and never used is more than is needed, unless somebody says why it is. */
static tut_status judge_tools(const tut_guard_here *h, tut_observed *o, tut_error *err)
{
    const tut_traffic *t = &o->traffic;
    tut_observed_check *c = &o->checks[TUT_OBSERVED_TOOLS];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t used = 0, unused = 0, kept = 0, passed = t->undeclared_dropped, undeclared = 0;
    for (size_t i = 0; i < t->use_count; i++)
        used += t->uses[i].called > 0;
    for (size_t i = 0; i < t->undeclared_count; i++) {
        undeclared += t->undeclared[i].called;
        passed += t->undeclared[i].passed;
    }
    tut_buf_printf(&text, "In %d days %zu of %zu granted permissions were used", TOOL_DAYS, used,
                   t->use_count);
    for (size_t i = 0; i < t->use_count; i++)
        if (!t->uses[i].called && !t->uses[i].tool->needed.len)
            add_use(&text, &unused, "; never used: ", &t->uses[i]);
    for (size_t i = 0; i < t->use_count; i++)
        if (!t->uses[i].called && t->uses[i].tool->needed.len)
            add_use(&text, &kept, "; not used, and said to be needed: ", &t->uses[i]);
    tut_buf_printf(&text, "; calls of tools that are not granted: %zu, of which %zu went through.",
                   undeclared, passed);
    TUT_TRY(tut_buf_check(&text, err));
    c->result = passed || (unused && t->calls)          ? TUT_RESULT_FAIL
                : t->calls == 0 && h->policy.tool_count ? TUT_RESULT_NOT_CHECKED
                : t->exchanges == 0                     ? TUT_RESULT_NOT_CHECKED
                                                        : TUT_RESULT_PASS;
    tut_str_copy(c->statement, sizeof(c->statement), tut_buf_str(&text));
    return TUT_SUCCESS;
}

/* --- all of it --- */
static void put_uses(const tut_traffic *t, tut_json *j)
{
    tut_json_key(j, "tools");
    tut_json_array(j);
    for (size_t i = 0; i < t->use_count; i++) {
        const tut_traffic_use *u = &t->uses[i];
        tut_json_object(j);
        tut_json_put_str(j, "tool", u->tool->name);
        tut_json_put_str(j, "route", u->route->id);
        tut_json_put_z(j, "class", tut_tool_class_name(u->tool->type));
        tut_json_put_bool(j, "granted", true);
        tut_json_put_u64(j, "called", u->called);
        tut_json_put_u64(j, "stopped", u->stopped);
        tut_json_put_or_null(j, "needed", u->tool->needed);
        tut_json_end_object(j);
    }
    for (size_t i = 0; i < t->undeclared_count; i++) {
        const tut_traffic_undeclared *u = &t->undeclared[i];
        tut_json_object(j);
        tut_json_put_z(j, "tool", u->name);
        tut_json_put_z(j, "route", u->route);
        tut_json_put_bool(j, "granted", false);
        tut_json_put_u64(j, "called", u->called);
        tut_json_put_u64(j, "stopped", u->called - u->passed);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_observed_json(const tut_observed *o, tut_json *j)
{
    const tut_traffic *t = &o->traffic;
    tut_json_put_u64(j, "exchanges", t->exchanges);
    tut_json_put_u64(j, "gaps", t->gaps);
    tut_json_put_u64(j, "lost_tails", tut_traffic_lost_tails(t));
    put_uses(t, j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_OBSERVED_COUNT; i++) {
        const tut_observed_check *c = &o->checks[i];
        tut_json_object(j);
        tut_json_put_z(j, "check", c->check);
        tut_json_put_z(j, "state", tut_result_name(c->result));
        tut_json_put_z(j, "statement", c->statement);
        if (c->index != UINT64_MAX)
            tut_json_put_u64(j, "entry", c->index);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status record(const tut_args *args, const tut_guard_here *h, tut_observed *o,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&body, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.guard-observed/1");
    tut_json_key(j, "policy");
    tut_json_sha256(j, h->policy.version.bytes);
    tut_observed_json(o, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    for (size_t i = 0; i < TUT_OBSERVED_COUNT; i++) {
        tut_observed_check *c = &o->checks[i];
        bool is_tools = i == TUT_OBSERVED_TOOLS;
        const tut_attestation a = {.check = c->check,
                                   .result = c->result,
                                   .statement = c->statement,
                                   .body = tut_buf_span(&body),
                                   .from = is_tools ? o->traffic.uses_from : o->traffic.from,
                                   .to = tut_time_now()};
        if (c->result != TUT_RESULT_NOT_CHECKED)
            TUT_TRY(tut_attest(args->system ? args->system : h->system_dir, h->state, &a, &c->index,
                               err));
    }
    return TUT_SUCCESS;
}

tut_status tut_observed_run(const tut_args *args, const tut_guard_here *h, tut_observed *ret,
                            tut_error *err)
{
    static const char *const checks[] = {[TUT_OBSERVED_LOG] = "guard.log",
                                         [TUT_OBSERVED_OPERATION] = "ledger.operation",
                                         [TUT_OBSERVED_TOOLS] = "guard.tool-use"};
    TUT_CLEAN(tut_observed) o = {0};
    asking asked = {.was_asked = false};
    tut_time now = tut_time_now();
    for (size_t i = 0; i < TUT_OBSERVED_COUNT; i++)
        o.checks[i] = (tut_observed_check){.check = checks[i], .index = UINT64_MAX};
    o.traffic.policy = &h->policy;
    o.traffic.live = h->keeper > 0 ? h->live : NULL;
    o.traffic.from = now - (tut_time)LOG_DAYS * TUT_DAY_SECONDS;
    o.traffic.uses_from = now - (tut_time)TOOL_DAYS * TUT_DAY_SECONDS;
    TUT_TRY(ask(h, &asked, err));
    TUT_TRY(tut_traffic_read(h->state, &o.traffic, err));
    TUT_TRY(judge_log(h, &o, err));
    judge_operation(h, &asked, &o);
    TUT_TRY(judge_tools(h, &o, err));
    TUT_TRY(record(args, h, &o, err));
    *ret = o;
    o = (tut_observed){0};
    return TUT_SUCCESS;
}

tut_status tut_observed_table(const tut_args *args, const tut_observed *o, tut_buf *out,
                              tut_error *err)
{
    tut_term term;
    TUT_AUTO(tut_table) table = NULL;
    const tut_traffic *t = &o->traffic;
    static const char *const heads[] = {"Tool", "Route", "Class", "Granted"};
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(tut_table_new(6, &table));
    for (size_t i = 0; i < TUT_COUNT(heads); i++)
        tut_table_column(table, i, heads[i], TUT_LEFT, false);
    tut_table_column(table, 4, "called", TUT_RIGHT, false);
    tut_table_column(table, 5, "stopped", TUT_RIGHT, false);
    for (size_t i = 0; i < t->use_count; i++) {
        const tut_traffic_use *u = &t->uses[i];
        tut_table_cell(table, TUT_STYLE_PLAIN, u->tool->name);
        tut_table_cell(table, TUT_STYLE_PLAIN, u->route->id);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, tut_tool_class_name(u->tool->type));
        tut_table_cell_z(table, TUT_STYLE_PLAIN, "yes");
        tut_table_cellf(table, u->called ? TUT_STYLE_PLAIN : TUT_STYLE_WARN, "%llu",
                        (unsigned long long)u->called);
        tut_table_cellf(table, TUT_STYLE_PLAIN, "%llu", (unsigned long long)u->stopped);
    }
    for (size_t i = 0; i < t->undeclared_count; i++) {
        const tut_traffic_undeclared *u = &t->undeclared[i];
        tut_table_cell_z(table, TUT_STYLE_PLAIN, u->name);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, u->route);
        tut_table_cell_z(table, TUT_STYLE_DIM, "");
        tut_table_cell_z(table, TUT_STYLE_WARN, "no");
        tut_table_cellf(table, TUT_STYLE_PLAIN, "%llu", (unsigned long long)u->called);
        tut_table_cellf(table, u->passed ? TUT_STYLE_BAD : TUT_STYLE_PLAIN, "%llu",
                        (unsigned long long)(u->called - u->passed));
    }
    tut_buf_add_z(out, "\n");
    if (t->use_count + t->undeclared_count)
        TUT_TRY(tut_table_print(table, &term, 0, out));
    tut_buf_add_z(out, "\n");
    for (size_t i = 0; i < TUT_OBSERVED_COUNT; i++) {
        const tut_observed_check *c = &o->checks[i];
        tut_result_mark mark = tut_result_mark_of(&term, c->result);
        tut_buf_add_z(out, "  ");
        tut_term_text(&term, out, mark.style, tut_str_of(mark.glyph));
        tut_buf_printf(out, " %-17s ", c->check);
        tut_term_wrap(&term, out, 22, tut_str_of(c->statement));
    }
    return tut_buf_check(out, err);
}
