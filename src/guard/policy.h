/*
 * The guard's policy as data: `guard:` of tutela.yaml (docs/guard.md). What a policy does not name
 * is refused. Its version is the digest of its canonical form, with all defaults written out.
 */
#ifndef TUT_GUARD_POLICY_H
#define TUT_GUARD_POLICY_H

#include "assets/schema.h"
#include "guard/bounds.h"
#include "guard/decision.h"
#include "guard/policy_access.h"

typedef enum tut_guard_check {
#define GUARD_CHECK(id, name, otherwise, allowed, keys, about) TUT_CHECK_##id,
#include "guard/checks.def"
#undef GUARD_CHECK
    TUT_CHECK_COUNT
} tut_guard_check;

const char *tut_guard_check_name(tut_guard_check c); /* "secrets_out" */

typedef struct tut_guard_setting {
    tut_guard_action action;
    double threshold, low; /* of a score from 0 to 1: the action; a flag, or taint */
    unsigned words;        /* prompt_leak */
    bool is_set;
} tut_guard_setting;

typedef struct tut_guard_limits {
    uint32_t body_bytes, answer_bytes, event_bytes, held_bytes; /* 0: the default */
    uint32_t depth, tokens;                                     /* tokens 0: none */
} tut_guard_limits;

/* What a tool does to the world; from `write` on it has effects beside its answer. */
typedef enum tut_tool_class {
    TUT_TOOL_READ,
    TUT_TOOL_WRITE,
    TUT_TOOL_SEND,
    TUT_TOOL_PAY,
    TUT_TOOL_EXECUTE,
    TUT_TOOL_CLASS_COUNT
} tut_tool_class;
const char *tut_tool_class_name(tut_tool_class c);

typedef struct tut_guard_tool {
    tut_str name, class_word, approval; /* approval: "hold": every call waits for a person */
    tut_tool_class type;
    tut_str needed; /* why it is granted although seldom used; decides nothing */
} tut_guard_tool;

typedef struct tut_guard_tensor { /* an input of a model behind KServe v2 */
    tut_str name, datatype, min_text, max_text;
    tut_str_list shape_texts; /* "-1": any */
    int64_t shape[8];
    double min, max;
    bool has_min, has_max;
    /* Bounds of a baseline's columns (policy_bounds.c); min and max are in them already. */
    tut_str baseline, column; /* baseline: a file below the system's directory, or empty */
    tut_str_list columns, without;
    tut_sha256 baseline_digest;
    tut_guard_feature *features;
    size_t feature_count; /* 0: no baseline */
} tut_guard_tensor;

/* Texts (policy_fields.c, policy_texts.c): how data is marked on its way upstream. */
typedef enum tut_guard_spotlight {
    TUT_SPOTLIGHT_OFF,
    TUT_SPOTLIGHT_DELIMIT, /* between marks that nobody can guess */
    TUT_SPOTLIGHT_MARK     /* and with a sign between its words */
} tut_guard_spotlight;

typedef struct tut_guard_outputs { /* numbers of an answer, against inversion */
    uint32_t round, top_k; /* digits behind the point, plus one; the greatest of a row; 0: all */
} tut_guard_outputs;

struct tut_protocol;

/* Where the guard listens, and how it serves (policy_server.c). */
typedef enum tut_guard_audit {
    TUT_AUDIT_NONE,
    TUT_AUDIT_PROMPT, /* at once, without waiting: a crash loses what its window holds */
    TUT_AUDIT_DURABLE /* the last byte of an answer waits until its event is on the disk */
} tut_guard_audit;

typedef struct tut_guard_server {
    tut_str listen, metrics;             /* "127.0.0.1:8443"; metrics empty: for the owner alone */
    tut_str certificate, key, client_ca; /* PEM files below the system's directory; or empty */
    tut_str audit_word, ledger_down;     /* ledger_down: "closed" or "open" */
    uint32_t workers;                    /* 0: one a processor */
    tut_str bodies_word, trace_word;     /* audit_bodies: "sealed"; trace: "off" */
    uint32_t retention_days;             /* of sealed bodies */
    /* Seconds: until a head is there; without a byte of a body; without a byte that the client
     * takes; without a byte of the model server. */
    uint32_t header_s, body_s, send_s, upstream_s;
    tut_str notice_text, notice_url, notice_report;
} tut_guard_server;

