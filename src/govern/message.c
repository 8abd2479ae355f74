/* Messages as the log tells of them. */
#include "govern/message.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "govern/message_internal.h"

static void delivery_done(tut_delivery *d)
{
    tut_free(d->to);
}

void tut_sent_done(tut_sent *s)
{
    for (size_t i = 0; i < s->count; i++)
        delivery_done(&s->items[i]);
    tut_free(s->items);
    tut_free(s->channel);
    tut_free(s->kind);
    *s = (tut_sent){.channel = NULL};
}

bool tut_sent_is_whole(const tut_sent *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->items[i].is_delivered)
            return false;
    return s->count > 0;
}

void tut_messages_done(tut_messages *m)
{
    for (size_t i = 0; i < m->count; i++) {
        for (size_t k = 0; k < m->items[i].sent_count; k++)
            tut_sent_done(&m->items[i].sent[k]);
        tut_free(m->items[i].sent);
        tut_free(m->items[i].receipts);
        tut_buf_done(&m->items[i].text);
    }
    tut_free(m->items);
    *m = (tut_messages){.items = NULL};
}

/* --- what is signed --- */

static const tut_record_signer *person_of(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts && !r->signers[i].is_tool && r->signers[i].name)
            return &r->signers[i];
    return NULL;
}

static bool is_kind(const tut_record *r, const char *kind)
{
    return r->type == TUT_RECORD_EVENT && r->subject_count > 0 && strcmp(r->check, kind) == 0;
}

static bool is_about(const tut_record *r, const tut_message *m)
{
    return strcmp(r->subjects[0].name, m->name) == 0 &&
           tut_sha256_eq(&r->subjects[0].digest, &m->digest);
}

const tut_record *tut_message_receipt(const tut_message *m, const char *person)
{
    for (size_t i = 0; i < m->receipt_count; i++)
        if (strcmp(m->receipts[i].by, person) == 0)
            return m->receipts[i].record;
    return NULL;
}

static tut_status take_receipt(const tut_record *r, tut_message *m, tut_error *err)
{
    const tut_record_signer *s = r->doubt ? NULL : person_of(r);
    if (!s || tut_message_receipt(m, s->name))
        return TUT_SUCCESS;
    if (!tut_is_ok(
            tut_grow(&m->receipts, m->receipt_count, &m->receipt_capacity, sizeof(*m->receipts))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->receipts[m->receipt_count++] = (tut_receipt_given){s->name, r};
    return TUT_SUCCESS;
}

/* --- deliveries --- */

static tut_status read_delivery(const tut_json_value *v, tut_delivery *d, tut_error *err)
{
    const tut_json_value *address = tut_json_get(v, "address");
    tut_str to = tut_json_get_text(v, "to");
    *d = (tut_delivery){.is_delivered = tut_json_get_bool(v, "delivered", false),
                        .code = (int)tut_json_get_int(v, "code", 0)};
    d->has_address = tut_is_ok(tut_sha256_parse(tut_json_get_text(address, "sha256"), &d->address));
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(v, "at"), &d->at)))
        d->is_delivered = false;
    tut_str_copy(d->why, sizeof(d->why), tut_json_get_text(v, "why"));
    if (to.len && !(d->to = tut_strndup(to.data, to.len)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

static tut_status read_sent(const tut_json_value *root, const tut_message *m, tut_sent *s,
                            bool *ret_is_one, tut_error *err)
{
    const tut_json_value *list = tut_json_get(root, "deliveries");
    tut_str channel = tut_json_get_text(root, "channel"), kind = tut_json_get_text(root, "kind");
    if (!tut_str_eq_z(tut_json_get_text(root, "schema"), TUT_DELIVERY_SCHEMA) ||
        !tut_str_eq_z(tut_json_get_text(root, "message"), m->name) || !channel.len ||
        tut_json_count(list) > TUT_MESSAGE_CONTACTS)
        return TUT_SUCCESS;
    s->channel = tut_strndup(channel.data, channel.len);
    s->kind = tut_strndup(kind.data, kind.len);
    if (!s->channel || !s->kind)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        TUT_TRY(tut_grow(&s->items, s->count, &s->capacity, sizeof(*s->items)));
        TUT_TRY(read_delivery(tut_json_item(list, i), &s->items[s->count++], err));
    }
    *ret_is_one = true;
    return TUT_SUCCESS;
}

static bool has_channel(const tut_message *m, const char *channel)
{
    for (size_t i = 0; i < m->sent_count; i++)
        if (strcmp(m->sent[i].channel, channel) == 0)
            return true;
    return false;
}

static tut_status take_sent(const tut_ledger *ledger, const tut_record *r, tut_message *m,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_sent) s = {.record = r, .index = r->index};
    bool is_one = false;
    if (r->doubt || !r->has_body ||
        !tut_is_ok(tut_ledger_get_body(ledger, &r->body, &body, NULL)) ||
        !tut_is_ok(tut_json_parse(tut_buf_span(&body), NULL, &doc, NULL)))
        return TUT_SUCCESS;
    TUT_TRY(read_sent(tut_json_root(doc), m, &s, &is_one, err));
    if (!is_one || has_channel(m, s.channel))
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&m->sent, m->sent_count, &m->sent_capacity, sizeof(*m->sent)));
    m->sent[m->sent_count++] = s;
    s = (tut_sent){.channel = NULL};
    return TUT_SUCCESS;
}

