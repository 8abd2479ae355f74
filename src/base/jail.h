/*
 * What a process can give up for good: shared by the cage's workers and the ledger's sequencer.
 * Each step says whether it took hold; a kernel that lacks one leaves the others.
 *
 * prctl(PR_SET_NO_NEW_PRIVS) comes first: Landlock and seccomp need it.
 */
#ifndef TUT_BASE_JAIL_H
#define TUT_BASE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int tut_jail_landlock_abi(void); /* 0: the kernel has none */
bool tut_jail_has_seccomp(void);
/* True in sanitizer builds and under valgrind: those need system calls and memory of their own, so
 * a jail is looser there (seccomp answers EPERM, or is absent under valgrind). */
bool tut_jail_is_instrumented(void);

/* From here on no path can be reached but what lies below these directories (opened, O_PATH will
 * do), there for reading and writing; no TCP, and no signals to others, where the kernel has that.
 * The ABI in force, or 0. */
int tut_jail_enter_landlock(const int *dirs, size_t count);

typedef struct tut_jail_calls {
    const int *allowed; /* beside what computing, reading, memory, time and ending take */
    size_t allowed_count;
    const int *refused; /* answer EACCES; any other call kills the process */
    size_t refused_count;
    bool may_look; /* stat of paths; else it is refused */
} tut_jail_calls;

bool tut_jail_enter_seccomp(const tut_jail_calls *calls);
/* Whether this process has entered one: then it needs no cage for what it parses. */
bool tut_jail_is_entered(void);
void tut_jail_limit(int resource, uint64_t most);
/* Bit set of the first 32 capabilities (1u << CAP_...) that may stay where they were. */
void tut_jail_keep_capabilities(uint32_t kept);
/* Closes every descriptor from this number on. */
void tut_jail_close_from(int first);

/* Test hook: this process and its children behave as on a kernel that has no more than this.
 * landlock_abi: -1 for what there is. */
void tut_jail_pretend(int landlock_abi, bool has_seccomp);

#endif
