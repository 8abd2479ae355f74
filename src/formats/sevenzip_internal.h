/* What sevenzip_header.c reads and sevenzip.c walks. */
#ifndef TUT_FORMATS_SEVENZIP_INTERNAL_H
#define TUT_FORMATS_SEVENZIP_INTERNAL_H

#include "base/reader.h"
#include "formats/codec.h"
#include "formats/format.h"

enum {
    TUT_SEVENZIP_START = 32,
    TUT_SEVENZIP_CODERS = 4,
    TUT_SEVENZIP_AES = 0x06f10701,
    TUT_SEVENZIP_COPY = 0
};

typedef struct tut_sevenzip_folder {
    tut_codec_filter coders[TUT_SEVENZIP_CODERS]; /* the last one reads the packed bytes */
    size_t coder_count;
    bool is_chain; /* one coder reads from the next: otherwise not read here */
    bool is_encrypted, has_digest;
    uint64_t pack_at, pack_size; /* in the file */
    size_t final;                /* the coder that gives the data, in the order of the header */
    uint64_t size;               /* unpacked */
    uint64_t unpack_sizes[TUT_SEVENZIP_CODERS];
    uint64_t streams; /* files in it */
} tut_sevenzip_folder;

typedef struct tut_sevenzip_file {
    tut_span name; /* UTF-16, little-endian, in the header's bytes */
    uint64_t size; /* of its stream */
    bool has_stream;
} tut_sevenzip_file;

typedef struct tut_sevenzip {
    tut_exam *x;
    const tut_source *src;
    tut_sevenzip_folder *folders;
    size_t folder_count;
    uint64_t *sizes; /* of all streams, folder by folder */
    size_t size_count, size_capacity;
    tut_sevenzip_file *files;
    size_t file_count;
    uint64_t heap; /* charged */
} tut_sevenzip;

void tut_sevenzip_done(tut_sevenzip *z);
/* A header, or in an encoded one the folder that holds it (then there are no files). Spans of names
 * and properties lie in `bytes`. MALFORMED, LIMIT, UNSUPPORTED. */
TUT_MUST tut_status tut_sevenzip_read_header(tut_sevenzip *z, tut_span bytes, bool *ret_is_encoded,
                                             tut_error *err);

#endif
