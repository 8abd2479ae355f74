/* The verdict: drawn again from the records in the pack, and what has run out since. */
#include <inttypes.h>

#include "base/json.h"
#include "base/limits.h"
#include "ledger/proof.h"
#include "pack/derive.h"
#include "pack/verify_internal.h"

/* --- bodies --- */

static tut_status check_names(tut_verifying *v, tut_buf *wrong)
{
    const tut_archive *a = &v->archive;
    for (const tut_archive_member *m = tut_archive_from(a, "bodies/");
         m < a->members + a->count && tut_str_starts(tut_str_of(m->name), TUT_LIT("bodies/"));
         m++) {
        char name[TUT_PACK_NAME];
        tut_pack_body_name(&m->digest, name);
        if (strcmp(name, m->name) == 0)
            continue;
        if (wrong->len == 0)
            tut_buf_printf(wrong, "%s does not have the digest that it is called by", m->name);
        return tut_pack_differs(v, m->name);
    }
    return TUT_SUCCESS;
}

static tut_status check_bodies(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    const tut_pack_manifest *m = &v->manifest;
    const tut_records *records = v->then->records;
    size_t count = 0;
    TUT_TRY(check_names(v, &wrong));
    for (size_t i = 0; i < records->count && wrong.len == 0; i++) {
        const tut_record *r = &records->items[i];
        char name[TUT_PACK_NAME];
        bool is_withheld = false;
        if (!r->has_body)
            continue;
        tut_pack_body_name(&r->body, name);
        count++;
        for (size_t k = 0; k < m->withheld_count && !is_withheld; k++)
            is_withheld = tut_sha256_eq(&m->withheld[k].digest, &r->body);
        if (!is_withheld && !tut_archive_find(&v->archive, name))
            tut_buf_printf(&wrong, "entry %" PRIu64 " names %s, which is not there", r->index,
                           name);
    }
    return tut_pack_conclude(v, "bodies", &wrong, "all that %zu records name is there%s", count,
                             m->withheld_count ? ", but for what its owner withholds (pack.json)"
                                               : "");
}

/* --- proofs --- */

/* The proof is of this entry, in the tree of the pack's own checkpoint. */
static tut_status check_proof(const tut_verifying *v, uint64_t entry, tut_span bytes, tut_str text,
                              tut_error *err)
{
    tut_proof proof;
    tut_sha256 leaf;
    tut_sha256 root;
    TUT_TRY(tut_proof_parse(text, &proof, err));
    if (proof.is_consistency || proof.number != entry || proof.extra.len != 0 ||
        !tut_str_eq(proof.checkpoint, tut_log_checkpoint(v->image.log)))
        return tut_fail(err, TUT_STORE, "is a proof of something else");
    tut_merkle_leaf(bytes, &leaf);
    tut_log_root(v->image.log, &root);
    return tut_merkle_check_inclusion(&leaf, entry, tut_log_size(v->image.log), proof.hashes,
                                      proof.count, &root, err);
}

