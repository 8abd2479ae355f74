#include "ledger/log_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/limits.h"

enum { LINE_BYTES = 768, TRIES = 100, PAUSE_NS = 2 * 1000 * 1000 };

void tut_verify_found(const tut_verification *v, const char *name, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    v->found(v->ctx, name, line);
}

tut_status tut_verify_note(const tut_verification *v, const char *name, tut_status status,
                           const tut_error *why, tut_error *err)
{
    if (tut_is_ok(status))
        return status;
    if (status.code != TUT_STORE) {
        if (err)
            *err = *why;
        return status;
    }
    const char *where = tut_error_where(why);
    tut_verify_found(v, name, "%s%s%s", where, where[0] ? ": " : "", why->text);
    return TUT_SUCCESS;
}

typedef struct boundaries {
    tut_verification *v;
    tut_buf shown; /* bytes of `checkpoint` */
    tut_checkpoint checkpoint;
    bool is_shown_good, is_shown_signed_here;
    uint64_t size; /* of the tree so far */
} boundaries;

/* Byte for byte; or one of the two goes on with more signatures: while the log's key changes, one
 * may carry the new key's already. Then it takes verifiers, which say whose the others are. */
static bool is_shown(const boundaries *b, tut_str note)
{
    tut_str shown = tut_buf_str(&b->shown);
    if (tut_str_eq(note, shown))
        return true;
    return b->is_shown_good && b->v->log->verifier_count > 0 && shown.len > 0 &&
           (tut_str_starts(note, shown) || tut_str_starts(shown, note));
}

static tut_status visit_boundary(void *ctx, uint64_t size, const tut_sha256 *root, tut_str note,
                                 tut_error *err)
{
    boundaries *b = ctx;
    tut_verification *v = b->v;
    tut_checkpoint c = {0};
    tut_error why = {0};
    b->size = size;
    if (size == 0)
        return TUT_SUCCESS;
    if (is_shown(b, note))
        b->is_shown_signed_here = true;
    tut_status status = tut_log_check_note(v->log, note, &c, &why);
    TUT_TRY(tut_verify_note(v, "journal", status, &why, err));
    if (tut_is_ok(status) && (c.size != size || !tut_sha256_eq(&c.root, root)))
        tut_verify_found(v, "journal",
                         "journal: the checkpoint signed after entry %" PRIu64
                         " is not that of the entries",
                         size - 1);
    return TUT_SUCCESS;
}

static tut_status nothing(void *ctx, uint64_t size, const tut_sha256 *root, tut_str note,
                          tut_error *err)
{
    boundaries *b = ctx;
    (void)root;
    (void)note;
    (void)err;
    b->size = size;
    return TUT_SUCCESS;
}

tut_status tut_verify_journal_size(tut_verification *v, tut_error *err)
{
    boundaries b = {.v = v};
    tut_replay r = {0};
    tut_error why = {0};
    tut_status status = tut_replay_frames(v->log, &r, nothing, &b, &why);
    tut_replay_done(&r);
    TUT_TRY(tut_verify_note(v, "journal", status, &why, err));
    v->journal_size = b.size;
    return TUT_SUCCESS;
}

static tut_status read_shown(boundaries *b, tut_error *err)
{
    const tut_log *log = b->v->log;
    tut_error why = {0};
    bool exists = false;
    tut_status status = tut_log_io_read(log->dirfd, TUT_LOG_CHECKPOINT, TUT_LIMIT_LOG_NOTE_BYTES,
                                        &b->shown, &exists, &why);
    if (status.code == TUT_LIMIT)
        status.code = TUT_STORE;
    if (tut_is_ok(status) && exists)
        status = tut_log_check_note(log, tut_buf_str(&b->shown), &b->checkpoint, &why);
    b->is_shown_good = tut_is_ok(status) && exists;
    if (tut_is_ok(status) && !exists && (log->base.size || log->folded)) {
        tut_verify_found(b->v, "checkpoint", "checkpoint is missing");
        return TUT_SUCCESS;
    }
    if (!tut_is_ok(status) && why.path[0] == '\0')
        tut_error_set_path(&why, TUT_LOG_CHECKPOINT);
    return tut_verify_note(b->v, "checkpoint", status, &why, err);
}

/* `checkpoint` is a copy of what the journal holds for that size: another one, though well signed,
 * is an old one put back, or a second story. */
static void judge_shown(const boundaries *b)
{
    const tut_log *log = b->v->log;
    uint64_t size = b->checkpoint.size;
    if (!b->is_shown_good || b->is_shown_signed_here)
        return;
    if (size < log->base.size)
        tut_verify_found(b->v, "checkpoint",
                         "checkpoint is an old one, of %" PRIu64 " entries; the log was renewed at "
                         "%" PRIu64,
                         size, log->base.size);
    else
        tut_verify_found(b->v, "checkpoint",
                         "checkpoint, of %" PRIu64 " entries, is not among those the journal holds",
                         size);
}

