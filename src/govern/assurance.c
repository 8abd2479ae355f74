/* Outside owners, and their packs. */
#include "govern/assurance.h"

#include <string.h>

#include "assess/tool.h"
#include "base/json.h"
#include "ledger/people.h"
#include "pack/given.h"

#define CLAUSE "5.1.3-3"

void tut_outside_owners_done(tut_outside_owners *o)
{
    tut_free(o->items);
    *o = (tut_outside_owners){.items = NULL};
}

static tut_status add(tut_outside_owners *o, tut_outside_owner one, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&o->items, o->count, &o->capacity, sizeof(*o->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    o->items[o->count++] = one;
    return TUT_SUCCESS;
}

tut_status tut_outside_owners_find(const tut_system *system, const tut_threat_policy *policy,
                                   tut_outside_owners *ret, tut_error *err)
{
    TUT_CLEAN(tut_outside_owners) o = {.items = NULL};
    for (size_t i = 0; i < policy->treatment_count; i++) {
        const tut_threat_treatment *t = &policy->treatments[i];
        if (tut_str_eq_z(t->treatment, "transfer"))
            TUT_TRY(add(&o, (tut_outside_owner){.name = t->owner, .risk = t->risk}, err));
    }
    for (size_t i = 0; i < system->asset_count; i++) {
        const tut_asset *a = &system->assets[i];
        if (a->kind == TUT_KIND_SERVICE && a->is_external)
            TUT_TRY(
                add(&o, (tut_outside_owner){.name = a->supplier, .from = tut_str_of(a->id)}, err));
    }
    *ret = o;
    o = (tut_outside_owners){.items = NULL};
    return TUT_SUCCESS;
}

/* --- an owner's pack --- */

typedef struct assuring {
    const tut_assuring *how;
    tut_pack_given given;
    tut_assured found;
    tut_error *err;
} assuring;

void tut_assured_done(tut_assured *a)
{
    tut_free(a->words);
    *a = (tut_assured){.words = NULL};
}

static void assuring_done(assuring *m)
{
    tut_pack_given_done(&m->given);
    tut_assured_done(&m->found);
}

static tut_status refuse(assuring *m, const char *why)
{
    tut_error_set_path(m->err, m->how->path);
    return tut_fail(m->err, TUT_DENIED, "%s", why);
}

/* As with a provider's pack (pack/import.h): a duty that is not met there, or a bad grade, is no
 * assurance; one that shows too little wants a reason. */
static tut_status weigh(assuring *m)
{
    const tut_assuring *how = m->how;
    tut_str grade = tut_json_get_text(tut_json_get(m->given.summary, "now"), "grade");
    uint32_t unmet = tut_json_count(tut_json_get(m->given.summary, "unmet"));
    tut_time ends = 0, latest = how->at + (tut_time)TUT_ASSURANCE_DAYS_MAX * TUT_DAY_SECONDS;
    bool is_bad = unmet > 0 || tut_str_eq_z(grade, "E") || tut_str_eq_z(grade, "F");
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(m->given.summary, "counts_until"), &ends)) ||
        ends <= how->at)
        return refuse(m, "holds no evidence that still counts; ask its owner for a newer one");
    if (!is_bad && !grade.len && !how->accepted)
        return refuse(m, "shows too little for a grade: examine what else the owner has, and say "
                         "with --accept REASON why that is enough");
    latest = how->expires && how->expires < latest ? how->expires : latest;
    m->found.expires = ends < latest ? ends : latest;
    m->found.result = is_bad ? TUT_RESULT_FAIL : TUT_RESULT_PASS;
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    tut_buf_add_z(&words, "The pack of ");
    tut_buf_add_escaped(&words, tut_str_of(how->owner), 100);
    tut_buf_printf(&words, " verifies, %s%.*s, %u %s not met; it covers %zu %s",
                   grade.len ? "grade " : "without a grade", (int)grade.len, grade.data, unmet,
                   unmet == 1 ? "duty" : "duties", how->risk_count,
                   how->risk_count == 1 ? "risk named here" : "risks named here");
    if (how->accepted && !grade.len) {
        tut_buf_add_z(&words, ". Accepted all the same: ");
        tut_buf_add_escaped(&words, tut_str_of(how->accepted), 1000);
    }
    tut_buf_add_byte(&words, '.');
    m->found.words = tut_buf_steal(&words);
    return m->found.words ? TUT_SUCCESS : tut_fail(m->err, TUT_NOMEM, "memory ran out");
}

