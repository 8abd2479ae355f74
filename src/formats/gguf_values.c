/*
 *   value  = key:string type:u32 payload
 *   string = length:u64 bytes
 *   array  = type:u32 count:u64 { payload }        (an array of arrays nests)
 */
#include <inttypes.h>
#include <string.h>

#include "formats/encoded.h"
#include "formats/gguf_internal.h"
#include "formats/payload.h"
#include "formats/snippet.h"
#include "formats/template.h"

enum {
    KEY_MAX = 65535,
    TEXT_MAX = 64 << 10, /* of one value */
    MAX_NESTING = 8,     /* arrays in arrays: writers use none */
    MIN_VALUE_BYTES = 8 + 4 + 1,
    LEAST_VALUE = 24, /* bytes that are looked into */
    LEAST_ITEM = 64   /* of a list: tokenizers have hundreds of thousands */
};

static bool key_starts(tut_str key, const char *prefix)
{
    return tut_str_starts(key, tut_str_of(prefix));
}

static bool key_ends(tut_str key, const char *suffix)
{
    return tut_str_ends(key, tut_str_of(suffix));
}

/* --- what values mean --- */

static void number_meaning(tut_gguf *g, tut_str key, uint64_t value)
{
    if (tut_str_eq_z(key, "general.alignment")) {
        g->alignment = value;
        g->has_alignment = true;
        /* ggml reads u32; more than a page of padding makes no sense, zero divides. */
        if (value == 0 || (value & (value - 1)) != 0 || value > 1u << 20)
            tut_exam_observe(g->x, "gguf.bad-alignment", tut_stream_pos(g->x->stream),
                             "an alignment of %" PRIu64, value);
    } else if (tut_str_eq_z(key, "general.file_type")) {
        const char *name = tut_gguf_file_type(value);
        if (name)
            tut_exam_factf(g->x, "gguf.quantisation", "%s", name);
        else
            tut_exam_factf(g->x, "gguf.quantisation", "file type %" PRIu64, value);
    } else if (key_ends(key, ".context_length") && !key_starts(key, "general.")) {
        tut_exam_factf(g->x, "gguf.context-length", "%" PRIu64, value);
    } else if (tut_str_eq_z(key, "split.count")) {
        g->split_count = value;
    } else if (tut_str_eq_z(key, "split.no")) {
        g->split_no = value;
    }
}

static const char *fact_of(tut_str key)
{
    static const struct {
        const char *key, *fact;
    } rows[] = {
        {"general.architecture", "gguf.architecture"},
        {"general.name", "model.name"},
        {"general.license", "licence"},
        {"general.author", "model.author"},
        {"general.source.url", "model.source"},
        {"general.source.huggingface.repository", "model.source"},
        {"tokenizer.ggml.model", "gguf.tokenizer"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_str_eq_z(key, rows[i].key))
            return rows[i].fact;
    /* general.base_model.0.repo_url before .name: the first that is there names it */
    if (key_starts(key, "general.base_model.") && key_ends(key, ".name"))
        return "refers.model";
    if (key_starts(key, "general.dataset.") && key_ends(key, ".name"))
        return "refers.dataset";
    if (key_starts(key, "general.base_model.") && key_ends(key, ".repo_url"))
        return "refers.model";
    if (key_starts(key, "general.dataset.") && key_ends(key, ".repo_url"))
        return "refers.dataset";
    return NULL;
}

static bool is_template(tut_str key)
{
    return key_starts(key, "tokenizer.chat_template");
}

/* A text or a row of bytes is a place for a program as good as any. */
static tut_status look_inside(tut_gguf *g, uint64_t at, uint64_t len, uint64_t least,
                              tut_error *err)
{
    if (len < least)
        return TUT_SUCCESS;
    return tut_payload_examine(g->x, at, at + len, "in the metadata", err);
}

static tut_status read_text_value(tut_gguf *g, tut_str key, tut_error *err)
{
    uint64_t at = tut_stream_pos(g->x->stream), len = 0;
    bool is_code = is_template(key);
    const char *fact = is_code ? "gguf.chat-template" : fact_of(key);
    TUT_TRY(tut_gguf_string(g, is_code ? TUT_LIMIT_TEMPLATE_BYTES : TEXT_MAX, &len, err));
    TUT_TRY(look_inside(g, at + 8, len, LEAST_VALUE, err));
    if (!is_code)
        tut_snippet_check(g->x, key, tut_buf_str(&g->text), at);
    TUT_TRY(tut_encoded_look(g->x, tut_buf_str(&g->text), at + 8, true, err));
    if (fact && g->text.len)
        tut_exam_fact(g->x, fact, tut_buf_str(&g->text));
    if (is_code && len > TUT_LIMIT_TEMPLATE_BYTES)
        tut_exam_observe(g->x, "data.template-large", at,
                         "a chat template of %" PRIu64 " bytes; only its beginning was read", len);
    if (is_code)
        return tut_template_check(g->x, tut_buf_str(&g->text), at + 8, err);
    return TUT_SUCCESS;
}

/* --- payloads --- */

static uint64_t number_of(const tut_gguf *g, const uint8_t *raw, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)raw[i] << (8 * (g->is_big ? n - 1 - i : i));
    return value;
}

