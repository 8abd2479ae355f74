/* Two samples of the same data: what is class 3 in one is class 3 in the other. */
#include <stdlib.h>
#include <string.h>

#include "probe/sample_internal.h"

typedef struct class_name {
    const char *text;
    int64_t value;
    bool is_whole;
} class_name;

static class_name name_of(const char *text)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    return (class_name){text, value, text[0] != '\0' && *end == '\0'};
}

static int in_order(const void *a, const void *b)
{
    const class_name *x = a, *y = b;
    if (x->is_whole && y->is_whole && x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (x->is_whole != y->is_whole)
        return x->is_whole ? -1 : 1;
    return strcmp(x->text, y->text);
}

static uint32_t place_of(const char (*names)[64], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (uint32_t)i;
    return UINT32_MAX;
}

static tut_status rename_classes(tut_sample *s, const char (*names)[64], size_t count,
                                 tut_error *err)
{
    uint32_t *to = tut_alloc_array(s->classes + 1, sizeof(*to));
    char(*own)[64] = tut_alloc_array(count, sizeof(*own));
    if (!to || !own) {
        tut_free(to);
        tut_free(own);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    for (size_t i = 0; i < s->classes; i++)
        to[i] = place_of(names, count, s->class_names[i]);
    for (size_t i = 0; i < s->count; i++)
        s->labels[i] = to[s->labels[i]];
    memcpy(own, names, count * sizeof(*own));
    tut_free(s->class_names);
    tut_free(to);
    s->class_names = own;
    s->classes = count;
    return TUT_SUCCESS;
}

static tut_status check_columns(const tut_sample *a, const tut_sample *b, tut_error *err)
{
    if (a->width != b->width)
        return tut_fail(err, TUT_USAGE, "one has %zu columns, the other %zu", a->width, b->width);
    for (size_t i = 0; i < a->width; i++)
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0)
            return tut_fail(err, TUT_USAGE, "column %zu is %s in one and %s in the other", i,
                            a->columns[i].name, b->columns[i].name);
    return TUT_SUCCESS;
}

tut_status tut_sample_align(tut_sample *a, tut_sample *b, tut_error *err)
{
    size_t count = 0;
    TUT_TRY(check_columns(a, b, err));
    if (!a->labels || !b->labels)
        return TUT_SUCCESS;
    TUT_AUTO_FREE class_name *all = tut_alloc_array(a->classes + b->classes, sizeof(*all));
    TUT_AUTO_FREE char(*names)[64] = tut_alloc_array(a->classes + b->classes, sizeof(*names));
    if (!all || !names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < a->classes; i++)
        all[count++] = name_of(a->class_names[i]);
    for (size_t i = 0; i < b->classes; i++)
        if (place_of((const char(*)[64])a->class_names, a->classes, b->class_names[i]) ==
            UINT32_MAX)
            all[count++] = name_of(b->class_names[i]);
    qsort(all, count, sizeof(*all), in_order);
    for (size_t i = 0; i < count; i++)
        tut_str_copy(names[i], sizeof(names[i]), tut_str_of(all[i].text));
    TUT_TRY(rename_classes(a, (const char(*)[64])names, count, err));
    return rename_classes(b, (const char(*)[64])names, count, err);
}
