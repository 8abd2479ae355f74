#include "scan/cyclonedx.h"

#include "crypto/uuid.h"

enum { REF_MAX = 48 };

static void put_property(tut_json *j, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    tut_json_object(j);
    tut_json_put_z(j, "name", name);
    tut_json_put_z(j, "value", value);
    tut_json_end_object(j);
}

/* --- files --- */
static const char *type_of(const tut_file_report *r)
{
    if (r->has_model || (r->format && r->format->kind == TUT_KIND_MODEL))
        return "machine-learning-model";
    return r->format && r->format->kind == TUT_KIND_DATASET ? "data" : "file";
}

static void put_hashes(tut_json *j, const tut_file_report *r)
{
    char hex[TUT_SHA256_HEX];
    if (!r->has_digest)
        return;
    tut_sha256_hex(&r->digest, hex);
    tut_json_key(j, "hashes");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "alg", "SHA-256");
    tut_json_put_z(j, "content", hex);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void put_file(tut_json *j, const tut_file_report *r, const char *ref)
{
    char size[24];
    snprintf(size, sizeof(size), "%llu", (unsigned long long)r->size);
    tut_json_object(j);
    tut_json_put_z(j, "bom-ref", ref);
    tut_json_put_z(j, "type", type_of(r));
    tut_json_put_z(j, "name", r->path);
    put_hashes(j, r);
    tut_json_key(j, "properties");
    tut_json_array(j);
    put_property(j, "tutela:scan:depth", r->is_content ? "content" : "structure");
    put_property(j, "tutela:scan:format", r->format ? r->format->name : NULL);
    put_property(j, "tutela:scan:problem", r->problem);
    put_property(j, "tutela:scan:size", size);
    put_property(j, "tutela:scan:status", tut_scan_status_name(r->status));
    put_property(j, "tutela:scan:verdict", tut_verdict_name(tut_file_verdict(r)));
    tut_json_end_array(j);
    tut_json_end_object(j);
}

/* --- findings --- */
/* "CWE-502 CVE-2019-1" -> [502] */
static void put_cwes(tut_json *j, const char *references)
{
    bool is_open = false;
    while (*references) {
        size_t len = strcspn(references, " ");
        uint64_t number;
        if (len > 4 && strncmp(references, "CWE-", 4) == 0 &&
            tut_str_u64((tut_str){references + 4, len - 4}, &number)) {
            if (!is_open) {
                tut_json_key(j, "cwes");
                tut_json_array(j);
                is_open = true;
            }
            tut_json_u64(j, number);
        }
        references += len;
        references += strspn(references, " ");
    }
    if (is_open)
        tut_json_end_array(j);
}

static void put_rating(tut_json *j, const tut_finding *f)
{
    tut_json_key(j, "ratings");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "severity", tut_severity_name(f->severity));
    tut_json_put_z(j, "method", "other");
    tut_json_end_object(j);
    tut_json_end_array(j);
}

/* The format has no word for a risk that is accepted for a time: that it will not be mended is the
 * nearest, and the rest is said. */
static void put_analysis(tut_json *j, const tut_suppressed *accepted)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    if (!accepted)
        return;
    tut_buf_add_z(&words, "accepted ");
    tut_suppressed_words(accepted, &words);
    tut_json_key(j, "analysis");
    tut_json_object(j);
    tut_json_key(j, "response");
    tut_json_array(j);
    tut_json_z(j, "will_not_fix");
    tut_json_end_array(j);
    tut_json_put_str(j, "detail", tut_buf_str(&words));
    tut_json_end_object(j);
}

static void put_details(tut_json *j, const tut_finding *f)
{
    char offset[24] = "";
    if (f->offset != TUT_NO_OFFSET)
        snprintf(offset, sizeof(offset), "%llu", (unsigned long long)f->offset);
    tut_json_key(j, "properties");
    tut_json_array(j);
    put_property(j, "tutela:clauses", f->rule->clauses);
    put_property(j, "tutela:confidence", tut_confidence_name(f->rule->confidence));
    put_property(j, "tutela:location", f->location);
    put_property(j, "tutela:offset", offset);
    put_property(j, "tutela:threats", f->rule->threats);
    tut_json_end_array(j);
}

