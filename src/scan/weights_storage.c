/*
 * PyTorch's archives: the pickle lists storages by persistent id ("a FloatStorage under the key
 * 7"), and the member data/7 beside it is their bytes. The two meet when the pass begins.
 */
#include <stdlib.h>
#include <string.h>

#include "scan/weights_internal.h"

static uint64_t hash_more(uint64_t hash, tut_str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * 0x100000001b3ull;
    return hash * 0x100000001b3ull;
}

/* FNV-1a: two of one hash only mistake one kind of numbers for another. */
static uint64_t id_of(tut_str archive, tut_str key)
{
    return hash_more(hash_more(0xcbf29ce484222325ull, archive), key);
}

static const char *dtype_of(tut_str class)
{
    static const struct {
        const char *class, *dtype;
    } rows[] = {{"torch.FloatStorage", "F32"},       {"torch.DoubleStorage", "F64"},
                {"torch.HalfStorage", "F16"},        {"torch.BFloat16Storage", "BF16"},
                {"torch.CharStorage", "I8"},         {"torch.ByteStorage", "U8"},
                {"torch.QInt8Storage", "I8"},        {"torch.QUInt8Storage", "U8"},
                {"torch.ComplexFloatStorage", "C64"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_str_eq_z(class, rows[i].class))
            return rows[i].dtype;
    return NULL;
}

static tut_str from(tut_str s, size_t at)
{
    return at < s.len ? (tut_str){s.data + at, s.len - at} : TUT_LIT("");
}

tut_status tut_weights_add_storage(tut_weights *w, tut_str archive, tut_str id)
{
    static const tut_str begin = TUT_LIT("('storage', ");
    size_t comma, quote;
    if (!tut_str_starts(id, begin))
        return TUT_SUCCESS;
    tut_str rest = from(id, begin.len);
    if (!tut_str_find(rest, TUT_LIT(", '"), &comma))
        return TUT_SUCCESS;
    tut_str class = {rest.data, comma}, key = from(rest, comma + 3);
    const char *dtype = dtype_of(class);
    if (!dtype || !tut_str_find(key, TUT_LIT("'"), &quote) ||
        w->storage_count >= TUT_LIMIT_ZIP_MEMBERS)
        return TUT_SUCCESS;
    uint64_t hash = id_of(archive, (tut_str){key.data, quote});
    if (w->storage_count && w->storages[w->storage_count - 1].id == hash)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&w->storages, w->storage_count, &w->storage_capacity, sizeof(*w->storages)));
    w->storages[w->storage_count++] = (tut_weights_storage){hash, dtype};
    w->is_sorted = false;
    return TUT_SUCCESS;
}

tut_status tut_weights_add_member(tut_weights *w, tut_str archive, tut_str member, uint64_t begin,
                                  uint64_t end)
{
    static const tut_str folder = TUT_LIT("/data/");
    const char *slash = member.len ? memrchr(member.data, '/', member.len) : NULL;
    if (!slash)
        return TUT_SUCCESS;
    tut_str key = from(member, (size_t)(slash + 1 - member.data));
    tut_str before = {member.data, (size_t)(slash + 1 - member.data)};
    if (key.len == 0 || !tut_str_ends(before, folder))
        return TUT_SUCCESS;
    const tut_tensor told = {.name = from(member, before.len + 1 - folder.len),
                             .dtype = "storage",
                             .shape = TUT_LIT(""),
                             .begin = begin,
                             .end = end};
    size_t count = w->count;
    TUT_TRY(tut_weights_add(w, archive, true, &told, 0));
    if (w->count > count)
        w->tensors[count].storage = id_of(archive, key);
    return TUT_SUCCESS;
}

static int compare(const void *a, const void *b)
{
    const tut_weights_storage *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

void tut_weights_match_storages(tut_weights *w)
{
    tut_weights *types = w->types ? w->types : w;
    if (types->storage_count > 1 && !types->is_sorted)
        qsort(types->storages, types->storage_count, sizeof(*types->storages), compare);
    types->is_sorted = true;
    for (size_t i = 0; i < w->count && types->storage_count > 0; i++) {
        tut_weights_tensor *t = &w->tensors[i];
        const tut_weights_storage wanted = {.id = t->storage};
        const tut_weights_storage *found = t->storage ? bsearch(&wanted, types->storages,
                                                                types->storage_count,
                                                                sizeof(*types->storages), compare)
                                                      : NULL;
        if (!found)
            continue;
        t->dtype = found->dtype;
        t->kind = tut_numeric_of(t->dtype);
    }
}
