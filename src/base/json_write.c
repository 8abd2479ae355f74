/*
 * Canonical JSON. Members are written as they come and put in order when their object ends: the
 * state remembers, for each open object, where each member lies in the buffer and its key as it was
 * given, and permutes the byte ranges. Objects that were written in order cost one comparison a
 * key.
 */
#include "base/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_internal.h"

typedef struct json_member {
    size_t key_at, key_len; /* in `keys` */
    size_t start, end;      /* in the output, without the comma */
} json_member;

typedef struct json_frame {
    bool is_object;
    bool has_key;        /* object: a key was written, its value is due */
    size_t start;        /* of the first member in the output */
    size_t count;        /* members or items so far */
    size_t first_member; /* object: in `members` */
    size_t first_key;    /* object: in `keys` */
} json_frame;

struct tut_json {
    tut_buf *out;
    size_t depth;
    bool has_root;
    json_member *members;
    size_t member_count, member_capacity;
    tut_buf keys;                            /* raw keys of the open objects */
    tut_buf scratch;                         /* one object being put in order */
    json_frame frames[TUT_JSON_WRITE_DEPTH]; /* the last: not zeroed */
};

tut_status tut_json_new(tut_buf *out, tut_json **ret_json)
{
    tut_json *j = tut_realloc_array(NULL, 1, sizeof *j);
    if (!j)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    memset(j, 0, offsetof(tut_json, frames));
    j->out = out;
    *ret_json = j;
    return TUT_SUCCESS;
}

void tut_json_onto(tut_json *j, tut_buf *out)
{
    j->out = out;
    j->depth = j->member_count = 0;
    j->has_root = false;
    tut_buf_clear(&j->keys);
    tut_buf_clear(&j->scratch);
}

void tut_json_free(tut_json *j)
{
    if (!j)
        return;
    tut_buf_done(&j->keys);
    tut_buf_done(&j->scratch);
    tut_free(j->members);
    tut_free(j);
}

static void fail(tut_json *j, tut_code code)
{
    if (j->out->failed == TUT_OK)
        j->out->failed = code;
}

/* Makes room for a value: comma between items, and the rules of where a value may stand. */
static bool begin_value(tut_json *j)
{
    if (j->out->failed != TUT_OK)
        return false;
    if (j->depth == 0) {
        if (j->has_root) {
            fail(j, TUT_BUG);
            return false;
        }
        j->has_root = true;
        return true;
    }
    json_frame *f = &j->frames[j->depth - 1];
    if (f->is_object) {
        if (!f->has_key) {
            fail(j, TUT_BUG);
            return false;
        }
        f->has_key = false;
        return true;
    }
    if (f->count++ > 0)
        tut_buf_add_byte(j->out, ',');
    return true;
}

static void begin_container(tut_json *j, bool is_object)
{
    if (!begin_value(j))
        return;
    if (j->depth == TUT_JSON_WRITE_DEPTH) {
        fail(j, TUT_LIMIT);
        return;
    }
    tut_buf_add_byte(j->out, is_object ? '{' : '[');
    j->frames[j->depth++] = (json_frame){.is_object = is_object,
                                         .start = j->out->len,
                                         .first_member = j->member_count,
                                         .first_key = j->keys.len};
}

void tut_json_object(tut_json *j)
{
    begin_container(j, true);
}

void tut_json_array(tut_json *j)
{
    begin_container(j, false);
}

void tut_json_end_array(tut_json *j)
{
    if (j->out->failed != TUT_OK)
        return;
    if (j->depth == 0 || j->frames[j->depth - 1].is_object) {
        fail(j, TUT_BUG);
        return;
    }
    j->depth--;
    tut_buf_add_byte(j->out, ']');
}

/*
 * Order by UTF-16 code units over UTF-8 bytes: the same as bytewise, but for characters beyond
 * U+FFFF (lead bytes F0 to F4), whose surrogates sort before U+E000..U+FFFF (lead bytes EE and EF).
 */
static int compare_utf16(tut_str a, tut_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    while (i < common && a.data[i] == b.data[i])
        i++;
    if (i == common)
        return (a.len > b.len) - (a.len < b.len);
    uint8_t x = (uint8_t)a.data[i];
    uint8_t y = (uint8_t)b.data[i];
    if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0))
        return x >= 0xF0 ? -1 : 1;
    return x < y ? -1 : 1;
}

static tut_str member_key(const tut_buf *keys, const json_member *m)
{
    return (tut_str){(const char *)keys->data + m->key_at, m->key_len};
}

