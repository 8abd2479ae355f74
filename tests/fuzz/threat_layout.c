/* What Graphviz writes, whatever it holds: a layout with every node in it, or refused. */
#include <stdlib.h>

#include "assess/graphviz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_layout *l = NULL;
    tut_error err = {0};
    tut_status status = tut_layout_read((tut_str){(const char *)data, size}, false, 2, 2, 2, &l,
                                        &err);
    if (!tut_is_ok(status)) {
        if (!err.text[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < l->node_count; i++)
        if (!l->nodes[i].is_there)
            abort();
    for (size_t i = 0; i < l->edge_count; i++)
        if (l->edges[i].first + l->edges[i].count > l->point_count)
            abort();
    tut_layout_free(l);
    return 0;
}
