/* What the four documents share: identifiers, text that cannot become markup, props, metadata. */
#include "assess/oscal_internal.h"

enum { TEXT_MAX_CHARS = 4000 };

static const struct {
    const char *name;
    tut_status (*compose)(const tut_assessment *a, tut_buf *out, tut_error *err);
} models[TUT_OSCAL_MODEL_COUNT] = {
    [TUT_OSCAL_CATALOG] = {"catalog", tut_oscal_catalog},
    [TUT_OSCAL_COMPONENTS] = {"component-definition", tut_oscal_components},
    [TUT_OSCAL_RESULTS] = {"assessment-results", tut_oscal_results},
    [TUT_OSCAL_MAPPING] = {"mapping-collection", tut_oscal_mapping},
};

const char *tut_oscal_model_name(tut_oscal_model m)
{
    return models[m].name;
}

bool tut_oscal_model_parse(const char *word, tut_oscal_model *ret_model)
{
    for (size_t i = 0; i < TUT_OSCAL_MODEL_COUNT; i++) {
        if (strcmp(word, models[i].name) == 0) {
            *ret_model = (tut_oscal_model)i;
            return true;
        }
    }
    return false;
}

bool tut_oscal_model_is_of_build(tut_oscal_model m)
{
    return m != TUT_OSCAL_RESULTS;
}

tut_status tut_report_oscal(const tut_assessment *a, tut_oscal_model model, tut_buf *out,
                            tut_error *err)
{
    return models[model].compose(a, out, err);
}

/* --- identifiers --- */
static void keep_failure(tut_oscal *o, tut_status status)
{
    if (tut_is_ok(o->status))
        o->status = status;
}

tut_uuid tut_oscal_id(tut_oscal *o, const char *kind, const tut_str *parts, size_t count)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_uuid id = {{0}};
    tut_buf_add_z(&name, "oscal ");
    tut_buf_add_sized(&name, tut_str_of(kind));
    for (size_t i = 0; i < count; i++)
        tut_buf_add_sized(&name, parts[i]);
    tut_status status = tut_buf_check(&name, o->err);
    if (tut_is_ok(status))
        status = tut_uuid_v5(&tut_uuid_space, tut_buf_span(&name), &id, o->err);
    keep_failure(o, status);
    return id;
}

tut_str tut_oscal_digest_part(const tut_sha256 *digest)
{
    return tut_str_from(tut_span_of(digest->bytes, sizeof(digest->bytes)));
}

void tut_oscal_put_uuid(tut_oscal *o, const char *key, const tut_uuid *id)
{
    char text[TUT_UUID_TEXT];
    tut_uuid_text(id, text);
    tut_json_put_z(o->j, key, text);
}

void tut_oscal_put_ref(tut_oscal *o, const char *key, const tut_uuid *id)
{
    char text[1 + TUT_UUID_TEXT] = "#";
    tut_uuid_text(id, text + 1);
    tut_json_put_z(o->j, key, text);
}

/* --- text --- */

/* What \s matches in the schemas' patterns, beyond ASCII. */
static bool is_space(uint32_t c)
{
    return c <= 0x20 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

static bool has_bare_end(tut_str s)
{
    uint32_t first = 0;
    uint32_t last = 0;
    tut_utf8_len(s, &first);
    for (size_t at = 0; at < s.len;) {
        size_t len = tut_utf8_len((tut_str){s.data + at, s.len - at}, &last);
        at += len ? len : 1;
    }
    return is_space(first) || is_space(last);
}

/* Nearly all text is: nothing of it has to be made visible. */
static bool is_plain(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] < 0x20 || (uint8_t)s.data[i] >= 0x7f)
            return false;
    return s.len && s.len <= TEXT_MAX_CHARS && s.data[0] != ' ' && s.data[s.len - 1] != ' ';
}

/* One visible line; in quotes where white space at an end would be lost. */
static void add_line(tut_buf *out, tut_str text)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, text, TEXT_MAX_CHARS);
    if (line.failed != TUT_OK) {
        out->failed = line.failed;
        return;
    }
    tut_str shown = tut_buf_str(&line);
    bool is_bare = shown.len && has_bare_end(shown);
    tut_buf_add_z(out, is_bare ? "\"" : "");
    for (size_t at = 0; at < shown.len;) {
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){shown.data + at, shown.len - at}, &c);
        len = len ? len : 1;
        if (c == 0x2028 || c == 0x2029)
            tut_buf_printf(out, "\\u{%04x}", c);
        else
            tut_buf_add(out, shown.data + at, len);
        at += len;
    }
    tut_buf_add_z(out, is_bare ? "\"" : "");
}

