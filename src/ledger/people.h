/*
 * Who may sign what: derived from the evidence log alone, by replaying its events up to an index.
 *
 * Genesis (entry 0, "ledger.genesis") names the origin, the log's and the tool's public keys, and
 * the roots of trust. Where genesis names no root, the first "people.root" event does, once.
 * "people.enrolled", "people.rotated" and "people.revoked" are DSSE envelopes signed by a person
 * who is a root (and not revoked) at that index; anything else of those kinds is ignored and
 * reported. "tool.rotated" and "log.rotated" likewise name new machine keys. A revocation names the
 * index from which on the key no longer counts (its own index by default; an earlier one after a
 * compromise).
 */
#ifndef TUT_LEDGER_PEOPLE_H
#define TUT_LEDGER_PEOPLE_H

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

typedef struct tut_person_key {
    tut_pubkey *key;
    uint64_t from;  /* index of the event that named it */
    uint64_t until; /* first index at which it no longer counts; UINT64_MAX: in force */
} tut_person_key;

typedef struct tut_person {
    const char *name; /* unique; the log's spelling */
    uint32_t roles;
    bool is_root;
    tut_person_key *keys; /* newest last */
    size_t key_count, key_capacity;
    uint64_t since;                   /* index of enrolment */
    tut_time enrolled_at, revoked_at; /* revoked_at 0: not */
    const char *reason;               /* of the revocation, or NULL */
} tut_person;

typedef struct tut_people {
    tut_person *items;
    size_t count, capacity;
    char *origin;
    tut_person_key *tool_keys, *log_keys;
    size_t tool_key_count, log_key_count, tool_key_capacity, log_key_capacity;
    bool has_genesis;
    char **problems; /* events of these kinds that were ignored, in words */
    size_t problem_count, problem_capacity;
    void *owner_;
} tut_people;

TUT_MUST tut_status tut_people_new(tut_people **ret_people, tut_error *err);
void tut_people_free(tut_people *p);
TUT_DEFINE_AUTO(tut_people)
struct tut_entry;
/* Takes in the entry at this index; entries of other kinds change nothing. In order of the log. */
TUT_MUST tut_status tut_people_apply(tut_people *p, uint64_t index, const struct tut_entry *entry,
                                     tut_error *err);
const tut_person *tut_people_find(const tut_people *p, tut_str name);
/* The person whose key this is (in force or not), or NULL. */
const tut_person *tut_people_by_key(const tut_people *p, const char *key_id);
bool tut_people_is_tool(const tut_people *p, const char *key_id, uint64_t index);

/* The one question that every signer, the evaluator, `verify --policy` and the guard ask: may the
 * holder of this key sign this act now? Answered from the log's records alone. */
typedef struct tut_act {
    uint32_t roles;     /* any of these (bit set); 0: any enrolled person */
    uint64_t index;     /* where the act stands, or the log's size for now */
    const char *author; /* name of the author of what is signed, or NULL */
    bool is_approval;   /* an author is never the only approver */
    size_t others;      /* other approvers that count already */
} tut_act;
/* *ret_why (static or in the people's memory) says why not; NULL when allowed. */
bool tut_people_may_sign(const tut_people *p, const char *key_id, const tut_act *act,
                         const tut_person **ret_person, const char **ret_why);

#endif
