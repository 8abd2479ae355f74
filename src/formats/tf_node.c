/* Nodes of graphs and functions: which operators they use, and what these reach for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/tf_internal.h"

static bool in_function(const tut_tf *t)
{
    return t->p.depth > 0 && t->p.stack[t->p.depth - 1].kind == TUT_TF_FUNCTION;
}

static void describe(char *to, size_t cap, const char *name, const char *function)
{
    (void)snprintf(to, cap, "node %s%s%s", name, function[0] ? " of function " : "", function);
}

static void count_name(tut_tf_count *rows, size_t *count, const char *name)
{
    char kept[sizeof(rows->name)];
    tut_str_copy(kept, sizeof(kept), tut_str_of(name));
    for (size_t i = 0; i < *count; i++)
        if (strcmp(rows[i].name, kept) == 0) {
            rows[i].count++;
            return;
        }
    if (*count == TUT_TF_OPS)
        return;
    tut_tf_count *row = &rows[(*count)++];
    memcpy(row->name, kept, sizeof(kept));
    row->count = 1;
}

/* --- attributes --- */

void tut_tf_end_attr(tut_tf *t, const tut_proto_frame *f)
{
    tut_tf_node *n = &t->node;
    /* The operator stands before its attributes; where it does not, each that could matter counts.
     */
    static const char *const matter[] = {"debug_urls",         "descriptor_source", "output_stream",
                                         "memory_region_name", "call_target_name",  "target_name"};
    for (size_t i = 0; i < sizeof(matter) / sizeof(matter[0]); i++)
        if (strcmp(f->a, matter[i]) == 0 && n->text[0]) {
            memcpy(n->where, n->text, sizeof(n->where));
            n->has_where = true;
        }
    if (strcmp(f->a, "f") == 0)
        memcpy(n->called, n->function, sizeof(n->called));
    if (strcmp(f->a, "value") != 0)
        return;
    n->is_text_const = t->tensor.strings > 0 || t->tensor.dtype == TUT_TF_DT_STRING;
    n->is_empty_text = !t->tensor.has_text;
    if (t->tensor.has_path)
        memcpy(n->path, t->tensor.path, sizeof(n->path));
}

/* --- what needs no more than the node --- */

static void observe_node(tut_tf *t, const tut_proto_frame *f, const char *rule, const char *what)
{
    char node[400];
    describe(node, sizeof(node), f->a, in_function(t) ? t->function : "");
    tut_exam_observe(t->x, rule, f->at, "%s (%s) %s%s%s", node, f->b, what,
                     t->node.where[0] ? ": " : "", t->node.where);
}

/* A constant in a memory region is mapped from the file of that name, unless the graph came out of
 * a package that holds its regions; types of messages may be linked in, or stand in the graph. */
static bool is_inside(const tut_tf_op *op, const char *source)
{
    if (strcmp(op->attribute, "memory_region_name") == 0)
        return strncmp(source, "memmapped_package://", 20) == 0;
    return source[0] == '\0' || strncmp(source, "local://", 8) == 0 ||
           strncmp(source, "bytes://", 8) == 0;
}

/* True: the operator is judged by itself, whatever its inputs are. */
static bool judge_alone(tut_tf *t, const tut_proto_frame *f, const tut_tf_op *op)
{
    switch ((tut_tf_does)op->does) {
    case TUT_TF_PYTHON:
        observe_node(t, f, "tf.python-op", "calls Python");
        return true;
    case TUT_TF_NETWORK:
        observe_node(t, f, "tf.network", "talks to other machines");
        return true;
    case TUT_TF_LOGS:
        observe_node(t, f, "tf.event-writer", "writes event files");
        return true;
    case TUT_TF_READS_ATTR:
        if (!is_inside(op, t->node.where))
            observe_node(t, f, "tf.file-read", "reads a file that an attribute names");
        return true;
    case TUT_TF_WRITES_ATTR:
        if (strncmp(t->node.where, "file://", 7) == 0)
            observe_node(t, f, "tf.file-write", "prints into a file");
        return true;
    case TUT_TF_DEBUGS:
        if (t->node.has_where)
            observe_node(t, f, "tf.debug-urls", "sends what passes through it");
        else
            observe_node(t, f, "tf.debug-operator", "is one of a debugger");
        return true;
    case TUT_TF_NATIVE:
        observe_node(t, f, "tf.custom-operator", "calls native code by name");
        return true;
    case TUT_TF_COMPUTES:
    case TUT_TF_READS:
    case TUT_TF_WRITES:
    case TUT_TF_SAVES:
    case TUT_TF_RESTORES:
    case TUT_TF_FILLS_TABLE:
    case TUT_TF_EXPORTS:
    case TUT_TF_CACHES:
    case TUT_TF_CALLS:
    case TUT_TF_PASSES_TEXT:
        break;
    }
    return false;
}

