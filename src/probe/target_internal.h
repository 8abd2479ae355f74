/* What a driver of a target is. */
#ifndef TUT_PROBE_TARGET_INTERNAL_H
#define TUT_PROBE_TARGET_INTERNAL_H

#include "crypto/digest.h"
#include "probe/journal.h"
#include "probe/target.h"

typedef struct tut_target_driver {
    const char *kind;
    unsigned gives;   /* at most; what the target really gives is in its facts */
    bool needs_leave; /* it reaches over a network: loopback, declared, or authorised */
    bool keeps;       /* its answers are dear: they go into the journal; then `hear` is there */
    bool (*takes)(const char *place);
    /* Sets t->state and the facts that it knows already. */
    tut_status (*open)(tut_target *t, const tut_target_wish *wish, tut_error *err);
    void (*close)(tut_target *t);
    /* Either may be NULL: USAGE then. Both fill what the caller allocated. */
    tut_status (*predict)(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err);
    tut_status (*ask)(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret_said,
                      tut_error *err);
    /* A normal request as the service takes it: of a row, or a short greeting (row: NULL then). Of
     * TUT_GIVES_NETWORK alone. */
    tut_status (*compose)(const tut_target *t, const float *row, size_t width, tut_buf *ret_body,
                          tut_error *err);
    /* Reads an answer, of an earlier run too: said->status is set, the rest is empty. */
    tut_status (*hear)(tut_target *t, const tut_asked *asked, tut_span answer, tut_said *said,
                       tut_error *err);
} tut_target_driver;

struct tut_target {
    const tut_target_driver *driver;
    tut_target_facts facts;
    tut_allowance *allowance;
    void *state; /* the driver's own */
    tut_journal *journal;
    const tut_sha256 *keys; /* of what the driver is asked just now; NULL: nothing is kept */
};

/* --- what drivers call --- */
bool tut_target_is_loopback(const char *url);
/* The first answer says how many classes there are; room for all answers is made then. False where
 * another answer says otherwise (the problem is noted), or memory ran out. */
bool tut_target_fix_classes(tut_target *t, tut_predictions *p, size_t classes);
/* Of the first that was not answered. */
void tut_target_note(tut_predictions *p, const char *fmt, ...) TUT_PRINTF(2, 3);
/* What was asked as number i is settled: it goes into the journal. */
TUT_MUST tut_status tut_target_settled(const tut_target *t, const tut_predictions *p, size_t i,
                                       tut_error *err);
TUT_MUST tut_status tut_target_heard(const tut_target *t, const tut_said *said, size_t i,
                                     tut_error *err);
/* The texts of an answer: copies behind its end in the same buffer. Begin makes the room. */
TUT_MUST tut_status tut_said_begin(tut_said *s, tut_span answer, tut_error *err);
tut_str tut_said_keep(tut_said *s, tut_str text);

/* --- with the journal (target_kept.c) --- */
TUT_MUST tut_status tut_target_predict_kept(tut_target *t, const float *rows, size_t count,
                                            size_t width, uint64_t first, tut_predictions *ret,
                                            tut_error *err);
TUT_MUST tut_status tut_target_ask_kept(tut_target *t, const tut_asked *asked, size_t count,
                                        tut_said *ret_said, tut_error *err);

#endif
