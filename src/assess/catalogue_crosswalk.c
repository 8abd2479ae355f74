/*
 * The frameworks that provisions are compared with, and the maps:
 *
 *   map = "A.5.9" | {"id": "A.5.9", "as": "subset-of", "confidence": "medium"}
 *
 * Without "as" the two only overlap; without "confidence" it is that of the framework.
 */
#include "assess/catalogue_internal.h"

static const char *const relationship_names[] = {
    [TUT_INTERSECTS_WITH] = "intersects-with",
    [TUT_SUBSET_OF] = "subset-of",
    [TUT_SUPERSET_OF] = "superset-of",
    [TUT_EQUIVALENT_TO] = "equivalent-to",
};
static const char *const confidences[] = {"low", "medium", "high"};
static const char *const rationales[] = {"syntactic", "semantic", "functional"};

const char *tut_relationship_name(tut_relationship r)
{
    return relationship_names[r];
}

static bool is_one_of(tut_str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(word, words[i]))
            return true;
    return false;
}

static bool is_confidence(tut_str word)
{
    return is_one_of(word, confidences, sizeof(confidences) / sizeof(confidences[0]));
}

static tut_status read_targets(tut_arena *arena, const tut_json_value *list, tut_framework *f,
                               tut_error *err)
{
    uint32_t count = tut_json_count(list);
    tut_target *targets = tut_arena_take(arena, count ? count : 1, sizeof(*targets));
    if (!targets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        targets[i].id = tut_json_get_text(tut_json_item(list, i), "id");
        targets[i].title = tut_json_get_text(tut_json_item(list, i), "title");
        if (targets[i].id.len == 0 || targets[i].title.len == 0)
            return tut_catalogue_damaged(err, f->key, "an incomplete target");
    }
    f->targets = targets;
    f->target_count = count;
    return TUT_SUCCESS;
}

static tut_status read_framework(tut_arena *arena, const tut_json_value *v, tut_framework *f,
                                 tut_error *err)
{
    f->key = tut_json_get_text(v, "key");
    f->label = tut_json_get_text(v, "label");
    f->title = tut_json_get_text(v, "title");
    f->version = tut_json_get_text(v, "version");
    f->publisher = tut_json_get_text(v, "publisher");
    f->href = tut_json_get_text(v, "href");
    f->repeated = tut_json_get_text(v, "repeated");
    f->rationale = tut_json_get_text(v, "rationale");
    f->confidence = tut_json_get_text(v, "confidence");
    f->basis = tut_json_get_text(v, "basis");
    f->is_forthcoming = tut_json_get_bool(v, "forthcoming", false);
    if (f->key.len == 0 || f->label.len == 0 || f->title.len == 0 || f->version.len == 0 ||
        f->publisher.len == 0 || f->href.len == 0 || f->basis.len == 0)
        return tut_catalogue_damaged(err, f->key, "a blank field");
    if (!is_confidence(f->confidence) ||
        !is_one_of(f->rationale, rationales, sizeof(rationales) / sizeof(rationales[0])))
        return tut_catalogue_damaged(err, f->key, "an unknown word");
    TUT_TRY(read_targets(arena, tut_json_get(v, "targets"), f, err));
    if (f->is_forthcoming != (f->target_count == 0))
        return tut_catalogue_damaged(err, f->key, "the targets");
    return TUT_SUCCESS;
}

tut_status tut_frameworks_read(tut_arena *arena, const tut_json_value *list,
                               tut_framework frameworks[TUT_FRAMEWORK_COUNT], tut_error *err)
{
    if (tut_json_count(list) != TUT_FRAMEWORK_COUNT)
        return tut_catalogue_damaged(err, TUT_LIT("frameworks"), "the number");
    for (uint32_t i = 0; i < TUT_FRAMEWORK_COUNT; i++)
        TUT_TRY(read_framework(arena, tut_json_item(list, i), &frameworks[i], err));
    return TUT_SUCCESS;
}

static const tut_target *find_target(const tut_framework *f, tut_str id)
{
    for (size_t i = 0; i < f->target_count; i++)
        if (tut_str_eq(f->targets[i].id, id))
            return &f->targets[i];
    return NULL;
}

static bool parse_relationship(tut_str word, tut_relationship *ret)
{
    if (word.len == 0) {
        *ret = TUT_INTERSECTS_WITH;
        return true;
    }
    for (size_t i = 0; i < sizeof(relationship_names) / sizeof(relationship_names[0]); i++) {
        if (tut_str_eq_z(word, relationship_names[i])) {
            *ret = (tut_relationship)i;
            return true;
        }
    }
    return false;
}

static tut_status read_map(const tut_framework *f, const tut_json_value *v, tut_str clause,
                           tut_mapping *m, tut_error *err)
{
    bool is_plain = v->type == TUT_JSON_STRING;
    tut_str confidence = is_plain ? (tut_str){NULL, 0} : tut_json_get_text(v, "confidence");
    m->target = find_target(f, is_plain ? tut_json_text(v) : tut_json_get_text(v, "id"));
    m->confidence = confidence.len ? confidence : f->confidence;
    if (!m->target)
        return tut_catalogue_damaged(err, clause, "a map to what the framework does not name");
    if (!is_confidence(m->confidence) ||
        !parse_relationship(is_plain ? (tut_str){NULL, 0} : tut_json_get_text(v, "as"),
                            &m->relationship))
        return tut_catalogue_damaged(err, clause, "an unknown word in a map");
    return TUT_SUCCESS;
}

/* "Art. 12; Art. 15(5)" */
static tut_status joined(tut_arena *arena, const tut_mapping *maps, size_t count, tut_str *ret_text,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        tut_buf_add_z(&text, i ? "; " : "");
        tut_buf_add_str(&text, maps[i].target->id);
    }
    TUT_TRY(tut_buf_check(&text, err));
    char *copy = tut_arena_copy(arena, tut_buf_str(&text));
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_text = tut_str_of(copy);
    return TUT_SUCCESS;
}

static tut_status read_maps(tut_arena *arena, const tut_framework *f, const tut_json_value *list,
                            tut_str clause, tut_crosswalk *ret, tut_error *err)
{
    uint32_t count = tut_json_count(list);
    tut_mapping *maps = tut_arena_take(arena, count ? count : 1, sizeof(*maps));
    if (!maps)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(read_map(f, tut_json_item(list, i), clause, &maps[i], err));
        for (uint32_t k = 0; k < i; k++)
            if (maps[k].target == maps[i].target)
                return tut_catalogue_damaged(err, clause, "a second map to one target");
    }
    ret->maps = maps;
    ret->count = count;
    return joined(arena, maps, count, &ret->text, err);
}

tut_status tut_crosswalk_read(tut_arena *arena, const tut_json_value *object,
                              const tut_framework frameworks[TUT_FRAMEWORK_COUNT],
                              tut_clause *clause, tut_error *err)
{
    size_t found = 0;
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++) {
        char key[32];
        tut_str_copy(key, sizeof(key), frameworks[i].key);
        const tut_json_value *list = tut_json_get(object, key);
        found += list != NULL;
        if (!list && !frameworks[i].is_forthcoming)
            return tut_catalogue_damaged(err, clause->id, "a missing list of maps");
        TUT_TRY(read_maps(arena, &frameworks[i], list, clause->id, &clause->crosswalk[i], err));
    }
    if (found != tut_json_count(object))
        return tut_catalogue_damaged(err, clause->id, "a map to an unknown framework");
    return TUT_SUCCESS;
}
