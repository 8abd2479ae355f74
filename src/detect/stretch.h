/* Where in a window of user text those few words are that say most: an attack of a line in a text
 * of many pages. */
#ifndef TUT_DETECT_STRETCH_H
#define TUT_DETECT_STRETCH_H

#include "detect/token.h"

/* LEAST to MOST tokens; MANY of a window, each looked for by SEEN of them. */
enum { TUT_STRETCH_LEAST = 6, TUT_STRETCH_MOST = 36, TUT_STRETCH_MANY = 3, TUT_STRETCH_SEEN = 12 };

typedef struct tut_stretch {
    size_t first, count;
} tut_stretch;

/* The places of a window by its spans (feature.h) and by what its words are for. How many. */
size_t tut_stretch_find(const int32_t *spans, const tut_token *t, size_t count,
                        tut_stretch found[TUT_STRETCH_MANY]);
/* The place in a sentence whose words are most for what attacks are for; false: none is. */
bool tut_stretch_guess(const tut_token *t, size_t count, tut_stretch *ret_place);

#endif
