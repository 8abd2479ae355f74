#include "guard/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/live_internal.h"

_Static_assert(sizeof(live_u64) == 8 && sizeof(_Atomic uint16_t) == 2, "atomics are as wide");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_SHORT_LOCK_FREE == 2, "and need no lock");

enum { LOCK_WAIT_MS = 2000, LOCK_STEP_MS = 2 };

uint64_t tut_live_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* FNV-1a with a final mix: names come from the policy and from people who may stop things. */
uint64_t tut_live_hash(unsigned kind, tut_str name)
{
    uint64_t h = 0xcbf29ce484222325ull ^ kind;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (uint8_t)name.data[i]) * 0x100000001b3ull;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    h ^= h >> 32;
    return h ? h : 1;
}

void tut_live_put_name(live_u64 *words, tut_str name)
{
    char text[TUT_LIVE_NAME] = {0};
    tut_str_copy(text, sizeof(text), name);
    for (size_t i = 0; i < TUT_LIVE_NAME / 8; i++) {
        uint64_t word;
        memcpy(&word, text + 8 * i, 8);
        atomic_store(&words[i], word);
    }
}

void tut_live_get_name(const live_u64 *words, char out[TUT_LIVE_NAME])
{
    for (size_t i = 0; i < TUT_LIVE_NAME / 8; i++) {
        uint64_t word = atomic_load(&words[i]);
        memcpy(out + 8 * i, &word, 8);
    }
    out[TUT_LIVE_NAME - 1] = '\0';
}

/* --- the file --- */
/* An empty one under a temporary name. All of it is there on the disk: a full disk later must not
 * kill a process that touches a page. */
static tut_status make(const char *path, char **ret_temporary, tut_error *err)
{
    uint64_t head[4] = {LIVE_MAGIC, TUT_LIVE_LAYOUT, sizeof(live_file), 0};
    if (getrandom(&head[3], sizeof(head[3]), 0) != (ssize_t)sizeof(head[3]))
        return tut_fail_errno(err, errno, "no random number");
    TUT_AUTO_FREE char *temporary = tut_asprintf("%s.XXXXXX", path);
    if (!temporary)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
    int number = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)sizeof(live_file));
    if (number == 0 && pwrite(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
        number = EIO;
    if (fd >= 0)
        (void)close(fd);
    if (number == 0) {
        *ret_temporary = tut_move(&temporary);
        return TUT_SUCCESS;
    }
    if (fd >= 0)
        (void)unlink(temporary);
    return tut_fail_errno(err, number, "cannot make %s of %zu bytes", path, sizeof(live_file));
}

typedef enum found { FOUND_IT, FOUND_NOTHING, FOUND_ANOTHER } found;

static tut_status look(const char *path, int *ret_fd, found *ret_found, tut_error *err)
{
    struct stat st;
    uint64_t head[3] = {0};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        *ret_found = FOUND_NOTHING;
        return TUT_SUCCESS;
    }
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot open %s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
        (st.st_uid != geteuid() && geteuid() != 0)) {
        (void)close(fd);
        return tut_fail(err, TUT_DENIED, "%s is not a file of this user's that only he may read",
                        path);
    }
    if (st.st_size == (off_t)sizeof(live_file) &&
        pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) && head[0] == LIVE_MAGIC &&
        head[1] == TUT_LIVE_LAYOUT && head[2] == sizeof(live_file)) {
        *ret_fd = fd;
        *ret_found = FOUND_IT;
        return TUT_SUCCESS;
    }
    (void)close(fd);
    *ret_found = FOUND_ANOTHER;
    return TUT_SUCCESS;
}

/* Under the name: over a file of another layout, but never over one that came meanwhile. */
static tut_status put_in_place(const char *temporary, const char *path, found was, tut_error *err)
{
    int rc = was == FOUND_ANOTHER ? rename(temporary, path) : link(temporary, path);
    int number = errno;
    if (was != FOUND_ANOTHER || rc != 0)
        (void)unlink(temporary);
    if (rc != 0 && number != EEXIST)
        return tut_fail_errno(err, number, "cannot make %s", path);
    return TUT_SUCCESS;
}

