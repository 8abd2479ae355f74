/* The embedded catalogue, parsed once and checked: a build whose data is damaged says so (BUG). */
#include "assess/catalogue_internal.h"
#include "formats/format.h"

extern const unsigned char tut_catalogue_json[];
extern const unsigned char tut_catalogue_json_end[];
extern const unsigned char tut_catalogue_json_sha256[TUT_SHA256_BYTES];

const char *const tut_role_names[TUT_ROLE_COUNT] = {
    "Developer", "System Operator", "Data Custodian", "End-user", "Affected Entity"};
/* In the order of TUT_PERSON_DEVELOPER and so on: a bit set of these is one of people's roles. */
const char *const tut_signer_role_names[TUT_PERSON_ROLE_COUNT] = {
    "Developer", "System Operator", "Data Custodian", "approver",
    "trainer",   "tester",          "auditor",        "root"};
const char *const tut_threat_names[TUT_THREAT_COUNT] = {
    "data_poisoning",       "model_inversion",
    "membership_inference", "indirect_prompt_injection",
    "model_obfuscation",    "adversarial_examples",
};
const char *const tut_threat_atlas[TUT_THREAT_COUNT] = {
    "AML.T0020",     /* Poison Training Data */
    "AML.T0024.001", /* Invert AI Model */
    "AML.T0024.000", /* Infer Training Data Membership */
    "AML.T0051.001", /* LLM Prompt Injection: Indirect */
    "AML.T0018",     /* Manipulate AI Model */
    "AML.T0043",     /* Craft Adversarial Data */
};
const char *const tut_attribute_names[TUT_ATTRIBUTE_COUNT] = {
    "security",        "confidentiality", "integrity",      "availability",
    "robustness",      "traceability",    "accountability", "auditability",
    "maintainability", "recoverability",  "resilience",     "transparency",
};
const char *const tut_seed_titles[TUT_PRINCIPLES] = {
    "Security training",
    "Security by design",
    "Audit trails",
    "Threats and oversight",
    "Asset inventory",
    "Versions, authenticity",
    "Disaster recovery",
    "Data and input protection",
    "Supply chain, incidents",
    "End-user communication",
    "Timely updates",
    "Monitoring",
    "Decommissioning",
};
const char *const tut_principle_titles[TUT_PRINCIPLES] = {
    "Awareness and training",
    "Secure design",
    "Threats and risks",
    "Human oversight",
    "Assets",
    "Infrastructure",
    "Supply chain",
    "Documentation",
    "Testing and evaluation",
    "End-user communication",
    "Updates",
    "Monitoring",
    "Disposal",
};

static const char *const phase_names[TUT_PHASE_COUNT] = {"design", "development", "deployment",
                                                         "maintenance", "end_of_life"};
static const char *const modality_names[] = {"shall", "should", "can"};
static const char *const scope_names[] = {"system",         "organisation",    "every-asset",
                                          "every-external", "every-sensitive", "every-shared",
                                          "document"};
static const char *const method_names[] = {"TEST", "EXAMINE", "INTERVIEW"};

const char *tut_scope_name(tut_scope s)
{
    return scope_names[s];
}

/* Everything that parsing needs and that lives as long as the program. */
static struct {
    bool is_loaded;
    tut_json_doc *doc;
    tut_arena arena;
    tut_framework frameworks[TUT_FRAMEWORK_COUNT];
    tut_clause clauses[TUT_CLAUSE_COUNT];
} catalogue;

static tut_span embedded(void)
{
    return tut_span_of(tut_catalogue_json, (size_t)(tut_catalogue_json_end - tut_catalogue_json));
}

tut_status tut_catalogue_damaged(tut_error *err, tut_str where, const char *what)
{
    return tut_fail(err, TUT_BUG, "the built-in catalogue is damaged: %s of \"%.*s\"", what,
                    (int)(where.len < 40 ? where.len : 40), where.data ? where.data : "");
}

static bool word_index(tut_str word, const char *const *words, size_t count, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (tut_str_eq_z(word, words[i])) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* An array of words as a bit set over `words`. */
static bool bit_set(const tut_json_value *list, const char *const *words, size_t count,
                    uint32_t *ret_bits)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        size_t at;
        if (!word_index(tut_json_text(tut_json_item(list, i)), words, count, &at))
            return false;
        bits |= 1u << at;
    }
    *ret_bits = bits;
    return true;
}

