/* The log as bytes: whose it is, that it is of one piece, and that it continues what was known. */
#include "base/fs.h"
#include "ledger/people.h"
#include "state/audit_internal.h"

/* --- checkpoint --- */

/* Who signed, in words: for whoever finds that it was not the log's key. */
static void name_signers(const tut_note *note, tut_buf *out)
{
    for (size_t i = 0; i < note->signature_count && i < TUT_AUDIT_SHOWN; i++)
        tut_buf_printf(out, "%s%.*s+%08x", i ? ", " : "", (int)note->signatures[i].name.len,
                       note->signatures[i].name.data, note->signatures[i].id);
}

tut_status tut_audit_signature(tut_auditing *a, tut_finding *f, tut_str bytes, const char *whose,
                               const tut_verifier *key)
{
    TUT_CLEAN(tut_note) note = {0};
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_note_parse(bytes, &note, &why);
    if (tut_is_ok(status))
        status = tut_note_verify(&note, key, 1, 1, NULL, NULL, &why);
    if (tut_is_ok(status) || status.code == TUT_NOMEM)
        return status;
    name_signers(&note, &names);
    TUT_TRY(tut_buf_check(&names, a->err));
    if (note.signature_count == 0)
        tut_finding_add(f, "%s cannot be read: %s", whose, why.text);
    else
        tut_finding_add(f, "%s is not signed by %s+%08x but by %s: it was sealed again, or altered",
                        whose, key->name, key->id, tut_buf_z(&names));
    return TUT_SUCCESS;
}

tut_status tut_audit_checkpoint(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    tut_error why = {0};
    tut_log_options options = {.dir = a->evidence.dir, .origin = a->audit->origin};
    tut_status status = tut_log_open(&options, false, &a->log, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_finding_add(&f, "the log cannot be opened: %s", why.text);
        return tut_audit_conclude(a, "checkpoint", &f, "%s", "");
    }
    tut_str note = tut_log_checkpoint(a->log);
    a->audit->size = tut_log_size(a->log);
    tut_log_root(a->log, &a->audit->root);
    TUT_AUTO_FREE char *file = tut_fs_join(a->evidence.dir, "checkpoint");
    if (!file)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (note.len == 0)
        tut_finding_add(&f, "the log is empty");
    else if (!tut_fs_exists(file)) /* the journal knows it, and readers of tiles do not */
        tut_finding_add(&f, "its file is missing; the next record writes it again");
    else if (a->evidence.has_verifier)
        TUT_TRY(tut_audit_signature(a, &f, note, "the checkpoint", &a->evidence.verifier));
    if (!a->evidence.has_verifier)
        return tut_audit_conclude(a, "checkpoint", &f,
                                  "read; whether its signature is right shows by the genesis only, "
                                  "as this user has no key of this log");
    return tut_audit_conclude(a, "checkpoint", &f, "signed by %s+%08x", a->evidence.verifier.name,
                              a->evidence.verifier.id);
}

/* --- the tree --- */

typedef struct tree {
    tut_finding entries, tiles, root;
} tree;

static void found(void *ctx, const char *name, const char *detail)
{
    tree *t = ctx;
    if (strcmp(name, "entry") == 0)
        tut_finding_add(&t->entries, "%s", detail);
    else if (strcmp(name, "tile") == 0)
        tut_finding_add(&t->tiles, "%s", detail);
    else
        tut_finding_add(&t->root, "%s: %s", name, detail);
}

static tut_status conclude_tree(tut_auditing *a, const tree *t)
{
    unsigned long long size = a->audit->size;
    TUT_TRY(tut_audit_conclude(a, "entries", &t->entries, "each of %llu hashes to its leaf", size));
    TUT_TRY(
        tut_audit_conclude(a, "tiles", &t->tiles, "every stored hash is what its children give"));
    return tut_audit_conclude(a, "root", &t->root, "the tree over %llu entries is the signed one",
                              size);
}

static void tree_done(tree *t)
{
    tut_finding_done(&t->entries);
    tut_finding_done(&t->tiles);
    tut_finding_done(&t->root);
}

