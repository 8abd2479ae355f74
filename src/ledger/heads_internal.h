/* What the files of the heads and their tests share. */
#ifndef TUT_LEDGER_HEADS_INTERNAL_H
#define TUT_LEDGER_HEADS_INTERNAL_H

#include "ledger/heads.h"

enum { TUT_HEADS_LEVELS = 24 }; /* of the tree over TUT_LIMIT_HEADS leaves */

typedef struct tut_head {
    tut_sha256 key;
    tut_sha256 chain;
    uint64_t count;
    uint32_t position; /* in the order of keys, once placed */
    bool is_touched;
} tut_head;

typedef struct tut_heads_level {
    tut_sha256 *hashes;
    size_t len, capacity;
} tut_heads_level;

struct tut_heads {
    char *path;
    tut_head *items; /* in the order in which they came */
    size_t count, capacity;
    uint32_t *slots; /* open addressing by key; item + 1, 0: free */
    size_t slot_count;
    uint64_t multiplier; /* secret, so that nobody can aim at a slot */
    uint32_t *order;     /* items sorted by key: the first `placed` of them */
    size_t placed, order_capacity;
    uint32_t *touched; /* items whose leaf is out of date, among the placed */
    size_t touched_count, touched_capacity;
    tut_heads_level levels[TUT_HEADS_LEVELS];
    tut_buf scratch;
    bool is_broken;
};

/* Finds or makes the head of this key. */
TUT_MUST tut_status tut_heads_at(tut_heads *h, const tut_sha256 *key, tut_head **ret_head,
                                 tut_error *err);
/* heads_tree.c: order and levels brought up to the items, and the root. */
TUT_MUST tut_status tut_heads_root(tut_heads *h, tut_sha256 *ret_root, tut_error *err);
/* heads_file.c: the file's form. Reads into heads that are empty. */
void tut_heads_write(const tut_heads *h, uint64_t size, tut_buf *out);
TUT_MUST tut_status tut_heads_read(tut_heads *h, tut_span bytes, uint64_t *ret_size,
                                   tut_error *err);

#endif
