/*
 * SPDX 3.0.1 in JSON-LD: a graph of elements, each with an id of its own below the bill's serial
 * number. Where the specification wants an assertion that nobody has made, its NoAssertion elements
 * stand; a profile that wants members which are not known is not claimed.
 */
#include "bom/spdx_internal.h"

#include <stdio.h>

static void put_id_text(tut_spdx *x, const char *space, tut_str ref)
{
    tut_buf_clear(&x->text);
    tut_buf_add_z(&x->text, x->base);
    tut_buf_add_z(&x->text, space);
    tut_bom_escape(ref, &x->text);
}

void tut_spdx_id(tut_spdx *x, const char *space, tut_str ref)
{
    put_id_text(x, space, ref);
    tut_json_str(x->j, tut_bom_said(&x->properties, &x->text));
}

static tut_str number_text(size_t number, char out[24])
{
    snprintf(out, 24, "%zu", number);
    return tut_str_of(out);
}

void tut_spdx_id_number(tut_spdx *x, const char *space, size_t number)
{
    char text[24];
    tut_spdx_id(x, space, number_text(number, text));
}

void tut_spdx_put(tut_spdx *x, const char *key, tut_str value)
{
    if (value.len)
        tut_json_put_str(x->j, key, value);
}

void tut_spdx_open(tut_spdx *x, const char *type, const char *space, tut_str ref)
{
    put_id_text(x, space, ref);
    tut_json_str(x->ids_json, tut_bom_said(&x->properties, &x->text));
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", type);
    tut_json_put_str(x->j, "spdxId", tut_bom_said(&x->properties, &x->text));
    tut_json_put_z(x->j, "creationInfo", TUT_SPDX_CREATION);
}

void tut_spdx_open_number(tut_spdx *x, const char *type, const char *space, size_t number)
{
    char text[24];
    tut_spdx_open(x, type, space, number_text(number, text));
}

void tut_spdx_close(tut_spdx *x)
{
    tut_json_end_object(x->j);
}

/* --- who and under which licence: each once --- */

static tut_status note_agent(tut_spdx *x, tut_str name)
{
    size_t number;
    if (!name.len)
        return TUT_SUCCESS;
    TUT_TRY(tut_map_put(&x->agents, name, x->agent_count, &number, x->err));
    if (number != x->agent_count)
        return TUT_SUCCESS;
    tut_spdx_open_number(x, "Organization", "agent/", x->agent_count++);
    tut_spdx_put(x, "name", name);
    tut_spdx_close(x);
    return TUT_SUCCESS;
}

/* A name that is not on SPDX's list becomes a LicenseRef; the name as written stays beside it. */
static void put_expression(tut_spdx *x, tut_str text)
{
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    if (tut_bom_licence(text, &said) != TUT_BOM_LICENCE_NAME) {
        tut_spdx_put(x, "simplelicensing_licenseExpression", tut_bom_said(&x->properties, &said));
        return;
    }
    tut_spdx_put(x, "name", tut_bom_said(&x->properties, &said));
    tut_buf_clear(&x->text);
    tut_buf_printf(&x->text, "LicenseRef-tutela-%zu", x->licence_count);
    tut_spdx_put(x, "simplelicensing_licenseExpression", tut_bom_said(&x->properties, &x->text));
}

static tut_status note_licence(tut_spdx *x, tut_str text)
{
    size_t number;
    if (tut_bom_licence_kind_of(text) == TUT_BOM_LICENCE_NONE)
        return TUT_SUCCESS;
    TUT_TRY(tut_map_put(&x->licences, text, x->licence_count, &number, x->err));
    if (number != x->licence_count)
        return TUT_SUCCESS;
    tut_spdx_open_number(x, "simplelicensing_LicenseExpression", "licence/", x->licence_count);
    put_expression(x, text);
    tut_spdx_close(x);
    x->licence_count++;
    return TUT_SUCCESS;
}

static tut_status note_names(tut_spdx *x)
{
    const tut_bom *bom = x->bom;
    const char *source;
    TUT_TRY(note_agent(x, tut_bom_role(bom, "developer")));
    for (size_t i = 0; i < bom->asset_count; i++) {
        const tut_bom_asset *a = &bom->assets[i];
        TUT_TRY(note_agent(x, tut_bom_producer(bom, a, &source)));
        TUT_TRY(note_licence(x, a->licence));
        TUT_TRY(note_licence(x, tut_bom_known(bom, a, "licence")));
    }
    return TUT_SUCCESS;
}

/* --- the document --- */

