#include "govern/training_authors.h"

#include <stdio.h>

#include "base/json_write.h"
#include "state/records.h"

void tut_authors_done(tut_authors *a)
{
    tut_git_log_done(&a->log);
    tut_free(a->findings);
    tut_training_finding_done(&a->evidence);
}

tut_status tut_authors_records(tut_ledger *ledger, tut_records **ret_records, tut_error *err)
{
    TUT_CLEAN(tut_places) places = {0};
    const tut_index_query query = {.kind = "train.*", .from = INT64_MIN, .to = INT64_MAX};
    TUT_TRY(tut_state_search(ledger, &query, &places, NULL, err));
    return tut_state_read_at(ledger, places.items, places.count, ret_records, err);
}

/* --- who somebody is --- */

/* What tutela.yaml says of the mail address, or of the name; else whoever is enrolled by that name.
 */
static tut_str named_by(const tut_training_policy *p, const tut_git_person *who, bool *ret_is_given)
{
    *ret_is_given = true;
    for (size_t i = 0; i < p->author_count; i++)
        if (tut_str_ieq(p->authors[i].author, who->mail))
            return p->authors[i].person;
    for (size_t i = 0; i < p->author_count; i++)
        if (tut_str_eq(p->authors[i].author, who->name))
            return p->authors[i].person;
    *ret_is_given = false;
    return who->name;
}

static bool is_machine(const tut_training_policy *p, const tut_git_person *who)
{
    for (size_t i = 0; i < p->machines.count; i++)
        if (tut_str_ieq(p->machines.items[i], who->mail))
            return true;
    return false;
}

typedef struct asking {
    const tut_training *t;
    const tut_people *people;
    const tut_training_policy *policy;
    tut_time at;
    tut_authors *a;
} asking;

/* NULL: nothing is wrong with it. */
static const char *ask(const asking *x, const tut_git_commit *c, const tut_git_person *who,
                       const char **ret_person)
{
    enum { SKEW_SECONDS = 600 };
    bool is_given;
    tut_str name = named_by(x->policy, who, &is_given);
    const tut_person *person = tut_people_find(x->people, name);
    *ret_person = person ? person->name : NULL;
    if (!person)
        return is_given ? "training.authors names somebody who is not enrolled"
                        : "nobody enrolled is known by this name or address";
    if (c->at > x->at + SKEW_SECONDS)
        return "the time of the commit lies in the future";
    if (!person->is_active && person->revoked_at && person->revoked_at <= c->at)
        return "had left when the commit was made";
    if (!tut_training_held(x->t, person, x->a->module, c->at))
        return "had no current completion of the module when the commit was made";
    return NULL;
}

static tut_status add_finding(tut_authors *a, const tut_author_finding *f, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&a->findings, a->finding_count, &a->finding_capacity, sizeof(*f))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->findings[a->finding_count++] = *f;
    return TUT_SUCCESS;
}

static tut_status look_at(const asking *x, const tut_git_commit *c, tut_error *err)
{
    tut_author_finding f = {.commit = c, .who = &c->author};
    bool is_one = tut_str_eq(c->author.name, c->committer.name) &&
                  tut_str_eq(c->author.mail, c->committer.mail);
    f.why = ask(x, c, &c->author, &f.person);
    if (f.why)
        TUT_TRY(add_finding(x->a, &f, err));
    if (is_one || is_machine(x->policy, &c->committer))
        return TUT_SUCCESS;
    f = (tut_author_finding){.commit = c, .who = &c->committer, .is_committer = true};
    f.why = ask(x, c, &c->committer, &f.person);
    return f.why ? add_finding(x->a, &f, err) : TUT_SUCCESS;
}

/* --- as evidence --- */

static tut_status write_body(const tut_authors *a, const char *range, tut_buf *out, tut_error *err)
{
    enum { LISTED = 10000 };
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.authors/1");
    tut_json_put_z(j, "range", range);
    tut_json_put_u64(j, "commits", a->log.count);
    tut_json_put_bool(j, "shallow", a->log.is_shallow);
    tut_json_put_or_null(j, "newest", a->log.count ? a->log.items[0].id : (tut_str){NULL, 0});
    tut_json_put_str(j, "module", a->module->id);
    tut_json_put_u64(j, "found", a->finding_count);
    tut_json_key(j, "findings");
    tut_json_array(j);
    for (size_t i = 0; i < a->finding_count && i < LISTED; i++) {
        const tut_author_finding *f = &a->findings[i];
        tut_json_object(j);
        tut_json_put_str(j, "commit", f->commit->id);
        tut_json_put_time(j, "at", f->commit->at);
        tut_json_put_z(j, "as", f->is_committer ? "committer" : "author");
        tut_json_put_str(j, "name", f->who->name);
        tut_json_put_z(j, "person", f->person);
        tut_json_put_z(j, "why", f->why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void conclude(const tut_authors *a, tut_training_finding *e)
{
    int len = (int)a->module->id.len;
    const char *id = a->module->id.data;
    if (a->finding_count) {
        e->result = TUT_RESULT_FAIL;
        (void)snprintf(
            e->statement, sizeof(e->statement),
            "Of %zu commits, %zu times somebody was not known or had no current completion "
            "of %.*s.",
            a->log.count, a->finding_count, len, id);
    } else if (a->log.count == 0) {
        e->result = TUT_RESULT_NOT_CHECKED;
        (void)snprintf(e->statement, sizeof(e->statement), "There are no commits in the range.");
    } else if (a->log.is_shallow) {
        e->result = TUT_RESULT_NOT_CHECKED;
        (void)snprintf(e->statement, sizeof(e->statement),
                       "The clone is shallow: %zu commits could be looked at, and others not.",
                       a->log.count);
    } else {
        e->result = TUT_RESULT_PASS;
        (void)snprintf(
            e->statement, sizeof(e->statement),
            "Everybody who made one of %zu commits had a current completion of %.*s then.",
            a->log.count, len, id);
    }
}

tut_status tut_authors_check(const tut_training *t, const tut_people *people, const char *range,
                             tut_time at, tut_authors *a, tut_error *err)
{
    const tut_training_policy *policy = tut_training_policy_of(t);
    asking x = {.t = t, .people = people, .policy = policy, .at = at, .a = a};
    a->module = tut_training_find(tut_training_bank_of(t), policy->secure_coding);
    if (!a->module)
        return tut_fail(err, TUT_USAGE,
                        "there is no module \"%.*s\"; training.secure_coding of tutela.yaml names "
                        "the one on secure coding",
                        (int)policy->secure_coding.len, policy->secure_coding.data);
    for (size_t i = 0; i < a->log.count; i++)
        TUT_TRY(look_at(&x, &a->log.items[i], err));
    a->evidence.check = "train.authors";
    conclude(a, &a->evidence);
    return write_body(a, range, &a->evidence.body, err);
}
