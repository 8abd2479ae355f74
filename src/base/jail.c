/*
 * Landlock takes away paths (and TCP, abstract sockets and signals to others, where the kernel
 * can); seccomp leaves the system calls on a list, and kills on any other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/jail.h"

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

enum { LANDLOCK_NEWEST = 7 };

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

#define FS_EXECUTE 1ull

static int pretended_abi = -1;
static bool pretends_no_seccomp;

void tut_jail_pretend(int landlock_abi, bool has_seccomp)
{
    pretended_abi = landlock_abi;
    pretends_no_seccomp = !has_seccomp;
}

bool tut_jail_is_instrumented(void)
{
    return IS_SANITIZED || RUNNING_ON_VALGRIND;
}

int tut_jail_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0)
        abi = 0;
    if (pretended_abi >= 0 && abi > pretended_abi)
        abi = pretended_abi;
    return abi > LANDLOCK_NEWEST ? LANDLOCK_NEWEST : (int)abi;
}

bool tut_jail_has_seccomp(void)
{
    /* Not const: the kernel's interface takes a plain pointer. */
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return !pretends_no_seccomp && !RUNNING_ON_VALGRIND &&
           syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static uint64_t handled_access(int abi)
{
    return FS_ABI1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
           (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static int make_ruleset(int abi)
{
    struct ruleset_attr attr = {.handled_access_fs = handled_access(abi)};
    size_t size = sizeof(attr.handled_access_fs);
    if (abi >= 4) {
        attr.handled_access_net = NET_BIND_AND_CONNECT_TCP;
        size += sizeof(attr.handled_access_net);
    }
    if (abi >= 6) {
        attr.scoped = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS;
        size += sizeof(attr.scoped);
    }
    return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

static bool is_entered;

bool tut_jail_is_entered(void)
{
    return is_entered;
}

int tut_jail_enter_landlock(const int *dirs, size_t count)
{
    int abi = tut_jail_landlock_abi();
    is_entered = true;
    if (abi == 0)
        return 0;
    int ruleset = make_ruleset(abi);
    if (ruleset < 0)
        return 0;
    /* Without a rule nothing is allowed. */
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i++) {
        struct landlock_path_beneath_attr rule = {.allowed_access = handled_access(abi) &
                                                                    ~(FS_EXECUTE | FS_IOCTL_DEV),
                                                  .parent_fd = dirs[i]};
        is_good = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ==
                  0;
    }
    is_good = is_good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    (void)close(ruleset);
    return is_good ? abi : 0;
}

/* What computing, time, memory and ending take. */
static const int common_calls[] = {
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
    SCMP_SYS(pwrite64),
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

/* A call that this architecture lacks (EDOM) needs no rule. */
static bool add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int rc = seccomp_rule_add(ctx, action, calls[i], 0);
        if (rc != 0 && rc != -EDOM)
            return false;
    }
    return true;
}

static bool add_with_arguments(scmp_filter_ctx ctx, bool may_look)
{
    /* fstat() of newer C libraries is newfstatat with an empty path. */
    int fstatat = SCMP_SYS(newfstatat);
    if (may_look) {
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, fstatat, 0) != 0)
            return false;
    } else if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, fstatat, 1,
                                SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)) != 0 ||
               seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), fstatat, 1,
                                SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0)) != 0) {
        return false;
    }
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

bool tut_jail_enter_seccomp(const tut_jail_calls *calls)
{
    if (!tut_jail_has_seccomp())
        return false;
    scmp_filter_ctx ctx = seccomp_init(IS_SANITIZED ? SCMP_ACT_ERRNO(EPERM)
                                                    : SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return false;
    bool is_good = add_all(ctx, SCMP_ACT_ALLOW, common_calls,
                           sizeof(common_calls) / sizeof(common_calls[0])) &&
                   add_all(ctx, SCMP_ACT_ALLOW, calls->allowed, calls->allowed_count) &&
                   add_all(ctx, SCMP_ACT_ERRNO(EACCES), calls->refused, calls->refused_count) &&
                   add_with_arguments(ctx, calls->may_look) && seccomp_load(ctx) == 0;
    seccomp_release(ctx);
    return is_good;
}

void tut_jail_limit(int resource, uint64_t most)
{
    struct rlimit old;
    if (getrlimit((__rlimit_resource_t)resource, &old) == 0 && old.rlim_max < most)
        most = old.rlim_max;
    struct rlimit new = {.rlim_cur = most, .rlim_max = most};
    (void)setrlimit((__rlimit_resource_t)resource, &new);
}

void tut_jail_keep_capabilities(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (kept != 0 && syscall(SYS_capget, &header, sets) != 0)
        return;
    sets[0] = (struct __user_cap_data_struct){.effective = sets[0].effective & kept,
                                              .permitted = sets[0].permitted & kept};
    sets[1] = (struct __user_cap_data_struct){0};
    (void)syscall(SYS_capset, &header, sets);
}

/* For kernels without close_range, and for valgrind, whose own descriptors must stay. */
static void close_listed(int first)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) {
        for (int fd = first; fd < 65536; fd++)
            (void)close(fd);
        return;
    }
    const struct dirent *d;
    while ((d = readdir(dir))) {
        int fd = (int)strtol(d->d_name, NULL, 10);
        if (fd >= first && fd != dirfd(dir))
            (void)close(fd);
    }
    (void)closedir(dir);
}

void tut_jail_close_from(int first)
{
    if (tut_jail_is_instrumented() || close_range((unsigned)first, ~0u, 0) != 0)
        close_listed(first);
}
