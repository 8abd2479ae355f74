/*
 * Core ML's compiled models (.mlmodelc): a folder of a program as text (model.mil), what is told of
 * the model (coremldata.bin), and its weights. Apple documents neither file; of the binary one the
 * beginning is known, which says what kind of model it is, and the names in its analytics.
 *
 *   coremldata.bin           = kind:u32 version:u32 ...   as the specification's fields are
 * numbered analytics/coremldata.bin = { length:u64 name } ... model.mil                =
 * "program(1.0)" "[" ... "]" "{" func ... "}" BLOBFILE(path = tensor<string,
 * []>("@model_path/weights/weight.bin"), offset = tensor<uint64, []>(64))
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/payload.h"
#include "formats/relpath.h"
#include "formats/text.h"

enum {
    FIRST_KIND = 200,
    CUSTOM_MODEL = 555,
    LAST_KIND = 3000,
    LONGEST_NAME = 64,
    LOOKED_AT = 64 << 10
};

/* --- coremldata.bin --- */

static uint64_t number_at(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static bool begins_with_name(tut_span head, uint64_t len)
{
    if (len < 3 || len > LONGEST_NAME || len > head.len - 8)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = head.data[8 + i] | 0x20;
        if (c < 'a' || c > 'z')
            return false;
    }
    return true;
}

static tut_match sniff_told(const tut_sniff *s)
{
    if (!tut_str_ieq(s->name, TUT_LIT("coremldata.bin")) || s->head.len < 16)
        return TUT_MATCH_NONE;
    uint64_t kind = number_at(s->head.data, 4), version = number_at(s->head.data + 4, 4);
    bool is_kind = kind >= FIRST_KIND && kind <= LAST_KIND && version < 100;
    return is_kind || begins_with_name(s->head, number_at(s->head.data, 8)) ? TUT_MATCH_STRONG
                                                                            : TUT_MATCH_NONE;
}

static tut_status examine_told(tut_exam *x, tut_error *err)
{
    static const char key[] = "containsCustomLayer";
    TUT_CLEAN(tut_buf) held;
    bool is_whole = false;
    size_t at = 0;
    tut_buf_init(&held, LOOKED_AT + 16);
    TUT_TRY(tut_text_hold(x, LOOKED_AT, &held, &is_whole, err));
    tut_str text = tut_buf_str(&held);
    uint64_t kind = held.len >= 4 ? number_at(held.data, 4) : 0;
    if (kind >= FIRST_KIND)
        tut_exam_factf(x, "coreml.kind", "%" PRIu64, kind);
    if (kind == CUSTOM_MODEL)
        tut_exam_observe(x, "coreml.custom-code", 0, "a custom model");
    /* The name, the length of its value, the value. */
    size_t value = sizeof(key) - 1 + 8;
    if (tut_str_find(text, tut_str_of(key), &at) && at + value < text.len &&
        text.data[at + value] == '1')
        tut_exam_observe(x, "coreml.custom-code", at, "it says that it has custom layers");
    return x->source ? tut_payload_zip_tail(x, "coreml.polyglot", err) : TUT_SUCCESS;
}

/* --- model.mil --- */

static tut_match sniff_program(const tut_sniff *s)
{
    tut_str head = tut_str_trim(tut_text_head(s));
    bool is_program = tut_sniff_text(s) && tut_str_starts(head, TUT_LIT("program("));
    if (!is_program || head.len < 10 || head.data[8] < '0' || head.data[8] > '9')
        return TUT_MATCH_NONE;
    return tut_sniff_ext(s, ".mil") ? TUT_MATCH_STRONG : TUT_MATCH_WEAK;
}

typedef struct program {
    tut_exam *x;
    uint64_t functions, blobs;
    char file[256]; /* the last one */
} program;

static void judge_file(program *p, tut_str path, uint64_t at)
{
    static const char root[] = "@model_path/";
    p->blobs++;
    if (tut_str_starts(path, tut_str_of(root)))
        path = (tut_str){path.data + sizeof(root) - 1, path.len - (sizeof(root) - 1)};
    const char *why = tut_relpath_unsafe(path);
    if (why) {
        tut_exam_observe(p->x, "coreml.path", at, "a file of weights %s: %.*s", why,
                         (int)(path.len < 200 ? path.len : 200), path.data);
        return;
    }
    if (tut_str_eq_z(path, p->file))
        return;
    tut_str_copy(p->file, sizeof(p->file), path);
    tut_exam_fact(p->x, "refers.shard", tut_str_of(p->file));
}

static void read_line(program *p, tut_str line, uint64_t at)
{
    size_t found = 0;
    p->functions += tut_str_starts(tut_str_trim(line), TUT_LIT("func "));
    while (tut_str_find(line, TUT_LIT("BLOBFILE"), &found)) {
        line = (tut_str){line.data + found + 8, line.len - found - 8};
        at += found + 8;
        const char *quote = line.len ? memchr(line.data, '"', line.len) : NULL;
        if (!quote)
            return;
        tut_str rest = {quote + 1, line.len - (size_t)(quote + 1 - line.data)};
        const char *end = rest.len ? memchr(rest.data, '"', rest.len) : NULL;
        if (end)
            judge_file(p, (tut_str){rest.data, (size_t)(end - rest.data)}, at);
    }
}

static tut_status examine_program(tut_exam *x, tut_error *err)
{
    program p = {.x = x};
    while (!tut_stream_at_end(x->stream)) {
        tut_span line = {0};
        bool is_cut = false;
        uint64_t at = tut_stream_pos(x->stream);
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        tut_status status = tut_stream_line(x->stream, TUT_LIMIT_PEEK_BYTES, &line, &is_cut);
        read_line(&p, tut_str_from(line), at);
        if (!tut_is_ok(status) && status.code != TUT_TRUNCATED)
            return status;
        if (!tut_is_ok(status))
            break;
    }
    tut_exam_factf(x, "coreml.functions", "%" PRIu64, p.functions);
    return TUT_SUCCESS;
}

extern const tut_format tut_format_coreml_told, tut_format_coreml_program;

const tut_format tut_format_coreml_told = {
    .name = "coreml-data",
    .label = "compiled Core ML model: its description",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_told,
    .examine = examine_told,
    .extensions = ".bin",
    .reads = "kind of model, custom layers; the rest is not documented",
    .rules = "coreml",
};

const tut_format tut_format_coreml_program = {
    .name = "coreml-program",
    .label = "Core ML program as text",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_program,
    .examine = examine_program,
    .extensions = ".mil",
    .reads = "functions, files of weights",
    .rules = "coreml",
};
