/*
 * The encodings of values:
 *
 *   PLAIN                    one after another; BOOLEAN as bits, BYTE_ARRAY as u32le length and
 * bytes (PLAIN|RLE)_DICTIONARY   width (one byte), then a hybrid of indices RLE u32le length, then
 * a hybrid of BOOLEAN DELTA_BINARY_PACKED      INT32, INT64 DELTA_LENGTH_BYTE_ARRAY  delta of
 * lengths, then the bytes of all DELTA_BYTE_ARRAY         delta of lengths that are shared with the
 * value before, then as above BYTE_STREAM_SPLIT        the first bytes of all values, the second
 * ones, ...
 */
#include "formats/parquet_internal.h"

static const char *const too_few = "a page holds fewer values than it says";
static const char *const odd_encoding = "values in an encoding that their type does not have";

/* --- opening --- */

static bool open_lengths(parquet_values *v, tut_span bytes, parquet_delta *d)
{
    const uint8_t *end;
    if (!parquet_delta_init(d, bytes) || !parquet_delta_end(d, &end))
        return false;
    v->at = end;
    return true;
}

static const char *open_delta(const parquet_column *c, parquet_values *v, tut_span bytes)
{
    static const char *const broken = "the lengths of a page's texts are broken";
    const tut_parquet_type type = c->leaf->type;
    if (v->encoding == PARQUET_DELTA_BINARY_PACKED) {
        if (type != TUT_PARQUET_INT32 && type != TUT_PARQUET_INT64)
            return odd_encoding;
        return parquet_delta_init(&v->lengths, bytes) ? NULL : "a page of deltas is broken";
    }
    bool is_bytes = type == TUT_PARQUET_BYTE_ARRAY ||
                    (type == TUT_PARQUET_FIXED && v->encoding == PARQUET_DELTA_BYTES);
    if (!is_bytes)
        return odd_encoding;
    if (v->encoding == PARQUET_DELTA_BYTES) {
        if (!open_lengths(v, bytes, &v->prefixes))
            return broken;
        bytes = tut_span_of(v->at, (size_t)(v->end - v->at));
    }
    return open_lengths(v, bytes, &v->lengths) ? NULL : broken;
}

static const char *open_indices(const parquet_column *c, parquet_values *v, tut_span bytes)
{
    if (!c->dictionary)
        return "values of a dictionary that is not there";
    if (bytes.len == 0) { /* a page of nulls */
        parquet_hybrid_init(&v->indices, bytes, 0);
        return NULL;
    }
    unsigned width = bytes.data[0];
    if (width > 32)
        return "indices of more than 32 bits";
    parquet_hybrid_init(&v->indices, tut_span_of(bytes.data + 1, bytes.len - 1), width);
    return NULL;
}

static const char *open_rle(const parquet_column *c, parquet_values *v, tut_span bytes)
{
    tut_reader r = tut_reader_of(bytes);
    uint32_t len = 0;
    if (c->leaf->type != TUT_PARQUET_BOOLEAN)
        return odd_encoding;
    if (bytes.len > 0 &&
        (!tut_is_ok(tut_reader_u32le(&r, &len)) || !tut_is_ok(tut_reader_bytes(&r, len, &bytes))))
        return too_few;
    parquet_hybrid_init(&v->indices, bytes, 1);
    return NULL;
}

static const char *open_split(const parquet_column *c, parquet_values *v, tut_span bytes)
{
    const size_t width = c->leaf->width;
    if (width == 0 || c->leaf->type == TUT_PARQUET_INT96)
        return odd_encoding;
    v->index = 0;
    v->count = bytes.len / width;
    return bytes.len % width == 0 ? NULL : "a page of split bytes is no multiple of its values";
}

