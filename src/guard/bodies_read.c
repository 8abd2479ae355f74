/* Reading one sealed body again, with the day's private key. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/reader.h"
#include "crypto/openssl.h"
#include "guard/bodies_seal.h"

enum {
    LENGTH = 4,
    LEAST = TUT_BODIES_ID + 5 + TUT_BODIES_TAG, /* of what follows the length */
    MOST = LEAST + 2 * TUT_BODIES_MOST
};

static tut_status altered(tut_error *err)
{
    return tut_fail(err, TUT_STORE,
                    "what is kept of this exchange is not what was written: it was altered");
}

static tut_status take_plain(tut_span plain, tut_bodies_pair *pair, tut_buf *request,
                             tut_buf *answer, tut_error *err)
{
    tut_reader r = tut_reader_of(plain);
    uint8_t flags = 0;
    uint32_t len = 0;
    tut_span body;
    if (!tut_is_ok(tut_reader_u8(&r, &flags)) || !tut_is_ok(tut_reader_u32le(&r, &len)) ||
        !tut_is_ok(tut_reader_bytes(&r, len, &body)))
        return altered(err);
    pair->is_request_cut = (flags & 1) != 0;
    pair->is_answer_cut = (flags & 2) != 0;
    tut_buf_add(request, body.data, body.len);
    if (!tut_is_ok(tut_reader_bytes(&r, tut_reader_left(&r), &body)))
        return altered(err);
    tut_buf_add(answer, body.data, body.len);
    TUT_TRY(tut_buf_check(request, err));
    return tut_buf_check(answer, err);
}

static bool decipher(EVP_CIPHER_CTX *c, tut_span text, const uint8_t *tag, uint8_t *to)
{
    int n = 0;
    uint8_t copy[TUT_BODIES_TAG];
    memcpy(copy, tag, sizeof(copy));
    return EVP_CipherUpdate(c, to, &n, text.data, (int)text.len) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TUT_BODIES_TAG, copy) == 1 &&
           EVP_CipherFinal_ex(c, to + n, &n) == 1;
}

/* record: with its length in front. */
tut_status tut_bodies_open(const uint8_t day_secret[TUT_PERIOD_SECRET],
                           const uint8_t head[TUT_BODIES_HEAD], uint64_t number, tut_span record,
                           tut_bodies_pair *pair, tut_buf *request, tut_buf *answer, tut_error *err)
{
    uint8_t day[TUT_BODIES_KEY], key[TUT_BODIES_KEY];
    const uint8_t *worker = head + TUT_BODIES_HEAD - TUT_BODIES_KEY;
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    if (record.len < LENGTH + LEAST || record.len > LENGTH + MOST)
        return altered(err);
    const uint8_t *id = record.data + LENGTH;
    tut_span text = tut_span_of(id + TUT_BODIES_ID,
                                record.len - LENGTH - TUT_BODIES_ID - TUT_BODIES_TAG);
    uint8_t *to = tut_buf_extend(&plain, text.len);
    TUT_TRY(tut_buf_check(&plain, err));
    TUT_TRY(tut_bodies_public(day_secret, day, err));
    if (!tut_is_ok(tut_bodies_agree(day_secret, worker, worker, day, key, NULL)))
        return altered(err);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    tut_status status = c ? tut_bodies_begin(c, false, key, head, number, id, &pair->prompt, err)
                          : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = decipher(c, text, text.data + text.len, to) ? TUT_SUCCESS : altered(err);
    if (tut_is_ok(status))
        status = take_plain(tut_buf_span(&plain), pair, request, answer, err);
    EVP_CIPHER_CTX_free(c);
    tut_wipe(key, sizeof(key));
    tut_wipe(plain.data, plain.cap);
    return status;
}

/* --- the files of a day --- */
typedef struct seeking {
    const tut_bodies_place *place;
    char id[2 * TUT_BODIES_ID + 1];
    uint8_t head[TUT_BODIES_HEAD];
    uint64_t number;
    tut_buf record;
    bool is_found, is_other; /* is_other: one of that number with another digest */
} seeking;

