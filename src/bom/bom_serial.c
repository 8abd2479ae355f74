/* The serial number is derived from the facts, so that two runs over the same facts agree and any
 * other fact makes another bill. */
#include "bom/bom_internal.h"

static void add_digest(tut_buf *out, const tut_sha256 *digest)
{
    tut_buf_add(out, digest->bytes, sizeof(digest->bytes));
}

static void add_asset(const tut_bom_asset *a, tut_buf *out)
{
    const tut_str texts[] = {a->id,          a->path,         a->version,     a->supplier,
                             a->description, a->collected_at, a->released_at, a->origin,
                             a->owner,       a->licence,      a->sensitivity, a->url,
                             a->format,      a->state,        a->signature};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        tut_buf_add_sized(out, texts[i]);
    tut_buf_add_byte(out, a->has_digest);
    add_digest(out, &a->digest);
    tut_buf_add_u64le(out, a->size);
    for (size_t i = 0; i < a->edge_count; i++) {
        tut_buf_add_sized(out, a->edges[i].id);
        tut_buf_add_byte(out, a->edges[i].is_inferred);
    }
    for (size_t i = 0; i < a->fact_count; i++) {
        tut_buf_add_sized(out, a->facts[i].key);
        tut_buf_add_sized(out, a->facts[i].value);
    }
    for (size_t i = 0; i < a->source_count; i++) {
        tut_buf_add_sized(out, a->sources[i].url);
        tut_buf_add_sized(out, a->sources[i].collected_at);
        add_digest(out, &a->sources[i].digest);
    }
    for (size_t i = 0; i < a->part_count; i++) {
        tut_buf_add_sized(out, a->parts[i].path);
        add_digest(out, &a->parts[i].digest);
    }
    for (size_t i = 0; i < a->package_count; i++)
        tut_buf_add_u64le(out, a->packages[i]);
    tut_buf_add_u64le(out, UINT64_MAX);
}

static void add_conformity(const tut_bom_conformity *c, tut_buf *out)
{
    for (size_t i = 0; i < c->claim_count; i++) {
        tut_buf_add_sized(out, c->claims[i].id);
        tut_buf_add_byte(out, (uint8_t)c->claims[i].verdict);
        for (size_t k = 0; k < c->claims[i].evidence_count; k++)
            tut_buf_add_u64le(out, c->evidence[c->claims[i].evidence[k]].index);
    }
    tut_buf_add_sized(out, tut_str_of(c->log_origin));
}

tut_status tut_bom_number(tut_bom *bom, tut_error *err)
{
    TUT_CLEAN(tut_buf) facts = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_buf_add_z(&facts, "bill of materials");
    if (bom->system)
        add_digest(&facts, &bom->system->digest);
    for (size_t i = 0; i < bom->asset_count; i++)
        add_asset(&bom->assets[i], &facts);
    for (size_t i = 0; i < bom->package_count; i++) {
        tut_buf_add_sized(&facts, tut_str_of(bom->packages[i].ref));
        tut_buf_add_sized(&facts, bom->packages[i].hash);
    }
    if (bom->conformity)
        add_conformity(bom->conformity, &facts);
    TUT_TRY(tut_buf_check(&facts, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&facts), &digest, err));
    return tut_uuid_v5(&tut_uuid_space, tut_span_of(digest.bytes, sizeof(digest.bytes)),
                       &bom->serial, err);
}
