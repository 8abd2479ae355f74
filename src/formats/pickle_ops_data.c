/* Opcodes that push plain data: numbers, strings, bytes, buffers. */
#include <inttypes.h>

#include "formats/pickle_machine.h"
#include "formats/pickle_nested.h"
#include "formats/pickle_text.h"

static tut_status cut_off(tut_pmachine *m)
{
    return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s", tut_popcodes[m->op].name);
}

tut_status tut_pop_none(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_NONE);
}

tut_status tut_pop_newtrue(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_TRUE);
}

tut_status tut_pop_newfalse(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_FALSE);
}

static tut_status push_decimal(tut_pmachine *m, tut_str line)
{
    uint8_t bytes[16];
    size_t len;
    int64_t small;
    if (tut_ptext_int(line, 0, &small))
        return tut_pm_push(m, tut_pv_int(&m->heap, small));
    if (tut_ptext_long(line, 0, bytes, &len))
        return tut_pm_push(m, tut_pv_long(&m->heap, tut_span_of(bytes, len), false));
    /* More digits than we count: a number all the same if it is digits alone. */
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        bool is_hex = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        if (!is_hex && c != '_' && !((c | 0x20) == 'x' && i <= 2) && !(c == '-' && i == 0))
            return tut_pm_break(m, TUT_MALFORMED, "%s: not a number", tut_popcodes[m->op].name);
    }
    if (line.len < 30)
        return tut_pm_break(m, TUT_MALFORMED, "%s: not a number", tut_popcodes[m->op].name);
    return tut_pm_push(m, tut_pv_lost(TUT_PVAL_INT));
}

tut_status tut_pop_int(tut_pmachine *m)
{
    tut_str line;
    TUT_TRY(tut_ptext_line(m, &line));
    if (tut_str_eq_z(line, "00"))
        return tut_pm_push(m, TUT_PV_FALSE);
    if (tut_str_eq_z(line, "01"))
        return tut_pm_push(m, TUT_PV_TRUE);
    return push_decimal(m, line);
}

tut_status tut_pop_long(tut_pmachine *m)
{
    tut_str line;
    TUT_TRY(tut_ptext_line(m, &line));
    if (line.len && line.data[line.len - 1] == 'L')
        line.len--;
    return push_decimal(m, line);
}

static tut_status push_uint(tut_pmachine *m, unsigned width)
{
    uint64_t n;
    if (!tut_pinput_uint(m->in, width, &n))
        return cut_off(m);
    return tut_pm_push(m, tut_pv_int(&m->heap, width == 4 ? (int32_t)(uint32_t)n : (int64_t)n));
}

tut_status tut_pop_binint(tut_pmachine *m)
{
    return push_uint(m, 4);
}

tut_status tut_pop_binint1(tut_pmachine *m)
{
    return push_uint(m, 1);
}

tut_status tut_pop_binint2(tut_pmachine *m)
{
    return push_uint(m, 2);
}

/* A length that is larger than what is left: a cut-off file, or a claim that was never meant. */
static tut_status too_long(tut_pmachine *m, uint64_t len)
{
    if (len >= TUT_LIMIT_PICKLE_CLAIM) {
        tut_pm_observe(m, "pickle.oversized-claim", "%s claims %" PRIu64 " bytes",
                       tut_popcodes[m->op].name, len);
        return tut_pm_break(m, TUT_TRUNCATED, "%s claims %" PRIu64 " bytes that are not there",
                            tut_popcodes[m->op].name, len);
    }
    return cut_off(m);
}

static tut_status push_long(tut_pmachine *m, unsigned width)
{
    uint64_t len;
    if (!tut_pinput_uint(m->in, width, &len))
        return cut_off(m);
    if (width == 4 && len > INT32_MAX)
        return tut_pm_break(m, TUT_MALFORMED, "LONG4 with a negative length");
    if (len == 0)
        return tut_pm_push(m, tut_pv_int(&m->heap, 0));
    if (len > tut_pinput_left(m->in))
        return too_long(m, len);
    size_t kept = len < TUT_LIMIT_PICKLE_TEXT_BYTES ? (size_t)len : TUT_LIMIT_PICKLE_TEXT_BYTES;
    const uint8_t *bytes = tut_pinput_peek(m->in, kept);
    if (!bytes)
        return cut_off(m);
    tut_pval v = tut_pv_long(&m->heap, tut_span_of(bytes, kept), kept < len);
    if (!tut_pinput_skip(m->in, len)) {
        tut_pv_unref(&m->heap, v);
        return cut_off(m);
    }
    return tut_pm_push(m, v);
}

tut_status tut_pop_long1(tut_pmachine *m)
{
    return push_long(m, 1);
}

tut_status tut_pop_long4(tut_pmachine *m)
{
    return push_long(m, 4);
}

tut_status tut_pop_float(tut_pmachine *m)
{
    tut_str line;
    TUT_TRY(tut_ptext_line(m, &line));
    if (!tut_ptext_is_float(line))
        return tut_pm_break(m, TUT_MALFORMED, "FLOAT: not a number");
    return tut_pm_push(m, TUT_PV_FLOAT);
}

tut_status tut_pop_binfloat(tut_pmachine *m)
{
    if (!tut_pinput_skip(m->in, 8))
        return cut_off(m);
    return tut_pm_push(m, TUT_PV_FLOAT);
}

tut_status tut_pop_next_buffer(tut_pmachine *m)
{
    /* The buffers come from outside the stream: whatever the loader's caller passes. */
    return tut_pm_push(m, tut_pv_lost(TUT_PVAL_BYTES));
}

