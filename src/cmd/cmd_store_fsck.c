/* tutela store fsck: every byte of the store, and whether it agrees with the log. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cmd/store_open.h"
#include "store/fsck.h"

static const tut_option options[] = {
    {"--use-cache", TUT_OPTION_FLAG, NULL,
     "do not read blobs again whose inode, size and times are as when they were last read"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void step(void *ctx, uint64_t done, uint64_t total)
{
    tut_progress_step(ctx, "store: bytes", done, total);
}

static tut_status check(const tut_args *args, tut_fsck *f, tut_error *err)
{
    TUT_CLEAN(tut_opened_store) s = {0};
    TUT_TRY(tut_opened_store_open(args, false, &s, err));
    const tut_fsck_options o = {
        .origin = tut_ledger_has_keys(s.ledger) ? tut_ledger_origin(s.ledger) : NULL,
        .use_cache = tut_args_has(args, "--use-cache"),
        .progress = step,
        .ctx = &s.stored.progress};
    tut_progress_start(&s.stored.progress, args->quiet, args->color);
    tut_status status = tut_store_fsck(s.store, &s.known, &o, f, err);
    tut_progress_end(&s.stored.progress);
    return status;
}

static tut_status write_json(const tut_fsck *f, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.store/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "versions", f->versions);
    tut_json_put_u64(j, "blobs", f->blobs);
    tut_json_put_u64(j, "bytes", f->bytes);
    tut_json_put_u64(j, "damaged", f->damaged);
    tut_json_put_u64(j, "missing", f->missing);
    tut_json_put_u64(j, "foreign", f->foreign);
    tut_json_put_u64(j, "left", f->left);
    tut_json_end_object(j);
    tut_json_key(j, "faults");
    tut_json_array(j);
    for (size_t i = 0; i < f->count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "kind", tut_store_fault_word(f->faults[i].kind));
        tut_json_put_z(j, "what", f->faults[i].what);
        tut_json_put_z(j, "why", f->faults[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const tut_args *args, const tut_fsck *f, tut_buf *out, tut_error *err)
{
    static const tut_style styles[] = {TUT_STYLE_BAD, TUT_STYLE_BAD, TUT_STYLE_WARN,
                                       TUT_STYLE_PLAIN};
    tut_term term;
    char bytes[16];
    char blobs[32];
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    for (size_t i = 0; i < f->count; i++) {
        const tut_store_fault *fault = &f->faults[i];
        tut_term_printf(&term, out, styles[fault->kind], "  %-8s",
                        tut_store_fault_word(fault->kind));
        tut_buf_add_byte(out, ' ');
        tut_buf_add_escaped(out, tut_str_of(fault->what), 200);
        tut_buf_add_z(out, "\n           ");
        tut_term_wrap(&term, out, 11, tut_str_of(fault->why));
    }
    tut_human_bytes(f->bytes, bytes);
    tut_human_count(f->blobs, blobs);
    bool is_whole = f->damaged + f->missing == 0;
    tut_buf_printf(out, "%zu version%s in the log, %s blob%s, %s: ", f->versions,
                   f->versions == 1 ? "" : "s", blobs, f->blobs == 1 ? "" : "s", bytes);
    tut_term_printf(&term, out, is_whole ? TUT_STYLE_GOOD : TUT_STYLE_BAD, "%s",
                    is_whole ? "whole" : "not whole");
    tut_buf_add_z(out, ".\n");
    if (f->left > 0)
        tut_buf_printf(out, "%zu that nothing names: tutela store gc takes %s away.\n", f->left,
                       f->left == 1 ? "it" : "them");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_fsck) f = {0};
    tut_error err = {0};
    if (!tut_is_ok(check(args, &f, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(&f, &out, &err)
                                                     : write_text(args, &f, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, f.damaged + f.missing + f.foreign > 0 ? TUT_EXIT_FOUND
                                : f.versions == 0                     ? TUT_EXIT_DOUBT
                                                                      : TUT_EXIT_OK);
}

const tut_command tut_cmd_store_fsck = {
    .name = "store fsck",
    .summary = "Check every byte of the store, and hold it against the log",
    .help = "Reads every blob with all cores and compares it with its digest; looks for every "
            "manifest, file, tag and wrapped key that a version of the log needs; and for what is "
            "there and the log does not know.\n\n"
            "Exit status: 0 whole; 1 something is damaged, missing or foreign; 3 the log knows no "
            "version.",
    .formats = "table json",
    .options = options,
    .run = run,
};
