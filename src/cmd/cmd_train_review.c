/* tutela train review: the curriculum, examined by the program and signed by a person. */
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/people_act.h"
#include "cmd/result_mark.h"
#include "cmd/train_act.h"
#include "govern/training_check.h"
#include "state/records.h"

static const tut_option options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct review {
    tut_train_act act;
    tut_curriculum c;
    const tut_person *person; /* NULL: nobody signs */
    tut_key *key;
    uint64_t index;
    size_t signers; /* this one too */
    tut_buf names;
} review;

static void review_done(review *r)
{
    tut_key_free(r->key);
    tut_curriculum_done(&r->c);
    tut_buf_done(&r->names);
    tut_train_act_done(&r->act);
}

static tut_status sign(review *r, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    const char *why = NULL;
    TUT_TRY(tut_train_signer(&r->act, &r->person, &r->key, err));
    const tut_act act = {.roles = TUT_CURRICULUM_ROLES, .index = r->act.records->log_size};
    if (!tut_people_may_sign(r->act.records->people, tut_pubkey_id(tut_key_public(r->key)), &act,
                             NULL, &why))
        return tut_fail(err, TUT_DENIED,
                        "the curriculum is signed by developers, operators or custodians: %s", why);
    TUT_TRY(tut_ledger_open(r->act.state, true, &ledger, err));
    return tut_curriculum_sign(ledger, &r->c, r->person->name, r->key, r->act.at, &r->index, err);
}

/* With what was signed just now. */
static tut_status count_signers(review *r, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(tut_ledger_open(r->act.state, false, &ledger, err));
    TUT_TRY(tut_state_read(ledger, tut_time_now(), &records, err));
    r->signers = tut_curriculum_signers(&r->c, records, r->act.at, &r->names);
    return tut_buf_check(&r->names, err);
}

static tut_status examine(review *r, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_train_open(&r->act, args, true, err));
    TUT_TRY(tut_curriculum_examine(r->act.system, r->act.training, r->act.at, &r->c, err));
    if (tut_args_has(args, "--by"))
        TUT_TRY(sign(r, err));
    return count_signers(r, err);
}

/* --- how it is told --- */

static void add_taught(const tut_term *term, tut_buf *out, const tut_json_value *listing,
                       const char *key)
{
    const tut_json_value *all = tut_json_get(listing, key);
    for (uint32_t i = 0; i < tut_json_count(all); i++) {
        const tut_json_value *v = tut_json_item(all, i);
        TUT_CLEAN(tut_buf) ids = TUT_BUF_INIT;
        if (tut_json_count(v) == 0) /* one of the problems */
            continue;
        for (uint32_t k = 0; k < tut_json_count(v); k++) {
            tut_buf_add_z(&ids, k ? ", " : "");
            tut_buf_add_str(&ids, tut_json_text(tut_json_item(v, k)));
        }
        tut_result_mark mark = tut_result_mark_of(term, TUT_RESULT_PASS);
        tut_buf_add_z(out, "  ");
        tut_term_text(term, out, mark.style, tut_str_of(mark.glyph));
        tut_buf_printf(out, " %-26.*s ", (int)v->key.len, v->key.data);
        tut_term_wrap(term, out, 31, tut_buf_str(&ids));
    }
}

static tut_status write_text(const review *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, r->act.args->color, &term);
    TUT_TRY(tut_json_parse(tut_buf_span(&r->c.listing), NULL, &doc, err));
    tut_buf_printf(out, "The curriculum: %zu modules that are assigned to somebody.\n",
                   r->c.modules);
    add_taught(&term, out, tut_json_root(doc), "threats");
    add_taught(&term, out, tut_json_root(doc), "roles");
    for (size_t i = 0; i < r->c.problem_count; i++) {
        tut_result_mark mark = tut_result_mark_of(&term, TUT_RESULT_FAIL);
        tut_buf_add_z(out, "  ");
        tut_term_text(&term, out, mark.style, tut_str_of(mark.glyph));
        tut_buf_add_byte(out, ' ');
        tut_term_wrap(&term, out, 4, tut_str_of(r->c.problems[i]));
    }
    if (r->person) {
        tut_buf_add_z(out, "Examined and signed by ");
        tut_buf_add_escaped(out, tut_str_of(r->person->name), TUT_PERSON_NAME_MAX);
        tut_buf_printf(out, ": entry %llu.\n", (unsigned long long)r->index);
    }
    if (r->c.problem_count)
        tut_buf_add_z(out, "Something lacks, so it does not count.\n");
    else if (r->signers >= 2)
        tut_buf_add_z(out, "Two people have signed this very curriculum; tutela assess takes it "
                           "into account.\n");
    else
        tut_buf_printf(out,
                       "5.1.1-1 wants two people; %zu signed this very curriculum: tutela train "
                       "review --by PERSON.\n",
                       r->signers);
    return tut_buf_check(out, err);
}

static tut_status write_json(const review *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "modules", r->c.modules);
    tut_json_put_u64(j, "problems", r->c.problem_count);
    tut_json_put_u64(j, "signers", r->signers);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "id", "curriculum");
    tut_json_put_z(j, "state",
                   r->c.problem_count ? "fail"
                   : r->signers >= 2  ? "pass"
                                      : "not_checked");
    tut_json_put_time(j, "since", r->act.at);
    tut_json_key(j, "due");
    if (r->c.holds_until)
        tut_json_time(j, r->c.holds_until);
    else
        tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (r->person)
        tut_json_z(j, r->person->name);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    if (r->person)
        tut_json_u64(j, r->index);
    tut_json_end_array(j);
    tut_json_put_str(j, "signed_by", tut_buf_str(&r->names));
    tut_json_key(j, "curriculum");
    tut_json_raw(j, tut_buf_str(&r->c.listing));
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(review) r = {.person = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = examine(&r, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&r, &out, &err)
                                                   : write_text(&r, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, r.c.problem_count ? TUT_EXIT_FOUND
                                : r.signers < 2   ? TUT_EXIT_DOUBT
                                                  : TUT_EXIT_OK);
}

const tut_command tut_cmd_train_review = {
    .name = "train review",
    .summary = "Examine the curriculum, and sign that you did",
    .help = "The modules that are assigned to anybody have to teach the six threats and five roles "
            "of the standard, each has to be reviewed in time and against the catalogue of threats "
            "in force, and the document about the curriculum (training.curriculum), where there is "
            "one, has to say what it must. With --by PERSON what it came to is signed; 5.1.1-1 "
            "wants two people, and holds while the curriculum stays what they examined.\n\n"
            "Exit status: 0 nothing lacks, and two people have signed; 1 something lacks; 3 "
            "signatures lack.",
    .formats = "table json",
    .options = options,
    .run = run,
};
