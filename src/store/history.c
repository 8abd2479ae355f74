#include "store/history.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "assets/signed.h"
#include "crypto/openssl.h"
#include "state/records.h"
#include "store/data_key.h"
#include "store/restore.h"

const char *tut_file_change_word(tut_file_change_kind kind)
{
    static const char *const words[] = {[TUT_FILE_ADDED] = "added",
                                        [TUT_FILE_REMOVED] = "removed",
                                        [TUT_FILE_CHANGED] = "changed",
                                        [TUT_FILE_MODE] = "mode"};
    return words[kind];
}

void tut_history_done(tut_history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        tut_history_version *v = &h->items[i];
        for (size_t k = 0; k < v->change_count; k++) {
            tut_tensor_diff_done(&v->changes[k].tensors);
            tut_free(v->changes[k].not_compared);
        }
        tut_free(v->changes);
        tut_free(v->problem);
        tut_version_free(v->version);
    }
    tut_free(h->items);
    tut_records_free(h->events);
    tut_known_versions_done(&h->known);
    *h = (tut_history){0};
}

bool tut_history_is_event(const tut_record *r, const char *asset)
{
    for (size_t i = 0; i < r->subject_count && r->type == TUT_RECORD_EVENT; i++)
        if (strcmp(r->subjects[i].name, asset) == 0)
            return true;
    return false;
}

typedef struct reading {
    tut_store *s;
    tut_ledger *ledger;
    const tut_history_options *options;
    uint64_t tensor_bytes; /* left */
    uint32_t roles;
    tut_history *h;
    tut_error *err;
} reading;

static tut_status nomem(reading *r)
{
    return tut_fail(r->err, TUT_NOMEM, "memory ran out");
}

/* --- tensors --- */

