/* What the lock files of an asset bring in: each package once, sorted. */
#ifndef TUT_ASSETS_PACKAGES_H
#define TUT_ASSETS_PACKAGES_H

#include "assets/system.h"

/* "packages": [{type, name, version, digest, digests}] and "packages_left_out" in the open object:
 * at most TUT_LIMIT_PACKAGES, by type, name and version. */
void tut_packages_json(const tut_inventory *inv, const tut_inventory_item *item, tut_json *j);

#endif