static bool kind_set(const tut_json_value *list, uint32_t *ret_bits)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        char name[16];
        tut_asset_kind kind;
        tut_str_copy(name, sizeof(name), tut_json_text(tut_json_item(list, i)));
        if (!tut_asset_kind_parse(name, &kind))
            return false;
        bits |= 1u << kind;
    }
    *ret_bits = bits;
    return true;
}

/* Views of the strings of an array; they borrow from the document. */
static tut_status str_list(const tut_json_value *list, const tut_str **ret_items, size_t *ret_count,
                           tut_error *err)
{
    uint32_t count = tut_json_count(list);
    tut_str *items = tut_arena_take(&catalogue.arena, count ? count : 1, sizeof(*items));
    if (!items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++)
        items[i] = tut_json_text(tut_json_item(list, i));
    *ret_items = items;
    *ret_count = count;
    return TUT_SUCCESS;
}

static tut_status read_want(tut_str id, const tut_json_value *v, tut_want *w, tut_error *err)
{
    size_t scope;
    size_t method;
    w->check = tut_json_get_text(v, "check");
    w->least = tut_json_get_text(v, "least");
    w->what = tut_json_get_text(v, "what");
    w->command = tut_json_get_text(v, "command");
    w->is_available = tut_json_get_bool(v, "available", false);
    w->may_not_apply = tut_json_get_bool(v, "may_not_apply", false);
    int64_t days = tut_json_get_int(v, "max_age_days", 0);
    int64_t signers = tut_json_get_int(v, "signers", 0);
    if (w->check.len == 0 || w->what.len == 0 || w->command.len == 0)
        return tut_catalogue_damaged(err, id, "an incomplete want");
    if (!word_index(tut_json_get_text(v, "scope"), scope_names,
                    sizeof(scope_names) / sizeof(scope_names[0]), &scope) ||
        !word_index(tut_json_get_text(v, "method"), method_names, 3, &method) ||
        !kind_set(tut_json_get(v, "kinds"), &w->kinds) ||
        !bit_set(tut_json_get(v, "signer_roles"), tut_signer_role_names, TUT_PERSON_ROLE_COUNT,
                 &w->signer_roles))
        return tut_catalogue_damaged(err, id, "an unknown word in a want");
    if (days < 1 || days > 3660 || signers < 0 || signers > 9)
        return tut_catalogue_damaged(err, id, "a number out of range in a want");
    w->scope = (tut_scope)scope;
    w->method = (tut_method)method;
    w->max_age_days = (uint32_t)days;
    w->signers = (uint32_t)signers;
    w->is_none_fine = tut_json_get_bool(v, "none_is_fine", false);
    w->is_each_role = tut_json_get_bool(v, "each_role", false);
    return str_list(tut_json_get(v, "covers"), &w->covers, &w->covers_count, err);
}

static tut_status read_wants(const tut_json_value *v, tut_clause *c, tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, "wants");
    uint32_t count = tut_json_count(list);
    if (count == 0)
        return tut_catalogue_damaged(err, c->id, "no control row");
    tut_want *wants = tut_arena_take(&catalogue.arena, count, sizeof(*wants));
    if (!wants)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_want(c->id, tut_json_item(list, i), &wants[i], err));
    c->wants = wants;
    c->want_count = count;
    return TUT_SUCCESS;
}

