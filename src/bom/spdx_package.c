/* Packages and files: the system, its assets, their files, the packages of lock files. */
#include "bom/spdx_internal.h"

static void put_hash(tut_spdx *x, const char *algorithm, tut_str hex, const char *comment)
{
    tut_json *j = x->j;
    tut_json_key(j, "verifiedUsing");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "type", "Hash");
    tut_json_put_z(j, "algorithm", algorithm);
    tut_json_put_str(j, "hashValue", hex);
    if (comment)
        tut_json_put_z(j, "comment", comment);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void put_sha256(tut_spdx *x, const tut_sha256 *digest, const char *comment)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    put_hash(x, "sha256", tut_str_of(hex), comment);
}

/* "2026-11-23T09:41:07Z" and nothing else. */
static bool put_time(tut_spdx *x, const char *key, tut_str text)
{
    tut_time at;
    if (!text.len || !tut_is_ok(tut_time_parse(text, &at)))
        return false;
    tut_json_put_time(x->j, key, at);
    return true;
}

static bool put_url(tut_spdx *x, const char *key, tut_str text)
{
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    if (!tut_bom_url(text, &url))
        return false;
    tut_json_put_str(x->j, key, tut_bom_said(&x->properties, &url));
    return true;
}

static bool put_agent(tut_spdx *x, const char *key, tut_str name, bool is_list)
{
    size_t number = name.len ? tut_map_get(&x->agents, name) : SIZE_MAX;
    if (number == SIZE_MAX)
        return false;
    tut_json_key(x->j, key);
    if (is_list)
        tut_json_array(x->j);
    tut_spdx_id_number(x, "agent/", number);
    if (is_list)
        tut_json_end_array(x->j);
    return true;
}

static void put_reference(tut_spdx *x, const char *type, tut_str locator, tut_str comment)
{
    tut_json *j = x->j;
    tut_json_object(j);
    tut_json_put_z(j, "type", "ExternalRef");
    tut_json_put_z(j, "externalRefType", type);
    tut_json_key(j, "locator");
    tut_json_array(j);
    tut_json_str(j, locator);
    tut_json_end_array(j);
    tut_spdx_put(x, "comment", comment);
    tut_json_end_object(j);
}

static void put_references(tut_spdx *x, const tut_bom_asset *a)
{
    if (!a->source_count && a->card == SIZE_MAX)
        return;
    tut_json_key(x->j, "externalRef");
    tut_json_array(x->j);
    for (size_t i = 0; i < a->source_count; i++)
        if (a->sources[i].url.len)
            put_reference(x, "sourceArtifact", a->sources[i].url, a->sources[i].collected_at);
    if (a->card != SIZE_MAX)
        put_reference(x, "documentation", x->bom->assets[a->card].path, TUT_LIT("model card"));
    tut_json_end_array(x->j);
}

static void open_properties(tut_spdx *x)
{
    tut_json_key(x->j, "extension");
    tut_json_array(x->j);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", "extension_CdxPropertiesExtension");
    tut_json_key(x->j, "extension_cdxProperty");
    tut_json_array(x->j);
}

static void close_properties(tut_spdx *x)
{
    tut_json_end_array(x->j);
    tut_json_end_object(x->j);
    tut_json_end_array(x->j);
}

/* --- models --- */

static void put_first(tut_spdx *x, const char *key, const tut_bom_asset *a, const char *fact)
{
    tut_spdx_put(x, key, tut_bom_known(x->bom, a, fact));
}

static void put_metric(tut_spdx *x, tut_str text)
{
    const char *equals = memchr(text.data, '=', text.len);
    size_t name = equals ? (size_t)(equals - text.data) : text.len;
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", "DictionaryEntry");
    tut_json_put_str(x->j, "key", (tut_str){text.data, name});
    if (equals)
        tut_json_put_str(x->j, "value", (tut_str){equals + 1, text.len - name - 1});
    tut_json_end_object(x->j);
}

static void put_metrics(tut_spdx *x, const tut_bom_asset *a)
{
    const tut_bom_asset *from = a->card == SIZE_MAX ? a : &x->bom->assets[a->card];
    if (!tut_bom_fact_of(from, "card.metric").len)
        return;
    tut_json_key(x->j, "ai_metric");
    tut_json_array(x->j);
    for (size_t i = 0; i < from->fact_count; i++)
        if (tut_str_eq_z(from->facts[i].key, "card.metric") && from->facts[i].value.len)
            put_metric(x, from->facts[i].value);
    tut_json_end_array(x->j);
}

