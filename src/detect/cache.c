#include "detect/cache.h"

#include <sys/random.h>

enum { WAYS = 4, SETS = 2048, TOLD = 512 }; /* TOLD: verdicts with reasons, which are long */

typedef struct slot {
    tut_detect_tag tag;
    double score;
    uint32_t used; /* when, by the count of uses; 0: empty */
    uint32_t told; /* 1 + place of the whole verdict; 0: it has no reasons */
    uint16_t pieces;
    uint8_t action;
    bool is_scored;
} slot;

typedef struct told {
    tut_detect_tag tag;
    tut_detect_verdict verdict;
} told;

struct tut_detect_cache {
    uint64_t key[2];
    uint32_t uses, next_told;
    slot slots[SETS][WAYS];
    told told[TOLD];
};

void tut_detect_cache_free(tut_detect_cache *c)
{
    tut_free(c);
}

tut_status tut_detect_cache_new(tut_detect_cache **ret_cache, tut_error *err)
{
    TUT_AUTO(tut_detect_cache) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (getrandom(c->key, sizeof(c->key), 0) != (ssize_t)sizeof(c->key))
        return tut_fail(err, TUT_IO, "the system has no random bytes");
    *ret_cache = tut_move(&c);
    return TUT_SUCCESS;
}

/* --- SipHash --- */
static inline uint64_t turn(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turn(v[1], 13) ^ v[0];
    v[0] = turn(v[0], 32);
    v[2] += v[3];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turn(v[1], 17) ^ v[2];
    v[2] = turn(v[2], 32);
}

static inline void take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    mix(v);
    v[0] ^= word;
}

void tut_detect_siphash(const uint64_t key[2], tut_str text, uint64_t salt, tut_detect_tag *ret_tag)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xee,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    uint64_t word, last = (uint64_t)text.len << 56;
    size_t at = 0;
    if (salt)
        take(v, salt);
    for (; text.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, text.data + at, sizeof(word)); /* little-endian, as all of these machines */
        take(v, word);
    }
    for (unsigned shift = 0; at < text.len; at++, shift += 8)
        last |= (uint64_t)(uint8_t)text.data[at] << shift;
    take(v, last);
    v[2] ^= 0xee;
    for (int i = 0; i < 4; i++)
        mix(v);
    ret_tag->words[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    for (int i = 0; i < 4; i++)
        mix(v);
    ret_tag->words[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- the table --- */
static bool is_same(const tut_detect_tag *a, const tut_detect_tag *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

bool tut_detect_cache_find(tut_detect_cache *c, tut_detect_role role, tut_str text,
                           tut_detect_tag *ret_tag, tut_detect_verdict *ret_verdict)
{
    tut_detect_siphash(c->key, text, 1 + (uint64_t)role, ret_tag);
    slot *set = c->slots[ret_tag->words[0] % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        slot *s = &set[i];
        if (!s->used || !is_same(&s->tag, ret_tag))
            continue;
        if (s->told && !is_same(&c->told[s->told - 1].tag, ret_tag))
            break; /* its reasons made room for another's */
        s->used = ++c->uses;
        if (s->told) {
            *ret_verdict = c->told[s->told - 1].verdict;
            return true;
        }
        ret_verdict->score = s->score;
        ret_verdict->action = (tut_detect_action)s->action;
        ret_verdict->is_scored = s->is_scored;
        ret_verdict->pieces = s->pieces;
        ret_verdict->reason_count = 0;
        return true;
    }
    return false;
}

static slot *place_for(slot *set, const tut_detect_tag *tag)
{
    slot *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && is_same(&set[i].tag, tag))
            return &set[i];
        oldest = set[i].used < oldest->used ? &set[i] : oldest;
    }
    return oldest;
}

void tut_detect_cache_put(tut_detect_cache *c, const tut_detect_tag *tag,
                          const tut_detect_verdict *verdict)
{
    slot *s = place_for(c->slots[tag->words[0] % SETS], tag);
    *s = (slot){.tag = *tag,
                .score = verdict->score,
                .used = ++c->uses,
                .pieces = (uint16_t)verdict->pieces,
                .action = (uint8_t)verdict->action,
                .is_scored = verdict->is_scored};
    if (verdict->reason_count) {
        told *t = &c->told[c->next_told++ % TOLD];
        *t = (told){*tag, *verdict};
        s->told = (uint32_t)(t - c->told) + 1;
    }
}
