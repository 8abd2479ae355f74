/*
 * C2SP signed notes:
 *   text (ends in LF), LF, then at least one line "— name base64(id || signature)" LF
 * The last empty line parts text and signatures. UTF-8, no control bytes but LF.
 */
#include <inttypes.h>

#include "base/limits.h"
#include "base/reader.h"
#include "crypto/base64.h"
#include "crypto/note_internal.h"

static const tut_str dash = {"\xe2\x80\x94 ", 4};

enum { ID_BYTES = 4, TIME_BYTES = 8 };

static bool is_note_text(tut_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.data[i] < 0x20 && text.data[i] != '\n')
            return false;
    return tut_utf8_valid(text);
}

void tut_note_done(tut_note *note)
{
    for (size_t i = 0; i < note->signature_count; i++)
        tut_buf_done(&note->signatures[i].bytes);
    tut_free(note->signatures);
    *note = (tut_note){.signature_count = 0};
}

/* Where the last empty line begins. */
static bool find_parting(tut_str bytes, size_t *ret_at)
{
    for (size_t i = bytes.len; i >= 2; i--) {
        if (bytes.data[i - 1] == '\n' && bytes.data[i - 2] == '\n') {
            *ret_at = i - 1;
            return true;
        }
    }
    return false;
}

/* "— name base64" without its LF */
static tut_status read_signature(tut_str line, tut_note_signature *s, tut_error *err)
{
    if (!tut_str_starts(line, dash))
        return tut_fail(err, TUT_MALFORMED, "a signature line does not begin with \"\u2014 \"");
    line = (tut_str){line.data + dash.len, line.len - dash.len};
    const char *space = memchr(line.data, ' ', line.len);
    if (!space)
        return tut_fail(err, TUT_MALFORMED, "a signature line has no signature");
    size_t at = (size_t)(space - line.data);
    s->name = (tut_str){line.data, at};
    s->base64 = (tut_str){space + 1, line.len - at - 1};
    if (!tut_note_name_is_valid(s->name))
        return tut_fail(err, TUT_MALFORMED, "a signature line has no sound name");
    if (s->base64.len > TUT_LIMIT_SIGNATURE_TEXT)
        return tut_fail(err, TUT_LIMIT, "a signature in the note is too long");
    tut_status status = tut_base64_read(s->base64, false, &s->bytes);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status) || s->bytes.len <= ID_BYTES)
        return tut_fail(err, TUT_MALFORMED, "a signature line does not end in sound base64");
    tut_reader r = tut_reader_of(tut_buf_span(&s->bytes));
    TUT_TRY(tut_reader_u32be(&r, &s->id));
    s->bytes.len -= ID_BYTES;
    memmove(s->bytes.data, s->bytes.data + ID_BYTES, s->bytes.len);
    return TUT_SUCCESS;
}