/* Stretches of a line as they are, with a backslash before what Markdown would interpret. */
static void add_escaped_markup(tut_buf *out, tut_str line)
{
    size_t done = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr("\\`*_{}[]<>&~^|$", line.data[i]))
            continue;
        tut_buf_add(out, line.data + done, i - done);
        tut_buf_add_byte(out, '\\');
        done = i;
    }
    tut_buf_add(out, line.data + done, line.len - done);
}

void tut_oscal_add_markup(tut_buf *out, tut_str text)
{
    if (is_plain(text)) {
        add_escaped_markup(out, text);
        return;
    }
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    add_line(&line, text);
    if (line.failed != TUT_OK)
        out->failed = line.failed;
    add_escaped_markup(out, tut_buf_str(&line));
}

void tut_oscal_put_buf(tut_oscal *o, const char *key, const tut_buf *markup)
{
    keep_failure(o, tut_buf_check(markup, o->err));
    tut_json_put_str(o->j, key, tut_buf_str(markup));
}

void tut_oscal_put_text(tut_oscal *o, const char *key, tut_str text)
{
    if (is_plain(text)) {
        tut_json_put_str(o->j, key, text);
        return;
    }
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    add_line(&line, text);
    tut_oscal_put_buf(o, key, &line);
}

void tut_oscal_put_markup(tut_oscal *o, const char *key, tut_str text)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_oscal_add_markup(&line, text);
    tut_oscal_put_buf(o, key, &line);
}

static bool time_text(tut_time t, char out[TUT_TIME_TEXT])
{
    tut_time_rfc3339(t, out);
    return (strncmp(out, "19", 2) == 0 || out[0] == '2') && out[4] == '-';
}

bool tut_oscal_can_say(tut_time t)
{
    char text[TUT_TIME_TEXT];
    return time_text(t, text);
}

bool tut_oscal_put_time(tut_oscal *o, const char *key, tut_time t)
{
    char text[TUT_TIME_TEXT];
    if (!time_text(t, text))
        return false;
    tut_json_put_z(o->j, key, text);
    return true;
}

/* --- props and links --- */
void tut_oscal_prop_full(tut_oscal *o, const char *ns, const char *name, tut_str value,
                         const char *class_or_null, tut_str remarks)
{
    if (value.len == 0)
        return;
    tut_json_object(o->j);
    tut_json_put_z(o->j, "name", name);
    if (ns)
        tut_json_put_z(o->j, "ns", ns);
    tut_oscal_put_text(o, "value", value);
    if (class_or_null)
        tut_json_put_z(o->j, "class", class_or_null);
    if (remarks.len)
        tut_oscal_put_markup(o, "remarks", remarks);
    tut_json_end_object(o->j);
}

void tut_oscal_prop(tut_oscal *o, const char *name, tut_str value)
{
    tut_oscal_prop_full(o, TUT_OSCAL_NS, name, value, NULL, TUT_LIT(""));
}

void tut_oscal_prop_z(tut_oscal *o, const char *name, const char *value)
{
    tut_oscal_prop(o, name, tut_str_of(value));
}

void tut_oscal_prop_u64(tut_oscal *o, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    tut_oscal_prop_z(o, name, text);
}

void tut_oscal_prop_time(tut_oscal *o, const char *name, tut_time value)
{
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(value, text);
    tut_oscal_prop_z(o, name, text);
}

void tut_oscal_prop_sha256(tut_oscal *o, const char *name, const tut_sha256 *value)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(value, hex);
    tut_oscal_prop_z(o, name, hex);
}

void tut_oscal_prop_set(tut_oscal *o, const char *name, uint32_t bits, const char *const *words,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bits & (1u << i))
            tut_oscal_prop_z(o, name, words[i]);
}

void tut_oscal_link(tut_oscal *o, const char *rel, const char *href, tut_str text)
{
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", href);
    tut_json_put_z(o->j, "rel", rel);
    if (text.len)
        tut_oscal_put_markup(o, "text", text);
    tut_json_end_object(o->j);
}

