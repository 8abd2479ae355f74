#include "assess/overrides.h"

#include <string.h>

#include "assess/evaluate_internal.h"
#include "ledger/people.h"

static const char *const state_names[TUT_OVERRIDE_STATES] = {"in_force", "waiting", "lapsed",
                                                             "other_description", "void"};

const char *tut_override_state_name(tut_override_state s)
{
    return state_names[s];
}

tut_status tut_override_id(const char *gate, const tut_sha256 *description, tut_time expires,
                           const char *reason, tut_sha256 *ret_id, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "tutela/override/1\n%s\n%lld\n", gate, (long long)expires);
    tut_buf_add(&text, description->bytes, sizeof(description->bytes));
    tut_buf_add_z(&text, reason);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_sha256_of(tut_buf_span(&text), ret_id, err);
}

static bool is_override(const tut_record *r)
{
    size_t len = strlen(TUT_CHECK_OVERRIDE);
    return r->type == TUT_RECORD_EVIDENCE &&
           strncmp(r->check, TUT_CHECK_OVERRIDE "/", len + 1) == 0;
}

/* The record says what its id is the digest of: so all records of one id say the same. */
static bool is_of_one_piece(const tut_record *r)
{
    tut_sha256 id;
    size_t len = strlen(TUT_SUBJECT_GATE);
    return r->subject_count == 2 && strncmp(r->subjects[0].name, TUT_SUBJECT_GATE, len) == 0 &&
           strcmp(r->subjects[1].name, TUT_SUBJECT_SYSTEM) == 0 &&
           tut_is_ok(tut_override_id(r->subjects[0].name + len, &r->subjects[1].digest, r->expires,
                                     r->statement, &id, NULL)) &&
           tut_sha256_eq(&id, &r->subjects[0].digest);
}

static tut_override *of_id(tut_override *list, size_t count, const tut_sha256 *id)
{
    for (size_t i = 0; i < count; i++)
        if (tut_sha256_eq(&list[i].id, id))
            return &list[i];
    return NULL;
}

static void add_person(tut_override *o, const tut_record_signer *s)
{
    if (!s->counts || s->is_tool || !s->name || o->by_count == TUT_OVERRIDE_PEOPLE)
        return;
    for (size_t i = 0; i < o->by_count; i++)
        if (strcmp(o->by[i], s->name) == 0)
            return;
    o->roles[o->by_count] = s->roles;
    o->by[o->by_count++] = s->name;
}

static void take(tut_override *o, const tut_record *r)
{
    if (o->entry_count < TUT_OVERRIDE_PEOPLE)
        o->entries[o->entry_count++] = r->index;
    for (size_t i = 0; !r->doubt && i < r->signer_count; i++)
        add_person(o, &r->signers[i]);
}

/* Two people, and two roles between them: to enrol others is no role in the work. */
static bool has_two_roles(const tut_override *o)
{
    uint32_t any = 0;
    size_t people = 0;
    for (size_t i = 0; i < o->by_count; i++) {
        uint32_t roles = o->roles[i] & ~(uint32_t)TUT_PERSON_ROOT;
        any |= roles;
        people += roles != 0;
    }
    return people >= 2 && (any & (any - 1)) != 0;
}

static tut_override_state state_of(const tut_override *o, tut_time at,
                                   const tut_sha256 *description)
{
    if (o->by_count == 0)
        return TUT_OVERRIDE_VOID;
    if (at >= o->expires)
        return TUT_OVERRIDE_LAPSED;
    if (!description || !tut_sha256_eq(&o->description, description))
        return TUT_OVERRIDE_OTHER;
    return has_two_roles(o) ? TUT_OVERRIDE_IN_FORCE : TUT_OVERRIDE_WAITING;
}

tut_status tut_overrides_find(const tut_records *records, tut_time at,
                              const tut_sha256 *description, tut_override **ret_overrides,
                              size_t *ret_count, tut_error *err)
{
    TUT_AUTO_FREE tut_override *list = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        if (!is_override(r) || !is_of_one_piece(r))
            continue;
        tut_override *o = of_id(list, count, &r->subjects[0].digest);
        if (!o) {
            if (!tut_is_ok(tut_grow(&list, count, &capacity, sizeof(*list))))
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            o = &list[count++];
            *o = (tut_override){.gate = r->subjects[0].name + strlen(TUT_SUBJECT_GATE),
                                .reason = r->statement,
                                .id = r->subjects[0].digest,
                                .description = r->subjects[1].digest,
                                .since = r->at,
                                .expires = r->expires};
        }
        take(o, r);
    }
    for (size_t i = 0; i < count; i++)
        list[i].state = state_of(&list[i], at, description);
    *ret_overrides = tut_move(&list);
    *ret_count = count;
    return TUT_SUCCESS;
}

tut_status tut_overrides_load(tut_evaluation *e)
{
    tut_assessment *a = e->a;
    return tut_overrides_find(a->records, a->evaluated_at, e->has_system ? &e->system_digest : NULL,
                              &a->overrides, &a->override_count, e->err);
}

static void put_person(const tut_override *o, size_t i, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "name", o->by[i]);
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (size_t r = 0; r < TUT_PERSON_ROLE_COUNT; r++)
        if (o->roles[i] & (1u << r))
            tut_json_z(j, tut_person_roles[r]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_override(const tut_override *o, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "gate", o->gate);
    tut_json_put_z(j, "state", tut_override_state_name(o->state));
    tut_json_put_z(j, "reason", o->reason);
    tut_json_put_time(j, "since", o->since);
    tut_json_put_time(j, "expires", o->expires);
    tut_json_key(j, "description");
    tut_json_sha256(j, o->description.bytes);
    tut_json_key(j, "people");
    tut_json_array(j);
    for (size_t i = 0; i < o->by_count; i++)
        put_person(o, i, j);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < o->entry_count; i++)
        tut_json_u64(j, o->entries[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

void tut_overrides_json(const tut_override *o, size_t count, tut_json *j)
{
    tut_json_key(j, "overrides");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        put_override(&o[i], j);
    tut_json_end_array(j);
}

void tut_override_line(const tut_override *o, tut_buf *out)
{
    static const char *const words[TUT_OVERRIDE_STATES] = {
        "in force", "waits for a second person in another role", "lapsed",
        "was for another tutela.yaml", "signed by nobody whose key counts"};
    char day[TUT_TIME_TEXT];
    tut_time_date(o->expires, day);
    tut_buf_printf(out, "gate %s, until %s (%s)", o->gate, day, words[o->state]);
    for (size_t i = 0; i < o->by_count; i++)
        tut_buf_printf(out, "%s%s", i == 0 ? ", by " : " and ", o->by[i]);
    tut_buf_printf(out, ": %s", o->reason);
}
