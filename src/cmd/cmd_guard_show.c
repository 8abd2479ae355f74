/* tutela guard show: one exchange as the log has it, proved to be in the tree that was signed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "cmd/guard_find.h"
#include "ledger/proof.h"

static const tut_option options[] = {
    {"--proof", TUT_OPTION_VALUE, "FILE",
     "write a proof that it is in the log, to be checked "
     "without it"},
    {"--entry", TUT_OPTION_VALUE, "FILE", "and the entry's very bytes"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct showing {
    tut_ledger_view view;
    tut_shown_entry shown;
    const tut_json_value *event;
} showing;

static void showing_done(showing *s)
{
    tut_shown_entry_done(&s->shown);
    tut_ledger_view_done(&s->view);
}

/* --- for people --- */
static void line(tut_buf *out, const char *name, const char *fmt, ...) TUT_PRINTF(3, 4);
static void line(tut_buf *out, const char *name, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    tut_buf_printf(out, "  %-9s %s\n", name, text);
}

/* Names in it are what somebody sent. */
static void text_line(tut_buf *out, const char *name, tut_str text)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, text, 200);
    const char *z = tut_buf_z(&shown);
    if (text.len && z)
        line(out, name, "%s", z);
}

static void add_reasons(const tut_term *term, const tut_json_value *list, tut_buf *out)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        const tut_json_value *r = tut_json_item(list, i);
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_add_str(&text, tut_json_get_text(r, "check"));
        tut_buf_add_z(&text, ", ");
        tut_buf_add_str(&text, tut_json_get_text(r, "where"));
        tut_buf_add_z(&text, ": ");
        tut_buf_add_str(&text, tut_json_get_text(r, "why"));
        tut_buf_add_z(out, "            ");
        TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
        tut_buf_add_escaped(&shown, tut_buf_str(&text), 400);
        tut_term_wrap(term, out, 12, tut_buf_str(&shown));
    }
}

static void add_side(const tut_term *term, const tut_json_value *event, const char *side,
                     tut_buf *out)
{
    const tut_json_value *d = tut_json_get(event, side);
    tut_str action = tut_json_get_text(d, "action"), would = tut_json_get_text(d, "would");
    if (!d)
        return;
    if (would.len)
        line(out, side, "%.*s (monitored; else %.*s)", (int)action.len, action.data, (int)would.len,
             would.data);
    else
        text_line(out, side, action);
    add_reasons(term, tut_json_get(d, "reasons"), out);
    add_reasons(term, tut_json_get(d, "not_scanned"), out);
}

static void add_calls(const tut_json_value *event, tut_buf *out)
{
    const tut_json_value *called = tut_json_get(event, "called");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (uint32_t i = 0; i < tut_json_count(called); i++) {
        tut_buf_add_z(&text, i ? ", " : "");
        tut_buf_add_escaped(&text, tut_json_text(tut_json_item(called, i)), 64);
    }
    text_line(out, "called", tut_buf_str(&text));
}

static tut_status write_text(const showing *s, const tut_args *args, tut_buf *out, tut_error *err)
{
    tut_term term;
    char at[TUT_TIME_TEXT];
    const tut_json_value *e = s->event;
    tut_str policy = tut_json_get_text(e, "policy"), hold = tut_json_get_text(e, "hold_end");
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_time_rfc3339((tut_time)(tut_json_get_int(e, "at_ms", 0) / 1000), at);
    tut_buf_printf(out, "Exchange %.*s, %s\n\n", (int)tut_json_get_text(e, "id").len,
                   tut_json_get_text(e, "id").data, at);
    text_line(out, "client", tut_json_get_text(e, "client"));
    text_line(out, "route", tut_json_get_text(e, "route"));
    text_line(out, "model", tut_json_get_text(e, "model"));
    text_line(out, "digest", tut_json_get_text(e, "model_digest"));
    if (policy.len)
        line(out, "policy", "%.12s", policy.data);
    text_line(out, "trace", tut_json_get_text(e, "trace"));
    text_line(out, "body kept", tut_json_get_text(tut_json_get(e, "bodies"), "day"));
    add_side(&term, e, "request", out);
    add_side(&term, e, "answer", out);
    add_calls(e, out);
    if (hold.len)
        line(out, "held", "%.*s after %lld ms", (int)hold.len, hold.data,
             (long long)tut_json_get_int(e, "waited_ms", 0));
    line(out, "status", "%lld, %lld bytes in, %lld out, in %.1f ms of which the guard took %.2f",
         (long long)tut_json_get_int(e, "status", 0), (long long)tut_json_get_int(e, "bytes_in", 0),
         (long long)tut_json_get_int(e, "bytes_out", 0),
         (double)tut_json_get_int(e, "took_us", 0) / 1000,
         (double)tut_json_get_int(e, "added_us", 0) / 1000);
    line(out, "log", "entry %llu of %s, in the tree of %llu that its key signed",
         (unsigned long long)s->shown.index, tut_ledger_view_origin(&s->view),
         (unsigned long long)tut_log_size(s->view.log));
    return tut_buf_check(out, err);
}

/* --- the proof --- */
static tut_status write_proof(const showing *s, const char *file, tut_error *err)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    uint64_t size = tut_log_size(s->view.log);
    tut_proof p = {.number = s->shown.index, .checkpoint = tut_log_checkpoint(s->view.log)};
    TUT_TRY(tut_log_prove_inclusion(s->view.log, p.number, size, p.hashes, &p.count, err));
    tut_proof_write(&p, &out);
    TUT_TRY(tut_buf_check(&out, err));
    return tut_fs_write(file, tut_buf_span(&out), 0644, err);
}

static tut_status show(showing *s, const tut_args *args, tut_buf *out, tut_error *err)
{
    const char *proof = tut_args_get(args, "--proof"), *entry = tut_args_get(args, "--entry");
    uint64_t index = 0;
    TUT_TRY(tut_guard_find_exchange(args, args->positional[0], &s->view, &index, err));
    TUT_TRY(tut_shown_entry_read(s->view.log, index, NULL, &s->shown, err));
    s->event = tut_json_get(tut_json_root(s->shown.entry.outer), "event");
    if (proof)
        TUT_TRY(write_proof(s, proof, err));
    if (entry)
        TUT_TRY(tut_fs_write(entry, tut_buf_span(&s->shown.bytes), 0644, err));
    return strcmp(args->format, "json") == 0
               ? tut_ledger_view_entry_json(&s->view, &s->shown, out, err)
               : write_text(s, args, out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(showing_done))) showing s = {.event = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_interrupt_install();
    if (!tut_is_ok(show(&s, args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_guard_show = {
    .name = "guard show",
    .arguments = "ID",
    .summary = "One exchange as the log has it: what was decided, why, and the proof of it",
    .help =
        "ID is the X-Tutela-Id of the answer, or its first eight digits. The entry is read from "
        "the log and proved to be in the tree that the log's key signed. What was said is not "
        "in it. With --proof and --entry anybody checks it elsewhere: tutela ledger verify "
        "--proof FILE --entry FILE --key VKEY.\n\n"
        "tutela guard show 3f2a0c11",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
