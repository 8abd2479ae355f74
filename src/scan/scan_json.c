/* A whole scan as the contract's documents: tutela.scan/1, and one file a line. */
#include "base/time.h"
#include "scan/scan.h"

void tut_scan_count(const tut_scan *scan, tut_scan_tally *ret_tally)
{
    *ret_tally = (tut_scan_tally){0};
    for (size_t i = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        ret_tally->statuses[r->status]++;
        /* What was not read is not clean, and may be dangerous all the same. */
        tut_verdict v = tut_file_verdict(r);
        if (r->status == TUT_SCAN_COMPLETE || r->status == TUT_SCAN_INCOMPLETE ||
            v >= TUT_VERDICT_DANGEROUS)
            ret_tally->verdicts[v]++;
        for (size_t k = 0; k < r->finding_count; k++)
            ret_tally->findings[r->findings[k].severity]++;
        ret_tally->suppressed += r->suppressed_count;
    }
}

static void put_sandbox(tut_json *j, const tut_cage_facts *cage)
{
    tut_json_key(j, "sandbox");
    tut_json_object(j);
    tut_json_put_bool(j, "complete", cage->complete);
    tut_json_put_int(j, "landlock_abi", cage->landlock_abi);
    tut_json_put_bool(j, "seccomp", cage->seccomp);
    tut_json_put_bool(j, "no_network", cage->no_network);
    tut_json_put_z(j, "lacking", cage->lacking);
    tut_json_end_object(j);
}

/* Only where there are lists: entries that do not count. */
static void put_remarks(tut_json *j, const tut_scan *scan)
{
    if (!scan->has_lists)
        return;
    tut_json_key(j, "lists_without_effect");
    tut_json_array(j);
    for (size_t i = 0; i < scan->list_remark_count; i++)
        tut_json_z(j, scan->list_remarks[i]);
    tut_json_end_array(j);
}

static void put_summary(tut_json *j, const tut_scan *scan)
{
    tut_scan_tally tally;
    tut_scan_count(scan, &tally);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "files", scan->count);
    tut_json_put_u64(j, "bytes", scan->bytes);
    tut_json_put_u64(j, "cached", scan->cached);
    tut_json_put_u64(j, "passed_over", scan->passed_over);
    tut_json_put_u64(j, "links_not_followed", scan->links_out);
    for (int v = TUT_VERDICT_CLEAN; v <= TUT_VERDICT_MALICIOUS; v++)
        tut_json_put_u64(j, tut_verdict_name((tut_verdict)v), tally.verdicts[v]);
    for (int s = TUT_SCAN_COMPLETE; s <= TUT_SCAN_ERROR; s++)
        tut_json_put_u64(j, tut_scan_status_name((tut_scan_status)s), tally.statuses[s]);
    tut_json_key(j, "findings");
    tut_json_object(j);
    for (int s = 0; s < TUT_SEVERITY_COUNT; s++)
        tut_json_put_u64(j, tut_severity_name((tut_severity)s), tally.findings[s]);
    tut_json_end_object(j);
    tut_json_put_u64(j, "suppressed", tally.suppressed);
    tut_json_key(j, "rules");
    tut_json_sha256(j, scan->rules.bytes);
    put_remarks(j, scan);
    put_sandbox(j, &scan->cage);
    tut_json_end_object(j);
}

tut_status tut_scan_json(const tut_scan *scan, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.scan/1", tut_time_generated());
    put_summary(j, scan);
    tut_json_key(j, "files");
    tut_json_array(j);
    for (size_t i = 0; i < scan->count; i++)
        tut_file_report_json(&scan->files[i], j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}

tut_status tut_scan_jsonl(const tut_scan *scan, tut_buf *out, tut_error *err)
{
    for (size_t i = 0; i < scan->count; i++) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        tut_file_report_json(&scan->files[i], j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_byte(out, '\n');
    }
    return TUT_SUCCESS;
}
