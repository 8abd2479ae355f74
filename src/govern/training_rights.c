#include "govern/training_rights.h"

#include <stdio.h>

#include "state/records.h"

enum { FRESH_MS = 60000 };

struct tut_training_rights {
    char *place, *state_dir;
    tut_system *system;
    tut_records *records;
    tut_training *training;
    uint64_t read_ms; /* 0: nothing was read yet */
    char why[2 * TUT_ERROR_TEXT_MAX];
};

static void forget(tut_training_rights *r)
{
    tut_training_free(r->training);
    tut_records_free(r->records);
    tut_system_free(r->system);
    r->training = NULL;
    r->records = NULL;
    r->system = NULL;
}

void tut_training_rights_free(tut_training_rights *r)
{
    if (!r)
        return;
    forget(r);
    tut_free(r->place);
    tut_free(r->state_dir);
    tut_free(r);
}

tut_status tut_training_rights_new(const char *dir_or_file, const char *state_dir,
                                   tut_training_rights **ret_rights, tut_error *err)
{
    TUT_AUTO(tut_training_rights) r = tut_alloc_array(1, sizeof(*r));
    if (r) {
        r->place = tut_strdup(dir_or_file);
        r->state_dir = tut_strdup(state_dir);
    }
    if (!r || !r->place || !r->state_dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_rights = tut_move(&r);
    return TUT_SUCCESS;
}

/* --- reading --- */

static tut_status read_all(tut_training_rights *r, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_training_policy policy;
    tut_time now = tut_time_now();
    TUT_TRY(tut_system_load(r->place, &r->system, NULL, err));
    TUT_TRY(tut_training_policy_read(r->system, &policy, NULL, err));
    if (!policy.node)
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_open(r->state_dir, false, &ledger, err));
    TUT_TRY(tut_state_read(ledger, now, &r->records, err));
    return tut_training_load(r->system, r->records, now, &r->training, err);
}

/* index: the size of the log that the caller saw. */
static tut_status refresh(tut_training_rights *r, uint64_t index, tut_error *err)
{
    uint64_t now_ms = tut_clock_ms();
    bool has_grown = r->records && index > r->records->log_size;
    if (r->read_ms && now_ms - r->read_ms < FRESH_MS && !has_grown)
        return TUT_SUCCESS;
    forget(r);
    r->read_ms = 0;
    TUT_TRY(read_all(r, err));
    r->read_ms = now_ms;
    return TUT_SUCCESS;
}

tut_status tut_training_rights_read(tut_training_rights *r, tut_error *err)
{
    return refresh(r, 0, err);
}

/* --- asking --- */

void tut_training_say_lapse(const tut_training_standing *lapse, char *out, size_t cap)
{
    char day[TUT_TIME_TEXT];
    tut_str id = lapse->module->id;
    tut_time_date(lapse->due, day);
    (void)snprintf(out, cap, "the training %.*s lapsed on %s (%s); tutela train take %.*s --by %s",
                   (int)id.len, id.data, day, lapse->why, (int)id.len, id.data,
                   lapse->person->name);
}

const char *tut_training_rights_lack(const void *rights, const tut_person *person, uint64_t index)
{
    tut_training_rights *r = (tut_training_rights *)(uintptr_t)rights; /* it only reads anew */
    tut_error err = {0};
    if (!tut_is_ok(refresh(r, index, &err))) {
        (void)snprintf(r->why, sizeof(r->why), "whose training lapsed cannot be read: %s",
                       err.text);
        return r->why;
    }
    const tut_training_standing *lapse = tut_training_lapse(r->training, person);
    if (!lapse)
        return NULL;
    tut_training_say_lapse(lapse, r->why, sizeof(r->why));
    return r->why;
}

static tut_status check(tut_training_rights *r, const tut_person *person, tut_error *err)
{
    const tut_training_standing *lapse = person ? tut_training_lapse(r->training, person) : NULL;
    if (!lapse)
        return TUT_SUCCESS;
    tut_training_say_lapse(lapse, r->why, sizeof(r->why));
    return tut_fail(err, TUT_DENIED, "%s cannot sign this: %s", person->name, r->why);
}

tut_status tut_training_rights_check(tut_training_rights *r, tut_str name, tut_error *err)
{
    TUT_TRY(refresh(r, 0, err));
    return r->training ? check(r, tut_people_find(r->records->people, name), err) : TUT_SUCCESS;
}

tut_status tut_training_rights_check_key(tut_training_rights *r, const char *key_id, tut_error *err)
{
    TUT_TRY(refresh(r, 0, err));
    return r->training ? check(r, tut_people_by_key(r->records->people, key_id, NULL), err)
                       : TUT_SUCCESS;
}

bool tut_training_rights_had_lapsed(const void *rights, const tut_person *person, tut_time when)
{
    tut_training_rights *r = (tut_training_rights *)(uintptr_t)rights; /* it only reads anew */
    if (!tut_is_ok(refresh(r, 0, NULL)))
        return true;
    return r->training && tut_training_lapsed_at(r->training, person, when);
}
