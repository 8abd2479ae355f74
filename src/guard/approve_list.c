/* What waits, as it lies in DIR/holds. */
#include <dirent.h>
#include <stdlib.h>

#include "base/fs.h"
#include "guard/approve.h"
#include "guard/hold_internal.h"

void tut_waiting_list_done(tut_waiting_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        tut_hold_done(&l->items[i].hold);
    tut_free(l->items);
    *l = (tut_waiting_list){0};
}

static void close_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static tut_status exists(const char *dir, const char *id, const char *suffix, bool *ret_exists,
                         tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_hold_path(dir, id, suffix);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_exists = tut_fs_exists(path);
    return TUT_SUCCESS;
}

static tut_status read_seen(const char *dir, tut_waiting *w, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_hold_path(dir, w->hold.id, ".seen");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    uint64_t at;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_fs_exists(path) && tut_is_ok(tut_fs_read(path, 32, &text, NULL)) &&
        tut_str_u64(tut_str_trim(tut_buf_str(&text)), &at) && at <= INT64_MAX)
        w->seen_ms = (int64_t)at;
    return TUT_SUCCESS;
}

/* A decision that came in time is one for ever after; the guard itself asks more strictly. */
static tut_status take_state(const char *dir, const tut_approvers *who, int64_t now_ms,
                             tut_waiting *w, tut_error *err)
{
    const tut_hold *h = &w->hold;
    bool is_gone = false;
    TUT_TRY(tut_hold_look_at(dir, h, who, now_ms < h->expires_ms ? now_ms : h->expires_ms, &w->look,
                             err));
    TUT_TRY(exists(dir, h->id, ".gone", &is_gone, err));
    if (w->look.state == TUT_HOLD_WAITING && is_gone)
        w->look.state = TUT_HOLD_WITHDRAWN;
    else if (w->look.state == TUT_HOLD_WAITING && now_ms > h->expires_ms)
        w->look.state = TUT_HOLD_EXPIRED;
    return read_seen(dir, w, err);
}

static tut_status add(tut_waiting_list *l, const char *dir, const char *id,
                      const tut_approvers *who, int64_t now_ms, tut_error *err)
{
    tut_error why = {0};
    if (!tut_is_ok(tut_grow(&l->items, l->count, &l->capacity, sizeof(*l->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_waiting *w = &l->items[l->count];
    *w = (tut_waiting){0};
    tut_status status = tut_hold_read(dir, id, &w->hold, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        if (l->unreadable++ == 0)
            tut_str_copy(l->why, sizeof(l->why), tut_str_of(why.text));
        return TUT_SUCCESS;
    }
    l->count++;
    return take_state(dir, who, now_ms, w, err);
}

static int by_age(const void *a, const void *b)
{
    const tut_hold *x = &((const tut_waiting *)a)->hold, *y = &((const tut_waiting *)b)->hold;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

tut_status tut_waiting_read(const char *dir, const tut_approvers *who, int64_t now_ms,
                            tut_waiting_list *ret_list, tut_error *err)
{
    TUT_AUTO_FREE char *holds = tut_fs_join(dir, "holds");
    TUT_CLEAN(tut_waiting_list) l = {0};
    if (!holds)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    __attribute__((cleanup(close_dir))) DIR *d = opendir(holds);
    for (struct dirent *e; d && (e = readdir(d));) {
        tut_str name = tut_str_of(e->d_name);
        char id[TUT_HOLD_ID];
        if (name.len != TUT_HOLD_ID - 1 + 5 || !tut_str_ends(name, TUT_LIT(".json")))
            continue;
        tut_str_copy(id, sizeof(id), (tut_str){name.data, TUT_HOLD_ID - 1});
        if (tut_hold_is_id(tut_str_of(id)))
            TUT_TRY(add(&l, dir, id, who, now_ms, err));
    }
    if (l.count)
        qsort(l.items, l.count, sizeof(*l.items), by_age);
    *ret_list = l;
    l = (tut_waiting_list){0};
    return TUT_SUCCESS;
}

enum { PREFIX_LEAST = 4 };

tut_status tut_waiting_find(const tut_waiting_list *l, tut_str id, const tut_waiting **ret_item,
                            tut_error *err)
{
    const tut_waiting *found = NULL;
    if (id.len < PREFIX_LEAST)
        return tut_fail(err, TUT_USAGE, "an id is named by at least %d of its digits",
                        PREFIX_LEAST);
    for (size_t i = 0; i < l->count; i++) {
        if (!tut_str_starts(tut_str_of(l->items[i].hold.id), id))
            continue;
        if (found)
            return tut_fail(err, TUT_USAGE, "more than one id begins with %.*s", (int)id.len,
                            id.data);
        found = &l->items[i];
    }
    if (!found)
        return tut_fail(err, TUT_USAGE,
                        "nothing with the id %.*s waits; tutela approvals list shows what does",
                        (int)(id.len < 40 ? id.len : 40), id.data);
    *ret_item = found;
    return TUT_SUCCESS;
}

tut_status tut_waiting_seen(const char *dir, const tut_waiting *item, int64_t now_ms,
                            tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_hold_path(dir, item->hold.id, ".seen");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (item->seen_ms || item->look.state != TUT_HOLD_WAITING)
        return TUT_SUCCESS;
    tut_buf_printf(&text, "%lld\n", (long long)now_ms);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_fs_write_unsynced(path, tut_buf_span(&text), 0600, err);
}

/* --- for machines --- */

typedef struct values {
    tut_json *j;
} values;

static void put_value(void *ctx, const tut_hold_value *v)
{
    values *p = ctx;
    tut_json_object(p->j);
    tut_json_put_z(p->j, "at", v->at);
    tut_json_put_str(p->j, "text", v->text);
    tut_json_put_or_null(p->j, "source", v->source ? v->source->where : TUT_LIT(""));
    tut_json_put_bool(p->j, "untrusted", v->is_untrusted);
    tut_json_end_object(p->j);
}

void tut_waiting_json(const tut_waiting *item, tut_json *j)
{
    const tut_hold *h = &item->hold;
    TUT_CLEAN(tut_buf) sentence = TUT_BUF_INIT;
    values v = {.j = j};
    tut_json_object(j);
    tut_json_put_z(j, "id", h->id);
    tut_json_put_z(j, "state", tut_hold_state_name(item->look.state));
    tut_json_put_time(j, "since", h->at_ms / 1000);
    tut_json_put_time(j, "due", h->expires_ms / 1000);
    tut_json_key(j, "actors");
    tut_json_array(j);
    for (size_t i = 0; i < item->look.by_count; i++)
        tut_json_z(j, item->look.by[i]);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    tut_json_end_array(j);
    tut_hold_members(h, j);
    tut_hold_sentence(h, &sentence);
    tut_json_put_str(j, "explained", tut_buf_str(&sentence));
    tut_json_key(j, "values");
    tut_json_array(j);
    TUT_IGNORE(tut_hold_values(h, put_value, &v, NULL)); /* what is no JSON has none */
    tut_json_end_array(j);
    tut_json_put_u64(j, "ignored", item->look.ignored);
    tut_json_put_or_null(j, "ignored_why", tut_str_of(item->look.why));
    tut_json_end_object(j);
}
