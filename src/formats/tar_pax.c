/*
 * Headers that speak about the next member: records of pax ("x", for all that follow "g"), and long
 * names of GNU ("L", "K").
 *
 *   record = length " " key "=" value "\n"      length counts the whole record
 *
 * The last record of a key counts. Where pax and GNU name one member differently, readers differ as
 * well: GNU tar goes by pax, Go by GNU's, Python by the order of the two.
 */
#include <string.h>

#include "formats/tar_internal.h"

/* As much as GNU, Go and Python read of one extended header; names have a few hundred bytes. */
enum { EXTENDED_BYTES = 1 << 20 };

void tut_tar_extended_done(tut_tar_extended *e)
{
    tut_buf_done(&e->pax_name);
    tut_buf_done(&e->pax_link);
    tut_buf_done(&e->gnu_name);
    tut_buf_done(&e->gnu_link);
    tut_buf_done(&e->sparse_map);
    tut_buf_done(&e->sparse_name);
    *e = (tut_tar_extended){0};
}

void tut_tar_extended_clear(tut_tar_extended *e)
{
    tut_tar_extended_done(e);
}

bool tut_tar_is_extended(char type)
{
    return type == 'x' || type == 'g' || type == 'X' || type == 'L' || type == 'K';
}

static void set(tut_buf *to, bool *has, tut_str value)
{
    tut_buf_clear(to);
    tut_buf_add_str(to, value);
    *has = true;
}

static void broken(tut_tar *t, uint64_t at, const char *why)
{
    tut_exam_observe(t->x, "tar.extended-header", at, "an extended header %s", why);
}

static void set_number(tut_tar *t, uint64_t at, tut_str key, tut_str value, uint64_t *to, bool *has)
{
    if (!tut_str_u64(value, to) || *to > INT64_MAX) {
        tut_exam_observe(t->x, "tar.extended-header", at, "'%.*s' is '%.*s', which is no size",
                         TUT_TAR_SHOWN(key), TUT_TAR_SHOWN(value));
        *to = 0;
        return;
    }
    *has = true;
}

static void add_to_map(tut_tar_extended *e, tut_str value)
{
    e->is_sparse = true;
    tut_buf_add_str(&e->sparse_map, value);
    tut_buf_add_byte(&e->sparse_map, ',');
}

static void take_sparse(tut_tar *t, uint64_t at, tut_str key, tut_str value)
{
    tut_tar_extended *e = &t->next;
    if (tut_str_eq_z(key, "GNU.sparse.name")) {
        set(&e->sparse_name, &e->has_sparse_name, value);
    } else if (tut_str_eq_z(key, "GNU.sparse.map")) {
        tut_buf_clear(&e->sparse_map);
        add_to_map(e, value);
    } else if (tut_str_eq_z(key, "GNU.sparse.offset") || tut_str_eq_z(key, "GNU.sparse.numbytes")) {
        add_to_map(e, value);
    } else if (tut_str_eq_z(key, "GNU.sparse.size") || tut_str_eq_z(key, "GNU.sparse.realsize")) {
        e->is_sparse = true;
        set_number(t, at, key, value, &e->sparse_size, &e->has_sparse_size);
    } else if (tut_str_eq_z(key, "GNU.sparse.major")) {
        e->is_sparse = true;
        e->is_sparse_1_0 = tut_str_eq_z(value, "1");
    }
}

static void take_record(tut_tar *t, uint64_t at, tut_str key, tut_str value)
{
    tut_tar_extended *e = &t->next;
    bool is_name = tut_str_eq_z(key, "path"), is_link = tut_str_eq_z(key, "linkpath");
    if ((is_name || is_link) && value.len && memchr(value.data, 0, value.len))
        tut_exam_observe(t->x, "tar.nul-in-name", at,
                         "'%.*s' has a NUL byte in it: some readers stop there",
                         TUT_TAR_SHOWN(value));
    if (is_name)
        set(&e->pax_name, &e->has_pax_name, value);
    else if (is_link)
        set(&e->pax_link, &e->has_pax_link, value);
    else if (tut_str_eq_z(key, "size"))
        set_number(t, at, key, value, &e->size, &e->has_size);
    else if (tut_str_starts(key, TUT_LIT("GNU.sparse.")))
        take_sparse(t, at, key, value);
}

