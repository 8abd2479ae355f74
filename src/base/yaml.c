/*
 * libyaml's events become one flat array of nodes: no recursion, and depth, size and number of
 * nodes are bounded. libyaml's marks count characters; places are turned into bytes by walking
 * beside them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/yaml_internal.h"

enum { NAME_MAX_CHARS = 48 };

typedef struct frame {
    uint32_t node;
    uint32_t last; /* child, 0: none yet */
    bool is_flow;
    bool has_key; /* mapping: a key was read, its value is due */
    tut_str key;
    uint32_t key_line, key_column;
} frame;

typedef struct place {
    uint32_t at, line, column;
} place;

typedef struct builder {
    tut_yaml *y;
    bool is_lenient;
    tut_error *err;
    yaml_parser_t parser;
    size_t chars, bytes; /* the walk beside libyaml's marks */
    uint32_t *lines;     /* byte offsets at which lines begin */
    size_t line_count, line_capacity;
    frame frames[TUT_LIMIT_YAML_DEPTH];
    size_t depth;
    uint32_t *keys; /* scratch for finding duplicates */
    size_t key_capacity;
} builder;

static tut_status find_lines(builder *b)
{
    tut_str s = b->y->source;
    size_t at = 0;
    do {
        TUT_TRY(tut_grow(&b->lines, b->line_count, &b->line_capacity, sizeof *b->lines));
        b->lines[b->line_count++] = (uint32_t)at;
        while (at < s.len && s.data[at] != '\n' && s.data[at] != '\r')
            at++;
        if (at < s.len && s.data[at] == '\r' && at + 1 < s.len && s.data[at + 1] == '\n')
            at++;
    } while (at++ < s.len);
    return TUT_SUCCESS;
}

static place place_of_byte(const builder *b, size_t at)
{
    size_t low = 0;
    size_t high = b->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (b->lines[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return (place){(uint32_t)at, (uint32_t)low + 1, (uint32_t)(at - b->lines[low]) + 1};
}

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xC0) == 0x80;
}

/* libyaml's index counts characters. Marks come nearly in order, so the walk stays linear. */
static place place_of(builder *b, const yaml_mark_t *mark)
{
    tut_str s = b->y->source;
    while (b->chars < mark->index && b->bytes < s.len) {
        b->bytes++;
        while (b->bytes < s.len && is_continuation(s.data[b->bytes]))
            b->bytes++;
        b->chars++;
    }
    while (b->chars > mark->index && b->bytes > 0) {
        b->bytes--;
        while (b->bytes > 0 && is_continuation(s.data[b->bytes]))
            b->bytes--;
        b->chars--;
    }
    return place_of_byte(b, b->bytes);
}

static tut_status fail_at(const builder *b, place p, tut_code code, const char *message)
{
    return tut_fail_at(b->err, code, p.at, "%u:%u: %s", p.line, p.column, message);
}

/* As fail_at, with a name from the text between two halves of the sentence. */
static tut_status fail_named(const builder *b, place p, const char *before, tut_str name,
                             const char *after)
{
    TUT_CLEAN(tut_buf) message = TUT_BUF_INIT;
    tut_buf_add_z(&message, before);
    tut_buf_add_escaped(&message, name, NAME_MAX_CHARS);
    tut_buf_add_z(&message, after);
    const char *z = tut_buf_z(&message);
    return fail_at(b, p, TUT_MALFORMED, z ? z : before);
}

static tut_str view(const yaml_char_t *text, size_t len)
{
    return (tut_str){(const char *)text, len};
}

static tut_str view_z(const yaml_char_t *text)
{
    return tut_str_of((const char *)text);
}

static tut_status libyaml_failure(builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    place where;
    if (p->error == YAML_READER_ERROR) {
        size_t at = p->problem_offset < b->y->source.len ? p->problem_offset : b->y->source.len;
        where = place_of_byte(b, at);
    } else {
        where = place_of(b, &p->problem_mark);
    }
    return fail_at(b, where, TUT_MALFORMED, tut_yaml_problem(p->problem, p->context));
}

/* Anchors and tags: refused in our own files, counted in scanned ones. */
static tut_status check_properties(builder *b, place p, const yaml_char_t *anchor,
                                   const yaml_char_t *tag)
{
    if (anchor && !b->is_lenient)
        return fail_named(b, p, "\"&", view_z(anchor),
                          "\" is an anchor; write the value out where it is used");
    if (!tag)
        return TUT_SUCCESS;
    if (!b->is_lenient)
        return fail_named(b, p, "the tag \"", view_z(tag),
                          "\" is not allowed; write a plain value");
    if (b->y->facts.tags++ == 0)
        tut_str_copy(b->y->facts.first_tag, sizeof b->y->facts.first_tag, view_z(tag));
    return TUT_SUCCESS;
}

