/*
 * A log of which one file is another's: the first byte chooses it (checkpoint, journal, tiles,
 * bundles, pruning mark), the rest is what it holds. Whatever opens must give no entry and no root
 * that is not the signed one.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "log_fixture.h"

enum { SIZE = 300, RECENT = 5 };

static log_fixture fx;
static tut_sha256 want;

static const char *const names[] = {
    "checkpoint",
    "journal",
    "pruned",
    "tile/0/000",
    "tile/0/001.p/49",
    "tile/1/000.p/1",
    "tile/0/001.p/44",
    "tile/entries/000",
    "tile/entries/001.p/49",
    "tile/entries/001.p/44",
    "tile/0/001.p/7",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static tut_buf kept[NAMES];

static void remove_all(void)
{
    fixture_done(&fx);
    for (size_t i = 0; i < NAMES; i++)
        tut_buf_done(&kept[i]);
}

static void file_of(size_t i, char path[256])
{
    (void)snprintf(path, 256, "%s/%s", fx.dir, names[i]);
}

static void put(size_t i, const uint8_t *data, size_t len)
{
    char path[256];
    file_of(i, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    char path[256];
    tut_merkle_range range;
    fixture_make(&fx, "fuzz");
    fx.options.anchor = NULL;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, SIZE);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, RECENT);
    fixture_close(log);
    fixture_range(SIZE + RECENT, &range);
    tut_merkle_range_root(&range, &want);
    for (size_t i = 0; i < NAMES; i++) {
        file_of(i, path);
        if (tut_fs_exists(path) && !tut_is_ok(tut_fs_read(path, 1 << 20, &kept[i], NULL)))
            abort();
    }
    (void)atexit(remove_all);
    return 0;
}

static void ignore(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    if (!*name || !*detail)
        abort();
}

static void read_all(tut_log *log)
{
    tut_buf out = TUT_BUF_INIT;
    for (uint64_t i = 0; i < tut_log_size(log); i += 29) {
        uint8_t room[FIXTURE_ENTRY_MAX];
        tut_span entry = fixture_entry(i, room);
        tut_buf_clear(&out);
        if (tut_is_ok(tut_log_entry(log, i, &out, NULL)) &&
            (out.len != entry.len || memcmp(out.data, entry.data, entry.len) != 0))
            abort();
    }
    tut_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_log *log = NULL;
    tut_error err = {0};
    if (size < 1 || size > 1 << 16)
        return 0;
    size_t i = data[0] % NAMES;
    put(i, data + 1, size - 1);
    if (tut_is_ok(tut_log_open(&fx.options, false, &log, &err))) {
        tut_sha256 root;
        tut_log_root(log, &root);
        if (tut_log_size(log) == SIZE + RECENT && !tut_sha256_eq(&root, &want))
            abort();
        read_all(log);
        if (!tut_is_ok(tut_log_verify(log, ignore, NULL, &err)) && err.text[0] == '\0')
            abort();
        tut_log_free(log);
    }
    char path[256];
    file_of(i, path);
    if (kept[i].len)
        put(i, kept[i].data, kept[i].len);
    else
        (void)remove(path);
    return 0;
}
