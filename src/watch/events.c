#include "watch/events.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"

enum { NAME = TUT_SERIES_NAME, PROBS_MAX = 100000 };
static const double time_most = 253402300799.0; /* the year 9999, in seconds */

typedef struct counter { /* of Prometheus: what it last stood at */
    char *name;
    double last;
} counter;

struct tut_events {
    tut_monitor *monitor;
    tut_str text;
    int64_t now_ms;
    uint64_t lines;
    tut_events_defects defects;
    /* CSV */
    bool has_header;
    char *header;
    tut_str names[TUT_EVENTS_COLUMNS];
    size_t columns, time_at, stream_at, value_at; /* SIZE_MAX: none */
    /* Prometheus */
    char family[NAME];
    bool is_counter;
    counter *counters;
    size_t counter_count, counter_capacity;
    tut_map counter_names;
};

tut_status tut_events_reader_new(tut_monitor *m, tut_str text, tut_events_reader **ret_reader,
                                 tut_error *err)
{
    tut_events_reader *r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->monitor = m;
    r->text = text;
    r->now_ms = TUT_NO_TIME;
    *ret_reader = r;
    return TUT_SUCCESS;
}

void tut_events_reader_free(tut_events_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->counter_count; i++)
        tut_free(r->counters[i].name);
    tut_free(r->counters);
    tut_map_done(&r->counter_names);
    tut_free(r->header);
    tut_free(r);
}

void tut_events_now(tut_events_reader *r, int64_t now_ms)
{
    r->now_ms = now_ms;
}

void tut_events_restart(tut_events_reader *r)
{
    r->has_header = false;
    r->columns = 0;
}

const tut_events_defects *tut_events_broken(const tut_events_reader *r)
{
    return &r->defects;
}

static void broken(tut_events_reader *r, const char *what)
{
    if (r->defects.count++ > 0)
        return;
    r->defects.first_line = r->lines;
    tut_str_copy(r->defects.detail, sizeof(r->defects.detail), tut_str_of(what));
}

/* --- times and numbers --- */
static bool number_of(tut_str text, double *ret)
{
    char copy[64], *end = NULL;
    text = tut_str_trim(text);
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    tut_str_copy(copy, sizeof(copy), text);
    *ret = strtod(copy, &end);
    return *end == '\0';
}

/* Seconds, or (beyond the year 5138 in seconds) milliseconds. */
static bool epoch(double v, int64_t *ret_ms)
{
    double seconds = fabs(v) >= 1e11 ? v / 1000 : v;
    if (!(fabs(seconds) <= time_most))
        return false;
    *ret_ms = (int64_t)llround(seconds * 1000);
    return true;
}

static unsigned milliseconds(tut_str text)
{
    unsigned ms = 0, digits = 0;
    for (size_t i = 19; i + 1 < text.len && text.data[19] == '.' && digits < 3; i++) {
        char c = text.data[i + 1];
        if (c < '0' || c > '9')
            break;
        ms = ms * 10 + (unsigned)(c - '0');
        digits++;
    }
    for (; digits > 0 && digits < 3; digits++)
        ms *= 10;
    return ms;
}

bool tut_events_time(tut_str text, int64_t *ret_ms)
{
    char copy[40];
    double v = 0;
    tut_time t = 0;
    text = tut_str_trim(text);
    if (number_of(text, &v))
        return epoch(v, ret_ms);
    if (text.len < 10 || text.len >= sizeof(copy) - 1)
        return false;
    tut_str_copy(copy, sizeof(copy), text);
    size_t len = text.len;
    if (len >= 19 && copy[10] == ' ')
        copy[10] = 'T';
    bool has_zone = len > 10 && (copy[len - 1] == 'Z' || copy[len - 1] == 'z' ||
                                 (len > 6 && (copy[len - 6] == '+' || copy[len - 6] == '-') &&
                                  copy[len - 3] == ':'));
    if (len >= 19 && !has_zone) {
        copy[len++] = 'Z';
        copy[len] = '\0';
    }
    if (!tut_is_ok(tut_time_parse((tut_str){copy, len}, &t)))
        return false;
    if (!epoch((double)t, ret_ms))
        return false;
    *ret_ms = (int64_t)t * 1000 + milliseconds(text);
    return true;
}

