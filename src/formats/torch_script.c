/*
 * TorchScript source inside a PyTorch zip (code/ *.py): not Python, but a language whose operators
 * can read and write files and call native libraries. Said modestly: what is named in the text.
 */
#include <string.h>

#include "formats/zip_internal.h"

static bool is_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The word at text[at...]. */
static tut_str word_at(tut_str text, size_t at)
{
    size_t end = at;
    while (end < text.len && is_word(text.data[end]))
        end++;
    return (tut_str){text.data + at, end - at};
}

/* Namespaces of operators that PyTorch and its own companions register. */
static bool is_known_namespace(tut_str name)
{
    static const char *const known[] = {
        "aten",
        "prim",
        "prims",
        "quantized",
        "_quantized",
        "mkldnn",
        "onednn",
        "cuda",
        "c10d",
        "torchvision",
        "torchaudio",
        "torchtext",
        "inductor",
        "xnnpack",
        "profiler",
        "sparse",
        "quantized_decomposed",
        "fbgemm",
        "_caffe2",
        "prepacked",
        "image",
        "torchaudio_ffmpeg",
        "vulkan_prepack",
        "mkl",
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (tut_str_eq_z(name, known[i]))
            return true;
    }
    return name.len == 0;
}

static bool starts_word(tut_str text, size_t at)
{
    return at == 0 || (!is_word(text.data[at - 1]) && text.data[at - 1] != '.');
}

static void find_all(tut_exam *x, tut_str member, tut_str text, const char *needle,
                     void (*hit)(tut_exam *x, tut_str member, tut_str text, size_t at,
                                 const char *needle))
{
    size_t from = 0, at = 0;
    tut_str wanted = tut_str_of(needle);
    while (from < text.len &&
           tut_str_find((tut_str){text.data + from, text.len - from}, wanted, &at)) {
        at += from;
        if (starts_word(text, at))
            hit(x, member, text, at, needle);
        from = at + wanted.len;
    }
}

static void report_file(tut_exam *x, tut_str member, tut_str text, size_t at, const char *needle)
{
    (void)text;
    tut_exam_observe(x, "torch.script-file-access", at, "'%.*s' calls %s)", TUT_ZIP_NAME(member),
                     needle);
}

static void report_namespace(tut_exam *x, tut_str member, tut_str text, size_t at,
                             const char *needle)
{
    tut_str space = word_at(text, at + strlen(needle));
    if (!is_known_namespace(space))
        tut_exam_observe(x, "torch.script-custom-op", at,
                         "'%.*s' calls operators of the library '%.*s'", TUT_ZIP_NAME(member),
                         TUT_ZIP_NAME(space));
}

void tut_torch_script_check(tut_exam *x, tut_str member, tut_str text)
{
    static const char *const files[] = {"torch.save(", "torch.from_file(", "ops.aten.save(",
                                        "ops.aten.from_file("};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        find_all(x, member, text, files[i], report_file);
    find_all(x, member, text, "ops.", report_namespace);
    find_all(x, member, text, "torch.ops.", report_namespace);
}
