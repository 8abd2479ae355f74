/* Examining one file: the whole of it, its digest, and what is said when it holds nothing known. */
#include <string.h>
#include <sys/stat.h>

#include "base/reader.h"
#include "crypto/digest.h"
#include "formats/payload.h"
#include "scan/exam_internal.h"

enum { LFS_POINTER_MAX = 1024 };

/* What Git leaves behind where a large file has not been fetched. */
static bool is_lfs_pointer(const tut_source *bytes)
{
    static const char first[] = "version https://git-lfs.github.com/spec/";
    char head[sizeof(first) - 1];
    return bytes->size < LFS_POINTER_MAX && bytes->size >= sizeof(head) &&
           tut_is_ok(tut_source_read(bytes, 0, head, sizeof(head), NULL)) &&
           memcmp(head, first, sizeof(head)) == 0;
}

/* A page that says that there is no such file, kept under the name of the model. */
static bool is_web_page(tut_span head)
{
    static const char *const starts[] = {"<!doctype html", "<html"};
    tut_str text = tut_str_trim(tut_str_from(head));
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t len = strlen(starts[i]);
        if (text.len >= len && tut_str_ieq((tut_str){text.data, len}, tut_str_of(starts[i])))
            return true;
    }
    return false;
}

/* Text under an ending that models share with text is no model, and hides nothing. */
static bool is_plain_text(const tut_frame *f, const tut_source *bytes)
{
    uint8_t head[TUT_FRAME_HEAD_BYTES];
    size_t got = 0;
    if (!tut_name_is_common(f->name) || bytes->size == 0 ||
        !tut_is_ok(tut_source_read_some(bytes, 0, head, sizeof(head), &got, NULL)))
        return false;
    tut_sniff s = {.head = tut_span_of(head, got), .size = bytes->size};
    bool is_script = got >= 2 && head[0] == '#' && head[1] == '!';
    return tut_sniff_text(&s) && !is_script && !is_web_page(s.head);
}

/* What the system would start, whatever its name. */
static const char *program_in(const tut_source *bytes)
{
    uint8_t head[TUT_FRAME_HEAD_BYTES];
    size_t got = 0;
    if (!tut_is_ok(tut_source_read_some(bytes, 0, head, sizeof(head), &got, NULL)))
        return NULL;
    bool is_script = got > 4 && (memcmp(head, "#!/", 3) == 0 || memcmp(head, "#! /", 4) == 0);
    return is_script ? "a script" : tut_payload_program(tut_span_of(head, got));
}

static void not_recognised(tut_frame *f, const tut_source *bytes)
{
    if (f->is_text && f->run->report->finding_count > 0)
        return; /* no model, but text that was looked through, and something was found in it */
    bool is_pointer = is_lfs_pointer(bytes);
    const char *why = bytes->size == 0 ? "the file is empty"
                      : is_pointer     ? "a Git LFS pointer, not the file itself"
                                       : "not recognised";
    tut_frame_note(f->run, tut_report_spoil(f->run->report, TUT_SCAN_UNSUPPORTED, why));
    const char *program = program_in(bytes);
    if (program && (tut_name_is_model(f->name) || tut_name_is_opaque(f->name))) {
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        tut_buf_printf(&line, "the file is %s", program);
        tut_frame_line(f, "file.program", -1, tut_buf_str(&line));
    }
    if (is_pointer)
        tut_frame_line(f, "file.lfs-pointer", -1, tut_str_of(why));
    else if ((tut_name_is_model(f->name) || tut_name_is_opaque(f->name)) &&
             !is_plain_text(f, bytes))
        tut_frame_line(f, "file.not-recognised", -1,
                       bytes->size == 0 ? tut_str_of(why)
                                        : TUT_LIT("the content is of no format that is read here"));
}

/* An archive under a model's name in which nothing was a model. */
static void nothing_inside(tut_frame *f)
{
    tut_file_report *r = f->run->report;
    if (f->format->kind != TUT_KIND_NONE || r->has_model || r->status != TUT_SCAN_COMPLETE ||
        !tut_name_is_opaque(f->name))
        return;
    TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
    tut_buf_printf(&why, "%s, with nothing in it of a model format that is read here",
                   f->format->label);
    tut_frame_line(f, "file.not-recognised", -1, tut_buf_str(&why));
    const char *text = tut_buf_z(&why);
    tut_frame_note(f->run,
                   tut_report_spoil(r, TUT_SCAN_UNSUPPORTED, text ? text : "nothing inside"));
}

