/* tutela pack verify: a pack looked at without any state, network or key of ours. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/pack_view.h"
#include "pack/confine.h"
#include "pack/trust.h"

static const tut_option options[] = {
    {"--trust", TUT_OPTION_LIST, "KEY|POLICY",
     "a verifier key of the log, or a file of such keys, of a public key in PEM, or of a policy of "
     "witnesses; from elsewhere than the pack"},
    {"--timestamp-ca", TUT_OPTION_VALUE, "ROOTS.pem", "whose time-stamps are believed"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status verify(const tut_args *args, int fd, tut_pack_result **ret, tut_error *err)
{
    TUT_CLEAN(tut_pack_trusting) trusting = {.keys = NULL};
    tut_source source;
    TUT_TRY(tut_pack_view_trust(args, &trusting, err));
    tut_status status = tut_source_file(fd, &source, err);
    if (tut_is_ok(status))
        status = tut_pack_confine(err);
    tut_pack_trust trust = tut_pack_trust_of(&trusting);
    if (tut_is_ok(status))
        status = tut_pack_verify(&source, &trust, tut_time_now(), ret, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, args->positional[0]);
    return status;
}

static int run(const tut_args *args)
{
    TUT_AUTO(tut_pack_result) result = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_term term;
    const char *path = args->positional[0];
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    tut_status status = fd < 0 ? tut_fail_errno(&err, errno, "%s cannot be opened", path)
                               : verify(args, fd, &result, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? tut_pack_result_json(result, &out, &err)
                                                   : tut_pack_view_text(result, &term, &out, &err);
    if (fd >= 0)
        (void)close(fd);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, !result->holds                              ? TUT_EXIT_FOUND
                                : result->trust == TUT_PACK_SELF_CONSISTENT ? TUT_EXIT_DOUBT
                                                                            : TUT_EXIT_OK);
}

const tut_command tut_cmd_pack_verify = {
    .name = "pack verify",
    .arguments = "FILE",
    .summary = "Verify a pack: every digest, proof, signature, and the verdict",
    .help =
        "Needs no state, no network and no keys. Recomputes every digest, the tree over all "
        "entries, signatures, people and keys, cosignatures, time-stamps, and the verdict itself; "
        "names the first file that differs; says what has run out since, and what all this rests "
        "on. It proves what was claimed, by whom, and by when; not that it was true.\n\n"
        "Exit status: 0 all holds; 1 something is wrong, or it is not the log of --trust; 2 it is "
        "no pack, or cannot be read; 3 all holds, but only by the pack's own keys.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
