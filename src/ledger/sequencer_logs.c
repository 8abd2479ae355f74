/*
 * The two logs as the child sees them: opened when needed, given up after a failed write and opened
 * again (which recovers what was acknowledged), folded from time to time.
 *
 * Tiles lag behind the journal, never behind an acknowledgement. Each fold of the traffic log puts
 * one entry into the evidence log, which is kept for ever; so it is done seldom.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "ledger/sequencer_server.h"

enum {
    RUN_BYTES = 8,
    REOPEN_MS = 100, /* between attempts to open a log that failed */
    KEYSTORE_NAME_MAX = 32
};

/* When a log is folded: so long after its last append, so long after the first, or so many bytes.
 */
static const struct {
    uint64_t quiet_ms, dirty_ms, bytes;
} fold_rules[TUT_LOG_COUNT] = {
    [TUT_LOG_EVIDENCE] = {1000, 10000, 8u << 20},
    [TUT_LOG_TRAFFIC] = {600000, 600000, 8u << 20},
};

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static void done_one(tut_seq_log *l)
{
    tut_log_free(l->log);
    tut_heads_free(l->heads);
    tut_verifier_done(&l->verifier);
    tut_free(l->dir);
    tut_free(l->origin);
    tut_free(l->anchor);
}

void tut_seq_logs_done(tut_seq_logs *logs)
{
    for (size_t i = 0; i < TUT_LOG_COUNT; i++)
        done_one(&logs->logs[i]);
    *logs = (tut_seq_logs){0};
}

/* Only evidence is asked for by clause and subject. */
static tut_status bind_heads(tut_seq_log *l, const tut_sequencer_options *options, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/ledger/heads", options->state_dir);
    if (!path)
        return no_memory(err);
    TUT_TRY(tut_heads_new(path, &l->heads, err));
    l->binder = tut_heads_binder(l->heads);
    return TUT_SUCCESS;
}

static tut_status prepare_one(tut_seq_log *l, const tut_sequencer_options *options,
                              tut_log_name name, const tut_key *key, const tut_key *next,
                              tut_error *err)
{
    char anchor[KEYSTORE_NAME_MAX];
    (void)snprintf(anchor, sizeof(anchor), "anchor-%s", tut_log_names[name]);
    l->dir = tut_asprintf("%s/ledger/%s", options->state_dir, tut_log_names[name]);
    l->origin = tut_asprintf("%s/%s", options->origin, tut_log_names[name]);
    l->anchor = tut_fs_join(tut_keystore_dir(options->keys), anchor);
    if (!l->dir || !l->origin || !l->anchor)
        return no_memory(err);
    l->signers[0] = (tut_log_signer){.name = l->origin, .key = key};
    l->signers[1] = (tut_log_signer){.name = l->origin, .key = next};
    l->signer_count = next ? 2 : 1;
    if (name == TUT_LOG_EVIDENCE)
        TUT_TRY(bind_heads(l, options, err));
    return tut_verifier_of(l->origin, TUT_NOTE_ED25519, tut_key_public(key), &l->verifier, err);
}

static tut_status open_one(tut_seq_log *l, tut_error *err)
{
    tut_log_options options = {.dir = l->dir,
                               .origin = l->origin,
                               .signers = l->signers,
                               .signer_count = l->signer_count,
                               .verifiers = &l->verifier,
                               .verifier_count = 1,
                               .anchor = l->anchor,
                               .binder = l->heads ? &l->binder : NULL};
    TUT_TRY(tut_log_open(&options, true, &l->log, err));
    l->unfolded_bytes = 0;
    l->dirty_ms = 0;
    l->failed_ms = 0;
    return TUT_SUCCESS;
}

