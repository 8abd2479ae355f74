/* One column of a profile: a batch's cells at a time. */
#include <math.h>

#include "data/profile_internal.h"
#include "stats/wide.h"

/* --- hashes --- */

static inline uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ h >> 32;
}

typedef unsigned __int128 wide;

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_number(double value)
{
    uint64_t bits;
    value += 0.0; /* minus zero is zero */
    memcpy(&bits, &value, sizeof(bits));
    return fold(bits ^ 0x8ebc6af09c88c6e3ull, 0xe7037ed1a0b428dbull) * 0xd6e8feb86659fd93ull;
}

uint64_t tut_profile_hash_number(double value)
{
    return hash_number(value);
}

/* Two lanes of products, sixteen bytes each (after wyhash, Wang Yi 2019). */
uint64_t tut_profile_hash_text(tut_str text)
{
    uint64_t w[4];
    uint64_t a = 0xa0761d6478bd642full ^ text.len;
    uint64_t b = 0xe7037ed1a0b428dbull;
    const char *at = text.data;
    size_t len = text.len;
    for (; len > 32; at += 32, len -= 32) {
        memcpy(w, at, 32);
        a = fold(w[0] ^ 0x8ebc6af09c88c6e3ull, w[1] ^ a);
        b = fold(w[2] ^ 0x589965cc75374cc3ull, w[3] ^ b);
    }
    memset(w, 0, sizeof(w));
    memcpy(w, at, len);
    a = fold(w[0] ^ 0x8ebc6af09c88c6e3ull, w[1] ^ a);
    b = fold(w[2] ^ 0x589965cc75374cc3ull, w[3] ^ b);
    return mix(a ^ b);
}

/* --- numbers --- */

typedef struct portion {
    double least, most, mean, m2;
    uint64_t zeros, negative;
} portion;

typedef double four __attribute__((vector_size(32)));
typedef int64_t four_counts __attribute__((vector_size(32)));

/* to = mask ? a : b */
#define CHOOSE(to, mask, a, b)                                                                     \
    (to) = (four)(((four_counts)(a) & (mask)) | ((four_counts)(b) & ~(mask)))

static inline void look_at(portion *p, double *sum, double x)
{
    *sum += x;
    p->least = x < p->least ? x : p->least;
    p->most = x > p->most ? x : p->most;
    p->zeros += x == 0;
    p->negative += x < 0;
}

TUT_WIDE_BODY portion look_body(const double *v, size_t count)
{
    four sum[2] = {{0}, {0}};
    four least = {v[0], v[0], v[0], v[0]};
    four most = least;
    four_counts zeros = {0};
    four_counts negative = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 2; k++) {
            four x;
            memcpy(&x, v + i + 4 * k, sizeof(x));
            sum[k] += x;
            CHOOSE(least, x < least, x, least);
            CHOOSE(most, x > most, x, most);
            zeros -= x == 0.0;
            negative -= x < 0.0;
        }
    }
    portion p = {.least = v[0], .most = v[0]};
    double total = 0;
    for (size_t k = 0; k < 4; k++) {
        look_at(&p, &total, least[k]); /* for the range only */
        look_at(&p, &total, most[k]);
    }
    p.zeros = (uint64_t)(zeros[0] + zeros[1] + zeros[2] + zeros[3]);
    p.negative = (uint64_t)(negative[0] + negative[1] + negative[2] + negative[3]);
    sum[0] += sum[1];
    total = sum[0][0] + sum[0][1] + sum[0][2] + sum[0][3];
    for (; i < count; i++)
        look_at(&p, &total, v[i]);
    p.mean = total / (double)count;
    four m2[2] = {{0}, {0}};
    for (i = 0; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 2; k++) {
            four x;
            memcpy(&x, v + i + 4 * k, sizeof(x));
            x -= p.mean;
            m2[k] += x * x;
        }
    }
    m2[0] += m2[1];
    p.m2 = m2[0][0] + m2[0][1] + m2[0][2] + m2[0][3];
    for (; i < count; i++)
        p.m2 += (v[i] - p.mean) * (v[i] - p.mean);
    return p;
}

TUT_WIDE static void look_wide(const double *v, size_t count, portion *ret)
{
    *ret = look_body(v, count);
}

static portion look(const double *v, size_t count)
{
    portion p;
    if (TUT_WIDE_IS_THERE()) {
        look_wide(v, count, &p);
        return p;
    }
    return look_body(v, count);
}

/* NaN where one of them is no finite number; 0 elsewhere. */
static double check_finite(const double *v, size_t count)
{
    four check[2] = {{0}, {0}};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 2; k++) {
            four x;
            memcpy(&x, v + i + 4 * k, sizeof(x));
            check[k] += x - x;
        }
    }
    check[0] += check[1];
    double all = check[0][0] + check[0][1] + check[0][2] + check[0][3];
    for (; i < count; i++)
        all += v[i] - v[i];
    return all;
}

