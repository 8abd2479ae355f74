/* How bulletins stand: which are in force, who has read them, who has not. */
#include <stdlib.h>
#include <string.h>

#include "govern/bulletin.h"

static const uint32_t issuers = TUT_PERSON_TRAINER | TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR |
                                TUT_PERSON_CUSTODIAN;

static const char *const state_names[] = {"read",     "open", "overdue", "nobody",
                                          "replaced", "over", "broken"};

const char *tut_bulletin_state_name(tut_bulletin_state s)
{
    return state_names[s];
}

void tut_bulletins_done(tut_bulletins *b)
{
    for (size_t i = 0; i < b->count; i++) {
        tut_bulletin_done(&b->items[i].bulletin);
        tut_free(b->items[i].missing);
        tut_free(b->items[i].is_late);
    }
    tut_free(b->items);
    tut_messages_done(&b->messages);
    *b = (tut_bulletins){.items = NULL};
}

bool tut_bulletin_is_for(const tut_bulletin *b, const tut_person *person)
{
    return person->is_active && (b->roles & (TUT_TRAINING_EVERYONE | person->roles)) != 0;
}

bool tut_bulletin_is_in_force(const tut_bulletin_standing *s)
{
    return s->state <= TUT_BULLETIN_NOBODY;
}

static tut_time due_of(const tut_bulletin_standing *s, const tut_person *p,
                       const tut_reading_policy *policy)
{
    tut_time issued = s->message->issued->recorded_at;
    tut_time from = p->enrolled_at > issued ? p->enrolled_at : issued;
    return from + (tut_time)policy->read_days * TUT_DAY_SECONDS;
}

static tut_status find_missing(tut_bulletin_standing *s, const tut_people *people,
                               const tut_reading_policy *policy, tut_time at, tut_error *err)
{
    s->missing = tut_alloc_array(people->count + 1, sizeof(*s->missing));
    s->is_late = tut_alloc_array(people->count + 1, sizeof(*s->is_late));
    if (!s->missing || !s->is_late)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < people->count; i++) {
        const tut_person *p = &people->items[i];
        if (!tut_bulletin_is_for(&s->bulletin, p))
            continue;
        if (tut_message_receipt(s->message, p->name)) {
            s->readers++;
            continue;
        }
        tut_time due = due_of(s, p, policy);
        s->is_late[s->missing_count] = at >= due;
        s->late_count += at >= due;
        s->missing[s->missing_count++] = p;
        if (s->due == 0 || due < s->due)
            s->due = due;
    }
    return TUT_SUCCESS;
}

static tut_bulletin_state state_of(const tut_bulletin_standing *s, tut_time at)
{
    if (at >= s->until)
        return TUT_BULLETIN_OVER;
    if (s->late_count)
        return TUT_BULLETIN_OVERDUE;
    if (s->missing_count)
        return TUT_BULLETIN_OPEN;
    return s->readers ? TUT_BULLETIN_READ : TUT_BULLETIN_NOBODY;
}

static void find_end(tut_bulletin_standing *s)
{
    tut_time latest = s->message->issued->recorded_at +
                      (tut_time)TUT_BULLETIN_DAYS_MAX * TUT_DAY_SECONDS;
    s->until = s->bulletin.has_until && s->bulletin.until < latest ? s->bulletin.until : latest;
}

/* Id and version by the name of the message, which is there also when the text is lost. */
static tut_str id_of(const tut_message *m, uint64_t *ret_version)
{
    const char *name = m->name + strlen(TUT_BULLETIN_BEGINNING);
    size_t len = strcspn(name, "@");
    *ret_version = 0;
    (void)(name[len] && tut_str_u64(tut_str_of(name + len + 1), ret_version));
    return (tut_str){name, len};
}

static bool is_issued(const tut_message *m)
{
    return (m->roles & issuers) != 0;
}

/* By a later version, which was issued. */
static bool is_replaced(const tut_bulletins *all, const tut_bulletin_standing *s)
{
    uint64_t version, other;
    tut_str id = id_of(s->message, &version);
    for (size_t i = 0; i < all->messages.count; i++)
        if (is_issued(&all->messages.items[i]) &&
            tut_str_eq(id, id_of(&all->messages.items[i], &other)) && version < other)
            return true;
    return false;
}

static tut_status stand(const tut_bulletins *all, const tut_reading_policy *policy, tut_time at,
                        tut_bulletin_standing *s, tut_error *err)
{
    const tut_message *m = s->message;
    tut_error why = {0};
    find_end(s);
    (void)id_of(m, &s->version);
    s->state = is_replaced(all, s) ? TUT_BULLETIN_REPLACED : TUT_BULLETIN_OVER;
    if (s->state == TUT_BULLETIN_REPLACED || at >= s->until)
        return TUT_SUCCESS; /* what is over is not parsed: there is more of it every year */
    s->state = TUT_BULLETIN_BROKEN;
    tut_status status = tut_bulletin_parse(m->name, tut_buf_str(&m->text), &s->bulletin, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(err, status.code, "%s", why.text);
    if (!tut_is_ok(status) || strcmp(s->bulletin.name, m->name) != 0)
        return TUT_SUCCESS;
    find_end(s);
    TUT_TRY(find_missing(s, all->messages.records->people, policy, at, err));
    s->state = state_of(s, at);
    return TUT_SUCCESS;
}

tut_status tut_bulletins_load(const tut_ledger *ledger, const tut_records *records,
                              const tut_reading_policy *policy, tut_time at, tut_bulletins *ret,
                              tut_error *err)
{
    TUT_CLEAN(tut_bulletins) b = {.items = NULL};
    TUT_TRY(tut_messages_read(ledger, records, TUT_BULLETIN_BEGINNING, &b.messages, err));
    b.items = tut_alloc_array(b.messages.count + 1, sizeof(*b.items));
    if (!b.items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < b.messages.count; i++)
        if (is_issued(&b.messages.items[i])) {
            b.items[b.count] = (tut_bulletin_standing){.message = &b.messages.items[i]};
            TUT_TRY(stand(&b, policy, at, &b.items[b.count++], err));
        }
    *ret = b;
    b = (tut_bulletins){.items = NULL};
    return TUT_SUCCESS;
}

const tut_bulletin_standing *tut_bulletins_find(const tut_bulletins *b, const char *word)
{
    const tut_bulletin_standing *found = NULL;
    for (size_t i = 0; i < b->count; i++) {
        const tut_bulletin_standing *s = &b->items[i];
        uint64_t version;
        if (strcmp(s->message->name + strlen(TUT_BULLETIN_BEGINNING), word) == 0)
            return s;
        if (tut_str_eq_z(id_of(s->message, &version), word) &&
            (!found || found->version < s->version))
            found = s;
    }
    return found;
}
