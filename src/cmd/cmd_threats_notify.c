/* tutela threats notify, received, notices: unresolved threats told to operators, and by them to
 * users. */
#include <string.h>
#include <unistd.h>

#include "cmd/message_view.h"
#include "cmd/people_act.h"
#include "cmd/threats_act.h"
#include "govern/notice.h"
#include "state/records.h"

static const tut_option notify_options[] = {
    {"--users", TUT_OPTION_FLAG, NULL, "tell those who use the system, as a system operator"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option signer_options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option no_options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

typedef struct notifying {
    tut_threats_act act;
    tut_records *records;
    tut_notices notices;
    tut_message_policy policy;
    tut_notice_to to;
    tut_buf text, shown;
    char name[TUT_NOTICE_NAME], title[200];
    size_t risks;
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
    tut_notices_done(&x->notices);
    tut_records_free(x->records);
    tut_threats_act_done(&x->act);
}

static tut_status open(notifying *x, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_threats_act_open(&x->act, args, NULL, err));
    TUT_TRY(tut_message_policy_read(x->act.system, &x->policy, NULL, err));
    TUT_TRY(tut_state_read(x->act.ledger, tut_time_now(), &x->records, err));
    return tut_notices_load(x->act.ledger, x->records, &x->notices, err);
}

/* --- notify --- */

static tut_status add_section(notifying *x, const tut_risk *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) section = TUT_BUF_INIT;
    size_t at;
    TUT_TRY(tut_notice_section(r, x->to, &section, err));
    x->risks++;
    if (tut_str_find(tut_buf_str(&x->text), tut_buf_str(&section), &at))
        return TUT_SUCCESS; /* users are told once of what comes up at several places */
    if (x->text.len + section.len > TUT_MESSAGE_BYTES)
        return tut_fail(err, TUT_LIMIT,
                        "these are too many for one notice: name risks, and tell the others in "
                        "further ones");
    tut_buf_add_str(&x->text, tut_buf_str(&section));
    return tut_buf_check(&x->text, err);
}

static tut_status add_named(notifying *x, const tut_args *args, tut_error *err)
{
    for (size_t i = 0; i < args->positional_count; i++) {
        const tut_risk *r;
        TUT_TRY(tut_threats_act_risk(&x->act, args->positional[i], &r, err));
        if (!tut_risk_is_unresolved(r))
            return tut_fail(err, TUT_USAGE, "%s is not above what is tolerated", r->id);
        TUT_TRY(add_section(x, r, err));
    }
    return TUT_SUCCESS;
}

/* Those that no notice tells of as they are now. */
static tut_status add_untold(notifying *x, tut_error *err)
{
    const tut_threats *t = x->act.threats;
    for (size_t i = 0; i < t->count; i++) {
        tut_notice_standing s;
        if (!tut_risk_is_unresolved(&t->risks[i]))
            continue;
        TUT_TRY(tut_notice_stand(&x->notices, x->records->people, &t->risks[i], &s, err));
        const tut_message *told = x->to == TUT_NOTICE_USERS ? s.users : s.operators;
        if (!told)
            TUT_TRY(add_section(x, &t->risks[i], err));
    }
    return TUT_SUCCESS;
}

