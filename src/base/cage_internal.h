/* What the files of the cage share, and the hooks of their tests. */
#ifndef TUT_BASE_CAGE_INTERNAL_H
#define TUT_BASE_CAGE_INTERNAL_H

#include <sys/types.h>

#include "base/cage.h"
#include "base/limits.h"

/* --- the wire: header, then `length` bytes; a descriptor travels with the header --- */

typedef enum tut_cage_kind {
    TUT_CAGE_TASK = 1, /* to the worker: argument; has_fd */
    TUT_CAGE_ANSWER,   /* to the worker: code; has_fd, or the error's text */
    TUT_CAGE_READY,    /* from the worker, once, first: what its jail is made of */
    TUT_CAGE_RESULT,   /* from the worker: the reply */
    TUT_CAGE_ERROR,    /* from the worker: code, and the error */
    TUT_CAGE_ASK,      /* from the worker: a sibling's relative path */
    TUT_CAGE_SCRATCH   /* from the worker: a file to keep bytes in; no body */
} tut_cage_kind;

enum {
    TUT_CAGE_HEADER_BYTES = 16,
    TUT_CAGE_READY_BYTES = 3,
    TUT_CAGE_PATH_MAX = 4096,
    /* has_offset, offset, and two sized texts */
    TUT_CAGE_ERROR_MAX = 1 + 8 + 4 + TUT_ERROR_TEXT_MAX + 4 + TUT_ERROR_PATH_MAX
};

typedef struct tut_cage_header {
    uint8_t kind;
    uint8_t code;
    bool has_fd;
    uint32_t length;
    uint64_t seq; /* the task that it is about */
} tut_cage_header;

void tut_cage_header_write(const tut_cage_header *h, uint8_t to[TUT_CAGE_HEADER_BYTES]);
/* The caller judges the values. */
void tut_cage_header_read(const uint8_t from[TUT_CAGE_HEADER_BYTES], tut_cage_header *ret_header);
size_t tut_cage_error_write(const tut_error *error, uint8_t to[TUT_CAGE_ERROR_MAX]);
TUT_MUST tut_status tut_cage_error_read(tut_span from, tut_error *ret_error);

/* --- the jail --- */

typedef struct tut_cage_jail {
    int landlock_abi; /* 0: not in force */
    bool seccomp;
} tut_cage_jail;

/* What this kernel offers, without entering anything. */
void tut_cage_jail_probe(tut_cage_jail *ret_jail);
void tut_cage_jail_facts(const tut_cage_jail *jail, tut_cage_facts *ret_facts);
/* Enters the jail for good; says what took hold. Only in a process that is to be a worker. */
void tut_cage_jail_enter(uint64_t heap_bytes, tut_cage_jail *ret_jail);
/* True in sanitizer builds and under valgrind: those need system calls and memory of their own, so
 * the jail is looser there (seccomp answers EPERM, or is absent under valgrind; no memory limit).
 */
bool tut_cage_is_instrumented(void);

/* Test hook: this process and its future workers behave as on a kernel that has no more than this.
 * landlock_abi: -1 for what there is. */
void tut_cage_pretend(int landlock_abi, bool has_seccomp);

/* --- the worker process --- */

/* Never returns. */
void tut_cage_worker_main(const tut_cage *cage, int socket, pid_t parent) __attribute__((noreturn));

/* --- the parent's side --- */

typedef enum tut_cage_state {
    TUT_CAGE_QUEUED,
    TUT_CAGE_RUNNING, /* given to a worker */
    TUT_CAGE_FINISHED /* waits for its turn of delivery */
} tut_cage_state;

/* A task as the parent sees it. */
typedef struct tut_cage_kept { /* a file that is lent */
    char *name;
    int fd;
} tut_cage_kept;

