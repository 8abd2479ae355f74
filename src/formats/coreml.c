/*
 * Core ML: one protobuf message, Model (see proto.h; mlmodel/format of coremltools). A .mlpackage
 * is a folder with such a file and the weights of its programs beside it.
 *
 *   Model = version description (pipeline | network | program | custom | linked | serialised | ...)
 *
 * Custom layers and models name a class of the application; linked models and weights name files.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/encoded.h"
#include "formats/payload.h"
#include "formats/proto.h"
#include "formats/relpath.h"
#include "formats/snippet.h"
#include "formats/tf_ops.h"

enum message {
    MODEL,
    DESCRIPTION,
    METADATA,
    DEFINED, /* entry of userDefined */
    PIPELINE,
    WRAPPED, /* pipeline of a classifier or regressor */
    NETWORK,
    LAYER,
    CUSTOM_LAYER,
    CUSTOM_MODEL,
    LINKED,
    LINKED_FILE,
    FILE_NAME,
    SEARCH_PATH,
    SERIALISED,
    PROGRAM,
    FUNCTIONS, /* entries of maps */
    FUNCTION,
    BLOCKS,
    BLOCK,
    OPERATION,
    ARGUMENTS,
    ARGUMENT,
    BINDING,
    ATTRIBUTES,
    VALUE,
    BLOB,
    NONE
};

