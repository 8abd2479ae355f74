#include "ledger/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/merkle.h"
#include "ledger/witness_keep.h"
#include "ledger/witness_request.h"

enum { OK = 200, BAD_REQUEST = 400, FORBIDDEN = 403, NOT_FOUND = 404 };
enum { CONFLICT = 409, UNPROCESSABLE = 422, INTERNAL = 500 };

struct tut_witness {
    char *dir;
    const tut_key *key;
    tut_verifier self;
    tut_verifier logs[TUT_WITNESS_LOGS_MAX];
    size_t log_count;
    int lock_fd; /* -1: not held */
    tut_time (*now)(void);
};

/* What is remembered of a log. */
typedef struct memory {
    char *path;
    tut_buf note; /* empty: nothing yet */
    uint64_t size;
    tut_sha256 root;
} memory;

static void memory_done(memory *m)
{
    tut_free(m->path);
    tut_buf_done(&m->note);
}

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* ---- what is remembered ---- */

static tut_status path_of(const tut_witness *w, tut_str origin, char **ret_path, tut_error *err)
{
    tut_sha256 digest;
    char hex[TUT_SHA256_HEX];
    TUT_TRY(tut_sha256_of(tut_span_of(origin.data, origin.len), &digest, err));
    tut_sha256_hex(&digest, hex);
    *ret_path = tut_fs_join(w->dir, hex);
    return *ret_path ? TUT_SUCCESS : no_memory(err);
}

/* Only our own cosignature makes it what we remember: a file that somebody else put there, or
 * changed, is refused. */
static tut_status recall(const tut_witness *w, tut_str origin, memory *m, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c;
    tut_error why = {0};
    TUT_TRY(path_of(w, origin, &m->path, err));
    tut_merkle_empty(&m->root);
    if (!tut_fs_exists(m->path))
        return TUT_SUCCESS;
    TUT_TRY(tut_fs_read(m->path, TUT_LIMIT_WITNESS_REQUEST_BYTES, &m->note, err));
    tut_status s = tut_note_parse(tut_buf_str(&m->note), &note, &why);
    if (tut_is_ok(s))
        s = tut_note_verify(&note, &w->self, 1, 1, NULL, NULL, &why);
    if (tut_is_ok(s))
        s = tut_checkpoint_parse(note.text, &c, &why);
    if (tut_is_ok(s) && !tut_str_eq(c.origin, origin))
        s = tut_fail(&why, TUT_MALFORMED, "it is of another log");
    if (!tut_is_ok(s)) {
        tut_error_set_path(err, m->path);
        return tut_fail(err, TUT_STORE,
                        "what the witness remembered of this log is damaged: %s; restore it from a "
                        "backup that is as new",
                        why.text);
    }
    m->size = c.size;
    m->root = c.root;
    return TUT_SUCCESS;
}

/* ---- opening ---- */

static tut_status lock_dir(tut_witness *w, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(w->dir, "lock");
    if (!path)
        return no_memory(err);
    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->lock_fd < 0)
        return tut_fail_errno(err, errno, "the witness's lock %s cannot be opened", path);
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return tut_fail(err, TUT_STORE, "another witness is running on %s", w->dir);
    return TUT_SUCCESS;
}

