/*
 * Models that cannot be read here: compiled for one device, or of frameworks that are no longer
 * maintained. They are known by their first bytes, said to be opaque, and searched for what no
 * model needs: native programs (TensorRT can carry plugins inside), and text that only a program
 * says.
 */
#include <string.h>

#include "formats/format.h"
#include "formats/payload.h"
#include "formats/snippet.h"

enum { OVERLAP = 256, LONGEST_RUN = 4096 };

/* A program for a processor: GPU code is in every engine. */
static bool is_host_program(tut_span at)
{
    const char *name = tut_payload_program(at);
    if (!name || at.len < 20)
        return false;
    if (at.data[0] != 0x7f)
        return true;
    unsigned machine = at.data[18] | (unsigned)at.data[19] << 8;
    return machine == 62 || machine == 183 || machine == 40 || machine == 3 || machine == 243;
}

/* Runs of printable text in the window. */
static void search_text(tut_exam *x, tut_span window, uint64_t base, bool *is_told)
{
    size_t from = 0;
    for (size_t i = 0; i <= window.len && !*is_told; i++) {
        bool is_text = i < window.len && window.data[i] >= 0x20 && window.data[i] < 0x7f;
        if (is_text && i - from < LONGEST_RUN)
            continue;
        const char *what = NULL;
        if (i - from >= 6)
            what = tut_snippet_in((tut_str){(const char *)window.data + from, i - from});
        if (what)
            tut_exam_observe(x, "opaque.code-text", base + from, "it holds the text %s", what);
        *is_told = what != NULL;
        from = i + 1;
    }
}

static void search_programs(tut_exam *x, tut_span window, uint64_t base, bool *is_told)
{
    const uint8_t *end = window.data + window.len;
    const uint8_t *at = window.data;
    while (!*is_told && at < end && (at = memchr(at, 0x7f, (size_t)(end - at))) != NULL) {
        if (is_host_program(tut_span_of(at, (size_t)(end - at)))) {
            tut_exam_observe(x, "opaque.native-code", base + (uint64_t)(at - window.data),
                             "a native program lies inside");
            *is_told = true;
        }
        at++;
    }
}

static tut_status search(tut_exam *x)
{
    bool has_text = false, has_program = false;
    for (;;) {
        tut_span window = {0};
        uint64_t base = tut_stream_pos(x->stream);
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &window));
        if (window.len == 0)
            return TUT_SUCCESS;
        search_text(x, window, base, &has_text);
        search_programs(x, window, base, &has_program);
        bool is_last = window.len < TUT_LIMIT_PEEK_BYTES;
        if (is_last || !x->content)
            return TUT_SUCCESS;
        TUT_TRY(tut_stream_skip(x->stream, window.len - OVERLAP));
    }
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_TRY(search(x));
    return tut_fail(
        err, TUT_UNSUPPORTED,
        "this kind of model cannot be read here, only searched for programs and commands");
}

static tut_match sniff_tensorrt(const tut_sniff *s)
{
    bool is_magic = tut_sniff_magic(s, "ptrt", 4) || tut_sniff_magic(s, "ftrt", 4);
    bool is_named = tut_sniff_ext(s, ".engine .plan .trt");
    return is_magic ? TUT_MATCH_SURE
                    : (is_named && !tut_sniff_text(s) ? TUT_MATCH_WEAK : TUT_MATCH_NONE);
}

static tut_match sniff_rknn(const tut_sniff *s)
{
    return tut_sniff_magic(s, "RKNN", 4) || tut_sniff_magic(s, "CYPTRKNN", 8) ? TUT_MATCH_SURE
                                                                              : TUT_MATCH_NONE;
}

/* MNN is a FlatBuffer without an identifier: its name, and an offset that makes sense. */
static tut_match sniff_mnn(const tut_sniff *s)
{
    bool is_named = tut_sniff_ext(s, ".mnn") && s->head.len >= 8;
    return is_named && s->head.data[2] == 0 && s->head.data[3] == 0 ? TUT_MATCH_STRONG
                                                                    : TUT_MATCH_NONE;
}

static tut_match sniff_ncnn(const tut_sniff *s)
{
    bool is_text = tut_sniff_magic(s, "7767517\n", 8) || tut_sniff_magic(s, "7767517\r\n", 9);
    bool is_binary = tut_sniff_magic(s, "\xdd\x85\x76\x00", 4) && tut_sniff_ext(s, ".bin .param");
    return is_text || is_binary ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_match sniff_cntk(const tut_sniff *s)
{
    return tut_sniff_magic(s, "B\0C\0N\0\0\0", 8) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* A Torch object (4), number 1, of version "V 1" */
static tut_match sniff_torch7(const tut_sniff *s)
{
    bool is_binary = tut_sniff_magic(s, "\4\0\0\0\1\0\0\0\3\0\0\0V 1", 15);
    bool is_text = tut_sniff_magic(s, "4\n1\n3\nV 1\n", 10);
    bool is_table = tut_sniff_ext(s, ".t7") && s->head.len >= 8 && s->head.data[0] < 9 &&
                    s->head.data[1] == 0 && s->head.data[2] == 0 && s->head.data[3] == 0;
    return is_binary || is_text ? TUT_MATCH_SURE : is_table ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_match sniff_mxnet(const tut_sniff *s)
{
    return tut_sniff_magic(s, "\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) ? TUT_MATCH_SURE
                                                                          : TUT_MATCH_NONE;
}

/* The formats of llama.cpp before GGUF: a magic, little endian, and a version. */
static tut_match sniff_ggml(const tut_sniff *s)
{
    static const char *const magics[] = {"lmgg", "fmgg", "tjgg", "algg"};
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (tut_sniff_magic(s, magics[i], 4))
            return TUT_MATCH_STRONG;
    return TUT_MATCH_NONE;
}

#define OPAQUE(id, title, text, endings)                                                           \
    extern const tut_format tut_format_##id;                                                       \
    const tut_format tut_format_##id = {                                                           \
        .name = title,                                                                             \
        .label = text,                                                                             \
        .kind = TUT_KIND_MODEL,                                                                    \
        .sniff = sniff_##id,                                                                       \
        .examine = examine,                                                                        \
        .extensions = endings,                                                                     \
        .reads = "nothing of its own; searched for programs and commands",                         \
        .rules = "opaque",                                                                         \
    };

OPAQUE(tensorrt, "tensorrt", "TensorRT engine", ".engine .plan .trt")
OPAQUE(rknn, "rknn", "RKNN", ".rknn")
OPAQUE(mnn, "mnn", "MNN", ".mnn")
OPAQUE(ncnn, "ncnn", "ncnn", ".param .bin .ncnn")
OPAQUE(cntk, "cntk", "CNTK", ".dnn .cmf .model .cntk")
OPAQUE(torch7, "torch7", "Torch 7", ".t7 .th .net .dat")
OPAQUE(mxnet, "mxnet", "MXNet parameters", ".params .nd")
OPAQUE(ggml, "ggml", "GGML (before GGUF)", ".ggml .ggmlv3 .bin .pt")
