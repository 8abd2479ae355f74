/* Rule files -> compiled rules, in the parent. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/limits.h"
#include "scan/policy_file.h"
#include "scan/yara_internal.h"

typedef struct compiling {
    const tut_yara_api *api;
    YR_COMPILER *compiler;
    tut_yara *y;
    const char *file; /* at hand */
    tut_buf digests;
    int line; /* of the first error */
    char message[200];
    tut_error *err;
} compiling;

void tut_yara_free(tut_yara *y)
{
    if (!y)
        return;
    if (y->rules)
        tut_yara_api_get()->rules_destroy(y->rules);
    tut_free(y);
}

size_t tut_yara_files(const tut_yara *y)
{
    return y->files;
}

const tut_sha256 *tut_yara_digest(const tut_yara *y)
{
    return &y->digest;
}

static void on_message(int level, const char *file, int line, const YR_RULE *rule,
                       const char *message, void *ctx)
{
    compiling *c = ctx;
    (void)file;
    (void)rule;
    if (level != YARA_ERROR_LEVEL_ERROR || c->message[0])
        return;
    c->line = line;
    tut_str_copy(c->message, sizeof(c->message), tut_str_of(message ? message : "an error"));
}

static size_t last_line(tut_str text)
{
    size_t lines = 1;
    for (size_t i = 0; i + 1 < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

/* An error at the end of the file has no line of its own. */
static tut_status tell_error(compiling *c, tut_str text)
{
    size_t line = c->line > 0 ? (size_t)c->line : last_line(text);
    TUT_AUTO_FREE char *place = tut_asprintf("%s:%zu", c->file, line);
    if (!place)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    tut_error_set_path(c->err, place);
    return tut_fail(c->err, TUT_MALFORMED, "%s%s", c->message[0] ? c->message : "does not compile",
                    c->line > 0 ? "" : ", at the end of the file");
}

/* Each file is a namespace of its own: two files may use one name. */
static tut_status add_file(compiling *c, const char *path)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    c->file = path;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_YARA_BYTES, &text, c->err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &digest, c->err));
    tut_buf_add(&c->digests, digest.bytes, sizeof(digest.bytes));
    if (memchr(text.data, '\0', text.len)) {
        tut_error_set_path(c->err, path);
        return tut_fail(c->err, TUT_MALFORMED, "is no text; rules are given as their source");
    }
    const char *z = tut_buf_z(&text);
    if (!z)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    if (c->api->compiler_add_string(c->compiler, z, path) != 0)
        return tell_error(c, tut_buf_str(&text));
    c->y->files++;
    return TUT_SUCCESS;
}

typedef struct listing {
    compiling *c;
    const char *root;
} listing;

static bool is_rule_file(const char *rel)
{
    tut_str name = tut_str_of(rel);
    return tut_str_ends(name, TUT_LIT(".yar")) || tut_str_ends(name, TUT_LIT(".yara"));
}

static tut_status on_entry(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    listing *l = ctx;
    (void)err;
    if (entry->kind != TUT_WALK_FILE || !is_rule_file(entry->rel))
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *path = tut_fs_join(l->root, entry->rel);
    return path ? add_file(l->c, path) : tut_fail(l->c->err, TUT_NOMEM, "memory ran out");
}

static tut_status add_path(compiling *c, const char *path)
{
    size_t before = c->y->files;
    if (!tut_fs_is_dir(path))
        return add_file(c, path);
    listing l = {.c = c, .root = path};
    TUT_TRY(tut_walk(path, on_entry, &l, c->err));
    if (c->y->files > before)
        return TUT_SUCCESS;
    tut_error_set_path(c->err, path);
    return tut_fail(c->err, TUT_USAGE, "no *.yar or *.yara lies in it");
}

static tut_status compile(compiling *c, const char *const *paths, size_t count)
{
    static const char *const variables[] = {"filename", "filepath", "extension"};
    if (c->api->compiler_create(&c->compiler) != ERROR_SUCCESS)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    c->api->compiler_set_callback(c->compiler, on_message, c);
    c->api->compiler_set_include_callback(c->compiler, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (c->api->compiler_define_string_variable(c->compiler, variables[i], "") != ERROR_SUCCESS)
            return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        TUT_TRY(add_path(c, paths[i]));
    TUT_TRY(tut_buf_check(&c->digests, c->err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&c->digests), &c->y->digest, c->err));
    if (c->api->compiler_get_rules(c->compiler, &c->y->rules) != ERROR_SUCCESS)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

tut_status tut_yara_load(const char *const *paths, size_t count, tut_yara **ret_yara,
                         tut_error *err)
{
    tut_error unread = {0};
    TUT_AUTO(tut_yara) y = tut_alloc_array(1, sizeof(*y));
    if (!y)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    compiling c = {.y = y, .err = err ? err : &unread};
    TUT_TRY(tut_yara_api_load(&c.api, err));
    tut_status status = compile(&c, paths, count);
    if (c.compiler)
        c.api->compiler_destroy(c.compiler);
    tut_buf_done(&c.digests);
    TUT_TRY(status);
    *ret_yara = tut_move(&y);
    return TUT_SUCCESS;
}

/* --- those of a description --- */
tut_status tut_yara_gather(const tut_system *system, const char *const *paths, size_t count,
                           tut_yara **ret_yara, tut_error *err)
{
    size_t own = system ? system->yara.count : 0;
    if (own + count == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE const char **all = tut_alloc_array(own + count, sizeof(*all));
    TUT_AUTO_FREE char **owned = tut_alloc_array(own + 1, sizeof(*owned));
    if (!all || !owned)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < own && tut_is_ok(status); i++) {
        status = tut_policy_file(system, "yara", system->yara.items[i], &owned[i], err);
        all[i] = owned[i];
    }
    for (size_t i = 0; i < count; i++)
        all[own + i] = paths[i];
    if (tut_is_ok(status))
        status = tut_yara_load(all, own + count, ret_yara, err);
    for (size_t i = 0; i < own; i++)
        tut_free(owned[i]);
    return status;
}
