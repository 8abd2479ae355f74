#include "govern/oversight.h"

#include <stdio.h>
#include <string.h>

#include "assess/tool.h"
#include "assets/schema.h"
#include "ledger/people.h"
#include "state/records.h"

enum { DAYS_MAX = 366, READ_MOST = 8 /* of the newest entries about one test */ };

static const struct {
    const char *check, *command;
    uint32_t days;
} tests[TUT_OVERSIGHT_TESTS] = {
    [TUT_OVERSIGHT_BLOCK] = {"guard.block-test", "tutela guard check", 7},
    [TUT_OVERSIGHT_APPROVALS] = {"guard.approvals", "tutela approvals review", 30},
    [TUT_OVERSIGHT_STOP] = {"guard.stop-switch", "tutela guard stop --drill --by PERSON", 30},
};

const char *tut_oversight_check(tut_oversight_test t)
{
    return tests[t].check;
}

const char *tut_oversight_command(tut_oversight_test t)
{
    return tests[t].command;
}

bool tut_oversight_find(tut_str check, tut_oversight_test *ret_test)
{
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        if (tut_str_eq_z(check, tests[i].check)) {
            *ret_test = (tut_oversight_test)i;
            return true;
        }
    }
    return false;
}

const char *tut_oversight_state_name(tut_oversight_state s)
{
    static const char *const names[TUT_OVERSIGHT_STATES] = {"current", "empty",   "failed",
                                                            "overdue", "changed", "never"};
    return names[s];
}

bool tut_oversight_is_due(const tut_oversight_item *i)
{
    return i->state != TUT_OVERSIGHT_CURRENT && i->state != TUT_OVERSIGHT_EMPTY;
}

/* --- oversight: of tutela.yaml --- */

static tut_status unknown(tut_schema *s, uint32_t line, uint32_t column, tut_str word)
{
    return tut_schema_fail(s, line, column, (uint32_t)word.len,
                           "\"%.*s\" is no test of oversight; they are: guard.block-test "
                           "guard.approvals guard.stop-switch",
                           (int)word.len, word.data);
}

static tut_status read_every(tut_schema *s, const tut_yaml_node *map, tut_oversight_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    tut_oversight_test test;
    uint64_t days = 0;
    if (tut_schema_is_absent(map))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, map, "every"));
    for (const tut_yaml_node *n = tut_yaml_first(y, map); n; n = tut_yaml_next(y, n)) {
        if (!tut_oversight_find(n->key, &test))
            return unknown(s, n->key_line, n->key_column, n->key);
        if (n->type != TUT_YAML_SCALAR || !tut_str_u64(n->text, &days) || days < 1 ||
            days > DAYS_MAX)
            return tut_schema_fail_node(s, n, "is a number of days, from 1 to %d", DAYS_MAX);
        p->every_days[test] = (uint32_t)days;
    }
    return TUT_SUCCESS;
}

static tut_status read_unattended(tut_schema *s, const tut_yaml_node *list, tut_oversight_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    tut_oversight_test test;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "unattended"));
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        if (n->type != TUT_YAML_SCALAR || !tut_oversight_find(n->text, &test))
            return tut_schema_fail_node(s, n,
                                        "is no test of oversight; they are: guard.block-test "
                                        "guard.approvals guard.stop-switch");
        if (test == TUT_OVERSIGHT_STOP)
            return tut_schema_fail_node(s, n,
                                        "a drill of the stop switch turns people away, and a "
                                        "person signs it; it is never run unattended");
        p->unattended[test] = true;
    }
    return TUT_SUCCESS;
}

tut_status tut_oversight_policy_read(tut_system *system, tut_oversight_policy *ret_policy,
                                     tut_buf *ret_shown, tut_error *err)
{
    static const tut_field fields[] = {
        {"every", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"unattended", TUT_FIELD_OTHER, 0, 0, false, NULL},
    };
    tut_error local = {0};
    tut_oversight_policy p = {.node = NULL};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *n = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "oversight");
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        p.every_days[i] = tests[i].days;
    if (!tut_schema_is_absent(n)) {
        p.node = n;
        TUT_TRY(tut_schema_read(&s, n, fields, TUT_COUNT(fields), &p, "oversight", "oversight"));
        TUT_TRY(read_every(&s, tut_yaml_get(system->yaml, n, "every"), &p));
        TUT_TRY(read_unattended(&s, tut_yaml_get(system->yaml, n, "unattended"), &p));
    }
    *ret_policy = p;
    return TUT_SUCCESS;
}

