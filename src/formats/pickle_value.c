#include "formats/pickle_value.h"

#include "base/limits.h"

/* What the allocator adds to a small block, so that many short strings are counted honestly. */
enum { ALLOCATION_OVERHEAD = 16 };

void tut_pheap_init(tut_pheap *h, tut_budget *budget)
{
    *h = (tut_pheap){.budget = budget};
}

static bool owns_bytes(const tut_pnode *n)
{
    return n->type == TUT_PVAL_STR || n->type == TUT_PVAL_BYTES ||
           (n->type == TUT_PVAL_INT && (n->flags & TUT_PNODE_BIG));
}

static bool is_container(tut_pval_type type)
{
    return type == TUT_PVAL_TUPLE || type == TUT_PVAL_LIST || type == TUT_PVAL_DICT ||
           type == TUT_PVAL_SET;
}

static bool owns_items(const tut_pnode *n)
{
    return is_container((tut_pval_type)n->type) && !(n->flags & TUT_PNODE_INLINE);
}

void tut_pheap_done(tut_pheap *h)
{
    for (uint32_t i = 0; i < h->fresh; i++) {
        tut_pnode *n = &h->chunks[i / TUT_PHEAP_CHUNK][i % TUT_PHEAP_CHUNK];
        if (n->refs == 0)
            continue;
        if (owns_bytes(n))
            tut_free(n->as.bytes);
        if (owns_items(n))
            tut_free(n->as.items);
    }
    for (size_t i = 0; i < h->chunk_count; i++)
        tut_free(h->chunks[i]);
    tut_free(h->chunks);
    if (h->budget)
        tut_budget_heap_return(h->budget, h->used);
    *h = (tut_pheap){0};
}

/* Memory comes out of the examination's budget, and stays under the machine's own limit. */
static bool charge_up_to(tut_pheap *h, uint64_t bytes, uint64_t limit)
{
    if (h->used > limit || bytes > limit - h->used ||
        (h->budget && !tut_is_ok(tut_budget_heap(h->budget, bytes, NULL)))) {
        h->is_lossy = true;
        return false;
    }
    h->used += bytes;
    return true;
}

static bool charge(tut_pheap *h, uint64_t bytes)
{
    return charge_up_to(h, bytes, TUT_LIMIT_PICKLE_CONTENT_BYTES);
}

static void give_back(tut_pheap *h, uint64_t bytes)
{
    h->used -= bytes;
    if (h->budget)
        tut_budget_heap_return(h->budget, bytes);
}

static bool add_chunk(tut_pheap *h)
{
    if (!charge_up_to(h, TUT_PHEAP_CHUNK * sizeof(tut_pnode), TUT_LIMIT_PICKLE_HEAP_BYTES))
        return false;
    tut_pnode *chunk = tut_alloc_array(TUT_PHEAP_CHUNK, sizeof *chunk);
    if (!chunk ||
        !tut_is_ok(tut_grow(&h->chunks, h->chunk_count, &h->chunk_capacity, sizeof *h->chunks))) {
        tut_free(chunk);
        give_back(h, TUT_PHEAP_CHUNK * sizeof(tut_pnode));
        h->is_exhausted = true;
        return false;
    }
    h->chunks[h->chunk_count++] = chunk;
    return true;
}

static tut_pval new_node(tut_pheap *h, tut_pval_type type)
{
    if (h->used > TUT_LIMIT_PICKLE_CONTENT_BYTES && type != TUT_PVAL_GLOBAL &&
        type != TUT_PVAL_OBJECT && type != TUT_PVAL_PERSID) {
        h->is_lossy = true;
        return tut_pv_lost(type);
    }
    uint32_t i = h->free_head;
    if (i) {
        i--;
        h->free_head = h->chunks[i / TUT_PHEAP_CHUNK][i % TUT_PHEAP_CHUNK].len;
    } else {
        if (h->fresh == h->chunk_count * TUT_PHEAP_CHUNK && !add_chunk(h))
            return tut_pv_lost(type);
        i = h->fresh++;
    }
    h->chunks[i / TUT_PHEAP_CHUNK][i % TUT_PHEAP_CHUNK] = (tut_pnode){.type = (uint8_t)type,
                                                                      .refs = 1};
    return (i << 3) | 2;
}

static size_t capacity_for(uint32_t len)
{
    size_t cap = 4;
    while (cap < len)
        cap *= 2;
    return cap;
}

