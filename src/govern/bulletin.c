#include "govern/bulletin.h"

#include <stdio.h>

#include "assess/form.h"
#include "assets/schema.h"
#include "govern/threat.h"
#include "govern/threat_internal.h"
#include "govern/training_internal.h"

enum { READ_DAYS = 14, READ_DAYS_MAX = 90 };

static const tut_form_section sections[] = {
    {"What happens", "what happened;what is new;threat;the threat;summary",
     "What the threat is, how it works, since when it is known."},
    {"Who is affected", "affected;affected systems;scope;where it matters",
     "Which systems, components and people it concerns."},
    {"Countermeasures", "countermeasure;what to do;mitigations;mitigation;what we do",
     "What to do about it; \"none known\" if so."},
};
static const tut_form_kind form_kind = {.check = "train.bulletins",
                                        .title = "A bulletin",
                                        .sections = sections,
                                        .section_count = sizeof(sections) / sizeof(sections[0])};

typedef struct front {
    tut_str id, title;
    tut_str_list roles, threats, atlas;
    uint32_t version;
    bool has_until;
    tut_time until;
} front;

static const tut_field front_fields[] = {
    TUT_FIELD(TEXT, front, id, true, NULL),
    TUT_FIELD(TEXT, front, title, true, NULL),
    TUT_FIELD(COUNT, front, version, true, NULL),
    {"for", TUT_FIELD_TEXTS, offsetof(front, roles), 0, true, NULL},
    TUT_FIELD(TEXTS, front, threats, false, NULL),
    TUT_FIELD(TEXTS, front, atlas, false, NULL),
    {"until", TUT_FIELD_TIME, offsetof(front, until), offsetof(front, has_until), false, NULL},
};

void tut_bulletin_done(tut_bulletin *b)
{
    tut_free(b->name);
    tut_yaml_free(b->yaml);
    tut_arena_done(&b->arena);
    *b = (tut_bulletin){.name = NULL};
}

static bool is_id(tut_str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!id.data[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-", id.data[i]))
            return false;
    return id.len > 0 && id.len <= TUT_TRAINING_ID_MAX;
}

static bool is_one_line(tut_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return text.len > 0 && text.len <= 200;
}

static tut_status check_front(tut_schema *s, const tut_yaml_node *root, const front *f,
                              tut_bulletin *b)
{
    const tut_yaml *y = s->system->yaml;
    if (!is_id(f->id))
        return tut_schema_fail_node(s, root, "id is a name of a-z, 0-9 and -, of at most %d",
                                    TUT_TRAINING_ID_MAX);
    if (!is_one_line(f->title))
        return tut_schema_fail_node(s, root, "title is one line of at most 200 bytes");
    if (f->version == 0 || f->version > 1000000)
        return tut_schema_fail_node(
            s, root, "version is a whole number from 1, which rises with each change");
    if (f->roles.count == 0 || f->roles.count > TUT_TRAINING_LIST)
        return tut_schema_fail_node(s, root, "for says whom it is for: roles, or [everyone]");
    if (f->threats.count > TUT_TRAINING_LIST || f->atlas.count > TUT_TRAINING_LIST)
        return tut_schema_fail_node(s, root, "threats and atlas have at most %d items",
                                    TUT_TRAINING_LIST);
    for (size_t i = 0; i < f->roles.count; i++) {
        uint32_t role = tut_training_role(f->roles.items[i]);
        if (!role)
            return tut_schema_fail_node(
                s, tut_yaml_get(y, root, "for"),
                "\"%.*s\" is no role; they are: everyone developer operator custodian approver "
                "trainer tester auditor root",
                (int)f->roles.items[i].len, f->roles.items[i].data);
        b->roles |= role;
    }
    for (size_t i = 0; i < f->threats.count; i++)
        if (tut_threat_word(tut_threat_words, f->threats.items[i]) < 0)
            return tut_schema_fail_node(
                s, tut_yaml_get(y, root, "threats"), "\"%.*s\" is no threat; they are: %s",
                (int)f->threats.items[i].len, f->threats.items[i].data, tut_threat_words);
    for (size_t i = 0; i < f->atlas.count; i++)
        if (!tut_training_is_atlas(f->atlas.items[i]))
            return tut_schema_fail_node(s, tut_yaml_get(y, root, "atlas"),
                                        "atlas is a list of ids such as AML.T0020");
    return TUT_SUCCESS;
}

static tut_status take_front(tut_schema *s, tut_bulletin *b)
{
    const tut_yaml_node *root = tut_yaml_root(s->system->yaml);
    front f = {.version = 0};
    if (!root)
        return tut_schema_fail(s, 1, 1, 3, "the front matter says nothing");
    TUT_TRY(tut_schema_read(s, root, front_fields, TUT_COUNT(front_fields), &f, "the front matter",
                            ""));
    TUT_TRY(check_front(s, root, &f, b));
    b->id = f.id;
    b->title = f.title;
    b->version = f.version;
    b->threats = f.threats;
    b->atlas = f.atlas;
    b->has_until = f.has_until;
    b->until = f.until;
    b->name = tut_asprintf("%s%.*s@%u", TUT_BULLETIN_BEGINNING, (int)f.id.len, f.id.data,
                           f.version);
    return b->name ? TUT_SUCCESS : tut_fail(s->err, TUT_NOMEM, "memory ran out");
}

/* The front matter, with its first line, so that lines count as in the file; and what follows. */
static bool split(tut_str text, tut_str *ret_front, tut_str *ret_rest)
{
    size_t at, skip = 4;
    if (!tut_str_starts(text, TUT_LIT("---\n")) && !tut_str_starts(text, TUT_LIT("---\r\n")))
        return false;
    tut_str rest = {text.data + skip, text.len - skip};
    if (!tut_str_find(rest, TUT_LIT("\n---"), &at))
        return false;
    *ret_front = (tut_str){text.data, skip + at + 1};
    rest = (tut_str){rest.data + at + 4, rest.len - at - 4};
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '\n')
        end++;
    if (tut_str_trim((tut_str){rest.data, end}).len > 0)
        return false;
    end += end < rest.len;
    *ret_rest = (tut_str){rest.data + end, rest.len - end};
    return true;
}

