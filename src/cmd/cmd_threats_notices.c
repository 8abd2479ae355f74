/* tutela threats received, notices: who signed for a notice, and what was not told yet. */
#include <string.h>
#include <unistd.h>

#include "cmd/message_view.h"
#include "cmd/notice_act.h"
#include "cmd/people_act.h"

static const tut_option signer_options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option no_options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

tut_status tut_notice_act_open(tut_notice_act *x, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_threats_act_open(&x->act, args, NULL, err));
    TUT_TRY(tut_state_read(x->act.ledger, tut_time_now(), &x->records, err));
    return tut_notices_load(x->act.ledger, x->records, &x->notices, err);
}

void tut_notice_act_done(tut_notice_act *x)
{
    tut_notices_done(&x->notices);
    tut_records_free(x->records);
    tut_threats_act_done(&x->act);
}

/* --- received --- */

static const tut_message *find_notice(const tut_notice_act *x, const char *word)
{
    TUT_AUTO_FREE char *name = tut_asprintf("notice/%s", word);
    for (int to = 0; name && to < 2; to++) {
        const tut_message *m = tut_messages_find(&x->notices.to[to], name);
        if (m)
            return m;
    }
    return NULL;
}

static tut_status receive(tut_notice_act *x, const tut_args *args, tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) signers = NULL;
    TUT_AUTO(tut_key) key = NULL;
    const char *by = NULL;
    uint64_t index = 0;
    TUT_TRY(tut_notice_act_open(x, args, err));
    const tut_message *m = find_notice(x, args->positional[0]);
    if (!m)
        return tut_fail(err, TUT_USAGE,
                        "no notice is called \"%s\"; tutela threats notices lists them",
                        args->positional[0]);
    if (m->text.len == 0)
        return tut_fail(err, TUT_STORE,
                        "the text of this notice is missing from the ledger, or was altered");
    TUT_TRY(tut_threats_act_signer(&x->act, 0, "a receipt", &by, &signers, &key, err));
    tut_message_lines(out, tut_buf_str(&m->text));
    const tut_record *before = tut_message_receipt(m, by);
    if (!before) {
        TUT_TRY(tut_ledger_open(x->act.state, true, &ledger, err));
        TUT_TRY(tut_message_receive(ledger, m, by, key, &index, err));
    }
    tut_buf_add_z(out, before ? "\nReceived before by " : "\nReceived, and signed by ");
    tut_buf_add_escaped(out, tut_str_of(by), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, ": entry %llu.\n", (unsigned long long)(before ? before->index : index));
    return tut_buf_check(out, err);
}

static int run_received(const tut_args *args)
{
    TUT_CLEAN(tut_notice_act) x = {.records = NULL};
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

static tut_status count(const tut_notice_act *x, listing *ret, tut_error *err)
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

static size_t count_receipts(const tut_notice_act *x, const tut_message *m)
{
    const tut_people *people = x->records->people;
    size_t count = 0;
    for (size_t i = 0; i < people->count; i++)
        count += people->items[i].is_active && (people->items[i].roles & TUT_PERSON_OPERATOR) &&
                 tut_message_receipt(m, people->items[i].name);
    return count;
}

static tut_status list_json(const tut_notice_act *x, const listing *l, tut_buf *out, tut_error *err)
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

static tut_status list_text(const tut_notice_act *x, const listing *l, tut_buf *out, tut_error *err)
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
    TUT_CLEAN(tut_notice_act) x = {.records = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    listing l = {.unresolved = 0};
    tut_error err = {0};
    tut_status status = tut_notice_act_open(&x, args, &err);
    if (tut_is_ok(status))
        status = count(&x, &l, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? list_json(&x, &l, &out, &err)
                                                   : list_text(&x, &l, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, l.untold                   ? TUT_EXIT_FOUND
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
