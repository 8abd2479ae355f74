/* tutela init: describe a system: a draft of tutela.yaml, new assets inserted, a changed one
 * accepted. */
#include <stdio.h>
#include <unistd.h>

#include "assess/tool.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "cmd/signer.h"
#include "cmd/survey.h"

static const tut_option options[] = {
    {"--force", TUT_OPTION_FLAG, NULL, "write a new tutela.yaml over the one that is there"},
    {"--update", TUT_OPTION_FLAG, NULL, "insert new assets into tutela.yaml; change no other byte"},
    {"--accept", TUT_OPTION_VALUE, "ASSET",
     "pin ASSET to the digest that it has now, and record that"},
    {"--by", TUT_OPTION_VALUE, "PERSON",
     "with --accept: who changed it, or answers for the change"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the person's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* What one asset came to, and who says so. */
typedef struct acceptance {
    const char *asset;
    const tut_sha256 *from, *to; /* from: NULL where none was pinned */
    const char *by;
    const tut_key *signer; /* NULL: the account alone */
} acceptance;

static tut_status write_change(const acceptance *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_key(j, "from");
    if (a->from)
        tut_json_sha256(j, a->from->bytes);
    else
        tut_json_null(j);
    tut_json_key(j, "to");
    tut_json_sha256(j, a->to->bytes);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* One event, with tutela.yaml as its body, so that every evaluation can use the description of its
 * time. */
static tut_status record_event(const tut_survey *s, const char *kind, const acceptance *a,
                               const char *statement, tut_str yaml, tut_error *err)
{
    TUT_AUTO_FREE char *state = s->state ? tut_strdup(s->state) : tut_fs_join(s->dir, ".tutela");
    if (!state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state, true, &ledger, err));
    TUT_CLEAN(tut_buf) change = TUT_BUF_INIT;
    tut_subject subjects[2] = {{.name = "tutela.yaml"}, {.name = a ? a->asset : NULL}};
    TUT_TRY(
        tut_ledger_put_body(ledger, tut_span_of(yaml.data, yaml.len), &subjects[0].digest, err));
    if (a) {
        subjects[1].digest = *a->to;
        TUT_TRY(write_change(a, &change, err));
    }
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_time now = tut_time_now();
    tut_record record = {
        .type = TUT_RECORD_EVENT,
        .at = now,
        .check = kind,
        .subjects = subjects,
        .subject_count = a ? 2 : 1,
        .from = now,
        .to = now,
        .actor = a && a->by ? a->by : "self-declared",
        .statement = statement,
        .has_body = true,
        .body = subjects[0].digest,
        .tool_binary = tool.binary,
        .tool_catalogue = tool.catalogue,
        .tool_rules = tool.rules,
        .data_key = a ? "change" : NULL,
        .data = tut_buf_str(&change),
    };
    if (a && a->signer)
        return tut_ledger_append_signed(ledger, &record, &a->signer, 1, err);
    return tut_ledger_append(ledger, &record, 1, err);
}

static tut_status write_yaml(const tut_survey *s, const tut_buf *text, tut_error *err)
{
    return tut_fs_write(s->file, tut_buf_span(text), 0644, err);
}

static size_t count_lines(const tut_buf *text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

static tut_status print_found(const tut_survey *s, const tut_term *term, tut_buf *out)
{
    char size[16];
    tut_human_bytes(s->scan->bytes, size);
    tut_term_printf(term, out, TUT_STYLE_BOLD, "Found %zu asset%s in %zu file%s, %s.\n\n",
                    s->inventory->count, s->inventory->count == 1 ? "" : "s", s->scan->count,
                    s->scan->count == 1 ? "" : "s", size);
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(4, &t));
    for (size_t c = 0; c < 4; c++)
        tut_table_column(t, c, NULL, TUT_LEFT, c == 2);
    tut_asset_kind kind = TUT_KIND_NONE;
    for (size_t i = 0; i < s->inventory->count; i++) {
        const tut_inventory_item *item = &s->inventory->items[i];
        tut_table_cell_z(t, TUT_STYLE_DIM,
                         item->kind == kind ? "" : tut_asset_kind_name(item->kind));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, item->name);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, item->path);
        tut_table_cell_z(t, TUT_STYLE_DIM, item->detail ? item->detail : "");
        kind = item->kind;
    }
    return tut_table_print(t, term, 2, out);
}

