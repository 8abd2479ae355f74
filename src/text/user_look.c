/* Vectorscan says where a rule of a file may end; PCRE2 says whether it does, and what its groups
 * are; then entropy, words and allow lists as gitleaks has them. */
#include "text/user.h"

enum { LOOK_AFTER = 4096, LINE_BYTES = 2048, MATCH_LIMIT = 200000, HEAP_KIB = 4096 };

tut_status tut_user_state_init(const tut_text_user *user, tut_user_state *s)
{
    s->done = tut_alloc_array(user->count + 1, sizeof(*s->done));
    s->match = pcre2_match_data_create(66, NULL);
    s->limits = pcre2_match_context_create(NULL);
    if (!s->done || !s->match || !s->limits)
        return (tut_status){TUT_NOMEM};
    /* What takes longer than this on one place of a text is given up there. */
    (void)pcre2_set_match_limit(s->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(s->limits, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(s->limits, HEAP_KIB);
    return TUT_SUCCESS;
}

void tut_user_state_done(tut_user_state *s)
{
    tut_free(s->done);
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->limits);
    *s = (tut_user_state){0};
}

static bool matches(tut_user_state *s, const pcre2_code *code, tut_str text)
{
    return pcre2_match(code, (PCRE2_SPTR)text.data, text.len, 0, 0, s->match, s->limits) >= 0;
}

static bool any_matches(tut_user_state *s, const tut_user_list *list, tut_str text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (matches(s, list->codes[i], text))
            return true;
    }
    return false;
}

/* ASCII case folded. */
static bool has_text(tut_str text, tut_str word)
{
    for (size_t i = 0; word.len > 0 && i + word.len <= text.len; i++) {
        if (tut_str_ieq((tut_str){text.data + i, word.len}, word))
            return true;
    }
    return false;
}

static bool has_any(tut_str text, const tut_user_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (has_text(text, words->texts[i]))
            return true;
    }
    return false;
}

typedef struct hit {
    const tut_text_view *v;
    tut_str whole, secret, line;
    tut_str path;
} hit;

static bool is_targeted(const tut_user_allow *a, const char *id)
{
    for (size_t i = 0; i < a->targets.count; i++) {
        if (tut_str_eq_z(a->targets.texts[i], id))
            return true;
    }
    return a->targets.count == 0;
}

static bool is_allowed_by(tut_user_state *s, const tut_user_allow *a, const hit *h)
{
    const tut_str targets[] = {h->secret, h->whole, h->line};
    bool has_regex = a->regexes.count > 0, has_path = a->paths.count > 0;
    bool has_words = a->stopwords.count > 0;
    bool by_regex = has_regex && any_matches(s, &a->regexes, targets[a->target % 3]);
    bool by_path = has_path && h->path.len > 0 && any_matches(s, &a->paths, h->path);
    bool by_word = has_words && has_any(h->secret, &a->stopwords);
    if (!a->needs_all)
        return by_regex || by_path || by_word;
    return (has_regex || has_path || has_words) && by_regex == has_regex && by_path == has_path &&
           by_word == has_words;
}

static bool is_allowed(tut_user_state *s, const tut_user_allows *allows, const char *id,
                       const hit *h)
{
    for (size_t i = 0; i < allows->count; i++) {
        if (is_targeted(&allows->items[i], id) && is_allowed_by(s, &allows->items[i], h))
            return true;
    }
    return false;
}

static tut_str line_around(tut_str t, size_t begin, size_t end)
{
    size_t from = begin, to = end;
    while (from > 0 && begin - from < LINE_BYTES && t.data[from - 1] != '\n')
        from--;
    while (to < t.len && to - end < LINE_BYTES && t.data[to] != '\n')
        to++;
    return (tut_str){t.data + from, to - from};
}

/* The group that the rule names; else the first that holds something; else all. */
static tut_str secret_of(const tut_user_state *s, const tut_user_rule *rule, tut_str text,
                         int count)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(s->match);
    int from = rule->group > 0 ? (int)rule->group : 1;
    int to = rule->group > 0 ? from + 1 : count;
    for (int i = from; i < to && i < count; i++) {
        const PCRE2_SIZE *pair = at + (size_t)2 * (size_t)i;
        if (pair[0] != PCRE2_UNSET && pair[1] > pair[0])
            return (tut_str){text.data + pair[0], pair[1] - pair[0]};
    }
    return (tut_str){text.data + at[0], at[1] - at[0]};
}