void profile_add_moments(tut_profile_numbers *n, uint64_t count, double mean, double m2)
{
    if (n->count == 0) {
        n->mean = mean;
        n->m2 = m2;
    } else {
        double all = (double)(n->count + count);
        double delta = mean - n->mean;
        n->mean += delta * ((double)count / all);
        n->m2 += m2 + delta * delta * ((double)n->count * (double)count / all);
    }
    n->count += count;
}

void profile_add_range(tut_profile_numbers *n, double least, double most)
{
    n->least = !(n->least <= least) ? least : n->least; /* also where there was none */
    n->most = !(n->most >= most) ? most : n->most;
}

static void check_increasing(tut_profile_column *c, const double *v, size_t count)
{
    if (!c->is_increasing)
        return;
    double before = c->numbers.count ? c->last : -INFINITY;
    if (c->numbers.count == 0)
        c->first = v[0];
    bool is_increasing = true;
    for (size_t i = 0; i < count; i++) {
        is_increasing &= v[i] > before;
        before = v[i];
    }
    c->is_increasing = is_increasing;
    c->last = before;
}

/* --- values --- */

/* From here on there are more values than counters: what was counted so far begins the sketch. */
tut_status profile_begin_distinct(tut_profile_column *c, tut_error *err)
{
    c->distinct = tut_alloc_array(1, sizeof(*c->distinct));
    if (!c->distinct)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < c->values.slots; i++)
        if (c->values.items[i].count)
            tut_distinct_add(c->distinct, c->values.items[i].hash);
    return TUT_SUCCESS;
}

/* One value, as long as all of them are counted; done is false when it found no counter. */
static tut_status add_exact(tut_profile_column *c, uint64_t hash, double number, tut_str text,
                            tut_heavy_item **ret, bool *ret_is_new, tut_error *err)
{
    *ret = tut_heavy_find(&c->values, hash);
    *ret_is_new = !*ret;
    if (*ret) {
        (*ret)->count++;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_heavy_add(&c->values, hash, 1, number, text, false, ret, err));
    return *ret ? TUT_SUCCESS : profile_begin_distinct(c, err);
}

typedef struct sample {
    uint32_t at[TUT_ROWS_BATCH + 32];
    uint8_t shifts[TUT_ROWS_BATCH + 32];
    size_t count;
} sample;

enum { FEWER = 4 }; /* one of so many of the sample is enough to see what is frequent */

static tut_status add_sampled_number(tut_profile_column *c, const double *v, const sample *s,
                                     tut_error *err)
{
    tut_heavy_item *item;
    for (size_t i = 0; i < s->count;) {
        double x = v[s->at[i]];
        uint64_t weight = 0; /* it stands for its neighbours as well */
        for (size_t end = i + FEWER; i < end && i < s->count; i++)
            weight += 1ull << s->shifts[i];
        TUT_TRY(tut_heavy_add(&c->values, hash_number(x), weight, x, (tut_str){NULL, 0}, true,
                              &item, err));
    }
    return TUT_SUCCESS;
}

static tut_status add_values(tut_profile_column *c, const double *v, size_t count, const sample *s,
                             tut_error *err)
{
    tut_heavy_item *item;
    bool is_new;
    size_t i = 0;
    bool was_exact = !c->distinct;
    for (; i < count && !c->distinct; i++)
        TUT_TRY(add_exact(c, hash_number(v[i]), v[i], (tut_str){NULL, 0}, &item, &is_new, err));
    if (!c->distinct)
        return TUT_SUCCESS;
    tut_distinct *d = c->distinct;
    for (i = i && was_exact ? i - 1 : i; i < count; i++)
        tut_distinct_add(d, hash_number(v[i]));
    return was_exact ? TUT_SUCCESS : add_sampled_number(c, v, s, err);
}

static tut_status add_sketch(tut_quantiles *q, const double *v, const sample *s, tut_error *err)
{
    double taken[256];
    for (size_t from = 0; from < s->count;) {
        size_t n = 0;
        uint8_t shift = s->shifts[from];
        while (from + n < s->count && n < 256 && s->shifts[from + n] == shift) {
            taken[n] = v[s->at[from + n]];
            n++;
        }
        TUT_TRY(tut_quantiles_add(q, taken, n, shift, err));
        from += n;
    }
    return TUT_SUCCESS;
}

static tut_status add_numbers(tut_profile_column *c, const double *v, size_t count, tut_error *err)
{
    if (count == 0)
        return TUT_SUCCESS;
    tut_profile_numbers *n = &c->numbers;
    check_increasing(c, v, count);
    portion p = look(v, count);
    profile_add_range(n, p.least, p.most);
    profile_add_moments(n, count, p.mean, p.m2);
    n->zeros += p.zeros;
    n->negative += p.negative;
    sample s;
    s.count = tut_sample(count, tut_sample_shift(n->count), &c->random, s.at, s.shifts);
    TUT_TRY(add_sketch(&n->sketch, v, &s, err));
    return c->has_values ? add_values(c, v, count, &s, err) : TUT_SUCCESS;
}

/* --- texts --- */

