/*
 * Values that a model keeps in a file beside it: numbers without a header. Nothing in them says
 * what they are; the model does (scan/parts.c).
 */
#include "formats/format.h"

static tut_match sniff(const tut_sniff *s)
{
    (void)s;
    return TUT_MATCH_NONE;
}

extern const tut_format tut_format_values;

const tut_format tut_format_values = {
    .name = "model-values",
    .label = "values of a model beside it",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
};
