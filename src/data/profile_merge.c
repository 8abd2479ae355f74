/* Two columns of profiles become one. */
#include <math.h>

#include "data/profile_internal.h"

static tut_status merge_values(tut_profile_column *c, const tut_profile_column *from,
                               tut_error *err)
{
    bool are_few = c->values.used + from->values.used <= TUT_HEAVY_COUNTERS;
    bool is_exact = !c->distinct && !from->distinct && are_few;
    if (!is_exact && !c->distinct)
        TUT_TRY(profile_begin_distinct(c, err));
    if (!is_exact && from->distinct)
        tut_distinct_merge(c->distinct, from->distinct);
    for (uint32_t i = 0; !is_exact && !from->distinct && i < from->values.slots; i++)
        if (from->values.items[i].count)
            tut_distinct_add(c->distinct, from->values.items[i].hash);
    return tut_heavy_merge(&c->values, &from->values, err);
}

static void merge_shapes(tut_profile_column *c, const tut_profile_column *from)
{
    uint8_t marks[TUT_PROFILE_SHAPES + 1];
    for (size_t i = 0; i <= TUT_PROFILE_SHAPES; i++)
        marks[i] = TUT_PROFILE_SHAPES;
    for (size_t i = 0; i < from->shape_count; i++) {
        size_t k = 0;
        while (k < c->shape_count && strcmp(c->shapes[k].text, from->shapes[i].text) != 0)
            k++;
        if (k < c->shape_count)
            c->shapes[k].count += from->shapes[i].count;
        else if (k < TUT_PROFILE_SHAPES)
            c->shapes[c->shape_count++] = from->shapes[i];
        else
            c->shapeless += from->shapes[i].count;
        marks[i] = (uint8_t)k;
    }
    c->shapeless += from->shapeless;
    for (uint32_t i = 0; i < from->values.slots; i++) { /* merged already: marks are theirs */
        if (!from->values.items[i].count || !isnan(from->values.items[i].number))
            continue;
        tut_heavy_item *item = tut_heavy_find(&c->values, from->values.items[i].hash);
        if (item)
            item->mark = marks[from->values.items[i].mark];
    }
}

static void merge_order(tut_profile_column *c, const tut_profile_column *from)
{
    bool is_first = c->numbers.count == 0;
    if (from->numbers.count == 0)
        return;
    c->is_increasing &= from->is_increasing && (is_first || from->first > c->last);
    c->first = is_first ? from->first : c->first;
    c->last = from->last;
}

tut_status profile_column_merge(tut_profile_column *c, const tut_profile_column *from,
                                tut_error *err)
{
    const tut_profile_numbers *n = &from->numbers;
    const tut_profile_texts *t = &from->texts;
    for (size_t i = 0; i < TUT_PROFILE_KINDS; i++)
        c->kinds[i] += from->kinds[i];
    merge_order(c, from);
    c->numbers.nans += n->nans;
    c->numbers.infinite += n->infinite;
    c->numbers.zeros += n->zeros;
    c->numbers.negative += n->negative;
    if (n->count) {
        profile_add_range(&c->numbers, n->least, n->most);
        profile_add_moments(&c->numbers, n->count, n->mean, n->m2);
    }
    TUT_TRY(tut_quantiles_merge(&c->numbers.sketch, &n->sketch, err));
    if (t->count) {
        c->texts.least = c->texts.count && c->texts.least < t->least ? c->texts.least : t->least;
        c->texts.most = c->texts.most > t->most ? c->texts.most : t->most;
    }
    c->texts.count += t->count;
    c->texts.empty += t->empty;
    c->texts.bytes += t->bytes;
    TUT_TRY(tut_quantiles_merge(&c->texts.lengths, &t->lengths, err));
    c->has_values &= from->has_values;
    if (c->has_values)
        TUT_TRY(merge_values(c, from, err));
    merge_shapes(c, from);
    return TUT_SUCCESS;
}
