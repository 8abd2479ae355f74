/*
 * Completeness, bound into what the log key signs.
 *
 * For each (clause, subject) the rows (row.h) of the entries that name both form a hash chain:
 *   chain_0 = 32 zero bytes;  chain_n = SHA-256(01 || chain_{n-1} || row hash)
 * (clause is "" for entries that name none; a name that stands twice in an entry counts twice). The
 * heads (key, count, chain), sorted by key = SHA-256(00 || "tutela/heads/v1" NUL || u32be
 * len(clause) || clause || subject) are the leaves SHA-256(00 || key || u64be count || chain) of an
 * RFC 6962 tree, whose root is one extension line of every checkpoint of the evidence log: heads
 * <count> <base64 root> So a row of the index that was changed, added or left out shows without
 * rereading the log.
 *
 * Taking in an entry whose keys are known costs O(log n) hashes at the next line; a new key has the
 * tree built anew at the next line. One thread at a time.
 */
#ifndef TUT_LEDGER_HEADS_H
#define TUT_LEDGER_HEADS_H

#include "ledger/log.h"
#include "ledger/row.h"

#define TUT_HEADS_WORD "heads " /* how the extension line begins */

typedef struct tut_heads tut_heads;

/* path: the file that keeps the heads between runs; NULL: none. Nothing is read yet. */
TUT_MUST tut_status tut_heads_new(const char *path_or_null, tut_heads **ret_heads, tut_error *err);
void tut_heads_free(tut_heads *h);
TUT_DEFINE_AUTO(tut_heads)
/* A binder over these heads, for the log that they are of. */
tut_log_binder tut_heads_binder(tut_heads *h);
/* Loads the saved heads and compares them with a checkpoint's line; STORE when they differ. */
TUT_MUST tut_status tut_heads_load(tut_heads *h, uint64_t size, tut_str line, tut_error *err);
/* Through a temporary file; not waited for, as what does not match is rebuilt. */
TUT_MUST tut_status tut_heads_save(tut_heads *h, uint64_t size, tut_error *err);
void tut_heads_reset(tut_heads *h); /* as of no entries */
/* Takes in one row, or one entry of the evidence log, in the order of the log. LIMIT above
 * TUT_LIMIT_HEADS keys. After NOMEM or LIMIT the heads refuse everything until reset or loaded. */
TUT_MUST tut_status tut_heads_take(tut_heads *h, const tut_row *row, tut_error *err);
TUT_MUST tut_status tut_heads_add(tut_heads *h, uint64_t index, tut_span entry,
                                  const tut_sha256 *leaf, tut_error *err);
void tut_heads_key(tut_str clause, tut_str subject, tut_buf *scratch, tut_sha256 *ret_key);
/* false: no entry names both. */
bool tut_heads_get(const tut_heads *h, const tut_sha256 *key, uint64_t *ret_count,
                   tut_sha256 *ret_chain);
size_t tut_heads_count(const tut_heads *h);
/* In order of the keys, once a line was made. */
typedef void (*tut_heads_visit)(void *ctx, const tut_sha256 *key, uint64_t count,
                                const tut_sha256 *chain);
void tut_heads_each(const tut_heads *h, tut_heads_visit visit, void *ctx);
/* Appends the extension line, without LF. */
TUT_MUST tut_status tut_heads_line(tut_heads *h, tut_buf *out, tut_error *err);
/* The line of a checkpoint's text (or whole note); false when it has none. */
bool tut_heads_line_of(tut_str checkpoint, tut_str *ret_line);

#endif
