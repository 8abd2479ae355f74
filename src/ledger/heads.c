/* The heads in memory: a hash table of chains. The tree over them is heads_tree.c, the file that
 * keeps them heads_file.c. */
#include "ledger/heads.h"

#include <errno.h>
#include <sys/random.h>

#include "base/limits.h"
#include "crypto/dsse.h"
#include "ledger/entry.h"
#include "ledger/heads_internal.h"

enum { FIRST_SLOTS = 256 };

static const char domain[] = "tutela/heads/v1"; /* with its NUL */

void tut_heads_free(tut_heads *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < TUT_HEADS_LEVELS; i++)
        tut_free(h->levels[i].hashes);
    tut_buf_done(&h->scratch);
    tut_free(h->touched);
    tut_free(h->order);
    tut_free(h->slots);
    tut_free(h->items);
    tut_free(h->path);
    tut_free(h);
}

tut_status tut_heads_new(const char *path_or_null, tut_heads **ret_heads, tut_error *err)
{
    TUT_TRY(tut_merkle_start(err));
    TUT_AUTO(tut_heads) h = tut_alloc_array(1, sizeof(*h));
    if (!h)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (getrandom(&h->multiplier, sizeof(h->multiplier), 0) != (ssize_t)sizeof(h->multiplier))
        return tut_fail_errno(err, errno, "no random bytes");
    h->multiplier |= 1;
    if (path_or_null) {
        h->path = tut_strdup(path_or_null);
        if (!h->path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *ret_heads = tut_move(&h);
    return TUT_SUCCESS;
}

void tut_heads_reset(tut_heads *h)
{
    if (h->slot_count)
        memset(h->slots, 0, h->slot_count * sizeof(*h->slots));
    h->count = 0;
    h->placed = 0;
    h->touched_count = 0;
    for (size_t i = 0; i < TUT_HEADS_LEVELS; i++)
        h->levels[i].len = 0;
    h->is_broken = false;
}

/* --- the table --- */

static size_t slot_of(const tut_heads *h, const tut_sha256 *key)
{
    uint64_t word = 0;
    memcpy(&word, key->bytes, sizeof(word));
    return (size_t)((word * h->multiplier) >> 32) & (h->slot_count - 1);
}

static tut_status grow_table(tut_heads *h, tut_error *err)
{
    size_t slot_count = h->slot_count ? h->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = tut_alloc_array(slot_count, sizeof(*slots));
    if (!slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_free(h->slots);
    h->slots = slots;
    h->slot_count = slot_count;
    for (size_t i = 0; i < h->count; i++) {
        size_t at = slot_of(h, &h->items[i].key);
        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    return TUT_SUCCESS;
}

static tut_head *find(const tut_heads *h, const tut_sha256 *key, size_t *ret_free)
{
    size_t at = slot_of(h, key);
    while (h->slots[at]) {
        tut_head *head = &h->items[h->slots[at] - 1];
        if (tut_sha256_eq(&head->key, key))
            return head;
        at = (at + 1) & (h->slot_count - 1);
    }
    *ret_free = at;
    return NULL;
}

tut_status tut_heads_at(tut_heads *h, const tut_sha256 *key, tut_head **ret_head, tut_error *err)
{
    if (h->slot_count == 0 || h->count >= h->slot_count / 2)
        TUT_TRY(grow_table(h, err));
    size_t slot = 0;
    tut_head *head = find(h, key, &slot);
    if (!head) {
        if (h->count >= TUT_LIMIT_HEADS)
            return tut_fail(err, TUT_LIMIT,
                            "the log would name more than %u pairs of provision and subject",
                            TUT_LIMIT_HEADS);
        TUT_TRY(tut_grow(&h->items, h->count, &h->capacity, sizeof(*h->items)));
        head = &h->items[h->count];
        *head = (tut_head){.key = *key};
        h->slots[slot] = (uint32_t)++h->count;
    }
    *ret_head = head;
    return TUT_SUCCESS;
}

bool tut_heads_get(const tut_heads *h, const tut_sha256 *key, uint64_t *ret_count,
                   tut_sha256 *ret_chain)
{
    size_t slot;
    const tut_head *head = h->slot_count ? find(h, key, &slot) : NULL;
    if (!head)
        return false;
    *ret_count = head->count;
    *ret_chain = head->chain;
    return true;
}

size_t tut_heads_count(const tut_heads *h)
{
    return h->count;
}

/* --- taking in --- */

void tut_heads_key(tut_str clause, tut_str subject, tut_buf *scratch, tut_sha256 *ret_key)
{
    const uint8_t len[4] = {(uint8_t)(clause.len >> 24), (uint8_t)(clause.len >> 16),
                            (uint8_t)(clause.len >> 8), (uint8_t)clause.len};
    tut_buf_clear(scratch);
    tut_buf_add(scratch, domain, sizeof(domain));
    tut_buf_add(scratch, len, sizeof(len));
    tut_buf_add_str(scratch, clause);
    tut_buf_add_str(scratch, subject);
    tut_merkle_leaf(tut_buf_span(scratch), ret_key);
}

/* An item that has its place is put down as touched; others are placed by the next line. */
static tut_status touch(tut_heads *h, tut_head *head)
{
    if (head->is_touched || (size_t)(head - h->items) >= h->placed)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&h->touched, h->touched_count, &h->touched_capacity, sizeof(*h->touched)));
    h->touched[h->touched_count++] = (uint32_t)(head - h->items);
    head->is_touched = true;
    return TUT_SUCCESS;
}

static tut_status step(tut_heads *h, tut_str clause, tut_str subject, const tut_sha256 *row,
                       tut_error *err)
{
    tut_sha256 key;
    tut_head *head = NULL;
    tut_heads_key(clause, subject, &h->scratch, &key);
    TUT_TRY(tut_buf_check(&h->scratch, err));
    TUT_TRY(tut_heads_at(h, &key, &head, err));
    TUT_TRY(touch(h, head));
    tut_merkle_node(&head->chain, row, &head->chain);
    head->count++;
    return TUT_SUCCESS;
}

static tut_status take(tut_heads *h, const tut_row *row, tut_error *err)
{
    tut_sha256 hash;
    TUT_TRY(tut_row_hash(row, &h->scratch, &hash, err));
    for (size_t s = 0; s < row->subject_count; s++) {
        tut_str name = row->subjects[s].name;
        if (row->clause_count == 0)
            TUT_TRY(step(h, TUT_LIT(""), name, &hash, err));
        for (size_t c = 0; c < row->clause_count; c++)
            TUT_TRY(step(h, row->clauses[c], name, &hash, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_heads_take(tut_heads *h, const tut_row *row, tut_error *err)
{
    if (h->is_broken)
        return tut_fail(err, TUT_STORE,
                        "the heads are incomplete after a failure; open the log "
                        "again");
    tut_status status = take(h, row, err);
    h->is_broken = !tut_is_ok(status);
    return status;
}

static tut_status parse_row(tut_span bytes, uint64_t index, const tut_sha256 *leaf,
                            tut_arena *arena, tut_entry *entry, tut_row *ret_row, tut_error *err)
{
    tut_error why = {0};
    tut_status status = tut_entry_parse(bytes, arena, entry, &why);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "entry %llu: %s", (unsigned long long)index, why.text);
    return tut_row_of(entry, index, leaf, arena, ret_row, err);
}

tut_status tut_heads_add(tut_heads *h, uint64_t index, tut_span bytes, const tut_sha256 *leaf,
                         tut_error *err)
{
    tut_arena arena;
    tut_entry entry = {0};
    tut_row row;
    tut_arena_init(&arena, 0);
    tut_status status = parse_row(bytes, index, leaf, &arena, &entry, &row, err);
    if (tut_is_ok(status))
        status = tut_heads_take(h, &row, err);
    tut_entry_done(&entry);
    tut_arena_done(&arena);
    return status;
}

/* --- the line --- */

tut_status tut_heads_line(tut_heads *h, tut_buf *out, tut_error *err)
{
    tut_sha256 root;
    if (h->is_broken)
        return tut_fail(err, TUT_STORE,
                        "the heads are incomplete after a failure; open the log "
                        "again");
    TUT_TRY(tut_heads_root(h, &root, err));
    tut_buf_printf(out, TUT_HEADS_WORD "%zu ", h->count);
    tut_base64_add(out, tut_span_of(root.bytes, TUT_SHA256_BYTES));
    return tut_buf_check(out, err);
}

bool tut_heads_line_of(tut_str checkpoint, tut_str *ret_line)
{
    size_t at = 0;
    for (unsigned number = 0; at < checkpoint.len; number++) {
        const char *end = memchr(checkpoint.data + at, '\n', checkpoint.len - at);
        size_t len = end ? (size_t)(end - (checkpoint.data + at)) : checkpoint.len - at;
        tut_str line = {checkpoint.data + at, len};
        if (len == 0)
            return false; /* behind the text come signatures */
        if (number >= 3 && tut_str_starts(line, TUT_LIT(TUT_HEADS_WORD))) {
            *ret_line = line;
            return true;
        }
        at += len + 1;
    }
    return false;
}

/* --- as a binder --- */

static tut_status bind_load(void *ctx, uint64_t size, tut_str line, tut_error *err)
{
    return tut_heads_load(ctx, size, line, err);
}

static void bind_reset(void *ctx)
{
    tut_heads_reset(ctx);
}

static tut_status bind_extend(void *ctx, uint64_t first, const tut_span *entries,
                              const tut_sha256 *leaves, size_t count, tut_buf *line, tut_error *err)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(tut_heads_add(ctx, first + i, entries[i], &leaves[i], err));
    return tut_heads_line(ctx, line, err);
}

static tut_status bind_save(void *ctx, uint64_t size, tut_error *err)
{
    return tut_heads_save(ctx, size, err);
}

tut_log_binder tut_heads_binder(tut_heads *h)
{
    return (tut_log_binder){
        .load = bind_load, .reset = bind_reset, .extend = bind_extend, .save = bind_save, .ctx = h};
}
