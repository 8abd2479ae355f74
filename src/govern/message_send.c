/* A message goes out: signed, delivered, recorded. */
#include <stdio.h>

#include "assess/tool.h"
#include "base/json_write.h"
#include "govern/message_channel.h"
#include "govern/message_internal.h"
#include "ledger/bodies.h"

typedef struct sender {
    const tut_sending *s;
    tut_contacts contacts;
    tut_sha256 digest;
    tut_time at;
    tut_sent_all sent;
    size_t capacity;
    tut_error *err;
} sender;

void tut_sent_all_done(tut_sent_all *s)
{
    for (size_t i = 0; i < s->count; i++)
        tut_sent_done(&s->items[i]);
    tut_free(s->items);
    *s = (tut_sent_all){.count = 0};
}

static void sender_done(sender *x)
{
    tut_contacts_done(&x->contacts);
    tut_sent_all_done(&x->sent);
}

static tut_status nomem(sender *x)
{
    return tut_fail(x->err, TUT_NOMEM, "memory ran out");
}

/* --- entries --- */

static tut_status fill_record(tut_record *r, const char *kind, const tut_subject *subjects,
                              size_t count, const char *actor, const char *statement,
                              tut_error *err)
{
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    *r = (tut_record){.type = TUT_RECORD_EVENT,
                      .at = tut_time_now(),
                      .check = kind,
                      .subjects = subjects,
                      .subject_count = count,
                      .actor = actor,
                      .statement = statement,
                      .tool_binary = tool.binary,
                      .tool_catalogue = tool.catalogue,
                      .tool_rules = tool.rules};
    return TUT_SUCCESS;
}

static tut_status issue(sender *x)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    const tut_subject subject = {.name = x->s->name, .digest = x->digest};
    tut_record r;
    if (x->s->before) {
        x->sent.issued = x->s->before->issued->index;
        return TUT_SUCCESS;
    }
    TUT_TRY(fill_record(&r, TUT_MESSAGE_ISSUED, &subject, 1, x->s->by, x->s->title, x->err));
    TUT_TRY(tut_ledger_open(x->s->state_dir, true, &ledger, x->err));
    r.has_body = true;
    TUT_TRY(
        tut_ledger_put_body(ledger, tut_span_of(x->s->text.data, x->s->text.len), &r.body, x->err));
    TUT_TRY(tut_ledger_append_signed(ledger, &r, &x->s->signer, 1, x->err));
    x->sent.issued = r.index;
    return TUT_SUCCESS;
}

static void put_delivery(tut_json *j, const tut_delivery *d)
{
    tut_json_object(j);
    tut_json_put_z(j, "to", d->to);
    tut_json_put_bool(j, "delivered", d->is_delivered);
    tut_json_put_time(j, "at", d->at);
    tut_json_put_int(j, "code", d->code);
    tut_json_put_z(j, "why", d->is_delivered ? NULL : d->why);
    tut_json_key(j, "address");
    if (d->has_address)
        tut_json_sha256(j, d->address.bytes);
    else
        tut_json_null(j);
    tut_json_end_object(j);
}

static tut_status write_body(const sender *x, const tut_sent *sent, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", TUT_DELIVERY_SCHEMA);
    tut_json_put_z(j, "message", x->s->name);
    tut_json_key(j, "digest");
    tut_json_sha256(j, x->digest.bytes);
    tut_json_put_z(j, "channel", sent->channel);
    tut_json_put_z(j, "kind", sent->kind);
    tut_json_key(j, "deliveries");
    tut_json_array(j);
    for (size_t i = 0; i < sent->count; i++)
        put_delivery(j, &sent->items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, x->err);
}

/* Pseudonyms are made here, as only the log's keeper has the key. */
static tut_status name_addresses(sender *x, tut_ledger *ledger, tut_sent *sent)
{
    for (size_t i = 0; i < sent->count; i++) {
        tut_delivery *d = &sent->items[i];
        tut_str address = d->to && !d->has_address
                              ? tut_contacts_address(&x->contacts, tut_str_of(d->to))
                              : (tut_str){"", 0};
        if (!address.len)
            continue;
        TUT_TRY(tut_ledger_keyed_digest(ledger, x->at, tut_span_of(address.data, address.len),
                                        &d->address, x->err));
        d->has_address = true;
    }
    return TUT_SUCCESS;
}

