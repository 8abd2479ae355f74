/*
 * tutela.yaml as data: the description of one AI system, and the inventory: declared against found.
 * Schema: docs/tutela-yaml.md. Unknown keys and wrong types are errors with place and suggestion; a
 * value left TODO counts as absent.
 */
#ifndef TUT_ASSETS_SYSTEM_H
#define TUT_ASSETS_SYSTEM_H

#include "assets/policy.h"
#include "base/arena.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/time.h"
#include "base/yaml.h"
#include "crypto/digest.h"
#include "formats/format.h"

typedef struct tut_str_list {
    tut_str *items;
    size_t count;
} tut_str_list;

typedef struct tut_data_source { /* where data of an asset came from */
    tut_str url;
    bool has_collected_at, has_digest;
    tut_time collected_at;
    tut_sha256 digest; /* of what lay there then */
} tut_data_source;

typedef struct tut_asset {
    char *id; /* "model/reranker" */
    tut_asset_kind kind;
    tut_str name, path; /* path below the directory of tutela.yaml; empty for a service */
    bool has_digest;    /* as last accepted */
    tut_sha256 digest;
    tut_str origin; /* first-party, public, supplier, user, generated; or empty */
    tut_str url, licence, owner, description;
    tut_str version, supplier; /* as its maker counts; who provides it */
    bool has_collected_at;     /* when the data at `url` was collected */
    tut_time collected_at;
    bool has_released_at; /* when its maker gave it out */
    tut_time released_at;
    tut_data_source *sources; /* beside `url` */
    size_t source_count;
    tut_str obtained, used_for; /* how it was obtained, what it is used for: in words */
    tut_str label, source;   /* of a table: the columns of what a row is, and of who brought it */
    tut_str split;           /* train, validation, test; or empty */
    tut_str baseline;        /* file of a saved baseline, below the directory of tutela.yaml */
    tut_str sensitivity;     /* public, internal, confidential, personal; or empty */
    bool is_shared;          /* made available to others (5.2.4-1.2) */
    bool is_external;        /* origin is public or supplier */
    tut_str_list depends_on; /* asset ids */
    const tut_yaml_node *node;
} tut_asset;

typedef struct tut_attribute { /* typed AI attributes of governance notes 5.2, flattened: "api.auth"
                                */
    tut_str key, value;
} tut_attribute;

typedef struct tut_component {
    tut_str id, kind, asset, boundary, owner;
    tut_attribute *attributes;
    size_t attribute_count;
    const tut_yaml_node *node;
} tut_component;

typedef struct tut_flow {
    tut_str id, from, to, auth, encryption, integrity;
    tut_str_list data;
    bool crosses; /* computed from the boundaries */
    const tut_yaml_node *node;
} tut_flow;

typedef struct tut_boundary {
    tut_str id, description;
    tut_str trust; /* public, partner, internal, restricted; or empty */
    tut_str zone;  /* production, training, development; or empty */
    tut_str_list inside; /* component ids */
} tut_boundary;

typedef struct tut_not_applicable { /* a claimed exclusion; valid only with all of it, and
                                       uncontradicted */
    tut_str clause, reason, by;
    bool has_expires;
    tut_time expires;
    const tut_yaml_node *node;
} tut_not_applicable;

typedef struct tut_signature_policy { /* roles of which one signs, by kind of asset; none: anybody
                                         enrolled */
    tut_str_list model, dataset, prompt, config, code, document;
} tut_signature_policy;

typedef struct tut_system {
    char *dir;         /* directory of tutela.yaml */
    char *file;        /* path of tutela.yaml */
    tut_yaml *yaml;    /* owns all text */
    tut_arena arena;   /* owns all arrays */
    tut_sha256 digest; /* of the bytes of tutela.yaml */
    tut_str name, version, purpose;
    tut_str url;           /* where it is had from; or empty */
    tut_str_list hardware; /* what it runs on */
    bool has_released_at;
    tut_time released_at;
    tut_str_list owners, contacts; /* "Role: address" kept as written */
    tut_attribute *roles;          /* key: role of the standard, value: who */
    size_t role_count;
    tut_asset *assets;
    size_t asset_count;
    tut_map by_id, by_path; /* of the assets */
    tut_component *components;
    size_t component_count;
    tut_flow *flows;
    size_t flow_count;
    tut_boundary *boundaries;
    size_t boundary_count;
    tut_not_applicable *not_applicable;
    size_t not_applicable_count;
    tut_str fail_on;       /* policy.fail_on: severity word, or empty */
    uint32_t max_age_days; /* policy.max_age_days: 0 = the control row's own */
    tut_signature_policy signatures;
    tut_listed *allowed, *denied; /* policy.scan.allow, policy.scan.deny */
    size_t allowed_count, denied_count;
    tut_str_list yara;            /* policy.scan.yara: rule files below the directory */
    tut_str secret_rules;         /* policy.scan.secret_rules: a file there; or empty */
    tut_approved_source *sources; /* policy.sources */
    size_t source_count;
    /* policy.witnesses, policy.timestamp_ca: files below the directory; or empty (vouchers.h) */
    tut_str witnesses, timestamp_ca;
    tut_str_list
        ignore; /* inventory.ignore: paths or globs that are no assets, with reason in a comment */
    tut_str_list todo; /* dotted paths of values still TODO */
} tut_system;

