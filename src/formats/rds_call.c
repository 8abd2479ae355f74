/*
 * What is called in serialised R. Formulas, terms and calls are a part of every fitted model, and
 * functions of many, so only names that reach out of R count; where they stand decides how much.
 */
#include <stdlib.h>

#include "formats/rds.h"

typedef struct row {
    const char *name;
    tut_rds_name means;
} row;

/* In byte order. */
static const row rows[] = {
    {".External2", TUT_RDS_PLAIN},
    {".First", TUT_RDS_STARTUP},
    {".First.sys", TUT_RDS_STARTUP},
    {".Last", TUT_RDS_STARTUP},
    {".Last.sys", TUT_RDS_STARTUP},
    {".Last.value", TUT_RDS_PLAIN},
    {"::", TUT_RDS_COLONS},
    {":::", TUT_RDS_COLONS},
    {"Filter", TUT_RDS_INDIRECT},
    {"Find", TUT_RDS_INDIRECT},
    {"Map", TUT_RDS_INDIRECT},
    {"Rcpp", TUT_RDS_PLAIN},
    {"Reduce", TUT_RDS_INDIRECT},
    {"addTaskCallback", TUT_RDS_DEFERS},
    {"attach", TUT_RDS_COMMON},
    {"browseURL", TUT_RDS_NETWORK},
    {"c", TUT_RDS_COMMON},
    {"cat", TUT_RDS_COMMON},
    {"compact_intseq", TUT_RDS_ALTREP},
    {"compact_realseq", TUT_RDS_ALTREP},
    {"cppFunction", TUT_RDS_EXECUTES},
    {"curl_download", TUT_RDS_NETWORK},
    {"curl_fetch_memory", TUT_RDS_NETWORK},
    {"data.frame", TUT_RDS_COMMON},
    {"deferred_string", TUT_RDS_ALTREP},
    {"delayedAssign", TUT_RDS_DEFERS},
    {"do.call", TUT_RDS_INDIRECT},
    {"download.file", TUT_RDS_NETWORK},
    {"dyn.load", TUT_RDS_EXECUTES},
    {"eval", TUT_RDS_EVAL},
    {"eval.parent", TUT_RDS_EVAL},
    {"evalCpp", TUT_RDS_EXECUTES},
    {"evalq", TUT_RDS_EVAL},
    {"exec_background", TUT_RDS_EXECUTES},
    {"exec_internal", TUT_RDS_EXECUTES},
    {"exec_wait", TUT_RDS_EXECUTES},
    {"file.remove", TUT_RDS_DELETES},
    {"forceAndCall", TUT_RDS_INDIRECT},
    {"get", TUT_RDS_INDIRECT},
    {"get0", TUT_RDS_INDIRECT},
    {"getAnywhere", TUT_RDS_INDIRECT},
    {"getExportedValue", TUT_RDS_INDIRECT},
    {"getFromNamespace", TUT_RDS_INDIRECT},
    {"getFunction", TUT_RDS_INDIRECT},
    {"install.packages", TUT_RDS_EXECUTES},
    {"install_github", TUT_RDS_EXECUTES},
    {"lapply", TUT_RDS_INDIRECT},
    {"library", TUT_RDS_COMMON},
    {"library.dynam", TUT_RDS_EXECUTES},
    {"list", TUT_RDS_COMMON},
    {"load", TUT_RDS_LOADS},
    {"makeActiveBinding", TUT_RDS_DEFERS},
    {"mapply", TUT_RDS_INDIRECT},
    {"match.fun", TUT_RDS_INDIRECT},
    {"mget", TUT_RDS_INDIRECT},
    {"mmap_integer", TUT_RDS_ALTREP_FILE},
    {"mmap_real", TUT_RDS_ALTREP_FILE},
    {"parse", TUT_RDS_PARSE},
    {"pipe", TUT_RDS_EXECUTES},
    {"plot", TUT_RDS_COMMON},
    {"predict", TUT_RDS_COMMON},
    {"print", TUT_RDS_COMMON},
    {"py_run_file", TUT_RDS_EXECUTES},
    {"py_run_string", TUT_RDS_EXECUTES},
    {"q", TUT_RDS_COMMON},
    {"read.csv", TUT_RDS_COMMON},
    {"readRDS", TUT_RDS_LOADS},
    {"reg.finalizer", TUT_RDS_DEFERS},
    {"require", TUT_RDS_COMMON},
    {"sapply", TUT_RDS_INDIRECT},
    {"serverSocket", TUT_RDS_NETWORK},
    {"setHook", TUT_RDS_DEFERS},
    {"shell", TUT_RDS_EXECUTES},
    {"shell.exec", TUT_RDS_EXECUTES},
    {"socketConnection", TUT_RDS_NETWORK},
    {"source", TUT_RDS_LOADS},
    {"sourceCpp", TUT_RDS_EXECUTES},
    {"source_python", TUT_RDS_EXECUTES},
    {"str2expression", TUT_RDS_PARSE},
    {"str2lang", TUT_RDS_PARSE},
    {"summary", TUT_RDS_COMMON},
    {"sys.source", TUT_RDS_LOADS},
    {"system", TUT_RDS_EXECUTES},
    {"system2", TUT_RDS_EXECUTES},
    {"unlink", TUT_RDS_DELETES},
    {"unserialize", TUT_RDS_LOADS},
    {"url", TUT_RDS_NETWORK},
    {"url.show", TUT_RDS_NETWORK},
    {"vapply", TUT_RDS_INDIRECT},
    {"wrap_complex", TUT_RDS_ALTREP},
    {"wrap_integer", TUT_RDS_ALTREP},
    {"wrap_list", TUT_RDS_ALTREP},
    {"wrap_logical", TUT_RDS_ALTREP},
    {"wrap_raw", TUT_RDS_ALTREP},
    {"wrap_real", TUT_RDS_ALTREP},
    {"wrap_string", TUT_RDS_ALTREP},
};

