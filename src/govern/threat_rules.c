/* Files of rules: YAML through the one schema reader, expressions through the compiler. */
#include <math.h>

#include "assess/catalogue.h"
#include "assets/schema.h"
#include "base/limits.h"
#include "govern/threat_internal.h"
#include "govern/threat_lang.h"

#define SCHEMA_NAME "tutela.threat-rules/1"

extern const unsigned char tut_threat_rules_yaml[];
extern const unsigned char tut_threat_rules_yaml_end[];
extern const unsigned char tut_threat_rules_yaml_sha256[TUT_SHA256_BYTES];

enum { RULES_MAX = 1000, FILES_MAX = 64, MITIGATIONS_MAX = 16, VERSION_MAX = 1000000 };

const char tut_threat_words[] =
    "data_poisoning model_inversion membership_inference indirect_prompt_injection "
    "model_obfuscation adversarial_examples model_extraction supply_chain denial_of_service "
    "data_leakage excessive_agency insecure_output oversight accountability";
const char *const tut_likelihood_names[TUT_THREAT_SCALE] = {"rare", "unlikely", "possible",
                                                            "likely", "frequent"};
const char *const tut_impact_names[TUT_THREAT_SCALE] = {"negligible", "minor", "moderate", "major",
                                                        "severe"};

typedef struct rules_owner {
    tut_system *files[FILES_MAX]; /* only yaml and arena of them are used */
    size_t file_count;
} rules_owner;

typedef struct rules_file {
    tut_str schema, catalogue;
} rules_file;

static const tut_field file_fields[] = {
    TUT_FIELD(TEXT, rules_file, schema, true, NULL),
    TUT_FIELD(TEXT, rules_file, catalogue, false, NULL),
    {"rules", TUT_FIELD_OTHER, 0, 0, true, NULL},
};

