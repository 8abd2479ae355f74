/* tutela train list: the modules, what they teach, and until when their content is taken as it is.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/train_act.h"

static const tut_option options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

static bool is_old(const tut_train_act *a, const tut_training_module *m)
{
    tut_str catalogue = a->training ? tut_training_policy_of(a->training)->threat_catalogue
                                    : TUT_LIT(TUT_TRAINING_CATALOGUE);
    return m->atlas.count > 0 && tut_training_version_cmp(m->atlas_version, catalogue) < 0;
}

/* "due": somebody has to look whether its content still holds. */
static const char *state_of(const tut_train_act *a, const tut_training_module *m)
{
    if (a->training && tut_training_has_two(a->training, m))
        return "changed";
    return a->at >= tut_training_review_due(m) || is_old(a, m) ? "due" : "current";
}

static void put_list(tut_json *j, const char *key, const tut_str_list *list)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < list->count; i++)
        tut_json_str(j, list->items[i]);
    tut_json_end_array(j);
}

static void put_roles(tut_json *j, const tut_train_act *a, const tut_training_module *m)
{
    tut_json_key(j, "for");
    tut_json_array(j);
    if (a->training ? tut_training_is_for(a->training, m, 0)
                    : (m->roles & TUT_TRAINING_EVERYONE) != 0)
        tut_json_z(j, "everyone");
    else
        for (uint32_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
            if (a->training ? tut_training_is_for(a->training, m, 1u << i) : (m->roles >> i & 1))
                tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
}

static void put_module(tut_json *j, const tut_train_act *a, const tut_training_module *m)
{
    const tut_train_item item = {.module = m,
                                 .state = state_of(a, m),
                                 .since = m->reviewed,
                                 .due = tut_training_review_due(m),
                                 .index = UINT64_MAX};
    tut_json_object(j);
    tut_train_put_item(j, &item);
    tut_json_put_str(j, "title", m->title);
    tut_json_put_z(j, "about", tut_training_about_name(m->about));
    tut_json_put_u64(j, "minutes", m->minutes);
    tut_json_put_u64(j, "words", m->words);
    tut_json_put_u64(j, "questions", m->question_count);
    tut_json_put_u64(j, "drawn", m->draw);
    tut_json_put_real(j, "pass", m->pass);
    tut_json_put_bool(j, "shipped", m->is_shipped);
    tut_json_put_z(j, "file", m->file);
    put_roles(j, a, m);
    put_list(j, "atlas", &m->atlas);
    tut_json_put_or_null(j, "atlas_version", m->atlas_version);
    put_list(j, "clauses", &m->clauses);
    tut_json_key(j, "content");
    tut_json_sha256(j, m->digest.bytes);
    tut_json_end_object(j);
}

static tut_status write_json(const tut_train_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "modules", a->bank->count);
    tut_json_put_str(j, "threat_catalogue",
                     a->training ? tut_training_policy_of(a->training)->threat_catalogue
                                 : TUT_LIT(TUT_TRAINING_CATALOGUE));
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < a->bank->count; i++)
        put_module(j, a, a->bank->items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* As many ids as a column takes; all of them are in the JSON. */
static void add_atlas(tut_table *t, const tut_training_module *m)
{
    enum { SHOWN = 2 };
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < m->atlas.count && i < SHOWN; i++) {
        tut_buf_add_z(&text, i ? " " : "");
        tut_buf_add_str(&text, m->atlas.items[i]);
    }
    if (m->atlas.count > SHOWN)
        tut_buf_printf(&text, " +%zu", m->atlas.count - SHOWN);
    tut_table_cell(t, TUT_STYLE_PLAIN, tut_buf_str(&text));
}

static tut_status write_text(const tut_train_act *a, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"module", "version", "minutes", "review due", "teaches"};
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    char day[TUT_TIME_TEXT];
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    if (!tut_is_ok(tut_table_new(5, &t)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, heads[i], i == 1 || i == 2 ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (size_t i = 0; i < a->bank->count; i++) {
        const tut_training_module *m = a->bank->items[i];
        const char *state = state_of(a, m);
        bool is_current = strcmp(state, "current") == 0;
        tut_time_date(tut_training_review_due(m), day);
        tut_table_cell(t, TUT_STYLE_PLAIN, m->id);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%u", m->version);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%u", m->minutes);
        tut_table_cellf(t, is_current ? TUT_STYLE_PLAIN : TUT_STYLE_WARN, "%s%s", day,
                        is_current                      ? ""
                        : strcmp(state, "changed") == 0 ? " (changed, same version)"
                        : is_old(a, m)                  ? " (older threats)"
                                                        : " (over)");
        add_atlas(t, m);
    }
    TUT_TRY(tut_table_print(t, &term, 0, out));
    tut_buf_printf(out, "%zu modules. tutela train show MODULE prints one.\n", a->bank->count);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_train_act) a = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = tut_train_open(&a, args, false, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&a, &out, &err)
                                                   : write_text(&a, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, TUT_EXIT_OK) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_list = {
    .name = "train list",
    .summary = "List the modules of training, those of tutela and the organisation's own",
    .help =
        "Own modules are Markdown files in the folder that training.modules of tutela.yaml "
        "names; docs/training-modules.md has the format. A module is due for review when its "
        "review is "
        "older than it says, or when the catalogue of threats is newer than the one that it was "
        "reviewed against.",
    .formats = "table json",
    .options = options,
    .run = run,
};
