/* Stop switches: written by commands one at a time, asked by every request. */
#include "guard/live_internal.h"

static const char *const kinds[TUT_LIVE_KIND_COUNT] = {"system", "route", "model", "client"};

const char *tut_live_kind_name(tut_live_kind kind)
{
    return kinds[kind];
}

static uint64_t hash_of(tut_live_kind kind, tut_str name)
{
    return tut_live_hash((unsigned)kind + 1u, kind == TUT_LIVE_SYSTEM ? (tut_str){"", 0} : name);
}

static live_stop *find(const tut_live *live, uint64_t hash)
{
    for (size_t i = 0; i < TUT_LIVE_STOPS; i++)
        if (atomic_load(&live->map->stops[i].hash) == hash)
            return &live->map->stops[i];
    return NULL;
}

/* From the table itself: a command that died half way left a number that was too high at worst. */
static void count_anew(tut_live *live)
{
    uint64_t count = 0;
    for (size_t i = 0; i < TUT_LIVE_STOPS; i++)
        count += atomic_load(&live->map->stops[i].hash) != 0;
    atomic_store(&live->map->stop_count, count);
    atomic_fetch_add(&live->map->changes, 1);
}

tut_status tut_live_stop(tut_live *live, tut_live_kind kind, tut_str name, uint64_t now_ms,
                         tut_error *err)
{
    uint64_t hash = hash_of(kind, name);
    if (kind != TUT_LIVE_SYSTEM && name.len == 0)
        return tut_fail(err, TUT_USAGE, "what %s is to be stopped?", kinds[kind]);
    TUT_TRY(tut_live_lock(live, err));
    tut_status status = TUT_SUCCESS;
    live_stop *s = find(live, hash);
    live_stop *free_one = s ? NULL : find(live, 0);
    if (!s && !free_one)
        status = tut_fail(err, TUT_LIMIT, "%d things are stopped already; stop the whole system",
                          TUT_LIVE_STOPS);
    if (free_one) {
        atomic_fetch_add(&live->map->stop_count, 1); /* first: workers look from here on */
        atomic_store(&free_one->kind, kind);
        atomic_store(&free_one->since_ms, now_ms);
        tut_live_put_name(free_one->words, kind == TUT_LIVE_SYSTEM ? (tut_str){"", 0} : name);
        atomic_store(&free_one->hash, hash);
    }
    count_anew(live);
    tut_live_unlock(live);
    return status;
}

tut_status tut_live_resume(tut_live *live, tut_live_kind kind, tut_str name, bool *ret_was,
                           tut_error *err)
{
    TUT_TRY(tut_live_lock(live, err));
    live_stop *s = find(live, hash_of(kind, name));
    if (s)
        atomic_store(&s->hash, 0);
    count_anew(live);
    tut_live_unlock(live);
    *ret_was = s != NULL;
    return TUT_SUCCESS;
}

bool tut_live_is_stopped(const tut_live *live, tut_str route, tut_str model, tut_str client,
                         tut_live_kind *ret_what)
{
    const tut_str names[TUT_LIVE_KIND_COUNT] = {{"", 0}, route, model, client};
    if (atomic_load_explicit(&live->map->stop_count, memory_order_acquire) == 0)
        return false;
    for (unsigned kind = 0; kind < TUT_LIVE_KIND_COUNT; kind++) {
        if (kind != TUT_LIVE_SYSTEM && names[kind].len == 0)
            continue;
        if (find(live, hash_of((tut_live_kind)kind, names[kind]))) {
            if (ret_what)
                *ret_what = (tut_live_kind)kind;
            return true;
        }
    }
    return false;
}

size_t tut_live_stops(const tut_live *live, tut_live_stopped *ret_stops)
{
    size_t count = 0;
    for (size_t i = 0; i < TUT_LIVE_STOPS; i++) {
        const live_stop *s = &live->map->stops[i];
        uint64_t kind = atomic_load(&s->kind);
        if (atomic_load(&s->hash) == 0 || kind >= TUT_LIVE_KIND_COUNT)
            continue;
        ret_stops[count].kind = (tut_live_kind)kind;
        ret_stops[count].since_ms = atomic_load(&s->since_ms);
        tut_live_get_name(s->words, ret_stops[count].name);
        count++;
    }
    return count;
}
