/* Risk tracking: what both know becomes a treatment; what a wildcard or another rule names is
 * listed. A status that somebody typed proves nothing, so none of these takes anything off. */
#include <string.h>

#include "govern/threagile_internal.h"

enum { PARTS_MAX = 4 };

typedef struct rule_row {
    const char *category, *rule;
    size_t part;
    bool is_flow;
} rule_row;
static const rule_row rules[] = {
#define THREAGILE_KIND(theirs, ours)
#define THREAGILE_AUTH(theirs, ours)
#define THREAGILE_PROTOCOL(theirs, ours)
#define THREAGILE_SENSITIVITY(theirs, ours)
#define THREAGILE_TREATMENT(theirs, ours)
#define THREAGILE_RULE(category, rule, part, is_flow) {category, rule, part, is_flow},
#include "govern/threagile_words.def"
#undef THREAGILE_RULE
#undef THREAGILE_TREATMENT
#define THREAGILE_RULE(category, rule, part, is_flow)
};
static const struct {
    const char *status, *treatment;
} treatments[] = {
#define THREAGILE_TREATMENT(status, treatment) {status, treatment},
#include "govern/threagile_words.def"
};

static const rule_row *rule_of(tut_str category)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (tut_str_eq_z(category, rules[i].category))
            return &rules[i];
    return NULL;
}

/* "category@a@b": the parts behind the category. */
static size_t split(tut_str key, tut_str *ret_category, tut_str parts[PARTS_MAX])
{
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= key.len; i++) {
        if (i < key.len && key.data[i] != '@')
            continue;
        tut_str part = {key.data + from, i - from};
        if (from == 0)
            *ret_category = part;
        else if (count < PARTS_MAX)
            parts[count++] = part;
        from = i + 1;
    }
    return count;
}

/* What it is called here; empty where the model has nothing of that name. */
static tut_str element_of(const tut_threagile_reading *g, const rule_row *row, tut_str part)
{
    size_t at = tut_map_get(row->is_flow ? &g->links : &g->components, part);
    if (at == SIZE_MAX)
        return (tut_str){"", 0};
    return row->is_flow ? tut_str_of(g->names[at]) : part;
}

static tut_status add_note_text(tut_threagile_reading *g, const tut_yaml_node *map, tut_str status,
                                tut_buf *out)
{
    static const char *const keys[] = {"justification", "ticket", "date"};
    tut_buf_printf(out, "Threagile: %.*s", (int)status.len, status.data);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        tut_str text;
        TUT_TRY(tut_threagile_text(g, map, keys[i], &text));
        if (text.len)
            tut_buf_printf(out, "; %s%.*s", i == 1 ? "ticket " : "", (int)text.len, text.data);
    }
    return tut_buf_check(out, g->s.err);
}

static tut_status add_treatment(tut_threagile_reading *g, const tut_yaml_node *map,
                                const rule_row *row, tut_str element, const char *treatment,
                                tut_str status)
{
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) risk = TUT_BUF_INIT;
    tut_buf *out = &g->t->treatments;
    tut_str by;
    TUT_TRY(tut_threagile_text(g, map, "checked_by", &by));
    TUT_TRY(add_note_text(g, map, status, &note));
    tut_buf_printf(&risk, "%s@%.*s", row->rule, (int)element.len, element.data);
    tut_buf_add_z(out, "    - risk: ");
    tut_yaml_quote(out, tut_buf_str(&risk));
    tut_buf_printf(out, "\n      treatment: %s\n", treatment);
    if (by.len) {
        tut_buf_add_z(out, "      by: ");
        tut_yaml_quote(out, by);
        tut_buf_add_z(out, "\n");
    }
    tut_buf_add_z(out, "      note: ");
    tut_yaml_quote(out, tut_buf_str(&note));
    tut_buf_add_z(out, "\n");
    g->t->treatment_count++;
    return TUT_SUCCESS;
}

static tut_status skip(tut_threagile_reading *g, tut_str what, const char *why, tut_str key)
{
    return tut_threagile_note_that(g, TUT_THREAGILE_TRACKING, what, why, key);
}

static tut_status read_tracking(tut_threagile_reading *g, const tut_yaml_node *entry,
                                const tut_yaml_node *map)
{
    tut_str category = {"", 0}, element = {"", 0}, parts[PARTS_MAX], status;
    size_t count = split(entry->key, &category, parts);
    const char *treatment = NULL;
    TUT_TRY(tut_threagile_fields(g, TUT_THREAGILE_TRACKING, map, entry->key));
    TUT_TRY(tut_threagile_text(g, map, "status", &status));
    for (size_t i = 0; i < sizeof(treatments) / sizeof(treatments[0]); i++)
        if (tut_str_eq_z(status, treatments[i].status))
            treatment = treatments[i].treatment;
    if (!treatment)
        return tut_schema_fail_node(&g->s, map, "status \"%.*s\" is none of Threagile's",
                                    (int)(status.len < 60 ? status.len : 60), status.data);
    const rule_row *row = rule_of(category);
    if (!row)
        return skip(g, category, "no rule here is about the same: its status is left behind",
                    entry->key);
    if (memchr(entry->key.data, '*', entry->key.len))
        return skip(g, category, "it names many risks by \"*\": a treatment here is of one",
                    entry->key);
    if (!*treatment)
        return skip(g, status, "it decides nothing about the risk", entry->key);
    if (row->part < count)
        element = element_of(g, row, parts[row->part]);
    if (element.len == 0)
        return skip(g, category, "it is about something that the model does not have", entry->key);
    return add_treatment(g, map, row, element, treatment, status);
}

tut_status tut_threagile_tracking(tut_threagile_reading *g, const tut_yaml_node *root)
{
    const tut_yaml_node *section;
    TUT_TRY(tut_threagile_section(g, root, "risk_tracking", &section));
    for (const tut_yaml_node *n = section ? tut_yaml_first(g->y, section) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *map = tut_threagile_follow(g, n);
        if (!map || map->type != TUT_YAML_MAPPING)
            return tut_schema_fail_node(&g->s, n, "an entry of risk_tracking is a mapping");
        TUT_TRY(read_tracking(g, n, map));
    }
    return TUT_SUCCESS;
}
