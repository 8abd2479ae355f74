/* The command that would move a control. */
#include "assess/covered.h"
#include "assess/diligence.h"
#include "assess/evaluate_internal.h"

static tut_status set_refresh(tut_evaluation *e, tut_control *c, tut_str command, bool is_available)
{
    const char *text;
    TUT_TRY(tut_command_for(e, command, &text));
    c->refresh = tut_str_of(text);
    c->is_refresh_available = is_available;
    return TUT_SUCCESS;
}

static const tut_known_asset *first_in_state(const tut_evaluation *e, const char *state)
{
    for (size_t i = 0; i < e->asset_count; i++)
        if (strcmp(e->assets[i].state, state) == 0)
            return &e->assets[i];
    return NULL;
}

/* Does evidence in the log say that these very bytes failed a scan? Then nobody is told to accept
 * them. */
static bool has_failed_scan(const tut_evaluation *e, const tut_known_asset *a)
{
    const tut_records *records = e->a->records;
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        if (r->result != TUT_RESULT_FAIL || !tut_record_is_test(r, TUT_CHECK_SCAN))
            continue;
        for (size_t k = 0; k < r->subject_count; k++)
            if (strcmp(r->subjects[k].name, a->id) == 0 &&
                tut_sha256_eq(&r->subjects[k].digest, &a->digest))
                return true;
    }
    return false;
}

/* A changed asset that could be accepted as it is, or NULL. */
static const tut_known_asset *first_acceptable(const tut_evaluation *e)
{
    for (size_t i = 0; i < e->asset_count; i++) {
        const tut_known_asset *a = &e->assets[i];
        if (strcmp(a->state, "changed") == 0 && a->has_digest && !has_failed_scan(e, a))
            return a;
    }
    return NULL;
}

static const tut_known_asset *find_asset(const tut_evaluation *e, const char *id)
{
    for (size_t i = 0; i < e->asset_count; i++)
        if (strcmp(e->assets[i].id, id) == 0)
            return &e->assets[i];
    return NULL;
}

/* What is not signed, or no longer as it was signed, is signed anew by whoever answers for it. */
static tut_status refresh_signature(tut_evaluation *e, tut_control *c, const tut_want_state *s,
                                    tut_standing standing)
{
    const tut_known_asset *a = find_asset(e, s->names[standing][0]);
    bool is_published = tut_str_eq_z(s->want->check, TUT_CHECK_PUBLISHED);
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_printf(&command, "tutela sign %s --key KEY%s", a ? a->path : "PATH",
                   is_published ? " --publish" : "");
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), true);
}

static bool is_signature(const tut_want *want)
{
    return tut_str_eq_z(want->check, TUT_CHECK_MANIFEST) ||
           tut_str_eq_z(want->check, TUT_CHECK_PUBLISHED);
}

/* What the store lacks, a snapshot brings; whether it is whole, assess looks at anew. */
static bool is_stored(const tut_want *want)
{
    return tut_str_eq_z(want->check, TUT_CHECK_VERSIONS) ||
           tut_str_eq_z(want->check, TUT_CHECK_SNAPSHOTS);
}

/* Bytes that no event speaks of: looking again does not help, somebody has to answer for them. */
static void refresh_lifecycle(const tut_evaluation *e, const tut_want_state *s, tut_buf *command)
{
    const tut_known_asset *a = find_asset(e, s->names[TUT_STANDING_CONTRADICTED][0]);
    if (a && has_failed_scan(e, a))
        tut_buf_printf(command, "tutela scan %s", a->path);
    else if (a && strcmp(a->state, "undeclared") == 0)
        tut_buf_add_z(command, "tutela init --update");
    else if (a && strcmp(a->state, "changed") == 0)
        tut_buf_printf(command, "tutela init --accept %s", a->id);
    else
        tut_buf_add_str(command, s->want->command);
}

/* An edit that nobody stands behind: whoever made it, or answers for it, says so. */
static void refresh_changes(const tut_evaluation *e, const tut_want_state *s, tut_buf *command)
{
    const tut_known_asset *a = find_asset(e, s->names[TUT_STANDING_CONTRADICTED][0]);
    if (a && a->is_declared)
        tut_buf_printf(command, "tutela init --accept %s --by PERSON", a->id);
    else
        tut_buf_add_z(command, "tutela init --update");
}

static tut_status refresh_contradicted(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    if (is_signature(s->want))
        return refresh_signature(e, c, s, TUT_STANDING_CONTRADICTED);
    if (is_stored(s->want))
        return set_refresh(e, c, TUT_LIT("tutela snapshot --all"), true);
    if (tut_str_eq_z(s->want->check, TUT_CHECK_SCAN)) {
        const tut_known_asset *a = find_asset(e, s->names[TUT_STANDING_CONTRADICTED][0]);
        tut_buf_printf(&command, "tutela scan %s", a ? a->path : "");
    } else if (tut_str_eq_z(s->want->check, TUT_CHECK_INVENTORY)) {
        const tut_known_asset *changed = first_acceptable(e);
        if (first_in_state(e, "undeclared"))
            tut_buf_add_z(&command, "tutela init --update");
        else if (changed)
            tut_buf_printf(&command, "tutela init --accept %s", changed->id);
        else
            tut_buf_add_z(&command, "tutela inventory");
    } else if (tut_str_eq_z(s->want->check, TUT_CHECK_LIFECYCLE)) {
        refresh_lifecycle(e, s, &command);
    } else if (tut_str_eq_z(s->want->check, TUT_CHECK_CHANGES)) {
        refresh_changes(e, s, &command);
    } else {
        tut_buf_add_str(&command, s->want->command);
    }
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), s->want->is_available);
}

