#include "guard/leak.h"

enum { STEPS = 32 }; /* places of a gram that are tried */

/* 0: nothing but signs. */
static uint32_t hash_of(tut_str word)
{
    uint32_t h = 0x811c9dc5u;
    bool is_word = false;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = (uint8_t)word.data[i];
        bool is_letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!is_letter && !(c >= '0' && c <= '9') && c < 0x80)
            continue;
        h = (h ^ (is_letter ? (uint32_t)(c | 0x20) : c)) * 0x01000193u;
        is_word = true;
    }
    return is_word ? h | 1u : 0;
}

static size_t gram_of(const uint32_t *words)
{
    uint64_t h = 0;
    for (size_t i = 0; i < TUT_LEAK_GRAM; i++)
        h = (h ^ words[i]) * 0x9E3779B97F4A7C15u;
    return (size_t)(h >> 32);
}

static bool ends_word(uint8_t c)
{
    return c <= ' ';
}

tut_status tut_guard_leak_add(tut_guard_leak *l, tut_str text)
{
    size_t begin = 0;
    for (size_t at = 0; at <= text.len; at++) {
        bool is_start = at < text.len && (uint8_t)text.data[at] >= 0xc0;
        if (at < text.len && !is_start && !ends_word((uint8_t)text.data[at]))
            continue;
        uint32_t h = hash_of((tut_str){text.data + begin, at - begin});
        begin = at;
        if (!h)
            continue;
        TUT_TRY(tut_grow(&l->words, l->count, &l->capacity, sizeof(*l->words)));
        l->words[l->count++] = h;
        l->known[h >> 8 & 31] |= UINT64_C(1) << (h >> 26);
    }
    return TUT_SUCCESS;
}

tut_status tut_guard_leak_close(tut_guard_leak *l)
{
    size_t size = 64;
    if (l->count < TUT_LEAK_GRAM)
        return TUT_SUCCESS;
    while (size < 2 * l->count)
        size *= 2;
    l->heads = tut_alloc_array(size, sizeof(*l->heads));
    l->next = tut_alloc_array(l->count, sizeof(*l->next));
    if (!l->heads || !l->next)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    l->mask = size - 1;
    for (size_t i = l->count - TUT_LEAK_GRAM + 1; i-- > 0;) { /* the first place is tried first */
        uint32_t *head = &l->heads[gram_of(l->words + i) & l->mask];
        l->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
    return TUT_SUCCESS;
}

void tut_guard_leak_done(tut_guard_leak *l)
{
    tut_free(l->words);
    tut_free(l->next);
    tut_free(l->heads);
    *l = (tut_guard_leak){0};
}

static void seek(const tut_guard_leak *l, tut_leak_run *r)
{
    uint32_t place = l->heads[gram_of(r->recent) & l->mask];
    for (size_t i = 0; place && i < STEPS; i++, place = l->next[place - 1]) {
        if (memcmp(l->words + place - 1, r->recent, sizeof(r->recent)) != 0)
            continue;
        r->run = TUT_LEAK_GRAM;
        r->at = place - 1 + TUT_LEAK_GRAM;
        r->begin = r->starts[0];
        return;
    }
}

bool tut_leak_step(const tut_guard_leak *l, tut_leak_run *r, tut_str word, size_t start)
{
    uint32_t h = l->heads ? hash_of(word) : 0;
    if (!h)
        return false;
    for (size_t i = 0; i + 1 < TUT_LEAK_GRAM; i++) {
        r->recent[i] = r->recent[i + 1];
        r->starts[i] = r->starts[i + 1];
    }
    r->recent[TUT_LEAK_GRAM - 1] = h;
    r->starts[TUT_LEAK_GRAM - 1] = start;
    bool is_known = l->known[h >> 8 & 31] >> (h >> 26) & 1;
    r->known = is_known ? r->known + 1 : 0;
    if (r->run > 0 && r->at < l->count && l->words[r->at] == h) {
        r->run++;
        r->at++;
        return true;
    }
    r->run = 0;
    if (r->known >= TUT_LEAK_GRAM)
        seek(l, r);
    return true;
}

void tut_leak_shift(tut_leak_run *r, size_t by)
{
    for (size_t i = 0; i < TUT_LEAK_GRAM; i++)
        r->starts[i] = r->starts[i] > by ? r->starts[i] - by : 0;
    r->begin = r->begin > by ? r->begin - by : 0;
}
