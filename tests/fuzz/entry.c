/*
 * A log as somebody may hand it over: one entry a line. Each is parsed, written again byte for
 * byte, and taken in by a roster of people, whose answers must agree with each other.
 */
#include "ledger/entry.h"
#include "ledger/people_internal.h"

/* What is parsed composes to the same bytes. */
static void check_canonical(tut_span bytes, const tut_entry *e)
{
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    tut_entry_compose(&e->head, e->payload, &again);
    if (!tut_str_eq(tut_buf_str(&again), tut_str_from(bytes)))
        __builtin_trap();
}

static void check_roster(const tut_people *p, uint64_t index)
{
    bool has_root = false;
    for (size_t i = 0; i < p->count; i++) {
        const tut_person *person = &p->items[i];
        has_root |= person->is_root;
        if (tut_people_find(p, tut_str_of(person->name)) != person || person->key_count == 0)
            __builtin_trap();
        for (size_t k = 0; k < person->key_count; k++) {
            const tut_act act = {.index = index};
            const char *id = tut_pubkey_id(person->keys[k].key);
            bool counts = tut_key_counts(&person->keys[k], index);
            if (tut_people_may_sign(p, id, &act, NULL, NULL) != counts ||
                tut_people_is_tool(p, id, index))
                __builtin_trap();
        }
    }
    if (has_root != p->has_root)
        __builtin_trap(); /* a log that had a root always has one */
}

static bool take(tut_people *p, uint64_t index, tut_span bytes)
{
    tut_arena arena;
    tut_entry e;
    tut_arena_init(&arena, 64u << 20);
    bool goes_on = true;
    if (tut_is_ok(tut_entry_parse(bytes, &arena, &e, NULL))) {
        check_canonical(bytes, &e);
        goes_on = tut_is_ok(tut_people_apply(p, index, &e, NULL, NULL));
        tut_entry_done(&e);
    }
    tut_arena_done(&arena);
    return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_people *p = NULL;
    uint64_t index = 0;
    size_t at = 0;
    if (!tut_is_ok(tut_people_new(&p, NULL)))
        return 0;
    while (at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - (data + at)) : size - at;
        if (!take(p, index++, tut_span_of(data + at, len)))
            break;
        check_roster(p, index);
        at += len + 1;
    }
    tut_people_free(p);
    return 0;
}