static tut_status write_body(const assuring *m, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_str pack = tut_str_trim(tut_buf_str(&m->given.text));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.assurance/1");
    tut_json_put_z(j, "owner", m->how->owner);
    tut_json_key(j, "risks");
    tut_json_array(j);
    for (size_t i = 0; i < m->how->risk_count; i++)
        tut_json_z(j, m->how->risks[i]);
    tut_json_end_array(j);
    tut_json_put_time(j, "expires", m->found.expires);
    tut_json_put_z(j, "accepted", m->how->accepted);
    tut_json_key(j, "digest");
    tut_json_sha256(j, m->given.digest.bytes);
    tut_json_key(j, "pack");
    tut_json_raw(j, pack);
    tut_json_end_object(j);
    return tut_json_finish(j, m->err);
}

static tut_status record(assuring *m)
{
    static const char *const clauses[] = {CLAUSE};
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO_FREE char *name = tut_asprintf("assurance/%s", m->how->owner);
    if (!name)
        return tut_fail(m->err, TUT_NOMEM, "memory ran out");
    const tut_subject subject = {.name = name, .digest = m->given.digest};
    TUT_TRY(write_body(m, &body));
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = m->how->at,
                    .from = m->how->at,
                    .to = m->how->at,
                    .expires = m->found.expires,
                    .check = TUT_ASSURANCE_CHECK "/1",
                    .method = TUT_METHOD_EXAMINE,
                    .result = m->found.result,
                    .clauses = clauses,
                    .clause_count = 1,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = m->how->by,
                    .statement = m->found.words};
    TUT_TRY(tut_ledger_open(m->how->state_dir, true, &ledger, m->err));
    TUT_TRY(tut_tool_append(ledger, &r, tut_buf_span(&body), m->how->signer, m->err));
    m->found.index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_assurance_record(const tut_assuring *how, tut_assured *ret, tut_error *err)
{
    tut_error unread = {0};
    __attribute__((cleanup(assuring_done))) assuring m = {.how = how, .err = err ? err : &unread};
    TUT_TRY(tut_pack_given_open(how->path, how->trust, "owner", how->at, &m.given, m.err));
    TUT_TRY(weigh(&m));
    TUT_TRY(record(&m));
    *ret = m.found;
    m.found = (tut_assured){.words = NULL};
    return TUT_SUCCESS;
}

/* --- threats.assured --- */

static bool is_signed(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts && !r->signers[i].is_tool &&
            (r->signers[i].roles & TUT_PERSON_OPERATOR))
            return true;
    return false;
}

static bool covers(const tut_json_value *root, const tut_outside_owner *o)
{
    const tut_json_value *risks = tut_json_get(root, "risks");
    if (!tut_str_eq(tut_json_get_text(root, "owner"), o->name))
        return false;
    for (uint32_t i = 0; i < tut_json_count(risks); i++)
        if (tut_str_eq(tut_json_text(tut_json_item(risks, i)), o->risk))
            return true;
    return o->risk.len == 0;
}

