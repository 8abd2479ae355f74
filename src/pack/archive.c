#include "pack/archive.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cage.h"
#include "base/limits.h"

enum {
    NAME_AT = 0,
    NAME_BYTES = 100,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    SIZE_DIGITS = 11,
    TIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    MAJOR_AT = 329,
    MINOR_AT = 337,
    END_BYTES = 2 * TUT_ARCHIVE_BLOCK,
    WINDOW = 1 << 20
};

/* GNU tar warns of times before 1970 and after now; this is what zip begins with. */
static const uint64_t fixed_time = 315532800;
static const char folder[] = TUT_PACK_FOLDER "/";
enum { FOLDER_LEN = sizeof(folder) - 1, NAME_MAX_BYTES = NAME_BYTES - 1 - FOLDER_LEN };

/* --- the one form --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool tut_archive_is_name(tut_str name)
{
    bool is_start = true;
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_slash = c == '/';
        if (is_slash ? is_start : !is_name_char(c) || (is_start && c == '.'))
            return false;
        is_start = is_slash;
    }
    return !is_start;
}

static void put_octal(uint8_t *at, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

static void compose(tut_str name, uint64_t size, uint8_t block[TUT_ARCHIVE_BLOCK])
{
    unsigned sum = 0;
    memset(block, 0, TUT_ARCHIVE_BLOCK);
    memcpy(block + NAME_AT, folder, FOLDER_LEN);
    memcpy(block + NAME_AT + FOLDER_LEN, name.data, name.len);
    put_octal(block + MODE_AT, 7, 0644);
    put_octal(block + UID_AT, 7, 0);
    put_octal(block + GID_AT, 7, 0);
    put_octal(block + SIZE_AT, SIZE_DIGITS, size);
    put_octal(block + TIME_AT, SIZE_DIGITS, fixed_time);
    memset(block + SUM_AT, ' ', 8);
    block[TYPE_AT] = '0';
    memcpy(block + MAGIC_AT, "ustar\00000", 8);
    put_octal(block + MAJOR_AT, 7, 0);
    put_octal(block + MINOR_AT, 7, 0);
    for (size_t i = 0; i < TUT_ARCHIVE_BLOCK; i++)
        sum += block[i];
    put_octal(block + SUM_AT, 6, sum);
    block[SUM_AT + 6] = '\0';
}

tut_status tut_archive_header(const char *name, uint64_t size, tut_buf *out, tut_error *err)
{
    tut_str text = tut_str_of(name);
    if (!tut_archive_is_name(text))
        return tut_fail(err, TUT_USAGE, "\"%s\" is no name for a file of a pack", name);
    if (size >> 3 * SIZE_DIGITS != 0)
        return tut_fail(err, TUT_LIMIT, "%s is too large for an archive", name);
    uint8_t *block = tut_buf_extend(out, TUT_ARCHIVE_BLOCK);
    if (!block)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    compose(text, size, block);
    return TUT_SUCCESS;
}

size_t tut_archive_padding(uint64_t size)
{
    return (size_t)(-size & (TUT_ARCHIVE_BLOCK - 1));
}

void tut_archive_sums(const tut_archive_member *members, size_t count, tut_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char hex[TUT_SHA256_HEX];
        if (strcmp(members[i].name, TUT_PACK_SUMS) == 0)
            continue;
        tut_sha256_hex(&members[i].digest, hex);
        tut_buf_add(out, hex, TUT_SHA256_HEX - 1);
        tut_buf_add_z(out, "  ");
        tut_buf_add_z(out, members[i].name);
        tut_buf_add_z(out, "\n");
    }
}

/* --- reading --- */

typedef struct reading {
    tut_archive *a;
    uint8_t *window;
    uint64_t window_at; /* offset of the window in the source */
    size_t window_len;
    uint64_t pos;
    tut_error *err;
} reading;

/* The next bytes, at least one and at most `want`, borrowed until the next call. */
static tut_status next(reading *r, uint64_t want, tut_span *ret)
{
    uint64_t in_window = r->pos - r->window_at;
    if (in_window >= r->window_len) {
        size_t got = 0;
        TUT_TRY(tut_source_read_some(&r->a->source, r->pos, r->window, WINDOW, &got, r->err));
        if (got == 0)
            return tut_fail_at(r->err, TUT_TRUNCATED, r->pos,
                               "the pack ends early, at byte %" PRIu64, r->pos);
        r->window_at = r->pos;
        r->window_len = got;
        in_window = 0;
    }
    size_t left = r->window_len - (size_t)in_window;
    *ret = tut_span_of(r->window + in_window, want < left ? (size_t)want : left);
    r->pos += ret->len;
    return TUT_SUCCESS;
}

