/* The journal: opening under a lock, appending with one sync, reading back with every line checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "ledger/record_internal.h"

enum { LOCK_WAIT_MS = 10000, LOCK_STEP_MS = 20, ORIGIN_BYTES = 16, ORIGIN_TEXT_MAX = 256 };

void tut_ledger_close(tut_ledger *l)
{
    if (!l)
        return;
    if (l->lock_fd >= 0)
        close(l->lock_fd);
    tut_free(l->state_dir);
    tut_free(l->journal);
    tut_free(l->bodies);
    tut_free(l->origin);
    tut_free(l);
}

static tut_status take_lock(tut_ledger *l, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(l->state_dir, "records/lock");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->lock_fd < 0) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, errno, "cannot be opened");
    }
    for (unsigned waited = 0;; waited += LOCK_STEP_MS) {
        if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return TUT_SUCCESS;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return tut_fail_errno(err, errno, "the records cannot be locked");
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (waited >= LOCK_WAIT_MS) {
            tut_error_set_path(err, path);
            return tut_fail(err, TUT_STORE,
                            "another tutela has been writing records for 10 s; try again");
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000L}, NULL);
    }
}

static tut_status read_origin(tut_ledger *l, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, ORIGIN_TEXT_MAX, &text, err));
    tut_str name = tut_str_trim(tut_buf_str(&text));
    if (name.len == 0 || memchr(name.data, '\0', name.len) || !tut_utf8_valid(name)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "does not hold the name of this log");
    }
    l->origin = tut_strndup(name.data, name.len);
    return l->origin ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* The name is random, so that records moved from another log show. */
static tut_status make_origin(tut_ledger *l, const char *path, tut_error *err)
{
    uint8_t random[ORIGIN_BYTES];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return tut_fail_errno(err, errno, "no random bytes");
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_buf_add_z(&name, "tutela-");
    tut_buf_add_hex(&name, random, sizeof(random));
    tut_buf_add_z(&name, "\n");
    TUT_TRY(tut_buf_check(&name, err));
    TUT_TRY(tut_fs_write(path, tut_buf_span(&name), 0600, err));
    return read_origin(l, path, err);
}

static tut_status find_origin(tut_ledger *l, bool for_writing, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(l->state_dir, "origin");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_fs_exists(path))
        return read_origin(l, path, err);
    return for_writing ? make_origin(l, path, err) : TUT_SUCCESS;
}

/* State is not for version control: it is large, and bodies may be confidential. */
static tut_status write_gitignore(const tut_ledger *l, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(l->state_dir, ".gitignore");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_exists(path) ? TUT_SUCCESS : tut_fs_write(path, tut_span_of("*\n", 2), 0644, err);
}

static tut_status prepare(tut_ledger *l, tut_error *err)
{
    TUT_AUTO_FREE char *records = tut_fs_join(l->state_dir, "records");
    if (!records)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_mkdirs(records, 0700, err));
    TUT_TRY(tut_fs_mkdirs(l->bodies, 0700, err));
    TUT_TRY(take_lock(l, err));
    TUT_TRY(write_gitignore(l, err));
    if (!tut_fs_exists(l->journal))
        TUT_TRY(tut_fs_write(l->journal, tut_span_of("", 0), 0600, err));
    return TUT_SUCCESS;
}

/* Records that cannot be reached are not the same as none. */
static tut_status check_reach(const tut_ledger *l, tut_error *err)
{
    struct stat st;
    if (lstat(l->journal, &st) == 0 || errno == ENOENT)
        return TUT_SUCCESS;
    tut_error_set_path(err, l->journal);
    return tut_fail_errno(err, errno, "the records cannot be read");
}

static tut_status open_into(tut_ledger *l, const char *state_dir, bool for_writing, tut_error *err)
{
    l->lock_fd = -1;
    l->state_dir = tut_strdup(state_dir);
    l->journal = tut_fs_join(state_dir, "records/journal.jsonl");
    l->bodies = tut_fs_join(state_dir, "bodies");
    if (!l->state_dir || !l->journal || !l->bodies)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (for_writing)
        TUT_TRY(prepare(l, err));
    TUT_TRY(check_reach(l, err));
    return find_origin(l, for_writing, err);
}

tut_status tut_ledger_open(const char *state_dir, bool for_writing, tut_ledger **ret_ledger,
                           tut_error *err)
{
    tut_ledger *l = tut_alloc_array(1, sizeof(*l));
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = open_into(l, state_dir, for_writing, err);
    if (!tut_is_ok(status)) {
        tut_ledger_close(l);
        return status;
    }
    *ret_ledger = l;
    return TUT_SUCCESS;
}

