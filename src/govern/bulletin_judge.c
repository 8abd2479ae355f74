/* What bulletins come to, for `assess`. */
#include <stdio.h>

#include "base/json_write.h"
#include "govern/bulletin.h"

enum { NAMED_MAX = 3 };

static const char *name_of(const tut_bulletin_standing *s)
{
    return s->message->name + sizeof(TUT_BULLETIN_BEGINNING) - 1;
}

/* --- the body: tutela.bulletins/1 --- */

static void put_channels(tut_json *j, const tut_message *m)
{
    tut_json_key(j, "channels");
    tut_json_array(j);
    for (size_t i = 0; i < m->sent_count; i++) {
        size_t delivered = 0;
        for (size_t k = 0; k < m->sent[i].count; k++)
            delivered += m->sent[i].items[k].is_delivered;
        tut_json_object(j);
        tut_json_put_z(j, "channel", m->sent[i].channel);
        tut_json_put_z(j, "kind", m->sent[i].kind);
        tut_json_put_u64(j, "entry", m->sent[i].index);
        tut_json_put_u64(j, "delivered", delivered);
        tut_json_put_u64(j, "of", m->sent[i].count);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_bulletin(tut_json *j, const tut_bulletin_standing *s)
{
    tut_json_object(j);
    tut_json_put_z(j, "bulletin", name_of(s));
    tut_json_key(j, "digest");
    tut_json_sha256(j, s->message->digest.bytes);
    tut_json_put_z(j, "state", tut_bulletin_state_name(s->state));
    tut_json_put_z(j, "by", s->message->by);
    tut_json_put_u64(j, "entry", s->message->issued->index);
    tut_json_put_time(j, "until", s->until);
    tut_json_put_u64(j, "read_by", s->readers);
    tut_json_key(j, "not_read_by");
    tut_json_array(j);
    for (size_t i = 0; i < s->missing_count; i++)
        tut_json_z(j, s->missing[i]->name);
    tut_json_end_array(j);
    put_channels(j, s->message);
    tut_json_end_object(j);
}

static tut_status write_body(const tut_bulletins *b, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.bulletins/1");
    tut_json_key(j, "bulletins");
    tut_json_array(j);
    for (size_t i = 0; i < b->count; i++)
        if (tut_bulletin_is_in_force(&b->items[i]) || b->items[i].state == TUT_BULLETIN_BROKEN)
            put_bulletin(j, &b->items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* --- train.bulletins --- */

static const tut_bulletin_standing *first_of(const tut_bulletins *b, tut_bulletin_state state)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->items[i].state == state)
            return &b->items[i];
    return NULL;
}

static size_t count_of(const tut_bulletins *b, tut_bulletin_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++)
        count += b->items[i].state == state;
    return count;
}

static void name_late(const tut_bulletin_standing *s, tut_buf *out)
{
    size_t named = 0;
    for (size_t i = 0; i < s->missing_count; i++) {
        if (!s->is_late[i])
            continue;
        if (named++ < NAMED_MAX) {
            tut_buf_add_z(out, named > 1 ? ", " : "");
            tut_buf_add_escaped(out, tut_str_of(s->missing[i]->name), 60);
        }
    }
    if (named > NAMED_MAX)
        tut_buf_printf(out, " and %zu more", named - NAMED_MAX);
}

/* When time alone makes it something else: a reader is late, or the last one read is over. */
static tut_time holds_until(const tut_bulletins *b)
{
    tut_time due = 0, end = 0;
    for (size_t i = 0; i < b->count; i++) {
        const tut_bulletin_standing *s = &b->items[i];
        if (s->state == TUT_BULLETIN_OPEN && (due == 0 || s->due < due))
            due = s->due;
        if (s->state == TUT_BULLETIN_READ && s->until > end)
            end = s->until;
    }
    return due && due < end ? due : end;
}

static void judge(const tut_bulletins *b, tut_training_finding *f, tut_buf *text)
{
    char day[TUT_TIME_TEXT];
    const tut_bulletin_standing *s;
    f->result = TUT_RESULT_FAIL;
    if ((s = first_of(b, TUT_BULLETIN_BROKEN))) {
        tut_buf_printf(text, "The text of bulletin %s is missing from the ledger, or altered.",
                       name_of(s));
        return;
    }
    if ((s = first_of(b, TUT_BULLETIN_OVERDUE))) {
        tut_buf_printf(text, "Bulletin %s was not read in time by ", name_of(s));
        name_late(s, text);
        tut_buf_add_byte(text, '.');
        return;
    }
    f->result = TUT_RESULT_NOT_CHECKED;
    size_t read = count_of(b, TUT_BULLETIN_READ);
    if (read) {
        f->result = TUT_RESULT_PASS;
        f->holds_until = holds_until(b);
        size_t open = count_of(b, TUT_BULLETIN_OPEN);
        tut_buf_printf(text, "%zu in force %s countermeasures and %s read by everyone %s for", read,
                       read == 1 ? "names" : "name", read == 1 ? "was" : "were",
                       read == 1 ? "it is" : "they are");
        if (open)
            tut_buf_printf(text, "; %zu more may still be read", open);
        tut_buf_add_byte(text, '.');
    } else if ((s = first_of(b, TUT_BULLETIN_OPEN))) {
        tut_time_date(s->due, day);
        tut_buf_printf(text, "Bulletin %s waits for %zu %s, the first of them until %s.",
                       name_of(s), s->missing_count, s->missing_count == 1 ? "reader" : "readers",
                       day);
    } else if ((s = first_of(b, TUT_BULLETIN_NOBODY))) {
        tut_buf_printf(text, "Nobody is enrolled whom bulletin %s is for.", name_of(s));
    } else {
        tut_buf_add_z(text, b->count ? "No bulletin is in force any more: a new one has to be sent."
                                     : "No bulletin about threats was ever sent.");
    }
}

static tut_status finish(const tut_bulletins *b, tut_buf *text, tut_training_finding *f,
                         tut_error *err)
{
    tut_str_copy(f->statement, sizeof(f->statement), tut_buf_str(text));
    return write_body(b, &f->body, err);
}

tut_status tut_bulletins_judge(const tut_bulletins *b, tut_training_finding *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    ret->check = "train.bulletins";
    judge(b, ret, &text);
    return finish(b, &text, ret, err);
}

/* --- train.channels --- */

static void tell_why(const tut_message *m, tut_buf *text)
{
    for (size_t i = 0; i < m->sent_count; i++) {
        const tut_sent *s = &m->sent[i];
        for (size_t k = 0; k < s->count; k++)
            if (!s->items[k].is_delivered) {
                tut_buf_printf(text, " %s: ", s->channel);
                if (s->items[k].to) {
                    tut_buf_add_escaped(text, tut_str_of(s->items[k].to), 60);
                    tut_buf_add_z(text, ", ");
                }
                tut_buf_printf(text, "%s.", s->items[k].why);
                break;
            }
    }
}

tut_status tut_bulletins_judge_channels(const tut_bulletins *b, tut_training_finding *ret,
                                        tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t count = 0, least = SIZE_MAX;
    ret->check = "train.channels";
    ret->result = TUT_RESULT_NOT_CHECKED;
    for (size_t i = 0; i < b->count; i++) {
        const tut_bulletin_standing *s = &b->items[i];
        size_t channels = tut_message_channels(s->message);
        if (!tut_bulletin_is_in_force(s) || s->state == TUT_BULLETIN_NOBODY)
            continue;
        count++;
        least = channels < least ? channels : least;
        if (s->until > ret->holds_until)
            ret->holds_until = s->until;
        if (channels >= 2 || text.len)
            continue;
        ret->result = TUT_RESULT_FAIL;
        tut_buf_printf(&text, "Bulletin %s was delivered over %zu %s, and two are wanted.",
                       name_of(s), channels, channels == 1 ? "channel" : "channels");
        tell_why(s->message, &text);
    }
    if (count == 0)
        tut_buf_add_z(&text, "No bulletin is in force that is for anybody.");
    else if (!text.len) {
        ret->result = TUT_RESULT_PASS;
        tut_buf_printf(&text,
                       "Each bulletin in force (%zu) was delivered over %zu or more "
                       "channels.",
                       count, least);
    }
    return finish(b, &text, ret, err);
}

/* --- the step of assess --- */

tut_status tut_govern_step_bulletins(tut_governing *g)
{
    TUT_CLEAN(tut_bulletins) b = {.items = NULL};
    TUT_CLEAN(tut_training_finding) read = {.check = NULL};
    TUT_CLEAN(tut_training_finding) channels = {.check = NULL};
    tut_message_policy messages;
    tut_reading_policy policy;
    TUT_TRY(tut_message_policy_read(g->system, &messages, NULL, g->err));
    TUT_TRY(tut_reading_policy_read(g->system, &policy, NULL, g->err));
    if (!policy.node)
        return TUT_SUCCESS;
    TUT_TRY(tut_bulletins_load(g->ledger, g->records, &policy, g->at, &b, g->err));
    TUT_TRY(tut_bulletins_judge(&b, &read, g->err));
    TUT_TRY(tut_training_attest(g, &read));
    TUT_TRY(tut_bulletins_judge_channels(&b, &channels, g->err));
    return tut_training_attest(g, &channels);
}
