#include "detect/grammar.h"

uint64_t tut_random_next(tut_random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void tut_grammar_free(tut_grammar *g)
{
    for (size_t i = 0; g && i < g->count; i++)
        tut_free(g->lists[i].lines);
    tut_free(g);
}

static tut_status begin_list(tut_grammar *g, tut_str line, tut_error *err)
{
    if (g->count == TUT_GRAMMAR_LISTS)
        return tut_fail(err, TUT_LIMIT, "a grammar has too many lists");
    tut_grammar_list *l = &g->lists[g->count++];
    *l = (tut_grammar_list){.name = {line.data + 2, line.len - 2}};
    if (line.data[0] == '=')
        return TUT_SUCCESS;
    size_t end = line.len; /* "@ user attack override 12" */
    uint64_t weight;
    while (end > 2 && line.data[end - 1] != ' ')
        end--;
    if (!tut_str_u64((tut_str){line.data + end, line.len - end}, &weight) || weight > 1000)
        return tut_fail(err, TUT_MALFORMED, "a shape of a grammar has no weight");
    l->weight = (unsigned)weight;
    size_t begin = end - 1;
    while (begin > 2 && line.data[begin - 1] != ' ')
        begin--;
    l->name = (tut_str){line.data + begin, end - 1 - begin};
    l->group = (tut_str){line.data + 2, begin > 3 ? begin - 3 : 0};
    return TUT_SUCCESS;
}

static tut_status add_line(tut_grammar *g, tut_str line, tut_error *err)
{
    if (g->count == 0)
        return TUT_SUCCESS; /* what stands before the first list is for people */
    tut_grammar_list *l = &g->lists[g->count - 1];
    if (l->count == l->capacity &&
        !tut_is_ok(tut_grow(&l->lines, l->count, &l->capacity, sizeof(*l->lines))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->lines[l->count++] = line;
    return TUT_SUCCESS;
}

static tut_status read_lines(tut_grammar *g, tut_str text, tut_error *err)
{
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        tut_str line = {text.data, len};
        bool is_head = len > 2 && (line.data[0] == '=' || line.data[0] == '@') &&
                       line.data[1] == ' ';
        if (is_head)
            TUT_TRY(begin_list(g, line, err));
        else if (len)
            TUT_TRY(add_line(g, line, err));
        text.data += len + (end != NULL);
        text.len -= len + (end != NULL);
    }
    for (size_t i = 0; i < g->count; i++)
        if (g->lists[i].count == 0)
            return tut_fail(err, TUT_MALFORMED, "a list of a grammar is empty");
    return TUT_SUCCESS;
}

tut_status tut_grammar_read(tut_str text, tut_grammar **ret_grammar, tut_error *err)
{
    TUT_AUTO(tut_grammar) g = tut_alloc_array(1, sizeof(*g));
    if (!g)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(read_lines(g, text, err));
    *ret_grammar = tut_move(&g);
    return TUT_SUCCESS;
}

static const tut_grammar_list *find_list(const tut_grammar *g, tut_str name)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->lists[i].group.len == 0 && tut_str_eq(g->lists[i].name, name))
            return &g->lists[i];
    return NULL;
}

/* Where the brace that opens at s[0] closes, and how many alternatives it has. */
static bool measure(tut_str s, size_t *ret_end, size_t *ret_count)
{
    size_t depth = 0, count = 1;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '\\') {
            i++;
        } else if (c == '{') {
            depth++;
        } else if (c == '|' && depth == 1) {
            count++;
        } else if (c == '}' && --depth == 0) {
            *ret_end = i;
            *ret_count = count;
            return true;
        }
    }
    return false;
}

/* The n-th alternative of "{a|b|c}", whose inside s is. */
static tut_str alternative(tut_str s, size_t n)
{
    size_t depth = 0, begin = 0;
    for (size_t i = 0; i <= s.len; i++) {
        char c = i < s.len ? s.data[i] : '|';
        if (c == '\\' && i < s.len) {
            i++;
        } else if (c == '{') {
            depth++;
        } else if (c == '}') {
            depth--;
        } else if (c == '|' && (depth == 0 || i == s.len)) {
            if (n-- == 0)
                return (tut_str){s.data + begin, i - begin};
            begin = i + 1;
        }
    }
    return (tut_str){NULL, 0};
}

/* Nested as deep as the grammars, which are ours, nest. */
static tut_status write_text(const tut_grammar *g, tut_str s, tut_random *r, unsigned depth,
                             tut_buf *out, tut_error *err)
{
    if (depth > TUT_GRAMMAR_DEPTH)
        return tut_fail(err, TUT_MALFORMED, "a grammar nests without end");
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        size_t end, count;
        if (c == '\\' && i + 1 < s.len) {
            tut_buf_add_byte(out, (uint8_t)s.data[++i]);
        } else if (c == '~') {
            tut_buf_add_byte(out, '\n');
        } else if (c != '{') {
            tut_buf_add_byte(out, (uint8_t)c);
        } else if (!measure((tut_str){s.data + i, s.len - i}, &end, &count)) {
            return tut_fail(err, TUT_MALFORMED, "a brace of a grammar is not closed: %.*s",
                            (int)(s.len > 60 ? 60 : s.len), s.data);
        } else {
            tut_str inside = {s.data + i + 1, end - 1};
            const tut_grammar_list *list = count == 1 ? find_list(g, inside) : NULL;
            tut_str chosen = list ? list->lines[tut_random_below(r, list->count)]
                                  : alternative(inside, (size_t)tut_random_below(r, count));
            TUT_TRY(write_text(g, chosen, r, depth + 1, out, err));
            i += end;
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_grammar_write(const tut_grammar *g, const tut_grammar_list *list, tut_random *r,
                             tut_buf *out, tut_error *err)
{
    TUT_TRY(write_text(g, list->lines[tut_random_below(r, list->count)], r, 0, out, err));
    return tut_buf_check(out, err);
}

const tut_grammar_list *tut_grammar_pick(const tut_grammar *g, const char *group, tut_random *r)
{
    uint64_t all = 0;
    for (size_t i = 0; i < g->count; i++)
        all += tut_str_eq_z(g->lists[i].group, group) ? g->lists[i].weight : 0;
    uint64_t left = tut_random_below(r, all);
    for (size_t i = 0; i < g->count; i++) {
        uint64_t weight = tut_str_eq_z(g->lists[i].group, group) ? g->lists[i].weight : 0;
        if (left < weight)
            return &g->lists[i];
        left -= weight;
    }
    return NULL;
}
