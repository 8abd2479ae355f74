/*
 * Bulletins of training: what is new about threats, what can be done about it, told to the people
 * whom it is for, and read by them. A bulletin is Markdown with front matter (docs/notices.md):
 *
 *   bulletin = "---" line, YAML (id, title, version, for, until, threats, atlas), "---" line, text
 *
 * whose text has the sections "What happens", "Who is affected" and "Countermeasures", each with
 * something in it; that no countermeasure is known has to be said. As a message it is called
 * "bulletin/ID@VERSION".
 */
#ifndef TUT_GOVERN_BULLETIN_H
#define TUT_GOVERN_BULLETIN_H

#include "govern/message.h"
#include "govern/training_check.h"

#define TUT_BULLETIN_BEGINNING "bulletin/"
enum { TUT_BULLETIN_DAYS_MAX = 366 };

typedef struct tut_bulletin {
    tut_str id, title;
    uint32_t version;
    uint32_t roles; /* bit set, or TUT_TRAINING_EVERYONE */
    tut_str_list threats, atlas;
    bool has_until;
    tut_time until;
    tut_str text; /* behind the front matter; borrowed from what was parsed */
    char *name;   /* "bulletin/ID@VERSION" */
    tut_yaml *yaml;
    tut_arena arena;
} tut_bulletin;
/* MALFORMED with the place, USAGE naming the sections that are missing. The YAML is parsed in the
 * cage; `here`: in this process, which may be jailed itself. */
TUT_MUST tut_status tut_bulletin_parse_here(const char *file, tut_str text, tut_bulletin *ret,
                                            tut_error *err);
TUT_MUST tut_status tut_bulletin_parse(const char *file, tut_str text, tut_bulletin *ret,
                                       tut_error *err);
void tut_bulletin_done(tut_bulletin *b);

/* --- what tutela.yaml says --- */

typedef struct tut_reading_policy { /* of training: */
    const tut_yaml_node *node;      /* NULL: there is no such section */
    uint32_t read_days;             /* from issue, or enrolment, to reading; default 14 */
} tut_reading_policy;
TUT_MUST tut_status tut_reading_policy_read(tut_system *system, tut_reading_policy *ret,
                                            tut_buf *ret_shown, tut_error *err);

/* --- how they stand --- */

typedef enum tut_bulletin_state {
    TUT_BULLETIN_READ,     /* by everyone it is for */
    TUT_BULLETIN_OPEN,     /* not yet, and there is time */
    TUT_BULLETIN_OVERDUE,  /* somebody did not read it in time */
    TUT_BULLETIN_NOBODY,   /* nobody is enrolled whom it is for */
    TUT_BULLETIN_REPLACED, /* by a later version */
    TUT_BULLETIN_OVER,     /* its day has come */
    TUT_BULLETIN_BROKEN    /* its text is missing, or is no bulletin */
} tut_bulletin_state;
const char *tut_bulletin_state_name(tut_bulletin_state s);

typedef struct tut_bulletin_standing {
    const tut_message *message;
    uint64_t version;
    tut_bulletin bulletin; /* of one that is in force; else empty */
    tut_bulletin_state state;
    tut_time until, due;        /* due: when the last of those who have not read it has to */
    const tut_person **missing; /* of those it is for, who have not read it */
    bool *is_late;              /* of each */
    size_t missing_count, readers, late_count;
} tut_bulletin_standing;

typedef struct tut_bulletins {
    tut_messages messages;
    tut_bulletin_standing *items; /* by name */
    size_t count;
} tut_bulletins;
TUT_MUST tut_status tut_bulletins_load(const tut_ledger *ledger, const tut_records *records,
                                       const tut_reading_policy *policy, tut_time at,
                                       tut_bulletins *ret, tut_error *err);
void tut_bulletins_done(tut_bulletins *b);
/* "ID", or "ID@VERSION"; of an id alone the newest version; NULL: there is none. */
const tut_bulletin_standing *tut_bulletins_find(const tut_bulletins *b, const char *word);
bool tut_bulletin_is_in_force(const tut_bulletin_standing *s);
bool tut_bulletin_is_for(const tut_bulletin *b, const tut_person *person);

/* train.bulletins: each in force was read by everyone it is for; train.channels: each went over two
 * channels that delivered it. */
TUT_MUST tut_status tut_bulletins_judge(const tut_bulletins *b, tut_training_finding *ret,
                                        tut_error *err);
TUT_MUST tut_status tut_bulletins_judge_channels(const tut_bulletins *b, tut_training_finding *ret,
                                                 tut_error *err);
TUT_MUST tut_status tut_govern_step_bulletins(tut_governing *g);

#endif
