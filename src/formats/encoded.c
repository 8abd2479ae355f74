#include "formats/encoded.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "formats/codec.h"
#include "formats/payload.h"
#include "formats/pickle_sniff.h"
#include "formats/pickle_text.h"

enum {
    LEAST_TEXT = 20,     /* base64 of the shortest thing that does harm */
    TEXT_LOOK = 256,     /* enough to tell text from packed bytes */
    DECODED_HEAD = 1024, /* of base64 or hexadecimal text, to recognise what it holds */
};

/* --- decoding --- */

bool tut_encoded_base64(tut_str text, uint8_t *to, size_t cap, size_t *ret_len)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '=' || c == '\n' || c == '\r' || c == ' ')
            continue;
        int digit = tut_base64_digit(c);
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

bool tut_encoded_hex(tut_str text, uint8_t *to, size_t cap, size_t *ret_len)
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
    if (head.len < TUT_ENCODED_LEAST)
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

/* "data:application/octet-stream;base64,...": what stands behind the comma. */
static tut_str behind_scheme(tut_str text)
{
    size_t at;
    tut_str start = {text.data, text.len < 128 ? text.len : 128};
    if (!tut_str_starts(text, TUT_LIT("data:")) || !tut_str_find(start, TUT_LIT(";base64,"), &at))
        return text;
    return (tut_str){text.data + at + 8, text.len - at - 8};
}

bool tut_encoded_decode(tut_encoded_form form, tut_str text, uint8_t *to, size_t cap,
                        size_t *ret_len)
{
    return form == TUT_ENCODED_HEX ? tut_encoded_hex(text, to, cap, ret_len)
                                   : tut_encoded_base64(behind_scheme(text), to, cap, ret_len);
}

const char *tut_encoded_name(tut_encoded_form form)
{
    static const char *const names[] = {"", "", "base64 ", "hex "};
    return names[form];
}

static bool recognise_decoded(tut_encoded_form form, tut_str head, bool is_whole, tut_encoded *ret)
{
    uint8_t decoded[DECODED_HEAD];
    size_t len = 0;
    if (form == TUT_ENCODED_HEX)
        head.len &= ~(size_t)1;
    if (!tut_encoded_decode(form, head, decoded, sizeof(decoded), &len))
        return false;
    tut_span bytes = tut_span_of(decoded, len);
    ret->program = tut_payload_program(bytes);
    if (ret->program)
        ret->program_form = form;
    else if (is_artefact(bytes, is_whole ? len : UINT64_MAX))
        ret->form = form;
    return ret->program || ret->form != TUT_ENCODED_NONE;
}

void tut_encoded_recognise(tut_str head, uint64_t size, tut_encoded *ret)
{
    *ret = (tut_encoded){0};
    tut_span bytes = tut_span_of(head.data, head.len);
    if (is_code_object(bytes, size)) {
        ret->is_code = true;
        return;
    }
    ret->program = tut_payload_program(bytes);
    ret->program_form = TUT_ENCODED_RAW;
    if (ret->program)
        return;
    if (is_artefact(bytes, size)) {
        ret->form = TUT_ENCODED_RAW;
        return;
    }
    if (size < LEAST_TEXT || head.len < LEAST_TEXT || tut_base64_digit(head.data[0]) < 0)
        return;
    tut_str some = {head.data, head.len < DECODED_HEAD ? head.len : DECODED_HEAD};
    if (!recognise_decoded(TUT_ENCODED_HEX, some, some.len == size, ret))
        (void)recognise_decoded(TUT_ENCODED_BASE64, some, some.len == size, ret);
}

/* --- texts that an artefact carries --- */
static tut_status hand_on(tut_exam *x, tut_encoded_form form, const tut_source *source, uint64_t at,
                          tut_error *err)
{
    char name[64];
    int len = snprintf(name, sizeof(name), "%stext@%" PRIu64, tut_encoded_name(form), at);
    return x->ops->member(x->ctx, (tut_str){name, (size_t)len}, source, NULL, source->size, err);
}

