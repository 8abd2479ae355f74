/* `gates:` of tutela.yaml, over what is built in. */
#include <string.h>

#include "assets/schema.h"
#include "govern/gate.h"

typedef struct gate_line {
    tut_str name, findings;
    tut_str_list after;
    uint32_t signature_days;
} gate_line;

static const tut_field gate_fields[] = {
    TUT_FIELD(TEXT, gate_line, name, true, NULL),
    TUT_FIELD(TEXTS, gate_line, after, false, NULL),
    TUT_FIELD(COUNT, gate_line, signature_days, false, NULL),
    {"findings", TUT_FIELD_WORD, offsetof(gate_line, findings), 0, false,
     "info low medium high critical none"},
    {"wants", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"signers", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

typedef struct want_line {
    tut_str check, clause;
    uint32_t max_age_days;
    tut_str_list kinds;
} want_line;

static const tut_field want_fields[] = {
    TUT_FIELD(TEXT, want_line, check, false, NULL),
    TUT_FIELD(TEXT, want_line, clause, false, NULL),
    TUT_FIELD(COUNT, want_line, max_age_days, false, NULL),
    TUT_FIELD(TEXTS, want_line, kinds, false, NULL),
};

typedef struct signer_line {
    tut_str role;
    uint32_t count;
} signer_line;

static const tut_field signer_fields[] = {
    TUT_FIELD(TEXT, signer_line, role, true, NULL),
    TUT_FIELD(COUNT, signer_line, count, false, NULL),
};

static bool is_name(tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return name.len > 0 && name.len <= TUT_GATE_NAME_MAX && name.data[0] != '-';
}

static tut_status read_kinds(tut_schema *s, const tut_yaml_node *n, const want_line *line,
                             uint32_t *ret_kinds)
{
    *ret_kinds = 0;
    for (size_t i = 0; i < line->kinds.count; i++) {
        char word[32];
        tut_asset_kind kind;
        tut_str_copy(word, sizeof(word), line->kinds.items[i]);
        if (!tut_asset_kind_parse(word, &kind))
            return tut_schema_fail_node(s, n, "there is no kind of asset \"%s\"", word);
        *ret_kinds |= 1u << kind;
    }
    return TUT_SUCCESS;
}

static tut_status read_want(tut_schema *s, const tut_yaml_node *n, tut_gate_want *want)
{
    want_line line = {0};
    TUT_TRY(tut_schema_read(s, n, want_fields, TUT_COUNT(want_fields), &line, "what a gate wants",
                            "gates.wants"));
    if ((line.check.len > 0) == (line.clause.len > 0))
        return tut_schema_fail_node(s, n, "a gate wants either a check or a clause");
    if (line.clause.len && !tut_catalogue_find(line.clause))
        return tut_schema_fail_node(s, n, "no provision is called \"%.*s\"", (int)line.clause.len,
                                    line.clause.data);
    if (line.check.len && !tut_catalogue_find_want(line.check))
        return tut_schema_fail_node(s, n, "no provision wants the check \"%.*s\"",
                                    (int)line.check.len, line.check.data);
    *want = (tut_gate_want){
        .check = line.check, .clause = line.clause, .max_age_days = line.max_age_days};
    return read_kinds(s, n, &line, &want->kinds);
}

static tut_status read_wants(tut_schema *s, const tut_yaml_node *node, tut_gate *gate)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, node, "wants");
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "wants"));
    if (list->count > TUT_GATE_WANTS_MAX)
        return tut_schema_fail_node(s, list, "a gate wants at most %d things", TUT_GATE_WANTS_MAX);
    gate->wants = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*gate->wants));
    gate->want_count = 0;
    gate->wants_by_default = false;
    if (!gate->wants)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n))
        TUT_TRY(read_want(s, n, &gate->wants[gate->want_count++]));
    return TUT_SUCCESS;
}

static tut_status read_signer(tut_schema *s, const tut_yaml_node *n, tut_gate *gate)
{
    signer_line line = {.count = 1};
    TUT_TRY(tut_schema_read(s, n, signer_fields, TUT_COUNT(signer_fields), &line, "a signer",
                            "gates.signers"));
    uint32_t role = tut_person_role(line.role);
    if (role == 0 || line.count < 1 || line.count > 9)
        return tut_schema_fail_node(s, n,
                                    "a signer is a role of people (tutela people enrol --help "
                                    "lists them) and how many of it sign, 1 to 9");
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (role == 1u << i)
            gate->demand[i] = line.count;
    return TUT_SUCCESS;
}

static tut_status read_signers(tut_schema *s, const tut_yaml_node *node, tut_gate *gate)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, node, "signers");
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "signers"));
    memset(gate->demand, 0, sizeof(gate->demand));
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n))
        TUT_TRY(read_signer(s, n, gate));
    return TUT_SUCCESS;
}

