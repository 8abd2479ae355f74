/* tutela train bulletin send: what is new about threats, to the people whom it is for. */
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "cmd/bulletin_act.h"
#include "cmd/message_view.h"
#include "cmd/people_act.h"

static const tut_option options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static const uint32_t issuers = TUT_PERSON_TRAINER | TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR |
                                TUT_PERSON_CUSTODIAN;

typedef struct issuing {
    tut_bulletin_act act;
    tut_message_policy policy;
    tut_buf text, shown;
    tut_bulletin bulletin;
    const char **readers;
    size_t reader_count;
    const tut_message *before;
    const tut_person *person;
    tut_key *key;
    tut_sent_all sent;
    tut_progress progress;
} issuing;

static void issuing_done(issuing *x)
{
    tut_progress_end(&x->progress);
    tut_sent_all_done(&x->sent);
    tut_key_free(x->key);
    tut_free(x->readers);
    tut_bulletin_done(&x->bulletin);
    tut_buf_done(&x->shown);
    tut_buf_done(&x->text);
    tut_bulletin_act_done(&x->act);
}

static tut_status find_readers(issuing *x, tut_error *err)
{
    const tut_people *people = x->act.train.records->people;
    x->readers = tut_alloc_array(people->count + 1, sizeof(*x->readers));
    if (!x->readers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < people->count; i++)
        if (tut_bulletin_is_for(&x->bulletin, &people->items[i]))
            x->readers[x->reader_count++] = people->items[i].name;
    if (x->reader_count == 0)
        return tut_fail(
            err, TUT_USAGE,
            "nobody is enrolled in a role that the bulletin is for; tutela people list");
    return TUT_SUCCESS;
}

/* The same text may be sent again, to whom it did not reach; another one wants another version. */
static tut_status check_version(issuing *x, tut_error *err)
{
    TUT_AUTO_FREE char *id = tut_strndup(x->bulletin.id.data, x->bulletin.id.len);
    tut_sha256 digest;
    if (!id)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_bulletin_standing *newest = tut_bulletins_find(&x->act.bulletins, id);
    x->before = tut_messages_find(&x->act.bulletins.messages, x->bulletin.name);
    if (newest && newest->version > x->bulletin.version)
        return tut_fail(err, TUT_USAGE, "version %llu of this bulletin was sent already",
                        (unsigned long long)newest->version);
    TUT_TRY(tut_sha256_of(tut_buf_span(&x->text), &digest, err));
    if (x->before && !tut_sha256_eq(&digest, &x->before->digest))
        return tut_fail(err, TUT_USAGE,
                        "version %u was sent with another text: raise \"version\", so that it is "
                        "known who read what",
                        x->bulletin.version);
    return TUT_SUCCESS;
}

static tut_status read_file(issuing *x, tut_error *err)
{
    const char *path = x->act.train.args->positional[0];
    TUT_TRY(tut_fs_read(path, TUT_MESSAGE_BYTES, &x->text, err));
    TUT_TRY(tut_bulletin_parse(path, tut_buf_str(&x->text), &x->bulletin, err));
    tut_buf_add_str(&x->shown, tut_str_trim(x->bulletin.text));
    tut_buf_printf(&x->shown,
                   "\n\nWhen you have read this: tutela train read %.*s --by YOUR-NAME\n",
                   (int)x->bulletin.id.len, x->bulletin.id.data);
    return tut_buf_check(&x->shown, err);
}

