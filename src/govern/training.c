/* The standing of each enrolled person, derived from the log. */
#include "govern/training.h"

#include <stdlib.h>

#include "govern/training_quiz.h"

typedef struct completion { /* of a module, by a person whose key counts */
    const tut_record *record;
    const tut_person *person;
    tut_str module; /* id, of the record */
    uint32_t version;
    tut_time from;   /* recorded; of a hurried one, confirmed */
    bool needs_word; /* hurried, and no trainer has signed for it */
    bool is_void;    /* its exam is not kept, or is none */
} completion;

struct tut_training {
    tut_system *system;
    const tut_records *records;
    tut_time at;
    tut_training_policy policy;
    tut_training_bank *bank;
    tut_time *in_use_since; /* of each module of the bank */
    completion *completions;
    size_t completion_count, completion_capacity;
    tut_training_standing *standings;
    size_t standing_count, standing_capacity;
    tut_error *err; /* while it is loaded */
};

void tut_training_free(tut_training *t)
{
    if (!t)
        return;
    tut_training_bank_free(t->bank);
    tut_free(t->in_use_since);
    tut_free(t->completions);
    tut_free(t->standings);
    tut_free(t);
}

const char *tut_training_state_name(tut_training_state s)
{
    static const char *const names[] = {"current", "due", "unconfirmed", "lapsed"};
    return names[s];
}

/* --- what the log says of modules --- */

/* "KIND/ID@VERSION" */
static bool split_subject(const char *name, const char *kind, tut_str *ret_id,
                          uint32_t *ret_version)
{
    tut_str s = tut_str_of(name);
    size_t len = strlen(kind);
    size_t at = s.len;
    uint64_t version = 0;
    if (s.len <= len || strncmp(s.data, kind, len) != 0 || s.data[len] != '/')
        return false;
    while (at > 0 && s.data[at - 1] != '@')
        at--;
    if (at <= len + 2 || !tut_str_u64((tut_str){s.data + at, s.len - at}, &version) ||
        version > UINT32_MAX)
        return false;
    *ret_id = (tut_str){s.data + len + 1, at - 1 - (len + 1)};
    *ret_version = (uint32_t)version;
    return true;
}

static bool is_about(const tut_record *r, const tut_training_module *m)
{
    tut_str id;
    uint32_t version;
    return r->type == TUT_RECORD_EVENT && !r->doubt && strncmp(r->check, "train.", 6) == 0 &&
           r->subject_count == 1 && split_subject(r->subjects[0].name, "training", &id, &version) &&
           version == m->version && tut_str_eq(id, m->id);
}

bool tut_training_has_two(const tut_training *t, const tut_training_module *m)
{
    for (size_t i = 0; i < t->records->count; i++) {
        const tut_record *r = &t->records->items[i];
        if (is_about(r, m) && !tut_sha256_eq(&r->subjects[0].digest, &m->digest))
            return true;
    }
    return false;
}

static tut_time find_since(const tut_training *t, const tut_training_module *m)
{
    tut_time since = t->at;
    for (size_t i = 0; i < t->records->count; i++) {
        const tut_record *r = &t->records->items[i];
        if (r->recorded_at < since && is_about(r, m) &&
            tut_sha256_eq(&r->subjects[0].digest, &m->digest))
            since = r->recorded_at;
    }
    return since;
}

tut_time tut_training_in_use_since(const tut_training *t, const tut_training_module *m)
{
    for (size_t i = 0; i < t->bank->count; i++)
        if (t->bank->items[i] == m)
            return t->in_use_since[i];
    return t->at;
}

static tut_status find_all_since(tut_training *t)
{
    t->in_use_since = tut_alloc_array(t->bank->count + 1, sizeof(*t->in_use_since));
    if (!t->in_use_since)
        return tut_fail(t->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->bank->count; i++)
        t->in_use_since[i] = find_since(t, t->bank->items[i]);
    return TUT_SUCCESS;
}

/* --- completions --- */

