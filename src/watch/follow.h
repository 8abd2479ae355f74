/*
 * The lines of a file that grows, as they come: a line counts once its end is there. A file that
 * was replaced (rotation) is read to its end, then the new one from its beginning; one that was cut
 * back is read from its beginning again.
 */
#ifndef TUT_WATCH_FOLLOW_H
#define TUT_WATCH_FOLLOW_H

#include "base/buf.h"

typedef struct tut_follow {
    const char *path; /* NULL: fd alone (standard input), which is not replaced */
    int fd;
    uint64_t device, inode, position; /* position: behind the last whole line */
    tut_buf rest;                     /* begin of a line */
    size_t start;                     /* of the next line in rest */
    uint64_t rotations, truncations, cut_lines;
    size_t line_max;
    bool skips;   /* the rest of a line that was too long */
    bool has_new; /* the next line is the first of a file */
} tut_follow;

TUT_MUST tut_status tut_follow_open(const char *path, size_t line_max, tut_follow *ret,
                                    tut_error *err);
void tut_follow_fd(int fd, size_t line_max, tut_follow *ret);
void tut_follow_done(tut_follow *f);
/* Goes on where a checkpoint says, if it is still that file. */
void tut_follow_resume(tut_follow *f, uint64_t device, uint64_t inode, uint64_t position);

typedef enum tut_followed {
    TUT_FOLLOWED_LINE, /* *ret_line, until the next call */
    TUT_FOLLOWED_NONE, /* nothing more now */
    TUT_FOLLOWED_END   /* of what does not grow: *ret_line may hold a last line without end */
} tut_followed;
TUT_MUST tut_status tut_follow_next(tut_follow *f, tut_str *ret_line, tut_followed *ret_what,
                                    tut_error *err);

#endif
