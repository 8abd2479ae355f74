#include "govern/training_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "assets/schema.h"

static const char *const about_names[] = {"role", "threat", "practice"};

const char *tut_training_about_name(tut_training_about about)
{
    return about_names[about];
}

uint32_t tut_training_role(tut_str word)
{
    return tut_str_eq_z(word, "everyone") ? TUT_TRAINING_EVERYONE : tut_person_role(word);
}

void tut_training_module_free(tut_training_module *m)
{
    if (!m)
        return;
    tut_free(m->file);
    tut_arena_done(&m->arena);
    tut_buf_done(&m->source);
    tut_free(m);
}

tut_time tut_training_review_due(const tut_training_module *m)
{
    return m->reviewed + (tut_time)m->review_days * TUT_DAY_SECONDS;
}

uint32_t tut_training_reading_seconds(const tut_training_module *m)
{
    enum { WORDS_A_MINUTE = 238 };
    return (uint32_t)(m->words * 60 / WORDS_A_MINUTE);
}

tut_status tut_module_fail(tut_module_reader *r, uint32_t line, const char *fmt, ...)
{
    char message[TUT_ERROR_TEXT_MAX], path[TUT_ERROR_PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    snprintf(path, sizeof(path), "%s:%u", r->file, line);
    tut_error_set_path(r->err, path);
    return tut_fail(r->err, TUT_MALFORMED, "%s", message);
}

/* --- what holds of every module --- */

static bool is_id(tut_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return id.len > 0 && id.len <= TUT_TRAINING_ID_MAX;
}

/* AML.T0018, AML.T0018.002, AML.M0007 */
static bool is_atlas(tut_str id)
{
    size_t at = 5;
    if (id.len < 9 || !tut_str_starts(id, TUT_LIT("AML.")) || !memchr("TM", id.data[4], 2))
        return false;
    for (; at < id.len; at++)
        if (!((id.data[at] >= '0' && id.data[at] <= '9') || (id.data[at] == '.' && at == 9)))
            return false;
    return id.len == 9 || id.len == 13;
}

static bool is_made_of(tut_str text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.data[i] || !strchr(characters, text.data[i]))
            return false;
    return text.len > 0 && text.len <= 32;
}

static const char *flaw_of_numbers(const tut_training_module *m)
{
    if (m->version == 0 || m->version > 1000000)
        return "version is a whole number from 1, which rises with each change of content";
    if (m->reviewed < 0)
        return "reviewed is the day of the last review of the content";
    if (m->review_days == 0 || m->review_days > 3660)
        return "review_days is a number of days, from 1 to 3660";
    if (m->minutes == 0 || m->minutes > 480)
        return "minutes is how long the module takes, from 1 to 480";
    if (!(m->pass > 0 && m->pass <= 1))
        return "pass is the least share of right answers, above 0 and at most 1";
    if (m->draw == 0 || m->draw > m->question_count)
        return "draw is how many questions are asked: from 1 to as many as there are";
    return NULL;
}

static const char *flaw_of_question(const tut_training_question *q)
{
    size_t right = 0;
    for (size_t i = 0; i < q->answer_count; i++)
        right += q->answers[i].is_right;
    if (q->answer_count < 2)
        return "a question has at least two answers, lines that begin with \"- [ ]\" or \"- [x]\"";
    if (right == 0 || right == q->answer_count || right != q->right_count)
        return "a question has a right answer (\"- [x]\") and a wrong one (\"- [ ]\")";
    return NULL;
}

const char *tut_module_flaw(const tut_training_module *m)
{
    if (!is_id(m->id))
        return "id is a name of a-z, 0-9 and -, of at most 64 characters";
    if (m->title.len == 0 || m->title.len > 200)
        return "title is a text of at most 200 bytes";
    if (m->roles == 0)
        return "for is a list of people's roles, or [everyone]";
    if (m->atlas.count > TUT_TRAINING_LIST || m->clauses.count > TUT_TRAINING_LIST)
        return "atlas and clauses have at most 64 items";
    for (size_t i = 0; i < m->atlas.count; i++)
        if (!is_atlas(m->atlas.items[i]))
            return "atlas is a list of ids such as AML.T0020 or AML.T0018.002";
    for (size_t i = 0; i < m->clauses.count; i++)
        if (!is_made_of(m->clauses.items[i], "0123456789.-"))
            return "clauses is a list of provisions such as 5.1.1-1";
    if ((m->atlas.count > 0 || m->atlas_version.len > 0) &&
        !is_made_of(m->atlas_version, "0123456789."))
        return "atlas_version is the version of ATLAS that it was reviewed against, such as 5.6.0";
    for (size_t i = 0; i < m->question_count; i++) {
        const char *flaw = flaw_of_question(&m->questions[i]);
        if (flaw)
            return flaw;
    }
    return flaw_of_numbers(m);
}

