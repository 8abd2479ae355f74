#include <stdlib.h>

#include "data/near_internal.h"

/* How many times over the shingles of all documents verification may go, and how much it may do
 * anyway. Honest data needs a small part of it: most pairs that share a band are duplicates, and
 * those are verified once. */
enum { STEPS_A_SHINGLE = 256, STEPS_FREE = 1 << 24 };

uint32_t near_root(near_kept *kept, uint32_t i)
{
    while (kept[i].parent != i) {
        kept[i].parent = kept[kept[i].parent].parent;
        i = kept[i].parent;
    }
    return i;
}

/* The older root stays: a cluster bears the number of its first document. */
void near_unite(near_kept *kept, uint32_t a, uint32_t b)
{
    a = near_root(kept, a);
    b = near_root(kept, b);
    if (a < b)
        kept[b].parent = a;
    else
        kept[a].parent = b;
}

typedef struct shingle_set {
    uint32_t document; /* TUT_NEAR_NONE: none */
    uint32_t *sorted;  /* each once; NULL until loaded */
    size_t count, capacity;
    bool is_loaded;
} shingle_set;

typedef struct verifier {
    tut_near *n;
    uint64_t key;
    size_t count; /* of the band's representatives */
    shingle_set kept[NEAR_REPRESENTATIVES], now;
    uint32_t *other; /* to sort with */
    size_t other_capacity;
} verifier;

static void verifier_done(verifier *v)
{
    for (size_t i = 0; i < NEAR_REPRESENTATIVES; i++)
        tut_free(v->kept[i].sorted);
    tut_free(v->now.sorted);
    tut_free(v->other);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Hashes are even: one pass by their first byte leaves few to each, which insertion then sorts. */
static void sort_hashes(uint32_t *values, size_t count, uint32_t *other)
{
    size_t places[257] = {0};
    if (count > (1 << 14) || count < 32) {
        qsort(values, count, sizeof(*values), compare);
        return;
    }
    for (size_t i = 0; i < count; i++)
        places[(values[i] >> 24) + 1]++;
    for (size_t i = 1; i < 257; i++)
        places[i] += places[i - 1];
    for (size_t i = 0; i < count; i++)
        other[places[values[i] >> 24]++] = values[i];
    for (size_t i = 0; i < count; i++) {
        uint32_t x = other[i];
        size_t j = i;
        for (; j > 0 && values[j - 1] > x; j--)
            values[j] = values[j - 1];
        values[j] = x;
    }
}

static size_t drop_repeats(uint32_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            sorted[kept++] = sorted[i];
    return kept;
}

static tut_status room(uint32_t **values, size_t *capacity, size_t count, tut_error *err)
{
    if (*capacity >= count)
        return TUT_SUCCESS;
    uint32_t *grown = tut_realloc_array(*values, count, sizeof(*grown));
    if (!grown)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *values = grown;
    *capacity = count;
    return TUT_SUCCESS;
}

static tut_status load(verifier *v, shingle_set *s, tut_error *err)
{
    const near_kept *k = &v->n->kept[s->document];
    if (s->is_loaded)
        return TUT_SUCCESS;
    TUT_TRY(room(&s->sorted, &s->capacity, k->count, err));
    TUT_TRY(room(&v->other, &v->other_capacity, k->count, err));
    TUT_TRY(near_spool_get(v->n, k->at, k->count, s->sorted, err));
    sort_hashes(s->sorted, k->count, v->other);
    s->count = drop_repeats(s->sorted, k->count);
    s->is_loaded = true;
    return TUT_SUCCESS;
}

static double jaccard_of(const shingle_set *a, const shingle_set *b)
{
    size_t i = 0, j = 0, both = 0;
    while (i < a->count && j < b->count) {
        uint32_t x = a->sorted[i], y = b->sorted[j];
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return (double)both / (double)(a->count + b->count - both);
}

static void link_up(tut_near *n, uint32_t a, uint32_t b, double jaccard)
{
    uint32_t older = a < b ? a : b, newer = a < b ? b : a;
    tut_near_document *d = &n->documents[newer];
    if (d->link == TUT_NEAR_NONE || (!d->is_exact && (double)d->jaccard < jaccard)) {
        n->counts.near += d->link == TUT_NEAR_NONE;
        d->link = older;
        d->jaccard = (float)jaccard;
    }
    near_unite(n->kept, a, b);
}

/* now against one that its band knows. */
static tut_status verify_pair(verifier *v, shingle_set *known, tut_error *err)
{
    tut_near *n = v->n;
    uint32_t a = known->document, b = v->now.document;
    if (near_root(n->kept, a) == near_root(n->kept, b))
        return TUT_SUCCESS;
    uint64_t cost = (uint64_t)n->kept[a].count + n->kept[b].count;
    if (n->steps_left < cost) {
        n->counts.pairs_left_out++;
        return TUT_SUCCESS;
    }
    n->steps_left -= cost;
    TUT_TRY(load(v, known, err));
    TUT_TRY(load(v, &v->now, err));
    n->counts.pairs_verified++;
    double jaccard = jaccard_of(known, &v->now);
    if (jaccard >= n->options.threshold)
        link_up(n, a, b, jaccard);
    return TUT_SUCCESS;
}

static bool is_known(const verifier *v, uint32_t document)
{
    near_kept *kept = v->n->kept;
    uint32_t root = near_root(kept, document);
    for (size_t i = 0; i < v->count; i++)
        if (near_root(kept, v->kept[i].document) == root)
            return true;
    return false;
}

static void remember(verifier *v)
{
    shingle_set *to = &v->kept[v->count++], old = *to;
    *to = v->now;
    v->now = old;
}

static tut_status on_entry(void *ctx, uint64_t entry, tut_error *err)
{
    verifier *v = ctx;
    uint64_t key = entry >> NEAR_DOCUMENT_BITS;
    if (key != v->key) {
        v->key = key;
        v->count = 0;
    }
    v->now.document = (uint32_t)(entry & TUT_NEAR_DOCUMENTS);
    v->now.is_loaded = false;
    for (size_t i = 0; i < v->count; i++)
        TUT_TRY(verify_pair(v, &v->kept[i], err));
    if (is_known(v, v->now.document))
        return TUT_SUCCESS;
    if (v->count < NEAR_REPRESENTATIVES)
        remember(v);
    else
        v->n->counts.pairs_left_out++; /* later ones are not compared with it, in this band */
    return TUT_SUCCESS;
}

tut_status near_verify(tut_near *n, tut_error *err)
{
    verifier v = {.n = n, .key = UINT64_MAX};
    uint64_t shingles = n->spool.tail_first + n->spool.tail_count;
    n->steps_left = shingles * STEPS_A_SHINGLE + STEPS_FREE;
    tut_status s = near_bands_each(n, on_entry, &v, err);
    verifier_done(&v);
    return s;
}
