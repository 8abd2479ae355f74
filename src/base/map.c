#include "base/map.h"

#include <sys/random.h>

struct tut_map_slot {
    const char *data; /* NULL: free */
    size_t len;
    uint64_t hash;
    size_t value;
};

enum { FIRST_CAPACITY = 64 };

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step, folded by a multiplication whose operands hold the seed (as in wyhash). */
static uint64_t hash_of(const tut_map *m, tut_str key)
{
    uint64_t h = m->seed ^ (key.len * UINT64_C(0x9e3779b97f4a7c15));
    size_t at = 0;
    for (; key.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, key.data + at, 8);
        h = mix(h ^ word ^ UINT64_C(0xa0761d6478bd642f), m->seed | 1);
    }
    uint64_t tail = 0;
    if (key.len > at)
        memcpy(&tail, key.data + at, key.len - at);
    h = mix(h ^ tail ^ UINT64_C(0xe7037ed1a0b428db), m->seed | 1);
    return mix(h, UINT64_C(0x8ebc6af09c88c6e3));
}

static tut_map_slot *slot_of(const tut_map *m, tut_str key, uint64_t hash)
{
    for (size_t at = (size_t)hash & (m->capacity - 1);; at = (at + 1) & (m->capacity - 1)) {
        tut_map_slot *s = &m->slots[at];
        if (!s->data || (s->hash == hash && s->len == key.len &&
                         (key.len == 0 || memcmp(s->data, key.data, key.len) == 0)))
            return s;
    }
}

static tut_status grow(tut_map *m, tut_error *err)
{
    tut_map larger = {.capacity = m->capacity ? m->capacity * 2 : FIRST_CAPACITY, .seed = m->seed};
    if (m->capacity == 0 && getrandom(&larger.seed, sizeof(larger.seed), 0) < 0)
        larger.seed = (uint64_t)(uintptr_t)m ^ UINT64_C(0x2545f4914f6cdd1d);
    larger.slots = tut_alloc_array(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < m->capacity; i++) {
        const tut_map_slot *s = &m->slots[i];
        if (s->data)
            *slot_of(&larger, (tut_str){s->data, s->len}, s->hash) = *s;
    }
    larger.count = m->count;
    tut_free(m->slots);
    *m = larger;
    return TUT_SUCCESS;
}

tut_status tut_map_put(tut_map *m, tut_str key, size_t value, size_t *ret_value, tut_error *err)
{
    if (m->capacity - m->capacity / 4 <= m->count)
        TUT_TRY(grow(m, err));
    uint64_t hash = hash_of(m, key);
    tut_map_slot *s = slot_of(m, key, hash);
    if (!s->data) {
        *s = (tut_map_slot){key.data ? key.data : "", key.len, hash, value};
        m->count++;
    }
    if (ret_value)
        *ret_value = s->value;
    return TUT_SUCCESS;
}

size_t tut_map_get(const tut_map *m, tut_str key)
{
    if (m->count == 0)
        return SIZE_MAX;
    const tut_map_slot *s = slot_of(m, key, hash_of(m, key));
    return s->data ? s->value : SIZE_MAX;
}

void tut_map_done(tut_map *m)
{
    tut_free(m->slots);
    *m = (tut_map)TUT_MAP_INIT;
}
