/*
 * The threat model of a described system: elements with typed attributes, rules about them, and
 * the risks that the rules find. docs/threats.md.
 *
 * A risk is one rule at one element, `rule@element`, so its name stays the same from run to run.
 * Inherent risk is what the rule says; residual risk is what is left when each mitigation whose
 * proof counts today took off what it takes off. Nothing that is only claimed takes anything off.
 *
 * Method: the shape of Threagile (elements, categories, likelihood and impact), the one-line
 * conditions of OWASP pytm, and evidence in place of a status that somebody types.
 */
#ifndef TUT_GOVERN_THREAT_H
#define TUT_GOVERN_THREAT_H

#include "assess/assessment.h"
#include "assess/proof.h"

/* --- elements --- */

typedef enum tut_threat_on {
    TUT_THREAT_ON_COMPONENT,
    TUT_THREAT_ON_FLOW,
    TUT_THREAT_ON_ASSET,
    TUT_THREAT_ON_BOUNDARY,
    TUT_THREAT_ON_PERMISSION, /* what an agent may call, what a client of the guard may reach */
    TUT_THREAT_ON_SYSTEM,
    TUT_THREAT_ON_COUNT
} tut_threat_on;
extern const char *const tut_threat_on_names[TUT_THREAT_ON_COUNT]; /* "component" */

typedef enum tut_threat_type {
    TUT_THREAT_FLAG,   /* number: 0, 1 */
    TUT_THREAT_NUMBER, /* number */
    TUT_THREAT_WORD,   /* number: place in `words` */
    TUT_THREAT_LEVEL,  /* likewise; the words stand in order and can be compared */
    TUT_THREAT_TEXT,   /* text; number: is there one */
    TUT_THREAT_LIST    /* list; number: how many */
} tut_threat_type;

typedef struct tut_threat_attribute {
    const char *name; /* "api.auth" */
    tut_threat_type type;
    const char *words; /* space separated, at most 64 */
    const char *about; /* for people: where it comes from; NULL: tutela.yaml says it */
    int64_t absent;    /* number of one that is not given */
} tut_threat_attribute;
/* Those of this kind of element, by name. */
TUT_MUST tut_status tut_threat_attributes(tut_threat_on on, const tut_threat_attribute **ret,
                                          size_t *ret_count, tut_error *err);
/* Place among them, or SIZE_MAX. */
size_t tut_threat_attribute_find(tut_threat_on on, tut_str name);

typedef struct tut_threat_value {
    int64_t number;
    tut_str text;
    tut_str_list list;
} tut_threat_value;

/* What an element can be asked for beyond itself: `from.kind`, `asset.origin`. */
typedef enum tut_threat_link {
    TUT_THREAT_SELF,
    TUT_THREAT_SYSTEM,
    TUT_THREAT_ASSET,    /* of a component */
    TUT_THREAT_BOUNDARY, /* of a component */
    TUT_THREAT_FROM,     /* of a flow */
    TUT_THREAT_TO,
    TUT_THREAT_HOLDER, /* of a permission: the component that has it */
    TUT_THREAT_LINK_COUNT
} tut_threat_link;
extern const char *const tut_threat_link_names[TUT_THREAT_LINK_COUNT];

typedef struct tut_threat_element tut_threat_element;
struct tut_threat_element {
    tut_threat_on on;
    const char *id;
    tut_threat_value *values;                               /* one an attribute of its kind */
    const tut_threat_element *links[TUT_THREAT_LINK_COUNT]; /* NULL: none */
    bool has_bytes;
    tut_sha256 bytes;  /* of an asset: as found last, else as declared */
    tut_sha256 own;    /* of its attributes and bytes */
    tut_sha256 digest; /* of these and those of what it links to, the system apart */
    /* Where untrusted content comes from: the element that it entered by, and the one before. */
    const tut_threat_element *source, *before;
    const tut_component *component;
    const tut_flow *flow;
    const tut_asset *asset;
    const tut_boundary *boundary;
};

typedef struct tut_threat_model {
    tut_threat_element *elements; /* by kind, then as described */
    size_t count;
    size_t first[TUT_THREAT_ON_COUNT + 1]; /* of each kind; the last is `count` */
    tut_sha256 digest;                     /* of all elements */
    tut_arena arena;
} tut_threat_model;

/* assessment gives what was found of the assets (formats, findings, digests); NULL: only what is
 * described counts. Both are borrowed. */
TUT_MUST tut_status tut_threat_model_new(tut_system *system, const tut_assessment *assessment,
                                         tut_threat_model **ret_model, tut_error *err);
void tut_threat_model_free(tut_threat_model *m);
TUT_DEFINE_AUTO(tut_threat_model)
const tut_threat_element *tut_threat_element_find(const tut_threat_model *m, tut_threat_on on,
                                                  tut_str id);
