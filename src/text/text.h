/*
 * Secrets and personal data in text.
 *
 * One engine for whoever looks at text: a set of rules, compiled once and shared; a scanner over it
 * for one thread; and a stream, which finds what lies across the border of two pieces, once. Three
 * stages: Vectorscan finds beginnings that are rare (the literal of a provider's key, a keyword
 * with an assignment, an "@"), a walk over the digits finds numbers; a verifier reads the shape
 * around each; then checksums, entropy, words nearby and lists of placeholders decide.
 *
 * A match never carries the value: only its last four characters, and none of a short one.
 */
#ifndef TUT_TEXT_TEXT_H
#define TUT_TEXT_TEXT_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

typedef enum tut_text_class {
    TUT_TEXT_PROVIDER_KEY, /* a key of a service that can be named */
    TUT_TEXT_PRIVATE_KEY,
    TUT_TEXT_GENERIC,    /* a password or token whose owner is not known */
    TUT_TEXT_FINANCIAL,  /* cards, bank accounts */
    TUT_TEXT_IDENTIFIER, /* what a state or insurer numbers people with */
    TUT_TEXT_CONTACT,    /* e-mail, telephone */
    TUT_TEXT_NETWORK,    /* addresses of hosts and pages */
    TUT_TEXT_CLASS_COUNT
} tut_text_class;

const char *tut_text_class_name(tut_text_class c); /* "provider-key" */
static inline bool tut_text_is_secret(tut_text_class c)
{
    return c <= TUT_TEXT_GENERIC;
}
#define TUT_TEXT_CLASS_BIT(c) (1u << (c))
#define TUT_TEXT_ALL ((1u << TUT_TEXT_CLASS_COUNT) - 1)
#define TUT_TEXT_SECRETS                                                                           \
    (TUT_TEXT_CLASS_BIT(TUT_TEXT_PROVIDER_KEY) | TUT_TEXT_CLASS_BIT(TUT_TEXT_PRIVATE_KEY) |        \
     TUT_TEXT_CLASS_BIT(TUT_TEXT_GENERIC))

/* What speaks for a match, strongest last. */
typedef enum tut_text_proof {
    TUT_TEXT_BY_SHAPE,   /* a form that nothing else has */
    TUT_TEXT_BY_CONTEXT, /* words beside it say what it is */
    TUT_TEXT_BY_CHECKSUM /* its own check digits hold */
} tut_text_proof;

enum { TUT_TEXT_SHOWN = 24, TUT_TEXT_LABEL = 64, TUT_TEXT_ID = 64 };

typedef struct tut_text_match {
    const char *id;    /* "github-token" */
    const char *label; /* "GitHub token" */
    tut_text_class type;
    tut_text_proof proof;
    bool is_user_rule;          /* of a rule file */
    const char *decoded;        /* "base64": found in what this decodes to; NULL: as it stands */
    uint64_t begin, end;        /* in the text; of the encoded whole when decoded */
    uint64_t line;              /* from 1 */
    char shown[TUT_TEXT_SHOWN]; /* "...x7Qz", or "(9 characters)" of what is short */
} tut_text_match;

/* Borrowed for the call. False: enough. */
typedef bool (*tut_text_fn)(void *ctx, const tut_text_match *match);

typedef struct tut_text_user tut_text_user; /* the rules of a file (gitleaks.h) */

/* --- the rules --- */
typedef struct tut_text_set tut_text_set;
/* user may be NULL; it is borrowed, and must outlive the set. UNSUPPORTED where Vectorscan is not
 * installed. */
TUT_MUST tut_status tut_text_set_open(const tut_text_user *user, tut_text_set **ret_set,
                                      tut_error *err);
void tut_text_set_free(tut_text_set *set);
TUT_DEFINE_AUTO(tut_text_set)

/* What finds, and its version, which decides what compiled rules fit; "" where it is missing. */
const char *tut_text_engine(void);

/* --- looking --- */
typedef struct tut_text_scanner tut_text_scanner; /* one thread's */
TUT_MUST tut_status tut_text_scanner_new(const tut_text_set *set, tut_text_scanner **ret_scanner,
                                         tut_error *err);
void tut_text_scanner_free(tut_text_scanner *s);
TUT_DEFINE_AUTO(tut_text_scanner)

typedef struct tut_text_wish {
    unsigned classes;  /* TUT_TEXT_CLASS_BIT of those that are wanted */
    bool is_binary;    /* not text: only what cannot be there by chance */
    const char *path;  /* of the file, for rules that ask; NULL: none */
    tut_text_fn match; /* in the order of their beginnings, window by window */
    void *ctx;
} tut_text_wish;

/* The whole text at once. */
TUT_MUST tut_status tut_text_scan(tut_text_scanner *s, tut_str text, const tut_text_wish *wish,
                                  tut_error *err);
/* In pieces: begin, feed as often as there is something, end. UTF-16 with a byte order mark is read
 * as what it says. wish is copied. */
TUT_MUST tut_status tut_text_begin(tut_text_scanner *s, const tut_text_wish *wish, tut_error *err);
TUT_MUST tut_status tut_text_feed(tut_text_scanner *s, tut_span piece, tut_error *err);
TUT_MUST tut_status tut_text_end(tut_text_scanner *s, tut_error *err);

/* --- the table, for documentation --- */
typedef struct tut_text_about {
    const char *id, *label;
    tut_text_class type;
} tut_text_about;
size_t tut_text_rule_count(void);
tut_text_about tut_text_rule_at(size_t i);
/* All of it in words: what a digest of the rules is made of. */
void tut_text_rules_write(tut_buf *out);

#endif
