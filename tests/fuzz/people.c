/*
 * Changes to people in any order, signed by anybody: six bytes each. Signatures are left out, so
 * that all the rules behind them are reached. After each change:
 *   the roster is what settling all changes from the first makes of it;
 *   a change that was refused changed nothing;
 *   there is a root.
 */
#include <stdlib.h>

#include "ledger/people_internal.h"

enum { KEYS = 24, NAMES = 6, OP_BYTES = 6, OPS_MAX = 200 };

static const char *const names[NAMES] = {"Ada", "Bob", "Cid", "Dan", "Eve", "Fay"};
static tut_pubkey *pool[KEYS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    /* The first so many numbers that are points. */
    unsigned n = 0;
    for (size_t i = 0; i < KEYS && n < 0xffff; n++) {
        uint8_t raw[TUT_ED25519_BYTES] = {(uint8_t)n, (uint8_t)(n >> 8)};
        i += tut_is_ok(tut_pubkey_from_ed25519(raw, &pool[i], NULL));
    }
    if (!pool[KEYS - 1])
        abort();
    return 0;
}

static void draw_holder(tut_buf *b, const tut_person *h, bool is_person)
{
    tut_buf_add_u64le(b, h->key_count);
    for (size_t i = 0; i < h->key_count; i++) {
        tut_buf_add_u64le(b, h->keys[i].from);
        tut_buf_add_u64le(b, h->keys[i].until);
        /* What a key without a time of its own would have signed with is no matter. */
        tut_buf_add_u32le(b, h->keys[i].until > h->keys[i].from ? h->keys[i].roles : 0);
    }
    tut_buf_add_byte(b, h->is_active);
    tut_buf_add_byte(b, h->is_root);
    if (is_person && h->is_active) {
        tut_buf_add_u32le(b, h->roles);
        tut_buf_add_u64le(b, h->since);
    }
}

static void draw(const tut_people *p, tut_buf *b)
{
    for (size_t i = 0; i < p->count; i++)
        draw_holder(b, &p->items[i], true);
    draw_holder(b, &p->tool, false);
    draw_holder(b, &p->log, false);
}

static void found(tut_people *p)
{
    tut_people_change root = {.kind = TUT_PEOPLE_ROOT,
                              .name = tut_str_of(names[0]),
                              .roles = TUT_PERSON_ROOT,
                              .keys = {pool[2]},
                              .key_count = 1};
    tut_people_change genesis = {.kind = TUT_PEOPLE_GENESIS,
                                 .log_keys = {pool[0]},
                                 .log_key_count = 1,
                                 .keys = {pool[1]},
                                 .key_count = 1,
                                 .roots = &root,
                                 .root_count = 1};
    tut_judging g = {.p = p, .c = &genesis, .signer = {.holder = TUT_HOLDER_NONE}};
    if (!tut_is_ok(tut_people_finish(&g, tut_people_judge(&g, TUT_LIT("log")), NULL)) ||
        !p->has_genesis)
        abort();
}

static uint64_t after_of(const tut_people *p, const tut_people_change *c)
{
    if (c->kind == TUT_PEOPLE_TOOL_ROTATED)
        return p->tool.after;
    if (c->kind == TUT_PEOPLE_LOG_ROTATED)
        return p->log.after;
    const tut_person *person = tut_people_find(p, c->name);
    return person ? person->after : 0;
}

static void one(tut_people *p, uint64_t index, const uint8_t *op)
{
    static const tut_people_kind kinds[] = {
        TUT_PEOPLE_ENROLLED, TUT_PEOPLE_ROTATED,      TUT_PEOPLE_REVOKED,     TUT_PEOPLE_ENROLLED,
        TUT_PEOPLE_REVOKED,  TUT_PEOPLE_TOOL_ROTATED, TUT_PEOPLE_LOG_ROTATED, TUT_PEOPLE_ROOT};
    tut_people_change c = {.kind = kinds[op[0] % 8],
                           .name = tut_str_of(names[op[1] % NAMES]),
                           .roles = op[5] % 3 ? TUT_PERSON_ROOT : 1u << op[5] % 7,
                           .key_count = 1,
                           .keys = {pool[op[2] % KEYS]},
                           .has_from = op[4] % 2 == 0,
                           .from = op[4] / 2 % (index + 2),
                           .reason = TUT_LIT("r")};
    c.has_after = c.kind != TUT_PEOPLE_ENROLLED || tut_people_find(p, c.name);
    c.after = after_of(p, &c) + (op[0] == 255);
    if (c.kind == TUT_PEOPLE_ENROLLED || c.kind == TUT_PEOPLE_ROOT)
        c.has_from = false;
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) after = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) settled = TUT_BUF_INIT;
    const char *problem = NULL;
    draw(p, &before);
    if (!tut_is_ok(tut_people_admit(p, index, (tut_time)index, &c,
                                    tut_pubkey_id(pool[op[3] % KEYS]), &problem, NULL)))
        __builtin_trap();
    draw(p, &after);
    if (problem && !tut_str_eq(tut_buf_str(&before), tut_buf_str(&after)))
        __builtin_trap();
    if (!tut_people_settle(p))
        __builtin_trap();
    draw(p, &settled);
    if (!tut_str_eq(tut_buf_str(&after), tut_buf_str(&settled)))
        __builtin_trap();
    bool has_root = false;
    for (size_t i = 0; i < p->count; i++)
        has_root |= p->items[i].is_root;
    if (!has_root)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_people *p = NULL;
    if (!tut_is_ok(tut_people_new(&p, NULL)))
        return 0;
    found(p);
    size_t ops = size / OP_BYTES < OPS_MAX ? size / OP_BYTES : OPS_MAX;
    for (size_t i = 0; i < ops && tut_people_owned(p)->compromise_count < 100; i++)
        one(p, i + 1, data + i * OP_BYTES);
    tut_people_free(p);
    return 0;
}
