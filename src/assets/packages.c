#include "assets/packages.h"

#include <stdlib.h>

#include "base/limits.h"
#include "crypto/base64.h"

static int compare(const void *a, const void *b)
{
    const tut_listed_package *x = *(const tut_listed_package *const *)a;
    const tut_listed_package *y = *(const tut_listed_package *const *)b;
    int order = strcmp(x->type, y->type);
    if (order == 0)
        order = strcmp(x->name, y->name);
    if (order == 0)
        order = strcmp(x->version, y->version);
    /* Of the same package the one that is known by one digest comes first, and stays. */
    if (order == 0)
        order = (y->digest[0] != '\0') - (x->digest[0] != '\0');
    return order == 0 ? strcmp(x->digest, y->digest) : order;
}

static bool is_same(const tut_listed_package *x, const tut_listed_package *y)
{
    return strcmp(x->type, y->type) == 0 && strcmp(x->name, y->name) == 0 &&
           strcmp(x->version, y->version) == 0;
}

static bool is_hex(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return s.len > 0 && s.len % 2 == 0;
}

/* "sha256:HEX" or "sha512-BASE64" -> {"sha512": HEX}; what is neither is no digest. */
static void put_digest(tut_json *j, const char *text)
{
    size_t len = strcspn(text, ":-");
    tut_str value = tut_str_of(text[len] ? text + len + 1 : "");
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) hex = TUT_BUF_INIT;
    if (text[len] == '-' && tut_is_ok(tut_base64_read(value, false, &bytes)))
        tut_buf_add_hex(&hex, bytes.data, bytes.len);
    else if (text[len] == ':' && is_hex(value))
        tut_buf_add_str(&hex, value);
    tut_json_key(j, "digest");
    if (hex.len == 0) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_key_str(j, (tut_str){text, len});
    tut_json_str(j, tut_buf_str(&hex));
    tut_json_end_object(j);
}

static void put_package(tut_json *j, const tut_listed_package *p)
{
    tut_json_object(j);
    tut_json_put_z(j, "type", p->type);
    tut_json_put_z(j, "name", p->name);
    tut_json_put_or_null(j, "version", tut_str_of(p->version));
    put_digest(j, p->digest);
    tut_json_put_u64(j, "digests", p->digests);
    tut_json_end_object(j);
}

static size_t gather(const tut_inventory *inv, const tut_inventory_item *item,
                     const tut_listed_package **to, size_t *ret_dropped)
{
    size_t count = 0;
    *ret_dropped = 0;
    for (size_t m = 0; item->members && m < item->files; m++) {
        const tut_found_file *f = &inv->found[item->members[m]];
        *ret_dropped += f->packages_dropped;
        for (size_t i = 0; i < f->package_count; i++, count++)
            if (to)
                to[count] = &f->packages[i];
    }
    return count;
}

void tut_packages_json(const tut_inventory *inv, const tut_inventory_item *item, tut_json *j)
{
    size_t left_out;
    size_t count = gather(inv, item, NULL, &left_out);
    TUT_AUTO_FREE const tut_listed_package **all = count ? tut_alloc_array(count, sizeof(*all))
                                                         : NULL;
    if (all) {
        (void)gather(inv, item, all, &left_out);
        qsort(all, count, sizeof(*all), compare);
    } else {
        left_out += count; /* without memory nothing is listed, and that is said */
        count = 0;
    }
    size_t shown = 0;
    tut_json_key(j, "packages");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && is_same(all[i - 1], all[i]))
            continue;
        if (shown < TUT_LIMIT_PACKAGES)
            put_package(j, all[i]);
        shown++;
    }
    tut_json_end_array(j);
    left_out += shown > TUT_LIMIT_PACKAGES ? shown - TUT_LIMIT_PACKAGES : 0;
    tut_json_put_u64(j, "packages_left_out", left_out);
}
