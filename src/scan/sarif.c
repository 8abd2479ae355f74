#include "scan/sarif.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

#define SCHEMA_URI                                                                                 \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static const char *level_of(tut_severity s)
{
    switch (s) {
    case TUT_SEVERITY_CRITICAL:
    case TUT_SEVERITY_HIGH:
        return "error";
    case TUT_SEVERITY_MEDIUM:
        return "warning";
    case TUT_SEVERITY_LOW:
    case TUT_SEVERITY_INFO:
    case TUT_SEVERITY_COUNT:
        break;
    }
    return "note";
}

/* The scale that code scanning views sort by. */
static const char *score_of(tut_severity s)
{
    static const char *const scores[TUT_SEVERITY_COUNT] = {"0.0", "3.0", "5.5", "8.0", "9.5"};
    return scores[s < TUT_SEVERITY_COUNT ? s : TUT_SEVERITY_INFO];
}

static void put_text(tut_json *j, const char *key, const char *text)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "text", text);
    tut_json_end_object(j);
}

static void put_words(tut_json *j, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        if (len > 0)
            tut_json_str(j, (tut_str){words, len});
        words += len;
        words += strspn(words, " ");
    }
}

/* --- rules --- */
static int compare_items(const void *a, const void *b)
{
    const tut_sarif_item *const *left = a;
    const tut_sarif_item *const *right = b;
    int order = strcmp((*left)->rule, (*right)->rule);
    if (order != 0)
        return order;
    /* The gravest result of a rule speaks for it. */
    return (int)(*right)->severity - (int)(*left)->severity;
}

/* One item per rule, by id; the caller frees. */
static tut_status collect_rules(const tut_sarif_run *run, const tut_sarif_item ***ret_rules,
                                size_t *ret_count, tut_error *err)
{
    const tut_sarif_item **rules = tut_alloc_array(run->item_count ? run->item_count : 1,
                                                   sizeof(*rules));
    if (!rules)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < run->item_count; i++)
        rules[i] = &run->items[i];
    if (run->item_count > 1)
        qsort(rules, run->item_count, sizeof(*rules), compare_items);
    size_t count = 0;
    for (size_t i = 0; i < run->item_count; i++) {
        if (count == 0 || strcmp(rules[count - 1]->rule, rules[i]->rule) != 0)
            rules[count++] = rules[i];
    }
    *ret_rules = rules;
    *ret_count = count;
    return TUT_SUCCESS;
}