/* Links a new node to its parent; places, key and order are known now. */
static tut_status add_node(builder *b, place start, place end, tut_yaml_node **ret_node)
{
    frame *f = b->depth ? &b->frames[b->depth - 1] : NULL;
    tut_yaml_node *n;
    TUT_TRY(tut_yaml_add(b->y, &n, b->err));
    uint32_t index = (uint32_t)b->y->count - 1;
    *n = (tut_yaml_node){
        .line = start.line, .column = start.column, .start = start.at, .end = end.at};
    if (!f) {
        b->y->has_root = true;
        *ret_node = n;
        return TUT_SUCCESS;
    }
    tut_yaml_node *parent = &b->y->nodes[f->node];
    if (f->last)
        b->y->nodes[f->last].next = index;
    else
        parent->first = index;
    parent->count++;
    f->last = index;
    if (f->has_key) {
        n->key = f->key;
        n->key_line = f->key_line;
        n->key_column = f->key_column;
    }
    f->has_key = parent->type == TUT_YAML_MAPPING && !f->has_key;
    if (f->has_key) { /* a container as key, seen in lenient mode: its value has an empty name */
        f->key = TUT_LIT("");
        f->key_line = start.line;
        f->key_column = start.column;
    }
    *ret_node = n;
    return TUT_SUCCESS;
}

static bool expects_key(const builder *b)
{
    if (b->depth == 0)
        return false;
    const frame *f = &b->frames[b->depth - 1];
    return b->y->nodes[f->node].type == TUT_YAML_MAPPING && !f->has_key;
}

static tut_status on_key(builder *b, tut_str text, bool is_quoted, place p)
{
    if (!b->is_lenient && !is_quoted && text.len == 0)
        return fail_at(b, p, TUT_MALFORMED, "a key is missing before this ':'");
    if (!b->is_lenient && !is_quoted && tut_str_eq_z(text, "<<"))
        return fail_at(b, p, TUT_MALFORMED,
                       "\"<<\" merges another mapping; write its entries out instead");
    frame *f = &b->frames[b->depth - 1];
    TUT_TRY(tut_yaml_keep(b->y, text, &f->key));
    f->key_line = p.line;
    f->key_column = p.column;
    f->has_key = true;
    return TUT_SUCCESS;
}

static tut_status on_scalar_text(builder *b, tut_str text, bool is_quoted, place start, place end)
{
    if (expects_key(b))
        return on_key(b, text, is_quoted, start);
    tut_yaml_node *n;
    TUT_TRY(add_node(b, start, end, &n));
    n->type = TUT_YAML_SCALAR;
    n->is_quoted = is_quoted;
    return tut_yaml_keep(b->y, text, &n->text);
}

static tut_status on_scalar(builder *b, const yaml_event_t *e)
{
    place start = place_of(b, &e->start_mark);
    place end = place_of(b, &e->end_mark);
    TUT_TRY(check_properties(b, start, e->data.scalar.anchor, e->data.scalar.tag));
    bool is_quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return on_scalar_text(b, view(e->data.scalar.value, e->data.scalar.length), is_quoted, start,
                          end);
}

/* Never followed: in lenient mode it stands as the text "*name". */
static tut_status on_alias(builder *b, const yaml_event_t *e)
{
    place start = place_of(b, &e->start_mark);
    place end = place_of(b, &e->end_mark);
    if (!b->is_lenient)
        return fail_named(b, start, "\"*", view_z(e->data.alias.anchor),
                          "\" is an alias; write the value out instead");
    b->y->facts.aliases++;
    tut_str written = {b->y->source.data + start.at, end.at - start.at};
    return on_scalar_text(b, written, false, start, end);
}

static tut_status on_open(builder *b, const yaml_event_t *e, tut_yaml_type type, bool is_flow,
                          const yaml_char_t *anchor, const yaml_char_t *tag)
{
    place start = place_of(b, &e->start_mark);
    TUT_TRY(check_properties(b, start, anchor, tag));
    if (!b->is_lenient && expects_key(b))
        return fail_at(b, start, TUT_MALFORMED,
                       "a key must be plain text, not a list or a mapping");
    if (b->depth == TUT_LIMIT_YAML_DEPTH)
        return fail_at(b, start, TUT_LIMIT, "this is nested too deeply");
    tut_yaml_node *n;
    TUT_TRY(add_node(b, start, start, &n));
    n->type = type;
    b->frames[b->depth++] = (frame){.node = (uint32_t)b->y->count - 1, .is_flow = is_flow};
    return TUT_SUCCESS;
}

static int compare_keys(const void *a, const void *b, void *nodes)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    const tut_yaml_node *n = nodes;
    int order = tut_str_cmp(n[x].key, n[y].key);
    return order != 0 ? order : (x > y) - (x < y);
}

