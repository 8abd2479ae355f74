#include "guard/abuse.h"

#include <math.h>
#include <stdio.h>

#include "guard/live_internal.h"
#include "stats/robust.h"

enum {
    WINDOW_MS = 600000,
    STRETCH_MS = 300000,
    ALIKE = 18,      /* of 32 places: a Jaccard of about 0.53 */
    RUNS_LEAST = 16, /* a text of 20 characters */
    HISTORY_LEAST = 12,
    SPENT_LEAST = 10000,
    SPENT_FLOOR = 1000,
    DELAY_MS = 250,
    DELAY_DOUBLINGS = 5,
    QUANTUM = 32767 /* of a vector's norm */
};
static const double near_share = 0.05, step_share = 0.01, spent_times = 3;

enum { IS_TEXT = 1, IS_VECTOR = 2, IS_CONFIDENT = 4, IS_STOPPED = 8 };

/* --- a client's history: the one that was not used for longest makes room --- */
static live_history *place(const tut_live *live, uint64_t key, size_t i)
{
    return &live->map->histories[(key + i) % LIVE_HISTORIES];
}

static live_history *find_history(const tut_live *live, uint64_t key)
{
    for (size_t i = 0; i < LIVE_HISTORY_PROBES; i++)
        if (atomic_load_explicit(&place(live, key, i)->key, memory_order_acquire) == key)
            return place(live, key, i);
    return NULL;
}

static void clear(live_history *h)
{
    for (size_t i = 0; i < LIVE_SEEN; i++)
        atomic_store(&h->seen[i].at_ms, 0);
    for (size_t i = 0; i < LIVE_STRETCHES; i++)
        atomic_store(&h->spent[i], 0);
    for (size_t i = 0; i < TUT_ABUSE_COUNT; i++)
        atomic_store(&h->alarm_ms[i], 0);
}

static live_history *take_history(tut_live *live, uint64_t key, uint64_t now_ms)
{
    live_history *h = find_history(live, key);
    if (!h) {
        h = place(live, key, 0);
        for (size_t i = 1; i < LIVE_HISTORY_PROBES; i++)
            if (atomic_load(&place(live, key, i)->used_ms) < atomic_load(&h->used_ms))
                h = place(live, key, i);
        atomic_store(&h->used_ms, now_ms); /* nobody else chooses it now */
        clear(h);
        atomic_store(&h->key, key);
    }
    atomic_store_explicit(&h->used_ms, now_ms, memory_order_relaxed);
    return h;
}

/* --- queries in their rings --- */
static void put_vector(const tut_vector_sketch *v, live_seen *s)
{
    double norm = tut_sketch_norm(v);
    uint64_t bits;
    memcpy(&bits, &norm, sizeof(bits));
    atomic_store_explicit(&s->norm, bits, memory_order_relaxed);
    for (size_t w = 0; w < 4; w++) {
        uint64_t word = 0;
        for (size_t k = 0; k < 4; k++) {
            double share = norm > 0 ? v->sums[4 * w + k] / norm : 0;
            word |= (uint64_t)(uint16_t)(int16_t)lround(share * QUANTUM) << (16 * k);
        }
        atomic_store_explicit(&s->sketch[w], word, memory_order_relaxed);
    }
}

static double get_vector(const live_seen *s, double sums[TUT_SKETCH_SUMS])
{
    double norm;
    uint64_t bits = atomic_load_explicit(&s->norm, memory_order_relaxed);
    memcpy(&norm, &bits, sizeof(norm));
    for (size_t w = 0; w < 4; w++) {
        uint64_t word = atomic_load_explicit(&s->sketch[w], memory_order_relaxed);
        for (size_t k = 0; k < 4; k++)
            sums[4 * w + k] = (int16_t)(uint16_t)(word >> (16 * k)) * norm / QUANTUM;
    }
    return norm;
}

bool tut_abuse_known(const tut_live *live, uint64_t key, uint64_t digest, tut_text_sketch *ret)
{
    const live_history *h = key ? find_history(live, key) : NULL;
    for (size_t i = 0; h && i < LIVE_SEEN; i++) {
        const live_seen *s = &h->seen[i];
        uint64_t at = atomic_load_explicit(&s->at_ms, memory_order_acquire);
        if (atomic_load_explicit(&s->digest, memory_order_relaxed) != digest || at == 0 ||
            !(atomic_load_explicit(&s->marks, memory_order_relaxed) & IS_TEXT))
            continue;
        ret->words[0] = atomic_load_explicit(&s->sketch[0], memory_order_relaxed);
        ret->words[1] = atomic_load_explicit(&s->sketch[1], memory_order_relaxed);
        ret->runs = (uint32_t)atomic_load_explicit(&s->norm, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&s->digest, memory_order_relaxed) == digest &&
            atomic_load_explicit(&s->at_ms, memory_order_relaxed) == at)
            return true; /* nobody wrote there meanwhile */
    }
    return false;
}