static size_t rule_index(const tut_sarif_item *const *rules, size_t count, const char *id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rules[middle]->rule, id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void put_rule(tut_json *j, const tut_sarif_item *item)
{
    const tut_rule *row = tut_rule_find(tut_str_of(item->rule));
    const char *title = row ? row->title : text_of(item->title);
    tut_json_object(j);
    tut_json_put_z(j, "id", item->rule);
    put_text(j, "shortDescription", title);
    if (text_of(item->why)[0])
        put_text(j, "fullDescription", item->why);
    if (text_of(item->fix)[0])
        put_text(j, "help", item->fix);
    tut_json_key(j, "defaultConfiguration");
    tut_json_object(j);
    tut_json_put_z(j, "level", level_of(row ? row->severity : item->severity));
    tut_json_end_object(j);
    tut_json_key(j, "properties");
    tut_json_object(j);
    tut_json_put_z(j, "security-severity", score_of(row ? row->severity : item->severity));
    tut_json_key(j, "tags");
    tut_json_array(j);
    tut_json_z(j, "security");
    put_words(j, text_of(item->threats));
    put_words(j, text_of(item->clauses));
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

/* --- places --- */
static bool is_plain_in_uri(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/", c) != NULL;
}

/* A path as a URI reference; an absolute one as a file URI. */
static void put_uri(tut_json *j, const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    TUT_CLEAN(tut_buf) uri = TUT_BUF_INIT;
    if (path[0] == '/')
        tut_buf_add_z(&uri, "file://");
    while (path[0] == '.' && path[1] == '/' && path[2] != '\0')
        path += 2;
    for (; *path; path++) {
        uint8_t byte = (uint8_t)*path;
        if (is_plain_in_uri(*path)) {
            tut_buf_add_byte(&uri, byte);
            continue;
        }
        tut_buf_add_byte(&uri, '%');
        tut_buf_add_byte(&uri, (uint8_t)digits[byte >> 4]);
        tut_buf_add_byte(&uri, (uint8_t)digits[byte & 15]);
    }
    tut_json_put_str(j, "uri", tut_buf_str(&uri));
}

static void put_artifact(tut_json *j, const char *path)
{
    tut_json_key(j, "artifactLocation");
    tut_json_object(j);
    put_uri(j, path);
    tut_json_end_object(j);
}

static void put_locations(tut_json *j, const tut_sarif_item *item)
{
    const char *location = text_of(item->location);
    bool is_member = strstr(location, "!/") != NULL;
    tut_json_key(j, "locations");
    tut_json_array(j);
    if (text_of(item->path)[0]) {
        tut_json_object(j);
        tut_json_key(j, "physicalLocation");
        tut_json_object(j);
        put_artifact(j, item->path);
        if (item->has_offset && !is_member && item->offset <= INT32_MAX) {
            tut_json_key(j, "region");
            tut_json_object(j);
            tut_json_put_u64(j, "byteOffset", item->offset);
            tut_json_end_object(j);
        }
        tut_json_end_object(j);
        if (is_member) {
            tut_json_key(j, "logicalLocations");
            tut_json_array(j);
            tut_json_object(j);
            tut_json_put_z(j, "fullyQualifiedName", location);
            tut_json_put_z(j, "kind", "member");
            tut_json_end_object(j);
            tut_json_end_array(j);
        }
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* --- results --- */
/* Names a result across runs: what it is, where, and what was seen; not the offset, which moves. */
static tut_status fingerprint(const tut_sarif_item *item, char hex[TUT_SHA256_HEX], tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_buf_add_sized(&text, tut_str_of(item->rule));
    tut_buf_add_sized(&text, tut_str_of(text_of(item->path)));
    tut_buf_add_sized(&text, tut_str_of(text_of(item->location)));
    tut_buf_add_sized(&text, tut_str_of(text_of(item->message)));
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &digest, err));
    tut_sha256_hex(&digest, hex);
    return TUT_SUCCESS;
}

static void put_message(tut_json *j, const tut_sarif_item *item)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, text_of(item->title));
    if (text_of(item->message)[0])
        tut_buf_printf(&text, ": %s", item->message);
    tut_json_key(j, "message");
    tut_json_object(j);
    tut_json_put_str(j, "text", tut_buf_str(&text));
    tut_json_end_object(j);
}

