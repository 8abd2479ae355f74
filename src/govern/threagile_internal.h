/* What the files that read a Threagile model share. */
#ifndef TUT_GOVERN_THREAGILE_INTERNAL_H
#define TUT_GOVERN_THREAGILE_INTERNAL_H

#include "assets/schema.h"
#include "base/arena.h"
#include "base/map.h"
#include "govern/threagile.h"

typedef enum tut_threagile_level {
    TUT_THREAGILE_MODEL,
    TUT_THREAGILE_DATA,
    TUT_THREAGILE_TECHNICAL,
    TUT_THREAGILE_LINK,
    TUT_THREAGILE_BOUNDARY,
    TUT_THREAGILE_RUNTIME,
    TUT_THREAGILE_TRACKING,
    TUT_THREAGILE_LEVELS
} tut_threagile_level;

typedef struct tut_threagile_reading {
    tut_schema s;
    const tut_yaml *y;
    tut_threagile *t;
    tut_arena *arena; /* of the model: notes and names */
    const tut_yaml_node **anchored;
    size_t anchored_count, anchored_capacity;
    tut_map anchors; /* name to place in `anchored` */
    tut_map data, components, boundaries;
    tut_map links;      /* "asset>link", as Threagile calls it, to the place of our name */
    tut_map flows;      /* our names */
    const char **names; /* by place */
    size_t name_count, name_capacity;
    tut_map places;     /* component id to the boundary that lists it first */
    size_t frame_count; /* boundaries read so far */
    size_t note_capacity, steps;
    bool has_internet; /* components that the internet reaches, in no boundary of the model */
    tut_buf internet;
} tut_threagile_reading;

/* --- YAML with anchors, aliases and merge keys --- */

/* Finds the anchors; MALFORMED for an alias of none, an anchor twice, a tag, a key twice. */
TUT_MUST tut_status tut_threagile_anchors(tut_threagile_reading *g);
/* What an alias stands for; else the node itself. */
const tut_yaml_node *tut_threagile_follow(const tut_threagile_reading *g, const tut_yaml_node *n);
/* A member, of the mapping or of what it merges; NULL: it says nothing there. */
const tut_yaml_node *tut_threagile_get(tut_threagile_reading *g, const tut_yaml_node *map,
                                       const char *key);
/* Text of a member without white space at its ends; empty where it is absent. */
TUT_MUST tut_status tut_threagile_text(tut_threagile_reading *g, const tut_yaml_node *map,
                                       const char *key, tut_str *ret);
TUT_MUST tut_status tut_threagile_flag(tut_threagile_reading *g, const tut_yaml_node *map,
                                       const char *key, bool *ret);
/* A member that is a list or a mapping; NULL: absent. */
TUT_MUST tut_status tut_threagile_list(tut_threagile_reading *g, const tut_yaml_node *map,
                                       const char *key, const tut_yaml_node **ret);
TUT_MUST tut_status tut_threagile_section(tut_threagile_reading *g, const tut_yaml_node *map,
                                          const char *key, const tut_yaml_node **ret);
/* LIMIT when merging took more steps than any model needs. */
TUT_MUST tut_status tut_threagile_check_steps(const tut_threagile_reading *g);

/* --- what is not carried over --- */
TUT_MUST tut_status tut_threagile_note_that(tut_threagile_reading *g, tut_threagile_level level,
                                            tut_str field, const char *why, tut_str who);
/* Looks at the fields of an element: those that are set and have no counterpart are noted. */
TUT_MUST tut_status tut_threagile_fields(tut_threagile_reading *g, tut_threagile_level level,
                                         const tut_yaml_node *map, tut_str who);

/* --- words and pieces --- */

typedef struct tut_threagile_word {
    const char *theirs, *ours;
} tut_threagile_word;
typedef struct tut_threagile_words {
    const tut_threagile_word *items;
    size_t count;
} tut_threagile_words;
extern const tut_threagile_words tut_threagile_kinds, tut_threagile_auths, tut_threagile_protocols,
    tut_threagile_sensitivities;
const char *tut_threagile_word_of(const tut_threagile_words *words, tut_str word); /* or NULL */
/* A member's word in ours, NULL where it is absent; one that Threagile does not have is an error.
 */
TUT_MUST tut_status tut_threagile_translate(tut_threagile_reading *g, const tut_yaml_node *map,
                                            const char *key, const tut_threagile_words *words,
                                            const char **ret);
TUT_MUST tut_status tut_threagile_id(tut_threagile_reading *g, const tut_yaml_node *map,
                                     tut_str *ret);
/* "    key: text"; nothing where the text is empty. */
void tut_threagile_add_field(tut_buf *out, const char *key, tut_str text);
/* Ids of a list, each of which has to be known, as "    key: [a, b]"; nothing without any. */
TUT_MUST tut_status tut_threagile_add_refs(tut_threagile_reading *g, const tut_yaml_node *map,
                                           const char *list_key, const tut_map *known,
                                           const char *key, const char *prefix, tut_buf *out);

/* A technical asset; entry: the child of the section, whose key is the title. */
TUT_MUST tut_status tut_threagile_component(tut_threagile_reading *g, const tut_yaml_node *entry,
                                            const tut_yaml_node *map);
/* Risk tracking, after the rest. */
TUT_MUST tut_status tut_threagile_tracking(tut_threagile_reading *g, const tut_yaml_node *root);

/* "Customer Traffic" to "customer-traffic", as Threagile names a link. */
void tut_threagile_slug(tut_str title, tut_buf *out);

#endif
