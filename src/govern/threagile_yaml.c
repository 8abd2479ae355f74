/* Anchors, aliases and merge keys over a tree that was read leniently, and the notes of what is not
 * carried over. An alias stands in the tree as the plain text "*name" (no other plain text begins
 * so); an anchor is where the node begins in the source. */
#include <string.h>

#include "base/limits.h"
#include "govern/threagile_internal.h"

enum { MERGE_DEPTH = 8, STEPS_MAX = 4000000, NOTES_MAX = 400, WHO_CHARS = 80 };

static bool is_alias(const tut_yaml_node *n)
{
    return n && n->type == TUT_YAML_SCALAR && !n->is_quoted && n->text.len > 1 &&
           n->text.data[0] == '*';
}

static tut_str anchor_of(const tut_yaml *y, const tut_yaml_node *n)
{
    tut_str source = tut_yaml_source(y);
    size_t len = 0;
    if (n->end <= n->start || n->start >= source.len || source.data[n->start] != '&')
        return (tut_str){"", 0};
    const char *name = source.data + n->start + 1;
    while (n->start + 1 + len < source.len && !strchr(" \t\r\n,[]{}", name[len]))
        len++;
    return (tut_str){name, len};
}

static tut_status note_anchor(tut_threagile_reading *g, const tut_yaml_node *n)
{
    tut_str name = anchor_of(g->y, n);
    size_t known = 0;
    if (is_alias(n)) {
        tut_str of = {n->text.data + 1, n->text.len - 1};
        if (tut_map_get(&g->anchors, of) == SIZE_MAX)
            return tut_schema_fail_node(&g->s, n, "no anchor is called \"%.*s\" before this",
                                        (int)of.len, of.data);
        return TUT_SUCCESS;
    }
    if (name.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&g->anchored, g->anchored_count, &g->anchored_capacity, sizeof(void *)));
    TUT_TRY(tut_map_put(&g->anchors, name, g->anchored_count, &known, g->s.err));
    if (known != g->anchored_count)
        return tut_schema_fail_node(&g->s, n, "the anchor \"%.*s\" stands twice", (int)name.len,
                                    name.data);
    g->anchored[g->anchored_count++] = n;
    return TUT_SUCCESS;
}

tut_status tut_threagile_anchors(tut_threagile_reading *g)
{
    const tut_yaml_node *path[TUT_LIMIT_YAML_DEPTH + 2];
    const tut_yaml_node *n = tut_yaml_root(g->y);
    const tut_yaml_facts *facts = tut_yaml_get_facts(g->y);
    size_t depth = 0;
    if (facts->tags || facts->documents > 1 || facts->duplicate_keys)
        return tut_schema_fail(&g->s, 1, 1, 1,
                               facts->tags ? "a tag (\"%s\") is no part of a Threagile model%s"
                               : facts->duplicate_keys
                                   ? "a key stands twice in one mapping%s%s"
                                   : "the file holds several documents; a model is one%s%s",
                               facts->tags ? facts->first_tag : "", "");
    while (n) {
        TUT_TRY(note_anchor(g, n));
        const tut_yaml_node *first = tut_yaml_first(g->y, n);
        if (first && depth < sizeof(path) / sizeof(path[0])) {
            path[depth++] = n;
            n = first;
            continue;
        }
        const tut_yaml_node *next = tut_yaml_next(g->y, n);
        while (!next && depth > 0)
            next = tut_yaml_next(g->y, path[--depth]);
        n = next;
    }
    return TUT_SUCCESS;
}

const tut_yaml_node *tut_threagile_follow(const tut_threagile_reading *g, const tut_yaml_node *n)
{
    if (!is_alias(n))
        return n;
    size_t at = tut_map_get(&g->anchors, (tut_str){n->text.data + 1, n->text.len - 1});
    return at == SIZE_MAX ? NULL : g->anchored[at];
}

static const tut_yaml_node *find(tut_threagile_reading *g, const tut_yaml_node *map,
                                 const char *key, unsigned depth)
{
    if (!map || map->type != TUT_YAML_MAPPING || depth > MERGE_DEPTH || g->steps >= STEPS_MAX)
        return NULL;
    g->steps += map->count + 1;
    const tut_yaml_node *own = tut_yaml_get(g->y, map, key);
    if (own)
        return tut_threagile_follow(g, own);
    const tut_yaml_node *merged = tut_threagile_follow(g, tut_yaml_get(g->y, map, "<<"));
    if (!merged || merged->type != TUT_YAML_SEQUENCE)
        return find(g, merged, key, depth + 1);
    for (const tut_yaml_node *n = tut_yaml_first(g->y, merged); n; n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *found = find(g, tut_threagile_follow(g, n), key, depth + 1);
        if (found)
            return found;
    }
    return NULL;
}

const tut_yaml_node *tut_threagile_get(tut_threagile_reading *g, const tut_yaml_node *map,
                                       const char *key)
{
    const tut_yaml_node *n = find(g, map, key, 0);
    bool is_nothing = n && n->type == TUT_YAML_SCALAR && !n->is_quoted &&
                      (n->text.len == 0 || tut_str_eq_z(n->text, "~") ||
                       tut_str_eq_z(n->text, "null"));
    return is_nothing ? NULL : n;
}

tut_status tut_threagile_check_steps(const tut_threagile_reading *g)
{
    if (g->steps < STEPS_MAX)
        return TUT_SUCCESS;
    return tut_fail(g->s.err, TUT_LIMIT,
                    "merge keys (<<) of this file lead through too many "
                    "mappings");
}

