#include "guard/walk.h"

const tut_json_value *tut_guard_way_at(const tut_guard_way *way, size_t depth)
{
    if (depth < way->depth)
        return way->steps[depth].container;
    return depth == way->depth ? way->value : NULL;
}

/* Adds what fits; false: no more does. */
static bool add_text(char *to, size_t cap, size_t *len, tut_str text)
{
    size_t room = cap - 1 - *len, n = text.len < room ? text.len : room;
    memcpy(to + *len, text.data, n);
    *len += n;
    to[*len] = '\0';
    return n == text.len;
}

static bool is_name(tut_str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.data[i] <= ' ' || key.data[i] > '~' || key.data[i] == '\\')
            return false;
    return key.len <= 40;
}

static bool add_key(char *to, size_t cap, size_t *len, tut_str key)
{
    if (is_name(key))
        return add_text(to, cap, len, key);
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_escaped(&b, key, 40);
    return add_text(to, cap, len, tut_buf_str(&b));
}

static bool add_index(char *to, size_t cap, size_t *len, uint32_t at)
{
    char digits[16];
    size_t i = sizeof(digits);
    digits[--i] = ']';
    do
        digits[--i] = (char)('0' + at % 10);
    while ((at /= 10) > 0);
    digits[--i] = '[';
    return add_text(to, cap, len, (tut_str){digits + i, sizeof(digits) - i});
}

void tut_guard_way_text(const tut_guard_way *way, char *to, size_t cap)
{
    size_t len = 0;
    bool has_room = true;
    to[0] = '\0';
    for (size_t i = 0; i < way->depth && has_room; i++) {
        const tut_guard_step *s = &way->steps[i];
        if (s->container->type == TUT_JSON_ARRAY)
            has_room = add_index(to, cap, &len, s->at);
        else
            has_room = (i == 0 || add_text(to, cap, &len, TUT_LIT("."))) &&
                       add_key(to, cap, &len, s->container->as.items[s->at].key);
    }
}

static bool is_container(const tut_json_value *v)
{
    return v->type == TUT_JSON_ARRAY || v->type == TUT_JSON_OBJECT;
}

static void write_scalar(tut_json *j, const tut_json_value *v)
{
    switch (v->type) {
    case TUT_JSON_NULL:
        tut_json_null(j);
        return;
    case TUT_JSON_BOOL:
        tut_json_bool(j, v->as.boolean);
        return;
    case TUT_JSON_INT:
        tut_json_int(j, v->as.integer);
        return;
    case TUT_JSON_UINT:
        tut_json_u64(j, v->as.uinteger);
        return;
    case TUT_JSON_REAL:
        tut_json_real(j, v->as.real);
        return;
    case TUT_JSON_STRING:
        tut_json_str(j, v->as.string);
        return;
    case TUT_JSON_ARRAY:
    case TUT_JSON_OBJECT:
        return;
    }
}

typedef struct walking {
    tut_guard_way way;
    tut_guard_visit visit;
    void *ctx;
    tut_json *j;
    bool asks_numbers;
} walking;

/* *ret_goes_in: the value is a container whose items come next. */
static tut_status at_value(walking *w, const tut_json_value *v, bool *ret_goes_in, tut_error *err)
{
    tut_guard_fate fate = TUT_GUARD_KEEP;
    tut_str other = {"", 0};
    *ret_goes_in = false;
    w->way.value = v;
    bool is_number = v->type == TUT_JSON_REAL || v->type == TUT_JSON_INT ||
                     v->type == TUT_JSON_UINT;
    if (is_container(v) || v->type == TUT_JSON_STRING || (is_number && w->asks_numbers))
        TUT_TRY(w->visit(w->ctx, &w->way, tut_json_text(v), &fate, &other, err));
    if (fate == TUT_GUARD_NULL) {
        if (w->j)
            tut_json_null(w->j);
        return TUT_SUCCESS;
    }
    if (fate == TUT_GUARD_RAW) {
        if (w->j)
            tut_json_raw(w->j, other);
        return TUT_SUCCESS;
    }
    if (is_container(v)) {
        if (w->way.depth == TUT_GUARD_WALK_DEPTH)
            return tut_fail(err, TUT_LIMIT, "the JSON is nested more than %d deep",
                            TUT_GUARD_WALK_DEPTH);
        if (w->j && v->type == TUT_JSON_ARRAY)
            tut_json_array(w->j);
        else if (w->j)
            tut_json_object(w->j);
        *ret_goes_in = true;
    } else if (w->j && fate == TUT_GUARD_REPLACE) {
        tut_json_str(w->j, other);
    } else if (w->j) {
        write_scalar(w->j, v);
    }
    return TUT_SUCCESS;
}

