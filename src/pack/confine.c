#include "pack/confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "assess/catalogue.h"
#include "assess/tool.h"
#include "base/jail.h"
#include "crypto/ed25519.h"
#include "crypto/merkle.h"

static const int allowed_calls[] = {
    /* threads, of which the libraries ask a few things more */
    SCMP_SYS(clone),     SCMP_SYS(clone3), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(prlimit64), SCMP_SYS(prctl),  SCMP_SYS(fcntl),
};

/* Libraries may try; nothing comes of it. */
static const int refused_calls[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),  SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(socket),     SCMP_SYS(connect), SCMP_SYS(ioctl),  SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getcwd),  SCMP_SYS(statx),
};

tut_status tut_pack_confine(tut_error *err)
{
    static const tut_jail_calls calls = {
        .allowed = allowed_calls,
        .allowed_count = sizeof(allowed_calls) / sizeof(allowed_calls[0]),
        .refused = refused_calls,
        .refused_count = sizeof(refused_calls) / sizeof(refused_calls[0])};
    tut_tool_digests digests;
    const tut_clause *clauses;
    tut_sha256 none;
    TUT_TRY(tut_tool_get_digests(&digests, err));
    TUT_TRY(tut_catalogue_load(&clauses, err));
    TUT_TRY(tut_merkle_start(err));
    tut_ed25519_prepare();
    TUT_TRY(tut_sha256_of(tut_span_of("", 0), &none, err));
    bool is_watched = tut_jail_is_instrumented();
    int proc = is_watched ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    tut_jail_limit(RLIMIT_CORE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    tut_jail_keep_capabilities(0);
    (void)tut_jail_enter_landlock(&proc, proc >= 0 ? 1 : 0);
    if (proc >= 0)
        (void)close(proc);
    if (!is_watched)
        (void)tut_jail_enter_seccomp(&calls);
    return TUT_SUCCESS;
}
