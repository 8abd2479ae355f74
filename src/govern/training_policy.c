#include "assets/schema.h"
#include "govern/training.h"

static const tut_field training_fields[] = {
    TUT_FIELD(TEXT, tut_training_policy, modules, false, NULL),
    TUT_FIELD(TEXT, tut_training_policy, curriculum, false, NULL),
    TUT_FIELD(COUNT, tut_training_policy, valid_days, false, NULL),
    TUT_FIELD(COUNT, tut_training_policy, grace_days, false, NULL),
    TUT_FIELD(TEXT, tut_training_policy, threat_catalogue, false, NULL),
    TUT_FIELD(TEXT, tut_training_policy, secure_coding, false, NULL),
    TUT_FIELD(TEXTS, tut_training_policy, machines, false, NULL),
    {"assign", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"authors", TUT_FIELD_OTHER, 0, 0, false, NULL},
    /* of bulletins and concerns, whose own engines read them */
    {"channels", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"people", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"bulletins", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"concerns", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"read_days", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"triage_days", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static tut_status nomem(tut_schema *s)
{
    return tut_fail(s->err, TUT_NOMEM, "memory ran out");
}

static tut_status read_assign(tut_schema *s, const tut_yaml_node *map, tut_training_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(map))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, map, "assign"));
    p->assign = tut_arena_take(&s->system->arena, map->count + 1u, sizeof(*p->assign));
    if (!p->assign)
        return nomem(s);
    for (const tut_yaml_node *n = tut_yaml_first(y, map); n; n = tut_yaml_next(y, n)) {
        tut_training_assignment *a = &p->assign[p->assign_count];
        a->role = tut_training_role(n->key);
        if (!a->role)
            return tut_schema_fail(s, n->key_line, n->key_column, (uint32_t)n->key.len,
                                   "\"%.*s\" is no role; they are: everyone developer operator "
                                   "custodian approver trainer tester auditor root",
                                   (int)n->key.len, n->key.data);
        if (!tut_schema_is_absent(n))
            TUT_TRY(tut_schema_texts(s, n, "assign", "training.assign", &a->words));
        p->assign_count++;
    }
    return TUT_SUCCESS;
}

static tut_status read_authors(tut_schema *s, const tut_yaml_node *map, tut_training_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(map))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, map, "authors"));
    p->authors = tut_arena_take(&s->system->arena, map->count + 1u, sizeof(*p->authors));
    if (!p->authors)
        return nomem(s);
    for (const tut_yaml_node *n = tut_yaml_first(y, map); n; n = tut_yaml_next(y, n)) {
        if (n->type != TUT_YAML_SCALAR || tut_schema_is_absent(n))
            return tut_schema_fail_node(s, n, "says which enrolled person this author is");
        p->authors[p->author_count++] = (tut_training_author){n->key, n->text};
    }
    return TUT_SUCCESS;
}

static tut_status check(tut_schema *s, const tut_yaml_node *training, const tut_training_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const struct {
        const char *key;
        tut_str path;
    } paths[] = {{"modules", p->modules}, {"curriculum", p->curriculum}};
    for (size_t i = 0; i < TUT_COUNT(paths); i++)
        if (paths[i].path.len && !tut_system_path_is_below(paths[i].path))
            return tut_schema_fail_node(s, tut_yaml_get(y, training, paths[i].key),
                                        "%s lies below the folder of tutela.yaml", paths[i].key);
    if (p->valid_days < 1 || p->valid_days > 3660)
        return tut_schema_fail_node(s, tut_yaml_get(y, training, "valid_days"),
                                    "valid_days is a number of days, from 1 to 3660");
    if (p->grace_days > 366)
        return tut_schema_fail_node(s, tut_yaml_get(y, training, "grace_days"),
                                    "grace_days is a number of days, at most 366");
    for (size_t i = 0; i < p->threat_catalogue.len; i++)
        if (!memchr("0123456789.", p->threat_catalogue.data[i], 11))
            return tut_schema_fail_node(s, tut_yaml_get(y, training, "threat_catalogue"),
                                        "threat_catalogue is a version such as 5.6.0");
    return TUT_SUCCESS;
}

tut_status tut_training_policy_read(tut_system *system, tut_training_policy *ret_policy,
                                    tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    tut_training_policy p = {
        .valid_days = 365, .grace_days = 30, .secure_coding = TUT_LIT("practice-secure-coding")};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *n = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "training");
    if (!tut_schema_is_absent(n)) {
        p.node = n;
        TUT_TRY(tut_schema_read(&s, n, training_fields, TUT_COUNT(training_fields), &p, "training",
                                "training"));
        TUT_TRY(read_assign(&s, tut_yaml_get(system->yaml, n, "assign"), &p));
        TUT_TRY(read_authors(&s, tut_yaml_get(system->yaml, n, "authors"), &p));
        TUT_TRY(check(&s, n, &p));
    }
    /* Nobody turns the catalogue back below what this program knows. */
    if (tut_training_version_cmp(p.threat_catalogue, TUT_LIT(TUT_TRAINING_CATALOGUE)) < 0)
        p.threat_catalogue = TUT_LIT(TUT_TRAINING_CATALOGUE);
    *ret_policy = p;
    return TUT_SUCCESS;
}

static uint32_t next_number(tut_str *s)
{
    uint32_t v = 0;
    while (s->len > 0 && s->data[0] >= '0' && s->data[0] <= '9') {
        v = v < 100000000 ? v * 10 + (uint32_t)(s->data[0] - '0') : v;
        *s = (tut_str){s->data + 1, s->len - 1};
    }
    if (s->len > 0)
        *s = (tut_str){s->data + 1, s->len - 1};
    return v;
}

int tut_training_version_cmp(tut_str a, tut_str b)
{
    while (a.len > 0 || b.len > 0) {
        uint32_t x = next_number(&a), y = next_number(&b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}
