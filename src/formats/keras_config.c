/*
 * The tree of objects that Keras serialises:
 *
 *   object = {"class_name": NAME, "module": MODULE, "registered_name": NAME, "config": CONFIG, ...}
 *
 * where CONFIG holds further objects, at any depth and in any place: layers, wrapped layers,
 * activations, initialisers, losses, metrics, optimisers. Loaders deserialise them where they meet
 * them, so every object, every list and every string of the tree is looked at, not only layers.
 * keras_object.c says what one object does; here are the reading and the walk.
 */
#include "formats/keras_config.h"

#include <inttypes.h>
#include <string.h>

#include "formats/encoded.h"
#include "formats/keras_internal.h"
#include "formats/keras_text.h"
#include "formats/marshal.h"
#include "formats/pickle_sniff.h"

enum {
    DEPTH = 1000, /* Python's own limit */
    LEAST_CODE = 24,
    DECODED_BYTES = 1024,
    MEMORY_TIMES = 8 /* of the text: what a parsed tree takes */
};

/* --- strings --- */

static tut_status hand_on_pickle(tut_keras *k, tut_span bytes, const char *where, tut_error *err)
{
    tut_source source = tut_source_memory(bytes);
    if (!k->x->ops->member)
        return TUT_SUCCESS;
    return k->x->ops->member(k->x->ctx, tut_str_of(where), &source, NULL, source.size, err);
}

/* Whether a text is the base64 of a code object or a pickle; then it is examined. */
static tut_status check_encoded(tut_keras *k, tut_str text, tut_error *err)
{
    uint8_t some[DECODED_BYTES];
    size_t len = 0;
    tut_str head = {text.data, text.len < DECODED_BYTES ? text.len : DECODED_BYTES};
    if (text.len < LEAST_CODE || !tut_encoded_base64(head, some, sizeof(some), &len))
        return TUT_SUCCESS;
    tut_span start = {some, len};
    bool is_code = tut_marshal_is_code(start);
    bool is_pickle = !is_code && some[0] == 0x80 &&
                     tut_psniff_is_pickle(start, head.len == text.len ? len : UINT64_MAX);
    if (!is_code && !is_pickle)
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint8_t *decoded = tut_alloc_array(text.len, 1);
    if (!decoded)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_encoded_base64(text, decoded, text.len, &len))
        return TUT_SUCCESS;
    tut_span bytes = {decoded, len};
    return is_code ? tut_marshal_report(k->x, bytes, "keras.lambda-code", tut_keras_where(k), err)
                   : hand_on_pickle(k, bytes, "[base64 pickle]", err);
}

static bool starts_any(tut_str s, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (tut_str_starts(s, tut_str_of(*prefixes)))
            return true;
    return false;
}

/* A table of words that is read from a path when the layer is built. */
static void check_vocabulary(tut_keras *k, tut_str text)
{
    static const char *const outside[] = {"/",     "\\",  "~",   ".",     "http:", "https:", "ftp:",
                                          "file:", "gs:", "s3:", "hdfs:", "hf:",   "C:",     NULL};
    if (text.len == 0)
        return;
    size_t at;
    bool is_out = starts_any(text, outside) || tut_str_find(text, TUT_LIT(".."), &at) ||
                  tut_str_find(text, TUT_LIT("://"), &at);
    tut_exam_observe(k->x, is_out ? "keras.outside-file" : "keras.file-path", TUT_NO_OFFSET,
                     "%s: the vocabulary is read from file '%.*s'", tut_keras_where(k),
                     TUT_KERAS_SHOWN(text));
}

static tut_status check_string(tut_keras *k, const tut_json_value *v, tut_error *err)
{
    static const char *const names[] = {"vocabulary", "vocabulary_path", "vocab_file",
                                        "idf_weights_path", NULL};
    for (const char *const *n = names; *n; n++)
        if (tut_str_eq_z(v->key, *n))
            check_vocabulary(k, v->as.string);
    size_t at;
    if (tut_str_find(v->as.string, TUT_LIT("enable_unsafe_deserialization"), &at))
        tut_exam_observe(k->x, "keras.unsafe-switch", TUT_NO_OFFSET, "%s names it",
                         tut_keras_where(k));
    return check_encoded(k, v->as.string, err);
}

/* --- the walk --- */

static tut_status push(tut_keras *k, const tut_json_value *v, tut_str layer)
{
    TUT_TRY(tut_grow(&k->stack, k->count, &k->capacity, sizeof(*k->stack)));
    k->stack[k->count++] = (tut_keras_item){v, layer};
    return TUT_SUCCESS;
}

static tut_status visit(tut_keras *k, tut_keras_item item, tut_error *err)
{
    const tut_json_value *v = item.value;
    k->layer = item.layer;
    TUT_TRY(tut_budget_steps(k->x->budget, 1, err));
    if (v->type == TUT_JSON_STRING)
        return check_string(k, v, err);
    if (v->type != TUT_JSON_OBJECT && v->type != TUT_JSON_ARRAY)
        return TUT_SUCCESS;
    tut_str name = tut_json_get_text(tut_json_get(v, "config"), "name");
    if (name.len)
        item.layer = name;
    k->layer = item.layer;
    if (v->type == TUT_JSON_OBJECT)
        TUT_TRY(tut_keras_object(k, v, err));
    for (uint32_t i = tut_json_count(v); i-- > 0;)
        TUT_TRY(push(k, tut_json_item(v, i), item.layer));
    return TUT_SUCCESS;
}