enum { TUT_COREML_TEXT = TUT_PROTO_OWN };

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {in, number, TUT_WIRE_##wire, repeats, TUT_##use, into},

/* clang-format off */
static const tut_proto_field fields[] = {
    ROW(MODEL, 1, VARINT, false, PROTO_NUMBER, NONE)        /* specificationVersion */
    ROW(MODEL, 2, LEN, false, PROTO_ENTER, DESCRIPTION)     /* description */
    ROW(MODEL, 10, VARINT, false, PROTO_SKIP, NONE)         /* isUpdatable */
    ROW(MODEL, 200, LEN, false, PROTO_ENTER, WRAPPED)       /* pipelineClassifier */
    ROW(MODEL, 201, LEN, false, PROTO_ENTER, WRAPPED)       /* pipelineRegressor */
    ROW(MODEL, 202, LEN, false, PROTO_ENTER, PIPELINE)      /* pipeline */
    ROW(MODEL, 303, LEN, false, PROTO_ENTER, NETWORK)       /* neuralNetworkRegressor */
    ROW(MODEL, 403, LEN, false, PROTO_ENTER, NETWORK)       /* neuralNetworkClassifier */
    ROW(MODEL, 500, LEN, false, PROTO_ENTER, NETWORK)       /* neuralNetwork */
    ROW(MODEL, 502, LEN, false, PROTO_ENTER, PROGRAM)       /* mlProgram */
    ROW(MODEL, 555, LEN, false, PROTO_ENTER, CUSTOM_MODEL)  /* customModel */
    ROW(MODEL, 556, LEN, false, PROTO_ENTER, LINKED)        /* linkedModel */
    ROW(MODEL, 3000, LEN, false, PROTO_ENTER, SERIALISED)   /* serializedModel */
    ROW(MODEL, 300, LEN, false, PROTO_SKIP, NONE) /* glmRegressor */
    ROW(MODEL, 301, LEN, false, PROTO_SKIP, NONE) /* supportVectorRegressor */
    ROW(MODEL, 302, LEN, false, PROTO_SKIP, NONE) /* treeEnsembleRegressor */
    ROW(MODEL, 400, LEN, false, PROTO_SKIP, NONE) /* glmClassifier */
    ROW(MODEL, 401, LEN, false, PROTO_SKIP, NONE) /* supportVectorClassifier */
    ROW(MODEL, 402, LEN, false, PROTO_SKIP, NONE) /* treeEnsembleClassifier */
    ROW(MODEL, 404, LEN, false, PROTO_SKIP, NONE) /* kNearestNeighborsClassifier */
    ROW(MODEL, 501, LEN, false, PROTO_SKIP, NONE) /* itemSimilarityRecommender */
    ROW(MODEL, 560, LEN, false, PROTO_SKIP, NONE) /* classConfidenceThresholding */
    ROW(MODEL, 304, LEN, false, PROTO_SKIP, NONE) /* bayesianProbitRegressor */
    ROW(MODEL, 600, LEN, false, PROTO_SKIP, NONE) /* oneHotEncoder */
    ROW(MODEL, 601, LEN, false, PROTO_SKIP, NONE) /* imputer */
    ROW(MODEL, 602, LEN, false, PROTO_SKIP, NONE) /* featureVectorizer */
    ROW(MODEL, 603, LEN, false, PROTO_SKIP, NONE) /* dictVectorizer */
    ROW(MODEL, 604, LEN, false, PROTO_SKIP, NONE) /* scaler */
    ROW(MODEL, 606, LEN, false, PROTO_SKIP, NONE) /* categoricalMapping */
    ROW(MODEL, 607, LEN, false, PROTO_SKIP, NONE) /* normalizer */
    ROW(MODEL, 609, LEN, false, PROTO_SKIP, NONE) /* arrayFeatureExtractor */
    ROW(MODEL, 610, LEN, false, PROTO_SKIP, NONE) /* nonMaximumSuppression */
    ROW(MODEL, 900, LEN, false, PROTO_SKIP, NONE) /* identity */
    ROW(MODEL, 2000, LEN, false, PROTO_SKIP, NONE) /* textClassifier */
    ROW(MODEL, 2001, LEN, false, PROTO_SKIP, NONE) /* wordTagger */
    ROW(MODEL, 2002, LEN, false, PROTO_SKIP, NONE) /* visionFeaturePrint */
    ROW(MODEL, 2003, LEN, false, PROTO_SKIP, NONE) /* soundAnalysisPreprocessing */
    ROW(MODEL, 2004, LEN, false, PROTO_SKIP, NONE) /* gazetteer */
    ROW(MODEL, 2005, LEN, false, PROTO_SKIP, NONE) /* wordEmbedding */
    ROW(MODEL, 2006, LEN, false, PROTO_SKIP, NONE) /* audioFeaturePrint */
    ROW(DESCRIPTION, 1, LEN, true, PROTO_SKIP, NONE)        /* input */
    ROW(DESCRIPTION, 10, LEN, true, PROTO_SKIP, NONE)       /* output */
    ROW(DESCRIPTION, 11, LEN, false, PROTO_SKIP, NONE)      /* predictedFeatureName */
    ROW(DESCRIPTION, 12, LEN, false, PROTO_SKIP, NONE)      /* predictedProbabilitiesName */
    ROW(DESCRIPTION, 13, LEN, true, PROTO_SKIP, NONE)       /* state */
    ROW(DESCRIPTION, 20, LEN, true, PROTO_SKIP, NONE)       /* functions */
    ROW(DESCRIPTION, 21, LEN, false, PROTO_SKIP, NONE)      /* defaultFunctionName */
    ROW(DESCRIPTION, 50, LEN, true, PROTO_SKIP, NONE)       /* trainingInput */
    ROW(DESCRIPTION, 100, LEN, false, PROTO_ENTER, METADATA) /* metadata */
    ROW(METADATA, 1, LEN, false, COREML_TEXT, NONE)          /* shortDescription */
    ROW(METADATA, 2, LEN, false, COREML_TEXT, NONE)          /* versionString */
    ROW(METADATA, 3, LEN, false, COREML_TEXT, NONE)          /* author */
    ROW(METADATA, 4, LEN, false, COREML_TEXT, NONE)          /* license */
    ROW(METADATA, 100, LEN, true, PROTO_ENTER, DEFINED)     /* userDefined */
    ROW(DEFINED, 1, LEN, false, PROTO_TEXT_A, NONE)         /* key */
    ROW(DEFINED, 2, LEN, false, PROTO_TEXT_B, NONE)         /* value */
    ROW(PIPELINE, 1, LEN, true, PROTO_ENTER, MODEL)         /* models */
    ROW(PIPELINE, 2, LEN, true, PROTO_SKIP, NONE)           /* names */
    ROW(WRAPPED, 1, LEN, false, PROTO_ENTER, PIPELINE)      /* pipeline */
    ROW(NETWORK, 1, LEN, true, PROTO_ENTER, LAYER)          /* layers */
    ROW(NETWORK, 2, LEN, true, PROTO_SKIP, NONE)            /* preprocessing */
    ROW(NETWORK, 5, VARINT, false, PROTO_SKIP, NONE)        /* arrayInputShapeMapping */
    ROW(NETWORK, 6, VARINT, false, PROTO_SKIP, NONE)        /* imageInputShapeMapping */
    ROW(NETWORK, 10, LEN, false, PROTO_SKIP, NONE)          /* updateParams */
    ROW(NETWORK, 100, LEN, false, PROTO_SKIP, NONE)         /* stringClassLabels */
    ROW(NETWORK, 101, LEN, false, PROTO_SKIP, NONE)         /* int64ClassLabels */
    ROW(NETWORK, 200, LEN, false, PROTO_SKIP, NONE)         /* labelProbabilityLayerName */
    ROW(LAYER, 1, LEN, false, PROTO_TEXT_A, NONE)           /* name */
    ROW(LAYER, 2, LEN, true, PROTO_SKIP, NONE)              /* input */
    ROW(LAYER, 3, LEN, true, PROTO_SKIP, NONE)              /* output */
    ROW(LAYER, 4, LEN, true, PROTO_SKIP, NONE)              /* inputTensor */
    ROW(LAYER, 5, LEN, true, PROTO_SKIP, NONE)              /* outputTensor */
    ROW(LAYER, 10, VARINT, false, PROTO_SKIP, NONE)         /* isUpdatable */
    ROW(LAYER, 500, LEN, false, PROTO_ENTER, CUSTOM_LAYER)  /* custom */
#define LAYER(number) ROW(LAYER, number, LEN, false, PROTO_SKIP, NONE)
#include "formats/coreml_layers.def"
#undef LAYER
    ROW(CUSTOM_LAYER, 10, LEN, false, PROTO_TEXT_A, NONE)   /* className */
    ROW(CUSTOM_LAYER, 20, LEN, true, PROTO_SKIP, NONE)      /* weights */
    ROW(CUSTOM_LAYER, 30, LEN, true, PROTO_SKIP, NONE)      /* parameters */
    ROW(CUSTOM_LAYER, 40, LEN, false, PROTO_SKIP, NONE)     /* description */
    ROW(CUSTOM_MODEL, 10, LEN, false, PROTO_TEXT_A, NONE)   /* className */
    ROW(CUSTOM_MODEL, 30, LEN, true, PROTO_SKIP, NONE)      /* parameters */
    ROW(CUSTOM_MODEL, 40, LEN, false, PROTO_SKIP, NONE)     /* description */
    ROW(LINKED, 1, LEN, false, PROTO_ENTER, LINKED_FILE)    /* linkedModelFile */
    ROW(LINKED_FILE, 1, LEN, false, PROTO_ENTER, FILE_NAME) /* linkedModelFileName */
    ROW(LINKED_FILE, 2, LEN, false, PROTO_ENTER, SEARCH_PATH) /* linkedModelSearchPath */
    ROW(FILE_NAME, 1, LEN, false, PROTO_TEXT_A, NONE)       /* defaultValue */
    ROW(SEARCH_PATH, 1, LEN, false, PROTO_TEXT_A, NONE)     /* defaultValue */
    ROW(SERIALISED, 1, LEN, false, PROTO_TEXT_A, NONE)      /* identifier */
    ROW(SERIALISED, 2, LEN, false, PROTO_SKIP, NONE)        /* model */
    ROW(PROGRAM, 1, VARINT, false, PROTO_SKIP, NONE)        /* version */
    ROW(PROGRAM, 2, LEN, true, PROTO_ENTER, FUNCTIONS)      /* functions */
    ROW(PROGRAM, 3, LEN, false, PROTO_SKIP, NONE)           /* docString */
    ROW(PROGRAM, 4, LEN, true, PROTO_ENTER, ATTRIBUTES)     /* attributes */
    ROW(FUNCTIONS, 1, LEN, false, PROTO_TEXT_A, NONE)       /* key */
    ROW(FUNCTIONS, 2, LEN, false, PROTO_ENTER, FUNCTION)    /* value */
    ROW(FUNCTION, 1, LEN, true, PROTO_SKIP, NONE)           /* inputs */
    ROW(FUNCTION, 2, LEN, false, PROTO_SKIP, NONE)          /* opset */
    ROW(FUNCTION, 3, LEN, true, PROTO_ENTER, BLOCKS)        /* block_specializations */
    ROW(FUNCTION, 4, LEN, true, PROTO_ENTER, ATTRIBUTES)    /* attributes */
    ROW(BLOCKS, 1, LEN, false, PROTO_TEXT_A, NONE)          /* key */
    ROW(BLOCKS, 2, LEN, false, PROTO_ENTER, BLOCK)          /* value */
    ROW(BLOCK, 1, LEN, true, PROTO_SKIP, NONE)              /* inputs */
    ROW(BLOCK, 2, LEN, true, PROTO_SKIP, NONE)              /* outputs */
    ROW(BLOCK, 3, LEN, true, PROTO_ENTER, OPERATION)        /* operations */
    ROW(BLOCK, 4, LEN, true, PROTO_ENTER, ATTRIBUTES)       /* attributes */
    ROW(OPERATION, 1, LEN, false, PROTO_TEXT_A, NONE)       /* type */
    ROW(OPERATION, 2, LEN, true, PROTO_ENTER, ARGUMENTS)    /* inputs */
    ROW(OPERATION, 3, LEN, true, PROTO_SKIP, NONE)          /* outputs */
    ROW(OPERATION, 4, LEN, true, PROTO_ENTER, BLOCK)        /* blocks */
    ROW(OPERATION, 5, LEN, true, PROTO_ENTER, ATTRIBUTES)   /* attributes */
    ROW(ARGUMENTS, 1, LEN, false, PROTO_TEXT_A, NONE)       /* key */
    ROW(ARGUMENTS, 2, LEN, false, PROTO_ENTER, ARGUMENT)    /* value */
    ROW(ARGUMENT, 1, LEN, true, PROTO_ENTER, BINDING)       /* arguments */
    ROW(BINDING, 1, LEN, false, PROTO_SKIP, NONE)           /* name */
    ROW(BINDING, 2, LEN, false, PROTO_ENTER, VALUE)         /* value */
    ROW(ATTRIBUTES, 1, LEN, false, PROTO_TEXT_A, NONE)      /* key */
    ROW(ATTRIBUTES, 2, LEN, false, PROTO_ENTER, VALUE)      /* value */
    ROW(VALUE, 1, LEN, false, PROTO_SKIP, NONE)             /* docString */
    ROW(VALUE, 2, LEN, false, PROTO_SKIP, NONE)             /* type */
    ROW(VALUE, 3, LEN, false, PROTO_SKIP, NONE)             /* immediateValue */
    ROW(VALUE, 5, LEN, false, PROTO_ENTER, BLOB)            /* blobFileValue */
    ROW(BLOB, 1, LEN, false, PROTO_TEXT_A, NONE)            /* fileName */
    ROW(BLOB, 2, VARINT, false, PROTO_NUMBER, NONE)         /* offset */
};
/* clang-format on */
#undef ROW

static const char *const names[] = {"model",          "description",    "metadata",
                                    "metadata entry", "pipeline",       "pipeline",
                                    "network",        "layer",          "custom layer",
                                    "custom model",   "linked model",   "linked file",
                                    "file name",      "search path",    "serialised model",
                                    "program",        "function entry", "function",
                                    "block entry",    "block",          "operation",
                                    "argument entry", "argument",       "binding",
                                    "attribute",      "value",          "blob"};

static const tut_proto_schema schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "Core ML",
    .malformed = "coreml.malformed",
    .nesting = "coreml.nesting",
    .padded = "coreml.padded-number",
    .wrong_wire = "coreml.wrong-wire-type",
    .duplicate = "coreml.duplicate-field",
    .unknown = "coreml.unknown-field",
};

