/* An earlier result of a probe: whatever it says, comparing ends, with numbers that make sense. */
#include <math.h>
#include <stdlib.h>

#include "probe/regress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void compare(const tut_regress_side *before, const tut_regress_side *after)
{
    tut_regress r;
    tut_regress_judge(before, after, false, &r);
    demand(r.why[0] != 0);
    if (r.verdict == TUT_REGRESS_UNKNOWN)
        return;
    demand(r.p >= 0 && r.p <= 1);
    demand(r.low <= r.change && r.change <= r.high);
    demand(!r.is_paired || r.lost + r.gained <= before->kept.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_regress_side before;
    if (!tut_is_ok(tut_json_parse(tut_span_of(data, size), NULL, &doc, NULL)) ||
        !tut_is_ok(tut_regress_read(tut_json_root(doc), "evasion", "square", &before, NULL)))
        return 0;
    tut_regress_side after = before;
    compare(&before, &after);
    after.value = 0.25;
    after.rows = 4;
    after.kept = TUT_LIT("1000");
    compare(&before, &after);
    compare(&after, &before);
    return 0;
}