static tut_status look_at_journal(boundaries *b, tut_error *err)
{
    tut_replay r = {0};
    tut_error why = {0};
    tut_verification *v = b->v;
    TUT_TRY(read_shown(b, err));
    tut_status status = tut_replay_frames(v->log, &r, visit_boundary, b, &why);
    bool is_torn = r.is_torn;
    if (is_torn)
        (void)snprintf(why.text, sizeof(why.text), "%s", r.torn_text);
    tut_replay_done(&r);
    if (!tut_is_ok(status))
        return tut_verify_note(v, "journal", status, &why, err);
    judge_shown(b);
    if (b->size < v->log->range.size)
        tut_verify_found(v, "journal", "journal: ends at %" PRIu64 " entries instead of %" PRIu64,
                         b->size, v->log->range.size);
    if (is_torn)
        tut_verify_found(v, "journal",
                         "journal: its last frame is not whole (%s); a crash leaves that, and the "
                         "next opening for writing takes it away",
                         why.text);
    v->journal_size = b->size;
    v->shown_size = b->is_shown_good && b->checkpoint.size >= v->log->base.size ? b->checkpoint.size
                                                                                : v->log->base.size;
    return TUT_SUCCESS;
}

/* A writer may be in the midst of a frame or of a fold: what is found counts when it is found
 * twice. */
typedef struct held {
    tut_buf lines; /* name NUL line NUL ... */
    size_t count;
} held;

static void hold(void *ctx, const char *name, const char *detail)
{
    held *h = ctx;
    tut_buf_add(&h->lines, name, strlen(name) + 1);
    tut_buf_add(&h->lines, detail, strlen(detail) + 1);
    h->count++;
}

static void release(const held *h, tut_log_found found, void *ctx)
{
    const char *at = (const char *)h->lines.data;
    for (size_t i = 0; i < h->count; i++) {
        const char *detail = at + strlen(at) + 1;
        found(ctx, at, detail);
        at = detail + strlen(detail) + 1;
    }
}

static bool is_same(const held *a, const held *b)
{
    return a->count == b->count && tut_str_eq(tut_buf_str(&a->lines), tut_buf_str(&b->lines));
}

static tut_status look_once(tut_verification *v, held *h, tut_error *err)
{
    tut_verification quiet = {.log = v->log, .found = hold, .ctx = h, .shown_size = v->shown_size};
    boundaries b = {.v = &quiet};
    tut_buf_clear(&h->lines);
    h->count = 0;
    tut_status status = look_at_journal(&b, err);
    tut_buf_done(&b.shown);
    TUT_TRY(status);
    v->journal_size = quiet.journal_size;
    v->shown_size = quiet.shown_size;
    return tut_buf_check(&h->lines, err);
}

static tut_status verify_journal(tut_verification *v, tut_error *err)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    held looks[2] = {0};
    tut_status status = look_once(v, &looks[0], err);
    for (int i = 1; i < TRIES && tut_is_ok(status) && looks[(i + 1) % 2].count; i++) {
        if (!v->log->is_writing)
            (void)nanosleep(&pause, NULL);
        status = look_once(v, &looks[i % 2], err);
        if (is_same(&looks[0], &looks[1]))
            break;
    }
    /* Both say the same, or the last one found nothing. */
    if (tut_is_ok(status) && looks[0].count && looks[1].count)
        release(&looks[0], v->found, v->ctx);
    tut_buf_done(&looks[0].lines);
    tut_buf_done(&looks[1].lines);
    return status;
}

static tut_status verify_anchor(const tut_verification *v, tut_error *err)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const tut_log *log = v->log;
    tut_anchor a = TUT_ANCHOR_NONE;
    tut_error why = {0};
    if (!log->anchor_path)
        return TUT_SUCCESS;
    tut_status status = tut_anchor_open(log->anchor_path, log->origin, false, &a, &why);
    /* A record that somebody is writing just now may be read half old and half new. */
    for (int i = 1; i < TRIES && tut_is_ok(status) && a.bad_slots && !log->is_writing; i++) {
        (void)nanosleep(&pause, NULL);
        status = tut_anchor_open(log->anchor_path, log->origin, false, &a, &why);
    }
    TUT_TRY(tut_verify_note(v, "anchor", status, &why, err));
    if (tut_is_ok(status) && a.bad_slots)
        tut_verify_found(v, "anchor", "%s: one of its two records is damaged", log->anchor_path);
    if (tut_is_ok(status) && !a.exists && log->anchor.exists)
        tut_verify_found(v, "anchor", "%s is missing", log->anchor_path);
    return TUT_SUCCESS;
}

static tut_status verify_pruned(const tut_verification *v, tut_error *err)
{
    tut_log now = {.dir = v->log->dir,
                   .origin = v->log->origin,
                   .dirfd = v->log->dirfd,
                   .verifiers = v->log->verifiers,
                   .verifier_count = v->log->verifier_count};
    tut_error why = {0};
    tut_status status = tut_log_pruned_load(&now, &why);
    TUT_TRY(tut_verify_note(v, "pruned", status, &why, err));
    if (v->log->pruned > v->log->base.size)
        tut_verify_found(v, "pruned", "pruned: says %" PRIu64 ", beyond what tiles can hold",
                         v->log->pruned);
    if (tut_is_ok(status) && now.pruned < v->log->pruned)
        tut_verify_found(v, "pruned", "pruned: says %" PRIu64 " instead of %" PRIu64, now.pruned,
                         v->log->pruned);
    return TUT_SUCCESS;
}

tut_status tut_log_verify(tut_log *log, tut_log_found found, void *ctx, tut_error *err)
{
    tut_verification v = {.log = log, .found = found, .ctx = ctx};
    v.shown_size = log->base.size;
    TUT_TRY(verify_journal(&v, err));
    TUT_TRY(verify_anchor(&v, err));
    TUT_TRY(verify_pruned(&v, err));
    return tut_verify_tiles(&v, err);
}