tut_status tut_seq_logs_open(tut_seq_logs *logs, const tut_sequencer_options *options,
                             const tut_key *key, const tut_key *next, tut_error *err)
{
    uint8_t run[RUN_BYTES];
    tut_key_type type = tut_pubkey_type(tut_key_public(key));
    if (type != TUT_KEY_ED25519) /* what every reader of checkpoints can verify */
        return tut_fail(err, TUT_UNSUPPORTED, "the log key is %s; a ledger is signed with Ed25519",
                        tut_key_type_name(type));
    if (getrandom(run, sizeof(run), 0) != (ssize_t)sizeof(run))
        return tut_fail_errno(err, errno, "no random bytes");
    int n = snprintf(logs->producer, sizeof(logs->producer), "tutela-sequencer-");
    for (size_t i = 0; i < RUN_BYTES; i++)
        n += snprintf(logs->producer + n, sizeof(logs->producer) - (size_t)n, "%02x", run[i]);
    for (size_t i = 0; i < TUT_LOG_COUNT; i++)
        TUT_TRY(prepare_one(&logs->logs[i], options, (tut_log_name)i, key, next, err));
    return open_one(&logs->logs[TUT_LOG_EVIDENCE], err);
}

tut_status tut_seq_logs_resign_traffic(tut_seq_logs *logs, tut_error *err)
{
    tut_seq_log *l = &logs->logs[TUT_LOG_TRAFFIC];
    if (!tut_fs_is_dir(l->dir))
        return TUT_SUCCESS;
    TUT_TRY(open_one(l, err));
    return tut_log_resign(l->log, err);
}

/* After a failed write nobody knows what the disk holds but who reads it again. */
static void give_up(tut_seq_log *l, const tut_error *why)
{
    tut_log_free(l->log);
    l->log = NULL;
    l->failed_ms = tut_clock_ms();
    l->why = *why;
}

static tut_status need(tut_seq_log *l, tut_error *err)
{
    if (l->log)
        return TUT_SUCCESS;
    if (l->failed_ms == 0 || tut_clock_ms() - l->failed_ms >= REOPEN_MS) {
        tut_error why = {0};
        tut_status status = open_one(l, &why);
        if (tut_is_ok(status))
            return status;
        why.code = status.code;
        give_up(l, &why);
    }
    return tut_fail(err, l->why.code, "%s%s%s", l->why.path, l->why.path[0] ? ": " : "",
                    l->why.text);
}

static tut_status append(tut_seq_log *l, const tut_span *entries, size_t count, uint64_t *ret_first,
                         tut_error *err)
{
    TUT_TRY(need(l, err));
    tut_error why = {0};
    tut_status status = tut_log_append(l->log, entries, count, ret_first, &why);
    if (!tut_is_ok(status)) {
        why.code = status.code;
        give_up(l, &why);
        return tut_fail(err, status.code, "%s%s%s", why.path, why.path[0] ? ": " : "", why.text);
    }
    l->touched_ms = tut_clock_ms();
    if (l->dirty_ms == 0)
        l->dirty_ms = l->touched_ms;
    for (size_t i = 0; i < count; i++)
        l->unfolded_bytes += entries[i].len;
    return TUT_SUCCESS;
}

tut_status tut_seq_logs_append(tut_seq_logs *logs, tut_log_name name, const tut_span *entries,
                               size_t count, uint64_t *ret_first, tut_error *err)
{
    return append(&logs->logs[name], entries, count, ret_first, err);
}

/* --- folding --- */

static void write_anchor(const tut_seq_log *traffic, tut_json *j)
{
    tut_sha256 root;
    tut_log_root(traffic->log, &root);
    tut_json_object(j);
    tut_json_put_z(j, "_type", "https://in-toto.io/Statement/v1");
    tut_json_key(j, "subject");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "name", traffic->origin);
    tut_json_key(j, "digest");
    tut_json_sha256(j, root.bytes);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_put_z(j, "predicateType", "urn:tutela:checkpoint:1");
    tut_json_key(j, "predicate");
    tut_json_object(j);
    tut_json_put_str(j, "checkpoint", tut_log_checkpoint(traffic->log));
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static tut_status compose_anchor(tut_seq_logs *logs, tut_buf *entry, tut_error *err)
{
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&statement, &j));
    write_anchor(&logs->logs[TUT_LOG_TRAFFIC], j);
    TUT_TRY(tut_json_finish(j, err));
    tut_seq_item item = {.kind = TUT_LIT(TUT_SEQ_OWN_KIND),
                         .producer = tut_str_of(logs->producer),
                         .seq = logs->own_seq,
                         .payload = tut_buf_span(&statement)};
    tut_seq_peer_id self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
    return tut_seq_entry_add(&item, &self, tut_time_now(), entry, err);
}

