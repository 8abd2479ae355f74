/*
 * What a configuration says, whatever it is written in. JSON, YAML and lines of "key = value" are
 * read as a stream of the same few events; conf.c keeps the place (a stack of containers) and hands
 * each value to the parts that look for something in it.
 */
#ifndef TUT_FORMATS_CONF_H
#define TUT_FORMATS_CONF_H

#include "base/buf.h"
#include "formats/package.h"

enum {
    TUT_CONF_DEPTH = 128, /* containers in containers; as the JSON reader */
    TUT_CONF_KEY = 512,   /* bytes kept of a key: npm writes paths */
    TUT_CONF_SET = 400,   /* distinct names kept; the facts of one file have room for some more */
    TUT_CONF_TOOLS = 256
};

typedef enum tut_conf_role {
    TUT_CONF_PLAIN,
    TUT_CONF_INDEX,      /* weight_map: tensor -> shard */
    TUT_CONF_VOCABULARY, /* tokenizers: words that look like anything */
    TUT_CONF_CARD,       /* the front matter of a model card */
    TUT_CONF_NOTEBOOK,
    TUT_CONF_PIPFILE,
    TUT_CONF_NPM,
    TUT_CONF_PNPM,
    TUT_CONF_CONDA
} tut_conf_role;

/* A container on the way to the value at hand. */
typedef struct tut_conf_level {
    size_t items; /* values seen in it */
    bool is_map;
    bool is_tool_list;
    bool is_named; /* an item of a tool list whose name was seen */
    size_t key_len;
    char key[TUT_CONF_KEY]; /* in the container around it; cut */
} tut_conf_level;

/* Distinct texts, in the order of their first occurrence. */
typedef struct tut_conf_set {
    tut_buf texts; /* each with its length before it */
    uint64_t hashes[TUT_CONF_SET];
    size_t count;
} tut_conf_set;

typedef struct tut_conf_card { /* the result of a model index that is being read */
    char dataset[128], metric[64], value[64];
    size_t languages, tags, tasks, metrics;
} tut_conf_card;

typedef struct tut_conf {
    tut_exam *x;
    tut_error *err;
    tut_conf_role role;
    size_t depth;
    tut_conf_level levels[TUT_CONF_DEPTH];
    uint64_t offset; /* of the value at hand, or TUT_NO_OFFSET */
    tut_conf_set files, shards, targets;
    uint64_t bad_shards;
    uint64_t tools, operations, servers, packages, cells;
    tut_buf operation_names; /* sized texts: only an OpenAPI document makes tools of them */
    char operation[2 * TUT_CONF_KEY];
    char language[32];  /* of a notebook */
    tut_buf code;       /* of its cells, joined */
    tut_buf cell_marks; /* where each of them begins in it */
    size_t cell_start;
    bool is_code_cell, is_code_cut;
    bool lists_tools; /* a list that is the whole document is one of tools */
    bool is_openapi, has_packages, has_remote_code, has_template, has_architecture, has_licence;
    bool has_tag, has_target, has_local_class, has_lambda;
    tut_conf_set words; /* "key=dotted.name", for targets that are put together from others */
    tut_package_draft package; /* the one at hand, of a lock file */
    size_t package_depth;      /* of its container, open */
    char model_type[64];
    tut_conf_card card;
} tut_conf;

/* NULL: memory ran out. */
tut_conf *tut_conf_new(tut_exam *x, tut_conf_role role, tut_error *err);
void tut_conf_free(tut_conf *c);
TUT_DEFINE_AUTO(tut_conf)

/* The events. `key` is empty in a list. LIMIT when too deep. */
TUT_MUST tut_status tut_conf_open(tut_conf *c, tut_str key, bool is_map);
void tut_conf_close(tut_conf *c);
/* is_text: not null, a truth value or a number. */
TUT_MUST tut_status tut_conf_scalar(tut_conf *c, tut_str key, tut_str text, bool is_text);
/* A tag with its prefix resolved: "tag:yaml.org,2002:python/name:os.system". */
void tut_conf_tag(tut_conf *c, tut_str tag);
void tut_conf_finish(tut_conf *c);

/* The readers. All failures of the text itself end in OK: what was seen is reported, and a search
 * of the bytes makes up for what was not. */
TUT_MUST tut_status tut_conf_read_json(tut_conf *c);
TUT_MUST tut_status tut_conf_read_yaml(tut_conf *c);
TUT_MUST tut_status tut_conf_read_lines(tut_conf *c);
TUT_MUST tut_status tut_conf_search(tut_conf *c); /* the bytes from the beginning */

/* For the parts of conf. */
tut_str tut_conf_key_at(const tut_conf *c, size_t level); /* of an open container */
/* False: it is known. Where there is no room it is new, and stays so. */
bool tut_conf_set_add(tut_conf_set *set, tut_str text);
bool tut_conf_set_next(const tut_conf_set *set, size_t *at, tut_str *ret_text);
/* True when the value names code. */
bool tut_conf_note_code(tut_conf *c, tut_str key, tut_str text, bool is_text);
void tut_conf_note_file(tut_conf *c, tut_str text);
void tut_conf_note_reference(tut_conf *c, tut_str key, tut_str text);
void tut_conf_note_shard(tut_conf *c, tut_str text);
void tut_conf_note_card(tut_conf *c, tut_str key, tut_str text);
void tut_conf_close_card(tut_conf *c);
void tut_conf_open_cell(tut_conf *c);
void tut_conf_close_cell(tut_conf *c);
void tut_conf_note_cell(tut_conf *c, tut_str key, tut_str text);
/* conf_class.c */
void tut_conf_note_class(tut_conf *c, tut_str key, tut_str text);
TUT_MUST tut_status tut_conf_note_keras(tut_conf *c, tut_str key, tut_str text);
/* Targets with "${name}" in them: what they come to. */
void tut_conf_note_word(tut_conf *c, tut_str key, tut_str text);
bool tut_conf_is_joined(tut_str target);
void tut_conf_refer_target(tut_conf *c, tut_str name, tut_str shown);
void tut_conf_finish_targets(tut_conf *c);
/* Behind tut_conf_finish. */
TUT_MUST tut_status tut_conf_finish_notebook(tut_conf *c);
void tut_conf_open_tools(tut_conf *c, tut_str key);
void tut_conf_note_tools(tut_conf *c, tut_str key, tut_str text);
void tut_conf_finish_tools(tut_conf *c);
/* Packages of a lock file: a value is about to be seen (the container around it is open, it itself
 * is not; a container has no text), a container ends, or all is over. */
void tut_conf_note_package(tut_conf *c, tut_str key, tut_str text, bool is_container);
void tut_conf_close_package(tut_conf *c);
void tut_conf_finish_packages(tut_conf *c);

#endif