static const tut_field rule_fields[] = {
    TUT_FIELD(TEXT, tut_threat_rule, id, true, NULL),
    TUT_FIELD(TEXT, tut_threat_rule, title, true, NULL),
    TUT_FIELD(COUNT, tut_threat_rule, version, false, NULL),
    TUT_FIELD(WORD, tut_threat_rule, threat, true, tut_threat_words),
    TUT_FIELD(TEXTS, tut_threat_rule, atlas, false, NULL),
    TUT_FIELD(TEXTS, tut_threat_rule, llm, false, NULL),
    TUT_FIELD(TEXTS, tut_threat_rule, ml, false, NULL),
    TUT_FIELD(TEXTS, tut_threat_rule, clauses, false, NULL),
    {"on", TUT_FIELD_WORD, offsetof(tut_threat_rule, on_word), 0, true,
     "component flow asset boundary permission system"},
    TUT_FIELD(TEXT, tut_threat_rule, when, true, NULL),
    TUT_FIELD(TEXT, tut_threat_rule, likelihood, true, NULL),
    TUT_FIELD(TEXT, tut_threat_rule, impact, true, NULL),
    TUT_FIELD(TEXT, tut_threat_rule, description, true, NULL),
    TUT_FIELD(TEXT, tut_threat_rule, advice, true, NULL),
    {"mitigations", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field mitigation_fields[] = {
    TUT_FIELD(TEXT, tut_threat_mitigation, control, true, NULL),
    TUT_FIELD(TEXT, tut_threat_mitigation, title, true, NULL),
    TUT_FIELD(TEXT, tut_threat_mitigation, atlas, false, NULL),
    TUT_FIELD(TEXT, tut_threat_mitigation, claimed_by, false, NULL),
    TUT_FIELD(WORD, tut_threat_mitigation, reduces, true, "likelihood impact"),
    TUT_FIELD(COUNT, tut_threat_mitigation, by, true, NULL),
    TUT_FIELD(TEXT, tut_threat_mitigation, proof, true, NULL),
    TUT_FIELD(COUNT, tut_threat_mitigation, max_age, false, NULL),
    {"of", TUT_FIELD_WORD, offsetof(tut_threat_mitigation, of_word), 0, false, "from to holder"},
    TUT_FIELD(TEXT, tut_threat_mitigation, metric, false, NULL),
    TUT_FIELD(REAL, tut_threat_mitigation, at_least, false, NULL),
    TUT_FIELD(REAL, tut_threat_mitigation, at_most, false, NULL),
};

typedef struct reading {
    tut_schema s;
    tut_threat_rules *rules;
    const tut_yaml_node *node; /* of the rule */
} reading;

tut_status tut_threat_rules_new(tut_threat_rules **ret_rules, tut_error *err)
{
    TUT_AUTO(tut_threat_rules) r = tut_alloc_array(1, sizeof(*r));
    if (!r || !(r->owner_ = tut_alloc_array(1, sizeof(rules_owner))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_rules = tut_move(&r);
    return TUT_SUCCESS;
}

void tut_threat_rules_free(tut_threat_rules *r)
{
    if (!r)
        return;
    rules_owner *o = r->owner_;
    for (size_t i = 0; o && i < o->file_count; i++)
        tut_system_free(o->files[i]);
    tut_free(o);
    tut_free(r->items);
    tut_free(r);
}

const tut_threat_rule *tut_threat_rule_find(const tut_threat_rules *r, tut_str id)
{
    for (size_t i = 0; i < r->count; i++)
        if (tut_str_eq(r->items[i].id, id))
            return &r->items[i];
    return NULL;
}

static bool is_id(tut_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return id.len > 0 && id.len <= 64;
}

static tut_status fail_key(reading *g, const tut_yaml_node *node, const char *key, const char *text)
{
    const tut_yaml_node *at = tut_yaml_get(g->s.system->yaml, node, key);
    return tut_schema_fail_node(&g->s, at ? at : node, "%s", text);
}

/* The place in the file, where the value stands in it as it is: not folded over lines. */
static tut_status fail_expression(reading *g, const tut_yaml_node *at, const tut_threat_fault *f)
{
    bool is_plain = at->type == TUT_YAML_SCALAR && at->end - at->start == at->text.len;
    bool is_quoted = at->type == TUT_YAML_SCALAR && at->end - at->start == at->text.len + 2;
    if (!is_plain && !is_quoted)
        return tut_schema_fail_node(&g->s, at, "%s", f->text);
    return tut_schema_fail(&g->s, at->line, at->column + is_quoted + (uint32_t)f->at,
                           (uint32_t)f->width, "%s", f->text);
}

static tut_status compile(reading *g, const tut_yaml_node *node, const tut_threat_rule *r,
                          const char *key, tut_str text, tut_threat_yields yields,
                          tut_threat_code **ret)
{
    tut_threat_fault fault = {0};
    const tut_yaml_node *at = tut_yaml_get(g->s.system->yaml, node, key);
    tut_threat_code *code = tut_arena_take(&g->s.system->arena, 1, sizeof(*code));
    if (!code)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    if (!at || text.len == 0)
        return tut_schema_fail_node(&g->s, g->node, "rule %.*s says nothing for \"%s\"",
                                    (int)r->id.len, r->id.data, key);
    if (!tut_threat_compile(text, r->on, yields, code, &fault))
        return fail_expression(g, at, &fault);
    *ret = code;
    return TUT_SUCCESS;
}

/* --- mitigations --- */

static tut_status check_proof(reading *g, const tut_yaml_node *n, const tut_threat_mitigation *m)
{
    enum { CHECKS_MAX = 256, NAME_MAX_ = 64 };
    const tut_clause *clauses;
    char names[CHECKS_MAX][NAME_MAX_];
    const char *list[CHECKS_MAX];
    size_t count = 0;
    TUT_TRY(tut_catalogue_load(&clauses, g->s.err));
    if (tut_catalogue_find_want(m->proof))
        return TUT_SUCCESS;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < clauses[i].want_count && count < CHECKS_MAX; k++) {
            tut_str_copy(names[count], NAME_MAX_, clauses[i].wants[k].check);
            list[count] = names[count];
            count++;
        }
    const char *near = tut_str_nearest(m->proof, list, count);
    return tut_schema_fail_node(&g->s, tut_yaml_get(g->s.system->yaml, n, "proof"),
                                "no provision wants the check \"%.*s\", so nothing can prove "
                                "it%s%s%s",
                                (int)m->proof.len, m->proof.data, near ? "; did you mean \"" : "",
                                near ? near : "", near ? "\"?" : "");
}

static tut_status settle_mitigation(reading *g, const tut_yaml_node *n, const tut_threat_rule *r,
                                    tut_threat_mitigation *m)
{
    if (!is_id(m->control))
        return fail_key(g, n, "control", "a control is named in small letters, digits and dashes");
    if (m->title.len == 0 || m->reduces.len == 0 || m->proof.len == 0)
        return tut_schema_fail_node(&g->s, n,
                                    "a mitigation has a title, and says what it reduces, "
                                    "by how much, and which check is its proof");
    if (m->by < 1 || m->by > 4)
        return fail_key(g, n, "by", "a mitigation takes off 1 to 4 steps");
    TUT_TRY(check_proof(g, n, m));
    if (m->claimed_by.len)
        TUT_TRY(compile(g, n, r, "claimed_by", m->claimed_by, TUT_THREAT_CONDITION, &m->claim));
    m->reduces_impact = tut_str_eq_z(m->reduces, "impact");
    for (size_t i = TUT_THREAT_SELF; m->of_word.len && i < TUT_THREAT_LINK_COUNT; i++)
        if (tut_str_eq_z(m->of_word, tut_threat_link_names[i]))
            m->of = (tut_threat_link)i;
    if (m->of == TUT_THREAT_SELF && r->on == TUT_THREAT_ON_FLOW)
        m->of = TUT_THREAT_TO;
    if (m->of == TUT_THREAT_SELF && r->on == TUT_THREAT_ON_PERMISSION)
        m->of = TUT_THREAT_HOLDER;
    if (tut_threat_reached(r->on, m->of) == TUT_THREAT_ON_COUNT)
        return fail_key(g, n, "of", "this kind of element has no such end");
    if ((m->metric.len > 0) != !(isnan(m->at_least) && isnan(m->at_most)))
        return fail_key(g, n, "metric", "a metric goes with at_least or at_most, and they with it");
    return TUT_SUCCESS;
}

static tut_status read_mitigations(reading *g, tut_threat_rule *r)
{
    const tut_yaml *y = g->s.system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, g->node, "mitigations");
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(&g->s, list, "mitigations"));
    if (list->count > MITIGATIONS_MAX)
        return tut_schema_fail_node(&g->s, list, "a rule has at most %d mitigations",
                                    MITIGATIONS_MAX);
    r->mitigations = tut_arena_take(&g->s.system->arena, list->count + 1u, sizeof(*r->mitigations));
    if (!r->mitigations)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        tut_threat_mitigation *m = &r->mitigations[r->mitigation_count];
        m->at_least = m->at_most = NAN;
        TUT_TRY(tut_schema_read(&g->s, n, mitigation_fields, TUT_COUNT(mitigation_fields), m,
                                "a mitigation", "mitigations"));
        TUT_TRY(settle_mitigation(g, n, r, m));
        r->mitigation_count++;
    }
    return TUT_SUCCESS;
}

