/* Secrets, personal data, canaries and links of a text, as one list. */
#include "guard/span.h"

#include <stdio.h>
#include <stdlib.h>

void tut_guard_spans_done(tut_guard_spans *s)
{
    tut_free(s->items);
    *s = (tut_guard_spans){0};
}

tut_guard_check tut_guard_check_of(tut_text_class type, bool is_answer)
{
    if (tut_text_is_secret(type))
        return is_answer ? TUT_CHECK_SECRETS_OUT : TUT_CHECK_SECRETS_IN;
    if (is_answer && type == TUT_TEXT_CONTACT)
        return TUT_CHECK_CONTACT_OUT;
    return is_answer ? TUT_CHECK_PERSONAL_OUT : TUT_CHECK_PERSONAL_IN;
}

unsigned tut_guard_classes(const tut_guard_setting *checks, bool is_answer)
{
    unsigned classes = 0;
    for (unsigned i = 0; i < TUT_TEXT_CLASS_COUNT; i++) {
        bool is_asked = i != TUT_TEXT_NETWORK && (is_answer || i != TUT_TEXT_CONTACT);
        tut_guard_check c = tut_guard_check_of((tut_text_class)i, is_answer);
        if (is_asked && checks[c].action != TUT_GUARD_ALLOW)
            classes |= TUT_TEXT_CLASS_BIT(i);
    }
    return classes;
}

static tut_guard_span *add(tut_guard_spans *s, tut_guard_check check, size_t begin, size_t end)
{
    if (!tut_is_ok(tut_grow(&s->items, s->count, &s->capacity, sizeof(*s->items)))) {
        s->ran_out = true;
        return NULL;
    }
    tut_guard_span *span = &s->items[s->count++];
    *span = (tut_guard_span){
        .begin = begin, .end = end, .check = check, .action = s->look->checks[check].action};
    return span;
}

/* What waits for a person goes on as it is, or not at all. */
static bool is_put_away(tut_guard_action a)
{
    return a == TUT_GUARD_REDACT || a == TUT_GUARD_BLOCK;
}

static void set_label(const tut_guard_spans *s, tut_guard_span *span, const char *what)
{
    if (s->look->is_changing && is_put_away(span->action))
        (void)snprintf(span->label, sizeof(span->label), "[removed: %.80s]", what);
}

static bool on_match(void *ctx, const tut_text_match *m)
{
    tut_guard_spans *s = ctx;
    tut_guard_span *span = add(s, tut_guard_check_of(m->type, true), s->from + (size_t)m->begin,
                               s->from + (size_t)m->end);
    if (!span)
        return false;
    set_label(s, span, m->label);
    (void)snprintf(span->detail, sizeof(span->detail), "%s%s%s%s %s", m->label,
                   m->decoded ? " (" : "", m->decoded ? m->decoded : "", m->decoded ? ")" : "",
                   m->shown);
    return true;
}

static void find_canaries(tut_guard_spans *s)
{
    const tut_guard_kinds *k = s->look->kinds;
    if (s->has_no_canary || s->look->checks[TUT_CHECK_CANARY].action == TUT_GUARD_ALLOW)
        return;
    for (size_t i = 0; i < k->canary_count; i++) {
        uint16_t state = 0;
        for (size_t at = s->from; at < s->text.len; at++) {
            uint8_t c = (uint8_t)s->text.data[at];
            if (state == 0 && !(k->of[c] & TUT_KIND_CANARY))
                continue;
            state = tut_guard_canary_step(&k->canaries[i], state, c);
            if (state < k->canaries[i].len)
                continue;
            tut_guard_span *span = add(s, TUT_CHECK_CANARY, at + 1 - state, at + 1);
            if (!span)
                return;
            set_label(s, span, "part of the system prompt");
            (void)snprintf(span->detail, sizeof(span->detail), "canary %zu of the policy", i + 1);
            state = 0;
        }
    }
}