static tut_status read_number(tut_gguf *g, tut_str key, tut_gguf_type type, tut_error *err)
{
    const uint8_t *raw = NULL;
    uint64_t at = tut_stream_pos(g->x->stream);
    uint32_t n = tut_gguf_type_bytes(type);
    if (!tut_is_ok(tut_stream_take(g->x->stream, n, &raw)))
        return tut_gguf_cut_off(g, err);
    uint64_t value = number_of(g, raw, n);
    if (type == TUT_GGUF_BOOL && value > 1)
        tut_exam_observe(g->x, "gguf.bad-bool", at, "%.*s is %u, neither true nor false",
                         (int)(key.len < 200 ? key.len : 200), key.data, (unsigned)value);
    if (type != TUT_GGUF_F32 && type != TUT_GGUF_F64)
        number_meaning(g, key, value);
    return TUT_SUCCESS;
}

typedef struct array_head {
    tut_gguf_type type;
    uint64_t count;
} array_head;

static tut_status read_array_head(tut_gguf *g, array_head *ret_head, tut_error *err)
{
    uint32_t type = 0;
    uint64_t count = 0, bytes = 0, at = tut_stream_pos(g->x->stream);
    TUT_TRY(tut_gguf_u32(g, &type, err));
    TUT_TRY(tut_gguf_u64(g, &count, err));
    if (type >= TUT_GGUF_TYPES) {
        tut_exam_observe(g->x, "gguf.bad-type", at, "an array of type %u", type);
        return tut_fail_at(err, TUT_MALFORMED, at, "array of unknown type %u", type);
    }
    uint64_t least = type == TUT_GGUF_STRING  ? 8
                     : type == TUT_GGUF_ARRAY ? 12
                                              : tut_gguf_type_bytes((tut_gguf_type)type);
    if (__builtin_mul_overflow(count, least, &bytes) || bytes > tut_gguf_left(g)) {
        tut_exam_observe(g->x, "gguf.array-claim", at,
                         "an array claims %" PRIu64 " items of at least %" PRIu64
                         " bytes, which the file has no room for",
                         count, least);
        return tut_fail_at(err, TUT_MALFORMED, at, "an array is larger than the file");
    }
    *ret_head = (array_head){(tut_gguf_type)type, count};
    return TUT_SUCCESS;
}

