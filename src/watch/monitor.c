#include "watch/monitor.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "stats/halfspace.h"
#include "watch/ngrams.h"

typedef struct language {           /* of one stream of texts */
    float surprise[TUT_GRAM_CELLS]; /* -log of the cell's share, once learnt */
    uint32_t counts[TUT_GRAM_CELLS];
    uint32_t texts;
} language;

typedef struct vector { /* of one stream of points */
    tut_halfspace *trees;
    double low[TUT_MONITOR_POINT], high[TUT_MONITOR_POINT];
    size_t dims;
    uint32_t seen;
} vector;

typedef struct entry {
    tut_series *series;
    language *language;
    vector *vector;
    /* which stream is derived from it; SIZE_MAX: none so far */
    size_t missing, rate;
    int64_t rate_slot; /* the interval that is being counted */
    uint32_t rate_count;
    bool has_slot;
} entry;

typedef struct waiting {
    size_t entry;
    int64_t at_ms;
    double value;
} waiting;

struct tut_monitor {
    tut_monitor_options options;
    tut_monitor_tell tell;
    void *ctx;
    entry *entries;
    size_t count, capacity;
    tut_map names;
    waiting *pending; /* by time */
    size_t pending_count, pending_capacity;
    int64_t newest_ms;
    uint64_t late, refused;
};

tut_status tut_monitor_new(const tut_monitor_options *options, tut_monitor_tell tell, void *ctx,
                           tut_monitor **ret_monitor, tut_error *err)
{
    tut_monitor *m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->options = *options;
    m->tell = tell;
    m->ctx = ctx;
    m->newest_ms = TUT_NO_TIME;
    *ret_monitor = m;
    return TUT_SUCCESS;
}

void tut_monitor_free(tut_monitor *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++) {
        tut_series_free(m->entries[i].series);
        tut_free(m->entries[i].language);
        if (m->entries[i].vector)
            tut_halfspace_free(m->entries[i].vector->trees);
        tut_free(m->entries[i].vector);
    }
    tut_free(m->entries);
    tut_free(m->pending);
    tut_map_done(&m->names);
    tut_free(m);
}

size_t tut_monitor_count(const tut_monitor *m)
{
    return m->count;
}

const tut_series *tut_monitor_at(const tut_monitor *m, size_t i)
{
    return m->entries[i].series;
}

tut_monitor_sums tut_monitor_sum(const tut_monitor *m)
{
    tut_monitor_sums s = {.late = m->late, .refused = m->refused, .newest_ms = m->newest_ms};
    for (size_t i = 0; i < m->count; i++) {
        const tut_series *one = m->entries[i].series;
        s.events += one->seen;
        s.missing += one->missing;
        s.alarms += one->alarms;
        s.learning += !one->is_learnt;
    }
    return s;
}

