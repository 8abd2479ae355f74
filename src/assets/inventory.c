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
    size_t *first_of_asset;         /* chains of files, in order: of each declared asset, */
    size_t *first_led;              /* of each file that leads others of no declared asset, */
    size_t *next;                   /* and on from a file; SIZE_MAX ends a chain */
    const tut_found_file **members; /* scratch */
    tut_map ids;                    /* taken */
    tut_inventory *inv;
    tut_error *err;
} builder;

static void builder_done(builder *b)
{
    tut_free(b->code_dirs);
    tut_free(b->leader);
    tut_free(b->covering);
    tut_free(b->first_of_asset);
    tut_free(b->first_led);
    tut_free(b->next);
    tut_free(b->members);
    tut_map_done(&b->ids);
}

static void item_done(tut_inventory_item *item)
{
    tut_free(item->id);
    tut_free(item->name);
    tut_free(item->path);
    tut_free(item->problem);
    tut_free(item->signature);
    tut_free(item->detail);
    tut_free(item->members);
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
    tut_free(inv->item_of);
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
    item->members = tut_alloc_array(count, sizeof(*item->members));
    if (!item->members)
        return nomem(b);
    for (size_t i = 0; i < count; i++) {
        item->members[i] = (size_t)(b->members[i] - b->files);
        item->size += b->members[i]->size;
    }
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

/* No file can have changed, but what is declared about it may have since it was accepted. */
static tut_status judge_described(builder *b, tut_inventory_item *item, const tut_asset *a)
{
    TUT_TRY(tut_asset_described_digest(a, &item->digest, b->err));
    item->has_digest = true;
    if (!a->has_digest || tut_sha256_eq(&a->digest, &item->digest))
        return TUT_SUCCESS;
    item->state = TUT_ASSET_CHANGED;
    item->problem = tut_strdup("kind, supplier, url or version are not those that were accepted");
    return item->problem ? TUT_SUCCESS : nomem(b);
}

/* A file that was found, with the path below it, is a directory that could not be read. */
static bool lies_unread(const builder *b, const char *path)
{
    char above[4096];
    size_t len = strlen(path);
    if (len >= sizeof(above))
        return false;
    memcpy(above, path, len + 1);
    for (char *slash = strrchr(above, '/'); slash; slash = strrchr(above, '/')) {
        *slash = '\0';
        if (tut_match_find(b->files, b->count, above) != SIZE_MAX)
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
    for (size_t i = b->first_of_asset[a - b->system->assets]; i != SIZE_MAX; i = b->next[i])
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
    if (tut_asset_is_described(a))
        return judge_described(b, item, a);
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
        if (tut_map_get(&b->ids, tut_str_of(id)) != SIZE_MAX)
            continue;
        item->id = tut_move(&id);
        item->name = tut_move(&name);
        return tut_map_put(&b->ids, tut_str_of(item->id), 0, NULL, b->err);
    }
    return tut_fail(b->err, TUT_LIMIT, "too many files of one name");
}

static tut_status add_undeclared(builder *b, size_t leader)
{
    const tut_found_file *f = &b->files[leader];
    size_t count = 0;
    b->members[count++] = f;
    for (size_t i = b->first_led[leader]; i != SIZE_MAX; i = b->next[i])
        if (i != leader && !tut_path_is_ignored(b->system, b->files[i].rel))
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

/* A file stands in one chain: of the asset that covers it, or of the file that leads it. */
static void chain(builder *b)
{
    const tut_asset *assets = b->system ? b->system->assets : NULL;
    for (size_t i = 0; b->system && i < b->system->asset_count; i++)
        b->first_of_asset[i] = SIZE_MAX;
    for (size_t i = 0; i < b->count; i++)
        b->first_led[i] = SIZE_MAX;
    for (size_t i = b->count; i-- > 0;) {
        size_t *first = assets && b->covering[i] ? &b->first_of_asset[b->covering[i] - assets]
                                                 : &b->first_led[b->leader[i]];
        b->next[i] = *first;
        *first = i;
    }
}

static void assign(tut_inventory *inv)
{
    for (size_t i = 0; i < inv->found_count; i++)
        inv->item_of[i] = SIZE_MAX;
    for (size_t i = 0; i < inv->count; i++)
        for (size_t k = 0; inv->items[i].members && k < inv->items[i].files; k++)
            inv->item_of[inv->items[i].members[k]] = i;
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
    chain(b);
    for (size_t i = 0; b->system && i < b->system->asset_count; i++) {
        const tut_asset *a = &b->system->assets[i];
        TUT_TRY(tut_map_put(&b->ids, tut_str_of(a->id), 0, NULL, b->err));
        TUT_TRY(add_declared(b, a));
    }
    for (size_t i = 0; i < b->count; i++) {
        const tut_found_file *f = &b->files[i];
        bool is_asset = f->format && f->format->kind != TUT_KIND_NONE && !is_description(b, f->rel);
        if (is_asset && !b->covering[i] && b->leader[i] == i &&
            !tut_path_is_ignored(b->system, f->rel))
            TUT_TRY(add_undeclared(b, i));
    }
    if (b->inv->count)
        qsort(b->inv->items, b->inv->count, sizeof(*b->inv->items), compare_items);
    assign(b->inv);
    count_states(b->inv);
    return tut_depend_infer(b->inv, b->err);
}

tut_status tut_inventory_build(const tut_system *system, const tut_found_file *files, size_t count,
                               tut_inventory **ret_inventory, tut_error *err)
{
    TUT_AUTO(tut_inventory) inv = tut_alloc_array(1, sizeof(*inv));
    TUT_CLEAN(builder) b = {.system = system, .files = files, .count = count, .err = err};
    b.code_dirs = tut_alloc_array(count + 1, sizeof(*b.code_dirs));
    b.leader = tut_alloc_array(count + 1, sizeof(*b.leader));
    b.covering = tut_alloc_array(count + 1, sizeof(*b.covering));
    b.first_of_asset = tut_alloc_array((system ? system->asset_count : 0) + 1, sizeof(size_t));
    b.first_led = tut_alloc_array(count + 1, sizeof(*b.first_led));
    b.next = tut_alloc_array(count + 1, sizeof(*b.next));
    b.members = tut_alloc_array(count + 1, sizeof(*b.members));
    if (inv)
        inv->item_of = tut_alloc_array(count + 1, sizeof(*inv->item_of));
    if (!inv || !inv->item_of || !b.code_dirs || !b.leader || !b.covering || !b.first_of_asset ||
        !b.first_led || !b.next || !b.members)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    inv->found = files;
    inv->found_count = count;
    b.inv = inv;
    TUT_TRY(build(&b));
    *ret_inventory = tut_move(&inv);
    return TUT_SUCCESS;
}
