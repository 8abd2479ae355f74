/*
 * Preloaded by rotation.py: the process that is about to make change number KILL_AT to the disk, or
 * one that comes upon that later, dies there and then, with all that it forked. Changes are counted
 * over all processes, in the shared file KILL_COUNTER (two u32: changes so far, whether it is
 * over). Only a process that leads a session of its own is killed so, and nobody outside its group.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile uint32_t *counter;
static uint32_t kill_at;
static pid_t group; /* of the process that was started, which leads it */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("KILL_COUNTER");
    const char *at = getenv("KILL_AT");
    group = getpid();
    if (group <= 1 || getsid(0) != group || getpgrp() != group)
        return;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0 || !at)
        return;
    kill_at = (uint32_t)strtoul(at, NULL, 10);
    void *shared = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    counter = shared == MAP_FAILED ? NULL : shared;
    close(fd);
}

/* A process that may not send signals dies of one all the same. */
static void step(void)
{
    if (!counter)
        return;
    if (__sync_add_and_fetch(&counter[0], 1) == kill_at)
        counter[1] = 1;
    if (counter[1]) {
        syscall(SYS_kill, -group, SIGKILL);
        __builtin_trap();
    }
}

#define STEP(call) (step(), (call))

int rename(const char *a, const char *b)
{
    return STEP((int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0));
}

int renameat(int d, const char *a, int e, const char *b)
{
    return STEP((int)syscall(SYS_renameat2, d, a, e, b, 0));
}

int renameat2(int d, const char *a, int e, const char *b, unsigned flags)
{
    return STEP((int)syscall(SYS_renameat2, d, a, e, b, flags));
}

int link(const char *a, const char *b)
{
    return STEP((int)syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b, 0));
}

int linkat(int d, const char *a, int e, const char *b, int flags)
{
    return STEP((int)syscall(SYS_linkat, d, a, e, b, flags));
}

int unlink(const char *a)
{
    return STEP((int)syscall(SYS_unlinkat, AT_FDCWD, a, 0));
}

int unlinkat(int d, const char *a, int flags)
{
    return STEP((int)syscall(SYS_unlinkat, d, a, flags));
}

int fsync(int fd)
{
    return STEP((int)syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    return STEP((int)syscall(SYS_fdatasync, fd));
}

int syncfs(int fd)
{
    return STEP((int)syscall(SYS_syncfs, fd));
}

ssize_t write(int fd, const void *p, size_t n)
{
    return STEP(syscall(SYS_write, fd, p, n));
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    return STEP(syscall(SYS_writev, fd, v, n));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return STEP(syscall(SYS_pwrite64, fd, p, n, at));
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return STEP(syscall(SYS_pwrite64, fd, p, n, at));
}
