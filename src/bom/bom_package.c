/* Packages that lock files name: each once, however many files name it, with its package URL. */
#include <stdlib.h>

#include "bom/bom_internal.h"

typedef struct mention { /* a package as one asset names it */
    tut_bom_package package;
    size_t asset;
} mention;

static int compare_package(const tut_bom_package *x, const tut_bom_package *y)
{
    int order = tut_str_cmp(x->type, y->type);
    if (!order)
        order = tut_str_cmp(x->name, y->name);
    if (!order)
        order = tut_str_cmp(x->version, y->version);
    return order;
}

/* With a digest before without, so that the one which is kept says most. */
static int compare(const void *a, const void *b)
{
    const mention *x = a;
    const mention *y = b;
    int order = compare_package(&x->package, &y->package);
    if (!order)
        order = (y->package.hash.len > 0) - (x->package.hash.len > 0);
    if (!order)
        order = tut_str_cmp(x->package.hash, y->package.hash);
    return order ? order : (x->asset > y->asset) - (x->asset < y->asset);
}

static bool is_hex(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789abcdefABCDEF", s.data[i]) || !s.data[i])
            return false;
    return s.len > 0;
}

/* Lengths by which the formats know the hashes that lock files have. */
static bool is_hash(tut_str name, tut_str value)
{
    static const struct hash_name {
        const char *name;
        size_t digits;
    } known[] = {{"md5", 32}, {"sha1", 40}, {"sha256", 64}, {"sha384", 96}, {"sha512", 128}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (tut_str_eq_z(name, known[i].name))
            return value.len == known[i].digits && is_hex(value);
    return false;
}

static mention take(const tut_json_value *v, size_t asset)
{
    mention m = {.asset = asset};
    m.package.type = tut_json_get_text(v, "type");
    m.package.name = tut_json_get_text(v, "name");
    m.package.version = tut_json_get_text(v, "version");
    const tut_json_value *digest = tut_json_get(v, "digest");
    for (uint32_t i = 0; i < tut_json_count(digest); i++) {
        const tut_json_value *h = tut_json_item(digest, i);
        if (is_hash(h->key, tut_json_text(h))) {
            m.package.hash_name = h->key;
            m.package.hash = tut_json_text(h);
        }
    }
    return m;
}

static void add_name(const tut_bom_package *p, tut_buf *out)
{
    bool is_scoped = tut_str_eq_z(p->type, "npm") && p->name.len && p->name.data[0] == '@';
    size_t at = 0;
    if (is_scoped) { /* "@scope/name": the slash parts namespace and name */
        tut_buf_add_z(out, "%40");
        at = 1;
    }
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    bool is_folded = tut_str_eq_z(p->type, "pypi");
    for (; at < p->name.len; at++) {
        char c = p->name.data[at];
        if (is_folded && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        tut_buf_add_byte(&name, (uint8_t)(is_folded && c == '_' ? '-' : c));
    }
    if (name.failed)
        out->failed = name.failed;
    tut_bom_escape(tut_buf_str(&name), out);
}

static tut_status name_package(tut_bom *bom, tut_bom_package *p, tut_error *err)
{
    TUT_CLEAN(tut_buf) purl = TUT_BUF_INIT;
    tut_buf_add_z(&purl, "pkg:");
    tut_bom_escape(p->type.len ? p->type : TUT_LIT("generic"), &purl);
    tut_buf_add_z(&purl, tut_str_eq_z(p->type, "deb") ? "/debian/" : "/");
    add_name(p, &purl);
    if (p->version.len) {
        tut_buf_add_z(&purl, "@");
        tut_bom_escape(p->version, &purl);
    }
    TUT_TRY(tut_buf_check(&purl, err));
    p->purl = p->ref = tut_arena_copy(&bom->arena_, tut_buf_str(&purl));
    return p->purl ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
}

static const tut_json_value *packages_of(const tut_bom *bom, size_t asset)
{
    const tut_json_value *list = tut_json_get(tut_json_root(bom->doc_), "assets");
    return tut_json_get(tut_json_item(list, (uint32_t)asset), "packages");
}

/* Equal ones lie together: one of them becomes the package, the assets refer to it. */
static tut_status merge(tut_bom *bom, const mention *all, size_t count, tut_error *err)
{
    bom->packages = tut_arena_take(&bom->arena_, count + 1, sizeof(*bom->packages));
    if (!bom->packages)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    for (size_t i = 0; i < count; i++) {
        tut_bom_asset *a = &bom->assets[all[i].asset];
        size_t last = bom->package_count - 1;
        if (bom->package_count == 0 ||
            compare_package(&bom->packages[last], &all[i].package) != 0) {
            last = bom->package_count++;
            bom->packages[last] = all[i].package;
            TUT_TRY(name_package(bom, &bom->packages[last], err));
        }
        if (a->package_count == 0 || a->packages[a->package_count - 1] != last)
            a->packages[a->package_count++] = last;
    }
    return TUT_SUCCESS;
}

static int compare_ref(const void *a, const void *b)
{
    const tut_bom_package *const *x = a;
    const tut_bom_package *const *y = b;
    int order = strcmp((*x)->ref, (*y)->ref);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Two spellings of one name have the same package URL, and each needs a ref of its own. */
static tut_status part_refs(tut_bom *bom, tut_error *err)
{
    size_t count = bom->package_count, same = 0;
    TUT_AUTO_FREE tut_bom_package **sorted = tut_alloc_array(count + 1, sizeof(*sorted));
    if (!sorted)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &bom->packages[i];
    if (count)
        qsort(sorted, count, sizeof(*sorted), compare_ref);
    for (size_t i = 1; i < count; i++) {
        same = strcmp(sorted[i - 1]->purl, sorted[i]->purl) == 0 ? same + 1 : 0;
        if (!same)
            continue;
        TUT_CLEAN(tut_buf) ref = TUT_BUF_INIT;
        tut_buf_printf(&ref, "%s#%zu", sorted[i]->purl, same + 1);
        TUT_TRY(tut_buf_check(&ref, err));
        sorted[i]->ref = tut_arena_copy(&bom->arena_, tut_buf_str(&ref));
        if (!sorted[i]->ref)
            return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    }
    return TUT_SUCCESS;
}

tut_status tut_bom_packages(tut_bom *bom, tut_error *err)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < bom->asset_count; i++) {
        uint32_t own = tut_json_count(packages_of(bom, i));
        bom->assets[i].packages = tut_arena_take(&bom->arena_, own + 1u, sizeof(size_t));
        if (!bom->assets[i].packages)
            return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
        count += own;
    }
    TUT_AUTO_FREE mention *all = tut_alloc_array(count + 1, sizeof(*all));
    if (!all)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    for (size_t i = 0; i < bom->asset_count; i++) {
        const tut_json_value *list = packages_of(bom, i);
        for (uint32_t k = 0; k < tut_json_count(list); k++)
            all[at++] = take(tut_json_item(list, k), i);
    }
    if (count)
        qsort(all, count, sizeof(*all), compare);
    TUT_TRY(merge(bom, all, count, err));
    return part_refs(bom, err);
}
