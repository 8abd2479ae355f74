/*
 * YAML as events of a configuration: libyaml's, one at a time, so that a file of any size takes
 * little memory and what stands before a break is seen. Nothing is constructed, aliases are not
 * followed except to a text that a key names.
 */
#include <string.h>
#include <yaml.h>

#include "formats/conf.h"
#include "formats/text.h"

/* Anchored texts that an alias may put in the place of a value: `_target_: *where`. */
enum { ANCHORS = 128, ANCHOR_NAME = 32, ANCHOR_TEXT = 200 };

typedef struct anchor {
    uint64_t weight; /* nodes that it stands for, aliases unfolded */
    char name[ANCHOR_NAME];
    char text[ANCHOR_TEXT];
} anchor;

typedef struct yaml_walk {
    tut_conf *c;
    tut_code failed; /* of the stream */
    uint64_t given;  /* bytes handed to libyaml */
    bool expects_key[TUT_CONF_DEPTH + 1];
    char key[TUT_CONF_KEY];
    size_t key_len;
    anchor anchors[ANCHORS];
    size_t anchor_count;
    uint64_t weights[TUT_CONF_DEPTH + 1]; /* of the open containers */
    anchor *open[TUT_CONF_DEPTH + 1];     /* that they stand under */
    bool is_told, is_wide;                /* UTF-16, UTF-32 */
} yaml_walk;

static int give_bytes(void *ctx, unsigned char *to, size_t cap, size_t *ret_got)
{
    yaml_walk *w = ctx;
    tut_span some = {0};
    *ret_got = 0;
    tut_status status = tut_stream_peek_some(w->c->x->stream, cap, &some);
    if (tut_is_ok(status) && w->given + some.len > TUT_LIMIT_JSON_BYTES)
        status = (tut_status){TUT_LIMIT};
    if (tut_is_ok(status) && some.len) {
        memcpy(to, some.data, some.len);
        status = tut_stream_skip(w->c->x->stream, some.len);
    }
    if (!tut_is_ok(status)) {
        w->failed = status.code;
        return 0;
    }
    if (w->given == 0 && some.len)
        w->is_wide = to[0] == 0 || to[0] >= 0xfe;
    w->given += some.len;
    *ret_got = some.len;
    return 1;
}

/* The key of the value that comes now; in a list there is none. */
static tut_str take_key(yaml_walk *w)
{
    size_t depth = w->c->depth;
    bool in_map = depth > 0 && w->c->levels[depth - 1].is_map;
    if (in_map)
        w->expects_key[depth] = true; /* behind the value */
    return (tut_str){w->key, in_map ? w->key_len : 0};
}

static bool is_key_place(const yaml_walk *w)
{
    size_t depth = w->c->depth;
    return depth > 0 && w->c->levels[depth - 1].is_map && w->expects_key[depth];
}

static void keep_key(yaml_walk *w, tut_str text)
{
    w->key_len = text.len < sizeof(w->key) ? text.len : sizeof(w->key);
    if (w->key_len)
        memcpy(w->key, text.data, w->key_len);
    w->expects_key[w->c->depth] = false;
}

static anchor *keep_anchor(yaml_walk *w, const yaml_char_t *name, tut_str text)
{
    if (!name || w->anchor_count == ANCHORS || text.len >= ANCHOR_TEXT)
        return NULL;
    anchor *a = &w->anchors[w->anchor_count++];
    a->weight = 1;
    tut_str_copy(a->name, sizeof(a->name), tut_str_of((const char *)name));
    tut_str_copy(a->text, sizeof(a->text), text);
    return a;
}

/* Loaders share what an alias names; whoever walks over it, prints it or copies it does not. */
static void weigh(yaml_walk *w, uint64_t weight)
{
    static const uint64_t many = 1000000;
    uint64_t *sum = &w->weights[w->c->depth];
    *sum = *sum + weight < many ? *sum + weight : many;
    if (*sum < many || w->is_told)
        return;
    w->is_told = true;
    tut_exam_observe(w->c->x, "data.yaml-aliases", w->c->offset,
                     "aliases of aliases unfold to over a million values");
}

static void weigh_alias(yaml_walk *w, const yaml_char_t *name)
{
    for (size_t i = w->anchor_count; i-- > 0;) {
        if (strcmp(w->anchors[i].name, (const char *)name) != 0)
            continue;
        weigh(w, w->anchors[i].weight);
        return;
    }
}

static void close_container(yaml_walk *w)
{
    size_t depth = w->c->depth;
    uint64_t weight = w->weights[depth];
    if (w->open[depth])
        w->open[depth]->weight = weight;
    tut_conf_close(w->c);
    if (depth > 0)
        weigh(w, weight);
}

