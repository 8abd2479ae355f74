#include "ledger/vouched.h"

#include "ledger/timestamp.h"
#include "ledger/witness_keep.h"
#include <stdio.h>

enum {
    COSIGNATURE_BYTES = 72, /* cosignature/v1: u64be time, Ed25519 */
    TEXT_MAX = 600
};

typedef struct looking {
    const tut_vouched_options *o;
    tut_vouched v;
    size_t from_history;
    size_t best; /* witnesses of the policy under one checkpoint, where they were most */
    uint64_t best_size;
    bool has_doubt;
    tut_error *err;
} looking;

const char *tut_trust_name(tut_trust t)
{
    static const char *const names[] = {"own-key", "trusted-key", "timestamped", "witnessed"};
    return names[t];
}

static void tell(looking *l, tut_vouched_source source, bool is_damage, const char *fmt, ...)
    TUT_PRINTF(4, 5);
static void tell(looking *l, tut_vouched_source source, bool is_damage, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    l->v.is_damaged = l->v.is_damaged || is_damage;
    l->has_doubt = l->has_doubt || source == TUT_VOUCHED_WITNESSES;
    if (l->o->found)
        l->o->found(l->o->ctx, source, is_damage, text);
}

/* The larger tree shows more; of the same one the earlier time. */
static void prove(tut_proven *p, uint64_t size, tut_time at)
{
    if (!p->is_there || size > p->size || (size == p->size && at < p->at))
        *p = (tut_proven){.is_there = true, .size = size, .at = at};
}

static bool is_beyond(const looking *l, uint64_t size)
{
    return l->o->is_part && (!l->o->log || size > tut_log_size(l->o->log));
}

/* ---- witnesses ---- */

/* The earliest time that a cosignature claims, for telling whether it was there by then. Who signed
 * it is not known yet. 0: no cosignature. */
static tut_time claimed_time(const tut_note *note)
{
    tut_time earliest = 0;
    for (size_t i = 0; i < note->signature_count; i++) {
        const tut_buf *bytes = &note->signatures[i].bytes;
        uint64_t at = 0;
        if (bytes->len != COSIGNATURE_BYTES)
            continue;
        for (size_t k = 0; k < sizeof(at); k++)
            at = at << 8 | bytes->data[k];
        if (at > 0 && at <= INT64_MAX && (earliest == 0 || (tut_time)at < earliest))
            earliest = (tut_time)at;
    }
    return earliest;
}

/* One proof of consistency, by computing the root of then. */
static tut_status compare(looking *l, const char *name, const tut_checkpoint *c,
                          bool *ret_contained)
{
    uint64_t here = l->o->log ? tut_log_size(l->o->log) : 0;
    unsigned long long size = c->size;
    tut_sha256 root;
    tut_error why = {0};
    *ret_contained = false;
    if (c->size > here) {
        tell(l, TUT_VOUCHED_WITNESSES, true,
             "rolled back: %s is of %llu entries that were cosigned, here are %llu", name, size,
             (unsigned long long)here);
        return TUT_SUCCESS;
    }
    if (c->size == 0) {
        *ret_contained = true;
        return TUT_SUCCESS;
    }
    tut_status s = tut_log_root_at(l->o->log, c->size, &root, &why);
    if (s.code == TUT_NOMEM)
        return tut_fail(l->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(s))
        tell(l, TUT_VOUCHED_WITNESSES, true, "%s: the tree of then cannot be computed: %s", name,
             why.text);
    else if (!tut_sha256_eq(&root, &c->root))
        tell(l, TUT_VOUCHED_WITNESSES, true,
             "split view: the first %llu entries here are not those that were cosigned (%s)", size,
             name);
    else
        *ret_contained = true;
    return TUT_SUCCESS;
}

static tut_status judge(looking *l, const tut_witness_file *file, uint64_t size)
{
    tut_witness_verdict verdict;
    tut_error why = {0};
    size_t count = 0;
    tut_status s = tut_witness_policy_check(l->o->policy, file->bytes, &verdict, &why);
    if (s.code == TUT_NOMEM)
        return tut_fail(l->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(s)) {
        tell(l, TUT_VOUCHED_WITNESSES, false, "%s: %s", file->name, why.text);
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < TUT_POLICY_WITNESSES_MAX; i++)
        count += verdict.cosigned[i] && verdict.times[i] <= l->o->until;
    if (count > l->best) {
        l->best = count;
        l->best_size = size;
    }
    if (verdict.has_time && verdict.at <= l->o->until)
        prove(&l->v.witnessed, size, verdict.at);
    return TUT_SUCCESS;
}

