/*
 * CycloneDX 1.6 and 1.7 in JSON (ECMA-424). The document is canonical JSON, so that its enveloped
 * signature can be checked by whoever has a JSON parser: it is over the same document without the
 * signature's value.
 */
#include "bom/cyclonedx_internal.h"

void tut_cdx_put(tut_cdx *x, const char *key, tut_str value)
{
    if (value.len)
        tut_json_put_str(x->j, key, value);
}

void tut_cdx_begin_list(tut_cdx *x, const char *key)
{
    x->list = key;
}

void tut_cdx_item(tut_cdx *x)
{
    if (!x->list)
        return;
    tut_json_key(x->j, x->list);
    tut_json_array(x->j);
    x->list = NULL;
}

void tut_cdx_end_list(tut_cdx *x)
{
    if (!x->list)
        tut_json_end_array(x->j);
    x->list = NULL;
}

void tut_cdx_organisation(tut_cdx *x, const char *key, tut_str name)
{
    if (!name.len)
        return;
    tut_json_key(x->j, key);
    tut_json_object(x->j);
    tut_json_put_str(x->j, "name", name);
    tut_json_end_object(x->j);
}

static void put_hash(tut_cdx *x, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_json_key(x->j, "hashes");
    tut_json_array(x->j);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "alg", "SHA-256");
    tut_json_put_z(x->j, "content", hex);
    tut_json_end_object(x->j);
    tut_json_end_array(x->j);
}

void tut_cdx_reference(tut_cdx *x, const char *type, tut_str url, tut_str comment,
                       const tut_sha256 *digest)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    if (!tut_bom_url(url, &safe))
        return;
    tut_cdx_item(x);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", type);
    tut_json_put_str(x->j, "url", tut_bom_said(&x->properties, &safe));
    tut_cdx_put(x, "comment", comment);
    if (digest)
        put_hash(x, digest);
    tut_json_end_object(x->j);
}

/* "security@example.org", or text as it was written. */
static void put_contact(tut_cdx *x, tut_str text)
{
    tut_json_object(x->j);
    tut_json_put_str(x->j, tut_bom_is_mail(text) ? "email" : "name", text);
    tut_json_end_object(x->j);
}

static void put_contacts(tut_cdx *x, const char *key, const tut_str_list *list)
{
    if (!list->count)
        return;
    tut_json_key(x->j, key);
    tut_json_array(x->j);
    for (size_t i = 0; i < list->count; i++)
        put_contact(x, list->items[i]);
    tut_json_end_array(x->j);
}

static void put_tools(tut_cdx *x)
{
    tut_json *j = x->j;
    tut_json_key(j, "tools");
    tut_json_object(j);
    tut_json_key(j, "components");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "type", "application");
    tut_json_put_z(j, "name", "tutela");
    tut_json_put_z(j, "version", TUTELA_VERSION);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_system_references(tut_cdx *x)
{
    const tut_system *s = x->bom->system;
    tut_cdx_begin_list(x, "externalReferences");
    for (size_t i = 0; s && i < s->contacts.count; i++) {
        TUT_CLEAN(tut_buf) mail = TUT_BUF_INIT;
        tut_str contact = s->contacts.items[i];
        if (tut_bom_is_mail(contact)) {
            tut_buf_add_z(&mail, "mailto:");
            tut_buf_add_str(&mail, contact);
            contact = tut_bom_said(&x->properties, &mail);
        }
        tut_cdx_reference(x, "security-contact", contact, TUT_LIT(""), NULL);
    }
    if (s)
        tut_cdx_reference(x, "distribution", s->url, TUT_LIT(""), NULL);
    tut_cdx_end_list(x);
}

/* The system itself: the root of everything else. */
static void put_system(tut_cdx *x)
{
    const tut_system *s = x->bom->system;
    tut_json *j = x->j;
    tut_str name = s && s->name.len ? s->name : TUT_LIT("not described");
    tut_json_key(j, "component");
    tut_json_object(j);
    tut_json_put_z(j, "type", "application");
    tut_json_put_z(j, "bom-ref", TUT_BOM_SYSTEM_REF);
    tut_json_put_str(j, "name", name);
    if (s) {
        tut_cdx_put(
            x, "version",
            (tut_str){s->version.data, s->version.len < TUT_CDX_VERSION_MAX ? s->version.len : 0});
        tut_cdx_put(x, "description", s->purpose);
        tut_cdx_organisation(x, "manufacturer", tut_bom_role(x->bom, "developer"));
        tut_cdx_organisation(x, "supplier", tut_bom_role(x->bom, "developer"));
        put_system_references(x);
    }
    tut_json_key(j, "properties");
    tut_json_array(j);
    tut_bom_system_properties(&x->properties);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_metadata(tut_cdx *x)
{
    tut_json *j = x->j;
    const tut_system *s = x->bom->system;
    tut_json_key(j, "metadata");
    tut_json_object(j);
    tut_json_put_time(j, "timestamp", x->bom->at);
    tut_json_key(j, "lifecycles");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "phase", "post-build"); /* the artefacts were read as they lie */
    tut_json_end_object(j);
    tut_json_end_array(j);
    put_tools(x);
    if (s) {
        put_contacts(x, "authors", &s->owners);
        tut_cdx_organisation(x, "supplier", tut_bom_role(x->bom, "developer"));
    }
    put_system(x);
    tut_json_end_object(j);
}

