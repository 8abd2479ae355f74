/*
 * A walk over a JSON document that needs no recursion: each value with the way to it. It can write
 * the document again meanwhile, with other strings in the place of some.
 */
#ifndef TUT_GUARD_WALK_H
#define TUT_GUARD_WALK_H

#include "base/json.h"
#include "base/json_write.h"

enum { TUT_GUARD_WALK_DEPTH = 64 };

typedef struct tut_guard_step { /* a container on the way, and which of its items is next */
    const tut_json_value *container;
    uint32_t at; /* index of the item that the way goes through */
} tut_guard_step;

typedef struct tut_guard_way {
    tut_guard_step steps[TUT_GUARD_WALK_DEPTH];
    size_t depth;
    const tut_json_value *value; /* where it leads */
    bool is_key;                 /* the text is the key of the value, not the value */
} tut_guard_way;

/* What a visitor makes of a string or a container: keep it; `*ret_text` in its place, as a string
 * or as the JSON that it is; or null. */
typedef enum tut_guard_fate {
    TUT_GUARD_KEEP,
    TUT_GUARD_REPLACE,
    TUT_GUARD_RAW,
    TUT_GUARD_NULL
} tut_guard_fate;
typedef tut_status (*tut_guard_visit)(void *ctx, const tut_guard_way *way, tut_str text,
                                      tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err);

/* Visits every key and every string, and with an empty text every container before its content;
 * NULL for a container or key leaves it out of what is written. j may be NULL. */
TUT_MUST tut_status tut_guard_walk(const tut_json_value *root, tut_guard_visit visit, void *ctx,
                                   tut_json *j, tut_error *err);
/* Calls at_end before the root, an object, is closed in what is written. */
typedef void (*tut_guard_at_end)(void *ctx, tut_json *j);
TUT_MUST tut_status tut_guard_walk_on(const tut_json_value *root, tut_guard_visit visit,
                                      tut_guard_at_end at_end, void *ctx, tut_json *j,
                                      tut_error *err);
/* Visits numbers too, with an empty text. */
TUT_MUST tut_status tut_guard_walk_numbers(const tut_json_value *root, tut_guard_visit visit,
                                           void *ctx, tut_json *j, tut_error *err);
/* The same document again. */
TUT_MUST tut_status tut_guard_copy(const tut_json_value *root, tut_json *j, tut_error *err);
/* "messages[2].content", cut to what fits. */
void tut_guard_way_text(const tut_guard_way *way, char *to, size_t cap);
/* The key at that depth of the way, "" for an item of an array or beyond it. */
static inline tut_str tut_guard_way_key(const tut_guard_way *way, size_t depth)
{
    if (depth >= way->depth || way->steps[depth].container->type != TUT_JSON_OBJECT)
        return (tut_str){"", 0};
    const tut_guard_step *s = &way->steps[depth];
    return s->container->as.items[s->at].key;
}
static inline bool tut_guard_way_is(const tut_guard_way *way, size_t depth, const char *key)
{
    tut_str at = tut_guard_way_key(way, depth);
    size_t len = strlen(key);
    return at.len == len && memcmp(at.data, key, len) == 0;
}
/* The container or value that the way leads through at that depth; NULL beyond its end. */
const tut_json_value *tut_guard_way_at(const tut_guard_way *way, size_t depth);

#endif