void tut_system_free(tut_system *s);
TUT_DEFINE_AUTO(tut_system)

/* Reads DIR/tutela.yaml (parsed in the cage). USAGE with one line and no file -> "no tutela.yaml in
 * DIR; tutela init DIR writes one". For a schema error the rendered place (tut_yaml_show) is put
 * into `ret_shown` as well (may be NULL). */
TUT_MUST tut_status tut_system_load(const char *dir_or_file, tut_system **ret_system,
                                    tut_buf *ret_shown, tut_error *err);
/* The same from bytes (a recorded snapshot); dir is where assets lie. */
TUT_MUST tut_status tut_system_parse(const char *dir, const char *file, tut_str text,
                                     tut_system **ret_system, tut_buf *ret_shown, tut_error *err);
/* The same without a cage, for a server's worker, which cannot fork one: of bytes that went through
 * one before, and were kept where nobody else writes. */
TUT_MUST tut_status tut_system_parse_here(const char *dir, const char *file, tut_str text,
                                          tut_system **ret_system, tut_error *err);
const tut_asset *tut_system_asset(const tut_system *s, tut_str id);

/* --- the inventory --- */
typedef enum tut_asset_state {
    TUT_ASSET_DECLARED,
    TUT_ASSET_UNDECLARED,
    TUT_ASSET_MISSING,
    TUT_ASSET_CHANGED
} tut_asset_state;
const char *tut_asset_state_name(tut_asset_state s);

/* One file as examination found it; what discovery needs of a scan's file report. */
typedef struct tut_found_file {
    const char *rel;
    const tut_format *format;
    uint64_t size;
    bool has_digest;
    tut_sha256 digest;
    /* Facts in order; keys such as "refers.model", "refers.dataset", "refers.shard", "rows". */
    const char *const *fact_keys;
    const char *const *fact_values;
    size_t fact_count;
    const tut_listed_package *packages; /* of a lock file */
    size_t package_count, packages_dropped;
} tut_found_file;

typedef struct tut_inventory_item {
    char *id, *name, *path;
    tut_asset_kind kind;
    tut_asset_state state;
    const tut_asset *declared; /* NULL when undeclared; borrowed from the system */
    const tut_format *format;
    bool is_unread; /* missing or changed, as far as can be told of what could not be read */
    bool has_digest;
    tut_sha256 digest; /* as found now; of a missing one: as declared */
    uint64_t size;
    uint32_t files;    /* a directory asset or a sharded model is several files */
    char **depends_on; /* declared and inferred asset ids, sorted, each once */
    bool *is_inferred; /* per dependency: inferred from a file, not declared */
    size_t depends_count;
    char *problem;   /* for missing and changed: one line */
    char *signature; /* path of the detached signature that lies with it, unverified; or NULL */
    char *detail;    /* for people: "GGUF, llama, 4 bit" */
    size_t *members; /* its files, as places in what the inventory was built from; `files` of them,
                        the one that speaks for it first */
} tut_inventory_item;

typedef struct tut_inventory {
    tut_inventory_item *items; /* by kind, then name */
    size_t count, capacity;
    const tut_found_file *found; /* borrowed: what it was built from; lives as long */
    size_t found_count;
    size_t *item_of; /* of each found file; SIZE_MAX: of none */
    size_t declared, undeclared, missing, changed;
} tut_inventory;
void tut_inventory_free(tut_inventory *inv);
TUT_DEFINE_AUTO(tut_inventory)

/* system may be NULL (nothing described yet: everything is undeclared). files are in byte order of
 * rel, each once. */
TUT_MUST tut_status tut_inventory_build(const tut_system *system, const tut_found_file *files,
                                        size_t count, tut_inventory **ret_inventory,
                                        tut_error *err);
/* The digest of what is declared about an asset that has no file here (a service, a model behind an
 * API), so that it can be assessed, and another version of it noticed: SHA-256 of the canonical
 * JSON
 * {"kind", "supplier", "url", "version"}, null where nothing is said. */
TUT_MUST tut_status tut_asset_described_digest(const tut_asset *a, tut_sha256 *ret_digest,
                                               tut_error *err);
/* Has this asset no file, and no digest of its own that could be compared with one? */
bool tut_asset_is_described(const tut_asset *a);
/* The contract's assets[] array (with state), and the dependency graph in Graphviz. */
void tut_inventory_json(const tut_inventory *inv, const tut_system *system, tut_json *j);
void tut_inventory_dot(const tut_inventory *inv, const char *title, tut_buf *out);

/* --- writing tutela.yaml --- */
/* A whole commented description for what was found; TODO where only a person knows. */
TUT_MUST tut_status tut_system_draft(const char *dir, const tut_inventory *inv, tut_buf *out,
                                     size_t *ret_todo, tut_error *err);
/* Inserts undeclared assets at source positions; no other byte changes. */
TUT_MUST tut_status tut_system_add(const tut_system *s, const tut_inventory *inv, tut_buf *out,
                                   size_t *ret_added, tut_error *err);
/* Re-pins one asset to its found digest; no other byte changes. */
TUT_MUST tut_status tut_system_accept(const tut_system *s, const tut_inventory *inv,
                                      const char *asset_id, tut_buf *out, tut_error *err);

#endif