tut_status tut_audit_tree(tut_auditing *a)
{
    __attribute__((cleanup(tree_done))) tree t = {0};
    tut_error why = {0};
    if (!a->log) {
        tut_finding_add(&t.entries, "not looked at, as the log cannot be opened");
        tut_finding_add(&t.tiles, "not looked at, as the log cannot be opened");
        tut_finding_add(&t.root, "not looked at, as the log cannot be opened");
        return conclude_tree(a, &t);
    }
    tut_status status = tut_log_verify(a->log, found, &t, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(a->err, status.code, "%s", why.text);
    if (!tut_is_ok(status) && t.entries.count + t.tiles.count + t.root.count == 0)
        tut_finding_add(&t.root, "%s", why.text);
    a->is_readable = t.entries.count == 0;
    return conclude_tree(a, &t);
}

/* --- what was known before --- */

tut_status tut_audit_anchor(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    TUT_AUTO(tut_log) log = NULL;
    tut_error why = {0};
    tut_log_options options = {
        .dir = a->evidence.dir, .origin = a->audit->origin, .anchor = a->evidence.anchor};
    if (!a->evidence.anchor || !tut_fs_exists(a->evidence.anchor))
        return tut_audit_conclude(a, "anchor", &f, "none: this user never signed this log");
    if (!a->log) {
        tut_finding_add(&f, "not looked at, as the log cannot be opened");
        return tut_audit_conclude(a, "anchor", &f, "%s", "");
    }
    tut_status status = tut_log_open(&options, false, &log, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_finding_add(&f, "%s", why.text);
    return tut_audit_conclude(a, "anchor", &f, "the log continues what was last signed here");
}

/* By the key that was in force then. Where the entries name none, the present one decides. */
static tut_status check_saved_signature(tut_auditing *a, tut_finding *f, tut_str bytes,
                                        uint64_t size)
{
    TUT_CLEAN(tut_verifier) then = {.id = 0};
    const tut_person_key *key = tut_audit_key_at(a, size);
    if (key && size <= a->audit->size)
        TUT_TRY(tut_verifier_of(a->audit->origin, TUT_NOTE_ED25519, key->key, &then, a->err));
    return tut_audit_signature(a, f, bytes, "the saved checkpoint",
                               then.key ? &then : &a->evidence.verifier);
}

static tut_status compare_saved(tut_auditing *a, tut_finding *f, const tut_checkpoint *saved)
{
    tut_sha256 root;
    tut_error why = {0};
    unsigned long long size = a->audit->size;
    unsigned long long saved_size = saved->size;
    if (!tut_str_eq_z(saved->origin, a->audit->origin)) {
        tut_finding_add(f, "it is of another log: %.*s", (int)saved->origin.len,
                        saved->origin.data);
        return TUT_SUCCESS;
    }
    if (saved->size > a->audit->size) {
        tut_finding_add(f, "rolled back: the saved checkpoint is of %llu entries, here are %llu",
                        saved_size, size);
        return TUT_SUCCESS;
    }
    tut_status status = tut_log_root_at(a->log, saved->size, &root, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_finding_add(f, "the tree of then cannot be computed: %s", why.text);
    else if (!tut_sha256_eq(&root, &saved->root))
        tut_finding_add(f,
                        "split view: the first %llu entries here are not those of the saved "
                        "checkpoint",
                        saved_size);
    return TUT_SUCCESS;
}

tut_status tut_audit_saved(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint saved = {.size = 0};
    tut_error why = {0};
    tut_str bytes = {a->options->saved, a->options->saved_len};
    tut_status status = tut_note_parse(bytes, &note, &why);
    if (tut_is_ok(status))
        status = tut_checkpoint_parse(note.text, &saved, &why);
    if (!tut_is_ok(status))
        tut_finding_add(&f, "the saved file is no checkpoint: %s", why.text);
    else if (!a->log)
        tut_finding_add(&f, "not compared, as the log cannot be opened");
    else if (a->evidence.has_verifier)
        TUT_TRY(check_saved_signature(a, &f, bytes, saved.size));
    if (f.count == 0)
        TUT_TRY(compare_saved(a, &f, &saved));
    return tut_audit_conclude(a, "saved", &f,
                              "the log continues the %llu entries of the saved "
                              "checkpoint",
                              (unsigned long long)saved.size);
}
