#include "govern/notice.h"

#include <stdio.h>

#include "base/json_write.h"

const char *const tut_notice_beginnings[2] = {"notice/operators/", "notice/users/"};

static const struct words {
    const char *threat, *impact, *watch;
} words[] = {
#define NOTICE_THREAT(word, impact, watch) {word, impact, watch},
#include "govern/notices.def"
#undef NOTICE_THREAT
};

/* --- what is told --- */

static const struct words *words_of(tut_str threat)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (tut_str_eq_z(threat, words[i].threat))
            return &words[i];
    return NULL;
}

/* Text of rules may be folded over lines. */
static void add_flat(tut_buf *out, tut_str text)
{
    text = tut_str_trim(text);
    for (size_t i = 0; i < text.len; i++)
        tut_buf_add_byte(out, text.data[i] == '\n' || text.data[i] == '\r' ? ' '
                                                                           : (uint8_t)text.data[i]);
}

static void add_open_controls(const tut_risk *r, tut_buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < r->mitigation_count; i++) {
        const tut_risk_mitigation *m = &r->mitigations[i];
        if (m->counted == TUT_COUNTED)
            continue;
        tut_buf_add_z(out, count++ ? "; " : " Not proved: ");
        add_flat(out, m->mitigation->title);
    }
    if (count)
        tut_buf_add_byte(out, '.');
}

tut_status tut_notice_section(const tut_risk *r, tut_notice_to to, tut_buf *out, tut_error *err)
{
    const struct words *w = words_of(r->rule->threat);
    tut_buf_add_z(out, "## ");
    add_flat(out, r->rule->title);
    tut_buf_printf(out, "\n\nRisk: %s. ", r->id);
    add_flat(out, r->rule->description);
    tut_buf_printf(out, "\n\nPossible impact: %s (%s; likelihood %s, what remains: %s). %s\n\n",
                   tut_impact_names[r->residual.impact - 1], "of negligible to severe",
                   tut_likelihood_names[r->residual.likelihood - 1],
                   tut_risk_level_names[r->residual.level], w ? w->impact : "");
    tut_buf_add_z(out, "What to do or watch: ");
    if (to == TUT_NOTICE_OPERATORS) {
        add_flat(out, r->rule->advice);
        add_open_controls(r, out);
    } else {
        tut_buf_add_z(out, w ? w->watch : "Report to the operator what you did not expect.");
    }
    tut_buf_add_z(out, "\n\n");
    return tut_buf_check(out, err);
}

tut_status tut_notice_name(tut_str text, tut_notice_to to, char ret_name[TUT_NOTICE_NAME],
                           tut_error *err)
{
    tut_sha256 digest;
    char hex[TUT_SHA256_HEX];
    TUT_TRY(tut_sha256_of(tut_span_of(text.data, text.len), &digest, err));
    tut_sha256_hex(&digest, hex);
    (void)snprintf(ret_name, TUT_NOTICE_NAME, "%s%.12s", tut_notice_beginnings[to], hex);
    return TUT_SUCCESS;
}

/* --- on record --- */

tut_status tut_notices_load(const tut_ledger *ledger, const tut_records *records, tut_notices *ret,
                            tut_error *err)
{
    TUT_CLEAN(tut_notices) n = {.to = {{.items = NULL}}};
    for (int to = 0; to < 2; to++)
        TUT_TRY(tut_messages_read(ledger, records, tut_notice_beginnings[to], &n.to[to], err));
    *ret = n;
    n = (tut_notices){.to = {{.items = NULL}}};
    return TUT_SUCCESS;
}

void tut_notices_done(tut_notices *n)
{
    for (int to = 0; to < 2; to++)
        tut_messages_done(&n->to[to]);
}

bool tut_notice_counts(const tut_message *m, tut_notice_to to)
{
    uint32_t roles = TUT_PERSON_OPERATOR | (to == TUT_NOTICE_OPERATORS ? TUT_PERSON_DEVELOPER : 0u);
    return (m->roles & roles) != 0;
}

bool tut_notice_tells(const tut_message *m, tut_str section)
{
    size_t at;
    return tut_str_find(tut_buf_str(&m->text), section, &at);
}

static const tut_message *find_telling(const tut_notices *n, tut_notice_to to, tut_str section,
                                       const char *received_by)
{
    const tut_message *found = NULL;
    for (size_t i = 0; i < n->to[to].count; i++) {
        const tut_message *m = &n->to[to].items[i];
        if (!tut_notice_counts(m, to) || !tut_notice_tells(m, section) ||
            (received_by && !tut_message_receipt(&n->to[to], m, received_by)))
            continue;
        if (!found || found->issued->index < m->issued->index)
            found = m;
    }
    return found;
}

