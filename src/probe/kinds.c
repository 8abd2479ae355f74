#include "probe/kinds.h"

static const tut_probe_about rows[TUT_PROBE_KINDS] = {
#define PROBE(symbol, name, threat, atlas, check, per_model, title)                                \
    [TUT_PROBE_##symbol] = {name, threat, atlas, check, per_model, title},
#include "probe/kinds.def"
#undef PROBE
};

const tut_probe_about *tut_probe_about_of(tut_probe_kind kind)
{
    return &rows[kind];
}

bool tut_probe_kind_parse(tut_str word, tut_probe_kind *ret_kind)
{
    for (unsigned i = 0; i < TUT_PROBE_KINDS; i++)
        if (tut_str_eq_z(word, rows[i].name)) {
            *ret_kind = (tut_probe_kind)i;
            return true;
        }
    return false;
}