static tut_status issue(issuing *x, const tut_args *args, tut_error *err)
{
    const char *why = NULL;
    TUT_TRY(tut_bulletin_act_open(&x->act, args, err));
    const tut_train_act *a = &x->act.train;
    TUT_TRY(tut_message_policy_read(a->system, &x->policy, NULL, err));
    TUT_TRY(read_file(x, err));
    TUT_TRY(find_readers(x, err));
    TUT_TRY(check_version(x, err));
    TUT_TRY(tut_train_signer(a, &x->person, &x->key, err));
    const tut_act act = {.roles = issuers, .index = a->records->log_size};
    if (!tut_people_may_sign(a->records->people, tut_pubkey_id(tut_key_public(x->key)), &act, NULL,
                             &why))
        return tut_fail(err, TUT_DENIED, "%s cannot send a bulletin: %s", x->person->name, why);
    TUT_AUTO_FREE char *title = tut_strndup(x->bulletin.title.data, x->bulletin.title.len);
    if (!title)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_progress_start(&x->progress, args->quiet, args->color);
    const tut_sending s = {.system = a->system,
                           .state_dir = a->state,
                           .policy = &x->policy,
                           .name = x->bulletin.name,
                           .title = title,
                           .text = tut_buf_str(&x->text),
                           .shown = tut_buf_str(&x->shown),
                           .readers = x->readers,
                           .reader_count = x->reader_count,
                           .before = x->before,
                           .by = x->person->name,
                           .signer = x->key,
                           .progress = tut_message_progress,
                           .ctx = &x->progress};
    tut_status status = tut_message_send(&s, &x->sent, err);
    tut_progress_end(&x->progress);
    return status;
}

static tut_status tell(const issuing *x, const tut_args *args, tut_buf *out, tut_error *err)
{
    const char *name = x->bulletin.name + sizeof(TUT_BULLETIN_BEGINNING) - 1;
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        tut_json_head(j, "tutela.train/1", tut_time_generated());
        tut_json_key(j, "summary");
        tut_json_object(j);
        tut_json_put_u64(j, "index", x->sent.issued);
        tut_json_put_z(j, "event", TUT_MESSAGE_ISSUED);
        tut_json_put_u64(j, "readers", x->reader_count);
        tut_json_end_object(j);
        tut_json_key(j, "items");
        tut_json_array(j);
        tut_message_put_items(j, &x->sent, name, x->person->name);
        tut_json_end_array(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return tut_buf_check(out, err);
    }
    tut_buf_printf(out, "Bulletin %s, for %zu %s: entry %llu, signed by ", name, x->reader_count,
                   x->reader_count == 1 ? "person" : "people", (unsigned long long)x->sent.issued);
    tut_buf_add_escaped(out, tut_str_of(x->person->name), TUT_PERSON_NAME_MAX);
    tut_buf_add_z(out, ".\n");
    tut_message_tell(&x->sent, out);
    if (!tut_message_is_delivered(&x->sent))
        tut_buf_add_z(out, "Next     tutela train bulletin send the same file once more: it goes "
                           "to whom it did not reach\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(issuing) x = {.person = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = issue(&x, args, &err);
    if (tut_is_ok(status))
        status = tell(&x, args, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, tut_message_is_delivered(&x.sent) ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

const tut_command tut_cmd_train_bulletin_send = {
    .name = "train bulletin send",
    .arguments = "FILE",
    .summary = "Sign a bulletin, send it over every channel, and record what became of it",
    .help =
        "FILE is Markdown with front matter (id, title, version, for, and threats, atlas, until), "
        "and says what happens, who is affected, and which countermeasures there are; that none is "
        "known has to be said. It goes to the people in the roles that it is for, over the "
        "channels of messages: in tutela.yaml: mail, webhooks, folders (docs/notices.md). What did "
        "not arrive is told and recorded, and the others go on; the same file sent again goes to "
        "whom it did not reach.\n\n"
        "Exit status: 0 delivered; 1 something was not delivered; 2 could not answer.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};

static const tut_command *const members[] = {
    &tut_cmd_train_bulletin_send, &tut_cmd_train_bulletin_list, &tut_cmd_train_bulletin_show, NULL};

const tut_command tut_cmd_train_bulletin = {
    .name = "train bulletin",
    .arguments = "COMMAND",
    .summary = "Bulletins about threats: send them, and see who has read them",
    .formats = "table json",
    .subcommands = members,
};
