#include "guard/approve.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/hold_internal.h"
#include "guard/live.h"
#include "state/records.h"

tut_act tut_approve_act(const tut_approve_place *place, const tut_records *records)
{
    return (tut_act){.roles = place->policy->roles,
                     .index = records->log_size,
                     .is_approval = true,
                     .lacks_training = place->lacks_training,
                     .training = place->training};
}

tut_status tut_approvers_of(const tut_approve_place *place, const tut_records *records,
                            tut_approvers **ret_who, tut_error *err)
{
    const tut_act act = tut_approve_act(place, records);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_approvers_json(records->people, &act, &text, err));
    return tut_approvers_parse(tut_buf_span(&text), ret_who, err);
}

tut_status tut_hold_is_shown(const tut_hold *h, tut_error *err)
{
    tut_sha256 digest;
    if (h->kind != TUT_HOLD_CALL || h->is_cut)
        return TUT_SUCCESS;
    TUT_TRY(tut_sha256_of(tut_span_of(h->what.data, h->what.len), &digest, err));
    if (!tut_sha256_eq(&digest, &h->digest))
        return tut_fail(err, TUT_DENIED,
                        "the arguments in the file of this hold are not those that wait (another "
                        "digest); nothing is decided about them");
    return TUT_SUCCESS;
}

/* --- the entry --- */

typedef struct fact {
    const tut_waiting *item;
    const char *decision; /* "approve", "deny", "expired", "withdrawn" */
    const char *by;       /* "" for nobody */
    int64_t at_ms;
    size_t approvals;
    tut_span envelope;
} fact;

static void put_time_read(const fact *f, tut_json *j)
{
    tut_json_key(j, "read_ms");
    if (f->item->seen_ms && f->envelope.len)
        tut_json_int(j, f->at_ms > f->item->seen_ms ? f->at_ms - f->item->seen_ms : 0);
    else
        tut_json_null(j);
}

