/*
 * The right to sign, where it asks for training: approvals, policies of the guard, gates and their
 * overrides, acceptances of risk, assets, disposals. Whoever has a module assigned that lapsed
 * signs none of these. Without a `training:` in tutela.yaml nothing is asked.
 */
#ifndef TUT_GOVERN_TRAINING_RIGHTS_H
#define TUT_GOVERN_TRAINING_RIGHTS_H

#include "govern/training.h"

typedef struct tut_training_rights tut_training_rights;

/* Reads nothing yet. What tutela.yaml and the log say is read when it is asked for, anew when the
 * log has grown, and a minute later: for processes that live long. One thread. */
TUT_MUST tut_status tut_training_rights_new(const char *dir_or_file, const char *state_dir,
                                            tut_training_rights **ret_rights, tut_error *err);
/* Reads now, for whoever wants to tell what keeps it from being read. */
TUT_MUST tut_status tut_training_rights_read(tut_training_rights *r, tut_error *err);
void tut_training_rights_free(tut_training_rights *r);
TUT_DEFINE_AUTO(tut_training_rights)

/* The hook of tut_act: NULL, or which module lapsed, since when, and the command that brings it;
 * in text of the rights, until the next call. What cannot be read gives nobody the right. */
const char *tut_training_rights_lack(const void *rights, const tut_person *person, uint64_t index);
/* DENIED with all of that in one line where the person lacks it; somebody whom nobody enrolled has
 * no training to lapse. The error of reading where it cannot be read. */
TUT_MUST tut_status tut_training_rights_check(tut_training_rights *r, tut_str name, tut_error *err);
/* The same of whoever has this key. */
TUT_MUST tut_status tut_training_rights_check_key(tut_training_rights *r, const char *key_id,
                                                  tut_error *err);
/* Whether it had lapsed at an earlier time, by the assignments of now: what was signed then was
 * signed without the right. Where that cannot be read, nobody had it. */
bool tut_training_rights_had_lapsed(const void *rights, const tut_person *person, tut_time when);

/* "the training M lapsed on DAY (why); tutela train take M --by NAME" */
void tut_training_say_lapse(const tut_training_standing *lapse, char *out, size_t cap);

#endif
