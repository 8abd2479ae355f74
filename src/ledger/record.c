/* Words of a record, what makes one fit to be written, and its JSON form: an in-toto Statement. */
#include "ledger/record.h"

#include "base/json_write.h"
#include "ledger/record_internal.h"

const char *tut_method_name(tut_method m)
{
    switch (m) {
    case TUT_METHOD_TEST:
        return "TEST";
    case TUT_METHOD_EXAMINE:
        return "EXAMINE";
    case TUT_METHOD_INTERVIEW:
        return "INTERVIEW";
    }
    return "TEST";
}

const char *tut_tier_name(tut_tier t)
{
    static const char *const names[] = {"D", "C", "B", "A"};
    return names[t];
}

const char *tut_result_name(tut_result r)
{
    switch (r) {
    case TUT_RESULT_PASS:
        return "pass";
    case TUT_RESULT_FAIL:
        return "fail";
    case TUT_RESULT_ERROR:
        return "error";
    case TUT_RESULT_NOT_APPLICABLE:
        return "not_applicable";
    case TUT_RESULT_NOT_CHECKED:
        return "not_checked";
    }
    return "not_checked";
}

static bool is_text(const char *text, bool may_be_empty)
{
    if (!text || (!may_be_empty && !text[0]))
        return false;
    return strnlen(text, TUT_RECORD_TEXT_MAX + 1) <= TUT_RECORD_TEXT_MAX;
}

tut_status tut_record_check(const tut_record *r, tut_error *err)
{
    if (!is_text(r->check, false) || !is_text(r->actor, false) || !is_text(r->statement, true))
        return tut_fail(err, TUT_USAGE,
                        "a record needs a check, an actor and a statement, each of at "
                        "most %d bytes",
                        TUT_RECORD_TEXT_MAX);
    if (r->subject_count < 1 || r->subject_count > TUT_RECORD_SUBJECTS_MAX)
        return tut_fail(err, TUT_USAGE, "a record needs 1 to %d subjects", TUT_RECORD_SUBJECTS_MAX);
    for (size_t i = 0; i < r->subject_count; i++)
        if (!is_text(r->subjects[i].name, false))
            return tut_fail(err, TUT_USAGE, "a subject's name is empty or too long");
    if (r->clause_count > TUT_RECORD_CLAUSES_MAX)
        return tut_fail(err, TUT_USAGE, "a record names at most %d clauses",
                        TUT_RECORD_CLAUSES_MAX);
    for (size_t i = 0; i < r->clause_count; i++)
        if (!is_text(r->clauses[i], false))
            return tut_fail(err, TUT_USAGE, "a clause is empty or too long");
    if (r->type == TUT_RECORD_EVIDENCE) {
        if (r->expires <= r->at)
            return tut_fail(err, TUT_USAGE,
                            "evidence without an expiry after its own time is no "
                            "evidence");
        if (r->from > r->to)
            return tut_fail(err, TUT_USAGE, "the observed period ends before it begins");
    }
    return TUT_SUCCESS;
}

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    tut_json_sha256(j, digest->bytes);
}

static void put_subjects(const tut_record *r, tut_json *j)
{
    tut_json_key(j, "subject");
    tut_json_array(j);
    for (size_t i = 0; i < r->subject_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", r->subjects[i].name);
        put_digest(j, "digest", &r->subjects[i].digest);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_evidence(const tut_record *r, tut_json *j)
{
    tut_json_put_z(j, "check", r->check);
    tut_json_put_z(j, "method", tut_method_name(r->method));
    tut_json_put_z(j, "result", tut_result_name(r->result));
    tut_json_key(j, "period");
    tut_json_object(j);
    tut_json_put_time(j, "from", r->from);
    tut_json_put_time(j, "to", r->to);
    tut_json_end_object(j);
    tut_json_put_time(j, "expires", r->expires);
}

static void put_predicate(const tut_record *r, tut_json *j)
{
    tut_json_key(j, "predicate");
    tut_json_object(j);
    tut_json_put_time(j, "at", r->at);
    if (r->type == TUT_RECORD_EVIDENCE)
        put_evidence(r, j);
    else
        tut_json_put_z(j, "event", r->check);
    tut_json_key(j, "clauses");
    tut_json_array(j);
    for (size_t i = 0; i < r->clause_count; i++)
        tut_json_z(j, r->clauses[i]);
    tut_json_end_array(j);
    tut_json_put_z(j, "actor", r->actor);
    tut_json_put_z(j, "statement", r->statement);
    tut_json_put_z(j, "origin", r->origin ? r->origin : "");
    if (r->has_body)
        put_digest(j, "body", &r->body);
    if (r->data_key) {
        tut_json_key(j, r->data_key);
        tut_json_raw(j, r->data);
    }
    tut_json_key(j, "tool");
    tut_json_object(j);
    put_digest(j, "binary", &r->tool_binary);
    put_digest(j, "catalogue", &r->tool_catalogue);
    put_digest(j, "rules", &r->tool_rules);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

void tut_record_json(const tut_record *r, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "_type", TUT_RECORD_STATEMENT_TYPE);
    tut_json_put_z(j, "predicateType",
                   r->type == TUT_RECORD_EVIDENCE ? TUT_RECORD_EVIDENCE_TYPE
                                                  : TUT_RECORD_EVENT_TYPE);
    put_subjects(r, j);
    put_predicate(r, j);
    tut_json_end_object(j);
}
