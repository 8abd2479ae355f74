/*
 * A receipt for a pack: what the operator who was handed the findings of tests signs (5.2.5-3).
 *
 * A DSSE envelope with one signature around an in-toto Statement whose subject is pack.json:
 *
 *   {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:tutela:pack-receipt:1",
 *    "subject": [{"name": "pack.json", "digest": {"sha256"}}],
 *    "predicate": {"received_at": TIME, "by": NAME, "evaluated_at": TIME,
 *                  "log": {"origin", "size"},                  of the checkpoint in the pack
 *                  "findings": [{"entry": N, "check", "subject", "digest": {"sha256"},
 *                                "result", "expires": TIME}...]}}      ascending by entry
 *
 * Both are canonical JSON (RFC 8785), the file ends with LF, and a reader accepts only that:
 * nothing that was signed is passed over, and a receipt is one file and no other.
 */
#ifndef TUT_PACK_RECEIPT_H
#define TUT_PACK_RECEIPT_H

#include "base/arena.h"
#include "crypto/dsse.h"
#include "pack/verify.h"

#define TUT_RECEIPT_PREDICATE "urn:tutela:pack-receipt:1"

typedef struct tut_receipt { /* text is borrowed, or the arena's of what was read */
    tut_sha256 manifest;     /* of pack.json */
    tut_time received_at, evaluated_at;
    tut_str by;
    tut_str origin;
    uint64_t log_size;
    const tut_pack_finding *findings;
    size_t finding_count;
} tut_receipt;

/* USAGE when it says what no reader takes; nothing is written then. */
TUT_MUST tut_status tut_receipt_write(const tut_receipt *r, const tut_key *key, tut_buf *out,
                                      tut_error *err);

typedef struct tut_receipt_file {
    tut_receipt says;
    tut_str key_id; /* of whoever is said to have signed it */
    tut_json_doc *doc;
    tut_dsse envelope;
    tut_arena arena;
} tut_receipt_file;

/* UNSUPPORTED for what is no receipt, MALFORMED with the reason, LIMIT. The signature is not looked
 * at. `ret` is done with by the caller also after a failure. */
TUT_MUST tut_status tut_receipt_parse(tut_span text, tut_receipt_file *ret, tut_error *err);
/* CRYPTO unless this key signed it. */
TUT_MUST tut_status tut_receipt_verify(const tut_receipt_file *f, const tut_pubkey *key,
                                       tut_error *err);
void tut_receipt_file_done(tut_receipt_file *f);

/* The array "findings", here and in what verifying a pack comes to (tutela.pack/1). */
void tut_pack_findings_json(const tut_pack_finding *findings, size_t count, tut_json *j);
/* MALFORMED, LIMIT. Text goes to the arena. */
TUT_MUST tut_status tut_pack_findings_read(const tut_json_value *list, tut_arena *arena,
                                           const tut_pack_finding **ret_findings, size_t *ret_count,
                                           tut_error *err);

#endif
