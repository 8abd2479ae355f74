/* What the roster's own files share. */
#ifndef TUT_LEDGER_PEOPLE_INTERNAL_H
#define TUT_LEDGER_PEOPLE_INTERNAL_H

#include "base/arena.h"
#include "ledger/people_event.h"

/* Whose keys: a position in tut_people.items, or a machine. */
typedef size_t tut_holder;
#define TUT_HOLDER_TOOL (SIZE_MAX - 1)
#define TUT_HOLDER_LOG (SIZE_MAX - 2)
#define TUT_HOLDER_NONE SIZE_MAX

typedef struct tut_key_place {
    tut_holder holder;
    size_t position; /* among its keys */
} tut_key_place;

typedef enum tut_verdict { TUT_CHANGE_OPEN, TUT_CHANGE_STANDS, TUT_CHANGE_UNDONE } tut_verdict;

/* A change that counted where it stood. A later revocation that reaches back may undo it. */
typedef struct tut_counted {
    tut_people_kind kind;
    uint64_t index;
    tut_time at;
    tut_holder holder;
    tut_key_place signer; /* holder NONE: a genesis or a first root, which nobody signs for */
    size_t first_key, key_count;
    uint32_t roles;
    uint64_t from; /* the keys that it ends count no more from here on */
    const char *reason;
    bool reaches_back; /* from < index */
    tut_verdict verdict;
} tut_counted;

/* Of one holder, while changes are settled. */
typedef struct tut_holder_sweep {
    uint64_t cut, threat;            /* the least index of an end that stands, that may stand */
    tut_verdict enrolment;           /* of the last enrolment so far */
    bool is_revoked, may_be_revoked; /* since then */
} tut_holder_sweep;

typedef struct tut_people_owner {
    tut_arena arena; /* names and reasons */
    tut_counted *changes;
    size_t change_count, change_capacity;
    size_t compromise_count; /* changes that reach back */
    tut_key_place *slots;    /* by key id: open addressing, a power of two, at most half full */
    size_t slot_count, slots_used;
    tut_holder_sweep *sweeps; /* one a person */
    size_t sweep_capacity;
    tut_holder_sweep tool, log;
    char *problem; /* of the last event, when it is not in the list */
} tut_people_owner;

static inline tut_people_owner *tut_people_owned(const tut_people *p)
{
    return p->owner_;
}

tut_person *tut_holder_of(tut_people *p, tut_holder holder);
/* Where a key stands; holder NONE when it was never named. */
tut_key_place tut_key_find(const tut_people *p, const char *key_id);
/* Adds a copy of the key, not in force yet, to its holder. */
TUT_MUST tut_status tut_key_add(tut_people *p, tut_holder holder, const tut_pubkey *key,
                                uint64_t from, tut_error *err);
/* Takes the last `count` keys of a holder away again. */
void tut_key_drop(tut_people *p, tut_holder holder, size_t count);
static inline bool tut_key_counts(const tut_person_key *k, uint64_t index)
{
    return k->from <= index && index < k->until;
}

/* Makes every verdict, key, role and date what the changes say, from the first to the last. False:
 * some change is left open, for it would both stand and fall by its own word. */
bool tut_people_settle(tut_people *p);
/* The effect of the last change, which does not reach back, on a roster that is settled but for it.
 */
void tut_people_settle_last(tut_people *p);

/* One event under judgement. `problem` stays empty while nothing speaks against it. */
typedef struct tut_judging {
    tut_people *p;
    uint64_t index;
    tut_time at;
    const tut_people_change *c;
    tut_holder holder;    /* NONE: a new name */
    tut_key_place signer; /* holder NONE: nobody */
    tut_buf problem;
    tut_error *err;
} tut_judging;

/* Notes why the event changes nothing; always false, so that a check can end with it. */
bool tut_people_object(tut_judging *g, const char *fmt, ...) TUT_PRINTF(2, 3);
bool tut_people_objected(const tut_judging *g);
/* The rules. `origin` is what the event names. */
TUT_MUST tut_status tut_people_judge(tut_judging *g, tut_str origin);
/* Keeps the objection, if any, in the roster; frees what the judgement holds. */
TUT_MUST tut_status tut_people_finish(tut_judging *g, tut_status status, const char **ret_problem);

#endif