static tut_status skip_bools(tut_gguf *g, uint64_t count, tut_error *err)
{
    while (count > 0) {
        tut_span some = {0};
        size_t want = count < TUT_LIMIT_PEEK_BYTES ? (size_t)count : TUT_LIMIT_PEEK_BYTES;
        TUT_TRY(tut_stream_peek_some(g->x->stream, want, &some));
        if (some.len < want)
            return tut_gguf_cut_off(g, err);
        for (size_t i = 0; i < want; i++)
            if (some.data[i] > 1)
                tut_exam_observe(g->x, "gguf.bad-bool", tut_stream_pos(g->x->stream) + i,
                                 "an item of an array of booleans is %u", some.data[i]);
        TUT_TRY(tut_stream_skip(g->x->stream, want));
        count -= want;
    }
    return TUT_SUCCESS;
}

static bool is_list_fact(tut_str key, const char **ret_fact)
{
    static const char *const keys[] = {"general.datasets", "general.base_models"};
    static const char *const facts[] = {"refers.dataset", "refers.model"};
    for (size_t i = 0; i < 2; i++)
        if (tut_str_eq_z(key, keys[i])) {
            *ret_fact = facts[i];
            return true;
        }
    return false;
}

static tut_status read_strings(tut_gguf *g, tut_str key, uint64_t count, tut_error *err)
{
    const char *fact = NULL;
    bool is_list = is_list_fact(key, &fact);
    TUT_TRY(tut_budget_steps(g->x->budget, count, err));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t len = 0, at = tut_stream_pos(g->x->stream);
        bool is_code = is_template(key);
        size_t cap = is_code ? TUT_LIMIT_TEMPLATE_BYTES : is_list ? TEXT_MAX : 0;
        TUT_TRY(tut_gguf_string(g, cap, &len, err));
        TUT_TRY(look_inside(g, at + 8, len, LEAST_ITEM, err));
        if (fact && g->text.len)
            tut_exam_fact(g->x, fact, tut_buf_str(&g->text));
        if (is_code)
            TUT_TRY(tut_template_check(g->x, tut_buf_str(&g->text), at + 8, err));
    }
    return TUT_SUCCESS;
}

/* Scores and kinds of tokens are read by the number of the token. */
static void note_list(tut_gguf *g, tut_str key, const array_head *head)
{
    if (tut_str_eq_z(key, "tokenizer.ggml.tokens"))
        g->token_count = head->count;
    bool is_scores = tut_str_eq_z(key, "tokenizer.ggml.scores");
    if (!is_scores && !tut_str_eq_z(key, "tokenizer.ggml.token_type"))
        return;
    tut_gguf_list *list = is_scores ? &g->scores : &g->token_kinds;
    list->is_there = true;
    list->count = head->count;
    list->bytes = head->count * tut_gguf_type_bytes(head->type); /* no more than the file has */
}

static void check_list(tut_gguf *g, const tut_gguf_list *list, const char *what)
{
    enum { NUMBER = 4 };
    if (list->is_there && list->bytes / NUMBER < g->token_count)
        tut_exam_observe(g->x, "gguf.token-lists", TUT_NO_OFFSET,
                         "%s: %" PRIu64 " (%" PRIu64 " bytes) for %" PRIu64 " tokens", what,
                         list->count, list->bytes, g->token_count);
}

