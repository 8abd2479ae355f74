/*
 * What the front matter of a model card says beside licence and references: languages, tags, and
 * the results of the model index, each as "METRIC=VALUE on DATASET".
 *
 *   model-index = [ { results = [ { task, dataset = { name, type }, metrics = [ { type, name,
 *                 value } ] } ] } ]
 */
#include <string.h>

#include "formats/conf.h"
#include "formats/text.h"

/* Open containers when a value of this kind is at hand; the root is the first. */
enum { IN_RESULT_PART = 6, IN_METRIC = 7, WORDS_MAX = 32, METRICS_MAX = 64 };

static bool is_at(const tut_conf *c, size_t level, const char *key)
{
    return tut_str_eq_z(tut_conf_key_at(c, level), key);
}

static bool is_in_results(const tut_conf *c)
{
    return is_at(c, 1, "model-index") && is_at(c, 3, "results");
}

/* "language: en", or a list of them. */
static bool is_word_of(const tut_conf *c, tut_str key, const char *what)
{
    return c->depth == 1 ? tut_str_eq_z(key, what)
                         : c->depth == 2 && !c->levels[1].is_map && is_at(c, 1, what);
}

void tut_conf_note_card(tut_conf *c, tut_str key, tut_str text)
{
    tut_conf_card *card = &c->card;
    if (text.len == 0 || tut_str_eq_z(text, "null") || tut_str_eq_z(text, "~"))
        return;
    if (is_word_of(c, key, "language") && card->languages++ < WORDS_MAX)
        tut_text_fact(c->x, "card.language", text);
    if (is_word_of(c, key, "tags") && card->tags++ < WORDS_MAX)
        tut_text_fact(c->x, "card.tag", text);
    if (!is_in_results(c))
        return;
    if (c->depth == IN_RESULT_PART && is_at(c, 5, "dataset")) {
        bool is_name = tut_str_eq_z(key, "name");
        if (is_name || (tut_str_eq_z(key, "type") && !card->dataset[0]))
            tut_str_copy(card->dataset, sizeof(card->dataset), text);
    }
    if (c->depth == IN_RESULT_PART && is_at(c, 5, "task") && tut_str_eq_z(key, "type") &&
        card->tasks++ == 0)
        tut_text_fact(c->x, "card.task", text);
    if (c->depth != IN_METRIC || !is_at(c, 5, "metrics"))
        return;
    if (tut_str_eq_z(key, "type") || (tut_str_eq_z(key, "name") && !card->metric[0]))
        tut_str_copy(card->metric, sizeof(card->metric), text);
    if (tut_str_eq_z(key, "value"))
        tut_str_copy(card->value, sizeof(card->value), text);
}

/* A metric is whole when its container closes; a result's data set ends with the result. */
void tut_conf_close_card(tut_conf *c)
{
    tut_conf_card *card = &c->card;
    if (!is_in_results(c))
        return;
    if (c->depth == IN_METRIC && is_at(c, 5, "metrics")) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "%s=%s", card->metric, card->value);
        if (card->dataset[0])
            tut_buf_printf(&text, " on %s", card->dataset);
        if (card->metric[0] && card->value[0] && card->metrics++ < METRICS_MAX)
            tut_text_fact(c->x, "card.metric", tut_buf_str(&text));
        card->metric[0] = card->value[0] = '\0';
    }
    if (c->depth == IN_RESULT_PART - 1)
        card->dataset[0] = '\0';
}
