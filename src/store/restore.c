#include "store/restore.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "state/records.h"
#include "store/swap.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void tut_restored_done(tut_restored *r)
{
    tut_free(r->asset);
    tut_free(r->tag);
    tut_free(r->place);
    tut_free(r->kept);
    tut_free(r->person);
    tut_free(r->doubt);
    *r = (tut_restored){0};
}

/* --- what all share --- */

tut_status tut_restore_description(tut_ledger *ledger, tut_buf *out, tut_sha256 *ret_digest,
                                   tut_time *ret_at, tut_error *err)
{
    const tut_index_query query = {.kind = "system.changed", .from = INT64_MIN, .to = INT64_MAX};
    tut_places places = {0};
    TUT_AUTO(tut_records) records = NULL;
    tut_status status = tut_state_search(ledger, &query, &places, NULL, err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ledger, places.items, places.count, &records, err);
    tut_places_done(&places);
    TUT_TRY(status);
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (strcmp(r->check, "system.changed") != 0 || !r->has_body || r->doubt ||
            r->subject_count == 0)
            continue;
        TUT_TRY(tut_ledger_get_body(ledger, &r->body, out, err));
        *ret_digest = r->subjects[0].digest;
        *ret_at = r->at;
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_USAGE, "no tutela.yaml was ever recorded here; tutela assess does");
}

static tut_status recall_system(const char *dir, tut_restoring *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_time at;
    TUT_TRY(tut_restore_description(r->ledger, &text, &digest, &at, err));
    TUT_TRY(tut_system_parse(dir, "tutela.yaml", tut_buf_str(&text), &r->recorded, NULL, err));
    r->system = r->recorded;
    return TUT_SUCCESS;
}

static tut_status open_all(const char *dir, const char *state_dir, const tut_system *system,
                           tut_restoring *r, tut_error *err)
{
    TUT_TRY(tut_store_open(state_dir, false, &r->store, err));
    if (!r->store)
        return tut_fail(err, TUT_USAGE, "there is no version store here; tutela snapshot makes it");
    TUT_TRY(tut_ledger_open(state_dir, true, &r->ledger, err));
    TUT_TRY(tut_state_people(r->ledger, &r->people, err));
    TUT_TRY(tut_known_versions_read(r->ledger, NULL, &r->known, err));
    r->system = system;
    return system ? TUT_SUCCESS : recall_system(dir, r, err);
}

tut_status tut_restoring_open(const char *dir, const char *state_dir, const tut_system *system,
                              tut_restoring *ret, tut_error *err)
{
    TUT_CLEAN(tut_restoring) r = {.state_dir = state_dir};
    TUT_TRY(open_all(dir, state_dir, system, &r, err));
    *ret = r;
    r = (tut_restoring){0};
    return TUT_SUCCESS;
}

void tut_restoring_done(tut_restoring *r)
{
    tut_known_versions_done(&r->known);
    tut_records_free(r->people);
    tut_store_free(r->store);
    tut_ledger_close(r->ledger);
    tut_system_free(r->recorded);
    *r = (tut_restoring){0};
}

/* --- which version --- */