static tut_status fail_duplicate(const builder *b, uint32_t first, uint32_t again)
{
    const tut_yaml_node *n = &b->y->nodes[again];
    place p = {b->lines[n->key_line - 1] + n->key_column - 1, n->key_line, n->key_column};
    char after[64];
    snprintf(after, sizeof after, "\" stands on line %u already", b->y->nodes[first].key_line);
    return fail_named(b, p, "the key \"", n->key, after);
}

static tut_status check_duplicates(builder *b, const tut_yaml_node *map)
{
    size_t count = 0;
    for (uint32_t i = map->first; i; i = b->y->nodes[i].next) {
        if (!b->y->nodes[i].key.data)
            continue;
        TUT_TRY(tut_grow(&b->keys, count, &b->key_capacity, sizeof *b->keys));
        b->keys[count++] = i;
    }
    if (count < 2)
        return TUT_SUCCESS;
    qsort_r(b->keys, count, sizeof *b->keys, compare_keys, b->y->nodes);
    uint32_t first = 0;
    uint32_t again = 0;
    for (size_t i = 1; i < count; i++) {
        if (!tut_str_eq(b->y->nodes[b->keys[i - 1]].key, b->y->nodes[b->keys[i]].key))
            continue;
        b->y->facts.duplicate_keys++;
        if (again == 0 || b->keys[i] < again) {
            first = b->keys[i - 1];
            again = b->keys[i];
        }
    }
    return again && !b->is_lenient ? fail_duplicate(b, first, again) : TUT_SUCCESS;
}

/* A flow collection ends at its bracket, a block collection with its last child. */
static tut_status on_close(builder *b, const yaml_event_t *e)
{
    frame *f = &b->frames[--b->depth];
    tut_yaml_node *n = &b->y->nodes[f->node];
    if (f->is_flow)
        n->end = place_of(b, &e->end_mark).at;
    else if (f->last && b->y->nodes[f->last].end > n->end)
        n->end = b->y->nodes[f->last].end;
    return n->type == TUT_YAML_MAPPING ? check_duplicates(b, n) : TUT_SUCCESS;
}

static tut_status on_document(builder *b, const yaml_event_t *e)
{
    place p = place_of(b, &e->start_mark);
    b->y->facts.documents++;
    if (b->is_lenient)
        return TUT_SUCCESS;
    if (b->y->facts.documents > 1)
        return fail_at(b, p, TUT_MALFORMED,
                       "a second document begins here; keep one document in a file");
    if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
        return fail_at(b, p, TUT_MALFORMED, "%TAG is not allowed; write plain values");
    return TUT_SUCCESS;
}

static tut_status on_event(builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(b, e);
    case YAML_ALIAS_EVENT:
        return on_alias(b, e);
    case YAML_SCALAR_EVENT:
        return on_scalar(b, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, e, TUT_YAML_SEQUENCE,
                       e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                       e->data.sequence_start.anchor, e->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, e, TUT_YAML_MAPPING,
                       e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
                       e->data.mapping_start.anchor, e->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(b, e);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return TUT_SUCCESS;
}

static tut_status read_events(builder *b)
{
    for (bool is_done = false; !is_done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event))
            return libyaml_failure(b);
        is_done = event.type == YAML_STREAM_END_EVENT;
        tut_status s = on_event(b, &event);
        yaml_event_delete(&event);
        TUT_TRY(s);
    }
    return TUT_SUCCESS;
}

static tut_status build(builder *b)
{
    TUT_TRY(find_lines(b));
    if (!yaml_parser_initialize(&b->parser))
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    /* Fixed, so that a byte order mark cannot make it UTF-16. */
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    /* libyaml counts the mark as a column, and then finds the second line indented less. */
    if (tut_str_starts(b->y->source, TUT_LIT("\xef\xbb\xbf")))
        b->bytes = 3;
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->y->source.data + b->bytes,
                                 b->y->source.len - b->bytes);
    tut_status s = read_events(b);
    yaml_parser_delete(&b->parser);
    return s;
}

tut_status tut_yaml_parse(tut_str text, bool is_lenient, tut_yaml **ret_yaml, tut_error *err)
{
    TUT_AUTO(tut_yaml) y = NULL;
    TUT_TRY(tut_yaml_new(text, &y, err));
    builder *b = tut_alloc_array(1, sizeof *b);
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->y = y;
    b->is_lenient = is_lenient;
    b->err = err;
    tut_status s = build(b);
    tut_free(b->lines);
    tut_free(b->keys);
    tut_free(b);
    TUT_TRY(s);
    *ret_yaml = tut_move(&y);
    return TUT_SUCCESS;
}