static void put_model(tut_spdx *x, const tut_bom_asset *a)
{
    tut_str architecture = tut_bom_architecture(x->bom, a);
    tut_str use = tut_bom_known(x->bom, a, "card.use");
    if (architecture.len) {
        tut_json_key(x->j, "ai_typeOfModel");
        tut_json_array(x->j);
        tut_json_str(x->j, architecture);
        tut_json_end_array(x->j);
    }
    tut_spdx_put(x, "ai_informationAboutApplication",
                 use.len ? use : tut_bom_known(x->bom, a, "card.task"));
    put_first(x, "ai_informationAboutTraining", a, "card.training");
    put_first(x, "ai_limitation", a, "card.limitation");
    put_metrics(x, a);
}

/* --- data sets --- */

static const char *dataset_type(tut_str format)
{
    static const char *const types[][2] = {{"csv", "structured"},
                                           {"parquet", "structured"},
                                           {"arrow", "structured"},
                                           {"jsonl", "structured"},
                                           {"json-records", "structured"},
                                           {"corpus", "text"},
                                           {"idx", "numeric"},
                                           {"npy", "numeric"},
                                           {"npz", "numeric"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (tut_str_eq_z(format, types[i][0]))
            return types[i][1];
    return "noAssertion";
}

static void put_collection(tut_spdx *x, const tut_bom_asset *a)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (a->origin.len) {
        tut_buf_add_z(&text, "origin: ");
        tut_buf_add_str(&text, a->origin);
    }
    if (a->url.len) {
        tut_buf_add_z(&text, text.len ? "; from " : "from ");
        tut_buf_add_str(&text, a->url);
    }
    for (size_t i = 0; i < a->source_count; i++) {
        tut_buf_add_z(&text, text.len ? "; from " : "from ");
        tut_buf_add_str(&text, a->sources[i].url);
    }
    tut_spdx_put(x, "dataset_dataCollectionProcess", tut_bom_said(&x->properties, &text));
}

static void put_dataset(tut_spdx *x, const tut_bom_asset *a)
{
    static const char *const levels[][2] = {
        {"public", "clear"}, {"internal", "amber"}, {"confidential", "red"}};
    uint64_t rows;
    tut_json_key(x->j, "dataset_datasetType");
    tut_json_array(x->j);
    tut_json_z(x->j, dataset_type(a->format));
    tut_json_end_array(x->j);
    if (tut_str_u64(tut_bom_fact_of(a, "rows"), &rows) && rows < (UINT64_C(1) << 53))
        tut_json_put_u64(x->j, "dataset_datasetSize", rows);
    tut_json_put_z(x->j, "dataset_hasSensitivePersonalInformation",
                   tut_str_eq_z(a->sensitivity, "personal") ? "yes" : "noAssertion");
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (tut_str_eq_z(a->sensitivity, levels[i][0]))
            tut_json_put_z(x->j, "dataset_confidentialityLevel", levels[i][1]);
    put_collection(x, a);
}

/* --- any asset --- */

static const char *element_type(const tut_bom_asset *a)
{
    if (a->kind == TUT_KIND_MODEL)
        return "ai_AIPackage";
    if (a->kind == TUT_KIND_DATASET)
        return "dataset_DatasetPackage";
    return a->kind == TUT_KIND_SERVICE || a->files > 1 || a->version.len || a->url.len
               ? "software_Package"
               : "software_File";
}

static const char *purpose(tut_asset_kind kind)
{
    switch (kind) {
    case TUT_KIND_MODEL:
        return "model";
    case TUT_KIND_DATASET:
        return "data";
    case TUT_KIND_CONFIG:
    case TUT_KIND_PROMPT:
        return "configuration";
    case TUT_KIND_CODE:
        return "source";
    case TUT_KIND_SERVICE:
        return "platform";
    case TUT_KIND_DOCUMENT:
        return "documentation";
    case TUT_KIND_NONE:
        break;
    }
    return "other";
}

static void put_parts(tut_spdx *x, const tut_bom_asset *a)
{
    for (size_t i = 0; i < a->part_count; i++) {
        TUT_CLEAN(tut_buf) ref = TUT_BUF_INIT;
        tut_buf_printf(&ref, "%s/%zu", a->ref, i);
        tut_spdx_open(x, "software_File", "file/", tut_bom_said(&x->properties, &ref));
        tut_spdx_put(x, "name", a->parts[i].path);
        if (a->parts[i].has_digest)
            put_sha256(x, &a->parts[i].digest, NULL);
        tut_spdx_close(x);
    }
}

static void put_package_members(tut_spdx *x, const tut_bom_asset *a, const char *type)
{
    const char *source;
    tut_str producer = tut_bom_producer(x->bom, a, &source);
    bool is_ai = a->kind == TUT_KIND_MODEL, is_data = a->kind == TUT_KIND_DATASET;
    bool has_supplier = put_agent(x, "suppliedBy", producer, false);
    bool has_release = put_time(x, "releaseTime", a->released_at);
    bool has_built = put_time(x, "builtTime", is_data ? a->collected_at : (tut_str){"", 0});
    bool has_origin = is_data && put_agent(x, "originatedBy", producer, true);
    bool has_place = false;
    if (strcmp(type, "software_File") != 0) {
        TUT_CLEAN(tut_buf) purl = TUT_BUF_INIT;
        has_place = put_url(x, "software_downloadLocation", a->url);
        tut_spdx_put(x, "software_packageVersion", a->version);
        if (tut_bom_purl_of_url(a->url, a->version, &purl))
            tut_spdx_put(x, "software_packageUrl", tut_bom_said(&x->properties, &purl));
    }
    x->lacks_ai |= is_ai && !(has_supplier && has_release && has_place && a->version.len);
    x->lacks_dataset |= is_data && !(has_built && has_origin && has_release && has_place);
}

void tut_spdx_asset(tut_spdx *x, size_t at)
{
    const tut_bom_asset *a = &x->bom->assets[at];
    const char *type = element_type(a);
    bool is_missing = tut_str_eq_z(a->state, "missing");
    tut_spdx_open(x, type, "asset/", tut_str_of(a->ref));
    tut_spdx_put(x, "name", a->name.len ? a->name : tut_str_of(a->ref));
    tut_spdx_put(x, "description",
                 a->description.len ? a->description : tut_bom_known(x->bom, a, "card.summary"));
    tut_json_put_z(x->j, "software_primaryPurpose", purpose(a->kind));
    if (a->has_digest)
        put_sha256(x, &a->digest,
                   is_missing     ? "as tutela.yaml pins it; the file is not there"
                   : a->files > 1 ? "of the lines \"HEX  PATH\" of its files"
                                  : NULL);
    put_package_members(x, a, type);
    put_references(x, a);
    if (a->kind == TUT_KIND_MODEL)
        put_model(x, a);
    if (a->kind == TUT_KIND_DATASET)
        put_dataset(x, a);
    open_properties(x);
    tut_bom_asset_properties(&x->properties, a);
    close_properties(x);
    tut_spdx_close(x);
    put_parts(x, a);
}

void tut_spdx_package(tut_spdx *x, const tut_bom_package *p)
{
    tut_spdx_open(x, "software_Package", "package/", tut_str_of(p->ref));
    tut_spdx_put(x, "name", p->name.len ? p->name : tut_str_of(p->ref));
    tut_spdx_put(x, "software_packageVersion", p->version);
    tut_json_put_z(x->j, "software_packageUrl", p->purl);
    tut_json_put_z(x->j, "software_primaryPurpose", "library");
    if (p->hash.len) {
        TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
        tut_buf_add_str(&name, p->hash_name);
        const char *algorithm = tut_buf_z(&name);
        (void)tut_bom_said(&x->properties, &name);
        if (algorithm)
            put_hash(x, algorithm, p->hash, "as the lock file has it");
    }
    tut_spdx_close(x);
}

/* --- the system --- */

static void put_contacts(tut_spdx *x)
{
    const tut_system *s = x->bom->system;
    if (!s || !s->contacts.count)
        return;
    tut_json_key(x->j, "externalRef");
    tut_json_array(x->j);
    for (size_t i = 0; i < s->contacts.count; i++)
        put_reference(x, "securityPolicy", s->contacts.items[i],
                      TUT_LIT("where problems are reported"));
    tut_json_end_array(x->j);
}

void tut_spdx_system(tut_spdx *x)
{
    const tut_system *s = x->bom->system;
    bool has_all = false;
    tut_spdx_open(x, "ai_AIPackage", "system", TUT_LIT(""));
    tut_spdx_put(x, "name", s && s->name.len ? s->name : TUT_LIT("not described"));
    tut_json_put_z(x->j, "software_primaryPurpose", "application");
    if (s) {
        tut_spdx_put(x, "software_packageVersion", s->version);
        tut_spdx_put(x, "description", s->purpose);
        tut_spdx_put(x, "ai_informationAboutApplication", s->purpose);
        has_all = put_agent(x, "suppliedBy", tut_bom_role(x->bom, "developer"), false);
        has_all &= put_url(x, "software_downloadLocation", s->url);
        has_all &= s->has_released_at && s->version.len;
        if (s->has_released_at)
            tut_json_put_time(x->j, "releaseTime", s->released_at);
    }
    put_contacts(x);
    bool has_any = s && (s->role_count || s->owners.count || s->contacts.count || s->flow_count ||
                         s->hardware.count || s->url.len || s->has_released_at);
    if (has_any) {
        open_properties(x);
        tut_bom_system_properties(&x->properties);
        close_properties(x);
    }
    tut_spdx_close(x);
    x->lacks_ai |= !has_all;
}