typedef struct core {
    tut_exam *x;
    tut_proto p;
    char file[256]; /* of weights: the one that was looked up last */
    uint64_t file_size;
    bool has_file;
    uint64_t layers, operations, blobs, models;
} core;

static tut_match sniff(const tut_sniff *s)
{
    bool is_own = tut_sniff_ext(s, ".mlmodel");
    if (is_own && tut_proto_shows(&schema, MODEL, s))
        return TUT_MATCH_SURE;
    if (s->head.len < 6 || s->head.data[0] != 0x08 || s->head.data[1] == 0 ||
        s->head.data[1] > 20 || s->head.data[2] != 0x12)
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&schema, MODEL, s);
    return known >= 5 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static void judge_class(core *c, const tut_proto_frame *f, const char *what)
{
    tut_exam_factf(c->x, "coreml.class", "%s", f->a);
    tut_exam_observe(c->x, tut_tf_op_sounds_bad(f->a) ? "coreml.code-class" : "coreml.custom-code",
                     f->at, "%s of class %s", what, f->a[0] ? f->a : "(no name)");
}

static void judge_link(core *c, const tut_proto_frame *f)
{
    tut_str name = tut_str_of(f->a);
    const char *why = f->kind == SEARCH_PATH && f->a[0] == '$' ? NULL : tut_relpath_unsafe(name);
    if (name.len > 0 && why)
        tut_exam_observe(c->x, "coreml.path", f->at, "%s of a linked model %s: %s",
                         f->kind == FILE_NAME ? "the file" : "the search path", why, f->a);
    if (f->kind == FILE_NAME)
        tut_exam_observe(c->x, "coreml.linked-model", f->at, "the model lies in %s", f->a);
}

