/*
 * A report as bytes, from a worker to its parent. The worker parsed hostile bytes, so the parent
 * reads its reply with the same care:
 *
 *   reply   = VERSION status flags size digest[32] problem format dropped
 *             count finding* count fact* dropped count package*
 *   finding = rule severity rank title message location offset subject times
 *   fact    = key value
 *   package = type name version digest digests       (type: its place in tut_package_types)
 *
 * Text is u32 length and bytes; numbers are little endian. An empty format is none, and an empty
 * title or problem is none.
 */
#include <string.h>

#include "base/reader.h"
#include "scan/report.h"

enum {
    VERSION = 2,
    FLAG_DIGEST = 1,
    FLAG_CONTENT = 2,
    FLAG_MODEL = 4,
    FLAG_SIBLINGS = 8,
    FLAGS_ALL = 15
};
/* A message is one line and a location a path: the worker cuts both far below this. */
enum { TEXT_MAX = 64 << 10 };

static void put_z(tut_buf *out, const char *z)
{
    tut_buf_add_sized(out, tut_str_of(z));
}

static void put_finding(tut_buf *out, const tut_finding *f)
{
    put_z(out, f->rule->id);
    tut_buf_add_byte(out, (uint8_t)f->severity);
    tut_buf_add_byte(out, f->rank);
    put_z(out, f->title);
    put_z(out, f->message);
    put_z(out, f->location);
    tut_buf_add_u64le(out, f->offset);
    tut_buf_add_u64le(out, f->subject);
    tut_buf_add_u32le(out, f->times);
}

static void put_package(tut_buf *out, const tut_listed_package *p)
{
    uint8_t type = 0;
    while (tut_package_types[type] && strcmp(tut_package_types[type], p->type) != 0)
        type++;
    tut_buf_add_byte(out, type);
    put_z(out, p->name);
    put_z(out, p->version);
    put_z(out, p->digest);
    tut_buf_add_u32le(out, p->digests);
}

void tut_report_encode(const tut_file_report *r, tut_buf *out)
{
    tut_buf_add_byte(out, VERSION);
    tut_buf_add_byte(out, (uint8_t)r->status);
    tut_buf_add_byte(
        out, (uint8_t)((r->has_digest ? FLAG_DIGEST : 0) | (r->is_content ? FLAG_CONTENT : 0) |
                       (r->has_model ? FLAG_MODEL : 0) | (r->has_siblings ? FLAG_SIBLINGS : 0)));
    tut_buf_add_u64le(out, r->size);
    tut_buf_add(out, r->digest.bytes, sizeof(r->digest.bytes));
    put_z(out, r->problem);
    put_z(out, r->format ? r->format->name : "");
    tut_buf_add_u64le(out, r->findings_dropped);
    tut_buf_add_u32le(out, (uint32_t)r->finding_count);
    for (size_t i = 0; i < r->finding_count; i++)
        put_finding(out, &r->findings[i]);
    tut_buf_add_u32le(out, (uint32_t)r->fact_count);
    for (size_t i = 0; i < r->fact_count; i++) {
        put_z(out, r->facts[i].key);
        put_z(out, r->facts[i].value);
    }
    tut_buf_add_u64le(out, r->packages_dropped);
    tut_buf_add_u32le(out, (uint32_t)r->package_count);
    for (size_t i = 0; i < r->package_count; i++)
        put_package(out, &r->packages[i]);
}

/* Text of one line: no controls, valid UTF-8; the worker escapes everything. */
static tut_status get_text(tut_reader *r, tut_str *ret, tut_error *err)
{
    TUT_TRY(tut_reader_sized(r, ret));
    bool is_sound = ret->len <= TEXT_MAX && tut_utf8_valid(*ret);
    for (size_t i = 0; is_sound && i < ret->len; i++)
        is_sound = (uint8_t)ret->data[i] >= 0x20 && ret->data[i] != 0x7f;
    if (!is_sound)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply holds text that is no line");
    return TUT_SUCCESS;
}

static tut_status get_copy(tut_reader *r, bool empty_is_none, char **ret, tut_error *err)
{
    tut_str text;
    TUT_TRY(get_text(r, &text, err));
    if (text.len == 0 && empty_is_none)
        return TUT_SUCCESS;
    *ret = tut_strndup(text.data, text.len);
    return *ret ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status get_finding(tut_reader *r, tut_finding *f, tut_error *err)
{
    tut_str id;
    uint8_t severity;
    TUT_TRY(get_text(r, &id, err));
    f->rule = tut_rule_find(id);
    TUT_TRY(tut_reader_u8(r, &severity));
    if (!f->rule || severity >= TUT_SEVERITY_COUNT)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply names a rule that is not there");
    f->severity = (tut_severity)severity;
    TUT_TRY(tut_reader_u8(r, &f->rank));
    TUT_TRY(get_copy(r, true, &f->title, err));
    TUT_TRY(get_copy(r, false, &f->message, err));
    TUT_TRY(get_copy(r, false, &f->location, err));
    TUT_TRY(tut_reader_u64le(r, &f->offset));
    TUT_TRY(tut_reader_u64le(r, &f->subject));
    TUT_TRY(tut_reader_u32le(r, &f->times));
    if (f->times == 0)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply counts to zero");
    return TUT_SUCCESS;
}

static tut_status get_findings(tut_reader *r, tut_file_report *f, tut_error *err)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_LIMIT_FINDINGS)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply holds too many findings");
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(
            tut_grow(&f->findings, f->finding_count, &f->finding_capacity, sizeof(*f->findings)));
        f->findings[f->finding_count] = (tut_finding){0};
        /* Counted before it is read, so that a half-read one is freed with the rest. */
        f->finding_count++;
        TUT_TRY(get_finding(r, &f->findings[i], err));
    }
    return TUT_SUCCESS;
}