/* "customer > guard > assistant": how untrusted content gets there; empty where none does. */
void tut_threat_way(const tut_threat_element *e, tut_buf *out);

/* --- rules --- */

enum { TUT_THREAT_SCALE = 5 };
extern const char *const tut_likelihood_names[TUT_THREAT_SCALE]; /* 1 rare .. 5 frequent */
extern const char *const tut_impact_names[TUT_THREAT_SCALE];     /* 1 negligible .. 5 severe */
typedef enum tut_risk_level {
    TUT_RISK_LOW,
    TUT_RISK_MEDIUM,
    TUT_RISK_ELEVATED,
    TUT_RISK_HIGH,
    TUT_RISK_CRITICAL,
    TUT_RISK_LEVEL_COUNT
} tut_risk_level;
extern const char *const tut_risk_level_names[TUT_RISK_LEVEL_COUNT];
typedef struct tut_risk_size {
    int likelihood, impact; /* 1 to 5 */
    tut_risk_level level;
} tut_risk_size;
/* By the product: up to 3 low, 6 medium, 10 elevated, 16 high. */
tut_risk_size tut_risk_size_of(int64_t likelihood, int64_t impact); /* held to 1..5 */

typedef struct tut_threat_code tut_threat_code; /* a compiled expression (threat_lang.h) */

typedef struct tut_threat_mitigation {
    tut_str control;    /* "injection-filter" */
    tut_str claimed_by; /* when the description claims it; or empty */
    tut_threat_code *claim;
    tut_str title, atlas, reduces, of_word;
    bool reduces_impact;
    uint32_t by;
    tut_str proof;            /* check of the catalogue */
    uint32_t max_age;         /* days; 0: what the catalogue allows */
    tut_threat_link of;       /* whose asset the proof has to be about; SELF: the element's own */
    tut_str metric;           /* what the evidence has to have measured; or empty */
    double at_least, at_most; /* NAN: no bound */
} tut_threat_mitigation;

typedef struct tut_threat_rule {
    tut_str id, title, threat, on_word, description, advice;
    tut_str when, likelihood, impact; /* as written */
    uint32_t version;
    tut_threat_on on;
    tut_str_list atlas, llm, ml, clauses;
    tut_threat_code *condition, *likelihood_code, *impact_code;
    tut_threat_mitigation *mitigations;
    size_t mitigation_count;
    bool is_shipped;
} tut_threat_rule;

/* The attack classes: the six threats of the catalogue and the other words of its rows. */
extern const char tut_threat_words[];

typedef struct tut_threat_rules {
    tut_threat_rule *items; /* as they stand in the files, shipped ones first */
    size_t count, capacity;
    tut_str catalogue; /* of threats, that the shipped rules go by: "ATLAS 5.6.0; ..." */
    tut_sha256 digest; /* of all files */
    void *owner_;
} tut_threat_rules;
TUT_MUST tut_status tut_threat_rules_new(tut_threat_rules **ret_rules, tut_error *err);
/* The rules that come with the program. */
TUT_MUST tut_status tut_threat_rules_add_shipped(tut_threat_rules *r, tut_error *err);
/* One file of rules. MALFORMED names file, line and column; the excerpt goes into ret_shown (may be
 * NULL). is_caged: the YAML is parsed in the cage. */
TUT_MUST tut_status tut_threat_rules_add(tut_threat_rules *r, const char *file, tut_str text,
                                         bool is_caged, tut_buf *ret_shown, tut_error *err);
void tut_threat_rules_free(tut_threat_rules *r);
TUT_DEFINE_AUTO(tut_threat_rules)
const tut_threat_rule *tut_threat_rule_find(const tut_threat_rules *r, tut_str id);

/* --- `threats:` of tutela.yaml --- */

typedef struct tut_threat_claim { /* somebody says that a control is there */
    tut_str control, on, note;
    const tut_yaml_node *node;
} tut_threat_claim;

typedef struct tut_threat_treatment {
    tut_str risk, treatment; /* mitigate, accept, transfer, avoid */
    tut_str cost, owner, by, note;
    const tut_yaml_node *node;
} tut_threat_treatment;

typedef struct tut_threat_policy { /* borrows from the system that it was read of */
    bool is_there;                 /* tutela.yaml has such a section */
    tut_str_list rules;            /* files below the directory */
    tut_str catalogue;             /* that the organisation holds its model against; or empty */
    uint32_t review_days;
    tut_risk_level tolerated[TUT_THREAT_SCALE]; /* highest level that is tolerated, by impact */
    tut_threat_claim *claims;
    size_t claim_count;
    tut_threat_treatment *treatments;
    size_t treatment_count;
} tut_threat_policy;
TUT_MUST tut_status tut_threat_policy_read(tut_system *system, tut_threat_policy *ret_policy,
                                           tut_buf *ret_shown, tut_error *err);