static tut_status take(reading *r, uint8_t *to, size_t n)
{
    while (n > 0) {
        tut_span some;
        TUT_TRY(next(r, n, &some));
        memcpy(to, some.data, some.len);
        to += some.len;
        n -= some.len;
    }
    return TUT_SUCCESS;
}

static tut_status expect_zeros(reading *r, size_t n, const char *what)
{
    while (n > 0) {
        tut_span some;
        uint64_t at = r->pos;
        TUT_TRY(next(r, n, &some));
        for (size_t i = 0; i < some.len; i++)
            if (some.data[i] != 0)
                return tut_fail_at(r->err, TUT_MALFORMED, at + i,
                                   "byte %" PRIu64 " of the pack, %s, is not zero", at + i, what);
        n -= some.len;
    }
    return TUT_SUCCESS;
}

static tut_status hash_bytes(reading *r, uint64_t size, tut_sha256 *ret)
{
    tut_span some = {NULL, 0};
    if (size > 0)
        TUT_TRY(next(r, size, &some));
    if (some.len == size)
        return tut_sha256_of(some, ret, r->err);
    TUT_AUTO(tut_hasher) hasher = NULL;
    TUT_TRY(tut_hasher_new(&hasher, r->err));
    for (;;) {
        TUT_TRY(tut_hasher_add(hasher, some, r->err));
        size -= some.len;
        if (size == 0)
            return tut_hasher_finish(hasher, ret, r->err);
        if (tut_interrupted())
            return tut_fail(r->err, TUT_CANCELLED, "interrupted");
        TUT_TRY(next(r, size, &some));
    }
}

/* Name and size as the header says them, or none that the writer would have written. */
static bool parse_header(const uint8_t block[TUT_ARCHIVE_BLOCK], tut_str *ret_name,
                         uint64_t *ret_size)
{
    uint8_t again[TUT_ARCHIVE_BLOCK];
    const char *text = (const char *)block;
    tut_str name = {text + FOLDER_LEN, strnlen(text, NAME_BYTES) - FOLDER_LEN};
    uint64_t size = 0;
    if (memcmp(text, folder, FOLDER_LEN) != 0 || !tut_archive_is_name(name))
        return false;
    for (int i = 0; i < SIZE_DIGITS; i++) {
        if (block[SIZE_AT + i] < '0' || block[SIZE_AT + i] > '7')
            return false;
        size = size << 3 | (uint64_t)(block[SIZE_AT + i] - '0');
    }
    compose(name, size, again);
    *ret_name = name;
    *ret_size = size;
    return memcmp(block, again, TUT_ARCHIVE_BLOCK) == 0;
}

static tut_status refuse_header(const reading *r, uint64_t at)
{
    if (r->a->count == 0)
        return tut_fail(r->err, TUT_UNSUPPORTED,
                        "is no evidence pack of tutela: it does not begin like one");
    const char *last = r->a->members[r->a->count - 1].name;
    tut_error_set_path(r->err, last);
    return tut_fail_at(
        r->err, TUT_MALFORMED, at,
        "what follows %s, at byte %" PRIu64 " of the pack, is no header of this form", last, at);
}

static tut_status check_order(const reading *r, tut_str name)
{
    if (r->a->count == 0)
        return tut_str_eq_z(name, TUT_PACK_SUMS) ? TUT_SUCCESS : refuse_header(r, 0);
    const char *last = r->a->members[r->a->count - 1].name;
    if (tut_str_cmp(tut_str_of(last), name) < 0)
        return TUT_SUCCESS;
    return tut_fail(r->err, TUT_MALFORMED,
                    "%.*s comes after %s: the files are not in order, or twice", (int)name.len,
                    name.data, last);
}