static tut_status hand_on_decoded(tut_exam *x, tut_encoded_form form, tut_str text, uint64_t at,
                                  tut_error *err)
{
    if (form == TUT_ENCODED_RAW) {
        tut_source source = tut_source_memory(tut_span_of(text.data, text.len));
        return hand_on(x, form, &source, at, err);
    }
    TUT_TRY(tut_budget_heap(x->budget, text.len, err));
    TUT_AUTO_FREE uint8_t *decoded = tut_realloc_array(NULL, text.len + 1, 1);
    size_t len = 0;
    tut_status status = decoded ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (decoded && tut_encoded_decode(form, text, decoded, text.len, &len)) {
        tut_source source = tut_source_memory(tut_span_of(decoded, len));
        status = hand_on(x, form, &source, at, err);
    }
    tut_budget_heap_return(x->budget, text.len);
    return status;
}

static void tell_program(tut_exam *x, const tut_encoded *e, uint64_t at)
{
    if (e->program)
        tut_exam_observe(x, "data.hidden-payload", at, "%s lies in a %stext", e->program,
                         tut_encoded_name(e->program_form));
}

/* A text is looked into only where its first bytes say that it pays. */
static bool is_worth(tut_exam *x, tut_str head, uint64_t len, uint64_t at, bool is_seen,
                     tut_encoded *e)
{
    tut_str plain = behind_scheme(head);
    tut_encoded_recognise(plain, len - (head.len - plain.len), e);
    bool is_raw = e->form == TUT_ENCODED_RAW || (e->program && e->program_form == TUT_ENCODED_RAW);
    if (is_raw && is_seen)
        return false;
    tell_program(x, e, at);
    return e->form != TUT_ENCODED_NONE && x->ops->member;
}

tut_status tut_encoded_look(tut_exam *x, tut_str text, uint64_t at, bool is_seen, tut_error *err)
{
    tut_encoded e;
    tut_str head = {text.data, text.len < TUT_ENCODED_HEAD ? text.len : TUT_ENCODED_HEAD};
    if (text.len < LEAST_TEXT || !is_worth(x, head, text.len, at, is_seen, &e))
        return TUT_SUCCESS;
    /* The nested examination may take long: the text must not lie in the parser's own buffers. */
    TUT_AUTO_FREE char *copy = tut_strndup(text.data, text.len);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return hand_on_decoded(x, e.form, (tut_str){copy, text.len}, at, err);
}

/* All of it, or as much as a stream without a source shows. */
static tut_status hold_ahead(tut_exam *x, uint64_t at, uint64_t len, tut_buf *text, tut_error *err)
{
    tut_span some = {0};
    const tut_source *source = tut_stream_source(x->stream);
    if (source) {
        uint8_t *to = tut_buf_extend(text, (size_t)len);
        return to ? tut_source_read(source, at, to, (size_t)len, err)
                  : tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    TUT_TRY(tut_stream_peek_some(
        x->stream, len < TUT_LIMIT_PEEK_BYTES ? (size_t)len : TUT_LIMIT_PEEK_BYTES, &some));
    tut_buf_add(text, some.data, some.len);
    return tut_buf_check(text, err);
}

tut_status tut_encoded_look_ahead(tut_exam *x, uint64_t len, bool is_seen, tut_error *err)
{
    tut_encoded e;
    tut_span head = {0};
    uint64_t at = tut_stream_pos(x->stream);
    if (len < LEAST_TEXT)
        return TUT_SUCCESS;
    TUT_TRY(tut_stream_peek_some(x->stream, len < TUT_ENCODED_HEAD ? (size_t)len : TUT_ENCODED_HEAD,
                                 &head));
    if (head.len < LEAST_TEXT || !is_worth(x, tut_str_from(head), len, at, is_seen, &e))
        return TUT_SUCCESS;
    if (len > TUT_LIMIT_MEMBER_BYTES)
        return tut_fail(err, TUT_LIMIT, "a text that holds another artefact is too large");
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, TUT_LIMIT_MEMBER_BYTES);
    TUT_TRY(tut_budget_heap(x->budget, len, err));
    tut_status status = hold_ahead(x, at, len, &text, err);
    if (tut_is_ok(status))
        status = hand_on_decoded(x, e.form, tut_buf_str(&text), at, err);
    tut_budget_heap_return(x->budget, len);
    return status;
}
