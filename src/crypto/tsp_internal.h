/* Between tsp.c and tsp_trust.c. */
#ifndef TUT_CRYPTO_TSP_INTERNAL_H
#define TUT_CRYPTO_TSP_INTERNAL_H

#include "crypto/tsp.h"
#include "crypto/x509_internal.h"

struct tut_tsp_trust {
    STACK_OF(X509) * anchors;
    STACK_OF(X509) * others; /* the authority's own certificate and those between */
};

/* The signature of a granted response, its signer, and the chain as of token->at. */
TUT_MUST tut_status tut_tsp_check_signature(TS_RESP *resp, const tut_tsp_trust *trust,
                                            tut_tsp_token *token, tut_error *err);

#endif
