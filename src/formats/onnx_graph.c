/* Nodes, the domains that they are of, and the functions that a model brings along. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/onnx_internal.h"

uint64_t tut_onnx_hash2(const char *domain, const char *name)
{
    return tut_extents_hash(tut_str_of(domain)) * 31 + tut_extents_hash(tut_str_of(name));
}

/* "ai.onnx" is another spelling of the default domain. */
static const char *plain_domain(const char *domain)
{
    return strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

bool tut_onnx_in_function(const tut_onnx *o)
{
    return o->p.depth >= 2 && o->p.stack[1].kind == TUT_ONNX_FUNCTION;
}

static tut_onnx_domain *domain_of(tut_onnx_scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->count; i++)
        if (strcmp(scope->domains[i].name, name) == 0)
            return &scope->domains[i];
    if (scope->count == TUT_ONNX_DOMAINS)
        return NULL;
    tut_onnx_domain *d = &scope->domains[scope->count++];
    *d = (tut_onnx_domain){.version = INT64_MIN};
    tut_str_copy(d->name, sizeof(d->name), tut_str_of(name));
    return d;
}

static tut_onnx_scope *scope_of(tut_onnx *o)
{
    return tut_onnx_in_function(o) ? &o->function : &o->model;
}

static bool is_python_op(const char *domain, const char *op)
{
    static const char *const names[] = {"PyOp",         "PyCustomOp",   "PythonOp",
                                        "PythonOpGrad", "PyFunc",       "PyFuncStateless",
                                        "EagerPyFunc",  "NumpyFunction"};
    if (domain[0] == '\0')
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(op, names[i]) == 0)
            return true;
    return false;
}

static void count_op(tut_onnx *o, const char *domain, const char *op)
{
    uint64_t hash = tut_onnx_hash2(domain, op);
    for (size_t i = 0; i < o->op_count; i++)
        if (o->ops[i].hash == hash) {
            o->ops[i].count++;
            return;
        }
    if (o->op_count == TUT_ONNX_OPS)
        return;
    tut_onnx_op *row = &o->ops[o->op_count++];
    tut_str_copy(row->name, sizeof(row->name), tut_str_of(op));
    tut_str_copy(row->domain, sizeof(row->domain), tut_str_of(domain));
    row->hash = hash;
    row->count = 1;
}

void tut_onnx_end_node(tut_onnx *o, const tut_onnx_frame *f)
{
    const char *domain = plain_domain(f->b);
    tut_onnx_domain *d = domain_of(scope_of(o), domain);
    o->nodes++;
    if (d)
        d->is_used = true;
    if (is_python_op(domain, f->a))
        tut_exam_observe(o->x, "onnx.python-op", f->at, "node of type %s in domain %s", f->a,
                         domain);
    count_op(o, domain, f->a);
}

void tut_onnx_end_opset(tut_onnx *o, const tut_onnx_frame *f)
{
    tut_onnx_scope *scope = scope_of(o);
    tut_onnx_domain *d = domain_of(scope, plain_domain(f->b));
    scope->has_import = true;
    if (!d)
        return;
    if (d->is_declared && d->version != f->number)
        tut_exam_observe(o->x, "onnx.duplicate-field", f->at,
                         "domain \"%s\" is imported in two versions", f->b);
    d->is_declared = true;
    d->version = f->number;
}

static void check_scope(tut_onnx *o, const tut_onnx_scope *scope, const char *where)
{
    for (size_t i = 0; i < scope->count; i++)
        if (scope->domains[i].is_used && !scope->domains[i].is_declared)
            tut_exam_observe(o->x, "onnx.undeclared-domain", TUT_NO_OFFSET,
                             "%s uses operators of domain \"%s\", but imports no version of it",
                             where, scope->domains[i].name);
}