/* --- what the log says --- */

typedef struct looking {
    const tut_system *system;
    tut_ledger *ledger;
    tut_time at;
    tut_error *err;
} looking;

/* The newest entries that the query finds, as records. */
static tut_status read_newest(const looking *l, const char *kind, const char *asset,
                              tut_records **ret, tut_places *places)
{
    const tut_index_query query = {.kind = kind, .asset = asset, .to = l->at};
    TUT_TRY(tut_state_search(l->ledger, &query, places, NULL, l->err));
    if (places->count > READ_MOST) {
        memmove(places->items, places->items + places->count - READ_MOST,
                READ_MOST * sizeof(*places->items));
        places->count = READ_MOST;
    }
    return tut_state_read_at(l->ledger, places->items, places->count, ret, l->err);
}

static bool is_signed_by_tool(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].is_tool && r->signers[i].counts)
            return true;
    return false;
}

static bool is_sound(const looking *l, const tut_record *r)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    if (r->doubt || r->subject_count == 0)
        return false;
    if (r->type == TUT_RECORD_EVENT)
        return true;
    return is_signed_by_tool(r) && r->has_body &&
           tut_is_ok(tut_ledger_get_body(l->ledger, &r->body, &body, NULL));
}

static bool is_of_now(const looking *l, const tut_record *r)
{
    return tut_sha256_eq(&r->subjects[0].digest, &l->system->digest);
}

static void take(const looking *l, const tut_record *r, tut_oversight_item *item)
{
    bool is_now = is_of_now(l, r);
    bool was_now = item->state != TUT_OVERSIGHT_NEVER && item->state != TUT_OVERSIGHT_CHANGED;
    if (was_now && (!is_now || r->at < item->since))
        return;
    item->since = r->at;
    item->index = r->index;
    item->due = is_now ? r->at + (tut_time)item->every_days * TUT_DAY_SECONDS : 0;
    if (!is_now)
        item->state = TUT_OVERSIGHT_CHANGED;
    else if (r->type == TUT_RECORD_EVIDENCE && r->result != TUT_RESULT_PASS)
        item->state = TUT_OVERSIGHT_FAILED;
    else if (item->due <= l->at)
        item->state = TUT_OVERSIGHT_OVERDUE;
    else
        item->state = r->type == TUT_RECORD_EVENT ? TUT_OVERSIGHT_EMPTY : TUT_OVERSIGHT_CURRENT;
}

static tut_status take_all(const looking *l, const char *kind, const char *asset,
                           tut_oversight_item *item)
{
    TUT_AUTO(tut_records) records = NULL;
    tut_places places = {.items = NULL};
    tut_status status = read_newest(l, kind, asset, &records, &places);
    for (size_t i = 0; tut_is_ok(status) && i < places.count; i++) {
        const tut_record *r = tut_records_at(records, places.items[i]);
        if (r && is_sound(l, r))
            take(l, r, item);
    }
    tut_places_done(&places);
    return status;
}

/* Who began again what the drill had stopped: the last who signed that before the evidence. */
static tut_status find_driller(const looking *l, tut_oversight_item *item)
{
    TUT_AUTO(tut_records) records = NULL;
    tut_places places = {.items = NULL};
    tut_status status = read_newest(l, "guard.resumed", NULL, &records, &places);
    for (size_t i = 0; tut_is_ok(status) && i < places.count; i++) {
        const tut_record *r = tut_records_at(records, places.items[i]);
        for (size_t k = 0; r && r->index < item->index && k < r->signer_count; k++)
            if (r->signers[k].counts && !r->signers[k].is_tool && r->signers[k].name)
                tut_str_copy(item->actor, sizeof(item->actor), tut_str_of(r->signers[k].name));
    }
    tut_places_done(&places);
    return status;
}

static tut_status find_told(const looking *l, const char *subject, tut_oversight_item *item)
{
    TUT_AUTO(tut_records) records = NULL;
    tut_places places = {.items = NULL};
    tut_status status = read_newest(l, TUT_EVENT_OVERSIGHT_MISSED, subject, &records, &places);
    for (size_t i = 0; tut_is_ok(status) && i < places.count; i++) {
        const tut_record *r = tut_records_at(records, places.items[i]);
        if (r && !r->doubt && r->subject_count && is_of_now(l, r) && r->at >= item->since)
            item->is_told = true;
    }
    tut_places_done(&places);
    return status;
}

