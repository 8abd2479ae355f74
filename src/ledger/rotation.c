#include "ledger/rotation.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/base64.h"
#include "ledger/entry.h"
#include "ledger/people_event.h"
#include "ledger/proof.h"

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- one file --- */

void tut_rotation_done(tut_rotation *r)
{
    tut_buf_done(&r->entry);
    tut_verifier_done(&r->next);
    *r = (tut_rotation){0};
}

/* Of the keys that the entry names, the one that signed the checkpoint. */
static tut_status find_next(const tut_people_change *change, const tut_verifier *before,
                            const tut_note *note, tut_verifier *ret, tut_error *err)
{
    for (size_t i = 0; i < change->key_count; i++) {
        TUT_CLEAN(tut_verifier) v = {.id = 0};
        tut_status status = tut_verifier_of(before->name, TUT_NOTE_ED25519, change->keys[i], &v,
                                            NULL);
        if (tut_is_ok(status))
            status = tut_note_verify(note, &v, 1, 1, NULL, NULL, NULL);
        if (status.code == TUT_NOMEM)
            return no_memory(err);
        if (!tut_is_ok(status))
            continue;
        *ret = v;
        v = (tut_verifier){.id = 0};
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_CRYPTO, "no key that its entry names has signed the checkpoint");
}

static tut_status read_entry(const tut_rotation *r, const tut_verifier *before,
                             const tut_note *note, tut_verifier *ret, tut_error *err)
{
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    TUT_CLEAN(tut_people_read) change = {0};
    TUT_TRY(tut_entry_parse(tut_buf_span(&r->entry), &arena, &entry, err));
    if (!tut_str_eq_z(entry.head.kind, TUT_ROTATED_KIND) || !entry.has_record)
        return tut_fail(err, TUT_MALFORMED, "its entry names no key of the log");
    if (strcmp(entry.record.origin, before->name) != 0)
        return tut_fail(err, TUT_MALFORMED, "its entry was made for another log");
    TUT_TRY(tut_people_change_read(TUT_PEOPLE_LOG_ROTATED, entry.predicate, &arena, &change, err));
    return find_next(&change.change, before, note, ret, err);
}

static tut_status read_rotation(tut_str bytes, const tut_verifier *before, tut_rotation *r,
                                tut_error *err)
{
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    tut_proof proof;
    tut_checkpoint text;
    TUT_TRY(tut_proof_parse(bytes, &proof, err));
    tut_status status = tut_base64_read(proof.extra, false, &r->entry);
    if (status.code == TUT_NOMEM)
        return no_memory(err);
    if (!tut_is_ok(status) || r->entry.len > TUT_LOG_ENTRY_MAX)
        return tut_fail(err, TUT_MALFORMED, "it does not hold its entry");
    TUT_TRY(tut_proof_check(&proof, tut_buf_span(&r->entry), before, 1, &text, err));
    if (!tut_str_eq_z(text.origin, before->name) || proof.number + 1 != text.size)
        return tut_fail(err, TUT_STORE, "its checkpoint does not end with its entry");
    r->size = text.size;
    TUT_TRY(tut_note_parse(proof.checkpoint, &note, err));
    return read_entry(r, before, &note, &r->next, err);
}

tut_status tut_rotation_read(tut_str bytes, const tut_verifier *before, tut_rotation *ret,
                             tut_error *err)
{
    tut_rotation r = {.size = 0};
    tut_status status = read_rotation(bytes, before, &r, err);
    if (!tut_is_ok(status)) {
        tut_rotation_done(&r);
        return status;
    }
    *ret = r;
    return TUT_SUCCESS;
}

/* --- all of them --- */

typedef struct sizes {
    uint64_t *items;
    size_t count, capacity;
} sizes;