static bool is_meant(const tut_known_version *k, const char *word)
{
    uint64_t number;
    char digest[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(&k->manifest, digest);
    bool is_number = tut_str_u64(tut_str_of(word[0] == 'v' ? word + 1 : word), &number);
    return (is_number && number == k->number) || strcmp(word, k->tag) == 0 ||
           strcmp(word, digest) == 0;
}

tut_status tut_restore_choose(const tut_known_versions *known, const char *asset, const char *word,
                              const tut_known_version **ret_version, tut_error *err)
{
    const tut_known_version *newest = tut_known_latest(known, asset, NULL);
    if (!newest)
        return tut_fail(err, TUT_USAGE, "the log knows no version of %s; tutela snapshot takes one",
                        asset);
    *ret_version = newest;
    if (!word)
        return TUT_SUCCESS;
    for (size_t i = known->count; i > 0; i--) {
        const tut_known_version *k = &known->items[i - 1];
        if (!k->is_pruned && strcmp(k->asset, asset) == 0 && is_meant(k, word)) {
            *ret_version = k;
            return TUT_SUCCESS;
        }
    }
    return tut_fail(err, TUT_USAGE,
                    "the log knows no version \"%.80s\" of %s; its newest is %llu, and tutela "
                    "history %s lists them",
                    word, asset, (unsigned long long)newest->number, asset);
}

tut_status tut_restore_load(tut_store *store, const tut_known_version *known,
                            tut_version **ret_version, tut_error *err)
{
    TUT_AUTO(tut_version) v = NULL;
    TUT_TRY(tut_version_load(store, &known->manifest, &v, err));
    if (!tut_str_eq_z(v->asset, known->asset) || !tut_sha256_eq(&v->digest, &known->digest) ||
        v->number != known->number)
        return tut_fail(err, TUT_STORE, "the manifest of %s is not about what the log says",
                        known->tag);
    *ret_version = tut_move(&v);
    return TUT_SUCCESS;
}

/* --- one asset --- */

typedef struct work {
    tut_restoring *r;
    const tut_restore_options *options;
    const tut_known_version *known;
    tut_version *version;
    tut_stage stage;
    char *kept_path; /* what the stage is called once what was there lies on it */
    tut_verify_result verified;
    const tut_person *person;
    tut_restored *result;
    tut_error *err;
} work;

static void work_done(work *w)
{
    tut_verify_result_done(&w->verified);
    tut_stage_done(&w->stage);
    tut_version_free(w->version);
    tut_free(w->kept_path);
}

static const char *root_of(const work *w)
{
    return w->options->to ? w->options->to : w->r->system->dir;
}

/* On the file system of the place that it is for: below the state, else in the directory itself. */
static tut_status make_stage(work *w)
{
    struct stat state;
    struct stat root;
    char when[TUT_TIME_TEXT];
    char flat[TUT_TIME_TEXT];
    size_t n = 0;
    tut_time_rfc3339(tut_time_now(), when);
    for (const char *c = when; *c; c++)
        if (*c != '-' && *c != ':')
            flat[n++] = *c;
    flat[n] = '\0';
    TUT_AUTO_FREE char *kept = tut_fs_join(w->r->state_dir, "kept");
    if (!kept)
        return nomem(w->err);
    TUT_TRY(tut_fs_mkdirs(kept, 0700, w->err));
    if (w->options->to)
        TUT_TRY(tut_fs_mkdirs(w->options->to, 0700, w->err));
    if (stat(kept, &state) != 0 || stat(root_of(w), &root) != 0)
        return tut_fail_errno(w->err, errno, "%s cannot be examined", root_of(w));
    bool is_near = state.st_dev == root.st_dev;
    w->kept_path = tut_asprintf("%s/%s%s-%s.%d", is_near ? kept : root_of(w),
                                is_near ? "" : ".tutela-kept-", flat, w->known->tag, (int)getpid());
    TUT_AUTO_FREE char *part = w->kept_path ? tut_asprintf("%s.part", w->kept_path) : NULL;
    return part ? tut_stage_make(part, &w->stage, w->err) : nomem(w->err);
}

static tut_asset_kind kind_of(const work *w)
{
    const tut_asset *a = tut_system_asset(w->r->system, w->version->asset);
    tut_asset_kind kind = TUT_KIND_MODEL; /* what is not known has to be signed */
    char word[32];
    tut_str_copy(word, sizeof(word), w->version->kind);
    if (a)
        return a->kind;
    return tut_asset_kind_parse(word, &kind) ? kind : TUT_KIND_MODEL;
}

/* Where the signature would lie on the stage concerns nobody. */
static const char *why_not(const work *w)
{
    bool has_signature = w->version->layout == TUT_LAYOUT_FILES;
    for (size_t i = 0; i < w->version->count; i++)
        has_signature |= w->version->files[i].is_signature;
    return !has_signature             ? "it carries no signature"
           : w->verified.reason_count ? w->verified.reasons[0]
                                      : "its signature does not count";
}

static tut_status say_doubt(work *w)
{
    w->result->doubt = tut_strdup(why_not(w));
    return w->result->doubt ? TUT_SUCCESS : nomem(w->err);
}

static tut_status verify(work *w)
{
    tut_asset_kind kind = kind_of(w);
    const tut_system *system = w->r->system;
    TUT_TRY(tut_stage_verify(&w->stage, w->version, w->options->only, w->r->people,
                             tut_signer_roles(system, kind), &w->verified, &w->person, w->err));
    tut_verify_verdict verdict = w->verified.verdict;
    if (verdict == TUT_VERIFY_VALID) {
        w->result->person = tut_strdup(w->person->name);
        return w->result->person ? TUT_SUCCESS : nomem(w->err);
    }
    if (verdict == TUT_VERIFY_UNSIGNED && !tut_must_be_signed(system, kind))
        return TUT_SUCCESS;
    if (w->options->allow_unsigned)
        return say_doubt(w);
    return tut_fail(w->err, TUT_DENIED,
                    "%s is not restored: %s; --unsigned does so all the same, and is recorded",
                    w->known->tag, why_not(w));
}

static tut_status fill(work *w)
{
    tut_staging how = {.store = w->r->store,
                       .version = w->version,
                       .origin = tut_ledger_origin(w->r->ledger),
                       .only = w->options->only,
                       .progress = w->options->progress,
                       .ctx = w->options->ctx};
    if (how.only && !tut_version_find(w->version, tut_str_of(how.only)))
        return tut_fail(w->err, TUT_USAGE, "%s has no file \"%.200s\"", w->known->tag, how.only);
    TUT_TRY(tut_stage_fill(&w->stage, &how, w->err));
    w->result->files = how.files;
    w->result->bytes = how.bytes;
    return TUT_SUCCESS;
}

static tut_status swap(work *w)
{
    tut_swap s = {.system = w->r->system,
                  .root = root_of(w),
                  .version = w->version,
                  .stage = &w->stage,
                  .only = w->options->only,
                  .may_replace = !w->options->to};
    TUT_TRY(tut_fs_sync_all(w->stage.path, w->err));
    if (tut_interrupted())
        return tut_fail(w->err, TUT_CANCELLED, "interrupted; nothing was put in place");
    tut_status status = tut_swap_in(&s, w->err);
    w->result->is_by_file = s.is_by_file;
    w->result->is_not_atomic = s.is_not_atomic;
    if (s.kept > 0) {
        /* also after a failure on the way: what was moved must not be thrown away */
        bool is_named = rename(w->stage.path, w->kept_path) == 0;
        w->result->kept = is_named ? tut_move(&w->kept_path) : tut_strdup(w->stage.path);
        if (!w->result->kept)
            return nomem(w->err);
        if (!tut_is_ok(status) && w->err) {
            size_t len = strlen(w->err->text);
            (void)snprintf(w->err->text + len, sizeof(w->err->text) - len,
                           "; what was moved until then lies in %s", w->result->kept);
        }
    }
    return status;
}

static tut_status write_data(const work *w, tut_buf *out)
{
    const tut_restored *r = w->result;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_u64(j, "number", r->number);
    tut_json_put_z(j, "tag", r->tag);
    tut_json_put_z(j, "to", w->options->to);
    tut_json_put_z(j, "only", w->options->only);
    tut_json_put_u64(j, "files", r->files);
    tut_json_put_u64(j, "bytes", r->bytes);
    tut_json_put_u64(j, "took_ms", r->took_ms);
    tut_json_put_z(j, "key", w->verified.signer);
    tut_json_put_z(j, "doubt", r->doubt);
    tut_json_put_bool(j, "kept", r->kept != NULL);
    tut_json_end_object(j);
    return tut_json_finish(j, w->err);
}

static tut_status record(const work *w)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_AUTO_FREE char *second = tut_asprintf(TUT_VERSION_SUBJECT "%s", w->known->tag);
    if (!second)
        return nomem(w->err);
    TUT_TRY(write_data(w, &data));
    const tut_subject subjects[] = {{.name = w->known->asset, .digest = w->known->digest},
                                    {.name = second, .digest = w->known->manifest}};
    tut_record r = *w->options->who;
    r.type = TUT_RECORD_EVENT;
    r.at = tut_time_now();
    r.check = TUT_EVENT_RESTORED;
    r.subjects = subjects;
    r.subject_count = 2;
    r.statement = w->result->doubt ? "A version was restored though its signature does not count."
                                   : "A version of the asset was restored from the store.";
    r.data_key = "restored";
    r.data = tut_buf_str(&data);
    return tut_ledger_append(w->r->ledger, &r, 1, w->err);
}