static tut_str find_anchor(const yaml_walk *w, const yaml_char_t *name)
{
    for (size_t i = w->anchor_count; i-- > 0;) {
        if (strcmp(w->anchors[i].name, (const char *)name) == 0)
            return tut_str_of(w->anchors[i].text);
    }
    return (tut_str){"", 0};
}

static void see_tag(yaml_walk *w, const yaml_char_t *tag)
{
    if (tag)
        tut_conf_tag(w->c, tut_str_of((const char *)tag));
}

/* A plain scalar may be null, a truth value or a number. */
static bool is_plain_value(tut_str s)
{
    static const char *const words[] = {"", "~", "null", "true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (tut_str_ieq(s, tut_str_of(words[i])))
            return true;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!memchr("0123456789+-.eE_", s.data[i], 16))
            return false;
    }
    return true;
}

static tut_status see_scalar(yaml_walk *w, const yaml_event_t *e)
{
    tut_str text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    see_tag(w, e->data.scalar.tag);
    (void)keep_anchor(w, e->data.scalar.anchor, text);
    weigh(w, 1);
    if (is_key_place(w)) {
        keep_key(w, text);
        return TUT_SUCCESS;
    }
    tut_str name = w->c->depth > 0 && w->c->levels[w->c->depth - 1].is_map
                       ? (tut_str){w->key, w->key_len}
                       : (tut_str){"", 0};
    TUT_TRY(tut_conf_note_keras(w->c, name, text));
    bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return tut_conf_scalar(w->c, take_key(w), text, !is_plain || !is_plain_value(text));
}

static tut_status see_open(yaml_walk *w, const yaml_char_t *name, bool is_map)
{
    tut_str key = {"", 0};
    if (is_key_place(w))
        w->expects_key[w->c->depth] = false; /* a container as a key: its value has no name */
    else
        key = take_key(w);
    TUT_TRY(tut_conf_open(w->c, key, is_map));
    w->expects_key[w->c->depth] = is_map;
    w->weights[w->c->depth] = 1;
    w->open[w->c->depth] = keep_anchor(w, name, (tut_str){"", 0});
    w->key_len = 0;
    return TUT_SUCCESS;
}

static tut_status see_event(yaml_walk *w, const yaml_event_t *e)
{
    w->c->offset = e->start_mark.index;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return see_scalar(w, e);
    case YAML_MAPPING_START_EVENT:
        see_tag(w, e->data.mapping_start.tag);
        return see_open(w, e->data.mapping_start.anchor, true);
    case YAML_SEQUENCE_START_EVENT:
        see_tag(w, e->data.sequence_start.tag);
        return see_open(w, e->data.sequence_start.anchor, false);
    case YAML_ALIAS_EVENT:
        weigh_alias(w, e->data.alias.anchor);
        if (is_key_place(w)) {
            keep_key(w, find_anchor(w, e->data.alias.anchor));
            return TUT_SUCCESS;
        }
        return tut_conf_scalar(w->c, take_key(w), find_anchor(w, e->data.alias.anchor), true);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_container(w);
        return TUT_SUCCESS;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return TUT_SUCCESS;
}

/* *ret_broken: the text breaks a rule of YAML. */
static tut_status walk_events(yaml_walk *w, yaml_parser_t *parser, bool *ret_broken)
{
    for (bool is_over = false; !is_over;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            if (parser->error == YAML_MEMORY_ERROR)
                return tut_fail(w->c->err, TUT_NOMEM, "memory ran out");
            if (w->failed != TUT_OK)
                return tut_fail(w->c->err, w->failed, "the text cannot be read to its end");
            *ret_broken = true;
            return TUT_SUCCESS;
        }
        is_over = event.type == YAML_STREAM_END_EVENT;
        tut_status status = see_event(w, &event);
        yaml_event_delete(&event);
        TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

tut_status tut_conf_read_yaml(tut_conf *c)
{
    yaml_parser_t parser;
    bool is_broken = false;
    yaml_walk *w = tut_alloc_array(1, sizeof(*w));
    if (!w || !yaml_parser_initialize(&parser)) {
        tut_free(w);
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    }
    w->c = c;
    yaml_parser_set_input(&parser, give_bytes, w);
    tut_status status = walk_events(w, &parser, &is_broken);
    bool is_wide = w->is_wide;
    yaml_parser_delete(&parser);
    tut_free(w);
    if (is_broken && is_wide)
        return tut_fail(c->err, TUT_UNSUPPORTED, "a text in UTF-16 or UTF-32 that cannot be read");
    if (is_broken || status.code == TUT_LIMIT || status.code == TUT_TRUNCATED) {
        tut_status searched = tut_conf_search(c);
        return tut_is_ok(status) ? searched : status;
    }
    return status;
}