static size_t put_down(live_history *h, const tut_abuse_query *q, uint64_t now_ms)
{
    size_t at = (size_t)(atomic_fetch_add(&h->next, 1) % LIVE_SEEN);
    live_seen *s = &h->seen[at];
    uint64_t marks = (q->has_text ? IS_TEXT : IS_VECTOR) | (q->asks_confidence ? IS_CONFIDENT : 0);
    atomic_store(&s->at_ms, 0); /* counts as none until it is whole */
    atomic_store_explicit(&s->marks, marks, memory_order_relaxed);
    atomic_store_explicit(&s->digest, q->digest, memory_order_relaxed);
    if (q->has_vector) {
        put_vector(&q->vector, s);
    } else {
        atomic_store_explicit(&s->sketch[0], q->text.words[0], memory_order_relaxed);
        atomic_store_explicit(&s->sketch[1], q->text.words[1], memory_order_relaxed);
        atomic_store_explicit(&s->norm, q->text.runs, memory_order_relaxed);
    }
    atomic_store_explicit(&s->at_ms, now_ms, memory_order_release);
    return at;
}

/* --- what is counted --- */
typedef struct counts {
    unsigned near, stepping, refused, repeated;
} counts;

static bool is_recent(const live_seen *s, uint64_t now_ms)
{
    uint64_t at = atomic_load_explicit(&s->at_ms, memory_order_acquire);
    return at != 0 && at + WINDOW_MS > now_ms;
}

static bool is_alike(const tut_abuse_query *q, const live_seen *s)
{
    tut_text_sketch had = {{atomic_load_explicit(&s->sketch[0], memory_order_relaxed),
                            atomic_load_explicit(&s->sketch[1], memory_order_relaxed)},
                           (uint32_t)atomic_load_explicit(&s->norm, memory_order_relaxed)};
    return q->text.runs >= RUNS_LEAST && had.runs >= RUNS_LEAST &&
           tut_sketch_alike(&q->text, &had) >= ALIKE;
}

/* True: it is near. */
static bool count_one(const tut_abuse_query *q, double norm, const live_seen *s, counts *c)
{
    uint64_t marks = atomic_load_explicit(&s->marks, memory_order_relaxed);
    if (q->has_text && marks & IS_TEXT && is_alike(q, s)) {
        c->near++;
        c->refused += (marks & IS_STOPPED) != 0;
        return true;
    }
    if (q->has_vector && marks & IS_VECTOR) {
        double sums[TUT_SKETCH_SUMS];
        double other = get_vector(s, sums);
        double distance = tut_sketch_distance(q->vector.sums, sums);
        double least = norm < other ? norm : other;
        c->near += distance <= near_share * least;
        c->stepping += distance <= step_share * least;
        return distance <= near_share * least;
    }
    return false;
}

/* Different queries that were asked twice or more, each time asking how sure the model is. */
static unsigned count_repeated(const live_history *h, uint64_t now_ms)
{
    uint64_t digests[LIVE_SEEN] = {0};
    unsigned times[LIVE_SEEN], count = 0, repeated = 0;
    for (size_t i = 0; i < LIVE_SEEN; i++) {
        const live_seen *s = &h->seen[i];
        uint64_t marks = atomic_load_explicit(&s->marks, memory_order_relaxed);
        if (!is_recent(s, now_ms) || (marks & (IS_TEXT | IS_CONFIDENT)) != (IS_TEXT | IS_CONFIDENT))
            continue;
        uint64_t digest = atomic_load(&s->digest);
        unsigned k = 0;
        while (k < count && digests[k] != digest)
            k++;
        if (k == count) {
            digests[count] = digest;
            times[count++] = 0;
        }
        repeated += ++times[k] == 2;
    }
    return repeated;
}

/* Those that are the same count once, and not at all if they are the same as this one. */
static counts count_all(const live_history *h, const tut_abuse_query *q, uint64_t now_ms)
{
    counts c = {0};
    uint64_t near[LIVE_SEEN] = {0};
    size_t count = 0;
    bool is_again = false;
    double norm = q->has_vector ? tut_sketch_norm(&q->vector) : 0;
    for (size_t i = 0; i < LIVE_SEEN; i++) {
        const live_seen *s = &h->seen[i];
        uint64_t digest = atomic_load_explicit(&s->digest, memory_order_relaxed);
        size_t k = 0;
        if (!is_recent(s, now_ms))
            continue;
        is_again |= digest == q->digest;
        while (k < count && near[k] != digest)
            k++;
        if (k == count && digest != q->digest && count_one(q, norm, s, &c))
            near[count++] = digest;
    }
    if (q->has_text && q->asks_confidence && is_again)
        c.repeated = count_repeated(h, now_ms);
    return c;
}

