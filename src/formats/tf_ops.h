/* TensorFlow's operators: which exist, and what those do that reach beyond the graph. */
#ifndef TUT_FORMATS_TF_OPS_H
#define TUT_FORMATS_TF_OPS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tut_tf_does {
    TUT_TF_COMPUTES,
    TUT_TF_PYTHON, /* calls Python */
    TUT_TF_READS,  /* a file by name */
    TUT_TF_WRITES,
    TUT_TF_NETWORK,
    TUT_TF_LOGS,  /* writes event files */
    TUT_TF_SAVES, /* writes as the saver's own nodes do: counts elsewhere */
    TUT_TF_RESTORES,
    TUT_TF_FILLS_TABLE, /* from a text file, usually an asset */
    TUT_TF_EXPORTS,     /* a table */
    TUT_TF_CACHES,      /* in memory, or in a file when it has a name */
    TUT_TF_READS_ATTR,  /* a file that an attribute names */
    TUT_TF_WRITES_ATTR,
    TUT_TF_DEBUGS,     /* to the URLs of an attribute */
    TUT_TF_NATIVE,     /* calls native code by name */
    TUT_TF_CALLS,      /* a function of the library */
    TUT_TF_PASSES_TEXT /* hands on text that may become a file's name */
} tut_tf_does;

typedef struct tut_tf_op {
    const char *name;
    uint8_t does;
    uint8_t inputs;        /* bits: inputs that are names of files */
    const char *attribute; /* that matters */
} tut_tf_op;

/* NULL: computes, as far as is known. */
const tut_tf_op *tut_tf_op_find(const char *name);
bool tut_tf_op_exists(const char *name, bool *ret_is_extension);
/* An operator that is none of TensorFlow's, with a name that speaks of running code. */
bool tut_tf_op_sounds_bad(const char *name);

#endif