/* The shipped rules and those that the policy names. */
TUT_MUST tut_status tut_threat_policy_rules(const tut_system *system, const tut_threat_policy *p,
                                            tut_threat_rules **ret_rules, tut_buf *ret_shown,
                                            tut_error *err);

/* --- risks --- */

typedef enum tut_counted {
    TUT_COUNTED,     /* its proof counts */
    TUT_CLAIMED,     /* tutela.yaml claims it, and nothing proves it */
    TUT_NOT_IN_PLACE /* neither */
} tut_counted;

typedef struct tut_risk_mitigation {
    const tut_threat_mitigation *mitigation;
    tut_counted counted;
    const tut_record *record; /* that decides, whether it counts or not; or NULL */
    const char *why;
} tut_risk_mitigation;

typedef struct tut_acceptance {
    const tut_record *record;
    const char *by, *reason;
    tut_time expires;
    bool counts;
    const char *why; /* it does not */
} tut_acceptance;

typedef enum tut_risk_state {
    TUT_RISK_OPEN,      /* above what is tolerated, and nobody took it on */
    TUT_RISK_TREATED,   /* above, and treated as tutela.yaml says, by what is proved */
    TUT_RISK_ACCEPTED,  /* above, and accepted by a signature that counts */
    TUT_RISK_TOLERATED, /* not above */
    TUT_RISK_STATE_COUNT
} tut_risk_state;
extern const char *const tut_risk_state_names[TUT_RISK_STATE_COUNT];

typedef struct tut_risk {
    const char *id; /* "rule@element" */
    const tut_threat_rule *rule;
    const tut_threat_element *element;
    tut_sha256 digest; /* of the element and the rule at its version: what an acceptance is about */
    tut_risk_size inherent, residual;
    tut_risk_mitigation *mitigations;
    size_t mitigation_count;
    const tut_threat_treatment *treatment; /* or NULL */
    tut_acceptance acceptance;             /* record NULL: none */
    tut_risk_level tolerated;
    tut_risk_state state;
    const char *why; /* of the state */
} tut_risk;

typedef struct tut_threats {
    tut_threat_policy policy;
    tut_threat_rules *rules;
    tut_threat_model *model;
    tut_risk *risks; /* worst residual first, then inherent, then by id */
    size_t count;
    size_t by_state[TUT_RISK_STATE_COUNT];
    size_t *looked_at; /* by rule: elements that it was asked about */
    size_t *found;     /* by rule: risks */
    tut_sha256 digest; /* of configuration, rules and catalogue: what a review is about */
    tut_arena arena;
} tut_threats;

/* What is on record, beside the description, to judge by. */
typedef struct tut_threat_sources {
    tut_system *system;
    const tut_assessment *assessment; /* NULL: nothing is proved, nothing was found */
    tut_ledger *ledger;               /* that its records are of; or NULL */
    tut_time at;
    tut_buf *shown; /* takes the excerpt of an error; may be NULL */
} tut_threat_sources;
TUT_MUST tut_status tut_threats_new(const tut_threat_sources *from, tut_threats **ret_threats,
                                    tut_error *err);
void tut_threats_free(tut_threats *t);
TUT_DEFINE_AUTO(tut_threats)
const tut_risk *tut_threats_find(const tut_threats *t, tut_str id);
/* Whether this risk is unresolved: above what is tolerated, whatever was decided about it. */
bool tut_risk_is_unresolved(const tut_risk *r);

/* Risks by the rules alone, before proofs and policy (also for tests and measurements). */
TUT_MUST tut_status tut_threats_evaluate(const tut_threat_model *m, const tut_threat_rules *rules,
                                         tut_threats *t, tut_error *err);

/* The whole model as tutela.threats/1: elements, risks, coverage, gaps. The body is what evidence
 * keeps and what threat-model.json is: the same for the same system and records, whenever made. */
TUT_MUST tut_status tut_threats_body(const tut_threats *t, const tut_threat_sources *from,
                                     tut_buf *out, tut_error *err);
/* The same with where things stand in its picture (assess/threat_picture.h), which Graphviz is
 * asked where no model with this graph is recorded: what assess records. */
TUT_MUST tut_status tut_threats_body_with_picture(const tut_threats *t,
                                                  const tut_threat_sources *from, tut_buf *out,
                                                  tut_error *err);
/* The document that the command prints; only: of the risks this one; NULL: all. */
TUT_MUST tut_status tut_threats_json(const tut_threats *t, const tut_threat_sources *from,
                                     const tut_risk *only, tut_buf *out, tut_error *err);
/* docs/threats.md's table of rules. */
TUT_MUST tut_status tut_threat_rules_markdown(tut_buf *out, tut_error *err);

#endif
