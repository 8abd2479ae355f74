/* The rows of a request: inputs[0], checked against what the model takes. */
#ifndef SCORING_ROWS_H
#define SCORING_ROWS_H

#include "base/json.h"
#include "nets/net.h"

/* *ret_rows: count x width, the caller's to free. MALFORMED: where, and what is wanted. */
TUT_MUST tut_status scoring_rows(const tut_json_value *request, const tut_net_facts *facts,
                                 float **ret_rows, size_t *ret_count, tut_error *err);

#endif