static tut_status record_sent(sender *x, tut_sent *sent)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO_FREE char *over = tut_asprintf("%s over %s", x->s->name, sent->channel);
    /* the second tells channels apart, so that the newest of each is found */
    const tut_subject subjects[] = {{x->s->name, x->digest}, {over, x->digest}};
    size_t delivered = 0;
    tut_record r;
    for (size_t i = 0; i < sent->count; i++)
        delivered += sent->items[i].is_delivered;
    TUT_AUTO_FREE char *statement = tut_asprintf("Over %s (%s): delivered %zu of %zu.",
                                                 sent->channel, sent->kind, delivered, sent->count);
    if (!over || !statement)
        return nomem(x);
    TUT_TRY(fill_record(&r, TUT_MESSAGE_SENT, subjects, 2, "tool", statement, x->err));
    TUT_TRY(tut_ledger_open(x->s->state_dir, true, &ledger, x->err));
    TUT_TRY(name_addresses(x, ledger, sent));
    TUT_TRY(write_body(x, sent, &body));
    r.has_body = true;
    TUT_TRY(tut_ledger_put_body(ledger, tut_buf_span(&body), &r.body, x->err));
    TUT_TRY(tut_ledger_append(ledger, &r, 1, x->err));
    sent->index = r.index;
    return TUT_SUCCESS;
}

/* --- over one channel --- */

static const tut_delivery *delivered_before(const sender *x, const char *channel, const char *to)
{
    const tut_message *m = x->s->before;
    for (size_t i = 0; m && i < m->sent_count; i++)
        for (size_t k = 0; strcmp(m->sent[i].channel, channel) == 0 && k < m->sent[i].count; k++) {
            const tut_delivery *d = &m->sent[i].items[k];
            bool is_same = to ? d->to && strcmp(d->to, to) == 0 : !d->to;
            if (is_same && d->is_delivered)
                return d;
        }
    return NULL;
}

static tut_status add_reader(sender *x, tut_sent *sent, const char *to)
{
    const tut_delivery *before = delivered_before(x, sent->channel, to);
    if (!tut_is_ok(tut_grow(&sent->items, sent->count, &sent->capacity, sizeof(*sent->items))))
        return nomem(x);
    tut_delivery *d = &sent->items[sent->count++];
    *d = before ? *before : (tut_delivery){.at = x->at};
    d->to = to ? tut_strdup(to) : NULL;
    return !to || d->to ? TUT_SUCCESS : nomem(x);
}

static tut_status add_readers(sender *x, const tut_channel *c, tut_sent *sent)
{
    const tut_message_policy *p = x->s->policy;
    if (c->kind != TUT_CHANNEL_SMTP)
        return add_reader(x, sent, NULL);
    for (size_t i = 0; !x->s->to_users && i < x->s->reader_count; i++)
        TUT_TRY(add_reader(x, sent, x->s->readers[i]));
    for (size_t i = 0; x->s->to_users && i < p->users.count; i++) {
        TUT_AUTO_FREE char *name = tut_strndup(p->users.items[i].data, p->users.items[i].len);
        if (!name)
            return nomem(x);
        TUT_TRY(add_reader(x, sent, name));
    }
    return TUT_SUCCESS;
}

static void fail_all(tut_sent *sent, size_t from, const char *why)
{
    for (size_t i = from; i < sent->count; i++)
        if (!sent->items[i].is_delivered)
            (void)snprintf(sent->items[i].why, sizeof(sent->items[i].why), "%s", why);
}

static tut_status deliver_one(sender *x, tut_link *link, tut_delivery *d, bool *ret_is_dead)
{
    tut_posted_letter posted;
    tut_letter letter = {.name = x->s->name,
                         .title = x->s->title,
                         .text = x->s->shown,
                         .digest = x->digest,
                         .at = tut_time_now()};
    if (d->to) {
        letter.address = tut_contacts_address(&x->contacts, tut_str_of(d->to));
        if (!letter.address.len) {
            (void)snprintf(d->why, sizeof(d->why), "no address is known");
            return TUT_SUCCESS;
        }
    }
    TUT_TRY(tut_link_deliver(link, &letter, &posted, x->err));
    d->is_delivered = posted.posting == TUT_POSTED;
    d->at = tut_time_now();
    d->code = posted.code;
    tut_str_copy(d->why, sizeof(d->why), tut_str_of(posted.why));
    *ret_is_dead = posted.posting == TUT_POST_DEAD;
    return TUT_SUCCESS;
}

