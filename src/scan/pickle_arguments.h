/* Names of which the arguments decide what they mean; internal to the policy on pickles. */
#ifndef TUT_SCAN_PICKLE_ARGUMENTS_H
#define TUT_SCAN_PICKLE_ARGUMENTS_H

#include "scan/pickle_policy.h"

/* A finding with a severity of its own. */
void tut_pickle_say(tut_pickle_verdict *v, const char *rule, tut_severity severity);

/* On the allow list, also by what Python 3 makes of a Python 2 name. */
bool tut_pickle_is_allowed_pair(tut_str module, tut_str name, uint8_t protocol);
/* Where a joined name is parted into module and name is not written there: any parting counts. */
bool tut_pickle_is_allowed_joined(tut_str joined, uint8_t protocol);

void tut_pickle_judge_partial(const tut_pickle_event *e, tut_pickle_verdict *v);
void tut_pickle_judge_nested_torch(const tut_pickle_event *e, tut_pickle_verdict *v);

/* What getattr(object, 'name') yields: something not known, or a method of a library's object, or
 * of what the allow list knows. */
typedef enum tut_pickle_bound {
    TUT_PICKLE_BOUND_NOT,
    TUT_PICKLE_BOUND_LIBRARY,
    TUT_PICKLE_BOUND_ALLOWED
} tut_pickle_bound;
/* Methods that touch files, or call what they are given: tofile, to_csv, write_text, eval ... */
bool tut_pickle_is_harmful_method(tut_str name);
/* What dill writes for methods of builtin types, constants and ranges, in exactly these forms. */
bool tut_pickle_is_dill_form(const tut_pickle_event *e, tut_str module, tut_str name);
bool tut_pickle_is_getattr(tut_str module, tut_str name);
tut_pickle_bound tut_pickle_bound_to(const tut_pickle_event *e);

bool tut_pickle_is_plain_iterator(const tut_pickle_event *e, tut_str module, tut_str name);
bool tut_pickle_is_held_only(const tut_pickle_event *e, tut_str module, tut_str name);
bool tut_pickle_is_plain_type(const tut_pickle_event *e, tut_str module, tut_str name);
bool tut_pickle_never_ends(const tut_pickle_event *e);
bool tut_pickle_is_idle_function(const tut_pickle_event *e, tut_str module, tut_str name);

#endif
