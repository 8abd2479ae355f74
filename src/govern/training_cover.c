/* Who is trained: looked at by `assess`. */
#include <stdarg.h>
#include <stdio.h>

#include "base/json_write.h"
#include "govern/training_check.h"

enum { NAMED = 3 }; /* people that a statement names; the body names all */

void tut_training_finding_done(tut_training_finding *f)
{
    tut_buf_done(&f->body);
}

typedef struct tally {
    size_t people, standings, current, waiting, lapsed, without;
    tut_time first_end;
    tut_buf names; /* of lapsed or waiting ones */
    size_t named;
} tally;

static void name_one(tally *n, const tut_training_standing *s)
{
    if (n->named++ >= NAMED)
        return;
    tut_buf_printf(&n->names, "%s%s: %.*s (%s)", n->names.len ? ", " : "", s->person->name,
                   (int)s->module->id.len, s->module->id.data, s->why);
}

static void count(tally *n, const tut_training_standing *s)
{
    n->standings++;
    if (n->first_end == 0 || s->due < n->first_end)
        n->first_end = s->state == TUT_TRAINING_LAPSED ? n->first_end : s->due;
    n->current += s->state == TUT_TRAINING_CURRENT;
    n->waiting += s->state == TUT_TRAINING_DUE || s->state == TUT_TRAINING_UNCONFIRMED;
    n->lapsed += s->state == TUT_TRAINING_LAPSED;
    if (s->state == TUT_TRAINING_LAPSED)
        name_one(n, s);
}

static void put_standing(tut_json *j, const tut_training_standing *s)
{
    tut_json_object(j);
    tut_json_put_z(j, "person", s->person->name);
    tut_json_put_str(j, "module", s->module->id);
    tut_json_put_u64(j, "version", s->module->version);
    tut_json_key(j, "content");
    tut_json_sha256(j, s->module->digest.bytes);
    tut_json_put_z(j, "state", tut_training_state_name(s->state));
    tut_json_put_time(j, "due", s->due);
    tut_json_put_z(j, "why", s->why);
    tut_json_key(j, "entry");
    if (s->record)
        tut_json_u64(j, s->record->index);
    else
        tut_json_null(j);
    tut_json_end_object(j);
}

static tut_status begin(tut_buf *body, const char *schema, tut_json **ret, tut_error *err)
{
    TUT_TRY(tut_json_new(body, ret));
    tut_json_object(*ret);
    tut_json_put_z(*ret, "schema", schema);
    tut_json_key(*ret, "standings");
    tut_json_array(*ret);
    (void)err;
    return TUT_SUCCESS;
}

/* Auditors are third parties: whoever sends them trains them. */
static bool is_staff(const tut_person *person)
{
    return person->is_active && person->roles != TUT_PERSON_AUDITOR;
}

static bool has_any(const tut_training *t, const tut_person *person)
{
    const tut_training_bank *bank = tut_training_bank_of(t);
    for (size_t i = 0; i < bank->count; i++)
        if (tut_training_is_for(t, bank->items[i], person->roles))
            return true;
    return false;
}

static const tut_training_module *changed_module(const tut_training *t)
{
    const tut_training_bank *bank = tut_training_bank_of(t);
    for (size_t i = 0; i < bank->count; i++)
        if (tut_training_has_two(t, bank->items[i]))
            return bank->items[i];
    return NULL;
}

static void conclude(tut_training_finding *f, tut_result result, const char *fmt, ...)
    TUT_PRINTF(3, 4);
static void conclude(tut_training_finding *f, tut_result result, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f->statement, sizeof(f->statement), fmt, ap);
    va_end(ap);
    f->result = result;
}

