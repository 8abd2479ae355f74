/* Numbers and texts of R's serialisation: big endian (XDR), little endian (native), or as words. */
#include <inttypes.h>

#include "formats/rds.h"

static tut_status cut_off(tut_rds *r, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(r->x->stream),
                       "the serialised data ends too early");
}

static tut_status bad(tut_rds *r, const char *why, tut_error *err)
{
    return tut_fail_at(err, TUT_MALFORMED, tut_stream_pos(r->x->stream), "%s", why);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static tut_status skip_space(tut_rds *r, tut_error *err)
{
    const uint8_t *at = NULL;
    for (;;) {
        if (!tut_is_ok(tut_stream_peek(r->x->stream, 1, &at)))
            return cut_off(r, err);
        if (!is_space(*at))
            return TUT_SUCCESS;
        TUT_TRY(tut_stream_skip(r->x->stream, 1));
    }
}

static tut_status read_word(tut_rds *r, char *to, size_t cap, size_t *ret_len, tut_error *err)
{
    const uint8_t *at = NULL;
    size_t len = 0;
    TUT_TRY(skip_space(r, err));
    while (tut_is_ok(tut_stream_peek(r->x->stream, 1, &at)) && !is_space(*at)) {
        if (len + 1 == cap)
            return bad(r, "a number of over a hundred characters", err);
        to[len++] = (char)*at;
        TUT_TRY(tut_stream_skip(r->x->stream, 1));
    }
    *ret_len = len;
    return TUT_SUCCESS;
}

static tut_status word_int(tut_rds *r, int32_t *ret, tut_error *err)
{
    char word[100];
    size_t len = 0;
    uint64_t value = 0;
    TUT_TRY(read_word(r, word, sizeof(word), &len, err));
    bool is_negative = len > 0 && word[0] == '-';
    if (len == 2 && memcmp(word, "NA", 2) == 0) {
        *ret = INT32_MIN;
        return TUT_SUCCESS;
    }
    if (!tut_str_u64((tut_str){word + is_negative, len - is_negative}, &value) ||
        value > (uint64_t)INT32_MAX + is_negative)
        return bad(r, "no number where one is due", err);
    *ret = (int32_t)(is_negative ? -(int64_t)value : (int64_t)value);
    return TUT_SUCCESS;
}

tut_status tut_rds_int(tut_rds *r, int32_t *ret, tut_error *err)
{
    const uint8_t *b = NULL;
    if (r->form == TUT_RDS_ASCII)
        return word_int(r, ret, err);
    if (!tut_is_ok(tut_stream_take(r->x->stream, 4, &b)))
        return cut_off(r, err);
    uint32_t big = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    uint32_t little = (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
    *ret = (int32_t)(r->form == TUT_RDS_XDR ? big : little);
    return TUT_SUCCESS;
}

tut_status tut_rds_length(tut_rds *r, uint64_t *ret, tut_error *err)
{
    int32_t n = 0, high = 0, low = 0;
    TUT_TRY(tut_rds_int(r, &n, err));
    if (n >= 0) {
        *ret = (uint64_t)n;
        return TUT_SUCCESS;
    }
    if (n == -1) {
        TUT_TRY(tut_rds_int(r, &high, err));
        TUT_TRY(tut_rds_int(r, &low, err));
        *ret = (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
    }
    if (n < -1 || high < 0 || high > 65536) {
        tut_exam_observe(r->x, "r.bad-length", tut_stream_pos(r->x->stream), "a length of %" PRId32,
                         n);
        return bad(r, "a length that no vector has", err);
    }
    return TUT_SUCCESS;
}

static uint64_t left_of(const tut_rds *r)
{
    uint64_t at = tut_stream_pos(r->x->stream);
    if (r->x->size == UINT64_MAX)
        return UINT64_MAX;
    return r->x->size > at ? r->x->size - at : 0;
}

static tut_status beyond(tut_rds *r, uint64_t count, tut_error *err)
{
    tut_exam_observe(r->x, "r.bad-length", tut_stream_pos(r->x->stream),
                     "a length of %" PRIu64 ", where %" PRIu64 " bytes are left", count,
                     left_of(r));
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(r->x->stream),
                       "a vector longer than what is left");
}

tut_status tut_rds_skip_values(tut_rds *r, uint64_t count, uint32_t bytes, uint32_t words,
                               tut_error *err)
{
    uint64_t total = 0;
    char word[100];
    size_t len = 0;
    if (r->form != TUT_RDS_ASCII) {
        if (__builtin_mul_overflow(count, bytes, &total) || total > left_of(r))
            return beyond(r, count, err);
        return tut_is_ok(tut_stream_skip(r->x->stream, total)) ? TUT_SUCCESS : cut_off(r, err);
    }
    if (__builtin_mul_overflow(count, words, &total) || total > left_of(r))
        return beyond(r, count, err);
    TUT_TRY(tut_budget_steps(r->x->budget, total, err));
    for (uint64_t i = 0; i < total; i++)
        TUT_TRY(read_word(r, word, sizeof(word), &len, err));
    return TUT_SUCCESS;
}

/* One character of a text in ASCII: escapes as in C. */
static tut_status read_char(tut_rds *r, uint8_t *ret, tut_error *err)
{
    static const char from[] = "ntvbrfa\\?'\"", to[] = "\n\t\v\b\r\f\a\\?'\"";
    const uint8_t *at = NULL;
    if (!tut_is_ok(tut_stream_u8(r->x->stream, ret)))
        return cut_off(r, err);
    if (*ret != '\\')
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_stream_u8(r->x->stream, ret)))
        return cut_off(r, err);
    const char *hit = *ret ? strchr(from, *ret) : NULL;
    if (hit) {
        *ret = (uint8_t)to[hit - from];
        return TUT_SUCCESS;
    }
    if (*ret < '0' || *ret > '7')
        return TUT_SUCCESS;
    uint32_t value = (uint32_t)(*ret - '0');
    for (int i = 0;
         i < 2 && tut_is_ok(tut_stream_peek(r->x->stream, 1, &at)) && *at >= '0' && *at <= '7';
         i++) {
        value = value * 8 + (uint32_t)(*at - '0');
        TUT_TRY(tut_stream_skip(r->x->stream, 1));
    }
    *ret = (uint8_t)value;
    return TUT_SUCCESS;
}

tut_status tut_rds_text(tut_rds *r, uint64_t len, tut_str *ret_kept, tut_error *err)
{
    const uint8_t *raw = NULL;
    size_t kept = len < TUT_RDS_TEXT ? (size_t)len : TUT_RDS_TEXT;
    if (len > left_of(r))
        return beyond(r, len, err);
    *ret_kept = (tut_str){r->text, kept};
    if (r->form == TUT_RDS_ASCII) {
        TUT_TRY(tut_budget_steps(r->x->budget, len, err));
        if (len > 0)
            TUT_TRY(skip_space(r, err));
        for (uint64_t i = 0; i < len; i++) {
            uint8_t byte = 0;
            TUT_TRY(read_char(r, &byte, err));
            if (i < kept)
                r->text[i] = (char)byte;
        }
        return TUT_SUCCESS;
    }
    if (kept > 0 && !tut_is_ok(tut_stream_take(r->x->stream, kept, &raw)))
        return cut_off(r, err);
    if (kept > 0)
        memcpy(r->text, raw, kept);
    return tut_is_ok(tut_stream_skip(r->x->stream, len - kept)) ? TUT_SUCCESS : cut_off(r, err);
}