static tut_status take_logs(tut_witness *w, const tut_witness_options *o, tut_error *err)
{
    if (o->log_count == 0 || o->log_count > TUT_WITNESS_LOGS_MAX)
        return tut_fail(err, TUT_USAGE, "a witness watches 1 to %u keys of logs, not %zu",
                        TUT_WITNESS_LOGS_MAX, o->log_count);
    for (size_t i = 0; i < o->log_count; i++) {
        const tut_verifier *from = &o->logs[i];
        tut_verifier *to = &w->logs[w->log_count];
        if (from->algorithm == TUT_NOTE_COSIGNATURE)
            return tut_fail(err, TUT_USAGE, "\"%s\" is a witness's key, not a log's", from->name);
        *to = *from;
        to->key = NULL;
        TUT_TRY(tut_pubkey_copy(from->key, &to->key, err));
        w->log_count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_witness_open(const tut_witness_options *options, tut_witness **ret_witness,
                            tut_error *err)
{
    TUT_AUTO(tut_witness) w = tut_alloc_array(1, sizeof(*w));
    if (!w)
        return no_memory(err);
    w->lock_fd = -1;
    w->key = options->key;
    w->now = options->now ? options->now : tut_time_now;
    w->dir = tut_strdup(options->dir);
    if (!w->dir)
        return no_memory(err);
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(tut_verifier_of(options->name, TUT_NOTE_COSIGNATURE, tut_key_public(options->key),
                            &w->self, err));
    TUT_TRY(take_logs(w, options, err));
    TUT_TRY(tut_fs_mkdirs(w->dir, 0700, err));
    TUT_TRY(lock_dir(w, err));
    for (size_t i = 0; i < w->log_count; i++) {
        TUT_CLEAN(memory) m = {0};
        TUT_TRY(recall(w, tut_str_of(w->logs[i].name), &m, err));
    }
    *ret_witness = tut_move(&w);
    return TUT_SUCCESS;
}

void tut_witness_free(tut_witness *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->log_count; i++)
        tut_verifier_done(&w->logs[i]);
    tut_verifier_done(&w->self);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    tut_free(w->dir);
    tut_free(w);
}

void tut_witness_vkey(const tut_witness *w, tut_buf *out)
{
    tut_verifier_write(&w->self, out);
}

/* ---- answering ---- */

void tut_witness_answer_done(tut_witness_answer *a)
{
    tut_buf_done(&a->body);
    *a = (tut_witness_answer){0};
}

/* What we say to others about a refusal is our own sentence, with nothing of theirs in it. */
static void refuse(tut_witness_answer *a, int status, const char *fmt, ...) TUT_PRINTF(3, 4);
static void refuse(tut_witness_answer *a, int status, const char *fmt, ...)
{
    va_list ap;
    a->status = status;
    a->content_type = "text/plain; charset=utf-8";
    va_start(ap, fmt);
    tut_buf_vprintf(&a->body, fmt, ap);
    va_end(ap);
    tut_buf_add_byte(&a->body, '\n');
    if (!a->why.text[0])
        tut_str_copy(a->why.text, sizeof(a->why.text), tut_str_trim(tut_buf_str(&a->body)));
}

static void refuse_internal(tut_witness_answer *a)
{
    refuse(a, INTERNAL, "the witness could not do its work; it cosigned nothing");
}

/* The signatures of the log that verified are kept, and no others. */
static bool is_signed_by_log(const tut_witness *w, const tut_note *note, tut_str origin,
                             tut_buf *kept, tut_witness_answer *a)
{
    TUT_AUTO_FREE tut_verifier *mine = tut_alloc_array(w->log_count, sizeof(*mine));
    bool good[TUT_WITNESS_LOGS_MAX] = {false};
    size_t count = 0;
    for (size_t i = 0; mine && i < w->log_count; i++) {
        if (tut_str_eq(origin, tut_str_of(w->logs[i].name)))
            mine[count++] = w->logs[i];
    }
    if (!mine) {
        refuse_internal(a);
    } else if (count == 0) {
        refuse(a, NOT_FOUND, "the origin is not that of a log that this witness watches");
    } else if (!tut_is_ok(tut_note_verify(note, mine, count, 1, good, NULL, &a->why))) {
        refuse(a, FORBIDDEN, "the checkpoint is not signed by a key of the log");
    } else {
        for (size_t i = 0; i < note->signature_count; i++) {
            for (size_t k = 0; k < count; k++) {
                const tut_note_signature *s = &note->signatures[i];
                if (good[k] && s->id == mine[k].id && tut_str_eq_z(s->name, mine[k].name))
                    tut_witness_line(s, kept);
            }
        }
        return true;
    }
    return false;
}

/* In the order of the specification, so that a client learns from the status what to do. */
static bool follows(const tut_witness_request *r, const tut_checkpoint *c, const memory *m,
                    tut_witness_answer *a)
{
    tut_sha256 empty;
    tut_merkle_empty(&empty);
    if (r->old_size > c->size) {
        refuse(a, BAD_REQUEST, "the old size is larger than the checkpoint's");
    } else if (r->old_size != m->size) {
        refuse(a, CONFLICT, "%llu", (unsigned long long)m->size);
        a->content_type = "text/x.tlog.size";
        tut_str_copy(a->why.text, sizeof(a->why.text), TUT_LIT("the old size is another"));
    } else if (c->size == 0 && !tut_sha256_eq(&c->root, &empty)) {
        refuse(a, UNPROCESSABLE, "the root of an empty tree is another");
    } else if (r->old_size == 0 && r->proof_count) {
        refuse(a, UNPROCESSABLE, "from size 0 on no proof is needed, and none may be given");
    } else if (r->old_size == c->size && !tut_sha256_eq(&c->root, &m->root)) {
        refuse(a, UNPROCESSABLE, "another tree of this size was cosigned before");
    } else if (r->old_size > 0 &&
               !tut_is_ok(tut_merkle_check_consistency(
                   r->old_size, c->size, r->proof, r->proof_count, &m->root, &c->root, &a->why))) {
        refuse(a, UNPROCESSABLE, "the consistency proof does not verify");
    } else {
        return true;
    }
    return false;
}

/* Remembered first, told afterwards. */
static void cosign(const tut_witness *w, tut_str text, const tut_buf *log_lines, const memory *m,
                   tut_witness_answer *a)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_status s = tut_note_sign(w->self.name, TUT_NOTE_COSIGNATURE, w->key, text, w->now(), &line,
                                 &a->why);
    if (tut_is_ok(s)) {
        tut_buf_add_str(&note, text);
        tut_buf_add_byte(&note, '\n');
        tut_buf_add_str(&note, tut_buf_str(log_lines));
        tut_buf_add_str(&note, tut_buf_str(&line));
        s = tut_buf_check(&note, &a->why);
    }
    if (tut_is_ok(s))
        s = tut_fs_write(m->path, tut_buf_span(&note), 0600, &a->why);
    if (!tut_is_ok(s)) {
        refuse_internal(a);
        return;
    }
    a->status = OK;
    a->content_type = "text/plain; charset=utf-8";
    tut_buf_add_str(&a->body, tut_buf_str(&line));
}