static void judge(const tut_training *t, tally *n, tut_training_finding *f)
{
    const tut_training_module *changed = changed_module(t);
    const char *names = tut_buf_z(&n->names);
    names = names ? names : "";
    const char *more = n->named > NAMED ? " and others" : "";
    f->holds_until = n->first_end;
    if (n->people == 0)
        conclude(f, TUT_RESULT_NOT_CHECKED, "Nobody is enrolled who has to be trained.");
    else if (changed)
        conclude(f, TUT_RESULT_FAIL,
                 "The content of the module %.*s was changed without raising its version, so that "
                 "nobody can say who completed what.",
                 (int)changed->id.len, changed->id.data);
    else if (n->without)
        conclude(f, TUT_RESULT_FAIL, "No module of training is assigned to %s%s.", names, more);
    else if (n->lapsed)
        conclude(f, TUT_RESULT_FAIL, "%zu of %zu trainings of %zu people have lapsed; %s%s.",
                 n->lapsed, n->standings, n->people, names, more);
    else if (n->waiting)
        conclude(
            f, TUT_RESULT_NOT_CHECKED,
            "%zu of %zu trainings of %zu people are current; the others are still to be taken.",
            n->current, n->standings, n->people);
    else
        conclude(f, TUT_RESULT_PASS,
                 "Each of %zu people has a current completion of each of the modules for their "
                 "roles, %zu in all.",
                 n->people, n->standings);
}

tut_status tut_training_cover(const tut_training *t, const tut_people *people, tut_time at,
                              tut_training_finding *ret, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tally n = {.people = 0};
    size_t standing_count;
    const tut_training_standing *s = tut_training_standings(t, &standing_count);
    (void)at;
    *ret = (tut_training_finding){.check = "train.coverage"};
    TUT_TRY(begin(&ret->body, "tutela.training-coverage/1", &j, err));
    for (size_t i = 0; i < standing_count; i++) {
        if (!is_staff(s[i].person))
            continue;
        count(&n, &s[i]);
        put_standing(j, &s[i]);
    }
    tut_json_end_array(j);
    tut_json_key(j, "without");
    tut_json_array(j);
    for (size_t i = 0; i < people->count; i++) {
        const tut_person *person = &people->items[i];
        n.people += is_staff(person);
        if (!is_staff(person) || has_any(t, person))
            continue;
        if (n.without++ == 0) { /* they are named instead */
            tut_buf_clear(&n.names);
            n.named = 0;
        }
        if (n.named++ < NAMED)
            tut_buf_printf(&n.names, "%s%s", n.names.len ? ", " : "", person->name);
        tut_json_z(j, person->name);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    judge(t, &n, ret);
    tut_buf_done(&n.names);
    return tut_json_finish(j, err);
}

tut_status tut_training_cover_coding(const tut_training *t, const tut_people *people, tut_time at,
                                     tut_training_finding *ret, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tally n = {.people = 0};
    tut_str id = tut_training_policy_of(t)->secure_coding;
    const tut_training_module *m = tut_training_find(tut_training_bank_of(t), id);
    (void)at;
    *ret = (tut_training_finding){.check = "train.secure-coding"};
    TUT_TRY(begin(&ret->body, "tutela.training-coverage/1", &j, err));
    for (size_t i = 0; m && i < people->count; i++) {
        tut_training_standing s;
        if (!people->items[i].is_active || !(people->items[i].roles & TUT_PERSON_DEVELOPER))
            continue;
        n.people++;
        tut_training_stand(t, &people->items[i], m, &s);
        count(&n, &s);
        put_standing(j, &s);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    if (!m)
        conclude(ret, TUT_RESULT_NOT_CHECKED, "There is no module on secure coding called %.*s.",
                 (int)id.len, id.data);
    else if (n.people == 0)
        conclude(ret, TUT_RESULT_NOT_CHECKED, "No developer is enrolled.");
    else
        judge(t, &n, ret);
    if (ret->result == TUT_RESULT_PASS)
        conclude(ret, TUT_RESULT_PASS,
                 "Each of %zu developers has a current completion of the module %.*s.", n.people,
                 (int)id.len, id.data);
    tut_buf_done(&n.names);
    return tut_json_finish(j, err);
}
