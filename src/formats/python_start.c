/*
 * Files of Python that run without being imported by anybody's code, or without their source:
 *
 *   .pth   path configuration: each line that begins with "import" is executed whenever Python
 *          starts (site.addpackage); PyTorch uses the same ending for something else
 *   .pyc   magic:u16 "\r\n" [flags] time size, then a code object: imported like source where there
 *          is none; what lies in __pycache__ is only there beside its source, and not looked at
 */
#include <string.h>

#include "base/limits.h"
#include "formats/marshal.h"
#include "formats/python_code.h"
#include "formats/text.h"

static bool is_import(tut_str line)
{
    return tut_str_starts(line, TUT_LIT("import ")) || tut_str_starts(line, TUT_LIT("import\t"));
}

/* What setuptools, pip and virtualenv put into every environment; what its lines call is judged all
 * the same. */
static bool is_of_packaging(tut_str name)
{
    return tut_str_eq_z(name, "distutils-precedence.pth") ||
           tut_str_eq_z(name, "_virtualenv.pth") || tut_str_starts(name, TUT_LIT("__editable__")) ||
           tut_str_ends(name, TUT_LIT("-nspkg.pth"));
}

static tut_match sniff_path(const tut_sniff *s)
{
    if (!tut_sniff_ext(s, ".pth") || !tut_sniff_text(s))
        return TUT_MATCH_NONE;
    tut_str rest = tut_text_head(s);
    for (tut_str line; tut_text_next_line(&rest, &line, NULL);)
        if (is_import(line))
            return TUT_MATCH_STRONG;
    return TUT_MATCH_NONE;
}

static tut_status examine_path(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) code = TUT_BUF_INIT;
    bool is_whole = false;
    TUT_TRY(tut_text_hold(x, TUT_LIMIT_PYTHON_BYTES, &text, &is_whole, err));
    tut_str rest = tut_buf_str(&text);
    for (tut_str line; tut_text_next_line(&rest, &line, NULL);) {
        if (!is_import(line))
            continue;
        if (!is_of_packaging(x->name))
            tut_exam_observe(x, "code.runs-at-start",
                             (uint64_t)(line.data - (const char *)text.data), "%.*s",
                             (int)(line.len < 200 ? line.len : 200), line.data);
        tut_buf_add_str(&code, line);
        tut_buf_add_byte(&code, '\n');
    }
    TUT_TRY(tut_buf_check(&code, err));
    TUT_TRY(tut_python_examine(x, tut_buf_str(&code), false, err));
    return is_whole ? TUT_SUCCESS
                    : tut_fail(err, TUT_LIMIT, "more program text than is looked through");
}

/* --- bytecode --- */
/* Where the code begins: since Python 3.7, 3.3, and before. */
static size_t code_at(tut_span head)
{
    static const size_t places[] = {16, 12, 8};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t at = places[i];
        if (head.len > at && tut_marshal_is_code(tut_span_of(head.data + at, head.len - at)))
            return at;
    }
    return 0;
}

static tut_match sniff_bytecode(const tut_sniff *s)
{
    bool is_magic = s->head.len > 8 && s->head.data[2] == '\r' && s->head.data[3] == '\n';
    if (!is_magic || !tut_sniff_ext(s, ".pyc .pyo") || tut_text_in_folder(s, "__pycache__"))
        return TUT_MATCH_NONE;
    return code_at(s->head) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* Which of its names are called when it is imported is not known, so they are told, not judged. */
static tut_status tell_code(tut_exam *x, tut_span code, tut_error *err)
{
    enum { NAMES = 16 };
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_AUTO_FREE tut_marshal_use *use = tut_alloc_array(1, sizeof(*use));
    if (!use)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_marshal_read(code, x->budget, use, err);
    tut_buf_add_z(&line, "compiled Python");
    for (size_t i = 0; i < use->name_count && i < NAMES; i++) {
        tut_buf_add_z(&line, i ? ", " : "; it uses ");
        tut_buf_add_str(&line, use->names[i]);
    }
    TUT_TRY(tut_buf_check(&line, err));
    tut_exam_observe(x, "code.bytecode", TUT_NO_OFFSET, "%.*s", (int)line.len,
                     (const char *)line.data);
    return status;
}

static tut_status examine_bytecode(tut_exam *x, tut_error *err)
{
    if (x->source->size > TUT_LIMIT_PYTHON_BYTES)
        return tut_fail(err, TUT_LIMIT, "more bytecode than is looked through");
    size_t len = (size_t)x->source->size;
    TUT_AUTO_FREE uint8_t *bytes = tut_alloc_array(len + 1, 1);
    if (!bytes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_source_read(x->source, 0, bytes, len, err));
    size_t at = code_at(tut_span_of(bytes, len));
    return tell_code(x, tut_span_of(bytes + at, len - at), err);
}

extern const tut_format tut_format_python_path, tut_format_bytecode;

const tut_format tut_format_python_path = {
    .name = "python-path",
    .label = "Python path configuration",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_path,
    .examine = examine_path,
    .extensions = ".pth",
    .reads = "lines that Python executes when it starts, and what they call",
    .rules = "code",
};

const tut_format tut_format_bytecode = {
    .name = "bytecode",
    .label = "Python bytecode",
    .kind = TUT_KIND_CODE,
    .needs_source = true,
    .sniff = sniff_bytecode,
    .examine = examine_bytecode,
    .extensions = ".pyc .pyo",
    .reads = "names and constants of the code, where no source lies beside it",
    .rules = "code",
};
