/*
 * The container of an evidence pack: an uncompressed ustar archive that every tar unpacks, in one
 * form only. A reader accepts what the writer would have written, byte for byte, and nothing else:
 *
 *   archive   = member* end
 *   member    = header, bytes, zeros up to 512
 *   header    = ustar, name "tutela-pack/NAME", mode 0644, owner 0, time 1980-01-01, size, sum
 *   end       = 1024 zeros, and no byte more
 *   NAME      = parts of [A-Za-z0-9._-] that begin with no dot, joined by '/'; at most 87 bytes
 *
 * Members stand in strictly ascending order of their names (bytes), the first is SHA256SUMS. So a
 * name cannot come twice, nor lead out of the directory that the archive unpacks into.
 */
#ifndef TUT_PACK_ARCHIVE_H
#define TUT_PACK_ARCHIVE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/source.h"
#include "crypto/digest.h"

#define TUT_PACK_FOLDER "tutela-pack"
#define TUT_PACK_SUMS "SHA256SUMS"
#define TUT_PACK_MANIFEST "pack.json"
#define TUT_PACK_VERIFY "VERIFY.txt"

enum { TUT_ARCHIVE_BLOCK = 512 };

typedef struct tut_archive_member {
    const char *name; /* without the folder */
    uint64_t offset;  /* of its bytes */
    uint64_t size;
    tut_sha256 digest;
    bool is_known; /* for whoever goes through them: it was accounted for */
} tut_archive_member;

typedef struct tut_archive {
    tut_source source;
    tut_archive_member *members; /* ascending */
    size_t count, capacity;
    tut_arena names;
} tut_archive;

/* Reads the whole source once: every header, every byte hashed. UNSUPPORTED when it does not begin
 * as a pack does; MALFORMED, with the offset and the member at fault, when it is not in the one
 * form; TRUNCATED when it ends early; LIMIT. The source is borrowed. */
TUT_MUST tut_status tut_archive_read(const tut_source *source, tut_archive *ret, tut_error *err);
void tut_archive_done(tut_archive *a);
/* Or NULL. */
tut_archive_member *tut_archive_find(const tut_archive *a, const char *name);
/* The first member whose name begins like this, or the end of the array; members that do follow. */
tut_archive_member *tut_archive_from(const tut_archive *a, const char *beginning);
/* Appends the bytes, compared with the digest that was found when the archive was read: the file
 * may have changed since. IO when there is no such member, LIMIT above max_bytes. */
TUT_MUST tut_status tut_archive_get(const tut_archive *a, const char *name, size_t max_bytes,
                                    tut_buf *out, tut_error *err);

/* The same for who compares the digest himself. */
TUT_MUST tut_status tut_archive_get_unchecked(const tut_archive *a, const char *name,
                                              size_t max_bytes, tut_buf *out, tut_error *err);

/* Whether a name is one that a member may have. */
bool tut_archive_is_name(tut_str name);
/* Appends header of a member; the bytes and tut_archive_padding zeros follow. USAGE for a name that
 * none may have, LIMIT for a size that a header cannot say. */
TUT_MUST tut_status tut_archive_header(const char *name, uint64_t size, tut_buf *out,
                                       tut_error *err);
size_t tut_archive_padding(uint64_t size);
/* The text of SHA256SUMS over these members, leaving out itself: "HEX  NAME\n" each. */
void tut_archive_sums(const tut_archive_member *members, size_t count, tut_buf *out);

#endif