/* --- streams --- */
static tut_status adopt(tut_monitor *m, tut_series *series, tut_error *err)
{
    tut_status status = tut_grow(&m->entries, m->count, &m->capacity, sizeof(*m->entries));
    if (tut_is_ok(status))
        status = tut_map_put(&m->names, tut_str_of(series->name), m->count, NULL, err);
    if (!tut_is_ok(status)) {
        tut_series_free(series);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    m->entries[m->count++] = (entry){.series = series, .missing = SIZE_MAX, .rate = SIZE_MAX};
    return TUT_SUCCESS;
}

/* SIZE_MAX: there are too many. */
static tut_status find(tut_monitor *m, tut_str name, const char *what, size_t *ret_at,
                       tut_error *err)
{
    char full[TUT_SERIES_NAME];
    tut_series *series = NULL;
    size_t room = sizeof(full) - strlen(what), len = name.len < room ? name.len : room - 1;
    memcpy(full, name.data, len);
    tut_str_copy(full + len, sizeof(full) - len, tut_str_of(what));
    *ret_at = tut_map_get(&m->names, tut_str_of(full));
    if (*ret_at != SIZE_MAX || len == 0)
        return TUT_SUCCESS;
    if (m->count == TUT_MONITOR_STREAMS) {
        m->refused++;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_series_new(tut_str_of(full), &m->options.series, &series, err));
    TUT_TRY(adopt(m, series, err));
    *ret_at = m->count - 1;
    return TUT_SUCCESS;
}

static tut_status step(tut_monitor *m, size_t at, int64_t at_ms, double value, tut_error *err)
{
    tut_alarm alarm;
    if (tut_series_step(m->entries[at].series, at_ms, value, &alarm))
        return m->tell(m->ctx, &alarm, err);
    return TUT_SUCCESS;
}

/* A share of missing values, as soon as there are any: those before are known to have been there.
 */
static tut_status step_missing(tut_monitor *m, size_t at, int64_t at_ms, bool is_missing,
                               tut_error *err)
{
    size_t derived = m->entries[at].missing;
    if (derived == SIZE_MAX && !is_missing)
        return TUT_SUCCESS;
    if (derived == SIZE_MAX) {
        TUT_TRY(find(m, tut_str_of(m->entries[at].series->name), ".missing", &derived, err));
        if (derived == SIZE_MAX)
            return TUT_SUCCESS;
        m->entries[at].missing = derived;
        if (m->entries[derived].series->seen == 0)
            tut_series_backfill(m->entries[derived].series, m->entries[at].series->seen);
    }
    return step(m, derived, at_ms, is_missing, err);
}

/* Intervals that passed are counted, those without an event as well. */
static tut_status step_rate(tut_monitor *m, size_t at, int64_t at_ms, bool is_event, tut_error *err)
{
    enum { MOST = 10000 };
    int64_t slot = at_ms / m->options.rate_ms;
    size_t derived = m->entries[at].rate;
    if (derived == SIZE_MAX) {
        TUT_TRY(find(m, tut_str_of(m->entries[at].series->name), ".rate", &derived, err));
        if (derived == SIZE_MAX)
            return TUT_SUCCESS;
        m->entries[at].rate = derived;
    }
    if (!m->entries[at].has_slot) {
        m->entries[at].has_slot = is_event;
        m->entries[at].rate_slot = slot;
        m->entries[at].rate_count = 0;
    }
    for (unsigned i = 0; m->entries[at].rate_slot < slot && i < MOST; i++) {
        int64_t end_ms = (m->entries[at].rate_slot + 1) * m->options.rate_ms;
        TUT_TRY(step(m, derived, end_ms, m->entries[at].rate_count, err));
        m->entries[at].rate_slot++;
        m->entries[at].rate_count = 0;
    }
    m->entries[at].rate_slot = slot > m->entries[at].rate_slot ? slot : m->entries[at].rate_slot;
    m->entries[at].rate_count += is_event;
    return TUT_SUCCESS;
}

static tut_status take(tut_monitor *m, size_t at, int64_t at_ms, double value, tut_error *err)
{
    TUT_TRY(step_missing(m, at, at_ms, !isfinite(value), err));
    if (m->options.rate_ms > 0 && at_ms != TUT_NO_TIME)
        TUT_TRY(step_rate(m, at, at_ms, true, err));
    return step(m, at, at_ms, value, err);
}

/* --- order --- */
static tut_status release(tut_monitor *m, int64_t until_ms, tut_error *err)
{
    size_t done = 0;
    tut_status status = TUT_SUCCESS;
    while (tut_is_ok(status) && done < m->pending_count && m->pending[done].at_ms <= until_ms) {
        waiting w = m->pending[done++];
        status = take(m, w.entry, w.at_ms, w.value, err);
    }
    m->pending_count -= done;
    if (done > 0)
        memmove(m->pending, m->pending + done, m->pending_count * sizeof(*m->pending));
    return status;
}

static tut_status hold(tut_monitor *m, size_t at, int64_t at_ms, double value, tut_error *err)
{
    if (m->pending_count == TUT_MONITOR_PENDING)
        TUT_TRY(release(m, m->pending[m->pending_count / 2].at_ms, err));
    if (!tut_is_ok(
            tut_grow(&m->pending, m->pending_count, &m->pending_capacity, sizeof(*m->pending))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t i = m->pending_count++;
    for (; i > 0 && m->pending[i - 1].at_ms > at_ms; i--)
        m->pending[i] = m->pending[i - 1];
    m->pending[i] = (waiting){at, at_ms, value};
    return release(m, m->newest_ms - m->options.late_ms, err);
}

static tut_status enter(tut_monitor *m, size_t at, int64_t at_ms, double value, tut_error *err)
{
    tut_series *s = m->entries[at].series;
    if (at_ms == TUT_NO_TIME)
        return take(m, at, at_ms, value, err);
    m->newest_ms = at_ms > m->newest_ms ? at_ms : m->newest_ms;
    /* Of one stream, what comes after a later one was taken in is too late. */
    bool is_late = s->last_ms != TUT_NO_TIME && at_ms < s->last_ms;
    if (is_late || (m->options.late_ms > 0 && at_ms < m->newest_ms - m->options.late_ms)) {
        s->late++;
        m->late++;
        return TUT_SUCCESS;
    }
    return m->options.late_ms > 0 ? hold(m, at, at_ms, value, err) : take(m, at, at_ms, value, err);
}

tut_status tut_monitor_value(tut_monitor *m, tut_str stream, int64_t at_ms, double value,
                             tut_error *err)
{
    size_t at = SIZE_MAX;
    TUT_TRY(find(m, stream, "", &at, err));
    return at == SIZE_MAX ? TUT_SUCCESS : enter(m, at, at_ms, value, err);
}

tut_status tut_monitor_flush(tut_monitor *m, tut_error *err)
{
    return release(m, INT64_MAX, err);
}

/* --- texts --- */
static void learn_language(language *l)
{
    double total = 0;
    for (size_t c = 0; c < TUT_GRAM_CELLS; c++)
        total += l->counts[c] + 0.5;
    for (size_t c = 0; c < TUT_GRAM_CELLS; c++)
        l->surprise[c] = (float)-log((l->counts[c] + 0.5) / total);
}

tut_status tut_monitor_text(tut_monitor *m, tut_str stream, int64_t at_ms, tut_str text,
                            tut_error *err)
{
    uint16_t cells[TUT_GRAMS];
    size_t at = SIZE_MAX, count = tut_grams_of(text, cells);
    double sum = 0;
    TUT_TRY(find(m, stream, ".language", &at, err));
    if (at == SIZE_MAX)
        return TUT_SUCCESS;
    language *l = m->entries[at].language;
    if (!l) {
        l = m->entries[at].language = tut_alloc_array(1, sizeof(*l));
        if (!l)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    if (count == 0)
        return TUT_SUCCESS;
    if (l->texts < TUT_MONITOR_TEXTS) {
        for (size_t i = 0; i < count; i++)
            l->counts[cells[i]]++;
        if (++l->texts == TUT_MONITOR_TEXTS)
            learn_language(l);
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < count; i++)
        sum += (double)l->surprise[cells[i]];
    return enter(m, at, at_ms, sum / (double)count, err);
}

/* --- points --- */
static tut_status plant(tut_monitor *m, vector *v, tut_error *err)
{
    static const double margin = 0.25;
    for (size_t d = 0; d < v->dims; d++) {
        double room = (v->high[d] - v->low[d]) * margin;
        v->low[d] -= room;
        v->high[d] += room;
    }
    return tut_halfspace_new(v->low, v->high, v->dims, m->count, &v->trees, err);
}

tut_status tut_monitor_point(tut_monitor *m, tut_str stream, int64_t at_ms, const double *values,
                             size_t count, tut_error *err)
{
    size_t at = SIZE_MAX;
    if (!m->options.has_trees || count < 2 || count > TUT_MONITOR_POINT)
        return TUT_SUCCESS;
    TUT_TRY(find(m, stream.len ? stream : TUT_LIT("all"), ".strange", &at, err));
    if (at == SIZE_MAX)
        return TUT_SUCCESS;
    vector *v = m->entries[at].vector;
    if (!v) {
        v = m->entries[at].vector = tut_alloc_array(1, sizeof(*v));
        if (!v)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        v->dims = count;
        for (size_t d = 0; d < count; d++) {
            v->low[d] = INFINITY;
            v->high[d] = -INFINITY;
        }
    }
    if (v->dims != count)
        return TUT_SUCCESS; /* another kind of object */
    if (!v->trees) {
        for (size_t d = 0; d < count; d++) {
            v->low[d] = isfinite(values[d]) ? fmin(v->low[d], values[d]) : v->low[d];
            v->high[d] = isfinite(values[d]) ? fmax(v->high[d], values[d]) : v->high[d];
        }
        return ++v->seen < TUT_HALFSPACE_WINDOW ? TUT_SUCCESS : plant(m, v, err);
    }
    double score = tut_halfspace_step(v->trees, values);
    return score < 0 ? TUT_SUCCESS : enter(m, at, at_ms, score, err);
}

/* --- time --- */
tut_status tut_monitor_tick(tut_monitor *m, int64_t now_ms, tut_error *err)
{
    size_t count = m->count;
    if (m->options.late_ms > 0)
        TUT_TRY(release(m, now_ms - m->options.late_ms, err));
    for (size_t i = 0; i < count; i++) {
        tut_alarm alarm;
        if (m->entries[i].has_slot)
            TUT_TRY(step_rate(m, i, now_ms, false, err));
        if (tut_series_tick(m->entries[i].series, now_ms, &alarm))
            TUT_TRY(m->tell(m->ctx, &alarm, err));
    }
    return TUT_SUCCESS;
}

/* --- checkpoint: magic, version, extra, count, then each stream, sized --- */
enum { VERSION = 1 };
#define MAGIC TUT_LIT("tutela watch\n")

tut_status tut_monitor_save(const tut_monitor *m, tut_str extra, tut_buf *to, tut_error *err)
{
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    tut_buf_add_str(to, MAGIC);
    tut_buf_add_u32le(to, VERSION);
    tut_buf_add_sized(to, extra);
    tut_buf_add_u64le(to, m->late);
    tut_buf_add_u64le(to, (uint64_t)m->newest_ms);
    tut_buf_add_u32le(to, (uint32_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        tut_buf_clear(&one);
        tut_series_save(m->entries[i].series, &one);
        TUT_TRY(tut_buf_check(&one, err));
        tut_buf_add_sized(to, tut_buf_str(&one));
    }
    return tut_buf_check(to, err);
}

static tut_status load_streams(tut_reader *r, tut_monitor *m, tut_error *err)
{
    uint32_t count = 0;
    uint64_t newest = 0;
    TUT_TRY(tut_reader_u64le(r, &m->late));
    TUT_TRY(tut_reader_u64le(r, &newest));
    m->newest_ms = (int64_t)newest;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_MONITOR_STREAMS)
        return tut_fail(err, TUT_LIMIT, "more streams than are watched");
    for (uint32_t i = 0; i < count; i++) {
        tut_str bytes;
        tut_series *series = NULL;
        TUT_TRY(tut_reader_sized(r, &bytes));
        tut_reader sub = tut_reader_of(tut_span_of(bytes.data, bytes.len));
        TUT_TRY(tut_series_load(&sub, &series, err));
        if (tut_reader_left(&sub) != 0 ||
            tut_map_get(&m->names, tut_str_of(series->name)) != SIZE_MAX) {
            tut_series_free(series);
            return tut_fail(err, TUT_MALFORMED, "a stream is there twice, or is not one");
        }
        TUT_TRY(adopt(m, series, err));
    }
    return tut_reader_left(r) == 0 ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

tut_status tut_monitor_load(tut_span bytes, const tut_monitor_options *options,
                            tut_monitor_tell tell, void *ctx, tut_monitor **ret_monitor,
                            tut_str *ret_extra, tut_error *err)
{
    TUT_AUTO(tut_monitor) m = NULL;
    tut_reader r = tut_reader_of(bytes);
    uint32_t version = 0;
    tut_str extra;
    if (!tut_is_ok(tut_reader_expect(&r, MAGIC)) || !tut_is_ok(tut_reader_u32le(&r, &version)))
        return tut_fail(err, TUT_MALFORMED, "this is no state of tutela watch");
    if (version != VERSION)
        return tut_fail(err, TUT_UNSUPPORTED, "the state is of version %u, and this reads %d",
                        version, VERSION);
    TUT_TRY(tut_monitor_new(options, tell, ctx, &m, err));
    tut_status status = tut_reader_sized(&r, &extra);
    if (tut_is_ok(status))
        status = load_streams(&r, m, err);
    if (!tut_is_ok(status) && err && !err->text[0])
        return tut_fail(err, status.code, "the state is not whole");
    TUT_TRY(status);
    *ret_extra = extra;
    *ret_monitor = tut_move(&m);
    return TUT_SUCCESS;
}