/* A document about the first asset that lacks one: the form is printed first. */
static tut_status refresh_diligence(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    static const tut_standing order[] = {TUT_STANDING_MISSING, TUT_STANDING_OTHER_DIGEST,
                                         TUT_STANDING_STALE, TUT_STANDING_NOT_ENOUGH};
    const char *asset = "ASSET";
    for (size_t i = sizeof(order) / sizeof(order[0]); i-- > 0;)
        if (s->by_standing[order[i]] > 0)
            asset = s->names[order[i]][0];
    bool is_form_next = s->by_standing[TUT_STANDING_NOT_ENOUGH] == 0;
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_printf(&command, "tutela record %.*s --asset %s %s", (int)c->clause->id.len,
                   c->clause->id.data, asset,
                   is_form_next ? "--template" : "--by PERSON --evidence FILE");
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), s->subjects > 0);
}

/* The first document that is not examined and signed as it is now. One that no assess has seen yet,
 * or that changed, is recorded first. */
static tut_status refresh_document(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    static const tut_standing order[] = {TUT_STANDING_STALE, TUT_STANDING_NOT_ENOUGH,
                                         TUT_STANDING_OTHER_DIGEST, TUT_STANDING_MISSING};
    const char *path = NULL;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !path; i++)
        if (s->by_standing[order[i]] > 0)
            path = s->names[order[i]][0] + strlen(TUT_SUBJECT_DESIGN);
    if (!path) /* tutela.yaml names none */
        return set_refresh(e, c, TUT_LIT("tutela gate template design"), false);
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_add_z(&command, "tutela gate examine ");
    tut_command_word(&command, path);
    tut_buf_add_z(&command, " --by PERSON");
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), true);
}

/* What a look under `design:` needs that tutela.yaml does not say yet: the form to begin with, or
 * NULL. */
static const char *missing_form(const tut_evaluation *e, const tut_want *want)
{
    const tut_design *d = &e->design;
    const struct {
        const char *check, *form;
        bool is_there;
    } looks[] = {
        {"gate.sensitivity", "design", d->use_ceiling.len > 0},
        {"gate.system-card", "card", d->card.len > 0},
        {"gate.custodian-policies", "custodian-policies", d->custodian_count > 0},
        {"ledger.documents", "documentation", d->documents.count > 0 && d->maintenance.len > 0}};
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (tut_str_eq_z(want->check, looks[i].check))
            return looks[i].is_there ? NULL : looks[i].form;
    return NULL;
}

static tut_status refresh_design(tut_evaluation *e, tut_control *c, const char *form)
{
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_printf(&command, "tutela gate template %s", form);
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), false);
}

/* Whether the log tells of anything whose kind begins so. */
static bool has_kind(const tut_evaluation *e, const char *beginning)
{
    for (size_t i = 0; i < e->a->records->count; i++)
        if (strncmp(e->a->records->items[i].check, beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

/* What was never done here cannot be looked at: a guard that ran, holds that somebody decided,
 * findings that could be handed over. */
static bool is_idle(const tut_evaluation *e, const tut_want *want)
{
    if (tut_str_starts(want->command, TUT_LIT("tutela approvals")))
        return !has_kind(e, "guard.approval");
    if (want->covers_count > 0)
        return tut_covered_newest(want, e->a->records) == NULL;
    return tut_str_starts(want->check, TUT_LIT("guard.")) && !has_kind(e, "guard.");
}

/* A command that this version has, and something for it to look at. */
static bool can_move(const tut_evaluation *e, const tut_want_state *s)
{
    return s->want->is_available && (s->subjects > 0 || !e->has_system) && !is_idle(e, s->want) &&
           !missing_form(e, s->want);
}

tut_status tut_control_refresh(tut_evaluation *e, tut_control *c, const tut_want_state *states)
{
    const tut_want_state *open = NULL;
    for (size_t i = 0; i < c->clause->want_count; i++) {
        const tut_want_state *s = &states[i];
        if (s->by_standing[TUT_STANDING_CONTRADICTED] > 0)
            return refresh_contradicted(e, c, s);
        if (!tut_want_holds(s) && (!open || (can_move(e, s) && !can_move(e, open))))
            open = s;
    }
    if (!open)
        return TUT_SUCCESS;
    if (is_signature(open->want) && open->by_standing[TUT_STANDING_NOT_ENOUGH] > 0)
        return refresh_signature(e, c, open, TUT_STANDING_NOT_ENOUGH);
    if (open->want->is_available && tut_clause_asset_want(c->clause) == open->want)
        return refresh_diligence(e, c, open);
    const char *form = missing_form(e, open->want);
    if (form)
        return refresh_design(e, c, form);
    if (open->want->scope == TUT_SCOPE_DOCUMENT)
        return refresh_document(e, c, open);
    if (is_stored(open->want) && open->by_standing[TUT_STANDING_NOT_ENOUGH] > 0)
        return set_refresh(e, c, TUT_LIT("tutela snapshot --all"), true);
    if (!tut_str_eq_z(open->want->check, TUT_CHECK_DOCUMENT))
        return set_refresh(e, c, open->want->command, can_move(e, open));
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_printf(&command,
                   "tutela record %.*s --statement TEXT --by PERSON --evidence FILE --expires DATE",
                   (int)c->clause->id.len, c->clause->id.data);
    TUT_TRY(tut_buf_check(&command, e->err));
    return set_refresh(e, c, tut_buf_str(&command), true);
}
