/*
 * PMML: models as XML, by the schema of the Data Mining Group. The document is data; what makes
 * more of it are the readers: functions that are classes of Java by their name, tables at
 * addresses, and extensions, in which anything may stand.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "formats/extents.h"
#include "formats/xml.h"

enum { FUNCTIONS_MAX = 256, NAME_BYTES = 96, EXTENSION_TEXT = 4096 };

typedef struct used {
    char name[NAME_BYTES];
    uint64_t hash, at;
} used;

typedef struct pmml {
    tut_exam *x;
    used functions[FUNCTIONS_MAX]; /* that are not the format's own */
    size_t function_count;
    tut_extents defined;           /* names, by hash */
    size_t depth, extension_depth; /* of the outermost extension that is open, or 0 */
    char text[EXTENSION_TEXT];     /* of it */
    size_t text_len;
    uint64_t extensions, models;
    bool has_root;
} pmml;

/* Functions of PMML 4.4, and those of arithmetic. In byte order. */
static const char *const builtin[] = {"*",
                                      "+",
                                      "-",
                                      "/",
                                      "abs",
                                      "acos",
                                      "and",
                                      "asin",
                                      "atan",
                                      "atan2",
                                      "avg",
                                      "ceil",
                                      "concat",
                                      "cos",
                                      "cosh",
                                      "dateDaysSinceYear",
                                      "dateSecondsSinceMidnight",
                                      "dateSecondsSinceYear",
                                      "equal",
                                      "erf",
                                      "exp",
                                      "expm1",
                                      "floor",
                                      "formatDatetime",
                                      "formatNumber",
                                      "greaterOrEqual",
                                      "greaterThan",
                                      "hypot",
                                      "if",
                                      "isIn",
                                      "isMissing",
                                      "isNotIn",
                                      "isNotMissing",
                                      "isNotValid",
                                      "isValid",
                                      "lessOrEqual",
                                      "lessThan",
                                      "ln",
                                      "ln1p",
                                      "log10",
                                      "lowercase",
                                      "matches",
                                      "max",
                                      "median",
                                      "min",
                                      "modulo",
                                      "normalCDF",
                                      "normalIDF",
                                      "normalPDF",
                                      "not",
                                      "notEqual",
                                      "or",
                                      "pow",
                                      "product",
                                      "replace",
                                      "rint",
                                      "round",
                                      "sin",
                                      "sinh",
                                      "sqrt",
                                      "stdNormalCDF",
                                      "stdNormalIDF",
                                      "stdNormalPDF",
                                      "stringLength",
                                      "substring",
                                      "sum",
                                      "tan",
                                      "tanh",
                                      "threshold",
                                      "trimBlanks",
                                      "uppercase",
                                      "x-atan2",
                                      "x-cosh",
                                      "x-expm1",
                                      "x-hypot",
                                      "x-ln1p",
                                      "x-modulo",
                                      "x-rint",
                                      "x-sinh",
                                      "x-tanh"};

static int compare_text(const void *key, const void *item)
{
    const tut_str *name = key;
    const char *const *text = item;
    return tut_str_cmp(*name, tut_str_of(*text));
}

static bool is_builtin(tut_str name)
{
    return bsearch(&name, builtin, sizeof(builtin) / sizeof(builtin[0]), sizeof(builtin[0]),
                   compare_text) != NULL;
}

static void note_function(pmml *p, tut_str name, uint64_t at)
{
    uint64_t hash = tut_extents_hash(name);
    if (name.len == 0 || is_builtin(name) || p->function_count == FUNCTIONS_MAX)
        return;
    for (size_t i = 0; i < p->function_count; i++)
        if (p->functions[i].hash == hash)
            return;
    used *u = &p->functions[p->function_count++];
    tut_str_copy(u->name, sizeof(u->name), name);
    u->hash = hash;
    u->at = at;
}

static bool is_defined(const pmml *p, uint64_t hash)
{
    for (size_t i = 0; i < p->defined.name_count; i++)
        if (p->defined.names[i] == hash)
            return true;
    return false;
}

static bool starts_with_any(const char *name, const char *const *with)
{
    for (; *with; with++)
        if (strncmp(name, *with, strlen(*with)) == 0)
            return true;
    return false;
}

/* A reader in Java looks up a function with dots in its name as a class. */
static void judge_functions(pmml *p)
{
    static const char *const runtime[] = {
        "java.", "javax.", "jdk.", "sun.", "com.sun.", "groovy.", "org.codehaus.groovy.",
        "bsh.",  NULL};
    for (size_t i = 0; i < p->function_count; i++) {
        const used *u = &p->functions[i];
        if (is_defined(p, u->hash))
            continue;
        if (starts_with_any(u->name, runtime))
            tut_exam_observe(p->x, "pmml.runtime-class", u->at, "a function by the name of %s",
                             u->name);
        else if (strchr(u->name, '.'))
            tut_exam_observe(p->x, "pmml.java-class", u->at, "a function by the name of %s",
                             u->name);
        else
            tut_exam_observe(p->x, "pmml.unknown-function", u->at, "a function by the name of %s",
                             u->name);
    }
}

