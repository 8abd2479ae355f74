#include "probe/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/source.h"

enum { SYNC_MS = 1000, HEX = 64, LEAST_LINE = 5 + HEX + 6 + 1 };
static const char schema[] = "tutela.probe-journal/1";

/* head = {"journal":schema,"target":TEXT}; line = {"q":"HEX","a":JSON} */
typedef struct line {
    uint64_t at; /* of the answer */
    size_t len;
    size_t next; /* of the same question; SIZE_MAX: none */
} line;

struct tut_journal {
    int fd;
    line *lines;
    size_t count, capacity;
    size_t *heads; /* of each question: its next line; SIZE_MAX: none any more */
    size_t *tails;
    size_t head_count, head_capacity, tail_capacity;
    tut_map map; /* from a digest to its head */
    tut_arena arena;
    bool is_dirty;
    uint64_t synced; /* tut_clock_ms() */
};

void tut_journal_free(tut_journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0) {
        if (j->is_dirty)
            (void)fdatasync(j->fd);
        (void)close(j->fd);
    }
    tut_free(j->lines);
    tut_free(j->heads);
    tut_free(j->tails);
    tut_map_done(&j->map);
    tut_arena_done(&j->arena);
    tut_free(j);
}

uint64_t tut_journal_count(const tut_journal *j)
{
    return j->count;
}

