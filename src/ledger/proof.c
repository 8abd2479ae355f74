#include "ledger/proof.h"

#include "crypto/base64.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

void tut_proof_write(const tut_proof *proof, tut_buf *out)
{
    if (!proof->is_consistency)
        tut_buf_printf(out, "%s\n", first_line);
    if (proof->extra.len)
        tut_buf_printf(out, "extra %.*s\n", (int)proof->extra.len, proof->extra.data);
    tut_buf_printf(out, "%s %llu\n", proof->is_consistency ? "old" : "index",
                   (unsigned long long)proof->number);
    for (size_t i = 0; i < proof->count; i++) {
        tut_base64_add(out, tut_span_of(proof->hashes[i].bytes, TUT_SHA256_BYTES));
        tut_buf_add_z(out, "\n");
    }
    tut_buf_add_z(out, "\n");
    tut_buf_add_str(out, proof->checkpoint);
}

/* --- reading --- */

static bool take_line(tut_str *text, tut_str *ret_line)
{
    const char *lf = memchr(text->data, '\n', text->len);
    if (!lf)
        return false;
    size_t len = (size_t)(lf - text->data);
    *ret_line = (tut_str){text->data, len};
    *text = (tut_str){lf + 1, text->len - len - 1};
    return true;
}

static tut_status take_extra(tut_str *text, tut_str *line, tut_str *ret_extra, tut_error *err)
{
    static const tut_str word = TUT_LIT("extra ");
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (!tut_str_starts(*line, word))
        return TUT_SUCCESS;
    tut_str extra = {line->data + word.len, line->len - word.len};
    tut_status status = tut_base64_read(extra, false, &bytes);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_MALFORMED, "the extra data of the proof is no base64");
    *ret_extra = extra;
    return take_line(text, line) ? TUT_SUCCESS
                                 : tut_fail(err, TUT_MALFORMED, "the proof ends too early");
}

static tut_status read_number(tut_str line, tut_str word, uint64_t *ret, tut_error *err)
{
    tut_str digits = {line.data + word.len, line.len - word.len};
    if (!tut_str_starts(line, word) || (digits.len > 1 && digits.data[0] == '0') ||
        !tut_str_u64(digits, ret))
        return tut_fail(err, TUT_MALFORMED, "the proof does not say \"%.*sNUMBER\" where it must",
                        (int)word.len, word.data);
    return TUT_SUCCESS;
}

static tut_status read_hashes(tut_str *text, tut_proof *p, tut_error *err)
{
    tut_str line;
    while (take_line(text, &line)) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        if (line.len == 0)
            return TUT_SUCCESS;
        if (p->count == TUT_MERKLE_PROOF_MAX)
            return tut_fail(err, TUT_MALFORMED, "the proof has more than %d hashes",
                            TUT_MERKLE_PROOF_MAX);
        tut_status status = tut_base64_read(line, false, &bytes);
        if (status.code == TUT_NOMEM)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (!tut_is_ok(status) || bytes.len != TUT_SHA256_BYTES)
            return tut_fail(err, TUT_MALFORMED,
                            "hash %zu of the proof is not the base64 of 32 bytes", p->count + 1);
        memcpy(p->hashes[p->count++].bytes, bytes.data, TUT_SHA256_BYTES);
    }
    return tut_fail(err, TUT_MALFORMED, "no checkpoint follows the proof");
}

tut_status tut_proof_parse(tut_str bytes, tut_proof *ret, tut_error *err)
{
    tut_proof p = {.count = 0};
    tut_str text = bytes;
    tut_str line;
    if (bytes.len > TUT_PROOF_BYTES_MAX)
        return tut_fail(err, TUT_LIMIT, "the proof is longer than %d bytes", TUT_PROOF_BYTES_MAX);
    if (!take_line(&text, &line))
        return tut_fail(err, TUT_MALFORMED, "it is no proof: its first line has no end");
    p.is_consistency = tut_str_starts(line, TUT_LIT("old "));
    if (!p.is_consistency) {
        if (!tut_str_eq_z(line, first_line) || !take_line(&text, &line))
            return tut_fail(err, TUT_MALFORMED, "it is no proof: it does not begin with \"%s\"",
                            first_line);
        TUT_TRY(take_extra(&text, &line, &p.extra, err));
    }
    TUT_TRY(
        read_number(line, p.is_consistency ? TUT_LIT("old ") : TUT_LIT("index "), &p.number, err));
    TUT_TRY(read_hashes(&text, &p, err));
    if (text.len == 0)
        return tut_fail(err, TUT_MALFORMED, "no checkpoint follows the proof");
    p.checkpoint = text;
    *ret = p;
    return TUT_SUCCESS;
}

/* --- checking --- */

static tut_status check_note(const tut_proof *proof, const tut_verifier *verifiers, size_t count,
                             tut_checkpoint *ret, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_TRY(tut_note_parse(proof->checkpoint, &note, err));
    TUT_TRY(tut_note_verify(&note, verifiers, count, 1, NULL, NULL, err));
    return tut_checkpoint_parse(note.text, ret, err);
}

tut_status tut_proof_check(const tut_proof *proof, tut_span entry, const tut_verifier *verifiers,
                           size_t count, tut_checkpoint *ret_text, tut_error *err)
{
    tut_checkpoint text;
    tut_sha256 leaf;
    if (proof->is_consistency)
        return tut_fail(err, TUT_USAGE, "it proves that a log went on, not that an entry is in it");
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(check_note(proof, verifiers, count, &text, err));
    tut_merkle_leaf(entry, &leaf);
    TUT_TRY(tut_merkle_check_inclusion(&leaf, proof->number, text.size, proof->hashes, proof->count,
                                       &text.root, err));
    if (ret_text)
        *ret_text = text;
    return TUT_SUCCESS;
}

tut_status tut_proof_check_old(const tut_proof *proof, const tut_sha256 *old_root,
                               const tut_verifier *verifiers, size_t count,
                               tut_checkpoint *ret_text, tut_error *err)
{
    tut_checkpoint text;
    if (!proof->is_consistency)
        return tut_fail(err, TUT_USAGE, "it proves that an entry is in a log, not that it went on");
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(check_note(proof, verifiers, count, &text, err));
    TUT_TRY(tut_merkle_check_consistency(proof->number, text.size, proof->hashes, proof->count,
                                         old_root, &text.root, err));
    if (ret_text)
        *ret_text = text;
    return TUT_SUCCESS;
}
