/*
 * A staged version takes its place; what was there is kept where it was staged.
 *
 * A file, and a directory in which only the asset lies, change places with what was there in one
 * step (renameat2 RENAME_EXCHANGE): nobody ever sees a half. Where other assets, repositories or
 * links lie in the directory, its files are exchanged one by one, and files that the version does
 * not have are taken out.
 */
#ifndef TUT_STORE_SWAP_H
#define TUT_STORE_SWAP_H

#include "store/stage.h"

typedef struct tut_swap {
    const tut_system *system;
    const char *root; /* the directory that the asset's path is below */
    const tut_version *version;
    const tut_stage *stage;
    const char *only;   /* one file; NULL: all */
    bool may_replace;   /* false: STORE when anything is there */
    bool is_by_file;    /* set */
    bool is_not_atomic; /* set: the file system cannot exchange */
    size_t kept;        /* set: files and directories that lie on the stage now, from before */
} tut_swap;

TUT_MUST tut_status tut_swap_in(tut_swap *s, tut_error *err);

#endif
