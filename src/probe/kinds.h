/* What can be probed: one row of kinds.def each. */
#ifndef TUT_PROBE_KINDS_H
#define TUT_PROBE_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

typedef enum tut_probe_kind {
#define PROBE(symbol, name, threat, atlas, check, per_model, title) TUT_PROBE_##symbol,
#include "probe/kinds.def"
#undef PROBE
    TUT_PROBE_KINDS
} tut_probe_kind;

typedef struct tut_probe_about {
    const char *name, *threat, *atlas; /* atlas: words */
    const char *check;                 /* NULL: it is no evidence by itself */
    bool is_per_model;
    const char *title;
} tut_probe_about;

const tut_probe_about *tut_probe_about_of(tut_probe_kind kind);
bool tut_probe_kind_parse(tut_str word, tut_probe_kind *ret_kind);

#endif
