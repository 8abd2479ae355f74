/*
 * A version of an asset: an OCI image manifest, and what the log says of it.
 *
 *   manifest  artifactType application/vnd.tutela.version.v1, config: the empty descriptor
 *   layers    one a file; mediaType application/vnd.tutela.file.v1, or ...file.sealed.v1 (see
 *             cipher.h), or that of a signature (OpenSSF Model Signing), which stays readable
 *             annotations: org.opencontainers.image.title  the file's name below the asset
 *                          tutela.mode                     "0644"
 *                          tutela.digest, tutela.size      of the plain bytes, where sealed
 *   manifest  org.opencontainers.image.created, tutela.asset, tutela.kind, tutela.path,
 *             tutela.layout ("file", "files": names are below the directory of the path;
 *             "directory": below the path), tutela.version, tutela.digest (of the asset, as the
 *             inventory computes it), tutela.parent (digest of the manifest before), and where
 *             sealed tutela.key.id, tutela.key.algorithm ("A256KW"), tutela.key.wrapped (base64)
 *
 * What a version says is believed because the log names its digest: event asset.versioned, whose
 * first subject is the asset at its digest and whose second is "store/TAG" at the manifest's.
 */
#ifndef TUT_STORE_VERSION_H
#define TUT_STORE_VERSION_H

#include "assets/system.h"
#include "ledger/record.h"
#include "store/store.h"

#define TUT_VERSION_TYPE "application/vnd.tutela.version.v1"
#define TUT_FILE_TYPE "application/vnd.tutela.file.v1"
#define TUT_FILE_SEALED_TYPE "application/vnd.tutela.file.sealed.v1"
#define TUT_EVENT_VERSIONED "asset.versioned"
#define TUT_EVENT_RESTORED "asset.restored"
#define TUT_EVENT_PRUNED "asset.pruned"
#define TUT_VERSION_SUBJECT "store/" /* and the tag */

typedef enum tut_layout { TUT_LAYOUT_FILE, TUT_LAYOUT_FILES, TUT_LAYOUT_DIRECTORY } tut_layout;
const char *tut_layout_name(tut_layout layout);

typedef struct tut_version_file {
    tut_str name;
    tut_blob blob;     /* as stored */
    tut_sha256 digest; /* of the plain bytes */
    uint64_t size;     /* likewise */
    uint32_t mode;     /* permission bits */
    bool is_sealed, is_signature;
} tut_version_file;

typedef struct tut_version {
    tut_blob manifest; /* once written or read */
    tut_str asset, kind, path;
    tut_layout layout;
    uint64_t number;
    tut_sha256 digest;
    tut_time created;
    bool has_parent;
    tut_sha256 parent;
    bool has_key; /* its files are sealed */
    char key_id[17];
    uint8_t wrapped[TUT_CIPHER_WRAPPED];
    tut_version_file *files; /* by bytes of the name */
    size_t count;
    tut_oci_doc *doc; /* owns the text, when read */
    tut_arena arena;
} tut_version;
void tut_version_free(tut_version *v);
TUT_DEFINE_AUTO(tut_version)

/* Appends the manifest. */
TUT_MUST tut_status tut_version_write(const tut_version *v, tut_buf *out, tut_error *err);
/* Makes sense of a manifest. MALFORMED with the reason: names that lead out, twice or to places
 * that no asset has files in, numbers that are none, a sealed file without a key, or no version at
 * all. Takes the document, also on failure. */
TUT_MUST tut_status tut_version_of(tut_oci_doc *doc, tut_version **ret_version, tut_error *err);
/* Reads the blob, compares its digest, parses it in the cage. */
TUT_MUST tut_status tut_version_load(tut_store *s, const tut_sha256 *manifest,
                                     tut_version **ret_version, tut_error *err);
const tut_version_file *tut_version_find(const tut_version *v, tut_str name);
uint64_t tut_version_bytes(const tut_version *v); /* of its plain files */

/* "model-reranker-v3": letters, digits, '.', '_' and '-' of the id; where that loses anything, or
 * is too long for a registry, a part of the id's digest follows. */
TUT_MUST tut_status tut_version_tag(const char *asset, uint64_t number, char **ret_tag,
                                    tut_error *err);

/* --- what the log knows --- */

typedef struct tut_known_version {
    const char *asset; /* borrowed from the records */
    const char *tag;
    uint64_t number; /* by its tag */
    tut_sha256 digest, manifest;
    tut_time at;
    uint64_t index;
    int64_t uid;
    bool is_pruned; /* taken away since, and that is in the log */
} tut_known_version;

typedef struct tut_known_versions {
    tut_known_version *items; /* in order of the log */
    size_t count, capacity;
    tut_records *records;
} tut_known_versions;
void tut_known_versions_done(tut_known_versions *k);

/* Of one asset, or of all (NULL). Events that stand in doubt (carried over from a compromised log
 * key, say) are left out. */
TUT_MUST tut_status tut_known_versions_read(tut_ledger *ledger, const char *asset,
                                            tut_known_versions *ret_known, tut_error *err);
/* The newest of the asset that was not pruned, or of those at this digest; NULL: none. */
const tut_known_version *tut_known_latest(const tut_known_versions *k, const char *asset,
                                          const tut_sha256 *digest);
/* The highest number that the asset ever had, pruned or not; 0: none. */
uint64_t tut_known_highest(const tut_known_versions *k, const char *asset);
const tut_known_version *tut_known_manifest(const tut_known_versions *k,
                                            const tut_sha256 *manifest);

#endif
