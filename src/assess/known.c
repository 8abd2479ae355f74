/* What the records say of the system: its description, the inventory about that description, the
 * assets in it. Nothing here looks at the files themselves. */
#include "assess/evaluate_internal.h"
#include "base/json.h"

static tut_status nomem(tut_evaluation *e)
{
    return tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

static const char *keep(tut_evaluation *e, tut_str text)
{
    return tut_arena_copy(&e->arena, text);
}

const tut_record *tut_latest_description(const tut_records *records)
{
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (r->type == TUT_RECORD_EVENT && r->has_body &&
            strcmp(r->subjects[0].name, TUT_SUBJECT_SYSTEM) == 0)
            return r;
    }
    return NULL;
}

const tut_record *tut_assessment_description(const tut_assessment *a)
{
    return tut_latest_description(a->records);
}

static tut_status note_damage(tut_evaluation *e, const tut_record *r, const tut_error *why)
{
    tut_free(e->damage); /* the last one stands */
    e->damage = tut_asprintf("record %llu: %s", (unsigned long long)r->index, why->text);
    return e->damage ? TUT_SUCCESS : nomem(e);
}

static tut_status load_system(tut_evaluation *e)
{
    const tut_record *r = tut_latest_description(e->a->records);
    if (!r)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_ledger_get_body(e->ledger, &r->body, &text, &why);
    if (status.code == TUT_STORE)
        return note_damage(e, r, &why);
    if (!tut_is_ok(status))
        return tut_fail(e->err, status.code, "%s", why.text);
    TUT_TRY(
        tut_system_parse(e->dir, "tutela.yaml", tut_buf_str(&text), &e->a->system, NULL, e->err));
    TUT_TRY(tut_design_read(e->a->system, &e->design, NULL, e->err));
    e->has_system = true;
    e->system_digest = r->subjects[0].digest;
    e->a->system_name = tut_strndup(e->a->system->name.data, e->a->system->name.len);
    e->a->system_version = tut_strndup(e->a->system->version.data, e->a->system->version.len);
    return e->a->system_name && e->a->system_version ? TUT_SUCCESS : nomem(e);
}

const tut_record *tut_latest_document(const tut_records *records, tut_str path)
{
    size_t prefix = strlen(TUT_SUBJECT_DESIGN);
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (r->type == TUT_RECORD_EVENT && strcmp(r->check, TUT_EVENT_DOCUMENT) == 0 && !r->doubt &&
            strncmp(r->subjects[0].name, TUT_SUBJECT_DESIGN, prefix) == 0 &&
            tut_str_eq_z(path, r->subjects[0].name + prefix))
            return r;
    }
    return NULL;
}

const tut_record *tut_assessment_document(const tut_assessment *a, tut_str path)
{
    return tut_latest_document(a->records, path);
}

tut_status tut_known_document(tut_evaluation *e, tut_str path, tut_want_subject *ret_subject)
{
    const tut_record *r = tut_latest_document(e->a->records, path);
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_buf_add_z(&name, TUT_SUBJECT_DESIGN);
    tut_buf_add_str(&name, path);
    *ret_subject = (tut_want_subject){.name = keep(e, tut_buf_str(&name)), .has_digest = r != NULL};
    if (r)
        ret_subject->digest = r->subjects[0].digest;
    return ret_subject->name ? TUT_SUCCESS : nomem(e);
}

/* Only an inventory of this very description says what its assets are. */
static const tut_record *latest_inventory(const tut_evaluation *e)
{
    const tut_records *records = e->a->records;
    for (size_t i = records->count; i > 0 && e->has_system; i--) {
        const tut_record *r = &records->items[i - 1];
        if (tut_record_is_test(r, TUT_CHECK_INVENTORY) && r->has_body &&
            tut_sha256_eq(&r->subjects[0].digest, &e->system_digest))
            return r;
    }
    return NULL;
}

static const char *keep_key(tut_evaluation *e, const tut_json_value *v, const char *key)
{
    return keep(e, tut_json_get_text(v, key));
}

static tut_status keep_depends(tut_evaluation *e, const tut_json_value *v, tut_known_asset *asset)
{
    const tut_json_value *list = tut_json_get(v, "depends_on");
    uint32_t count = tut_json_count(list);
    asset->depends_on = tut_arena_take(&e->arena, count + 1u, sizeof(*asset->depends_on));
    if (!asset->depends_on)
        return nomem(e);
    for (uint32_t i = 0; i < count; i++) {
        asset->depends_on[i] = keep(e, tut_json_text(tut_json_item(list, i)));
        if (!asset->depends_on[i])
            return nomem(e);
    }
    asset->depends_count = count;
    return TUT_SUCCESS;
}

