/*
 * pack.json: what a pack is about, and every file in it that does not come from the log: the log
 * holds the digest of this manifest (event "pack.built") and vouches so for all of them. Canonical
 * JSON (RFC 8785) and LF; a reader accepts only that.
 *
 *   {"schema": "tutela.pack-manifest/1", "tutela": VERSION, "evaluated_at": TIME,
 *    "system": {"name", "version", "digest": {"sha256"} | null},
 *    "log": {"origin", "size", "root": {"sha256"}},           as it was at evaluated_at
 *    "tool": {"binary", "catalogue", "rules"},                 digests
 *    "files": [{"name", "size", "digest": {"sha256"}}...],     ascending
 *    "withheld": [{"entry", "digest": {"sha256"}, "why"}...]}  bodies that stay with their owner
 */
#ifndef TUT_PACK_MANIFEST_H
#define TUT_PACK_MANIFEST_H

#include "assess/tool.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

#define TUT_PACK_MANIFEST_SCHEMA "tutela.pack-manifest/1"

typedef struct tut_pack_file {
    tut_str name;
    uint64_t size;
    tut_sha256 digest;
} tut_pack_file;

typedef struct tut_pack_withheld {
    uint64_t entry;
    tut_sha256 digest;
    tut_str why;
} tut_pack_withheld;

typedef struct tut_pack_manifest { /* text is borrowed, or the arena's */
    tut_str tutela;
    tut_time evaluated_at;
    tut_str system_name, system_version;
    bool has_system;
    tut_sha256 system_digest;
    tut_str origin;
    uint64_t log_size;
    tut_sha256 log_root;
    tut_tool_digests tool;
    const tut_pack_file *files;
    size_t file_count;
    const tut_pack_withheld *withheld;
    size_t withheld_count;
} tut_pack_manifest;

TUT_MUST tut_status tut_pack_manifest_write(const tut_pack_manifest *m, tut_buf *out,
                                            tut_error *err);
/* MALFORMED with the reason. Text goes to the arena. */
TUT_MUST tut_status tut_pack_manifest_read(tut_span text, tut_arena *arena, tut_pack_manifest *ret,
                                           tut_error *err);

#endif