static tut_status read_signatures(tut_str lines, tut_note *note, tut_error *err)
{
    size_t capacity = 0;
    while (lines.len) {
        const char *lf = memchr(lines.data, '\n', lines.len);
        if (!lf)
            return tut_fail(err, TUT_MALFORMED, "the last signature line has no end");
        if (note->signature_count == TUT_NOTE_SIGNATURES_MAX)
            return tut_fail(err, TUT_LIMIT, "the note has more than %d signatures",
                            TUT_NOTE_SIGNATURES_MAX);
        size_t len = (size_t)(lf - lines.data);
        if (!tut_is_ok(tut_grow(&note->signatures, note->signature_count, &capacity,
                                sizeof(note->signatures[0]))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_note_signature *s = &note->signatures[note->signature_count++];
        *s = (tut_note_signature){.id = 0};
        TUT_TRY(read_signature((tut_str){lines.data, len}, s, err));
        lines = (tut_str){lf + 1, lines.len - len - 1};
    }
    return TUT_SUCCESS;
}

tut_status tut_note_parse(tut_str bytes, tut_note *ret_note, tut_error *err)
{
    size_t at;
    if (bytes.len > TUT_NOTE_BYTES_MAX)
        return tut_fail(err, TUT_LIMIT, "the note is larger than %d bytes", TUT_NOTE_BYTES_MAX);
    if (!is_note_text(bytes))
        return tut_fail(err, TUT_MALFORMED, "the note is not UTF-8 without control characters");
    if (!find_parting(bytes, &at) || at + 1 == bytes.len)
        return tut_fail(err, TUT_MALFORMED, "the note has no signatures behind an empty line");
    TUT_CLEAN(tut_note) note = {.text = {bytes.data, at}};
    TUT_TRY(read_signatures((tut_str){bytes.data + at + 1, bytes.len - at - 1}, &note, err));
    *ret_note = note;
    note = (tut_note){.signature_count = 0};
    return TUT_SUCCESS;
}

void tut_note_cosigned(tut_str text, tut_time at, tut_buf *out)
{
    tut_buf_printf(out, "cosignature/v1\ntime %" PRId64 "\n", at);
    tut_buf_add_str(out, text);
}

/* --- verifying --- */

static tut_status verify_cosignature(tut_str text, tut_span bytes, const tut_verifier *v,
                                     tut_time *ret_time, tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    uint64_t at;
    if (bytes.len != TIME_BYTES + TUT_ED25519_SIGNATURE || !tut_is_ok(tut_reader_u64be(&r, &at)) ||
        at > INT64_MAX)
        return tut_fail(err, TUT_CRYPTO, "the cosignature of %s does not have its form", v->name);
    TUT_CLEAN(tut_buf) message = TUT_BUF_INIT;
    tut_note_cosigned(text, (tut_time)at, &message);
    TUT_TRY(tut_buf_check(&message, err));
    tut_span sig = {bytes.data + TIME_BYTES, TUT_ED25519_SIGNATURE};
    if (!tut_is_ok(tut_pubkey_verify(v->key, tut_buf_span(&message), sig, NULL)))
        return tut_fail(err, TUT_CRYPTO, "the cosignature of %s is not over this note", v->name);
    *ret_time = (tut_time)at;
    return TUT_SUCCESS;
}

static tut_status verify_one(const tut_note *note, const tut_note_signature *s,
                             const tut_verifier *v, tut_time *ret_time, tut_error *err)
{
    tut_span sig = tut_buf_span(&s->bytes);
    if (v->algorithm == TUT_NOTE_COSIGNATURE)
        return verify_cosignature(note->text, sig, v, ret_time, err);
    tut_span text = tut_span_of(note->text.data, note->text.len);
    if (!tut_is_ok(tut_pubkey_verify(v->key, text, sig, NULL)))
        return tut_fail(err, TUT_CRYPTO, "the signature of %s is not over this note", v->name);
    return TUT_SUCCESS;
}

static bool is_by(const tut_note_signature *s, const tut_verifier *v)
{
    return s->id == v->id && tut_str_eq_z(s->name, v->name);
}

/* Every line that names v, of which a note may have several. */
static tut_status verify_by(const tut_note *note, const tut_verifier *v, bool *ret_good,
                            tut_time *ret_time, tut_error *err)
{
    bool is_good = false;
    tut_time earliest = 0;
    for (size_t i = 0; i < note->signature_count; i++) {
        tut_time at = 0;
        if (!is_by(&note->signatures[i], v))
            continue;
        TUT_TRY(verify_one(note, &note->signatures[i], v, &at, err));
        if (!is_good || at < earliest)
            earliest = at;
        is_good = true;
    }
    *ret_good = is_good;
    *ret_time = earliest;
    return TUT_SUCCESS;
}

/* One signer given twice counts once. */
static bool is_repeated(const tut_verifier *verifiers, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (verifiers[k].id == verifiers[i].id && strcmp(verifiers[k].name, verifiers[i].name) == 0)
            return true;
    return false;
}

tut_status tut_note_verify(const tut_note *note, const tut_verifier *verifiers, size_t count,
                           size_t least, bool *ret_good, tut_time *ret_times, tut_error *err)
{
    size_t found = 0;
    TUT_AUTO_FREE bool *good = tut_alloc_array(count ? count : 1, sizeof(*good));
    TUT_AUTO_FREE tut_time *times = tut_alloc_array(count ? count : 1, sizeof(*times));
    if (!good || !times)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        TUT_TRY(verify_by(note, &verifiers[i], &good[i], &times[i], err));
        if (good[i] && !is_repeated(verifiers, i))
            found++;
    }
    if (found < least)
        return tut_fail(err, TUT_CRYPTO,
                        "the note has %zu signatures of known keys; %zu are wanted", found, least);
    if (ret_good)
        memcpy(ret_good, good, count * sizeof(*good));
    if (ret_times)
        memcpy(ret_times, times, count * sizeof(*times));
    return TUT_SUCCESS;
}

/* --- signing --- */

/* What is signed, and what stands before the signature in the line. */
static tut_status prepare(tut_note_algorithm algorithm, tut_str text, tut_time at, tut_buf *message,
                          tut_buf *line, tut_error *err)
{
    if (algorithm != TUT_NOTE_COSIGNATURE)
        return TUT_SUCCESS;
    if (at < 0)
        return tut_fail(err, TUT_USAGE, "a cosignature cannot be of a time before 1970");
    for (unsigned i = 0; i < TIME_BYTES; i++)
        tut_buf_add_byte(line, (uint8_t)((uint64_t)at >> (56 - 8 * i)));
    tut_note_cosigned(text, at, message);
    return tut_buf_check(message, err);
}

tut_status tut_note_sign(const char *name, tut_note_algorithm algorithm, const tut_key *key,
                         tut_str text, tut_time at, tut_buf *out, tut_error *err)
{
    uint32_t id;
    if (!tut_note_name_is_valid(tut_str_of(name)))
        return tut_fail(err, TUT_USAGE, "a signer's name has no spaces and no '+'");
    if (text.len == 0 || text.data[text.len - 1] != '\n' || !is_note_text(text) ||
        text.len > TUT_NOTE_BYTES_MAX)
        return tut_fail(err, TUT_USAGE,
                        "the text of a note is UTF-8 without control characters and ends its last "
                        "line");
    TUT_TRY(tut_note_key_id(tut_str_of(name), algorithm, tut_key_public(key), &id, err));
    TUT_CLEAN(tut_buf) message = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    for (unsigned i = 0; i < ID_BYTES; i++)
        tut_buf_add_byte(&bytes, (uint8_t)(id >> (24 - 8 * i)));
    TUT_TRY(prepare(algorithm, text, at, &message, &bytes, err));
    tut_span signed_bytes = message.len ? tut_buf_span(&message) : tut_span_of(text.data, text.len);
    TUT_TRY(tut_key_sign(key, signed_bytes, &bytes, err));
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_str(&line, dash);
    tut_buf_add_z(&line, name);
    tut_buf_add_byte(&line, ' ');
    tut_base64_add(&line, tut_buf_span(&bytes));
    tut_buf_add_byte(&line, '\n');
    TUT_TRY(tut_buf_check(&line, err));
    tut_buf_add(out, line.data, line.len);
    return tut_buf_check(out, err);
}
