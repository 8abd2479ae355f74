/*
 * The tree as bytes, and through the cage: a worker parses, the parent rebuilds the tree from a
 * reply that it does not trust.
 *
 *   reply = has_root u8, facts, count u32, node*
 *   facts = aliases u32, tags u32, documents u32, duplicate_keys u32, first_tag sized
 *   node  = type u8, quoted u8, has_key u8, line u32, column u32, start u32, end u32,
 *           key_line u32, key_column u32, count u32, first u32, next u32, text sized, key sized
 *
 * A parent's index is below its children's, and a child's below its next sibling's, so links that
 * grow, each node reached once, are a tree.
 */
#include "base/cage.h"
#include "base/jail.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/yaml_internal.h"

void tut_yaml_encode(const tut_yaml *y, tut_buf *out)
{
    tut_buf_add_byte(out, y->has_root);
    tut_buf_add_u32le(out, y->facts.aliases);
    tut_buf_add_u32le(out, y->facts.tags);
    tut_buf_add_u32le(out, y->facts.documents);
    tut_buf_add_u32le(out, y->facts.duplicate_keys);
    tut_buf_add_sized(out, tut_str_of(y->facts.first_tag));
    tut_buf_add_u32le(out, (uint32_t)y->count);
    for (size_t i = 0; i < y->count; i++) {
        const tut_yaml_node *n = &y->nodes[i];
        tut_buf_add_byte(out, (uint8_t)n->type);
        tut_buf_add_byte(out, n->is_quoted);
        tut_buf_add_byte(out, n->key.data != NULL);
        const uint32_t fields[] = {n->line,       n->column, n->start, n->end, n->key_line,
                                   n->key_column, n->count,  n->first, n->next};
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
            tut_buf_add_u32le(out, fields[k]);
        tut_buf_add_sized(out, n->text);
        tut_buf_add_sized(out, n->key);
    }
}

static tut_status malformed(tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "the worker's answer is damaged");
}

static tut_status read_flag(tut_reader *r, bool *ret_flag)
{
    uint8_t v;
    TUT_TRY(tut_reader_u8(r, &v));
    if (v > 1)
        return malformed(NULL);
    *ret_flag = v == 1;
    return TUT_SUCCESS;
}

static tut_status read_text(tut_reader *r, tut_yaml *y, tut_str *ret_text)
{
    tut_str text;
    TUT_TRY(tut_reader_sized(r, &text));
    if (!tut_utf8_valid(text))
        return malformed(NULL);
    return tut_yaml_keep(y, text, ret_text);
}

static tut_status read_facts(tut_reader *r, tut_yaml_facts *f)
{
    tut_str tag;
    TUT_TRY(tut_reader_u32le(r, &f->aliases));
    TUT_TRY(tut_reader_u32le(r, &f->tags));
    TUT_TRY(tut_reader_u32le(r, &f->documents));
    TUT_TRY(tut_reader_u32le(r, &f->duplicate_keys));
    TUT_TRY(tut_reader_sized(r, &tag));
    if (tag.len >= sizeof f->first_tag || memchr(tag.data, '\0', tag.len))
        return malformed(NULL);
    tut_str_copy(f->first_tag, sizeof f->first_tag, tag);
    return TUT_SUCCESS;
}

static tut_status read_node(tut_reader *r, tut_yaml *y)
{
    tut_yaml_node *n;
    uint8_t type;
    bool has_key;
    TUT_TRY(tut_yaml_add(y, &n, NULL));
    TUT_TRY(tut_reader_u8(r, &type));
    TUT_TRY(read_flag(r, &n->is_quoted));
    TUT_TRY(read_flag(r, &has_key));
    if (type > TUT_YAML_MAPPING)
        return malformed(NULL);
    n->type = (tut_yaml_type)type;
    uint32_t *const fields[] = {&n->line,       &n->column, &n->start, &n->end, &n->key_line,
                                &n->key_column, &n->count,  &n->first, &n->next};
    for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
        TUT_TRY(tut_reader_u32le(r, fields[k]));
    TUT_TRY(read_text(r, y, &n->text));
    TUT_TRY(read_text(r, y, &n->key));
    if (!has_key) {
        if (n->key.len > 0)
            return malformed(NULL);
        n->key = (tut_str){NULL, 0};
    }
    if (n->type != TUT_YAML_SCALAR && n->text.len == 0)
        n->text = (tut_str){NULL, 0};
    return TUT_SUCCESS;
}