static void put_creation(tut_spdx *x)
{
    tut_json *j = x->j;
    tut_json_object(j);
    tut_json_put_z(j, "type", "CreationInfo");
    tut_json_put_z(j, "@id", TUT_SPDX_CREATION);
    tut_json_put_z(j, "specVersion", "3.0.1");
    tut_json_put_time(j, "created", x->bom->at);
    tut_json_key(j, "createdBy");
    tut_json_array(j);
    tut_spdx_id(x, "author", TUT_LIT(""));
    tut_json_end_array(j);
    tut_json_key(j, "createdUsing");
    tut_json_array(j);
    tut_spdx_id(x, "tool", TUT_LIT(""));
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_tool(tut_spdx *x)
{
    tut_spdx_open(x, "SoftwareAgent", "author", TUT_LIT(""));
    tut_json_put_z(x->j, "name", "tutela");
    tut_spdx_close(x);
    tut_spdx_open(x, "Tool", "tool", TUT_LIT(""));
    tut_json_put_z(x->j, "name", "tutela " TUTELA_VERSION);
    tut_spdx_close(x);
}

static void put_list(tut_spdx *x, const char *key, tut_str value)
{
    tut_json_key(x->j, key);
    tut_json_array(x->j);
    tut_json_str(x->j, value);
    tut_json_end_array(x->j);
}

static void put_root(tut_spdx *x, const char *space)
{
    tut_json_key(x->j, "rootElement");
    tut_json_array(x->j);
    tut_spdx_id(x, space, TUT_LIT(""));
    tut_json_end_array(x->j);
}

static void put_profiles(tut_spdx *x)
{
    tut_json_key(x->j, "profileConformance");
    tut_json_array(x->j);
    tut_json_z(x->j, "core");
    tut_json_z(x->j, "software");
    tut_json_z(x->j, "simpleLicensing");
    tut_json_z(x->j, "extension");
    if (!x->lacks_ai)
        tut_json_z(x->j, "ai");
    if (!x->lacks_dataset)
        tut_json_z(x->j, "dataset");
    tut_json_end_array(x->j);
}

static void put_sbom(tut_spdx *x)
{
    tut_spdx_open(x, "software_Sbom", "sbom", TUT_LIT(""));
    put_list(x, "software_sbomType", TUT_LIT("analyzed"));
    put_profiles(x);
    put_root(x, "system");
    tut_spdx_close(x);
}

static void put_document(tut_spdx *x)
{
    tut_json *j = x->j;
    TUT_CLEAN(tut_buf) elements = TUT_BUF_INIT; /* without the document, which lists them */
    tut_buf_add_str(&elements, tut_bom_said(&x->properties, &x->ids));
    tut_buf_add_byte(&elements, ']');
    tut_spdx_open(x, "SpdxDocument", "document", TUT_LIT(""));
    tut_spdx_put(x, "name",
                 x->bom->system && x->bom->system->name.len ? x->bom->system->name
                                                            : TUT_LIT("not described"));
    put_profiles(x);
    put_root(x, "sbom");
    if (x->lacks_ai || x->lacks_dataset)
        tut_json_put_z(j, "comment",
                       "The profiles ai and dataset are claimed only where all members that they "
                       "want are known; here some are not, as the properties tutela:g7 say.");
    tut_json_key(j, "extension");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "type", "extension_CdxPropertiesExtension");
    tut_json_key(j, "extension_cdxProperty");
    tut_json_array(j);
    tut_bom_document_properties(&x->properties);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_key(j, "element");
    tut_json_raw(j, tut_bom_said(&x->properties, &elements));
    tut_spdx_close(x);
}

static tut_status put_graph(tut_spdx *x)
{
    const tut_bom *bom = x->bom;
    tut_json_key(x->j, "@graph");
    tut_json_array(x->j);
    put_creation(x);
    put_tool(x);
    TUT_TRY(note_names(x));
    tut_spdx_system(x);
    for (size_t i = 0; i < bom->asset_count; i++)
        tut_spdx_asset(x, i);
    for (size_t i = 0; i < bom->package_count; i++)
        tut_spdx_package(x, &bom->packages[i]);
    tut_spdx_relations(x);
    put_sbom(x);
    put_document(x);
    tut_json_end_array(x->j);
    return TUT_SUCCESS;
}

static tut_status compose(tut_spdx *x, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO(tut_json) ids = NULL;
    char uuid[TUT_UUID_TEXT];
    tut_uuid_text(&x->bom->serial, uuid);
    snprintf(x->base, sizeof(x->base), "urn:uuid:%s#", uuid);
    TUT_TRY(tut_json_new(out, &j));
    TUT_TRY(tut_json_new(&x->ids, &ids));
    x->j = x->properties.j = j;
    x->ids_json = ids;
    tut_json_array(ids);
    tut_json_object(j);
    tut_json_put_z(j, "@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
    TUT_TRY(put_graph(x));
    tut_json_end_object(j);
    TUT_TRY(tut_bom_check(&x->properties, x->err));
    return tut_json_finish(j, x->err);
}

tut_status tut_bom_spdx(const tut_bom *bom, tut_buf *out, tut_error *err)
{
    tut_spdx x = {.bom = bom, .err = err, .properties = {.bom = bom, .is_spdx = true}};
    tut_status status = compose(&x, out);
    tut_buf_done(&x.ids);
    tut_buf_done(&x.text);
    tut_buf_done(&x.properties.text);
    tut_map_done(&x.agents);
    tut_map_done(&x.licences);
    TUT_TRY(status);
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}
