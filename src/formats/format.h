/*
 * Untrusted formats: bytes -> facts and observations. No policy here: a parser says what it saw
 * ("this name is called on load", "two members share a name"), src/scan decides what that means.
 *
 * A format is one row in the table of format.c plus one file: sniff() recognises it by content,
 * examine() reads it as its loaders would and reports through the tut_exam it is given.
 */
#ifndef TUT_FORMATS_FORMAT_H
#define TUT_FORMATS_FORMAT_H

#include "base/budget.h"
#include "base/limits.h"
#include "base/source.h"
#include "base/status.h"

typedef enum tut_asset_kind {
    TUT_KIND_NONE, /* nothing that Tutela describes */
    TUT_KIND_MODEL,
    TUT_KIND_DATASET,
    TUT_KIND_PROMPT,
    TUT_KIND_CONFIG,
    TUT_KIND_CODE,
    TUT_KIND_SERVICE,
    TUT_KIND_DOCUMENT /* model cards and the like: described, not deployed */
} tut_asset_kind;

const char *tut_asset_kind_name(tut_asset_kind kind); /* "model" */
bool tut_asset_kind_parse(const char *name, tut_asset_kind *ret_kind);

typedef struct tut_exam tut_exam;

/* What sniff() sees. `head` is the first bytes (at most 4,096), `tail` the last (at most 512; empty
 * when the bytes come out of a decoder). The name is a hint: content decides, a name only parts
 * text formats whose content cannot (a prompt from a document). */
typedef struct tut_sniff {
    tut_span head;
    tut_span tail;
    uint64_t size; /* UINT64_MAX: not known */
    tut_str name;  /* last path component */
    tut_str path;  /* as given */
} tut_sniff;

typedef enum tut_match {
    TUT_MATCH_NONE,
    TUT_MATCH_WEAK, /* plausible, nothing speaks against it (text by name; pickle without PROTO) */
    TUT_MATCH_STRONG, /* structure fits */
    TUT_MATCH_SURE    /* magic and structure */
} tut_match;

/* What numbers a format lists through tut_exam_ops.tensor. */
typedef enum tut_tensor_use {
    TUT_TENSORS_NONE,
    TUT_TENSORS_ANY, /* arrays, which may be data of any kind */
    TUT_TENSORS_PARAMETERS
} tut_tensor_use;

typedef struct tut_format {
    const char *name;  /* as in the contract: "torch-zip", "pickle", "gguf", ... */
    const char *label; /* for people: "PyTorch zip" */
    tut_asset_kind kind;
    bool is_detached;  /* speaks about files beside it: no asset, and no part of one */
    bool needs_source; /* wants random access: what comes from a decoder is kept for it */
    tut_tensor_use tensors;
    tut_match (*sniff)(const tut_sniff *s);
    /* Reports through x. Returns OK when read to its end; TRUNCATED, MALFORMED, LIMIT, UNSUPPORTED
     * (encrypted) when it had to stop, after having reported all that was seen before: the file is
     * then `incomplete`. Other codes are real errors. NULL: recognised, nothing to examine. */
    tut_status (*examine)(tut_exam *x, tut_error *err);
    const char *extensions; /* space separated usual endings, ".pt .pth"; others are a mismatch */
    const char *reads;      /* what is looked at, one short phrase; NULL: recognised only */
    const char *rules;      /* families of rules of which it may speak: "zip torch pickle" */
} tut_format;

extern const tut_format *const tut_formats[]; /* NULL-ended, most specific first */
const tut_format *tut_format_by_name(const char *name);
/* Best match; NULL when nothing matches. Ties go to the earlier row. */
const tut_format *tut_format_detect(const tut_sniff *s, tut_match *ret_match);

/* A pickle opcode's meaning for policy: something was named, called or written to. */
typedef enum tut_pickle_act {
    TUT_PICKLE_IMPORT, /* a global was resolved (GLOBAL, STACK_GLOBAL, INST, EXT*) */
    TUT_PICKLE_CALL,   /* called by REDUCE, OBJ, INST, NEWOBJ, NEWOBJ_EX */
    TUT_PICKLE_BUILD,  /* BUILD on an object made by this callable (its __setstate__ runs) */
    TUT_PICKLE_WRITE,  /* SETITEM(S), APPEND(S), ADDITEMS or BUILD into an imported object itself */
    TUT_PICKLE_PERSID  /* persistent id */
} tut_pickle_act;

typedef struct tut_pickle_event {
    tut_pickle_act act;
    const char *opcode; /* "REDUCE" */
    uint64_t offset;    /* of the opcode in this stream */
    bool is_resolved;   /* false: the name was computed at load, or could not be known */
    tut_str module;     /* after no mapping: as written in the stream */
    tut_str name;       /* may be dotted (protocol 4) */
    tut_str arguments;  /* bounded preview for people, raw bytes (escape before showing) */
    uint8_t protocol;   /* of the stream so far; decides whether Python 2 names are mapped */
    bool has_objects;   /* among the arguments: names, or what calls yielded; not only plain data */
} tut_pickle_event;

/* A name of Python outside of pickles, and who asks for it. */
typedef enum tut_reference_act {
    TUT_REFERENCE_TAG,    /* a YAML loader that builds objects imports it */
    TUT_REFERENCE_APPLY,  /* such a loader calls it */
    TUT_REFERENCE_TARGET, /* hydra.utils.instantiate calls it */
    TUT_REFERENCE_CALL    /* program text calls it */
} tut_reference_act;