/* Keys are literals of the parsers; each one that a worker ever sent is kept once. */
enum { KEYS_MAX = 1024, KEY_BYTES_MAX = 64 };
static char *keys[KEYS_MAX];
static size_t key_count;

static bool is_key(tut_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return key.len > 0 && key.len <= KEY_BYTES_MAX;
}

static tut_status intern_key(tut_str key, const char **ret, tut_error *err)
{
    for (size_t i = 0; i < key_count; i++) {
        if (tut_str_eq_z(key, keys[i])) {
            *ret = keys[i];
            return TUT_SUCCESS;
        }
    }
    if (!is_key(key) || key_count >= KEYS_MAX)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply names a fact that is not there");
    keys[key_count] = tut_strndup(key.data, key.len);
    if (!keys[key_count])
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = keys[key_count++];
    return TUT_SUCCESS;
}

static tut_status get_facts(tut_reader *r, tut_file_report *f, tut_error *err)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_LIMIT_FACTS)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply holds too many facts");
    for (uint32_t i = 0; i < count; i++) {
        tut_str key, value;
        const char *interned = NULL;
        TUT_TRY(tut_reader_sized(r, &key));
        TUT_TRY(intern_key(key, &interned, err));
        TUT_TRY(get_text(r, &value, err));
        TUT_TRY(tut_report_fact(f, interned, value));
    }
    return TUT_SUCCESS;
}

static tut_status get_package(tut_reader *r, tut_file_report *f, tut_error *err)
{
    uint8_t type;
    size_t types = 0;
    tut_package p = {0};
    while (tut_package_types[types])
        types++;
    TUT_TRY(tut_reader_u8(r, &type));
    TUT_TRY(get_text(r, &p.name, err));
    TUT_TRY(get_text(r, &p.version, err));
    TUT_TRY(get_text(r, &p.digest, err));
    TUT_TRY(tut_reader_u32le(r, &p.digests));
    if (type >= types || p.name.len == 0)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply names a package of no kind");
    p.type = tut_package_types[type];
    tut_status status = tut_report_package(f, &p);
    return tut_is_ok(status) ? status : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status get_packages(tut_reader *r, tut_file_report *f, tut_error *err)
{
    uint64_t dropped;
    uint32_t count;
    TUT_TRY(tut_reader_u64le(r, &dropped));
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_LIMIT_PACKAGES)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply holds too many packages");
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(get_package(r, f, err));
    f->packages_dropped = (size_t)dropped;
    return TUT_SUCCESS;
}

static tut_status get_head(tut_reader *r, tut_file_report *f, tut_error *err)
{
    uint8_t version, status, flags;
    tut_span digest;
    tut_str format;
    uint64_t dropped;
    TUT_TRY(tut_reader_u8(r, &version));
    TUT_TRY(tut_reader_u8(r, &status));
    TUT_TRY(tut_reader_u8(r, &flags));
    if (version != VERSION || status > TUT_SCAN_ERROR || flags & ~FLAGS_ALL)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply begins wrongly");
    f->status = (tut_scan_status)status;
    f->has_digest = flags & FLAG_DIGEST;
    f->is_content = flags & FLAG_CONTENT;
    f->has_model = flags & FLAG_MODEL;
    f->has_siblings = flags & FLAG_SIBLINGS;
    TUT_TRY(tut_reader_u64le(r, &f->size));
    TUT_TRY(tut_reader_bytes(r, sizeof(f->digest.bytes), &digest));
    memcpy(f->digest.bytes, digest.data, sizeof(f->digest.bytes));
    TUT_TRY(get_copy(r, true, &f->problem, err));
    TUT_TRY(get_text(r, &format, err));
    for (size_t i = 0; format.len > 0 && tut_formats[i] && !f->format; i++) {
        if (tut_str_eq_z(format, tut_formats[i]->name))
            f->format = tut_formats[i];
    }
    if (format.len > 0 && !f->format)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply names a format that is not there");
    TUT_TRY(tut_reader_u64le(r, &dropped));
    f->findings_dropped = (size_t)dropped;
    return TUT_SUCCESS;
}

tut_status tut_report_decode(tut_span bytes, tut_file_report *f, tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    TUT_TRY(get_head(&r, f, err));
    TUT_TRY(get_findings(&r, f, err));
    TUT_TRY(get_facts(&r, f, err));
    TUT_TRY(get_packages(&r, f, err));
    if (tut_reader_left(&r) > 0)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply goes on after its end");
    tut_report_sort(f);
    return TUT_SUCCESS;
}