static bool is_id(const uint8_t *id, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < TUT_BODIES_ID; i++)
        if (hex[2 * i] != digits[id[i] >> 4] || hex[2 * i + 1] != digits[id[i] & 15])
            return false;
    return true;
}

static bool read_at(int fd, uint8_t *to, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, to + done, len - done, at + (off_t)done);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A file that ends within a record, as after a crash, ends before it. */
static tut_status seek_in(int fd, seeking *s, tut_error *err)
{
    uint8_t first[LENGTH + TUT_BODIES_ID];
    off_t at = TUT_BODIES_HEAD;
    if (!read_at(fd, s->head, TUT_BODIES_HEAD, 0) ||
        memcmp(s->head + 8, s->place->day, TUT_BODIES_DAY - 1) != 0)
        return TUT_SUCCESS;
    for (s->number = 0; read_at(fd, first, sizeof(first), at); s->number++) {
        uint32_t len = (uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16 |
                       (uint32_t)first[3] << 24;
        tut_sha256 found;
        if (len < LEAST || len > MOST)
            return TUT_SUCCESS;
        if (is_id(first + LENGTH, s->id)) {
            tut_buf_clear(&s->record);
            uint8_t *to = tut_buf_extend(&s->record, LENGTH + len);
            TUT_TRY(tut_buf_check(&s->record, err));
            if (!read_at(fd, to, LENGTH + len, at))
                return TUT_SUCCESS;
            TUT_TRY(tut_sha256_of(tut_buf_span(&s->record), &found, err));
            s->is_found = tut_sha256_eq(&found, &s->place->digest);
            s->is_other = !s->is_found;
            if (s->is_found)
                return TUT_SUCCESS;
        }
        at += LENGTH + (off_t)len;
    }
    return TUT_SUCCESS;
}

static tut_status seek(const char *dir, seeking *s, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/bodies/%s", dir, s->place->day);
    DIR *d = path ? opendir(path) : NULL;
    if (!d)
        return tut_fail(err, TUT_STORE, "the bodies of %s are not here", s->place->day);
    tut_status status = TUT_SUCCESS;
    const struct dirent *entry;
    while (tut_is_ok(status) && !s->is_found && (entry = readdir(d)) != NULL) {
        if (!tut_str_ends(tut_str_of(entry->d_name), TUT_LIT(".sealed")))
            continue;
        int fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
            continue;
        status = seek_in(fd, s, err);
        (void)close(fd);
    }
    (void)closedir(d);
    TUT_TRY(status);
    if (s->is_found)
        return TUT_SUCCESS;
    if (s->is_other)
        return altered(err);
    return tut_fail(err, TUT_STORE,
                    "no body of this exchange is kept here; a crash may have lost it, or it was "
                    "removed");
}

static tut_status secret_of(const tut_keystore *keys, const char *day,
                            uint8_t ret[TUT_PERIOD_SECRET], tut_error *err)
{
    if (tut_keystore_is_erased(keys, day) || !tut_keystore_has_period(keys, day))
        return tut_fail(
            err, TUT_STORE,
            "the bodies of %s were erased: their key is no longer there, and nobody can "
            "read them",
            day);
    return tut_keystore_period(keys, day, false, ret, err);
}

tut_status tut_bodies_get(const char *dir, const tut_keystore *keys, const tut_bodies_place *place,
                          tut_bodies_pair *pair, tut_buf *request, tut_buf *answer, tut_error *err)
{
    uint8_t secret[TUT_PERIOD_SECRET];
    seeking s = {.place = place};
    if (strlen(pair->id) != (size_t)2 * TUT_BODIES_ID)
        return tut_fail(err, TUT_USAGE, "an exchange is named by 32 digits of hex");
    memcpy(s.id, pair->id, sizeof(s.id));
    TUT_TRY(secret_of(keys, place->day, secret, err));
    tut_status status = seek(dir, &s, err);
    if (tut_is_ok(status))
        status = tut_bodies_open(secret, s.head, s.number, tut_buf_span(&s.record), pair, request,
                                 answer, err);
    tut_wipe(secret, sizeof(secret));
    tut_buf_done(&s.record);
    return status;
}
