/*
 * One entry of a transparency log: that the log took it in.
 *
 *   promise     the log's signature over {"body", "integratedTime", "logID", "logIndex"} in
 *               canonical JSON (the signed entry timestamp); the only one that vouches for a time
 *   proof       the path from the entry to a root
 *   checkpoint  a signed note with that root
 */
#include "base/json_write.h"
#include "base/limits.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/sigstore_internal.h"

static tut_status promised_bytes(const tut_sig_entry *e, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    char id[TUT_SHA256_HEX];
    tut_base64_add(&body, tut_buf_span(&e->body));
    TUT_TRY(tut_buf_check(&body, err));
    tut_sha256_hex(&e->log_id, id);
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_str(j, "body", tut_buf_str(&body));
    tut_json_put_int(j, "integratedTime", e->integrated);
    tut_json_put_z(j, "logID", id);
    tut_json_put_u64(j, "logIndex", e->log_index);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status check_promise(const tut_sig_entry *e, const tut_sig_log *log, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (!e->has_time)
        return tut_fail(err, TUT_MALFORMED,
                        "the log entry has a signed entry timestamp but no integratedTime");
    TUT_TRY(promised_bytes(e, &bytes, err));
    if (!tut_is_ok(tut_sig_log_verify(log, tut_buf_span(&bytes), tut_buf_span(&e->promise), NULL)))
        return tut_fail(err, TUT_CRYPTO, "the signed entry timestamp of %s does not verify",
                        log->url);
    if (!tut_sig_within(&log->valid, e->integrated))
        return tut_fail(err, TUT_CRYPTO,
                        "the entry was logged when the trusted root did not have %s in use",
                        log->url);
    return TUT_SUCCESS;
}

/* The log signs by its host's name (c2sp.org/signed-note); its key id is the start of its log id.
 */
static tut_status verifier_of(const tut_sig_log *log, tut_verifier *v, tut_error *err)
{
    tut_str name = tut_str_of(log->url);
    size_t at;
    if (tut_str_find(name, TUT_LIT("://"), &at))
        name = (tut_str){name.data + at + 3, name.len - at - 3};
    while (name.len && name.data[name.len - 1] == '/')
        name.len--;
    if (!log->key || name.len == 0 || name.len >= sizeof(v->name))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the trusted root's log \"%s\" has no name or key that a checkpoint can be "
                        "checked by",
                        log->url);
    tut_str_copy(v->name, sizeof(v->name), name);
    v->id = (uint32_t)log->id.bytes[0] << 24 | (uint32_t)log->id.bytes[1] << 16 |
            (uint32_t)log->id.bytes[2] << 8 | log->id.bytes[3];
    v->algorithm = tut_pubkey_type(log->key) == TUT_KEY_ED25519 ? TUT_NOTE_ED25519 : TUT_NOTE_ECDSA;
    return tut_pubkey_copy(log->key, &v->key, err);
}

static tut_status check_checkpoint(const tut_sig_entry *e, const tut_sig_log *log, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_CLEAN(tut_verifier) verifier = {0};
    tut_checkpoint checkpoint;
    tut_error why = {0};
    TUT_TRY(verifier_of(log, &verifier, err));
    tut_status s = tut_note_parse(e->checkpoint, &note, &why);
    if (tut_is_ok(s))
        s = tut_note_verify(&note, &verifier, 1, 1, NULL, NULL, &why);
    if (tut_is_ok(s))
        s = tut_checkpoint_parse(note.text, &checkpoint, &why);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "the checkpoint of %s does not verify: %s", log->url,
                        why.text);
    if (checkpoint.size != e->proof_size || !tut_sha256_eq(&checkpoint.root, &e->proof_root))
        return tut_fail(err, TUT_CRYPTO, "the checkpoint is of another tree than the proof");
    return TUT_SUCCESS;
}

static tut_status check_proof(const tut_sig_entry *e, const tut_sig_log *log, tut_error *err)
{
    tut_sha256 leaf;
    tut_error why = {0};
    TUT_TRY(tut_merkle_start(err));
    tut_merkle_leaf(tut_buf_span(&e->body), &leaf);
    tut_status s = tut_merkle_check_inclusion(&leaf, e->proof_index, e->proof_size, e->proof,
                                              e->proof_count, &e->proof_root, &why);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "the proof that %s holds the entry does not verify: %s",
                        log->url, why.text);
    return e->checkpoint.len ? check_checkpoint(e, log, err) : TUT_SUCCESS;
}

tut_status tut_sig_check_entry(const tut_sig_entry *e, const tut_sig_bundle *b,
                               const tut_sig_root *root, bool *ret_has_time, tut_time *ret_time,
                               tut_error *err)
{
    const tut_sig_log *log = tut_sig_find_log(root->tlogs, root->tlog_count, &e->log_id);
    bool is_proven = e->has_proof && e->checkpoint.len > 0;
    if (!log)
        return tut_fail(err, TUT_CRYPTO,
                        "the entry is of a log that the trusted root does not know");
    /* A promise alone was enough for bundles of version 0.1, when logs gave no checkpoints. */
    if (!is_proven && (b->minor > 1 || e->promise.len == 0))
        return tut_fail(err, TUT_CRYPTO,
                        "no inclusion proof with a checkpoint shows that the log has the entry");
    if (e->has_proof)
        TUT_TRY(check_proof(e, log, err));
    if (e->promise.len)
        TUT_TRY(check_promise(e, log, err));
    *ret_has_time = e->promise.len > 0;
    *ret_time = e->integrated;
    return TUT_SUCCESS;
}
