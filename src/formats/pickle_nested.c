#include "formats/pickle_nested.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "formats/codec.h"
#include "formats/payload.h"
#include "formats/pickle_sniff.h"
#include "formats/pickle_text.h"

enum {
    HEAD_BYTES = 4096,   /* looked at to recognise */
    LEAST_BYTES = 10,    /* nothing shorter does harm */
    LEAST_TEXT = 20,     /* base64 of such */
    TEXT_LOOK = 256,     /* enough to tell text from packed bytes */
    DECODED_HEAD = 1024, /* of base64 or hexadecimal text, to recognise what it holds */
};

typedef enum form { FORM_NONE, FORM_RAW, FORM_BASE64, FORM_HEX } form;

/* --- decoding --- */

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool tut_pnested_base64(tut_str text, uint8_t *to, size_t cap, size_t *ret_len)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '=' || c == '\n' || c == '\r' || c == ' ')
            continue;
        int digit = base64_digit(c);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (len == cap)
            break;
        to[len++] = (uint8_t)(bits >> count);
    }
    *ret_len = len;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool tut_pnested_hex(tut_str text, uint8_t *to, size_t cap, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i + 1 < text.len && len < cap; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[len++] = (uint8_t)(high << 4 | low);
    }
    *ret_len = len;
    return text.len % 2 == 0;
}

/* --- recognising --- */

/* bz2's magic is letters, so text may begin with it; packed bytes are never valid UTF-8 for long.
 */
static bool is_text(tut_span head)
{
    size_t len = head.len < TEXT_LOOK ? head.len : TEXT_LOOK;
    for (size_t cut = 0; cut < 4 && cut < len; cut++) {
        if (tut_ptext_utf8_valid((tut_str){(const char *)head.data, len - cut}))
            return true;
    }
    return false;
}

/* Compressed bytes that can be decoded; nobody can do anything with others. */
static bool is_packed(tut_codec codec, tut_span head, uint64_t size)
{
    uint8_t decoded[DECODED_HEAD];
    bool is_broken = false;
    size_t got = tut_codec_preview(codec, head, decoded, sizeof decoded, &is_broken);
    if (codec == TUT_CODEC_ZLIB || codec == TUT_CODEC_LZMA)
        return !is_broken && got >= 16;
    if (codec == TUT_CODEC_BZIP2 && is_text(head))
        return false;
    if (is_broken) /* a header by chance, unless what came out so far is worth something */
        return tut_psniff_is_pickle(tut_span_of(decoded, got), UINT64_MAX);
    return got > 0 || head.len < size;
}

/* Something that another examiner should see: a pickle, an archive, compressed bytes. */
static bool is_artefact(tut_span head, uint64_t size)
{
    static const uint8_t zip[] = {'P', 'K', 3, 4};
    if (head.len < LEAST_BYTES)
        return false;
    if (memcmp(head.data, zip, sizeof zip) == 0)
        return true;
    tut_codec codec;
    if (tut_codec_detect(head, &codec))
        return is_packed(codec, head, size);
    return tut_psniff_is_pickle(head, size);
}

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A marshalled code object as compile() makes it for a module: no arguments, then the number of
 * locals (before Python 3.11), stack size, flags, and the bytecode as a string. */
static bool is_code_object(tut_span head, uint64_t size)
{
    static const uint8_t none[12] = {0};
    if (head.len < 32 || (head.data[0] & 0x7f) != 0x63 || memcmp(head.data + 1, none, 12) != 0)
        return false;
    for (size_t at = 21; at <= 25; at += 4) {
        if ((head.data[at] & 0x7f) == 's' && u32(head.data + at - 8) < 10000 &&
            u32(head.data + at + 1) > 0 && u32(head.data + at + 1) < size)
            return true;
    }
    return false;
}

static form recognise(tut_pmachine *m, tut_str head, uint64_t size)
{
    tut_span bytes = tut_span_of(head.data, head.len);
    if (is_code_object(bytes, size)) {
        tut_pm_observe(m, "pickle.code-object", "%" PRIu64 " bytes are a marshalled code object",
                       size);
        return FORM_NONE;
    }
    const char *program = tut_payload_program(bytes);
    if (program) {
        tut_pm_observe(m, "data.hidden-payload", "%s lies in a value of %" PRIu64 " bytes", program,
                       size);
        return FORM_NONE;
    }
    if (is_artefact(bytes, size))
        return FORM_RAW;
    if (size < LEAST_TEXT || base64_digit(head.data[0]) < 0)
        return FORM_NONE;
    uint8_t decoded[DECODED_HEAD];
    size_t len;
    tut_str some = {head.data, head.len < DECODED_HEAD ? head.len : DECODED_HEAD};
    bool is_whole = some.len == size;
    if (tut_pnested_hex((tut_str){some.data, some.len & ~(size_t)1}, decoded, sizeof decoded,
                        &len) &&
        is_artefact(tut_span_of(decoded, len), is_whole ? len : UINT64_MAX))
        return FORM_HEX;
    if (tut_pnested_base64(some, decoded, sizeof decoded, &len) &&
        is_artefact(tut_span_of(decoded, len), is_whole ? len : UINT64_MAX))
        return FORM_BASE64;
    return FORM_NONE;
}

