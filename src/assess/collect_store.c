/*
 * store.versions: are the bytes of each asset, as they are now, a version that the log knows, and
 * has the store all that it takes to go back to it?
 * store.snapshots: and is that version signed by whom the policy wants?
 *
 * The bytes of the blobs were compared with their digests when they were last read; blobs whose
 * inode, size and times are since as then are not read again (assets/manifest.h says when that may
 * be relied on). A disk that forgets is found by `store fsck` and by the restore drill.
 */
#include "assess/collect_internal.h"
#include "assets/signed.h"
#include "base/json_write.h"
#include "store/fsck.h"
#include "store/restore.h"
#include "store/signature.h"

typedef struct candidate { /* the version that holds an item's bytes */
    const tut_inventory_item *item;
    const tut_known_version *known; /* NULL: none */
    tut_version *version;           /* NULL: its manifest cannot be read, for `problem` */
    char problem[TUT_ERROR_TEXT_MAX];
    size_t first; /* of its blobs */
    size_t unsound;
    tut_signed_by by;
} candidate;

typedef struct look {
    tut_batch *b;
    tut_store *store; /* NULL: there is none */
    tut_known_versions known;
    candidate *items;
    size_t count;
    tut_blob *blobs;
    size_t blob_count, blob_capacity;
    bool *is_sound;
} look;

static void look_done(look *l)
{
    for (size_t i = 0; i < l->count; i++)
        tut_version_free(l->items[i].version);
    tut_free(l->items);
    tut_free(l->blobs);
    tut_free(l->is_sound);
    tut_known_versions_done(&l->known);
    tut_store_free(l->store);
}

static tut_status nomem(look *l)
{
    return tut_fail(l->b->err, TUT_NOMEM, "memory ran out");
}

static bool is_wanted(const tut_inventory_item *item)
{
    return tut_batch_wants(item, TUT_CHECK_VERSIONS) || tut_batch_wants(item, TUT_CHECK_SNAPSHOTS);
}

static tut_status load(look *l, candidate *c)
{
    tut_error why = {0};
    c->known = l->store ? tut_known_latest(&l->known, c->item->id, &c->item->digest) : NULL;
    if (!c->known)
        return TUT_SUCCESS;
    tut_status status = tut_restore_load(l->store, c->known, &c->version, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(l->b->err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        tut_str_copy(c->problem, sizeof(c->problem), tut_str_of(why.text));
        return TUT_SUCCESS;
    }
    const tut_records *log = l->b->known;
    c->first = l->blob_count;
    for (size_t i = 0; i < c->version->count; i++) {
        TUT_TRY(tut_grow(&l->blobs, l->blob_count, &l->blob_capacity, sizeof(*l->blobs)));
        l->blobs[l->blob_count++] = c->version->files[i].blob;
    }
    return tut_version_signed_by(l->store, c->version, log->people, log->log_size,
                                 tut_signer_roles(l->b->c->system, c->item->kind), &c->by,
                                 l->b->err);
}

static tut_status collect(look *l)
{
    const tut_inventory *inv = l->b->c->inventory;
    const tut_fsck_options how = {.use_cache = true};
    l->items = tut_alloc_array(inv->count + 1, sizeof(*l->items));
    if (!l->items)
        return nomem(l);
    for (size_t i = 0; i < inv->count; i++) {
        if (!is_wanted(&inv->items[i]))
            continue;
        candidate *c = &l->items[l->count++];
        *c = (candidate){.item = &inv->items[i]};
        TUT_TRY(load(l, c));
    }
    l->is_sound = tut_alloc_array(l->blob_count + 1, sizeof(*l->is_sound));
    if (!l->is_sound)
        return nomem(l);
    if (l->blob_count > 0)
        TUT_TRY(
            tut_store_check_blobs(l->store, l->blobs, l->blob_count, &how, l->is_sound, l->b->err));
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; l->items[i].version && k < l->items[i].version->count; k++)
            l->items[i].unsound += !l->is_sound[l->items[i].first + k];
    return TUT_SUCCESS;
}

/* --- what is said --- */

static tut_status write_body(const candidate *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.stored/1");
    tut_json_put_z(j, "asset", c->item->id);
    tut_json_put_z(j, "tag", c->known ? c->known->tag : NULL);
    tut_json_key(j, "manifest");
    if (c->known)
        tut_json_sha256(j, c->known->manifest.bytes);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "blobs", c->version ? c->version->count : 0);
    tut_json_put_u64(j, "blobs_missing_or_damaged", c->unsound);
    tut_json_put_z(j, "problem", c->problem[0] ? c->problem : NULL);
    tut_json_put_z(j, "signature", c->version ? tut_signed_word(c->by.state) : NULL);
    tut_json_put_z(j, "key", c->by.key_id[0] ? c->by.key_id : NULL);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* Neither check can hold where the version cannot be had. */
