#include "crypto/keystore.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/keystore_internal.h"
#include "crypto/note.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"

enum { NAME_MAX_BYTES = 200, PERIOD_DIGITS = 6, DAY_DIGITS = 8 };

void tut_keystore_free(tut_keystore *s)
{
    if (!s)
        return;
    tut_free(s->origin);
    tut_free(s->dir);
    tut_free(s);
}

const char *tut_keystore_dir(const tut_keystore *s)
{
    return s->dir;
}

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- names --- */

/* A name becomes one component of a path: what could lead elsewhere is written %XX. */
static tut_status add_component(tut_str name, tut_buf *out, tut_error *err)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return tut_fail(err, TUT_USAGE, "a name of 1 to %d bytes is wanted", NAME_MAX_BYTES);
    size_t before = out->len;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && i > 0);
        if (is_plain)
            tut_buf_add_byte(out, (uint8_t)c);
        else
            tut_buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
    }
    if (out->len - before > 255)
        return tut_fail(err, TUT_LIMIT, "the name is too long for a file");
    return tut_buf_check(out, err);
}

/* $XDG_DATA_HOME/tutela/ORIGIN; as the specification says, a relative XDG_DATA_HOME is ignored. */
static tut_status find_dir(const char *origin, char **ret_dir, tut_error *err)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    TUT_CLEAN(tut_buf) path = TUT_BUF_INIT;
    if (data && data[0] == '/')
        tut_buf_printf(&path, "%s/tutela/", data);
    else if (home && home[0] == '/')
        tut_buf_printf(&path, "%s/.local/share/tutela/", home);
    else
        return tut_fail(err, TUT_USAGE,
                        "there is no place for keys; set HOME or XDG_DATA_HOME to an absolute "
                        "path");
    TUT_TRY(add_component(tut_str_of(origin), &path, err));
    char *dir = tut_buf_steal(&path);
    if (!dir)
        return no_memory(err);
    *ret_dir = dir;
    return TUT_SUCCESS;
}

bool tut_keystore_is_log(const char *name)
{
    return strcmp(name, "log") == 0 || strcmp(name, "log.next") == 0;
}

static bool is_machine(const char *name)
{
    return tut_keystore_is_log(name) || strcmp(name, "tool") == 0 || strcmp(name, "tool.next") == 0;
}

tut_status tut_keystore_file(const tut_keystore *s, const char *name, const char *ending,
                             char **ret_path, tut_error *err)
{
    static const tut_str people = {"people/", 7};
    tut_str rest = tut_str_of(name);
    TUT_CLEAN(tut_buf) path = TUT_BUF_INIT;
    tut_buf_printf(&path, "%s/", s->dir);
    if (tut_str_starts(rest, people)) {
        tut_buf_add_str(&path, people);
        rest = (tut_str){rest.data + people.len, rest.len - people.len};
    } else if (!is_machine(name)) {
        return tut_fail(err, TUT_USAGE, "the key store has no key \"%s\"", name);
    }
    TUT_TRY(add_component(rest, &path, err));
    tut_buf_add_z(&path, ending);
    char *text = tut_buf_steal(&path);
    if (!text)
        return no_memory(err);
    *ret_path = text;
    return TUT_SUCCESS;
}

/* --- keys --- */

/* The URI of a token's key, in the first line of NAME.uri. */
static tut_status open_uri(const char *path, const tut_secret_source *secret, tut_key **ret_key,
                           tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(
        tut_private_file_read(path, "the name of the key", TUT_LIMIT_KEY_FILE_BYTES, &text, err));
    tut_str line = tut_str_trim(tut_buf_str(&text));
    if (!tut_str_starts(line, TUT_LIT("pkcs11:")) || memchr(line.data, '\n', line.len) ||
        memchr(line.data, '\0', line.len)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "does not hold one pkcs11: URI");
    }
    TUT_AUTO_FREE char *uri = tut_strndup(line.data, line.len);
    return uri ? tut_key_open(uri, secret, ret_key, err) : no_memory(err);
}

