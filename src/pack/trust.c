#include "pack/trust.h"

#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"

void tut_pack_trusting_done(tut_pack_trusting *t)
{
    for (size_t i = 0; i < t->key_count; i++)
        tut_verifier_done(&t->keys[i]);
    tut_free(t->keys);
    tut_pubkey_free(t->any);
    tut_witness_policy_free(t->policy);
    tut_tsp_trust_free(t->authorities);
    *t = (tut_pack_trusting){.keys = NULL};
}

static tut_status add_key(tut_pack_trusting *t, tut_str vkey, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&t->keys, t->key_count, &t->key_capacity, sizeof(*t->keys))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_verifier_parse(vkey, &t->keys[t->key_count], err));
    t->key_count++;
    return TUT_SUCCESS;
}

/* A policy begins its lines with words, a list of keys with a name that has a plus. */
static bool is_key_line(tut_str line)
{
    return line.len > 0 && memchr(line.data, '+', line.len) && !memchr(line.data, ' ', line.len) &&
           !memchr(line.data, '\t', line.len);
}

static tut_status read_keys(tut_pack_trusting *t, tut_str text, bool *ret_are_keys, tut_error *err)
{
    *ret_are_keys = false;
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        tut_str line = tut_str_trim((tut_str){text.data, len});
        size_t past = end ? len + 1 : len;
        text = (tut_str){text.data + past, text.len - past};
        if (line.len == 0)
            continue;
        if (!is_key_line(line)) /* no list of keys after all, or one that says something else too */
            return *ret_are_keys ? tut_fail(err, TUT_MALFORMED, "a line of the keys is no key")
                                 : TUT_SUCCESS;
        TUT_TRY(add_key(t, line, err));
        *ret_are_keys = true;
    }
    return TUT_SUCCESS;
}

static tut_status read_file(tut_pack_trusting *t, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    bool are_keys = false;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_WITNESS_POLICY_BYTES, &bytes, err));
    tut_str text = tut_buf_str(&bytes);
    if (tut_str_starts(tut_str_trim(text), TUT_LIT("-----BEGIN"))) {
        if (t->any)
            return tut_fail(err, TUT_USAGE, "--trust takes one public key in PEM");
        return tut_pubkey_from_pem(tut_buf_span(&bytes), &t->any, err);
    }
    TUT_TRY(read_keys(t, text, &are_keys, err));
    if (are_keys)
        return TUT_SUCCESS;
    if (t->policy)
        return tut_fail(err, TUT_USAGE, "--trust takes one policy of witnesses");
    return tut_witness_policy_read(tut_buf_span(&bytes), &t->policy, err);
}

tut_status tut_pack_trusting_read(tut_pack_trusting *t, const char *word, tut_error *err)
{
    if (access(word, F_OK) == 0) {
        tut_status status = read_file(t, word, err);
        if (!tut_is_ok(status))
            tut_error_set_path(err, word);
        return status;
    }
    if (strchr(word, '+'))
        return add_key(t, tut_str_of(word), err);
    tut_error_set_path(err, word);
    return tut_fail(err, TUT_USAGE,
                    "--trust takes a verifier key (name+id+key), or a file: of such keys, of a "
                    "public key in PEM, or of a policy of witnesses");
}

tut_status tut_pack_trusting_authorities(tut_pack_trusting *t, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_status status = tut_fs_read(path, TUT_LIMIT_PEM_BYTES, &bytes, err);
    if (tut_is_ok(status))
        status = tut_tsp_trust_from_pem(tut_buf_span(&bytes), &t->authorities, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_pack_trust tut_pack_trust_of(const tut_pack_trusting *t)
{
    return (tut_pack_trust){.keys = t->keys,
                            .key_count = t->key_count,
                            .any = t->any,
                            .policy = t->policy,
                            .authorities = t->authorities};
}
