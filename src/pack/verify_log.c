/* The log in a pack: all its entries against its checkpoint, and its other files against them. */
#include <inttypes.h>

#include "base/limits.h"
#include "ledger/log_given.h"
#include "ledger/log_tile_name.h"
#include "ledger/rotation.h"
#include "pack/build_log.h"
#include "pack/verify_beside.h"
#include "pack/verify_internal.h"
#include "state/audit.h"

enum { VKEY_MAX = 1024 };

/* --- the log --- */

typedef struct gathering {
    tut_verifying *v;
    tut_buf bundles;
} gathering;

static tut_status gather(void *ctx, int level, uint64_t n, unsigned width, tut_error *err)
{
    gathering *g = ctx;
    char name[TUT_PACK_NAME];
    if (level != TUT_BUNDLE_LEVEL)
        return TUT_SUCCESS;
    tut_pack_tile_name(level, n, width, name);
    return tut_archive_get(&g->v->archive, name, TUT_LIMIT_PACK_MEMBER_BYTES, &g->bundles, err);
}

static bool is_withheld(const tut_verifying *v, const tut_sha256 *digest)
{
    for (size_t i = 0; i < v->manifest.withheld_count; i++)
        if (tut_sha256_eq(&v->manifest.withheld[i].digest, digest))
            return true;
    return false;
}

static tut_status body(void *ctx, const tut_sha256 *digest, tut_buf *out, tut_error *err)
{
    const tut_verifying *v = ctx;
    char name[TUT_PACK_NAME];
    tut_pack_body_name(digest, name);
    if (tut_archive_find(&v->archive, name))
        return tut_archive_get_unchecked(&v->archive, name, TUT_LIMIT_BODY_BYTES, out, err);
    tut_error_set_path(err, name);
    return is_withheld(v, digest)
               ? tut_fail(err, TUT_DENIED, "it may hold personal data, and is sealed")
               : tut_fail(err, TUT_STORE, "is not in the pack");
}

/* The bundles are as many as the size that the checkpoint claims: the first that is not there ends
 * it. */
static tut_status open_log(tut_verifying *v, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c = {.size = 0};
    gathering g = {.v = v};
    tut_buf_init(&g.bundles, TUT_LIMIT_PACK_ENTRIES_BYTES);
    TUT_TRY(tut_archive_get(&v->archive, "log/checkpoint", TUT_NOTE_BYTES_MAX, &text, err));
    TUT_TRY(tut_note_parse(tut_buf_str(&text), &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &c, err));
    if (!tut_str_eq(c.origin, v->manifest.origin))
        return tut_fail(err, TUT_STORE, "log/checkpoint is of another log than pack.json says");
    v->source = (tut_ledger_source){.body = body, .beside = tut_pack_beside(&v->archive), .ctx = v};
    tut_status status = tut_pack_tiles(c.size, gather, &g, err);
    if (tut_is_ok(status))
        status = tut_pack_image_open(&v->image, v->result->origin, tut_buf_span(&g.bundles), c.size,
                                     tut_buf_str(&text), &v->source, err);
    tut_buf_done(&g.bundles);
    v->result->log_size = c.size;
    return status;
}

/* --- whose it is --- */

/* Of the keys of logs that are trusted, one of this log that leads to its checkpoint; else any of
 * this log; else the first, which then does not fit. */
static tut_status choose(tut_verifying *v, const tut_verifier *const *keys, size_t count,
                         const tut_verifier **ret)
{
    tut_beside beside = tut_pack_beside(&v->archive);
    const tut_verifier *best = count ? keys[0] : NULL;
    bool is_named = false;
    TUT_CLEAN(tut_note) note = {0};
    tut_status parsed = tut_note_parse(tut_log_checkpoint(v->image.log), &note, NULL);
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_log_keys) chain = {.items = NULL};
        if (strcmp(keys[i]->name, v->result->origin) != 0)
            continue;
        if (!is_named)
            best = keys[i];
        is_named = true;
        TUT_TRY(tut_log_keys_follow(&beside, keys[i], &chain, v->err));
        if (tut_is_ok(parsed) &&
            tut_is_ok(tut_note_verify(&note, tut_log_keys_last(&chain), 1, 1, NULL, NULL, NULL))) {
            best = keys[i];
            break;
        }
    }
    *ret = best;
    return TUT_SUCCESS;
}