static tut_status check_entry(tut_verifying *v, uint64_t entry, tut_error *err)
{
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char name[TUT_PACK_NAME];
    tut_pack_evidence_name(entry, "json", name);
    TUT_TRY(tut_archive_get(&v->archive, name, TUT_LOG_ENTRY_MAX, &said, err));
    TUT_TRY(tut_log_entry(v->image.log, entry, &bytes, err));
    if (!tut_str_eq(tut_buf_str(&said), tut_buf_str(&bytes))) {
        tut_error_set_path(err, name);
        return tut_fail(err, TUT_STORE, "is not entry %" PRIu64 " of the log", entry);
    }
    tut_pack_evidence_name(entry, "tlog-proof", name);
    TUT_TRY(tut_archive_get(&v->archive, name, TUT_PROOF_BYTES_MAX, &text, err));
    tut_status status = check_proof(v, entry, tut_buf_span(&bytes), tut_buf_str(&text), err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

static size_t count_evidence(const tut_archive *a)
{
    size_t count = 0;
    for (const tut_archive_member *m = tut_archive_from(a, "evidence/");
         m < a->members + a->count && tut_str_starts(tut_str_of(m->name), TUT_LIT("evidence/"));
         m++)
        count++;
    return count;
}

static tut_status check_proofs(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    TUT_AUTO_FREE uint64_t *used = NULL;
    size_t count = 0;
    TUT_TRY(tut_pack_used(v->then, &used, &count, v->err));
    for (size_t i = 0; i < count && wrong.len == 0; i++) {
        tut_error why = {0};
        TUT_TRY(tut_pack_take_failure(v, check_entry(v, used[i], &why), &why, &wrong));
    }
    if (wrong.len == 0 && count_evidence(&v->archive) != 2 * count)
        tut_buf_add_z(&wrong, "evidence/ holds what the verdict does not use");
    v->result->evidence = count;
    return tut_pack_conclude(v, "proofs", &wrong,
                             "the %zu pieces of evidence that the verdict uses are in the log",
                             count);
}

/* --- the verdict --- */

static void count_verdict(const tut_assessment *a, tut_pack_verdict *to)
{
    to->at = a->evaluated_at;
    to->grade = a->grade;
    memcpy(to->counts, a->counts, sizeof(to->counts));
}

static const tut_json_value *find_control(const tut_json_value *list, tut_str id)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (tut_str_eq(tut_json_get_text(tut_json_item(list, i), "id"), id))
            return tut_json_item(list, i);
    return NULL;
}

static tut_status compare_controls(tut_verifying *v, const tut_json_value *root, tut_buf *wrong)
{
    const tut_json_value *list = tut_json_get(root, "controls");
    size_t differing = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &v->then->controls[i];
        const char *found = tut_control_verdict_name(c->verdict);
        tut_str said = tut_json_get_text(find_control(list, c->clause->id), "verdict");
        if (tut_str_eq_z(said, found))
            continue;
        if (differing++ == 0)
            tut_buf_printf(wrong, "reports/report.json says %.*s of %.*s, and the records give %s",
                           said.len ? (int)said.len : 7, said.len ? said.data : "nothing",
                           (int)c->clause->id.len, c->clause->id.data, found);
    }
    if (differing > 1)
        tut_buf_printf(wrong, " (and %zu more)", differing - 1);
    tut_str said = tut_json_get_text(tut_json_get(root, "summary"), "grade");
    const char grade[] = {v->then->grade, '\0'};
    if (!tut_str_eq_z(said, grade) && differing == 0)
        tut_buf_printf(wrong, "reports/report.json gives the grade %s%.*s, and the records give %s",
                       said.len ? "" : "none", (int)said.len, said.data, grade[0] ? grade : "none");
    if (wrong->len == 0)
        return TUT_SUCCESS;
    tut_tool_digests ours;
    TUT_TRY(tut_tool_get_digests(&ours, v->err));
    if (!tut_sha256_eq(&ours.catalogue, &v->manifest.tool.catalogue))
        tut_buf_printf(wrong,
                       "; it was judged by another catalogue than this tutela has: verify it "
                       "with tutela %.*s",
                       (int)v->manifest.tutela.len, v->manifest.tutela.data);
    return tut_pack_differs(v, "reports/report.json");
}

static tut_status check_verdict(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    tut_status status = tut_archive_get(&v->archive, "reports/report.json", TUT_LIMIT_JSON_BYTES,
                                        &text, &why);
    if (tut_is_ok(status))
        status = tut_json_parse(tut_buf_span(&text), NULL, &doc, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (tut_is_ok(status))
        TUT_TRY(compare_controls(v, tut_json_root(doc), &wrong));
    return tut_pack_conclude(v, "verdict", &wrong,
                             "evaluated again from the records, each of %d provisions stands as "
                             "reports/report.json says",
                             TUT_CLAUSE_COUNT);
}

/* --- the files that follow from it --- */

typedef struct remaking {
    tut_verifying *v;
    size_t made, same;
    char first[TUT_PACK_NAME]; /* that is not the same */
} remaking;

static tut_status remake(void *ctx, const char *name, tut_span bytes, tut_error *err)
{
    remaking *r = ctx;
    tut_archive_member *m = tut_archive_find(&r->v->archive, name);
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(bytes, &digest, err));
    r->made++;
    if (m)
        m->is_known = true;
    if (m && tut_sha256_eq(&m->digest, &digest))
        r->same++;
    else if (!r->first[0] || strcmp(name, r->first) < 0)
        tut_str_copy(r->first, sizeof(r->first), tut_str_of(name));
    return TUT_SUCCESS;
}

/* Files of the manifest that nothing here makes; bodies have their own check. */
static const char *find_unknown(const tut_verifying *v)
{
    for (size_t i = 0; i < v->manifest.file_count; i++) {
        const char *name = v->manifest.files[i].name.data;
        const tut_archive_member *m = tut_archive_find(&v->archive, name);
        if (!tut_str_starts(tut_str_of(name), TUT_LIT("bodies/")) && m && !m->is_known)
            return name;
    }
    return NULL;
}

/* The very program that made them makes them again, byte by byte. Of another one only the verdict
 * is compared, and that is said. */