static tut_status anchor_traffic(tut_seq_logs *logs, tut_error *err)
{
    TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
    uint64_t index;
    TUT_TRY(compose_anchor(logs, &entry, err));
    tut_span bytes = tut_buf_span(&entry);
    TUT_TRY(append(&logs->logs[TUT_LOG_EVIDENCE], &bytes, 1, &index, err));
    logs->own_seq++;
    return TUT_SUCCESS;
}

static tut_status fold_one(tut_seq_logs *logs, tut_log_name name, tut_error *err)
{
    tut_seq_log *l = &logs->logs[name];
    if (!l->log || l->dirty_ms == 0)
        return TUT_SUCCESS;
    tut_error why = {0};
    tut_status status = tut_log_fold(l->log, &why);
    if (!tut_is_ok(status)) {
        why.code = status.code;
        give_up(l, &why);
        return tut_fail(err, status.code, "%s%s%s", why.path, why.path[0] ? ": " : "", why.text);
    }
    if (name == TUT_LOG_TRAFFIC)
        TUT_TRY(anchor_traffic(logs, err));
    l->dirty_ms = 0;
    l->unfolded_bytes = 0;
    return TUT_SUCCESS;
}

tut_status tut_seq_logs_fold(tut_seq_logs *logs, tut_error *err)
{
    TUT_TRY(fold_one(logs, TUT_LOG_TRAFFIC, err)); /* first: it adds to the other */
    return fold_one(logs, TUT_LOG_EVIDENCE, err);
}

static uint64_t due_ms(const tut_seq_log *l, tut_log_name name)
{
    if (l->unfolded_bytes >= fold_rules[name].bytes)
        return 0;
    uint64_t quiet = l->touched_ms + fold_rules[name].quiet_ms;
    uint64_t dirty = l->dirty_ms + fold_rules[name].dirty_ms;
    return quiet < dirty ? quiet : dirty;
}

int tut_seq_logs_tend(tut_seq_logs *logs, uint64_t now_ms)
{
    int wait = -1;
    for (size_t i = TUT_LOG_COUNT; i-- > 0;) { /* traffic first */
        tut_seq_log *l = &logs->logs[i];
        if (!l->log || l->dirty_ms == 0)
            continue;
        uint64_t due = due_ms(l, (tut_log_name)i);
        if (due <= now_ms) {
            /* A failure shows in what is appended next; what was acknowledged is in the journal. */
            TUT_IGNORE(fold_one(logs, (tut_log_name)i, NULL));
            continue;
        }
        int left = due - now_ms > 60000 ? 60000 : (int)(due - now_ms);
        wait = wait < 0 || left < wait ? left : wait;
    }
    return wait;
}

tut_status tut_seq_logs_checkpoint(tut_seq_logs *logs, tut_log_name name, tut_buf *out,
                                   tut_error *err)
{
    tut_seq_log *l = &logs->logs[name];
    if (name == TUT_LOG_TRAFFIC && !l->log && l->failed_ms == 0 && !tut_fs_is_dir(l->dir))
        return TUT_SUCCESS; /* nothing was ever written; do not begin it for a question */
    TUT_TRY(need(l, err));
    tut_buf_add_str(out, tut_log_checkpoint(l->log));
    return tut_buf_check(out, err);
}

tut_status tut_seq_logs_close(tut_seq_logs *logs, tut_error *err)
{
    tut_status status = tut_seq_logs_fold(logs, err);
    for (size_t i = 0; i < TUT_LOG_COUNT; i++) {
        tut_seq_log *l = &logs->logs[i];
        if (!l->log)
            continue;
        tut_status closed = tut_log_close(&l->log, tut_is_ok(status) ? err : NULL);
        if (tut_is_ok(status))
            status = closed;
    }
    return status;
}