typedef struct tut_cage_item {
    uint64_t seq;
    tut_cage_state state;
    int fd;    /* -1: none */
    int dirfd; /* -1: none */
    uint64_t size;
    struct tut_cage_kept *lent;
    size_t lent_count;
    uint8_t *argument;
    size_t argument_len;
    void *tag;
    bool is_sent;      /* whole, so that the worker can have begun it */
    unsigned failures; /* how often a worker died or was late on it */
    unsigned siblings; /* asked for so far */
    unsigned scratches;
    tut_cage_outcome outcome;
    tut_buf reply;
    tut_error *error;
} tut_cage_item;

/* A message on its way to a worker. */
typedef struct tut_cage_frame {
    uint8_t header[TUT_CAGE_HEADER_BYTES];
    tut_span body; /* borrowed from the item, or `owned` */
    uint8_t *owned;
    tut_cage_item *item; /* of a TASK */
    int fd;              /* -1: none, or sent */
    bool owns_fd;
    size_t sent;
} tut_cage_frame;

enum { TUT_CAGE_WORKERS_MAX = 8, TUT_CAGE_FRAMES_MAX = TUT_LIMIT_CAGE_AHEAD + 2 };

typedef struct tut_cage_worker {
    pid_t pid; /* 0: this slot has no process */
    int fd;
    bool is_ready;
    bool is_alone;                              /* runs a suspect and gets nothing else meanwhile */
    tut_cage_item *items[TUT_LIMIT_CAGE_AHEAD]; /* in the order sent; the first is at hand */
    size_t count;
    uint64_t since_ms;     /* the first item's start, or the worker's own until it is ready */
    uint64_t since_cpu_ms; /* what the worker had used of the processor by then */
    tut_cage_frame frames[TUT_CAGE_FRAMES_MAX];
    size_t frame_count;
    uint8_t header[TUT_CAGE_HEADER_BYTES]; /* of the message that is coming in */
    size_t header_have;
    tut_cage_header in;
    tut_buf body;
} tut_cage_worker;

struct tut_cage {
    tut_cage_job job;
    tut_cage_mode mode;
    unsigned max_workers;
    uint64_t task_ms, heap_bytes;
    tut_cage_facts facts;
    tut_cage_worker workers[TUT_CAGE_WORKERS_MAX];
    unsigned start_failures;                      /* in a row */
    tut_error fatal;                              /* code TUT_OK: none */
    tut_cage_item *window[TUT_LIMIT_CAGE_WINDOW]; /* a ring, in order of submission */
    size_t head, count, queued;
    size_t held_bytes; /* of finished replies in the window */
    uint64_t next_seq;
};

/* The time of the task at hand begins now. */
void tut_cage_begin_clock(tut_cage_worker *w);
/* Gives queued tasks to workers, takes in what they sent, looks at deadlines. Waits for something
 * to happen when is_waiting. */
TUT_MUST tut_status tut_cage_pump(tut_cage *cage, bool is_waiting, tut_error *err);
/* Gives queued tasks to workers only. */
TUT_MUST tut_status tut_cage_dispatch(tut_cage *cage, tut_error *err);
/* Ends every worker; their tasks are queued again. */
void tut_cage_stop(tut_cage *cage);

/* --- one worker, seen from the parent (cage_peer.c) --- */

/* True when the worker took it or will; false when it must be given up. */
bool tut_cage_peer_send(tut_cage_worker *w, const tut_cage_header *h, tut_cage_frame frame);
bool tut_cage_peer_flush(tut_cage_worker *w);
/* Reads what is there. False: the worker is gone or broke the protocol (*ret_breach says how). */
bool tut_cage_peer_read(tut_cage *cage, tut_cage_worker *w, const char **ret_breach);
void tut_cage_peer_close(tut_cage_worker *w); /* descriptor, frames, input; not the process */
/* The item is over: it leaves the worker's side and waits for delivery. */
void tut_cage_finish(tut_cage *cage, tut_cage_item *item, tut_cage_outcome outcome);

#endif