/* Nothing new: the last notice that did not get everywhere goes out again. */
static void take_unsent(notifying *x)
{
    const tut_messages *all = &x->notices.to[x->to];
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
    const tut_people *people = x->records->people;
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
    const tut_system *s = x->act.system;
    TUT_TRY(tut_notice_name(tut_buf_str(&x->text), x->to, x->name, err));
    x->before = tut_messages_find(&x->notices.to[x->to], x->name);
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

static tut_status send(notifying *x, const tut_args *args, tut_error *err)
{
    tut_progress_start(&x->progress, args->quiet, args->color);
    const tut_sending s = {.system = x->act.system,
                           .state_dir = x->act.state,
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
    TUT_TRY(open(x, args, err));
    TUT_TRY(tut_threats_act_recorded(&x->act, err));
    TUT_TRY(tut_threats_act_signer(&x->act, roles, "a notice of threats", &x->by, &x->signers,
                                   &x->key, err));
    TUT_TRY(find_readers(x, err));
    TUT_TRY(args->positional_count ? add_named(x, args, err) : add_untold(x, err));
    if (x->text.len == 0)
        take_unsent(x);
    if (x->text.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(compose(x, err));
    return send(x, args, err);
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

/* --- received --- */

static const tut_message *find_notice(const notifying *x, const char *word)
{
    TUT_AUTO_FREE char *name = tut_asprintf("notice/%s", word);
    for (int to = 0; name && to < 2; to++) {
        const tut_message *m = tut_messages_find(&x->notices.to[to], name);
        if (m)
            return m;
    }
    return NULL;
}

static void add_lines(tut_buf *out, tut_str text)
{
    text = tut_str_trim(text);
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        tut_buf_add_escaped(out, (tut_str){text.data, len}, len);
        tut_buf_add_byte(out, '\n');
        len += end != NULL;
        text = (tut_str){text.data + len, text.len - len};
    }
}

static tut_status receive(notifying *x, const tut_args *args, tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    uint64_t index = 0;
    TUT_TRY(open(x, args, err));
    const tut_message *m = find_notice(x, args->positional[0]);
    if (!m)
        return tut_fail(err, TUT_USAGE,
                        "no notice is called \"%s\"; tutela threats notices lists them",
                        args->positional[0]);
    if (m->text.len == 0)
        return tut_fail(err, TUT_STORE,
                        "the text of this notice is missing from the ledger, or was altered");
    TUT_TRY(tut_threats_act_signer(&x->act, 0, "a receipt", &x->by, &x->signers, &x->key, err));
    add_lines(out, tut_buf_str(&m->text));
    const tut_record *before = tut_message_receipt(m, x->by);
    if (!before) {
        TUT_TRY(tut_ledger_open(x->act.state, true, &ledger, err));
        TUT_TRY(tut_message_receive(ledger, m, x->by, x->key, &index, err));
    }
    tut_buf_add_z(out, before ? "\nReceived before by " : "\nReceived, and signed by ");
    tut_buf_add_escaped(out, tut_str_of(x->by), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, ": entry %llu.\n", (unsigned long long)(before ? before->index : index));
    return tut_buf_check(out, err);
}

static int run_received(const tut_args *args)
{
    TUT_CLEAN(notifying) x = {.by = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    return tut_is_ok(receive(&x, args, &out, &err)) ? tut_cmd_output(&out, TUT_EXIT_OK)
                                                    : tut_cmd_fail(&err);
}

const tut_command tut_cmd_threats_received = {
    .name = "threats received",
    .arguments = "NOTICE",
    .summary = "Read a notice of threats, and sign that you got it",
    .help = "Prints the notice as it is in the ledger, and appends a receipt for that very text "
            "under the reader's own key. Each system operator gives one.",
    .formats = "table",
    .options = signer_options,
    .least = 1,
    .most = 1,
    .run = run_received,
};

/* --- notices --- */

typedef struct listing {
    size_t unresolved, untold, waiting, unreached;
} listing;

static tut_status count(const notifying *x, listing *ret, tut_error *err)
{
    const tut_threats *t = x->act.threats;
    for (size_t i = 0; i < t->count; i++) {
        tut_notice_standing s;
        if (!tut_risk_is_unresolved(&t->risks[i]))
            continue;
        TUT_TRY(tut_notice_stand(&x->notices, x->records->people, &t->risks[i], &s, err));
        ret->unresolved++;
        ret->untold += !s.operators;
        ret->waiting += s.operators && s.waiting > 0;
        ret->unreached += !s.reached_users;
    }
    return TUT_SUCCESS;
}

static size_t count_receipts(const notifying *x, const tut_message *m)
{
    const tut_people *people = x->records->people;
    size_t count = 0;
    for (size_t i = 0; i < people->count; i++)
        count += people->items[i].is_active && (people->items[i].roles & TUT_PERSON_OPERATOR) &&
                 tut_message_receipt(m, people->items[i].name);
    return count;
}

static tut_status list_json(const notifying *x, const listing *l, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.threats/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "unresolved", l->unresolved);
    tut_json_put_u64(j, "untold", l->untold);
    tut_json_put_u64(j, "waiting", l->waiting);
    tut_json_put_u64(j, "users_not_reached", l->unreached);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (int to = 0; to < 2; to++)
        for (size_t i = 0; i < x->notices.to[to].count; i++) {
            const tut_message *m = &x->notices.to[to].items[i];
            tut_item_put_head(j, strchr(m->name, '/') + 1,
                              tut_message_channels(m) ? "delivered" : "issued",
                              m->issued->recorded_at, 0, m->by, m->issued->index);
            tut_json_put_z(j, "to", to == TUT_NOTICE_USERS ? "users" : "operators");
            tut_json_put_u64(j, "channels", tut_message_channels(m));
            tut_json_put_u64(j, "received_by", count_receipts(x, m));
            tut_json_end_object(j);
        }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status list_text(const notifying *x, const listing *l, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"notice", "sent", "by", "received by", "channels"};
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    char day[TUT_TIME_TEXT];
    tut_term_detect(STDOUT_FILENO, x->act.args->color, &term);
    if (!tut_is_ok(tut_table_new(5, &t)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, heads[i], i > 2 ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (int to = 0; to < 2; to++)
        for (size_t i = 0; i < x->notices.to[to].count; i++) {
            const tut_message *m = &x->notices.to[to].items[i];
            tut_time_date(m->issued->recorded_at, day);
            tut_table_cell_z(t, TUT_STYLE_PLAIN, strchr(m->name, '/') + 1);
            tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
            tut_table_cell_z(t, TUT_STYLE_PLAIN, m->by);
            if (to == TUT_NOTICE_USERS)
                tut_table_cell_z(t, TUT_STYLE_DIM, "-");
            else
                tut_table_cellf(t, TUT_STYLE_PLAIN, "%zu", count_receipts(x, m));
            tut_table_cellf(t, TUT_STYLE_PLAIN, "%zu", tut_message_channels(m));
        }
    if (x->notices.to[0].count + x->notices.to[1].count)
        TUT_TRY(tut_table_print(t, &term, 0, out));
    tut_buf_printf(out,
                   "%zu unresolved: %zu not told to operators, %zu waiting for receipts, %zu not "
                   "told to users.\n",
                   l->unresolved, l->untold, l->waiting, l->unreached);
    if (l->untold)
        tut_buf_add_z(out, "Next     tutela threats notify --by PERSON\n");
    else if (l->unreached)
        tut_buf_add_z(out, "Next     tutela threats notify --users --by OPERATOR\n");
    return tut_buf_check(out, err);
}

static int run_notices(const tut_args *args)
{
    TUT_CLEAN(notifying) x = {.by = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    listing l = {.unresolved = 0};
    tut_error err = {0};
    tut_status status = open(&x, args, &err);
    if (tut_is_ok(status))
        status = count(&x, &l, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? list_json(&x, &l, &out, &err)
                                                   : list_text(&x, &l, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, l.untold                      ? TUT_EXIT_FOUND
                                : l.waiting || l.unreached ? TUT_EXIT_DOUBT
                                                           : TUT_EXIT_OK);
}

const tut_command tut_cmd_threats_notices = {
    .name = "threats notices",
    .summary = "List notices of threats, who signed for them, and what was not told yet",
    .help = "Exit status: 0 all unresolved threats were told to operators, who signed, and to "
            "users; 1 one was not told as it is now; 3 receipts lack, or users were not told.",
    .formats = "table json",
    .options = no_options,
    .run = run_notices,
};
