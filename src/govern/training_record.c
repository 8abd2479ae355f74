/* Exams in the log: handed out, handed in, graded anew. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "assess/tool.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "govern/training_quiz.h"
#include "state/records.h"

#define EXAM_SCHEMA "tutela.exam/1"

char *tut_training_subject(const char *kind, const tut_training_module *m)
{
    return tut_asprintf("%s/%.*s@%u", kind, (int)m->id.len, m->id.data, m->version);
}

/* --- bodies --- */

static void put_module(tut_json *j, const tut_training_module *m)
{
    tut_json_key(j, "module");
    tut_json_object(j);
    tut_json_put_str(j, "id", m->id);
    tut_json_put_u64(j, "version", m->version);
    tut_json_key(j, "content");
    tut_json_sha256(j, m->digest.bytes);
    tut_json_end_object(j);
}

static void put_seed(tut_json *j, uint64_t seed)
{
    char hex[17];
    (void)snprintf(hex, sizeof(hex), "%016" PRIx64, seed);
    tut_json_put_z(j, "seed", hex);
}

static void put_answers(tut_json *j, const tut_quiz *e)
{
    tut_json_key(j, "answers");
    tut_json_array(j);
    for (size_t i = 0; i < e->count; i++) {
        char letters[TUT_TRAINING_ANSWERS + 1];
        size_t n = 0;
        for (size_t k = 0; k < e->asked[i].question->answer_count; k++)
            if (e->asked[i].chosen >> k & 1)
                letters[n++] = (char)('a' + (int)k);
        letters[n] = '\0';
        tut_json_z(j, letters);
    }
    tut_json_end_array(j);
}

static tut_status write_handed(const tut_quiz *e, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.exam-handed/1");
    put_module(j, e->module);
    put_seed(j, e->seed);
    tut_json_put_u64(j, "questions", e->count);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status write_exam(const tut_quiz *e, tut_str threat_catalogue,
                             const tut_quiz_times *times, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t right = tut_quiz_right(e);
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", EXAM_SCHEMA);
    put_module(j, e->module);
    put_seed(j, e->seed);
    put_answers(j, e);
    tut_json_put_u64(j, "questions", e->count);
    tut_json_put_u64(j, "right", right);
    tut_json_put_real(j, "score", (double)right / (double)e->count);
    tut_json_put_real(j, "pass", e->module->pass);
    tut_json_put_bool(j, "passed", tut_quiz_is_passed(e));
    tut_json_put_time(j, "started", times->started);
    tut_json_put_time(j, "finished", times->finished);
    tut_json_put_u64(j, "reading_seconds", tut_training_reading_seconds(e->module));
    tut_json_put_bool(j, "hurried", tut_quiz_is_hurried(e->module, times));
    tut_json_put_str(j, "threat_catalogue", threat_catalogue);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static bool is_of_module(const tut_json_value *exam, const tut_training_module *m)
{
    const tut_json_value *of = tut_json_get(exam, "module");
    tut_sha256 content;
    return tut_str_eq(tut_json_get_text(of, "id"), m->id) &&
           tut_json_get_int(of, "version", 0) == (int64_t)m->version &&
           tut_is_ok(tut_sha256_parse(tut_json_get_text(tut_json_get(of, "content"), "sha256"),
                                      &content)) &&
           tut_sha256_eq(&content, &m->digest);
}

static bool read_seed(const tut_json_value *v, uint64_t *ret_seed)
{
    char copy[17], *end = NULL;
    tut_str hex = tut_json_get_text(v, "seed");
    if (hex.len != 16)
        return false;
    tut_str_copy(copy, sizeof(copy), hex);
    *ret_seed = strtoull(copy, &end, 16);
    return *end == '\0' && copy[0] != '-' && copy[0] != '+' && copy[0] != ' ';
}

bool tut_quiz_body_seed(tut_span body, uint64_t *ret_seed)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    return tut_is_ok(tut_json_parse(body, NULL, &doc, NULL)) &&
           read_seed(tut_json_root(doc), ret_seed);
}

double tut_quiz_body_score(tut_span body)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!tut_is_ok(tut_json_parse(body, NULL, &doc, NULL)))
        return NAN;
    return tut_json_real_of(tut_json_get(tut_json_root(doc), "score"));
}

static bool passes(const tut_training_module *m, const tut_json_value *v, tut_quiz *e)
{
    const tut_json_value *answers = tut_json_get(v, "answers");
    uint64_t seed;
    if (!tut_str_eq_z(tut_json_get_text(v, "schema"), EXAM_SCHEMA) || !is_of_module(v, m) ||
        !read_seed(v, &seed))
        return false;
    tut_quiz_draw(m, seed, e);
    if (tut_json_count(answers) != e->count)
        return false;
    for (uint32_t i = 0; i < e->count; i++)
        if (!tut_is_ok(
                tut_quiz_answer_one(&e->asked[i], tut_json_text(tut_json_item(answers, i)), NULL)))
            return false;
    return tut_quiz_is_passed(e);
}

