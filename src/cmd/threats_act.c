#include "cmd/threats_act.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "cmd/signer.h"
#include "state/records.h"

static tut_status load(tut_threats_act *a, tut_error *err)
{
    const char *place = a->args->system ? a->args->system : a->dir;
    TUT_TRY(tut_system_load(place, &a->system, &a->shown, err));
    TUT_TRY(tut_ledger_open(a->state, false, &a->ledger, err));
    TUT_TRY(tut_assess_evaluate(place, a->state, tut_time_now(), &a->assessment, err));
    a->is_recorded = a->assessment->system &&
                     tut_sha256_eq(&a->assessment->system->digest, &a->system->digest);
    a->from = (tut_threat_sources){.system = a->system,
                                   .assessment = a->assessment,
                                   .ledger = a->ledger,
                                   .at = a->assessment->evaluated_at,
                                   .shown = &a->shown};
    TUT_TRY(tut_threats_new(&a->from, &a->threats, err));
    return tut_threat_reviews_read(a->ledger, a->threats, a->from.at, &a->reviews, err);
}

tut_status tut_threats_act_open(tut_threats_act *a, const tut_args *args, const char *dir,
                                tut_error *err)
{
    a->args = args;
    TUT_TRY(tut_cmd_locate(args, dir, &a->dir, &a->state, err));
    if (!a->state) {
        tut_error_set_path(err, a->dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and threats are those to a described system; "
                        "tutela init writes one");
    }
    tut_status status = load(a, err);
    if (!tut_is_ok(status) && a->shown.len && err) {
        fwrite(a->shown.data, 1, a->shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

void tut_threats_act_done(tut_threats_act *a)
{
    tut_threat_reviews_done(&a->reviews);
    tut_threats_free(a->threats);
    tut_assessment_free(a->assessment);
    tut_ledger_close(a->ledger);
    tut_system_free(a->system);
    tut_buf_done(&a->shown);
    tut_free(a->dir);
    tut_free(a->state);
}

tut_status tut_threats_act_recorded(const tut_threats_act *a, tut_error *err)
{
    if (a->is_recorded)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE,
                    "this tutela.yaml was not assessed yet, so nobody knows what was found in it; "
                    "tutela assess first");
}

tut_status tut_threats_act_record(tut_threats_act *a, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(tut_threats_act_recorded(a, err));
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    tut_governing g = {.system = a->system, .ledger = ledger, .at = tut_time_now(), .err = err};
    TUT_TRY(tut_state_read(ledger, g.at, &records, err));
    g.records = records;
    return tut_threat_attest(&g, a->threats, &a->from);
}

tut_status tut_threats_act_risk(const tut_threats_act *a, const char *id, const tut_risk **ret_risk,
                                tut_error *err)
{
    const tut_threats *t = a->threats;
    *ret_risk = tut_threats_find(t, tut_str_of(id));
    if (*ret_risk)
        return TUT_SUCCESS;
    TUT_AUTO_FREE const char **names = tut_alloc_array(t->count + 1, sizeof(*names));
    if (!names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->count; i++)
        names[i] = t->risks[i].id;
    const char *near = tut_str_nearest(tut_str_of(id), names, t->count);
    return tut_fail(err, TUT_USAGE, "there is no risk \"%.120s\"%s%s%s; tutela threats lists them",
                    id, near ? ". Did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

tut_status tut_threats_act_signer(const tut_threats_act *a, uint32_t roles, const char *what,
                                  const char **ret_by, tut_records **ret_records,
                                  struct tut_key **ret_key, tut_error *err)
{
    const tut_person *person = NULL;
    const char *why = NULL;
    *ret_by = tut_args_get(a->args, "--by");
    if (!*ret_by || !**ret_by)
        return tut_fail(err, TUT_USAGE, "%s needs --by PERSON: who signs it", what);
    TUT_TRY(tut_signer_find(a->args, a->state, ret_by, ret_records, ret_key, err));
    if (!*ret_key)
        return tut_fail(err, TUT_DENIED,
                        "%s has no key here, and %s counts only when it is signed; tutela people "
                        "enrol %s --generate makes one",
                        *ret_by, what, *ret_by);
    const tut_act act = {.roles = roles, .index = (*ret_records)->log_size};
    if (!tut_people_may_sign((*ret_records)->people, tut_pubkey_id(tut_key_public(*ret_key)), &act,
                             &person, &why))
        return tut_fail(err, TUT_DENIED, "%s cannot sign %s: %s", *ret_by, what, why);
    return TUT_SUCCESS;
}

void tut_threats_act_command(const tut_threats_act *a, const char *label, const char *command,
                             const char *risk, const char *rest, tut_buf *out)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_AUTO_FREE char *file = a->args->system ? tut_strdup(a->args->system)
                                               : tut_fs_join(a->dir, "tutela.yaml");
    tut_buf_add_z(&line, command);
    if (risk) {
        tut_buf_add_z(&line, " ");
        tut_command_word(&line, risk);
    }
    tut_buf_add_z(&line, rest);
    if (file && (a->args->system || strcmp(a->dir, ".") != 0)) {
        tut_buf_add_z(&line, " --system ");
        tut_command_word(&line, file);
    }
    tut_buf_printf(out, "%-9s", label);
    tut_buf_add_escaped(out, tut_buf_str(&line), SIZE_MAX);
    tut_buf_add_z(out, "\n");
}

tut_style tut_risk_style(tut_risk_level level)
{
    switch (level) {
    case TUT_RISK_CRITICAL:
    case TUT_RISK_HIGH:
        return TUT_STYLE_BAD;
    case TUT_RISK_ELEVATED:
    case TUT_RISK_MEDIUM:
        return TUT_STYLE_WARN;
    case TUT_RISK_LOW:
    case TUT_RISK_LEVEL_COUNT:
        break;
    }
    return TUT_STYLE_PLAIN;
}

int tut_threats_act_exit(const tut_threats_act *a)
{
    if (a->threats->by_state[TUT_RISK_OPEN])
        return TUT_EXIT_FOUND;
    return a->system->component_count == 0 || !a->is_recorded ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}
