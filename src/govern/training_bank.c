#include <stdlib.h>

#include "assess/catalogue.h"
#include "base/fs.h"
#include "base/limits.h"
#include "govern/training.h"
#include "govern/training_shipped.h"

enum { MODULES_MAX = 500 }; /* a large company's */

void tut_training_bank_free(tut_training_bank *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        tut_training_module_free(b->items[i]);
    tut_free(b->items);
    tut_free(b);
}

static int by_id(const void *a, const void *b)
{
    const tut_training_module *const *x = a;
    const tut_training_module *const *y = b;
    return tut_str_cmp((*x)->id, (*y)->id);
}

/* Two of the same id are told in the same order whatever happens. */
static int by_id_and_file(const void *a, const void *b)
{
    const tut_training_module *const *x = a;
    const tut_training_module *const *y = b;
    int order = by_id(a, b);
    return order != 0 ? order : strcmp((*x)->file, (*y)->file);
}

const tut_training_module *tut_training_find(const tut_training_bank *b, tut_str id)
{
    const tut_training_module wanted = {.id = id};
    const tut_training_module *key = &wanted;
    if (b->count == 0)
        return NULL;
    tut_training_module *const *at = bsearch(&key, b->items, b->count, sizeof(*b->items), by_id);
    return at ? *at : NULL;
}

static tut_status add(tut_training_bank *b, tut_training_module *m, tut_error *err)
{
    for (size_t i = 0; i < m->clauses.count; i++) {
        if (tut_catalogue_find(m->clauses.items[i]))
            continue;
        tut_error_set_path(err, m->file);
        return tut_fail(err, TUT_MALFORMED, "no provision is called \"%.*s\"",
                        (int)m->clauses.items[i].len, m->clauses.items[i].data);
    }
    if (b->count == MODULES_MAX)
        return tut_fail(err, TUT_LIMIT, "there are more than %d modules of training", MODULES_MAX);
    if (!tut_is_ok(tut_grow(&b->items, b->count, &b->capacity, sizeof(*b->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->items[b->count++] = m;
    return TUT_SUCCESS;
}

static tut_status add_shipped(tut_training_bank *b, tut_error *err)
{
    for (const tut_training_shipped *s = tut_training_shipped_modules; s->file; s++) {
        TUT_AUTO(tut_training_module) m = NULL;
        tut_str text = {s->data, (size_t)(s->end - s->data)};
        TUT_TRY(tut_training_module_parse(s->file, text, &m, err));
        m->is_shipped = true;
        TUT_TRY(add(b, m, err));
        tut_move(&m);
    }
    return TUT_SUCCESS;
}

/* --- the organisation's own --- */

typedef struct own {
    const char *dir, *folder;
    tut_training_file *files;
    tut_buf *texts; /* one a file */
    size_t count;
    tut_arena arena;
} own;

static bool is_module(tut_str rel)
{
    return tut_str_ends(rel, TUT_LIT(".md")) && !tut_str_eq_z(rel, "README.md") &&
           !tut_str_ends(rel, TUT_LIT("/README.md"));
}

static tut_status read_file(void *ctx, const tut_walk_entry *e, tut_error *err)
{
    own *o = ctx;
    if (!is_module(tut_str_of(e->rel)))
        return TUT_SUCCESS;
    if (o->count == MODULES_MAX)
        return tut_fail(err, TUT_LIMIT, "there are more than %d modules of training", MODULES_MAX);
    TUT_AUTO_FREE char *file = tut_fs_join(o->folder, e->rel);
    char *kept = file ? tut_arena_copy(&o->arena, tut_str_of(file)) : NULL;
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (e->kind != TUT_WALK_FILE) {
        tut_error_set_path(err, file);
        return tut_fail(err, TUT_IO, "cannot be read: %s", e->problem ? e->problem : "no file");
    }
    tut_buf *text = &o->texts[o->count];
    TUT_TRY(tut_fs_read_beneath(o->dir, file, TUT_TRAINING_BYTES + 1, text, err));
    o->files[o->count++] = (tut_training_file){kept, tut_buf_str(text)};
    return TUT_SUCCESS;
}

static tut_status add_all(tut_training_bank *b, const own *o, tut_error *err)
{
    TUT_AUTO_FREE tut_training_module **modules = tut_alloc_array(o->count + 1, sizeof(*modules));
    tut_status status = TUT_SUCCESS;
    if (!modules)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_training_modules_parse(o->files, o->count, modules, err));
    for (size_t i = 0; i < o->count; i++) {
        if (tut_is_ok(status))
            status = add(b, modules[i], err);
        if (!tut_is_ok(status))
            tut_training_module_free(modules[i]);
    }
    return status;
}

static tut_status add_folder(tut_training_bank *b, const tut_system *system, tut_str folder,
                             tut_error *err)
{
    TUT_AUTO_FREE char *rel = tut_strndup(folder.data, folder.len);
    TUT_AUTO_FREE char *root = rel ? tut_fs_join(system->dir, rel) : NULL;
    if (!root)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_is_dir(root)) {
        tut_error_set_path(err, root);
        return tut_fail(err, TUT_USAGE, "is no folder; training.modules of tutela.yaml names it");
    }
    own o = {.dir = system->dir, .folder = rel};
    tut_arena_init(&o.arena, 0);
    o.files = tut_arena_take(&o.arena, MODULES_MAX, sizeof(*o.files));
    o.texts = tut_arena_take(&o.arena, MODULES_MAX, sizeof(*o.texts));
    tut_status status = o.files && o.texts ? tut_walk(root, read_file, &o, err)
                                           : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = add_all(b, &o, err);
    for (size_t i = 0; o.texts && i < MODULES_MAX; i++)
        tut_buf_done(&o.texts[i]);
    tut_arena_done(&o.arena);
    return status;
}

static tut_status check_twice(const tut_training_bank *b, tut_error *err)
{
    for (size_t i = 1; i < b->count; i++) {
        const tut_training_module *m = b->items[i - 1];
        const tut_training_module *n = b->items[i];
        const tut_training_module *first = n->is_shipped ? n : m;
        if (tut_str_eq(m->id, n->id))
            return tut_fail(err, TUT_USAGE, "two modules are called \"%.*s\": %s and %s",
                            (int)m->id.len, m->id.data, first->file,
                            first == m ? n->file : m->file);
    }
    return TUT_SUCCESS;
}

tut_status tut_training_bank_load(const tut_system *system, const tut_training_policy *policy,
                                  tut_training_bank **ret_bank, tut_error *err)
{
    TUT_AUTO(tut_training_bank) b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(add_shipped(b, err));
    if (system && policy && policy->modules.len)
        TUT_TRY(add_folder(b, system, policy->modules, err));
    if (b->count)
        qsort(b->items, b->count, sizeof(*b->items), by_id_and_file);
    TUT_TRY(check_twice(b, err));
    *ret_bank = tut_move(&b);
    return TUT_SUCCESS;
}
