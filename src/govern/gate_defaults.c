/* The gates that are there without a word in tutela.yaml. */
#include <string.h>

#include "govern/gate.h"

typedef struct builtin {
    const char *name, *after, *clauses, *checks, *phases;
    uint32_t developer, operator_, custodian, approver;
} builtin;

static const builtin builtins[] = {
#define GATE(name, after, clauses, checks, phases, developer, operator_, custodian, approver)      \
    {name, after, clauses, checks, phases, developer, operator_, custodian, approver},
#include "govern/gate_defaults.def"
#undef GATE
};
enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

const char *const tut_gate_defaults[] = {
#define GATE(name, after, clauses, checks, phases, developer, operator_, custodian, approver) name,
#include "govern/gate_defaults.def"
#undef GATE
    NULL,
};

/* The next word of "a b c"; false behind the last. */
static bool next_word(const char **at, tut_str *ret)
{
    *at += strspn(*at, " ");
    size_t len = strcspn(*at, " ");
    *ret = (tut_str){*at, len};
    *at += len;
    return len > 0;
}

static void add_clause(tut_gate *g, tut_str id)
{
    for (size_t i = 0; i < g->want_count; i++)
        if (tut_str_eq(g->wants[i].clause, id))
            return;
    g->wants[g->want_count++] = (tut_gate_want){.clause = id};
}

/* What a gate itself comes to cannot be what it waits for. */
static bool rests_on_a_gate(const tut_clause *c)
{
    for (size_t i = 0; i < c->want_count; i++)
        if (tut_str_eq_z(c->wants[i].check, "gate.change"))
            return true;
    return false;
}

static void add_phases(tut_gate *g, const char *phases, const tut_clause *clauses)
{
    static const char letters[TUT_PHASE_COUNT] = {'d', 'b', 'e', 'm', 'x'};
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (clauses[i].is_gate && strchr(phases, letters[clauses[i].phase]) &&
            !rests_on_a_gate(&clauses[i]))
            add_clause(g, clauses[i].id);
}

static tut_status read_after(tut_arena *arena, const char *words, tut_str_list *ret, tut_error *err)
{
    tut_str word;
    ret->items = tut_arena_take(arena, BUILTINS, sizeof(*ret->items));
    ret->count = 0;
    if (!ret->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (ret->count < BUILTINS && next_word(&words, &word))
        ret->items[ret->count++] = word;
    return TUT_SUCCESS;
}

static void set_demand(tut_gate *g, uint32_t role, uint32_t count)
{
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (role == 1u << i)
            g->demand[i] = count;
}

static tut_status fill(tut_arena *arena, const builtin *b, tut_gate *g, tut_error *err)
{
    const tut_clause *clauses;
    const char *at = b->clauses;
    tut_str word;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    g->wants = tut_arena_take(arena, TUT_CLAUSE_COUNT + 8, sizeof(*g->wants));
    if (!g->wants)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (next_word(&at, &word))
        add_clause(g, word);
    for (at = b->checks; next_word(&at, &word);)
        g->wants[g->want_count++] = (tut_gate_want){.check = word};
    add_phases(g, b->phases, clauses);
    set_demand(g, TUT_PERSON_DEVELOPER, b->developer);
    set_demand(g, TUT_PERSON_OPERATOR, b->operator_);
    set_demand(g, TUT_PERSON_CUSTODIAN, b->custodian);
    set_demand(g, TUT_PERSON_APPROVER, b->approver);
    return read_after(arena, b->after, &g->after, err);
}

tut_status tut_gate_default(tut_arena *arena, tut_str name, tut_gate *ret_gate, bool *ret_is_one,
                            tut_error *err)
{
    *ret_is_one = false;
    for (size_t i = 0; i < BUILTINS; i++) {
        if (!tut_str_eq_z(name, builtins[i].name))
            continue;
        *ret_gate = (tut_gate){.name = tut_str_of(builtins[i].name),
                               .wants_by_default = true,
                               .signature_days = TUT_GATE_SIGNATURE_DAYS,
                               .has_findings = true,
                               .findings = TUT_SEVERITY_HIGH};
        *ret_is_one = true;
        return fill(arena, &builtins[i], ret_gate, err);
    }
    return TUT_SUCCESS;
}