static tut_status check_reports(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    remaking r = {.v = v};
    tut_tool_digests ours;
    tut_error why = {0};
    TUT_TRY(tut_tool_get_digests(&ours, v->err));
    tut_status status = tut_pack_derive(&v->image, v->then, &v->manifest, remake, &r, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    const char *unknown = find_unknown(v);
    bool is_same_program = tut_sha256_eq(&ours.binary, &v->manifest.tool.binary);
    if (is_same_program && r.first[0]) {
        tut_buf_printf(&wrong, "%s is not what the records give", r.first);
        TUT_TRY(tut_pack_differs(v, r.first));
    } else if (is_same_program && unknown) {
        tut_buf_printf(&wrong, "%s does not belong in a pack", unknown);
        TUT_TRY(tut_pack_differs(v, unknown));
    }
    if (!is_same_program && (r.first[0] || unknown))
        return tut_pack_conclude(
            v, "reports", &wrong,
            "made by another build of tutela (%.*s): %zu of %zu files could be made again, so of "
            "the others believe only what is said here",
            (int)v->manifest.tutela.len, v->manifest.tutela.data, r.same, r.made);
    return tut_pack_conclude(v, "reports", &wrong,
                             "the %zu reports, keys and texts were made again from the records, "
                             "byte by byte",
                             r.made);
}

/* --- since then --- */

static bool has_run_out(const tut_control *then, const tut_evidence_use *now)
{
    if (now->use != TUT_USE_STALE)
        return false;
    for (size_t i = 0; i < then->evidence_count; i++)
        if (then->evidence[i].record == now->record)
            return then->evidence[i].use != TUT_USE_STALE;
    return false;
}

static tut_status add_change(tut_verifying *v, const tut_control *then, const tut_control *now)
{
    tut_pack_result *r = v->result;
    size_t count = 0;
    tut_pack_change change = {
        .clause = then->clause->id, .then = then->verdict, .now = now->verdict};
    for (size_t i = 0; i < now->evidence_count; i++)
        count += has_run_out(then, &now->evidence[i]);
    if (count == 0 && then->verdict == now->verdict)
        return TUT_SUCCESS;
    if (!tut_is_ok(
            tut_grow(&r->changes, r->change_count, &r->change_capacity, sizeof(*r->changes))))
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    change.evidence = tut_alloc_array(count + 1, sizeof(*change.evidence));
    if (!change.evidence)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < now->evidence_count; i++) {
        const tut_record *record = now->evidence[i].record;
        if (!has_run_out(then, &now->evidence[i]))
            continue;
        change.evidence[change.evidence_count++] = record->index;
        if (record->expires <= v->now && (change.since == 0 || record->expires < change.since))
            change.since = record->expires;
    }
    r->changes[r->change_count++] = change;
    return TUT_SUCCESS;
}

/* What whoever relies on the pack has to know of it as it stands now. */
static void look_at_duty(tut_pack_result *r, const tut_control *c)
{
    if (c->clause->modality == TUT_SHALL && c->verdict == TUT_CONTROL_NOT_MET)
        r->unmet[r->unmet_count++] = c->clause->id;
    for (size_t i = 0; i < c->evidence_count; i++) {
        tut_time ends = c->evidence[i].record->expires;
        if (c->evidence[i].use == TUT_USE_COUNTS &&
            (r->counts_until == 0 || ends < r->counts_until))
            r->counts_until = ends;
    }
}

static tut_status list_assets(tut_verifying *v)
{
    tut_pack_result *r = v->result;
    r->assets = tut_alloc_array(v->then->asset_count + 1, sizeof(*r->assets));
    if (!r->assets)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < v->then->asset_count; i++) {
        const tut_asset_summary *s = &v->then->assets[i];
        tut_pack_asset *a = &r->assets[r->asset_count];
        if (!tut_is_ok(tut_sha256_parse(tut_str_of(s->digest), &a->digest)))
            continue;
        a->id = tut_strdup(s->id);
        if (!a->id)
            return tut_fail(v->err, TUT_NOMEM, "memory ran out");
        r->asset_count++;
    }
    return TUT_SUCCESS;
}

static tut_status look_since(tut_verifying *v)
{
    TUT_AUTO(tut_assessment) now = NULL;
    TUT_TRY(tut_pack_image_evaluate(&v->image, &v->manifest.tool, v->now, v->then->records, &now,
                                    v->err));
    count_verdict(now, &v->result->now);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        TUT_TRY(add_change(v, &v->then->controls[i], &now->controls[i]));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        look_at_duty(v->result, &now->controls[i]);
    return list_assets(v);
}

/* --- all of it --- */

static tut_status fail_all(tut_verifying *v, const tut_buf *wrong)
{
    static const char *const names[] = {"bodies", "proofs", "verdict", "reports"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        TUT_TRY(tut_pack_conclude(v, names[i], wrong, "%s", ""));
    return TUT_SUCCESS;
}

tut_status tut_pack_check_verdict(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    tut_error why = {0};
    tut_time at = v->manifest.evaluated_at;
    if (at > v->now) {
        tut_buf_add_z(&wrong, "the verdict is of a time that lies in the future: the pack's clock "
                              "or this one is wrong");
        return fail_all(v, &wrong);
    }
    tut_status status = tut_pack_image_evaluate(&v->image, &v->manifest.tool, at, v->records,
                                                &v->then, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (!tut_is_ok(status))
        return fail_all(v, &wrong);
    count_verdict(v->then, &v->result->then);
    v->result->has_verdict = true;
    TUT_TRY(check_bodies(v));
    TUT_TRY(check_proofs(v));
    TUT_TRY(check_verdict(v));
    TUT_TRY(check_reports(v));
    TUT_TRY(tut_pack_list_findings(v));
    return look_since(v);
}
