#include "pack/import.h"

#include "assess/tool.h"
#include "base/json_write.h"
#include "ledger/record.h"
#include "pack/given.h"

enum { DAYS_MAX = 365 };

#define CHECK "supplier.due-diligence/1"

typedef struct importing {
    const tut_pack_import *how;
    tut_pack_given given; /* its text is the body of the evidence */
    tut_pack_imported found;
    tut_error *err;
} importing;

void tut_pack_imported_done(tut_pack_imported *i)
{
    tut_free(i->words);
    *i = (tut_pack_imported){.words = NULL};
}

static void importing_done(importing *m)
{
    tut_pack_given_done(&m->given);
    tut_pack_imported_done(&m->found);
}

static tut_status refuse(importing *m, const char *why)
{
    tut_error_set_path(m->err, m->how->path);
    return tut_fail(m->err, TUT_DENIED, "%s", why);
}

/* --- weighing --- */

static void list_unmet(const importing *m, tut_buf *out)
{
    const tut_json_value *unmet = tut_json_get(m->given.summary, "unmet");
    for (uint32_t i = 0; i < tut_json_count(unmet); i++) {
        tut_str id = tut_json_text(tut_json_item(unmet, i));
        tut_buf_printf(out, "%s%.*s", i ? " " : "", (int)id.len, id.data);
    }
}

static tut_status describe(importing *m, char grade, uint32_t unmet, tut_buf *out)
{
    const tut_json_value *counts = tut_json_get(tut_json_get(m->given.summary, "now"), "counts");
    tut_str system = tut_json_get_text(m->given.summary, "system");
    tut_buf_add_z(out, "The provider's pack of ");
    tut_buf_add_escaped(out, system, 100);
    if (grade)
        tut_buf_printf(out, " verifies: grade %c", grade);
    else
        tut_buf_add_z(out, " verifies: no grade, as too little was checked");
    tut_buf_printf(out, "; %lld provisions met, %lld not met, %lld not checked",
                   (long long)tut_json_get_int(counts, "met", 0),
                   (long long)tut_json_get_int(counts, "not_met", 0),
                   (long long)tut_json_get_int(counts, "not_checked", 0));
    if (unmet) {
        tut_buf_add_z(out, "; duties not met: ");
        list_unmet(m, out);
    }
    tut_buf_printf(out, "; it speaks of the bytes of %zu of %zu assets named here", m->found.known,
                   m->how->item_count);
    if (m->how->accepted && !grade) {
        tut_buf_add_z(out, ". Accepted all the same: ");
        tut_buf_add_escaped(out, tut_str_of(m->how->accepted), 1000);
    }
    return tut_buf_check(out, m->err);
}

static bool has_bytes(const tut_json_value *assets, const tut_sha256 *digest)
{
    for (uint32_t i = 0; i < tut_json_count(assets); i++) {
        tut_sha256 found;
        tut_str hex = tut_json_get_text(tut_json_get(tut_json_item(assets, i), "digest"), "sha256");
        if (tut_is_ok(tut_sha256_parse(hex, &found)) && tut_sha256_eq(&found, digest))
            return true;
    }
    return false;
}

static tut_status weigh(importing *m)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    const tut_json_value *assets = tut_json_get(tut_json_root(m->given.doc), "assets");
    tut_str text = tut_json_get_text(tut_json_get(m->given.summary, "now"), "grade");
    char grade = text.len == 1 ? text.data[0] : '\0';
    uint32_t unmet = tut_json_count(tut_json_get(m->given.summary, "unmet"));
    tut_time ends = 0;
    tut_time latest = m->how->at + (tut_time)DAYS_MAX * TUT_DAY_SECONDS;
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(m->given.summary, "counts_until"), &ends)) ||
        ends <= m->how->at)
        return refuse(m, "holds no evidence that still counts; ask the provider for a newer one");
    for (size_t i = 0; i < m->how->item_count; i++)
        m->found.known += has_bytes(assets, &m->how->items[i]->digest);
    bool is_failing = unmet > 0 || grade == 'E' || grade == 'F';
    if (!is_failing && !grade && !m->how->accepted)
        return refuse(m,
                      "shows too little for a grade: examine what else the provider has, and say "
                      "with --accept REASON why that is enough");
    m->found.result = is_failing ? TUT_RESULT_FAIL : TUT_RESULT_PASS;
    m->found.expires = ends < latest ? ends : latest;
    TUT_TRY(describe(m, grade, unmet, &words));
    m->found.words = tut_buf_steal(&words);
    return m->found.words ? TUT_SUCCESS : tut_fail(m->err, TUT_NOMEM, "memory ran out");
}

/* --- recording --- */

static tut_status write_data(const importing *m, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_key(j, "digest");
    tut_json_sha256(j, m->given.digest.bytes);
    tut_json_put_str(j, "trust", tut_json_get_text(m->given.summary, "trust"));
    tut_json_put_str(j, "log", tut_json_get_text(m->given.summary, "origin"));
    tut_json_put_str(j, "system", tut_json_get_text(m->given.summary, "system"));
    tut_json_end_object(j);
    return tut_json_finish(j, m->err);
}

static tut_status record_one(importing *m, tut_ledger *ledger, const tut_inventory_item *item,
                             const tut_record *like, uint64_t *ret_index)
{
    tut_subject subject = {.name = item->id, .digest = item->digest};
    tut_record r = *like;
    r.subjects = &subject;
    r.subject_count = 1;
    TUT_TRY(m->how->signer ? tut_ledger_append_signed(ledger, &r, &m->how->signer, 1, m->err)
                           : tut_ledger_append(ledger, &r, 1, m->err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

static tut_status record(importing *m)
{
    static const char *const clauses[] = {TUT_PACK_IMPORT_CLAUSE};
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, m->err));
    TUT_TRY(write_data(m, &data));
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = m->how->at,
                    .from = m->how->at,
                    .to = m->how->at,
                    .expires = m->found.expires,
                    .check = CHECK,
                    .method = TUT_METHOD_EXAMINE,
                    .result = m->found.result,
                    .clauses = clauses,
                    .clause_count = 1,
                    .actor = m->how->by,
                    .statement = m->found.words,
                    .has_body = true,
                    .tool_binary = tool.binary,
                    .tool_catalogue = tool.catalogue,
                    .tool_rules = tool.rules,
                    .data_key = "pack",
                    .data = tut_buf_str(&data)};
    TUT_TRY(tut_ledger_open(m->how->state_dir, true, &ledger, m->err));
    TUT_TRY(tut_ledger_put_body(ledger, tut_buf_span(&m->given.text), &r.body, m->err));
    for (size_t i = 0; i < m->how->item_count; i++) {
        uint64_t index = 0;
        TUT_TRY(record_one(m, ledger, m->how->items[i], &r, &index));
        if (i == 0)
            m->found.first = index;
    }
    return TUT_SUCCESS;
}

tut_status tut_pack_import_record(const tut_pack_import *how, tut_pack_imported *ret,
                                  tut_error *err)
{
    tut_error unread = {0};
    __attribute__((cleanup(importing_done))) importing m = {.how = how, .err = err ? err : &unread};
    TUT_TRY(tut_pack_given_open(how->path, how->trust, "provider", how->at, &m.given, m.err));
    TUT_TRY(weigh(&m));
    TUT_TRY(record(&m));
    *ret = m.found;
    m.found = (tut_pack_imported){.words = NULL};
    return TUT_SUCCESS;
}