static int compare_members(const void *a, const void *b, void *keys)
{
    return compare_utf16(member_key(keys, a), member_key(keys, b));
}

enum { FEW = 32 }; /* members that are put in order faster by hand */

static void put_in_order(json_member *m, size_t count, tut_buf *keys)
{
    if (count > FEW) {
        qsort_r(m, count, sizeof *m, compare_members, keys);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        json_member moved = m[i];
        size_t at = i;
        for (; at > 0 && compare_members(&m[at - 1], &moved, keys) > 0; at--)
            m[at] = m[at - 1];
        m[at] = moved;
    }
}

static void sort_members(tut_json *j, const json_frame *f)
{
    json_member *m = j->members + f->first_member;
    bool is_sorted = true;
    for (size_t i = 1; i < f->count && is_sorted; i++)
        is_sorted = compare_members(&m[i - 1], &m[i], &j->keys) < 0;
    if (is_sorted)
        return;

    put_in_order(m, f->count, &j->keys);
    tut_buf_clear(&j->scratch);
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0) {
            if (compare_members(&m[i - 1], &m[i], &j->keys) == 0) {
                fail(j, TUT_MALFORMED);
                return;
            }
            tut_buf_add_byte(&j->scratch, ',');
        }
        tut_buf_add(&j->scratch, j->out->data + m[i].start, m[i].end - m[i].start);
    }
    if (j->scratch.failed != TUT_OK)
        fail(j, j->scratch.failed);
    else
        memcpy(j->out->data + f->start, j->scratch.data, j->scratch.len);
}

void tut_json_end_object(tut_json *j)
{
    if (j->out->failed != TUT_OK)
        return;
    if (j->depth == 0 || !j->frames[j->depth - 1].is_object || j->frames[j->depth - 1].has_key) {
        fail(j, TUT_BUG);
        return;
    }
    json_frame *f = &j->frames[--j->depth];
    if (f->count > 0) {
        j->members[j->member_count - 1].end = j->out->len;
        sort_members(j, f);
    }
    j->member_count = f->first_member;
    j->keys.len = f->first_key;
    tut_buf_add_byte(j->out, '}');
}

/* Appends s as UTF-8, U+FFFD for each byte that is none. */
static void add_utf8(tut_buf *b, tut_str s)
{
    while (s.len > 0) {
        size_t good = 0;
        while (good < s.len) {
            uint32_t codepoint;
            size_t n = (uint8_t)s.data[good] < 0x80
                           ? 1
                           : tut_utf8_len((tut_str){s.data + good, s.len - good}, &codepoint);
            if (n == 0)
                break;
            good += n;
        }
        tut_buf_add(b, s.data, good);
        s = (tut_str){s.data + good, s.len - good};
        if (s.len > 0) {
            tut_buf_add_z(b, "\xEF\xBF\xBD");
            s = (tut_str){s.data + 1, s.len - 1};
        }
    }
}

static void add_escape(tut_buf *b, uint8_t c)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *p = shorts; *p; p += 2) {
        if ((uint8_t)*p == c) {
            tut_buf_add_byte(b, '\\');
            tut_buf_add_byte(b, (uint8_t)p[1]);
            return;
        }
    }
    tut_buf_add_z(b, "\\u00");
    tut_buf_add_hex(b, &c, 1);
}

/* Up to the next byte that is no plain ASCII, eight at a time. */
static size_t plain_run(tut_str s, size_t at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    while (s.len - at >= sizeof(uint64_t)) {
        uint64_t w;
        memcpy(&w, s.data + at, sizeof(w));
        uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
        uint64_t odd = w | (w - ones * 0x20) | (quote - ones) | (slash - ones);
        if (odd & tops)
            break;
        at += sizeof(w);
    }
    while (at < s.len && (uint8_t)s.data[at] >= 0x20 && (uint8_t)s.data[at] < 0x80 &&
           s.data[at] != '"' && s.data[at] != '\\')
        at++;
    return at;
}

void tut_json_add_inside(tut_buf *b, tut_str s)
{
    for (size_t at = 0; at < s.len;) {
        size_t end = plain_run(s, at);
        tut_buf_add(b, s.data + at, end - at);
        at = end;
        while (end < s.len && (uint8_t)s.data[end] >= 0x80)
            end++;
        if (end > at)
            add_utf8(b, (tut_str){s.data + at, end - at});
        else if (end < s.len)
            add_escape(b, (uint8_t)s.data[end++]);
        at = end;
    }
}