bool tut_quiz_body_passes(const tut_training_module *m, tut_span body)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO_FREE tut_quiz *e = tut_alloc_array(1, sizeof(*e));
    return e && tut_is_ok(tut_json_parse(body, NULL, &doc, NULL)) &&
           passes(m, tut_json_root(doc), e);
}

/* --- entries --- */

static tut_status append(tut_ledger *ledger, const char *kind, const tut_quiz *e,
                         const char *person, const tut_key *key, const char *statement,
                         tut_span body, tut_time at, uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_training_subject("training", e->module);
    const tut_subject subject = {.name = name, .digest = e->module->digest};
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = at,
                    .check = kind,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = person,
                    .statement = statement};
    TUT_TRY(tut_tool_append(ledger, &r, body, key, err));
    if (ret_index)
        *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_quiz_hand_out(tut_ledger *ledger, const tut_quiz *e, const char *person,
                             tut_time *ret_at, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_time now = tut_time_now();
    TUT_TRY(write_handed(e, &body, err));
    TUT_TRY(append(ledger, TUT_TRAIN_HANDED, e, person, NULL, "Questions were drawn.",
                   tut_buf_span(&body), now, NULL, err));
    *ret_at = now;
    return TUT_SUCCESS;
}

tut_status tut_quiz_hand_in(tut_ledger *ledger, const tut_quiz *e, const char *person,
                            const tut_key *key, tut_str threat_catalogue,
                            const tut_quiz_times *times, tut_quiz_record *ret_record,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_quiz_record r = {.kind = !tut_quiz_is_passed(e)                  ? TUT_TRAIN_ATTEMPTED
                                 : tut_quiz_is_hurried(e->module, times) ? TUT_TRAIN_HURRIED
                                                                         : TUT_TRAIN_COMPLETED,
                         .times = *times};
    char statement[160];
    (void)snprintf(statement, sizeof(statement), "%zu of %zu questions right, %s after %lld s.",
                   tut_quiz_right(e), e->count, tut_quiz_is_passed(e) ? "passed" : "not passed",
                   (long long)(times->finished - times->started));
    TUT_TRY(write_exam(e, threat_catalogue, times, &body, err));
    TUT_TRY(append(ledger, r.kind, e, person, key, statement, tut_buf_span(&body), times->finished,
                   &r.index, err));
    *ret_record = r;
    return TUT_SUCCESS;
}

/* --- what was handed out --- */

static bool has_seed(tut_ledger *ledger, const tut_record *r, uint64_t seed)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    uint64_t found;
    return r->has_body && tut_is_ok(tut_ledger_get_body(ledger, &r->body, &body, NULL)) &&
           tut_quiz_body_seed(tut_buf_span(&body), &found) && found == seed;
}

static bool is_about(const tut_record *r, const char *name, const tut_sha256 *digest)
{
    return r->type == TUT_RECORD_EVENT && r->subject_count == 1 &&
           strcmp(r->subjects[0].name, name) == 0 && tut_sha256_eq(&r->subjects[0].digest, digest);
}

static tut_status look(tut_ledger *ledger, const tut_quiz *e, const tut_records *records,
                       const tut_places *places, tut_time *ret_at, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_training_subject("training", e->module);
    const tut_record *handed = NULL;
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < places->count; i++) {
        const tut_record *r = tut_records_at(records, places->items[i]);
        if (!r || !is_about(r, name, &e->module->digest) || !has_seed(ledger, r, e->seed))
            continue;
        if (strcmp(r->check, TUT_TRAIN_HANDED) != 0)
            return tut_fail(err, TUT_USAGE,
                            "these questions were answered before (entry %llu); tutela train page "
                            "draws others",
                            (unsigned long long)r->index);
        handed = handed ? handed : r;
    }
    if (!handed)
        return tut_fail(err, TUT_USAGE,
                        "these questions were not drawn for this person, or the module has changed "
                        "since; tutela train page %.*s --by PERSON draws some",
                        (int)e->module->id.len, e->module->id.data);
    if (tut_time_now() - handed->recorded_at > (tut_time)TUT_QUIZ_HANDED_DAYS * TUT_DAY_SECONDS)
        return tut_fail(err, TUT_USAGE,
                        "these questions were drawn more than %d days ago; tutela train page draws "
                        "others",
                        TUT_QUIZ_HANDED_DAYS);
    *ret_at = handed->recorded_at;
    return TUT_SUCCESS;
}

tut_status tut_quiz_find_handed(tut_ledger *ledger, const tut_quiz *e, const char *person,
                                tut_time *ret_at, tut_error *err)
{
    TUT_CLEAN(tut_places) places = {0};
    TUT_AUTO(tut_records) records = NULL;
    const tut_index_query query = {
        .kind = "train.*", .actor = person, .from = INT64_MIN, .to = INT64_MAX};
    TUT_TRY(tut_state_search(ledger, &query, &places, NULL, err));
    TUT_TRY(tut_state_read_at(ledger, places.items, places.count, &records, err));
    return look(ledger, e, records, &places, ret_at, err);
}
