/* What the commands that change the people of a log share: who signs, does it count, append. */
#ifndef TUT_CMD_PEOPLE_ACT_H
#define TUT_CMD_PEOPLE_ACT_H

#include "base/arena.h"
#include "cmd/command.h"
#include "crypto/keystore.h"
#include "ledger/people_event.h"

extern const tut_command tut_cmd_people_list, tut_cmd_people_enrol, tut_cmd_people_rotate,
    tut_cmd_people_revoke;

/* Of commands that a person signs. */
#define TUT_SIGNER_OPTIONS                                                                         \
    {"--by", TUT_OPTION_VALUE, "NAME", "who signs; his key's owner is compared with it"},          \
        {"--signing-key", TUT_OPTION_VALUE, "KEY",                                                 \
         "FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},              \
    {                                                                                              \
        "--passphrase-file", TUT_OPTION_VALUE, "FILE",                                             \
            "passphrase or PIN of the signing key, in its first line"                              \
    }

typedef struct tut_people_act {
    const tut_args *args;
    tut_ledger *ledger;
    tut_records *records; /* the log as it stands, with its people */
    tut_keystore *keys;   /* of the log's origin, or NULL */
    tut_pubkey **public;  /* named by --key and --generate; owned */
    size_t public_count, public_capacity;
    tut_key *signer; /* NULL: nobody signs */
    tut_people_change change;
    tut_arena arena;
    uint64_t index; /* of the entry that was written, and when */
    tut_time at;
} tut_people_act;

/* The described system's log with its people; writable where `for_writing`. */
TUT_MUST tut_status tut_people_act_open(tut_people_act *a, const tut_args *args, bool for_writing,
                                        tut_error *err);
void tut_people_act_done(tut_people_act *a);
/* One more key that the change names; it belongs to the act then. */
TUT_MUST tut_status tut_people_act_name(tut_people_act *a, tut_pubkey *key, tut_error *err);
/* The new keys of the change: --key, and one that --generate makes. */
TUT_MUST tut_status tut_people_act_keys(tut_people_act *a, tut_error *err);
/* Opens the signer's key: --signing-key, else the key that was made for --by; and compares its
 * owner with --by. */
TUT_MUST tut_status tut_people_act_signer(tut_people_act *a, tut_error *err);
/* Finds out whether the change would count, then writes it. */
TUT_MUST tut_status tut_people_act_append(tut_people_act *a, tut_error *err);
/* "WHAT NAME ..., entry 12", or the same as JSON. Returns the exit status. */
int tut_people_act_tell(const tut_people_act *a, const char *what);
/* One word and its number from --from-index. */
TUT_MUST tut_status tut_people_act_from(tut_people_act *a, tut_error *err);
/* The person that the command names, who has to be enrolled; `after` of the change follows. */
TUT_MUST tut_status tut_people_act_person(tut_people_act *a, const tut_person **ret_person,
                                          tut_error *err);

/* "tool" and "log": no person is called so. */
bool tut_people_names_machine(const char *name);
/* `people rotate` for them. Returns the exit status. */
int tut_people_rotate_machine(const tut_args *args);
/* The passphrase of a key that is made: --new-passphrase-file; with neither that nor
 * --no-passphrase it is asked for on the terminal. Wipe it. */
TUT_MUST tut_status tut_people_new_passphrase(const tut_args *args, tut_buf *ret_passphrase,
                                              tut_error *err);

#endif