/* Plain bytes to compare: the blob itself, or what is sealed in it, in a file without a name. */
static tut_status open_file(reading *r, const tut_version *v, const tut_version_file *f,
                            int *ret_fd, tut_error *err)
{
    uint8_t key[TUT_CIPHER_KEY];
    uint64_t size;
    tut_sha256 plain;
    if (!f->is_sealed)
        return tut_blob_open(r->s, &f->blob, ret_fd, err);
    int fd = openat(r->s->dirfd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return tut_fail_errno(err, errno, "no room to open a sealed file in");
    tut_status status = tut_data_key_of(tut_ledger_origin(r->ledger), v, key, err);
    const tut_blob_out out = {
        .blob = f->blob, .key = key, .asset = v->asset, .name = f->name, .fd = fd};
    if (tut_is_ok(status))
        status = tut_blob_copy_out(r->s, &out, &size, &plain, err);
    tut_wipe(key, sizeof(key));
    if (!tut_is_ok(status)) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

static tut_status compare_open(reading *r, const tut_version *old, const tut_version *new,
                               tut_file_change *c, tut_error *why)
{
    int before;
    int after;
    TUT_TRY(open_file(r, old, c->before, &before, why));
    tut_status status = open_file(r, new, c->after, &after, why);
    if (tut_is_ok(status)) {
        status = tut_tensor_compare(before, after, &c->tensors, why);
        close(after);
    }
    close(before);
    c->has_tensors = tut_is_ok(status) && c->tensors.before.format && c->tensors.after.format;
    return status;
}

static tut_status compare_tensors(reading *r, const tut_version *old, const tut_version *new,
                                  tut_file_change *c)
{
    tut_error why = {0};
    uint64_t bytes;
    if (__builtin_add_overflow(c->before->size, c->after->size, &bytes) ||
        bytes > r->tensor_bytes) {
        c->not_compared = tut_strdup("too large to be compared in passing; --tensors does");
        return c->not_compared ? TUT_SUCCESS : nomem(r);
    }
    r->tensor_bytes -= r->options->tensor_bytes == UINT64_MAX ? 0 : bytes;
    tut_status status = compare_open(r, old, new, c, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(r->err, status.code, "%s", why.text);
    if (!tut_is_ok(status))
        c->not_compared = tut_strdup(why.text);
    return tut_is_ok(status) || c->not_compared ? TUT_SUCCESS : nomem(r);
}

/* --- files --- */

static tut_status add_change(reading *r, tut_history_version *v, tut_file_change_kind kind,
                             const tut_version_file *before, const tut_version_file *after)
{
    TUT_TRY(tut_grow(&v->changes, v->change_count, &v->change_capacity, sizeof(*v->changes)));
    v->changes[v->change_count++] =
        (tut_file_change){.kind = kind, .before = before, .after = after};
    (void)r;
    return TUT_SUCCESS;
}

static tut_status compare_pair(reading *r, tut_history_version *v, const tut_version *old,
                               const tut_version_file *a, const tut_version_file *b)
{
    if (tut_sha256_eq(&a->digest, &b->digest))
        return a->mode == b->mode ? TUT_SUCCESS : add_change(r, v, TUT_FILE_MODE, a, b);
    TUT_TRY(add_change(r, v, TUT_FILE_CHANGED, a, b));
    bool is_model = tut_str_eq_z(v->version->kind, "model") && !b->is_signature;
    return is_model ? compare_tensors(r, old, v->version, &v->changes[v->change_count - 1])
                    : TUT_SUCCESS;
}

static tut_status compare_files(reading *r, tut_history_version *v, const tut_version *old)
{
    const tut_version *new = v->version;
    size_t i = 0;
    size_t k = 0;
    v->has_before = true;
    while (i < old->count || k < new->count) {
        const tut_version_file *a = i < old->count ? &old->files[i] : NULL;
        const tut_version_file *b = k < new->count ? &new->files[k] : NULL;
        int order = !a ? 1 : !b ? -1 : tut_str_cmp(a->name, b->name);
        TUT_TRY(order < 0   ? add_change(r, v, TUT_FILE_REMOVED, a, NULL)
                : order > 0 ? add_change(r, v, TUT_FILE_ADDED, NULL, b)
                            : compare_pair(r, v, old, a, b));
        i += order <= 0;
        k += order >= 0;
    }
    return TUT_SUCCESS;
}

/* --- versions --- */

static tut_tier tier_of(const tut_person *p)
{
    return p->roles & TUT_PERSON_AUDITOR  ? TUT_TIER_THIRD
           : p->roles & TUT_PERSON_TESTER ? TUT_TIER_INTERNAL
                                          : TUT_TIER_FIRST;
}

static tut_status load(reading *r, tut_history_version *v)
{
    tut_error why = {0};
    tut_status status = tut_restore_load(r->s, v->known, &v->version, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(r->err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        v->problem = tut_strdup(v->known->is_pruned ? "pruned" : why.text);
        return v->problem ? TUT_SUCCESS : nomem(r);
    }
    TUT_TRY(tut_version_signed_by(r->s, v->version, r->h->events->people, r->h->events->log_size,
                                  r->roles, &v->by, r->err));
    if (v->by.state == TUT_SIGNED_VALID)
        v->tier = tier_of(v->by.person);
    return TUT_SUCCESS;
}

static tut_status read_versions(reading *r, const char *asset)
{
    tut_history *h = r->h;
    h->items = tut_alloc_array(h->known.count + 1, sizeof(*h->items));
    if (!h->items)
        return nomem(r);
    for (size_t i = h->known.count; i > 0; i--) {
        const tut_known_version *k = &h->known.items[i - 1];
        if (strcmp(k->asset, asset) != 0)
            continue;
        tut_history_version *v = &h->items[h->count++];
        *v = (tut_history_version){.known = k};
        TUT_TRY(load(r, v));
    }
    return TUT_SUCCESS;
}

static tut_status compare_all(reading *r, const tut_known_version *only)
{
    tut_history *h = r->h;
    for (size_t i = 0; i < h->count; i++) {
        tut_history_version *v = &h->items[i];
        size_t k = i + 1;
        while (k < h->count && !h->items[k].version)
            k++;
        if (v->version && k < h->count && (!only || v->known == only))
            TUT_TRY(compare_files(r, v, h->items[k].version));
    }
    return TUT_SUCCESS;
}

/* Of one that was asked for the others are only what it is held against. */
static void keep_only(tut_history *h, const tut_known_version *only)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->items[i].known != only)
            continue;
        tut_history_version found = h->items[i];
        h->items[i] = h->items[0];
        h->items[0] = found;
        h->shown = 1;
        return;
    }
}

static tut_status read_all(reading *r, const tut_system *system, const char *asset)
{
    const tut_index_query query = {.asset = asset, .kind = "*", .from = INT64_MIN, .to = INT64_MAX};
    const tut_asset *a = system ? tut_system_asset(system, tut_str_of(asset)) : NULL;
    const tut_known_version *only = NULL;
    tut_places places = {0};
    r->roles = a ? tut_signer_roles(system, a->kind) : 0;
    tut_status status = tut_state_search(r->ledger, &query, &places, NULL, r->err);
    if (tut_is_ok(status))
        status = tut_state_read_at(r->ledger, places.items, places.count, &r->h->events, r->err);
    tut_places_done(&places);
    TUT_TRY(status);
    TUT_TRY(tut_known_versions_read(r->ledger, asset, &r->h->known, r->err));
    if (r->options->version)
        TUT_TRY(tut_restore_choose(&r->h->known, asset, r->options->version, &only, r->err));
    TUT_TRY(read_versions(r, asset));
    TUT_TRY(compare_all(r, only));
    r->h->shown = r->h->count;
    if (only)
        keep_only(r->h, only);
    return TUT_SUCCESS;
}

tut_status tut_history_read(tut_store *s, tut_ledger *ledger, const tut_system *system,
                            const char *asset, const tut_history_options *options,
                            tut_history *ret_history, tut_error *err)
{
    TUT_CLEAN(tut_history) h = {0};
    reading r = {.s = s,
                 .ledger = ledger,
                 .options = options,
                 .tensor_bytes = options->tensor_bytes,
                 .h = &h,
                 .err = err};
    TUT_TRY(read_all(&r, system, asset));
    *ret_history = h;
    h = (tut_history){0};
    return TUT_SUCCESS;
}
