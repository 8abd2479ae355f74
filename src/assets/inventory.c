/* Declared against found: one item for every declared asset and for every group of files that no
 * asset covers. */
#include <stdio.h>
#include <stdlib.h>

#include "assets/depend.h"
#include "assets/match.h"
#include "assets/system.h"
#include "base/alloc.h"
#include "base/term.h"

const char *tut_asset_state_name(tut_asset_state s)
{
    switch (s) {
    case TUT_ASSET_DECLARED:
        return "declared";
    case TUT_ASSET_UNDECLARED:
        return "undeclared";
    case TUT_ASSET_MISSING:
        return "missing";
    case TUT_ASSET_CHANGED:
        return "changed";
    }
    return "declared";
}

typedef struct builder {
    const tut_system *system;
    const tut_found_file *files;
    size_t count;
    size_t *code_dirs;              /* see tut_match_code_dirs */
    size_t *leader;                 /* of each file's group */
    const tut_asset **covering;     /* declared asset of each file, or NULL */
    const tut_found_file **members; /* scratch */
    tut_inventory *inv;
    tut_error *err;
} builder;

static void item_done(tut_inventory_item *item)
{
    tut_free(item->id);
    tut_free(item->name);
    tut_free(item->path);
    tut_free(item->problem);
    tut_free(item->signature);
    tut_free(item->detail);
    for (size_t i = 0; i < item->depends_count; i++)
        tut_free(item->depends_on[i]);
    tut_free(item->depends_on);
    tut_free(item->is_inferred);
}

void tut_inventory_free(tut_inventory *inv)
{
    if (!inv)
        return;
    for (size_t i = 0; i < inv->count; i++)
        item_done(&inv->items[i]);
    tut_free(inv->items);
    tut_free(inv);
}

static tut_status nomem(builder *b)
{
    return tut_fail(b->err, TUT_NOMEM, "memory ran out");
}

static tut_status add_item(builder *b, tut_inventory_item **ret_item)
{
    tut_inventory *inv = b->inv;
    TUT_TRY(tut_grow(&inv->items, inv->count, &inv->capacity, sizeof(*inv->items)));
    inv->items[inv->count] = (tut_inventory_item){0};
    *ret_item = &inv->items[inv->count++];
    return TUT_SUCCESS;
}

/* A fact worth showing: by itself, behind a word, or as a number of things. is_alone: it says so
 * much that the format need not be named. */
typedef struct detail {
    const char *key;
    const char *before;
    const char *thing;
    bool is_alone;
} detail;

static const detail details[] = {
    {"gguf.architecture", "", NULL, false},
    {"gguf.quantisation", "", NULL, false},
    {"torch.storages", "", "storage", false},
    {"safetensors.tensors", "", "tensor", false},
    {"onnx.opset", "opset ", NULL, false},
    {"joblib.class", "", NULL, false},
    {"architecture", "", NULL, false},
    {"shards", "", "shard", false},
    {"rows", "", "row", false},
    {"packages", "", "package", true},
    {"tools", "", "tool", true},
    {"cells", "", "cell", false},
    {"lines", "", "line", true},
    {"licence", "", NULL, false},
};

static const char *fact_of(const tut_found_file *f, const char *key)
{
    for (size_t i = 0; i < f->fact_count; i++) {
        if (strcmp(f->fact_keys[i], key) == 0)
            return f->fact_values[i];
    }
    return NULL;
}

/* "8,412 rows" */
static void add_count(tut_buf *out, const char *value, const char *thing)
{
    uint64_t n = 0;
    char digits[32];
    if (tut_str_u64(tut_str_of(value), &n)) {
        tut_human_count(n, digits);
        value = digits;
    }
    tut_buf_printf(out, "%s %s%s", value, thing, n == 1 ? "" : "s");
}

/* "GGUF, llama, Q4_0": in few words. */
static char *describe(const tut_found_file *f)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool is_alone = false;
    for (size_t k = 0; k < sizeof(details) / sizeof(details[0]); k++)
        is_alone |= details[k].is_alone && fact_of(f, details[k].key);
    if (!is_alone)
        tut_buf_add_z(&out, f->format ? f->format->label : "not recognised");
    for (size_t k = 0; k < sizeof(details) / sizeof(details[0]); k++) {
        const char *value = fact_of(f, details[k].key);
        if (!value)
            continue;
        if (out.len)
            tut_buf_add_z(&out, ", ");
        if (details[k].thing)
            add_count(&out, value, details[k].thing);
        else
            tut_buf_printf(&out, "%s%s", details[k].before, value);
    }
    return tut_buf_steal(&out);
}

