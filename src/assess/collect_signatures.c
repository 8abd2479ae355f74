/*
 * verify.manifest: is each asset what a registered person signed?
 * verify.published: do the digests published beside a shared asset agree with its bytes, and are
 * they what was signed?
 */
#include "assess/collect_internal.h"
#include "assets/match.h"
#include "assets/signed.h"
#include "base/fs.h"
#include "base/json_write.h"

/* One look at one asset: what came out, and the words for it. */
typedef struct outcome {
    tut_result result;
    tut_buf statement;
    tut_verify_result verified;
    const tut_person *person;
    char *path;
} outcome;

static void outcome_done(outcome *o)
{
    tut_buf_done(&o->statement);
    tut_verify_result_done(&o->verified);
    tut_free(o->path);
}

static tut_status write_body(const tut_inventory_item *item, const outcome *o, tut_buf *out,
                             tut_error *err)
{
    const tut_verify_result *v = &o->verified;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.verify/1");
    tut_json_put_z(j, "asset", item->id);
    tut_json_put_z(j, "path", item->path);
    tut_json_put_z(j, "verdict", v->mode ? tut_verify_word(v->verdict) : NULL);
    tut_json_put_z(j, "signer", v->signer);
    tut_json_put_z(j, "person", o->person ? o->person->name : NULL);
    tut_json_key(j, "root");
    if (v->has_root)
        tut_json_sha256(j, v->root.bytes);
    else
        tut_json_null(j);
    tut_json_key(j, "reasons");
    tut_json_array(j);
    for (size_t i = 0; i < v->reason_count; i++)
        tut_json_z(j, v->reasons[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void say_roles(tut_buf *out, uint32_t roles)
{
    const char *before = " (";
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++) {
        if (!(roles & (1u << i)))
            continue;
        tut_buf_printf(out, "%s%s", before, tut_person_roles[i]);
        before = ", ";
    }
    if (before[0] == ',')
        tut_buf_add_byte(out, ')');
}

static void judge(const tut_inventory_item *item, outcome *o, const char *what)
{
    const tut_verify_result *v = &o->verified;
    const char *reason = v->reason_count ? v->reasons[0] : "";
    switch (v->verdict) {
    case TUT_VERIFY_VALID:
        o->result = TUT_RESULT_PASS;
        tut_buf_printf(&o->statement, "%s: %s %s", item->id, what, o->person->name);
        say_roles(&o->statement, o->person->roles);
        tut_buf_add_byte(&o->statement, '.');
        break;
    case TUT_VERIFY_INVALID:
        o->result = TUT_RESULT_FAIL;
        tut_buf_printf(&o->statement, "%s: %s.", item->id, reason);
        break;
    case TUT_VERIFY_UNSIGNED:
        o->result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(&o->statement, "%s is not signed.", item->id);
        break;
    }
}

/* Evidence is about the bytes that the inventory and the scan saw: these must be the ones that are
 * verified, also when somebody swaps the file in between. */
static tut_status expect(const tut_batch *b, const tut_inventory_item *item,
                         tut_expected_file **ret_files, size_t *ret_count)
{
    const tut_found *found = b->c->found;
    size_t len = strlen(item->path);
    size_t count = 0;
    while (len > 0 && item->path[len - 1] == '/')
        len--;
    bool is_all = len == 1 && item->path[0] == '.';
    tut_expected_file *files = tut_alloc_array(item->files + 1, sizeof(*files));
    if (!files)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < item->files; i++) {
        const tut_found_file *f = &found->files[item->members[i]];
        if (!f->has_digest)
            continue;
        bool is_below = !is_all && strlen(f->rel) > len + 1;
        files[count++] = (tut_expected_file){
            .name = tut_str_of(is_below ? f->rel + len + 1 : f->rel), .digest = f->digest};
    }
    *ret_files = files;
    *ret_count = count;
    return TUT_SUCCESS;
}

/* A failure to look is a result as well, but not one of memory or of Ctrl-C. */
static tut_status verify(tut_batch *b, const tut_inventory_item *item, const char *published,
                         const char *what, outcome *o)
{
    tut_verify_options options = {.published = published};
    tut_error why = {0};
    if (item->files > 1 && !tut_fs_is_dir(o->path)) {
        o->result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(&o->statement,
                       "%s is of %u files that no one signature speaks of; declare and sign their "
                       "directory.",
                       item->id, item->files);
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE tut_expected_file *expected = NULL;
    TUT_TRY(expect(b, item, &expected, &options.expected_count));
    options.expected = expected;
    tut_status status = tut_verify_by_people(o->path, b->known->people, b->known->log_size,
                                             tut_signer_roles(b->c->system, item->kind), &options,
                                             &o->verified, &o->person, &why);
    if (tut_is_ok(status)) {
        judge(item, o, what);
        return TUT_SUCCESS;
    }
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED || status.code == TUT_BUG)
        return tut_fail(b->err, status.code, "%s", why.text);
    o->result = TUT_RESULT_ERROR;
    const char *where = tut_error_where(&why);
    tut_buf_printf(&o->statement, "%s could not be verified: %s%s%s.", item->id, where,
                   where[0] ? ": " : "", why.text);
    return TUT_SUCCESS;
}

static tut_status record(tut_batch *b, const tut_inventory_item *item, const char *check,
                         const outcome *o)
{
    tut_record *r;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(tut_buf_check(&o->statement, b->err));
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, check, item->kind, &r));
    r->result = o->result;
    TUT_TRY(tut_batch_rests_on(b, r, o->verified.signer));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&o->statement)));
    TUT_TRY(write_body(item, o, &body, b->err));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

