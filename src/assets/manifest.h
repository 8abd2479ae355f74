/*
 * Manifests: every regular file below a path with its digest, as OpenSSF Model Signing v1.0
 * (section 6) enumerates and hashes a model. A path that is a file is a manifest of that file.
 *
 * Two steps, so that a verifier can look at names before it hashes anything: list, then hash.
 * Hashing uses every core. A file that is not the same before and after is an error.
 */
#ifndef TUT_ASSETS_MANIFEST_H
#define TUT_ASSETS_MANIFEST_H

#include "base/arena.h"
#include "crypto/digest.h"
#include "crypto/hash.h"

typedef struct tut_stamp { /* what tells one content of a file from another without reading it */
    uint64_t dev, ino, size;
    int64_t mtime_s, ctime_s;
    uint32_t mtime_ns, ctime_ns;
} tut_stamp;

struct stat;
void tut_stamp_of(const struct stat *st, tut_stamp *ret_stamp);
bool tut_stamp_eq(const tut_stamp *a, const tut_stamp *b);

typedef struct tut_manifest_file {
    tut_str name; /* below the root, '/' between components, UTF-8; NUL-ended */
    tut_stamp stamp;
    tut_hash digest;
    bool is_wanted; /* to be hashed; set by tut_manifest_list */
    bool is_hashed; /* digest holds */
} tut_manifest_file;

typedef enum tut_odd_kind {
    TUT_ODD_LINK,    /* a symbolic link, where links are not followed; or one that leads nowhere */
    TUT_ODD_SPECIAL, /* a device, socket or pipe */
    TUT_ODD_NAME     /* a name that is not UTF-8 */
} tut_odd_kind;

typedef struct tut_odd_file { /* what no manifest can hold */
    tut_str name;
    tut_odd_kind kind;
} tut_odd_file;
/* "is a symbolic link", for a sentence that begins with the name. */
const char *tut_odd_text(tut_odd_kind kind);

typedef struct tut_manifest {
    int dirfd;      /* names are below it */
    bool is_single; /* the path is one file */
    bool follows_links;
    char *path;               /* as given, for messages */
    char *base;               /* the last component of the real path: "llama-7b" */
    tut_manifest_file *files; /* by code points of their names (= bytes) */
    size_t count, capacity;
    tut_odd_file *odd; /* not ignored, and not among the files */
    size_t odd_count, odd_capacity;
    uint64_t bytes;  /* of all files */
    tut_arena arena; /* the names */
} tut_manifest;

typedef struct tut_manifest_options {
    bool allow_symlinks;       /* true: the target of a link stands under the link's name */
    const char *const *ignore; /* paths below the root, left out with all that is below them */
    size_t ignore_count;
} tut_manifest_options;

/* Whether `name` is `path` or lies below it. */
bool tut_manifest_covers(tut_str path, tut_str name);

/* Lists without reading a byte. What cannot be opened is IO or DENIED, more files than
 * TUT_LIMIT_WALK_FILES or deeper than TUT_LIMIT_WALK_DEPTH LIMIT; the error names the path. An
 * empty listing and odd files are no error here. */
TUT_MUST tut_status tut_manifest_list(const char *path, const tut_manifest_options *options,
                                      tut_manifest **ret_manifest, tut_error *err);
void tut_manifest_free(tut_manifest *m);
TUT_DEFINE_AUTO(tut_manifest)
/* The file of that name, or NULL. */
tut_manifest_file *tut_manifest_find(const tut_manifest *m, tut_str name);

/* Opens a listed file. Unless links are followed, no component may be a link by now. */
TUT_MUST tut_status tut_manifest_open(const tut_manifest *m, const tut_manifest_file *f,
                                      int *ret_fd, tut_error *err);

typedef struct tut_hash_range { /* a shard: bytes [start, end) of a file */
    size_t file;
    uint64_t start, end;
    tut_hash digest;
} tut_hash_range;

typedef struct tut_hash_options {
    tut_hash_kind kind;
    size_t threads; /* 0: one a core that this process may use */
    /* Called on the calling thread, now and then: bytes hashed so far and in all. May be NULL. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
} tut_hash_options;

/* Hashes the files that are wanted and not hashed yet. IO names the file that changed, shrank or
 * could not be read; CANCELLED after Ctrl-C. */
TUT_MUST tut_status tut_manifest_hash(tut_manifest *m, const tut_hash_options *options,
                                      tut_error *err);
/* The same for ranges of files, each on its own. */
TUT_MUST tut_status tut_manifest_hash_ranges(tut_manifest *m, tut_hash_range *ranges, size_t count,
                                             const tut_hash_options *options, tut_error *err);

/* --- digest cache (manifest_cache.c) ---
 * Digests of files that were hashed before, by device, inode, size, mtime and ctime in
 * nanoseconds. A file that was changed so recently when it was read that a later change could have
 * left the same times is not kept. Changes through a shared mapping that the kernel has not written
 * back yet do not move the times; whoever has to exclude them passes --no-cache. A cache that is
 * damaged, another's, or writable by others is no cache. */

/* Below this, hashing a file costs no more than looking it up. */
enum { TUT_CACHE_LEAST_BYTES = 64 << 10 };

/* Where digests of the path's files are kept: $XDG_CACHE_HOME/tutela/digests (or
 * ~/.cache/...). NULL where there is no such place. Caller frees. */
char *tut_cache_file(const char *path, tut_hash_kind kind);
/* Fills digests of wanted files that the cache knows; how many. Never fails. */
size_t tut_cache_apply(const char *file, tut_hash_kind kind, tut_manifest *m);
/* Keeps the digests; `started` is the clock before hashing began. A place that cannot be written is
 * no error. */
typedef struct tut_clock_ns {
    int64_t s;
    uint32_t ns;
} tut_clock_ns;
tut_clock_ns tut_clock_now(void);
/* Its times lie so far before `started` that any later change moves them. */
bool tut_stamp_is_settled(const tut_stamp *stamp, tut_clock_ns started);
/* $XDG_CACHE_HOME/tutela/NAME, or below ~/.cache; caller frees; NULL: there is none. */
char *tut_cache_dir(const char *name);
/* Ours alone: a plain file of this user in a folder of this user, and nobody else can write either.
 */
bool tut_cache_is_private(const char *file);
void tut_cache_keep(const char *file, tut_hash_kind kind, const tut_manifest *m,
                    tut_clock_ns started);

#endif
