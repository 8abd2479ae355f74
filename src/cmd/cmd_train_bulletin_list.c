/* tutela train bulletin list, show: what was sent, and who has read it. */
#include <string.h>
#include <unistd.h>

#include "cmd/bulletin_act.h"
#include "cmd/message_view.h"

static const tut_option options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

tut_status tut_bulletin_act_open(tut_bulletin_act *a, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_train_open(&a->train, args, true, err));
    TUT_TRY(tut_reading_policy_read(a->train.system, &a->policy, NULL, err));
    TUT_TRY(tut_ledger_open(a->train.state, false, &a->ledger, err));
    TUT_TRY(tut_bulletins_load(a->ledger, a->train.records, &a->policy, a->train.at, &a->bulletins,
                               err));
    tut_ledger_close(a->ledger); /* nobody waits for a slow server */
    a->ledger = NULL;
    return TUT_SUCCESS;
}

void tut_bulletin_act_done(tut_bulletin_act *a)
{
    tut_bulletins_done(&a->bulletins);
    tut_ledger_close(a->ledger);
    tut_train_act_done(&a->train);
}

static const char *name_of(const tut_bulletin_standing *s)
{
    return s->message->name + sizeof(TUT_BULLETIN_BEGINNING) - 1;
}

tut_status tut_bulletin_act_find(const tut_bulletin_act *a, const char *word,
                                 const tut_bulletin_standing **ret, tut_error *err)
{
    const tut_bulletin_standing *s = tut_bulletins_find(&a->bulletins, word);
    if (!s)
        return tut_fail(err, TUT_USAGE,
                        "no bulletin is called \"%s\"; tutela train bulletin list shows them",
                        word);
    if (s->message->text.len == 0)
        return tut_fail(err, TUT_STORE,
                        "the text of bulletin %s is missing from the ledger, or was altered",
                        name_of(s));
    *ret = s;
    return TUT_SUCCESS;
}

tut_status tut_bulletin_act_text(const tut_bulletin_standing *s, tut_buf *out, tut_error *err)
{
    char day[TUT_TIME_TEXT];
    tut_time_date(s->message->issued->recorded_at, day);
    tut_buf_add_escaped(out, tut_str_of(s->message->issued->statement), 200);
    tut_buf_printf(out, "\n%s, sent by ", name_of(s));
    tut_buf_add_escaped(out, tut_str_of(s->message->by), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, " on %s\n\n", day);
    /* of one that is over as it was sent, with its front matter */
    tut_message_lines(out, s->bulletin.name ? s->bulletin.text : tut_buf_str(&s->message->text));
    return tut_buf_check(out, err);
}

/* --- as JSON --- */

static void put_names(tut_json *j, const tut_bulletin_standing *s)
{
    tut_json_key(j, "not_read_by");
    tut_json_array(j);
    for (size_t i = 0; i < s->missing_count; i++)
        tut_json_z(j, s->missing[i]->name);
    tut_json_end_array(j);
}

static void put_item(tut_json *j, const tut_bulletin_standing *s)
{
    tut_item_put_head(j, name_of(s), tut_bulletin_state_name(s->state),
                      s->message->issued->recorded_at, s->due, s->message->by,
                      s->message->issued->index);
    tut_json_put_z(j, "title", s->message->issued->statement);
    tut_json_put_time(j, "until", s->until);
    tut_json_put_u64(j, "read_by", s->readers);
    put_names(j, s);
    tut_json_put_u64(j, "channels", tut_message_channels(s->message));
    tut_json_key(j, "digest");
    tut_json_sha256(j, s->message->digest.bytes);
    tut_json_end_object(j);
}

