/* Source code and build files: text, by the ending that compilers and interpreters go by. */
#include <string.h>

#include "base/limits.h"
#include "formats/python_code.h"
#include "formats/text.h"

#define SOURCES                                                                                    \
    ".py .pyi .pyx .js .mjs .cjs .ts .mts .jsx .tsx .c .h .cc .cpp .cxx .hpp .hh .cu .cuh .rs "    \
    ".go "                                                                                         \
    ".java .kt .kts .scala .swift .rb .php .pl .lua .sh .bash .zsh .ps1 .r .jl .cs .m .mm .sql "   \
    ".proto .vue .svelte .dart .ex .exs .erl .hs .ml .nim .zig .triton"

static tut_match sniff_source(const tut_sniff *s)
{
    if (!tut_text_any(s) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    if (tut_sniff_ext(s, SOURCES))
        return TUT_MATCH_WEAK;
    bool is_script = s->head.len > 3 && s->head.data[0] == '#' && s->head.data[1] == '!' &&
                     (s->head.data[2] == '/' || s->head.data[2] == ' ');
    return is_script && tut_text_has_no_ending(s) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* --- Python --- */
static bool is_python(tut_exam *x)
{
    tut_sniff s = {.name = x->name};
    tut_span head = {0};
    size_t at;
    if (tut_sniff_ext(&s, ".py .pyx .pyi"))
        return true;
    if (!tut_is_ok(tut_stream_peek_some(x->stream, 64, &head)))
        return false;
    tut_str line = tut_str_from(head);
    return tut_str_starts(line, TUT_LIT("#!")) && tut_str_find(line, TUT_LIT("python"), &at);
}

static tut_status examine_source(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!is_python(x))
        return TUT_SUCCESS;
    bool is_whole = false;
    TUT_TRY(tut_text_hold(x, TUT_LIMIT_PYTHON_BYTES, &text, &is_whole, err));
    TUT_TRY(tut_python_examine(x, tut_buf_str(&text), false, err));
    return is_whole ? TUT_SUCCESS
                    : tut_fail(err, TUT_LIMIT, "more program text than is looked through");
}

static tut_match sniff_build(const tut_sniff *s)
{
    static const char names[] =
        "Makefile GNUmakefile CMakeLists.txt meson.build SConstruct Jenkinsfile Rakefile Gemfile "
        "Pipfile Justfile Procfile Vagrantfile Modelfile setup.cfg pyproject.toml package.json "
        "Cargo.toml go.mod pom.xml build.gradle build.gradle.kts BUILD BUILD.bazel WORKSPACE "
        "Dockerfile Containerfile";
    static const char image[] = "dockerfile";
    if (!tut_text_any(s) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    size_t len = sizeof(image) - 1;
    bool is_image = s->name.len > len && s->name.data[len] == '.' &&
                    tut_str_ieq((tut_str){s->name.data, len}, (tut_str){image, len});
    if (is_image || tut_text_named(s, names) || tut_sniff_ext(s, ".dockerfile .mk .cmake"))
        return TUT_MATCH_WEAK;
    return TUT_MATCH_NONE;
}

extern const tut_format tut_format_source;
const tut_format tut_format_source = {
    .name = "source",
    .label = "Source code",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_source,
    .examine = examine_source,
    .reads = "Python: what is called, through imports and renamings, and what runs when imported",
    .rules = "code",
    .extensions = SOURCES,
};

extern const tut_format tut_format_build;
const tut_format tut_format_build = {
    .name = "build",
    .label = "Build file",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_build,
};
