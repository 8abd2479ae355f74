/*
 * Chunks of a file, cut where its content says so, and the Merkle root over them.
 *
 * Chunks of a fixed size would be simpler, but one row that is put in shifts everything behind it,
 * and versions of a growing dataset would share nothing from there on. So the cut is FastCDC (Xia
 * et al., USENIX ATC 2016; IEEE TPDS 2020): a gear hash, h = 2h + GEAR[byte] mod 2^64, runs from
 * the 16,384th byte of a chunk on (a chunk is never shorter, but for the last), and the chunk ends
 * with the byte behind which the top bits of h are zero: 18 of them up to byte 65,536, 14 beyond
 * (normalised chunking, level 2), and at 262,144 bytes in any case. GEAR[b] is the first eight
 * bytes, big-endian, of SHA-256(00 || b). The cuts depend on nothing but the bytes: not on how they
 * were read, and from the first cut behind a change on not on what stands before.
 *
 * The leaf of a chunk is RFC 6962's, SHA-256(00 || chunk), and so is the tree (crypto/merkle.h):
 * whoever holds the root alone can check that a chunk belongs to it. An empty file has no chunk,
 * and the root of an empty tree.
 */
#ifndef TUT_CRYPTO_CHUNK_H
#define TUT_CRYPTO_CHUNK_H

#include "base/source.h"
#include "crypto/merkle.h"

/* The name of the rule above: other sizes, or another table, are another name. */
#define TUT_CHUNKING "fastcdc-16k-64k-256k"
enum { TUT_CHUNK_LEAST = 16 << 10, TUT_CHUNK_NORMAL = 64 << 10, TUT_CHUNK_MOST = 256 << 10 };

/* How long the chunk is that begins there. len: at least TUT_CHUNK_MOST, unless the data ends with
 * it. 0 only for nothing. Any thread. */
size_t tut_chunk_cut(const uint8_t *bytes, size_t len);

typedef struct tut_chunk {
    uint64_t start;
    uint32_t size;
    tut_sha256 leaf;
} tut_chunk;

typedef struct tut_chunks { /* zeroed: none */
    tut_sha256 root;
    uint64_t count, size; /* chunks; bytes of them all */
    tut_chunk *items;     /* count of them, in order, where they were wanted; else NULL */
    size_t capacity;
} tut_chunks;
void tut_chunks_done(tut_chunks *c);

typedef struct tut_chunks_options {
    bool keep; /* the chunks, not only their root: 48 bytes each; LIMIT beyond TUT_LIMIT_CHUNKS */
    size_t window; /* bytes that are read at once; 0: as is best. At least TUT_CHUNK_MOST */
} tut_chunks_options;

/* Reads the source once and takes both its SHA-256 and its chunks from the same bytes. What is
 * larger than a few windows is hashed by up to three threads, which are gone on return: one for the
 * file, the others for the chunks. TRUNCATED when the source shrinks meanwhile; CANCELLED. */
TUT_MUST tut_status tut_chunks_read(const tut_source *source, const tut_chunks_options *options,
                                    tut_sha256 *ret_digest, tut_chunks *ret_chunks, tut_error *err);

#endif