/* --- front matter --- */

typedef struct front {
    tut_str id, title, about, atlas_version;
    tut_str_list roles, atlas, clauses;
    uint32_t version, review_days, minutes, draw;
    double pass;
    bool has_reviewed;
    tut_time reviewed;
} front;

static const tut_field front_fields[] = {
    TUT_FIELD(TEXT, front, id, true, NULL),
    TUT_FIELD(TEXT, front, title, true, NULL),
    TUT_FIELD(COUNT, front, version, true, NULL),
    {"reviewed", TUT_FIELD_TIME, offsetof(front, reviewed), offsetof(front, has_reviewed), true,
     NULL},
    TUT_FIELD(COUNT, front, review_days, false, NULL),
    TUT_FIELD(COUNT, front, minutes, true, NULL),
    TUT_FIELD(WORD, front, about, true, "role threat practice"),
    {"for", TUT_FIELD_TEXTS, offsetof(front, roles), 0, true, NULL},
    TUT_FIELD(TEXTS, front, atlas, false, NULL),
    TUT_FIELD(TEXT, front, atlas_version, false, NULL),
    TUT_FIELD(TEXTS, front, clauses, false, NULL),
    TUT_FIELD(REAL, front, pass, false, NULL),
    TUT_FIELD(COUNT, front, draw, false, NULL),
};

static tut_status take_roles(tut_schema *s, const tut_yaml_node *root, const front *f,
                             tut_training_module *m)
{
    for (size_t i = 0; i < f->roles.count; i++) {
        uint32_t role = tut_training_role(f->roles.items[i]);
        if (!role)
            return tut_schema_fail_node(
                s, tut_yaml_get(s->system->yaml, root, "for"),
                "\"%.*s\" is no role; they are: everyone developer operator custodian approver "
                "trainer tester auditor root",
                (int)f->roles.items[i].len, f->roles.items[i].data);
        m->roles |= role;
    }
    return TUT_SUCCESS;
}

