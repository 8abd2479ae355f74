#include "probe/load_common.h"

#include <string.h>

#include "base/json_write.h"

#define STREAM_TOKENS "64"

enum { WIDTH = 4, ROWS = 256, WORDS = 16000, TOKENS = 4096, ROWS_BYTES = 4 << 20 };

static tut_status compose(const tut_probe *p, tut_buf *body, tut_error *err)
{
    const tut_target *t = p->target;
    const tut_sample *data = p->others ? p->others : p->members;
    size_t width = t->facts.width ? t->facts.width : data ? data->width : WIDTH;
    TUT_AUTO_FREE float *zeros = tut_alloc_array(width, sizeof(*zeros));
    if (!zeros)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const float *row = data && data->width == width ? data->rows : zeros;
    return t->driver->compose(t, row, width, body, err);
}

tut_status load_common_open(load_common *c, const tut_probe *p, tut_error *err)
{
    c->http = tut_target_http(p->target);
    return compose(p, &c->normal, err);
}

void load_common_done(load_common *c)
{
    tut_buf_done(&c->normal);
}

/* Copies an object with some of its members replaced. */
static void write_value(tut_json *j, const tut_json_value *v)
{
    switch (v->type) {
    case TUT_JSON_STRING:
        tut_json_str(j, tut_json_text(v));
        return;
    case TUT_JSON_BOOL:
        tut_json_bool(j, v->as.boolean);
        return;
    case TUT_JSON_INT:
    case TUT_JSON_UINT:
    case TUT_JSON_REAL:
        tut_json_real(j, tut_json_real_of(v));
        return;
    case TUT_JSON_NULL:
    case TUT_JSON_ARRAY:
    case TUT_JSON_OBJECT:
        tut_json_null(j);
        return;
    }
}

static void write_long_text(tut_json *j, bool is_chat)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "Repeat this, word by word:");
    for (unsigned i = 0; i < WORDS; i++)
        tut_buf_printf(&text, " w%u", i);
    if (!is_chat) {
        tut_json_put_str(j, "prompt", tut_buf_str(&text));
        return;
    }
    tut_json_key(j, "messages");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "role", "user");
    tut_json_put_str(j, "content", tut_buf_str(&text));
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void write_many_rows(tut_json *j, const tut_json_value *input)
{
    const tut_json_value *shape = tut_json_get(input, "shape"), *data = tut_json_get(input, "data");
    size_t rows = ROWS_BYTES / ((size_t)tut_json_count(data) * 8 + 1) + 1;
    rows = rows < ROWS ? rows : ROWS;
    tut_json_key(j, "inputs");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_str(j, "name", tut_json_get_text(input, "name"));
    tut_json_put_str(j, "datatype", tut_json_get_text(input, "datatype"));
    tut_json_key(j, "shape");
    tut_json_array(j);
    tut_json_u64(j, rows);
    for (uint32_t i = 1; i < tut_json_count(shape); i++)
        tut_json_real(j, tut_json_real_of(tut_json_item(shape, i)));
    tut_json_end_array(j);
    tut_json_key(j, "data");
    tut_json_array(j);
    for (size_t r = 0; r < rows; r++)
        for (uint32_t i = 0; i < tut_json_count(data); i++)
            tut_json_real(j, tut_json_real_of(tut_json_item(data, i)));
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

tut_status load_common_long(const load_common *c, const tut_probe *p, tut_buf *ret_body,
                            tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_json) j = NULL;
    (void)p;
    TUT_TRY(tut_json_parse(tut_buf_span(&c->normal), NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc), *inputs = tut_json_get(root, "inputs");
    TUT_TRY(tut_json_new(ret_body, &j));
    tut_json_object(j);
    if (inputs) {
        write_many_rows(j, tut_json_item(inputs, 0));
    } else {
        for (uint32_t i = 0; i < tut_json_count(root); i++) {
            const tut_json_value *v = tut_json_item(root, i);
            if (tut_str_eq_z(v->key, "messages") || tut_str_eq_z(v->key, "prompt") ||
                tut_str_eq_z(v->key, "max_tokens"))
                continue;
            tut_json_key_str(j, v->key);
            write_value(j, v);
        }
        tut_json_put_int(j, "max_tokens", TOKENS);
        write_long_text(j, tut_json_get(root, "messages") != NULL);
    }
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* Our own writing of it: in a text the quotes would have backslashes before them. */
tut_status load_common_stream(const load_common *c, tut_buf *ret_body, tut_error *err)
{
    static const struct {
        const char *from, *to;
    } changes[] = {{"\"stream\":false", "\"stream\":true"},
                   {"\"max_tokens\":8,", "\"max_tokens\":" STREAM_TOKENS ","}};
    tut_str rest = tut_buf_str(&c->normal);
    bool is_stream = false;
    while (rest.len) {
        size_t used = 1;
        for (size_t i = 0; used == 1 && i < sizeof(changes) / sizeof(changes[0]); i++)
            if (tut_str_starts(rest, tut_str_of(changes[i].from))) {
                tut_buf_add_z(ret_body, changes[i].to);
                used = strlen(changes[i].from);
                is_stream = is_stream || i == 0;
            }
        if (used == 1)
            tut_buf_add_byte(ret_body, (uint8_t)rest.data[0]);
        rest = (tut_str){rest.data + used, rest.len - used};
    }
    TUT_TRY(tut_buf_check(ret_body, err));
    if (!is_stream)
        tut_buf_clear(ret_body);
    return TUT_SUCCESS;
}