static tut_status keep_asset(tut_evaluation *e, const tut_json_value *v, tut_known_asset *asset)
{
    asset->id = keep_key(e, v, "id");
    asset->path = keep_key(e, v, "path");
    asset->kind_name = keep_key(e, v, "kind");
    asset->state = keep_key(e, v, "state");
    asset->format = keep_key(e, v, "format");
    asset->detail = keep_key(e, v, "detail");
    asset->problem = keep_key(e, v, "problem");
    asset->origin = keep_key(e, v, "origin");
    asset->url = keep_key(e, v, "url");
    asset->licence = keep_key(e, v, "licence");
    asset->sensitivity = keep_key(e, v, "sensitivity");
    if (!asset->id || !asset->path || !asset->kind_name || !asset->state || !asset->format ||
        !asset->detail || !asset->problem || !asset->origin || !asset->url || !asset->licence ||
        !asset->sensitivity)
        return nomem(e);
    if (!tut_asset_kind_parse(asset->kind_name, &asset->kind))
        asset->kind = TUT_KIND_NONE;
    asset->is_shared = tut_json_get_bool(v, "shared", false);
    asset->is_declared = strcmp(asset->state, "undeclared") != 0;
    int64_t size = tut_json_get_int(v, "size", 0);
    asset->size = size > 0 ? (uint64_t)size : 0;
    tut_str hex = tut_json_get_text(tut_json_get(v, "digest"), "sha256");
    asset->has_digest = tut_is_ok(tut_sha256_parse(hex, &asset->digest));
    return keep_depends(e, v, asset);
}

static tut_status keep_problems(tut_evaluation *e, const tut_json_value *list)
{
    uint32_t count = tut_json_count(list);
    e->problems = tut_arena_take(&e->arena, count + 1u, sizeof(*e->problems));
    if (!e->problems)
        return nomem(e);
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *v = tut_json_item(list, i);
        e->problems[i].what = keep_key(e, v, "path");
        e->problems[i].why = keep_key(e, v, "problem");
        if (!e->problems[i].what || !e->problems[i].why)
            return nomem(e);
    }
    e->problem_count = count;
    return TUT_SUCCESS;
}

static tut_status assets_of_inventory(tut_evaluation *e, tut_span text)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(text, NULL, &doc, e->err));
    const tut_json_value *root = tut_json_root(doc);
    const tut_json_value *list = tut_json_get(root, "assets");
    uint32_t count = tut_json_count(list);
    e->assets = tut_arena_take(&e->arena, count + 1u, sizeof(*e->assets));
    if (!e->assets)
        return nomem(e);
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(keep_asset(e, tut_json_item(list, i), &e->assets[i]));
    e->asset_count = count;
    tut_str sandbox = tut_json_get_text(root, "sandbox");
    tut_free(e->a->sandbox);
    e->a->sandbox = tut_strndup(sandbox.data ? sandbox.data : "", sandbox.len);
    if (!e->a->sandbox)
        return nomem(e);
    return keep_problems(e, tut_json_get(root, "unread"));
}

/* Without an inventory the description alone says what is in scope, at the digests it pins. */
static tut_status assets_of_system(tut_evaluation *e)
{
    const tut_system *s = e->a->system;
    e->assets = tut_arena_take(&e->arena, s->asset_count + 1, sizeof(*e->assets));
    if (!e->assets)
        return nomem(e);
    for (size_t i = 0; i < s->asset_count; i++) {
        const tut_asset *from = &s->assets[i];
        tut_known_asset *to = &e->assets[i];
        *to = (tut_known_asset){.kind = from->kind,
                                .kind_name = tut_asset_kind_name(from->kind),
                                .has_digest = from->has_digest,
                                .digest = from->digest,
                                .is_shared = from->is_shared,
                                .is_declared = true,
                                .state = "declared",
                                .format = "",
                                .detail = "",
                                .problem = ""};
        to->id = keep(e, tut_str_of(from->id));
        to->path = keep(e, from->path);
        to->origin = keep(e, from->origin);
        to->url = keep(e, from->url);
        to->licence = keep(e, from->licence);
        to->sensitivity = keep(e, from->sensitivity);
        if (!to->id || !to->path || !to->origin || !to->url || !to->licence || !to->sensitivity)
            return nomem(e);
    }
    e->asset_count = s->asset_count;
    return TUT_SUCCESS;
}

/* Of this very description alone: a model of another one would mislead. */
static tut_status load_threat_model(tut_evaluation *e)
{
    const tut_records *records = e->a->records;
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (!tut_record_is_test(r, TUT_CHECK_THREAT_MODEL) || !r->has_body ||
            !tut_sha256_eq(&r->subjects[0].digest, &e->system_digest))
            continue;
        tut_error why = {0};
        if (tut_is_ok(tut_ledger_get_body(e->ledger, &r->body, &e->a->threat_model, &why)))
            return TUT_SUCCESS;
        tut_buf_clear(&e->a->threat_model);
        return note_damage(e, r, &why);
    }
    return TUT_SUCCESS;
}

tut_status tut_known_load(tut_evaluation *e)
{
    TUT_TRY(load_system(e));
    if (!e->has_system)
        return TUT_SUCCESS;
    TUT_TRY(load_threat_model(e));
    e->inventory = latest_inventory(e);
    if (!e->inventory)
        return assets_of_system(e);
    tut_buf *text = &e->a->inventory;
    tut_error why = {0};
    if (tut_is_ok(tut_ledger_get_body(e->ledger, &e->inventory->body, text, &why)))
        return assets_of_inventory(e, tut_buf_span(text));
    tut_buf_clear(text);
    TUT_TRY(note_damage(e, e->inventory, &why));
    return assets_of_system(e);
}