static tut_status read_gate(tut_schema *s, const tut_yaml_node *n, const tut_gates *before,
                            tut_gate *gate)
{
    gate_line line = {0};
    bool is_builtin;
    TUT_TRY(tut_schema_read(s, n, gate_fields, TUT_COUNT(gate_fields), &line, "a gate", "gates"));
    if (!is_name(line.name) || tut_gates_find(before, line.name))
        return tut_schema_fail_node(s, n,
                                    "a gate has a name of its own, of at most %d small letters, "
                                    "digits and '-'",
                                    TUT_GATE_NAME_MAX);
    TUT_TRY(tut_gate_default(&s->system->arena, line.name, gate, &is_builtin, s->err));
    if (!is_builtin)
        *gate = (tut_gate){.signature_days = TUT_GATE_SIGNATURE_DAYS};
    gate->name = line.name;
    gate->is_configured = true;
    if (!tut_schema_is_absent(tut_yaml_get(s->system->yaml, n, "after")))
        gate->after = line.after;
    if (line.signature_days)
        gate->signature_days = line.signature_days;
    if (line.findings.len)
        gate->has_findings = tut_severity_parse(line.findings, &gate->findings);
    TUT_TRY(read_wants(s, n, gate));
    TUT_TRY(read_signers(s, n, gate));
    if (gate->want_count == 0)
        return tut_schema_fail_node(s, n, "a gate that wants nothing would always be open");
    return TUT_SUCCESS;
}

const tut_gate *tut_gates_find(const tut_gates *gates, tut_str name)
{
    for (size_t i = 0; i < gates->count; i++)
        if (tut_str_eq(gates->items[i].name, name))
            return &gates->items[i];
    return NULL;
}

/* A gate that waits for itself, through whatever others, would never open. Gates whose ways all end
 * are taken off until none is left. */
static tut_status check_order(tut_schema *s, const tut_yaml_node *node, const tut_gates *gates)
{
    bool ends[TUT_GATES_MAX + 8] = {false};
    for (size_t round = 0; round < gates->count; round++) {
        for (size_t i = 0; i < gates->count; i++) {
            const tut_gate *g = &gates->items[i];
            bool all = true;
            for (size_t k = 0; k < g->after.count; k++) {
                const tut_gate *b = tut_gates_find(gates, g->after.items[k]);
                if (!b)
                    return tut_schema_fail_node(s, node,
                                                "gate %.*s comes after \"%.*s\", and no "
                                                "gate is called so",
                                                (int)g->name.len, g->name.data,
                                                (int)g->after.items[k].len, g->after.items[k].data);
                all = all && ends[b - gates->items];
            }
            ends[i] = ends[i] || all;
        }
    }
    for (size_t i = 0; i < gates->count; i++)
        if (!ends[i])
            return tut_schema_fail_node(s, node, "gate %.*s would wait for itself",
                                        (int)gates->items[i].name.len, gates->items[i].name.data);
    return TUT_SUCCESS;
}

static tut_status add_defaults(tut_schema *s, tut_gates *gates)
{
    for (size_t i = 0; tut_gate_defaults[i]; i++) {
        bool is_one;
        tut_str name = tut_str_of(tut_gate_defaults[i]);
        if (tut_gates_find(gates, name))
            continue;
        TUT_TRY(tut_gate_default(&s->system->arena, name, &gates->items[gates->count], &is_one,
                                 s->err));
        gates->count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_gates_read(tut_system *system, tut_gates *ret_gates, tut_buf *ret_shown,
                          tut_error *err)
{
    tut_error local = {0};
    const tut_clause *clauses;
    const tut_yaml *y = system->yaml;
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *node = tut_yaml_get(y, tut_yaml_root(y), "gates");
    tut_gates gates = {
        .items = tut_arena_take(&system->arena, TUT_GATES_MAX + 8, sizeof(tut_gate))};
    if (!gates.items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_catalogue_load(&clauses, err));
    if (!tut_schema_is_absent(node)) {
        TUT_TRY(tut_schema_sequence(&s, node, "gates"));
        if (node->count > TUT_GATES_MAX)
            return tut_schema_fail_node(&s, node, "there are at most %d gates", TUT_GATES_MAX);
        for (const tut_yaml_node *n = tut_yaml_first(y, node); n; n = tut_yaml_next(y, n)) {
            TUT_TRY(read_gate(&s, n, &gates, &gates.items[gates.count]));
            gates.count++;
        }
    }
    TUT_TRY(add_defaults(&s, &gates));
    TUT_TRY(check_order(&s, node ? node : tut_yaml_root(y), &gates));
    *ret_gates = gates;
    return TUT_SUCCESS;
}
