/*
 * What of a tool call's arguments comes from outsiders: an address, host, recipient, account or
 * long number that stands in a tool result or document and in nothing that the user or the system
 * wrote, in whatever way it is written; and of tools that pay, an amount.
 */
#include <math.h>
#include <stdio.h>

#include "guard/answer_internal.h"
#include "guard/link.h"
#include "guard/taint_text.h"

enum { ATOM_LEAST = 5, ATOM_MOST = 512, DIGITS = 6, ATOMS = 64, VALUE_MOST = 128 };

/* --- where things come from --- */
typedef struct known { /* a segment as it is compared */
    const tut_guard_segment *segment;
    tut_buf text;
    bool is_own;
} known;

struct tut_guard_taint {
    known *items;
    size_t count;
};

void tut_guard_taint_free(tut_guard_taint *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        tut_buf_done(&t->items[i].text);
    tut_free(t->items);
    tut_free(t);
}

static tut_status add_known(tut_guard_taint *t, const tut_guard_segment *s, bool is_own,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) inside = TUT_BUF_INIT;
    known *k = &t->items[t->count++];
    *k = (known){.segment = s, .is_own = is_own};
    tut_taint_squeeze(s->text, &k->text);
    if (tut_taint_unwrap(s->text, &inside)) {
        tut_buf_add_byte(&k->text, '|'); /* nothing that is looked for goes across */
        tut_taint_squeeze(tut_buf_str(&inside), &k->text);
    }
    TUT_TRY(tut_buf_check(&inside, err));
    return tut_buf_check(&k->text, err);
}

static tut_status open_taint(tut_guard_answer *a, tut_error *err)
{
    const tut_guard_request *r = a->request;
    if (a->taint)
        return TUT_SUCCESS;
    a->taint = tut_alloc_array(1, sizeof(*a->taint));
    if (a->taint)
        a->taint->items = tut_alloc_array(r->segment_count + 1, sizeof(known));
    if (!a->taint || !a->taint->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->segment_count; i++) {
        const tut_guard_segment *s = &r->segments[i];
        bool is_own = s->role == TUT_ROLE_USER || s->role == TUT_ROLE_SYSTEM;
        if (is_own || tut_role_is_untrusted(s->role))
            TUT_TRY(add_known(a->taint, s, is_own, err));
    }
    return TUT_SUCCESS;
}

/* The segment of an outsider that holds it, where nobody else wrote it; else NULL. */
static const tut_guard_segment *source_of(const tut_guard_taint *t, tut_str squeezed)
{
    const tut_guard_segment *source = NULL;
    size_t at;
    for (size_t i = 0; i < t->count; i++) {
        if (!tut_str_find(tut_buf_str(&t->items[i].text), squeezed, &at))
            continue;
        if (t->items[i].is_own)
            return NULL;
        source = source ? source : t->items[i].segment;
    }
    return source;
}

static bool holds_number(tut_str text, double value)
{
    double found;
    for (size_t at = 0; tut_taint_number(text, &at, &found);)
        if (fabs(found - value) < 0.005)
            return true;
    return false;
}

static const tut_guard_segment *source_of_number(const tut_guard_taint *t, double value)
{
    const tut_guard_segment *source = NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (!holds_number(t->items[i].segment->text, value))
            continue;
        if (t->items[i].is_own)
            return NULL;
        source = source ? source : t->items[i].segment;
    }
    return source;
}

/* --- what is asked about --- */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool ends_word(char c)
{
    return (uint8_t)c <= ' ' || strchr("\"'<>(),;[]{}|`", c) != NULL;
}

static size_t digits_of(tut_str word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.len; i++)
        n += word.data[i] >= '0' && word.data[i] <= '9';
    return n;
}

/* What of a word names a place or a recipient: the host of an address, an e-mail address, a name
 * with dots, a number. */
static bool atom_of(tut_str word, tut_str *ret_atom)
{
    size_t dot = 0;
    bool has_at = memchr(word.data, '@', word.len) != NULL;
    tut_str host;
    while (word.len && strchr(".:!?", word.data[word.len - 1]))
        word.len--;
    if (word.len < ATOM_LEAST || word.len > ATOM_MOST)
        return false;
    *ret_atom = word;
    if (tut_link_host(word, &host) && host.len >= ATOM_LEAST) {
        *ret_atom = host;
        return true;
    }
    for (size_t i = 1; i < word.len; i++)
        if (word.data[i] == '.')
            dot = i;
    size_t behind = dot ? word.len - dot - 1 : 0;
    bool is_name = dot && behind >= 2 && behind <= 24 && lower(word.data[dot + 1]) >= 'a';
    return has_at || digits_of(word) >= DIGITS || is_name;
}

/* A whole value of a few words: "eve @ evil . example", "DE89 3704 0044 0532 0130 00". */
static bool is_spaced_atom(tut_str value)
{
    return value.len <= VALUE_MOST && memchr(value.data, ' ', value.len) &&
           (memchr(value.data, '@', value.len) || digits_of(value) >= DIGITS);
}