static void put_components(tut_cdx *x)
{
    const tut_bom *bom = x->bom;
    tut_json_key(x->j, "components");
    tut_json_array(x->j);
    for (size_t i = 0; i < bom->asset_count; i++)
        if (bom->assets[i].kind != TUT_KIND_SERVICE)
            tut_cdx_asset(x, &bom->assets[i]);
    for (size_t i = 0; i < bom->package_count; i++)
        tut_cdx_package(x, &bom->packages[i]);
    tut_json_end_array(x->j);
}

static void put_properties(tut_cdx *x)
{
    tut_json_key(x->j, "properties");
    tut_json_array(x->j);
    tut_bom_document_properties(&x->properties);
    tut_json_end_array(x->j);
}

static void put_document(tut_cdx *x, const tut_buf *signature)
{
    tut_json *j = x->j;
    TUT_CLEAN(tut_buf) serial = TUT_BUF_INIT;
    char uuid[TUT_UUID_TEXT];
    tut_uuid_text(&x->bom->serial, uuid);
    tut_buf_printf(&serial, "urn:uuid:%s", uuid);
    bool is_17 = x->spec == TUT_BOM_CYCLONEDX_17;
    tut_json_object(j); /* keys in their order: so much need not be sorted */
    tut_json_put_z(j, "$schema",
                   is_17 ? "http://cyclonedx.org/schema/bom-1.7.schema.json"
                         : "http://cyclonedx.org/schema/bom-1.6.schema.json");
    tut_json_put_z(j, "bomFormat", "CycloneDX");
    put_components(x);
    tut_cdx_compositions(x);
    if (x->bom->conformity) {
        tut_cdx_declarations(x);
        tut_cdx_definitions(x);
    }
    tut_cdx_dependencies(x);
    put_metadata(x);
    put_properties(x);
    tut_json_put_str(j, "serialNumber", tut_bom_said(&x->properties, &serial));
    tut_cdx_services(x);
    if (signature) {
        tut_json_key(j, "signature");
        tut_json_raw(j, tut_buf_str(signature));
    }
    tut_json_put_z(j, "specVersion", is_17 ? "1.7" : "1.6");
    tut_json_put_u64(j, "version", 1);
    tut_json_end_object(j);
}

static tut_status compose(const tut_bom *bom, tut_bom_spec spec, const tut_buf *signature,
                          tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_cdx x = {.bom = bom, .j = j, .spec = spec, .properties = {.bom = bom, .j = j}};
    put_document(&x, signature);
    tut_buf_done(&x.text);
    tut_buf_done(&x.properties.text);
    TUT_TRY(tut_bom_check(&x.properties, err));
    return tut_json_finish(j, err);
}

/* In canonical order only specVersion and version follow the signature, so its end is known. */
static tut_status add_value(tut_buf *out, size_t start, tut_bom_spec spec, const tut_key *key,
                            tut_error *err)
{
    static const char *const ends[] = {"},\"specVersion\":\"1.6\",\"version\":1}",
                                       "},\"specVersion\":\"1.7\",\"version\":1}"};
    TUT_CLEAN(tut_buf) value = TUT_BUF_INIT;
    tut_str end = tut_str_of(ends[spec]);
    tut_span canonical = {out->data + start, out->len - start};
    if (!tut_str_ends(tut_str_from(canonical), end))
        return tut_fail(err, TUT_BUG, "a signature is not where the canonical order has it");
    TUT_TRY(tut_jsf_sign(key, canonical, &value, err));
    out->len -= end.len;
    tut_buf_add_z(out, ",\"value\":\"");
    tut_buf_add_str(out, tut_buf_str(&value));
    tut_buf_add_byte(out, '"');
    tut_buf_add_str(out, end);
    return tut_buf_check(out, err);
}

tut_status tut_bom_cyclonedx(const tut_bom *bom, tut_bom_spec spec, const tut_key *key,
                             tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) header = TUT_BUF_INIT;
    size_t start = out->len;
    if (spec != TUT_BOM_CYCLONEDX_16 && spec != TUT_BOM_CYCLONEDX_17)
        return tut_fail(err, TUT_BUG, "this is no version of CycloneDX");
    if (key)
        TUT_TRY(tut_jsf_header(key, &header, err));
    TUT_TRY(compose(bom, spec, key ? &header : NULL, out, err));
    if (key)
        TUT_TRY(add_value(out, start, spec, key, err));
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}
