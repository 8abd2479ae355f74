/* OpenSSH's wire format, as far as keys and the agent need it. */
#ifndef TUT_CRYPTO_SSH_H
#define TUT_CRYPTO_SSH_H

#include "base/reader.h"

#define TUT_SSH_ED25519 "ssh-ed25519"

/* u32 big-endian length and that many bytes. */
TUT_MUST tut_status tut_ssh_string(tut_reader *r, tut_span *ret);

/* What an agent answers, without the length in front (draft-miller-ssh-agent). */

/* Each key that it holds, of any type, in its order. */
typedef tut_status (*tut_ssh_visit)(void *ctx, tut_span blob, tut_str comment, tut_error *err);
TUT_MUST tut_status tut_ssh_identities(tut_span reply, tut_ssh_visit visit, void *ctx,
                                       tut_error *err);
/* The 64 bytes of an Ed25519 signature (borrowed); DENIED when the agent refused. */
TUT_MUST tut_status tut_ssh_signature(tut_span reply, tut_span *ret_signature, tut_error *err);

#endif
