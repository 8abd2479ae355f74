/*
 * What the files of the XGBoost parser share: xgboost.c (recognising; JSON and UBJSON as tokens),
 * xgboost_model.c (which token means what), xgboost_tree.c (one tree), xgboost_binary.c (the format
 * before JSON).
 */
#ifndef TUT_FORMATS_XGBOOST_H
#define TUT_FORMATS_XGBOOST_H

#include "formats/format.h"
#include "formats/json_pull.h"
#include "formats/key_stack.h"

/* A list of whole numbers that a tree is made of. */
typedef struct tut_xgb_list {
    int64_t *items;
    size_t count, capacity;
    bool has_other; /* something in it is no whole number */
} tut_xgb_list;

typedef enum tut_xgb_field {
    TUT_XGB_LEFT,
    TUT_XGB_RIGHT,
    TUT_XGB_PARENT,
    TUT_XGB_SPLIT,      /* feature that a node splits by */
    TUT_XGB_SPLIT_TYPE, /* 1: by categories */
    TUT_XGB_CATEGORY_NODES,
    TUT_XGB_CATEGORY_SEGMENTS,
    TUT_XGB_CATEGORY_SIZES,
    TUT_XGB_LISTS, /* kept, up to here */
    TUT_XGB_CATEGORIES = TUT_XGB_LISTS,
    TUT_XGB_CONDITION,
    TUT_XGB_DEFAULT_LEFT,
    TUT_XGB_LOSS,
    TUT_XGB_HESSIAN,
    TUT_XGB_WEIGHT,
    TUT_XGB_FIELDS /* counted, up to here */
} tut_xgb_field;

typedef struct tut_xgb_tree {
    uint64_t at;
    uint64_t number;
    tut_xgb_list lists[TUT_XGB_LISTS];
    uint64_t counts[TUT_XGB_FIELDS];
    bool has[TUT_XGB_FIELDS];
    int64_t nodes, deleted, features, leaf_size;
    bool has_nodes;
    bool is_told; /* one finding a tree is enough */
} tut_xgb_tree;

/* Numbers of the file's parameters; -1: not there. */
typedef struct tut_xgb {
    tut_exam *x;
    tut_xgb_tree tree;
    uint64_t charged;
    uint64_t trees, infos;
    int64_t declared_trees, features, classes, targets;
    int64_t largest_features; /* that a tree claims */
    int64_t largest_split, largest_info;
    uint64_t largest_split_tree;
    char objective[64], booster[64], version[64];
    bool has_learner, has_booster, has_weights;
} tut_xgb;

void tut_xgb_init(tut_xgb *b, tut_exam *x);
void tut_xgb_done(tut_xgb *b);
void tut_xgb_tree_begin(tut_xgb *b, uint64_t at);
TUT_MUST tut_status tut_xgb_tree_add(tut_xgb *b, tut_xgb_field field, bool is_integer,
                                     int64_t value, tut_error *err);
void tut_xgb_tree_end(tut_xgb *b);
/* Facts, and what only the whole file can tell. */
void tut_xgb_finish(tut_xgb *b);
/* A name that the library would look up: said when it knows none of that name. */
void tut_xgb_objective(tut_xgb *b, tut_str name, uint64_t at);
void tut_xgb_booster(tut_xgb *b, tut_str name, uint64_t at);

/* A token of JSON or UBJSON. */
typedef struct tut_xgb_token {
    tut_json_token type;
    tut_str text; /* KEY, STRING; NUMBER of JSON */
    uint64_t hash, offset;
    bool is_integer;
    int64_t integer;
} tut_xgb_token;

typedef struct tut_xgb_reader {
    tut_xgb *model;
    tut_key_stack keys;
    const char *duplicate; /* rule */
    uint32_t depth;
    uint8_t path[TUT_JSON_PULL_DEPTH]; /* key of each open container */
    uint8_t key;                       /* of the value to come */
    char name[64];                     /* the same as text */
    bool in_tree;
    uint32_t tree_depth;
    size_t duplicates, attributes;
} tut_xgb_reader;

void tut_xgb_reader_init(tut_xgb_reader *r, tut_xgb *model, const char *duplicate);
void tut_xgb_reader_done(tut_xgb_reader *r);
TUT_MUST tut_status tut_xgb_read(tut_xgb_reader *r, const tut_xgb_token *t, tut_error *err);
/* Right behind ARRAY: nobody wants what is in it. */
bool tut_xgb_is_idle(const tut_xgb_reader *r);

#endif