typedef struct asking {
    tut_guard_answer *a;
    const char *where;
    const char **ret_source;
    tut_guard_action action;
    size_t atoms;
    bool has_effects;
} asking;

static void tell(asking *q, const char *what, const tut_guard_segment *source)
{
    tut_guard_action action = q->has_effects ? q->action : TUT_GUARD_FLAG;
    tut_guard_add(&q->a->decision, "taint", action, tut_str_of(q->where), "%s comes from %s", what,
                  source->where);
    if (action == q->action && !*q->ret_source)
        *q->ret_source = source->where;
}

static tut_status ask(asking *q, tut_str atom, tut_error *err)
{
    TUT_CLEAN(tut_buf) squeezed = TUT_BUF_INIT;
    tut_taint_squeeze(atom, &squeezed);
    TUT_TRY(tut_buf_check(&squeezed, err));
    if (squeezed.len < ATOM_LEAST)
        return TUT_SUCCESS;
    const tut_guard_segment *source = source_of(q->a->taint, tut_buf_str(&squeezed));
    if (source)
        tell(q, "an address or number", source);
    return TUT_SUCCESS;
}

static tut_status ask_words(asking *q, tut_str text, tut_error *err)
{
    if (is_spaced_atom(text))
        TUT_TRY(ask(q, text, err));
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        tut_str atom;
        while (end < text.len && !ends_word(text.data[end]))
            end++;
        bool is_atom = end > at && atom_of((tut_str){text.data + at, end - at}, &atom);
        at = end + 1;
        if (is_atom && q->atoms++ == ATOMS) {
            tut_guard_add(&q->a->decision, "taint", q->has_effects ? q->action : TUT_GUARD_FLAG,
                          tut_str_of(q->where), "more than %d addresses and numbers", ATOMS);
            if (q->has_effects && !*q->ret_source)
                *q->ret_source = "";
        }
        if (is_atom && q->atoms > ATOMS)
            return TUT_SUCCESS;
        if (is_atom)
            TUT_TRY(ask(q, atom, err));
    }
    return TUT_SUCCESS;
}

static tut_status begin(asking *q, tut_guard_answer *a, const tut_guard_tool *tool,
                        const char *where, const char **ret_source, tut_error *err)
{
    *q = (asking){.a = a,
                  .where = where,
                  .ret_source = ret_source,
                  .action = a->request->checks[TUT_CHECK_TAINT].action,
                  .has_effects = !tool || tool->type != TUT_TOOL_READ};
    return q->action == TUT_GUARD_ALLOW ? TUT_SUCCESS : open_taint(a, err);
}

tut_status tut_answer_taint(tut_guard_answer *a, const tut_guard_tool *tool, tut_str text,
                            const char *where, const char **ret_source, tut_error *err)
{
    TUT_CLEAN(tut_buf) inside = TUT_BUF_INIT;
    asking q;
    TUT_TRY(begin(&q, a, tool, where, ret_source, err));
    if (q.action == TUT_GUARD_ALLOW)
        return TUT_SUCCESS;
    TUT_TRY(ask_words(&q, text, err));
    if (tut_taint_unwrap(text, &inside))
        TUT_TRY(ask_words(&q, tut_buf_str(&inside), err));
    TUT_TRY(tut_buf_check(&inside, err));
    double value;
    size_t at = 0;
    bool is_number = text.len && text.len < 32 && tut_taint_number(text, &at, &value);
    return is_number ? tut_answer_taint_number(a, tool, value, where, ret_source, err)
                     : TUT_SUCCESS;
}

enum { AMOUNT_LEAST = 10 };

tut_status tut_answer_taint_number(tut_guard_answer *a, const tut_guard_tool *tool, double value,
                                   const char *where, const char **ret_source, tut_error *err)
{
    asking q;
    TUT_TRY(begin(&q, a, tool, where, ret_source, err));
    value = fabs(value);
    bool is_amount = (!tool || tool->type == TUT_TOOL_PAY) && value >= AMOUNT_LEAST;
    if (q.action == TUT_GUARD_ALLOW || (!is_amount && value < 1e5))
        return TUT_SUCCESS;
    const tut_guard_segment *source = source_of_number(a->taint, value);
    if (source)
        tell(&q, is_amount ? "an amount" : "a number", source);
    return TUT_SUCCESS;
}

/* Where a detector found instructions in data, what has effects waits. */
tut_status tut_answer_taint_all(tut_guard_answer *a, const tut_guard_tool *tool, const char *where,
                                const char **ret_source, tut_error *err)
{
    const tut_guard_request *r = a->request;
    asking q;
    TUT_TRY(begin(&q, a, tool, where, ret_source, err));
    for (size_t i = 0; q.has_effects && q.action != TUT_GUARD_ALLOW && i < r->segment_count; i++) {
        const tut_guard_segment *s = &r->segments[i];
        if (!tut_role_is_data(s->role) || !s->is_suspect)
            continue;
        tut_guard_add(&a->decision, "taint", q.action, tut_str_of(where),
                      "%s holds what looks like instructions", s->where);
        *ret_source = s->where;
        return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}
