#include "pack/verify_beside.h"

#include <stdio.h>

#include "ledger/witness_keep.h"
#include "pack/image.h"

enum { WITNESS_DIGITS = 8 };

static bool is_hex(tut_str text, size_t len)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') ||
              (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    return text.len == len;
}

/* A size as a name has it, without leading zeros. */
static bool is_size(tut_str text)
{
    uint64_t value;
    return tut_str_u64(text, &value) && (text.len == 1 || text.data[0] != '0');
}

static bool is_cosigned(tut_str text)
{
    const char *dash = memchr(text.data, '-', text.len);
    if (!dash)
        return false;
    size_t digits = (size_t)(dash - text.data);
    return is_size((tut_str){text.data, digits}) &&
           is_hex((tut_str){dash + 1, text.len - digits - 1}, TUT_WITNESS_ROOT_DIGITS);
}

static bool is_stamp(tut_str text)
{
    static const tut_str endings[] = {{".checkpoint", 11}, {".tsq", 4}, {".tsr", 4}};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (tut_str_ends(text, endings[i]))
            return is_size((tut_str){text.data, text.len - endings[i].len});
    return false;
}

bool tut_pack_is_kept(const char *name)
{
    static const char *const folders[] = {"log/witness/", "log/witnessed/", "log/timestamps/",
                                          "log/rotations/"};
    tut_str text = tut_str_of(name);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        tut_str folder = tut_str_of(folders[i]);
        if (!tut_str_starts(text, folder))
            continue;
        tut_str rest = {text.data + folder.len, text.len - folder.len};
        return i == 0   ? is_hex(rest, WITNESS_DIGITS)
               : i == 1 ? is_cosigned(rest)
               : i == 2 ? is_stamp(rest)
                        : is_size(rest);
    }
    return strcmp(name, "log/checkpoint.witnessed") == 0;
}

static tut_status each(void *ctx, const char *folder, tut_beside_visit visit, void *visit_ctx,
                       tut_error *err)
{
    const tut_archive *a = ctx;
    char beginning[TUT_PACK_NAME];
    int len = snprintf(beginning, sizeof(beginning), "log/%s/", folder);
    if (len < 0 || len >= (int)sizeof(beginning))
        return TUT_SUCCESS;
    const tut_archive_member *m = tut_archive_from(a, beginning);
    for (; m < a->members + a->count && strncmp(m->name, beginning, (size_t)len) == 0; m++)
        TUT_TRY(visit(visit_ctx, m->name + len, err));
    return TUT_SUCCESS;
}

static bool member_name(const char *name, char out[TUT_PACK_NAME])
{
    int len = snprintf(out, TUT_PACK_NAME, "log/%s", name);
    return len >= 0 && len < TUT_PACK_NAME;
}

static tut_status read(void *ctx, const char *name, size_t max_bytes, tut_buf *out, tut_error *err)
{
    char whole[TUT_PACK_NAME];
    if (!member_name(name, whole))
        return tut_fail(err, TUT_IO, "is not in the pack");
    return tut_archive_get(ctx, whole, max_bytes, out, err);
}

static tut_status has(void *ctx, const char *name, bool *ret_has, tut_error *err)
{
    char whole[TUT_PACK_NAME];
    (void)err;
    *ret_has = member_name(name, whole) && tut_archive_find(ctx, whole) != NULL;
    return TUT_SUCCESS;
}

tut_beside tut_pack_beside(const tut_archive *archive)
{
    return (tut_beside){.each = each, .read = read, .has = has, .ctx = (void *)(uintptr_t)archive};
}