/* What was done, for scripts: with the one asset that was accepted, or those that are new, or all.
 */
static tut_status document(const tut_survey *s, const char *action, size_t todo,
                           const char *accepted, bool only_new, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.init/1", tut_time_generated());
    size_t count = 0;
    tut_json_key(j, "assets");
    tut_json_array(j);
    for (size_t i = 0; i < s->inventory->count; i++) {
        const tut_inventory_item *item = &s->inventory->items[i];
        bool is_meant = accepted ? strcmp(item->id, accepted) == 0
                                 : !only_new || item->state == TUT_ASSET_UNDECLARED;
        if (!is_meant)
            continue;
        count++;
        tut_json_object(j);
        tut_json_put_z(j, "id", item->id);
        tut_json_put_z(j, "kind", tut_asset_kind_name(item->kind));
        tut_json_put_z(j, "path", item->path);
        tut_json_key(j, "digest");
        if (item->has_digest)
            tut_json_sha256(j, item->digest.bytes);
        else
            tut_json_null(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "action", action);
    tut_json_put_z(j, "file", s->file);
    tut_json_put_u64(j, "assets", count);
    tut_json_put_u64(j, "todo", todo);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}

static tut_status draft(const tut_survey *s, const tut_term *term, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t todo = 0;
    TUT_TRY(tut_system_draft(s->dir, s->inventory, &text, &todo, err));
    TUT_TRY(write_yaml(s, &text, err));
    TUT_TRY(record_event(s, "system.described", NULL, "tutela.yaml was drafted from what was found",
                         tut_buf_str(&text), err));
    if (!term)
        return document(s, "described", todo, NULL, false, out, err);
    TUT_TRY(print_found(s, term, out));
    tut_buf_printf(out, "\nWrote %s, %zu lines. %zu values only a person knows are marked TODO.\n",
                   s->shown, count_lines(&text), todo);
    tut_buf_printf(out, "\nNext     edit %s, then   tutela assess %s\n", s->shown, s->place);
    return tut_buf_check(out, err);
}

static tut_status update(const tut_survey *s, const tut_term *term, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t added = 0;
    TUT_TRY(tut_system_add(s->system, s->inventory, &text, &added, err));
    if (added == 0 && !term)
        return document(s, "unchanged", 0, "", true, out, err);
    if (added == 0) {
        tut_buf_printf(out, "%s declares everything that was found; nothing was written.\n",
                       s->shown);
        return tut_buf_check(out, err);
    }
    TUT_TRY(write_yaml(s, &text, err));
    TUT_TRY(record_event(s, "system.updated", NULL, "new assets were declared", tut_buf_str(&text),
                         err));
    if (!term)
        return document(s, "updated", 0, NULL, true, out, err);
    tut_buf_printf(out, "Added %zu asset%s to %s:\n", added, added == 1 ? "" : "s", s->shown);
    for (size_t i = 0; i < s->inventory->count; i++)
        if (s->inventory->items[i].state == TUT_ASSET_UNDECLARED)
            tut_buf_printf(out, "  %s\n", s->inventory->items[i].id);
    tut_buf_printf(out, "\nNext     fill in what is TODO, then   tutela assess %s\n", s->place);
    return tut_buf_check(out, err);
}

static tut_status accept(const tut_args *args, const tut_survey *s, const char *id,
                         const tut_term *term, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    acceptance a = {.asset = id, .by = tut_args_get(args, "--by")};
    if (a.by)
        TUT_TRY(tut_signer_find(args, s->state, &a.by, &records, &key, err));
    a.signer = key;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_system_accept(s->system, s->inventory, id, &text, err));
    const tut_inventory_item *item = NULL;
    for (size_t i = 0; i < s->inventory->count; i++)
        if (strcmp(s->inventory->items[i].id, id) == 0)
            item = &s->inventory->items[i];
    if (!item || !item->declared)
        return tut_fail(err, TUT_BUG, "%s was accepted and is not in the inventory", id);
    TUT_TRY(write_yaml(s, &text, err));
    a.to = &item->digest;
    a.from = item->declared->has_digest ? &item->declared->digest : NULL;
    TUT_TRY(record_event(s, "asset.accepted", &a, "the asset was accepted as it is now",
                         tut_buf_str(&text), err));
    if (!term)
        return document(s, "accepted", 0, id, false, out, err);
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&item->digest, hex);
    tut_buf_printf(out, "Accepted %s as it is now, sha256 %s", id, hex);
    if (a.by) {
        tut_buf_add_z(out, a.signer ? ", signed by " : ", by ");
        tut_buf_add_escaped(out, tut_str_of(a.by), 200);
        tut_buf_add_z(out, a.signer ? "" : " (self-declared)");
    }
    tut_buf_printf(out, ".\n\nNext     tutela assess %s\n", s->place);
    return tut_buf_check(out, err);
}