static tut_status place(tut_batch *b, const tut_inventory_item *item, outcome *o)
{
    o->path = tut_fs_join(b->c->system->dir, item->path);
    return o->path ? TUT_SUCCESS : tut_fail(b->err, TUT_NOMEM, "memory ran out");
}

static tut_status check_manifest(tut_batch *b, const tut_inventory_item *item)
{
    TUT_CLEAN(outcome) o = {0};
    TUT_TRY(place(b, item, &o));
    TUT_TRY(verify(b, item, NULL, "each byte is as it was signed by", &o));
    return record(b, item, TUT_CHECK_MANIFEST, &o);
}

tut_status tut_batch_signed_by(tut_batch *b, const tut_inventory_item *item, const char **ret_key)
{
    TUT_CLEAN(outcome) o = {0};
    *ret_key = NULL;
    TUT_TRY(place(b, item, &o));
    TUT_TRY(verify(b, item, NULL, "each byte is as it was signed by", &o));
    if (o.result != TUT_RESULT_PASS || !o.verified.signer)
        return TUT_SUCCESS;
    *ret_key = tut_arena_copy(&b->arena, tut_str_of(o.verified.signer));
    return *ret_key ? TUT_SUCCESS : tut_fail(b->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_step_signatures(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    for (size_t i = 0; i < inv->count; i++)
        if (tut_batch_wants(&inv->items[i], TUT_CHECK_MANIFEST))
            TUT_TRY(check_manifest(b, &inv->items[i]));
    return TUT_SUCCESS;
}

static tut_status check_published(tut_batch *b, const tut_inventory_item *item)
{
    TUT_CLEAN(outcome) o = {0};
    TUT_TRY(place(b, item, &o));
    TUT_AUTO_FREE char *published = tut_asprintf("%s.sha256", o.path);
    if (!published)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    if (tut_fs_exists(published)) {
        TUT_TRY(verify(b, item, published,
                       "the published digests agree with the bytes, and were signed by", &o));
    } else {
        o.result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(&o.statement, "%s is shared, but no digests are published beside it.",
                       item->id);
    }
    return record(b, item, TUT_CHECK_PUBLISHED, &o);
}

tut_status tut_step_published(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        if (item->declared && item->declared->is_shared &&
            tut_batch_wants(item, TUT_CHECK_PUBLISHED))
            TUT_TRY(check_published(b, item));
    }
    return TUT_SUCCESS;
}