static void add_string(tut_buf *b, tut_str s)
{
    tut_buf_add_byte(b, '"');
    tut_json_add_inside(b, s);
    tut_buf_add_byte(b, '"');
}

/* Most keys are plain: they stand in the output as they are. */
static void add_key(tut_json *j, tut_str key, json_member *m)
{
    bool is_plain = plain_run(key, 0) == key.len;
    uint8_t *at = is_plain ? tut_buf_extend(j->out, key.len + 3) : NULL;
    m->key_at = j->keys.len;
    if (is_plain)
        tut_buf_add_str(&j->keys, key);
    else
        add_utf8(&j->keys, key);
    m->key_len = j->keys.len - m->key_at;
    if (at) {
        at[0] = '"';
        if (key.len)
            memcpy(at + 1, key.data, key.len);
        memcpy(at + 1 + key.len, "\":", 2);
    }
    if (!is_plain) {
        add_string(j->out, key);
        tut_buf_add_byte(j->out, ':');
    }
    if (j->keys.failed != TUT_OK)
        fail(j, j->keys.failed);
}

void tut_json_key_str(tut_json *j, tut_str key)
{
    if (j->out->failed != TUT_OK)
        return;
    if (j->depth == 0 || !j->frames[j->depth - 1].is_object || j->frames[j->depth - 1].has_key) {
        fail(j, TUT_BUG);
        return;
    }
    json_frame *f = &j->frames[j->depth - 1];
    if (f->count > 0) {
        j->members[j->member_count - 1].end = j->out->len;
        tut_buf_add_byte(j->out, ',');
    }
    tut_status room = tut_grow(&j->members, j->member_count, &j->member_capacity,
                               sizeof *j->members);
    if (!tut_is_ok(room)) {
        fail(j, room.code);
        return;
    }
    json_member *m = &j->members[j->member_count++];
    m->start = m->end = j->out->len;
    f->count++;
    f->has_key = true;
    add_key(j, key, m);
}

void tut_json_key(tut_json *j, const char *key)
{
    tut_json_key_str(j, tut_str_of(key));
}

void tut_json_str(tut_json *j, tut_str s)
{
    if (begin_value(j))
        add_string(j->out, s);
}

void tut_json_raw(tut_json *j, tut_str json)
{
    if (begin_value(j))
        tut_buf_add_str(j->out, json);
}

void tut_json_z(tut_json *j, const char *z)
{
    if (z)
        tut_json_str(j, tut_str_of(z));
    else
        tut_json_null(j);
}

static void add_digits(tut_buf *b, uint64_t v, bool is_negative)
{
    char text[24];
    size_t at = sizeof(text);
    do
        text[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (is_negative)
        text[--at] = '-';
    tut_buf_add(b, text + at, sizeof(text) - at);
}

void tut_json_add_int(tut_buf *b, int64_t v)
{
    add_digits(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
}

void tut_json_int(tut_json *j, int64_t v)
{
    if (begin_value(j))
        tut_json_add_int(j->out, v);
}

void tut_json_u64(tut_json *j, uint64_t v)
{
    if (begin_value(j))
        add_digits(j->out, v, false);
}

void tut_json_real(tut_json *j, double v)
{
    char text[TUT_JSON_NUMBER_TEXT];
    if (!isfinite(v))
        tut_json_null(j);
    else if (begin_value(j))
        tut_buf_add(j->out, text, tut_json_number(v, text));
}

void tut_json_bool(tut_json *j, bool v)
{
    tut_json_raw(j, v ? TUT_LIT("true") : TUT_LIT("false"));
}

void tut_json_null(tut_json *j)
{
    tut_json_raw(j, TUT_LIT("null"));
}

void tut_json_time(tut_json *j, tut_time t)
{
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(t, text);
    tut_json_z(j, text);
}

void tut_json_sha256(tut_json *j, const uint8_t digest[32])
{
    if (!begin_value(j))
        return;
    tut_buf_add_z(j->out, "{\"sha256\":\"");
    tut_buf_add_hex(j->out, digest, 32);
    tut_buf_add_z(j->out, "\"}");
}

tut_status tut_json_finish(tut_json *j, tut_error *err)
{
    if (j->out->failed == TUT_MALFORMED)
        return tut_fail(err, TUT_MALFORMED, "a key was written twice into one JSON object");
    TUT_TRY(tut_buf_check(j->out, err));
    if (j->depth > 0 || !j->has_root)
        return tut_fail(err, TUT_BUG, "a JSON document was left open");
    j->has_root = false; /* the next document may follow */
    return TUT_SUCCESS;
}
