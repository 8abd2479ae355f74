/* A description as elements with values. What spreads is threat_spread.c, what is known of assets
 * and places threat_facts.c. */
#include <stdlib.h>

#include "assets/attributes.h"
#include "base/json_write.h"
#include "govern/threat_internal.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_threat_start(tut_threat_building *b, tut_threat_element *e, tut_threat_on on,
                            tut_str id)
{
    const tut_threat_attribute *rows;
    size_t count;
    TUT_TRY(tut_threat_attributes(on, &rows, &count, b->err));
    e->on = on;
    e->id = tut_arena_copy(&b->m->arena, id);
    e->values = tut_arena_take(&b->m->arena, count, sizeof(*e->values));
    if (!e->id || !e->values)
        return nomem(b->err);
    for (size_t i = 0; i < count; i++)
        e->values[i].number = rows[i].absent;
    return TUT_SUCCESS;
}

/* --- what tutela.yaml says --- */

static int64_t number_of(const tut_threat_attribute *a, tut_str text)
{
    uint64_t number = 0;
    switch (a->type) {
    case TUT_THREAT_FLAG:
        return tut_str_eq_z(text, "true");
    case TUT_THREAT_NUMBER:
        return tut_str_u64(text, &number) ? (int64_t)number : 0;
    case TUT_THREAT_WORD:
    case TUT_THREAT_LEVEL: {
        int64_t place = tut_threat_word(a->words, text);
        return place < 0 ? a->absent : place;
    }
    case TUT_THREAT_TEXT:
        return text.len > 0;
    case TUT_THREAT_LIST:
        break;
    }
    return 0;
}

static tut_status add_item(tut_threat_building *b, tut_str_list *list, tut_str item)
{
    tut_str *items = tut_arena_take(&b->m->arena, list->count + 1, sizeof(*items));
    if (!items)
        return nomem(b->err);
    if (list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count] = item;
    *list = (tut_str_list){items, list->count + 1};
    return TUT_SUCCESS;
}

static tut_status take_declared(tut_threat_building *b, tut_threat_element *e,
                                const tut_component *c)
{
    const tut_threat_attribute *rows;
    size_t count;
    TUT_TRY(tut_threat_attributes(TUT_THREAT_ON_COMPONENT, &rows, &count, b->err));
    for (size_t i = 0; i < c->attribute_count; i++) {
        const tut_attribute *a = &c->attributes[i];
        size_t place = tut_threat_attribute_find(TUT_THREAT_ON_COMPONENT, a->key);
        if (place == SIZE_MAX)
            return tut_fail(b->err, TUT_BUG, "an attribute that no rule can ask for");
        tut_threat_value *v = &e->values[place];
        if (rows[place].type == TUT_THREAT_LIST) {
            TUT_TRY(add_item(b, &v->list, a->value));
            v->number = (int64_t)v->list.count;
            continue;
        }
        v->text = a->value;
        v->number = number_of(&rows[place], a->value);
    }
    return TUT_SUCCESS;
}

static tut_status add_component(tut_threat_building *b, size_t i)
{
    const tut_component *c = &b->system->components[i];
    tut_threat_element *e = &b->components[i];
    TUT_TRY(tut_threat_start(b, e, TUT_THREAT_ON_COMPONENT, c->id));
    e->component = c;
    *tut_threat_number(e, TUT_AT_COMPONENT_KIND) = tut_threat_word(tut_component_kinds, c->kind);
    if (*tut_threat_number(e, TUT_AT_COMPONENT_KIND) < 0)
        return tut_fail(b->err, TUT_USAGE, "component %s has no kind", e->id);
    *tut_threat_number(e, TUT_AT_COMPONENT_OWNED) = c->owner.len > 0;
    TUT_TRY(take_declared(b, e, c));
    TUT_TRY(tut_map_put(&b->by_component, tut_str_of(e->id), i, NULL, b->err));
    size_t at = c->asset.len ? tut_map_get(&b->system->by_id, c->asset) : SIZE_MAX;
    if (at == SIZE_MAX)
        return TUT_SUCCESS;
    e->links[TUT_THREAT_ASSET] = &b->assets[at];
    *tut_threat_number(e, TUT_AT_COMPONENT_HAS_ASSET) = 1;
    return TUT_SUCCESS;
}