static void find_leaks(tut_guard_spans *s)
{
    for (size_t i = 0; i < s->leak_count; i++) {
        tut_guard_span *span = add(s, TUT_CHECK_PROMPT_LEAK, s->leaks[i].begin, s->leaks[i].end);
        if (!span)
            return;
        set_label(s, span, "part of the system prompt");
        (void)snprintf(span->detail, sizeof(span->detail), "%u words in a row of the system text",
                       s->leaks[i].words);
    }
}

static void find_links(tut_guard_spans *s, size_t from)
{
    static const char *const kinds[] = {"image", "link", "element", "address"};
    tut_link link;
    if (s->look->checks[TUT_CHECK_LINKS].action == TUT_GUARD_ALLOW)
        return;
    for (size_t at = from; tut_link_next(s->text, at, &link); at = link.end) {
        if (link.is_open) /* an end that never came: not a link, but what is inside may be one */
            link.end = link.begin + 1;
        if (!link.is_outside || link.is_open ||
            tut_guard_host_is_listed(s->look->policy, link.host)) {
            if (link.kind == TUT_LINK_INLINE && !link.is_open)
                link.end = link.begin + 1; /* [![image](...)](...) */
            continue;
        }
        tut_guard_span *span = add(s, TUT_CHECK_LINKS, link.begin, link.end);
        if (!span)
            return;
        TUT_CLEAN(tut_buf) host = TUT_BUF_INIT;
        tut_buf_add_escaped(&host, link.host, 60);
        const char *z = tut_buf_z(&host);
        (void)snprintf(span->detail, sizeof(span->detail), "%s to %s", kinds[link.kind],
                       z ? z : "?");
        set_label(s, span, span->detail);
    }
}

static int by_place(const void *a, const void *b)
{
    const tut_guard_span *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end > y->end ? -1 : x->end < y->end;
}

/* Of what overlaps, the first keeps its place and takes in what begins inside it; both are told. */
static void join(tut_guard_spans *s)
{
    tut_guard_span *last = NULL;
    for (size_t i = 0; i < s->count; i++) {
        tut_guard_span *b = &s->items[i];
        if (!b->label[0])
            continue;
        if (!last || b->begin >= last->end) {
            last = b;
            continue;
        }
        if (b->end > last->end)
            last->end = b->end;
        b->label[0] = '\0';
    }
}

tut_status tut_guard_find(const tut_guard_look *look, tut_str text, size_t from, size_t links_from,
                          tut_guard_spans *s, tut_error *err)
{
    s->look = look;
    s->text = text;
    s->from = from;
    tut_text_wish wish = {.classes = look->classes, .match = on_match, .ctx = s};
    if (wish.classes)
        TUT_TRY(
            tut_text_scan(look->scanner, (tut_str){text.data + from, text.len - from}, &wish, err));
    find_canaries(s);
    find_leaks(s);
    find_links(s, links_from);
    if (s->ran_out)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (s->count > 1)
        qsort(s->items, s->count, sizeof(*s->items), by_place);
    join(s);
    return TUT_SUCCESS;
}

void tut_guard_tell(const tut_guard_look *look, const tut_guard_spans *s, size_t from, size_t to,
                    const char *where)
{
    for (size_t i = 0; i < s->count; i++) {
        const tut_guard_span *span = &s->items[i];
        if (span->begin >= to || span->end < from || (span->end == from && span->begin < from))
            continue;
        tut_guard_add(look->decision, tut_guard_check_name(span->check), span->action,
                      tut_str_of(where), "%s", span->detail);
        /* Its beginning has gone already: it cannot be taken back, so nothing more goes. */
        if (span->begin < from && look->is_changing && is_put_away(span->action))
            tut_guard_add(look->decision, tut_guard_check_name(span->check), TUT_GUARD_BLOCK,
                          tut_str_of(where), "found after its beginning had been handed on: %s",
                          span->detail);
    }
}