/* Attributes that readers open. */
static void check_address(pmml *p, const char *name, tut_str value, uint64_t at)
{
    static const char *const names[] = {"href", "src",  "url",      "uri",      "location",
                                        "path", "file", "filename", "codebase", "archive"};
    static const char *const remote[] = {
        "http:", "https:", "ftp:",  "file:", "jar:", "jdbc:", "ldap:",
        "rmi:",  "jndi:",  "data:", "\\\\",  "/",    "../"};
    const char *local = strrchr(name, ':') ? strrchr(name, ':') + 1 : name;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!tut_str_ieq(tut_str_of(local), tut_str_of(names[i])))
            continue;
        for (size_t r = 0; r < sizeof(remote) / sizeof(remote[0]); r++)
            if (tut_str_starts(value, tut_str_of(remote[r])))
                tut_exam_observe(p->x, "pmml.external-reference", at, "%s is %.*s", local,
                                 (int)(value.len < 200 ? value.len : 200), value.data);
    }
}

/* --- extensions --- */
static void judge_extension(pmml *p, tut_str text, uint64_t at)
{
    static const char *const words[] = {
        "eval(",         "exec(",       "system(",        "subprocess",        "import os",
        "__import__",    "Runtime.get", "ProcessBuilder", "java.lang.Runtime", "ScriptEngine",
        "ClassLoader",   "function(",   "javascript",     "powershell",        "cmd.exe",
        "/bin/sh",       "/bin/bash",   "ActiveXObject",  "WScript",           "<?php",
        "Process.Start", "base64 -d"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!tut_str_find(text, tut_str_of(words[i]), &found))
            continue;
        tut_exam_observe(p->x, "pmml.extension-code", at, "an extension holds '%s'", words[i]);
        return;
    }
}

static void on_text(void *ctx, tut_str text, uint64_t at)
{
    pmml *p = ctx;
    (void)at;
    if (!p->extension_depth)
        return;
    size_t room = EXTENSION_TEXT - p->text_len;
    size_t kept = text.len < room ? text.len : room;
    memcpy(p->text + p->text_len, text.data, kept);
    p->text_len += kept;
}

static void in_extension(pmml *p, const char *const *attributes, uint64_t at)
{
    for (; attributes[0]; attributes += 2)
        judge_extension(p, tut_str_of(attributes[1]), at);
}

/* --- elements --- */
static tut_status on_open(void *ctx, tut_str name, const char *const *attributes, uint64_t at,
                          tut_error *err)
{
    pmml *p = ctx;
    p->depth++;
    if (p->depth == 1) {
        p->has_root = tut_str_eq_z(name, "PMML");
        tut_exam_fact(p->x, "pmml.version", tut_xml_attribute(attributes, "version"));
    }
    if (p->depth == 2 && tut_str_ends(name, TUT_LIT("Model"))) {
        p->models++;
        tut_exam_fact(p->x, "pmml.model", name);
    }
    if (tut_str_eq_z(name, "Application"))
        tut_exam_fact(p->x, "pmml.application", tut_xml_attribute(attributes, "name"));
    if (tut_str_eq_z(name, "Extension") && !p->extension_depth) {
        p->extensions++;
        p->extension_depth = p->depth;
        p->text_len = 0;
    }
    if (p->extension_depth)
        in_extension(p, attributes, at);
    if (tut_str_eq_z(name, "Apply"))
        note_function(p, tut_xml_attribute(attributes, "function"), at);
    if (tut_str_eq_z(name, "Aggregate") || tut_str_eq_z(name, "TableLocator"))
        TUT_TRY(tut_budget_steps(p->x->budget, 1, err));
    if (tut_str_eq_z(name, "TableLocator"))
        tut_exam_observe(p->x, "pmml.external-reference", at, "a table that lies elsewhere");
    for (const char *const *a = attributes; a[0]; a += 2)
        check_address(p, a[0], tut_str_of(a[1]), at);
    if (tut_str_eq_z(name, "DefineFunction"))
        return tut_extents_name(&p->defined,
                                tut_extents_hash(tut_xml_attribute(attributes, "name")), err);
    return TUT_SUCCESS;
}

static tut_status on_close(void *ctx, tut_str name, tut_error *err)
{
    pmml *p = ctx;
    (void)name;
    (void)err;
    if (p->extension_depth == p->depth) {
        judge_extension(p, (tut_str){p->text, p->text_len}, TUT_NO_OFFSET);
        p->extension_depth = 0;
    }
    p->depth--;
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_xml_ops ops = {.open = on_open, .close = on_close, .text = on_text};
    TUT_AUTO_FREE pmml *p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->x = x;
    tut_extents_init(&p->defined, x->budget);
    tut_status status = tut_xml_read(x, &ops, p, err);
    judge_functions(p);
    if (tut_is_ok(status) && !p->has_root)
        tut_exam_observe(x, "pmml.bad-root", TUT_NO_OFFSET, "the root element is not PMML");
    if (p->extensions)
        tut_exam_factf(x, "pmml.extensions", "%" PRIu64, p->extensions);
    tut_extents_done(&p->defined);
    return status;
}

static tut_match sniff(const tut_sniff *s)
{
    char root[32];
    if (tut_xml_root(s, root, sizeof(root)) && strcmp(root, "PMML") == 0)
        return TUT_MATCH_SURE;
    bool is_xml = s->head.len > 0 && memchr("<\xef\xff\xfe", s->head.data[0], 4);
    return is_xml && tut_sniff_ext(s, ".pmml") ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

extern const tut_format tut_format_pmml;

const tut_format tut_format_pmml = {
    .name = "pmml",
    .label = "PMML",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".pmml .xml",
    .reads = "document type, entities, extensions, functions by name, addresses, scripts",
    .rules = "pmml xml data",
};
