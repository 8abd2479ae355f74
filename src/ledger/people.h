/*
 * Who may sign what: derived from the evidence log alone, by replaying its events up to an index.
 *
 * Genesis (entry 0, "ledger.genesis") names the origin, the log's and the tool's public keys, and
 * the roots of trust. Where genesis names no root, the first "people.root" event does, once.
 * "people.enrolled", "people.rotated" and "people.revoked" are DSSE envelopes signed by a person
 * who is a root (and not revoked) at that index; a rotation may be signed by the person's own key
 * instead. "tool.rotated" and "log.rotated" name new machine keys and are signed by a root.
 * Anything else of those kinds changes nothing and is reported (`problems`). people_event.h has the
 * shapes.
 *
 * Each change names the index of the last change to the same person ("after"), so an envelope that
 * is appended again, or a second time by mistake, changes nothing.
 *
 * A revocation names the index from which on the keys no longer count: its own, or after a
 * compromise an earlier one. What a key signed about people from that index on is undone with it: a
 * thief's enrolments fall, a thief's revocations are lifted. What was ignored where it stood stays
 * ignored. A revocation that would leave no root is ignored, and so is one whose signer owes his
 * own place to what it undoes; so of two thieves' words the first that is valid where it stands
 * holds.
 *
 * A roster is built by one thread and may then be read by many.
 */
#ifndef TUT_LEDGER_PEOPLE_H
#define TUT_LEDGER_PEOPLE_H

#include "crypto/key.h"
#include "ledger/record.h"

/* Bit set; names in tut_person_roles. */
enum {
    TUT_PERSON_DEVELOPER = 1,
    TUT_PERSON_OPERATOR = 2,
    TUT_PERSON_CUSTODIAN = 4,
    TUT_PERSON_APPROVER = 8,
    TUT_PERSON_TRAINER = 16,
    TUT_PERSON_TESTER = 32, /* independent tester */
    TUT_PERSON_AUDITOR = 64,
    TUT_PERSON_ROOT = 128, /* may enrol, rotate, revoke */
    TUT_PERSON_ROLE_COUNT = 8
};
extern const char *const tut_person_roles[TUT_PERSON_ROLE_COUNT]; /* "developer", ... bit order */
/* 0 for a word that names no role. */
uint32_t tut_person_role(tut_str word);

enum {
    TUT_PERSON_NAME_MAX = 128, /* bytes of UTF-8 */
    TUT_PERSON_KEYS_MAX = 8,   /* that one event may name: a token, its spare, a file */
    TUT_PERSON_REASON_MAX = 1024
};
/* USAGE with the reason: empty, too long, not UTF-8, controls or marks that reorder text, blanks at
 * the ends, a slash or backslash, a leading dot or dash, or a word kept for the program ("tool").
 */
TUT_MUST tut_status tut_person_check_name(tut_str name, tut_error *err);

typedef struct tut_person_key {
    tut_pubkey *key;
    uint64_t from;          /* index of the event that named it */
    uint64_t until;         /* first index at which it no longer counts; UINT64_MAX: in force */
    uint32_t roles;         /* that it signs with: those of the person while it is in force */
    size_t named_by_;       /* position among the changes that counted */
    uint64_t cut_, threat_; /* while changes are settled: ends that stand, that may stand */
} tut_person_key;

typedef struct tut_person {
    const char *name;        /* unique, ASCII letters compared without case; the log's spelling */
    uint32_t roles;          /* by the last enrolment that stands */
    bool is_root, is_active; /* as of the last entry taken in; active: a key of it is in force */
    tut_person_key *keys;    /* newest last */
    size_t key_count, key_capacity;
    uint64_t since;                   /* index of the last enrolment that stands */
    uint64_t after;                   /* index of the last change, that the next one has to name */
    tut_time enrolled_at, revoked_at; /* revoked_at 0: not */
    const char *reason;               /* of the revocation, or NULL */
    uint64_t *events;                 /* indices of all changes that counted where they stood */
    size_t event_count, event_capacity;
} tut_person;

typedef struct tut_people {
    tut_person *items; /* moves when a person is added; index by position while applying */
    size_t count, capacity;
    char *origin;         /* NULL before the genesis */
    tut_person tool, log; /* machines: of these only keys, after and events say something */
    bool has_genesis;
    bool has_root;   /* a root was ever named: genesis, or people.root */
    char **problems; /* events of these kinds that changed nothing, in words; the first of them */
    size_t problem_count, problem_capacity;
    uint64_t problem_total; /* all of them */
    void *owner_;
} tut_people;

TUT_MUST tut_status tut_people_new(tut_people **ret_people, tut_error *err);
void tut_people_free(tut_people *p);
TUT_DEFINE_AUTO(tut_people)
struct tut_entry;
/* Takes in the entry at this index; entries of other kinds change nothing. In order of the log.
 * *ret_problem (may be NULL) is why an event about people changed nothing, in the people's memory
 * until the next call; NULL when it counted or is of another kind. LIMIT when there are more
 * changes than a roster holds. After any error the roster must not be used. */
TUT_MUST tut_status tut_people_apply(tut_people *p, uint64_t index, const struct tut_entry *entry,
                                     const char **ret_problem, tut_error *err);
/* By name (ASCII letters without case), or NULL. */
const tut_person *tut_people_find(const tut_people *p, tut_str name);
/* The person whose key this is (in force or not), or NULL; ret_key may be NULL. */
const tut_person *tut_people_by_key(const tut_people *p, const char *key_id,
                                    const tut_person_key **ret_key);
bool tut_people_is_tool(const tut_people *p, const char *key_id, uint64_t index);
bool tut_people_is_log(const tut_people *p, const char *key_id, uint64_t index);

/* Whether these people, by their roles, can stand for `demand[r]` people in each role r, nobody
 * counted for two. */
bool tut_people_fill(const uint32_t *roles, size_t people,
                     const uint32_t demand[TUT_PERSON_ROLE_COUNT]);

/* The one question that every signer, the evaluator, `verify --policy` and the guard ask: may the
 * holder of this key sign this act now? Answered from the log's records alone. */
typedef struct tut_act {
    uint32_t roles;     /* any of these (bit set); 0: any enrolled person */
    uint64_t index;     /* where the act stands, or the log's size for now */
    const char *author; /* name of the author of what is signed, or NULL */
    bool is_approval;   /* an author is never the only approver */
    size_t others;      /* other approvers that count already, the author not among them */
    /* What the act asks of training. NULL: nothing. Returns why the person lacks it (static), or
     * NULL. Filled by the module that keeps training records. */
    const char *(*lacks_training)(const void *training, const tut_person *person, uint64_t index);
    const void *training;
} tut_act;
/* *ret_why (static) says why not; NULL when allowed. *ret_person: whose key it is, also when the
 * answer is no; NULL for a stranger's. Either may be NULL. */
bool tut_people_may_sign(const tut_people *p, const char *key_id, const tut_act *act,
                         const tut_person **ret_person, const char **ret_why);

#endif