tut_status tut_keystore_key(const tut_keystore *s, const char *name,
                            const tut_secret_source *secret, tut_key **ret_key, tut_error *err)
{
    TUT_AUTO_FREE char *uri = NULL;
    TUT_AUTO_FREE char *file = NULL;
    TUT_TRY(tut_keystore_file(s, name, ".uri", &uri, err));
    TUT_TRY(tut_keystore_file(s, name, ".key", &file, err));
    if (tut_fs_exists(uri))
        return open_uri(uri, secret, ret_key, err);
    if (!tut_fs_exists(file)) {
        tut_error_set_path(err, file);
        return tut_fail(err, TUT_STORE, "this key is missing; restore it from a backup");
    }
    return tut_key_open(file, secret, ret_key, err);
}

/* First line of log.vkey, or a PEM. */
static tut_status read_public(const char *path, bool is_vkey, tut_pubkey **ret_key, tut_error *err)
{
    if (!is_vkey)
        return tut_pubkey_from_file(path, ret_key, err);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_KEY_FILE_BYTES, &text, err));
    const char *lf = memchr(text.data, '\n', text.len);
    tut_str line = {(const char *)text.data,
                    lf ? (size_t)(lf - (const char *)text.data) : text.len};
    TUT_CLEAN(tut_verifier) v = {.key = NULL};
    tut_status status = tut_verifier_parse(line, &v, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    *ret_key = tut_move(&v.key);
    return TUT_SUCCESS;
}

tut_status tut_keystore_public(const tut_keystore *s, const char *name, tut_pubkey **ret_key,
                               tut_error *err)
{
    bool is_log = tut_keystore_is_log(name);
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(tut_keystore_file(s, name, tut_keystore_public_ending(name), &path, err));
    if (tut_fs_exists(path))
        return read_public(path, is_log, ret_key, err);
    /* A key in clear tells its public half; one under a passphrase or in a token would ask. */
    TUT_AUTO(tut_key) key = NULL;
    TUT_TRY(tut_keystore_key(s, name, NULL, &key, err));
    return tut_pubkey_copy(tut_key_public(key), ret_key, err);
}

/* --- making keys --- */

static tut_status add_vkey(const tut_keystore *s, const char *log, const tut_pubkey *key,
                           tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_asprintf("%s/%s", s->origin, log);
    if (!name)
        return no_memory(err);
    TUT_CLEAN(tut_verifier) v = {.key = NULL};
    tut_note_algorithm algorithm = tut_pubkey_type(key) == TUT_KEY_ED25519 ? TUT_NOTE_ED25519
                                                                           : TUT_NOTE_ECDSA;
    TUT_TRY(tut_verifier_of(name, algorithm, key, &v, err));
    tut_verifier_write(&v, out);
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}

tut_status tut_keystore_write_public(const tut_keystore *s, const char *name, const tut_pubkey *key,
                                     tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_keystore_file(s, name, tut_keystore_public_ending(name), &path, err));
    if (tut_keystore_is_log(name)) {
        TUT_TRY(add_vkey(s, "evidence", key, &text, err));
        TUT_TRY(add_vkey(s, "traffic", key, &text, err));
    } else {
        tut_buf_add_str(&text, tut_pubkey_pem(key));
    }
    TUT_TRY(tut_buf_check(&text, err));
    return tut_fs_write(path, tut_buf_span(&text), 0600, err);
}

