#include "cmd/pack_view.h"

#include <inttypes.h>

static void print_checks(const tut_pack_result *r, const tut_term *term, tut_buf *out)
{
    for (size_t i = 0; i < r->count; i++) {
        const tut_pack_check *c = &r->checks[i];
        tut_buf_add_z(out, "  ");
        tut_term_text(
            term, out, c->holds ? TUT_STYLE_GOOD : TUT_STYLE_BAD,
            tut_str_of(tut_term_glyph(term, c->holds ? TUT_GLYPH_TICK : TUT_GLYPH_CROSS)));
        tut_buf_printf(out, " %-10s  ", c->name);
        tut_term_wrap(term, out, 16, tut_str_of(c->detail));
    }
}

static void print_verdict(const char *label, const tut_pack_verdict *v, tut_buf *out)
{
    char at[TUT_TIME_TEXT];
    tut_time_people(v->at, at);
    tut_buf_printf(out, "%-8s %s: ", label, at);
    if (v->grade)
        tut_buf_printf(out, "grade %c", v->grade);
    else
        tut_buf_add_z(out, "no grade");
    for (size_t i = 0; i < TUT_CONTROL_VERDICT_COUNT; i++)
        tut_buf_printf(out, ", %zu %s", v->counts[i],
                       tut_control_verdict_label((tut_control_verdict)i));
    tut_buf_add_z(out, "\n");
}

static void print_changes(const tut_pack_result *r, tut_buf *out)
{
    if (r->change_count == 0)
        tut_buf_add_z(out, "Since    nothing that the verdict rests on has run out.\n");
    for (size_t i = 0; i < r->change_count; i++) {
        const tut_pack_change *c = &r->changes[i];
        char day[TUT_TIME_TEXT];
        tut_buf_printf(out, "%-8s %-10.*s %s", i ? "" : "Since", (int)c->clause.len, c->clause.data,
                       tut_control_verdict_label(c->then));
        if (c->then != c->now)
            tut_buf_printf(out, ", now %s", tut_control_verdict_label(c->now));
        if (c->evidence_count)
            tut_buf_printf(out, "; %zu %s ran out", c->evidence_count,
                           c->evidence_count == 1 ? "piece of evidence" : "pieces of evidence");
        if (c->since) {
            tut_time_date(c->since, day);
            tut_buf_printf(out, ", the first on %s", day);
        }
        tut_buf_add_z(out, "\n");
    }
}

static const char *plainly(const tut_pack_result *r)
{
    switch (r->trust) {
    case TUT_PACK_SELF_CONSISTENT:
        return "Self-consistent: of one piece, by nothing but its own keys. Anybody could have "
               "made "
               "it; get the log's key from elsewhere and give it with --trust.";
    case TUT_PACK_TRUSTED_KEY:
        return "Trusted key: whoever holds the log's key claimed this. When, only that key says.";
    case TUT_PACK_ANCHORED:
        return "Anchored: others than its owner had seen this log by the time said here.";
    }
    return "";
}

static void print_trust(const tut_pack_result *r, const tut_term *term, tut_buf *out)
{
    size_t failed = 0;
    for (size_t i = 0; i < r->count; i++)
        failed += !r->checks[i].holds;
    if (failed) {
        tut_term_printf(term, out, TUT_STYLE_BAD, "%zu of %zu checks failed", failed, r->count);
        if (r->differs) {
            tut_buf_add_z(out, "; the first file that differs: ");
            tut_buf_add_escaped(out, tut_str_of(r->differs), 200);
        }
        tut_buf_add_z(out, ".\nThis pack proves nothing.\n");
        return;
    }
    tut_term_printf(term, out, TUT_STYLE_GOOD, "All %zu checks hold", r->count);
    tut_buf_printf(out, "; %s.\n", r->rests_on);
    if (r->proven.is_there && r->proven.size < r->judged_size)
        tut_buf_printf(out,
                       "The verdict goes by %" PRIu64 " entries: those after the first %" PRIu64
                       " rest on the log's key alone.\n",
                       r->judged_size, r->proven.size);
    tut_term_wrap(term, out, 0, tut_str_of(plainly(r)));
    tut_buf_add_z(out, "It proves what was claimed, by whom and by when; not that it was true.\n");
}

tut_status tut_pack_view_text(const tut_pack_result *r, const tut_term *term, tut_buf *out,
                              tut_error *err)
{
    if (r->system[0]) {
        tut_buf_add_escaped(out, tut_str_of(r->system), 100);
        tut_buf_add_z(out, " ");
        tut_buf_add_escaped(out, tut_str_of(r->version), 100);
        tut_buf_printf(out, ", %" PRIu64 " entries of ", r->log_size);
        tut_buf_add_escaped(out, tut_str_of(r->origin), 200);
        tut_buf_add_z(out, "\n");
    }
    print_checks(r, term, out);
    if (r->has_verdict && r->holds) {
        print_verdict("Then", &r->then, out);
        print_verdict("Now", &r->now, out);
        print_changes(r, out);
    }
    print_trust(r, term, out);
    return tut_buf_check(out, err);
}

tut_status tut_pack_view_trust(const tut_args *args, tut_pack_trusting *t, tut_error *err)
{
    const char *word;
    const char *ca = tut_args_get(args, "--timestamp-ca");
    for (size_t i = 0; (word = tut_args_nth(args, "--trust", i)) != NULL; i++)
        TUT_TRY(tut_pack_trusting_read(t, word, err));
    return ca ? tut_pack_trusting_authorities(t, ca, err) : TUT_SUCCESS;
}

void tut_pack_view_receipt(const tut_receipt *r, const char *key_id, tut_json *j)
{
    tut_json_put_str(j, "by", r->by);
    tut_json_put_z(j, "key", key_id);
    tut_json_put_time(j, "received_at", r->received_at);
    tut_json_key(j, "manifest");
    tut_json_sha256(j, r->manifest.bytes);
    tut_json_put_str(j, "origin", r->origin);
    tut_json_put_u64(j, "size", r->log_size);
    tut_json_put_time(j, "evaluated_at", r->evaluated_at);
    tut_json_put_u64(j, "findings", r->finding_count);
}
