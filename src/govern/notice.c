#include "govern/notice.h"

#include <stdio.h>

#include "base/json_write.h"
#include "base/map.h"

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
    tut_buf_add_z(out, "\n\nRisk: ");
    if (to == TUT_NOTICE_OPERATORS)
        tut_buf_printf(out, "%s. ", r->id);
    add_flat(out, r->rule->description);
    tut_buf_printf(
        out,
        "\n\nPossible impact: %s%s%s, on a scale from negligible to severe; likelihood: "
        "%s; risk that remains: %s.\n\n",
        w ? w->impact : "", w ? " Impact: " : "", tut_impact_names[r->residual.impact - 1],
        tut_likelihood_names[r->residual.likelihood - 1], tut_risk_level_names[r->residual.level]);
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

/* From one heading to the next. */
static tut_status add_sections(const tut_message *m, tut_map *map, tut_error *err)
{
    tut_str rest = tut_buf_str(&m->text);
    while (rest.len) {
        size_t at, len = rest.len;
        tut_str behind = {rest.data + 1, rest.len - 1};
        if (tut_str_find(behind, TUT_LIT("\n## "), &at))
            len = at + 2;
        TUT_TRY(tut_map_put(map, (tut_str){rest.data, len}, 0, NULL, err));
        rest = (tut_str){rest.data + len, rest.len - len};
    }
    return TUT_SUCCESS;
}

static tut_status load(const tut_ledger *ledger, const tut_records *records, tut_notice_to to,
                       tut_notices *n, tut_error *err)
{
    TUT_TRY(tut_messages_read(ledger, records, tut_notice_beginnings[to], &n->to[to], err));
    n->sections[to] = tut_alloc_array(n->to[to].count + 1, sizeof(*n->sections[to]));
    if (!n->sections[to])
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < n->to[to].count; i++)
        TUT_TRY(add_sections(&n->to[to].items[i], &n->sections[to][i], err));
    return TUT_SUCCESS;
}

tut_status tut_notices_load(const tut_ledger *ledger, const tut_records *records, tut_notices *ret,
                            tut_error *err)
{
    TUT_CLEAN(tut_notices) n = {.to = {{.items = NULL}}};
    TUT_TRY(load(ledger, records, TUT_NOTICE_OPERATORS, &n, err));
    TUT_TRY(load(ledger, records, TUT_NOTICE_USERS, &n, err));
    *ret = n;
    n = (tut_notices){.to = {{.items = NULL}}};
    return TUT_SUCCESS;
}

void tut_notices_done(tut_notices *n)
{
    for (int to = 0; to < 2; to++) {
        for (size_t i = 0; n->sections[to] && i < n->to[to].count; i++)
            tut_map_done(&n->sections[to][i]);
        tut_free(n->sections[to]);
        tut_messages_done(&n->to[to]);
    }
}

bool tut_notice_counts(const tut_message *m, tut_notice_to to)
{
    uint32_t roles = TUT_PERSON_OPERATOR | (to == TUT_NOTICE_OPERATORS ? TUT_PERSON_DEVELOPER : 0u);
    return (m->roles & roles) != 0;
}

static bool tells(const tut_notices *n, tut_notice_to to, size_t i, tut_str section)
{
    return tut_notice_counts(&n->to[to].items[i], to) &&
           tut_map_get(&n->sections[to][i], section) != SIZE_MAX;
}

static void find_receipts(const tut_notices *n, const tut_people *people, tut_str section,
                          tut_notice_standing *s)
{
    for (size_t i = 0; people && i < people->count; i++) {
        const tut_person *p = &people->items[i];
        const tut_record *receipt = NULL;
        if (!p->is_active || !(p->roles & TUT_PERSON_OPERATOR))
            continue;
        for (size_t k = 0; k < n->to[TUT_NOTICE_OPERATORS].count && !receipt; k++)
            if (tells(n, TUT_NOTICE_OPERATORS, k, section))
                receipt = tut_message_receipt(&n->to[TUT_NOTICE_OPERATORS].items[k], p->name);
        s->received += receipt != NULL;
        s->waiting += receipt == NULL;
        s->first_waiting = !receipt && !s->first_waiting ? p : s->first_waiting;
    }
}

static void find_messages(const tut_notices *n, tut_notice_to to, tut_str section,
                          const tut_message **newest, tut_time *first, bool *reached)
{
    for (size_t i = 0; i < n->to[to].count; i++) {
        const tut_message *m = &n->to[to].items[i];
        if (!tells(n, to, i, section))
            continue;
        if (!*newest || (*newest)->issued->index < m->issued->index)
            *newest = m;
        if (*first == 0 || m->issued->recorded_at < *first)
            *first = m->issued->recorded_at;
        *reached |= tut_message_channels(m) > 0;
    }
}

tut_status tut_notice_stand(const tut_notices *n, const tut_people *people, const tut_risk *r,
                            tut_notice_standing *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) to_operators = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) to_users = TUT_BUF_INIT;
    tut_notice_standing s = {.received = 0};
    tut_time told_users = 0;
    bool reached_operators = false;
    TUT_TRY(tut_notice_section(r, TUT_NOTICE_OPERATORS, &to_operators, err));
    TUT_TRY(tut_notice_section(r, TUT_NOTICE_USERS, &to_users, err));
    find_messages(n, TUT_NOTICE_OPERATORS, tut_buf_str(&to_operators), &s.operators, &s.told,
                  &reached_operators);
    find_messages(n, TUT_NOTICE_USERS, tut_buf_str(&to_users), &s.users, &told_users,
                  &s.reached_users);
    find_receipts(n, people, tut_buf_str(&to_operators), &s);
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
        tut_buf_printf(text,
                       "None of %zu risks is above what is tolerated: nothing is left to tell.",
                       t->count);
        return t->count ? TUT_RESULT_PASS : TUT_RESULT_NOT_CHECKED;
    }
    if (!has_operator(g->records->people)) {
        tut_buf_printf(text,
                       "%zu threats are unresolved, and no system operator is enrolled to be "
                       "told.",
                       c->unresolved);
        return TUT_RESULT_NOT_CHECKED;
    }
    if (c->untold) {
        tut_buf_printf(text,
                       "%zu of %zu unresolved threats were not told to operators as they are "
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
        tut_buf_printf(text,
                       "Receipts of operators lack for %zu of %zu unresolved threats, until %s.",
                       c->waiting, c->unresolved, day);
        return TUT_RESULT_NOT_CHECKED;
    }
    if (c->unreached) {
        tut_buf_printf(text,
                       "Operators have not told users of %zu of %zu unresolved threats, until "
                       "%s.",
                       c->unreached, c->unresolved, day);
        return TUT_RESULT_NOT_CHECKED;
    }
    tut_buf_printf(text,
                   "Each of %zu unresolved threats was told to operators, who signed for it, "
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
