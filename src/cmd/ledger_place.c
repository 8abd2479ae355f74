#include "cmd/ledger_place.h"

#include <unistd.h>

#include "base/fs.h"
#include "ledger/record.h"

enum { ORIGIN_MAX = 256 };

void tut_ledger_place_done(tut_ledger_place *place)
{
    tut_free(place->state);
    tut_free(place->origin);
    tut_keystore_free(place->keys);
    *place = (tut_ledger_place){0};
}

/* Opening for writing is what begins a ledger. */
static tut_status begin(const char *state, tut_error *err)
{
    tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state, true, &ledger, err));
    tut_ledger_close(ledger);
    return TUT_SUCCESS;
}

static tut_status read_origin(tut_ledger_place *place, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(place->state, "origin");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(path, ORIGIN_MAX, &text, err));
    tut_str name = tut_str_trim(tut_buf_str(&text));
    place->origin = tut_strndup(name.data, name.len);
    return place->origin ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status find(const tut_args *args, tut_ledger_place *place, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &place->state, err));
    if (!place->state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and outside a described system there is no "
                        "ledger; tutela init writes one");
    }
    place->secret = (tut_secret_source){.file = tut_args_get(args, "--passphrase-file"),
                                        .may_ask = isatty(STDERR_FILENO) == 1};
    TUT_TRY(begin(place->state, err));
    TUT_TRY(read_origin(place, err));
    return tut_keystore_open(place->origin, true, &place->keys, err);
}

tut_status tut_ledger_place_find(const tut_args *args, tut_ledger_place *ret_place, tut_error *err)
{
    tut_ledger_place place = {0};
    tut_status status = find(args, &place, err);
    if (!tut_is_ok(status)) {
        tut_ledger_place_done(&place);
        return status;
    }
    *ret_place = place;
    return status;
}

tut_sequencer_options tut_ledger_place_options(const tut_ledger_place *place)
{
    return (tut_sequencer_options){.state_dir = place->state,
                                   .origin = place->origin,
                                   .keys = place->keys,
                                   .secret = &place->secret};
}
