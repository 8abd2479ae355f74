/*
 * Objects and workspaces that R has serialised (.rds, .rda, .RData), in its three forms.
 *
 *   file = [ "RDX2\n" | "RDX3\n" | "RDA2\n" | "RDA3\n" | "RDB2\n" | "RDB3\n" ] stream
 *   stream = ( "X\n" | "A\n" | "B\n" ) version:int writer:int reader:int [ size:int encoding ] item
 *
 * Compression is the outer format's. R runs nothing while it reads; but a promise that stands where
 * a value should is evaluated by the first that touches it (CVE-2024-27322), and a workspace brings
 * functions under any name.
 */
#include "formats/rds.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "formats/payload.h"

static bool starts(tut_span head, const char *with, size_t len)
{
    return head.len >= len && memcmp(head.data, with, len) == 0;
}

static bool is_form(tut_span head, tut_rds_form *ret)
{
    static const char marks[] = "XAB";
    for (size_t i = 0; i < 3; i++) {
        if (head.len >= 2 && head.data[0] == (uint8_t)marks[i] && head.data[1] == '\n') {
            *ret = (tut_rds_form)i;
            return true;
        }
    }
    return false;
}

static bool is_workspace(tut_span head)
{
    return head.len >= 5 && head.data[0] == 'R' && head.data[1] == 'D' && head.data[2] &&
           strchr("XAB", head.data[2]) && (head.data[3] == '2' || head.data[3] == '3') &&
           head.data[4] == '\n';
}

static tut_match sniff(const tut_sniff *s)
{
    tut_span head = s->head;
    tut_rds_form form;
    bool has_bindings = is_workspace(head);
    if (has_bindings)
        head = (tut_span){head.data + 5, head.len - 5};
    if (!is_form(head, &form))
        return has_bindings ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
    head = (tut_span){head.data + 2, head.len - 2};
    if (form == TUT_RDS_ASCII)
        return starts(head, "2\n", 2) || starts(head, "3\n", 2)
                   ? (has_bindings ? TUT_MATCH_SURE : TUT_MATCH_STRONG)
                   : TUT_MATCH_NONE;
    bool is_two = starts(head, form == TUT_RDS_XDR ? "\0\0\0\2" : "\2\0\0\0", 4);
    bool is_three = starts(head, form == TUT_RDS_XDR ? "\0\0\0\3" : "\3\0\0\0", 4);
    return is_two || is_three ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_status read_head(tut_rds *r, tut_error *err)
{
    tut_span head = {0};
    int32_t writer = 0, reader = 0, len = 0;
    tut_str encoding;
    TUT_TRY(tut_stream_peek_some(r->x->stream, 8, &head));
    r->is_workspace = is_workspace(head);
    if (r->is_workspace)
        TUT_TRY(tut_stream_skip(r->x->stream, 5));
    TUT_TRY(tut_stream_peek_some(r->x->stream, 2, &head));
    if (!is_form(head, &r->form))
        return tut_fail(err, TUT_MALFORMED, "no form of R's serialisation behind the magic");
    TUT_TRY(tut_stream_skip(r->x->stream, 2));
    TUT_TRY(tut_rds_int(r, &r->version, err));
    TUT_TRY(tut_rds_int(r, &writer, err));
    TUT_TRY(tut_rds_int(r, &reader, err));
    if (r->version != 2 && r->version != 3)
        return tut_fail(err, TUT_UNSUPPORTED, "version %" PRId32 " of R's serialisation",
                        r->version);
    tut_exam_factf(r->x, "r.version", "%d.%d.%d", writer >> 16 & 0xff, writer >> 8 & 0xff,
                   writer & 0xff);
    if (r->version == 2)
        return TUT_SUCCESS;
    TUT_TRY(tut_rds_int(r, &len, err));
    if (len < 0 || len > 63)
        return tut_fail(err, TUT_MALFORMED, "the name of an encoding of %" PRId32 " bytes", len);
    return tut_rds_text(r, (uint64_t)len, &encoding, err);
}

static void report_facts(tut_rds *r)
{
    tut_exam_factf(r->x, "r.functions", "%" PRIu64, r->functions);
    tut_exam_factf(r->x, "r.environments", "%" PRIu64, r->environments);
    if (r->pointers)
        tut_exam_factf(r->x, "r.pointers", "%" PRIu64, r->pointers);
    for (size_t i = 0; i < r->package_count; i++)
        tut_exam_fact(r->x, "r.package", tut_str_of(r->packages[i]));
}

/* In ASCII a newline ends the stream. */
static tut_status look_behind(tut_rds *r, tut_error *err)
{
    tut_span rest = {0};
    while (r->form == TUT_RDS_ASCII && tut_is_ok(tut_stream_peek_some(r->x->stream, 1, &rest)) &&
           rest.len == 1 && (rest.data[0] == '\n' || rest.data[0] == '\r' || rest.data[0] == ' '))
        TUT_TRY(tut_stream_skip(r->x->stream, 1));
    if (tut_stream_at_end(r->x->stream))
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(r->x->stream);
    tut_exam_observe(r->x, "r.trailing-data", at, "bytes follow the object");
    return r->x->source
               ? tut_payload_examine(r->x, at, r->x->source->size, "behind the object", err)
               : TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE tut_rds *r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->x = x;
    tut_status status = read_head(r, err);
    if (tut_is_ok(status)) {
        status = tut_rds_walk(r, err);
        report_facts(r);
    }
    if (tut_is_ok(status))
        status = look_behind(r, err);
    tut_free(r->refs);
    tut_free(r->tasks);
    tut_budget_heap_return(x->budget, r->charged);
    return status;
}

extern const tut_format tut_format_rds;

const tut_format tut_format_rds = {
    .name = "r",
    .label = "R data",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".rds .rda .rdata .rdb",
    .reads = "every item, bytecode too: promises, calls and functions by name, ALTREP, raw vectors",
    .rules = "r data",
};