tut_status tut_onnx_end_function(tut_onnx *o, const tut_onnx_frame *f, tut_error *err)
{
    const char *domain = plain_domain(f->b);
    char where[TUT_ONNX_TEXT + 16];
    (void)snprintf(where, sizeof(where), "function %s", f->a);
    check_scope(o, &o->function, where);
    if (domain[0] == '\0')
        tut_exam_observe(o->x, "onnx.function-shadows", f->at,
                         "function %s lies in the domain of ONNX's own operators", f->a);
    o->function_count++;
    return tut_extents_name(&o->functions, tut_onnx_hash2(domain, f->a), err);
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool is_known_domain(const char *domain)
{
    static const char *const names[] = {"", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview",
                                        "ai.onnx.preview.training"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(domain, names[i]) == 0)
            return true;
    /* ONNX Runtime's own, compiled into it */
    return strncmp(domain, "com.microsoft", 13) == 0 || strncmp(domain, "com.ms.internal", 15) == 0;
}

static void check_ops(tut_onnx *o)
{
    (void)tut_extents_duplicates(&o->functions); /* sorts */
    for (size_t i = 0; i < o->op_count; i++) {
        const tut_onnx_op *op = &o->ops[i];
        bool is_here = o->functions.name_count > 0 &&
                       bsearch(&op->hash, o->functions.names, o->functions.name_count,
                               sizeof(op->hash), compare_hashes);
        if (!is_here && !is_known_domain(op->domain) && !is_python_op(op->domain, op->name))
            tut_exam_observe(o->x, "onnx.custom-operator", TUT_NO_OFFSET,
                             "operator %s of domain \"%s\" comes from a library outside the file",
                             op->name, op->domain);
    }
}

static int compare_counts(const void *a, const void *b)
{
    const tut_onnx_op *x = a;
    const tut_onnx_op *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void report_ops(tut_onnx *o)
{
    enum { SHOWN = 8 };
    TUT_CLEAN(tut_buf) list;
    tut_buf_init(&list, 2048);
    qsort(o->ops, o->op_count, sizeof(o->ops[0]), compare_counts);
    for (size_t i = 0; i < o->op_count && i < SHOWN; i++)
        tut_buf_printf(&list, "%s%s %" PRIu64, i ? ", " : "", o->ops[i].name, o->ops[i].count);
    if (o->op_count > SHOWN)
        tut_buf_printf(&list, ", and %zu more", o->op_count - SHOWN);
    if (list.len)
        tut_exam_fact(o->x, "onnx.ops", tut_buf_str(&list));
}

static void report_opsets(tut_onnx *o)
{
    TUT_CLEAN(tut_buf) list;
    tut_buf_init(&list, 2048);
    for (int own = 1; own >= 0; own--)
        for (size_t i = 0; i < o->model.count; i++) {
            const tut_onnx_domain *d = &o->model.domains[i];
            if (!d->is_declared || (d->name[0] == '\0') != (own == 1))
                continue;
            tut_buf_printf(&list, "%s%s%s%" PRId64, list.len ? ", " : "", d->name,
                           d->name[0] ? " " : "", d->version);
        }
    if (list.len)
        tut_exam_fact(o->x, "onnx.opset", tut_buf_str(&list));
}

void tut_onnx_report(tut_onnx *o)
{
    if (o->model.has_import || o->ir >= 3)
        check_scope(o, &o->model, "the graph");
    check_ops(o);
    tut_exam_factf(o->x, "onnx.ir", "%" PRIu64, o->ir);
    if (o->producer[0])
        tut_exam_factf(o->x, "onnx.producer", "%s%s%s", o->producer,
                       o->producer_version[0] ? " " : "", o->producer_version);
    report_opsets(o);
    tut_exam_factf(o->x, "onnx.nodes", "%" PRIu64, o->nodes);
    if (o->function_count)
        tut_exam_factf(o->x, "onnx.functions", "%" PRIu64, o->function_count);
    report_ops(o);
    tut_exam_factf(o->x, "parameters", "%" PRIu64, o->parameters);
}
