/*
 * Public keys of OpenSSH: "ssh-ed25519 BASE64 [comment]", where the base64 holds
 *   string "ssh-ed25519", string key     (string: u32 big-endian length, then that many bytes)
 */
#include "base/limits.h"
#include "crypto/base64.h"
#include "crypto/key_internal.h"
#include "crypto/ssh.h"

tut_status tut_ssh_string(tut_reader *r, tut_span *ret)
{
    uint32_t len;
    TUT_TRY(tut_reader_u32be(r, &len));
    return tut_reader_bytes(r, len, ret);
}

tut_status tut_pubkey_from_ssh_blob(tut_span blob, tut_pubkey **ret_key, tut_error *err)
{
    tut_reader r = tut_reader_of(blob);
    tut_span type, key;
    if (!tut_is_ok(tut_ssh_string(&r, &type)))
        return tut_fail(err, TUT_MALFORMED, "the OpenSSH key is not sound");
    if (!tut_str_eq_z(tut_str_from(type), TUT_SSH_ED25519))
        return tut_fail(err, TUT_UNSUPPORTED, "of OpenSSH keys only ssh-ed25519 is taken");
    if (!tut_is_ok(tut_ssh_string(&r, &key)) || key.len != TUT_ED25519_BYTES || tut_reader_left(&r))
        return tut_fail(err, TUT_MALFORMED, "the OpenSSH key is not sound");
    return tut_pubkey_from_ed25519(key.data, ret_key, err);
}

/* Up to the next blank; *line moves behind the blanks. */
static tut_str take_word(tut_str *line)
{
    size_t len = 0;
    while (len < line->len && line->data[len] != ' ' && line->data[len] != '\t')
        len++;
    tut_str word = {line->data, len};
    while (len < line->len && (line->data[len] == ' ' || line->data[len] == '\t'))
        len++;
    *line = (tut_str){line->data + len, line->len - len};
    return word;
}

tut_status tut_pubkey_from_ssh(tut_str line, tut_pubkey **ret_key, tut_error *err)
{
    line = tut_str_trim(line);
    if (line.len > TUT_LIMIT_KEY_DER_BYTES || memchr(line.data, '\n', line.len))
        return tut_fail(err, TUT_MALFORMED, "an OpenSSH public key is one line");
    tut_str type = take_word(&line);
    tut_str base64 = take_word(&line);
    if (!tut_str_starts(type, TUT_LIT("ssh-")) && !tut_str_starts(type, TUT_LIT("ecdsa-")) &&
        !tut_str_starts(type, TUT_LIT("sk-")))
        return tut_fail(err, TUT_MALFORMED, "an OpenSSH public key begins with its type");
    if (!tut_str_eq_z(type, TUT_SSH_ED25519))
        return tut_fail(err, TUT_UNSUPPORTED, "of OpenSSH keys only ssh-ed25519 is taken");
    TUT_CLEAN(tut_buf) blob = TUT_BUF_INIT;
    tut_status status = tut_base64_read(base64, false, &blob);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_MALFORMED, "the OpenSSH key does not hold sound base64");
    return tut_pubkey_from_ssh_blob(tut_buf_span(&blob), ret_key, err);
}