/* Names and sizes for all members that follow: heeded by Python, and by GNU tar only in part. */
static void take_global(tut_tar *t, uint64_t at, tut_str key, tut_str value)
{
    static const char *const telling[] = {"path", "linkpath", "size"};
    bool is_telling = tut_str_starts(key, TUT_LIT("GNU.sparse."));
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
        is_telling |= tut_str_eq_z(key, telling[i]);
    if (is_telling)
        tut_exam_observe(t->x, "tar.global-override", at,
                         "'%.*s' is set to '%.*s' for all members that follow", TUT_TAR_SHOWN(key),
                         TUT_TAR_SHOWN(value));
}

/* One record at the beginning of text; false: it is none. */
static bool next_record(tut_str *text, tut_str *ret_key, tut_str *ret_value)
{
    const char *space = memchr(text->data, ' ', text->len < 20 ? text->len : 20);
    uint64_t len = 0;
    if (!space || !tut_str_u64((tut_str){text->data, (size_t)(space - text->data)}, &len) ||
        len > text->len)
        return false;
    size_t digits = (size_t)(space - text->data) + 1;
    if (len < digits + 2 || text->data[len - 1] != '\n')
        return false;
    tut_str body = {space + 1, (size_t)len - digits - 1};
    const char *equals = memchr(body.data, '=', body.len);
    if (!equals || equals == body.data)
        return false;
    *ret_key = (tut_str){body.data, (size_t)(equals - body.data)};
    *ret_value = (tut_str){equals + 1, body.len - ret_key->len - 1};
    *text = (tut_str){text->data + len, text->len - (size_t)len};
    return true;
}

static void take_records(tut_tar *t, uint64_t at, bool is_global, tut_str text)
{
    while (text.len > 0 && text.data[0] != 0) {
        tut_str key, value;
        if (!next_record(&text, &key, &value)) {
            broken(t, at, "has a record whose length does not fit");
            return;
        }
        if (is_global)
            take_global(t, at, key, value);
        else
            take_record(t, at, key, value);
    }
}

static void take_long_name(tut_tar *t, uint64_t at, bool is_link, tut_str text)
{
    tut_tar_extended *e = &t->next;
    const char *nul = text.len ? memchr(text.data, 0, text.len) : NULL;
    tut_str name = {text.data, nul ? (size_t)(nul - text.data) : text.len};
    for (size_t i = name.len; i < text.len; i++) {
        if (text.data[i]) {
            tut_exam_observe(t->x, "tar.nul-in-name", at, "'%.*s' goes on behind a NUL byte",
                             TUT_TAR_SHOWN(name));
            break;
        }
    }
    if (is_link)
        set(&e->gnu_link, &e->has_gnu_link, name);
    else
        set(&e->gnu_name, &e->has_gnu_name, name);
}

static tut_status take_data(tut_tar *t, uint64_t size, tut_buf *data, tut_error *err)
{
    while (data->len < size) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(t->s, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return tut_fail(err, TUT_TRUNCATED, "the archive ends inside an extended header");
        size_t left = (size_t)size - data->len;
        size_t n = some.len < left ? some.len : left;
        tut_buf_add(data, some.data, n);
        TUT_TRY(tut_buf_check(data, err));
        TUT_TRY(tut_stream_skip(t->s, n));
    }
    uint64_t over = size % TUT_TAR_BLOCK;
    return over ? tut_stream_skip(t->s, TUT_TAR_BLOCK - over) : TUT_SUCCESS;
}

tut_status tut_tar_read_extended(tut_tar *t, const tut_tar_header *h, uint64_t at, tut_error *err)
{
    if (h->size > EXTENDED_BYTES) {
        broken(t, at, "is larger than readers take");
        return tut_fail(err, TUT_LIMIT, "an extended header of %llu bytes",
                        (unsigned long long)h->size);
    }
    TUT_CLEAN(tut_buf) data;
    tut_buf_init(&data, EXTENDED_BYTES);
    tut_status status = take_data(t, h->size, &data, err);
    if (status.code == TUT_TRUNCATED)
        tut_exam_observe(t->x, "tar.truncated", at, "the archive ends inside an extended header");
    TUT_TRY(status);
    if (h->type == 'L' || h->type == 'K')
        take_long_name(t, at, h->type == 'K', tut_buf_str(&data));
    else
        take_records(t, at, h->type == 'g', tut_buf_str(&data));
    return TUT_SUCCESS;
}
