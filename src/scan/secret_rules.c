#include "scan/secret_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "scan/policy_file.h"

enum { COMPILED_MAX = 64 << 20 };

/* What is kept depends on how it is read as well: raised with every change to either. */
static const char reader[] = "tutela rules 1 " TUTELA_VERSION "\n";

/* --- where it lies --- */
static bool is_beneath(const char *file, const char *dir)
{
    size_t len = strlen(dir);
    return strncmp(file, dir, len) == 0 &&
           (file[len] == '\0' || file[len] == '/' || (len > 0 && dir[len - 1] == '/'));
}

static tut_status check_place(const char *file, const char *const *paths, size_t count,
                              tut_error *err)
{
    char *real = realpath(file, NULL);
    if (!real)
        return TUT_SUCCESS; /* opening it will say why */
    bool is_inside = false;
    for (size_t i = 0; i < count && !is_inside; i++) {
        char *scanned = realpath(paths[i], NULL);
        is_inside = scanned && is_beneath(real, scanned);
        free(scanned);
    }
    free(real);
    if (is_inside)
        return tut_fail(
            err, TUT_DENIED,
            "%s lies in what is scanned, whose maker must not choose the rules; keep it "
            "elsewhere",
            file);
    return TUT_SUCCESS;
}

/* --- reading --- */
static tut_status parse_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    (void)task;
    (void)argument;
    if (bytes->size > TUT_LIMIT_RULE_FILE_BYTES)
        return tut_fail(err, TUT_LIMIT, "larger than %u bytes", TUT_LIMIT_RULE_FILE_BYTES);
    TUT_AUTO_FREE char *text = tut_alloc_array((size_t)bytes->size + 1, 1);
    if (!text)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_source_read(bytes, 0, text, (size_t)bytes->size, err));
    return tut_gitleaks_parse((tut_str){text, (size_t)bytes->size}, out, err);
}

static tut_status read_list(const char *file, tut_cage_mode mode, tut_buf *list, tut_error *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s cannot be read", file);
    tut_cage_options cage = {.mode = mode};
    tut_error why = {0};
    tut_status status = tut_cage_call(parse_job, &cage, fd, tut_span_of(NULL, 0), list, &why);
    close(fd);
    if (tut_is_ok(status))
        return status;
    return tut_fail(err, status.code, "%s: %s", file, why.text);
}

/* --- what was compiled before --- */
static char *cache_dir(void)
{
    const char *base = getenv("XDG_CACHE_HOME");
    if (base && base[0] == '/')
        return tut_asprintf("%s/tutela/rules", base);
    const char *home = getenv("HOME");
    return home && home[0] == '/' ? tut_asprintf("%s/.cache/tutela/rules", home) : NULL;
}

static char *cache_file(const tut_buf *list)
{
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    TUT_AUTO_FREE char *dir = cache_dir();
    tut_sha256 digest;
    char hex[TUT_SHA256_HEX];
    tut_buf_add_z(&all, reader);
    tut_buf_add_z(&all, tut_text_engine());
    tut_buf_add(&all, list->data, list->len);
    if (!dir || !tut_is_ok(tut_buf_check(&all, NULL)) ||
        !tut_is_ok(tut_sha256_of(tut_buf_span(&all), &digest, NULL)))
        return NULL;
    tut_sha256_hex(&digest, hex);
    return tut_asprintf("%s/%s.hs", dir, hex);
}

static bool is_ours(const char *path, mode_t type)
{
    struct stat st;
    return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IRWXG | S_IRWXO));
}

/* The digest of what follows, then what follows. False: there is nothing that can be trusted. */
static bool load_kept(const char *file, tut_buf *bytes, tut_span *ret_compiled)
{
    TUT_AUTO_FREE char *dir = cache_dir();
    tut_sha256 digest;
    if (!file || !dir || !is_ours(dir, S_IFDIR) || !is_ours(file, S_IFREG) ||
        !tut_is_ok(tut_fs_read(file, COMPILED_MAX, bytes, NULL)) || bytes->len <= TUT_SHA256_BYTES)
        return false;
    *ret_compiled = tut_span_of(bytes->data + TUT_SHA256_BYTES, bytes->len - TUT_SHA256_BYTES);
    return tut_is_ok(tut_sha256_of(*ret_compiled, &digest, NULL)) &&
           memcmp(digest.bytes, bytes->data, TUT_SHA256_BYTES) == 0;
}

/* A cache that cannot be written costs time, nothing else. */
static void keep(const char *file, const tut_text_user *user)
{
    TUT_CLEAN(tut_buf) compiled = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    TUT_AUTO_FREE char *dir = cache_dir();
    tut_sha256 digest;
    if (!file || !dir || !tut_is_ok(tut_text_user_save(user, &compiled, NULL)) ||
        !tut_is_ok(tut_sha256_of(tut_buf_span(&compiled), &digest, NULL)) ||
        !tut_is_ok(tut_fs_mkdirs(dir, 0700, NULL)) || !is_ours(dir, S_IFDIR))
        return;
    tut_buf_add(&all, digest.bytes, TUT_SHA256_BYTES);
    tut_buf_add(&all, compiled.data, compiled.len);
    if (tut_is_ok(tut_buf_check(&all, NULL)))
        TUT_IGNORE(tut_fs_write(file, tut_buf_span(&all), 0600, NULL));
}

tut_status tut_secret_rules_open(const char *file, const char *const *paths, size_t count,
                                 tut_cage_mode mode, tut_text_user **ret_user, tut_error *err)
{
    TUT_CLEAN(tut_buf) list = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) kept = TUT_BUF_INIT;
    TUT_TRY(check_place(file, paths, count, err));
    TUT_TRY(read_list(file, mode, &list, err));
    TUT_AUTO_FREE char *cached = cache_file(&list);
    tut_span compiled = {0};
    bool is_kept = load_kept(cached, &kept, &compiled);
    TUT_TRY(tut_text_user_new(tut_buf_span(&list), is_kept ? compiled : tut_span_of(NULL, 0),
                              ret_user, err));
    if (!is_kept)
        keep(cached, *ret_user);
    return TUT_SUCCESS;
}

tut_status tut_secret_rules_gather(const tut_system *system, const char *file,
                                   const char *const *paths, size_t count, tut_cage_mode mode,
                                   tut_text_user **ret_user, char **ret_file, tut_error *err)
{
    TUT_AUTO_FREE char *own = NULL;
    if (!file && (!system || system->secret_rules.len == 0))
        return TUT_SUCCESS;
    if (file)
        own = tut_strdup(file);
    else
        TUT_TRY(tut_policy_file(system, "secret_rules", system->secret_rules, &own, err));
    if (!own)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    /* The description is trusted, and lies in what it describes. */
    TUT_TRY(tut_secret_rules_open(own, paths, file ? count : 0, mode, ret_user, err));
    if (ret_file)
        *ret_file = tut_move(&own);
    return TUT_SUCCESS;
}