void parquet_values_open(parquet_column *c, tut_span bytes, int32_t encoding,
                         const char **ret_trouble)
{
    parquet_values *v = &c->values;
    *v = (parquet_values){
        .encoding = (parquet_encoding)encoding, .at = bytes.data, .end = bytes.data + bytes.len};
    tut_buf_clear(&c->last);
    switch (encoding) {
    case PARQUET_PLAIN:
        *ret_trouble = NULL;
        return;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        *ret_trouble = open_indices(c, v, bytes);
        return;
    case PARQUET_RLE:
        *ret_trouble = open_rle(c, v, bytes);
        return;
    case PARQUET_DELTA_BINARY_PACKED:
    case PARQUET_DELTA_LENGTH:
    case PARQUET_DELTA_BYTES:
        *ret_trouble = open_delta(c, v, bytes);
        return;
    case PARQUET_SPLIT:
        *ret_trouble = open_split(c, v, bytes);
        return;
    case PARQUET_ALP:
        *ret_trouble = "values in the encoding ALP, which is not read";
        return;
    default:
        *ret_trouble = "values in an encoding that does not exist";
    }
}

/* --- taking --- */

static tut_status room(tut_parquet *p, size_t bytes, uint8_t **ret)
{
    tut_buf_clear(&p->fixed);
    *ret = tut_buf_extend(&p->fixed, bytes ? bytes : 1);
    return tut_buf_check(&p->fixed, NULL);
}

static tut_status take_bits(tut_parquet *p, parquet_values *v, size_t n, tut_parquet_run *run,
                            const char **ret_trouble)
{
    uint8_t *to;
    TUT_TRY(room(p, n, &to));
    if (n > (uint64_t)(v->end - v->at) * 8 - v->bit) {
        *ret_trouble = too_few;
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < n; i++, v->bit++)
        to[i] = v->at[v->bit >> 3] >> (v->bit & 7) & 1;
    run->fixed = to;
    return TUT_SUCCESS;
}

static void take_texts(tut_parquet *p, parquet_values *v, size_t n, tut_parquet_run *run,
                       const char **ret_trouble)
{
    const uint8_t *at = v->at, *end = v->end;
    for (size_t i = 0; i < n; i++) {
        uint32_t len;
        if (end - at < 4) {
            *ret_trouble = too_few;
            return;
        }
        memcpy(&len, at, 4);
        at += 4;
        if (len > (size_t)(end - at)) {
            *ret_trouble = "a text is longer than its page";
            return;
        }
        p->texts[i] = (tut_str){(const char *)at, len};
        at += len;
    }
    v->at = at;
    run->texts = p->texts;
}

static tut_status take_plain(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                             const char **ret_trouble)
{
    parquet_values *v = &c->values;
    const size_t width = c->leaf->width;
    if (c->leaf->type == TUT_PARQUET_BOOLEAN)
        return take_bits(p, v, n, run, ret_trouble);
    if (c->leaf->type == TUT_PARQUET_BYTE_ARRAY) {
        take_texts(p, v, n, run, ret_trouble);
        return TUT_SUCCESS;
    }
    if (n > (size_t)(v->end - v->at) / width) {
        *ret_trouble = too_few;
        return TUT_SUCCESS;
    }
    run->fixed = v->at;
    v->at += n * width;
    return TUT_SUCCESS;
}

static void take_indices(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                         const char **ret_trouble)
{
    uint32_t top = 0;
    if (!parquet_hybrid_take(&c->values.indices, p->indices, n)) {
        *ret_trouble = too_few;
        return;
    }
    for (size_t i = 0; i < n; i++)
        top = p->indices[i] > top ? p->indices[i] : top;
    if (n > 0 && top >= c->items) {
        *ret_trouble = "an index leads out of the dictionary";
        return;
    }
    run->indices = p->indices;
    run->dictionary = c->dictionary_number;
    run->items = c->items;
    run->texts = c->texts;
    run->fixed = c->texts ? NULL : c->dictionary->data;
}

static tut_status take_rle(tut_parquet *p, parquet_values *v, size_t n, tut_parquet_run *run,
                           const char **ret_trouble)
{
    uint8_t *to;
    TUT_TRY(room(p, n, &to));
    if (!parquet_hybrid_levels(&v->indices, to, n)) {
        *ret_trouble = too_few;
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < n; i++)
        to[i] &= 1;
    run->fixed = to;
    return TUT_SUCCESS;
}