/* --- one rule --- */

static tut_status check_lists(reading *g, const tut_threat_rule *r)
{
    for (size_t i = 0; i < r->atlas.count; i++)
        if (!tut_str_starts(r->atlas.items[i], TUT_LIT("AML.T")))
            return fail_key(g, g->node, "atlas", "techniques of ATLAS look like AML.T0051.001");
    for (size_t i = 0; i < r->llm.count; i++)
        if (!tut_str_starts(r->llm.items[i], TUT_LIT("LLM")) ||
            !memchr(r->llm.items[i].data, ':', r->llm.items[i].len))
            return fail_key(g, g->node, "llm",
                            "entries of the OWASP list carry its year: LLM01:2025");
    for (size_t i = 0; i < r->clauses.count; i++)
        if (!tut_catalogue_find(r->clauses.items[i]))
            return fail_key(g, g->node, "clauses", "no such provision; they look like 5.2.4-1.2");
    return TUT_SUCCESS;
}

static tut_status settle_rule(reading *g, tut_threat_rule *r)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, g->s.err));
    if (!is_id(r->id))
        return fail_key(g, g->node, "id",
                        "a rule is named in small letters, digits and dashes, at most 64");
    if (tut_threat_rule_find(g->rules, r->id))
        return fail_key(g, g->node, "id", "another rule has this name");
    if (r->version == 0)
        r->version = 1;
    if (r->version > VERSION_MAX)
        return fail_key(g, g->node, "version", "a version counts from 1");
    if (!r->title.len || !r->threat.len || !r->on_word.len || !r->description.len || !r->advice.len)
        return tut_schema_fail_node(&g->s, g->node,
                                    "rule %.*s has no title, threat, on, description or advice",
                                    (int)r->id.len, r->id.data);
    for (size_t i = 0; i < TUT_THREAT_ON_COUNT; i++)
        if (tut_str_eq_z(r->on_word, tut_threat_on_names[i]))
            r->on = (tut_threat_on)i;
    TUT_TRY(check_lists(g, r));
    TUT_TRY(compile(g, g->node, r, "when", r->when, TUT_THREAT_CONDITION, &r->condition));
    TUT_TRY(compile(g, g->node, r, "likelihood", r->likelihood, TUT_THREAT_LIKELIHOOD,
                    &r->likelihood_code));
    TUT_TRY(compile(g, g->node, r, "impact", r->impact, TUT_THREAT_IMPACT, &r->impact_code));
    return read_mitigations(g, r);
}