/* Drops one child during freeing: a node that falls to zero joins the list of the dead. */
static void drop(tut_pheap *h, tut_pval v, uint32_t *dead)
{
    if (!tut_pv_is_node(v))
        return;
    tut_pnode *n = tut_pv_node(h, v);
    if (--n->refs > 0)
        return;
    n->refs = *dead; /* the counter of a dead node links the list */
    *dead = (v >> 3) + 1;
}

static void free_children(tut_pheap *h, tut_pnode *n, uint32_t *dead)
{
    if (owns_bytes(n)) {
        tut_free(n->as.bytes);
        give_back(h, n->len + ALLOCATION_OVERHEAD);
    } else if (is_container((tut_pval_type)n->type)) {
        const tut_pval *items = n->flags & TUT_PNODE_INLINE ? n->as.pair : n->as.items;
        for (uint32_t i = 0; i < n->len; i++)
            drop(h, items[i], dead);
        if (owns_items(n) && n->as.items) {
            tut_free(n->as.items);
            give_back(h, capacity_for(n->len) * sizeof(tut_pval));
        }
    } else if (n->type == TUT_PVAL_GLOBAL || n->type == TUT_PVAL_OBJECT ||
               n->type == TUT_PVAL_PERSID) {
        drop(h, n->as.pair[0], dead);
        drop(h, n->as.pair[1], dead);
        drop(h, n->extra, dead);
    }
}

void tut_pv_release(tut_pheap *h, tut_pval v)
{
    uint32_t dead = 0;
    drop(h, v, &dead);
    while (dead) {
        uint32_t i = dead - 1;
        tut_pnode *n = &h->chunks[i / TUT_PHEAP_CHUNK][i % TUT_PHEAP_CHUNK];
        dead = n->refs;
        free_children(h, n, &dead);
        *n = (tut_pnode){.len = h->free_head};
        h->free_head = i + 1;
    }
}

tut_pval_type tut_pv_type(const tut_pheap *h, tut_pval v)
{
    static const uint8_t constant[] = {TUT_PVAL_NONE,  TUT_PVAL_BOOL, TUT_PVAL_BOOL, TUT_PVAL_FLOAT,
                                       TUT_PVAL_TUPLE, TUT_PVAL_LIST, TUT_PVAL_DICT, TUT_PVAL_SET};
    if (tut_pv_is_node(v))
        return (tut_pval_type)tut_pv_node(h, v)->type;
    if ((v & 7) == 1)
        return TUT_PVAL_INT;
    uint32_t n = v >> 3;
    if (n < sizeof constant)
        return (tut_pval_type)constant[n];
    /* LOST without a type stands for anything, NONE never gets lost. */
    return n == 8 ? TUT_PVAL_OPAQUE : (tut_pval_type)(n - 8);
}

tut_pval tut_pv_int(tut_pheap *h, int64_t n)
{
    if (n >= -(1 << 28) && n < (1 << 28))
        return ((uint32_t)(int32_t)n << 3) | 1;
    tut_pval v = new_node(h, TUT_PVAL_INT);
    if (tut_pv_is_node(v))
        tut_pv_node(h, v)->as.integer = n;
    return v;
}

static tut_pval new_bytes(tut_pheap *h, tut_pval_type type, const void *data, size_t len,
                          uint8_t flags)
{
    if (!charge(h, len + ALLOCATION_OVERHEAD))
        return tut_pv_lost(type);
    uint8_t *copy = NULL;
    if (len) {
        copy = tut_realloc_array(NULL, len, 1);
        if (!copy) {
            h->is_exhausted = true;
            give_back(h, len + ALLOCATION_OVERHEAD);
            return tut_pv_lost(type);
        }
        memcpy(copy, data, len);
    }
    tut_pval v = new_node(h, type);
    if (!tut_pv_is_node(v)) {
        tut_free(copy);
        give_back(h, len + ALLOCATION_OVERHEAD);
        return v;
    }
    tut_pnode *n = tut_pv_node(h, v);
    n->as.bytes = copy;
    n->len = (uint32_t)len;
    n->flags = flags;
    return v;
}

tut_pval tut_pv_long(tut_pheap *h, tut_span little, bool is_cut)
{
    if (little.len <= 8 && !is_cut) {
        bool is_negative = little.len && (little.data[little.len - 1] & 0x80);
        uint64_t n = is_negative ? UINT64_MAX : 0;
        for (size_t i = little.len; i > 0; i--)
            n = (n << 8) | little.data[i - 1];
        return tut_pv_int(h, (int64_t)n);
    }
    return new_bytes(h, TUT_PVAL_INT, little.data, little.len,
                     (uint8_t)(TUT_PNODE_BIG | (is_cut ? TUT_PNODE_CUT : 0)));
}

