/* What a process that reads somebody else's pack keeps of its powers: the descriptors it has,
 * memory and threads. From here on it opens no file, reaches no network and starts no program. */
#ifndef TUT_PACK_CONFINE_H
#define TUT_PACK_CONFINE_H

#include "base/status.h"

/* What is needed later is made ready before: libraries, the digests of this program. */
TUT_MUST tut_status tut_pack_confine(tut_error *err);

#endif
