#include <stdio.h>

#include "detect/detect_internal.h"

static tut_detect_reason *add_reason(tut_detect_verdict *v, const char *code, uint64_t at)
{
    if (v->reason_count == TUT_DETECT_REASONS)
        return NULL;
    tut_detect_reason *r = &v->reasons[v->reason_count++];
    *r = (tut_detect_reason){.code = code, .at = at};
    return r;
}

void tut_verdict_say(tut_detect_verdict *v, const char *code, uint64_t at, const char *fmt, ...)
{
    tut_detect_reason *r = add_reason(v, code, at);
    va_list ap;
    if (!r)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(r->text, sizeof(r->text), fmt, ap);
    va_end(ap);
}

/* What kinds of words are in it: "override, prior, instruction". */
static void name_symbols(const tut_tokens *t, const tut_margin *m, char *to, size_t cap)
{
    uint64_t seen = 0;
    size_t len = 0, names = 0;
    to[0] = '\0';
    for (size_t i = m->first; i <= m->last && i < t->count && names < 6; i++) {
        uint8_t s = t->items[i].symbol;
        if (!tut_symbol_is_class(s) || (seen & 1ull << s))
            continue;
        seen |= 1ull << s;
        const char *name = tut_symbol_name(s);
        int wrote = snprintf(to + len, cap - len, "%s", names ? ", " : "");
        len += (size_t)wrote;
        for (; *name && len + 1 < cap; name++)
            to[len++] = (char)(*name | 0x20);
        to[len] = '\0';
        names++;
    }
}

void tut_verdict_take(tut_detector *d)
{
    const tut_hidden_piece *piece = d->piece ? &d->hidden.items[d->piece - 1] : NULL;
    const tut_margin *m = &d->margin;
    tut_best *b = &d->best;
    if (m->length == 0 || d->tokens.count == 0)
        return;
    /* What a long text hides has as many chances to be wrong as it has itself. */
    d->length = m->length > d->length ? m->length : d->length;
    float against = tut_model_against(d->model, d->from, d->length, m->value);
    if (piece && piece->kind == TUT_HIDDEN_UNSEEN && against < 0.3f)
        against = 0.3f; /* writing that only a model can read has no honest use */
    if (b->is_any && against <= b->against)
        return;
    b->is_any = true;
    b->against = against;
    b->margin = *m;
    b->kind = piece ? piece->kind : TUT_HIDDEN_NOT;
    b->at = piece ? piece->at : tut_plain_origin_of(&d->plain, d->tokens.items[m->first].at);
    name_symbols(&d->tokens, m, b->symbols, sizeof(b->symbols));
}

static void explain(tut_detect_verdict *v, const tut_best *b, tut_provenance from)
{
    const char *code = from == TUT_FROM_DATA ? "instruction-in-data" : "injection";
    const char *what = from == TUT_FROM_DATA ? "a sentence that reads as an order to a model"
                                             : "the text tries to change the model's orders";
    const char *with = b->symbols[0] ? ": words of " : "";
    if (b->kind == TUT_HIDDEN_NOT)
        tut_verdict_say(v, code, b->at, "%s%s%s", what, with, b->symbols);
    else
        tut_verdict_say(v, code, b->at, "decoded from %s, %s%s%s", tut_hidden_name(b->kind), what,
                        with, b->symbols);
    if (b->is_invisible)
        tut_verdict_say(v, "invisible-markup", b->at,
                        "it stands in a part of the page that is not shown");
}

void tut_verdict_mention(tut_detect_verdict *v, const tut_plain *p)
{
    if (p->unseen.len >= 4)
        tut_verdict_say(v, "invisible-text", 0,
                        "%zu letters are spelt in characters that nobody sees", p->unseen.len);
    if (p->invisible)
        tut_verdict_say(v, "zero-width", 0, "%u zero-width characters stand inside words",
                        p->invisible);
    if (p->directional)
        tut_verdict_say(v, "bidirectional", 0, "%u characters change the direction of the text",
                        p->directional);
    if (p->lookalikes)
        tut_verdict_say(v, "look-alike", 0, "%u letters of another script stand in Latin words",
                        p->lookalikes);
    if (p->styled > 8)
        tut_verdict_say(v, "styled-letters", 0,
                        "%u letters are dressed up (mathematical, circled, full-width)", p->styled);
}

void tut_verdict_end(tut_detector *d)
{
    tut_detect_verdict *v = &d->verdict;
    const tut_best *b = &d->best;
    v->pieces = d->hidden.count;
    if (d->hidden.is_cut)
        tut_verdict_say(v, "decoding-cut", 0, "more is encoded here than is decoded for one text");
    v->score = b->is_any ? tut_model_score(b->against) : 0;
    v->action = !b->is_any || b->against < 0 ? TUT_ACTION_ALLOW
                : b->against >= 1            ? TUT_ACTION_BLOCK
                : d->from == TUT_FROM_USER   ? TUT_ACTION_FLAG
                                             : TUT_ACTION_HOLD;
    if (v->action != TUT_ACTION_ALLOW)
        explain(v, b, d->from);
}
