/* access.log and error.log of the guard do not grow for ever: whoever asks much would fill the
 * disk. */
#ifndef TUT_GUARD_ROTATE_H
#define TUT_GUARD_ROTATE_H

#include "base/status.h"

enum { TUT_ROTATE_KEPT = 4 };
#define TUT_ROTATE_BYTES (100u << 20)

/* A log of DIR that is longer than that becomes NAME.1, what was NAME.1 becomes NAME.2, and so on;
 * the last one is deleted. True: nginx has to open its files anew. */
bool tut_rotate_logs(const char *dir, unsigned long long longest_bytes);

#endif
