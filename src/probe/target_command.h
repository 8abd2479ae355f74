/* The program behind a command target, for attacks that speak to it in lines of their own. */
#ifndef TUT_PROBE_TARGET_COMMAND_H
#define TUT_PROBE_TARGET_COMMAND_H

#include "base/json.h"
#include "probe/target.h"
#include "probe/target_command_child.h"

/* NULL: the target is none. words: what it is begun again with; borrowed, as the child is. Whoever
 * writes to it leaves nothing open behind. */
command_child *tut_target_command_child(const tut_target *t, char *const **ret_words,
                                        uint32_t *ret_timeout_ms);
/* A line with "takes": "rows", "texts", or a list of these: what the target gives is narrowed to
 * it. False: the line says nothing of the kind. */
bool tut_target_command_claims(tut_target *t, const tut_json_value *line);

#endif
