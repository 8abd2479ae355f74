#include "finding.h"

#include "asking.h"

/* Below this an article is about something else; between the two groups of the questions that are
 * committed with the example and sentences about other things. */
static const float NEAR = 0.7f;

static bool is_within(tut_str inner, tut_str outer)
{
    return inner.data >= outer.data && inner.data + inner.len <= outer.data + outer.len;
}

/* The order that the user asks about is what a result of a tool is about. */
static tut_str about_order(const assistant_reading *r, const assistant_kind *kinds)
{
    tut_str order = assistant_asked_order(r->asked);
    for (size_t i = 0; order.len && i < r->sentence_count; i++) {
        tut_str s = r->sentences[i];
        if (kinds[i] == ASSISTANT_INFORM && !is_within(s, r->asked) &&
            tut_str_eq(assistant_asked_order(s), order))
            return s;
    }
    return (tut_str){NULL, 0};
}

static bool asks(const assistant_reading *r, const assistant_kind *kinds)
{
    for (size_t i = 0; i < r->sentence_count; i++)
        if (kinds[i] == ASSISTANT_QUESTION && is_within(r->sentences[i], r->asked))
            return true;
    return false;
}

tut_status assistant_nearest(assistant_brain *b, const assistant_reading *r,
                             const assistant_article **ret_article, tut_error *err)
{
    float place[ASSISTANT_SPACE], best = NEAR;
    TUT_TRY(assistant_place(b, &r->asked, 1, place, err));
    *ret_article = NULL;
    for (size_t i = 0; i < assistant_article_count(b); i++) {
        const assistant_article *a = assistant_article_at(b, i);
        float near = assistant_near(place, a->place);
        if (near < best)
            continue;
        best = near;
        *ret_article = a;
    }
    return TUT_SUCCESS;
}

static void add_article(const assistant_article *a, tut_buf *text)
{
    tut_buf_add_str(text, a->text);
    tut_buf_add_z(text, " (");
    tut_buf_add_str(text, a->id);
    tut_buf_add_z(text, ", ");
    tut_buf_add_str(text, a->title);
    tut_buf_add_z(text, ": ");
    tut_buf_add_str(text, a->url);
    tut_buf_add_z(text, ")");
}

void assistant_find(const assistant_reading *r, const assistant_kind *kinds,
                    const assistant_article *article, tut_buf *text)
{
    if (text->len && !asks(r, kinds))
        return;
    tut_str told = about_order(r, kinds);
    if (text->len)
        tut_buf_add_z(text, "\n\n");
    if (told.len)
        tut_buf_add_str(text, told);
    else if (article)
        add_article(article, text);
    else
        tut_buf_add_z(text, "No article fits that. Shall I open a ticket?");
}
