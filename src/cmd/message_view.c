#include "cmd/message_view.h"

#include <string.h>

void tut_message_progress(void *ctx, const char *channel, size_t done, size_t total)
{
    tut_progress_step(ctx, channel, done, total);
}

static size_t count_delivered(const tut_sent *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->items[i].is_delivered;
    return count;
}

bool tut_message_is_delivered(const tut_sent_all *sent)
{
    for (size_t i = 0; i < sent->count; i++)
        if (!tut_sent_is_whole(&sent->items[i]))
            return false;
    return true;
}

void tut_message_tell(const tut_sent_all *sent, tut_buf *out)
{
    for (size_t i = 0; i < sent->count; i++) {
        const tut_sent *s = &sent->items[i];
        tut_buf_printf(out, "  %s (%s): delivered %zu of %zu, entry %llu\n", s->channel, s->kind,
                       count_delivered(s), s->count, (unsigned long long)s->index);
        for (size_t k = 0; k < s->count; k++) {
            const tut_delivery *d = &s->items[k];
            if (d->is_delivered)
                continue;
            tut_buf_add_z(out, "    not delivered");
            if (d->to) {
                tut_buf_add_z(out, " to ");
                tut_buf_add_escaped(out, tut_str_of(d->to), 100);
            }
            tut_buf_add_z(out, ": ");
            tut_buf_add_escaped(out, tut_str_of(d->why), sizeof(d->why));
            tut_buf_add_byte(out, '\n');
        }
    }
    if (sent->count == 0)
        tut_buf_add_z(out, "  it was delivered over every channel before\n");
}

void tut_message_lines(tut_buf *out, tut_str text)
{
    text = tut_str_trim(text);
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        tut_buf_add_escaped(out, (tut_str){text.data, len}, len);
        tut_buf_add_byte(out, '\n');
        len += end != NULL;
        text = (tut_str){text.data + len, text.len - len};
    }
}

static void put_time(tut_json *j, const char *key, tut_time t)
{
    tut_json_key(j, key);
    if (t)
        tut_json_time(j, t);
    else
        tut_json_null(j);
}

void tut_item_put_head(tut_json *j, const char *id, const char *state, tut_time since, tut_time due,
                       const char *by, uint64_t index)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", id);
    tut_json_put_z(j, "state", state);
    put_time(j, "since", since);
    put_time(j, "due", due);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (by)
        tut_json_z(j, by);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    if (index != UINT64_MAX)
        tut_json_u64(j, index);
    tut_json_end_array(j);
}

void tut_message_put_items(tut_json *j, const tut_sent_all *sent, const char *name, const char *by)
{
    for (size_t i = 0; i < sent->count; i++) {
        const tut_sent *s = &sent->items[i];
        size_t delivered = count_delivered(s);
        tut_item_put_head(j, s->channel,
                          delivered == s->count ? "delivered"
                          : delivered           ? "partly"
                                                : "failed",
                          s->items[0].at, 0, by, s->index);
        tut_json_put_z(j, "message", name);
        tut_json_put_u64(j, "issued", sent->issued);
        tut_json_put_z(j, "kind", s->kind);
        tut_json_key(j, "deliveries");
        tut_json_array(j);
        for (size_t k = 0; k < s->count; k++) {
            tut_json_object(j);
            tut_json_put_z(j, "to", s->items[k].to);
            tut_json_put_bool(j, "delivered", s->items[k].is_delivered);
            tut_json_put_int(j, "code", s->items[k].code);
            tut_json_put_z(j, "why", s->items[k].is_delivered ? NULL : s->items[k].why);
            tut_json_end_object(j);
        }
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
}
