#include "formats/torch_legacy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "formats/pickle_call.h"
#include "formats/pickle_stream.h"

static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

void tut_plegacy_done(tut_plegacy *l)
{
    tut_free(l->items);
    *l = (tut_plegacy){0};
}

bool tut_plegacy_is_magic(const tut_pmachine *m, tut_pval v)
{
    if (tut_pv_type(&m->heap, v) != TUT_PVAL_INT || !(tut_pv_flags(&m->heap, v) & TUT_PNODE_BIG))
        return false;
    bool is_cut;
    tut_str bytes = tut_pv_text_head(&m->heap, v, &is_cut);
    size_t len = bytes.len;
    while (len > sizeof magic && bytes.data[len - 1] == 0)
        len--; /* as the loader compares numbers, not bytes */
    return !is_cut && len == sizeof magic && memcmp(bytes.data, magic, len) == 0;
}

typedef struct element {
    const char *type;
    uint32_t bytes;
    const char *dtype;
} element;

static const element elements[] = {
    {"FloatStorage", 4, "F32"},        {"DoubleStorage", 8, "F64"},
    {"HalfStorage", 2, "F16"},         {"BFloat16Storage", 2, "BF16"},
    {"LongStorage", 8, "I64"},         {"IntStorage", 4, "I32"},
    {"ShortStorage", 2, "I16"},        {"CharStorage", 1, "I8"},
    {"ByteStorage", 1, "U8"},          {"BoolStorage", 1, "BOOL"},
    {"ComplexFloatStorage", 8, "C64"}, {"ComplexDoubleStorage", 16, "C128"},
    {"QUInt8Storage", 1, "U8"},        {"QInt8Storage", 1, "I8"},
    {"QInt32Storage", 4, "I32"},       {"QUInt4x2Storage", 1, "U4"},
    {"QUInt2x4Storage", 1, "U2"},      {"UntypedStorage", 1, "bytes"},
};

static const element *element_of(const tut_pmachine *m, tut_pval type)
{
    static const element unknown = {"", 0, NULL};
    tut_pnames names;
    tut_pcall_names(m, type, &names);
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        if (tut_str_eq_z(names.name, elements[i].type))
            return &elements[i];
    }
    return &unknown;
}

/* FNV-1a: two keys of one hash only make the file look inconsistent, which is reported. */
static bool hash_key(const tut_pmachine *m, tut_pval v, uint64_t *ret)
{
    tut_str text;
    if (!tut_pv_get_text(&m->heap, v, tut_pv_type(&m->heap, v), &text))
        return false;
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * 0x100000001b3ull;
    *ret = hash;
    return true;
}

tut_status tut_plegacy_note(tut_pmachine *m, tut_pval id)
{
    tut_plegacy *l = m->legacy;
    tut_plegacy_storage storage;
    int64_t count;
    tut_str kind;
    tut_pval first = tut_pv_item(&m->heap, id, 0);
    if (!tut_pv_get_text(&m->heap, first, tut_pv_type(&m->heap, first), &kind) ||
        !tut_str_eq_z(kind, "storage") ||
        !hash_key(m, tut_pv_item(&m->heap, id, 2), &storage.key) ||
        !tut_pv_get_int(&m->heap, tut_pv_item(&m->heap, id, 4), &count) || count < 0)
        return TUT_SUCCESS;
    if (l->count >= (size_t)TUT_LIMIT_ZIP_MEMBERS * 4) {
        l->is_cut = true;
        return TUT_SUCCESS;
    }
    storage.count = (uint64_t)count;
    const element *e = element_of(m, tut_pv_item(&m->heap, id, 1));
    storage.element_bytes = e->bytes;
    storage.dtype = e->dtype;
    TUT_TRY(tut_grow(&l->items, l->count, &l->capacity, sizeof *l->items));
    l->items[l->count++] = storage;
    return TUT_SUCCESS;
}

static int compare_storages(const void *a, const void *b)
{
    const tut_plegacy_storage *left = a, *right = b;
    return left->key < right->key ? -1 : left->key > right->key;
}

static const tut_plegacy_storage *find(const tut_plegacy *l, uint64_t key)
{
    tut_plegacy_storage wanted = {.key = key};
    return l->count ? bsearch(&wanted, l->items, l->count, sizeof *l->items, compare_storages)
                    : NULL;
}

