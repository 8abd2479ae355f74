/* The rules of a file, compiled. For this folder. */
#ifndef TUT_TEXT_USER_H
#define TUT_TEXT_USER_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/gitleaks.h"
#include "text/scan_internal.h"

typedef struct tut_user_list { /* of texts, or of expressions */
    tut_str *texts;
    pcre2_code **codes; /* NULL: texts only */
    size_t count;
} tut_user_list;

typedef struct tut_user_allow {
    bool needs_all;
    uint8_t target; /* 0 secret, 1 match, 2 line */
    tut_user_list regexes, paths, stopwords, targets;
} tut_user_allow;

typedef struct tut_user_allows {
    tut_user_allow *items;
    size_t count;
} tut_user_allows;

typedef struct tut_user_rule {
    char *id, *label; /* escaped */
    tut_str regex;
    pcre2_code *code, *path; /* either may be NULL */
    uint32_t group;
    double entropy;
    uint32_t reach; /* bytes before an end in which its beginning lies */
    tut_user_list keywords;
    tut_user_allows allows;
    bool is_off;
} tut_user_rule;

struct tut_text_user {
    const tut_hs *hs;
    tut_buf list; /* owns all texts */
    tut_user_rule *rules;
    size_t count;
    tut_user_allows allows;
    hs_database_t *database;
    char **problems;
    size_t problem_count, problem_capacity;
};

/* Looks for them in the view. state: one number a rule, up to where it was looked at. */
struct tut_user_state {
    size_t *done;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};
typedef struct tut_user_state tut_user_state;
TUT_MUST tut_status tut_user_state_init(const tut_text_user *user, tut_user_state *s);
void tut_user_state_done(tut_user_state *s);
void tut_text_look_user(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place);
/* Rules that ask for nothing but a name. */
void tut_text_look_path(tut_text_scanner *s);

#endif
