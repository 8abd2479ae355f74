/* A package on its way out of a lock file: put together bit by bit, then given. */
#ifndef TUT_FORMATS_PACKAGE_H
#define TUT_FORMATS_PACKAGE_H

#include "formats/format.h"

enum { TUT_PACKAGE_NAME = 256, TUT_PACKAGE_VERSION = 128, TUT_PACKAGE_DIGEST = 160 };

typedef struct tut_package_draft {
    const char *type; /* NULL: none is begun */
    bool is_own;      /* of the project itself: in a folder, not from a registry */
    uint32_t digests;
    char name[TUT_PACKAGE_NAME], version[TUT_PACKAGE_VERSION], digest[TUT_PACKAGE_DIGEST];
} tut_package_draft;

void tut_package_begin(tut_package_draft *d, const char *type);
/* What is too long for a name is none, and the package is not given. */
void tut_package_name(tut_package_draft *d, tut_str name);
void tut_package_version(tut_package_draft *d, tut_str version);
/* "sha256:HEX" or "sha512-BASE64"; anything else is not counted. */
void tut_package_digest(tut_package_draft *d, tut_str digest);
/* The same from its two parts. */
void tut_package_digest_of(tut_package_draft *d, const char *algorithm, tut_str hex);
/* Gives what was begun unless it has no name or is the project's own, and ends it. */
void tut_package_give(tut_exam *x, tut_package_draft *d);

#endif
