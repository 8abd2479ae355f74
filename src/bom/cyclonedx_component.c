/* Components: one an asset, one a package of a lock file. */
#include "bom/cyclonedx_internal.h"

static const char *component_type(const tut_bom_asset *a)
{
    switch (a->kind) {
    case TUT_KIND_MODEL:
        return "machine-learning-model";
    case TUT_KIND_DATASET:
    case TUT_KIND_PROMPT:
    case TUT_KIND_CONFIG:
    case TUT_KIND_DOCUMENT:
        return "data";
    case TUT_KIND_CODE:
        return a->files > 1 ? "application" : "file";
    case TUT_KIND_NONE:
    case TUT_KIND_SERVICE:
        break;
    }
    return "file";
}

static const char *data_type(tut_asset_kind kind)
{
    switch (kind) {
    case TUT_KIND_DATASET:
        return "dataset";
    case TUT_KIND_PROMPT:
        return "definition";
    case TUT_KIND_CONFIG:
        return "configuration";
    case TUT_KIND_NONE:
    case TUT_KIND_MODEL:
    case TUT_KIND_CODE:
    case TUT_KIND_SERVICE:
    case TUT_KIND_DOCUMENT:
        break;
    }
    return "other";
}

static void put_hash(tut_cdx *x, const char *algorithm, tut_str hex)
{
    tut_json_key(x->j, "hashes");
    tut_json_array(x->j);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "alg", algorithm);
    tut_json_put_str(x->j, "content", hex);
    tut_json_end_object(x->j);
    tut_json_end_array(x->j);
}

static void put_sha256(tut_cdx *x, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    put_hash(x, "SHA-256", tut_str_of(hex));
}

/* --- licences: what the file's maker declares, what the system's people conclude --- */

static void put_licence(tut_cdx *x, tut_str text, const char *acknowledgement)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_bom_licence_kind kind = tut_bom_licence(text, &name);
    if (kind == TUT_BOM_LICENCE_NONE)
        return;
    tut_json_object(x->j);
    if (kind == TUT_BOM_LICENCE_EXPRESSION) {
        tut_json_put_str(x->j, "expression", tut_bom_said(&x->properties, &name));
        tut_json_put_z(x->j, "acknowledgement", acknowledgement);
    } else {
        tut_json_key(x->j, "license");
        tut_json_object(x->j);
        tut_json_put_str(x->j, kind == TUT_BOM_LICENCE_ID ? "id" : "name",
                         tut_bom_said(&x->properties, &name));
        tut_json_put_z(x->j, "acknowledgement", acknowledgement);
        tut_json_end_object(x->j);
    }
    tut_json_end_object(x->j);
}

void tut_cdx_licences(tut_cdx *x, tut_str concluded, tut_str declared)
{
    tut_bom_licence_kind ours = tut_bom_licence_kind_of(concluded),
                         theirs = tut_bom_licence_kind_of(declared);
    if (ours == TUT_BOM_LICENCE_NONE && theirs == TUT_BOM_LICENCE_NONE)
        return;
    /* Version 1.6 takes one expression, or any number of licences. */
    bool is_single = ours == TUT_BOM_LICENCE_EXPRESSION ||
                     (ours != TUT_BOM_LICENCE_NONE && theirs == TUT_BOM_LICENCE_EXPRESSION);
    tut_json_key(x->j, "licenses");
    tut_json_array(x->j);
    put_licence(x, concluded, "concluded");
    if (!is_single)
        put_licence(x, declared, "declared");
    tut_json_end_array(x->j);
}

/* --- where it comes from --- */

void tut_cdx_references(tut_cdx *x, const tut_bom_asset *a)
{
    TUT_CLEAN(tut_buf) comment = TUT_BUF_INIT;
    tut_cdx_begin_list(x, "externalReferences");
    if (a->collected_at.len) {
        tut_buf_add_z(&comment, "collected ");
        tut_buf_add_str(&comment, a->collected_at);
    }
    tut_cdx_reference(x, a->kind == TUT_KIND_SERVICE ? "website" : "distribution", a->url,
                      tut_bom_said(&x->properties, &comment), NULL);
    for (size_t i = 0; i < a->source_count; i++) {
        const tut_bom_origin *s = &a->sources[i];
        tut_buf_clear(&comment);
        if (s->collected_at.len) {
            tut_buf_add_z(&comment, "collected ");
            tut_buf_add_str(&comment, s->collected_at);
        }
        tut_cdx_reference(x, "source-distribution", s->url, tut_bom_said(&x->properties, &comment),
                          s->has_digest ? &s->digest : NULL);
    }
    if (a->card != SIZE_MAX) {
        tut_buf_clear(&comment);
        tut_buf_add_z(&comment, "./");
        tut_bom_escape(x->bom->assets[a->card].path, &comment);
        tut_cdx_item(x);
        tut_json_object(x->j);
        tut_json_put_z(x->j, "type", "model-card");
        tut_json_put_str(x->j, "url", tut_bom_said(&x->properties, &comment));
        if (x->bom->assets[a->card].has_digest)
            put_sha256(x, &x->bom->assets[a->card].digest);
        tut_json_end_object(x->j);
    }
    tut_cdx_end_list(x);
}

/* --- evidence: what the files themselves show --- */