static tut_status act(const tut_args *args, const tut_survey *s, tut_buf *out, tut_error *err)
{
    tut_term detected;
    tut_term_detect(STDOUT_FILENO, args->color, &detected);
    const tut_term *term = strcmp(args->format, "json") == 0 ? NULL : &detected; /* NULL: as JSON */
    const char *accepted = tut_args_get(args, "--accept");
    if (accepted)
        return accept(args, s, accepted, term, out, err);
    if (tut_args_has(args, "--update"))
        return update(s, term, out, err);
    return draft(s, term, out, err);
}

static int run(const tut_args *args)
{
    tut_error err = {0};
    bool is_force = tut_args_has(args, "--force");
    bool is_change = tut_args_has(args, "--update") || tut_args_has(args, "--accept");
    if (tut_args_has(args, "--update") + tut_args_has(args, "--accept") + is_force > 1)
        return tut_cmd_usage(args, "--force, --update and --accept exclude each other");
    if (!tut_args_has(args, "--accept") &&
        (tut_args_has(args, "--by") || tut_args_has(args, "--signing-key")))
        return tut_cmd_usage(args, "--by and --signing-key say who accepts; they go with --accept");
    if (tut_args_has(args, "--signing-key") && !tut_args_has(args, "--by"))
        return tut_cmd_usage(args, "--signing-key needs --by: whose key it is");
    if (tut_args_get(args, "--by") && !tut_args_get(args, "--by")[0])
        return tut_cmd_usage(args, "--by must name somebody");
    const char *dir = args->positional_count ? args->positional[0] : ".";
    TUT_AUTO_FREE char *file = args->system ? tut_strdup(args->system)
                                            : tut_fs_join(dir, "tutela.yaml");
    if (!file)
        return tut_cmd_usage(args, "memory ran out");
    bool exists = tut_fs_exists(file);
    if (exists && !is_force && !is_change)
        return tut_cmd_usage(
            args, "%s is there already; --update inserts what is new, --force writes it anew",
            file);
    if (!exists && is_change)
        return tut_cmd_usage(args, "no %s; tutela init %s writes one", file, dir);
    tut_args survey_args = *args;
    TUT_AUTO(tut_survey) s = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    survey_args.describes_anew = !is_change;
    if (!tut_is_ok(tut_survey_run(&survey_args, &s, &err)))
        return tut_cmd_fail(&err);
    if (s->inventory->count == 0 && !is_change) {
        if (strcmp(args->format, "json") == 0 &&
            !tut_is_ok(document(s, "nothing", 0, NULL, false, &out, &err)))
            return tut_cmd_fail(&err);
        fprintf(stderr, "%s: no asset was recognised, so nothing was written.\n", s->shown_dir);
        return tut_cmd_output(&out, TUT_EXIT_DOUBT);
    }
    if (!tut_is_ok(act(args, s, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_init = {
    .name = "init",
    .arguments = "[DIR]",
    .summary = "Describe an AI system: write tutela.yaml from what is found",
    .help =
        "Walks DIR (default: here), recognises assets by content and writes a commented "
        "tutela.yaml that a person "
        "finishes. An existing file is never overwritten without --force. --update inserts "
        "assets that are new; "
        "--accept ASSET re-pins one that changed, once you know why it did; --by PERSON says who "
        "changed it, and signs with that person's key where there is one. Each of these is a "
        "record.",
    .formats = "table json",
    .options = options,
    .most = 1,
    .run = run,
};
