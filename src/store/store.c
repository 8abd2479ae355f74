#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"

enum { LOCK_WAIT_MS = 30000, LOCK_STEP_MS = 50, LAYOUT_BYTES = 4096 };

static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void tut_store_free(tut_store *s)
{
    if (!s)
        return;
    tut_cage_free(s->cage);
    tut_oci_doc_free(s->index);
    tut_free(s->tags);
    tut_arena_done(&s->arena);
    if (s->blobs >= 0)
        close(s->blobs);
    if (s->dirfd >= 0)
        close(s->dirfd);
    if (s->lock >= 0)
        close(s->lock); /* lets the lock go */
    tut_free(s->dir);
    tut_free(s);
}

/* --- opening --- */

static tut_status take_lock(tut_store *s, tut_error *err)
{
    s->lock = openat(s->dirfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                     0600);
    if (s->lock < 0)
        return tut_fail_errno(err, errno, "the lock cannot be opened");
    for (int waited = 0; flock(s->lock, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return tut_fail_errno(err, errno, "cannot be locked");
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (waited >= LOCK_WAIT_MS)
            return tut_fail(err, TUT_STORE,
                            "another command is writing to it; try again when it is done");
        struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
        (void)nanosleep(&step, NULL);
    }
    return TUT_SUCCESS;
}

static tut_status make_dir(int at, const char *name, tut_error *err)
{
    if (mkdirat(at, name, 0700) == 0 || errno == EEXIST)
        return TUT_SUCCESS;
    return tut_fail_errno(err, errno, "%s cannot be made", name);
}

static tut_status write_file(const tut_store *s, const char *name, tut_span bytes, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(s->dir, name);
    return path ? tut_fs_write(path, bytes, 0600, err) : nomem(err);
}

static bool is_there(const tut_store *s, const char *name)
{
    struct stat st;
    return fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static tut_status open_dir(int at, const char *name, int *ret_fd, tut_error *err)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR
                   ? tut_fail(err, TUT_STORE, "%s is not a directory of the layout", name)
                   : tut_fail_errno(err, errno, "%s cannot be opened", name);
    *ret_fd = fd;
    return TUT_SUCCESS;
}

static tut_status open_blobs(tut_store *s, bool makes, tut_error *err)
{
    int blobs;
    if (makes) {
        TUT_TRY(make_dir(s->dirfd, "blobs", err));
        TUT_TRY(make_dir(s->dirfd, "tmp", err));
    }
    TUT_TRY(open_dir(s->dirfd, "blobs", &blobs, err));
    tut_status status = makes ? make_dir(blobs, "sha256", err) : TUT_SUCCESS;
    if (tut_is_ok(status))
        status = open_dir(blobs, "sha256", &s->blobs, err);
    close(blobs);
    return status;
}

static tut_status read_file(const tut_store *s, const char *name, size_t max_bytes, tut_buf *out,
                            tut_error *err)
{
    tut_status status = tut_fs_read_beneath(s->dir, name, max_bytes, out, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

static tut_status check_layout(const tut_store *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(read_file(s, "oci-layout", LAYOUT_BYTES, &text, err));
    TUT_TRY(tut_json_parse(tut_buf_span(&text), NULL, &doc, err));
    tut_str version = tut_json_get_text(tut_json_root(doc), "imageLayoutVersion");
    if (!tut_str_starts(version, TUT_LIT("1.")))
        return tut_fail(err, TUT_UNSUPPORTED, "oci-layout does not name a version 1 of the layout");
    return TUT_SUCCESS;
}

static tut_status take_index(tut_store *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(read_file(s, "index.json", TUT_LIMIT_OCI_INDEX_BYTES, &text, err));
    TUT_TRY(tut_store_parse(s, tut_buf_span(&text), &s->index, err));
    if (!s->index->is_index)
        return tut_fail(err, TUT_MALFORMED, "is no index of images");
    for (size_t i = 0; i < s->index->count; i++) {
        TUT_TRY(tut_grow(&s->tags, s->tag_count, &s->tag_capacity, sizeof(*s->tags)));
        s->tags[s->tag_count++] = s->index->items[i];
    }
    return TUT_SUCCESS;
}

static tut_status read_index(tut_store *s, tut_error *err)
{
    tut_error why = {0};
    s->is_index_missing = !is_there(s, "index.json");
    if (s->is_index_missing)
        return TUT_SUCCESS;
    tut_status status = take_index(s, &why);
    if (tut_is_ok(status))
        return status;
    if (s->lock < 0 && status.code != TUT_NOMEM && status.code != TUT_CANCELLED) {
        tut_str_copy(s->index_problem, sizeof(s->index_problem), tut_str_of(why.text));
        s->tag_count = 0;
        return TUT_SUCCESS;
    }
    tut_error_set_path(err, "index.json");
    return tut_fail(err, status.code,
                    "%s; once it is moved away, the next snapshot makes it anew "
                    "from the log",
                    why.text);
}

static tut_status open_all(tut_store *s, bool for_writing, tut_error *err)
{
    s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dirfd < 0)
        return tut_fail_errno(err, errno, "cannot be opened");
    if (for_writing)
        TUT_TRY(take_lock(s, err));
    TUT_TRY(open_blobs(s, for_writing, err));
    if (for_writing && !is_there(s, "oci-layout"))
        TUT_TRY(write_file(s, "oci-layout", tut_span_of(layout, sizeof(layout) - 1), err));
    TUT_TRY(check_layout(s, err));
    return read_index(s, err);
}

tut_status tut_store_open(const char *state_dir, bool for_writing, tut_store **ret_store,
                          tut_error *err)
{
    const tut_cage_options cage = {.workers = 1};
    TUT_AUTO(tut_store) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return nomem(err);
    s->dirfd = s->blobs = s->lock = -1;
    tut_arena_init(&s->arena, 0);
    s->dir = tut_fs_join(state_dir, "store");
    if (!s->dir)
        return nomem(err);
    if (!for_writing && !tut_fs_exists(s->dir)) {
        *ret_store = NULL;
        return TUT_SUCCESS;
    }
    if (for_writing)
        TUT_TRY(tut_fs_mkdirs(s->dir, 0700, err));
    TUT_TRY(tut_cage_open(tut_oci_job, &cage, &s->cage, err));
    tut_status status = open_all(s, for_writing, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, s->dir);
        return status;
    }
    *ret_store = tut_move(&s);
    return TUT_SUCCESS;
}

/* --- parsing --- */

typedef struct answer {
    tut_oci_doc **ret_doc;
    tut_status status;
} answer;

static tut_status take_answer(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                              const tut_error *error, tut_error *err)
{
    answer *a = ctx;
    (void)tag;
    if (outcome == TUT_CAGE_DONE) {
        a->status = tut_oci_decode(reply, a->ret_doc, err);
    } else {
        a->status = (tut_status){error->code};
        if (err)
            *err = *error;
    }
    return TUT_SUCCESS; /* the cage goes on */
}

tut_status tut_store_parse(tut_store *s, tut_span json, tut_oci_doc **ret_doc, tut_error *err)
{
    answer a = {.ret_doc = ret_doc, .status = {TUT_BUG}};
    tut_cage_request request = {.fd = -1, .size = json.len, .sibling_dirfd = -1, .argument = json};
    TUT_TRY(tut_cage_submit(s->cage, &request, take_answer, &a, err));
    TUT_TRY(tut_cage_drain(s->cage, take_answer, &a, err));
    return a.status;
}

/* --- tags --- */

static size_t find_tag(const tut_store *s, tut_str name)
{
    for (size_t i = 0; i < s->tag_count; i++)
        if (tut_str_eq(tut_oci_get(&s->tags[i].annotations, TUT_OCI_REF_NAME), name))
            return i;
    return SIZE_MAX;
}

const tut_oci_descriptor *tut_store_tag(const tut_store *s, tut_str name)
{
    size_t at = find_tag(s, name);
    return at == SIZE_MAX ? NULL : &s->tags[at];
}

static tut_status copy_str(tut_store *s, tut_str text, tut_str *ret, tut_error *err)
{
    char *copy = tut_arena_copy(&s->arena, text);
    if (!copy)
        return nomem(err);
    *ret = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

tut_status tut_store_set_tag(tut_store *s, tut_str name, const tut_oci_descriptor *item,
                             tut_error *err)
{
    size_t at = find_tag(s, name);
    if (!item) {
        if (at != SIZE_MAX)
            s->tags[at] = s->tags[--s->tag_count];
        return TUT_SUCCESS;
    }
    tut_oci_descriptor kept = {.digest = item->digest, .size = item->size};
    kept.annotations.items = tut_arena_take(&s->arena, 1, sizeof(*kept.annotations.items));
    if (!kept.annotations.items)
        return nomem(err);
    kept.annotations.count = 1;
    kept.annotations.items[0].key = tut_str_of(TUT_OCI_REF_NAME);
    TUT_TRY(copy_str(s, name, &kept.annotations.items[0].value, err));
    TUT_TRY(copy_str(s, item->media_type, &kept.media_type, err));
    TUT_TRY(copy_str(s, item->artifact_type, &kept.artifact_type, err));
    if (at == SIZE_MAX) {
        TUT_TRY(tut_grow(&s->tags, s->tag_count, &s->tag_capacity, sizeof(*s->tags)));
        at = s->tag_count++;
    }
    s->tags[at] = kept;
    return TUT_SUCCESS;
}

tut_status tut_store_save(tut_store *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&out, &j));
    tut_json_object(j);
    tut_json_put_int(j, "schemaVersion", 2);
    tut_json_put_z(j, "mediaType", TUT_OCI_INDEX);
    tut_json_key(j, "manifests");
    tut_json_array(j);
    for (size_t i = 0; i < s->tag_count; i++)
        tut_oci_put(j, &s->tags[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    TUT_TRY(tut_fs_sync_all(s->dir, err));
    return write_file(s, "index.json", tut_buf_span(&out), err);
}
