/* The traffic log: as signed, without gaps, and what the evidence log says of it. */
#include "base/fs.h"
#include "ledger/entry.h"
#include "state/audit_internal.h"

typedef struct passing {
    tut_finding *f;
    tut_numbers numbers;
    tut_tails tails;
} passing;

static void found(void *ctx, const char *name, const char *detail)
{
    tut_finding_add(ctx, "%s: %s", name, detail);
}

static tut_status take(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    passing *p = ctx;
    tut_arena arena;
    tut_entry entry = {0};
    tut_error why = {0};
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &entry, &why);
    if (tut_is_ok(status)) {
        status = tut_numbers_add(&p->numbers, index, &entry.head);
        if (tut_is_ok(status))
            status = tut_tails_add(&p->tails, index, &entry);
    } else if (status.code != TUT_NOMEM) {
        tut_finding_add(p->f, "entry %llu: %s", (unsigned long long)index, why.text);
        status = TUT_SUCCESS;
    }
    tut_entry_done(&entry);
    tut_arena_done(&arena);
    return tut_is_ok(status) ? status : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status compare(tut_auditing *a, tut_log *log, const tut_said *said, tut_finding *f)
{
    tut_sha256 root;
    unsigned long long size = said->size;
    if (said->size > tut_log_size(log)) {
        tut_finding_add(f, "rolled back: the evidence log knows of %llu entries, here are %llu",
                        size, (unsigned long long)tut_log_size(log));
        return TUT_SUCCESS;
    }
    tut_status status = tut_log_root_at(log, said->size, &root, NULL);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (status.code == TUT_DENIED)
        return TUT_SUCCESS; /* pruned since */
    if (!tut_is_ok(status) || !tut_sha256_eq(&root, &said->root))
        tut_finding_add(f, "its first %llu entries are not those that the evidence log knows",
                        size);
    return TUT_SUCCESS;
}

static tut_status look(tut_auditing *a, tut_log *log, passing *p, tut_error *why)
{
    uint64_t size = tut_log_size(log);
    TUT_TRY(tut_log_verify(log, found, p->f, why));
    if (p->f->count == 0)
        TUT_TRY(tut_log_each(log, tut_log_pruned(log), size, take, p, why));
    (void)tut_numbers_judge(&p->numbers, log, p->f);
    for (size_t i = 0; i < a->said_count; i++)
        TUT_TRY(compare(a, log, &a->said[i], p->f));
    return TUT_SUCCESS;
}

static tut_status look_at_traffic(tut_auditing *a, tut_finding *f, uint64_t *ret_size,
                                  tut_buf *tails)
{
    TUT_AUTO(tut_log) log = NULL;
    passing p = {.f = f};
    tut_error why = {0};
    tut_status status = tut_place_open(&a->traffic, &log, &why);
    if (tut_is_ok(status)) {
        *ret_size = tut_log_size(log);
        status = look(a, log, &p, &why);
    }
    tut_tails_tell(&p.tails, tails);
    tut_tails_done(&p.tails);
    tut_numbers_done(&p.numbers);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(a->err, status.code, "%s", why.text);
    if (!tut_is_ok(status) && f->count == 0)
        tut_finding_add(f, "%s", why.text);
    return TUT_SUCCESS;
}

tut_status tut_audit_traffic(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    uint64_t size = 0;
    bool was_signed = a->traffic.anchor && tut_fs_exists(a->traffic.anchor);
    if (!tut_fs_exists(a->traffic.dir) && !was_signed && a->said_count == 0)
        return tut_audit_conclude(a, "traffic", &f, "no traffic was logged");
    TUT_CLEAN(tut_buf) tails = TUT_BUF_INIT;
    TUT_TRY(look_at_traffic(a, &f, &size, &tails));
    TUT_TRY(tut_buf_check(&tails, a->err));
    return tut_audit_conclude(a, "traffic", &f,
                              "as signed, and as the evidence log knows it: %llu%.*s",
                              (unsigned long long)size, (int)tails.len, (const char *)tails.data);
}
