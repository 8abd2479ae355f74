/* What is asked for and where it comes from, for whoever has to judge it. */
#include "guard/approve.h"
#include "guard/walk.h"

enum { VALUES = 64, LEAST = 4 };

static bool is_trusted(tut_str role)
{
    return tut_str_eq_z(role, "user") || tut_str_eq_z(role, "system");
}

static bool is_outsiders(tut_str role)
{
    return tut_str_eq_z(role, "tool") || tut_str_eq_z(role, "document");
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool holds(tut_str text, tut_str part)
{
    for (size_t at = 0; at + part.len <= text.len; at++)
        if (lower(text.data[at]) == lower(part.data[0]) &&
            tut_str_ieq((tut_str){text.data + at, part.len}, part))
            return true;
    return false;
}

typedef struct walking {
    const tut_hold *hold;
    tut_hold_value_visit visit;
    void *ctx;
    size_t count;
} walking;

static void find_source(const tut_hold *h, tut_hold_value *v)
{
    bool is_own = false;
    if (v->text.len < LEAST)
        return;
    for (size_t i = 0; i < h->source_count; i++) {
        const tut_hold_source *s = &h->sources[i];
        if (!holds(s->text, v->text))
            continue;
        is_own |= is_trusted(s->role);
        if (!v->source || (is_outsiders(s->role) && !is_outsiders(v->source->role)))
            v->source = s;
    }
    v->is_untrusted = v->source && is_outsiders(v->source->role) && !is_own;
}

/* Of several calls, the names of tools and classes beside their arguments. */
static bool is_label(const tut_hold *h, const tut_guard_way *way)
{
    return tut_str_eq_z(h->tool_class, "several") && way->depth == 2 &&
           !tut_str_eq_z(tut_guard_way_key(way, 1), "arguments");
}

static tut_status on_text(void *ctx, const tut_guard_way *way, tut_str text,
                          tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    walking *w = ctx;
    (void)ret_fate;
    (void)ret_text;
    (void)err;
    if (way->is_key || way->value->type != TUT_JSON_STRING || is_label(w->hold, way) ||
        w->count++ >= VALUES)
        return TUT_SUCCESS;
    tut_hold_value v = {.text = text};
    tut_guard_way_text(way, v.at, sizeof(v.at));
    find_source(w->hold, &v);
    w->visit(w->ctx, &v);
    return TUT_SUCCESS;
}

tut_status tut_hold_values(const tut_hold *h, tut_hold_value_visit visit, void *ctx, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    walking w = {.hold = h, .visit = visit, .ctx = ctx};
    tut_error why = {0};
    if (h->kind != TUT_HOLD_CALL)
        return TUT_SUCCESS;
    tut_status status = tut_json_parse(tut_span_of(h->what.data, h->what.len), NULL, &doc, &why);
    if (!tut_is_ok(status))
        return status.code == TUT_NOMEM ? tut_fail(err, TUT_NOMEM, "memory ran out") : TUT_SUCCESS;
    return tut_guard_walk(tut_json_root(doc), on_text, &w, NULL, err);
}

typedef struct counts {
    size_t all, untrusted;
} counts;

static void count_value(void *ctx, const tut_hold_value *v)
{
    counts *c = ctx;
    c->all++;
    c->untrusted += v->is_untrusted;
}

static const char *effect_of(tut_str class)
{
    static const struct {
        const char *class, *effect;
    } effects[] = {{"read", "which reads"},
                   {"write", "which changes data"},
                   {"send", "which sends something out"},
                   {"pay", "which pays"},
                   {"execute", "which runs something"}};
    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
        if (tut_str_eq_z(class, effects[i].class))
            return effects[i].effect;
    return "which is not declared";
}

void tut_hold_sentence(const tut_hold *h, tut_buf *out)
{
    counts c = {0};
    if (h->kind == TUT_HOLD_REQUEST) {
        tut_buf_add_z(out, "A client asks the model, and the request has not reached it.");
        return;
    }
    if (h->kind == TUT_HOLD_ANSWER) {
        tut_buf_add_z(out, "The model answered, and the answer has not reached the client.");
        return;
    }
    tut_buf_add_z(out, "The model wants to call ");
    tut_buf_add_escaped(out, h->tool, 80);
    if (tut_str_eq_z(h->tool_class, "several"))
        tut_buf_add_z(out, "; nothing has been called.");
    else
        tut_buf_printf(out, ", %s; nothing has been called.", effect_of(h->tool_class));
    TUT_IGNORE(tut_hold_values(h, count_value, &c, NULL));
    if (c.untrusted)
        tut_buf_printf(out,
                       " Of %zu texts in its arguments %zu %s in what outsiders wrote, and in "
                       "nothing that the user wrote.",
                       c.all, c.untrusted, c.untrusted == 1 ? "stands" : "stand");
}
