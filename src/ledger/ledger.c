/* The ledger as the rest of the program knows it: opening, keys and genesis, appending. */
#include "ledger/record.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "ledger/entry.h"
#include "ledger/ledger_internal.h"
#include "ledger/people_event.h"

enum { ORIGIN_BYTES = 16, ORIGIN_TEXT_MAX = 256, RUN_BYTES = 8 };

void tut_ledger_close(tut_ledger *l)
{
    if (!l)
        return;
    if (l->sequencer)
        TUT_IGNORE(tut_sequencer_close(&l->sequencer, NULL));
    tut_sequencer_free(l->sequencer);
    tut_log_free(l->log);
    tut_key_free(l->tool_key);
    tut_keystore_free(l->keys);
    tut_free(l->state_dir);
    tut_free(l->bodies);
    tut_free(l->evidence);
    tut_free(l->origin);
    tut_free(l->log_origin);
    tut_free(l->anchor);
    tut_free(l);
}

const char *tut_ledger_origin(const tut_ledger *l)
{
    return l->origin ? l->origin : "";
}

const char *tut_ledger_log_origin(const tut_ledger *l)
{
    return l->log_origin ? l->log_origin : "";
}

char *tut_ledger_beside_keys(const tut_ledger *l, const char *name)
{
    const char *slash = l->anchor ? strrchr(l->anchor, '/') : NULL;
    const char *which = slash ? strchr(slash, '-') : NULL; /* anchor-WHICH */
    return which ? tut_asprintf("%s/%s%s", tut_keystore_dir(l->keys), name, which) : NULL;
}

bool tut_ledger_has_keys(const tut_ledger *l)
{
    return l->keys != NULL;
}

const char *tut_ledger_state_dir(const tut_ledger *l)
{
    return l->state_dir;
}

/* --- origin --- */

static tut_status read_origin(tut_ledger *l, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, ORIGIN_TEXT_MAX, &text, err));
    tut_str name = tut_str_trim(tut_buf_str(&text));
    bool is_sound = name.len > 0;
    for (size_t i = 0; i < name.len; i++) /* it names a directory beside the keys as well */
        is_sound = is_sound &&
                   ((name.data[i] >= 'a' && name.data[i] <= 'z') ||
                    (name.data[i] >= '0' && name.data[i] <= '9') || name.data[i] == '-');
    if (!is_sound) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "does not hold the name of this log");
    }
    l->origin = tut_strndup(name.data, name.len);
    l->log_origin = l->origin ? tut_asprintf("%s/%s", l->origin, tut_log_names[TUT_LOG_EVIDENCE])
                              : NULL;
    return l->log_origin ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* The name is random, so that records moved from another log show. Of two processes that make it
 * at once the first wins: a link never replaces. */
static tut_status make_origin(const tut_ledger *l, const char *path, tut_error *err)
{
    uint8_t random[ORIGIN_BYTES];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return tut_fail_errno(err, errno, "no random bytes");
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_buf_add_z(&name, "tutela-");
    tut_buf_add_hex(&name, random, sizeof(random));
    tut_buf_add_z(&name, "\n");
    TUT_TRY(tut_buf_check(&name, err));
    TUT_AUTO_FREE char *draft = tut_asprintf("%s/origin.%ld", l->state_dir, (long)getpid());
    if (!draft)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_write(draft, tut_buf_span(&name), 0600, err));
    int failure = link(draft, path) == 0 ? 0 : errno;
    unlink(draft);
    if (failure != 0 && failure != EEXIST) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, failure, "cannot be made");
    }
    return TUT_SUCCESS;
}

static tut_status find_origin(tut_ledger *l, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(l->state_dir, "origin");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool has_log;
    bool exists;
    TUT_TRY(tut_ledger_look(l->evidence, &has_log,
                            err)); /* first: the name is made before the log is */
    TUT_TRY(tut_ledger_look(path, &exists, err));
    if (exists)
        return read_origin(l, path, err);
    if (has_log) { /* another name would hide what was recorded */
        tut_error_set_path(err, path);
        return tut_fail(
            err, TUT_STORE,
            "is gone, though a log is there; its name is the first line of %s/checkpoint "
            "up to the slash",
            l->evidence);
    }
    if (!l->is_writing)
        return TUT_SUCCESS;
    TUT_TRY(make_origin(l, path, err));
    return read_origin(l, path, err);
}

/* --- what lies on disk before anything is appended --- */

/* State is not for version control: it is large, and bodies may be confidential. */
static tut_status write_gitignore(const tut_ledger *l, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(l->state_dir, ".gitignore");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_exists(path) ? TUT_SUCCESS : tut_fs_write(path, tut_span_of("*\n", 2), 0644, err);
}