/* --- what is there --- */
static tut_status new_head(tut_journal *j, tut_str hex, tut_error *err)
{
    char *kept = tut_arena_copy(&j->arena, hex);
    if (!kept ||
        !tut_is_ok(tut_grow(&j->heads, j->head_count, &j->head_capacity, sizeof(*j->heads))) ||
        !tut_is_ok(tut_grow(&j->tails, j->head_count, &j->tail_capacity, sizeof(*j->tails))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_map_put(&j->map, (tut_str){kept, hex.len}, j->head_count, NULL, err);
}

static tut_status keep_line(tut_journal *j, tut_str hex, uint64_t at, size_t len, tut_error *err)
{
    size_t head = tut_map_get(&j->map, hex), mine = j->count;
    if (!tut_is_ok(tut_grow(&j->lines, j->count, &j->capacity, sizeof(*j->lines))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (head == SIZE_MAX) {
        TUT_TRY(new_head(j, hex, err));
        head = j->head_count++;
        j->heads[head] = mine;
    } else {
        j->lines[j->tails[head]].next = mine;
    }
    j->tails[head] = mine;
    j->lines[j->count++] = (line){at, len, SIZE_MAX};
    return TUT_SUCCESS;
}

static bool is_hex(tut_str s)
{
    tut_sha256 digest;
    return tut_is_ok(tut_sha256_parse(s, &digest));
}

/* The line begins at `at` and is `whole` bytes long, of which `shown` are at hand. */
static tut_status take_line(tut_journal *j, tut_span shown, uint64_t at, uint64_t whole,
                            tut_error *err)
{
    tut_str s = tut_str_from(shown);
    if (whole < LEAST_LINE || s.len < LEAST_LINE - 1 || !tut_str_starts(s, TUT_LIT("{\"q\":\"")))
        return tut_fail_at(err, TUT_STORE, at, "a line is damaged; remove the file to begin anew");
    tut_str hex = {s.data + 6, HEX}, rest = {s.data + 6 + HEX, s.len - 6 - HEX};
    if (!is_hex(hex) || !tut_str_starts(rest, TUT_LIT("\",\"a\":")))
        return tut_fail_at(err, TUT_STORE, at, "a line is damaged; remove the file to begin anew");
    size_t before = 6 + HEX + 6;
    return keep_line(j, hex, at + before, whole - before - 2, err); /* without "}\n" */
}

static void write_head(tut_str target, tut_buf *out)
{
    TUT_AUTO(tut_json) w = NULL;
    if (!tut_is_ok(tut_json_new(out, &w)))
        return;
    tut_json_object(w);
    tut_json_put_z(w, "journal", schema);
    tut_json_put_str(w, "target", target);
    tut_json_end_object(w);
    TUT_IGNORE(tut_json_finish(w, NULL));
    tut_buf_add_byte(out, '\n');
}

static tut_status read_lines(tut_journal *j, const tut_source *source, tut_str target,
                             uint64_t *ret_end, tut_error *err)
{
    TUT_CLEAN(tut_buf) head = TUT_BUF_INIT;
    TUT_AUTO(tut_stream) s = NULL;
    tut_span shown;
    bool is_cut = false;
    write_head(target, &head);
    TUT_TRY(tut_buf_check(&head, err));
    TUT_TRY(tut_stream_open_source(source, &s));
    if (!tut_is_ok(tut_stream_line(s, TUT_LIMIT_PEEK_BYTES, &shown, &is_cut)))
        return TUT_SUCCESS; /* nothing whole is in it */
    if (!tut_str_starts(tut_str_from(shown), TUT_LIT("{\"journal\":\"tutela.probe-journal/1\"")))
        return tut_fail(err, TUT_USAGE, "this is no journal of probes; name another file");
    if (!tut_str_eq(tut_str_from(shown), tut_buf_str(&head)))
        return tut_fail(err, TUT_USAGE,
                        "these are the answers of another target; name another file, or remove it");
    for (;;) {
        *ret_end = tut_stream_pos(s);
        if (!tut_is_ok(tut_stream_line(s, TUT_LIMIT_PEEK_BYTES, &shown, &is_cut)))
            return TUT_SUCCESS;
        TUT_TRY(take_line(j, shown, *ret_end, tut_stream_pos(s) - *ret_end, err));
    }
}

static tut_status write_bytes(const tut_journal *j, tut_span bytes, tut_error *err)
{
    tut_status s = tut_fs_write_to(j->fd, bytes, err);
    return s;
}

static tut_status begin(tut_journal *j, const char *path, tut_str target, tut_error *err)
{
    struct stat st;
    tut_source source;
    uint64_t end = 0;
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->fd < 0 || fstat(j->fd, &st) != 0)
        return tut_fail_errno(err, errno, "%s", path);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return tut_fail(err, TUT_USAGE, "another run is writing this journal");
    if (fchmod(j->fd, 0600) != 0)
        return tut_fail_errno(err, errno, "it cannot be kept from others");
    TUT_TRY(tut_source_file(j->fd, &source, err));
    TUT_TRY(read_lines(j, &source, target, &end, err));
    if (ftruncate(j->fd, (off_t)end) != 0 || lseek(j->fd, (off_t)end, SEEK_SET) < 0)
        return tut_fail_errno(err, errno, "the end that was not written whole cannot be cut off");
    j->synced = tut_clock_ms();
    if (end > 0)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) head = TUT_BUF_INIT;
    write_head(target, &head);
    TUT_TRY(tut_buf_check(&head, err));
    return write_bytes(j, tut_buf_span(&head), err);
}

static tut_status make_folder(const char *path, tut_error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *folder = tut_strndup(path, (size_t)(slash - path));
    if (!folder)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_mkdirs(folder, 0700, err);
}

tut_status tut_journal_open(const char *path, tut_str target, tut_journal **ret_journal,
                            tut_error *err)
{
    TUT_TRY(make_folder(path, err));
    TUT_AUTO(tut_journal) j = tut_alloc_array(1, sizeof(*j));
    if (!j)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    j->fd = -1;
    tut_arena_init(&j->arena, 0);
    tut_status s = begin(j, path, target, err);
    if (!tut_is_ok(s)) {
        tut_error_set_path(err, path);
        return s;
    }
    *ret_journal = tut_move(&j);
    return TUT_SUCCESS;
}

/* --- taking and adding --- */
tut_status tut_journal_take(tut_journal *j, const tut_sha256 *key, tut_buf *ret_answer,
                            bool *ret_found, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_source source;
    tut_sha256_hex(key, hex);
    size_t head = tut_map_get(&j->map, tut_str_of(hex));
    *ret_found = head != SIZE_MAX && j->heads[head] != SIZE_MAX;
    if (!*ret_found)
        return TUT_SUCCESS;
    const line *l = &j->lines[j->heads[head]];
    TUT_TRY(tut_source_file(j->fd, &source, err));
    uint8_t *to = tut_buf_extend(ret_answer, l->len);
    TUT_TRY(tut_buf_check(ret_answer, err));
    TUT_TRY(tut_source_read(&source, l->at, to, l->len, err));
    j->heads[head] = l->next;
    return TUT_SUCCESS;
}

tut_status tut_journal_add(tut_journal *j, const tut_sha256 *key, tut_str answer, tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_z(&b, "{\"q\":\"");
    tut_buf_add_hex(&b, key->bytes, sizeof(key->bytes));
    tut_buf_add_z(&b, "\",\"a\":");
    tut_buf_add_str(&b, answer);
    tut_buf_add_z(&b, "}\n");
    TUT_TRY(tut_buf_check(&b, err));
    TUT_TRY(write_bytes(j, tut_buf_span(&b), err));
    uint64_t now = tut_clock_ms();
    j->is_dirty = true;
    if (now - j->synced < SYNC_MS)
        return TUT_SUCCESS;
    j->synced = now;
    j->is_dirty = false;
    return fdatasync(j->fd) == 0 ? TUT_SUCCESS
                                 : tut_fail_errno(err, errno, "the journal cannot be kept");
}