/* The person whose key signed it, and counts; with one of the roles, where any are asked. */
static const tut_person *signer_of(const tut_training *t, const tut_record *r, uint32_t roles)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        if (s->counts && !s->is_tool && s->name && (roles == 0 || (s->roles & roles)))
            return tut_people_find(t->records->people, tut_str_of(s->name));
    }
    return NULL;
}

/* When a trainer, who is not the learner, signed for this very exam; INT64_MAX: nobody did. */
static tut_time confirmed_at(const tut_training *t, const completion *c)
{
    for (size_t i = 0; i < t->records->count; i++) {
        const tut_record *r = &t->records->items[i];
        if (r->type != TUT_RECORD_EVENT || strcmp(r->check, TUT_TRAIN_CONFIRMED) != 0 ||
            r->subject_count != 1 || !tut_sha256_eq(&r->subjects[0].digest, &c->record->body))
            continue;
        const tut_person *trainer = signer_of(t, r, TUT_PERSON_TRAINER);
        if (trainer && trainer != c->person && r->recorded_at >= c->record->recorded_at)
            return r->recorded_at;
    }
    return INT64_MAX;
}

static tut_status take_completion(tut_training *t, const tut_record *r)
{
    bool is_hurried = strcmp(r->check, TUT_TRAIN_HURRIED) == 0;
    completion c = {.record = r, .from = r->recorded_at};
    if (r->type != TUT_RECORD_EVENT || r->doubt || !r->has_body || r->subject_count != 1 ||
        (!is_hurried && strcmp(r->check, TUT_TRAIN_COMPLETED) != 0) ||
        !split_subject(r->subjects[0].name, "training", &c.module, &c.version))
        return TUT_SUCCESS;
    c.person = signer_of(t, r, 0);
    if (!c.person)
        return TUT_SUCCESS;
    if (is_hurried) {
        tut_time when = confirmed_at(t, &c);
        c.needs_word = when == INT64_MAX;
        c.from = c.needs_word ? c.from : when;
    }
    if (!tut_is_ok(tut_grow(&t->completions, t->completion_count, &t->completion_capacity,
                            sizeof(*t->completions))))
        return tut_fail(t->err, TUT_NOMEM, "memory ran out");
    t->completions[t->completion_count++] = c;
    return TUT_SUCCESS;
}

/* When the completion ends, by what tutela.yaml says now. Of an older version, also when the time
 * to take the new one is over. 0: it is of no version that counts. */
static tut_time end_of(const tut_training *t, const completion *c, const tut_training_module *m)
{
    tut_time end = c->record->at + (tut_time)t->policy.valid_days * TUT_DAY_SECONDS;
    if (c->version == m->version)
        return tut_sha256_eq(&c->record->subjects[0].digest, &m->digest) ? end : 0;
    if (c->version > m->version)
        return 0;
    tut_time until = tut_training_in_use_since(t, m) +
                     (tut_time)t->policy.grace_days * TUT_DAY_SECONDS;
    return until < end ? until : end;
}

/* Those of one person stand together, in order of the log. */
static int by_person(const void *a, const void *b)
{
    const completion *x = a;
    const completion *y = b;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    return x->record->index < y->record->index ? -1 : x->record->index > y->record->index;
}

static const completion *first_of(const tut_training *t, const tut_person *person)
{
    size_t low = 0, high = t->completion_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->completions[middle].person < person)
            low = middle + 1;
        else
            high = middle;
    }
    return t->completions + low;
}

static bool is_of(const tut_training *t, const completion *c, const tut_person *person)
{
    return c < t->completions + t->completion_count && c->person == person;
}

const tut_record *tut_training_held(const tut_training *t, const tut_person *person,
                                    const tut_training_module *m, tut_time when)
{
    const tut_record *held = NULL;
    for (const completion *c = first_of(t, person); is_of(t, c, person); c++) {
        tut_time end = c->record->at + (tut_time)t->policy.valid_days * TUT_DAY_SECONDS;
        if (tut_str_eq(c->module, m->id) && !c->needs_word && !c->is_void && c->from <= when &&
            when < end)
            held = c->record;
    }
    return held;
}

