/* Whose word is taken for the log is itself on record: a verdict about yesterday goes by those of
 * yesterday, and a witness that is exchanged shows. */
#include "assess/collect_internal.h"

static bool is_recorded(const tut_batch *b, const char *event, const tut_sha256 *digest)
{
    const tut_record *last = tut_latest_event(b->known, event);
    return last && tut_sha256_eq(&last->subjects[0].digest, digest);
}

tut_status tut_step_vouchers(tut_batch *b)
{
    for (size_t i = 0; i < TUT_VOUCHER_COUNT; i++) {
        tut_span bytes = tut_buf_span(&b->c->vouchers.bytes[i]);
        tut_sha256 digest;
        tut_record *r;
        if (bytes.len == 0)
            continue;
        TUT_TRY(tut_sha256_of(bytes, &digest, b->err));
        if (is_recorded(b, tut_voucher_events[i], &digest))
            continue;
        TUT_TRY(tut_batch_add(b, tut_voucher_subjects[i], &digest, &r));
        r->type = TUT_RECORD_EVENT;
        r->check = tut_voucher_events[i];
        r->statement = i == TUT_VOUCHER_WITNESSES
                           ? "These witnesses are believed about the log."
                           : "These time-stamp authorities are believed about the log.";
        TUT_TRY(tut_batch_body(b, r, bytes));
    }
    return TUT_SUCCESS;
}