/* "@model_path/weights/weight.bin" lies in the package, beside this file. */
static void judge_blob(core *c, const tut_proto_frame *f)
{
    static const char prefix[] = "@model_path/";
    const char *rel = f->a;
    tut_source source;
    c->blobs++;
    if (strncmp(rel, prefix, sizeof(prefix) - 1) == 0)
        rel += sizeof(prefix) - 1;
    const char *why = tut_relpath_unsafe(tut_str_of(rel));
    if (why) {
        tut_exam_observe(c->x, "coreml.path", f->at, "a file of weights %s: %s", why, f->a);
        return;
    }
    if (strcmp(rel, c->file) != 0 && c->x->ops->sibling) {
        tut_str_copy(c->file, sizeof(c->file), tut_str_of(rel));
        tut_exam_fact(c->x, "refers.shard", tut_str_of(rel));
        c->has_file = tut_is_ok(c->x->ops->sibling(c->x->ctx, rel, &source, NULL));
        c->file_size = c->has_file ? source.size : 0;
    }
    if (c->has_file && (uint64_t)f->number >= c->file_size)
        tut_exam_observe(c->x, "coreml.range", f->at,
                         "weights at %" PRIu64 " of %s, which has %" PRIu64 " bytes",
                         (uint64_t)f->number, rel, c->file_size);
}