static tut_status look_at(void *ctx, const tut_witness_file *file, bool *ret_enough, tut_error *err)
{
    looking *l = ctx;
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c = {.size = 0};
    tut_error why = {0};
    bool is_contained = false;
    (void)err;
    tut_status s = {TUT_IO};
    if (!file->why)
        s = tut_note_parse(file->bytes, &note, &why);
    if (tut_is_ok(s))
        s = tut_checkpoint_parse(note.text, &c, &why);
    if (s.code == TUT_NOMEM)
        return tut_fail(l->err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(s) && (claimed_time(&note) > l->o->until || is_beyond(l, c.size)))
        return TUT_SUCCESS;
    l->v.cosigned++;
    l->from_history += tut_str_starts(tut_str_of(file->name), TUT_LIT(TUT_WITNESS_HISTORY "/"));
    *ret_enough = l->o->most && l->from_history >= l->o->most;
    if (!tut_is_ok(s)) {
        tell(l, TUT_VOUCHED_WITNESSES, true, "%s cannot be read: %s", file->name,
             file->why ? file->why : why.text);
        return TUT_SUCCESS;
    }
    if (c.size > l->v.cosigned_size)
        l->v.cosigned_size = c.size;
    TUT_TRY(compare(l, file->name, &c, &is_contained));
    if (l->o->policy && is_contained)
        TUT_TRY(judge(l, file, c.size));
    /* The larger come first, so that nothing behind this one proves more. */
    if (l->o->most && l->from_history && l->v.witnessed.is_there && c.size <= l->v.witnessed.size)
        *ret_enough = true;
    return TUT_SUCCESS;
}

static void conclude_witnesses(looking *l)
{
    const tut_policy_witness *witnesses;
    if (!l->o->policy || l->v.witnessed.is_there || l->has_doubt)
        return;
    unsigned long long size = l->best_size;
    size_t all = tut_witness_policy_witnesses(l->o->policy, &witnesses);
    if (l->v.cosigned == 0)
        tell(l, TUT_VOUCHED_WITNESSES, false,
             "the policy's quorum is not reached: no cosignature is kept; tutela ledger witness "
             "ask gets them");
    else if (l->best == 0)
        tell(l, TUT_VOUCHED_WITNESSES, false,
             "the policy's quorum is not reached: what is kept is by none of its %zu witnesses",
             all);
    else
        tell(l, TUT_VOUCHED_WITNESSES, false,
             "the policy's quorum is not reached: of its %zu witnesses %zu cosigned the first %llu "
             "entries",
             all, l->best, size);
}

/* ---- time-stamps ---- */

static void take_token(void *ctx, const tut_timestamp_kept *kept, bool *ret_enough)
{
    looking *l = ctx;
    if (kept->token.at > l->o->until || is_beyond(l, kept->size))
        return;
    l->v.stamped++;
    *ret_enough = l->o->most && l->v.stamped >= l->o->most;
    if (kept->size > l->v.stamped_size)
        l->v.stamped_size = kept->size;
    if (kept->why)
        tell(l, TUT_VOUCHED_TIMESTAMPS, kept->is_damage, "timestamps/%llu: %s",
             (unsigned long long)kept->size, kept->why);
    else if (kept->token.is_trusted)
        prove(&l->v.timestamped, kept->size, kept->token.at);
    if (l->o->most && l->v.timestamped.is_there)
        *ret_enough = true;
}

tut_status tut_vouched_look(const tut_vouched_options *options, tut_vouched *ret_vouched,
                            tut_error *err)
{
    looking l = {.o = options, .err = err};
    TUT_TRY(tut_witness_each_kept(options->beside, look_at, &l, err));
    conclude_witnesses(&l);
    TUT_TRY(tut_timestamp_each(options->beside, options->log, options->trust, take_token, &l, err));
    if (!l.v.is_damaged && l.v.witnessed.is_there) {
        l.v.trust = TUT_TRUST_WITNESSED;
        l.v.proven = l.v.witnessed;
    } else if (!l.v.is_damaged && l.v.timestamped.is_there) {
        l.v.trust = TUT_TRUST_TIMESTAMPED;
        l.v.proven = l.v.timestamped;
    }
    *ret_vouched = l.v;
    return TUT_SUCCESS;
}
