#include "assets/match.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

bool tut_path_covers(tut_str path, const char *rel)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    if (tut_str_eq_z(path, "."))
        return true;
    size_t len = strlen(rel);
    return path.len > 0 && path.len <= len && memcmp(path.data, rel, path.len) == 0 &&
           (rel[path.len] == '\0' || rel[path.len] == '/');
}

size_t tut_match_longest(const tut_map *by_path, const char *rel)
{
    size_t at = SIZE_MAX;
    for (size_t len = strlen(rel); len > 0 && at == SIZE_MAX; len--)
        if (rel[len] == '\0' || rel[len] == '/')
            at = tut_map_get(by_path, (tut_str){rel, len});
    return at != SIZE_MAX ? at : tut_map_get(by_path, TUT_LIT("."));
}

bool tut_path_matches(tut_str entry, const char *rel)
{
    char pattern[1024];
    if (tut_path_covers(entry, rel))
        return true;
    if (entry.len >= sizeof(pattern))
        return false;
    tut_str_copy(pattern, sizeof(pattern), entry);
    return fnmatch(pattern, rel, 0) == 0;
}

bool tut_path_is_ignored(const tut_system *system, const char *rel)
{
    for (size_t i = 0; system && i < system->ignore.count; i++)
        if (tut_path_matches(system->ignore.items[i], rel))
            return true;
    return false;
}

const tut_asset *tut_match_declared(const tut_system *system, const char *rel)
{
    if (!system)
        return NULL;
    size_t at = tut_match_longest(&system->by_path, rel);
    return at != SIZE_MAX ? &system->assets[at] : NULL;
}

static int compare_rel(const void *key, const void *item)
{
    const tut_found_file *file = item;
    return strcmp(key, file->rel);
}

size_t tut_match_find(const tut_found_file *files, size_t count, const char *rel)
{
    const tut_found_file *hit = count ? bsearch(rel, files, count, sizeof(*files), compare_rel)
                                      : NULL;
    return hit ? (size_t)(hit - files) : SIZE_MAX;
}

bool tut_match_resolve(const char *from, const char *name, char *to, size_t cap)
{
    const char *slash = strrchr(from, '/');
    size_t base = slash ? (size_t)(slash - from) : 0;
    size_t out = 0;
    if (base + 2 > cap)
        return false;
    memcpy(to, from, base);
    out = base;
    for (const char *at = name; *at;) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            if (out == 0)
                return false; /* above the root */
            while (out > 0 && to[--out] != '/') {
            }
        } else if (n > 0 && !(n == 1 && at[0] == '.')) {
            if (out + n + 2 > cap)
                return false;
            if (out > 0)
                to[out++] = '/';
            memcpy(to + out, at, n);
            out += n;
        }
        at += n;
        at += *at == '/';
    }
    to[out] = '\0';
    return true;
}

size_t tut_match_reference(const tut_found_file *files, size_t count, const char *from,
                           const char *name)
{
    char path[4096];
    size_t at = SIZE_MAX;
    if (tut_match_resolve(from, name, path, sizeof(path)))
        at = tut_match_find(files, count, path);
    if (at == SIZE_MAX && tut_match_resolve("", name, path, sizeof(path)))
        at = tut_match_find(files, count, path);
    return at;
}

bool tut_match_is_detached(const tut_found_file *file)
{
    return file->format && file->format->is_detached;
}

/* Files are in byte order, so those of one top directory stand together. */
void tut_match_code_dirs(const tut_found_file *files, size_t count, size_t *lengths)
{
    for (size_t first = 0, end; first < count; first = end) {
        const char *slash = strchr(files[first].rel, '/');
        size_t len = slash ? (size_t)(slash - files[first].rel) : 0;
        bool is_code = false;
        bool is_other = !slash;
        for (end = first; end < count; end++) {
            if (end > first && (!slash || strncmp(files[end].rel, files[first].rel, len + 1) != 0))
                break;
            tut_asset_kind kind = files[end].format ? files[end].format->kind : TUT_KIND_NONE;
            is_code |= kind == TUT_KIND_CODE;
            is_other |= kind != TUT_KIND_CODE && kind != TUT_KIND_NONE;
        }
        for (size_t i = first; i < end; i++)
            lengths[i] = is_code && !is_other ? len : 0;
    }
}

