/*
 * vet.provenance: does each dataset from outside say whence it came, how it was obtained, and what
 * the models use it for; and is what lies there what was taken?
 */
#include "assess/collect_internal.h"
#include "base/json_write.h"

static void add_lack(tut_buf *lacks, const char *what)
{
    tut_buf_printf(lacks, "%s%s", lacks->len ? ", " : "", what);
}

static bool is_asked(const tut_inventory_item *item)
{
    const tut_asset *a = item->declared;
    return item->kind == TUT_KIND_DATASET && item->has_digest && item->files > 0 &&
           (!a || a->is_external || a->origin.len == 0);
}

static void find_lacks(const tut_asset *a, tut_buf *lacks)
{
    if (a->obtained.len == 0)
        add_lack(lacks, "how it was obtained (obtained)");
    if (a->url.len == 0 && a->source_count == 0)
        add_lack(lacks, "where it came from (url)");
    if (a->used_for.len == 0)
        add_lack(lacks, "what it is used for (used_for)");
    if (a->licence.len == 0)
        add_lack(lacks, "under which licence (licence)");
}

static size_t unpinned(const tut_asset *a)
{
    size_t count = 0;
    for (size_t i = 0; i < a->source_count; i++)
        count += !a->sources[i].has_digest;
    return count;
}

static tut_result judge(const tut_inventory_item *item, tut_buf *text)
{
    static const tut_asset none;
    const tut_asset *a = item->declared ? item->declared : &none;
    TUT_CLEAN(tut_buf) lacks = TUT_BUF_INIT;
    find_lacks(a, &lacks);
    if (lacks.failed != TUT_OK) {
        text->failed = lacks.failed;
        return TUT_RESULT_FAIL;
    }
    if (lacks.len > 0) {
        tut_buf_printf(text, "%s does not say ", item->id);
        tut_buf_add_str(text, tut_buf_str(&lacks));
        tut_buf_add_z(text, a->is_external ? "." : "; nor whether it is from outside (origin).");
        return a->is_external ? TUT_RESULT_FAIL : TUT_RESULT_NOT_CHECKED;
    }
    if (!a->has_digest || !tut_sha256_eq(&a->digest, &item->digest)) {
        tut_buf_printf(text, "%s is not what was taken from its source: %s.", item->id,
                       a->has_digest ? "its digest is another" : "no digest was recorded");
        return TUT_RESULT_FAIL;
    }
    tut_buf_printf(text, "%s: how it was obtained, whence, and what it is used for are recorded",
                   item->id);
    size_t loose = unpinned(a);
    if (loose)
        tut_buf_printf(text, "; %zu of its %zu sources have no digest of their own", loose,
                       a->source_count);
    tut_buf_add_byte(text, '.');
    return TUT_RESULT_PASS;
}

static void put_sources(tut_json *j, const tut_asset *a)
{
    tut_json_key(j, "sources");
    tut_json_array(j);
    for (size_t i = 0; i < a->source_count; i++) {
        const tut_data_source *s = &a->sources[i];
        tut_json_object(j);
        tut_json_put_or_null(j, "url", s->url);
        if (s->has_collected_at)
            tut_json_put_time(j, "collected_at", s->collected_at);
        tut_json_key(j, "digest");
        if (s->has_digest)
            tut_json_sha256(j, s->digest.bytes);
        else
            tut_json_null(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status write_body(const tut_collection *c, size_t at, tut_buf *out, tut_error *err)
{
    static const tut_asset none;
    const tut_inventory_item *item = &c->inventory->items[at];
    const tut_asset *a = item->declared ? item->declared : &none;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.provenance/1");
    tut_json_put_z(j, "asset", item->id);
    tut_json_key(j, "digest");
    tut_json_sha256(j, item->digest.bytes);
    tut_json_put_or_null(j, "url", a->url);
    tut_json_put_or_null(j, "obtained", a->obtained);
    tut_json_put_or_null(j, "used_for", a->used_for);
    tut_json_put_or_null(j, "licence", a->licence);
    if (a->has_collected_at)
        tut_json_put_time(j, "collected_at", a->collected_at);
    put_sources(j, a);
    tut_json_key(j, "datasets");
    tut_vetting_roots(c, at, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_step_provenance(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        tut_record *r;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        if (!is_asked(item))
            continue;
        TUT_TRY(
            tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_PROVENANCE, item->kind, &r));
        r->result = judge(item, &text);
        TUT_TRY(tut_buf_check(&text, b->err));
        TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
        TUT_TRY(write_body(b->c, i, &body, b->err));
        TUT_TRY(tut_batch_body(b, r, tut_buf_span(&body)));
    }
    return TUT_SUCCESS;
}