static tut_status find_key(tut_verifying *v, tut_verifier *own, const tut_verifier **ret)
{
    const tut_pack_trust *t = v->trust;
    const tut_policy_log *logs = NULL;
    size_t log_count = t->policy ? tut_witness_policy_logs(t->policy, &logs) : 0;
    TUT_AUTO_FREE const tut_verifier **keys = tut_alloc_array(t->key_count + log_count + 1,
                                                              sizeof(*keys));
    size_t count = 0;
    if (!keys)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->key_count; i++)
        keys[count++] = &t->keys[i];
    for (size_t i = 0; i < log_count; i++)
        keys[count++] = &logs[i].verifier;
    if (t->any) {
        TUT_TRY(tut_verifier_of(v->result->origin, TUT_NOTE_ED25519, t->any, own, v->err));
        keys[count++] = own;
    }
    return choose(v, keys, count, ret);
}

/* --- as a ledger --- */

static tut_status take_audit(tut_verifying *v, const tut_audit *audit)
{
    tut_pack_result *r = v->result;
    for (size_t i = 0; i < audit->count; i++) {
        TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
        const tut_audit_check *c = &audit->checks[i];
        if (!c->holds)
            tut_buf_add_z(&wrong, c->detail);
        TUT_TRY(tut_pack_conclude(v, c->name, &wrong, "%s", c->detail));
    }
    r->trust = audit->trust == TUT_TRUST_OWN_KEY ? TUT_PACK_SELF_CONSISTENT
               : audit->trust == TUT_TRUST_KEY   ? TUT_PACK_TRUSTED_KEY
                                                 : TUT_PACK_ANCHORED;
    r->proven = audit->proven;
    r->rests_on = tut_strdup(audit->rests_on);
    return r->rests_on ? TUT_SUCCESS : tut_fail(v->err, TUT_NOMEM, "memory ran out");
}

/* A policy that wants nobody ("quorum none") only names logs. */
static const tut_witness_policy *wanting_witnesses(const tut_witness_policy *p)
{
    static const bool nobody[TUT_POLICY_WITNESSES_MAX];
    return p && !tut_witness_policy_met(p, nobody) ? p : NULL;
}

static tut_status audit(tut_verifying *v)
{
    TUT_AUTO(tut_audit) audit = NULL;
    TUT_CLEAN(tut_verifier) own = {.id = 0};
    tut_audit_options options = {.given = v->image.ledger,
                                 .given_then = v->image.ledger_then,
                                 .then_size = v->manifest.log_size,
                                 .then = v->manifest.evaluated_at,
                                 .policy = wanting_witnesses(v->trust->policy),
                                 .authorities = v->trust->authorities};
    TUT_TRY(find_key(v, &own, &options.key));
    TUT_TRY(tut_audit_run(&options, &audit, v->err));
    TUT_TRY(take_audit(v, audit));
    v->records = tut_move(&audit->records);
    return TUT_SUCCESS;
}

/* --- its other files --- */

typedef struct comparing {
    tut_verifying *v;
    tut_buf *wrong;
} comparing;

static tut_status compare(const comparing *c, const char *name, tut_span want, tut_error *err)
{
    tut_archive_member *m = tut_archive_find(&c->v->archive, name);
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(want, &digest, err));
    if (m)
        m->is_known = true;
    if (m && m->size == want.len && tut_sha256_eq(&digest, &m->digest))
        return TUT_SUCCESS;
    if (c->wrong->len == 0)
        tut_buf_printf(c->wrong, "%s is %s", name,
                       m ? "not what the entries of the log give" : "missing");
    return tut_pack_differs(c->v, name);
}

static tut_status compare_tile(void *ctx, int level, uint64_t n, unsigned width, tut_error *err)
{
    const comparing *c = ctx;
    char name[TUT_PACK_NAME];
    tut_pack_tile_name(level, n, width, name);
    return compare(c, name, tut_log_given_tile(c->v->image.log, level, n, width), err);
}

