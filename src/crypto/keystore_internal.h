/* What the key store's own files share. */
#ifndef TUT_CRYPTO_KEYSTORE_INTERNAL_H
#define TUT_CRYPTO_KEYSTORE_INTERNAL_H

#include "crypto/keystore.h"

struct tut_keystore {
    char *origin;
    char *dir;
};

/* The names of the log's key: "log", "log.next". */
bool tut_keystore_is_log(const char *name);
/* The ending of the file that holds a key's public half: ".vkey" of the log's, else ".pub". */
static inline const char *tut_keystore_public_ending(const char *name)
{
    return tut_keystore_is_log(name) ? ".vkey" : ".pub";
}
/* DIR/NAME with an ending: "log" + ".key"; "people/NAME" keeps its slash. Caller frees. */
TUT_MUST tut_status tut_keystore_file(const tut_keystore *s, const char *name, const char *ending,
                                      char **ret_path, tut_error *err);
/* The public half beside the private one: a vkey with one line a log, else NAME.pub. */
TUT_MUST tut_status tut_keystore_write_public(const tut_keystore *s, const char *name,
                                              const tut_pubkey *key, tut_error *err);
/* period/NAME below the store; USAGE when the name is not six digits. Caller frees. */
TUT_MUST tut_status tut_keystore_period_file(const tut_keystore *s, const char *period,
                                             char **ret_path, tut_error *err);

#endif
