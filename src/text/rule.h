/* The table of rules, and what its verifiers share. For this folder and its tests. */
#ifndef TUT_TEXT_RULE_H
#define TUT_TEXT_RULE_H

#include "base/buf.h"
#include "text/check.h"
#include "text/text.h"

/* The text that is being looked at, whole; a verifier looks both ways from where it is called. */
typedef struct tut_text_view {
    tut_str text;
    bool is_binary;
} tut_text_view;

/* What a verifier found. */
typedef struct tut_text_found {
    const char *id, *label;
    tut_text_class type;
    tut_text_proof proof;
    size_t begin, end;
    bool is_loose; /* of two rules that see the same the other is told */
} tut_text_found;

/* end: where the trigger ends. Fills begin, end and, when it is better than the shape, proof. */
typedef bool (*tut_text_verify)(const tut_text_view *v, size_t end, tut_text_found *f);

typedef enum tut_rule_kind { TUT_RULE_TOKEN, TUT_RULE_NEAR, TUT_RULE_PATTERN } tut_rule_kind;

typedef struct tut_text_rule {
    tut_rule_kind kind;
    const char *id, *label;
    tut_text_class type;
    const char *trigger; /* TOKEN: NULL, made of the shape; NEAR: the words */
    const char *shape;
    bool is_caseless;
    tut_check_key check;
    tut_text_verify verify; /* PATTERN */
} tut_text_rule;

extern const tut_text_rule tut_text_rules[];
extern const size_t tut_text_rules_count;
/* What Vectorscan is to look for. */
void tut_text_rule_expression(const tut_text_rule *r, tut_buf *out);
bool tut_text_rule_verify(const tut_text_rule *r, const tut_text_view *v, size_t end,
                          tut_text_found *f);

/* --- verify_*.c --- */
bool tut_verify_pem(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_putty(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_jwt(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_url_password(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_connection(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_generic(const tut_text_view *v, size_t end, tut_text_found *f);
bool tut_verify_bearer(const tut_text_view *v, size_t end, tut_text_found *f);

/* --- number.c --- */
typedef void (*tut_number_fn)(void *ctx, const tut_text_found *f);
/* Every number of people, card, account, telephone or host. */
void tut_text_numbers(const tut_text_view *v, unsigned classes, tut_number_fn found, void *ctx);

void tut_text_numbers_write(tut_buf *out);

/* --- verify_contact.c --- */
/* Every e-mail address, page and IPv6 address. */
void tut_text_contacts(const tut_text_view *v, unsigned classes, tut_number_fn found, void *ctx);

/* --- judge.c --- */
/* Bits a character, of the text's own letters. */
double tut_judge_entropy(tut_str value);
/* "EXAMPLE", "xxxx", "${KEY}", "<your key>", "changeme": what stands where a secret will be. */
bool tut_judge_is_placeholder(tut_str value);
/* Also made for a test or a manual: "test", "dummy", "foobar". For values of unknown form only. */
bool tut_judge_is_stop_word(tut_str value);
/* Looks as if a machine had made it: digits and letters mixed, and so many bits a character. */
bool tut_judge_is_random(tut_str value, double least);
/* May a key begin here: no letter, digit or '_' before it, unless that is the end of an escape. */
bool tut_judge_starts(tut_str text, size_t at);

/* ASCII. */
static inline bool tut_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool tut_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool tut_is_word(char c)
{
    return tut_is_letter(c) || tut_is_digit(c) || c == '_';
}

#endif
