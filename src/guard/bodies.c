/* What a worker writes: a file for each day, a record for each exchange. */
#include "guard/bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/openssl.h"
#include "guard/bodies_seal.h"

static const char magic[8] = {'T', 'U', 'T', 'E', 'X', 'C', 'H', 1};

struct tut_bodies {
    char *dir, *name;
    unsigned files; /* that were begun: each has a name and a key of its own */
    int fd;         /* -1: none is open */
    char day[TUT_BODIES_DAY];
    uint8_t head[TUT_BODIES_HEAD], key[TUT_BODIES_KEY];
    bool has_key;    /* the cipher has the file's */
    uint64_t number; /* of the next record */
    off_t length;
    EVP_CIPHER_CTX *cipher;
    tut_buf record;
};

tut_status tut_bodies_new(const char *dir, const char *name, tut_bodies **ret, tut_error *err)
{
    TUT_AUTO(tut_bodies) b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->fd = -1;
    b->dir = tut_fs_join(dir, "bodies");
    b->name = tut_strdup(name);
    b->cipher = EVP_CIPHER_CTX_new();
    if (!b->dir || !b->name || !b->cipher)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = tut_move(&b);
    return TUT_SUCCESS;
}

static void end_file(tut_bodies *b)
{
    if (b->fd >= 0)
        (void)close(b->fd);
    b->fd = -1;
    b->has_key = false;
    tut_wipe(b->key, sizeof(b->key));
}

void tut_bodies_free(tut_bodies *b)
{
    if (!b)
        return;
    end_file(b);
    tut_free(b->dir);
    tut_free(b->name);
    EVP_CIPHER_CTX_free(b->cipher);
    tut_wipe(b->record.data, b->record.cap);
    tut_buf_done(&b->record);
    tut_free(b);
}

tut_status tut_bodies_day_of(tut_time at, char ret_day[TUT_BODIES_DAY], tut_error *err)
{
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(at, text);
    if (strlen(text) < 10 || text[4] != '-' || text[7] != '-')
        return tut_fail(err, TUT_USAGE, "a body needs a time from 1970 to 9999");
    (void)snprintf(ret_day, TUT_BODIES_DAY, "%.4s%.2s%.2s", text, text + 5, text + 8);
    return TUT_SUCCESS;
}

static tut_status agree(tut_bodies *b, const char *day, tut_error *err)
{
    uint8_t own[TUT_BODIES_KEY];
    TUT_CLEAN(tut_buf) public = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%s/key", b->dir, day);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_fs_read(path, TUT_BODIES_KEY, &public, NULL);
    if (!tut_is_ok(status) || public.len != TUT_BODIES_KEY)
        return tut_fail(err, TUT_STORE, "the day %s has no key for bodies", day);
    memcpy(b->head, magic, sizeof(magic));
    memcpy(b->head + sizeof(magic), day, TUT_BODIES_DAY - 1);
    if (RAND_bytes_ex(tut_openssl(), own, sizeof(own), 0) != 1)
        return tut_fail(err, TUT_CRYPTO, "no random bytes");
    uint8_t *worker = b->head + TUT_BODIES_HEAD - TUT_BODIES_KEY;
    status = tut_bodies_public(own, worker, err);
    if (tut_is_ok(status))
        status = tut_bodies_agree(own, public.data, worker, public.data, b->key, err);
    tut_wipe(own, sizeof(own));
    return status;
}

static tut_status begin_file(tut_bodies *b, const char *day, tut_error *err)
{
    end_file(b);
    TUT_TRY(agree(b, day, err));
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%s/%s-%u.sealed", b->dir, day, b->name, b->files++);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s cannot be made", path);
    if (write(fd, b->head, TUT_BODIES_HEAD) != TUT_BODIES_HEAD) {
        int saved = errno;
        (void)close(fd);
        (void)unlink(path);
        return tut_fail_errno(err, saved, "%s cannot be written", path);
    }
    b->fd = fd;
    b->number = 0;
    b->length = TUT_BODIES_HEAD;
    memcpy(b->day, day, TUT_BODIES_DAY);
    return TUT_SUCCESS;
}

