#include "store/snapshot.h"

#include "base/fs.h"
#include "base/limits.h"
#include "state/records.h"
#include "store/take.h"

const char *tut_snapshot_word(tut_snapshot_outcome outcome)
{
    static const char *const words[] = {[TUT_SNAPSHOT_TAKEN] = "taken",
                                        [TUT_SNAPSHOT_UNCHANGED] = "unchanged",
                                        [TUT_SNAPSHOT_REFUSED] = "refused"};
    return words[outcome];
}

void tut_snapshots_free(tut_snapshot *snapshots, size_t count)
{
    for (size_t i = 0; snapshots && i < count; i++) {
        tut_free(snapshots[i].problem);
        tut_free(snapshots[i].tag);
    }
    tut_free(snapshots);
}

typedef struct run {
    const tut_system *system;
    const tut_snapshot_options *options;
    tut_store *store;
    tut_ledger *ledger;
    tut_known_versions known;
    tut_census census;
    tut_snapshot *results;
    size_t count;
    tut_arena arena; /* of the events */
    tut_record *records;
    size_t record_count;
    tut_error *err;
} run;

static void run_done(run *r)
{
    tut_free(r->records);
    tut_arena_done(&r->arena);
    tut_census_done(&r->census);
    tut_known_versions_done(&r->known);
    tut_store_free(r->store);
    tut_ledger_close(r->ledger);
}

static tut_status nomem(run *r)
{
    return tut_fail(r->err, TUT_NOMEM, "memory ran out");
}

/* The newest version of the log, as far as the store still has its manifest: one that is damaged
 * is stored anew, which puts it right. */
static const tut_known_version *load_parent(run *r, tut_take *t)
{
    const tut_known_version *k = tut_known_latest(&r->known, t->asset->id, NULL);
    if (k && !tut_is_ok(tut_version_load(r->store, &k->manifest, &t->parent, NULL)))
        t->parent = NULL;
    return k;
}

static bool is_same_file(const tut_store *s, const tut_version_file *a, const tut_version_file *b)
{
    return tut_str_eq(a->name, b->name) && a->mode == b->mode &&
           tut_sha256_eq(&a->digest, &b->digest) &&
           tut_sha256_eq(&a->blob.digest, &b->blob.digest) && tut_blob_is_there(s, &b->blob);
}

static bool is_unchanged(const tut_take *t)
{
    const tut_version *a = t->version;
    const tut_version *b = t->parent;
    if (!b || a->count != b->count || a->has_key != b->has_key || a->layout != b->layout ||
        !tut_str_eq(a->path, b->path) || !tut_str_eq(a->kind, b->kind) ||
        !tut_sha256_eq(&a->digest, &b->digest))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!is_same_file(t->store, &a->files[i], &b->files[i]))
            return false;
    return true;
}

static tut_status write_data(const tut_snapshot *s, const tut_version *v, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_u64(j, "number", s->number);
    tut_json_put_z(j, "tag", s->tag);
    tut_json_put_u64(j, "files", v->count);
    tut_json_put_u64(j, "bytes", s->bytes);
    tut_json_put_bool(j, "signature", s->has_signature);
    tut_json_put_bool(j, "sealed", s->is_sealed);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status add_event(run *r, const tut_snapshot *s, const tut_version *v)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_subject *subjects = tut_arena_take(&r->arena, 2, sizeof(*subjects));
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_TRY(write_data(s, v, &data, r->err));
    tut_buf_printf(&name, TUT_VERSION_SUBJECT "%s", s->tag);
    TUT_TRY(tut_buf_check(&name, r->err));
    char *kept = tut_arena_copy(&r->arena, tut_buf_str(&data));
    char *second = tut_arena_copy(&r->arena, tut_buf_str(&name));
    if (!subjects || !kept || !second)
        return nomem(r);
    subjects[0] = (tut_subject){.name = s->asset->id, .digest = s->digest};
    subjects[1] = (tut_subject){.name = second, .digest = s->manifest};
    tut_record *record = &r->records[r->record_count++];
    *record = *r->options->who;
    record->type = TUT_RECORD_EVENT;
    record->at = v->created;
    record->check = TUT_EVENT_VERSIONED;
    record->subjects = subjects;
    record->subject_count = 2;
    record->statement = "A version of the asset was put into the store.";
    record->data_key = "version";
    record->data = (tut_str){kept, data.len};
    return TUT_SUCCESS;
}

/* The manifest goes into the store and gets its tag. */
static tut_status keep(run *r, tut_take *t, const tut_known_version *before)
{
    tut_version *v = t->version;
    tut_snapshot *s = t->result;
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    tut_blob config;
    v->number = tut_known_highest(&r->known, t->asset->id) + 1;
    v->created = tut_time_now();
    v->has_parent = before != NULL;
    if (before)
        v->parent = before->manifest;
    TUT_TRY(tut_version_write(v, &json, r->err));
    if (json.len > TUT_LIMIT_OCI_MANIFEST_BYTES)
        return tut_fail(r->err, TUT_LIMIT, "its manifest would be larger than %u bytes",
                        TUT_LIMIT_OCI_MANIFEST_BYTES);
    TUT_TRY(tut_blob_put(r->store, tut_span_of("{}", 2), &config, r->err));
    TUT_TRY(tut_blob_put(r->store, tut_buf_span(&json), &v->manifest, r->err));
    TUT_TRY(tut_version_tag(t->asset->id, v->number, &s->tag, r->err));
    const tut_oci_descriptor item = {.media_type = tut_str_of(TUT_OCI_MANIFEST),
                                     .artifact_type = tut_str_of(TUT_VERSION_TYPE),
                                     .digest = v->manifest.digest,
                                     .size = v->manifest.size};
    TUT_TRY(tut_store_set_tag(r->store, tut_str_of(s->tag), &item, r->err));
    s->number = v->number;
    s->manifest = v->manifest.digest;
    s->outcome = TUT_SNAPSHOT_TAKEN;
    return add_event(r, s, v);
}