static bool is_unchanged(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

/* One pass over all bytes: for the digest, and for the numbers of the tensors that were listed. */
static tut_status read_content(tut_frame *f, const tut_source *bytes, tut_error *err)
{
    tut_file_report *r = f->run->report;
    TUT_AUTO(tut_hasher) hasher = NULL;
    bool is_here = f->run->request->digest == TUT_EXAM_DIGEST_HERE;
    if (f->weights->count == 0)
        return is_here ? tut_sha256_source(bytes, &r->digest, err) : TUT_SUCCESS;
    if (is_here)
        TUT_TRY(tut_hasher_new(&hasher, err));
    TUT_TRY(tut_weights_pass(f->weights, bytes, hasher, err));
    if (is_here)
        TUT_TRY(tut_hasher_finish(hasher, &r->digest, err));
    return tut_frame_hits(f->run, f->weights, bytes, err);
}

static tut_status test_content(tut_frame *f, const tut_source *bytes, tut_error *err)
{
    tut_status status = read_content(f, bytes, err);
    f->run->report->has_digest = tut_is_ok(status);
    return status.code == TUT_TRUNCATED ? TUT_SUCCESS : status; /* it shrank: said below */
}

static void check_unchanged(tut_frame *f, const tut_source *bytes, const struct stat *before)
{
    struct stat after;
    if (bytes->fd < 0 || (fstat(bytes->fd, &after) == 0 && is_unchanged(before, &after)))
        return;
    f->run->report->has_digest = false;
    tut_frame_spoil(f, TUT_SCAN_INCOMPLETE, "the file changed while it was read");
    tut_frame_line(f, "file.changed-while-read", -1,
                   TUT_LIT("size or time differ from the beginning"));
}

static tut_status examine_file(tut_frame *f, const tut_source *bytes, tut_error *err)
{
    tut_file_report *r = f->run->report;
    tut_artefact whole = {.source = bytes, .size = bytes->size};
    tut_status status = tut_frame_examine(f, &whole, err);
    r->format = f->format;
    if (tut_is_ok(status) && !f->format)
        not_recognised(f, bytes);
    else if (tut_is_ok(status))
        nothing_inside(f);
    tut_frame_tell_program(f->run, f);
    if (tut_is_ok(status) && r->is_content)
        status = test_content(f, bytes, err);
    if (tut_is_ok(status) || status.code == TUT_CANCELLED)
        return status;
    tut_error unknown = {.code = status.code};
    const char *text = err ? err->text : unknown.text;
    tut_frame_spoil(f, TUT_SCAN_ERROR, text[0] ? text : tut_code_sentence(status.code));
    tut_frame_line(f, "file.unreadable", -1,
                   tut_str_of(text[0] ? text : tut_code_sentence(status.code)));
    return TUT_SUCCESS;
}

tut_status tut_exam_file(tut_cage_task *task, const tut_source *bytes,
                         const tut_exam_request *request, tut_file_report *report, tut_error *err)
{
    struct stat before = {0};
    uint64_t failures = tut_alloc_failures();
    tut_exam_run run = {.task = task, .request = request, .report = report};
    tut_budget_init(&run.budget);
    TUT_CLEAN(tut_buf) location = TUT_BUF_INIT;
    tut_buf_add_escaped(&location, request->rel, TUT_ERROR_PATH_MAX);
    TUT_TRY(tut_buf_check(&location, err));
    report->size = bytes->size;
    report->is_content = request->content;
    if (bytes->fd >= 0 && fstat(bytes->fd, &before) != 0)
        return tut_fail(err, TUT_IO, "the open file cannot be looked at");
    tut_weights weights;
    tut_frame f = {.run = &run,
                   .location = tut_buf_str(&location),
                   .name = tut_frame_last_component(request->rel),
                   .bytes = bytes,
                   .weights = &weights,
                   .worst_seen = -1};
    tut_error why = {0};
    tut_frame_weights_init(&run, &weights);
    tut_status status = examine_file(&f, bytes, &why);
    tut_weights_done(&weights);
    if (!tut_is_ok(status)) {
        if (err)
            *err = why;
        return status;
    }
    check_unchanged(&f, bytes, &before);
    /* Also where a parser did without: what it then left out, nobody knows. */
    if (run.failed == TUT_OK && tut_alloc_failures() != failures)
        run.failed = TUT_NOMEM;
    if (run.failed != TUT_OK)
        return tut_fail(err, run.failed, "memory ran out");
    tut_report_sort(report);
    return TUT_SUCCESS;
}

tut_status tut_exam_list_tensors(tut_cage_task *task, const tut_source *bytes, tut_str rel,
                                 tut_weights *ret_weights, tut_error *err)
{
    tut_file_report scratch = {0};
    const tut_exam_request request = {.content = true, .rel = rel};
    tut_exam_run run = {.task = task, .request = &request, .report = &scratch};
    TUT_CLEAN(tut_buf) location = TUT_BUF_INIT;
    tut_weights weights;
    tut_budget_init(&run.budget);
    tut_frame_weights_init(&run, &weights);
    tut_buf_add_escaped(&location, rel, TUT_ERROR_PATH_MAX);
    tut_frame f = {.run = &run,
                   .location = tut_buf_str(&location),
                   .name = tut_frame_last_component(rel),
                   .bytes = bytes,
                   .weights = &weights,
                   .worst_seen = -1};
    tut_artefact whole = {.source = bytes, .size = bytes->size};
    tut_status status = tut_buf_check(&location, err);
    if (tut_is_ok(status))
        status = tut_frame_examine(&f, &whole, err);
    if (tut_is_ok(status) && run.failed != TUT_OK)
        status = tut_fail(err, run.failed, "memory ran out");
    if (tut_is_ok(status) && scratch.status != TUT_SCAN_COMPLETE)
        status = tut_fail(err, TUT_MALFORMED, "it could not be read to its end");
    tut_file_report_done(&scratch);
    tut_weights_match_storages(&weights);
    if (tut_is_ok(status))
        *ret_weights = weights;
    else
        tut_weights_done(&weights);
    return status;
}

enum { REQUEST_CONTENT = 1, REQUEST_FACTS_ONLY = 2, REQUEST_TEXT = 4, REQUEST_DIGEST = 8 };

void tut_exam_request_encode(const tut_exam_request *request, tut_buf *out)
{
    tut_buf_add_byte(out, (uint8_t)((request->content ? REQUEST_CONTENT : 0) |
                                    (request->facts_only ? REQUEST_FACTS_ONLY : 0) |
                                    (request->text ? REQUEST_TEXT : 0) |
                                    request->digest * REQUEST_DIGEST));
    tut_buf_add_sized(out, request->rel);
}

static tut_status only_digest(const tut_source *bytes, tut_buf *out, tut_error *err)
{
    struct stat before, after;
    tut_sha256 digest;
    if (bytes->fd < 0 || fstat(bytes->fd, &before) != 0)
        return tut_fail(err, TUT_IO, "the open file cannot be looked at");
    tut_status status = tut_sha256_source(bytes, &digest, err);
    if (status.code == TUT_TRUNCATED)
        return TUT_SUCCESS;
    TUT_TRY(status);
    if (fstat(bytes->fd, &after) == 0 && is_unchanged(&before, &after))
        tut_buf_add(out, digest.bytes, sizeof(digest.bytes));
    return TUT_SUCCESS;
}

tut_status tut_exam_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                        tut_buf *out, tut_error *err)
{
    tut_reader r = tut_reader_of(argument);
    tut_exam_request request = {0};
    uint8_t flags;
    TUT_TRY(tut_reader_u8(&r, &flags));
    TUT_TRY(tut_reader_sized(&r, &request.rel));
    request.content = flags & REQUEST_CONTENT;
    request.facts_only = flags & REQUEST_FACTS_ONLY;
    request.text = flags & REQUEST_TEXT;
    request.digest = (tut_exam_digest)(flags / REQUEST_DIGEST);
    if (request.digest == TUT_EXAM_DIGEST_ONLY)
        return only_digest(bytes, out, err);
    tut_file_report report = {0};
    tut_status status = tut_exam_file(task, bytes, &request, &report, err);
    if (tut_is_ok(status))
        tut_report_encode(&report, out);
    tut_file_report_done(&report);
    return status;
}
