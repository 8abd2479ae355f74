/* Threagile's words in ours, and the pieces of YAML that elements are written of. */
#include "govern/threagile_internal.h"

static const tut_threagile_word kinds[] = {
#define THREAGILE_KIND(theirs, ours) {theirs, ours},
#define THREAGILE_AUTH(theirs, ours)
#define THREAGILE_PROTOCOL(theirs, ours)
#define THREAGILE_SENSITIVITY(theirs, ours)
#define THREAGILE_TREATMENT(theirs, ours)
#define THREAGILE_RULE(category, rule, part, is_flow)
#include "govern/threagile_words.def"
#undef THREAGILE_KIND
#define THREAGILE_KIND(theirs, ours)
};
static const tut_threagile_word auths[] = {
#undef THREAGILE_AUTH
#define THREAGILE_AUTH(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_AUTH
#define THREAGILE_AUTH(theirs, ours)
};
static const tut_threagile_word protocols[] = {
#undef THREAGILE_PROTOCOL
#define THREAGILE_PROTOCOL(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_PROTOCOL
#define THREAGILE_PROTOCOL(theirs, ours)
};
static const tut_threagile_word sensitivities[] = {
#undef THREAGILE_SENSITIVITY
#define THREAGILE_SENSITIVITY(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_SENSITIVITY
#define THREAGILE_SENSITIVITY(theirs, ours)
};

#define WORDS(table)                                                                               \
    {                                                                                              \
        table, sizeof(table) / sizeof(table[0])                                                    \
    }
const tut_threagile_words tut_threagile_kinds = WORDS(kinds);
const tut_threagile_words tut_threagile_auths = WORDS(auths);
const tut_threagile_words tut_threagile_protocols = WORDS(protocols);
const tut_threagile_words tut_threagile_sensitivities = WORDS(sensitivities);

const char *tut_threagile_word_of(const tut_threagile_words *words, tut_str word)
{
    for (size_t i = 0; i < words->count; i++)
        if (tut_str_eq_z(word, words->items[i].theirs))
            return words->items[i].ours;
    return NULL;
}

static bool is_name(tut_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return id.len > 0 && id.len <= 100;
}

void tut_threagile_slug(tut_str title, tut_buf *out)
{
    size_t from = out->len;
    bool is_apart = false;
    for (size_t i = 0; i < title.len; i++) {
        char c = title.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            if (is_apart && out->len > from)
                tut_buf_add_byte(out, '-');
            tut_buf_add_byte(out, (uint8_t)c);
            is_apart = false;
        } else {
            is_apart = true;
        }
    }
}

tut_status tut_threagile_id(tut_threagile_reading *g, const tut_yaml_node *map, tut_str *ret)
{
    TUT_TRY(tut_threagile_text(g, map, "id", ret));
    if (!is_name(*ret))
        return tut_schema_fail_node(&g->s, map,
                                    "an id of letters, digits and \"-\" (at most 100) is needed");
    return TUT_SUCCESS;
}

/* --- pieces of YAML --- */

void tut_threagile_add_field(tut_buf *out, const char *key, tut_str text)
{
    if (text.len == 0)
        return;
    tut_buf_printf(out, "    %s: ", key);
    tut_yaml_quote(out, text);
    tut_buf_add_z(out, "\n");
}

/* Ids of a list, each of which has to be known; as "[a, b]". Nothing where there are none. */
tut_status tut_threagile_add_refs(tut_threagile_reading *g, const tut_yaml_node *map,
                                  const char *list_key, const tut_map *known, const char *key,
                                  const char *prefix, tut_buf *out)
{
    const tut_yaml_node *list;
    size_t count = 0;
    TUT_TRY(tut_threagile_list(g, map, list_key, &list));
    for (const tut_yaml_node *n = list ? tut_yaml_first(g->y, list) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *at = tut_threagile_follow(g, n);
        if (!at || at->type != TUT_YAML_SCALAR || tut_map_get(known, at->text) == SIZE_MAX)
            return tut_schema_fail_node(&g->s, n, "%s names nothing that the model has", list_key);
        if (count++ == 0)
            tut_buf_printf(out, "    %s: [", key);
        else
            tut_buf_add_z(out, ", ");
        tut_buf_printf(out, "%s%.*s", prefix, (int)at->text.len, at->text.data);
    }
    if (count)
        tut_buf_add_z(out, "]\n");
    return TUT_SUCCESS;
}

/* A word of theirs as ours; one that Threagile does not have is an error with its place. */
tut_status tut_threagile_translate(tut_threagile_reading *g, const tut_yaml_node *map,
                                   const char *key, const tut_threagile_words *words,
                                   const char **ret)
{
    tut_str word;
    *ret = NULL;
    TUT_TRY(tut_threagile_text(g, map, key, &word));
    if (word.len == 0)
        return TUT_SUCCESS;
    *ret = tut_threagile_word_of(words, word);
    if (!*ret)
        return tut_schema_fail_node(&g->s, tut_threagile_get(g, map, key),
                                    "\"%.*s\" is no %s of Threagile",
                                    (int)(word.len < 60 ? word.len : 60), word.data, key);
    return TUT_SUCCESS;
}
