/*
 * Completeness, bound into what the log key signs.
 *
 * For each (clause, subject) the entries that name both form a hash chain:
 *   chain_0 = 32 zero bytes;  chain_n = SHA-256(chain_{n-1} || u64be index || leaf hash)
 * (clause is "" for entries that name none). The heads (key, count, chain), sorted by
 *   key = SHA-256("tutela/heads/v1" NUL || u32be len(clause) || clause || subject)
 * are the leaves (key || u64be count || chain) of an RFC 6962 tree, whose root is one extension
 * line of every checkpoint of the evidence log:
 *   heads <count> <base64 root>
 * So a row of the index that was changed, added or left out shows without rereading the log.
 */
#ifndef TUT_LEDGER_HEADS_H
#define TUT_LEDGER_HEADS_H

#include "ledger/log.h"

typedef struct tut_heads tut_heads;

TUT_MUST tut_status tut_heads_new(const char *path_or_null, tut_heads **ret_heads, tut_error *err);
void tut_heads_free(tut_heads *h);
TUT_DEFINE_AUTO(tut_heads)
/* A binder over these heads; the file at `path` keeps them between runs. */
tut_log_binder tut_heads_binder(tut_heads *h);
/* Loads the saved heads and compares them with a checkpoint's line; STORE when they differ. */
TUT_MUST tut_status tut_heads_load(tut_heads *h, uint64_t size, tut_str line, tut_error *err);
/* Takes in one entry of the evidence log. */
TUT_MUST tut_status tut_heads_add(tut_heads *h, uint64_t index, tut_span entry,
                                  const tut_sha256 *leaf, tut_error *err);
void tut_heads_key(tut_str clause, tut_str subject, tut_sha256 *ret_key);
/* chain = SHA-256(chain || index || leaf) */
void tut_heads_step(tut_sha256 *chain, uint64_t index, const tut_sha256 *leaf);
/* false: no entry names both. */
bool tut_heads_get(const tut_heads *h, const tut_sha256 *key, uint64_t *ret_count,
                   tut_sha256 *ret_chain);
size_t tut_heads_count(const tut_heads *h);
typedef void (*tut_heads_visit)(void *ctx, const tut_sha256 *key, uint64_t count,
                                const tut_sha256 *chain);
void tut_heads_each(const tut_heads *h, tut_heads_visit visit, void *ctx);
void tut_heads_line(const tut_heads *h, tut_buf *out); /* the extension line */

#endif
