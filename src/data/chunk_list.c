#include "data/chunk_list.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/limits.h"

#define SCHEMA "tutela.chunks/1"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool tut_chunk_list_is(tut_span beginning)
{
    static const char key[] = "\"chunking\"";
    size_t at = 0;
    while (at < beginning.len && is_blank(beginning.data[at]))
        at++;
    if (at == beginning.len || beginning.data[at++] != '{')
        return false;
    while (at < beginning.len && is_blank(beginning.data[at]))
        at++;
    return beginning.len - at >= sizeof(key) - 1 &&
           memcmp(beginning.data + at, key, sizeof(key) - 1) == 0;
}

tut_status tut_chunk_list_write(const tut_chunks *chunks, const tut_sha256 *digest,
                                tut_time generated, tut_buf *out, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    size_t before = out->len;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, SCHEMA, generated);
    tut_json_put_z(j, "chunking", TUT_CHUNKING);
    tut_sha256_hex(&chunks->root, hex);
    tut_json_put_z(j, "root", hex);
    tut_json_put_u64(j, "size", chunks->size);
    tut_json_key(j, "digest");
    tut_json_sha256(j, digest->bytes);
    tut_json_key(j, "chunks");
    tut_json_array(j);
    for (uint64_t i = 0; i < chunks->count && out->len - before <= TUT_LIMIT_JSON_BYTES; i++) {
        tut_sha256_hex(&chunks->items[i].leaf, hex);
        tut_json_array(j);
        tut_json_z(j, hex);
        tut_json_u64(j, chunks->items[i].size);
        tut_json_end_array(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    TUT_TRY(tut_buf_check(out, err));
    if (out->len - before > TUT_LIMIT_JSON_BYTES)
        return tut_fail(err, TUT_LIMIT,
                        "a list of %llu chunks is longer than the %u MiB that are read again",
                        (unsigned long long)chunks->count, TUT_LIMIT_JSON_BYTES >> 20);
    return TUT_SUCCESS;
}

static tut_status bad(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "the list of chunks is damaged: %s", what);
}

static tut_status read_chunk(const tut_json_value *v, bool is_last, tut_chunk *ret, tut_error *err)
{
    const tut_json_value *size = tut_json_item(v, 1);
    if (tut_json_count(v) != 2 || v->type != TUT_JSON_ARRAY || size->type != TUT_JSON_INT ||
        !tut_is_ok(tut_sha256_parse(tut_json_text(tut_json_item(v, 0)), &ret->leaf)))
        return bad(err, "a chunk is a digest and a length");
    if (size->as.integer > TUT_CHUNK_MOST || size->as.integer < (is_last ? 1 : TUT_CHUNK_LEAST))
        return bad(err, "a chunk has a length that none can have");
    ret->size = (uint32_t)size->as.integer;
    return TUT_SUCCESS;
}

static tut_status read_chunks(const tut_json_value *list, tut_chunks *c, tut_error *err)
{
    tut_merkle_range range = {0};
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY)
        return bad(err, "there are no chunks");
    c->items = tut_alloc_array((size_t)count + 1, sizeof(*c->items));
    if (!c->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        tut_chunk *chunk = &c->items[i];
        TUT_TRY(read_chunk(tut_json_item(list, i), i + 1 == count, chunk, err));
        chunk->start = c->size;
        c->size += chunk->size;
        tut_merkle_range_add(&range, &chunk->leaf);
    }
    c->count = count;
    tut_merkle_range_root(&range, &c->root);
    return TUT_SUCCESS;
}

tut_status tut_chunk_list_read(tut_span json, tut_chunks *ret_chunks, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_chunks) c = {0};
    tut_sha256 root;
    TUT_TRY(tut_json_parse(json, NULL, &doc, err));
    const tut_json_value *top = tut_json_root(doc);
    if (!tut_str_eq_z(tut_json_get_text(top, "schema"), SCHEMA))
        return tut_fail(err, TUT_UNSUPPORTED, "this is no list of chunks of the schema " SCHEMA);
    if (!tut_str_eq_z(tut_json_get_text(top, "chunking"), TUT_CHUNKING))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the chunks of the list were not cut as " TUT_CHUNKING
                        ": make it anew with --save-chunks");
    TUT_TRY(read_chunks(tut_json_get(top, "chunks"), &c, err));
    if (!tut_is_ok(tut_sha256_parse(tut_json_get_text(top, "root"), &root)) ||
        !tut_sha256_eq(&root, &c.root))
        return bad(err, "its chunks do not lead to its root");
    if (tut_json_get_int(top, "size", -1) != (int64_t)c.size)
        return bad(err, "its chunks do not come to its size");
    *ret_chunks = c;
    c = (tut_chunks){0};
    return TUT_SUCCESS;
}

static bool begins_like_a_list(const char *path)
{
    uint8_t beginning[64];
    size_t got = 0;
    tut_source source;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    bool is_list =
        tut_is_ok(tut_source_file(fd, &source, NULL)) &&
        tut_is_ok(tut_source_read_some(&source, 0, beginning, sizeof(beginning), &got, NULL)) &&
        tut_chunk_list_is((tut_span){beginning, got});
    (void)close(fd);
    return is_list;
}

tut_status tut_chunk_list_load(const char *path, bool *ret_is_list, tut_chunks *ret_chunks,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    *ret_is_list = begins_like_a_list(path);
    if (!*ret_is_list)
        return TUT_SUCCESS;
    tut_error_set_path(err, path);
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_JSON_BYTES, &json, err));
    return tut_chunk_list_read(tut_buf_span(&json), ret_chunks, err);
}
