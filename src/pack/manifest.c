#include "pack/manifest.h"

#include "base/json.h"
#include "base/json_write.h"
#include "pack/archive.h"

/* --- writing --- */

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    tut_json_sha256(j, digest->bytes);
}

static void put_head(const tut_pack_manifest *m, tut_json *j)
{
    tut_json_put_z(j, "schema", TUT_PACK_MANIFEST_SCHEMA);
    tut_json_put_str(j, "tutela", m->tutela);
    tut_json_put_time(j, "evaluated_at", m->evaluated_at);
    tut_json_key(j, "system");
    tut_json_object(j);
    tut_json_put_str(j, "name", m->system_name);
    tut_json_put_str(j, "version", m->system_version);
    if (m->has_system)
        put_digest(j, "digest", &m->system_digest);
    else
        tut_json_put_or_null(j, "digest", TUT_LIT(""));
    tut_json_end_object(j);
    tut_json_key(j, "log");
    tut_json_object(j);
    tut_json_put_str(j, "origin", m->origin);
    tut_json_put_u64(j, "size", m->log_size);
    put_digest(j, "root", &m->log_root);
    tut_json_end_object(j);
    tut_json_key(j, "tool");
    tut_json_object(j);
    put_digest(j, "binary", &m->tool.binary);
    put_digest(j, "catalogue", &m->tool.catalogue);
    put_digest(j, "rules", &m->tool.rules);
    tut_json_end_object(j);
}

