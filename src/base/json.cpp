/*
 * JSON reading and the shortest digits of a double: the two things for which C++ has the parts.
 * simdjson parses and checks the whole text; our walk copies its tape, breadth first, into an array
 * in which the children of each container lie side by side. What the work needs is kept by each
 * thread for the next text, as long as it is small; the document is one block of its own. Nothing
 * here throws.
 */
#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstring>
#include <simdjson.h>

extern "C" { /* C headers that no other C++ file includes */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
}

#include "base/json.h"
#include "base/json_internal.h"
#include "base/limits.h"

namespace dom = simdjson::dom;

struct tut_json_doc {
    size_t size; /* of the block, that may be used again */
    uint32_t count;
    uint32_t duplicates;
    tut_str first_duplicate;
    tut_json_value nodes[1]; /* then the strings that keys and text point into */
};

namespace
{

struct hashed_key {
    uint64_t hash;
    uint32_t index;
};

struct scratch {
    dom::parser parser;
    tut_buf padded = {};
    tut_json_value *nodes = nullptr;
    dom::element *elements = nullptr; /* beside nodes */
    size_t capacity = 0;
    hashed_key *keys = nullptr;
    size_t key_capacity = 0;
    void *spares[2] = {}; /* blocks of documents */

    ~scratch()
    {
        clear();
    }
    void clear()
    {
        tut_buf_done(&padded);
        tut_free(nodes);
        tut_free(elements);
        tut_free(keys);
        for (void *&spare : spares) {
            tut_free(spare);
            spare = nullptr;
        }
        nodes = nullptr;
        elements = nullptr;
        keys = nullptr;
        capacity = key_capacity = 0;
    }
};

thread_local scratch kept;

enum { KEPT_BYTES = 256 << 10, KEPT_NODES = 16 << 10 }; /* what took more is given back */

struct scratch_guard {
    size_t text_len;
    ~scratch_guard()
    {
        if (text_len <= KEPT_BYTES && kept.capacity <= KEPT_NODES)
            return;
        kept.clear();
        kept.parser = dom::parser();
    }
};

struct walk {
    scratch *s;
    uint32_t count; /* of nodes */
    uint32_t duplicates;
    tut_str first_duplicate;
    size_t expected; /* values, from the size of the text */
    bool allow_duplicates;
    tut_error *err;
};

tut_str view(std::string_view s)
{
    return {s.data(), s.size()};
}

tut_status reserve(walk *w, size_t more)
{
    scratch *s = w->s;
    size_t needed = w->count + more;
    if (needed > TUT_LIMIT_JSON_NODES)
        return tut_fail(w->err, TUT_LIMIT, "the JSON holds more than %u values",
                        TUT_LIMIT_JSON_NODES);
    if (needed <= s->capacity)
        return TUT_SUCCESS;
    size_t capacity = std::max(needed, s->capacity ? s->capacity * 2 : w->expected);
    void *nodes = tut_realloc_array(s->nodes, capacity, sizeof *s->nodes);
    if (!nodes)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    s->nodes = static_cast<tut_json_value *>(nodes);
    void *elements = tut_realloc_array(s->elements, capacity, sizeof *s->elements);
    if (!elements)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    s->elements = static_cast<dom::element *>(elements);
    s->capacity = capacity;
    return TUT_SUCCESS;
}

/* Everything of a value but its children. */
tut_json_value shallow(dom::element e, tut_str key)
{
    tut_json_value v = {};
    v.key = key;
    switch (e.type()) {
    case dom::element_type::ARRAY: {
        dom::array array;
        v.type = TUT_JSON_ARRAY;
        v.count = e.get(array) ? 0 : static_cast<uint32_t>(array.size());
        break;
    }
    case dom::element_type::OBJECT: {
        dom::object object;
        v.type = TUT_JSON_OBJECT;
        v.count = e.get(object) ? 0 : static_cast<uint32_t>(object.size());
        break;
    }
    case dom::element_type::INT64:
        v.type = e.get(v.as.integer) ? TUT_JSON_NULL : TUT_JSON_INT;
        break;
    case dom::element_type::UINT64:
        v.type = e.get(v.as.uinteger) ? TUT_JSON_NULL : TUT_JSON_UINT;
        break;
    case dom::element_type::DOUBLE:
        v.type = e.get(v.as.real) ? TUT_JSON_NULL : TUT_JSON_REAL;
        break;
    case dom::element_type::STRING: {
        std::string_view s;
        v.type = e.get(s) ? TUT_JSON_NULL : TUT_JSON_STRING;
        v.as.string = view(s);
        break;
    }
    case dom::element_type::BOOL:
        v.type = e.get(v.as.boolean) ? TUT_JSON_NULL : TUT_JSON_BOOL;
        break;
    case dom::element_type::NULL_VALUE:
        v.type = TUT_JSON_NULL;
        break;
    }
    return v;
}

void add(walk *w, dom::element e, tut_str key)
{
    w->s->nodes[w->count] = shallow(e, key);
    w->s->elements[w->count] = e;
    w->count++;
}

/* Need not resist an adversary: ties are settled by the bytes. */
uint64_t hash_of(tut_str s)
{
    uint64_t h = s.len;
    for (size_t i = 0; i < s.len; i += sizeof h) {
        uint64_t part = 0;
        std::memcpy(&part, s.data + i, std::min(sizeof part, s.len - i));
        h = (h ^ part) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
    }
    return h;
}

void note_duplicate(walk *w, tut_str key)
{
    if (w->duplicates++ == 0)
        w->first_duplicate = key;
}

enum { FEW_KEYS = 32 };

/* Keys that differ mostly do so in their length or their first bytes. */
void find_duplicates_small(walk *w, const tut_json_value *items, uint32_t count)
{
    uint64_t heads[FEW_KEYS];
    for (uint32_t i = 0; i < count; i++) {
        tut_str key = items[i].key;
        heads[i] = 0;
        std::memcpy(&heads[i], key.data, std::min(sizeof heads[i], key.len));
        heads[i] = (heads[i] ^ key.len) * 0x9E3779B97F4A7C15u;
        for (uint32_t k = 0; k < i; k++) {
            if (heads[i] == heads[k] && tut_str_eq(items[i].key, items[k].key)) {
                note_duplicate(w, items[i].key);
                break;
            }
        }
    }
}

/* Sorted by hash, key, place: the work stays n log n whatever keys an adversary chooses. */
tut_status find_duplicates_large(walk *w, const tut_json_value *items, uint32_t count)
{
    if (count > w->s->key_capacity) {
        void *grown = tut_realloc_array(w->s->keys, count, sizeof *w->s->keys);
        if (!grown)
            return tut_fail(w->err, TUT_NOMEM, "memory ran out");
        w->s->keys = static_cast<hashed_key *>(grown);
        w->s->key_capacity = count;
    }
    hashed_key *keys = w->s->keys;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = {hash_of(items[i].key), i};
    std::sort(keys, keys + count, [items](const hashed_key &a, const hashed_key &b) {
        if (a.hash != b.hash)
            return a.hash < b.hash;
        int order = tut_str_cmp(items[a.index].key, items[b.index].key);
        return order != 0 ? order < 0 : a.index < b.index;
    });
    uint32_t found = 0;
    uint32_t first = count;
    for (uint32_t i = 1; i < count; i++) {
        if (keys[i].hash != keys[i - 1].hash ||
            !tut_str_eq(items[keys[i].index].key, items[keys[i - 1].index].key))
            continue;
        found++;
        first = std::min(first, keys[i].index);
    }
    if (found > 0) {
        note_duplicate(w, items[first].key);
        w->duplicates += found - 1;
    }
    return TUT_SUCCESS;
}

tut_status check_duplicates(walk *w, uint32_t first, uint32_t count)
{
    const tut_json_value *items = w->s->nodes + first;
    if (count <= FEW_KEYS)
        find_duplicates_small(w, items, count);
    else
        TUT_TRY(find_duplicates_large(w, items, count));
    if (w->duplicates == 0 || w->allow_duplicates)
        return TUT_SUCCESS;
    char name[128];
    tut_buf shown = {};
    tut_buf_add_escaped(&shown, w->first_duplicate, 64);
    tut_str_copy(name, sizeof name, tut_buf_str(&shown));
    tut_buf_done(&shown);
    return tut_fail(w->err, TUT_MALFORMED, "the key \"%s\" occurs twice in one object", name);
}

tut_status too_deep(uint32_t max_depth, tut_error *err)
{
    return tut_fail(err, TUT_LIMIT, "the JSON is nested deeper than %u levels", max_depth);
}

bool is_container(const tut_json_value &v)
{
    return v.type == TUT_JSON_ARRAY || v.type == TUT_JSON_OBJECT;
}

/* simdjson does not count an empty container as a level; we do. Breadth first, levels follow one
 * another. */
tut_status copy_tree(walk *w, dom::element root, uint32_t max_depth)
{
    uint32_t level = 1;
    uint32_t level_end = 1;
    TUT_TRY(reserve(w, 1));
    add(w, root, tut_str{nullptr, 0});
    for (uint32_t i = 0; i < w->count; i++) {
        if (i == level_end) {
            level++;
            level_end = w->count;
        }
        if (level > max_depth && is_container(w->s->nodes[i]))
            return too_deep(max_depth, w->err);
        uint32_t first = w->count;
        uint32_t count = w->s->nodes[i].count;
        dom::element parent = w->s->elements[i];
        dom::array array;
        dom::object object;
        if (w->s->nodes[i].type == TUT_JSON_ARRAY && !parent.get(array)) {
            TUT_TRY(reserve(w, count));
            for (dom::element e : array)
                add(w, e, tut_str{nullptr, 0});
        }
        if (w->s->nodes[i].type == TUT_JSON_OBJECT && !parent.get(object)) {
            TUT_TRY(reserve(w, count));
            for (dom::key_value_pair pair : object)
                add(w, pair.value, view(pair.key));
            TUT_TRY(check_duplicates(w, first, count));
        }
    }
    return TUT_SUCCESS;
}

/* How much of simdjson's strings was used; they lie side by side, each with a NUL behind it. */
size_t used_strings(const walk *w, const uint8_t *strings)
{
    uintptr_t from = reinterpret_cast<uintptr_t>(strings), end = from;
    for (uint32_t i = 0; i < w->count; i++) {
        const tut_json_value *v = &w->s->nodes[i];
        if (v->key.data)
            end = std::max(end, reinterpret_cast<uintptr_t>(v->key.data) + v->key.len + 1);
        if (v->type == TUT_JSON_STRING)
            end = std::max(end,
                           reinterpret_cast<uintptr_t>(v->as.string.data) + v->as.string.len + 1);
    }
    return end - from;
}

tut_str moved(tut_str s, const uint8_t *from, const char *to)
{
    if (s.data)
        s.data = to + (reinterpret_cast<const uint8_t *>(s.data) - from);
    return s;
}

enum { SPARE_BYTES = 4 << 10 }; /* of most documents of a service; at most */

tut_json_doc *take_block(scratch *s, size_t size)
{
    void *none = nullptr, **spare = &none;
    for (void *&kept_one : s->spares)
        if (kept_one && static_cast<tut_json_doc *>(kept_one)->size >= size)
            spare = &kept_one;
    size_t had = *spare ? static_cast<tut_json_doc *>(*spare)->size : size;
    tut_json_doc *doc = static_cast<tut_json_doc *>(tut_spare_take(spare, size));
    if (doc)
        doc->size = had;
    return doc;
}

/* The document in one block: its values, and then its strings. */
tut_json_doc *make_doc(const walk *w, const uint8_t *strings)
{
    size_t used = used_strings(w, strings);
    size_t head = offsetof(tut_json_doc, nodes) + w->count * sizeof(tut_json_value);
    tut_json_doc *doc = take_block(w->s, head + used);
    if (!doc)
        return nullptr;
    char *text = reinterpret_cast<char *>(doc) + head;
    doc->count = w->count;
    doc->duplicates = w->duplicates;
    doc->first_duplicate = moved(w->first_duplicate, strings, text);
    if (used)
        std::memcpy(text, strings, used);
    /* Each container's children follow those of the one before. */
    tut_json_value *nodes = doc->nodes;
    uint32_t next = 1;
    for (uint32_t i = 0; i < w->count; i++) {
        tut_json_value v = w->s->nodes[i];
        v.key = moved(v.key, strings, text);
        if (v.type == TUT_JSON_STRING)
            v.as.string = moved(v.as.string, strings, text);
        if (is_container(v)) {
            v.as.items = v.count ? nodes + next : nullptr;
            next += v.count;
        }
        nodes[i] = v;
    }
    return doc;
}

tut_status refuse(simdjson::error_code code, tut_span text, uint32_t max_depth, tut_error *err)
{
    if (code == simdjson::MEMALLOC)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (code == simdjson::CAPACITY)
        return tut_fail(err, TUT_LIMIT, "the JSON is larger than can be read");
    if (code == simdjson::DEPTH_ERROR)
        return too_deep(max_depth, err);
    const char *why = nullptr;
    size_t at = tut_json_locate(tut_str_from(text), &why);
    if (why)
        return tut_fail_at(err, TUT_MALFORMED, at, "no valid JSON: %s", why);
    if (code == simdjson::NUMBER_ERROR)
        return tut_fail(err, TUT_MALFORMED, "no valid JSON: a number is out of range");
    return tut_fail(err, TUT_MALFORMED, "no valid JSON: %s", simdjson::error_message(code));
}

simdjson::error_code parse(scratch *k, uint32_t max_depth, dom::element *ret_root)
{
    size_t len = k->padded.len - simdjson::SIMDJSON_PADDING;
    size_t depth = static_cast<size_t>(max_depth) + 1;
    if (k->parser.capacity() < len || k->parser.max_depth() != depth) {
        simdjson::error_code code = k->parser.allocate(std::max(len, k->parser.capacity()), depth);
        if (code)
            return code;
    }
    return k->parser.parse(k->padded.data, len, false).get(*ret_root);
}

} // namespace