/* Assurance in force about this owner and risk; until when the longest of them holds. */
static bool is_assured(const tut_governing *g, const tut_outside_owner *o, tut_time *ret_until)
{
    tut_time until = 0;
    for (size_t i = 0; i < g->records->count; i++) {
        const tut_record *r = &g->records->items[i];
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        TUT_AUTO(tut_json_doc) doc = NULL;
        bool is_one = r->type == TUT_RECORD_EVIDENCE && !r->doubt &&
                      strcmp(r->check, TUT_ASSURANCE_CHECK "/1") == 0 &&
                      r->method == TUT_METHOD_EXAMINE && r->result == TUT_RESULT_PASS &&
                      r->expires > g->at && is_signed(r);
        if (is_one && r->has_body &&
            tut_is_ok(tut_ledger_get_body(g->ledger, &r->body, &body, NULL)) &&
            tut_is_ok(tut_json_parse(tut_buf_span(&body), NULL, &doc, NULL)) &&
            covers(tut_json_root(doc), o) && r->expires > until)
            until = r->expires;
    }
    *ret_until = until;
    return until > 0;
}

static void name_owner(tut_buf *out, const tut_outside_owner *o)
{
    if (o->name.len)
        tut_buf_add_escaped(out, o->name, 100);
    else
        tut_buf_add_z(out, "nobody who is named");
    tut_buf_add_z(out, " (");
    tut_buf_add_escaped(out, o->risk.len ? o->risk : o->from, 120);
    tut_buf_add_byte(out, ')');
}

static tut_status write_owners(const tut_governing *g, const tut_outside_owners *o, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.assured/1");
    tut_json_key(j, "owners");
    tut_json_array(j);
    for (size_t i = 0; i < o->count; i++) {
        tut_time until;
        bool is = is_assured(g, &o->items[i], &until);
        tut_json_object(j);
        tut_json_put_or_null(j, "owner", o->items[i].name);
        tut_json_put_or_null(j, "risk", o->items[i].risk);
        tut_json_put_or_null(j, "service", o->items[i].from);
        tut_json_put_bool(j, "assured", is);
        if (is)
            tut_json_put_time(j, "until", until);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, g->err);
}

static tut_status attest(tut_governing *g, const tut_outside_owners *o)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_attestation a = {.check = "threats.assured", .result = TUT_RESULT_NOT_CHECKED};
    tut_time first_end = 0;
    size_t lacking = 0;
    for (size_t i = 0; i < o->count; i++) {
        tut_time until;
        if (is_assured(g, &o->items[i], &until)) {
            first_end = first_end == 0 || until < first_end ? until : first_end;
            continue;
        }
        if (lacking++ < 3) {
            tut_buf_add_z(&text, lacking > 1 ? ", " : "No assurance in force by ");
            name_owner(&text, &o->items[i]);
        }
    }
    if (o->count == 0) {
        tut_buf_add_z(&text,
                      "Nobody outside owns a risk here: no treatment is \"transfer\", and no "
                      "service comes from outside.");
    } else if (lacking) {
        a.result = TUT_RESULT_FAIL;
        if (lacking > 3)
            tut_buf_printf(&text, " and %zu more", lacking - 3);
        tut_buf_add_byte(&text, '.');
    } else {
        a.result = TUT_RESULT_PASS;
        a.valid_days = (uint32_t)((first_end - g->at) / TUT_DAY_SECONDS);
        a.valid_days = a.valid_days ? a.valid_days : 1;
        tut_buf_printf(&text,
                       "Each of %zu risks and services that others own is covered by "
                       "assurance in force.",
                       o->count);
    }
    TUT_TRY(write_owners(g, o, &body));
    a.statement = tut_buf_z(&text);
    a.body = tut_buf_span(&body);
    return a.statement ? tut_govern_attest(g, &a, NULL)
                       : tut_fail(g->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_govern_step_assurance(tut_governing *g)
{
    TUT_CLEAN(tut_outside_owners) o = {.items = NULL};
    tut_threat_policy policy;
    TUT_TRY(tut_threat_policy_read(g->system, &policy, NULL, g->err));
    TUT_TRY(tut_outside_owners_find(g->system, &policy, &o, g->err));
    if (!policy.is_there && o.count == 0)
        return TUT_SUCCESS;
    return attest(g, &o);
}
