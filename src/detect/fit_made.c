/* What is made up from the grammars. */
#include <stdio.h>

#include "detect/fit_internal.h"

extern const unsigned char tut_detect_clean_texts[], tut_detect_clean_texts_end[];

/* Pieces of sources and documentation: "%% code" and the text, until the next. */
tut_status fit_take_clean_texts(fit *f, fit_planter *p, tut_error *err)
{
    tut_str rest = {(const char *)tut_detect_clean_texts,
                    (size_t)(tut_detect_clean_texts_end - tut_detect_clean_texts)};
    size_t at, end;
    for (unsigned n = 0; tut_str_find(rest, TUT_LIT("\n%% "), &at); n++) {
        rest = (tut_str){rest.data + at + 4, rest.len - at - 4};
        const char *line = memchr(rest.data, '\n', rest.len);
        if (!line)
            break;
        char kind[16];
        (void)snprintf(kind, sizeof(kind), "%.*s", (int)(line - rest.data), rest.data);
        tut_str text = {line + 1, rest.len - (size_t)(line + 1 - rest.data)};
        if (tut_str_find(text, TUT_LIT("\n%% "), &end))
            text.len = end;
        for (int i = 0; i < 4; i++)
            TUT_TRY(fit_add_context(f, p, text, kind, n % 2, err));
    }
    return TUT_SUCCESS;
}

tut_status fit_make_user_texts(fit *f, fit_planter *p, tut_error *err)
{
    for (int i = 0; i < 2 * FIT_MADE; i++) {
        bool is_attack = i % 2;
        const tut_grammar_list *l =
            tut_grammar_pick(p->user, is_attack ? "user attack" : "user benign", &p->random);
        tut_buf_clear(&p->text);
        TUT_TRY(tut_grammar_write(p->user, l, &p->random, &p->text, err));
        fit_sample s = {.is_attack = is_attack, .is_made = true};
        s.family = fit_family_of(f, is_attack ? "user shape " : "clean shape ", l->name);
        s.fold = (uint8_t)(s.family % FIT_FOLDS); /* whole shapes are out of a fold */
        TUT_TRY(fit_add_text(f, tut_buf_str(&p->text), s, err));
    }
    return TUT_SUCCESS;
}

/* What people paste into a request: documents of the first fold, the second is for limits. */
tut_status fit_make_long_texts(fit *f, fit_planter *p, tut_error *err)
{
    TUT_AUTO_FREE uint32_t *clean = tut_alloc_array(f->count + 1, sizeof(*clean));
    size_t n = 0;
    if (!clean)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < f->count; i++)
        if (f->samples[i].is_document && !f->samples[i].is_attack && f->samples[i].fold == 0)
            clean[n++] = i;
    for (int i = 0; n > 0 && i < FIT_MADE / 7; i++) {
        size_t most = 400u << tut_random_below(&p->random, 5);
        tut_buf_clear(&p->text);
        TUT_TRY(tut_grammar_write(p->user, tut_grammar_pick(p->user, "user benign", &p->random),
                                  &p->random, &p->text, err));
        while (p->text.len < most) {
            const fit_sample *d = &f->samples[clean[tut_random_below(&p->random, n)]];
            tut_buf_add_z(&p->text, "\n\n");
            tut_buf_add(&p->text, d->text, d->len);
        }
        TUT_TRY(tut_buf_check(&p->text, err));
        fit_sample s = {.is_made = true,
                        .family = fit_family_of(f, "clean shape ", TUT_LIT("long"))};
        TUT_TRY(fit_add_text(f, tut_buf_str(&p->text), s, err));
    }
    return TUT_SUCCESS;
}

tut_status fit_make_documents(fit *f, fit_planter *p, tut_error *err)
{
    for (int i = 0; i < FIT_MADE / 5; i++) {
        tut_buf_clear(&p->text);
        const tut_grammar_list *l = NULL;
        uint64_t parts = 1 + tut_random_below(&p->random, 3);
        do {
            l = tut_grammar_pick(p->document, "carrier", &p->random);
            TUT_TRY(tut_grammar_write(p->document, l, &p->random, &p->text, err));
            tut_buf_add_z(&p->text, "\n\n");
        } while (--parts);
        TUT_TRY(fit_add_context(f, p, tut_buf_str(&p->text), "made up", (unsigned)(l->name.len % 2),
                                err));
        f->samples[f->count - 1].is_made = f->samples[f->count - 2].is_made = true;
    }
    return TUT_SUCCESS;
}

/* Clean texts that a user attack is put into: what is around it says nothing, and its place less.
 */
static tut_status choose_around(fit *f, fit_planter *p, const uint32_t *clean, size_t count,
                                tut_error *err)
{
    tut_buf_clear(&p->text);
    if (tut_random_below(&p->random, 2))
        return tut_grammar_write(p->user, tut_grammar_pick(p->user, "user benign", &p->random),
                                 &p->random, &p->text, err);
    const fit_sample *d = &f->samples[clean[tut_random_below(&p->random, count)]];
    size_t len = (size_t)64 << tut_random_below(&p->random, 5);
    size_t from = d->len > len ? (size_t)tut_random_below(&p->random, d->len - len) : 0;
    tut_buf_add(&p->text, d->text + from, d->len - from < len ? d->len - from : len);
    return tut_buf_check(&p->text, err);
}

tut_status fit_make_planted(fit *f, fit_planter *p, tut_error *err)
{
    TUT_AUTO_FREE uint32_t *clean = tut_alloc_array(f->count + 1, sizeof(*clean));
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    size_t n = 0;
    if (!clean)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < f->count; i++)
        if (f->samples[i].is_document && !f->samples[i].is_attack && f->samples[i].fold == 0)
            clean[n++] = i;
    for (int i = 0; n > 0 && i < FIT_PLANTED; i++) {
        const tut_grammar_list *l = tut_grammar_pick(p->user, "user attack", &p->random);
        fit_sample s = {.is_attack = true, .is_made = true, .has_document = true};
        TUT_TRY(choose_around(f, p, clean, n, err));
        tut_buf_clear(&p->plant);
        TUT_TRY(tut_grammar_write(p->user, l, &p->random, &p->plant, err));
        tut_str around = tut_buf_str(&p->text), plant = tut_buf_str(&p->plant);
        size_t at = fit_place_in(p, around);
        bool is_inside = at > 0 && around.data[at - 1] != '\n';
        tut_buf_clear(&whole);
        tut_buf_add(&whole, around.data, at);
        if (is_inside)
            tut_buf_add_byte(&whole, ' ');
        s.planted = (uint32_t)whole.len;
        tut_buf_add(&whole, plant.data, plant.len);
        s.planted_end = (uint32_t)whole.len;
        tut_buf_add_byte(&whole, is_inside ? ' ' : '\n');
        tut_buf_add(&whole, around.data + at, around.len - at);
        TUT_TRY(tut_buf_check(&whole, err));
        s.family = fit_family_of(f, "user shape ", l->name);
        s.fold = (uint8_t)(s.family % FIT_FOLDS);
        TUT_TRY(fit_add_text(f, tut_buf_str(&whole), s, err));
    }
    return TUT_SUCCESS;
}
