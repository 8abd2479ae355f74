/* A worker's reply that nobody vouches for: refused, or a tree whose walk ends. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/yaml_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const tut_yaml *y)
{
    const tut_yaml_node *stack[TUT_LIMIT_YAML_DEPTH + 2] = {tut_yaml_root(y)};
    size_t depth = stack[0] ? 1 : 0;
    size_t count = 0;
    while (depth > 0) {
        const tut_yaml_node *n = stack[depth - 1];
        if (n->start > n->end || n->end > tut_yaml_source(y).len || ++count > y->count)
            abort();
        const tut_yaml_node *next = tut_yaml_first(y, n);
        if (next) {
            if (depth == sizeof stack / sizeof stack[0])
                abort();
            stack[depth++] = next;
            continue;
        }
        while (depth > 0 && !(next = tut_yaml_next(y, stack[depth - 1])))
            depth--;
        if (depth > 0)
            stack[depth - 1] = next;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "a: [1, 2]\nb: {c: \"x\"}\n";
    TUT_AUTO(tut_yaml) y = NULL;
    tut_error err = {0};
    tut_status s = tut_yaml_decode(tut_str_of(text), tut_span_of(data, size), &y, &err);
    if (tut_is_ok(s) ? walk(y) != y->count : !err.text[0])
        abort();
    return 0;
}
