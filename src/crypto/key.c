/* Private keys: which backend a name means, signing, PEM files. */
#include "crypto/key.h"

#include "base/limits.h"
#include "crypto/key_internal.h"
#include "crypto/pem.h"
#include "crypto/private_file.h"

tut_status tut_key_make(const tut_key_backend *backend, void *self, tut_pubkey *pub,
                        tut_key **ret_key, tut_error *err)
{
    tut_key *key = tut_alloc_array(1, sizeof(*key));
    if (!key) {
        backend->free(self);
        tut_pubkey_free(pub);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *key = (tut_key){.backend = backend, .self = self, .pub = pub};
    *ret_key = key;
    return TUT_SUCCESS;
}

void tut_key_free(tut_key *key)
{
    if (!key)
        return;
    key->backend->free(key->self);
    tut_pubkey_free(key->pub);
    tut_free(key);
}

const tut_pubkey *tut_key_public(const tut_key *key)
{
    return key->pub;
}

tut_status tut_key_sign(const tut_key *key, tut_span message, tut_buf *signature, tut_error *err)
{
    return key->backend->sign(key->self, key->pub, message, signature, err);
}

/* --- PEM --- */

static tut_status from_block(tut_pem_block *block, const char *what,
                             const tut_secret_source *secret, tut_key **ret_key, tut_error *err)
{
    if (tut_str_eq_z(block->label, "PRIVATE KEY"))
        return tut_key_from_der(tut_buf_span(&block->der), false, ret_key, err);
    if (tut_str_eq_z(block->label, "EC PRIVATE KEY"))
        return tut_key_from_der(tut_buf_span(&block->der), true, ret_key, err);
    if (tut_str_eq_z(block->label, "ENCRYPTED PRIVATE KEY"))
        return tut_key_unseal(tut_buf_span(&block->der), what, secret, ret_key, err);
    if (tut_str_eq_z(block->label, "OPENSSH PRIVATE KEY"))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "this is an OpenSSH key; load it into the agent (ssh-add FILE) and say "
                        "\"ssh-agent:\" instead of the file");
    if (tut_str_eq_z(block->label, "RSA PRIVATE KEY"))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "an RSA key cannot sign here; use Ed25519 or ECDSA on P-256, P-384 or "
                        "P-521");
    return tut_fail(err, TUT_USAGE, "this is not a private key but \"%.*s\"", (int)block->label.len,
                    block->label.data);
}

tut_status tut_key_from_pem(tut_span pem, const char *what, const tut_secret_source *secret,
                            tut_key **ret_key, tut_error *err)
{
    tut_str text = tut_str_from(pem);
    for (;;) {
        bool found;
        tut_pem_block block;
        TUT_TRY(tut_pem_next(&text, &found, &block, err));
        if (!found)
            return tut_fail(err, TUT_MALFORMED, "there is no PEM block of a private key");
        /* openssl ecparam -genkey writes the curve first. */
        bool is_parameters = tut_str_eq_z(block.label, "EC PARAMETERS");
        tut_status status = TUT_SUCCESS;
        if (!is_parameters)
            status = from_block(&block, what, secret, ret_key, err);
        tut_secret_wipe(&block.der);
        if (!is_parameters)
            return status;
    }
}

static tut_status open_file(const char *path, const tut_secret_source *secret, tut_key **ret_key,
                            tut_error *err)
{
    tut_buf text = TUT_BUF_INIT;
    tut_status status = tut_private_file_read(path, "the private key", TUT_LIMIT_KEY_FILE_BYTES,
                                              &text, err);
    if (tut_is_ok(status))
        status = tut_key_from_pem(tut_buf_span(&text), path, secret, ret_key, err);
    tut_secret_wipe(&text);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_status tut_key_open(const char *spec, const tut_secret_source *secret, tut_key **ret_key,
                        tut_error *err)
{
    static const tut_str agent = {"ssh-agent:", 10};
    tut_str text = tut_str_of(spec);
    if (tut_str_starts(text, agent))
        return tut_key_from_agent((tut_str){text.data + agent.len, text.len - agent.len}, ret_key,
                                  err);
    if (tut_str_starts(text, TUT_LIT("pkcs11:")))
        return tut_key_from_token(text, secret, ret_key, err);
    return open_file(spec, secret, ret_key, err);
}

tut_status tut_key_write(const tut_key *key, const char *path, tut_str passphrase, tut_error *err)
{
    tut_buf der = TUT_BUF_INIT;
    tut_buf pem = TUT_BUF_INIT;
    tut_status status = tut_key_pkcs8(key, passphrase, &der, err);
    if (tut_is_ok(status)) {
        /* Made once at full size, so that no copy is left behind by growth. */
        if (tut_buf_extend(&pem, 2 * der.len + 128))
            pem.len = 0;
        tut_pem_add(&pem, passphrase.len ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY",
                    tut_buf_span(&der));
        status = tut_buf_check(&pem, err);
    }
    if (tut_is_ok(status))
        status = tut_private_file_create(path, tut_buf_span(&pem), err);
    tut_secret_wipe(&der);
    tut_secret_wipe(&pem);
    return status;
}
