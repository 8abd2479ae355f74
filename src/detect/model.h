/*
 * The weights: tables of bytes, how their sums are read, and the limits that a score is
 * measured against, by how long the text is. Written by `tutela guard fit`; one set is part of the
 * program, under the SHA-256 that it had when the program was built.
 *
 *   file    = "TUTDET04" heads mixer marks limits
 *   heads   = 4 x { u32 buckets, f32 bias, 6 x f32 scale, i8[buckets] }
 *   mixer   = f32 bias, 16 x { f32 bias, f32 weight, f32 scale }, i8[buckets x 16]
 *   marks   = 6 logits x { f32 middle, f32 spread }
 *   limits  = 2 provenances x 8 lengths x { f32 one, f32 two }
 */
#ifndef TUT_DETECT_MODEL_H
#define TUT_DETECT_MODEL_H

#include "base/buf.h"
#include "detect/feature.h"

enum { TUT_LIMIT_NODES = 8, TUT_MODEL_BYTES_MAX = 4 << 20 };

typedef enum tut_provenance { TUT_FROM_USER, TUT_FROM_DATA, TUT_PROVENANCES } tut_provenance;

typedef struct tut_head_weights {
    float bias, scale[TUT_BAG_GROUPS]; /* of a table's bytes */
    int8_t *table;
} tut_head_weights;

/* A hidden layer over the symbols of a text but for their runs: what is innocent alone and is not
 * together. Each unit is what is positive of its sum. */
enum { TUT_MIXER_UNITS = 16 };
typedef struct tut_mixer {
    float bias, biases[TUT_MIXER_UNITS], weights[TUT_MIXER_UNITS], scale[TUT_MIXER_UNITS];
    int8_t *table; /* units of a bucket side by side */
} tut_mixer;

/* What says something of a text, each on a scale of its own. */
typedef enum tut_logit {
    TUT_LOGIT_WORDS, /* of a window of user text */
    TUT_LOGIT_SYMBOLS,
    TUT_LOGIT_MIXED,
    TUT_LOGIT_STRETCH, /* of the stretch of it that is highest */
    TUT_LOGIT_SEGMENT, /* of the highest segment of data */
    TUT_LOGIT_WITHIN,  /* of the highest stretch in one */
    TUT_LOGITS
} tut_logit;
static inline int tut_logits_first(tut_provenance from)
{
    return from == TUT_FROM_USER ? TUT_LOGIT_WORDS : TUT_LOGIT_SEGMENT;
}
static inline int tut_logits_end(tut_provenance from)
{
    return from == TUT_FROM_USER ? TUT_LOGIT_SEGMENT : TUT_LOGITS;
}

typedef struct tut_model {
    tut_head_weights heads[TUT_HEAD_COUNT];
    tut_mixer mixer;
    float middle[TUT_LOGITS],
        spread[TUT_LOGITS]; /* half a per cent of clean text is above middle */
    /* Of clean text one in a hundred lies above [0], one in a thousand above [1]; by length: node
     * k is 4^k segments, or 16 x 4^k tokens of user text. */
    float limits[TUT_PROVENANCES][TUT_LIMIT_NODES][2];
    tut_lexicon lexicon;
} tut_model;

void tut_model_free(tut_model *m);
TUT_DEFINE_AUTO(tut_model)
TUT_MUST tut_status tut_model_new(tut_model **ret_model, tut_error *err); /* all zero */
TUT_MUST tut_status tut_model_read(tut_span bytes, tut_model **ret_model, tut_error *err);
void tut_model_write(const tut_model *m, tut_buf *out);
/* What is part of the program; BUG when its digest is not the one it was built with. */
TUT_MUST tut_status tut_model_builtin(tut_model **ret_model, tut_error *err);
tut_span tut_model_builtin_bytes(void);

float tut_model_logit(const tut_model *m, tut_head head, const tut_bag *b);
/* All on one scale: a maximum that is soft. */
#define TUT_LOGIT_NONE (-1e5f)
float tut_model_joined(const tut_model *m, tut_provenance from, const float logits[TUT_LOGITS]);
float tut_model_mixed(const tut_model *m, const tut_bag *b); /* of the symbols' bag */
uint32_t tut_mixer_buckets(void);
uint32_t tut_mixer_first(void); /* the first bucket of the symbols' head that it looks at */
/* 0 at the first limit, 1 at the second. length: segments, or tokens of user text. */
float tut_model_against(const tut_model *m, tut_provenance from, size_t length, float margin);
/* 0 to 1: 0.5 at the first limit, 0.9 at the second. */
double tut_model_score(float against);

#endif
