/* A file of sealed bodies as it may lie on the disk: what opens is what was sealed; nothing else
 * does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/bodies.h"

#define ID "0123456789abcdef0123456789abcdef"

static const char request_text[] = "{\"prompt\":\"my name is Ada\"}", answer_text[] = "hello";
static char dir[64], file[128];
static tut_keystore *keys;

/* The day's key is always the same one, so that seeds open. */
static int begin(void)
{
    static const uint8_t secret[TUT_PERIOD_SECRET] = {7};
    char path[160];
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-fuzz-XXXXXX");
    if (!mkdtemp(dir) || setenv("XDG_DATA_HOME", dir, 1) != 0 ||
        !tut_is_ok(tut_keystore_open("fuzz", true, &keys, NULL)))
        return 0;
    (void)snprintf(path, sizeof(path), "%s/period", tut_keystore_dir(keys));
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/period/20231114", tut_keystore_dir(keys));
    (void)snprintf(file, sizeof(file), "%s/bodies/20231114/x.sealed", dir);
    return tut_is_ok(tut_fs_write(path, tut_span_of(secret, sizeof(secret)), 0600, NULL)) &&
           tut_is_ok(tut_bodies_prepare(dir, keys, 1700000000, NULL));
}

static bool is_same(const tut_buf *b, const char *text)
{
    return b->len == strlen(text) && (b->len == 0 || memcmp(b->data, text, b->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int is_ready = -1;
    tut_bodies_place place = {.day = "20231114"};
    tut_bodies_pair pair = {.id = ID, .prompt = {{5}}};
    if (is_ready < 0)
        is_ready = begin();
    if (!is_ready || size > 65536)
        return 0;
    /* The digest that the event would have of the first record, so that more than that is tried. */
    if (size > TUT_BODIES_HEAD + 4) {
        const uint8_t *at = data + TUT_BODIES_HEAD;
        size_t len = 4 + ((size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 |
                          (size_t)at[3] << 24);
        if (len <= size - TUT_BODIES_HEAD)
            TUT_IGNORE(tut_sha256_of(tut_span_of(at, len), &place.digest, NULL));
    }
    FILE *f = fopen(file, "wb");
    if (!f || (size && fwrite(data, size, 1, f) != 1) || fclose(f) != 0)
        return 0;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    bool opens = tut_is_ok(tut_bodies_get(dir, keys, &place, &pair, &request, &answer, NULL));
    if (opens != (request.len + answer.len > 0) ||
        (opens && (!is_same(&request, request_text) || !is_same(&answer, answer_text))))
        __builtin_trap();
    return 0;
}
