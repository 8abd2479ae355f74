/*
 * Vocabularies of SentencePiece (tokenizer.model, .spm): one protobuf message (see proto.h;
 * sentencepiece_model.proto). Data alone: what can be wrong is the encoding, and what hides in it.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/proto.h"
#include "formats/snippet.h"

enum message { MODEL, PIECE, TRAINER, NORMALIZER, SELF_TEST, SAMPLE, NONE };
enum { USE_PIECE = TUT_PROTO_OWN, USE_INPUT, TEXT_MAX = 256, INPUTS_TOLD = 16, PIECES_SEEN = 64 };

#define ROW(in, number, wire, repeats, use, into) {in, number, TUT_WIRE_##wire, repeats, use, into},

static const tut_proto_field fields[] = {
    ROW(MODEL, 1, LEN, true, TUT_PROTO_ENTER, PIECE)       /* pieces */
    ROW(MODEL, 2, LEN, false, TUT_PROTO_ENTER, TRAINER)    /* trainer_spec */
    ROW(MODEL, 3, LEN, false, TUT_PROTO_ENTER, NORMALIZER) /* normalizer_spec */
    ROW(MODEL, 4, LEN, false, TUT_PROTO_ENTER, SELF_TEST)  /* self_test_data */
    ROW(MODEL, 5, LEN, false, TUT_PROTO_ENTER, NORMALIZER) /* denormalizer_spec */
    ROW(PIECE, 1, LEN, false, USE_PIECE, NONE)             /* piece */
    ROW(PIECE, 2, 32, false, TUT_PROTO_SKIP, NONE)         /* score */
    ROW(PIECE, 3, VARINT, false, TUT_PROTO_SKIP, NONE)     /* type */
    ROW(TRAINER, 1, LEN, true, USE_INPUT, NONE)            /* input */
    ROW(TRAINER, 2, LEN, false, USE_INPUT, NONE)           /* model_prefix */
    ROW(TRAINER, 3, VARINT, false, TUT_PROTO_SKIP, NONE)   /* model_type */
    ROW(TRAINER, 4, VARINT, false, TUT_PROTO_SKIP, NONE)   /* vocab_size */
    ROW(NORMALIZER, 1, LEN, false, TUT_PROTO_TEXT_A, NONE) /* name */
    ROW(NORMALIZER, 2, LEN, false, TUT_PROTO_SKIP, NONE)   /* precompiled_charsmap */
    ROW(SELF_TEST, 1, LEN, true, TUT_PROTO_ENTER, SAMPLE)  /* samples */
    ROW(SAMPLE, 1, LEN, false, USE_PIECE, NONE)            /* input */
    ROW(SAMPLE, 2, LEN, false, USE_PIECE, NONE)            /* expected */
};
#undef ROW

static const char *const names[] = {"model", "piece", "trainer", "normalizer", "test", "sample"};

/* The settings of trainer and normaliser grow with every release: unknown ones say nothing. */
static const tut_proto_schema schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "SentencePiece",
    .malformed = "sentencepiece.malformed",
    .nesting = "sentencepiece.malformed",
};

typedef struct vocabulary {
    tut_exam *x;
    tut_proto p;
    uint64_t pieces, inputs;
} vocabulary;

static tut_status take_value(void *ctx, tut_proto_frame *f, const tut_proto_field *field,
                             uint64_t wire, uint64_t value, tut_error *err)
{
    vocabulary *v = ctx;
    char text[TEXT_MAX];
    (void)wire;
    TUT_TRY(tut_proto_text(&v->p, value, text, sizeof(text), err));
    tut_snippet_check(v->x, TUT_LIT("a text"), tut_str_of(text), f->at);
    if (field->use == USE_INPUT && v->inputs++ < INPUTS_TOLD)
        tut_exam_fact(v->x, "sentencepiece.input", tut_str_of(text));
    return TUT_SUCCESS;
}

static tut_status end_message(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    vocabulary *v = ctx;
    (void)err;
    v->pieces += f->kind == PIECE;
    return TUT_SUCCESS;
}

/* A first piece: its text, and a score as a float. */
static tut_match sniff(const tut_sniff *s)
{
    const uint8_t *at = s->head.data;
    if (s->head.len < 16 || at[0] != 0x0a || at[1] < 7 || at[2] != 0x0a || at[3] == 0 ||
        at[3] + 7 > at[1] || (size_t)at[3] + 4 >= s->head.len || at[4 + at[3]] != 0x15)
        return TUT_MATCH_NONE;
    /* Some pieces will do: what follows has fields of every release. */
    tut_sniff some = *s;
    some.head.len = some.head.len < PIECES_SEEN ? some.head.len : PIECES_SEEN;
    return tut_proto_sniff(&schema, MODEL, &some) >= 6 ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_proto_ops ops = {NULL, take_value, end_message};
    TUT_AUTO_FREE vocabulary *v = tut_alloc_array(1, sizeof(*v));
    tut_error own = {0};
    tut_error *why = err ? err : &own;
    if (!v)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v->x = x;
    tut_proto_init(&v->p, x, &schema, &ops, v);
    tut_status status = tut_proto_walk(&v->p, MODEL, x->size, why);
    tut_exam_factf(x, "sentencepiece.pieces", "%" PRIu64, v->pieces);
    return tut_proto_look_behind(&v->p, status, "sentencepiece.polyglot", why);
}

extern const tut_format tut_format_sentencepiece;

const tut_format tut_format_sentencepiece = {
    .name = "sentencepiece",
    .label = "SentencePiece",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".model .spm .bpe .vocab .sentencepiece",
    .reads = "pieces, program text in them, paths of the training data, what follows",
    .rules = "sentencepiece data",
};