tut_status tut_keystore_generate(const tut_keystore *s, const char *name, tut_key_type type,
                                 tut_str passphrase, tut_key **ret_key, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *people = tut_fs_join(s->dir, "people");
    TUT_AUTO(tut_key) key = NULL;
    if (!people)
        return no_memory(err);
    TUT_TRY(tut_keystore_file(s, name, ".key", &path, err));
    if (strncmp(name, "people/", 7) == 0)
        TUT_TRY(tut_private_dir(people, true, err));
    TUT_TRY(tut_key_generate(type, &key, err));
    TUT_TRY(tut_key_write(key, path, passphrase, err));
    TUT_TRY(tut_keystore_write_public(s, name, tut_key_public(key), err));
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

/* A machine key where there is none. Two processes may try at once: the first one's key stays. */
static tut_status ensure(const tut_keystore *s, const char *name, tut_error *err)
{
    TUT_AUTO_FREE char *uri = NULL;
    TUT_AUTO_FREE char *file = NULL;
    TUT_AUTO_FREE char *public_file = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_TRY(tut_keystore_file(s, name, ".uri", &uri, err));
    TUT_TRY(tut_keystore_file(s, name, ".key", &file, err));
    TUT_TRY(tut_keystore_file(s, name, tut_keystore_public_ending(name), &public_file, err));
    if (tut_fs_exists(uri) || (tut_fs_exists(file) && tut_fs_exists(public_file)))
        return TUT_SUCCESS;
    if (!tut_fs_exists(file)) {
        tut_status status = tut_keystore_generate(s, name, TUT_KEY_ED25519, TUT_LIT(""), &key, err);
        if (tut_is_ok(status) || status.code != TUT_STORE)
            return status;
    }
    /* A crash came between the two files: the second follows from the first. A key under a
     * passphrase stays as it is. */
    tut_status status = tut_key_open(file, NULL, &key, err);
    if (status.code == TUT_DENIED)
        return TUT_SUCCESS;
    TUT_TRY(status);
    return tut_keystore_write_public(s, name, tut_key_public(key), err);
}

tut_status tut_keystore_open(const char *origin, bool create, tut_keystore **ret_store,
                             tut_error *err)
{
    TUT_AUTO(tut_keystore) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return no_memory(err);
    s->origin = tut_strdup(origin);
    if (!s->origin)
        return no_memory(err);
    TUT_TRY(find_dir(origin, &s->dir, err));
    if (!create && !tut_fs_exists(s->dir)) {
        *ret_store = NULL;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_private_dir(s->dir, create, err));
    if (create) {
        TUT_TRY(ensure(s, "log", err));
        TUT_TRY(ensure(s, "tool", err));
    }
    *ret_store = tut_move(&s);
    return TUT_SUCCESS;
}

/* --- period secrets --- */

static tut_status read_period(const char *path, uint8_t ret[TUT_PERIOD_SECRET], tut_error *err)
{
    tut_buf bytes = TUT_BUF_INIT;
    tut_status status = tut_private_file_read(path, "the secret of a period", TUT_PERIOD_SECRET + 1,
                                              &bytes, err);
    if (tut_is_ok(status) && bytes.len != TUT_PERIOD_SECRET) {
        tut_error_set_path(err, path);
        status = tut_fail(err, TUT_STORE, "is not the secret of a period (%d bytes)",
                          TUT_PERIOD_SECRET);
    }
    if (tut_is_ok(status))
        memcpy(ret, bytes.data, TUT_PERIOD_SECRET);
    tut_wipe(bytes.data, bytes.cap);
    tut_buf_done(&bytes);
    return status;
}

static tut_status make_period(const char *dir, const char *path, tut_error *err)
{
    uint8_t secret[TUT_PERIOD_SECRET];
    TUT_TRY(tut_private_dir(dir, true, err));
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return tut_fail_errno(err, errno, "no random bytes");
    tut_status status = tut_private_file_create(path, tut_span_of(secret, sizeof(secret)), err);
    tut_wipe(secret, sizeof(secret));
    /* Another process was first: its secret is the period's. */
    return status.code == TUT_STORE ? TUT_SUCCESS : status;
}

tut_status tut_keystore_period_file(const tut_keystore *s, const char *period, char **ret_path,
                                    tut_error *err)
{
    size_t len = strlen(period);
    if ((len != PERIOD_DIGITS && len != DAY_DIGITS) || strspn(period, "0123456789") != len)
        return tut_fail(err, TUT_USAGE, "a period is named YYYYMM, not \"%s\"", period);
    char *path = tut_asprintf("%s/period/%s", s->dir, period);
    if (!path)
        return no_memory(err);
    *ret_path = path;
    return TUT_SUCCESS;
}

tut_status tut_keystore_period(const tut_keystore *s, const char *period, bool create,
                               uint8_t ret_secret[TUT_PERIOD_SECRET], tut_error *err)
{
    TUT_AUTO_FREE char *dir = tut_fs_join(s->dir, "period");
    TUT_AUTO_FREE char *path = NULL;
    if (!dir)
        return no_memory(err);
    TUT_TRY(tut_keystore_period_file(s, period, &path, err));
    if (tut_keystore_is_erased(s, period)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "was erased");
    }
    if (create && !tut_fs_exists(path))
        TUT_TRY(make_period(dir, path, err));
    return read_period(path, ret_secret, err);
}
