/* tutela threats notify: unresolved threats told to operators, and by them to users. */
#include <string.h>
#include <unistd.h>

#include "cmd/message_view.h"
#include "cmd/notice_act.h"
#include "cmd/people_act.h"

static const tut_option notify_options[] = {
    {"--users", TUT_OPTION_FLAG, NULL, "tell those who use the system, as a system operator"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct notifying {
    tut_notice_act of;
    tut_message_policy policy;
    tut_notice_to to;
    tut_buf text, shown;
    char name[TUT_NOTICE_NAME], title[200];
    size_t risks, left; /* that it tells of, that did not fit */
    const tut_message *before;
    const char *by;
    tut_records *signers; /* who owns the name of `by` */
    tut_key *key;
    const char **readers;
    size_t reader_count;
    tut_sent_all sent;
    tut_progress progress;
} notifying;

static void notifying_done(notifying *x)
{
    tut_progress_end(&x->progress);
    tut_sent_all_done(&x->sent);
    tut_free(x->readers);
    tut_key_free(x->key);
    tut_records_free(x->signers);
    tut_buf_done(&x->shown);
    tut_buf_done(&x->text);
    tut_notice_act_done(&x->of);
}

/* --- notify --- */

/* *ret_fits: false when the notice is full. */
static tut_status add_section(notifying *x, const tut_risk *r, bool *ret_fits, tut_error *err)
{
    TUT_CLEAN(tut_buf) section = TUT_BUF_INIT;
    size_t at;
    TUT_TRY(tut_notice_section(r, x->to, &section, err));
    /* users are told once of what comes up at several places */
    bool is_there = tut_str_find(tut_buf_str(&x->text), tut_buf_str(&section), &at);
    *ret_fits = is_there || x->text.len + section.len <= TUT_MESSAGE_BYTES;
    if (!*ret_fits)
        return TUT_SUCCESS;
    x->risks++;
    if (!is_there)
        tut_buf_add_str(&x->text, tut_buf_str(&section));
    return tut_buf_check(&x->text, err);
}

static tut_status add_named(notifying *x, const tut_args *args, tut_error *err)
{
    for (size_t i = 0; i < args->positional_count; i++) {
        const tut_risk *r;
        bool fits = false;
        TUT_TRY(tut_threats_act_risk(&x->of.act, args->positional[i], &r, err));
        if (!tut_risk_is_unresolved(r))
            return tut_fail(err, TUT_USAGE, "%s is not above what is tolerated", r->id);
        TUT_TRY(add_section(x, r, &fits, err));
        if (!fits)
            return tut_fail(err, TUT_LIMIT, "these are too many for one notice (%d KiB)",
                            TUT_MESSAGE_BYTES >> 10);
    }
    return TUT_SUCCESS;
}

/* Those that no notice tells of as they are now, the worst first, as many as one notice takes. */
static tut_status add_untold(notifying *x, tut_error *err)
{
    const tut_threats *t = x->of.act.threats;
    for (size_t i = 0; i < t->count; i++) {
        tut_notice_standing s;
        bool fits = x->left == 0;
        if (!tut_risk_is_unresolved(&t->risks[i]))
            continue;
        TUT_TRY(tut_notice_stand(&x->of.notices, x->of.records->people, &t->risks[i], &s, err));
        const tut_message *told = x->to == TUT_NOTICE_USERS ? s.users : s.operators;
        if (!told && fits)
            TUT_TRY(add_section(x, &t->risks[i], &fits, err));
        x->left += !told && !fits;
    }
    return TUT_SUCCESS;
}

/* Nothing new: the last notice that did not get everywhere goes out again. */
static void take_unsent(notifying *x)
{
    const tut_messages *all = &x->of.notices.to[x->to];
    for (size_t i = 0; i < all->count; i++) {
        const tut_message *m = &all->items[i];
        bool is_whole = m->sent_count > 0;
        for (size_t k = 0; k < m->sent_count; k++)
            is_whole &= tut_sent_is_whole(&m->sent[k]);
        if (m->text.len && !is_whole && tut_notice_counts(m, x->to))
            x->before = m;
    }
    if (x->before)
        tut_buf_add_str(&x->text, tut_buf_str(&x->before->text));
}

static tut_status find_readers(notifying *x, tut_error *err)
{
    const tut_people *people = x->of.records->people;
    x->readers = tut_alloc_array(people->count + 1, sizeof(*x->readers));
    if (!x->readers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < people->count; i++)
        if (people->items[i].is_active && (people->items[i].roles & TUT_PERSON_OPERATOR))
            x->readers[x->reader_count++] = people->items[i].name;
    if (x->to == TUT_NOTICE_OPERATORS && x->reader_count == 0)
        return tut_fail(err, TUT_USAGE,
                        "no system operator is enrolled who could be told; tutela people enrol");
    return TUT_SUCCESS;
}

static tut_status compose(notifying *x, tut_error *err)
{
    const tut_system *s = x->of.act.system;
    TUT_TRY(tut_notice_name(tut_buf_str(&x->text), x->to, x->name, err));
    x->before = tut_messages_find(&x->of.notices.to[x->to], x->name);
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_buf_add_z(&title, "Unresolved threats to ");
    tut_buf_add_escaped(&title, s->name, 120);
    tut_str_copy(x->title, sizeof(x->title), tut_buf_str(&title));
    tut_buf_add_str(&x->shown, tut_buf_str(&x->text));
    if (x->to == TUT_NOTICE_OPERATORS)
        tut_buf_printf(&x->shown,
                       "When you have read this: tutela threats received %s --by YOUR-NAME\nThen "
                       "tell those who use the system: tutela threats notify --users --by "
                       "YOUR-NAME\n",
                       strchr(x->name, '/') + 1);
    return tut_buf_check(&x->shown, err);
}

static tut_status send_it(notifying *x, const tut_args *args, tut_error *err)
{
    tut_progress_start(&x->progress, args->quiet, args->color);
    const tut_sending s = {.system = x->of.act.system,
                           .state_dir = x->of.act.state,
                           .policy = &x->policy,
                           .name = x->name,
                           .title = x->title,
                           .text = tut_buf_str(&x->text),
                           .shown = tut_buf_str(&x->shown),
                           .readers = x->readers,
                           .reader_count = x->reader_count,
                           .to_users = x->to == TUT_NOTICE_USERS,
                           .before = x->before,
                           .by = x->by,
                           .signer = x->key,
                           .progress = tut_message_progress,
                           .ctx = &x->progress};
    tut_status status = tut_message_send(&s, &x->sent, err);
    tut_progress_end(&x->progress);
    return status;
}

static tut_status notify(notifying *x, const tut_args *args, tut_error *err)
{
    x->to = tut_args_has(args, "--users") ? TUT_NOTICE_USERS : TUT_NOTICE_OPERATORS;
    uint32_t roles = TUT_PERSON_OPERATOR | (x->to == TUT_NOTICE_USERS ? 0u : TUT_PERSON_DEVELOPER);
    TUT_TRY(tut_notice_act_open(&x->of, args, err));
    TUT_TRY(tut_message_policy_read(x->of.act.system, &x->policy, NULL, err));
    TUT_TRY(tut_threats_act_recorded(&x->of.act, err));
    TUT_TRY(tut_threats_act_signer(&x->of.act, roles, "a notice of threats", &x->by, &x->signers,
                                   &x->key, err));
    TUT_TRY(find_readers(x, err));
    TUT_TRY(args->positional_count ? add_named(x, args, err) : add_untold(x, err));
    if (x->text.len == 0)
        take_unsent(x);
    if (x->text.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(compose(x, err));
    return send_it(x, args, err);
}

static tut_status tell_json(const notifying *x, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.threats/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "notice", x->text.len ? strchr(x->name, '/') + 1 : NULL);
    tut_json_put_u64(j, "risks", x->risks);
    tut_json_put_u64(j, "left", x->left);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_message_put_items(j, &x->sent, x->name, x->by);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status tell(const notifying *x, const tut_args *args, tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return tell_json(x, out, err);
    if (x->text.len == 0) {
        tut_buf_add_z(out, "Nothing is left to tell: no threat is above what is tolerated that was "
                           "not told as it is now.\n");
        return tut_buf_check(out, err);
    }
    tut_buf_printf(out, "Notice %s", strchr(x->name, '/') + 1);
    if (x->risks)
        tut_buf_printf(out, " of %zu %s", x->risks, x->risks == 1 ? "risk" : "risks");
    tut_buf_printf(out, ": entry %llu, signed by ", (unsigned long long)x->sent.issued);
    tut_buf_add_escaped(out, tut_str_of(x->by), TUT_PERSON_NAME_MAX);
    tut_buf_add_z(out, ".\n");
    tut_message_tell(&x->sent, out);
    if (x->left)
        tut_buf_printf(out, "%zu more do not fit into one notice: notify once more.\n", x->left);
    if (x->to == TUT_NOTICE_OPERATORS)
        tut_buf_printf(out, "Next     tutela threats received %s --by OPERATOR\n",
                       strchr(x->name, '/') + 1);
    return tut_buf_check(out, err);
}

static int run_notify(const tut_args *args)
{
    TUT_CLEAN(notifying) x = {.by = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = notify(&x, args, &err);
    if (tut_is_ok(status))
        status = tell(&x, args, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, tut_message_is_delivered(&x.sent) ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

const tut_command tut_cmd_threats_notify = {
    .name = "threats notify",
    .arguments = "[RISK...]",
    .summary = "Tell system operators, and then users, of threats that are not resolved",
    .help =
        "A threat is unresolved while its residual risk is above what is tolerated, whatever was "
        "decided about it. The notice says of each the risk, what it can come to, and what to do "
        "or watch; a developer or system operator signs it, and it goes to the operators over the "
        "channels of messages: that reach staff. With --users an operator passes it on, in plain "
        "words, to those who use the system, over the channels that reach users. Without RISK: of "
        "all that no notice tells of as they are now.\n\n"
        "Exit status: 0 delivered, or nothing is left to tell; 1 something was not delivered; 2 "
        "could not answer.",
    .formats = "table json",
    .options = notify_options,
    .most = 1024,
    .run = run_notify,
};