/* How far above its own median this stretch is; 0 while there is too little to compare with. */
static double spending_z(const live_history *h, uint64_t now_ms)
{
    double values[LIVE_STRETCHES];
    size_t count = 0;
    uint64_t now = now_ms / STRETCH_MS;
    double spent = (double)tut_live_cell_get(h->spent, LIVE_STRETCHES, now);
    if (spent < SPENT_LEAST)
        return 0;
    for (uint64_t i = 1; i < LIVE_STRETCHES; i++) {
        uint64_t n = tut_live_cell_get(h->spent, LIVE_STRETCHES, now - i);
        if (n)
            values[count++] = (double)n;
    }
    if (count < HISTORY_LEAST)
        return 0;
    tut_robust r = tut_robust_of(values, count);
    if (spent < spent_times * r.median)
        return 0;
    return tut_robust_z(&r, spent, fmax(r.median / 10, SPENT_FLOOR));
}

/* --- what is done about it --- */
static bool is_told_anew(live_history *h, tut_abuse_kind kind, uint64_t now_ms)
{
    uint64_t last = atomic_load(&h->alarm_ms[kind]);
    return (last == 0 || last + WINDOW_MS <= now_ms) &&
           atomic_compare_exchange_strong(&h->alarm_ms[kind], &last, now_ms);
}

static void weigh(live_history *h, const tut_abuse_setting *settings, tut_abuse_kind kind,
                  double number, const char *what, uint64_t now_ms, tut_abuse_answer *a)
{
    const tut_abuse_setting *s = &settings[kind];
    if (s->action == TUT_ABUSE_ALLOW || number < s->threshold)
        return;
    tut_abuse_alarm *alarm = &a->alarms[a->alarm_count++];
    *alarm = (tut_abuse_alarm){.kind = kind,
                               .action = s->action,
                               .number = number,
                               .threshold = s->threshold,
                               .is_new = is_told_anew(h, kind, now_ms)};
    (void)snprintf(alarm->text, sizeof(alarm->text), "%.0f %s (from %g on)", number, what,
                   s->threshold);
    a->action = s->action > a->action ? s->action : a->action;
    a->coarsen |= s->action == TUT_ABUSE_COARSEN;
    if (s->action == TUT_ABUSE_SLOW) {
        double above = number - s->threshold;
        uint32_t delay = (uint32_t)DELAY_MS
                         << (above > DELAY_DOUBLINGS ? DELAY_DOUBLINGS : (unsigned)above);
        a->delay_ms = delay > a->delay_ms ? delay : a->delay_ms;
    }
}

static const tut_abuse_setting *settings_of(const tut_guard_policy *p,
                                            const tut_guard_client *client)
{
    return client ? client->abuse : p->access.abuse;
}

bool tut_abuse_is_asked(const tut_guard_policy *p, const tut_guard_client *client)
{
    const tut_abuse_setting *settings = settings_of(p, client);
    for (size_t i = 0; i < TUT_ABUSE_COUNT; i++)
        if (settings[i].action != TUT_ABUSE_ALLOW)
            return true;
    return false;
}

void tut_abuse_look(tut_live *live, const tut_guard_policy *p, const tut_guard_client *client,
                    uint64_t key, const tut_abuse_query *query, uint64_t now_ms,
                    tut_abuse_answer *ret_answer)
{
    const tut_abuse_setting *settings = settings_of(p, client);
    tut_abuse_answer a = {0};
    *ret_answer = a;
    if (!tut_abuse_is_asked(p, client))
        return;
    live_history *h = take_history(live, key, now_ms);
    weigh(h, settings, TUT_ABUSE_SPENDING, spending_z(h, now_ms),
          "deviations above what the client usually spends in five minutes", now_ms, &a);
    if (query->has_text || query->has_vector) {
        counts c = count_all(h, query, now_ms);
        weigh(h, settings, TUT_ABUSE_EXTRACTION, c.near, "queries nearly the same in ten minutes",
              now_ms, &a);
        weigh(h, settings, TUT_ABUSE_PROBING, query->has_text ? c.refused : c.stepping,
              query->has_text ? "variants of what was refused in ten minutes"
                              : "small steps around a point in ten minutes",
              now_ms, &a);
        weigh(h, settings, TUT_ABUSE_MEMBERSHIP, c.repeated,
              "queries asked again with the model's confidence in ten minutes", now_ms, &a);
        a.mark = (tut_abuse_mark){(uint32_t)(h - live->map->histories) + 1,
                                  (uint32_t)put_down(h, query, now_ms) + 1, query->digest};
    }
    *ret_answer = a;
}

void tut_abuse_stopped(tut_live *live, const tut_abuse_mark *mark)
{
    if (mark->history == 0 || mark->history > LIVE_HISTORIES || mark->place > LIVE_SEEN)
        return;
    live_seen *s = &live->map->histories[mark->history - 1].seen[mark->place - 1];
    if (atomic_load(&s->digest) == mark->digest)
        atomic_fetch_or(&s->marks, IS_STOPPED);
}

void tut_abuse_spent(tut_live *live, uint64_t key, uint64_t tokens, uint64_t now_ms)
{
    live_history *h = tokens ? find_history(live, key) : NULL;
    if (h)
        tut_live_cell_add(h->spent, LIVE_STRETCHES, now_ms / STRETCH_MS, tokens);
}
