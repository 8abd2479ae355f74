/*
 * What the files of the LightGBM parser share: lightgbm.c (sections and lines), lightgbm_tree.c
 * (one tree).
 */
#ifndef TUT_FORMATS_LIGHTGBM_H
#define TUT_FORMATS_LIGHTGBM_H

#include "formats/format.h"

typedef enum tut_lgb_field {
    TUT_LGB_SPLIT_FEATURE,
    TUT_LGB_THRESHOLD,
    TUT_LGB_DECISION,
    TUT_LGB_LEFT,
    TUT_LGB_RIGHT,
    TUT_LGB_CAT_BOUNDARIES,
    TUT_LGB_CAT_THRESHOLD,
    TUT_LGB_LEAF_VALUE,
    TUT_LGB_LEAF_WEIGHT,
    TUT_LGB_LEAF_COUNT,
    TUT_LGB_SPLIT_GAIN,
    TUT_LGB_INNER_VALUE,
    TUT_LGB_INNER_WEIGHT,
    TUT_LGB_INNER_COUNT,
    TUT_LGB_LEAF_FEATURES,
    TUT_LGB_FIELDS
} tut_lgb_field;

typedef struct tut_lgb_list {
    int64_t *items; /* of fields that are indices */
    size_t kept, capacity;
    uint64_t count;
    bool is_there, has_other; /* something in it is no number of the kind */
} tut_lgb_list;

typedef struct tut_lgb_tree {
    uint64_t at, number;
    tut_lgb_list lists[TUT_LGB_FIELDS];
    int64_t leaves, categories;
    bool has_leaves, is_told, is_linear;
} tut_lgb_tree;

typedef struct tut_lgb {
    tut_exam *x;
    tut_lgb_tree tree;
    uint64_t charged, trees;
    int64_t max_feature; /* -1: not said */
    bool in_tree;
} tut_lgb;

const char *tut_lgb_field_name(tut_lgb_field field);
bool tut_lgb_field_is_kept(tut_lgb_field field);
void tut_lgb_tree_begin(tut_lgb *b, uint64_t at);
TUT_MUST tut_status tut_lgb_tree_add(tut_lgb *b, tut_lgb_field field, tut_str word, tut_error *err);
void tut_lgb_tree_end(tut_lgb *b);
void tut_lgb_done(tut_lgb *b);

#endif
