/*
 * Where assets come from, and what they went into, over time: the inventories of a system as they
 * were recorded, put together as one graph of versions (an asset at a digest) and the addresses
 * that their data came from.
 *
 * A question is known before the inventories are read, so that what answers it is noted on the way
 * and files and packages, of which there are many, need not be kept.
 */
#ifndef TUT_ASSETS_LINEAGE_H
#define TUT_ASSETS_LINEAGE_H

#include "assets/graph.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"
#include "crypto/digest.h"

typedef enum tut_question_kind {
    TUT_ASK_DIGEST,  /* hex, whole or its beginning (16 digits at least): of an asset, of a file in
                        it, of what lay at a source, of a package */
    TUT_ASK_URL,     /* an address, what lies below it, or all of a host */
    TUT_ASK_PACKAGE, /* pkg:TYPE/NAME[@VERSION] */
    TUT_ASK_ASSET,   /* KIND/NAME */
    TUT_ASK_ENTRY,   /* of a log: N, #N or evidence:N, traffic:N */
    TUT_ASK_COUNT
} tut_question_kind;
const char *tut_question_kind_name(tut_question_kind kind); /* "digest" */

typedef struct tut_question {
    tut_question_kind kind;
    char text[2048]; /* as asked; of a digest the hex in small letters, of an address trimmed */
    uint64_t entry;
    bool is_traffic;
} tut_question;

/* USAGE when it is none of these. */
TUT_MUST tut_status tut_question_parse(const char *text, tut_question *ret_question,
                                       tut_error *err);
/* Is `url` the asked address, or below it? Scheme and host in any case; http is https; a host alone
 * means all of it and its subdomains. */
bool tut_url_matches(tut_str asked, tut_str url);

typedef struct tut_moment { /* an inventory in the log */
    bool is_there;
    uint64_t index;
    tut_time at;
} tut_moment;

typedef struct tut_lineage_node {
    const char *name; /* asset id, or address */
    const char *kind; /* "model"; NULL: an address */
    bool has_digest, is_now, is_seed;
    tut_sha256 digest;
    tut_moment since, until; /* first and last inventory that has it */
    const char *how; /* why it answers the question: "file data/a.csv in it"; NULL: it does not */
    /* Of the last asset that was found to come from this address. */
    bool has_collected_at;
    const char *collected_at;
} tut_lineage_node;

typedef struct tut_lineage {
    const tut_question *question;
    tut_graph graph;
    tut_lineage_node *nodes;
    size_t count, capacity;
    tut_map by_key;
    uint32_t *seeds;
    size_t seed_count, seed_capacity;
    tut_arena arena;
    tut_error *err;
} tut_lineage;

void tut_lineage_init(tut_lineage *l, const tut_question *question, tut_error *err);
void tut_lineage_done(tut_lineage *l);

/* Takes in assets[] of an inventory document; at: where it is recorded, is_now: it is that of the
 * tree as it is. Members of other types than documented are passed over. */
TUT_MUST tut_status tut_lineage_take(tut_lineage *l, const tut_json_value *assets,
                                     const tut_moment *at, bool is_now);
/* An asset's data came from this address as well (components of the description say so). Every
 * version of the asset that is there by now is meant. */
TUT_MUST tut_status tut_lineage_source(tut_lineage *l, tut_str asset, tut_str url);
/* A version that only the log knows, and that answers the question. */
TUT_MUST tut_status tut_lineage_version(tut_lineage *l, const char *asset, const tut_sha256 *digest,
                                        const char *how, const tut_moment *at);
/* The version of an asset at this digest, or the one that was taken in first; NONE. */
uint32_t tut_lineage_find(const tut_lineage *l, tut_str asset, const tut_sha256 *digest);
TUT_MUST tut_status tut_lineage_seed(tut_lineage *l, uint32_t node, const char *how);

#endif
