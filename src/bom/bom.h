/*
 * A bill of materials: what an AI system is made of, as one model that the writers of each format
 * read. It is filled from the inventory document (`tutela inventory --format json`, or the body of
 * evidence inventory.complete), the description, and what the caller knows of conformity. Nothing
 * here looks at a file or at the log; the same input yields the same bytes.
 *
 * Whoever reads a bill must be able to tell measured from declared. Facts that files say of
 * themselves are written as `tutela:file:KEY`, what tutela.yaml says as `tutela:declared:KEY`, and
 * `tutela:source:FIELD` says which of both a field of the format was filled from.
 */
#ifndef TUT_BOM_BOM_H
#define TUT_BOM_BOM_H

#include "assets/system.h"
#include "base/json.h"
#include "base/map.h"
#include "crypto/key.h"
#include "crypto/uuid.h"
#include "ledger/record.h"

/* --- what is known of conformity; filled by who evaluates --- */
typedef enum tut_bom_verdict {
    TUT_BOM_MET,
    TUT_BOM_PARTLY,
    TUT_BOM_NOT_MET,
    TUT_BOM_NOT_CHECKED,
    TUT_BOM_NOT_APPLICABLE
} tut_bom_verdict;

typedef struct tut_bom_evidence {
    uint64_t index; /* in the log; each once */
    const char *check, *method, *result, *statement, *actor, *tier;
    tut_time created, expires;
    const tut_subject *subjects;
    size_t subject_count;
    bool has_body;
    tut_sha256 body;
} tut_bom_evidence;

typedef struct tut_bom_claim { /* one provision */
    tut_str id, text;
    tut_bom_verdict verdict;
    const char *const *reasons;
    size_t reason_count;
    const size_t *evidence; /* positions in the conformity's evidence */
    const bool *is_against; /* per piece: it contradicts */
    size_t evidence_count;
} tut_bom_claim;

typedef struct tut_bom_conformity {
    const char *standard, *version, *owner;
    tut_time evaluated_at;
    const tut_bom_claim *claims;
    size_t claim_count;
    const tut_bom_evidence *evidence;
    size_t evidence_count;
    const char *log_origin; /* "" without a log */
    uint64_t log_size;
    tut_sha256 log_root;
    const tut_subject *recorded; /* the assets at the digests that the evidence speaks of */
    size_t recorded_count;
} tut_bom_conformity;

/* --- the model; text is borrowed from the document, the description and the conformity --- */
typedef struct tut_bom_fact {
    tut_str key, value;
} tut_bom_fact;

typedef struct tut_bom_origin { /* where data came from */
    tut_str url, collected_at;
    bool has_digest;
    tut_sha256 digest;
} tut_bom_origin;

typedef struct tut_bom_part { /* one file of an asset that is several */
    tut_str path;
    uint64_t size;
    bool has_digest;
    tut_sha256 digest;
} tut_bom_part;

typedef struct tut_bom_edge {
    size_t to; /* position of the asset; SIZE_MAX: nothing here has this id */
    tut_str id;
    bool is_inferred; /* a file says so, not the description */
} tut_bom_edge;

typedef struct tut_bom_asset {
    const char *ref; /* its id, made unique where two would be the same text */
    tut_str id, name, path, version, supplier, description, collected_at, released_at;
    tut_str origin, owner, licence, sensitivity, url, format, detail, signature, state, problem;
    tut_asset_kind kind;
    bool is_shared, has_digest, has_changed; /* has_changed: since the evidence was collected */
    tut_sha256 digest;
    uint64_t size, files;
    tut_bom_edge *edges;
    size_t edge_count;
    tut_bom_fact *facts;
    size_t fact_count;
    tut_bom_origin *sources;
    size_t source_count;
    tut_bom_part *parts;
    size_t part_count;
    uint64_t parts_left_out; /* more than the inventory lists */
    size_t *packages;        /* positions in the bill's packages, ascending */
    size_t package_count;
    uint64_t packages_left_out;
    size_t card; /* position of the document that describes it; SIZE_MAX: none */
    size_t used_by;
} tut_bom_asset;

typedef struct tut_bom_package { /* of a lock file; each once */
    const char *ref, *purl;
    tut_str type, name, version, hash_name, hash; /* hash_name: "sha256"; both empty: none */
} tut_bom_package;

typedef struct tut_bom {
    const tut_system *system;             /* NULL: not described */
    const tut_bom_conformity *conformity; /* NULL: nothing recorded */
    tut_time at;
    tut_uuid serial;       /* of the facts: the same facts, the same number */
    bool is_signed;        /* the document will carry or have a signature by its author */
    bool is_complete;      /* all that was looked at is in it, as declared */
    size_t changed;        /* assets that changed since the evidence was collected */
    tut_bom_asset *assets; /* in the order of the document */
    size_t asset_count;
    tut_bom_package *packages; /* by type, name, version */
    size_t package_count;
    tut_json_doc *doc_;
    tut_map by_id_;
    tut_arena arena_;
} tut_bom;

typedef struct tut_bom_input {
    tut_span inventory; /* the inventory document */
    const tut_system *system;
    const tut_bom_conformity *conformity;
    tut_time at;
    bool is_signed;
} tut_bom_input;

/* Everything that the input points to must outlive the bill, except the document. */
TUT_MUST tut_status tut_bom_new(const tut_bom_input *input, tut_bom **ret_bom, tut_error *err);
void tut_bom_free(tut_bom *bom);
TUT_DEFINE_AUTO(tut_bom)

/* The first fact of this name that the asset's files state, or an empty view. */
tut_str tut_bom_fact_of(const tut_bom_asset *a, const char *key);
/* The same; where the asset has none, by the card that describes it. */
tut_str tut_bom_known(const tut_bom *bom, const tut_bom_asset *a, const char *key);
/* Who made it: the description's supplier, else what the file says, else for a first-party asset
 * who holds the role of developer. */
tut_str tut_bom_producer(const tut_bom *bom, const tut_bom_asset *a, const char **ret_source);
/* Whether an asset of this id is in it. */
bool tut_bom_has(const tut_bom *bom, tut_str id);
tut_str tut_bom_role(const tut_bom *bom, const char *role);
/* A value of the running parts that the description ties to this asset: "api.returns". */
tut_str tut_bom_attribute(const tut_bom *bom, const tut_bom_asset *a, const char *key);

/* --- the formats --- */
typedef enum tut_bom_spec {
    TUT_BOM_CYCLONEDX_16,
    TUT_BOM_CYCLONEDX_17,
    TUT_BOM_SPDX_301
} tut_bom_spec;
/* "cyclonedx-1.6", "cyclonedx-1.7", "spdx-3.0.1" */
const char *tut_bom_spec_name(tut_bom_spec spec);
bool tut_bom_spec_find(const char *name, tut_bom_spec *ret_spec);

/* Canonical JSON (RFC 8785) and a line feed. key: the document is signed with it in JSON Signature
 * Format; NULL: it carries no signature. */
TUT_MUST tut_status tut_bom_cyclonedx(const tut_bom *bom, tut_bom_spec spec, const tut_key *key,
                                      tut_buf *out, tut_error *err);
/* JSON-LD. SPDX 3.0.1 has no place for a signature. */
TUT_MUST tut_status tut_bom_spdx(const tut_bom *bom, tut_buf *out, tut_error *err);

#endif
