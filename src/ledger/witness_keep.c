#include "ledger/witness_keep.h"

#include <inttypes.h>

#include "base/fs.h"
#include "base/limits.h"
#include "ledger/witness_ask.h"

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status path_of(const char *dir, const tut_verifier *witness, char **ret_path,
                          tut_error *err)
{
    *ret_path = tut_asprintf("%s/witness/%08x", dir, (unsigned)witness->id);
    return *ret_path ? TUT_SUCCESS : no_memory(err);
}

uint64_t tut_witness_kept_size(const char *dir, const tut_verifier *witness)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c;
    if (!tut_is_ok(path_of(dir, witness, &path, NULL)) ||
        !tut_is_ok(tut_fs_read(path, TUT_LIMIT_WITNESS_REQUEST_BYTES, &bytes, NULL)) ||
        !tut_is_ok(tut_note_parse(tut_buf_str(&bytes), &note, NULL)) ||
        !tut_is_ok(tut_note_verify(&note, witness, 1, 1, NULL, NULL, NULL)) ||
        !tut_is_ok(tut_checkpoint_parse(note.text, &c, NULL)))
        return 0;
    return c.size;
}

tut_status tut_witness_read_kept(const char *dir, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "checkpoint.witnessed");
    if (!path)
        return no_memory(err);
    if (!tut_fs_exists(path))
        return TUT_SUCCESS;
    return tut_fs_read(path, TUT_NOTE_BYTES_MAX, out, err);
}

void tut_witness_line(const tut_note_signature *s, tut_buf *out)
{
    tut_buf_add_z(out, "\xe2\x80\x94 ");
    tut_buf_add_str(out, s->name);
    tut_buf_add_byte(out, ' ');
    tut_buf_add_str(out, s->base64);
    tut_buf_add_byte(out, '\n');
}

bool tut_witness_find_line(const tut_note *note, const tut_verifier *witness, tut_buf *out)
{
    for (size_t i = 0; i < note->signature_count; i++) {
        const tut_note_signature *s = &note->signatures[i];
        if (s->id != witness->id || !tut_str_eq_z(s->name, witness->name))
            continue;
        tut_witness_line(s, out);
        return true;
    }
    return false;
}

/* Whether `note` has the line already. */
static bool has_line(tut_str note, tut_str line)
{
    size_t at;
    return tut_str_find(note, line, &at);
}

/* Cosignatures of others count on when they are of the very same checkpoint. */
static tut_status add_others(tut_str kept, const tut_verifier *witness, tut_str text, tut_buf *out,
                             tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    if (!tut_is_ok(tut_note_parse(kept, &note, NULL)) || !tut_str_eq(note.text, text))
        return TUT_SUCCESS;
    for (size_t i = 0; i < note.signature_count; i++) {
        const tut_note_signature *s = &note.signatures[i];
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        if (s->id == witness->id && tut_str_eq_z(s->name, witness->name))
            continue;
        tut_witness_line(s, &line);
        TUT_TRY(tut_buf_check(&line, err));
        if (!has_line(tut_buf_str(out), tut_buf_str(&line)))
            tut_buf_add_str(out, tut_buf_str(&line));
    }
    return TUT_SUCCESS;
}

/* Where all that is known of one checkpoint is kept. The root is part of the name: when a log was
 * rewritten, what was cosigned of the other one must not be lost. */
static tut_status history_of(const char *dir, tut_str text, char **ret_path, tut_error *err)
{
    tut_checkpoint c;
    char root[TUT_SHA256_HEX];
    TUT_AUTO_FREE char *folder = tut_fs_join(dir, TUT_WITNESS_HISTORY);
    if (!folder)
        return no_memory(err);
    TUT_TRY(tut_checkpoint_parse(text, &c, err));
    TUT_TRY(tut_fs_mkdirs(folder, 0755, err));
    tut_sha256_hex(&c.root, root);
    *ret_path = tut_asprintf("%s/%" PRIu64 "-%.*s", folder, c.size, TUT_WITNESS_ROOT_DIGITS, root);
    return *ret_path ? TUT_SUCCESS : no_memory(err);
}

/* The note with all cosignatures that are known of it: those of others as they are kept, and these
 * lines of the witness's own. */