static tut_status deliver_all(sender *x, tut_link *link, tut_sent *sent)
{
    bool is_dead = false;
    for (size_t i = 0; i < sent->count; i++) {
        if (x->s->progress)
            x->s->progress(x->s->ctx, sent->channel, i, sent->count);
        if (sent->items[i].is_delivered)
            continue;
        TUT_TRY(deliver_one(x, link, &sent->items[i], &is_dead));
        if (is_dead) { /* the others would only wait for the same silence */
            fail_all(sent, i + 1, sent->items[i].why);
            break;
        }
    }
    return TUT_SUCCESS;
}

static tut_status send_over(sender *x, const tut_channel *c)
{
    TUT_CLEAN(tut_sent)
    sent = {.channel = tut_strndup(c->id.data, c->id.len),
            .kind = tut_strdup(tut_channel_kinds[c->kind])};
    TUT_AUTO(tut_link) link = NULL;
    tut_error why = {0};
    if (!sent.channel || !sent.kind)
        return nomem(x);
    TUT_TRY(add_readers(x, c, &sent));
    if (sent.count == 0 || tut_sent_is_whole(&sent))
        return TUT_SUCCESS;
    /* Whoever interrupts is heard at once: the log is not written any more then. */
    if (tut_is_ok(tut_link_open(c, x->s->system, &link, &why)))
        TUT_TRY(deliver_all(x, link, &sent));
    else
        fail_all(&sent, 0, why.text);
    TUT_TRY(record_sent(x, &sent));
    if (!tut_is_ok(tut_grow(&x->sent.items, x->sent.count, &x->capacity, sizeof(*x->sent.items))))
        return nomem(x);
    x->sent.items[x->sent.count++] = sent;
    sent = (tut_sent){.channel = NULL};
    return TUT_SUCCESS;
}

/* --- the whole --- */

static tut_status check(sender *x)
{
    const tut_message_policy *p = x->s->policy;
    size_t count = 0;
    for (size_t i = 0; i < p->channel_count; i++)
        count += tut_channel_reaches(&p->channels[i], x->s->to_users) &&
                 (p->channels[i].kind != TUT_CHANNEL_SMTP || !x->s->to_users || p->users.count > 0);
    if (count == 0)
        return tut_fail(x->err, TUT_USAGE,
                        "no channel reaches %s; messages.channels of tutela.yaml says over which "
                        "they are told%s",
                        x->s->to_users ? "users" : "staff",
                        x->s->to_users ? ", and messages.users to whom mail goes" : "");
    if (x->s->text.len == 0 || x->s->text.len > TUT_MESSAGE_BYTES)
        return tut_fail(x->err, TUT_LIMIT, "a message is of at most %d KiB",
                        TUT_MESSAGE_BYTES >> 10);
    return TUT_SUCCESS;
}

tut_status tut_message_send(const tut_sending *s, tut_sent_all *ret, tut_error *err)
{
    tut_error local = {0};
    __attribute__((cleanup(sender_done)))
    sender x = {.s = s, .at = tut_time_now(), .err = err ? err : &local};
    TUT_TRY(check(&x));
    TUT_TRY(tut_contacts_read(s->system, s->policy, &x.contacts, x.err));
    TUT_TRY(tut_sha256_of(tut_span_of(s->text.data, s->text.len), &x.digest, x.err));
    TUT_TRY(issue(&x));
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < s->policy->channel_count && tut_is_ok(status); i++)
        if (tut_channel_reaches(&s->policy->channels[i], s->to_users))
            status = send_over(&x, &s->policy->channels[i]);
    *ret = x.sent;
    x.sent = (tut_sent_all){.count = 0};
    return status;
}

tut_status tut_message_receive(tut_ledger *ledger, const tut_message *m, const char *person,
                               const tut_key *key, uint64_t *ret_index, tut_error *err)
{
    const tut_subject subject = {.name = m->name, .digest = m->digest};
    tut_record r;
    TUT_TRY(
        fill_record(&r, TUT_MESSAGE_RECEIVED, &subject, 1, person, "Read and understood.", err));
    TUT_TRY(tut_ledger_append_signed(ledger, &r, &key, 1, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}