static tut_status take_numbers(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                               const char **ret_trouble)
{
    uint8_t *to;
    if (!parquet_delta_take(&c->values.lengths, p->numbers, n)) {
        *ret_trouble = too_few;
        return TUT_SUCCESS;
    }
    if (c->leaf->type == TUT_PARQUET_INT64) {
        run->fixed = (const uint8_t *)p->numbers;
        return TUT_SUCCESS;
    }
    TUT_TRY(room(p, n * 4, &to));
    for (size_t i = 0; i < n; i++) {
        uint32_t low = (uint32_t)p->numbers[i];
        memcpy(to + 4 * i, &low, 4);
    }
    run->fixed = to;
    return TUT_SUCCESS;
}

static void take_delta_texts(tut_parquet *p, parquet_values *v, size_t n, tut_parquet_run *run,
                             const char **ret_trouble)
{
    if (!parquet_delta_take(&v->lengths, p->numbers, n)) {
        *ret_trouble = too_few;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (p->numbers[i] < 0 || p->numbers[i] > v->end - v->at) {
            *ret_trouble = "a text is longer than its page";
            return;
        }
        p->texts[i] = (tut_str){(const char *)v->at, (size_t)p->numbers[i]};
        v->at += p->numbers[i];
    }
    run->texts = p->texts;
}

/* Checks the lengths in prefixes and numbers (suffixes); the bytes of those that must be put
 * together. False: they cannot be. */
static bool joined_bytes(const tut_parquet *p, const parquet_column *c, size_t n, size_t *ret_bytes)
{
    size_t before = c->last.len, bytes = 0;
    int64_t left = c->values.end - c->values.at;
    for (size_t i = 0; i < n; i++) {
        int64_t prefix = p->prefixes[i], suffix = p->numbers[i];
        if (prefix < 0 || (uint64_t)prefix > before || suffix < 0 || suffix > left)
            return false;
        left -= suffix;
        before = (size_t)prefix + (size_t)suffix;
        if ((i == 0 || (prefix > 0 && suffix > 0)) && __builtin_add_overflow(bytes, before, &bytes))
            return false;
    }
    *ret_bytes = bytes;
    return true;
}

/* The first value is always put together, as what it begins with may go away; a value that is all
 * prefix or all suffix is not. */
static void join(tut_parquet *p, parquet_column *c, size_t n, uint8_t *to)
{
    parquet_values *v = &c->values;
    const char *before = (const char *)c->last.data;
    for (size_t i = 0; i < n; i++) {
        size_t prefix = (size_t)p->prefixes[i], suffix = (size_t)p->numbers[i];
        const char *text = (const char *)v->at;
        if (i == 0 || (prefix > 0 && suffix > 0)) {
            if (prefix > 0)
                memcpy(to, before, prefix);
            if (suffix > 0)
                memcpy(to + prefix, v->at, suffix);
            text = (const char *)to;
            to += prefix + suffix;
        } else if (prefix > 0) {
            text = before;
        }
        v->at += suffix;
        p->texts[i] = (tut_str){text, prefix + suffix};
        before = text;
    }
}

static tut_status take_joined(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                              const char **ret_trouble)
{
    size_t bytes = 0;
    parquet_values *v = &c->values;
    if (n == 0)
        return TUT_SUCCESS;
    if (!parquet_delta_take(&v->prefixes, p->prefixes, n) ||
        !parquet_delta_take(&v->lengths, p->numbers, n) || !joined_bytes(p, c, n, &bytes)) {
        *ret_trouble = "the lengths of a page's texts are broken";
        return TUT_SUCCESS;
    }
    parquet_block *b = parquet_block_new(p, bytes);
    if (!b) {
        *ret_trouble = "texts larger than the memory that there is for them";
        return TUT_SUCCESS;
    }
    b->next = p->retired;
    p->retired = b;
    join(p, c, n, b->data);
    tut_buf_clear(&c->last);
    tut_buf_add_str(&c->last, p->texts[n - 1]);
    run->texts = p->texts;
    return tut_buf_check(&c->last, NULL);
}

/* Texts of a FIXED column, one behind the other. */
static tut_status make_fixed(tut_parquet *p, size_t width, size_t n, tut_parquet_run *run,
                             const char **ret_trouble)
{
    uint8_t *to;
    for (size_t i = 0; i < n; i++) {
        if (p->texts[i].len != width) {
            *ret_trouble = "a value of another width than its column";
            return TUT_SUCCESS;
        }
    }
    TUT_TRY(room(p, n * width, &to));
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * width, p->texts[i].data, width);
    run->texts = NULL;
    run->fixed = to;
    return TUT_SUCCESS;
}

