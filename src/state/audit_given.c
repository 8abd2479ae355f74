/* A log that somebody gave us with its checkpoint: whose it is, and that the one is of the other.
 */
#include "ledger/ledger_given.h"
#include "state/audit_internal.h"

/* From the key that is trusted to the one in force, by what is kept beside the log. */
static tut_status trust(tut_auditing *a)
{
    tut_place *place = &a->evidence;
    TUT_TRY(tut_log_keys_follow(&a->beside, a->options->key, &place->trusted, a->err));
    const tut_verifier *last = tut_log_keys_last(&place->trusted);
    TUT_TRY(tut_verifier_of(last->name, last->algorithm, last->key, &place->verifier, a->err));
    place->has_verifier = true;
    return TUT_SUCCESS;
}

static tut_status find(tut_auditing *a)
{
    tut_ledger *given = a->options->given;
    TUT_TRY(tut_ledger_log(given, &a->log, a->err));
    a->is_given = true;
    a->beside = tut_ledger_beside(given);
    a->audit->origin = tut_strdup(tut_ledger_log_origin(given));
    a->traffic.log_origin = tut_strdup("");
    if (!a->audit->origin || !a->traffic.log_origin)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    a->audit->size = tut_log_size(a->log);
    tut_log_root(a->log, &a->audit->root);
    return a->options->key ? trust(a) : TUT_SUCCESS;
}

static tut_status check_checkpoint(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    tut_str note = tut_log_checkpoint(a->log);
    if (!a->evidence.has_verifier)
        return tut_audit_conclude(a, "checkpoint", &f,
                                  "read; whose it is shows by the log's own entries only, as no "
                                  "key was given (--trust)");
    TUT_TRY(tut_audit_signature(a, &f, note, "the checkpoint", &a->evidence.verifier));
    return tut_audit_conclude(a, "checkpoint", &f, "signed by %s+%08x", a->evidence.verifier.name,
                              a->evidence.verifier.id);
}

static tut_status check_root(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c = {.size = 0};
    tut_error why = {0};
    tut_status status = tut_note_parse(tut_log_checkpoint(a->log), &note, &why);
    if (tut_is_ok(status))
        status = tut_checkpoint_parse(note.text, &c, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_finding_add(&f, "the checkpoint cannot be read: %s", why.text);
    else if (!tut_str_eq_z(c.origin, a->audit->origin))
        tut_finding_add(&f, "the checkpoint is of another log: %.*s", (int)c.origin.len,
                        c.origin.data);
    else if (c.size != a->audit->size)
        tut_finding_add(&f, "the checkpoint is of %llu entries, here are %llu",
                        (unsigned long long)c.size, (unsigned long long)a->audit->size);
    else if (!tut_sha256_eq(&c.root, &a->audit->root))
        tut_finding_add(&f,
                        "the tree over the entries is not the one that was signed: an entry was "
                        "altered, exchanged or left out");
    return tut_audit_conclude(a, "root", &f, "the tree over all %llu entries is the signed one",
                              (unsigned long long)a->audit->size);
}

tut_status tut_audit_take_given(tut_auditing *a)
{
    TUT_TRY(find(a));
    TUT_TRY(check_checkpoint(a));
    return check_root(a);
}
