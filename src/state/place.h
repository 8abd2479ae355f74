/* Where one log of a state lies, with what this user knows of it: key and anchor. */
#ifndef TUT_STATE_PLACE_H
#define TUT_STATE_PLACE_H

#include "crypto/keystore.h"
#include "ledger/log.h"
#include "ledger/rotation.h"

typedef struct tut_place {
    char *state;      /* directory */
    char *origin;     /* of the state */
    char *log_origin; /* of the log: ORIGIN/evidence */
    char *dir;
    char *anchor;       /* NULL without keys */
    tut_keystore *keys; /* NULL: not this user's */
    bool has_verifier;
    tut_verifier verifier; /* the log key's public half, as the log has it by now */
    tut_log_keys trusted;  /* from the user's own key, or the one that was given, to that; of the
                              evidence log, also in the place of the other one */
} tut_place;

/* log: "evidence" or "traffic". USAGE when nothing was ever recorded there; STORE when the state
 * does not name its origin. */
TUT_MUST tut_status tut_place_find(const char *state_dir, const char *log, tut_place *ret,
                                   tut_error *err);
void tut_place_done(tut_place *place);
/* Another key than the user's own vouches for the evidence log: it, or what it led to since. */
TUT_MUST tut_status tut_place_trust(tut_place *place, const tut_verifier *key, tut_error *err);
/* For reading, believing the key and the anchor where there are any. */
TUT_MUST tut_status tut_place_open(const tut_place *place, tut_log **ret_log, tut_error *err);

#endif