static tut_str trimmed(tut_str text)
{
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
        text.len--;
    while (text.len && strchr(" \t\r\n", text.data[0])) {
        text.data++;
        text.len--;
    }
    return text;
}

tut_status tut_threagile_text(tut_threagile_reading *g, const tut_yaml_node *map, const char *key,
                              tut_str *ret)
{
    const tut_yaml_node *n = tut_threagile_get(g, map, key);
    *ret = (tut_str){"", 0};
    TUT_TRY(tut_threagile_check_steps(g));
    if (!n)
        return TUT_SUCCESS;
    if (n->type != TUT_YAML_SCALAR)
        return tut_schema_fail_node(&g->s, n, "%s is a text", key);
    *ret = trimmed(n->text);
    return TUT_SUCCESS;
}

tut_status tut_threagile_flag(tut_threagile_reading *g, const tut_yaml_node *map, const char *key,
                              bool *ret)
{
    tut_str text;
    TUT_TRY(tut_threagile_text(g, map, key, &text));
    *ret = tut_str_eq_z(text, "true");
    if (text.len && !*ret && !tut_str_eq_z(text, "false"))
        return tut_schema_fail_node(&g->s, tut_threagile_get(g, map, key), "%s is true or false",
                                    key);
    return TUT_SUCCESS;
}

static tut_status of_type(tut_threagile_reading *g, const tut_yaml_node *map, const char *key,
                          tut_yaml_type type, const tut_yaml_node **ret)
{
    const tut_yaml_node *n = tut_threagile_get(g, map, key);
    *ret = NULL;
    TUT_TRY(tut_threagile_check_steps(g));
    if (!n)
        return TUT_SUCCESS;
    if (n->type != type)
        return tut_schema_fail_node(&g->s, n, "%s is a %s", key,
                                    type == TUT_YAML_SEQUENCE ? "list" : "mapping");
    *ret = n;
    return TUT_SUCCESS;
}

tut_status tut_threagile_list(tut_threagile_reading *g, const tut_yaml_node *map, const char *key,
                              const tut_yaml_node **ret)
{
    return of_type(g, map, key, TUT_YAML_SEQUENCE, ret);
}

tut_status tut_threagile_section(tut_threagile_reading *g, const tut_yaml_node *map,
                                 const char *key, const tut_yaml_node **ret)
{
    return of_type(g, map, key, TUT_YAML_MAPPING, ret);
}

/* --- notes --- */

static const char *const places[TUT_THREAGILE_LEVELS] = {"",
                                                         "data_assets.*",
                                                         "technical_assets.*",
                                                         "technical_assets.*.communication_links.*",
                                                         "trust_boundaries.*",
                                                         "shared_runtimes.*",
                                                         "risk_tracking.*"};

typedef struct field_row {
    tut_threagile_level level;
    const char *name, *why;
} field_row;
static const field_row rows[] = {
#define THREAGILE_FIELD(level, name, why) {TUT_THREAGILE_##level, name, why},
#include "govern/threagile_fields.def"
#undef THREAGILE_FIELD
};

static char *shown(tut_threagile_reading *g, tut_str text)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, text, WHO_CHARS);
    return tut_arena_copy(g->arena, tut_buf_str(&line));
}

static tut_threagile_note *same_note(tut_threagile *t, const char *place, tut_str field,
                                     const char *why)
{
    for (size_t i = 0; i < t->note_count; i++)
        if (t->notes[i].place == place && tut_str_eq_z(field, t->notes[i].field) &&
            strcmp(t->notes[i].why, why) == 0)
            return &t->notes[i];
    return NULL;
}

tut_status tut_threagile_note_that(tut_threagile_reading *g, tut_threagile_level level,
                                   tut_str field, const char *why, tut_str who)
{
    tut_threagile *t = g->t;
    char *name = shown(g, field);
    if (!name)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    tut_threagile_note *known = same_note(t, places[level], tut_str_of(name), why);
    if (known) {
        known->count++;
        return TUT_SUCCESS;
    }
    if (t->note_count == NOTES_MAX)
        return tut_fail(g->s.err, TUT_LIMIT,
                        "over %d different things of this file have no counterpart; is it a "
                        "Threagile model?",
                        NOTES_MAX);
    char *first = shown(g, who);
    if (!first)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_grow(&t->notes, t->note_count, &g->note_capacity, sizeof(*t->notes)));
    t->notes[t->note_count++] = (tut_threagile_note){places[level], name, why, first, 1};
    return TUT_SUCCESS;
}

/* Set to something: not to nothing, false, or an empty list. */
static bool is_set(const tut_threagile_reading *g, const tut_yaml_node *n)
{
    n = tut_threagile_follow(g, n);
    if (!n)
        return false;
    if (n->type != TUT_YAML_SCALAR)
        return n->count > 0;
    return n->text.len > 0 && !tut_str_eq_z(n->text, "false") && !tut_str_eq_z(n->text, "~") &&
           !tut_str_eq_z(n->text, "null");
}

tut_status tut_threagile_fields(tut_threagile_reading *g, tut_threagile_level level,
                                const tut_yaml_node *map, tut_str who)
{
    for (const tut_yaml_node *n = tut_yaml_first(g->y, map); n; n = tut_yaml_next(g->y, n)) {
        const field_row *row = NULL;
        if (tut_str_eq_z(n->key, "<<") || !is_set(g, n))
            continue;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !row; i++)
            if (rows[i].level == level && tut_str_eq_z(n->key, rows[i].name))
                row = &rows[i];
        const char *why = row ? row->why : "this is no field of Threagile's schema";
        if (why)
            TUT_TRY(tut_threagile_note_that(g, level, n->key, why, who));
    }
    return TUT_SUCCESS;
}
