/* One window: find, verify, settle what overlaps, tell. */
#include <stdio.h>
#include <stdlib.h>

#include "text/block.h"
#include "text/user.h"

extern const unsigned char tut_text_database[];
extern const unsigned char tut_text_database_end[];

tut_status tut_text_set_open(const tut_text_user *user, tut_text_set **ret_set, tut_error *err)
{
    TUT_AUTO(tut_text_set) set = tut_alloc_array(1, sizeof(*set));
    if (!set)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    set->user = user;
    set->hs = tut_hs_load();
    if (!set->hs)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "libhs.so.5 is not there: install libvectorscan5 (or libhyperscan5)");
    size_t len = (size_t)(tut_text_database_end - tut_text_database);
    hs_error_t rc = set->hs->deserialize((const char *)tut_text_database, len, &set->database);
    if (rc == HS_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (rc != HS_SUCCESS)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "libhs.so.5 is of another version (%s) than the one this was built with",
                        set->hs->version());
    *ret_set = tut_move(&set);
    return TUT_SUCCESS;
}

const char *tut_text_engine(void)
{
    const tut_hs *hs = tut_hs_load();
    return hs ? hs->version() : "";
}

void tut_text_set_free(tut_text_set *set)
{
    if (!set)
        return;
    if (set->database)
        (void)set->hs->free_database(set->database);
    tut_free(set);
}

tut_status tut_text_scanner_new(const tut_text_set *set, tut_text_scanner **ret_scanner,
                                tut_error *err)
{
    TUT_AUTO(tut_text_scanner) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->set = set;
    if (set->hs->alloc_scratch(set->database, &s->scratch) != HS_SUCCESS)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (set->user) {
        s->user = tut_alloc_array(1, sizeof(*s->user));
        if (!s->user || !tut_is_ok(tut_user_state_init(set->user, s->user)) ||
            (set->user->database &&
             set->hs->alloc_scratch(set->user->database, &s->scratch) != HS_SUCCESS))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *ret_scanner = tut_move(&s);
    return TUT_SUCCESS;
}

void tut_text_scanner_free(tut_text_scanner *s)
{
    if (!s)
        return;
    if (s->user)
        tut_user_state_done(s->user);
    tut_free(s->user);
    if (s->scratch)
        (void)s->set->hs->free_scratch(s->scratch);
    tut_free(s->items);
    tut_buf_done(&s->held);
    tut_free(s);
}

size_t tut_text_rule_count(void)
{
    return tut_text_rules_count - 1; /* the last is no rule of its own */
}

tut_text_about tut_text_rule_at(size_t i)
{
    const tut_text_rule *r = &tut_text_rules[i];
    return (tut_text_about){.id = r->id, .label = r->label, .type = r->type};
}

/* --- candidates --- */
static void redact(tut_str value, char shown[TUT_TEXT_SHOWN])
{
    if (value.len < 12 || value.len > 4096) {
        (void)snprintf(shown, TUT_TEXT_SHOWN, "(%zu characters)", value.len);
        return;
    }
    const char *c = value.data + value.len - 4;
    char last[5] = "";
    for (size_t i = 0; i < 4; i++)
        last[i] = (c[i] > ' ' && c[i] < 0x7f) ? c[i] : '?';
    (void)snprintf(shown, TUT_TEXT_SHOWN, "...%s", last);
}

void tut_text_add(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place,
                  const tut_text_found *f, bool is_user_rule)
{
    if (s->count == TUT_TEXT_FOUND_MAX || s->failed != TUT_OK)
        return;
    tut_status status = tut_grow(&s->items, s->count, &s->capacity, sizeof(*s->items));
    if (!tut_is_ok(status)) {
        s->failed = status.code;
        return;
    }
    tut_text_candidate *c = &s->items[s->count++];
    *c = (tut_text_candidate){.found = *f, .decoded = place->how, .is_user_rule = is_user_rule};
    if (f->type == TUT_TEXT_PRIVATE_KEY)
        (void)snprintf(c->shown, TUT_TEXT_SHOWN, "(%zu characters)", f->end - f->begin);
    else
        redact((tut_str){v->text.data + f->begin, f->end - f->begin}, c->shown);
    c->found.begin = place->span ? place->shift : place->shift + f->begin;
    c->found.end = place->span ? place->shift + place->span : place->shift + f->end;
}

typedef struct looking {
    tut_text_scanner *s;
    const tut_text_view *v;
    const tut_text_place *place;
} looking;

enum { ESCAPE = 6 }; /* the widest */

static int on_trigger(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void *ctx)
{
    looking *l = ctx;
    const tut_text_rule *r = &tut_text_rules[id];
    tut_text_found f;
    (void)from;
    (void)flags;
    if (r->kind == TUT_RULE_PATTERN && !r->verify) {
        size_t at = to > ESCAPE ? (size_t)to - ESCAPE : 0;
        l->s->first_escape = at < l->s->first_escape ? at : l->s->first_escape;
        return 0;
    }
    if ((l->s->wish.classes >> r->type & 1u) && tut_text_rule_verify(r, l->v, (size_t)to, &f))
        tut_text_add(l->s, l->v, l->place, &f, false);
    return 0;
}

static void on_number(void *ctx, const tut_text_found *f)
{
    looking *l = ctx;
    tut_text_add(l->s, l->v, l->place, f, false);
}

enum { PEOPLE = 0x0f << TUT_TEXT_FINANCIAL };

void tut_text_look(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place)
{
    looking l = {.s = s, .v = v, .place = place};
    hs_error_t rc = s->set->hs->scan(s->set->database, v->text.data, (unsigned)v->text.len, 0,
                                     s->scratch, on_trigger, &l);
    if (rc != HS_SUCCESS && s->failed == TUT_OK)
        s->failed = rc == HS_NOMEM ? TUT_NOMEM : TUT_BUG;
    if (s->user)
        tut_text_look_user(s, v, place);
    if (!(s->wish.classes & PEOPLE))
        return;
    tut_text_numbers(v, s->wish.classes, on_number, &l);
    if (!v->is_binary)
        tut_text_contacts(v, s->wish.classes, on_number, &l);
}

/* --- telling --- */
static int by_place(const void *a, const void *b)
{
    const tut_text_candidate *x = a, *y = b;
    if (x->found.begin != y->found.begin)
        return x->found.begin < y->found.begin ? -1 : 1;
    if (x->found.type != y->found.type)
        return x->found.type < y->found.type ? -1 : 1;
    if (x->found.is_loose != y->found.is_loose)
        return x->found.is_loose ? 1 : -1;
    if (x->found.end != y->found.end)
        return x->found.end > y->found.end ? -1 : 1;
    return 0;
}

/* Of what overlaps the more particular class stays, else the earlier. */
static size_t settle(tut_text_candidate *items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        tut_text_candidate *last = kept > 0 ? &items[kept - 1] : NULL;
        if (!last || items[i].found.begin >= last->found.end)
            items[kept++] = items[i];
        else if (items[i].found.type < last->found.type ||
                 (items[i].found.type == last->found.type && last->found.is_loose &&
                  !items[i].found.is_loose))
            *last = items[i];
    }
    return kept;
}

