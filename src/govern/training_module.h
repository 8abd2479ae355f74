/*
 * A training module: Markdown with YAML front matter, text, and a bank of questions
 * (docs/training-modules.md has the format):
 *
 *   module    = "---" line, YAML, "---" line, block*, "## Questions" line, question+
 *   block     = heading | paragraph | item | table | code | quote | rule
 *   question  = "###" TITLE line, block*, answer+, why?
 *   answer    = "- [" ("x" | " ") "]" TEXT, and the indented lines below it
 *   why       = ">" ["Why:"] TEXT, and the lines below it that begin with ">"
 *
 * The text is kept as it is written; blocks and questions are views into it.
 */
#ifndef TUT_GOVERN_TRAINING_MODULE_H
#define TUT_GOVERN_TRAINING_MODULE_H

#include "assets/system.h"
#include "ledger/people.h"

enum {
    TUT_TRAINING_BYTES = 256 << 10, /* a module is read in 20 minutes: some 20 kB */
    TUT_TRAINING_ID_MAX = 64,
    TUT_TRAINING_LINES = 8192,
    TUT_TRAINING_QUESTIONS = 200,
    TUT_TRAINING_ANSWERS = 10, /* of one question: they are marked a to j */
    TUT_TRAINING_LIST = 64     /* ATLAS ids, clauses, roles */
};

/* Beside the roles of people (people.h): whoever is enrolled. */
#define TUT_TRAINING_EVERYONE 0x80000000u
/* "developer", or "everyone"; 0 for a word that names no role. */
uint32_t tut_training_role(tut_str word);

typedef enum tut_training_about {
    TUT_TRAINING_ROLE,
    TUT_TRAINING_THREAT,
    TUT_TRAINING_PRACTICE
} tut_training_about;
const char *tut_training_about_name(tut_training_about about); /* "role" */

typedef enum tut_block_type {
    TUT_BLOCK_HEADING,   /* level 1 to 6; text without the marks */
    TUT_BLOCK_PARAGRAPH, /* lines as written */
    TUT_BLOCK_ITEM,      /* of a list; level: depth from 1; text without the bullet */
    TUT_BLOCK_TABLE,     /* lines as written, the second is the ruler */
    TUT_BLOCK_CODE,      /* lines between the fences */
    TUT_BLOCK_QUOTE,     /* lines, with their ">" */
    TUT_BLOCK_RULE
} tut_block_type;

typedef struct tut_block {
    tut_block_type type;
    uint32_t level;
    uint32_t number; /* of an item that is numbered; 0: a bullet */
    tut_str text;
} tut_block;

typedef struct tut_training_answer {
    tut_str text;
    bool is_right;
} tut_training_answer;

typedef struct tut_training_question {
    tut_str title;
    uint32_t first_block, block_count; /* between title and answers */
    tut_training_answer answers[TUT_TRAINING_ANSWERS];
    size_t answer_count;
    size_t right_count; /* at least 1, below answer_count */
    tut_str why;        /* or empty */
} tut_training_question;

typedef struct tut_training_module {
    char *file; /* as messages name it */
    bool is_shipped;
    tut_str id, title;
    uint32_t version, review_days, minutes, draw;
    tut_time reviewed;
    tut_training_about about;
    uint32_t roles; /* bit set of people's roles, or TUT_TRAINING_EVERYONE */
    tut_str_list atlas, clauses;
    tut_str atlas_version;
    double pass;       /* least share of right answers, above 0, at most 1 */
    tut_sha256 digest; /* of the bytes below the front matter */
    tut_block *blocks; /* of the text, then of the questions */
    size_t block_count, text_blocks;
    tut_training_question *questions;
    size_t question_count;
    size_t words; /* of the text, without the questions */
    tut_arena arena;
    tut_buf source;
} tut_training_module;

void tut_training_module_free(tut_training_module *m);
TUT_DEFINE_AUTO(tut_training_module)

/* Reads a module. MALFORMED with "FILE:LINE" as the path and what is wrong there. `file` and `text`
 * are copied. */
TUT_MUST tut_status tut_training_module_parse(const char *file, tut_str text,
                                              tut_training_module **ret_module, tut_error *err);
/* The same through the cage, of files that are not of this program: the first that is none is the
 * error. ret_modules has room for all; a process that is in a jail itself parses them. */
typedef struct tut_training_file {
    const char *name;
    tut_str text;
} tut_training_file;
TUT_MUST tut_status tut_training_modules_parse(const tut_training_file *files, size_t count,
                                               tut_training_module **ret_modules, tut_error *err);

/* What a worker answers (views as offsets), and the module made of it, which trusts nothing of it.
 */
TUT_MUST tut_status tut_training_module_encode(const tut_training_module *m, tut_buf *out,
                                               tut_error *err);
TUT_MUST tut_status tut_training_module_decode(const char *file, tut_str text, tut_span reply,
                                               tut_training_module **ret_module, tut_error *err);

/* Day from which on the content is due for review. */
tut_time tut_training_review_due(const tut_training_module *m);
/* How long the text takes to read, in seconds: at 238 words a minute, the mean of silent reading of
 * English non-fiction by adults (Brysbaert 2019, a meta-analysis of 190 studies). */
uint32_t tut_training_reading_seconds(const tut_training_module *m);

#endif