typedef struct tut_guard_route {
    tut_str id, path, protocol_word, upstream, mode_word, audit_word, bodies_word;
    tut_str upstream_key; /* file with the key that the model server wants; or empty */
    tut_str
        upstream_ca; /* file: whose certificates an https upstream may have; empty: the system's */
    tut_str standby; /* another server of the same model, for when the first is away; or empty */
    tut_guard_audit audit;
    bool seals_bodies; /* requests and answers are kept, encrypted (bodies.h) */
    tut_str_list methods, models, tools, unscanned;
    const struct tut_protocol *protocol;
    bool is_monitored;
    /* texts */
    tut_str normalise, spotlight_word, count_word, answer_schema_word;
    bool is_normalised, counts_tokens;
    bool passes_answers; /* nothing is asked of them but their head and their calls of tools */
    tut_guard_spotlight spotlight;
    tut_guard_outputs outputs;
    tut_str answer_schema; /* JSON; empty: none of the route's own */
    tut_guard_limits limits;
    tut_guard_setting checks[TUT_CHECK_COUNT];
    tut_guard_tensor *tensors;
    size_t tensor_count;
} tut_guard_route;

typedef struct tut_guard_client {
    tut_str id, mode_word;
    tut_str_list routes, models; /* none: all of the policy */
    tut_guard_limits limits;
    tut_guard_setting (*checks)[TUT_CHECK_COUNT]; /* of each route, with the client's own in it;
                                                     NULL: it has none */
    /* Who it is, and how much it may (policy_access.h). */
    tut_guard_client_access access;
    tut_guard_quota quota;
    tut_abuse_setting abuse[TUT_ABUSE_COUNT];
} tut_guard_client;

/* approvals: who decides about what is held (policy_people.c). */
typedef struct tut_guard_approvals {
    tut_str_list role_words; /* default: approver */
    tut_str timeout_text, on_timeout, listen;
    tut_str_list keys; /* SHA-256 in hex of the keys that may list what waits over HTTP */
    uint32_t roles;    /* bit set (ledger/people.h) */
    uint32_t people, timeout_s;
} tut_guard_approvals;

typedef struct tut_guard_policy { /* borrows from the system that it was read of */
    tut_str mode_word;
    tut_guard_server server;
    tut_guard_access access;
    tut_guard_setting checks[TUT_CHECK_COUNT];
    tut_guard_route *routes;
    size_t route_count;
    tut_guard_client *clients;
    size_t client_count;
    tut_guard_tool *tools;
    size_t tool_count;
    tut_str_list canaries, link_hosts;
    tut_guard_approvals approvals;
    tut_sha256 version;
} tut_guard_policy;

/* MALFORMED with one line and the place rendered into ret_shown, as of all of tutela.yaml; USAGE
 * where there is no guard: section. */
TUT_MUST tut_status tut_guard_policy_read(tut_system *system, tut_guard_policy *ret_policy,
                                          tut_buf *ret_shown, tut_error *err);
/* The same of a policy that was read before: kept is its canonical form, out of which the bounds
 * of tensors come. No baseline is opened; another version than kept's is the caller's to tell. */
TUT_MUST tut_status tut_guard_policy_read_kept(tut_system *system, tut_span kept,
                                               tut_guard_policy *ret_policy, tut_error *err);
/* The canonical form. */
void tut_guard_policy_json(const tut_guard_policy *p, tut_json *j);

/* The route of a path, and the model that the path itself names ("{model}"); NULL: none. */
const tut_guard_route *tut_guard_route_of(const tut_guard_policy *p, tut_str path,
                                          tut_str *ret_model);
/* What is looked for in an exchange of this client (NULL: none) on this route. */
const tut_guard_setting *tut_guard_checks_of(const tut_guard_policy *p,
                                             const tut_guard_route *route,
                                             const tut_guard_client *client);
const tut_guard_client *tut_guard_client_of(const tut_guard_policy *p, tut_str id);
const tut_guard_tool *tut_guard_tool_of(const tut_guard_policy *p, tut_str name);
/* No list grants everything that the policy declares. */
bool tut_guard_is_listed(const tut_str_list *list, tut_str word);
/* Whether a host, or one above it, is listed: "example.org" covers "docs.example.org". */
bool tut_guard_host_is_listed(const tut_guard_policy *p, tut_str host);

#endif
