#include "data/near.h"

#include "data/near_internal.h"
#include "stats/random.h"

enum { MEMORY = 128 << 20, MEMORY_LEAST = 1 << 16, SLOTS_FIRST = 1 << 12 };
static const double threshold_default = 0.8;

tut_status tut_near_new(const tut_near_options *options, tut_near **ret_near, tut_error *err)
{
    tut_near *n = tut_alloc_array(1, sizeof(*n));
    if (!n)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    n->options = *options;
    if (!(options->threshold > 0))
        n->options.threshold = threshold_default;
    size_t memory = options->memory_bytes ? options->memory_bytes : MEMORY;
    memory = memory < MEMORY_LEAST ? MEMORY_LEAST : memory;
    n->spool.tail_max = memory / 2 / sizeof(uint32_t);
    n->bands.max = memory / 4 / sizeof(uint64_t); /* the other quarter sorts */
    n->scratch = -1;
    uint64_t state = options->seed;
    n->seed = tut_random_next(&state);
    tut_minhash_init(&n->minhash, tut_random_next(&state));
    *ret_near = n;
    return TUT_SUCCESS;
}

void tut_near_free(tut_near *n)
{
    if (!n)
        return;
    near_spool_done(&n->spool);
    near_bands_done(&n->bands);
    tut_free(n->documents);
    tut_free(n->kept);
    tut_free(n->slots);
    tut_free(n->shingles);
    tut_free(n);
}

static tut_status more_documents(tut_near *n, tut_error *err)
{
    size_t capacity = n->document_capacity ? 2 * n->document_capacity : 1024;
    tut_near_document *documents = tut_realloc_array(n->documents, capacity, sizeof(*documents));
    if (!documents)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    n->documents = documents;
    near_kept *kept = tut_realloc_array(n->kept, capacity, sizeof(*kept));
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    n->kept = kept;
    n->document_capacity = capacity;
    return TUT_SUCCESS;
}

/* --- exact duplicates: an open table of documents by their hash --- */
static size_t slot_for(const tut_near *n, const uint64_t hash[2])
{
    size_t at = hash[0] & (n->slot_count - 1);
    for (uint32_t d; (d = n->slots[at]) != 0; at = (at + 1) & (n->slot_count - 1))
        if (n->kept[d - 1].hash[0] == hash[0] && n->kept[d - 1].hash[1] == hash[1])
            break;
    return at;
}

