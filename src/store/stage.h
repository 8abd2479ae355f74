/* A version laid out in a directory of its own: to be looked at before it takes anybody's place. */
#ifndef TUT_STORE_STAGE_H
#define TUT_STORE_STAGE_H

#include "assets/signed.h"
#include "store/version.h"

typedef struct tut_stage {
    char *path;
    int fd;
} tut_stage;

/* A new directory, 0700; STORE when there is one. */
TUT_MUST tut_status tut_stage_make(const char *path, tut_stage *ret_stage, tut_error *err);
void tut_stage_done(tut_stage *s); /* closes; what lies there stays */
/* Takes the directory away with all that is below it; as far as it goes. */
void tut_stage_remove(const char *path);

typedef struct tut_staging {
    const tut_store *store;
    const tut_version *version;
    const char *origin; /* of the keys, for what is sealed */
    const char *only;   /* one file of it and the signature; NULL: all */
    tut_store_progress progress;
    void *ctx;
    size_t files; /* set: what was written, the signature not counted */
    uint64_t bytes;
} tut_staging;
/* Files lie under the asset's own path below the stage, with their modes, compared with every
 * digest and size of the version. */
TUT_MUST tut_status tut_stage_fill(const tut_stage *s, tut_staging *how, tut_error *err);

/* Is what lies there signed by whom the policy wants? As tut_verify_by_people. roles: a bit set. */
TUT_MUST tut_status tut_stage_verify(const tut_stage *s, const tut_version *v, const char *only,
                                     const tut_records *records, uint32_t roles,
                                     tut_verify_result *ret_result, const tut_person **ret_person,
                                     tut_error *err);

/* The directory `rel` below `at`, made where missing; no component may be a link. "" is `at`. */
TUT_MUST tut_status tut_stage_dirs(int at, tut_str rel, bool make, int *ret_fd, tut_error *err);
/* Where the version's file lies below the system: "models/x" + "a/b". Caller frees; NULL: no
 * memory. */
char *tut_version_rel(const tut_version *v, tut_str name);
/* Where its names begin: the path itself, or the directory that holds it; "" for the system's. */
tut_str tut_version_base(const tut_version *v);

#endif
