/* Recognising and reading everything that is no model: the first byte chooses the name. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "a.csv",        "a.jsonl",
    "a.json",       "x.bin.index.json",
    "a.yaml",       "a.toml",
    "a.ini",        "README.md",
    "prompts/a.j2", "requirements.txt",
    "poetry.lock",  "package-lock.json",
    "Pipfile.lock", "pnpm-lock.yaml",
    "yarn.lock",    "environment.yml",
    "a.ipynb",      "data/corpus/a.txt",
    "a.parquet",    "tokenizer_config.json",
    "data/train",   "a",
    "openapi.json", "a.py",
};

static void examine(const tut_format *f, tut_span bytes, tut_str name)
{
    tut_source source = tut_source_memory(bytes);
    tut_budget budget;
    tut_budget_init(&budget);
    budget.bytes_left = 4u << 20;
    TUT_AUTO(tut_stream) stream = NULL;
    if (!tut_is_ok(tut_stream_open_source(&source, &stream)))
        return;
    tut_exam x = {.stream = stream,
                  .source = &source,
                  .size = bytes.len,
                  .name = name,
                  .budget = &budget,
                  .content = true,
                  .ops = &fuzz_ops};
    tut_error err = {0};
    TUT_IGNORE(f->examine(&x, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *path = paths[data[0] % (sizeof(paths) / sizeof(paths[0]))];
    const char *slash = strrchr(path, '/');
    tut_span bytes = tut_span_of(data + 1, size - 1);
    size_t head = bytes.len < 4096 ? bytes.len : 4096, tail = bytes.len < 512 ? bytes.len : 512;
    tut_sniff s = {.head = tut_span_of(bytes.data, head),
                   .tail = tut_span_of(bytes.data + bytes.len - tail, tail),
                   .size = bytes.len,
                   .name = tut_str_of(slash ? slash + 1 : path),
                   .path = tut_str_of(path)};
    const tut_format *f = tut_format_detect(&s, NULL);
    if (f && f->examine)
        examine(f, bytes, s.name);
    return 0;
}
