/* tutela store keys: where every wrapped copy of a data key lies. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cmd/store_open.h"

static tut_status put_key(tut_json *j, const tut_known_version *k, const tut_version *v)
{
    char digest[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(&k->manifest, digest);
    tut_json_object(j);
    tut_json_put_z(j, "asset", k->asset);
    tut_json_put_u64(j, "version", k->number);
    tut_json_put_z(j, "key", v->key_id);
    tut_json_put_z(j, "algorithm", "A256KW");
    tut_json_put_z(j, "wrapped_by", "store.key");
    tut_json_put_z(j, "manifest", digest);
    tut_json_put_z(j, "member", "annotations/tutela.key.wrapped");
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

typedef struct listing {
    tut_json *j;      /* or */
    tut_table *table; /* NULL: the other one */
    size_t count, unread;
    tut_error *err;
} listing;

static tut_status list_one(listing *l, const tut_opened_store *s, const tut_known_version *k)
{
    TUT_AUTO(tut_version) v = NULL;
    char hex[TUT_SHA256_HEX];
    tut_status status = tut_version_load(s->store, &k->manifest, &v, l->err);
    if (status.code == TUT_STORE || status.code == TUT_MALFORMED) {
        l->unread += !k->is_pruned;
        return TUT_SUCCESS;
    }
    TUT_TRY(status);
    if (!v->has_key)
        return TUT_SUCCESS;
    l->count++;
    if (l->j)
        return put_key(l->j, k, v);
    tut_sha256_hex(&k->manifest, hex);
    tut_table_cell_z(l->table, TUT_STYLE_PLAIN, k->asset);
    tut_table_cellf(l->table, TUT_STYLE_PLAIN, "v%llu%s", (unsigned long long)k->number,
                    k->is_pruned ? " (pruned)" : "");
    tut_table_cell_z(l->table, TUT_STYLE_PLAIN, v->key_id);
    tut_table_cellf(l->table, TUT_STYLE_DIM, "blobs/sha256/%s", hex);
    return TUT_SUCCESS;
}

static tut_status list_all(listing *l, const tut_opened_store *s)
{
    for (size_t i = 0; i < s->known.count; i++)
        TUT_TRY(list_one(l, s, &s->known.items[i]));
    return TUT_SUCCESS;
}

static tut_status write_json(const tut_opened_store *s, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    listing l = {.j = j, .err = err};
    tut_json_head(j, "tutela.store/1", tut_time_generated());
    tut_json_key(j, "keys");
    tut_json_array(j);
    TUT_TRY(list_all(&l, s));
    tut_json_end_array(j);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "copies", l.count);
    tut_json_put_u64(j, "unread", l.unread);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const tut_args *args, const tut_opened_store *s, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_table) table = NULL;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    if (!tut_is_ok(tut_table_new(4, &table)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_table_column(table, 0, "Asset", TUT_LEFT, false);
    tut_table_column(table, 1, "Version", TUT_LEFT, false);
    tut_table_column(table, 2, "Key", TUT_LEFT, false);
    tut_table_column(table, 3, "Wrapped copy in", TUT_LEFT, true);
    listing l = {.table = table, .err = err};
    TUT_TRY(list_all(&l, s));
    if (l.count > 0)
        TUT_TRY(tut_table_print(table, &term, 0, out));
    else
        tut_buf_add_z(out, "No version is sealed.\n");
    if (l.unread > 0)
        tut_buf_printf(out, "%zu manifest%s could not be read: tutela store fsck says more.\n",
                       l.unread, l.unread == 1 ? "" : "s");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_opened_store) s = {0};
    tut_error err = {0};
    if (!tut_is_ok(tut_opened_store_open(args, false, &s, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(&s, &out, &err)
                                                     : write_text(args, &s, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_store_keys = {
    .name = "store keys",
    .summary = "List every wrapped copy of a data key",
    .help = "Confidential assets are sealed with a data key each. Its copies, wrapped by store.key "
            "in the key store, stand in the manifests listed here, and nowhere else in the store. "
            "Whoever copied the layout elsewhere has the wrapped copies too, and cannot open them "
            "without store.key.",
    .formats = "table json",
    .run = run,
};