static tut_status add_boundary(tut_threat_building *b, size_t i)
{
    const tut_boundary *from = &b->system->boundaries[i];
    tut_threat_element *e = &b->boundaries[i];
    TUT_TRY(tut_threat_start(b, e, TUT_THREAT_ON_BOUNDARY, from->id));
    e->boundary = from;
    for (size_t k = 0; k < from->inside.count; k++) {
        size_t at = tut_map_get(&b->by_component, from->inside.items[k]);
        if (at != SIZE_MAX && !b->components[at].links[TUT_THREAT_BOUNDARY])
            b->components[at].links[TUT_THREAT_BOUNDARY] = e;
    }
    return tut_map_put(&b->by_boundary, tut_str_of(e->id), i, NULL, b->err);
}

/* What a component itself says of its boundary goes before the boundary's list, as elsewhere. */
static void place_components(tut_threat_building *b)
{
    for (size_t i = 0; i < b->system->component_count; i++) {
        tut_str said = b->system->components[i].boundary;
        size_t at = said.len ? tut_map_get(&b->by_boundary, said) : SIZE_MAX;
        if (said.len)
            b->components[i].links[TUT_THREAT_BOUNDARY] = at == SIZE_MAX ? NULL
                                                                         : &b->boundaries[at];
    }
}

static void take_word(tut_threat_element *e, size_t place, const char *words, tut_str said)
{
    int64_t at = tut_threat_word(words, said);
    if (said.len && at >= 0)
        e->values[place].number = at;
}

static tut_status add_flow(tut_threat_building *b, size_t i)
{
    const tut_flow *f = &b->system->flows[i];
    tut_threat_element *e = &b->flows[i];
    size_t from = tut_map_get(&b->by_component, f->from);
    size_t to = tut_map_get(&b->by_component, f->to);
    TUT_TRY(tut_threat_start(b, e, TUT_THREAT_ON_FLOW, f->id));
    e->flow = f;
    e->links[TUT_THREAT_FROM] = from == SIZE_MAX ? NULL : &b->components[from];
    e->links[TUT_THREAT_TO] = to == SIZE_MAX ? NULL : &b->components[to];
    take_word(e, TUT_AT_FLOW_AUTH, "none key token oauth mtls", f->auth);
    take_word(e, TUT_AT_FLOW_ENCRYPTION, "none tls", f->encryption);
    take_word(e, TUT_AT_FLOW_INTEGRITY, "none checksum signed", f->integrity);
    *tut_threat_number(e, TUT_AT_FLOW_CROSSES) = f->crosses;
    e->values[TUT_AT_FLOW_DATA] = (tut_threat_value){.number = (int64_t)f->data.count,
                                                     .list = f->data};
    b->out_next[i] = b->in_next[i] = SIZE_MAX;
    if (from == SIZE_MAX || to == SIZE_MAX)
        return TUT_SUCCESS;
    b->out_next[i] = b->out_first[from];
    b->out_first[from] = i;
    b->in_next[i] = b->in_first[to];
    b->in_first[to] = i;
    return TUT_SUCCESS;
}

/* --- digests --- */

static tut_str word_at(const char *words, int64_t place)
{
    const char *at = words;
    for (int64_t i = 0; i < place && *at; i++)
        at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ');
    return (tut_str){at, strcspn(at, " ")};
}

/* Nobody said it and nothing shows it. */
static bool is_absent(const tut_threat_attribute *a, const tut_threat_value *v)
{
    return v->number == a->absent && v->text.len == 0 && v->list.count == 0;
}

static void put_value(tut_json *j, const tut_threat_attribute *a, const tut_threat_value *v)
{
    switch (a->type) {
    case TUT_THREAT_FLAG:
        tut_json_bool(j, v->number != 0);
        return;
    case TUT_THREAT_NUMBER:
        tut_json_int(j, v->number);
        return;
    case TUT_THREAT_WORD:
    case TUT_THREAT_LEVEL:
        tut_json_str(j, word_at(a->words, v->number));
        return;
    case TUT_THREAT_TEXT:
        tut_json_str(j, v->text);
        return;
    case TUT_THREAT_LIST:
        tut_json_array(j);
        for (size_t i = 0; i < v->list.count; i++)
            tut_json_str(j, v->list.items[i]);
        tut_json_end_array(j);
        return;
    }
}

