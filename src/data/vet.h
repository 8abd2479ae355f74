/*
 * Vetting datasets: what they are (profile), whether they keep to what they were (schema), what
 * stands in them that should not (personal data, secrets, hidden text, orders to a model), what is
 * there twice or on both sides of a split, and what looks planted.
 *
 * Files are read once, by one worker without keys or network (base/cage.h); this side gathers them,
 * takes their digests, and checks what the worker answers.
 */
#ifndef TUT_DATA_VET_H
#define TUT_DATA_VET_H

#include "base/cage.h"
#include "base/json_write.h"
#include "crypto/chunk.h"
#include "data/found.h"
#include "data/split.h"
#include "scan/rule.h"
#include "text/text.h"

/* name, words for people */
#define TUT_VET_CHECKS(X)                                                                          \
    X(PROFILE, "profile", "types, ranges, distributions; the baseline where there is one")         \
    X(PERSONAL, "personal", "personal data and secrets")                                           \
    X(HIDDEN, "hidden", "hidden characters, orders to a model")                                    \
    X(DUPLICATES, "duplicates", "rows and texts that are there twice, also across splits")         \
    X(POISON, "poison", "wrong labels, planted patterns, outliers, bursts of one source")

typedef enum tut_vet_check {
#define TUT_VET_CHECK_ENUM(name, id, words) TUT_VET_##name,
    TUT_VET_CHECKS(TUT_VET_CHECK_ENUM)
#undef TUT_VET_CHECK_ENUM
        TUT_VET_CHECK_COUNT
} tut_vet_check;
#define TUT_VET_BIT(check) (1u << (check))
#define TUT_VET_ALL (TUT_VET_BIT(TUT_VET_CHECK_COUNT) - 1)
const char *tut_vet_check_name(tut_vet_check check);
/* "profile,hidden"; USAGE with the word that is none. */
TUT_MUST tut_status tut_vet_checks_parse(const char *words, unsigned *ret_checks, tut_error *err);

/* One dataset: a file, or a folder of texts. */
typedef struct tut_vet_input {
    const char *path;         /* as given, for people */
    const char *const *files; /* to be opened; one, or the texts of a folder */
    size_t file_count;
    const tut_sha256 *const *expected; /* of each file, what it has to be still; or NULL */
    tut_split split;
    const char *label, *source; /* names of columns, or NULL */
    const char *labels;         /* a file with one label a row (idx, npy, csv), or NULL */
    const char *activations;    /* a model's, an array with a row for each row; or NULL */
    const char *against;        /* another version of it, or NULL */
    /* the saved chunks of another version (data/chunk_list.h), or NULL */
    const tut_chunks *against_chunks;
    bool wants_chunks;   /* one file's, to be saved */
    bool wants_baseline; /* what a later version can be held against */
    bool wants_examples; /* rows that were found, to be looked at */
    tut_span baseline;   /* a baseline's JSON; empty: none */
} tut_vet_input;

typedef struct tut_vet_options {
    unsigned checks;
    tut_cage_mode sandbox;
    void (*progress)(void *ctx, size_t done, size_t total);
    void *progress_ctx;
} tut_vet_options;

typedef enum tut_vet_status {
    TUT_VET_COMPLETE,
    TUT_VET_INCOMPLETE,
    TUT_VET_UNSUPPORTED,
    TUT_VET_ERROR
} tut_vet_status;
const char *tut_vet_status_name(tut_vet_status status);

enum { TUT_VET_WORD = 24, TUT_VET_PROBLEM = 192, TUT_VET_KINDS = 64, TUT_VET_NOTES = 16 };

typedef struct tut_vet_kind { /* of personal data and secrets */
    char id[TUT_TEXT_ID], label[TUT_TEXT_LABEL];
    tut_text_class type;
    uint64_t count, rows;
} tut_vet_kind;

enum { TUT_VET_CHANGED = 100 };

typedef struct tut_vet_change { /* against another version */
    bool is_known;
    uint64_t added, removed, kept;                                       /* rows */
    uint64_t added_rows[TUT_VET_CHANGED], removed_rows[TUT_VET_CHANGED]; /* the first; removed ones
                                                                            count in the other */
    size_t added_shown, removed_shown;
} tut_vet_change;