extern "C" tut_status tut_json_parse(tut_span text, const tut_json_options *options,
                                     tut_json_doc **ret_doc, tut_error *err)
{
    uint32_t max_depth = options && options->max_depth ? options->max_depth
                                                       : uint32_t{TUT_LIMIT_JSON_DEPTH};
    if (text.len > TUT_LIMIT_JSON_BYTES)
        return tut_fail(err, TUT_LIMIT, "the JSON is larger than %u MB",
                        TUT_LIMIT_JSON_BYTES >> 20);
    if (text.len == 0)
        return tut_fail_at(err, TUT_MALFORMED, 0, "no valid JSON: the text is empty");

    scratch_guard guard = {text.len};
    walk w = {};
    w.s = &kept;
    w.err = err;
    w.expected = std::min<size_t>(text.len / 8, 1u << 16);
    w.allow_duplicates = options && options->allow_duplicates;

    tut_buf_clear(&kept.padded);
    tut_status result = tut_json_pad(text, simdjson::SIMDJSON_PADDING, false, &kept.padded);
    dom::element root;
    simdjson::error_code code = simdjson::MEMALLOC;
    if (tut_is_ok(result))
        code = parse(&kept, max_depth, &root);
    if (code == simdjson::NUMBER_ERROR) {
        /* Perhaps only an integer beyond 64 bits: once more, with those made reals. */
        tut_buf_clear(&kept.padded);
        result = tut_json_pad(text, simdjson::SIMDJSON_PADDING, true, &kept.padded);
        code = simdjson::MEMALLOC;
        if (tut_is_ok(result))
            code = parse(&kept, max_depth, &root);
    }
    if (code)
        return refuse(code, text, max_depth, err);

    TUT_TRY(copy_tree(&w, root, max_depth));
    tut_json_doc *doc = make_doc(&w, kept.parser.doc.string_buf.get());
    if (!doc)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_doc = doc;
    return TUT_SUCCESS;
}

extern "C" void tut_json_doc_free(tut_json_doc *doc)
{
    if (!doc || doc->size > SPARE_BYTES) {
        tut_free(doc);
        return;
    }
    void **least = &kept.spares[0];
    for (void *&spare : kept.spares) {
        if (!spare || (*least && static_cast<tut_json_doc *>(spare)->size <
                                     static_cast<tut_json_doc *>(*least)->size))
            least = &spare;
    }
    if (*least && static_cast<tut_json_doc *>(*least)->size < doc->size) {
        tut_free(*least);
        *least = nullptr;
    }
    tut_spare_give(least, doc);
}

extern "C" const tut_json_value *tut_json_root(const tut_json_doc *doc)
{
    return doc->nodes;
}

extern "C" uint32_t tut_json_duplicates(const tut_json_doc *doc, tut_str *ret_first)
{
    if (ret_first)
        *ret_first = doc->first_duplicate;
    return doc->duplicates;
}

extern "C" size_t tut_json_shortest(double v, char out[TUT_JSON_NUMBER_TEXT])
{
    std::to_chars_result r = std::to_chars(out, out + TUT_JSON_NUMBER_TEXT, v,
                                           std::chars_format::scientific);
    return static_cast<size_t>(r.ptr - out);
}
