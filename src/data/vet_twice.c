#include "data/vet_twice.h"

#include <string.h>

void vet_twice_done(vet_twice *t)
{
    tut_near_free(t->near);
    tut_buf_done(&t->text);
}

static tut_status lend_scratch(void *ctx, int *ret_fd, tut_error *err)
{
    vet_twice *t = ctx;
    return tut_cage_scratch(t->task, ret_fd, err);
}

tut_status vet_twice_init(vet_twice *t, tut_cage_task *task, tut_error *err)
{
    *t = (vet_twice){.task = task};
    const tut_near_options options = {.scratch = lend_scratch, .ctx = t};
    return tut_near_new(&options, &t->near, err);
}

tut_status vet_twice_add(vet_twice *t, uint32_t dataset, tut_split split, const tut_batch *b,
                         tut_error *err)
{
    return tut_near_add_rows(t->near, dataset, split, b, &t->text, err);
}

tut_status vet_twice_finish(vet_twice *t, tut_error *err)
{
    return tut_near_finish(t->near, err);
}

static void count(const vet_twice *t, uint32_t dataset, tut_vet_dataset *d)
{
    size_t count;
    const tut_near_document *docs = tut_near_documents(t->near, &count);
    const tut_near_counts *all = tut_near_about(t->near);
    for (size_t i = 0; i < count; i++) {
        if (docs[i].dataset != dataset)
            continue;
        d->exact += docs[i].link != TUT_NEAR_NONE && docs[i].is_exact;
        d->near += docs[i].link != TUT_NEAR_NONE && !docs[i].is_exact;
    }
    d->unverified = all->pairs_left_out + all->unmatched;
}

tut_status vet_twice_report(const vet_twice *t, uint32_t dataset, const char *const *names,
                            size_t name_count, tut_vet_dataset *d, tut_error *err)
{
    size_t before = d->found.count;
    count(t, dataset, d);
    d->checks |= TUT_VET_BIT(TUT_VET_DUPLICATES);
    TUT_TRY(tut_near_report(t->near, dataset, (tut_str){"", 0}, names, name_count, &d->found, err));
    for (size_t i = before; i < d->found.count; i++)
        if (strcmp(d->found.items[i].rule, "dataset.leakage") == 0)
            d->leaked += d->found.items[i].count;
    return TUT_SUCCESS;
}
