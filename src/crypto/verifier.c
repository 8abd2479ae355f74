/*
 * Verifier keys of C2SP signed notes:
 *   vkey = name "+" 8 hex digits of the id "+" base64(type || key)
 *   id   = SHA-256(name || LF || type || key)[:4]; of ECDSA SHA-256(SPKI)[:4]
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/reader.h"
#include "crypto/base64.h"
#include "crypto/note_internal.h"

enum { ID_BYTES = 4, ID_HEX = 8 };

static bool is_space_or_control(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool tut_note_name_is_valid(tut_str name)
{
    if (name.len == 0 || name.len >= TUT_NOTE_NAME_MAX)
        return false;
    while (name.len) {
        uint32_t c;
        size_t n = tut_utf8_len(name, &c);
        if (n == 0 || c == '+' || is_space_or_control(c))
            return false;
        name = (tut_str){name.data + n, name.len - n};
    }
    return true;
}

/* The bytes of the key as the vkey has them. */
static tut_span key_bytes(tut_note_algorithm algorithm, const tut_pubkey *key)
{
    return algorithm == TUT_NOTE_ECDSA ? tut_pubkey_der(key) : tut_pubkey_raw(key);
}

static tut_status check_pair(tut_note_algorithm algorithm, const tut_pubkey *key, tut_error *err)
{
    bool is_right = false;
    switch (algorithm) {
    case TUT_NOTE_ED25519:
    case TUT_NOTE_COSIGNATURE:
        is_right = tut_pubkey_type(key) == TUT_KEY_ED25519;
        break;
    case TUT_NOTE_ECDSA: /* the format signs a SHA-256 digest, so no larger curve */
        is_right = tut_pubkey_type(key) == TUT_KEY_P256;
        break;
    case TUT_NOTE_OTHER:
        break;
    }
    if (is_right)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_UNSUPPORTED, "a %s key cannot sign notes of type %d",
                    tut_key_type_name(tut_pubkey_type(key)), (int)algorithm);
}

tut_status tut_note_key_id(tut_str name, tut_note_algorithm algorithm, const tut_pubkey *key,
                           uint32_t *ret_id, tut_error *err)
{
    TUT_TRY(check_pair(algorithm, key, err));
    uint8_t bytes[TUT_NOTE_NAME_MAX + 2 + TUT_ED25519_BYTES];
    tut_span hashed = tut_pubkey_der(key);
    if (algorithm != TUT_NOTE_ECDSA) {
        memcpy(bytes, name.data, name.len);
        bytes[name.len] = '\n';
        bytes[name.len + 1] = (uint8_t)algorithm;
        memcpy(bytes + name.len + 2, tut_pubkey_raw(key).data, TUT_ED25519_BYTES);
        hashed = tut_span_of(bytes, name.len + 2 + TUT_ED25519_BYTES);
    }
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(hashed, &digest, err));
    tut_reader r = tut_reader_of(tut_span_of(digest.bytes, ID_BYTES));
    return tut_reader_u32be(&r, ret_id);
}

void tut_verifier_done(tut_verifier *v)
{
    tut_pubkey_free(v->key);
    *v = (tut_verifier){.key = NULL};
}

/* Takes over key, also on failure. */
static tut_status fill(tut_str name, tut_note_algorithm algorithm, tut_pubkey *key,
                       tut_verifier *ret, tut_error *err)
{
    TUT_CLEAN(tut_verifier) v = {.algorithm = algorithm, .key = key};
    if (!tut_note_name_is_valid(name))
        return tut_fail(err, TUT_MALFORMED,
                        "the name of a signer is 1 to %d bytes of UTF-8 without spaces and '+'",
                        TUT_NOTE_NAME_MAX - 1);
    tut_str_copy(v.name, sizeof(v.name), name);
    TUT_TRY(tut_note_key_id(name, algorithm, key, &v.id, err));
    *ret = v;
    v.key = NULL;
    return TUT_SUCCESS;
}