static const char *const time_names[] = {"at",   "time",     "timestamp", "ts",
                                         "date", "datetime", "@timestamp"};

static bool is_time_name(tut_str name)
{
    for (size_t i = 0; i < sizeof(time_names) / sizeof(time_names[0]); i++)
        if (tut_str_ieq(name, tut_str_of(time_names[i])))
            return true;
    return false;
}

/* --- objects --- */
static bool value_of(const tut_json_value *v, double *ret)
{
    *ret = NAN;
    if (v->type == TUT_JSON_REAL)
        *ret = v->as.real;
    else if (v->type == TUT_JSON_INT)
        *ret = (double)v->as.integer;
    else if (v->type == TUT_JSON_UINT)
        *ret = (double)v->as.uinteger;
    else if (v->type == TUT_JSON_BOOL)
        *ret = v->as.boolean;
    else if (v->type == TUT_JSON_STRING)
        return v->as.string.len == 0 || tut_str_ieq(v->as.string, TUT_LIT("nan"));
    return v->type != TUT_JSON_ARRAY && v->type != TUT_JSON_OBJECT;
}

static int64_t time_of(const tut_events_reader *r, const tut_json_value *object)
{
    int64_t ms = r->now_ms;
    double v = 0;
    for (size_t i = 0; i < sizeof(time_names) / sizeof(time_names[0]); i++) {
        const tut_json_value *t = tut_json_get(object, time_names[i]);
        if (!t)
            continue;
        if (t->type == TUT_JSON_STRING && tut_events_time(t->as.string, &ms))
            return ms;
        if (t->type != TUT_JSON_STRING && value_of(t, &v) && epoch(v, &ms))
            return ms;
    }
    return r->now_ms;
}

static tut_str joined(tut_str prefix, tut_str name, char to[NAME])
{
    if (prefix.len == 0)
        return name;
    int len = snprintf(to, NAME, "%.*s.%.*s", (int)(prefix.len < 90 ? prefix.len : 90), prefix.data,
                       (int)(name.len < 100 ? name.len : 100), name.data);
    return (tut_str){to, len > 0 ? (size_t)len : 0};
}

/* Of what a model gave each token: how sure it was. top: for each token the best alternatives. */
static tut_status take_logprobs(tut_events_reader *r, tut_str prefix, int64_t at_ms,
                                const tut_json_value *probs, const tut_json_value *top,
                                tut_error *err)
{
    char name[NAME];
    double sum = 0, n = 0, entropy = 0, margin = 0, tops = 0, v = 0;
    uint32_t count = tut_json_count(probs) < PROBS_MAX ? tut_json_count(probs) : PROBS_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (value_of(tut_json_item(probs, i), &v) && v <= 0 && isfinite(v)) {
            sum += v;
            n++;
        }
    uint32_t lists = tut_json_count(top) < PROBS_MAX ? tut_json_count(top) : PROBS_MAX;
    for (uint32_t i = 0; i < lists; i++) {
        const tut_json_value *list = tut_json_item(top, i);
        double best = -INFINITY, second = -INFINITY, h = 0;
        for (uint32_t k = 0; k < tut_json_count(list); k++) {
            if (!value_of(tut_json_item(list, k), &v) || !(v <= 0) || !isfinite(v))
                continue;
            h -= exp(v) * v;
            second = v > best ? best : fmax(second, v);
            best = fmax(best, v);
        }
        if (!isfinite(second))
            continue;
        entropy += h;
        margin += best - second;
        tops++;
    }
    if (n > 0)
        TUT_TRY(tut_monitor_value(r->monitor, joined(prefix, TUT_LIT("logprob"), name), at_ms,
                                  sum / n, err));
    if (tops > 0) {
        TUT_TRY(tut_monitor_value(r->monitor, joined(prefix, TUT_LIT("entropy"), name), at_ms,
                                  entropy / tops, err));
        TUT_TRY(tut_monitor_value(r->monitor, joined(prefix, TUT_LIT("margin"), name), at_ms,
                                  margin / tops, err));
    }
    if (n == 0 && tops == 0)
        broken(r, "logprobs without numbers");
    return TUT_SUCCESS;
}

