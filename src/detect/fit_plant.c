/* Documents with something planted in them, and without. */
#include "detect/fit_internal.h"

void fit_planter_done(fit_planter *p)
{
    tut_grammar_free(p->user);
    tut_grammar_free(p->document);
    tut_buf_done(&p->text);
    tut_buf_done(&p->plant);
    tut_free(p->bare);
}

/* A place: begin, end, behind a line, a sentence or a word, or anywhere. */
size_t fit_place_in(fit_planter *p, tut_str around)
{
    enum { BEGIN = 8, END = 20, LINE = 60, SENTENCE = 75, WORD = 95 };
    uint64_t how = tut_random_below(&p->random, 100);
    if (how < BEGIN || around.len < 4)
        return 0;
    if (how < END)
        return around.len;
    size_t at = (size_t)tut_random_below(&p->random, around.len);
    for (size_t i = at; i < around.len && how < WORD; i++) {
        if (around.data[i] == '\n' && how < LINE)
            return i + 1;
        if (around.data[i] == ' ' && i && (around.data[i - 1] == '.' || how >= SENTENCE))
            return i + 1;
    }
    return how < WORD ? around.len : at;
}

static tut_status choose_plant(fit *f, fit_planter *p, fit_sample *s, tut_error *err)
{
    enum { BARE = 25, PLANTS = 43 };
    tut_buf_clear(&p->plant);
    uint64_t how = tut_random_below(&p->random, 100);
    if (how < BARE && p->bare_count) {
        size_t i = (size_t)tut_random_below(&p->random, p->bare_count);
        tut_str b = p->bare[i];
        s->family = p->bare_families[i];
        tut_buf_add(&p->plant, b.data, b.len > 260 ? 260 : b.len);
        return TUT_SUCCESS;
    }
    bool is_user = how >= BARE + PLANTS;
    const tut_grammar *g = is_user ? p->user : p->document;
    const tut_grammar_list *l = tut_grammar_pick(g, is_user ? "user attack" : "plant", &p->random);
    s->family = fit_family_of(f, is_user ? "user shape " : "plant ", l->name);
    return tut_grammar_write(g, l, &p->random, &p->plant, err);
}

static tut_status add_document(fit *f, fit_planter *p, tut_str around, fit_sample s,
                               bool is_planted, tut_error *err)
{
    around.len = around.len > FIT_TEXT_MAX ? FIT_TEXT_MAX : around.len;
    s.is_document = true;
    s.family = s.carrier;
    if (is_planted) {
        TUT_TRY(choose_plant(f, p, &s, err));
        s.is_attack = true;
    } else {
        tut_buf_clear(&p->plant);
        if (tut_random_below(&p->random, 3) == 0) /* foreign is not hostile */
            TUT_TRY(tut_grammar_write(p->document,
                                      tut_grammar_pick(p->document, "neutral", &p->random),
                                      &p->random, &p->plant, err));
    }
    tut_str plant = tut_buf_str(&p->plant);
    size_t at = fit_place_in(p, around), len = around.len + plant.len + 2;
    s.text = tut_alloc_array(len + 1, 1);
    if (!s.text)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char glue = at && around.data[at - 1] == '\n' ? '\n' : ' ';
    memcpy(s.text, around.data, at);
    size_t out = at;
    if (plant.len) {
        if (at == around.len && at)
            s.text[out++] = glue;
        s.planted = (uint32_t)out;
        memcpy(s.text + out, plant.data, plant.len);
        out += plant.len;
        s.planted_end = (uint32_t)out;
        if (at < around.len)
            s.text[out++] = glue;
    }
    memcpy(s.text + out, around.data + at, around.len - at);
    s.len = (uint32_t)(out + around.len - at);
    if (!s.is_attack)
        s.planted = s.planted_end = 0;
    return fit_add_sample(f, s, err);
}

tut_status fit_add_context(fit *f, fit_planter *p, tut_str text, const char *name, unsigned fold,
                           tut_error *err)
{
    fit_sample s = {.carrier = fit_family_of(f, "document ", tut_str_of(name)),
                    .fold = (uint8_t)fold};
    TUT_TRY(add_document(f, p, text, s, false, err));
    return add_document(f, p, text, s, true, err);
}
