#include "cmd/ledger_place.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "ledger/record.h"

enum { RUN_BYTES = 8 };

#define TUT_CLEAN_LEDGER __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *

void tut_ledger_place_done(tut_ledger_place *place)
{
    tut_free(place->state);
    tut_free(place->origin);
    tut_free(place->producer);
    tut_keystore_free(place->keys);
    *place = (tut_ledger_place){0};
}

/* Opening for writing is what begins a ledger; one that has begun is left alone. */
static tut_status begin(tut_ledger_place *place, tut_error *err)
{
    tut_ledger_options options = {.for_writing = false};
    TUT_CLEAN_LEDGER ledger = NULL;
    tut_log *log = NULL;
    TUT_TRY(tut_ledger_open_with(place->state, &options, &ledger, err));
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log || tut_log_size(log) == 0) {
        tut_ledger_close(ledger);
        ledger = NULL;
        options = (tut_ledger_options){.for_writing = true, .secret = &place->secret};
        TUT_TRY(tut_ledger_open_with(place->state, &options, &ledger, err));
    }
    place->origin = tut_strdup(tut_ledger_origin(ledger));
    return place->origin ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* The next run must not seem to go on where this one stopped. */
static tut_status name_producer(const char *command, tut_ledger_place *place, tut_error *err)
{
    uint8_t run[RUN_BYTES];
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    if (getrandom(run, sizeof(run), 0) != (ssize_t)sizeof(run))
        return tut_fail_errno(err, errno, "no random bytes");
    tut_buf_add_z(&name, command);
    tut_buf_add_z(&name, "-");
    tut_buf_add_hex(&name, run, sizeof(run));
    place->producer = tut_buf_steal(&name);
    return place->producer ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
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
    TUT_TRY(begin(place, err));
    TUT_TRY(name_producer(args->command->name, place, err));
    TUT_TRY(tut_keystore_open(place->origin, false, &place->keys, err));
    return TUT_SUCCESS;
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
