/*
 * What a worker gives up, for good, before it sees a byte from outside.
 *
 * Landlock takes away every path (and TCP, abstract sockets and signals to others, where the kernel
 * can); seccomp leaves the system calls that reading descriptors and computing need, and kills on
 * any other; rlimits bound memory and scratch files and forbid processes and core dumps;
 * capabilities go.
 *
 * Looking a path up (open, access, readlink, stat) answers EACCES instead of killing: libraries
 * look for optional configuration on first use, and the refusal is all the safety that is needed.
 */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cage_internal.h"
#include "base/jail.h"

enum {
    OPEN_FILES = TUT_LIMIT_SIBLINGS + TUT_LIMIT_CAGE_AHEAD + 24,
    /* Beside the examination's own budget: its stack, buffers, a reply, the allocator's slack. */
    EXTRA_BYTES = 96 << 20
};

void tut_cage_pretend(int landlock_abi, bool has_seccomp)
{
    tut_jail_pretend(landlock_abi, has_seccomp);
}

bool tut_cage_is_instrumented(void)
{
    return tut_jail_is_instrumented();
}

void tut_cage_jail_probe(tut_cage_jail *ret_jail)
{
    *ret_jail = (tut_cage_jail){.landlock_abi = tut_jail_landlock_abi(),
                                .seccomp = tut_jail_has_seccomp()};
}

void tut_cage_jail_facts(const tut_cage_jail *jail, tut_cage_facts *ret_facts)
{
    tut_cage_facts f = {.landlock_abi = jail->landlock_abi,
                        .seccomp = jail->seccomp,
                        .no_network = jail->landlock_abi >= 4 || jail->seccomp};
    f.complete = f.landlock_abi > 0 && f.seccomp && f.no_network;
    (void)snprintf(f.lacking, sizeof(f.lacking), "%s%s%s%s", f.landlock_abi > 0 ? "" : "landlock",
                   f.landlock_abi > 0 || f.seccomp ? "" : ", ", f.seccomp ? "" : "seccomp",
                   f.no_network ? "" : ", network isolation");
    *ret_facts = f;
}

/* Looking for what is out of reach is answered, not punished. */
static const int refused_calls[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(openat2),  SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(stat),      SCMP_SYS(lstat),      SCMP_SYS(statx),    SCMP_SYS(getcwd),
    SCMP_SYS(ioctl),     SCMP_SYS(fcntl),
};

/* Bytes of address space in use now; what the parent had mapped comes along in the fork. */
static uint64_t address_space(void)
{
    unsigned long long pages = 0;
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
        if (n > 0)
            pages = strtoull(text, NULL, 10);
    }
    long page = sysconf(_SC_PAGESIZE);
    return pages == 0 || page <= 0 ? 512ull << 20 : pages * (unsigned long long)page;
}

static void set_limits(uint64_t heap_bytes)
{
    tut_jail_limit(RLIMIT_CORE, 0);
    tut_jail_limit(RLIMIT_NPROC, 0);
    if (!tut_jail_is_instrumented()) {
        tut_jail_limit(RLIMIT_FSIZE, TUT_LIMIT_SCRATCH_BYTES);
        tut_jail_limit(RLIMIT_NOFILE, OPEN_FILES);
        tut_jail_limit(RLIMIT_AS, address_space() + heap_bytes + EXTRA_BYTES);
    }
}

void tut_cage_jail_enter(uint64_t heap_bytes, tut_cage_jail *ret_jail)
{
    static const tut_jail_calls calls = {.refused = refused_calls,
                                         .refused_count = sizeof(refused_calls) /
                                                          sizeof(refused_calls[0])};
    set_limits(heap_bytes);
    /* Both jails need no_new_privs; without it they report failure themselves. */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ret_jail->landlock_abi = tut_jail_enter_landlock(NULL, 0);
    tut_jail_keep_capabilities(0);
    ret_jail->seccomp = tut_jail_enter_seccomp(&calls);
}