/* Arrays may nest, so the counts that are still open stand on a stack. */
static tut_status read_array(tut_gguf *g, tut_str key, tut_error *err)
{
    uint64_t open[MAX_NESTING];
    size_t depth = 0;
    array_head head = {TUT_GGUF_U8, 0};
    open[depth++] = 1;
    while (depth > 0) {
        if (open[depth - 1] == 0) {
            depth--;
            continue;
        }
        open[depth - 1]--;
        uint64_t at = tut_stream_pos(g->x->stream);
        TUT_TRY(tut_budget_steps(g->x->budget, 1, err));
        TUT_TRY(read_array_head(g, &head, err));
        if (depth == 1)
            note_list(g, key, &head);
        if (head.type == TUT_GGUF_STRING) {
            TUT_TRY(read_strings(g, key, head.count, err));
        } else if (head.type == TUT_GGUF_BOOL) {
            TUT_TRY(skip_bools(g, head.count, err));
        } else if (head.type != TUT_GGUF_ARRAY) {
            if (tut_gguf_type_bytes(head.type) == 1)
                TUT_TRY(look_inside(g, tut_stream_pos(g->x->stream), head.count, LEAST_VALUE, err));
            if (!tut_is_ok(
                    tut_stream_skip(g->x->stream, head.count * tut_gguf_type_bytes(head.type))))
                return tut_gguf_cut_off(g, err);
        } else {
            if (depth == 1)
                tut_exam_observe(g->x, "gguf.nested-array", at, "%.*s is an array of arrays",
                                 (int)(key.len < 200 ? key.len : 200), key.data);
            if (depth == MAX_NESTING)
                return tut_fail_at(err, TUT_LIMIT, at, "arrays nested deeper than %d", MAX_NESTING);
            open[depth++] = head.count;
        }
    }
    return TUT_SUCCESS;
}

static tut_status read_key(tut_gguf *g, char key[256], tut_error *err)
{
    uint64_t at = tut_stream_pos(g->x->stream), len = 0;
    TUT_TRY(tut_gguf_string(g, KEY_MAX, &len, err));
    tut_str text = tut_buf_str(&g->text);
    bool has_nul = text.len && memchr(text.data, 0, text.len);
    if (len == 0 || len > KEY_MAX || has_nul || !tut_utf8_valid(text))
        tut_exam_observe(g->x, "gguf.bad-name", at, "a key of %" PRIu64 " bytes%s", len,
                         len ? " that is no text" : "");
    tut_str_copy(key, 256, text);
    return tut_extents_name(&g->keys, tut_extents_hash(text), err);
}

static tut_status read_value(tut_gguf *g, tut_error *err)
{
    char key[256];
    uint32_t type = 0;
    TUT_TRY(read_key(g, key, err));
    uint64_t at = tut_stream_pos(g->x->stream);
    TUT_TRY(tut_gguf_u32(g, &type, err));
    if (type >= TUT_GGUF_TYPES) {
        tut_exam_observe(g->x, "gguf.bad-type", at, "the value of %s is of type %u", key, type);
        return tut_fail_at(err, TUT_MALFORMED, at, "value of unknown type %u", type);
    }
    if (type != TUT_GGUF_U32 && strcmp(key, "general.alignment") == 0)
        tut_exam_observe(g->x, "gguf.bad-alignment", at,
                         "the alignment is of type %u, and must be a 32-bit number", type);
    if (type == TUT_GGUF_STRING)
        return read_text_value(g, tut_str_of(key), err);
    if (type == TUT_GGUF_ARRAY)
        return read_array(g, tut_str_of(key), err);
    return read_number(g, tut_str_of(key), (tut_gguf_type)type, err);
}

tut_status tut_gguf_read_values(tut_gguf *g, tut_error *err)
{
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(g->value_count, (uint64_t)MIN_VALUE_BYTES, &bytes) ||
        bytes > tut_gguf_left(g)) {
        tut_exam_observe(g->x, "gguf.count-claim", 16,
                         "%" PRIu64 " metadata values do not fit into the file", g->value_count);
        return tut_fail_at(err, TUT_MALFORMED, 16, "more metadata than the file holds");
    }
    for (uint64_t i = 0; i < g->value_count; i++) {
        TUT_TRY(tut_budget_steps(g->x->budget, 1, err));
        TUT_TRY(read_value(g, err));
    }
    check_list(g, &g->scores, "scores");
    check_list(g, &g->token_kinds, "kinds of tokens");
    size_t again = tut_extents_duplicates(&g->keys);
    if (again)
        tut_exam_observe(g->x, "gguf.duplicate-key", TUT_NO_OFFSET,
                         "%zu keys stand in the metadata more than once", again);
    return TUT_SUCCESS;
}