void tut_oscal_link_ref(tut_oscal *o, const char *rel, const tut_uuid *id, tut_str text)
{
    char href[1 + TUT_UUID_TEXT] = "#";
    tut_uuid_text(id, href + 1);
    tut_oscal_link(o, rel, href, text);
}

/* --- the frame of a document --- */
void tut_oscal_control_id(const tut_clause *clause, const char *suffix,
                          char out[TUT_OSCAL_CONTROL_MAX])
{
    snprintf(out, TUT_OSCAL_CONTROL_MAX, "en304223-%.*s%s", (int)clause->id.len, clause->id.data,
             suffix);
}

void tut_oscal_begin(tut_oscal *o, tut_oscal_model model, const tut_uuid *id, const char *title,
                     tut_str version)
{
    tut_json_object(o->j);
    tut_json_key(o->j, models[model].name);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", id);
    tut_json_key(o->j, "metadata");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "title", title);
    if (!tut_oscal_put_time(o, "last-modified", o->a->generated))
        keep_failure(o, tut_fail(o->err, TUT_USAGE,
                                 "SOURCE_DATE_EPOCH lies outside the years that OSCAL can say "
                                 "(1900 to 2999)"));
    tut_oscal_put_text(o, "version", version);
    tut_json_put_z(o->j, "oscal-version", TUT_OSCAL_VERSION);
}

void tut_oscal_role_id(size_t role, char out[32])
{
    size_t n = 0;
    for (const char *p = tut_role_names[role]; *p && n < 31; p++)
        out[n++] = *p == ' ' ? '-' : (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    out[n] = '\0';
}

void tut_oscal_put_roles(tut_oscal *o)
{
    tut_json_key(o->j, "roles");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_ROLE_COUNT; i++) {
        char id[32];
        tut_oscal_role_id(i, id);
        tut_json_object(o->j);
        tut_json_put_z(o->j, "id", id);
        tut_json_put_z(o->j, "title", tut_role_names[i]);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
}

void tut_oscal_build_version(const tut_assessment *a, char out[64])
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&a->tool_catalogue, hex);
    snprintf(out, 64, "%s+catalogue.%.12s", TUTELA_VERSION, hex);
}

tut_status tut_oscal_end(tut_oscal *o, tut_buf *out)
{
    tut_json_end_object(o->j);
    tut_json_end_object(o->j);
    TUT_TRY(o->status);
    TUT_TRY(tut_json_finish(o->j, o->err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, o->err);
}

/* --- resources that several documents name --- */
tut_uuid tut_oscal_catalog_resource(tut_oscal *o)
{
    return TUT_OSCAL_ID(o, "resource", TUT_LIT("catalog"),
                        tut_oscal_digest_part(&o->a->tool_catalogue));
}

void tut_oscal_put_catalog_resource(tut_oscal *o)
{
    tut_uuid id = tut_oscal_catalog_resource(o);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "title", "The provisions of EN 304 223, in the words of Tutela");
    tut_json_put_z(o->j, "description",
                   "The OSCAL catalog that is written beside this file: what each provision asks, "
                   "and the evidence that counts for it.");
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_sha256(o, "catalogue-sha256", &o->a->tool_catalogue);
    tut_json_end_array(o->j);
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", "catalog.json");
    tut_json_put_z(o->j, "media-type", "application/oscal.catalog+json");
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

tut_uuid tut_oscal_standard_resource(tut_oscal *o)
{
    return TUT_OSCAL_ID(o, "resource", TUT_LIT("ETSI EN 304 223 V2.1.1"));
}

void tut_oscal_put_standard_resource(tut_oscal *o)
{
    tut_uuid id = tut_oscal_standard_resource(o);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "title", "ETSI EN 304 223 V2.1.1");
    tut_json_put_z(o->j, "description",
                   "The standard itself. Its text is ETSI's and is not repeated here.");
    tut_json_key(o->j, "citation");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "text",
                   "ETSI EN 304 223 V2.1.1, Securing Artificial Intelligence (SAI); Baseline Cyber "
                   "Security Requirements for AI Models and Systems");
    tut_json_end_object(o->j);
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href",
                   "https://www.etsi.org/deliver/etsi_en/304200_304299/304223/02.01.01_60/"
                   "en_304223v020101p.pdf");
    tut_json_put_z(o->j, "media-type", "application/pdf");
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}
