/* The three commands that would help most: by points that the controls they move would gain. */
#include <stdlib.h>

#include "assess/evaluate_internal.h"
#include "base/fs.h"

typedef struct step {
    tut_str command;
    double points;
    size_t duties_not_met; /* among the clauses it moves */
    size_t clauses;
    size_t first; /* index of the first clause, for a stable order */
} step;

/* Shell words that need no quotes. */
static bool is_plain(const char *word)
{
    for (const char *p = word; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+@%:=,", *p))
            return false;
    return word[0] != '\0';
}

void tut_command_word(tut_buf *out, const char *word)
{
    if (is_plain(word)) {
        tut_buf_add_z(out, word);
        return;
    }
    tut_buf_add_byte(out, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            tut_buf_add_z(out, "'\\''");
        else
            tut_buf_add_byte(out, (uint8_t)*p);
    }
    tut_buf_add_byte(out, '\'');
}

static tut_status add_joined(tut_evaluation *e, tut_buf *out, const char *rel)
{
    TUT_AUTO_FREE char *path = tut_fs_join(e->dir, rel);
    if (!path)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    tut_command_word(out, path);
    return TUT_SUCCESS;
}

/* Commands whose first operand is a file of the system: named from where the user is. */
static bool takes_path(tut_str command, size_t *ret_start)
{
    static const char *const starts[] = {"tutela scan ", "tutela sign "};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        *ret_start = strlen(starts[i]);
        if (tut_str_starts(command, tut_str_of(starts[i])))
            return true;
    }
    return false;
}

static tut_status add_with_path(tut_evaluation *e, tut_buf *out, tut_str command, size_t start)
{
    size_t at;
    tut_str rest = {command.data + start, command.len - start};
    size_t len = tut_str_find(rest, TUT_LIT(" --"), &at) ? at : rest.len;
    TUT_AUTO_FREE char *path = tut_strndup(rest.data, len);
    if (!path)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    tut_buf_add_str(out, (tut_str){command.data, start});
    TUT_TRY(add_joined(e, out, path));
    tut_buf_add_str(out, (tut_str){rest.data + len, rest.len - len});
    return TUT_SUCCESS;
}

/* How a command finds the system: by its directory as operand, by --system, or not at all. */
typedef enum taking { TAKES_NOTHING, TAKES_DIR, TAKES_SYSTEM } taking;

static taking taking_of(tut_str command)
{
    static const char *const by_system[] = {
        "tutela record", "tutela sign",    "tutela ledger",    "tutela people", "tutela snapshot",
        "tutela drill",  "tutela guard",   "tutela approvals", "tutela probe",  "tutela watch",
        "tutela pack",   "tutela threats", "tutela train"};
    if (tut_str_starts(command, TUT_LIT("tutela init")) || tut_str_eq_z(command, "tutela assess") ||
        tut_str_eq_z(command, "tutela inventory"))
        return TAKES_DIR;
    for (size_t i = 0; i < sizeof(by_system) / sizeof(by_system[0]); i++)
        if (tut_str_starts(command, tut_str_of(by_system[i])))
            return TAKES_SYSTEM;
    return TAKES_NOTHING;
}

static tut_status add_place(tut_evaluation *e, tut_buf *out, taking takes)
{
    bool is_here = strcmp(e->dir, ".") == 0;
    if (takes == TAKES_NOTHING)
        return TUT_SUCCESS;
    if (e->file) {
        tut_buf_add_z(out, " --system ");
        tut_command_word(out, e->file);
    } else if (!is_here && takes == TAKES_DIR) {
        tut_buf_add_byte(out, ' ');
        tut_command_word(out, e->dir);
    } else if (!is_here) {
        tut_buf_add_z(out, " --system ");
        TUT_TRY(add_joined(e, out, "tutela.yaml"));
    }
    if (e->state) {
        tut_buf_add_z(out, " --state ");
        tut_command_word(out, e->state);
    }
    return TUT_SUCCESS;
}

tut_status tut_command_for(tut_evaluation *e, tut_str command, const char **ret_command)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    size_t start;
    if (takes_path(command, &start))
        TUT_TRY(add_with_path(e, &out, command, start));
    else
        tut_buf_add_str(&out, command);
    TUT_TRY(add_place(e, &out, taking_of(command)));
    TUT_TRY(tut_buf_check(&out, e->err));
    *ret_command = tut_arena_copy(&e->arena, tut_buf_str(&out));
    return *ret_command ? TUT_SUCCESS : tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