static void put_evidence(tut_cdx *x, const tut_bom_asset *a)
{
    tut_str declared = tut_bom_fact_of(a, "licence");
    if (!a->path.len && tut_bom_licence_kind_of(declared) == TUT_BOM_LICENCE_NONE)
        return;
    tut_json_key(x->j, "evidence");
    tut_json_object(x->j);
    if (a->path.len) {
        tut_json_key(x->j, "occurrences");
        tut_json_array(x->j);
        tut_json_object(x->j);
        tut_json_put_str(x->j, "location", a->path);
        tut_json_end_object(x->j);
        tut_json_end_array(x->j);
    }
    tut_cdx_licences(x, (tut_str){"", 0}, declared);
    tut_json_end_object(x->j);
}

/* --- data --- */

static void put_party(tut_cdx *x, const char *key, tut_str name)
{
    if (!name.len)
        return;
    tut_json_key(x->j, key);
    tut_json_array(x->j);
    tut_json_object(x->j);
    tut_cdx_organisation(x, "organization", name);
    tut_json_end_object(x->j);
    tut_json_end_array(x->j);
}

static void put_data(tut_cdx *x, const tut_bom_asset *a)
{
    tut_json *j = x->j;
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    tut_json_key(j, "data");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "type", data_type(a->kind));
    tut_cdx_put(x, "name", a->name);
    tut_cdx_put(x, "description", a->description);
    tut_cdx_put(x, "classification", a->sensitivity);
    if (tut_bom_url(a->url, &url)) {
        tut_json_key(j, "contents");
        tut_json_object(j);
        tut_json_put_str(j, "url", tut_bom_said(&x->properties, &url));
        tut_json_end_object(j);
    }
    if (tut_str_eq_z(a->sensitivity, "personal")) {
        tut_json_key(j, "sensitiveData");
        tut_json_array(j);
        tut_json_z(j, "personal data");
        tut_json_end_array(j);
    }
    tut_str custodian = tut_bom_role(x->bom, "data-custodian");
    bool has_custodian = a->kind == TUT_KIND_DATASET && custodian.len;
    if (has_custodian || a->owner.len) {
        tut_json_key(j, "governance");
        tut_json_object(j);
        if (has_custodian)
            put_party(x, "custodians", custodian);
        put_party(x, "owners", a->owner);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
    tut_json_end_array(j);
}

/* The files of an asset that is several; what the inventory left out is said. */
static void put_parts(tut_cdx *x, const tut_bom_asset *a)
{
    if (!a->part_count)
        return;
    tut_json_key(x->j, "components");
    tut_json_array(x->j);
    for (size_t i = 0; i < a->part_count; i++) {
        tut_json_object(x->j);
        tut_json_put_z(x->j, "type", "file");
        tut_json_put_str(x->j, "name", a->parts[i].path);
        if (a->parts[i].has_digest)
            put_sha256(x, &a->parts[i].digest);
        tut_json_end_object(x->j);
    }
    tut_json_end_array(x->j);
}

static void put_purl(tut_cdx *x, const tut_bom_asset *a)
{
    TUT_CLEAN(tut_buf) purl = TUT_BUF_INIT;
    if (tut_bom_purl_of_url(a->url, a->version, &purl))
        tut_json_put_str(x->j, "purl", tut_bom_said(&x->properties, &purl));
}

void tut_cdx_properties(tut_cdx *x, const tut_bom_asset *a)
{
    tut_json_key(x->j, "properties");
    tut_json_array(x->j);
    tut_bom_asset_properties(&x->properties, a);
    tut_json_end_array(x->j);
}

void tut_cdx_asset(tut_cdx *x, const tut_bom_asset *a)
{
    tut_json *j = x->j;
    const char *source;
    tut_str summary = tut_bom_known(x->bom, a, "card.summary");
    const char *type = component_type(a);
    tut_json_object(j);
    tut_json_put_z(j, "type", type);
    tut_json_put_z(j, "bom-ref", a->ref);
    tut_json_put_str(j, "name", a->name.len ? a->name : tut_str_of(a->ref));
    if (a->version.len <= TUT_CDX_VERSION_MAX)
        tut_cdx_put(x, "version", a->version);
    tut_cdx_put(x, "description", a->description.len ? a->description : summary);
    tut_cdx_organisation(x, "supplier", tut_bom_producer(x->bom, a, &source));
    if (a->has_digest)
        put_sha256(x, &a->digest);
    put_purl(x, a);
    tut_cdx_licences(x, a->licence, tut_bom_known(x->bom, a, "licence"));
    tut_cdx_references(x, a);
    put_evidence(x, a);
    if (a->kind == TUT_KIND_MODEL) {
        tut_cdx_model_card(x, a);
        tut_cdx_pedigree(x, a);
    }
    if (strcmp(type, "data") == 0)
        put_data(x, a);
    put_parts(x, a);
    tut_cdx_properties(x, a);
    tut_json_end_object(j);
}

static const char *hash_algorithm(tut_str name)
{
    static const char *const names[][2] = {{"md5", "MD5"},
                                           {"sha1", "SHA-1"},
                                           {"sha256", "SHA-256"},
                                           {"sha384", "SHA-384"},
                                           {"sha512", "SHA-512"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (tut_str_eq_z(name, names[i][0]))
            return names[i][1];
    return NULL;
}

void tut_cdx_package(tut_cdx *x, const tut_bom_package *p)
{
    const char *algorithm = hash_algorithm(p->hash_name);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", "library");
    tut_json_put_z(x->j, "bom-ref", p->ref);
    tut_json_put_str(x->j, "name", p->name.len ? p->name : tut_str_of(p->ref));
    if (p->version.len <= TUT_CDX_VERSION_MAX)
        tut_cdx_put(x, "version", p->version);
    tut_json_put_z(x->j, "purl", p->purl);
    if (algorithm)
        put_hash(x, algorithm, p->hash);
    tut_json_end_object(x->j);
}
