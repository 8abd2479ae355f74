#include "ledger/witness_ask.h"

#include "base/limits.h"
#include "ledger/post.h"
#include "ledger/witness_keep.h"
#include "ledger/witness_request.h"

enum { FUTURE_SECONDS = 600 }; /* clocks of others may be ahead this much */

const char *tut_witness_outcome_name(tut_witness_outcome o)
{
    static const char *const names[] = {"refused", "cosigned", "unknown-log", "distrusts",
                                        "ahead",   "diverges", "unreachable", "bad-reply"};
    return names[o];
}

static void reply(tut_witness_reply *r, tut_witness_outcome outcome, const char *sentence)
{
    r->outcome = outcome;
    tut_str_copy(r->why.text, sizeof(r->why.text), tut_str_of(sentence));
}

static tut_status send(const char *url, tut_log *log, tut_str checkpoint, uint64_t old,
                       tut_posted *posted, bool *ret_sent, tut_witness_reply *r, tut_error *err)
{
    tut_witness_request request = {.old_size = old, .checkpoint = checkpoint};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX];
    uint64_t size = tut_log_size(log);
    if (old > 0 && old < size)
        TUT_TRY(tut_log_prove_consistency(log, old, size, proof, &request.proof_count, err));
    if (request.proof_count > TUT_WITNESS_PROOF_MAX)
        return tut_fail(err, TUT_BUG, "a consistency proof is longer than trees can be deep");
    memcpy(request.proof, proof, request.proof_count * sizeof(proof[0]));
    TUT_TRY(tut_witness_request_write(&request, &body, err));
    tut_post post = {.url = url,
                     .path = "/add-checkpoint",
                     .content_type = "text/plain; charset=utf-8",
                     .body = tut_buf_span(&body)};
    tut_status s = tut_post_send(&post, posted, &r->why);
    *ret_sent = tut_is_ok(s);
    if (s.code == TUT_IO || s.code == TUT_LIMIT) {
        r->outcome = TUT_WITNESS_UNREACHABLE;
        return TUT_SUCCESS;
    }
    return tut_is_ok(s) ? s : tut_fail(err, s.code, "%s", r->why.text);
}

/* Only the line of the witness's own key is taken over, whatever else it sends along. */
static tut_status take_cosignature(const char *dir, tut_str checkpoint, const tut_verifier *witness,
                                   const tut_posted *posted, tut_witness_reply *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) joined = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) lines = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    tut_time at = 0;
    tut_buf_add_str(&joined, checkpoint);
    tut_buf_add(&joined, posted->body.data, posted->body.len);
    TUT_TRY(tut_buf_check(&joined, err));
    tut_status s = tut_note_parse(tut_buf_str(&joined), &note, NULL);
    if (tut_is_ok(s))
        s = tut_note_verify(&note, witness, 1, 1, NULL, &at, NULL);
    if (!tut_is_ok(s) || !tut_witness_find_line(&note, witness, &lines)) {
        reply(r, TUT_WITNESS_BAD_REPLY,
              "its answer holds no good cosignature by the key that was given for it");
        return TUT_SUCCESS;
    }
    if (at <= 0 || at > tut_time_now() + FUTURE_SECONDS) {
        reply(r, TUT_WITNESS_BAD_REPLY, "its cosignature is from the future, or without a time");
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_buf_check(&lines, err));
    TUT_TRY(tut_witness_keep(dir, witness, checkpoint, tut_buf_str(&lines), err));
    r->outcome = TUT_WITNESS_COSIGNED;
    r->at = at;
    return TUT_SUCCESS;
}

static bool read_size(const tut_posted *posted, uint64_t *ret_size)
{
    tut_str body = tut_buf_str(&posted->body);
    if (!tut_str_starts(tut_str_of(posted->content_type), TUT_LIT("text/x.tlog.size")) ||
        body.len == 0 || body.data[body.len - 1] != '\n')
        return false;
    return tut_witness_size((tut_str){body.data, body.len - 1}, ret_size);
}

static void explain(const tut_posted *posted, tut_witness_reply *r)
{
    switch (posted->status) {
    case 403:
        reply(r, TUT_WITNESS_DISTRUSTS,
              "it knows the log by another key than the one that signed the checkpoint");
        return;
    case 404:
        reply(r, TUT_WITNESS_UNKNOWN_LOG,
              "it does not watch this log; its operator has to add the log's verifier key");
        return;
    case 422:
        reply(r, TUT_WITNESS_DIVERGES,
              "it has cosigned a tree that this log does not contain: the log was rewritten, or "
              "shows different trees");
        return;
    default:
        r->outcome = TUT_WITNESS_REFUSED;
        TUT_IGNORE(tut_fail(&r->why, TUT_IO, "it answered with HTTP status %d", posted->status));
    }
}

static void conflict(const tut_posted *posted, uint64_t ours, tut_witness_reply *r, bool *ret_again)
{
    if (!read_size(posted, &r->their_size)) {
        reply(r, TUT_WITNESS_BAD_REPLY, "it answered with HTTP status 409 but no size");
    } else if (r->their_size > ours) {
        r->outcome = TUT_WITNESS_AHEAD;
        TUT_IGNORE(tut_fail(&r->why, TUT_STORE,
                            "it has cosigned %llu entries of this log, but only %llu are here: the "
                            "log was rolled back, or this is an old copy",
                            (unsigned long long)r->their_size, (unsigned long long)ours));
    } else {
        *ret_again = true;
    }
}

tut_status tut_witness_ask(const char *dir, tut_log *log, tut_str checkpoint,
                           const tut_verifier *witness, const char *url,
                           tut_witness_reply *ret_reply, tut_error *err)
{
    uint64_t ours = tut_log_size(log);
    uint64_t old = tut_witness_kept_size(dir, witness);
    tut_witness_reply r = {0};
    old = old <= ours ? old : 0; /* a rolled back log: let the witness say so */
    for (int attempt = 0; attempt < 2; attempt++) {
        TUT_CLEAN(tut_posted) posted = {0};
        bool is_sent = false;
        bool again = false;
        TUT_TRY(send(url, log, checkpoint, old, &posted, &is_sent, &r, err));
        if (!is_sent)
            break;
        if (posted.status == 200) {
            TUT_TRY(take_cosignature(dir, checkpoint, witness, &posted, &r, err));
            break;
        }
        if (posted.status != 409) {
            explain(&posted, &r);
            break;
        }
        conflict(&posted, ours, &r, &again);
        if (!again)
            break;
        old = r.their_size;
        reply(&r, TUT_WITNESS_REFUSED, "it names another size at each attempt");
    }
    *ret_reply = r;
    return TUT_SUCCESS;
}
