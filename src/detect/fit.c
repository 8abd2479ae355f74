#include "detect/fit.h"

#include "detect/fit_internal.h"

static void use_all(const fit *f, tut_head head, bool *uses)
{
    for (size_t i = 0; i < f->count; i++)
        uses[i] = head == TUT_HEAD_STRETCH ||
                  f->samples[i].is_document == (head == TUT_HEAD_SEGMENT);
}

static tut_status fit_all(fit *f, tut_model *m, tut_error *err)
{
    TUT_AUTO_FREE bool *held = tut_alloc_array(f->count, sizeof(*held));
    TUT_AUTO_FREE bool *uses = tut_alloc_array(f->count, sizeof(*uses));
    if (!held || !uses)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int documents = 0; documents < 2; documents++) {
        fit_outside o = {0};
        TUT_TRY(fit_look_outside(f, held, documents, &o, err)); /* nothing held: clean text alone */
        tut_status status = fit_set_limits(f, &o, documents ? TUT_FROM_DATA : TUT_FROM_USER, m,
                                           err);
        fit_outside_done(&o);
        TUT_TRY(status);
        f->stretch_middle = m->middle[TUT_LOGIT_STRETCH];
    }
    for (int h = 0; h < TUT_HEAD_COUNT; h++) {
        use_all(f, (tut_head)h, uses);
        TUT_TRY(fit_train(f, (tut_head)h, uses, m, err));
        if (h == TUT_HEAD_SYMBOLS)
            TUT_TRY(fit_train_mixer(f, uses, m, err));
    }
    return TUT_SUCCESS;
}

/* A first model, of all there is, says where the last one will look. */
static tut_status find_rows(fit *f, tut_model *m, tut_error *err)
{
    TUT_AUTO_FREE bool *uses = tut_alloc_array(f->count, sizeof(*uses));
    static const tut_head heads[] = {TUT_HEAD_WORDS, TUT_HEAD_STRETCH, TUT_HEAD_SEGMENT};
    if (!uses)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int again = 0; again < 2; again++) {
        for (size_t h = (size_t)again; h < sizeof(heads) / sizeof(heads[0]); h++) {
            use_all(f, heads[h], uses);
            TUT_TRY(fit_train(f, heads[h], uses, m, err));
        }
        TUT_TRY(fit_rows_mine(f, m, err));
    }
    return TUT_SUCCESS;
}

static void write_data(fit *f)
{
    size_t counts[2][2] = {{0}};
    for (size_t i = 0; i < f->count; i++)
        counts[f->samples[i].is_document][f->samples[i].is_attack]++;
    tut_buf_printf(
        f->card,
        "User text: %zu attacks, %zu clean. Documents: %zu with something planted, %zu clean. "
        "%zu rows were there twice and were left out, and %zu whose licence does not let weights "
        "be "
        "given away.\n",
        counts[0][1], counts[0][0], counts[1][1], counts[1][0], f->duplicates, f->unlicensed);
}

tut_status tut_fit(const tut_fit_options *options, tut_buf *weights, tut_buf *card, tut_error *err)
{
    TUT_AUTO(tut_model) m = NULL;
    fit *f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->options = options;
    f->card = card;
    tut_status status = tut_model_new(&m, err);
    if (tut_is_ok(status))
        status = fit_data_load(f, err);
    if (tut_is_ok(status))
        status = fit_rows_make(f, err);
    if (tut_is_ok(status))
        status = find_rows(f, m, err);
    if (tut_is_ok(status))
        status = fit_all(f, m, err);
    if (tut_is_ok(status))
        write_data(f);
    for (int documents = 0; documents < 2 && options->measures && tut_is_ok(status); documents++)
        status = fit_measure(f, documents, err);
    if (tut_is_ok(status)) {
        tut_model_write(m, weights);
        status = tut_buf_check(weights, err);
    }
    fit_data_done(f);
    tut_free(f);
    return status;
}