void tut_threat_attributes_json(const tut_threat_element *e, tut_json *j)
{
    const tut_threat_attribute *rows;
    size_t count;
    tut_json_object(j);
    if (tut_is_ok(tut_threat_attributes(e->on, &rows, &count, NULL)))
        for (size_t i = 0; i < count; i++) {
            if (is_absent(&rows[i], &e->values[i])) /* left out: the document stays readable */
                continue;
            tut_json_key(j, rows[i].name);
            put_value(j, &rows[i], &e->values[i]);
        }
    tut_json_end_object(j);
}

/* What is known, with its name, each with its length before it: an attribute that comes with a
 * later version, and is not given, changes no digest. */
static void add_known(tut_buf *out, const tut_threat_attribute *a, const tut_threat_value *v)
{
    tut_buf_add_sized(out, tut_str_of(a->name));
    if (a->type == TUT_THREAT_WORD || a->type == TUT_THREAT_LEVEL)
        tut_buf_add_sized(out, word_at(a->words, v->number));
    else
        tut_buf_add_u64le(out, (uint64_t)v->number);
    tut_buf_add_sized(out, v->text);
    for (size_t i = 0; i < v->list.count; i++)
        tut_buf_add_sized(out, v->list.items[i]);
}

static tut_status digest_own(tut_threat_element *e, tut_buf *scratch, tut_error *err)
{
    const tut_threat_attribute *rows;
    size_t count;
    tut_buf_clear(scratch);
    TUT_TRY(tut_threat_attributes(e->on, &rows, &count, err));
    tut_buf_add_sized(scratch, tut_str_of(tut_threat_on_names[e->on]));
    tut_buf_add_sized(scratch, tut_str_of(e->id));
    for (size_t i = 0; i < count; i++)
        if (!is_absent(&rows[i], &e->values[i]))
            add_known(scratch, &rows[i], &e->values[i]);
    if (e->has_bytes)
        tut_buf_add(scratch, e->bytes.bytes, sizeof(e->bytes.bytes));
    TUT_TRY(tut_buf_check(scratch, err));
    return tut_sha256_of(tut_buf_span(scratch), &e->own, err);
}

/* What a risk at this element rests on: the element, what it links to, and what these do. */
static tut_status digest_linked(tut_threat_element *e, tut_buf *scratch, tut_error *err)
{
    tut_buf_clear(scratch);
    tut_buf_add(scratch, e->own.bytes, sizeof(e->own.bytes));
    for (size_t i = TUT_THREAT_ASSET; i < TUT_THREAT_LINK_COUNT; i++) {
        const tut_threat_element *next = e->links[i];
        if (!next)
            continue;
        tut_buf_add_z(scratch, tut_threat_link_names[i]);
        tut_buf_add(scratch, next->own.bytes, sizeof(next->own.bytes));
        for (size_t k = TUT_THREAT_ASSET; k < TUT_THREAT_LINK_COUNT; k++)
            if (next->links[k])
                tut_buf_add(scratch, next->links[k]->own.bytes, sizeof(next->own.bytes));
    }
    TUT_TRY(tut_buf_check(scratch, err));
    return tut_sha256_of(tut_buf_span(scratch), &e->digest, err);
}

static tut_status digest_all(tut_threat_model *m, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) scratch = TUT_BUF_INIT;
    for (size_t i = 0; i < m->count; i++)
        TUT_TRY(digest_own(&m->elements[i], &scratch, err));
    for (size_t i = 0; i < m->count; i++) {
        TUT_TRY(digest_linked(&m->elements[i], &scratch, err));
        tut_buf_add(&text, m->elements[i].digest.bytes, sizeof(m->elements[i].digest.bytes));
    }
    TUT_TRY(tut_buf_check(&text, err));
    return tut_sha256_of(tut_buf_span(&text), &m->digest, err);
}

/* --- the whole --- */

