/* What the files of the reader of Python source share: python_code.c (lines, imports, scopes) and
 * python_calls.c (expressions). */
#ifndef TUT_FORMATS_PYTHON_INTERNAL_H
#define TUT_FORMATS_PYTHON_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "formats/python_code.h"
#include "formats/python_lex.h"

enum {
    TUT_PYTHON_SCOPES = 100,
    TUT_PYTHON_STARS = 16,
    TUT_PYTHON_NAME_MAX = 200,
    TUT_PYTHON_ARGUMENT_MAX = 1024,
    TUT_PYTHON_LOOKED_MAX = 4096 /* tokens of one call's arguments */
};

typedef struct tut_python_alias {
    tut_str name;
    tut_str dotted; /* what it stands for; empty: a value */
    bool is_hidden; /* a value that was decoded or fetched */
} tut_python_alias;

typedef struct tut_python_scope {
    uint16_t indent;
    bool is_deferred; /* a function's body, or what runs as a program only */
} tut_python_scope;

/* What a file does in all: parts of an attack that mean nothing alone. */
typedef struct tut_python_traits {
    bool connects, sends, reads_credentials, starts_shell, spawns_terminal;
    unsigned duplicates; /* of descriptors onto others */
    uint64_t connects_at, credentials_at;
} tut_python_traits;

typedef struct tut_python {
    tut_exam *x;
    tut_python_tokens t;
    tut_arena arena;
    tut_map map; /* name -> index of aliases */
    tut_python_alias *aliases;
    size_t alias_count, alias_capacity;
    tut_str stars[TUT_PYTHON_STARS]; /* modules of "from m import *" */
    size_t star_count;
    tut_python_scope scopes[TUT_PYTHON_SCOPES];
    size_t scope_count;
    size_t head_end;       /* token that ends the parameters of the function at hand, or 0 */
    bool is_head_deferred; /* and whether what stands in them runs later */
    bool is_notebook;
    tut_python_traits traits;
    tut_error *err;
} tut_python;

/* --- python_code.c --- */
const tut_python_alias *tut_python_find(const tut_python *p, tut_str name);
TUT_MUST tut_status tut_python_name(tut_python *p, tut_str name, tut_str dotted, bool is_hidden);
bool tut_python_is_deferred(const tut_python *p);

/* --- python_calls.c --- */
/* Reports the calls of the expression whose first name is token i; i itself only. */
TUT_MUST tut_status tut_python_call_at(tut_python *p, size_t i);
/* The dotted name that tokens from i on spell, aliases followed; *ret_end is behind it. Empty when
 * it is of nothing imported. */
TUT_MUST tut_status tut_python_dotted(tut_python *p, size_t i, tut_buf *out, size_t *ret_end);
/* Is something decoded, unpacked or fetched between these tokens? */
bool tut_python_is_hidden(const tut_python *p, size_t from, size_t to);
/* "@os.system": a call of the name that stands from token i on, unless it is one already. */
TUT_MUST tut_status tut_python_decorator(tut_python *p, size_t i, size_t end);
/* Code in the braces of a formatted string. */
TUT_MUST tut_status tut_python_format_string(tut_python *p, size_t i);

#endif