static tut_status settle(run *r, tut_take *t, const tut_known_version *before)
{
    tut_snapshot *s = t->result;
    s->digest = t->version->digest;
    if (t->asset->has_digest && !tut_sha256_eq(&t->asset->digest, &s->digest))
        return tut_fail(r->err, TUT_USAGE,
                        "is not what was accepted; tutela init --accept %s, or restore it",
                        t->asset->id);
    if (!is_unchanged(t))
        return keep(r, t, before);
    s->outcome = TUT_SNAPSHOT_UNCHANGED;
    s->number = t->parent->number;
    s->manifest = before->manifest;
    s->tag = tut_strdup(before->tag);
    return s->tag ? TUT_SUCCESS : nomem(r);
}

static bool is_the_assets(tut_status status)
{
    return status.code == TUT_USAGE || status.code == TUT_UNSUPPORTED || status.code == TUT_LIMIT ||
           status.code == TUT_IO || status.code == TUT_DENIED;
}

static tut_status take_one(run *r, const tut_asset *asset, tut_snapshot *result)
{
    TUT_CLEAN(tut_take)
    t = {.store = r->store,
         .system = r->system,
         .census = &r->census,
         .options = r->options,
         .origin = tut_ledger_origin(r->ledger),
         .asset = asset,
         .result = result};
    tut_error why = {0};
    t.err = &why;
    result->asset = asset;
    const tut_known_version *before = load_parent(r, &t);
    tut_error *outer = r->err;
    r->err = &why;
    tut_status status = tut_take_files(&t);
    if (tut_is_ok(status))
        status = settle(r, &t, before);
    r->err = outer;
    if (tut_is_ok(status))
        return status;
    if (!is_the_assets(status)) {
        if (outer)
            *outer = why;
        return status;
    }
    const char *where = tut_error_where(&why);
    result->outcome = TUT_SNAPSHOT_REFUSED;
    result->problem = tut_asprintf("%s%s%s", where, where[0] ? ": " : "", why.text);
    return result->problem ? TUT_SUCCESS : nomem(r);
}

static tut_status open_all(run *r, const char *state_dir)
{
    const tut_census_options census = {.sandbox = r->options->sandbox,
                                       .progress = r->options->census_progress,
                                       .progress_ctx = r->options->ctx};
    TUT_TRY(tut_census_take(r->system, &census, &r->census, r->err));
    TUT_TRY(tut_ledger_open(state_dir, true, &r->ledger, r->err));
    TUT_TRY(tut_store_open(state_dir, true, &r->store, r->err));
    /* behind the lock: nobody adds versions meanwhile */
    return tut_known_versions_read(r->ledger, NULL, &r->known, r->err);
}

/* An index.json that was lost follows from the log. */
static tut_status name_again(run *r)
{
    for (size_t i = 0; i < r->known.count && r->store->is_index_missing; i++) {
        const tut_known_version *k = &r->known.items[i];
        TUT_AUTO(tut_version) v = NULL;
        if (k->is_pruned || !tut_is_ok(tut_version_load(r->store, &k->manifest, &v, NULL)))
            continue;
        const tut_oci_descriptor item = {.media_type = tut_str_of(TUT_OCI_MANIFEST),
                                         .artifact_type = tut_str_of(TUT_VERSION_TYPE),
                                         .digest = v->manifest.digest,
                                         .size = v->manifest.size};
        TUT_TRY(tut_store_set_tag(r->store, tut_str_of(k->tag), &item, r->err));
    }
    return TUT_SUCCESS;
}

static tut_status take_all(run *r, const char *state_dir, const tut_asset *const *assets,
                           size_t count)
{
    r->records = tut_alloc_array(count + 1, sizeof(*r->records));
    if (!r->records)
        return nomem(r);
    TUT_TRY(open_all(r, state_dir));
    TUT_TRY(name_again(r));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(take_one(r, assets[i], &r->results[i]));
    if (tut_interrupted())
        return tut_fail(r->err, TUT_CANCELLED, "interrupted; no version was taken");
    if (r->record_count == 0 && !r->store->is_index_missing)
        return TUT_SUCCESS;
    TUT_TRY(tut_store_save(r->store, r->err));
    return tut_ledger_append(r->ledger, r->records, r->record_count, r->err);
}

tut_status tut_snapshot_take(const tut_system *system, const char *state_dir,
                             const tut_asset *const *assets, size_t count,
                             const tut_snapshot_options *options, tut_snapshot **ret_snapshots,
                             tut_error *err)
{
    TUT_CLEAN(run) r = {.system = system, .options = options, .count = count, .err = err};
    tut_arena_init(&r.arena, 0);
    r.results = tut_alloc_array(count + 1, sizeof(*r.results));
    if (!r.results)
        return nomem(&r);
    tut_status status = take_all(&r, state_dir, assets, count);
    if (!tut_is_ok(status)) {
        tut_snapshots_free(r.results, count);
        return status;
    }
    *ret_snapshots = r.results;
    return TUT_SUCCESS;
}
