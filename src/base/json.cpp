/*
 * JSON reading and the shortest digits of a double: the two things for which C++ has the parts.
 * simdjson parses and checks the whole text; our walk copies its tape, breadth first, into an array
 * in which the children of each container lie side by side. Nothing here throws.
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
    tut_json_value *nodes;
    uint32_t count;
    uint32_t duplicates;
    tut_str first_duplicate;
    uint8_t *strings; /* simdjson's, which keys and text point into */
};

namespace
{

struct hashed_key {
    uint64_t hash;
    uint32_t index;
};

struct walk {
    tut_json_doc *doc;
    dom::element *elements; /* beside doc->nodes */
    size_t capacity;
    size_t expected; /* values, from the size of the text */
    hashed_key *keys;
    size_t key_capacity;
    bool allow_duplicates;
    tut_error *err;
};

struct walk_guard {
    walk *w;
    ~walk_guard()
    {
        tut_free(w->elements);
        tut_free(w->keys);
        tut_json_doc_free(w->doc);
    }
};

tut_str view(std::string_view s)
{
    return {s.data(), s.size()};
}

tut_status reserve(walk *w, size_t more)
{
    size_t needed = w->doc->count + more;
    if (needed > TUT_LIMIT_JSON_NODES)
        return tut_fail(w->err, TUT_LIMIT, "the JSON holds more than %u values",
                        TUT_LIMIT_JSON_NODES);
    if (needed <= w->capacity)
        return TUT_SUCCESS;
    size_t capacity = std::max(needed, w->capacity ? w->capacity * 2 : w->expected);
    void *nodes = tut_realloc_array(w->doc->nodes, capacity, sizeof *w->doc->nodes);
    if (!nodes)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    w->doc->nodes = static_cast<tut_json_value *>(nodes);
    void *elements = tut_realloc_array(w->elements, capacity, sizeof *w->elements);
    if (!elements)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    w->elements = static_cast<dom::element *>(elements);
    w->capacity = capacity;
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
    w->doc->nodes[w->doc->count] = shallow(e, key);
    w->elements[w->doc->count] = e;
    w->doc->count++;
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
    if (w->doc->duplicates++ == 0)
        w->doc->first_duplicate = key;
}

void find_duplicates_small(walk *w, const tut_json_value *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (tut_str_eq(items[i].key, items[k].key)) {
                note_duplicate(w, items[i].key);
                break;
            }
        }
    }
}

/* Sorted by hash, key, place: the work stays n log n whatever keys an adversary chooses. */
tut_status find_duplicates_large(walk *w, const tut_json_value *items, uint32_t count)
{
    if (count > w->key_capacity) {
        void *keys = tut_realloc_array(w->keys, count, sizeof *w->keys);
        if (!keys)
            return tut_fail(w->err, TUT_NOMEM, "memory ran out");
        w->keys = static_cast<hashed_key *>(keys);
        w->key_capacity = count;
    }
    for (uint32_t i = 0; i < count; i++)
        w->keys[i] = {hash_of(items[i].key), i};
    std::sort(w->keys, w->keys + count, [items](const hashed_key &a, const hashed_key &b) {
        if (a.hash != b.hash)
            return a.hash < b.hash;
        int order = tut_str_cmp(items[a.index].key, items[b.index].key);
        return order != 0 ? order < 0 : a.index < b.index;
    });
    uint32_t found = 0;
    uint32_t first = count;
    for (uint32_t i = 1; i < count; i++) {
        if (w->keys[i].hash != w->keys[i - 1].hash ||
            !tut_str_eq(items[w->keys[i].index].key, items[w->keys[i - 1].index].key))
            continue;
        found++;
        first = std::min(first, w->keys[i].index);
    }
    if (found > 0) {
        note_duplicate(w, items[first].key);
        w->doc->duplicates += found - 1;
    }
    return TUT_SUCCESS;
}

