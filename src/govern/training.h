/*
 * Who has to know what, who showed that he knows it, and until when: modules (training_module.h),
 * what tutela.yaml says of them, and the standing of each enrolled person, derived from the
 * evidence log. Two kinds of event by the learner's own key count:
 *
 *   train.completed   passed; subject "training/ID@VERSION" at the digest of the content
 *   train.hurried     passed faster than the text can be read: counts once a trainer signed
 *                     train.confirmed about that very exam
 *
 * train.attempted (not passed) and train.handed (questions were drawn for somebody) count for
 * nothing. train.module says that a version was in use, from which day on.
 */
#ifndef TUT_GOVERN_TRAINING_H
#define TUT_GOVERN_TRAINING_H

#include "govern/training_module.h"
#include "ledger/record.h"

#define TUT_TRAIN_COMPLETED "train.completed"
#define TUT_TRAIN_HURRIED "train.hurried"
#define TUT_TRAIN_ATTEMPTED "train.attempted"
#define TUT_TRAIN_CONFIRMED "train.confirmed"
#define TUT_TRAIN_HANDED "train.handed"
#define TUT_TRAIN_MODULE "train.module"

/* MITRE ATLAS, the catalogue of threats, as this program knows it. */
#define TUT_TRAINING_CATALOGUE "5.6.0"

/* --- training: of tutela.yaml --- */

typedef struct tut_training_assignment {
    uint32_t role;      /* one role of people, or TUT_TRAINING_EVERYONE */
    tut_str_list words; /* ids of modules, or beginnings followed by '*' */
} tut_training_assignment;

typedef struct tut_training_author { /* of commits */
    tut_str author;                  /* mail address, or name, as git has it */
    tut_str person;                  /* as enrolled */
} tut_training_author;

typedef struct tut_training_policy {
    const tut_yaml_node *node; /* NULL: tutela.yaml has no such section, nothing is enforced */
    tut_str modules;           /* folder of own modules, below tutela.yaml; or empty */
    tut_str curriculum;        /* document about the curriculum; or empty */
    uint32_t valid_days;       /* how long a completion holds */
    uint32_t grace_days;      /* after an enrolment, or a new version, until which nothing lapses */
    tut_str threat_catalogue; /* version that modules have to be reviewed against */
    tut_str secure_coding;    /* id of the module that authors of commits need */
    tut_training_assignment *assign;
    size_t assign_count;
    tut_training_author *authors;
    size_t author_count;
    tut_str_list machines; /* mail addresses that commit what people wrote: of a forge */
} tut_training_policy;

/* MALFORMED, with place, for what is no such section. The policy borrows from the system. The keys
 * of bulletins and concerns (channels, people, read_days, triage_days, bulletins, concerns) are
 * allowed here and read by their own engines. */
TUT_MUST tut_status tut_training_policy_read(tut_system *system, tut_training_policy *ret_policy,
                                             tut_buf *ret_shown, tut_error *err);
/* Versions such as 5.6.0 by their numbers: below, at or above 0. */
int tut_training_version_cmp(tut_str a, tut_str b);

/* --- the bank: modules of this program and of the organisation --- */

typedef struct tut_training_bank {
    tut_training_module **items; /* by id */
    size_t count, capacity;
} tut_training_bank;

void tut_training_bank_free(tut_training_bank *b);
TUT_DEFINE_AUTO(tut_training_bank)
/* system and policy may be NULL: the modules of this program alone. USAGE when two modules have the
 * same id. */
TUT_MUST tut_status tut_training_bank_load(const tut_system *system,
                                           const tut_training_policy *policy,
                                           tut_training_bank **ret_bank, tut_error *err);
const tut_training_module *tut_training_find(const tut_training_bank *b, tut_str id); /* or NULL */

/* --- standings --- */

typedef enum tut_training_state {
    TUT_TRAINING_CURRENT,
    TUT_TRAINING_DUE,         /* not yet done, or done of an older version, and there is time */
    TUT_TRAINING_UNCONFIRMED, /* passed in a hurry; there is time, or it is lapsed */
    TUT_TRAINING_LAPSED
} tut_training_state;
const char *tut_training_state_name(tut_training_state s); /* "current" */

typedef struct tut_training_standing { /* of a person that is active, in one module assigned */
    const tut_person *person;
    const tut_training_module *module;
    tut_training_state state;
    tut_time since; /* completed; where it never was: enrolled, or the module came into use */
    tut_time due;   /* when it lapses, or has lapsed */
    const tut_record *record; /* the completion that decides; or NULL */
    const char *why;          /* static: "never taken", "ran out", ... */
} tut_training_standing;

typedef struct tut_training tut_training;

/* Borrows system and records, which outlive it. */
TUT_MUST tut_status tut_training_load(tut_system *system, const tut_records *records, tut_time at,
                                      tut_training **ret_training, tut_error *err);
void tut_training_free(tut_training *t);
TUT_DEFINE_AUTO(tut_training)

/* The hook of tut_act (ledger/people.h): why this person may not sign now, in static words; NULL:
 * nothing lacks. Where tutela.yaml has no `training:`, nothing does. `index` is not looked at: what
 * counts is the time of the load. */
const char *tut_training_lacks(const void *training, const tut_person *person, uint64_t index);
/* The lapsed standing behind that, for a message that names module, day and command; or NULL. */
const tut_training_standing *tut_training_lapse(const tut_training *t, const tut_person *person);

const tut_training_policy *tut_training_policy_of(const tut_training *t);
const tut_training_bank *tut_training_bank_of(const tut_training *t);
/* By person, then module. */
const tut_training_standing *tut_training_standings(const tut_training *t, size_t *ret_count);
/* Of a person in a module, whether it is assigned or not. */
void tut_training_stand(const tut_training *t, const tut_person *person,
                        const tut_training_module *m, tut_training_standing *ret_standing);
/* Whether the module is assigned to whoever has one of these roles (bit set). What is for everyone
 * is not for somebody who is an auditor and nothing else. */
bool tut_training_is_for(const tut_training *t, const tut_training_module *m, uint32_t roles);
/* The module's content is not that which was on record under the same version; its text has to be
 * given a higher one before anybody can take it. */
bool tut_training_has_two(const tut_training *t, const tut_training_module *m);
/* From when on this version is on record; the time of the load where it is not yet. */
tut_time tut_training_in_use_since(const tut_training *t, const tut_training_module *m);
/* The completion of the module, of whatever version, by this person that held at that time; or
 * NULL. What was recorded later did not hold then, whatever time it says it is of. */
const tut_record *tut_training_held(const tut_training *t, const tut_person *person,
                                    const tut_training_module *m, tut_time when);
/* Leaves out completions whose exam is not kept in the ledger's bodies, or does not come to a pass
 * when it is graded anew, and derives the standings again. For looks that are kept as evidence. */
TUT_MUST tut_status tut_training_verify(tut_training *t, tut_ledger *ledger, tut_error *err);

#endif
