#include "pack/derive.h"

#include <stdio.h>

#include "base/json_write.h"
#include "base/parallel.h"
#include "ledger/people.h"
#include "pack/archive.h"

typedef struct deriving {
    const tut_pack_image *image;
    const tut_assessment *a;
    const tut_pack_manifest *head;
    tut_pack_add add;
    void *ctx;
    tut_error *err;
} deriving;

static tut_status add(const deriving *d, const char *name, const tut_buf *bytes)
{
    TUT_TRY(tut_buf_check(bytes, d->err));
    return d->add(d->ctx, name, tut_buf_span(bytes), d->err);
}

/* They are pure functions of the assessment. */
typedef struct composing {
    const deriving *d;
    const tut_report_file *files;
    tut_buf *texts;
    tut_status *statuses;
    tut_error *errors;
} composing;

static void compose_nth(void *ctx, size_t i)
{
    composing *c = ctx;
    c->statuses[i] = c->files[i].compose(c->d->a, &c->texts[i], &c->errors[i]);
}

static tut_status add_report(const composing *c, size_t i)
{
    char name[TUT_PACK_NAME];
    if (!tut_is_ok(c->statuses[i]) && c->d->err)
        *c->d->err = c->errors[i];
    TUT_TRY(c->statuses[i]);
    if (c->texts[i].len == 0) /* nothing to say */
        return TUT_SUCCESS;
    (void)snprintf(name, sizeof(name), "reports/%s", c->files[i].name);
    return add(c->d, name, &c->texts[i]);
}

static tut_status reports(const deriving *d)
{
    enum { MOST = 32 };
    size_t count;
    const tut_report_file *files = tut_report_files(&count);
    tut_buf texts[MOST] = {TUT_BUF_INIT};
    tut_status statuses[MOST];
    TUT_AUTO_FREE tut_error *errors = tut_alloc_array(MOST, sizeof(*errors));
    composing c = {.d = d, .files = files, .texts = texts, .statuses = statuses, .errors = errors};
    if (!errors)
        return tut_fail(d->err, TUT_NOMEM, "memory ran out");
    if (count > MOST)
        return tut_fail(d->err, TUT_BUG, "more reports than a pack takes");
    for (size_t i = 0; i < MOST; i++)
        statuses[i] = (tut_status){TUT_CANCELLED};
    tut_parallel(count, 1, compose_nth, &c);
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(status); i++)
        status = add_report(&c, i);
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&texts[i]);
    return status;
}

/* --- keys --- */

static void put_index(tut_json *j, const char *key, uint64_t index)
{
    if (index == UINT64_MAX)
        tut_json_put_or_null(j, key, TUT_LIT(""));
    else
        tut_json_put_u64(j, key, index);
}

static void put_keys(tut_json *j, const char *name, const tut_person *p)
{
    tut_json_key(j, name);
    tut_json_array(j);
    for (size_t i = 0; i < p->key_count; i++) {
        const tut_person_key *k = &p->keys[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", tut_pubkey_id(k->key));
        tut_json_put_z(j, "type", tut_key_type_name(tut_pubkey_type(k->key)));
        tut_json_put_u64(j, "from", k->from);
        put_index(j, "until", k->until);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_person(tut_json *j, const tut_person *p)
{
    tut_json_object(j);
    tut_json_put_z(j, "name", p->name);
    tut_json_put_bool(j, "root", p->is_root);
    tut_json_put_bool(j, "active", p->is_active);
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (p->roles & 1u << i)
            tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
    put_keys(j, "keys", p);
    tut_json_end_object(j);
}

static tut_status roster(const deriving *d, const tut_people *people)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.pack-keys/1");
    put_keys(j, "log", &people->log);
    put_keys(j, "tool", &people->tool);
    tut_json_key(j, "people");
    tut_json_array(j);
    for (size_t i = 0; i < people->count; i++)
        put_person(j, &people->items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, d->err));
    tut_buf_add_z(&text, "\n");
    return add(d, "keys/keys.json", &text);
}

static tut_status keys_of(const deriving *d, const tut_person *p)
{
    for (size_t i = 0; i < p->key_count; i++) {
        char name[TUT_PACK_NAME];
        tut_str pem = tut_pubkey_pem(p->keys[i].key);
        (void)snprintf(name, sizeof(name), "keys/%s.pem", tut_pubkey_id(p->keys[i].key));
        TUT_TRY(d->add(d->ctx, name, tut_span_of(pem.data, pem.len), d->err));
    }
    return TUT_SUCCESS;
}

static tut_status keys(const deriving *d)
{
    const tut_people *people = d->a->records->people;
    if (!people)
        return TUT_SUCCESS;
    TUT_TRY(roster(d, people));
    TUT_TRY(keys_of(d, &people->log));
    TUT_TRY(keys_of(d, &people->tool));
    for (size_t i = 0; i < people->count; i++)
        TUT_TRY(keys_of(d, &people->items[i]));
    return TUT_SUCCESS;
}

/* --- who is believed about the log, as the owner recorded it --- */

static tut_status policies(const deriving *d)
{
    static const char *const names[TUT_VOUCHER_COUNT] = {"policy/witnesses.policy",
                                                         "policy/timestamp-ca.pem"};
    for (size_t i = 0; i < TUT_VOUCHER_COUNT; i++) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        const tut_record *r = tut_assessment_voucher(d->a, (tut_voucher)i);
        if (!r)
            continue;
        TUT_TRY(tut_ledger_get_body(d->image->ledger_then, &r->body, &bytes, d->err));
        TUT_TRY(add(d, names[i], &bytes));
    }
    return TUT_SUCCESS;
}

tut_status tut_pack_derive(const tut_pack_image *image, const tut_assessment *a,
                           const tut_pack_manifest *head, tut_pack_add add_file, void *ctx,
                           tut_error *err)
{
    const deriving d = {
        .image = image, .a = a, .head = head, .add = add_file, .ctx = ctx, .err = err};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_pack_text(head, a, &text);
    TUT_TRY(add(&d, TUT_PACK_VERIFY, &text));
    TUT_TRY(reports(&d));
    TUT_TRY(keys(&d));
    return policies(&d);
}