static tut_status take_split(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                             const char **ret_trouble)
{
    uint8_t *to;
    parquet_values *v = &c->values;
    const size_t width = c->leaf->width;
    if (n > v->count - v->index) {
        *ret_trouble = too_few;
        return TUT_SUCCESS;
    }
    TUT_TRY(room(p, n * width, &to));
    for (size_t k = 0; k < width; k++) {
        const uint8_t *from = v->at + k * v->count + v->index;
        for (size_t i = 0; i < n; i++)
            to[i * width + k] = from[i];
    }
    v->index += n;
    run->fixed = to;
    return TUT_SUCCESS;
}

tut_status parquet_values_take(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                               const char **ret_trouble)
{
    run->values = run->items = n;
    switch (c->values.encoding) {
    case PARQUET_PLAIN:
        return take_plain(p, c, n, run, ret_trouble);
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        take_indices(p, c, n, run, ret_trouble);
        return TUT_SUCCESS;
    case PARQUET_RLE:
        return take_rle(p, &c->values, n, run, ret_trouble);
    case PARQUET_DELTA_BINARY_PACKED:
        return take_numbers(p, c, n, run, ret_trouble);
    case PARQUET_DELTA_LENGTH:
        take_delta_texts(p, &c->values, n, run, ret_trouble);
        return TUT_SUCCESS;
    case PARQUET_DELTA_BYTES:
        TUT_TRY(take_joined(p, c, n, run, ret_trouble));
        if (c->leaf->type == TUT_PARQUET_FIXED && !*ret_trouble)
            return make_fixed(p, c->leaf->width, n, run, ret_trouble);
        return TUT_SUCCESS;
    case PARQUET_SPLIT:
        return take_split(p, c, n, run, ret_trouble);
    case PARQUET_BIT_PACKED:
    case PARQUET_ALP:
        break;
    }
    return (tut_status){TUT_BUG};
}

/* --- dictionary --- */

static const char *dictionary_texts(parquet_column *c, size_t count)
{
    const uint8_t *at = c->dictionary->data, *end = at + c->dictionary->len;
    for (size_t i = 0; i < count; i++) {
        uint32_t len;
        if (end - at < 4)
            return "the dictionary holds fewer values than it says";
        memcpy(&len, at, 4);
        at += 4;
        if (len > (size_t)(end - at))
            return "a text is longer than its dictionary";
        c->texts[i] = (tut_str){(const char *)at, len};
        at += len;
    }
    return NULL;
}

tut_status parquet_dictionary(tut_parquet *p, parquet_column *c, uint64_t count,
                              const char **ret_trouble)
{
    const bool is_text = c->leaf->type == TUT_PARQUET_BYTE_ARRAY;
    const size_t width = is_text ? 4 : c->leaf->width;
    *ret_trouble = NULL;
    if (width == 0)
        *ret_trouble = "a dictionary of booleans";
    else if (count > c->dictionary->len / width)
        *ret_trouble = "the dictionary holds fewer values than it says";
    if (!*ret_trouble && is_text && count > 0) {
        TUT_TRY(tut_budget_heap(p->budget, count * sizeof(*c->texts), NULL));
        c->texts = tut_alloc_array((size_t)count, sizeof(*c->texts));
        if (!c->texts) {
            tut_budget_heap_return(p->budget, count * sizeof(*c->texts));
            return (tut_status){TUT_NOMEM};
        }
        c->items = (size_t)count;
        *ret_trouble = dictionary_texts(c, (size_t)count);
    }
    c->items = (size_t)count;
    if (*ret_trouble) {
        tut_free(c->texts);
        tut_budget_heap_return(p->budget, c->texts ? count * sizeof(*c->texts) : 0);
        c->texts = NULL;
        c->items = 0;
        parquet_block_free(p, c->dictionary);
        c->dictionary = NULL;
    }
    return TUT_SUCCESS;
}