static tut_status map(const char *path, int fd, tut_live **ret_live, tut_error *err)
{
    tut_live *live = tut_alloc_array(1, sizeof(*live));
    void *at = live ? mmap(NULL, sizeof(live_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                    : MAP_FAILED;
    if (at == MAP_FAILED) {
        int number = live ? errno : ENOMEM;
        tut_free(live);
        (void)close(fd);
        return tut_fail_errno(err, number, "cannot map %s", path);
    }
    *live = (tut_live){.map = at, .fd = fd, .worker = -1};
    *ret_live = live;
    return TUT_SUCCESS;
}

tut_status tut_live_open(const char *path, bool create, tut_live **ret_live, bool *ret_is_new,
                         tut_error *err)
{
    int fd = -1;
    bool is_new = false;
    for (int tries = 0; tries < 8; tries++) {
        found what = FOUND_NOTHING;
        TUT_AUTO_FREE char *temporary = NULL;
        TUT_TRY(look(path, &fd, &what, err));
        if (what == FOUND_IT) {
            TUT_TRY(map(path, fd, ret_live, err));
            if (ret_is_new)
                *ret_is_new = is_new;
            return TUT_SUCCESS;
        }
        if (!create && what == FOUND_NOTHING)
            return tut_fail(err, TUT_IO, "there is no %s; the guard is not up", path);
        if (!create)
            return tut_fail(err, TUT_STORE,
                            "%s was made by another version; take the guard down and up again",
                            path);
        TUT_TRY(make(path, &temporary, err));
        TUT_TRY(put_in_place(temporary, path, what, err));
        is_new = true;
    }
    return tut_fail(err, TUT_IO, "%s is replaced again and again", path);
}

void tut_live_free(tut_live *live)
{
    if (!live)
        return;
    (void)munmap(live->map, sizeof(live_file));
    (void)close(live->fd);
    tut_free(live);
}

/* --- among commands --- */
tut_status tut_live_lock(tut_live *live, tut_error *err)
{
    struct timespec step = {0, LOCK_STEP_MS * 1000000L};
    for (int waited = 0; flock(live->fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
        if (waited > LOCK_WAIT_MS || (errno != EWOULDBLOCK && errno != EINTR))
            return tut_fail_errno(err, errno, "another command holds the guard's live file");
        (void)nanosleep(&step, NULL);
    }
    return TUT_SUCCESS;
}

void tut_live_unlock(tut_live *live)
{
    (void)flock(live->fd, LOCK_UN);
}

tut_status tut_live_begin(tut_live *live, uint64_t *ret_boot, tut_error *err)
{
    uint64_t boot = 0;
    if (getrandom(&boot, sizeof(boot), 0) != (ssize_t)sizeof(boot))
        return tut_fail_errno(err, errno, "no random number");
    (void)tut_live_reap(live, 0);
    TUT_TRY(tut_live_lock(live, err));
    atomic_store(&live->map->generations, 0);
    atomic_store(&live->map->boot, boot);
    atomic_fetch_add(&live->map->changes, 1);
    tut_live_unlock(live);
    *ret_boot = boot;
    return TUT_SUCCESS;
}

uint64_t tut_live_boot(const tut_live *live)
{
    return atomic_load_explicit(&live->map->boot, memory_order_acquire);
}

uint64_t tut_live_changes(const tut_live *live)
{
    return atomic_load_explicit(&live->map->changes, memory_order_acquire);
}

/* --- policy --- */
tut_status tut_live_set_policy(tut_live *live, const tut_sha256 *digest, uint64_t *ret_generation,
                               tut_error *err)
{
    uint64_t words[4];
    memcpy(words, digest->bytes, sizeof(words));
    TUT_TRY(tut_live_lock(live, err));
    uint64_t next = atomic_load(&live->map->generation) + 1;
    for (size_t i = 0; i < 4; i++)
        atomic_store(&live->map->policies[next % 4][i], words[i]);
    atomic_store(&live->map->generation, next);
    atomic_fetch_add(&live->map->changes, 1);
    tut_live_unlock(live);
    *ret_generation = next;
    return TUT_SUCCESS;
}

uint64_t tut_live_generation(const tut_live *live)
{
    return atomic_load_explicit(&live->map->generation, memory_order_acquire);
}

uint64_t tut_live_policy(const tut_live *live, tut_sha256 *ret_digest)
{
    uint64_t words[4];
    uint64_t g;
    do {
        g = atomic_load(&live->map->generation);
        for (size_t i = 0; i < 4; i++)
            words[i] = atomic_load(&live->map->policies[g % 4][i]);
    } while (atomic_load(&live->map->generation) - g >= 3);
    memcpy(ret_digest->bytes, words, sizeof(words));
    return g;
}

void tut_live_decided(tut_live *live)
{
    atomic_fetch_add(&live->map->decisions, 1);
    atomic_fetch_add(&live->map->changes, 1);
}

uint64_t tut_live_decisions(const tut_live *live)
{
    return atomic_load_explicit(&live->map->decisions, memory_order_acquire);
}
