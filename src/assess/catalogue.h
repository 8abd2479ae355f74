/*
 * The standard's 72 provisions and the control rows, compiled in from catalogue/catalogue.json (own
 * words only; both numberings) and parsed at first use.
 */
#ifndef TUT_ASSESS_CATALOGUE_H
#define TUT_ASSESS_CATALOGUE_H

#include "base/status.h"
#include "base/str.h"
#include "crypto/digest.h"
#include "ledger/people.h"
#include "ledger/record.h"

enum { TUT_CLAUSE_COUNT = 72, TUT_PRINCIPLES = 13, TUT_FRAMEWORK_COUNT = 10 };

typedef enum tut_modality { TUT_SHALL, TUT_SHOULD, TUT_CAN } tut_modality;
typedef enum tut_phase {
    TUT_PHASE_DESIGN,
    TUT_PHASE_DEVELOPMENT,
    TUT_PHASE_DEPLOYMENT,
    TUT_PHASE_MAINTENANCE,
    TUT_PHASE_END_OF_LIFE,
    TUT_PHASE_COUNT
} tut_phase;

/* Bit sets over small fixed lists. */
enum {
    TUT_ROLE_DEVELOPER = 1,
    TUT_ROLE_OPERATOR = 2,
    TUT_ROLE_CUSTODIAN = 4,
    TUT_ROLE_END_USER = 8,
    TUT_ROLE_AFFECTED = 16
};
enum { TUT_ROLE_COUNT = 5, TUT_THREAT_COUNT = 6, TUT_ATTRIBUTE_COUNT = 12 };
extern const char *const tut_role_names[TUT_ROLE_COUNT]; /* "Developer", ... bit order */
extern const char
    *const tut_signer_role_names[TUT_PERSON_ROLE_COUNT];     /* "Developer", ..., "tester" */
extern const char *const tut_threat_names[TUT_THREAT_COUNT]; /* "data_poisoning", ... bit order */
extern const char
    *const tut_threat_atlas[TUT_THREAT_COUNT]; /* ATLAS technique of each: "AML.T0020" */
extern const char
    *const tut_attribute_names[TUT_ATTRIBUTE_COUNT];           /* "security", ... governance 8.4 */
extern const char *const tut_seed_titles[TUT_PRINCIPLES];      /* "Security training", P1..P13 */
extern const char *const tut_principle_titles[TUT_PRINCIPLES]; /* of the standard */

/* Which subjects one want of a control row is about. */
typedef enum tut_scope {
    TUT_SCOPE_SYSTEM,          /* one: the system at this very description (its digest) */
    TUT_SCOPE_ORGANISATION,    /* one: the people and processes around it, whatever its version */
    TUT_SCOPE_EVERY_ASSET,     /* every asset of the kinds listed */
    TUT_SCOPE_EVERY_EXTERNAL,  /* ... whose origin is public or supplier */
    TUT_SCOPE_EVERY_SENSITIVE, /* ... confidential or personal */
    TUT_SCOPE_EVERY_SHARED,    /* ... made available to others */
    TUT_SCOPE_DOCUMENT         /* each document that `design:` names for the check (design.h) */
} tut_scope;
const char *tut_scope_name(tut_scope s); /* "every-asset" */

/* One thing that a control wants. All of them hold -> met. */
typedef struct tut_want {
    tut_str check; /* check id without version: "scan.content"; matched before the '/' */
    tut_scope scope;
    uint32_t kinds; /* bit per tut_asset_kind; 0 = all */
    tut_method method;
    uint32_t max_age_days; /* greatest age; the record's own expiry holds as well */
    uint32_t signers;      /* attested: least number of distinct registered signers, else 0 */
    uint32_t signer_roles; /* bit set over tut_signer_role_names, which are people's (people.h);
                              0: any */
    bool is_none_fine;     /* nothing in scope holds it: then there is nothing to protect */
    bool is_each_role;     /* a person for each of these roles, no one counted for two of them */
    /* Checks whose evidence this one covers: what came of them after it is not in it, and then it
     * is not enough. */
    const tut_str *covers;
    size_t covers_count;
    /* A test may find that there is nothing of the kind in a subject (NOT_APPLICABLE); another want
     * of the row, which always applies, asks for the same subjects. */
    bool may_not_apply;
    tut_str least;     /* for people: "recall >= 0.90"; measured by the check, or empty */
    tut_str what;      /* for people: "every model file was read to its end without findings" */
    tut_str command;   /* what produces or refreshes it: "tutela assess" */
    bool is_available; /* the engine exists in this build */
} tut_want;

/* One thing that another framework names: an article, a control, a term. */
typedef struct tut_target {
    tut_str id, title;
} tut_target;

/* Another framework that provisions are compared with. */
typedef struct tut_framework {
    tut_str key, label;                      /* "iso27001", "ISO/IEC 27001" */
    tut_str title, version, publisher, href; /* as cited */
    tut_str repeated;                        /* start of each id that a list says once: "Art. " */
    tut_str rationale;                       /* syntactic, semantic, functional */
    tut_str confidence;                      /* of a map that says none of its own */
    tut_str basis;                           /* what was compared, for people */
    bool is_forthcoming;                     /* named; no mapping is claimed */
    const tut_target *targets;
    size_t target_count;
} tut_framework;

/* How what a provision asks relates to what the target asks: OSCAL's words. */
typedef enum tut_relationship {
    TUT_INTERSECTS_WITH,
    TUT_SUBSET_OF,
    TUT_SUPERSET_OF,
    TUT_EQUIVALENT_TO
} tut_relationship;
const char *tut_relationship_name(tut_relationship r); /* "intersects-with" */

typedef struct tut_mapping {
    const tut_target *target;
    tut_relationship relationship;
    tut_str confidence; /* low, medium, high */
} tut_mapping;

typedef struct tut_crosswalk {
    tut_str text; /* "Art. 12; Art. 15(5)", or empty */
    const tut_mapping *maps;
    size_t count;
} tut_crosswalk;

typedef struct tut_clause {
    tut_str id, uk_id, summary, applies_when; /* applies_when empty: always */
    uint8_t principle;                        /* 1..13 of the standard */
    uint8_t seed;                             /* 1..13 */
    tut_phase phase;
    tut_modality modality;
    uint32_t roles, serves, threats, attributes; /* bit sets */
    bool is_gate;
    tut_str evidence_kind;                        /* enforced, verified, attested */
    tut_crosswalk crosswalk[TUT_FRAMEWORK_COUNT]; /* in the order of tut_catalogue_frameworks */
    const tut_str *secondary;
    size_t secondary_count;
    const tut_want *wants;
    size_t want_count;
    /* Which inventory facts contradict "not applicable": words checked by the evaluator, such as
     * "has-external-component", "has-model", "has-public-data", "has-shared-model". */
    const tut_str *contradicted_by;
    size_t contradicted_count;
} tut_clause;

/* Parsed once; aborts never: a damaged build is BUG. */
TUT_MUST tut_status tut_catalogue_load(const tut_clause **ret_clauses,
                                       tut_error *err); /* 72 rows */
const tut_clause *tut_catalogue_find(tut_str id);
/* The first row's want of this check (without version), or NULL. */
const tut_want *tut_catalogue_find_want(tut_str check);
/* TUT_FRAMEWORK_COUNT of them; the catalogue is loaded. */
const tut_framework *tut_catalogue_frameworks(void);
TUT_MUST tut_status tut_catalogue_digest(tut_sha256 *ret_digest, tut_error *err);

#endif
