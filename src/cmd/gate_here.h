/* The gates of the system at hand, and whoever acts at one. */
#ifndef TUT_CMD_GATE_HERE_H
#define TUT_CMD_GATE_HERE_H

#include "cmd/command.h"
#include "govern/gate.h"

extern const tut_command tut_cmd_gate_check, tut_cmd_gate_sign, tut_cmd_gate_override,
    tut_cmd_gate_examine, tut_cmd_gate_template;

typedef struct tut_gate_here {
    char *dir, *state;
    tut_gate_view *view;
    const char *by;      /* as the log has the name */
    tut_records *people; /* that own it */
    tut_key *key;
} tut_gate_here;

/* The gate (NULL: all) as it stands. USAGE outside a described system. */
TUT_MUST tut_status tut_gate_here_open(const tut_args *args, const char *name, tut_gate_here *h,
                                       tut_error *err);
/* The same once dir and state are known. */
TUT_MUST tut_status tut_gate_here_look(const tut_args *args, const char *name, tut_gate_here *h,
                                       tut_error *err);
/* Who --by is, with a key that counts. */
TUT_MUST tut_status tut_gate_here_signer(const tut_args *args, tut_gate_here *h, tut_error *err);
void tut_gate_here_done(tut_gate_here *h);

#endif
