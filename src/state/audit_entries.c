/* One pass over the entries: that they parse, give the heads that were signed, follow from a
 * genesis, and that no producer's numbers have gaps. */
#include "crypto/merkle.h"
#include "ledger/entry.h"
#include "ledger/heads.h"
#include "ledger/people_event.h"
#include "state/audit_internal.h"

typedef struct passing {
    tut_auditing *a;
    tut_heads *heads;
    tut_numbers numbers;
    size_t producers;
    tut_finding heads_wrong, genesis, sequence, kinds;
} passing;

static void passing_done(passing *p)
{
    tut_heads_free(p->heads);
    tut_numbers_done(&p->numbers);
    tut_finding_done(&p->heads_wrong);
    tut_finding_done(&p->genesis);
    tut_finding_done(&p->sequence);
    tut_finding_done(&p->kinds);
}

/* --- one entry --- */

/* What this log says of the other one. */
static tut_status note_traffic(tut_auditing *a, const tut_entry *entry, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint c;
    if (!tut_str_eq_z(entry->head.kind, "traffic.checkpoint") ||
        !tut_is_ok(
            tut_note_parse(tut_json_get_text(entry->predicate, "checkpoint"), &note, NULL)) ||
        !tut_is_ok(tut_checkpoint_parse(note.text, &c, NULL)) ||
        !tut_str_eq_z(c.origin, a->traffic.log_origin))
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&a->said, a->said_count, &a->said_capacity, sizeof(*a->said))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->said[a->said_count++] = (tut_said){.size = c.size, .root = c.root};
    return TUT_SUCCESS;
}

static tut_status take_parsed(passing *p, uint64_t index, tut_span bytes, const tut_entry *entry,
                              tut_arena *arena, tut_error *err)
{
    tut_sha256 leaf;
    tut_row row;
    tut_merkle_leaf(bytes, &leaf);
    TUT_TRY(tut_row_of(entry, index, &leaf, arena, &row, err));
    TUT_TRY(tut_heads_take(p->heads, &row, err));
    if (!tut_is_ok(tut_numbers_add(&p->numbers, index, &entry->head)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(note_traffic(p->a, entry, err));
    if (p->a->relevant && index < p->a->options->then_size)
        TUT_TRY(tut_relevant_take(p->a->relevant, &row, err));
    if (tut_people_kind_of(entry->head.kind) != TUT_PEOPLE_OTHER)
        TUT_TRY(tut_places_join(&p->a->own, &index, 1, err));
    return tut_people_apply(p->a->people, index, entry, NULL, err);
}

static tut_status take(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    passing *p = ctx;
    tut_arena arena;
    tut_entry entry = {0};
    tut_error why = {0};
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &entry, &why);
    if (tut_is_ok(status)) {
        status = take_parsed(p, index, bytes, &entry, &arena, err);
    } else if (status.code != TUT_NOMEM) {
        tut_finding_add(&p->kinds, "entry %llu: %s", (unsigned long long)index, why.text);
        status = TUT_SUCCESS;
    }
    tut_entry_done(&entry);
    tut_arena_done(&arena);
    return status;
}

/* --- what follows --- */

static tut_status judge_heads(passing *p)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_str signed_line;
    TUT_TRY(tut_heads_line(p->heads, &line, p->a->err));
    if (!tut_heads_line_of(tut_log_checkpoint(p->a->log), &signed_line))
        tut_finding_add(&p->heads_wrong, "the checkpoint carries none");
    else if (!tut_str_eq(tut_buf_str(&line), signed_line))
        tut_finding_add(&p->heads_wrong, "the entries do not give the heads that were signed");
    return TUT_SUCCESS;
}

static void judge_genesis(passing *p)
{
    const tut_auditing *a = p->a;
    const tut_people *people = a->people;
    if (!people->has_genesis) {
        tut_finding_add(&p->genesis, "entry 0 is no genesis of this log%s%s",
                        people->problem_count ? ": " : "",
                        people->problem_count ? people->problems[0] : "");
        return;
    }
    if (strcmp(people->origin, a->audit->origin) != 0)
        tut_finding_add(&p->genesis, "it is of another log: %s", people->origin);
}

static tut_status pass(passing *p)
{
    tut_auditing *a = p->a;
    tut_error why = {0};
    TUT_TRY(tut_heads_new(NULL, &p->heads, a->err));
    TUT_TRY(tut_people_new(&a->people, a->err));
    if (a->options->given_then)
        TUT_TRY(tut_relevant_new(a->options->then, &a->relevant, a->err));
    tut_status status = tut_log_each(a->log, 0, tut_log_size(a->log), take, p, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(a->err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        tut_finding_add(&p->heads_wrong, "not computed, as not every entry can be read");
        tut_finding_add(&p->sequence, "not counted to the end, as not every entry can be read");
    } else {
        TUT_TRY(judge_heads(p));
        if (a->relevant)
            TUT_TRY(tut_relevant_places(a->relevant, &a->decisive, a->err));
    }
    p->producers = tut_numbers_judge(&p->numbers, a->log, &p->sequence);
    judge_genesis(p);
    return TUT_SUCCESS;
}

tut_status tut_audit_entries(tut_auditing *a)
{
    __attribute__((cleanup(passing_done))) passing p = {.a = a};
    if (a->log) {
        TUT_TRY(pass(&p));
    } else {
        tut_finding_add(&p.genesis, "not looked at, as the log cannot be opened");
        tut_finding_add(&p.kinds, "not looked at, as the log cannot be opened");
        tut_finding_add(&p.heads_wrong, "not computed, as the log cannot be opened");
        tut_finding_add(&p.sequence, "not counted, as the log cannot be opened");
    }
    TUT_TRY(tut_audit_conclude(a, "genesis", &p.genesis,
                               "names this log and the first key that signs it"));
    TUT_TRY(tut_audit_conclude(a, "form", &p.kinds, "every entry is in its one form"));
    TUT_TRY(tut_audit_conclude(a, "heads", &p.heads_wrong,
                               "the entries give the %zu heads that were signed",
                               p.heads ? tut_heads_count(p.heads) : 0));
    return tut_audit_conclude(a, "sequence", &p.sequence, "no gaps in the numbers of %zu producers",
                              p.producers);
}
