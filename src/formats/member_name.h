/*
 * Names of members of archives: whether they lead out of the directory that an archive is unpacked
 * to, and whether two of them are one to some reader.
 */
#ifndef TUT_FORMATS_MEMBER_NAME_H
#define TUT_FORMATS_MEMBER_NAME_H

#include "base/str.h"

/* A component ".." between separators of either kind. */
bool tut_member_has_parent(tut_str name);
/* Absolute, with a drive, or with a component "..". */
bool tut_member_leads_out(tut_str name);
/* Control characters other than NUL. */
bool tut_member_has_control(tut_str name);
/* As the most forgiving reader compares: up to NUL, one kind of separator, none doubled or leading,
 * no "." component, without regard to case unless by_case. */
int tut_member_compare(tut_str a, tut_str b, bool by_case);

#endif