/* A status of HTTP is no quantity: what share of answers are errors is one. */
static tut_status take_status(tut_events_reader *r, tut_str prefix, int64_t at_ms, double status,
                              tut_error *err)
{
    char name[NAME];
    TUT_TRY(tut_monitor_value(r->monitor, joined(prefix, TUT_LIT("status.4xx"), name), at_ms,
                              status >= 400 && status < 500, err));
    return tut_monitor_value(r->monitor, joined(prefix, TUT_LIT("status.5xx"), name), at_ms,
                             status >= 500, err);
}

static tut_status take_members(tut_events_reader *r, tut_str prefix, int64_t at_ms,
                               const tut_json_value *object, tut_error *err)
{
    char name[NAME];
    double point[TUT_MONITOR_POINT], v = 0;
    size_t dims = 0, taken = 0;
    for (uint32_t i = 0; i < object->count; i++) {
        const tut_json_value *m = tut_json_item(object, i);
        if (is_time_name(m->key) || tut_str_eq_z(m->key, "source"))
            continue;
        tut_str full = joined(prefix, m->key, name);
        if (r->text.len && tut_str_eq(m->key, r->text) && m->type == TUT_JSON_STRING) {
            TUT_TRY(tut_monitor_text(r->monitor, full, at_ms, m->as.string, err));
            taken++;
            continue;
        }
        if (!value_of(m, &v))
            continue;
        if (tut_str_eq_z(m->key, "status") && v >= 100 && v < 600) {
            TUT_TRY(take_status(r, prefix, at_ms, v, err));
            taken++;
            continue;
        }
        TUT_TRY(tut_monitor_value(r->monitor, full, at_ms, v, err));
        taken++;
        if (dims < TUT_MONITOR_POINT)
            point[dims++] = v;
    }
    if (taken == 0)
        broken(r, "an object without a number");
    return tut_monitor_point(r->monitor, prefix, at_ms, point, dims, err);
}

