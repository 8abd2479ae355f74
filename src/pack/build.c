#include "pack/build.h"

#include "assess/tool.h"
#include "base/limits.h"
#include "ledger/bodies.h"
#include "pack/build_log.h"
#include "pack/derive.h"
#include "pack/draft.h"

enum { TRIES = 4 };

typedef struct building {
    const tut_pack_options *options;
    tut_ledger *ledger; /* of the state */
    tut_pack_image image;
    tut_assessment *a;
    tut_pack_manifest manifest;
    tut_buf manifest_bytes;
    tut_draft draft;
    tut_arena arena;
    tut_pack_withheld *withheld;
    size_t withheld_count;
    tut_pack_built built;
    tut_error *err;
} building;

static void building_done(building *b)
{
    tut_assessment_free(b->a);
    tut_pack_image_done(&b->image);
    tut_draft_done(&b->draft);
    tut_buf_done(&b->manifest_bytes);
    tut_arena_done(&b->arena);
    tut_ledger_close(b->ledger);
}

/* --- bodies --- */

static const char sealed[] = "it may hold personal data, and is sealed";

/* As whoever gets the pack will see them: sealed ones stay here. */
static tut_status body(void *ctx, const tut_sha256 *digest, tut_buf *out, tut_error *err)
{
    building *b = ctx;
    bool is_personal = false;
    TUT_TRY(tut_ledger_body_is_personal(b->ledger, digest, &is_personal, err));
    if (is_personal)
        return tut_fail(err, TUT_DENIED, "%s", sealed);
    return tut_ledger_get_body(b->ledger, digest, out, err);
}

static tut_status take_body(building *b, const tut_record *r)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = body(b, &r->body, &bytes, &why);
    if (tut_is_ok(status))
        return tut_draft_add_body(&b->draft, &r->body, bytes.len, b->err);
    if (status.code == TUT_NOMEM)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    /* One that is gone is part of the verdict: the pack shows it as it is. */
    b->withheld[b->withheld_count++] = (tut_pack_withheld){
        .entry = r->index,
        .digest = r->body,
        .why = status.code == TUT_DENIED ? tut_str_of(sealed)
                                         : TUT_LIT("it is missing here, or was altered")};
    return TUT_SUCCESS;
}

static tut_status take_bodies(building *b)
{
    const tut_records *records = b->a->records;
    b->withheld = tut_arena_take(&b->arena, records->count + 1, sizeof(*b->withheld));
    if (!b->withheld)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < records->count; i++)
        if (records->items[i].has_body)
            TUT_TRY(take_body(b, &records->items[i]));
    return TUT_SUCCESS;
}

/* --- the manifest --- */

static tut_status take_file(void *ctx, const char *name, tut_span bytes, tut_error *err)
{
    building *b = ctx;
    return tut_draft_add(&b->draft, name, bytes, true, err);
}

static tut_status evaluate(building *b)
{
    tut_tool_digests tool;
    uint64_t size = 0;
    const tut_ledger_source source = {
        .body = body, .beside = tut_ledger_beside(b->ledger), .ctx = b};
    TUT_TRY(tut_tool_get_digests(&tool, b->err));
    TUT_TRY(tut_pack_read_log(b->ledger, &source, &b->image, b->err));
    TUT_TRY(tut_pack_size_at(b->image.log, b->options->at, &size, b->err));
    if (size == 0)
        return tut_fail(b->err, TUT_USAGE, "nothing had been recorded by then");
    TUT_TRY(tut_pack_image_at(&b->image, size, b->err));
    TUT_TRY(tut_pack_image_evaluate(&b->image, &tool, b->options->at, NULL, &b->a, b->err));
    if (!b->a->system)
        return tut_fail(b->err, TUT_USAGE,
                        "no description of the system had been recorded by then; tutela assess "
                        "records it");
    b->manifest = (tut_pack_manifest){.tutela = tut_str_of(TUTELA_VERSION),
                                      .evaluated_at = b->options->at,
                                      .system_name = tut_str_of(b->a->system_name),
                                      .system_version = tut_str_of(b->a->system_version),
                                      .origin = tut_str_of(b->image.origin),
                                      .log_size = size,
                                      .tool = tool};
    const tut_record *described = tut_assessment_description(b->a);
    b->manifest.has_system = described != NULL;
    if (described)
        b->manifest.system_digest = described->subjects[0].digest;
    tut_log_root(b->image.then, &b->manifest.log_root);
    return TUT_SUCCESS;
}