static tut_status walk(tut_keras *k, const tut_json_value *root, tut_error *err)
{
    TUT_TRY(push(k, root, (tut_str){"", 0}));
    while (k->count > 0)
        TUT_TRY(visit(k, k->stack[--k->count], err));
    return TUT_SUCCESS;
}

/* --- facts --- */

static void tell_optimizer(tut_keras *k, const tut_json_value *root)
{
    const tut_json_value *training = tut_json_get(root, "compile_config");
    const tut_json_value *o = tut_json_get(training ? training : root, "optimizer_config");
    if (!o)
        o = tut_json_get(training ? training : root, "optimizer");
    tut_str name = o && o->type == TUT_JSON_STRING ? o->as.string
                                                   : tut_json_get_text(o, "class_name");
    if (name.len)
        tut_exam_fact(k->x, "keras.optimizer", name);
}

static void tell_facts(tut_keras *k, const tut_json_value *root)
{
    static const struct {
        const char *key, *fact;
    } texts[] = {{"keras_version", "keras.version"},
                 {"backend", "keras.backend"},
                 {"class_name", "keras.class"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tut_str text = tut_json_get_text(root, texts[i].key);
        if (text.len)
            tut_exam_fact(k->x, texts[i].fact, text);
    }
    tut_str name = tut_json_get_text(tut_json_get(root, "config"), "name");
    if (name.len)
        tut_exam_fact(k->x, "model.name", name);
    tell_optimizer(k, root);
    if (k->layers)
        tut_exam_factf(k->x, "keras.layers", "%" PRIu64, k->layers);
    if (k->types.len)
        tut_exam_fact(k->x, "keras.layer-types", tut_buf_str(&k->types));
}

/* --- reading --- */

static tut_status bad_config(tut_exam *x, const char *where, tut_status status, tut_error *why)
{
    if (status.code == TUT_MALFORMED || status.code == TUT_LIMIT)
        tut_exam_observe(x, "keras.bad-config", why->has_offset ? why->offset : TUT_NO_OFFSET,
                         "%s: %s", where, why->text);
    return status;
}

static tut_status examine_tree(tut_keras *k, tut_span json, tut_error *err)
{
    const tut_json_options options = {.max_depth = DEPTH, .allow_duplicates = true};
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    tut_status status = tut_json_parse(json, &options, &doc, &why);
    if (!tut_is_ok(status)) {
        if (err)
            *err = why;
        return bad_config(k->x, k->where, status, &why);
    }
    tut_str again = {0};
    if (tut_json_duplicates(doc, &again))
        tut_exam_observe(k->x, "keras.duplicate-key", TUT_NO_OFFSET,
                         "%s: '%.*s' stands twice in one object", k->where, TUT_KERAS_SHOWN(again));
    TUT_TRY(walk(k, tut_json_root(doc), err));
    tell_facts(k, tut_json_root(doc));
    return TUT_SUCCESS;
}

void tut_keras_config_check(tut_exam *x, tut_span json)
{
    const tut_json_options options = {.max_depth = DEPTH, .allow_duplicates = true};
    const char *encoding = NULL;
    TUT_CLEAN(tut_buf) text;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    tut_buf_init(&text, 2 * (size_t)TUT_LIMIT_JSON_BYTES);
    tut_keras_text(json, &text, &encoding);
    tut_status status = tut_json_parse(tut_buf_span(&text), &options, &doc, &why);
    (void)bad_config(x, "config", status, &why);
}

tut_status tut_keras_config_examine(tut_exam *x, tut_span json, const char *where, tut_error *err)
{
    const char *encoding = NULL;
    TUT_CLEAN(tut_buf) text;
    uint64_t memory = (uint64_t)json.len * MEMORY_TIMES;
    if (json.len > TUT_LIMIT_JSON_BYTES)
        return tut_fail(err, TUT_LIMIT, "a configuration of %zu bytes", json.len);
    TUT_TRY(tut_budget_heap(x->budget, memory, err));
    tut_buf_init(&text, 2 * (size_t)TUT_LIMIT_JSON_BYTES);
    tut_keras_text(json, &text, &encoding);
    tut_status status = tut_buf_check(&text, err);
    tut_keras k = {.x = x, .where = where};
    tut_buf_init(&k.types, TUT_LIMIT_FACT_BYTES);
    if (tut_is_ok(status) && strcmp(encoding, "UTF-8") != 0)
        tut_exam_observe(x, "keras.odd-encoding", 0, "%s is %s", where, encoding);
    if (tut_is_ok(status))
        status = examine_tree(&k, tut_buf_span(&text), err);
    tut_buf_done(&k.types);
    tut_free(k.stack);
    tut_budget_heap_return(x->budget, memory);
    return status;
}

const char *tut_keras_where(tut_keras *k)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_z(&line, k->where);
    if (k->layer.len)
        tut_buf_printf(&line, ", in '%.*s'", TUT_KERAS_SHOWN(k->layer));
    tut_str_copy(k->line, sizeof(k->line), tut_buf_str(&line));
    return k->line;
}
