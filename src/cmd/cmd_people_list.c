/* tutela people list: who was enrolled, with which keys and roles, and whether it still holds. */
#include <string.h>

#include "base/json_write.h"
#include "cmd/people_act.h"

static const char *state_of(const tut_person *person)
{
    return person->is_active ? "active" : "revoked";
}

/* --- JSON --- */

static void put_keys(tut_json *j, const tut_person *h)
{
    tut_json_key(j, "keys");
    tut_json_array(j);
    for (size_t i = 0; i < h->key_count; i++) {
        const tut_person_key *k = &h->keys[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", tut_pubkey_id(k->key));
        tut_json_put_z(j, "type", tut_key_type_name(tut_pubkey_type(k->key)));
        tut_json_put_str(j, "pem", tut_pubkey_pem(k->key));
        tut_json_put_u64(j, "from", k->from);
        tut_json_key(j, "until");
        if (k->until == UINT64_MAX)
            tut_json_null(j);
        else
            tut_json_u64(j, k->until);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_events(tut_json *j, const tut_person *h)
{
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < h->event_count; i++)
        tut_json_u64(j, h->events[i]);
    tut_json_end_array(j);
}

static void put_person(tut_json *j, const tut_person *person)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", person->name);
    tut_json_put_z(j, "state", state_of(person));
    tut_json_put_time(j, "since", person->enrolled_at);
    tut_json_key(j, "due");
    tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    tut_json_z(j, person->name);
    tut_json_end_array(j);
    put_events(j, person);
    tut_json_put_bool(j, "root", person->is_root);
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (person->roles & (1u << i))
            tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
    put_keys(j, person);
    if (!person->is_active) {
        tut_json_put_time(j, "revoked", person->revoked_at);
        tut_json_put_z(j, "reason", person->reason);
    }
    tut_json_end_object(j);
}

static void put_machine(tut_json *j, const char *name, const tut_person *h)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", name);
    put_events(j, h);
    put_keys(j, h);
    tut_json_end_object(j);
}

static size_t count_active(const tut_people *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        n += p->items[i].is_active;
    return n;
}

static tut_status list_json(const tut_people_act *a, tut_buf *out, tut_error *err)
{
    const tut_people *p = a->records->people;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.people/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_str(j, "origin", tut_str_of(p->origin));
    tut_json_put_u64(j, "entries", a->records->log_size);
    tut_json_put_u64(j, "active", count_active(p));
    tut_json_put_u64(j, "ignored", p->problem_total);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < p->count; i++)
        put_person(j, &p->items[i]);
    tut_json_end_array(j);
    tut_json_key(j, "machines");
    tut_json_array(j);
    put_machine(j, "log", &p->log);
    put_machine(j, "tool", &p->tool);
    tut_json_end_array(j);
    tut_json_key(j, "problems");
    tut_json_array(j);
    for (size_t i = 0; i < p->problem_count; i++)
        tut_json_z(j, p->problems[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

/* --- for people --- */

static void cell_roles(tut_table *t, const tut_person *person)
{
    TUT_CLEAN(tut_buf) roles = TUT_BUF_INIT;
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (person->roles & (1u << i))
            tut_buf_printf(&roles, "%s%s", roles.len ? ", " : "", tut_person_roles[i]);
    if (roles.len == 0)
        tut_buf_add_z(&roles, "none");
    tut_table_cell(t, TUT_STYLE_PLAIN, tut_buf_str(&roles));
}

/* The newest key, and how many more are in force. */
static void cell_key(tut_table *t, const tut_person *person)
{
    size_t more = 0;
    for (size_t i = 0; i + 1 < person->key_count; i++)
        more += person->keys[i].until == UINT64_MAX;
    const char *id = tut_pubkey_id(person->keys[person->key_count - 1].key);
    if (more > 0)
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%.12s (+%zu)", id, more);
    else
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%.12s", id);
}

static void add_row(tut_table *t, const tut_person *person)
{
    char day[TUT_TIME_TEXT];
    tut_table_cell_z(t, TUT_STYLE_BOLD, person->name);
    cell_roles(t, person);
    cell_key(t, person);
    tut_time_date(person->enrolled_at, day);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
    if (person->is_active) {
        tut_table_cell_z(t, TUT_STYLE_GOOD, "active");
        return;
    }
    tut_time_date(person->revoked_at, day);
    tut_table_cellf(t, TUT_STYLE_BAD, "revoked %s: %s", day, person->reason ? person->reason : "");
}

static void add_problems(const tut_term *term, const tut_people *p, tut_buf *out)
{
    if (p->problem_total == 0)
        return;
    tut_term_printf(term, out, TUT_STYLE_WARN, "\n%llu event%s about people change%s nothing:\n",
                    (unsigned long long)p->problem_total, p->problem_total == 1 ? "" : "s",
                    p->problem_total == 1 ? "s" : "");
    for (size_t i = 0; i < p->problem_count; i++) {
        tut_buf_add_z(out, "  ");
        tut_term_wrap(term, out, 2, tut_str_of(p->problems[i]));
    }
}

static tut_status list_table(const tut_people_act *a, tut_buf *out, tut_error *err)
{
    const tut_people *p = a->records->people;
    static const char *const headers[] = {"NAME", "ROLES", "KEY", "SINCE", "STATE"};
    enum { COLUMNS = sizeof(headers) / sizeof(headers[0]) };
    tut_term term;
    tut_term_detect(1, a->args->color, &term);
    if (p->count == 0)
        tut_buf_add_z(out,
                      "Nobody is enrolled. The first is a root of trust:\n  tutela people enrol "
                      "NAME --root --key PUBLIC.pem\n");
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(COLUMNS, &t));
    for (size_t i = 0; i < COLUMNS; i++)
        tut_table_column(t, i, headers[i], TUT_LEFT, i == 1 || i == COLUMNS - 1);
    for (size_t i = 0; i < p->count; i++)
        add_row(t, &p->items[i]);
    if (p->count > 0)
        TUT_TRY(tut_table_print(t, &term, 0, out));
    add_problems(&term, p, out);
    return tut_buf_check(out, err);
}

static tut_status compose(tut_people_act *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_TRY(tut_people_act_open(a, args, false, err));
    return strcmp(args->format, "json") == 0 ? list_json(a, out, err) : list_table(a, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_people_act a = {0};
    tut_error err = {0};
    int exit_status = tut_is_ok(compose(&a, args, &out, &err)) ? tut_cmd_output(&out, TUT_EXIT_OK)
                                                               : tut_cmd_fail(&err);
    tut_people_act_done(&a);
    return exit_status;
}

const tut_command tut_cmd_people_list = {
    .name = "people list",
    .arguments = "",
    .summary = "List who was enrolled, with roles, keys and state",
    .help = "Found out by replaying the log from its first entry. Events about people that change "
            "nothing, such as enrolments by somebody who is no root, are named with the reason.",
    .formats = "table json",
    .run = run,
};
