/*
 * supply.sources: does each component from outside come from a source that this organisation
 * approved, and is its way here known: the digest that is pinned is the one that is there, and it
 * is said when it was fetched, or a registered person signed these very bytes?
 */
#include "assess/collect_internal.h"
#include "base/json_write.h"

enum { URL_CHARS = 120 };

typedef struct origin_check {
    tut_batch *b;
    const tut_inventory_item *item;
    const tut_asset *asset;
    const char *key;      /* by which a registered person signed it, where that is asked; or NULL */
    tut_time ends;        /* the first approval to end; INT64_MAX: none does */
    tut_buf failed, open; /* what speaks against it; what is not known */
    tut_json *j;          /* the body */
    size_t addresses;
} origin_check;

static void origin_check_done(origin_check *c)
{
    tut_buf_done(&c->failed);
    tut_buf_done(&c->open);
    tut_json_free(c->j);
}

static void add_words(tut_buf *to, const char *before, tut_str what)
{
    tut_buf_add_z(to, to->len ? "; " : "");
    tut_buf_add_z(to, before);
    tut_buf_add_escaped(to, what, URL_CHARS);
}

/* The approval in force that covers the address and holds longest; NULL: none. */
static const tut_approved_source *find_approval(const origin_check *c, tut_str url)
{
    const tut_system *s = c->b->c->system;
    const tut_approved_source *best = NULL;
    for (size_t i = 0; i < s->source_count; i++) {
        const tut_approved_source *a = &s->sources[i];
        if (tut_approved_lack(a, c->b->c->to) || !tut_url_is_below(a->prefix, url))
            continue;
        if (!best || !a->has_expires || (best->has_expires && a->expires > best->expires))
            best = a;
        if (!best->has_expires)
            break;
    }
    return best;
}

static bool is_refused(const origin_check *c, tut_str url)
{
    const tut_system *s = c->b->c->system;
    for (size_t i = 0; i < s->denied_count; i++)
        if (s->denied[i].url.len && !tut_listed_lack(&s->denied[i], false, c->b->c->to) &&
            tut_url_is_below(s->denied[i].url, url))
            return true;
    return false;
}

static void check_address(origin_check *c, tut_str url)
{
    const tut_approved_source *a = find_approval(c, url);
    c->addresses++;
    tut_json_object(c->j);
    tut_json_put_str(c->j, "url", url);
    tut_json_put_or_null(c->j, "approved", a ? a->prefix : TUT_LIT(""));
    tut_json_put_or_null(c->j, "by", a ? a->by : TUT_LIT(""));
    tut_json_put_or_null(c->j, "reason", a ? a->reason : TUT_LIT(""));
    if (a && a->has_expires)
        tut_json_put_time(c->j, "expires", a->expires);
    tut_json_end_object(c->j);
    if (is_refused(c, url))
        add_words(&c->failed, "its source is refused: ", url);
    else if (!a && c->b->c->system->source_count == 0)
        add_words(&c->open, "tutela.yaml approves no source (policy.sources) yet, so not ", url);
    else if (!a)
        add_words(&c->failed, "its source is not approved: ", url);
    else if (a->has_expires && a->expires < c->ends)
        c->ends = a->expires;
}

/* The places that a list of packages itself names; without any, its own address is the index. */
static void check_indexes(origin_check *c)
{
    const tut_found *found = c->b->c->found;
    for (size_t i = 0; i < c->item->files; i++) {
        const tut_found_file *f = &found->files[c->item->members[i]];
        for (size_t k = 0; k < f->fact_count; k++)
            if (strcmp(f->fact_keys[k], "lock.index") == 0)
                check_address(c, tut_str_of(f->fact_values[k]));
    }
}

static void check_addresses(origin_check *c)
{
    const tut_asset *a = c->asset;
    tut_json_key(c->j, "addresses");
    tut_json_array(c->j);
    if (a->url.len)
        check_address(c, a->url);
    for (size_t i = 0; i < a->source_count; i++) {
        if (a->sources[i].url.len)
            check_address(c, a->sources[i].url);
        else
            add_words(&c->failed, "one of its sources has no address", TUT_LIT(""));
    }
    check_indexes(c);
    tut_json_end_array(c->j);
    if (c->addresses == 0)
        add_words(a->is_external ? &c->failed : &c->open, "it is not said where it is from (url)",
                  TUT_LIT(""));
}

static bool has_time(const tut_asset *a)
{
    bool all_sources = a->source_count > 0;
    for (size_t i = 0; i < a->source_count; i++)
        all_sources = all_sources && a->sources[i].has_collected_at;
    return a->has_collected_at || (a->url.len == 0 && all_sources);
}