tut_pval tut_pv_text(tut_pheap *h, tut_pval_type type, tut_str content, bool is_cut)
{
    return new_bytes(h, type, content.data, content.len, is_cut ? TUT_PNODE_CUT : 0);
}

tut_pval tut_pv_pair(tut_pheap *h, tut_pval_type type, tut_pval a, tut_pval b, uint8_t flags)
{
    tut_pval v = new_node(h, type);
    if (!tut_pv_is_node(v)) {
        tut_pv_unref(h, a);
        tut_pv_unref(h, b);
        return v;
    }
    tut_pnode *n = tut_pv_node(h, v);
    n->as.pair[0] = a;
    n->as.pair[1] = b;
    n->flags = flags;
    return v;
}

tut_pval tut_pv_container(tut_pheap *h, tut_pval_type type)
{
    tut_pval v = new_node(h, type);
    if (tut_pv_is_node(v))
        tut_pv_node(h, v)->flags = TUT_PNODE_INLINE;
    return v;
}

tut_pval tut_pv_materialise(tut_pheap *h, tut_pval v)
{
    if (v == TUT_PV_EMPTY_LIST)
        return tut_pv_container(h, TUT_PVAL_LIST);
    if (v == TUT_PV_EMPTY_DICT)
        return tut_pv_container(h, TUT_PVAL_DICT);
    if (v == TUT_PV_EMPTY_SET)
        return tut_pv_container(h, TUT_PVAL_SET);
    return v;
}

/* Room for one more item; false when content is to be dropped from here on. */
static bool make_room(tut_pheap *h, tut_pnode *n)
{
    if (n->flags & TUT_PNODE_CUT || n->len >= TUT_LIMIT_PICKLE_ITEMS)
        return false;
    if (n->flags & TUT_PNODE_INLINE) {
        if (n->len < 2)
            return true;
        if (!charge(h, 4 * sizeof(tut_pval)))
            return false;
        tut_pval *items = tut_realloc_array(NULL, 4, sizeof *items);
        if (!items) {
            h->is_exhausted = true;
            give_back(h, 4 * sizeof(tut_pval));
            return false;
        }
        items[0] = n->as.pair[0];
        items[1] = n->as.pair[1];
        n->as.items = items;
        n->flags &= (uint8_t)~TUT_PNODE_INLINE;
        return true;
    }
    size_t cap = capacity_for(n->len);
    if (n->len < cap)
        return true;
    if (!charge(h, cap * sizeof(tut_pval)))
        return false;
    tut_pval *items = tut_realloc_array(n->as.items, cap * 2, sizeof *items);
    if (!items) {
        h->is_exhausted = true;
        give_back(h, cap * sizeof(tut_pval));
        return false;
    }
    n->as.items = items;
    return true;
}

void tut_pv_add(tut_pheap *h, tut_pval container, tut_pval item)
{
    if (!tut_pv_is_node(container)) {
        tut_pv_unref(h, item);
        return;
    }
    tut_pnode *n = tut_pv_node(h, container);
    uint32_t weight = tut_pv_weight(h, item);
    if (__builtin_add_overflow(n->extra, weight, &n->extra))
        n->extra = UINT32_MAX;
    if (!make_room(h, n)) {
        n->flags |= TUT_PNODE_CUT;
        tut_pv_unref(h, item);
        return;
    }
    tut_pval *items = n->flags & TUT_PNODE_INLINE ? n->as.pair : n->as.items;
    items[n->len++] = item;
}

void tut_pv_set_state(tut_pheap *h, tut_pval object, tut_pval state)
{
    if (!tut_pv_is_node(object) || tut_pv_node(h, object)->type != TUT_PVAL_OBJECT) {
        tut_pv_unref(h, state);
        return;
    }
    tut_pnode *n = tut_pv_node(h, object);
    tut_pval old = n->extra;
    n->extra = state;
    tut_pv_unref(h, old);
}

bool tut_pv_get_text(const tut_pheap *h, tut_pval v, tut_pval_type type, tut_str *ret)
{
    if (!tut_pv_is_node(v))
        return false;
    const tut_pnode *n = tut_pv_node(h, v);
    if (n->type != type || n->flags & TUT_PNODE_CUT ||
        (type != TUT_PVAL_STR && type != TUT_PVAL_BYTES))
        return false;
    *ret = (tut_str){n->len ? (const char *)n->as.bytes : "", n->len};
    return true;
}

