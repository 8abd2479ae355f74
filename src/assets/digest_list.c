#include "assets/digest_list.h"

#include <stdlib.h>

#include "base/limits.h"
#include "crypto/oms.h"

static tut_status bad_line(tut_error *err, size_t number, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "line %zu %s", number, what);
}

void tut_digest_list_done(tut_digest_list *list)
{
    tut_free(list->lines);
    tut_arena_done(&list->arena);
    *list = (tut_digest_list){0};
}

/* In place: the copy only gets shorter. */
static bool unescape(char *name, size_t *len)
{
    size_t to = 0;
    for (size_t from = 0; from < *len; from++) {
        char c = name[from];
        if (c == '\\') {
            if (++from == *len)
                return false;
            char code = name[from];
            c = code == 'n' ? '\n' : code == 'r' ? '\r' : code == '\\' ? '\\' : '\0';
            if (c == '\0')
                return false;
        }
        name[to++] = c;
    }
    name[to] = '\0';
    *len = to;
    return true;
}

static tut_status add_line(tut_digest_list *list, tut_str line, tut_hash_kind kind, size_t number,
                           tut_error *err)
{
    tut_digest_line item;
    bool is_escaped = line.len > 0 && line.data[0] == '\\';
    size_t hex = 2 * tut_hash_size(kind);
    if (is_escaped)
        line = (tut_str){line.data + 1, line.len - 1};
    if (line.len < hex + 3 || line.data[hex] != ' ' ||
        (line.data[hex + 1] != ' ' && line.data[hex + 1] != '*') ||
        !tut_is_ok(tut_hash_parse(kind, (tut_str){line.data, hex}, &item.digest)))
        return bad_line(err, number,
                        kind == TUT_HASH_SHA256
                            ? "is not a SHA-256 digest, two blanks and a name"
                            : "is not a BLAKE2b digest of 64 bytes, two blanks and a name");
    item.name = (tut_str){line.data + hex + 2, line.len - hex - 2};
    char *name = tut_arena_copy(&list->arena, item.name);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (is_escaped && !unescape(name, &item.name.len))
        return bad_line(err, number, "has a backslash that means nothing");
    bool has_dot = item.name.len > 2 && name[0] == '.' && name[1] == '/';
    item.name = (tut_str){name + (has_dot ? 2 : 0), item.name.len - (has_dot ? 2 : 0)};
    if (!tut_oms_name_ok(item.name))
        return bad_line(err, number, "names no relative path in UTF-8 without . and ..");
    if (list->count >= TUT_LIMIT_WALK_FILES)
        return tut_fail(err, TUT_LIMIT, "has more than %u lines", TUT_LIMIT_WALK_FILES);
    TUT_TRY(tut_grow(&list->lines, list->count, &list->capacity, sizeof(*list->lines)));
    list->lines[list->count++] = item;
    return TUT_SUCCESS;
}

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_digest_line *)a)->name, ((const tut_digest_line *)b)->name);
}

tut_status tut_digest_list_read(tut_str text, tut_hash_kind kind, tut_digest_list *ret_list,
                                tut_error *err)
{
    TUT_CLEAN(tut_digest_list) list = {0};
    size_t number = 0;
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;
        tut_str line = {text.data + at, len};
        at += len + 1;
        number++;
        if (len > 0 && line.data[0] != '#')
            TUT_TRY(add_line(&list, line, kind, number, err));
    }
    if (list.count == 0)
        return tut_fail(err, TUT_MALFORMED, "lists no digest");
    qsort(list.lines, list.count, sizeof(*list.lines), by_name);
    for (size_t i = 1; i < list.count; i++)
        if (tut_str_eq(list.lines[i - 1].name, list.lines[i].name))
            return tut_fail(err, TUT_MALFORMED, "lists \"%.*s\" twice",
                            (int)(list.lines[i].name.len < 200 ? list.lines[i].name.len : 200),
                            list.lines[i].name.data);
    *ret_list = list;
    list = (tut_digest_list){0};
    return TUT_SUCCESS;
}

bool tut_digest_list_strip(tut_digest_list *list, tut_str prefix)
{
    for (size_t i = 0; i < list->count; i++) {
        tut_str name = list->lines[i].name;
        if (!tut_str_starts(name, prefix) || name.len < prefix.len + 2 ||
            name.data[prefix.len] != '/')
            return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        list->lines[i].name.data += prefix.len + 1;
        list->lines[i].name.len -= prefix.len + 1;
    }
    return true;
}

static void add_escaped(tut_buf *out, tut_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\\' || c == '\n' || c == '\r')
            tut_buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
        else
            tut_buf_add_byte(out, (uint8_t)c);
    }
}

static bool needs_escape(tut_str text)
{
    return text.len > 0 && (memchr(text.data, '\\', text.len) ||
                            memchr(text.data, '\n', text.len) || memchr(text.data, '\r', text.len));
}

void tut_digest_list_add(tut_buf *out, tut_hash_kind kind, const tut_hash *digest, tut_str prefix,
                         tut_str name)
{
    if (needs_escape(prefix) || needs_escape(name))
        tut_buf_add_byte(out, '\\');
    tut_buf_add_hex(out, digest->bytes, tut_hash_size(kind));
    tut_buf_add_z(out, "  ");
    if (prefix.len > 0) {
        add_escaped(out, prefix);
        tut_buf_add_byte(out, '/');
    }
    add_escaped(out, name);
    tut_buf_add_byte(out, '\n');
}