/* Where the last whole line ends, and how many lines there are. */
static tut_status measure(const tut_ledger *l, uint64_t *ret_lines, uint64_t *ret_end,
                          uint64_t *ret_size, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(l->journal, TUT_LIMIT_JOURNAL_BYTES, &text, err));
    uint64_t lines = 0;
    uint64_t end = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            lines++;
            end = i + 1;
        }
    }
    *ret_lines = lines;
    *ret_end = end;
    *ret_size = text.len;
    return TUT_SUCCESS;
}

/* A line without its end was never acknowledged: a crash cut it off. */
static tut_status cut_torn_line(const tut_ledger *l, uint64_t end, tut_error *err)
{
    if (truncate(l->journal, (off_t)end) != 0) {
        tut_error_set_path(err, l->journal);
        return tut_fail_errno(err, errno, "its torn last line cannot be cut off");
    }
    return TUT_SUCCESS;
}

tut_status tut_ledger_append(tut_ledger *l, tut_record *records, size_t count, tut_error *err)
{
    if (l->lock_fd < 0)
        return tut_fail(err, TUT_USAGE, "the records are open for reading only");
    if (count == 0)
        return TUT_SUCCESS;
    uint64_t lines;
    uint64_t end;
    uint64_t size;
    TUT_TRY(measure(l, &lines, &end, &size, err));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        TUT_TRY(tut_record_check(&records[i], err));
        records[i].index = lines + i;
        records[i].origin = l->origin;
        size_t before = text.len;
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(&text, &j));
        tut_record_json(&records[i], j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(&text, "\n");
        if (text.len - before > TUT_LIMIT_RECORD_BYTES)
            return tut_fail(err, TUT_LIMIT, "a record is larger than %u bytes",
                            TUT_LIMIT_RECORD_BYTES);
    }
    TUT_TRY(tut_buf_check(&text, err));
    if (text.len > TUT_LIMIT_JOURNAL_BYTES - end)
        return tut_fail(err, TUT_LIMIT, "the journal would grow over %u bytes",
                        TUT_LIMIT_JOURNAL_BYTES);
    if (end < size)
        TUT_TRY(cut_torn_line(l, end, err));
    if (l->has_unsynced_bodies)
        TUT_TRY(tut_fs_sync_all(l->bodies, err));
    l->has_unsynced_bodies = false;
    return tut_fs_append(l->journal, tut_buf_span(&text), err);
}

/* --- reading --- */

typedef struct reading {
    tut_records *records;
    tut_arena *arena;
    size_t capacity;
    tut_time until;
    const char *path;
    tut_error *err;
} reading;

static tut_status read_line(reading *rd, tut_span line, uint64_t number)
{
    tut_record r;
    tut_error why = {0};
    tut_status status = line.len > TUT_LIMIT_RECORD_BYTES
                            ? tut_fail(&why, TUT_LIMIT, "is too long")
                            : tut_record_parse(line, rd->arena, &r, &why);
    if (tut_is_ok(status) && r.index != number)
        status = tut_fail(&why, TUT_MALFORMED, "says that it is record %llu",
                          (unsigned long long)r.index);
    if (status.code == TUT_NOMEM)
        return tut_fail(rd->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_error_set_path(rd->err, rd->path);
        return tut_fail(rd->err, TUT_STORE, "line %llu is damaged: %s",
                        (unsigned long long)number + 1, why.text);
    }
    if (r.at > rd->until)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&rd->records->items, rd->records->count, &rd->capacity,
                     sizeof(*rd->records->items)));
    rd->records->items[rd->records->count++] = r;
    return TUT_SUCCESS;
}

static tut_status read_lines(reading *rd, tut_span text)
{
    uint64_t number = 0;
    size_t at = 0;
    while (at < text.len) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        if (!end) /* torn by a crash; not acknowledged, so not a record */
            return TUT_SUCCESS;
        size_t len = (size_t)(end - (text.data + at));
        TUT_TRY(read_line(rd, tut_span_of(text.data + at, len), number++));
        at += len + 1;
    }
    return TUT_SUCCESS;
}

tut_status tut_ledger_read(tut_ledger *l, tut_time until, tut_records **ret_records, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (tut_fs_exists(l->journal))
        TUT_TRY(tut_fs_read(l->journal, TUT_LIMIT_JOURNAL_BYTES, &text, err));
    TUT_AUTO(tut_records) records = tut_alloc_array(1, sizeof(*records));
    tut_arena *arena = tut_alloc_array(1, sizeof(*arena));
    if (!records || !arena) {
        tut_free(arena);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    tut_arena_init(arena, 0);
    records->owner_ = arena;
    reading rd = {
        .records = records, .arena = arena, .until = until, .path = l->journal, .err = err};
    TUT_TRY(read_lines(&rd, tut_buf_span(&text)));
    *ret_records = tut_move(&records);
    return TUT_SUCCESS;
}

void tut_records_free(tut_records *r)
{
    if (!r)
        return;
    if (r->owner_) {
        tut_arena_done(r->owner_);
        tut_free(r->owner_);
    }
    tut_free(r->items);
    tut_free(r);
}
