/* Lists of packages, pinned or wished for, and notebooks: code by what they bring in or run. */
#include <string.h>

#include "formats/conf.h"
#include "formats/text.h"

typedef enum lock_kind {
    LOCK_NONE,
    LOCK_LINES,    /* a package a line: requirements.txt */
    LOCK_SECTIONS, /* [[package]]: poetry.lock, uv.lock, pdm.lock, Cargo.lock */
    LOCK_YARN,     /* a line without indentation that ends in ':' */
    LOCK_PIPFILE,
    LOCK_NPM,
    LOCK_PNPM,
    LOCK_CONDA
} lock_kind;

static bool is_requirements(const tut_sniff *s)
{
    if (!tut_sniff_ext(s, ".txt .lock .in .pip"))
        return false;
    return tut_text_has_word(s, "requirements requirement") ||
           tut_text_named(s, "constraints.txt") ||
           (tut_sniff_ext(s, ".txt .in") && tut_text_in_folder(s, "requirements"));
}

static lock_kind kind_of(const tut_sniff *s)
{
    if (is_requirements(s))
        return LOCK_LINES;
    if (tut_text_named(s, "poetry.lock uv.lock pdm.lock pylock.toml Cargo.lock"))
        return LOCK_SECTIONS;
    if (tut_text_named(s, "yarn.lock"))
        return LOCK_YARN;
    if (tut_text_named(s, "Pipfile.lock"))
        return LOCK_PIPFILE;
    if (tut_text_named(s, "package-lock.json npm-shrinkwrap.json"))
        return LOCK_NPM;
    if (tut_text_named(s, "pnpm-lock.yaml"))
        return LOCK_PNPM;
    bool is_conda = tut_sniff_ext(s, ".yml .yaml") && tut_text_has_word(s, "environment conda env");
    return is_conda ? LOCK_CONDA : LOCK_NONE;
}

static tut_match sniff_lock(const tut_sniff *s)
{
    if (!tut_sniff_text(s) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    lock_kind kind = kind_of(s);
    if (kind == LOCK_CONDA && !tut_text_has_key(tut_text_head(s), "dependencies", ':'))
        return TUT_MATCH_NONE;
    return kind != LOCK_NONE ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

typedef struct counter {
    lock_kind kind;
    bool continues; /* the line before ended in a backslash */
    uint64_t packages;
} counter;

static bool is_requirement(counter *n, tut_str line)
{
    bool continued = n->continues;
    tut_str text = tut_str_trim(line);
    n->continues = text.len > 0 && text.data[text.len - 1] == '\\';
    /* Options begin with '-', but "-e URL" installs something. */
    bool installs = tut_str_starts(text, TUT_LIT("-e ")) ||
                    tut_str_starts(text, TUT_LIT("--editable"));
    return !continued && text.len > 0 && text.data[0] != '#' && (text.data[0] != '-' || installs);
}

static bool count_line(void *ctx, tut_str line, bool is_cut)
{
    counter *n = ctx;
    if (n->kind == LOCK_LINES) {
        n->packages += is_requirement(n, line);
    } else if (n->kind == LOCK_SECTIONS) {
        tut_str text = tut_str_trim(line);
        n->packages += tut_str_eq_z(text, "[[package]]") || tut_str_eq_z(text, "[[packages]]");
    } else {
        bool is_entry = line.len > 1 && line.data[0] != ' ' && line.data[0] != '#' &&
                        (is_cut || line.data[line.len - 1] == ':');
        n->packages += is_entry && !tut_str_starts(line, TUT_LIT("__metadata"));
    }
    return true;
}

static tut_status count_tree(tut_exam *x, lock_kind kind, tut_error *err)
{
    tut_conf_role role = kind == LOCK_PIPFILE ? TUT_CONF_PIPFILE
                         : kind == LOCK_NPM   ? TUT_CONF_NPM
                         : kind == LOCK_PNPM  ? TUT_CONF_PNPM
                                              : TUT_CONF_CONDA;
    TUT_AUTO(tut_conf) c = tut_conf_new(x, role, err);
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool is_json = kind == LOCK_PIPFILE || kind == LOCK_NPM;
    tut_status status = is_json ? tut_conf_read_json(c) : tut_conf_read_yaml(c);
    tut_conf_finish(c);
    return status;
}

static tut_status examine_lock(tut_exam *x, tut_error *err)
{
    tut_sniff s = {.name = x->name};
    counter n = {.kind = kind_of(&s)};
    /* A name that says nothing: recognised by its folder, requirements/base.txt. */
    if (n.kind == LOCK_NONE)
        n.kind = LOCK_LINES;
    if (n.kind != LOCK_LINES && n.kind != LOCK_SECTIONS && n.kind != LOCK_YARN)
        return count_tree(x, n.kind, err);
    TUT_TRY(tut_text_each_line(x, count_line, &n, err));
    tut_text_count(x, "packages", n.packages);
    return TUT_SUCCESS;
}

static tut_match sniff_notebook(const tut_sniff *s)
{
    tut_str head = tut_str_trim(tut_text_head(s));
    size_t at;
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) || !tut_sniff_ext(s, ".ipynb") ||
        head.len == 0 || head.data[0] != '{')
        return TUT_MATCH_NONE;
    bool fits = tut_str_find(head, TUT_LIT("\"cells\""), &at) ||
                tut_str_find(head, TUT_LIT("\"nbformat\""), &at) ||
                tut_str_find(head, TUT_LIT("\"metadata\""), &at) ||
                tut_str_find(head, TUT_LIT("\"worksheets\""), &at);
    return fits ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_status examine_notebook(tut_exam *x, tut_error *err)
{
    TUT_AUTO(tut_conf) c = tut_conf_new(x, TUT_CONF_NOTEBOOK, err);
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_conf_read_json(c);
    tut_conf_finish(c);
    return status;
}

extern const tut_format tut_format_lock;
const tut_format tut_format_lock = {
    .name = "lock",
    .label = "Packages",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_lock,
    .examine = examine_lock,
    .extensions = ".txt .lock .in .pip .json .yaml .yml .toml",
};

extern const tut_format tut_format_notebook;
const tut_format tut_format_notebook = {
    .name = "notebook",
    .label = "Notebook",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_notebook,
    .examine = examine_notebook,
    .extensions = ".ipynb",
};