static bool take_id(const char *hex, uint8_t id[TUT_BODIES_ID])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(hex) != (size_t)2 * TUT_BODIES_ID ||
        strspn(hex, digits) != (size_t)2 * TUT_BODIES_ID)
        return false;
    for (size_t i = 0; i < TUT_BODIES_ID; i++)
        id[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) * 16 +
                          (strchr(digits, hex[2 * i + 1]) - digits));
    return true;
}

static void put_u32(uint8_t *to, size_t n)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(n >> (8 * i));
}

/* length | id | ciphertext | tag, in b->record. */
static tut_status seal(tut_bodies *b, const tut_bodies_pair *p, tut_error *err)
{
    tut_span request = p->request, answer = p->answer;
    uint8_t id[TUT_BODIES_ID], first[5];
    bool cuts_request = request.len > TUT_BODIES_MOST, cuts_answer = answer.len > TUT_BODIES_MOST;
    request.len = cuts_request ? TUT_BODIES_MOST : request.len;
    answer.len = cuts_answer ? TUT_BODIES_MOST : answer.len;
    first[0] = (uint8_t)((p->is_request_cut || cuts_request ? 1 : 0) |
                         (p->is_answer_cut || cuts_answer ? 2 : 0));
    put_u32(first + 1, request.len);
    size_t inner = sizeof(first) + request.len + answer.len;
    tut_buf_clear(&b->record);
    uint8_t *at = tut_buf_extend(&b->record, 4 + TUT_BODIES_ID + inner + TUT_BODIES_TAG);
    TUT_TRY(tut_buf_check(&b->record, err));
    if (!take_id(p->id, id))
        return tut_fail(err, TUT_USAGE, "an exchange is named by 32 digits of hex");
    put_u32(at, TUT_BODIES_ID + inner + TUT_BODIES_TAG);
    memcpy(at + 4, id, TUT_BODIES_ID);
    TUT_TRY(tut_bodies_begin(b->cipher, true, b->has_key ? NULL : b->key, b->head, b->number, id,
                             &p->prompt, err));
    b->has_key = true;
    tut_wipe(b->key, sizeof(b->key));
    uint8_t *to = at + 4 + TUT_BODIES_ID;
    const tut_span parts[] = {tut_span_of(first, sizeof(first)), request, answer};
    bool ok = true;
    int n = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && ok; i++) {
        if (parts[i].len == 0)
            continue;
        ok = EVP_CipherUpdate(b->cipher, to, &n, parts[i].data, (int)parts[i].len) == 1;
        to += n;
    }
    ok = ok && EVP_CipherFinal_ex(b->cipher, to, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_GCM_GET_TAG, TUT_BODIES_TAG, to) == 1;
    return ok ? TUT_SUCCESS : tut_fail(err, TUT_CRYPTO, "a body cannot be sealed");
}

/* Whole or not at all: after half a record nothing behind it could be read. */
static tut_status append(tut_bodies *b, tut_error *err)
{
    ssize_t n = write(b->fd, b->record.data, b->record.len);
    if (n == (ssize_t)b->record.len) {
        b->length += n;
        b->number++;
        return TUT_SUCCESS;
    }
    int saved = n < 0 ? errno : ENOSPC;
    if (ftruncate(b->fd, b->length) != 0)
        end_file(b); /* the next one begins anew */
    return tut_fail_errno(err, saved, "the body of an exchange cannot be written");
}

tut_status tut_bodies_put(tut_bodies *b, tut_time now, const tut_bodies_pair *pair,
                          tut_bodies_place *ret, tut_error *err)
{
    tut_bodies_place place;
    TUT_TRY(tut_bodies_day_of(now, place.day, err));
    if (b->fd < 0 || strcmp(b->day, place.day) != 0)
        TUT_TRY(begin_file(b, place.day, err));
    TUT_TRY(seal(b, pair, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&b->record), &place.digest, err));
    TUT_TRY(append(b, err));
    *ret = place;
    return TUT_SUCCESS;
}