static void put_finding(tut_json *j, const tut_finding *f, const tut_suppressed *accepted,
                        const char *file_ref, size_t number)
{
    char ref[REF_MAX];
    snprintf(ref, sizeof(ref), "finding/%zu", number);
    tut_json_object(j);
    tut_json_put_z(j, "bom-ref", ref);
    tut_json_put_z(j, "id", f->rule->id);
    tut_json_key(j, "source");
    tut_json_object(j);
    tut_json_put_z(j, "name", "Tutela");
    tut_json_end_object(j);
    put_rating(j, f);
    put_cwes(j, f->rule->references);
    tut_json_put_z(j, "description", tut_finding_title(f));
    tut_json_put_z(j, "detail", f->message[0] ? f->message : f->rule->why);
    tut_json_put_z(j, "recommendation", f->rule->fix);
    put_analysis(j, accepted);
    tut_json_key(j, "affects");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "ref", file_ref);
    tut_json_end_object(j);
    tut_json_end_array(j);
    put_details(j, f);
    tut_json_end_object(j);
}

/* --- the document --- */
static void put_lists(tut_json *j, const tut_scan *scan)
{
    char ref[REF_MAX];
    size_t number = 0;
    tut_json_key(j, "components");
    tut_json_array(j);
    for (size_t i = 0; i < scan->count; i++) {
        snprintf(ref, sizeof(ref), "file/%zu", i + 1);
        put_file(j, &scan->files[i], ref);
    }
    tut_json_end_array(j);
    tut_json_key(j, "vulnerabilities");
    tut_json_array(j);
    for (size_t i = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        snprintf(ref, sizeof(ref), "file/%zu", i + 1);
        for (size_t k = 0; k < r->finding_count; k++)
            put_finding(j, &r->findings[k], NULL, ref, ++number);
        for (size_t k = 0; k < r->suppressed_count; k++)
            put_finding(j, &r->suppressed[k].finding, &r->suppressed[k], ref, ++number);
    }
    tut_json_end_array(j);
}

static void put_metadata(tut_json *j, const tut_scan *scan)
{
    char hex[TUT_SHA256_HEX];
    tut_json_key(j, "metadata");
    tut_json_object(j);
    tut_json_put_time(j, "timestamp", tut_time_generated());
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
    tut_sha256_hex(&scan->rules, hex);
    tut_json_key(j, "properties");
    tut_json_array(j);
    put_property(j, "tutela:scan:rules", hex);
    for (size_t i = 0; i < scan->list_remark_count; i++)
        put_property(j, "tutela:scan:list-without-effect", scan->list_remarks[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status serial_of(const tut_scan *scan, char ret_urn[TUT_UUID_TEXT + 16], tut_error *err)
{
    TUT_CLEAN(tut_buf) content = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    tut_uuid uuid;
    char text[TUT_UUID_TEXT];
    TUT_TRY(tut_json_new(&content, &j));
    tut_json_object(j);
    put_lists(j, scan);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    TUT_TRY(tut_uuid_v5(&tut_uuid_space, tut_buf_span(&content), &uuid, err));
    tut_uuid_text(&uuid, text);
    snprintf(ret_urn, TUT_UUID_TEXT + 16, "urn:uuid:%s", text);
    return TUT_SUCCESS;
}

tut_status tut_scan_cyclonedx(const tut_scan *scan, tut_buf *out, tut_error *err)
{
    char urn[TUT_UUID_TEXT + 16];
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(serial_of(scan, urn, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
    tut_json_put_z(j, "bomFormat", "CycloneDX");
    tut_json_put_z(j, "specVersion", "1.6");
    tut_json_put_z(j, "serialNumber", urn);
    tut_json_put_u64(j, "version", 1);
    put_metadata(j, scan);
    put_lists(j, scan);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}