static tut_status more_slots(tut_near *n, tut_error *err)
{
    size_t old_count = n->slot_count;
    uint32_t *old = n->slots;
    size_t count = old_count ? 2 * old_count : SLOTS_FIRST;
    uint32_t *slots = tut_alloc_array(count, sizeof(*slots));
    if (!slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    n->slots = slots;
    n->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            n->slots[slot_for(n, n->kept[old[i] - 1].hash)] = old[i];
    tut_free(old);
    return TUT_SUCCESS;
}

/* Adds the document, linked to the first of its hash if there is one. */
static tut_status add(tut_near *n, tut_near_document d, const uint64_t hash[2], tut_error *err)
{
    uint32_t at = (uint32_t)n->counts.documents;
    if (n->is_finished)
        return tut_fail(err, TUT_BUG, "a document was added after the comparison");
    if (at == TUT_NEAR_DOCUMENTS)
        return tut_fail(err, TUT_LIMIT, "more than %d documents to compare", TUT_NEAR_DOCUMENTS);
    if (at == n->document_capacity)
        TUT_TRY(more_documents(n, err));
    if (2 * n->counts.documents >= n->slot_count)
        TUT_TRY(more_slots(n, err));
    size_t slot = slot_for(n, hash);
    d.link = n->slots[slot] ? n->slots[slot] - 1 : TUT_NEAR_NONE;
    d.is_exact = d.link != TUT_NEAR_NONE;
    d.jaccard = d.is_exact ? 1 : 0;
    n->documents[at] = d;
    n->kept[at] = (near_kept){.hash = {hash[0], hash[1]}, .parent = at};
    if (d.is_exact)
        near_unite(n->kept, at, d.link);
    else
        n->slots[slot] = at + 1;
    n->counts.exact += d.is_exact;
    n->counts.documents++;
    return TUT_SUCCESS;
}

/* The last document, for the search for near duplicates. */
static tut_status add_shingles(tut_near *n, tut_error *err)
{
    uint32_t signature[TUT_MINHASH_VALUES];
    uint32_t at = (uint32_t)(n->counts.documents - 1);
    near_kept *k = &n->kept[at];
    if (!n->is_full)
        TUT_TRY(near_spool_add(n, n->shingles, n->shingle_count, &k->at, &n->is_full, err));
    if (!n->is_full) {
        k->count = (uint32_t)n->shingle_count;
        tut_minhash_of(&n->minhash, n->shingles, n->shingle_count, signature);
        TUT_TRY(near_bands_add(n, at, signature, &n->is_full, err));
    }
    n->counts.unmatched += n->is_full;
    return TUT_SUCCESS;
}

tut_status tut_near_add(tut_near *n, uint32_t dataset, tut_split split, uint64_t row, tut_str text,
                        tut_error *err)
{
    uint64_t hash[2];
    bool is_cut;
    TUT_TRY(near_read_words(n, text, hash, &is_cut, err));
    tut_near_document d = {.row = row, .dataset = dataset, .split = (uint8_t)split};
    TUT_TRY(add(n, d, hash, err));
    if (n->documents[n->counts.documents - 1].is_exact)
        return TUT_SUCCESS;
    n->counts.cut += is_cut;
    if (n->shingle_count == 0) {
        n->counts.empty++;
        return TUT_SUCCESS;
    }
    return add_shingles(n, err);
}

tut_status tut_near_add_row(tut_near *n, uint32_t dataset, tut_split split, uint64_t row,
                            tut_span bytes, tut_error *err)
{
    uint64_t a = n->seed ^ bytes.len, b = ~a, word;
    for (size_t i = 0, some; i < bytes.len; i += some) {
        some = bytes.len - i < sizeof(word) ? bytes.len - i : sizeof(word);
        word = 0;
        memcpy(&word, bytes.data + i, some);
        a = tut_random_mix(a ^ word);
        b = (b + word) * 0xd6e8feb86659fd93ull;
        b ^= b >> 32;
    }
    uint64_t hash[2] = {a, tut_random_mix(b)};
    tut_near_document d = {.row = row, .dataset = dataset, .split = (uint8_t)split};
    return add(n, d, hash, err);
}

/* Splits that each cluster spans; then, of each document, the splits of its others. */
static tut_status count_leaks(tut_near *n, tut_error *err)
{
    size_t count = (size_t)n->counts.documents;
    TUT_AUTO_FREE uint8_t *spans = tut_alloc_array(count, 1);
    if (count && !spans)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        spans[n->documents[i].cluster] |= (uint8_t)(1u << n->documents[i].split);
    for (size_t i = 0; i < count; i++) {
        const tut_near_document *d = &n->documents[i];
        for (unsigned other = 1; d->split && other < TUT_SPLIT_COUNT; other++)
            if (other != d->split && (spans[d->cluster] >> other & 1))
                n->counts.leaks[d->split][other]++;
    }
    return TUT_SUCCESS;
}

tut_status tut_near_finish(tut_near *n, tut_error *err)
{
    if (n->is_finished)
        return TUT_SUCCESS;
    n->is_finished = true;
    TUT_TRY(near_verify(n, err));
    for (size_t i = 0; i < n->counts.documents; i++)
        n->documents[i].cluster = near_root(n->kept, (uint32_t)i);
    near_bands_done(&n->bands);
    return count_leaks(n, err);
}

const tut_near_counts *tut_near_about(const tut_near *n)
{
    return &n->counts;
}

const tut_near_document *tut_near_documents(const tut_near *n, size_t *ret_count)
{
    *ret_count = (size_t)n->counts.documents;
    return n->documents;
}
