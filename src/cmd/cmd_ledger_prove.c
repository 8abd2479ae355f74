/* tutela ledger prove: that an entry is in the log, or that the log continues an older one. */
#include <string.h>

#include "cmd/ledger_view.h"
#include "ledger/proof.h"

static const tut_option options[] = {
    {"--from", TUT_OPTION_VALUE, "SIZE|CHECKPOINT",
     "prove instead that the log continues the one of that size, or of that saved checkpoint"},
    TUT_LEDGER_LOG_OPTION,
    {"--out", TUT_OPTION_VALUE, "FILE", "write the proof to FILE"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status prove_entry(tut_log *log, const char *word, tut_proof *p, tut_error *err)
{
    uint64_t size = tut_log_size(log);
    TUT_TRY(tut_ledger_view_place(word, size, &p->number, err));
    return tut_log_prove_inclusion(log, p->number, size, p->hashes, &p->count, err);
}

/* Refused when the log does not continue it: a proof that proves nothing helps nobody. */
static tut_status check_old(tut_log *log, const tut_checkpoint *old, tut_error *err)
{
    tut_sha256 root;
    if (old->size > tut_log_size(log))
        return tut_fail(err, TUT_STORE,
                        "the saved checkpoint is of %llu entries, and the log has %llu: it was "
                        "rolled back",
                        (unsigned long long)old->size, (unsigned long long)tut_log_size(log));
    TUT_TRY(tut_log_root_at(log, old->size, &root, err));
    return tut_sha256_eq(&root, &old->root)
               ? TUT_SUCCESS
               : tut_fail(err, TUT_STORE,
                          "the log does not continue the saved checkpoint: its first %llu entries "
                          "are other ones",
                          (unsigned long long)old->size);
}

static tut_status read_old(tut_log *log, const char *file, uint64_t *ret_size, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint old;
    TUT_TRY(tut_ledger_view_file(file, TUT_NOTE_BYTES_MAX, &bytes, err));
    TUT_TRY(tut_note_parse(tut_buf_str(&bytes), &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &old, err));
    TUT_TRY(check_old(log, &old, err));
    *ret_size = old.size;
    return TUT_SUCCESS;
}

static tut_status prove_growth(tut_log *log, const char *from, tut_proof *p, tut_error *err)
{
    p->is_consistency = true;
    if (!tut_str_u64(tut_str_of(from), &p->number))
        TUT_TRY(read_old(log, from, &p->number, err));
    if (p->number > tut_log_size(log))
        return tut_fail(err, TUT_USAGE, "the log has only %llu entries",
                        (unsigned long long)tut_log_size(log));
    return tut_log_prove_consistency(log, p->number, tut_log_size(log), p->hashes, &p->count, err);
}

static tut_status prove(const tut_args *args, tut_ledger_view *view, tut_buf *out, tut_error *err)
{
    const char *from = tut_args_get(args, "--from");
    tut_proof p = {.count = 0};
    if ((from != NULL) == (args->positional_count > 0))
        return tut_fail(err, TUT_USAGE, "prove takes either an entry or --from");
    TUT_TRY(tut_ledger_view_open_named(args, view, err));
    TUT_TRY(from ? prove_growth(view->log, from, &p, err)
                 : prove_entry(view->log, args->positional[0], &p, err));
    p.checkpoint = tut_log_checkpoint(view->log);
    tut_proof_write(&p, out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(tut_ledger_view_done))) tut_ledger_view view = {.state = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(prove(args, &view, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_ledger_view_write(tut_args_get(args, "--out"), &out, TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_prove = {
    .name = "ledger prove",
    .arguments = "[INDEX | last]",
    .summary = "Write a proof that an entry is in the log, to be checked without it",
    .help = "The proof is the text of c2sp.org/tlog-proof: index, hashes, signed checkpoint. "
            "tutela ledger verify --proof FILE --key VKEY --entry FILE checks it anywhere. With "
            "--from it is a proof that the log only grew since: the body of "
            "c2sp.org/tlog-witness add-checkpoint.",
    .formats = "table",
    .options = options,
    .most = 1,
    .run = run,
};
