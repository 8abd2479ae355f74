#include "store/data_key.h"

#include "crypto/openssl.h"

static tut_status store_key(const char *origin, bool create, uint8_t ret[TUT_CIPHER_KEY],
                            tut_error *err)
{
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_TRY(tut_keystore_open(origin, false, &keys, err));
    if (!keys)
        return tut_fail(err, TUT_STORE,
                        "the keys of %s are not here, so that confidential versions can be neither "
                        "read nor written",
                        origin);
    return tut_keystore_store_secret(keys, create, ret, err);
}

/* A name for the key that tells nothing of it: 256 random bits cannot be found from their digest.
 */
static tut_status name_key(const uint8_t key[TUT_CIPHER_KEY], char ret_id[17], tut_error *err)
{
    static const char label[] = "tutela data key id v1";
    char hex[TUT_SHA256_HEX];
    tut_sha256 digest;
    TUT_AUTO(tut_hasher) h = NULL;
    TUT_TRY(tut_hasher_new(&h, err));
    TUT_TRY(tut_hasher_add(h, tut_span_of(label, sizeof(label)), err));
    TUT_TRY(tut_hasher_add(h, tut_span_of(key, TUT_CIPHER_KEY), err));
    TUT_TRY(tut_hasher_finish(h, &digest, err));
    tut_sha256_hex(&digest, hex);
    tut_str_copy(ret_id, 17, tut_str_of(hex));
    return TUT_SUCCESS;
}

tut_status tut_data_key_of(const char *origin, const tut_version *v,
                           uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err)
{
    uint8_t by[TUT_CIPHER_KEY];
    TUT_TRY(store_key(origin, false, by, err));
    tut_status status = tut_cipher_unwrap(by, v->wrapped, ret_key, err);
    tut_wipe(by, sizeof(by));
    return status;
}

static tut_status make(const char *origin, tut_version *v, uint8_t ret_key[TUT_CIPHER_KEY],
                       tut_error *err)
{
    uint8_t by[TUT_CIPHER_KEY];
    TUT_TRY(tut_cipher_draw(ret_key, err));
    TUT_TRY(name_key(ret_key, v->key_id, err));
    TUT_TRY(store_key(origin, true, by, err));
    tut_status status = tut_cipher_wrap(by, ret_key, v->wrapped, err);
    tut_wipe(by, sizeof(by));
    v->has_key = tut_is_ok(status);
    return status;
}

tut_status tut_data_key_for(const char *origin, const tut_version *parent, tut_version *v,
                            uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err)
{
    if (!parent || !parent->has_key)
        return make(origin, v, ret_key, err);
    TUT_TRY(tut_data_key_of(origin, parent, ret_key, err));
    memcpy(v->wrapped, parent->wrapped, sizeof(v->wrapped));
    memcpy(v->key_id, parent->key_id, sizeof(v->key_id));
    v->has_key = true;
    return TUT_SUCCESS;
}