tut_status tut_pop_readonly_buffer(tut_pmachine *m)
{
    return tut_pm_need(m, 1);
}

/* --- strings and bytes --- */

static tut_status push_line_text(tut_pmachine *m, bool is_quoted)
{
    tut_pline line;
    if (!tut_pinput_line(m->in, m->keep, TUT_LIMIT_PICKLE_TEXT_BYTES, &line))
        return cut_off(m);
    tut_str text = line.text;
    if (is_quoted) {
        bool opens = text.len >= 1 && (text.data[0] == '\'' || text.data[0] == '"');
        bool closes = line.is_cut || (text.len >= 2 && text.data[text.len - 1] == text.data[0]);
        if (!opens || !closes)
            return tut_pm_break(m, TUT_MALFORMED, "STRING without quotes");
        text = (tut_str){text.data + 1, text.len - (line.is_cut ? 1 : 2)};
    }
    size_t len;
    bool is_cut;
    bool is_sound =
        is_quoted
            ? tut_ptext_unescape(text, m->text, TUT_LIMIT_PICKLE_TEXT_BYTES, &len, &is_cut)
            : tut_ptext_raw_unicode(text, m->text, TUT_LIMIT_PICKLE_TEXT_BYTES, &len, &is_cut);
    if (!is_sound && !line.is_cut)
        return tut_pm_break(m, TUT_MALFORMED, "%s with a broken escape", tut_popcodes[m->op].name);
    if (!is_sound)
        return tut_pm_push(m, tut_pv_lost(TUT_PVAL_STR));
    tut_str decoded = {(const char *)m->text, len};
    TUT_TRY(tut_pm_push(m, tut_pv_text(&m->heap, TUT_PVAL_STR, decoded, is_cut || line.is_cut)));
    if (is_cut || line.is_cut)
        return TUT_SUCCESS;
    return tut_pnested_look_memory(m, decoded, "string");
}

tut_status tut_pop_string(tut_pmachine *m)
{
    return push_line_text(m, true);
}

tut_status tut_pop_unicode(tut_pmachine *m)
{
    return push_line_text(m, false);
}

/* A length of `width` bytes, then so many bytes; only the beginning is kept. */
static tut_status push_sized(tut_pmachine *m, unsigned width, tut_pval_type type)
{
    uint64_t len;
    if (!tut_pinput_uint(m->in, width, &len))
        return cut_off(m);
    if (len > INT64_MAX || (m->op == 'T' && len > INT32_MAX)) {
        tut_pm_observe(m, "pickle.oversized-claim", "%s claims %" PRIu64 " bytes",
                       tut_popcodes[m->op].name, len);
        return tut_pm_break(m, TUT_MALFORMED, "%s with an impossible length",
                            tut_popcodes[m->op].name);
    }
    if (len > tut_pinput_left(m->in))
        return too_long(m, len);
    if (len == 0)
        return tut_pm_push(m, tut_pv_text(&m->heap, type, TUT_LIT(""), false));
    size_t kept = len < TUT_LIMIT_PICKLE_TEXT_BYTES ? (size_t)len : TUT_LIMIT_PICKLE_TEXT_BYTES;
    const uint8_t *bytes = tut_pinput_peek(m->in, kept);
    if (!bytes)
        return too_long(m, len);
    tut_str text = {(const char *)bytes, kept};
    bool is_text = type == TUT_PVAL_STR && m->op != 'T' && m->op != 'U';
    if (is_text && kept == len && !tut_ptext_utf8_valid(text))
        return tut_pm_break(m, TUT_MALFORMED, "%s that is not UTF-8", tut_popcodes[m->op].name);
    TUT_TRY(tut_pm_push(m, tut_pv_text(&m->heap, type, text, kept < len)));
    if (type == TUT_PVAL_BYTES) {
        m->raw_begin = tut_pm_pos(m);
        m->raw_len = len;
    }
    bool is_consumed = false;
    TUT_TRY(tut_pnested_look(m, type, len, &is_consumed));
    if (!is_consumed && !tut_pinput_skip(m->in, len))
        return too_long(m, len);
    return TUT_SUCCESS;
}

tut_status tut_pop_binstring(tut_pmachine *m)
{
    return push_sized(m, 4, TUT_PVAL_STR);
}

tut_status tut_pop_short_binstring(tut_pmachine *m)
{
    return push_sized(m, 1, TUT_PVAL_STR);
}

tut_status tut_pop_short_binunicode(tut_pmachine *m)
{
    return push_sized(m, 1, TUT_PVAL_STR);
}

tut_status tut_pop_binunicode(tut_pmachine *m)
{
    return push_sized(m, 4, TUT_PVAL_STR);
}

tut_status tut_pop_binunicode8(tut_pmachine *m)
{
    return push_sized(m, 8, TUT_PVAL_STR);
}

tut_status tut_pop_binbytes(tut_pmachine *m)
{
    return push_sized(m, 4, TUT_PVAL_BYTES);
}

tut_status tut_pop_short_binbytes(tut_pmachine *m)
{
    return push_sized(m, 1, TUT_PVAL_BYTES);
}

tut_status tut_pop_binbytes8(tut_pmachine *m)
{
    return push_sized(m, 8, TUT_PVAL_BYTES);
}

tut_status tut_pop_bytearray8(tut_pmachine *m)
{
    return push_sized(m, 8, TUT_PVAL_BYTES);
}