static tut_status merge(const char *dir, const char *history, const tut_verifier *witness,
                        const tut_note *note, tut_str lines, tut_buf *all, tut_error *err)
{
    TUT_CLEAN(tut_buf) latest = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_TRY(tut_witness_read_kept(dir, &latest, err));
    if (tut_fs_exists(history))
        TUT_TRY(tut_fs_read(history, TUT_NOTE_BYTES_MAX, &before, err));
    TUT_TRY(add_others(tut_buf_str(&before), witness, note->text, all, err));
    TUT_TRY(add_others(tut_buf_str(&latest), witness, note->text, all, err));
    tut_buf_add_str(all, lines);
    return tut_buf_check(all, err);
}

/* The line that this witness gave for the very same checkpoint before. Its time is earlier, and so
 * it shows more than a new one. */
static bool earlier_line(const char *path, const tut_verifier *witness, tut_str text, tut_buf *line)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    if (!tut_is_ok(tut_fs_read(path, TUT_LIMIT_WITNESS_REQUEST_BYTES, &bytes, NULL)) ||
        !tut_is_ok(tut_note_parse(tut_buf_str(&bytes), &note, NULL)) ||
        !tut_str_eq(note.text, text) ||
        !tut_is_ok(tut_note_verify(&note, witness, 1, 1, NULL, NULL, NULL)))
        return false;
    return tut_witness_find_line(&note, witness, line);
}

tut_status tut_witness_keep(const char *dir, const tut_verifier *witness, tut_str checkpoint,
                            tut_str lines, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_CLEAN(tut_buf) own = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) earlier = TUT_BUF_INIT;
    TUT_AUTO_FREE char *folder = tut_fs_join(dir, "witness");
    TUT_AUTO_FREE char *merged = tut_fs_join(dir, "checkpoint.witnessed");
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *history = NULL;
    if (!folder || !merged)
        return no_memory(err);
    TUT_TRY(path_of(dir, witness, &path, err));
    TUT_TRY(tut_note_parse(checkpoint, &note, err));
    TUT_TRY(history_of(dir, note.text, &history, err));
    if (earlier_line(path, witness, note.text, &earlier) &&
        tut_is_ok(tut_buf_check(&earlier, NULL)))
        lines = tut_buf_str(&earlier);
    tut_buf_add_str(&own, checkpoint);
    tut_buf_add_str(&own, lines);
    tut_buf_add_str(&all, checkpoint);
    TUT_TRY(merge(dir, history, witness, &note, lines, &all, err));
    TUT_TRY(tut_buf_check(&own, err));
    TUT_TRY(tut_fs_mkdirs(folder, 0755, err));
    TUT_TRY(tut_fs_write(history, tut_buf_span(&all), 0644, err));
    TUT_TRY(tut_fs_write(path, tut_buf_span(&own), 0644, err));
    return tut_fs_write(merged, tut_buf_span(&all), 0644, err);
}

/* Cosignatures are of the tree that was; the log as it is must contain that tree. */
static tut_status compare(tut_str note_bytes, tut_log *log, tut_witness_kept *kept, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c;
    tut_sha256 root;
    TUT_TRY(tut_note_parse(note_bytes, &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &c, err));
    kept->size = c.size;
    kept->is_rewritten = c.size > tut_log_size(log);
    if (kept->is_rewritten)
        return TUT_SUCCESS;
    TUT_TRY(tut_log_root_at(log, c.size, &root, err));
    kept->is_rewritten = !tut_sha256_eq(&root, &c.root);
    return TUT_SUCCESS;
}

tut_status tut_witness_check_kept(const char *dir, tut_log *log, const tut_witness_policy *policy,
                                  tut_witness_kept *ret_kept, tut_error *err)
{
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_witness_kept kept = {0};
    TUT_TRY(tut_witness_read_kept(dir, &note, err));
    if (note.len > 0) {
        TUT_TRY(compare(tut_buf_str(&note), log, &kept, err));
        if (policy) {
            TUT_TRY(tut_witness_policy_check(policy, tut_buf_str(&note), &kept.verdict, err));
            kept.has_verdict = true;
        }
    }
    *ret_kept = kept;
    return TUT_SUCCESS;
}