static tut_status read_rules(reading *g, const tut_yaml_node *list, bool is_shipped)
{
    const tut_yaml *y = g->s.system->yaml;
    tut_threat_rules *all = g->rules;
    TUT_TRY(tut_schema_sequence(&g->s, list, "rules"));
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        if (all->count == RULES_MAX)
            return tut_schema_fail_node(&g->s, n, "there are at most %d rules", RULES_MAX);
        TUT_TRY(tut_grow(&all->items, all->count, &all->capacity, sizeof(*all->items)));
        tut_threat_rule r = {.is_shipped = is_shipped};
        g->node = n;
        TUT_TRY(
            tut_schema_read(&g->s, n, rule_fields, TUT_COUNT(rule_fields), &r, "a rule", "rules"));
        TUT_TRY(settle_rule(g, &r));
        all->items[all->count++] = r;
    }
    return TUT_SUCCESS;
}

static tut_status read_file(reading *g, bool is_shipped)
{
    const tut_yaml *y = g->s.system->yaml;
    const tut_yaml_node *root = tut_yaml_root(y);
    rules_file f = {.schema = {"", 0}};
    if (!root)
        return tut_schema_fail(&g->s, 1, 1, 1, "the file is empty");
    TUT_TRY(tut_schema_read(&g->s, root, file_fields, TUT_COUNT(file_fields), &f, "a file of rules",
                            ""));
    if (!tut_str_eq_z(f.schema, SCHEMA_NAME))
        return tut_schema_fail_node(&g->s, root,
                                    "the first line must be \"schema: " SCHEMA_NAME "\"");
    const tut_yaml_node *list = tut_yaml_get(y, root, "rules");
    if (tut_schema_is_absent(list))
        return tut_schema_fail_node(&g->s, root, "there are no rules in it");
    if (is_shipped)
        g->rules->catalogue = f.catalogue;
    return read_rules(g, list, is_shipped);
}

/* The digest of all rules goes on from that of the files before. */
static tut_status digest_file(tut_threat_rules *r, tut_str text, tut_error *err)
{
    TUT_CLEAN(tut_buf) both = TUT_BUF_INIT;
    tut_buf_add(&both, r->digest.bytes, sizeof(r->digest.bytes));
    tut_buf_add_str(&both, text);
    TUT_TRY(tut_buf_check(&both, err));
    return tut_sha256_of(tut_buf_span(&both), &r->digest, err);
}

static tut_status add(tut_threat_rules *r, const char *file, tut_str text, bool is_caged,
                      bool is_shipped, tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    rules_owner *o = r->owner_;
    if (o->file_count == FILES_MAX)
        return tut_fail(err, TUT_LIMIT, "there are at most %d files of rules", FILES_MAX);
    if (text.len > TUT_LIMIT_RULE_FILE_BYTES)
        return tut_fail(err, TUT_LIMIT, "%s: a file of rules has at most %u bytes", file,
                        TUT_LIMIT_RULE_FILE_BYTES);
    tut_system *holder = tut_alloc_array(1, sizeof(*holder));
    if (!holder)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    o->files[o->file_count++] = holder;
    tut_arena_init(&holder->arena, 0);
    reading g = {
        .s = {.file = file, .system = holder, .shown = ret_shown, .err = err ? err : &local},
        .rules = r};
    tut_status parsed = is_caged ? tut_yaml_parse_caged(text, &holder->yaml, g.s.err)
                                 : tut_yaml_parse(text, false, &holder->yaml, g.s.err);
    if (!tut_is_ok(parsed)) {
        tut_schema_tell_yaml(file, text, g.s.err, ret_shown);
        return parsed;
    }
    TUT_TRY(read_file(&g, is_shipped));
    return digest_file(r, text, err);
}

tut_status tut_threat_rules_add(tut_threat_rules *r, const char *file, tut_str text, bool is_caged,
                                tut_buf *ret_shown, tut_error *err)
{
    return add(r, file, text, is_caged, false, ret_shown, err);
}

tut_status tut_threat_rules_add_shipped(tut_threat_rules *r, tut_error *err)
{
    uintptr_t len = (uintptr_t)tut_threat_rules_yaml_end - (uintptr_t)tut_threat_rules_yaml;
    tut_span text = tut_span_of(tut_threat_rules_yaml, len);
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(text, &digest, err));
    if (memcmp(digest.bytes, tut_threat_rules_yaml_sha256, sizeof(digest.bytes)) != 0)
        return tut_fail(err, TUT_BUG,
                        "the built-in threat rules are not those that this program was built with");
    return add(r, "threat_rules.yaml", tut_str_from(text), false, true, NULL, err);
}
