/* Names of tiles and entry bundles, as c2sp.org/tlog-tiles has them. */
#ifndef TUT_LEDGER_LOG_TILE_NAME_H
#define TUT_LEDGER_LOG_TILE_NAME_H

#include <stdint.h>

enum {
    TUT_TILE_PATH = 64,
    TUT_BUNDLE_LEVEL = -1 /* "level" of entry bundles */
};

/* width TUT_LOG_TILE_WIDTH: a full one. */
void tut_tile_path(int level, uint64_t n, unsigned width, char out[TUT_TILE_PATH]);

#endif
