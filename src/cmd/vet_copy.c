#include "cmd/vet_copy.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "crypto/key.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"

void tut_vet_copy_done(tut_vet_copy *c)
{
    tut_vet_free(c->vetted);
}

static tut_status read_key(const char *file, uint8_t key[TUT_SANITISE_KEY], tut_error *err)
{
    tut_buf bytes = TUT_BUF_INIT;
    if (!tut_fs_exists(file)) {
        if (RAND_bytes_ex(tut_openssl(), key, TUT_SANITISE_KEY, 0) != 1)
            return tut_fail(err, TUT_CRYPTO, "no key can be made");
        return tut_private_file_create(file, tut_span_of(key, TUT_SANITISE_KEY), err);
    }
    tut_status status = tut_private_file_read(file, "the key of pseudonyms", TUT_SANITISE_KEY,
                                              &bytes, err);
    if (tut_is_ok(status) && bytes.len != TUT_SANITISE_KEY) {
        tut_error_set_path(err, file);
        status = tut_fail(err, TUT_USAGE, "the key of pseudonyms is not %d bytes",
                          TUT_SANITISE_KEY);
    }
    if (tut_is_ok(status))
        memcpy(key, bytes.data, TUT_SANITISE_KEY);
    tut_secret_wipe(&bytes);
    return status;
}

tut_status tut_vet_copy_make(const tut_vet_input *input, const char *to, const char *key_file,
                             tut_cage_mode sandbox, tut_vet_copy *ret, tut_error *err)
{
    uint8_t key[TUT_SANITISE_KEY];
    tut_sanitise_options options = {.sandbox = sandbox};
    if (key_file) {
        TUT_TRY(read_key(key_file, key, err));
        options.key = key;
    }
    tut_status status = tut_sanitise(input->files[0], to, &options, &ret->made, err);
    OPENSSL_cleanse(key, sizeof(key));
    if (!tut_is_ok(status))
        return status;
    ret->path = to;
    ret->has_pseudonyms = key_file != NULL;
    return TUT_SUCCESS;
}

static size_t still_found(const tut_vet_copy *c)
{
    return c->vetted && c->vetted->count ? c->vetted->items[0].found.count : 0;
}

void tut_vet_copy_say(const tut_vet_copy *c, const tut_term *term, tut_buf *out)
{
    const tut_sanitised *m = &c->made;
    char replaced[32], unseen[32];
    tut_human_count(m->replaced, replaced);
    tut_human_count(m->unseen, unseen);
    tut_buf_add_byte(out, '\n');
    tut_term_path(term, out, tut_str_of(c->path), 0);
    tut_buf_printf(out, ": the copy. %s value%s replaced%s, %s hidden character%s left out",
                   replaced, m->replaced == 1 ? "" : "s", c->has_pseudonyms ? " by pseudonyms" : "",
                   unseen, m->unseen == 1 ? "" : "s");
    if (m->rows_left_out)
        tut_buf_printf(out, ", %llu row%s left out", (unsigned long long)m->rows_left_out,
                       m->rows_left_out == 1 ? "" : "s");
    if (still_found(c))
        tut_buf_printf(out, ".\nOf what was looked for, it still has %zu finding%s.\n",
                       still_found(c), still_found(c) == 1 ? "" : "s");
    else
        tut_buf_add_z(out, ".\nVetted again: nothing found.\n");
}

static void put_copy(tut_json *j, const tut_vet_copy *c)
{
    const tut_sanitised *m = &c->made;
    tut_json_object(j);
    tut_json_put_z(j, "path", c->path);
    tut_json_key(j, "from");
    tut_json_sha256(j, m->from.bytes);
    tut_json_key(j, "digest");
    tut_json_sha256(j, m->to.bytes);
    tut_json_put_u64(j, "size", m->bytes);
    tut_json_put_u64(j, "replaced", m->replaced);
    tut_json_put_u64(j, "unseen", m->unseen);
    tut_json_put_u64(j, "rows_left_out", m->rows_left_out);
    tut_json_put_bool(j, "pseudonyms", c->has_pseudonyms);
    tut_json_put_u64(j, "findings", still_found(c));
    tut_json_end_object(j);
}

tut_status tut_vet_copy_json(const tut_vet_copy *c, const tut_vet *v, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!c->path)
        return tut_vet_json(v, NULL, out, err);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    put_copy(j, c);
    TUT_TRY(tut_json_finish(j, err));
    const char *z = tut_buf_z(&text);
    return z ? tut_vet_json(v, z, out, err) : tut_fail(err, TUT_NOMEM, "memory ran out");
}
