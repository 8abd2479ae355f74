#include "pack/build_log.h"

#include "base/limits.h"
#include "ledger/entry.h"
#include "ledger/log_given.h"
#include "ledger/log_tile_name.h"
#include "ledger/people.h"
#include "ledger/proof.h"

/* --- reading --- */

static tut_status add_entry(void *ctx, uint64_t index, tut_span entry, tut_error *err)
{
    tut_buf *out = ctx;
    const uint8_t len[] = {(uint8_t)(entry.len >> 8), (uint8_t)entry.len};
    (void)index;
    tut_buf_add(out, len, sizeof(len));
    tut_buf_add(out, entry.data, entry.len);
    return tut_buf_check(out, err);
}

tut_status tut_pack_read_log(tut_ledger *ledger, const tut_ledger_source *source,
                             tut_pack_image *ret_image, tut_error *err)
{
    tut_log *log = NULL;
    TUT_CLEAN(tut_buf) bundles = TUT_BUF_INIT;
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log || tut_log_size(log) == 0)
        return tut_fail(err, TUT_USAGE, "nothing is recorded here yet; tutela assess begins");
    tut_buf_init(&bundles, TUT_LIMIT_PACK_ENTRIES_BYTES);
    TUT_TRY(tut_log_each(log, 0, tut_log_size(log), add_entry, &bundles, err));
    return tut_pack_image_open(ret_image, tut_ledger_log_origin(ledger), tut_buf_span(&bundles),
                               tut_log_size(log), tut_log_checkpoint(log), source, err);
}

static tut_status names_manifest(tut_log *log, uint64_t index, const tut_sha256 *manifest,
                                 bool *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    *ret = false;
    TUT_TRY(tut_log_entry(log, index, &bytes, err));
    TUT_TRY(tut_entry_parse(tut_buf_span(&bytes), &arena, &entry, err));
    *ret = entry.has_record && entry.record.type == TUT_RECORD_EVENT &&
           tut_str_eq_z(entry.head.kind, TUT_PACK_BUILT_EVENT) && entry.record.subject_count == 1 &&
           strcmp(entry.record.subjects[0].name, TUT_PACK_MANIFEST) == 0 &&
           tut_sha256_eq(&entry.record.subjects[0].digest, manifest);
    return TUT_SUCCESS;
}

tut_status tut_pack_find_built(tut_log *log, uint64_t first, const tut_sha256 *manifest,
                               uint64_t *ret_entry, bool *ret_is_there, tut_error *err)
{
    *ret_is_there = false;
    for (uint64_t i = first; i < tut_log_size(log) && !*ret_is_there; i++) {
        TUT_TRY(names_manifest(log, i, manifest, ret_is_there, err));
        *ret_entry = i;
    }
    return TUT_SUCCESS;
}

/* --- the key --- */

static tut_status take_person(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    TUT_TRY(tut_entry_parse(bytes, &arena, &entry, err));
    return tut_people_apply(ctx, index, &entry, NULL, err);
}

tut_status tut_pack_vkey(tut_log *log, const char *origin, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_people) people = NULL;
    TUT_CLEAN(tut_verifier) v = {.id = 0};
    const tut_person_key *key = NULL;
    TUT_TRY(tut_people_new(&people, err));
    TUT_TRY(tut_log_each(log, 0, tut_log_size(log), take_person, people, err));
    for (size_t i = 0; i < people->log.key_count; i++)
        if (people->log.keys[i].until > people->log.keys[i].from)
            key = &people->log.keys[i];
    if (!key)
        return tut_fail(err, TUT_STORE, "the log's entries name no key that signs it");
    TUT_TRY(tut_verifier_of(origin, TUT_NOTE_ED25519, key->key, &v, err));
    tut_verifier_write(&v, out);
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- its files --- */

typedef struct adding {
    tut_log *log;
    tut_draft *draft;
    tut_beside beside;
    const char *folder;
} adding;

static tut_status add_tile(void *ctx, int level, uint64_t n, unsigned width, tut_error *err)
{
    const adding *a = ctx;
    char name[TUT_PACK_NAME];
    tut_pack_tile_name(level, n, width, name);
    return tut_draft_add(a->draft, name, tut_log_given_tile(a->log, level, n, width), false, err);
}