/* Either no result of a run says whether it is suppressed, or all do. */
static void put_suppressions(tut_json *j, const tut_sarif_item *item)
{
    tut_json_key(j, "suppressions");
    tut_json_array(j);
    if (item->accepted) {
        tut_json_object(j);
        tut_json_put_z(j, "kind", "external");
        tut_json_put_z(j, "status", "accepted");
        tut_json_put_z(j, "justification", item->accepted);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static bool has_accepted(const tut_sarif_run *run)
{
    for (size_t i = 0; i < run->item_count; i++)
        if (run->items[i].accepted)
            return true;
    return false;
}

static tut_status put_result(tut_json *j, const tut_sarif_item *item, size_t index,
                             bool says_suppressed, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    TUT_TRY(fingerprint(item, hex, err));
    tut_json_object(j);
    tut_json_put_z(j, "ruleId", item->rule);
    tut_json_put_u64(j, "ruleIndex", index);
    tut_json_put_z(j, "level", level_of(item->severity));
    put_message(j, item);
    put_locations(j, item);
    if (says_suppressed)
        put_suppressions(j, item);
    tut_json_key(j, "partialFingerprints");
    tut_json_object(j);
    tut_json_put_z(j, "tutela/v1", hex);
    tut_json_end_object(j);
    tut_json_key(j, "properties");
    tut_json_object(j);
    tut_json_put_z(j, "severity", tut_severity_name(item->severity));
    tut_json_put_z(j, "confidence", item->confidence);
    if (item->has_offset)
        tut_json_put_u64(j, "offset", item->offset);
    tut_json_end_object(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

static void put_note(tut_json *j, const tut_sarif_note *note)
{
    tut_json_object(j);
    tut_json_put_z(j, "level", note->is_error ? "error" : "warning");
    put_text(j, "message", text_of(note->text));
    if (text_of(note->path)[0]) {
        tut_json_key(j, "locations");
        tut_json_array(j);
        tut_json_object(j);
        tut_json_key(j, "physicalLocation");
        tut_json_object(j);
        put_artifact(j, note->path);
        tut_json_end_object(j);
        tut_json_end_object(j);
        tut_json_end_array(j);
    }
    tut_json_end_object(j);
}

static void put_invocation(tut_json *j, const tut_sarif_run *run)
{
    bool is_whole = true;
    for (size_t i = 0; i < run->note_count; i++)
        is_whole = is_whole && !run->notes[i].is_error;
    tut_json_key(j, "invocations");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_bool(j, "executionSuccessful", is_whole);
    tut_json_key(j, "toolExecutionNotifications");
    tut_json_array(j);
    for (size_t i = 0; i < run->note_count; i++)
        put_note(j, &run->notes[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static tut_status put_run(tut_json *j, const tut_sarif_run *run, const tut_sarif_item *const *rules,
                          size_t rule_count, tut_error *err)
{
    tut_json_object(j);
    tut_json_key(j, "tool");
    tut_json_object(j);
    tut_json_key(j, "driver");
    tut_json_object(j);
    tut_json_put_z(j, "name", "Tutela");
    tut_json_put_z(j, "version", TUTELA_VERSION);
    tut_json_put_z(j, "semanticVersion", TUTELA_VERSION);
    tut_json_key(j, "rules");
    tut_json_array(j);
    for (size_t i = 0; i < rule_count; i++)
        put_rule(j, rules[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_put_z(j, "columnKind", "utf16CodeUnits");
    put_invocation(j, run);
    tut_json_key(j, "results");
    tut_json_array(j);
    bool says_suppressed = has_accepted(run);
    for (size_t i = 0; i < run->item_count; i++)
        TUT_TRY(put_result(j, &run->items[i], rule_index(rules, rule_count, run->items[i].rule),
                           says_suppressed, err));
    tut_json_end_array(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

tut_status tut_sarif_write(const tut_sarif_run *run, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE const tut_sarif_item **rules = NULL;
    size_t rule_count = 0;
    TUT_TRY(collect_rules(run, &rules, &rule_count, err));
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "$schema", SCHEMA_URI);
    tut_json_put_z(j, "version", "2.1.0");
    tut_json_key(j, "runs");
    tut_json_array(j);
    TUT_TRY(put_run(j, run, rules, rule_count, err));
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}

/* --- a scan --- */
static tut_sarif_item item_of(const tut_file_report *r, const tut_finding *f)
{
    return (tut_sarif_item){
        .rule = f->rule->id,
        .title = tut_finding_title(f),
        .why = f->rule->why,
        .fix = f->rule->fix,
        .threats = f->rule->threats,
        .clauses = f->rule->clauses,
        .message = f->message,
        .path = r->path,
        .location = f->location,
        .confidence = tut_confidence_name(f->rule->confidence),
        .severity = f->severity,
        .has_offset = f->offset != TUT_NO_OFFSET,
        .offset = f->offset,
    };
}

/* Of one scan; `why` holds a text for each accepted finding, in order. */
static tut_status fill(const tut_scan *scan, tut_sarif_run *run, tut_sarif_item *items,
                       tut_sarif_note *notes, char **why, tut_error *err)
{
    size_t told = 0;
    for (size_t i = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        for (size_t k = 0; k < r->finding_count; k++)
            items[run->item_count++] = item_of(r, &r->findings[k]);
        for (size_t k = 0; k < r->suppressed_count; k++) {
            TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
            tut_suppressed_words(&r->suppressed[k], &words);
            why[told] = tut_buf_steal(&words);
            if (!why[told])
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            items[run->item_count] = item_of(r, &r->suppressed[k].finding);
            items[run->item_count++].accepted = why[told++];
        }
        if (r->status != TUT_SCAN_COMPLETE)
            notes[run->note_count++] = (tut_sarif_note){
                .path = r->path, .text = r->problem, .is_error = r->status == TUT_SCAN_ERROR};
    }
    return TUT_SUCCESS;
}

tut_status tut_scan_sarif(const tut_scan *scan, tut_buf *out, tut_error *err)
{
    size_t item_count = 0;
    size_t accepted = 0;
    for (size_t i = 0; i < scan->count; i++) {
        item_count += scan->files[i].finding_count;
        accepted += scan->files[i].suppressed_count;
    }
    TUT_AUTO_FREE tut_sarif_item *items = tut_alloc_array(item_count + accepted + 1,
                                                          sizeof(*items));
    TUT_AUTO_FREE tut_sarif_note *notes = tut_alloc_array(scan->count + 1, sizeof(*notes));
    TUT_AUTO_FREE char **why = tut_alloc_array(accepted + 1, sizeof(*why));
    if (!items || !notes || !why)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_sarif_run run = {.items = items, .notes = notes};
    tut_status status = fill(scan, &run, items, notes, why, err);
    if (tut_is_ok(status))
        status = tut_sarif_write(&run, out, err);
    for (size_t i = 0; i < accepted; i++)
        tut_free(why[i]);
    return status;
}