static tut_status describe(work *w)
{
    tut_restored *r = w->result;
    r->asset = tut_strdup(w->known->asset);
    r->tag = tut_strdup(w->known->tag);
    r->place = tut_asprintf("%s/%.*s", root_of(w), (int)w->version->path.len,
                            w->version->path.data);
    r->number = w->known->number;
    r->digest = w->known->digest;
    r->manifest = w->known->manifest;
    return r->asset && r->tag && r->place ? TUT_SUCCESS : nomem(w->err);
}

static tut_status restore(work *w)
{
    uint64_t started = tut_clock_ms();
    TUT_TRY(tut_restore_load(w->r->store, w->known, &w->version, w->err));
    TUT_TRY(describe(w));
    TUT_TRY(make_stage(w));
    tut_status status = fill(w);
    if (tut_is_ok(status))
        status = verify(w);
    if (tut_is_ok(status))
        status = swap(w);
    w->result->took_ms = tut_clock_ms() - started;
    if (!w->result->kept)
        tut_stage_remove(w->stage.path);
    TUT_TRY(status);
    return record(w);
}

tut_status tut_restore_asset(tut_restoring *r, const char *asset,
                             const tut_restore_options *options, tut_restored *ret_restored,
                             tut_error *err)
{
    TUT_CLEAN(tut_restored) result = {0};
    TUT_CLEAN(work) w = {.r = r, .options = options, .result = &result, .err = err};
    w.stage.fd = -1;
    TUT_TRY(tut_restore_choose(&r->known, asset, options->version, &w.known, err));
    TUT_TRY(restore(&w));
    *ret_restored = result;
    result = (tut_restored){0};
    return TUT_SUCCESS;
}