static void find_receipts(const tut_notices *n, const tut_people *people, tut_str section,
                          tut_notice_standing *s)
{
    for (size_t i = 0; people && i < people->count; i++) {
        const tut_person *p = &people->items[i];
        if (!p->is_active || !(p->roles & TUT_PERSON_OPERATOR))
            continue;
        if (find_telling(n, TUT_NOTICE_OPERATORS, section, p->name)) {
            s->received++;
            continue;
        }
        s->waiting++;
        s->first_waiting = s->first_waiting ? s->first_waiting : p;
    }
}

static bool reached(const tut_notices *n, tut_str section)
{
    for (size_t i = 0; i < n->to[TUT_NOTICE_USERS].count; i++) {
        const tut_message *m = &n->to[TUT_NOTICE_USERS].items[i];
        if (tut_notice_counts(m, TUT_NOTICE_USERS) && tut_notice_tells(m, section) &&
            tut_message_channels(m) > 0)
            return true;
    }
    return false;
}

static tut_time first_told(const tut_notices *n, tut_str section)
{
    tut_time first = 0;
    for (size_t i = 0; i < n->to[TUT_NOTICE_OPERATORS].count; i++) {
        const tut_message *m = &n->to[TUT_NOTICE_OPERATORS].items[i];
        tut_time at = m->issued->recorded_at;
        if (tut_notice_counts(m, TUT_NOTICE_OPERATORS) && tut_notice_tells(m, section) &&
            (first == 0 || at < first))
            first = at;
    }
    return first;
}

tut_status tut_notice_stand(const tut_notices *n, const tut_people *people, const tut_risk *r,
                            tut_notice_standing *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) to_operators = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) to_users = TUT_BUF_INIT;
    tut_notice_standing s = {.received = 0};
    TUT_TRY(tut_notice_section(r, TUT_NOTICE_OPERATORS, &to_operators, err));
    TUT_TRY(tut_notice_section(r, TUT_NOTICE_USERS, &to_users, err));
    s.operators = find_telling(n, TUT_NOTICE_OPERATORS, tut_buf_str(&to_operators), NULL);
    s.users = find_telling(n, TUT_NOTICE_USERS, tut_buf_str(&to_users), NULL);
    s.told = first_told(n, tut_buf_str(&to_operators));
    find_receipts(n, people, tut_buf_str(&to_operators), &s);
    s.reached_users = reached(n, tut_buf_str(&to_users));
    *ret = s;
    return TUT_SUCCESS;
}

/* --- threats.notices --- */

typedef struct tally {
    size_t unresolved, untold, waiting, unreached, late;
    const tut_risk *first_untold, *first_waiting, *first_unreached, *first_late;
    const tut_person *waits_for;
    tut_time due; /* the first day on which waiting becomes lateness */
} tally;

static void count_one(tally *t, const tut_risk *r, const tut_notice_standing *s, tut_time at)
{
    tut_time due = s->told + (tut_time)TUT_NOTICE_DAYS * TUT_DAY_SECONDS;
    bool waits = s->waiting > 0, is_unreached = !s->reached_users;
    t->unresolved++;
    if (!s->operators) {
        t->untold++;
        t->first_untold = t->first_untold ? t->first_untold : r;
        return;
    }
    if (!waits && !is_unreached)
        return;
    if (waits && !t->first_waiting) {
        t->first_waiting = r;
        t->waits_for = s->first_waiting;
    }
    t->waiting += waits;
    t->unreached += is_unreached;
    t->first_unreached = is_unreached && !t->first_unreached ? r : t->first_unreached;
    if (at >= due) {
        t->late++;
        t->first_late = t->first_late ? t->first_late : r;
    } else if (t->due == 0 || due < t->due) {
        t->due = due;
    }
}

static tut_status count(const tut_governing *g, const tut_threats *t, const tut_notices *n,
                        tally *ret)
{
    for (size_t i = 0; i < t->count; i++) {
        tut_notice_standing s;
        if (!tut_risk_is_unresolved(&t->risks[i]))
            continue;
        TUT_TRY(tut_notice_stand(n, g->records->people, &t->risks[i], &s, g->err));
        count_one(ret, &t->risks[i], &s, g->at);
    }
    return TUT_SUCCESS;
}