static tut_status add_kept_file(const adding *a, const char *name, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO_FREE char *whole = tut_asprintf("log/%s", name);
    if (!whole)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(a->beside.read(a->beside.ctx, name, TUT_PROOF_BYTES_MAX, &bytes, err));
    return tut_draft_add(a->draft, whole, tut_buf_span(&bytes), false, err);
}

static bool ends_in(const char *name, const char *ending)
{
    return tut_str_ends(tut_str_of(name), tut_str_of(ending));
}

/* Requests for time-stamps that nobody answered yet say nothing. */
static tut_status is_wanted(const adding *a, const char *name, bool *ret, tut_error *err)
{
    *ret = tut_archive_is_name(tut_str_of(name));
    const char *dot = strrchr(name, '.');
    if (!*ret || strcmp(a->folder, "timestamps") != 0)
        return TUT_SUCCESS;
    *ret = dot && (ends_in(name, ".tsr") || ends_in(name, ".tsq") || ends_in(name, ".checkpoint"));
    if (!*ret)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *answer = tut_asprintf("timestamps/%.*s.tsr", (int)(dot - name), name);
    if (!answer)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return a->beside.has(a->beside.ctx, answer, ret, err);
}

static tut_status add_kept(void *ctx, const char *name, tut_error *err)
{
    const adding *a = ctx;
    bool wanted = false;
    TUT_TRY(is_wanted(a, name, &wanted, err));
    if (!wanted)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%s", a->folder, name);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return add_kept_file(a, path, err);
}

static tut_status add_all_kept(adding *a, tut_error *err)
{
    static const char *const folders[] = {"witness", "witnessed", "timestamps", "rotations"};
    static const char latest[] = "checkpoint.witnessed";
    bool has_latest = false;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        a->folder = folders[i];
        TUT_TRY(a->beside.each(a->beside.ctx, a->folder, add_kept, a, err));
    }
    TUT_TRY(a->beside.has(a->beside.ctx, latest, &has_latest, err));
    return has_latest ? add_kept_file(a, latest, err) : TUT_SUCCESS;
}

static tut_status add_evidence(const adding *a, uint64_t entry, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char name[TUT_PACK_NAME];
    tut_proof proof = {.number = entry, .checkpoint = tut_log_checkpoint(a->log)};
    TUT_TRY(tut_log_entry(a->log, entry, &bytes, err));
    tut_pack_evidence_name(entry, "json", name);
    TUT_TRY(tut_draft_add(a->draft, name, tut_buf_span(&bytes), false, err));
    TUT_TRY(tut_log_prove_inclusion(a->log, entry, tut_log_size(a->log), proof.hashes, &proof.count,
                                    err));
    tut_proof_write(&proof, &text);
    TUT_TRY(tut_buf_check(&text, err));
    tut_pack_evidence_name(entry, "tlog-proof", name);
    return tut_draft_add(a->draft, name, tut_buf_span(&text), false, err);
}

tut_status tut_pack_add_log(tut_log *log, const tut_assessment *a, tut_ledger *ledger,
                            tut_draft *draft, size_t *ret_evidence, tut_error *err)
{
    adding add = {.log = log, .draft = draft, .beside = tut_ledger_beside(ledger)};
    TUT_CLEAN(tut_buf) vkey = TUT_BUF_INIT;
    TUT_AUTO_FREE uint64_t *used = NULL;
    tut_str checkpoint = tut_log_checkpoint(log);
    TUT_TRY(tut_draft_add(draft, "log/checkpoint", tut_span_of(checkpoint.data, checkpoint.len),
                          false, err));
    TUT_TRY(tut_pack_vkey(log, tut_ledger_log_origin(ledger), &vkey, err));
    TUT_TRY(tut_draft_add(draft, "log/log.vkey", tut_buf_span(&vkey), false, err));
    TUT_TRY(tut_pack_tiles(tut_log_size(log), add_tile, &add, err));
    TUT_TRY(add_all_kept(&add, err));
    TUT_TRY(tut_pack_used(a, &used, ret_evidence, err));
    for (size_t i = 0; i < *ret_evidence; i++)
        TUT_TRY(add_evidence(&add, used[i], err));
    return TUT_SUCCESS;
}