static int compare(const void *key, const void *item)
{
    const tut_str *name = key;
    return tut_str_cmp(*name, tut_str_of(((const row *)item)->name));
}

tut_rds_name tut_rds_name_of(tut_str name)
{
    const row *hit = bsearch(&name, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);
    return hit ? hit->means : TUT_RDS_PLAIN;
}

static const struct {
    const char *text, *rule;
} meanings[] = {
    [TUT_RDS_EXECUTES] = {"runs commands or foreign code", "r.command-call"},
    [TUT_RDS_NETWORK] = {"opens the network", "r.network-call"},
    [TUT_RDS_LOADS] = {"loads code or objects from elsewhere", "r.load-call"},
    [TUT_RDS_DELETES] = {"deletes files", "r.load-call"},
    [TUT_RDS_DEFERS] = {"has something called later", "r.load-call"},
    [TUT_RDS_EVAL] = {"evaluates what it is given", NULL},
    [TUT_RDS_PARSE] = {"makes code of text", NULL},
    [TUT_RDS_ALTREP_FILE] = {NULL, NULL},
};

const char *tut_rds_name_text(tut_rds_name name)
{
    return (size_t)name < sizeof(meanings) / sizeof(meanings[0]) ? meanings[name].text : NULL;
}

void tut_rds_called(tut_rds *r, tut_rds_name name, uint64_t at, const char *how)
{
    const char *text = tut_rds_name_text(name);
    const char *rule = text ? meanings[name].rule : NULL;
    if (!text)
        return;
    if (r->live_promises > 0)
        rule = "r.promise-call";
    else if (r->frame_promises > 0 && name == TUT_RDS_EXECUTES)
        rule = "r.command-call";
    if (!rule)
        return;
    tut_exam_observe(r->x, rule, at, "%s%s%s%s%s, which %s", how, r->head,
                     r->preview[0] ? "(\"" : "", r->preview, r->preview[0] ? "\")" : "", text);
}