static void tell_tensor(const tut_pmachine *m, const tut_plegacy_storage *storage, tut_pval key,
                        uint64_t begin, uint64_t bytes)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    tut_str text = TUT_LIT("");
    if (!m->x || m->is_candidate || !m->x->ops->tensor || !m->x->source || !storage->dtype)
        return;
    (void)tut_pv_get_text(&m->heap, key, tut_pv_type(&m->heap, key), &text);
    tut_buf_printf(&name, "storage %.*s", (int)(text.len < 64 ? text.len : 64), text.data);
    tut_buf_printf(&shape, "[%" PRIu64 "]", storage->count);
    const tut_tensor told = {.name = tut_buf_str(&name),
                             .dtype = storage->dtype,
                             .shape = tut_buf_str(&shape),
                             .begin = begin,
                             .end = begin + bytes};
    m->x->ops->tensor(m->x->ctx, &told);
}

/* One storage: its count, then its bytes. */
static tut_status skip_storage(tut_plegacy *l, tut_pmachine *m, tut_pval key, bool *ret_ok)
{
    uint64_t hash, count, bytes;
    m->op_at = tut_pm_pos(m);
    const tut_plegacy_storage *storage = hash_key(m, key, &hash) ? find(l, hash) : NULL;
    if (!storage || storage->element_bytes == 0) {
        if (!l->is_cut)
            tut_pm_observe(m, "pickle.legacy-storage",
                           "the list of storages names one that the object does not");
        return TUT_SUCCESS;
    }
    if (!tut_pinput_uint(m->in, 8, &count)) {
        tut_pm_observe(m, "pickle.truncated", "the data ends before its storages do");
        return (tut_status){TUT_TRUNCATED};
    }
    if (count != storage->count || count > INT64_MAX ||
        __builtin_mul_overflow(count, storage->element_bytes, &bytes)) {
        tut_pm_observe(m, "pickle.legacy-storage",
                       "a storage of %" PRIu64 " elements says that it has %" PRIu64,
                       storage->count, count);
        return TUT_SUCCESS;
    }
    uint64_t begin = tut_pm_pos(m);
    if (!tut_pinput_skip(m->in, bytes)) {
        tut_pm_observe(m, "pickle.truncated", "the data ends inside a storage of %" PRIu64 " bytes",
                       bytes);
        return (tut_status){TUT_TRUNCATED};
    }
    tell_tensor(m, storage, key, begin, bytes);
    *ret_ok = true;
    return TUT_SUCCESS;
}

tut_status tut_plegacy_skip(tut_plegacy *l, tut_pmachine *m, tut_pval keys, bool *ret_ok)
{
    size_t count;
    bool is_whole;
    const tut_pval *items = tut_pv_items(&m->heap, keys, &count, &is_whole);
    if (l->count)
        qsort(l->items, l->count, sizeof *l->items, compare_storages);
    *ret_ok = is_whole;
    for (size_t i = 0; i < count; i++) {
        bool is_sound = false;
        TUT_TRY(skip_storage(l, m, items[i], &is_sound));
        if (!is_sound) {
            *ret_ok = false;
            return TUT_SUCCESS;
        }
    }
    return TUT_SUCCESS;
}

/* --- the format's row --- */

static tut_match sniff_legacy(const tut_sniff *s)
{
    /* PROTO n, from protocol 4 on FRAME and its length, LONG1 of ten bytes, STOP. */
    if (s->head.len < 2 || s->head.data[0] != 0x80 || s->head.data[1] > 5)
        return TUT_MATCH_NONE;
    size_t at = 2;
    if (s->head.len > at + 9 && s->head.data[at] == 0x95)
        at += 9;
    bool is_magic = s->head.len >= at + 2 + sizeof magic && s->head.data[at] == 0x8a &&
                    s->head.data[at + 1] == sizeof magic &&
                    memcmp(s->head.data + at + 2, magic, sizeof magic) == 0;
    return is_magic ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

extern const tut_format tut_format_torch_legacy;
const tut_format tut_format_torch_legacy = {
    .name = "torch-legacy",
    .label = "PyTorch (before 1.6)",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_legacy,
    .examine = tut_pstream_examine,
    .extensions = ".pt .pth .bin .ckpt .pkl .tar .th .t7 .model",
    .reads = "all five streams and what follows them, sizes of storages",
    .rules = "pickle torch data",
};