static tut_status at_key(walking *w, const tut_json_value *item, bool *ret_is_left_out,
                         tut_error *err)
{
    tut_guard_fate fate = TUT_GUARD_KEEP;
    tut_str other = {"", 0};
    w->way.value = item;
    w->way.is_key = true;
    tut_status status = w->visit(w->ctx, &w->way, item->key, &fate, &other, err);
    w->way.is_key = false;
    TUT_TRY(status);
    *ret_is_left_out = fate == TUT_GUARD_NULL;
    if (w->j && fate == TUT_GUARD_REPLACE)
        tut_json_key_str(w->j, other);
    else if (w->j && fate == TUT_GUARD_KEEP)
        tut_json_key_str(w->j, item->key);
    return TUT_SUCCESS;
}

static tut_status step(walking *w, tut_error *err)
{
    tut_guard_step *top = &w->way.steps[w->way.depth - 1];
    bool goes_in = false, is_left_out = false;
    const tut_json_value *item = &top->container->as.items[top->at];
    if (top->container->type == TUT_JSON_OBJECT)
        TUT_TRY(at_key(w, item, &is_left_out, err));
    if (!is_left_out)
        TUT_TRY(at_value(w, item, &goes_in, err));
    if (goes_in)
        w->way.steps[w->way.depth++] = (tut_guard_step){.container = item, .at = 0};
    else
        top->at++;
    return TUT_SUCCESS;
}

static tut_status walk(walking *w, const tut_json_value *root, tut_guard_at_end at_end,
                       tut_error *err)
{
    bool goes_in = false;
    TUT_TRY(at_value(w, root, &goes_in, err));
    if (goes_in)
        w->way.steps[w->way.depth++] = (tut_guard_step){.container = root, .at = 0};
    while (w->way.depth > 0) {
        tut_guard_step *top = &w->way.steps[w->way.depth - 1];
        if (top->at < top->container->count) {
            TUT_TRY(step(w, err));
            continue;
        }
        if (w->j && at_end && top->container == root)
            at_end(w->ctx, w->j);
        if (w->j && top->container->type == TUT_JSON_ARRAY)
            tut_json_end_array(w->j);
        else if (w->j)
            tut_json_end_object(w->j);
        if (--w->way.depth > 0)
            w->way.steps[w->way.depth - 1].at++;
    }
    return TUT_SUCCESS;
}

tut_status tut_guard_walk_on(const tut_json_value *root, tut_guard_visit visit,
                             tut_guard_at_end at_end, void *ctx, tut_json *j, tut_error *err)
{
    walking w = {.visit = visit, .ctx = ctx, .j = j};
    return walk(&w, root, at_end, err);
}

tut_status tut_guard_walk_numbers(const tut_json_value *root, tut_guard_visit visit, void *ctx,
                                  tut_json *j, tut_error *err)
{
    walking w = {.visit = visit, .ctx = ctx, .j = j, .asks_numbers = true};
    return walk(&w, root, NULL, err);
}

tut_status tut_guard_walk(const tut_json_value *root, tut_guard_visit visit, void *ctx, tut_json *j,
                          tut_error *err)
{
    return tut_guard_walk_on(root, visit, NULL, ctx, j, err);
}

static tut_status keep_all(void *ctx, const tut_guard_way *way, tut_str text,
                           tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    (void)ctx;
    (void)way;
    (void)text;
    (void)ret_fate;
    (void)ret_text;
    (void)err;
    return TUT_SUCCESS;
}

tut_status tut_guard_copy(const tut_json_value *root, tut_json *j, tut_error *err)
{
    return tut_guard_walk(root, keep_all, NULL, j, err);
}
