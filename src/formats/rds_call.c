/*
 * What is called in serialised R. Formulas, terms and calls are a part of every fitted model, and
 * functions of many, so only names that reach out of R count; where they stand decides how much.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "formats/rds_walk.h"

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

/* --- while a chain is read --- */
static bool is_grave(tut_rds_name name)
{
    return name >= TUT_RDS_EXECUTES && name <= TUT_RDS_DEFERS;
}

/* The function was read, or an argument. */
static void note_call_part(tut_rds *r, tut_rds_task *chain)
{
    tut_rds_name name = r->last_name;
    if (chain->index == 0) {
        chain->head = (uint8_t)name;
        if (tut_rds_name_text(name))
            r->preview[0] = '\0';
        return;
    }
    if (chain->head == TUT_RDS_COLONS && chain->index == 2)
        chain->result = (uint8_t)name;
    if (chain->index == 1 && r->last_is_text && is_grave((tut_rds_name)chain->head))
        tut_str_copy(r->preview, sizeof(r->preview), tut_str_of(r->text));
    if (chain->head == TUT_RDS_INDIRECT && is_grave(name) && !chain->is_told) {
        chain->is_told = true;
        r->preview[0] = '\0';
        tut_rds_called(r, name, chain->at, "by its name: ");
    }
    if (chain->head == TUT_RDS_EVAL && r->last_type == RDS_T_CALL && name == TUT_RDS_PARSE &&
        !chain->is_told && r->live_promises == 0) {
        chain->is_told = true;
        tut_exam_observe(r->x, "r.eval-text", chain->at, "text is made code of and evaluated");
    }
}

static void note_altrep_part(tut_rds *r, tut_rds_task *chain)
{
    if (chain->index != 0)
        return;
    if (r->last_name == TUT_RDS_ALTREP_FILE)
        tut_exam_observe(r->x, "r.altrep-file", chain->at, "a vector that maps a file into memory");
    else if (r->last_name != TUT_RDS_ALTREP)
        tut_exam_observe(r->x, "r.altrep-class", chain->at,
                         "a vector of a class that a package makes");
}

static void note_binding(tut_rds *r, const tut_rds_task *chain)
{
    bool is_function = r->last_type == RDS_T_CLOSURE;
    if (!is_function)
        return;
    if (chain->tag == TUT_RDS_STARTUP)
        tut_exam_observe(r->x, "r.startup-function", chain->at,
                         "the workspace brings a function that R runs when it starts or ends");
    else if (chain->tag != TUT_RDS_PLAIN && chain->tag != TUT_RDS_COLONS)
        tut_exam_observe(r->x, "r.masking-function", chain->at,
                         "the workspace brings a function by the name of one that R has");
}

void tut_rds_after_car(tut_rds *r)
{
    r->depth--;
    tut_rds_task *chain = &r->tasks[r->depth - 2];
    if (chain->is_call)
        note_call_part(r, chain);
    else if (chain->role == RDS_AS_ALTREP)
        note_altrep_part(r, chain);
    else if (chain->role == RDS_AS_BINDINGS)
        note_binding(r, chain);
    chain->index++;
    chain->tag = TUT_RDS_PLAIN;
}

/* The whole call is read: what it was is what its holder sees. */
void tut_rds_end_chain(tut_rds *r)
{
    tut_rds_task chain = r->tasks[--r->depth];
    if (!chain.is_call) {
        tut_rds_set_last(r, RDS_T_LIST, TUT_RDS_PLAIN, false);
        return;
    }
    if (chain.head != TUT_RDS_COLONS && chain.head != TUT_RDS_PLAIN) {
        tut_rds_called(r, (tut_rds_name)chain.head, chain.at, "a call of ");
        r->preview[0] = '\0';
    }
    bool is_name = chain.head == TUT_RDS_COLONS || chain.head == TUT_RDS_PARSE;
    tut_rds_set_last(
        r, RDS_T_CALL,
        is_name ? (tut_rds_name)(chain.head == TUT_RDS_PARSE ? TUT_RDS_PARSE : chain.result)
                : TUT_RDS_PLAIN,
        false);
}