static bool has_operator(const tut_people *people)
{
    for (size_t i = 0; people && i < people->count; i++)
        if (people->items[i].is_active && (people->items[i].roles & TUT_PERSON_OPERATOR))
            return true;
    return false;
}

static tut_result judge(const tut_governing *g, const tut_threats *t, const tally *c, tut_buf *text)
{
    char day[TUT_TIME_TEXT];
    tut_time_date(c->due, day);
    if (g->system->component_count == 0) {
        tut_buf_add_z(text, "No component is described, so no threat is known.");
        return TUT_RESULT_NOT_CHECKED;
    }
    if (c->unresolved == 0) {
        tut_buf_printf(text, "None of %zu risks is above what is tolerated: nothing is left to tell.",
                       t->count);
        return TUT_RESULT_PASS;
    }
    if (!has_operator(g->records->people)) {
        tut_buf_printf(text, "%zu threats are unresolved, and no system operator is enrolled to be "
                             "told.",
                       c->unresolved);
        return TUT_RESULT_NOT_CHECKED;
    }
    if (c->untold) {
        tut_buf_printf(text, "%zu of %zu unresolved threats were not told to operators as they are "
                             "now: %s%s.",
                       c->untold, c->unresolved, c->first_untold->id,
                       c->untold > 1 ? " and others" : "");
        return TUT_RESULT_FAIL;
    }
    if (c->late) {
        tut_buf_printf(text, "More than %d days after operators were told of %s, ", TUT_NOTICE_DAYS,
                       c->first_late->id);
        if (c->waits_for) {
            tut_buf_add_z(text, "a receipt lacks of ");
            tut_buf_add_escaped(text, tut_str_of(c->waits_for->name), 60);
            tut_buf_add_z(text, c->unreached ? ", and " : ".");
        }
        tut_buf_add_z(text, c->unreached ? "users were not told." : "");
        return TUT_RESULT_FAIL;
    }
    if (c->waiting) {
        tut_buf_printf(text, "Receipts of operators lack for %zu of %zu unresolved threats, until %s.",
                       c->waiting, c->unresolved, day);
        return TUT_RESULT_NOT_CHECKED;
    }
    if (c->unreached) {
        tut_buf_printf(text, "Operators have not told users of %zu of %zu unresolved threats, until "
                             "%s.",
                       c->unreached, c->unresolved, day);
        return TUT_RESULT_NOT_CHECKED;
    }
    tut_buf_printf(text, "Each of %zu unresolved threats was told to operators, who signed for it, "
                         "and by them to users.",
                   c->unresolved);
    return TUT_RESULT_PASS;
}

static tut_status write_body(const tut_governing *g, const tut_threats *t, const tut_notices *n,
                             tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.notices/1");
    tut_json_key(j, "risks");
    tut_json_array(j);
    for (size_t i = 0; i < t->count; i++) {
        tut_notice_standing s;
        if (!tut_risk_is_unresolved(&t->risks[i]))
            continue;
        TUT_TRY(tut_notice_stand(n, g->records->people, &t->risks[i], &s, g->err));
        tut_json_object(j);
        tut_json_put_z(j, "risk", t->risks[i].id);
        tut_json_put_z(j, "residual", tut_risk_level_names[t->risks[i].residual.level]);
        tut_json_put_z(j, "operators", s.operators ? s.operators->name : NULL);
        tut_json_put_u64(j, "received_by", s.received);
        tut_json_put_u64(j, "waiting", s.waiting);
        tut_json_put_z(j, "users", s.users ? s.users->name : NULL);
        tut_json_put_bool(j, "users_reached", s.reached_users);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, g->err);
}

tut_status tut_notices_attest(tut_governing *g, const tut_threats *t)
{
    TUT_CLEAN(tut_notices) n = {.to = {{.items = NULL}}};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tally c = {.unresolved = 0};
    TUT_TRY(tut_notices_load(g->ledger, g->records, &n, g->err));
    TUT_TRY(count(g, t, &n, &c));
    TUT_TRY(write_body(g, t, &n, &body));
    tut_attestation a = {.check = "threats.notices", .result = judge(g, t, &c, &text)};
    a.statement = tut_buf_z(&text);
    a.body = tut_buf_span(&body);
    return a.statement ? tut_govern_attest(g, &a, NULL)
                       : tut_fail(g->err, TUT_NOMEM, "memory ran out");
}