static tut_status take_object(tut_events_reader *r, tut_str line, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    const tut_json_options options = {.max_depth = 8};
    tut_error why = {0};
    double v = 0;
    tut_status status = tut_json_parse(tut_span_of(line.data, line.len), &options, &doc, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_json_value *root = tut_is_ok(status) ? tut_json_root(doc) : NULL;
    if (!root || root->type != TUT_JSON_OBJECT) {
        broken(r, root ? "not an object" : why.text);
        return TUT_SUCCESS;
    }
    int64_t at_ms = time_of(r, root);
    const tut_json_value *stream = tut_json_get(root, "stream"),
                         *value = tut_json_get(root, "value"),
                         *probs = tut_json_get(root, "logprobs");
    tut_str prefix = tut_json_get_text(root, stream ? "stream" : "source");
    if (probs && probs->type == TUT_JSON_ARRAY)
        return take_logprobs(r, prefix, at_ms, probs, tut_json_get(root, "top"), err);
    if (!stream || stream->type != TUT_JSON_STRING)
        return take_members(r, prefix, at_ms, root, err);
    const tut_json_value *text = tut_json_get(root, "text");
    if (text && text->type == TUT_JSON_STRING)
        return tut_monitor_text(r->monitor, prefix, at_ms, text->as.string, err);
    if (!value || !value_of(value, &v)) {
        broken(r, "an event without a value");
        return TUT_SUCCESS;
    }
    return tut_monitor_value(r->monitor, prefix, at_ms, v, err);
}

/* --- CSV --- */
static size_t fields_of(tut_str line, tut_str fields[TUT_EVENTS_COLUMNS])
{
    size_t count = 0, at = 0;
    while (count < TUT_EVENTS_COLUMNS) {
        size_t end = at;
        if (at < line.len && line.data[at] == '"') {
            end = at + 1;
            while (end < line.len && line.data[end] != '"')
                end++;
            fields[count++] = (tut_str){line.data + at + 1, end - at - 1};
            while (end < line.len && line.data[end] != ',')
                end++;
        } else {
            while (end < line.len && line.data[end] != ',')
                end++;
            fields[count++] = tut_str_trim((tut_str){line.data + at, end - at});
        }
        if (end >= line.len)
            break;
        at = end + 1;
    }
    return count;
}

static tut_status take_header(tut_events_reader *r, tut_str line, tut_error *err)
{
    tut_free(r->header);
    r->header = tut_strndup(line.data, line.len);
    if (!r->header)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->columns = fields_of((tut_str){r->header, line.len}, r->names);
    r->time_at = r->stream_at = r->value_at = SIZE_MAX;
    for (size_t i = 0; i < r->columns; i++) {
        if (r->time_at == SIZE_MAX && is_time_name(r->names[i]))
            r->time_at = i;
        else if (tut_str_ieq(r->names[i], TUT_LIT("stream")))
            r->stream_at = i;
        else if (tut_str_ieq(r->names[i], TUT_LIT("value")))
            r->value_at = i;
    }
    r->has_header = true;
    return TUT_SUCCESS;
}

static tut_status take_fields(tut_events_reader *r, tut_str line, tut_error *err)
{
    tut_str fields[TUT_EVENTS_COLUMNS];
    double point[TUT_MONITOR_POINT];
    size_t count = fields_of(line, fields), dims = 0;
    int64_t at_ms = r->now_ms;
    if (count != r->columns) {
        broken(r, "a line with another number of fields than the header");
        return TUT_SUCCESS;
    }
    if (r->time_at != SIZE_MAX && !tut_events_time(fields[r->time_at], &at_ms))
        broken(r, "a time that is none");
    for (size_t i = 0; i < count; i++) {
        double v = NAN;
        tut_str name = r->names[i];
        if (i == r->time_at || i == r->stream_at)
            continue;
        if (r->stream_at != SIZE_MAX && i == r->value_at)
            name = fields[r->stream_at];
        if (r->text.len && tut_str_eq(r->names[i], r->text)) {
            TUT_TRY(tut_monitor_text(r->monitor, name, at_ms, fields[i], err));
            continue;
        }
        if (fields[i].len && !number_of(fields[i], &v))
            continue;
        TUT_TRY(tut_monitor_value(r->monitor, name, at_ms, v, err));
        if (dims < TUT_MONITOR_POINT)
            point[dims++] = v;
    }
    return tut_monitor_point(r->monitor, TUT_LIT(""), at_ms, point, dims, err);
}

/* --- Prometheus --- */

/* "# TYPE name counter" */
static void take_type(tut_events_reader *r, tut_str line)
{
    static const tut_str start = {"# TYPE ", 7};
    if (!tut_str_starts(line, start))
        return;
    tut_str rest = {line.data + start.len, line.len - start.len};
    const char *space = memchr(rest.data, ' ', rest.len);
    if (!space)
        return;
    size_t len = (size_t)(space - rest.data);
    tut_str_copy(r->family, sizeof(r->family), (tut_str){rest.data, len});
    tut_str kind = tut_str_trim((tut_str){space, rest.len - len});
    r->is_counter = tut_str_eq_z(kind, "counter") || tut_str_eq_z(kind, "histogram") ||
                    tut_str_eq_z(kind, "summary");
}

/* The growth since last time; false: there was none, or it began anew. */
static tut_status grown(tut_events_reader *r, tut_str name, double *value, bool *ret_is_known,
                        tut_error *err)
{
    size_t at = tut_map_get(&r->counter_names, name);
    *ret_is_known = false;
    if (at != SIZE_MAX) {
        double last = r->counters[at].last;
        r->counters[at].last = *value;
        *ret_is_known = *value >= last;
        *value -= last;
        return TUT_SUCCESS;
    }
    if (r->counter_count == TUT_MONITOR_STREAMS)
        return TUT_SUCCESS;
    if (!tut_is_ok(
            tut_grow(&r->counters, r->counter_count, &r->counter_capacity, sizeof(*r->counters))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    counter *c = &r->counters[r->counter_count];
    *c = (counter){tut_strndup(name.data, name.len), *value};
    if (!c->name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(
        tut_map_put(&r->counter_names, (tut_str){c->name, name.len}, r->counter_count, NULL, err));
    r->counter_count++;
    return TUT_SUCCESS;
}

/* name{labels} value [time in ms]. False: it is none. */
static bool split_sample(tut_str line, tut_str *ret_name, double *ret_value, tut_str *ret_time)
{
    size_t at = 0;
    bool quoted = false;
    while (at < line.len && line.data[at] != ' ' && line.data[at] != '{')
        at++;
    if (at < line.len && line.data[at] == '{')
        for (; at < line.len && (quoted || line.data[at] != '}'); at++) {
            if (line.data[at] == '\\' && quoted)
                at++;
            else if (line.data[at] == '"')
                quoted = !quoted;
        }
    at += at < line.len && line.data[at] == '}';
    if (at == 0 || at >= line.len || line.data[at] != ' ')
        return false;
    *ret_name = (tut_str){line.data, at};
    tut_str rest = tut_str_trim((tut_str){line.data + at, line.len - at});
    const char *space = memchr(rest.data, ' ', rest.len);
    size_t len = space ? (size_t)(space - rest.data) : rest.len;
    *ret_time = (tut_str){rest.data + len, rest.len - len};
    return number_of((tut_str){rest.data, len}, ret_value);
}

static tut_status take_sample(tut_events_reader *r, tut_str name, double value, tut_str time,
                              tut_error *err)
{
    int64_t at_ms = r->now_ms;
    double ms = 0;
    size_t family = strlen(r->family);
    bool is_of_family = family && name.len >= family && memcmp(name.data, r->family, family) == 0;
    if (time.len && number_of(time, &ms) && fabs(ms) <= time_most * 1000)
        at_ms = (int64_t)ms;
    if (r->is_counter && is_of_family) {
        bool is_known = false;
        TUT_TRY(grown(r, name, &value, &is_known, err));
        if (!is_known)
            return TUT_SUCCESS;
    }
    name.len = name.len < NAME - 16 ? name.len : NAME - 16;
    return tut_monitor_value(r->monitor, name, at_ms, value, err);
}

/* --- any --- */
tut_status tut_events_line(tut_events_reader *r, tut_str line, tut_error *err)
{
    tut_str name, time;
    double value = 0;
    r->lines++;
    if (line.len > TUT_EVENTS_LINE) {
        broken(r, "a line of more than a megabyte");
        return TUT_SUCCESS;
    }
    if (r->lines == 1 && line.len >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0)
        line = (tut_str){line.data + 3, line.len - 3};
    line = tut_str_trim(line);
    if (line.len == 0)
        return TUT_SUCCESS;
    if (!tut_utf8_valid(line) || memchr(line.data, 0, line.len)) {
        broken(r, "bytes that are no text");
        return TUT_SUCCESS;
    }
    if (line.data[0] == '{')
        return take_object(r, line, err);
    if (line.data[0] == '#') {
        take_type(r, line);
        return TUT_SUCCESS;
    }
    if (r->has_header)
        return take_fields(r, line, err);
    if (split_sample(line, &name, &value, &time))
        return take_sample(r, name, value, time, err);
    return take_header(r, line, err);
}