static tut_status keep(tut_tf *t, const tut_proto_frame *f, const tut_tf_op *op, tut_error *err)
{
    const tut_tf_node *n = &t->node;
    bool is_in = in_function(t);
    tut_tf_use use = {.op = op, .at = f->at};
    tut_tf_flow *flow = &use.flow;
    flow->name = tut_tf_input_hash(tut_str_of(f->a));
    memcpy(flow->inputs, n->inputs, sizeof(flow->inputs));
    flow->input_count = (uint8_t)n->input_count;
    if (op->does == TUT_TF_PASSES_TEXT) {
        flow->kind = op->inputs;
        if (strcmp(op->name, "Const") == 0 && !n->is_text_const)
            return TUT_SUCCESS;
        if (strcmp(op->name, "ConcatV2") == 0) /* the last one is the axis */
            flow->kind = (uint8_t)((1u << (n->input_count ? n->input_count - 1 : 0)) - 1);
        flow->has_text = n->is_text_const && !n->is_empty_text;
        memcpy(flow->path, n->path, sizeof(flow->path));
        if (strcmp(op->name, "DecodeBase64") == 0)
            tut_str_copy(flow->path, sizeof(flow->path), TUT_LIT("decoded from Base64"));
        return tut_tf_row(t, is_in ? &t->flows : &t->main_flows, flow, err);
    }
    if (op->does == TUT_TF_CALLS && !n->called[0])
        return TUT_SUCCESS;
    t->uses_files |= is_in && op->does != TUT_TF_CALLS;
    memcpy(use.name, f->a, sizeof(use.name));
    memcpy(use.called, n->called, sizeof(use.called));
    return tut_tf_row(t, is_in ? &t->uses : &t->late, &use, err);
}

tut_status tut_tf_end_node(tut_tf *t, const tut_proto_frame *f, tut_error *err)
{
    bool is_extension = false;
    const tut_tf_op *op = tut_tf_op_find(f->b);
    t->nodes++;
    count_name(t->ops, &t->op_count, f->b);
    if (!tut_tf_op_exists(f->b, &is_extension) && !op)
        count_name(t->strange, &t->strange_count, f->b);
    if (!op || judge_alone(t, f, op))
        return TUT_SUCCESS;
    return keep(t, f, op, err);
}

/* --- what depends on the names that reach it --- */

static bool is_saver(const tut_tf *t, const tut_tf_use *use, bool is_in)
{
    static const char *const functions[] = {"traced_save", "traced_restore", "_save_fn",
                                            "_restore_fn"};
    if (is_in) {
        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
            if (strstr(t->function, functions[i]))
                return true;
        return false;
    }
    size_t len = strlen(t->saver);
    if (len > 0 && strncmp(use->name, t->saver, len) == 0)
        return true;
    const char *save = strstr(use->name, "save");
    if (!save || (save != use->name && save[-1] != '/'))
        return false;
    save += 4;
    return *save == '/' || (*save == '_' && strspn(save + 1, "0123456789") > 0);
}

static void tell(tut_tf *t, const tut_tf_use *use, bool is_in, const char *rule, const char *what,
                 const char *path)
{
    char node[400];
    describe(node, sizeof(node), use->name, is_in ? t->function : "");
    tut_exam_observe(t->x, rule, use->at, "%s (%s) %s%s%s", node, use->op->name, what,
                     path ? ": " : "", path ? path : "");
}

static bool calls_file_user(tut_tf *t, const char *function)
{
    uint64_t hash = tut_extents_hash(tut_str_of(function));
    for (size_t i = 0; i < t->file_functions.name_count; i++)
        if (t->file_functions.names[i] == hash)
            return true;
    return false;
}