static void sizes_done(sizes *s)
{
    tut_free(s->items);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Names are sizes without leading zeros; others are nobody's. */
static bool is_size(const char *name, uint64_t *ret)
{
    return name[0] >= '1' && name[0] <= '9' && tut_str_u64(tut_str_of(name), ret);
}

static tut_status take_name(void *ctx, const char *name, tut_error *err)
{
    sizes *s = ctx;
    uint64_t size;
    if (!is_size(name, &size))
        return TUT_SUCCESS;
    if (s->count == TUT_LIMIT_LOG_ROTATIONS)
        return tut_fail(err, TUT_LIMIT, "more than %u rotations of one log",
                        TUT_LIMIT_LOG_ROTATIONS);
    if (!tut_is_ok(tut_grow(&s->items, s->count, &s->capacity, sizeof(*s->items))))
        return no_memory(err);
    s->items[s->count++] = size;
    return TUT_SUCCESS;
}

/* None where the directory is not there: most logs never change their key. */
static tut_status list(const tut_beside *beside, sizes *s, tut_error *err)
{
    TUT_TRY(beside->each(beside->ctx, TUT_ROTATIONS_DIR, take_name, s, err));
    if (s->count > 1)
        qsort(s->items, s->count, sizeof(*s->items), by_size);
    return TUT_SUCCESS;
}

static tut_status path_of(const char *dir, uint64_t size, char **ret, tut_error *err)
{
    *ret = tut_asprintf("%s/" TUT_ROTATIONS_DIR "/%" PRIu64, dir, size);
    return *ret ? TUT_SUCCESS : no_memory(err);
}

static tut_status add_key(tut_log_keys *keys, const tut_verifier *v, uint64_t from, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&keys->items, keys->count, &keys->capacity, sizeof(*keys->items))))
        return no_memory(err);
    tut_log_key *k = &keys->items[keys->count];
    *k = (tut_log_key){.from = from};
    TUT_TRY(tut_verifier_of(v->name, v->algorithm, v->key, &k->verifier, err));
    keys->count++;
    return TUT_SUCCESS;
}

/* A file that names the key we come from says since when it signs. */
static tut_status step(const tut_beside *beside, uint64_t size, tut_log_keys *keys, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_asprintf(TUT_ROTATIONS_DIR "/%" PRIu64, size);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_rotation) r = {.size = 0};
    tut_log_key *head = &keys->items[keys->count - 1];
    if (!name)
        return no_memory(err);
    tut_status status = beside->read(beside->ctx, name, TUT_PROOF_BYTES_MAX, &bytes, NULL);
    if (tut_is_ok(status))
        status = tut_rotation_read(tut_buf_str(&bytes), &head->verifier, &r, NULL);
    if (status.code == TUT_NOMEM)
        return no_memory(err);
    if (!tut_is_ok(status) || r.size != size)
        return TUT_SUCCESS;
    if (!tut_pubkey_eq(r.next.key, head->verifier.key))
        return add_key(keys, &r.next, size, err);
    if (keys->count == 1)
        head->from = size;
    return TUT_SUCCESS;
}

static tut_status follow(const tut_beside *beside, const tut_verifier *trusted, tut_log_keys *keys,
                         tut_error *err)
{
    __attribute__((cleanup(sizes_done))) sizes all = {.items = NULL};
    TUT_TRY(add_key(keys, trusted, 0, err));
    TUT_TRY(list(beside, &all, err));
    if (all.count > 0)
        TUT_TRY(tut_merkle_start(err));
    for (size_t i = 0; i < all.count; i++)
        TUT_TRY(step(beside, all.items[i], keys, err));
    return TUT_SUCCESS;
}

tut_status tut_log_keys_follow(const tut_beside *beside, const tut_verifier *trusted,
                               tut_log_keys *ret, tut_error *err)
{
    tut_log_keys keys = {.items = NULL};
    tut_status status = follow(beside, trusted, &keys, err);
    if (!tut_is_ok(status)) {
        tut_log_keys_done(&keys);
        return status;
    }
    *ret = keys;
    return TUT_SUCCESS;
}

