/*
 * `probe:` of tutela.yaml (docs/probe.md): which models can be reached where, with which data, and
 * what a measure may come to. A target that is written down there is declared: it may be attacked
 * wherever it is.
 */
#ifndef TUT_PROBE_POLICY_H
#define TUT_PROBE_POLICY_H

#include "assets/schema.h"
#include "probe/judge.h"
#include "probe/kinds.h"

typedef struct tut_probe_target {
    tut_str id, asset; /* asset: what is attacked there; empty: the system as a whole */
    tut_str at, guard; /* places (target.h); files below the directory of tutela.yaml */
    tut_str model;     /* its name in requests */
    tut_str key_file, guard_key_file;
    /* Another model of texts that membership holds it against, with its name in requests and the
     * file of its key. */
    tut_str reference_at, reference_model, reference_key_file;
    tut_str members, others, label, references; /* files below it, and a column */
    tut_str_list columns, probes; /* probes: none: those that the threats of its kind call for */
    tut_str_list fixed, shape;    /* columns that nobody can change; of one row: "1", "28", "28" */
    /* Files below it: what a system of texts is made of (tut_texts). Canaries and hosts of links
     * are those of the guard's policy where there are none of the target's own. */
    tut_str canaries, system_prompt, tools, questions, tool_result, documents, other_documents;
    tut_str flood_key_file; /* of the client that floods, where that is another one */
    tut_str ca_file;        /* authorities of both addresses, in place of the system's */
    tut_str norm_word, failure_command;
    double scale, size, low, high; /* of evasion; scale: of the data */
    double per_second, money, price_query, price_million;
    uint32_t queries, concurrency, rows, models;
    const tut_yaml_node *node;
} tut_probe_target;

typedef struct tut_probe_policy { /* borrows from the system that it was read of */
    tut_probe_target *targets;
    size_t target_count;
    tut_bounds bounds;
} tut_probe_policy;

/* MALFORMED with one line and the place rendered into ret_shown. No probe: section is an empty
 * policy with our own bounds. */
TUT_MUST tut_status tut_probe_policy_read(tut_system *system, tut_probe_policy *ret_policy,
                                          tut_buf *ret_shown, tut_error *err);
const tut_probe_target *tut_probe_target_of(const tut_probe_policy *p, tut_str id);
/* Whether this probe is asked for of the target: by its list, else by what it is. */
bool tut_probe_target_wants(const tut_probe_target *t, tut_probe_kind kind);
bool tut_place_is_url(tut_str place);

#endif