/* A review says three things at once, and fails where one of them does. */
static tut_status take_reviewers(const looking *l, tut_oversight_item *item)
{
    static const char *const kinds[] = {"guard.reviewers", "guard.reviewer-view"};
    for (size_t i = 0; i < TUT_COUNT(kinds); i++) {
        tut_oversight_item other = {.test = item->test,
                                    .state = TUT_OVERSIGHT_NEVER,
                                    .every_days = item->every_days,
                                    .index = UINT64_MAX};
        TUT_TRY(take_all(l, kinds[i], NULL, &other));
        if (other.state == TUT_OVERSIGHT_FAILED && other.since >= item->since &&
            item->state != TUT_OVERSIGHT_NEVER && item->state != TUT_OVERSIGHT_CHANGED) {
            item->state = TUT_OVERSIGHT_FAILED;
            item->index = other.index;
        }
    }
    return TUT_SUCCESS;
}

static tut_status look_at(const looking *l, tut_oversight_item *item)
{
    char subject[64];
    (void)snprintf(subject, sizeof(subject), "oversight/%s", tests[item->test].check);
    tut_str_copy(item->actor, sizeof(item->actor), TUT_LIT("tool"));
    TUT_TRY(take_all(l, tests[item->test].check, NULL, item));
    TUT_TRY(take_all(l, TUT_EVENT_OVERSIGHT_EMPTY, subject, item));
    if (item->test == TUT_OVERSIGHT_APPROVALS)
        TUT_TRY(take_reviewers(l, item));
    if (item->test == TUT_OVERSIGHT_STOP && item->index != UINT64_MAX)
        TUT_TRY(find_driller(l, item));
    return find_told(l, subject, item);
}

tut_status tut_oversight_look(tut_system *system, tut_ledger *ledger, tut_time at,
                              tut_oversight *ret, tut_error *err)
{
    tut_oversight o = {.policy.node = NULL};
    const looking l = {.system = system, .ledger = ledger, .at = at, .err = err};
    TUT_TRY(tut_oversight_policy_read(system, &o.policy, NULL, err));
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        o.items[i] = (tut_oversight_item){.test = (tut_oversight_test)i,
                                          .state = TUT_OVERSIGHT_NEVER,
                                          .every_days = o.policy.every_days[i],
                                          .unattended = o.policy.unattended[i],
                                          .index = UINT64_MAX};
        TUT_TRY(look_at(&l, &o.items[i]));
    }
    *ret = o;
    return TUT_SUCCESS;
}

/* --- what the log is told --- */

static tut_status tell(const tut_system *system, tut_ledger *ledger, const char *kind,
                       tut_oversight_test test, const char *statement, uint64_t *ret_index,
                       tut_error *err)
{
    char name[64];
    const tut_subject subject = {.name = name, .digest = system->digest};
    (void)snprintf(name, sizeof(name), "oversight/%s", tests[test].check);
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = kind,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = "tool",
                    .statement = statement};
    TUT_TRY(tut_tool_append(ledger, &r, (tut_span){0}, NULL, err));
    if (ret_index)
        *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_oversight_tell_missed(const tut_system *system, tut_ledger *ledger,
                                     const tut_oversight *o, tut_error *err)
{
    char text[256], day[TUT_TIME_TEXT];
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        const tut_oversight_item *item = &o->items[i];
        if (item->state != TUT_OVERSIGHT_OVERDUE || item->is_told)
            continue;
        tut_time_date(item->due, day);
        (void)snprintf(text, sizeof(text),
                       "%s was to be run every %u days, and was not by %s: oversight is not shown "
                       "to work since.",
                       tests[i].check, item->every_days, day);
        TUT_TRY(tell(system, ledger, TUT_EVENT_OVERSIGHT_MISSED, item->test, text, NULL, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_oversight_tell_empty(const tut_system *system, tut_ledger *ledger,
                                    tut_oversight_test test, uint64_t *ret_index, tut_error *err)
{
    char text[160];
    (void)snprintf(text, sizeof(text),
                   "%s was run, and there was nothing to look at: no evidence of it.",
                   tests[test].check);
    return tell(system, ledger, TUT_EVENT_OVERSIGHT_EMPTY, test, text, ret_index, err);
}