static tut_status make_room(tut_threat_building *b, size_t permissions)
{
    const tut_system *s = b->system;
    tut_threat_model *m = b->m;
    const size_t counts[TUT_THREAT_ON_COUNT] = {s->component_count, s->flow_count, s->asset_count,
                                                s->boundary_count,  permissions,   1};
    for (size_t on = 0; on < TUT_THREAT_ON_COUNT; on++)
        m->first[on + 1] = m->first[on] + counts[on];
    m->count = m->first[TUT_THREAT_ON_COUNT];
    m->elements = tut_arena_take(&m->arena, m->count, sizeof(*m->elements));
    size_t *places = tut_arena_take(&m->arena, 3 * s->component_count + 2 * s->flow_count + 1,
                                    sizeof(*places));
    if (!m->elements || !places)
        return nomem(b->err);
    b->components = m->elements;
    b->flows = m->elements + m->first[TUT_THREAT_ON_FLOW];
    b->assets = m->elements + m->first[TUT_THREAT_ON_ASSET];
    b->boundaries = m->elements + m->first[TUT_THREAT_ON_BOUNDARY];
    b->permissions = m->elements + m->first[TUT_THREAT_ON_PERMISSION];
    b->whole = m->elements + m->first[TUT_THREAT_ON_SYSTEM];
    b->out_first = places;
    b->in_first = places + s->component_count;
    b->queue = places + 2 * s->component_count;
    b->out_next = places + 3 * s->component_count;
    b->in_next = b->out_next + s->flow_count;
    for (size_t i = 0; i < s->component_count; i++)
        b->out_first[i] = b->in_first[i] = SIZE_MAX;
    return TUT_SUCCESS;
}

static tut_status build(tut_threat_building *b)
{
    const tut_system *s = b->system;
    tut_threat_element *permissions = NULL;
    TUT_TRY(tut_threat_permissions(b, &permissions, &b->permission_count));
    TUT_TRY(make_room(b, b->permission_count));
    if (b->permission_count)
        memcpy(b->permissions, permissions, b->permission_count * sizeof(*permissions));
    for (size_t i = 0; i < s->asset_count; i++) {
        TUT_TRY(
            tut_threat_start(b, &b->assets[i], TUT_THREAT_ON_ASSET, tut_str_of(s->assets[i].id)));
        b->assets[i].asset = &s->assets[i];
    }
    for (size_t i = 0; i < s->component_count; i++)
        TUT_TRY(add_component(b, i));
    for (size_t i = 0; i < s->boundary_count; i++)
        TUT_TRY(add_boundary(b, i));
    place_components(b);
    for (size_t i = 0; i < s->flow_count; i++)
        TUT_TRY(add_flow(b, i));
    TUT_TRY(tut_threat_start(b, b->whole, TUT_THREAT_ON_SYSTEM, TUT_LIT("system")));
    for (size_t i = 0; i < b->m->count; i++)
        b->m->elements[i].links[TUT_THREAT_SYSTEM] = b->whole;
    b->whole->links[TUT_THREAT_SYSTEM] = NULL;
    TUT_TRY(tut_threat_facts_of_assets(b));
    TUT_TRY(tut_threat_spread(b));
    tut_threat_permissions_settle(b);
    tut_threat_facts_of_places(b);
    return digest_all(b->m, b->err);
}

tut_status tut_threat_model_new(tut_system *system, const tut_assessment *assessment,
                                tut_threat_model **ret_model, tut_error *err)
{
    TUT_AUTO(tut_threat_model) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return nomem(err);
    tut_arena_init(&m->arena, 0);
    tut_threat_building b = {.m = m, .system = system, .assessment = assessment, .err = err};
    tut_status status = build(&b);
    tut_map_done(&b.by_component);
    tut_map_done(&b.by_boundary);
    TUT_TRY(status);
    *ret_model = tut_move(&m);
    return TUT_SUCCESS;
}

void tut_threat_model_free(tut_threat_model *m)
{
    if (!m)
        return;
    tut_arena_done(&m->arena);
    tut_free(m);
}

const tut_threat_element *tut_threat_element_find(const tut_threat_model *m, tut_threat_on on,
                                                  tut_str id)
{
    for (size_t i = m->first[on]; i < m->first[on + 1]; i++)
        if (tut_str_eq_z(id, m->elements[i].id))
            return &m->elements[i];
    return NULL;
}

void tut_threat_way(const tut_threat_element *e, tut_buf *out)
{
    enum { WAY_MAX = 8 };
    const tut_threat_element *way[WAY_MAX];
    size_t count = 0;
    for (; e && count < WAY_MAX; e = e->before)
        way[count++] = e;
    if (count && count == WAY_MAX && way[count - 1]->before)
        tut_buf_printf(out, "%s > ... > ", way[0]->source ? way[0]->source->id : "");
    while (count > 0) {
        tut_buf_add_z(out, way[--count]->id);
        if (count)
            tut_buf_add_z(out, " > ");
    }
}
