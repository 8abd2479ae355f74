/*
 * What is attacked: one interface over every way of reaching a model.
 *
 *   model.onnx                  our own interpreter, with gradients (nets/net.h)
 *   predictions.npy, .csv       recorded: row i is the answer to row i of the data; no model at all
 *   command:./adapter ARG...    a program that answers JSON lines (docs/probe.md)
 *   http://host/v2/models/NAME/infer               KServe and Triton v2
 *   http://host/v1/chat/completions, /completions  OpenAI's, with logprobs where offered
 *
 * A driver is one row of the table in target.c and one file target_NAME.c.
 */
#ifndef TUT_PROBE_TARGET_H
#define TUT_PROBE_TARGET_H

#include "base/alloc.h"
#include "base/cage.h"
#include "base/json.h"
#include "base/str.h"
#include "nets/net.h"
#include "probe/allowance.h"

typedef struct tut_target tut_target;

enum { /* what it gives: a set */
       TUT_GIVES_LABELS = 1 << 0,
       TUT_GIVES_PROBABILITIES = 1 << 1,
       TUT_GIVES_GRADIENTS = 1 << 2,
       TUT_GIVES_TEXT = 1 << 3,
       TUT_GIVES_LOGPROBS = 1 << 4, /* of the tokens of its own answer */
       TUT_GIVES_ECHO = 1 << 5,     /* of tokens that it was given (completions with echo) */
       TUT_GIVES_ANY_ROW = 1 << 6,  /* it can be asked about rows that nobody recorded */
       TUT_GIVES_NETWORK = 1 << 7,  /* there is a server that can be flooded */
       TUT_GIVES_LINES = 1 << 8     /* there is a program that answers lines */
};

typedef struct tut_target_wish {
    const char *place;         /* as above; borrowed */
    const char *model;         /* its name in requests; NULL: none, or the one in the path */
    const char *key_file;      /* holds the bearer's key; NULL: none is sent */
    const char *ca_file;       /* PEM: certificates of CAs that are trusted; NULL: the system's */
    const char *authorised_by; /* who is authorised to test what is neither loopback nor declared */
    bool is_declared;          /* tutela.yaml names the endpoint */
    const char *journal;       /* file of answers, for going on after a break; NULL: none */
    uint32_t concurrency;      /* 0: 8 */
    double per_second;         /* queries; 0: as fast as it answers */
    uint32_t timeout_ms;       /* of one query; 0: 60,000 */
    uint32_t tries;            /* when it says "later" (429, 503); 0: 5 */
    uint32_t batch;            /* rows in one request, where the protocol can; 0: 64 */
    size_t classes;            /* of one that gives only labels; 0: as many as were seen */
    /* The same model by another way, borrowed while it is opened: what that says of the input holds
     * where this says nothing (a guard passes no metadata). NULL: none. */
    const tut_target *like;
    tut_cage_mode sandbox;
    tut_allowance *allowance; /* borrowed; not NULL */
} tut_target_wish;

typedef struct tut_target_facts {
    const char *kind; /* "onnx", "recorded", "command", "v2", "openai-chat", "openai-completions" */
    unsigned gives;
    size_t width, classes; /* 0: not known before the first answer */
    size_t axes, shape[8]; /* of one row, where it says so; axes 0: not known */
    char shown[256];       /* the place without a user or key in it */
    bool is_unstable;      /* the same query was answered in different ways */
    bool has_digest;       /* of the file that was read */
    uint8_t digest[32];
} tut_target_facts;

/* What a place of this kind can give at most, by its looks; 0: it is no target. */
unsigned tut_target_gives(tut_str place);
/* DENIED: neither loopback nor declared, and nobody said to be authorised. */
TUT_MUST tut_status tut_target_open(const tut_target_wish *wish, tut_target **ret_target,
                                    tut_error *err);
void tut_target_free(tut_target *t);
TUT_DEFINE_AUTO(tut_target)
const tut_target_facts *tut_target_about(const tut_target *t);
/* Queries that were sent so far, by all that share its allowance. */
uint64_t tut_target_spent(const tut_target *t);

/* --- numbers --- */
typedef enum tut_answered {
    TUT_ANSWERED,
    TUT_REFUSED, /* by policy: 4xx other than 429 */
    TUT_FAILED,  /* no answer, an answer that is none, or one that changed its shape */
    TUT_UNASKED  /* the allowance was spent */
} tut_answered;

typedef struct tut_predictions {
    size_t count, classes;
    double *values;    /* count x classes: probabilities; one-hot where only labels are given.
                          Owned; NaN where there is no answer */
    uint8_t *answered; /* tut_answered of each row. Owned */
    char problem[160]; /* of the first that was not answered */
} tut_predictions;
void tut_predictions_done(tut_predictions *p);

/* rows: count x width. first: number of the first row in the data, for recorded answers. A row that
 * gets no answer is no error; IO when the target is gone for good (what was answered is in *ret).
 */
TUT_MUST tut_status tut_target_predict(tut_target *t, const float *rows, size_t count, size_t width,
                                       uint64_t first, tut_predictions *ret, tut_error *err);
/* The network behind it, of TUT_GIVES_GRADIENTS; else NULL. */
const tut_net *tut_target_net(const tut_target *t);
/* The file that it was read from, of the same; else NULL. */
typedef struct tut_target_file {
    const char *path;
    tut_cage_mode sandbox; /* in which it was read */
} tut_target_file;
const tut_target_file *tut_target_file_of(const tut_target *t);

/* --- texts --- */
typedef struct tut_asked {
    tut_str messages;    /* JSON: a list of messages; of completions {"prompt": ...} as a string */
    tut_str tools;       /* JSON: a list as OpenAI has it; empty: none */
    uint32_t max_tokens; /* 0: the service's own */
    bool wants_logprobs, wants_echo;
    uint64_t seed;
} tut_asked;

typedef struct tut_tool_asked {
    tut_str name, arguments; /* arguments: JSON text */
} tut_tool_asked;

typedef struct tut_said {
    tut_answered answered;
    int status;     /* of HTTP; 0 elsewhere */
    tut_str text;   /* borrowed from `body` */
    tut_str reason; /* of a refusal: what the guard says of it */
    tut_tool_asked *calls;
    size_t call_count;
    double *logprobs; /* of the tokens, in order */
    /* Of each of these, where the service lists the most probable words at its place: how many
     * standard deviations it lies above the mean of their logarithms; else NaN. NULL: none listed.
     * Owned. */
    double *relative;
    size_t logprob_count;
    uint32_t ms;
    uint64_t tokens_in, tokens_out; /* as the service says, else bytes / 4 */
    tut_buf body;                   /* the whole answer; behind its end the texts above */
    size_t texts;                   /* where these end */
} tut_said;
void tut_said_done(tut_said *s);

/* Asks as many at a time as the wish says; said[i] answers asked[i]. */
TUT_MUST tut_status tut_target_ask(tut_target *t, const tut_asked *asked, size_t count,
                                   tut_said *ret_said, tut_error *err);

#endif