static bool is_sound_alone(const tut_yaml *y, const tut_yaml_node *n, size_t index)
{
    bool is_scalar = n->type == TUT_YAML_SCALAR;
    if (n->start > n->end || n->end > y->source.len || n->line == 0 || n->column == 0)
        return false;
    if (n->line > y->source.len + 1 || n->column > y->source.len + 1 ||
        n->key_line > y->source.len + 1 || n->key_column > y->source.len + 1)
        return false;
    if (n->key.data && (n->key_line == 0 || n->key_column == 0))
        return false;
    if (is_scalar ? n->count > 0 || n->first : n->text.data || n->is_quoted)
        return false;
    if ((n->count == 0) != (n->first == 0) || (n->first && n->first <= index))
        return false;
    return n->next == 0 || (n->next > index && n->next < y->count);
}

/* Walks one node's children; each may be reached once only, one level below its parent. */
static bool claim_children(const tut_yaml *y, size_t index, uint8_t *depth)
{
    const tut_yaml_node *parent = &y->nodes[index];
    uint32_t seen = 0;
    for (uint32_t i = parent->first; i; i = y->nodes[i].next) {
        if (i <= index || i >= y->count || depth[i] != 0)
            return false;
        if (parent->type == TUT_YAML_SEQUENCE && y->nodes[i].key.data)
            return false;
        depth[i] = (uint8_t)(depth[index] + 1);
        seen++;
    }
    return seen == parent->count;
}

tut_status tut_yaml_check_tree(const tut_yaml *y, tut_error *err)
{
    if (y->count == 0)
        return y->has_root ? malformed(err) : TUT_SUCCESS;
    TUT_AUTO_FREE uint8_t *depth = tut_alloc_array(y->count, 1);
    if (!depth)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    depth[0] = 1;
    bool is_sound = y->has_root && y->nodes[0].next == 0 && !y->nodes[0].key.data;
    for (size_t i = 0; i < y->count && is_sound; i++)
        is_sound = depth[i] > 0 && is_sound_alone(y, &y->nodes[i], i) &&
                   (y->nodes[i].count == 0 || depth[i] <= TUT_LIMIT_YAML_DEPTH) &&
                   claim_children(y, i, depth);
    return is_sound ? TUT_SUCCESS : malformed(err);
}

static tut_status read_tree(tut_reader *r, tut_yaml *y)
{
    uint32_t count;
    TUT_TRY(read_flag(r, &y->has_root));
    TUT_TRY(read_facts(r, &y->facts));
    TUT_TRY(tut_reader_u32le(r, &count));
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_node(r, y));
    return tut_reader_left(r) > 0 ? malformed(NULL) : TUT_SUCCESS;
}

tut_status tut_yaml_decode(tut_str text, tut_span encoded, tut_yaml **ret_yaml, tut_error *err)
{
    TUT_AUTO(tut_yaml) y = NULL;
    TUT_TRY(tut_yaml_new(text, &y, err));
    tut_reader r = tut_reader_of(encoded);
    tut_status s = read_tree(&r, y);
    if (s.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(s))
        return malformed(err);
    TUT_TRY(tut_yaml_check_tree(y, err));
    *ret_yaml = tut_move(&y);
    return TUT_SUCCESS;
}

/* In the worker: the first byte says whether leniently. */
static tut_status parse_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    (void)task;
    (void)bytes;
    TUT_AUTO(tut_yaml) y = NULL;
    tut_reader r = tut_reader_of(argument);
    uint8_t is_lenient;
    TUT_TRY(tut_reader_u8(&r, &is_lenient));
    const tut_str text = {(const char *)argument.data + 1, argument.len - 1};
    TUT_TRY(tut_yaml_parse(text, is_lenient != 0, &y, err));
    tut_yaml_encode(y, out);
    return TUT_SUCCESS;
}

static tut_status parse_caged(tut_str text, bool is_lenient, tut_yaml **ret_yaml, tut_error *err)
{
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    if (tut_jail_is_entered())
        return tut_yaml_parse(text, is_lenient, ret_yaml, err);
    if (text.len > TUT_LIMIT_YAML_BYTES)
        return tut_fail(err, TUT_LIMIT, "the YAML is larger than %u MB",
                        TUT_LIMIT_YAML_BYTES >> 20);
    TUT_CLEAN(tut_buf) reply;
    tut_buf_init(&reply, TUT_LIMIT_REPLY_BYTES);
    const tut_cage_options options = {.mode = TUT_CAGE_AUTO, .workers = 1};
    tut_buf_add_byte(&argument, is_lenient);
    tut_buf_add_str(&argument, text);
    TUT_TRY(tut_buf_check(&argument, err));
    TUT_TRY(tut_cage_call(parse_job, &options, -1, tut_buf_span(&argument), &reply, err));
    return tut_yaml_decode(text, tut_buf_span(&reply), ret_yaml, err);
}

tut_status tut_yaml_parse_caged(tut_str text, tut_yaml **ret_yaml, tut_error *err)
{
    return parse_caged(text, false, ret_yaml, err);
}

tut_status tut_yaml_parse_caged_lenient(tut_str text, tut_yaml **ret_yaml, tut_error *err)
{
    return parse_caged(text, true, ret_yaml, err);
}