static void judge_use(tut_tf *t, const tut_tf_rows *flows, const tut_tf_use *use, bool is_in)
{
    const tut_tf_name name = tut_tf_trace(t, flows, use);
    const char *path = name.path;
    bool is_own = is_saver(t, use, is_in);
    bool is_export = strstr(use->name, "lookup_table_export_values") != NULL;
    switch ((tut_tf_does)use->op->does) {
    case TUT_TF_READS:
        tell(t, use, is_in, "tf.file-read", "reads files", path);
        return;
    case TUT_TF_WRITES:
        tell(t, use, is_in, "tf.file-write", "writes a file", path);
        return;
    case TUT_TF_SAVES:
        if (path || !is_own)
            tell(t, use, is_in, "tf.file-write",
                 is_own ? "saves to a place that the graph chooses" : "writes outside of the saver",
                 path);
        return;
    case TUT_TF_RESTORES:
        if (path)
            tell(t, use, is_in, "tf.file-read", "restores from a place that the graph chooses",
                 path);
        else if (!is_own)
            tell(t, use, is_in, "tf.restore-elsewhere", "reads a checkpoint outside of the saver",
                 NULL);
        return;
    case TUT_TF_FILLS_TABLE:
        if (path)
            tell(t, use, is_in, "tf.file-read", "fills a table from a file that is no asset", path);
        else if (!is_in && name.is_unknown)
            tell(t, use, is_in, "tf.file-chosen", "fills a table from a file", NULL);
        return;
    case TUT_TF_CACHES:
        if (path || name.has_text)
            tell(t, use, is_in, "tf.file-write", "caches in a file that the graph chooses", path);
        else if (!is_in && name.is_unknown)
            tell(t, use, is_in, "tf.file-chosen", "caches, in a file unless the name is empty",
                 NULL);
        return;
    case TUT_TF_EXPORTS:
        if (!is_own && !is_export)
            tell(t, use, is_in, "tf.table-export", "hands out the content of a table", NULL);
        return;
    case TUT_TF_CALLS:
        if (path && calls_file_user(t, use->called))
            tell(t, use, is_in, "tf.file-read",
                 "gives the name of a file to a function that uses it", path);
        return;
    case TUT_TF_COMPUTES:
    case TUT_TF_PYTHON:
    case TUT_TF_NETWORK:
    case TUT_TF_LOGS:
    case TUT_TF_READS_ATTR:
    case TUT_TF_WRITES_ATTR:
    case TUT_TF_DEBUGS:
    case TUT_TF_NATIVE:
    case TUT_TF_PASSES_TEXT:
        return;
    }
}

static void judge_uses(tut_tf *t, tut_tf_rows *flows, tut_tf_rows *uses, bool is_in)
{
    const tut_tf_use *rows = uses->items;
    tut_tf_sort_flows(flows);
    for (size_t i = 0; i < uses->count; i++)
        judge_use(t, flows, &rows[i], is_in);
    flows->count = uses->count = 0;
}

tut_status tut_tf_end_function(tut_tf *t, tut_error *err)
{
    uint64_t hash = tut_extents_hash(tut_str_of(t->function));
    t->function_count++;
    judge_uses(t, &t->flows, &t->uses, true);
    TUT_TRY(tut_extents_name(&t->functions, hash, err));
    bool uses = t->uses_files;
    t->uses_files = false;
    t->function[0] = '\0';
    return uses ? tut_extents_name(&t->file_functions, hash, err) : TUT_SUCCESS;
}

/* --- at the end --- */

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

void tut_tf_settle(tut_tf *t)
{
    judge_uses(t, &t->main_flows, &t->late, false);
    (void)tut_extents_duplicates(&t->functions); /* sorts */
    for (size_t i = 0; i < t->strange_count; i++) {
        const tut_tf_count *row = &t->strange[i];
        uint64_t hash = tut_extents_hash(tut_str_of(row->name));
        bool is_function = t->functions.name_count > 0 &&
                           bsearch(&hash, t->functions.names, t->functions.name_count, sizeof(hash),
                                   compare_hashes);
        bool is_cut = strlen(row->name) == sizeof(row->name) - 1;
        bool is_generated = strncmp(row->name, "__inference", 11) == 0 ||
                            strncmp(row->name, "__forward", 9) == 0 ||
                            strncmp(row->name, "__backward", 10) == 0;
        if (is_function || (is_cut && is_generated))
            continue;
        tut_exam_observe(
            t->x, tut_tf_op_sounds_bad(row->name) ? "tf.code-operator" : "tf.custom-operator",
            TUT_NO_OFFSET, "%" PRIu64 " nodes of type %s, which is none of TensorFlow's",
            row->count, row->name);
    }
    t->strange_count = 0;
}

static int compare_counts(const void *a, const void *b)
{
    const tut_tf_count *x = a;
    const tut_tf_count *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

void tut_tf_report_ops(tut_tf *t)
{
    enum { SHOWN = 8 };
    TUT_CLEAN(tut_buf) list;
    tut_buf_init(&list, 2048);
    qsort(t->ops, t->op_count, sizeof(t->ops[0]), compare_counts);
    for (size_t i = 0; i < t->op_count && i < SHOWN; i++)
        tut_buf_printf(&list, "%s%s %" PRIu64, i ? ", " : "", t->ops[i].name, t->ops[i].count);
    if (t->op_count > SHOWN)
        tut_buf_printf(&list, ", and %zu more", t->op_count - SHOWN);
    if (list.len)
        tut_exam_fact(t->x, "tf.ops", tut_buf_str(&list));
}