tut_str tut_pv_text_head(const tut_pheap *h, tut_pval v, bool *ret_is_cut)
{
    *ret_is_cut = true;
    if (!tut_pv_is_node(v) || !owns_bytes(tut_pv_node(h, v)))
        return TUT_LIT("");
    const tut_pnode *n = tut_pv_node(h, v);
    *ret_is_cut = n->flags & TUT_PNODE_CUT;
    return (tut_str){n->len ? (const char *)n->as.bytes : "", n->len};
}

bool tut_pv_get_int(const tut_pheap *h, tut_pval v, int64_t *ret)
{
    if ((v & 7) == 1) {
        *ret = (int32_t)v >> 3;
        return true;
    }
    if (v == TUT_PV_TRUE || v == TUT_PV_FALSE) {
        *ret = v == TUT_PV_TRUE;
        return true;
    }
    if (!tut_pv_is_node(v))
        return false;
    const tut_pnode *n = tut_pv_node(h, v);
    if (n->type != TUT_PVAL_INT || n->flags & TUT_PNODE_BIG)
        return false;
    *ret = n->as.integer;
    return true;
}

const tut_pval *tut_pv_items(const tut_pheap *h, tut_pval v, size_t *ret_count, bool *ret_is_whole)
{
    *ret_count = 0;
    *ret_is_whole = v >= TUT_PV_EMPTY_TUPLE && v <= TUT_PV_EMPTY_SET && (v & 7) == 0;
    if (!tut_pv_is_node(v))
        return NULL;
    const tut_pnode *n = tut_pv_node(h, v);
    if (!is_container((tut_pval_type)n->type))
        return NULL;
    *ret_count = n->len;
    *ret_is_whole = !(n->flags & TUT_PNODE_CUT);
    if (n->len == 0)
        return NULL;
    return n->flags & TUT_PNODE_INLINE ? n->as.pair : n->as.items;
}

tut_pval tut_pv_item(const tut_pheap *h, tut_pval v, size_t i)
{
    size_t count;
    bool is_whole;
    const tut_pval *items = tut_pv_items(h, v, &count, &is_whole);
    return items && i < count ? items[i] : (tut_pval)TUT_PV_LOST;
}

bool tut_pv_lookup(const tut_pheap *h, tut_pval dict, const char *key, tut_pval *ret)
{
    size_t count;
    bool is_whole;
    if (tut_pv_type(h, dict) != TUT_PVAL_DICT)
        return false;
    const tut_pval *items = tut_pv_items(h, dict, &count, &is_whole);
    for (size_t i = count / 2; i > 0; i--) {
        tut_str text;
        if (tut_pv_get_text(h, items[2 * i - 2], TUT_PVAL_STR, &text) && tut_str_eq_z(text, key)) {
            *ret = items[2 * i - 1];
            return true;
        }
    }
    return false;
}

static bool has_pair(const tut_pheap *h, tut_pval v)
{
    tut_pval_type type = tut_pv_type(h, v);
    return tut_pv_is_node(v) &&
           (type == TUT_PVAL_GLOBAL || type == TUT_PVAL_OBJECT || type == TUT_PVAL_PERSID);
}

tut_pval tut_pv_first(const tut_pheap *h, tut_pval v)
{
    return has_pair(h, v) ? tut_pv_node(h, v)->as.pair[0] : (tut_pval)TUT_PV_LOST;
}

tut_pval tut_pv_second(const tut_pheap *h, tut_pval v)
{
    return has_pair(h, v) ? tut_pv_node(h, v)->as.pair[1] : (tut_pval)TUT_PV_LOST;
}

tut_pval tut_pv_state(const tut_pheap *h, tut_pval object)
{
    return has_pair(h, object) ? tut_pv_node(h, object)->extra : (tut_pval)TUT_PV_NONE;
}

uint8_t tut_pv_flags(const tut_pheap *h, tut_pval v)
{
    return tut_pv_is_node(v) ? tut_pv_node(h, v)->flags : 0;
}

static uint32_t add_saturating(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint32_t own_weight(const tut_pheap *h, tut_pval v)
{
    if (!tut_pv_is_node(v) || !is_container((tut_pval_type)tut_pv_node(h, v)->type))
        return 1;
    return add_saturating(tut_pv_node(h, v)->extra, 1);
}

uint32_t tut_pv_weight(const tut_pheap *h, tut_pval v)
{
    if (tut_pv_type(h, v) != TUT_PVAL_OBJECT || !tut_pv_is_node(v))
        return own_weight(h, v);
    const tut_pnode *n = tut_pv_node(h, v);
    return add_saturating(own_weight(h, n->as.pair[1]), own_weight(h, n->extra));
}
