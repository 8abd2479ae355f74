/* OpenSSH's wire format, as far as keys and the agent need it. */
#ifndef TUT_CRYPTO_SSH_H
#define TUT_CRYPTO_SSH_H

#include "base/reader.h"

#define TUT_SSH_ED25519 "ssh-ed25519"

/* u32 big-endian length and that many bytes. */
TUT_MUST tut_status tut_ssh_string(tut_reader *r, tut_span *ret);

#endif
