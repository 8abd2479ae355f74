/* abuse: of the whole policy or of a client. A word says what is done; the default is to say so. */
#include <math.h>
#include <stdlib.h>

#include "guard/policy_fields.h"

typedef struct kind_row {
    const char *name;
    double threshold, least, most;
} kind_row;

/* What abuse.h says the thresholds count, and docs/guard.md how often honest traffic reaches them.
 */
static const kind_row rows[TUT_ABUSE_COUNT] = {
    {"extraction", 20, 2, 60},
    {"probing", 8, 2, 60},
    {"membership", 10, 2, 60},
    {"spending", 8, 3, 1000},
};

static const char *const actions[TUT_ABUSE_ACTION_COUNT] = {"allow",   "flag", "slow",
                                                            "coarsen", "hold", "block"};
#define ACTIONS "allow flag slow coarsen hold block"

const char *tut_abuse_kind_name(tut_abuse_kind kind)
{
    return rows[kind].name;
}

const char *tut_abuse_action_name(tut_abuse_action action)
{
    return actions[action];
}

typedef struct abuse_words {
    tut_str action, threshold;
} abuse_words;

static const tut_field abuse_fields[] = {
    {"action", TUT_FIELD_WORD, offsetof(abuse_words, action), 0, false, ACTIONS},
    TUT_FIELD(TEXT, abuse_words, threshold, false, NULL),
};

static bool number_of(tut_str text, const kind_row *row, double *ret)
{
    char copy[32];
    char *end = NULL;
    if (text.len == 0 || text.len >= sizeof(copy) || text.data[0] < '0' || text.data[0] > '9')
        return false;
    tut_str_copy(copy, sizeof(copy), text);
    double v = strtod(copy, &end);
    if (*end || !isfinite(v) || v < row->least || v > row->most)
        return false;
    *ret = v;
    return true;
}

static tut_status read_one(tut_schema *s, const tut_yaml_node *node, const kind_row *row,
                           tut_abuse_setting *setting)
{
    abuse_words words = {0};
    if (node->type == TUT_YAML_SCALAR)
        words.action = node->text;
    else
        TUT_TRY(tut_schema_read(s, node, abuse_fields, TUT_COUNT(abuse_fields), &words, row->name,
                                "guard.abuse"));
    if (words.action.len) {
        unsigned a = 0;
        while (a < TUT_ABUSE_ACTION_COUNT && !tut_str_eq_z(words.action, actions[a]))
            a++;
        if (a == TUT_ABUSE_ACTION_COUNT)
            return tut_schema_fail_node(s, node, "%s can be answered by: %s", row->name, ACTIONS);
        setting->action = (tut_abuse_action)a;
    }
    if (words.threshold.len && !number_of(words.threshold, row, &setting->threshold))
        return tut_schema_fail_node(s, node, "the threshold of %s is a number from %g to %g",
                                    row->name, row->least, row->most);
    return TUT_SUCCESS;
}

tut_status tut_guard_read_abuse(tut_schema *s, const tut_yaml_node *node,
                                tut_abuse_setting *settings, const char *where)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, node, "abuse"));
    for (const tut_yaml_node *n = tut_yaml_first(y, node); n; n = tut_yaml_next(y, n)) {
        size_t i = 0;
        while (i < TUT_ABUSE_COUNT && !tut_str_eq_z(n->key, rows[i].name))
            i++;
        if (i == TUT_ABUSE_COUNT)
            return tut_schema_fail(s, n->key_line, n->key_column, (uint32_t)n->key.len,
                                   "unknown kind \"%.*s\" in %s; one of: extraction probing "
                                   "membership spending",
                                   (int)n->key.len, n->key.data, where);
        TUT_TRY(read_one(s, n, &rows[i], &settings[i]));
    }
    return TUT_SUCCESS;
}

void tut_guard_default_abuse(tut_abuse_setting *settings, const tut_abuse_setting *above)
{
    for (size_t i = 0; i < TUT_ABUSE_COUNT; i++)
        settings[i] = above ? above[i] : (tut_abuse_setting){TUT_ABUSE_FLAG, rows[i].threshold};
}
