/* What names, calls and writes mean: events for policy, and the value that a call yields as far as
 * it can be known without running anything. */
#ifndef TUT_FORMATS_PICKLE_CALL_H
#define TUT_FORMATS_PICKLE_CALL_H

#include "formats/pickle_machine.h"

/* Longest preview of arguments. */
enum { TUT_PREVIEW_MAX = 240 };

/* A module and a name were given (strings, or computed values): reports the import and yields the
 * global. Takes both references. */
tut_pval tut_pcall_import(tut_pmachine *m, tut_pval module, tut_pval name);
/* A callable is called: reports, and yields what comes back. Takes all references. */
TUT_MUST tut_status tut_pcall_call(tut_pmachine *m, tut_pval callable, tut_pval arguments,
                                   tut_pval *ret_result);
/* Items written into `target` (borrowed) by SETITEM(S), APPEND(S), ADDITEMS, or a state by BUILD.
 * Takes `items`. Reported only when the target was imported. */
TUT_MUST tut_status tut_pcall_write(tut_pmachine *m, tut_pval target, tut_pval items);
/* BUILD on `object` (borrowed); takes `state`. */
TUT_MUST tut_status tut_pcall_build(tut_pmachine *m, tut_pval object, tut_pval state);
/* Reports what a state plants in the object that gets it. */
void tut_pcall_look_at_state(tut_pmachine *m, tut_pval state);
/* A code of the extension registry, with the name that it stands for from now on. */
void tut_pcall_note_extension(tut_pmachine *m, tut_pval module, tut_pval name, tut_pval code);
/* Values that are certainly no callables: a loader that calls them fails. */
bool tut_pcannot_be_called(const tut_pmachine *m, tut_pval v);
/* The callable that made an object, or its class when a reconstructor was given one. */
tut_pval tut_pcall_class(const tut_pmachine *m, tut_pval object);

/* Names of a value that is called or written to. Borrowed; `scratch` may hold parts. */
typedef struct tut_pnames {
    tut_str module, name;
    bool is_resolved;
    char scratch[128];
} tut_pnames;
void tut_pcall_names(const tut_pmachine *m, tut_pval v, tut_pnames *ret);
void tut_pcall_report(tut_pmachine *m, tut_pickle_act act, tut_pval subject, tut_pval arguments);

/* pickle_fold.c: what the call yields when it is one of those that compute names and strings.
 * Borrows both; false: not known. */
bool tut_pfold(tut_pmachine *m, tut_pval callable, tut_pval arguments, tut_pval *ret_result);
/* pickle_attribute.c: getattr, import_module and their like, with constant names. */
bool tut_pattribute(tut_pmachine *m, tut_pval callable, tut_pval arguments, tut_pval *ret_result);
/* Whether the names are these, with the modules of Python 2 mapped. */
bool tut_pname_is(const tut_pnames *names, const char *module, const char *name);

/* pickle_preview.c: a value as people write it, cut at cap bytes; not escaped. */
size_t tut_ppreview(const tut_pmachine *m, tut_pval v, char *to, size_t cap);
/* Whether the value holds, three levels deep, anything but plain data. Too much to look at counts.
 */
bool tut_pholds_objects(const tut_pmachine *m, tut_pval v);

/* pickle_numpy.c: the state of a numpy.dtype, whether it holds together. */
void tut_pnumpy_built(tut_pmachine *m, tut_pval object, tut_pval state);
/* An array whose bytes were pushed just before is told as a tensor: by the state of an ndarray, or
 * by numpy's _frombuffer(bytes, dtype, shape, order), as protocol 5 has it. */
void tut_pnumpy_tell_state(tut_pmachine *m, tut_pval object, tut_pval state);
void tut_pnumpy_tell_buffer(tut_pmachine *m, const tut_pnames *names, tut_pval arguments);
/* joblib.c: after BUILD on a NumpyArrayWrapper the raw array follows in the stream. */
TUT_MUST tut_status tut_pjoblib_built(tut_pmachine *m, tut_pval object);
/* torch_legacy.c: notes ('storage', type, key, location, count, view). */
TUT_MUST tut_status tut_plegacy_note(tut_pmachine *m, tut_pval id);

#endif