static tut_status write_json(const tut_bulletin_act *a, const tut_bulletin_standing *only,
                             tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "bulletins", a->bulletins.count);
    tut_json_put_u64(j, "read_days", a->policy.read_days);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < a->bulletins.count; i++)
        if (!only || only == &a->bulletins.items[i])
            put_item(j, &a->bulletins.items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- for people --- */

static tut_style style_of(tut_bulletin_state state)
{
    return state == TUT_BULLETIN_OVERDUE || state == TUT_BULLETIN_BROKEN ? TUT_STYLE_BAD
           : state == TUT_BULLETIN_OPEN || state == TUT_BULLETIN_NOBODY  ? TUT_STYLE_WARN
           : state == TUT_BULLETIN_READ                                  ? TUT_STYLE_GOOD
                                                                         : TUT_STYLE_DIM;
}

static tut_status write_table(const tut_bulletin_act *a, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"bulletin", "state", "read by", "channels", "until"};
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    char day[TUT_TIME_TEXT];
    if (a->bulletins.count == 0) {
        tut_buf_add_z(out, "No bulletin was sent yet: tutela train bulletin send FILE --by "
                           "PERSON.\n");
        return tut_buf_check(out, err);
    }
    tut_term_detect(STDOUT_FILENO, a->train.args->color, &term);
    if (!tut_is_ok(tut_table_new(5, &t)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, heads[i], i == 3 ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (size_t i = 0; i < a->bulletins.count; i++) {
        const tut_bulletin_standing *s = &a->bulletins.items[i];
        tut_time_date(s->until, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, name_of(s));
        tut_table_cell_z(t, style_of(s->state), tut_bulletin_state_name(s->state));
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%zu of %zu", s->readers,
                        s->readers + s->missing_count);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%zu", tut_message_channels(s->message));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
    }
    TUT_TRY(tut_table_print(t, &term, 0, out));
    return tut_buf_check(out, err);
}

/* 1 somebody is late, or a text is lost; 3 nothing is in force, or not read yet. */
static int exit_of(const tut_bulletin_act *a, const tut_bulletin_standing *only)
{
    bool is_bad = false, is_open = false, is_read = false;
    for (size_t i = 0; i < a->bulletins.count; i++) {
        const tut_bulletin_standing *s = &a->bulletins.items[i];
        if (only && only != s)
            continue;
        is_bad |= s->state == TUT_BULLETIN_OVERDUE || s->state == TUT_BULLETIN_BROKEN;
        is_open |= s->state == TUT_BULLETIN_OPEN;
        is_read |= s->state == TUT_BULLETIN_READ;
    }
    return is_bad ? TUT_EXIT_FOUND : is_open || !is_read ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

static int run_list(const tut_args *args)
{
    TUT_CLEAN(tut_bulletin_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = tut_bulletin_act_open(&a, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&a, NULL, &out, &err)
                                                   : write_table(&a, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, exit_of(&a, NULL)) : tut_cmd_fail(&err);
}

static void list_people(const tut_bulletin_standing *s, tut_buf *out)
{
    tut_buf_printf(out, "\nRead by %zu of %zu", s->readers, s->readers + s->missing_count);
    for (size_t i = 0; i < s->missing_count; i++) {
        tut_buf_add_z(out, i ? ", " : "; not by ");
        tut_buf_add_escaped(out, tut_str_of(s->missing[i]->name), TUT_PERSON_NAME_MAX);
        tut_buf_add_z(out, s->is_late[i] ? " (late)" : "");
    }
    tut_buf_add_z(out, ".\n");
    for (size_t i = 0; i < s->message->sent_count; i++) {
        const tut_sent *sent = &s->message->sent[i];
        tut_buf_printf(out, "%s (%s): %s, entry %llu\n", sent->channel, sent->kind,
                       tut_sent_is_whole(sent) ? "delivered" : "not delivered to everyone",
                       (unsigned long long)sent->index);
    }
}

static int run_show(const tut_args *args)
{
    TUT_CLEAN(tut_bulletin_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_bulletin_standing *s = NULL;
    tut_error err = {0};
    tut_status status = tut_bulletin_act_open(&a, args, &err);
    if (tut_is_ok(status))
        status = tut_bulletin_act_find(&a, args->positional[0], &s, &err);
    if (tut_is_ok(status) && strcmp(args->format, "json") == 0)
        status = write_json(&a, s, &out, &err);
    else if (tut_is_ok(status)) {
        status = tut_bulletin_act_text(s, &out, &err);
        list_people(s, &out);
    }
    return tut_is_ok(status) ? tut_cmd_output(&out, exit_of(&a, s)) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_bulletin_list = {
    .name = "train bulletin list",
    .summary = "List the bulletins that were sent, and by how many they were read",
    .help = "read: by everyone it is for; open: there is time (training.read_days); overdue: "
            "somebody did not read it in time; nobody: nobody is enrolled whom it is for; replaced "
            "by a later version; over: its day has come; broken: its text is missing from the "
            "ledger.\n\n"
            "Exit status: 0 all in force are read; 1 somebody is late, or a text is lost; 3 not "
            "read yet, or none is in force.",
    .formats = "table json",
    .options = options,
    .run = run_list,
};

const tut_command tut_cmd_train_bulletin_show = {
    .name = "train bulletin show",
    .arguments = "BULLETIN",
    .summary = "Print a bulletin, who has read it, and over what it went",
    .help = "BULLETIN is its id, or ID@VERSION for an older one. Exit status as of list.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run_show,
};