static void put_files(const tut_pack_manifest *m, tut_json *j)
{
    tut_json_key(j, "files");
    tut_json_array(j);
    for (size_t i = 0; i < m->file_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "name", m->files[i].name);
        tut_json_put_u64(j, "size", m->files[i].size);
        put_digest(j, "digest", &m->files[i].digest);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "withheld");
    tut_json_array(j);
    for (size_t i = 0; i < m->withheld_count; i++) {
        tut_json_object(j);
        tut_json_put_u64(j, "entry", m->withheld[i].entry);
        put_digest(j, "digest", &m->withheld[i].digest);
        tut_json_put_str(j, "why", m->withheld[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

tut_status tut_pack_manifest_write(const tut_pack_manifest *m, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    put_head(m, j);
    put_files(m, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- reading --- */

typedef struct reading {
    tut_arena *arena;
    tut_pack_manifest *m;
    tut_error *err;
} reading;

static tut_status bad(const reading *r, const char *what)
{
    return tut_fail(r->err, TUT_MALFORMED, "%s of " TUT_PACK_MANIFEST " is missing or none", what);
}

static tut_status keep_text(const reading *r, const tut_json_value *v, const char *key,
                            tut_str *ret)
{
    const tut_json_value *text = tut_json_get(v, key);
    if (!text || text->type != TUT_JSON_STRING)
        return bad(r, key);
    const char *copy = tut_arena_copy(r->arena, text->as.string);
    if (!copy)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    *ret = (tut_str){copy, text->as.string.len};
    return TUT_SUCCESS;
}

static tut_status read_digest(const reading *r, const tut_json_value *v, const char *key,
                              tut_sha256 *ret)
{
    tut_str hex = tut_json_get_text(tut_json_get(v, key), "sha256");
    return tut_is_ok(tut_sha256_parse(hex, ret)) ? TUT_SUCCESS : bad(r, key);
}

static tut_status read_number(const reading *r, const tut_json_value *v, const char *key,
                              uint64_t *ret)
{
    const tut_json_value *n = tut_json_get(v, key);
    if (!n || n->type != TUT_JSON_INT || n->as.integer < 0)
        return bad(r, key);
    *ret = (uint64_t)n->as.integer;
    return TUT_SUCCESS;
}

static tut_status read_head(reading *r, const tut_json_value *root)
{
    tut_pack_manifest *m = r->m;
    const tut_json_value *system = tut_json_get(root, "system");
    const tut_json_value *log = tut_json_get(root, "log");
    const tut_json_value *tool = tut_json_get(root, "tool");
    const tut_json_value *digest = tut_json_get(system, "digest");
    tut_str schema = tut_json_get_text(root, "schema");
    if (!tut_str_eq_z(schema, TUT_PACK_MANIFEST_SCHEMA))
        return tut_fail(r->err, TUT_UNSUPPORTED,
                        TUT_PACK_MANIFEST " is not of the schema " TUT_PACK_MANIFEST_SCHEMA
                                          "; a later version of tutela may read it");
    TUT_TRY(keep_text(r, root, "tutela", &m->tutela));
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(root, "evaluated_at"), &m->evaluated_at)))
        return bad(r, "evaluated_at");
    TUT_TRY(keep_text(r, system, "name", &m->system_name));
    TUT_TRY(keep_text(r, system, "version", &m->system_version));
    m->has_system = digest && digest->type != TUT_JSON_NULL;
    if (m->has_system)
        TUT_TRY(read_digest(r, system, "digest", &m->system_digest));
    TUT_TRY(keep_text(r, log, "origin", &m->origin));
    TUT_TRY(read_number(r, log, "size", &m->log_size));
    TUT_TRY(read_digest(r, log, "root", &m->log_root));
    TUT_TRY(read_digest(r, tool, "binary", &m->tool.binary));
    TUT_TRY(read_digest(r, tool, "catalogue", &m->tool.catalogue));
    return read_digest(r, tool, "rules", &m->tool.rules);
}

static tut_status read_files(reading *r, const tut_json_value *list)
{
    uint32_t count = tut_json_count(list);
    tut_pack_file *files = tut_arena_take(r->arena, count + 1u, sizeof(*files));
    if (!files)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *v = tut_json_item(list, i);
        TUT_TRY(keep_text(r, v, "name", &files[i].name));
        TUT_TRY(read_number(r, v, "size", &files[i].size));
        TUT_TRY(read_digest(r, v, "digest", &files[i].digest));
        if (!tut_archive_is_name(files[i].name))
            return tut_fail(r->err, TUT_MALFORMED, TUT_PACK_MANIFEST " lists a name that none has");
        if (i > 0 && tut_str_cmp(files[i - 1].name, files[i].name) >= 0)
            return tut_fail(r->err, TUT_MALFORMED, TUT_PACK_MANIFEST " lists files out of order");
    }
    r->m->files = files;
    r->m->file_count = count;
    return TUT_SUCCESS;
}

static tut_status read_withheld(reading *r, const tut_json_value *list)
{
    uint32_t count = tut_json_count(list);
    tut_pack_withheld *items = tut_arena_take(r->arena, count + 1u, sizeof(*items));
    if (!items)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *v = tut_json_item(list, i);
        TUT_TRY(read_number(r, v, "entry", &items[i].entry));
        TUT_TRY(read_digest(r, v, "digest", &items[i].digest));
        TUT_TRY(keep_text(r, v, "why", &items[i].why));
    }
    r->m->withheld = items;
    r->m->withheld_count = count;
    return TUT_SUCCESS;
}

/* One text for what it says: nothing hides in spaces, order or further keys. */
static tut_status check_form(const reading *r, tut_span text)
{
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_TRY(tut_pack_manifest_write(r->m, &again, r->err));
    if (again.len == text.len && memcmp(again.data, text.data, text.len) == 0)
        return TUT_SUCCESS;
    return tut_fail(r->err, TUT_MALFORMED,
                    TUT_PACK_MANIFEST " is not in its one form: it was not written by tutela");
}

tut_status tut_pack_manifest_read(tut_span text, tut_arena *arena, tut_pack_manifest *ret,
                                  tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_pack_manifest m = {.log_size = 0};
    reading r = {.arena = arena, .m = &m, .err = err};
    TUT_TRY(tut_json_parse(text, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    TUT_TRY(read_head(&r, root));
    TUT_TRY(read_files(&r, tut_json_get(root, "files")));
    TUT_TRY(read_withheld(&r, tut_json_get(root, "withheld")));
    TUT_TRY(check_form(&r, text));
    *ret = m;
    return TUT_SUCCESS;
}