static void count_lines(tut_text_scanner *s, uint64_t to)
{
    const char *at = s->window.data + (s->counted_to - s->base);
    const char *end = s->window.data + (to - s->base);
    for (; end - at >= TUT_BLOCK; at += TUT_BLOCK)
        s->line += tut_block_count(at, '\n');
    for (; at < end; at++)
        s->line += *at == '\n';
    s->counted_to = to;
}

static void tell(tut_text_scanner *s, const tut_text_candidate *c)
{
    uint64_t begin = s->base + c->found.begin;
    if (begin < s->told_to || s->is_over)
        return;
    if (begin > s->counted_to)
        count_lines(s, begin);
    tut_text_match m = {.id = c->found.id,
                        .label = c->found.label,
                        .type = c->found.type,
                        .proof = c->found.proof,
                        .is_user_rule = c->is_user_rule,
                        .decoded = c->decoded,
                        .begin = begin,
                        .end = s->base + c->found.end,
                        .line = s->line};
    memcpy(m.shown, c->shown, sizeof(m.shown));
    s->told_to = m.end;
    s->is_over = !s->wish.match(s->wish.ctx, &m);
}

tut_status tut_text_window(tut_text_scanner *s, size_t to, tut_error *err)
{
    tut_text_view v = {.text = s->window, .is_binary = s->wish.is_binary};
    static const tut_text_place as_is = {0};
    s->count = 0;
    s->first_escape = SIZE_MAX;
    if (s->user && s->base == 0)
        tut_text_look_path(s);
    tut_text_look(s, &v, &as_is);
    if (!v.is_binary)
        tut_text_look_decoded(s, &v);
    if (s->failed != TUT_OK)
        return tut_fail(err, s->failed, "text could not be searched");
    if (s->count > 1)
        qsort(s->items, s->count, sizeof(*s->items), by_place);
    s->count = settle(s->items, s->count);
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].found.begin >= s->from && s->items[i].found.begin < to)
            tell(s, &s->items[i]);
    }
    if (s->base + to > s->counted_to)
        count_lines(s, s->base + to);
    return TUT_SUCCESS;
}