static void end_defined(core *c, const tut_proto_frame *f)
{
    tut_exam_factf(c->x, "coreml.metadata", "%s: %s", f->a, f->b);
    tut_snippet_check(c->x, tut_str_of(f->a), tut_str_of(f->b), f->at);
}

static tut_status end_message(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    core *c = ctx;
    (void)err;
    c->layers += f->kind == LAYER;
    c->operations += f->kind == OPERATION;
    c->models += f->kind == MODEL;
    if (f->kind == CUSTOM_LAYER)
        judge_class(c, f, "custom layer");
    if (f->kind == CUSTOM_MODEL)
        judge_class(c, f, "custom model");
    if (f->kind == FILE_NAME || f->kind == SEARCH_PATH)
        judge_link(c, f);
    if (f->kind == SERIALISED)
        tut_exam_observe(c->x, "coreml.opaque-model", f->at, "serialised as %s", f->a);
    if (f->kind == BLOB)
        judge_blob(c, f);
    if (f->kind == DEFINED)
        end_defined(c, f);
    return TUT_SUCCESS;
}

static tut_status take_value(void *ctx, tut_proto_frame *f, const tut_proto_field *field,
                             uint64_t wire, uint64_t value, tut_error *err)
{
    static const char *const keys[] = {"", "description", "version", "author", "license"};
    core *c = ctx;
    char text[1024];
    (void)f;
    (void)wire;
    uint64_t at = tut_stream_pos(c->x->stream);
    TUT_TRY(tut_encoded_look_ahead(c->x, value, false, err));
    TUT_TRY(tut_proto_text(&c->p, value, text, sizeof(text), err));
    tut_exam_factf(c->x, "coreml.metadata", "%s: %s", keys[field->number], text);
    tut_snippet_check(c->x, tut_str_of(keys[field->number]), tut_str_of(text), at);
    if (field->number == 4)
        tut_exam_fact(c->x, "licence", tut_str_of(text));
    return TUT_SUCCESS;
}

static void report(core *c)
{
    tut_exam_factf(c->x, "coreml.version", "%" PRId64, c->p.stack[0].number);
    if (c->layers)
        tut_exam_factf(c->x, "coreml.layers", "%" PRIu64, c->layers);
    if (c->operations)
        tut_exam_factf(c->x, "coreml.operations", "%" PRIu64, c->operations);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_proto_ops ops = {NULL, take_value, end_message};
    TUT_AUTO_FREE core *c = tut_alloc_array(1, sizeof(*c));
    tut_error own = {0};
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->x = x;
    tut_proto_init(&c->p, x, &schema, &ops, c);
    tut_error *why = err ? err : &own;
    tut_status status = tut_proto_walk(&c->p, MODEL, x->size, why);
    report(c);
    return tut_proto_look_behind(&c->p, status, "coreml.polyglot", why);
}

extern const tut_format tut_format_coreml;

const tut_format tut_format_coreml = {
    .name = "coreml",
    .label = "Core ML",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".mlmodel",
    .reads = "custom classes, linked models, programs and their files of weights, metadata",
    .rules = "coreml data",
};