typedef struct tut_vet_range { /* of bytes: [start, end) */
    uint64_t start, end;
} tut_vet_range;
typedef struct tut_vet_side { /* chunks of one version that the other has not */
    uint64_t chunks, bytes, ranges;
    tut_vet_range shown[TUT_VET_CHANGED]; /* the first */
} tut_vet_side;
typedef struct tut_vet_bytes { /* against another version, by chunks of the files as they lie */
    bool is_known, is_moved;   /* moved: the same chunks in another order */
    uint64_t kept, kept_bytes;
    tut_vet_side added, removed; /* removed ranges count in the other */
} tut_vet_bytes;

enum { TUT_VET_EXAMPLES = 256, TUT_VET_EXCERPT = 400, TUT_VET_SIDE = 64 };

typedef struct tut_vet_example { /* a row that something was found in */
    uint64_t row;
    char *text;             /* its beginning, without what is personal or secret; or NULL */
    unsigned width, height; /* of a picture, at most TUT_VET_SIDE each; 0: none */
    uint8_t *pixels;        /* grey, row by row; or NULL */
} tut_vet_example;

typedef struct tut_vet_dataset {
    const char *path; /* borrowed of the input */
    tut_split split;
    tut_vet_status status;
    char problem[TUT_VET_PROBLEM]; /* why it is not COMPLETE */
    char format[TUT_VET_WORD], compression[TUT_VET_WORD], encoding[TUT_VET_WORD],
        layout[TUT_VET_WORD], dialect[TUT_VET_WORD];
    uint64_t rows, columns, size; /* size: of the files, in bytes */
    bool has_digest;
    tut_sha256 digest; /* of the file; of a folder: of its manifest (assets/manifest.h) */
    bool has_root;
    tut_chunks chunks; /* of the file; root: of a folder as in data/vet_chunks.h. Items: where they
                          were wanted, or held against another version */
    size_t file_count; /* behind the root */
    char *profile;     /* JSON, or NULL */
    char *baseline;    /* schema.h's document, where it was wanted; or NULL */
    tut_vet_kind kinds[TUT_VET_KINDS];
    size_t kind_count;
    uint64_t exact, near, leaked, unverified; /* duplicates; unverified: candidates that
                                                           were too many to compare */
    tut_data_findings found;
    char *notes[TUT_VET_NOTES]; /* what could not be looked for, as sentences */
    size_t note_count;
    unsigned checks; /* that were made */
    tut_vet_change change;
    tut_vet_bytes bytes;
    tut_vet_example *examples; /* in the order of rows; owned */
    size_t example_count;
} tut_vet_dataset;

typedef struct tut_vet {
    tut_vet_dataset *items; /* in the order of the inputs */
    size_t count;
    tut_cage_facts cage;
    char text_problem[TUT_ERROR_TEXT_MAX]; /* why secrets were not looked for; "" */
} tut_vet;
void tut_vet_free(tut_vet *v);
TUT_DEFINE_AUTO(tut_vet)

/* What is wrong with one dataset is in its item; fails when nothing could be done at all. */
TUT_MUST tut_status tut_vet_run(const tut_vet_input *inputs, size_t count,
                                const tut_vet_options *options, tut_vet **ret_vet, tut_error *err);

/* The worst severity among the findings, as the rules have it; -1: none. */
int tut_vet_worst(const tut_vet_dataset *d);
/* The contract's document, tutela.vet/1. copy: what was made of it, as JSON, or NULL. */
TUT_MUST tut_status tut_vet_json(const tut_vet *v, const char *copy, tut_buf *out, tut_error *err);
/* One item of its datasets. */
void tut_vet_json_item(const tut_vet_dataset *d, tut_json *j);
/* The same with findings that somebody accepted apart ("suppressed"): accepted tells whether, and
 * writes who, as an object, where j is not NULL. */
typedef bool (*tut_vet_accepted)(const void *ctx, const tut_data_finding *f, tut_json *j);
void tut_vet_json_judged(const tut_vet_dataset *d, tut_vet_accepted accepted, const void *ctx,
                         tut_json *j);
/* Its Merkle root, the number of chunks and the rule; null where it is not known. */
void tut_vet_json_root(const tut_vet_dataset *d, tut_json *j);
/* A page for people, whole in itself. */
TUT_MUST tut_status tut_vet_html(const tut_vet *v, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_vet_sarif(const tut_vet *v, tut_buf *out, tut_error *err);

#endif
