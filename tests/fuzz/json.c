/* The JSON reader on any bytes, against the grammar that explains its refusals, and what it read
 * written back and read again. */
#include <stdlib.h>

#include "base/json.h"
#include "base/json_internal.h"
#include "base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

typedef struct level {
    const tut_json_value *container;
    uint32_t next;
} level;

static void write_scalar(tut_json *j, const tut_json_value *v)
{
    switch (v->type) {
    case TUT_JSON_NULL:
    case TUT_JSON_ARRAY:
    case TUT_JSON_OBJECT:
        tut_json_null(j);
        break;
    case TUT_JSON_BOOL:
        tut_json_bool(j, v->as.boolean);
        break;
    case TUT_JSON_INT:
        tut_json_int(j, v->as.integer);
        break;
    case TUT_JSON_UINT:
        tut_json_u64(j, v->as.uinteger);
        break;
    case TUT_JSON_REAL:
        tut_json_real(j, v->as.real);
        break;
    case TUT_JSON_STRING:
        tut_json_str(j, v->as.string);
        break;
    }
}

/* Writes v, or opens it and puts it on the stack. */
static size_t begin(tut_json *j, level *stack, size_t depth, const tut_json_value *v)
{
    if (v->type != TUT_JSON_ARRAY && v->type != TUT_JSON_OBJECT) {
        write_scalar(j, v);
        return depth;
    }
    if (v->type == TUT_JSON_OBJECT)
        tut_json_object(j);
    else
        tut_json_array(j);
    demand(depth < TUT_JSON_WRITE_DEPTH);
    stack[depth] = (level){v, 0};
    return depth + 1;
}

static void write_tree(tut_json *j, const tut_json_value *root)
{
    level stack[TUT_JSON_WRITE_DEPTH];
    size_t depth = begin(j, stack, 0, root);
    while (depth > 0) {
        level *top = &stack[depth - 1];
        const tut_json_value *child = tut_json_item(top->container, top->next++);
        if (child) {
            if (top->container->type == TUT_JSON_OBJECT)
                tut_json_key_str(j, child->key);
            depth = begin(j, stack, depth, child);
            continue;
        }
        if (top->container->type == TUT_JSON_OBJECT)
            tut_json_end_object(j);
        else
            tut_json_end_array(j);
        depth--;
    }
}

static void write_document(const tut_json_doc *doc, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    demand(tut_is_ok(tut_json_new(out, &j)));
    write_tree(j, tut_json_root(doc));
    demand(tut_is_ok(tut_json_finish(j, NULL)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_span text = tut_span_of(data, size);
    tut_error err = {0};
    const char *why = NULL;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_status s = tut_json_parse(text, NULL, &doc, &err);
    size_t at = tut_json_locate(tut_str_from(text), &why);
    demand(at <= size);
    if (!tut_is_ok(s)) {
        demand(err.text[0] && (!err.has_offset || err.offset <= size));
        TUT_AUTO(tut_json_doc) loose = NULL;
        tut_json_options options = {.allow_duplicates = true};
        TUT_IGNORE(tut_json_parse(text, &options, &loose, NULL));
        return 0;
    }
    demand(why == NULL && at == size);
    TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) twice = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) again = NULL;
    write_document(doc, &once);
    demand(tut_is_ok(tut_json_parse(tut_buf_span(&once), NULL, &again, NULL)));
    write_document(again, &twice);
    demand(tut_str_eq(tut_buf_str(&once), tut_buf_str(&twice)));
    return 0;
}
