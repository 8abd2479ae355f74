#include "assess/design.h"

#include "assess/catalogue.h"
#include "assets/schema.h"

static const tut_field design_fields[] = {
    TUT_FIELD(TEXT, tut_design, record, false, NULL),
    TUT_FIELD(TEXTS, tut_design, documents, false, NULL),
    TUT_FIELD(TEXT, tut_design, maintenance, false, NULL),
    TUT_FIELD(TEXT, tut_design, card, false, NULL),
    {"use_ceiling", TUT_FIELD_WORD, offsetof(tut_design, use_ceiling), 0, false,
     "public internal confidential personal"},
    TUT_FIELD(FLAG, tut_design, custodian_outside, false, NULL),
    {"custodian", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field ask_fields[] = {
    TUT_FIELD(TEXT, tut_custodian_ask, control, true, NULL),
    TUT_FIELD(TEXT, tut_custodian_ask, check, false, NULL),
    TUT_FIELD(TEXT, tut_custodian_ask, clause, false, NULL),
};

int tut_sensitivity_level(tut_str word)
{
    static const char *const words[] = {"public", "internal", "confidential", "personal"};
    for (int i = 0; i < (int)TUT_COUNT(words); i++)
        if (tut_str_eq_z(word, words[i]))
            return i;
    return -1;
}

static size_t add_path(tut_str path, tut_str *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq(paths[i], path))
            return count;
    if (path.len && count < TUT_DESIGN_DOCUMENTS_MAX)
        paths[count++] = path;
    return count;
}

size_t tut_design_documents(const tut_design *d, tut_str paths[TUT_DESIGN_DOCUMENTS_MAX])
{
    size_t count = add_path(d->record, paths, 0);
    for (size_t i = 0; i < d->documents.count; i++)
        count = add_path(d->documents.items[i], paths, count);
    count = add_path(d->maintenance, paths, count);
    return add_path(d->card, paths, count);
}

size_t tut_design_of_check(const tut_design *d, tut_str check,
                           tut_str paths[TUT_DESIGN_DOCUMENTS_MAX])
{
    size_t count = 0;
    if (tut_str_eq_z(check, "gate.design-record") || tut_str_eq_z(check, "gate.custodian-part"))
        return add_path(d->record, paths, 0);
    if (!tut_str_eq_z(check, "gate.design-documents"))
        return 0;
    /* Both are wanted: one alone is not the documentation. */
    if (d->documents.count == 0 || d->maintenance.len == 0)
        return 0;
    for (size_t i = 0; i < d->documents.count; i++)
        count = add_path(d->documents.items[i], paths, count);
    return add_path(d->maintenance, paths, count);
}

static tut_status check_paths(tut_schema *s, const tut_yaml_node *node, const tut_design *d)
{
    const tut_yaml *y = s->system->yaml;
    const struct {
        const char *key;
        tut_str path;
    } single[] = {{"record", d->record}, {"maintenance", d->maintenance}, {"card", d->card}};
    for (size_t i = 0; i < TUT_COUNT(single); i++)
        if (single[i].path.len && !tut_system_path_is_below(single[i].path))
            return tut_schema_fail_node(s, tut_yaml_get(y, node, single[i].key),
                                        "%s is a file below the folder of tutela.yaml",
                                        single[i].key);
    for (size_t i = 0; i < d->documents.count; i++)
        if (!tut_system_path_is_below(d->documents.items[i]))
            return tut_schema_fail_node(s, tut_yaml_get(y, node, "documents"),
                                        "documents are files below the folder of tutela.yaml");
    if (d->documents.count + TUT_COUNT(single) > TUT_DESIGN_DOCUMENTS_MAX)
        return tut_schema_fail_node(s, tut_yaml_get(y, node, "documents"),
                                    "at most %d documents are looked at",
                                    TUT_DESIGN_DOCUMENTS_MAX - (int)TUT_COUNT(single));
    return TUT_SUCCESS;
}

static tut_status check_ask(tut_schema *s, const tut_custodian_ask *ask)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, s->err));
    if ((ask->check.len > 0) == (ask->clause.len > 0))
        return tut_schema_fail_node(s, ask->node,
                                    "what the custodian asks for is shown by either a check or a "
                                    "clause");
    if (tut_str_eq_z(ask->check, "gate.custodian-policies") || tut_str_eq_z(ask->clause, "5.1.4-4"))
        return tut_schema_fail_node(s, ask->node,
                                    "what shows that the custodian's controls are there cannot be "
                                    "one of them");
    if (ask->clause.len && !tut_catalogue_find(ask->clause))
        return tut_schema_fail_node(s, ask->node, "no provision is called \"%.*s\"",
                                    (int)ask->clause.len, ask->clause.data);
    if (ask->check.len && !tut_catalogue_find_want(ask->check))
        return tut_schema_fail_node(s, ask->node, "no provision wants the check \"%.*s\"",
                                    (int)ask->check.len, ask->check.data);
    return TUT_SUCCESS;
}

static tut_status read_asks(tut_schema *s, const tut_yaml_node *node, tut_design *d)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, node, "custodian");
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "custodian"));
    if (list->count > TUT_DESIGN_ASKS_MAX)
        return tut_schema_fail_node(s, list, "at most %d controls can be asked for",
                                    TUT_DESIGN_ASKS_MAX);
    d->custodian = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*d->custodian));
    if (!d->custodian)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        tut_custodian_ask *ask = &d->custodian[d->custodian_count];
        TUT_TRY(tut_schema_read(s, n, ask_fields, TUT_COUNT(ask_fields), ask,
                                "a control that the custodian asks for", "design.custodian"));
        ask->node = n;
        TUT_TRY(check_ask(s, ask));
        d->custodian_count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_design_read(tut_system *system, tut_design *ret_design, tut_buf *ret_shown,
                           tut_error *err)
{
    tut_error local = {0};
    tut_design d = {0};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *node = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "design");
    if (!tut_schema_is_absent(node)) {
        d.is_there = true;
        TUT_TRY(tut_schema_read(&s, node, design_fields, TUT_COUNT(design_fields), &d, "design",
                                "design"));
        TUT_TRY(check_paths(&s, node, &d));
        TUT_TRY(read_asks(&s, node, &d));
    }
    *ret_design = d;
    return TUT_SUCCESS;
}
