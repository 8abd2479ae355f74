/*
 * Is this file or directory signed by somebody who may sign it? Answered from the log's people and
 * the system's policy: the one question that `verify --policy`, assess, the guard, restore and the
 * bindings ask before anything is loaded.
 */
#ifndef TUT_ASSETS_SIGNED_H
#define TUT_ASSETS_SIGNED_H

#include "assets/sign.h"
#include "assets/system.h"
#include "ledger/people.h"

/* policy.signatures of tutela.yaml: roles of which one has to sign assets of this kind; 0: any
 * enrolled person. system may be NULL. */
uint32_t tut_signer_roles(const tut_system *system, tut_asset_kind kind);

/* Models, datasets, prompts and configuration always; other kinds where the policy names them. */
bool tut_must_be_signed(const tut_system *system, tut_asset_kind kind);

/* tut_verify_path with the people of a log: valid when the key that signed belongs to an enrolled
 * person, counts at log_size, and signs in one of the roles (bit set, 0: any). *ret_person is whose
 * key it is, also when it does not count; NULL: a stranger's. How the signer is known is left empty
 * in `options`. */
TUT_MUST tut_status tut_verify_by_people(const char *path, const tut_people *people,
                                         uint64_t log_size, uint32_t roles,
                                         const tut_verify_options *options,
                                         tut_verify_result *ret_result,
                                         const tut_person **ret_person, tut_error *err);

#endif
