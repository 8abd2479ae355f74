/*
 * YAML as our own files use it (libyaml's events, our tree): mappings, sequences, scalars, each
 * with its place. Aliases, anchors, tags, merge keys, several documents, duplicate keys, and
 * non-scalar keys are errors. For files that are only looked at (a scanned configuration) the
 * lenient mode counts aliases and tags as facts instead.
 */
#ifndef TUT_BASE_YAML_H
#define TUT_BASE_YAML_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

typedef enum tut_yaml_type { TUT_YAML_SCALAR, TUT_YAML_SEQUENCE, TUT_YAML_MAPPING } tut_yaml_type;

typedef struct tut_yaml_node {
    tut_yaml_type type;
    bool is_quoted;  /* scalar: quoted or block, so never null, bool or number */
    uint32_t line;   /* 1-based */
    uint32_t column; /* 1-based, in bytes */
    uint32_t start;  /* byte offsets in the text: [start, end) */
    uint32_t end;
    tut_str text; /* scalar */
    tut_str key;  /* when a mapping's child */
    uint32_t key_line, key_column;
    uint32_t count; /* children */
    uint32_t first; /* index of the first child, 0: none; use the accessors */
    uint32_t next;
} tut_yaml_node;

typedef struct tut_yaml tut_yaml;

typedef struct tut_yaml_facts {
    uint32_t aliases, tags, documents, duplicate_keys;
    char first_tag[64];
} tut_yaml_facts;

/* text is copied. Errors: err->text is one line "LINE:COLUMN: message"; err->offset the byte. */
TUT_MUST tut_status tut_yaml_parse(tut_str text, bool is_lenient, tut_yaml **ret_yaml,
                                   tut_error *err);
/* The same through the cage: the text is parsed by a worker, the tree travels as bytes. A process
 * that is in a jail itself parses it. */
TUT_MUST tut_status tut_yaml_parse_caged(tut_str text, tut_yaml **ret_yaml, tut_error *err);
TUT_MUST tut_status tut_yaml_parse_caged_lenient(tut_str text, tut_yaml **ret_yaml, tut_error *err);
void tut_yaml_free(tut_yaml *y);
TUT_DEFINE_AUTO(tut_yaml)

tut_str tut_yaml_source(const tut_yaml *y);
const tut_yaml_facts *tut_yaml_get_facts(const tut_yaml *y);
const tut_yaml_node *tut_yaml_root(const tut_yaml *y); /* NULL for an empty document */
const tut_yaml_node *tut_yaml_get(const tut_yaml *y, const tut_yaml_node *map, const char *key);
const tut_yaml_node *tut_yaml_first(const tut_yaml *y, const tut_yaml_node *parent);
const tut_yaml_node *tut_yaml_next(const tut_yaml *y, const tut_yaml_node *child);

/* Writes a scalar so that it reads back as the same string (plain where safe, else quoted). */
void tut_yaml_quote(tut_buf *out, tut_str scalar);
/* "FILE:LINE:COL: message", then the line with its neighbours and a caret run under `width` bytes.
 * What follows "; did you mean" in the message goes behind the carets. */
void tut_yaml_show(const char *file, tut_str text, uint32_t line, uint32_t column, uint32_t width,
                   const char *message, tut_buf *out);

#endif