static void answer(tut_witness *w, tut_span body, tut_witness_answer *a)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_CLEAN(tut_buf) log_lines = TUT_BUF_INIT;
    TUT_CLEAN(memory) m = {0};
    tut_witness_request r;
    tut_checkpoint c;
    if (!tut_is_ok(tut_witness_request_read(body, &r, &a->why)) ||
        !tut_is_ok(tut_note_parse(r.checkpoint, &note, &a->why)) ||
        !tut_is_ok(tut_checkpoint_parse(note.text, &c, &a->why))) {
        refuse(a, BAD_REQUEST, "the request is not an old size, a proof and a signed checkpoint");
        return;
    }
    tut_str_copy(a->origin, sizeof(a->origin), c.origin);
    a->size = c.size;
    if (!is_signed_by_log(w, &note, c.origin, &log_lines, a))
        return;
    if (!tut_is_ok(recall(w, c.origin, &m, &a->why))) {
        refuse_internal(a);
        return;
    }
    if (follows(&r, &c, &m, a))
        cosign(w, note.text, &log_lines, &m, a);
}

void tut_witness_add_checkpoint(tut_witness *w, tut_span body, tut_witness_answer *ret_answer)
{
    *ret_answer = (tut_witness_answer){0};
    answer(w, body, ret_answer);
    if (!tut_is_ok(tut_buf_check(&ret_answer->body, &ret_answer->why))) {
        tut_buf_clear(&ret_answer->body);
        ret_answer->status = INTERNAL;
    }
}

void tut_witness_get_checkpoint(tut_witness *w, tut_str hex, tut_witness_answer *ret_answer)
{
    tut_witness_answer *a = ret_answer;
    *a = (tut_witness_answer){0};
    for (size_t i = 0; i < w->log_count; i++) {
        TUT_CLEAN(memory) m = {0};
        if (!tut_is_ok(recall(w, tut_str_of(w->logs[i].name), &m, &a->why))) {
            refuse_internal(a);
            return;
        }
        if (m.note.len == 0 || !tut_str_ends(tut_str_of(m.path), hex) ||
            hex.len != TUT_SHA256_HEX - 1)
            continue;
        a->status = OK;
        a->content_type = "text/plain; charset=utf-8";
        tut_str_copy(a->origin, sizeof(a->origin), tut_str_of(w->logs[i].name));
        a->size = m.size;
        tut_buf_add_str(&a->body, tut_buf_str(&m.note));
        return;
    }
    refuse(a, NOT_FOUND, "this witness has cosigned no checkpoint of such a log");
}