/* A log without its key is not given another one: nobody could verify it any more. */
static tut_status open_keys(tut_ledger *l, tut_error *err)
{
    bool has_log;
    TUT_TRY(tut_ledger_look(l->evidence, &has_log, err));
    TUT_TRY(tut_keystore_open(l->origin, l->is_writing && !has_log, &l->keys, err));
    if (!l->keys && l->is_writing) {
        tut_error_set_path(err, l->state_dir);
        return tut_fail(err, TUT_STORE,
                        "the keys of this log (%s) are not in this user's key directory; copy "
                        "them here, or move the state away to begin a new log",
                        l->origin);
    }
    if (!l->keys)
        return TUT_SUCCESS;
    l->anchor = tut_asprintf("%s/anchor-%s", tut_keystore_dir(l->keys),
                             tut_log_names[TUT_LOG_EVIDENCE]);
    return l->anchor ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- genesis --- */

static tut_status append_genesis(tut_ledger *l, tut_error *err)
{
    TUT_AUTO(tut_pubkey) log_key = NULL;
    TUT_AUTO(tut_pubkey) tool_key = NULL;
    TUT_TRY(tut_keystore_public(l->keys, "log", &log_key, err));
    TUT_TRY(tut_keystore_public(l->keys, "tool", &tool_key, err));
    tut_people_change genesis = {.kind = TUT_PEOPLE_GENESIS,
                                 .keys = {tool_key},
                                 .key_count = 1,
                                 .log_keys = {log_key},
                                 .log_key_count = 1};
    tut_record r = {.at = tut_time_now(), .actor = "tool"};
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_status status = tut_people_record(&genesis, &arena, &r, err);
    if (tut_is_ok(status))
        status = tut_ledger_append(l, &r, 1, err);
    tut_arena_done(&arena);
    return status;
}

/* Two commands may find an empty log at once; only the one whose genesis is entry 0 founded it. */
static tut_status found(tut_ledger *l, tut_error *err)
{
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    TUT_TRY(tut_sequencer_checkpoint(l->sequencer, TUT_LOG_EVIDENCE, &note, err));
    return note.len == 0 ? append_genesis(l, err) : TUT_SUCCESS;
}

static tut_status prepare(tut_ledger *l, const tut_ledger_options *options, tut_error *err)
{
    uint8_t run[RUN_BYTES];
    TUT_CLEAN(tut_buf) producer = TUT_BUF_INIT;
    if (getrandom(run, sizeof(run), 0) != (ssize_t)sizeof(run))
        return tut_fail_errno(err, errno, "no random bytes");
    tut_buf_printf(&producer, "%s-", options->producer ? options->producer : "tutela");
    tut_buf_add_hex(&producer, run, sizeof(run));
    TUT_TRY(tut_buf_check(&producer, err));
    tut_str_copy(l->producer, sizeof(l->producer), tut_buf_str(&producer));
    TUT_TRY(tut_fs_mkdirs(l->bodies, 0700, err));
    TUT_TRY(write_gitignore(l, err));
    return TUT_SUCCESS;
}

static tut_status connect(tut_ledger *l, const tut_ledger_options *options, tut_error *err)
{
    tut_sequencer_options how = {.state_dir = l->state_dir,
                                 .origin = l->origin,
                                 .keys = l->keys,
                                 .secret = options->secret,
                                 .is_rotating = options->rotates_log,
                                 .next_secret = options->next_secret};
    TUT_TRY(tut_sequencer_connect(&how, &l->sequencer, err));
    if (tut_keystore_has_next(l->keys, "tool"))
        TUT_TRY(tut_ledger_finish_tool(l, err));
    TUT_TRY(tut_keystore_key(l->keys, "tool", options->secret, &l->tool_key, err));
    return found(l, err);
}

static tut_status open_into(tut_ledger *l, const char *state_dir, const tut_ledger_options *options,
                            tut_error *err)
{
    l->is_writing = options->for_writing;
    l->state_dir = tut_strdup(state_dir);
    l->bodies = tut_fs_join(state_dir, "bodies");
    l->evidence = tut_fs_join(state_dir, "ledger/evidence");
    if (!l->state_dir || !l->bodies || !l->evidence)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (l->is_writing)
        TUT_TRY(prepare(l, options, err));
    TUT_TRY(find_origin(l, err));
    if (!l->origin)
        return TUT_SUCCESS;
    TUT_TRY(open_keys(l, err));
    return l->is_writing ? connect(l, options, err) : TUT_SUCCESS;
}

tut_status tut_ledger_open_with(const char *state_dir, const tut_ledger_options *options,
                                tut_ledger **ret_ledger, tut_error *err)
{
    tut_ledger *l = tut_alloc_array(1, sizeof(*l));
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = open_into(l, state_dir, options, err);
    if (!tut_is_ok(status)) {
        tut_ledger_close(l);
        return status;
    }
    *ret_ledger = l;
    return TUT_SUCCESS;
}

tut_status tut_ledger_open(const char *state_dir, bool for_writing, tut_ledger **ret_ledger,
                           tut_error *err)
{
    tut_ledger_options options = {.for_writing = for_writing};
    return tut_ledger_open_with(state_dir, &options, ret_ledger, err);
}

/* --- appending --- */

typedef struct batch {
    tut_buf *payloads;
    char **kinds;
    tut_submission *items;
    uint64_t *indexes;
    size_t count;
} batch;

static void batch_done(batch *b)
{
    for (size_t i = 0; b->payloads && i < b->count; i++)
        tut_buf_done(&b->payloads[i]);
    for (size_t i = 0; b->kinds && i < b->count; i++)
        tut_free(b->kinds[i]);
    tut_free(b->payloads);
    tut_free(b->kinds);
    tut_free(b->items);
    tut_free(b->indexes);
}

static tut_status batch_init(batch *b, size_t count, tut_error *err)
{
    *b = (batch){.payloads = tut_alloc_array(count, sizeof(*b->payloads)),
                 .kinds = tut_alloc_array(count, sizeof(*b->kinds)),
                 .items = tut_alloc_array(count, sizeof(*b->items)),
                 .indexes = tut_alloc_array(count, sizeof(*b->indexes)),
                 .count = count};
    if (b->payloads && b->kinds && b->items && b->indexes)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status write_statement(const tut_record *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_record_json(r, j);
    return tut_json_finish(j, err);
}

static tut_status envelop(tut_span statement, const tut_key *const *keys, size_t key_count,
                          tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    TUT_TRY(tut_dsse_write(j, TUT_DSSE_INTOTO, statement, keys, key_count, err));
    return tut_json_finish(j, err);
}

static tut_status fill(tut_ledger *l, batch *b, size_t i, tut_record *r, const tut_key *const *keys,
                       size_t key_count, tut_error *err)
{
    const char *slash = strchr(r->check, '/');
    r->origin = l->log_origin;
    TUT_TRY(tut_record_check(r, err));
    b->kinds[i] = tut_strndup(r->check, slash ? (size_t)(slash - r->check) : strlen(r->check));
    if (!b->kinds[i])
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->items[i] = (tut_submission){.log = TUT_LOG_EVIDENCE,
                                   .kind = b->kinds[i],
                                   .producer = l->producer,
                                   .seq = l->seq + i,
                                   .is_dsse = key_count > 0};
    if (key_count == 0) {
        TUT_TRY(write_statement(r, &b->payloads[i], err));
    } else {
        TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
        TUT_TRY(write_statement(r, &statement, err));
        TUT_TRY(envelop(tut_buf_span(&statement), keys, key_count, &b->payloads[i], err));
    }
    b->items[i].payload = tut_buf_span(&b->payloads[i]);
    return TUT_SUCCESS;
}

/* How many from here on one message to the sequencer takes; nearly always all. */
static size_t fitting(const batch *b, size_t first)
{
    enum { AROUND = 256 }; /* kind, producer and lengths beside a payload */
    size_t bytes = 0;
    size_t i = first;
    for (; i < b->count && i - first < TUT_LIMIT_SEQUENCER_ITEMS; i++) {
        bytes += b->items[i].payload.len + AROUND;
        if (i > first && bytes > TUT_LIMIT_SEQUENCER_MESSAGE)
            break;
    }
    return i - first;
}

static tut_status submit(tut_ledger *l, batch *b, tut_record *records, tut_error *err)
{
    if (l->has_unsynced_bodies) { /* what a record names is on the disk before the record is */
        TUT_TRY(tut_fs_sync_all(l->bodies, err));
        l->has_unsynced_bodies = false;
    }
    for (size_t done = 0; done < b->count;) {
        size_t count = fitting(b, done);
        TUT_TRY(tut_sequencer_append(l->sequencer, b->items + done, count, b->indexes + done, err));
        l->seq += count;
        l->is_log_old = true;
        for (size_t i = done; i < done + count; i++)
            records[i].index = b->indexes[i];
        done += count;
    }
    return TUT_SUCCESS;
}

static tut_status check_writing(const tut_ledger *l, tut_error *err)
{
    return l->is_writing ? TUT_SUCCESS
                         : tut_fail(err, TUT_USAGE, "the records are open for reading only");
}

tut_status tut_ledger_append(tut_ledger *l, tut_record *records, size_t count, tut_error *err)
{
    const tut_key *tool = l->tool_key;
    TUT_TRY(check_writing(l, err));
    if (count == 0)
        return TUT_SUCCESS;
    batch b;
    tut_status status = batch_init(&b, count, err);
    for (size_t i = 0; i < count && tut_is_ok(status); i++)
        status = fill(l, &b, i, &records[i], &tool, records[i].type == TUT_RECORD_EVIDENCE, err);
    if (tut_is_ok(status))
        status = submit(l, &b, records, err);
    batch_done(&b);
    return status;
}

tut_status tut_ledger_append_signed(tut_ledger *l, tut_record *record, const tut_key *const *keys,
                                    size_t key_count, tut_error *err)
{
    TUT_TRY(check_writing(l, err));
    if (key_count == 0)
        return tut_fail(err, TUT_BUG, "a signed record without a key");
    batch b;
    tut_status status = batch_init(&b, 1, err);
    if (tut_is_ok(status))
        status = fill(l, &b, 0, record, keys, key_count, err);
    if (tut_is_ok(status))
        status = submit(l, &b, record, err);
    batch_done(&b);
    return status;
}
