/*
 * Rules that users bring, in YARA's own language: compiled by libyara (which is loaded only when
 * asked for) in the parent before workers start, matched in the worker over whole files and over
 * members as they decode. Includes are refused: each rule file is named by who calls. Rules may use
 * the external variables filename, filepath and extension.
 */
#ifndef TUT_SCAN_YARA_H
#define TUT_SCAN_YARA_H

#include "assets/system.h"
#include "base/source.h"
#include "scan/rule.h"

typedef struct tut_yara tut_yara;

/* Rule files, or directories with *.yar and *.yara below them, in byte order. MALFORMED with
 * "FILE:LINE" as the error's path when a rule does not compile; UNSUPPORTED without libyara. */
TUT_MUST tut_status tut_yara_load(const char *const *paths, size_t count, tut_yara **ret_yara,
                                  tut_error *err);
/* Those of a description (policy.scan.yara) and those that are named: NULL when there are none.
 * What a description names must lie below its directory, and in none of its assets: a model does
 * not bring the rules by which it is judged. */
TUT_MUST tut_status tut_yara_gather(const tut_system *system, const char *const *paths,
                                    size_t count, tut_yara **ret_yara, tut_error *err);
void tut_yara_free(tut_yara *y);
TUT_DEFINE_AUTO(tut_yara)

size_t tut_yara_files(const tut_yara *y);
/* Of the bytes of all rule files, in their order. */
const tut_sha256 *tut_yara_digest(const tut_yara *y);

/* --- in the worker --- */
/* Borrowed, and kept for as long as workers run; NULL: none. */
void tut_yara_use(const tut_yara *y);
const tut_yara *tut_yara_in_force(void);

typedef struct tut_yara_match { /* one rule that matched; borrowed during the call */
    tut_str rule, title;        /* title: meta description, or empty */
    int severity;               /* meta severity, or -1 */
    const char *seen;           /* "rule NAME [tags]: $a at 0x10 and 2 more" */
    uint64_t offset;            /* of the first string; TUT_NO_OFFSET */
} tut_yara_match;

typedef struct tut_yara_target {
    const tut_source *bytes;
    const char *name; /* of the file or member, for filename and extension */
    const char *path; /* for filepath */
    void (*on_match)(void *ctx, const tut_yara_match *match);
    void *ctx;
} tut_yara_target;

/* LIMIT when the rules ran out of time or memory, with what was found until then delivered. */
TUT_MUST tut_status tut_yara_scan(const tut_yara *y, const tut_yara_target *target, tut_error *err);

#endif