/* Beside a file, or in a directory: where signing puts it. Whether it holds is for verifying. */
static tut_status find_signature(builder *b, tut_inventory_item *item)
{
    for (int i = 0; i < 2 && item->path[0]; i++) {
        TUT_AUTO_FREE char *path = i == 0 ? tut_asprintf("%s.sig", item->path)
                                          : tut_asprintf("%s/model.sig", item->path);
        if (!path)
            return nomem(b);
        size_t at = tut_match_find(b->files, b->count, path);
        if (at == SIZE_MAX || !tut_match_is_detached(&b->files[at]))
            continue;
        item->signature = tut_move(&path);
        return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

/* Size, digest, format and detail from the files of an item. members[0] speaks for all. */
static tut_status fill_found(builder *b, tut_inventory_item *item, size_t count)
{
    item->files = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        item->size += b->members[i]->size;
    TUT_TRY(tut_match_digest(b->members, count, &item->has_digest, &item->digest, b->err));
    item->format = b->members[0]->format;
    tut_free(item->detail);
    item->detail = describe(b->members[0]);
    return item->detail ? find_signature(b, item) : nomem(b);
}

static void judge_found(tut_inventory_item *item, const tut_asset *a)
{
    item->state = TUT_ASSET_DECLARED;
    if (!item->has_digest) {
        item->state = TUT_ASSET_CHANGED;
        item->is_unread = true;
        item->problem = tut_strdup("could not be read to its end, so it cannot be compared");
    } else if (!a->has_digest) {
        item->state = TUT_ASSET_CHANGED;
        item->problem = tut_strdup("no digest has been accepted yet");
    } else if (!tut_sha256_eq(&a->digest, &item->digest)) {
        item->state = TUT_ASSET_CHANGED;
        char accepted[TUT_SHA256_HEX], found[TUT_SHA256_HEX];
        tut_sha256_hex(&a->digest, accepted);
        tut_sha256_hex(&item->digest, found);
        item->problem = tut_asprintf("accepted sha256 %.16s..., found %.16s...", accepted, found);
    }
}

/* A file that was found, with the path below it, is a directory that could not be read. */
static bool lies_unread(const builder *b, const char *path)
{
    for (size_t i = 0; i < b->count; i++) {
        size_t len = strlen(b->files[i].rel);
        if (strncmp(path, b->files[i].rel, len) == 0 && path[len] == '/')
            return true;
    }
    return false;
}

static tut_status add_declared(builder *b, const tut_asset *a)
{
    tut_inventory_item *item;
    TUT_TRY(add_item(b, &item));
    item->declared = a;
    item->kind = a->kind;
    item->id = tut_strdup(a->id);
    item->name = tut_strndup(a->name.data, a->name.len);
    item->path = tut_strndup(a->path.data ? a->path.data : "", a->path.len);
    if (!item->id || !item->name || !item->path)
        return nomem(b);
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++)
        if (b->covering[i] == a)
            b->members[count++] = &b->files[i];
    if (count > 0) {
        TUT_TRY(fill_found(b, item, count));
        judge_found(item, a);
        return item->state == TUT_ASSET_DECLARED || item->problem ? TUT_SUCCESS : nomem(b);
    }
    if (lies_unread(b, item->path)) {
        item->state = TUT_ASSET_MISSING;
        item->is_unread = true;
        item->problem = tut_strdup("its directory could not be read, so it may be there");
        return item->problem ? TUT_SUCCESS : nomem(b);
    }
    bool needs_file = a->path.len > 0 || (a->kind != TUT_KIND_SERVICE && a->url.len == 0);
    item->state = needs_file ? TUT_ASSET_MISSING : TUT_ASSET_DECLARED;
    item->has_digest = a->has_digest;
    item->digest = a->digest;
    if (needs_file)
        item->problem = tut_strdup(a->path.len ? "nothing is at its path"
                                               : "declared without a path or a url");
    return !needs_file || item->problem ? TUT_SUCCESS : nomem(b);
}

typedef enum naming { NAME_STEM, NAME_STEM_ENDING, NAME_PARENT_STEM, NAME_NUMBERED } naming;

static void add_plain(tut_buf *out, const char *from, const char *to)
{
    for (const char *at = from; at < to; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || *at == '.' || *at == '_' || *at == '-';
        tut_buf_add_byte(out, is_plain ? (uint8_t)*at : '-');
    }
}

/* A name from a path, of letters that a name may have: "classifier", and where that is taken
 * "classifier-onnx", then "models-classifier". */
static char *name_from(const char *rel, size_t len, naming how)
{
    const char *end = rel + len;
    const char *base = end;
    while (base > rel && base[-1] != '/')
        base--;
    const char *dot = end;
    for (const char *at = base + 1; at < end; at++)
        if (*at == '.')
            dot = at;
    const char *start = base;
    if (how >= NAME_PARENT_STEM && start > rel) {
        start--;
        while (start > rel && start[-1] != '/')
            start--;
    }
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    add_plain(&out, start, dot);
    if (how == NAME_STEM_ENDING && dot < end) {
        tut_buf_add_z(&out, "-");
        add_plain(&out, dot + 1, end);
    }
    if (out.len == 0)
        tut_buf_add_z(&out, "asset");
    return tut_buf_steal(&out);
}

static bool id_taken(const tut_inventory *inv, const char *id)
{
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].id && strcmp(inv->items[i].id, id) == 0)
            return true;
    return false;
}

