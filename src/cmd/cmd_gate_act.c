/* tutela gate sign, override, examine: what people do at a gate. */
#include <string.h>

#include "base/json_write.h"
#include "cmd/gate_here.h"
#include "cmd/people_act.h"
#include "govern/documents.h"

static const tut_option sign_options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option override_options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why it may pass all the same; it is signed, and stays"},
    {"--expires", TUT_OPTION_VALUE, "DATE", "the day on which the override ends"},
    {"--second", TUT_OPTION_VALUE, "ENTRY",
     "sign the override of that entry as the second person, instead of making one"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct said { /* what a command did */
    const char *id, *state;
    uint64_t index;
    const char *by;
    tut_time due;
} said;

static tut_status say(const tut_args *args, const said *s, const char *line, tut_buf *out,
                      tut_error *err)
{
    if (strcmp(args->format, "json") != 0) {
        tut_buf_add_escaped(out, tut_str_of(line), 1000);
        tut_buf_add_byte(out, '\n');
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.gate/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", s->index);
    tut_json_put_z(j, "line", line);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "id", s->id);
    tut_json_put_z(j, "state", s->state);
    tut_json_put_time(j, "since", tut_time_now());
    if (s->due)
        tut_json_put_time(j, "due", s->due);
    else
        tut_json_put_or_null(j, "due", TUT_LIT(""));
    tut_json_key(j, "actors");
    tut_json_array(j);
    tut_json_z(j, s->by);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    tut_json_u64(j, s->index);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- sign --- */

static tut_status sign(const tut_args *args, tut_gate_here *h, tut_buf *out, tut_error *err)
{
    uint64_t index = 0;
    bool is_new = false;
    const char *name = args->positional[0];
    TUT_TRY(tut_gate_here_open(args, name, h, err));
    TUT_TRY(tut_gate_here_signer(args, h, err));
    TUT_TRY(tut_gate_sign(h->view, h->state, h->by, h->key, &index, &is_new, err));
    TUT_AUTO_FREE char *line = tut_asprintf("%s %s the gate %s: entry %llu.", h->by,
                                            is_new ? "signed" : "signed already", name,
                                            (unsigned long long)index);
    if (!line)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_gate_decision *d = tut_gate_asked(h->view);
    const said s = {.id = name,
                    .state = "signed",
                    .index = index,
                    .by = h->by,
                    .due = tut_time_now() + (tut_time)d->gate->signature_days * TUT_DAY_SECONDS};
    return say(args, &s, line, out, err);
}

/* --- override --- */

static tut_status take_override(const tut_args *args, tut_gate_overriding *how, tut_error *err)
{
    const char *second = tut_args_get(args, "--second");
    const char *expires = tut_args_get(args, "--expires");
    how->reason = tut_args_get(args, "--reason");
    how->is_second = second != NULL;
    if (second && (how->reason || expires))
        return tut_fail(err, TUT_USAGE,
                        "--second signs what the first one wrote; --reason and --expires are his");
    if (second)
        return tut_str_u64(tut_str_of(second), &how->first)
                   ? TUT_SUCCESS
                   : tut_fail(err, TUT_USAGE, "--second takes the number of an entry, not \"%s\"",
                              second);
    if (!how->reason || !expires)
        return tut_fail(err, TUT_USAGE, "an override needs --reason and --expires");
    if (tut_is_ok(tut_time_parse(tut_str_of(expires), &how->expires)))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE, "--expires takes a date such as 2027-06-30, not \"%s\"",
                    expires);
}

static tut_status override(const tut_args *args, tut_gate_here *h, tut_buf *out, tut_error *err)
{
    tut_gate_overriding how = {0};
    tut_override_state state = TUT_OVERRIDE_WAITING;
    uint64_t index = 0;
    const char *name = args->positional[0];
    TUT_TRY(take_override(args, &how, err));
    TUT_TRY(tut_gate_here_open(args, name, h, err));
    TUT_TRY(tut_gate_here_signer(args, h, err));
    how.by = h->by;
    TUT_TRY(tut_gate_override(h->view, h->state, &how, h->key, &index, &state, err));
    TUT_AUTO_FREE char *line =
        state == TUT_OVERRIDE_IN_FORCE
            ? tut_asprintf("%s signed the override of the gate %s: entry %llu. It passes now, and "
                           "every report says so.",
                           h->by, name, (unsigned long long)index)
            : tut_asprintf("%s signed an override of the gate %s: entry %llu. It waits for a "
                           "second person in another role: tutela gate override %s --second %llu "
                           "--by PERSON",
                           h->by, name, (unsigned long long)index, name,
                           (unsigned long long)(how.is_second ? how.first : index));
    if (!line)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const said s = {.id = name,
                    .state = tut_override_state_name(state),
                    .index = index,
                    .by = h->by,
                    .due = how.expires};
    return say(args, &s, line, out, err);
}

/* --- examine --- */

/* A path as it is typed, below the directory of the description. */
static const char *below(const tut_gate_here *h, const char *path)
{
    size_t len = strlen(h->dir);
    bool is_inside = strncmp(path, h->dir, len) == 0 && path[len] == '/';
    return is_inside ? path + len + 1 : path;
}

static tut_status examine(const tut_args *args, tut_gate_here *h, tut_buf *out, tut_error *err)
{
    tut_examination done;
    char day[TUT_TIME_TEXT];
    const char *path = args->positional[0];
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_TRY(tut_gate_here_open(args, NULL, h, err));
    TUT_TRY(tut_gate_here_signer(args, h, err));
    TUT_TRY(tut_document_examine(h->view, h->state, below(h, path), h->key, &done, err));
    tut_time_date(done.until, day);
    tut_buf_printf(&line, "%s holds its sections. %s stands behind it, until %s:", path, h->by,
                   day);
    for (size_t i = 0; i < done.count; i++)
        tut_buf_printf(&line, "%s %.*s %s (entry %llu)", i ? "," : "",
                       (int)done.items[i].clause.len, done.items[i].clause.data,
                       done.items[i].check, (unsigned long long)done.items[i].index);
    tut_buf_add_z(&line, ".");
    const char *words = tut_buf_z(&line);
    if (!words)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const said s = {.id = path,
                    .state = "examined",
                    .index = done.items[done.count - 1].index,
                    .by = h->by,
                    .due = done.until};
    return say(args, &s, words, out, err);
}

static int act(const tut_args *args, tut_status (*what)(const tut_args *args, tut_gate_here *h,
                                                        tut_buf *out, tut_error *err))
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_gate_here) h = {0};
    tut_error err = {0};
    if (!tut_is_ok(what(args, &h, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

static int run_sign(const tut_args *args)
{
    return act(args, sign);
}

static int run_override(const tut_args *args)
{
    return act(args, override);
}

static int run_examine(const tut_args *args)
{
    return act(args, examine);
}

const tut_command tut_cmd_gate_sign = {
    .name = "gate sign",
    .arguments = "NAME",
    .summary = "Sign what a gate came to, for this description",
    .help = "The signature is about this tutela.yaml, these assets and these documents, and lists "
            "the evidence that the decision rests on. It is refused while anything but signatures "
            "is missing, to a person without one of the roles that the gate wants, and to one "
            "whose training lapsed. It ends when any of these bytes change, and after "
            "signature_days (90).",
    .formats = "table json",
    .options = sign_options,
    .least = 1,
    .most = 1,
    .run = run_sign,
};

const tut_command tut_cmd_gate_override = {
    .name = "gate override",
    .arguments = "NAME",
    .summary = "Let a closed gate pass: two people, in two roles, with a reason and an end",
    .help = "The first person gives reason and end; the second signs the same with --second ENTRY. "
            "It is about this tutela.yaml alone, and stays in every report for ever, also when it "
            "ran out.",
    .formats = "table json",
    .options = override_options,
    .least = 1,
    .most = 1,
    .run = run_override,
};

const tut_command tut_cmd_gate_examine = {
    .name = "gate examine",
    .arguments = "PATH",
    .summary = "Examine a document of the design, and stand behind it",
    .help = "The document is one that tutela.yaml names under design: record, documents or "
            "maintenance. It is examined for its sections (tutela gate template prints the form) "
            "and bound to the bytes that it has now: another edit asks for another look, an edit "
            "of tutela.yaml does not.",
    .formats = "table json",
    .options = sign_options,
    .least = 1,
    .most = 1,
    .run = run_examine,
};
