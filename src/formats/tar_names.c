/*
 * Where members would be written to: names that lead out of the directory that an archive is
 * unpacked to, links that do, members written through such links, and names that come twice.
 */
#include <string.h>

#include "formats/member_name.h"
#include "formats/tar_internal.h"

static bool next_component(tut_str *rest, tut_str *ret)
{
    while (rest->len > 0 && rest->data[0] == '/')
        *rest = (tut_str){rest->data + 1, rest->len - 1};
    if (rest->len == 0)
        return false;
    const char *slash = memchr(rest->data, '/', rest->len);
    ret->data = rest->data;
    ret->len = slash ? (size_t)(slash - rest->data) : rest->len;
    *rest = (tut_str){rest->data + ret->len, rest->len - ret->len};
    return true;
}

static tut_status charge(tut_tar *t, uint64_t bytes, tut_error *err)
{
    TUT_TRY(tut_budget_heap(t->x->budget, bytes, err));
    t->heap += bytes;
    return TUT_SUCCESS;
}

tut_status tut_tar_plain_name(tut_tar *t, tut_str name, tut_str *ret, tut_error *err)
{
    TUT_TRY(charge(t, name.len + 1, err));
    char *plain = tut_arena_take(&t->arena, name.len + 1, 1);
    if (!plain)
        return tut_fail(err, TUT_NOMEM, "no memory for member names");
    size_t len = 0;
    for (tut_str rest = name, one; next_component(&rest, &one);) {
        if (tut_str_eq_z(one, "."))
            continue;
        if (len > 0)
            plain[len++] = '/';
        memcpy(plain + len, one.data, one.len);
        len += one.len;
    }
    *ret = (tut_str){plain, len};
    return TUT_SUCCESS;
}

/* Below the directories of a root file system, as images of containers hold them: absolute links
 * are meant from that root. */
static bool is_in_root(tut_str plain)
{
    static const char roots[] =
        " bin boot dev etc home lib lib32 lib64 libx32 media mnt opt proc root "
        "run sbin srv sys tmp usr var ";
    tut_str rest = plain, first;
    char word[16];
    if (!next_component(&rest, &first) || first.len > sizeof(word) - 3)
        return false;
    word[0] = ' ';
    memcpy(word + 1, first.data, first.len);
    word[first.len + 1] = ' ';
    return memmem(roots, sizeof(roots) - 1, word, first.len + 2) != NULL;
}

/* Whether a symbolic link at `plain` leads above the root of the archive. */
static bool climbs_out(tut_str plain, tut_str target)
{
    int64_t depth = -1; /* the link's own name is no directory */
    for (tut_str rest = plain, one; next_component(&rest, &one);)
        depth++;
    for (tut_str rest = target, one; next_component(&rest, &one);) {
        if (tut_str_eq_z(one, ".."))
            depth--;
        else if (!tut_str_eq_z(one, "."))
            depth++;
        if (depth < 0)
            return true;
    }
    return false;
}

static void check_link(tut_tar *t, tut_str plain, tut_str name, tut_str to, char type, uint64_t at)
{
    bool is_out = type == '1' ? tut_member_leads_out(to) : climbs_out(plain, to);
    if (type == '2' && to.len > 0 && to.data[0] == '/')
        is_out = !is_in_root(plain);
    if (is_out)
        tut_exam_observe(t->x, "tar.link-escape", at, "'%.*s' is a %s to '%.*s'",
                         TUT_TAR_SHOWN(name), type == '1' ? "hard link" : "symbolic link",
                         TUT_TAR_SHOWN(to));
}

static void check_name(tut_tar *t, tut_str name, uint64_t at)
{
    if (tut_member_leads_out(name))
        tut_exam_observe(t->x, "tar.unsafe-name", at,
                         "'%.*s' leads out of the directory it is unpacked to",
                         TUT_TAR_SHOWN(name));
    if (name.len == 0 || tut_member_has_control(name))
        tut_exam_observe(t->x, "tar.odd-name", at, "'%.*s' is %s", TUT_TAR_SHOWN(name),
                         name.len == 0 ? "empty" : "shown differently by different tools");
}

/* A directory on the way that is a link: unpacking writes where the link points. */
static void check_way(tut_tar *t, tut_str plain, tut_str name, uint64_t at)
{
    for (size_t i = 1; i < plain.len; i++) {
        if (plain.data[i] != '/')
            continue;
        size_t index = tut_map_get(&t->by_name, (tut_str){plain.data, i});
        if (index == SIZE_MAX || t->names[index].type != '2')
            continue;
        tut_exam_observe(t->x, "tar.write-through-link", at,
                         "'%.*s' is unpacked through the link '%.*s'", TUT_TAR_SHOWN(name),
                         (int)(i < 160 ? i : 160), plain.data);
        return;
    }
}

static void check_again(tut_tar *t, tut_tar_name *before, tut_str name, char type, uint64_t at)
{
    char type_before = before->type;
    before->type = type;
    if (type_before == '5' && type == '5')
        return;
    if (type_before == '2' && tut_tar_has_data(type))
        tut_exam_observe(t->x, "tar.write-through-link", at,
                         "'%.*s' is a link first, and then a file that is written through it",
                         TUT_TAR_SHOWN(name));
    else
        tut_exam_observe(t->x, "tar.duplicate-name", at,
                         "'%.*s' occurs more than once: some readers take the first, others the "
                         "last",
                         TUT_TAR_SHOWN(name));
}

static void check_special(tut_tar *t, tut_str plain, tut_str name, char type, uint64_t at)
{
    if (type < '3' || type > '6' || type == '5' || tut_str_starts(plain, TUT_LIT("dev/")))
        return;
    tut_exam_observe(t->x, "tar.special-file", at, "'%.*s' unpacks to a %s", TUT_TAR_SHOWN(name),
                     type == '6' ? "pipe" : "device");
}

/* A hard link to a symbolic link is that link. */
static tut_status type_of(tut_tar *t, tut_str link, char *type, tut_error *err)
{
    tut_str target;
    if (*type != '1')
        return TUT_SUCCESS;
    TUT_TRY(tut_tar_plain_name(t, link, &target, err));
    size_t index = tut_map_get(&t->by_name, target);
    if (index != SIZE_MAX && t->names[index].type == '2')
        *type = '2';
    return TUT_SUCCESS;
}

tut_status tut_tar_add_name(tut_tar *t, tut_str name, tut_str link, char type, uint64_t at,
                            tut_error *err)
{
    enum { SLOT = 64 }; /* what the map takes for one, about */
    tut_str plain;
    size_t index = t->count;
    check_name(t, name, at);
    TUT_TRY(tut_tar_plain_name(t, name, &plain, err));
    if (type == '1' || type == '2')
        check_link(t, plain, name, link, type, at);
    check_special(t, plain, name, type, at);
    if (plain.len == 0)
        return TUT_SUCCESS; /* "./" itself */
    check_way(t, plain, name, at);
    TUT_TRY(type_of(t, link, &type, err));
    TUT_TRY(charge(t, SLOT + sizeof(*t->names), err));
    TUT_TRY(tut_map_put(&t->by_name, plain, t->count, &index, err));
    if (index != t->count) {
        check_again(t, &t->names[index], name, type, at);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_grow(&t->names, t->count, &t->capacity, sizeof(*t->names)));
    t->names[t->count++] = (tut_tar_name){at, type};
    return TUT_SUCCESS;
}
