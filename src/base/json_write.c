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
    json_frame frames[TUT_JSON_WRITE_DEPTH];
    size_t depth;
    bool has_root;
    json_member *members;
    size_t member_count, member_capacity;
    tut_buf keys;    /* raw keys of the open objects */
    tut_buf scratch; /* one object being put in order */
};

tut_status tut_json_new(tut_buf *out, tut_json **ret_json)
{
    tut_json *j = tut_alloc_array(1, sizeof *j);
    if (!j)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    j->out = out;
    *ret_json = j;
    return TUT_SUCCESS;
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

static void sort_members(tut_json *j, const json_frame *f)
{
    json_member *m = j->members + f->first_member;
    bool is_sorted = true;
    for (size_t i = 1; i < f->count && is_sorted; i++)
        is_sorted = compare_members(&m[i - 1], &m[i], &j->keys) < 0;
    if (is_sorted)
        return;

    qsort_r(m, f->count, sizeof *m, compare_members, &j->keys);
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

static void add_string(tut_buf *b, tut_str s)
{
    tut_buf_add_byte(b, '"');
    size_t run = 0; /* start of what needs no escape */
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        add_utf8(b, (tut_str){s.data + run, i - run});
        add_escape(b, c);
        run = i + 1;
    }
    if (s.len > run)
        add_utf8(b, (tut_str){s.data + run, s.len - run});
    tut_buf_add_byte(b, '"');
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
    m->key_at = j->keys.len;
    add_utf8(&j->keys, key);
    if (j->keys.failed != TUT_OK)
        fail(j, j->keys.failed);
    m->key_len = j->keys.len - m->key_at;
    m->start = j->out->len;
    m->end = m->start;
    f->count++;
    f->has_key = true;
    add_string(j->out, key);
    tut_buf_add_byte(j->out, ':');
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

void tut_json_int(tut_json *j, int64_t v)
{
    if (begin_value(j))
        tut_buf_printf(j->out, "%lld", (long long)v);
}

void tut_json_u64(tut_json *j, uint64_t v)
{
    if (begin_value(j))
        tut_buf_printf(j->out, "%llu", (unsigned long long)v);
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

void tut_json_put_z(tut_json *j, const char *key, const char *z)
{
    tut_json_key(j, key);
    tut_json_z(j, z);
}

void tut_json_put_str(tut_json *j, const char *key, tut_str s)
{
    tut_json_key(j, key);
    tut_json_str(j, s);
}

void tut_json_put_int(tut_json *j, const char *key, int64_t v)
{
    tut_json_key(j, key);
    tut_json_int(j, v);
}

void tut_json_put_u64(tut_json *j, const char *key, uint64_t v)
{
    tut_json_key(j, key);
    tut_json_u64(j, v);
}

void tut_json_put_bool(tut_json *j, const char *key, bool v)
{
    tut_json_key(j, key);
    tut_json_bool(j, v);
}

void tut_json_put_time(tut_json *j, const char *key, tut_time t)
{
    tut_json_key(j, key);
    tut_json_time(j, t);
}

void tut_json_put_or_null(tut_json *j, const char *key, tut_str s)
{
    tut_json_key(j, key);
    if (s.len > 0)
        tut_json_str(j, s);
    else
        tut_json_null(j);
}

void tut_json_put_words(tut_json *j, const char *key, const char *words)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
        size_t len = strcspn(words, " ");
        tut_json_str(j, (tut_str){words, len});
        words += len;
    }
    tut_json_end_array(j);
}

void tut_json_head(tut_json *j, const char *schema, tut_time generated)
{
    tut_json_object(j);
    tut_json_put_z(j, "schema", schema);
    tut_json_put_z(j, "tutela", TUTELA_VERSION);
    tut_json_put_time(j, "generated", generated);
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
