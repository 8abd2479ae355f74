#include "data/vet_inputs.h"

#include <stdlib.h>
#include <string.h>

void tut_vet_inputs_done(tut_vet_inputs *in)
{
    tut_free(in->items);
    tut_free(in->files);
    tut_targets_done(&in->targets);
    tut_arena_done(&in->arena);
    tut_buf_done(&in->baseline);
    tut_chunks_done(&in->against);
}

static bool ends_with_one_of(tut_str name, const char *const *endings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(endings[i]);
        if (name.len > len &&
            tut_str_ieq((tut_str){name.data + name.len - len, len}, (tut_str){endings[i], len}))
            return true;
    }
    return false;
}

static tut_str without_packing(tut_str name)
{
    static const char *const packed[] = {".gz", ".zst", ".bz2", ".xz", ".lz4"};
    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
        if (ends_with_one_of(name, &packed[i], 1))
            name.len -= strlen(packed[i]);
    return name;
}

static bool is_text(const tut_target *t)
{
    static const char *const endings[] = {".txt", ".text", ".md", ".markdown", ".rst"};
    return ends_with_one_of(tut_str_of(t->path), endings, sizeof(endings) / sizeof(endings[0]));
}

static bool is_dataset(const tut_target *t)
{
    static const char *const endings[] = {".csv",   ".tsv",     ".tab", ".psv", ".jsonl", ".ndjson",
                                          ".json",  ".parquet", ".pq",  ".npy", ".npz",   ".idx",
                                          "-ubyte", ".data",    ".txt", ".md"};
    return ends_with_one_of(without_packing(tut_str_of(t->path)), endings,
                            sizeof(endings) / sizeof(endings[0]));
}

static tut_vet_input *add(tut_vet_inputs *in)
{
    if (in->count == in->capacity) {
        size_t capacity = in->capacity ? 2 * in->capacity : 16;
        tut_vet_input *more = tut_realloc_array(in->items, capacity, sizeof(*more));
        if (!more)
            return NULL;
        in->items = more;
        in->capacity = capacity;
    }
    tut_vet_input *made = &in->items[in->count++];
    *made = (tut_vet_input){0};
    return made;
}

static tut_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (tut_str){path, slash ? (size_t)(slash - path) : 0};
}

/* Texts of one folder stand together, in the order of their names. */
static int by_folder(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    int order = tut_str_cmp(folder_of(*left), folder_of(*right));
    return order ? order : strcmp(*left, *right);
}

static tut_status add_single(tut_vet_inputs *in, const char **file, tut_error *err)
{
    tut_vet_input *made = add(in);
    if (!made)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    made->files = file;
    made->file_count = 1;
    made->path = *file;
    made->split = tut_split_guess(*file);
    return TUT_SUCCESS;
}

/* files: of texts below walked roots. */
static tut_status add_folders(tut_vet_inputs *in, const char **files, size_t count, tut_error *err)
{
    qsort(files, count, sizeof(*files), by_folder);
    for (size_t at = 0, n; at < count; at += n) {
        tut_str folder = folder_of(files[at]);
        for (n = 1; at + n < count && tut_str_eq(folder_of(files[at + n]), folder); n++)
            ;
        TUT_TRY(add_single(in, files + at, err));
        tut_vet_input *made = &in->items[in->count - 1];
        made->file_count = n;
        if (n > 1)
            made->path = tut_arena_copy(&in->arena, folder);
        if (!made->path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

static bool is_named_labels(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strstr(slash ? slash + 1 : path, "labels") != NULL;
}

/* "train-images-idx3-ubyte" of "train-labels-idx1-ubyte": alike but for one word and one digit. */
static bool are_a_pair(const char *images, const char *labels)
{
    const char *at = strstr(images, "images");
    size_t before = at ? (size_t)(at - images) : 0;
    return at && strncmp(images, labels, before) == 0 &&
           strncmp(labels + before, "labels", 6) == 0 && strlen(images) == strlen(labels);
}

static void join_labels(tut_vet_inputs *in)
{
    for (size_t i = 0; i < in->count; i++) {
        const char *images = in->items[i].files[0];
        for (size_t k = 0; k < in->count && !in->items[i].labels; k++) {
            if (k == i || !is_named_labels(in->items[k].files[0]) ||
                !are_a_pair(images, in->items[k].files[0]))
                continue;
            in->items[i].labels = in->items[k].files[0];
            memmove(&in->items[k], &in->items[k + 1], (in->count - k - 1) * sizeof(in->items[0]));
            in->count--;
            if (k < i)
                i--;
        }
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const tut_vet_input *)a)->path, ((const tut_vet_input *)b)->path);
}

tut_status tut_vet_inputs_collect(const char *const *paths, size_t count,
                                  tut_vet_inputs *ret_inputs, tut_error *err)
{
    tut_vet_inputs *in = ret_inputs;
    *in = (tut_vet_inputs){0};
    tut_targets_init(&in->targets);
    tut_arena_init(&in->arena, 0);
    TUT_TRY(tut_targets_collect(&in->targets, paths, count, err));
    const tut_targets *t = &in->targets;
    in->files = tut_alloc_array(t->count + 1, sizeof(*in->files));
    if (!in->files)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t texts = 0, others = t->count; /* texts from the front, the rest from the back */
    for (size_t i = t->count; i-- > 0;) {
        const tut_target *target = &t->items[i];
        bool is_named = target->root == TUT_TARGET_DIRECT;
        if (!is_named && is_text(target) && !target->problem)
            in->files[texts++] = target->path;
        else if (is_named || is_dataset(target))
            in->files[--others] = target->path;
        else
            in->passed_over++;
    }
    TUT_TRY(add_folders(in, in->files, texts, err));
    for (size_t i = others; i < t->count; i++)
        TUT_TRY(add_single(in, in->files + i, err));
    join_labels(in);
    if (in->count > 0)
        qsort(in->items, in->count, sizeof(in->items[0]), by_path);
    return TUT_SUCCESS;
}
