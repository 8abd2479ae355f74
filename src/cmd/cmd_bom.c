/* tutela bom: the bill of materials of a system, signed, and its digest in the log. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/bom_claims.h"
#include "base/fs.h"
#include "bom/g7.h"
#include "cmd/bom_view.h"
#include "cmd/command.h"
#include "cmd/survey.h"
#include "crypto/keystore.h"

static const tut_option options[] = {
    {"--spec", TUT_OPTION_VALUE, "cyclonedx-1.6|cyclonedx-1.7|spdx-3.0.1",
     "the format; default cyclonedx-1.6"},
    {"--output", TUT_OPTION_VALUE, "FILE",
     "where to write it; default: standard output (FILE.cdx.json and FILE.spdx.json are no "
     "assets)"},
    {"--key", TUT_OPTION_VALUE, "KEY",
     "sign with this key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the tool's own"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {"--no-log", TUT_OPTION_FLAG, NULL,
     "record nothing; without --key the bill is not signed then"},
    {"--g7", TUT_OPTION_FLAG, NULL,
     "print which of the G7's 50 minimum elements are known, and write nothing else"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct work {
    const tut_args *args;
    tut_bom_spec spec;
    bool is_logged;
    tut_survey *survey;
    tut_assessment *assessment;
    tut_ledger *ledger;
    tut_key *key;
    tut_arena arena;
    tut_bom_conformity conformity;
    tut_bom *bom;
    tut_buf document;
    char *signer; /* in words */
    uint64_t index;
} work;

static void work_done(work *w)
{
    tut_bom_free(w->bom);
    tut_key_free(w->key);
    tut_ledger_close(w->ledger);
    tut_assessment_free(w->assessment);
    tut_survey_free(w->survey);
    tut_arena_done(&w->arena);
    tut_buf_done(&w->document);
    tut_free(w->signer);
}

