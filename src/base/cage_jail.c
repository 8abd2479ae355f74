/*
 * What a worker gives up, for good, before it sees a byte from outside.
 *
 * Landlock takes away every path (and TCP, abstract sockets and signals to others, where the kernel
 * can); seccomp leaves the system calls that reading descriptors and computing need, and kills on
 * any other; rlimits bound memory and forbid files, processes and core dumps; capabilities go.
 *
 * Looking a path up (open, access, readlink, stat) answers EACCES instead of killing: libraries
 * look for optional configuration on first use, and the refusal is all the safety that is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cage_internal.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

enum {
    LANDLOCK_NEWEST = 7,
    OPEN_FILES = TUT_LIMIT_SIBLINGS + TUT_LIMIT_CAGE_AHEAD + 24,
    /* Beside the examination's own budget: its stack, buffers, a reply, the allocator's slack. */
    EXTRA_BYTES = 96 << 20
};

/* Newer than the headers of some systems that we build on; the numbers are the kernel's own. */
struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};
#define FS_ABI1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)     /* ABI 2 */
#define FS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_BIND_AND_CONNECT_TCP 3ull
#define SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS 3ull

static int pretended_abi = -1;
static bool pretends_no_seccomp;

void tut_cage_pretend(int landlock_abi, bool has_seccomp)
{
    pretended_abi = landlock_abi;
    pretends_no_seccomp = !has_seccomp;
}

bool tut_cage_is_instrumented(void)
{
    return IS_SANITIZED || RUNNING_ON_VALGRIND;
}

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0)
        abi = 0;
    if (pretended_abi >= 0 && abi > pretended_abi)
        abi = pretended_abi;
    return abi > LANDLOCK_NEWEST ? LANDLOCK_NEWEST : (int)abi;
}

static bool has_seccomp(void)
{
    /* Not const: the kernel's interface takes a plain pointer. */
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return !pretends_no_seccomp && !RUNNING_ON_VALGRIND &&
           syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

void tut_cage_jail_probe(tut_cage_jail *ret_jail)
{
    *ret_jail = (tut_cage_jail){.landlock_abi = landlock_abi(), .seccomp = has_seccomp()};
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

static int enter_landlock(void)
{
    int abi = landlock_abi();
    if (abi == 0)
        return 0;
    struct ruleset_attr attr = {.handled_access_fs = FS_ABI1};
    size_t size = sizeof(attr.handled_access_fs);
    attr.handled_access_fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
                              (abi >= 5 ? FS_IOCTL_DEV : 0);
    if (abi >= 4) {
        attr.handled_access_net = NET_BIND_AND_CONNECT_TCP;
        size += sizeof(attr.handled_access_net);
    }
    if (abi >= 6) {
        attr.scoped = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS;
        size += sizeof(attr.scoped);
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0)
        return 0;
    /* No rule is added: nothing is allowed. */
    long rc = syscall(SYS_landlock_restrict_self, ruleset, 0);
    (void)close(ruleset);
    return rc == 0 ? abi : 0;
}

/* Reading descriptors that were handed over, answering, memory, time, ending. */
static const int allowed_calls[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(recvmsg),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(fadvise64),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getrusage),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
};

/* Looking for what is out of reach is answered, not punished. */
static const int refused_calls[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(openat2),  SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(stat),      SCMP_SYS(lstat),      SCMP_SYS(statx),    SCMP_SYS(getcwd),
    SCMP_SYS(ioctl),     SCMP_SYS(fcntl),
};

/* A call that this architecture lacks (EDOM) needs no rule. */
static bool add(scmp_filter_ctx ctx, uint32_t action, int call)
{
    int rc = seccomp_rule_add(ctx, action, call, 0);
    return rc == 0 || rc == -EDOM;
}

static bool add_with_arguments(scmp_filter_ctx ctx)
{
    /* fstat() of newer C libraries is newfstatat with an empty path. */
    int fstatat = SCMP_SYS(newfstatat);
    if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, fstatat, 1,
                         SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)) != 0 ||
        seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), fstatat, 1,
                         SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0)) != 0)
        return false;
    /* Memory, but never memory that can be run. */
    if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 ||
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
        return false;
    /* abort() signals itself and nobody else. */
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) == 0;
}

static bool enter_seccomp(void)
{
    if (!has_seccomp())
        return false;
    scmp_filter_ctx ctx = seccomp_init(IS_SANITIZED ? SCMP_ACT_ERRNO(EPERM)
                                                    : SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return false;
    bool is_good = true;
    for (size_t i = 0; i < sizeof(allowed_calls) / sizeof(allowed_calls[0]); i++)
        is_good = is_good && add(ctx, SCMP_ACT_ALLOW, allowed_calls[i]);
    for (size_t i = 0; i < sizeof(refused_calls) / sizeof(refused_calls[0]); i++)
        is_good = is_good && add(ctx, SCMP_ACT_ERRNO(EACCES), refused_calls[i]);
    is_good = is_good && add_with_arguments(ctx) && seccomp_load(ctx) == 0;
    seccomp_release(ctx);
    return is_good;
}

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

static void limit(__rlimit_resource_t what, uint64_t most)
{
    struct rlimit old;
    if (getrlimit(what, &old) == 0 && old.rlim_max < most)
        most = old.rlim_max;
    struct rlimit new = {.rlim_cur = most, .rlim_max = most};
    (void)setrlimit(what, &new);
}

static void set_limits(void)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 0);
    if (!tut_cage_is_instrumented()) {
        limit(RLIMIT_FSIZE, 0);
        limit(RLIMIT_NOFILE, OPEN_FILES);
        limit(RLIMIT_AS, address_space() + TUT_LIMIT_HEAP_BYTES + EXTRA_BYTES);
    }
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    (void)syscall(SYS_capset, &header, none);
}

void tut_cage_jail_enter(tut_cage_jail *ret_jail)
{
    set_limits();
    /* Both jails need no_new_privs; without it they report failure themselves. */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ret_jail->landlock_abi = enter_landlock();
    drop_capabilities();
    ret_jail->seccomp = enter_seccomp();
}
