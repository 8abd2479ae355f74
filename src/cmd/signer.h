/* Whose key signs: --signing-key, or the key that was made here for the person. */
#ifndef TUT_CMD_SIGNER_H
#define TUT_CMD_SIGNER_H

#include "cmd/command.h"
#include "crypto/keystore.h"
#include "govern/training_rights.h"
#include "ledger/people.h"
#include "ledger/record.h"

enum { TUT_SIGNER_MADE_MAX = 100 };

/* Keys made here are NAME, then NAME.2, NAME.3 and so on, for the old one is kept until the new one
 * is in the log. *ret_name is the n-th, as the key store calls it; caller frees. */
TUT_MUST tut_status tut_signer_made_name(const char *person, unsigned n, char **ret_name,
                                         tut_error *err);
/* By --signing-key; else, of the keys made here for `by`, the one that counts. USAGE when there is
 * neither. keys may be NULL. --passphrase-file or the terminal opens it. */
TUT_MUST tut_status tut_signer_open(const tut_args *args, const tut_people *people,
                                    const tut_keystore *keys, const char *by, tut_key **ret_key,
                                    tut_error *err);
/* The same with the people and keys of the log in this state; NULL: no system is described here,
 * and only --signing-key helps. */
TUT_MUST tut_status tut_signer_open_at(const tut_args *args, const char *state, const char *by,
                                       tut_key **ret_key, tut_error *err);
/* Who stands behind a record: with a key that counts where the person has one (--signing-key, or
 * one that was made here), else by name alone, and then *ret_key is NULL. *by becomes the name as
 * the log has it, which *ret_records owns. */
TUT_MUST tut_status tut_signer_find(const tut_args *args, const char *state, const char **by,
                                    tut_records **ret_records, tut_key **ret_key, tut_error *err);
/* DENIED, in one line with module, day and command, where the training of whoever is called so has
 * lapsed and tutela.yaml has a `training:`; for what only those sign whose training holds. NULL,
 * and whom nobody enrolled, lack none. */
TUT_MUST tut_status tut_signer_check_trained(const tut_args *args, const char *by, tut_error *err);
/* tut_signer_find, and that. */
TUT_MUST tut_status tut_signer_find_trained(const tut_args *args, const char *state,
                                            const char **by, tut_records **ret_records,
                                            tut_key **ret_key, tut_error *err);
/* The right to sign of this system's people, for the hook of tut_act. */
TUT_MUST tut_status tut_signer_rights(const tut_args *args, tut_training_rights **ret_rights,
                                      tut_error *err);
/* Whether a key that counts was made here for this person. */
bool tut_signer_has_made(const tut_people *people, const tut_keystore *keys, const char *person);

#endif
