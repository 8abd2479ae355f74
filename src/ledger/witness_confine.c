/* What a witness that serves keeps of its powers: its socket, its directory, and the key in its
 * memory. It reads what strangers send in the process that holds the key; whoever took it over
 * could cosign what they like, but reach no other file, nobody else's process and no network. */
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/jail.h"
#include "ledger/witness_serve.h"

static const int allowed_calls[] = {
    /* connections */
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(fcntl),
    /* the directory */
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(umask),
    SCMP_SYS(getcwd),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
};

/* Libraries may try; nothing comes of it. */
static const int refused_calls[] = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(ioctl),
};

void tut_witness_confine(const char *dir)
{
    static const tut_jail_calls calls = {
        .allowed = allowed_calls,
        .allowed_count = sizeof(allowed_calls) / sizeof(allowed_calls[0]),
        .refused = refused_calls,
        .refused_count = sizeof(refused_calls) / sizeof(refused_calls[0]),
        .may_look = true};
    /* A leak checker looks at this process from another one when it ends in order. */
    bool is_watched = tut_jail_is_instrumented();
    int dirs[] = {open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
                  is_watched ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1};
    tut_jail_limit(RLIMIT_CORE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* Root may keep the directory of another user; that takes its right over files, and no other.
     */
    tut_jail_keep_capabilities(1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER);
    if (dirs[0] >= 0)
        (void)tut_jail_enter_landlock(dirs, is_watched ? 2 : 1);
    for (size_t i = 0; i < 2; i++) {
        if (dirs[i] >= 0)
            (void)close(dirs[i]);
    }
    if (is_watched)
        return;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    tut_jail_limit(RLIMIT_NPROC, 0);
    (void)tut_jail_enter_seccomp(&calls);
}
