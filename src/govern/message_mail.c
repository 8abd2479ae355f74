#include <stdio.h>
#include <string.h>
#include <time.h>

#include "govern/message_channel.h"

static const char hex[] = "0123456789ABCDEF";

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

void tut_mail_quoted(tut_buf *out, tut_str text)
{
    enum { LINE = 75 }; /* and the soft break's '=' */
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        bool is_last = i + 1 == text.len || text.data[i + 1] == '\n' ||
                       (text.data[i + 1] == '\r' && i + 2 < text.len && text.data[i + 2] == '\n');
        if (c == '\n') {
            tut_buf_add_z(out, "\r\n");
            column = 0;
            continue;
        }
        if (c == '\r' && i + 1 < text.len && text.data[i + 1] == '\n')
            continue;
        /* A blank at the end of a line may get lost on the way; "." and "From " begin lines that
         * some servers change. */
        bool as_it_is = (is_plain(c) && c != '=' && !(c == ' ' && is_last) &&
                         !(column == 0 && (c == '.' || c == 'F'))) ||
                        (c == '\t' && !is_last);
        if (column + (as_it_is ? 1 : 3) > LINE) {
            tut_buf_add_z(out, "=\r\n");
            column = 0;
        }
        if (as_it_is) {
            tut_buf_add_byte(out, c);
            column++;
        } else {
            const char code[] = {'=', hex[c >> 4], hex[c & 15]};
            tut_buf_add(out, code, sizeof(code));
            column += sizeof(code);
        }
    }
    tut_buf_add_z(out, "\r\n");
}

static bool is_plain_header(tut_str text)
{
    size_t at;
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain((uint8_t)text.data[i]))
            return false;
    return text.len <= 60 && !tut_str_find(text, TUT_LIT("=?"), &at);
}

static void add_encoded(tut_buf *out, tut_str piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        uint8_t c = (uint8_t)piece.data[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (is_word)
            tut_buf_add_byte(out, c);
        else if (c == ' ')
            tut_buf_add_byte(out, '_');
        else
            tut_buf_printf(out, "=%02X", c);
    }
}

void tut_mail_header(tut_buf *out, tut_str text)
{
    enum { BYTES = 20 }; /* each may become three, and the word is 75 at most */
    if (is_plain_header(text)) {
        tut_buf_add_str(out, text);
        return;
    }
    for (size_t at = 0; at < text.len;) {
        size_t len = 0;
        uint32_t character;
        while (at + len < text.len) { /* never within a character */
            tut_str rest = {text.data + at + len, text.len - at - len};
            size_t step = tut_utf8_len(rest, &character);
            step = step ? step : 1;
            if (len + step > BYTES)
                break;
            len += step;
        }
        tut_buf_add_z(out, at ? "\r\n =?UTF-8?Q?" : "=?UTF-8?Q?");
        add_encoded(out, (tut_str){text.data + at, len});
        tut_buf_add_z(out, "?=");
        at += len;
    }
}

static void add_date(tut_buf *out, tut_time at)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    time_t t = (time_t)at;
    if (!gmtime_r(&t, &tm))
        return;
    tut_buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

/* The same for the same text to the same reader, so that a mail that came twice is seen as one. */
static void add_id(tut_buf *out, const tut_letter *l, tut_str from)
{
    size_t at = 0;
    (void)tut_str_find(from, TUT_LIT("@"), &at);
    tut_buf_add_z(out, "Message-ID: <tutela.");
    tut_buf_add_hex(out, l->digest.bytes, 16);
    tut_buf_add_str(out, (tut_str){from.data + at, from.len - at});
    tut_buf_add_z(out, ">\r\n");
}

tut_status tut_mail_write(const tut_letter *l, tut_str from, tut_buf *out, tut_error *err)
{
    add_date(out, l->at);
    tut_buf_add_z(out, "From: <");
    tut_buf_add_str(out, from);
    tut_buf_add_z(out, ">\r\nTo: <");
    tut_buf_add_str(out, l->address);
    tut_buf_add_z(out, ">\r\nSubject: ");
    tut_mail_header(out, tut_str_of(l->title));
    tut_buf_add_z(out, "\r\n");
    add_id(out, l, from);
    tut_buf_add_z(out, "X-Tutela-Message: ");
    tut_mail_header(out, tut_str_of(l->name));
    /* RFC 3834: no vacation notices, please */
    tut_buf_add_z(out, "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    tut_mail_quoted(out, l->text);
    return tut_buf_check(out, err);
}
