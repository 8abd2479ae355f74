/* Lock files that are read line by line, one file each; used by lock.c alone. */
#ifndef TUT_FORMATS_LOCK_LINES_H
#define TUT_FORMATS_LOCK_LINES_H

#include "formats/package.h"

typedef struct tut_lock_lines {
    tut_exam *x;
    const char *type;  /* of its packages, where the name of the file tells */
    uint64_t packages; /* counted */
    tut_package_draft draft;
    bool continues;            /* the line before ended in a backslash */
    bool is_requirement;       /* a continued line belongs to one */
    bool in_package, is_below; /* in a [[package]] table, or in one that belongs to it */
} tut_lock_lines;

/* Each takes one line. What is not cut is whole. */
void tut_lock_pip(tut_lock_lines *l, tut_str line, bool is_cut);
void tut_lock_conda(tut_lock_lines *l, tut_str line, bool is_cut);
void tut_lock_toml(tut_lock_lines *l, tut_str line, bool is_cut);
void tut_lock_yarn(tut_lock_lines *l, tut_str line, bool is_cut);
void tut_lock_dpkg_status(tut_lock_lines *l, tut_str line, bool is_cut);
void tut_lock_dpkg_list(tut_lock_lines *l, tut_str line, bool is_cut);

/* Does the text begin as the database, or a list, of what dpkg has installed? */
bool tut_lock_is_dpkg_status(tut_str head);
bool tut_lock_is_dpkg_list(tut_str head);
/* "NAME", "NAME=VERSION" and the like of one requirement of pip, without its options. */
void tut_lock_requirement(tut_package_draft *d, tut_str text);
/* The next word of the text, at white space; false at the end. */
bool tut_lock_next_word(tut_str *rest, tut_str *ret_word);

#endif
