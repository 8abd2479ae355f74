/* What people are told, by the first byte: 'q' a text as quoted-printable, 'h' as a header, both
 * decoded again; 'r' a receipt for a concern; 'c' a concern's body; 'a' an address; else a
 * bulletin. */
#include <stdlib.h>
#include <string.h>

#include "govern/bulletin.h"
#include "govern/concern.h"
#include "govern/message_channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static int digit(char c)
{
    const char *const hex = "0123456789ABCDEF";
    const char *at = c ? strchr(hex, c) : NULL;
    demand(at != NULL);
    return (int)(at - hex);
}

/* By RFC 2045, read the other way round; lines become LF. */
static void unquote(tut_str in, tut_buf *out)
{
    size_t line = 0;
    for (size_t i = 0; i < in.len; i++) {
        demand(line <= 76);
        if (in.data[i] == '\r') {
            demand(i + 1 < in.len && in.data[i + 1] == '\n');
            tut_buf_add_byte(out, '\n');
            line = 0;
            i++;
            continue;
        }
        demand((in.data[i] >= 0x20 && in.data[i] < 0x7f) || in.data[i] == '\t');
        line++;
        if (in.data[i] != '=') {
            tut_buf_add_byte(out, (uint8_t)in.data[i]);
            continue;
        }
        demand(i + 2 < in.len);
        if (in.data[i + 1] == '\r') {
            line = 0;
            i += 2;
            continue;
        }
        tut_buf_add_byte(out, (uint8_t)(digit(in.data[i + 1]) << 4 | digit(in.data[i + 2])));
        line += 2;
        i += 2;
    }
}

static void try_quoted(tut_str text)
{
    TUT_CLEAN(tut_buf) coded = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) wanted = TUT_BUF_INIT;
    tut_mail_quoted(&coded, text);
    unquote(tut_buf_str(&coded), &back);
    for (size_t i = 0; i < text.len; i++) /* ends of lines are the transport's */
        if (!(text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] == '\n'))
            tut_buf_add_byte(&wanted, (uint8_t)text.data[i]);
    tut_buf_add_byte(&wanted, '\n');
    demand(tut_str_eq(tut_buf_str(&back), tut_buf_str(&wanted)));
}

/* Nothing of a header's text ends its line, but for a fold. */
static void try_header(tut_str text)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_mail_header(&out, text);
    for (size_t i = 0, line = 0; i < out.len; i++, line++) {
        uint8_t c = out.data[i];
        if (c == '\r') {
            demand(i + 2 < out.len && out.data[i + 1] == '\n' && out.data[i + 2] == ' ');
            line = 0;
            i++;
            continue;
        }
        demand(c >= 0x20 && c < 0x7f && line <= 77);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_str text = {(const char *)data + 1, size - 1};
    tut_error err = {0};
    if (size < 1)
        return 0;
    if (data[0] == 'q') {
        try_quoted(text);
    } else if (data[0] == 'h') {
        try_header(text);
    } else if (data[0] == 'r') {
        tut_concern_receipt_file f;
        if (tut_is_ok(tut_concern_receipt_read(tut_span_of(text.data, text.len), &f, &err)))
            demand(strlen(f.says.salt) <= 64 && strlen(f.subject) <= 200);
    } else if (data[0] == 'c') {
        TUT_CLEAN(tut_concern_body) b = {.doc = NULL};
        if (!tut_is_ok(tut_concern_body_read(tut_span_of(text.data, text.len), &b, &err)))
            demand(err.text[0] != '\0');
    } else if (data[0] == 'a') {
        if (tut_message_is_address(text))
            for (size_t i = 0; i < text.len; i++)
                demand(text.data[i] > ' ' && text.data[i] < 0x7f &&
                       !strchr("<>\",;:()", text.data[i]));
    } else {
        TUT_CLEAN(tut_bulletin) b = {.name = NULL};
        tut_str all = {(const char *)data, size};
        if (tut_is_ok(tut_bulletin_parse_here("b.md", all, &b, &err)))
            demand(b.name && b.roles && b.version && b.id.len && b.title.len);
        else
            demand(err.text[0] != '\0');
    }
    return 0;
}
