/*
 * The members of a zip archive by its central directory, and where their bytes are: for those who
 * read what is in an archive. Nothing is judged here; formats/zip.c does that.
 */
#ifndef TUT_FORMATS_ZIP_MEMBERS_H
#define TUT_FORMATS_ZIP_MEMBERS_H

#include "base/budget.h"
#include "base/source.h"
#include "formats/codec.h"

typedef struct tut_zip_members tut_zip_members;

typedef struct tut_zip_entry {
    tut_str name; /* bytes of the archive; lives as long as the members */
    bool is_read;
    const char *why;   /* not read: encrypted, a method that is not read, outside the file */
    tut_codec codec;   /* how it is packed */
    tut_source packed; /* its bytes */
    uint64_t unpacked; /* bytes, as the directory says */
} tut_zip_entry;

/* source and budget are borrowed for the object's life. MALFORMED, TRUNCATED: there is no
 * directory; LIMIT: more members than are read. */
TUT_MUST tut_status tut_zip_members_open(const tut_source *source, tut_budget *budget,
                                         tut_zip_members **ret_members, tut_error *err);
void tut_zip_members_free(tut_zip_members *m);
TUT_DEFINE_AUTO(tut_zip_members)
size_t tut_zip_members_count(const tut_zip_members *m);
tut_zip_entry tut_zip_members_entry(tut_zip_members *m, size_t i);

#endif