/* Is `rel` in the folder of `index`, or below it? An index leads nothing else. */
static bool is_beside(const char *index, const char *rel)
{
    const char *slash = strrchr(index, '/');
    return !slash || strncmp(index, rel, (size_t)(slash + 1 - index)) == 0;
}

static void lead_shards(const tut_found_file *files, size_t count, size_t *leader)
{
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < files[i].fact_count; f++) {
            if (strcmp(files[i].fact_keys[f], "refers.shard") != 0)
                continue;
            size_t shard = tut_match_reference(files, count, files[i].rel, files[i].fact_values[f]);
            if (shard != SIZE_MAX && shard != i && leader[shard] == shard &&
                is_beside(files[i].rel, files[shard].rel))
                leader[shard] = i;
        }
    /* An index may itself be led: follow to the top, bounded so that a ring of references ends. */
    for (size_t i = 0; i < count; i++) {
        size_t top = leader[i];
        for (int hops = 0; hops < 8 && leader[top] != top; hops++)
            top = leader[top];
        leader[i] = leader[top] == top ? top : i;
    }
}

/* All files of a code directory belong to its first file of code. */
static void lead_directory(const tut_found_file *files, size_t from, size_t end, size_t *leader)
{
    size_t first = from;
    while (first < end && (leader[first] != first || tut_match_is_detached(&files[first]) ||
                           !files[first].format || files[first].format->kind != TUT_KIND_CODE))
        first++;
    for (size_t i = from; i < end && first < end; i++)
        if (leader[i] == i && !tut_match_is_detached(&files[i]))
            leader[i] = first;
}

void tut_match_groups(const tut_found_file *files, size_t count, const size_t *code_dirs,
                      size_t *leader)
{
    for (size_t i = 0; i < count; i++)
        leader[i] = i;
    lead_shards(files, count, leader);
    for (size_t i = 0, end; i < count; i = end) {
        end = i + 1;
        while (code_dirs[i] && end < count && code_dirs[end] == code_dirs[i] &&
               memcmp(files[end].rel, files[i].rel, code_dirs[i] + 1) == 0)
            end++;
        if (code_dirs[i])
            lead_directory(files, i, end, leader);
    }
}

static int compare_members(const void *a, const void *b)
{
    const tut_found_file *const *x = a;
    const tut_found_file *const *y = b;
    return strcmp((*x)->rel, (*y)->rel);
}

tut_status tut_match_digest(const tut_found_file *const *members, size_t count, bool *ret_has,
                            tut_sha256 *ret_digest, tut_error *err)
{
    *ret_has = false;
    for (size_t i = 0; i < count; i++)
        if (!members[i]->has_digest)
            return TUT_SUCCESS;
    if (count == 0)
        return TUT_SUCCESS;
    if (count == 1) {
        *ret_digest = members[0]->digest;
        *ret_has = true;
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE const tut_found_file **ordered = tut_alloc_array(count, sizeof(*ordered));
    if (!ordered)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memcpy(ordered, members, count * sizeof(*ordered));
    qsort(ordered, count, sizeof(*ordered), compare_members);
    TUT_CLEAN(tut_buf) lines = TUT_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&ordered[i]->digest, hex);
        tut_buf_printf(&lines, "%s  %s\n", hex, ordered[i]->rel);
    }
    TUT_TRY(tut_buf_check(&lines, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&lines), ret_digest, err));
    *ret_has = true;
    return TUT_SUCCESS;
}