/* --- handing on --- */

static tut_status hand_on(tut_pmachine *m, const tut_source *source, form is, const char *what)
{
    static const char *const form_names[] = {"", "", "base64 ", "hex "};
    char name[80];
    int len = snprintf(name, sizeof name, "%s%s@%" PRIu64, form_names[is], what, m->op_at);
    tut_error err = {0};
    return m->x->ops->member(m->x->ctx, (tut_str){name, (size_t)len}, source, NULL, source->size,
                             &err);
}

static tut_status hand_on_text(tut_pmachine *m, tut_str text, form is, const char *what)
{
    if (is == FORM_RAW) {
        tut_source source = tut_source_memory(tut_span_of(text.data, text.len));
        return hand_on(m, &source, is, what);
    }
    tut_budget *budget = m->x->budget;
    if (!tut_is_ok(tut_budget_heap(budget, text.len, NULL)))
        return TUT_SUCCESS; /* what calls it is reported in any case */
    TUT_AUTO_FREE uint8_t *decoded = tut_realloc_array(NULL, text.len + 1, 1);
    size_t len = 0;
    tut_status status = decoded ? TUT_SUCCESS : (tut_status){TUT_NOMEM};
    if (decoded && (is == FORM_HEX ? tut_pnested_hex(text, decoded, text.len, &len)
                                   : tut_pnested_base64(text, decoded, text.len, &len))) {
        tut_source source = tut_source_memory(tut_span_of(decoded, len));
        status = hand_on(m, &source, is, what);
    }
    tut_budget_heap_return(budget, text.len);
    return status;
}

static bool is_wanted(const tut_pmachine *m, uint64_t len)
{
    return m->x && m->x->ops->member && !m->is_candidate && len >= LEAST_BYTES;
}

tut_status tut_pnested_look_memory(tut_pmachine *m, tut_str content, const char *what)
{
    if (!is_wanted(m, content.len))
        return TUT_SUCCESS;
    form is = recognise(m, content, content.len);
    if (is == FORM_NONE)
        return TUT_SUCCESS;
    /* The nested examination may take long: the content must not lie in our own buffers. */
    TUT_AUTO_FREE char *copy = tut_strndup(content.data, content.len);
    if (!copy)
        return (tut_status){TUT_NOMEM};
    return hand_on_text(m, (tut_str){copy, content.len}, is, what);
}

/* All `len` bytes into `out`: from the source when there is one, else by consuming the stream. */
static tut_status read_whole(tut_pmachine *m, uint64_t len, tut_buf *out, bool *ret_is_consumed)
{
    const tut_source *source = m->in->stream ? tut_stream_source(m->in->stream) : NULL;
    if (source) {
        uint8_t *to = tut_buf_extend(out, (size_t)len);
        return to ? tut_source_read(source, tut_pm_pos(m), to, (size_t)len, NULL)
                  : (tut_status){TUT_NOMEM};
    }
    *ret_is_consumed = true;
    while (len > 0) {
        tut_span some = tut_pinput_peek_some(
            m->in, len < TUT_LIMIT_WINDOW_BYTES ? (size_t)len : TUT_LIMIT_WINDOW_BYTES);
        if (some.len == 0)
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s",
                                tut_popcodes[m->op].name);
        tut_buf_add(out, some.data, some.len);
        len -= some.len;
        if (!tut_pinput_skip(m->in, some.len))
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s",
                                tut_popcodes[m->op].name);
    }
    return tut_buf_check(out, NULL);
}

static tut_status look_whole(tut_pmachine *m, uint64_t len, form is, const char *what,
                             bool *ret_is_consumed)
{
    if (len > TUT_LIMIT_MEMBER_BYTES || !tut_is_ok(tut_budget_heap(m->x->budget, len, NULL))) {
        tut_pm_observe(m, "pickle.nested-too-large",
                       "%s hold another artefact of %" PRIu64 " bytes, which was not read", what,
                       len);
        return TUT_SUCCESS;
    }
    TUT_CLEAN(tut_buf) whole;
    tut_buf_init(&whole, TUT_LIMIT_MEMBER_BYTES);
    tut_status status = read_whole(m, len, &whole, ret_is_consumed);
    if (tut_is_ok(status))
        status = hand_on_text(m, tut_buf_str(&whole), is, what);
    tut_budget_heap_return(m->x->budget, len);
    return status;
}

tut_status tut_pnested_look(tut_pmachine *m, tut_pval_type type, uint64_t len,
                            bool *ret_is_consumed)
{
    if (!is_wanted(m, len))
        return TUT_SUCCESS;
    const char *what = type == TUT_PVAL_BYTES ? "bytes" : "string";
    tut_span head = tut_pinput_peek_some(m->in, len < HEAD_BYTES ? (size_t)len : HEAD_BYTES);
    form is = recognise(m, tut_str_from(head), len);
    if (is == FORM_NONE)
        return TUT_SUCCESS;
    const tut_source *source = m->in->stream ? tut_stream_source(m->in->stream) : NULL;
    tut_source slice;
    if (is == FORM_RAW && source && tut_is_ok(tut_source_slice(source, tut_pm_pos(m), len, &slice)))
        return hand_on(m, &slice, is, what);
    return look_whole(m, len, is, what, ret_is_consumed);
}
