/*
 * The shape of events about people and machine keys: what the predicate of a Statement holds beside
 * the keys that every event has. This file alone knows it, for writing and for reading.
 *
 *   ledger.genesis      "genesis": {"log": [PEM], "tool": [PEM], "roots": [PERSON, ...]}
 *   people.root         "person":  {"name", "roles", "keys"}
 *   people.enrolled     "person":  {"name", "roles", "keys", "after"?}
 *   people.rotated      "person":  {"name", "keys", "after", "reason"?, "from_index"?}
 *   people.revoked      "person":  {"name", "after", "reason", "from_index"?}
 *   tool.rotated,       "machine": {"keys", "after", "reason"?, "from_index"?}
 *   log.rotated
 *
 * keys: SPKI in PEM, 1 to TUT_PERSON_KEYS_MAX. roles: words of tut_person_roles. after: index of
 * the last change to the same person or machine (absent: the name is new). from_index: the index
 * from which on the keys that were in force no longer count (absent: that of the event). An unknown
 * key is refused: it might narrow what somebody signed.
 */
#ifndef TUT_LEDGER_PEOPLE_EVENT_H
#define TUT_LEDGER_PEOPLE_EVENT_H

#include "base/arena.h"
#include "base/json.h"
#include "ledger/people.h"

#define TUT_PEOPLE_EVENTS(X)                                                                       \
    X(GENESIS, "ledger.genesis")                                                                   \
    X(ROOT, "people.root")                                                                         \
    X(ENROLLED, "people.enrolled")                                                                 \
    X(ROTATED, "people.rotated")                                                                   \
    X(REVOKED, "people.revoked")                                                                   \
    X(TOOL_ROTATED, "tool.rotated")                                                                \
    X(LOG_ROTATED, "log.rotated")

typedef enum tut_people_kind {
#define TUT_PEOPLE_ENUM(name, word) TUT_PEOPLE_##name,
    TUT_PEOPLE_EVENTS(TUT_PEOPLE_ENUM)
#undef TUT_PEOPLE_ENUM
        TUT_PEOPLE_OTHER
} tut_people_kind;

const char *tut_people_kind_name(tut_people_kind kind);
tut_people_kind tut_people_kind_of(tut_str word);

typedef struct tut_people_change {
    tut_people_kind kind;
    tut_str name;   /* empty for machines and the genesis */
    uint32_t roles; /* TUT_PERSON_ROOT among them makes a root */
    const tut_pubkey *keys[TUT_PERSON_KEYS_MAX];
    size_t key_count;
    bool has_after, has_from;
    uint64_t after, from;
    tut_str reason;
    /* genesis only: keys are the tool's; these the log's, and the roots */
    const tut_pubkey *log_keys[TUT_PERSON_KEYS_MAX];
    size_t log_key_count;
    const struct tut_people_change *roots;
    size_t root_count;
} tut_people_change;

/* What was read: as a change, with its keys owned. */
typedef struct tut_people_read {
    tut_people_change change;
    tut_pubkey **owned;
    size_t owned_count, owned_capacity;
} tut_people_read;

/* Reads the predicate of an event of this kind; text borrows from it. MALFORMED with the reason.
 * tut_people_read_done frees. */
TUT_MUST tut_status tut_people_change_read(tut_people_kind kind, const tut_json_value *predicate,
                                           tut_arena *arena, tut_people_read *ret, tut_error *err);
void tut_people_read_done(tut_people_read *r);

/* Fills kind, subjects, sentence and data of the record of a change; time, actor, origin and the
 * tool's digests are the caller's. A revocation's keys are those that it ends: they are its
 * subjects. Text goes to the arena. USAGE when it could not be read back. */
TUT_MUST tut_status tut_people_record(const tut_people_change *change, tut_arena *arena,
                                      tut_record *record, tut_error *err);

/* Takes in a change as if it stood at this index, signed by this key (NULL: by nobody): what
 * tut_people_apply does after reading the entry and verifying its signature. So a command finds out
 * whether a change would count before anything is signed or written. */
TUT_MUST tut_status tut_people_admit(tut_people *p, uint64_t index, tut_time at,
                                     const tut_people_change *change, const char *signer_id,
                                     const char **ret_problem, tut_error *err);

#endif