void tut_log_keys_done(tut_log_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        tut_verifier_done(&keys->items[i].verifier);
    tut_free(keys->items);
    *keys = (tut_log_keys){.items = NULL};
}

const tut_verifier *tut_log_keys_last(const tut_log_keys *keys)
{
    return &keys->items[keys->count - 1].verifier;
}

const tut_verifier *tut_log_keys_at(const tut_log_keys *keys, uint64_t size)
{
    size_t i = keys->count - 1;
    while (i > 0 && keys->items[i].from > size)
        i--;
    return &keys->items[i].verifier;
}

/* --- keeping --- */

tut_status tut_rotation_keep(tut_log *log, const char *dir, tut_error *err)
{
    TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *parent = tut_fs_join(dir, TUT_ROTATIONS_DIR);
    uint64_t size = tut_log_size(log);
    tut_proof proof = {.number = size - 1, .checkpoint = tut_log_checkpoint(log)};
    if (!parent)
        return no_memory(err);
    if (size == 0)
        return tut_fail(err, TUT_BUG, "an empty log has no key to rotate");
    TUT_TRY(tut_log_entry(log, size - 1, &entry, err));
    TUT_TRY(tut_log_prove_inclusion(log, size - 1, size, proof.hashes, &proof.count, err));
    tut_base64_add(&text, tut_buf_span(&entry));
    TUT_TRY(tut_buf_check(&text, err));
    proof.extra = tut_buf_str(&text);
    tut_proof_write(&proof, &out);
    TUT_TRY(tut_buf_check(&out, err));
    TUT_TRY(path_of(dir, size, &path, err));
    TUT_TRY(tut_fs_mkdirs(parent, 0755, err));
    return tut_fs_write(path, tut_buf_span(&out), 0644, err);
}

tut_status tut_rotation_is_last(tut_log *log, const char *origin, const tut_pubkey *key,
                                bool *ret_is, tut_error *err)
{
    TUT_CLEAN(tut_rotation) r = {.size = tut_log_size(log)};
    TUT_CLEAN(tut_verifier) v = {.id = 0};
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    *ret_is = false;
    if (r.size == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_verifier_of(origin, TUT_NOTE_ED25519, key, &v, err));
    TUT_TRY(tut_log_entry(log, r.size - 1, &r.entry, err));
    TUT_TRY(tut_note_parse(tut_log_checkpoint(log), &note, err));
    tut_status status = read_entry(&r, &v, &note, &r.next, NULL);
    if (status.code == TUT_NOMEM)
        return no_memory(err);
    *ret_is = tut_is_ok(status) && tut_pubkey_eq(r.next.key, key);
    return TUT_SUCCESS;
}

static tut_status copy_one(const char *from, const char *to, uint64_t size, tut_error *err)
{
    TUT_AUTO_FREE char *source = NULL;
    TUT_AUTO_FREE char *target = NULL;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(path_of(from, size, &source, err));
    TUT_TRY(path_of(to, size, &target, err));
    if (tut_fs_exists(target))
        return TUT_SUCCESS;
    TUT_TRY(tut_fs_read(source, TUT_PROOF_BYTES_MAX, &bytes, err));
    return tut_fs_write(target, tut_buf_span(&bytes), 0644, err);
}

tut_status tut_rotations_copy(const char *from, const char *to, tut_error *err)
{
    tut_beside beside = tut_beside_dir(from);
    __attribute__((cleanup(sizes_done))) sizes all = {.items = NULL};
    TUT_TRY(list(&beside, &all, err));
    if (all.count == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *parent = tut_fs_join(to, TUT_ROTATIONS_DIR);
    if (!parent)
        return no_memory(err);
    TUT_TRY(tut_fs_mkdirs(parent, 0755, err));
    for (size_t i = 0; i < all.count; i++)
        TUT_TRY(copy_one(from, to, all.items[i], err));
    return TUT_SUCCESS;
}
