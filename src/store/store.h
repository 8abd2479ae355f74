/*
 * The version store, STATE/store: an OCI image layout 1.1.
 *
 *   oci-layout            {"imageLayoutVersion":"1.0.0"}
 *   index.json            a descriptor a version, tagged by org.opencontainers.image.ref.name
 *   blobs/sha256/HEX      manifests and files, read-only
 *   tmp/                  files that are being written; no other tool looks there
 *   lock                  held (flock) by whoever writes
 *
 * Whatever a name leads to is opened from held directories without following links. A blob is
 * written under another name and then gets its own; index.json comes after the blobs that it names
 * are on the disk, the event in the log after index.json. So a crash leaves at most blobs that
 * nothing names, and versions that the log does not know: neither is ever used again.
 */
#ifndef TUT_STORE_STORE_H
#define TUT_STORE_STORE_H

#include "store/cipher.h"
#include "store/oci.h"

typedef struct tut_store {
    char *dir;
    int dirfd, blobs; /* of dir and of dir/blobs/sha256 */
    int lock;         /* -1: for reading */
    tut_cage *cage;   /* parses what the layout says */
    tut_oci_doc *index;
    tut_oci_descriptor *tags; /* as index.json will be: its items, and what was added since */
    size_t tag_count, tag_capacity;
    tut_arena arena; /* text of what was added */
    bool is_index_missing;
    char index_problem[TUT_ERROR_TEXT_MAX]; /* of an index.json that is none; "" */
} tut_store;

/* For reading: *ret_store is NULL where there is none. For writing: made where missing, and locked
 * (waits up to 30 s, then STORE). STORE or MALFORMED with the reason for what is no such layout.
 * For reading, versions are found through the log: an index.json that is missing or damaged is no
 * error. */
TUT_MUST tut_status tut_store_open(const char *state_dir, bool for_writing, tut_store **ret_store,
                                   tut_error *err);
void tut_store_free(tut_store *s);
TUT_DEFINE_AUTO(tut_store)

/* Parses an index or a manifest in the cage. */
TUT_MUST tut_status tut_store_parse(tut_store *s, tut_span json, tut_oci_doc **ret_doc,
                                    tut_error *err);
/* The tag with this name, or NULL. */
const tut_oci_descriptor *tut_store_tag(const tut_store *s, tut_str name);
/* Sets a tag (copied), or takes it away (item NULL). Nothing is on the disk until
 * tut_store_save. */
TUT_MUST tut_status tut_store_set_tag(tut_store *s, tut_str name, const tut_oci_descriptor *item,
                                      tut_error *err);
TUT_MUST tut_status tut_store_save(tut_store *s, tut_error *err);

/* --- blobs --- */

typedef struct tut_blob {
    tut_sha256 digest;
    uint64_t size;
} tut_blob;

/* Bytes of the blob of this name, by the directory. STORE when it is missing or no regular file. */
TUT_MUST tut_status tut_store_blob_size(const tut_store *s, const char *hex, uint64_t *ret_size,
                                        tut_error *err);
/* Whether there is a regular file of that name and size; its bytes are not read. */
bool tut_blob_is_there(const tut_store *s, const tut_blob *blob);
/* Opens it for reading: STORE when missing, of another size, or no regular file. */
TUT_MUST tut_status tut_blob_open(const tut_store *s, const tut_blob *blob, int *ret_fd,
                                  tut_error *err);
/* Appends its bytes, compared with the digest: STORE when they differ; LIMIT above max_bytes. */
TUT_MUST tut_status tut_blob_read(const tut_store *s, const tut_blob *blob, size_t max_bytes,
                                  tut_buf *out, tut_error *err);
/* Reads it all: STORE when its bytes are not those of its digest. */
TUT_MUST tut_status tut_blob_check(const tut_store *s, const tut_blob *blob, tut_error *err);
TUT_MUST tut_status tut_blob_put(tut_store *s, tut_span bytes, tut_blob *ret_blob, tut_error *err);

typedef void (*tut_store_progress)(void *ctx, uint64_t bytes); /* so many more */

typedef struct tut_blob_copy {
    int fd; /* read from its beginning */
    uint64_t size;
    /* NULL: as it is, by reflink where the file system can; else sealed with this key. */
    const uint8_t *key;
    tut_str asset, name; /* what sealing binds it to */
    tut_store_progress progress;
    void *ctx;
} tut_blob_copy;
/* Stores the file in one pass. The digests are of what was written, not of what somebody may have
 * made of the file since. IO when the file ends early. */
TUT_MUST tut_status tut_blob_copy_in(tut_store *s, const tut_blob_copy *from, tut_blob *ret_blob,
                                     tut_sha256 *ret_plain, tut_error *err);

typedef struct tut_blob_out {
    tut_blob blob;
    const uint8_t *key; /* NULL: as it is */
    tut_str asset, name;
    int fd; /* written from its beginning */
    tut_store_progress progress;
    void *ctx;
} tut_blob_out;
/* The other way round. STORE when the blob's bytes are not those of its digest, or do not open;
 * what was written until then is to be thrown away. */
TUT_MUST tut_status tut_blob_copy_out(const tut_store *s, const tut_blob_out *to,
                                      uint64_t *ret_size, tut_sha256 *ret_plain, tut_error *err);

#endif
