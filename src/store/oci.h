/*
 * What the version store reads of an OCI image layout (image-spec 1.1): index.json and manifests.
 *
 *   descriptor = { mediaType, digest: "sha256:HEX", size, artifactType?, annotations? }
 *   index      = { schemaVersion: 2, manifests: [descriptor ...], annotations? }
 *   manifest   = { schemaVersion: 2, config: descriptor, layers: [descriptor ...], artifactType?,
 *                  subject?: descriptor, annotations? }
 *
 * They may come from elsewhere, so the JSON is parsed in the cage; what comes back is a plain
 * table, read by a bounded reader. Keys twice, other digests than SHA-256, sizes that are no sizes,
 * NUL in text, and more of anything than limits.h allows are refused. Unknown keys are passed over.
 */
#ifndef TUT_STORE_OCI_H
#define TUT_STORE_OCI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cage.h"
#include "base/json_write.h"
#include "crypto/digest.h"

#define TUT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define TUT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TUT_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define TUT_OCI_REF_NAME "org.opencontainers.image.ref.name"
#define TUT_OCI_TITLE "org.opencontainers.image.title"
#define TUT_OCI_CREATED "org.opencontainers.image.created"

typedef struct tut_oci_annotation {
    tut_str key, value;
} tut_oci_annotation;

typedef struct tut_oci_annotations {
    tut_oci_annotation *items;
    size_t count;
} tut_oci_annotations;

typedef struct tut_oci_descriptor {
    tut_str media_type, artifact_type;
    tut_sha256 digest;
    uint64_t size;
    tut_oci_annotations annotations;
} tut_oci_descriptor;

typedef struct tut_oci_doc { /* an index or a manifest */
    bool is_index;
    tut_str media_type, artifact_type;
    tut_oci_descriptor config; /* of a manifest */
    bool has_subject;
    tut_oci_descriptor subject;
    tut_oci_descriptor *items; /* manifests of an index, layers of a manifest */
    size_t count;
    tut_oci_annotations annotations;
    tut_buf reply; /* what the text borrows */
    tut_arena arena;
} tut_oci_doc;

/* The job of the cage: its argument is the JSON, its reply what tut_oci_decode reads. */
tut_status tut_oci_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                       tut_buf *out, tut_error *err);
/* Takes a copy of the reply. */
TUT_MUST tut_status tut_oci_decode(tut_span reply, tut_oci_doc **ret_doc, tut_error *err);
void tut_oci_doc_free(tut_oci_doc *doc);
TUT_DEFINE_AUTO(tut_oci_doc)

/* The value of an annotation; empty where there is none. */
tut_str tut_oci_get(const tut_oci_annotations *annotations, const char *key);
/* "sha256:HEX", else false. */
bool tut_oci_digest(tut_str text, tut_sha256 *ret_digest);
void tut_oci_digest_text(const tut_sha256 *digest, char out[TUT_SHA256_HEX + 7]);
/* A descriptor as JSON, its annotations with it. */
void tut_oci_put(tut_json *j, const tut_oci_descriptor *d);

#endif