/* What the clause's value can rise by: full where every want can be shown by this version. */
static double gain_of(const tut_control *c)
{
    double value = c->verdict == TUT_CONTROL_PARTLY ? 0.5 : 0.0;
    double reach = 1.0;
    for (size_t i = 0; i < c->clause->want_count; i++)
        if (!c->clause->wants[i].is_available)
            reach = 0.5;
    double weight = c->clause->modality == TUT_SHALL ? 2.0 : 1.0;
    return reach > value ? weight * (reach - value) : 0.0;
}

static size_t gather(const tut_assessment *a, step *steps)
{
    size_t count = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &a->controls[i];
        double gain = gain_of(c);
        if (c->refresh.len == 0 || !c->is_refresh_available || gain <= 0)
            continue;
        size_t at = 0;
        while (at < count && !tut_str_eq(steps[at].command, c->refresh))
            at++;
        if (at == count)
            steps[count++] = (step){.command = c->refresh, .first = i};
        steps[at].points += gain;
        steps[at].clauses++;
        steps[at].duties_not_met += c->verdict == TUT_CONTROL_NOT_MET &&
                                    c->clause->modality == TUT_SHALL;
    }
    return count;
}

static int compare(const void *a, const void *b)
{
    const step *x = a;
    const step *y = b;
    if (x->duties_not_met != y->duties_not_met)
        return x->duties_not_met > y->duties_not_met ? -1 : 1;
    if (x->points > y->points)
        return -1;
    if (x->points < y->points)
        return 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static const char *title_of(tut_str command)
{
    static const struct {
        const char *start, *title;
    } titles[] = {
        {"tutela scan", "Look at the file, then replace it with a good one"},
        {"tutela init --update", "Describe the assets that were found"},
        {"tutela init --accept", "Put the accepted file back, or accept the change"},
        {"tutela inventory", "Find what is missing"},
        {"tutela record", "Put the document on record"},
        {"tutela threats", "Look at the threats"},
        {"tutela assess", "Check again"},
    };
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (tut_str_starts(command, tut_str_of(titles[i].start)))
            return titles[i].title;
    return "Bring the evidence";
}

static tut_status fill(tut_evaluation *e, const step *s, size_t not_met, tut_next_step *next)
{
    TUT_CLEAN(tut_buf) clauses = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &e->a->controls[i];
        if (!tut_str_eq(c->refresh, s->command) || gain_of(c) <= 0)
            continue;
        tut_buf_add_z(&clauses, clauses.len ? " " : "");
        tut_buf_add_str(&clauses, c->clause->id);
    }
    /* Looking settles nothing: the file must be replaced after it. */
    bool only_shows = tut_str_starts(s->command, TUT_LIT("tutela scan")) ||
                      tut_str_starts(s->command, TUT_LIT("tutela inventory")) ||
                      tut_str_starts(s->command, TUT_LIT("tutela threats --record"));
    if (s->duties_not_met > 0)
        tut_buf_printf(&why, "%s %zu of the %zu", only_shows ? "shows what fails" : "settles",
                       s->duties_not_met, not_met);
    else
        tut_buf_printf(&why, "moves %.*s", (int)clauses.len, (const char *)clauses.data);
    TUT_TRY(tut_buf_check(&clauses, e->err));
    TUT_TRY(tut_buf_check(&why, e->err));
    next->points = s->points;
    next->command = tut_strndup(s->command.data, s->command.len);
    next->title = tut_strdup(title_of(s->command));
    next->clauses = tut_buf_steal(&clauses);
    next->why = tut_buf_steal(&why);
    bool has_all = next->command && next->title && next->clauses && next->why;
    return has_all ? TUT_SUCCESS : tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_next_steps(tut_evaluation *e)
{
    tut_assessment *a = e->a;
    step steps[TUT_CLAUSE_COUNT];
    size_t count = gather(a, steps);
    size_t not_met = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        not_met += a->controls[i].verdict == TUT_CONTROL_NOT_MET &&
                   a->controls[i].clause->modality == TUT_SHALL;
    qsort(steps, count, sizeof(*steps), compare);
    size_t most = sizeof(a->next) / sizeof(a->next[0]);
    for (size_t i = 0; i < count && i < most; i++) {
        a->next_count++;
        TUT_TRY(fill(e, &steps[i], not_met, &a->next[i]));
    }
    return TUT_SUCCESS;
}