static tut_status write_body(const fact *f, tut_buf *out, tut_error *err)
{
    const tut_hold *h = &f->item->hold;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", TUT_APPROVAL_SCHEMA);
    tut_json_put_z(j, "hold", h->id);
    tut_json_put_z(j, "kind", tut_hold_kind_name(h->kind));
    tut_json_put_z(j, "decision", f->decision);
    tut_json_put_or_null(j, "by", tut_str_of(f->by));
    tut_json_put_time(j, "since", h->at_ms / 1000);
    tut_json_put_int(j, "latency_ms", f->at_ms - h->at_ms);
    put_time_read(f, j);
    tut_json_put_str(j, "route", h->route);
    tut_json_put_or_null(j, "client", h->client);
    tut_json_put_or_null(j, "model", h->model);
    tut_json_put_or_null(j, "tool", h->tool);
    tut_json_put_or_null(j, "tool_class", h->tool_class);
    tut_json_key(j, "digest");
    tut_json_sha256(j, h->digest.bytes);
    tut_json_key(j, "policy");
    tut_json_sha256(j, h->policy.bytes);
    tut_json_key(j, "shown");
    tut_json_object(j);
    tut_json_put_u64(j, "what_bytes", h->what.len);
    tut_json_put_bool(j, "cut", h->is_cut);
    tut_json_put_u64(j, "reasons", h->reason_count);
    tut_json_put_u64(j, "sources", h->source_count);
    tut_json_end_object(j);
    tut_json_put_u64(j, "people", h->people);
    tut_json_put_u64(j, "approvals", f->approvals);
    tut_json_key(j, "envelope");
    if (f->envelope.len)
        tut_json_raw(j, tut_str_from(f->envelope));
    else
        tut_json_null(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void say(const fact *f, tut_buf *out)
{
    const tut_hold *h = &f->item->hold;
    const char *kind = tut_hold_kind_name(h->kind);
    if (f->by[0]) {
        tut_buf_add_escaped(out, tut_str_of(f->by), TUT_PERSON_NAME_MAX);
        tut_buf_printf(out, " %s the %s", strcmp(f->decision, "deny") == 0 ? "denied" : "approved",
                       kind);
    } else {
        tut_buf_printf(out, "Nobody decided about the %s", kind);
    }
    if (h->tool.len) {
        tut_buf_add_z(out, " of ");
        tut_buf_add_escaped(out, h->tool, 80);
    }
    tut_buf_add_z(out, " held on the route ");
    tut_buf_add_escaped(out, h->route, 80);
    if (f->by[0])
        tut_buf_printf(out, ", after %.1f s.", (double)(f->at_ms - h->at_ms) / 1000);
    else
        tut_buf_add_z(out, strcmp(f->decision, "expired") == 0 ? " before its time was over."
                                                               : " before its client went.");
}

static tut_status append(const tut_approve_place *p, tut_ledger *ledger, const fact *f,
                         const tut_key *key, uint64_t *ret_index, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sentence = TUT_BUF_INIT;
    char name[sizeof("hold/") + TUT_HOLD_ID];
    const tut_subject subject = {.name = name, .digest = f->item->hold.digest};
    (void)snprintf(name, sizeof(name), "hold/%s", f->item->hold.id);
    say(f, &sentence);
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = TUT_EVENT_APPROVAL,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = f->by[0] ? f->by : "tool",
                    .statement = tut_buf_z(&sentence),
                    .has_body = true,
                    .tool_binary = p->tool_binary,
                    .tool_catalogue = p->tool_catalogue,
                    .tool_rules = p->tool_rules};
    if (!r.statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(write_body(f, &body, err));
    TUT_TRY(tut_ledger_put_body(ledger, tut_buf_span(&body), &r.body, err));
    TUT_TRY(key ? tut_ledger_append_signed(ledger, &r, &key, 1, err)
                : tut_ledger_append(ledger, &r, 1, err));
    if (ret_index)
        *ret_index = r.index;
    return TUT_SUCCESS;
}

/* --- deciding --- */

static tut_status check_waits(const tut_waiting *item, tut_error *err)
{
    switch (item->look.state) {
    case TUT_HOLD_WAITING:
        return TUT_SUCCESS;
    case TUT_HOLD_APPROVED:
    case TUT_HOLD_DENIED:
        return tut_fail(err, TUT_USAGE, "%.8s was %s by %s already", item->hold.id,
                        tut_hold_state_name(item->look.state),
                        item->look.by_count ? item->look.by[0] : "somebody");
    case TUT_HOLD_EXPIRED:
        return tut_fail(err, TUT_USAGE,
                        "the time of %.8s is over; what it held was refused, and a new request "
                        "is a new hold",
                        item->hold.id);
    case TUT_HOLD_WITHDRAWN:
        return tut_fail(err, TUT_USAGE, "the client of %.8s has gone; nothing waits any more",
                        item->hold.id);
    case TUT_HOLD_STATE_COUNT:
        break;
    }
    return tut_fail(err, TUT_BUG, "a hold is in no state");
}

/* The workers notice by a counter. Where no guard runs there is nobody to notice. */
static void tell_workers(const char *dir)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "live");
    TUT_AUTO(tut_live) live = NULL;
    bool is_new;
    if (path && tut_is_ok(tut_live_open(path, false, &live, &is_new, NULL)))
        tut_live_decided(live);
}

tut_status tut_approve_take(const tut_approve_place *place, tut_ledger *ledger,
                            const tut_approvers *who, const tut_waiting *item, tut_span envelope,
                            const tut_key *key, tut_approved *ret, tut_error *err)
{
    tut_approved a = {.approvals = item->look.by_count};
    int64_t now_ms = tut_hold_now_ms();
    TUT_TRY(check_waits(item, err));
    TUT_TRY(tut_hold_is_shown(&item->hold, err));
    TUT_TRY(tut_hold_check(envelope, &item->hold, who, &a.decision, err));
    if (now_ms / 1000 > a.decision.expires)
        return tut_fail(err, TUT_USAGE, "the decision's time is over");
    for (size_t i = 0; i < item->look.by_count; i++)
        if (a.decision.is_approval && strcmp(item->look.by[i], a.decision.by) == 0)
            return tut_fail(err, TUT_USAGE, "%s has approved already; %u people have to",
                            a.decision.by, item->hold.people);
    a.approvals += a.decision.is_approval;
    a.latency_ms = now_ms - item->hold.at_ms;
    a.state = !a.decision.is_approval            ? TUT_HOLD_DENIED
              : a.approvals >= item->hold.people ? TUT_HOLD_APPROVED
                                                 : TUT_HOLD_WAITING;
    const fact f = {.item = item,
                    .decision = a.decision.is_approval ? "approve" : "deny",
                    .by = a.decision.by,
                    .at_ms = now_ms,
                    .approvals = a.approvals,
                    .envelope = envelope};
    TUT_TRY(append(place, ledger, &f, key, &a.index, err));
    TUT_TRY(tut_hold_put_decision(place->dir, &item->hold, envelope, err));
    tell_workers(place->dir);
    *ret = a;
    return TUT_SUCCESS;
}