static tut_status find_strangers(const comparing *c)
{
    tut_archive *a = &c->v->archive;
    for (tut_archive_member *m = tut_archive_from(a, "log/");
         m < a->members + a->count && tut_str_starts(tut_str_of(m->name), TUT_LIT("log/")); m++) {
        if (m->is_known || strcmp(m->name, "log/checkpoint") == 0 ||
            strcmp(m->name, "log/log.vkey") == 0 || tut_pack_is_kept(m->name))
            continue;
        if (c->wrong->len == 0)
            tut_buf_printf(c->wrong, "%s does not belong in a pack of this log", m->name);
        return tut_pack_differs(c->v, m->name);
    }
    return TUT_SUCCESS;
}

/* The key that signed the checkpoint (the check "keys" says that it is the log's), in its one form.
 */
static tut_status check_vkey(const tut_verifying *v, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_CLEAN(tut_verifier) key = {.id = 0};
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    TUT_TRY(tut_archive_get(&v->archive, "log/log.vkey", VKEY_MAX, &text, err));
    TUT_TRY(tut_verifier_parse(tut_str_trim(tut_buf_str(&text)), &key, err));
    tut_verifier_write(&key, &again);
    tut_buf_add_z(&again, "\n");
    TUT_TRY(tut_buf_check(&again, err));
    if (!tut_str_eq(tut_buf_str(&text), tut_buf_str(&again)))
        return tut_fail(err, TUT_MALFORMED, "is not in its one form");
    TUT_TRY(tut_note_parse(tut_log_checkpoint(v->image.log), &note, err));
    return tut_note_verify(&note, &key, 1, 1, NULL, NULL, err);
}

static tut_status check_tiles(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    comparing c = {.v = v, .wrong = &wrong};
    tut_error why = {0};
    TUT_TRY(tut_pack_tiles(tut_log_size(v->image.log), compare_tile, &c, v->err));
    tut_status status = check_vkey(v, &why);
    if (!tut_is_ok(status))
        tut_error_set_path(&why, "log/log.vkey");
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    TUT_TRY(find_strangers(&c));
    return tut_pack_conclude(v, "tiles", &wrong,
                             "the other files of the log are what its entries "
                             "give");
}

static tut_status check_built(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    const tut_archive_member *m = tut_archive_find(&v->archive, TUT_PACK_MANIFEST);
    uint64_t entry = 0;
    bool is_there = false;
    tut_error why = {0};
    tut_status status = tut_pack_find_built(v->image.log, v->manifest.log_size, &m->digest, &entry,
                                            &is_there, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (tut_is_ok(status) && !is_there) {
        tut_buf_add_z(&wrong, "no entry of the log names this " TUT_PACK_MANIFEST
                              ": it is not the one that was recorded when the pack was built");
        TUT_TRY(tut_pack_differs(v, TUT_PACK_MANIFEST));
    }
    return tut_pack_conclude(v, "built", &wrong, "entry %" PRIu64 " names this " TUT_PACK_MANIFEST,
                             entry);
}

/* Which entries the verdict has to go by; then the log of then is there. */
static tut_status find_then(tut_verifying *v)
{
    const tut_pack_manifest *m = &v->manifest;
    tut_buf *wrong = &v->incomplete;
    tut_error why = {0};
    uint64_t size = 0;
    tut_status status = tut_pack_size_at(v->image.log, m->evaluated_at, &size, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, wrong));
    if (tut_is_ok(status) && size != m->log_size)
        tut_buf_printf(wrong,
                       "the log had %" PRIu64 " entries at the time of the verdict, which says to "
                       "go by %" PRIu64,
                       size, m->log_size);
    if (wrong->len > 0)
        return TUT_SUCCESS;
    tut_sha256 root;
    TUT_TRY(tut_pack_image_at(&v->image, size, v->err));
    tut_log_root(v->image.then, &root);
    if (!tut_sha256_eq(&root, &m->log_root))
        tut_buf_add_z(wrong, "the verdict says to go by another log than this was then");
    return TUT_SUCCESS;
}

tut_status tut_pack_check_log(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = open_log(v, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (!tut_is_ok(status))
        return tut_pack_conclude(v, "checkpoint", &wrong, "%s", "");
    TUT_TRY(find_then(v));
    TUT_TRY(audit(v));
    TUT_TRY(check_tiles(v));
    TUT_TRY(check_built(v));
    TUT_TRY(tut_pack_conclude(v, "complete", &v->incomplete,
                              "the verdict goes by all %" PRIu64 " entries recorded by its time",
                              v->manifest.log_size));
    v->has_log = v->image.then != NULL;
    return TUT_SUCCESS;
}