static tut_status name_item(builder *b, tut_inventory_item *item, const char *rel, size_t len)
{
    for (unsigned attempt = 0; attempt < 100000; attempt++) {
        naming how = attempt < NAME_NUMBERED ? (naming)attempt : NAME_NUMBERED;
        TUT_AUTO_FREE char *stem = name_from(rel, len, how);
        TUT_AUTO_FREE char *name = !stem                  ? NULL
                                   : how == NAME_NUMBERED ? tut_asprintf("%s-%u", stem, attempt - 1)
                                                          : tut_strdup(stem);
        TUT_AUTO_FREE char *id = name ? tut_asprintf("%s/%s", tut_asset_kind_name(item->kind), name)
                                      : NULL;
        if (!id)
            return nomem(b);
        if (id_taken(b->inv, id))
            continue;
        item->id = tut_move(&id);
        item->name = tut_move(&name);
        return TUT_SUCCESS;
    }
    return tut_fail(b->err, TUT_LIMIT, "too many files of one name");
}

static tut_status add_undeclared(builder *b, size_t leader)
{
    const tut_found_file *f = &b->files[leader];
    size_t count = 0;
    b->members[count++] = f;
    for (size_t i = 0; i < b->count; i++)
        if (i != leader && b->leader[i] == leader && !b->covering[i] &&
            !tut_path_is_ignored(b->system, b->files[i].rel))
            b->members[count++] = &b->files[i];
    size_t dir = b->code_dirs[leader];
    size_t len = dir ? dir : strlen(f->rel);
    tut_inventory_item *item;
    TUT_TRY(add_item(b, &item));
    item->kind = f->format->kind;
    item->state = TUT_ASSET_UNDECLARED;
    item->path = tut_strndup(f->rel, len);
    item->problem = tut_strdup("in the tree, but not in tutela.yaml");
    if (!item->path || !item->problem)
        return nomem(b);
    TUT_TRY(name_item(b, item, f->rel, len));
    return fill_found(b, item, count);
}

static int compare_items(const void *a, const void *b)
{
    const tut_inventory_item *x = a;
    const tut_inventory_item *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void count_states(tut_inventory *inv)
{
    for (size_t i = 0; i < inv->count; i++) {
        tut_asset_state s = inv->items[i].state;
        inv->declared += s != TUT_ASSET_UNDECLARED;
        inv->undeclared += s == TUT_ASSET_UNDECLARED;
        inv->missing += s == TUT_ASSET_MISSING;
        inv->changed += s == TUT_ASSET_CHANGED;
    }
}

/* What describes the assets is none of them, whatever it is called. */
static bool is_description(const builder *b, const char *rel)
{
    if (strcmp(rel, "tutela.yaml") == 0)
        return true;
    if (!b->system)
        return false;
    const char *slash = strrchr(b->system->file, '/');
    return strcmp(rel, slash ? slash + 1 : b->system->file) == 0;
}

static tut_status build(builder *b)
{
    tut_match_code_dirs(b->files, b->count, b->code_dirs);
    tut_match_groups(b->files, b->count, b->code_dirs, b->leader);
    for (size_t i = 0; i < b->count; i++)
        b->covering[i] = tut_match_is_detached(&b->files[i])
                             ? NULL
                             : tut_match_declared(b->system, b->files[i].rel);
    /* What a declared file leads (shards, external data) belongs to its asset. */
    for (size_t i = 0; i < b->count; i++)
        if (!b->covering[i] && b->covering[b->leader[i]])
            b->covering[i] = b->covering[b->leader[i]];
    for (size_t i = 0; b->system && i < b->system->asset_count; i++)
        TUT_TRY(add_declared(b, &b->system->assets[i]));
    for (size_t i = 0; i < b->count; i++) {
        const tut_found_file *f = &b->files[i];
        bool is_asset = f->format && f->format->kind != TUT_KIND_NONE && !is_description(b, f->rel);
        if (is_asset && !b->covering[i] && b->leader[i] == i &&
            !tut_path_is_ignored(b->system, f->rel))
            TUT_TRY(add_undeclared(b, i));
    }
    TUT_TRY(tut_depend_infer(b->inv, b->files, b->count, b->err));
    if (b->inv->count)
        qsort(b->inv->items, b->inv->count, sizeof(*b->inv->items), compare_items);
    count_states(b->inv);
    return TUT_SUCCESS;
}

tut_status tut_inventory_build(const tut_system *system, const tut_found_file *files, size_t count,
                               tut_inventory **ret_inventory, tut_error *err)
{
    TUT_AUTO(tut_inventory) inv = tut_alloc_array(1, sizeof(*inv));
    TUT_AUTO_FREE size_t *code_dirs = tut_alloc_array(count + 1, sizeof(*code_dirs));
    TUT_AUTO_FREE size_t *leader = tut_alloc_array(count + 1, sizeof(*leader));
    TUT_AUTO_FREE const tut_asset **covering = tut_alloc_array(count + 1, sizeof(*covering));
    TUT_AUTO_FREE const tut_found_file **members = tut_alloc_array(count + 1, sizeof(*members));
    if (!inv || !code_dirs || !leader || !covering || !members)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    builder b = {system, files, count, code_dirs, leader, covering, members, inv, err};
    TUT_TRY(build(&b));
    *ret_inventory = tut_move(&inv);
    return TUT_SUCCESS;
}
