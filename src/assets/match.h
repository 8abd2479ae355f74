/* Which asset covers which found file: declared paths first (longest wins), then groups that the
 * files themselves name (an index and its shards), then one asset a file. */
#ifndef TUT_ASSETS_MATCH_H
#define TUT_ASSETS_MATCH_H

#include "assets/system.h"

/* Is rel the path itself, or inside the directory of that name? "." covers everything. */
bool tut_path_covers(tut_str path, const char *rel);
/* What lies in the map for rel or the nearest directory above it, "." being above all; SIZE_MAX
 * when nothing does. */
size_t tut_match_longest(const tut_map *by_path, const char *rel);
/* A path, a directory, or a shell pattern over the whole path: as inventory.ignore has them. */
bool tut_path_matches(tut_str entry, const char *rel);
bool tut_path_is_ignored(const tut_system *system, const char *rel);
/* The declared asset with the longest path that covers rel, or NULL. */
const tut_asset *tut_match_declared(const tut_system *system, const char *rel);

/* For each file the index of the file whose group it belongs to (itself when alone): a shard
 * belongs to the index that names it, a file of a code directory to its first source file. */
void tut_match_groups(const tut_found_file *files, size_t count, const size_t *code_dirs,
                      size_t *ret_leader);
/* The path below the root that `name` means in the file `from`: beside it, "." and ".." folded, no
 * leading slash. False when it climbs out of the root, or is longer than cap. */
bool tut_match_resolve(const char *from, const char *name, char *to, size_t cap);
/* The file that a name in `from` refers to: beside it, or below the root; SIZE_MAX when none. files
 * are in byte order of rel. */
size_t tut_match_reference(const tut_found_file *files, size_t count, const char *from,
                           const char *name);
size_t tut_match_find(const tut_found_file *files, size_t count, const char *rel);

/* For each file the length of its top directory in rel where that directory holds code only, so
 * that the directory is the asset; else 0. */
void tut_match_code_dirs(const tut_found_file *files, size_t count, size_t *ret_lengths);

/* SHA-256 of one file, or of the lines "HEX  REL\n" in byte order for several: what
 * `sha256sum FILES | sha256sum` prints. False where a part has no digest. */
TUT_MUST tut_status tut_match_digest(const tut_found_file *const *members, size_t count,
                                     bool *ret_has, tut_sha256 *ret_digest, tut_error *err);

/* A signature or published digests: about an asset, and no part of one. */
bool tut_match_is_detached(const tut_found_file *file);

#endif
