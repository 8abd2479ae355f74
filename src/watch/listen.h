/* Lines that come as datagrams on a socket in the file system: what a program sends without
 * waiting. One datagram holds one line or more. Only its owner can send. */
#ifndef TUT_WATCH_LISTEN_H
#define TUT_WATCH_LISTEN_H

#include "base/buf.h"

enum { TUT_LISTEN_BYTES = 256 << 10 };

typedef struct tut_listen {
    const char *path;
    int fd; /* -1: closed */
    char *bytes;
} tut_listen;

/* A socket that somebody left is taken over; USAGE when another kind of file is there, or one that
 * somebody listens at. */
TUT_MUST tut_status tut_listen_open(const char *path, tut_listen *ret, tut_error *err);
void tut_listen_done(tut_listen *l);
/* Waits at most so long. *ret_lines: a datagram, until the next call; empty: none came. */
TUT_MUST tut_status tut_listen_next(tut_listen *l, int wait_ms, tut_str *ret_lines, tut_error *err);

#endif
