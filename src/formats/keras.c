/*
 * Keras' files: the .keras archive (metadata.json, config.json, model.weights.h5 or .npz, assets)
 * is a zip whose members are examined by content; its configuration, wherever it stands, is this.
 */
#include <string.h>

#include "base/buf.h"
#include "formats/keras_config.h"
#include "formats/keras_text.h"
#include "formats/text.h"

static bool has(tut_str text, const char *needle)
{
    size_t at;
    return tut_str_find(text, tut_str_of(needle), &at);
}

/* --- the archive --- */

static tut_str first_name(const tut_sniff *s)
{
    enum { LOCAL_BYTES = 30 };
    if (s->head.len < LOCAL_BYTES)
        return (tut_str){"", 0};
    size_t len = (size_t)s->head.data[26] | (size_t)s->head.data[27] << 8;
    size_t there = s->head.len - LOCAL_BYTES;
    return (tut_str){(const char *)s->head.data + LOCAL_BYTES, len < there ? len : there};
}

static tut_match sniff_archive(const tut_sniff *s)
{
    if (!tut_sniff_magic(s, "PK\3\4", 4))
        return TUT_MATCH_NONE;
    tut_str name = first_name(s), tail = tut_str_from(s->tail);
    bool starts_so = tut_str_eq_z(name, "metadata.json") || tut_str_eq_z(name, "config.json") ||
                     tut_str_starts(name, TUT_LIT("model.weights."));
    bool ends_so = has(tail, "config.json") &&
                   (has(tail, "model.weights.") || has(tail, "metadata.json"));
    bool is_named = tut_sniff_ext(s, ".keras");
    return (starts_so && ends_so) || (is_named && (starts_so || ends_so)) ? TUT_MATCH_SURE
                                                                          : TUT_MATCH_NONE;
}

extern const tut_format tut_format_zip;

/* Does a central header in these bytes have the name? */
static bool lists_member(tut_span bytes, const char *name)
{
    enum { CENTRAL_BYTES = 46 };
    size_t len = strlen(name);
    for (size_t i = 0; i + CENTRAL_BYTES + len <= bytes.len; i++) {
        const uint8_t *p = bytes.data + i;
        if (p[0] == 'P' && memcmp(p, "PK\1\2", 4) == 0 &&
            ((size_t)p[28] | (size_t)p[29] << 8) == len &&
            memcmp(p + CENTRAL_BYTES, name, len) == 0)
            return true;
    }
    return false;
}

/* Keras reads nothing of an archive that has no configuration. */
static tut_status check_config_is_there(tut_exam *x, tut_error *err)
{
    enum { DIRECTORY_BYTES = 1 << 20 };
    uint64_t size = x->source->size;
    size_t n = size < DIRECTORY_BYTES ? (size_t)size : DIRECTORY_BYTES, got = 0;
    TUT_AUTO_FREE uint8_t *bytes = tut_alloc_array(n + 1, 1);
    if (!bytes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_source_read_some(x->source, size - n, bytes, n, &got, err));
    if (!lists_member(tut_span_of(bytes, got), "config.json"))
        tut_exam_observe(x, "keras.bad-config", TUT_NO_OFFSET, "the archive has no config.json");
    return TUT_SUCCESS;
}

static tut_status examine_archive(tut_exam *x, tut_error *err)
{
    TUT_TRY(tut_format_zip.examine(x, err));
    return check_config_is_there(x, err);
}

/* --- the configuration --- */

static tut_match sniff_config(const tut_sniff *s)
{
    const char *encoding = NULL;
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, 4 * s->head.len + 16);
    if (s->head.len < 2)
        return TUT_MATCH_NONE;
    tut_keras_text(s->head, &text, &encoding);
    tut_str head = tut_str_trim(tut_buf_str(&text));
    /* Nothing but white space so far: whoever puts it there knows how far others look. */
    if (head.len == 0 && text.len == 0)
        return TUT_MATCH_NONE;
    if (head.len == 0)
        return tut_sniff_ext(s, ".json") ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
    if (head.data[0] != '{')
        return TUT_MATCH_NONE;
    bool is_inside = has(s->path, "!/") && tut_text_named(s, "config.json metadata.json");
    bool says_so = has(head, "\"class_name\"") &&
                   (has(head, "\"config\"") || has(head, "\"keras_version\""));
    bool is_training = has(head, "\"optimizer_config\"") && has(head, "\"loss\"");
    return is_inside || says_so || is_training ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* The same bytes as any other JSON: facts about files, code and packages. */
static tut_status examine_as_json(tut_exam *x, tut_span bytes, tut_error *err)
{
    TUT_AUTO(tut_stream) stream = NULL;
    tut_source source = tut_source_memory(bytes);
    const tut_format *json = tut_format_by_name("json");
    if (!json || !json->examine)
        return TUT_SUCCESS;
    TUT_TRY(tut_stream_open_source(&source, &stream));
    tut_exam inner = *x;
    inner.stream = stream;
    inner.source = &source;
    inner.size = source.size;
    return json->examine(&inner, err);
}

static tut_status examine_config(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text;
    bool is_whole = false;
    tut_buf_init(&text, TUT_LIMIT_JSON_BYTES);
    TUT_TRY(tut_text_hold(x, TUT_LIMIT_JSON_BYTES, &text, &is_whole, err));
    if (!is_whole)
        return tut_fail(err, TUT_LIMIT, "a configuration of over %u MB",
                        TUT_LIMIT_JSON_BYTES >> 20);
    tut_str all = tut_buf_str(&text);
    if (x->is_member)
        tut_keras_config_check(x, tut_buf_span(&text));
    if (!has(all, "class_name") && !has(all, "keras") &&
        !(all.len > 0 && memchr(all.data, 0, all.len)) && !has(all, "\\u"))
        return examine_as_json(x, tut_buf_span(&text), err);
    TUT_CLEAN(tut_buf) where = TUT_BUF_INIT;
    tut_buf_add_str(&where, x->name);
    const char *name = tut_buf_z(&where);
    return tut_keras_config_examine(x, tut_buf_span(&text), name ? name : "config", err);
}

extern const tut_format tut_format_keras, tut_format_keras_config;

const tut_format tut_format_keras = {
    .name = "keras",
    .label = "Keras archive",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_archive,
    .examine = examine_archive,
    .extensions = ".keras .zip",
    .reads = "members by their own format: configuration, weights, assets",
    .rules = "zip keras hdf5 numpy pickle",
};

const tut_format tut_format_keras_config = {
    .name = "keras-config",
    .label = "Keras configuration",
    .kind = TUT_KIND_CONFIG,
    .sniff = sniff_config,
    .examine = examine_config,
    .extensions = ".json .config .txt .conf",
    .reads = "the whole tree of objects: layers, functions, code, files that it names",
    .rules = "keras pickle",
};