static tut_status write_manifest(building *b)
{
    tut_pack_manifest *m = &b->manifest;
    TUT_TRY(tut_pack_derive(&b->image, b->a, m, take_file, b, b->err));
    TUT_TRY(take_bodies(b));
    TUT_TRY(tut_draft_list(&b->draft, &b->arena, &m->files, &m->file_count, b->err));
    m->withheld = b->withheld;
    m->withheld_count = b->withheld_count;
    TUT_TRY(tut_pack_manifest_write(m, &b->manifest_bytes, b->err));
    return tut_sha256_of(tut_buf_span(&b->manifest_bytes), &b->built.manifest, b->err);
}

/* --- the log: that it was built, then its checkpoint --- */

static tut_status record(building *b)
{
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(b->options->at, text);
    TUT_AUTO_FREE char *statement = tut_asprintf("An evidence pack was built of the verdict at %s",
                                                 text);
    tut_subject subject = {.name = TUT_PACK_MANIFEST, .digest = b->built.manifest};
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = TUT_PACK_BUILT_EVENT,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = b->options->by ? b->options->by : "tool",
                    .statement = statement,
                    .tool_binary = b->manifest.tool.binary,
                    .tool_catalogue = b->manifest.tool.catalogue,
                    .tool_rules = b->manifest.tool.rules};
    if (!statement)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    tut_ledger_close(tut_move(&b->ledger));
    TUT_TRY(tut_ledger_open(b->options->state_dir, true, &b->ledger, b->err));
    const struct tut_key *signer = b->options->signer;
    TUT_TRY(signer ? tut_ledger_append_signed(b->ledger, &r, &signer, 1, b->err)
                   : tut_ledger_append(b->ledger, &r, 1, b->err));
    tut_ledger_close(tut_move(&b->ledger));
    return tut_ledger_open(b->options->state_dir, false, &b->ledger, b->err);
}

/* Once recorded, the log is read anew: others may have written too. What they recorded in the same
 * second belongs to the facts; then *ret_is_same is false. */
static tut_status seal(building *b, bool *ret_is_same)
{
    uint64_t size = 0;
    const tut_ledger_source source = {
        .body = body, .beside = tut_ledger_beside(b->ledger), .ctx = b};
    bool is_there = false;
    TUT_TRY(tut_pack_find_built(b->image.log, b->manifest.log_size, &b->built.manifest,
                                &b->built.entry, &is_there, b->err));
    b->built.is_new = !is_there;
    *ret_is_same = true;
    if (is_there)
        return TUT_SUCCESS;
    TUT_TRY(record(b));
    tut_pack_image fresh = {.log = NULL};
    tut_status status = tut_pack_read_log(b->ledger, &source, &fresh, b->err);
    if (tut_is_ok(status))
        status = tut_pack_size_at(fresh.log, b->options->at, &size, b->err);
    *ret_is_same = tut_is_ok(status) && size == b->manifest.log_size;
    if (*ret_is_same)
        status = tut_pack_find_built(fresh.log, size, &b->built.manifest, &b->built.entry,
                                     &is_there, b->err);
    if (*ret_is_same && tut_is_ok(status))
        status = tut_pack_add_log(fresh.log, b->a, b->ledger, &b->draft, &b->built.evidence,
                                  b->err);
    b->built.log_size = fresh.log ? tut_log_size(fresh.log) : 0;
    tut_pack_image_done(&fresh);
    return status;
}

static tut_status attempt(building *b, bool *ret_is_same)
{
    tut_arena_init(&b->arena, 0);
    tut_draft_init(&b->draft, body, b);
    TUT_TRY(tut_ledger_open(b->options->state_dir, false, &b->ledger, b->err));
    TUT_TRY(evaluate(b));
    TUT_TRY(write_manifest(b));
    TUT_TRY(seal(b, ret_is_same));
    if (!*ret_is_same)
        return TUT_SUCCESS;
    if (!b->built.is_new) {
        TUT_TRY(
            tut_pack_add_log(b->image.log, b->a, b->ledger, &b->draft, &b->built.evidence, b->err));
        b->built.log_size = tut_log_size(b->image.log);
    }
    TUT_TRY(tut_draft_add(&b->draft, TUT_PACK_MANIFEST, tut_buf_span(&b->manifest_bytes), false,
                          b->err));
    TUT_TRY(tut_draft_write(&b->draft, b->options->path, b->err));
    b->built.files = b->draft.count;
    b->built.withheld = b->withheld_count;
    b->built.grade = b->a->grade;
    return TUT_SUCCESS;
}

tut_status tut_pack_build(const tut_pack_options *options, tut_pack_built *ret, tut_error *err)
{
    for (int i = 0; i < TRIES; i++) {
        __attribute__((cleanup(building_done))) building b = {.options = options, .err = err};
        bool is_same = false;
        TUT_TRY(attempt(&b, &is_same));
        if (is_same) {
            *ret = b.built;
            return TUT_SUCCESS;
        }
    }
    return tut_fail(err, TUT_STORE,
                    "others keep writing to the log at the very time of the verdict; give an "
                    "earlier one with --at");
}