static tut_status read_member(reading *r, const uint8_t block[TUT_ARCHIVE_BLOCK], uint64_t at)
{
    tut_archive *a = r->a;
    tut_str name;
    uint64_t size;
    if (!parse_header(block, &name, &size))
        return refuse_header(r, at);
    TUT_TRY(check_order(r, name));
    if (size > a->source.size - r->pos)
        return tut_fail_at(r->err, TUT_TRUNCATED, at,
                           "%.*s says to have %" PRIu64 " bytes, and the pack ends before",
                           (int)name.len, name.data, size);
    if (a->count == TUT_LIMIT_PACK_MEMBERS)
        return tut_fail(r->err, TUT_LIMIT, "a pack has at most %u files", TUT_LIMIT_PACK_MEMBERS);
    if (!tut_is_ok(tut_grow(&a->members, a->count, &a->capacity, sizeof(*a->members))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    tut_archive_member *m = &a->members[a->count];
    *m = (tut_archive_member){
        .name = tut_arena_copy(&a->names, name), .offset = r->pos, .size = size};
    if (!m->name)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    a->count++;
    TUT_TRY(hash_bytes(r, size, &m->digest));
    return expect_zeros(r, tut_archive_padding(size), "behind a file");
}

static tut_status read_all(reading *r)
{
    uint8_t block[TUT_ARCHIVE_BLOCK];
    static const uint8_t zeros[TUT_ARCHIVE_BLOCK];
    for (;;) {
        uint64_t at = r->pos;
        TUT_TRY(take(r, block, sizeof(block)));
        if (memcmp(block, zeros, sizeof(block)) == 0 && r->a->count > 0)
            break;
        TUT_TRY(read_member(r, block, at));
    }
    TUT_TRY(expect_zeros(r, END_BYTES - TUT_ARCHIVE_BLOCK, "at the end"));
    if (r->pos != r->a->source.size)
        return tut_fail_at(r->err, TUT_MALFORMED, r->pos,
                           "%" PRIu64 " bytes follow the end of the pack",
                           r->a->source.size - r->pos);
    return TUT_SUCCESS;
}

tut_status tut_archive_read(const tut_source *source, tut_archive *ret, tut_error *err)
{
    tut_archive a = {.source = *source};
    TUT_AUTO_FREE uint8_t *window = tut_alloc_array(WINDOW, 1);
    reading r = {.a = &a, .window = window, .err = err};
    if (!window)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (source->size > TUT_LIMIT_PACK_BYTES)
        return tut_fail(err, TUT_LIMIT, "is larger than any pack (%llu GiB)",
                        TUT_LIMIT_PACK_BYTES >> 30);
    if (source->size < TUT_ARCHIVE_BLOCK)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "is no evidence pack of tutela: it has only %" PRIu64 " bytes",
                        source->size);
    tut_arena_init(&a.names, 0);
    tut_status status = read_all(&r);
    if (!tut_is_ok(status)) {
        tut_archive_done(&a);
        return status;
    }
    *ret = a;
    return TUT_SUCCESS;
}

void tut_archive_done(tut_archive *a)
{
    tut_free(a->members);
    tut_arena_done(&a->names);
    *a = (tut_archive){.count = 0};
}

/* --- members --- */

tut_archive_member *tut_archive_from(const tut_archive *a, const char *beginning)
{
    size_t low = 0;
    size_t high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(a->members[middle].name, beginning) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return a->members + low;
}

tut_archive_member *tut_archive_find(const tut_archive *a, const char *name)
{
    tut_archive_member *m = tut_archive_from(a, name);
    return m < a->members + a->count && strcmp(m->name, name) == 0 ? m : NULL;
}

static tut_status get(const tut_archive *a, const tut_archive_member *m, bool is_checked,
                      tut_buf *out, tut_error *err)
{
    tut_sha256 digest;
    size_t size = (size_t)m->size;
    uint8_t *to = size ? tut_buf_extend(out, size) : NULL;
    if (size && !to)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (size)
        TUT_TRY(tut_source_read(&a->source, m->offset, to, size, err));
    if (!is_checked)
        return TUT_SUCCESS;
    TUT_TRY(tut_sha256_of(tut_span_of(to, size), &digest, err));
    return tut_sha256_eq(&digest, &m->digest)
               ? TUT_SUCCESS
               : tut_fail(err, TUT_IO, "changed while it was being looked at");
}

static tut_status find_and_get(const tut_archive *a, const char *name, size_t max_bytes,
                               bool is_checked, tut_buf *out, tut_error *err)
{
    const tut_archive_member *m = tut_archive_find(a, name);
    tut_status status = !m                    ? tut_fail(err, TUT_IO, "is not in the pack")
                        : m->size > max_bytes ? tut_fail(err, TUT_LIMIT, "is larger than it can be")
                                              : get(a, m, is_checked, out, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

tut_status tut_archive_get(const tut_archive *a, const char *name, size_t max_bytes, tut_buf *out,
                           tut_error *err)
{
    return find_and_get(a, name, max_bytes, true, out, err);
}

tut_status tut_archive_get_unchecked(const tut_archive *a, const char *name, size_t max_bytes,
                                     tut_buf *out, tut_error *err)
{
    return find_and_get(a, name, max_bytes, false, out, err);
}
