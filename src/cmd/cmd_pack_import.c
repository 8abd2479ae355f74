/* tutela pack import: a provider's pack becomes evidence of due diligence. */
#include <string.h>

#include "assess/diligence.h"
#include "base/json_write.h"
#include "cmd/pack_view.h"
#include "cmd/signer.h"
#include "cmd/survey.h"
#include "pack/import.h"
#include "pack/trust.h"

static const tut_option options[] = {
    {"--trust", TUT_OPTION_LIST, "KEY|POLICY", "the provider's log, as pack verify takes it"},
    {"--timestamp-ca", TUT_OPTION_VALUE, "ROOTS.pem", "whose time-stamps are believed"},
    {"--asset", TUT_OPTION_LIST, "ASSET", "what comes from that provider"},
    {"--by", TUT_OPTION_VALUE, "PERSON", "who examined the pack"},
    {"--accept", TUT_OPTION_VALUE, "REASON",
     "why a pack is enough that shows too little for a grade"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the person's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { ASSETS_MAX = 1024 };

static tut_status find_clause(const tut_clause **ret, tut_error *err)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    *ret = tut_catalogue_find(tut_str_of(TUT_PACK_IMPORT_CLAUSE));
    return *ret ? TUT_SUCCESS
                : tut_fail(err, TUT_BUG, "the catalogue lacks %s", TUT_PACK_IMPORT_CLAUSE);
}

static tut_status find_item(const tut_survey *s, const tut_clause *clause, const char *id,
                            const tut_inventory_item **ret, tut_error *err)
{
    const tut_want *want = tut_clause_asset_want(clause);
    const tut_inventory_item *item = NULL;
    for (size_t i = 0; i < s->inventory->count && !item; i++)
        if (strcmp(s->inventory->items[i].id, id) == 0)
            item = &s->inventory->items[i];
    if (!item || !item->declared)
        return tut_fail(err, TUT_USAGE, "no asset \"%s\" is declared; tutela inventory lists them",
                        id);
    if (!item->has_digest || item->state == TUT_ASSET_MISSING)
        return tut_fail(err, TUT_USAGE, "%s is not there, so nothing can be said of its bytes", id);
    const tut_asset *a = item->declared;
    if (!want || !tut_want_asks(want, a->kind, a->origin, a->sensitivity, a->is_shared))
        return tut_fail(err, TUT_USAGE,
                        "%s is not from outside (origin: %.*s), so there is no provider of it", id,
                        (int)a->origin.len, a->origin.data);
    *ret = item;
    return TUT_SUCCESS;
}

static tut_status find_items(const tut_args *args, const tut_survey *s,
                             const tut_inventory_item **items, size_t *ret_count, tut_error *err)
{
    const tut_clause *clause;
    const char *id;
    size_t count = 0;
    TUT_TRY(find_clause(&clause, err));
    for (; (id = tut_args_nth(args, "--asset", count)) != NULL; count++) {
        if (count == ASSETS_MAX)
            return tut_fail(err, TUT_LIMIT, "at most %d assets at a time", ASSETS_MAX);
        TUT_TRY(find_item(s, clause, id, &items[count], err));
    }
    if (count == 0)
        return tut_fail(err, TUT_USAGE, "import needs --asset: what comes from that provider");
    *ret_count = count;
    return TUT_SUCCESS;
}

static tut_status print(const tut_args *args, const tut_pack_import *how,
                        const tut_pack_imported *found, tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        tut_json_head(j, "tutela.pack-imported/1", tut_time_generated());
        tut_json_key(j, "summary");
        tut_json_object(j);
        tut_json_put_z(j, "clause", TUT_PACK_IMPORT_CLAUSE);
        tut_json_put_z(j, "result", tut_result_name(found->result));
        tut_json_put_u64(j, "index", found->first);
        tut_json_put_u64(j, "assets", how->item_count);
        tut_json_put_u64(j, "assets_in_pack", found->known);
        tut_json_put_time(j, "expires", found->expires);
        tut_json_put_z(j, "actor", how->by);
        tut_json_put_bool(j, "signed", how->signer != NULL);
        tut_json_put_z(j, "statement", found->words);
        tut_json_end_object(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return tut_buf_check(out, err);
    }
    char day[TUT_TIME_TEXT];
    tut_time_date(found->expires, day);
    tut_buf_printf(out, "%s.\n", found->words);
    tut_buf_printf(out, "Recorded #%llu for %s (%s), by ", (unsigned long long)found->first,
                   TUT_PACK_IMPORT_CLAUSE, tut_result_name(found->result));
    tut_buf_add_escaped(out, tut_str_of(how->by), 200);
    tut_buf_printf(out, ", until %s.\n%s\n", day,
                   how->signer ? "Signed. The provision wants two registered people: each imports "
                                 "the pack and signs."
                               : "Self-declared: it is kept, and counts once registered people "
                                 "sign (tutela people enrol).");
    return tut_buf_check(out, err);
}

static tut_status import(const tut_args *args, tut_buf *out, tut_result *ret_result, tut_error *err)
{
    const tut_inventory_item *items[ASSETS_MAX];
    TUT_CLEAN(tut_pack_trusting) trusting = {.keys = NULL};
    TUT_CLEAN(tut_pack_imported) found = {.words = NULL};
    TUT_AUTO(tut_survey) s = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    tut_pack_import how = {.path = args->positional[0],
                           .items = items,
                           .by = tut_args_get(args, "--by"),
                           .accepted = tut_args_get(args, "--accept"),
                           .at = tut_time_now()};
    if (!how.by || !how.by[0] || (how.accepted && !how.accepted[0]))
        return tut_fail(err, TUT_USAGE, "import needs --by, and --accept must say something");
    tut_args here = *args;
    here.positional_count = 0; /* the pack is no directory */
    TUT_TRY(tut_pack_view_trust(args, &trusting, err));
    TUT_TRY(tut_survey_run(&here, &s, err));
    if (!s->system)
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    TUT_TRY(find_items(args, s, items, &how.item_count, err));
    TUT_TRY(tut_signer_find(args, s->state, &how.by, &records, &key, err));
    tut_pack_trust trust = tut_pack_trust_of(&trusting);
    how.state_dir = s->state;
    how.trust = &trust;
    how.signer = key;
    TUT_TRY(tut_pack_import_record(&how, &found, err));
    *ret_result = found.result;
    return print(args, &how, &found, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_result result = TUT_RESULT_ERROR;
    tut_status status = import(args, &out, &result, &err);
    if (!tut_is_ok(status)) {
        (void)tut_cmd_fail(&err);
        return status.code == TUT_DENIED ? TUT_EXIT_FOUND : TUT_EXIT_FAILED;
    }
    return tut_cmd_output(&out, result == TUT_RESULT_PASS ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

const tut_command tut_cmd_pack_import = {
    .name = "pack import",
    .arguments = "FILE",
    .summary = "Make a provider's pack evidence of due diligence on what comes from it",
    .help =
        "Verifies the pack by the provider's key that you got from elsewhere, and records what it "
        "came to for provision 5.1.2-7, about each --asset at its present digest: it fails where a "
        "duty is not met there now or the grade is E or F, and passes else. One that shows too "
        "little for a grade wants --accept. It holds until the first of the pack's evidence runs "
        "out, at most 365 days. Two registered people have to import it. A provider without a "
        "pack: tutela record 5.1.2-7 --asset ASSET --by PERSON --evidence FILE.\n\n"
        "Exit status: 0 recorded as passed; 1 recorded as failed, or refused; 2 could not answer.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
