/*
 * YAML mappings into structs by tables of fields: one reader for the whole description, so that an
 * unknown key, a wrong type and a slip of the hand are told alike, with place and suggestion.
 */
#ifndef TUT_ASSETS_SCHEMA_H
#define TUT_ASSETS_SCHEMA_H

#include "assets/system.h"

typedef enum tut_field_type {
    TUT_FIELD_TEXT,   /* tut_str */
    TUT_FIELD_WORD,   /* tut_str, one of `words` */
    TUT_FIELD_TEXTS,  /* tut_str_list: a sequence of scalars, or one scalar */
    TUT_FIELD_FLAG,   /* bool: true or false */
    TUT_FIELD_COUNT,  /* uint32_t */
    TUT_FIELD_REAL,   /* double, finite; one that is absent stays as it was */
    TUT_FIELD_DIGEST, /* tut_sha256: "sha256:HEX"; the bool before it is set (see has_digest) */
    TUT_FIELD_TIME,   /* tut_time; likewise */
    TUT_FIELD_OTHER   /* read by the caller; only allowed here */
} tut_field_type;

typedef struct tut_field {
    const char *key;
    tut_field_type type;
    size_t offset;     /* of the member */
    size_t has_offset; /* of the bool beside a digest or a time */
    bool is_required;  /* absent or TODO is told in `todo`, not an error: a person finishes it */
    const char *words; /* "public internal": of a WORD */
} tut_field;

#define TUT_FIELD(type, struct_type, member, ...)                                                  \
    {                                                                                              \
#member, TUT_FIELD_##type, offsetof(struct_type, member), 0, __VA_ARGS__                   \
    }
#define TUT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

typedef struct tut_schema {
    const char *file; /* for messages */
    tut_system *system;
    tut_buf *shown; /* rendered place of an error; may be NULL */
    tut_error *err;
    size_t todo_capacity;
} tut_schema;

/* An error at a node: "FILE:LINE:COL: message" as the error, the excerpt into `shown`. */
TUT_MUST tut_status tut_schema_fail(tut_schema *s, uint32_t line, uint32_t column, uint32_t width,
                                    const char *fmt, ...) TUT_PRINTF(5, 6);
TUT_MUST tut_status tut_schema_fail_node(tut_schema *s, const tut_yaml_node *node, const char *fmt,
                                         ...) TUT_PRINTF(3, 4);
/* Reads `node` (a mapping) into `object`. `what` names it in messages ("asset dataset/kb"), `where`
 * is the dotted path of TODO values. */
TUT_MUST tut_status tut_schema_read(tut_schema *s, const tut_yaml_node *node,
                                    const tut_field *fields, size_t count, void *object,
                                    const char *what, const char *where);
TUT_MUST tut_status tut_schema_mapping(tut_schema *s, const tut_yaml_node *node, const char *what);
TUT_MUST tut_status tut_schema_sequence(tut_schema *s, const tut_yaml_node *node, const char *what);
TUT_MUST tut_status tut_schema_texts(tut_schema *s, const tut_yaml_node *node, const char *what,
                                     const char *where, tut_str_list *ret_list);
/* A path as people write one for a file of the system: relative, and no "..". */
bool tut_system_path_is_below(tut_str path);
/* A number as people write it, all of the text, finite. */
bool tut_schema_number(tut_str text, double *ret);
/* What YAML itself refused, as an error of the schema: err's text "LINE:COLUMN: message" becomes its
 * message, with FILE:LINE:COLUMN as its path, and the excerpt goes into `shown` (may be NULL). */
void tut_schema_tell_yaml(const char *file, tut_str text, tut_error *err, tut_buf *shown);
/* A plain (unquoted) TODO, ~, null or nothing. */
bool tut_schema_is_absent(const tut_yaml_node *node);
TUT_MUST tut_status tut_schema_todo(tut_schema *s, const char *where, const char *key);
/* The words of "a b c" nearest to text, or NULL; `buf` holds the answer. */
const char *tut_schema_nearest_word(const char *words, tut_str text, char *buf, size_t cap);

#endif