/* The document that `tutela inventory --format json` prints, as far as a bill wants it. */
static tut_status write_inventory(const tut_survey *s, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.inventory/1");
    tut_json_key(j, "assets");
    tut_inventory_json(s->inventory, s->system, j);
    tut_json_key(j, "unread");
    tut_json_array(j);
    for (size_t i = 0; i < s->scan->count; i++) {
        if (s->scan->files[i].status != TUT_SCAN_ERROR)
            continue;
        tut_json_object(j);
        tut_json_put_z(j, "path", s->scan->files[i].rel);
        tut_json_put_z(j, "problem", s->scan->files[i].problem);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* What the records say of conformity; none where nothing is recorded. */
static tut_status look_at_records(work *w, tut_error *err)
{
    const tut_survey *s = w->survey;
    if (!s->state || !s->system)
        return TUT_SUCCESS;
    TUT_TRY(tut_assess_evaluate(w->args->system ? w->args->system : s->dir, s->state,
                                tut_time_now(), &w->assessment, err));
    if (tut_assessment_is_damaged(w->assessment))
        return tut_fail(err, TUT_STORE,
                        "the log does not verify, so no bill can rest on it; see: tutela ledger "
                        "verify (--no-log makes one without it)");
    if (!w->assessment->system)
        return TUT_SUCCESS;
    return tut_assess_conformity(w->assessment, &w->arena, &w->conformity, err);
}

static tut_status name_signer(work *w, bool is_tool, tut_error *err)
{
    w->signer = tut_asprintf("%s %.12s", is_tool ? "the tool's key" : "the key",
                             tut_pubkey_id(tut_key_public(w->key)));
    return w->signer ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status open_key(work *w, tut_error *err)
{
    const char *spec = tut_args_get(w->args, "--key");
    tut_secret_source secret = {.file = tut_args_get(w->args, "--passphrase-file"),
                                .may_ask = isatty(STDIN_FILENO) == 1};
    if (spec) {
        TUT_TRY(tut_key_open(spec, &secret, &w->key, err));
        return name_signer(w, false, err);
    }
    if (!w->is_logged)
        return TUT_SUCCESS;
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_TRY(tut_keystore_open(tut_ledger_origin(w->ledger), false, &keys, err));
    if (!keys)
        return tut_fail(err, TUT_STORE,
                        "the keys of this log are not here; --key KEY signs, and "
                        "--no-log records nothing");
    TUT_TRY(tut_keystore_key(keys, "tool", &secret, &w->key, err));
    return name_signer(w, true, err);
}

static tut_status make_bill(work *w, tut_error *err)
{
    TUT_CLEAN(tut_buf) inventory = TUT_BUF_INIT;
    TUT_TRY(write_inventory(w->survey, &inventory, err));
    tut_bom_input input = {.inventory = tut_buf_span(&inventory),
                           .system = w->survey->system,
                           .conformity = w->conformity.claims ? &w->conformity : NULL,
                           .at = tut_time_generated(),
                           .is_signed = w->is_logged || (w->key && w->spec != TUT_BOM_SPDX_301)};
    return tut_bom_new(&input, &w->bom, err);
}

/* An SPDX bill carries no signature: what stands for it is its record in the log. */
static const char *signer_of(const work *w)
{
    return w->spec == TUT_BOM_SPDX_301 ? NULL : w->signer;
}

static tut_status write_bill(work *w, tut_error *err)
{
    const char *output = tut_args_get(w->args, "--output");
    TUT_TRY(w->spec == TUT_BOM_SPDX_301
                ? tut_bom_spdx(w->bom, &w->document, err)
                : tut_bom_cyclonedx(w->bom, w->spec, w->key, &w->document, err));
    if (w->is_logged)
        TUT_TRY(tut_assess_log_bom(w->ledger, w->bom, w->spec, tut_buf_span(&w->document),
                                   signer_of(w), &w->index, err));
    return output ? tut_fs_write(output, tut_buf_span(&w->document), 0644, err) : TUT_SUCCESS;
}

static tut_status prepare(work *w, tut_error *err)
{
    const char *spec = tut_args_get(w->args, "--spec");
    w->spec = TUT_BOM_CYCLONEDX_16;
    if (spec && !tut_bom_spec_find(spec, &w->spec))
        return tut_fail(err, TUT_USAGE, "--spec takes cyclonedx-1.6, cyclonedx-1.7 or spdx-3.0.1");
    TUT_TRY(tut_survey_run(w->args, &w->survey, err));
    bool is_silent = tut_args_has(w->args, "--no-log");
    if (!is_silent)
        TUT_TRY(look_at_records(w, err));
    w->is_logged = w->survey->system && !is_silent;
    if (tut_args_has(w->args, "--g7")) /* as it would be written */
        return make_bill(w, err);
    if (w->is_logged)
        TUT_TRY(tut_ledger_open(w->survey->state, true, &w->ledger, err));
    TUT_TRY(open_key(w, err));
    return make_bill(w, err);
}

static int exit_status(const work *w)
{
    const tut_inventory *inv = w->survey->inventory;
    if (w->survey->system && inv->undeclared + inv->missing + inv->changed > 0)
        return TUT_EXIT_FOUND;
    return inv->count == 0 ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

static tut_bom_view view_of(const work *w)
{
    return (tut_bom_view){.bom = w->bom,
                          .spec = w->spec,
                          .place = w->survey->place,
                          .output = tut_args_get(w->args, "--output"),
                          .signer = signer_of(w),
                          .is_logged = w->is_logged,
                          .index = w->index};
}

static tut_status compose_g7(const work *w, tut_buf *out, tut_error *err)
{
    if (strcmp(w->args->format, "json") == 0)
        return tut_bom_g7_json(w->bom, w->spec, out, err);
    tut_term term;
    tut_term_detect(STDOUT_FILENO, w->args->color, &term);
    return tut_bom_g7_table(w->bom, w->spec, &term, out, err);
}

static int finish(work *w, tut_error *err)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_bom_view view = view_of(w);
    if (tut_args_has(w->args, "--g7")) {
        if (!tut_is_ok(compose_g7(w, &out, err)))
            return tut_cmd_fail(err);
        return tut_cmd_output(&out, exit_status(w));
    }
    if (!tut_is_ok(write_bill(w, err)))
        return tut_cmd_fail(err);
    view.index = w->index;
    bool is_document = !view.output;
    bool is_json = strcmp(w->args->format, "json") == 0;
    tut_status status = is_json && !is_document
                            ? tut_bom_summary_json(&view, &w->document, &out, err)
                            : tut_bom_summary(&view, &out, err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(err);
    if (!is_document)
        return tut_cmd_output(&out, exit_status(w));
    if (!w->args->quiet)
        fwrite(out.data, 1, out.len, stderr);
    return tut_cmd_output(&w->document, exit_status(w));
}

static int run(const tut_args *args)
{
    work w = {.args = args};
    tut_error err = {0};
    tut_arena_init(&w.arena, 0);
    int status = tut_is_ok(prepare(&w, &err)) ? finish(&w, &err) : tut_cmd_fail(&err);
    work_done(&w);
    return status;
}

const tut_command tut_cmd_bom = {
    .name = "bom",
    .arguments = "[DIR]",
    .summary = "Write the bill of materials as CycloneDX or SPDX, signed and logged",
    .help =
        "Reads DIR (default: here) as tutela inventory does and writes what the system is made of: "
        "models with their cards, data sets, prompts, configuration, code, packages of lock "
        "files, services and flows, each with its digest, and what depends on what; what the "
        "records say of conformity, as claims and counter-claims with their evidence; each of the "
        "G7's 50 minimum elements for AI, or that it is not known. A CycloneDX bill carries its "
        "signature; the digest of every bill is recorded.\n\n"
        "Exit status: 0 written; 1 written, but something is undeclared, missing or changed; 2 "
        "could not answer; 3 no asset was recognised.",
    .formats = "table json",
    .options = options,
    .most = 1,
    .run = run,
};