/* A component without a file here is known by who provides which version of it. */
static void check_described(origin_check *c)
{
    if (!c->asset->supplier.len)
        add_words(&c->failed, "it is not said who provides it (supplier)", TUT_LIT(""));
    if (!c->asset->version.len)
        add_words(&c->failed, "it is not said which version is used (version)", TUT_LIT(""));
}

static void check_provenance(origin_check *c)
{
    const tut_inventory_item *item = c->item;
    if (item->files == 0) {
        check_described(c);
        return;
    }
    if (!c->asset->has_digest)
        add_words(c->asset->is_external ? &c->failed : &c->open, "no digest is pinned for it",
                  TUT_LIT(""));
    else if (!tut_sha256_eq(&c->asset->digest, &item->digest))
        add_words(&c->failed, "it is not the file whose digest is pinned", TUT_LIT(""));
    if (!has_time(c->asset) && !c->key)
        add_words(
            c->asset->is_external ? &c->failed : &c->open,
            "it is neither said when it was fetched (collected_at) nor signed by a registered "
            "person",
            TUT_LIT(""));
}

static void put_provenance(origin_check *c)
{
    const tut_asset *a = c->asset;
    tut_json_key(c->j, "pinned");
    if (a->has_digest)
        tut_json_sha256(c->j, a->digest.bytes);
    else
        tut_json_null(c->j);
    if (a->has_collected_at)
        tut_json_put_time(c->j, "collected_at", a->collected_at);
    tut_json_put_bool(c->j, "signed", c->key != NULL);
    tut_json_put_or_null(c->j, "supplier", a->supplier);
    tut_json_put_or_null(c->j, "version", a->version);
}

static tut_status fill_body(origin_check *c, tut_buf *body)
{
    TUT_TRY(tut_json_new(body, &c->j));
    tut_json_object(c->j);
    tut_json_put_z(c->j, "schema", "tutela.approved/1");
    tut_json_put_z(c->j, "asset", c->item->id);
    tut_json_key(c->j, "digest");
    tut_json_sha256(c->j, c->item->digest.bytes);
    check_addresses(c);
    put_provenance(c);
    tut_json_end_object(c->j);
    return tut_json_finish(c->j, c->b->err);
}

static tut_result judge(const origin_check *c, tut_buf *text)
{
    const tut_buf *lack = c->failed.len ? &c->failed : &c->open;
    tut_buf_printf(text, "%s: ", c->item->id);
    if (lack->len) {
        tut_buf_add_str(text, tut_buf_str(lack));
        tut_buf_add_byte(text, '.');
        return c->failed.len ? TUT_RESULT_FAIL : TUT_RESULT_NOT_CHECKED;
    }
    tut_buf_printf(text, "from an approved source, at the digest that is %s%s.",
                   c->item->files ? "pinned" : "described",
                   !c->item->files      ? ""
                   : has_time(c->asset) ? ", fetched when it says"
                                        : ", signed by a registered person");
    return TUT_RESULT_PASS;
}

static tut_status check(tut_batch *b, const tut_inventory_item *item)
{
    static const tut_asset unknown;
    TUT_CLEAN(origin_check)
    c = {.b = b,
         .item = item,
         .asset = item->declared ? item->declared : &unknown,
         .ends = INT64_MAX};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!has_time(c.asset) && item->files > 0)
        TUT_TRY(tut_batch_signed_by(b, item, &c.key));
    TUT_TRY(fill_body(&c, &body));
    check_provenance(&c);
    TUT_TRY(tut_buf_check(&c.failed, b->err));
    TUT_TRY(tut_buf_check(&c.open, b->err));
    tut_record *r;
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_APPROVED, item->kind, &r));
    r->result = judge(&c, &text);
    TUT_TRY(tut_batch_rests_on(b, r, c.key));
    TUT_TRY(tut_buf_check(&text, b->err));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    if (c.ends < r->expires)
        r->expires = c.ends;
    return tut_batch_body(b, r, tut_buf_span(&body));
}

/* Of outside or unknown origin, at a digest: the scope of the row. */
static bool is_asked(const tut_inventory_item *item)
{
    return item->has_digest &&
           (!item->declared || item->declared->is_external || item->declared->origin.len == 0);
}

tut_status tut_step_approved(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    for (size_t i = 0; i < inv->count; i++)
        if (is_asked(&inv->items[i]))
            TUT_TRY(check(b, &inv->items[i]));
    return TUT_SUCCESS;
}