static tut_status keep(tut_training_module *m, tut_str text, tut_str *ret, tut_error *err)
{
    char *copy = tut_arena_copy(&m->arena, text);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

static tut_status keep_list(tut_training_module *m, const tut_str_list *list, tut_str_list *ret,
                            tut_error *err)
{
    ret->items = tut_arena_take(&m->arena, list->count + 1, sizeof(*ret->items));
    if (!ret->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < list->count; i++)
        TUT_TRY(keep(m, list->items[i], &ret->items[i], err));
    ret->count = list->count;
    return TUT_SUCCESS;
}

static tut_status take_front(tut_schema *s, const tut_yaml_node *root, tut_training_module *m)
{
    front f = {.review_days = 365, .pass = 0.8};
    static const char *const wanted[] = {"id",      "title", "version", "reviewed",
                                         "minutes", "about", "for"};
    if (!root)
        return tut_schema_fail(s, 1, 1, 3, "the front matter says nothing");
    TUT_TRY(tut_schema_read(s, root, front_fields, TUT_COUNT(front_fields), &f, "the front matter",
                            ""));
    for (size_t i = 0; i < TUT_COUNT(wanted); i++)
        if (tut_schema_is_absent(tut_yaml_get(s->system->yaml, root, wanted[i])))
            return tut_schema_fail_node(s, root, "the front matter does not say %s", wanted[i]);
    TUT_TRY(take_roles(s, root, &f, m));
    TUT_TRY(keep(m, f.id, &m->id, s->err));
    TUT_TRY(keep(m, f.title, &m->title, s->err));
    TUT_TRY(keep(m, f.atlas_version, &m->atlas_version, s->err));
    TUT_TRY(keep_list(m, &f.atlas, &m->atlas, s->err));
    TUT_TRY(keep_list(m, &f.clauses, &m->clauses, s->err));
    for (size_t i = 0; i < TUT_COUNT(about_names); i++)
        if (tut_str_eq_z(f.about, about_names[i]))
            m->about = (tut_training_about)i;
    m->version = f.version;
    m->reviewed = f.reviewed;
    m->review_days = f.review_days;
    m->minutes = f.minutes;
    m->draw = f.draw;
    m->pass = f.pass;
    return TUT_SUCCESS;
}

/* The one reader of YAML by fields works on a system, of which it needs the tree and an arena. */
static tut_status read_front(tut_module_reader *r, tut_str yaml)
{
    tut_system holder = {.file = NULL};
    tut_arena_init(&holder.arena, (size_t)4 * TUT_TRAINING_BYTES);
    tut_schema s = {.file = r->file, .system = &holder, .err = r->err};
    tut_status status = tut_yaml_parse(yaml, false, &holder.yaml, r->err);
    if (tut_is_ok(status))
        status = take_front(&s, tut_yaml_root(holder.yaml), r->m);
    else
        tut_error_set_path(r->err, r->file);
    tut_yaml_free(holder.yaml);
    tut_arena_done(&holder.arena);
    return status;
}

/* --- the whole --- */

void tut_module_next_line(tut_module_reader *r)
{
    r->at_end = r->rest.len == 0;
    if (r->at_end) {
        r->line = (tut_str){r->rest.data, 0};
        return;
    }
    const char *end = memchr(r->rest.data, '\n', r->rest.len);
    size_t len = end ? (size_t)(end - r->rest.data) : r->rest.len;
    size_t step = end ? len + 1 : len;
    r->line = (tut_str){r->rest.data, len};
    while (r->line.len > 0 && memchr(" \t\r", r->line.data[r->line.len - 1], 3))
        r->line.len--;
    r->rest = (tut_str){r->rest.data + step, r->rest.len - step};
    r->number++;
}

static tut_status check_text(tut_module_reader *r, tut_str text)
{
    size_t lines = 1;
    if (text.len > TUT_TRAINING_BYTES)
        return tut_module_fail(r, 1, "is larger than %d KiB; nobody reads that in one sitting",
                               TUT_TRAINING_BYTES >> 10);
    if (!tut_utf8_valid(text) || (text.len > 0 && memchr(text.data, '\0', text.len)))
        return tut_module_fail(r, 1, "is no text in UTF-8");
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    if (lines > TUT_TRAINING_LINES)
        return tut_module_fail(r, 1, "has more than %d lines", TUT_TRAINING_LINES);
    return TUT_SUCCESS;
}

static tut_status read_all(tut_module_reader *r)
{
    const char *start = r->rest.data;
    tut_training_module *m = r->m;
    tut_module_next_line(r);
    if (!tut_str_eq_z(r->line, "---"))
        return tut_module_fail(
            r, 1,
            "begins with no line \"---\" and front matter; docs/training-modules.md "
            "has the format of a module");
    do
        tut_module_next_line(r);
    while (!r->at_end && !tut_str_eq_z(r->line, "---"));
    if (r->at_end)
        return tut_module_fail(r, 1, "the front matter does not end with a line \"---\"");
    TUT_TRY(read_front(r, (tut_str){start, (size_t)(r->line.data - start)}));
    TUT_TRY(tut_sha256_of(tut_span_of(r->rest.data, r->rest.len), &m->digest, r->err));
    tut_module_next_line(r);
    TUT_TRY(tut_module_read_blocks(r, tut_module_begins_questions));
    if (r->at_end)
        return tut_module_fail(r, r->number, "has no section \"## Questions\" at its end");
    if (m->block_count == 0)
        return tut_module_fail(r, r->number, "has questions, but no text before them");
    TUT_TRY(tut_module_read_questions(r));
    if (m->draw == 0)
        m->draw = (uint32_t)m->question_count;
    const char *flaw = tut_module_flaw(m);
    return flaw ? tut_module_fail(r, 2, "%s", flaw) : TUT_SUCCESS;
}

tut_status tut_training_module_parse(const char *file, tut_str text,
                                     tut_training_module **ret_module, tut_error *err)
{
    tut_error local = {0};
    TUT_AUTO(tut_training_module) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&m->arena, 0);
    m->file = tut_strdup(file);
    tut_buf_add_str(&m->source, text);
    TUT_TRY(tut_buf_check(&m->source, err));
    if (!m->file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_module_reader r = {
        .m = m, .file = file, .rest = tut_buf_str(&m->source), .err = err ? err : &local};
    TUT_TRY(check_text(&r, r.rest));
    TUT_TRY(read_all(&r));
    *ret_module = tut_move(&m);
    return TUT_SUCCESS;
}
