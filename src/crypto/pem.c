#include "crypto/pem.h"

#include "crypto/base64.h"
#include "crypto/openssl.h"

enum { LABEL_MAX = 64 };

static const tut_str begin = {"-----BEGIN ", 11};
static const tut_str end = {"-----END ", 9};
static const tut_str dashes = {"-----", 5};

/* The first line of *text without its end; *text moves behind it. */
static tut_str take_line(tut_str *text)
{
    const char *lf = memchr(text->data, '\n', text->len);
    size_t len = lf ? (size_t)(lf - text->data) : text->len;
    tut_str line = {text->data, len};
    size_t used = lf ? len + 1 : len;
    *text = (tut_str){text->data + used, text->len - used};
    while (line.len && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' '))
        line.len--;
    return line;
}

/* "-----BEGIN LABEL-----" -> LABEL */
static bool is_edge(tut_str line, tut_str prefix, tut_str *ret_label)
{
    if (line.len < prefix.len + dashes.len || !tut_str_starts(line, prefix) ||
        !tut_str_ends(line, dashes))
        return false;
    *ret_label = (tut_str){line.data + prefix.len, line.len - prefix.len - dashes.len};
    return true;
}

static bool find_begin(tut_str *text, tut_str *ret_label)
{
    while (text->len)
        if (is_edge(take_line(text), begin, ret_label))
            return true;
    return false;
}

/* The lines up to the end, joined. */
static tut_status gather(tut_str *text, tut_str label, tut_buf *body, tut_error *err)
{
    while (text->len) {
        tut_str line = take_line(text);
        tut_str found;
        if (is_edge(line, end, &found)) {
            if (!tut_str_eq(found, label))
                return tut_fail(err, TUT_MALFORMED, "a PEM block ends under another name");
            return tut_buf_check(body, err);
        }
        if (memchr(line.data, ':', line.len))
            return tut_fail(err, TUT_UNSUPPORTED,
                            "the PEM block has headers, as keys under the old encryption of "
                            "OpenSSL do; convert it: openssl pkcs8 -topk8 -in OLD -out NEW");
        tut_buf_add_str(body, line);
    }
    return tut_fail(err, TUT_TRUNCATED, "a PEM block has no end");
}

tut_status tut_pem_next(tut_str *text, bool *ret_found, tut_pem_block *ret_block, tut_error *err)
{
    tut_str label;
    if (!find_begin(text, &label)) {
        *ret_found = false;
        return TUT_SUCCESS;
    }
    if (label.len == 0 || label.len > LABEL_MAX)
        return tut_fail(err, TUT_MALFORMED, "a PEM block has no sensible name");
    /* Made once at full size, so that no copy of a secret is left behind by growth. */
    tut_buf body = TUT_BUF_INIT;
    tut_buf der = TUT_BUF_INIT;
    if (tut_buf_extend(&body, text->len))
        body.len = 0;
    tut_status status = gather(text, label, &body, err);
    if (tut_is_ok(status)) {
        status = tut_base64_read(tut_buf_str(&body), false, &der);
        if (!tut_is_ok(status))
            status = status.code == TUT_NOMEM
                         ? tut_fail(err, TUT_NOMEM, "memory ran out")
                         : tut_fail(err, TUT_MALFORMED, "a PEM block does not hold sound base64");
    }
    tut_wipe(body.data, body.len);
    tut_buf_done(&body);
    if (!tut_is_ok(status)) {
        tut_wipe(der.data, der.cap);
        tut_buf_done(&der);
        return status;
    }
    *ret_found = true;
    *ret_block = (tut_pem_block){label, der};
    return TUT_SUCCESS;
}

void tut_pem_add(tut_buf *out, const char *label, tut_span der)
{
    tut_buf_printf(out, "-----BEGIN %s-----\n", label);
    tut_base64_add_lines(out, der);
    tut_buf_printf(out, "-----END %s-----\n", label);
}