/* --- what is over --- */

enum { KEPT_MS = 60000 }; /* after the end, for whoever looks at what became of it */

static void remove_files(const char *dir, const tut_hold *h)
{
    static const char *const suffixes[] = {".gone", ".seen", ".json"};
    for (unsigned n = 1; n <= TUT_HOLD_DECISIONS; n++) {
        char suffix[32];
        (void)snprintf(suffix, sizeof(suffix), ".decision.%u", n);
        TUT_AUTO_FREE char *path = tut_hold_path(dir, h->id, suffix);
        if (path)
            (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        TUT_AUTO_FREE char *path = tut_hold_path(dir, h->id, suffixes[i]);
        if (path)
            (void)unlink(path);
    }
}

tut_status tut_approve_sweep(const tut_approve_place *place, tut_ledger *ledger,
                             const tut_approvers *who, size_t *ret_recorded, tut_error *err)
{
    TUT_CLEAN(tut_waiting_list) l = {0};
    int64_t now_ms = tut_hold_now_ms();
    size_t recorded = 0;
    TUT_TRY(tut_waiting_read(place->dir, who, now_ms, &l, err));
    for (size_t i = 0; i < l.count; i++) {
        const tut_waiting *w = &l.items[i];
        bool is_told = w->look.state == TUT_HOLD_EXPIRED ||
                       (w->look.state == TUT_HOLD_WITHDRAWN && w->seen_ms);
        if (is_told) {
            const fact f = {.item = w,
                            .decision = tut_hold_state_name(w->look.state),
                            .by = "",
                            .at_ms = now_ms < w->hold.expires_ms ? now_ms : w->hold.expires_ms,
                            .approvals = w->look.by_count};
            TUT_TRY(append(place, ledger, &f, NULL, NULL, err));
            recorded++;
        }
        if (is_told || w->look.state == TUT_HOLD_WITHDRAWN || now_ms > w->hold.expires_ms + KEPT_MS)
            remove_files(place->dir, &w->hold);
    }
    if (ret_recorded)
        *ret_recorded = recorded;
    return TUT_SUCCESS;
}

static bool is_anything_over(const tut_waiting_list *l, int64_t now_ms)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].look.state == TUT_HOLD_EXPIRED ||
            l->items[i].look.state == TUT_HOLD_WITHDRAWN ||
            now_ms > l->items[i].hold.expires_ms + KEPT_MS)
            return true;
    return false;
}

tut_status tut_approve_tend(const tut_approve_place *place, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *writable = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_approvers) who = NULL;
    TUT_CLEAN(tut_waiting_list) l = {0};
    int64_t now_ms = tut_hold_now_ms();
    TUT_TRY(tut_ledger_open(place->state_dir, false, &ledger, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    const tut_act act = tut_approve_act(place, records);
    TUT_TRY(tut_approvers_write(place->dir, records->people, &act, err));
    TUT_TRY(tut_approvers_of(place, records, &who, err));
    TUT_TRY(tut_waiting_read(place->dir, who, now_ms, &l, err));
    if (!is_anything_over(&l, now_ms))
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_open(place->state_dir, true, &writable, err));
    return tut_approve_sweep(place, writable, who, NULL, err);
}