tut_status tut_verifier_of(const char *name, tut_note_algorithm algorithm, const tut_pubkey *key,
                           tut_verifier *ret, tut_error *err)
{
    tut_pubkey *copy = NULL;
    TUT_TRY(tut_pubkey_copy(key, &copy, err));
    return fill(tut_str_of(name), algorithm, copy, ret, err);
}

/* --- text --- */

static bool split(tut_str text, tut_str *ret_before, tut_str *ret_after)
{
    const char *plus = memchr(text.data, '+', text.len);
    if (!plus)
        return false;
    size_t at = (size_t)(plus - text.data);
    *ret_before = (tut_str){text.data, at};
    *ret_after = (tut_str){plus + 1, text.len - at - 1};
    return true;
}

static bool read_id(tut_str hex, uint32_t *ret_id)
{
    uint32_t id = 0;
    if (hex.len != ID_HEX)
        return false;
    for (size_t i = 0; i < ID_HEX; i++) {
        char c = hex.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        id = id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret_id = id;
    return true;
}

static tut_status read_key(tut_span bytes, tut_note_algorithm *ret_algorithm, tut_pubkey **ret_key,
                           tut_error *err)
{
    tut_span key = {bytes.data + 1, bytes.len - 1};
    switch (bytes.data[0]) {
    case TUT_NOTE_ED25519:
    case TUT_NOTE_COSIGNATURE:
        if (key.len != TUT_ED25519_BYTES)
            return tut_fail(err, TUT_MALFORMED, "the verifier key does not hold 32 bytes of key");
        TUT_TRY(tut_pubkey_from_ed25519(key.data, ret_key, err));
        break;
    case TUT_NOTE_ECDSA:
        TUT_TRY(tut_pubkey_from_der(key, ret_key, err));
        break;
    default:
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a verifier key of type %u (known: 1 Ed25519, 2 ECDSA, 4 cosignature)",
                        bytes.data[0]);
    }
    *ret_algorithm = (tut_note_algorithm)bytes.data[0];
    return TUT_SUCCESS;
}

tut_status tut_verifier_parse(tut_str vkey, tut_verifier *ret, tut_error *err)
{
    tut_str name, rest, hex, base64;
    uint32_t id;
    if (vkey.len > TUT_LIMIT_KEY_DER_BYTES || !split(vkey, &name, &rest) ||
        !split(rest, &hex, &base64) || !read_id(hex, &id))
        return tut_fail(err, TUT_MALFORMED,
                        "a verifier key reads NAME+8 hex digits+base64, on one line");
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_status status = tut_base64_read(base64, false, &bytes);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status) || bytes.len < 2)
        return tut_fail(err, TUT_MALFORMED, "the verifier key does not end in sound base64");
    tut_note_algorithm algorithm;
    tut_pubkey *key = NULL;
    TUT_TRY(read_key(tut_buf_span(&bytes), &algorithm, &key, err));
    TUT_CLEAN(tut_verifier) v = {.key = NULL};
    TUT_TRY(fill(name, algorithm, key, &v, err));
    if (v.id != id)
        return tut_fail(err, TUT_MALFORMED, "the verifier key says id %08x, but its key has %08x",
                        id, v.id);
    *ret = v;
    v.key = NULL;
    return TUT_SUCCESS;
}

void tut_verifier_write(const tut_verifier *v, tut_buf *out)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_span key = key_bytes(v->algorithm, v->key);
    tut_buf_add_byte(&bytes, (uint8_t)v->algorithm);
    tut_buf_add(&bytes, key.data, key.len);
    tut_buf_printf(out, "%s+%08x+", v->name, v->id);
    tut_base64_add(out, tut_buf_span(&bytes));
    if (bytes.failed != TUT_OK && out->failed == TUT_OK)
        out->failed = bytes.failed;
}
