/*
 * The cage: bytes from outside are parsed in worker processes without keys, network or write
 * access.
 *
 * A worker is a fork of this process that has closed every descriptor but its socket, then dropped
 * to: Landlock with no path allowed (ABI probed, network and scopes too where the kernel has them),
 * a seccomp allow-list, rlimits (address space, file size, no processes, no core), no_new_privs.
 * Files arrive as descriptors. Siblings of the file at hand (shards, external data) are asked of
 * the parent, which opens them beneath one directory only; so are scratch files, which have no name
 * and are all that a worker can write to.
 *
 * Inside, looking a path up or opening one answers EACCES (libraries look for optional
 * configuration on first use); any other system call that is not on the list kills the worker.
 * Under sanitizers those answer EPERM and no memory limit holds; under valgrind there is no filter.
 *
 * Tasks are sent in batches and answered in order. When a worker dies, or the task at hand passes
 * its deadline, it is replaced and the suspect task runs once more, alone; if it fails again its
 * outcome is TUT_CAGE_CRASHED or TUT_CAGE_TIMEOUT, and the rest goes on.
 */
#ifndef TUT_BASE_CAGE_H
#define TUT_BASE_CAGE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/source.h"
#include "base/status.h"

typedef struct tut_cage tut_cage;
typedef struct tut_cage_task tut_cage_task; /* the worker's view of the task at hand */

/* Runs in the worker: `bytes` is the file (empty source when the task had none), `argument` what
 * the caller passed. The reply goes to `out` (capped at TUT_LIMIT_REPLY_BYTES). A failure is
 * delivered to the caller as the task's error. */
typedef tut_status (*tut_cage_job)(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                                   tut_buf *out, tut_error *err);

typedef enum tut_cage_mode { TUT_CAGE_AUTO, TUT_CAGE_REQUIRE } tut_cage_mode;

/* What the kernel gave: printed in reports. */
typedef struct tut_cage_facts {
    int landlock_abi; /* 0: the kernel has none */
    bool seccomp;
    bool no_network;   /* by Landlock ABI >= 4 or by seccomp */
    bool complete;     /* nothing of the above is lacking */
    char lacking[128]; /* "" or "landlock, seccomp" */
} tut_cage_facts;

typedef struct tut_cage_options {
    tut_cage_mode mode;  /* REQUIRE: opening fails (UNSUPPORTED) where a part is lacking */
    unsigned workers;    /* 0: as many as there are processors, at most 8; started when needed */
    uint64_t task_ms;    /* deadline per task; 0: by size, from limits.h */
    uint64_t heap_bytes; /* memory of a worker; 0: TUT_LIMIT_HEAP_BYTES */
} tut_cage_options;

/* job lives in this process image; one cage runs one kind of job. Workers start at the first task,
 * so opening is cheap; open before secrets are loaded. */
TUT_MUST tut_status tut_cage_open(tut_cage_job job, const tut_cage_options *options,
                                  tut_cage **ret_cage, tut_error *err);
void tut_cage_free(tut_cage *cage); /* kills what still runs */
TUT_DEFINE_AUTO(tut_cage)

typedef enum tut_cage_outcome {
    TUT_CAGE_DONE,    /* `reply` is the job's output */
    TUT_CAGE_FAILED,  /* the job returned an error: `error` */
    TUT_CAGE_CRASHED, /* the worker died twice on it; error.text names the signal */
    TUT_CAGE_TIMEOUT
} tut_cage_outcome;

/* Called in the parent, in the order of submission. Replies are hostile: decode with tut_reader. */
typedef tut_status (*tut_cage_done)(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                                    const tut_error *error, tut_error *err);

/* A file that the worker may ask for by this name, wherever it lies: before siblings. */
typedef struct tut_cage_lent {
    const char *name;
    int fd;           /* borrowed for the call */
    bool is_writable; /* what the worker writes is hostile; may be written twice, from the start */
} tut_cage_lent;

typedef struct tut_cage_request {
    int fd;        /* -1: none. Borrowed until this call returns; the worker can only read it, also
                    * when it is open for writing here */
    uint64_t size; /* for the deadline */
    int sibling_dirfd;         /* -1: no siblings; else duplicated, and closed by the cage */
    const tut_cage_lent *lent; /* copied */
    size_t lent_count;
    tut_span argument; /* copied */
    void *tag;
} tut_cage_request;

/* Queues a task; may deliver finished ones through `done` before it returns. CANCELLED after
 * tut_interrupted(), and then, as after any failure to run workers, nothing is outstanding. */
TUT_MUST tut_status tut_cage_submit(tut_cage *cage, const tut_cage_request *request,
                                    tut_cage_done done, void *ctx, tut_error *err);
/* Delivers everything outstanding. CANCELLED after tut_interrupted(). */
TUT_MUST tut_status tut_cage_drain(tut_cage *cage, tut_cage_done done, void *ctx, tut_error *err);
/* One task, now, with its reply appended to out: for tutela.yaml and other single files. The job's
 * own error is handed up; a crash is BUG, a passed deadline LIMIT. */
TUT_MUST tut_status tut_cage_call(tut_cage_job job, const tut_cage_options *options, int fd,
                                  tut_span argument, tut_buf *out, tut_error *err);
unsigned tut_cage_workers(const tut_cage *cage); /* how many there are at most */
/* Known after the first worker started (probes without one otherwise). */
void tut_cage_get_facts(tut_cage *cage, tut_cage_facts *ret_facts);

/* --- worker side --- */
/* Opens `rel` below the task's directory, through the parent. DENIED for anything outside, absent
 * files are IO. The source lives until the task ends. */
TUT_MUST tut_status tut_cage_sibling(tut_cage_task *task, const char *rel, tut_source *ret_source,
                                     tut_error *err);

/* The descriptor of a file that was lent, or of a sibling; it lives until the task ends. */
TUT_MUST tut_status tut_cage_file(tut_cage_task *task, const char *name, int *ret_fd,
                                  tut_error *err);

/* An empty file without a name to keep bytes in, of at most TUT_LIMIT_SCRATCH_BYTES; the parent
 * opens it. UNSUPPORTED when task is NULL. Give it back with tut_cage_scratch_done, or it lives
 * until the task ends. */
TUT_MUST tut_status tut_cage_scratch(tut_cage_task *task, int *ret_fd, tut_error *err);
void tut_cage_scratch_done(tut_cage_task *task, int fd);

/* --- interruption: Ctrl-C --- */
void tut_interrupt_install(void); /* SIGINT and SIGTERM set a flag; a second one ends the process */
bool tut_interrupted(void);

#endif
