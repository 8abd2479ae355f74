#include "state/place.h"

#include "base/fs.h"

enum { ORIGIN_TEXT_MAX = 256 };

void tut_place_done(tut_place *place)
{
    if (place->has_verifier)
        tut_verifier_done(&place->verifier);
    tut_log_keys_done(&place->trusted);
    tut_keystore_free(place->keys);
    tut_free(place->state);
    tut_free(place->origin);
    tut_free(place->log_origin);
    tut_free(place->dir);
    tut_free(place->anchor);
    *place = (tut_place){0};
}

/* It names a directory beside the keys as well. */
static bool is_origin(tut_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.data[i] >= 'a' && name.data[i] <= 'z') ||
              (name.data[i] >= '0' && name.data[i] <= '9') || name.data[i] == '-'))
            return false;
    return name.len > 0;
}

static tut_status read_origin(tut_place *place, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(place->state, "origin");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(path) && !tut_fs_exists(place->dir)) {
        tut_error_set_path(err, place->state);
        return tut_fail(err, TUT_USAGE, "nothing was recorded here; tutela assess records");
    }
    TUT_TRY(tut_fs_read(path, ORIGIN_TEXT_MAX, &text, err));
    tut_str name = tut_str_trim(tut_buf_str(&text));
    if (!is_origin(name)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "does not hold the name of this log");
    }
    place->origin = tut_strndup(name.data, name.len);
    return place->origin ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* `first` is of the evidence log, where the changes of the key stand. */
static tut_status trust(tut_place *place, const tut_verifier *first, tut_error *err)
{
    TUT_AUTO_FREE char *evidence = tut_asprintf("%s/ledger/evidence", place->state);
    TUT_CLEAN(tut_log_keys) keys = {.items = NULL};
    tut_verifier v;
    if (!evidence)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_beside beside = tut_beside_dir(evidence);
    TUT_TRY(tut_log_keys_follow(&beside, first, &keys, err));
    const tut_verifier *last = tut_log_keys_last(&keys);
    bool is_own_name = strcmp(place->dir, evidence) == 0;
    TUT_TRY(tut_verifier_of(is_own_name ? last->name : place->log_origin, last->algorithm,
                            last->key, &v, err));
    if (place->has_verifier)
        tut_verifier_done(&place->verifier);
    tut_log_keys_done(&place->trusted);
    place->verifier = v;
    place->has_verifier = true;
    place->trusted = keys;
    keys = (tut_log_keys){.items = NULL};
    return TUT_SUCCESS;
}

static tut_status find_keys(tut_place *place, const char *log, tut_error *err)
{
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_TRY(tut_keystore_open(place->origin, false, &place->keys, err));
    if (!place->keys)
        return TUT_SUCCESS;
    place->anchor = tut_asprintf("%s/anchor-%s", tut_keystore_dir(place->keys), log);
    if (!place->anchor)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_keystore_public(place->keys, "log", &key, err));
    TUT_AUTO_FREE char *name = tut_asprintf("%s/evidence", place->origin);
    TUT_CLEAN(tut_verifier) own = {.id = 0};
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_verifier_of(name, TUT_NOTE_ED25519, key, &own, err));
    return trust(place, &own, err);
}

static tut_status find(const char *state_dir, const char *log, tut_place *place, tut_error *err)
{
    place->state = tut_strdup(state_dir);
    place->dir = tut_asprintf("%s/ledger/%s", state_dir, log);
    if (!place->state || !place->dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(read_origin(place, err));
    place->log_origin = tut_asprintf("%s/%s", place->origin, log);
    if (!place->log_origin)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return find_keys(place, log, err);
}

tut_status tut_place_find(const char *state_dir, const char *log, tut_place *ret, tut_error *err)
{
    tut_place place = {.state = NULL};
    tut_status status = find(state_dir, log, &place, err);
    if (!tut_is_ok(status)) {
        tut_place_done(&place);
        return status;
    }
    *ret = place;
    return TUT_SUCCESS;
}

tut_status tut_place_trust(tut_place *place, const tut_verifier *key, tut_error *err)
{
    return trust(place, key, err);
}

tut_status tut_place_open(const tut_place *place, tut_log **ret_log, tut_error *err)
{
    tut_log_options options = {.dir = place->dir,
                               .origin = place->log_origin,
                               .verifiers = place->has_verifier ? &place->verifier : NULL,
                               .verifier_count = place->has_verifier,
                               .anchor = place->anchor};
    return tut_log_open(&options, false, ret_log, err);
}