static tut_status add_text_value(tut_profile_column *c, tut_str text, uint64_t weight,
                                 unsigned *ret_shape, tut_error *err)
{
    uint64_t hash = tut_profile_hash_text(text);
    tut_heavy_item *item = NULL;
    bool is_new = true;
    bool was_exact = !c->distinct;
    *ret_shape = TUT_PROFILE_SHAPES + 1; /* not yet known */
    if (was_exact)
        TUT_TRY(add_exact(c, hash, NAN, text, &item, &is_new, err));
    if (item && is_new)
        item->mark = (uint8_t)profile_shape_place(c, text);
    if (item)
        *ret_shape = item->mark;
    if (!c->distinct)
        return TUT_SUCCESS;
    tut_distinct_add(c->distinct, hash);
    return was_exact || weight == 0
               ? TUT_SUCCESS
               : tut_heavy_add(&c->values, hash, weight, NAN, text, true, &item, err);
}

static tut_status add_text(tut_profile_column *c, tut_str text, uint64_t weight, tut_error *err)
{
    tut_profile_texts *t = &c->texts;
    unsigned shape = TUT_PROFILE_SHAPES + 1;
    t->least = t->count == 0 || text.len < t->least ? text.len : t->least;
    t->most = text.len > t->most ? text.len : t->most;
    t->count++;
    t->empty += text.len == 0;
    t->bytes += text.len;
    if (c->has_values)
        TUT_TRY(add_text_value(c, text, weight, &shape, err));
    if (shape > TUT_PROFILE_SHAPES)
        shape = profile_shape_place(c, text);
    if (shape < TUT_PROFILE_SHAPES)
        c->shapes[shape].count++;
    else
        c->shapeless++;
    return TUT_SUCCESS;
}

static tut_status add_texts(tut_profile_column *c, const tut_str *texts, double *lengths,
                            const uint32_t *rows, size_t count, tut_error *err)
{
    if (count == 0)
        return TUT_SUCCESS;
    sample s;
    s.count = tut_sample(count, tut_sample_shift(c->texts.count), &c->random, s.at, s.shifts);
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_taken = next < s.count && s.at[next] == i;
        uint64_t weight = is_taken ? 1ull << s.shifts[next] : 0;
        next += is_taken;
        lengths[i] = (double)texts[rows[i]].len;
        TUT_TRY(add_text(c, texts[rows[i]], weight, err));
    }
    return add_sketch(&c->texts.lengths, lengths, &s, err);
}

/* --- cells --- */

static bool is_number(uint8_t kind)
{
    return kind >= TUT_CELL_NUMBER && kind <= TUT_CELL_BOOL;
}

static uint64_t count_kind(const uint8_t *kinds, size_t count, uint8_t kind)
{
    uint64_t n = 0;
    for (size_t from = 0; from < count;) {
        size_t end = count - from < 255 ? count : from + 255;
        uint8_t few = 0; /* of so few that a byte holds their count */
        for (; from < end; from++)
            few = (uint8_t)(few + (kinds[from] == kind));
        n += few;
    }
    return n;
}

/* Counts kinds, and finds the finite numbers; all of them numbers is what is usual. */
static size_t gather(tut_profile_column *c, const tut_cells *cells, size_t count, double *to)
{
    static const uint8_t usual[TUT_PROFILE_KINDS] = {TUT_CELL_NUMBER, TUT_CELL_INTEGER,
                                                     TUT_CELL_TEXT,   TUT_CELL_NONE,
                                                     TUT_CELL_BOOL,   TUT_CELL_NESTED};
    size_t found = 0;
    uint64_t numbers = 0;
    uint64_t all = 0;
    for (size_t k = 0; k < TUT_PROFILE_KINDS && all < count; k++) {
        uint64_t n = count_kind(cells->kinds, count, usual[k]);
        c->kinds[usual[k]] += n;
        numbers += is_number(usual[k]) ? n : 0;
        all += n;
    }
    if (numbers == count && check_finite(cells->numbers, count) == 0)
        return SIZE_MAX; /* all cells are finite numbers, side by side */
    for (size_t i = 0; i < count && numbers > 0; i++) {
        double x = cells->numbers[i];
        if (!is_number(cells->kinds[i]))
            continue;
        c->numbers.nans += isnan(x);
        c->numbers.infinite += isinf(x) != 0;
        to[found] = x;
        found += isfinite(x) != 0;
    }
    return found;
}

tut_status profile_column_add(tut_profile_column *c, const tut_cells *cells, size_t count,
                              double *numbers, uint32_t *at, tut_error *err)
{
    size_t found = gather(c, cells, count, numbers);
    if (found == SIZE_MAX)
        return add_numbers(c, cells->numbers, count, err);
    c->is_increasing = false;
    TUT_TRY(add_numbers(c, numbers, found, err));
    size_t texts = 0;
    for (size_t i = 0; i < count && cells->texts; i++) {
        at[texts] = (uint32_t)i;
        texts += cells->kinds[i] >= TUT_CELL_TEXT;
    }
    return texts ? add_texts(c, cells->texts, numbers, at, texts, err) : TUT_SUCCESS;
}