static bool has_digit(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (tut_is_digit(s.data[i]))
            return true;
    }
    return false;
}

static bool is_secret(tut_user_state *s, const tut_text_user *u, const tut_user_rule *rule,
                      const hit *h)
{
    if (rule->entropy > 0 && tut_judge_entropy(h->secret) <= rule->entropy)
        return false;
    if (strncmp(rule->id, "generic", 7) == 0 && !has_digit(h->secret))
        return false; /* as gitleaks does for what it calls generic */
    if (rule->keywords.count > 0 && !has_any(h->whole, &rule->keywords) &&
        !has_any(h->line, &rule->keywords))
        return false;
    if (rule->path && (h->path.len == 0 || !matches(s, rule->path, h->path)))
        return false;
    return !is_allowed(s, &u->allows, rule->id, h) && !is_allowed(s, &rule->allows, rule->id, h);
}

typedef struct looking {
    tut_text_scanner *s;
    const tut_text_view *v;
    const tut_text_place *place;
} looking;

static void confirm(looking *l, const tut_user_rule *rule, size_t *done, size_t to)
{
    const tut_text_user *u = l->s->set->user;
    tut_user_state *state = l->s->user;
    tut_str t = l->v->text;
    size_t from = to > rule->reach ? to - rule->reach : 0;
    size_t len = t.len - to < LOOK_AFTER ? t.len : to + LOOK_AFTER;
    from = from > *done ? from : *done;
    if (from > to)
        return;
    int count = pcre2_match(rule->code, (PCRE2_SPTR)t.data, len, from, 0, state->match,
                            state->limits);
    if (count < 0)
        return;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(state->match);
    size_t begin = at[0], end = at[1];
    *done = end > *done ? end : to;
    hit h = {.v = l->v,
             .whole = {t.data + begin, end - begin},
             .secret = secret_of(state, rule, t, count == 0 ? 33 : count),
             .line = line_around(t, begin, end),
             .path = tut_str_of(l->s->wish.path)};
    if (!is_secret(state, u, rule, &h))
        return;
    tut_text_found f = {.id = rule->id,
                        .label = rule->label,
                        .type = TUT_TEXT_GENERIC,
                        .begin = (size_t)(h.secret.data - t.data),
                        .end = (size_t)(h.secret.data - t.data) + h.secret.len};
    tut_text_add(l->s, l->v, l->place, &f, true);
}

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *ctx)
{
    looking *l = ctx;
    (void)from;
    (void)flags;
    if (!(l->s->wish.classes >> TUT_TEXT_GENERIC & 1u))
        return 1;
    confirm(l, &l->s->set->user->rules[id], &l->s->user->done[id], (size_t)to);
    return 0;
}

void tut_text_look_user(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place)
{
    const tut_text_user *u = s->set->user;
    looking l = {.s = s, .v = v, .place = place};
    if (!u->database || v->is_binary)
        return;
    memset(s->user->done, 0, u->count * sizeof(*s->user->done));
    hs_error_t rc = u->hs->scan(u->database, v->text.data, (unsigned)v->text.len, 0, s->scratch,
                                on_hit, &l);
    if (rc != HS_SUCCESS && rc != HS_SCAN_TERMINATED && s->failed == TUT_OK)
        s->failed = rc == HS_NOMEM ? TUT_NOMEM : TUT_BUG;
}

void tut_text_look_path(tut_text_scanner *s)
{
    const tut_text_user *u = s->set->user;
    tut_str path = tut_str_of(s->wish.path);
    hit h = {.path = path};
    static const tut_text_place as_is = {0};
    tut_text_view nothing = {.text = {"", 0}};
    for (size_t i = 0; path.len > 0 && i < u->count; i++) {
        const tut_user_rule *rule = &u->rules[i];
        if (rule->is_off || rule->code || !rule->path || !matches(s->user, rule->path, path) ||
            is_allowed(s->user, &u->allows, rule->id, &h))
            continue;
        tut_text_found f = {.id = rule->id, .label = rule->label, .type = TUT_TEXT_GENERIC};
        tut_text_add(s, &nothing, &as_is, &f, true);
    }
}