static tut_status parse(const char *file, tut_str text, bool is_caged, tut_bulletin *b,
                        tut_error *err)
{
    tut_str yaml;
    tut_form form;
    if (text.len > TUT_MESSAGE_BYTES)
        return tut_fail(err, TUT_LIMIT, "is larger than %d KiB; nobody reads that",
                        TUT_MESSAGE_BYTES >> 10);
    if (!tut_utf8_valid(text) || (text.len > 0 && memchr(text.data, '\0', text.len)))
        return tut_fail(err, TUT_MALFORMED, "is no text in UTF-8");
    if (!split(text, &yaml, &b->text))
        return tut_fail(err, TUT_MALFORMED,
                        "does not begin with front matter between lines \"---\"; docs/notices.md "
                        "has the format of a bulletin");
    tut_status parsed = is_caged ? tut_yaml_parse_caged(yaml, &b->yaml, err)
                                 : tut_yaml_parse(yaml, false, &b->yaml, err);
    if (!tut_is_ok(parsed)) {
        tut_schema_tell_yaml(file, yaml, err, NULL);
        return parsed;
    }
    /* The one reader of YAML by fields works on a system: of it, tree and arena. */
    tut_system holder = {.yaml = b->yaml};
    tut_arena_init(&holder.arena, (size_t)4 * TUT_MESSAGE_BYTES);
    tut_schema s = {.file = file, .system = &holder, .err = err};
    tut_status status = take_front(&s, b);
    b->arena = holder.arena;
    TUT_TRY(status);
    return tut_form_read(&form_kind, text, &form, err);
}

static tut_status parse_whole(const char *file, tut_str text, bool is_caged, tut_bulletin *ret,
                              tut_error *err)
{
    tut_error local = {0};
    TUT_CLEAN(tut_bulletin) b = {.name = NULL};
    err = err ? err : &local;
    tut_status status = parse(file, text, is_caged, &b, err);
    if (!tut_is_ok(status)) {
        if (!tut_error_where(err)[0])
            tut_error_set_path(err, file);
        return status;
    }
    *ret = b;
    b = (tut_bulletin){.name = NULL};
    return TUT_SUCCESS;
}

tut_status tut_bulletin_parse(const char *file, tut_str text, tut_bulletin *ret, tut_error *err)
{
    return parse_whole(file, text, true, ret, err);
}

tut_status tut_bulletin_parse_here(const char *file, tut_str text, tut_bulletin *ret,
                                   tut_error *err)
{
    return parse_whole(file, text, false, ret, err);
}

/* --- what tutela.yaml says --- */

static tut_status read_days(tut_schema *s, const tut_yaml_node *n, const char *key, uint32_t most,
                            uint32_t *days)
{
    uint64_t value = 0;
    const tut_yaml_node *v = tut_yaml_get(s->system->yaml, n, key);
    if (tut_schema_is_absent(v))
        return TUT_SUCCESS;
    if (v->type != TUT_YAML_SCALAR || !tut_str_u64(v->text, &value) || value < 1 || value > most)
        return tut_schema_fail_node(s, v, "%s is a number of days, from 1 to %u", key, most);
    *days = (uint32_t)value;
    return TUT_SUCCESS;
}

tut_status tut_reading_policy_read(tut_system *system, tut_reading_policy *ret, tut_buf *ret_shown,
                                   tut_error *err)
{
    tut_error local = {0};
    tut_reading_policy p = {.read_days = READ_DAYS};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *n = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "training");
    if (!tut_schema_is_absent(n)) {
        p.node = n;
        TUT_TRY(tut_schema_mapping(&s, n, "training"));
        TUT_TRY(read_days(&s, n, "read_days", READ_DAYS_MAX, &p.read_days));
    }
    *ret = p;
    return TUT_SUCCESS;
}