static bool judge_whole(const look *l, const candidate *c, tut_result *ret_result, tut_buf *text)
{
    const char *id = c->item->id;
    *ret_result = TUT_RESULT_FAIL;
    if (!c->known) {
        bool has_others = l->store && tut_known_latest(&l->known, id, NULL);
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(text,
                       "%s: no version in the store holds %s bytes; tutela snapshot takes one.", id,
                       has_others ? "its present" : "its");
        return false;
    }
    if (!c->version)
        tut_buf_printf(text, "%s: the manifest of %s cannot be read: %s.", id, c->known->tag,
                       c->problem);
    else if (c->unsound > 0)
        tut_buf_printf(text, "%s: %zu of the %zu blobs of %s are missing or damaged.", id,
                       c->unsound, c->version->count, c->known->tag);
    else
        return true;
    return false;
}

static tut_status judge_versions(const look *l, const candidate *c, tut_result *ret_result,
                                 tut_buf *text)
{
    size_t versions = 0;
    if (!judge_whole(l, c, ret_result, text))
        return TUT_SUCCESS;
    for (size_t i = 0; i < l->known.count; i++)
        versions += strcmp(l->known.items[i].asset, c->item->id) == 0 &&
                    !l->known.items[i].is_pruned;
    *ret_result = TUT_RESULT_PASS;
    tut_buf_printf(text, "%s: %s holds these bytes, one of %zu %s in the log and the store.",
                   c->item->id, c->known->tag, versions, versions == 1 ? "version" : "versions");
    return TUT_SUCCESS;
}

static tut_status judge_snapshot(const look *l, const candidate *c, tut_result *ret_result,
                                 tut_buf *text)
{
    if (!judge_whole(l, c, ret_result, text))
        return TUT_SUCCESS;
    const char *id = c->item->id;
    switch (c->by.state) {
    case TUT_SIGNED_VALID:
        *ret_result = TUT_RESULT_PASS;
        tut_buf_printf(text, "%s: %s holds these bytes as %s signed them.", id, c->known->tag,
                       c->by.person->name);
        break;
    case TUT_SIGNED_INVALID:
        *ret_result = TUT_RESULT_FAIL;
        tut_buf_printf(text, "%s: the signature of %s does not count: %s.", id, c->known->tag,
                       c->by.why);
        break;
    case TUT_SIGNED_UNKNOWN:
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(text, "%s: %s.", id, c->by.why);
        break;
    case TUT_SIGNED_NOT:
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(text, "%s: %s carries no signature; sign the asset, then snapshot it again.",
                       id, c->known->tag);
        break;
    }
    return TUT_SUCCESS;
}

static tut_status record(look *l, const candidate *c, const char *check,
                         tut_status (*judge)(const look *l, const candidate *c,
                                             tut_result *ret_result, tut_buf *text))
{
    tut_batch *b = l->b;
    tut_record *r;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    if (!tut_batch_wants(c->item, check))
        return TUT_SUCCESS;
    TUT_TRY(tut_batch_evidence(b, c->item->id, &c->item->digest, check, c->item->kind, &r));
    TUT_TRY(judge(l, c, &r->result, &text));
    TUT_TRY(tut_buf_check(&text, b->err));
    if (judge == judge_snapshot && r->result == TUT_RESULT_PASS)
        TUT_TRY(tut_batch_rests_on(b, r, c->by.key_id));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    TUT_TRY(write_body(c, &body, b->err));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

tut_status tut_step_store(tut_batch *b)
{
    TUT_CLEAN(look) l = {.b = b};
    TUT_TRY(tut_store_open(tut_ledger_state_dir(b->ledger), false, &l.store, b->err));
    if (l.store)
        TUT_TRY(tut_known_versions_read(b->ledger, NULL, &l.known, b->err));
    TUT_TRY(collect(&l));
    for (size_t i = 0; i < l.count; i++) {
        TUT_TRY(record(&l, &l.items[i], TUT_CHECK_VERSIONS, judge_versions));
        TUT_TRY(record(&l, &l.items[i], TUT_CHECK_SNAPSHOTS, judge_snapshot));
    }
    return TUT_SUCCESS;
}
