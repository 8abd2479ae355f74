/* The key that seals the files of one confidential asset, wrapped by the store's key. All versions
 * of an asset have one key, so that a file that stays as it is stays where it is; no other asset
 * has it. */
#ifndef TUT_STORE_DATA_KEY_H
#define TUT_STORE_DATA_KEY_H

#include "crypto/keystore.h"
#include "store/version.h"

/* That of the version before, or a new one; v gets the wrapped copy. origin: of the key store. */
TUT_MUST tut_status tut_data_key_for(const char *origin, const tut_version *parent, tut_version *v,
                                     uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err);
/* Of a version that has one. */
TUT_MUST tut_status tut_data_key_of(const char *origin, const tut_version *v,
                                    uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err);

#endif