static tut_status read_clause(const tut_json_value *v, tut_clause *c, tut_error *err)
{
    size_t phase;
    size_t modality;
    c->id = tut_json_get_text(v, "id");
    c->uk_id = tut_json_get_text(v, "uk_id");
    c->summary = tut_json_get_text(v, "summary");
    c->applies_when = tut_json_get_text(v, "applies_when");
    c->evidence_kind = tut_json_get_text(v, "evidence_kind");
    c->is_gate = tut_json_get_bool(v, "gate", false);
    int64_t principle = tut_json_get_int(v, "principle", 0);
    int64_t seed = tut_json_get_int(v, "seed", 0);
    if (c->id.len == 0 || c->uk_id.len == 0 || c->summary.len == 0 || c->evidence_kind.len == 0)
        return tut_catalogue_damaged(err, c->id, "a blank field");
    if (principle < 1 || principle > TUT_PRINCIPLES || seed < 1 || seed > TUT_PRINCIPLES)
        return tut_catalogue_damaged(err, c->id, "a principle out of range");
    if (!word_index(tut_json_get_text(v, "phase"), phase_names, TUT_PHASE_COUNT, &phase) ||
        !word_index(tut_json_get_text(v, "modality"), modality_names, 3, &modality) ||
        !bit_set(tut_json_get(v, "roles"), tut_role_names, TUT_ROLE_COUNT, &c->roles) ||
        !bit_set(tut_json_get(v, "serves"), tut_role_names, TUT_ROLE_COUNT, &c->serves) ||
        !bit_set(tut_json_get(v, "threats"), tut_threat_names, TUT_THREAT_COUNT, &c->threats) ||
        !bit_set(tut_json_get(v, "attributes"), tut_attribute_names, TUT_ATTRIBUTE_COUNT,
                 &c->attributes))
        return tut_catalogue_damaged(err, c->id, "an unknown word");
    if (c->roles == 0 || c->attributes == 0)
        return tut_catalogue_damaged(err, c->id, "an empty list");
    c->principle = (uint8_t)principle;
    c->seed = (uint8_t)seed;
    c->phase = (tut_phase)phase;
    c->modality = (tut_modality)modality;
    TUT_TRY(str_list(tut_json_get(v, "secondary"), &c->secondary, &c->secondary_count, err));
    TUT_TRY(str_list(tut_json_get(v, "contradicted_by"), &c->contradicted_by,
                     &c->contradicted_count, err));
    TUT_TRY(tut_crosswalk_read(&catalogue.arena, tut_json_get(v, "crosswalk"), catalogue.frameworks,
                               c, err));
    return read_wants(v, c, err);
}

static tut_status read_all(tut_error *err)
{
    const tut_json_value *root = tut_json_root(catalogue.doc);
    const tut_json_value *list = tut_json_get(root, "provisions");
    TUT_TRY(tut_frameworks_read(&catalogue.arena, tut_json_get(root, "frameworks"),
                                catalogue.frameworks, err));
    if (tut_json_count(list) != TUT_CLAUSE_COUNT)
        return tut_catalogue_damaged(err, TUT_LIT("provisions"), "the number");
    for (uint32_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        tut_clause *c = &catalogue.clauses[i];
        TUT_TRY(read_clause(tut_json_item(list, i), c, err));
        for (uint32_t k = 0; k < i; k++)
            if (tut_str_eq(c->id, catalogue.clauses[k].id))
                return tut_catalogue_damaged(err, c->id, "a second row");
    }
    return TUT_SUCCESS;
}

tut_status tut_catalogue_load(const tut_clause **ret_clauses, tut_error *err)
{
    if (!catalogue.is_loaded) {
        tut_arena_init(&catalogue.arena, 0);
        tut_status status = tut_json_parse(embedded(), NULL, &catalogue.doc, err);
        if (tut_is_ok(status))
            status = read_all(err);
        if (!tut_is_ok(status)) {
            tut_json_doc_free(tut_move(&catalogue.doc));
            tut_arena_done(&catalogue.arena);
            return status;
        }
        catalogue.is_loaded = true;
    }
    *ret_clauses = catalogue.clauses;
    return TUT_SUCCESS;
}

const tut_clause *tut_catalogue_find(tut_str id)
{
    const tut_clause *clauses;
    if (!tut_is_ok(tut_catalogue_load(&clauses, NULL)))
        return NULL;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (tut_str_eq(clauses[i].id, id))
            return &clauses[i];
    return NULL;
}

const tut_want *tut_catalogue_find_want(tut_str check)
{
    const tut_clause *clauses;
    if (!tut_is_ok(tut_catalogue_load(&clauses, NULL)))
        return NULL;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < clauses[i].want_count; k++)
            if (tut_str_eq(clauses[i].wants[k].check, check))
                return &clauses[i].wants[k];
    return NULL;
}

const tut_framework *tut_catalogue_frameworks(void)
{
    return catalogue.frameworks;
}

tut_status tut_catalogue_digest(tut_sha256 *ret_digest, tut_error *err)
{
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(embedded(), &digest, err));
    if (memcmp(digest.bytes, tut_catalogue_json_sha256, sizeof(digest.bytes)) != 0)
        return tut_fail(err, TUT_BUG,
                        "the built-in catalogue is not the one that this program was built with");
    *ret_digest = digest;
    return TUT_SUCCESS;
}