tut_status check_duplicates(walk *w, uint32_t first, uint32_t count)
{
    const tut_json_value *items = w->doc->nodes + first;
    if (count <= 16)
        find_duplicates_small(w, items, count);
    else
        TUT_TRY(find_duplicates_large(w, items, count));
    if (w->doc->duplicates == 0 || w->allow_duplicates)
        return TUT_SUCCESS;
    char name[128];
    tut_buf shown = {};
    tut_buf_add_escaped(&shown, w->doc->first_duplicate, 64);
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
    for (uint32_t i = 0; i < w->doc->count; i++) {
        if (i == level_end) {
            level++;
            level_end = w->doc->count;
        }
        if (level > max_depth && is_container(w->doc->nodes[i]))
            return too_deep(max_depth, w->err);
        uint32_t first = w->doc->count;
        uint32_t count = w->doc->nodes[i].count;
        dom::element parent = w->elements[i];
        dom::array array;
        dom::object object;
        if (w->doc->nodes[i].type == TUT_JSON_ARRAY && !parent.get(array)) {
            TUT_TRY(reserve(w, count));
            for (dom::element e : array)
                add(w, e, tut_str{nullptr, 0});
        }
        if (w->doc->nodes[i].type == TUT_JSON_OBJECT && !parent.get(object)) {
            TUT_TRY(reserve(w, count));
            for (dom::key_value_pair pair : object)
                add(w, pair.value, view(pair.key));
            TUT_TRY(check_duplicates(w, first, count));
        }
    }
    /* The array moves no more: each container's children follow those of the one before. */
    uint32_t next = 1;
    for (uint32_t i = 0; i < w->doc->count; i++) {
        tut_json_value *v = &w->doc->nodes[i];
        if (!is_container(*v))
            continue;
        v->as.items = v->count ? &w->doc->nodes[next] : nullptr;
        next += v->count;
    }
    return TUT_SUCCESS;
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

simdjson::error_code parse(dom::parser *parser, const uint8_t *padded, size_t len,
                           uint32_t max_depth, dom::element *ret_root)
{
    simdjson::error_code code = parser->allocate(len, static_cast<size_t>(max_depth) + 1);
    if (code)
        return code;
    return parser->parse(padded, len, false).get(*ret_root);
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

    tut_buf padded = {};
    walk w = {};
    walk_guard guard = {&w};
    w.err = err;
    w.expected = std::min<size_t>(text.len / 8, 1u << 16);
    w.allow_duplicates = options && options->allow_duplicates;
    w.doc = static_cast<tut_json_doc *>(tut_alloc_array(1, sizeof *w.doc));
    if (!w.doc)
        return tut_fail(err, TUT_NOMEM, "memory ran out");

    tut_status result = tut_json_pad(text, simdjson::SIMDJSON_PADDING, false, &padded);
    dom::parser parser;
    dom::element root;
    simdjson::error_code code = simdjson::MEMALLOC;
    if (tut_is_ok(result))
        code = parse(&parser, padded.data, padded.len - simdjson::SIMDJSON_PADDING, max_depth,
                     &root);
    if (code == simdjson::NUMBER_ERROR) {
        /* Perhaps only an integer beyond 64 bits: once more, with those made reals. */
        tut_buf_clear(&padded);
        result = tut_json_pad(text, simdjson::SIMDJSON_PADDING, true, &padded);
        code = simdjson::MEMALLOC;
        if (tut_is_ok(result))
            code = parse(&parser, padded.data, padded.len - simdjson::SIMDJSON_PADDING, max_depth,
                         &root);
    }
    tut_buf_done(&padded);
    if (code)
        return refuse(code, text, max_depth, err);

    TUT_TRY(copy_tree(&w, root, max_depth));
    w.doc->strings = parser.doc.string_buf.release();
    *ret_doc = w.doc;
    w.doc = nullptr;
    return TUT_SUCCESS;
}

extern "C" void tut_json_doc_free(tut_json_doc *doc)
{
    if (!doc)
        return;
    tut_free(doc->nodes);
    delete[] doc->strings;
    tut_free(doc);
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
