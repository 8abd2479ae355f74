/* Lists of packages, pinned or wished for: code by what they bring in. Which tool wrote one is told
 * by its name, and where names say little by its first lines. */
#include <string.h>

#include "formats/conf.h"
#include "formats/lock_lines.h"
#include "formats/text.h"

typedef enum lock_kind {
    LOCK_NONE,
    LOCK_PIP,   /* a package a line: requirements.txt */
    LOCK_TOML,  /* [[package]]: poetry.lock, uv.lock, pdm.lock */
    LOCK_CARGO, /* the same of Cargo */
    LOCK_YARN,
    LOCK_EXPLICIT, /* conda, an address a line */
    LOCK_DPKG_STATUS,
    LOCK_DPKG_LIST,
    LOCK_PIPFILE,
    LOCK_NPM,
    LOCK_PNPM,
    LOCK_CONDA
} lock_kind;

typedef void (*line_reader)(tut_lock_lines *l, tut_str line, bool is_cut);

static const struct {
    line_reader read;   /* NULL: a tree */
    tut_conf_role role; /* of a tree */
    const char *type;
} readers[] = {
    [LOCK_PIP] = {tut_lock_pip, TUT_CONF_PLAIN, "pypi"},
    [LOCK_TOML] = {tut_lock_toml, TUT_CONF_PLAIN, "pypi"},
    [LOCK_CARGO] = {tut_lock_toml, TUT_CONF_PLAIN, "cargo"},
    [LOCK_YARN] = {tut_lock_yarn, TUT_CONF_PLAIN, "npm"},
    [LOCK_EXPLICIT] = {tut_lock_conda, TUT_CONF_PLAIN, "conda"},
    [LOCK_DPKG_STATUS] = {tut_lock_dpkg_status, TUT_CONF_PLAIN, "deb"},
    [LOCK_DPKG_LIST] = {tut_lock_dpkg_list, TUT_CONF_PLAIN, "deb"},
    [LOCK_PIPFILE] = {NULL, TUT_CONF_PIPFILE, "pypi"},
    [LOCK_NPM] = {NULL, TUT_CONF_NPM, "npm"},
    [LOCK_PNPM] = {NULL, TUT_CONF_PNPM, "npm"},
    [LOCK_CONDA] = {NULL, TUT_CONF_CONDA, "conda"},
};

static bool is_requirements(const tut_sniff *s)
{
    if (!tut_sniff_ext(s, ".txt .lock .in .pip"))
        return false;
    return tut_text_has_word(s, "requirements requirement") ||
           tut_text_named(s, "constraints.txt") ||
           (tut_sniff_ext(s, ".txt .in") && tut_text_in_folder(s, "requirements"));
}

static bool is_dpkg_list(const tut_sniff *s)
{
    return tut_sniff_ext(s, ".txt .list .lock .tsv") &&
           tut_text_has_word(s, "dpkg apt debian deb") && tut_lock_is_dpkg_list(tut_text_head(s));
}

static bool is_explicit(tut_str head)
{
    tut_str line;
    while (tut_text_next_line(&head, &line, NULL)) {
        if (tut_str_eq_z(tut_str_trim(line), "@EXPLICIT"))
            return true;
    }
    return false;
}

static lock_kind kind_of(const tut_sniff *s)
{
    if (tut_lock_is_dpkg_status(tut_text_head(s)))
        return LOCK_DPKG_STATUS;
    if (tut_sniff_ext(s, ".txt .lock") && is_explicit(tut_text_head(s)))
        return LOCK_EXPLICIT;
    if (is_requirements(s))
        return LOCK_PIP;
    if (tut_text_named(s, "poetry.lock uv.lock pdm.lock pylock.toml"))
        return LOCK_TOML;
    if (tut_text_named(s, "Cargo.lock"))
        return LOCK_CARGO;
    if (tut_text_named(s, "yarn.lock"))
        return LOCK_YARN;
    if (tut_text_named(s, "Pipfile.lock"))
        return LOCK_PIPFILE;
    if (tut_text_named(s, "package-lock.json npm-shrinkwrap.json"))
        return LOCK_NPM;
    if (tut_text_named(s, "pnpm-lock.yaml"))
        return LOCK_PNPM;
    if (is_dpkg_list(s))
        return LOCK_DPKG_LIST;
    bool is_conda = tut_sniff_ext(s, ".yml .yaml") && tut_text_has_word(s, "environment conda env");
    return is_conda ? LOCK_CONDA : LOCK_NONE;
}

static tut_match sniff_lock(const tut_sniff *s)
{
    if (!tut_sniff_text(s) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    lock_kind kind = kind_of(s);
    if (kind == LOCK_CONDA && !tut_text_named(s, "conda-lock.yml") &&
        !tut_text_has_key(tut_text_head(s), "dependencies", ':'))
        return TUT_MATCH_NONE;
    return kind != LOCK_NONE ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

typedef struct reading {
    tut_lock_lines lines;
    line_reader read;
} reading;

static bool take_line(void *ctx, tut_str line, bool is_cut)
{
    reading *r = ctx;
    r->read(&r->lines, line, is_cut);
    return true;
}

static tut_status read_lines(tut_exam *x, lock_kind kind, tut_error *err)
{
    reading r = {.lines = {.x = x, .type = readers[kind].type}, .read = readers[kind].read};
    TUT_TRY(tut_text_each_line(x, take_line, &r, err));
    tut_package_give(x, &r.lines.draft);
    tut_text_count(x, "packages", r.lines.packages);
    return TUT_SUCCESS;
}

static tut_status read_tree(tut_exam *x, lock_kind kind, tut_error *err)
{
    TUT_AUTO(tut_conf) c = tut_conf_new(x, readers[kind].role, err);
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
    TUT_TRY(tut_stream_peek_some(x->stream, 4096, &s.head));
    lock_kind kind = kind_of(&s);
    /* A name that says nothing: recognised by its folder, requirements/base.txt. */
    if (kind == LOCK_NONE)
        kind = LOCK_PIP;
    return readers[kind].read ? read_lines(x, kind, err) : read_tree(x, kind, err);
}

extern const tut_format tut_format_lock;
const tut_format tut_format_lock = {
    .name = "lock",
    .label = "Packages",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_lock,
    .examine = examine_lock,
    .extensions = ".txt .lock .in .pip .list .tsv .json .yaml .yml .toml",
    .reads = "packages with versions and digests, and where they are looked for",
    .rules = "data",
};