size_t tut_message_channels(const tut_message *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->sent_count; i++)
        count += tut_sent_is_whole(&m->sent[i]);
    return count;
}

/* --- all of them --- */

static tut_message *find(const tut_messages *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].name, name) == 0)
            return &m->items[i];
    return NULL;
}

const tut_message *tut_messages_find(const tut_messages *m, const char *name)
{
    return find(m, name);
}

static tut_status take_issued(tut_messages *all, const tut_record *r, tut_error *err)
{
    const tut_record_signer *s = r->doubt ? NULL : person_of(r);
    if (!s)
        return TUT_SUCCESS;
    tut_message *m = find(all, r->subjects[0].name);
    if (!m) {
        if (!tut_is_ok(tut_grow(&all->items, all->count, &all->capacity, sizeof(*all->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        m = &all->items[all->count++];
        *m = (tut_message){.name = r->subjects[0].name};
    }
    m->digest = r->subjects[0].digest;
    m->issued = r;
    m->by = s->name;
    m->roles = s->roles;
    return TUT_SUCCESS;
}

static tut_status take_text(const tut_ledger *ledger, tut_message *m, tut_error *err)
{
    tut_sha256 digest;
    tut_buf_init(&m->text, TUT_MESSAGE_BYTES);
    bool is_read = m->issued->has_body &&
                   tut_is_ok(tut_ledger_get_body(ledger, &m->issued->body, &m->text, NULL));
    if (is_read)
        TUT_TRY(tut_sha256_of(tut_buf_span(&m->text), &digest, err));
    if (!is_read || !tut_sha256_eq(&digest, &m->digest))
        tut_buf_clear(&m->text);
    return TUT_SUCCESS;
}

/* Of deliveries the newest of each channel, of receipts the first of each person. */
static tut_status take_rest(const tut_messages *all, const tut_ledger *ledger, tut_error *err)
{
    const tut_records *records = all->records;
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        tut_message *m = is_kind(r, TUT_MESSAGE_SENT) ? find(all, r->subjects[0].name) : NULL;
        if (m && is_about(r, m))
            TUT_TRY(take_sent(ledger, r, m, err));
    }
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        tut_message *m = is_kind(r, TUT_MESSAGE_RECEIVED) ? find(all, r->subjects[0].name) : NULL;
        if (m && is_about(r, m))
            TUT_TRY(take_receipt(r, m, err));
    }
    return TUT_SUCCESS;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tut_message *)a)->name, ((const tut_message *)b)->name);
}

tut_status tut_messages_read(const tut_ledger *ledger, const tut_records *records,
                             const char *beginning, tut_messages *ret, tut_error *err)
{
    TUT_CLEAN(tut_messages) all = {.records = records};
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        if (is_kind(r, TUT_MESSAGE_ISSUED) &&
            strncmp(r->subjects[0].name, beginning, strlen(beginning)) == 0)
            TUT_TRY(take_issued(&all, r, err));
    }
    for (size_t i = 0; i < all.count; i++)
        TUT_TRY(take_text(ledger, &all.items[i], err));
    TUT_TRY(take_rest(&all, ledger, err));
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), by_name);
    *ret = all;
    all = (tut_messages){.items = NULL};
    return TUT_SUCCESS;
}
