/* What the commands about threats share: the described system, its records, and its risks. */
#ifndef TUT_CMD_THREATS_ACT_H
#define TUT_CMD_THREATS_ACT_H

#include "cmd/command.h"
#include "govern/threat_step.h"

extern const tut_command tut_cmd_threats_explain, tut_cmd_threats_accept, tut_cmd_threats_review,
    tut_cmd_threats_permissions, tut_cmd_threats_notify, tut_cmd_threats_received,
    tut_cmd_threats_notices, tut_cmd_threats_import;

typedef struct tut_threats_act {
    const tut_args *args;
    char *dir, *state;
    tut_system *system;
    tut_ledger *ledger; /* open for reading; NULL: no state yet */
    tut_assessment *assessment;
    tut_threats *threats;
    tut_threat_sources from;
    tut_threat_reviews reviews;
    bool is_recorded; /* this very description was assessed */
    tut_buf shown;
} tut_threats_act;

/* dir: NULL for here. An excerpt of an error in a file is printed on stderr. */
TUT_MUST tut_status tut_threats_act_open(tut_threats_act *a, const tut_args *args, const char *dir,
                                         tut_error *err);
void tut_threats_act_done(tut_threats_act *a);
/* USAGE unless this very description was assessed: what is signed is about it. */
TUT_MUST tut_status tut_threats_act_recorded(const tut_threats_act *a, tut_error *err);
/* Records what the model comes to, as assess does where there is a threats: section. */
TUT_MUST tut_status tut_threats_act_record(tut_threats_act *a, tut_error *err);
/* The risk of this name; USAGE with the nearest one. */
TUT_MUST tut_status tut_threats_act_risk(const tut_threats_act *a, const char *id,
                                         const tut_risk **ret_risk, tut_error *err);
/* Who signs: --by with a key that counts for one of these roles. DENIED says why not. */
struct tut_key;
TUT_MUST tut_status tut_threats_act_signer(const tut_threats_act *a, uint32_t roles,
                                           const char *what, const char **ret_by,
                                           tut_records **ret_records, struct tut_key **ret_key,
                                           tut_error *err);
/* "Next     tutela threats explain RISK --system FILE": a line of a command that people copy, as it
 * finds this system from here. risk: NULL for none; rest: what follows it. Escaped. */
void tut_threats_act_command(const tut_threats_act *a, const char *label, const char *command,
                             const char *risk, const char *rest, tut_buf *out);
tut_style tut_risk_style(tut_risk_level level);
/* 1 for a risk that is open, 3 where too little is described, else 0. */
int tut_threats_act_exit(const tut_threats_act *a);

#endif
