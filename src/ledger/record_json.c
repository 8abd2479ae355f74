/* A Statement -> a record. The state directory is input like any other: every type,
 * length and word is checked, and what is not a record of ours is refused with the reason. */
#include "base/json.h"
#include "ledger/record_internal.h"

typedef struct line_reader {
    tut_arena *arena;
    tut_error *err;
} line_reader;

static tut_status bad(const line_reader *p, const char *what)
{
    return tut_fail(p->err, TUT_MALFORMED, "%s is missing or wrong", what);
}

static tut_status read_text(const line_reader *p, const tut_json_value *v, bool may_be_empty,
                            const char *what, const char **ret_text)
{
    if (!v || v->type != TUT_JSON_STRING)
        return bad(p, what);
    tut_str s = tut_json_text(v);
    bool is_empty = s.len == 0;
    if ((is_empty && !may_be_empty) || s.len > TUT_RECORD_TEXT_MAX ||
        (!is_empty && memchr(s.data, '\0', s.len)))
        return bad(p, what);
    char *copy = tut_arena_copy(p->arena, s);
    if (!copy)
        return tut_fail(p->err, TUT_NOMEM, "memory ran out");
    *ret_text = copy;
    return TUT_SUCCESS;
}

static tut_status read_time(const line_reader *p, const tut_json_value *object, const char *key,
                            tut_time *ret_time)
{
    const tut_json_value *v = tut_json_get(object, key);
    if (!v || v->type != TUT_JSON_STRING || !tut_is_ok(tut_time_parse(tut_json_text(v), ret_time)))
        return bad(p, key);
    return TUT_SUCCESS;
}

static tut_status read_digest(const line_reader *p, const tut_json_value *object, const char *key,
                              tut_sha256 *ret_digest)
{
    const tut_json_value *v = tut_json_get(object, key);
    if (!tut_is_ok(tut_sha256_parse(tut_json_get_text(v, "sha256"), ret_digest)))
        return bad(p, key);
    return TUT_SUCCESS;
}

static tut_status read_word(const line_reader *p, const tut_json_value *object, const char *key,
                            const char *(*name_of)(int), int count, int *ret_index)
{
    tut_str word = tut_json_get_text(object, key);
    for (int i = 0; i < count; i++) {
        if (tut_str_eq_z(word, name_of(i))) {
            *ret_index = i;
            return TUT_SUCCESS;
        }
    }
    return bad(p, key);
}

static const char *method_at(int i)
{
    return tut_method_name((tut_method)i);
}

static const char *result_at(int i)
{
    return tut_result_name((tut_result)i);
}

static tut_status read_subjects(const line_reader *p, const tut_json_value *root, tut_record *r)
{
    const tut_json_value *list = tut_json_get(root, "subject");
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY || count < 1 || count > TUT_RECORD_SUBJECTS_MAX)
        return bad(p, "subject");
    tut_subject *subjects = tut_arena_take(p->arena, count, sizeof(*subjects));
    if (!subjects)
        return tut_fail(p->err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *v = tut_json_item(list, i);
        TUT_TRY(
            read_text(p, tut_json_get(v, "name"), false, "a subject's name", &subjects[i].name));
        TUT_TRY(read_digest(p, v, "digest", &subjects[i].digest));
    }
    r->subjects = subjects;
    r->subject_count = count;
    return TUT_SUCCESS;
}

static tut_status read_clauses(const line_reader *p, const tut_json_value *predicate, tut_record *r)
{
    const tut_json_value *list = tut_json_get(predicate, "clauses");
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY || count > TUT_RECORD_CLAUSES_MAX)
        return bad(p, "clauses");
    const char **clauses = tut_arena_take(p->arena, count ? count : 1, sizeof(*clauses));
    if (!clauses)
        return tut_fail(p->err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_text(p, tut_json_item(list, i), false, "a clause", &clauses[i]));
    r->clauses = clauses;
    r->clause_count = count;
    return TUT_SUCCESS;
}

static tut_status read_evidence(const line_reader *p, const tut_json_value *predicate,
                                tut_record *r)
{
    int method = 0;
    int result = 0;
    TUT_TRY(read_text(p, tut_json_get(predicate, "check"), false, "check", &r->check));
    TUT_TRY(read_word(p, predicate, "method", method_at, TUT_METHOD_INTERVIEW + 1, &method));
    TUT_TRY(read_word(p, predicate, "result", result_at, TUT_RESULT_NOT_CHECKED + 1, &result));
    r->method = (tut_method)method;
    r->result = (tut_result)result;
    const tut_json_value *period = tut_json_get(predicate, "period");
    TUT_TRY(read_time(p, period, "from", &r->from));
    TUT_TRY(read_time(p, period, "to", &r->to));
    TUT_TRY(read_time(p, predicate, "expires", &r->expires));
    if (r->from > r->to || r->expires <= r->at)
        return bad(p, "the order of times");
    return TUT_SUCCESS;
}

static tut_status read_predicate(const line_reader *p, const tut_json_value *v, tut_record *r)
{
    TUT_TRY(read_time(p, v, "at", &r->at));
    if (r->type == TUT_RECORD_EVIDENCE)
        TUT_TRY(read_evidence(p, v, r));
    else
        TUT_TRY(read_text(p, tut_json_get(v, "event"), false, "event", &r->check));
    TUT_TRY(read_clauses(p, v, r));
    TUT_TRY(read_text(p, tut_json_get(v, "actor"), false, "actor", &r->actor));
    TUT_TRY(read_text(p, tut_json_get(v, "statement"), true, "statement", &r->statement));
    TUT_TRY(read_text(p, tut_json_get(v, "origin"), false, "origin", &r->origin));
    r->has_body = tut_json_get(v, "body") != NULL;
    if (r->has_body)
        TUT_TRY(read_digest(p, v, "body", &r->body));
    const tut_json_value *tool = tut_json_get(v, "tool");
    TUT_TRY(read_digest(p, tool, "binary", &r->tool_binary));
    TUT_TRY(read_digest(p, tool, "catalogue", &r->tool_catalogue));
    TUT_TRY(read_digest(p, tool, "rules", &r->tool_rules));
    return TUT_SUCCESS;
}

tut_status tut_record_read(const tut_json_value *root, tut_arena *arena, tut_record *ret_record,
                           tut_error *err)
{
    line_reader p = {.arena = arena, .err = err};
    tut_record r = {0};
    tut_str type = tut_json_get_text(root, "predicateType");
    if (!tut_str_eq_z(tut_json_get_text(root, "_type"), TUT_RECORD_STATEMENT_TYPE))
        return bad(&p, "_type");
    if (tut_str_eq_z(type, TUT_RECORD_EVIDENCE_TYPE))
        r.type = TUT_RECORD_EVIDENCE;
    else if (tut_str_eq_z(type, TUT_RECORD_EVENT_TYPE))
        r.type = TUT_RECORD_EVENT;
    else
        return bad(&p, "predicateType");
    TUT_TRY(read_subjects(&p, root, &r));
    TUT_TRY(read_predicate(&p, tut_json_get(root, "predicate"), &r));
    *ret_record = r;
    return TUT_SUCCESS;
}