typedef struct tut_reference {
    tut_reference_act act;
    tut_str name;     /* dotted; of program text: as imported, "os.system" for a renamed one */
    tut_str shown;    /* as it stands there, for people */
    uint64_t offset;  /* TUT_NO_OFFSET: none */
    bool is_on_load;  /* program text: runs when the file is imported */
    bool is_hidden;   /* program text: an argument is decoded, unpacked or fetched first */
    tut_str argument; /* program text: its literal strings, joined by a space; bounded */
} tut_reference;

/* A package that a lock file pins, or a list wishes for. */
typedef struct tut_package {
    const char *type; /* as package URLs name it: one of tut_package_types */
    tut_str name;
    tut_str version; /* empty: any will do */
    /* "sha256:HEX", or "sha512-BASE64" as npm writes it; empty unless the file has exactly one */
    tut_str digest;
    uint32_t digests; /* that the file has: wheels for other machines are several */
} tut_package;
extern const char *const tut_package_types[]; /* NULL-ended: pypi npm cargo conda deb */

typedef struct tut_listed_package { /* as it is kept; all text escaped */
    const char *type;               /* one of tut_package_types */
    char *name;                     /* owns version and digest too */
    const char *version, *digest;   /* empty: not known */
    uint32_t digests;
} tut_listed_package;
/* A tensor as the file's own list has it, and where its bytes lie in the file. */
typedef struct tut_tensor {
    tut_str name;      /* cut where it is longer than any loader takes */
    const char *dtype; /* a literal: "F32", "Q4_K" */
    tut_str shape;     /* "[4, 16]", in the order of the file */
    uint64_t begin, end;
} tut_tensor;

/* Python that a loader imports, calls or runs, as files other than pickles have it: code objects
 * (what the code uses), or a function or class by its name (module is set, one name). */
typedef struct tut_python_event {
    const char *rule; /* what is said of it at least; worse when the names can do worse */
    tut_str where;    /* "/@model_config: layer 'scale'" */
    uint64_t offset;
    tut_str module;
    const tut_str *names; /* raw bytes */
    size_t name_count;
    const tut_str *texts; /* constants of the code */
    size_t text_count;
} tut_python_event;

/* Callbacks; all of them copy what they keep. */
typedef struct tut_exam_ops {
    /* A fact about the artefact: "gguf.architecture" = "llama". Keys are literals, lower case,
     * dotted. Values may be any bytes. */
    void (*fact)(void *ctx, const char *key, tut_str value);
    /* Something that a rule speaks of; `rule` is the rule's id, a literal ("zip.duplicate-name").
     * `detail` is what was seen (escaped later). offset: UINT64_MAX when it has none. */
    void (*observe)(void *ctx, const char *rule, uint64_t offset, tut_str detail);
    void (*pickle)(void *ctx, const tut_pickle_event *event);
    void (*reference)(void *ctx, const tut_reference *reference); /* NULL: nobody asks */
    /* Facts are few; packages are many, and have a way of their own. NULL: nobody asks. */
    void (*package)(void *ctx, const tut_package *package);
    /* Bytes inside this artefact that are an artefact of their own: named, examined right away by
     * content with location "…!/name". Exactly one of source and stream is set. Fails only for
     * reasons that must end the outer examination. */
    tut_status (*member)(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                         uint64_t size_or_max, tut_error *err);
    /* A file beside this one, by relative path (see tut_cage_sibling). */
    tut_status (*sibling)(void *ctx, const char *rel, tut_source *ret_source, tut_error *err);
    /* Each tensor that is sound (safetensors, GGUF). May be NULL. */
    void (*tensor)(void *ctx, const tut_tensor *tensor);
    void (*python)(void *ctx, const tut_python_event *event); /* NULL: the rule alone is told */
} tut_exam_ops;

struct tut_exam {
    tut_stream *stream;       /* at position 0; always there */
    const tut_source *source; /* NULL when the bytes come out of a decoder */
    uint64_t size;            /* UINT64_MAX: not known */
    tut_str name;             /* last component of file or member name */
    tut_budget *budget;       /* shared with what is inside and outside */
    bool content;             /* depth content: test the bytes too (CRCs, stored values) */
    bool is_member;           /* inside a container */
    const tut_exam_ops *ops;
    void *ctx;
};

/* Shorthands for parsers. */
void tut_exam_fact(tut_exam *x, const char *key, tut_str value);
void tut_exam_factf(tut_exam *x, const char *key, const char *fmt, ...) TUT_PRINTF(3, 4);
void tut_exam_observe(tut_exam *x, const char *rule, uint64_t offset, const char *fmt, ...)
    TUT_PRINTF(4, 5);
void tut_exam_python(tut_exam *x, const tut_python_event *event);
#define TUT_NO_OFFSET UINT64_MAX

/* Helpers for sniffers. */
bool tut_sniff_magic(const tut_sniff *s, const void *magic, size_t len);
bool tut_sniff_text(const tut_sniff *s); /* head is UTF-8 text without controls */
bool tut_sniff_ext(const tut_sniff *s, const char *extensions); /* ".md .txt", ASCII case folded */

#endif