/* --- assignment --- */

static bool names(tut_str word, tut_str id)
{
    if (word.len > 0 && word.data[word.len - 1] == '*')
        return tut_str_starts(id, (tut_str){word.data, word.len - 1});
    return tut_str_eq(word, id);
}

static const tut_training_assignment *assignment_of(const tut_training_policy *p, uint32_t role)
{
    for (size_t i = 0; i < p->assign_count; i++)
        if (p->assign[i].role == role)
            return &p->assign[i];
    return NULL;
}

static bool is_for_role(const tut_training *t, const tut_training_module *m, uint32_t role)
{
    const tut_training_assignment *a = assignment_of(&t->policy, role);
    if (!a)
        return m->roles & role;
    for (size_t i = 0; i < a->words.count; i++)
        if (names(a->words.items[i], m->id))
            return true;
    return false;
}

bool tut_training_is_for(const tut_training *t, const tut_training_module *m, uint32_t roles)
{
    /* An auditor who is nothing else comes from elsewhere, and is trained there. */
    if (roles != TUT_PERSON_AUDITOR && is_for_role(t, m, TUT_TRAINING_EVERYONE))
        return true;
    for (uint32_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if ((roles >> i & 1) && is_for_role(t, m, 1u << i))
            return true;
    return false;
}

static tut_status check_word(const tut_training *t, tut_str word)
{
    for (size_t i = 0; i < t->bank->count; i++)
        if (names(word, t->bank->items[i]->id))
            return TUT_SUCCESS;
    tut_error_set_path(t->err, t->system->file);
    return tut_fail(t->err, TUT_USAGE,
                    "training.assign: no module is called \"%.*s\"; tutela train list shows them",
                    (int)word.len, word.data);
}

static tut_status check_assignments(const tut_training *t)
{
    for (size_t i = 0; i < t->policy.assign_count; i++)
        for (size_t k = 0; k < t->policy.assign[i].words.count; k++)
            TUT_TRY(check_word(t, t->policy.assign[i].words.items[k]));
    return TUT_SUCCESS;
}

/* --- standings --- */

static void judge(tut_training_standing *s, const completion *best, tut_time end,
                  const completion *hurried, tut_time grace, tut_time at)
{
    s->due = end > grace ? end : grace;
    s->record = best ? best->record : NULL;
    if (best)
        s->since = best->record->at;
    if (best && end > at) {
        bool is_of_now = best->version == s->module->version;
        s->due = end;
        s->state = is_of_now ? TUT_TRAINING_CURRENT : TUT_TRAINING_DUE;
        s->why = is_of_now ? "completed" : "there is a newer version of it";
        return;
    }
    s->state = s->due > at ? TUT_TRAINING_DUE : TUT_TRAINING_LAPSED;
    s->why = best ? "ran out" : "never taken";
    if (best && best->version != s->module->version)
        s->why = "of an older version";
    if (hurried) {
        s->record = hurried->record;
        s->state = s->state == TUT_TRAINING_DUE ? TUT_TRAINING_UNCONFIRMED : s->state;
        s->why = "passed faster than the text can be read, and no trainer has signed for it";
    }
}

static void stand(const tut_training *t, const tut_person *person, const tut_training_module *m,
                  tut_training_standing *ret)
{
    const completion *best = NULL, *hurried = NULL;
    tut_time since = tut_training_in_use_since(t, m), end = 0;
    if (person->enrolled_at > since)
        since = person->enrolled_at;
    tut_training_standing s = {.person = person, .module = m, .since = since};
    for (const completion *c = first_of(t, person); is_of(t, c, person); c++) {
        if (c->is_void || !tut_str_eq(c->module, m->id))
            continue;
        tut_time ends = end_of(t, c, m);
        if (c->needs_word) {
            if (ends > t->at && c->version == m->version)
                hurried = c;
        } else if (ends > 0 && ends >= end) {
            best = c;
            end = ends;
        }
    }
    judge(&s, best, end, hurried, since + (tut_time)t->policy.grace_days * TUT_DAY_SECONDS, t->at);
    *ret = s;
}

static tut_status stand_all(tut_training *t)
{
    const tut_people *people = t->records->people;
    t->standing_count = 0;
    for (size_t i = 0; i < people->count; i++) {
        const tut_person *person = &people->items[i];
        for (size_t k = 0; person->is_active && k < t->bank->count; k++) {
            if (!tut_training_is_for(t, t->bank->items[k], person->roles))
                continue;
            if (!tut_is_ok(tut_grow(&t->standings, t->standing_count, &t->standing_capacity,
                                    sizeof(*t->standings))))
                return tut_fail(t->err, TUT_NOMEM, "memory ran out");
            stand(t, person, t->bank->items[k], &t->standings[t->standing_count++]);
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_training_load(tut_system *system, const tut_records *records, tut_time at,
                             tut_training **ret_training, tut_error *err)
{
    tut_error local = {0};
    TUT_AUTO(tut_training) t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->err = err ? err : &local;
    t->system = system;
    t->records = records;
    t->at = at;
    TUT_TRY(tut_training_policy_read(system, &t->policy, NULL, t->err));
    TUT_TRY(tut_training_bank_load(system, &t->policy, &t->bank, t->err));
    TUT_TRY(check_assignments(t));
    TUT_TRY(find_all_since(t));
    for (size_t i = 0; i < records->count; i++)
        TUT_TRY(take_completion(t, &records->items[i]));
    if (t->completion_count)
        qsort(t->completions, t->completion_count, sizeof(*t->completions), by_person);
    TUT_TRY(stand_all(t));
    t->err = NULL;
    *ret_training = tut_move(&t);
    return TUT_SUCCESS;
}

tut_status tut_training_verify(tut_training *t, tut_ledger *ledger, tut_error *err)
{
    t->err = err;
    for (size_t i = 0; i < t->completion_count; i++) {
        completion *c = &t->completions[i];
        const tut_training_module *m = tut_training_find(t->bank, c->module);
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        bool is_of_now = m && c->version == m->version &&
                         tut_sha256_eq(&c->record->subjects[0].digest, &m->digest);
        c->is_void = !tut_is_ok(tut_ledger_get_body(ledger, &c->record->body, &body, NULL)) ||
                     (is_of_now && !tut_quiz_body_passes(m, tut_buf_span(&body)));
    }
    TUT_TRY(stand_all(t));
    t->err = NULL;
    return TUT_SUCCESS;
}

/* --- what is asked of it --- */

const tut_training_standing *tut_training_lapse(const tut_training *t, const tut_person *person)
{
    for (size_t i = 0; t && t->policy.node && i < t->standing_count; i++) {
        const tut_training_standing *s = &t->standings[i];
        if (s->state == TUT_TRAINING_LAPSED && strcmp(s->person->name, person->name) == 0)
            return s;
    }
    return NULL;
}

const char *tut_training_lacks(const void *training, const tut_person *person, uint64_t index)
{
    (void)index;
    return tut_training_lapse(training, person)
               ? "training that the role asks for has lapsed; tutela train status shows which"
               : NULL;
}

const tut_training_policy *tut_training_policy_of(const tut_training *t)
{
    return &t->policy;
}

const tut_training_bank *tut_training_bank_of(const tut_training *t)
{
    return t->bank;
}

const tut_training_standing *tut_training_standings(const tut_training *t, size_t *ret_count)
{
    *ret_count = t->standing_count;
    return t->standings;
}

void tut_training_stand(const tut_training *t, const tut_person *person,
                        const tut_training_module *m, tut_training_standing *ret_standing)
{
    stand(t, person, m, ret_standing);
}
